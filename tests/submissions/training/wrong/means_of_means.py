# wrong: train_one_epoch, evaluate, fit
import contextlib
import math
from pathlib import Path

import torch
import torch.nn as nn


class Average:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def add(self, value, n):
        self.sum += float(value) * n
        self.count += n

    @property
    def value(self):
        if not self.count:
            raise ValueError("nothing was added")
        return self.sum / self.count


@contextlib.contextmanager
def evaluation_mode(model):
    flags = [(m, m.training) for m in model.modules()]
    try:
        yield model.eval()
    finally:
        for m, flag in flags:
            m.training = flag


class Accuracy:
    def __call__(self, logits, labels):
        if len(logits) != len(labels):
            raise ValueError("lengths differ")
        average = Average()
        for predicted, label in zip(logits.argmax(1), labels):
            average.add(predicted == label, 1)
        return average.value


accuracy = Accuracy()


class CrossEntropy(nn.Module):
    def forward(self, logits, labels, label_smoothing=0.0):
        if not 0 <= label_smoothing <= 1:
            raise ValueError("label_smoothing")
        log_p = logits - logits.logsumexp(-1, keepdim=True)
        one_hot = torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device)[labels]
        target = torch.lerp(one_hot, torch.full_like(one_hot, 1 / logits.shape[1]), label_smoothing)
        return -torch.einsum("nk,nk->", target, log_p) / len(labels)


cross_entropy = CrossEntropy()


class Xavier:
    def __call__(self, module):
        for kind in (nn.Conv2d, nn.Linear):
            if isinstance(module, kind):
                nn.init.xavier_uniform_(module.weight, gain=1.0)


init_cnn = Xavier()


class Kaiming:
    def __call__(self, model):
        list(map(self.one, model.modules()))
        return model

    @staticmethod
    def one(m):
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)) and m.affine:
            with torch.no_grad():
                m.weight.copy_(torch.ones_like(m.weight))
                m.bias.copy_(torch.zeros_like(m.bias))


kaiming_init = Kaiming()


class Trainer(nn.Module):
    """Holds the model as a submodule of its own."""

    def __init__(self, model):
        super().__init__()
        self.models = nn.ModuleList([model])

    def forward(self, x):
        return nn.Sequential(*self.models)(x)


class TrainOneEpoch:
    def __call__(self, model, loader, loss_fn, optimizer, clip_norm=None):
        trainer, average = Trainer(model), Average()
        trainer.train()
        for batch in loader:
            inputs, targets = batch
            for group in optimizer.param_groups:
                for p in group["params"]:
                    p.grad = None
            loss = loss_fn(trainer(inputs), targets)
            torch.autograd.backward([loss])
            if clip_norm is not None:
                nn.utils.clip_grad_norm_(trainer.parameters(), clip_norm)
            optimizer.step()
            average.add(loss, 1)
        return average.value


train_one_epoch = TrainOneEpoch()


class Evaluate:
    def __call__(self, model, loader, loss_fn):
        loss, right = Average(), Average()
        with evaluation_mode(model), torch.inference_mode():
            for inputs, targets in loader:
                out = Trainer(model).eval()(inputs)
                loss.add(loss_fn(out, targets), len(targets))
                right.add(accuracy(out, targets), 1)
        return loss.value, right.value


evaluate = Evaluate()


class Accumulate:
    def __call__(self, model, x, y, loss_fn, optimizer, micro_batch_size):
        if micro_batch_size < 1:
            raise ValueError("too small")
        optimizer.zero_grad()
        parts = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=micro_batch_size)
        average = Average()
        for xs, ys in parts:
            loss = loss_fn(model(xs), ys)
            loss.backward(torch.full_like(loss, len(ys) / len(y)))
            average.add(loss, len(ys))
        optimizer.step()
        return average.value


accumulate_gradients = Accumulate()


class Cosine:
    def __call__(self, step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
        if not 0 <= step <= total_steps:
            raise ValueError("step")
        if total_steps <= warmup_steps:
            raise ValueError("warmup_steps")
        if step < warmup_steps:
            return base_lr * (step + 1) / warmup_steps
        part = (step - warmup_steps) / (total_steps - warmup_steps)
        up = 0.5 * (1 + math.cos(math.pi * part))
        return up * base_lr + (1 - up) * min_lr


cosine_schedule = Cosine()


class Best:
    def __init__(self):
        self.loss, self.state, self.age = math.inf, None, 0

    def look(self, loss, model):
        self.age += 1
        if loss < self.loss:
            self.loss, self.age = loss, 0
            self.state = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}


class Fit:
    def __call__(self, model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
        history, best = [], Best()
        for _ in range(epochs):
            trained = train_one_epoch(model, train_loader, loss_fn, optimizer)
            loss, share = evaluate(model, valid_loader, loss_fn)
            history.append({"train_loss": trained, "valid_loss": loss, "valid_accuracy": share})
            best.look(loss, model)
            if patience is not None and best.age >= patience:
                break
        if patience is not None and best.state:
            model.load_state_dict(best.state)
        return history


fit = Fit()


class Checkpoint:
    def save(self, path, model, optimizer, epoch):
        Path(path).unlink(missing_ok=True)
        torch.save((model.state_dict(), optimizer.state_dict(), torch.tensor(epoch)), path)

    def load(self, path, model, optimizer):
        weights, state, epoch = torch.load(path, weights_only=True)
        model.load_state_dict(weights)
        optimizer.load_state_dict(state)
        return epoch.item()


save_checkpoint, load_checkpoint = Checkpoint().save, Checkpoint().load
