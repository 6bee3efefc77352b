# Right: everything as short as it gets, lambdas at module level.
import torch, torch.nn as nn

freeze = lambda module: [p.requires_grad_(False) for p in module.parameters()] and module or module

def replace_head(model, num_classes):
    where = ([n for n, m in model.named_modules() if isinstance(m, nn.Linear)] or [None])[-1]
    if where is None: raise ValueError("model has no nn.Linear")
    o = model.get_submodule(where); w = o.weight
    n = nn.Linear(w.size(1), num_classes, o.bias is not None).type(w.dtype).to(w.device)
    model.get_submodule(where.rpartition(".")[0]).add_module(where.rpartition(".")[2], n)
    return model

discriminative_parameter_groups = lambda model, base_lr, decay: (
    lambda kids: [{"params": ps, "lr": base_lr * pow(decay, len(kids) - i)} for i, ps in enumerate(kids, 1)]
)([ps for ps in ([p for p in c.parameters() if p.requires_grad] for c in model.children()) if ps])

def extract_features(model, x, layer):
    if dict(model.named_modules()).get(layer) is None: raise ValueError(layer)
    out, modes = [], [(m, m.training) for m in model.modules()]
    old = x.clone()
    target = model.get_submodule(layer)
    h = target.register_forward_hook(lambda m, i, o: out.append(o.clone().detach()), always_call=False, prepend=False)
    try:
        with torch.no_grad(): model.eval()(old)
    finally:
        h.remove()
        for m, t in modes: m.train(t)
    return out[0]

def freeze_batchnorm(model):
    for m in model.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.eval(); m.train = (lambda m: lambda mode=True: m)(m)
            for p in (m.weight, m.bias): p is None or p.requires_grad_(False)
    return model
