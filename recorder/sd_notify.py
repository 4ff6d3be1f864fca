"""What a service manager (systemd, or what speaks its protocol) is told.

Theory. The manager gives the address of a datagram socket in `NOTIFY_SOCKET` and, if it wants signs
of life, their interval in `WATCHDOG_USEC`; a service sends lines of `NAME=value`. It is told

- `READY=1` once the recording is open and locked and the recorder runs;
- `STATUS=` in one line, for `systemctl status`;
- `WATCHDOG=1`, only while there is a pulse: while bytes reach the disk. Where they do not, the
  manager ends and restarts us after the interval. So an interval has to be longer than a stall of
  the disk that is to be waited out (the unit in `deploy/` has 90 s);
- `STOPPING=1` as soon as we begin to stop.

A disk that is full has no pulse in the recorder's sense, but starting again would not make room and
would lose what waits in memory: while it is known to be full, signs of life go on.

Telling never blocks and never fails: a manager that does not listen is not our trouble.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, MutableMapping

STATUS_CHARACTERS_MAX = 300


class ServiceNotice:
    """Tells the service manager, if there is one."""

    def __init__(self, address: str, watchdog_interval_s: float | None = None) -> None:
        """Prepare to send to `address` ('' for nobody); `@` begins one without a file."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address[:1] in ("@", "/"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self.watchdog_interval_s = watchdog_interval_s
        self._status = ""

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> ServiceNotice:
        """Take the address from the environment, and take it out: it is not for our children."""
        address = environment.pop("NOTIFY_SOCKET", "")
        interval_s = _watchdog_interval_s(environment)
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            environment.pop(name, None)
        return cls(address, interval_s)

    @property
    def wanted(self) -> bool:
        """Whether anyone listens."""
        return self._socket is not None

    def ready(self) -> None:
        """Say that the service does what it is there for."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Say that it is about to end."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Give a sign of life, if any is wanted."""
        if self.watchdog_interval_s is not None:
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line how it goes; the same line is not sent twice in a row."""
        line = " ".join(text.split())[:STATUS_CHARACTERS_MAX]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, line: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(line.encode("utf-8", "backslashreplace"), self._address)


def _watchdog_interval_s(environment: Mapping[str, str]) -> float | None:
    """Return how often the manager wants a sign of life from this process; None if it does not."""
    wanted, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not (wanted.isascii() and wanted.isdigit()) or int(wanted) == 0:
        return None
    if process and process != str(os.getpid()):
        return None
    return int(wanted) / 1e6
