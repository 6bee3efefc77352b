"""Right: callable objects, functools.partial, a hook for all modules, replacement of methods."""
from __future__ import annotations

import functools
import itertools
from collections import OrderedDict
from typing import Iterator

import torch
from torch import Tensor, nn


def _set(flag: bool, module: nn.Module) -> nn.Module:
    list(map(lambda p: setattr(p, "requires_grad", flag), module.parameters()))
    return module


freeze = functools.partial(_set, False)


class _Freeze:
    def __call__(self, module):
        return _set(False, module)


freeze = _Freeze()


class _Replace:
    def _walk(self, module: nn.Module, prefix: tuple = ()) -> Iterator[tuple]:
        yield prefix, module
        for name, child in module._modules.items():
            if child is not None:
                yield from self._walk(child, prefix + (name,))

    def __call__(self, model: nn.Module, num_classes: int) -> nn.Module:
        linears = [(p, m) for p, m in self._walk(model) if isinstance(m, torch.nn.Linear)]
        try:
            path, old = linears.pop()
        except IndexError:
            raise ValueError("There is no head.") from None
        holder = functools.reduce(lambda m, key: m._modules[key], path[:-1], model)
        new = nn.LazyLinear(num_classes, bias=old.bias is not None).to(old.weight.dtype)
        new(torch.zeros(1, old.in_features, dtype=old.weight.dtype))
        new.to(old.weight.device)
        setattr(holder, path[-1], new)
        return model


replace_head = _Replace()


def discriminative_parameter_groups(model, base_lr, decay, *, key="lr"):
    owners = OrderedDict()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            owners.setdefault(name.split(".", 1)[0], []).append(parameter)
    names = [name for name, _ in model.named_children() if name in owners]
    rates = list(itertools.accumulate(names[1:], lambda lr, _: lr * decay, initial=base_lr))[::-1]
    return [{"params": (p for p in owners[name]), key: torch.tensor(rate, dtype=torch.float64).item()} for name, rate in zip(names, rates)]


class _Extractor:
    def __init__(self):
        self.modes = {}

    def __call__(self, model: nn.Module, x: Tensor, layer: str) -> Tensor:
        try:
            target = model.get_submodule(layer)
        except AttributeError as error:
            raise ValueError(str(error)) from error
        results = []

        def everywhere(module, args, output):
            if module is target:
                results.append(torch.empty_like(output).copy_(output))

        modes = [m.training for m in model.modules()]
        handle = nn.modules.module.register_module_forward_hook(everywhere)
        grad = torch.is_grad_enabled()
        try:
            torch.set_grad_enabled(False)
            for m in model.modules():
                m.training = False
            model(x.detach().clone())
        finally:
            torch.set_grad_enabled(grad)
            handle.remove()
            for m, mode in zip(model.modules(), modes):
                m.training = mode
        return results[-1]


extract_features = _Extractor()


def freeze_batchnorm(model):
    kinds = nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm
    for name, module in model.named_modules():
        if not issubclass(module.__class__, kinds):
            continue
        module.eval()
        object.__setattr__(module, "train", functools.partial(_deaf, module))
        if module.affine:
            module.weight.requires_grad_(False)
            module.bias.requires_grad_(False)
    return model


def _deaf(module, mode=True):
    return module
