"""The programs that show failures keep their promise: with torch and the student's file alone, each fails on the
submission that it was made for and passes on the solution."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.errors import EngineError
from autograder.output.inert import one_line
from autograder.quality.subjects import Problem, Subject

# A fresh interpreter that knows nothing of the kit. It imports torch once; each program runs in a fork of it.
_RUNNER = """
import json, os, shutil, signal, sys, tempfile
import torch
torch.set_num_threads(1)
order = json.load(sys.stdin)
failed = []
for source, program in order["runs"]:
    folder = tempfile.mkdtemp()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        with open(os.path.join(folder, order["module"] + ".py"), "w", encoding="utf-8") as file:
            file.write(source)
        sys.path.insert(0, folder)
        sys.stdout = sys.stderr = open(os.devnull, "w")
        try:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
        except BaseException:
            os._exit(1)
        os._exit(0)
    failed.append(os.waitpid(child, 0)[1] != 0)
    shutil.rmtree(folder, ignore_errors=True)
print(json.dumps(failed))
"""


@dataclass(frozen=True)
class Shown:
    """A check that a submission failed, and the program that shows it."""

    subject: Subject
    check: str
    program: str


def failed(module: str, runs: Sequence[tuple[str, str]]) -> list[bool]:
    """Whether each program fails beside a file called `module` with that source: pairs of source and program.

    Raises:
        EngineError: nothing can be run here.
    """
    order = json.dumps({"module": module, "runs": runs})
    ran = subprocess.run(
        [sys.executable, "-I", "-c", _RUNNER], input=order, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise EngineError(f"the programs that show failures cannot be run: {one_line(ran.stderr[-300:], 300)}")
    results: list[bool] = json.loads(ran.stdout)
    return results


def problems(module: str, solution: Subject, shown: Sequence[Shown]) -> Iterator[Problem]:
    """Programs that pass where they should fail, or the other way round."""
    theirs = failed(module, [(_source(one.subject), one.program) for one in shown])
    ours = failed(module, [(_source(solution), one.program) for one in shown])
    for one, fails, also in zip(shown, theirs, ours, strict=True):
        which = f"{one.subject.label}: the program for check {one.check}"
        if not fails:
            yield Problem(one.subject.exercise, f"{which} passes, although the check fails")
        if also:
            yield Problem(one.subject.exercise, f"{which} fails on the solution")


def _source(subject: Subject) -> str:
    return "\n".join(cell.source for cell in subject.submission.cells)
