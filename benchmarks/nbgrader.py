"""How long does a class of notebooks take: stock nbgrader, nbgrader with our grading, and our own command?

Stock nbgrader runs the notebooks with its own `Execute`; its hidden test cells compare with the reference in plain
asserts, on as many examples as our graders use. No two notebooks are identical. Every figure is the wall time of a
whole command divided by the number of notebooks. Stock nbgrader cannot time forward passes, so ours does not either,
except in the last line. Nothing hangs in this class: each endless loop would cost the stock way another 30 s per cell.

`python benchmarks/nbgrader.py [--notebooks N]` needs the extra `nbgrader`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from spent import measured

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SLUG = "pooling"
MARKER = " SOLUTION"
TARGETS = {"nbgrader": 5, "batch": 15}

# One example of each exercise: what is asked of the student's code (s) and of the reference (r).
QUESTIONS = {
    "naive_padding": ("image = torch.randn(5, 6)", "{}.naive_padding(image, 2)"),
    "naive_pooling": ("image = torch.randn(6, 7)", "{}.naive_pooling(image, 3, 2, 1)"),
    "pool2d": ("image = torch.randn(6, 7)", "{}.pool2d(image, (2, 3))"),
    "max_pool_2d": ("images = torch.randn(2, 3, 8, 8)", "{}.max_pool_2d(images, 2, 2)"),
    "avg_pool_2d": ("images = torch.randn(2, 3, 8, 8)", "{}.avg_pool_2d(images, 2, 2)"),
    "GlobalAveragePooling": ("images = torch.randn(2, 3, 5, 5)", "{}.GlobalAveragePooling()(images)"),
    "DepthPool": ("images = torch.randn(2, 4, 5, 5)", "{}.DepthPool(2)(images)"),
    "MixedPooling": ("images = torch.randn(2, 3, 6, 6)", "{}.MixedPooling(2, 2)(images)"),
    "LPPooling": ("images = torch.rand(2, 3, 6, 6)", "{}.LPPooling(2, 2)(images)"),
    "StochasticPooling": ("images = torch.rand(2, 3, 6, 6)", "{}.StochasticPooling(2, 2).eval()(images)"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", type=int, default=20)
    count = parser.parse_args().notebooks
    with tempfile.TemporaryDirectory(prefix="autograder-benchmark-") as name:
        folder = Path(name).resolve()
        ours, stock = course(folder / "ours"), stock_course(folder / "stock")
        students = [f"student{number:02}" for number in range(count)]
        for number, student in enumerate(students):
            for root in (ours, stock):
                book = answered(json.loads((root / f"assignments/{SLUG}/{SLUG}.ipynb").read_text()), number)
                write(root / f"submitted/{student}/{SLUG}/{SLUG}.ipynb", json.dumps(book))
        stock_way = ["nbgrader", "autograde", SLUG, "--force"]
        autograde = [*stock_way, "--Grade.timing=False"]
        times = {
            "stock nbgrader": seconds(stock, stock_way),
            "nbgrader with our grading": seconds(ours, autograde, afresh=True),
            "  again, with the reference's answers known": seconds(ours, autograde),
            "  nbgrader itself": seconds(ours, [*autograde, "--Grade.enabled=False"]),
            "  without showing the cells": seconds(ours, [*autograde, "--Grade.run_cells=False"]),
            "  a command with nothing to do": seconds(ours, ["nbgrader", "autograde", SLUG]),
        }
        own = own_command(ours, folder / "results")
        times[f"autograder {own[1]}"] = seconds(ours, own, afresh=True)
        times["  again, with the reference's answers known "] = seconds(ours, [*own, "--force"])
        times["  nbgrader, forward passes timed"] = seconds(ours, stock_way)
    report(times, count)


class Times(NamedTuple):
    """Wall time and processor time in seconds: if other work disturbs, processor time says more."""

    wall: float
    processor: float


def report(times: dict[str, Times], count: int) -> None:
    print(f"{count} notebooks of {SLUG} on {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}\n")
    first = times["stock nbgrader"]
    print(f"{'seconds per notebook':46}{'wall':>8}{'processor':>12}")
    for name, taken in times.items():
        ratio = (
            f"   1/{first.wall / taken.wall:.1f} of stock, in processor time 1/{first.processor / taken.processor:.1f}"
        )
        shown = "" if taken == first or (name.startswith(" ") and "again" not in name) else ratio
        print(f"{name:46}{taken.wall / count:8.2f}{taken.processor / count:12.2f}{shown}")
    whole, bare, unseen, idle = [taken.processor for taken in list(times.values())[2:6]]
    print("\nWhere the processor time of nbgrader with our grading goes, per notebook:")
    for name, part in (
        ("starting the command", idle),
        ("nbgrader reading, checking, writing, its gradebook", bare - idle),
        ("showing the cells", whole - unseen),
        ("grading (including the engine's start)", unseen - bare),
    ):
        print(f"  {name:52} {part / count:6.2f} s")
    print(f"\nTargets: 1/{TARGETS['nbgrader']} through nbgrader, 1/{TARGETS['batch']} through our own command.")


def own_command(root: Path, results: Path) -> list[str]:
    """`autograder batch` if it exists, else `autograder grade` on all of them."""
    if subprocess.run([sys.executable, "-m", "autograder", "batch", "--help"], capture_output=True).returncode == 0:
        return ["autograder", "batch", str(root / "submitted"), "-a", SLUG, "-o", str(results), "--no-timing"]
    folders = sorted(str(path) for path in (root / "submitted").iterdir())
    return ["autograder", "grade", *folders, "-a", SLUG, "-o", str(results), "-q", "--no-timing"]


def seconds(root: Path, command: list[str], *, afresh: bool = False) -> Times:
    """What a command took, including every process that it started; `afresh`: as if it were the first run."""
    archive = root / "archive"
    if afresh:
        shutil.rmtree(archive, ignore_errors=True)
    program = [str(BIN / command[0])] if command[0] == "nbgrader" else [sys.executable, "-m", command[0]]
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = os.environ | {
        "AUTOGRADER_CACHE": str(archive),
        "PYTHONPATH": path,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    with measured() as spent:
        done = subprocess.run([*program, *command[1:]], cwd=root, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return Times(spent.wall, spent.processor)


def course(root: Path) -> Path:
    """Our course: one assignment of this repository."""
    for part in ("graders", "solutions", "assignments"):
        shutil.copytree(ROOT / part / SLUG, root / part / SLUG, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", root)
    seconds(root, ["nbgrader", "generate_assignment", SLUG])
    return root


def stock_course(root: Path) -> Path:
    """The same notebook for unmodified nbgrader, with hidden asserts in the test cells."""
    book = json.loads((ROOT / f"solutions/{SLUG}/{SLUG}.ipynb").read_text())
    lines = (ROOT / f"solutions/{SLUG}/{SLUG}.py").read_text().splitlines()
    solution = "\n".join(line for line in lines if MARKER not in line)
    first = True
    for cell in book["cells"]:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("grade"):
            cell["source"] = hidden_tests(mark["grade_id"].removeprefix("test_"), solution if first else "")
            first = False
        elif mark.get("grade_id") == "setup":
            cell["source"] = "pass"
    write(root / f"solutions/{SLUG}/{SLUG}.ipynb", json.dumps(book))
    write(
        root / "nbgrader_config.py",
        "c = get_config()\nc.CourseDirectory.source_directory = 'solutions'\n"
        "c.CourseDirectory.release_directory = 'assignments'\n",
    )
    seconds(root, ["nbgrader", "generate_assignment", SLUG])
    return root


def hidden_tests(exercise: str, solution: str) -> str:
    """Asserts on as many examples as our graders use for this exercise; the first cell also defines the reference."""
    checks = 0
    for path in (ROOT / "graders" / SLUG).glob("test_*.py"):
        text = path.read_text()
        tested = [name for name in QUESTIONS if f'"{name}"' in text]
        if exercise in tested:
            functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
            checks += sum(name.startswith("test_") for name in functions) // len(tested)
    make, ask = QUESTIONS[exercise]
    lines = ["### BEGIN HIDDEN TESTS"]
    if solution:
        lines += ["import types, torch", "r = types.ModuleType('reference')", f"exec({solution!r}, r.__dict__)"]
    lines += [
        "s = types.SimpleNamespace(**globals())",
        f"for _ in range({checks} * 20):",
        f"    {make}",
        f"    torch.testing.assert_close({ask.format('s')}, {ask.format('r')})",
        "### END HIDDEN TESTS",
    ]
    return "\n".join(lines)


def answered(released: dict[str, Any], number: int) -> dict[str, Any]:
    """The released notebook with the solution in it; every third student leaves one exercise out."""
    book = copy.deepcopy(released)
    solved = json.loads((ROOT / f"solutions/{SLUG}/{SLUG}.ipynb").read_text())
    sources = {
        cell["id"]: "".join(line for line in cell["source"] if "SOLUTION" not in line) for cell in solved["cells"]
    }
    names = list(QUESTIONS)
    left_out = names[number % len(names)] if number % 3 == 2 else ""
    for cell in book["cells"]:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("solution") and mark["grade_id"] != left_out:
            cell["source"] = f"# {number}\n{sources[mark['grade_id']]}"
    return book


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    main()
