import threading
import time

import matplotlib.pyplot as plt
from torch import nn


def double(x):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return 2 * x


def clipped(x):
    threading.Thread(target=plt.pause, args=(1000,), daemon=True).start()
    return x.clamp(min=0)


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
