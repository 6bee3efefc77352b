"""`local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0)`: strong channels dampen their neighbours."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from inputs import agree, float64

from autograder.grading import POOLING, exercise, forbids, points
from autograder.grading.strategies import shapes, tensors
from autograder.probes import ON_ITS_DEVICE, gradients, on_meta_device

pytestmark = [exercise("local_response_norm"), forbids(POOLING, ("*local_response_norm*",))]

constants = st.tuples(
    st.sampled_from([1, 3, 5, 7]),  # size
    st.sampled_from([1.0, 0.1, 0.01]),  # alpha
    st.sampled_from([0.5, 0.75, 1.0, 2.0]),  # beta
    st.sampled_from([1.0, 2.0, 5.0]),  # k
)
small = st.sampled_from([(1, 1, 1, 1), (1, 1, 3, 2), (2, 1, 1, 4), (1, 4, 1, 1), (3, 3, 3, 3)])


def images(channels=(1, 9), **options):
    return tensors(shapes((1, 3), channels, (1, 4), (1, 4)), **{"layouts": False, **options})


@points(1.5)
@given(x=images(channels=(7, 10)), constants=constants)
def test_values(same_outcome, x, constants):
    """Every entry is divided by (k + alpha · Σx²)^beta, where the sum runs over the channels around it."""
    same_outcome(lambda m: m.local_response_norm(x, *constants))


@points(0.5)
@given(x=images(channels=(2, 6), values="non-negative"), size=st.sampled_from([7, 9, 11]))
def test_size_larger_than_the_number_of_channels(same_outcome, x, size):
    """At the edges there are fewer channels in the sum, even if `size` is larger than the number of channels."""
    same_outcome(lambda m: m.local_response_norm(x, size, 0.1))


@points(0.5)
@given(x=images(values="negative"))
def test_defaults_and_names(same_outcome, x):
    """The constants are 5, 1e-4, 0.75 and 2 by default; others may be passed by name."""

    def probe(m):
        implicit, explicit = m.local_response_norm(100 * x), m.local_response_norm(100 * x, 5, 1e-4, 0.75, 2.0)
        named = m.local_response_norm(x, beta=1.0, alpha=0.5, k=1.5, size=3)
        return {
            "shape": list(implicit.shape),
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
        gradient = gradients(lambda x: m.local_response_norm(x, *constants), x)[0]
        return {
            "results where the input is zero": m.local_response_norm(x, *constants)[x == 0],
            'answer to "are all gradients finite?"': gradient is None or bool(gradient.isfinite().all()),
        }

    same_outcome(probe)


@points(1)
@given(x=images(dtype=float64), constants=constants)
def test_gradient(same_outcome, x, constants):
    """The gradient goes through the entry itself and through all sums that it is part of."""
    same_outcome(lambda m: {"gradient": gradients(lambda x: m.local_response_norm(x, *constants), x)[0]})


@points(0.5)
@given(x=images(dtype=float64), constants=constants)
def test_dtype(same_outcome, x, constants):
    """The result has the dtype of the input; with float64 it has that precision."""
    same_outcome(lambda m: m.local_response_norm(x / 3, *constants), exact="dtype")
    same_outcome(lambda m: m.local_response_norm(x.float(), *constants), exact="dtype")


@points(0.5)
@given(x=images(layouts=True))
def test_any_memory_layout(same_outcome, x):
    """The input may be transposed, sliced from a larger tensor, or have its channels last."""

    def probe(m):
        y, other = (m.local_response_norm(image, 3, 0.1) for image in (x, x.contiguous()))
        return {"shape": list(y.shape), 'answer to "does a contiguous copy give the same?"': agree(y, other)}

    same_outcome(probe)


@points(0.5)
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
        x = torch.linspace(-3, 4, 2 * 11 * 3 * 2).sin().reshape(2, 11, 3, 2)
        with_zeros = torch.cat([x, 0 * x[:, :1]], 1)
        first = m.local_response_norm(x, 3, 0.1)
        before = first.clone()
        second, other = (m.local_response_norm(image, 5, 0.1)[:, :11] for image in (x, with_zeros))
        m.local_response_norm(x + 1, 3, 0.1)
        return {
            'answer to "is the first result still the same?"': agree(first, before),
            'answer to "does another size give another result?"': not agree(before, second),
            'answer to "does a channel of zeros at the end change nothing?"': agree(second, other),
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
