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


def accepted(m, phi, *factors):
    """Whether the function returns something for these factors. It does not matter how it refuses them."""
    try:
        m.compound_scaling(phi, *factors)
    except NotImplementedError:
        raise
    except Exception:
        return False
    return True


def accepts(m, phi, many):
    """What the function accepts, for the default factors and for others."""
    found = {"the default factors": accepted(m, phi)}
    for factors in many:
        alpha, beta, gamma = factors
        found[f"alpha={alpha}, beta={beta}, gamma={gamma}"] = accepted(m, phi, *factors)
    return {f'answer to "are {words} accepted for phi={phi}?"': answer for words, answer in found.items()}


@points(1)
@given(phi=st.integers(1, 2))
def test_whole_steps(same_outcome, phi):
    """Depth, width and resolution are alpha, beta and gamma to the power φ, in this order."""
    same_outcome(lambda m: factors_of(m.compound_scaling(phi)))


@points(0.5)
@given(phi=st.sampled_from([0, 0.0]))
def test_zero(same_outcome, phi):
    """φ may be 0, which scales nothing."""
    same_outcome(lambda m: factors_of(m.compound_scaling(phi)))


@points(0.5)
@given(phi=st.sampled_from([0.5, 1.5]))
def test_fractions(same_outcome, phi):
    """φ may be a fraction: two times half a step is one step."""

    def probe(m):
        half, whole = (factors_of(m.compound_scaling(number)) for number in (phi, 2 * phi))
        return {
            f"{words}(φ = {phi})² / {words}(φ = {2 * phi})": one * one / two
            for words, one, two in zip(("depth", "width", "resolution"), half, whole, strict=True)
        }

    same_outcome(probe)


@points(0.5)
@given(phi=st.just(1))
def test_other_factors(same_outcome, phi):
    """The caller may give other factors, by position or by name; one step multiplies by exactly these."""
    for factors in ((1.4, 1.1, 1.1), (1.1, 1.3, 1.05), (1.25, 1.15, 1.1)):
        named = dict(zip(("alpha", "beta", "gamma"), factors, strict=True))
        same_outcome(lambda m, factors=factors: sorted(factors_of(m.compound_scaling(phi, *factors))))
        same_outcome(lambda m, named=named: sorted(factors_of(m.compound_scaling(phi=phi, **named))))


@points(0.5)
def test_within_ten_percent(same_outcome):
    """If alpha · beta² · gamma² is at most 10 % away from 2, the factors are allowed."""
    same_outcome(lambda m: accepts(m, 1, ALLOWED))


@points(0.75)
def test_too_large(same_outcome):
    """Factors are refused if alpha · beta² · gamma² is more than 10 % above 2."""
    same_outcome(lambda m: accepts(m, 1, TOO_LARGE))


@points(0.75)
def test_too_small(same_outcome):
    """Factors are refused if alpha · beta² · gamma² is more than 10 % below 2."""
    same_outcome(lambda m: accepts(m, 1, TOO_SMALL))


@points(0.5)
def test_whatever_phi_is(same_outcome):
    """Whether factors are allowed does not depend on φ."""
    for phi in (0, 0.5, 7):
        same_outcome(lambda m, phi=phi: accepts(m, phi, [(2.0, 2.0, 2.0), (1.0, 1.0, 1.0), (2.0, 1.0, 1.0)]))


@points(0.5)
@given(factors=st.sampled_from([(2.0, 2.0, 2.0), (3.0, 1.0, 1.0)]))
def test_kind_of_exception(same_outcome, factors):
    """Factors whose product is far too large are refused with a ValueError that says why."""
    same_outcome(lambda m: factors_of(m.compound_scaling(1, *factors)), raises=ValueError)


@points(0.5)
@given(phi=st.sampled_from([0, 2.5, 3, -1]))
def test_everything_together(same_outcome, phi):
    """Any φ and any factors that are allowed give the right multipliers, in the right order."""
    for factors in ((1.4, 1.1, 1.1), (1.1, 1.3, 1.05), (1, 1.4, 1)):
        same_outcome(lambda m, factors=factors: factors_of(m.compound_scaling(phi, *factors)))
