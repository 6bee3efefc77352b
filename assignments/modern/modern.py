# %% [markdown]
# # What came after ResNet
#
# ResNet made it possible to train networks of any depth. The years after it asked other questions: Which
# channels matter for *this* image? Where exactly do batch norm and ReLU belong? How far can a convolution
# be taken apart before it loses its power? And if a network may be twice as expensive, should you make it
# deeper or wider, or give it larger images?
#
# In this assignment you write the blocks that answer these questions, and build three networks from them:
# a modern ResNet, EfficientNet-B0 and a Wide ResNet.
#
# Five rules apply everywhere:
#
# - images come in batches of shape (N, C, H, W); the images that a network takes have three channels;
# - a convolution has **no bias** unless the text says otherwise: a batch norm after it would cancel the bias;
# - batch norm is `nn.BatchNorm2d` with its default settings;
# - if a stage has a stride, its first block takes it, and the other blocks of the stage have stride 1;
# - the input is never changed in place. A block that adds its input at the end still needs it!
#
# How you name your layers and in what order you create them is up to you. The grader counts the
# parameters, fills your model and ours with the same numbers, and compares the result, the gradients and
# the statistics of the batch norms, in training and in evaluation mode.

# %%
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# ## Convolution, batch norm, ReLU
#
# These three appear together so often that they deserve a name of their own. The module takes
# (N, in_channels, H, W) and returns (N, out_channels, H', W'), where the convolution determines H' and W'.
# With the default arguments the convolution is 3 × 3 and keeps the size of the image.
#
# `padding` is a separate argument: for a 1 × 1 kernel the caller passes 0.


# %%
class ConvBNReLU(nn.Module):
    """A convolution without bias, batch norm, ReLU.

    Input: (N, in_channels, H, W). Output: (N, out_channels, H', W').
    """

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1, groups=1):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Squeeze and excitation
#
# Every channel of a feature map shows where one thing is in the image. Some of these things matter more
# than others for the image as a whole: fins in a picture of the sea, wheels in a street. *Squeeze and
# excitation* lets the network weight its channels, separately for every image:
#
# 1. *Squeeze*: global average pooling turns every channel into one number, (N, C, H, W) → (N, C, 1, 1).
# 2. *Excitation*: two 1 × 1 convolutions, from C to `squeezed` and back to C channels, with a ReLU between
#    them and a sigmoid at the end. They see the whole image at once, but only as C numbers.
# 3. *Scale*: every channel of x is multiplied by its number, which is between 0 and 1.
#
# $$y = x\cdot\sigma\bigl(W_2\,\mathrm{relu}(W_1\,\mathrm{gap}(x))\bigr)$$
#
# There is no batch norm here, so both convolutions **have a bias**. The output has the shape of the input,
# which need not be square.


# %%
class SqueezeExcitation(nn.Module):
    """Weights the channels of each image.

    channels: C, the number of channels of the input
    squeezed: the number of channels between the two 1 × 1 convolutions

    Input and output: (N, C, H, W).
    """

    def __init__(self, channels, squeezed):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## The inverted bottleneck
#
# An ordinary convolution does two things at once: it looks at the neighbours of a pixel and mixes channels.
# MobileNet separates them. A *depthwise* convolution looks at the neighbours in each channel
# separately (as many groups as channels), and a 1 × 1 convolution mixes the channels. Together they cost
# only a fraction as much.
#
# ResNet's bottleneck is narrow in the middle. This one is wide in the middle, because the depthwise
# convolution is so cheap:
#
# ```
#   1×1 expansion          in_channels → in_channels · expand_ratio     BN, SiLU
#   k×k depthwise          in_channels · expand_ratio, with the stride  BN, SiLU
#   squeeze and excitation
#   1×1 projection         in_channels · expand_ratio → out_channels    BN
#   + input                only if the input fits, see below
# ```
#
# The details matter:
#
# - SiLU is x · sigmoid(x), a smooth relative of ReLU. PyTorch has it.
# - With `expand_ratio=1` there is nothing to expand: the first convolution and its batch norm are left out.
# - The depthwise convolution pads with `kernel_size // 2`, so that only the stride makes the map smaller.
# - The squeeze and excitation uses SiLU instead of ReLU. It squeezes to `max(1, int(in_channels * se_ratio))`
#   channels. Note which channels are counted: those of the *block's* input, before the expansion. Its two
#   convolutions have a bias.
# - The projection is *linear*: no activation follows, because with so few channels it would destroy too much.
# - The input is added when the stride is 1 and `in_channels` equals `out_channels`; otherwise nothing is
#   added, and there is no convolution on a shortcut either.
#
# The forward pass is timed.


# %%
class MBConvBlock(nn.Module):
    """The inverted bottleneck with squeeze and excitation, the block of EfficientNet.

    expand_ratio: width of the middle, as a multiple of in_channels, an int
    kernel_size: side length of the depthwise kernel, an odd int
    stride: of the depthwise convolution
    se_ratio: width of the squeeze, as a fraction of in_channels

    Input: (N, in_channels, H, W). Output: (N, out_channels, H', W').
    """

    def __init__(self, in_channels, out_channels, expand_ratio, kernel_size, stride, se_ratio=0.25):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Activation first
#
# In a ResNet, a ReLU follows every sum, so the signal on the shortcut is cut off again and again. The
# authors of ResNet themselves found something better: put batch norm and ReLU *before* the convolutions,
# and nothing after the sum. Now a clean path leads from the first block to the last.
#
# ```
#   x ──┬── BN ── ReLU ── conv 3×3 (stride) ── BN ── ReLU ── conv 3×3 ──┐
#       │                                                               +── y
#       └───────────── the input, or a 1×1 conv (stride) of it ─────────┘
# ```
#
# Both 3 × 3 convolutions have padding 1. The 1 × 1 convolution is needed when the stride is not 1 or the
# numbers of channels differ, and is absent otherwise. It has no bias, no batch norm follows it, and it
# takes x itself, not the output of the first batch norm and ReLU.


# %%
class PreActBlock(nn.Module):
    """A residual block with the activations before the convolutions.

    stride: of the first 3 × 3 convolution, and of the shortcut

    Input: (N, in_channels, H, W). Output: (N, out_channels, H', W').
    """

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## A modern block
#
# Now we combine what we have: ResNet's bottleneck, activation first, squeeze and excitation.
#
# ```
#   BN ── ReLU ── conv 1×1               in_channels → width
#   BN ── ReLU ── conv 3×3 (stride)      width → width
#   BN ── ReLU ── conv 1×1               width → out_channels
#   squeeze and excitation               out_channels
#   + the input, or a 1×1 conv (stride) of it
# ```
#
# The width is `out_channels // 4`. The squeeze and excitation is the one with ReLU from above; here it
# squeezes to `max(1, int(out_channels * se_ratio))` channels, and it comes *before* the sum. The shortcut is
# that of `PreActBlock`, and again nothing comes after the sum.


# %%
class ModernBlock(nn.Module):
    """A bottleneck with the activations first, and with squeeze and excitation before the sum.

    stride: of the 3 × 3 convolution, and of the shortcut
    se_ratio: width of the squeeze, as a fraction of out_channels

    Input: (N, in_channels, H, W). Output: (N, out_channels, H', W').
    """

    def __init__(self, in_channels, out_channels, stride=1, se_ratio=0.25):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## A modern network
#
# A network needs a stem, stages and a head. The stem is ResNet's: a 7 × 7 convolution with 64 channels,
# stride 2 and padding 3, batch norm, ReLU, and max pooling (3 × 3, stride 2, padding 1). Four stages of
# `ModernBlock` follow:
#
# | stage | channels | blocks | stride |
# |---|---|---|---|
# | 1 | 256 | 3 | 1 |
# | 2 | 512 | 4 | 2 |
# | 3 | 1024 | 6 | 2 |
# | 4 | 2048 | 3 | 2 |
#
# The head is global average pooling and one linear layer. There is nothing between the last block and the
# pooling. With 1000 classes the network has 35 624 040 parameters.


# %%
class ModernCNN(nn.Module):
    """A ResNet-50 of ModernBlocks.

    Input: (N, 3, H, W). Output: (N, num_classes).
    """

    def __init__(self, num_classes=1000):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Compound scaling
#
# You have a good small network and a larger computer. How do you make the network larger? The authors of
# EfficientNet scale three things together, with one dial φ:
#
# $$\text{depth} = \alpha^\varphi\qquad\text{width} = \beta^\varphi\qquad\text{resolution} = \gamma^\varphi$$
#
# What does one step of the dial cost? Twice the depth means twice the work. Twice the width means four
# times the work, because a convolution has in_channels · out_channels kernels. Twice the resolution also
# means four times the work, because an image has H · W pixels. So each step multiplies the work by α·β²·γ²,
# and the rule is that this number is about 2. If it is more than 10 % away from 2, the function raises a
# `ValueError` (whatever φ is). The defaults are the values that the authors found.
#
# φ may be any number, including 0 (then nothing is scaled) and 0.5.


# %%
def compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """The factors by which a network grows in depth, width and resolution.

    phi: the dial, a number
    alpha, beta, gamma: what one step of the dial does to depth, width and resolution

    Returns (depth, width, resolution), three floats.
    Raises ValueError when alpha · beta² · gamma² is more than 10 % away from 2.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ### Look at it
#
# What the dial does to the three factors, and to the work of a forward pass, which is drawn on a logarithmic scale. How
# exactly does the work double with every step? (Run the cell when your function works. It needs `matplotlib`.)


# %%
def draw_scaling():
    """How depth, width and resolution grow with the dial, and the work with them."""
    import matplotlib.pyplot as plt

    dial = [step / 4 for step in range(29)]
    factors = [compound_scaling(phi) for phi in dial]
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for position, (name, line) in enumerate([("depth", "-"), ("width", "--"), ("resolution", ":")]):
        left.plot(dial, [factor[position] for factor in factors], line, linewidth=2, label=name)
    left.set(title="The network's factors", xlabel="dial φ", ylabel="times EfficientNet-B0")
    left.legend()
    work = [depth * width**2 * resolution**2 for depth, width, resolution in factors]
    right.semilogy(dial, work, base=2, linewidth=2, label="depth · width² · resolution²")
    right.semilogy(dial, [2**phi for phi in dial], "k:", base=2, label="2 to the power of φ")
    right.set(title="Its work", xlabel="dial φ", ylabel="times EfficientNet-B0")
    right.legend()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_scaling()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write compound_scaling first.")

# %% [markdown]
# ## EfficientNet-B0
#
# The small network at the start of that dial was not designed by hand but found by a search. Apart from its
# two ends, it consists only of MBConv blocks:
#
# - stem: 3 × 3 convolution with 32 channels, stride 2, padding 1, then batch norm and SiLU;
# - the seven stages of the table, from 32 to 320 channels;
# - head: 1 × 1 convolution with 1280 channels, batch norm and SiLU, then global average pooling and a
#   linear layer.
#
# | expand | channels | blocks | kernel | stride |
# |---|---|---|---|---|
# | 1 | 16 | 1 | 3 | 1 |
# | 6 | 24 | 2 | 3 | 2 |
# | 6 | 40 | 2 | 5 | 2 |
# | 6 | 80 | 3 | 3 | 2 |
# | 6 | 112 | 3 | 5 | 1 |
# | 6 | 192 | 4 | 5 | 2 |
# | 6 | 320 | 1 | 3 | 1 |
#
# The published network also drops parts of itself at random during training (dropout and stochastic depth).
# Leave that out. With 1000 classes there are 5 288 548 parameters.


# %%
class EfficientNetB0(nn.Module):
    """EfficientNet-B0 without dropout and stochastic depth.

    Input: (N, 3, H, W). Output: (N, num_classes).
    """

    # expand_ratio, channels, blocks, kernel_size, stride of the first block
    STAGES = (
        (1, 16, 1, 3, 1),
        (6, 24, 2, 3, 2),
        (6, 40, 2, 5, 2),
        (6, 80, 3, 3, 2),
        (6, 112, 3, 5, 1),
        (6, 192, 4, 5, 2),
        (6, 320, 1, 3, 1),
    )

    def __init__(self, num_classes=1000):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Wide ResNet
#
# Is depth what makes ResNets good? Wide ResNets are shallow, but have k times as many channels, and they
# are as good and much faster to train. They are designed for small images of 32 × 32 pixels:
#
# - stem: 3 × 3 convolution with 16 channels and padding 1, no batch norm (the first block begins with one);
# - three stages of n `PreActBlock`s each, with 16k, 32k and 64k channels and the strides 1, 2 and 2;
# - head: batch norm and ReLU, global average pooling, linear layer.
#
# Why does the head begin with batch norm and ReLU? In a PreActBlock nothing comes after the sum, so the
# head has to do it after the last block.
#
# Networks like this are named after their depth, 6n + 4, and the factor k: a WRN-28-10 has n = 4 blocks per
# stage. There is at least one block per stage. Any other depth raises a `ValueError`.


# %%
def wide_resnet(depth, widen_factor, num_classes=10):
    """A Wide ResNet for 32 × 32 images, an nn.Module.

    depth: 6n + 4 with n ≥ 1 blocks per stage
    widen_factor: k

    The module's input: (N, 3, H, W). Its output: (N, num_classes).
    Raises ValueError for any other depth.
    """
    # YOUR CODE HERE
    raise NotImplementedError()
