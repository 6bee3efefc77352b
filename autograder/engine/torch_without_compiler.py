"""Keeps PyTorch's compiler out of processes that compile nothing: importing it takes longer than grading.

Functions that PyTorch hides from its compiler (such as all meta kernels written in Python) import it when they are
first called, only to tell it to leave them alone.
"""

from __future__ import annotations

import gc
import importlib
import os
import tempfile
import types

import torch._compile


def leave_compiler_alone() -> None:
    """Lets the functions that PyTorch has hidden from its compiler so far run without it.

    Has no effect if a version of PyTorch stores the compiler's answer elsewhere. Calling `torch.compile` or an
    optimizer later still imports the compiler.
    """
    hidden = torch._compile._disable_dynamo(lambda: None).__code__
    if "fn" not in hidden.co_freevars:
        return
    position = hidden.co_freevars.index("fn")
    for function in gc.get_objects():
        if type(function) is types.FunctionType and function.__code__ is hidden:
            inner = (function.__closure__ or ())[position].cell_contents
            inner.__dynamo_disable = inner


def import_compiler() -> None:
    """For optimizers, which import the compiler at their first step. It makes a folder for compiled code, which is not
    needed here."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        importlib.import_module("torch._dynamo")
        del os.environ["TORCHINDUCTOR_CACHE_DIR"]


def import_meta_kernels() -> None:
    """For models without numbers: the first operator on the meta device imports the code that computes shapes."""
    torch.relu(torch.empty(1, device="meta"))
