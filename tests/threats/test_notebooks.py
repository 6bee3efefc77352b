"""Threat 18: notebooks with magics, shell lines, hooks, scripts, altered metadata and test cells."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import json

import pytest

attack = pytest.mark.attack


def notebook(*cells, **metadata):
    """The prelude's honest functions are in the first cell."""
    honest = (
        "import torch\n"
        "def refusing(x):\n    raise ValueError('refused')\n"
        "def honest(x, noise=False):\n"
        "    return 2 * x + torch.ones(x.shape) + (torch.rand(x.shape) if noise else 0)\n"
    )
    content = [
        cell if isinstance(cell, dict) else {"cell_type": "code", "source": cell, "metadata": {}, "outputs": []}
        for cell in (honest, *cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": content})


WORK = "def attacked(x):\n    return 3 * x\n"
TRICKS = {
    "shell": ["!touch /tmp/stray-of-a-submission\n!!ls\nfiles = !ls /", "%%bash\ntouch /tmp/stray-of-a-submission\n"],
    "magics": ["%run /etc/passwd\n%load_ext evil\n%autoreload 2\n%cd /\n%env X=1", "%%writefile /tmp/stray-of-a-submission\nx"],
    "scripts": ["%%javascript\nalert(1)\n", "%%html\n<script>alert(1)</script>\n", "%%perl\nunlink\n"],
    "transformers": [
        "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['import os\\n', 'os._exit(0)\\n'])",
        "get_ipython().display_formatter.ipython_display_formatter = None",
    ],
    "display_hooks": ["import sys\nsys.displayhook = lambda value: 1 / 0\n1 + 1", "from IPython.display import Javascript\nJavascript('x')"],
    "test_cells": [
        {"cell_type": "code", "source": "assert False", "outputs": [], "metadata": {"nbgrader": {"grade": True, "points": 10**6, "grade_id": "mine", "locked": True, "solution": False, "schema_version": 3}}},
        "score = 10**6\n### BEGIN HIDDEN TESTS\nassert attacked is None\n### END HIDDEN TESTS",
    ],
    "raising_cells": ["1 / 0", "import sys\nsys.exit(3)", "raise KeyboardInterrupt"],
    "outputs": [{"cell_type": "code", "source": "pass", "metadata": {}, "outputs": [{"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}}]}],
    "other_cells": [{"cell_type": "markdown", "source": "<script>alert(1)</script>", "metadata": {}}, {"cell_type": "raw", "source": "def attacked(x): return 0", "metadata": {}}],
}  # fmt: skip


@pytest.mark.parametrize(
    "trick",
    [
        pytest.param(n, id=n, marks=attack(notebook(*cells, WORK), raw=True, notebook=True))
        for n, cells in TRICKS.items()
    ],
)
def test_only_the_code_of_a_notebook_is_taken(result, trick):
    assert result.points == {"attacked": 6, "refusing": 2, "honest": 4}, trick
    assert "<script>" not in result.text


@attack(notebook("%%time\n" + WORK, "%timeit attacked(None)\nattacked?"), raw=True, notebook=True)
def test_harmless_magics_cost_nothing(result):
    assert result.data["score"] == 12


@attack(
    "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('echo no')\n"
    + "get_ipython().run_cell_magic('time', '', "
    + repr(WORK)
    + ")\n"
)
def test_an_exported_notebooks_calls_of_the_shell_cost_nothing(result):
    assert result.data["score"] == 12


@attack(notebook("import os\nos._exit(0)", WORK, "import os\nos.abort()"), raw=True, notebook=True)
def test_a_cell_that_leaves_costs_that_cell(result):
    assert result.data["score"] == 12
    assert "without them: cell 2, cell 4." in result.notice


@attack(notebook(WORK, "while True:\n    pass"), raw=True, notebook=True)
def test_a_cell_that_hangs_costs_that_cell(result):
    assert result.data["score"] == 12
    assert "without them: cell 3." in result.notice


@attack(
    notebook(WORK, kernelspec={"name": "../../bin/sh", "language": "bash"}, language_info={"name": "bash"}),
    raw=True,
    notebook=True,
)
def test_the_kernel_that_a_notebook_asks_for_does_not_matter(result):
    assert result.data["score"] == 12
