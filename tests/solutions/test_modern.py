"""The reference solution of `modern`, compared with torchvision, plain formulas and the figures of the contract."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from reference_solutions import load_solution
from vision import import_torchvision

modern = load_solution("modern")

BLOCKS = {
    "ConvBNReLU": lambda: modern.ConvBNReLU(4, 6, 3, 2, 1, 2),
    "SqueezeExcitation": lambda: modern.SqueezeExcitation(4, 2),
    "MBConvBlock expanded": lambda: modern.MBConvBlock(4, 6, 3, 5, 2),
    "MBConvBlock residual": lambda: modern.MBConvBlock(4, 4, 1, 3, 1),
    "PreActBlock": lambda: modern.PreActBlock(4, 6, 2),
    "PreActBlock residual": lambda: modern.PreActBlock(4, 4),
    "ModernBlock": lambda: modern.ModernBlock(4, 8, 2),
    "ModernBlock residual": lambda: modern.ModernBlock(4, 4),
}
every_block = pytest.mark.parametrize("build", list(BLOCKS.values()), ids=list(BLOCKS))
both_modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
strides = pytest.mark.parametrize("stride", [1, 2, 3])


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def randomised(model, seed=0):
    """Every parameter and statistic with a number of its own, in float64."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*model.double().named_parameters(), *model.named_buffers()]:
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator, dtype=value.dtype) * 0.3)
                if name.endswith("running_var"):
                    value.abs_().add_(0.5)
    return model


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def on_meta(build):
    with torch.device("meta"):
        return build()


def kinds(model, kind):
    return [layer for layer in model.modules() if isinstance(layer, kind)]


def batch_norm(layer, x):
    mean, variance = layer.running_mean, layer.running_var
    if layer.training:
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    column = (1, -1, 1, 1)
    normalised = (x - mean.reshape(column)) / (variance.reshape(column) + 1e-5).sqrt()
    return normalised * layer.weight.reshape(column) + layer.bias.reshape(column)


def gate(first, second, activation, x):
    squeezed = activation(x.mean((2, 3)) @ first.weight.flatten(1).T + first.bias)
    return torch.sigmoid(squeezed @ second.weight.flatten(1).T + second.bias)[:, :, None, None]


class TestEveryBlock:
    @every_block
    @both_modes
    def test_keeps_the_dtype(self, build, training):
        for dtype in (torch.float32, torch.float64):
            assert build().to(dtype).train(training)(normal(2, 4, 5, 7, dtype=dtype)).dtype == dtype

    @every_block
    @both_modes
    def test_leaves_its_argument_alone(self, build, training):
        x = normal(2, 4, 5, 7)
        before = x.clone()
        randomised(build()).train(training)(x)
        assert_close(x, before, rtol=0, atol=0)

    @every_block
    def test_does_not_care_for_strides(self, build):
        model, x = randomised(build()).eval(), normal(2, 4, 5, 7)
        expected = model(x)
        assert_close(model(x.transpose(2, 3).contiguous().transpose(2, 3)), expected)
        assert_close(model(x.contiguous(memory_format=torch.channels_last)), expected)
        assert_close(model(torch.cat([x, x], 3).flip(3)[..., 7:].flip(3)), expected)

    @every_block
    @both_modes
    def test_has_the_right_gradient(self, build, training):
        model = randomised(build()).train(training)
        assert torch.autograd.gradcheck(model, normal(2, 4, 3, 4).requires_grad_())

    @every_block
    def test_works_on_a_single_pixel(self, build):
        assert randomised(build()).eval()(normal(1, 4, 1, 1)).shape[2:] == (1, 1)

    @every_block
    def test_can_be_copied_and_restored(self, build):
        model, x = randomised(build()).eval(), normal(2, 4, 5, 7)
        restored = build().double().eval()
        restored.load_state_dict(model.state_dict())
        assert_close(copy.deepcopy(model)(x), model(x))
        assert_close(restored(x), model(x))

    @every_block
    def test_only_its_gates_have_a_bias(self, build):
        for convolution in kinds(build(), nn.Conv2d):
            gating = convolution.kernel_size == (1, 1) and convolution.bias is not None
            assert gating or convolution.bias is None


class TestConvBNReLU:
    @both_modes
    @pytest.mark.parametrize("options", [(), (3, 2), (1, 1, 0), (5, 3, 2, 2), (7, 2, 3)])
    def test_equals_torchvision(self, options, training):
        kernel, stride, padding, groups = (*options, *(3, 1, 1, 1)[len(options) :])
        theirs = import_torchvision().ops.Conv2dNormActivation(4, 6, kernel, stride, padding, groups)
        ours = modern.ConvBNReLU(4, 6, *options)
        randomised(theirs), randomised(ours)
        x = normal(3, 4, 9, 8)
        assert_close(ours.train(training)(x), theirs.train(training)(x))
        assert_close(ours.bn.running_var, theirs[1].running_var)

    def test_defaults(self):
        assert modern.ConvBNReLU(3, 8)(normal(2, 3, 5, 7, dtype=torch.float32)).shape == (2, 8, 5, 7)
        assert count(modern.ConvBNReLU(3, 8)) == 3 * 8 * 9 + 16


class TestSqueezeExcitation:
    @pytest.mark.parametrize(("channels", "squeezed"), [(4, 2), (8, 1), (1, 3), (5, 5)])
    def test_equals_torchvision(self, channels, squeezed):
        theirs = randomised(import_torchvision().ops.SqueezeExcitation(channels, squeezed))
        ours = randomised(modern.SqueezeExcitation(channels, squeezed))
        x = normal(2, channels, 3, 5)
        assert_close(ours(x), theirs(x))

    def test_equals_the_formula(self):
        model, x = randomised(modern.SqueezeExcitation(4, 3)), normal(2, 4, 5, 1)
        assert_close(model(x), x * gate(model.squeeze, model.excite, torch.relu, x))

    def test_has_two_biases(self):
        assert count(modern.SqueezeExcitation(6, 2)) == 6 * 2 + 2 + 2 * 6 + 6


class TestMBConvBlock:
    @both_modes
    @pytest.mark.parametrize("stride", [1, 2])
    @pytest.mark.parametrize(("channels", "expand", "kernel"), [((8, 8), 6, 3), ((8, 24), 1, 5), ((16, 16), 1, 3)])
    def test_equals_torchvision(self, channels, expand, kernel, stride, training):
        efficientnet = import_torchvision().models.efficientnet
        config = efficientnet.MBConvConfig(expand, kernel, stride, *channels, 1, 1.0, 1.0)
        theirs = randomised(efficientnet.MBConv(config, 0.0, nn.BatchNorm2d).train(training))
        ours = randomised(modern.MBConvBlock(*channels, expand, kernel, stride).train(training))
        x = normal(2, channels[0], 7, 6)
        assert count(ours) == count(theirs)
        assert_close(ours(x), theirs(x))

    @both_modes
    @strides
    def test_equals_the_formula(self, stride, training):
        model = randomised(modern.MBConvBlock(3, 3, 2, 3, stride, se_ratio=0.7).train(training))
        x = normal(2, 3, 5, 7)
        y = F.silu(batch_norm(model.expansion[1], F.conv2d(x, model.expansion[0].weight)))
        y = F.conv2d(y, model.depthwise[0].weight, stride=stride, padding=1, groups=6)
        y = F.silu(batch_norm(model.depthwise[1], y))
        y = y * gate(model.scale[1], model.scale[3], F.silu, y)
        y = batch_norm(model.projection[1], F.conv2d(y, model.projection[0].weight))
        assert_close(model(x), x + y if stride == 1 else y)

    @pytest.mark.parametrize(("ratio", "width"), [(0.01, 1), (0.25, 2), (0.5, 5), (1.0, 10), (0.29, 2)])
    def test_squeezes_the_channels_of_its_input(self, ratio, width):
        first, second = (c for c in kinds(modern.MBConvBlock(10, 4, 6, 3, 1, ratio), nn.Conv2d) if c.bias is not None)
        assert (first.in_channels, first.out_channels, second.out_channels) == (60, width, 60)

    def test_ratio_of_one_has_no_expansion(self):
        assert len(kinds(modern.MBConvBlock(4, 4, 1, 3, 1), nn.BatchNorm2d)) == 2
        assert len(kinds(modern.MBConvBlock(4, 4, 2, 3, 1), nn.BatchNorm2d)) == 3


class TestPreActBlock:
    @both_modes
    @strides
    @pytest.mark.parametrize("channels", [(4, 4), (4, 6), (6, 1)])
    def test_equals_the_formula(self, channels, stride, training):
        model = randomised(modern.PreActBlock(*channels, stride).train(training))
        x = normal(2, channels[0], 7, 6)
        first, second = (layer.weight for layer in (model.conv1, model.conv2))
        y = F.conv2d(batch_norm(model.bn1, x).clamp(min=0), first, stride=stride, padding=1)
        y = F.conv2d(batch_norm(model.bn2, y).clamp(min=0), second, padding=1)
        if stride == 1 and channels[0] == channels[1]:
            shortcut = x
        else:
            shortcut = torch.einsum("oi,nihw->nohw", model.shortcut.weight[..., 0, 0], x[..., ::stride, ::stride])
        assert_close(model(x), shortcut + y)

    def test_counts(self):
        assert count(modern.PreActBlock(4, 4)) == 2 * 144 + 16
        assert count(modern.PreActBlock(4, 4, 2)) == 2 * 144 + 16 + 16
        assert count(modern.PreActBlock(4, 6)) == 216 + 324 + 8 + 12 + 24


class TestModernBlock:
    @both_modes
    @strides
    @pytest.mark.parametrize("channels", [(8, 8), (4, 10), (12, 4)])
    def test_equals_the_formula(self, channels, stride, training):
        model = randomised(modern.ModernBlock(*channels, stride, se_ratio=0.5).train(training))
        x = y = normal(2, channels[0], 7, 6)
        convolutions = [layer for layer in model.branch if isinstance(layer, nn.Conv2d)]
        normalisations = [layer for layer in model.branch if isinstance(layer, nn.BatchNorm2d)]
        for index, (norm, convolution) in enumerate(zip(normalisations, convolutions, strict=True)):
            assert convolution.out_channels == (channels[1] if index == 2 else channels[1] // 4)
            step = {"stride": stride, "padding": 1} if index == 1 else {}
            y = F.conv2d(batch_norm(norm, y).clamp(min=0), convolution.weight, **step)
        gates = model.branch[-1]
        assert gates.squeeze.out_channels == channels[1] // 2
        y = y * gate(gates.squeeze, gates.excite, torch.relu, y)
        if stride == 1 and channels[0] == channels[1]:
            shortcut = x
        else:
            shortcut = torch.einsum("oi,nihw->nohw", model.shortcut.weight[..., 0, 0], x[..., ::stride, ::stride])
        assert_close(model(x), shortcut + y)

    @pytest.mark.parametrize(
        ("out_channels", "ratio", "width"), [(4, 0.1, 1), (4, 0.25, 1), (10, 0.25, 2), (6, 1.0, 6)]
    )
    def test_squeezes_the_channels_of_its_output(self, out_channels, ratio, width):
        block = modern.ModernBlock(16, out_channels, se_ratio=ratio)
        assert [c.out_channels for c in kinds(block, nn.Conv2d) if c.bias is not None] == [width, out_channels]


class TestModernCNN:
    def test_counts(self):
        assert count(on_meta(modern.ModernCNN)) == 35624040
        assert count(on_meta(lambda: modern.ModernCNN(num_classes=10))) == 35624040 - 990 * 2049

    def test_is_built_of_blocks_with_the_right_strides(self):
        model = on_meta(modern.ModernCNN)
        blocks = kinds(model, modern.ModernBlock)
        assert len(blocks) == 16
        assert [i for i, block in enumerate(blocks) if any(c.stride == (2, 2) for c in kinds(block, nn.Conv2d))] == [
            3,
            7,
            13,
        ]
        assert [i for i, block in enumerate(blocks) if not isinstance(block.shortcut, nn.Identity)] == [0, 3, 7, 13]
        assert len(kinds(model, nn.BatchNorm2d)) == 1 + 3 * 16

    def test_sizes(self):
        with torch.device("meta"):
            model, x = modern.ModernCNN(7), torch.zeros(2, 3, 224, 200)
        assert [model.features[:i](x).shape[1:] for i in (1, 2, 5, 9, 15, 18)] == [
            (64, 112, 100),
            (64, 56, 50),
            (256, 56, 50),
            (512, 28, 25),
            (1024, 14, 13),
            (2048, 7, 7),
        ]
        assert model(x).shape == (2, 7)

    @both_modes
    def test_equals_its_parts(self, training):
        model = modern.ModernCNN(5).train(training)
        x = normal(2, 3, 40, 33, dtype=torch.float32)
        y = F.conv2d(x, model.features[0].conv.weight, stride=2, padding=3)
        y = F.max_pool2d(batch_norm(model.features[0].bn, y).relu(), 3, 2, 1)
        for block in kinds(model, modern.ModernBlock):
            y = block(y)
        expected = y.mean((2, 3)) @ model.classifier.weight.T + model.classifier.bias
        for norm in kinds(model, nn.BatchNorm2d):  # the statistics as they were
            norm.reset_running_stats()
        assert_close(model(x), expected, rtol=1e-3, atol=1e-4)


class TestCompoundScaling:
    def test_default_factors(self):
        assert_close(modern.compound_scaling(1), (1.2, 1.1, 1.15))
        assert_close(modern.compound_scaling(0), (1.0, 1.0, 1.0))
        assert_close(modern.compound_scaling(2), (1.44, 1.21, 1.3225))
        assert_close(modern.compound_scaling(0.5), (1.2**0.5, 1.1**0.5, 1.15**0.5))

    def test_returns_floats_for_ints_too(self):
        assert [type(factor) for factor in modern.compound_scaling(3, 2, 1, 1)] == [float] * 3
        assert modern.compound_scaling(3, alpha=2, beta=1, gamma=1) == (8.0, 1.0, 1.0)

    @pytest.mark.parametrize("factors", [(1.81, 1, 1), (2.19, 1, 1), (1, 1.35, 1), (1, 1, 1.48), (1.4, 1.1, 1.1)])
    @pytest.mark.parametrize("phi", [0, 1, 2.5])
    def test_allows_ten_percent(self, phi, factors):
        assert_close(modern.compound_scaling(phi, *factors), tuple(float(factor**phi) for factor in factors))

    @pytest.mark.parametrize("factors", [(1.79, 1, 1), (2.21, 1, 1), (1, 1.5, 1), (1, 1, 1.3), (1.2, 1.1, 1.3)])
    @pytest.mark.parametrize("phi", [0, 1, 2.5])
    def test_refuses_more(self, phi, factors):
        with pytest.raises(ValueError, match=r".+"):
            modern.compound_scaling(phi, *factors)


class TestEfficientNetB0:
    def test_counts(self):
        assert count(on_meta(modern.EfficientNetB0)) == 5288548
        assert count(on_meta(lambda: modern.EfficientNetB0(10))) == 5288548 - 990 * 1281

    def test_equals_torchvision_with_weights_copied_in_order(self):
        theirs = import_torchvision().models.efficientnet_b0(weights=None)
        ours = modern.EfficientNetB0()
        randomise_statistics(theirs)
        state = theirs.state_dict()
        mine = ours.state_dict()
        assert [value.shape for value in mine.values()] == [value.shape for value in state.values()]
        ours.load_state_dict(dict(zip(mine, state.values(), strict=True)))
        x = normal(2, 3, 70, 64, dtype=torch.float32)
        assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-4, atol=1e-5)

    def test_training_is_deterministic(self):
        model, x = modern.EfficientNetB0(3), normal(2, 3, 32, 32, dtype=torch.float32)
        assert_close(model(x), model(x))


class TestWideResNet:
    @pytest.mark.parametrize(
        ("depth", "factor", "expected"), [(10, 1, 77850), (16, 4, 2748890), (28, 10, 36479194), (40, 1, 563930)]
    )
    def test_counts(self, depth, factor, expected):
        assert count(on_meta(lambda: modern.wide_resnet(depth, factor))) == expected == wide_count(depth, factor)

    @pytest.mark.parametrize("depth", [4, -2, 0, 9, 11, 12, 13, 14, 15, 18, 29])
    def test_refuses_other_depths(self, depth):
        with pytest.raises(ValueError, match=r".+"):
            modern.wide_resnet(depth, 1)

    @both_modes
    @pytest.mark.parametrize(("depth", "factor", "classes"), [(10, 1, 10), (16, 2, 3)])
    def test_equals_its_parts(self, depth, factor, classes, training):
        model = randomised(modern.wide_resnet(depth, factor, classes).train(training))
        x = normal(2, 3, 32, 24)
        n = (depth - 4) // 6
        blocks, head, linear = kinds(model, modern.PreActBlock), model[-5], model[-1]
        assert [b.conv1.out_channels for b in blocks] == [c * factor for c in (16, 32, 64) for _ in range(n)]
        assert [b.conv1.stride[0] for b in blocks] == [1] * n + ([2] + [1] * (n - 1)) * 2
        y = F.conv2d(x, model[0].weight, padding=1)
        for block in blocks:
            y = block(y)
        y = batch_norm(head, y).clamp(min=0)
        assert_close(model(x), y.mean((2, 3)) @ linear.weight.T + linear.bias)


def randomise_statistics(model):
    generator = torch.Generator().manual_seed(3)
    for norm in kinds(model, nn.BatchNorm2d):
        norm.running_mean.copy_(torch.randn(norm.running_mean.shape, generator=generator) * 0.1)
        norm.running_var.copy_(torch.rand(norm.running_var.shape, generator=generator) + 0.5)


def wide_count(depth, factor):
    """The parameters of a Wide ResNet, by arithmetic."""
    total, channels = 3 * 16 * 9, 16
    for width in (16 * factor, 32 * factor, 64 * factor):
        for block in range((depth - 4) // 6):
            total += 2 * channels + 9 * channels * width + 2 * width + 9 * width * width
            if block == 0 and (width != 16):
                total += channels * width
            channels = width
    return total + 2 * channels + 10 * channels + 10
