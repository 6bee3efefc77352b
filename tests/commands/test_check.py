"""`autograder check`: what a student sees of the public tests, whatever their code does."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from autograder.commands import check as check_command
from autograder.errors import UsageError
from autograder.selfcheck import places, running
from command_line import ROOT, autograder
from toy_course import write_files

CLASS = ROOT / "examples/pooling"
PUBLIC = ROOT / "assignments/pooling/test_pooling.py"

TESTS = '''\
import pytest
import twice
from torch import tensor
from torch.testing import assert_close


def test_double__one():
    """Twice 1 is 2."""
    assert_close(twice.double(tensor([1.0, 3.0])), tensor([2.0, 6.0]))


def test_double__negative():
    """A negative
    number is a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        twice.double(tensor([-1.0]))


def test_half__six():
    assert twice.half(6) == 3


def test_half__loops():
    """This never ends."""
    twice.half(7)


def test_half__dies():
    """This ends the program."""
    twice.half(8)


def test_square__two():
    """The square of 2 is 4."""
    assert twice.square(2) == 4


def test_cube__two():
    """The cube of 2 is 8."""
    assert twice.cube(2) == 8
'''
TWICE = """\
import os
from helper import shift


def double(x):
    print("x is", x)
    for i in range(30):
        print("step", i)
    return shift(x)


def half(x):
    while x == 7:
        try:
            x = x + 0
        except BaseException:
            pass
    if x == 8:
        os._exit(3)
    return {}[x]


def square(x):
    # YOUR CODE HERE
    raise NotImplementedError()
"""


def check(*arguments: str | Path, cwd: Path = ROOT) -> tuple[int, str]:
    run = autograder("check", *arguments, cwd=cwd)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    (tmp_path / "test_twice.py").write_text(TESTS)
    (tmp_path / "twice.py").write_text(TWICE)
    (tmp_path / "helper.py").write_text("def shift(x):\n    return x + 1\n")
    return tmp_path


@pytest.fixture
def in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TEST_SECONDS", 2.0)
    monkeypatch.setattr(running, "LOAD_SECONDS", 1.0)
    monkeypatch.setenv("COLUMNS", "80")


# --- a class's submissions -------------------------------------------------------------------------------------------


def test_a_perfect_file_under_another_name_passes_all(tmp_path: Path) -> None:
    shutil.copy(CLASS / "ada/pooling.py", tmp_path / "alice_pooling.py")
    code, output = check("--tests", PUBLIC, cwd=tmp_path)
    assert code == 0
    assert output.startswith("Public tests of pooling · alice_pooling.py\n")
    assert "✓   DepthPool                4/4   ████████████\n" in output
    assert output.endswith(
        "All 41 public tests pass. They give no points; the hidden tests check more.\n"
        "Next: try some inputs of your own, then hand in.\n"
    )


def test_a_syntax_error_is_shown_with_its_line() -> None:
    code, output = check(CLASS / "hana/pooling.py")
    assert code == 1
    assert "Your file cannot be loaded, so no tests were run." in output
    assert "  SyntaxError: expected ':'\n    line 19:\n        if kernel_size > h or kernel_size > w\n" in output


def test_a_notebook_goes_on_after_a_cell_that_raised() -> None:
    code, output = check(CLASS / "bela")
    assert code == 0
    assert "These lines raised an error and were left out" in output
    assert "NameError: name 'plt' is not defined\n    cell 15, line 1:\n" in output
    assert "All 41 public tests pass." in output


@pytest.mark.slow
def test_the_skeleton_is_told_what_to_write() -> None:
    code, output = check(ROOT / "assignments/pooling/pooling.py")
    assert code == 1
    assert re.search(r"– Not written yet\n  naive_padding \(line \d+\), naive_pooling", output)
    assert len(output.splitlines()) < 25
    assert "Next: write naive_padding" in output


@pytest.mark.slow
def test_endless_loops_cost_their_own_tests_only(tmp_path: Path) -> None:
    tests = some_tests(tmp_path, "test_pool2d__max", "test_pool2d__unknown_mode", "test_DepthPool__shape")
    code, output = check(CLASS / "fatou", "--tests", tests)
    assert code == 1
    assert re.search(r"⏱   pool2d +1/2 ", output)
    assert "⏱ pool2d / max   timed out\n" in output
    assert "still running after 10 seconds" in output
    assert re.search(r"line \d+, in pool2d:", output)
    assert re.search(r"✓   DepthPool +1/1 ", output)


@pytest.mark.slow
def test_ending_the_process_costs_its_own_tests_only(tmp_path: Path) -> None:
    tests = some_tests(tmp_path, "test_naive_padding__zeros", "test_naive_padding__none", "test_DepthPool__shape")
    code, output = check(CLASS / "lena", "--tests", tests)
    assert code == 1
    assert "✗ naive_padding / zeros, none   ended the program\n" in output
    assert "1 of 3 public tests pass." in output


# --- everything at once, on a small assignment -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("in_short")
def test_each_failure_is_told_in_the_students_terms(twice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_command.run(twice, None) == 1
    output = capsys.readouterr().out
    assert "Your code imports helper.py from its own folder." in output
    table = [line.split()[:3] for line in output.splitlines() if re.search(r"\d/\d", line)]
    assert table == [["✗", "double", "0/2"], ["✗", "half", "0/3"], ["–", "square", "0/1"], ["–", "cube", "0/1"]]
    assert failure(output, "double / one") == (
        "✗ double / one   failed\n"
        "  Twice 1 is 2.\n\n"
        "    assert_close(twice.double(tensor([1.0, 3.0])), tensor([2.0, 6.0]))\n\n"
        "  1 of 2 entries differ, by up to 2 (at index (1,)).\n\n"
        "      Expected: 2  6   ((2,) float32)\n"
        "      Got:      2   4*   ((2,) float32)\n\n"
        "  Printed by your code:\n"
        "    | x is tensor([1., 3.])\n" + "".join(f"    | step {i}\n" for i in range(19)) + "    | … 11 more lines"
    )
    assert failure(output, "double / negative").startswith(
        "✗ double / negative   failed\n"
        "  A negative number is a ValueError.\n\n"
        "    twice.double(tensor([-1.0]))\n\n"
        "  Your code should raise ValueError here, but it returned normally.\n"
    )
    assert failure(output, "half / six") == (
        "✗ half / six   failed\n"
        "  six\n\n"
        "    assert twice.half(6) == 3\n\n"
        "  KeyError: 6\n"
        "    line 20, in half:\n"
        "        return {}[x]"
    )
    loops = failure(output, "half / loops")
    assert loops.startswith("⏱ half / loops   timed out\n  This never ends.\n")
    assert re.search(r"still running after 2 seconds.*line 1[2-6], in half", loops, re.DOTALL)
    assert "Your code ended the whole program (exit code 3)" in failure(output, "half / dies")
    assert "– Not written yet\n  square (line 25)\n\n– Not defined in your file\n  cube\n" in output
    assert output.endswith("Next: fix double, then run `autograder check` again.\n")
    for inside in ("site-packages", "pytest.py", "Traceback", "_pytest"):
        assert inside not in output


def some_tests(folder: Path, *names: str) -> Path:
    """The public tests of pooling, of its functions only those with these names."""
    tree = ast.parse(PUBLIC.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not isinstance(node, ast.FunctionDef) or node.name in names]
    path = folder / "test_pooling.py"
    path.write_text(ast.unparse(tree), encoding="utf-8")
    return path


def failure(output: str, name: str) -> str:
    """The part of `output` on one test."""
    found = re.search(rf"^\S {name}.*?(?=\n\n\S|\Z)", output, re.DOTALL | re.MULTILINE)
    assert found, output
    return found[0]


@pytest.mark.slow
def test_it_needs_nothing_that_windows_lacks(twice: Path) -> None:
    """No SIGALRM, no POSIX modules: a test that hangs is stopped all the same, and a crash shows its line."""
    (twice / "twice.py").write_text(
        "import ctypes\ndef double(x):\n    return ctypes.string_at(0)\ndef half(x):\n    while True:\n        pass\n"
    )
    tests = (
        "import twice\n\ndef test_double__one():\n    twice.double(1)\n\ndef test_half__loops():\n    twice.half(7)\n"
    )
    (twice / "test_twice.py").write_text(tests + "\ndef test_third__two():\n    assert twice\n")
    missing = ("fcntl", "resource", "termios", "grp", "pwd", "landlock", "pyseccomp")
    hide = f"import signal, sys\nsys.modules.update(dict.fromkeys({missing}))\ndel signal.SIGALRM\n"
    script = (
        f"{hide}from autograder.commands import check\nfrom autograder.selfcheck import running\n"
        f"running._START, running.TEST_SECONDS = {hide!r} + running._START, 0.5\n"
        "sys.exit(check.run(None, None))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=twice, capture_output=True, text=True, timeout=120, env=environment
    )
    assert (run.returncode, run.stderr) == (1, "")
    assert re.search(r"double / one .*Segmentation fault.*line 3, in double:", run.stdout, re.DOTALL)
    assert re.search(r"⏱ half / loops   timed out.*line [56], in half:", run.stdout, re.DOTALL)
    assert "1 of 3 public tests pass." in run.stdout


@pytest.mark.usefixtures("in_short")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("while True:\n    pass\n", r"still running after 1 seconds.*line [12]:\n        (while True:|pass)"),
        ("x = 1\nimport os\nos._exit(0)\n", r"It ended the whole program \(exit code 0\)"),
        ("def f():\n    return 1 / 0\nf()\n", r"ZeroDivisionError: division by zero\n    line 3:.*line 2, in f:"),
    ],
    ids=["endless", "exit", "crash"],
)
def test_a_file_that_cannot_be_loaded_says_where(
    twice: Path, capsys: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    (twice / "twice.py").write_text(source)
    assert check_command.run(twice / "twice.py", None) == 1
    output = capsys.readouterr().out
    assert "Your file cannot be loaded, so no tests were run." in output
    assert re.search(message, output, re.DOTALL)


# --- what it is asked to do ------------------------------------------------------------------------------------------


def test_what_cannot_be_checked_is_one_sentence(tmp_path: Path) -> None:
    def sentence(*arguments: str | Path) -> str:
        code, output = check(*arguments, cwd=tmp_path)
        assert code == 2
        assert output.startswith("autograder: ")
        assert output.count("\n") == 1
        return output.removeprefix("autograder: ").strip()

    assert sentence("none.py") == "There is no file or folder none.py."
    assert "no test_<assignment>.py is in" in sentence()
    shutil.copy(PUBLIC, tmp_path)
    assert sentence().startswith("There is no pooling.py or pooling.ipynb in ")
    assert sentence("test_pooling.py") == "test_pooling.py contains the public tests; name your own file instead."
    (tmp_path / "pooling.py").touch()
    (tmp_path / "pooling.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}))
    assert sentence("pooling.ipynb").startswith("pooling.ipynb is not a readable notebook")
    for name in ("my pooling.py", "their pooling.py"):
        (tmp_path / "pooling.py").with_name(name).touch()
        (tmp_path / "pooling.py").unlink(missing_ok=True)
        (tmp_path / "pooling.ipynb").unlink(missing_ok=True)
    assert sentence() == (
        "This folder has my pooling.py and their pooling.py; say which one to check, "
        "for instance `autograder check their pooling.py`."
    )
    (tmp_path / "their pooling.py").rename(tmp_path / "pooling.py")
    (tmp_path / "submission.toml").write_text("files = 3\n")
    assert "Expected `array`, got `int`" in sentence()
    (tmp_path / "submission.toml").unlink()
    (tmp_path / "notes.txt").touch()
    assert sentence("notes.txt").endswith("is not a Python file or a notebook; name your .py or .ipynb file.")
    assert sentence("pooling.py", "--tests", "notes.txt").startswith("notes.txt is not a file of public tests")


def test_tests_that_came_with_a_folder_or_from_another_user_are_not_those_of_the_course(tmp_path, monkeypatch) -> None:
    tests = {"assignments/twice/test_twice.py": TESTS}
    write_files(tmp_path, tests)
    eve = write_files(tmp_path / "eve", {"twice.py": TWICE, **tests})
    monkeypatch.chdir(eve)
    assert places.find(Path(), None).tests == tmp_path / "assignments/twice/test_twice.py"
    if os.geteuid() == 0:
        os.chown(tmp_path / "assignments", 4242, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UsageError, match="belongs to another user"):
        places.find(Path(), None)
    assert places.find(Path(), eve / "assignments/twice").module == "twice"


@pytest.mark.slow
def test_of_file_and_notebook_the_one_that_was_worked_in_is_checked(twice: Path) -> None:
    stub = "def double(x):\n    raise NotImplementedError()\n"
    cell = {"cell_type": "code", "source": "def double(x):\n    return 2 * x\n", "metadata": {}, "outputs": []}
    (twice / "twice.py").write_text(stub)
    (twice / "twice.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]})
    )
    output = " ".join(check(cwd=twice)[1].split())
    assert output.startswith("Public tests of twice · twice.ipynb There are twice.ipynb and twice.py. twice.ipynb was")
    assert "because more of it is written; to test the other, run `autograder check twice.py`." in output
    assert "If you hand in both, twice.ipynb counts." in output


@pytest.mark.parametrize("sources", [("x = 1", "y = 2"), ("raise NotImplementedError()",) * 2])
def test_of_two_that_are_equally_finished_the_one_that_was_changed_last_is_checked(twice: Path, sources) -> None:
    for number, (name, source) in enumerate(zip(("twice.py", "twice.ipynb"), sources, strict=True)):
        (twice / name).write_text(source)
        os.utime(twice / name, (number, number))
    place = places.find(twice, None)
    assert (place.file.name, place.note.count("because it was changed last")) == ("twice.ipynb", 1)
    assert place.note.endswith("the better of the two counts.")
    os.utime(twice / "twice.py", (2, 2))
    assert places.find(twice, None).file.name == "twice.py"


@pytest.mark.slow
def test_files_that_may_be_handed_in_are_no_mistake_not_even_in_a_zip(tmp_path: Path) -> None:
    files = {
        "twice.py": "import pathlib\nimport helper, tools.other\nnumber = int(pathlib.Path('data/n').read_text())\n"
        "double = helper.double\nhalf = lambda x: x / number\n",
        "helper.py": "def double(x):\n    return y\n",
        "tools/other.py": "",
        "data/n": "2",
    }
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"homework/{name}", text)
    write_files(tmp_path / "work", files)
    tests = tmp_path / "test_twice.py"
    tests.write_text(
        TESTS.partition("def test_double__negative")[0] + "def test_half():\n    assert twice.half(6) == 3\n"
    )
    (tmp_path / "submission.toml").write_text('files = ["helper.py", "data/*"]\n')
    _, output = check(tmp_path / "work/twice.py", "--tests", tests)
    assert "Your code imports tools/other.py from its own folder. Only one file" in " ".join(output.split())
    (tmp_path / "submission.toml").write_text('files = ["*.py", "tools/*.py", "data/*"]\n')
    for place in (tmp_path / "work/twice.py", tmp_path / "twice.zip"):
        code, output = check(place, "--tests", tests)
        assert "from its own folder" not in output
        assert "NameError: name 'y' is not defined\n    helper.py, line 2, in double:" in output, (code, output)
        assert "1 of 2 public tests pass." in output


@pytest.mark.parametrize(
    "files", [{"my twice.py", "twice_tools.py"}, {"twice_tools.py", "my_twice.py"}, {"twice_a.py"}]
)
def test_a_file_that_may_lie_beside_the_students_is_not_taken_for_theirs(tmp_path: Path, files: set[str]) -> None:
    write_files(tmp_path, dict.fromkeys(files, "") | {"test_twice.py": "", "submission.toml": 'files = ["twice_*.py"]'})
    place = places.find(tmp_path, None)
    assert place.file.name == next((name for name in files if name.startswith("my")), "twice_a.py")
    with zipfile.ZipFile(tmp_path / "work.zip", "w") as archive:
        for name in (*files, "thrice.py"):
            archive.writestr(name, "")
    write_files(tmp_path, {"test_thrice.py": "", "submission.toml": 'files = ["twice_*.py", "my*.py"]'})
    assert places.find(tmp_path / "work.zip", None).module == "thrice"


def test_broken_public_tests_are_not_the_students_fault(twice: Path) -> None:
    (twice / "test_twice.py").write_text("import twice\nassert twice.half is None\n")
    (twice / "twice.py").write_text(textwrap.dedent("half = 1\n"))
    code, output = check(cwd=twice)
    assert code == 2
    assert output.startswith("autograder: The public tests in ")


@pytest.mark.slow
def test_a_file_for_ipython_is_read_as_a_notebook_and_no_file_of_the_students_is_written(tmp_path: Path) -> None:
    file, tests = tmp_path / "warmup.py", tmp_path / "test_warmup.py"
    written = "%%writefile warmup.py\ndef double(x):\n    return 2 * x\n"
    source = f"# %%\n{written}# %%\nfrom warmup import double as again\n1 / 0\n"
    file.write_text(source)
    tests.write_text(
        "import warmup\n\n\ndef test_double__of_two():\n    assert warmup.double(2) == warmup.again(2) == 4\n"
    )
    code, output = check(file, "--tests", tests)
    assert code == 0, output
    assert "so it was read as a notebook" in output
    assert "ZeroDivisionError: division by zero\n    line 7:\n" in output
    assert file.read_text() == source


def test_torch_is_not_imported_where_it_is_not_used(tmp_path: Path) -> None:
    file, tests = tmp_path / "warmup.py", tmp_path / "test_warmup.py"
    file.write_text("def double(x):\n    return 2 * x\n")
    tests.write_text("import sys\n\n\ndef test_double__alone():\n    assert 'to' 'rch' not in sys.modules\n")
    code, output = check(file, "--tests", tests)
    assert code == 0, output
