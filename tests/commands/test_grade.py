"""`autograder grade` as an instructor types it."""

from __future__ import annotations

import json
import shutil

import pytest

from autograder.commands import grade
from autograder.engine import client
from autograder.errors import EngineError
from autograder.jobs import Job
from autograder.results import terminal
from autograder.results.model import CheckResult, ExerciseResult, Result, State, Status
from command_line import ROOT, autograder
from corpus import course
from toy_course import toy_course, write_files

EXAMPLES = ROOT / "examples" / "pooling"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere/pooling.py"], "There is no file or folder /nowhere/pooling.py."),
        ([EXAMPLES / "ada", "-a", "nope"], "There is no assignment 'nope'"),
        ([ROOT / "docs", "-o", "x.json"], "looked for architectures.py, architectures.ipynb"),
        ([EXAMPLES / "ada", "-o", "/nowhere/x.json"], "there is no folder /nowhere"),
        ([EXAMPLES / "ada", "--device", "cuda"], "--device cuda"),
        ([EXAMPLES / "ada", EXAMPLES / "ada", "-o", "{tmp}"], "Two submissions are called ada"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_sentence_and_exit_code_2(tmp_path, arguments, words):
    done = autograder("grade", *(str(argument).replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_folder_without_the_file_gets_no_points_and_is_told_which_file_was_looked_for(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    done = autograder("grade", tmp_path, "-a", "pooling", "-o", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    assert (done.returncode, result["score"]) == (0, 0)
    assert "No file named pooling.py or pooling.ipynb" in result["output"]


def test_the_assignment_is_told_by_the_files_name_and_the_result_has_every_exercise(tmp_path):
    done = autograder("grade", EXAMPLES / "emil" / "pooling.py", "-o", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    assert done.returncode == 0
    assert result["extra_data"]["assignment"] == "pooling"
    assert result["extra_data"]["exercises"]["naive_pooling"] == {"score": 17.5, "max_score": 22.0}
    assert {test["extra_data"]["exercise"] for test in result["tests"]} == set(result["extra_data"]["exercises"])
    assert "Which number can never win a maximum?" in " ".join(done.stdout.split())
    for secret in (str(ROOT), "same_outcome", "lambda", "graders/"):
        assert secret not in json.dumps(result)


def test_a_quiet_run_prints_nothing(tmp_path):
    course(tmp_path)
    (tmp_path / "warmup.py").write_text("def double(x):\n    return 3 * x\n")
    done = autograder("grade", tmp_path / "warmup.py", "-q", "-o", tmp_path / "r.json", "--course", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "r.json").read_text())["score"] == 0


def test_without_ipython_no_notebook_is_graded_in_another_way(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EngineError, match="install ipython"):
        client.Engine().start()


class Grades:
    """In the engine's place: gives everyone the same result."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> Grades:
        return self

    def __exit__(self, *_: object) -> None: ...

    def warm_up(self, _: object) -> None: ...

    def grade(self, job: Job) -> Result:
        check = CheckResult("naive_padding", "zeros", "Zeros.", Status.FAILED, 8.0, 3.0, message="Not zero.")
        exercises = (ExerciseResult("naive_padding", 8, (check,)),)
        return Result("pooling", "Pooling", job.submission.name, State.GRADED, exercises, file="pooling.py")


@pytest.mark.parametrize("given", ["ada", "ada/warmup.py", "ada.zip"])
def test_files_beside_it_come_with_it_and_do_not_hide_which_assignment_it_is_for(tmp_path, monkeypatch, given):
    files = {"warmup.py": "import helpers, demo\n", "helpers.py": "h = 1\n", "demo.py": "d = 1\n"}
    write_files(tmp_path / "ada", files)
    shutil.make_archive(str(tmp_path / "ada"), "zip", tmp_path / "ada")
    toy_course(tmp_path, "warmup", exercises={"double": 1}, submission={"files": ["helpers.py", "demo.py"]})
    toy_course(tmp_path, "demo", exercises={"double": 1})
    jobs = []
    monkeypatch.setattr(client, "Engine", Grades)
    monkeypatch.setattr(Grades, "grade", lambda self, job, grade=Grades.grade: jobs.append(job) or grade(self, job))
    for slug in (None, "warmup"):
        grade.run((tmp_path / given,), slug, tmp_path / "r", timing=False, quiet=True, course=tmp_path)
    assert jobs[0] == jobs[1]
    assert (jobs[0].slug, [file.name for file in jobs[0].submission.files]) == ("warmup", ["demo.py", "helpers.py"])


@pytest.mark.parametrize("names", [("ada",), ("ada", "bela")])
def test_a_result_that_cannot_be_shown_is_written_all_the_same(tmp_path, monkeypatch, capsys, names):
    def cannot(*_: object) -> None:
        raise NotImplementedError("no table here")

    monkeypatch.setattr(client, "Engine", Grades)
    monkeypatch.setattr(terminal, "print_result", cannot)
    monkeypatch.setattr(terminal, "print_class", cannot)
    code = grade.run(tuple(EXAMPLES / name for name in names), "pooling", tmp_path / "r", timing=False, course=ROOT)
    written = [tmp_path / "r"] if len(names) == 1 else [tmp_path / "r" / f"{name}.json" for name in names]
    assert (code, [json.loads(path.read_text())["score"] for path in written]) == (0, [3.0] * len(names))
    assert capsys.readouterr().err == (
        "autograder: The results are written, but cannot be shown here: NotImplementedError: no table here\n"
    )


@pytest.mark.parametrize(
    ("form", "file", "words"),
    [
        ("junit", "results.xml", '<testcase name="naive_padding.zeros"'),
        ("prairielearn", "results.json", '"gradable": true'),
        ("autolab", "results.txt", '{"scores": {"naive_padding": 3.0}, "scoreboard": [3.0, 3.0]}'),
        ("classroom50", "result.json", '"owner": "ada"'),
        ("github", "summary.md", "**3 of 8 points**"),
        ("github-check", "check.json", '"title": "3 of 8 points"'),
    ],
)
def test_every_format_has_its_file(tmp_path, monkeypatch, capsys, form, file, words):
    monkeypatch.setattr(client, "Engine", Grades)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL", "OWNER"):
        monkeypatch.setenv(name, "ada")
    monkeypatch.chdir(tmp_path)
    assert grade.run((EXAMPLES / "ada",), "pooling", None, form=form, timing=False, course=ROOT) == 0
    assert words in (tmp_path / file).read_text()
    lines = capsys.readouterr().out.splitlines()
    stopped, resumed = lines.index("::stop-commands::" + lines[0][17:]), lines.index(f"::{lines[0][17:]}::")
    assert (stopped, [line[:8] for line in lines[resumed + 1 :]]) == (0, ["::error "] if form == "github" else [])


def test_classroom50_needs_to_know_whose_result_it_is(tmp_path):
    arguments = ("-a", "pooling", "--format", "classroom50", "-o", tmp_path / "r.json")
    done = autograder("grade", EXAMPLES / "ada", *arguments)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "Classroom 50's runner sets these environment variables" in done.stderr
    done = autograder("grade", EXAMPLES / "ada", EXAMPLES / "bela", *arguments)
    assert (done.returncode, done.stderr) == (
        2,
        "autograder: Classroom 50 has one result for each repository; name only one submission.\n",
    )
