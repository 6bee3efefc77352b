"""Public tests of the assignment "batchnorm": small examples that you can check by hand.

Run them next to your `batchnorm.py` with

    autograder check

or, without the autograder, with

    pytest test_batchnorm.py

For one exercise only: `pytest -k fold_batchnorm`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import batchnorm
import pytest
import torch
from torch import nn
from torch.testing import assert_close

# Four samples of one feature: the mean is 4, the biased variance (9 + 1 + 1 + 9) / 4 = 5, the unbiased one 20 / 3.
COLUMN = torch.tensor([[1.0], [3.0], [5.0], [7.0]])
ONE, ZERO = torch.ones(1, 1), torch.zeros(1, 1)

# One image with two channels of 2 × 2: the first has mean 4 and variance 5 again, the second has mean 10
# and variance 4.
IMAGE = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]], [[8.0, 12.0], [12.0, 8.0]]]])
ONES, ZEROS = torch.ones(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)


# ------------------------------------------------------------------------------------------------- batch_norm


def test_batch_norm__column():
    """With eps = 4 the root is 3: 1, 3, 5, 7 become -3/3, -1/3, 1/3, 3/3."""
    Y, _, _ = batchnorm.batch_norm(COLUMN, ONE, ZERO, ZERO, ONE, 4.0, 0.1)
    assert_close(Y, torch.tensor([[-1.0], [-1 / 3], [1 / 3], [1.0]]))


def test_batch_norm__gamma_and_beta():
    """The normalised values are multiplied by gamma = 6, then beta = 1 is added."""
    Y, _, _ = batchnorm.batch_norm(COLUMN, 6 * ONE, ONE, ZERO, ONE, 4.0, 0.1)
    assert_close(Y, torch.tensor([[-5.0], [-1.0], [3.0], [7.0]]))


def test_batch_norm__two_columns():
    """Each column has its own mean and variance: after training both have mean 0 and variance 1."""
    X = torch.cat([COLUMN, 10 * COLUMN + 3], dim=1)
    one, zero = torch.ones(1, 2), torch.zeros(1, 2)
    Y, _, _ = batchnorm.batch_norm(X, one, zero, zero, one, 1e-5, 0.1)
    assert_close(Y.mean(dim=0), torch.zeros(2))
    assert_close((Y**2).mean(dim=0), torch.ones(2))


def test_batch_norm__image():
    """Each channel has one mean and one variance, over all its pixels."""
    Y, _, _ = batchnorm.batch_norm(IMAGE, ONES, ZEROS, ZEROS, ONES, 4.0, 0.1)
    assert_close(Y[0, 0], torch.tensor([[-1.0, -1 / 3], [1 / 3, 1.0]]))
    assert_close(Y[0, 1], torch.tensor([[-1.0, 1.0], [1.0, -1.0]]) / 2**0.5)


def test_batch_norm__moving_statistics():
    """With momentum 0.1, the mean goes from 0 to 0.1 · 4, the variance from 1 to 0.9 · 1 + 0.1 · 20/3."""
    _, mean, var = batchnorm.batch_norm(COLUMN, ONE, ZERO, ZERO, ONE, 4.0, 0.1)
    assert_close(mean, torch.tensor([[0.4]]))
    assert_close(var, torch.tensor([[0.9 + 2 / 3]]))


def test_batch_norm__old_statistics_stay():
    """The moving statistics that were passed in are not changed."""
    mean, var = torch.zeros(1, 1), torch.ones(1, 1)
    batchnorm.batch_norm(COLUMN, ONE, ZERO, mean, var, 4.0, 0.1)
    assert_close(mean, torch.zeros(1, 1))
    assert_close(var, torch.ones(1, 1))


def test_batch_norm__evaluation():
    """With a moving mean of 3, a moving variance of 12 and eps = 4, the value 7 becomes (7 - 3) / 4 = 1."""
    mean, var = 3 * ONE, 12 * ONE
    Y, new_mean, new_var = batchnorm.batch_norm(COLUMN, ONE, ZERO, mean, var, 4.0, 0.1, training=False)
    assert_close(Y, torch.tensor([[-0.5], [0.0], [0.5], [1.0]]))
    assert_close(new_mean, torch.tensor([[3.0]]))
    assert_close(new_var, torch.tensor([[12.0]]))


def test_batch_norm__three_dimensions():
    """An input of shape (4, 3, 5) raises a ValueError."""
    one, zero = torch.ones(1, 3, 1), torch.zeros(1, 3, 1)
    with pytest.raises(ValueError, match=r".+"):
        batchnorm.batch_norm(torch.rand(4, 3, 5), one, zero, zero, one, 1e-5, 0.1)


def test_batch_norm__one_value():
    """One sample with one value per feature raises a ValueError in training."""
    with pytest.raises(ValueError, match=r".+"):
        batchnorm.batch_norm(torch.ones(1, 1), ONE, ZERO, ZERO, ONE, 1e-5, 0.1)


# -------------------------------------------------------------------------------------------------- BatchNorm


def test_BatchNorm__state_for_vectors():
    """gamma and moving_var are ones, beta and moving_mean zeros, all of shape (1, 3)."""
    layer = batchnorm.BatchNorm(3, 2)
    for name, value in (("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_var", 1.0)):
        assert_close(getattr(layer, name).detach(), torch.full((1, 3), value))


def test_BatchNorm__state_for_images():
    """All four have the shape (1, 3, 1, 1)."""
    layer = batchnorm.BatchNorm(3, 4)
    for name, value in (("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_var", 1.0)):
        assert_close(getattr(layer, name).detach(), torch.full((1, 3, 1, 1), value))


def test_BatchNorm__parameters():
    """Two things can be learned: gamma and beta."""
    assert {name for name, _ in batchnorm.BatchNorm(3, 2).named_parameters()} == {"gamma", "beta"}


def test_BatchNorm__training():
    """A fresh module normalises in training."""
    layer = batchnorm.BatchNorm(1, 2, eps=4.0)
    assert_close(layer(COLUMN).detach(), torch.tensor([[-1.0], [-1 / 3], [1 / 3], [1.0]]))


def test_BatchNorm__remembers():
    """After one batch with momentum 0.5 the moving mean has gone halfway from 0 to the means 4 and 10."""
    layer = batchnorm.BatchNorm(2, 4, momentum=0.5)
    layer(IMAGE)
    assert_close(layer.moving_mean.flatten(), torch.tensor([2.0, 5.0]))


def test_BatchNorm__evaluation():
    """In evaluation, a fresh module remembers mean 0 and variance 1, so it changes (almost) nothing."""
    layer = batchnorm.BatchNorm(2, 4).eval()
    assert_close(layer(IMAGE).detach(), IMAGE, rtol=1e-4, atol=1e-4)
    assert_close(layer.moving_mean.flatten(), torch.zeros(2))


def test_BatchNorm__like_the_library():
    """For the same batches the module does what nn.BatchNorm2d does."""
    torch.manual_seed(0)
    ours, theirs = batchnorm.BatchNorm(3, 4), nn.BatchNorm2d(3)
    for _ in range(3):
        x = torch.randn(4, 3, 5, 6) * 2 + 1
        assert_close(ours(x), theirs(x), rtol=1e-3, atol=1e-4)
    x = torch.randn(4, 3, 5, 6)
    assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-3, atol=1e-4)


def test_BatchNorm__three_dimensions():
    """num_dims = 3 raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        batchnorm.BatchNorm(3, 3)


# --------------------------------------------------------------------------------------------- fold_batchnorm


def example_layers(bias=True, **options):
    """A convolution with all weights 1, and a normalisation with scale 4 / sqrt(3 + 1) = 2 and shift 5 - 2 · 1 = 3."""
    conv, bn = nn.Conv2d(1, 1, 2, bias=bias, **options), nn.BatchNorm2d(1, eps=1.0).eval()
    with torch.no_grad():
        conv.weight.fill_(1.0)
        if bias:
            conv.bias.fill_(10.0)
        bn.weight.fill_(4.0)
        bn.bias.fill_(5.0)
        bn.running_mean.fill_(1.0)
        bn.running_var.fill_(3.0)
    return conv, bn


def test_fold_batchnorm__weights():
    """All weights of the convolution are multiplied by 2."""
    folded = batchnorm.fold_batchnorm(*example_layers())
    assert_close(folded.weight.detach(), torch.full((1, 1, 2, 2), 2.0))


def test_fold_batchnorm__bias():
    """A bias of 10 becomes 2 · 10 + 3 = 23."""
    folded = batchnorm.fold_batchnorm(*example_layers())
    assert_close(folded.bias.detach(), torch.tensor([23.0]))


def test_fold_batchnorm__no_bias():
    """A convolution without a bias gets one of 3."""
    folded = batchnorm.fold_batchnorm(*example_layers(bias=False))
    assert_close(folded.bias.detach(), torch.tensor([3.0]))


def test_fold_batchnorm__like_both():
    """The folded convolution does what the two layers do."""
    conv, bn = example_layers(stride=2, padding=1)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    folded = batchnorm.fold_batchnorm(conv, bn)
    assert_close(folded(x), bn(conv(x)))


def test_fold_batchnorm__the_layers_stay():
    """The convolution that was passed in still has its old weights afterwards."""
    conv, bn = example_layers()
    folded = batchnorm.fold_batchnorm(conv, bn)
    assert folded is not conv
    assert_close(conv.weight.detach(), torch.ones(1, 1, 2, 2))
    assert_close(conv.bias.detach(), torch.tensor([10.0]))
