"""What a probe may call inside the worker (and, for the reference, inside the judge). See docs/authoring.md."""

from autograder.probes.devices import ON_ITS_DEVICE, on_meta_device, stays_on_device
from autograder.probes.filling import built, fill, filled, zeroed
from autograder.probes.gradients import all_gradients, gradients, parameter_gradients, weights
from autograder.probes.inventory import snapshot, statistics
from autograder.probes.outlines import outline, parameter_count, shapes_through, state_shapes
from autograder.probes.reuse import after_another_call, used_again
from autograder.probes.training import (
    Journal,
    WatchedLoader,
    WatchedLoss,
    tiny_batches,
    tiny_model,
    watched_model,
    watched_optimizer,
)

__all__ = [
    "ON_ITS_DEVICE",
    "Journal",
    "WatchedLoader",
    "WatchedLoss",
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
    "tiny_batches",
    "tiny_model",
    "used_again",
    "watched_model",
    "watched_optimizer",
    "weights",
    "zeroed",
]
