"""`discriminative_parameter_groups(model, base_lr, decay)`: one group per child that learns."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import (
    LEARNING,
    NOTHING_TO_LEARN,
    all_names_in,
    family,
    freeze_some,
    largest_factor,
    members,
    mix_modes,
    names_in,
    photo,
    rates,
    states,
    values,
)

from autograder.grading import Tolerance, exercise, points, time_limit

pytestmark = exercise("discriminative_parameter_groups")

# Not in alphabetical order, and some names begin with another name.
NAMES = ["stem", "layer1", "layer10", "layer2", "body", "layer", "head", "a", "stem2", "head_norm"]
names = st.permutations(NAMES)
learning = st.lists(st.sampled_from(LEARNING), min_size=1, max_size=6)
base_lrs = st.sampled_from([0.1, 1.0, 3e-4, 0.5])
decays = st.sampled_from([0.5, 0.1, 0.9, 1.0, 2.0])
RELATIVE = Tolerance(1e-5, 0.0)  # learning rates may be tiny


@st.composite
def with_others(draw, others, at_least=1):
    """(kinds of children, their names) with at least one child of the kinds `others` and one that learns."""
    kinds = draw(st.lists(st.sampled_from(LEARNING), min_size=1, max_size=4))
    for other in draw(st.lists(st.sampled_from(others), min_size=at_least, max_size=3)):
        kinds.insert(draw(st.integers(0, len(kinds))), other)
    return kinds, draw(names)


@points(5)
@given(kinds=learning, names=st.none() | names)
def test_one_group_per_child(same_outcome, kinds, names):
    """There is one group for each direct child, in the children's order, with all the parameters of that child."""

    def probe(m):
        model = family(kinds, names)
        groups = m.discriminative_parameter_groups(model, 0.1, 0.5)
        return {"number of groups": len(groups), "list of parameters in each group": names_in(groups, model)}

    same_outcome(probe)


@points(4.5)
@given(kinds=learning, names=names, base_lr=base_lrs, decay=decays)
def test_learning_rates(same_outcome, kinds, names, base_lr, decay):
    """The last group has base_lr, and each earlier one has the learning rate of the next one times decay."""

    def probe(m):
        groups = m.discriminative_parameter_groups(family(kinds, names), base_lr, decay)
        return {"list of learning rates": rates(groups)}

    same_outcome(probe, tolerance=RELATIVE)


@points(0.5)
@given(base_lr=base_lrs, decay=decays)
def test_arguments_by_name(same_outcome, base_lr, decay):
    """The arguments are called `model`, `base_lr` and `decay`."""

    def probe(m):
        groups = m.discriminative_parameter_groups(decay=decay, base_lr=base_lr, model=photo())
        return {"number of parameters in all groups": sum(len(members(group)) for group in groups)}

    same_outcome(probe)


@points(3)
@given(case=with_others(NOTHING_TO_LEARN), base_lr=base_lrs)
def test_children_without_parameters(same_outcome, case, base_lr):
    """A child without parameters gets no group and does not count for the learning rates of the others."""
    kinds, names = case

    def probe(m):
        groups = m.discriminative_parameter_groups(family(kinds, names), base_lr, 0.5)
        return {
            "number of groups": len(groups),
            'answer to "does any group have base_lr?"': any(math.isclose(rate, base_lr) for rate in rates(groups)),
            "largest factor between two neighbouring learning rates": largest_factor(rates(groups)),
        }

    same_outcome(probe, tolerance=RELATIVE)


@points(3)
@given(case=with_others(["frozen"]), base_lr=base_lrs)
def test_frozen_children(same_outcome, case, base_lr):
    """A child whose parameters are all frozen gets no group and does not count for the learning rates of the others."""
    kinds, names = case

    def probe(m):
        groups = m.discriminative_parameter_groups(family(kinds, names), base_lr, 0.5)
        return {
            "number of groups": len(groups),
            'answer to "does any group have base_lr?"': any(math.isclose(rate, base_lr) for rate in rates(groups)),
            "largest factor between two neighbouring learning rates": largest_factor(rates(groups)),
        }

    same_outcome(probe, tolerance=RELATIVE)


@points(2)
@given(case=with_others(["partly frozen"]), seed=st.none() | st.integers(0, 99))
def test_frozen_parameters_are_left_out(same_outcome, case, seed):
    """If a child is partly frozen, its trainable parameters are in its group and its frozen ones are not."""
    kinds, names = case

    def probe(m):
        model = family(kinds, names)
        if seed is not None:
            freeze_some(model, seed)
        groups = m.discriminative_parameter_groups(model, 0.1, 0.5)
        return {"sorted list of the parameters in all groups": sorted(all_names_in(groups, model))}

    same_outcome(probe)


@points(2)
@given(case=with_others(["nested", "tied", "own parameters"]))
def test_each_parameter_once(same_outcome, case):
    """Every parameter is in one group, and only once, even if two layers of a child share it."""
    kinds, names = case

    def probe(m):
        model = family(kinds, names)
        groups = m.discriminative_parameter_groups(model, 0.1, 0.5)
        found = all_names_in(groups, model)
        return {"number of times the groups contain": {name: found.count(name) for name, _ in model.named_parameters()}}

    same_outcome(probe)


@points(2.5)
@time_limit(30)  # the first optimizer of a process imports PyTorch's compiler
@settings(max_examples=5)
@given(kinds=learning, names=names, base_lr=base_lrs)
def test_an_optimizer_takes_them(same_outcome, kinds, names, base_lr):
    """torch.optim.SGD accepts the list, and a step changes all trainable parameters of the model itself."""

    def probe(m):
        model = family(kinds, names)
        optimizer = torch.optim.SGD(m.discriminative_parameter_groups(model, base_lr, 0.5), lr=1.0)
        before = values(model)
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        moved = [name for name, value in model.named_parameters() if not torch.equal(value, before[name])]
        return {"sorted list of the model's parameters that a step changes": sorted(moved)}

    same_outcome(probe)


@points(0.5)
@given(kinds=learning, others=learning)
def test_two_calls(same_outcome, kinds, others):
    """A second call, for another model, does not change the result of the first one."""

    def probe(m):
        def called():
            model = family(kinds, None)
            return model, m.discriminative_parameter_groups(model, 0.1, 0.5)

        def seen(model, groups):
            return names_in(groups, model), rates(groups)

        model, groups = called()
        m.discriminative_parameter_groups(family(others, None), 3.0, 0.5)
        first = seen(model, groups)
        return {'answer to "are the groups of the first call still those of its model?"': first == seen(*called())}

    same_outcome(probe)


@points(1)
@given(case=with_others([*NOTHING_TO_LEARN, "frozen", "partly frozen"]), seed=st.integers(0, 99))
def test_model_is_not_modified(same_outcome, case, seed):
    """Values, modes, frozen and trainable parameters of the model are the same afterwards."""
    kinds, names = case

    def probe(m):
        model = mix_modes(family(kinds, names), seed)
        groups = m.discriminative_parameter_groups(model, 0.1, 0.5)
        for group in groups:
            members(group)
        return {**states(model), "value of": values(model)}

    same_outcome(probe)
