"""What a module contains: its state as plain values."""

from __future__ import annotations

import torch
from torch import nn

from autograder.probes import roles
from autograder.probes.symmetric import power_sums

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def statistics(model: nn.Module) -> dict[str, object]:
    """Running means and variances, regardless of order: sums and sums of squares per role and shape."""
    return power_sums(roles.running_statistics(model))


def snapshot(model: nn.Module) -> dict[str, object]:
    """Everything that a function must not change if it should only look at a module.

    By name: the values of parameters and buffers, and what requires a gradient. In the order of `modules()`: the mode
    and number of hooks of every submodule.
    """
    modules = list(model.modules())
    return {
        "kinds of the layers": [type(module).__name__ for module in modules],
        "modes (training or not)": [module.training for module in modules],
        "numbers of hooks": [sum(len(getattr(module, name, ())) for name in _HOOKS) for module in modules],
        "requires_grad": {name: value.requires_grad for name, value in model.named_parameters(remove_duplicate=False)},
        "gradients": {name: value.grad for name, value in model.named_parameters() if value.grad is not None},
        "values": {name: _plain(value) for name, value in model.state_dict(keep_vars=True).items()},
    }


def _plain(value: object) -> object:
    return value.detach().clone() if isinstance(value, torch.Tensor) else value
