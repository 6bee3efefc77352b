"""The course's own solutions as modules, and the skeletons that students receive instead."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from autograder.course.skeletons import skeleton

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"


def load_solution(slug: str) -> ModuleType:
    return _load(SOLUTIONS / slug / f"{slug}.py")


def load_skeleton(slug: str, folder: Path) -> ModuleType:
    """Written to `folder` to be loaded."""
    path = folder / "skeleton.py"
    path.write_text(skeleton((SOLUTIONS / slug / f"{slug}.py").read_text(encoding="utf-8")), encoding="utf-8")
    return _load(path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.stem}_solution", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
