"""Public tests of the assignment "pooling": small examples that you can check by hand.

Run them next to your `pooling.py` with

    autograder check

or, without the autograder, with

    pytest test_pooling.py

For one exercise only: `pytest -k naive_pooling`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import pooling
import pytest
import torch
from torch.testing import assert_close

# The feature map of most examples:
#   0 1 2
#   3 4 5
#   6 7 8
MAP_3X3 = torch.arange(9.0).reshape(3, 3)

# Two 4 × 4 channels; the second is 10 times the first.
MAP_4X4 = torch.tensor(
    [
        [1.0, 2.0, 5.0, 6.0],
        [3.0, 4.0, 7.0, 8.0],
        [9.0, 9.0, 0.0, 0.0],
        [9.0, 9.0, 0.0, 4.0],
    ]
)
TWO_CHANNELS = torch.stack([MAP_4X4, 10 * MAP_4X4])


# ---------------------------------------------------------------------------------------------- naive_padding


def test_naive_padding__zeros():
    """A 2×2 map with a border of one zero on each side becomes 4×4."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    expected = torch.tensor(
        [
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 2.0, 0.0],
            [0.0, 3.0, 4.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    assert_close(pooling.naive_padding(x, 1), expected)


def test_naive_padding__other_value():
    """The border is filled with `value`."""
    x = torch.tensor([[5.0, 6.0]])
    expected = torch.tensor(
        [
            [-1.0, -1.0, -1.0, -1.0],
            [-1.0, 5.0, 6.0, -1.0],
            [-1.0, -1.0, -1.0, -1.0],
        ]
    )
    assert_close(pooling.naive_padding(x, 1, value=-1.0), expected)


def test_naive_padding__none():
    """With padding 0 the map stays as it is."""
    assert_close(pooling.naive_padding(MAP_3X3, 0), MAP_3X3)


def test_naive_padding__negative():
    """A negative padding raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.naive_padding(MAP_3X3, -1)


# ---------------------------------------------------------------------------------------------- naive_pooling


def test_naive_pooling__max():
    """Max pooling of a 3×3 map with a 2×2 window and stride 1."""
    expected = torch.tensor([[4.0, 5.0], [7.0, 8.0]])
    assert_close(pooling.naive_pooling(MAP_3X3, 2, 1, 0), expected)


def test_naive_pooling__average():
    """Average pooling of a 3×3 map with a 2×2 window and stride 1."""
    expected = torch.tensor([[2.0, 3.0], [5.0, 6.0]])
    assert_close(pooling.naive_pooling(MAP_3X3, 2, 1, 0, avg=True), expected)


def test_naive_pooling__stride():
    """Max pooling of a 4×4 map with a 2×2 window and stride 2."""
    expected = torch.tensor([[4.0, 8.0], [9.0, 4.0]])
    assert_close(pooling.naive_pooling(MAP_4X4, 2, 2, 0), expected)


def test_naive_pooling__padding():
    """Max pooling of a 3×3 map with a 3×3 window, stride 2 and padding 1."""
    expected = torch.tensor([[4.0, 5.0], [7.0, 8.0]])
    assert_close(pooling.naive_pooling(MAP_3X3, 3, 2, 1), expected)


def test_naive_pooling__too_large():
    """A 4×4 window does not fit into a 3×3 map: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.naive_pooling(MAP_3X3, 4, 1, 0)


# ----------------------------------------------------------------------------------------------------- pool2d


def test_pool2d__max():
    """Max pooling of a 3×3 map with a 2×2 window."""
    expected = torch.tensor([[4.0, 5.0], [7.0, 8.0]])
    assert_close(pooling.pool2d(MAP_3X3, (2, 2)), expected)


def test_pool2d__average():
    """Average pooling of a 3×3 map with a 2×2 window."""
    expected = torch.tensor([[2.0, 3.0], [5.0, 6.0]])
    assert_close(pooling.pool2d(MAP_3X3, (2, 2), "avg"), expected)


def test_pool2d__wide_window():
    """A window that is 1 high and 3 wide leaves one column."""
    expected = torch.tensor([[2.0], [5.0], [8.0]])
    assert_close(pooling.pool2d(MAP_3X3, (1, 3), mode="max"), expected)


def test_pool2d__unknown_mode():
    """A mode other than "max" and "avg" raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.pool2d(MAP_3X3, (2, 2), mode="median")


# ------------------------------------------------------------------------------------------------ max_pool_2d


def test_max_pool_2d__one_map():
    """One 4×4 map gives one 2×2 map."""
    assert_close(pooling.max_pool_2d(MAP_4X4), torch.tensor([[4.0, 8.0], [9.0, 4.0]]))


def test_max_pool_2d__two_channels():
    """Each channel is pooled on its own."""
    expected = torch.tensor([[[4.0, 8.0], [9.0, 4.0]], [[40.0, 80.0], [90.0, 40.0]]])
    assert_close(pooling.max_pool_2d(TWO_CHANNELS), expected)


def test_max_pool_2d__overlapping_windows():
    """With stride 1 the windows overlap."""
    expected = torch.tensor([[4.0, 5.0], [7.0, 8.0]])
    assert_close(pooling.max_pool_2d(MAP_3X3, kernel_size=2, stride=1), expected)


def test_max_pool_2d__too_large():
    """A 5×5 window does not fit into a 4×4 map: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.max_pool_2d(MAP_4X4, 5, 1)


# ------------------------------------------------------------------------------------------------ avg_pool_2d


def test_avg_pool_2d__one_map():
    """One 4×4 map gives one 2×2 map."""
    assert_close(pooling.avg_pool_2d(MAP_4X4), torch.tensor([[2.5, 6.5], [9.0, 1.0]]))


def test_avg_pool_2d__two_channels():
    """Each channel is pooled on its own."""
    expected = torch.tensor([[[2.5, 6.5], [9.0, 1.0]], [[25.0, 65.0], [90.0, 10.0]]])
    assert_close(pooling.avg_pool_2d(TWO_CHANNELS), expected)


def test_avg_pool_2d__overlapping_windows():
    """With stride 1 the windows overlap."""
    expected = torch.tensor([[2.0, 3.0], [5.0, 6.0]])
    assert_close(pooling.avg_pool_2d(MAP_3X3, kernel_size=2, stride=1), expected)


def test_avg_pool_2d__too_large():
    """A 5×5 window does not fit into a 4×4 map: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.avg_pool_2d(MAP_4X4, 5, 1)


# --------------------------------------------------------------------------------------- GlobalAveragePooling


def test_GlobalAveragePooling__mean_per_channel():
    """The result is the mean of every channel of every sample."""
    x = torch.stack([TWO_CHANNELS, 2 * TWO_CHANNELS])
    expected = torch.tensor([[4.75, 47.5], [9.5, 95.0]])
    assert_close(pooling.GlobalAveragePooling()(x), expected)


def test_GlobalAveragePooling__keepdim():
    """With keepdim=True the result of one sample with two channels has shape (1, 2, 1, 1)."""
    result = pooling.GlobalAveragePooling(keepdim=True)(TWO_CHANNELS.unsqueeze(0))
    assert_close(result, torch.tensor([4.75, 47.5]).reshape(1, 2, 1, 1))


def test_GlobalAveragePooling__no_parameters():
    """There is nothing to learn, so the module has no parameters and no buffers."""
    assert len(pooling.GlobalAveragePooling().state_dict()) == 0


# -------------------------------------------------------------------------------------------------- DepthPool


def test_DepthPool__two_channels():
    """Two channels of 4×4 become one channel of 2×2."""
    x = torch.stack([MAP_4X4, 9 - MAP_4X4]).unsqueeze(0)
    # Channel 0 pools to [[4, 8], [9, 4]], channel 1 to [[8, 4], [0, 9]].
    expected = torch.tensor([[[[8.0, 8.0], [9.0, 9.0]]]])
    assert_close(pooling.DepthPool()(x), expected)


def test_DepthPool__shape():
    """A batch of shape (2, 4, 6, 8) becomes (2, 2, 3, 4)."""
    assert pooling.DepthPool(2)(torch.rand(2, 4, 6, 8)).shape == (2, 2, 3, 4)


def test_DepthPool__cubes_of_three():
    """With pool_size 3, three channels of 3×3 become a single number: the largest."""
    x = torch.arange(27.0).reshape(1, 3, 3, 3)
    assert_close(pooling.DepthPool(3)(x), torch.full((1, 1, 1, 1), 26.0))


def test_DepthPool__too_few_channels():
    """One channel is not enough for groups of two: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.DepthPool(2)(torch.rand(1, 1, 4, 4))


# ----------------------------------------------------------------------------------------------- MixedPooling


def test_MixedPooling__half_and_half():
    """With alpha = 0.5 the result is halfway between the maximum and the mean."""
    x = MAP_4X4.reshape(1, 1, 4, 4)
    expected = torch.tensor([[[[3.25, 7.25], [9.0, 2.5]]]])
    assert_close(pooling.MixedPooling(2)(x), expected)


def test_MixedPooling__mostly_mean():
    """With alpha = 0.25 it is a quarter of the maximum and three quarters of the mean."""
    x = MAP_4X4.reshape(1, 1, 4, 4)
    expected = torch.tensor([[[[2.875, 6.875], [9.0, 1.75]]]])
    assert_close(pooling.MixedPooling(2, alpha=0.25)(x), expected)


def test_MixedPooling__stride():
    """A 2×2 window with stride 1 fits four times into a 3×3 map."""
    x = MAP_3X3.reshape(1, 1, 3, 3)
    expected = torch.tensor([[[[3.0, 4.0], [6.0, 7.0]]]])
    assert_close(pooling.MixedPooling(2, stride=1)(x), expected)


def test_MixedPooling__alpha_too_large():
    """An alpha above 1 raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.MixedPooling(2, alpha=1.5)


# -------------------------------------------------------------------------------------------------- LPPooling


def test_LPPooling__root_mean_square():
    """With p = 2, a window of 1, 1, 3 and 5 gives the root of (1 + 1 + 9 + 25) / 4, which is 3."""
    x = torch.tensor([[1.0, 1.0], [3.0, 5.0]]).reshape(1, 1, 2, 2)
    assert_close(pooling.LPPooling(2)(x), torch.full((1, 1, 1, 1), 3.0))


def test_LPPooling__p_of_one():
    """With p = 1 it is the mean of the absolute values."""
    x = torch.tensor([[1.0, -2.0], [3.0, -6.0]]).reshape(1, 1, 2, 2)
    assert_close(pooling.LPPooling(2, p=1)(x), torch.full((1, 1, 1, 1), 3.0))


def test_LPPooling__stride():
    """A 2×2 window with stride 1 fits four times into a 3×3 map."""
    result = pooling.LPPooling(2, stride=1)(torch.full((1, 1, 3, 3), 2.0))
    assert_close(result, torch.full((1, 1, 2, 2), 2.0))


def test_LPPooling__p_of_zero():
    """p = 0 raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.LPPooling(2, p=0)


# ------------------------------------------------------------------------------------------ StochasticPooling


def test_StochasticPooling__evaluation():
    """In evaluation, 1, 2, 0 and 1 give 1/4 · 1 + 2/4 · 2 + 0 · 0 + 1/4 · 1 = 1.5."""
    x = torch.tensor([[1.0, 2.0], [0.0, 1.0]]).reshape(1, 1, 2, 2)
    assert_close(pooling.StochasticPooling(2).eval()(x), torch.full((1, 1, 1, 1), 1.5))


def test_StochasticPooling__draws_from_the_window():
    """In training, the result of a window is one of its own numbers."""
    torch.manual_seed(0)
    result = pooling.StochasticPooling(2).train()(MAP_4X4.reshape(1, 1, 4, 4))
    assert result.shape == (1, 1, 2, 2)
    assert result[0, 0, 0, 0].item() in (1.0, 2.0, 3.0, 4.0)
    assert result[0, 0, 0, 1].item() in (5.0, 6.0, 7.0, 8.0)
    assert result[0, 0, 1, 0].item() == 9.0
    assert result[0, 0, 1, 1].item() == 4.0  # the zeros have probability 0


def test_StochasticPooling__same_seed():
    """The same seed gives the same draw."""
    x = TWO_CHANNELS.unsqueeze(0)
    module = pooling.StochasticPooling(2).train()
    torch.manual_seed(7)
    first = module(x)
    torch.manual_seed(7)
    assert_close(module(x), first)


def test_StochasticPooling__zeros():
    """A window of nothing but zeros gives 0, in training and in evaluation."""
    x = torch.zeros(1, 1, 2, 2)
    assert_close(pooling.StochasticPooling(2).train()(x), torch.zeros(1, 1, 1, 1))
    assert_close(pooling.StochasticPooling(2).eval()(x), torch.zeros(1, 1, 1, 1))


def test_StochasticPooling__negative_input():
    """A negative number in the input raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        pooling.StochasticPooling(2)(-torch.ones(1, 1, 2, 2))
