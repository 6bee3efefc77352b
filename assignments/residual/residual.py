# %% [markdown]
# # Residual networks
#
# Deeper networks should be better: a deep network can do everything a shallow one can if its extra layers just
# pass their input on. But in 2015 people saw the opposite. A plain network of 56 layers was worse than one of
# 20, and not because of overfitting: even its *training* error was higher. It is hard to learn "do nothing" with
# a stack of convolutions.
#
# The residual network (He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition") turns this
# around. Its layers compute only what is to be *added* to their input:
#
# $$y = \operatorname{ReLU}(F(x) + x)$$
#
# Now "do nothing" is easy: all weights of F go to zero. And the gradient has a short way back through the sum.
# Suddenly, networks of 152 layers, and even of a thousand, could be trained.
#
# In this assignment you write residual networks: first a self-contained block, then torchvision's two blocks, its
# frame and its five famous networks, and finally the small networks that the paper used for CIFAR-10.
#
# These rules apply everywhere:
#
# - the result has the dtype and the device of the input, and the input itself is never changed, not even by an
#   in-place ReLU or a `+=` deep inside a block;
# - gradients flow to the input and to all parameters;
# - **no convolution has a bias.** A batch norm follows each of them and subtracts the mean of every channel. What
#   would be left of a number that was added before it?
#
# "Batch norm" means `nn.BatchNorm2d` with its default settings.

# %%
import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# ## The convolution used everywhere
#
# Nearly all convolutions of a ResNet have a 3×3 kernel. With one pixel of padding on each side, such a
# convolution keeps height and width at stride 1 and halves them (rounded up) at stride 2. Write a function that
# builds one, so that the blocks below are easier to read.


# %%
def conv3x3(in_planes, out_planes, stride=1):
    """A new 3×3 convolution with padding 1 and without bias, as an `nn.Conv2d`.

    It maps (N, in_planes, H, W) to (N, out_planes, ceil(H / stride), ceil(W / stride)).
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## A residual block
#
# ```
#         ┌──────────────── shortcut ────────────────┐
#         │                                          │
#    x ───┴─ 3×3 conv ─ BN ─ ReLU ─ 3×3 conv ─ BN ── + ─ ReLU ─── y
# ```
#
# Look closely at where the two ReLUs are. There is no ReLU between the second batch norm and the sum, because F
# must also be able to make a channel smaller. And what goes into the shortcut is x itself.
#
# A sum needs two tensors of the same shape. Inside a stage of a network the shapes match, and the shortcut passes
# x on as it is. At the start of a stage, the first convolution has a stride of 2, or there are more channels than
# before, or both. Then the shortcut has work to do: a 1×1 convolution with the block's stride brings x to the
# right shape, and a batch norm follows it. This is needed if the stride is not 1, *or* if the numbers of channels
# differ.
#
# Keep the shortcut in an attribute called `shortcut`, so that others can look at it: `block.shortcut(x)` returns
# what is added. All other names are up to you.


# %%
class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with batch norm, and a shortcut that is added before the last ReLU.

    Input: (N, in_channels, H, W).
    Output: (N, out_channels, H', W') with H' = ceil(H / stride) and W' = ceil(W / stride).
    The first convolution has the stride.
    The attribute `shortcut` is the identity, or a 1×1 convolution with batch norm if stride or channels require it.
    """

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ### Look at it
#
# Thirty of your blocks, one after the other, with random weights: how large is the gradient when it has come back to
# each block? And how large is it without the shortcuts? The scale is logarithmic. (Run the cell when your block works.
# It needs `matplotlib`.)


# %%
def draw_gradients():
    """The size of the gradient at each of thirty blocks, with and without shortcuts."""
    import matplotlib.pyplot as plt

    curves = []
    for with_shortcuts in (False, True):
        torch.manual_seed(0)
        maps = [torch.randn(16, 8, 8, 8, requires_grad=True)]
        for _ in range(30):
            block = ResidualBlock(8, 8)
            if not with_shortcuts:
                block.shortcut = nn.Conv2d(8, 8, kernel_size=1, bias=False)
                nn.init.zeros_(block.shortcut.weight)  # adds nothing
            maps.append(block(maps[-1]))
        gradients = torch.autograd.grad(maps[-1], maps, torch.randn_like(maps[-1]))
        curves.append([gradient.norm() for gradient in gradients])

    _, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    axes.semilogy(curves[0], "--", linewidth=2, label="without shortcuts")
    axes.semilogy(curves[1], linewidth=2, label="with shortcuts")
    axes.set(title="The gradient on its way back, from right to left", xlabel="block", ylabel="size of the gradient")
    axes.legend()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_gradients()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write conv3x3 and ResidualBlock first.")

# %% [markdown]
# ## The blocks of torchvision
#
# Your block decides for itself what its shortcut is. torchvision divides the work differently: the *network* knows
# where a stage begins. It builds the layers for the shortcut there and passes them to the block as the argument
# `downsample`. The block asks no questions. If `downsample` is None, it adds x as it is; otherwise it adds
# `downsample(x)`, whatever module that is.
#
# From here on, names matter. torchvision offers trained weights as a dictionary from names to tensors, which can
# only be loaded into a model that uses the same names. So the layers of a block must be called
#
# - `conv1`, `bn1`, `conv2`, `bn2` (and `conv3`, `bn3` if there are three), in the order in which they are used,
# - `relu` for the ReLU, which has no weights and may be used several times,
# - `downsample` for the module that was passed in.
#
# The class attribute `expansion` tells the network how many channels a block returns, as a multiple of its
# `planes`: `out_channels = planes * expansion`. `BasicBlock` has the same layers as the block above, so its
# `expansion` is 1.


# %%
class BasicBlock(nn.Module):
    """The block of ResNet-18 and ResNet-34: two 3×3 convolutions, the first one with the stride.

    Input: (N, inplanes, H, W). Output: (N, planes, H', W') with H' = ceil(H / stride) and W' = ceil(W / stride).
    downsample: None, or a module that maps the input to the shape of the output
    """

    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## The bottleneck
#
# A 3×3 convolution from 256 to 256 channels has 589824 weights and uses all of them at every pixel. The deep
# networks, with 50 layers or more, use a bottleneck instead:
#
# ```
#    256 channels ─ 1×1 ─ 64 channels ─ 3×3 ─ 64 channels ─ 1×1 ─ 256 channels
# ```
#
# A 1×1 convolution squeezes the channels to `planes`, the 3×3 convolution works on these few, and another 1×1
# convolution expands them to four times `planes`. Each is followed by a batch norm, the first two also by a
# ReLU. The sum and the last ReLU are the same as in the previous block.
#
# Which of the three has the stride? In the paper it is the first one. But a 1×1 convolution with stride 2 does
# not even look at three out of four pixels. Today, and here, the 3×3 convolution has the stride.


# %%
class Bottleneck(nn.Module):
    """The block of ResNet-50 and deeper: 1×1, 3×3 (with the stride), 1×1.

    Input: (N, inplanes, H, W). Output: (N, 4 * planes, H', W') with H' = ceil(H / stride) and W' = ceil(W / stride).
    downsample: None, or a module that maps the input to the shape of the output
    """

    expansion = 4

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## The frame
#
# All networks of the family have the same frame, and any block fits into it:
#
# | part | what it is | result for 224×224 |
# |---|---|---|
# | `conv1`, `bn1`, `relu` | 7×7 convolution, stride 2, padding 3, from 3 to 64 channels; BN; ReLU | 64 × 112 × 112 |
# | `maxpool` | max pooling 3×3, stride 2, padding 1 | 64 × 56 × 56 |
# | `layer1` | `layers[0]` blocks with `planes` = 64 | 64e × 56 × 56 |
# | `layer2` | `layers[1]` blocks with `planes` = 128, halves the size | 128e × 28 × 28 |
# | `layer3` | `layers[2]` blocks with `planes` = 256, halves the size | 256e × 14 × 14 |
# | `layer4` | `layers[3]` blocks with `planes` = 512, halves the size | 512e × 7 × 7 |
# | `avgpool` | global average pooling | 512e |
# | `fc` | linear layer with bias | `num_classes` |
#
# where e is the block's `expansion`. Thanks to the global average pooling, images of any size from 32×32 up work,
# including images that are not square.
#
# **One stage.** `_make_layer` builds one of the four stages, a sequence of `blocks` blocks. Only its first block
# has the stride. In `self.inplanes`, the network keeps track of how many channels come in: 64 after the stem, and
# after each stage the number of channels that the stage returns. From that number `_make_layer` can tell whether
# the first block needs a `downsample`: it does if its input and its output differ in size (the stride is not 1) or
# in channels (do not forget the expansion). A `downsample` is an `nn.Sequential` of a 1×1 convolution and a batch
# norm. The other blocks of a stage do not need one.
#
# Is there a `downsample` in `layer1`? Answer this for both blocks before you start. It is a good check of the
# condition.


# %%
class ResNet(nn.Module):
    """A residual network made of four stages of blocks.

    block: a class like BasicBlock, built with (inplanes, planes, stride, downsample) and with an attribute `expansion`
    layers: the number of blocks in each of the four stages

    Input: (N, 3, H, W) with H and W at least 32. Output: (N, num_classes).
    """

    def __init__(self, block, layers, num_classes=1000):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def _make_layer(self, block, planes, blocks, stride=1):
        """One stage: `blocks` blocks, the first one with the stride. Updates `self.inplanes`."""
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Five famous networks
#
# With the frame and two blocks, each network is one line. The number in its name counts the layers with
# weights on the longest path: the stem, the convolutions of all blocks, and the linear layer at the end.
#
# | network | block | blocks per stage | parameters |
# |---|---|---|---|
# | `resnet18` | `BasicBlock` | 2, 2, 2, 2 | 11 689 512 |
# | `resnet34` | `BasicBlock` | 3, 4, 6, 3 | 21 797 672 |
# | `resnet50` | `Bottleneck` | 3, 4, 6, 3 | 25 557 032 |
# | `resnet101` | `Bottleneck` | 3, 4, 23, 3 | 44 549 160 |
# | `resnet152` | `Bottleneck` | 3, 8, 36, 3 | 60 192 808 |
#
# Compare your counts with the table, which is for 1000 classes. The forward pass of `resnet34` is timed.


# %%
def resnet18(num_classes=1000):
    """ResNet-18: 11689512 parameters with 1000 classes."""
    # YOUR CODE HERE
    raise NotImplementedError()


def resnet34(num_classes=1000):
    """ResNet-34: 21797672 parameters with 1000 classes."""
    # YOUR CODE HERE
    raise NotImplementedError()


def resnet50(num_classes=1000):
    """ResNet-50: 25557032 parameters with 1000 classes."""
    # YOUR CODE HERE
    raise NotImplementedError()


def resnet101(num_classes=1000):
    """ResNet-101: 44549160 parameters with 1000 classes."""
    # YOUR CODE HERE
    raise NotImplementedError()


def resnet152(num_classes=1000):
    """ResNet-152: 60192808 parameters with 1000 classes."""
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Small networks for small images
#
# For the 32×32 images of CIFAR-10 the paper uses narrower networks with a different frame:
#
# - stem: one 3×3 convolution from 3 to 16 channels (stride 1), batch norm, ReLU, no pooling;
# - three stages of n blocks with 16, 32 and 64 channels on maps of 32×32, 16×16 and 8×8 pixels; the blocks have
#   the layers of a `BasicBlock`, and the first block of the second and of the third stage has stride 2;
# - global average pooling and a linear layer with bias.
#
# This makes 6n + 2 layers with weights: n = 3 gives ResNet-20.
#
# There is one more difference. The shortcuts here have *no parameters at all*; the paper calls this option A.
# Where the map halves and the channels double, the shortcut
#
# 1. keeps every second pixel in each direction: pixels 0, 2, 4, …, and
# 2. appends channels of zeros after the old ones, as many as are missing.
#
# ```
#    channel 0                        channel 0    channel 1
#    a b c d
#    e f g h                             a c          0 0
#    i j k l         ─── option A ──→    i k          0 0
#    m n o p
# ```
#
# ResNet-20 with 10 classes has 269722 parameters. All names are up to you.

# %%
# Space for a module that the function needs.


# YOUR CODE HERE


# %%
def cifar_resnet(n, num_classes=10):
    """The paper's network of 6n + 2 layers for CIFAR-10, with option A shortcuts.

    Input of the network: (N, 3, 32, 32). Output: (N, num_classes).
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Done?
#
# `autograder check` runs the public tests on your file. Then try more: print the names and shapes in the
# `state_dict` of your networks, count parameters, try images that are not square, and look at what a block does
# with a map of negative numbers.
