"""An engine with a user's agent on it, and what the agent says on its way to a file.

The same for a capture and for a replay: so that an agent cannot know which of them it runs in.
"""

from __future__ import annotations

from collections.abc import Callable

from book.agent import AgentFailure, AttachedAgent, Signal, attach_agent
from book.engine import Engine
from book.settings import EngineSettings
from cli.agent_file import load_agent
from cli.signal_file import SignalFile


class AttachedEngine:
    """An engine, its agent and the signals' file.

    Attributes:
        engine: what frames are applied to, with `apply_async` where `asynchronous`.
        signals: where what the agent says goes.
        asynchronous: whether a handler of the agent is async.
        failures: how often the agent raised.
    """

    def __init__(
        self,
        agent_reference: str | None,
        signals_file: str | None,
        on_failure: Callable[[AgentFailure], None],
        settings: EngineSettings | None = None,
        *,
        append_signals: bool = False,
    ) -> None:
        """Load and attach the agent, if there is one; `on_failure` is told when it raises.

        What is in the signals' file is replaced, unless `append_signals`.

        Raises:
            AgentFileError: it cannot be loaded.
            OSError: the signals' file cannot be written.
        """
        self.engine = Engine(settings)
        self.asynchronous = False
        self.failures = 0
        self._on_failure = on_failure
        self._agent: AttachedAgent | None = None
        agent = None if agent_reference is None else load_agent(agent_reference, self.engine)
        self.signals = SignalFile(signals_file, append=append_signals)
        if agent is not None:
            self._agent = attach_agent(self.engine, agent, self._write, self._failed, adopt=True)
            self.asynchronous = self.engine.subscribers.first_async is not None

    @property
    def agent_detached(self) -> bool:
        """Whether the agent had failed too often, or its signals could not be kept."""
        return self._agent is not None and self._agent.detached

    def show_signals(self, *, last: bool = False) -> None:
        """Let others read what was said so far; where the disk refuses, the agent is detached."""
        try:
            if last:
                self.signals.close()
            else:
                self.signals.flush()
        except OSError as error:
            if not self.agent_detached:
                frame = self.engine.frame
                self._unwritable(frame.frame_number, frame.receive_time_ns, error)

    def _write(self, signal: Signal) -> None:
        try:
            self.signals.write(signal)
        except (TypeError, ValueError, OverflowError, RecursionError, OSError) as error:
            self._unwritable(signal.frame_number, signal.receive_time_ns, error)

    def _unwritable(self, frame_number: int, receive_time_ns: int, error: Exception) -> None:
        """Detach the agent: a signals' file with holes would look like a quiet one."""
        assert self._agent is not None
        self._agent.detach()
        self.signals.give_up()
        self._failed(
            AgentFailure(
                "the signals' file",
                frame_number,
                receive_time_ns,
                f"a signal cannot be written: {error}",
                self._agent.failures + 1,
                detached=True,
            )
        )

    def _failed(self, failure: AgentFailure) -> None:
        self.failures += 1
        self._on_failure(failure)


def failure_text(failure: AgentFailure) -> str:
    """Return the sentences for an agent that raised."""
    where = f"{failure.method}, {failure.place}" if failure.place else failure.method
    text = f"the agent failed at frame {failure.frame_number:,} ({where}): {failure.error}"
    if failure.detached:
        text += "\nIt was detached after this; everything else goes on."
    return text
