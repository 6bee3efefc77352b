"""Public tests of the assignment "architectures": small examples that you can check by hand.

Run them next to your `architectures.py` with

    autograder check

or, without the autograder, with

    pytest test_architectures.py

For one exercise only: `pytest -k LeNet`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import architectures
import pytest
import torch
from torch import nn
from torch.testing import assert_close


def ready(module, *shape):
    """The module after a pass in evaluation mode, which tells lazy layers their shapes."""
    module.eval()(torch.zeros(shape))
    return module.train()


def filled(module, weight, bias=0.0):
    """The module with one number in all its weights and another in all its biases."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(weight if parameter.dim() > 1 else bias)
    return module


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def shapes(stages, x):
    """The shape of what each stage returns for x, without the batch."""
    found = []
    with torch.no_grad():
        for stage in stages:
            x = stage(x)
            found.append(tuple(x.shape[1:]))
    return found


# ---------------------------------------------------------------------------------------------- layer_summary


def test_layer_summary__names_and_shapes():
    """The example from the text."""
    net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.Flatten())
    expected = [("Conv2d", (2, 6, 4, 4)), ("Sigmoid", (2, 6, 4, 4)), ("Flatten", (2, 96))]
    assert architectures.layer_summary(net, (2, 1, 8, 8)) == expected


def test_layer_summary__nested():
    """A Sequential inside the network is one entry."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))
    assert architectures.layer_summary(net, (5, 3)) == [("Linear", (5, 4)), ("Sequential", (5, 2))]


def test_layer_summary__mode():
    """A network in training mode is still in training mode afterwards."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout()).train()
    architectures.layer_summary(net, (2, 3))
    assert net.training
    assert net[1].training


def test_layer_summary__running_statistics():
    """Looking at a batch norm does not train it."""
    net = nn.Sequential(nn.BatchNorm1d(3))
    architectures.layer_summary(net, (2, 3))
    assert_close(net[0].running_var, torch.ones(3))


# ------------------------------------------------------------------------------------------------------ LeNet


def test_LeNet__parameters():
    """156 + 2416 + 48120 + 10164 + 850 parameters."""
    assert parameters(ready(architectures.LeNet(), 1, 1, 28, 28)) == 61706


def test_LeNet__shapes():
    """The shapes in the table; an activation repeats the shape of the layer before it."""
    found = shapes(architectures.LeNet().net, torch.zeros(2, 1, 28, 28))
    assert len(found) == 12
    assert found[:3] == [(6, 28, 28), (6, 28, 28), (6, 14, 14)]
    assert found[3:7] == [(16, 10, 10), (16, 10, 10), (16, 5, 5), (400,)]
    assert found[7:] == [(120,), (120,), (84,), (84,), (10,)]


def test_LeNet__zeros():
    """If only the weights of the last layer are not 0, 84 sigmoids of 0 are added up: 84 · 0.5 = 42."""
    model = filled(ready(architectures.LeNet(num_classes=3), 1, 1, 28, 28), 0.0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.shape == (3, 84):
                parameter.fill_(1.0)
    assert_close(model(torch.rand(2, 1, 28, 28)), torch.full((2, 3), 42.0))


# ---------------------------------------------------------------------------------------- local_response_norm


def test_local_response_norm__three_channels():
    """Channels 1, 2 and 3 with size 3, alpha 1, beta 1 and k 1: the sums of squares are 5, 14 and 13."""
    x = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    expected = torch.tensor([1 / 6, 2 / 15, 3 / 14]).reshape(1, 3, 1, 1)
    assert_close(architectures.local_response_norm(x, size=3, alpha=1.0, beta=1.0, k=1.0), expected)


def test_local_response_norm__one_channel():
    """A single channel has no neighbours: 4 / (9 + 16) ** 0.5 = 0.8."""
    x = torch.full((2, 1, 2, 3), 4.0)
    result = architectures.local_response_norm(x, size=5, alpha=1.0, beta=0.5, k=9.0)
    assert_close(result, torch.full((2, 1, 2, 3), 0.8))


# -------------------------------------------------------------------------------------------------- vgg_block


def test_vgg_block__shape():
    """Two convolutions keep the size, and the pooling halves it."""
    assert architectures.vgg_block(2, 3, 8)(torch.zeros(1, 3, 6, 10)).shape == (1, 8, 3, 5)


def test_vgg_block__parameters():
    """From 2 to 4 channels (76), and from 4 to 4 twice (148 each)."""
    assert parameters(ready(architectures.vgg_block(3, 2, 4), 1, 2, 4, 4)) == 76 + 148 + 148


def test_vgg_block__ones():
    """With weights of 1, a map of 2×2 ones adds up to 4 everywhere, and to 16 in the second convolution."""
    block = filled(ready(architectures.vgg_block(2, 1, 1), 1, 1, 2, 2), 1.0)
    assert_close(block(torch.ones(1, 1, 2, 2)), torch.full((1, 1, 1, 1), 16.0))


# ------------------------------------------------------------------------------------------------------ VGG16


def test_VGG16__parameters():
    """138357544 parameters, counted on the meta device, where they need no memory."""
    with torch.device("meta"):
        assert parameters(ready(architectures.VGG16(), 1, 3, 224, 224)) == 138357544


def test_VGG16__convolutions():
    """The widths of the 13 convolutions."""
    with torch.device("meta"):
        model = ready(architectures.VGG16(10), 1, 3, 224, 224)
    widths = [p.shape[0] for p in model.parameters() if p.dim() == 4 and p.shape[-1] == 3]
    assert sorted(widths) == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6


# -------------------------------------------------------------------------------------------------- nin_block


def test_nin_block__shape():
    """A window of 3 with stride 2 and padding 1 fits into 7 × 9 pixels 4 × 5 times."""
    assert architectures.nin_block(2, 6, 3, 2, 1)(torch.zeros(1, 2, 7, 9)).shape == (1, 6, 4, 5)


def test_nin_block__parameters():
    """From 2 to 6 channels with 3×3 (114), and from 6 to 6 with 1×1 twice (42 each)."""
    assert parameters(ready(architectures.nin_block(2, 6, 3, 2, 1), 1, 2, 5, 5)) == 114 + 42 + 42


def test_nin_block__ones():
    """With weights of 1 and one channel, a window of 2×2 ones gives 4, and the 1×1 convolutions keep it."""
    block = filled(ready(architectures.nin_block(1, 1, 2, 1, 0), 1, 1, 3, 3), 1.0)
    assert_close(block(torch.ones(1, 1, 3, 3)), torch.full((1, 1, 2, 2), 4.0))


def test_nin_block__last_relu():
    """With biases of -1 and weights of 0, the last ReLU returns 0."""
    block = filled(ready(architectures.nin_block(1, 2, 1, 1, 0), 1, 1, 2, 2), 0.0, bias=-1.0)
    assert_close(block(torch.ones(1, 1, 2, 2)), torch.zeros(1, 2, 2, 2))


# -------------------------------------------------------------------------------------------------------- NiN


def test_NiN__sizes():
    """The sizes in the table for images of 224×224."""
    found = shapes(architectures.NiN().eval().net, torch.zeros(1, 1, 224, 224))
    assert [shape[-1] for shape in found[:8]] == [54, 26, 26, 12, 12, 5, 5, 5]
    assert found[-1] == (10,)


def test_NiN__dropout():
    """Two passes differ in training mode, but not in evaluation mode."""
    torch.manual_seed(0)
    model, x = architectures.NiN(in_channels=3, num_classes=50), torch.rand(1, 3, 99, 99)
    assert not torch.equal(model.train()(x), model(x))
    assert torch.equal(model.eval()(x), model(x))


# -------------------------------------------------------------------------------------------------- Inception


def test_Inception__shape():
    """1 + 3 + 5 + 6 channels, and the size stays the same."""
    assert architectures.Inception(2, 1, (2, 3), (4, 5), 6)(torch.zeros(2, 2, 5, 7)).shape == (2, 15, 5, 7)


def test_Inception__order():
    """On a map of one pixel with weights of 1, the four branches give 2, then 2 · 2, then 2 · 3, then 2."""
    block = filled(ready(architectures.Inception(1, 1, (2, 1), (3, 1), 1), 1, 1, 1, 1), 1.0)
    result = block(torch.full((1, 1, 1, 1), 2.0))
    assert_close(result, torch.tensor([2.0, 4.0, 6.0, 2.0]).reshape(1, 4, 1, 1))


def test_Inception__relu():
    """With weights of 0 and biases of -1 all branches return 0."""
    block = filled(ready(architectures.Inception(1, 1, (1, 1), (1, 1), 1), 1, 1, 2, 2), 0.0, bias=-1.0)
    assert_close(block(torch.ones(1, 1, 2, 2)), torch.zeros(1, 4, 2, 2))


# -------------------------------------------------------------------------------------------------- GoogLeNet


def test_GoogLeNet__stages():
    """The shapes in the text for images of 96×96."""
    found = shapes(architectures.GoogLeNet().net, torch.zeros(1, 1, 96, 96))
    assert found == [(64, 24, 24), (192, 12, 12), (480, 6, 6), (832, 3, 3), (1024,), (10,)]


def test_GoogLeNet__parameters():
    """The number of parameters with one channel and ten classes."""
    with torch.device("meta"):
        assert parameters(ready(architectures.GoogLeNet(), 1, 1, 96, 96)) == 5977530


# ----------------------------------------------------------------------------------------------- ResNeXtBlock


def test_ResNeXtBlock__shapes():
    """Without further arguments the shape stays the same; with a stride of 2 the map becomes smaller."""
    assert architectures.ResNeXtBlock(8, 8, 2, 1)(torch.rand(2, 8, 6, 4)).shape == (2, 8, 6, 4)
    block = architectures.ResNeXtBlock(8, 12, 3, 0.5, use_1x1conv=True, strides=2)
    assert block(torch.rand(2, 8, 6, 4)).shape == (2, 12, 3, 2)


def test_ResNeXtBlock__parameters():
    """8 channels in 4 groups of 2: 72 + 8 · 2 · 9 + 8 + 72 parameters in convolutions, 3 · 16 in batch norms."""
    assert parameters(ready(architectures.ResNeXtBlock(8, 8, 2, 1), 1, 8, 2, 2)) == 72 + 152 + 72 + 48


def test_ResNeXtBlock__shortcut():
    """If all parameters are 0, only the shortcut and the ReLU after the sum are left."""
    block = filled(ready(architectures.ResNeXtBlock(2, 2, 1, 1), 1, 2, 1, 1), 0.0).eval()
    x = torch.tensor([1.0, -2.0]).reshape(1, 2, 1, 1)
    assert_close(block(x), torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1))


def test_ResNeXtBlock__not_divisible():
    """8 channels cannot be divided into groups of 3: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        architectures.ResNeXtBlock(8, 8, 3, 1)


# ----------------------------------------------------------------------------------------------------- AnyNet


def test_AnyNet__shape():
    """Two images, four classes."""
    model = architectures.AnyNet([(1, 8, 4, 1), (2, 12, 3, 0.5)], 6, num_classes=4)
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 4)
    assert isinstance(model.net, nn.Module)


def test_AnyNet__parameters():
    """A stem of 40 + 8, a block of 40 + 152 + 72 + 40 and 4 · 16, and a linear layer of 45."""
    model = architectures.AnyNet([(1, 8, 2, 1)], 4, in_channels=1, num_classes=5)
    assert parameters(ready(model, 1, 1, 8, 8)) == (40 + 8) + (40 + 152 + 72 + 40 + 64) + 45
