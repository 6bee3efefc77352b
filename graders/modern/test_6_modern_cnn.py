"""`ModernCNN(num_classes=1000)`: a ResNet-50 of ModernBlocks."""

from inputs import PRECISE, evaluated, float64, in_turn, noise, single, trained_and_learned

from autograder.grading import exercise, points, time_limit
from autograder.probes import filled, gradients, parameter_count

pytestmark = exercise("ModernCNN")


@points(2)
@time_limit(30)
def test_parameters(same_outcome):
    """With 1000 classes, which is the default, there are 35 624 040 parameters."""
    same_outcome(lambda m: {"number of parameters": parameter_count(m.ModernCNN, (2, 3, 64, 64))})


@points(1)
@time_limit(30)
def test_number_of_classes(same_outcome):
    """A different number of classes changes the last layer and nothing else."""

    def probe(m):
        return {
            "parameter count with 10 classes": parameter_count(lambda: m.ModernCNN(10), (2, 3, 64, 64)),
            "parameter count with 3 classes": parameter_count(lambda: m.ModernCNN(num_classes=3), (2, 3, 64, 64)),
        }

    same_outcome(probe)


@points(1.5)
@time_limit(30)
def test_evaluation(same_outcome):
    """In evaluation mode the results for two non-square images are right."""
    x = noise((2, 3, 40, 64), seed=1, dtype=float64)
    same_outcome(lambda m: evaluated(lambda: m.ModernCNN(5), x), tolerance=PRECISE)


@points(2.5)
@time_limit(30)
def test_training(same_outcome):
    """In training mode the results, the running statistics afterwards, and the gradient of the input are right."""
    x = noise((2, 3, 64, 48), seed=2, dtype=float64)
    same_outcome(lambda m: trained_and_learned(lambda: m.ModernCNN(5), x), tolerance=PRECISE)


@points(0.25)
@time_limit(30)
def test_gradient_in_evaluation(same_outcome):
    """In evaluation mode, too, the gradient of the input is right."""
    x = noise((1, 3, 33, 40), seed=3, dtype=float64)

    def probe(m):
        return {"gradient": gradients(filled(lambda: m.ModernCNN(5), x).eval(), x)[0]}

    same_outcome(probe, tolerance=PRECISE)


@points(0.25)
@time_limit(30)
def test_dtype(same_outcome):
    """A single image gives one row of scores in the dtype of image and network; float64 at full precision."""
    x = noise((1, 3, 40, 33), seed=4, dtype=float64) / 3
    same_outcome(lambda m: evaluated(lambda: m.ModernCNN(5), x), exact="dtype shape")
    same_outcome(lambda m: single(lambda: m.ModernCNN(5), x))


@points(0.5)
@time_limit(30)
def test_network_used_again(same_outcome):
    """One network takes batches of any size, one after another; earlier results stay as they are."""
    x, other = noise((1, 3, 32, 32), seed=5, dtype=float64), noise((2, 3, 40, 33), seed=6, dtype=float64)
    same_outcome(lambda m: in_turn(lambda: m.ModernCNN(5), x, other), tolerance=PRECISE)
