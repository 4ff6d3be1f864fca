"""The pytest plugin in projects of users, each a pytest of its own in a scratch folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from book.settings import EngineSettings
from replay.pack import pack
from replay.recording import Recording
from replay.state_trace import read_trace, trace_path, traced, write_trace
from tests.cli.commands import serving

ROOT = Path(__file__).parents[1]
ROUGH = ROOT / "sample_data" / "rough"
LIMIT_S = 60


class Project:
    """A user's project: files in a folder, and its pytest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("pytest.ini", "[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def pytest(self, *arguments: str) -> str:
        """Run the project's tests; return all that was printed."""
        # In CI, pytest repeats whole messages in its summary.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV", "CI"))}
        # Our packages come last on the path, as installed ones do: the project's own come first.
        env["PYTHONPATH"] = str(ROOT)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tickreel_pytest", "-p", "no:cacheprovider",
             *arguments],
            cwd=self.path,
            env={**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    pack(ROUGH, made.path / "tests" / "rough.reel")
    return made


@pytest.fixture(scope="module")
def digest() -> str:
    return traced(Recording.open(ROUGH), EngineSettings()).digest


def test_the_plugin_is_announced_to_pytest() -> None:
    found = [each.value for each in entry_points(group="pytest11") if each.name == "tickreel"]
    assert found == ["tickreel_pytest"]


def test_a_suite_that_does_not_use_it_imports_nothing_of_ours(project: Project) -> None:
    project.write(
        "tests/test_own.py",
        """
        import sys

        def test_nothing():
            ours = {"venues", "recorder", "book", "replay", "cli", "pyarrow", "msgspec"}
            assert not ours & set(sys.modules)
        """,
    )
    assert "1 passed" in project.pytest()


def test_recording_engine_and_state(project: Project, digest: str) -> None:
    project.write(
        "tests/test_agent.py",
        f"""
        import pytest
        from venues.event import Trade

        pytestmark = pytest.mark.recording("rough.reel")

        def test_played_by_the_test(recording, engine, assert_state):
            trades = []
            engine.on(Trade, lambda trade, market: trades.append(trade))
            recording.play_into(engine)
            assert engine.frames == recording.frame_count
            assert len(trades) == 1028
            assert_state({digest!r})

        def test_played_by_the_assertion(assert_state, engine):
            assert engine.frames == 0
            assert_state("{digest[:4]}…{digest[-2:]}")
            assert engine.frames == 3138
            assert_state({digest[:8]!r})
            with pytest.raises(pytest.fail.Exception):
                assert_state({digest[:7]!r})
        """,
    )
    printed = project.pytest()
    assert "2 passed" in printed, printed


def test_a_failure_shows_the_first_frame_that_differs_and_what_differs(project: Project) -> None:
    project.write(
        "tests/test_agent.py",
        """
        import pytest

        @pytest.mark.recording("rough.reel")
        def test_state(recording, engine, assert_state):
            for frame in recording:
                if frame.frame_number != LEFT_OUT:
                    engine.apply(frame)
            assert_state()

        LEFT_OUT = None
        """,
    )
    printed = project.pytest()
    assert "no state is stored" in printed
    assert "--reel-mode=once" in printed
    assert "1 passed" in project.pytest("--reel-mode=once")
    stored = trace_path(project.path / "tests" / "rough.reel")
    whole = read_trace(stored)
    assert whole == traced(Recording.open(ROUGH), EngineSettings())

    path = project.path / "tests" / "test_agent.py"
    path.write_text(path.read_text().replace("= None", "= 700"))
    left_out = list(Recording.open(ROUGH))[700]
    printed = project.pytest("--reel-mode=once")
    assert "1 failed" in printed
    assert "first differing frame: number 701 of those applied" in printed
    assert f"frame 700 of reference, TEXT, connection {left_out.connection_id}" in printed
    assert left_out.payload.decode()[:150] in printed
    assert "reference ETHUSDT counters trades: expected 462, is 460" in printed
    assert read_trace(stored) == whole
    assert "1 passed" in project.pytest("--reel-mode=rewrite")
    assert read_trace(stored).frames == 3137
    assert "1 passed" in project.pytest()


def test_states_of_one_recording_are_told_apart_by_name(project: Project) -> None:
    project.write(
        "tests/test_agent.py",
        """
        import pytest

        @pytest.mark.recording("rough.reel")
        @pytest.mark.parametrize("count", [100, 200])
        def test_state(recording, engine, assert_state, count):
            for frame in recording:
                if frame.frame_number < count:
                    engine.apply(frame)
            assert_state(name=f"first{count}")
        """,
    )
    assert "2 passed" in project.pytest("--reel-mode=once")
    assert "2 passed" in project.pytest()
    names = {path.name for path in (project.path / "tests").glob("*.json")}
    assert names == {"rough.first100.expected.json", "rough.first200.expected.json"}


@pytest.mark.parametrize(("name", "importing"), [("book", "first"), ("replay", "never")])
def test_a_users_own_module_of_our_name_gets_a_sentence(
    project: Project, name: str, importing: str
) -> None:
    own = project.write(f"tests/{name}.py", "PAGES = 3\n")
    use = f"import {name}" if importing == "first" else ""
    project.write(
        "tests/test_own.py",
        f"""
        import pytest
        {use}

        def test_own():
            import {name}
            assert {name}.PAGES == 3

        @pytest.mark.recording("rough.reel")
        def test_recording(recording):
            pass
        """,
    )
    printed = project.pytest()
    assert "1 passed, 1 error" in printed, printed
    assert f"`import {name}` finds {own.resolve()}" in printed
    assert "give that file another name" in printed
    assert "Traceback" not in printed


def test_the_fake_exchange_is_an_address_for_any_client(project: Project) -> None:
    project.write(
        "tests/test_client.py",
        """
        import json
        import pytest
        from websockets.sync.client import connect

        @pytest.mark.recording("rough.reel")
        def test_client(fake_exchange, recording):
            sent = {frame.payload for frame in recording if frame.received}
            with connect(fake_exchange, close_timeout=1) as client:
                client.send(json.dumps({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}))
                got = [client.recv(timeout=20) for _ in range(50)]
            assert fake_exchange.rest_url.startswith("http://127.0.0.1:")
            assert sum(message.encode() in sent for message in got) > 40
        """,
    )
    printed = project.pytest("--reel-block-network")
    assert "1 passed" in printed, printed


def test_the_network_is_closed_and_loopback_open(project: Project) -> None:
    project.write(
        "tests/test_network.py",
        """
        import asyncio, socket
        import pytest

        def test_far():
            for far in ("192.0.2.1", "exchange.example", "2001:db8::1"):
                with pytest.raises(RuntimeError, match="reel-block-network"):
                    socket.create_connection((far, 443), timeout=1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
                with pytest.raises(RuntimeError, match="192.0.2.1"):
                    datagram.sendto(b"x", ("192.0.2.1", 53))
            async def far():
                await asyncio.open_connection("192.0.2.1", 443)
            with pytest.raises(RuntimeError, match="reel-block-network"):
                asyncio.run(far())

        def test_near():
            with socket.create_server(("127.0.0.1", 0)) as server:
                with socket.create_connection(server.getsockname(), timeout=5):
                    pass
            assert socket.getaddrinfo("localhost", 80)
        """,
    )
    printed = project.pytest("--reel-block-network")
    assert "2 passed" in printed, printed


def test_a_missing_recording_is_captured_where_the_mark_says_of_what(project: Project) -> None:
    with serving("--simulate", "endless", "--speed", "20x") as url:
        project.write(
            "tests/test_capture.py",
            f"""
            import pytest

            @pytest.mark.recording("fresh.reel",
                                   capture="reference BTCUSDT --url {url} --duration 1s")
            def test_fresh(recording, assert_state):
                assert recording.frame_count > 10
                assert_state()
            """,
        )
        printed = project.pytest()
        assert "there is no recording 'fresh.reel'" in printed
        refused = project.pytest("--reel-mode=once", "--reel-block-network")
        assert "the network is blocked" in refused
        made = project.path / "tests" / "fresh.reel"
        assert not made.exists()
        printed = project.pytest("--reel-mode=once")
        assert "1 passed" in printed, printed
        first = made.read_bytes()
        assert "1 passed" in project.pytest("--reel-mode=once")
        assert made.read_bytes() == first
        assert "1 passed" in project.pytest("--reel-mode=rewrite")
        assert made.read_bytes() != first
    shutil.rmtree(project.path)


def test_of_two_workers_that_make_one_recording_the_first_makes_it_for_both(
    project: Project,
) -> None:
    with serving("--simulate", "endless", "--speed", "20x") as url:
        project.write(
            "tests/test_capture.py",
            f"""
            import shutil, subprocess
            from pathlib import Path

            import pytest

            HERE, run = Path(__file__).parent, subprocess.run

            def run_while_the_other_worker_is_done(*arguments, **named):
                done = run(*arguments, **named)
                shutil.copy(HERE / "rough.reel", HERE / "fresh.reel")
                return done

            subprocess.run = run_while_the_other_worker_is_done

            @pytest.mark.recording("fresh.reel",
                                   capture="reference BTCUSDT --url {url} --duration 1s")
            def test_fresh(recording):
                assert recording.frame_count == 3138
            """,
        )
        printed = project.pytest("--reel-mode=once")
    assert "1 passed" in printed, printed
    tests = project.path / "tests"
    assert (tests / "fresh.reel").read_bytes() == (tests / "rough.reel").read_bytes()
    printed = project.pytest("--reel-mode=rewrite", "-p", "xdist.plugin", "-n", "2")
    assert "Run --reel-mode=rewrite without -n" in printed, printed
    assert (tests / "fresh.reel").read_bytes() == (tests / "rough.reel").read_bytes()


def test_workers_that_write_one_expected_state_leave_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "rough.expected.json"
    trace = traced(Recording.open(ROUGH), EngineSettings())
    write_trace(path, trace)
    whole = path.read_bytes()

    def write_and_read(_: int) -> bool:
        write_trace(path, trace)
        return path.read_bytes() == whole

    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(write_and_read, range(200)))
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_wrong_with_a_mark_is_said(project: Project) -> None:
    project.write(
        "tests/test_marks.py",
        """
        import pytest

        def test_none(recording): pass

        @pytest.mark.recording("absent.reel")
        def test_absent(recording): pass

        @pytest.mark.recording("rough.reel", spede="1x")
        def test_misspelt(recording): pass
        """,
    )
    printed = project.pytest()
    assert "3 errors" in printed
    assert printed.count("say which recording this test is about") == 2
    assert "there is no recording 'absent.reel'" in printed
