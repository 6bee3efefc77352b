"""`learn_kernel(X, Y, kernel_size, lr=3e-2, steps=10)`: gradient descent on the summed squared error.

How the start is distributed is left to the submission. So it is asked for its start (`steps=0`) and, with the same
seed, for what it has after some steps; the way from the one to the other is computed here.
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import float32, too_large_kernels

from autograder.grading import CONVOLUTION, Tolerance, exercise, expect, expect_tensor, forbids, points, time_limit

# The first use of torch.optim in a process imports a good part of PyTorch, which takes a while.
pytestmark = [exercise("learn_kernel"), forbids(CONVOLUTION), time_limit(20)]

# A map without symmetries on which gradient descent gets along quickly.
MAP = torch.tensor([[1.5, -1.0, -1.0, 1.0], [0.0, 1.5, 1.5, -1.0], [-1.0, 1.5, 0.0, -1.0]])
TARGET = torch.tensor([[1.0, -0.5, 2.0], [-2.0, 1.5, 0.5]])  # what no kernel reaches
SIZE = (2, 2)


def descent(start, x, y, lr, steps, factor=2.0, *, adding_up=False):
    """`steps` steps of gradient descent from `start`, in float64. The derivative of e² is `factor` · e · e′."""
    k, x, y = start.double(), x.double(), y.double()
    windows = x.unfold(0, k.shape[0], 1).unfold(1, k.shape[1], 1)
    gradient = torch.zeros_like(k)
    for _ in range(steps):
        error = (windows * k).sum((-2, -1)) - y
        gradient = (gradient if adding_up else 0) + factor * (error[..., None, None] * windows).sum((0, 1))
        k = k - lr * gradient
    return k


def expect_descent(results, x, y, lr, steps):
    """`results` are the start and what it has become; says which known mistake leads there, if one does."""
    expect(isinstance(results, list) and len(results) == 2, "Your function returned no tensor.")
    like = torch.empty(SIZE, dtype=x.dtype)
    start, got = (expect_tensor(value, like) for value in results)

    def agrees(wanted):
        bound = 1e-4 if x.dtype is float32 else 1e-7
        return bool(((got - wanted).abs() <= bound * (1 + wanted.abs().max())).all())

    wanted = descent(start, x, y, lr, steps)
    if agrees(wanted):
        return
    pixels = y.numel()
    ways = {
        "Is your kernel any different from the start?": (lr, steps, 2.0, False),
        "You follow the mean of the squared errors; the task wants their sum.": (lr, steps, 2.0 / pixels, False),
        "What is the derivative of e²? Let autograd find out.": (lr, steps, 1.0, False),
        "Gradients of earlier steps are still there when the next one comes.": (lr, steps, 2.0, True),
        "Does a step go downhill or uphill?": (-lr, steps, 2.0, False),
        "Count your steps: there is one too many.": (lr, steps + 1, 2.0, False),
        "Count your steps: there is one too few.": (lr, steps - 1, 2.0, False),
        "Your learning rate is always 0.03, whatever the caller says.": (0.03, steps, 2.0, False),
        "Your number of steps is always 10, whatever the caller says.": (lr, 10, 2.0, False),
    }
    hint = "Print the error after each step, and compute one step for a kernel of 1×1 by hand."
    for text, (rate, count, factor, adding_up) in ways.items():
        count = 0 if text.startswith("Is your") else count
        if agrees(descent(start, x, y, rate, count, factor, adding_up=adding_up)):
            hint = text
            break
    numbers = [[round(value, 4) for value in tensor.flatten().tolist()] for tensor in (start, wanted, got)]
    words = f"{steps} step{'s' * (steps != 1)} with lr={lr:g}"
    text = "From the start {0} (row by row) {words} should lead to {1}, but led to {2}."
    expect(False, text.format(*numbers, words=words), hint=hint)


def start_and_end(x, y, **options):
    """A probe: what the function starts from and where it ends, with the same seed."""

    def probe(m):
        results = []
        for chosen in ({**options, "steps": 0}, options):
            torch.manual_seed(3)
            results.append(m.learn_kernel(x, y, SIZE, **chosen))
        return results

    return probe


@points(1)
@given(
    size=st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 2), (2, 3), (3, 4), (3, 1)]),
    steps=st.integers(0, 2),
)
@settings(max_examples=10)
def test_shape(same_outcome, size, steps):
    """The result has the shape `kernel_size`."""
    y = torch.ones(4 - size[0], 5 - size[1])
    same_outcome(lambda m: list(m.learn_kernel(MAP, y, size, steps=steps).shape))


@points(1)
def test_learns_the_kernel(same_outcome):
    """With enough steps the kernel is found that made Y out of X."""
    edges = MAP[:, :-1] - MAP[:, 1:]
    tolerance = Tolerance(1e-2, 1e-2)
    same_outcome(lambda m: m.learn_kernel(MAP, edges, (1, 2), lr=0.04, steps=8), tolerance=tolerance)
    corners = 2 * MAP[:-1, :-1] - MAP[:-1, 1:] + 0.5 * MAP[1:, 1:]
    same_outcome(lambda m: m.learn_kernel(MAP, corners, SIZE, lr=0.05, steps=10), tolerance=tolerance)


@points(2)
def test_each_step(student):
    """Every step goes by lr times the gradient of the summed squared error, away from the random start."""
    for steps, lr in ((1, 0.02), (2, 0.02), (5, 0.01)):
        results = student(start_and_end(MAP, TARGET, lr=lr, steps=steps))
        expect_descent(results, MAP, TARGET, lr, steps)


@points(1)
def test_defaults(student):
    """Without further arguments there are 10 steps with a learning rate of 0.03."""
    x = MAP / 4  # so that ten steps do not come near the end
    results = student(start_and_end(x, TARGET))
    expect_descent(results, x, TARGET, 0.03, 10)


@points(0.5)
def test_learning_rate(student):
    """The learning rate is the caller's: a rate of 0 leaves the start as it is."""
    for lr in (0.0, 0.002, 0.05):
        results = student(start_and_end(MAP, TARGET, lr=lr, steps=2))
        expect_descent(results, MAP, TARGET, lr, 2)


@points(1.5)
def test_random_start(student):
    """With steps=0 the start is returned: random, from torch's generator, and dependent on nothing else."""

    def probe(m):
        starts = []
        for seed, x, y, lr in ((1, MAP, TARGET, 0.03), (2, MAP, TARGET, 0.03), (1, 5 * MAP[:, :3], TARGET[:, 1:], 0.1)):
            torch.manual_seed(seed)
            starts.append(m.learn_kernel(x, y, SIZE, lr=lr, steps=0))
        return [*starts, m.learn_kernel(MAP, TARGET, SIZE, steps=0)]

    results = student(probe)
    expect(isinstance(results, list) and len(results) == 4, "Your function returned no tensor.")
    first, other, again, later = (expect_tensor(value, torch.empty(SIZE)) for value in results)
    expect(first.isfinite().all(), f"The start holds {first.flatten().tolist()}.")
    expect(first.unique().numel() > 1, "All numbers of the start are alike: they should be random.")
    hint = "torch.rand and torch.randn draw from torch's global generator. Does your start depend on X, Y or lr?"
    expect(torch.equal(first, again), "The same torch.manual_seed gave two different starts.", hint=hint)
    expect(not torch.equal(first, other), "Different seeds gave the same start.", hint="Does your code set a seed?")
    expect(not torch.equal(again, later), "Two calls in a row gave the same start.", hint="Does your code set a seed?")


@points(1)
def test_detached(student):
    """The result is a tensor that needs no gradient, also with steps=0."""
    for steps in (0, 1, 3):
        result = student(lambda m, steps=steps: m.learn_kernel(MAP, TARGET, SIZE, steps=steps))
        expect_tensor(result, torch.empty(SIZE, dtype=result.dtype if isinstance(result, torch.Tensor) else float32))
        expect(not result.requires_grad, f"With steps={steps} the result still requires a gradient: detach it.")


@points(0.5)
def test_dtype(student):
    """float64 tensors give a float64 kernel, computed in that precision."""
    x, y = MAP.double() / 3, TARGET.double() / 7
    results = student(start_and_end(x, y, lr=0.05, steps=4))
    expect_descent(results, x, y, 0.05, 4)


@points(0.5)
def test_any_memory_layout(student):
    """X and Y may be transposed or cut out of larger ones."""
    wide = torch.zeros(6, 12)[::2, 1::3].copy_(MAP)
    for x, y in ((MAP.t().contiguous().t(), TARGET), (wide, TARGET.t().contiguous().t())):
        results = student(start_and_end(x, y, lr=0.02, steps=3))
        expect_descent(results, MAP, TARGET, 0.02, 3)


@points(0.5)
@given(steps=st.integers(1, 3))
@settings(max_examples=3)
def test_arguments_are_not_modified(same_outcome, steps):
    """X and Y are the same afterwards, and nobody asks for their gradients."""

    def probe(m):
        m.learn_kernel(MAP, TARGET, SIZE, steps=steps)
        wanted = {"X requires a gradient": MAP.requires_grad, "Y requires a gradient": TARGET.requires_grad}
        return {"X after the call": MAP, "Y after the call": TARGET, **wanted}

    same_outcome(probe)


@points(0.5)
@given(case=too_large_kernels())
def test_kernel_that_does_not_fit(same_outcome, case):
    """A kernel size that is larger than the map, in one direction or both, is a ValueError."""
    x, size = case[0], tuple(case[1].shape)
    same_outcome(lambda m: m.learn_kernel(x, torch.ones(1, 1), size, steps=1))
