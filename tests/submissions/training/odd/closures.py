"""Right: the optimizer calls a closure; inference mode; logsumexp; a checkpoint that is a flat dictionary."""
import math
import os

import torch
import torch.nn as nn


def accuracy(logits, labels):
    n = logits.size(0)
    if n == 0 or n != labels.size(0):
        raise ValueError("need as many labels as rows, and at least one")
    return (torch.argmax(logits, -1) == labels).float().mean().item()


def cross_entropy(logits, labels, label_smoothing=0.0):
    if label_smoothing < 0 or label_smoothing > 1:
        raise ValueError("label_smoothing must be between 0 and 1")
    lse = torch.logsumexp(logits, 1)
    picked = logits[torch.arange(len(labels)), labels]
    return (lse - (1 - label_smoothing) * picked - label_smoothing * logits.mean(1)).mean()


def init_cnn(module):
    if type(module).__mro__.count(nn.Conv2d) or type(module).__mro__.count(nn.Linear):
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
        a = math.sqrt(6 / (fan_in + fan_out))
        with torch.no_grad():
            module.weight.uniform_(-a, a)


def kaiming_init(model):
    @torch.no_grad()
    def one(layer):
        if isinstance(layer, nn.Conv2d):
            layer.weight.normal_(0, math.sqrt(2 / (layer.weight.size(0) * layer.weight[0][0].numel())))
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            if layer.weight is not None:
                layer.weight.fill_(1)
                layer.bias.fill_(0)

    return model.apply(one)


def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    model.train()
    losses, sizes = [], []
    for x, y in loader:

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            if clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=clip_norm)
            return loss

        losses.append(optimizer.step(closure).detach())
        sizes.append(len(x))
    if not sizes:
        raise ValueError("empty loader")
    return sum(float(loss) * size for loss, size in zip(losses, sizes)) / sum(sizes)


@torch.inference_mode()
def evaluate(model, loader, loss_fn):
    before = {m: m.training for m in model.modules()}
    model.eval()
    try:
        results = [(loss_fn(out := model(x), y) * len(y), (out.argmax(1) == y).sum(), len(y)) for x, y in loader]
    finally:
        for m, mode in before.items():
            m.training = mode
    if not results:
        raise ValueError("empty loader")
    loss, right, n = (sum(column) for column in zip(*results))
    return float(loss / n), float(right / n)


def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("micro_batch_size must be positive")
    n, total = len(x), 0.0

    def closure():
        nonlocal total
        optimizer.zero_grad()
        for i in range(0, n, micro_batch_size):
            part = slice(i, i + micro_batch_size)
            loss = loss_fn(model(x[part]), y[part]) * len(x[part])
            (loss / n).backward()
            total += loss.item()
        return total / n

    optimizer.step(closure)
    return total / n


def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    if step < 0 or step > total_steps or warmup_steps >= total_steps:
        raise ValueError("bad step or warm-up")
    if step < warmup_steps:
        return base_lr / warmup_steps * (step + 1)
    x = math.pi * (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (base_lr - min_lr) * math.cos(x / 2) ** 2


def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    history, best, best_epoch = [], None, -1
    for epoch in range(epochs):
        row = {"train_loss": train_one_epoch(model, train_loader, loss_fn, optimizer)}
        row["valid_loss"], row["valid_accuracy"] = evaluate(model, valid_loader, loss_fn)
        history.append(row)
        if best is None or row["valid_loss"] < history[best_epoch]["valid_loss"]:
            best, best_epoch = [t.detach().clone() for t in (*model.parameters(), *model.buffers())], epoch
        if patience is not None and epoch - best_epoch >= patience:
            break
    if patience is not None and best is not None:
        with torch.no_grad():
            for t, value in zip((*model.parameters(), *model.buffers()), best):
                t.copy_(value)
    return history


def save_checkpoint(path, model, optimizer, epoch):
    flat = {"model." + k: v for k, v in model.state_dict().items()}
    torch.save({**flat, "optim": optimizer.state_dict(), "epoch": epoch}, os.fspath(path))


def load_checkpoint(path, model, optimizer):
    data = torch.load(os.fspath(path), weights_only=True, map_location="cpu")
    model.load_state_dict({k[6:]: v for k, v in data.items() if k.startswith("model.")})
    optimizer.load_state_dict(data["optim"])
    return data["epoch"]
