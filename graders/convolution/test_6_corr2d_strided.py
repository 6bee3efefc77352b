"""`corr2d_strided(X, K, padding=(0, 0), stride=(1, 1))`: a border of zeros, and larger steps."""

from hypothesis import given
from hypothesis import strategies as st
from inputs import cases, float64, too_large_kernels, with_steps

from autograder.grading import CONVOLUTION, exercise, forbids, points
from autograder.probes import after_another_call, gradients, stays_on_device

pytestmark = [exercise("corr2d_strided"), forbids(CONVOLUTION)]

none, one = st.just(0), st.just(1)
small, steps = st.integers(0, 2), st.integers(1, 4)
uneven = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda pair: pair[0] != pair[1])
uneven_steps = st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda pair: pair[0] != pair[1])
borders, strides = st.one_of(small, uneven), st.one_of(steps, uneven_steps)


@points(1)
@given(case=cases())
def test_defaults(same_outcome, case):
    """By default there is no border, and the window moves by one pixel."""
    same_outcome(lambda m: m.corr2d_strided(*case))


@points(1.5)
@given(case=with_steps(st.integers(1, 2), one))
def test_padding(same_outcome, case):
    """An int is the width of a border of zeros on each side."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_strided(x, k, padding=padding))


@points(1.5)
@given(case=with_steps(uneven, one))
def test_pair_of_paddings(same_outcome, case):
    """A pair is (rows above and below, columns left and right)."""
    x, k, padding, _ = case
    same_outcome(lambda m: m.corr2d_strided(x, k, padding))


@points(1.5)
@given(case=with_steps(none, st.integers(2, 4)))
def test_stride(same_outcome, case):
    """An int is the step in both directions; a window that would hang over the edge is left out."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(1.5)
@given(case=with_steps(none, uneven_steps))
def test_pair_of_strides(same_outcome, case):
    """A pair is (step downwards, step to the right)."""
    x, k, _, stride = case
    same_outcome(lambda m: m.corr2d_strided(x, k, stride=stride))


@points(1)
@given(case=with_steps(borders, strides), other=with_steps(uneven, uneven_steps, values="negative"))
def test_padding_and_stride(same_outcome, case, other):
    """Padding and stride together, ints and pairs in any combination."""
    same_outcome(lambda m: m.corr2d_strided(*case))
    x, k, padding, stride = other
    same_outcome(lambda m: m.corr2d_strided(1000 * x, k, stride=stride, padding=padding))


@points(0.5)
@given(case=with_steps(st.integers(3, 4), strides))
def test_wide_border(same_outcome, case):
    """The border may be wider than the kernel: some windows then see nothing but zeros."""
    same_outcome(lambda m: m.corr2d_strided(*case))


@points(1)
@given(case=with_steps(borders, strides))
def test_gradients(same_outcome, case):
    """The gradient reaches the map and the kernel."""
    x, k, padding, stride = case

    def probe(m):
        of_x, of_k = gradients(lambda x, k: m.corr2d_strided(x, k, padding, stride), x, k)
        return {"gradient of X": of_x, "gradient of K": of_k}

    same_outcome(probe)


@points(0.5)
@given(case=with_steps(borders, strides, dtype=float64))
def test_dtype(same_outcome, case):
    """The result is a map with the dtype and the device of the given one; with float64 it has that precision."""
    x, k, *step = case
    same_outcome(lambda m: m.corr2d_strided(x / 3, k / 7, *step), exact="dtype shape")
    same_outcome(lambda m: m.corr2d_strided(x.float(), k.float(), *step), exact="dtype shape")
    same_outcome(lambda m: stays_on_device(lambda x, k: m.corr2d_strided(x, k, *step), x, k))


@points(0.5)
@given(case=with_steps(borders, strides, layouts=True))
def test_any_memory_layout(same_outcome, case):
    """Map and kernel may be transposed or cut out of larger ones."""
    same_outcome(lambda m: m.corr2d_strided(*case))


@points(0.5)
@given(case=with_steps(borders, strides))
def test_arguments_are_not_modified(same_outcome, case):
    """The call modifies neither its arguments nor the result of an earlier call."""
    x, k, *step = case

    def probe(m):
        m.corr2d_strided(x, k, *step)
        after = {"X after the call": x.clone(), "K after the call": k.clone()}
        return {**after, **after_another_call(lambda x: m.corr2d_strided(x, k, *step), x, x + 1)}

    same_outcome(probe)


@points(1)
@given(plain=too_large_kernels(), padded=too_large_kernels(padding=1), stride=strides)
def test_kernel_that_does_not_fit(same_outcome, plain, padded, stride):
    """A kernel larger than the map with its border raises a ValueError; the border counts."""
    same_outcome(lambda m: m.corr2d_strided(*plain, stride=stride), raises=ValueError)
    same_outcome(lambda m: m.corr2d_strided(*padded, 1, stride), raises=ValueError)
