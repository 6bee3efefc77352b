"""Public tests of the assignment "transfer": small models that you can follow by hand.

Run them next to your `transfer.py` with

    autograder check

or, without the autograder, with

    pytest test_transfer.py

For one exercise only: `pytest -k replace_head`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import pytest
import torch
import transfer
from torch import nn
from torch.testing import assert_close


class Doubler(nn.Module):
    """Returns 2·x in training mode and x in evaluation mode, so that its mode can be seen."""

    def forward(self, x):
        return 2 * x if self.training else x


class Breaks(nn.Module):
    """Raises an exception whenever it is called."""

    def forward(self, x):
        raise ZeroDivisionError("this layer always breaks")


class Small(nn.Module):
    """Three numbers in, two numbers out. Its layers are called body.0, body.1, body.2 and top."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())
        self.top = nn.Linear(4, 2)

    def forward(self, x):
        return self.top(self.body(x))


def names_of_trainable(model):
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


# ----------------------------------------------------------------------------------------------------- freeze


def test_freeze__all_parameters():
    """No weight or bias requires a gradient any more, even in nested layers."""
    model = Small()
    transfer.freeze(model)
    assert names_of_trainable(model) == []


def test_freeze__a_single_layer():
    """A layer without children has parameters, too."""
    layer = nn.Linear(3, 2)
    transfer.freeze(layer)
    assert names_of_trainable(layer) == []


def test_freeze__returns_the_module():
    """The same module comes back, so that `model = freeze(model)` works."""
    model = Small()
    assert transfer.freeze(model) is model


def test_freeze__keeps_the_mode():
    """A model in training mode stays in training mode."""
    model = Small().train()
    transfer.freeze(model)
    assert all(module.training for module in model.modules())


def test_freeze__part_of_a_model():
    """If only the body is frozen, the top can still learn."""
    model = Small()
    transfer.freeze(model.body)
    assert names_of_trainable(model) == ["top.weight", "top.bias"]


# ----------------------------------------------------------------------------------------------- replace_head


def test_replace_head__last_layer():
    """The last layer takes 4 numbers as before and returns 7 instead of 2."""
    model = Small()
    transfer.replace_head(model, 7)
    assert (model.top.in_features, model.top.out_features) == (4, 7)
    assert model(torch.ones(5, 3)).shape == (5, 7)


def test_replace_head__nested():
    """The last linear layer is found inside a Sequential; the other one stays the same object."""
    first = nn.Linear(3, 4)
    model = nn.Sequential(nn.Sequential(first, nn.ReLU()), nn.Sequential(nn.Linear(4, 2), nn.Dropout()))
    transfer.replace_head(model, 6)
    assert model[0][0] is first
    assert (model[1][0].in_features, model[1][0].out_features) == (4, 6)


def test_replace_head__without_bias():
    """A head without bias is replaced by one without bias."""
    model = nn.Sequential(nn.ReLU(), nn.Linear(3, 2, bias=False))
    transfer.replace_head(model, 5)
    assert model[1].bias is None


def test_replace_head__in_a_frozen_model():
    """The new head can learn, the rest stays frozen."""
    model = Small().requires_grad_(False)
    transfer.replace_head(model, 5)
    assert names_of_trainable(model) == ["top.weight", "top.bias"]


def test_replace_head__returns_the_model():
    """The same model comes back."""
    model = Small()
    assert transfer.replace_head(model, 3) is model


def test_replace_head__no_linear_layer():
    """A model without any linear layer raises a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        transfer.replace_head(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), 5)


# ---------------------------------------------------------------------------- discriminative_parameter_groups


def test_discriminative_parameter_groups__learning_rates():
    """Three layers with base_lr = 0.4 and decay = 0.5: 0.1, 0.2 and 0.4."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    groups = transfer.discriminative_parameter_groups(model, base_lr=0.4, decay=0.5)
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 0.2, 0.4])


def test_discriminative_parameter_groups__parameters():
    """The body of this model has four parameters, the top has two."""
    groups = transfer.discriminative_parameter_groups(Small(), 0.1, 0.5)
    assert [len(list(group["params"])) for group in groups] == [4, 2]


def test_discriminative_parameter_groups__children_that_do_not_learn():
    """A ReLU and a frozen layer get no group and do not count: 0.5 and 1, not 0.125 and 1."""
    frozen = nn.Linear(2, 2).requires_grad_(False)
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), frozen, nn.Linear(2, 2))
    groups = transfer.discriminative_parameter_groups(model, 1.0, 0.5)
    assert [group["lr"] for group in groups] == pytest.approx([0.5, 1.0])


def test_discriminative_parameter_groups__optimizer():
    """After a step with gradients of 1, each number is smaller by its learning rate."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer in model:
        layer.weight.data.fill_(1.0)
    optimizer = torch.optim.SGD(transfer.discriminative_parameter_groups(model, 0.5, 0.5), lr=9.0)
    for layer in model:
        layer.weight.grad = torch.ones(1, 1)
    optimizer.step()
    assert [layer.weight.item() for layer in model] == pytest.approx([0.75, 0.5])


# ------------------------------------------------------------------------------------------- extract_features


def test_extract_features__of_a_layer():
    """The output of body.0 is that of this linear layer."""
    model, x = Small(), torch.tensor([[1.0, 2.0, 3.0]])
    assert_close(transfer.extract_features(model, x, "body.0"), model.body[0](x).detach())


def test_extract_features__in_evaluation_mode():
    """The layer Doubler shows its mode: in evaluation mode it returns its input."""
    model, x = nn.Sequential(Doubler(), nn.Flatten()).train(), torch.ones(2, 3)
    assert_close(transfer.extract_features(model, x, "1"), x)


def test_extract_features__no_graph():
    """The result does not require a gradient."""
    assert not transfer.extract_features(Small(), torch.ones(2, 3), "body").requires_grad


def test_extract_features__modes_are_restored():
    """The body was in evaluation mode and the top in training mode, and they still are afterwards."""
    model = Small()
    model.body.eval()
    transfer.extract_features(model, torch.ones(2, 3), "top")
    assert [model.training, model.body.training, model.top.training] == [True, False, True]


def test_extract_features__no_hook_is_left():
    """Afterwards no layer has a hook."""
    model = Small()
    transfer.extract_features(model, torch.ones(2, 3), "body.1")
    assert all(len(module._forward_hooks) == 0 for module in model.modules())


def test_extract_features__exception():
    """If the forward pass raises an exception, it reaches the caller, and the model is as it was."""
    model = nn.Sequential(nn.Linear(3, 3), Breaks(), nn.Linear(3, 2)).train()
    with pytest.raises(ZeroDivisionError):
        transfer.extract_features(model, torch.ones(2, 3), "2")
    assert all(module.training for module in model.modules())
    assert len(model[2]._forward_hooks) == 0


def test_extract_features__unknown_name():
    """There is no layer with this name: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        transfer.extract_features(Small(), torch.ones(2, 3), "body.9")


# ------------------------------------------------------------------------------------------- freeze_batchnorm


def test_freeze_batchnorm__stays_in_evaluation_mode():
    """body.1 is in evaluation mode at once, and still is after two calls of model.train()."""
    model = Small()
    transfer.freeze_batchnorm(model)
    assert not model.body[1].training
    model.train()
    model.train()
    assert not model.body[1].training


def test_freeze_batchnorm__other_layers_train():
    """All other layers follow model.eval() and model.train() as usual."""
    model = Small()
    transfer.freeze_batchnorm(model)
    model.eval()
    assert not model.top.training
    model.train()
    assert [model.training, model.body.training, model.body[0].training, model.top.training] == [True] * 4


def test_freeze_batchnorm__scale_and_shift():
    """Scale and shift are frozen, the linear layers are not."""
    model = Small()
    transfer.freeze_batchnorm(model)
    assert names_of_trainable(model) == ["body.0.weight", "body.0.bias", "top.weight", "top.bias"]


def test_freeze_batchnorm__statistics_stand_still():
    """A forward pass in training mode does not move the running mean."""
    model = Small()
    transfer.freeze_batchnorm(model)
    model.train()
    model(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    assert_close(model.body[1].running_mean, torch.zeros(4))


def test_freeze_batchnorm__returns_the_model():
    """The same model comes back."""
    model = Small()
    assert transfer.freeze_batchnorm(model) is model
