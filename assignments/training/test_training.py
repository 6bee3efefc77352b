"""Public tests of the assignment "training": models and batches so small that you can follow them by hand.

Run them next to your `training.py` with

    autograder check

or, without the autograder, with

    pytest test_training.py

For one exercise only: `pytest -k evaluate`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import math

import pytest
import torch
import training
from torch import nn


class Times(nn.Module):
    """Multiplies by one number, and remembers in which mode it was called."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return x * self.factor


def mean(prediction, y):
    """A loss: the mean of the predictions. Its gradient for the factor is the mean of x."""
    return prediction.mean()


def column(*numbers):
    """A batch with these numbers as samples, and labels 0."""
    return torch.tensor(numbers).reshape(-1, 1), torch.zeros(len(numbers), dtype=torch.int64)


def sgd(model, lr=1.0, **options):
    return torch.optim.SGD(model.parameters(), lr=lr, **options)


# -------------------------------------------------------------------------------------------------- accuracy


def test_accuracy__three_of_four():
    """The example of the text: three of four rows have their first maximum at the label."""
    logits = torch.tensor([[0.1, 2.0, 0.3], [1.5, 0.2, 1.5], [0.0, 0.5, 0.9], [2.2, 0.1, 0.4]])
    assert training.accuracy(logits, torch.tensor([1, 2, 2, 0])) == pytest.approx(0.75)


def test_accuracy__python_float():
    """The result is a float."""
    assert type(training.accuracy(torch.eye(2), torch.tensor([0, 1]))) is float


@pytest.mark.parametrize("count", [0, 1, 3])
def test_accuracy__lengths(count):
    """Two rows and another number of labels raise a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        training.accuracy(torch.eye(2), torch.zeros(count, dtype=torch.int64))


# --------------------------------------------------------------------------------------------- cross_entropy


def test_cross_entropy__two_classes():
    """Equal logits mean probabilities of ½, so the loss is log 2, whatever the labels are."""
    loss = training.cross_entropy(torch.zeros(3, 2), torch.tensor([0, 1, 0]))
    assert loss.item() == pytest.approx(math.log(2))
    assert loss.shape == ()


def test_cross_entropy__mean():
    """Probabilities ¾ and ¼: the mean of −log ¾ and −log ¼."""
    logits = torch.tensor([[3.0, 1.0], [3.0, 1.0]]).log()
    expected = -(math.log(0.75) + math.log(0.25)) / 2
    assert training.cross_entropy(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


def test_cross_entropy__large_logits():
    """A logit of 1000 at the label costs nothing; at another class it costs 1000."""
    logits = torch.tensor([[1000.0, 0.0]])
    assert training.cross_entropy(logits, torch.tensor([0])).item() == pytest.approx(0)
    assert training.cross_entropy(logits, torch.tensor([1])).item() == pytest.approx(1000)


def test_cross_entropy__label_smoothing():
    """With ε = 0.5 and two classes the target is (¾, ¼)."""
    logits = torch.tensor([[3.0, 1.0]]).log()
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert training.cross_entropy(logits, torch.tensor([0]), label_smoothing=0.5).item() == pytest.approx(expected)


def test_cross_entropy__gradient():
    """The gradient is the difference between the probabilities and the target: (½ − 1, ½)."""
    logits = torch.zeros(1, 2, requires_grad=True)
    training.cross_entropy(logits, torch.tensor([0])).backward()
    assert logits.grad.tolist() == [[-0.5, 0.5]]


def test_cross_entropy__smoothing_out_of_range():
    """A label smoothing of 1.5 raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        training.cross_entropy(torch.zeros(1, 2), torch.tensor([0]), label_smoothing=1.5)


# -------------------------------------------------------------------------------------------------- init_cnn


def test_init_cnn__bound():
    """A 1×1 convolution from 2 to 4 channels: all weights are within ±√(6 / 6) = ±1, and new."""
    layer = nn.Conv2d(2, 4, 1)
    nn.init.constant_(layer.weight, 5.0)
    layer.apply(training.init_cnn)
    assert layer.weight.abs().max() <= 1
    assert layer.weight.unique().numel() == 8


def test_init_cnn__bias():
    """Biases stay, and so do other layers."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    nn.init.constant_(net[0].bias, 5.0)
    net.apply(training.init_cnn)
    assert net[0].bias.tolist() == [5, 5, 5]
    assert net[1].weight.tolist() == [1, 1, 1]


# ---------------------------------------------------------------------------------------------- kaiming_init


def test_kaiming_init__convolution():
    """1000 output channels and a 1×1 kernel: fan_out is 1000, so the standard deviation is about √0.002 = 0.045."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(4, 1000, 1))
    training.kaiming_init(model)
    assert model[0].weight.std().item() == pytest.approx(0.0447, rel=0.1)


def test_kaiming_init__batch_norm():
    """Weight 1 and bias 0; a layer without both is left alone."""
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2, affine=False))
    nn.init.constant_(model[0].weight, 5.0)
    nn.init.constant_(model[0].bias, 5.0)
    training.kaiming_init(model)
    assert model[0].weight.tolist() == [1, 1]
    assert model[0].bias.tolist() == [0, 0]


def test_kaiming_init__returns_the_model():
    """The same model comes back."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1))
    assert training.kaiming_init(model) is model


# ------------------------------------------------------------------------------------------- train_one_epoch


def test_train_one_epoch__two_steps():
    """From factor 10, the gradients 2 and 3 (the means of x) are subtracted: 10 → 8 → 5."""
    model = Times(10.0)
    training.train_one_epoch(model, [column(1.0, 3.0), column(3.0)], mean, sgd(model))
    assert model.factor.item() == pytest.approx(5)


def test_train_one_epoch__old_gradients():
    """A gradient of 100 that is there before does not count."""
    model = Times(10.0)
    model.factor.grad = torch.tensor(100.0)
    training.train_one_epoch(model, [column(2.0)], mean, sgd(model))
    assert model.factor.item() == pytest.approx(8)


def test_train_one_epoch__mean_per_sample():
    """Losses of 1 for four samples and of 4 for two: (4 · 1 + 2 · 4) / 6 = 2."""
    model = Times()
    batches = [column(1.0, 1.0, 1.0, 1.0), column(4.0, 4.0)]
    loss = training.train_one_epoch(model, batches, mean, sgd(model, lr=0.0))
    assert type(loss) is float
    assert loss == pytest.approx(2)


def test_train_one_epoch__clipping():
    """A gradient of 8 is shortened to 0.5; one of 0.25 stays."""
    model = Times(10.0)
    training.train_one_epoch(model, [column(8.0)], mean, sgd(model), clip_norm=0.5)
    assert model.factor.item() == pytest.approx(9.5)
    training.train_one_epoch(model, [column(0.25)], mean, sgd(model), clip_norm=0.5)
    assert model.factor.item() == pytest.approx(9.25)


def test_train_one_epoch__training_mode():
    """A model in evaluation mode is trained in training mode."""
    model = Times().eval()
    training.train_one_epoch(model, [column(1.0), column(2.0)], mean, sgd(model))
    assert model.modes == [True, True]


def test_train_one_epoch__empty_loader():
    """No batches raise a ValueError."""
    model = Times()
    with pytest.raises(ValueError, match=r".+"):
        training.train_one_epoch(model, [], mean, sgd(model))


# -------------------------------------------------------------------------------------------------- evaluate


def rows(*logits):
    """A batch of these logits for two classes, with labels 0."""
    return torch.tensor(logits), torch.zeros(len(logits), dtype=torch.int64)


BATCHES = [rows([1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [3.0, 1.0]), rows([0.0, 3.0])]


def test_evaluate__loss_and_accuracy():
    """Mean losses 1 (four samples) and 1.5 (one): 1.1 per sample. Right are 3 of 5."""
    loss, accuracy = training.evaluate(Times(), BATCHES, mean)
    assert loss == pytest.approx(1.1)
    assert accuracy == pytest.approx(0.6)


def test_evaluate__modes():
    """The model answers in evaluation mode; afterwards every module is in the mode that it was in."""
    model = nn.Sequential(Times(), nn.Dropout(0.5))
    model[1].eval()
    training.evaluate(model, BATCHES, mean)
    assert model[0].modes == [False, False]
    assert [module.training for module in model.modules()] == [True, True, False]


def test_evaluate__no_graph():
    """The outputs of the model do not require gradients."""
    seen = []

    def loss_fn(prediction, y):
        seen.append(prediction.requires_grad)
        return prediction.mean()

    training.evaluate(Times(), BATCHES, loss_fn)
    assert seen == [False, False]


def test_evaluate__exception():
    """When the loss raises, the modes are put back, too."""

    def loss_fn(prediction, y):
        raise OverflowError("on purpose")

    model = Times()
    with pytest.raises(OverflowError):
        training.evaluate(model, BATCHES, loss_fn)
    assert model.training


def test_evaluate__empty_loader():
    """No batches raise a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        training.evaluate(Times(), [], mean)


# -------------------------------------------------------------------------------------- accumulate_gradients


def test_accumulate_gradients__uneven():
    """The mean of 1, 2 and 6 is 3, also if they come as (1, 2) and (6): the factor goes from 10 to 7."""
    model = Times(10.0)
    x, y = column(1.0, 2.0, 6.0)
    loss = training.accumulate_gradients(model, x, y, mean, sgd(model), 2)
    assert model.factor.item() == pytest.approx(7)
    assert loss == pytest.approx(30)
    assert len(model.modes) == 2


def test_accumulate_gradients__size_0():
    """A micro-batch of 0 samples raises a ValueError."""
    model = Times()
    with pytest.raises(ValueError, match=r".+"):
        training.accumulate_gradients(model, *column(1.0), mean, sgd(model), 0)


# ------------------------------------------------------------------------------------------- cosine_schedule


@pytest.mark.parametrize(("step", "rate"), [(0, 0.5), (1, 1), (2, 1), (6, 0.5), (10, 0)])
def test_cosine_schedule__example(step, rate):
    """The example of the text: ten steps, two of them warm-up."""
    assert training.cosine_schedule(step, 10, 1.0, warmup_steps=2) == pytest.approx(rate)


def test_cosine_schedule__lowest_rate():
    """Half way between 0.5 and 0.1 is 0.3."""
    assert training.cosine_schedule(5, 10, 0.5, min_lr=0.1) == pytest.approx(0.3)


@pytest.mark.parametrize(("step", "warmup"), [(-1, 0), (11, 0), (0, 10)])
def test_cosine_schedule__errors(step, warmup):
    """Steps outside 0 … 10, and a warm-up that leaves no steps, raise a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        training.cosine_schedule(step, 10, 0.1, warmup_steps=warmup)


# ------------------------------------------------------------------------------------------------------- fit


class Steps(torch.optim.Optimizer):
    """Each step sets the parameter to the next of these numbers."""

    def __init__(self, model, *numbers):
        super().__init__(model.parameters(), {})
        self.numbers = iter(numbers)

    def step(self, closure=None):
        with torch.no_grad():
            self.param_groups[0]["params"][0].fill_(next(self.numbers))


def fitted(*losses, **options):
    """(history, model) of a fit whose validation losses are these."""
    model = Times(9.0)
    batches = [rows([1.0, 1.0])]
    history = training.fit(model, batches, batches, mean, Steps(model, *losses), len(losses), **options)
    return history, model


def test_fit__history():
    """One dictionary per epoch. The training loss is the one before the step."""
    history, model = fitted(5.0, 7.0)
    assert history[0] == {"train_loss": 9.0, "valid_loss": 5.0, "valid_accuracy": 1.0}
    assert history[1] == {"train_loss": 5.0, "valid_loss": 7.0, "valid_accuracy": 1.0}
    assert model.factor.item() == 7


def test_fit__patience():
    """The example of the text: with patience=2 and losses 5, 3, 4, 3, … training ends after the fourth epoch."""
    history, _ = fitted(5.0, 3.0, 4.0, 3.0, 1.0, patience=2)
    assert [epoch["valid_loss"] for epoch in history] == [5, 3, 4, 3]


def test_fit__best_epoch():
    """With patience, the model ends with its best parameter, 3."""
    assert fitted(5.0, 3.0, 4.0, patience=9)[1].factor.item() == 3


def test_fit__no_epochs():
    """No epochs, no history."""
    assert fitted()[0] == []


# ------------------------------------------------------------------------- save_checkpoint and load_checkpoint


def trained():
    """A model and an optimizer with momentum, after one step."""
    model = Times(10.0)
    optimizer = sgd(model, momentum=0.5)
    model.factor.grad = torch.tensor(2.0)
    optimizer.step()
    return model, optimizer


def test_save_checkpoint__one_safe_file(tmp_path):
    """There is one file, and torch.load reads it with weights_only=True."""
    training.save_checkpoint(tmp_path / "model.pt", *trained(), 3)
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]
    torch.load(tmp_path / "model.pt", weights_only=True)


def test_load_checkpoint__goes_on(tmp_path):
    """The factor is 8 and the momentum 2; a gradient of 1 makes 8 − (0.5 · 2 + 1) = 6."""
    training.save_checkpoint(tmp_path / "model.pt", *trained(), 3)
    model = Times(0.0)
    optimizer = sgd(model, momentum=0.5)
    assert training.load_checkpoint(tmp_path / "model.pt", model, optimizer) == 3
    model.factor.grad = torch.tensor(1.0)
    optimizer.step()
    assert model.factor.item() == pytest.approx(6)


def test_load_checkpoint__no_file(tmp_path):
    """A missing file raises a FileNotFoundError."""
    model = Times()
    with pytest.raises(FileNotFoundError):
        training.load_checkpoint(tmp_path / "missing.pt", model, sgd(model))
