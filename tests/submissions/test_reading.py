"""What a student may hand in, and what becomes of everything else."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import socket
import stat
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.submissions import places
from autograder.submissions.reading import Submission, infer_slug, read_notebook, read_submission
from autograder.submissions.sources import SubmissionError

CODE = "def naive_pooling(x):\n    return x\n"


def refusal(path: Path) -> str:
    """The message for `path`, which must come quickly, be one line, and name no folder of this machine."""
    start = time.perf_counter()
    with pytest.raises(SubmissionError) as caught:
        read_submission(path, "pooling")
    assert time.perf_counter() - start < 2
    message = str(caught.value)
    assert str(path.parent) not in message
    assert message.isprintable()
    assert message.endswith(".")
    assert len(message) < 400
    return message


def source(path: Path) -> str:
    (cell,) = read_submission(path, "pooling").cells
    return cell.source


def code(text: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": text}


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def notebook(path: Path, *cells: Any, **fields: Any) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **fields}))
    return path


def cells(path: Path) -> list[tuple[str, str]]:
    return [(cell.label, cell.source) for cell in read_submission(path, "pooling").cells]


def archive(path: Path, members: dict[str, str], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return path


# Finding the file


def test_a_python_file_given_explicitly_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "alice hw1.py"
    path.write_text(CODE)
    submission = read_submission(path, "pooling")
    assert (submission.name, submission.file_name) == ("alice hw1.py", "alice hw1.py")
    assert [(c.label, c.source) for c in submission.cells] == [("alice hw1.py", CODE)]
    assert not submission.is_notebook


def test_a_relative_path_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pooling.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    assert source(Path("pooling.py")) == source(Path()) == CODE


def test_a_folder_gives_its_module_and_nothing_else(tmp_path: Path) -> None:
    for name in ("conftest.py", "torch.py", "sitecustomize.py", "test_pooling.py", "x.pth"):
        (tmp_path / name).write_text("raise SystemExit")
    (tmp_path / "pooling.py").write_text(CODE)
    assert source(tmp_path) == CODE


def test_the_file_at_the_top_wins_over_those_in_subfolders(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pooling.py").write_text("old")
    (tmp_path / "pooling.py").write_text(CODE)
    assert source(tmp_path) == CODE


def test_one_file_in_a_subfolder_is_found_down_to_the_third_level(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    (folder / "pooling.py").write_text(CODE)
    submission = read_submission(tmp_path, "pooling")
    assert submission.name == "a/b/c/pooling.py"
    assert submission.cells[0].label == submission.file_name == "pooling.py"
    (folder / "d").mkdir()
    (folder / "pooling.py").rename(folder / "d" / "pooling.py")
    assert "No file named pooling.py" in refusal(tmp_path)


@pytest.mark.parametrize("folder", [".git", "__MACOSX", "__pycache__", ".ipynb_checkpoints", "venv", ".venv"])
def test_folders_that_tools_make_are_ignored(tmp_path: Path, folder: str) -> None:
    for name in (folder, "work"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pooling.py").write_text(name)
    assert source(tmp_path) == "work"


def test_a_virtual_environment_of_any_name_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "myenv" / "lib").mkdir(parents=True)
    (tmp_path / "myenv" / "pyvenv.cfg").touch()
    (tmp_path / "myenv" / "lib" / "pooling.py").write_text(CODE)
    assert "No file named" in refusal(tmp_path)
    zipped = archive(tmp_path / "a.zip", {"e/pyvenv.cfg": "", "e/lib/pooling.py": "x", "w/pooling.py": CODE})
    assert source(zipped) == CODE


def test_two_candidates_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "pooling.py").write_text(CODE)
    notebook(tmp_path / "b" / "pooling.ipynb", code(CODE))
    assert "hand in only one" in refusal(tmp_path)
    for number in (1, 2):
        (tmp_path / f"pooling ({number}).py").write_text(CODE)
    assert "hand in only one" in refusal(tmp_path)


def test_a_file_and_a_notebook_in_one_folder_are_both_read(tmp_path: Path) -> None:
    (tmp_path / "pooling.py").write_text(CODE)
    notebook(tmp_path / "pooling.ipynb", code("a = 1"))
    submission = read_submission(tmp_path, "pooling")
    assert (submission.name, submission.is_notebook) == ("pooling.py", False)
    assert submission.other is not None
    assert (submission.other.name, submission.other.is_notebook) == ("pooling.ipynb", True)
    (tmp_path / "pooling.ipynb").write_text("{")
    submission = read_submission(tmp_path, "pooling")
    assert submission.other is None
    assert "pooling.ipynb is not a readable notebook" in submission.remarks[0]


@pytest.mark.parametrize("name", ["pooling (1).py", "pooling-2.py", "Pooling.py", "pooling_final.py", "ada_pooling.py"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_name_that_nearly_fits_is_taken_if_nothing_else_fits(tmp_path: Path, name: str, zipped: bool) -> None:
    files = {name: CODE, "other.py": "", "test_pooling.py": "", "poolings.py": ""}
    folder = tmp_path / "work"
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    submission = read_submission(archive(tmp_path / "work.zip", files) if zipped else folder, "pooling")
    assert submission.cells[0].source == CODE
    assert submission.remarks == (f"There is no file named pooling.py or pooling.ipynb, so {name} was graded.",)
    (folder / "pooling.py").write_text("fits")
    assert source(folder) == "fits"


@pytest.mark.parametrize("name", ["pooling.py", "pooling.ipynb"])
def test_a_file_is_read_as_what_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    kinds = {False: CODE, True: notebook(path, code(CODE)).read_text()}
    for is_notebook, text in kinds.items():
        path.write_text(text)
        submission = read_submission(tmp_path, "pooling")
        assert submission.is_notebook is is_notebook
        assert submission.cells[0].source == CODE
        assert bool(submission.remarks) is (is_notebook is name.endswith("py"))
    archive(path, {name: kinds[name.endswith("ipynb")]})
    submission = read_submission(tmp_path, "pooling")
    assert submission.cells[0].source == CODE
    assert submission.remarks == (f"{name} is really a zip archive, and was read as one.",)


def test_a_merge_conflict_is_called_what_it_is(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code(CODE))
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}\n=======\n{{}}\n>>>>>>> theirs\n")
    assert "unresolved merge conflict" in refusal(path)


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        "No file named pooling.py or pooling.ipynb was found in the submission; hand in exactly one of them."
    )


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_ENTRIES", 20)
    (tmp_path / "sub").mkdir()
    for number in range(21):
        (tmp_path / "sub" / f"{number}.txt").touch()
    assert "more than 20 files" in refusal(tmp_path)
    (tmp_path / "pooling.py").write_text(CODE)  # no need to look further than this
    assert source(tmp_path) == CODE


def test_a_missing_path_or_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    assert "was not found" in refusal(tmp_path / "pooling.py")
    (tmp_path / "pooling.docx").write_text("x")
    assert "not a Python file" in refusal(tmp_path / "pooling.docx")


def test_control_characters_in_names_are_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31m\u202ered.docx"
    path.touch()
    assert "\x1b" not in refusal(path)


# Only ordinary files


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.relpath(path))  # the whole path may be too long for a socket


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def make_link(path: Path) -> None:
    (path.parent / "secret.txt").write_text(CODE)
    path.symlink_to("secret.txt")


def make_device_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
@pytest.mark.parametrize("make", [make_fifo, make_socket, make_device, make_link, make_device_link, Path.mkdir])
def test_what_is_not_an_ordinary_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"pooling.{suffix}"
    make(path)
    assert "not an ordinary file" in refusal(tmp_path)
    if make is not Path.mkdir:
        assert "not an ordinary file" in refusal(path)


def test_a_device_given_explicitly_is_refused() -> None:
    assert "not an ordinary file" in refusal(Path("/dev/zero"))


def test_linked_folders_are_not_entered(tmp_path: Path) -> None:
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "pooling.py").write_text(CODE)
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "mine").symlink_to(tmp_path / "bob")
    assert "No file named" in refusal(tmp_path / "alice")
    (tmp_path / "carol").symlink_to(tmp_path / "bob")
    assert "not an ordinary file" in refusal(tmp_path / "carol")


def test_a_file_swapped_for_a_link_or_pipe_after_the_check_is_still_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "pooling.py"
    real = places._open

    def swapping(make: Callable[[], None]) -> Callable[[Path, tuple[str, ...]], int]:
        def swapped(root: Path, parts: tuple[str, ...]) -> int:
            make()
            return real(root, parts)

        return swapped

    def link_file() -> None:
        path.rename(tmp_path / "secret")
        path.symlink_to(tmp_path / "secret")

    def link_folder() -> None:
        (tmp_path / "sub").rename(tmp_path / "elsewhere")
        (tmp_path / "sub").symlink_to("elsewhere")

    def pipe() -> None:
        path.unlink()
        os.mkfifo(path)

    for make in (link_file, pipe, link_folder):
        path.unlink(missing_ok=True)
        path.write_text(CODE)
        monkeypatch.setattr(places, "_open", swapping(make))
        refusal(tmp_path)


def test_missing_permission_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pooling.py"
    path.write_text(CODE)
    path.chmod(0)

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(places, "_open", refused)  # root may read everything
    assert "no permission" in refusal(path)


# Size


def test_a_huge_sparse_file_is_refused_at_once(tmp_path: Path) -> None:
    for name, cap in (("pooling.py", "1 MB"), ("pooling.ipynb", "20 MB"), ("pooling.zip", "20 MB")):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(300 * 1024 * 1024)
        message = refusal(path)
        assert cap in message
        assert ("clear its outputs" in message) is (name == "pooling.ipynb")


def test_a_notebook_with_outputs_that_is_called_py_is_recognised(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code(CODE) | {"outputs": ["x" * 2_000_000]})
    path = path.rename(tmp_path / "pooling.py")
    submission = read_submission(path, "pooling")
    assert submission.is_notebook
    assert submission.remarks == ("pooling.py is really a notebook, and was read as one.",)
    path.write_text("#" * 2_000_000)
    assert "larger than 1 MB" in refusal(path)


def test_the_cap_is_exact_and_does_not_trust_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pooling.py"
    path.write_text("#" * (1 << 20))
    assert len(source(path)) == 1 << 20
    path.write_text("#" * ((1 << 20) + 1))
    real = os.fstat

    class Lie:
        st_size = 0
        st_mode = stat.S_IFREG

    monkeypatch.setattr(os, "fstat", lambda handle: Lie() if handle > 2 else real(handle))
    monkeypatch.setattr(places, "open", lambda handle, mode: os.fdopen(handle, mode), raising=False)
    assert "1 MB" in refusal(path)


# Text


@pytest.mark.parametrize(
    "data",
    [
        b"s = '\xc3\xa9'\n",
        b"\xef\xbb\xbfs = '\xc3\xa9'\n",
        b"s = '\xc3\xa9'\r\n",
        b"s = '\xc3\xa9'\r",
        b"\xef\xbb\xbf# coding: utf-8\ns = '\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\ns = '\xe9'\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ns = '\xe9'\n",
    ],
)
def test_every_encoding_and_newline_that_python_reads_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pooling.py").write_bytes(data)
    text = source(tmp_path)
    assert text.endswith("s = 'é'\n")
    assert "\r" not in text
    assert not text.startswith("\ufeff")


def test_invalid_text_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pooling.py"
    path.write_bytes(b"a = 1\nb = 2\nc = 3\nd = '\xe9'\n")
    assert "Line 4 of pooling.py" in refusal(path)
    path.write_bytes(b"a = '\xff'\n")
    assert "Line 1 of pooling.py" in refusal(path)
    path.write_bytes(b"a = 1\nb = '" + b"\0" * 20 + b"'\n")
    assert "Line 2 of pooling.py" in refusal(path)


def test_a_stray_character_that_is_not_text_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pooling.py"
    path.write_bytes(b"a = 1  # \0\n")
    assert source(path) == "a = 1  #  \n"


@pytest.mark.parametrize(
    "name",
    [
        "klingon",
        "zlib",
        "hex",
        "rot13",
        "idna",
        "punycode",
        "unicode_escape",
        "utf-7",
        "utf-16",
        "..x",
        "undefined",
    ],
)
def test_an_encoding_that_is_unknown_or_no_plain_text_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pooling.py"
    path.write_text(f"# coding: {name}\n" + "a = 1\n" * 100_000)
    assert "declares an encoding" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read_because_powershell_writes_it(tmp_path: Path, encoding: str) -> None:
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    text = "name = 'Zoë'\r\n"
    (tmp_path / "pooling.py").write_bytes(mark + text.encode(encoding))
    (tmp_path / "helpers.py").write_bytes(mark + text.encode(encoding))
    submission = read_submission(tmp_path, "pooling", ["helpers.py"])
    assert submission.cells[0].source == "name = 'Zoë'\n"
    assert submission.files[0].data == text.encode("utf-8-sig")
    (tmp_path / "pooling.py").write_bytes(codecs.BOM_UTF16_LE + b"odd")
    assert "save the file as UTF-8" in refusal(tmp_path)


def test_a_byte_order_mark_that_contradicts_the_declaration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pooling.py"
    path.write_bytes(b"\xef\xbb\xbf# coding: latin-1\n")
    assert "declares an encoding" in refusal(path)


@pytest.mark.parametrize("text", ["", " \n\t\n", "# later\n", "def broken(:\n", "(" * 100_000])
def test_empty_and_wrong_programs_are_for_the_worker_to_judge(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pooling.py"
    path.write_text(text)
    assert source(path) == text


def test_nothing_is_executed_or_imported(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "pooling.py").write_text(f"open({str(mark)!r}, 'w')\n")
    read_submission(tmp_path, "pooling")
    assert not mark.exists()
    assert not (tmp_path / "__pycache__").exists()


def test_the_hash_follows_the_code(tmp_path: Path) -> None:
    path = tmp_path / "pooling.py"
    path.write_bytes(b"a = 1\r\n")
    first = read_submission(path, "pooling").sha256
    path.write_bytes(b"a = 1\n")
    assert read_submission(path, "pooling").sha256 == first
    path.write_bytes(b"a = 2\n")
    assert read_submission(path, "pooling").sha256 != first
    assert len(first) == 64


# Zip


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["pooling.py", "hw/pooling.py", "./hw/a/b/pooling.py", "hw\\pooling.py"])
def test_a_zip_gives_its_module(tmp_path: Path, name: str, method: int) -> None:
    members = {"__MACOSX/pooling.py": "", "hw/conftest.py": "", ".git/pooling.py": "", name: CODE}
    submission = read_submission(archive(tmp_path / "hw1.zip", members, compression=method), "pooling")
    assert submission.cells[0].source == CODE
    assert submission.name == "hw1.zip/" + name.removeprefix("./").replace("\\", "/")
    assert submission.file_name == "pooling.py"
    assert [p.name for p in tmp_path.iterdir()] == ["hw1.zip"]  # nothing unpacked


def test_a_folder_holding_one_zip_gives_what_is_in_it(tmp_path: Path) -> None:
    inner = notebook(tmp_path / "x", markdown("# hi"), code(CODE)).read_text()
    archive(tmp_path / "hw1.zip", {"pooling.ipynb": inner})
    assert cells(tmp_path) == [("cell 2", CODE)]
    archive(tmp_path / "hw2.zip", {"pooling.py": CODE})
    assert "hw1.zip, hw2.zip" in refusal(tmp_path)


def test_ambiguous_zips_are_refused(tmp_path: Path) -> None:
    assert "only one" in refusal(archive(tmp_path / "b.zip", {"a/pooling.py": "", "b/pooling.py": ""}))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as file:
        file.writestr("pooling.py", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("pooling.py", "b")
    assert "only one" in refusal(tmp_path / "c.zip")


def test_zips_without_the_module_are_refused_and_nested_ones_not_opened(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"pooling.py": CODE})
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as file:
        file.write(inner, "inner.zip")
        file.writestr("a/b/c/d/pooling.py", CODE)
        file.writestr("pooling.py/", "")
    assert "No file named" in refusal(outer)


@pytest.mark.parametrize(
    "name",
    [
        "../pooling.py",
        "a/../pooling.py",
        "/pooling.py",
        "C:/pooling.py",
        "c:pooling.py",
        "a\\..\\..\\pooling.py",
        "..",
    ],
)
def test_zips_with_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    assert "unsafe file name" in refusal(archive(tmp_path / "a.zip", {"pooling.py": CODE, name: CODE}))


def test_a_linked_member_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("pooling.py")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    assert "not an ordinary file" in refusal(tmp_path / "a.zip")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"pooling.py": CODE})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refusal(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(tmp_path: Path, method: int) -> None:
    assert "unusual way" in refusal(archive(tmp_path / "a.zip", {"pooling.py": CODE}, compression=method))


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bomb") / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("pooling.py", "w") as member,
    ):
        for _ in range(200):
            member.write(bytes(1 << 20))
    return path


def test_a_zip_bomb_is_refused_by_its_declared_size(bomb: Path) -> None:
    assert bomb.stat().st_size < 2_000_000
    assert "larger than 1 MB" in refusal(bomb)


@pytest.mark.parametrize("declared", [10, 1 << 20])
def test_a_zip_bomb_that_declares_a_small_size_is_refused(tmp_path: Path, bomb: Path, declared: int) -> None:
    data = bytearray(bomb.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, declared)
    path = tmp_path / "liar.zip"
    path.write_bytes(data)
    assert "damaged" in refusal(path)


def test_a_zip_with_too_many_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    record = b"PK\1\2" + bytes(42)  # the central directory alone, which is what costs
    path.write_bytes(record * 400_000 + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46 * 400_000, 0, 0))
    assert "more than 10000 files" in refusal(path)


def test_damaged_zips_are_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.zip", {"pooling.py": CODE * 50}, compression=zipfile.ZIP_DEFLATED).read_bytes()
    path = tmp_path / "b.zip"
    for data in (
        b"",
        b"PK",
        b"not a zip" * 100,
        whole[:-10],
        whole[:60],
        whole[20:],
        whole[:40] + b"\xff" + whole[41:],
    ):
        path.write_bytes(data)
        refusal(path)


def test_no_flipped_byte_of_a_zip_makes_a_crash(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.zip", {"pooling.py": CODE}, compression=zipfile.ZIP_DEFLATED).read_bytes()
    path = tmp_path / "b.zip"
    for position in range(len(whole)):
        for value in (0, 0x2E, 0xFF):
            path.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
            with contextlib.suppress(SubmissionError):
                assert isinstance(read_submission(path, "pooling"), Submission)


# Notebooks


def test_code_cells_are_numbered_among_all_cells(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "pooling.ipynb",
        markdown("# x"),
        code("a = 1\r\n"),
        code(" \n"),
        {"cell_type": "raw"},
        code(["b", " = 2"]),
    )
    assert cells(path) == [("cell 2", "a = 1\n"), ("cell 5", "b = 2")]
    assert read_submission(path, "pooling").is_notebook


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_cell_that_became_text_by_a_slip_is_code(tmp_path: Path, kind: str) -> None:
    marks = {name: {"grade": False, "solution": True, "grade_id": name} for name in ("a", "b")}
    marks["b"]["grade"] = True  # an answer that people grade may be text
    answers = [{"cell_type": kind, "metadata": {"nbgrader": mark}, "source": f"{n} = 1"} for n, mark in marks.items()]
    assert cells(notebook(tmp_path / "pooling.ipynb", *answers, markdown("c"))) == [("cell 1", "a = 1")]


def test_pasted_pictures_are_read_and_other_attachments_are_not(tmp_path: Path) -> None:
    files = {
        "a.png": {"image/png": "iVBORw0KGgo="},
        "b.png": {"image/png": '"><script>'},
        "c.html": {"text/html": "PGI+"},
        "d.png": 3,
    }
    path = notebook(tmp_path / "pooling.ipynb", {**markdown("# x"), "attachments": files})
    assert read_notebook(path)[0].attachments == {"a.png": {"image/png": "iVBORw0KGgo="}}


def test_altered_metadata_and_outputs_change_nothing(tmp_path: Path) -> None:
    odd = {
        **code("a = 1"),
        "metadata": [1],
        "outputs": "x",
        "id": {"nested": []},
        "nbgrader": {"points": 1e9},
    }
    path = notebook(tmp_path / "pooling.ipynb", odd, metadata=3, nbformat_minor="x")
    assert cells(path) == [("cell 1", "a = 1")]


@pytest.mark.parametrize("fields", [{"nbformat": 99}, {"nbformat": None}, {"nbformat": []}, {"nbformat": 10**400}])
def test_an_odd_version_is_read_as_the_current_one(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code("a = 1"), "no cell", None, {}, **fields)
    assert cells(path) == [("cell 1", "a = 1")]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_formats_are_converted(tmp_path: Path, version: int) -> None:
    if version == 1:
        body: dict[str, Any] = {"cells": [{"cell_type": "text", "text": "hi"}, {"cell_type": "code", "code": "a = 1"}]}
    else:
        first = {
            "cell_type": "code",
            "language": "python",
            "input": ["a = 1"],
            "outputs": [{"output_type": "x"}],
        }
        heading = {"cell_type": "heading", "level": 10**12, "source": "hi"}
        body = {"worksheets": [{"cells": [heading]}, {"cells": [first]}]}
    path = tmp_path / "pooling.ipynb"
    path.write_text(json.dumps({"nbformat": version, "nbformat_minor": 0, "metadata": {"name": ""}, **body}))
    assert cells(path) == [("cell 2", "a = 1")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"cells": 3}',
        '{"cells": {"a": 1}}',
        '{"cells": [{"cell_type": "code", "source": 3}]}',
        '{"cells": [{"cell_type": "code", "source": ["a", 3]}]}',
        '{"cells": [{"cell_type": "code", "source": {"a": 3}}]}',
        '{"nbformat": 3, "worksheets": 3}',
        '{"nbformat": 3, "worksheets": [{"cells": [3]}]}',
        '{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": {}}]}]}',
        '{"nbformat": 2}',
        '{"nbformat": 1, "cells": [{}]}',
        "[" * 1_000_000,
        '{"cells":' * 1_000_000,
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_notebooks_without_readable_cells_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pooling.ipynb"
    path.write_text(text)
    assert "not a readable notebook" in refusal(path)


def test_a_huge_number_costs_no_time(tmp_path: Path) -> None:
    path = tmp_path / "pooling.ipynb"
    digits = "9" * 5_000_000
    path.write_text(f'{{"x": {digits}, "y": 1.{digits}, "cells": []}}')
    start = time.perf_counter()
    assert cells(path) == []
    assert time.perf_counter() - start < 1


def test_a_cell_that_is_no_text_is_refused_by_its_number(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code("a"), code("b\nc = '" + "\ud800" * 20))
    assert "Line 2 of cell 2" in refusal(path)
    assert cells(notebook(path, code("a = 1  # \ud800"))) == [("cell 1", "a = 1  #  ")]


def test_outputs_may_be_large_but_code_may_not(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", {**code("a = 1"), "outputs": [{"data": "x" * 5_000_000}]})
    assert cells(path) == [("cell 1", "a = 1")]
    assert "code in pooling.ipynb is larger than 1 MB" in refusal(notebook(path, *[code("#" * 600_000)] * 2))
    assert "more than 10000 cells" in refusal(notebook(path, *[{}] * 10_001))
    assert "more than 10000 cells" in refusal(notebook(path, worksheets=[{"cells": [{}] * 10_001}], nbformat=3))


def test_cells_keep_their_magics_which_the_worker_translates(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code("%%time\na = !ls"), code(" \n"), code("%%html\n<b>"))
    assert cells(path) == [("cell 1", "%%time\na = !ls"), ("cell 3", "%%html\n<b>")]


def test_a_current_notebook_is_read_without_importing_nbformat_or_ipython(tmp_path: Path) -> None:
    path = notebook(tmp_path / "pooling.ipynb", code("a = 1"))
    script = (
        "import sys, pathlib; from autograder.submissions.reading import read_submission\n"
        f"read_submission(pathlib.Path({str(path)!r}), 'pooling')\n"
        "print([m for m in ('nbformat', 'IPython', 'torch') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Which assignment


SLUGS = ["pooling", "conv", "conv_block"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("pooling.py", "pooling"),
        ("conv_block.ipynb", "conv_block"),
        ("alice_pooling.py", "pooling"),
        ("Pooling-final (2).ipynb", "pooling"),
        ("alice_conv_block.py", "conv_block"),
        ("poolings.py", None),
        ("conv_pooling.py", None),
        ("hw1.py", None),
    ],
)
def test_a_file_name_tells_its_assignment(tmp_path: Path, name: str, slug: str | None) -> None:
    (tmp_path / name).write_text("raise SystemExit")
    assert infer_slug(tmp_path / name, SLUGS) == slug


def test_what_a_folder_or_zip_holds_tells_its_assignment(tmp_path: Path) -> None:
    folder = tmp_path / "alice_pooling"
    folder.mkdir()
    assert infer_slug(folder, SLUGS) == "pooling"
    (folder / "conv.ipynb").touch()
    assert infer_slug(folder, SLUGS) == "conv"
    (folder / "pooling.py").touch()
    assert infer_slug(folder, SLUGS) is None
    assert infer_slug(archive(tmp_path / "a.zip", {"hw/conv.py": ""}), SLUGS) == "conv"
    assert infer_slug(archive(tmp_path / "b.zip", {"hw/x.py": ""}), SLUGS) is None
    other = tmp_path / "bob"
    other.mkdir()
    archive(other / "bob_conv.zip", {"conv.py": ""})
    assert infer_slug(other, SLUGS) == "conv"


@pytest.mark.parametrize(
    ("files", "slug", "for_conv"),
    [
        ({"conv.py", "pooling.py"}, "conv", "conv"),
        ({"hw/conv.py", "hw/pooling.py"}, "conv", "conv"),
        ({"my conv.py", "pooling_tools.py"}, "conv", "conv"),
        ({"conv.py", "pooling.ipynb"}, None, None),
        ({"pooling.py", "notes.txt"}, "pooling", None),
        ({"pooling_tools.py"}, "pooling", None),
        ({"conv_block.py", "conv.py"}, None, "conv"),
    ],
)
def test_a_file_that_may_lie_beside_another_assignments_names_no_assignment(
    tmp_path: Path, files: set[str], slug: str | None, for_conv: str | None
) -> None:
    allowed = {"pooling": (), "conv": ("pooling*.py", "conv_block.py"), "conv_block": ("*.py",)}
    path = archive(tmp_path / "work.zip", dict.fromkeys(sorted(files), ""))
    assert infer_slug(path, SLUGS, allowed.__getitem__) == slug
    assert infer_slug(path, SLUGS, allowed.__getitem__, ["conv"]) == for_conv


def test_hostile_paths_only_make_the_assignment_unclear(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\1\2 nonsense")
    os.mkfifo(tmp_path / "pipe.zip")
    assert infer_slug(tmp_path / "bad.zip", SLUGS) is None
    assert infer_slug(tmp_path / "pipe.zip", SLUGS) is None
    assert infer_slug(tmp_path / "missing", SLUGS) is None
    assert infer_slug(tmp_path / "gone" / "pooling.py", SLUGS) == "pooling"


@pytest.mark.parametrize("zipped", [False, True])
def test_of_file_and_notebook_the_one_that_was_worked_in_is_read(tmp_path, zipped):
    stub = "def f(x):\n    raise NotImplementedError()\n"
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [{"cell_type": "code", "source": "f = abs", "metadata": {}, "outputs": []}],
    }
    files = {"demo.py": stub, "demo.ipynb": json.dumps(notebook)}
    folder = tmp_path / "work"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    path = folder
    if zipped:
        path = tmp_path / "work.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(f"work/{name}", text)
    assert read_submission(path, "demo").cells[0].source == "f = abs"
