"""Right: walks the modules by hand with stacks and dictionaries, casts to float64 on the way."""
import copy
import math
import threading
import weakref

import torch
from torch import nn


def all_modules(root):
    stack, order = [("", root)], []
    while stack:
        name, module = stack.pop()
        order.append((name, module))
        for key in reversed(list(module._modules)):
            child = module._modules[key]
            if child is not None:
                stack.append((name + "." + key if name else key, child))
    return order


def freeze(module):
    state = {name: p.detach() for name, p in module.named_parameters()}
    for name, part in all_modules(module):
        for key, value in list(part._parameters.items()):
            if value is not None:
                part._parameters[key] = nn.Parameter(value.detach(), requires_grad=False)
    assert state.keys() == dict(module.named_parameters()).keys()
    return module


def replace_head(model, num_classes):
    parents = {}
    last = None
    for name, module in all_modules(model):
        for key, child in module._modules.items():
            parents[id(child)] = (module, key)
        if isinstance(module, nn.Linear):
            last = module
    if last is None:
        raise ValueError("nothing to replace in this model")

    class Head(nn.Linear):
        pass

    factory = {"device": last.weight.device, "dtype": last.weight.dtype}
    new = Head(last.in_features, num_classes, last.bias is not None, **factory)
    with torch.no_grad():
        new.weight.normal_(0, 0.01)
        if new.bias is not None:
            new.bias.zero_()
    parent, key = parents[id(last)]
    if isinstance(parent, nn.Sequential):
        parent[list(parent._modules).index(key)] = new
    elif isinstance(parent, nn.ModuleList):
        parent[int(key)] = new
    else:
        setattr(parent, key, new)
    new.train(last.training)
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    groups = []
    for key, child in model._modules.items():
        mine = [(f"{key}.{name}", p) for name, p in child.named_parameters() if p.requires_grad]
        if mine:
            groups.append({"params": [p for _, p in mine], "names": [n for n, _ in mine]})
    for distance in range(1, len(groups) + 1):
        groups[-distance]["lr"] = base_lr if distance == 1 else groups[-distance + 1]["lr"] * decay
    for group in groups:
        group.pop("names")
    return groups


def extract_features(model, x, layer):
    known = dict(all_modules(model))
    if layer not in known:
        raise ValueError(f"{layer} not among {sorted(known)}")
    twin = copy.deepcopy(model)
    dtype = x.dtype
    twin.double()
    for _, part in all_modules(twin):
        part.training = False
    box = threading.local()
    dict(all_modules(twin))[layer].register_forward_hook(lambda *a: setattr(box, "value", a[-1].detach().clone()))
    with torch.autograd.grad_mode.no_grad():
        twin(x.detach().to(torch.float64, copy=True))
    return box.value.to(dtype)


class _Stay:
    def __init__(self, module):
        self.module = weakref.ref(module)

    def __call__(self, mode=True):
        return self.module()


def freeze_batchnorm(model):
    for _, module in all_modules(model):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.__dict__["training"] = False
            module.__dict__["train"] = _Stay(module)
            for p in module._parameters.values():
                if p is not None:
                    p.requires_grad_(False)
    return model
