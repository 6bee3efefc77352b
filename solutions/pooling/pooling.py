# %% [markdown]
# # Pooling from scratch
#
# A convolutional network looks at an image in small pieces. Pooling is the step that then *summarises*: a
# window slides over a feature map, and every window is replaced by a single number. The map becomes
# smaller, the next layer sees more of the image at once, and a pattern that moves by one pixel still gives
# nearly the same answer.
#
# In this assignment you write pooling yourself: first slowly and clearly with two loops, then fast for
# whole stacks of maps, and finally as `nn.Module`s, with a few published variants.
#
# Three rules apply everywhere:
#
# - the result has the dtype and the device of the input;
# - an argument is never changed in place;
# - gradients flow from the result back to the input.
#
# **The formula of the day.** A window of `kernel` pixels moves in steps of `stride` over `size` pixels, which
# are extended by `padding` pixels on each side. The number of places where it fits is
#
# $$\left\lfloor\frac{\text{size} - \text{kernel} + 2\cdot\text{padding}}{\text{stride}}\right\rfloor + 1$$
#
# We round *down*: a window that would hang over the edge is left out. When the window does not fit even
# once, there is nothing to compute, and every function and module of this assignment raises a
# `ValueError` with a message that says so.

# %%
import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# ## Padding
#
# Before a window can look at the edge of a map, the map gets a border. With `padding = 1` and `value = 0`:
#
# ```
#               0 0 0 0
#   1 2         0 1 2 0
#   3 4   -->   0 3 4 0
#               0 0 0 0
# ```
#
# An H × W map becomes an (H + 2p) × (W + 2p) map. Build the larger map first, then copy the small one
# into its middle. PyTorch has `F.pad` for this. Here, and only here, it is forbidden, like every other
# padding operator.


# %%
def naive_padding(feature_map, padding, value=0.0):
    """Surround a feature map with a border of constant value.

    feature_map: tensor of shape (H, W)
    padding: the width p of the border, in pixels, on each of the four sides
    value: the number that fills the border

    Returns a tensor of shape (H + 2p, W + 2p).
    Raises ValueError when padding is negative.
    """
    ### BEGIN SOLUTION
    if padding < 0:
        raise ValueError(f"padding must not be negative, but is {padding}")
    height, width = feature_map.shape
    # new_full keeps the dtype and the device of the feature map.
    padded = feature_map.new_full((height + 2 * padding, width + 2 * padding), value)
    padded[padding : padding + height, padding : padding + width] = feature_map
    return padded
    ### END SOLUTION


# %% [markdown]
# ## Pooling with two loops
#
# Now the window starts to move. The output pixel (i, j) summarises the window whose upper left corner is
# the pixel (i · stride, j · stride) of the padded map. *Max pooling* takes the largest number in the
# window, *average pooling* the mean.
#
# ```
#   1 2 3          max, 2 × 2, stride 1:      average, 2 × 2, stride 1:
#   4 5 6              5 6                        3 4
#   7 8 9              8 9                        6 7
# ```
#
# What number belongs in the border? Ask what the border should *do*. It should never change a maximum,
# whatever the map contains. And in an average, PyTorch counts every border pixel as a zero and always
# divides by the number of pixels in the whole window. Your function is compared with `nn.MaxPool2d` and
# `nn.AvgPool2d`.
#
# From here on you may use `F.pad`.


# %%
def naive_pooling(feature_map, kernel_size, strides, padding, avg=False):
    """Pool one feature map with a square window.

    feature_map: tensor of shape (H, W), numbers of any sign
    kernel_size: side of the window, an int
    strides: step of the window in both directions, an int
    padding: width of the border on each side, an int
    avg: False for max pooling, True for average pooling

    Returns a tensor of shape (out_H, out_W) (see the formula of the day).
    Raises ValueError when the window does not fit into the padded map.
    """
    ### BEGIN SOLUTION
    if padding < 0:
        raise ValueError(f"padding must not be negative, but is {padding}")

    # Nothing is smaller than minus infinity: such a border never wins a maximum.
    border = 0.0 if avg else float("-inf")
    padded = F.pad(feature_map, (padding, padding, padding, padding), value=border)
    height, width = padded.shape
    if kernel_size > height or kernel_size > width:
        raise ValueError(f"a {kernel_size}×{kernel_size} window does not fit into a padded {height}×{width} map")

    out_height = (height - kernel_size) // strides + 1
    out_width = (width - kernel_size) // strides + 1
    values = []
    for i in range(out_height):
        for j in range(out_width):
            top, left = i * strides, j * strides
            window = padded[top : top + kernel_size, left : left + kernel_size]
            values.append(window.mean() if avg else window.max())
    return torch.stack(values).reshape(out_height, out_width)
    ### END SOLUTION


# %% [markdown]
# ## Windows that are not square
#
# A window may be taller than it is wide. `pool2d` takes its size as a pair *(height, width)*. It moves by
# one pixel at a time and has no padding, so an H × W map shrinks to (H − p_h + 1) × (W − p_w + 1).
#
# This time the kind of pooling is a word. A word can be misspelt: anything but `"max"` and `"avg"` is an
# error, and a good function says so instead of guessing.


# %%
def pool2d(X, pool_size, mode="max"):
    """Pool one feature map with a rectangular window, stride 1, no padding.

    X: tensor of shape (H, W)
    pool_size: (p_h, p_w), height and width of the window
    mode: "max" or "avg"

    Returns a tensor of shape (H - p_h + 1, W - p_w + 1).
    Raises ValueError for any other mode, and when the window does not fit.
    """
    ### BEGIN SOLUTION
    if mode not in ("max", "avg"):
        raise ValueError(f'mode must be "max" or "avg", but is {mode!r}')
    height, width = X.shape
    p_h, p_w = pool_size
    if p_h > height or p_w > width:
        raise ValueError(f"a {p_h}×{p_w} window does not fit into a {height}×{width} map")

    out_height, out_width = height - p_h + 1, width - p_w + 1
    values = []
    for i in range(out_height):
        for j in range(out_width):
            window = X[i : i + p_h, j : j + p_w]
            values.append(window.max() if mode == "max" else window.mean())
    return torch.stack(values).reshape(out_height, out_width)
    ### END SOLUTION


# %% [markdown]
# ## Pooling without loops over pixels
#
# Two Python loops over a 224 × 224 map take seconds. The way out is to look at the problem from the
# window's point of view. A 2 × 2 window has four places. Collect the pixel in the upper left place of *all*
# windows: this is a slice of the input with a step, and a small map in itself. Do the same for the other
# three places:
#
# ```
#   a b c d
#   e f g h        upper left    upper right    lower left    lower right
#   i j k l            a c           b d            e g           f h
#   m n o p            i k           j l            m o           n p
# ```
#
# The maximum (or the mean) of these four maps, taken pixel by pixel, is the pooled map. We loop over the
# *kernel*, which is small, and PyTorch does the rest for all pixels and all channels at once. That is what
# "vectorised" means here: the work done by Python does not grow with C, H or W.
#
# Both functions accept one map (H, W) or a stack of maps (C, H, W), and the result has as many dimensions
# as the input. Indexing with `...` helps. Both functions are timed.


# %%
def max_pool_2d(x, kernel_size=2, stride=2):
    """Max pooling of one feature map or of a stack of them, vectorised.

    x: tensor of shape (H, W) or (C, H, W)
    kernel_size, stride: ints; there is no padding

    Returns a tensor of shape (out_H, out_W) or (C, out_H, out_W).
    Raises ValueError when the window does not fit.
    """
    ### BEGIN SOLUTION
    height, width = x.shape[-2:]
    if kernel_size > height or kernel_size > width:
        raise ValueError(f"a {kernel_size}×{kernel_size} window does not fit into a {height}×{width} map")
    # The last window starts here, so the slices end one pixel later.
    last_top = (height - kernel_size) // stride * stride
    last_left = (width - kernel_size) // stride * stride

    places = []
    for i in range(kernel_size):
        for j in range(kernel_size):
            places.append(x[..., i : i + last_top + 1 : stride, j : j + last_left + 1 : stride])

    largest = places[0].clone()  # a slice shares its memory with x, a clone does not
    for place in places[1:]:
        largest = torch.maximum(largest, place)
    return largest
    ### END SOLUTION


# %% [markdown]
# Average pooling differs in one line: the one that combines the maps.


# %%
def avg_pool_2d(x, kernel_size=2, stride=2):
    """Average pooling of one feature map or of a stack of them, vectorised.

    x: tensor of shape (H, W) or (C, H, W)
    kernel_size, stride: ints; there is no padding

    Returns a tensor of shape (out_H, out_W) or (C, out_H, out_W).
    Raises ValueError when the window does not fit.
    """
    ### BEGIN SOLUTION
    height, width = x.shape[-2:]
    if kernel_size > height or kernel_size > width:
        raise ValueError(f"a {kernel_size}×{kernel_size} window does not fit into a {height}×{width} map")
    last_top = (height - kernel_size) // stride * stride
    last_left = (width - kernel_size) // stride * stride

    places = []
    for i in range(kernel_size):
        for j in range(kernel_size):
            places.append(x[..., i : i + last_top + 1 : stride, j : j + last_left + 1 : stride])

    return sum(places) / len(places)
    ### END SOLUTION


# %% [markdown]
# ### Look at it
#
# A thin bright ring and three bright pixels, pooled with windows of 4 × 4. What does each kind of pooling keep? Which
# of the two makes the ring thicker, and which makes it paler? (Run the cell when your functions work. It needs
# `matplotlib`.)


# %%
def draw_pooled_maps():
    """A map, and what max pooling and average pooling leave of it."""
    import matplotlib.pyplot as plt

    side = torch.arange(32) - 15.5
    radius = (side**2 + side.unsqueeze(1) ** 2).sqrt()
    feature_map = ((radius - 11).abs() < 0.7).float()
    for row, column in [(13, 13), (15, 18), (19, 15)]:
        feature_map[row, column] = 1.0

    pictures = {
        "the map": feature_map,
        "max pooling": max_pool_2d(feature_map, 4, 4),
        "average pooling": avg_pool_2d(feature_map, 4, 4),
    }
    _, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
        height, width = picture.shape
        ax.set(title=f"{title}, {height} × {width}", xticks=[], yticks=[])
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_pooled_maps()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write max_pool_2d and avg_pool_2d first.")

# %% [markdown]
# ## Global average pooling
#
# From here on we write modules. They take batches of shape (N, C, H, W), and may use PyTorch's own pooling
# functions.
#
# The most radical summary keeps one number per channel: its mean over all pixels. Modern networks do this
# before their last layer, which therefore needs no fixed image size. The maps need not be square.
#
# There is nothing to learn in a mean, so the module has neither parameters nor buffers. With `keepdim=True`
# the two spatial dimensions stay, with size 1.


# %%
class GlobalAveragePooling(nn.Module):
    """The mean of every channel over all its pixels.

    Input: (N, C, H, W). Output: (N, C), or (N, C, 1, 1) with keepdim=True.
    """

    def __init__(self, keepdim=False):
        super().__init__()
        ### BEGIN SOLUTION
        self.keepdim = keepdim
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return x.mean(dim=(2, 3), keepdim=self.keepdim)
        ### END SOLUTION


# %% [markdown]
# ## Pooling over channels
#
# Why summarise only over space? `DepthPool` with p = 2 takes the maximum over 2 × 2 pixels *and* over 2
# neighbouring channels: channels 0 and 1 make the first output channel, 2 and 3 the second, and so on. In
# general the windows are cubes of p × p × p, and the output has C // p channels.
#
# What if C is not a multiple of p? Then we treat channels as the formula of the day treats rows and
# columns: those left over at the end are dropped. With C = 5 and p = 2, channel 4 is not used. If there
# are fewer than p channels, the cube does not fit.


# %%
class DepthPool(nn.Module):
    """Max pooling over space and over groups of consecutive channels.

    Input: (N, C, H, W). Output: (N, C // p, H // p, W // p) with p = pool_size.
    Raises ValueError when C < p or when the window does not fit into the map.
    """

    def __init__(self, pool_size=2):
        super().__init__()
        ### BEGIN SOLUTION
        self.pool_size = pool_size
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        p = self.pool_size
        batch, channels, height, width = x.shape
        if channels < p:
            raise ValueError(f"groups of {p} channels need at least {p} channels, but there are {channels}")
        if height < p or width < p:
            raise ValueError(f"a {p}×{p} window does not fit into a {height}×{width} map")

        pooled = F.max_pool2d(x, kernel_size=p, stride=p)
        groups = channels // p
        pooled = pooled[:, : groups * p]
        pooled = pooled.reshape(batch, groups, p, height // p, width // p)
        return pooled.amax(dim=2)
        ### END SOLUTION


# %% [markdown]
# ## Mixed pooling
#
# Max pooling keeps the strongest pixel and forgets the rest; average pooling lets a strong pixel drown
# among weak ones. Mixed pooling takes a bit of both: `alpha` parts of the maximum and `1 - alpha` parts of
# the mean. It is only a mixture when alpha is between 0 and 1 (both are allowed), so anything else is
# rejected as soon as the module is built.


# %%
class MixedPooling(nn.Module):
    """alpha * max pooling + (1 - alpha) * average pooling.

    Input: (N, C, H, W). Output: (N, C, out_H, out_W).
    stride=None means that the stride equals the kernel size.
    Raises ValueError when alpha is outside [0, 1] (in the constructor),
    and when the window does not fit (in forward).
    """

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__()
        ### BEGIN SOLUTION
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1, but is {alpha}")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.alpha = alpha
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        k = self.kernel_size
        height, width = x.shape[-2:]
        if height < k or width < k:
            raise ValueError(f"a {k}×{k} window does not fit into a {height}×{width} map")

        largest = F.max_pool2d(x, k, self.stride)
        mean = F.avg_pool2d(x, k, self.stride)
        return self.alpha * largest + (1 - self.alpha) * mean
        ### END SOLUTION


# %% [markdown]
# ## Lp pooling
#
# There is a whole family between the mean and the maximum, with one dial, p. Lp pooling computes
#
# $$\left(\frac1n\sum_{i=1}^{n} |a_i|^p\right)^{1/p}$$
#
# over the n pixels of a window. With p = 1 this is the mean of the absolute values, with p = 2 the root
# mean square, and for large p it approaches the largest absolute value. Note the 1/n: `nn.LPPool2d`
# does not have it; it takes the sum.
#
# One difficulty hides in the gradient. The slope of a root at 0 is infinite, and so is the slope of |a|^p
# at 0 when p < 1. Infinity times zero is "not a number", and one NaN in a gradient spoils a whole training
# run. After a ReLU, zeros are everywhere! The convention is to call the slope 0 there, as PyTorch does for |a|.


# %%
class LPPooling(nn.Module):
    """The p-th root of the mean of abs(x) ** p over each window.

    Input: (N, C, H, W). Output: (N, C, out_H, out_W).
    stride=None means that the stride equals the kernel size.
    Raises ValueError when p is not positive (in the constructor),
    and when the window does not fit (in forward).
    """

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__()
        ### BEGIN SOLUTION
        if not p > 0:
            raise ValueError(f"p must be positive, but is {p}")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.p = p
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        k = self.kernel_size
        height, width = x.shape[-2:]
        if height < k or width < k:
            raise ValueError(f"a {k}×{k} window does not fit into a {height}×{width} map")

        def power(base, exponent):
            # Zeros are taken out before the power and put back after it: no gradient passes through them.
            zero = base == 0
            return (base.masked_fill(zero, 1) ** exponent).masked_fill(zero, 0)

        mean = F.avg_pool2d(power(x.abs(), self.p), k, self.stride)
        return power(mean, 1 / self.p)
        ### END SOLUTION


# %% [markdown]
# ## Stochastic pooling
#
# The last variant rolls dice. In training, each window draws *one* of its own pixels at random, and a pixel
# with twice the activation is drawn twice as often: the pixel $a_i$ has probability
#
# $$p_i = \frac{a_i}{\sum_j a_j}.$$
#
# Every window, in every channel of every sample, rolls its own dice. The strongest pixel usually wins, but
# not always, so the network cannot rely on a single one; this works like dropout. In evaluation nothing is
# random: we take the expected value $\sum_i p_i a_i$. As everywhere in PyTorch, `self.training` says which
# of the two modes applies.
#
# Probabilities cannot be negative, so the input must not be negative either: a negative number raises a
# `ValueError` in both modes. In a window of nothing but zeros the formula gives 0/0. The answer there is 0.
#
# `torch.multinomial` draws from PyTorch's global generator, so `torch.manual_seed` makes a training run
# repeatable. `Tensor.unfold` cuts a tensor into windows.


# %%
class StochasticPooling(nn.Module):
    """Pooling that draws one activation per window, with probability proportional to the activation.

    Input: (N, C, H, W), not negative. Output: (N, C, out_H, out_W).
    stride=None means that the stride equals the kernel size.
    Training draws from torch's global generator; evaluation gives the expected value.
    Raises ValueError for a negative input and when the window does not fit.
    """

    def __init__(self, kernel_size, stride=None):
        super().__init__()
        ### BEGIN SOLUTION
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        k = self.kernel_size
        height, width = x.shape[-2:]
        if height < k or width < k:
            raise ValueError(f"a {k}×{k} window does not fit into a {height}×{width} map")
        if (x < 0).any():
            raise ValueError(f"the input must not be negative, but its minimum is {x.min().item()}")

        # (N, C, H, W) -> (N, C, out_H, out_W, k, k) -> (N, C, out_H, out_W, k * k)
        windows = x.unfold(2, k, self.stride).unfold(3, k, self.stride).flatten(start_dim=4)
        totals = windows.sum(dim=-1, keepdim=True)
        empty = totals == 0
        # Dividing by 1 instead of 0 gives an all-zero window the "probabilities" 0, hence the value 0.
        probabilities = windows / totals.masked_fill(empty, 1)
        if not self.training:
            return (probabilities * windows).sum(dim=-1)

        # multinomial rejects rows of zeros. In such a window every pixel may be drawn: all are 0.
        chances = probabilities.detach() + empty
        drawn = torch.multinomial(chances.reshape(-1, k * k), num_samples=1)
        drawn = drawn.reshape(totals.shape)
        return windows.gather(-1, drawn).squeeze(-1)
        ### END SOLUTION


# %% [markdown]
# ## Done?
#
# `autograder check` runs the public tests on your file. They are examples, not proofs: before you hand in,
# ask yourself what happens with negative numbers, with maps that are not square, with one channel, with one
# pixel.
