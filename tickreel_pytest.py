"""Recordings as test fixtures: the pytest plugin of tickreel.

    @pytest.mark.recording("btc_cascade.reel")
    def test_the_agent_steps_aside_in_a_cascade(recording, engine, assert_state):
        agent = Agent(engine)                 # the engine is new and set as the recording's was
        recording.play_into(engine)           # the test plays, so that it can subscribe before
        assert agent.position == 0
        assert_state()                        # the state stored beside the recording, or a digest

- `recording`: the recording that the mark names, open. The name is a `.reel` file or a folder:
  beside the test's file, in a folder `recordings` beside it, or below pytest's root.
- `engine`: a new engine, no frame applied yet.
- `fake_exchange`: the address of a server that plays the recording as its exchange; a text.
  `fake_exchange.rest_url` and `.endpoints` have the others.
- `assert_state(digest=None, name=None)`: the engine's state is the one with this digest (whole, its
  first 8 digits or more, or as `7f3a…c1`), or the one stored in `NAME.expected.json` beside the
  recording. Plays the recording first where the test applied no frame. On failure: the first frame
  at which the two parted, and what differs. `name` tells apart several states of one recording.

`--reel-mode` says what may be written: `none` nothing; `once` a recording or an expected state that
is not there; `rewrite` both anew. A recording is made only where the mark says of what:
`recording("x.reel", capture="bybit-linear BTCUSDT --duration 10s")`, as for `tickreel capture`.

pytest loads this module in every suite of its environment. So it imports nothing of tickreel until
a test asks for one of its fixtures, and then looks first whether `book`, `replay` and the others
are tickreel's, and not files of the project under test.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pytest

if TYPE_CHECKING:
    from replay.background_server import ServedAddress
    from replay.recording import Recording
    from replay.state_trace import StateTrace, TracedEngine

_PACKAGES = ("venues", "recorder", "book", "replay", "cli")
_FOLDER = "recordings"
_MARK = (
    "recording(path, *, capture=None, speed='max'): the recording that the fixtures of tickreel "
    "are about; `capture` says how to make one that is not there (arguments of `tickreel "
    "capture`), `speed` how fast fake_exchange plays it."
)
_ABBREVIATED_MIN = 8
P = ParamSpec("P")
R = TypeVar("R")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("tickreel", "recorded market data (tickreel)")
    group.addoption(
        "--reel-mode",
        choices=("none", "once", "rewrite"),
        default="none",
        help="Recordings and expected states: write none, those missing (once), or all anew.",
    )
    group.addoption(
        "--reel-block-network",
        action="store_true",
        help="Refuse every connection beyond this machine, in all tests.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known; close the network where that was asked for."""
    config.addinivalue_line("markers", _MARK)
    if config.getoption("--reel-block-network"):
        block = _NetworkBlock()
        block.begin()
        config.add_cleanup(block.end)


# What a test is given.


@pytest.fixture
def recording(request: pytest.FixtureRequest) -> Recording:
    """Open the recording that the test's mark names."""
    _refuse_shadows()
    from replay.recording import Recording

    return Recording.open(_recording_path(request))


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> TracedEngine:
    """Make a new engine, set as the recording's was; no frame is applied yet."""
    _refuse_shadows()
    from replay.engine_settings import recorded_settings
    from replay.state_trace import TracedEngine

    if request.node.get_closest_marker("recording") is None:
        return TracedEngine()
    return TracedEngine(recorded_settings(request.getfixturevalue("recording")))


@pytest.fixture
def fake_exchange(request: pytest.FixtureRequest, recording: Recording) -> Iterator[ServedAddress]:
    """Serve the recording as its exchange, and give the address."""
    from replay.background_server import BackgroundServer

    with BackgroundServer(recording, _mark(request).kwargs.get("speed", "max")) as address:
        yield address


@pytest.fixture
def assert_state(
    request: pytest.FixtureRequest, recording: Recording, engine: TracedEngine
) -> Callable[..., None]:
    """Give a function that fails the test unless the engine's state is the expected one."""
    from replay.state_trace import TracedEngine

    mode = request.config.getoption("--reel-mode")
    if not isinstance(engine, TracedEngine):
        pytest.fail("tickreel: assert_state needs tickreel's fixture `engine`; this is another's.")

    def check(digest: str | None = None, *, name: str | None = None) -> None:
        __tracebackhide__ = True
        if engine.frames == 0:
            recording.play_into(engine)
        stored = _expected_state(recording, engine, name, mode)
        actual = engine.state_digest()
        if digest is None and stored is None:
            pytest.fail(
                f"tickreel: no state is stored for {recording.origin}. Its digest is {actual}; "
                "--reel-mode=once stores the state as the expected one."
            )
        wanted = digest if digest is not None else stored.digest if stored else ""
        if not _is_digest(wanted, actual):
            pytest.fail(_failure(recording, engine, wanted, stored), pytrace=False)

    return check


# Ours, and nobody else's.


def _refuse_shadows() -> None:
    """Fail the test where one of tickreel's packages would be somebody else's."""
    __tracebackhide__ = True
    place = Path(__file__).resolve().parent
    for name in _PACKAGES:
        found = _found(name)
        if found == place / name / "__init__.py":
            continue
        where = f"finds {found}" if found else "finds nothing"
        pytest.fail(
            f"tickreel: `import {name}` {where}, and not tickreel's own package at "
            f"{place / name}. Its packages are {', '.join(_PACKAGES)}: give that file another "
            "name, move it into a package, or keep its folder off sys.path (pytest's "
            "--import-mode=importlib adds none).",
            pytrace=False,
        )


def _found(name: str) -> Path | None:
    module = sys.modules.get(name)
    if module is not None:
        origin = getattr(module, "__file__", None) or next(iter(module.__path__), None)
    else:
        spec = importlib.util.find_spec(name)
        origin = None if spec is None else spec.origin
        if spec is not None and origin is None:
            origin = next(iter(spec.submodule_search_locations or ()), None)
    return None if origin is None else Path(origin).resolve()


# Which recording.


def _mark(request: pytest.FixtureRequest) -> pytest.Mark:
    __tracebackhide__ = True
    mark = request.node.get_closest_marker("recording")
    if mark is None or len(mark.args) != 1 or set(mark.kwargs) - {"capture", "speed"}:
        pytest.fail(
            "tickreel: say which recording this test is about, as in "
            '@pytest.mark.recording("recordings/cascade.reel"); `capture` and `speed` are all '
            "that can be given besides.",
            pytrace=False,
        )
    assert isinstance(mark, pytest.Mark)
    return mark


def _recording_path(request: pytest.FixtureRequest) -> Path:
    __tracebackhide__ = True
    mark = _mark(request)
    mode = request.config.getoption("--reel-mode")
    name = Path(mark.args[0])
    beside = request.path.parent
    places = [beside / name, beside / _FOLDER / name, request.config.rootpath / name]
    path = next((place for place in places if place.exists()), None)
    how = mark.kwargs.get("capture")
    if how is None or mode == "none" or (path is not None and mode == "once"):
        if path is None:
            looked = "\n  ".join(str(place) for place in dict.fromkeys(places))
            pytest.fail(
                f"tickreel: there is no recording {str(name)!r}. Looked for:\n  {looked}\n"
                "--reel-mode=once makes one where the mark says of what (capture=...).",
                pytrace=False,
            )
        return path
    made = path or places[0]
    if request.config.stash.setdefault(_MADE, set()) & {made}:
        return made
    if request.config.getoption("--reel-block-network"):
        pytest.fail(f"tickreel: {made} is to be captured, and the network is blocked.")
    if mode == "rewrite" and hasattr(request.config, "workerinput"):
        pytest.fail(
            f"tickreel: {made} is to be captured anew, and each worker of pytest-xdist would put "
            "its own in the place of the others'. Run --reel-mode=rewrite without -n.",
            pytrace=False,
        )
    _capture(how, made, replace=mode == "rewrite")
    request.config.stash[_MADE].add(made)
    return made


_MADE = pytest.StashKey[set[Path]]()
"""What this run captured, so that --reel-mode=rewrite does it once and not for each test."""


def _capture(how: str, path: Path, *, replace: bool) -> None:
    """Make a recording. Without `replace`, one that came there meanwhile is taken as it is."""
    __tracebackhide__ = True
    from cli.child_process import child_command, child_environment
    from replay.pack import pack
    from replay.reel_errors import TargetTakenError

    path.parent.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix="tickreel-"))
    try:
        arguments = [*shlex.split(how), "--output", str(workplace / "made")]
        if "--duration" not in how:
            arguments += ["--duration", "10s"]
        done = subprocess.run(  # noqa: S603 - our own command, with the test's own words
            child_command("cli", "capture", *arguments, "--no-engine"),
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"tickreel: `capture {how}` did not do it:\n{done.stderr}", pytrace=False)
        # Of several workers that found none, the first to be done makes it for all of them.
        with contextlib.nullcontext() if replace else contextlib.suppress(TargetTakenError):
            pack(workplace / "made", path, force=replace)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


# Which state.


def _expected_state(
    recording: Recording, engine: TracedEngine, name: str | None, mode: str
) -> StateTrace | None:
    """Return the state stored beside the recording, written first where the mode says so."""
    from replay.state_trace import read_trace, trace_path, write_trace

    path = trace_path(recording.origin)
    if name is not None:
        path = path.with_name(path.name.replace(".expected.json", f".{name}.expected.json"))
    if mode == "rewrite" or (mode == "once" and not path.exists()):
        write_trace(path, engine.trace())
    return read_trace(path) if path.exists() else None


def _is_digest(wanted: str, actual: str) -> bool:
    """Return whether `wanted` is a digest, whole or shortened as tickreel prints it."""
    begin, dots, end = wanted.partition("…")
    if not dots:
        return len(wanted) >= _ABBREVIATED_MIN and actual.startswith(wanted)
    return bool(begin and end) and actual.startswith(begin) and actual.endswith(end)


def _failure(
    recording: Recording, engine: TracedEngine, wanted: str, stored: StateTrace | None
) -> str:
    from cli.trace_text import difference_text
    from replay.trace_difference import trace_difference

    actual = engine.trace()
    head = f"tickreel: the state is not the expected one ({recording.origin})"
    if stored is None or not _is_digest(wanted, stored.digest):
        why = (
            "No state is stored to compare with"
            if stored is None
            else f"The state that is stored is another one ({stored.digest})"
        )
        return (
            f"{head}\n  expected: digest {wanted}\n  actual:   digest {actual.digest} after "
            f"{actual.frames:,} frames\n  {why}, so where the two parted cannot be said: "
            "--reel-mode=once stores one, where the test passes."
        )
    difference = trace_difference(stored, actual)
    frame = None
    if difference.first_frame is not None and stored.frames == recording.frame_count:
        frame = next(
            (f for at, f in enumerate(recording.frames()) if at == difference.first_frame), None
        )
    lines = difference_text(difference, stored, actual, frame)
    lines.append("--reel-mode=rewrite takes the actual state as the expected one.")
    return "\n  ".join([head, *lines])


# The network.


class NetworkBlockedError(RuntimeError):
    """A test wanted to leave this machine, and --reel-block-network was given."""


class _NetworkBlock:
    """Refuses what leaves the machine through Python's sockets (uvloop has others of its own)."""

    def __init__(self) -> None:
        self._patches = pytest.MonkeyPatch()

    def begin(self) -> None:
        plain = socket.socket
        for name in ("connect", "connect_ex", "sendto"):
            self._patches.setattr(plain, name, _guarded(getattr(plain, name)))
        self._patches.setattr(socket, "getaddrinfo", _looking_up(socket.getaddrinfo))

    def end(self) -> None:
        self._patches.undo()


def _guarded(call: Callable[P, R]) -> Callable[P, R]:
    """Guard a method of a socket whose last argument is where it goes."""

    def guarded(*arguments: P.args, **named: P.kwargs) -> R:
        outward, address = arguments[0], arguments[-1]
        assert isinstance(outward, socket.socket)
        if outward.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _refuse_far(address[0])
        return call(*arguments, **named)

    return guarded


def _looking_up(call: Callable[P, R]) -> Callable[P, R]:
    """Guard what asks for a host's address."""

    def looked_up(*arguments: P.args, **named: P.kwargs) -> R:
        _refuse_far(arguments[0] if arguments else named.get("host"))
        return call(*arguments, **named)

    return looked_up


def _refuse_far(host: object) -> None:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in ("", "localhost"):
        return
    try:
        near = ipaddress.ip_address(host.partition("%")[0]).is_loopback or host in ("0.0.0.0", "::")  # noqa: S104 - to be bound to
    except ValueError:
        near = host.endswith(".localhost")
    if not near:
        raise NetworkBlockedError(
            f"tickreel: a connection to {host} was refused (--reel-block-network). Serve a "
            "recording with the fixture fake_exchange instead."
        )
