# %% [markdown]
# # Batch normalisation
#
# A deep network is a chain of layers, and every layer has to live with what the one before it sends. When
# the first layer's outputs become ten times larger during training, the second layer has to learn its job
# again. Batch normalisation puts a small layer in between that keeps the numbers in order: for every
# feature it subtracts the mean and divides by the standard deviation, so that what arrives next has mean 0
# and variance 1, whatever happened before. Two learned numbers per feature, a scale γ (*gamma*) and a shift
# β (*beta*), then give the network the freedom to choose a different scale where it needs one.
#
# In this assignment you write the computation as a function, wrap it in a module, and finally make it
# disappear: in a trained network, batch normalisation can be folded into the convolution before it.
#
# Two rules apply everywhere:
#
# - the result has the dtype and the device of the input;
# - an argument is never changed in place, and a module that is passed in keeps its state.
#
# PyTorch's own normalisation operators are **forbidden everywhere**: `F.batch_norm`, the forward pass of
# `nn.BatchNorm2d`, `F.layer_norm`, `F.group_norm` and their relatives.

# %%
import torch
from torch import nn

# %% [markdown]
# ## The computation
#
# **Which numbers belong together?** A batch of feature vectors has the shape (N, F): every *column* is one
# feature, and has N values. A batch of images has the shape (N, C, H, W): every *channel* is one feature, and
# has N · H · W values, since a channel means the same thing at every pixel. We write n for the number of values per
# feature, and compute one mean and one variance for each feature.
#
# **Training.** With the mean μ and the variance σ² of this very batch,
#
# $$\mu = \frac1n\sum_i x_i, \qquad \sigma^2 = \frac1n\sum_i (x_i - \mu)^2, \qquad
# y_i = \gamma\,\frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta.$$
#
# The small number ε (*eps*) saves us from a division by 0 when all values of a feature are equal. It is
# *inside* the root. The variance divides by n; statisticians call it *biased*. PyTorch's `var` divides
# by n − 1, unless you tell it not to.
#
# For example, let a feature have the values 1, 3, 5 and 7. Its mean is 4 and its variance is
# (9 + 1 + 1 + 9) / 4 = 5. With ε = 4 the root is 3, so 7 becomes (7 − 4) / 3 = 1.
#
# The mean and the variance depend on every value in the batch, so changing one value moves all the others.
# The gradient has to know that: it flows back through μ and σ², too.
#
# **Evaluation.** A single image sent through a trained network has no batch to be compared with, and its result
# should not depend on its neighbours. So in training we also keep *moving statistics*, a memory of the
# batches seen. After each batch they move a small step towards the new values:
#
# $$\text{moving} \leftarrow (1 - \text{momentum})\cdot\text{moving} + \text{momentum}\cdot\text{batch}$$
#
# In evaluation they take the place of μ and σ² in the formula above, and stay as they are.
#
# Three details are worth your attention.
#
# - The moving variance is an estimate for *all* the data there may ever be, and for this purpose the biased
#   variance is a little too small. The moving variance therefore uses the *unbiased* variance of the batch, with
#   n − 1 in the denominator. The normalisation does not. `nn.BatchNorm2d` does the same.
# - The moving statistics are a memory, not part of the computation of y. No gradient flows through them: if
#   they kept their graph, every batch would hang on to all the batches before it.
# - With a single value per feature, y would be β, whatever the input, and the unbiased variance would be 0/0.
#   In training this is an error. In evaluation it is quite normal.
#
# The parameters and the moving statistics come in shapes that broadcast against the input: (1, F) for
# vectors, (1, C, 1, 1) for images. Why is a plain (C,) dangerous? Think of an image with W = C.


# %%
def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum, training=True):
    """Normalise every feature of a batch.

    X: tensor of shape (N, F) or (N, C, H, W)
    gamma, beta, moving_mean, moving_var: tensors of shape (1, F) or (1, C, 1, 1)
    eps: the small number inside the root
    momentum: how far the moving statistics move towards those of the batch
    training: True uses and remembers the statistics of the batch, False uses the moving statistics

    Returns (Y, moving_mean, moving_var): Y has the shape of X. In training the moving statistics are new
    tensors without a graph; in evaluation they are the ones that were passed in.
    Raises ValueError when X has any other number of dimensions, and in training when there is only one value
    per feature.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ### Look at it
#
# Three features with very different scales, before and after batch normalisation; and the moving means, on their way
# from 0 to the means of the features. With a momentum of 0.1, how many batches does it take until they are nearly
# there? (Run the cell when your function works. It needs `matplotlib`.)


# %%
def draw_normalisation():
    """Histograms of three features before and after batch normalisation, and the moving means."""
    import matplotlib.pyplot as plt

    torch.manual_seed(0)
    centres, spreads = torch.tensor([-4.0, 1.0, 6.0]), torch.tensor([0.5, 2.0, 1.0])
    gamma, beta, mean, var = torch.ones(1, 3), torch.zeros(1, 3), torch.zeros(1, 3), torch.ones(1, 3)
    means = [mean.flatten()]
    for _ in range(60):
        X = centres + spreads * torch.randn(500, 3)
        Y, mean, var = batch_norm(X, gamma, beta, mean, var, eps=1e-5, momentum=0.1)
        means.append(mean.flatten())

    _, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    for feature, line in enumerate(["-", "--", ":"]):
        style = {"linestyle": line, "linewidth": 2, "label": f"feature {feature}"}
        left.hist(X[:, feature], bins=40, range=(-8, 11), histtype="step", **style)
        middle.hist(Y[:, feature], bins=40, range=(-8, 11), histtype="step", **style)
        right.plot([values[feature] for values in means], **style)
    left.set(title="A batch", xlabel="value", ylabel="number of values")
    middle.set(title="The same batch, normalised", xlabel="value", ylabel="number of values")
    right.set(title="The moving means", xlabel="batch", ylabel="moving mean")
    left.legend()
    plt.show()


if "get_ipython" in globals():  # only in a notebook
    try:
        draw_normalisation()
    except (ImportError, NotImplementedError) as problem:
        print("No picture yet:", str(problem) or "write batch_norm first.")

# %% [markdown]
# ## The module
#
# A function with eight arguments is not pleasant to use. A module keeps together what belongs together: two
# things that are *learned*, γ and β, and two that are *remembered*, the moving statistics.
#
# PyTorch has a name for each. What an optimizer changes is a *parameter*. What belongs to the state of the
# module but is not learned is a *buffer*: it is saved with the module, loaded with it, copied with it, and
# follows it to another dtype or device. A tensor that is just an attribute does none of this, and you would
# notice only after loading a trained network, when all its predictions are wrong. To check,
# look at `BatchNorm(3, 4).state_dict()`: it should have four entries.
#
# At the start, γ is 1, β is 0, the moving mean is 0 and the moving variance is 1.
#
# Every module has a flag `self.training`, which `train()` and `eval()` set. It alone decides which statistics
# are used. Whether gradients are recorded is another question: a trained network may be asked for gradients in
# evaluation mode, and somebody may want to refresh the moving statistics under `torch.no_grad()`.
#
# `num_dims` says what the input looks like: 2 for (N, F), 4 for (N, C, H, W). Nothing else is allowed.
#
# Given the same numbers, your module behaves like `nn.BatchNorm1d` and `nn.BatchNorm2d`: the same results, the same
# gradients, the same moving statistics. It is timed.


# %%
class BatchNorm(nn.Module):
    """Batch normalisation of (N, F), with num_dims=2, or of (N, C, H, W), with num_dims=4.

    num_features: F or C
    Parameters: gamma (ones) and beta (zeros); buffers: moving_mean (zeros) and moving_var (ones).
    All four have the shape (1, F) or (1, C, 1, 1).
    Raises ValueError for any other num_dims (in the constructor).
    """

    def __init__(self, num_features, num_dims, eps=1e-5, momentum=0.1):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()


# %% [markdown]
# ## Folding it away
#
# In evaluation all statistics are constants, so batch normalisation does the same thing to every pixel of a channel:
# multiply by one number, add another. A convolution followed by that is still a convolution! To run a trained
# network on a phone, people compute this convolution once and leave the normalisation out.
#
# Take a pencil: write down one output pixel of the convolution, a sum of products plus a bias b, and substitute
# it for x in
#
# $$y = \gamma\,\frac{x - \text{mean}}{\sqrt{\text{var} + \varepsilon}} + \beta.$$
#
# Which factor does each weight get, and what is left over for the bias? Remember that every *output* channel of
# the convolution has its own four numbers.
#
# This time we fold PyTorch's own layers: `conv` is an `nn.Conv2d` and `bn` is an `nn.BatchNorm2d`. The names in `bn`
# differ from ours: `weight` is γ, `bias` is β, and `running_mean` and `running_var` are the moving statistics.
#
# - `conv` may have no bias (why would you leave it out before batch normalisation?). The new convolution
#   always has one.
# - `bn` may have been built with `affine=False`. Then it has neither γ nor β.
# - Everything else about the convolution stays: stride, padding, dilation, groups, padding mode, dtype and device.
# - You build a *new* layer. `conv` and `bn` are the same afterwards, including the mode they are in: even if `bn`
#   is in training mode, we fold what it does in evaluation.


# %%
def fold_batchnorm(conv, bn):
    """One convolution that does what `conv` followed by `bn` does in evaluation.

    conv: an nn.Conv2d, with or without bias
    bn: an nn.BatchNorm2d with as many features as conv has output channels, with or without affine parameters

    Returns a new nn.Conv2d with a bias. Neither conv nor bn is changed.
    """
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Done?
#
# `autograder check` runs the public tests on your file. They are examples, not proofs: before you hand in,
# ask yourself what happens with one channel, with an image whose width equals its number of channels, with a
# batch of one image, with `float64`, and after saving and loading.
