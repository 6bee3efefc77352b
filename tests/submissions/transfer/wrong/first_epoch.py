# wrong: extract_features, freeze_batchnorm
# Works in the first epoch; the model forgets later.
import torch
import torch.nn as nn


def freeze(module):
    for p in module.parameters():
        p.requires_grad_(False)
    return module


def replace_head(model, num_classes):
    last_name, last = None, None
    for name, m in model.named_modules():
        if isinstance(m, nn.Linear):
            last_name, last = name, m
    if last is None:
        raise ValueError("There is no linear layer in this model")
    new = nn.Linear(last.in_features, num_classes, bias=(last.bias is not None))
    new = new.to(last.weight.device, last.weight.dtype)
    parent = model
    parts = last_name.split(".")
    for p in parts[:-1]:
        parent = getattr(parent, p)
    setattr(parent, parts[-1], new)
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    groups = []
    for child in model.children():
        params = [p for p in child.parameters() if p.requires_grad]
        if len(params) > 0:
            groups.append({"params": params, "lr": base_lr})
    for i in range(len(groups) - 2, -1, -1):
        groups[i]["lr"] = groups[i + 1]["lr"] * decay
    return groups


def extract_features(model, x, layer):
    modules = dict(model.named_modules())
    if layer not in modules:
        raise ValueError(f"no layer {layer}")
    features = {}

    def hook(module, inp, out):
        features["out"] = out.detach()

    was_training = model.training
    handle = modules[layer].register_forward_hook(hook)
    model.eval()
    with torch.no_grad():
        model(x)
    handle.remove()
    model.train(was_training)
    return features["out"]


def freeze_batchnorm(model):
    for m in model.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            m.eval()
            if m.affine:
                m.weight.requires_grad = False
                m.bias.requires_grad = False
    return model
