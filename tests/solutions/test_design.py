"""The reference solution of `design`, compared with torch.nn, torchvision, PyTorch's own counter and with gradients."""

import copy
import inspect

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from reference_solutions import load_skeleton, load_solution
from vision import import_torchvision

design = load_solution("design")


def modes(model):
    return [module.training for module in model.modules()]


def hooks(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def body(name):
    """A network of torchvision without its head, in training mode and without its numbers."""
    vision = import_torchvision()
    with torch.device("meta"):
        model = getattr(vision.models, name)()
    return model.features if name == "vgg16" else nn.Sequential(*list(model.children())[:-2])


class Raises(nn.Module):
    def forward(self, _):
        raise OverflowError("on purpose")


class TestDownsampleComparison:
    @pytest.mark.parametrize(("size", "sizes"), [(6, [3, 3, 3]), (7, [3, 4, 3])])
    def test_shapes(self, size, sizes):
        model, x = design.DownsampleComparison(3, 4), torch.randn(2, 3, size, size + 2)
        shapes = [list(model(x, method).shape) for method in ("maxpool", "strided", "avgpool")]
        assert shapes == [[2, 4, side, side + 1] for side in sizes]

    def test_values(self):
        model, x = design.DownsampleComparison(2, 3), torch.randn(1, 2, 4, 6)
        by_hand = [F.conv2d(x, branch[0].weight, branch[0].bias, padding=1).relu() for branch in model.children()]
        assert_close(model(x, "maxpool"), F.max_pool2d(by_hand[0], 2))
        assert_close(model(x), by_hand[1][:, :, ::2, ::2])
        assert_close(model(x, "avgpool"), F.avg_pool2d(by_hand[2], 2))

    @pytest.mark.parametrize("method", ["", "max", "Strided", None, 2])
    def test_unknown_methods(self, method):
        with pytest.raises(ValueError, match="method"):
            design.DownsampleComparison(1, 1)(torch.ones(1, 1, 2, 2), method)


class TestBlurPool:
    @pytest.mark.parametrize("stride", [1, 2, 3])
    def test_equals_a_convolution_in_double_precision(self, stride):
        x = torch.randn(2, 3, 7, 6, dtype=torch.float64)
        row = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        rows = sum(weight * padded[..., i : i + 6] for i, weight in enumerate(row))
        whole = sum(weight * rows[:, :, i : i + 7] for i, weight in enumerate(row))
        assert_close(design.BlurPool(3, stride)(x), whole[:, :, ::stride, ::stride])

    def test_the_filter_is_saved_and_not_learned(self):
        layer = design.BlurPool(2)
        assert list(layer.parameters()) == []
        assert [tuple(tensor.shape) for tensor in layer.state_dict().values()] == [(2, 1, 3, 3)]

    @pytest.mark.parametrize("shape", [(1, 1, 1, 5), (1, 1, 5, 1)])
    def test_maps_that_are_too_small(self, shape):
        with pytest.raises(ValueError, match="too small"):
            design.BlurPool(1)(torch.ones(shape))


def test_classifier_head():
    head = design.classifier_head(5, 3)
    assert [type(layer) for layer in head] == [nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert [head[0].p, head[3].p, head[1].out_features] == [0.3, 0.2, 256]
    assert head(torch.ones(2, 5)).shape == (2, 3)


class TestCountMacs:
    @pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
    def test_equals_pytorchs_own_counter(self, name):
        model = getattr(import_torchvision().models, name)()
        x = torch.zeros(2, 3, 64, 64)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            copy.deepcopy(model).eval()(x)
        assert design.count_macs(model, x.shape) == counter.get_total_flops() // 2

    def test_leaves_the_model_alone_when_it_raises(self):
        model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), Raises()).train()
        model[1].eval()
        model[0].register_forward_hook(lambda *_: None)
        before = modes(model), hooks(model)
        with pytest.raises(OverflowError):
            design.count_macs(model, (1, 1, 2, 2))
        assert (modes(model), hooks(model)) == before


class TestComputeReceptiveField:
    @pytest.mark.parametrize(
        ("name", "size", "first", "outputs"),
        [("vgg16", 212, 15.5, 7), ("resnet18", 435, 0, 7), ("resnet50", 427, 0, 7)],
    )
    def test_figures_of_the_contract(self, name, size, first, outputs):
        model = body(name)
        before = modes(model)
        found, centers = design.compute_receptive_field(model)
        assert found == size
        assert centers == [first + 32 * i for i in range(outputs)]
        assert modes(model) == before

    def test_equals_what_gradients_say(self):
        def paths(x):
            return torch.cat([wide(x), F.avg_pool2d(x, 3, 1, 1)], 1) + x[:, :1]

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem, self.wide = nn.Conv2d(3, 3, 3, 2, 1), wide

            def forward(self, x):
                return paths(F.avg_pool2d(self.stem(x), 2))

        wide = nn.Conv2d(3, 2, 3, padding=2, dilation=2)
        model, x = Model(), torch.randn(1, 3, 48, 48, requires_grad=True)
        y = model(x)
        y[0, :, 6, 6].sum().backward()
        seen = x.grad.abs().sum((0, 1, 2)).nonzero().flatten().tolist()
        size, centers = design.compute_receptive_field(model, 48)
        assert size == seen[-1] - seen[0] + 1
        assert centers[6] == (seen[0] + seen[-1]) / 2
        assert len(centers) == y.shape[-1]

    def test_field_larger_than_the_image(self):
        model = nn.Sequential(*(nn.Conv2d(3, 3, 5, padding=2) for _ in range(3)))
        assert design.compute_receptive_field(model, 4) == (13, [0, 1, 2, 3])


def test_compare_architectures():
    shared = nn.Conv2d(1, 1, 1, bias=False)
    models = {"b": nn.Conv2d(1, 2, 1), "a": nn.Sequential(shared, shared), "c": shared}
    assert design.compare_architectures(models, (1, 1, 2, 2)) == [
        {"name": "c", "parameters": 1, "macs": 4},
        {"name": "a", "parameters": 1, "macs": 8},
        {"name": "b", "parameters": 4, "macs": 8},
    ]


def test_the_skeleton_has_the_same_signatures(tmp_path):
    skeleton = load_skeleton("design", tmp_path)
    for name in ("DownsampleComparison", "BlurPool", "classifier_head", "count_macs", "compare_architectures"):
        assert inspect.signature(getattr(skeleton, name)) == inspect.signature(getattr(design, name))


def test_the_picture_shows_the_fields_of_five_stages(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    design.draw_receptive_fields()
    (axes,) = plt.gcf().axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    plt.close("all")
    assert labels == [f"after {i}: {size} × {size}" for i, size in enumerate([6, 16, 44, 100, 212], 1)]
