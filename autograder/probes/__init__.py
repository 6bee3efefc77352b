"""What a probe may call inside the worker (and, for the reference, inside the judge). See docs/authoring.md."""

from autograder.probes.devices import ON_ITS_DEVICE, on_meta_device, stays_on_device
from autograder.probes.filling import built, fill, filled, zeroed
from autograder.probes.gradients import all_gradients, gradients, parameter_gradients, weights
from autograder.probes.inventory import snapshot, statistics
from autograder.probes.outlines import outline, parameter_count, shapes_through, state_shapes
from autograder.probes.reuse import after_another_call, used_again

__all__ = [
    "ON_ITS_DEVICE",
    "after_another_call",
    "all_gradients",
    "built",
    "fill",
    "filled",
    "gradients",
    "on_meta_device",
    "outline",
    "parameter_count",
    "parameter_gradients",
    "shapes_through",
    "snapshot",
    "state_shapes",
    "statistics",
    "stays_on_device",
    "used_again",
    "weights",
    "zeroed",
]
