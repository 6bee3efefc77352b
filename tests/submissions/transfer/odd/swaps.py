"""Right: puts other modules into the places of layers, for a while or for good."""
from typing import Sequence

import torch
from torch import nn


def freeze(module):
    for child in module.children():
        freeze(child)
    for parameter in module.parameters(recurse=False):
        parameter.requires_grad_(False)
    return module


def _places(model):
    """All (holder, name, module) below the model, in the order of named_modules()."""
    for name, module in model.named_children():
        yield model, name, module
        yield from _places(module)


def replace_head(model, num_classes=2):
    heads = [place for place in _places(model) if isinstance(place[2], nn.Linear)]
    if not heads:
        raise ValueError("A head is an nn.Linear, and there is none.")
    holder, name, old = heads[-1]
    with torch.device(old.weight.device):
        new = nn.Linear(old.in_features, num_classes, bias=old.bias is not None)
    with torch.no_grad():
        for parameter in new.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)
    holder._modules[name] = new.type(old.weight.dtype)
    return model


class Group(dict):
    """A dictionary with attributes."""

    params: Sequence
    lr: float


def discriminative_parameter_groups(model, base_lr, decay):
    lists = []
    for child in model.children():
        found = {}
        for module in child.modules():
            for parameter in module._parameters.values():
                if parameter is not None and parameter.requires_grad:
                    found[parameter] = None
        if found:
            lists.append(found.keys())
    rates = [base_lr]
    while len(rates) < len(lists):
        rates.insert(0, rates[0] * decay)
    return [Group(lr=rate, params=keys) for keys, rate in zip(lists, rates[len(rates) - len(lists):])]


class _Listening(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.heard = None

    def forward(self, *args, **kwargs):
        output = self.inner(*args, **kwargs)
        self.heard = output.detach() * 1
        return output


def extract_features(model, x, layer):
    before = [(module, module.training) for module in model.modules()]
    holder, _, name = layer.rpartition(".")
    try:
        holder, inner = model.get_submodule(holder), model.get_submodule(layer)
    except AttributeError:
        raise ValueError(f"no submodule {layer!r}") from None
    ear = _Listening(inner)
    holder._modules[name] = ear
    try:
        model.eval()
        with torch.no_grad():
            model(x.clone(memory_format=torch.contiguous_format))
    finally:
        holder._modules[name] = inner
        for module, training in before:
            module.training = training
    return ear.heard


def freeze_batchnorm(model):
    for holder, name, old in list(_places(model)):
        if not isinstance(old, nn.modules.batchnorm._BatchNorm):
            continue

        class Still(type(old)):
            def __init__(self, other):
                nn.Module.__init__(self)
                self.__dict__.update(other.__dict__)
                super().train(False)

            def train(self, mode=True):
                return super().train(False)

        new = Still(old)
        for parameter in (new.weight, new.bias):
            if parameter is not None:
                parameter.requires_grad = False
        setattr(holder, name, new)
    return model
