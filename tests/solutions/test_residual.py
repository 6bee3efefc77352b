"""The reference solution of `residual`, compared with torchvision, torch.nn and the figures of the contract."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from reference_solutions import load_solution
from vision import import_torchvision

residual = load_solution("residual")

PARAMETERS = {
    "resnet18": 11689512,
    "resnet34": 21797672,
    "resnet50": 25557032,
    "resnet101": 44549160,
    "resnet152": 60192808,
}
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
strides_and_channels = pytest.mark.parametrize(
    ("channels", "stride"), [((4, 4), 1), ((4, 4), 2), ((4, 6), 1), ((6, 4), 2), ((1, 1), 1), ((1, 3), 3)]
)


@pytest.fixture
def torchvision_resnet():
    import_torchvision()
    from torchvision.models import resnet

    return resnet


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def shaken(model, seed=0):
    """Random numbers for every parameter and statistic: a fresh batch norm hides mistakes."""
    generator = torch.Generator().manual_seed(seed)
    state = model.state_dict()
    for name in sorted(state):
        value = state[name]
        if not value.is_floating_point():
            continue
        drawn = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        if name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1):
            drawn = drawn.abs() / 2 + 0.5
        elif value.dim() > 1:
            drawn = drawn * (2 / value[0].numel()) ** 0.5
        else:
            drawn = drawn / 5
        value.copy_(drawn)
    return model


def same(ours, theirs):
    """Two modules of equal names with the same random state, in float64."""
    shaken(theirs.double())
    ours.double().load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_same_behaviour(ours, theirs, x):
    """Outputs in both modes, gradients and updated statistics."""
    for training in (False, True):
        ours.train(training), theirs.train(training)
        results = []
        for model in (ours, theirs):
            model.zero_grad()
            leaf = x.clone().requires_grad_()
            y = model(leaf)
            (y * torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)).sum().backward()
            results.append([y.detach(), leaf.grad, {name: p.grad for name, p in model.named_parameters()}])
        assert_close(results[0], results[1])
    assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


def downsample_to(inplanes, outplanes, stride):
    return nn.Sequential(nn.Conv2d(inplanes, outplanes, 1, stride, bias=False), nn.BatchNorm2d(outplanes))


class Plain(nn.Module):
    """A residual block written down in another way, layer by layer, for comparison with ResidualBlock."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        block, stride = self.block, self.block.conv1.stride
        y = F.conv2d(x, block.conv1.weight, None, stride, 1)
        y = block.bn1(y).clamp(min=0)
        y = block.bn2(F.conv2d(y, block.conv2.weight, None, 1, 1))
        if isinstance(block.shortcut, nn.Identity):
            return (x + y).clamp(min=0)
        return (block.shortcut[1](F.conv2d(x, block.shortcut[0].weight, None, stride)) + y).clamp(min=0)


class TestConv3x3:
    @pytest.mark.parametrize("stride", [1, 2, 3])
    @pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 5), (4, 2)])
    def test_is_a_convolution_with_padding_1_and_no_bias(self, inputs, outputs, stride):
        layer = residual.conv3x3(inputs, outputs, stride).double()
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is None
        x = normal(2, inputs, 5, 8)
        assert_close(layer(x), F.conv2d(x, layer.weight, None, stride, 1))

    def test_has_stride_1_by_default_and_takes_names(self):
        assert residual.conv3x3(3, 4)(torch.ones(1, 3, 1, 1)).shape == (1, 4, 1, 1)
        layer = residual.conv3x3(in_planes=2, out_planes=4, stride=2)
        assert layer(torch.ones(1, 2, 5, 4)).shape == (1, 4, 3, 2)


class TestResidualBlock:
    @strides_and_channels
    def test_equals_the_formula_layer_by_layer(self, channels, stride):
        block = shaken(residual.ResidualBlock(*channels, stride)).double()
        other = Plain(copy.deepcopy(block))
        x = normal(3, channels[0], 5, 8)
        for training in (False, True):
            assert_close(block.train(training)(x), other.train(training)(x))
        assert_close(dict(block.state_dict()), dict(other.block.state_dict()))

    @strides_and_channels
    def test_equals_torchvisions_block_with_our_shortcut(self, torchvision_resnet, channels, stride):
        ours = shaken(residual.ResidualBlock(*channels, stride)).double()
        theirs = torchvision_resnet.BasicBlock(*channels, stride, downsample=copy.deepcopy(ours.shortcut)).double()
        theirs.load_state_dict({name.replace("shortcut", "downsample"): v for name, v in ours.state_dict().items()})
        x = normal(3, channels[0], 5, 4)
        assert_close(ours(x), theirs(x))
        assert_close(ours.eval()(x), theirs.eval()(x))

    @strides_and_channels
    def test_the_shortcut_has_layers_only_where_they_are_needed(self, channels, stride):
        block = shaken(residual.ResidualBlock(*channels, stride)).double().eval()
        x = normal(2, channels[0], 5, 4)
        if stride == 1 and channels[0] == channels[1]:
            assert_close(block.shortcut(x), x)
            assert not list(block.shortcut.parameters())
        else:
            conv, norm = block.shortcut
            assert_close(block.shortcut(x), norm(F.conv2d(x, conv.weight, None, stride)))

    @strides_and_channels
    def test_has_no_bias_in_a_convolution(self, channels, stride):
        block = residual.ResidualBlock(*channels, stride)
        c_i, c_o = channels
        expected = 9 * c_o * (c_i + c_o) + 4 * c_o
        if stride != 1 or c_i != c_o:
            expected += c_o * c_i + 2 * c_o
        assert sum(p.numel() for p in block.parameters()) == expected

    def test_halves_the_map_and_rounds_up(self):
        assert residual.ResidualBlock(3, 6, stride=2)(torch.ones(2, 3, 5, 8)).shape == (2, 6, 3, 4)
        assert residual.ResidualBlock(in_channels=3, out_channels=6)(torch.ones(2, 3, 1, 1)).shape == (2, 6, 1, 1)


class TestBlocksOfTorchvision:
    @pytest.mark.parametrize("name", ["BasicBlock", "Bottleneck"])
    @pytest.mark.parametrize(("inplanes", "planes", "stride"), [(8, 8, 1), (8, 2, 1), (8, 2, 2), (3, 5, 2), (1, 1, 1)])
    def test_equals_torchvisions(self, torchvision_resnet, name, inplanes, planes, stride):
        outplanes = planes * getattr(residual, name).expansion
        fits = stride == 1 and inplanes == outplanes
        arguments = inplanes, planes, stride
        downsamples = [None if fits else downsample_to(inplanes, outplanes, stride) for _ in range(2)]
        ours = getattr(residual, name)(*arguments, downsamples[0])
        theirs = getattr(torchvision_resnet, name)(*arguments, downsamples[1])
        ours, theirs = same(ours, theirs)
        assert_same_behaviour(ours, theirs, normal(3, inplanes, 5, 8))
        assert_same_behaviour(ours, theirs, normal(2, inplanes, 1, 3))

    @pytest.mark.parametrize(("name", "expansion"), [("BasicBlock", 1), ("Bottleneck", 4)])
    def test_knows_its_expansion(self, name, expansion):
        assert getattr(residual, name).expansion == expansion

    @pytest.mark.parametrize("name", ["BasicBlock", "Bottleneck"])
    def test_uses_any_module_as_downsample(self, name):
        cls = getattr(residual, name)
        block = shaken(cls(4, 4 // cls.expansion, downsample=nn.Softshrink(0.3))).eval()
        other = shaken(cls(inplanes=4, planes=4 // cls.expansion, stride=1)).eval()
        x = normal(2, 4, 3, 5, dtype=torch.float32)
        other.relu = nn.Identity()
        twin = shaken(cls(4, 4 // cls.expansion, downsample=nn.Softshrink(0.3))).eval()
        twin.relu = nn.Identity()
        assert_close(twin(x) - other(x), F.softshrink(x, 0.3) - x)
        assert block(x).min() >= 0


def blocks_under_test():
    return {
        "ResidualBlock": residual.ResidualBlock(4, 4),
        "ResidualBlock projecting": residual.ResidualBlock(4, 6, 2),
        "BasicBlock": residual.BasicBlock(4, 4),
        "BasicBlock downsampling": residual.BasicBlock(4, 6, 2, downsample_to(4, 6, 2)),
        "Bottleneck": residual.Bottleneck(4, 1),
        "Bottleneck downsampling": residual.Bottleneck(4, 2, 2, downsample_to(4, 8, 2)),
    }


every_block = pytest.mark.parametrize("name", list(blocks_under_test()))


class TestEveryBlock:
    @every_block
    @dtypes
    def test_keeps_the_dtype(self, name, dtype):
        block = blocks_under_test()[name].to(dtype)
        assert block(normal(2, 4, 4, 4, dtype=dtype)).dtype == dtype

    @every_block
    def test_runs_on_the_device_of_its_input(self, name):
        block = blocks_under_test()[name].to("meta")
        assert block(torch.empty(2, 4, 4, 4, device="meta")).device.type == "meta"

    @every_block
    @pytest.mark.parametrize("training", [True, False])
    def test_leaves_its_input_alone(self, name, training):
        block = shaken(blocks_under_test()[name]).double().train(training)
        x = normal(2, 4, 5, 4)
        before = x.clone()
        block(x)
        leaf = x.clone().requires_grad_()
        hidden = leaf * 1
        block(hidden).sum().backward()
        for tensor in (x, leaf, hidden):
            assert_close(tensor.detach(), before, rtol=0, atol=0)

    @every_block
    def test_does_not_care_for_strides(self, name):
        block = shaken(blocks_under_test()[name]).double().eval()
        x = normal(2, 4, 5, 6)
        expected = block(x)
        assert_close(block(x.transpose(2, 3).contiguous().transpose(2, 3)), expected)
        assert_close(block(x.repeat_interleave(2, 3)[..., ::2]), expected)
        assert_close(block(x.contiguous(memory_format=torch.channels_last)), expected)

    @every_block
    def test_survives_copies_and_round_trips(self, name):
        block, x = shaken(blocks_under_test()[name]).double().eval(), normal(2, 4, 3, 4)
        expected = block(x)
        other = shaken(blocks_under_test()[name], seed=1).double().eval()
        assert not torch.allclose(other(x), expected)
        other.load_state_dict(block.state_dict())
        assert_close(other(x), expected)
        twin = copy.deepcopy(block)
        shaken(block, seed=2)
        assert_close(twin(x), expected)

    @every_block
    def test_passes_gradcheck(self, name):
        block = shaken(blocks_under_test()[name]).double()
        x = normal(2, 4, 3, 3).requires_grad_()
        assert torch.autograd.gradcheck(block.eval(), (x,))
        assert torch.autograd.gradcheck(block.train(), (x,))


class Toy(nn.Module):
    """A cheap block that notes with what it was built. (torchvision hands over more than our ResNet does.)"""

    expansion = 2

    def __init__(self, inplanes, planes, stride=1, downsample=None, *_, **__):
        super().__init__()
        self.arguments = (inplanes, planes, stride, downsample is not None)
        self.conv = nn.Conv2d(inplanes, planes * self.expansion, 1, stride, groups=inplanes, bias=False)
        self.downsample = downsample

    def forward(self, x):
        return torch.tanh(self.conv(x) + (x if self.downsample is None else self.downsample(x)))


class TestResNet:
    @pytest.mark.parametrize("name", list(PARAMETERS))
    def test_has_torchvisions_names_and_shapes(self, torchvision_resnet, name):
        with torch.device("meta"):
            ours, theirs = getattr(residual, name)(), getattr(torchvision_resnet, name)()
        shapes = [{key: value.shape for key, value in model.state_dict().items()} for model in (ours, theirs)]
        assert shapes[0] == shapes[1]
        assert list(shapes[0]) == list(shapes[1])
        assert sum(p.numel() for p in ours.parameters()) == PARAMETERS[name]

    @pytest.mark.parametrize("name", ["resnet18", pytest.param("resnet50", marks=pytest.mark.slow)])
    def test_behaves_as_torchvisions(self, torchvision_resnet, name):
        ours, theirs = same(getattr(residual, name)(7), getattr(torchvision_resnet, name)(num_classes=7))
        assert_same_behaviour(ours, theirs, normal(2, 3, 33, 47))

    def test_loads_torchvisions_resnet34(self, torchvision_resnet):
        theirs = shaken(torchvision_resnet.resnet34()).eval()
        ours = residual.resnet34()
        ours.load_state_dict(theirs.state_dict())
        x = normal(1, 3, 64, 40, dtype=torch.float32)
        assert_close(ours.eval()(x), theirs(x))

    @pytest.mark.parametrize("name", ["resnet34", "resnet101", "resnet152"])
    def test_layers_have_torchvisions_sizes(self, torchvision_resnet, name):
        with torch.device("meta"):
            ours, theirs = getattr(residual, name)(), getattr(torchvision_resnet, name)()
            x = torch.empty(1, 3, 97, 64)
        for child in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"):
            y = getattr(ours, child)(x)
            assert y.shape == getattr(theirs, child)(x).shape
            x = y

    def test_builds_stages_as_torchvision_does(self, torchvision_resnet):
        ours, theirs = residual.ResNet(Toy, [1, 2, 1, 3], 5), torchvision_resnet.ResNet(Toy, [1, 2, 1, 3], 5)
        arguments = [[m.arguments for m in model.modules() if isinstance(m, Toy)] for model in (ours, theirs)]
        assert arguments[0] == arguments[1]
        assert ours.inplanes == 1024
        assert_same_behaviour(*same(ours, theirs), normal(2, 3, 40, 33))

    @pytest.mark.parametrize(
        ("inplanes", "planes", "stride", "first"),
        [
            (64, 32, 1, (64, 32, 1, False)),
            (64, 32, 2, (64, 32, 2, True)),
            (64, 64, 1, (64, 64, 1, True)),
            (32, 64, 2, (32, 64, 2, True)),
        ],
    )
    def test_makes_one_stage(self, inplanes, planes, stride, first):
        net = residual.ResNet(Toy, [1, 1, 1, 1])
        net.inplanes = inplanes
        stage = net._make_layer(Toy, planes, 3, stride)
        assert [block.arguments for block in stage] == [first] + [(2 * planes, planes, 1, False)] * 2
        assert net.inplanes == 2 * planes
        assert net._make_layer(Toy, planes, 1)[0].arguments == (2 * planes, planes, 1, False)

    @pytest.mark.parametrize("size", [(32, 32), (32, 50), (65, 33), (224, 224)])
    def test_takes_any_size(self, size):
        net = residual.ResNet(Toy, [1, 1, 1, 1], num_classes=3).eval()
        assert net(torch.ones(1, 3, *size)).shape == (1, 3)

    def test_has_1000_classes_by_default(self):
        assert residual.ResNet(Toy, [1, 1, 1, 1]).fc.out_features == 1000

    def test_leaves_its_input_alone(self):
        net, x = residual.ResNet(Toy, [1, 1, 1, 1], 3), normal(2, 3, 32, 32, dtype=torch.float32)
        before = x.clone()
        net(x)
        assert_close(x, before, rtol=0, atol=0)


class PaddedBlock(nn.Module):
    """torchvision's block with the shortcut of option A, for cifar_resnet."""

    def __init__(self, block, stride):
        super().__init__()
        self.block, self.stride = block, stride
        block.relu = nn.ReLU()

    def forward(self, x):
        b = self.block
        y = b.bn2(b.conv2(F.relu(b.bn1(b.conv1(x)))))
        if self.stride == 2:
            kept = x[:, :, torch.arange(0, x.shape[2], 2)][..., torch.arange(0, x.shape[3], 2)]
            x = torch.cat([kept, torch.zeros_like(kept)], dim=1)
        return F.relu(x + y)


class TestCifarResNet:
    def test_has_269722_parameters_for_n_3(self):
        assert sum(p.numel() for p in residual.cifar_resnet(3).parameters()) == 269722

    @pytest.mark.parametrize("n", [1, 2, 9])
    def test_has_6n_plus_2_layers(self, n):
        net = residual.cifar_resnet(n)
        layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert len(layers) == 6 * n + 2
        assert all(m.bias is None for m in layers[:-1])
        assert layers[-1].bias is not None

    @pytest.mark.parametrize("n", [1, 2])
    def test_behaves_as_one_made_of_torchvisions_blocks(self, torchvision_resnet, n):
        blocks, channels = [], 16
        for width in (16, 32, 64):
            for _ in range(n):
                stride = 1 if width == channels else 2
                blocks.append(PaddedBlock(torchvision_resnet.BasicBlock(channels, width, stride), stride))
                channels = width
        stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        theirs = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 7))
        ours = residual.cifar_resnet(n, num_classes=7)
        # The keys stand in the same order: stem, then conv1, bn1, conv2, bn2 of each block, then the linear layer.
        theirs_state = shaken(theirs.double()).state_dict()
        ours.double().load_state_dict(dict(zip(ours.state_dict(), theirs_state.values(), strict=True)))
        x = normal(3, 3, 32, 32)
        assert_close(ours.eval()(x), theirs.eval()(x))
        assert_close(ours.eval()(x[:1]), theirs(x[:1]))
        results = []
        for model in (ours, theirs):
            leaf = x.clone().requires_grad_()
            y = model.train()(leaf)
            y.square().sum().backward()
            results.append([y.detach(), leaf.grad, [p.grad for p in model.parameters()], list(model.buffers())])
        assert_close(*results)

    def test_option_a_keeps_even_pixels_and_appends_zeros(self):
        x = torch.arange(32.0).reshape(1, 2, 4, 4)
        y = residual.OptionA(3)(x)
        assert y.shape == (1, 5, 2, 2)
        assert_close(y[:, :2], torch.tensor([[[[0.0, 2.0], [8.0, 10.0]], [[16.0, 18.0], [24.0, 26.0]]]]))
        assert not y[:, 2:].any()

    def test_leaves_its_input_alone_and_keeps_the_dtype(self):
        net, x = residual.cifar_resnet(1).double(), normal(2, 3, 32, 32)
        before = x.clone()
        assert net(x).dtype == torch.float64
        assert_close(x, before, rtol=0, atol=0)
