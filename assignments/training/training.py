# %% [markdown]
# # The loop around the network
#
# A network does not learn by itself. Around it is a loop of a few lines, the same for LeNet and for
# EfficientNet, and the mistakes in these lines are the worst kind: nothing crashes, the loss goes down, and
# the result is only a little worse than it should be. A loop that steps twice per batch, or measures the
# accuracy in training mode, reaches 90 % as well.
#
# In this assignment you write that loop and everything it needs:
#
# - `accuracy` and `cross_entropy`: the two numbers that say how well a classifier does;
# - `init_cnn` and `kaiming_init`: the numbers that it starts from;
# - `train_one_epoch` and `evaluate`: one pass through the data, with and without learning;
# - `accumulate_gradients`: batches that are too large for the memory;
# - `cosine_schedule`: a learning rate for every step;
# - `fit`: epochs, and when to stop;
# - `save_checkpoint` and `load_checkpoint`: going on tomorrow where you stopped today.
#
# **What goes in.** A `loader` is anything that can be iterated over again and again and yields batches `(x, y)`,
# such as a list of pairs or a `DataLoader`; its last batch may be smaller. `loss_fn(prediction, y)` returns the
# *mean* loss of its batch as a tensor. Where a function returns numbers, they are Python floats.

# %%
import math
from pathlib import Path

import torch
from torch import nn

# %% [markdown]
# ## How many are right?
#
# A classifier returns one number per class for each sample, its *logits*. The class with the largest one is the
# prediction; if several are equally large, the first of them counts. The *accuracy* is the share of samples
# whose prediction is right:
#
# ```
#   logits           prediction   label
#   0.1  2.0  0.3        1          1     right
#   1.5  0.2  1.5        0          2     wrong: the first of two maxima counts
#   0.0  0.5  0.9        2          2     right
#   2.2  0.1  0.4        0          0     right          accuracy 3/4 = 0.75
# ```
#
# Nothing can be said about no samples at all, and labels that do not belong to the logits are a mistake of the
# caller: both raise a `ValueError`.


# %%
def accuracy(logits, labels):
    """The share of rows whose first maximum is at the label, as a float from 0 to 1.

    logits: (N, K), floats
    labels: (N,), integers

    Raises ValueError when N is 0 or the lengths differ.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## How wrong are the others?
#
# The accuracy has no useful gradient: it moves in jumps. So we train with the *cross-entropy*. Softmax turns
# the logits $z$ into probabilities, and the loss of a sample is minus the logarithm of the probability of its label:
#
# $$ -\log \frac{e^{z_y}}{\sum_k e^{z_k}} = \log \sum_k e^{z_k} - z_y $$
#
# Computed as on the left, $e^{1000}$ is infinite and $\log 0$ is, too. Computed as on the right with the maximum
# taken out, $\log \sum_k e^{z_k} = m + \log \sum_k e^{z_k - m}$ with $m = \max_k z_k$, all is well: one of the
# exponents is 0, and none is positive.
#
# *Label smoothing* with $\varepsilon$ takes the label less seriously. The target puts $1 - \varepsilon$ on the
# label and spreads $\varepsilon$ evenly over all $K$ classes (the label is one of them):
#
# $$ (1 - \varepsilon) \cdot (-\log p_y) + \frac{\varepsilon}{K} \sum_k (-\log p_k) $$
#
# The loss of a batch is the mean over its samples. Write it yourself: `cross_entropy`, `nll_loss`, `softmax` and
# `log_softmax` are forbidden here.


# %%
def cross_entropy(logits, labels, label_smoothing=0.0):
    """The mean cross-entropy of a batch, as a tensor without dimensions.

    logits: (N, K), floats of any size
    labels: (N,), integers
    label_smoothing: how much of the target is spread over all classes

    Raises ValueError when label_smoothing is outside [0, 1].
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Where to start
#
# If the weights are too small, the signal fades from layer to layer; if they are too large, it explodes. Two rules
# keep its size. Both look at how many numbers go into a unit (`fan_in`) and how many units a number goes into
# (`fan_out`); for a convolution each is multiplied by the size of the kernel.
#
# - *Xavier* (Glorot and Bengio 2010), for layers without ReLU: uniform in $[-a, a]$ with
#   $a = \sqrt{6 / (\text{fan}_\text{in} + \text{fan}_\text{out})}$.
# - *Kaiming* (He et al. 2015): a ReLU sets half of the numbers to 0, so the variance is doubled. Normal, with
#   mean 0 and standard deviation $\sqrt{2 / \text{fan}_\text{out}}$, if the size of the gradients is to be kept.
#
# `torch.nn.init` knows both. Its functions change a tensor in place, without autograd noticing.
#
# `init_cnn` is for `net.apply(init_cnn)`, which calls it with every submodule, one after the other. So it looks
# at *one* module, draws its weight anew if it is an `nn.Conv2d` or `nn.Linear`, and leaves all else alone, biases
# included.


# %%
def init_cnn(module):
    """For net.apply(init_cnn): the weight of an nn.Conv2d or nn.Linear is drawn anew, Xavier-uniform.

    module: one module; its children are none of our business

    Changes the module in place and returns None.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# `kaiming_init` gets the whole model. Batch normalisation layers (`nn.BatchNorm1d`, `2d`, `3d`) start as if they
# only normalised, with scale 1 and shift 0; with `affine=False` they have neither. Linear layers, biases and
# running statistics stay as they are.


# %%
def kaiming_init(model):
    """Start a whole model for training with ReLU.

    model: an nn.Module, nested in any way

    The weights of nn.Conv2d layers are drawn Kaiming-normal (fan-out, for ReLU); batch normalisation layers get
    weight 1 and bias 0; everything else stays. Changes the model in place and returns it.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## One epoch
#
# An epoch goes once through all batches, in the order of the loader. Before the first one, `model.train()` puts the
# model into training mode. Then, for each batch:
#
# | step | what happens | if you get it wrong |
# |---|---|---|
# | `optimizer.zero_grad()` | forget the gradients of earlier batches | `backward` *adds* to them |
# | `prediction = model(x)` | forward | |
# | `loss = loss_fn(prediction, y)` | one number | |
# | `loss.backward()` | gradients | without it there is nothing to step with |
# | clipping | gradients that are too long are shortened | after the step it is too late |
# | `optimizer.step()` | the parameters move | before `backward` it uses gradients of the batch before |
#
# With `clip_norm`, all gradients together are treated as one long vector. If its length (the L2 norm) is above
# `clip_norm`, all of them are multiplied by one number so that it becomes `clip_norm`; if not, they stay.
# `nn.utils.clip_grad_norm_` does it.
#
# The result is the mean loss per *sample*. The loss function returns the mean of a batch, and the last batch may be
# smaller. With losses 1 (4 samples) and 4 (2 samples), the mean per sample is (4 · 1 + 2 · 4) / 6 = 2, not 2.5.
#
# One more trap: `loss` has a graph behind it, as large as all the activations. Adding up `loss` itself keeps the
# graphs of all batches in memory until the epoch ends; `loss.item()` is a plain number.


# %%
def train_one_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    """Train a model for one epoch.

    model: an nn.Module, in any mode; left in training mode
    loader: yields batches (x, y)
    loss_fn: loss_fn(prediction, y) is the mean loss of a batch
    optimizer: makes one step per batch
    clip_norm: the largest L2 norm that the gradients of the model may have together; None for no limit

    Returns the mean loss per sample, as it was before each step.
    Raises ValueError when the loader has no batches.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## A look without touching
#
# On the validation set the model only answers. In evaluation mode dropout is off, and batch normalisation uses
# its running statistics and leaves them alone. (In training mode, looking at the validation set would *change*
# the model.) And since nobody wants gradients, `torch.no_grad()` saves the memory of the graph.
#
# The rule of the day is that of `transfer`: afterwards the model is as it was. Every submodule is back in the mode it
# was in, even if some were frozen in evaluation mode, and even if the forward pass raises an exception. The exception
# is then passed on to the caller.


# %%
def evaluate(model, loader, loss_fn):
    """How well a model does, in evaluation mode and without recording a graph.

    model: an nn.Module that returns logits (N, K), in any mode; afterwards it is as it was
    loader: yields batches (x, y) with labels y
    loss_fn: loss_fn(logits, y) is the mean loss of a batch

    Returns (mean loss per sample, accuracy).
    Raises ValueError when the loader has no batches.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Batches that do not fit
#
# A batch of 64 may need more memory than there is, although the same model trains well with 16. Gradients add up,
# so we can send four *micro-batches* of 16 through the model, one after the other, and step once.
#
# What has to be added up? The loss of the whole batch is a mean over its $N$ samples. A micro-batch of $n$
# samples returns the mean over its own, so it counts with the weight $n / N$. Dividing by the number of
# micro-batches is the same only if all have the same size, and the last one may be smaller: 10 samples, 4 at a
# time, are 4 + 4 + 2.
#
# The gradients are then *exactly* those of the whole batch, apart from rounding. (Unless the model has batch
# normalisation, which would normalise within each micro-batch, or dropout. Here it has neither.)


# %%
def accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    """One optimizer step for a whole batch, with only a few samples in the model at a time.

    model: an nn.Module without batch normalisation and dropout
    x, y: the batch
    loss_fn: loss_fn(prediction, y) is the mean loss over the samples that it is given
    optimizer: makes one step; gradients that were there before do not count
    micro_batch_size: how many samples may be in the model at a time

    Returns the mean loss of the whole batch, before the step.
    Raises ValueError when micro_batch_size is below 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## A learning rate for every step
#
# At the start the gradients are large and point anywhere, so the learning rate *warms up*: over `warmup_steps`
# steps it grows evenly, from `base_lr / warmup_steps` in step 0 to `base_lr` in the last of them. Afterwards it
# falls along half a cosine wave, slowly first, then quickly, then slowly again, down to `min_lr`:
#
# ```
#   step < warmup_steps:   base_lr · (step + 1) / warmup_steps
#   otherwise:             min_lr + ½ · (base_lr − min_lr) · (1 + cos(π · progress))
#                          with progress = (step − warmup_steps) / (total_steps − warmup_steps)
# ```
#
# With `total_steps=10`, `base_lr=1`, `warmup_steps=2` the rates are 0.5, 1, 1, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15,
# 0.04, 0. So step 10 is allowed: it is the end of the curve.


# %%
def cosine_schedule(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """The learning rate for one step: a linear warm-up, then half a cosine wave from base_lr down to min_lr.

    step: from 0 to total_steps
    warmup_steps: fewer than total_steps

    Raises ValueError when step is outside 0 … total_steps or warmup_steps is not below total_steps.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Epoch after epoch
#
# `fit` trains for some epochs and evaluates after each one. The training loss nearly always falls; the
# *validation* loss falls, reaches a lowest point, and rises again when the model begins to learn the training set
# by heart. So we stop early:
#
# - `patience` is the number of epochs in a row without a *new lowest* validation loss after which we give up.
#   With `patience=2` and validation losses 5, 3, 4, 3, … training ends after the fourth epoch: a second 3 is not
#   a new lowest.
# - At the end the model gets back the parameters and buffers of its best epoch (the first one, if several are equal),
#   whether or not it was stopped early.
#
# For this they have to be kept while training goes on. `model.state_dict()` does not do that: it refers to the very
# tensors that the optimizer changes in the next step. Keep copies.
#
# Without `patience`, all epochs are trained, and the model is left as it is after the last.


# %%
def fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """Train for some epochs, and evaluate after each.

    epochs: how many at most
    patience: stop after so many epochs in a row without a new lowest validation loss, and in any case end with the
        parameters and buffers of the best epoch; None to train all epochs and end with the last

    Returns one dictionary {"train_loss": ..., "valid_loss": ..., "valid_accuracy": ...} for each epoch, in a list.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Going on tomorrow
#
# A checkpoint is one file with everything that is needed to go on as if nothing had happened. The parameters alone
# are not enough: batch normalisation has buffers, SGD has its momentum, Adam two moments and a step count for each
# parameter, and a scheduler has changed the learning rates. All of this is in the two `state_dict()`s.
#
# Files from elsewhere can be dangerous, since Python's pickle can run code when it is loaded. With
# `weights_only=True`, `torch.load` accepts only tensors, numbers, strings, lists and dictionaries. So a
# checkpoint must not contain the model object itself.
#
# A path is a string or a `pathlib.Path`. `load_checkpoint` changes the model and the optimizer that it is given,
# which look like those that were saved but have other numbers, and returns the epoch. If there is no file, it
# raises a `FileNotFoundError`, as `torch.load` does.


# %%
def save_checkpoint(path, model, optimizer, epoch):
    """Write everything that training needs to go on into one file, readable by torch.load(path, weights_only=True).

    path: where; a file that is there already is replaced
    epoch: an int
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %%
def load_checkpoint(path, model, optimizer):
    """Put model and optimizer into the state that save_checkpoint has written.

    path: a file of save_checkpoint
    model, optimizer: like those that were saved; changed in place

    Returns the epoch.
    Raises FileNotFoundError when there is no such file.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## All of it together
#
# Two spirals, 200 points, half of them for validation, and a small network. Your functions do the rest. On the left is
# the schedule. On the right, look for the epoch at which the validation loss is lowest, and for the gap between the two
# curves. (Run the cell when all exercises above work. It needs `matplotlib`.)


# %%
def draw_training():
    """A schedule, and the losses of a small network that learns to tell two spirals apart."""
    import matplotlib.pyplot as plt

    torch.manual_seed(0)
    turn = torch.rand(200)
    arm = torch.arange(200) % 2
    angle = 1.5 * math.pi * turn + math.pi * arm
    points = turn.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], dim=1) + 0.15 * torch.randn(200, 2)
    batches = list(zip(points.split(20), arm.split(20), strict=True))

    net = nn.Sequential(nn.Linear(2, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    net.apply(init_cnn)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    history = fit(net, batches[:5], batches[5:], cross_entropy, optimizer, epochs=80, patience=20)

    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    left.plot([cosine_schedule(step, 100, base_lr=0.1, warmup_steps=10) for step in range(101)])
    left.set(title="Warm-up, then half a cosine wave", xlabel="step", ylabel="learning rate")
    right.plot([epoch["train_loss"] for epoch in history], label="training")
    right.plot([epoch["valid_loss"] for epoch in history], "--", label="validation")
    right.set(title="Loss per sample", xlabel="epoch", ylabel="cross-entropy")
    right.legend()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_training()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write all the functions above first.")
