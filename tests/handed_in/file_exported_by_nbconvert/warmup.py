#!/usr/bin/env python
# coding: utf-8

# In[1]:


get_ipython().run_line_magic('matplotlib', 'inline')
import torch
from torch import nn


# In[2]:


get_ipython().run_line_magic('time', 'factor = 2')
get_ipython().run_cell_magic('time', '', 'def double(x):\n    return factor * x\n')


# In[3]:


get_ipython().system('ls')
display(double(torch.ones(2)))
def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
