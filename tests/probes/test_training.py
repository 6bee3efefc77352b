"""A journal says what a training loop did, however it is written."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from autograder.probes import (
    Journal,
    WatchedLoader,
    WatchedLoss,
    statistics,
    tiny_batches,
    tiny_model,
    watched_model,
    watched_optimizer,
)

ROUND = "zero_grad, forward, backward, step"
KINDS = ("zero_grad", "forward", "backward", "step")


def usual(model, loader, loss_fn, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()


def with_closures(model, loader, loss_fn, optimizer):
    for x, y in loader:

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)  # noqa: B023
            loss.backward()
            return loss

        optimizer.step(closure)


def functional(model, loader, loss_fn, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

        def loss(parameters):
            return loss_fn(torch.func.functional_call(model, parameters, (x,)), y)  # noqa: B023

        for name, gradient in torch.func.grad(loss)(parameters).items():
            model.get_parameter(name).grad = gradient
        optimizer.step()


def with_autograd_grad(model, loader, loss_fn, optimizer):
    for x, y in loader:
        optimizer.zero_grad(set_to_none=False)
        gradients = torch.autograd.grad(loss_fn(model.forward(x), y), list(model.parameters()))
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()


def steps_first(model, loader, loss_fn, optimizer):
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.step()
        loss.backward()
        optimizer.zero_grad()


def keeps_losses(model, loader, loss_fn, optimizer):
    losses = []
    for x, y in loader:
        losses.append(loss_fn(model(x), y))
        losses[-1].backward()
        optimizer.step()
        optimizer.zero_grad()


def journal_of(loop: Callable[..., Any], **kinds: Any) -> Journal:
    journal = Journal()
    model = watched_model(tiny_model(**kinds), journal)
    optimizer = watched_optimizer(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), journal)
    loop(model, WatchedLoader(tiny_batches(3, 3, 1), journal), WatchedLoss(F.cross_entropy, journal), optimizer)
    return journal


@pytest.mark.parametrize("loop", [usual, with_closures, functional, with_autograd_grad])
def test_the_same_events_and_parameters_however_the_loop_is_written(loop):
    journal, expected = journal_of(loop), journal_of(usual)
    assert journal.order(*KINDS) == [ROUND] * 3
    assert journal.details("forward") == ["samples 1 to 3", "samples 4 to 6", "sample 7"]
    assert journal.passes == [[1, 2, 3], [4, 5, 6], [7]]
    assert journal.details("mode") == ["training"] * 3
    assert journal.most_graphs <= 2
    assert_close(journal.parameters, expected.parameters)
    assert_close(journal.gradients, expected.gradients)


def test_another_order_reads_differently():
    assert journal_of(steps_first).order(*KINDS) == ["forward, step, backward, zero_grad"] * 3
    assert journal_of(keeps_losses).order("forward", "step") == ["forward, step"] * 3


def test_graphs_that_are_kept_are_counted():
    assert journal_of(keeps_losses).most_graphs == 3


def test_modes_and_graphs_of_the_outputs():
    journal = Journal()
    model = watched_model(tiny_model(batch_norm=True, dropout=0.5), journal)
    [(x, _)] = tiny_batches(4)
    model(x)
    model[1].eval()
    with torch.no_grad():
        model(x)
        copy.deepcopy(model).eval()(x)  # writes in the same journal
    assert journal.details("mode") == ["training", "mixed", "evaluation"]
    assert journal.details("output") == ["graph", "no graph", "no graph"]


def test_samples_have_names_and_numbers():
    journal = Journal()
    model = watched_model(tiny_model(), journal)
    for name, seed in (("training", 0), ("validation", 1)):
        WatchedLoader(tiny_batches(2, 2, seed=seed), journal, name)
    (first, _), (second, _) = tiny_batches(2, 2)
    (other, _), _ = tiny_batches(2, 2, seed=1)
    for x in (torch.cat([first, second]), second.flip(0), other[:1], torch.cat([first[:1], other[1:]]), first + 1):
        model(x)
    assert journal.details("forward") == [
        "training samples 1 to 4",
        "training samples 4, 3",
        "validation sample 1",
        "2 samples that do not belong to one loader",
        "2 samples that do not belong to one loader",
    ]


def test_loaders_can_be_read_again_and_nobody_can_change_their_batches():
    journal = Journal()
    loader = WatchedLoader(tiny_batches(2, 1), journal, "training")
    for x, _ in loader:
        x.zero_()
    assert [len(y) for _, y in loader] == [2, 1]
    assert all(x.any() for x, _ in loader)
    assert journal.details("iteration") == ["training"] * 3
    assert repr(loader) == "<training loader of 2 batches>"


def test_tiny_models_are_always_the_same():
    for kinds in ({}, {"batch_norm": True}, {"dropout": 0.5}, {"batch_norm": True, "dtype": torch.float32}):
        one, other = tiny_model(**kinds), tiny_model(**kinds)
        assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    assert statistics(tiny_model(batch_norm=True))
    x, y = tiny_batches(6)[0]
    assert (x.dtype, sorted(y.tolist())) == (torch.float64, [0, 0, 1, 1, 2, 2])
