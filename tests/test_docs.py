"""The pages keep their word: their commands, names and paths exist, and their figures are those of the code."""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import autograder as package
from autograder import grading, probes
from autograder.cli import main
from autograder.course import assignment_slugs, load_assignment
from autograder.course.assignment import Assignment, Limits
from autograder.grading import strategies, tolerance
from autograder.platforms.gradescope.settings import Settings
from autograder.quality.table import COLUMNS, WHOLE
from autograder.submissions.reading import CAPS
from autograder.timing.decision import lower_bound
from command_line import autograder
from pages import blocks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]}
GUIDES = [page for page in PAGES if page != "CHANGELOG.md"]  # which is history and may name what is gone
COURSE = {slug: load_assignment(ROOT, slug) for slug in assignment_slugs(ROOT)}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

README, AUTHORING, TIMING = PAGES["README.md"], PAGES["docs/authoring.md"], PAGES["docs/timing.md"]


def says(page: str, *sentences: str) -> None:
    """The page contains these words, wherever its lines break."""
    text = " ".join(PAGES[page].split())
    for sentence in sentences:
        assert sentence in text, f"{page} does not say: {sentence}"


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the Markdown table whose first line starts like that."""
    table = text[text.index(f"\n{heading}") + 1 :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in table.strip().splitlines()[2:]]


def figures(*parts: str) -> dict[str, Any]:
    """The constants of these parts of the engine that are plain numbers or texts, wherever in them they are."""
    found: dict[str, Any] = {}
    for part in parts:
        for path in (ROOT / "autograder" / part).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign):
                    [target] = node.targets
                    pairs = [(target, node.value)]
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                        pairs = list(zip(target.elts, node.value.elts, strict=True))
                    for name, value in pairs:
                        with contextlib.suppress(ValueError):
                            found[ast.unparse(name)] = ast.literal_eval(value)
    return found


# What can be typed or looked up


@pytest.mark.parametrize("page", GUIDES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", PAGES[page]):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", GUIDES)
def test_files_that_a_page_names_exist(page: str) -> None:
    folders = "assignments|autograder|benchmarks|docs|examples|graders|solutions|tests"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", PAGES[page]):
        missing = name in ("graders/gradescope.toml", "graders/packages.txt")  # a course may have them
        courses = (ROOT, ROOT / "examples" / "foreign_course")  # the pages for authors speak of the second one
        assert missing or any((course / name).exists() for course in courses), name


@pytest.mark.parametrize("page", GUIDES)
def test_commands_and_their_options_exist(page: str) -> None:
    lines = re.findall(r"(?:^ *\$ |`)autograder ([a-z][^`\n#]*)", PAGES[page], re.MULTILINE)
    assert isinstance(main, click.Group)
    for line in lines:
        name, *words = line.split()
        known = {option for parameter in main.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


@pytest.mark.parametrize("page", GUIDES)
def test_targets_of_make_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in re.findall(r"(?:^ *\$ |`)make ([a-z][a-z -]*)", PAGES[page], re.MULTILINE):
        for target in line.split():
            assert f"\n{target}:" in makefile, target


def test_the_index_names_every_page() -> None:
    for page in PAGES:
        if page.startswith("docs/") and page != "docs/README.md":
            assert f"]({page.removeprefix('docs/')})" in PAGES["docs/README.md"], page


def test_both_guides_from_nothing_to_grades_have_ten_steps() -> None:
    for page, heading in (
        ("docs/gradescope.md", "## Ten steps"),
        ("docs/nbgrader.md", "## From clone to CSV in ten steps"),
    ):
        steps = PAGES[page].split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]
        assert re.findall(r"^(\d+)\. ", steps, re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_names_for_authors_can_be_imported() -> None:
    fixtures = {"same_outcome", "operators", "vectorised", "forward_time", "student"}
    names = {*fixtures, *grading.__all__, *probes.__all__, *(name for name in dir(strategies))}
    for cell, _, _ in rows(AUTHORING, "| name | from |"):
        assert set(re.findall(r"`(\w+)\(", cell)) <= names
    for cell, _ in rows(AUTHORING, "| name | what it does |"):
        assert set(re.findall(r"`(\w+)\(", cell)) <= set(probes.__all__)
    assert tolerance.TOLERANCES


def test_settings_of_nbgrader_exist() -> None:
    pytest.importorskip("nbgrader")
    grade = importlib.import_module("autograder.platforms.nbgrader.grading").Grade
    named = re.findall(r"c\.Grade\.(\w+)", PAGES["docs/nbgrader.md"])
    assert set(named) == {"salt", "device", "timing", "jobs", "run_cells"}
    assert set(named) <= set(grade.class_trait_names())


def test_the_excerpt_of_a_grader_is_what_the_grader_says() -> None:
    source = "".join(path.read_text() for path in COURSE["pooling"].graders.glob("test_*.py"))
    for part in blocks(README, "python")[0].strip().split("\n\n"):
        assert part.strip() in source


def test_a_hint_of_the_model_is_quoted_as_it_is() -> None:
    hint = "Your windows look as if the border were filled with 0. Which number can never win a maximum?"
    assert hint in README
    assert hint in AUTHORING
    assert hint in (COURSE["pooling"].graders / "misconceptions.py").read_text()


# Versions


def test_the_python_versions_are_those_of_the_package() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    says("README.md", f"Python ≥ {oldest}")
    says("CONTRIBUTING.md", f"Python {oldest} or newer")
    says("docs/gradescope.md", f"Python {oldest} or newer")
    minors = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python :: 3." in name]
    assert minors[0] == oldest


def test_the_changelog_has_a_section_for_the_version_and_one_for_what_comes() -> None:
    found = re.findall(r"^## \[([^]]+)\](?: - (\d{4}-\d\d-\d\d))?$", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert found[0] == ("Unreleased", "")
    assert found[1][0] == package.__version__
    assert all(date for _, date in found[1:])


def test_what_is_installed_exists() -> None:
    for page in GUIDES:
        for extras in re.findall(r"torch-autograder\[([\w,]+)\]", PAGES[page]):
            assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys(), page
        for version in re.findall(r"torch-autograder==([\d.]+)", PAGES[page]):
            assert version == package.__version__, page
    says("docs/your-own-course.md", f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer")


# What a run prints


@pytest.mark.slow
def test_a_student_reads_what_the_readme_shows(tmp_path: Path) -> None:
    shown = next(block for block in blocks(README, "text") if block.startswith("✗"))
    printed = autograder("grade", "examples/pooling/emil", "--no-timing", "-o", tmp_path / "r.json", columns=100).stdout
    lines = [line.rstrip() for line in printed.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("✗ naive_pooling /"))
    assert lines[start : start + shown.count("\n")] == shown.splitlines()


@pytest.mark.slow
def test_an_instructor_reads_what_the_readme_shows(tmp_path: Path) -> None:
    shown = next(block for block in blocks(README, "text") if block.startswith("Name")).splitlines()
    names = [line.split()[0] for line in shown[2:]]
    folders = [f"examples/pooling/{name}" for name in names]
    printed = autograder("grade", *folders, "-a", "pooling", "--no-timing", "-o", tmp_path / "out", columns=96).stdout
    lines = [line.rstrip() for line in printed.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("Name"))
    assert lines[start : start + len(shown)] == shown


# Figures


def test_the_course_is_as_large_as_the_readme_says() -> None:
    assert [row[0].strip("`") for row in sorted(rows(README, "| assignment |"))] == sorted(COURSE)
    says("README.md", f"{NUMBERS[len(COURSE)]} assignments of 100 points")
    says("docs/gradescope.md", "the sum of the exercises' points: 100 in this course")
    assert {sum(assignment.exercises.values()) for assignment in COURSE.values()} == {100}


def test_limits_of_a_submission() -> None:
    grading, limits = figures("grading"), Limits()
    first, least = grading["AFTER_TIMEOUT_SECONDS"], grading["LEAST_SECONDS"]
    assert least == first / 4
    later = f"for further checks of that exercise {first:g} s, {first / 2:g} s, then {least:g} s"
    says("README.md", f"time limit ({limits.check_seconds:g} s, and {later})")
    shown = tomllib.loads(blocks(AUTHORING, "toml")[0])
    assert shown["limits"] == {name: getattr(limits, name) for name in Limits.__struct_fields__}
    assert shown["examples"] == Assignment("", ROOT, "", {}).examples
    file_size = re.search(r"RLIMIT_FSIZE: (\d+) \* MB", (ROOT / "autograder/sandbox/confinement.py").read_text())
    assert file_size
    says("docs/security.md", f"({limits.memory_mb / 1024:g} GB by default), file size {file_size[1]} MB")


def test_how_often_operators_are_watched() -> None:
    grading = figures("grading")
    first, part = grading["ALWAYS_WATCHED"], grading["ONE_WATCHED_IN"]
    says(
        "docs/authoring.md",
        f"The first {first} questions of a check are watched, and about one in {part} of the others",
    )


def test_default_limits_of_timed_checks() -> None:
    sources = [path.read_text() for path in (ROOT / "autograder/grading").glob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    found = {
        ast.literal_eval(default)
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name == "forward_time"
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if argument.arg in ("cpu", "cuda") and default is not None
    }
    [(full, zero)] = found
    says(
        "docs/authoring.md",
        f"cpu=({full}, {zero}), cuda=({full}, {zero})",
        f"at most {full} times as long as the reference's; no points from {zero} times on",
    )


def test_how_forward_passes_are_timed() -> None:
    timing = figures("timing")
    most, early, few = (timing[name] for name in ("QUADRUPLES", "EARLY", "FEW"))
    rank = round(lower_bound([math.log(value) for value in range(1, most + 1)]))
    wrong = sum(math.comb(most, below) for below in range(rank)) / 2**most
    assert wrong**2 < 1e-6
    assert (2 * wrong) ** 2 < 3e-6  # by two clocks
    assert (NUMBERS[rank], timing["MOST_OF_IT"], timing["MOST_UNMEASURED"]) == ("four", 4 / 5, 1 / 10)
    says(
        "docs/timing.md",
        f"{most - rank + 1} of {most} comparisons beyond the limit (or the first {early} beyond the second limit)",
        f"{most} comparisons show that by chance less than once in a million times",
        f"the fourth smallest is a lower bound of the true ratio with {1 - wrong:.2%}".replace("%", " % confidence"),
        f"until the reference needs {timing['LONG_ENOUGH'] * 1000:g} ms, at most {timing['MOST_CALLS']} times",
        f"fewer than {early} quadruples, or if the reference itself was {timing['DISTURBED']} times slower",
        f"{few} quadruples are enough",
        f"{NUMBERS[timing['WARM_UP']['cuda']]} calls warm up",
        f"slowed down to {NUMBERS[timing['SLOWER']]} times the limit",
        "four fifths of it or more",
        "more than a tenth of the decisions",
    )
    decisions = next(option for option in main.commands["timing"].params if option.name == "decisions")
    says("docs/timing.md", f"{decisions.default} decisions of each kind")


def test_what_makes_two_submissions_alike() -> None:
    low, high = figures("report")["_COMMON"]
    [threshold] = [option.default for option in main.commands["similar"].params if option.name == "threshold"]
    assert threshold == 0.5
    source = (ROOT / "autograder/report/similarity.py").read_text()
    assert "// 20" in source
    says(
        "docs/class.md",
        "share half or more (`--threshold`)",
        f"twentieth of the class shares (more than {low} submissions in a small class, more than {high} in a very",
    )


def test_the_gradebook_begins_as_the_guide_says() -> None:
    says("docs/class.md", f"Canvas's own columns ({', '.join(figures('batch')['_WHO'])})")


def test_figures_of_gradescope() -> None:
    base = re.search(r"ARG BASE_IMAGE=gradescope/autograder-base:ubuntu-(\S+)", (ROOT / "Dockerfile").read_text())
    assert base
    most = {suffix: size // 2**20 for suffix, size in CAPS.items()}
    memory = figures("../tests/container")["MEMORY_MB"] / 1024
    says(
        "docs/gradescope.md",
        f"base image *Ubuntu*, version *{base[1]}*",
        f"Grading stops by itself after {Settings().deadline_seconds / 60:g} (`deadline_seconds`)",
        f"deadline_seconds = {Settings().deadline_seconds:g} ",
        f"of at most {most['.py']} MB ({most['.ipynb']} MB for notebooks)",
        f"at most {figures('results')['TEXT_LIMIT']:,} characters long",
        f"limits of the {memory:g} GB tier",
        f"**{memory:g} GB RAM, {figures('../tests/container')['CPUS']} CPU**",
    )


COLLECTING = """
import inspect, json, multiprocessing, re, sys
from pathlib import Path
from autograder.course import load_assignment
from autograder.grading.collecting import collect, mark


def checks(slug):
    found = []

    def use(items):
        for item in items:
            limits = re.findall(r"(?:cpu|cuda)=\\((\\d+), (\\d+)\\)", inspect.getsource(item.obj))
            found.append((mark(item, "exercise"), limits if "forward_time" in item.fixturenames else []))

    collect(load_assignment(Path.cwd(), slug), use)
    return found


with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(checks, sys.argv[1:], chunksize=1)))))
"""


@pytest.fixture(scope="module")
def checks() -> dict[str, list[tuple[str, list[tuple[str, str]]]]]:
    """The hidden checks of each assignment: the exercise, and the limits if it is timed."""
    command = [sys.executable, "-c", COLLECTING, *COURSE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_table_of_graders_has_the_exercises_checks_and_misconceptions_there_are(checks) -> None:
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows(PAGES["docs/grader-quality.md"], "| Assignment |")]
    for slug, assignment in COURSE.items():
        found = [row for row in table if row["Assignment"].strip("*") == slug]
        whole, *exercises = found
        assert whole["Exercise"] == WHOLE
        assert {row["Exercise"].strip("`"): float(row["Points"]) for row in exercises} == assignment.exercises
        known = ast.parse((assignment.graders / "misconceptions.py").read_text())
        mutants = tomllib.loads((assignment.graders / "equivalent_mutants.toml").read_text())["mutant"]
        declared = [
            decorator.args[0].value
            for node in known.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "misconception"
        ]
        for row in found:
            name = row["Exercise"].strip("`")

            def count(names: list[str], name: str = name) -> int:
                return len(names) if name == WHOLE else names.count(name)

            assert int(row["Checks"]) == count([exercise for exercise, _ in checks[slug]]), (slug, name)
            assert int(row["Misconceptions caught"].split("/")[1]) == count(declared), (slug, name)
            assert int(row["Equivalent mutants"]) == count([mutant["exercise"] for mutant in mutants]), (slug, name)


def test_the_timed_exercises_and_their_limits(checks) -> None:
    timed = {exercise: limits for found in checks.values() for exercise, limits in found if limits}
    says("docs/timing.md", f"{NUMBERS[len(timed)].capitalize()} exercises are timed")
    assert set(re.findall(r"`(\w+)`", TIMING[: TIMING.index("A student gets")])) == set(timed)
    margin = figures("timing")["MARGIN"]
    says("docs/timing.md", f"at least {margin} times the slowest correct solution", f"the margin of {margin}")
    styles = {path.stem for path in (ROOT / "benchmarks/styles").glob("*/*.py")}
    for cell, style, ratio, _, full, zero in rows(TIMING, "| exercise | slowest style |"):
        assert style.strip("`") in styles
        assert float(full) >= margin * float(ratio)
        for name in re.findall(r"`(\w+)`", cell):
            assert timed.pop(name) == [[full, zero], [full, zero]]
    assert not timed
