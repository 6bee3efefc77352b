# wrong: freeze, extract_features
# The habits of a training loop: eval() here, train() there.
import torch
import torch.nn as nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze(module):
    module.eval()
    for param in module.parameters():
        param.requires_grad = False
    return module


def replace_head(model, num_classes):
    linears = [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError("model without nn.Linear")
    name, old = linears[-1]
    if "." in name:
        parent, attr = name.rsplit(".", 1)
        parent = model.get_submodule(parent)
    else:
        parent, attr = model, name
    setattr(parent, attr, nn.Linear(old.in_features, num_classes, old.bias is not None,
                                    device=old.weight.device, dtype=old.weight.dtype))
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    lr = base_lr
    groups = []
    for child in reversed(list(model.children())):
        params = list(filter(lambda p: p.requires_grad, child.parameters()))
        if params:
            groups.append(dict(params=params, lr=lr))
            lr = lr * decay
    groups.reverse()
    return groups


@torch.no_grad()
def extract_features(model, x, layer):
    names = [n for n, _ in model.named_modules()]
    if layer not in names:
        raise ValueError(f"unknown layer: {layer}")
    model.eval()
    out = []
    h = model.get_submodule(layer).register_forward_hook(lambda m, i, o: out.append(o.clone()))
    try:
        model(x.clone())
    finally:
        h.remove()
        model.train()
    return out[0]


def freeze_batchnorm(model):
    for m in model.modules():
        if isinstance(m, _BatchNorm):
            m.eval()
            m.train = lambda mode=True: None
            for p in m.parameters():
                p.requires_grad = False
    return model
