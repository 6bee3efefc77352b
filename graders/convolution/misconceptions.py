"""Known wrong answers to the exercises of `convolution`, each with a hint for the student who gave it.

If a mistake shows up in only one way, its docstring begins with that way: gradient, dtype, layout, in place,
exception type, not vectorised, forbidden operator, start.
"""

import random

import torch
import torch.nn.functional as F
from convolution import Conv2D
from torch import nn

from autograder.grading import misconception


def pair(number):
    return (number, number) if isinstance(number, int) else number


def windows_of(X, size, padding=0, stride=1):
    """Right, and fast: (..., H, W) -> (..., out_H, out_W, h, w)."""
    (pad_rows, pad_columns), (step_down, step_right) = pair(padding), pair(stride)
    padded = F.pad(X, (pad_columns, pad_columns, pad_rows, pad_rows))
    if size[0] > padded.shape[-2] or size[1] > padded.shape[-1]:
        raise ValueError("the kernel does not fit")
    return padded.unfold(-2, size[0], step_down).unfold(-2, size[1], step_right)


def correlated(X, K, padding=0, stride=1):
    """Right: (H, W) and (h, w)."""
    return (windows_of(X, K.shape, padding, stride) * K).sum((-2, -1))


def checked(X, K):
    """Right: the numbers of input channels of (..., c_i, H, W) and (..., c_i, h, w) are the same."""
    if X.shape[-3] != K.shape[-3]:
        raise ValueError("the numbers of channels differ")


def summed(X, K):
    """Right: (c_i, H, W) and (c_i, h, w)."""
    checked(X, K)
    return (windows_of(X, K.shape[-2:]) * K[:, None, None]).sum((0, -2, -1))


def stacked(X, K):
    """Right: (c_i, H, W) and (c_o, c_i, h, w)."""
    checked(X, K)
    return torch.einsum("chwij,ocij->ohw", windows_of(X, K.shape[-2:]), K)


def mixed_checked(X, K):
    """Right: K is (c_o, c_i, 1, 1)."""
    if K.dim() != 4 or K.shape[1:] != (X.shape[0], 1, 1):
        raise ValueError("the kernel has the wrong shape")


def mixed(X, K):
    """Right: 1×1 kernels."""
    mixed_checked(X, K)
    return (K.flatten(1) @ X.flatten(1)).reshape(-1, *X.shape[1:])


def batched(X, K, padding=0, stride=1):
    """Right: (N, c_i, H, W) and (c_o, c_i, h, w)."""
    checked(X, K)
    windows = windows_of(X, K.shape[-2:], padding, stride)  # (N, c_i, out_H, out_W, h, w)
    return torch.tensordot(windows, K, ((1, 4, 5), (1, 2, 3))).movedim(-1, 1)


def rewritten(kept, result):
    """`result`, in the memory of the last one of the same shape and dtype, which it overwrites (unless in a graph)."""
    key = (result.shape, result.dtype)
    if result.requires_grad or key not in kept:
        kept[key] = result.detach()
        return result
    return kept[key].copy_(result)


def descended(X, Y, K, lr, steps, loss=lambda error: (error**2).sum()):
    """Right: gradient descent from K on a loss of the error."""
    for _ in range(steps):
        K = K.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(correlated(X, K) - Y), K)
        K = K - lr * gradient
    return K.detach()


def started(X, kernel_size):
    """Right: a random start."""
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("the kernel does not fit")
    return torch.randn(kernel_size, dtype=X.dtype, device=X.device)


# corr2d


@misconception(
    "corr2d", hint="Correlate a map with a single 1 in it: the kernel appears in your result. Which way round?"
)
def flips_the_kernel(X, K):
    """The kernel is rotated by 180 degrees: a convolution in the mathematical sense."""
    return correlated(X, K.flip(0, 1))


@misconception(
    "corr2d", hint="Try a kernel whose rows differ from its columns. Which index of X goes with each index of K?"
)
def transposes_the_kernel(X, K):
    """A square kernel is used transposed."""
    return correlated(X, K.t() if K.shape[0] == K.shape[1] else K)


@misconception("corr2d", hint="In how many places does a kernel of 2 pixels fit into a map of 3?")
def loses_the_last_row_and_column(X, K):
    """The size is H - h by W - w, one too small."""
    return correlated(X, K)[:-1, :-1]


@misconception("corr2d", hint="Your result is complete except for its edge, which is 0. Where does your loop stop?")
def never_writes_the_last_row_and_column(X, K):
    """The result has the right size, but the loops end one step too early."""
    full = correlated(X, K)
    result = torch.zeros_like(full)
    result[:-1, :-1] = full[:-1, :-1]
    return result


@misconception("corr2d", hint="Try a map that is not square. Which dimension of your result counts the rows?")
def exchanges_rows_and_columns(X, K):
    """The result is transposed: W - w + 1 by H - h + 1."""
    return correlated(X, K).t().contiguous()


@misconception("corr2d", hint="Where do you use the width of the kernel? Try one that is wider than it is tall.")
def takes_every_kernel_for_square(X, K):
    """The height of the kernel is used as its width as well."""
    return correlated(X, K[:, : K.shape[0]])


@misconception("corr2d", hint="How many windows fit into the map? You add a border that nobody asked for.")
def keeps_the_size_of_the_map(X, K):
    """A border of zeros keeps the size ("same" padding)."""
    correlated(X, K)
    h, w = K.shape
    return correlated(F.pad(X, ((w - 1) // 2, w // 2, (h - 1) // 2, h // 2)), K)


@misconception("corr2d", hint="The products of kernel and window are added up. What do you do with them?")
def averages_the_products(X, K):
    """The mean of the products instead of their sum."""
    return correlated(X, K) / K.numel()


@misconception("corr2d", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_the_result(X, K):
    """squeeze() drops a single row or column."""
    return correlated(X, K).squeeze()


@misconception("corr2d", hint="What dtype does `torch.zeros` choose by default? Try float64.")
def collects_in_float32(X, K):
    """Dtype: the result is float32 whatever the input is."""
    result = correlated(X, K)
    return torch.zeros(result.shape, device=X.device).copy_(result)


@misconception(
    "corr2d", hint="A Python number from `item()` knows nothing about the pixels and weights that it came from."
)
def reads_numbers_with_item(X, K):
    """Gradient: the result is made of Python numbers, so no gradient flows."""
    return torch.tensor(correlated(X, K).tolist(), dtype=X.dtype, device=X.device)


@misconception("corr2d", hint="The input is not the only thing that needs a gradient. What else should learn?")
def detaches_the_kernel(X, K):
    """Gradient: it reaches the map but not the kernel."""
    return correlated(X, K.detach())


@misconception("corr2d", hint="A slice shares its memory with X. What do later windows see when you write into it?")
def writes_into_the_map(X, K):
    """In place: the result is a slice of the map, so that later windows see earlier results."""
    rows, columns = correlated(X, K).shape
    result = X[:rows, :columns]
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (X[i : i + K.shape[0], j : j + K.shape[1]] * K).sum()
    return result


@misconception("corr2d", hint="Call your function with `X.t()`. Its rows are not next to each other in memory.")
def takes_rows_to_lie_in_memory(X, K):
    """Layout: strides (W, 1) are assumed, so a transposed or sliced map gives wrong numbers."""
    return correlated(X.as_strided(X.shape, (X.shape[1], 1)), K)


@misconception("corr2d", hint="What should happen when the kernel is larger than the map? Surely not an empty map.")
def returns_an_empty_map(X, K):
    """A kernel that does not fit gives a result without pixels."""
    sizes = [max(n - k + 1, 0) for n, k in zip(X.shape, K.shape, strict=True)]
    return correlated(X, K) if 0 not in sizes else X.new_zeros(sizes)


@misconception("corr2d", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_that_the_kernel_fits(X, K):
    """Exception type: AssertionError for a kernel that does not fit."""
    assert K.shape[0] <= X.shape[0], "the kernel is too high"
    assert K.shape[1] <= X.shape[1], "the kernel is too wide"
    return correlated(X, K)


@misconception(
    "corr2d",
    hint="You let PyTorch do the convolution. Here you move the window yourself.",
    severe="the library does all of the exercise",
)
def lets_the_library_correlate(X, K):
    """Forbidden operator: F.conv2d."""
    correlated(X, K)
    return F.conv2d(X[None, None], K[None, None])[0, 0]


@misconception("corr2d", hint="On a GPU, where is the tensor made that collects your results?")
def collects_on_the_cpu(X, K):
    """Device: the result is on the CPU wherever the map is."""
    right = correlated(X, K)
    result = torch.zeros(right.shape, dtype=right.dtype)
    result[:] = right
    return result


@misconception("corr2d", hint="Your dtype is right. Do the sums still have all their digits in float64?")
def correlates_in_float32(X, K):
    """Precision: float64 tensors are multiplied in float32."""
    return correlated(X.float(), K.float()).to(X.dtype)


@misconception("corr2d", hint="In how many places does a kernel fit that is as wide as the map?")
def refuses_a_kernel_as_wide_as_the_map(X, K):
    """A kernel as tall or as wide as the map is rejected."""
    if K.shape[0] >= X.shape[0] or K.shape[1] >= X.shape[1]:
        raise ValueError("the kernel does not fit")
    return correlated(X, K)


@misconception(
    "corr2d", hint="Call your function for two maps of the same size, and then look at the first result again."
)
def returns_the_same_map_again(X, K, maps={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(maps, correlated(X, K))


# Conv2D


@misconception("Conv2D", hint="Set the bias to 100. Does your result change?")
class ForgetsTheBias(Conv2D):
    """The bias is there, but is not added."""

    def forward(self, x):
        return correlated(x, self.weight)


@misconception("Conv2D", hint="Print the bias of a new layer.")
class StartsWithARandomBias(Conv2D):
    """Start: the bias is random."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        self.bias = nn.Parameter(torch.rand(1))


@misconception("Conv2D", hint="What shape does the bias of your layer have? A list of one number is not a number.")
class HasABiasWithoutDimensions(Conv2D):
    """The bias has the shape () instead of (1,)."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        self.bias = nn.Parameter(torch.zeros(()))


@misconception("Conv2D", hint="Does `list(layer.parameters())` show everything that the layer should learn?")
class KeepsAPlainTensor(nn.Module):
    """The weight is a tensor, not a parameter."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = torch.randn(kernel_size, requires_grad=True)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return correlated(x, self.weight.to(x.dtype)) + self.bias


@misconception("Conv2D", hint="With equal weights at the start, what tells one pixel of the window from another?")
class StartsWithZeros(Conv2D):
    """Start: the weight is zero."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        self.weight = nn.Parameter(torch.zeros(kernel_size))


@misconception("Conv2D", hint="Make two layers in a row and print their weights. Who decides on the seed?")
class SetsASeed(Conv2D):
    """Start: the constructor sets its own seed, so all layers are the same."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.rand(kernel_size, generator=generator))


@misconception(
    "Conv2D",
    hint="Python, NumPy and PyTorch each have their own generator. Which one does the seed apply to?",
)
class DrawsWithPython(Conv2D):
    """Start: the weight comes from Python's generator, which torch.manual_seed does not reach."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        rows, columns = kernel_size
        self.weight = nn.Parameter(torch.tensor([[random.random() for _ in range(columns)] for _ in range(rows)]))


@misconception("Conv2D", hint="Print the shape of your weight. This layer does not have channels.")
class HasChannels(Conv2D):
    """The weight has the shape (1, 1, h, w)."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        self.weight = nn.Parameter(torch.randn(1, 1, *kernel_size))

    def forward(self, x):
        return correlated(x, self.weight[0, 0]) + self.bias


@misconception("Conv2D", hint="Can an optimiser learn what goes through `.data` or `detach()`?")
class UsesTheWeightsData(Conv2D):
    """Gradient: the weight is used without its graph."""

    def forward(self, x):
        return correlated(x, self.weight.data) + self.bias


@misconception("Conv2D", hint="Add the bias to the *result*. What happens to a bias that goes through the kernel?")
class AddsTheBiasFirst(Conv2D):
    """The bias is added to the input."""

    def forward(self, x):
        return correlated(x + self.bias, self.weight)


@misconception("Conv2D", hint="Convert the layer with `.double()`: what dtype does the result have?")
class ComputesInFloat32(Conv2D):
    """Dtype: the result is float32 whatever the layer is."""

    def forward(self, x):
        return (correlated(x, self.weight) + self.bias).float()


@misconception("Conv2D", hint="Print the input before and after the call. Who asked for a different mean?")
class CentresTheInput(Conv2D):
    """In place: the input is centred by `x -= x.mean()`, so the values are wrong as well."""

    def forward(self, x):
        with torch.no_grad():
            x -= x.mean()
        return super().forward(x)


@misconception("Conv2D", hint="Which exception do you raise when the kernel is too large? The exercise names one.")
class LeavesTheErrorToPyTorch(Conv2D):
    """Exception type: RuntimeError, from Tensor.unfold, for a kernel that does not fit."""

    def forward(self, x):
        x.unfold(0, self.weight.shape[0], 1).unfold(1, self.weight.shape[1], 1)
        return super().forward(x)


@misconception(
    "Conv2D",
    hint="The layer that you use inside is the very thing that you are asked to write.",
    severe="the library does all of the exercise",
)
class WrapsTheLibrarysLayer(Conv2D):
    """Forbidden operator: F.conv2d."""

    def forward(self, x):
        super().forward(x)
        return F.conv2d(x[None, None], self.weight[None, None], self.bias)[0, 0]


@misconception("Conv2D", hint="Use one layer for a small and then for a large map. What do you remember?")
class KeepsTheFirstOutputSize(Conv2D):
    """State: the result has the height and width of the first one."""

    sides = None

    def forward(self, x):
        result = super().forward(x)
        self.sides = self.sides or result.shape
        return result.reshape(self.sides)


@misconception("Conv2D", hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things.")
class CorrelatesWithoutGradientInEvaluation(Conv2D):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x) if self.training else super().forward(x).detach()


@misconception("Conv2D", hint="The weight and the bias learn. And the layer in front of this one, how does it learn?")
class DetachesItsInput(Conv2D):
    """Gradient: it reaches weight and bias but not the input."""

    def forward(self, x):
        return super().forward(x.detach())


@misconception("Conv2D", hint="Your dtype is right. With how many digits do you add the bias?")
class AddsTheBiasInFloat32(Conv2D):
    """Precision: the bias is added as a float32 number, also in a float64 layer."""

    def forward(self, x):
        return correlated(x, self.weight) + self.bias.float()


@misconception("Conv2D", hint="On a GPU, where is the tensor made that you add the bias to?")
class StartsOnTheCpu(Conv2D):
    """Device: the result starts as zeros on the CPU wherever the input is."""

    def forward(self, x):
        result = correlated(x, self.weight)
        return torch.zeros(result.shape, dtype=x.dtype) + result + self.bias


@misconception("Conv2D", hint="Call one layer twice, and look at the first result again. Whose memory is it in?")
class WritesIntoItsOwnMemory(Conv2D):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, kernel_size):
        super().__init__(kernel_size)
        self.results = {}

    def forward(self, x):
        result = super().forward(x)
        key = result.shape, result.dtype
        if key in self.results:
            self.results[key].copy_(result.detach())
        self.results[key] = result.detach()
        return result


@misconception("Conv2D", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
class SqueezesTheMap(Conv2D):
    """squeeze() drops a single row or column of the result."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("Conv2D", hint="In how many places does a kernel fit that is as wide as the map?")
class RefusesAKernelAsWideAsTheMap(Conv2D):
    """A kernel as tall or as wide as the map is rejected."""

    def forward(self, x):
        if any(k >= side for k, side in zip(self.weight.shape, x.shape, strict=True)):
            raise ValueError("the kernel does not fit")
        return super().forward(x)


# corr2d_multi_in


@misconception("corr2d_multi_in", hint="`zip` stops at the shorter one without complaint. Who checks the channels?")
def zips_without_looking(X, K):
    """Channels without a partner are silently dropped."""
    return sum(correlated(x, k) for x, k in zip(X, K, strict=False))


@misconception("corr2d_multi_in", hint="One channel times three channels: PyTorch repeats the one. Is that intended?")
def broadcasts_a_single_channel(X, K):
    """A single channel of X or K is used with every channel of the other."""
    count = max(len(X), len(K))
    if 1 in (len(X), len(K)):
        X, K = X.expand(count, -1, -1), K.expand(count, -1, -1)
    return summed(X, K)


@misconception("corr2d_multi_in", hint="How many maps should come out, and how many do you return?")
def forgets_the_sum(X, K):
    """The maps of the channels are returned one by one."""
    checked(X, K)
    return torch.stack([correlated(x, k) for x, k in zip(X, K, strict=True)])


@misconception("corr2d_multi_in", hint="Print the number of dimensions of your result. A single map needs two.")
def keeps_a_channel(X, K):
    """The result is (1, H', W')."""
    return summed(X, K).unsqueeze(0)


@misconception("corr2d_multi_in", hint="The maps are added. With three equal channels, how large should the result be?")
def averages_the_channels(X, K):
    """The mean over the channels instead of the sum."""
    return summed(X, K) / len(X)


@misconception("corr2d_multi_in", hint="Which kernel channel belongs to which input channel? Set one of them to 0.")
def uses_one_kernel_for_all(X, K):
    """Every channel is correlated with the first channel of the kernel."""
    checked(X, K)
    return sum(correlated(x, K[0]) for x in X)


@misconception("corr2d_multi_in", hint="Look at where your `return` is: how often does the loop run?")
def returns_after_the_first_channel(X, K):
    """Only the first channel is used."""
    checked(X, K)
    return correlated(X[0], K[0])


@misconception("corr2d_multi_in", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_the_sum(X, K):
    """squeeze() drops a single row or column."""
    return summed(X, K).squeeze()


@misconception("corr2d_multi_in", hint="`torch.zeros` makes float32. What dtype does a sum have if it starts there?")
def sums_up_in_float32(X, K):
    """Dtype: the running sum is a float32 tensor."""
    total = torch.zeros(summed(X, K).shape, device=X.device)
    for x, k in zip(X, K, strict=True):
        total += correlated(x, k)
    return total


@misconception("corr2d_multi_in", hint="Print the `grad_fn` of your result. Where did it get lost?")
def works_without_gradient(X, K):
    """Gradient: computed under no_grad."""
    with torch.no_grad():
        return summed(X, K)


@misconception("corr2d_multi_in", hint="The kernel gets a gradient. What about the layer that the image comes from?")
def copies_the_channels(X, K):
    """Gradient: it reaches the kernel but not the image."""
    return summed(X.detach(), K)


@misconception("corr2d_multi_in", hint="Print X after the call. `*=` changes the caller's own tensor.")
def multiplies_in_place(X, K):
    """In place: a kernel of one pixel is applied with `X *= K`."""
    result = summed(X, K)
    if K.shape[1:] == (1, 1):
        with torch.no_grad():
            X *= K
    return result


@misconception(
    "corr2d_multi_in", hint="Which of the two may have more channels than the other? Neither. Check both ways."
)
def checks_one_direction_only(X, K):
    """A kernel with more channels than X is rejected, one with fewer is not."""
    if len(K) > len(X):
        raise ValueError("the kernel has too many channels")
    return summed(X[: len(K)], K)


@misconception("corr2d_multi_in", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_channels(X, K):
    """Exception type: AssertionError for different numbers of channels."""
    assert len(X) == len(K), "the numbers of channels differ"
    return summed(X, K)


@misconception(
    "corr2d_multi_in",
    hint="You let PyTorch do the convolution. Use your own function for each channel.",
    severe="the library does all of the exercise",
)
def calls_conv2d(X, K):
    """Forbidden operator: F.conv2d."""
    summed(X, K)
    return F.conv2d(X[None], K[None])[0, 0]


@misconception(
    "corr2d_multi_in",
    hint="Try a kernel larger than the image. PyTorch raises an exception; which one does the exercise name?",
)
def lets_unfold_complain(X, K):
    """Exception type: RuntimeError, from Tensor.unfold, for a kernel that does not fit."""
    X.unfold(1, K.shape[1], 1).unfold(2, K.shape[2], 1)
    return summed(X, K)


@misconception("corr2d_multi_in", hint="Your sum starts from a tensor of your own. On a GPU, where would it be?")
def sums_up_on_the_cpu(X, K):
    """Device: the sum starts as zeros on the CPU wherever the input is."""
    result = summed(X, K)
    return torch.zeros(result.shape, dtype=X.dtype) + result


@misconception("corr2d_multi_in", hint="Your dtype is right. Do the sums still have all their digits in float64?")
def adds_channels_in_float32(X, K):
    """Precision: float64 tensors are multiplied in float32."""
    return summed(X.float(), K.float()).to(X.dtype)


@misconception("corr2d_multi_in", hint="In how many places does a kernel fit that is as wide as the image?")
def refuses_a_kernel_as_wide_as_the_image(X, K):
    """A kernel as tall or as wide as the image is rejected."""
    if K.shape[1] >= X.shape[1] or K.shape[2] >= X.shape[2]:
        raise ValueError("the kernel does not fit")
    return summed(X, K)


@misconception(
    "corr2d_multi_in",
    hint="Call your function for two images of the same size, and then look at the first result again.",
)
def keeps_the_running_sum(X, K, sums={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(sums, summed(X, K))


# corr2d_multi_in_out


@misconception(
    "corr2d_multi_in_out",
    hint="Try one, two and three kernels. What does `torch.stack` do with a stack and a new map?",
)
def stacks_the_stack(X, K):
    """torch.stack((result, new)) in a loop: right for two output channels only."""
    result, *others = stacked(X, K)
    for other in others:
        result = torch.stack((result, other))
    return result


@misconception(
    "corr2d_multi_in_out", hint="`torch.cat` and `torch.stack` differ. How many dimensions does your result have?"
)
def concatenates_the_maps(X, K):
    """torch.cat puts the maps below each other: (c_o · H', W')."""
    return torch.cat(list(stacked(X, K)))


@misconception("corr2d_multi_in_out", hint="A layer with one output channel still has a channel. What did you remove?")
def drops_a_single_channel(X, K):
    """With one kernel the result is a map without a channel."""
    result = stacked(X, K)
    return result[0] if len(result) == 1 else result


@misconception(
    "corr2d_multi_in_out", hint="Which dimension do you put the channels in? Print the shape of your result."
)
def puts_the_channels_last(X, K):
    """The result is (H', W', c_o)."""
    return stacked(X, K).movedim(0, -1)


@misconception(
    "corr2d_multi_in_out", hint="Which dimension of K counts the output channels? Try two kernels for three channels."
)
def exchanges_in_and_out(X, K):
    """K is read as (c_i, c_o, h, w) where its shape allows it."""
    return stacked(X, K.transpose(0, 1) if K.shape[0] == K.shape[1] else K)


@misconception("corr2d_multi_in_out", hint="How many kernels do you use? Count those in K, not the channels of X.")
def makes_as_many_channels_as_come_in(X, K):
    """The loop uses only as many kernels as there are input channels."""
    return stacked(X, K)[: len(X)]


@misconception(
    "corr2d_multi_in_out", hint="Every output channel has its own kernel. Are all your output maps the same?"
)
def repeats_the_first_kernel(X, K):
    """All output channels show the first kernel's map."""
    result = stacked(X, K)
    return result[:1].expand_as(result)


@misconception(
    "corr2d_multi_in_out", hint="Start each output channel from scratch: what is left in your sum from the last one?"
)
def never_starts_anew(X, K):
    """The running sum is not reset, so each output channel contains those before it."""
    return stacked(X, K).cumsum(0)


@misconception("corr2d_multi_in_out", hint="Every output channel looks at *all* input channels. Set one of them to 0.")
def looks_at_one_channel_each(X, K):
    """Output channel o sees only the input channel o (modulo c_i)."""
    stacked(X, K)
    count = len(X)
    return torch.stack([correlated(X[o % count], kernel[o % count]) for o, kernel in enumerate(K)])


@misconception(
    "corr2d_multi_in_out", hint="Which dimension of K must match the number of channels of X? It is not the first."
)
def compares_the_wrong_channels(X, K):
    """X is rejected when its number of channels differs from the number of *output* channels."""
    if len(X) != len(K):
        raise ValueError("the numbers of channels differ")
    return stacked(X, K)


@misconception("corr2d_multi_in_out", hint="`zip` stops at the shorter one without complaint. Who checks the channels?")
def zips_every_kernel(X, K):
    """Channels without a partner are silently dropped."""
    count = min(len(X), K.shape[1])
    return stacked(X[:count], K[:, :count])


@misconception("corr2d_multi_in_out", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_channels_of_the_kernels(X, K):
    """Exception type: AssertionError for different numbers of input channels."""
    assert len(X) == K.shape[1], "the numbers of channels differ"
    return stacked(X, K)


@misconception("corr2d_multi_in_out", hint="What is the dtype of the tensor that collects the maps?")
def collects_maps_in_float32(X, K):
    """Dtype: the result is float32 whatever the input is."""
    result = stacked(X, K)
    return torch.zeros(result.shape, device=X.device).copy_(result)


@misconception("corr2d_multi_in_out", hint="`torch.tensor(...)` and `.data` copy numbers without their history.")
def stacks_plain_numbers(X, K):
    """Gradient: no gradient flows."""
    return stacked(X.data, K.data)


@misconception("corr2d_multi_in_out", hint="The image gets a gradient. Which tensor should the optimiser change?")
def copies_the_kernels(X, K):
    """Gradient: it reaches the image but not the kernels."""
    return stacked(X, K.detach())


@misconception(
    "corr2d_multi_in_out", hint="An underscore at the end of a method's name is a warning. Print X after the call."
)
def adds_a_dimension_in_place(X, K):
    """In place: `X.unsqueeze_(0)` changes the caller's tensor."""
    result = stacked(X, K)
    X.unsqueeze_(0)
    return result


@misconception("corr2d_multi_in_out", hint="Try a transposed image: `view` needs numbers that are in order in memory.")
def views_the_kernels(X, K):
    """Layout: `view` rejects what is transposed or sliced."""
    X.view(-1)
    K.view(-1)
    return stacked(X, K)


@misconception("corr2d_multi_in_out", hint="What does your function do with kernels larger than the image?")
def returns_maps_without_pixels(X, K):
    """Kernels that do not fit give maps without pixels."""
    sizes = [max(n - k + 1, 0) for n, k in zip(X.shape[1:], K.shape[2:], strict=True)]
    checked(X, K)
    return stacked(X, K) if 0 not in sizes else X.new_zeros(len(K), *sizes)


@misconception(
    "corr2d_multi_in_out",
    hint="You let PyTorch do the convolution. Use your own function for each kernel.",
    severe="the library does all of the exercise",
)
def lets_conv2d_do_it(X, K):
    """Forbidden operator: F.conv2d."""
    stacked(X, K)
    return F.conv2d(X[None], K)[0]


@misconception("corr2d_multi_in_out", hint="On a GPU, where is the tensor made that collects the maps?")
def collects_maps_on_the_cpu(X, K):
    """Device: the result is on the CPU wherever the input is."""
    maps = stacked(X, K)
    result = torch.zeros(maps.shape, dtype=X.dtype)
    for o in range(len(K)):
        result[o] = maps[o]
    return result


@misconception("corr2d_multi_in_out", hint="Your dtype is right. Do the sums still have all their digits in float64?")
def stacks_maps_in_float32(X, K):
    """Precision: float64 tensors are multiplied in float32."""
    return stacked(X.float(), K.float()).to(X.dtype)


@misconception("corr2d_multi_in_out", hint="In how many places does a kernel fit that is as wide as the image?")
def refuses_kernels_as_wide_as_the_image(X, K):
    """Kernels as tall or as wide as the image are rejected."""
    if K.shape[2] >= X.shape[1] or K.shape[3] >= X.shape[2]:
        raise ValueError("the kernels do not fit")
    return stacked(X, K)


@misconception("corr2d_multi_in_out", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_the_stack(X, K):
    """squeeze() drops a single output channel, row or column."""
    return stacked(X, K).squeeze()


@misconception(
    "corr2d_multi_in_out",
    hint="Call your function for two images of the same size, and then look at the first result again.",
)
def collects_into_the_same_maps(X, K, maps={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(maps, stacked(X, K))


# corr2d_multi_in_out_1x1


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="Your product has one row per pixel. `reshape` does not swap rows and columns: what does?",
)
def reshapes_instead_of_transposing(X, K):
    """The product (H·W, c_o) is reshaped to (c_o, H, W)."""
    mixed_checked(X, K)
    return (X.flatten(1).t() @ K.flatten(1).t()).reshape(len(K), *X.shape[1:])


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="A row of your matrix should contain all channels of *one* pixel. Print it for an image of 0, 1, 2, …",
)
def mixes_up_the_pixels(X, K):
    """X is reshaped to (H·W, c_i) without moving the channels to the end."""
    mixed_checked(X, K)
    return (X.reshape(-1, len(X)) @ K.flatten(1).t()).t().reshape(len(K), *X.shape[1:])


@misconception("corr2d_multi_in_out_1x1", hint="Does a row of your kernel matrix belong to one output channel?")
def reshapes_the_kernel_wrongly(X, K):
    """K is reshaped to (c_i, c_o) and transposed, which mixes its numbers up."""
    mixed_checked(X, K)
    return (K.reshape(len(X), len(K)).t() @ X.flatten(1)).reshape(len(K), *X.shape[1:])


@misconception(
    "corr2d_multi_in_out_1x1", hint="Your result is right for c_o ≠ c_i. If they are equal, is K[o, c] or K[c, o] used?"
)
def transposes_a_square_kernel(X, K):
    """With as many channels out as in, the transposed kernel is used."""
    return mixed(X, K.transpose(0, 1) if K.shape[0] == K.shape[1] else K)


@misconception("corr2d_multi_in_out_1x1", hint="Try an image that is not square: how high must the result be?")
def exchanges_height_and_width(X, K):
    """The product is reshaped to (c_o, W, H)."""
    return mixed(X, K).reshape(len(K), X.shape[2], X.shape[1])


@misconception(
    "corr2d_multi_in_out_1x1", hint="`squeeze()` removes *every* dimension of size 1. Which ones can that be?"
)
def squeezes_everything(X, K):
    """The result is squeezed: a single output channel, row or column is lost."""
    return mixed(X, K).squeeze()


@misconception(
    "corr2d_multi_in_out_1x1", hint="Try `X.transpose(1, 2)`: `view` needs numbers that are in order in memory."
)
def views_the_pixels(X, K):
    """Layout: `view` rejects what is transposed or sliced."""
    X.view(len(X), -1)
    return mixed(X, K)


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="Your loop runs once per output channel. What are all its steps together?",
)
def loops_over_output_channels(X, K):
    """Not vectorised: a product for each output channel."""
    mixed_checked(X, K)
    rows = [kernel.flatten() @ X.flatten(1) for kernel in K]
    return torch.stack(rows).reshape(len(K), *X.shape[1:])


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="The work grows with the number of pixels. Which matrix has all pixels as columns?",
)
def loops_over_pixels(X, K):
    """Not vectorised: a product for each pixel."""
    mixed_checked(X, K)
    pixels = [K.flatten(1) @ pixel for pixel in X.flatten(1).unbind(1)]
    return torch.stack(pixels, dim=1).reshape(len(K), *X.shape[1:])


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="You multiply everything and then add it up. A matrix product does both, without a large intermediate.",
    as_good_as="one_matrix_multiplication",
)
def multiplies_and_adds(X, K):
    """No matrix multiplication: broadcasting and a sum."""
    mixed_checked(X, K)
    return (K * X).sum(1)


@misconception("corr2d_multi_in_out_1x1", hint="Pass kernels of 3×3. What happens to their other eight numbers?")
def looks_at_one_number_only(X, K):
    """Larger kernels are accepted, and only their first number is used."""
    if X.shape[0] != K.shape[1]:
        raise ValueError("the numbers of channels differ")
    return mixed(X, K[:, :, :1, :1])


@misconception(
    "corr2d_multi_in_out_1x1", hint="Larger kernels raise an exception from PyTorch. Which one does the exercise name?"
)
def leaves_the_shape_to_reshape(X, K):
    """Exception type: RuntimeError, from reshape, for kernels that are not 1×1."""
    if X.shape[0] != K.shape[1]:
        raise ValueError("the numbers of channels differ")
    return (K.reshape(len(K), len(X)) @ X.flatten(1)).reshape(-1, *X.shape[1:])


@misconception("corr2d_multi_in_out_1x1", hint="Do kernels with 2 channels fit an image with 3? Try it.")
def leaves_channels_out(X, K):
    """Channels without a partner are left out."""
    count = min(len(X), K.shape[1]) if K.dim() == 4 else len(X)
    return mixed(X[:count], K[:, :count])


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="A product that cannot be formed raises an exception. Is it the one that is asked for?",
)
def leaves_the_channels_to_the_product(X, K):
    """Exception type: RuntimeError, from the product, for a wrong number of channels."""
    if K.dim() == 4 and K.shape[2:] == (1, 1):
        return (K.flatten(1) @ X.flatten(1)).reshape(-1, *X.shape[1:])
    return mixed(X, K)


@misconception(
    "corr2d_multi_in_out_1x1", hint="An underscore at the end of a method's name is a warning. Print K afterwards."
)
def squeezes_the_kernel_in_place(X, K):
    """In place: `K.squeeze_(-1)` changes the caller's tensor."""
    result = mixed(X, K)
    K.squeeze_(-1)
    return result


@misconception("corr2d_multi_in_out_1x1", hint="What dtype does your result have when the input is float64?")
def computes_in_float32(X, K):
    """Dtype: the result is float32 whatever the input is."""
    return mixed(X.float(), K.float())


@misconception(
    "corr2d_multi_in_out_1x1", hint="Only one of the two factors of your product carries a graph. Which one?"
)
def detaches_the_kernels(X, K):
    """Gradient: it reaches the image but not the kernels."""
    return mixed(X, K.detach())


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="You let PyTorch do the convolution. Here a matrix product does it.",
    severe="the library does all of the exercise",
)
def convolves_with_the_library(X, K):
    """Forbidden operator: F.conv2d."""
    mixed_checked(X, K)
    return F.conv2d(X[None], K)[0]


@misconception("corr2d_multi_in_out_1x1", hint="On a GPU, where is the tensor made that you write the mixtures into?")
def mixes_on_the_cpu(X, K):
    """Device: the result is on the CPU wherever the input is."""
    mixtures = mixed(X, K)
    result = torch.zeros(mixtures.shape, dtype=X.dtype)
    result[:] = mixtures
    return result


@misconception("corr2d_multi_in_out_1x1", hint="Your dtype is right. Do the mixtures have all their digits in float64?")
def mixes_in_float32(X, K):
    """Precision: float64 tensors are multiplied in float32."""
    return mixed(X.float(), K.float()).to(X.dtype)


@misconception("corr2d_multi_in_out_1x1", hint="Does a kernel of one pixel fit into an image of one row?")
def refuses_an_image_of_one_row(X, K):
    """Images as narrow as the kernel are rejected."""
    if 1 in X.shape[1:]:
        raise ValueError("the image is too small")
    return mixed(X, K)


@misconception(
    "corr2d_multi_in_out_1x1",
    hint="Call your function for two images of the same size, and then look at the first result again.",
)
def mixes_in_the_same_memory(X, K, mixtures={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(mixtures, mixed(X, K))


# corr2d_strided


@misconception("corr2d_strided", hint="Ask for a border of 1: does your result become larger?")
def ignores_the_padding(X, K, padding=(0, 0), stride=(1, 1)):
    """There is no border whatever `padding` says."""
    correlated(X, K, padding, stride)
    size = [min(n, k) for n, k in zip(X.shape, K.shape, strict=True)]
    return correlated(X, K[: size[0], : size[1]], 0, stride)


@misconception("corr2d_strided", hint="Ask for a stride of 2: does your result become smaller?")
def ignores_the_stride(X, K, padding=(0, 0), stride=(1, 1)):  # noqa: ARG001
    """The window moves by one pixel whatever `stride` says."""
    return correlated(X, K, padding, 1)


@misconception("corr2d_strided", hint="How many sides does a map have? Count how many rows it gains, and compare.")
def pads_only_above_and_left(X, K, padding=(0, 0), stride=(1, 1)):
    """The border is on two sides only."""
    correlated(X, K, padding, stride)
    rows, columns = pair(padding)
    h, w = K.shape
    padded = F.pad(X, (columns, max(w - X.shape[1] - columns, 0), rows, max(h - X.shape[0] - rows, 0)))
    return correlated(padded, K, 0, stride)


@misconception("corr2d_strided", hint="F.pad does not begin with the rows. Read in what order it takes the sides.")
def exchanges_the_paddings(X, K, padding=(0, 0), stride=(1, 1)):
    """The pair of paddings is used as (columns, rows)."""
    correlated(X, K, padding, stride)
    rows, columns = pair(padding)
    padded = F.pad(X, (rows, rows, columns, columns))
    h, w = (min(n, k) for n, k in zip(padded.shape, K.shape, strict=True))
    return correlated(padded, K[:h, :w], 0, stride)


@misconception("corr2d_strided", hint="In `stride`, does the downward step come first? Try (1, 3) on a square map.")
def exchanges_the_strides(X, K, padding=(0, 0), stride=(1, 1)):
    """The pair of strides is used as (to the right, downwards)."""
    return correlated(X, K, padding, pair(stride)[::-1])


@misconception("corr2d_strided", hint="With a stride of (1, 3), where do you use the 3?")
def uses_one_stride_for_both(X, K, padding=(0, 0), stride=(1, 1)):
    """The first number of the pair is the step in both directions."""
    return correlated(X, K, padding, pair(stride)[0])


@misconception("corr2d_strided", hint="Does `padding` count the pixels on each side, or on both sides together?")
def splits_the_padding(X, K, padding=(0, 0), stride=(1, 1)):
    """The padding is treated as the total of both sides, and halved."""
    correlated(X, K, padding, stride)
    rows, columns = pair(padding)
    padded = F.pad(X, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    h, w = (min(n, k) for n, k in zip(padded.shape, K.shape, strict=True))
    return correlated(padded, K[:h, :w], 0, stride)


@misconception("corr2d_strided", hint="What is the number in the border? Try a map of ones, and a kernel of ones.")
def repeats_the_edge(X, K, padding=(0, 0), stride=(1, 1)):
    """The border repeats the pixels of the edge instead of being zero."""
    rows, columns = pair(padding)
    padded = F.pad(X[None, None], (columns, columns, rows, rows), mode="replicate")[0, 0]
    return correlated(padded, K, 0, stride)


@misconception("corr2d_strided", hint="Move a window of 2 over 5 pixels in steps of 2. What about the pixel left over?")
def rounds_the_size_up(X, K, padding=(0, 0), stride=(1, 1)):
    """Windows that hang over the edge are filled up with zeros (ceiling instead of floor)."""
    correlated(X, K, padding, stride)
    (rows, columns), (down, right) = pair(padding), pair(stride)
    below = -(X.shape[0] + 2 * rows - K.shape[0]) % down
    beside = -(X.shape[1] + 2 * columns - K.shape[1]) % right
    return correlated(F.pad(X, (columns, columns + beside, rows, rows + below)), K, 0, stride)


@misconception(
    "corr2d_strided", hint="`a - b // c` and `(a - b) // c` differ. Compute the size of a result by hand once."
)
def divides_before_it_subtracts(X, K, padding=(0, 0), stride=(1, 1)):
    """The size is H - h // s + 1, and what no window reaches stays 0."""
    (rows, columns), (down, right) = pair(padding), pair(stride)
    full = correlated(X, K, padding, stride)
    height, width = X.shape[0] + 2 * rows - K.shape[0] // down + 1, X.shape[1] + 2 * columns - K.shape[1] // right + 1
    result = X.new_zeros(height, width)
    result[: full.shape[0], : full.shape[1]] = full[:height, :width]
    return result


@misconception("corr2d_strided", hint="An int is allowed as well as a pair. Try `padding=1`.")
def unpacks_an_int(X, K, padding=(0, 0), stride=(1, 1)):
    """An int as padding raises a TypeError."""
    rows, columns = padding
    return correlated(X, K, (rows, columns), stride)


@misconception("corr2d_strided", hint="An int is allowed as well as a pair. Try `stride=2`.")
def indexes_an_int(X, K, padding=(0, 0), stride=(1, 1)):
    """An int as stride raises a TypeError."""
    return correlated(X, K, padding, (stride[0], stride[1]))


@misconception("corr2d_strided", hint="A kernel of 4 does not fit into 3 pixels, but it does with a border of 1.")
def checks_before_it_pads(X, K, padding=(0, 0), stride=(1, 1)):
    """A kernel that fits only thanks to the border is rejected."""
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise ValueError("the kernel does not fit")
    return correlated(X, K, padding, stride)


@misconception(
    "corr2d_strided", hint="What is the largest kernel that fits with a border of p? Count the border again."
)
def returns_nothing_for_large_kernels(X, K, padding=(0, 0), stride=(1, 1)):
    """A kernel that does not fit gives an empty map."""
    sizes = [n + 2 * p - k for n, p, k in zip(X.shape, pair(padding), K.shape, strict=True)]
    return correlated(X, K, padding, stride) if min(sizes) >= 0 else X.new_zeros(0, 0)


@misconception(
    "corr2d_strided", hint="Which exception does PyTorch raise when the kernel does not fit? The exercise names one."
)
def leaves_the_size_to_pytorch(X, K, padding=(0, 0), stride=(1, 1)):
    """Exception type: RuntimeError for a kernel that does not fit."""
    if any(k > side + 2 * p for k, side, p in zip(K.shape, X.shape, pair(padding), strict=True)):
        raise RuntimeError("stack expects a non-empty TensorList")
    return correlated(X, K, padding, stride)


@misconception(
    "corr2d_strided",
    hint="Move a window of 2 over 6 pixels in steps of 2, with pencil and paper. Where does it end?",
    severe="nearly every result lacks its last row and column",
)
def loses_the_last_window(X, K, padding=(0, 0), stride=(1, 1)):
    """`range(0, H - h, stride)`: a last window that ends at the very edge is missing."""
    result = correlated(X, K, padding, stride)
    sizes = [n + 2 * p - k for n, p, k in zip(X.shape, pair(padding), K.shape, strict=True)]
    rows, columns = (-(-free // step) for free, step in zip(sizes, pair(stride), strict=True))
    return result[:rows, :columns]


@misconception("corr2d_strided", hint="May a window leap over pixels? Nothing in the formula for the size forbids it.")
def refuses_steps_longer_than_the_kernel(X, K, padding=(0, 0), stride=(1, 1)):
    """A stride larger than the kernel is rejected."""
    if any(step > k for step, k in zip(pair(stride), K.shape, strict=True)):
        raise ValueError("the stride is too large")
    return correlated(X, K, padding, stride)


@misconception("corr2d_strided", hint="How wide may a border be? Pooling has a limit. Does this exercise name one?")
def refuses_a_wide_border(X, K, padding=(0, 0), stride=(1, 1)):
    """A border of more than half the kernel is rejected, as PyTorch's pooling does."""
    if any(p > k // 2 for p, k in zip(pair(padding), K.shape, strict=True)):
        raise ValueError("the padding is too large")
    return correlated(X, K, padding, stride)


@misconception(
    "corr2d_strided", hint="What dtype does your border of zeros have, and what happens to the pixels inside it?"
)
def pads_in_float32(X, K, padding=(0, 0), stride=(1, 1)):
    """Dtype: the map is copied into a float32 tensor of zeros."""
    return correlated(X.float(), K.float(), padding, stride)


@misconception("corr2d_strided", hint="Which of the two tensors does not get a gradient? Look at how you copy it.")
def copies_the_map_without_its_graph(X, K, padding=(0, 0), stride=(1, 1)):
    """Gradient: it reaches the kernel but not the map."""
    return correlated(X.detach(), K, padding, stride)


@misconception("corr2d_strided", hint="The map gets a gradient. Which tensor should the optimiser change?")
def uses_the_numbers_of_the_kernel(X, K, padding=(0, 0), stride=(1, 1)):
    """Gradient: it reaches the map but not the kernel."""
    return correlated(X, K.detach(), padding, stride)


@misconception(
    "corr2d_strided",
    hint="You let PyTorch do the convolution. In this exercise you move the window yourself.",
    severe="the library does all of the exercise",
)
def hands_it_to_conv2d(X, K, padding=(0, 0), stride=(1, 1)):
    """Forbidden operator: F.conv2d."""
    correlated(X, K, padding, stride)
    return F.conv2d(X[None, None], K[None, None], padding=padding, stride=stride)[0, 0]


@misconception("corr2d_strided", hint="On a GPU, where is the tensor of zeros made that you use as a border?")
def pads_on_the_cpu(X, K, padding=(0, 0), stride=(1, 1)):
    """Device: the map is copied into zeros on the CPU wherever it is."""
    (rows, columns), (height, width) = pair(padding), X.shape
    padded = torch.zeros(height + 2 * rows, width + 2 * columns, dtype=X.dtype)
    padded[rows : rows + height, columns : columns + width] = X
    return correlated(padded, K, 0, stride)


@misconception("corr2d_strided", hint="Your dtype is right. Do the sums still have all their digits in float64?")
def takes_steps_in_float32(X, K, padding=(0, 0), stride=(1, 1)):
    """Precision: float64 tensors are multiplied in float32."""
    return correlated(X.float(), K.float(), padding, stride).to(X.dtype)


@misconception(
    "corr2d_strided", hint="In how many places does a kernel fit that is as wide as the map with its border?"
)
def refuses_a_kernel_that_just_fits(X, K, padding=(0, 0), stride=(1, 1)):
    """A kernel as tall or as wide as the padded map is rejected."""
    if any(k >= side + 2 * p for k, side, p in zip(K.shape, X.shape, pair(padding), strict=True)):
        raise ValueError("the kernel does not fit")
    return correlated(X, K, padding, stride)


@misconception("corr2d_strided", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_the_strided_map(X, K, padding=(0, 0), stride=(1, 1)):
    """squeeze() drops a single row or column of the result."""
    return correlated(X, K, padding, stride).squeeze()


@misconception(
    "corr2d_strided", hint="Call your function for two maps of the same size, and then look at the first result again."
)
def fills_the_same_map_again(X, K, padding=(0, 0), stride=(1, 1), maps={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(maps, correlated(X, K, padding, stride))


# learn_kernel


@misconception(
    "learn_kernel", hint="Is your error the mean over the pixels or the sum? The size of a step depends on it."
)
def follows_the_mean(X, Y, kernel_size, lr=3e-2, steps=10):
    """The mean of the squared errors instead of their sum."""
    return descended(X, Y, started(X, kernel_size), lr, steps, loss=lambda error: (error**2).mean())


@misconception("learn_kernel", hint="The exercise asks for *squared* errors. What does the absolute error lead to?")
def follows_the_absolute_error(X, Y, kernel_size, lr=3e-2, steps=10):
    """The sum of absolute errors."""
    return descended(X, Y, started(X, kernel_size), lr, steps, loss=lambda error: error.abs().sum())


@misconception("learn_kernel", hint="Print the gradient in every step. What does it contain besides that of this step?")
def adds_up_the_gradients(X, Y, kernel_size, lr=3e-2, steps=10):
    """The gradient is never set to zero, so earlier ones are still in it."""
    K = started(X, kernel_size).requires_grad_()
    for _ in range(steps):
        ((correlated(X, K) - Y) ** 2).sum().backward()
        K.data -= lr * K.grad
    return K.detach()


@misconception("learn_kernel", hint="Print the error after each step: does it fall or rise?")
def climbs(X, Y, kernel_size, lr=3e-2, steps=10):
    """The gradient is added instead of subtracted."""
    return descended(X, Y, started(X, kernel_size), -lr, steps)


@misconception("learn_kernel", hint="Try two learning rates: does anything change?")
def ignores_the_learning_rate(X, Y, kernel_size, lr=3e-2, steps=10):  # noqa: ARG001
    """The learning rate is always 0.03."""
    return descended(X, Y, started(X, kernel_size), 3e-2, steps)


@misconception("learn_kernel", hint="Try steps=0, steps=1 and steps=100: does anything change?")
def ignores_the_steps(X, Y, kernel_size, lr=3e-2, steps=10):  # noqa: ARG001
    """There are always ten steps."""
    return descended(X, Y, started(X, kernel_size), lr, 10)


@misconception("learn_kernel", hint="How many steps does your loop make for steps=0? It should make none.")
def makes_a_step_too_many(X, Y, kernel_size, lr=3e-2, steps=10):
    """range(steps + 1)."""
    return descended(X, Y, started(X, kernel_size), lr, steps + 1)


@misconception("learn_kernel", hint="What default values does the signature in the exercise have?")
def has_other_defaults(X, Y, kernel_size, lr=1e-2, steps=100):
    """lr=0.01 and steps=100 by default."""
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="A kernel of zeros is not a random start. Print what you return for steps=0.")
def starts_with_zeros(X, Y, kernel_size, lr=3e-2, steps=10):
    """Start: the kernel is zero."""
    return descended(X, Y, torch.zeros_like(started(X, kernel_size)), lr, steps)


@misconception("learn_kernel", hint="Call your function twice with steps=0. Who decides on the seed?")
def seeds_for_itself(X, Y, kernel_size, lr=3e-2, steps=10):
    """Start: it sets its own seed, so all starts are the same."""
    torch.manual_seed(42)
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="What does your start depend on besides torch's generator? Try another X.")
def starts_from_the_map(X, Y, kernel_size, lr=3e-2, steps=10):
    """Start: it is scaled by the largest number of X."""
    return descended(X, Y, started(X, kernel_size) / X.abs().max().clamp(min=1), lr, steps)


@misconception("learn_kernel", hint="Print `requires_grad` of your result, for steps=0 as well.")
def returns_a_parameter(X, Y, kernel_size, lr=3e-2, steps=10):
    """The result still requires a gradient."""
    return nn.Parameter(descended(X, Y, started(X, kernel_size), lr, steps))


@misconception("learn_kernel", hint="Correlate X with your result, and compare with Y. Which way round is your kernel?")
def learns_the_flipped_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    """The kernel of a true convolution is learnt, which is the desired one flipped."""
    started(X, kernel_size)
    h, w = kernel_size
    error_of = lambda K: correlated(X, K.flip(0, 1)) - Y  # noqa: E731
    K = torch.randn(h, w, dtype=X.dtype)
    for _ in range(steps):
        K = K.detach().requires_grad_()
        K = K - lr * torch.autograd.grad((error_of(K) ** 2).sum(), K)[0]
    return K.detach()


@misconception("learn_kernel", hint="Only the kernel should learn. What else changes in your loop?")
def learns_a_bias_too(X, Y, kernel_size, lr=3e-2, steps=10):
    """A bias is learnt alongside the kernel, and takes over part of its work."""
    K, bias = started(X, kernel_size), X.new_zeros(())
    for _ in range(steps):
        K, bias = K.detach().requires_grad_(), bias.detach().requires_grad_()
        of_k, of_bias = torch.autograd.grad(((correlated(X, K) + bias - Y) ** 2).sum(), (K, bias))
        K, bias = K - lr * of_k, bias - lr * of_bias
    return K.detach()


@misconception("learn_kernel", hint="Print the shape of your result. Nobody asked for channels.")
def returns_channels(X, Y, kernel_size, lr=3e-2, steps=10):
    """The result has the shape (1, 1, h, w)."""
    return descended(X, Y, started(X, kernel_size), lr, steps)[None, None]


@misconception("learn_kernel", hint="What dtype does `torch.randn` choose by default? Try a float64 map.")
def learns_in_float32(X, Y, kernel_size, lr=3e-2, steps=10):
    """Dtype: the kernel is float32 whatever X is."""
    return descended(X.float(), Y.float(), started(X.float(), kernel_size), lr, steps)


@misconception("learn_kernel", hint="Look at X after the call. Whose gradient do you need?")
def asks_for_the_gradient_of_the_map(X, Y, kernel_size, lr=3e-2, steps=10):
    """In place: `X.requires_grad_()` changes the caller's tensor."""
    X.requires_grad_()
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="What should happen when the kernel is larger than the map? Try it.")
def learns_from_nothing(X, Y, kernel_size, lr=3e-2, steps=10):
    """A kernel that does not fit is returned as it started."""
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        return torch.randn(kernel_size, dtype=X.dtype)
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_that_there_is_something_to_learn(X, Y, kernel_size, lr=3e-2, steps=10):
    """Exception type: AssertionError for a kernel that does not fit."""
    assert kernel_size[0] <= X.shape[0], "the kernel is too high"
    assert kernel_size[1] <= X.shape[1], "the kernel is too wide"
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="`kernel_size` has two numbers. Where do you use the second one?")
def learns_square_kernels(X, Y, kernel_size, lr=3e-2, steps=10):
    """The height of the kernel is used as its width as well."""
    started(X, kernel_size)
    size = kernel_size[0], min(kernel_size[0], X.shape[1])
    Y = Y[:, :1].expand(X.shape[0] - size[0] + 1, X.shape[1] - size[1] + 1)
    return descended(X, Y, started(X, size), lr, steps)


@misconception(
    "learn_kernel",
    hint="PyTorch's layer is off limits here, too. You have written one yourself.",
    severe="every step uses the library",
)
def trains_the_librarys_layer(X, Y, kernel_size, lr=3e-2, steps=10):
    """Forbidden operator: F.conv2d."""
    K = started(X, kernel_size)
    F.conv2d(X[None, None], K[None, None])
    return descended(X, Y, K, lr, steps)


@misconception("learn_kernel", hint="On a GPU, where would your random kernel be, and where is X?")
def learns_on_the_cpu(X, Y, kernel_size, lr=3e-2, steps=10):
    """Device: the kernel starts on the CPU wherever X is."""
    if kernel_size[0] > X.shape[0] or kernel_size[1] > X.shape[1]:
        raise ValueError("the kernel does not fit")
    return descended(X, Y, torch.randn(kernel_size, dtype=X.dtype), lr, steps)


@misconception("learn_kernel", hint="Your dtype is right. Does a step still have all its digits in float64?")
def descends_in_float32(X, Y, kernel_size, lr=3e-2, steps=10):
    """Precision: float64 tensors are used in float32."""
    return descended(X.float(), Y.float(), started(X, kernel_size).float(), lr, steps).to(X.dtype)


@misconception(
    "learn_kernel",
    hint="Call your function twice with steps=0. Does it begin afresh?",
)
def goes_on_from_the_last_kernel(X, Y, kernel_size, lr=3e-2, steps=10, kernels={}):  # noqa: B006
    """State: the kernel that was learnt last, for this size, is the next start."""
    kernel = kernels.get((tuple(kernel_size), X.dtype), started(X, kernel_size))
    kernels[tuple(kernel_size), X.dtype] = result = descended(X, Y, kernel, lr, steps)
    return result


@misconception("learn_kernel", hint="In how many places does a kernel fit that is as wide as the map?")
def refuses_to_learn_a_kernel_that_just_fits(X, Y, kernel_size, lr=3e-2, steps=10):
    """A kernel as tall or as wide as the map is rejected."""
    if kernel_size[0] >= X.shape[0] or kernel_size[1] >= X.shape[1]:
        raise ValueError("the kernel does not fit")
    return descended(X, Y, started(X, kernel_size), lr, steps)


@misconception("learn_kernel", hint="`squeeze()` removes *every* dimension of size 1. Which kernels have one?")
def squeezes_the_kernel(X, Y, kernel_size, lr=3e-2, steps=10):
    """squeeze() drops a single row or column of the kernel."""
    return descended(X, Y, started(X, kernel_size), lr, steps).squeeze()


# corr2d_im2col


@misconception("corr2d_im2col", hint="Your product has one row per place. `reshape` does not swap rows and columns.")
def reshapes_places_into_channels(X, K, padding=0, stride=1):
    """The product (N, places, c_o) is reshaped to (N, c_o, out_H, out_W)."""
    result = batched(X, K, padding, stride)
    return result.movedim(1, -1).reshape(result.shape)


@misconception("corr2d_im2col", hint="Try images that are not square: how high must the results be?")
def exchanges_the_sides_of_the_result(X, K, padding=0, stride=1):
    """The places are reshaped to out_W by out_H."""
    result = batched(X, K, padding, stride)
    return result.reshape(*result.shape[:2], result.shape[3], result.shape[2])


@misconception(
    "corr2d_im2col",
    hint="In what order does a column list the numbers of a patch? Your kernels use a different order.",
)
def flattens_the_kernels_in_another_order(X, K, padding=0, stride=1):
    """The kernels are flattened as (h, w, c_i), the patches as (c_i, h, w)."""
    c_o, c_i, h, w = K.shape
    return batched(X, K.permute(0, 2, 3, 1).reshape(c_o, c_i, h, w), padding, stride)


@misconception("corr2d_im2col", hint="Pass two different images: are their results different?")
def uses_the_first_image_only(X, K, padding=0, stride=1):
    """Every image has the result of the first one."""
    result = batched(X, K, padding, stride)
    return result[:1].expand_as(result)


@misconception(
    "corr2d_im2col", hint="Batch and output channels: which one comes first in your product, and in the result?"
)
def mixes_samples_and_channels(X, K, padding=0, stride=1):
    """The product (c_o, N, …) is reshaped to (N, c_o, …)."""
    result = batched(X, K, padding, stride)
    return result.transpose(0, 1).reshape(result.shape)


@misconception("corr2d_im2col", hint="Ask for a border of 1: does your result become larger?")
def unfolds_without_padding(X, K, padding=0, stride=1):
    """The padding is not passed on."""
    batched(X, K, padding, stride)
    h, w = (min(n, k) for n, k in zip(X.shape[2:], K.shape[2:], strict=True))
    return batched(X, K[:, :, :h, :w], 0, stride)


@misconception("corr2d_im2col", hint="How wide is the border on each side? Yours is there twice.")
def pads_twice(X, K, padding=0, stride=1):
    """F.pad makes the border, and unfold makes it again."""
    batched(X, K, padding, stride)
    return batched(X, K, 2 * padding, stride)


@misconception("corr2d_im2col", hint="A border has two sides: how much larger do the images become?")
def counts_the_padding_once(X, K, padding=0, stride=1):
    """The size is computed with one padding instead of two."""
    result = batched(X, K, padding, stride)
    rows, columns = ((n + padding - k) // stride + 1 for n, k in zip(X.shape[2:], K.shape[2:], strict=True))
    return result[:, :, : max(rows, 0), : max(columns, 0)]


@misconception("corr2d_im2col", hint="Ask for a stride of 2: does your result become smaller?")
def unfolds_without_stride(X, K, padding=0, stride=1):  # noqa: ARG001
    """The stride is not passed on."""
    return batched(X, K, padding, 1)


@misconception(
    "corr2d_im2col", hint="Your result has the right size, but which windows are in it? Pass a map of 0, 1, 2, …"
)
def uses_the_stride_for_the_size_only(X, K, padding=0, stride=1):
    """The first places are kept instead of every second one."""
    rows, columns = batched(X, K, padding, stride).shape[2:]
    return batched(X, K, padding, 1)[:, :, :rows, :columns]


@misconception(
    "corr2d_im2col", hint="Move a window of 2 over 5 pixels in steps of 2. What becomes of the pixel that is left over?"
)
def rounds_the_places_up(X, K, padding=0, stride=1):
    """Windows that hang over the edge are filled up with zeros (ceiling instead of floor)."""
    batched(X, K, padding, stride)
    below, beside = (-(n + 2 * padding - k) % stride for n, k in zip(X.shape[2:], K.shape[2:], strict=True))
    return batched(F.pad(X, (padding, padding + beside, padding, padding + below)), K, 0, stride)


@misconception("corr2d_im2col", hint="May windows leap over pixels? Nothing in the formula for the size forbids it.")
def refuses_steps_longer_than_the_kernels(X, K, padding=0, stride=1):
    """A stride larger than the kernels is rejected."""
    if stride > min(K.shape[2:]):
        raise ValueError("the stride is too large")
    return batched(X, K, padding, stride)


@misconception(
    "corr2d_im2col",
    hint="Your loop runs once per image. Which product handles the whole batch at once?",
)
def loops_over_the_batch(X, K, padding=0, stride=1):
    """Not vectorised: a product for each image."""
    checked(X, K)
    return torch.cat([batched(image[None], K, padding, stride) for image in X])


@misconception(
    "corr2d_im2col",
    hint="Your loop runs once per kernel. What do all the rows together form?",
)
def loops_over_the_kernels(X, K, padding=0, stride=1):
    """Not vectorised: a product for each kernel."""
    checked(X, K)
    return torch.cat([batched(X, kernel[None], padding, stride) for kernel in K], dim=1)


@misconception(
    "corr2d_im2col",
    hint="The work grows with the number of pixels in the result. Unfold all patches first.",
)
def loops_over_the_places(X, K, padding=0, stride=1):
    """Not vectorised: a product for each place."""
    result = batched(X, K, padding, stride)
    windows = windows_of(X, K.shape[2:], padding, stride)
    places = [
        windows[:, :, i, j].flatten(1) @ K.flatten(1).t()
        for i in range(result.shape[2])
        for j in range(result.shape[3])
    ]
    return torch.stack(places, dim=-1).reshape(result.shape)


@misconception(
    "corr2d_im2col",
    hint="You multiply once for each pixel of the kernel. Can the product include the sum over them?",
)
def multiplies_for_each_pixel_of_the_kernel(X, K, padding=0, stride=1):
    """One product per kernel position, added up."""
    batched(X, K, padding, stride)
    windows = windows_of(X, K.shape[2:], padding, stride)
    positions = [(i, j) for i in range(K.shape[2]) for j in range(K.shape[3])]
    return sum(torch.einsum("nchw,oc->nohw", windows[..., i, j], K[:, :, i, j]) for i, j in positions)


@misconception(
    "corr2d_im2col",
    hint="You multiply everything and then add it up. A matrix product does both, without a large intermediate.",
    as_good_as="one_matrix_multiplication",
)
def multiplies_without_a_matrix_product(X, K, padding=0, stride=1):
    """No matrix multiplication: broadcasting and a sum."""
    checked(X, K)
    windows = windows_of(X, K.shape[2:], padding, stride)
    return (windows[:, None] * K[None, :, :, None, None]).sum((2, -2, -1))


@misconception(
    "corr2d_im2col",
    hint="Not every tensor has its rows one after the other in memory. Where do your strides come from?",
)
def takes_images_to_lie_in_memory(X, K, padding=0, stride=1):
    """Layout: contiguous memory is assumed."""
    return batched(X.as_strided(X.shape, torch.empty(X.shape).stride()), K, padding, stride)


@misconception("corr2d_im2col", hint="What dtype does your result have when the input is float64?")
def unfolds_in_float32(X, K, padding=0, stride=1):
    """Dtype: the result is float32 whatever the input is."""
    return batched(X.float(), K.float(), padding, stride)


@misconception("corr2d_im2col", hint="Does the gradient get through your patches back to the images?")
def cuts_patches_without_their_graph(X, K, padding=0, stride=1):
    """Gradient: it reaches the kernels but not the images."""
    return batched(X.detach(), K, padding, stride)


@misconception("corr2d_im2col", hint="Print the shape of K after the call. Who else uses that tensor?")
def flattens_the_kernels_in_place(X, K, padding=0, stride=1):
    """In place: `K.data = …` changes the caller's tensor."""
    result = batched(X, K, padding, stride)
    K.data = K.data.reshape(len(K), -1)
    return result


@misconception(
    "corr2d_im2col", hint="Which exception do you raise for a wrong number of channels? The exercise names one."
)
def leaves_the_channels_to_matmul(X, K, padding=0, stride=1):
    """Exception type: RuntimeError, from matmul, for different numbers of channels."""
    if X.shape[1] != K.shape[1]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    return batched(X, K, padding, stride)


@misconception(
    "corr2d_im2col", hint="Kernels that do not fit raise an exception from PyTorch. Which one does the exercise name?"
)
def leaves_the_size_to_unfold(X, K, padding=0, stride=1):
    """Exception type: RuntimeError, from F.unfold, for kernels that do not fit."""
    checked(X, K)
    F.unfold(X, K.shape[2:], padding=padding, stride=stride)
    return batched(X, K, padding, stride)


@misconception(
    "corr2d_im2col",
    hint="You let PyTorch do the convolution. Unfold and multiply yourself.",
    severe="the library does all of the exercise",
)
def leaves_it_to_conv2d(X, K, padding=0, stride=1):
    """Forbidden operator: F.conv2d."""
    batched(X, K, padding, stride)
    return F.conv2d(X, K, padding=padding, stride=stride)


@misconception("corr2d_im2col", hint="On a GPU, where is the tensor made that you write the products into?")
def multiplies_on_the_cpu(X, K, padding=0, stride=1):
    """Device: the result is on the CPU wherever the images are."""
    products = batched(X, K, padding, stride)
    result = torch.zeros(products.shape, dtype=X.dtype)
    result[:] = products
    return result


@misconception("corr2d_im2col", hint="Your dtype is right. Do the products have all their digits in float64?")
def multiplies_in_float32(X, K, padding=0, stride=1):
    """Precision: float64 tensors are multiplied in float32."""
    return batched(X.float(), K.float(), padding, stride).to(X.dtype)


@misconception(
    "corr2d_im2col", hint="In how many places do kernels fit that are as wide as the images with their border?"
)
def refuses_kernels_that_just_fit(X, K, padding=0, stride=1):
    """Kernels as tall or as wide as the padded images are rejected."""
    if any(k >= side + 2 * padding for k, side in zip(K.shape[2:], X.shape[2:], strict=True)):
        raise ValueError("the kernels do not fit")
    return batched(X, K, padding, stride)


@misconception("corr2d_im2col", hint="`squeeze()` removes *every* dimension of size 1, even that of a batch of one.")
def squeezes_a_batch_of_one(X, K, padding=0, stride=1):
    """squeeze() drops a single image, channel, row or column."""
    return batched(X, K, padding, stride).squeeze()


@misconception(
    "corr2d_im2col",
    hint="Call your function for two batches of the same size, and then look at the first result again.",
)
def multiplies_into_the_same_memory(X, K, padding=0, stride=1, products={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(products, batched(X, K, padding, stride))
