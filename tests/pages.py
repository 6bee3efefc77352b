"""What tests read in the pages."""

from __future__ import annotations

import re


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in this language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return ["".join(line[len(indent) :] for line in block.splitlines(keepends=True)) for indent, block in found]


def commands(text: str) -> list[str]:
    """What a page lets its readers type, in their order."""
    typed = [line for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in typed]
