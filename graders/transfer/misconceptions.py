"""Known wrong ways to do the exercises of `transfer`, with the hint for a student who did exactly that.

If a mistake shows only in a special way, its docstring begins with that way: modes, hooks, in place, dtype,
exception, exception type, grad mode.
"""

import copy
import weakref

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from transfer import (
    discriminative_parameter_groups,
    extract_features,
    freeze,
    freeze_batchnorm,
    replace_head,
)

from autograder.grading import misconception


def batch_norms_of(model):
    """Right: all batch normalisation layers."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def affine_of(module):
    """Right: scale and shift, if there are any."""
    return [parameter for parameter in (module.weight, module.bias) if parameter is not None]


def kept_in_evaluation(layers):
    """Right: these layers are in evaluation mode and withstand model.train()."""
    for layer in layers:
        layer.training = False
        layer.train = (lambda module: lambda mode=True: module)(layer)  # noqa: ARG005


def last_linear(model):
    """Right: (holder, name, layer) of the last linear layer."""
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not names:
        raise ValueError("no linear layer")
    holder, _, name = names[-1].rpartition(".")
    return model.get_submodule(holder), name, model.get_submodule(names[-1])


def fresh(old, num_classes, **changes):
    """Right: a linear layer that fits in the place of the old one, except for the changes."""
    options = {"bias": old.bias is not None, "dtype": old.weight.dtype, "device": old.weight.device}
    return nn.Linear(old.in_features, num_classes, **{**options, **changes})


def trainable_of(module):
    """Right: the parameters that require a gradient."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def trainable_of_itself(module):
    """Right: the ones that do not belong to its children."""
    return [parameter for parameter in module.parameters(recurse=False) if parameter.requires_grad]


def groups_of(children, rate):
    """Right: one group for each child that learns; `rate(steps to the last, steps from the first)`."""
    found = [trainable for trainable in map(trainable_of, children) if trainable]
    last = len(found) - 1
    return [{"params": params, "lr": rate(last - i, i)} for i, params in enumerate(found)]


def module_named(model, layer):
    """Right: the submodule of that name."""
    known = dict(model.named_modules())
    if layer not in known:
        raise ValueError("unknown name")
    return known[layer]


def observed(model, x, layer, keep):
    """A forward pass with `keep` applied to the output of the layer; the hook is removed. Modes are the caller's."""
    found = []
    handle = module_named(model, layer).register_forward_hook(lambda _module, _args, output: found.append(keep(output)))
    try:
        model(x)
    finally:
        handle.remove()
    return found[0]


class evaluation:
    """Right: evaluation mode inside the `with` block; afterwards every module is back in its own mode."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.modes = [(module, module.training) for module in self.model.modules()]
        self.model.eval()

    def __exit__(self, *_):
        for module, mode in self.modes:
            module.training = mode


def copied(output):
    """Right: what a hook should keep."""
    return output.detach().clone()


# freeze


@misconception(
    "freeze",
    hint="Your call does not change `requires_grad` of any parameter. What does your code set it on, if anything?",
)
def freezes_inside_a_no_grad_block(module):
    """torch.no_grad() around a pass over the parameters changes nothing."""
    with torch.no_grad():
        for _ in module.parameters():
            pass
    return module


@misconception(
    "freeze",
    hint="Which of the two does `eval()` change: the mode, or what gets a gradient? Print both.",
    severe="nothing is frozen, and the mode changes instead",
)
def takes_evaluation_mode_for_freezing(module):
    """Evaluation mode instead of requires_grad."""
    return module.eval()


@misconception("freeze", hint="Besides requires_grad, the mode of the module has changed. Who asked for that?")
def puts_into_evaluation_mode_as_well(module):
    """Modes: freezes, and switches to evaluation mode."""
    return freeze(module).eval()


@misconception("freeze", hint="Print the names of the parameters that still require a gradient. How do they end?")
def forgets_the_biases(module):
    """Only parameters called weight are frozen."""
    for name, parameter in module.named_parameters():
        if "weight" in name:
            parameter.requires_grad = False
    return module


@misconception("freeze", hint="Not all parameters belong to linear layers and convolutions. What else has parameters?")
def freezes_known_layers_only(module):
    """Only linear layers and convolutions are frozen."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            freeze(part)
    return module


@misconception("freeze", hint="Try a single `nn.Linear`, and a module with an `nn.Parameter` next to its layers.")
def freezes_only_the_children(module):
    """The parameters that belong to the module itself are left out."""
    for child in module.children():
        freeze(child)
    return module


@misconception("freeze", hint="Your code reaches modules one level down. Try a model nested one level deeper.")
def goes_one_level_deep(module):
    """Only the parameters of the module itself and of its direct children, not of theirs."""
    for part in (module, *module.children()):
        for parameter in part.parameters(recurse=False):
            parameter.requires_grad = False
    return module


@misconception("freeze", hint="What does a function return if its last line is a loop?")
def returns_nothing(module):
    """None instead of the module."""
    freeze(module)


@misconception(
    "freeze",
    hint="Is the module you return the one that was passed in? Try `freeze(model) is model`.",
    severe="the module that was passed in is not frozen",
)
def freezes_a_copy(module):
    """The module that was passed in is as trainable as before."""
    return freeze(copy.deepcopy(module))


@misconception(
    "freeze",
    hint="Print `module.requires_grad` and the `requires_grad` of one of its parameters.",
    as_good_as="freezes_inside_a_no_grad_block",
)
def sets_an_attribute_of_the_module(module):
    """A new attribute of the module that PyTorch knows nothing about."""
    module.requires_grad = False
    return module


@misconception(
    "freeze",
    hint="What does `state_dict()` give you: the parameters themselves, or detached views of them?",
    as_good_as="freezes_inside_a_no_grad_block",
)
def switches_off_the_state_dict(module):
    """The tensors of a state_dict are not the parameters."""
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.requires_grad_(False)
    return module


@misconception("freeze", hint="Compare the numbers in the module before and after the call.")
def sets_the_parameters_to_zero(module):
    """In place: what was learned is lost."""
    for parameter in freeze(module).parameters():
        parameter.data.zero_()
    return module


@misconception("freeze", hint="Some parameters were frozen before the call. What are they now?")
def toggles_the_switch(module):
    """A parameter that was frozen before becomes trainable."""
    for parameter in module.parameters():
        parameter.requires_grad = not parameter.requires_grad
    return module


@misconception("freeze", hint="Put a trainable layer before a frozen module: does it still get a gradient?")
def cuts_the_graph(module):
    """Gradient: the output of the module is detached, so nothing before it learns either."""
    module.register_forward_hook(lambda _module, _args, output: output.detach())
    return freeze(module)


@misconception("freeze", hint="Freeze a model, thaw it, and freeze it again. What does your function remember?")
def skips_what_it_froze_before(module):
    """State: a module that was frozen once is not looked at again."""
    if getattr(module, "is_frozen", False):
        return module
    module.is_frozen = True
    return freeze(module)


@misconception(
    "freeze", hint="Print the names of the parameters that still require a gradient. Which layer do they belong to?"
)
def leaves_the_usual_heads_trainable(module):
    """Names: children called fc, classifier or head are left out."""
    before = [
        (parameter, parameter.requires_grad)
        for name, child in module.named_children()
        if name in ("fc", "classifier", "head")
        for parameter in child.parameters()
    ]
    freeze(module)
    for parameter, required in before:
        parameter.requires_grad_(required)
    return module


@misconception("freeze", hint="Are all parameters called weight or bias? Print the names of those of an `nn.GRUCell`.")
def goes_by_the_ends_of_names(module):
    """Names: only parameters whose names end in weight or bias are frozen."""
    for name, parameter in module.named_parameters():
        if name.endswith(("weight", "bias")):
            parameter.requires_grad = False
    return module


@misconception("freeze", hint="Print the names of the parameters that still require a gradient. What do they share?")
def leaves_out_what_is_called_bn(module):
    """Names: layers called bn, bn1, bn2 and so on are left out."""
    for name, parameter in module.named_parameters():
        if not name.rpartition(".")[0].rpartition(".")[2].startswith("bn"):
            parameter.requires_grad = False
    return module


@misconception("freeze", hint="Put a trainable layer before a frozen module. Does it get a gradient in both modes?")
def cuts_the_graph_in_training_mode(module):
    """Gradient: in training mode, the output of the module is detached."""

    def forward(x, usual=module.forward):
        return usual(x).detach() if module.training else usual(x)

    module.forward = forward
    return freeze(module)


@misconception("freeze", hint="Which layers can still learn after your call? Print the names of their parameters.")
def leaves_the_last_layer_trainable(module):
    """The last of several layers with parameters is left as it was, as if it were a new head."""
    layers = [part for part in module.modules() if list(part.parameters(recurse=False))]
    for layer in layers[:-1] if len(layers) > 1 else layers:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad = False
    return module


@misconception("freeze", hint="Scale and shift of a batch normalisation are parameters as well. Are yours frozen?")
def leaves_batch_normalisation_trainable(module):
    """Batch normalisations are left as they were."""
    for part in module.modules():
        if not isinstance(part, _BatchNorm):
            for parameter in part.parameters(recurse=False):
                parameter.requires_grad = False
    return module


@misconception("freeze", hint="Print the dtype of a parameter before and after your call, for a model in float64.")
def converts_to_float32(module):
    """Dtype: the whole module is float32 afterwards."""
    return freeze(module.float())


# replace_head


@misconception("replace_head", hint="The head need not be the last child: what if a dropout follows it?")
def takes_the_last_child_for_the_head(model, num_classes):
    """Only the very last direct child is looked at."""
    *_, (name, child) = [*model.named_children()] or [("", model)]
    if not isinstance(child, nn.Linear):
        raise ValueError("the last layer is not linear")
    setattr(model, name, fresh(child, num_classes))
    return model


@misconception("replace_head", hint="Does your code look at the children of the children?")
def looks_at_direct_children_only(model, num_classes):
    """A head that is nested is not found."""
    found = [(name, child) for name, child in model.named_children() if isinstance(child, nn.Linear)]
    if not found:
        raise ValueError("no linear layer")
    name, old = found[-1]
    setattr(model, name, fresh(old, num_classes))
    return model


@misconception("replace_head", hint="How many linear layers does your model have, and where does your loop stop?")
def replaces_the_first_one(model, num_classes):
    """The first linear layer instead of the last."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            holder, _, own = name.rpartition(".")
            setattr(model.get_submodule(holder), own, fresh(module, num_classes))
            return model
    raise ValueError("no linear layer")


@misconception("replace_head", hint="Print the model afterwards: how many of its layers have num_classes outputs?")
def replaces_every_linear_layer(model, num_classes):
    """All linear layers are replaced."""
    last_linear(model)
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear):
            holder, _, own = name.rpartition(".")
            setattr(model.get_submodule(holder), own, fresh(module, num_classes))
    return model


@misconception("replace_head", hint='After `setattr(model, "a.b", layer)`, has `model.a.b` changed?')
def sets_an_attribute_with_dots(model, num_classes):
    """For setattr a dotted name is a single attribute, so a nested head stays where it is."""
    last_linear(model)
    name, old = [(n, module) for n, module in model.named_modules() if isinstance(module, nn.Linear)][-1]
    model.__setattr__(name, fresh(old, num_classes))
    return model


@misconception("replace_head", hint="Did every head have a bias? Print `old.bias`.")
def always_adds_a_bias(model, num_classes):
    """The new layer has a bias, whether or not the old one had one."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes, bias=True))
    return model


@misconception("replace_head", hint="Your new layer never has a bias. Did the old one?")
def drops_the_bias(model, num_classes):
    """The new layer has no bias."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes, bias=False))
    return model


@misconception("replace_head", hint="How many outputs does your new layer have, and how many did the caller ask for?")
def keeps_the_number_of_outputs(model, num_classes):  # noqa: ARG001
    """The new layer has as many outputs as the old one."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, old.out_features))
    return model


@misconception("replace_head", hint="A model may compute a single number per sample. What does yours do with that?")
def refuses_a_single_class(model, num_classes):
    """num_classes = 1 is an error."""
    if num_classes < 2:
        raise ValueError("there must be at least two classes")
    return replace_head(model, num_classes)


@misconception("replace_head", hint="What dtype does a new layer have? Try `model.double()` before the call.")
def makes_a_float32_head(model, num_classes):
    """Dtype: the new layer is float32 in a model of float64."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes, dtype=None))
    return model


@misconception("replace_head", hint="Different layers may have different dtypes. Which layer are you replacing?")
def takes_the_dtype_of_the_first_parameter(model, num_classes):
    """Dtype: that of the model's first parameter instead of the head's."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes, dtype=next(model.parameters()).dtype))
    return model


@misconception("replace_head", hint="Where do new tensors live? What if the model is on the GPU?")
def makes_a_head_on_the_cpu(model, num_classes):
    """Device: the new layer is on the CPU, wherever the old one was."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes, device="cpu"))
    return model


@misconception("replace_head", hint="Your new layer begins with the weights of the old classes. Is it fresh?")
def copies_the_old_rows(model, num_classes):
    """The weights of the old classes are copied, as far as they go."""
    holder, name, old = last_linear(model)
    new = fresh(old, num_classes)
    rows = min(num_classes, old.out_features)
    if not old.weight.is_meta:
        new.weight.data[:rows] = old.weight.data[:rows]
    setattr(holder, name, new)
    return model


@misconception("replace_head", hint="What does your code do when the old layer already has num_classes outputs?")
def keeps_a_head_that_fits(model, num_classes):
    """If the number of outputs is already right, nothing is replaced."""
    if last_linear(model)[2].out_features == num_classes:
        return model
    return replace_head(model, num_classes)


@misconception(
    "replace_head", hint="If you set a seed, you decide for every caller: call twice and compare the weights."
)
def seeds_the_generator(model, num_classes):
    """The initial weights are always the same, whatever torch.manual_seed was before."""
    torch.manual_seed(0)
    return replace_head(model, num_classes)


@misconception("replace_head", hint="In what order did you freeze and replace? Print requires_grad of the new layer.")
def takes_over_requires_grad(model, num_classes):
    """A head that was frozen stays frozen."""
    holder, name, old = last_linear(model)
    setattr(holder, name, fresh(old, num_classes).requires_grad_(old.weight.requires_grad))
    return model


@misconception("replace_head", hint="The exercise asks for a new head. Who asked you to freeze the rest?")
def freezes_the_rest(model, num_classes):
    """All other parameters are frozen as well."""
    last_linear(model)
    model.requires_grad_(False)
    return replace_head(model, num_classes)


@misconception("replace_head", hint="What mode are the other layers in after your call, and what changed it?")
def leaves_the_model_in_training_mode(model, num_classes):
    """Modes: the whole model is put into training mode."""
    return replace_head(model, num_classes).train()


@misconception(
    "replace_head",
    hint="Has the caller's model changed? Look at it after the call.",
    severe="the model that was passed in keeps its head",
)
def changes_a_copy(model, num_classes):
    """The model that was passed in is unchanged."""
    return replace_head(copy.deepcopy(model), num_classes)


@misconception(
    "replace_head", hint="Your function returns nothing, or the wrong thing. What does it promise to return?"
)
def returns_the_new_layer(model, num_classes):
    """The head instead of the model."""
    replace_head(model, num_classes)
    return last_linear(model)[2]


@misconception("replace_head", hint="What should happen when the caller passes a model without any nn.Linear?")
def ignores_a_model_without_a_head(model, num_classes):
    """No error if there is nothing to replace."""
    if any(isinstance(module, nn.Linear) for module in model.modules()):
        return replace_head(model, num_classes)
    return model


@misconception(
    "replace_head", hint="Which exception does indexing an empty list raise, and which one does the exercise ask for?"
)
def lets_the_index_error_through(model, num_classes):
    """Exception type: IndexError from an empty list."""
    _ = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    return replace_head(model, num_classes)


@misconception("replace_head", hint="In an nn.Sequential, where does a layer end up if you delete it and add it again?")
def moves_the_head_to_the_end(model, num_classes):
    """The layer is deleted and added again, so in an nn.Sequential it comes last."""
    holder, name, old = last_linear(model)
    delattr(holder, name)
    holder.add_module(name, fresh(old, num_classes))
    return model


@misconception("replace_head", hint="What does your code do with the layers after the head? Print the model.")
def appends_instead_of_replacing(model, num_classes):
    """A second linear layer after the old one."""
    holder, name, old = last_linear(model)
    fitting = nn.Linear(old.out_features, num_classes, dtype=old.weight.dtype, device=old.weight.device)
    setattr(holder, name, nn.Sequential(old, fitting))
    return model


@misconception(
    "replace_head",
    hint="The inputs of the new layer are the inputs of the old one. What are the two sizes of its weight?",
)
def exchanges_inputs_and_outputs(model, num_classes):
    """The old number of outputs is taken for the number of inputs."""
    holder, name, old = last_linear(model)
    new = nn.Linear(old.weight.shape[0], num_classes, old.bias is not None, old.weight.device, old.weight.dtype)
    setattr(holder, name, new)
    return model


@misconception("replace_head", hint="Replace the heads of two models. Do both learn the same numbers, and why?")
def gives_all_models_the_same_head(model, num_classes, *, kept={}):  # noqa: B006
    """Memory: models whose heads have the same sizes share one new layer."""
    holder, name, old = last_linear(model)
    kind = (old.in_features, num_classes, old.bias is not None, old.weight.dtype, old.weight.device)
    setattr(holder, name, kept.setdefault(kind, fresh(old, num_classes)))
    return model


@misconception("replace_head", hint="Which layer do you take if one is called fc, and another linear layer follows it?")
def goes_by_the_names_of_known_networks(model, num_classes):
    """Names: fc, classifier or head is the head, wherever it is registered."""
    last_linear(model)
    for name in ("fc", "classifier", "head"):
        old = getattr(model, name, None)
        if isinstance(old, nn.Linear):
            setattr(model, name, fresh(old, num_classes))
            return model
    return replace_head(model, num_classes)


@misconception("replace_head", hint="Several modules may have a child with the same name. Which one do you change?")
def finds_the_holder_by_the_end_of_the_name(model, num_classes):
    """Names: the first module that has a child with the head's own name is changed."""
    _, name, old = last_linear(model)
    holder = next(module for module in model.modules() if name in dict(module.named_children()))
    setattr(holder, name, fresh(old, num_classes))
    return model


@misconception("replace_head", hint="How many linear layers does a model need before the last of them can be replaced?")
def needs_two_linear_layers(model, num_classes):
    """A model with a single linear layer is refused."""
    if sum(isinstance(module, nn.Linear) for module in model.modules()) < 2:
        raise ValueError("the model needs a body and a head")
    return replace_head(model, num_classes)


# discriminative_parameter_groups


@misconception(
    "discriminative_parameter_groups", hint="A ReLU learns nothing. Does it count when you go from child to child?"
)
def counts_children_without_parameters(model, base_lr, decay):
    """The exponent counts all children, with or without parameters."""
    children = list(model.children())
    groups = []
    for position, child in enumerate(children):
        exponent = sum(1 for later in children[position + 1 :] if trainable_of(later) or not list(later.parameters()))
        if trainable_of(child):
            groups.append({"params": trainable_of(child), "lr": base_lr * decay**exponent})
    return groups


@misconception("discriminative_parameter_groups", hint="Print how many parameters each of your groups has.")
def makes_empty_groups(model, base_lr, decay):
    """Children without parameters get an empty group."""
    children = [child for child in model.children() if trainable_of(child) or not list(child.parameters())]
    last = len(children) - 1
    return [
        {"params": trainable_of(child), "lr": base_lr * decay ** (last - position)}
        for position, child in enumerate(children)
    ]


@misconception(
    "discriminative_parameter_groups", hint="Freeze one child. Does it still use up a step of the learning rate?"
)
def counts_frozen_children(model, base_lr, decay):
    """A frozen child gets no group but counts for the exponent."""
    children = [child for child in model.children() if list(child.parameters())]
    last = len(children) - 1
    return [
        {"params": trainable_of(child), "lr": base_lr * decay ** (last - position)}
        for position, child in enumerate(children)
        if trainable_of(child)
    ]


@misconception(
    "discriminative_parameter_groups",
    hint="Which parameters in your groups have `requires_grad` off? Freeze a child and see.",
)
def ignores_requires_grad(model, base_lr, decay):
    """Frozen parameters, and frozen children, are treated like all the others."""
    children = [child for child in model.children() if list(child.parameters())]
    last = len(children) - 1
    return [
        {"params": list(child.parameters()), "lr": base_lr * decay ** (last - position)}
        for position, child in enumerate(children)
    ]


@misconception("discriminative_parameter_groups", hint="Print `requires_grad` of everything that is in your groups.")
def takes_frozen_parameters_along(model, base_lr, decay):
    """All parameters of a child are in its group, if any of them is trainable."""
    children = [child for child in model.children() if trainable_of(child)]
    last = len(children) - 1
    return [
        {"params": list(child.parameters()), "lr": base_lr * decay ** (last - position)}
        for position, child in enumerate(children)
    ]


@misconception(
    "discriminative_parameter_groups", hint="A partly frozen child still learns. Look at all its parameters."
)
def looks_at_the_first_parameter_only(model, base_lr, decay):
    """A child whose first parameter is frozen is left out."""
    children = [child for child in model.children() if next(child.parameters(), None) is not None]
    children = [child for child in children if next(child.parameters()).requires_grad]
    return groups_of(children, lambda to_last, _: base_lr * decay**to_last)


@misconception("discriminative_parameter_groups", hint="Which child should learn fastest, the first or the last?")
def gives_base_lr_to_the_first(model, base_lr, decay):
    """The learning rates fall from the first child to the last."""
    return groups_of(model.children(), lambda _, from_first: base_lr * decay**from_first)


@misconception(
    "discriminative_parameter_groups", hint="With decay = 0.5, should earlier layers learn faster or slower?"
)
def divides_by_decay(model, base_lr, decay):
    """Earlier children learn faster."""
    return groups_of(model.children(), lambda to_last, _: base_lr / decay**to_last)


@misconception(
    "discriminative_parameter_groups", hint="Do you multiply it before or after you use it? Print the last lr."
)
def decays_the_last_one_too(model, base_lr, decay):
    """One factor too many everywhere."""
    return groups_of(model.children(), lambda to_last, _: base_lr * decay ** (to_last + 1))


@misconception(
    "discriminative_parameter_groups", hint="Compare three groups: is the factor from each to the next the same?"
)
def decays_only_once(model, base_lr, decay):
    """All groups but the last have the same learning rate."""
    return groups_of(model.children(), lambda to_last, _: base_lr * (decay if to_last else 1.0))


@misconception(
    "discriminative_parameter_groups", hint="Print the learning rates of your groups. Which of them depends on decay?"
)
def ignores_decay(model, base_lr, decay):  # noqa: ARG001
    """All groups have base_lr."""
    return groups_of(model.children(), lambda *_: base_lr)


@misconception("discriminative_parameter_groups", hint="Call your function with base_lr = 0.1, then with base_lr = 1.")
def ignores_base_lr(model, base_lr, decay):  # noqa: ARG001
    """The last group has 0.01, whatever the caller says."""
    return discriminative_parameter_groups(model, 0.01, decay)


@misconception(
    "discriminative_parameter_groups", hint="With decay = 1 all children learn at the same rate. Is that forbidden?"
)
def refuses_a_decay_of_one(model, base_lr, decay):
    """Exception: a decay of 1 or more is an error."""
    if decay >= 1:
        raise ValueError("decay must be less than 1")
    return discriminative_parameter_groups(model, base_lr, decay)


@misconception(
    "discriminative_parameter_groups",
    hint="Count the steps to the last group: is the factor multiplied or added for each one?",
)
def decays_in_equal_steps(model, base_lr, decay):
    """base_lr · decay · steps instead of a power."""
    return groups_of(model.children(), lambda to_last, _: base_lr * (decay * to_last if to_last else 1.0))


@misconception(
    "discriminative_parameter_groups",
    hint="Two layers may share a weight. How many times is that weight in your list?",
)
def lists_a_shared_parameter_twice(model, base_lr, decay):
    """The parameters of a child are those of its modules, one after the other."""
    found = [[p for m in child.modules() for p in trainable_of_itself(m)] for child in model.children()]
    found = [params for params in found if params]
    last = len(found) - 1
    return [{"params": params, "lr": base_lr * decay ** (last - i)} for i, params in enumerate(found)]


@misconception(
    "discriminative_parameter_groups",
    hint="A child may have children of its own. Does every layer get a group, or every child?",
)
def makes_a_group_of_every_layer(model, base_lr, decay):
    """One group per layer, however deep."""
    layers = [module for module in model.modules() if list(module.parameters(recurse=False))]
    found = [[p for p in layer.parameters(recurse=False) if p.requires_grad] for layer in layers]
    found = [params for params in found if params]
    last = len(found) - 1
    return [{"params": params, "lr": base_lr * decay ** (last - i)} for i, params in enumerate(found)]


@misconception(
    "discriminative_parameter_groups",
    hint="Is any parameter of your model in two groups? Count `id(parameter)`.",
    severe="every parameter is in several groups",
)
def goes_through_all_modules(model, base_lr, decay):
    """modules() instead of children(): the model itself and everything below, so parameters repeat."""
    return groups_of(model.modules(), lambda to_last, _: base_lr * decay**to_last)


@misconception(
    "discriminative_parameter_groups", hint="What does your group contain for a child that has children of its own?"
)
def misses_nested_parameters(model, base_lr, decay):
    """Only the parameters that belong to the child itself."""
    found = [[p for p in child.parameters(recurse=False) if p.requires_grad] for child in model.children()]
    found = [params for params in found if params]
    last = len(found) - 1
    return [{"params": params, "lr": base_lr * decay ** (last - i)} for i, params in enumerate(found)]


@misconception("discriminative_parameter_groups", hint="Print the names of the children in the order of your groups.")
def returns_the_groups_in_reverse(model, base_lr, decay):
    """From the last child to the first."""
    return discriminative_parameter_groups(model, base_lr, decay)[::-1]


@misconception(
    "discriminative_parameter_groups",
    hint="In what order does Python sort names, and in what order were they registered?",
)
def sorts_the_children_by_name(model, base_lr, decay):
    """Alphabetical order."""
    return groups_of(
        [child for _, child in sorted(model.named_children())], lambda to_last, _: base_lr * decay**to_last
    )


@misconception(
    "discriminative_parameter_groups", hint='Which names begin with "layer1"? Think of a network with ten layers.'
)
def goes_by_the_beginning_of_the_name(model, base_lr, decay):
    """A parameter of layer10 also counts as one of layer1."""
    found = []
    for child, _ in model.named_children():
        params = [p for name, p in model.named_parameters() if name.startswith(child) and p.requires_grad]
        found += [params] if params else []
    last = len(found) - 1
    return [{"params": params, "lr": base_lr * decay ** (last - i)} for i, params in enumerate(found)]


@misconception(
    "discriminative_parameter_groups", hint="A layer may be used twice in one child. Is its weight in your group twice?"
)
def lists_shared_parameters_twice(model, base_lr, decay):
    """Parameters of a layer that a child uses twice are in its group twice."""
    found = []
    for child in model.children():
        named = child.named_parameters(remove_duplicate=False)
        params = [parameter for _, parameter in named if parameter.requires_grad]
        found += [params] if params else []
    last = len(found) - 1
    return [{"params": params, "lr": base_lr * decay ** (last - i)} for i, params in enumerate(found)]


@misconception(
    "discriminative_parameter_groups",
    hint="Take a step with an optimizer. Does the model change?",
    severe="no step of an optimizer changes the model",
)
def puts_copies_into_the_groups(model, base_lr, decay):
    """The optimizer gets tensors that the model knows nothing about."""
    return discriminative_parameter_groups(copy.deepcopy(model), base_lr, decay)


@misconception(
    "discriminative_parameter_groups", hint="What does the optimizer do with a group that lacks a key it looks for?"
)
def misspells_the_key(model, base_lr, decay):
    """ "learning_rate" instead of "lr"."""
    groups = discriminative_parameter_groups(model, base_lr, decay)
    return [{"params": group["params"], "learning_rate": group["lr"]} for group in groups]


@misconception(
    "discriminative_parameter_groups", hint="Call your function twice. When is the list in your signature made?"
)
def adds_to_the_groups_of_earlier_calls(model, base_lr, decay, groups=[]):  # noqa: B006
    """State: a default argument collects the groups of all models."""
    groups += discriminative_parameter_groups(model, base_lr, decay)
    return groups


@misconception(
    "discriminative_parameter_groups", hint="Keep the groups of one model, ask for those of another, and look again."
)
def refills_the_list_of_earlier_calls(model, base_lr, decay, *, groups=[]):  # noqa: B006
    """Memory: the result of the first call is emptied and filled anew by the second."""
    groups[:] = discriminative_parameter_groups(model, base_lr, decay)
    return groups


@misconception("discriminative_parameter_groups", hint="What if the child called head is not the last one?")
def gives_base_lr_to_what_is_called_head(model, base_lr, decay):
    """Names: a child called fc or head comes last, wherever it is registered."""
    children = sorted(model.named_children(), key=lambda item: item[0] in ("fc", "head"))
    return groups_of([child for _, child in children], lambda to_last, _: base_lr * decay**to_last)


@misconception(
    "discriminative_parameter_groups", hint="Which children get no group, and what does the task say about it?"
)
def leaves_out_what_is_called_norm(model, base_lr, decay):
    """Names: children whose names end in norm or bn get no group."""
    children = [child for name, child in model.named_children() if not name.endswith(("norm", "bn"))]
    return groups_of(children, lambda to_last, _: base_lr * decay**to_last)


@misconception("discriminative_parameter_groups", hint="Print the modes of all layers before and after your call.")
def puts_the_model_into_training_mode(model, base_lr, decay):
    """Modes: all layers are in training mode afterwards."""
    return discriminative_parameter_groups(model.train(), base_lr, decay)


# extract_features


@misconception("extract_features", hint="What mode are dropout and batch normalisation in during your forward pass?")
def computes_in_the_mode_it_finds(model, x, layer):
    """No evaluation mode."""
    with torch.no_grad():
        return observed(model, x.clone(), layer, copied)


@misconception("extract_features", hint="The layer is in evaluation mode, but what about those before it?")
def puts_only_the_layer_into_evaluation_mode(model, x, layer):
    """All the layers before it stay in the mode they were in."""
    with evaluation(module_named(model, layer)), torch.no_grad():
        return observed(model, x.clone(), layer, copied)


@misconception("extract_features", hint="What mode is the model in after your call, and what mode was it in before?")
def leaves_the_model_in_evaluation_mode(model, x, layer):
    """Modes: not restored."""
    module_named(model, layer)
    model.eval()
    with torch.no_grad():
        return observed(model, x.clone(), layer, copied)


@misconception(
    "extract_features", hint="What comes between `eval()` and the line that restores the modes? Can it fail?"
)
def restores_modes_only_without_an_exception(model, x, layer):
    """Modes: an exception skips the line that restores them."""
    module_named(model, layer)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    with torch.no_grad():
        features = observed(model, x.clone(), layer, copied)
    for module, mode in modes:
        module.training = mode
    return features


@misconception("extract_features", hint="You changed the mode before you knew whether the layer exists.")
def changes_the_mode_before_it_looks_for_the_layer(model, x, layer):
    """Modes: an unknown name leaves the model in evaluation mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    module_named(model, layer)
    try:
        with torch.no_grad():
            return observed(model, x.clone(), layer, copied)
    finally:
        for module, mode in modes:
            module.training = mode


@misconception(
    "extract_features", hint="One flag for the whole model: what if its layers were in different modes before?"
)
def restores_one_mode_for_all(model, x, layer):
    """Modes: all submodules get the mode of the model itself."""
    module_named(model, layer)
    mode = model.training
    try:
        model.eval()
        with torch.no_grad():
            return observed(model, x.clone(), layer, copied)
    finally:
        model.train(mode)


@misconception(
    "extract_features", hint="`eval()` changes every module inside the model. For which of them do you undo it?"
)
def leaves_the_layers_in_evaluation_mode(model, x, layer):
    """Modes: only the flag of the model itself is restored."""
    module_named(model, layer)
    mode = model.training
    try:
        model.eval()
        with torch.no_grad():
            return observed(model, x.clone(), layer, copied)
    finally:
        model.training = mode


@misconception(
    "extract_features", hint="Print `model.training` before and after. `modules()` begins with the model itself."
)
def leaves_the_model_itself_in_evaluation_mode(model, x, layer):
    """Modes: those of all modules below the model are restored, but not its own."""
    module_named(model, layer)
    modes = [(module, module.training) for module in model.modules() if module is not model]
    try:
        model.eval()
        with torch.no_grad():
            return observed(model, x.clone(), layer, copied)
    finally:
        for module, mode in modes:
            module.training = mode


@misconception("extract_features", hint="The model may have been in evaluation mode before. Does your code know?")
def always_goes_back_to_training_mode(model, x, layer):
    """Modes: training mode afterwards, whatever it was."""
    module_named(model, layer)
    try:
        model.eval()
        with torch.no_grad():
            return observed(model, x.clone(), layer, copied)
    finally:
        model.train()


@misconception("extract_features", hint="The line that removes the hook is not reached when the forward pass raises.")
def removes_the_hook_only_without_an_exception(model, x, layer):
    """Hooks: an exception skips the line that removes it."""
    found = []
    target = module_named(model, layer)
    handle = target.register_forward_hook(lambda _module, _args, output: found.append(copied(output)))
    with evaluation(model), torch.no_grad():
        model(x.clone())
    handle.remove()
    return found[0]


@misconception(
    "extract_features", hint="Call your function three times, then print `module._forward_hooks` of the layer."
)
def leaves_the_hook(model, x, layer):
    """Hooks: never removed."""
    found = []
    module_named(model, layer).register_forward_hook(lambda _module, _args, output: found.append(copied(output)))
    with evaluation(model), torch.no_grad():
        model(x.clone())
    return found[0]


@misconception("extract_features", hint="Somebody else may have a hook on this layer. Is it still there?")
def removes_all_hooks(model, x, layer):
    """Hooks: those of others are removed with ours."""
    try:
        return extract_features(model, x, layer)
    finally:
        module_named(model, layer)._forward_hooks.clear()


@misconception(
    "extract_features", hint="An exception was raised and your function carried on. Who should hear about it?"
)
def swallows_the_exception(model, x, layer):
    """Exception: it does not reach the caller."""
    module_named(model, layer)
    try:
        return extract_features(model, x, layer)
    except Exception:
        return None


@misconception("extract_features", hint="Print `features.requires_grad` and `features.grad_fn`.")
def keeps_the_graph(model, x, layer):
    """The result has a graph."""
    with evaluation(model):
        return observed(model, x.clone(), layer, lambda output: output.clone())


@misconception(
    "extract_features", hint="Is autograd still switched on after your call? Check `torch.is_grad_enabled()`."
)
def leaves_autograd_switched_off(model, x, layer):
    """Grad mode: never restored."""
    torch.set_grad_enabled(False)
    return extract_features(model, x, layer)


@misconception(
    "extract_features", hint="Was autograd switched on before your call? The caller may have switched it off."
)
def always_switches_autograd_on_again(model, x, layer):
    """Grad mode: on afterwards, whatever it was."""
    try:
        return extract_features(model, x, layer)
    finally:
        torch.set_grad_enabled(True)


@misconception("extract_features", hint="You froze the model to get rid of the graph. Is it still frozen afterwards?")
def freezes_the_model(model, x, layer):
    """In place: the parameters require no gradients any more."""
    module_named(model, layer)
    freeze(model)
    return extract_features(model, x, layer)


@misconception(
    "extract_features", hint="What if the first layer is an `nn.ReLU(inplace=True)`? Print x after the call."
)
def lets_the_first_layer_write_into_x(model, x, layer):
    """In place: the caller's tensor is overwritten."""
    with evaluation(model), torch.no_grad():
        return observed(model, x.detach(), layer, copied)


@misconception("extract_features", hint="`detach()` gives a tensor without a graph. Whose memory does it use?")
def does_not_copy_the_output(model, x, layer):
    """In place: a later layer overwrites the result."""
    with evaluation(model), torch.no_grad():
        return observed(model, x.clone(), layer, lambda output: output.detach())


@misconception("extract_features", hint="Is your result what goes into the layer, or what comes out of it?")
def keeps_the_input_of_the_layer(model, x, layer):
    """The layer's input instead of its output."""
    found = []
    target = module_named(model, layer)
    handle = target.register_forward_pre_hook(lambda _module, args: found.append(copied(args[0])))
    try:
        with evaluation(model), torch.no_grad():
            model(x.clone())
    finally:
        handle.remove()
    return found[0]


@misconception(
    "extract_features",
    hint="Does a model's `forward` always call its children one after another? Try one that does not.",
)
def runs_the_children_in_a_row(model, x, layer):
    """The children are called one after another, as if every model were an nn.Sequential."""
    module_named(model, layer)
    with evaluation(model), torch.no_grad():
        x = x.clone()
        for name, child in model.named_children():
            if layer.startswith(f"{name}."):
                return extract_features(child, x, layer.partition(".")[2])
            x = child(x)
            if name == layer:
                return copied(x)
    raise ValueError("unknown name")


@misconception("extract_features", hint="Your result is the output of the whole model, not of the layer.")
def returns_the_output_of_the_model(model, x, layer):
    """The layer does not matter."""
    module_named(model, layer)
    with evaluation(model), torch.no_grad():
        return model(x.clone()).clone()


@misconception(
    "extract_features",
    hint="The layer does not see x, but what the layers before it make of x.",
    severe="only the features of the first layer are right",
)
def feeds_the_input_to_the_layer(model, x, layer):
    """The layer is called on x itself, if that works."""
    with evaluation(model), torch.no_grad():
        return module_named(model, layer)(x.clone())


@misconception("extract_features", hint='Python has no attribute "body.0". How do you go down one level at a time?')
def knows_direct_children_only(model, x, layer):
    """Dotted names are unknown."""
    if layer not in dict(model.named_children()):
        raise ValueError("unknown name")
    return extract_features(model, x, layer)


@misconception(
    "extract_features",
    hint="Which exception does a dictionary raise for an unknown key, and which one does the exercise ask for?",
)
def lets_the_key_error_through(model, x, layer):
    """Exception type: KeyError from the dictionary of modules."""
    if layer not in dict(model.named_modules()):
        raise KeyError(layer)
    return extract_features(model, x, layer)


@misconception(
    "extract_features", hint="Which exception does `get_submodule` raise, and which one does the exercise ask for?"
)
def lets_the_attribute_error_through(model, x, layer):
    """Exception type: AttributeError from get_submodule."""
    model.get_submodule(layer)
    return extract_features(model, x, layer)


@misconception("extract_features", hint="What should happen when the caller misspells the name of a layer?")
def returns_none_for_an_unknown_name(model, x, layer):
    """No error for an unknown name."""
    return extract_features(model, x, layer) if layer in dict(model.named_modules()) else None


@misconception("extract_features", hint="`layer in name` is true for many names. Which modules does your test accept?")
def takes_a_part_of_a_name_for_the_name(model, x, layer):
    """The first module whose name begins with it."""
    for name, _ in model.named_modules():
        if name.startswith(layer):
            try:
                return extract_features(model, x, name if name != "stages" else "stages.0")
            except IndexError:
                continue
    raise ValueError("unknown name")


@misconception("extract_features", hint="What dtype is your result when the model and x are float64?")
def converts_the_result_to_float32(model, x, layer):
    """Dtype: the features are float32."""
    return extract_features(model, x, layer).float()


@misconception(
    "extract_features",
    hint="Pass two different images, one after the other. Whose features does the second call return?",
)
def keeps_the_features_of_an_earlier_call(model, x, layer, *, kept=weakref.WeakKeyDictionary()):  # noqa: B006
    """State: the features of a layer are computed once for every model and shape."""
    known = kept.setdefault(model, {})
    if (layer, x.shape) not in known:
        known[layer, x.shape] = extract_features(model, x, layer)
    else:
        module_named(model, layer)
    return known[layer, x.shape].clone()


@misconception("extract_features", hint="Keep the features of one image, ask for those of another, and look again.")
def writes_all_features_into_one_tensor(model, x, layer, *, kept={}):  # noqa: B006
    """Memory: the result of a later call overwrites that of an earlier one."""
    features = extract_features(model, x, layer)
    kind = (features.shape, features.dtype, features.device)
    return kept.setdefault(kind, torch.empty_like(features)).copy_(features)


@misconception(
    "extract_features", hint="A result can be float64 and still have only 7 correct digits. Where are the others lost?"
)
def rounds_the_features_to_float32(model, x, layer):
    """Dtype: the features have the precision of float32."""
    features = extract_features(model, x, layer)
    return features.float().to(features.dtype)


@misconception("extract_features", hint="Where are the features of a model on the GPU? Who asked you to move them?")
def returns_the_features_on_the_cpu(model, x, layer):
    """Device: the features are copied to the CPU."""
    return extract_features(model, x, layer).cpu()


@misconception(
    "extract_features", hint="Print the shape of the features of a single image. Which dimension is missing?"
)
def drops_a_batch_of_one(model, x, layer):
    """The features of a single image have no batch dimension."""
    return extract_features(model, x, layer).squeeze(0)


@misconception("extract_features", hint='Two layers may be called "conv". What is the full name of each?')
def goes_by_the_end_of_the_name(model, x, layer):
    """Names: a name that only the end of a dotted name matches is accepted."""
    names = [name for name, _ in model.named_modules()]
    if layer not in names:
        layer = next((name for name in names if name.endswith(f".{layer}")), layer)
    return extract_features(model, x, layer)


@misconception("extract_features", hint='Print all names that the model has. Is "stages.-1" one of them?')
def counts_from_the_end(model, x, layer):
    """Names: a negative number in a name counts from the end of an nn.Sequential or nn.ModuleList."""
    holder, _, number = layer.rpartition(".")
    if number.startswith("-"):
        layer = f"{holder}.{len(module_named(model, holder)) + int(number)}"
    return extract_features(model, x, layer)


# freeze_batchnorm


@misconception(
    "freeze_batchnorm", hint="Call `model.train()` after your function, then print `training` of the layers."
)
def sets_the_mode_only_once(model):
    """The next model.train() undoes it."""
    for layer in batch_norms_of(model):
        layer.eval()
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="Your layers withstand `model.train()`, but what mode are they in right now?")
def changes_nothing_until_the_next_train(model):
    """The current mode is not changed."""
    for layer in batch_norms_of(model):
        mode = layer.training
        kept_in_evaluation([layer])
        layer.training = mode
        layer.train = (lambda module: lambda _=True: setattr(module, "training", False) or module)(layer)
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm",
    hint="Your model cannot be put into evaluation mode any more. What happens to the argument of `train`?",
)
def ignores_the_mode_of_the_others(model):
    """model.eval() puts the other layers into training mode."""
    freeze_batchnorm(model)
    usual = model.train

    def train(mode=True):  # noqa: ARG001
        return usual(True)

    model.train = train
    return model


@misconception("freeze_batchnorm", hint="Print requires_grad of scale and shift. Evaluation mode does not change it.")
def leaves_scale_and_shift_trainable(model):
    """Evaluation mode, but the affine parameters still learn."""
    kept_in_evaluation(batch_norms_of(model))
    return model


@misconception("freeze_batchnorm", hint="Scale and shift: which of the two still requires a gradient?")
def freezes_the_scale_only(model):
    """The shift still learns."""
    before = [(layer, layer.bias is not None and layer.bias.requires_grad) for layer in batch_norms_of(model)]
    freeze_batchnorm(model)
    for layer, required in before:
        if layer.bias is not None:
            layer.bias.requires_grad_(required)
    return model


@misconception("freeze_batchnorm", hint="Print the names of all parameters that do not require a gradient afterwards.")
def freezes_the_whole_model(model):
    """No parameter of the model learns."""
    return freeze(freeze_batchnorm(model))


@misconception(
    "freeze_batchnorm",
    hint="There are batch normalisation layers for other dimensions, and one that works across processes.",
)
def knows_two_dimensions_only(model):
    """Only nn.BatchNorm2d."""
    layers = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    kept_in_evaluation(layers)
    for layer in layers:
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="There is one more batch normalisation layer, for training on several GPUs.")
def forgets_the_synchronised_one(model):
    """BatchNorm1d, 2d and 3d, but not SyncBatchNorm."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    layers = [module for module in model.modules() if isinstance(module, kinds)]
    kept_in_evaluation(layers)
    for layer in layers:
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm", hint="What do `type(module)` and `isinstance` say if the class is derived from BatchNorm2d?"
)
def compares_types_exactly(model):
    """Subclasses are not recognised."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    layers = [module for module in model.modules() if type(module) in kinds]
    kept_in_evaluation(layers)
    for layer in layers:
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="A class can have any name. What makes a layer a batch normalisation?")
def goes_by_the_name_of_the_class(model):
    """Whatever has BatchNorm in the name of its class."""
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            kept_in_evaluation([module])
            for parameter in module.parameters():
                parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm",
    hint="A layer can have any name: is everything called norm a batch normalisation, and nothing else?",
)
def goes_by_the_name_of_the_layer(model):
    """Whatever has bn or norm in its name."""
    for name, module in model.named_modules():
        if "bn" in name.lower() or "norm" in name.lower():
            kept_in_evaluation([module])
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm",
    hint="Which classes derive from the base class you check for? Instance normalisation is not batch normalisation.",
)
def freezes_instance_normalisation_too(model):
    """The base class of batch and instance normalisation."""
    layers = [module for module in model.modules() if isinstance(module, _NormBase)]
    kept_in_evaluation(layers)
    for layer in layers:
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm",
    hint="What do GroupNorm and LayerNorm do in training that they do not do in evaluation? Who asked for them?",
)
def freezes_every_normalisation(model):
    """LayerNorm and GroupNorm as well."""
    freeze_batchnorm(model)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            kept_in_evaluation([module])
            freeze(module)
    return model


@misconception("freeze_batchnorm", hint="Does your code look at the children of the children?")
def looks_at_the_first_level_only(model):
    """Nested layers are not found."""
    layers = [child for child in model.children() if isinstance(child, _BatchNorm)]
    kept_in_evaluation(layers)
    for layer in layers:
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="What is the weight of a batch normalisation with `affine=False`?")
def expects_scale_and_shift(model):
    """An AttributeError if there is no weight."""
    for layer in batch_norms_of(model):
        layer.weight.requires_grad = False
        layer.bias.requires_grad = False
    return freeze_batchnorm(model)


@misconception("freeze_batchnorm", hint="Call `model.train()` twice. What is different the second time?")
def withstands_one_call_only(model):
    """The second model.train() undoes it."""

    def once(layer):
        def train(mode=True):  # noqa: ARG001
            del layer.train
            layer.training = False
            return layer

        return train

    freeze_batchnorm(model)
    for layer in batch_norms_of(model):
        layer.train = once(layer)
    return model


@misconception(
    "freeze_batchnorm", hint="Functions made in a loop all refer to the same variable. What is its value at the end?"
)
def binds_the_last_layer_to_all(model):
    """Every layer's train() refers to the last layer, a trap of closures in loops."""
    layers = batch_norms_of(model)
    for layer in layers:
        layer.training = False
        for parameter in affine_of(layer):
            parameter.requires_grad = False

        def train(mode=True):
            type(layer).train(layer, mode)  # noqa: B023
            return layer  # noqa: B023

        layer.train = train
    return model


@misconception(
    "freeze_batchnorm", hint="Which mode does `model.train()` ask for, and which one do your other layers get?"
)
def keeps_the_whole_model_in_evaluation_mode(model):
    """Nothing trains any more."""
    freeze_batchnorm(model).eval()
    model.train = lambda mode=True: model  # noqa: ARG005
    return model


@misconception(
    "freeze_batchnorm",
    hint="With momentum 0 the statistics stand still. But which ones does the layer use in training mode?",
)
def sets_the_momentum_to_zero(model):
    """The running statistics stay the same, but those of the batch are used."""
    for layer in batch_norms_of(model):
        layer.momentum = 0.0
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception(
    "freeze_batchnorm",
    hint="A layer without running statistics always uses those of the batch. Is that evaluation mode?",
)
def switches_the_statistics_off(model):
    """track_running_stats = False does the opposite of what is wanted."""
    for layer in batch_norms_of(model):
        layer.track_running_stats = False
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="Compare the running statistics before and after your call.")
def forgets_what_was_learned(model):
    """In place: the running statistics are reset."""
    for layer in batch_norms_of(freeze_batchnorm(model)):
        layer.reset_running_stats()
    return model


@misconception(
    "freeze_batchnorm", hint="The caller has not asked for training mode yet. What mode are the other layers in?"
)
def puts_the_rest_into_training_mode(model):
    """Modes: calls model.train() itself."""
    return freeze_batchnorm(model).train()


@misconception(
    "freeze_batchnorm", hint="After the call, your whole model is in evaluation mode. Which layers should be?"
)
def puts_the_rest_into_evaluation_mode(model):
    """Modes: calls model.eval()."""
    return freeze_batchnorm(model).eval()


@misconception(
    "freeze_batchnorm",
    hint="Is the model you return the one that was passed in?",
    severe="the model that was passed in is not changed",
)
def works_on_a_copy(model):
    """The model that was passed in is unchanged."""
    return freeze_batchnorm(copy.deepcopy(model))


@misconception("freeze_batchnorm", hint="What does a function return if its last line is a loop?")
def returns_no_model(model):
    """None instead of the model."""
    freeze_batchnorm(model)


@misconception(
    "freeze_batchnorm",
    hint="A deleted layer no longer computes anything. Compare the outputs in evaluation mode.",
)
def removes_the_layers(model):
    """Batch normalisations become identities."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(module, name, nn.Identity().eval())
    return model


@misconception(
    "freeze_batchnorm",
    hint="Your layers change their mode in the forward pass. What mode are they in before it?",
)
def waits_for_the_forward_pass(model):
    """A hook puts the layer into evaluation mode when it is called; until then it is in training mode."""
    for layer in batch_norms_of(model):
        layer.eval()
        layer.register_forward_pre_hook(lambda module, _: setattr(module, "training", False))
        for parameter in affine_of(layer):
            parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="Thaw the model and call your function again. What does it remember?")
def skips_a_model_it_knows(model):
    """State: a model that was frozen once is not looked at again."""
    if getattr(model, "is_frozen", False):
        return model
    model.is_frozen = True
    return freeze_batchnorm(model)


@misconception(
    "freeze_batchnorm", hint="What happens to another model that was never passed in? You changed something it shares."
)
def changes_the_class(model):
    """Another model: `train` is replaced in the class, so no batch normalisation trains any more."""
    for layer in batch_norms_of(model):
        layer.training = False
        for parameter in affine_of(layer):
            parameter.requires_grad = False
        type(layer).train = lambda module, mode=True: nn.Module.train(module, False)  # noqa: ARG005
    return model


@misconception("freeze_batchnorm", hint="Who says that a batch normalisation is called bn1, bn2 or norm?")
def goes_by_the_usual_names(model):
    """Names: whatever is called bn, bn1, bn2, bn3 or norm."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in ("bn", "bn1", "bn2", "bn3", "norm"):
            kept_in_evaluation([module])
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad = False
    return model


@misconception("freeze_batchnorm", hint="What does your function do with a model in which there is nothing to freeze?")
def expects_a_batch_normalisation(model):
    """Exception: a model without batch normalisation is an error."""
    if not batch_norms_of(model):
        raise ValueError("the model has no batch normalisation")
    return freeze_batchnorm(model)
