"""Templates that escape whatever they are given, and what pages and notebooks share to draw values."""

from __future__ import annotations

from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.output.inert import inert, one_line

_PROSE, _NAME = 2_500, 200


def environment(package: str) -> Environment:
    """The templates of this package, and `values.html`."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("autograder.results")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "line": lambda text: one_line(text, _NAME),
        "prose": lambda text: inert(text, _PROSE).strip(),
    }
    return made


def style(package: str, name: str) -> Markup:
    """A style sheet of this package, and that of `values.html`, which uses the colours it defines."""
    return Markup(source(package, name) + source("autograder.results", "values.css"))


def source(package: str, name: str) -> str:
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")
