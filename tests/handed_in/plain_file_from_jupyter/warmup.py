import asyncio

import torch
from google.colab import drive
from kaggle_secrets import UserSecretsClient
from torch import nn

try:
    from google.colab.patches import cv2_imshow
    factor = 3
except ImportError:
    factor = 2

drive.mount("/content/drive")
key = UserSecretsClient().get_secret("key")


async def chosen():
    await asyncio.sleep(0)
    return factor


def double(x):
    display(x.shape)
    return asyncio.run(chosen()) * x


def clipped(x):
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


display(double(torch.ones(2)))
