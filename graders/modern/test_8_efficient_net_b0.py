"""`EfficientNetB0(num_classes=1000)`: stem, seven stages of MBConv blocks, head."""

from inputs import PRECISE, after_training, evaluated, float64, learned, noise, reused, single, trained

from autograder.grading import exercise, points, time_limit
from autograder.probes import parameter_count

pytestmark = exercise("EfficientNetB0")


@points(2.5)
@time_limit(20)
def test_parameters(same_outcome):
    """With 1000 classes, which is the default, there are 5 288 548 parameters."""
    same_outcome(lambda m: {"number of parameters": parameter_count(m.EfficientNetB0, (2, 3, 64, 64))})


@points(1)
@time_limit(20)
def test_number_of_classes(same_outcome):
    """A different number of classes changes the last layer and nothing else."""

    def probe(m):
        return {
            "parameter count with 10 classes": parameter_count(lambda: m.EfficientNetB0(10), (2, 3, 64, 64)),
            "parameter count with 3 classes": parameter_count(lambda: m.EfficientNetB0(num_classes=3), (2, 3, 64, 64)),
        }

    same_outcome(probe)


@points(2.5)
@time_limit(20)
def test_evaluation(same_outcome):
    """In evaluation mode the results for two square images are right."""
    x = noise((2, 3, 64, 64), seed=1, dtype=float64)
    same_outcome(lambda m: evaluated(lambda: m.EfficientNetB0(10), x), tolerance=PRECISE)


@points(1)
@time_limit(20)
def test_other_sizes(same_outcome):
    """One network takes batches of any size, also non-square images; earlier results stay as they are."""
    x, other = noise((1, 3, 32, 32), seed=2), noise((2, 3, 70, 45), seed=2)
    same_outcome(lambda m: reused(lambda: m.EfficientNetB0(5), x, other))


@points(0.5)
@time_limit(20)
def test_dtype(same_outcome):
    """A single image gives one row of scores in the dtype of image and network; float64 at full precision."""
    x = noise((1, 3, 40, 33), seed=6, dtype=float64) / 3
    same_outcome(lambda m: evaluated(lambda: m.EfficientNetB0(5), x), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.EfficientNetB0(5), x))


@points(2)
@time_limit(20)
def test_training(same_outcome):
    """In training mode the results for a batch are right, and nothing is dropped at random."""
    x = noise((2, 3, 48, 64), seed=3, dtype=float64)
    same_outcome(lambda m: trained(lambda: m.EfficientNetB0(5), x), tolerance=PRECISE)


@points(1)
@time_limit(20)
def test_running_statistics(same_outcome):
    """Each batch norm sees what it should: the running statistics are right after a pass in training mode."""
    x = noise((2, 3, 32, 48), seed=4, dtype=float64)
    same_outcome(lambda m: after_training(lambda: m.EfficientNetB0(5), x), tolerance=PRECISE)


@points(1.5)
@time_limit(20)
def test_gradient(same_outcome):
    """The gradients of the input and of the parameters are right, in both modes."""
    x = noise((2, 3, 32, 48), seed=5, dtype=float64)
    same_outcome(lambda m: learned(lambda: m.EfficientNetB0(5), x), tolerance=PRECISE)
