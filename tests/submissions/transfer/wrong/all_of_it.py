# wrong: replace_head, discriminative_parameter_groups, freeze_batchnorm
# Does more than it was asked to.
import copy

import torch
from torch import nn


def freeze(module):
    for parameter in module.parameters():
        parameter.requires_grad = False
    return module


def replace_head(model, num_classes):
    freeze(model)
    name = None
    for n, m in model.named_modules():
        if isinstance(m, nn.Linear):
            name = n
    if name is None:
        raise ValueError("cannot find a linear layer")
    old = model.get_submodule(name)
    new = nn.Linear(old.in_features, num_classes, old.bias is not None, old.weight.device, old.weight.dtype)
    parent = model.get_submodule(".".join(name.split(".")[:-1]))
    setattr(parent, name.split(".")[-1], new)
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    groups = []
    children = [c for c in model.children() if list(c.parameters())]
    for k, child in enumerate(reversed(children)):
        groups.insert(0, {"params": child.parameters(), "lr": base_lr * decay**k})
    return groups


def extract_features(model, x, layer):
    clone = copy.deepcopy(model)
    try:
        target = clone.get_submodule(layer)
    except AttributeError:
        raise ValueError(f"{layer} is not a layer")
    store = []
    target.register_forward_hook(lambda m, i, o: store.append(o.clone()))
    clone.eval()
    with torch.no_grad():
        clone(x.clone())
    return store[0]


def freeze_batchnorm(model):
    for m in model.modules():
        if isinstance(m, nn.modules.batchnorm._NormBase):
            m.eval()
            m.train = (lambda module: lambda mode=True: module)(m)
            for p in m.parameters():
                p.requires_grad = False
    return model
