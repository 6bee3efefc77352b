# wrong: discriminative_parameter_groups, extract_features, freeze_batchnorm
# Goes by names.
import torch
import torch.nn as nn


def freeze(module):
    for name, param in module.named_parameters():
        param.requires_grad = False
    return module


def replace_head(model, num_classes):
    name = ""
    for n, m in model.named_modules():
        if m.__class__.__name__ == "Linear":
            name = n
    if name == "":
        raise ValueError("no Linear in the model")
    path = name.split(".")
    parent = model.get_submodule(".".join(path[:-1]))
    old = parent._modules[path[-1]]
    new = nn.Linear(old.in_features, num_classes, bias=old.bias is not None)
    parent._modules[path[-1]] = new.to(old.weight)
    return model


def discriminative_parameter_groups(model, base_lr, decay):
    groups = {}
    for name, param in model.named_parameters():
        if param.requires_grad:
            groups.setdefault(name.split(".")[0], []).append(param)
    result = []
    for i, key in enumerate(sorted(groups)):
        result.append({"params": groups[key], "lr": base_lr * decay ** (len(groups) - 1 - i)})
    return result


def extract_features(model, x, layer):
    module = model
    for part in layer.split("."):
        if not hasattr(module, part):
            raise ValueError("no such layer: " + layer)
        module = getattr(module, part)
    result = {}

    def hook(m, i, o):
        result[layer] = o.detach().clone()

    handle = module.register_forward_hook(hook)
    modes = [m.training for m in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            model(x.clone())
    finally:
        handle.remove()
        for m, mode in zip(model.modules(), modes):
            m.training = mode
    return result[layer]


def freeze_batchnorm(model):
    for module in model.modules():
        if "Norm" in module.__class__.__name__:
            module.eval()
            module.train = lambda mode=True: None
            for param in module.parameters():
                param.requires_grad = False
    return model
