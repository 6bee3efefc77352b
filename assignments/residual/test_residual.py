"""Public tests of the assignment "residual": small examples that you can check by hand.

Run them next to your `residual.py` with

    autograder check

or, without the autograder, with

    pytest test_residual.py

For one exercise only: `pytest -k ResidualBlock`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import pytest
import residual
import torch
from torch import nn
from torch.testing import assert_close

# A map of ones with two channels.
ONES = torch.ones(1, 2, 4, 4)


def count(module):
    """The number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def silence(block):
    """Sets the scales of all batch norms in a block to 0: what is left is the shortcut."""
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.weight)
    return block.eval()


class TinyBlock(nn.Module):
    """A simple block to fill a ResNet with: one 1×1 convolution and the shortcut."""

    expansion = 2

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(inplanes, 2 * planes, kernel_size=1, stride=stride, bias=False)
        self.downsample = downsample

    def forward(self, x):
        return self.conv(x) + (x if self.downsample is None else self.downsample(x))


# ---------------------------------------------------------------------------------------------------- conv3x3


def test_conv3x3__keeps_the_size():
    """A 4×5 map stays 4×5; three channels become six."""
    assert residual.conv3x3(3, 6)(torch.ones(2, 3, 4, 5)).shape == (2, 6, 4, 5)


def test_conv3x3__stride():
    """With stride 2, 4×5 becomes 2×3."""
    assert residual.conv3x3(3, 6, stride=2)(torch.ones(2, 3, 4, 5)).shape == (2, 6, 2, 3)


def test_conv3x3__sums_of_ones():
    """With all weights 1, a result is the number of ones that the window sees: 4 in a corner, 6 at an edge, else 9."""
    layer = residual.conv3x3(1, 1)
    nn.init.ones_(layer.weight)
    expected = torch.tensor([[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]])
    assert_close(layer(torch.ones(1, 1, 3, 3))[0, 0], expected)


def test_conv3x3__no_bias():
    """3 · 6 · 9 weights and nothing else."""
    assert count(residual.conv3x3(3, 6)) == 162


# ---------------------------------------------------------------------------------------------- ResidualBlock


def test_ResidualBlock__shape():
    """Stride 2 halves the map, and the number of channels is the one asked for."""
    assert residual.ResidualBlock(3, 6, stride=2)(torch.ones(2, 3, 8, 6)).shape == (2, 6, 4, 3)


def test_ResidualBlock__passes_positive_numbers_on():
    """When the layers return 0, positive numbers pass through and the last ReLU removes negative ones."""
    block = silence(residual.ResidualBlock(2, 2))
    assert_close(block(ONES), ONES)
    assert_close(block(-ONES), 0 * ONES)


def test_ResidualBlock__makes_numbers_smaller():
    """The layers may also subtract: here they return -0.75 everywhere."""
    block = silence(residual.ResidualBlock(2, 2))
    norms = [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.constant_(norm.bias, -0.75)
    assert_close(block(ONES), 0.25 * ONES)


def test_ResidualBlock__shortcut():
    """The shortcut is x itself, or it has parameters: 4 · 2 weights and 2 · 4 numbers of a batch norm."""
    assert_close(residual.ResidualBlock(2, 2).shortcut(ONES), ONES)
    assert count(residual.ResidualBlock(2, 4).shortcut) == 16
    assert residual.ResidualBlock(2, 4, stride=2).shortcut(ONES).shape == (1, 4, 2, 2)


def test_ResidualBlock__parameters():
    """Two 3×3 convolutions from 2 to 2 channels and two batch norms: 36 + 36 + 4 + 4."""
    assert count(residual.ResidualBlock(2, 2)) == 80


def test_ResidualBlock__leaves_its_input_alone():
    """The input is unchanged after the call."""
    x = torch.tensor([-2.0, 1.0]).repeat(8).reshape(1, 1, 4, 4)
    before = x.clone()
    residual.ResidualBlock(1, 1)(x)
    assert_close(x, before)


# ------------------------------------------------------------------------------------------------- BasicBlock


def test_BasicBlock__expansion():
    """The block returns `planes` channels."""
    assert residual.BasicBlock.expansion == 1
    assert residual.BasicBlock(2, 2)(ONES).shape == (1, 2, 4, 4)


def test_BasicBlock__names():
    """The layers have torchvision's names."""
    names = {name.split(".")[0] for name in residual.BasicBlock(2, 2).state_dict()}
    assert names == {"conv1", "bn1", "conv2", "bn2"}


def test_BasicBlock__adds_what_downsample_gives():
    """When the layers return 0, relu(downsample(x)) is left."""
    block = silence(residual.BasicBlock(2, 2, stride=2, downsample=nn.AvgPool2d(2)))
    assert_close(block(3 * ONES), 3 * torch.ones(1, 2, 2, 2))


def test_BasicBlock__passes_positive_numbers_on():
    """When the layers return 0 and there is no downsample, relu(x) is left."""
    block = silence(residual.BasicBlock(2, 2))
    assert_close(block(ONES), ONES)
    assert_close(block(-ONES), 0 * ONES)


# ------------------------------------------------------------------------------------------------- Bottleneck


def test_Bottleneck__expansion():
    """The block returns four times `planes` channels."""
    assert residual.Bottleneck.expansion == 4
    assert residual.Bottleneck(8, 2)(torch.ones(1, 8, 4, 4)).shape == (1, 8, 4, 4)


def test_Bottleneck__names():
    """The layers have torchvision's names."""
    names = {name.split(".")[0] for name in residual.Bottleneck(8, 2).state_dict()}
    assert names == {"conv1", "bn1", "conv2", "bn2", "conv3", "bn3"}


def test_Bottleneck__parameters():
    """Weights: 8 · 2, then 2 · 2 · 9, then 2 · 8; batch norms of 2, 2 and 8 channels: 4 + 4 + 16."""
    assert count(residual.Bottleneck(8, 2)) == 16 + 36 + 16 + 24


def test_Bottleneck__stride_on_the_3x3_convolution():
    """A 4×4 map becomes 2×2, and all pixels take part, even those that a 1×1 window with stride 2 skips."""
    torch.manual_seed(0)
    block = residual.Bottleneck(8, 16, stride=2, downsample=nn.Sequential(nn.MaxPool2d(1, 2), nn.Conv2d(8, 64, 1)))
    x = torch.rand(3, 8, 4, 4, requires_grad=True)
    result = block(x)
    assert result.shape == (3, 64, 2, 2)
    (gradient,) = torch.autograd.grad(result.sum(), x)
    assert gradient[:, :, 1, 1].abs().sum() > 0


# ----------------------------------------------------------------------------------------------------- ResNet


@pytest.fixture
def tiny_net():
    return residual.ResNet(TinyBlock, [1, 2, 1, 1], num_classes=5)


def test_ResNet__result(tiny_net):
    """One number per class, for images of any size."""
    assert tiny_net(torch.ones(2, 3, 32, 32)).shape == (2, 5)
    assert tiny_net(torch.ones(1, 3, 40, 64)).shape == (1, 5)


def test_ResNet__stages(tiny_net):
    """Four stages with 1, 2, 1 and 1 blocks; the first block of a stage has its stride."""
    strides = [[block.stride for block in getattr(tiny_net, f"layer{i}")] for i in (1, 2, 3, 4)]
    assert strides == [[1], [2, 1], [2], [2]]


def test_ResNet__downsample(tiny_net):
    """Only the second block of layer2 has none; 64 channels already become 128 in layer1."""
    given = [[block.downsample is not None for block in getattr(tiny_net, f"layer{i}")] for i in (1, 2, 3, 4)]
    assert given == [[True], [True, False], [True], [True]]
    assert tiny_net.layer2[0].downsample(torch.ones(1, 128, 8, 8)).shape == (1, 256, 4, 4)


def test_ResNet__stem(tiny_net):
    """For a 64×64 image the first block sees 64 channels of 16×16 and nothing negative, thanks to the ReLU."""
    seen = []
    tiny_net.layer1[0].register_forward_pre_hook(lambda block, inputs: seen.append(inputs[0]))
    tiny_net(torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64))
    assert seen[0].shape == (1, 64, 16, 16)
    assert seen[0].min() >= 0


def test_ResNet__make_layer(tiny_net):
    """A stage of three blocks for 10 channels; afterwards `inplanes` is 2 · 6."""
    tiny_net.inplanes = 10
    stage = tiny_net._make_layer(TinyBlock, 6, 3, stride=2)
    assert [block.conv.in_channels for block in stage] == [10, 12, 12]
    assert tiny_net.inplanes == 12


# ---------------------------------------------------------------------------------------------- five networks


def on_meta(build):
    """A network without its numbers, for counting parameters."""
    with torch.device("meta"):
        return build()


def test_resnet18__parameters():
    """11689512 parameters for 1000 classes."""
    assert count(on_meta(residual.resnet18)) == 11689512


def test_resnet34__parameters():
    """21797672 parameters for 1000 classes."""
    assert count(on_meta(residual.resnet34)) == 21797672


def test_resnet50__parameters():
    """25557032 parameters for 1000 classes."""
    assert count(on_meta(residual.resnet50)) == 25557032


def test_resnet101__parameters():
    """44549160 parameters for 1000 classes."""
    assert count(on_meta(residual.resnet101)) == 44549160


def test_resnet152__parameters():
    """60192808 parameters for 1000 classes."""
    assert count(on_meta(residual.resnet152)) == 60192808


def test_resnet18__other_number_of_classes():
    """With 10 classes the result has 10 entries per image."""
    assert residual.resnet18(num_classes=10).eval()(torch.ones(1, 3, 32, 32)).shape == (1, 10)


# ----------------------------------------------------------------------------------------------- cifar_resnet


def test_cifar_resnet__parameters():
    """ResNet-20 has 269722 parameters."""
    assert count(residual.cifar_resnet(3)) == 269722


def test_cifar_resnet__result():
    """One number per class: 10 by default, or as many as requested."""
    x = torch.ones(2, 3, 32, 32)
    assert residual.cifar_resnet(1)(x).shape == (2, 10)
    assert residual.cifar_resnet(1, num_classes=7)(x).shape == (2, 7)


def test_cifar_resnet__deeper():
    """With n = 1 the network has 8 layers and 75290 parameters; each further block adds those of its layers."""
    assert count(residual.cifar_resnet(1)) == 75290
    assert count(residual.cifar_resnet(2)) == 75290 + 4672 + 18560 + 73984
