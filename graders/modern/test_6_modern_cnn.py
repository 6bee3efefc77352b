"""`ModernCNN(num_classes=1000)`: a ResNet-50 of ModernBlocks."""

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
    trained_and_learned,
)

from autograder.grading import exercise, points, time_limit
from autograder.probes import parameter_count

pytestmark = exercise("ModernCNN")


@points(1.5)
@time_limit(30)
def test_parameters(same_outcome):
    """With 1000 classes, which is the default, there are 35 624 040 parameters."""
    same_outcome(lambda m: {"number of parameters": parameter_count(m.ModernCNN, (2, 3, 64, 64))})


@points(1.25)
@time_limit(30)
def test_number_of_classes(same_outcome):
    """A different number of classes changes the last layer and nothing else."""

    def probe(m):
        more = more_parameters((2, 3, 64, 64), lambda: m.ModernCNN(10), lambda: m.ModernCNN(num_classes=3))
        return {"parameters more for 10 classes than for 3": more}

    same_outcome(probe)


@points(1.25)
@time_limit(30)
def test_evaluation(same_outcome):
    """In evaluation mode the results for two images are right (all biases 0)."""
    x = noise((2, 3, 48, 48), seed=1, dtype=float64)
    same_outcome(lambda m: evaluated(lambda: m.ModernCNN(5), x), tolerance=PRECISE)


@points(1)
@time_limit(30)
def test_gradient(same_outcome):
    """In evaluation mode, too, the gradient of the input is that of the result."""
    x = noise((2, 3, 33, 33), seed=3, dtype=float64)
    same_outcome(
        lambda m: slopes(lambda: m.ModernCNN(5), x, of=("input",), modes=("evaluation",), step=1e-7), tolerance=SLOPES
    )


@points(0.75)
@time_limit(30)
def test_dtype(same_outcome):
    """The scores have the dtype of image and network, float32 or float64, and in float64 all their digits."""
    x = noise((1, 3, 32, 32), seed=4)
    same_outcome(lambda m: dtypes(lambda: m.ModernCNN(5), x), tolerance=SLOPES)


@points(1.5)
@time_limit(30)
def test_network_used_again(same_outcome):
    """One network takes batches of any size, even of one image; earlier results stay as they are."""
    x, other = noise((1, 3, 32, 32), seed=5), noise((2, 3, 40, 33), seed=6)
    same_outcome(lambda m: reused(lambda: m.ModernCNN(5), x, other))


@points(0.75)
@time_limit(30)
def test_everything_together(same_outcome):
    """In training mode, biases included, scores, running statistics and the gradient of non-square images are right."""
    x = noise((2, 3, 64, 48), seed=7, dtype=float64)
    same_outcome(lambda m: trained_and_learned(lambda: m.ModernCNN(5), x), tolerance=VALUES)
