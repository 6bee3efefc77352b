# %% [markdown]
# # Convolution from scratch
#
# A fully connected layer looks at every pixel of an image at once, with a separate weight for each. A
# convolutional layer is more modest: it looks through a small window, always with the *same* few weights, and
# moves that window over the image. Few weights, and a pattern is found wherever it is: that is the whole idea.
#
# In this assignment you build the operation up from its simplest form to the way it is computed fast: one map and
# one kernel, then several channels in, several channels out, 1 × 1 kernels, padding and stride, learning a kernel,
# and finally whole batches with a single matrix multiplication.
#
# Some rules apply everywhere:
#
# - **every convolution operator of PyTorch is forbidden** (`F.conv2d`, `nn.Conv2d`, `F.conv_transpose2d`, …), in
#   every exercise. The grader watches which operators run, so it does not matter how one is called;
# - the result has the dtype and the device of the input;
# - an argument is never changed in place;
# - gradients flow from the result back to the input *and* to the kernel;
# - a kernel larger than the (padded) input, or numbers of channels that do not match, raise a `ValueError` with a
#   message that says what does not fit.
#
# You may call your own functions in later exercises. A mistake in the called function then shows up there, too.

# %%
import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# ## Cross-correlation
#
# Lay the kernel on the upper left corner of the map. Multiply every number of the kernel by the number underneath,
# and add up the products: that is the first number of the result. Then move on by one pixel.
#
# ```
#   0 1 2
#   3 4 5    with    0 1    gives    19 25        0·0 + 1·1 + 3·2 + 4·3 = 19
#   6 7 8            2 3             37 43
# ```
#
# How often does a kernel of height h fit into a map of height H? At rows 0, 1, …, H − h, so H − h + 1 times.
# Neither the kernel nor the map has to be square.
#
# In mathematics, a *convolution* first flips the kernel, upside down and left to right. Nobody does so in deep
# learning, where the kernel is learnt anyway. What we compute is called *cross-correlation*, and the kernel stays
# as it is.


# %%
def corr2d(X, K):
    """Cross-correlate one map with one kernel.

    X: tensor of shape (H, W)
    K: tensor of shape (h, w)

    Returns a tensor of shape (H - h + 1, W - w + 1).
    Raises ValueError when the kernel is larger than the map.
    """
    ### BEGIN SOLUTION
    height, width = X.shape
    h, w = K.shape
    if h > height or w > width:
        raise ValueError(f"a {h}×{w} kernel does not fit into a {height}×{width} map")

    out_height, out_width = height - h + 1, width - w + 1
    values = []
    for i in range(out_height):
        for j in range(out_width):
            values.append((X[i : i + h, j : j + w] * K).sum())
    return torch.stack(values).reshape(out_height, out_width)
    ### END SOLUTION


# %% [markdown]
# ## A layer
#
# A layer is a function with a memory: it owns its kernel. If you register a tensor as an `nn.Parameter`, an
# optimiser finds it, `state_dict()` saves it and `.double()` converts it.
#
# `Conv2D(kernel_size)` has two parameters: `weight`, of shape `kernel_size` (a pair), random at the start, and
# `bias`, of shape (1,), zero at the start. Take the random numbers from PyTorch's global generator, as
# `torch.rand` and `torch.randn` do; then `torch.manual_seed` makes a run repeatable. The layer computes
# `corr2d(x, weight) + bias`.


# %%
class Conv2D(nn.Module):
    """A convolutional layer for one map: cross-correlation with a learnable kernel, plus a learnable bias.

    kernel_size: (h, w)
    Parameters: weight of shape (h, w), random; bias of shape (1,), zero.

    Input: (H, W). Output: (H - h + 1, W - w + 1).
    Raises ValueError (in forward) when the kernel is larger than the map.
    """

    def __init__(self, kernel_size):
        super().__init__()
        ### BEGIN SOLUTION
        self.weight = nn.Parameter(torch.randn(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return corr2d(x, self.weight) + self.bias
        ### END SOLUTION


# %% [markdown]
# ## Several channels in
#
# A colour image has three channels. The kernel then has three, too, one for each: every channel of the image is
# correlated with *its* channel of the kernel, and the three maps are added. Several channels go in, and a single
# map comes out:
#
# $$Y = \sum_{c} \operatorname{corr2d}(X_c, K_c)$$
#
# When X and K have different numbers of channels, nothing sensible can be computed. Python makes it easy to
# overlook this: look up where `zip` stops.


# %%
def corr2d_multi_in(X, K):
    """Cross-correlate an image of several channels with one kernel that has the same number of channels.

    X: tensor of shape (c_i, H, W)
    K: tensor of shape (c_i, h, w)

    Returns a tensor of shape (H - h + 1, W - w + 1).
    Raises ValueError when the numbers of channels differ or the kernel is larger than the image.
    """
    ### BEGIN SOLUTION
    if X.shape[0] != K.shape[0]:
        raise ValueError(f"the input has {X.shape[0]} channels, but the kernel has {K.shape[0]}")
    return sum(corr2d(x, k) for x, k in zip(X, K, strict=True))
    ### END SOLUTION


# %% [markdown]
# ## Several channels out
#
# One kernel finds one pattern. A layer should find many, so it has several kernels, and each makes its own output
# channel. All kernels together are one tensor with four dimensions: K[o] is the kernel of output channel o, and
# K[o, c] is its part that looks at input channel c.
#
# The result always has three dimensions, even when there is only one kernel.


# %%
def corr2d_multi_in_out(X, K):
    """Cross-correlate an image of several channels with several kernels.

    X: tensor of shape (c_i, H, W)
    K: tensor of shape (c_o, c_i, h, w)

    Returns a tensor of shape (c_o, H - h + 1, W - w + 1).
    Raises ValueError when the numbers of input channels differ or the kernels are larger than the image.
    """
    ### BEGIN SOLUTION
    return torch.stack([corr2d_multi_in(X, kernel) for kernel in K])
    ### END SOLUTION


# %% [markdown]
# ## Kernels of one pixel
#
# A 1 × 1 kernel does not look at neighbours. What is it good for? It mixes the *channels*: at every pixel it
# computes c_o new numbers from the c_i old ones,
#
# $$Y_{o,i,j} = \sum_{c} K_{o,c}\, X_{c,i,j},$$
#
# and that is a fully connected layer, applied at every pixel with the same weights. Networks use it to change the
# number of channels cheaply.
#
# This is the same sum as in a matrix product. Find the two matrices, compute **one** matrix multiplication (`@`,
# `torch.matmul`, `torch.einsum`, … whatever you like), and restore the shape of the result. There is no loop
# over pixels or channels: the work that Python does is the same for every size ("vectorised"). This exercise is
# timed.
#
# Be careful with reshaping. A matrix of the right *shape* need not have the right numbers in the right places:
# `reshape` reads and writes numbers row by row and never swaps two dimensions.


# %%
def corr2d_multi_in_out_1x1(X, K):
    """Cross-correlate with 1×1 kernels, using one matrix multiplication.

    X: tensor of shape (c_i, H, W)
    K: tensor of shape (c_o, c_i, 1, 1)

    Returns a tensor of shape (c_o, H, W).
    Raises ValueError when K has any other shape.
    """
    ### BEGIN SOLUTION
    c_i, height, width = X.shape
    if K.dim() != 4 or K.shape[1:] != (c_i, 1, 1):
        raise ValueError(f"the kernel must have shape (c_o, {c_i}, 1, 1), but has {tuple(K.shape)}")
    pixels = X.reshape(c_i, height * width)  # one column for each pixel
    mixture = K.reshape(-1, c_i)  # one row for each output channel
    return (mixture @ pixels).reshape(-1, height, width)
    ### END SOLUTION


# %% [markdown]
# ## Padding and stride
#
# Each layer so far makes the map smaller, and the pixels at the border are seen by fewer windows than those in the
# middle. A border of zeros cures both. *Padding* says how wide it is on each side: with padding 1 a map grows by
# 2 rows and 2 columns.
#
# The *stride* is the step of the window. With stride 2 it moves by two pixels at a time, and the result has about
# half the rows and columns. In each direction, the number of places where a kernel fits is
#
# $$\left\lfloor\frac{\text{size} - \text{kernel} + 2\cdot\text{padding}}{\text{stride}}\right\rfloor + 1$$
#
# Rounding down means that a window that would hang over the edge is left out.
#
# Each argument is an int, which applies to both directions, or a pair *(rows, columns)*. You may use `F.pad`, but
# read its documentation first: in what order does it take the sides?


# %%
def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    """Cross-correlate one map with one kernel, with a border of zeros and with steps of any size.

    X: tensor of shape (H, W)
    K: tensor of shape (h, w)
    padding: width of the border on each side, an int or a pair (above and below, left and right)
    stride: step of the window, an int or a pair (downwards, to the right)

    Returns a tensor of shape (out_H, out_W) (see the formula above).
    Raises ValueError when the kernel is larger than the padded map.
    """
    ### BEGIN SOLUTION
    pad_rows, pad_columns = (padding, padding) if isinstance(padding, int) else padding
    step_down, step_right = (stride, stride) if isinstance(stride, int) else stride

    # F.pad begins with the last dimension: left, right, above, below.
    padded = F.pad(X, (pad_columns, pad_columns, pad_rows, pad_rows))
    height, width = padded.shape
    h, w = K.shape
    if h > height or w > width:
        raise ValueError(f"a {h}×{w} kernel does not fit into a padded {height}×{width} map")

    out_height = (height - h) // step_down + 1
    out_width = (width - w) // step_right + 1
    values = []
    for i in range(out_height):
        for j in range(out_width):
            top, left = i * step_down, j * step_right
            values.append((padded[top : top + h, left : left + w] * K).sum())
    return torch.stack(values).reshape(out_height, out_width)
    ### END SOLUTION


# %% [markdown]
# ## Learning a kernel
#
# The kernel (1, −1) finds vertical edges. Could we have found *it*, given only an image X and the picture Y
# of its edges? Yes: begin with a random kernel K, compare `corr2d(X, K)` with Y, and change K a little so that
# they differ less. Repeat. The measure is the squared error, **summed** over all pixels,
#
# $$L(K) = \sum_{i,j}\bigl(\operatorname{corr2d}(X, K) - Y\bigr)_{i,j}^2,$$
#
# and one step of gradient descent is $K \leftarrow K - \text{lr}\cdot\nabla L(K)$. Let autograd compute the
# gradient. Two things easily go wrong: gradients of earlier steps that are still there, and a new K that still
# carries the graph of the old one.
#
# The start comes from PyTorch's global generator; with `steps=0` the start itself is returned. The result is a
# plain tensor without a graph, with shape `kernel_size` and the dtype of X.


# %%
def learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    """Find a kernel K with corr2d(X, K) ≈ Y by gradient descent on the summed squared error.

    X: tensor of shape (H, W)
    Y: tensor of shape (H - h + 1, W - w + 1)
    kernel_size: (h, w)
    lr: the learning rate
    steps: the number of steps; 0 gives the random start

    Returns a tensor of shape (h, w) that is detached from any graph.
    Raises ValueError when the kernel is larger than the map.
    """
    ### BEGIN SOLUTION
    height, width = X.shape
    h, w = kernel_size
    if h > height or w > width:
        raise ValueError(f"a {h}×{w} kernel does not fit into a {height}×{width} map")

    K = torch.randn(h, w, dtype=X.dtype, device=X.device)
    for _ in range(steps):
        K.requires_grad_()
        loss = ((corr2d(X, K) - Y) ** 2).sum()
        (gradient,) = torch.autograd.grad(loss, K)
        K = (K - lr * gradient).detach()  # a new tensor without a history
    return K
    ### END SOLUTION


# %% [markdown]
# ### Look at it
#
# A bar of zeros between ones, its edges, and what two kernels make of it: the random one that `learn_kernel` begins
# with, and the one that it has found after some steps. Blue is positive, red is negative. (Run the cell when your
# functions work. It needs `matplotlib`.)


# %%
def draw_learnt_kernel():
    """An image, its edges, and what a kernel finds before and after learning."""
    import matplotlib.pyplot as plt

    image = torch.ones(6, 8)
    image[:, 2:6] = 0
    edges = corr2d(image, torch.tensor([[1.0, -1.0]]))
    pictures = {"the image\n": image, "its edges\nkernel (1, −1)": edges}
    for steps in (0, 20):
        torch.manual_seed(1)  # the same start each time
        kernel = learn_kernel(image, edges, (1, 2), steps=steps)
        numbers = ", ".join(f"{number:.2f}".replace("-", "−") for number in kernel.flatten())
        pictures[f"after {steps} steps\nkernel ({numbers})"] = corr2d(image, kernel)

    _, axes = plt.subplots(1, 4, figsize=(11, 2.8), layout="constrained")
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        shown = ax.imshow(picture, cmap="RdBu", vmin=-1, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
    plt.colorbar(shown, ax=axes, shrink=0.8)
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_learnt_kernel()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write corr2d and learn_kernel first.")

# %% [markdown]
# ## Everything in one matrix multiplication
#
# Loops over pixels are slow. For years, PyTorch and its rivals have computed convolutions with a trick called
# *im2col*, image to columns: cut the image into its patches, write every patch as a column, and put the columns
# next to each other. Every kernel becomes a row. Then row times column is exactly "multiply and add up", and one
# matrix multiplication applies all kernels at all places at once.
#
# ```
#   0 1 2       the four patches of 2 × 2        the kernel as a row
#   3 4 5       as columns:
#   6 7 8          0 1 3 4
#                  1 2 4 5                          0 1 2 3    times them:   19 25 37 43
#                  3 4 6 7
#                  4 5 7 8
# ```
#
# With several channels a patch has c_i · h · w numbers. In what order? Any, as long as the kernel uses the same one.
# `F.unfold` does the cutting, with padding and stride if needed; so does `Tensor.unfold`, in another way.
#
# This time X is a batch of images, and padding and stride are ints. Compute **one** matrix multiplication for the
# whole batch. Python's work must not grow with the number of samples, channels, rows or columns. This exercise is
# timed.


# %%
def corr2d_im2col(X, K, padding=0, stride=1):
    """Cross-correlate a batch of images with several kernels: unfold the patches, then multiply two matrices.

    X: tensor of shape (N, c_i, H, W)
    K: tensor of shape (c_o, c_i, h, w)
    padding: width of the border of zeros on each side, an int
    stride: step of the window in both directions, an int

    Returns a tensor of shape (N, c_o, out_H, out_W).
    Raises ValueError when the numbers of input channels differ or the kernels are larger than the padded images.
    """
    ### BEGIN SOLUTION
    batch, channels, height, width = X.shape
    c_o, c_i, h, w = K.shape
    if channels != c_i:
        raise ValueError(f"the input has {channels} channels, but the kernels have {c_i}")
    free_height, free_width = height + 2 * padding - h, width + 2 * padding - w
    if free_height < 0 or free_width < 0:
        raise ValueError(f"{h}×{w} kernels do not fit into {height}×{width} images with padding {padding}")

    patches = F.unfold(X, (h, w), padding=padding, stride=stride)  # (N, c_i * h * w, out_H * out_W)
    kernels = K.reshape(c_o, c_i * h * w)
    products = kernels @ patches  # (N, c_o, out_H * out_W)
    return products.reshape(batch, c_o, free_height // stride + 1, free_width // stride + 1)
    ### END SOLUTION


# %% [markdown]
# ## Done?
#
# `autograder check` runs the public tests on your file. They are examples, not proofs: before you hand in, ask
# yourself what happens with maps and kernels that are not square, with one channel, with as many channels out as
# in, with a transposed image, with `float64`.
