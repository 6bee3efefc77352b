"""What a probe may call inside the worker (and, for the reference, inside the judge). See docs/authoring.md."""

from autograder.probes.filling import built, fill, filled, zeroed
from autograder.probes.gradients import all_gradients, gradients, parameter_gradients, weights
from autograder.probes.inventory import snapshot, statistics
from autograder.probes.outlines import outline, parameter_count, shapes_through, state_shapes

__all__ = [
    "all_gradients",
    "built",
    "fill",
    "filled",
    "gradients",
    "outline",
    "parameter_count",
    "parameter_gradients",
    "shapes_through",
    "snapshot",
    "state_shapes",
    "statistics",
    "weights",
    "zeroed",
]
