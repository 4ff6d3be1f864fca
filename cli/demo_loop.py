"""The demo's loop: serve, capture, replay, audit; each a process, as a user runs them."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cli.child_process import OUR_ROOT, child_command, child_environment
from cli.engine_summary import EngineSummary, MarketSummary, market_table
from cli.errors import CommandError
from cli.report_text import aligned, byte_text, count_text, counted, folded, span_text

SERVED_SPEED = 2
REPLAY_SPEED = "10x"
MARGIN_S = 3.0
SIMULATION_S = 24.0
_FIGURES_COLUMN = len("replay digest  ")
_SAMPLE = "rough"
_AGENT = OUR_ROOT / "examples" / "signal_agent.py"
_SENT = re.compile(r"stopped; ([\d,]+) messages? sent")


class DemoOutcome(NamedTuple):
    """What each step told, as its `--json` has it."""

    capture: dict[str, Any]
    replay: dict[str, Any]
    audit: dict[str, Any]
    info: dict[str, Any]
    served_audit: dict[str, Any] | None
    sent: int
    signals: tuple[bytes, bytes] | None

    def facts(self) -> dict[str, object]:
        """Return what is worth keeping, for JSON."""
        return {
            "frames": self.capture["frames"],
            "lost": self.capture["lost"],
            "bytes_per_frame": self.info["bytes_per_frame"],
            "live_digest": self.capture["state_digest"],
            "replay_digest": self.replay["state_digest"],
            "gaps": total(self.audit, "gaps"),
            "checksums_verified": total(self.audit, "checksums_verified"),
            "checksums_failed": total(self.audit, "checksums_failed"),
            "books": self.replay["books"],
        }


def run_loop(folder: Path, place: Path, say: Callable[[str], None]) -> DemoOutcome:
    """Run all steps; the recording goes to `folder`, what is only needed meanwhile to `place`.

    Raises:
        CommandError: a step could not run.
    """
    source, source_s = _source()
    served = [source] if source else ["--simulate", "rough"]
    live, replayed = place / "live.jsonl", place / "replayed.jsonl"
    seconds = source_s / SERVED_SPEED + MARGIN_S
    with _serving(served) as (url, venue, ended):
        say(f"1  a fake exchange serves {source or 'a simulated market'} at {url}, twice as fast")
        say(f"2  tickreel capture {venue} BTCUSDT ETHUSDT, the engine beside it, {seconds:.0f} s")
        asked = [venue, "BTCUSDT", "ETHUSDT", "--url", url, "--duration", f"{seconds:.1f}s"]
        capture = _json("capture", *asked, "-o", str(folder), *_agent(live))
        sent = ended()
    say(f"3  tickreel replay --speed {REPLAY_SPEED}")
    replay = _json("replay", str(folder), "--speed", REPLAY_SPEED, *_agent(replayed))
    say("4  tickreel audit")
    return DemoOutcome(
        capture=capture,
        replay=replay,
        audit=_json("audit", str(folder), allowed=(0, 1)),
        info=_json("info", str(folder)),
        served_audit=_json("audit", source, allowed=(0, 1)) if source else None,
        sent=sent,
        signals=(live.read_bytes(), replayed.read_bytes()) if live.exists() else None,
    )


def broken_promises(outcome: DemoOutcome) -> list[str]:
    """Return a sentence for each thing that must hold and does not."""
    capture, replay, audit = outcome.capture, outcome.replay, outcome.audit
    live = capture["state_digest"]
    messages = sum(connection["messages"] for connection in capture["connections"])
    promises = [
        (capture["lost"] == 0, f"no frame is lost, but {capture['lost']} are"),
        (messages == outcome.sent, f"all {outcome.sent} that were sent are kept: {messages} are"),
        (
            replay["frames"] == capture["frames"],
            f"all that is kept is played: {capture['frames']} kept, {replay['frames']} played",
        ),
        (live == replay["state_digest"], f"the digest is {live} live and in the replay"),
        (live == audit["state_digest"], f"the digest is {live} live and in the audit"),
        (bool(audit["books"]) and total(audit, "checksums_verified") > 0, "books are verified"),
    ]
    if outcome.served_audit is not None:
        promises += [
            (
                total(audit, key) == total(outcome.served_audit, key),
                f"{key.replace('_', ' ')} are those of what was served",
            )
            for key in ("gaps", "checksums_failed", "crossed")
        ]
    if outcome.signals is not None:
        live_signals, replayed_signals = outcome.signals
        promises.append((live_signals == replayed_signals, "the agent says the same in both"))
        promises.append((bool(live_signals), "the agent says something"))
    return [sentence for holds, sentence in promises if not holds]


def summary_lines(outcome: DemoOutcome, width: int | None) -> list[str]:
    """Return what came of it, for people, no wider than `width`."""
    capture, replay, audit, info = outcome.capture, outcome.replay, outcome.audit, outcome.info
    summary = EngineSummary(
        frames=replay["frames"],
        state_digest=replay["state_digest"],
        undecodable=replay["undecodable"],
        findings=replay["findings"],
        markets=msgspec.convert(replay["books"], list[MarketSummary]),
    )
    found = ", ".join(f"{count} {kind}" for kind, count in audit["faults"].items()) or "nothing"
    rows = [
        ("frames", f"{capture['frames']:,} captured, {capture['lost']} lost, "
         f"{replay['frames']:,} replayed in {span_text(replay['seconds'])}"),
        ("size", f"{byte_text(info['bytes_on_disk'])} on disk, "
         f"{info['bytes_per_frame']:.1f} bytes a frame"),
        ("gaps", count_text(total(audit, "gaps"))),
        ("checksums", f"{total(audit, 'checksums_verified'):,} verified, "
         f"{total(audit, 'checksums_failed'):,} failed"),
        ("liquidations", count_text(sum(rows["rows"] for rows in audit["liquidations"]))),
        ("found", found),
    ]  # fmt: skip
    if outcome.served_audit is not None:
        rows[-1] = ("found", f"{found}: the faults that were served")
    if outcome.signals is not None:
        lines = outcome.signals[0].count(b"\n")
        same = outcome.signals[0] == outcome.signals[1]
        text = "the same bytes live and replayed" if same else "live, and others replayed"
        rows.append(("agent", f"{counted(lines, 'signal')}, {text}"))
    rows.append(("live digest", str(capture["state_digest"])))
    rows.append(("replay digest", replay["state_digest"]))
    told = [line for row in aligned(rows) for line in folded(row, width, _FIGURES_COLUMN)]
    return ["", *market_table(summary, width), "", *told]


def total(audit: dict[str, Any], key: str) -> int:
    """Return the sum of one count over all books of an audit."""
    return sum(book[key] for book in audit["books"])


def _source() -> tuple[str | None, float]:
    """Return the recording to serve and its length in seconds; None for a simulation."""
    folder = OUR_ROOT / "sample_data"
    recordings = sorted(path.parent for path in folder.glob("*/recording.json"))
    if not recordings:
        return None, SIMULATION_S
    named = [path for path in recordings if _SAMPLE in path.name]
    chosen = str((named or recordings)[0])
    return chosen, float(_json("info", chosen)["seconds"] or 0.0)


def _agent(signals: Path) -> list[str]:
    if not _AGENT.is_file():
        return []
    return ["--agent", f"{_AGENT}:SignalAgent", "--signals", str(signals)]


def _json(*arguments: str, allowed: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Run a command with `--json` and return its result."""
    done = subprocess.run(  # noqa: S603 - our own commands
        child_command("cli", *arguments, "--json"),
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in allowed:
        raise CommandError(
            f"`tickreel {' '.join(arguments)}` ended with exit code {done.returncode}:\n"
            f"{done.stderr.strip()}"
        )
    return msgspec.json.decode(done.stdout, type=dict[str, Any])


@contextmanager
def _serving(served: list[str]) -> Iterator[tuple[str, str, Callable[[], int]]]:
    """Serve meanwhile; yield the address, the venue, and what ends it and tells what was sent."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        child_command("cli", "serve", *served, "--speed", f"{SERVED_SPEED}x"),
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        announced = re.match(r"(ws://\S+)\s+looks like ([\w-]+);", line)
        if announced is None:
            process.kill()
            raise CommandError(f"the fake exchange did not start:\n{process.communicate()[1]}")

        def end() -> int:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate()
            told = _SENT.search(said)
            if told is None:
                raise CommandError(f"the fake exchange did not end well:\n{said}")
            return int(told[1].replace(",", ""))

        yield announced[1], announced[2], end
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
