"""`wide_resnet(depth, widen_factor, num_classes=10)`: PreActBlocks for images of 32 × 32."""

from inputs import PRECISE, after_training, evaluated, float64, in_turn, learned, noise, single, trained

from autograder.grading import exercise, points
from autograder.probes import built, parameter_count

pytestmark = exercise("wide_resnet")


def count_of(m, *args, **names):
    return {"number of parameters": parameter_count(lambda: m.wide_resnet(*args, **names), (2, 3, 32, 32))}


@points(1.5)
def test_parameters(same_outcome):
    """Depth 6n + 4 gives n blocks per stage, with k times as many channels; a WRN-28-10 has 36 479 194 parameters."""
    for depth, factor in ((10, 1), (16, 1), (22, 2), (16, 4), (28, 10)):
        same_outcome(lambda m, depth=depth, factor=factor: count_of(m, depth, factor))


@points(0.5)
def test_number_of_classes(same_outcome):
    """The number of classes can be chosen, and all arguments can be given by name."""
    same_outcome(lambda m: count_of(m, 10, 2, 100))
    same_outcome(lambda m: count_of(m, depth=16, widen_factor=1, num_classes=7))


@points(1)
def test_other_depths(same_outcome):
    """A depth that is not 6n + 4 with n ≥ 1 raises a ValueError."""
    for depth in (4, -2, 0, 6, 9, 11, 12, 13, 14, 15, 18, 26, 44):
        same_outcome(lambda m, depth=depth: count_of(m, depth, 1), raises=ValueError)


@points(1)
def test_evaluation(same_outcome):
    """In evaluation mode the results for a batch of images are right."""
    x = noise((2, 3, 32, 32), seed=1, dtype=float64)
    for depth, factor, classes in ((10, 1, 10), (16, 2, 3)):
        args = (depth, factor, classes)
        same_outcome(lambda m, args=args: evaluated(lambda: m.wide_resnet(*args), x), tolerance=PRECISE)


@points(0.5)
def test_training(same_outcome):
    """In training mode the results for a batch of images are right."""
    x = noise((2, 3, 32, 32), seed=2, dtype=float64)
    same_outcome(lambda m: trained(lambda: m.wide_resnet(16, 1), x), tolerance=PRECISE)


@points(0.5)
def test_running_statistics(same_outcome):
    """Each batch norm sees what it should: the running statistics are right after a pass in training mode."""
    x = noise((2, 3, 32, 32), seed=3, dtype=float64)
    same_outcome(lambda m: after_training(lambda: m.wide_resnet(10, 1), x), tolerance=PRECISE)


@points(0.5)
def test_gradient(same_outcome):
    """The gradients of the input and of the parameters are right, in both modes."""
    x = noise((2, 3, 32, 32), seed=4, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.wide_resnet(10, 1), x), tolerance=PRECISE)


@points(0.25)
def test_dtype(same_outcome):
    """A single image gives one row of scores in the dtype of image and network; float64 at full precision."""
    x = noise((1, 3, 32, 32), seed=5, dtype=float64) / 3
    same_outcome(lambda m: evaluated(lambda: m.wide_resnet(10, 1), x), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.wide_resnet(10, 1), x))


@points(0.25)
def test_network_used_again(same_outcome):
    """One network takes batches of any size, earlier results stay as they are, and every network has its own layers."""
    x, other = noise((1, 3, 32, 32), seed=6, dtype=float64), noise((2, 3, 32, 32), seed=7, dtype=float64)

    def probe(m):
        one, two = (built(lambda: m.wide_resnet(10, 1), x) for _ in range(2))
        shared = {id(value) for value in one.parameters()} & {id(value) for value in two.parameters()}
        found = in_turn(lambda: m.wide_resnet(10, 1), x, other)
        return {**found, 'answer to "do two networks share parameters?"': bool(shared)}

    same_outcome(probe, tolerance=PRECISE)
