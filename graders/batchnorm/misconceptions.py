"""Common mistakes in the exercises of `batchnorm`, each with the hint for a student who made it.

The list is long because there are many of them. Where a mistake shows only in one particular way, its docstring begins
with that way: gradient, dtype, layout, in place, exception type, exception message, forbidden operator.
"""

import copy
import weakref
from typing import ClassVar

import torch
import torch.nn.functional as F
from batchnorm import BatchNorm, batch_norm, fold_batchnorm
from torch import nn

from autograder.grading import misconception


def other_dims(X):
    """Right: all dimensions except the feature dimension."""
    return [0] if X.dim() == 2 else [0, 2, 3]


def check(X, training):
    """Right: rejects what is not allowed."""
    if X.dim() not in (2, 4):
        raise ValueError("X must have 2 or 4 dimensions")
    if training and X.numel() == X.shape[1]:
        raise ValueError("training needs more than one value per feature")


def moments(X):
    """Right: mean, biased variance and unbiased variance of every feature."""
    dims = other_dims(X)
    n = X.numel() // X.shape[1]
    mean = X.mean(dims, keepdim=True)
    var = ((X - mean) ** 2).mean(dims, keepdim=True)
    return mean, var, var * n / (n - 1)


def normalised(X, gamma, beta, mean, var, eps):
    """Right: the formula."""
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta


def moved(moving, batch, momentum):
    """Right: the step of a moving statistic."""
    return (1 - momentum) * moving + momentum * batch.detach()


# batch_norm: the normalisation


@misconception(
    "batch_norm", hint="`var` divides by n - 1 unless you tell it otherwise. What does the formula for y say?"
)
def normalises_with_the_unbiased_variance(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """One unbiased variance for everything."""
    _, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if not training:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, _, unbiased = moments(X)
    return normalised(X, gamma, beta, mean, unbiased, eps), new_mean, new_var


@misconception(
    "batch_norm",
    hint="Take a feature whose values are all equal, and eps = 4. What do you divide by? "
    "What does the formula divide by?",
)
def adds_eps_outside_the_root(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """sqrt(var) + eps."""
    _, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = moments(X)[:2] if training else (moving_mean, moving_var)
    return gamma * (X - mean) / (torch.sqrt(var) + eps) + beta, new_mean, new_var


@misconception(
    "batch_norm",
    hint="After training, the variance of each feature of y should be γ². What is it in your results?",
    severe="no result is normalised in either mode",
)
def divides_by_the_variance(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """No root."""
    _, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = moments(X)[:2] if training else (moving_mean, moving_var)
    return gamma * (X - mean) / (var + eps) + beta, new_mean, new_var


@misconception(
    "batch_norm",
    hint="Print the shape of your mean. How many means does a batch with C channels have?",
    severe="the statistics of all batches are wrong, and with them all results",
)
def takes_one_mean_for_everything(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Mean and variance of the whole tensor."""
    check(X, training)
    if not training:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var, unbiased = X.mean(), X.var(unbiased=False), X.var()
    Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, moved(moving_mean, mean, momentum), moved(moving_var, unbiased, momentum)


@misconception(
    "batch_norm",
    hint="A channel means the same thing at every pixel. Print the shape of your mean for a batch of images.",
    severe="the statistics of all batches of images are wrong, and with them all results",
)
def takes_every_pixel_by_itself(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Images: only the mean over the batch."""
    check(X, training)
    if not training or X.dim() == 2:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = X.mean(0, keepdim=True), X.var(0, unbiased=False, keepdim=True)
    Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, moved(moving_mean, mean, momentum), moved(moving_var, var, momentum)


@misconception(
    "batch_norm", hint="Change one sample of your batch. Do the results of the other samples change? Should they?"
)
def takes_every_sample_by_itself(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Images: the mean over the pixels of one sample."""
    check(X, training)
    if not training or X.dim() == 2:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = X.mean((2, 3), keepdim=True), X.var((2, 3), unbiased=False, keepdim=True)
    Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, moved(moving_mean, mean.mean(0, keepdim=True), momentum), moved(moving_var, var.mean(0, True), momentum)


@misconception(
    "batch_norm",
    hint="Which dimension of (N, C, H, W) is the feature dimension? The last one should have no means of its own.",
    severe="the statistics of all batches of images are wrong, and with them all results",
)
def takes_the_last_dimension_for_the_channels(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Images: statistics over (0, 1, 2), as if the channels came last."""
    check(X, training)
    if not training or X.dim() == 2:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = X.mean((0, 1, 2), keepdim=True), X.var((0, 1, 2), unbiased=False, keepdim=True)
    Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, moved(moving_mean, mean, momentum), moved(moving_var, var, momentum)


@misconception("batch_norm", hint="Call your function with a batch of vectors. Which dimensions do they not have?")
def knows_images_only(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Exception type: (N, F) has no dimensions 2 and 3, so there is an IndexError."""
    if X.dim() == 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [-2, 1], but got {X.dim()})")
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="In your result every row of (N, F) has mean 0. Shouldn't every column?")
def normalises_the_rows_of_vectors(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Vectors: statistics over the features."""
    check(X, training)
    if not training or X.dim() == 4:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    _, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    mean, var = X.mean(1, keepdim=True), X.var(1, unbiased=False, keepdim=True)
    return normalised(X, gamma, beta, mean, var, eps), new_mean, new_var


@misconception(
    "batch_norm",
    hint="A mean of shape (C,) broadcasts along the *last* dimension. Try an image with W = C, and one with W ≠ C.",
    severe="training raises for nearly every batch of images",
)
def forgets_keepdim(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Images: mean and variance of shape (C,) broadcast along the width."""
    check(X, training)
    if not training or X.dim() == 2:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var, unbiased = moments(X)
    Y = normalised(X, gamma, beta, mean.flatten(), var.flatten(), eps)
    return Y, moved(moving_mean, mean, momentum), moved(moving_var, unbiased, momentum)


@misconception(
    "batch_norm",
    hint="In evaluation, print the shape of everything in the formula, for an image whose width equals its "
    "number of channels.",
)
def flattens_the_statistics_in_evaluation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Images: right in training, but in evaluation vectors of shape (C,) broadcast along the width."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if not training:
        Y = normalised(X, gamma, beta, moving_mean.flatten(), moving_var.flatten(), eps)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="γ = 2 and β = 1 should turn a normalised 0 into 1. What does your function turn it into?"
)
def shifts_before_it_scales(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """gamma * (x_hat + beta)."""
    one, zero = torch.ones_like(gamma), torch.zeros_like(beta)
    Y, new_mean, new_var = batch_norm(X, one, zero, moving_mean, moving_var, eps, momentum, training)
    return gamma * (Y + beta), new_mean, new_var


@misconception("batch_norm", hint="Double γ and call your function again. Does the result change?")
def leaves_out_gamma(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Nothing is scaled."""
    return batch_norm(X, torch.ones_like(gamma), beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Add 1 to β and call your function again. By how much does the result change?")
def leaves_out_beta(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Nothing is shifted."""
    return batch_norm(X, gamma, torch.zeros_like(beta), moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Call your function with eps = 1 and with eps = 4. Should the results be the same?")
def ignores_eps(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):  # noqa: ARG001
    """eps is 1e-5, whatever the caller says."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, 1e-5, momentum, training)


@misconception(
    "batch_norm",
    hint="Which statistics does a training step use: those of the batch, or those remembered from earlier ones?",
)
def normalises_with_the_updated_statistics(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Training normalises with the moving statistics after updating them."""
    _, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return normalised(X, gamma, beta, new_mean, new_var, eps), new_mean, new_var


@misconception(
    "batch_norm",
    hint="In evaluation, pass the same image on its own and in a batch with others. Is its result the same?",
)
def uses_the_batch_in_evaluation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The statistics of the batch in both modes."""
    check(X, training)
    if training:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    mean, var, _ = moments(X.double()) if X.numel() > X.shape[1] else (X, torch.zeros_like(X), None)
    return normalised(X, gamma, beta, mean.to(X.dtype), var.to(X.dtype), eps), moving_mean, moving_var


@misconception(
    "batch_norm", hint="Call your function with training=True and with training=False. Where do the results differ?"
)
def ignores_the_mode(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Training in both modes: the statistics of the batch are used, and remembered."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training or X.numel() > X.shape[1])


# batch_norm: the moving statistics


@misconception(
    "batch_norm", hint="With momentum = 1, what should be left of the old statistics? What is left of yours?"
)
def ignores_momentum(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):  # noqa: ARG001
    """momentum is 0.1, whatever the caller says."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, 0.1, training)


@misconception(
    "batch_norm",
    hint="With momentum = 0.1, how much of the old statistics should be left after one step? "
    "Other libraries count the other way round.",
)
def turns_momentum_round(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """momentum * moving + (1 - momentum) * batch."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, 1 - momentum, training)


@misconception(
    "batch_norm",
    hint="y uses one variance, the moving variance another. Read again which of them divides by n - 1.",
)
def remembers_the_biased_variance(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The moving variance uses the biased variance."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y, new_mean, moved(moving_var, moments(X)[1], momentum) if training else new_var


@misconception("batch_norm", hint="Is the variance that you correct with n / (n - 1) still the biased one?")
def corrects_the_variance_twice(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The unbiased variance times n / (n - 1)."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        n = X.numel() // X.shape[1]
        new_var = moved(moving_var, moments(X)[2] * n / (n - 1), momentum)
    return Y, new_mean, new_var


@misconception(
    "batch_norm",
    hint="n is the number of values per feature. For images that is more than the number of samples.",
)
def counts_only_the_samples(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The correction of the moving variance uses N instead of N·H·W."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        n = X.shape[0]
        new_var = moved(moving_var, moments(X)[1] * n / max(n - 1, 1), momentum)
    return Y, new_mean, new_var


@misconception("batch_norm", hint="It is called moving *variance*. What do you put into it?")
def remembers_the_deviation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The root of the variance goes into the moving variance."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y, new_mean, moved(moving_var, moments(X)[2].sqrt(), momentum) if training else new_var


@misconception("batch_norm", hint="Compare the moving statistics that you return with those you were given.")
def returns_the_old_statistics(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The new moving statistics are computed and then forgotten."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)[0], moving_mean, moving_var


@misconception("batch_norm", hint="Besides the new batch, what should still be in the moving statistics after a step?")
def returns_the_statistics_of_the_batch(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The moving statistics are replaced, not moved."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, 1.0 if training else momentum, training)


@misconception(
    "batch_norm", hint="Evaluate two batches with your function. Do the moving statistics know about them afterwards?"
)
def updates_the_statistics_in_evaluation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Evaluation moves the statistics as well."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if not training and X.numel() > X.shape[1]:
        mean, _, var = moments(X)
        new_mean, new_var = moved(moving_mean, mean, momentum), moved(moving_var, var, momentum)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="Print `moving_mean.requires_grad` after a step with an input that requires a gradient."
)
def keeps_the_graph_of_the_statistics(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: the moving statistics carry the graph of all batches."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        mean, _, var = moments(X)
        new_mean = (1 - momentum) * moving_mean + momentum * mean
        new_var = (1 - momentum) * moving_var + momentum * var
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="Print `requires_grad` of *both* statistics after a training step. Which one is True?"
)
def keeps_the_graph_of_the_moving_variance(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: the moving variance carries the graph of all batches, the moving mean does not."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        new_var = (1 - momentum) * moving_var + momentum * moments(X)[2]
    return Y, new_mean, new_var


@misconception("batch_norm", hint="`*=`, `+=`, `copy_` and `lerp_` change the tensor that the caller still uses.")
def moves_the_statistics_in_place(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """In place: the moving statistics that were passed in are changed."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y, moving_mean.copy_(new_mean), moving_var.copy_(new_var)


@misconception(
    "batch_norm",
    hint="Your statistics lost their dimensions of size 1. What would broadcasting do with them in the next step?",
)
def returns_flat_statistics(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Moving statistics of shape (C,)."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y, new_mean.flatten(), new_var.flatten()


@misconception("batch_norm", hint="`squeeze()` removes every dimension of size 1. What happens with a single feature?")
def squeezes_the_statistics(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """With one feature the moving statistics become plain numbers."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if X.shape[1] == 1:
        new_mean, new_var = new_mean.squeeze(), new_var.squeeze()
    return Y, new_mean, new_var


# batch_norm: gradients, dtypes, errors


@misconception(
    "batch_norm", hint="Your mean and variance do not know where they come from: what did you compute under `no_grad`?"
)
def detaches_the_statistics_of_the_batch(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none flows through the mean and the variance of the batch."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        mean, var, _ = moments(X.detach())
        Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="The variance also changes when a value in the batch changes. Does your gradient know that?"
)
def detaches_the_variance(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none flows through the variance of the batch."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        mean, var, _ = moments(X)
        Y = normalised(X, gamma, beta, mean, var.detach(), eps)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="The mean also changes when a value in the batch changes. Does your gradient know that?"
)
def detaches_the_mean(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none flows through the mean of the batch."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        mean, var, _ = moments(X)
        Y = normalised(X, gamma, beta, mean.detach(), var, eps)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="Call `backward()` on a sum of your results and print `gamma.grad`. Can γ be learned?"
)
def detaches_gamma(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none reaches gamma."""
    return batch_norm(X, gamma.detach(), beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Call `backward()` on a sum of your results and print `beta.grad`. Can β be learned?")
def detaches_beta(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none reaches beta."""
    return batch_norm(X, gamma, beta.detach(), moving_mean, moving_var, eps, momentum, training)


@misconception(
    "batch_norm",
    hint="Only the moving statistics should be without a graph. How much of your code is under `torch.no_grad()`?",
)
@torch.no_grad()
def computes_everything_without_a_graph(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none at all."""
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Use the float64 that you are given: which of your tensors are float32?")
def computes_in_float32(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Dtype: the results have the dtype of the input, but the precision of float32."""
    tensors = (tensor.float() for tensor in (X, gamma, beta, moving_mean, moving_var))
    return tuple(tensor.to(X.dtype) for tensor in batch_norm(*tensors, eps, momentum, training))


@misconception("batch_norm", hint="What dtype does `torch.zeros` return? Print it, and the input's.")
def returns_float32(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Dtype: the results are float32 whatever the input is."""
    return tuple(
        tensor.float() for tensor in batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    )


@misconception("batch_norm", hint="Look at your input after the call. `-=` changes the caller's own tensor.")
def centres_the_input_in_place(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """In place: the mean is subtracted from X itself."""
    results = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    X.detach().sub_(moments(X.detach())[0] if training else moving_mean)
    return results


@misconception("batch_norm", hint="`view` needs a certain order in memory. `reshape` does not.")
def views_the_channels(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Layout: `view` fails on an input that is transposed or sliced."""
    X.view(X.shape[0], -1)
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception(
    "batch_norm", hint="What is the unbiased variance of a single number? PyTorch rejects such a batch in training."
)
def accepts_one_value_per_feature(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Training with one value per feature gives beta, and NaN in the moving variance."""
    if training and X.numel() == X.shape[1]:
        return beta + 0 * X, moved(moving_mean, X, momentum), moving_var * float("nan")
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="In which of the two modes is a single value per feature a problem?")
def refuses_one_value_in_evaluation_too(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """One value per feature is an error in evaluation as well."""
    check(X, True)
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="One image has many pixels. How many values does each of its channels have?")
def refuses_a_single_image(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """N = 1 is an error in training, although there are H·W values per channel."""
    if training and X.shape[0] == 1:
        raise ValueError("training needs more than one sample")
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception(
    "batch_norm", hint="What does your function do with a three-dimensional input? The task says what it should do."
)
def accepts_any_rank(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Other ranks are normalised over all dimensions except the second."""
    if X.dim() in (2, 4):
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = moving_mean, moving_var
    if training:
        dims = [dim for dim in range(X.dim()) if dim != 1]
        mean, var = X.mean(dims, keepdim=True), X.var(dims, unbiased=False, keepdim=True)
    return normalised(X, gamma, beta, mean, var, eps), mean, var


@misconception("batch_norm", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
def asserts_the_rank(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Exception type: AssertionError for other ranks."""
    assert X.dim() in (2, 4), "X must have 2 or 4 dimensions"
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Can the caller catch what you raise for too few values as a ValueError?")
def asserts_the_number_of_values(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Exception type: AssertionError for one value per feature."""
    assert not training or X.numel() > X.shape[1], "training needs more than one value per feature"
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


# batch_norm: state, memory, precision, devices, the limits of what is allowed


@misconception(
    "batch_norm", hint="Call your function with a batch of 4, then with a batch of 40. Which n does each use?"
)
def counts_the_batch_before(
    X,
    gamma,
    beta,
    moving_mean,
    moving_var,
    eps,
    momentum,
    training=True,
    *,
    kept=[],  # noqa: B006
):
    """State: n is kept, in a default argument, and only updated after it has been used."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    n = X.numel() // X.shape[1]
    before = kept[0] if kept else n
    kept[:] = [n]
    if training and before > 1:
        new_var = moved(moving_var, moments(X)[1] * before / (before - 1), momentum)
    return Y, new_mean, new_var


@misconception("batch_norm", hint="Call your function with vectors, then with images. Which dimensions does each use?")
def keeps_the_dimensions_of_the_input_before(
    X,
    gamma,
    beta,
    moving_mean,
    moving_var,
    eps,
    momentum,
    training=True,
    *,
    kept=weakref.WeakValueDictionary(),  # noqa: B006
):
    """State: which dimensions the mean is taken over is decided by the input before, as long as that exists."""
    check(X, training)
    dims = [dim for dim in other_dims(kept.get("X", X)) if dim < X.dim()]
    kept["X"] = X
    if not training:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    mean, var = X.mean(dims, keepdim=True), X.var(dims, unbiased=False, keepdim=True)
    Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, moved(moving_mean, mean, momentum), moved(moving_var, moments(X)[2], momentum)


@misconception("batch_norm", hint="Keep the result of a call, call again, and look at the first result once more.")
def writes_every_result_into_one_tensor(
    X,
    gamma,
    beta,
    moving_mean,
    moving_var,
    eps,
    momentum,
    training=True,
    *,
    kept={},  # noqa: B006
):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if not Y.requires_grad:
        Y = kept.setdefault((Y.shape, Y.dtype, Y.device), torch.empty_like(Y)).copy_(Y)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="Keep the statistics of one step, take another step, and look at the first ones again."
)
def writes_all_statistics_into_one_tensor(
    X,
    gamma,
    beta,
    moving_mean,
    moving_var,
    eps,
    momentum,
    training=True,
    *,
    kept={},  # noqa: B006
):
    """Memory: the statistics of a later step overwrite those of an earlier one."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        room = kept.setdefault((new_mean.shape, new_mean.dtype, new_mean.device), torch.empty_like(new_mean))
        new_mean = room.copy_(new_mean)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="Does evaluation mean that nobody asks for gradients? Ask for those of a trained network."
)
def needs_no_gradient_in_evaluation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: none in evaluation."""
    with torch.set_grad_enabled(torch.is_grad_enabled() and training):
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception(
    "batch_norm", hint="Images are one case, vectors another. Compare the gradients of both with nn.BatchNorm's."
)
def detaches_the_statistics_of_vectors(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Gradient: for (N, F), none flows through the mean and the variance of the batch."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training and X.dim() == 2:
        mean, var, _ = moments(X.detach())
        Y = normalised(X, gamma, beta, mean, var, eps)
    return Y, new_mean, new_var


@misconception(
    "batch_norm", hint="A result can be float64 and still have only 7 correct digits. Where are the others lost?"
)
def takes_the_mean_in_float32(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Dtype: in training, the mean that is subtracted has the precision of float32."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    if training:
        mean, var, _ = moments(X)
        Y = normalised(X, gamma, beta, mean.float().to(X.dtype), var, eps)
    return Y, new_mean, new_var


@misconception("batch_norm", hint="How many digits of your moving variance are correct when everything is float64?")
def remembers_the_variance_in_float32(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Dtype: the moving variance has the precision of float32."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y, new_mean, new_var.float().to(X.dtype) if training else new_var


@misconception("batch_norm", hint="Is the root in your evaluation computed with all the digits that float64 has?")
def takes_the_root_in_float32_in_evaluation(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Dtype: in evaluation, the deviation has the precision of float32."""
    if training:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    deviation = torch.sqrt(moving_var.float() + eps).to(X.dtype)
    return gamma * (X - moving_mean) / deviation + beta, moving_mean, moving_var


@misconception("batch_norm", hint="Where does `torch.zeros` make a tensor when the input is on the GPU?")
def makes_its_result_on_the_cpu(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Device: the result is written into a tensor on the CPU."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    result = torch.zeros(X.shape, dtype=X.dtype)
    for channel in range(X.shape[1]):
        result[:, channel] = Y[:, channel]
    return result, new_mean, new_var


@misconception(
    "batch_norm", hint="Print the shape of your result for a batch of one image. Which dimension is missing?"
)
def drops_a_batch_of_one(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """The result for a single sample has no batch dimension."""
    Y, new_mean, new_var = batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return Y.squeeze(0), new_mean, new_var


@misconception("batch_norm", hint="Two values have a mean and a variance, biased and unbiased. How many are too few?")
def refuses_two_values(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Training needs three values per feature."""
    if training and X.numel() <= 2 * X.shape[1]:
        raise ValueError("training needs more values per feature")
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="24 images of one pixel: how many values does each channel have?")
def refuses_images_of_one_pixel(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """H = W = 1 is an error in training, although there are N values per channel."""
    if training and X.dim() == 4 and X.shape[2:].numel() == 1:
        raise ValueError("training needs more than one pixel")
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="You count the values of images. What about a batch (N, F) with a single row?")
def accepts_a_single_row(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """One value per feature is an error for images only."""
    if training and X.dim() == 2 and len(X) == 1:
        return beta + 0 * X, moved(moving_mean, X, momentum), moving_var
    return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)


@misconception("batch_norm", hint="Which numbers of dimensions are allowed? Try every number from 1 to 5.")
def accepts_five_dimensions(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """(N, C, D, H, W) is normalised, as nn.BatchNorm3d does."""
    if X.dim() != 5:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return X * gamma + beta, moving_mean, moving_var


@misconception("batch_norm", hint="Which numbers of dimensions are allowed? Try every number from 1 to 5.")
def accepts_a_single_vector(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """(F,) is treated like a batch of one."""
    if X.dim() != 1:
        return batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training)
    return X * gamma + beta, moving_mean, moving_var


@misconception(
    "batch_norm",
    hint="You let PyTorch normalise. This exercise is about writing the formula yourself.",
    severe="the library does all of the exercise",
)
def lets_the_library_normalise(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Forbidden operator: F.batch_norm."""
    check(X, training)
    new_mean, new_var = moving_mean.flatten().clone(), moving_var.flatten().clone()
    Y = F.batch_norm(X, new_mean, new_var, gamma.flatten(), beta.flatten(), training, momentum, eps)
    return Y, new_mean.reshape(moving_mean.shape), new_var.reshape(moving_var.shape)


# BatchNorm


@misconception(
    "BatchNorm",
    hint="Print `BatchNorm(3, 4).state_dict()`. What will be missing when somebody saves your module and loads "
    "it again?",
)
class KeepsStatisticsAsPlainAttributes(BatchNorm):
    """moving_mean and moving_var are tensors, but not buffers."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        for name in ("moving_mean", "moving_var"):
            value = getattr(self, name)
            delattr(self, name)
            setattr(self, name, value)


@misconception("BatchNorm", hint="Look up what `persistent=False` means for a buffer, and print the state_dict.")
class DoesNotSaveItsStatistics(BatchNorm):
    """The buffers are not persistent."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        for name in ("moving_mean", "moving_var"):
            self.register_buffer(name, getattr(self, name), persistent=False)


@misconception(
    "BatchNorm",
    hint="What would an optimizer do with a moving mean that is a parameter? PyTorch has "
    "another word for such tensors.",
)
class MakesStatisticsParameters(BatchNorm):
    """The moving statistics are parameters that do not require a gradient."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        for name in ("moving_mean", "moving_var"):
            value = getattr(self, name)
            delattr(self, name)
            setattr(self, name, nn.Parameter(value, requires_grad=False))

    def forward(self, x):
        y, mean, var = batch_norm(
            x, self.gamma, self.beta, self.moving_mean, self.moving_var, self.eps, self.momentum, self.training
        )
        self.moving_mean.data = mean.data
        self.moving_var.data = var.data
        return y


@misconception("BatchNorm", hint="How many parameters does `list(BatchNorm(3, 2).parameters())` show?")
class ForgetsThatGammaIsLearned(BatchNorm):
    """gamma and beta are buffers."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        for name in ("gamma", "beta"):
            value = getattr(self, name).detach()
            delattr(self, name)
            self.register_buffer(name, value)


@misconception("BatchNorm", hint="A fresh module should neither scale nor shift. Which initial values do that?")
class StartsWithGammaZero(BatchNorm):
    """gamma starts at 0, as in the last layer of some residual blocks."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        self.gamma = nn.Parameter(torch.zeros_like(self.gamma))


@misconception("BatchNorm", hint="What values do the two moving statistics start with? They need not be the same.")
class StartsWithVarianceZero(BatchNorm):
    """The moving variance starts at 0."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        self.moving_var = torch.zeros_like(self.moving_var)


@misconception(
    "BatchNorm", hint="Print the shapes of your four tensors. Which dimension of an image do they broadcast against?"
)
class KeepsFlatTensors(nn.Module):
    """All four have the shape (C,); they are reshaped in forward."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError("num_dims must be 2 or 4")
        self.eps, self.momentum = eps, momentum
        self.shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        self.gamma, self.beta = nn.Parameter(torch.ones(num_features)), nn.Parameter(torch.zeros(num_features))
        self.register_buffer("moving_mean", torch.zeros(num_features))
        self.register_buffer("moving_var", torch.ones(num_features))

    def forward(self, x):
        tensors = (t.reshape(self.shape) for t in (self.gamma, self.beta, self.moving_mean, self.moving_var))
        y, mean, var = batch_norm(x, *tensors, self.eps, self.momentum, self.training)
        self.moving_mean, self.moving_var = mean.flatten(), var.flatten()
        return y


@misconception(
    "BatchNorm",
    hint="`torch.no_grad()` and `eval()` are two different things. Which of them does `self.training` tell you about?",
)
class TakesItsModeFromTheGradMode(BatchNorm):
    """Training is when gradients are recorded."""

    def forward(self, x):
        y, self.moving_mean, self.moving_var = batch_norm(
            x,
            self.gamma,
            self.beta,
            self.moving_mean,
            self.moving_var,
            self.eps,
            self.momentum,
            torch.is_grad_enabled(),
        )
        return y


@misconception(
    "BatchNorm",
    hint="Call `eval()` and print what `forward` uses as the mode. Is there a difference between "
    "`train` and `training`?",
)
class IsAlwaysInTraining(BatchNorm):
    """The mode is ignored: `training` keeps its default, or `self.train` (a method, so always true) is used."""

    def forward(self, x):
        if x.numel() == x.shape[1]:
            return super().forward(x)
        y, self.moving_mean, self.moving_var = batch_norm(
            x, self.gamma, self.beta, self.moving_mean, self.moving_var, self.eps, self.momentum
        )
        return y


@misconception("BatchNorm", hint="When do the numbers that you keep for evaluation change? Evaluate, train, evaluate.")
class KeepsWhatItOnceEvaluatedWith(BatchNorm):
    """The statistics are taken at the first evaluation, to save time later."""

    def forward(self, x):
        if self.training:
            return super().forward(x)
        if not hasattr(self, "kept"):
            self.kept = self.moving_mean.clone(), self.moving_var.clone()
        return batch_norm(x, self.gamma, self.beta, *self.kept, self.eps, self.momentum, False)[0]


@misconception("BatchNorm", hint="batch_norm returns three things. What happens to the last two?")
class ForgetsToKeepTheNewStatistics(BatchNorm):
    """The new moving statistics are dropped."""

    def forward(self, x):
        tensors = self.gamma, self.beta, self.moving_mean, self.moving_var
        return batch_norm(x, *tensors, self.eps, self.momentum, self.training)[0]


@misconception("BatchNorm", hint="Evaluate two batches with your module, and print its moving_mean before and after.")
class UpdatesStatisticsInEvaluation(BatchNorm):
    """Evaluation moves the statistics as well."""

    def forward(self, x):
        y = super().forward(x)
        if not self.training and x.numel() > x.shape[1]:
            mean, _, var = moments(x)
            self.moving_mean = moved(self.moving_mean, mean, self.momentum)
            self.moving_var = moved(self.moving_var, var, self.momentum)
        return y


@misconception(
    "BatchNorm", hint="Print `moving_mean.requires_grad` after a step with an input that requires a gradient."
)
class KeepsTheGraphOfItsStatistics(BatchNorm):
    """Gradient: the buffers carry the graph of all batches."""

    def forward(self, x):
        old_mean, old_var = self.moving_mean, self.moving_var
        y = super().forward(x)
        if self.training:
            mean, _, var = moments(x)
            self.moving_mean = (1 - self.momentum) * old_mean + self.momentum * mean
            self.moving_var = (1 - self.momentum) * old_var + self.momentum * var
        return y


@misconception(
    "BatchNorm", hint="Should the very first batch replace the moving statistics, or move them like every other batch?"
)
class StartsWithTheFirstBatch(BatchNorm):
    """The first batch in training replaces the statistics."""

    first = True

    def forward(self, x):
        momentum = self.momentum
        if self.training and self.first:
            self.momentum, self.first = 1.0, False
        y = super().forward(x)
        self.momentum = momentum
        return y


@misconception(
    "BatchNorm", hint="How much weight does the tenth batch have in your moving mean? How much should it have?"
)
class AveragesAllBatches(BatchNorm):
    """A cumulative average: the step becomes smaller and smaller."""

    steps = 0

    def forward(self, x):
        momentum = self.momentum
        self.steps += self.training
        self.momentum = momentum / max(self.steps, 1)
        y = super().forward(x)
        self.momentum = momentum
        return y


@misconception("BatchNorm", hint="With momentum = 0.1, how much of the old statistics should be left after one step?")
class TurnsMomentumRound(BatchNorm):
    """momentum is the share of the old statistics."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, 1 - momentum)


@misconception(
    "BatchNorm",
    hint="Two formulas, two variances: compare your moving_var with nn.BatchNorm2d's after one small batch.",
)
class RemembersTheBiasedVariance(BatchNorm):
    """The moving variance uses the biased variance."""

    def forward(self, x):
        old = self.moving_var
        y = super().forward(x)
        if self.training:
            self.moving_var = moved(old, moments(x)[1], self.momentum)
        return y


@misconception(
    "BatchNorm", hint="Compare your result with nn.BatchNorm1d's for a batch of two. Which variance divides by n - 1?"
)
class NormalisesWithTheUnbiasedVariance(BatchNorm):
    """One unbiased variance for everything."""

    def forward(self, x):
        y = super().forward(x)
        if self.training:
            mean, _, unbiased = moments(x)
            y = normalised(x, self.gamma, self.beta, mean, unbiased, self.eps)
        return y


@misconception("BatchNorm", hint="Both eps and momentum are small numbers. In what order does batch_norm take them?")
class ExchangesEpsAndMomentum(BatchNorm):
    """eps and momentum are swapped."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, momentum, eps)


@misconception("BatchNorm", hint="Compare the defaults in your signature with those in the task.")
class HasAnotherDefaultOfEps(BatchNorm):
    """eps = 1e-3, as in other libraries."""

    def __init__(self, num_features, num_dims, eps=1e-3, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)


@misconception("BatchNorm", hint="Build two modules with different eps and momentum. Do they behave differently?")
class IgnoresEpsAndMomentum(BatchNorm):
    """1e-5 and 0.1, whatever the caller says."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):  # noqa: ARG002
        super().__init__(num_features, num_dims)


@misconception("BatchNorm", hint="Build two modules with different eps. Do they give different results?")
class IgnoresEps(BatchNorm):
    """1e-5, whatever the caller says."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):  # noqa: ARG002
        super().__init__(num_features, num_dims, momentum=momentum)


@misconception(
    "BatchNorm", hint="Build two modules with different momentum. Do their statistics move at the same speed?"
)
class IgnoresMomentum(BatchNorm):
    """0.1, whatever the caller says."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):  # noqa: ARG002
        super().__init__(num_features, num_dims, eps)


@misconception("BatchNorm", hint="How far does one batch move the statistics by default? Compare with the task.")
class HasAnotherDefaultOfMomentum(BatchNorm):
    """momentum = 0.01, as in networks that were written for other libraries."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.01):
        super().__init__(num_features, num_dims, eps, momentum)


@misconception("BatchNorm", hint="What does your constructor do with num_dims = 3?")
class TakesEveryOtherNumDimsForFour(BatchNorm):
    """Everything but 2 means images."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, 2 if num_dims == 2 else 4, eps, momentum)


@misconception("BatchNorm", hint="An `assert` is for your own mistakes. Which exception is for the caller's?")
class AssertsNumDims(BatchNorm):
    """Exception type: AssertionError for other num_dims."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        assert num_dims in (2, 4), "num_dims must be 2 or 4"
        super().__init__(num_features, num_dims, eps, momentum)


@misconception(
    "BatchNorm",
    hint="When does the caller learn that num_dims is wrong: when the module is built, or when it is used?",
    as_good_as="TakesEveryOtherNumDimsForFour",
)
class RefusesNumDimsInForward(BatchNorm):
    """Other num_dims are an error in forward only."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims if num_dims in (2, 4) else 4, eps, momentum)
        self.num_dims = num_dims

    def forward(self, x):
        if self.num_dims not in (2, 4):
            raise ValueError("num_dims must be 2 or 4")
        return super().forward(x)


@misconception(
    "BatchNorm",
    hint="Two of your modules share their statistics. What belongs to the class, and what to a single module?",
)
class SharesStatisticsBetweenModules(BatchNorm):
    """The buffers of all modules of a shape that exist at a time are one tensor, updated in place."""

    sharing: ClassVar = weakref.WeakValueDictionary()

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        first = self.sharing.setdefault(self.moving_mean.shape, self)
        self.moving_mean, self.moving_var = first.moving_mean, first.moving_var

    def forward(self, x):
        mean, var = self.moving_mean, self.moving_var
        y = super().forward(x)
        if mean.dtype == self.moving_mean.dtype:
            self.moving_mean, self.moving_var = mean.copy_(self.moving_mean), var.copy_(self.moving_var)
        return y


@misconception("BatchNorm", hint="When you load a state_dict into a fresh module, which entries does it know?")
class MakesItsBuffersInForward(BatchNorm):
    """The buffers exist only from the first forward pass on."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, num_dims, eps, momentum)
        self.moving_mean = self.moving_var = None

    def forward(self, x):
        if self.moving_mean is None:
            self.moving_mean, self.moving_var = torch.zeros_like(self.gamma), torch.ones_like(self.gamma)
            self.moving_mean, self.moving_var = self.moving_mean.detach(), self.moving_var.detach()
        return super().forward(x)


@misconception(
    "BatchNorm",
    hint="Call `.double()` on your module: which of its tensors stay float32, and what dtype does the result have?",
)
class ReturnsFloat32(BatchNorm):
    """Dtype: the result is float32 even after .double()."""

    def forward(self, x):
        return super().forward(x).float()


@misconception(
    "BatchNorm",
    hint="Only the moving statistics should be without a graph. How much of your code is under `torch.no_grad()`?",
)
class ComputesWithoutAGraph(BatchNorm):
    """Gradient: none flows."""

    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


@misconception(
    "BatchNorm", hint="After `backward()`, print `gamma.grad` and `beta.grad`. What would an optimizer change?"
)
class DetachesGamma(BatchNorm):
    """Gradient: `gamma.data` gets none."""

    def forward(self, x):
        tensors = self.gamma.data, self.beta, self.moving_mean, self.moving_var
        y, self.moving_mean, self.moving_var = batch_norm(x, *tensors, self.eps, self.momentum, self.training)
        return y


@misconception("BatchNorm", hint="The old statistics say something about earlier batches. Where have they gone?")
class ReplacesItsStatistics(BatchNorm):
    """The moving statistics are those of the last batch."""

    def forward(self, x):
        tensors = self.gamma, self.beta, self.moving_mean, self.moving_var
        y, self.moving_mean, self.moving_var = batch_norm(x, *tensors, self.eps, 1.0, self.training)
        return y


@misconception("BatchNorm", hint="Look at your input after the call. `-=` changes the caller's own tensor.")
class ChangesItsInput(BatchNorm):
    """In place: the input contains the result afterwards."""

    def forward(self, x):
        y = super().forward(x)
        x.detach().copy_(y.detach())
        return y


@misconception(
    "BatchNorm", hint="Train with a batch of 2, then with a batch of 200. Which n does each moving variance use?"
)
class KeepsTheCountOfItsFirstBatch(BatchNorm):
    """n is taken from the first batch and used for all later ones."""

    count = None

    def forward(self, x):
        old = self.moving_var
        y = super().forward(x)
        if self.training:
            self.count = self.count or x.numel() // x.shape[1]
            self.moving_var = moved(old, moments(x)[1] * self.count / (self.count - 1), self.momentum)
        return y


@misconception("BatchNorm", hint="Keep a result, call the module again, and look at the first result once more.")
class WritesEveryResultIntoOneTensor(BatchNorm):
    """Memory: where no graph is needed, the result of a later call overwrites that of an earlier one."""

    room = None

    def forward(self, x):
        y = super().forward(x)
        if y.requires_grad:
            return y
        if self.room is None or (self.room.shape, self.room.dtype, self.room.device) != (y.shape, y.dtype, y.device):
            self.room = torch.empty_like(y)
        return self.room.copy_(y)


@misconception(
    "BatchNorm", hint="Does `eval()` mean that nobody asks for gradients? Ask for those of a trained network."
)
class NeedsNoGradientInEvaluation(BatchNorm):
    """Gradient: none in evaluation mode."""

    def forward(self, x):
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.training):
            return super().forward(x)


@misconception("BatchNorm", hint="Compare the gradients for vectors with nn.BatchNorm1d's, not only those for images.")
class DetachesTheStatisticsOfVectors(BatchNorm):
    """Gradient: for (N, F), none flows through the mean and the variance of the batch."""

    def forward(self, x):
        y = super().forward(x)
        if self.training and x.dim() == 2:
            mean, var, _ = moments(x.detach())
            y = normalised(x, self.gamma, self.beta, mean, var, self.eps)
        return y


@misconception(
    "BatchNorm", hint="A result can be float64 and still have only 7 correct digits. Where are the others lost?"
)
class TakesTheMeanInFloat32(BatchNorm):
    """Dtype: in training, the mean that is subtracted has the precision of float32."""

    def forward(self, x):
        y = super().forward(x)
        if self.training:
            mean, var, _ = moments(x)
            y = normalised(x, self.gamma, self.beta, mean.float().to(x.dtype), var, self.eps)
        return y


@misconception("BatchNorm", hint="How many digits of your result are correct in evaluation when everything is float64?")
class EvaluatesInFloat32(BatchNorm):
    """Dtype: in evaluation, the result has the precision of float32."""

    def forward(self, x):
        y = super().forward(x)
        return y if self.training else y.float().to(y.dtype)


@misconception("BatchNorm", hint="Where does `torch.zeros` make a tensor when the module is on the GPU?")
class MakesItsResultOnTheCpu(BatchNorm):
    """Device: the result is written into a tensor on the CPU."""

    def forward(self, x):
        y = super().forward(x)
        result = torch.zeros(y.shape, dtype=y.dtype)
        for channel in range(y.shape[1]):
            result[:, channel] = y[:, channel]
        return result


@misconception("BatchNorm", hint="Print the shape of your result for a batch of one image. Which dimension is missing?")
class DropsABatchOfOne(BatchNorm):
    """The result for a single sample has no batch dimension."""

    def forward(self, x):
        return super().forward(x).squeeze(0)


@misconception("BatchNorm", hint="`squeeze()` removes every dimension of size 1. What happens with a single feature?")
class SqueezesItsStatistics(BatchNorm):
    """With one feature, the moving statistics become plain numbers after the first step."""

    def forward(self, x):
        y = super().forward(x)
        if x.shape[1] == 1:
            self.moving_mean, self.moving_var = self.moving_mean.squeeze(), self.moving_var.squeeze()
        return y


@misconception("BatchNorm", hint="One image has many pixels. How many values does each of its channels have?")
class RefusesASingleImage(BatchNorm):
    """N = 1 is an error in training, although there are H·W values per channel."""

    def forward(self, x):
        if self.training and len(x) == 1:
            raise ValueError("training needs more than one sample")
        return super().forward(x)


@misconception("BatchNorm", hint="`view` needs a certain order in memory. `reshape` does not.")
class ViewsTheChannels(BatchNorm):
    """Layout: `view` fails on an input that is transposed or sliced."""

    def forward(self, x):
        x.view(x.shape[0], -1)
        return super().forward(x)


@misconception("BatchNorm", hint="There is an nn.BatchNorm3d. Does this exercise ask for it?")
class AcceptsFiveDimensions(BatchNorm):
    """num_dims may also be 5."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, 4 if num_dims == 5 else num_dims, eps, momentum)


@misconception("BatchNorm", hint="What does your constructor do with num_dims = 1?")
class AcceptsOneDimension(BatchNorm):
    """num_dims may also be 1."""

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__(num_features, 2 if num_dims == 1 else num_dims, eps, momentum)


@misconception(
    "BatchNorm",
    hint="That is PyTorch's normalisation, not yours. Write the formula yourself.",
    severe="the library does all of the exercise",
)
class IsTheLibrarysModule(BatchNorm):
    """Forbidden operator: F.batch_norm."""

    def forward(self, x):
        statistics = self.moving_mean.flatten().clone(), self.moving_var.flatten().clone()
        y = F.batch_norm(
            x, *statistics, self.gamma.flatten(), self.beta.flatten(), self.training, self.momentum, self.eps
        )
        self.moving_mean, self.moving_var = (new.reshape(self.gamma.shape) for new in statistics)
        return y


# fold_batchnorm


def settings_of(conv):
    """Right: how the convolution is built."""
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    return {**{name: getattr(conv, name) for name in names}, "dtype": conv.weight.dtype, "device": conv.weight.device}


def scale_and_shift(bn):
    """Right: what bn does to every channel."""
    scale = 1 / torch.sqrt(bn.running_var + bn.eps)
    scale = scale if bn.weight is None else scale * bn.weight
    shift = -bn.running_mean * scale
    return scale.detach(), (shift if bn.bias is None else shift + bn.bias).detach()


def built(conv, weight, bias, **changes):
    """Right: a new convolution with these numbers."""
    folded = nn.Conv2d(**{**settings_of(conv), **changes})
    with torch.no_grad():
        folded.weight.copy_(weight)
        folded.bias.copy_(bias)
    return folded


def bias_of(conv):
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()


def weight_times(conv, scale):
    return conv.weight.detach() * scale.reshape(-1, 1, 1, 1)


@misconception("fold_batchnorm", hint="What does bn do to the bias of conv? Put both into the formula.")
def forgets_the_bias_of_the_convolution(conv, bn):
    """The bias of conv is dropped."""
    scale, shift = scale_and_shift(bn)
    return built(conv, weight_times(conv, scale), shift)


@misconception(
    "fold_batchnorm", hint="bn multiplies everything that conv outputs, not only the part that comes from the weights."
)
def adds_the_bias_of_the_convolution_unscaled(conv, bn):
    """b + shift instead of scale · b + shift."""
    scale, shift = scale_and_shift(bn)
    return built(conv, weight_times(conv, scale), shift + bias_of(conv))


@misconception(
    "fold_batchnorm", hint="Pass an image of zeros through conv and bn. Which part of the formula produces the result?"
)
def forgets_the_running_mean(conv, bn):
    """The running mean is not subtracted."""
    scale, shift = scale_and_shift(bn)
    return built(conv, weight_times(conv, scale), shift + scale * bn.running_mean + scale * bias_of(conv))


@misconception(
    "fold_batchnorm", hint="The running mean is subtracted before the scaling. What has it become afterwards?"
)
def subtracts_the_running_mean_unscaled(conv, bn):
    """beta - mean instead of beta - scale · mean."""
    scale, shift = scale_and_shift(bn)
    return built(
        conv, weight_times(conv, scale), shift + scale * bn.running_mean - bn.running_mean + scale * bias_of(conv)
    )


@misconception("fold_batchnorm", hint="A large eps makes the outputs of bn smaller. Where is it in your formula?")
def forgets_eps(conv, bn):
    """No eps."""
    plain = copy.deepcopy(bn)
    plain.eps = 0.0
    return fold_batchnorm(conv, plain)


@misconception("fold_batchnorm", hint="bn knows its own eps; it need not be 1e-5.")
def assumes_the_default_eps(conv, bn):
    """eps is always 1e-5."""
    plain = copy.deepcopy(bn)
    plain.eps = 1e-5
    return fold_batchnorm(conv, plain)


@misconception("fold_batchnorm", hint="Where is eps in the formula: inside or outside the root?")
def adds_eps_to_the_deviation(conv, bn):
    """sqrt(var) + eps."""
    plain = copy.deepcopy(bn)
    plain.running_var = (bn.running_var.sqrt() + bn.eps) ** 2
    plain.eps = 0.0
    return fold_batchnorm(conv, plain)


@misconception(
    "fold_batchnorm",
    hint="Variance or standard deviation: which one does the formula divide by?",
    severe="every weight is wrong",
)
def divides_by_the_running_variance(conv, bn):
    """No root."""
    plain = copy.deepcopy(bn)
    plain.running_var = (bn.running_var + bn.eps) ** 2
    plain.eps = 0.0
    return fold_batchnorm(conv, plain)


@misconception(
    "fold_batchnorm", hint="bn may have learned a scale. Set bn.weight to 2 and see whether your convolution notices."
)
def forgets_gamma(conv, bn):
    """The weight of bn is taken to be 1."""
    plain = copy.deepcopy(bn)
    plain.weight = None
    return fold_batchnorm(conv, plain)


@misconception(
    "fold_batchnorm", hint="bn may have learned a shift. Set bn.bias to 2 and see whether your convolution notices."
)
def forgets_beta(conv, bn):
    """The bias of bn is taken to be 0."""
    plain = copy.deepcopy(bn)
    plain.bias = None
    return fold_batchnorm(conv, plain)


@misconception("fold_batchnorm", hint="Print `nn.BatchNorm2d(3, affine=False).weight`.")
def expects_affine_parameters(conv, bn):
    """Exception type: without affine there is an AttributeError."""
    bn.weight.detach(), bn.bias.detach()
    return fold_batchnorm(conv, bn)


@misconception("fold_batchnorm", hint="Print `nn.Conv2d(2, 3, 1, bias=False).bias`.")
def expects_a_bias(conv, bn):
    """Exception type: without a bias there is an AttributeError."""
    conv.bias.detach()
    return fold_batchnorm(conv, bn)


@misconception(
    "fold_batchnorm",
    hint="A weight has the shape (out, in // groups, h, w). Along which dimension do you scale it, "
    "and whose channels does bn see?",
)
def scales_the_input_channels(conv, bn):
    """The factors are applied along the second dimension of the weight, where that is possible."""
    scale, shift = scale_and_shift(bn)
    return built(conv, conv.weight.detach() * scale.reshape(1, -1, 1, 1), shift + scale * bias_of(conv))


@misconception(
    "fold_batchnorm",
    hint="A tensor of shape (C,) broadcasts along the last dimension. Which dimension is that in a weight?",
)
def scales_along_the_kernel(conv, bn):
    """The factors are applied along the width of the kernel, where that is possible."""
    scale, shift = scale_and_shift(bn)
    return built(conv, conv.weight.detach() * scale, shift + scale * bias_of(conv))


@misconception(
    "fold_batchnorm", hint="Compare the output shape of your result with that of conv when conv has a stride."
)
def forgets_the_stride(conv, bn):
    """Stride 1."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, stride=1)


@misconception("fold_batchnorm", hint="A stride is a pair: rows and columns.")
def takes_the_stride_for_a_square(conv, bn):
    """stride[0] for both directions."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, stride=conv.stride[0])


@misconception(
    "fold_batchnorm", hint="Compare the output shape of your result with that of conv when conv has padding."
)
def forgets_the_padding(conv, bn):
    """No padding."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, padding=0)


@misconception("fold_batchnorm", hint="Padding is a pair as well: rows and columns.")
def takes_the_padding_for_a_square(conv, bn):
    """padding[0] for both directions."""
    right = fold_batchnorm(conv, bn)
    same = conv.padding if isinstance(conv.padding, str) else conv.padding[0]
    return built(conv, right.weight, right.bias, padding=same)


@misconception("fold_batchnorm", hint='Print `nn.Conv2d(2, 3, 3, padding="same").padding`. Is that always a pair?')
def takes_the_padding_for_a_pair(conv, bn):
    """Exception type: padding given as a word fails."""
    right = fold_batchnorm(conv, bn)
    rows, columns = conv.padding
    return built(conv, right.weight, right.bias, padding=(rows, columns))


@misconception(
    "fold_batchnorm",
    hint="What else does a convolution have besides stride and padding? Print one that has everything.",
)
def forgets_the_dilation(conv, bn):
    """Dilation 1."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, dilation=1)


@misconception("fold_batchnorm", hint="Print the weight shape of a convolution with groups, and that of your new one.")
def forgets_the_groups(conv, bn):
    """Exception type: with groups the weight does not fit."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight.reshape(conv.out_channels, -1, *conv.kernel_size), right.bias, groups=1)


@misconception("fold_batchnorm", hint="Not every convolution pads with zeros. What does `padding_mode` say?")
def forgets_the_padding_mode(conv, bn):
    """Zeros around the image."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, padding_mode="zeros")


@misconception("fold_batchnorm", hint="Which dtype does `nn.Conv2d` use if you do not give one?")
def makes_a_float32_convolution(conv, bn):
    """Dtype: the new convolution is float32."""
    return fold_batchnorm(conv, bn).float()


@misconception("fold_batchnorm", hint="Look at conv after the call: is it still the same layer as before?")
def folds_into_the_convolution_itself(conv, bn):
    """In place: conv is changed and returned."""
    right = fold_batchnorm(conv, bn)
    with torch.no_grad():
        conv.weight.copy_(right.weight)
        conv.bias = nn.Parameter(right.bias)
    return conv


@misconception(
    "fold_batchnorm", hint="What does `copy.copy` copy, and what do the two layers share? Look at conv after the call."
)
def makes_a_shallow_copy(conv, bn):
    """In place: copy.copy shares its parameters with the original."""
    right = fold_batchnorm(conv, bn)
    folded = copy.copy(conv)
    with torch.no_grad():
        folded.weight.copy_(right.weight)
    folded.bias = nn.Parameter(right.bias.detach().clone())
    return folded


@misconception("fold_batchnorm", hint="Whose mode do you change when you call `bn.eval()`?")
def switches_to_evaluation(conv, bn):
    """In place: bn is left in evaluation mode."""
    bn.eval()
    return fold_batchnorm(conv, bn)


@misconception("fold_batchnorm", hint="Print `requires_grad` of conv's parameters before and after the call.")
def freezes_the_arguments(conv, bn):
    """In place: the parameters of conv and bn no longer require gradients."""
    conv.requires_grad_(False)
    bn.requires_grad_(False)
    return fold_batchnorm(conv, bn)


@misconception("fold_batchnorm", hint="bn has its statistics in training mode as well. You do not need to run it.")
def refuses_training_mode(conv, bn):
    """Exception type: AssertionError when a layer is in training mode."""
    assert not bn.training, "only in evaluation"
    return fold_batchnorm(conv, bn)


@misconception("fold_batchnorm", hint="Fold, train on, and fold again. Does the second result know about the training?")
def keeps_what_it_folded_first(conv, bn, *, kept=weakref.WeakKeyDictionary()):  # noqa: B006
    """State: a convolution that was folded before gives the same result again, whatever its numbers are now."""
    return kept.setdefault(conv, fold_batchnorm(conv, bn))


@misconception(
    "fold_batchnorm", hint="Fold twice and compare the two results with `is`. Whose numbers does the first one have?"
)
def writes_every_result_into_one_layer(conv, bn, *, kept={}):  # noqa: B006
    """Memory: convolutions of the same settings are all folded into the same new layer."""
    right = fold_batchnorm(conv, bn)
    room = kept.setdefault(str(settings_of(conv)), right)
    with torch.no_grad():
        room.weight.copy_(right.weight)
        room.bias.copy_(right.bias)
    return room


@misconception("fold_batchnorm", hint="With layers in float64, how many digits of the new bias are correct?")
def computes_the_bias_in_float32(conv, bn):
    """Dtype: the bias of conv is normalised with the precision of float32."""
    scale, shift = scale_and_shift(bn)
    bias = scale.float() * bias_of(conv).float()
    return built(conv, weight_times(conv, scale), shift + bias.to(shift.dtype))


@misconception("fold_batchnorm", hint="With layers in float64, how many digits of the factors are correct?")
def computes_the_factors_in_float32(conv, bn):
    """Dtype: the factor of every channel has the precision of float32."""
    scale, shift = scale_and_shift(bn)
    rough = scale.float().to(scale.dtype)
    return built(conv, weight_times(conv, rough), shift + scale * bias_of(conv))


@misconception("fold_batchnorm", hint="Where does `nn.Conv2d` put its weight if conv and bn are on the GPU?")
def makes_a_convolution_on_the_cpu(conv, bn):
    """Device: the new convolution is on the CPU."""
    right = fold_batchnorm(conv, bn)
    return built(conv, right.weight, right.bias, device="cpu")


@misconception(
    "fold_batchnorm", hint="`squeeze()` removes every dimension of size 1. What if conv has one output channel?"
)
def squeezes_the_bias(conv, bn):
    """With one output channel, the bias becomes a plain number."""
    folded = fold_batchnorm(conv, bn)
    folded.bias = nn.Parameter(folded.bias.detach().squeeze())
    return folded


@misconception(
    "fold_batchnorm",
    hint="Two layers in a row are not one layer. Compute a weight and a bias that do the work of both.",
    severe="nothing is folded",
)
def puts_both_into_a_sequential(conv, bn):
    """Forbidden operator: the normalisation is still there."""
    return nn.Sequential(copy.deepcopy(conv), copy.deepcopy(bn)).eval()
