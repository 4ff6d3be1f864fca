from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from recorder.sd_notify import ServiceNotice


class ServiceManager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def heard(self) -> list[str]:
        lines = []
        while True:
            try:
                lines.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_a_service_manager_hears_what_is_told(tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "notify") if kind == "file" else f"@tickreel-test-{os.getpid()}"
    manager = ServiceManager(address)
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "HOME": "/"}
    notice = ServiceNotice.from_environment(environment)
    assert environment == {"HOME": "/"}  # none of it is for our children
    assert notice.wanted
    assert notice.watchdog_interval_s == 30.0
    notice.ready()
    notice.status("2 of 2\nconnected")
    notice.status("2 of 2 connected")
    notice.alive()
    notice.stopping()
    assert manager.heard() == ["READY=1", "STATUS=2 of 2 connected", "WATCHDOG=1", "STOPPING=1"]
    manager.close()
    notice.close()


def test_nobody_who_listens_is_told_nothing_and_nothing_fails(tmp_path: Path) -> None:
    for environment in (
        {},
        {"NOTIFY_SOCKET": str(tmp_path / "gone")},
        {"NOTIFY_SOCKET": "vsock:1"},
    ):
        notice = ServiceNotice.from_environment(environment)
        notice.ready()
        notice.alive()
        notice.status("x" * 1_000_000)
        notice.close()
        notice.stopping()


@pytest.mark.parametrize(
    ("usec", "pid", "interval_s"),
    [
        ("", "", None),
        ("0", "", None),
        ("soon", "", None),
        ("5000000", "", 5.0),
        ("5000000", "ours", 5.0),
        ("5000000", "1", None),
    ],
)
def test_signs_of_life_are_given_where_this_process_is_asked_for_them(
    tmp_path: Path, usec: str, pid: str, interval_s: float | None
) -> None:
    address = str(tmp_path / "notify")
    manager = ServiceManager(address)
    notice = ServiceNotice.from_environment(
        {
            "NOTIFY_SOCKET": address,
            "WATCHDOG_USEC": usec,
            "WATCHDOG_PID": str(os.getpid()) if pid == "ours" else pid,
        }
    )
    assert notice.watchdog_interval_s == interval_s
    notice.alive()
    assert manager.heard() == ([] if interval_s is None else ["WATCHDOG=1"])
    manager.close()
    notice.close()
