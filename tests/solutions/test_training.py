"""The reference solution of `training`: against PyTorch where there is the same thing, else against numbers by hand."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from autograder.probes import tiny_batches, tiny_model
from reference_solutions import load_solution

training = load_solution("training")


def values(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def textbook(model, batches, optimizer, clip_norm=None):
    """The loop as in PyTorch's tutorials."""
    model.train()
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        losses += [loss.item()] * len(y)
    return sum(losses) / len(losses)


def test_accuracy_counts_the_first_maximum():
    logits = torch.tensor([[1.0, 1.0], [0.0, 2.0], [3.0, 0.0]])
    assert training.accuracy(logits, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)
    assert training.accuracy(logits, torch.tensor([1, 1, 1])) == pytest.approx(1 / 3)
    for count in (0, 1, 2, 4):
        with pytest.raises(ValueError, match=r".+"):
            training.accuracy(logits, torch.zeros(count, dtype=torch.int64))
    with pytest.raises(ValueError, match=r".+"):
        training.accuracy(logits[:0], torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_is_that_of_pytorch(dtype, size, smoothing):
    logits = (size * torch.randn(5, 4, dtype=dtype)).requires_grad_()
    labels = torch.tensor([0, 3, 1, 1, 2])
    ours, theirs = (
        function(logits, labels, label_smoothing=smoothing) for function in (training.cross_entropy, F.cross_entropy)
    )
    assert_close(ours, theirs)
    assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)))


def test_initialisation():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(8, 40, 5), nn.BatchNorm2d(40), nn.Linear(50, 30), nn.BatchNorm2d(2, affine=False))
    nn.init.constant_(net[1].weight, 3.0)
    before = values(net)
    assert training.init_cnn(net) is None
    net.apply(training.init_cnn)
    assert net[0].weight.abs().max().item() == pytest.approx(math.sqrt(6 / (48 * 25)), rel=0.01)
    assert net[2].weight.abs().max().item() == pytest.approx(math.sqrt(6 / 80), rel=0.01)
    assert training.kaiming_init(net) is net
    assert net[0].weight.std().item() == pytest.approx(math.sqrt(2 / (40 * 25)), rel=0.05)
    assert net[1].weight.tolist() == [1] * 40
    for name in ("0.bias", "2.bias", "1.running_var"):
        assert_close(net.state_dict()[name], before[name])


@pytest.mark.parametrize("clip_norm", [None, 0.2])
def test_one_epoch_is_that_of_the_textbook(clip_norm):
    batches = tiny_batches(4, 4, 3)
    models = [tiny_model(batch_norm=True).eval() for _ in range(2)]
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.1) for model in models]
    models[0][0].weight.grad = torch.ones(4, 3, dtype=torch.float64)
    ours = training.train_one_epoch(models[0], batches, F.cross_entropy, optimizers[0], clip_norm)
    assert ours == pytest.approx(textbook(models[1], batches, optimizers[1], clip_norm))
    assert_close(values(models[0]), values(models[1]))


def test_evaluate_looks_without_touching():
    model = tiny_model(batch_norm=True, dropout=0.5)
    model[1].eval()
    before, modes = values(model), [module.training for module in model.modules()]
    batches = tiny_batches(4, 1)
    loss, accuracy = training.evaluate(model, batches, F.cross_entropy)
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    logits = copy.deepcopy(model).eval()(x)
    assert loss == pytest.approx(F.cross_entropy(logits, y).item())
    assert accuracy == training.accuracy(logits, y)
    assert [module.training for module in model.modules()] == modes
    assert_close(values(model), before)
    with pytest.raises(RuntimeError):
        training.evaluate(model, [(torch.ones(2, 5), y[:2])], F.cross_entropy)
    assert [module.training for module in model.modules()] == modes


@pytest.mark.parametrize("function", ["train_one_epoch", "evaluate"])
def test_a_loader_without_batches(function):
    model = tiny_model()
    optimizer = [torch.optim.SGD(model.parameters(), lr=0.1)] if function == "train_one_epoch" else []
    with pytest.raises(ValueError, match="no batches"):
        getattr(training, function)(model, [], F.cross_entropy, *optimizer)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9])
def test_accumulated_gradients_are_those_of_the_whole_batch(size):
    [(x, y)] = tiny_batches(7)
    models = [tiny_model() for _ in range(2)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9) for model in models]
    ours = training.accumulate_gradients(models[0], x, y, F.cross_entropy, optimizers[0], size)
    assert ours == pytest.approx(textbook(models[1], [(x, y)], optimizers[1]))
    assert_close(values(models[0]), values(models[1]))
    with pytest.raises(ValueError, match=r".+"):
        training.accumulate_gradients(models[0], x, y, F.cross_entropy, optimizers[0], 0)


def test_cosine_schedule():
    rates = [training.cosine_schedule(step, 10, 1.0, warmup_steps=2) for step in range(11)]
    assert [round(rate, 2) for rate in rates] == [0.5, 1, 1, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15, 0.04, 0]
    assert training.cosine_schedule(4, 4, 1.0, min_lr=0.25) == 0.25
    for step, warmup in ((-1, 0), (5, 0), (0, 4)):
        with pytest.raises(ValueError, match=r".+"):
            training.cosine_schedule(step, 4, 1.0, warmup_steps=warmup)


@pytest.mark.parametrize("patience", [None, 1, 3])
def test_fit_ends_with_the_best_epoch(patience):
    train, valid = tiny_batches(4, 4), tiny_batches(5, seed=1)
    model = tiny_model(batch_norm=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    history = training.fit(model, train, valid, F.cross_entropy, optimizer, 12, patience)
    losses = [epoch["valid_loss"] for epoch in history]
    best = losses.index(min(losses))
    assert len(history) == (12 if patience is None else best + 1 + patience)
    assert training.evaluate(model, valid, F.cross_entropy)[0] == (losses[-1] if patience is None else losses[best])
    assert training.fit(model, train, valid, F.cross_entropy, optimizer, 0, patience) == []


@pytest.mark.parametrize("kind", [torch.optim.Adam, lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9)])
def test_a_checkpoint_resumes_exactly(kind, tmp_path):
    def build():
        model = tiny_model(batch_norm=True)
        return model, kind(model.parameters())

    model, optimizer = build()
    batches = tiny_batches(4, 4, 4, 4)
    textbook(model, batches[:2], optimizer)
    for group in optimizer.param_groups:
        group["lr"] *= 0.5
    training.save_checkpoint(tmp_path / "model.pt", model, optimizer, 7)
    other, its = build()
    assert training.load_checkpoint(str(tmp_path / "model.pt"), other, its) == 7
    textbook(model, batches[2:], optimizer)
    textbook(other, batches[2:], its)
    assert_close(values(model), values(other), rtol=0, atol=0)
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    with pytest.raises(FileNotFoundError):
        training.load_checkpoint(tmp_path / "other.pt", model, optimizer)
