"""The reference solution of `transfer`, on hand-made models and on those of torchvision."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from reference_solutions import load_solution
from vision import import_torchvision

transfer = load_solution("transfer")


def small():
    """Nested in a few ways; 3 features in, 2 out."""
    return nn.Sequential(
        nn.Linear(3, 4),
        nn.ModuleDict({"norm": nn.BatchNorm1d(4)})["norm"],
        nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(0.5)),
        nn.Linear(4, 2),
    )


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)) for _ in range(2)])
        self.tops = nn.ModuleDict({"a": nn.Linear(3, 4, bias=False), "b": nn.LayerNorm(4)})

    def forward(self, x):
        x = x * self.scale
        for block in self.blocks:
            x = block(x)
        return self.tops["b"](self.tops["a"](x))


class Raises(nn.Module):
    def forward(self, _):
        raise OverflowError("on purpose")


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def modes(model):
    return [module.training for module in model.modules()]


def hooks(model):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def mixed(model):
    for number, module in enumerate(model.modules()):
        module.training = number % 3 == 0
    return model


models = pytest.mark.parametrize("build", [small, Tower], ids=["small", "Tower"])


class TestFreeze:
    @models
    def test_no_parameter_requires_a_gradient(self, build):
        model = build()
        assert transfer.freeze(model) is model
        assert not any(parameter.requires_grad for parameter in model.parameters())

    @models
    def test_leaves_modes_and_values_alone(self, build):
        model = mixed(build())
        before = state(model), modes(model)
        transfer.freeze(model)
        assert modes(model) == before[1]
        assert_close(state(model), before[0], rtol=0, atol=0)

    def test_a_module_without_parameters(self):
        relu = nn.ReLU()
        assert transfer.freeze(relu) is relu

    def test_gradients_flow_through(self):
        torch.manual_seed(0)  # with unlucky weights, every ReLU is 0
        model = transfer.freeze(small())
        x = torch.ones(4, 3, requires_grad=True)
        model.eval()(x).square().sum().backward()
        assert x.grad.abs().sum() > 0
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_only_what_is_passed(self):
        model = small()
        transfer.freeze(model[0])
        assert [parameter.requires_grad for parameter in model.parameters()] == [False] * 2 + [True] * 4


class TestReplaceHead:
    def test_direct_child(self):
        model = small()
        body = list(model)[:3]
        assert transfer.replace_head(model, 7) is model
        assert list(model)[:3] == body
        assert model(torch.ones(2, 3)).shape == (2, 7)

    def test_nested_without_bias(self):
        model = transfer.replace_head(Tower(), 5)
        head = model.tops["a"]
        assert (head.in_features, head.out_features, head.bias) == (3, 5, None)

    def test_the_last_registered_counts(self):
        model = nn.Module()
        model.out = nn.Linear(3, 4)
        model.side = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Sequential(nn.Linear(2, 6), nn.ReLU()))
        model.norm = nn.BatchNorm1d(4)
        transfer.replace_head(model, 1)
        assert [model.out.out_features, model.side[0].out_features, model.side[2][0].out_features] == [4, 2, 1]
        assert list(dict(model.named_children())) == ["out", "side", "norm"]

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_dtype(self, dtype):
        head = transfer.replace_head(small().to(dtype), 3)[3]
        assert head.weight.dtype == head.bias.dtype == dtype

    def test_the_heads_own_dtype(self):
        model = small()
        model[3].double()
        assert transfer.replace_head(model, 3)[3].weight.dtype == torch.float64

    def test_device(self):
        head = transfer.replace_head(small().to("meta"), 3)[3]
        assert head.weight.is_meta
        assert head.bias.is_meta

    def test_is_trainable_in_a_frozen_model(self):
        model = transfer.replace_head(transfer.freeze(small()), 3)
        assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == [
            "3.weight",
            "3.bias",
        ]

    def test_is_fresh(self):
        starts = []
        for seed in (0, 1, 0):
            torch.manual_seed(3)
            model = small()
            old = model[3].weight.clone()
            torch.manual_seed(seed)
            starts.append(transfer.replace_head(model, 2)[3].weight)
            assert not torch.equal(starts[-1], old)
        assert torch.equal(starts[0], starts[2])
        assert not torch.equal(starts[0], starts[1])

    @models
    def test_everything_else_is_untouched(self, build):
        model = mixed(build())
        transfer.freeze(model[0] if build is small else model.blocks[0])
        where = "3" if build is small else "tops.a"
        before = {name: module for name, module in model.named_modules() if name != where}
        numbers, training = state(model), {name: module.training for name, module in before.items()}
        grads = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        transfer.replace_head(model, 9)
        assert {name: module for name, module in model.named_modules() if name != where} == before
        assert {name: module.training for name, module in before.items()} == training
        for name, tensor in state(model).items():
            assert name.startswith(where) or torch.equal(tensor, numbers[name])
        for name, parameter in model.named_parameters():
            assert name.startswith(where) or parameter.requires_grad == grads[name]

    @pytest.mark.parametrize(
        "model", [nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), nn.Sequential(nn.Bilinear(1, 1, 1)), nn.ReLU()]
    )
    def test_without_a_linear_layer(self, model):
        with pytest.raises(ValueError, match=r".+"):
            transfer.replace_head(model, 3)


class TestDiscriminativeParameterGroups:
    def test_names_and_rates(self):
        model = Tower()
        del model.scale
        model.blocks[1].requires_grad_(False)
        groups = transfer.discriminative_parameter_groups(model, 0.1, 0.5)
        expected = [model.blocks[0].parameters(), model.tops.parameters()]
        assert [[id(p) for p in group["params"]] for group in groups] == [[id(p) for p in ps] for ps in expected]
        assert [group["lr"] for group in groups] == pytest.approx([0.05, 0.1])

    def test_children_that_do_not_learn_do_not_count(self):
        model = nn.Sequential(
            nn.Linear(2, 2),
            nn.ReLU(),
            transfer.freeze(nn.Linear(2, 2)),
            nn.BatchNorm1d(2, affine=False),
            nn.Linear(2, 2),
            nn.Linear(2, 2),
            nn.Dropout(),
        )
        groups = transfer.discriminative_parameter_groups(model, 1.0, 0.1)
        assert [group["lr"] for group in groups] == pytest.approx([0.01, 0.1, 1.0])

    def test_partly_frozen_and_shared_inside_a_child(self):
        layer = nn.Linear(2, 2)
        layer.bias.requires_grad_(False)
        model = nn.Sequential(nn.Sequential(layer, nn.Tanh(), layer), nn.Linear(2, 1))
        groups = transfer.discriminative_parameter_groups(model, 0.1, 0.5)
        assert [len(list(group["params"])) for group in groups] == [1, 2]

    def test_nothing_to_learn(self):
        assert transfer.discriminative_parameter_groups(transfer.freeze(small()), 0.1, 0.5) == []

    def test_an_optimizer_uses_them(self):
        model = small()
        before = state(model)
        optimizer = torch.optim.SGD(transfer.discriminative_parameter_groups(model, 0.4, 0.5), lr=9.0)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        for name, rate in (("0.weight", 0.1), ("1.bias", 0.2), ("3.weight", 0.4)):
            assert_close(state(model)[name], before[name] - rate)


class TestExtractFeatures:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_values_in_evaluation_mode(self, dtype):
        model, x = small().to(dtype).train(), torch.randn(5, 3, dtype=dtype)
        features = transfer.extract_features(model, x, "1")
        clone = copy.deepcopy(model).eval()
        assert_close(features, clone[1](clone[0](x)).detach())
        assert features.grad_fn is None
        assert not features.requires_grad

    def test_dotted_names(self):
        model, x = Tower().eval(), torch.randn(4, 3)
        assert_close(transfer.extract_features(model, x, "blocks.1.0"), model.blocks[1][0](model.blocks[0](x)).detach())
        assert_close(transfer.extract_features(model, x, "tops.b"), model(x).detach())

    def test_strides(self):
        model, x = small(), torch.randn(3, 5).t()
        assert_close(transfer.extract_features(model, x, "3"), transfer.extract_features(model, x.contiguous(), "3"))

    def test_leaves_the_model_alone(self):
        model = mixed(small())
        calls = []
        model[0].register_forward_hook(lambda *_: calls.append(1))
        before = state(model), modes(model), hooks(model)
        transfer.extract_features(model, torch.randn(4, 3), "2")
        assert modes(model) == before[1]
        assert hooks(model) == before[2] == 1
        assert_close(state(model), before[0], rtol=0, atol=0)
        calls.clear()
        model.eval()(torch.ones(1, 3))
        assert calls == [1]

    @pytest.mark.parametrize("enabled", [True, False])
    def test_after_an_exception(self, enabled):
        model = mixed(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), Raises(), nn.Linear(3, 3)))
        before = modes(model)
        with torch.set_grad_enabled(enabled):
            with pytest.raises(OverflowError, match="on purpose"):
                transfer.extract_features(model, torch.ones(2, 3), "3")
            assert torch.is_grad_enabled() is enabled
        assert modes(model) == before
        assert hooks(model) == 0

    def test_input_is_not_modified_by_a_first_layer_in_place(self):
        x = -torch.ones(2, 3, requires_grad=True)
        plain = x.detach().clone()
        for value in (x, plain):
            transfer.extract_features(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)), value, "1")
            assert torch.equal(value.detach(), -torch.ones(2, 3))
        assert x.requires_grad

    def test_result_is_not_changed_by_a_later_layer_in_place(self):
        model, x = small().eval(), torch.randn(6, 3)
        assert_close(transfer.extract_features(model, x, "1"), model[1](model[0](x)).detach())
        assert (transfer.extract_features(model, x, "1") < 0).any()

    @pytest.mark.parametrize("name", ["fc", "9", "2.7", "0.weight", "0.forward", "train"])
    def test_unknown_names(self, name):
        model = mixed(small())
        before = modes(model)
        with pytest.raises(ValueError, match=r".+"):
            transfer.extract_features(model, torch.ones(2, 3), name)
        assert modes(model) == before
        assert hooks(model) == 0

    def test_two_calls(self):
        model, x, y = small(), torch.randn(4, 3), torch.randn(4, 3)
        first = transfer.extract_features(model, x, "0")
        kept = first.clone()
        transfer.extract_features(model, y, "0")
        assert torch.equal(first, kept)


class Sub(nn.BatchNorm2d):
    pass


class WithChild(nn.BatchNorm1d):
    """A batch normalisation with a layer of its own below it."""

    def __init__(self, size):
        super().__init__(size)
        self.gate = nn.Sequential(nn.Linear(size, size), nn.Dropout())


def is_batch_norm(module):
    return isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm)


class TestFreezeBatchnorm:
    def build(self):
        return nn.ModuleDict(
            {
                "one": nn.BatchNorm1d(2),
                "deep": nn.Sequential(nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2, affine=False))),
                "rest": nn.ModuleList([nn.BatchNorm3d(2), nn.SyncBatchNorm(2), Sub(2, track_running_stats=False)]),
                "others": nn.ModuleList(
                    [
                        nn.Dropout(),
                        nn.LayerNorm(2),
                        nn.GroupNorm(1, 2),
                        nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
                    ]
                ),
            }
        )

    @pytest.mark.parametrize("training", [True, False])
    def test_modes(self, training):
        model = self.build().train(training)
        assert transfer.freeze_batchnorm(model) is model
        for module in model.modules():
            assert module.training is (training and not is_batch_norm(module))
        for later in (model.train, model.eval, lambda: model.train(False), lambda: model.train(True), model.train):
            later()
            assert not any(module.training for module in model.modules() if is_batch_norm(module))
        assert all(module.training for module in model.modules() if not is_batch_norm(module))
        model.eval()
        assert not any(modes(model))

    def test_parameters(self):
        model = self.build()
        model["others"][1].requires_grad_(False)
        transfer.freeze_batchnorm(model)
        for name, module in model.named_modules():
            for parameter in module.parameters(recurse=False):
                assert parameter.requires_grad is not (is_batch_norm(module) or name == "others.1")

    def test_values_and_names_stay(self):
        model = mixed(self.build())
        before, training = state(model), modes(model)
        transfer.freeze_batchnorm(model)
        assert_close(state(model), before, rtol=0, atol=0)
        for module, mode in zip(model.modules(), training, strict=True):
            assert module.training is (mode and not is_batch_norm(module))

    def test_statistics_stand_still_and_the_rest_trains(self):
        model = nn.Sequential(
            nn.Conv2d(3, 4, 1), Sub(4), nn.InstanceNorm2d(4, track_running_stats=True), nn.Dropout(0.5)
        )
        transfer.freeze_batchnorm(model).train()
        before, x = state(model), 3 + torch.randn(4, 3, 2, 2)
        output = model(x)
        output.sum().backward()
        assert (output == 0).any()
        assert model[0].weight.grad is not None
        assert model[1].weight.grad is None
        after = state(model)
        for name in before:
            assert torch.equal(after[name], before[name]) is not name.startswith("2.running")
        assert_close(model[1](x[:, [0, 1, 2, 0]]), copy.deepcopy(model[1]).eval()(x[:, [0, 1, 2, 0]]))

    def test_a_batch_norm_by_itself_and_twice(self):
        model = transfer.freeze_batchnorm(transfer.freeze_batchnorm(nn.BatchNorm1d(2)))
        assert not model.train().training
        assert not model.weight.requires_grad

    def test_layers_below_a_batch_norm_train(self):
        model = transfer.freeze_batchnorm(nn.Sequential(WithChild(2)).eval())
        assert not any(modes(model))
        model.train()
        assert modes(model) == [True, False, True, True, True]
        assert all(parameter.requires_grad for parameter in model[0].gate.parameters())

    def test_copies_are_independent(self):
        model = transfer.freeze_batchnorm(small())
        clone = copy.deepcopy(model).train()
        model.eval()
        assert modes(clone) == [True, True, False, True, True, True, True]
        assert clone[1].train() is clone[1]


@pytest.fixture(scope="module")
def vision():
    return import_torchvision().models


class TestTorchvision:
    """Networks that people really fine-tune."""

    @pytest.mark.parametrize(
        ("name", "head"),
        [
            ("resnet18", "fc"),
            ("mobilenet_v2", "classifier.1"),
            ("squeezenet1_1", None),
            ("efficientnet_b0", "classifier.1"),
        ],
    )
    def test_replace_head(self, vision, name, head):
        model = getattr(vision, name)(weights=None)
        if head is None:
            with pytest.raises(ValueError, match="Linear"):
                transfer.replace_head(model, 7)
            return
        transfer.replace_head(transfer.freeze(model), 7)
        learning = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        assert learning == [f"{head}.weight", f"{head}.bias"]
        assert model.eval()(torch.randn(1, 3, 64, 64)).shape == (1, 7)

    def test_features_and_batchnorm_of_a_resnet(self, vision):
        model, x = vision.resnet18(weights=None), torch.randn(2, 3, 64, 64)
        features = transfer.extract_features(model, x, "avgpool").flatten(1)
        assert_close(model.eval().fc(features), model(x))
        transfer.freeze_batchnorm(model).train()
        before = state(model)
        model(x).sum().backward()
        assert_close(state(model), before, rtol=0, atol=0)
        groups = transfer.discriminative_parameter_groups(model, 0.1, 0.1)
        assert [group["lr"] for group in groups] == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
