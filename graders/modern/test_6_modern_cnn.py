"""`ModernCNN(num_classes=1000)`: a ResNet-50 of ModernBlocks."""

from inputs import PRECISE, evaluated, float64, noise, trained_and_learned

from autograder.grading import exercise, points, time_limit
from autograder.probes import parameter_count

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


@points(2.5)
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
