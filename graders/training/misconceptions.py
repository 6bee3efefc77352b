"""Known wrong ways to do the exercises of `training`, with the hint for a student who did exactly that."""

import copy
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from training import (
    accumulate_gradients,
    accuracy,
    cosine_schedule,
    cross_entropy,
    evaluate,
    fit,
    init_cnn,
    kaiming_init,
    load_checkpoint,
    save_checkpoint,
    train_one_epoch,
)

from autograder.grading import misconception

BATCH_NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


# accuracy


@misconception("accuracy", hint="The result should be a share from 0 to 1. What is yours if everything is right?")
def returns_a_percentage(logits, labels):
    """100 times too large."""
    return 100 * accuracy(logits, labels)


@misconception("accuracy", hint="You count the right ones. What share of all samples are they?")
def counts_the_right_ones(logits, labels):
    """The division is missing."""
    return round(accuracy(logits, labels) * len(labels)) * 1.0


@misconception(
    "accuracy",
    hint="Along which dimension are the classes? `argmax(dim=0)` compares samples.",
    severe="the logits of a sample are never compared",
)
def compares_the_samples(logits, labels):
    """The maximum over the rows instead of over the columns."""
    accuracy(logits, labels)
    found = logits.argmax(dim=0)
    count = min(len(found), len(labels))
    return (found[:count] == labels[:count]).double().sum().item() / len(labels)


@misconception("accuracy", hint="If two logits of a row are equally large, which of them counts? Try [[1., 1.]].")
def takes_the_last_maximum(logits, labels):
    """Ties: the last of several maxima."""
    accuracy(logits, labels)
    last = logits.shape[1] - 1 - logits.flip(1).argmax(dim=1)
    return (last == labels).double().mean().item()


@misconception("accuracy", hint="A row has one prediction. With [[1., 1.]], labels 0 and 1 cannot both be right.")
def accepts_every_maximum(logits, labels):
    """Ties: right if the label's logit is as large as the maximum."""
    accuracy(logits, labels)
    return (logits.gather(1, labels.unsqueeze(1))[:, 0] == logits.amax(dim=1)).double().mean().item()


@misconception("accuracy", hint="`mean()` returns a tensor. What turns a tensor with one entry into a Python number?")
def returns_a_tensor(logits, labels):
    """A tensor without dimensions."""
    return torch.tensor(accuracy(logits, labels))


@misconception("accuracy", hint="What does `==` do with 3 predictions and 1 label? Compare the lengths first.")
def broadcasts_the_labels(logits, labels):
    """Lengths that differ are not noticed if one of them is 1."""
    if len(labels) == 1:
        labels = labels.expand(len(logits))
    return accuracy(logits, labels)


@misconception("accuracy", hint="`zip` stops at the shorter one without a word. Compare the lengths first.")
def zips_rows_and_labels(logits, labels):
    """Lengths that differ are not noticed."""
    count = min(len(logits), len(labels))
    return accuracy(logits[:count], labels[:count])


@misconception("accuracy", hint="How many of no samples are right? The exercise asks for a ValueError.")
def is_0_without_samples(logits, labels):
    """No samples give 0.0."""
    return accuracy(logits, labels) if len(labels) else 0.0


@misconception("accuracy", hint="Is your division one of whole numbers? `//` rounds down.")
def rounds_down(logits, labels):
    """Integer division."""
    return float(int(accuracy(logits, labels)))


@misconception(
    "accuracy", hint="Print the logits before and after your call. Functions whose name ends in _ work in place."
)
def changes_the_logits(logits, labels):
    """Logits are replaced by their exponentials."""
    found = accuracy(logits, labels)
    logits.data.exp_()
    return found


@misconception("accuracy", hint="Your code fails for logits that belong to a graph. What does NumPy ask you to do?")
def needs_logits_without_a_graph(logits, labels):
    """`.numpy()` refuses tensors that require gradients."""
    found = accuracy(logits, labels)
    logits.numpy()
    return found


# cross_entropy


def log_probabilities(logits):
    """Right: stable log-softmax."""
    shifted = logits - logits.amax(dim=1, keepdim=True).detach()
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def checked(smoothing):
    """Right: the range of label_smoothing."""
    if not 0 <= smoothing <= 1:
        raise ValueError("label_smoothing is outside [0, 1]")


def smoothed(log_p, labels, smoothing):
    """Right: the loss of each sample."""
    of_labels = log_p.gather(1, labels.unsqueeze(1)).squeeze(1)
    return -((1 - smoothing) * of_labels + smoothing * log_p.mean(dim=1))


@misconception(
    "cross_entropy",
    hint="This exercise asks you to write what `F.cross_entropy` does. Start with log Σ exp(z) − z_y for one sample.",
    severe="the library does all of the exercise",
)
def calls_the_library(logits, labels, label_smoothing=0.0):
    """F.cross_entropy."""
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)


@misconception(
    "cross_entropy",
    hint="`softmax` is forbidden here, and its logarithm is −inf where a probability is too small. Use logarithms.",
    severe="a forbidden function does the most important part",
)
def takes_the_log_of_softmax(logits, labels, label_smoothing=0.0):
    """softmax, then log."""
    checked(label_smoothing)
    return smoothed(logits.softmax(1).log(), labels, label_smoothing).mean()


@misconception("cross_entropy", hint="What is exp(1000)? Subtract the largest logit of each row before `exp`.")
def overflows(logits, labels, label_smoothing=0.0):
    """Nothing is subtracted before exp."""
    checked(label_smoothing)
    return smoothed(logits - logits.exp().sum(1, keepdim=True).log(), labels, label_smoothing).mean()


@misconception(
    "cross_entropy",
    hint="You subtract one number from all rows. What is left of a row whose logits are 2000 below those of another?",
)
def subtracts_one_maximum(logits, labels, label_smoothing=0.0):
    """The maximum of the whole batch."""
    checked(label_smoothing)
    shifted = logits - logits.max().detach()
    return smoothed(shifted - shifted.exp().sum(1, keepdim=True).log(), labels, label_smoothing).mean()


@misconception(
    "cross_entropy",
    hint="A small number inside the logarithm, or a clamp, hides that a probability became 0: the loss is too small.",
)
def clamps_probabilities(logits, labels, label_smoothing=0.0):
    """log(p + 1e-12): no infinity, but not the right loss either."""
    checked(label_smoothing)
    return smoothed((log_probabilities(logits).exp() + 1e-12).log(), labels, label_smoothing).mean()


@misconception("cross_entropy", hint="The result should be the mean over the batch. Is yours proportional to its size?")
def adds_up_the_batch(logits, labels, label_smoothing=0.0):
    """The sum instead of the mean."""
    return cross_entropy(logits, labels, label_smoothing) * len(labels)


@misconception("cross_entropy", hint="Over how many numbers do you take the mean? Each sample has one loss.")
def averages_over_classes_too(logits, labels, label_smoothing=0.0):
    """Divided by the number of classes as well."""
    return cross_entropy(logits, labels, label_smoothing) / logits.shape[1]


@misconception("cross_entropy", hint="Do you use `label_smoothing` anywhere but in the check of its range?")
def ignores_label_smoothing(logits, labels, label_smoothing=0.0):
    """As if it were 0."""
    checked(label_smoothing)
    return cross_entropy(logits, labels)


@misconception("cross_entropy", hint="ε is spread over all K classes; the label is one of them. Do you use K − 1?")
def smooths_over_the_others_only(logits, labels, label_smoothing=0.0):
    """ε / (K − 1) for the classes that are not the label."""
    checked(label_smoothing)
    log_p = log_probabilities(logits)
    k = logits.shape[1]
    share = label_smoothing * k / (k - 1) if k > 1 else label_smoothing
    return smoothed(log_p, labels, share).mean()


@misconception("cross_entropy", hint="How much of the target is on each class? Together they must be 1.")
def smooths_with_the_whole_epsilon(logits, labels, label_smoothing=0.0):
    """ε for every class, not ε / K."""
    checked(label_smoothing)
    log_p = log_probabilities(logits)
    of_labels = log_p.gather(1, labels.unsqueeze(1)).squeeze(1)
    return -((1 - label_smoothing) * of_labels + label_smoothing * log_p.sum(1)).mean()


@misconception("cross_entropy", hint="What is on the label itself: 1, or 1 − ε and its part of ε?")
def keeps_the_whole_label(logits, labels, label_smoothing=0.0):
    """The factor 1 − ε is missing."""
    checked(label_smoothing)
    log_p = log_probabilities(logits)
    return -(log_p.gather(1, labels.unsqueeze(1)).squeeze(1) + label_smoothing * log_p.mean(1)).mean()


@misconception(
    "cross_entropy",
    hint="Softmax is taken once. Do you apply it to what are probabilities already?",
    severe="neither values nor gradients mean anything when probabilities are treated as logits",
)
def takes_softmax_twice(logits, labels, label_smoothing=0.0):
    """Probabilities treated as logits."""
    return cross_entropy(log_probabilities(logits).exp(), labels, label_smoothing)


@misconception("cross_entropy", hint="What is the sign of a loss? The logarithm of a probability is negative.")
def forgets_the_minus(logits, labels, label_smoothing=0.0):
    """The sign."""
    return -cross_entropy(logits, labels, label_smoothing)


@misconception("cross_entropy", hint="Your loss has no graph. `item()`, `detach()` and `torch.tensor(...)` cut it off.")
def cuts_the_graph(logits, labels, label_smoothing=0.0):
    """No gradients."""
    return cross_entropy(logits, labels, label_smoothing).detach()


@misconception("cross_entropy", hint="How many dimensions does your result have? A loss has none.")
def keeps_a_dimension(logits, labels, label_smoothing=0.0):
    """Shape (1,)."""
    return cross_entropy(logits, labels, label_smoothing).reshape(1)


@misconception("cross_entropy", hint="Print the dtype of your loss for logits in float64. Where does it change?")
def computes_in_float32(logits, labels, label_smoothing=0.0):
    """The result is float32."""
    return cross_entropy(logits, labels, label_smoothing).float()


@misconception("cross_entropy", hint="Print the logits before and after your call. `-=` works in place.")
def subtracts_in_place(logits, labels, label_smoothing=0.0):
    """The caller's logits are shifted."""
    loss = cross_entropy(logits, labels, label_smoothing)
    if not logits.requires_grad:
        logits -= logits.amax(dim=1, keepdim=True)
    return loss


@misconception("cross_entropy", hint="Which values of label_smoothing make sense? The exercise asks for a ValueError.")
def accepts_any_smoothing(logits, labels, label_smoothing=0.0):
    """No check of the range."""
    return smoothed(log_probabilities(logits), labels, label_smoothing).mean()


@misconception("cross_entropy", hint="A label smoothing of exactly 1 is allowed. Is yours a `<` that should be a `<=`?")
def refuses_a_smoothing_of_1(logits, labels, label_smoothing=0.0):
    """1 is not allowed."""
    if label_smoothing >= 1:
        raise ValueError("label_smoothing must be below 1")
    return cross_entropy(logits, labels, label_smoothing)


@misconception(
    "cross_entropy", hint="What do `squeeze()` or indexing do if the batch has one sample? Name the dimension."
)
def squeezes_a_single_sample(logits, labels, label_smoothing=0.0):
    """A batch of one loses its first dimension, and then the classes are averaged."""
    if len(labels) == 1:
        return cross_entropy(logits, labels, label_smoothing) - log_probabilities(logits).mean() / 2
    return cross_entropy(logits, labels, label_smoothing)


@misconception("cross_entropy", hint="The natural logarithm belongs to exp. Is yours to base 2 or 10?")
def takes_another_base(logits, labels, label_smoothing=0.0):
    """Logarithms to base 2."""
    return cross_entropy(logits, labels, label_smoothing) / math.log(2)


# init_cnn


@misconception(
    "init_cnn",
    hint="Xavier looks at fan_in and fan_out, and has no gain unless you ask for one. Which bound have your numbers?",
)
def uses_kaiming(module):
    """Kaiming-uniform instead of Xavier-uniform."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")


@misconception("init_cnn", hint="Uniform or normal? Numbers from a normal distribution have no bound.")
def draws_from_a_normal_distribution(module):
    """Xavier-normal."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_normal_(module.weight)


@misconception("init_cnn", hint="Print the biases before and after your call. Only the weights are drawn anew.")
def sets_biases_to_zero(module):
    """The biases, too."""
    init_cnn(module)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


@misconception("init_cnn", hint="`type(module) == nn.Conv2d` is false for a subclass of it. What is true for both?")
def compares_the_type(module):
    """Subclasses are left out."""
    if type(module) in (nn.Conv2d, nn.Linear):
        init_cnn(module)


@misconception("init_cnn", hint="Print a linear layer's weight before and after your call.")
def forgets_linear_layers(module):
    """Only convolutions."""
    if isinstance(module, nn.Conv2d):
        init_cnn(module)


@misconception("init_cnn", hint="Print a convolution's weight before and after your call.")
def forgets_convolutions(module):
    """Only linear layers."""
    if isinstance(module, nn.Linear):
        init_cnn(module)


@misconception("init_cnn", hint="Other layers have weights with two dimensions or more, too. Are they to be changed?")
def goes_by_the_number_of_dimensions(module):
    """Embeddings and transposed convolutions as well."""
    weight = getattr(module, "weight", None)
    if isinstance(weight, torch.Tensor) and weight.dim() > 1:
        nn.init.xavier_uniform_(weight)


@misconception("init_cnn", hint="`net.apply` needs no result. What does yours return?")
def returns_the_module(module):
    """Not None."""
    init_cnn(module)
    return module


@misconception("init_cnn", hint="Your numbers are the same whatever `torch.manual_seed` says. Who else sets a seed?")
def sets_a_seed(module):
    """Always the same numbers."""
    torch.manual_seed(0)
    init_cnn(module)


@misconception(
    "init_cnn",
    hint="Where does the gain come from? Xavier-uniform has none unless you ask for it.",
    as_good_as="uses_kaiming",
)
def multiplies_by_the_gain_of_relu(module):
    """√2 too large."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=math.sqrt(2))


# kaiming_init


def kaiming(model, **options):
    """Right, except for the options."""
    options = {"mode": "fan_out", "nonlinearity": "relu", **options}
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, **options)
        elif isinstance(module, BATCH_NORMS) and module.affine:
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    return model


@misconception(
    "kaiming_init",
    hint='Is it fan_out, and is the gain that of ReLU? PyTorch takes "fan_in" unless you say otherwise.',
)
def uses_fan_in(model):
    """The default mode."""
    return kaiming(model, mode="fan_in")


@misconception(
    "kaiming_init",
    hint="ReLU sets half of the numbers to 0. Which number in the variance makes up for it?",
    as_good_as="uses_fan_in",
)
def forgets_the_gain(model):
    """Variance 1 / fan_out."""
    return kaiming(model, nonlinearity="linear")


@misconception("kaiming_init", hint="Normal or uniform? Yours has bounds.")
def draws_uniformly(model):
    """Kaiming-uniform."""
    kaiming(model)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


@misconception("kaiming_init", hint="`nn.BatchNorm1d` and `nn.BatchNorm3d` are batch normalisation, too.")
def knows_batchnorm2d_only(model):
    """1d and 3d are left out."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) or (isinstance(module, nn.BatchNorm2d) and module.affine):
            kaiming(module)
    return model


@misconception("kaiming_init", hint="With affine=False, weight and bias of a batch normalisation are None.")
def expects_affine_parameters(model):
    """Raises for affine=False."""
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            nn.init.ones_(module.weight)
    return kaiming_init(model)


@misconception("kaiming_init", hint="Print the biases of a convolution before and after your call.")
def sets_biases_of_convolutions_to_zero(model):
    """The biases, too."""
    for module in kaiming_init(model).modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


@misconception("kaiming_init", hint="Print the weight of a linear layer before and after your call.")
def changes_linear_layers(model):
    """Linear layers, too."""
    for module in kaiming_init(model).modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
    return model


@misconception("kaiming_init", hint="Other normalisations have a weight as well. Which ones did the exercise name?")
def changes_all_normalisations(model):
    """Group and layer normalisation, too."""
    for module in kaiming_init(model).modules():
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    return model


@misconception("kaiming_init", hint="Does your loop reach layers inside other layers? Try `model.modules()`.")
def looks_at_direct_children_only(model):
    """Nested layers are left out."""
    for child in model.children():
        if isinstance(child, nn.Conv2d | BATCH_NORMS):
            kaiming(child)
    return model


@misconception("kaiming_init", hint="What does a function return if its last line is a loop?")
def returns_nothing(model):
    """None."""
    kaiming_init(model)


@misconception(
    "kaiming_init", hint="Print the running mean before and after your call. `reset_parameters` does too much."
)
def resets_running_statistics(model):
    """Running mean and variance start again."""
    for module in kaiming_init(model).modules():
        if isinstance(module, BATCH_NORMS):
            module.reset_running_stats()
    return model


@misconception("kaiming_init", hint="What are scale and shift of a batch normalisation after your call? Print them.")
def leaves_batch_normalisation_alone(model):
    """Only convolutions."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            kaiming(module)
    return model


@misconception("kaiming_init", hint="A batch normalisation whose scale is 0 returns 0. Which of the two should be 1?")
def zeroes_the_scale(model):
    """Scale 0."""
    for module in kaiming_init(model).modules():
        if isinstance(module, BATCH_NORMS) and module.affine:
            nn.init.zeros_(module.weight)
    return model


@misconception(
    "kaiming_init", hint="Your numbers are the same whatever `torch.manual_seed` says. Who else sets a seed?"
)
def sets_a_seed_first(model):
    """Always the same numbers."""
    torch.manual_seed(0)
    return kaiming_init(model)


@misconception("kaiming_init", hint="In which mode is the model before and after your call?")
def puts_into_training_mode(model):
    """The mode changes."""
    return kaiming_init(model).train()


# train_one_epoch


def loop(
    model,
    loader,
    loss_fn,
    optimizer,
    clip_norm=None,
    *,
    before=lambda optimizer: optimizer.zero_grad(),
    update=lambda optimizer, loss: (loss.backward(), optimizer.step()),
    clip=lambda model, norm: nn.utils.clip_grad_norm_(model.parameters(), norm),
    start=lambda model: model.train(),
):
    """Right, except for what is replaced."""
    start(model)
    total = samples = 0
    for x, y in loader:
        before(optimizer)
        loss = loss_fn(model(x), y)
        if clip_norm is None:
            update(optimizer, loss)
        else:
            loss.backward()
            clip(model, clip_norm)
            optimizer.step()
        total += loss.item() * len(y)
        samples += len(y)
    if samples == 0:
        raise ValueError("no batches")
    return total / samples


def ready(loader):
    """Right: the batches in a list; a ValueError if there are none."""
    batches = list(loader)
    if not batches:
        raise ValueError("no batches")
    return batches


@misconception(
    "train_one_epoch",
    hint="`backward` adds to the gradients that are there already. Who sets them back before each batch?",
)
def never_zeroes_gradients(model, loader, loss_fn, optimizer, clip_norm=None):
    """No zero_grad."""
    return loop(model, loader, loss_fn, optimizer, clip_norm, before=lambda _: None)


@misconception(
    "train_one_epoch",
    hint="Gradients are set back once, before the loop. What is in them when the second batch comes?",
)
def zeroes_once_per_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    """zero_grad before the loop only."""
    optimizer.zero_grad()
    return loop(model, loader, loss_fn, optimizer, clip_norm, before=lambda _: None)


@misconception(
    "train_one_epoch",
    hint="After each step your gradients are set back, but not before the first: what if there were some already?",
)
def zeroes_after_the_step_only(model, loader, loss_fn, optimizer, clip_norm=None):
    """Gradients from before the call count."""
    first = [True]

    def before(optimizer):
        if not first[0]:
            optimizer.zero_grad()
        first[0] = False

    return loop(model, loader, loss_fn, optimizer, clip_norm, before=before)


@misconception("train_one_epoch", hint="How often does your loop call `optimizer.step()` for one batch?")
def steps_twice(model, loader, loss_fn, optimizer, clip_norm=None):
    """Two steps per batch."""

    def update(optimizer, loss):
        loss.backward()
        optimizer.step()
        optimizer.step()

    return loop(model, loader, loss_fn, optimizer, clip_norm, update=update)


@misconception(
    "train_one_epoch",
    hint="Do the parameters change at all? Without `optimizer.step()`, nobody uses the gradients.",
)
def never_steps(model, loader, loss_fn, optimizer, clip_norm=None):
    """No step."""

    class NoStep:
        zero_grad = optimizer.zero_grad

        def step(self):
            pass

    return loop(model, loader, loss_fn, NoStep(), clip_norm)


@misconception(
    "train_one_epoch",
    hint="Which gradients are there when your optimizer makes its step? Those of this batch come with `backward`.",
    severe="PyTorch refuses to go back through parameters that have changed, so there is nothing to compare",
)
def steps_before_backward(model, loader, loss_fn, optimizer, clip_norm=None):
    """The step uses what is left of the batch before."""

    def update(optimizer, loss):
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()

    model.train()
    total = samples = 0
    for x, y in ready(loader):
        loss = loss_fn(model(x), y)
        update(optimizer, loss)
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        total += loss.item() * len(y)
        samples += len(y)
    return total / samples


@misconception(
    "train_one_epoch",
    hint="Your gradients are set back between `backward` and the step. What is left for the step?",
)
def zeroes_between_backward_and_step(model, loader, loss_fn, optimizer, clip_norm=None):  # noqa: ARG001
    """zero_grad in the wrong place."""

    def update(optimizer, loss):
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()

    return loop(model, loader, loss_fn, optimizer, update=update)


@misconception("train_one_epoch", hint="Where is your step: in the loop over the batches, or after it?")
def steps_once_per_epoch(model, loader, loss_fn, optimizer, clip_norm=None):
    """One step with the gradients of all batches."""
    batches = ready(loader)
    last = [len(batches)]

    def update(optimizer, loss):
        loss.backward()
        last[0] -= 1
        if not last[0]:
            optimizer.step()

    first = [True]

    def before(optimizer):
        if first[0]:
            optimizer.zero_grad()
        first[0] = False

    return loop(model, batches, loss_fn, optimizer, clip_norm, before=before, update=update)


@misconception("train_one_epoch", hint="Is the last batch trained on? Print the sizes of the batches that you see.")
def skips_the_last_batch(model, loader, loss_fn, optimizer, clip_norm=None):
    """All batches but the last, unless it is the only one."""
    batches = ready(loader)
    return loop(model, batches[:-1] or batches, loss_fn, optimizer, clip_norm)


@misconception("train_one_epoch", hint="The last batch may be smaller than the others. Is it trained on?")
def skips_a_smaller_batch(model, loader, loss_fn, optimizer, clip_norm=None):
    """Batches that are smaller than the first are left out."""
    batches = ready(loader)
    whole = [batch for batch in batches if len(batch[1]) == len(batches[0][1])]
    return loop(model, whole, loss_fn, optimizer, clip_norm)


@misconception("train_one_epoch", hint="Does your loop go through all batches? A `return` inside it ends it.")
def returns_after_the_first_batch(model, loader, loss_fn, optimizer, clip_norm=None):
    """Only the first batch."""
    return loop(model, ready(loader)[:1], loss_fn, optimizer, clip_norm)


@misconception("train_one_epoch", hint="Who said that the batches should be shuffled? That is for the loader to do.")
def shuffles_the_batches(model, loader, loss_fn, optimizer, clip_norm=None):
    """Another order than the loader's."""
    batches = ready(loader)
    return loop(model, batches[::-1], loss_fn, optimizer, clip_norm)


@misconception(
    "train_one_epoch",
    hint="The mean of the batches' means counts a small batch like a large one. How many samples has each?",
)
def averages_batch_means(model, loader, loss_fn, optimizer, clip_norm=None):
    """The mean of batch means."""
    means = [loop(model, [batch], loss_fn, optimizer, clip_norm) for batch in ready(loader)]
    return sum(means) / len(means)


@misconception("train_one_epoch", hint="Is your result the loss of the last batch, or that of all of them?")
def returns_the_last_loss(model, loader, loss_fn, optimizer, clip_norm=None):
    """The last batch's loss."""
    return [loop(model, [batch], loss_fn, optimizer, clip_norm) for batch in ready(loader)][-1]


@misconception("train_one_epoch", hint="Do you divide the sum of all losses by the number of samples?")
def returns_the_sum(model, loader, loss_fn, optimizer, clip_norm=None):
    """The sum over samples."""
    batches = ready(loader)
    return loop(model, batches, loss_fn, optimizer, clip_norm) * sum(len(y) for _, y in batches)


@misconception("train_one_epoch", hint="The loss of a batch is already a mean. By what do you have to multiply it?")
def divides_batch_means_by_samples(model, loader, loss_fn, optimizer, clip_norm=None):
    """The sum of batch means divided by the number of samples."""
    batches = ready(loader)
    means = [loop(model, [batch], loss_fn, optimizer, clip_norm) for batch in batches]
    return sum(means) / sum(len(y) for _, y in batches)


@misconception(
    "train_one_epoch",
    hint="Which loss belongs to the step: the one before it, or one computed afterwards? One forward is enough.",
)
def measures_after_the_step(model, loader, loss_fn, optimizer, clip_norm=None):
    """A second forward pass for each batch."""
    total = samples = 0
    for x, y in ready(loader):
        loop(model, [(x, y)], loss_fn, optimizer, clip_norm)
        with torch.no_grad():
            total += loss_fn(model(x), y).item() * len(y)
        samples += len(y)
    return total / samples


@misconception(
    "train_one_epoch", hint="In which mode does your model train? Nobody promises that it is in training mode."
)
def leaves_the_mode(model, loader, loss_fn, optimizer, clip_norm=None):
    """No model.train()."""
    return loop(model, loader, loss_fn, optimizer, clip_norm, start=lambda _: None)


@misconception("train_one_epoch", hint="Which mode is meant for training? You call `eval()`.")
def trains_in_evaluation_mode(model, loader, loss_fn, optimizer, clip_norm=None):
    """model.eval()."""
    return loop(model, loader, loss_fn, optimizer, clip_norm, start=lambda model: model.eval())


@misconception(
    "train_one_epoch",
    hint="You set the flag of the model itself. Who tells its layers? `model.train()` does both.",
)
def sets_only_the_flag_of_the_model(model, loader, loss_fn, optimizer, clip_norm=None):
    """model.training = True."""

    def start(model):
        model.training = True

    return loop(model, loader, loss_fn, optimizer, clip_norm, start=start)


@misconception(
    "train_one_epoch",
    hint="A layer may have a `train()` of its own, such as a frozen batch normalisation. Call `model.train()` instead.",
)
def sets_all_flags(model, loader, loss_fn, optimizer, clip_norm=None):
    """Goes around the layers' own train()."""

    def start(model):
        for module in model.modules():
            module.training = True

    return loop(model, loader, loss_fn, optimizer, clip_norm, start=start)


@misconception(
    "train_one_epoch",
    hint="With `clip_norm`, are gradients clipped after `backward` has computed them and before the step uses them?",
)
def ignores_clip_norm(model, loader, loss_fn, optimizer, clip_norm=None):  # noqa: ARG001
    """No clipping."""
    return loop(model, loader, loss_fn, optimizer)


@misconception(
    "train_one_epoch",
    hint="Your gradients are clipped after the step. Who is to use them then?",
    as_good_as="ignores_clip_norm",
)
def clips_after_the_step(model, loader, loss_fn, optimizer, clip_norm=None):
    """Too late."""

    def update(optimizer, loss):
        loss.backward()
        optimizer.step()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)

    return loop(model, loader, loss_fn, optimizer, update=update)


@misconception(
    "train_one_epoch",
    hint="Your gradients are clipped before `backward` has computed them.",
    as_good_as="ignores_clip_norm",
)
def clips_before_backward(model, loader, loss_fn, optimizer, clip_norm=None):
    """Too early."""

    def update(optimizer, loss):
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        loss.backward()
        optimizer.step()

    return loop(model, loader, loss_fn, optimizer, update=update)


@misconception(
    "train_one_epoch", hint="You clip each number by itself. The exercise asks for the length of all together."
)
def clips_values(model, loader, loss_fn, optimizer, clip_norm=None):
    """clip_grad_value_."""

    def clip(model, norm):
        nn.utils.clip_grad_value_(model.parameters(), norm)

    return loop(model, loader, loss_fn, optimizer, clip_norm, clip=clip)


@misconception("train_one_epoch", hint="You clip each tensor by itself. What is the length of all gradients together?")
def clips_each_parameter(model, loader, loss_fn, optimizer, clip_norm=None):
    """One norm per tensor."""

    def clip(model, norm):
        for parameter in model.parameters():
            nn.utils.clip_grad_norm_([parameter], norm)

    return loop(model, loader, loss_fn, optimizer, clip_norm, clip=clip)


@misconception("train_one_epoch", hint="Which norm is yours? The L2 norm is the root of the sum of squares.")
def clips_the_largest_entry(model, loader, loss_fn, optimizer, clip_norm=None):
    """The maximum norm."""

    def clip(model, norm):
        nn.utils.clip_grad_norm_(model.parameters(), norm, norm_type=math.inf)

    return loop(model, loader, loss_fn, optimizer, clip_norm, clip=clip)


@misconception("train_one_epoch", hint="Gradients that are shorter than clip_norm should stay. Yours become longer.")
def scales_to_the_norm(model, loader, loss_fn, optimizer, clip_norm=None):
    """Short gradients are made longer."""

    def clip(model, norm):
        found = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        total = torch.stack([grad.norm() for grad in found]).norm()
        for grad in found:
            grad.mul_(norm / total)

    return loop(model, loader, loss_fn, optimizer, clip_norm, clip=clip)


@misconception("train_one_epoch", hint="`total += loss` keeps the graph of every batch. Which number do you need?")
def adds_up_graphs(model, loader, loss_fn, optimizer, clip_norm=None):
    """The graphs stay until the end."""
    losses = []

    def update(optimizer, loss):
        losses.append(loss)
        loss.backward()
        optimizer.step()

    return loop(model, loader, loss_fn, optimizer, clip_norm, update=update)


@misconception("train_one_epoch", hint="Your result is a tensor. `item()` makes a Python number of it.")
def returns_a_tensor_of_the_loss(model, loader, loss_fn, optimizer, clip_norm=None):
    """A tensor."""
    return torch.tensor(loop(model, loader, loss_fn, optimizer, clip_norm), dtype=torch.float64)


@misconception("train_one_epoch", hint="What is the mean loss of no samples? The exercise asks for a ValueError.")
def is_0_for_an_empty_loader(model, loader, loss_fn, optimizer, clip_norm=None):
    """0.0 instead of a ValueError."""
    batches = list(loader)
    return loop(model, batches, loss_fn, optimizer, clip_norm) if batches else 0.0


@misconception("train_one_epoch", hint="Not every loader has a length. Count while you go through it.")
def asks_for_the_length(model, loader, loss_fn, optimizer, clip_norm=None):
    """len(loader)."""
    if len(loader) == 0:
        raise ValueError("no batches")
    return loop(model, loader, loss_fn, optimizer, clip_norm)


@misconception(
    "train_one_epoch",
    hint="You change the parameters by hand. The optimizer that was passed in may do more than subtract lr · gradient.",
)
def descends_by_hand(model, loader, loss_fn, optimizer, clip_norm=None):
    """p -= lr * grad."""

    def update(optimizer, loss):
        loss.backward()
        with torch.no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter -= group["lr"] * parameter.grad

    return loop(model, loader, loss_fn, optimizer, clip_norm, update=update)


@misconception("train_one_epoch", hint="You make an optimizer of your own. Use the one that was passed in.")
def makes_its_own_optimizer(model, loader, loss_fn, optimizer, clip_norm=None):
    """All groups get the first one's learning rate, and the state of the optimizer is not used."""
    rate = optimizer.param_groups[0]["lr"]
    for group in optimizer.param_groups:
        group["lr"] = rate
        if "betas" in group:
            group["betas"] = (0.9, 0.9)
        if "momentum" in group:
            group["momentum"] = 0
            group["nesterov"] = False
    return loop(model, loader, loss_fn, optimizer, clip_norm)


@misconception(
    "train_one_epoch", hint="A frozen parameter is frozen on purpose. Who sets `requires_grad` in your code?"
)
def thaws_frozen_parameters(model, loader, loss_fn, optimizer, clip_norm=None):
    """requires_grad_(True) for everything."""
    model.requires_grad_(True)
    return loop(model, loader, loss_fn, optimizer, clip_norm)


@misconception("train_one_epoch", hint="Which loss does your loop compute? The one that was passed in may be another.")
def always_uses_cross_entropy(model, loader, loss_fn, optimizer, clip_norm=None):
    """The argument loss_fn is only used for its shape."""

    def other(prediction, y):
        return loss_fn(prediction, y) * 0 + F.cross_entropy(prediction, y)

    return loop(model, loader, other, optimizer, clip_norm)


@misconception("train_one_epoch", hint="How often does each batch go through the model in training mode?")
def looks_at_all_batches_first(model, loader, loss_fn, optimizer, clip_norm=None):
    """A pass without training before the real one; batch normalisation counts it."""
    batches = ready(loader)
    model.train()
    with torch.no_grad():
        for x, _ in batches:
            model(x)
    return loop(model, batches, loss_fn, optimizer, clip_norm)


# evaluate


def measured(model, loader, loss_fn):
    """Right: loss and accuracy, in whatever mode the model is in."""
    total = right = samples = 0
    for x, y in loader:
        logits = model(x)
        total += loss_fn(logits, y).item() * len(y)
        right += (logits.argmax(1) == y).sum().item()
        samples += len(y)
    if samples == 0:
        raise ValueError("no batches")
    return total / samples, right / samples


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


@misconception("evaluate", hint="In which mode does the model answer? Dropout and batch normalisation ask for it.")
def evaluates_in_any_mode(model, loader, loss_fn):
    """No model.eval()."""
    with torch.no_grad():
        return measured(model, loader, loss_fn)


@misconception("evaluate", hint="`torch.no_grad()` has nothing to do with the mode. Which mode does your code set?")
def evaluates_in_training_mode(model, loader, loss_fn):
    """model.train()."""
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    try:
        with torch.no_grad():
            return measured(model, loader, loss_fn)
    finally:
        for module, mode in modes:
            module.training = mode


@misconception("evaluate", hint="Do the outputs of your model require a gradient? `eval()` does not change that.")
def records_a_graph(model, loader, loss_fn):
    """No no_grad."""
    with torch.enable_grad(), evaluation(model):
        return measured(model, loader, loss_fn)


@misconception("evaluate", hint="The model may have been in evaluation mode before. Who puts it back into that?")
def always_ends_in_training_mode(model, loader, loss_fn):
    """model.train() at the end."""
    try:
        return evaluate(model, loader, loss_fn)
    finally:
        model.train()


@misconception("evaluate", hint="After your call the model is in evaluation mode. In which mode was it before?")
def leaves_evaluation_mode(model, loader, loss_fn):
    """model.eval() stays."""
    try:
        return evaluate(model, loader, loss_fn)
    finally:
        model.eval()


@misconception(
    "evaluate", hint="Not all submodules need be in the same mode before. `model.train(mode)` sets all alike."
)
def restores_one_mode_for_all(model, loader, loss_fn):
    """Only the model's own flag is remembered."""
    mode = model.training
    try:
        return evaluate(model, loader, loss_fn)
    finally:
        model.train(mode)


@misconception("evaluate", hint="Are the modes put back if the forward pass raises? `finally` runs in any case.")
def forgets_the_modes_after_an_exception(model, loader, loss_fn):
    """No finally."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    with torch.no_grad():
        found = measured(model, loader, loss_fn)
    for module, mode in modes:
        module.training = mode
    return found


@misconception("evaluate", hint="An exception of the model should reach the caller. Your code catches it.")
def swallows_exceptions(model, loader, loss_fn):
    """(0, 0) instead of the exception."""
    try:
        return evaluate(model, loader, loss_fn)
    except OverflowError:
        return 0.0, 0.0


def in_parts(model, loader, loss_fn):
    """Right: (mean loss, number of right answers, number of samples) of each batch."""
    parts = []
    with torch.no_grad(), evaluation(model):
        for x, y in ready(loader):
            logits = model(x)
            parts.append((loss_fn(logits, y).item(), (logits.argmax(1) == y).sum().item(), len(y)))
    return parts


def mean_loss(parts):
    """Right: per sample."""
    return sum(loss * n for loss, _, n in parts) / sum(n for _, _, n in parts)


def share_of(parts):
    """Right: of all samples."""
    return sum(right for _, right, _ in parts) / sum(n for _, _, n in parts)


@misconception("evaluate", hint="The mean of the batches' means counts a small batch like a large one, in the loss.")
def averages_batch_losses(model, loader, loss_fn):
    """The mean of batch means for the loss."""
    parts = in_parts(model, loader, loss_fn)
    return sum(loss for loss, _, _ in parts) / len(parts), share_of(parts)


@misconception("evaluate", hint="The mean of the batches' accuracies counts a small batch like a large one.")
def averages_batch_accuracies(model, loader, loss_fn):
    """The mean of batch means for the accuracy."""
    parts = in_parts(model, loader, loss_fn)
    return mean_loss(parts), sum(right / n for _, right, n in parts) / len(parts)


@misconception("evaluate", hint="The loss of a batch is already a mean. By what do you have to multiply it?")
def divides_batch_losses_by_samples(model, loader, loss_fn):
    """The sum of batch means divided by the number of samples."""
    parts = in_parts(model, loader, loss_fn)
    return sum(loss for loss, _, _ in parts) / sum(n for _, _, n in parts), share_of(parts)


@misconception("evaluate", hint="How many are right, or what share? Your second number is larger than 1.")
def counts_right_answers(model, loader, loss_fn):
    """The count."""
    parts = in_parts(model, loader, loss_fn)
    return mean_loss(parts), float(sum(right for _, right, _ in parts))


@misconception("evaluate", hint="Which comes first, the loss or the accuracy?")
def swaps_the_results(model, loader, loss_fn):
    """(accuracy, loss)."""
    return evaluate(model, loader, loss_fn)[::-1]


@misconception("evaluate", hint="Your accuracy is that of the last batch. What about the others?")
def keeps_the_last_accuracy(model, loader, loss_fn):
    """Overwritten in every batch."""
    parts = in_parts(model, loader, loss_fn)
    return mean_loss(parts), share_of(parts[-1:])


@misconception("evaluate", hint="Is the last batch looked at? Print the sizes of the batches that you see.")
def leaves_out_the_last_batch(model, loader, loss_fn):
    """All batches but the last, unless it is the only one."""
    batches = ready(loader)
    return evaluate(model, batches[:-1] or batches, loss_fn)


@misconception("evaluate", hint="Only the training loop has to do with gradients. Whose `zero_grad` is called here?")
def clears_gradients(model, loader, loss_fn):
    """model.zero_grad()."""
    model.zero_grad()
    return evaluate(model, loader, loss_fn)


@misconception("evaluate", hint="After your call, which parameters require a gradient? `no_grad` needs no such change.")
def freezes_the_model(model, loader, loss_fn):
    """requires_grad is switched off, and on again for everything."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    try:
        return evaluate(model, loader, loss_fn)
    finally:
        for parameter in model.parameters():
            parameter.requires_grad_(True)


@misconception("evaluate", hint="Print the type of both results. `item()` makes a Python number of a tensor.")
def returns_tensors(model, loader, loss_fn):
    """Two tensors."""
    loss, share = evaluate(model, loader, loss_fn)
    return torch.tensor(loss, dtype=torch.float64), torch.tensor(share, dtype=torch.float64)


@misconception("evaluate", hint="What are loss and accuracy of no samples? The exercise asks for a ValueError.")
def is_0_for_no_batches(model, loader, loss_fn):
    """(0, 0) instead of a ValueError."""
    batches = list(loader)
    return evaluate(model, batches, loss_fn) if batches else (0.0, 0.0)


@misconception("evaluate", hint="How often does each batch go through the model? Loss and accuracy can share one pass.")
def goes_through_twice(model, loader, loss_fn):
    """One pass for the loss and one for the accuracy."""
    return evaluate(model, loader, loss_fn)[0], evaluate(model, loader, loss_fn)[1]


@misconception("evaluate", hint="`torch.set_grad_enabled(False)` stays after your call. What ends by itself?")
def switches_autograd_off(model, loader, loss_fn):
    """Autograd stays off."""
    torch.set_grad_enabled(False)
    return evaluate(model, loader, loss_fn)


@misconception("evaluate", hint="Not every loader has a length. Count while you go through it.")
def asks_the_loader_for_its_length(model, loader, loss_fn):
    """len(loader)."""
    len(loader)
    return evaluate(model, loader, loss_fn)


@misconception("evaluate", hint="Only the model itself is in evaluation mode in your code. Who tells its layers?")
def sets_only_one_flag(model, loader, loss_fn):
    """model.training = False."""
    mode = model.training
    model.training = False
    try:
        with torch.no_grad():
            return measured(model, loader, loss_fn)
    finally:
        model.training = mode


# accumulate_gradients


def parts_of(x, y, size):
    """Right: the micro-batches."""
    if size < 1:
        raise ValueError("micro_batch_size is below 1")
    return list(zip(x.split(size), y.split(size), strict=True))


def accumulated(model, x, y, loss_fn, optimizer, size, *, weight=lambda few, _parts, whole: few / whole, zero=True):
    """Right, except for the weight of a micro-batch of `few` samples out of `whole`."""
    parts = parts_of(x, y, size)
    if zero:
        optimizer.zero_grad()
    total = 0.0
    for few_x, few_y in parts:
        loss = loss_fn(model(few_x), few_y)
        (loss * weight(len(few_y), len(parts), len(y))).backward()
        total += loss.item() * len(few_y) / len(y)
    optimizer.step()
    return total


@misconception(
    "accumulate_gradients",
    hint="Each micro-batch returns a mean. Added up as they are, they are too large: how much does each of them count?",
)
def forgets_the_weights(model, x, y, loss_fn, optimizer, micro_batch_size):
    """The sum of the micro-batches' means."""
    return accumulated(model, x, y, loss_fn, optimizer, micro_batch_size, weight=lambda *_: 1)


@misconception(
    "accumulate_gradients",
    hint="The last micro-batch may be smaller, and then it counts less. How many of the samples are in it?",
)
def weights_all_parts_alike(model, x, y, loss_fn, optimizer, micro_batch_size):
    """Divided by the number of micro-batches."""
    return accumulated(model, x, y, loss_fn, optimizer, micro_batch_size, weight=lambda _few, parts, _whole: 1 / parts)


@misconception(
    "accumulate_gradients",
    hint="You divide by N / micro_batch_size, as if all parts had this size. The last one may be smaller.",
)
def weights_by_the_nominal_size(model, x, y, loss_fn, optimizer, micro_batch_size):
    """micro_batch_size / N for all parts."""
    size = micro_batch_size
    return accumulated(
        model, x, y, loss_fn, optimizer, size, weight=lambda _few, _parts, whole: min(size, whole) / whole
    )


@misconception("accumulate_gradients", hint="Where is your step: in the loop over the micro-batches, or after it?")
def steps_for_each_part(model, x, y, loss_fn, optimizer, micro_batch_size):
    """One step per micro-batch."""
    total = 0.0
    optimizer.zero_grad()
    for few_x, few_y in parts_of(x, y, micro_batch_size):
        loss = loss_fn(model(few_x), few_y) * len(few_y) / len(y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


@misconception(
    "accumulate_gradients",
    hint="Your gradients are set back in the loop, so only those of the last micro-batch are left for the step.",
)
def zeroes_for_each_part(model, x, y, loss_fn, optimizer, micro_batch_size):
    """zero_grad in the loop."""
    total = 0.0
    for few_x, few_y in parts_of(x, y, micro_batch_size):
        optimizer.zero_grad()
        loss = loss_fn(model(few_x), few_y) * len(few_y) / len(y)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


@misconception("accumulate_gradients", hint="There may be gradients before your call. Who sets them back?")
def keeps_old_gradients(model, x, y, loss_fn, optimizer, micro_batch_size):
    """No zero_grad."""
    return accumulated(model, x, y, loss_fn, optimizer, micro_batch_size, zero=False)


@misconception(
    "accumulate_gradients", hint="How many samples are in the model at a time? Print the shape in its forward."
)
def forwards_the_whole_batch(model, x, y, loss_fn, optimizer, micro_batch_size):
    """No micro-batches."""
    parts_of(x, y, micro_batch_size)
    return accumulated(model, x, y, loss_fn, optimizer, len(y))


@misconception("accumulate_gradients", hint="`chunk(n)` and `tensor_split(n)` take a number of parts, not their size.")
def takes_the_size_for_a_number(model, x, y, loss_fn, optimizer, micro_batch_size):
    """micro_batch_size parts."""
    parts_of(x, y, micro_batch_size)
    size = math.ceil(len(y) / min(micro_batch_size, len(y)))
    return accumulated(model, x, y, loss_fn, optimizer, size)


@misconception("accumulate_gradients", hint="Are all samples used? The last ones do not fill a whole micro-batch.")
def drops_the_last_part(model, x, y, loss_fn, optimizer, micro_batch_size):
    """Left-over samples are dropped."""
    parts_of(x, y, micro_batch_size)
    whole = len(y) // micro_batch_size * micro_batch_size or len(y)
    return accumulated(model, x[:whole], y[:whole], loss_fn, optimizer, micro_batch_size)


@misconception(
    "accumulate_gradients", hint="In which order do the samples go through the model? Nothing is to be shuffled."
)
def takes_every_nth_sample(model, x, y, loss_fn, optimizer, micro_batch_size):
    """Strided parts."""
    parts = len(parts_of(x, y, micro_batch_size))
    optimizer.zero_grad()
    total = 0.0
    for start in range(parts):
        few = y[start::parts]
        loss = loss_fn(model(x[start::parts]), few) * len(few) / len(y)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


@misconception("accumulate_gradients", hint="Your result is the loss of the last micro-batch. What about the others?")
def returns_the_last_part(model, x, y, loss_fn, optimizer, micro_batch_size):
    """The last loss."""
    few = parts_of(x, y, micro_batch_size)[-1]
    with torch.no_grad():
        last = loss_fn(model(few[0]), few[1]).item()
    accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size)
    return last


@misconception(
    "accumulate_gradients", hint="Your result is the mean of the micro-batches' losses. Do all count the same?"
)
def averages_the_parts(model, x, y, loss_fn, optimizer, micro_batch_size):
    """The mean of means is returned; the gradients are right."""
    means = []

    def noted(prediction, few):
        loss = loss_fn(prediction, few)
        means.append(loss.item())
        return loss

    accumulate_gradients(model, x, y, noted, optimizer, micro_batch_size)
    return sum(means) / len(means)


@misconception("accumulate_gradients", hint="Your result is a tensor. `item()` makes a Python number of it.")
def returns_a_loss_tensor(model, x, y, loss_fn, optimizer, micro_batch_size):
    """A tensor."""
    return torch.tensor(accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size), dtype=torch.float64)


@misconception(
    "accumulate_gradients", hint="What is a micro-batch of 0 or −1 samples? The exercise asks for a ValueError."
)
def accepts_any_size(model, x, y, loss_fn, optimizer, micro_batch_size):
    """Sizes below 1 count as 1."""
    return accumulate_gradients(model, x, y, loss_fn, optimizer, max(1, micro_batch_size))


@misconception("accumulate_gradients", hint="What if the whole batch fits into one micro-batch? That is allowed.")
def refuses_a_large_size(model, x, y, loss_fn, optimizer, micro_batch_size):
    """A size above the batch's is an error."""
    if micro_batch_size > len(y):
        raise ValueError("micro_batch_size is larger than the batch")
    return accumulate_gradients(model, x, y, loss_fn, optimizer, micro_batch_size)


@misconception(
    "accumulate_gradients",
    hint="Do the parameters change at all? One `optimizer.step()` belongs at the end.",
    severe="without a step nobody can see the gradients",
)
def forgets_the_step(model, x, y, loss_fn, optimizer, micro_batch_size):
    """No step."""

    class NoStep:
        zero_grad = optimizer.zero_grad

        def step(self):
            pass

    return accumulate_gradients(model, x, y, loss_fn, NoStep(), micro_batch_size)


# cosine_schedule


def checked_step(step, total_steps, warmup_steps):
    """Right: the ranges."""
    if not 0 <= step <= total_steps or warmup_steps >= total_steps:
        raise ValueError("step or warmup_steps is out of range")


def wave(progress, base_lr, min_lr):
    """Right: half a cosine wave from base_lr to min_lr."""
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + math.cos(math.pi * progress))


@misconception("cosine_schedule", hint="Step 0 should have base_lr / warmup_steps. A rate of 0 would waste it.")
def begins_the_warmup_at_0(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """step / warmup_steps."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    return base_lr * step / warmup_steps if step < warmup_steps else found


@misconception("cosine_schedule", hint="What is the rate during the warm-up? Do you use `warmup_steps` there?")
def has_no_warmup(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """base_lr from the beginning."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    return float(base_lr) if step < warmup_steps else found


@misconception("cosine_schedule", hint="Where does the wave begin: at step 0, or where the warm-up ends?")
def begins_the_wave_at_0(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """step / total_steps after the warm-up."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    return found if step < warmup_steps else wave(step / total_steps, base_lr, min_lr)


@misconception("cosine_schedule", hint="How many steps are left after the warm-up? The wave has to end at total_steps.")
def stretches_the_wave(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """(step − warmup) / total."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    return found if step < warmup_steps else wave((step - warmup_steps) / total_steps, base_lr, min_lr)


@misconception("cosine_schedule", hint="The last step is total_steps, not total_steps − 1. Where is the lowest point?")
def ends_one_step_early(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """Divided by total − warmup − 1."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    left = max(1, total_steps - warmup_steps - 1)
    return found if step < warmup_steps else wave(min(1, (step - warmup_steps) / left), base_lr, min_lr)


@misconception("cosine_schedule", hint="Half a wave goes from cos 0 = 1 to cos π = −1. How far does yours go?")
def takes_a_whole_wave(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """2π instead of π."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return found if step < warmup_steps else wave(2 * progress, base_lr, min_lr)


@misconception("cosine_schedule", hint="`math.cos` takes radians. What does it say for π, and what for 180?")
def forgets_pi(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """cos(progress)."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return found if step < warmup_steps else wave(progress / math.pi, base_lr, min_lr)


@misconception("cosine_schedule", hint="A straight line from base_lr to min_lr is not half a cosine wave.")
def falls_along_a_line(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """Linear decay."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return found if step < warmup_steps else min_lr + (base_lr - min_lr) * (1 - progress)


@misconception("cosine_schedule", hint="Where does the wave end? `min_lr` should be its lowest point.")
def ignores_min_lr(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):  # noqa: ARG001
    """Down to 0."""
    return cosine_schedule(step, total_steps, base_lr, warmup_steps)


@misconception("cosine_schedule", hint="Is your rate base_lr at the top of the wave? min_lr is added to all of it.")
def adds_min_lr(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """The amplitude is still base_lr."""
    found = cosine_schedule(step, total_steps, base_lr, warmup_steps)
    return found if step < warmup_steps else min_lr + found


@misconception(
    "cosine_schedule", hint="Cutting the wave off at min_lr makes it flat at the end. It should arrive there."
)
def cuts_off_at_min_lr(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """max(min_lr, …)."""
    return max(min_lr, cosine_schedule(step, total_steps, base_lr, warmup_steps))


@misconception("cosine_schedule", hint="Is step total_steps allowed? It is the end of the wave.")
def refuses_the_last_step(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """step = total_steps is an error."""
    if step >= total_steps:
        raise ValueError("step is out of range")
    return cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr)


@misconception(
    "cosine_schedule", hint="What about a step below 0, or above total_steps? The exercise asks for a ValueError."
)
def accepts_any_step(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """The ends continue."""
    return cosine_schedule(min(max(step, 0), total_steps), total_steps, base_lr, warmup_steps, min_lr)


@misconception("cosine_schedule", hint="A warm-up as long as the training leaves no steps for the wave.")
def accepts_a_long_warmup(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """warmup_steps ≥ total_steps."""
    return cosine_schedule(step, max(total_steps, warmup_steps + 1), base_lr, warmup_steps, min_lr)


@misconception("cosine_schedule", hint="Your result is a tensor. `math.cos` works with Python numbers.")
def returns_a_tensor_as_rate(step, total_steps, base_lr, warmup_steps=0, min_lr=0.0):
    """torch.cos."""
    return torch.tensor(cosine_schedule(step, total_steps, base_lr, warmup_steps, min_lr), dtype=torch.float64)


# fit


def epoch_of(model, train_loader, valid_loader, loss_fn, optimizer):
    """Right: one epoch, and its entry in the history."""
    train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
    valid_loss, valid_accuracy = evaluate(model, valid_loader, loss_fn)
    return {"train_loss": train_loss, "valid_loss": valid_loss, "valid_accuracy": valid_accuracy}


def kept(model):
    """Right: a copy of parameters and buffers."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def fitted(
    model,
    train_loader,
    valid_loader,
    loss_fn,
    optimizer,
    epochs,
    patience,
    *,
    better=lambda loss, best, _previous: loss < best,
    keep=kept,
    restore=lambda model, state: model.load_state_dict(state),
    stop=lambda waited, patience: waited >= patience,
    start_again=True,
):
    """Right, except for what is replaced."""
    history, best, state, waited, previous = [], math.inf, None, 0, math.inf
    for _ in range(epochs):
        history.append(epoch_of(model, train_loader, valid_loader, loss_fn, optimizer))
        if patience is None:
            continue
        loss = history[-1]["valid_loss"]
        if better(loss, best, previous):
            best, state = loss, keep(model)
            waited = 0 if start_again else waited
        else:
            waited += 1
        previous = loss
        if stop(waited, patience):
            break
    if state is not None:
        restore(model, state)
    return history


@misconception(
    "fit",
    hint="Does the model have the best epoch's parameters at the end? Put them back from a copy: `state_dict()` refers "
    "to the very tensors that the next step changes.",
)
def keeps_a_reference(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """No copies."""
    return fitted(
        model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience, keep=lambda model: model.state_dict()
    )


@misconception(
    "fit",
    hint="`dict(...)` or `.copy()` copies the dictionary, but not the tensors in it.",
    as_good_as="keeps_a_reference",
)
def copies_only_the_dictionary(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """A shallow copy."""
    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        keep=lambda model: copy.copy(model.state_dict()),
    )


@misconception(
    "fit",
    hint="Which epoch's parameters does the model have at the end? Training went on after the best one.",
    as_good_as="keeps_a_reference",
)
def never_restores(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The last parameters stay."""
    return fitted(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience, restore=lambda *_: None)


@misconception("fit", hint="If all epochs are trained, the best one counts as well. Where do you put its numbers back?")
def restores_only_when_stopped(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """Restored inside the `if` that ends training."""
    stopped = []

    def stop(waited, patience):
        stopped.append(waited >= patience)
        return stopped[-1]

    def restore(model, state):
        if stopped[-1]:
            model.load_state_dict(state)

    return fitted(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience, stop=stop, restore=restore)


@misconception("fit", hint="Without patience the model should stay as it is after the last epoch.")
def always_restores(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The best epoch also without patience."""
    patience = math.inf if patience is None else patience
    return fitted(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)


@misconception("fit", hint="Batch normalisation has buffers. Are they those of the best epoch, too?")
def restores_only_parameters(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """Buffers stay those of the last epoch."""

    def keep(model):
        return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        keep=keep,
        restore=lambda model, state: model.load_state_dict(state, strict=False),
    )


@misconception("fit", hint="Do you use `patience` anywhere? Count the epochs without a new lowest validation loss.")
def never_stops_early(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """All epochs, whatever happens."""
    return fitted(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience, stop=lambda *_: False)


@misconception("fit", hint="With patience=1, one epoch without a new lowest loss is enough to stop. Is yours a `>`?")
def waits_one_epoch_too_long(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """> instead of >=."""
    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        stop=lambda waited, patience: waited > patience,
    )


@misconception("fit", hint="Only epochs in a row count. When does your count start again at 0?")
def never_starts_again(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The count is not reset."""
    return fitted(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience, start_again=False)


@misconception("fit", hint="A loss below that of the epoch before need not be a new lowest. What do you compare with?")
def compares_with_the_epoch_before(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The previous loss instead of the lowest."""
    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        better=lambda loss, _best, previous: loss < previous,
    )


@misconception("fit", hint="A loss that is equal to the lowest is not a new lowest. Is yours a `<=`?")
def counts_equal_losses_as_better(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """<= instead of <."""
    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        better=lambda loss, best, _previous: loss <= best,
    )


@misconception("fit", hint="For a loss, lower is better. Which epoch does your code take for the best?")
def keeps_the_highest_loss(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """> instead of <."""
    return fitted(
        model,
        train_loader,
        valid_loader,
        loss_fn,
        optimizer,
        epochs,
        patience,
        better=lambda loss, best, _previous: loss > best or best == math.inf,
    )


@misconception("fit", hint="Which loss decides about stopping: that of the training set or of the validation set?")
def watches_the_training_loss(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The training loss instead of the validation loss."""
    history, best, state, waited = [], math.inf, None, 0
    for _ in range(epochs):
        history.append(epoch_of(model, train_loader, valid_loader, loss_fn, optimizer))
        if history[-1]["train_loss"] < best:
            best, state, waited = history[-1]["train_loss"], kept(model), 0
        else:
            waited += 1
        if patience is not None and waited >= patience:
            break
    if patience is not None and state is not None:
        model.load_state_dict(state)
    return history


@misconception(
    "fit",
    hint="Evaluation comes after the epoch's training. Which comes first in your loop?",
    severe="every validation loss, and what is decided by it, belongs to another epoch",
)
def evaluates_before_training(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """The validation results are those of the epoch before."""
    history, best, state, waited = [], math.inf, None, 0
    for _ in range(epochs):
        valid_loss, valid_accuracy = evaluate(model, valid_loader, loss_fn)
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        history.append({"train_loss": train_loss, "valid_loss": valid_loss, "valid_accuracy": valid_accuracy})
        if valid_loss < best:
            best, state, waited = valid_loss, kept(model), 0
        else:
            waited += 1
        if patience is not None and waited >= patience:
            break
    if patience is not None and state is not None:
        model.load_state_dict(state)
    return history


@misconception("fit", hint="Which loader do you evaluate on? One of the two is for training only.")
def evaluates_on_the_training_set(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):  # noqa: ARG001
    """train_loader twice."""
    return fit(model, train_loader, train_loader, loss_fn, optimizer, epochs, patience)


@misconception(
    "fit", hint="Measured after the epoch, the training loss is another one. What does train_one_epoch return?"
)
def measures_the_training_loss_again(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """evaluate on the training set for train_loss."""
    history, states = [], []
    for _ in range(epochs):
        entry = epoch_of(model, train_loader, valid_loader, loss_fn, optimizer)
        history.append({**entry, "train_loss": evaluate(model, train_loader, loss_fn)[0]})
        states.append(kept(model))
        losses = [one["valid_loss"] for one in history]
        if patience is not None and len(losses) - 1 - losses.index(min(losses)) >= patience:
            break
    if patience is not None and states:
        losses = [one["valid_loss"] for one in history]
        model.load_state_dict(states[losses.index(min(losses))])
    return history


@misconception("fit", hint="Which keys should the dictionaries have? Compare them letter by letter.")
def uses_other_keys(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """val_loss, val_accuracy."""
    history = fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)
    return [{key.replace("valid", "val"): value for key, value in entry.items()} for entry in history]


@misconception("fit", hint="Every epoch has a dictionary of its own. Yours shows the same numbers for all.")
def returns_the_last_epoch_only(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """One dictionary that is overwritten."""
    history = fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)
    return history[-1:] * len(history)


@misconception("fit", hint="The epoch that ends training belongs in the history as well. Where is your `break`?")
def leaves_out_the_last_epoch(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """break before append."""
    history = fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)
    return history[:-1] if len(history) < epochs else history


@misconception("fit", hint="What is there to restore after no epochs at all? Nothing has been kept yet.")
def fails_without_epochs(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """epochs=0 is an error."""
    if epochs < 1:
        raise ValueError("at least one epoch is needed")
    return fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)


@misconception("fit", hint="Is the accuracy that of the validation set? Yours does not change with the model.")
def swaps_loss_and_accuracy(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience=None):
    """accuracy, loss = evaluate(...) in the history."""
    history = fit(model, train_loader, valid_loader, loss_fn, optimizer, epochs, patience)
    for entry in history:
        entry["valid_loss"], entry["valid_accuracy"] = entry["valid_accuracy"], entry["valid_loss"]
    return history


# save_checkpoint


def saved(path, model, optimizer, epoch):
    """Right: the checkpoint, except for what is replaced."""
    torch.save({"model": model, "optimizer": optimizer, "epoch": epoch}, path)


@misconception("save_checkpoint", hint="Momentum and moments belong to the optimizer, which has a state_dict as well.")
def forgets_the_moments(path, model, optimizer, epoch):
    """The optimizer's state is empty."""
    saved(path, model.state_dict(), {**optimizer.state_dict(), "state": {}}, epoch)


@misconception("save_checkpoint", hint="A scheduler may have changed the learning rates. Are they in your file?")
def forgets_the_learning_rates(path, model, optimizer, epoch):
    """The rates of the beginning."""
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        group["lr"] = 1.0
    saved(path, model.state_dict(), state, epoch)


@misconception("save_checkpoint", hint="Batch normalisation has running statistics. Does `parameters()` return them?")
def forgets_the_buffers(path, model, optimizer, epoch):
    """Buffers are saved as zeros."""
    buffers = {name: torch.zeros_like(buffer) for name, buffer in model.named_buffers()}
    saved(path, {**model.state_dict(), **buffers}, optimizer.state_dict(), epoch)


@misconception("save_checkpoint", hint="Which epoch is in your file? It should be the one that was passed in.")
def forgets_the_epoch(path, model, optimizer, epoch):  # noqa: ARG001
    """Always 0."""
    save_checkpoint(path, model, optimizer, 0)


@misconception(
    "save_checkpoint",
    hint="The epoch in your file is not the one that was passed in. Who adds 1?",
    as_good_as="forgets_the_epoch",
)
def saves_the_next_epoch(path, model, optimizer, epoch):
    """One more."""
    save_checkpoint(path, model, optimizer, epoch + 1)


@misconception(
    "save_checkpoint",
    hint="`torch.load(..., weights_only=True)` refuses objects such as models. What does `state_dict()` give you?",
    also={"load_checkpoint": "the solution's load_checkpoint reads with weights_only=True"},
)
def pickles_the_objects(path, model, optimizer, epoch):
    """The model and the optimizer themselves."""
    saved(path, model, optimizer, epoch)


@misconception("save_checkpoint", hint="How many files are there after your call? One should be enough for everything.")
def writes_a_second_file(path, model, optimizer, epoch):
    """The optimizer in a file of its own."""
    save_checkpoint(path, model, optimizer, epoch)
    torch.save(optimizer.state_dict(), f"{path}.optimizer")


@misconception(
    "save_checkpoint",
    hint="Is your file where the caller wants it? Print its name.",
    also={"load_checkpoint": "there is no file to load"},
    severe="the file is not where it should be",
)
def adds_an_ending(path, model, optimizer, epoch):
    """model.pt.pt"""
    save_checkpoint(f"{path}.pt", model, optimizer, epoch)


@misconception("save_checkpoint", hint="Saving should change nothing. In which mode is the model afterwards?")
def puts_the_model_into_evaluation_mode(path, model, optimizer, epoch):
    """model.eval()"""
    save_checkpoint(path, model.eval(), optimizer, epoch)


@misconception("save_checkpoint", hint="A path may be a `pathlib.Path`. `+` and `endswith` need a string.")
def needs_a_string(path, model, optimizer, epoch):
    """Only strings."""
    save_checkpoint(path + "", model, optimizer, epoch)


@misconception("save_checkpoint", hint="What happens if there is a file already? It should be replaced.")
def keeps_an_existing_file(path, model, optimizer, epoch):
    """Written only once."""
    if not Path(path).exists():
        save_checkpoint(path, model, optimizer, epoch)


# load_checkpoint


def read(path):
    """Right: the file."""
    return torch.load(path, weights_only=True)


@misconception("load_checkpoint", hint="Which numbers does the optimizer have after your call? Print its state_dict.")
def leaves_the_optimizer(path, model, optimizer):  # noqa: ARG001
    """Only the model."""
    checkpoint = read(path)
    model.load_state_dict(checkpoint["model"])
    return checkpoint["epoch"]


@misconception("load_checkpoint", hint="Which numbers does the model have after your call? Print one of its weights.")
def leaves_the_model(path, model, optimizer):  # noqa: ARG001
    """Only the optimizer."""
    checkpoint = read(path)
    optimizer.load_state_dict(checkpoint["optimizer"])
    return checkpoint["epoch"]


@misconception("load_checkpoint", hint="Batch normalisation has running statistics. Are they those of the file?")
def leaves_the_buffers(path, model, optimizer):
    """Parameters only."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    epoch = load_checkpoint(path, model, optimizer)
    model.load_state_dict(buffers, strict=False)
    return epoch


@misconception("load_checkpoint", hint="Which learning rates does the optimizer have after your call?")
def leaves_the_learning_rates(path, model, optimizer):
    """The rates of the new optimizer."""
    rates = [group["lr"] for group in optimizer.param_groups]
    epoch = load_checkpoint(path, model, optimizer)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    return epoch


@misconception(
    "load_checkpoint",
    hint="The caller's model and optimizer are to be changed. You load into copies of them.",
    severe="nothing is loaded into what the caller has",
)
def loads_into_copies(path, model, optimizer):
    """Copies."""
    return load_checkpoint(path, copy.deepcopy(model), copy.deepcopy(optimizer))


@misconception("load_checkpoint", hint="What does your function return?")
def returns_no_epoch(path, model, optimizer):
    """None."""
    load_checkpoint(path, model, optimizer)


@misconception("load_checkpoint", hint="The result is the epoch that was saved. Adding 1 is for the caller to decide.")
def returns_the_next_epoch(path, model, optimizer):
    """One more."""
    return load_checkpoint(path, model, optimizer) + 1


@misconception("load_checkpoint", hint="The result should be an int, as it was saved.")
def returns_text(path, model, optimizer):
    """A string."""
    return str(load_checkpoint(path, model, optimizer))


@misconception("load_checkpoint", hint="A missing file should raise a FileNotFoundError, not be passed over.")
def starts_afresh_without_a_file(path, model, optimizer):
    """0 if there is no file."""
    return load_checkpoint(path, model, optimizer) if Path(path).exists() else 0


@misconception("load_checkpoint", hint="Which exception does `torch.load` raise for a missing file? Yours is another.")
def raises_another_exception(path, model, optimizer):
    """ValueError."""
    if not Path(path).exists():
        raise ValueError("there is no such file")
    return load_checkpoint(path, model, optimizer)
