"""`autograder package`: writes the zip that Gradescope builds an autograder from, for those who do not use an image.

The archive has the same files as the image, at its root. The same course gives the same bytes: names are sorted,
times are fixed and nothing is compressed (which would depend on the library's version; all of it is text).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.course import Assignment, find_course, load_assignments
from autograder.errors import UsageError
from autograder.output import atomic
from autograder.platforms.gradescope.settings import load_settings

_ENGINE = Path(__file__).resolve().parents[1]
_AT_ROOT = ("run_autograder", "setup.sh", "requirements.txt")
_SCRIPTS = ("run_autograder", "setup.sh")  # run by a shell that accepts only \n as a line end
_EPOCH = (1980, 1, 1, 0, 0, 0)


def run(slugs: tuple[str, ...], output: Path, *, course: Path | None = None) -> int:
    """Writes the zip with these assignments (default: all); returns the exit code.

    Raises:
        UsageError: an assignment has a mistake, or the zip cannot be written.
    """
    root = find_course(course)
    assignments = load_assignments(root, slugs)
    for assignment in assignments:
        load_settings(assignment)
        if not assignment.solution.is_file():
            raise UsageError(f"There is no solution {assignment.solution}; without it, nothing can be compared.")
    try:
        data = archive(root, assignments)
    except OSError as error:
        raise UsageError(f"Cannot read {error.filename}: {error.strerror}.") from error
    atomic.replace(output, data)
    names = ", ".join(assignment.slug for assignment in assignments)
    print(f"{output}: {len(data) / 2**20:.1f} MB, grades {names}")
    return 0


def archive(root: Path, assignments: list[Assignment]) -> bytes:
    """The zip's bytes."""
    contents = {f"autograder/{name}": path for name, path in _files(_ENGINE)}
    contents |= {name: _ENGINE / "platforms" / "gradescope" / name for name in _AT_ROOT}
    for assignment in assignments:
        contents |= {f"graders/{assignment.slug}/{name}": path for name, path in _files(assignment.graders)}
        contents |= {f"solutions/{assignment.slug}/{name}": path for name, path in _files(assignment.solution.parent)}
    of_course = {"graders/gradescope.toml": "gradescope.toml", "packages.txt": "packages.txt"}
    contents |= {name: path for name, file in of_course.items() if (path := root / "graders" / file).is_file()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # Unix, wherever this runs
            is_script = Path(name).name in _SCRIPTS
            info.external_attr = (0o100755 if is_script else 0o100644) << 16
            data = contents[name].read_bytes()
            made.writestr(info, data.replace(b"\r\n", b"\n") if is_script else data)
    return buffer.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every ordinary file below `folder` with its name there; no hidden files and no Python caches."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__pycache__" for part in parts) or path.suffix == ".pyc":
            continue
        if path.is_file() and not path.is_symlink():
            yield "/".join(parts), path
