from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Iterator, Optional

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class Visitor(ABC):
    """Walks over the modules of a model, in registration order, and leaves the model as the result."""

    def walk(self, model: nn.Module) -> nn.Module:
        for name, module in model.named_modules():
            self.visit(name, module)
        return self.finish(model)

    @abstractmethod
    def visit(self, name: str, module: nn.Module) -> None: ...

    def finish(self, model):
        return model


class Freezer(Visitor):
    def visit(self, name, module):
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad = False


@dataclass
class Place:
    holder: nn.Module
    key: str

    @property
    def layer(self) -> nn.Module:
        return self.holder._modules[self.key]

    @layer.setter
    def layer(self, new: nn.Module) -> None:
        self.holder._modules[self.key] = new


class HeadExchange(Visitor):
    """Puts a new head into every place of the old one."""

    def __init__(self, num_classes: int):
        self.num_classes = num_classes
        self.head: Optional[nn.Linear] = None

    def visit(self, name, module):
        if isinstance(module, nn.Linear):
            self.head = module

    def _places(self, model) -> Iterator[Place]:
        for holder in model.modules():
            for key, module in holder._modules.items():
                if module is self.head:
                    yield Place(holder, key)

    def _fresh(self):
        options = {"bias": self.head.bias is not None}
        new = nn.Linear(self.head.in_features, self.num_classes, **options)
        return new.to(self.head.weight.device, self.head.weight.dtype)

    def finish(self, model):
        if self.head is None:
            raise ValueError("there is no head to exchange: the model holds no nn.Linear")
        new = self._fresh()
        for place in list(self._places(model)):
            place.layer = new
        return model


class ParameterGroup(dict):
    """A dict, as optimizers want it."""

    @classmethod
    def of(cls, module: nn.Module) -> ParameterGroup:
        return cls(params=[p for p in module.parameters() if p.requires_grad], lr=None)

    def __bool__(self):
        return bool(self["params"])

    def at(self, lr):
        self["lr"] = lr
        return self


class Modes:
    """Context manager: everything in evaluation mode, and back."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.before = {module: module.training for module in self.model.modules()}
        for module in self.before:
            module.training = False

    def __exit__(self, *exception):
        for module, training in self.before.items():
            module.training = training
        return False


class Tap:
    """Context manager: a hook that keeps a copy of what comes out."""

    def __init__(self, module):
        self.module, self.value = module, None

    def __call__(self, module, args, output):
        self.value = output.clone().detach()

    def __enter__(self):
        self.handle = self.module.register_forward_hook(self)
        return self

    def __exit__(self, *exception):
        self.handle.remove()


class Still:
    """Mixed into the class of a batch normalisation: its mode is evaluation, whatever it is told."""

    def train(self, mode: bool = True):
        super().train(mode)
        self.training = False
        return self


@functools.lru_cache(maxsize=None)
def still(cls: type) -> type:
    namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    if getattr(cls, "cls_to_become", None) is not None:  # lazy layers change their class at the first call
        namespace["cls_to_become"] = still(cls.cls_to_become)
    return type(cls.__name__, (Still, cls), namespace)


class BatchNormFreezer(Visitor):
    def visit(self, name, module):
        if not isinstance(module, _BatchNorm):
            return
        module.training = False
        for parameter in filter(lambda p: p is not None, (module.weight, module.bias)):
            parameter.requires_grad = False
        if not isinstance(module, Still):
            module.__class__ = still(type(module))


def freeze(module):
    return Freezer().walk(module)


def replace_head(model, num_classes):
    return HeadExchange(num_classes).walk(model)


def discriminative_parameter_groups(model, base_lr, decay):
    groups = [group for group in map(ParameterGroup.of, model.children()) if group]
    return [group.at(base_lr * decay ** (len(groups) - 1 - i)) for i, group in enumerate(groups)]


def extract_features(model, x, layer):
    try:
        module = model.get_submodule(layer)
    except AttributeError as error:
        raise ValueError(f"the model has no layer {layer!r}") from error
    with torch.no_grad(), Modes(model), Tap(module) as tap:
        model(x.clone())
    return tap.value


def freeze_batchnorm(model):
    return BatchNormFreezer().walk(model)
