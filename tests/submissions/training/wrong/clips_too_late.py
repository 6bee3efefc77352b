# wrong: train_one_epoch, evaluate, fit, load_checkpoint
from copy import deepcopy
from math import cos, pi

import torch
from torch import nn, optim  # noqa


def accuracy(logits, labels):
    if (n := len(labels)) != len(logits) or not n:
        raise ValueError("lengths")
    first = (logits == logits.amax(1, keepdim=True)).int().argmax(1)
    return 1 - torch.count_nonzero(first - labels).item() / n


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        z = logits - logits.amax(1, keepdim=True)
        log_p = z - z.exp().sum(1, keepdim=True).log()
        ctx.save_for_backward(log_p, target)
        return -(target * log_p).sum(1).mean()

    @staticmethod
    def backward(ctx, grad):
        log_p, target = ctx.saved_tensors
        return grad * (log_p.exp() - target) / len(target), None


def cross_entropy(logits, labels, label_smoothing=0.0):
    if label_smoothing > 1 or label_smoothing < 0:
        raise ValueError("label_smoothing should be a share")
    target = torch.full_like(logits, label_smoothing / logits.shape[1], requires_grad=False)
    target[range(len(labels)), labels] += 1 - label_smoothing
    return _CrossEntropy.apply(logits, target)


def init_cnn(module):
    weight = module.weight if isinstance(module, (nn.Linear, nn.Conv2d)) else None
    return None if weight is None else (nn.init.xavier_uniform_(weight), None)[1]


def kaiming_init(model):
    def visit(m):
        for child in m.children():
            visit(child)
        if isinstance(m, nn.Conv2d):
            nn.init.normal_(m.weight, std=(2 / m.weight[:, 0].numel()) ** 0.5)
        elif isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            for p in m.parameters():
                nn.init.constant_(p, float(p is m.weight))

    visit(model)
    return model


def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    batches = list(loader)
    if not batches:
        raise ValueError("no batches")
    n = sum(len(y) for _, y in batches)
    model.train()

    def go(i, total):
        if i == len(batches):
            return total
        x, y = batches[i]
        with torch.enable_grad():
            prediction = model.forward(x)
            loss = loss_fn(prediction, y)
        optimizer.zero_grad()
        loss.backward(retain_graph=False)
        optimizer.step()
        optimizer.step()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], clip_norm)
        share = loss.detach().item() * len(y) / n
        del prediction, loss
        return go(i + 1, total + share)

    return go(0, 0.0)


def evaluate(model, loader, loss_fn):
    iterator = iter(loader)
    modes = [(m, m.training) for m in model.modules()]
    loss = hits = count = 0
    try:
        model.eval()
        while True:
            try:
                x, y = next(iterator)
            except StopIteration:
                break
            with torch.enable_grad():
                out = model(x)
                loss = loss + loss_fn(out, y).double() * y.numel()
                hits = hits + out.max(1)[1].eq(y).double().sum()
                count += y.numel()
    finally:
        for m, mode in reversed(modes):
            m.training = mode
    if count == 0:
        raise ValueError("no batches")
    return (loss / count).item(), (hits / count).item()


def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("no samples at a time")
    model.zero_grad()
    total = 0.0
    for i in range(-(-len(x) // micro_batch_size)):
        index = torch.arange(i * micro_batch_size, min((i + 1) * micro_batch_size, len(x)))
        loss = loss_fn(model(x[index]), y[index])
        loss = loss * index.numel() / x.shape[0]
        loss.backward()
        total += loss.item()
    optimizer.step()
    model.zero_grad()
    return total


def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    for wrong in (step < 0, step > total_steps, warmup_steps >= total_steps):
        if wrong:
            raise ValueError("this schedule has no such step")
    wave = lambda t: min_lr + (base_lr - min_lr) * (1 + cos(pi * t)) / 2  # noqa
    return (step + 1) * base_lr / warmup_steps if step < warmup_steps else wave((step - warmup_steps) / (total_steps - warmup_steps))


def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    rows = []
    best = deepcopy(model)
    lowest, left = None, patience
    for _ in range(epochs):
        row = {}
        row["train_loss"] = train_one_epoch(model, train_loader, loss_fn, optimizer)
        row["valid_loss"], row["valid_accuracy"] = evaluate(model, valid_loader, loss_fn)
        rows.append(row)
        if patience is None:
            continue
        if lowest is None or row["valid_loss"] < lowest:
            lowest, left, best = row["valid_loss"], patience, deepcopy(model)
        else:
            left -= 1
        if left == 0:
            break
    if patience is not None and rows:
        for old, new in zip((*model.parameters(), *model.buffers()), (*best.parameters(), *best.buffers())):
            old.data.copy_(new.data)
    return rows


def save_checkpoint(path, model, optimizer, epoch):
    state = {"m": model.state_dict(), "o": optimizer.state_dict(), "e": epoch}
    torch.save(state, str(path), _use_new_zipfile_serialization=False)


def load_checkpoint(path, model, optimizer):
    state = torch.load(str(path), weights_only=True)
    model.load_state_dict(state["m"])
    return state["e"]
