"""The reference solution of `pooling`, compared with torch.nn, torch.nn.functional and plain arithmetic."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from reference_solutions import load_skeleton, load_solution

pooling = load_solution("pooling")

quick = settings(derandomize=True, deadline=None, database=None, max_examples=30)
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])

# Every exercise in its simplest form on one map, for the rules that hold everywhere.
# Functions of one map get it as it is, modules get it as a batch of 1 with 2 channels.
ON_A_MAP = {
    "naive_padding": lambda x: pooling.naive_padding(x, 1, 0.5),
    "naive_pooling max": lambda x: pooling.naive_pooling(x, 2, 1, 1),
    "naive_pooling avg": lambda x: pooling.naive_pooling(x, 2, 2, 0, avg=True),
    "pool2d max": lambda x: pooling.pool2d(x, (2, 3)),
    "pool2d avg": lambda x: pooling.pool2d(x, (3, 2), mode="avg"),
    "max_pool_2d": lambda x: pooling.max_pool_2d(x, 3, 1),
    "max_pool_2d 1x1": lambda x: pooling.max_pool_2d(x, 1, 1),
    "avg_pool_2d": lambda x: pooling.avg_pool_2d(x, 2, 2),
    "GlobalAveragePooling": lambda x: pooling.GlobalAveragePooling()(batch(x)),
    "DepthPool": lambda x: pooling.DepthPool(2)(batch(x)),
    "MixedPooling": lambda x: pooling.MixedPooling(2, alpha=0.3)(batch(x)),
    "LPPooling": lambda x: pooling.LPPooling(2, p=3)(batch(x)),
    "StochasticPooling eval": lambda x: pooling.StochasticPooling(2).eval()(batch(x)),
    "StochasticPooling train": lambda x: seeded(pooling.StochasticPooling(2), batch(x)),
}
every_exercise = pytest.mark.parametrize("call", list(ON_A_MAP.values()), ids=list(ON_A_MAP))


def batch(x):
    return torch.stack([x, x.flip(0)]).unsqueeze(0)


def seeded(module, x):
    torch.manual_seed(0)
    return module(x)


def positive_map(height=5, width=6, dtype=torch.float64):
    """A map without ties, so that every maximum has one place and one gradient."""
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(1))
    return (order.to(dtype) + 1).reshape(height, width) / 10


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class TestEveryExercise:
    @every_exercise
    @dtypes
    def test_keeps_the_dtype(self, call, dtype):
        assert call(positive_map(dtype=dtype)).dtype == dtype

    @every_exercise
    def test_runs_on_the_device_of_its_input(self, call, request):
        if "Stochastic" in request.node.name:
            pytest.skip("looks at its values, which a meta tensor does not have")
        assert call(positive_map().to("meta")).device.type == "meta"

    @every_exercise
    def test_leaves_its_argument_alone(self, call):
        x = positive_map()
        before = x.clone()
        call(x).add_(1)  # neither by the call nor through a result that shares memory
        assert_close(x, before, rtol=0, atol=0)

    @every_exercise
    def test_does_not_care_for_strides(self, call):
        x = positive_map()
        expected = call(x)
        transposed = x.t().contiguous().t()
        assert not transposed.is_contiguous()
        assert_close(call(transposed), expected)
        sliced = torch.zeros(10, 18, dtype=x.dtype)[::2, ::3]
        sliced.copy_(x)
        assert_close(call(sliced), expected)

    @every_exercise
    def test_has_the_right_gradient(self, call):
        assert torch.autograd.gradcheck(call, positive_map().requires_grad_())


class TestSkeleton:
    def test_an_unfinished_file_imports_and_every_body_is_missing(self, tmp_path):
        skeleton = load_skeleton("pooling", tmp_path)

        calls = [
            lambda m: m.naive_padding(torch.zeros(2, 2), 1),
            lambda m: m.naive_pooling(torch.zeros(2, 2), 1, 1, 0),
            lambda m: m.pool2d(torch.zeros(2, 2), (1, 1)),
            lambda m: m.max_pool_2d(torch.zeros(2, 2)),
            lambda m: m.avg_pool_2d(torch.zeros(2, 2)),
            lambda m: m.GlobalAveragePooling(),
            lambda m: m.DepthPool(),
            lambda m: m.MixedPooling(2),
            lambda m: m.LPPooling(2),
            lambda m: m.StochasticPooling(2),
        ]
        for call in calls:
            with pytest.raises(NotImplementedError):
                call(skeleton)
        for name in ["GlobalAveragePooling", "DepthPool", "MixedPooling", "LPPooling", "StochasticPooling"]:
            with pytest.raises(NotImplementedError):
                getattr(skeleton, name).forward(None, torch.zeros(1, 2, 2, 2))


class TestNaivePadding:
    @quick
    @given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3), st.sampled_from([0.0, -1.5, float("-inf")]))
    def test_equals_constant_padding(self, height, width, padding, value):
        x = normal(height, width)
        assert_close(pooling.naive_padding(x, padding, value), F.pad(x, [padding] * 4, value=value))

    def test_zero_is_the_default_value(self):
        assert pooling.naive_padding(torch.ones(1, 1), 1).sum() == 1

    def test_refuses_negative_padding(self):
        with pytest.raises(ValueError, match="negative"):
            pooling.naive_padding(torch.ones(3, 3), -1)

    def test_uses_no_padding_operator(self):
        assert not [name for name in operators(lambda: pooling.naive_padding(torch.ones(2, 2), 1)) if "pad" in name]


class TestNaivePooling:
    @quick
    @given(st.data())
    def test_equals_the_library(self, data):
        kernel = data.draw(st.integers(1, 4))
        padding = data.draw(st.integers(0, kernel // 2))
        stride = data.draw(st.integers(1, 4))
        smallest = max(1, kernel - 2 * padding)
        height, width = (data.draw(st.integers(smallest, 7)) for _ in range(2))
        x = normal(height, width) + data.draw(st.sampled_from([-5, 0, 5]))
        for avg, library in [(False, nn.MaxPool2d), (True, nn.AvgPool2d)]:
            expected = library(kernel, stride, padding)(x.unsqueeze(0)).squeeze(0)
            assert_close(pooling.naive_pooling(x, kernel, stride, padding, avg=avg), expected)

    @pytest.mark.parametrize("avg", [False, True])
    def test_has_the_gradient_of_the_library(self, avg):
        x = (-positive_map()).requires_grad_()
        library = nn.AvgPool2d(3, 2, 1) if avg else nn.MaxPool2d(3, 2, 1)
        ours = torch.autograd.grad(pooling.naive_pooling(x, 3, 2, 1, avg=avg).sin().sum(), x)
        theirs = torch.autograd.grad(library(x.unsqueeze(0)).sin().sum(), x)
        assert_close(ours, theirs)

    @pytest.mark.parametrize(("kernel", "padding"), [(4, 0), (6, 1), (3, -1)])
    def test_refuses_what_does_not_fit(self, kernel, padding):
        with pytest.raises(ValueError, match=r".+"):
            pooling.naive_pooling(torch.ones(3, 4), kernel, 1, padding)

    def test_uses_no_pooling_operator(self):
        for avg in (False, True):
            assert not pools(lambda avg=avg: pooling.naive_pooling(torch.ones(3, 3), 2, 1, 1, avg))


class TestPool2d:
    @quick
    @given(st.integers(1, 6), st.integers(1, 6), st.data())
    def test_equals_the_library(self, height, width, data):
        size = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
        x = normal(height, width)
        assert_close(pooling.pool2d(x, size), F.max_pool2d(x[None], size, 1)[0])
        assert_close(pooling.pool2d(x, size, "max"), F.max_pool2d(x[None], size, 1)[0])
        assert_close(pooling.pool2d(x, size, mode="avg"), F.avg_pool2d(x[None], size, 1)[0])

    @pytest.mark.parametrize("mode", ["mean", "MAX", "", None])
    def test_refuses_other_modes(self, mode):
        with pytest.raises(ValueError, match="mode"):
            pooling.pool2d(torch.ones(3, 3), (2, 2), mode)

    @pytest.mark.parametrize("size", [(4, 1), (1, 6)])
    def test_refuses_what_does_not_fit(self, size):
        with pytest.raises(ValueError, match="does not fit"):
            pooling.pool2d(torch.ones(3, 5), size)

    def test_uses_no_pooling_operator(self):
        for mode in ("max", "avg"):
            assert not pools(lambda mode=mode: pooling.pool2d(torch.ones(3, 3), (2, 2), mode))


vectorised = pytest.mark.parametrize("ours", [pooling.max_pool_2d, pooling.avg_pool_2d])
and_its_library = pytest.mark.parametrize(
    ("ours", "library"), [(pooling.max_pool_2d, F.max_pool2d), (pooling.avg_pool_2d, F.avg_pool2d)]
)


class TestVectorisedPooling:
    @and_its_library
    @quick
    @given(data=st.data())
    def test_equals_the_library(self, ours, library, data):
        kernel, stride = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        shape = [data.draw(st.integers(kernel, 9)) for _ in range(2)]
        if data.draw(st.booleans()):
            shape.insert(0, data.draw(st.integers(1, 3)))
        x = normal(*shape)
        expected = library(x.reshape(-1, *shape[-2:]), kernel, stride)
        expected = expected.reshape(*shape[:-2], *expected.shape[-2:])
        assert_close(ours(x, kernel, stride), expected)

    @vectorised
    def test_keeps_the_rank(self, ours):
        for shape, expected in [((2, 2), (1, 1)), ((1, 2, 2), (1, 1, 1)), ((1, 3, 2), (1, 1, 1))]:
            assert ours(torch.ones(shape)).shape == expected

    @and_its_library
    def test_has_the_gradient_of_the_library(self, ours, library):
        x = batch(positive_map(7, 7))[0].requires_grad_()
        mine = torch.autograd.grad(ours(x, 3, 2).sin().sum(), x)
        theirs = torch.autograd.grad(library(x, 3, 2).sin().sum(), x)
        assert_close(mine, theirs)

    @vectorised
    def test_refuses_what_does_not_fit(self, ours):
        for shape in [(1, 3), (3, 1), (2, 1, 3), (2, 3, 1)]:
            with pytest.raises(ValueError, match="does not fit"):
                ours(torch.ones(shape))

    @vectorised
    def test_does_the_same_work_for_every_extent(self, ours):
        counts = {
            len(operators(lambda shape=shape: ours(torch.ones(shape), 2, 2)))
            for shape in [(2, 4, 4), (9, 4, 4), (2, 31, 4), (2, 4, 31)]
        }
        assert len(counts) == 1

    @vectorised
    def test_uses_no_pooling_operator(self, ours):
        assert not pools(lambda: ours(torch.ones(4, 4)))


class TestGlobalAveragePooling:
    @quick
    @given(st.tuples(*[st.integers(1, 4)] * 4))
    def test_equals_adaptive_pooling(self, shape):
        x = normal(*shape)
        expected = F.adaptive_avg_pool2d(x, 1)
        assert_close(pooling.GlobalAveragePooling(keepdim=True)(x), expected)
        assert_close(pooling.GlobalAveragePooling()(x), expected.flatten(1))

    def test_has_no_state(self):
        assert not pooling.GlobalAveragePooling().state_dict()


class TestDepthPool:
    @quick
    @given(st.data())
    def test_equals_pooling_over_cubes(self, data):
        p = data.draw(st.integers(1, 3))
        shape = [data.draw(st.integers(1, 2))] + [data.draw(st.integers(p, 7)) for _ in range(3)]
        x = normal(*shape)
        # The channels are the depth of one volume, and MaxPool3d rounds down as we do.
        assert_close(pooling.DepthPool(p)(x), nn.MaxPool3d(p)(x.unsqueeze(1)).squeeze(1))

    def test_groups_are_consecutive_and_the_rest_is_dropped(self):
        x = torch.tensor([1.0, 2.0, 4.0, 3.0, 9.0]).reshape(1, 5, 1, 1).expand(1, 5, 2, 2)
        assert pooling.DepthPool()(x).flatten().tolist() == [2.0, 4.0]

    @pytest.mark.parametrize("shape", [(1, 1, 4, 4), (1, 2, 1, 4), (1, 2, 4, 1)])
    def test_refuses_what_does_not_fit(self, shape):
        with pytest.raises(ValueError, match=r".+"):
            pooling.DepthPool(2)(torch.ones(shape))

    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_takes_every_memory_format(self, memory_format):
        x = normal(2, 5, 6, 7)
        assert_close(pooling.DepthPool(2)(x.contiguous(memory_format=memory_format)), pooling.DepthPool(2)(x))


class TestMixedPooling:
    @quick
    @given(st.integers(1, 3), st.none() | st.integers(1, 4), st.sampled_from([0, 0.25, 0.5, 1]))
    def test_equals_the_mixture(self, kernel, stride, alpha):
        x = normal(2, 3, 5, 4)
        expected = alpha * nn.MaxPool2d(kernel, stride)(x) + (1 - alpha) * nn.AvgPool2d(kernel, stride)(x)
        assert_close(pooling.MixedPooling(kernel, stride, alpha)(x), expected)

    def test_mixes_equal_parts_by_default(self):
        x = torch.tensor([[0.0, 0.0], [0.0, 4.0]])[None, None]
        assert pooling.MixedPooling(2)(x).item() == 2.5

    @pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
    def test_the_constructor_refuses_other_alphas(self, alpha):
        with pytest.raises(ValueError, match="alpha"):
            pooling.MixedPooling(2, alpha=alpha)


class TestLPPooling:
    @quick
    @given(st.integers(1, 3), st.none() | st.integers(1, 4), st.sampled_from([0.5, 1, 1.5, 2, 3]))
    def test_is_the_library_without_the_sum(self, kernel, stride, p):
        x = normal(2, 3, 5, 4)
        expected = nn.LPPool2d(p, kernel, stride)(x.abs()) / (kernel * kernel) ** (1 / p)
        assert_close(pooling.LPPooling(kernel, stride, p)(x), expected)

    def test_is_the_root_mean_square_by_default(self):
        x = torch.tensor([[1.0, -1.0], [5.0, -3.0]])[None, None]
        assert_close(pooling.LPPooling(2)(x), torch.full((1, 1, 1, 1), 3.0))

    @pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3])
    def test_zeros_have_a_finite_gradient(self, p):
        x = torch.tensor([[0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, -3.0]])[None, None].requires_grad_()
        result = pooling.LPPooling(2, p=p)(x)
        (gradient,) = torch.autograd.grad(result.sum(), x)
        assert result[..., 0].item() == 0
        assert gradient.isfinite().all()
        assert (gradient[..., :3][..., 0, :] == 0).all()

    def test_not_a_number_stays_visible(self):
        assert pooling.LPPooling(2)(torch.full((1, 1, 2, 2), float("nan"))).isnan().all()

    @pytest.mark.parametrize("p", [0, -1, float("nan")])
    def test_the_constructor_refuses_other_powers(self, p):
        with pytest.raises(ValueError, match="positive"):
            pooling.LPPooling(2, p=p)


class TestStochasticPooling:
    def test_evaluation_is_the_expected_value(self):
        x = torch.tensor([[1.0, 2.0], [0.0, 1.0]])[None, None]
        assert pooling.StochasticPooling(2).eval()(x).item() == 1.5

    @quick
    @given(st.integers(1, 3), st.none() | st.integers(1, 4), st.tuples(*[st.integers(1, 3)] * 2))
    def test_evaluation_equals_a_ratio_of_averages(self, kernel, stride, sizes):
        x = normal(*sizes, 5, 4).relu()
        squares, sums = (F.avg_pool2d(values, kernel, stride) for values in (x * x, x))
        expected = torch.where(sums > 0, squares / sums, torch.zeros(()).to(x))
        assert_close(pooling.StochasticPooling(kernel, stride).eval()(x), expected)

    def test_training_draws_from_the_right_window(self):
        x = torch.arange(1.0, 97.0).reshape(2, 3, 4, 4)
        result = seeded(pooling.StochasticPooling(2), x)
        windows = F.unfold(x, 2, stride=2).reshape(2, 3, 4, 4)  # (N, C, pixel, window)
        assert (windows == result.reshape(2, 3, 1, 4)).any(dim=2).all()

    def test_training_draws_in_proportion_and_independently(self):
        x = torch.tensor([[1.0, 2.0], [0.0, 3.0]]).repeat(40, 40).expand(2, 3, 80, 80)
        result = seeded(pooling.StochasticPooling(2), x)
        for value, share in [(0, 0), (1, 1 / 6), (2, 2 / 6), (3, 3 / 6)]:
            shares = (result == value).double().mean(dim=(2, 3))
            assert_close(shares, torch.full_like(shares, share), atol=0.05, rtol=0)
        maps = result.reshape(6, -1)
        assert len({tuple(values.tolist()) for values in maps}) == 6
        assert (torch.corrcoef(maps) - torch.eye(6)).abs().max() < 0.1

    def test_the_seed_decides(self):
        x, module = positive_map(20, 20)[None, None], pooling.StochasticPooling(2)
        first, second = seeded(module, x), module(x)
        assert_close(seeded(module, x), first)
        assert not first.equal(second)

    def test_evaluation_draws_nothing(self):
        torch.manual_seed(0)
        state = torch.get_rng_state()
        pooling.StochasticPooling(2).eval()(torch.ones(1, 1, 2, 2))
        assert torch.get_rng_state().equal(state)

    @pytest.mark.parametrize("training", [True, False])
    def test_a_window_of_zeros_gives_zero_and_a_finite_gradient(self, training):
        x = torch.tensor([[0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]])[None, None].requires_grad_()
        result = pooling.StochasticPooling(2).train(training)(x)
        (gradient,) = torch.autograd.grad(result.sum(), x)
        assert result[..., 0].item() == 0
        assert gradient.isfinite().all()

    @pytest.mark.parametrize("training", [True, False])
    def test_refuses_negative_input(self, training):
        with pytest.raises(ValueError, match="negative"):
            pooling.StochasticPooling(2).train(training)(torch.tensor([[[[1.0, -1e-6], [0.0, 1.0]]]]))


@pytest.mark.parametrize("name", ["MixedPooling", "LPPooling", "StochasticPooling"])
@pytest.mark.parametrize("shape", [(1, 1, 2, 5), (1, 1, 5, 2)])
def test_a_module_refuses_a_window_that_does_not_fit(name, shape):
    with pytest.raises(ValueError, match="does not fit"):
        getattr(pooling, name)(3)(torch.ones(shape))


@pytest.mark.parametrize("name", ["MixedPooling", "LPPooling", "StochasticPooling"])
def test_a_module_takes_a_stride_other_than_its_window(name):
    assert getattr(pooling, name)(2, 3)(torch.ones(1, 1, 5, 8)).shape == (1, 1, 2, 3)
    assert getattr(pooling, name)(2)(torch.ones(1, 1, 5, 8)).shape == (1, 1, 2, 4)


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def operators(call):
    """The names of all operators that the call dispatches, in order."""
    with Recorder() as recorder:
        call()
    return recorder.names


def pools(call):
    return [name for name in operators(call) if "pool" in name]
