"""Slow ways to do the vectorised exercises: right, and without the points for being vectorised and fast."""

from __future__ import annotations

import pytest

from autograder.engine.client import Engine
from autograder.jobs import Job
from autograder.results.model import State
from autograder.submissions.reading import Submission
from autograder.submissions.sources import Cell
from command_line import ROOT

pytestmark = pytest.mark.slow

POOL = """
def {name}(x, kernel_size=2, stride=2):
    k, s = kernel_size, stride
    height, width = x.shape[-2:]
    if k > height or k > width:
        raise ValueError("the window does not fit")
    tops, lefts = range(0, height - k + 1, s), range(0, width - k + 1, s)
    {body}
"""
POOL_LOOP = """rows = [torch.stack([x[..., i:i + k, j:j + k].{reduce}((-2, -1)) for j in lefts], -1) for i in tops]
    return torch.stack(rows, -2)"""
POOL_LIST = """maps = x.reshape(-1, height, width).tolist()
    pooled = [
        [[{reduce}([m[a][b] for a in range(i, i + k) for b in range(j, j + k)]) for j in lefts] for i in tops]
        for m in maps
    ]
    return torch.tensor(pooled, dtype=x.dtype).reshape(*x.shape[:-2], len(tops), len(lefts))"""
POOL_NUMPY = """import numpy as np
    m = x.detach().numpy()
    rows = [np.stack([m[..., i:i + k, j:j + k].{reduce}((-2, -1)) for j in lefts], -1) for i in tops]
    return torch.from_numpy(np.stack(rows, -2))"""
MEAN = "(lambda numbers: sum(numbers) / len(numbers))"

PIXELS = """
def corr2d_multi_in_out_1x1(X, K):
    if K.dim() != 4 or K.shape[2:] != (1, 1) or K.shape[1] != X.shape[0]:
        raise ValueError("1×1 kernels for these channels are needed")
    weights = K[:, :, 0, 0]
    rows = [
        torch.stack([(weights * X[:, i, j]).sum(1) for j in range(X.shape[2])], -1) for i in range(X.shape[1])
    ]
    return torch.stack(rows, -2)
"""
IM2COL = """
right_im2col = corr2d_im2col


def corr2d_im2col(X, K, padding=0, stride=1):
    return torch.stack([right_im2col(x[None], K, padding, stride)[0] for x in X])
"""

NO_GRAPH = {"gradient"}
ON_CPU = {"dtype"}  # a tensor made of a list is on the CPU, wherever the input is
SLOW = {"vectorised", "speed"}
CASES = {
    "max_loop": ("pooling", "max_pool_2d", POOL_LOOP.format(reduce="amax"), SLOW),
    "max_list": ("pooling", "max_pool_2d", POOL_LIST.format(reduce="max"), SLOW | NO_GRAPH | ON_CPU),
    "max_numpy": ("pooling", "max_pool_2d", POOL_NUMPY.format(reduce="max"), SLOW | NO_GRAPH),
    "avg_loop": ("pooling", "avg_pool_2d", POOL_LOOP.format(reduce="mean"), SLOW),
    "avg_list": ("pooling", "avg_pool_2d", POOL_LIST.format(reduce=MEAN), SLOW | NO_GRAPH | ON_CPU),
    "avg_numpy": ("pooling", "avg_pool_2d", POOL_NUMPY.format(reduce="mean"), SLOW | NO_GRAPH),
    "1x1_loop": ("convolution", "corr2d_multi_in_out_1x1", PIXELS, SLOW | {"one_matrix_multiplication"}),
    "im2col_loop": ("convolution", "corr2d_im2col", IM2COL, SLOW | {"one_matrix_multiplication"}),
}


@pytest.mark.parametrize("case", CASES)
def test_they_lose_just_these_points(engine: Engine, case: str) -> None:
    slug, name, code, lost = CASES[case]
    solution = (ROOT / "solutions" / slug / f"{slug}.py").read_text(encoding="utf-8")
    if slug == "pooling":
        code = POOL.format(name=name, body=code)
    cells = (Cell(f"{slug}.py", solution + code),)
    job = Job(str(ROOT), slug, Submission(case, f"{slug}.py", cells, False), exercises=(name,), device="cpu")
    result = engine.grade(job)
    assert result.state is State.GRADED, result.log
    assert {check.name for check in result.checks if check.points < check.max_points} == lost
    vectorised = next(check for check in result.checks if check.name == "vectorised")
    assert " for " in vectorised.message  # the line that loops
