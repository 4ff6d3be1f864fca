"""What holds for the whole project: who imports whom, what is said of it, how long a file is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.command_group import COMMANDS
from cli.command_line import tickreel

ROOT = Path(__file__).parents[1]
PACKAGES = ("venues", "recorder", "book", "replay", "cli")
MAY_IMPORT = {
    "venues": set(),
    "recorder": {"venues"},
    "book": {"venues"},
    "replay": {"venues", "recorder", "book"},
    "cli": {"venues", "recorder", "book", "replay"},
}
LINES_MAX = 400
TEST_LINES_MAX = 500
WORDLESS_NAMES = {
    "utils",
    "helpers",
    "common",
    "base",
    "core",
    "misc",
    "types",
    "manager",
    "handler",
}
AMBIENT = {"time", "random", "secrets", "socket", "asyncio.subprocess", "subprocess", "threading"}


def sources(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            yield node.module or ""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_before_it(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(package)
        for module in imported(path)
        if module.partition(".")[0] in PACKAGES and module.partition(".")[0] not in allowed
    ]
    assert wrong == []


def all_imported(module: str, seen: set[str]) -> set[str]:
    """Return what a module of ours imports, and what that imports, as far as it is ours."""
    if module not in seen and module.partition(".")[0] in PACKAGES:
        seen.add(module)
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        for each in imported(path) if path.is_file() else ():
            if each.partition(".")[0] in PACKAGES:
                all_imported(each, seen)
            else:
                seen.add(each.partition(".")[0])
    return seen


def test_replay_knows_of_the_recorder_only_its_format() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}, which can connect"
        for path in sources("replay")
        for module in imported(path)
        if module.partition(".")[0] == "recorder"
        and {"websockets", "ssl", "socket", "asyncio"} & all_imported(module, set())
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["venues", "book"])
def test_what_must_be_deterministic_reads_no_clock_and_opens_nothing(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(package)
        for module in imported(path)
        if module in AMBIENT
    ]
    assert wrong == []


def test_nobody_outside_venues_asks_for_a_venue_by_its_name() -> None:
    from venues.registry import venues

    names = set(venues())
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("recorder", "book", "replay", "cli")
        for path in sources(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant) and side.value in names
    ]
    assert wrong == []


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "examples"])
def test_no_file_is_too_long_or_named_for_nothing(package: str) -> None:
    lines_max = TEST_LINES_MAX if package == "tests" else LINES_MAX
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources(package)
        if len(path.read_text().splitlines()) > lines_max or path.stem in WORDLESS_NAMES
    ]
    assert wrong == []


def test_every_package_says_what_it_is() -> None:
    for package in PACKAGES:
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        assert ast.get_docstring(tree), f"{package}/__init__.py has no docstring"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_of_a_package_names_each_of_its_files(package: str) -> None:
    folder = ROOT / package
    mapped = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    named = {word for quoted in re.findall(r"`([^`]*)`", mapped) for word in quoted.split()}
    assert {path.stem for path in folder.glob("*.py")} - named - {"__init__"} == set()


def test_the_changelog_begins_with_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    latest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert latest is not None
    assert latest[1] == version


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_and_is_in_the_readme(name: str) -> None:
    command = tickreel.get_command(click.Context(tickreel), name)
    assert command is not None
    assert command.name == name
    assert command.help
    assert command.get_short_help_str(200) == COMMANDS[name].short_help
    undocumented = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert undocumented == []
    assert f"`{name}`" in (ROOT / "README.md").read_text()


def test_help_loads_nothing_that_takes_time() -> None:
    heavy = (
        "{'pyarrow', 'websockets', 'rich', 'asyncio', 'zstandard', 'book', 'recorder', 'replay'}"
    )
    code = (
        "import sys\n"
        "from cli.__main__ import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code\n"
        f"print({heavy} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "set()"
    for name in COMMANDS:
        assert name in done.stdout
