"""Known wrong answers to the exercises of `pooling`, each with a hint for the student who gave it.

The list is long because there are many mistakes to make. If a mistake shows up in only one way, its docstring begins
with that way: gradient, dtype, layout, in place, exception type, not vectorised, forbidden operator, statistics.
"""

import math
import random

import torch
import torch.nn.functional as F
from pooling import (
    DepthPool,
    GlobalAveragePooling,
    LPPooling,
    MixedPooling,
    StochasticPooling,
)
from torch import nn

from autograder.grading import misconception


def windows_of(x, kernel, stride=1):
    """Right, and fast: (..., H, W) -> (..., out_H, out_W, pixels). `kernel` is a side or a pair of sides."""
    k_h, k_w = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    free_h, free_w = x.shape[-2] - k_h, x.shape[-1] - k_w
    if free_h < 0 or free_w < 0:
        raise ValueError("the window does not fit")
    places = [(i, j) for i in range(k_h) for j in range(k_w)]
    slices = [x[..., i : i + free_h + 1 : stride, j : j + free_w + 1 : stride] for i, j in places]
    return torch.stack(slices).movedim(0, -1)


def padded_with(x, padding, value):
    """Right: naive_padding, under a name that no variant uses."""
    if padding < 0:
        raise ValueError("padding must not be negative")
    height, width = x.shape
    padded = x.new_full((height + 2 * padding, width + 2 * padding), value)
    padded[padding : padding + height, padding : padding + width] = x
    return padded


def bordered(x, padding, avg):
    """Right: the border that naive_pooling needs."""
    return padded_with(x, padding, 0.0 if avg else -math.inf)


def reduced(windows, avg):
    """Right: the maximum or the mean of every window."""
    return windows.mean(-1) if avg else windows.amax(-1)


def rewritten(kept, result):
    """`result`, in the memory of the last one of the same shape and dtype, which it overwrites (unless in a graph)."""
    key = (result.shape, result.dtype)
    if result.requires_grad or key not in kept:
        kept[key] = result.detach()
        return result
    return kept[key].copy_(result)


# naive_padding


@misconception("naive_padding", hint="Your border is always 0. The caller may ask for another number.")
def ignores_the_value(feature_map, padding, value=0.0):  # noqa: ARG001
    """The border is 0 whatever `value` says."""
    return padded_with(feature_map, padding, 0.0)


@misconception(
    "naive_padding", hint="How many sides does a map have? Count how many rows your result gains, and compare."
)
def pads_only_above_and_left(feature_map, padding, value=0.0):
    """The border is on two sides only, so the result is H + p by W + p."""
    return padded_with(feature_map, padding, value)[: feature_map.shape[0] + padding, : feature_map.shape[1] + padding]


@misconception("naive_padding", hint="Try a border of width 0 and print what the slice `[p:-p]` contains when p is 0.")
def slices_with_a_negative_end(feature_map, padding, value=0.0):
    """`[p:-p]` is empty for p = 0."""
    if padding < 0:
        raise ValueError("padding must not be negative")
    padded = feature_map.new_full([size + 2 * padding for size in feature_map.shape], value)
    padded[padding:-padding, padding:-padding] = feature_map
    return padded


@misconception("naive_padding", hint="Look at the four corners of your result when the border is not 0.")
def leaves_the_corners_zero(feature_map, padding, value=0.0):
    """The four strips of the border are filled only beside the map; the corners stay 0."""
    padded = padded_with(feature_map, padding, value)
    for rows in (slice(0, padding), slice(padding + feature_map.shape[0], None)):
        for columns in (slice(0, padding), slice(padding + feature_map.shape[1], None)):
            padded[rows, columns] = 0
    return padded


@misconception("naive_padding", hint="Try a map that is not square: where do you use its height, and where its width?")
def takes_every_map_for_square(feature_map, padding, value=0.0):
    """The number of rows is used as the number of columns as well."""
    if padding < 0:
        raise ValueError("padding must not be negative")
    size = feature_map.shape[0]
    padded = feature_map.new_full((size + 2 * padding, size + 2 * padding), value)
    padded[padding : padding + size, padding : padding + size] = feature_map
    return padded


@misconception(
    "naive_padding",
    hint="What dtype does `torch.full` or `torch.zeros` return? Print it, and the dtype of the input.",
)
def makes_a_float32_border(feature_map, padding, value=0.0):
    """Dtype: the result is float32 whatever the input is."""
    return padded_with(feature_map.to(torch.float32), padding, value)


@misconception(
    "naive_padding",
    hint="Your result forgot where its numbers come from: `item()`, `detach()`, `.data` and "
    "`torch.tensor(...)` all cut the graph.",
)
def copies_numbers_without_their_graph(feature_map, padding, value=0.0):
    """Gradient: the map is copied number by number, so no gradient flows."""
    return padded_with(feature_map.detach(), padding, value)


@misconception("naive_padding", hint="What would a border of width -1 look like? A good function says what is wrong.")
def returns_the_map_for_negative_padding(feature_map, padding, value=0.0):
    """A negative padding is treated as no padding."""
    return feature_map.clone() if padding <= 0 else padded_with(feature_map, padding, value)


@misconception("naive_padding", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_padding(feature_map, padding, value=0.0):
    """Exception type: AssertionError for a negative padding."""
    assert padding >= 0, "padding must not be negative"
    return padded_with(feature_map, padding, value)


@misconception("naive_padding", hint="You raise the right exception, but it tells the caller nothing.")
def refuses_without_a_message(feature_map, padding, value=0.0):
    """Exception message: the ValueError for a negative padding is empty."""
    if padding < 0:
        raise ValueError
    return padded_with(feature_map, padding, value)


@misconception(
    "naive_padding",
    hint="This exercise is about building the border yourself; PyTorch's padding is off limits here.",
    severe="the library does all of the exercise",
)
def lets_the_library_pad(feature_map, padding, value=0.0):
    """Forbidden operator: F.pad."""
    if padding < 0:
        raise ValueError("padding must not be negative")
    return F.pad(feature_map, (padding, padding, padding, padding), value=value)


@misconception("naive_padding", hint="On a GPU, where would your border be made, and where is the map?")
def makes_its_border_on_the_cpu(feature_map, padding, value=0.0):
    """Device: the result is on the CPU wherever the map is."""
    right = padded_with(feature_map, padding, value)
    result = torch.full(right.shape, value, dtype=right.dtype)
    result[:] = right
    return result


@misconception("naive_padding", hint="Your dtype is right. Do the numbers still have all their digits in float64?")
def rounds_the_map_to_float32(feature_map, padding, value=0.0):
    """Precision: a float64 map goes through float32."""
    return padded_with(feature_map.to(torch.float32), padding, value).to(feature_map.dtype)


@misconception("naive_padding", hint="Is a border of width 0 a mistake of the caller's?")
def refuses_to_add_no_border(feature_map, padding, value=0.0):
    """A padding of 0 is rejected."""
    if padding <= 0:
        raise ValueError("padding must be positive")
    return padded_with(feature_map, padding, value)


@misconception(
    "naive_padding", hint="Call your function for two maps of the same size, and then look at the first result again."
)
def reuses_its_canvas(feature_map, padding, value=0.0, canvases={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(canvases, padded_with(feature_map, padding, value))


@misconception(
    "naive_padding",
    hint="A negative padding fails somewhere inside PyTorch. Who should notice it first, and what should it be told?",
)
def lets_a_negative_size_fail(feature_map, padding, value=0.0):
    """Exception type: the padding is not checked, so PyTorch raises a RuntimeError."""
    height, width = feature_map.shape
    padded = feature_map.new_full((height + 2 * padding, width + 2 * padding), value)
    padded[padding : padding + height, padding : padding + width].copy_(feature_map)
    return padded


# naive_pooling


@misconception(
    "naive_pooling",
    hint="Your windows look as if the border were filled with 0. Which number can never win a maximum?",
)
def pads_with_zero(feature_map, kernel_size, strides, padding, avg=False):
    """Max pooling sees a border of 0, which wins over negative pixels."""
    return reduced(windows_of(padded_with(feature_map, padding, 0.0), kernel_size, strides), avg)


@misconception(
    "naive_pooling",
    hint="The border that suits a maximum does not suit a mean. What should it add to a mean?",
)
def averages_over_minus_infinity(feature_map, kernel_size, strides, padding, avg=False):
    """Average pooling uses the border of max pooling."""
    return reduced(windows_of(padded_with(feature_map, padding, -math.inf), kernel_size, strides), avg)


@misconception(
    "naive_pooling",
    hint="Average a map of ones with a border: what does `nn.AvgPool2d` give at the corner, and by how many "
    "pixels does it divide there?",
)
def leaves_the_border_out_of_the_mean(feature_map, kernel_size, strides, padding, avg=False):
    """The mean divides by the number of pixels inside the map (count_include_pad=False)."""
    windows = windows_of(bordered(feature_map, padding, avg), kernel_size, strides)
    if not avg:
        return windows.amax(-1)
    inside = windows_of(bordered(torch.ones_like(feature_map), padding, avg), kernel_size, strides)
    return windows.sum(-1) / inside.sum(-1)


@misconception("naive_pooling", hint="Try a stride that differs from the kernel size. Which of them moves your window?")
def moves_by_the_kernel_size(feature_map, kernel_size, strides, padding, avg=False):  # noqa: ARG001
    """The stride is ignored, the kernel size is used twice."""
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, kernel_size), avg)


@misconception("naive_pooling", hint="Which number is the side of the window, and which one is its step?")
def exchanges_window_and_step(feature_map, kernel_size, strides, padding, avg=False):
    """Kernel size and stride are swapped."""
    return reduced(windows_of(bordered(feature_map, padding, avg), strides, kernel_size), avg)


def pooled_over_the_edge(feature_map, kernel_size, strides, padding, avg, rounded):
    """Wrong: `rounded` makes the number of steps whole, and windows that hang over the edge use what they reach."""
    padded = bordered(feature_map, padding, avg)
    if kernel_size > min(padded.shape):
        raise ValueError("the window does not fit")
    rows, columns = (range(rounded((size - kernel_size) / strides) + 1) for size in padded.shape)
    windows = [
        padded[i * strides : i * strides + kernel_size, j * strides : j * strides + kernel_size]
        for i in rows
        for j in columns
    ]
    pooled = torch.stack([window.mean() if avg else window.max() for window in windows])
    return pooled.reshape(len(rows), len(columns))


@misconception(
    "naive_pooling",
    hint="Your result has a row or a column too many when the steps do not come out even. What happens "
    "to a window that hangs over the edge?",
)
def rounds_the_size_up(feature_map, kernel_size, strides, padding, avg=False):
    """The ceiling instead of the floor."""
    return pooled_over_the_edge(feature_map, kernel_size, strides, padding, avg, math.ceil)


@misconception("naive_pooling", hint="What are `round(0.5)` and `round(1.5)`? A partial step is not taken.")
def rounds_the_size_to_the_nearest(feature_map, kernel_size, strides, padding, avg=False):
    """round() instead of the floor."""
    return pooled_over_the_edge(feature_map, kernel_size, strides, padding, avg, round)


@misconception(
    "naive_pooling",
    hint="`a - b // c` and `(a - b) // c` differ. Compute the size of your result by hand once.",
)
def divides_before_it_subtracts(feature_map, kernel_size, strides, padding, avg=False):
    """The size is H - k // s + 1, and what no window reaches stays 0."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    sizes = [max(size + 2 * padding - kernel_size // strides + 1, 0) for size in feature_map.shape]
    result = feature_map.new_zeros(sizes)
    result[: pooled.shape[0], : pooled.shape[1]] = pooled[: sizes[0], : sizes[1]]
    return result


@misconception("naive_pooling", hint="How many windows fit? Your result is as large as the map, and the rest is 0.")
def keeps_the_size_of_the_map(feature_map, kernel_size, strides, padding, avg=False):
    """The result is made with zeros_like(feature_map) and only partly filled."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    pooled = pooled[: feature_map.shape[0], : feature_map.shape[1]]
    result = torch.zeros_like(feature_map)
    result[: pooled.shape[0], : pooled.shape[1]] = pooled
    return result


@misconception(
    "naive_pooling", hint="With a border, more windows fit. Does the size you compute with include the border?"
)
def forgets_the_padding_in_the_size(feature_map, kernel_size, strides, padding, avg=False):
    """The number of windows is computed from the map without its border."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    rows, columns = (max((size - kernel_size) // strides + 1, 0) for size in feature_map.shape)
    return pooled[:rows, :columns]


@misconception("naive_pooling", hint="Try a map that is not square. Does i count rows or columns in your loops?")
def exchanges_rows_and_columns(feature_map, kernel_size, strides, padding, avg=False):
    """The result is transposed: out_W by out_H."""
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg).t().contiguous()


@misconception(
    "naive_pooling", hint="What do you compare with first to find the maximum? Try a map of negative numbers."
)
def starts_the_maximum_at_zero(feature_map, kernel_size, strides, padding, avg=False):
    """The running maximum starts at 0, so no result is negative, even without a border."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    return pooled if avg else pooled.clamp(min=0)


@misconception("naive_pooling", hint="Set `avg=True`: does anything change?")
def ignores_avg(feature_map, kernel_size, strides, padding, avg=False):  # noqa: ARG001
    """It is always max pooling."""
    return reduced(windows_of(bordered(feature_map, padding, False), kernel_size, strides), False)


@misconception("naive_pooling", hint="How many pixels does a square window with side k have?")
def divides_by_the_side(feature_map, kernel_size, strides, padding, avg=False):
    """The mean is the sum divided by k."""
    windows = windows_of(bordered(feature_map, padding, avg), kernel_size, strides)
    return windows.sum(-1) / kernel_size if avg else windows.amax(-1)


@misconception(
    "naive_pooling",
    hint="What is the dtype of the tensor that collects your results? Try a float64 input.",
)
def collects_in_float32(feature_map, kernel_size, strides, padding, avg=False):
    """Dtype: the result is float32 whatever the input is."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    return torch.zeros(pooled.shape, device=pooled.device).copy_(pooled)


@misconception(
    "naive_pooling",
    hint="`item()` returns a plain Python number, which knows nothing about the pixel that it came from.",
)
def reads_numbers_with_item(feature_map, kernel_size, strides, padding, avg=False):
    """Gradient: the result is made of Python numbers, so no gradient flows."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    return torch.tensor(pooled.tolist(), dtype=feature_map.dtype, device=feature_map.device)


@misconception("naive_pooling", hint="Look at your argument after the call. `-=` changes the caller's own tensor.")
def shifts_the_map_in_place(feature_map, kernel_size, strides, padding, avg=False):
    """In place: the map is made non-negative by `-=`, so that a border of 0 does no harm."""
    if avg:
        return windows_of(padded_with(feature_map, padding, 0.0), kernel_size, strides).mean(-1)
    smallest = feature_map.min().detach().clone()
    feature_map -= smallest
    return windows_of(padded_with(feature_map, padding, 0.0), kernel_size, strides).amax(-1) + smallest


@misconception(
    "naive_pooling",
    hint="What does your function do with a window larger than the map? The exercise names the exception.",
)
def crashes_when_nothing_fits(feature_map, kernel_size, strides, padding, avg=False):
    """Exception type: a negative result size raises RuntimeError, a size of 0 gives an empty map."""
    padded = bordered(feature_map, padding, avg)
    result = padded.new_zeros([(size - kernel_size) // strides + 1 for size in padded.shape])
    return result + reduced(windows_of(padded, kernel_size, strides), avg) if result.numel() else result


@misconception(
    "naive_pooling",
    hint="You let PyTorch do the pooling. This exercise is about writing the two loops yourself.",
    severe="the library does all of the exercise",
)
def lets_the_library_pool(feature_map, kernel_size, strides, padding, avg=False):
    """Forbidden operator: F.max_pool2d and F.avg_pool2d."""
    padded = bordered(feature_map, padding, avg)
    if kernel_size > min(padded.shape):
        raise ValueError("the window does not fit")
    pool = F.avg_pool2d if avg else F.max_pool2d
    return pool(padded.unsqueeze(0), kernel_size, strides).squeeze(0)


@misconception("naive_pooling", hint="On a GPU, where is the tensor made that collects your results?")
def collects_on_the_cpu(feature_map, kernel_size, strides, padding, avg=False):
    """Device: the result is on the CPU wherever the map is."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    result = torch.zeros(pooled.shape, dtype=pooled.dtype)
    result[:] = pooled
    return result


@misconception("naive_pooling", hint="Your dtype is right. Do the numbers still have all their digits in float64?")
def pools_in_float32(feature_map, kernel_size, strides, padding, avg=False):
    """Precision: a float64 map is pooled in float32."""
    padded = bordered(feature_map.to(torch.float32), padding, avg)
    return reduced(windows_of(padded, kernel_size, strides), avg).to(feature_map.dtype)


@misconception("naive_pooling", hint="Does a window that is exactly as large as the padded map fit?")
def refuses_a_window_that_just_fits(feature_map, kernel_size, strides, padding, avg=False):
    """A window as large as the padded map is rejected."""
    padded = bordered(feature_map, padding, avg)
    if kernel_size >= min(padded.shape):
        raise ValueError("the window does not fit")
    return reduced(windows_of(padded, kernel_size, strides), avg)


@misconception("naive_pooling", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_a_single_row(feature_map, kernel_size, strides, padding, avg=False):
    """squeeze() drops a single row or column of the result."""
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg).squeeze()


@misconception(
    "naive_pooling", hint="Call your function for two maps of the same size, and then look at the first result again."
)
def returns_the_same_map_again(feature_map, kernel_size, strides, padding, avg=False, maps={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    return rewritten(maps, pooled)


@misconception(
    "naive_pooling",
    hint="Your border wins over very small numbers. Is there a number that no other number is smaller than?",
)
def pads_with_a_finite_number(feature_map, kernel_size, strides, padding, avg=False):
    """Max pooling sees a border of -1e9."""
    return reduced(windows_of(padded_with(feature_map, padding, 0.0 if avg else -1e9), kernel_size, strides), avg)


@misconception(
    "naive_pooling",
    hint="What do you compare with first to find the maximum? There are maps whose numbers are all smaller than that.",
)
def starts_the_maximum_at_minus_100(feature_map, kernel_size, strides, padding, avg=False):
    """The running maximum starts at -100, so no result is smaller, even without a border."""
    pooled = reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)
    return pooled if avg else pooled.clamp(min=-100)


@misconception(
    "naive_pooling",
    hint="`range(0, n - k, step)` leaves its end out. Does your last window reach the edge of the map?",
    severe="one row and one column are missing from nearly every result",
)
def loses_the_last_window(feature_map, kernel_size, strides, padding, avg=False):
    """The loops end at H - k, so a window that ends at the edge is missed."""
    padded = bordered(feature_map, padding, avg)
    pooled = reduced(windows_of(padded, kernel_size, strides), avg)
    rows, columns = (len(range(0, size - kernel_size, strides)) for size in padded.shape)
    return pooled[:rows, :columns]


@misconception("naive_pooling", hint="Pool a map with and without padding: is there a difference?")
def ignores_the_padding(feature_map, kernel_size, strides, padding, avg=False):  # noqa: ARG001
    """There is never a border."""
    return reduced(windows_of(feature_map, kernel_size, strides), avg)


@misconception(
    "naive_pooling",
    hint="Is half of the kernel size too much padding? Find the window with the fewest pixels of the map.",
)
def refuses_half_a_window_of_padding(feature_map, kernel_size, strides, padding, avg=False):
    """A padding of exactly half the kernel size is rejected."""
    if padding and 2 * padding >= kernel_size:
        raise ValueError("the padding is too large")
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)


@misconception("naive_pooling", hint="May a window skip pixels? Nothing forbids a step that is larger than the window.")
def refuses_a_step_larger_than_the_window(feature_map, kernel_size, strides, padding, avg=False):
    """A stride larger than the kernel size is rejected."""
    if strides > kernel_size:
        raise ValueError("the stride is too large")
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)


@misconception("naive_pooling", hint="Does a gradient arrive with `avg=True` as well? Look at the branch for the mean.")
def averages_without_history(feature_map, kernel_size, strides, padding, avg=False):
    """Gradient: it flows through the maximum, but not through the mean."""
    feature_map = feature_map.detach() if avg else feature_map
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)


@misconception("naive_pooling", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_that_the_window_fits(feature_map, kernel_size, strides, padding, avg=False):
    """Exception type: AssertionError when the window does not fit."""
    padded = bordered(feature_map, padding, avg)
    assert kernel_size <= min(padded.shape), "the window does not fit"
    return reduced(windows_of(padded, kernel_size, strides), avg)


@misconception(
    "naive_pooling",
    hint="You compare the window with the map. With which size must it be compared if there is a border?",
)
def compares_the_window_with_the_bare_map(feature_map, kernel_size, strides, padding, avg=False):
    """A window that fits only thanks to the border is rejected."""
    if kernel_size > min(feature_map.shape):
        raise ValueError("the window does not fit")
    return reduced(windows_of(bordered(feature_map, padding, avg), kernel_size, strides), avg)


# pool2d


def pooled_by_mode(X, pool_size, mode, stride=1):
    """Right: pool2d, except that its stride can be chosen."""
    if mode not in ("max", "avg"):
        raise ValueError("mode must be max or avg")
    return reduced(windows_of(X, tuple(pool_size), stride), mode == "avg")


@misconception("pool2d", hint="Ask for the average of a small map: do you get a mean or a maximum?")
def ignores_the_mode(X, pool_size, mode="max"):
    """It is always max pooling."""
    pooled_by_mode(X, pool_size, mode)
    return pooled_by_mode(X, pool_size, "max")


@misconception("pool2d", hint="How many pixels does the window move at a time in this exercise?")
def moves_by_the_window(X, pool_size, mode="max"):
    """The stride is the size of the window instead of 1."""
    return pooled_by_mode(X, pool_size, mode)[:: pool_size[0], :: pool_size[1]]


@misconception("pool2d", hint="Which comes first in `pool_size`, the height or the width? Try a window of (1, 3).")
def exchanges_height_and_width(X, pool_size, mode="max"):
    """The pair is read as (width, height)."""
    return pooled_by_mode(X, (pool_size[1], pool_size[0]), mode)


@misconception("pool2d", hint="Try a window that is taller than it is wide. Where do you use its second number?")
def takes_every_window_for_square(X, pool_size, mode="max"):
    """The height of the window is used as its width as well."""
    return pooled_by_mode(X, (pool_size[0], pool_size[0]), mode)


@misconception("pool2d", hint="In how many places does a window of 2 pixels fit into a map of 3?")
def loses_the_last_row_and_column(X, pool_size, mode="max"):
    """The size is H - p_h by W - p_w, one too small."""
    return pooled_by_mode(X, pool_size, mode)[:-1, :-1]


@misconception("pool2d", hint="What does your function return when the mode is misspelt?")
def returns_zeros_for_an_unknown_mode(X, pool_size, mode="max"):
    """An unknown mode falls through both branches and leaves a tensor of zeros."""
    pooled = pooled_by_mode(X, pool_size, "max")
    return pooled_by_mode(X, pool_size, mode) if mode in ("max", "avg") else torch.zeros_like(pooled)


@misconception("pool2d", hint="A misspelt mode raises an exception, but not the one that the exercise names.")
def looks_the_mode_up(X, pool_size, mode="max"):
    """Exception type: KeyError for an unknown mode."""
    return pooled_by_mode(X, pool_size, {"max": "max", "avg": "avg"}[mode])


@misconception("pool2d", hint="Python's `max` compares the rows of a tensor with each other. What compares all pixels?")
def uses_pythons_max(X, pool_size, mode="max"):
    """Python's `max` goes over the rows of a window and cannot compare them."""
    pooled = pooled_by_mode(X, pool_size, mode)
    if mode == "max":
        for window in windows_of(X, tuple(pool_size)).flatten(0, 1):
            max(window.reshape(tuple(pool_size)))
    return pooled


@misconception("pool2d", hint="What dtype does `torch.zeros` choose by default? Try float64.")
def fills_a_float32_tensor(X, pool_size, mode="max"):
    """Dtype: the result is float32 whatever the input is."""
    pooled = pooled_by_mode(X, pool_size, mode)
    return torch.zeros(pooled.shape, device=X.device).copy_(pooled)


@misconception(
    "pool2d",
    hint="`.data`, `item()` and `detach()` give numbers without a history. Does your result have a `grad_fn`?",
)
def loses_the_graph(X, pool_size, mode="max"):
    """Gradient: no gradient flows."""
    return pooled_by_mode(X.detach(), pool_size, mode)


@misconception("pool2d", hint="What should happen when the window is larger than the map? Surely not an empty map.")
def returns_an_empty_map(X, pool_size, mode="max"):
    """A window that does not fit gives a result without pixels."""
    sizes = [max(size - p + 1, 0) for size, p in zip(X.shape, pool_size, strict=True)]
    if 0 not in sizes or mode not in ("max", "avg"):
        return pooled_by_mode(X, pool_size, mode)
    return X.new_zeros(sizes)


@misconception("pool2d", hint="Call your function with `x.t()`. Its rows are not next to each other in memory.")
def takes_rows_to_lie_in_memory(X, pool_size, mode="max"):
    """Layout: strides (W, 1) are assumed, so a transposed or sliced map gives wrong numbers."""
    return pooled_by_mode(X.as_strided(X.shape, (X.shape[1], 1)), pool_size, mode)


@misconception(
    "pool2d",
    hint="You let PyTorch do the pooling. In this exercise you move the window yourself.",
    severe="the library does all of the exercise",
)
def pools_with_the_library(X, pool_size, mode="max"):
    """Forbidden operator: F.max_pool2d and F.avg_pool2d."""
    if mode not in ("max", "avg"):
        raise ValueError("mode must be max or avg")
    if any(p > size for p, size in zip(pool_size, X.shape, strict=True)):
        raise ValueError("the window does not fit")
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    return pool(X.unsqueeze(0), tuple(pool_size), 1).squeeze(0)


@misconception("pool2d", hint="On a GPU, where is the tensor made that you fill?")
def fills_a_tensor_on_the_cpu(X, pool_size, mode="max"):
    """Device: the result is on the CPU wherever the map is."""
    pooled = pooled_by_mode(X, pool_size, mode)
    result = torch.zeros(pooled.shape, dtype=X.dtype)
    result[:] = pooled
    return result


@misconception("pool2d", hint="Your dtype is right. Do the numbers still have all their digits in float64?")
def fills_it_by_way_of_float32(X, pool_size, mode="max"):
    """Precision: a float64 map is pooled in float32."""
    return pooled_by_mode(X.float(), pool_size, mode).to(X.dtype)


@misconception("pool2d", hint="In how many places does a window fit that is as wide as the map?")
def refuses_a_window_as_wide_as_the_map(X, pool_size, mode="max"):
    """A window as tall or as wide as the map is rejected."""
    if pool_size[0] >= X.shape[0] or pool_size[1] >= X.shape[1]:
        raise ValueError("the window does not fit")
    return pooled_by_mode(X, pool_size, mode)


@misconception("pool2d", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
def squeezes_the_map(X, pool_size, mode="max"):
    """squeeze() drops a single row or column of the result."""
    return pooled_by_mode(X, pool_size, mode).squeeze()


@misconception(
    "pool2d", hint="Call your function for two maps of the same size, and then look at the first result again."
)
def fills_the_same_map_again(X, pool_size, mode="max", maps={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(maps, pooled_by_mode(X, pool_size, mode))


@misconception("pool2d", hint="What does your maximum start from? Try a map whose numbers are all negative.")
def never_goes_below_zero(X, pool_size, mode="max"):
    """The running maximum starts at 0."""
    pooled = pooled_by_mode(X, pool_size, mode)
    return pooled.clamp(min=0) if mode == "max" else pooled


@misconception(
    "pool2d",
    hint="Your maximum starts from a number that you took to be smaller than all others. Is it, for every map?",
)
def never_goes_below_a_million(X, pool_size, mode="max"):
    """The running maximum starts at -1e6."""
    pooled = pooled_by_mode(X, pool_size, mode)
    return pooled.clamp(min=-1e6) if mode == "max" else pooled


@misconception("pool2d", hint="Does a gradient arrive in both modes? Look at the branch for the mean.")
def averages_without_graph(X, pool_size, mode="max"):
    """Gradient: it flows through the maximum, but not through the mean."""
    return pooled_by_mode(X.detach() if mode == "avg" else X, pool_size, mode)


@misconception("pool2d", hint="You check one side of the window. It has two.")
def checks_only_the_height(X, pool_size, mode="max"):
    """A window that is too wide gives a result without columns."""
    if mode in ("max", "avg") and pool_size[0] <= X.shape[0] and pool_size[1] > X.shape[1]:
        return X.new_zeros(X.shape[0] - pool_size[0] + 1, 0)
    return pooled_by_mode(X, pool_size, mode)


@misconception("pool2d", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_size_of_the_window(X, pool_size, mode="max"):
    """Exception type: AssertionError when the window does not fit."""
    if mode in ("max", "avg"):
        assert pool_size[0] <= X.shape[0], "the window is too high"
        assert pool_size[1] <= X.shape[1], "the window is too wide"
    return pooled_by_mode(X, pool_size, mode)


# max_pool_2d


@misconception(
    "max_pool_2d", hint="`squeeze()` removes *every* dimension of size 1. Which maps have one that must stay?"
)
def squeezes_the_maximum(x, kernel_size=2, stride=2):
    """squeeze() drops a single channel, row or column."""
    return windows_of(x, kernel_size, stride).amax(-1).squeeze()


@misconception(
    "max_pool_2d", hint="You get one map and return a stack of one. How many dimensions does your input have?"
)
def returns_a_stack_for_one_map(x, kernel_size=2, stride=2):
    """A map (H, W) comes back as (1, out_H, out_W)."""
    pooled = windows_of(x, kernel_size, stride).amax(-1)
    return pooled.unsqueeze(0) if x.dim() == 2 else pooled


@misconception("max_pool_2d", hint="Your function takes stacks of maps. What does it do with one map, (H, W)?")
def needs_a_channel(x, kernel_size=2, stride=2):
    """A map (H, W) without a channel is rejected."""
    _channels, height, width = x.shape
    return windows_of(x, kernel_size, stride).amax(-1) if height and width else x


@misconception("max_pool_2d", hint="Each channel is a map of its own. How many channels does your result have?")
def takes_the_maximum_over_channels(x, kernel_size=2, stride=2):
    """The window spans all channels, so every channel shows the same maximum."""
    pooled = windows_of(x, kernel_size, stride).amax(-1)
    return pooled if x.dim() == 2 else pooled.amax(0, keepdim=True).expand_as(pooled)


@misconception("max_pool_2d", hint="What does your result look like when all numbers in the map are negative?")
def starts_with_zeros(x, kernel_size=2, stride=2):
    """The maximum is taken together with a tensor of zeros."""
    return windows_of(x, kernel_size, stride).amax(-1).clamp(min=0)


@misconception("max_pool_2d", hint="Try a kernel of 3 with a stride of 1. Which one is the step of your slices?")
def steps_by_the_kernel(x, kernel_size=2, stride=2):  # noqa: ARG001
    """The stride is ignored, as in the trick that reshapes a map into blocks."""
    return windows_of(x, kernel_size, kernel_size).amax(-1)


@misconception(
    "max_pool_2d",
    hint="Pool 5 pixels with a window of 2 and a step of 2. What becomes of the pixel that is left over?",
)
def keeps_cut_off_windows(x, kernel_size=2, stride=2):
    """The size is rounded up: left-over pixels make a window of their own."""
    windows_of(x, kernel_size, stride)
    right, below = (-(size - kernel_size) % stride for size in (x.shape[-1], x.shape[-2]))
    return windows_of(F.pad(x, (0, right, 0, below), value=-math.inf), kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="Where do your slices end? The end of a slice is not part of it.")
def ends_the_slices_too_early(x, kernel_size=2, stride=2):
    """The slices end at H - k + i, so a window that touches the edge is missed."""
    windows_of(x, kernel_size, stride)
    return (
        windows_of(x[..., :-1, :-1], kernel_size, stride).amax(-1)
        if min(x.shape[-2:]) > kernel_size
        else x[..., :0, :0]
    )


@misconception(
    "max_pool_2d",
    hint="The run time grows with the number of pixels. Loop over the places in the *window* instead.",
    as_good_as="vectorised",
)
def loops_over_pixels(x, kernel_size=2, stride=2):
    """Not vectorised: two Python loops over the result."""
    rows, columns = windows_of(x, kernel_size, stride).shape[-3:-1]
    tops, lefts = (range(0, n * stride, stride) for n in (rows, columns))
    pixels = [x[..., i : i + kernel_size, j : j + kernel_size].amax((-2, -1)) for i in tops for j in lefts]
    return torch.stack(pixels, dim=-1).reshape(*x.shape[:-2], rows, columns)


@misconception(
    "max_pool_2d",
    hint="Your loop runs once per channel. What does `...` do in an index?",
    as_good_as="vectorised",
)
def loops_over_channels(x, kernel_size=2, stride=2):
    """Not vectorised in C: one map after the other."""
    if x.dim() == 2:
        return windows_of(x, kernel_size, stride).amax(-1)
    return torch.stack([windows_of(channel, kernel_size, stride).amax(-1) for channel in x])


@misconception(
    "max_pool_2d",
    hint="Try `x.transpose(-1, -2)`: `view` only works when the numbers are in order in memory. "
    "What else changes a shape?",
)
def views_the_map_as_blocks(x, kernel_size=2, stride=2):
    """Layout: `view` rejects a map with unusual strides."""
    x.view(-1)
    return windows_of(x, kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="What dtype does your result have when the input is float64?")
def computes_in_float32(x, kernel_size=2, stride=2):
    """Dtype: the result is float32 whatever the input is."""
    return windows_of(x.float(), kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="A slice shares its memory with x. What happens to x when you write into the slice?")
def writes_the_maximum_into_a_slice(x, kernel_size=2, stride=2):
    """In place: the running maximum is a slice of the input (where windows overlap, values are wrong too)."""
    rows, columns = windows_of(x, kernel_size, stride).shape[-3:-1]
    largest = x[..., : rows * stride : stride, : columns * stride : stride]
    for i in range(kernel_size):
        for j in range(kernel_size):
            place = x[..., i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
            largest.copy_(torch.maximum(largest, place))
    return largest


@misconception("max_pool_2d", hint="Print the `grad_fn` of your result. Where did it get lost?")
def works_without_gradient(x, kernel_size=2, stride=2):
    """Gradient: computed under no_grad."""
    with torch.no_grad():
        return windows_of(x, kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="What does your function do with a window that is larger than the map?")
def gives_nothing_when_nothing_fits(x, kernel_size=2, stride=2):
    """A window that does not fit gives a result without pixels."""
    rows, columns = (max((size - kernel_size) // stride + 1, 0) for size in x.shape[-2:])
    if rows and columns:
        return windows_of(x, kernel_size, stride).amax(-1)
    return x.new_zeros(*x.shape[:-2], rows, columns)


@misconception(
    "max_pool_2d",
    hint="You let PyTorch do the pooling. Here the slices should do it.",
    severe="the library does all of the exercise",
)
def calls_max_pool2d(x, kernel_size=2, stride=2):
    """Forbidden operator: F.max_pool2d."""
    windows_of(x, kernel_size, stride)
    maps = x.reshape(-1, *x.shape[-2:])
    pooled = F.max_pool2d(maps, kernel_size, stride)
    return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])


@misconception("max_pool_2d", hint="Your maximum starts from a tensor of your own. On a GPU, where would it be?")
def starts_the_maximum_on_the_cpu(x, kernel_size=2, stride=2):
    """Device: the running maximum starts on the CPU wherever the input is."""
    windows = windows_of(x, kernel_size, stride)
    start = torch.full(windows.shape[:-1], -math.inf, dtype=x.dtype)
    return torch.maximum(start, windows.amax(-1))


@misconception("max_pool_2d", hint="A stack of maps passes a gradient on. Does a single map do so, too?")
def pools_one_map_without_gradient(x, kernel_size=2, stride=2):
    """Gradient: none reaches a map (H, W), only a stack."""
    return windows_of(x.detach() if x.dim() == 2 else x, kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="Your dtype is right. Do the numbers of a single map have all their digits?")
def pools_one_map_in_float32(x, kernel_size=2, stride=2):
    """Precision: a float64 map (H, W) is pooled in float32, a stack is not."""
    return windows_of(x.float() if x.dim() == 2 else x, kernel_size, stride).amax(-1).to(x.dtype)


@misconception("max_pool_2d", hint="You check whether the window fits. Do you do so for a single map as well?")
def checks_stacks_only(x, kernel_size=2, stride=2):
    """A window that does not fit into a map (H, W) gives a result without pixels."""
    if x.dim() == 2 and kernel_size > min(x.shape):
        return x[:0, :0]
    return windows_of(x, kernel_size, stride).amax(-1)


@misconception("max_pool_2d", hint="Does a window that is exactly as large as the map fit?")
def refuses_a_window_as_large_as_the_map(x, kernel_size=2, stride=2):
    """A window as large as the map is rejected."""
    if kernel_size >= min(x.shape[-2:]):
        raise ValueError("the window does not fit")
    return windows_of(x, kernel_size, stride).amax(-1)


@misconception(
    "max_pool_2d", hint="Call your function for two inputs of the same size, and then look at the first result again."
)
def keeps_the_running_maximum(x, kernel_size=2, stride=2, maxima={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(maxima, windows_of(x, kernel_size, stride).amax(-1))


@misconception(
    "max_pool_2d",
    hint="Your maximum starts from a number that you took to be smaller than all others. Is it, for every map?",
)
def starts_with_a_finite_number(x, kernel_size=2, stride=2):
    """The maximum is taken together with a tensor of -1e9."""
    return windows_of(x, kernel_size, stride).amax(-1).clamp(min=-1e9)


@misconception("max_pool_2d", hint="Try a kernel of 3: how many places does your window have, and how many should it?")
def always_takes_four_places(x, kernel_size=2, stride=2):
    """The window has 2×2 pixels whatever the kernel size is."""
    rows, columns = windows_of(x, kernel_size, stride).shape[-3:-1]
    return windows_of(x, 2, stride).amax(-1)[..., :rows, :columns]


@misconception("max_pool_2d", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_kernel_size(x, kernel_size=2, stride=2):
    """Exception type: AssertionError when the window does not fit."""
    assert kernel_size <= min(x.shape[-2:]), "the window does not fit"
    return windows_of(x, kernel_size, stride).amax(-1)


# avg_pool_2d


@misconception("avg_pool_2d", hint="How many pixels does a window with side k have?", severe="no mean is right")
def divides_the_sum_by_the_side(x, kernel_size=2, stride=2):
    """The sum of a window is divided by k."""
    return windows_of(x, kernel_size, stride).sum(-1) / kernel_size


@misconception("avg_pool_2d", hint="Your mean is right for 2×2 windows. Try another kernel size.")
def divides_by_four(x, kernel_size=2, stride=2):
    """The sum is divided by 4 whatever the kernel is."""
    return windows_of(x, kernel_size, stride).sum(-1) / 4


@misconception(
    "avg_pool_2d", hint="`squeeze()` removes *every* dimension of size 1. Which maps have one that must stay?"
)
def squeezes_the_mean(x, kernel_size=2, stride=2):
    """squeeze() drops a single channel, row or column."""
    return windows_of(x, kernel_size, stride).mean(-1).squeeze()


@misconception(
    "avg_pool_2d",
    hint="Each channel has its own mean. What is in the second dimension of the result of `F.unfold`?",
)
def averages_over_channels(x, kernel_size=2, stride=2):
    """The mean spans all channels, like the mean over the columns of F.unfold."""
    pooled = windows_of(x, kernel_size, stride).mean(-1)
    return pooled if x.dim() == 2 else pooled.mean(0, keepdim=True).expand_as(pooled)


@misconception("avg_pool_2d", hint="Try a kernel of 3 with a stride of 1. Which one is the step of your slices?")
def ignores_the_stride(x, kernel_size=2, stride=2):  # noqa: ARG001
    """The kernel size is used as the stride."""
    return windows_of(x, kernel_size, kernel_size).mean(-1)


@misconception(
    "avg_pool_2d",
    hint="Pool 5 pixels with a window of 2 and a step of 2. What becomes of the pixel that is left over?",
)
def fills_up_the_last_window(x, kernel_size=2, stride=2):
    """The size is rounded up: a cut-off window is filled up with 0."""
    windows_of(x, kernel_size, stride)
    right, below = (-(size - kernel_size) % stride for size in (x.shape[-1], x.shape[-2]))
    return windows_of(F.pad(x, (0, right, 0, below)), kernel_size, stride).mean(-1)


@misconception("avg_pool_2d", hint="Try a map that is not square: how wide must the result be, and how high?")
def turns_the_windows_around(x, kernel_size=2, stride=2):
    """The list of windows is reshaped to out_W by out_H."""
    pooled = windows_of(x, kernel_size, stride).mean(-1)
    rows, columns = pooled.shape[-2:]
    return pooled.reshape(*pooled.shape[:-2], columns, rows)


@misconception("avg_pool_2d", hint="`total = x[...]` and then `total += ...`: whose memory do you add to?")
def adds_into_a_slice(x, kernel_size=2, stride=2):
    """In place: the running sum is a slice of the input (where windows overlap, values are wrong too)."""
    rows, columns = windows_of(x, kernel_size, stride).shape[-3:-1]
    places = [
        x[..., i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
        for i in range(kernel_size)
        for j in range(kernel_size)
    ]
    total = places[0]
    for place in places[1:]:
        total += place
    return total / kernel_size**2


@misconception(
    "avg_pool_2d",
    hint="`torch.zeros` makes float32. What dtype does a sum have if it starts there and uses `+=`?",
)
def sums_up_in_float32(x, kernel_size=2, stride=2):
    """Dtype: the running sum is a float32 tensor."""
    windows = windows_of(x, kernel_size, stride)
    total = torch.zeros(windows.shape[:-1], device=x.device)
    for place in windows.unbind(-1):
        total += place
    return total / kernel_size**2


@misconception(
    "avg_pool_2d",
    hint="The run time grows with the height of the map. Loop over the places in the *window* instead.",
)
def loops_over_rows(x, kernel_size=2, stride=2):
    """Not vectorised in H: one row of the result after the other."""
    rows = windows_of(x, kernel_size, stride).shape[-3]
    bands = [x[..., i * stride : i * stride + kernel_size, :] for i in range(rows)]
    return torch.cat([windows_of(band, kernel_size, stride).mean(-1) for band in bands], dim=-2)


@misconception("avg_pool_2d", hint="`torch.tensor(...)`, `.data` and NumPy copy numbers without their history.")
def averages_without_gradient(x, kernel_size=2, stride=2):
    """Gradient: the input is detached."""
    return windows_of(x.detach(), kernel_size, stride).mean(-1)


@misconception(
    "avg_pool_2d",
    hint="A window that does not fit raises an exception from PyTorch. Which one does the exercise name?",
)
def lets_unfold_complain(x, kernel_size=2, stride=2):
    """Exception type: RuntimeError, from Tensor.unfold, when the window does not fit."""
    x.unfold(-2, kernel_size, stride).unfold(-2, kernel_size, stride)
    return windows_of(x, kernel_size, stride).mean(-1)


@misconception(
    "avg_pool_2d",
    hint="You let PyTorch do the pooling. Here the slices should do it.",
    severe="the library does all of the exercise",
)
def calls_avg_pool2d(x, kernel_size=2, stride=2):
    """Forbidden operator: F.avg_pool2d."""
    windows_of(x, kernel_size, stride)
    maps = x.reshape(-1, *x.shape[-2:])
    pooled = F.avg_pool2d(maps, kernel_size, stride)
    return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])


@misconception("avg_pool_2d", hint="Your sum starts from a tensor of your own. On a GPU, where would it be?")
def sums_up_on_the_cpu(x, kernel_size=2, stride=2):
    """Device: the running sum starts on the CPU wherever the input is."""
    windows = windows_of(x, kernel_size, stride)
    total = torch.zeros(windows.shape[:-1], dtype=x.dtype)
    for place in windows.unbind(-1):
        total = total + place
    return total / kernel_size**2


@misconception("avg_pool_2d", hint="A stack of maps passes a gradient on. Does a single map do so, too?")
def averages_one_map_without_gradient(x, kernel_size=2, stride=2):
    """Gradient: none reaches a map (H, W), only a stack."""
    return windows_of(x.detach() if x.dim() == 2 else x, kernel_size, stride).mean(-1)


@misconception("avg_pool_2d", hint="Your dtype is right. By which number do you divide, and with how many digits?")
def multiplies_by_a_rounded_share(x, kernel_size=2, stride=2):
    """Precision: the share 1/k² is a float32 number, also for a float64 input."""
    share = torch.tensor(1 / kernel_size**2, dtype=torch.float32).item()
    return windows_of(x, kernel_size, stride).sum(-1) * share


@misconception("avg_pool_2d", hint="You check whether the window fits. Do you do so for a single map as well?")
def averages_nothing_of_one_map(x, kernel_size=2, stride=2):
    """A window that does not fit into a map (H, W) gives a result without pixels."""
    if x.dim() == 2 and kernel_size > min(x.shape):
        return x[:0, :0]
    return windows_of(x, kernel_size, stride).mean(-1)


@misconception("avg_pool_2d", hint="Does a window that is exactly as large as the map fit?")
def refuses_the_mean_of_the_whole_map(x, kernel_size=2, stride=2):
    """A window as large as the map is rejected."""
    if kernel_size >= min(x.shape[-2:]):
        raise ValueError("the window does not fit")
    return windows_of(x, kernel_size, stride).mean(-1)


@misconception(
    "avg_pool_2d", hint="Call your function for two inputs of the same size, and then look at the first result again."
)
def keeps_the_running_sum(x, kernel_size=2, stride=2, sums={}):  # noqa: B006
    """Memory: a result is written over when the function is called again."""
    return rewritten(sums, windows_of(x, kernel_size, stride).mean(-1))


@misconception("avg_pool_2d", hint="Where do your slices end? The end of a slice is not part of it.")
def misses_the_last_mean(x, kernel_size=2, stride=2):
    """The slices end too early, so a window that touches the edge is missed."""
    pooled = windows_of(x, kernel_size, stride).mean(-1)
    rows, columns = (len(range(0, size - kernel_size, stride)) for size in x.shape[-2:])
    return pooled[..., :rows, :columns]


@misconception("avg_pool_2d", hint="May a window skip pixels? Nothing forbids a step that is larger than the window.")
def refuses_to_skip_pixels(x, kernel_size=2, stride=2):
    """A stride larger than the kernel size is rejected."""
    if stride > kernel_size:
        raise ValueError("the stride is too large")
    return windows_of(x, kernel_size, stride).mean(-1)


@misconception("avg_pool_2d", hint="Give it a single map. Does the result have as many dimensions as the map?")
def returns_a_stack_of_one_mean(x, kernel_size=2, stride=2):
    """A map (H, W) comes back as (1, out_H, out_W)."""
    pooled = windows_of(x, kernel_size, stride).mean(-1)
    return pooled.unsqueeze(0) if x.dim() == 2 else pooled


# GlobalAveragePooling


@misconception("GlobalAveragePooling", hint="Try a map of 2 by 6. Your window is as wide as the map is high.")
class PoolsOneSquare(GlobalAveragePooling):
    """The window is x.size(2) in both directions: right for square maps only."""

    def forward(self, x):
        pooled = F.avg_pool2d(x, x.size(2))
        return pooled if self.keepdim else pooled.flatten(1)


@misconception(
    "GlobalAveragePooling", hint="`squeeze()` removes *every* dimension of size 1, even that of a batch of one."
)
class SqueezesTheBatch(GlobalAveragePooling):
    """squeeze() removes N = 1 and C = 1 as well."""

    def forward(self, x):
        pooled = x.mean((2, 3), keepdim=True)
        return pooled if self.keepdim else pooled.squeeze()


@misconception("GlobalAveragePooling", hint="Print the shape of your result with and without `keepdim=True`.")
class AlwaysKeepsTheDimensions(GlobalAveragePooling):
    """The result is (N, C, 1, 1) whatever keepdim says."""

    def forward(self, x):
        return x.mean((2, 3), keepdim=True)


@misconception("GlobalAveragePooling", hint="With `keepdim=True` two dimensions stay. How many ones do you append?")
class KeepsOneDimension(GlobalAveragePooling):
    """With keepdim=True the result is (N, C, 1)."""

    def forward(self, x):
        pooled = x.mean((2, 3))
        return pooled.unsqueeze(-1) if self.keepdim else pooled


@misconception("GlobalAveragePooling", hint="The global *average* of the pixels 0 and 1 is one half.")
class TakesTheGlobalMaximum(GlobalAveragePooling):
    """Maximum instead of mean."""

    def forward(self, x):
        return x.amax((2, 3), keepdim=self.keepdim)


@misconception(
    "GlobalAveragePooling",
    hint="Which dimensions do you average over? Count them; N is dimension 0.",
    severe="every result has the wrong shape",
)
class AveragesOnlyTheRows(GlobalAveragePooling):
    """Only the last dimension is averaged."""

    def forward(self, x):
        return x.mean(-1, keepdim=self.keepdim)


@misconception("GlobalAveragePooling", hint="Your window has a fixed size. Are the maps of every image the same size?")
class ExpectsMapsOfSeven(GlobalAveragePooling):
    """The window is 7 by 7, as in a network for images of 224 pixels."""

    def forward(self, x):
        pooled = F.avg_pool2d(x, 7)
        return pooled if self.keepdim else pooled.flatten(1)


@misconception(
    "GlobalAveragePooling",
    hint="How many numbers per channel does your result keep, and how many should be left?",
    severe="every result has the wrong shape",
)
class KeepsAGrid(GlobalAveragePooling):
    """The pooled maps are 2 by 2 instead of 1 by 1."""

    def forward(self, x):
        pooled = F.adaptive_avg_pool2d(x, (2, 2))
        return pooled if self.keepdim else pooled.flatten(1)


@misconception(
    "GlobalAveragePooling",
    hint="Is there anything to learn or to remember in a mean? Look at `state_dict()`.",
)
class HasAParameter(GlobalAveragePooling):
    """State: a parameter of ones scales the mean."""

    def __init__(self, keepdim=False):
        super().__init__(keepdim)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return super().forward(x) * self.scale.to(x)


@misconception(
    "GlobalAveragePooling",
    hint="Not every tensor is stored in the order of its indices. What does `view` need?",
)
class ViewsThePixels(GlobalAveragePooling):
    """Layout: `view` rejects a transposed or sliced input."""

    def forward(self, x):
        pooled = x.view(x.shape[0], x.shape[1], -1).mean(-1)
        return pooled[..., None, None] if self.keepdim else pooled


@misconception(
    "GlobalAveragePooling",
    hint="The mean is right, but nothing can be learnt through it. What cuts the graph?",
)
class AveragesNumbersOnly(GlobalAveragePooling):
    """Gradient: it takes the mean of x.data."""

    def forward(self, x):
        return super().forward(x.data)


@misconception("GlobalAveragePooling", hint="What dtype does your result have when the input is float64?")
class ReturnsFloat32(GlobalAveragePooling):
    """Dtype: the result is float32 whatever the input is."""

    def forward(self, x):
        return super().forward(x).to(torch.float32)


@misconception(
    "GlobalAveragePooling", hint="Use one layer for a small and then for a large image. By what do you divide?"
)
class KeepsTheFirstArea(GlobalAveragePooling):
    """State: every sum is divided by the number of pixels of the first images."""

    area = None

    def forward(self, x):
        self.area = self.area or x.shape[2] * x.shape[3]
        return x.sum((2, 3), keepdim=self.keepdim) / self.area


@misconception(
    "GlobalAveragePooling",
    hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things.",
)
class AveragesWithoutGradientInEvaluation(GlobalAveragePooling):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x if self.training else x.detach())


@misconception("GlobalAveragePooling", hint="Your dtype is right. Do the means still have all their digits in float64?")
class AveragesInFloat32(GlobalAveragePooling):
    """Precision: the mean of a float64 input is computed in float32."""

    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


@misconception("GlobalAveragePooling", hint="On a GPU, where is the tensor made that you write the means into?")
class FillsATensorOnTheCpu(GlobalAveragePooling):
    """Device: the result is on the CPU wherever the input is."""

    def forward(self, x):
        means = super().forward(x)
        result = torch.zeros(means.shape, dtype=x.dtype)
        result[:] = means
        return result


@misconception(
    "GlobalAveragePooling", hint="Call one layer twice, and look at the first result again. Whose memory is it in?"
)
class WritesIntoItsOwnMemory(GlobalAveragePooling):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, keepdim=False):
        super().__init__(keepdim)
        self.results = {}

    def forward(self, x):
        return rewritten(self.results, super().forward(x))


@misconception("GlobalAveragePooling", hint="Print the shape of your result with `keepdim=True`. Where do you use it?")
class NeverKeepsTheDimensions(GlobalAveragePooling):
    """The result is (N, C) whatever keepdim says."""

    def forward(self, x):
        return x.mean((2, 3))


@misconception(
    "GlobalAveragePooling", hint="A layer that only takes means has nothing to save. What is in its buffers?"
)
class RemembersItsLastMeans(GlobalAveragePooling):
    """State: the last result is kept in a buffer."""

    def __init__(self, keepdim=False):
        super().__init__(keepdim)
        self.register_buffer("last", torch.zeros(()))

    def forward(self, x):
        means = super().forward(x)
        self.last = means.detach()
        return means


@misconception("GlobalAveragePooling", hint="Does a gradient arrive with `keepdim=True` as well as without it?")
class DetachesWhatItKeeps(GlobalAveragePooling):
    """Gradient: none flows with keepdim=True."""

    def forward(self, x):
        return super().forward(x.detach() if self.keepdim else x)


# DepthPool


@misconception(
    "DepthPool",
    hint="Give every channel a different number and see which ones end up together. A group consists of neighbours.",
)
class GroupsDistantChannels(DepthPool):
    """The channels are split as (p, C // p), so that channels c and c + C // p make a group."""

    def forward(self, x):
        p, groups = self.pool_size, x.shape[1] // self.pool_size
        pooled = super().forward(x)
        pixels = F.max_pool2d(x, p)[:, : groups * p].reshape(x.shape[0], p, groups, *pooled.shape[2:])
        return pixels.amax(1)


@misconception(
    "DepthPool",
    hint="`torch.chunk` takes the number of chunks, not their size. Print the sizes it makes from 5 channels.",
)
class ChunksTheChannels(DepthPool):
    """torch.chunk makes C // p groups, which have more than p channels when C is not a multiple of p."""

    def forward(self, x):
        groups = super().forward(x).shape[1]
        chunks = F.max_pool2d(x, self.pool_size).chunk(groups, dim=1)
        return torch.stack([chunk.amax(1) for chunk in chunks], dim=1)


@misconception("DepthPool", hint="Is p the number of groups, or the number of channels in each group?")
class MakesPGroups(DepthPool):
    """There are p groups of C // p channels instead of C // p groups of p."""

    def forward(self, x):
        p, size = self.pool_size, x.shape[1] // self.pool_size
        pooled = super().forward(x)
        pixels = F.max_pool2d(x, p)[:, : p * size]
        return pixels.reshape(x.shape[0], p, size, *pooled.shape[2:]).amax(2)


@misconception("DepthPool", hint="5 channels in groups of 2: what do you do with the one that is left over?")
class KeepsTheLastGroup(DepthPool):
    """Left-over channels make a smaller group of their own."""

    def forward(self, x):
        super().forward(x)
        groups = F.max_pool2d(x, self.pool_size).split(self.pool_size, dim=1)
        return torch.stack([group.amax(1) for group in groups], dim=1)


@misconception("DepthPool", hint="Left-over rows are dropped without a word. What about left-over channels?")
class RefusesLeftOverChannels(DepthPool):
    """A number of channels that is not a multiple of p raises an error."""

    def forward(self, x):
        if x.shape[1] % self.pool_size:
            raise ValueError(f"{x.shape[1]} channels cannot be divided by {self.pool_size}")
        return super().forward(x)


@misconception("DepthPool", hint="Each group of p channels makes one channel. How many channels does your result have?")
class PoolsOverAllChannels(DepthPool):
    """The maximum is taken over all channels at once."""

    def forward(self, x):
        return super().forward(x).new_tensor(0) + F.max_pool2d(x, self.pool_size).amax(1, keepdim=True)


@misconception("DepthPool", hint="The window is a cube. Does your result have fewer channels than the input?")
class PoolsOnlyInSpace(DepthPool):
    """The channels are not pooled."""

    def forward(self, x):
        super().forward(x)
        return F.max_pool2d(x, self.pool_size)


@misconception("DepthPool", hint="The window is a cube. Is your result smaller than the input in all three directions?")
class PoolsOnlyTheChannels(DepthPool):
    """The rows and columns are not pooled."""

    def forward(self, x):
        p, groups = self.pool_size, super().forward(x).shape[1]
        return x[:, : groups * p].unflatten(1, (groups, p)).amax(2)


@misconception("DepthPool", hint="The cubes are side by side in space. How many channels do yours move at a time?")
class SlidesOverTheChannels(DepthPool):
    """The groups of channels overlap: they move by one channel instead of p."""

    def forward(self, x):
        super().forward(x)
        return F.max_pool2d(x, self.pool_size).unfold(1, self.pool_size, 1).amax(-1)


@misconception(
    "DepthPool", hint="How many pixels does your window move at a time? In space the cubes are side by side."
)
class MovesByOnePixel(DepthPool):
    """The spatial stride is 1 instead of p."""

    def forward(self, x):
        p, groups = self.pool_size, super().forward(x).shape[1]
        return F.max_pool2d(x, p, stride=1)[:, : groups * p].unflatten(1, (groups, p)).amax(2)


@misconception("DepthPool", hint="A maximum over pixels *and* over channels: do you take the maximum twice?")
class AveragesTheGroups(DepthPool):
    """The mean over a group of channels instead of its maximum."""

    def forward(self, x):
        p, groups = self.pool_size, super().forward(x).shape[1]
        return F.max_pool2d(x, p)[:, : groups * p].unflatten(1, (groups, p)).mean(2)


@misconception(
    "DepthPool", hint="Two channels and a cube of side 3: what should happen? Surely not a result without channels."
)
class ReturnsNoChannels(DepthPool):
    """Fewer than p channels give a result with no channels at all."""

    def forward(self, x):
        if x.shape[1] >= self.pool_size or min(x.shape[2:]) < self.pool_size:
            return super().forward(x)
        return F.max_pool2d(x, self.pool_size)[:, :0]


@misconception(
    "DepthPool",
    hint="A window that does not fit raises an exception from PyTorch. Which one does the exercise name?",
)
class LeavesTheErrorToPyTorch(DepthPool):
    """Exception type: RuntimeError, from F.max_pool2d, when the window does not fit into the map."""

    def forward(self, x):
        F.max_pool2d(x, self.pool_size)
        return super().forward(x)


@misconception("DepthPool", hint="Try a transposed input: `view` needs numbers that are in order in memory.")
class ViewsTheMapsAsRows(DepthPool):
    """Layout: `view` rejects a transposed or sliced input."""

    def forward(self, x):
        x.view(x.shape[0], x.shape[1], -1)
        return super().forward(x)


@misconception(
    "DepthPool", hint="Use one layer for 4 and then for 7 channels. What do you remember of the first image?"
)
class KeepsTheFirstGroups(DepthPool):
    """State: the number of groups is that of the first images."""

    groups = None

    def forward(self, x):
        p, pooled = self.pool_size, super().forward(x)
        self.groups = self.groups or pooled.shape[1]
        pixels = F.max_pool2d(x, p)[:, : self.groups * p]
        return pixels.reshape(x.shape[0], self.groups, p, *pooled.shape[2:]).amax(2)


@misconception(
    "DepthPool", hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things."
)
class PoolsWithoutGradientInEvaluation(DepthPool):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x if self.training else x.detach())


@misconception("DepthPool", hint="Your dtype is right. Do the numbers still have all their digits in float64?")
class RoundsToFloat32(DepthPool):
    """Precision: a float64 input is pooled in float32."""

    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


@misconception("DepthPool", hint="On a GPU, where is the tensor made that collects the groups?")
class CollectsTheGroupsOnTheCpu(DepthPool):
    """Device: the result is on the CPU wherever the input is."""

    def forward(self, x):
        pooled = super().forward(x)
        result = torch.zeros(pooled.shape, dtype=x.dtype)
        for group in range(pooled.shape[1]):
            result[:, group] = pooled[:, group]
        return result


@misconception("DepthPool", hint="Call one layer twice, and look at the first result again. Whose memory is it in?")
class PoolsIntoItsOwnMemory(DepthPool):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, pool_size=2):
        super().__init__(pool_size)
        self.results = {}

    def forward(self, x):
        return rewritten(self.results, super().forward(x))


@misconception("DepthPool", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
class SqueezesTheGroups(DepthPool):
    """squeeze() drops a single sample, group, row or column."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("DepthPool", hint="Exactly p channels make a group. Do you accept them?")
class RefusesASingleGroup(DepthPool):
    """As many channels as a group has are rejected."""

    def forward(self, x):
        if x.shape[1] <= self.pool_size:
            raise ValueError("there are too few channels")
        return super().forward(x)


@misconception("DepthPool", hint="Does a window that is exactly as large as the map fit?")
class RefusesAMapOfOneWindow(DepthPool):
    """A map as large as the window is rejected."""

    def forward(self, x):
        if min(x.shape[2:]) <= self.pool_size:
            raise ValueError("the window does not fit")
        return super().forward(x)


@misconception("DepthPool", hint="What does your maximum start from? Try images whose numbers are all negative.")
class StartsTheGroupsAtZero(DepthPool):
    """The running maximum over a group starts at 0."""

    def forward(self, x):
        return super().forward(x).clamp(min=0)


@misconception(
    "DepthPool",
    hint="Your maximum starts from a number that you took to be smaller than all others. Is it, for every image?",
)
class StartsTheGroupsAtAFiniteNumber(DepthPool):
    """The running maximum over a group starts at -1e9."""

    def forward(self, x):
        return super().forward(x).clamp(min=-1e9)


@misconception("DepthPool", hint="Your result is right for cubes of side 2. Where do you use `pool_size`?")
class PoolsPairsOnly(DepthPool):
    """pool_size is ignored: it is always 2."""

    def __init__(self, pool_size=2):  # noqa: ARG002
        super().__init__(2)


@misconception("DepthPool", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
class AssertsTheNumberOfChannels(DepthPool):
    """Exception type: AssertionError for fewer than p channels."""

    def forward(self, x):
        assert x.shape[1] >= self.pool_size, "there are too few channels"
        return super().forward(x)


# MixedPooling


@misconception("MixedPooling", hint="With alpha = 1, should the result be a maximum or a mean? Try it.")
class ExchangesTheParts(MixedPooling):
    """alpha weights the mean, 1 - alpha the maximum."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return (1 - self.alpha) * windows.amax(-1) + self.alpha * windows.mean(-1)


@misconception("MixedPooling", hint="Try two values of alpha: does anything change?")
class MixesHalfAndHalf(MixedPooling):
    """alpha is checked and then ignored."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return (windows.amax(-1) + windows.mean(-1)) / 2


@misconception("MixedPooling", hint="To Python, 0 is as false as None. What does `or` make of alpha = 0?")
class TakesZeroForMissing(MixedPooling):
    """`alpha or 0.5` turns 0 into one half."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride, alpha or 0.5)


@misconception("MixedPooling", hint="The two weights add up to 1. What is the weight of the mean in your sum?")
class AddsTheWholeMean(MixedPooling):
    """The mean is added without its weight."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return self.alpha * windows.amax(-1) + windows.mean(-1)


@misconception("MixedPooling", hint="When no stride is given, how far should the window move?")
class MovesByOneByDefault(MixedPooling):
    """The default stride is 1."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, 1 if stride is None else stride, alpha)


@misconception("MixedPooling", hint="Try a stride that differs from the kernel size. Do both parts use it?")
class PoolsTheMeanWithAnotherStride(MixedPooling):
    """The mean moves by the kernel size whatever the stride is."""

    def forward(self, x):
        largest = windows_of(x, self.kernel_size, self.stride).amax(-1)
        return self.alpha * largest + (1 - self.alpha) * windows_of(x, self.kernel_size, self.kernel_size).mean(-1)


@misconception("MixedPooling", hint="What is a mixture of 150 % and -50 %? Complain about it when the module is built.")
class AcceptsEveryAlpha(MixedPooling):
    """alpha is not checked."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride)
        self.alpha = alpha


@misconception("MixedPooling", hint="*When* do you reject a wrong alpha? It is known before any image arrives.")
class ChecksAlphaTooLate(MixedPooling):
    """A wrong alpha is rejected in forward instead of in the constructor."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride)
        self.alpha = alpha

    def forward(self, x):
        if not 0 <= self.alpha <= 1:
            raise ValueError("alpha must lie between 0 and 1")
        return super().forward(x)


@misconception(
    "MixedPooling", hint="Is a mixture that leaves out one part still allowed? Try both ends of the interval."
)
class RefusesTheEnds(MixedPooling):
    """alpha = 0 and alpha = 1 are rejected."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        if alpha in (0, 1):
            raise ValueError("alpha must lie between 0 and 1")
        super().__init__(kernel_size, stride, alpha)


@misconception("MixedPooling", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
class AssertsAlpha(MixedPooling):
    """Exception type: AssertionError for a wrong alpha."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        assert 0 <= alpha <= 1, "alpha must lie between 0 and 1"
        super().__init__(kernel_size, stride, alpha)


@misconception(
    "MixedPooling",
    hint="Nothing is random here: the caller says how much of each part there is.",
    severe="no result is right, and none comes twice",
)
class DrawsAlpha(MixedPooling):
    """alpha is drawn at random when the module is built, as in some published variants."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride, alpha)
        self.alpha = torch.rand(()).item()


@misconception("MixedPooling", hint="Both parts of the sum depend on the input. Does a gradient reach it through both?")
class DetachesTheMean(MixedPooling):
    """Gradient: it flows through the maximum only."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return self.alpha * windows.amax(-1) + (1 - self.alpha) * windows.mean(-1).detach()


@misconception(
    "MixedPooling",
    hint="A window that does not fit raises an exception from PyTorch. Which one does the exercise name?",
)
class LetsPyTorchComplain(MixedPooling):
    """Exception type: RuntimeError, from F.max_pool2d, when the window does not fit."""

    def forward(self, x):
        F.max_pool2d(x, self.kernel_size, self.stride)
        return super().forward(x)


@misconception("MixedPooling", hint="Use one layer for a small and then for a large image. What do you remember?")
class KeepsTheFirstOutputSize(MixedPooling):
    """State: the result has the height and width of the first one."""

    sides = None

    def forward(self, x):
        pooled = super().forward(x)
        self.sides = self.sides or pooled.shape[2:]
        return pooled.reshape(*x.shape[:2], *self.sides)


@misconception("MixedPooling", hint="Your dtype is right. With how many digits do you keep alpha?")
class KeepsAlphaInFloat32(MixedPooling):
    """Precision: alpha is a float32 tensor, also where the input is float64."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride, alpha)
        self.alpha = torch.tensor(float(alpha), dtype=torch.float32)


@misconception(
    "MixedPooling",
    hint="Your module remembers alpha with the digits of the first image it saw. Try two dtypes.",
)
class KeepsAlphaInTheFirstDtype(MixedPooling):
    """State: alpha becomes a tensor of the dtype of the first input."""

    share = None

    def forward(self, x):
        if self.share is None:
            self.share = torch.full((), self.alpha, dtype=x.dtype)
        windows = windows_of(x, self.kernel_size, self.stride)
        return self.share * windows.amax(-1) + (1 - self.share) * windows.mean(-1)


@misconception(
    "MixedPooling", hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things."
)
class MixesWithoutGradientInEvaluation(MixedPooling):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x if self.training else x.detach())


@misconception("MixedPooling", hint="On a GPU, where are the tensors that your module makes itself?")
class MixesOnTheCpu(MixedPooling):
    """Device: the shares are a map on the CPU wherever the input is."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        share = torch.full(windows.shape[-3:-1], self.alpha, dtype=x.dtype)
        return share * windows.amax(-1) + (1 - share) * windows.mean(-1)


@misconception("MixedPooling", hint="Call one layer twice, and look at the first result again. Whose memory is it in?")
class MixesInItsOwnMemory(MixedPooling):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride, alpha)
        self.results = {}

    def forward(self, x):
        return rewritten(self.results, super().forward(x))


@misconception("MixedPooling", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
class SqueezesTheMixture(MixedPooling):
    """squeeze() drops a single sample, channel, row or column."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception("MixedPooling", hint="Does a window that is exactly as large as the map fit?")
class RefusesAWindowAsLargeAsTheMap(MixedPooling):
    """A window as large as the map is rejected."""

    def forward(self, x):
        if min(x.shape[2:]) <= self.kernel_size:
            raise ValueError("the window does not fit")
        return super().forward(x)


@misconception("MixedPooling", hint="What is `int(0.75)`? A share need not be a whole number.")
class TruncatesAlpha(MixedPooling):
    """int(alpha): only 0 and 1 are left."""

    def __init__(self, kernel_size, stride=None, alpha=0.5):
        super().__init__(kernel_size, stride, alpha)
        self.alpha = int(alpha)


@misconception(
    "MixedPooling",
    hint="Two parts of the sum depend on the input. Which of them tells it how to change, and which not?",
)
class DetachesTheMaximum(MixedPooling):
    """Gradient: it flows through the mean only."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return self.alpha * windows.amax(-1).detach() + (1 - self.alpha) * windows.mean(-1)


@misconception("MixedPooling", hint="May a window skip pixels? Nothing forbids a step that is larger than the window.")
class RefusesToSkipPixels(MixedPooling):
    """A stride larger than the kernel size is rejected."""

    def forward(self, x):
        if self.stride > self.kernel_size:
            raise ValueError("the stride is too large")
        return super().forward(x)


# LPPooling


@misconception("LPPooling", hint="Pool a map of ones: the result should be 1. What is missing under your root?")
class SumsOverTheWindow(LPPooling):
    """The sum instead of the mean, as in nn.LPPool2d."""

    def forward(self, x):
        return super().forward(x) * self.kernel_size ** (2 / self.p)


@misconception(
    "LPPooling",
    hint="What is (-2) ** 3, and what is the cube root of a negative number? Look at the formula.",
)
class ForgetsTheAbsoluteValue(LPPooling):
    """x ** p instead of abs(x) ** p: right for even p and for positive numbers."""

    def forward(self, x):
        return (windows_of(x, self.kernel_size, self.stride) ** self.p).mean(-1) ** (1 / self.p)


@misconception("LPPooling", hint="Double the input: the result should double as well. Which last step is missing?")
class ForgetsTheRoot(LPPooling):
    """The mean of the powers, without the p-th root."""

    def forward(self, x):
        return super().forward(x) ** self.p


@misconception("LPPooling", hint="Your result is right for p = 2. Does the root depend on p?")
class AlwaysTakesTheSquareRoot(LPPooling):
    """The root is a square root whatever p is."""

    def forward(self, x):
        return super().forward(x) ** (self.p / 2)


@misconception("LPPooling", hint="Try two values of p: does anything change?")
class AlwaysUsesTheSquare(LPPooling):
    """p is checked and then ignored: always the root mean square."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride, p)
        self.p = 2


@misconception(
    "LPPooling",
    hint="Which comes first, the power or the mean? For the window 0, 2 and p = 2 it makes a difference.",
)
class AveragesBeforeThePower(LPPooling):
    """The mean of the absolute values is raised to p, and the root undoes it."""

    def forward(self, x):
        return windows_of(x.abs(), self.kernel_size, self.stride).mean(-1)


@misconception("LPPooling", hint="A power need not be a whole number. What happens to p = 1.5 in your code?")
class CutsOffTheFraction(LPPooling):
    """p is made an integer, at least 1."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride, p)
        self.p = max(int(p), 1)


@misconception("LPPooling", hint="What is your result for a window of zeros? The formula does not add a small number.")
class AddsAnEpsilon(LPPooling):
    """A small number is added under the root."""

    def forward(self, x):
        powers = windows_of(x.abs(), self.kernel_size, self.stride) ** self.p
        return (powers.mean(-1) + 1e-6) ** (1 / self.p)


@misconception("LPPooling", hint="Try a stride that differs from the kernel size. Where do you use it?")
class ForgetsTheStride(LPPooling):
    """The kernel size is used as the stride."""

    def __init__(self, kernel_size, stride=None, p=2):  # noqa: ARG002
        super().__init__(kernel_size, kernel_size, p)


@misconception(
    "LPPooling", hint="The root has the exponent 1/p. Besides negative numbers, which p makes no sense there?"
)
class AcceptsPZero(LPPooling):
    """Only p < 0 is rejected, p = 0 is not."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride, p if p != 0 else 1)
        self.p = p


@misconception("LPPooling", hint="Which p must be rejected? p = 0.5 does not give a norm, but it gives a number.")
class RefusesSmallPowers(LPPooling):
    """p < 1 is rejected, though only p <= 0 is wrong."""

    def __init__(self, kernel_size, stride=None, p=2):
        if p < 1:
            raise ValueError("p must be at least 1")
        super().__init__(kernel_size, stride, p)


@misconception("LPPooling", hint="*When* do you reject a wrong p? It is known before any image arrives.")
class ChecksThePowerTooLate(LPPooling):
    """A wrong p is rejected in forward instead of in the constructor."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride)
        self.p = p

    def forward(self, x):
        if not self.p > 0:
            raise ValueError("p must be positive")
        return super().forward(x)


@misconception("LPPooling", hint="Look at your argument after the call. What does the underscore in `abs_` mean?")
class TakesTheAbsoluteValueInPlace(LPPooling):
    """In place: x.abs_() changes the argument."""

    def forward(self, x):
        return super().forward(x.abs_())


@misconception("LPPooling", hint="What dtype does your result have when the input is float64?")
class RaisesFloat32ToThePower(LPPooling):
    """Dtype: the result is float32 whatever the input is."""

    def forward(self, x):
        return super().forward(x.float())


@misconception("LPPooling", hint="Use one layer for a small and then for a large image. What do you remember?")
class FoldsIntoTheFirstSize(LPPooling):
    """State: the result has the height and width of the first one."""

    sides = None

    def forward(self, x):
        pooled = super().forward(x)
        self.sides = self.sides or pooled.shape[2:]
        return pooled.reshape(*x.shape[:2], *self.sides)


@misconception("LPPooling", hint="Your dtype is right. With how many digits do you keep the exponents?")
class KeepsTheRootInFloat32(LPPooling):
    """Precision: the exponent 1/p is a float32 number, also where the input is float64."""

    def forward(self, x):
        root = torch.tensor(1 / self.p, dtype=torch.float32).item()
        return super().forward(x) ** (root * self.p)


@misconception(
    "LPPooling", hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things."
)
class TakesPowersWithoutGradientInEvaluation(LPPooling):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x if self.training else x.detach())


@misconception("LPPooling", hint="On a GPU, where are the tensors that your module makes itself?")
class AddsUpPowersOnTheCpu(LPPooling):
    """Device: the sum of the powers starts on the CPU wherever the input is."""

    def forward(self, x):
        pooled = super().forward(x)
        return torch.zeros(pooled.shape, dtype=x.dtype) + pooled


@misconception("LPPooling", hint="Call one layer twice, and look at the first result again. Whose memory is it in?")
class TakesRootsInItsOwnMemory(LPPooling):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride, p)
        self.results = {}

    def forward(self, x):
        return rewritten(self.results, super().forward(x))


@misconception("LPPooling", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
class SqueezesTheRoots(LPPooling):
    """squeeze() drops a single sample, channel, row or column."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception(
    "LPPooling",
    hint="A window that does not fit raises an exception from PyTorch. Which one does the exercise name?",
)
class LeavesTheWindowToTheLibrary(LPPooling):
    """Exception type: RuntimeError, from F.avg_pool2d, when the window does not fit."""

    def forward(self, x):
        F.avg_pool2d(x, self.kernel_size, self.stride)
        return super().forward(x)


@misconception("LPPooling", hint="Does a window that is exactly as large as the map fit?")
class RefusesASingleWindow(LPPooling):
    """A window as large as the map is rejected."""

    def forward(self, x):
        if min(x.shape[2:]) <= self.kernel_size:
            raise ValueError("the window does not fit")
        return super().forward(x)


@misconception("LPPooling", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
class AssertsThePower(LPPooling):
    """Exception type: AssertionError for a wrong p."""

    def __init__(self, kernel_size, stride=None, p=2):
        assert p > 0, "p must be positive"
        super().__init__(kernel_size, stride, p)


@misconception("LPPooling", hint="Build your module with p = -1: does it complain?")
class AcceptsEveryPower(LPPooling):
    """p is not checked."""

    def __init__(self, kernel_size, stride=None, p=2):
        super().__init__(kernel_size, stride)
        self.p = p


@misconception("LPPooling", hint="May a window skip pixels? Nothing forbids a step that is larger than the window.")
class RefusesStepsLargerThanItsWindow(LPPooling):
    """A stride larger than the kernel size is rejected."""

    def forward(self, x):
        if self.stride > self.kernel_size:
            raise ValueError("the stride is too large")
        return super().forward(x)


# StochasticPooling


def checked_windows(module, x):
    """Right: the windows of an input that is not negative."""
    windows = windows_of(x, module.kernel_size, module.stride)
    if (x < 0).any():
        raise ValueError("the input must not be negative")
    return windows


def shares(windows):
    """Right: a / sum(a), and 0 for a window of zeros."""
    total = windows.sum(-1, keepdim=True)
    return windows / total.masked_fill(total == 0, 1)


def draw(chances, generator=None):
    """Right: one index per window, (..., 1). In windows where all chances are 0, they become equal."""
    chances = chances.detach() + (chances.sum(-1, keepdim=True) == 0)
    drawn = torch.multinomial(chances.flatten(0, -2), 1, generator=generator)
    return drawn.reshape(*chances.shape[:-1], 1)


def picked(windows, indices):
    """Right: from every window, the pixel at the given index."""
    return windows.gather(-1, indices).squeeze(-1)


def expected(windows):
    """Right: sum of p_i * a_i."""
    return (shares(windows) * windows).sum(-1)


@misconception(
    "StochasticPooling",
    hint="Is a pixel with twice the activation drawn twice as often? Compare your weights with the formula.",
)
class UsesASoftmax(StochasticPooling):
    """The probabilities are a softmax of the activations."""

    def forward(self, x):
        windows = checked_windows(self, x)
        chances = windows.softmax(-1)
        return picked(windows, draw(chances)) if self.training else (chances * windows).sum(-1)


@misconception(
    "StochasticPooling",
    hint="How often do you draw each pixel of a window? Strong pixels should win more often.",
)
class DrawsEveryPixelEquallyOften(StochasticPooling):
    """Statistics: the draw is uniform."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return picked(windows, draw(torch.ones_like(windows))) if self.training else expected(windows)


@misconception("StochasticPooling", hint="Your windows all choose the same place. How often do you roll the dice?")
class SharesOneDraw(StochasticPooling):
    """Statistics: one draw, from the mean of all windows' probabilities, decides for all windows."""

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        chances = shares(windows).flatten(0, -2).mean(0, keepdim=True)
        return picked(windows, draw(chances).expand(*windows.shape[:-1], 1))


@misconception("StochasticPooling", hint="Give all channels the same map. Should they all draw the same pixels?")
class SharesDrawsBetweenMaps(StochasticPooling):
    """Statistics: every place rolls its own dice, but all channels and samples see the same ones."""

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        dice = torch.rand(windows.shape[2:4], device=x.device, dtype=x.dtype).unsqueeze(-1)
        places = (shares(windows).cumsum(-1) <= dice).sum(-1, keepdim=True)
        return picked(windows, places.clamp(max=windows.shape[-1] - 1))


@misconception("StochasticPooling", hint="Call your module twice in training mode. Does anything ever change?")
class TakesTheMostProbable(StochasticPooling):
    """Training takes the largest activation instead of drawing one."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return windows.amax(-1) if self.training else expected(windows)


@misconception(
    "StochasticPooling", hint="In training, is every number in your result one of the numbers in its window?"
)
class ExpectsInTraining(StochasticPooling):
    """Training gives the expected value too: nothing is drawn."""

    def forward(self, x):
        return expected(checked_windows(self, x))


@misconception(
    "StochasticPooling",
    hint="Nothing should be random in evaluation. Which attribute of a module tells you the mode?",
)
class DrawsInEvaluation(StochasticPooling):
    """Evaluation draws as training does."""

    def forward(self, x, training=True):  # noqa: ARG002
        windows = checked_windows(self, x)
        return picked(windows, draw(windows))


@misconception(
    "StochasticPooling",
    hint="`torch.no_grad()` and `module.eval()` are two different things. Which one is asked for?",
)
class TakesTheModeFromTheGradMode(StochasticPooling):
    """It draws when gradients are enabled, not when the module is in training mode."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return picked(windows, draw(windows)) if torch.is_grad_enabled() else expected(windows)


@misconception(
    "StochasticPooling",
    hint="An expected value weights every value by its probability. Are all probabilities the same here?",
)
class AveragesInEvaluation(StochasticPooling):
    """Evaluation gives the plain mean of the window."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return picked(windows, draw(windows)) if self.training else windows.mean(-1)


@misconception("StochasticPooling", hint="After a ReLU, whole windows may be 0. What is a / sum(a) there?")
class DividesByZero(StochasticPooling):
    """A window of zeros gives NaN in evaluation and a RuntimeError from multinomial in training."""

    def forward(self, x):
        windows = checked_windows(self, x)
        chances = windows / windows.sum(-1, keepdim=True)
        if not self.training:
            return (chances * windows).sum(-1)
        drawn = torch.multinomial(chances.detach().flatten(0, -2), 1)
        return picked(windows, drawn.reshape(*windows.shape[:-1], 1))


@misconception(
    "StochasticPooling",
    hint="What is the probability of a negative activation? Your module does not object to one.",
)
class CutsOffNegativeInput(StochasticPooling):
    """A negative input is silently treated as 0."""

    def forward(self, x):
        return super().forward(x.relu())


@misconception("StochasticPooling", hint="Is a negative input less wrong in evaluation than in training?")
class ChecksTheInputOnlyInTraining(StochasticPooling):
    """A negative input is rejected in training only."""

    def forward(self, x):
        if self.training:
            return super().forward(x)
        windows = windows_of(x, self.kernel_size, self.stride)
        return expected(windows)


@misconception(
    "StochasticPooling",
    hint="`torch.manual_seed` should make your training repeatable. Does it affect the dice that you use?",
)
class RollsPythonsDice(StochasticPooling):
    """Generator: the draw comes from Python's random module, so torch.manual_seed has no effect."""

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        generator = torch.Generator(x.device).manual_seed(random.getrandbits(60))
        return picked(windows, draw(windows, generator))


@misconception(
    "StochasticPooling",
    hint="Call your module twice without a new seed. Should both draws be the same?",
    as_good_as="training_follows_torchs_seed",
)
class SeedsInForward(StochasticPooling):
    """Generator: every call resets the seed, so all draws are the same, and those of other code too."""

    def forward(self, x):
        torch.manual_seed(0)
        return super().forward(x)


@misconception(
    "StochasticPooling",
    hint="The index you drew counts within its window. Which tensor do you take the number from?",
)
class TakesPlacesOfTheWholeInput(StochasticPooling):
    """The index within a window is used as an index into the whole input."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return x.take(draw(windows)).squeeze(-1) if self.training else expected(windows)


@misconception(
    "StochasticPooling",
    hint="`F.unfold` gives (N, C·k·k, windows). Are the pixels of a window still together after your reshape?",
    severe="the windows consist of the wrong pixels, in both modes",
)
class TearsWindowsApart(StochasticPooling):
    """The windows of F.unfold, (N, C, k·k, L), are reshaped to (N, C, L, k·k) without a transpose."""

    def forward(self, x):
        windows = checked_windows(self, x)
        windows = windows.flatten(2, 3).transpose(2, 3).reshape(windows.shape)
        return picked(windows, draw(windows)) if self.training else expected(windows)


@misconception("StochasticPooling", hint="Try a stride that differs from the kernel size. Where do you use it?")
class MovesByItsOwnWindow(StochasticPooling):
    """The kernel size is used as the stride."""

    def __init__(self, kernel_size, stride=None):  # noqa: ARG002
        super().__init__(kernel_size, kernel_size)


@misconception("StochasticPooling", hint="The draw itself has no gradient, but the pixel that was drawn has one.")
class DetachesTheDrawnPixel(StochasticPooling):
    """Gradient: in training none flows to the pixels that were drawn."""

    def forward(self, x):
        return super().forward(x.detach() if self.training else x)


@misconception(
    "StochasticPooling",
    hint="In evaluation the probabilities depend on the input too. Does a gradient flow through them?",
)
class TakesProbabilitiesForConstants(StochasticPooling):
    """Gradient: in evaluation it flows through the activations only."""

    def forward(self, x):
        windows = checked_windows(self, x)
        return super().forward(x) if self.training else (shares(windows).detach() * windows).sum(-1)


@misconception(
    "StochasticPooling",
    hint="Is a pixel with twice the activation drawn twice as often in training? Compare with the formula.",
)
class DrawsWithSoftmaxWeights(StochasticPooling):
    """Statistics: in training the probabilities are a softmax of the activations."""

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        return picked(windows, draw(windows.softmax(-1) * (windows > 0)))


@misconception(
    "StochasticPooling",
    hint="When does your module roll its dice? Every call in training needs new ones.",
    as_good_as="training_follows_torchs_seed",
)
class KeepsItsFirstDraw(StochasticPooling):
    """State: the places that were drawn first serve for all inputs with as many windows."""

    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.places = {}

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        places = self.places.setdefault(windows.shape, draw(windows))
        return picked(windows, places)


@misconception("StochasticPooling", hint="Use one layer for a small and then for a large image. What do you remember?")
class ReshapesToTheFirstSize(StochasticPooling):
    """State: the result has the height and width of the first one."""

    sides = None

    def forward(self, x):
        pooled = super().forward(x)
        self.sides = self.sides or pooled.shape[2:]
        return pooled.reshape(*x.shape[:2], *self.sides)


@misconception(
    "StochasticPooling", hint="Does a gradient flow in evaluation mode, too? `eval()` and `no_grad()` are two things."
)
class ExpectsWithoutGradient(StochasticPooling):
    """Gradient: none flows in evaluation mode."""

    def forward(self, x):
        return super().forward(x if self.training else x.detach())


@misconception(
    "StochasticPooling", hint="Your dtype is right. Does an expected value still have all its digits in float64?"
)
class ExpectsInFloat32(StochasticPooling):
    """Precision: in evaluation a float64 input is pooled in float32."""

    def forward(self, x):
        return super().forward(x) if self.training else super().forward(x.float()).to(x.dtype)


@misconception(
    "StochasticPooling", hint="Your dtype is right. Is the number that you draw still the pixel's, to the last digit?"
)
class DrawsInFloat32(StochasticPooling):
    """Precision: in training a float64 input is pooled in float32."""

    def forward(self, x):
        return super().forward(x.float()).to(x.dtype) if self.training else super().forward(x)


@misconception("StochasticPooling", hint="On a GPU, where would your dice be, and where are the activations?")
class RollsDiceOnTheCpu(StochasticPooling):
    """Device: the random numbers are made on the CPU wherever the input is."""

    def forward(self, x):
        windows = checked_windows(self, x)
        if not self.training:
            return expected(windows)
        dice = torch.rand(windows.shape[:-1], dtype=x.dtype).unsqueeze(-1)
        places = (shares(windows).cumsum(-1) <= dice).sum(-1, keepdim=True)
        last = windows.shape[-1] - 1 - (windows > 0).flip(-1).int().argmax(-1, keepdim=True)
        return picked(windows, places.minimum(last))


@misconception(
    "StochasticPooling", hint="Call one layer twice, and look at the first result again. Whose memory is it in?"
)
class DrawsIntoItsOwnMemory(StochasticPooling):
    """Memory: a result is written over when the layer is called again."""

    def __init__(self, kernel_size, stride=None):
        super().__init__(kernel_size, stride)
        self.results = {}

    def forward(self, x):
        pooled = super().forward(x)
        return pooled if self.training else rewritten(self.results, pooled)


@misconception("StochasticPooling", hint="`squeeze()` removes *every* dimension of size 1. Which results have one?")
class SqueezesTheDraws(StochasticPooling):
    """squeeze() drops a single sample, channel, row or column."""

    def forward(self, x):
        return super().forward(x).squeeze()


@misconception(
    "StochasticPooling",
    hint="A window that does not fit raises an exception from PyTorch. Which one does the exercise name?",
)
class LeavesTheWindowToUnfold(StochasticPooling):
    """Exception type: RuntimeError, from Tensor.unfold, when the window does not fit."""

    def forward(self, x):
        x.unfold(2, self.kernel_size, self.stride).unfold(3, self.kernel_size, self.stride)
        return super().forward(x)


@misconception("StochasticPooling", hint="Does a window that is exactly as large as the map fit?")
class RefusesTheWholeMapAsAWindow(StochasticPooling):
    """A window as large as the map is rejected."""

    def forward(self, x):
        if min(x.shape[2:]) <= self.kernel_size:
            raise ValueError("the window does not fit")
        return super().forward(x)


@misconception("StochasticPooling", hint="Which numbers are negative? Your module forgives some of them.")
class ForgivesSmallNegativeNumbers(StochasticPooling):
    """A negative number above -0.001 is treated as 0."""

    def forward(self, x):
        return super().forward(torch.where((x < 0) & (x > -1e-3), 0, x))


@misconception(
    "StochasticPooling",
    hint="A negative input is not noticed in evaluation, and in training it is PyTorch that complains. Who should?",
)
class LeavesNegativeInputToMultinomial(StochasticPooling):
    """A negative input is not checked: evaluation returns numbers, training raises multinomial's RuntimeError."""

    def forward(self, x):
        windows = windows_of(x, self.kernel_size, self.stride)
        return picked(windows, draw(windows)) if self.training else expected(windows)


@misconception("StochasticPooling", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
class AssertsThatTheInputIsPositive(StochasticPooling):
    """Exception type: AssertionError for a negative input."""

    def forward(self, x):
        windows_of(x, self.kernel_size, self.stride)
        assert (x >= 0).all(), "the input must not be negative"
        return super().forward(x)


@misconception(
    "StochasticPooling",
    hint="Over which pixels does the sum in the formula go? Add up the probabilities of a single window.",
)
class DividesByTheSumOfTheMap(StochasticPooling):
    """In evaluation the activations are divided by the sum over the whole map."""

    def forward(self, x):
        if self.training:
            return super().forward(x)
        windows = checked_windows(self, x)
        total = windows.sum((-1, -2, -3), keepdim=True)
        return (windows**2 / total.masked_fill(total == 0, 1)).sum(-1)
