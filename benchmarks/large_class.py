"""10,000 synthetic results through `grades.csv` and `autograder report`: time and peak memory of each.

`python benchmarks/large_class.py [--submissions N]`. Each result has as many checks as `pooling`, and a third of them
failed with a counterexample; 200 results are different, the others are copies. Each step runs in its own process, whose
peak memory is compared with that of a class a tenth of the size: the remaining cost per submission is the table's row.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autograder.batch import gradebook
from autograder.batch.contents import Graded
from autograder.batch.discovery import Found, Student
from autograder.batch.store import Roll, Store, record_of
from autograder.course import load_assignment
from autograder.results.model import CheckResult, Counterexample, ExerciseResult, Result, Shown, State, Status

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = load_assignment(ROOT, "pooling")
CHECKS = 95
DIFFERENT = 200
MATRIX = "\n".join("  ".join(f"{i * j - 7.25:6.4g}" for j in range(4)) for i in range(4))
EXAMPLE = Counterexample(
    "naive_pooling(feature_map, kernel_size=2, strides=1, padding=1)",
    (Shown("feature_map", "4×4 float32", MATRIX),),
    Shown("expected", "4×4 float32", MATRIX),
    Shown("got", "4×4 float32", MATRIX.replace("-7.25", "0*")),
)


def result(number: int, label: str) -> Result:
    draw = random.Random(number)
    skill = draw.betavariate(4, 2)
    share = CHECKS // len(ASSIGNMENT.exercises)
    exercises = []
    for name, points in ASSIGNMENT.exercises.items():
        checks = []
        for index in range(share):
            passed = draw.random() < skill
            most = points / share
            failed = {"message": "4 of 4 entries differ.", "hint": "Look at the border.", "counterexample": EXAMPLE}
            checks.append(
                CheckResult(
                    name,
                    f"check_{index}",
                    "Max pooling with padding equals the reference, even where all numbers are negative.",
                    Status.PASSED if passed else Status.FAILED,
                    most,
                    most if passed else 0.0,
                    misconception="" if passed else f"mistake_{index}",
                    seconds=0.01,
                    **({} if passed else failed),
                )
            )
        exercises.append(ExerciseResult(name, points, tuple(checks)))
    log = ("confinement without nothing: " + "x" * 200,)
    seconds = draw.expovariate(2)
    return Result(ASSIGNMENT.slug, ASSIGNMENT.title, label, State.GRADED, tuple(exercises), log=log, seconds=seconds)


def synthesise(out: Path, count: int) -> None:
    """Writes `DIFFERENT` results, and copies of their files for all others."""
    labels = [f"Student {number:05}" for number in range(count)]
    found = tuple(Found(f"s{number}", label, "/nowhere", (Student(label),)) for number, label in enumerate(labels))
    with Store(out) as store:
        store.call(Roll(ASSIGNMENT.slug, ASSIGNMENT.title, ASSIGNMENT.exercises, found))
        for number, each in enumerate(found[:DIFFERENT]):
            store.adopt(each, record_of(result(number, each.label), "fingerprint", Graded("pooling.py")))
    for folder in (out, out / ".autograder" / "records"):
        for number in range(DIFFERENT, count):
            shutil.copyfile(folder / f"s{number % DIFFERENT}.json", folder / f"s{number}.json")


def grades(out: Path) -> None:
    gradebook.write(Store(out))


def report(out: Path) -> None:
    from autograder.commands import report

    report.run(out, feedback=False)


def report_with_feedback(out: Path) -> None:
    from autograder.commands import report

    report.run(out)


def measured(step: Callable[[Path], None], out: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the peak, of `step` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=_measure, args=(step, out, queue))
    process.start()
    process.join()
    return queue.get()


def _measure(step: Callable[[Path], None], out: Path, queue: object) -> None:
    started = time.perf_counter()
    step(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((time.perf_counter() - started, peak))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=10_000)
    count = parser.parse_args().submissions
    rows = []
    for size in (count // 10, count):
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "out"
            synthesise(out, size)
            stored = sum(path.stat().st_size for path in out.rglob("*.json")) / 2**20
            # Feedback is written page by page: a tenth of the class shows what one page takes.
            for step in (grades, report, report_with_feedback)[: 3 if size < count else 2]:
                seconds, peak = measured(step, out)
                rows.append((size, stored, step.__name__.replace("_", " "), seconds, peak))
            rows.append((size, stored, "report.html", (out / "report.html").stat().st_size / 2**20, 0.0))
            shutil.rmtree(out)
    for size, stored, name, figure, peak in rows:
        if name == "report.html":
            print(f"{size:6} results: report.html takes {figure:.1f} MB; the results take {stored:.0f} MB")
        else:
            print(f"{size:6} results: {name:22} {figure:7.1f} s   {peak:6.0f} MB at the peak")


if __name__ == "__main__":
    main()
