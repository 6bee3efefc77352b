"""`training_step(model, x, y, optimizer)`: followed for two steps, without training anything."""

import torch

from autograder.grading import exercise, points
from autograder.probes import tiny_batches, tiny_model

pytestmark = exercise("training_step")

BATCHES = tiny_batches(4, 4)


def trained(m, steps=1, dropout=0.0, **options):
    """The model after that many steps, and their losses."""
    model = tiny_model(dropout=dropout)
    optimizer = torch.optim.SGD(model.parameters(), **{"lr": 0.1, **options})
    return model, [m.training_step(model, *BATCHES[step], optimizer) for step in range(steps)]


@points(3)
def test_one_step(same_outcome):
    """The parameters after one step."""
    same_outcome(lambda m: {f"parameter {i}": p for i, p in enumerate(trained(m)[0].parameters())})


@points(3)
def test_two_steps(same_outcome):
    """Each step uses the gradients of its own batch only."""
    same_outcome(lambda m: {f"parameter {i}": p for i, p in enumerate(trained(m, 2, lr=0.5)[0].parameters())})


@points(2)
def test_loss(same_outcome):
    """The loss before the step is returned as a Python float."""
    same_outcome(lambda m: {"loss": trained(m, lr=0.0)[1][0]})


@points(2)
def test_mode(same_outcome):
    """The model is in training mode, even if it has just been evaluated."""

    def probe(m):
        model = tiny_model().eval()
        m.training_step(model, *BATCHES[0], torch.optim.SGD(model.parameters(), lr=0.0))
        return {"training mode": model.training}

    same_outcome(probe)
