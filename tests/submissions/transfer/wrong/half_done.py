# wrong: freeze, replace_head, extract_features
# Nearly there.
import torch
from torch import nn


def freeze(module):
    for p in module.parameters():
        p.requires_grad = False


def replace_head(model, num_classes):
    for name, module in reversed(list(model.named_modules())):
        if isinstance(module, nn.Linear):
            parent = model
            for part in name.split(".")[:-1]:
                parent = getattr(parent, part)
            module.out_features = num_classes
            new = nn.Linear(module.in_features, num_classes)
            setattr(parent, name.split(".")[-1], new.to(module.weight.dtype))
            return model
    raise ValueError("no head")


def discriminative_parameter_groups(model, base_lr, decay):
    params = [[p for p in c.parameters() if p.requires_grad] for c in model.children()]
    params = [p for p in params if p]
    return [{"params": p, "lr": base_lr * decay**k} for k, p in zip(range(len(params) - 1, -1, -1), params)]


def extract_features(model, x, layer):
    found = dict(model.named_modules()).get(layer)
    if found is None:
        raise ValueError("unknown")
    box = []
    hook = found.register_forward_hook(lambda m, i, o: box.append(o.clone()))
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        model(x.clone())
    finally:
        hook.remove()
        for m, mode in modes:
            m.train(mode)
    return box[0]


def freeze_batchnorm(model):
    def stay(bn):
        def train(mode=True):
            return bn
        return train

    for m in model.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.eval()
            m.train = stay(m)
            if m.weight is not None:
                m.weight.requires_grad_(False)
            if m.bias is not None:
                m.bias.requires_grad_(False)
    return model
