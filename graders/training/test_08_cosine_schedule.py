"""`cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0)`: warm-up, then half a cosine wave."""

from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import TYPE, number, type_of

from autograder.grading import Tolerance, exercise, points

pytestmark = exercise("cosine_schedule")

CLOSE = Tolerance(1e-5, 1e-6)  # float32 is precise enough for a learning rate
rates = st.sampled_from([1.0, 0.1, 0.4, 2.0])
few = settings(max_examples=8)


def rate(m, *args, **options):
    return {"learning rate": number(m.cosine_schedule(*args, **options))}


@points(1.25)
@given(total=st.integers(3, 20), share=st.floats(0, 1), base=rates)
def test_cosine(same_outcome, total, share, base):
    """Without warm-up the rate falls from base_lr to 0 along half a cosine wave."""
    step = min(int(share * total), total - 1)
    same_outcome(lambda m: rate(m, step, total, base), tolerance=CLOSE)


@points(1)
@given(warmup=st.integers(2, 8), share=st.floats(0, 1), base=rates)
def test_warmup(same_outcome, warmup, share, base):
    """Step 0 of the warm-up has base_lr / warmup_steps, and its last step base_lr."""
    step = min(int(share * warmup), warmup - 1)
    same_outcome(lambda m: rate(m, step, warmup + 10, base, warmup_steps=warmup), tolerance=CLOSE)


@points(1)
@given(warmup=st.integers(1, 5), after=st.integers(0, 8), base=rates)
def test_cosine_after_the_warmup(same_outcome, warmup, after, base):
    """After the warm-up, the wave begins at base_lr and has the remaining steps to fall to 0."""

    def probe(m):
        with_warmup = number(m.cosine_schedule(warmup + after, warmup + 9, base, warmup_steps=warmup))
        without = number(m.cosine_schedule(after, 9, base))
        return {f"difference from step {after} of 9 without warm-up": with_warmup - without}

    same_outcome(probe, tolerance=CLOSE)


@points(0.75)
@few
@given(half=st.integers(1, 9), share=st.sampled_from([0.1, 0.5]), base=rates)
def test_lowest_rate(same_outcome, half, share, base):
    """The wave falls to min_lr, so half way the rate is half way between base_lr and min_lr."""
    same_outcome(lambda m: rate(m, half, 2 * half, base, min_lr=share * base), tolerance=CLOSE)


@points(0.5)
@few
@given(total=st.integers(1, 9), warmup=st.integers(0, 3), low=st.sampled_from([0.0, 0.05]))
def test_end(same_outcome, total, warmup, low):
    """Step total_steps is allowed: it is the end of the wave, with min_lr."""
    total += warmup
    same_outcome(lambda m: rate(m, total, total, 0.5, warmup_steps=warmup, min_lr=low), tolerance=CLOSE)


@points(0.25)
@settings(max_examples=4)
@given(step=st.integers(0, 5))
def test_python_float(same_outcome, step):
    """The result is a Python float, not a tensor."""
    same_outcome(lambda m: {TYPE: type_of(m.cosine_schedule(step, 6, 0.5, warmup_steps=3))})


@points(0.5)
@few
@given(beyond=st.integers(1, 5), before=st.booleans(), warmup=st.sampled_from([0, 2]))
def test_step_out_of_range(same_outcome, beyond, before, warmup):
    """A step below 0 or above total_steps raises a ValueError."""
    step = -beyond if before else 6 + beyond
    same_outcome(lambda m: m.cosine_schedule(step, 6, 0.5, warmup_steps=warmup), raises=ValueError)


@points(0.25)
@few
@given(total=st.integers(1, 5), more=st.integers(0, 3))
def test_too_long_a_warmup(same_outcome, total, more):
    """A warm-up of total_steps or more raises a ValueError."""
    same_outcome(lambda m: m.cosine_schedule(0, total, 0.5, warmup_steps=total + more), raises=ValueError)


@points(0.5)
@settings(max_examples=3)
@given(total=st.integers(6, 12), warmup=st.integers(1, 5), base=rates, low=st.sampled_from([0.01, 0.05]))
def test_everything_at_once(same_outcome, total, warmup, base, low):
    """The whole schedule, step by step."""

    def probe(m):
        return [number(m.cosine_schedule(step, total, base, warmup, low)) for step in range(total + 1)]

    same_outcome(probe, tolerance=CLOSE)
