"""Right: works on copies, changes classes, swaps methods."""
import copy
import math

import torch
import torch.nn as nn


class freeze:
    """A class in the place of a function: what is called returns the module."""

    def __new__(cls, module, *, off=True):
        return module.requires_grad_(not off)


def _last(module):
    """(holder, name, layer) of the last linear layer below, from the back."""
    for name, child in reversed(list(module.named_children())):
        if isinstance(child, nn.Linear):
            return module, name, child
        found = _last(child)
        if found:
            return found


def replace_head(model, num_classes):
    found = _last(model)
    if not found:
        raise ValueError("no linear layer")
    holder, name, old = found
    new = copy.deepcopy(old)
    new._forward_hooks.clear()
    new.out_features = num_classes
    new.weight = nn.Parameter(old.weight.detach().new_empty(num_classes, old.in_features))
    if new.bias is not None:
        new.bias = nn.Parameter(old.bias.detach().new_empty(num_classes))
    new.reset_parameters()
    new.training = True
    holder._modules[name] = new
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    children = [c for c in model.children() if any(map(lambda p: p.requires_grad, c.parameters()))]
    n = len(children)
    result = []
    for i in range(n):
        lr = base_lr * math.exp((n - 1 - i) * math.log(decay))
        result.append(dict(lr=lr, params=filter(lambda p: p.requires_grad, children[i].parameters()), name=f"group {i}"))
    return result


def extract_features(model, x, layer):
    twin = copy.deepcopy(model).eval()
    if layer not in [name for name, _ in twin.named_modules()]:
        raise ValueError(layer + " is unknown")
    target = twin.get_submodule(layer)
    original, kept = target.forward, {}

    def spy(*args, **kwargs):
        value = original(*args, **kwargs)
        kept["value"] = value.clone()
        return value

    target.forward = spy
    with torch.inference_mode():
        twin(x.clone())
    return kept["value"]


_CLASSES = {}


def freeze_batchnorm(model):
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)):
            kind = type(module)
            if kind not in _CLASSES:
                _CLASSES[kind] = type("Frozen" + kind.__name__, (kind,), {"train": lambda self, mode=True: self})
            module.eval()
            module.__class__ = _CLASSES[kind]
            module.requires_grad_(False)
    return model
