"""How long does a class take? 200 varied submissions of one assignment, compared with other ways to grade them.

`python benchmarks/batch.py [--submissions N] [--jobs N]`. The class is 40 % right, 55 % wrong (each known misconception
in turn) and 5 % hanging (an endless loop in one exercise); no two files are the same. In one run it is graded

- by `autograder batch`;
- by the same command without warming up, so that examples and the reference's outcomes are made for each (a);
- by plain pytest on the same checks, one process per submission and no isolation (b);
- by stock `nbgrader autograde`, with test cells that only check that each function exists: kernel, import and
  bookkeeping alone, in its favour (c).

Forward passes are not timed, because none of the others times them. The others are given a sample of the ordinary
submissions. Prints seconds per submission and core.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from spent import measured

from autograder.batch.store import Store
from autograder.course import load_assignment
from autograder.quality.verification import SKELETON, SOLUTION, Verification

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = load_assignment(ROOT, "pooling")
WITHOUT_WARM_UP = "from autograder.engine.client import Engine; Engine.warm_up = lambda *_: None; "
COMMAND = "from autograder.cli import main; main()"
HANG = "\n\ndef {name}(*args, **kwargs):\n    while True:\n        pass\n"


def make_class(folder: Path, count: int) -> dict[str, list[str]]:
    """Writes the submissions and returns their names by kind."""
    subjects = Verification(ASSIGNMENT).subjects()
    sources = {subject.label: "".join(cell.source for cell in subject.submission.cells) for subject in subjects}
    right = sources[SOLUTION]
    wrong = [source for label, source in sources.items() if label not in (SOLUTION, SKELETON)]
    random.Random(0).shuffle(wrong)
    kinds = ["right"] * (count * 40 // 100) + ["hanging"] * (count * 5 // 100)
    kinds += ["wrong"] * (count - len(kinds))
    random.Random(1).shuffle(kinds)
    names: dict[str, list[str]] = {kind: [] for kind in ("right", "wrong", "hanging")}
    for number, kind in enumerate(kinds):
        name = f"student{number:04}"
        source = right
        if kind == "wrong":
            source = wrong[len(names[kind]) % len(wrong)]
        elif kind == "hanging":
            source += HANG.format(name=list(ASSIGNMENT.exercises)[len(names[kind]) % 5])
        names[kind].append(name)
        (folder / name).mkdir(parents=True)
        (folder / name / ASSIGNMENT.file_names[0]).write_text(f"{source}\n# {name}\n")
    return names


def batch(class_: Path, out: Path, jobs: int, only: Sequence[str] = (), *, warm_up: bool = True) -> None:
    prelude = "" if warm_up else WITHOUT_WARM_UP
    command = [sys.executable, "-c", prelude + COMMAND, "batch", str(class_), "-a", ASSIGNMENT.slug, "-o", str(out)]
    command += ["--no-timing", "--jobs", str(jobs), *(part for name in only for part in ("--only", name))]
    run(command, os.environ | {"PYTHONPATH": str(ROOT), "AUTOGRADER_CACHE": f"{out}-archive" if warm_up else ""})


def plain_pytest(file: Path) -> None:
    graders = str(ASSIGNMENT.graders)
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "in_process", "-p", "no:cacheprovider", "--timeout", "60"]
    environment = os.environ | {
        "SUBMISSION": str(file),
        "ASSIGNMENT": ASSIGNMENT.slug,
        "PYTHONPATH": f"{ROOT / 'benchmarks'}{os.pathsep}{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    run([*plain, "--rootdir", graders, "-c", os.devnull, graders], environment, codes=(0, 1))


def nbgrader(class_: Path, names: list[str], folder: Path) -> Cost:
    """The cost of `nbgrader autograde`; making the course is not counted."""
    slug = ASSIGNMENT.slug

    def notebook(code: str) -> str:
        cells = [nbformat.v4.new_code_cell(code)]
        cells += [nbformat.v4.new_code_cell(f"assert callable({name})") for name in ASSIGNMENT.exercises]
        for number, cell in enumerate(cells):
            cell.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": f"cell{number}",
                "grade": number > 0,
                "solution": number == 0,
                "locked": number > 0,
                "task": False,
                **({"points": 1} if number else {}),
            }
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=kernel))

    places = {folder / "source" / slug: "### BEGIN SOLUTION\npass\n### END SOLUTION"}
    for name in names:
        places[folder / "submitted" / name / slug] = (class_ / name / ASSIGNMENT.file_names[0]).read_text()
    for place, code in places.items():
        place.mkdir(parents=True)
        (place / f"{slug}.ipynb").write_text(notebook(code))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
    nb = [sys.executable, "-m", "nbgrader"]
    run([*nb, "generate_assignment", slug], environment, cwd=folder)
    with cost_of(len(names)) as cost:
        run([*nb, "autograde", slug], environment, cwd=folder)
    return cost


def run(command: list[str], environment: dict[str, str], *, cwd: Path = ROOT, codes: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(command)[:500]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@dataclass
class Cost:
    """Of some submissions, in seconds."""

    count: int
    wall: float = 0.0
    processor: float = 0.0

    def line(self, label: str, jobs: int, ours: Cost | None = None) -> str:
        wall, processor = self.wall * jobs / self.count, self.processor / self.count
        text = f"{label:45} {wall:8.3f} s wall {processor:8.3f} s processor"
        if ours is None:
            return text
        by_wall, by_processor = wall / (ours.wall * jobs / ours.count), processor / (ours.processor / ours.count)
        return f"{text}   {by_wall:6.1f} × {by_processor:6.1f} ×"


@contextmanager
def cost_of(count: int) -> Iterator[Cost]:
    cost = Cost(count)
    with measured() as spent:
        yield cost
    cost.wall, cost.processor = spent.wall, spent.processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=10, help="submissions that the slower ways are given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, jobs = Path(place), options.jobs
        class_, out = folder / "class", folder / "out"
        names = make_class(class_, options.submissions)
        ordinary = names["right"] + names["wrong"]
        with cost_of(len(ordinary)) as ours:
            batch(class_, out, jobs, ordinary)
        with cost_of(max(len(names["hanging"]), 1)) as hanging:
            batch(class_, out, jobs)  # continues with the rest
        with cost_of(options.submissions) as again:
            batch(class_, out, jobs)
        store = Store(out)
        spent = {found.name: record.seconds for found, record in store.records(store.roll()) if record}
        # A hanging submission costs its time limits whatever grades it, so the sample has only ordinary ones.
        half = options.sample // 2
        sample = names["right"][:half] + names["wrong"][: options.sample - half]
        with cost_of(len(sample)) as without_warm_up:
            batch(class_, folder / "a", jobs, sample, warm_up=False)
        with cost_of(len(sample)) as plain, ThreadPoolExecutor(jobs) as pool:
            list(pool.map(plain_pytest, [class_ / name / ASSIGNMENT.file_names[0] for name in sample]))
        stock = nbgrader(class_, sample, folder / "nbgrader")
    whole = ours.wall + hanging.wall
    print(f"{options.submissions} submissions of {ASSIGNMENT.slug}, {jobs} at a time on {os.cpu_count()} processors\n")
    print(f"The whole class: {whole:.0f} s, {options.submissions / whole:.2f} submissions a second (two starts)")
    print(f"  {ours.count} ordinary: {ours.wall:.0f} s, {ours.count / ours.wall:.2f} a second, with start and warm-up")
    print(f"  {len(names['hanging'])} hanging: {hanging.wall:.0f} s")
    print(f"  again, with nothing changed: {again.wall:.1f} s")
    for kind, members in names.items():
        if members:
            print(f"  a judge's seconds, {kind:8} {statistics.median(spent[name] for name in members):7.3f} (median)")
    print(f"\nPer submission and core; × is the ratio to the first line, by wall and processor time; n = {len(sample)}")
    print(ours.line("autograder batch (target 0.25)", jobs))
    print(without_warm_up.line("(a) the same without warming up", jobs, ours))
    print(plain.line("(b) plain pytest, a process each", jobs, ours))
    print(stock.line("(c) stock nbgrader autograde, empty tests", 1, ours))


if __name__ == "__main__":
    main()
