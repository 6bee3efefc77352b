"""`wide_resnet(depth, widen_factor, num_classes=10)`: PreActBlocks for images of 32 × 32."""

from inputs import (
    PRECISE,
    SLOPES,
    VALUES,
    dtypes,
    evaluated,
    float64,
    more_parameters,
    noise,
    reused,
    slopes,
    trained,
    trained_and_learned,
)

from autograder.grading import exercise, points
from autograder.probes import built, parameter_count

pytestmark = exercise("wide_resnet")

IMAGES = (2, 3, 32, 32)


def count_of(m, *args, **names):
    return {"number of parameters": parameter_count(lambda: m.wide_resnet(*args, **names), IMAGES)}


def accepted(m, depth):
    """Whether the function returns something for this depth. It does not matter how it refuses it."""
    try:
        parameter_count(lambda: m.wide_resnet(depth, 1), IMAGES)
    except NotImplementedError:
        raise
    except Exception:
        return False
    return True


def accepts(m, *depths):
    return {f'answer to "is a depth of {depth} accepted?"': accepted(m, depth) for depth in depths}


@points(1)
def test_parameters(same_outcome):
    """A network of depth 6n + 4 has n blocks per stage; a WRN-28-10 has 36 479 194 parameters."""
    for depth, factor in ((16, 1), (22, 2), (28, 10)):
        same_outcome(lambda m, depth=depth, factor=factor: count_of(m, depth, factor))


@points(0.5)
def test_widen_factor(same_outcome):
    """The stages have k times as many channels."""

    def probe(m):
        found = {}
        for factor in (2, 3):
            wider, narrow = (lambda k=k: m.wide_resnet(22, k) for k in (factor, 1))
            more = more_parameters(IMAGES, wider, narrow)
            found[f"parameters more with k={factor} than with k=1, in ten thousands"] = more // 10000
        return found

    same_outcome(probe)


@points(0.5)
def test_number_of_classes(same_outcome):
    """The number of classes can be chosen, and all arguments can be given by name."""

    def probe(m):
        many, few = (lambda c=c: m.wide_resnet(depth=16, widen_factor=1, num_classes=c) for c in (100, 7))
        return {"parameters more for 100 classes than for 7": more_parameters(IMAGES, many, few)}

    same_outcome(probe)


@points(0.25)
def test_smallest_depth(same_outcome):
    """The smallest depth is 10, with one block per stage."""
    same_outcome(lambda m: accepts(m, 10, 16))


@points(0.5)
def test_other_depths(same_outcome):
    """A depth above 10 that is not 6n + 4 is refused."""
    same_outcome(lambda m: accepts(m, 11, 12, 13, 14, 15, 16, 18, 26, 44))


@points(0.25)
def test_too_small_depths(same_outcome):
    """A depth below 10 is refused, even 4."""
    same_outcome(lambda m: accepts(m, 4, -2, 16))


@points(0.25)
def test_kind_of_exception(same_outcome):
    """A depth that is not 6n + 4 is refused with a ValueError that says why."""
    for depth in (0, 6, 9, 12):
        same_outcome(lambda m, depth=depth: count_of(m, depth, 1), raises=ValueError)


@points(0.75)
def test_evaluation(same_outcome):
    """In evaluation mode the results for a batch of images are right (all biases 0)."""
    x = noise(IMAGES, seed=1, dtype=float64)
    same_outcome(lambda m: evaluated(lambda: m.wide_resnet(16, 1), x), tolerance=PRECISE)


@points(0.5)
def test_training(same_outcome):
    """In training mode the results for a batch of images are right (all biases 0)."""
    x = noise(IMAGES, seed=2, dtype=float64)
    same_outcome(lambda m: trained(lambda: m.wide_resnet(16, 1), x), tolerance=PRECISE)


@points(0.25)
def test_gradient(same_outcome):
    """In evaluation mode, too, the gradient of the input is that of the result."""
    x = noise((2, 3, 32, 32), seed=4, dtype=float64)
    same_outcome(
        lambda m: slopes(lambda: m.wide_resnet(10, 1), x, of=("input",), modes=("evaluation",)), tolerance=SLOPES
    )


@points(0.25)
def test_dtype(same_outcome):
    """The scores have the dtype of image and network, float32 or float64, and in float64 all their digits."""
    x = noise((1, 3, 32, 32), seed=5)
    same_outcome(lambda m: dtypes(lambda: m.wide_resnet(10, 1), x), tolerance=SLOPES)


@points(0.5)
def test_network_used_again(same_outcome):
    """One network takes batches of any size, earlier results stay as they are, and every network has its own layers."""
    x, other = noise((1, 3, 32, 32), seed=6), noise((2, 3, 32, 32), seed=7)

    def probe(m):
        one, two = (built(lambda: m.wide_resnet(16, 1), x) for _ in range(2))
        shared = {id(value) for value in one.parameters()} & {id(value) for value in two.parameters()}
        found = reused(lambda: m.wide_resnet(16, 1), x, other)
        return {**found, 'answer to "do two networks share parameters?"': bool(shared)}

    same_outcome(probe)


@points(0.5)
def test_everything_together(same_outcome):
    """In a wide network, biases included, scores, running statistics and the gradient of the images are right."""
    x = noise(IMAGES, seed=8, dtype=float64)
    same_outcome(lambda m: trained_and_learned(lambda: m.wide_resnet(16, 2, 3), x), tolerance=VALUES)
