"""An engine with a user's agent on it, and what the agent says on its way to a file.

The same for a capture and for a replay: so that an agent cannot know which of them it runs in.
"""

from __future__ import annotations

from collections.abc import Callable

from book.agent import AgentFailure, Signal, attach_agent
from book.engine import Engine
from cli.agent_file import load_agent
from cli.signal_file import SignalFile, SignalLine
from venues.frame import Frame


class AttachedEngine:
    """An engine, its agent and the signals' file; `asynchronous` where a handler is async.

    `on_failure` is called each time that the agent raises.
    """

    def __init__(
        self,
        agent_reference: str | None,
        signals_file: str | None,
        on_failure: Callable[[AgentFailure], None],
    ) -> None:
        """Load and attach the agent, if there is one.

        Raises:
            AgentFileError: it cannot be loaded.
            OSError: the signals' file cannot be written.
        """
        self.engine = Engine()
        agent = None if agent_reference is None else load_agent(agent_reference, self.engine)
        self.signals = SignalFile(signals_file)
        if agent is not None:
            attach_agent(self.engine, agent, self._write, on_failure)

    @property
    def asynchronous(self) -> bool:
        """Whether frames must be applied with `apply_async`."""
        return self.engine.asynchronous

    def _write(self, signal: Signal) -> None:
        frame: Frame = signal.frame
        self.signals.write(
            SignalLine(
                receive_time_ns=frame.receive_time_ns,
                frame_number=frame.frame_number,
                venue=frame.venue,
                symbol=signal.symbol,
                signal=signal.value,
            )
        )
