import numpy as np

import helpers
from tools.scaling import Scale

TABLE = np.load("data/table.npy")


def double(x):
    return helpers.times(x, TABLE[1].item())


def clipped(x):
    return helpers.clipped(x)
