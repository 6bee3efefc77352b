"""What students hand in, in tests/handed_in, and the small assignment that it is handed in for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from toy_course import check, grader, toy_course

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SLUG = "warmup"
HANDED_IN = Path(__file__).parent / "handed_in"
# The name of each submission's folder, and what is expected of its result.
CASES: dict[str, dict[str, Any]] = tomllib.loads((HANDED_IN / "expected.toml").read_text(encoding="utf-8"))

_SOLUTION = """\
import torch
from torch import nn


def double(x):
    return 2 * x


def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
"""


def course(root: Path) -> Path:
    """Writes the course into `root`, which it returns."""
    return toy_course(
        root,
        SLUG,
        exercises={"double": 40, "clipped": 40, "Scale": 20},
        submission={"files": ["helpers.py", "tools/*.py", "data/*.npy"]},
        solution=_SOLUTION,
        checks=grader(
            check("double", 40, "m.double(x)"),
            check("clipped", 40, "m.clipped(x)"),
            check("Scale", 20, "m.Scale(3)(x)", name="scale"),
        ),
    )
