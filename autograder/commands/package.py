"""`autograder package`: writes the archive that a platform makes an autograder from, for those who do not use an image.

It has the same files as the image for Gradescope. The same course gives the same bytes: names are sorted, times are
fixed and nothing is compressed (which would depend on the library's version; all of it is text).
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.course import Assignment, find_course, load_assignments
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.platforms.gradescope.settings import load_settings

_ENGINE = Path(__file__).resolve().parents[1]
_GRADESCOPE = "platforms/gradescope"
_AT_ROOT = {
    "gradescope": (f"{_GRADESCOPE}/run_autograder", f"{_GRADESCOPE}/setup.sh", f"{_GRADESCOPE}/requirements.txt"),
    "prairielearn": ("platforms/grade",),
    "autolab": ("platforms/grade",),
}
FILE_NAMES = {"gradescope": "gradescope.zip", "prairielearn": "prairielearn.zip", "autolab": "autograde.tar"}
_SCRIPTS = ("run_autograder", "setup.sh", "grade")  # run by a shell that accepts only \n as a line end
_EPOCH = (1980, 1, 1, 0, 0, 0)


def run(
    slugs: tuple[str, ...], output: Path | None, *, platform: str = "gradescope", course: Path | None = None
) -> int:
    """Writes the archive with these assignments (default: all); returns the exit code.

    Raises:
        UsageError: an assignment has a mistake, or the archive cannot be written.
    """
    root = find_course(course)
    output = output or Path(FILE_NAMES[platform])
    assignments = load_assignments(root, slugs)
    for assignment in assignments:
        load_settings(assignment)
        if not assignment.solution.is_file():
            raise UsageError(f"There is no solution {assignment.solution}; without it, nothing can be compared.")
    try:
        data = archive(root, assignments, platform)
    except OSError as error:
        raise UsageError(f"Cannot read {error.filename}: {error.strerror}.") from error
    atomic.replace(output, data)
    names = ", ".join(assignment.slug for assignment in assignments)
    print(f"{output}: {len(data) / 2**20:.1f} MB, grades {names}")
    return 0


def archive(root: Path, assignments: list[Assignment], platform: str = "gradescope") -> bytes:
    """Its bytes: for Autolab a tar with one folder, to be unpacked beside the submission, for the others a zip."""
    contents = {f"autograder/{name}": path for name, path in _files(_ENGINE)}
    contents |= {Path(name).name: _ENGINE / name for name in _AT_ROOT[platform]}
    for assignment in assignments:
        contents |= {f"graders/{assignment.slug}/{name}": path for name, path in _files(assignment.graders)}
        contents |= {f"solutions/{assignment.slug}/{name}": path for name, path in _files(assignment.solution.parent)}
    of_course = {"graders/gradescope.toml": "gradescope.toml", "packages.txt": "packages.txt"}
    contents |= {name: path for name, file in of_course.items() if (path := root / "graders" / file).is_file()}
    read = [
        (name, _content(path), 0o755 if path.name in _SCRIPTS else 0o644) for name, path in sorted(contents.items())
    ]
    return _tar(read) if platform == "autolab" else _zip(read)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return data.replace(b"\r\n", b"\n") if path.name in _SCRIPTS else data


def _zip(files: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        for name, data, mode in files:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, wherever this runs
            info.external_attr = (0o100000 | mode) << 16
            made.writestr(info, data)
    return buffer.getvalue()


def _tar(files: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, data, mode in files:
            info = tarfile.TarInfo(f"kit/{name}")
            info.size, info.mode = len(data), mode
            made.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every ordinary file below `folder` with its name there; no hidden files and no Python caches."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__pycache__" for part in parts) or path.suffix == ".pyc":
            continue
        if path.is_file() and not path.is_symlink():
            yield "/".join(parts), path
