"""`discriminative_parameter_groups(model, base_lr, decay)`: one group per child that learns."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    DEEP,
    FLAT,
    NOTHING_TO_LEARN,
    PARTLY_FROZEN,
    all_names_in,
    family,
    freeze_some,
    groups_for,
    largest_factor,
    members,
    mix_modes,
    names_in,
    rates,
    states,
    values,
)

from autograder.grading import Tolerance, exercise, points, time_limit

pytestmark = exercise("discriminative_parameter_groups")

# Not in alphabetical order, and some names begin with another name.
NAMES = ["stem", "layer1", "layer10", "layer2", "body", "layer", "head", "a", "stem2", "head_norm"]
names = st.permutations(NAMES)
plain = st.lists(st.sampled_from(FLAT), min_size=1, max_size=6)  # linear layers in an nn.Sequential
base_lrs = st.sampled_from([0.1, 1.0, 3e-4, 0.5])
decays = st.sampled_from([0.5, 0.1, 0.9, 1.0, 2.0])
RELATIVE = Tolerance(1e-5, 0.0)  # learning rates may be tiny


@st.composite
def with_others(draw, others, usual=FLAT):
    """Kinds of children, with at least one of the kinds `others` and one of the `usual` ones."""
    kinds = draw(st.lists(st.sampled_from(usual), min_size=1, max_size=4))
    for other in draw(st.lists(st.sampled_from(others), min_size=1, max_size=3)):
        kinds.insert(draw(st.integers(0, len(kinds))), other)
    return kinds


def described(m, model, base_lr=0.1, decay=0.5):
    groups = groups_for(m, model, base_lr, decay)
    return {"number of groups": len(groups), "list of parameters in each group": names_in(groups, model)}


@points(3.5)
@settings(max_examples=12)
@given(kinds=plain)
def test_one_group_per_child(same_outcome, kinds):
    """There is one group for each direct child, in the children's order, with the parameters of that child."""
    same_outcome(lambda m: described(m, family(kinds, None)))


@points(2.5)
@settings(max_examples=15)
@given(kinds=with_others(DEEP))
def test_nested_children(same_outcome, kinds):
    """A child's group has all its parameters: its own, and those of the layers inside it, however deep."""

    def probe(m):
        model = family(kinds, None)
        groups = names_in(groups_for(m, model, 0.1, 0.5), model)
        return {"list of parameters in each group, in alphabetical order": sorted(groups)}

    same_outcome(probe)


@points(2)
@settings(max_examples=12)
@given(kinds=st.lists(st.sampled_from(FLAT), min_size=3, max_size=8), names=names)
def test_names_of_children(same_outcome, kinds, names):
    """The names of the children do not matter, even if one name begins with another."""
    same_outcome(lambda m: described(m, family(kinds, names)))


@points(3.5)
@given(kinds=plain, base_lr=base_lrs, decay=decays)
def test_learning_rates(same_outcome, kinds, base_lr, decay):
    """The last group has base_lr, and each earlier one has the learning rate of the next one times decay."""
    same_outcome(
        lambda m: {"list of learning rates": rates(groups_for(m, family(kinds, None), base_lr, decay))},
        tolerance=RELATIVE,
    )


@points(0.5)
@settings(max_examples=8)
@given(base_lr=base_lrs)
def test_arguments_by_name(same_outcome, base_lr):
    """The arguments are called `model`, `base_lr` and `decay`."""

    def probe(m):
        model = family(["linear"] * 3, None)
        groups = m.discriminative_parameter_groups(decay=0.5, base_lr=base_lr, model=model)
        return {
            "sorted list of the parameters in any group": sorted(
                {*all_names_in(groups, model)} - {"(not of this model)"}
            )
        }

    same_outcome(probe)


def counted(m, model, base_lr):
    groups = groups_for(m, model, base_lr, 0.5)
    return {
        "number of groups": len(groups),
        'answer to "does any group have base_lr?"': any(math.isclose(rate, base_lr) for rate in rates(groups)),
        "largest factor between two neighbouring learning rates": largest_factor(rates(groups)),
    }


@points(2.5)
@given(kinds=with_others(NOTHING_TO_LEARN), base_lr=base_lrs)
def test_children_without_parameters(same_outcome, kinds, base_lr):
    """A child without parameters gets no group and does not count for the learning rates of the others."""
    same_outcome(lambda m: counted(m, family(kinds, None), base_lr), tolerance=RELATIVE)


@points(2.5)
@given(kinds=with_others(["frozen"]), base_lr=base_lrs)
def test_frozen_children(same_outcome, kinds, base_lr):
    """A child whose parameters are all frozen gets no group and does not count for the learning rates of the others."""
    same_outcome(lambda m: counted(m, family(kinds, None), base_lr), tolerance=RELATIVE)


@points(1.5)
@settings(max_examples=15)
@given(kinds=with_others(PARTLY_FROZEN))
def test_frozen_parameters_are_left_out(same_outcome, kinds):
    """If a child is partly frozen, its trainable parameters are in its group and its frozen ones are not."""

    def probe(m):
        model = family(kinds, None)
        found = all_names_in(groups_for(m, model, 0.1, 0.5), model)
        return {"sorted list of the parameters in all groups": sorted(found)}

    same_outcome(probe)


@points(1.5)
@settings(max_examples=15)
@given(kinds=with_others(["tied"]))
def test_each_parameter_once(same_outcome, kinds):
    """Every parameter is in one group, and only once, even if two layers of a child share it."""

    def probe(m):
        model = family(kinds, None)
        found = all_names_in(groups_for(m, model, 0.1, 0.5), model)
        return {"number of times the groups contain": {name: found.count(name) for name, _ in model.named_parameters()}}

    same_outcome(probe)


@points(1)
@time_limit(30)  # the first optimizer of a process imports PyTorch's compiler
@settings(max_examples=5)
@given(kinds=plain, base_lr=base_lrs)
def test_an_optimizer_takes_them(same_outcome, kinds, base_lr):
    """torch.optim.SGD accepts the list, and a step changes all trainable parameters of the model itself."""

    def probe(m):
        model = family(kinds, None)
        optimizer = torch.optim.SGD(m.discriminative_parameter_groups(model, base_lr, 0.5), lr=1.0)
        before = values(model)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        moved = [name for name, value in model.named_parameters() if not torch.equal(value, before[name])]
        return {"sorted list of the model's parameters that a step changes": sorted(moved)}

    same_outcome(probe)


@points(0.5)
@settings(max_examples=12)
@given(kinds=plain, others=plain)
def test_two_calls(same_outcome, kinds, others):
    """A call for another model does not change the result of the call before, and gets nothing of it."""

    def probe(m):
        def called():
            model = family(kinds, None)
            return model, m.discriminative_parameter_groups(model, 0.1, 0.5)

        def seen(model, groups):
            return names_in(groups, model), rates(groups)

        model, groups = called()
        m.discriminative_parameter_groups(family(others, None), 3.0, 0.5)
        first = seen(model, groups)
        model, groups = called()
        return {
            "number of groups in a later call": len(groups),
            'answer to "are the groups of the first call still those of its model?"': first == seen(model, groups),
        }

    same_outcome(probe)


@points(0.5)
@settings(max_examples=12)
@given(kinds=with_others([*NOTHING_TO_LEARN, "frozen"]), seed=st.integers(0, 99))
def test_model_is_not_modified(same_outcome, kinds, seed):
    """Values, modes, frozen and trainable parameters of the model are the same afterwards."""

    def probe(m):
        model = mix_modes(family(kinds, None), seed)
        groups = m.discriminative_parameter_groups(model, 0.1, 0.5)
        for group in groups:
            members(group)
        return {**states(model), "value of": values(model)}

    same_outcome(probe)


@points(2)
@given(
    kinds=with_others([*NOTHING_TO_LEARN, *PARTLY_FROZEN, "frozen", "tied"], usual=[*FLAT, *DEEP]),
    names=names,
    seed=st.none() | st.integers(0, 99),
    base_lr=base_lrs,
    decay=decays,
)
def test_everything_at_once(same_outcome, kinds, names, seed, base_lr, decay):
    """Children of all kinds, under all names, with parameters frozen here and there."""

    def probe(m):
        model = family(kinds, names)
        if seed is not None:
            freeze_some(model, seed)
        groups = groups_for(m, model, base_lr, decay)
        return {"list of parameters in each group": names_in(groups, model), "list of learning rates": rates(groups)}

    same_outcome(probe, tolerance=RELATIVE)
