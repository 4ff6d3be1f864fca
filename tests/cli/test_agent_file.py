from __future__ import annotations

from pathlib import Path

import pytest

from book.engine import Engine
from cli.agent_file import load_agent
from cli.errors import AgentFileError
from tests.cli.commands import run

ENGINE = Engine()
ROUGH = Path(__file__).parents[2] / "sample_data" / "rough"


def agent_file(folder: Path, text: str) -> Path:
    path = folder / "my_agent.py"
    path.write_text(text)
    return path


def refused(reference: str) -> str:
    with pytest.raises(AgentFileError) as told:
        load_agent(reference, ENGINE)
    return str(told.value)


def test_an_agent_is_made_without_arguments_where_it_takes_none(tmp_path: Path) -> None:
    path = agent_file(tmp_path, "class Quiet:\n    def on_trade(self, trade, market): ...\n")
    assert type(load_agent(f"{path}:Quiet", ENGINE)).__name__ == "Quiet"


@pytest.mark.parametrize("signature", ["self, engine", "self, anything", "self, engine=None"])
def test_an_agent_that_takes_the_engine_gets_it(tmp_path: Path, signature: str) -> None:
    name = signature.replace("self, ", "").partition("=")[0]
    path = agent_file(
        tmp_path,
        f"class Eager:\n    def __init__({signature}):\n        self.given = {name}\n"
        "    def on_trade(self, trade, market): ...\n",
    )
    agent = load_agent(f"{path}:Eager", ENGINE)
    assert vars(agent) == {"given": ENGINE}


def test_an_agent_can_use_dataclasses_and_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_the_agent.py").write_text("LIMIT = 3\n")
    path = agent_file(
        tmp_path,
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from beside_the_agent import LIMIT\n"
        "@dataclass\nclass Careful:\n    limit: int = LIMIT\n"
        "    def on_book(self, change, market): ...\n",
    )
    assert vars(load_agent(f"{path}:Careful", ENGINE)) == {"limit": 3}


def test_a_file_beside_the_agent_shadows_nothing_of_ours(tmp_path: Path) -> None:
    (tmp_path / "venues.py").write_text("raise AssertionError('shadowed')\n")
    path = agent_file(
        tmp_path,
        "from venues.event import Trade\nclass Own:\n    def on_trade(self, trade, market): ...\n",
    )
    load_agent(f"{path}:Own", ENGINE)


def test_handlers_that_an_agent_subscribes_by_itself_are_enough(tmp_path: Path) -> None:
    path = agent_file(
        tmp_path,
        "from venues.event import Trade\n"
        "class Own:\n    def __init__(self, engine):\n        engine.on(Trade, print)\n",
    )
    assert type(load_agent(f"{path}:Own", Engine())).__name__ == "Own"


def test_a_reference_without_a_class_is_told_how_it_is_written() -> None:
    assert "my_agent.py:MyAgent" in refused("my_agent.py")


def test_a_missing_file_is_told_of_its_nearest(tmp_path: Path) -> None:
    agent_file(tmp_path, "")
    text = refused(f"{tmp_path}/my_agnt.py:Agent")
    assert "there is no file" in text
    assert "did you mean 'my_agent.py'?" in text


def test_a_missing_class_is_told_of_its_nearest(tmp_path: Path) -> None:
    path = agent_file(tmp_path, "class Imbalance:\n    def on_trade(self, trade, market): ...\n")
    assert "no class 'Imbalanse' (did you mean 'Imbalance'?)" in refused(f"{path}:Imbalanse")
    assert "It has: Imbalance." in refused(f"{path}:Other")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ny = x +\n", "line 2 raised SyntaxError"),
        ("x = 1\n\nraise ValueError('no keys')\n", "line 3 raised ValueError: no keys"),
        ("import no_such_module_at_all\n", "line 1 raised ModuleNotFoundError"),
        ("import sys\nsys.exit('enough')\n", "line 2 raised SystemExit: enough"),
        ("Agent = 3\n", "Agent is no class: it is of type int"),
        ("class Agent: ...\n", "Agent has no handler. Give it one or more of: on_snapshot"),
        (
            "class Agent:\n    def on_trades(self, t, m): ...\n    def on_book(self, b, m): ...\n",
            "Agent.on_trades would never be called (did you mean 'on_trade'?)",
        ),
        (
            "class Agent:\n    def on_trade(self, trade): ...\n",
            "Agent.on_trade is called with the trade and its market, and cannot take them: "
            "without `self` it is on_trade(trade). Write it as `def on_trade(self, trade, market)`",
        ),
        ("class Agent:\n    def on_trade(trade, market): ...\n", "it is on_trade(market)."),
        ("class Agent:\n    async def on_book(self, b, m, *, depth): ...\n", "(b, m, *, depth)"),
        (
            "class Agent:\n    on_quote = 3\n    def on_book(self, b, m): ...\n",
            "Agent.on_quote is no method: it is of type int. Write it as `def on_quote(self",
        ),
        (
            "class Agent:\n    def __init__(self, engine): engine.on('trade', print)\n",
            "an engine never tells of 'trade' (did you mean 'Trade'?)",
        ),
        (
            "class Agent:\n    def __init__(self, a, b): ...\n    def on_trade(self, t, m): ...\n",
            "Agent cannot be made: TypeError",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_why(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(f"{agent_file(tmp_path, text)}:Agent")


def test_methods_of_an_agents_own_may_begin_as_a_handlers_does(tmp_path: Path) -> None:
    text = "class Agent:\n    def on_fill(self): ...\n    def on_trade(self, trade, market): ...\n"
    assert load_agent(f"{agent_file(tmp_path, text)}:Agent", Engine())


@pytest.mark.parametrize(
    "written",
    [
        "def on_trade(self, *anything): ...",
        "def on_trade(self, trade, market, size=1): ...",
        "async def on_trade(self, trade, market): ...",
        "@staticmethod\n    def on_trade(trade, market): ...",
        "on_book = None\n    on_trade = lambda self, trade, market: None",
        "on_trade = max",
    ],
)
def test_a_handler_that_takes_an_event_and_its_market_is_taken_however_it_is_written(
    tmp_path: Path, written: str
) -> None:
    path = agent_file(tmp_path, f"class Agent:\n    {written}\n")
    assert load_agent(f"{path}:Agent", Engine())


@pytest.mark.parametrize(("raises_after", "code", "detached"), [(0, 1, True), (10**9, 0, False)])
def test_a_replay_whose_agent_did_not_live_to_the_end_does_not_look_like_one_that_did(
    tmp_path: Path, raises_after: int, code: int, detached: bool
) -> None:
    text = (
        "class Agent:\n    seen = 0\n    def on_trade(self, trade, market):\n"
        f"        self.seen += 1\n        assert self.seen <= {raises_after}\n"
    )
    agent = f"{agent_file(tmp_path, text)}:Agent"
    done = run("replay", str(ROUGH), "--agent", agent, "--json")
    assert done.code == code, done.err
    assert done.json["agent_detached"] is detached
