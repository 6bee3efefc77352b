"""Mistakes that any module can make, as base classes for misconceptions: `class Overwrites(OneRoom, LeNet): pass`.

A submission made from a misconception contains this file's text, since a worker can import nothing from a grader.
"""

import torch
import torch.nn.functional as F
from torch import nn


class OneRoom(nn.Module):
    """Where no graph is needed, every result is written into the same memory."""

    room: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = super().forward(x)
        if result.requires_grad:
            return result
        if self.room is None or self.room.dtype != result.dtype or self.room.numel() < result.numel():
            self.room = torch.empty(result.numel(), dtype=result.dtype, device=result.device)
        return self.room[: result.numel()].view(result.shape).copy_(result)


class NoGraphInEvaluation(nn.Module):
    """No gradient is recorded in evaluation mode."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.training):
            result: torch.Tensor = super().forward(x)
            return result


class FirstSize(nn.Module):
    """Every map that is returned is brought to the size of the first one."""

    size: torch.Size | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = super().forward(x)
        self.size = self.size or result.shape[2:]
        return result if result.shape[2:] == self.size else F.interpolate(result, self.size)
