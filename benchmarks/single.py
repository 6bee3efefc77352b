"""How long does one submission take, as a whole process, compared with grading it without a sandbox?

Every round runs all commands once, one after the other, in a rotating order; ratios are taken within a round, so a
machine whose speed drifts favours none of them. Prints medians. `python benchmarks/single.py [--rounds N]`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUBMISSION = ROOT / "examples" / "pooling" / "ada" / "pooling.py"
OURS = "autograder grade"
AGAIN = "again, with the reference's answers known"


def commands(folder: Path) -> dict[str, list[str]]:
    python = sys.executable
    graders = str(ROOT / "graders" / "pooling")
    plain = [python, "-m", "pytest", "-q", "-p", "in_process", "-p", "no:cacheprovider", "--rootdir", graders]
    ours = [python, "-m", "autograder", "grade", str(SUBMISSION), "-a", "pooling", "-o", str(folder / "r.json")]
    return {
        OURS: ours,
        AGAIN: ["env", f"AUTOGRADER_CACHE={folder}", *ours],
        "import torch": [python, "-c", "import torch"],
        "plain pytest, same checks in-process": [*plain, "-c", os.devnull, graders],
        "gradescope-utils, same checks in-process": [python, str(ROOT / "benchmarks" / "in_process.py")],
    }


def seconds(command: list[str]) -> float:
    environment = os.environ | {
        "SUBMISSION": str(SUBMISSION),
        "ASSIGNMENT": "pooling",
        "PYTHONPATH": f"{ROOT / 'benchmarks'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "AUTOGRADER_CACHE": "",
    }
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        table = commands(Path(folder))
        names = list(table)
        for name in names:  # once without counting, to get the files into the page cache
            seconds(table[name])
        times: dict[str, list[float]] = {name: [] for name in names}
        for number in range(rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                times[name].append(seconds(table[name]))
    print(f"{rounds} rounds; medians of whole-process wall time, and of the ratio of ours to it within each round\n")
    for name in names:
        ratios = [ours / other for ours, other in zip(times[OURS], times[name], strict=True)]
        spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
        ratio = "" if name == OURS else f"   {OURS} / this = {statistics.median(ratios):.2f}"
        print(f"{name:42} {statistics.median(times[name]):6.2f} s  ({spread}){ratio}")


if __name__ == "__main__":
    main()
