"""Inputs of the checks, and small runs of the functions under test that end in plain values."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from autograder.grading import Tolerance
from autograder.probes import (
    Journal,
    WatchedLoader,
    WatchedLoss,
    fill,
    tiny_batches,
    tiny_model,
    watched_model,
    watched_optimizer,
)

float32, float64 = torch.float32, torch.float64

TYPE = "type of the result"
SHARES = Tolerance(1e-6, 1e-6)  # a mean in float32 is right
CLIPPED = Tolerance(1e-5, 1e-5)  # with or without PyTorch's 1e-6 in the coefficient


def type_of(value):
    return type(value).__name__


def number(value):
    """A number, also where a submission returns a tensor: only one check is about that."""
    return float(value.detach() if isinstance(value, torch.Tensor) else value)


# --- models ----------------------------------------------------------------------------------------------------------


def modes(model):
    """{name: True for training, False for evaluation}"""
    return {name or "the model itself": module.training for name, module in model.named_modules()}


def values(model):
    """{name: copy of a parameter or buffer}"""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def mixed(model):
    """The model with every second module in evaluation mode; itself in training mode."""
    for position, module in enumerate(model.modules()):
        module.training = position % 2 == 0
    return model


def with_gradients(model):
    """The model with gradients that nobody asked for."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.full_like(parameter, 0.7)
    return model


class StandsStill(nn.BatchNorm1d):
    """A batch normalisation that stays in evaluation mode, as people use when they fine-tune."""

    def train(self, mode=True):  # noqa: ARG002
        return super().train(False)


def partly_in_evaluation():
    model = tiny_model()
    model.insert(1, StandsStill(4))
    return fill(model.double())


# --- one epoch -------------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "SGD": lambda model: torch.optim.SGD(model.parameters(), lr=0.3),
    "SGD with lr=0": lambda model: torch.optim.SGD(model.parameters(), lr=0.0),
    "momentum": lambda model: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.05),
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1),
    "groups": lambda model: torch.optim.SGD(
        [{"params": model[0].parameters(), "lr": 0.05}, {"params": model[1:].parameters()}], lr=0.4, momentum=0.5
    ),
}


class Run:
    """A model, loader, loss and optimizer that write in one journal, and what `train_one_epoch` makes of them."""

    def __init__(self, sizes, *, model=tiny_model, optimizer="SGD", seed=0, loss_fn=F.cross_entropy):
        self.journal = Journal()
        self.model = watched_model(model(), self.journal)
        self.optimizer = watched_optimizer(OPTIMIZERS[optimizer](self.model), self.journal)
        self.loader = WatchedLoader(tiny_batches(*sizes, seed=seed), self.journal)
        self.loss_fn = WatchedLoss(loss_fn, self.journal)

    def train(self, m, **options):
        return m.train_one_epoch(self.model, self.loader, self.loss_fn, self.optimizer, **options)

    def gradient(self, batch):
        """The gradients, in one vector, that the optimizer found in its step after the forward pass of a batch
        (0, 1, …); in the last such step, if it made several."""
        start = sum(len(y) for _, y in self.loader.batches[:batch])
        wanted = [start + number for number in range(1, 1 + len(self.loader.batches[batch][1]))]
        passes, gradients = iter(self.journal.passes), iter(self.journal.gradients)
        found = samples = None
        for kind, _ in self.journal.events:
            if kind == "forward":
                samples = next(passes)
            elif kind == "step":
                gradient = next(gradients)
                found = gradient if samples == wanted else found
        return found


class NoLength:
    """A loader that can be iterated over again and again, and nothing else."""

    def __init__(self, batches):
        self.batches = batches

    def __repr__(self):
        return f"<loader of {len(self.batches)} batches>"

    def __iter__(self):
        return iter(self.batches)


class Loss:
    """A loss function with a name that can be shown."""

    def __init__(self, function):
        self.function = function

    def __repr__(self):
        return self.function.__name__

    def __call__(self, prediction, y):
        return self.function(prediction, y)


cross_entropy = Loss(F.cross_entropy)


def squared_error(prediction, y):
    """Labels as numbers."""
    return (prediction - y.unsqueeze(1)).square().mean()


class Fragile(nn.Module):
    """Raises an OverflowError for a batch of fewer than three samples."""

    def __init__(self):
        super().__init__()
        self.body = tiny_model(batch_norm=True)
        self.noise = nn.Dropout(0.5)

    def forward(self, x):
        if len(x) < 3:
            raise OverflowError("a batch of fewer than three")
        return self.noise(self.body(x))


# --- fit -------------------------------------------------------------------------------------------------------------


class Level(nn.Module):
    """Its loss is its parameter, whatever the samples; its buffer counts the forward passes in training mode."""

    def __init__(self, start=9.0):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(start, dtype=float64))
        self.register_buffer("count", torch.zeros((), dtype=float64))

    def forward(self, x):
        if self.training:
            self.count += 1
        return torch.stack([self.level, -self.level]).expand(len(x), 2)


def level(prediction, y):  # noqa: ARG001
    return prediction[:, 0].mean()


class Scripted(torch.optim.Optimizer):
    """Each step sets the parameter to the next number of a list."""

    def __init__(self, model, numbers):
        super().__init__(model.parameters(), {})
        self.numbers = iter(numbers)

    def step(self, closure=None):
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.fill_(next(self.numbers))
        return loss


def scripted_fit(m, losses, **options):
    """(history, model) of a fit whose validation losses are these. There is one training batch in an epoch."""
    model = Level()
    batches = [(torch.zeros(2, 3, dtype=float64), torch.tensor([0, 1]))]
    options = {"epochs": len(losses), **options}
    history = m.fit(model, batches, batches, Loss(level), Scripted(model, losses), **options)
    return history, model


# --- checkpoints -----------------------------------------------------------------------------------------------------


def resumable(optimizer="momentum", *, steps=2, seed=0, batch_norm=True):
    """(model, optimizer) after some steps."""
    model = tiny_model(batch_norm=batch_norm)
    optimizer = OPTIMIZERS[optimizer](model)
    steps_of(model, optimizer, tiny_batches(*[4] * steps, seed=seed) if steps else [])
    return model, optimizer


def steps_of(model, optimizer, batches):
    """Trains on, and returns the parameters and buffers."""
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return values(model)


@contextlib.contextmanager
def folder():
    """Inside the `with` block, the current folder is a new one."""
    before = os.getcwd()  # noqa: PTH109
    with tempfile.TemporaryDirectory() as new:
        os.chdir(new)
        try:
            yield
        finally:
            os.chdir(before)


def numbers_in(value):
    """All that a checkpoint holds, however it is nested: tensors as tuples of their numbers, and plain numbers."""
    if isinstance(value, nn.Module | torch.optim.Optimizer):  # another check is about that
        value = value.state_dict()
    if isinstance(value, torch.Tensor):
        return {tuple(value.detach().double().flatten().tolist())}
    if isinstance(value, dict):
        return set().union(*(numbers_in(item) for pair in value.items() for item in pair))
    if isinstance(value, list | tuple | set):
        return set().union(*(numbers_in(item) for item in value))
    return {(float(value),)} if isinstance(value, int | float) else set()


def holds(path, state):
    """Whether there is a checkpoint that contains everything in `state`."""
    return Path(path).exists() and numbers_in(state) <= numbers_in(torch.load(path, weights_only=False))


def moments(optimizer):
    """What an optimizer has learned about its parameters."""
    return [value for state in optimizer.state_dict()["state"].values() for value in state.values()]
