"""`compound_scaling(phi, alpha=1.2, beta=1.1, gamma=1.15)`: how much deeper, wider and finer a network becomes."""

from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import exercise, points

pytestmark = exercise("compound_scaling")

# For the first list alpha · beta² · gamma² is within 10 % of 2; for the other two it is not.
ALLOWED = [(2.0, 1.0, 1.0), (1.0, 1.4, 1.0), (1.0, 1.0, 1.46), (2.19, 1.0, 1.0), (1.81, 1.0, 1.0), (1.3, 1.2, 1.0)]
TOO_LARGE = [(2.0, 2.0, 2.0), (1.2, 1.1, 1.3), (2.21, 1.0, 1.0), (1.2, 1.4, 1.15), (1.0, 1.0, 1.6), (1.8, 1.1, 1.1)]
TOO_SMALL = [(1.2, 1.0, 1.0), (1.0, 1.0, 1.0), (1.79, 1.0, 1.0), (1.0, 1.3, 1.0), (1.2, 1.1, 1.0), (1.0, 1.0, 1.3)]


def factors_of(result):
    """Three plain floats, whatever kind of numbers they were."""
    return [float(factor) for factor in result]


@points(1.5)
@given(phi=st.integers(1, 7))
def test_whole_steps(same_outcome, phi):
    """Depth, width and resolution are alpha, beta and gamma to the power φ, in this order."""
    same_outcome(lambda m: factors_of(m.compound_scaling(phi)))


@points(1)
@given(phi=st.sampled_from([0, 0.0, 0.25, 0.5, 1.5, 2.75]))
def test_zero_and_fractions(same_outcome, phi):
    """φ may be 0, which scales nothing, or a fraction."""
    same_outcome(lambda m: factors_of(m.compound_scaling(phi)))


@points(1)
@given(phi=st.sampled_from([1, 2, 3, 0.5]))
def test_other_factors(same_outcome, phi):
    """The caller may give other factors, by position or by name."""
    for factors in ((1.4, 1.1, 1.1), (1.1, 1.3, 1.05), (1.25, 1.15, 1.1)):
        named = dict(zip(("alpha", "beta", "gamma"), factors, strict=True))
        same_outcome(lambda m, factors=factors: factors_of(m.compound_scaling(phi, *factors)))
        same_outcome(lambda m, named=named: factors_of(m.compound_scaling(phi=phi, **named)))


@points(0.5)
@given(phi=st.sampled_from([1, 2, 0.5]))
def test_within_ten_percent(same_outcome, phi):
    """If alpha · beta² · gamma² is at most 10 % away from 2, the factors are allowed."""
    for factors in ALLOWED:
        same_outcome(lambda m, factors=factors: factors_of(m.compound_scaling(phi, *factors)))


@points(1)
@given(phi=st.sampled_from([1, 0, 3, 0.5]))
def test_too_large(same_outcome, phi):
    """If alpha · beta² · gamma² is more than 10 % above 2, the function raises a ValueError, whatever φ is."""
    for factors in TOO_LARGE:
        same_outcome(lambda m, factors=factors: factors_of(m.compound_scaling(phi, *factors)), raises=ValueError)


@points(1)
@given(phi=st.sampled_from([1, 0, 3, 0.5]))
def test_too_small(same_outcome, phi):
    """If alpha · beta² · gamma² is more than 10 % below 2, the function raises a ValueError, whatever φ is."""
    for factors in TOO_SMALL:
        same_outcome(lambda m, factors=factors: factors_of(m.compound_scaling(phi, *factors)), raises=ValueError)
