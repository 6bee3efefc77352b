# %% [markdown]
# # From LeNet to AnyNet
#
# Convolutional networks have a history, and each chapter of it has one idea. LeNet showed that they work. VGG
# built networks from *blocks*. NiN replaced the huge linear layers at the end with a mean. GoogLeNet looked at
# each map with several window sizes at once. ResNeXt cut the channels into groups, and AnyNet turned the whole
# design into four numbers per stage.
#
# In this assignment you build all of them, and two small tools along the way.
#
# Some rules apply everywhere:
#
# - images come in batches of shape (N, C, H, W);
# - the result has the dtype and the device of the input, and an argument is never changed in place;
# - gradients flow back to the input and to every parameter;
# - every convolution has a bias here, even if a batch norm follows it.
#
# You may use everything in `torch.nn`, except where an exercise forbids it. The names of the layers inside a
# network are up to you, and so is the order in which you create them. But where the text asks for an attribute
# `net`, the network must have one. Lazy layers (`nn.LazyConv2d` …) are fine.
#
# **Sizes, once more.** A window of `kernel` pixels that moves in steps of `stride` over `size` pixels with
# `padding` on both sides gives
#
# $$\left\lfloor\frac{\text{size} - \text{kernel} + 2\cdot\text{padding}}{\text{stride}}\right\rfloor + 1$$
#
# pixels. We write "3/2 p1" for a window of 3, a stride of 2 and a padding of 1.

# %%
import copy

import torch
from torch import nn

# %% [markdown]
# ## A table of layers
#
# When you build a network, you want to see what happens to an image on its way through it. For
#
# ```
# net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.Flatten())
# ```
#
# and an input of shape (2, 1, 8, 8), `layer_summary` returns
#
# ```
# [("Conv2d", (2, 6, 4, 4)), ("Sigmoid", (2, 6, 4, 4)), ("Flatten", (2, 96))]
# ```
#
# There is one pair per entry of `net`: a `Sequential` inside it is one entry, and a layer that appears in two
# places is two. The name is the name of the layer's class. The shape is a plain tuple of ints, not a
# `torch.Size`.
#
# A tool that looks at a network must not change it. Afterwards, every submodule is in the mode it was in
# (training or evaluation), all parameters and buffers have their old values, there are no new hooks, and
# whatever required a gradient still does. No gradient is recorded while you look.
#
# Three things to think about:
#
# - What does a batch norm do in training mode whenever an input passes through it? And what if that input is
#   a batch of one sample?
# - The parameters of a network may be `float64` or another dtype, and an input must have the same dtype. Some
#   networks have no parameters at all: they get an input of dtype `torch.get_default_dtype()`.
# - `net.children()` and iterating over `net` are not quite the same. Try both on a network in which the same
#   layer appears twice.


# %%
def layer_summary(net, input_shape):
    """The name and the output shape of every layer of a network, for an input of the given shape.

    net: an nn.Sequential whose layers are initialised, in any dtype; it is not changed
    input_shape: shape of the input, including the batch, for example (1, 3, 224, 224)

    Returns a list with one pair (class name, output shape) per entry of net; the shape is a plain tuple.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## LeNet
#
# LeNet-5 read the digits on American cheques in the nineties. This version is close to the original. An image
# has one channel and 28 × 28 pixels:
#
# | layers | output |
# |---|---|
# | convolution 5 × 5 with padding 2, sigmoid | 6 × 28 × 28 |
# | average pooling 2 × 2 | 6 × 14 × 14 |
# | convolution 5 × 5 without padding, sigmoid | 16 × 10 × 10 |
# | average pooling 2 × 2 | 16 × 5 × 5 |
# | flatten | 400 |
# | linear, sigmoid | 120 |
# | linear, sigmoid | 84 |
# | linear | `num_classes` |
#
# The last layer has no activation: the loss function takes care of that.
#
# The attribute `net` is an `nn.Sequential` of 12 layers, in which every activation and the flattening are
# separate layers. For ten classes there are 61706 parameters. Does your `layer_summary` agree with the table?


# %%
class LeNet(nn.Module):
    """LeNet-5 with sigmoids and average pooling.

    Input: (N, 1, 28, 28). Output: (N, num_classes).
    Attribute net: an nn.Sequential of 12 layers.
    """

    def __init__(self, num_classes=10):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Neighbours that inhibit each other
#
# AlexNet won the ImageNet competition of 2012, and it had a layer that nobody uses any more: *local response
# normalisation*. A strong activation dampens the activations of neighbouring *channels* at the same pixel:
#
# $$y_c = \frac{x_c}{\Big(k + \alpha \sum_{j} x_j^2\Big)^{\beta}}$$
#
# The sum runs over the `size` channels around c: with `size = 5` these are c − 2 … c + 2. At the edges there are
# fewer: channel 0 has only 0, 1 and 2. The size is odd, and it may be larger than the number of channels.
#
# PyTorch's `F.local_response_norm` divides α by `size` first. The paper's formula, and ours, does not.
#
# Forbidden: PyTorch's local response normalisation, and every pooling operator.


# %%
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """AlexNet's normalisation over neighbouring channels.

    x: tensor of shape (N, C, H, W)
    size: number of channels in the sum, an odd int
    alpha, beta, k: the constants of the formula

    Returns a tensor of shape (N, C, H, W).
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ### Look at it
#
# One pixel of a map with 24 channels, two of them strong, before and after; mind the scales. The constants are larger
# than AlexNet's, so that the effect can be seen. What happens to the neighbours of a strong channel? (Run the cell when
# your function works. It needs `matplotlib`.)


# %%
def draw_inhibition():
    """The channels of one pixel before and after local response normalisation."""
    import matplotlib.pyplot as plt

    x = torch.ones(24)
    x[7], x[16] = 6.0, 3.0
    y = local_response_norm(x.reshape(1, 24, 1, 1), alpha=0.1).flatten()
    _, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for ax, title, values in zip(axes, ["Before", "After"], [x, y], strict=True):
        ax.bar(range(24), values, color=["C1" if strong else "C0" for strong in x > 1])
        ax.set(title=title, xlabel="channel", ylabel="activation")
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_inhibition()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write local_response_norm first.")

# %% [markdown]
# ## VGG: networks of blocks
#
# The next idea was to stop thinking about layers. Two 3 × 3 convolutions see as much as one 5 × 5 convolution,
# with fewer parameters and one more non-linearity. So VGG uses only 3 × 3 convolutions and repeats one pattern:
# `num_convs` times a convolution with padding 1 and a ReLU, then 2 × 2 max pooling with stride 2. The first
# convolution takes the channels from `in_channels` to `out_channels`, and the pooling halves the map.
#
# `vgg_block` is a function that returns such a block as a module.


# %%
def vgg_block(num_convs, in_channels, out_channels):
    """(convolution 3×3 with padding 1, ReLU) × num_convs, then max pooling 2×2.

    Returns a module: (N, in_channels, H, W) → (N, out_channels, H // 2, W // 2).
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# VGG-16 has 13 convolutions and 3 linear layers. Its five blocks have 2, 2, 3, 3 and 3 convolutions, and 64, 128,
# 256, 512 and 512 channels. A colour image of 3 × 224 × 224 comes out of them as 512 × 7 × 7. Then come two
# linear layers of 4096, each followed by a ReLU and a dropout of 0.5, and the linear layer for the classes.
#
# With 1000 classes there are 138357544 parameters, more than half a gigabyte. (Three quarters of them are in a
# single layer. Which one?) To *count* them you do not need that memory: on PyTorch's "meta" device, tensors have
# a shape but no content.
#
# ```
# with torch.device("meta"):
#     print(sum(p.numel() for p in VGG16().parameters()))
# ```


# %%
class VGG16(nn.Module):
    """VGG-16 for images of 224×224, without batch norm.

    Input: (N, 3, 224, 224). Output: (N, num_classes).
    """

    def __init__(self, num_classes=1000):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Network in network
#
# A 1 × 1 convolution is a small linear layer, applied to the channels of every pixel. NiN puts two of them after
# each ordinary convolution, with a ReLU after each of the three. `nin_block` returns exactly that: a convolution
# with the given kernel, stride and padding, and two 1 × 1 convolutions that keep the number of channels.


# %%
def nin_block(in_channels, out_channels, kernel_size, strides, padding):
    """A convolution and two 1×1 convolutions, each followed by a ReLU.

    Returns a module: (N, in_channels, H, W) → (N, out_channels, out_H, out_W).
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# With enough non-linearity per pixel, the linear layers of VGG become superfluous. The last block of NiN has as
# many channels as there are classes, and the score of a class is the mean of its map. That saves a hundred
# million parameters, and it works for images of any size, as long as they are large enough.
#
# | stage | kernel, stride, padding | output for 1 × 224 × 224 |
# |---|---|---|
# | NiN block | 11, 4, 0 | 96 × 54 × 54 |
# | max pooling | 3, 2, 0 | 96 × 26 × 26 |
# | NiN block | 5, 1, 2 | 256 × 26 × 26 |
# | max pooling | 3, 2, 0 | 256 × 12 × 12 |
# | NiN block | 3, 1, 1 | 384 × 12 × 12 |
# | max pooling | 3, 2, 0 | 384 × 5 × 5 |
# | dropout 0.5 | | 384 × 5 × 5 |
# | NiN block | 3, 1, 1 | `num_classes` × 5 × 5 |
# | global average pooling | | `num_classes` × 1 × 1 |
# | flatten | | `num_classes` |
#
# The attribute `net` contains these stages in this order.


# %%
class NiN(nn.Module):
    """Network in network.

    Input: (N, in_channels, H, W). Output: (N, num_classes).
    Attribute net: the stages of the table above.
    """

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Inception
#
# Is 3 × 3 the right window, or 5 × 5? GoogLeNet does not decide. An Inception block sends its input through four
# branches side by side and concatenates their results along the channels:
#
# | branch | layers |
# |---|---|
# | 1 | 1 × 1 with `c1` channels |
# | 2 | 1 × 1 with `c2[0]`, then 3 × 3 with `c2[1]` |
# | 3 | 1 × 1 with `c3[0]`, then 5 × 5 with `c3[1]` |
# | 4 | max pooling of 3 × 3, then 1 × 1 with `c4` |
#
# Every convolution is followed by a ReLU. The result has c1 + c2[1] + c3[1] + c4 channels, in the order of the
# table. For that to work, all branches must keep height and width: choose the paddings accordingly, and remember
# which stride a pooling layer uses if you do not give one.


# %%
class Inception(nn.Module):
    """Four branches with windows of different sizes, concatenated along the channels.

    in_channels: channels of the input
    c1, c4: channels of the first and the fourth branch, ints
    c2, c3: pairs, channels of the two convolutions of the second and the third branch

    Input: (N, in_channels, H, W). Output: (N, c1 + c2[1] + c3[1] + c4, H, W).
    """

    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## GoogLeNet
#
# GoogLeNet stacks nine of these blocks. All its pooling layers are max pooling 3/2 p1, except the last one.
#
# - **b1**: convolution 7/2 p3 with 64 channels, ReLU, pooling.
# - **b2**: convolution 1 × 1 with 64, ReLU, convolution 3 × 3 with padding 1 and 192, ReLU, pooling.
# - **b3**: two Inception blocks, pooling.
# - **b4**: five Inception blocks, pooling.
# - **b5**: two Inception blocks, global average pooling, flatten.
# - **classifier**: a linear layer.
#
# The settings of the blocks are
#
# | stage | c1 | c2 | c3 | c4 |
# |---|---|---|---|---|
# | b3 | 64 | (96, 128) | (16, 32) | 32 |
# | | 128 | (128, 192) | (32, 96) | 64 |
# | b4 | 192 | (96, 208) | (16, 48) | 64 |
# | | 160 | (112, 224) | (24, 64) | 64 |
# | | 128 | (128, 256) | (24, 64) | 64 |
# | | 112 | (144, 288) | (32, 64) | 64 |
# | | 256 | (160, 320) | (32, 128) | 128 |
# | b5 | 256 | (160, 320) | (32, 128) | 128 |
# | | 384 | (192, 384) | (48, 128) | 128 |
#
# Work out the input channels of each block yourself: they are the output channels of the block before it.
#
# The attribute `net` contains the six stages in this order. For images of 96 × 96 they return 64 × 24 × 24,
# 192 × 12 × 12, 480 × 6 × 6, 832 × 3 × 3, 1024, and one number per class. The forward pass is timed.


# %%
class GoogLeNet(nn.Module):
    """GoogLeNet without its auxiliary classifiers.

    Input: (N, in_channels, H, W). Output: (N, num_classes).
    Attribute net: the stages b1, b2, b3, b4, b5 and the classifier.
    """

    def __init__(self, in_channels=1, num_classes=10):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## ResNeXt: groups
#
# A *grouped* convolution cuts the channels into groups and treats each as if the others were not there. With g
# groups it needs only 1/g of the weights, so you can afford more channels. The ResNeXt block puts a grouped
# convolution between two 1 × 1 convolutions and adds the input to the result, as residual networks do:
#
# ```
#   x ── 1×1 ─ BN ─ ReLU ── grouped 3×3 ─ BN ─ ReLU ── 1×1 ─ BN ── + ── ReLU
#   └───────────────── (1×1 ─ BN) ────────────────────────────────┘
# ```
#
# - The two inner convolutions have `round(num_channels * bot_mul)` channels, the *width* of the bottleneck.
# - `group_width` is the number of channels *in* a group. How many groups does this make? If the width cannot be
#   divided into groups of that size, raise a `ValueError`.
# - The 3 × 3 convolution has padding 1 and the stride `strides`.
# - With `use_1x1conv=True` the input passes through a 1 × 1 convolution with the same stride, and a batch norm,
#   before it is added. Otherwise, it is added as it is.


# %%
class ResNeXtBlock(nn.Module):
    """A bottleneck with a grouped convolution, and a shortcut around it.

    in_channels, num_channels: channels of the input and of the output
    group_width: channels per group of the 3×3 convolution
    bot_mul: the bottleneck has round(num_channels * bot_mul) channels
    use_1x1conv: whether there are a 1×1 convolution and a batch norm on the shortcut
    strides: stride of the 3×3 convolution and of the one on the shortcut

    Input: (N, in_channels, H, W). Output: (N, num_channels, out_H, out_W).
    Raises ValueError (in the constructor) if the bottleneck cannot be divided into groups.
    """

    def __init__(self, in_channels, num_channels, group_width, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## AnyNet
#
# By now the pattern is clear: a *stem* that makes the image small, a *body* of stages and a *head* that decides.
# AnyNet is this pattern with the numbers left open, so that you can search for good ones.
#
# - **Stem**: convolution 3/2 p1 with `stem_channels`, batch norm, ReLU.
# - **Body**: one stage per entry (depth, num_channels, group_width, bot_mul) of `arch`: `depth` ResNeXt blocks with
#   `num_channels` channels. The first block of each stage has stride 2 and a 1 × 1 convolution on its shortcut.
# - **Head**: global average pooling, flatten, a linear layer.
#
# The attribute `net` contains the network.


# %%
class AnyNet(nn.Module):
    """A stem, stages of ResNeXt blocks, and a head.

    arch: a sequence of (depth, num_channels, group_width, bot_mul), one per stage
    stem_channels: channels after the stem

    Input: (N, in_channels, H, W). Output: (N, num_classes).
    Attribute net: the network.
    """

    def __init__(self, arch, stem_channels, in_channels=3, num_classes=10):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()
