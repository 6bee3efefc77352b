"""`EfficientNetB0(num_classes=1000)`: stem, seven stages of MBConv blocks, head."""

from inputs import (
    PRECISE,
    SLOPES,
    VALUES,
    complete,
    dtypes,
    evaluated,
    float64,
    learned,
    more_parameters,
    noise,
    repeated,
    reused,
    slopes,
    trained,
)

from autograder.grading import exercise, points, time_limit
from autograder.probes import parameter_count

pytestmark = exercise("EfficientNetB0")


@points(2.25)
@time_limit(20)
def test_parameters(same_outcome):
    """With 1000 classes, which is the default, there are 5 288 548 parameters."""
    same_outcome(lambda m: {"number of parameters": parameter_count(m.EfficientNetB0, (2, 3, 64, 64))})


@points(1.25)
@time_limit(20)
def test_number_of_classes(same_outcome):
    """A different number of classes changes the last layer and nothing else."""

    def probe(m):
        more = more_parameters((2, 3, 64, 64), lambda: m.EfficientNetB0(10), lambda: m.EfficientNetB0(num_classes=3))
        return {"parameters more for 10 classes than for 3": more}

    same_outcome(probe)


@points(1.5)
@time_limit(20)
def test_evaluation(same_outcome):
    """In evaluation mode the results for two images are right (all biases 0)."""
    x = noise((2, 3, 64, 64), seed=1, dtype=float64)
    same_outcome(lambda m: evaluated(lambda: m.EfficientNetB0(10), x), tolerance=PRECISE)


@points(1)
@time_limit(20)
def test_training(same_outcome):
    """In training mode the results for two images are right (all biases 0)."""
    x = noise((2, 3, 64, 64), seed=3, dtype=float64)
    same_outcome(lambda m: trained(lambda: m.EfficientNetB0(10), x), tolerance=PRECISE)


@points(0.75)
@time_limit(20)
def test_nothing_is_random(same_outcome):
    """The same network gives the same scores for the same images, in training mode and in evaluation mode."""
    x = noise((2, 3, 32, 32), seed=4, dtype=float64)
    same_outcome(lambda m: repeated(lambda: m.EfficientNetB0(5), x), tolerance=PRECISE)


@points(1.25)
@time_limit(20)
def test_other_sizes(same_outcome):
    """One network takes batches of any size, also non-square images; earlier results stay as they are."""
    x, other = noise((1, 3, 32, 32), seed=2), noise((2, 3, 70, 45), seed=2)
    same_outcome(lambda m: reused(lambda: m.EfficientNetB0(5), x, other))


@points(0.75)
@time_limit(20)
def test_dtype(same_outcome):
    """The scores have the dtype of image and network, float32 or float64, and in float64 all their digits."""
    x = noise((2, 3, 40, 33), seed=6)
    same_outcome(lambda m: dtypes(lambda: m.EfficientNetB0(5), x), tolerance=SLOPES)


@points(0.75)
@time_limit(20)
def test_single_image(same_outcome):
    """A single image gives one row of scores."""
    x = noise((1, 3, 32, 32), seed=7)
    same_outcome(lambda m: {"number of dimensions": evaluated(lambda: m.EfficientNetB0(5), x).dim()})


@points(1.25)
@time_limit(20)
def test_gradient(same_outcome):
    """In evaluation mode and in training mode, the gradient of the input is that of the result."""
    x = noise((2, 3, 32, 48), seed=5, dtype=float64)
    same_outcome(lambda m: slopes(lambda: m.EfficientNetB0(5), x, of=("input",)), tolerance=SLOPES)


@points(1.25)
@time_limit(20)
def test_everything_together(same_outcome):
    """Images that are not square, biases included: results, statistics and gradients are right in both modes."""
    x = noise((2, 3, 48, 70), seed=8, dtype=float64)
    same_outcome(lambda m: complete(lambda: m.EfficientNetB0(5), x / 3), tolerance=PRECISE)
    same_outcome(lambda m: learned(lambda: m.EfficientNetB0(5), x), tolerance=VALUES)
