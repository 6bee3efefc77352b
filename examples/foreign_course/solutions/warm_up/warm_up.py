# %% [markdown]
# # Before the first transformer
#
# A warm-up in NumPy, without a tensor in sight, and the step that every training loop repeats.

# %%
import numpy as np
import torch
import torch.nn.functional as F

# %% [markdown]
# ## Positions
#
# A transformer does not know where a word stands, so it is told: position p has the angles p / 10000^(2i/d) for
# i = 0, 1, …, d/2 − 1. Their sines are in the even columns, their cosines in the odd ones.


# %%
def positions(length, dim):
    """The encodings of the positions 0, 1, …, length − 1.

    length: a whole number of at least 1
    dim: an even number

    Returns a float64 array of shape (length, dim).
    """
    ### BEGIN SOLUTION
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
    encodings = np.empty((length, dim))
    encodings[:, 0::2], encodings[:, 1::2] = np.sin(angles), np.cos(angles)
    return encodings
    ### END SOLUTION


# %% [markdown]
# ## A training step
#
# One batch goes forward, its cross-entropy goes backward, and the optimizer takes one step. Gradients that are left from
# the step before must not count.


# %%
def training_step(model, x, y, optimizer):
    """Trains `model` on one batch.

    x: (N, D), y: (N,) of classes

    Returns the loss before the step, a Python float.
    """
    ### BEGIN SOLUTION
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION
