# %% [markdown]
# # Fine-tuning a trained network
#
# Few people train a large network from scratch. Most take one that somebody else has trained on millions of
# images, and teach it something new with a few hundred. The early layers of such a network see edges, colours
# and textures, which are useful for nearly every task; only the last layer is about the old classes.
#
# In this assignment you write the five tools you need for this:
#
# - `freeze`: keep what has been learned;
# - `replace_head`: replace the last layer with one for the new classes;
# - `discriminative_parameter_groups`: let early layers learn more slowly than late ones;
# - `extract_features`: use the network as a fixed function, and look inside it;
# - `freeze_batchnorm`: keep the statistics of batch normalisation from drifting.
#
# They work with *any* model, however its author has nested it. So names such as `fc` or `layer4` do not help
# you here: you have to ask the model what it consists of. These are the questions it answers:
#
# | question | answer |
# |---|---|
# | `model.parameters()`, `model.named_parameters()` | all tensors that can be learned, at any depth |
# | `model.buffers()` | all tensors that belong to the state but are not learned by gradients |
# | `model.children()`, `model.named_children()` | the modules one level below |
# | `model.modules()`, `model.named_modules()` | the model itself and everything below, in registration order |
# | `model.get_submodule("body.2.conv")` | one module by its dotted name |
# | `module.training` | the mode of this one module |
#
# **The rule of the day.** A tool changes what it is meant to change, and nothing else. A model that comes back
# in a different mode, with one hook too many, or with some weights changed is a bug that shows up days later.

# %%
import torch
from torch import nn

# %% [markdown]
# ## Freezing
#
# Every parameter has a switch, `requires_grad`. When it is off, autograd computes no gradient for this
# parameter, and an optimizer has nothing to do for it: the parameter is *frozen*.
#
# A frozen module still computes, and gradients still flow *through* it, to whatever comes before it. That is
# what happens when a trainable layer comes before a frozen one.
#
# Two things are easily mistaken for freezing. `torch.no_grad()` affects a piece of *running code* and
# leaves no trace on a parameter. `module.eval()` sets the *mode*, which decides how dropout and batch
# normalisation behave, and has nothing to do with gradients. `freeze` leaves every mode as it is.


# %%
def freeze(module):
    """Freeze a module: none of its parameters requires a gradient any more.

    module: an nn.Module, nested in any way, in any mode

    Values and modes stay as they are. Returns the same module, so that calls can be chained.
    """
    ### BEGIN SOLUTION
    for parameter in module.parameters():
        parameter.requires_grad = False
    return module
    ### END SOLUTION


# %% [markdown]
# ## A new head
#
# The last linear layer of a classifier, its *head*, has one output per class. Our task has different classes,
# so the head must go. We replace it with a fresh `nn.Linear` that takes the same features and returns
# `num_classes` numbers:
#
# ```
#   features → Linear(512 → 1000)        becomes        features → Linear(512 → 10)
# ```
#
# Where is the head? In ResNet it is called `fc`, in VGG `classifier.6`, in a colleague's network perhaps
# `top.layers.out`. We go by the order in which modules are registered, the order of `named_modules()`, and
# take the last `nn.Linear` there. Other modules may follow it, such as a dropout.
#
# Its name has two parts: the path to the module that *holds* it, and its name in that module. That is where
# the new layer has to go.
#
# The new head fits in the old place: the same number of input features, the same dtype and device, and a
# bias only if the old one had one. It starts from new random numbers and is trainable, even when the rest of
# the model is frozen. All other layers are the same objects as before.


# %%
def replace_head(model, num_classes):
    """Replace the last nn.Linear of a model with a fresh one that has `num_classes` outputs.

    model: an nn.Module with its nn.Linear layers somewhere inside it
    num_classes: the number of outputs of the new layer

    Changes the model in place and returns it.
    Raises ValueError when the model has no nn.Linear.
    """
    ### BEGIN SOLUTION
    head_name = None
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            head_name = name  # a later one overwrites it
    if head_name is None:
        raise ValueError(f"a {type(model).__name__} without any nn.Linear has no head to replace")

    parent_name, _, own_name = head_name.rpartition(".")
    parent = model.get_submodule(parent_name)
    old = model.get_submodule(head_name)
    new = nn.Linear(
        old.in_features,
        num_classes,
        bias=old.bias is not None,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    setattr(parent, own_name, new)
    return model
    ### END SOLUTION


# %% [markdown]
# ## Slow at the bottom, fast at the top
#
# The first layers already know most of what they need; the last one knows nothing yet. So they should not
# learn at the same speed. An optimizer accepts a list of *parameter groups*, dictionaries that each have their
# own learning rate:
#
# ```python
# optimizer = torch.optim.SGD([{"params": [...], "lr": 0.001}, {"params": [...], "lr": 0.01}])
# ```
#
# We make one group per *direct child* of the model, in the order of the children. The last group gets
# `base_lr`, the one before it `base_lr · decay`, the one before that `base_lr · decay²`, and so on. With
# `base_lr = 0.1` and `decay = 0.5`:
#
# ```
#   child       parameters       learning rate
#   stem        trainable        0.025
#   relu        none             (no group)
#   block1      all frozen       (no group)
#   block2      trainable        0.05
#   head        trainable        0.1
# ```
#
# Children that have nothing to learn get no group, and they do not count: `stem` is only two groups away from
# the head. A child may be partly frozen; then only its trainable parameters are in its group. Every trainable
# parameter of the model is in exactly one group, and only once.
#
# You may assume that all parameters of the model belong to its children, and that no two children share one.


# %%
def discriminative_parameter_groups(model, base_lr, decay):
    """Parameter groups for an optimizer, with smaller learning rates for earlier children.

    model: an nn.Module; all its parameters belong to its children
    base_lr: the learning rate of the last group
    decay: the factor from one group to the group before it

    Returns a list of dicts {"params": ..., "lr": ...}, one for each direct child with trainable parameters.
    """
    ### BEGIN SOLUTION
    groups = []
    for child in model.children():
        trainable = [parameter for parameter in child.parameters() if parameter.requires_grad]
        if trainable:
            groups.append({"params": trainable})

    for steps_to_the_last, group in enumerate(reversed(groups)):
        group["lr"] = base_lr * decay**steps_to_the_last
    return groups
    ### END SOLUTION


# %% [markdown]
# ## Looking inside
#
# A trained network without its head describes images well: the numbers that go into the head, the
# *features*, can be fed into any simple classifier. For this we need the output of a layer in the middle of a
# model whose `forward` we did not write.
#
# PyTorch has *hooks* for that: `module.register_forward_hook(function)` makes the module call `function(module,
# args, output)` whenever it has computed an output. The call returns a handle, and `handle.remove()` removes
# the hook again.
#
# The name of a layer is dotted: `"stages.1.conv"` is the module `conv` in entry 1 of `stages`. A name that the
# model does not have raises a `ValueError`.
#
# The features are computed in evaluation mode, whatever mode the model is in, and without a graph. Afterwards
# nothing in the model may show that we were there:
#
# - Every module is in the mode it was in before. They need not all have been in the same one!
# - Our hook is gone; other people's hooks are still there.
# - Both also hold when `forward` raises an exception, which is then passed on to the caller.
#
# Two more traps come from layers that work in place, such as `nn.ReLU(inplace=True)`. If one comes *first*,
# it writes into the caller's images. If one comes *right after our layer*, it writes into the very tensor
# that the hook has seen.


# %%
def extract_features(model, x, layer):
    """The output of one layer of a model in evaluation mode.

    model: an nn.Module, in any mode
    x: its input
    layer: the dotted name of a submodule; it is called once in the forward pass and returns a tensor

    Returns that tensor, without a graph. Afterwards the model and x are as they were before.
    Raises ValueError when the model has no submodule of that name.
    """
    ### BEGIN SOLUTION
    modules = dict(model.named_modules())
    if layer not in modules:
        raise ValueError(f"the model has no submodule named {layer!r}; it has {', '.join(map(repr, modules))}")

    outputs = []

    def keep_a_copy(_module, _args, output):
        outputs.append(output.detach().clone())

    modes = [(module, module.training) for module in model.modules()]
    handle = modules[layer].register_forward_hook(keep_a_copy)
    try:
        model.eval()
        with torch.no_grad():
            model(x.clone())
    finally:
        handle.remove()
        for module, mode in modes:
            module.training = mode
    return outputs[0]
    ### END SOLUTION


# %% [markdown]
# ## Batch normalisation that stands still
#
# In training mode, a batch normalisation layer normalises with the statistics of the batch and lets its running
# mean and variance drift towards them. When we fine-tune with batches of two or four images, both hurt: the
# statistics of so few images are noise. The usual remedy is to keep these layers in evaluation mode during
# the whole training, and to freeze their scale and shift, too.
#
# Setting the mode once is not enough. Every training loop calls `model.train()` at the start of each epoch, and
# that call goes to all submodules, one by one. So our layers have to withstand it, this time and every time
# after. Ask yourself what `model.train()` does with a submodule, and how you could change what this one
# submodule does in response. (In Python, an object can have an attribute that hides a method of its class.)
#
# The layers in question are `nn.BatchNorm1d`, `2d` and `3d`, `nn.SyncBatchNorm`, and everything derived from
# them; a look at the base classes of `nn.BatchNorm2d` saves some typing. Group, layer and instance
# normalisation are something else and keep training, as do all other layers. A batch normalisation layer
# with `affine=False` has neither scale nor shift.


# %%
def freeze_batchnorm(model):
    """Put all batch normalisation layers of a model into evaluation mode, for good.

    model: an nn.Module, nested in any way, in any mode

    After any later model.train(), the batch normalisation layers are still in evaluation mode and all others
    in training mode. The scale and shift of the batch normalisation layers no longer require gradients.
    Returns the same model.
    """

    ### BEGIN SOLUTION
    def train(module, mode=True):
        type(module).train(module, mode)  # if it has children, they follow as usual
        module.training = False
        return module

    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.training = False
            for parameter in (module.weight, module.bias):
                if parameter is not None:
                    parameter.requires_grad = False
            # `__get__` binds the function to this module. From now on it hides the method of the class.
            module.train = train.__get__(module)
    return model
    ### END SOLUTION


# %% [markdown]
# ### Look at it
#
# A batch normalisation layer whose running mean is right, 0, sees fifty batches of two images each in training mode.
# What is left of the running mean, and what if your function has been there first? (Run the cell when your function
# works. It needs `matplotlib`.)


# %%
def draw_running_means():
    """A running mean during fine-tuning with small batches, with and without freeze_batchnorm."""
    import matplotlib.pyplot as plt

    curves = []
    for prepare in (nn.Identity(), freeze_batchnorm):
        torch.manual_seed(0)
        model = prepare(nn.Sequential(nn.BatchNorm2d(1)))
        model.train()
        means = [0.0]
        for _ in range(50):
            brightness = torch.randn(2, 1, 1, 1)  # images differ from each other more than pixels do
            model(brightness + 0.1 * torch.randn(2, 1, 4, 4))
            means.append(model[0].running_mean.item())
        curves.append(means)

    _, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.plot(curves[0], linewidth=2, label="as usual")
    axes.plot(curves[1], "--", linewidth=2, label="after freeze_batchnorm")
    axes.set(title="Fine-tuning with two images at a time", xlabel="batch", ylabel="running mean")
    axes.legend()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_running_means()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write freeze_batchnorm first.")
