"""Public tests of the assignment "convolution": small examples that you can check by hand.

Run them next to your `convolution.py` with

    autograder check

or, without the autograder, with

    pytest test_convolution.py

For one exercise only: `pytest -k corr2d_strided`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import convolution
import pytest
import torch
from torch.testing import assert_close

# The map and the kernel of most examples:
#   0 1 2
#   3 4 5      0 1
#   6 7 8      2 3
MAP = torch.arange(9.0).reshape(3, 3)
KERNEL = torch.arange(4.0).reshape(2, 2)
RESULT = torch.tensor([[19.0, 25.0], [37.0, 43.0]])

# Two channels: the map, and the map plus 1. The kernel: (0 1; 2 3) for the first, (1 2; 3 4) for the second.
TWO_CHANNELS = torch.stack([MAP, MAP + 1])
TWO_KERNELS = torch.stack([KERNEL, KERNEL + 1])
TWO_RESULT = torch.tensor([[56.0, 72.0], [104.0, 120.0]])


# ----------------------------------------------------------------------------------------------------- corr2d


def test_corr2d__by_hand():
    """0·0 + 1·1 + 3·2 + 4·3 = 19, and so on."""
    assert_close(convolution.corr2d(MAP, KERNEL), RESULT)


def test_corr2d__kernel_of_one_row():
    """The kernel (1 −1) subtracts its right neighbour from every pixel. The map is not square."""
    X = torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    expected = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert_close(convolution.corr2d(X, torch.tensor([[1.0, -1.0]])), expected)


def test_corr2d__kernel_of_one_column():
    """The kernel (1, −1), as a column, subtracts the pixel below from every pixel."""
    X = torch.tensor([[1.0, 2.0, 5.0], [4.0, 2.0, 0.0]])
    assert_close(convolution.corr2d(X, torch.tensor([[1.0], [-1.0]])), torch.tensor([[-3.0, 0.0, 5.0]]))


def test_corr2d__gradient():
    """The gradient reaches the kernel: each of its numbers has met four pixels."""
    K = KERNEL.clone().requires_grad_()
    convolution.corr2d(MAP, K).sum().backward()
    assert_close(K.grad, torch.tensor([[8.0, 12.0], [20.0, 24.0]]))


def test_corr2d__too_large():
    """A 4×1 kernel does not fit into a 3×3 map: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d(MAP, torch.ones(4, 1))


# ----------------------------------------------------------------------------------------------------- Conv2D


def test_Conv2D__parameters():
    """The layer has two parameters, `weight` and `bias`; the bias starts at zero."""
    layer = convolution.Conv2D((2, 3))
    shapes = {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
    assert shapes == {"weight": (2, 3), "bias": (1,)}
    assert layer.bias.item() == 0


def test_Conv2D__random_start():
    """The weight is random; the same seed gives the same weight."""
    torch.manual_seed(0)
    first = convolution.Conv2D((2, 2)).weight.detach()
    second = convolution.Conv2D((2, 2)).weight.detach()
    torch.manual_seed(0)
    again = convolution.Conv2D((2, 2)).weight.detach()
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_Conv2D__values():
    """With the weight 0 1 / 2 3 and the bias 0.5, every result is half a unit larger than without a bias."""
    layer = convolution.Conv2D((2, 2))
    with torch.no_grad():
        layer.weight.copy_(KERNEL)
        layer.bias.fill_(0.5)
    assert_close(layer(MAP).detach(), RESULT + 0.5)


# -------------------------------------------------------------------------------------------- corr2d_multi_in


def test_corr2d_multi_in__two_channels():
    """The results of the two channels are added: 19 + 37 = 56, and so on."""
    assert_close(convolution.corr2d_multi_in(TWO_CHANNELS, TWO_KERNELS), TWO_RESULT)


def test_corr2d_multi_in__one_channel():
    """One channel gives what corr2d gives, a map with two dimensions."""
    assert_close(convolution.corr2d_multi_in(MAP.unsqueeze(0), KERNEL.unsqueeze(0)), RESULT)


def test_corr2d_multi_in__wrong_number_of_channels():
    """Two channels and a kernel of three: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d_multi_in(TWO_CHANNELS, torch.ones(3, 2, 2))


# ---------------------------------------------------------------------------------------- corr2d_multi_in_out


def test_corr2d_multi_in_out__three_kernels():
    """Three kernels make three channels; adding 1 to every number of a kernel adds the sum of what it sees."""
    K = torch.stack([TWO_KERNELS, TWO_KERNELS + 1, TWO_KERNELS + 2])
    expected = torch.tensor(
        [
            [[56.0, 72.0], [104.0, 120.0]],
            [[76.0, 100.0], [148.0, 172.0]],
            [[96.0, 128.0], [192.0, 224.0]],
        ]
    )
    assert_close(convolution.corr2d_multi_in_out(TWO_CHANNELS, K), expected)


def test_corr2d_multi_in_out__one_kernel():
    """One kernel makes one channel: the result has three dimensions."""
    result = convolution.corr2d_multi_in_out(TWO_CHANNELS, TWO_KERNELS.unsqueeze(0))
    assert_close(result, TWO_RESULT.unsqueeze(0))


def test_corr2d_multi_in_out__wrong_number_of_channels():
    """Two channels and kernels of one: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d_multi_in_out(TWO_CHANNELS, torch.ones(3, 1, 2, 2))


# ------------------------------------------------------------------------------------ corr2d_multi_in_out_1x1


def test_corr2d_multi_in_out_1x1__mixtures():
    """Three mixtures of two channels: their sum, twice the first, and their difference."""
    X = torch.tensor([[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]])  # two channels of one row
    K = torch.tensor([[1.0, 1.0], [2.0, 0.0], [-1.0, 1.0]]).reshape(3, 2, 1, 1)
    expected = torch.tensor([[[11.0, 22.0, 33.0]], [[2.0, 4.0, 6.0]], [[9.0, 18.0, 27.0]]])
    assert_close(convolution.corr2d_multi_in_out_1x1(X, K), expected)


def test_corr2d_multi_in_out_1x1__as_many_channels_out_as_in():
    """The first output is channel 0 plus 100 times channel 1, the second is channel 1 unchanged."""
    X = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    K = torch.tensor([[1.0, 100.0], [0.0, 1.0]]).reshape(2, 2, 1, 1)
    expected = torch.tensor([[[501.0, 602.0], [703.0, 804.0]], [[5.0, 6.0], [7.0, 8.0]]])
    assert_close(convolution.corr2d_multi_in_out_1x1(X, K), expected)


def test_corr2d_multi_in_out_1x1__larger_kernel():
    """2×2 kernels are not allowed here: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d_multi_in_out_1x1(TWO_CHANNELS, torch.ones(3, 2, 2, 2))


# --------------------------------------------------------------------------------------------- corr2d_strided


def test_corr2d_strided__neither():
    """Without padding and stride the result is the same as with corr2d."""
    assert_close(convolution.corr2d_strided(MAP, KERNEL), RESULT)


def test_corr2d_strided__padding():
    """With a border of one zero, 3×3 becomes 5×5, and the result is 4×4."""
    expected = torch.tensor(
        [
            [0.0, 3.0, 8.0, 4.0],
            [9.0, 19.0, 25.0, 10.0],
            [21.0, 37.0, 43.0, 16.0],
            [6.0, 7.0, 8.0, 0.0],
        ]
    )
    assert_close(convolution.corr2d_strided(MAP, KERNEL, padding=1), expected)


def test_corr2d_strided__stride():
    """With a border of 1 and a stride of 2, every second row and column of the result above remains."""
    expected = torch.tensor([[0.0, 8.0], [21.0, 43.0]])
    assert_close(convolution.corr2d_strided(MAP, KERNEL, padding=1, stride=2), expected)


def test_corr2d_strided__pairs():
    """No rows of zeros, but one column on each side; the window moves three down, two to the right."""
    expected = torch.tensor([[9.0, 25.0]])
    assert_close(convolution.corr2d_strided(MAP, KERNEL, padding=(0, 1), stride=(3, 2)), expected)


def test_corr2d_strided__too_large():
    """A kernel of 5 rows fits into 3 rows with a border of 1, a kernel of 6 rows does not: ValueError."""
    assert convolution.corr2d_strided(MAP, torch.ones(5, 1), padding=1).shape == (1, 5)
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d_strided(MAP, torch.ones(6, 1), padding=1)


# ----------------------------------------------------------------------------------------------- learn_kernel


def test_learn_kernel__finds_edges():
    """The kernel (1 −1) is learnt from an image with edges and the picture of its edges."""
    X = torch.ones(3, 6)
    X[:, 2:4] = 0
    Y = X[:, :-1] - X[:, 1:]
    torch.manual_seed(0)
    K = convolution.learn_kernel(X, Y, (1, 2), lr=3e-2, steps=60)
    assert_close(K, torch.tensor([[1.0, -1.0]]), rtol=0, atol=0.01)


def test_learn_kernel__one_step():
    """A map and a kernel of one pixel: the error of K is (2·K − 6)², its derivative 4·(2·K − 6)."""
    X, Y = torch.tensor([[2.0]]), torch.tensor([[6.0]])
    torch.manual_seed(0)
    start = convolution.learn_kernel(X, Y, (1, 1), steps=0)
    torch.manual_seed(0)
    after = convolution.learn_kernel(X, Y, (1, 1), lr=0.1, steps=1)
    assert_close(after, start - 0.1 * 4 * (2 * start - 6))


def test_learn_kernel__plain_tensor():
    """The result has the requested shape and does not require a gradient."""
    K = convolution.learn_kernel(MAP / 10, torch.zeros(2, 1), (2, 3))
    assert K.shape == (2, 3)
    assert not K.requires_grad


# ---------------------------------------------------------------------------------------------- corr2d_im2col


def test_corr2d_im2col__one_image():
    """A batch of one image with two channels, and one kernel."""
    result = convolution.corr2d_im2col(TWO_CHANNELS.unsqueeze(0), TWO_KERNELS.unsqueeze(0))
    assert_close(result, TWO_RESULT.reshape(1, 1, 2, 2))


def test_corr2d_im2col__two_images_and_two_kernels():
    """Two images, the second twice the first; two kernels, the second ten times the first."""
    X = torch.stack([TWO_CHANNELS, 2 * TWO_CHANNELS])
    K = torch.stack([TWO_KERNELS, 10 * TWO_KERNELS])
    expected = torch.stack([torch.stack([TWO_RESULT, 10 * TWO_RESULT]), torch.stack([2 * TWO_RESULT, 20 * TWO_RESULT])])
    assert_close(convolution.corr2d_im2col(X, K), expected)


def test_corr2d_im2col__padding_and_stride():
    """With a border of 1 and a stride of 2 the result is the same as with corr2d_strided above."""
    result = convolution.corr2d_im2col(MAP.reshape(1, 1, 3, 3), KERNEL.reshape(1, 1, 2, 2), padding=1, stride=2)
    assert_close(result, torch.tensor([[[[0.0, 8.0], [21.0, 43.0]]]]))


def test_corr2d_im2col__shape():
    """(2, 3, 8, 6) and kernels (4, 3, 3, 2) make (2, 4, 6, 5)."""
    assert convolution.corr2d_im2col(torch.rand(2, 3, 8, 6), torch.rand(4, 3, 3, 2)).shape == (2, 4, 6, 5)


def test_corr2d_im2col__wrong_number_of_channels():
    """Two channels and kernels of three: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        convolution.corr2d_im2col(TWO_CHANNELS.unsqueeze(0), torch.ones(1, 3, 2, 2))
