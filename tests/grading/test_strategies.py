"""The tensors that graders draw."""

import torch
from hypothesis import find, given, settings

from autograder.grading.strategies import shapes, tensors

quiet = settings(database=None, derandomize=True, deadline=None, max_examples=60)


@quiet
@given(x=tensors(shapes((1, 3), (1, 5)), values="non-negative"))
def test_non_negative_means_it(x):
    assert (x >= 0).all()


@quiet
@given(x=tensors(shapes((1, 3), (1, 5)), values="negative", dtype=torch.float64))
def test_negative_means_it_and_the_dtype_is_kept(x):
    assert (x < 0).all()
    assert x.dtype is torch.float64


@quiet
@given(x=tensors(shapes((1, 3), (1, 4), (1, 5)), values="distinct"))
def test_distinct_entries_have_no_ties(x):
    assert x.unique().numel() == x.numel()


def test_every_layout_occurs():
    anything = tensors((2, 3, 4, 5))
    find(anything, lambda x: x.is_contiguous())
    find(anything, lambda x: x.stride(-1) == 2)
    find(anything, lambda x: x.stride(-2) == 1)
    find(anything, lambda x: x.stride(1) == 1)


def test_the_simplest_tensor_is_all_zeros():
    assert not find(tensors((2, 2)), lambda x: x.dim() == 2).any()
