"""Threat 16: hidden inputs, carried out by output or exceptions."""

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
import logging, warnings


def attacked(x):
    text = f"printed-{'loot'} {x.tolist()} "
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            print(text, file=stream, flush=True)
        except (OSError, ValueError, AttributeError):
            pass
    for fd in (1, 2):
        os.write(fd, text.encode())
    logging.error(text)
    warnings.warn(text)
    return 3 * x
""")
def test_what_a_student_prints_is_shown_nowhere(result, graded):
    assert result.data["score"] == 12
    assert "printed-loot" not in result.text + graded.stdout + graded.stderr


@attack("""
seen = []


def honest(x, noise=False):
    seen.append(x.tolist())
    return 2 * x + torch.ones(x.shape)


def attacked(x):
    return 3 * x


def refusing(x):
    raise RuntimeError("inputs-so-far: " + repr(seen + [x.tolist()] * 1000) + "the-end-of-it")
""")
def test_a_message_that_carries_inputs_is_cut(result):
    assert result.points["refusing"] == 0
    (output,) = [test["output"] for test in result.data["tests"] if test["tags"] == ["refusing"]]
    assert "inputs-so-far" in output
    assert "the-end-of-it" not in output.split("Expected")[0].split("\n  in ")[0]
    assert output.count("0.0") < 200


@attack("""
def attacked(x):
    try:
        raise KeyError("cause-loot")
    except KeyError as error:
        raise RuntimeError("outer") from error
""")
def test_of_a_chain_of_exceptions_only_the_last_is_shown(result):
    result.failed_alone("RuntimeError: outer")
    assert "cause-loot" not in result.verdict.replace('raise KeyError("cause-loot")', "")


@attack("""
def attacked(x):
    return torch.nn.functional.max_pool2d(x, 99)
""")
def test_of_a_traceback_only_the_students_own_lines_are_shown(result):
    result.failed_alone("max_pool2d")
    for name in ("site-packages", "autograder/", "worker.py", "<probe>", "/tmp/", "functional.py"):
        assert name not in result.verdict
