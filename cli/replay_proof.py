"""`tickreel replay --prove`: does a replay reproduce what the live engine's receipts say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.errors import CommandError
from cli.report_text import counted, digest_text, printable_lines
from cli.terminal import StatusLine, print_json, warn

if TYPE_CHECKING:
    from replay.receipts import Proof
    from replay.recording import Recording

DIFFERENCES_SHOWN = 20


def prove_recordings(recordings: list[Recording], *, as_json: bool, skip_damaged: bool) -> bool:
    """Prove each recording, print what came of it, and return whether all receipts hold.

    Raises:
        CommandError: a recording has no receipts, so that nothing could be proved.
    """
    from cli.collector import calm_collector
    from replay.receipts import prove

    calm_collector()
    holds = True
    results: list[dict[str, object]] = []
    status = StatusLine(quiet=as_json, live_only=True)
    for recording in recordings:
        try:
            proof = prove(
                recording,
                skip_damaged=skip_damaged,
                on_progress=lambda number: status.show(f"proved to frame {number:,}"),
            )
        finally:
            status.clear()
        if not proof.receipts:
            raise CommandError(
                f"{recording.origin} has no receipts, so there is nothing to prove it by. The "
                "engine beside a capture writes one every 10,000 frames and at its end; what was "
                "recorded without it, imported, or made of another recording has none. "
                "`tickreel audit` says what its own numbers and checksums prove."
            )
        holds = holds and proof.holds
        results.append(_result(recording, proof))
        if not as_json:
            _print(recording, proof)
    if as_json:
        print_json({"holds": holds, "recordings": results})
    return holds


def _result(recording: Recording, proof: Proof) -> dict[str, object]:
    return {
        "recording": str(recording.origin),
        "holds": proof.holds,
        "receipts": proof.receipts,
        "reproduced": proof.reproduced,
        "beyond": proof.beyond,
        "excused": proof.excused,
        "frames": proof.frames,
        "unproved": proof.unproved,
        "other_engine": proof.other_engine,
        "differs": proof.differs,
        "found_digest": proof.found_digest,
        "differences": [
            {"place": each.place, "expected": each.expected, "found": each.actual}
            for each in proof.differences[:DIFFERENCES_SHOWN]
        ],
        "why_unknown": proof.why_unknown,
    }


def _print(recording: Recording, proof: Proof) -> None:
    from replay.state_difference import difference_lines

    frames = counted(proof.frames, "frame")
    if proof.differs is None:
        click.echo(
            f"{recording.origin}: {proof.reproduced:,} of {counted(proof.receipts, 'receipt')} "
            f"reproduced over {frames}"
        )
    else:
        at = proof.differs
        click.echo(
            f"{recording.origin}: after frame {at.frame_number:,} the state is not the live one: "
            f"expected digest {digest_text(at.state_digest)}, "
            f"found {digest_text(proof.found_digest)}"
        )
        for line in difference_lines(proof.differences, DIFFERENCES_SHOWN):
            click.echo(f"  {printable_lines(line)}")
        if proof.why_unknown:
            click.echo(f"  what differs cannot be said: {proof.why_unknown}")
        click.echo(f"{counted(proof.reproduced, 'receipt')} before it reproduced")
    if proof.excused:
        warn(
            f"{counted(proof.excused, 'receipt')} about frames that the recording does not have, "
            "and says so: a crash kept them from the disk, or they were removed on purpose."
        )
    if proof.beyond > proof.excused:
        warn(
            f"{counted(proof.beyond - proof.excused, 'receipt')} about frames that the "
            "recording does not have: they are damaged, or its end was taken away; "
            "`tickreel audit` says more."
        )
    if proof.differs is None and proof.unproved:
        warn(
            f"no receipt proves {counted(proof.unproved, 'frame')} of it: no engine was beside the "
            "capture then, or it ended without its last word."
        )
    if proof.other_engine:
        warn(f"{counted(proof.other_engine, 'receipt')} by another version of the engine.")
