"""The reference solution of `convolution`, compared with torch.nn.functional and plain arithmetic."""

import copy
import inspect

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from reference_solutions import load_skeleton, load_solution

convolution = load_solution("convolution")

quick = settings(derandomize=True, deadline=None, database=None, max_examples=30)
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
extents = st.integers(1, 6)
channels = st.integers(1, 4)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def library(X, K, **options):
    """The one right answer for one image (c_i, H, W) and kernels (c_o, c_i, h, w)."""
    return F.conv2d(X.unsqueeze(0), K, **options).squeeze(0)


def operators(function):
    """The names of the operators that are dispatched, in order."""
    names = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    with Recorder():
        function()
    return names


def products(names):
    return [name for name in names if name in ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot")]


def layer(K, bias):
    made = convolution.Conv2D(tuple(K.shape)).to(K.dtype)
    made.load_state_dict({"weight": K, "bias": torch.full((1,), bias)})
    return made


def functional_layer(x, K):
    made = convolution.Conv2D(tuple(K.shape)).to(K.dtype)
    return torch.func.functional_call(made, {"weight": K, "bias": K.new_full((1,), 0.5)}, (x,))


# Every exercise as a function of input and kernel, with the shapes of the two.
ON_TENSORS = {
    "corr2d": (convolution.corr2d, (5, 6), (2, 3)),
    "corr2d of one pixel": (convolution.corr2d, (5, 6), (1, 1)),
    "Conv2D": (functional_layer, (5, 6), (3, 2)),
    "corr2d_multi_in": (convolution.corr2d_multi_in, (3, 4, 5), (3, 2, 1)),
    "corr2d_multi_in of one channel": (convolution.corr2d_multi_in, (1, 4, 5), (1, 1, 1)),
    "corr2d_multi_in_out": (convolution.corr2d_multi_in_out, (2, 4, 5), (3, 2, 1, 2)),
    "corr2d_multi_in_out_1x1": (convolution.corr2d_multi_in_out_1x1, (2, 4, 5), (3, 2, 1, 1)),
    "corr2d_strided": (lambda X, K: convolution.corr2d_strided(X, K, (1, 0), (2, 1)), (5, 6), (2, 3)),
    "corr2d_im2col": (lambda X, K: convolution.corr2d_im2col(X, K, 1, 2), (2, 3, 4, 5), (2, 3, 3, 2)),
    "corr2d_im2col of one pixel": (convolution.corr2d_im2col, (1, 1, 2, 2), (1, 1, 1, 1)),
}
every_exercise = pytest.mark.parametrize(("call", "x_shape", "k_shape"), ON_TENSORS.values(), ids=list(ON_TENSORS))


class TestEveryExercise:
    @every_exercise
    @dtypes
    def test_keeps_the_dtype(self, call, x_shape, k_shape, dtype):
        assert call(normal(*x_shape, dtype=dtype), normal(*k_shape, dtype=dtype)).dtype == dtype

    @every_exercise
    def test_runs_on_the_device_of_its_input(self, call, x_shape, k_shape):
        assert call(normal(*x_shape).to("meta"), normal(*k_shape).to("meta")).device.type == "meta"

    @every_exercise
    def test_leaves_its_arguments_alone(self, call, x_shape, k_shape):
        x, k = normal(*x_shape), normal(*k_shape)
        before = x.clone(), k.clone()
        call(x, k).add_(1)  # neither by the call nor through a result that shares memory
        assert_close((x, k), before, rtol=0, atol=0)

    @every_exercise
    def test_does_not_care_for_strides(self, call, x_shape, k_shape):
        def transposed(tensor):
            return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)

        def sliced(tensor):
            wide = tensor.new_zeros(*tensor.shape[:-1], 3 * tensor.shape[-1])
            return wide[..., ::3].copy_(tensor)

        def reversed_dimensions(tensor):
            order = tuple(reversed(range(tensor.dim())))
            return tensor.permute(order).contiguous().permute(order)

        x, k = normal(*x_shape), normal(*k_shape)
        expected = call(x, k)
        for layout in (transposed, sliced, reversed_dimensions):
            assert_close(call(layout(x), layout(k)), expected)

    @every_exercise
    def test_has_the_right_gradients(self, call, x_shape, k_shape):
        inputs = normal(*x_shape).requires_grad_(), normal(*k_shape).requires_grad_()
        assert torch.autograd.gradcheck(call, inputs)

    @every_exercise
    def test_uses_no_convolution_operator(self, call, x_shape, k_shape):
        assert not [name for name in operators(lambda: call(normal(*x_shape), normal(*k_shape))) if "conv" in name]

    @every_exercise
    def test_refuses_kernels_that_are_too_large(self, call, x_shape, k_shape):
        if k_shape[1:] == (2, 1, 1):
            pytest.skip("takes kernels of one pixel only")
        for direction in (-1, -2):
            for excess in (1, 2):
                shape = list(k_shape)
                shape[direction] = x_shape[direction] + 2 + excess  # larger with a border of 1, too
                with pytest.raises(ValueError, match="not fit"):
                    call(normal(*x_shape), normal(*shape))


class TestSkeleton:
    def test_an_unfinished_file_imports_and_every_body_is_missing(self, tmp_path):
        unfinished = load_skeleton("convolution", tmp_path)
        X, K = torch.zeros(2, 2), torch.zeros(1, 1)
        calls = [
            lambda m: m.corr2d(X, K),
            lambda m: m.Conv2D((1, 1)),
            lambda m: m.Conv2D.forward(None, X),
            lambda m: m.corr2d_multi_in(X[None], K[None]),
            lambda m: m.corr2d_multi_in_out(X[None], K[None, None]),
            lambda m: m.corr2d_multi_in_out_1x1(X[None], K[None, None]),
            lambda m: m.corr2d_strided(X, K),
            lambda m: m.learn_kernel(X, X, (1, 1)),
            lambda m: m.corr2d_im2col(X[None, None], K[None, None]),
        ]
        for call in calls:
            with pytest.raises(NotImplementedError):
                call(unfinished)


class TestCorr2d:
    @quick
    @given(extents, extents, st.data())
    def test_equals_the_library(self, height, width, data):
        X = normal(height, width)
        K = normal(data.draw(st.integers(1, height)), data.draw(st.integers(1, width)), seed=1)
        assert_close(convolution.corr2d(X, K), library(X[None], K[None, None])[0])

    def test_gives_the_numbers_of_the_text(self):
        X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
        assert convolution.corr2d(X, K).tolist() == [[19, 25], [37, 43]]


class TestConv2D:
    def test_equals_the_library(self):
        x, K = normal(5, 6), normal(2, 3, seed=1)
        for training in (True, False):
            assert_close(layer(K, 0.25).train(training)(x), library(x[None], K[None, None])[0] + 0.25)

    def test_has_two_parameters(self):
        made = convolution.Conv2D(kernel_size=(2, 3))
        shapes = {name: tuple(value.shape) for name, value in made.named_parameters()}
        assert shapes == {"weight": (2, 3), "bias": (1,)}
        assert all(isinstance(value, nn.Parameter) and value.requires_grad for value in made.parameters())
        assert list(made.state_dict()) == ["weight", "bias"]
        assert made.bias.item() == 0

    def test_starts_at_random(self):
        def start(seed):
            torch.manual_seed(seed)
            return convolution.Conv2D((2, 3)).weight.detach()

        assert torch.equal(start(1), start(1))
        assert not torch.isclose(start(1), start(2)).any()
        assert len(set(start(1).flatten().tolist())) == 6

    def test_can_be_copied_and_saved(self):
        x, made = normal(4, 4), layer(normal(2, 2), 0.5)
        other = convolution.Conv2D((2, 2)).double()
        other.load_state_dict(made.state_dict())
        assert_close(other(x), made(x))
        assert_close(copy.deepcopy(made)(x), made(x))


class TestSeveralChannels:
    @quick
    @given(channels, channels, extents, extents, st.data())
    def test_equal_the_library(self, c_o, c_i, height, width, data):
        X = normal(c_i, height, width)
        K = normal(c_o, c_i, data.draw(st.integers(1, height)), data.draw(st.integers(1, width)), seed=1)
        expected = library(X, K)
        assert_close(convolution.corr2d_multi_in_out(X, K), expected)
        assert_close(convolution.corr2d_multi_in(X, K[0]), expected[0])

    @pytest.mark.parametrize(("have", "want"), [(1, 2), (2, 1), (3, 2), (2, 4)])
    def test_refuse_other_numbers_of_channels(self, have, want):
        X, K = normal(have, 3, 3), normal(2, want, 2, 2)
        for call in [
            lambda: convolution.corr2d_multi_in(X, K[0]),
            lambda: convolution.corr2d_multi_in_out(X, K),
            lambda: convolution.corr2d_im2col(X[None], K),
        ]:
            with pytest.raises(ValueError, match="channels"):
                call()


class TestOneByOne:
    @quick
    @given(channels, channels, extents, extents)
    def test_equals_the_library(self, c_o, c_i, height, width):
        X, K = normal(c_i, height, width), normal(c_o, c_i, 1, 1, seed=1)
        assert_close(convolution.corr2d_multi_in_out_1x1(X, K), library(X, K))

    @pytest.mark.parametrize(
        "shape", [(3, 2, 2, 2), (3, 2, 1, 2), (3, 2, 2, 1), (3, 1, 1, 1), (2, 3, 1, 1), (3, 2), (3, 2, 1), (6, 1, 1, 1)]
    )
    def test_refuses_other_kernels(self, shape):
        with pytest.raises(ValueError, match="shape"):
            convolution.corr2d_multi_in_out_1x1(normal(2, 3, 3), normal(*shape))

    def test_is_one_matrix_multiplication_for_every_extent(self):
        counts = []
        for c_o, c_i, height, width in [(2, 3, 4, 5), (9, 3, 4, 5), (2, 11, 4, 5), (2, 3, 17, 5), (2, 3, 4, 19)]:
            X, K = normal(c_i, height, width), normal(c_o, c_i, 1, 1)
            names = operators(lambda X=X, K=K: convolution.corr2d_multi_in_out_1x1(X, K))
            assert len(products(names)) == 1
            counts.append(len(names))
        assert len(set(counts)) == 1


class TestStrided:
    @quick
    @given(st.data())
    def test_equals_the_library(self, data):
        padding = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
        stride = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
        X = normal(data.draw(extents), data.draw(extents))
        K = normal(*(data.draw(st.integers(1, n + 2 * p)) for n, p in zip(X.shape, padding, strict=True)), seed=1)
        expected = library(X[None], K[None, None], padding=padding, stride=stride)[0]
        assert_close(convolution.corr2d_strided(X, K, padding, stride), expected)

    @pytest.mark.parametrize(("padding", "stride"), [(1, 2), (1, (2, 3)), ((0, 1), 2), (0, 1)])
    def test_takes_an_int_for_a_pair(self, padding, stride):
        X, K = normal(5, 7), normal(2, 3)
        expected = library(X[None], K[None, None], padding=padding, stride=stride)[0]
        assert_close(convolution.corr2d_strided(X, K, padding=padding, stride=stride), expected)

    def test_has_neither_by_default(self):
        X, K = normal(5, 7), normal(2, 3)
        assert_close(convolution.corr2d_strided(X, K), convolution.corr2d(X, K))

    def test_refuses_a_kernel_larger_than_the_padded_map(self):
        X = normal(3, 4)
        assert convolution.corr2d_strided(X, normal(5, 6), 1).shape == (1, 1)
        for shape, padding in [((6, 1), 1), ((1, 7), 1), ((4, 1), (0, 3)), ((1, 5), (3, 0))]:
            with pytest.raises(ValueError, match="does not fit"):
                convolution.corr2d_strided(X, normal(*shape), padding)


def learn(X, Y, size, seed=0, **options):
    torch.manual_seed(seed)
    return convolution.learn_kernel(X, Y, size, **options)


class TestLearnKernel:
    def test_finds_the_kernel(self):
        X, K = normal(6, 8), torch.tensor([[1.0, -1.0]], dtype=torch.float64)
        assert_close(learn(X, library(X[None], K[None, None])[0], (1, 2), lr=5e-3, steps=200), K)

    @pytest.mark.parametrize("steps", [1, 2, 7])
    @dtypes
    def test_is_gradient_descent_on_the_sum_of_squares(self, steps, dtype):
        X, Y = normal(4, 5, dtype=dtype), normal(3, 3, seed=1, dtype=dtype)
        expected = learn(X, Y, (2, 3), steps=0)
        for _ in range(steps):
            leaf = expected.requires_grad_()
            error = (library(X[None], leaf[None, None])[0] - Y).square().sum()
            expected = (leaf - 0.01 * torch.autograd.grad(error, leaf)[0]).detach()
        result = learn(X, Y, (2, 3), lr=0.01, steps=steps)
        assert result.dtype == dtype
        assert_close(result, expected)

    def test_starts_at_random_and_at_nothing_else(self):
        X, Y = normal(4, 5), normal(3, 4, seed=1)
        start = learn(X, Y, (2, 2), steps=0)
        assert start.shape == (2, 2)
        assert len(set(start.flatten().tolist())) == 4
        assert torch.equal(learn(2 * X, 0 * Y, (2, 2), steps=0, lr=1.0), start)
        assert not torch.isclose(learn(X, Y, (2, 2), steps=0, seed=1), start).any()

    def test_has_the_defaults_of_the_contract(self):
        defaults = {
            name: parameter.default
            for name, parameter in inspect.signature(convolution.learn_kernel).parameters.items()
            if parameter.default is not parameter.empty
        }
        assert defaults == {"lr": 3e-2, "steps": 10}

    def test_returns_a_tensor_without_a_graph_and_leaves_its_arguments_alone(self):
        X, Y = normal(4, 5).requires_grad_(), normal(3, 4, seed=1)
        before = X.detach().clone(), Y.clone()
        for steps in (0, 3):
            result = learn(X, Y, (2, 2), steps=steps)
            assert type(result) is torch.Tensor
            assert not result.requires_grad
            assert result.grad_fn is None
        assert X.grad is None
        assert_close((X.detach(), Y), before, rtol=0, atol=0)

    def test_does_not_care_for_strides(self):
        X, Y = normal(4, 5), normal(3, 4, seed=1)
        expected = learn(X, Y, (2, 2))
        assert_close(learn(X.t().contiguous().t(), Y.t().contiguous().t(), (2, 2)), expected)

    def test_uses_no_convolution_operator(self):
        names = operators(lambda: convolution.learn_kernel(normal(4, 5), normal(3, 4), (2, 2), steps=2))
        assert not [name for name in names if "conv" in name]

    @pytest.mark.parametrize("size", [(5, 1), (1, 6), (6, 7)])
    def test_refuses_kernels_that_are_too_large(self, size):
        with pytest.raises(ValueError, match="does not fit"):
            convolution.learn_kernel(normal(4, 5), normal(1, 1), size)


class TestIm2col:
    @quick
    @given(st.integers(1, 3), channels, channels, extents, extents, st.integers(0, 2), st.integers(1, 3), st.data())
    def test_equals_the_library(self, batch, c_o, c_i, height, width, padding, stride, data):
        X = normal(batch, c_i, height, width)
        size = (data.draw(st.integers(1, min(n + 2 * padding, 4))) for n in (height, width))
        K = normal(c_o, c_i, *size, seed=1)
        expected = F.conv2d(X, K, padding=padding, stride=stride)
        assert_close(convolution.corr2d_im2col(X, K, padding, stride), expected)
        assert_close(convolution.corr2d_im2col(X, K, stride=stride, padding=padding), expected)

    def test_has_no_padding_and_a_step_of_one_by_default(self):
        X, K = normal(2, 3, 5, 4), normal(2, 3, 2, 3)
        assert_close(convolution.corr2d_im2col(X, K), F.conv2d(X, K))

    def test_is_one_matrix_multiplication_for_every_extent(self):
        counts = []
        shapes = [
            (2, 3, 4, 5, 2),
            (9, 3, 4, 5, 2),
            (2, 9, 4, 5, 2),
            (2, 3, 17, 5, 2),
            (2, 3, 4, 19, 2),
            (2, 3, 4, 5, 9),
        ]
        for batch, c_i, height, width, c_o in shapes:
            X, K = normal(batch, c_i, height, width), normal(c_o, c_i, 2, 3)
            names = operators(lambda X=X, K=K: convolution.corr2d_im2col(X, K, 1, 2))
            assert len(products(names)) == 1
            counts.append(len(names))
        assert len(set(counts)) == 1
