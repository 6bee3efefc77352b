"""`learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10)`: gradient descent on the summed squared error.

The submission may choose the distribution of its start. So the checks ask for its start (`steps=0`) and, with the same
seed, for its kernel after some steps; the steps in between are computed here.
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import too_large_kernels

from autograder.grading import CONVOLUTION, Tolerance, exercise, expect, expect_tensor, forbids, points, time_limit
from autograder.probes import stays_on_device

# The first use of torch.optim in a process imports a good part of PyTorch, which takes a while.
pytestmark = [exercise("learn_kernel"), forbids(CONVOLUTION), time_limit(20)]

# A map without symmetries on which gradient descent makes quick progress.
MAP = torch.tensor([[1.5, -1.0, -1.0, 1.0], [0.0, 1.5, 1.5, -1.0], [-1.0, 1.5, 0.0, -1.0]])
TARGET = torch.tensor([[1.0, -0.5, 2.0], [-2.0, 1.5, 0.5]])  # no kernel reaches this
SIZE = (2, 2)


def descent(start, x, y, lr, steps, factor=2.0, adding_up=False):
    """`steps` steps of gradient descent from `start`, in float64. The derivative of e² is `factor` · e · e′."""
    k, x, y = start.double(), x.double(), y.double()
    windows = x.unfold(0, k.shape[0], 1).unfold(1, k.shape[1], 1)
    gradient = torch.zeros_like(k)
    for _ in range(steps):
        error = (windows * k).sum((-2, -1)) - y
        gradient = (gradient if adding_up else 0) + factor * (error[..., None, None] * windows).sum((0, 1))
        k = k - lr * gradient
    return k


def agree(one, other):
    """Whether two kernels are the same apart from float32 rounding."""
    return bool(((one - other).abs() <= 1e-4 * (other.abs().max() + 1e-3)).all())


def rounded(kernel):
    return [round(value, 4) for value in kernel.flatten().tolist()]


def kernels(results, count=2, dtype=torch.float32, exact=""):
    """The kernels that a probe returned."""
    expect(isinstance(results, list) and len(results) == count, "Your function did not return a tensor.")
    return [expect_tensor(value, torch.empty(SIZE, dtype=dtype), exact=exact) for value in results]


def with_one_seed(inputs, *calls):
    """A probe: what the function returns for each of these keyword arguments, from the same seed."""

    def probe(m):
        results = []
        for options in calls:
            torch.manual_seed(3)
            results.append(m.learn_kernel(*inputs, **options))
        return results

    return probe


def expect_descent(results, steps, lr):
    """`results` are the start and the kernel after the steps; the hint names the known mistake behind it, if any."""
    start, got = kernels(results)
    wanted = descent(start, MAP, TARGET, lr, steps)
    ways = {
        "Is your kernel any different from the start?": (0.0, 1),
        "You use the mean of the squared errors; the exercise asks for their sum.": (lr, steps, 2.0 / TARGET.numel()),
        "What is the derivative of e²? Let autograd find out.": (lr, steps, 1.0),
        "Gradients of earlier steps are still there in the next one.": (lr, steps, 2.0, True),
        "Does a step go downhill or uphill?": (-lr, steps),
        "Count your steps: there is one too many.": (lr, steps + 1),
        "Count your steps: there is one too few.": (lr, steps - 1),
        "Your learning rate is always 0.03, whatever the caller says.": (0.03, steps),
        "Your number of steps is always 10, whatever the caller says.": (lr, 10),
    }
    hint = next((text for text, way in ways.items() if agree(got, descent(start, MAP, TARGET, *way))), "")
    text = f"From the start {rounded(start)} (row by row), {steps} step(s) with lr={lr:g} should lead to"
    hint = hint or "Print the error after each step, and compute one step for a kernel of 1×1 by hand."
    expect(agree(got, wanted), f"{text} {rounded(wanted)}, but led to {rounded(got)}.", hint=hint)


def shape_of_result(m, size, steps):
    return list(m.learn_kernel(MAP, torch.ones(4 - size[0], 5 - size[1]), size, steps=steps).shape)


@points(0.5)
@given(size=st.sampled_from([(2, 2), (2, 3)]), steps=st.integers(0, 2))
@settings(max_examples=5)
def test_shape(same_outcome, size, steps):
    """The result has the shape `kernel_size`."""
    same_outcome(lambda m: shape_of_result(m, size, steps))


@points(0.5)
@given(size=st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 2), (2, 4), (3, 4), (3, 1)]), steps=st.integers(0, 2))
@settings(max_examples=7)
def test_kernel_of_one_pixel_or_as_large_as_the_map(same_outcome, size, steps):
    """A kernel of one row, of one column, or as tall or as wide as the map has the shape `kernel_size` as well."""
    same_outcome(lambda m: shape_of_result(m, size, steps))


@points(1)
def test_learns_the_kernel(same_outcome):
    """With enough steps, the function finds the kernel that produced Y from X."""
    edges = MAP[:, :-1] - MAP[:, 1:]
    tolerance = Tolerance(1e-2, 1e-2)
    same_outcome(lambda m: m.learn_kernel(MAP, edges, (1, 2), lr=0.04, steps=8), tolerance=tolerance)
    corners = 2 * MAP[:-1, :-1] - MAP[:-1, 1:] + 0.5 * MAP[1:, 1:]
    same_outcome(lambda m: m.learn_kernel(MAP, corners, SIZE, lr=0.05, steps=10), tolerance=tolerance)


@points(2)
def test_each_step(student):
    """Starting at random, every step goes downhill by lr times the gradient of the summed squared error."""
    for steps, lr in ((1, 0.02), (2, 0.02), (5, 0.01)):
        results = student(with_one_seed((MAP, TARGET, SIZE), {"steps": 0}, {"lr": lr, "steps": steps}))
        expect_descent(results, steps, lr)


@points(1)
def test_defaults(student):
    """By default there are 10 steps with a learning rate of 0.03."""
    x = MAP / 4  # so that ten steps do not get close to the end
    results = student(with_one_seed((x, TARGET, SIZE), {}, {"lr": 3e-2, "steps": 10}))
    silent, told = kernels(results)
    text = "without further arguments the kernel was {0} (row by row), with lr=0.03 and steps=10 it was {1}."
    expect(agree(silent, told), f"From the same start, {text.format(rounded(silent), rounded(told))}")


@points(0.5)
def test_learning_rate(student):
    """The caller sets the learning rate: twice the rate makes a step twice as long."""
    calls = {"steps": 0}, {"lr": 0.01, "steps": 1}, {"lr": 0.02, "steps": 1}
    start, one, two = kernels(student(with_one_seed((MAP, TARGET, SIZE), *calls)), 3)
    text = f"One step with lr=0.01 added {rounded(one - start)} to the start, one with lr=0.02 {rounded(two - start)}."
    hint = "Is the learning rate of your step the one that the caller gives?"
    expect(not agree(start, one) and agree(2 * (one - start), two - start), text, hint=hint)


@points(1.5)
def test_random_start(student):
    """With steps=0 the start is returned: random, from torch's generator, and independent of everything else."""

    def probe(m):
        starts = []
        for seed, x, y, lr in ((1, MAP, TARGET, 0.03), (2, MAP, TARGET, 0.03), (1, 5 * MAP[:, :3], TARGET[:, 1:], 0.1)):
            torch.manual_seed(seed)
            starts.append(m.learn_kernel(x, y, SIZE, lr=lr, steps=0))
        return [*starts, m.learn_kernel(MAP, TARGET, SIZE, steps=0)]

    first, other, again, later = kernels(student(probe), 4)
    expect(first.isfinite().all(), f"The start contains {first.flatten().tolist()}.")
    expect(first.unique().numel() > 1, "All numbers in the start are the same: they should be random.")
    hint = "torch.rand and torch.randn draw from torch's global generator. Does your start depend on X, Y or lr?"
    expect(torch.equal(first, again), "The same torch.manual_seed gave two different starts.", hint=hint)
    hint = "Does your code set a seed, or keep a kernel from an earlier call?"
    expect(not torch.equal(first, other), "Different seeds gave the same start.", hint=hint)
    expect(not torch.equal(again, later), "Two calls in a row gave the same start.", hint=hint)


@points(1)
def test_detached(same_outcome):
    """The result is a tensor that does not require a gradient, even with steps=0."""

    def probe(m, steps):
        result = m.learn_kernel(MAP, TARGET, SIZE, steps=steps)
        if not isinstance(result, torch.Tensor):
            raise TypeError(f"learn_kernel must return a tensor, not a value of type {type(result).__name__}")
        return {"requires_grad of the result": result.requires_grad}

    for steps in (0, 1, 3):
        same_outcome(lambda m, steps=steps: probe(m, steps))


@points(0.5)
def test_dtype(student, same_outcome):
    """The kernel has the dtype and the device of X and Y; with float64 it is computed in that precision."""
    x, y = MAP.double() / 3, TARGET.double() / 7
    results = student(with_one_seed((x, y, SIZE), {"steps": 0}, {"lr": 0.05, "steps": 1}))
    start, end = kernels(results, dtype=torch.float64, exact="dtype")
    # Other checks cover the length of a step; this one is about the precision of its direction.
    wanted, got = descent(start, x, y, 0.05, 1) - start, end - start
    share = (got * wanted).sum() / (wanted * wanted).sum()
    text = "The step does not have the precision of float64. Is there a float32 tensor along the way?"
    expect(got.abs().max() > 0 and ((got - share * wanted).abs() <= 1e-9 * got.abs().max()).all(), text)
    for steps in (0, 2):
        same_outcome(lambda m, n=steps: {"dtype for float32": m.learn_kernel(MAP, TARGET, SIZE, steps=n).dtype})
        same_outcome(lambda m, n=steps: stays_on_device(lambda x, y: m.learn_kernel(x, y, SIZE, steps=n), MAP, TARGET))


@points(0.5)
def test_any_memory_layout(student):
    """X and Y may be transposed or cut out of larger ones."""
    wide = torch.zeros(6, 12)[::2, 1::3].copy_(MAP)
    turned = TARGET.t().contiguous().t()
    for x, y in ((MAP.t().contiguous().t(), TARGET), (wide, turned)):

        def probe(m, x=x, y=y):
            results = []
            for inputs in ((MAP, TARGET), (x, y)):
                torch.manual_seed(3)
                results.append(m.learn_kernel(*inputs, SIZE, lr=0.02, steps=3))
            return results

        rows, other = kernels(student(probe))
        strides = f"strides {x.stride()} of X and {y.stride()} of Y"
        expect(agree(rows, other), f"With {strides} the kernel is {rounded(other)} instead of {rounded(rows)}.")


@points(0.5)
@given(steps=st.integers(1, 3))
@settings(max_examples=3)
def test_arguments_are_not_modified(same_outcome, steps):
    """The call does not modify X and Y, and does not make them require a gradient."""

    def probe(m):
        m.learn_kernel(MAP, TARGET, SIZE, steps=steps)
        wanted = {"requires_grad of X": MAP.requires_grad, "requires_grad of Y": TARGET.requires_grad}
        return {"X after the call": MAP, "Y after the call": TARGET, **wanted}

    same_outcome(probe)


@points(0.5)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel size larger than the map, in one direction or both, raises a ValueError."""
    x, size = case[0], tuple(case[1].shape)
    same_outcome(lambda m: m.learn_kernel(x, torch.ones(1, 1), size, steps=1), raises=ValueError)
