"""Right: the loss is scaled, and the gradients unscaled before clipping and the step; the loader is wrapped."""
import itertools
import math

import numpy as np
import torch
from torch import nn

SCALE = 1024.0


def progress(loader, report=lambda text: None):
    """As tqdm does it."""
    for number, batch in enumerate(loader, start=1):
        report(f"batch {number}")
        yield batch


def accuracy(logits, labels):
    logits, labels = logits.detach().numpy(), labels.detach().numpy()
    if logits.shape[0] != labels.shape[0] or labels.size == 0:
        raise ValueError("shapes")
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def cross_entropy(logits, labels, label_smoothing=0.0):
    if math.fabs(label_smoothing - 0.5) > 0.5:
        raise ValueError("label_smoothing is not in [0, 1]")
    wide = logits.double()
    top = wide.detach().amax(1, keepdim=True)
    log_norm = top.squeeze(1) + torch.exp(wide - top).sum(1).log()
    at_label = torch.take_along_dim(wide, labels.view(-1, 1), 1).view(-1)
    hard, soft = log_norm - at_label, log_norm - wide.mean(1)
    return ((1 - label_smoothing) * hard + label_smoothing * soft).mean().to(logits.dtype)


def init_cnn(module):
    if issubclass(module.__class__, (nn.Conv2d, nn.Linear)):
        o, i = module.weight.shape[:2]
        k = int(np.prod(module.weight.shape[2:]))
        with torch.no_grad():
            module.weight[...] = torch.empty_like(module.weight).uniform_(-1, 1) * math.sqrt(6 / ((o + i) * k))


def kaiming_init(model):
    model.apply(lambda m: nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu") if isinstance(m, nn.Conv2d) else None)
    for m in model.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.affine:
            m.weight.data, m.bias.data = torch.ones_like(m.weight), torch.zeros_like(m.bias)
    return model


def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    model.train()
    total = n = 0
    for x, y in progress(loader):
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        (loss * SCALE).backward()
        with torch.no_grad():
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            for g in grads:
                g.div_(SCALE)
            if clip_norm is not None:
                norm = torch.cat([g.reshape(-1) for g in grads]).norm()
                factor = torch.clamp(clip_norm / (norm + 1e-6), max=1)
                for g in grads:
                    g.mul_(factor)
        optimizer.step()
        total, n = total + loss.item() * len(x), n + len(x)
    try:
        return total / n
    except ZeroDivisionError:
        raise ValueError("an empty loader") from None


def evaluate(model, loader, loss_fn):
    was = {name: m.training for name, m in model.named_modules()}
    previous = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    model.train(False)
    try:
        batches = list(loader)
        outputs = [model(x) for x, _ in progress(batches)]
        weights = np.array([len(y) for _, y in batches], dtype=float)
        if weights.size == 0:
            raise ValueError("an empty loader")
        losses = [float(loss_fn(out, y)) for out, (_, y) in zip(outputs, batches)]
        hits = [float((out.argmax(1) == y).float().mean()) for out, (_, y) in zip(outputs, batches)]
        return float(np.average(losses, weights=weights)), float(np.average(hits, weights=weights))
    finally:
        torch.set_grad_enabled(previous)
        for name, m in model.named_modules():
            m.training = was[name]


def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    if micro_batch_size < 1:
        raise ValueError("micro_batch_size")
    for p in model.parameters():
        p.grad = None
    losses = []
    for start in itertools.count(0, micro_batch_size):
        xs, ys = x[start : start + micro_batch_size], y[start : start + micro_batch_size]
        if len(xs) == 0:
            break
        loss = loss_fn(model(xs), ys) * (len(xs) / len(x))
        (SCALE * loss).backward()
        losses.append(loss.item())
    for p in model.parameters():
        if p.grad is not None:
            p.grad = p.grad / SCALE
    optimizer.step()
    return math.fsum(losses)


def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    if step < 0 or step > total_steps:
        raise ValueError("step")
    if warmup_steps >= total_steps:
        raise ValueError("warmup_steps")
    if step < warmup_steps:
        return float(np.linspace(0, base_lr, warmup_steps + 1)[step + 1])
    angle = np.pi * (step - warmup_steps) / (total_steps - warmup_steps)
    return float(min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(angle)))


def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    history, kept, since = [], None, 0
    lowest = np.inf
    for _ in range(epochs):
        # Written out, without the functions above.
        model.train()
        seen, lost = 0, 0.0
        for x, y in train_loader:
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen, lost = seen + len(y), lost + loss.item() * len(y)
        model.eval()
        count, valid, right = 0, 0.0, 0
        with torch.no_grad():
            for x, y in valid_loader:
                out = model(x)
                count, valid = count + len(y), valid + loss_fn(out, y).item() * len(y)
                right += int((out.argmax(1) == y).sum())
        history.append({"train_loss": lost / seen, "valid_loss": valid / count, "valid_accuracy": right / count})
        if patience is not None:
            if valid / count < lowest:
                lowest, since = valid / count, 0
                kept = {k: v.numpy().copy() for k, v in model.state_dict().items()}
            else:
                since += 1
                if since == patience:
                    break
    if kept is not None:
        model.load_state_dict({k: torch.as_tensor(v) for k, v in kept.items()})
    return history


def save_checkpoint(path, model, optimizer, epoch):
    everything = {"epoch": epoch, "tensors": {}, "optimizer": optimizer.state_dict()}
    for name, p in model.named_parameters():
        everything["tensors"][name] = p.detach()
    for name, b in model.named_buffers():
        everything["tensors"][name] = b
    torch.save(everything, path)


def load_checkpoint(path, model, optimizer):
    everything = torch.load(path, weights_only=True)
    with torch.no_grad():
        for name, t in itertools.chain(model.named_parameters(), model.named_buffers()):
            t.copy_(everything["tensors"][name])
    optimizer.load_state_dict(everything["optimizer"])
    return everything["epoch"]
