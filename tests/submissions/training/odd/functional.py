"""Right: functional_call, autograd.grad, and .grad set by hand; gradients are None afterwards."""
import math
import pathlib

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.init import calculate_gain


def accuracy(logits, labels):
    if not 0 < len(logits) == len(labels):
        raise ValueError("no rows, or not one label for each of them")
    best = logits.max(dim=1).indices
    return best.eq(labels).sum().item() / len(labels)


def cross_entropy(logits, labels, label_smoothing=0.0):
    if not (0.0 <= label_smoothing <= 1.0):
        raise ValueError(f"label_smoothing={label_smoothing}")
    n, k = logits.shape
    target = torch.zeros_like(logits).scatter_(1, labels[:, None], 1.0)
    target = target * (1 - label_smoothing) + label_smoothing / k
    z = logits - logits.max(1, keepdim=True)[0]
    return (target * (torch.log(torch.exp(z).sum(1, keepdim=True)) - z)).sum() / n


def init_cnn(module):
    match module:
        case nn.Conv2d() | nn.Linear():
            nn.init.xavier_uniform_(module.weight)
        case _:
            return


def kaiming_init(model):
    stack = [model]
    while stack:
        layer = stack.pop()
        stack.extend(layer.children())
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.weight.shape[0] * layer.weight.shape[2] * layer.weight.shape[3]
            layer.weight.data = torch.randn_like(layer.weight) * calculate_gain("relu") / math.sqrt(fan_out)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.affine:
            layer.weight.data.fill_(1.0)
            layer.bias.data.zero_()
    return model


def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    model.train(True)
    mean = count = 0
    for x, y in loader:
        named = dict(model.named_parameters())
        buffers = dict(model.named_buffers())
        wanted = {name: p for name, p in named.items() if p.requires_grad}
        loss = loss_fn(functional_call(model, {**named, **buffers}, (x,)), y)
        grads = torch.autograd.grad(loss, list(wanted.values()))
        if clip_norm is not None:
            total = math.sqrt(sum(float(g.square().sum()) for g in grads))
            grads = [g * min(1.0, clip_norm / (total + 1e-12)) for g in grads]
        for p, g in zip(wanted.values(), grads):
            p.grad = g
        optimizer.step()
        for p in wanted.values():
            p.grad = None
        count += len(y)
        mean += (loss.item() - mean) * len(y) / count
    if not count:
        raise ValueError("nothing to train on")
    return float(mean)


def evaluate(model, loader, loss_fn):
    modes = [m.training for m in model.modules()]
    logits, labels, losses = [], [], []
    model.eval()
    try:
        for x, y in loader:
            with torch.no_grad():
                out = model(x)
                losses.append((loss_fn(out, y).item(), len(y)))
            logits.append(out)
            labels.append(y)
    finally:
        for m, mode in zip(model.modules(), modes):
            m.training = mode
    if not losses:
        raise ValueError("nothing to evaluate")
    n = sum(size for _, size in losses)
    return math.fsum(loss * size for loss, size in losses) / n, accuracy(torch.cat(logits), torch.cat(labels))


def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("micro_batch_size < 1")
    params = [p for p in model.parameters() if p.requires_grad]
    sums, losses, start = [torch.zeros_like(p) for p in params], 0.0, 0
    while start < len(x):
        stop = min(start + micro_batch_size, len(x))
        loss = loss_fn(model(x[start:stop]), y[start:stop])
        for s, g in zip(sums, torch.autograd.grad(loss, params)):
            s += g * (stop - start)
        losses += loss.item() * (stop - start)
        start = stop
    for p, s in zip(params, sums):
        p.grad = s / len(x)
    optimizer.step()
    return losses / len(x)


def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    if step not in range(total_steps + 1):
        raise ValueError("step")
    if not warmup_steps < total_steps:
        raise ValueError("warmup_steps")
    if step < warmup_steps:
        return float(base_lr * (step + 1) / warmup_steps)
    t = torch.tensor(math.pi * (step - warmup_steps) / (total_steps - warmup_steps))
    return float(min_lr + (base_lr - min_lr) * (1 + torch.cos(t)) / 2)


def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    history, snapshots = [], []
    while len(history) < epochs:
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        valid_loss, valid_accuracy = evaluate(model, valid_loader, loss_fn)
        history.append(dict(valid_accuracy=valid_accuracy, valid_loss=valid_loss, train_loss=train_loss))
        snapshots.append({k: v.clone() for k, v in model.state_dict().items()})
        losses = [h["valid_loss"] for h in history]
        best = losses.index(min(losses))
        if patience is not None and len(losses) - 1 - best >= patience:
            break
    if patience is not None and history:
        model.load_state_dict(snapshots[best])
    return history


def save_checkpoint(path, model, optimizer, epoch):
    with pathlib.Path(path).open("wb") as file:
        torch.save([epoch, model.state_dict(), optimizer.state_dict()], file)


def load_checkpoint(path, model, optimizer):
    with open(path, "rb") as file:
        epoch, weights, state = torch.load(file, weights_only=True)
    model.load_state_dict(weights)
    optimizer.load_state_dict(state)
    return epoch
