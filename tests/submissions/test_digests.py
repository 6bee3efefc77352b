"""Two submissions have the same digest exactly if the same files were handed in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.submissions.digests import digest_of
from toy_course import write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "ada", {"tiny.py": "A = 1\n", "data/table.csv": "1,2\n"})


def test_contents_and_names_count_and_the_place_and_the_time_do_not(folder, tmp_path):
    seen = {digest_of(folder)}
    os.utime(folder / "tiny.py", (0, 0))
    assert digest_of(folder.rename(tmp_path / "bob")) in seen
    folder = tmp_path / "bob"
    for name, text in (("tiny.py", "A = 2\n"), ("data/table.csv", "1,3\n"), ("notes.txt", ""), ("tiny.ipynb", "{}")):
        write_files(folder, {name: text})
        seen.add(digest_of(folder))
    (folder / "notes.txt").rename(folder / "other.txt")
    assert len({*seen, digest_of(folder)}) == 6


def test_a_single_file_counts_by_its_contents(folder, tmp_path):
    first = digest_of(folder / "tiny.py")
    (folder / "tiny.py").rename(tmp_path / "tiny-1.py")
    assert digest_of(tmp_path / "tiny-1.py") == first
    assert digest_of(folder / "data" / "table.csv") != first


def test_what_is_not_a_file_is_not_waited_for_and_links_are_not_followed(folder, tmp_path):
    (tmp_path / "secret").write_text("1")
    (folder / "link.py").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.py")
    before = digest_of(folder)
    (tmp_path / "secret").write_text("2")
    assert digest_of(folder) == before
    assert digest_of(tmp_path / "missing") == digest_of(tmp_path / "missing too")
