"""The reference solution of `architectures`, compared with torchvision, formulas and the figures of the contract."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from reference_solutions import load_solution

architectures = load_solution("architectures")


def parameters_of(build):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def stages_of(net, shape):
    """Output shapes of the stages of a network on the meta device, without the batch."""
    x, shapes = torch.empty(shape, device="meta"), []
    for stage in net.eval():
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    return shapes


def randomised(model):
    """Statistics and affine parameters of batch norm that are not ones and zeros."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return model


def layouts_of(x):
    wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
    wide[..., ::2] = x
    return [wide[..., ::2], x.mT.contiguous().mT, x.contiguous(memory_format=torch.channels_last)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# ---------------------------------------------------------------------------------------------- layer_summary


class TestLayerSummary:
    def test_names_and_shapes_of_all_entries(self):
        net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.Sequential(nn.AvgPool2d(2), nn.Flatten()))
        summary = architectures.layer_summary(net, (2, 1, 8, 8))
        assert summary == [("Conv2d", (2, 6, 4, 4)), ("Sigmoid", (2, 6, 4, 4)), ("Sequential", (2, 24))]
        assert all(type(shape) is tuple for _, shape in summary)

    def test_lists_a_repeated_layer_each_time(self):
        linear = nn.Linear(3, 3)
        names = [name for name, _ in architectures.layer_summary(nn.Sequential(linear, nn.ReLU(), linear), (2, 3))]
        assert names == ["Linear", "ReLU", "Linear"]

    @pytest.mark.parametrize("training", [True, False])
    def test_leaves_the_network_as_it_is(self, training):
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Dropout(0.5)).eval(), nn.Linear(4, 2))
        net[3].weight.requires_grad_(False)
        calls = []
        net[0].register_forward_hook(lambda *_: calls.append(1))
        net[1].train(training)
        before = copy.deepcopy(net.state_dict())
        modes = [module.training for module in net.modules()]
        hooks = [len(module._forward_hooks) for module in net.modules()]
        architectures.layer_summary(net, (3, 3))
        assert [module.training for module in net.modules()] == modes
        assert [len(module._forward_hooks) for module in net.modules()] == hooks
        assert [parameter.requires_grad for parameter in net.parameters()] == [True] * 4 + [False, True]
        assert all(parameter.grad is None for parameter in net.parameters())
        assert_close(net.state_dict(), before)

    def test_accepts_a_batch_of_one_before_batch_norm(self):
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).train()
        assert architectures.layer_summary(net, (1, 3))[1] == ("BatchNorm1d", (1, 4))

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
    def test_takes_the_dtype_of_the_network(self, dtype):
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).to(dtype)
        assert architectures.layer_summary(net, (2, 3))[-1] == ("BatchNorm1d", (2, 4))

    def test_takes_the_dtype_of_buffers_where_there_are_no_parameters(self):
        net = nn.Sequential(nn.BatchNorm1d(3, affine=False)).double()
        assert architectures.layer_summary(net, (2, 3)) == [("BatchNorm1d", (2, 3))]

    def test_needs_no_parameters(self):
        assert architectures.layer_summary(nn.Sequential(nn.Flatten()), (2, 3, 4)) == [("Flatten", (2, 12))]

    def test_records_no_graph(self):
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(1) or tensor, lambda tensor: tensor):
            architectures.layer_summary(nn.Sequential(nn.Linear(3, 3), nn.Tanh()), (2, 3))
        assert not saved


# ------------------------------------------------------------------------------------------------------ LeNet


class TestLeNet:
    def test_has_the_parameters_of_the_contract(self):
        assert parameters_of(architectures.LeNet) == 61706

    def test_has_twelve_layers(self):
        kinds = [type(layer).__name__ for layer in architectures.LeNet().net]
        convolutions = ["Conv2d", "Sigmoid", "AvgPool2d"] * 2
        assert kinds == [*convolutions, "Flatten", "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear"]

    def test_shapes_of_its_layers(self):
        with torch.device("meta"):
            shapes = stages_of(architectures.LeNet(7).net, (2, 1, 28, 28))
        assert shapes[:3] == [(6, 28, 28), (6, 28, 28), (6, 14, 14)]
        assert shapes[3:7] == [(16, 10, 10), (16, 10, 10), (16, 5, 5), (400,)]
        assert shapes[7:] == [(120,), (120,), (84,), (84,), (7,)]

    def test_computes_the_formula(self):
        model = architectures.LeNet().double()
        weights = list(model.parameters())
        x = torch.rand(3, 1, 28, 28, dtype=torch.float64)
        y = F.avg_pool2d(torch.sigmoid(F.conv2d(x, weights[0], weights[1], padding=2)), 2)
        y = F.avg_pool2d(torch.sigmoid(F.conv2d(y, weights[2], weights[3])), 2).flatten(1)
        y = torch.sigmoid(F.linear(y, weights[4], weights[5]))
        y = torch.sigmoid(F.linear(y, weights[6], weights[7]))
        assert_close(model(x), F.linear(y, weights[8], weights[9]))


# ---------------------------------------------------------------------------------------- local_response_norm


class TestLocalResponseNorm:
    @pytest.mark.parametrize("size", [1, 3, 5, 9])
    @pytest.mark.parametrize("shape", [(2, 7, 3, 4), (1, 1, 1, 1), (1, 3, 5, 1), (2, 4, 2, 2)])
    def test_equals_the_library_with_alpha_times_size(self, size, shape):
        x = 10 * torch.randn(shape, dtype=torch.float64)
        expected = F.local_response_norm(x, size, alpha=0.1 * size, beta=0.5, k=1.5)
        assert_close(architectures.local_response_norm(x, size, 0.1, 0.5, 1.5), expected)

    def test_defaults(self):
        x = 100 * torch.randn(2, 8, 3, 4)
        expected = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
        assert_close(architectures.local_response_norm(x), expected)

    def test_gradient(self):
        x = torch.randn(1, 4, 2, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x: architectures.local_response_norm(x, 3, 0.5), x)
        zeros = torch.zeros(1, 4, 2, 2, requires_grad=True)
        architectures.local_response_norm(zeros).sum().backward()
        assert zeros.grad.isfinite().all()

    def test_dtype_layout_and_argument(self):
        x = torch.randn(2, 5, 4, 3)
        before, expected = x.clone(), architectures.local_response_norm(x, 3, 1.0)
        assert_close(x, before)
        for other in layouts_of(x):
            assert_close(architectures.local_response_norm(other, 3, 1.0), expected)
        assert architectures.local_response_norm(x.double()).dtype == torch.float64


# -------------------------------------------------------------------------------------------------------- VGG


class TestVGG:
    @pytest.mark.parametrize("num_convs", [1, 2, 3])
    @pytest.mark.parametrize("size", [(4, 6), (5, 7), (2, 2), (3, 2)])
    def test_block_computes_the_formula(self, num_convs, size):
        block = architectures.vgg_block(num_convs, 2, 5)
        x = torch.randn(3, 2, *size)
        weights, y = list(block.parameters()), x
        for weight, bias in zip(weights[::2], weights[1::2], strict=True):
            y = F.relu(F.conv2d(y, weight, bias, padding=1))
        assert len(weights) == 2 * num_convs
        assert_close(block(x), F.max_pool2d(y, 2))

    def test_has_the_parameters_of_the_contract(self):
        assert parameters_of(architectures.VGG16) == 138357544
        assert parameters_of(lambda: architectures.VGG16(10)) == 138357544 - 990 * 4097

    @pytest.mark.slow
    def test_equals_torchvision(self):
        from vision import import_torchvision

        theirs = import_torchvision().models.vgg16(weights=None).eval()
        with torch.device("meta"):
            ours = architectures.VGG16().eval()
        state = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
        ours.load_state_dict(state, assign=True)
        x = torch.randn(1, 3, 224, 224)
        with torch.no_grad():
            assert_close(ours(x), theirs(x))

    def test_dropout_follows_both_hidden_layers(self):
        with torch.device("meta"):
            kinds = [type(layer).__name__ for layer in architectures.VGG16().net]
        assert kinds[5:] == ["Flatten", *["Linear", "ReLU", "Dropout"] * 2, "Linear"]


# -------------------------------------------------------------------------------------------------------- NiN


class TestNiN:
    @pytest.mark.parametrize(("kernel", "strides", "padding"), [(1, 1, 0), (3, 2, 1), (5, 3, 0), (2, 1, 2)])
    def test_block_computes_the_formula(self, kernel, strides, padding):
        block = architectures.nin_block(2, 3, kernel, strides, padding)
        x = torch.randn(2, 2, 7, 6)
        a, b, c, d, e, f = block.parameters()
        y = F.relu(F.conv2d(x, a, b, stride=strides, padding=padding))
        assert_close(block(x), F.relu(F.conv2d(F.relu(F.conv2d(y, c, d)), e, f)))

    def test_shapes_of_its_stages(self):
        with torch.device("meta"):
            shapes = stages_of(architectures.NiN().net, (1, 1, 224, 224))
        assert shapes[:6] == [(96, 54, 54), (96, 26, 26), (256, 26, 26), (256, 12, 12), (384, 12, 12), (384, 5, 5)]
        assert shapes[6:] == [(384, 5, 5), (10, 5, 5), (10, 1, 1), (10,)]

    def test_accepts_other_images_and_classes(self):
        model = architectures.NiN(3, 4)
        assert model(torch.randn(2, 3, 67, 80)).shape == (2, 4)

    def test_drops_features_in_training_only(self):
        model, x = architectures.NiN(), torch.randn(1, 1, 99, 99)
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert_close(model(x), model(x))


# -------------------------------------------------------------------------------------- Inception and GoogLeNet


class TestGoogLeNet:
    def test_block_computes_the_formula(self):
        block = architectures.Inception(3, 2, (4, 5), (6, 7), 8).double()
        x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
        p = list(block.parameters())

        def layer(x, i, padding=0):
            return F.relu(F.conv2d(x, p[2 * i], p[2 * i + 1], padding=padding))

        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        branches = [layer(x, 0), layer(layer(x, 1), 2, padding=1), layer(layer(x, 3), 4, padding=2), layer(pooled, 5)]
        assert_close(block(x), torch.cat(branches, dim=1))
        assert block(x).shape == (2, 22, 5, 4)

    def test_block_accepts_maps_of_one_pixel(self):
        assert architectures.Inception(1, 1, (1, 1), (1, 1), 1)(torch.randn(1, 1, 1, 1)).shape == (1, 4, 1, 1)

    def test_shapes_of_its_stages(self):
        with torch.device("meta"):
            shapes = stages_of(architectures.GoogLeNet().net, (1, 1, 96, 96))
        assert shapes == [(64, 24, 24), (192, 12, 12), (480, 6, 6), (832, 3, 3), (1024,), (10,)]

    def test_has_the_weights_of_torchvisions(self):
        """Which has no biases but a batch norm, and 3×3 instead of 5×5 in the third branch."""
        from vision import import_torchvision

        with torch.device("meta"):
            theirs = import_torchvision().models.googlenet(aux_logits=False, init_weights=False)
            ours = architectures.GoogLeNet(3, 1000)
        wanted = [list(p.shape) for name, p in theirs.named_parameters() if p.dim() > 1]
        found = [list(p.shape) for p in ours.parameters() if p.dim() > 1]
        assert [shape[:2] for shape in wanted] == [shape[:2] for shape in found]

    def test_accepts_other_images_and_classes(self):
        assert architectures.GoogLeNet(3, 4)(torch.randn(2, 3, 33, 47)).shape == (2, 4)


# -------------------------------------------------------------------------------------------- ResNeXt, AnyNet


class TestResNeXtBlock:
    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize(("shortcut", "strides"), [(False, 1), (True, 1), (True, 2), (True, 3)])
    def test_computes_the_formula(self, training, shortcut, strides):
        in_channels = 3 if shortcut else 8
        block = architectures.ResNeXtBlock(in_channels, 8, 2, 0.75, shortcut, strides).double()
        randomised(block).train(training)
        convolutions = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
        norms = [copy.deepcopy(layer) for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert [layer.groups for layer in convolutions] == [1, 3, 1, 1][: len(convolutions)]
        assert all(layer.bias is not None for layer in convolutions)
        x = torch.randn(2, in_channels, 5, 6, dtype=torch.float64)
        one, two, three = convolutions[:3]
        y = F.relu(norms[0](F.conv2d(x, one.weight, one.bias)))
        y = F.relu(norms[1](F.conv2d(y, two.weight, two.bias, stride=strides, padding=1, groups=3)))
        y = norms[2](F.conv2d(y, three.weight, three.bias))
        identity = x
        if shortcut:
            identity = norms[3](F.conv2d(x, convolutions[3].weight, convolutions[3].bias, stride=strides))
        assert_close(block(x), F.relu(y + identity))
        found = [layer for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)]
        for one, other in zip(norms, found, strict=True):
            assert_close(one.running_mean, other.running_mean)
            assert_close(one.running_var, other.running_var)

    def test_equals_torchvisions_bottleneck(self):
        """A block of ResNeXt-50 32x4d, whose convolutions have no bias."""
        from vision import import_torchvision

        resnet = import_torchvision().models.resnet
        theirs = randomised(resnet.Bottleneck(256, 64, groups=32, base_width=4)).eval()
        ours = architectures.ResNeXtBlock(256, 256, 4, 0.5).eval()
        for layer in ours.modules():
            if isinstance(layer, nn.Conv2d):
                layer.bias = None
        own = ours.state_dict()
        order = [value for i in "123" for name, value in theirs.state_dict().items() if f"{i}." in name[:6]]
        ours.load_state_dict(dict(zip(own, order, strict=True)))
        x = torch.randn(2, 256, 5, 4)
        assert_close(ours(x), theirs(x))

    @pytest.mark.parametrize(("channels", "mul", "width"), [(6, 0.6, 4), (5, 0.5, 2), (9, 0.6, 5), (10, 0.3, 3)])
    def test_rounds_the_width(self, channels, mul, width):
        block = architectures.ResNeXtBlock(channels, channels, width, mul)
        assert {layer.out_channels for layer in block.modules() if isinstance(layer, nn.Conv2d)} == {width, channels}

    def test_refuses_a_width_that_cannot_be_divided(self):
        with pytest.raises(ValueError, match=r".+"):
            architectures.ResNeXtBlock(8, 8, 3, 1)

    def test_leaves_its_input_alone(self):
        x = torch.randn(2, 4, 3, 3)
        before = x.clone()
        architectures.ResNeXtBlock(4, 4, 2, 1)(x)
        assert_close(x, before)


class TestAnyNet:
    def test_shapes_of_its_stages(self):
        arch = [(2, 8, 4, 1), (3, 12, 3, 0.5)]
        with torch.device("meta"):
            shapes = stages_of(architectures.AnyNet(arch, 6, num_classes=5).net, (2, 3, 33, 64))
        assert shapes == [(6, 17, 32), (8, 9, 16), (12, 5, 8), (5,)]

    def test_strides_and_shortcuts_are_those_of_the_first_blocks(self):
        net = architectures.AnyNet([(2, 8, 4, 1), (3, 12, 3, 0.5)], 6).net
        assert [[len(block.shortcut) for block in stage] for stage in net[1:3]] == [[2, 0], [2, 0, 0]]
        strides = [[block.branch[3].stride for block in stage] for stage in net[1:3]]
        assert strides == [[(2, 2), (1, 1)], [(2, 2), (1, 1), (1, 1)]]

    def test_has_as_many_parameters_as_its_parts(self):
        blocks = [(6, 8, 4, 1, True, 2), (8, 8, 4, 1), (8, 12, 3, 0.5, True, 2)]
        parts = sum(parameters_of(lambda block=block: architectures.ResNeXtBlock(*block)) for block in blocks)
        network = parameters_of(lambda: architectures.AnyNet([(2, 8, 4, 1), (1, 12, 3, 0.5)], 6, 1, 4))
        assert network == parts + (9 * 6 + 6 + 12) + (12 * 4 + 4)


# ----------------------------------------------------------------------------------------------------- all of them


NETWORKS = {
    "LeNet": (architectures.LeNet, (2, 1, 28, 28)),
    "vgg_block": (lambda: architectures.vgg_block(2, 3, 4), (2, 3, 5, 4)),
    "nin_block": (lambda: architectures.nin_block(3, 32, 3, 2, 1), (2, 3, 5, 4)),
    "NiN": (architectures.NiN, (1, 1, 67, 75)),
    "Inception": (lambda: architectures.Inception(3, 2, (4, 5), (6, 7), 8), (2, 3, 5, 4)),
    "GoogLeNet": (architectures.GoogLeNet, (1, 1, 32, 40)),
    "ResNeXtBlock": (lambda: architectures.ResNeXtBlock(4, 4, 2, 1), (2, 4, 5, 4)),
    "AnyNet": (lambda: architectures.AnyNet([(2, 8, 4, 1)], 4), (2, 3, 16, 20)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_dtype_layout_gradients_and_argument(name):
    build, shape = NETWORKS[name]
    model = build().double().eval()
    x = torch.randn(shape, dtype=torch.float64)
    before = x.clone()
    expected = model(x)
    assert expected.dtype == torch.float64
    assert_close(x, before)
    for other in layouts_of(x):
        assert_close(model(other), expected)
    leaf = x.clone().requires_grad_()
    model(leaf).sum().backward()
    assert leaf.grad.abs().sum() > 0
    assert all(parameter.grad is not None for parameter in model.parameters())
