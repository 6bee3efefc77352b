"""Keeps PyTorch's compiler out of processes that compile nothing: importing it takes longer than grading does.

Functions that PyTorch hides from its compiler import it when they are first called (all meta kernels written in Python
do, for one), only to have it told to leave them alone.
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

    It has no effect where a version of PyTorch keeps the compiler's answer elsewhere. Who calls `torch.compile` or an
    optimizer still gets the compiler, then.
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
    """For optimizers: each imports it with its first step. It makes a folder for what it will compile, which nobody
    does here."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        importlib.import_module("torch._dynamo")
        del os.environ["TORCHINDUCTOR_CACHE_DIR"]


def import_meta_kernels() -> None:
    """For models without numbers: the first operator on the meta device imports how shapes are computed."""
    torch.relu(torch.empty(1, device="meta"))
