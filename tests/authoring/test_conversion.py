"""`autograder new --from`: source notebooks in nbgrader's and otter's form become assignments."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.course import load_assignment
from autograder.course.skeletons import skeleton
from command_line import autograder

v4 = nbformat.v4


def nbgrader(source: str, *, points: float | None = None, solution: bool = False, task: bool = False):
    mark = {"schema_version": 3, "grade_id": f"c{len(source)}", "locked": not solution, "task": task}
    mark |= {"grade": points is not None, "solution": solution, **({"points": points} if points is not None else {})}
    return v4.new_code_cell(source, metadata={"nbgrader": mark})


def otter(*cells: str, name: str, points: object = None):
    """A question: the first cell is its solution, the others are its tests."""
    settings = f"name: {name}\n" + (f"points: {json.dumps(points)}\n" if points is not None else "")
    yield v4.new_raw_cell(f"# BEGIN QUESTION\n{settings}")
    yield v4.new_raw_cell("# BEGIN SOLUTION")
    yield v4.new_code_cell(cells[0])
    yield v4.new_raw_cell("# END SOLUTION")
    yield v4.new_raw_cell("# BEGIN TESTS")
    yield from map(v4.new_code_cell, cells[1:])
    yield v4.new_raw_cell("# END TESTS")
    yield v4.new_raw_cell("# END QUESTION")


NOTEBOOKS = {
    # nbgrader: markers, hidden tests, values and closeness
    "scaling": [
        v4.new_markdown_cell("# Scaling\nMake numbers comparable."),
        v4.new_code_cell("%matplotlib inline\nimport numpy as np\nimport torch"),
        nbgrader(
            'def standardise(x):\n    """(N,) → (N,)"""\n    ### BEGIN SOLUTION\n    return (x - x.mean()) / x.std()\n'
            "    ### END SOLUTION",
            solution=True,
        ),
        nbgrader(
            "x = torch.tensor([1.0, 2.0, 3.0])\nassert standardise(x).shape == (3,)\n### BEGIN HIDDEN TESTS\n"
            "torch.manual_seed(3)\ny = torch.randn(5)\nsecret = torch.tensor([123.0])\n"
            "assert torch.allclose(standardise(x), (x - 2.0) / 1.0, atol=1e-6), 'Mean 0 and deviation 1.'\n"
            "torch.testing.assert_close(standardise(2 * x), standardise(x))\n"
            "assert abs(standardise(y).mean() - 0.0) < 1e-5\n### END HIDDEN TESTS",
            points=3,
        ),
    ],
    # nbgrader: a whole cell as the solution, exceptions, types, bounds, things that cannot be split
    "guards": [
        nbgrader(
            'def root(x):\n    """A root."""\n    if x < 0:\n        raise ValueError("negative")\n    return x**0.5',
            solution=True,
        ),
        nbgrader(
            "import pytest\nwith pytest.raises(ValueError):\n    root(-1)\n"
            "try:\n    root(-4)\n    assert False\nexcept ValueError:\n    pass\n"
            "assert isinstance(root(4), float) and root(4) == 2\nassert root(2) < 1.5\nassert not root(0)\n"
            "for n in range(3):\n    assert root(n * n) == n\nassert root(9) != 4",
            points=5,
        ),
        nbgrader("print(root(16))", points=1),
        v4.new_markdown_cell(
            "The model answer.", metadata={"nbgrader": {"grade": True, "solution": True, "points": 2, "task": False}}
        ),
    ],
    # nbgrader: a class and data, NumPy's assertions
    "layers": [
        v4.new_markdown_cell("# Layers"),
        nbgrader("import numpy as np\nimport torch\nfrom torch import nn", points=None),
        nbgrader(
            "class Twice(nn.Module):\n    def forward(self, x):\n        ### BEGIN SOLUTION\n        return 2 * x\n"
            "        ### END SOLUTION",
            solution=True,
        ),
        nbgrader(
            "layer = Twice()\nout = layer(torch.ones(2))\nexpected = torch.full((2,), 2.0)\n"
            "### BEGIN HIDDEN TESTS\nassert torch.equal(out, expected)\n"
            "np.testing.assert_array_almost_equal(out.numpy(), np.array([2.0, 2.0]))\n### END HIDDEN TESTS",
            points=2,
        ),
        nbgrader("ORDER = [2, 1]", solution=True),
        nbgrader("assert ORDER == [2, 1]", points=1),
    ],
    # otter: line markers, points in several places, tests that display, hidden tests
    "first_steps": [
        v4.new_raw_cell("# ASSIGNMENT CONFIG\nname: First steps\nsolutions_pdf: false"),
        v4.new_code_cell("import numpy as np"),
        *otter(
            "def square(x):\n    y = x * x # SOLUTION\n    return y # SOLUTION",
            "square(3)",
            "# HIDDEN\nassert square(-2) == 4",
            name="q1",
            points=4,
        ),
        *otter("half = 0.5 # SOLUTION", "assert np.isclose(half, 1 / 2)", name="q2"),
    ],
    # otter: regions, test functions, points for each, settings of a test
    "counting_words": [
        v4.new_code_cell("import otter\ngrader = otter.Notebook()"),
        *otter(
            "def words(text):\n    # BEGIN SOLUTION\n    return len(text.split())\n    # END SOLUTION",
            "def test_words(words):\n    assert words('a b') == 2\n    assert words('') == 0",
            '""" # BEGIN TEST CONFIG\npoints: 3\nhidden: true\n""" # END TEST CONFIG\nassert words(" a ") == 1',
            name="q1",
            points={"each": 1},
        ),
        v4.new_raw_cell("# BEGIN QUESTION\nname: q2\nmanual: true"),
        v4.new_raw_cell("# BEGIN PROMPT"),
        v4.new_markdown_cell("Write here."),
        v4.new_raw_cell("# END PROMPT"),
        v4.new_raw_cell("# BEGIN SOLUTION"),
        v4.new_markdown_cell("The model answer."),
        v4.new_raw_cell("# END SOLUTION"),
        v4.new_raw_cell("# END QUESTION"),
    ],
}


def written(name: str, folder: Path) -> Path:
    path = folder / f"{name}.ipynb"
    nbformat.write(v4.new_notebook(cells=NOTEBOOKS[name]), path)
    return path


def new(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["new", *map(str, arguments)])


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("converted")
    for name in NOTEBOOKS:
        done = new("--from", written(name, root), "--course", root)
        assert done.exit_code == 0, (name, done.output, done.exception)
        (root / f"{name}.txt").write_text(done.output)
    return root


def grader(course: Path, slug: str, exercise: str) -> str:
    [path] = (course / "graders" / slug).glob(f"test_*_{exercise}.py")
    return path.read_text()


def probes(text: str) -> str:
    """What is sent to the worker."""
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Lambda) or getattr(node, "name", "") == "probe"
    ]
    return "\n".join(map(ast.unparse, found))


def test_exercises_and_points_are_those_of_the_notebook(course):
    assert {slug: load_assignment(course, slug).exercises for slug in NOTEBOOKS} == {
        "scaling": {"standardise": 3},
        "guards": {"root": 5},
        "layers": {"Twice": 2, "ORDER": 1},
        "first_steps": {"square": 4, "half": 1},
        "counting_words": {"words": 4},
    }
    assert load_assignment(course, "first_steps").title == "First steps"


def test_what_students_compute_is_asked_and_what_is_expected_stays_with_the_grader(course):
    text = grader(course, "scaling", "standardise")
    assert "m.standardise(x).shape" in probes(text)
    assert '"""Mean 0 and deviation 1."""' in text
    assert "tolerance=Tolerance(0.0, 1e-06)" in text
    for secret in ("(3,)", "x - 2.0", "123", "- 0.0", "== ", "allclose", "assert"):
        assert secret not in probes(text), secret
    assert "torch.manual_seed(3)" in probes(text)
    for slug, exercise in (("layers", "Twice"), ("layers", "ORDER"), ("counting_words", "words"), ("guards", "root")):
        assert not re.search(r"assert|==|expected|array\(\[|\[2, 1\]|1\.5", probes(grader(course, slug, exercise)))


def test_exceptions_types_and_bounds(course):
    text = grader(course, "guards", "root")
    assert text.count("raises=ValueError") == 2
    assert "type(m.root(4)).__name__" in text
    assert "value = student(lambda m: float(m.root(2)))" in text
    assert "expect(isinstance(value, float) and value < 1.5" in text


def test_what_cannot_be_converted_is_named_with_cell_and_line(course):
    told = (course / "guards.txt").read_text()
    assert "cell 2, line 12: its assertions are inside a loop, a function or another block: for n in range(3):" in told
    assert "cell 2, line 14: it asserts only what a value is not: assert root(9) != 4" in told
    assert "cell 3, line 1: no check is made of it, and its 1 points are left out" in told
    assert "cell 4, line 1: it is graded by hand" in told
    assert "Not converted" not in (course / "first_steps.txt").read_text()


def test_solutions_have_markers_and_skeletons_none_of_them(course):
    for slug in NOTEBOOKS:
        text = (course / "solutions" / slug / f"{slug}.py").read_text()
        stubs = skeleton(text)
        assert "YOUR CODE HERE" in stubs
        assert not re.search(r"SOLUTION|x\.std|\*\*0\.5|2 \* x|x \* x|0\.5|split", stubs), slug
        assert "model answer" not in text
    assert "half = ..." in (course / "solutions/first_steps/first_steps.py").read_text()
    assert '"""A root."""' in skeleton((course / "solutions/guards/guards.py").read_text())


def test_only_visible_tests_become_public(course):
    public = (course / "assignments/scaling/test_scaling.py").read_text()
    assert "assert scaling.standardise(x).shape == (3,)" in public
    assert "manual_seed" not in public
    hidden = load_assignment(course, "layers").without_public_tests
    assert list(hidden) == ["Twice"]
    assert "-2" not in (course / "assignments/first_steps/test_first_steps.py").read_text()


@pytest.mark.parametrize("cells", [[], [v4.new_code_cell("assert 1 == 1")], [nbgrader("x = 1", solution=True)]])
def test_other_notebooks_get_a_sentence(cells, tmp_path):
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "other.ipynb")
    done = new("--from", tmp_path / "other.ipynb", "--course", tmp_path)
    assert done.exit_code == 2
    assert "name the source notebook, not what students receive." in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["other.ipynb"]


@pytest.mark.slow
def test_the_solutions_get_all_points_and_the_skeletons_none(course, tmp_path):
    for slug in NOTEBOOKS:
        (tmp_path / f"{slug}.py").write_text(skeleton((course / "solutions" / slug / f"{slug}.py").read_text()))
    solutions = [f"solutions/{slug}" for slug in NOTEBOOKS]
    for submissions, share in ((solutions, 1), ([str(tmp_path / f"{slug}.py") for slug in NOTEBOOKS], 0)):
        done = autograder("grade", *submissions, "--course", course, "-o", tmp_path / "out", cwd=course)
        assert done.returncode == 0, done.stdout + done.stderr
        for slug, submission in zip(NOTEBOOKS, submissions, strict=True):
            result = json.loads((tmp_path / "out" / f"{Path(submission).name}.json").read_text())
            total = sum(load_assignment(course, slug).exercises.values())
            assert result["score"] == share * total, (slug, result)
