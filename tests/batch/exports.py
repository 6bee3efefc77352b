"""A class of thirty as Moodle, Canvas, Gradescope and nbgrader hand it over, and what they read when grades come back.

Names are built as the platforms' own code builds them. Every file says how many points it is worth: `POINTS = 7`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from toy_course import write_files

NAMES = (
    *(
        "Ada Lovelace",
        "Zoë Ångström",
        "李小龍",
        "Мария Иванова",
        "محمد علي",
        "हिन्दी शर्मा",
        "Fatou O'Neil",
        "Jean-Luc Picard",
    ),
    *("Alex Kim", "Alex Kim", "Nguyễn Thị Hoa", "김민준", "Σωκράτης", "דוד כהן", "สมชาย ใจดี", "Łukasz Żak", "X Æ A-12"),
    *("Ana María del Río", "Björk", "Mary_Jane Watson", "R2 D2", "Late Harvest", "Anon Ymous", "Ada 2 Lovelace"),
    *(
        unicodedata.normalize("NFD", "Renée Dupré"),
        "Participant",
        "Ünal Çelik",
        "Ōe Kenzaburō",
        "Teo 007",
        "Uma (Mia) Thurman",
    ),
)


@dataclass(frozen=True)
class Person:
    """`number` is what the platform calls them by; their right file is worth `points`."""

    name: str
    number: int
    points: int

    @property
    def file(self) -> str:
        return f"POINTS = {self.points}\n"


CLASS = [Person(name, 4000 + 7 * position, position + 1) for position, name in enumerate(NAMES)]
OLD = "POINTS = 99\n"  # of a file that must not count
NOTEBOOK = (
    '{{"cells": [{{"cell_type": "code", "metadata": {{}}, "outputs": [], "source": "{}"}}], "nbformat": 4, '
    '"nbformat_minor": 5, "metadata": {{}}}}'
)
UNWRITTEN = "def pool(x):\n    raise NotImplementedError()\n"


def _in_moodle(person: Person, blind: bool) -> str:
    name = "Participant" if blind else re.sub(r"[&<>\"`|':\\/]", "", person.name.replace("_", " "))
    return f"{name}_{person.number}_assignsubmission"


def moodle(folder: Path, *, folders: bool, blind: bool) -> Path:
    """Two students hand in two files, one a text as well, and one nothing but a text."""
    files = {}
    for position, person in enumerate(CLASS):
        prefix = f"{_in_moodle(person, blind)}_file{'/' if folders else '_'}"
        files[f"{prefix}pooling.py"] = person.file
        if position == 3:
            files[f"{prefix}notes.txt"] = "Sorry that it is late."
        elif position == 4:
            files[f"{prefix}pooling.py"] = UNWRITTEN
            files[f"{prefix}pooling.ipynb"] = NOTEBOOK.format(f"POINTS = {person.points}")
        elif position == 5:
            text = f"{_in_moodle(person, blind)}_onlinetext{'/' if folders else '_'}onlinetext.html"
            files[text] = "<p>See my file.</p>"
    text = f"{_in_moodle(Person('Only Text', 999, 0), blind)}_onlinetext{'/' if folders else '_'}onlinetext.html"
    files[text] = "<p>I have no file.</p>"
    return write_files(folder, files)


def canvas(folder: Path, *, anonymous: bool) -> Path:
    """Some are late, some handed in again, one handed in a file and a notebook, one notes beside it, one a text."""
    files = {}
    for position, person in enumerate(CLASS):
        late = position % 4 == 1
        parts = [] if anonymous else [re.sub(r"_(\d+)_", r"\1", _sortable(person.name)).lower()]
        parts += ["LATE"] * late + [f"anon_{_anonymous(person)}" if anonymous else str(person.number)]
        prefix = "".join(
            char for char in "_".join(parts) if unicodedata.category(char)[0] in "LM" or char in "_0123456789"
        )
        number = 70_000 + 10 * position
        name = "pooling-1.py" if position == 6 else "2_my hw.py" if position == 8 else "pooling.py"
        files[f"{prefix}_{number}_{name}"] = person.file
        if position == 2:
            files[f"{prefix}_{number - 1}_notes.txt"] = "Sorry."
            files[f"{prefix}_{number + 1}_helpers.py"] = OLD
        elif position == 3:
            files[f"{prefix}_{number}_{name}"] = UNWRITTEN
            files[f"{prefix}_{number + 1}_pooling.ipynb"] = NOTEBOOK.format(f"POINTS = {person.points}")
        elif position == 6:
            files[f"{prefix}_{number - 2}_pooling.py"] = OLD
        elif position == 7:  # two downloads in one folder; 1 is newer than 10 of an older upload
            files[f"{prefix}_{number - 1}_pooling-10.py"] = OLD
        elif position == 9:
            files[f"{prefix}_text.html"] = "<p>See my file.</p>"
    files["onlytext_999_text.html"] = "<p>I have no file.</p>"
    return write_files(folder, files)


def _sortable(name: str) -> str:
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else last


def _anonymous(person: Person) -> str:
    return f"{person.points}aB{person.number % 97}"


def gradescope(folder: Path) -> Path:
    """The last two are a group; the first handed in twice, and both are here."""
    lines, files = ["---"], {"submission_1/pooling.py": OLD, "submission_notes.txt": "?"}
    people = [[person] for person in CLASS[:-2]] + [CLASS[-2:]]
    for number, group in [(1, people[0]), *enumerate(people, 100)]:
        lines += [f"submission_{number}:", "  :submitters:"]
        for person in group:
            lines += [
                f'  - :name: "{person.name}"',
                f"    :sid: '{person.number}'",
                f"    :email: s{person.number}@example.org",
            ]
        lines += ["  :created_at: 2026-11-01 10:00:00.000000000 +01:00", "  :score: 1.0"]
        files.setdefault(f"submission_{number}/pooling.py", group[-1].file)
    return write_files(folder, files | {"submission_metadata.yml": "\n".join(lines) + "\n"})


def nbgrader(folder: Path) -> Path:
    """The first has another assignment as well, and one has only that."""
    files = {"nobody/other/other.ipynb": "{}", f"s{CLASS[0].number}/other/other.ipynb": "{}"}
    for person in CLASS:
        files[f"s{person.number}/pooling/pooling.ipynb"] = NOTEBOOK.format(f"POINTS = {person.points}")
        files[f"s{person.number}/pooling/timestamp.txt"] = "2026-11-01 09:30:00.123456 UTC"
    return write_files(folder, files)


def back_in_moodle(rows: list[dict[str, str]]) -> dict[int, str]:
    """Points by participant, as `assignfeedback_offline_grade_importer` reads a worksheet in English."""
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(rows[0])
    return {int(row["Identifier"][len("Participant ") :]): row["Grade"] for row in rows if row["Grade"]}


def back_in_canvas(rows: list[dict[str, str]], column: str) -> dict[object, str]:
    """Points by user, as Canvas' `GradebookImporter` finds one: by ID, else by SIS ID, login or name."""
    header = list(rows[0])
    assert (header[0], header[1], header[4]) == ("Student", "ID", "Section")
    users = {person.number: person for person in CLASS}
    sis = {str(person.number): person for person in CLASS}
    logins = {f"s{person.number}@example.org": person for person in CLASS} | {f"s{p.number}": p for p in CLASS}
    points: dict[object, str] = {}
    for row in rows:
        number = int(match[0]) if (match := re.match(r"\s*\d+", row["ID"])) else 0  # Ruby's to_i
        user = users.get(number) or sis.get(row["SIS User ID"]) or logins.get(row["SIS Login ID"])
        key = user.number if user else row["ID"] or row["Student"]
        assert key not in points
        points[key] = row[column]
    return points
