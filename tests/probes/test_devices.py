"""Tensors made on the CPU are noticed without a second device; code that minds devices or reads numbers is right."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autograder.probes import ON_ITS_DEVICE, on_meta_device, stays_on_device


def adds_zeros_of_the_cpu(x):
    return x + torch.zeros(x.shape)


def fills_zeros_of_the_cpu(x):
    result = torch.zeros(x.shape)
    for row in range(len(x)):
        result[row] = x[row] * 2
    return result


def adds_zeros_like_x(x):
    return x + torch.zeros_like(x)


def names_the_device(x):
    return x + torch.zeros(x.shape, device=x.device)


def moves_its_zeros(x):
    return x + torch.zeros(x.shape).to(x)


def reads_numbers(x):
    return x * 2 if x.sum().item() > 0 else x


def multiplies_by_a_number(x):
    return x * torch.tensor(2.0)


def looks_up_rows(x):
    return x[torch.tensor([1, 0])]


WRONG = [adds_zeros_of_the_cpu, fills_zeros_of_the_cpu]
RIGHT = [adds_zeros_like_x, names_the_device, moves_its_zeros, reads_numbers, multiplies_by_a_number, looks_up_rows]


@pytest.mark.parametrize("function", WRONG)
def test_what_is_made_on_the_cpu_is_noticed(function):
    x = torch.rand(3, 4)
    assert stays_on_device(function, x) == {ON_ITS_DEVICE: False}
    assert not on_meta_device(lambda: function(x.to("meta")))


@pytest.mark.parametrize("function", RIGHT)
def test_right_code_is_not_blamed(function):
    x = torch.rand(3, 4)
    assert stays_on_device(function, x) == {ON_ITS_DEVICE: True}
    assert on_meta_device(lambda: function(x.to("meta")))


def test_every_result_counts():
    x = torch.rand(3, device="meta")
    assert on_meta_device(lambda: [x, x + 1])
    assert not on_meta_device(lambda: [x, torch.zeros(3)])
    assert on_meta_device(lambda: nn.Linear(2, 3).to("meta").parameters())


def test_an_error_of_another_kind_is_left_to_other_checks():
    assert on_meta_device(lambda: torch.zeros(3, device="meta").view(5))
