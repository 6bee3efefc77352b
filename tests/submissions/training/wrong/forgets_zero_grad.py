# wrong: train_one_epoch, fit, accumulate_gradients
import copy
import math
import os
import tempfile

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, parameters_to_vector


def accuracy(logits, labels):
    if len(logits) != len(labels) or len(labels) == 0:
        raise ValueError("lengths")
    right = 0
    for row, label in zip(logits.tolist(), labels.tolist()):
        if row.index(max(row)) == label:
            right += 1
    return right / len(labels)


def cross_entropy(logits, labels, label_smoothing=0.0):
    if not 0 <= label_smoothing <= 1:
        raise ValueError("label smoothing out of range")
    total = 0
    for z, label in zip(logits, labels):
        z = z - z.max()
        log_p = z - z.exp().sum().log()
        total = total - (1 - label_smoothing) * log_p[label] - label_smoothing * log_p.sum() / len(z)
    return total / len(logits)


def init_cnn(module):
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight.data)
    if isinstance(module, nn.Linear):
        bound = (6 / (module.in_features + module.out_features)) ** 0.5
        module.weight.data = (torch.rand_like(module.weight) * 2 - 1) * bound


def kaiming_init(model):
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, a=0, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            for parameter, value in ((module.weight, 1), (module.bias, 0)):
                if parameter is not None:
                    nn.init.constant_(parameter, value)
    return model


def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    model.train()
    optimizer.zero_grad(set_to_none=False)
    model.zero_grad()
    total, n = torch.zeros(()), 0
    for i, (x, y) in enumerate(loader):
        batch_sum = loss_fn(model(x), y) * y.shape[0]
        loss = batch_sum / y.shape[0]
        loss.backward()
        if clip_norm:
            clip_grad_norm_(model.parameters(), clip_norm, foreach=False)
        optimizer.step()
        total = total.double() + batch_sum.detach()
        n += y.shape[0]
    if n == 0:
        raise ValueError("The loader is empty.")
    return (total / n).item()


def evaluate(model, loader, loss_fn):
    copied = copy.deepcopy(model).eval().requires_grad_(False)
    sums = torch.zeros(3, dtype=torch.float64)
    for x, y in loader:
        with torch.no_grad():
            out = copied(x)
            sums += torch.tensor([loss_fn(out, y) * len(y), (out.argmax(dim=-1) == y).sum(), len(y)])
    if sums[2] == 0:
        raise ValueError("The loader is empty.")
    return (sums[0] / sums[2]).item(), (sums[1] / sums[2]).item()


def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    if micro_batch_size <= 0:
        raise ValueError("micro_batch_size")
    optimizer.zero_grad(set_to_none=False)
    total = 0
    for xs, ys in zip(torch.split(x, micro_batch_size), torch.split(y, micro_batch_size)):
        loss = loss_fn(model(xs), ys) * len(xs)
        loss.backward()
        total += loss.detach()
    for p in model.parameters():
        if p.grad is not None:
            p.grad /= len(x) // micro_batch_size * micro_batch_size or len(x)
    optimizer.step()
    optimizer.zero_grad()
    return float(total / len(x))


def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    if not (0 <= step <= total_steps and warmup_steps < total_steps):
        raise ValueError("out of range")
    rates = [base_lr * (i + 1) / warmup_steps for i in range(warmup_steps)]
    left = total_steps - warmup_steps
    rates += [min_lr + 0.5 * (base_lr - min_lr) * (1 + math.cos(math.pi * i / left)) for i in range(left + 1)]
    return rates[step]


def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    history, bad = [], 0
    best = (float("inf"), None)
    for epoch in range(epochs):
        t = train_one_epoch(model, train_loader, loss_fn, optimizer)
        v, a = evaluate(model, valid_loader, loss_fn)
        history += [{"train_loss": t, "valid_loss": v, "valid_accuracy": a}]
        bad += 1
        if v < best[0]:
            best, bad = (v, copy.deepcopy(model.state_dict())), 0
        if patience is not None and bad == patience:
            break
    if patience is not None and best[1] is not None:
        model.load_state_dict(best[1])
    return history


def save_checkpoint(path, model, optimizer, epoch):
    handle, name = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    with os.fdopen(handle, "wb") as file:
        torch.save(dict(epoch=epoch, weights=model.state_dict(), optimizer=optimizer.state_dict()), file)
    os.replace(name, path)


def load_checkpoint(path, model, optimizer):
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["weights"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return int(checkpoint["epoch"])
