"""The files that a submission may hold beside the one that is graded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from autograder.submissions import other_files
from autograder.submissions.other_files import FILE_CAP, MOST_FILES, mistake_in
from autograder.submissions.reading import Submission, read_submission

ALLOWED = ("helpers.py", "tools/*.py", "data/*")


def handed_in(folder: Path, *names: str) -> Path:
    for name in ("pooling.py", *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(submission: Submission) -> list[str]:
    assert all(file.data.decode() == file.name for file in submission.files)
    return [file.name for file in submission.files]


@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("above", ["", "homework/"])
def test_only_what_is_allowed_in_the_same_folder_is_read(tmp_path: Path, zipped: bool, above: str) -> None:
    path = tmp_path / "work"
    here = handed_in(path / above, "helpers.py", "tools/a.py", "data/t.npy", "data/deep/er.npy", "secret.py", ".x/a.py")
    handed_in(here, "data/.hidden", "test_pooling.py", "data/__pycache__/x")
    if above:
        (path / "helpers.py").write_text("of another folder")
    if zipped:
        with zipfile.ZipFile(tmp_path / "work.zip", "w") as archive:
            for file in filter(Path.is_file, sorted(path.rglob("*"))):
                archive.write(file, file.relative_to(path))
        path = tmp_path / "work.zip"
    submission = read_submission(path, "pooling", ALLOWED)
    assert names(submission) == ["data/t.npy", "helpers.py", "tools/a.py"]
    assert submission.remarks == ()
    assert read_submission(path, "pooling").files == ()


def test_a_file_named_by_hand_has_a_folder_of_its_own_only_if_it_has_the_modules_name(tmp_path: Path) -> None:
    handed_in(tmp_path, "helpers.py")
    assert names(read_submission(tmp_path / "pooling.py", "pooling", ALLOWED)) == ["helpers.py"]
    (tmp_path / "pooling.py").rename(tmp_path / "ada_pooling.py")
    assert names(read_submission(tmp_path / "ada_pooling.py", "pooling", ALLOWED)) == []


def test_a_file_that_is_allowed_is_not_mistaken_for_the_submission(tmp_path: Path) -> None:
    handed_in(tmp_path, "pooling_tools.py")
    (tmp_path / "pooling.py").rename(tmp_path / "my pooling.py")
    submission = read_submission(tmp_path, "pooling", ["pooling_*.py"])
    assert (submission.file_name, names(submission)) == ("my pooling.py", ["pooling_tools.py"])


def test_another_file_makes_another_submission(tmp_path: Path) -> None:
    handed_in(tmp_path, "helpers.py")
    first = read_submission(tmp_path, "pooling", ALLOWED)
    (tmp_path / "helpers.py").write_text("changed")
    assert first.sha256 != read_submission(tmp_path, "pooling", ALLOWED).sha256


@pytest.mark.parametrize("file", ["torch.py", "random.py", "numpy/core.py"])
def test_a_file_that_would_hide_a_module_is_left_out(tmp_path: Path, file: str) -> None:
    submission = read_submission(handed_in(tmp_path, file), "pooling", ["*.py", "*/*.py"])
    hidden = file.removesuffix(".py").partition("/")[0]
    why = f"{file} was left out: it would hide the module {hidden}, so give it another name."
    assert (submission.files, submission.remarks) == ((), (why,))


def test_links_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/t.npy").touch()
    work = handed_in(tmp_path / "work")
    (work / "helpers.py").symlink_to(tmp_path / "secret/t.npy")
    (work / "data").symlink_to(tmp_path / "secret")
    submission = read_submission(work, "pooling", ALLOWED)
    assert submission.files == ()
    assert submission.remarks == ("helpers.py is a link, folder or device, not an ordinary file, so it was left out.",)


def test_sizes_and_number_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = handed_in(tmp_path / "a", "data/b")
    with (work / "data/a").open("wb") as file:
        file.truncate(FILE_CAP + 1)
    submission = read_submission(work, "pooling", ALLOWED)
    assert names(submission) == ["data/b"]
    assert submission.remarks == ("data/a is larger than 8 MB, which is the limit, so it was left out.",)
    monkeypatch.setattr(other_files, "TOTAL_CAP", 5)
    assert read_submission(work, "pooling", ALLOWED).remarks[1].endswith("may have 0 MB in all.")
    monkeypatch.undo()
    submission = read_submission(handed_in(tmp_path / "b", *(f"data/{n}" for n in range(60))), "pooling", ALLOWED)
    assert len(submission.files) == MOST_FILES
    assert submission.remarks[-1] == "7 more files were left out."


@pytest.mark.parametrize(
    ("pattern", "mistake"),
    [
        ("helpers.py", ""),
        ("data/*.npy", ""),
        ("../helpers.py", "is not the relative path"),
        ("/etc/passwd", "is not the relative path"),
        ("data/", "is not the relative path"),
        ("C:/x.py", "is not the relative path"),
        ("", "is not the relative path"),
        ("a/b/c/d/e.py", "is more than 3 folders deep"),
        ("torch.py", "would hide the module torch"),
        ("pooling.py", "would hide the module pooling"),
    ],
)
def test_mistakes_in_patterns_are_found(pattern: str, mistake: str) -> None:
    assert mistake_in(pattern, "pooling").startswith(mistake)
    assert bool(mistake_in(pattern, "pooling")) == bool(mistake)
