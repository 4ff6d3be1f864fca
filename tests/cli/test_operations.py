"""What a running capture tells whoever operates it; each test runs the real command."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.errors import CommandError
from cli.operations_server import (
    MetricsAddress,
    read_metrics_address,
    refuse_open_address,
    short_path,
)
from recorder.recording_folder import FolderLock
from tests.cli.commands import run, run_async
from tests.cli.faulty_capture import GO_ON
from tests.cli.running_capture import RunningCapture, running_capture
from tests.recorder.test_sd_notify import ServiceManager

SAMPLES = {
    'tickreel_stream_frames_total{line="1",number="1",stream="reference",venue="reference"}',
    'tickreel_stream_bytes_total{line="1",number="1",stream="reference",venue="reference"}',
    'tickreel_stream_last_frame_age_seconds{line="1",number="1",stream="reference",venue="reference"}',
    'tickreel_stream_reconnects_total{line="1",number="1",stream="reference",venue="reference"}',
    "tickreel_queue_bytes",
    "tickreel_writer_lag_seconds",
    "tickreel_unkept_frames_total",
    "tickreel_disk_free_bytes",
    "tickreel_segments",
    "tickreel_sealing_faults",
    "tickreel_clock_steps_total",
    'tickreel_clock_offset_seconds{venue="reference"}',
    'tickreel_latency_seconds_count{event="trade",venue="reference"}',
    "process_resident_memory_bytes",
}


async def scraped(capture: RunningCapture) -> dict[str, float]:
    """Return the samples, as the library's own parser reads them."""
    code, text = await capture.get("/metrics")
    assert code == 200
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{text}"' for name, text in sorted(sample.labels.items()))
            samples[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return samples


async def status_of(capture: RunningCapture) -> tuple[int, dict[str, Any]]:
    done = await run_async("status", str(capture.folder), "--json")
    return done.code, done.json


async def test_prometheus_scrapes_what_came_and_status_says_the_same(tmp_path: Path) -> None:
    async with running_capture(tmp_path) as capture:
        # The engine tells its status twice a second; the capture takes it every second.
        samples = await scraped(capture)
        for _ in range(100):
            if samples.keys() >= SAMPLES:
                break
            await asyncio.sleep(0.1)
            samples = await scraped(capture)
        assert samples.keys() >= SAMPLES
        name = "tickreel_latency_seconds"
        labels = 'event="trade",{}venue="reference"'
        buckets = [
            value
            for sample, value in samples.items()
            if sample.startswith(f"{name}_bucket{{") and 'event="trade"' in sample
        ]
        assert buckets == sorted(buckets)
        assert buckets[-1] == samples[f"{name}_count{{{labels.format('')}}}"]
        code, status = await status_of(capture)
        assert code == 0
        assert status["running"]
        assert status["healthy"]
        assert status["pid"] == capture.process.pid
        (stream,) = status["streams"]
        assert stream["state"] == "connected"
        assert stream["subscribed"]
        received = samples["tickreel_received_frames_total"]
        assert 0 < received <= status["received_frames"] <= capture.server.sent[0].frames
        assert status["engine"]["attached"]
        told = await run_async("status", str(capture.folder))
        assert told.code == 0
        assert "all is well" in told.out
        assert await capture.health() == (200, [])
        assert (await capture.get("/status"))[0] == 404  # on its socket alone
        assert (await capture.get("/metrics", Host="evil.example"))[0] == 403
        assert (await capture.get("/metrics", Origin="http://evil.example"))[0] == 403
        assert await capture.end() == 0
    assert [path.name for path in capture.folder.iterdir() if path.is_socket()] == []
    after = run("status", str(capture.folder))
    assert after.code == 2
    assert after.out == f"{capture.folder}: no capture is running\n"
    events = capture.events()
    for event in ("capturing", "metrics", "opened", "connection state", "stopping", "closed"):
        assert event in events
    assert events[-1] == "ended"
    (opened,) = [line for line in capture.lines() if line["event"] == "opened"]
    assert (opened["exchange"], opened["stream"], opened["connection"]) == (
        "reference",
        "reference",
        1,
    )
    states = [line["state"] for line in capture.lines() if line["event"] == "connection state"]
    assert states == ["connecting", "connected", "closing", "disconnected"]


async def test_a_killed_capture_is_not_running_whatever_it_left(tmp_path: Path) -> None:
    async with running_capture(tmp_path) as capture:
        capture.process.kill()
        await capture.ended()
        assert (capture.folder / ".status.sock").exists()
        assert await status_of(capture) == (
            2,
            {"running": False, "healthy": False, "faults": ["no capture is running"]},
        )
    assert run("recover", str(capture.folder)).code in (0, 3)
    async with running_capture(tmp_path) as capture:
        assert (await status_of(capture))[0] == 0
        await capture.end()


async def test_a_capture_that_does_not_answer_is_not_well(tmp_path: Path) -> None:
    async with running_capture(tmp_path) as capture:
        capture.process.send_signal(signal.SIGSTOP)
        code, told = await status_of(capture)
        capture.process.send_signal(signal.SIGCONT)
        assert code == 1
        assert told["running"]
        assert told["faults"] == ["a capture has it and did not answer within 3 s"]


def test_a_recording_in_other_hands_and_a_folder_that_is_none_are_told_apart(
    recording: Path, tmp_path: Path
) -> None:
    with FolderLock(recording / ".lock"):
        done = run("status", str(recording))
        assert done.code == 1
        assert "in use" in done.out
    done = run("status", str(tmp_path))
    assert done.code == 2
    assert "error:" in done.err


async def test_a_service_manager_is_told_and_fed_only_while_bytes_reach_the_disk(
    tmp_path: Path,
) -> None:
    address = str(tmp_path / "notify")
    manager = ServiceManager(address)
    go_on = tmp_path / "go on"
    env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", GO_ON: str(go_on)}
    heard: list[str] = []
    async with running_capture(
        tmp_path, module=("tests.cli.faulty_capture", "stalled disk"), env=env
    ) as capture:
        heard += manager.heard()
        assert heard[0].startswith("STATUS=") or heard[0] == "READY=1"
        faults = await capture.until_unhealthy()
        assert any("nothing was written for" in fault for fault in faults)
        heard += manager.heard()
        assert "READY=1" in heard
        assert "WATCHDOG=1" in heard
        await capture.until(lambda: "unhealthy" in capture.events())
        assert (await status_of(capture))[0] == 1
        while "WATCHDOG=1" in manager.heard():
            pass
        await asyncio.sleep(3.0)  # within which it would be fed, were all well
        assert "WATCHDOG=1" not in manager.heard()
        assert any("nothing was written" in fault for fault in (await capture.health())[1])
        go_on.touch()
        await capture.until(lambda: "WATCHDOG=1" in manager.heard())
        await capture.until(lambda: "healthy" in capture.events())
        assert capture.events().count("unhealthy") == 1  # told once, however long it lasts
        await capture.end()
        assert "STOPPING=1" in manager.heard()
    manager.close()


def test_metrics_are_served_beyond_loopback_only_if_that_is_said() -> None:
    assert read_metrics_address("127.0.0.1:9464") == MetricsAddress("127.0.0.1", 9464)
    assert read_metrics_address(":9464") == MetricsAddress("127.0.0.1", 9464)
    assert read_metrics_address("[::1]:0").text == "[::1]:0"
    for wrong in ("9464", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", ""):
        with pytest.raises(ValueError, match="is no address"):
            read_metrics_address(wrong)
    for reached in ("0.0.0.0", "::", "192.168.1.1", "example.com"):
        with pytest.raises(CommandError, match="other machines reach it"):
            refuse_open_address(MetricsAddress(reached, 1), insecure=False)
        refuse_open_address(MetricsAddress(reached, 1), insecure=True)
    done = run("capture", "reference", "BTCUSDT", "-o", "x", "--metrics", "0.0.0.0:9464")
    assert done.code == 2
    assert "--metrics-insecure" in done.err


async def test_an_address_in_use_ends_the_capture_before_it_begins(tmp_path: Path) -> None:
    async with running_capture(tmp_path) as capture:
        await capture.until(lambda: "metrics" in capture.events())
        (line,) = [line for line in capture.lines() if line["event"] == "metrics"]
        taken = line["message"].split("/")[2]
        done = await run_async(
            "capture", "reference", "BTCUSDT", "--url", capture.server.url,
            "-o", str(tmp_path / "other"), "--metrics", taken, "--log-json",
        )  # fmt: skip
        assert done.code == 2
        last = json.loads(done.err.splitlines()[-1])
        assert last["event"] == "failed"
        assert taken in last["message"]


def test_a_socket_in_a_deep_folder_has_a_short_name(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 8)
    deep.mkdir(parents=True)
    with short_path(deep / ".status.sock") as name:
        assert len(name) < 100
        Path(name).touch()
    assert (deep / ".status.sock").exists()
