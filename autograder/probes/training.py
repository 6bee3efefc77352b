"""What a probe needs to watch a training loop for a few steps: a journal of what happens, and things that write in it.

Accuracy after training is a matter of luck. Parameters after three steps in float64 are not, and the journal says in
what order the loop did what, with which samples and in which mode. All of it works however the loop is written: with
closures, `functional_call`, `autograd.grad`, and gradients zeroed wherever that is right.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import nn

from autograder.probes.filling import fill

M = TypeVar("M", bound=nn.Module)
O = TypeVar("O", bound="torch.optim.Optimizer")  # noqa: E741
Batch = tuple[torch.Tensor, torch.Tensor]


class Journal:
    """What happened, in order. A copy of something that writes in a journal writes in the same one."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []  # (kind, details)
        self.gradients: list[torch.Tensor | None] = []  # all in one vector, as each step found them
        self.parameters: list[torch.Tensor] = []  # all in one vector, after each step
        self.passes: list[list[int]] = []  # the numbers of the samples in each forward pass, 0 for unknown ones
        self.most_graphs = 0  # that were in memory at the same time
        self._graphs: weakref.WeakSet[_Token] = weakref.WeakSet()
        self._samples: dict[tuple[float, ...], tuple[str, int]] = {}

    def __deepcopy__(self, _memo: object) -> Journal:
        return self

    def note(self, kind: str, details: str = "") -> None:
        self.events.append((kind, details))

    def order(self, *kinds: str) -> list[str]:
        """The events of these kinds, one round of the loop after the other: ["forward, backward, step", ...]. A round
        ends where something would come again."""
        lines: list[list[str]] = []
        for kind, _ in self.events:
            if kind in kinds:
                if not lines or kind in lines[-1]:
                    lines.append([])
                lines[-1].append(kind)
        return [", ".join(line) for line in lines]

    def details(self, kind: str) -> list[str]:
        """The details of all events of one kind."""
        return [details for one, details in self.events if one == kind]

    def introduce(self, x: torch.Tensor, name: str = "") -> None:
        """Numbers the samples of `x`, so that the journal can say which of them went through a model."""
        start = 1 + sum(known == name for known, _ in self._samples.values())
        for number, row in enumerate(x, start):
            self._samples[_key(row)] = (name, number)

    def note_forward(self, x: torch.Tensor) -> None:
        """Notes "forward" and which samples these are: "samples 1 to 4"."""
        known = [self._samples.get(_key(row), ("", 0)) for row in x]
        names, numbers = {name for name, _ in known}, [number for _, number in known]
        self.passes.append(numbers)
        if 0 in numbers or len(names) != 1:
            self.note("forward", f"{len(x)} samples that do not belong to one loader")
            return
        in_a_row = len(x) > 1 and numbers == list(range(numbers[0], numbers[0] + len(x)))
        listed = f"{numbers[0]} to {numbers[-1]}" if in_a_row else ", ".join(map(str, numbers))
        self.note("forward", f"{names.pop()} sample{'s' * (len(x) > 1)} {listed}".lstrip())

    def begin_graph(self) -> _Token:
        """An object that lives as long as a graph does, once the graph refers to it."""
        token = _Token()
        self._graphs.add(token)
        if len(self._graphs) > 2:
            gc.collect()  # what only a circle of references keeps alive does not count
        self.most_graphs = max(self.most_graphs, len(self._graphs))
        return token


def watched_model(model: M, journal: Journal) -> M:
    """The model itself. Each forward pass is noted as "forward" with its samples, as "mode" with "training",
    "evaluation" or "mixed", and as "output" with "graph" or "no graph"."""
    kind = type(model)

    def forward(self: M, x: torch.Tensor) -> Any:
        modes = {module.training for module in self.modules()}
        journal.note_forward(x)
        journal.note("mode", "mixed" if len(modes) > 1 else "training" if modes.pop() else "evaluation")
        output = kind.forward(self, x)
        journal.note("output", "graph" if output.requires_grad else "no graph")
        return output

    model.__class__ = type(kind.__name__, (kind,), {"forward": forward})
    return model


def watched_optimizer(optimizer: O, journal: Journal) -> O:
    """The optimizer itself. Notes "zero_grad" and "step", and keeps gradients and parameters of each step."""

    def parameters() -> list[torch.Tensor]:
        return [tensor for group in optimizer.param_groups for tensor in group["params"]]

    def after_step(*_: object) -> None:
        journal.note("step")
        gradients = [tensor.grad for tensor in parameters() if tensor.grad is not None]
        journal.gradients.append(_vector(gradients) if gradients else None)
        journal.parameters.append(_vector(parameters()))

    def zero_grad(*args: Any, **kwargs: Any) -> None:
        journal.note("zero_grad")
        type(optimizer).zero_grad(optimizer, *args, **kwargs)

    optimizer.register_step_post_hook(after_step)
    optimizer.zero_grad = zero_grad  # type: ignore[method-assign]
    return optimizer


class WatchedLoader:
    """Yields the same batches each time. Noted: "iteration" when one begins, with the loader's name."""

    def __init__(self, batches: Sequence[Batch], journal: Journal, name: str = "") -> None:
        self.batches, self.journal, self.name = batches, journal, name
        for x, _ in batches:
            journal.introduce(x, name)

    def __repr__(self) -> str:
        return f"<{self.name} loader of {len(self.batches)} batches>".replace("< ", "<")

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        self.journal.note("iteration", self.name)
        for x, y in self.batches:
            yield x.clone(), y.clone()


class WatchedLoss:
    """A loss function. Each call is noted as "loss", and each use of its gradient as "backward". The journal also
    counts how many of its graphs are in memory at the same time."""

    def __init__(self, loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], journal: Journal) -> None:
        self.loss_fn, self.journal = loss_fn, journal

    def __repr__(self) -> str:
        return getattr(self.loss_fn, "__name__", repr(self.loss_fn))

    def __call__(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.journal.note("loss")
        loss = self.loss_fn(prediction, y)
        if not loss.requires_grad:
            return loss
        watched: torch.Tensor = _Watched.apply(  # type: ignore[no-untyped-call]
            loss, self.journal, self.journal.begin_graph()
        )
        return watched


def tiny_model(*, batch_norm: bool = False, dropout: float = 0.0, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """3 numbers in, logits of 3 classes out, in training mode; always with the same numbers in it."""
    extras = [nn.BatchNorm1d(4)] if batch_norm else []
    noise = [nn.Dropout(dropout)] if dropout else []
    return fill(nn.Sequential(nn.Linear(3, 4), *extras, nn.Tanh(), *noise, nn.Linear(4, 3)).to(dtype))


def tiny_batches(*sizes: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Batch]:
    """Batches of these sizes for `tiny_model`: no two samples are equal, and there are samples of each class."""
    generator = torch.Generator().manual_seed(seed)
    count = sum(sizes)
    x = torch.randn(count, 3, generator=generator, dtype=torch.float64).to(dtype)
    y = torch.arange(count)[torch.randperm(count, generator=generator)] % 3
    return list(zip(torch.split(x, list(sizes)), torch.split(y, list(sizes)), strict=True))


class _Token:
    """Something that can be referred to weakly."""


class _Watched(torch.autograd.Function):
    """The identity; written so that it also works inside `torch.func.grad`."""

    @staticmethod
    def forward(loss: torch.Tensor, _journal: Journal, _token: _Token) -> torch.Tensor:
        return loss.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, Journal, _Token], output: torch.Tensor) -> None:  # noqa: ARG004
        _, ctx.journal, ctx.token = inputs

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        ctx.journal.note("backward")
        return gradient, None, None


def _vector(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def _key(row: torch.Tensor) -> tuple[float, ...]:
    return tuple(row.detach().flatten().tolist())
