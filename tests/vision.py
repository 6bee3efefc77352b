"""torchvision, as the course's solutions are compared with it, also beside a CPU-only PyTorch."""

from __future__ import annotations

import types

from autograder.engine.torchvision_beside_cpu_torch import declare_operators


def import_torchvision() -> types.ModuleType:
    """The package. Its import costs about a second, so ask for it where it is used."""
    declare_operators()
    import torchvision

    return torchvision  # type: ignore[no-any-return]
