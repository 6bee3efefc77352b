# wrong: replace_head, discriminative_parameter_groups, freeze_batchnorm
# Everything is a ResNet.
import types

import torch
from torch import nn


def freeze(module):
    return module.requires_grad_(False)


def replace_head(model, num_classes):
    for name in ("fc", "classifier", "head"):
        if hasattr(model, name):
            old = getattr(model, name)
            if isinstance(old, nn.Sequential):
                old[-1] = nn.Linear(old[-1].in_features, num_classes)
            else:
                setattr(model, name, nn.Linear(old.in_features, num_classes))
            return model
    raise ValueError("no head found")


def discriminative_parameter_groups(model, base_lr, decay):
    children = list(model.children())
    groups = []
    for i, child in enumerate(children):
        params = [p for p in child.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": base_lr * decay ** (len(children) - 1 - i)})
    return groups


def extract_features(model, x, layer):
    try:
        target = model.get_submodule(layer)
    except AttributeError as e:
        raise ValueError(str(e))
    saved = []
    handle = target.register_forward_hook(lambda m, i, o: saved.append(o.clone()))
    modes = {name: m.training for name, m in model.named_modules()}
    model.eval()
    try:
        with torch.no_grad():
            model(x.clone())
    finally:
        handle.remove()
        for name, m in model.named_modules():
            m.training = modes[name]
    return saved[0]


def freeze_batchnorm(model):
    def train(self, mode=True):
        type(self).train(self, mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()
        return self

    model.train = types.MethodType(train, model)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eval()
            for p in m.parameters():
                p.requires_grad = False
    return model
