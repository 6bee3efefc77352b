"""How close the answers to one check come to being wrong, for `autograder grade --explain-pass`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from autograder.grading.tolerance import TOLERANCES, Standard, Tolerance, same_dtype, same_shape
from autograder.results.model import Margin
from autograder.sandbox.values import Outcome, Raised, Returned


@dataclass
class Margins:
    """What is known of the answers so far. `largest` is the largest error, as a multiple of what was allowed, and
    `bound` the tolerance there."""

    compared: int = 0
    wrong: int = 0
    exceptions: int = 0
    largest: float | None = None
    bound: Tolerance | None = None

    def add(self, expected: Outcome, got: Outcome, standard: Standard, *, right: bool) -> None:
        self.compared += 1
        self.wrong += not right
        self.exceptions += isinstance(expected, Raised)
        if isinstance(expected, Returned) and isinstance(got, Returned):
            self._measure(expected.value, got.value, standard)

    def result(self) -> Margin:
        bound = self.bound or Tolerance(0.0, 0.0)
        return Margin(self.compared, self.wrong, self.exceptions, self.largest, bound.relative, bound.absolute)

    def _measure(self, expected: Any, got: Any, standard: Standard) -> None:
        if isinstance(expected, dict) and isinstance(got, dict):
            for key in expected.keys() & got.keys():
                self._measure(expected[key], got[key], standard)
        elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
            for one, other in zip(expected, got, strict=False):
                self._measure(one, other, standard)
        elif isinstance(expected, float | complex) and isinstance(got, float | complex):
            double = torch.complex128
            self._note(torch.tensor(expected, dtype=double), torch.tensor(got, dtype=double), standard)
        elif isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor):
            floating = expected.dtype.is_floating_point or expected.dtype.is_complex
            if floating and same_shape(expected, got, standard) and same_dtype(expected, got, standard):
                self._note(expected, got.reshape(expected.shape), standard)

    def _note(self, expected: torch.Tensor, got: torch.Tensor, standard: Standard) -> None:
        dtype = expected.dtype if expected.dtype == got.dtype else torch.float32
        bound = standard.tolerance or TOLERANCES.get(dtype)
        expected, got = (tensor.detach().to(torch.complex128) for tensor in (expected, got))
        finite = expected.isfinite() & got.isfinite()
        if bound is None or not finite.any():
            return
        size, error = expected[finite].abs(), (got - expected)[finite].abs()
        allowed = bound.relative * size + bound.absolute * max(1.0, float(size.max()))
        if not bool((allowed > 0).all()):
            return
        largest = float((error / allowed).max())
        if self.largest is None or largest > self.largest:
            self.largest, self.bound = largest, bound
