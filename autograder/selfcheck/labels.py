"""What tracebacks call the pieces of a student's code, and what the student calls them."""

from __future__ import annotations

from autograder.selfcheck.events import Order


def label_of(order: Order, label: str) -> str:
    """A file's own path, so that whoever looks for the source finds it; a name for what was never a file."""
    return order.file if not order.is_notebook and order.file.endswith(".py") else label


def labels_of(order: Order) -> dict[str, str]:
    """Tracebacks' name → the student's: "" for a file, since there is only one."""
    return {label_of(order, cell.label): cell.label if order.is_notebook else "" for cell in order.cells}
