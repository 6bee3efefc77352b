"""Public tests of the assignment "modern": small examples that you can check by hand.

Run them next to your `modern.py` with

    autograder check

or, without the autograder, with

    pytest test_modern.py

For one exercise only: `pytest -k MBConvBlock`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import modern
import pytest
import torch
from torch.testing import assert_close

# One image with two channels of 2 × 2.
IMAGE = torch.tensor([[[[1.0, -2.0], [3.0, 0.0]], [[4.0, 4.0], [-1.0, 1.0]]]])


def count(model):
    """The number of parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def with_weights(model, value):
    """Set every weight of the convolutions and linear layers to `value` and every bias to 0; evaluation mode."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.fill_(value)
            elif name.endswith("bias"):
                parameter.zero_()
    return model.eval()


# ------------------------------------------------------------------------------------------------- ConvBNReLU


def test_ConvBNReLU__parameters():
    """From 3 to 8 channels: 3 · 8 kernels of 3 × 3, 8 scales and 8 shifts."""
    assert count(modern.ConvBNReLU(3, 8)) == 216 + 8 + 8


def test_ConvBNReLU__shape():
    """By default the size is kept; a stride of 2 halves it."""
    x = torch.randn(2, 3, 6, 8)
    assert modern.ConvBNReLU(3, 5)(x).shape == (2, 5, 6, 8)
    assert modern.ConvBNReLU(3, 5, stride=2)(x).shape == (2, 5, 3, 4)
    assert modern.ConvBNReLU(3, 5, kernel_size=5, padding=0)(x).shape == (2, 5, 2, 4)


def test_ConvBNReLU__values():
    """A 1×1 convolution of ones adds the channels; a fresh batch norm changes almost nothing; ReLU cuts off at 0."""
    module = with_weights(modern.ConvBNReLU(2, 1, 1, padding=0), 1.0)
    expected = torch.tensor([[[[5.0, 2.0], [2.0, 1.0]]]])
    assert_close(module(IMAGE), expected, rtol=1e-4, atol=1e-4)
    assert_close(module(-IMAGE), torch.zeros(1, 1, 2, 2))


def test_ConvBNReLU__training():
    """In training mode a batch is normalised: with fresh scales no channel has a large mean or variance."""
    module = modern.ConvBNReLU(3, 4).train()
    y = module(100 + 10 * torch.randn(4, 3, 8, 8))
    assert y.min() >= 0
    assert 0 < y.mean() < 1


# ------------------------------------------------------------------------------------------ SqueezeExcitation


def test_SqueezeExcitation__parameters():
    """8 channels, 2 squeezed: 8 · 2 weights and 2 biases, 2 · 8 weights and 8 biases."""
    assert count(modern.SqueezeExcitation(8, 2)) == 16 + 2 + 16 + 8


def test_SqueezeExcitation__one_half():
    """With weights and biases of 0 every channel is multiplied by sigmoid(0) = 0.5."""
    assert_close(with_weights(modern.SqueezeExcitation(2, 1), 0.0)(IMAGE), 0.5 * IMAGE)


def test_SqueezeExcitation__values():
    """With weights of 1: the channels' means are 0.5 and 2, their sum is 2.5, and the factor is sigmoid(2.5)."""
    result = with_weights(modern.SqueezeExcitation(2, 1), 1.0)(IMAGE)
    assert_close(result, IMAGE * torch.sigmoid(torch.tensor(2.5)))


def test_SqueezeExcitation__shape():
    """An image need not be square."""
    assert modern.SqueezeExcitation(6, 3)(torch.randn(2, 6, 4, 7)).shape == (2, 6, 4, 7)


# ------------------------------------------------------------------------------------------------ MBConvBlock


def test_MBConvBlock__parameters():
    """8 → 8 channels, 48 in the middle, 2 squeezed."""
    expansion = 8 * 48 + 2 * 48
    depthwise = 48 * 9 + 2 * 48
    squeeze_and_excitation = 48 * 2 + 2 + 2 * 48 + 48
    projection = 48 * 8 + 2 * 8
    assert count(modern.MBConvBlock(8, 8, 6, 3, 1)) == expansion + depthwise + squeeze_and_excitation + projection


def test_MBConvBlock__without_expansion():
    """With expand_ratio=1 the block begins with the depthwise convolution."""
    depthwise = 8 * 25 + 2 * 8
    squeeze_and_excitation = 8 * 2 + 2 + 2 * 8 + 8
    projection = 8 * 4 + 2 * 4
    assert count(modern.MBConvBlock(8, 4, 1, 5, 1)) == depthwise + squeeze_and_excitation + projection


def test_MBConvBlock__shape():
    """Only the stride makes the map smaller."""
    x = torch.randn(2, 8, 6, 10)
    assert modern.MBConvBlock(8, 12, 6, 5, 1)(x).shape == (2, 12, 6, 10)
    assert modern.MBConvBlock(8, 12, 6, 5, 2)(x).shape == (2, 12, 3, 5)
    assert modern.MBConvBlock(8, 8, 6, 3, 2)(x).shape == (2, 8, 3, 5)


def test_MBConvBlock__residual():
    """With weights of 0 the result is the input if the block adds it, and 0 otherwise."""
    assert_close(with_weights(modern.MBConvBlock(2, 2, 4, 3, 1), 0.0)(IMAGE), IMAGE)
    assert_close(with_weights(modern.MBConvBlock(2, 3, 4, 3, 1), 0.0)(IMAGE), torch.zeros(1, 3, 2, 2))
    assert_close(with_weights(modern.MBConvBlock(2, 2, 4, 3, 2), 0.0)(IMAGE), torch.zeros(1, 2, 1, 1))


# ------------------------------------------------------------------------------------------------ PreActBlock


def test_PreActBlock__parameters():
    """Two 3×3 convolutions and two batch norms; a 1×1 convolution where the shortcut needs one."""
    assert count(modern.PreActBlock(4, 4)) == 2 * 144 + 2 * 8
    assert count(modern.PreActBlock(4, 6)) == 216 + 324 + 8 + 12 + 24
    assert count(modern.PreActBlock(4, 4, stride=2)) == 2 * 144 + 2 * 8 + 16


def test_PreActBlock__shape():
    """A stride of 2 halves the size, on both paths through the block."""
    x = torch.randn(2, 4, 6, 10)
    assert modern.PreActBlock(4, 4)(x).shape == (2, 4, 6, 10)
    assert modern.PreActBlock(4, 6, 2)(x).shape == (2, 6, 3, 5)


def test_PreActBlock__identity():
    """With weights of 0 the input comes out as it was, negative numbers included."""
    assert_close(with_weights(modern.PreActBlock(2, 2), 0.0)(IMAGE), IMAGE)


# ------------------------------------------------------------------------------------------------ ModernBlock


def test_ModernBlock__parameters():
    """From 8 to 16 channels: 4 in the middle, 4 squeezed, and a 1×1 convolution on the shortcut."""
    convolutions = 8 * 4 + 4 * 4 * 9 + 4 * 16
    batch_norms = 2 * (8 + 4 + 4)
    squeeze_and_excitation = 16 * 4 + 4 + 4 * 16 + 16
    shortcut = 8 * 16
    assert count(modern.ModernBlock(8, 16)) == convolutions + batch_norms + squeeze_and_excitation + shortcut


def test_ModernBlock__shape():
    """A stride of 2 halves the size."""
    x = torch.randn(2, 8, 6, 10)
    assert modern.ModernBlock(8, 8)(x).shape == (2, 8, 6, 10)
    assert modern.ModernBlock(8, 16, stride=2)(x).shape == (2, 16, 3, 5)


def test_ModernBlock__identity():
    """With weights of 0 the input comes out as it was, negative numbers included."""
    x = torch.cat([IMAGE, -IMAGE], dim=1)
    assert_close(with_weights(modern.ModernBlock(4, 4), 0.0)(x), x)


# -------------------------------------------------------------------------------------------------- ModernCNN


def test_ModernCNN__parameters():
    """With 1000 classes there are 35 624 040 parameters."""
    with torch.device("meta"):  # only sizes, no numbers
        assert count(modern.ModernCNN()) == 35_624_040


def test_ModernCNN__shape():
    """One number per image and class."""
    with torch.device("meta"):
        assert modern.ModernCNN(num_classes=10)(torch.randn(2, 3, 64, 96)).shape == (2, 10)


# ------------------------------------------------------------------------------------------- compound_scaling


def test_compound_scaling__one_step():
    """One step of the dial multiplies by alpha, beta and gamma, two steps by their squares."""
    assert tuple(modern.compound_scaling(1)) == pytest.approx((1.2, 1.1, 1.15))
    assert tuple(modern.compound_scaling(2)) == pytest.approx((1.44, 1.21, 1.3225))


def test_compound_scaling__no_step():
    """With phi = 0 nothing is scaled."""
    assert tuple(modern.compound_scaling(0)) == pytest.approx((1.0, 1.0, 1.0))


def test_compound_scaling__too_expensive():
    """Twice the depth, width and resolution is 32 times the work per step: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        modern.compound_scaling(1, alpha=2, beta=2, gamma=2)


# --------------------------------------------------------------------------------------------- EfficientNetB0


def test_EfficientNetB0__parameters():
    """With 1000 classes there are 5 288 548 parameters."""
    with torch.device("meta"):
        assert count(modern.EfficientNetB0()) == 5_288_548


def test_EfficientNetB0__shape():
    """One number per image and class."""
    with torch.device("meta"):
        assert modern.EfficientNetB0(num_classes=10)(torch.randn(2, 3, 64, 96)).shape == (2, 10)


def test_EfficientNetB0__nothing_is_random():
    """The same batch gives the same result, even in training mode."""
    model, x = modern.EfficientNetB0(num_classes=3).train(), torch.randn(2, 3, 64, 64)
    assert_close(model(x), model(x))


# ------------------------------------------------------------------------------------------------ wide_resnet


def test_wide_resnet__parameters():
    """The smallest one has 77 850 parameters, a WRN-16-4 has 2 748 890."""
    with torch.device("meta"):
        assert count(modern.wide_resnet(10, 1)) == 77_850
        assert count(modern.wide_resnet(16, 4)) == 2_748_890


def test_wide_resnet__shape():
    """One number per image and class."""
    assert modern.wide_resnet(10, 2, num_classes=7)(torch.randn(2, 3, 32, 32)).shape == (2, 7)


def test_wide_resnet__depth():
    """There is no Wide ResNet of depth 12: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        modern.wide_resnet(12, 1)
