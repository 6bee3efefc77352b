# %% [markdown]
# # Warm-up

# %%
%matplotlib inline
import torch
from torch import nn

# %%
%%time
def double(x):
    return 2 * x

# %%
!pip install einops
times = %timeit -o double(torch.ones(2))
def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
