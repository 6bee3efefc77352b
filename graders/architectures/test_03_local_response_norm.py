"""`local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0)`: strong channels dampen their neighbours."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import SLOPES, TOGETHER, agree, float64, is_exact, measured_slope, step

from autograder.grading import POOLING, exercise, forbids, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import ON_ITS_DEVICE, gradients, on_meta_device

pytestmark = [exercise("local_response_norm"), forbids("*local_response_norm*")]

sums_itself = forbids(POOLING)  # for the checks that are about the sum

sizes = st.sampled_from([1, 3, 5, 7])
constants = st.tuples(
    st.sampled_from([1.0, 0.1, 0.01]),  # alpha
    st.sampled_from([0.5, 0.75, 1.0, 2.0]),  # beta
    st.sampled_from([1.0, 2.0, 5.0]),  # k
)


def images(channels=(8, 8), **options):
    return tensors(shapes((2, 3), channels, (2, 4), (2, 4)), **{"layouts": False, **options})


def influence(m, channels, size):
    """For each channel, whether the result of each other channel changes if this one becomes stronger."""
    x = torch.ones(channels + 1, channels, 2, 2)
    x[range(channels), range(channels)] = 2
    y = m.local_response_norm(x, size, 0.1, 1.0, 1.0)[:, :, 0, 0]
    changed = (y[:-1] - y[-1]).abs() > 1e-4
    return changed.T.tolist()


@points(1)
@sums_itself
@given(x=images((1, 1)), size=st.sampled_from([3, 5, 7]), constants=constants)
def test_formula(same_outcome, x, size, constants):
    """If its neighbours are 0, a channel is divided by (k + alpha · x²)^beta."""
    x = torch.cat([0 * x] * 8 + [x] + [0 * x] * 8, 1)
    same_outcome(lambda m: m.local_response_norm(x, size, *constants)[:, 8])


@points(0.5)
@sums_itself
@given(size=st.sampled_from([1, 3, 5, 7]))
def test_neighbours(same_outcome, size):
    """The sum for a channel runs over the `size` channels around it."""
    channels = size + 6  # enough on both sides of the channel in the middle

    def probe(m):
        return {"channels that change the result of the one in the middle": influence(m, channels, size)[channels // 2]}

    same_outcome(probe)


@points(0.5)
@sums_itself
@given(size=st.sampled_from([3, 5, 7]))
def test_edges(same_outcome, size):
    """At the edges there are fewer channels in the sum: nothing comes before the first one or after the last one."""

    def probe(m):
        found = influence(m, size + 6, size)
        return {"channels that change the first one": found[0], "channels that change the last one": found[-1]}

    same_outcome(probe)


@points(0.5)
@given(channels=st.integers(2, 5), size=st.sampled_from([11, 13, 15]))
def test_size_larger_than_the_number_of_channels(same_outcome, channels, size):
    """The sum may be over all channels, because `size` is larger than their number."""
    same_outcome(lambda m: {"whether a channel (row) changes with another": influence(m, channels, size)})


@points(0.5)
@given(x=images((10, 10), values="negative"))
def test_defaults_and_names(same_outcome, x):
    """The constants are 5, 1e-4, 0.75 and 2 by default; others may be passed by name."""

    def probe(m):
        implicit, explicit = m.local_response_norm(100 * x), m.local_response_norm(100 * x, 5, 1e-4, 0.75, 2.0)
        named = m.local_response_norm(x, beta=1.0, alpha=0.5, k=1.5, size=3)
        return {
            'answer to "is the result the same if the defaults are passed explicitly?"': agree(implicit, explicit),
            'answer to "can arguments be passed by name?"': agree(named, m.local_response_norm(x, 3, 0.5, 1.0, 1.5)),
        }

    same_outcome(probe)


@points(0.25)
@given(
    x=tensors(st.sampled_from([(1, 1, 1, 1), (1, 1, 3, 2), (2, 1, 1, 4), (1, 4, 1, 1), (3, 3, 3, 3)]), layouts=False)
)
def test_extents_of_one(same_outcome, x):
    """The shape stays the same, whatever the extents are."""
    same_outcome(lambda m: {"shape": list(m.local_response_norm(x, 3, 1.0).shape)})


@points(0.25)
@given(x=images(), constants=constants)
def test_zeros(same_outcome, x, constants):
    """Zeros stay zeros, and their gradient is finite."""
    x = torch.where(x > 0, x, 0)

    def probe(m):
        gradient = gradients(lambda x: m.local_response_norm(x, 3, *constants), x)[0]
        return {
            "results where the input is zero": m.local_response_norm(x, 3, *constants)[x == 0],
            'answer to "are all gradients finite?"': gradient is None or bool(gradient.isfinite().all()),
        }

    same_outcome(probe)


@points(0.5)
@given(x=images(dtype=float64), constants=constants)
def test_gradient(same_outcome, x, constants):
    """A gradient reaches the input and predicts how the result changes: x is also in the denominators."""

    def probe(m):
        def function(x):
            return m.local_response_norm(x, 3, *constants)

        [gradient], z = gradients(function, x), x.clone()
        said = 0.0 if gradient is None else float((gradient * step(x)).sum())
        does = measured_slope(lambda z: function(z.clone()), z, [z])
        return {"slope that the gradient predicts, in measured ones": said / (does or 1.0)}

    same_outcome(probe, tolerance=SLOPES)


@points(0.25)
@given(x=images(dtype=float64))
def test_dtype(same_outcome, x):
    """The result has the dtype of the input; with float64 it has that precision."""
    x = x + 0.25  # nothing is 0

    def probe(m):
        def function(x):
            return m.local_response_norm(x.clone(), 3, 1.0)

        return {
            "dtype for float64": str(function(x).dtype),
            "dtype for float32": str(function(x.float()).dtype),
            'answer to "does no step of the computation round to float32?"': is_exact(function, x),
        }

    same_outcome(probe)


@points(0.25)
@given(x=images(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""

    def probe(m):
        y, other = (m.local_response_norm(image, 3, 0.1) for image in (x, x.contiguous()))
        return {"shape": list(y.shape), 'answer to "does a contiguous copy give the same?"': agree(y, other)}

    same_outcome(probe)


@points(0.25)
@given(x=images())
def test_argument_is_not_modified(same_outcome, x):
    """The tensor that was passed in is unchanged afterwards."""

    def probe(m):
        m.local_response_norm(x, 3, 0.1)
        return {"input after the call": x}

    same_outcome(probe)


@points(0.25)
def test_calls_do_not_affect_each_other(same_outcome):
    """A second call does not change the result of the first one, and may have another size."""

    def probe(m):
        x = torch.linspace(-3, 4, 2 * 12 * 3 * 2).sin().reshape(2, 12, 3, 2)
        first = m.local_response_norm(x, 3, 0.1)
        before = first.clone()
        second = m.local_response_norm(x, 5, 0.1)
        m.local_response_norm(x + 1, 3, 0.1)
        return {
            'answer to "is the first result still the same?"': agree(first, before),
            'answer to "does another size give another result?"': not agree(before, second),
        }

    same_outcome(probe)


@points(0.25)
def test_device(same_outcome):
    """The result is on the input's device. (Here: "meta", which has no numbers and stands in for a GPU.)"""
    x = torch.ones(2, 6, 3, 3)

    def probe(m):
        m.local_response_norm(x)  # raises what has nothing to do with the device
        return {ON_ITS_DEVICE: on_meta_device(lambda: m.local_response_norm(x.to("meta")))}

    same_outcome(probe)


@points(0.75)
@sums_itself
@given(x=tensors(shapes((1, 3), (1, 10), (1, 4), (1, 4)), dtype=float64), size=sizes, constants=constants)
def test_everything_together(same_outcome, x, size, constants):
    """All at once: results and gradients for numbers of both signs, any number of channels, and any memory layout."""

    def probe(m):
        [gradient] = gradients(lambda x: m.local_response_norm(x, size, *constants), x)
        return {"result": m.local_response_norm(x, size, *constants), "gradient": gradient}

    same_outcome(probe, tolerance=TOGETHER)
