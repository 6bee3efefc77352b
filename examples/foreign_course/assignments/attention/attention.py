# %% [markdown]
# # Attention
#
# A transformer is built from two small functions: one keeps numbers in range, the other lets words look at each other.

# %%
import math

import torch

# %% [markdown]
# ## Layer normalisation
#
# Every row of numbers is shifted and scaled to mean 0 and variance 1, then scaled by `weight` and shifted by `bias`. The
# variance divides by D, and `eps` is added to it, below the root.


# %%
def layer_norm(x, weight, bias, eps=1e-5):
    """x: (..., D), weight and bias: (D,). Returns (..., D)."""
    # YOUR CODE HERE
    raise NotImplementedError()


# %% [markdown]
# ## Attention
#
# Each query is compared with all keys; softmax turns the scores, divided by √d, into weights, and the result is the
# weighted mean of the values. Where `mask` is False, a query does not see a key.


# %%
def attention(q, k, v, mask=None):
    """q: (..., L, d), k: (..., S, d), v: (..., S, e), mask: (L, S), boolean. Returns (..., L, e)."""
    # YOUR CODE HERE
    raise NotImplementedError()
