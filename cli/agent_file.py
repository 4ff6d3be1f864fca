"""A user's agent, loaded from `file.py:Class`.

The file is run as any script would be, with its own folder at the end of the import path: what
lies beside it can be imported, and can shadow nothing of ours.
"""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from book.agent import AGENT_METHODS
from book.engine import Engine
from cli.errors import AgentFileError
from venues.errors import nearest

NEARLY_THE_SAME = 0.85
"""A letter or two apart: on_trades is, on_fill is not."""


def load_agent(reference: str, engine: Engine) -> object:
    """Load the class that `reference` names and return an instance of it.

    Its constructor is called with `engine` where it takes an argument, else with nothing.

    Raises:
        AgentFileError: there is no such file or class, the file does not run, the class has no
            handler, a misspelt one or one that cannot take what it is called with, or it cannot be
            made.
    """
    file_name, separator, class_name = reference.rpartition(":")
    if not separator or not class_name or not file_name:
        raise AgentFileError(reference, "write the file and the class in it: my_agent.py:MyAgent.")
    path = Path(file_name)
    if not path.is_file():
        raise AgentFileError(reference, f"there is no file {file_name}{_nearest_file(path)}.")
    agent = _instance(reference, _class_in(reference, _run_file(reference, path)), engine)
    _refuse_misspelt(reference, agent)
    handles = any(callable(getattr(agent, handler, None)) for handler in AGENT_METHODS)
    if not handles and not engine.subscribers.anyone:
        raise AgentFileError(
            reference,
            f"{type(agent).__name__} has no handler. "
            f"Give it one or more of: {', '.join(AGENT_METHODS)}.",
        )
    _refuse_uncallable(reference, agent)
    return agent


def _refuse_misspelt(reference: str, agent: object) -> None:
    """Refuse a method that nothing calls, where its name is nearly that of one that is called."""
    for name in dir(agent):
        if name.startswith("on_") and name not in AGENT_METHODS:
            meant = difflib.get_close_matches(name, AGENT_METHODS, n=1, cutoff=NEARLY_THE_SAME)
            if meant:
                raise AgentFileError(
                    reference,
                    f"{type(agent).__name__}.{name} would never be called (did you mean "
                    f"{meant[0]!r}?). Rename it, so that it is a handler or looks like none.",
                )


def _refuse_uncallable(reference: str, agent: object) -> None:
    """Refuse a handler that every call of it would fail in: it is called with two arguments."""
    for name in AGENT_METHODS:
        handler = getattr(agent, name, None)
        if handler is None:
            continue
        told = f"{type(agent).__name__}.{name}"
        event = name.removeprefix("on_")
        remedy = f"Write it as `def {name}(self, {event}, market)`."
        if not callable(handler):
            raise AgentFileError(
                reference, f"{told} is no method: it is of type {type(handler).__name__}. {remedy}"
            )
        try:
            signature = inspect.signature(handler)
        except ValueError:  # what is written in C may not say how it is called
            continue
        try:
            signature.bind(None, None)
        except TypeError:
            raise AgentFileError(
                reference,
                f"{told} is called with the {event} and its market, and cannot take them: without "
                f"`self` it is {name}{signature}. {remedy}",
            ) from None


def _nearest_file(path: Path) -> str:
    folder = path.parent
    return nearest(path.name, [found.name for found in folder.glob("*.py")])


def _run_file(reference: str, path: Path) -> ModuleType:
    name = f"tickreel_agent_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise AgentFileError(reference, f"{path} is no Python file; its name must end in .py.")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise AgentFileError(reference, _told(error, path)) from error
    return module


def _told(error: BaseException, path: Path) -> str:
    """Return what went wrong while the file ran, and at which of its lines."""
    line: int | None = None
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        for step in traceback.extract_tb(error.__traceback__):
            if Path(step.filename) == path:
                line = step.lineno
    where = f"line {line}" if line is not None else "it"
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"the file does not run: {where} raised {type(error).__name__}: {said}"


def _class_in(reference: str, module: ModuleType) -> type:
    name = reference.rpartition(":")[2]
    classes = {
        found: value
        for found, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    wanted = classes.get(name, getattr(module, name, None))
    if wanted is None:
        known = f"It has: {', '.join(classes)}." if classes else "It has no class at all."
        raise AgentFileError(
            reference, f"the file has no class {name!r}{nearest(name, classes)}. {known}"
        )
    if not inspect.isclass(wanted):
        raise AgentFileError(
            reference, f"{name} is no class: it is of type {type(wanted).__name__}."
        )
    return wanted


def _instance(reference: str, agent_class: type, engine: Engine) -> object:
    try:
        arguments = [engine] if _takes_engine(agent_class) else []
        return agent_class(*arguments)
    except (Exception, SystemExit) as error:
        raise AgentFileError(
            reference,
            f"{agent_class.__name__} cannot be made: {type(error).__name__}: {error}\n"
            "Its __init__ is called with nothing, or with the engine where it takes one argument.",
        ) from error


def _takes_engine(agent_class: type) -> bool:
    parameters = inspect.signature(agent_class).parameters.values()
    positional = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    needed = [parameter for parameter in positional if parameter.default is parameter.empty]
    return bool(needed) or any(parameter.name == "engine" for parameter in positional[:1])
