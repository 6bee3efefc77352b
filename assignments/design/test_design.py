"""Public tests of the assignment "design": small models whose numbers you can work out by hand.

Run them next to your `design.py` with

    autograder check

or, without the autograder, with

    pytest test_design.py

For one exercise only: `pytest -k BlurPool`. A test is named after its exercise, and the sentence below its
name says what it checks. The hidden grader checks more than these tests do, so think about other inputs, too.
"""

import design
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut; the layers are registered in an unusual order."""

    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(3, 3, 3, padding=1)
        self.first = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return F.relu(x + self.second(F.relu(self.first(x))))


class Breaks(nn.Module):
    """Raises an exception whenever it is called."""

    def forward(self, x):
        raise ZeroDivisionError("this layer always breaks")


# ---------------------------------------------------------------------------------------- DownsampleComparison


def test_DownsampleComparison__even_size():
    """6×4 pixels become 3×2, whatever the method."""
    model = design.DownsampleComparison(3, 5)
    for method in ("maxpool", "strided", "avgpool"):
        assert model(torch.ones(2, 3, 6, 4), method).shape == (2, 5, 3, 2)


def test_DownsampleComparison__odd_size():
    """7 becomes 3 with pooling, and 4 with a strided convolution."""
    model, x = design.DownsampleComparison(1, 1), torch.ones(1, 1, 7, 7)
    assert [model(x, method).shape[-1] for method in ("maxpool", "strided", "avgpool")] == [3, 4, 3]


def test_DownsampleComparison__branches():
    """A method gives what its branch gives; without one, that is strided_conv."""
    model, x = design.DownsampleComparison(2, 3), torch.arange(32.0).reshape(1, 2, 4, 4)
    assert_close(model(x), model.strided_conv(x))
    assert_close(model(x, "maxpool"), model.conv_pool(x))
    assert_close(model(x, "avgpool"), model.conv_avgpool(x))


def test_DownsampleComparison__maximum_and_mean():
    """With weights of 1 and no bias, the convolution of ones on 4×4 pixels gives 4, 6 and 9; a window is 4 6 6 9."""
    model = design.DownsampleComparison(1, 1)
    for parameter in model.parameters():
        parameter.data.fill_(1.0 if parameter.dim() > 1 else 0.0)
    x = torch.ones(1, 1, 4, 4)
    assert_close(model(x, "maxpool"), torch.full((1, 1, 2, 2), 9.0))
    assert_close(model(x, "avgpool"), torch.full((1, 1, 2, 2), 6.25))
    assert_close(model(x, "strided"), torch.tensor([[[[4.0, 6.0], [6.0, 9.0]]]]))


def test_DownsampleComparison__unknown_method():
    """There is no such method: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        design.DownsampleComparison(1, 1)(torch.ones(1, 1, 4, 4), "median")


# ---------------------------------------------------------------------------------------------------- BlurPool


def test_BlurPool__a_single_pixel():
    """A pixel of 16 spreads to 1 2 1, 2 4 2, 1 2 1."""
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 16
    expected = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])
    assert_close(design.BlurPool(1, stride=1)(x)[0, 0, 1:4, 1:4], expected)


def test_BlurPool__border():
    """Reflection keeps a map of ones as it is, even at its border."""
    assert_close(design.BlurPool(2)(torch.ones(1, 2, 5, 6)), torch.ones(1, 2, 3, 3))


def test_BlurPool__reflection():
    """Left of the row 0 4 0 0 another 4 is reflected: the first number is (4 + 2·0 + 4) / 4 = 2."""
    x = torch.tensor([0.0, 4.0, 0.0, 0.0]).expand(1, 1, 3, 4)
    assert_close(design.BlurPool(1, stride=1)(x)[0, 0, 1], torch.tensor([2.0, 2.0, 1.0, 0.0]))


def test_BlurPool__buffer():
    """The filter is saved, but not learned."""
    layer = design.BlurPool(3)
    assert len(list(layer.parameters())) == 0
    assert len(layer.state_dict()) > 0


def test_BlurPool__too_small():
    """A single row cannot be reflected: ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        design.BlurPool(1)(torch.ones(1, 1, 1, 5))


def test_BlurPool__dtype():
    """A map in float64 gives a result in float64."""
    assert design.BlurPool(1)(torch.ones(1, 1, 4, 4, dtype=torch.float64)).dtype == torch.float64


# --------------------------------------------------------------------------------------------- classifier_head


def test_classifier_head__shape():
    """Four vectors of 5 features become four of 3 numbers."""
    head = design.classifier_head(5, 3)
    assert isinstance(head, nn.Sequential)
    assert head(torch.ones(4, 5)).shape == (4, 3)


def test_classifier_head__parameters():
    """5 features, 7 hidden ones, 3 classes: 5·7 + 7 + 7·3 + 3 = 66."""
    assert sum(parameter.numel() for parameter in design.classifier_head(5, 3, hidden=7).parameters()) == 66


def test_classifier_head__dropout():
    """In evaluation mode, two calls give the same; in training mode, they do not."""
    head, x = design.classifier_head(50, 3), torch.ones(8, 50)
    assert not torch.equal(head.train()(x), head(x))
    assert torch.equal(head.eval()(x), head(x))


# -------------------------------------------------------------------------------------------------- count_macs


def test_count_macs__convolution():
    """6×6 places, 5 filters of 3×3 on 2 channels: 36 · 5 · 18 = 3240."""
    assert design.count_macs(nn.Conv2d(2, 5, 3), (1, 2, 8, 8)) == 3240


def test_count_macs__linear_layer():
    """Three vectors, 4 outputs from 10 numbers each: 120."""
    assert design.count_macs(nn.Linear(10, 4), (3, 10)) == 120


def test_count_macs__groups():
    """Depthwise: each of 4 · 9 outputs needs 9 numbers, 324 in all."""
    assert design.count_macs(nn.Conv2d(4, 4, 3, groups=4), (1, 4, 5, 5)) == 324


def test_count_macs__called_twice():
    """A 1×1 convolution of 2 channels on 9 pixels costs 36; called twice, 72."""
    layer = nn.Conv2d(2, 2, 1)
    assert design.count_macs(nn.Sequential(layer, nn.ReLU(), layer), (1, 2, 3, 3)) == 72


def test_count_macs__leaves_the_model_alone():
    """Afterwards the modes are as before and no hook is left, even after an exception."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(), Breaks()).train()
    model[1].eval()
    with pytest.raises(ZeroDivisionError):
        design.count_macs(model, (1, 1, 2, 2))
    assert [module.training for module in model] == [True, False, True]
    assert len(model[0]._forward_hooks) == 0


# ------------------------------------------------------------------------------------- compute_receptive_field


def test_compute_receptive_field__one_layer():
    """Kernel 3, stride 2, padding 1 on 6 pixels: the windows are -1…1, 1…3 and 3…5."""
    size, centers = design.compute_receptive_field(nn.Conv2d(3, 4, 3, 2, 1), 6)
    assert size == 3
    assert list(centers) == [0, 2, 4]


def test_compute_receptive_field__two_layers():
    """Kernel 3 with stride 2, then kernel 3: three fields of 3 pixels, 2 apart, are 7 pixels."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.Conv2d(4, 4, 3))
    assert design.compute_receptive_field(model, 20)[0] == 7


def test_compute_receptive_field__pooling():
    """Kernel 3, then a pool of 2: 4 pixels."""
    assert design.compute_receptive_field(nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)), 20)[0] == 4


def test_compute_receptive_field__residual_block():
    """Two 3×3 convolutions see 5 pixels, the shortcut sees one. The larger field wins."""
    size, centers = design.compute_receptive_field(Residual(), 8)
    assert size == 5
    assert list(centers) == [0, 1, 2, 3, 4, 5, 6, 7]


# --------------------------------------------------------------------------------------- compare_architectures


def test_compare_architectures__table():
    """On 4×4 pixels, the small model does 32 MACs and the large one 288; both have a bias per filter."""
    models = {"large": nn.Conv2d(1, 8, 3), "small": nn.Conv2d(1, 2, 1)}
    assert design.compare_architectures(models, (1, 1, 4, 4)) == [
        {"name": "small", "parameters": 4, "macs": 32},
        {"name": "large", "parameters": 80, "macs": 288},
    ]


def test_compare_architectures__equal_work():
    """Models with the same work are sorted by name."""
    models = {name: nn.Linear(2, 2) for name in ("b", "c", "a")}
    assert [row["name"] for row in design.compare_architectures(models, (1, 2))] == ["a", "b", "c"]
