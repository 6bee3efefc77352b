"""The reference solution of `counting`, compared with torch.nn, torchvision and the figures of the contract."""

import copy
import inspect

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from reference_solutions import load_skeleton, load_solution
from vision import import_torchvision

counting = load_solution("counting")

quick = settings(derandomize=True, deadline=None, database=None, max_examples=60)
few = st.integers(1, 9)
layers = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3)), max_size=4)


def numbers_in(build):
    """How many numbers the parameters of `build()` hold, by PyTorch's own account."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def places(size, kernel, stride, padding):
    """The size of what PyTorch's convolution returns along one axis."""
    convolution = nn.Conv1d(1, 1, kernel, stride, padding, device="meta")
    return convolution(torch.zeros(1, 1, size, device="meta")).shape[-1]


def fits(size, network):
    for kernel, stride, padding in network:
        if kernel > size + 2 * padding:
            return False
        size = (size + 2 * padding - kernel) // stride + 1
    return True


def is_int(value):
    return type(value) is int


class TestConv2dParameters:
    @quick
    @given(few, few, few, st.tuples(few, few), st.booleans())
    def test_equals_the_library(self, groups, per_group_in, per_group_out, kernel, bias):
        channels = groups * per_group_in, groups * per_group_out
        for size in (kernel, kernel[0]):
            ours = counting.conv2d_parameters(*channels, size, bias=bias, groups=groups)
            assert is_int(ours)
            assert ours == numbers_in(lambda size=size: nn.Conv2d(*channels, size, groups=groups, bias=bias))

    def test_has_a_bias_and_one_group_by_default(self):
        assert counting.conv2d_parameters(4, 6, 3) == 4 * 6 * 9 + 6

    @quick
    @given(st.integers(1, 20), st.integers(1, 20), st.integers(2, 9))
    def test_refuses_unequal_groups(self, in_channels, out_channels, groups):
        assume(in_channels % groups or out_channels % groups)
        with pytest.raises(ValueError, match="groups"):
            counting.conv2d_parameters(in_channels, out_channels, 3, groups=groups)


class TestLayers:
    @quick
    @given(few, few, st.booleans())
    def test_linear(self, in_features, out_features, bias):
        ours = counting.linear_parameters(in_features, out_features, bias)
        assert is_int(ours)
        assert ours == numbers_in(lambda: nn.Linear(in_features, out_features, bias))
        assert counting.linear_parameters(in_features, out_features) == (in_features + 1) * out_features

    @quick
    @given(few, st.booleans())
    def test_batchnorm(self, features, affine):
        ours = counting.batchnorm_parameters(features, affine)
        assert is_int(ours)
        assert ours == numbers_in(lambda: nn.BatchNorm2d(features, affine=affine))
        assert counting.batchnorm_parameters(features) == 2 * features

    @quick
    @given(st.lists(few, min_size=2, max_size=5), st.booleans())
    def test_mlp(self, sizes, bias):
        before = list(sizes)
        ours = counting.mlp_parameters(sizes, bias)
        assert is_int(ours)
        assert ours == numbers_in(lambda: nn.Sequential(*map(nn.Linear, sizes, sizes[1:], [bias] * len(sizes))))
        assert sizes == before

    def test_mlp_of_the_contract(self):
        assert counting.mlp_parameters([784, 392, 196, 10]) == 386718

    @pytest.mark.parametrize("sizes", [[], [5]])
    def test_mlp_refuses_fewer_than_two_sizes(self, sizes):
        with pytest.raises(ValueError, match="sizes"):
            counting.mlp_parameters(sizes)


def shared():
    layer = nn.Linear(3, 3)
    return nn.ModuleDict({"first": layer, "inner": nn.Sequential(layer, nn.ReLU(), layer)})


def tied():
    model = nn.ModuleList([nn.Embedding(5, 2), nn.Linear(2, 5)])
    model[1].weight = model[0].weight
    return model


def half_frozen():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    model[1].bias.requires_grad_(False)
    return model.eval()


def of_its_own():
    model = nn.Module()
    model.scale = nn.Parameter(torch.tensor(2.0))
    model.rows = nn.ParameterList([nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4), requires_grad=False)])
    return model


class TestCountParameters:
    @pytest.mark.parametrize(
        ("build", "everything", "trainable"),
        [
            (lambda: nn.Linear(3, 4), 16, 16),
            (lambda: nn.BatchNorm2d(5), 10, 10),
            (lambda: nn.Sequential(nn.ReLU(), nn.Flatten()), 0, 0),
            (lambda: nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))), 12, 12),
            (shared, 12, 12),
            (tied, 15, 15),
            (half_frozen, 9 + 6 + 4, 3 + 4),
            (of_its_own, 11, 7),
        ],
    )
    def test_counts_what_is_there(self, build, everything, trainable):
        model = build()
        before = copy.deepcopy(model)
        for arguments, expected in [((), everything), ((False,), everything), ((True,), trainable)]:
            ours = counting.count_parameters(model, *arguments)
            assert is_int(ours)
            assert ours == expected
        for now, then in zip(model.parameters(), before.parameters(), strict=True):
            assert now.equal(then)
            assert now.requires_grad == then.requires_grad
            assert now.grad is None
        assert [m.training for m in model.modules()] == [m.training for m in before.modules()]


class TestSizes:
    @quick
    @given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 6), st.integers(0, 5))
    def test_output_size_equals_the_library(self, size, kernel, stride, padding):
        if kernel > size + 2 * padding:
            with pytest.raises(ValueError, match="does not fit"):
                counting.output_size(size, kernel, stride, padding)
        else:
            ours = counting.output_size(size, kernel, stride, padding)
            assert is_int(ours)
            assert ours == places(size, kernel, stride, padding)

    def test_output_size_has_stride_one_and_no_padding_by_default(self):
        assert counting.output_size(7, 3) == 5

    @pytest.mark.parametrize("stride", [0, -1, -2])
    def test_refuses_strides_below_one(self, stride):
        with pytest.raises(ValueError, match="stride"):
            counting.output_size(7, 3, stride)
        with pytest.raises(ValueError, match="stride"):
            counting.network_sizes(7, [(3, 1, 0), (3, stride, 0)])

    @quick
    @given(st.integers(1, 60), layers)
    def test_network_sizes_are_those_of_the_library(self, size, network):
        before = list(network)
        if not fits(size, network):
            with pytest.raises(ValueError, match="does not fit"):
                counting.network_sizes(size, network)
            return
        x, expected = torch.zeros(1, 1, size, device="meta"), [size]
        for kernel, stride, padding in network:
            x = nn.Conv1d(1, 1, kernel, stride, padding, device="meta")(x)
            expected.append(x.shape[-1])
        ours = counting.network_sizes(size, network)
        assert ours == expected
        assert all(map(is_int, ours))
        assert network == before

    @pytest.mark.parametrize("kernel", range(1, 30, 2))
    def test_same_padding_keeps_the_size(self, kernel):
        padding = counting.same_padding(kernel)
        assert is_int(padding)
        assert places(50, kernel, 1, padding) == 50

    @pytest.mark.parametrize("kernel", range(2, 30, 2))
    def test_same_padding_refuses_even_kernels(self, kernel):
        with pytest.raises(ValueError, match="even"):
            counting.same_padding(kernel)


class TestReceptiveField:
    @quick
    @given(layers, st.integers(1, 30))
    def test_size_and_centres_are_what_the_gradient_says(self, network, input_size):
        """Each output's field, from an image so large that it lies inside; positions relative to the small image."""
        assume(fits(input_size, network))
        size, centers = counting.receptive_field(network, input_size)
        assert len(centers) == counting.network_sizes(input_size, network)[-1]

        # The same layers without padding on an image that has enough pixels around the original ones.
        outside, distance = 0, 1
        for _, stride, padding in network:
            outside += padding * distance
            distance *= stride
        x = torch.zeros(1, 1, input_size + 2 * outside, dtype=torch.float64, requires_grad=True)
        y = x
        for kernel, stride, _ in network:
            y = nn.functional.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
        for i, center in enumerate(centers):
            (gradient,) = torch.autograd.grad(y[0, 0, i], x, retain_graph=True)
            seen = gradient[0, 0].nonzero().flatten() - outside
            # With a stride larger than the kernel there are gaps inside a field: its ends count.
            assert size == seen.max() - seen.min() + 1
            assert center == (seen.max() + seen.min()).item() / 2

    def test_figures(self):
        assert counting.receptive_field([(3, 2, 0), (3, 1, 0), (3, 1, 0)])[0] == 11
        assert counting.receptive_field([(3, 2, 1)], 6) == (3, [0, 2, 4])
        assert counting.receptive_field([(2, 1, 0)], input_size=3) == (2, [0.5, 1.5])
        assert counting.receptive_field([(1, 1, 2)], input_size=1) == (1, [-2, -1, 0, 1, 2])
        assert counting.receptive_field([(7, 2, 3), (3, 2, 1)])[0] == 11
        assert len(counting.receptive_field([(7, 2, 3), (3, 2, 1)])[1]) == 56  # of 224 pixels

    def test_the_size_counts_padding(self):
        assert counting.receptive_field([(5, 1, 2), (5, 1, 2), (5, 1, 2)], 4)[0] == 13

    def test_leaves_its_argument_alone(self):
        network = [(3, 2, 1), (2, 2, 0)]
        counting.receptive_field(network, 16)
        assert network == [(3, 2, 1), (2, 2, 0)]


class TestConvMacs:
    @quick
    @given(st.integers(1, 3), few, few, st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.integers(0, 2))
    def test_is_what_a_forward_pass_does(self, groups, per_in, per_out, kernel, size, stride, padding):
        assume(kernel <= size + 2 * padding)
        channels = groups * per_in, groups * per_out
        convolution = nn.Conv2d(*channels, kernel, stride, padding, groups=groups, device="meta")
        output = convolution(torch.zeros(1, channels[0], size, size, device="meta"))
        ours = counting.conv_macs(*channels, kernel, size, stride=stride, padding=padding, groups=groups)
        assert is_int(ours)
        # Every output number is a sum over the weights of its filter.
        assert ours == output.numel() * convolution.weight[0].numel()

    def test_has_stride_one_no_padding_and_one_group_by_default(self):
        assert counting.conv_macs(3, 8, 3, 6) == 16 * 3 * 8 * 9


def conv_bn(*arguments):
    return [nn.Conv2d(*arguments, bias=False), nn.BatchNorm2d(arguments[1])]


MODELS = {
    "stem_conv_weights": lambda: nn.Conv2d(3, 64, 7, bias=False),
    "stem_conv_with_bias": lambda: nn.Conv2d(3, 64, 7),
    "linear_2048_1000": lambda: nn.Linear(2048, 1000),
    "mlp_784_392_196_10": lambda: nn.Sequential(nn.Linear(784, 392), nn.Linear(392, 196), nn.Linear(196, 10)),
    "global_average_pooling": lambda: nn.AdaptiveAvgPool2d(1),
    "one_5x5_64": lambda: nn.Conv2d(64, 64, 5),
    "two_3x3_64": lambda: nn.Sequential(nn.Conv2d(64, 64, 3), nn.Conv2d(64, 64, 3)),
    "basic_block_256": lambda: nn.Sequential(*conv_bn(256, 256, 3), *conv_bn(256, 256, 3)),
    "bottleneck_block_256_64": lambda: nn.Sequential(*conv_bn(256, 64, 1), *conv_bn(64, 64, 3), *conv_bn(64, 256, 1)),
    "resnet34": lambda: import_torchvision().models.resnet34(),
    "vgg16": lambda: import_torchvision().models.vgg16(),
}


class TestAnswers:
    def test_holds_one_number_for_every_question(self):
        assert list(counting.ANSWERS) == list(MODELS)
        assert all(map(is_int, counting.ANSWERS.values()))

    @pytest.mark.parametrize("question", MODELS)
    def test_is_what_the_model_has(self, question):
        assert counting.ANSWERS[question] == numbers_in(MODELS[question])

    def test_figures(self):
        assert counting.ANSWERS["resnet34"] == 21797672
        assert counting.ANSWERS["vgg16"] == 138357544

    @pytest.mark.parametrize(("question", "block"), [("basic_block_256", 0), ("bottleneck_block_256_64", 1)])
    def test_blocks_are_torchvisions(self, question, block):
        resnet = import_torchvision().models.resnet
        build = [lambda: resnet.BasicBlock(256, 256), lambda: resnet.Bottleneck(256, 64)][block]
        assert counting.ANSWERS[question] == numbers_in(build)


class TestSkeleton:
    def test_leaves_everything_to_the_student(self, tmp_path):
        left = load_skeleton("counting", tmp_path)
        named = {name: value for name, value in vars(left).items() if inspect.isfunction(value)}
        functions = [
            value for name, value in named.items() if not name.startswith("draw_")
        ]  # the picture's, which is there
        assert len(functions) == 10
        for function in functions:
            count = sum(p.default is p.empty for p in inspect.signature(function).parameters.values())
            with pytest.raises(NotImplementedError):
                function(*[1] * count)
        assert list(left.ANSWERS) == list(MODELS)
        assert all(answer is None for answer in left.ANSWERS.values())


def test_parameters_have_the_names_of_the_contract():
    signatures = {
        "conv2d_parameters": "(in_channels, out_channels, kernel_size, bias=True, groups=1)",
        "linear_parameters": "(in_features, out_features, bias=True)",
        "batchnorm_parameters": "(num_features, affine=True)",
        "mlp_parameters": "(sizes, bias=True)",
        "count_parameters": "(model, trainable_only=False)",
        "output_size": "(input_size, kernel_size, stride=1, padding=0)",
        "network_sizes": "(input_size, layers)",
        "same_padding": "(kernel_size)",
        "receptive_field": "(layers, input_size=224)",
        "conv_macs": "(in_channels, out_channels, kernel_size, input_size, stride=1, padding=0, groups=1)",
    }
    for name, signature in signatures.items():
        assert str(inspect.signature(getattr(counting, name))) == signature
