"""docs/architecture.md describes the engine as it is: its floors, its files, and imports that only point downwards."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "autograder"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST_LINES, MOST_AT_THE_TOP = 400, 10

MODULES = {
    ".".join(("autograder", *path.relative_to(ENGINE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ENGINE.rglob("*.py"))
}


def imported(path: Path) -> set[str]:
    """The modules of the engine that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograder"):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
    return found


def room_of(module: str) -> str:
    """The entry of autograder/ that a module belongs to; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def floors() -> dict[str, int]:
    """The floor of each room, as the page draws it."""
    lines = re.findall(r"^floor (\d+) +(.+)$", PAGE, re.MULTILINE)
    return {room: int(number) for number, rooms in lines for room in rooms.split()}


IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def test_the_page_names_every_room_once_in_the_picture_and_once_in_the_table():
    rooms = {room_of(name) for name in MODULES} - {"", "__main__"}
    assert floors().keys() == rooms
    table = re.findall(r"^\| `(\w+)/?` \|", PAGE, re.MULTILINE)
    assert sorted(table) == sorted(rooms)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_its_own_room_and_from_floors_below(name):
    room, floor = room_of(name), floors()
    if room in ("", "__main__"):  # the package's face, which starts what it is asked for
        return
    upwards = {
        other for other in IMPORTS[name] if room_of(other) not in ("", room) and floor[room_of(other)] >= floor[room]
    }
    assert not upwards


def test_modules_do_not_import_each_other_in_a_circle():
    waiting = {name: {other for other in others if other != name} for name, others in IMPORTS.items()}
    while free := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in free:
            del waiting[name]
    assert not waiting


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_short_and_says_what_it_is_for(name):
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text)), f"{name} has no docstring"


def test_few_files_lie_beside_the_packages():
    files = [path for path in ENGINE.iterdir() if path.is_file()]
    assert len(files) <= MOST_AT_THE_TOP


def test_the_sandbox_knows_nothing_about_courses_jobs_or_points():
    known = {room_of(other) for name in MODULES if room_of(name) == "sandbox" for other in IMPORTS[name]}
    assert known <= {"", "sandbox", "submissions", "errors"}


@pytest.mark.parametrize("file", sorted(set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)\b", PAGE))))
def test_the_files_that_the_page_names_exist(file):
    assert (ENGINE / file).exists() or (ROOT / file).exists()
