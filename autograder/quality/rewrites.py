"""Other right ways to compute the same: each rewrites PyTorch's operators as they are dispatched, in forward and
backward passes alike. What comes out differs in rounding only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_any, tree_map_only

aten = torch.ops.aten

Rule = Callable[..., Any]  # takes what its operator takes
Rewrite = Callable[[Any, Any, Any], Any]  # takes an operator and its arguments; both return None to leave it as it is

_MANY = 2**22  # products that are kept at once


class Rewritten(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, one of the `REWRITES` is applied."""

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rewrite = REWRITES[name]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = self._rewrite(func, args, kwargs)
        return func(*args, **kwargs) if result is None else result


def _by_operator(rules: Mapping[Any, Rule]) -> Rewrite:
    def rewrite(func: Any, args: Any, kwargs: Any) -> Any:
        rule = rules.get(func)
        if rule is None or not all(_ordinary(one) for one in args if isinstance(one, Tensor)):
            return None
        return rule(*args, **kwargs)

    return rewrite


def _through_float64(func: Any, args: Any, kwargs: Any) -> Any:
    schema = func._schema
    single = tree_any(lambda one: isinstance(one, Tensor) and one.dtype is torch.float32, args)
    moves = schema.is_mutable or any(result.alias_info for result in schema.returns)
    if not single or moves or "dtype" in kwargs or torch.Tag.nondeterministic_seeded in func.tags:
        return None
    if tree_any(lambda one: isinstance(one, Tensor) and not _ordinary(one), (args, kwargs)):
        return None
    wide = tree_map_only(Tensor, lambda one: one.double() if one.dtype is torch.float32 else one, (args, kwargs))
    found = func(*wide[0], **wide[1])
    return tree_map_only(Tensor, lambda one: one.float() if one.dtype is torch.float64 else one, found)


def _reversed_convolution(x: Tensor, weight: Tensor, bias: Any, *rest: Any) -> Any:
    transposed, groups = rest[3], rest[5]
    return None if transposed or groups != 1 else aten.convolution(x.flip(1), weight.flip(1), bias, *rest)


def _reversed_reduction(func: Any) -> Rule:
    return lambda x, dim=None, *rest, **kwargs: func(x.flip(_dims(x, dim)), dim, *rest, **kwargs)


# Sums run the other way round, those inside products of matrices and convolutions as well.
_REVERSED: dict[Any, Rule] = {
    aten.mm.default: lambda a, b: aten.mm(a.flip(1), b.flip(0)),
    aten.bmm.default: lambda a, b: aten.bmm(a.flip(2), b.flip(1)),
    aten.addmm.default: lambda bias, a, b, **scales: aten.addmm(bias, a.flip(1), b.flip(0), **scales),
    aten.convolution.default: _reversed_convolution,
    aten.sum.default: lambda x, **kwargs: aten.sum.default(x.flip(_dims(x, None)), **kwargs),
    **{func: _reversed_reduction(func) for func in (aten.sum.dim_IntList, aten.mean.dim, aten.var.correction)},
}


def _mm_by_products(a: Tensor, b: Tensor) -> Any:
    return (a.unsqueeze(2) * b).sum(1) if a.is_floating_point() and a.numel() * b.shape[1] <= _MANY else None


def _bmm_by_products(a: Tensor, b: Tensor) -> Any:
    small = a.is_floating_point() and a.numel() * b.shape[2] <= _MANY
    return (a.unsqueeze(3) * b.unsqueeze(1)).sum(2) if small else None


# Small products of matrices are sums of products, as `einsum` and loops write them.
_BY_PRODUCTS: dict[Any, Rule] = {aten.mm.default: _mm_by_products, aten.bmm.default: _bmm_by_products}


def _convolution_in_steps(x: Tensor, weight: Tensor, bias: Any, *rest: Any) -> Any:
    if bias is None:
        return None
    return aten.convolution(x, weight, None, *rest) + bias.reshape(-1, *[1] * (weight.ndim - 2))


def _log_softmax_in_steps(x: Tensor, dim: int, half_to_float: bool) -> Any:
    return None if half_to_float else x - torch.logsumexp(x, dim, keepdim=True)


def _variance_in_steps(x: Tensor, dim: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    dims = _dims(x, dim)
    divisor = math.prod(x.shape[each] for each in dims) - (1 if correction is None else correction)
    if divisor <= 0 or not x.is_floating_point():
        return None
    return (x - x.mean(dims, keepdim=True)).square().sum(dims, keepdim=keepdim) / divisor


def _division_in_steps(x: Any, y: Any) -> Any:
    if not all(isinstance(one, Tensor) and one.is_floating_point() for one in (x, y)) or x.dtype != y.dtype:
        return None
    return None if x.is_meta or bool((y == 0).any()) else x * (1 / y)


# What PyTorch does at once is done in steps: products and sums, a bias, variances, quotients.
_IN_STEPS: dict[Any, Rule] = {
    aten.addmm.default: lambda bias, a, b, *, beta=1, alpha=1: beta * bias + alpha * aten.mm(a, b),
    aten.convolution.default: _convolution_in_steps,
    aten._log_softmax.default: _log_softmax_in_steps,
    aten.var.correction: _variance_in_steps,
    aten.div.Tensor: _division_in_steps,
}

_OF_MAPS = frozenset(
    {
        aten.convolution.default,
        aten.convolution_backward.default,
        aten.max_pool2d_with_indices.default,
        aten.avg_pool2d.default,
        aten.native_batch_norm.default,
        aten.mean.dim,
        aten.sum.dim_IntList,
    }
)


def _other_layouts(func: Any, args: Any, kwargs: Any) -> Any:
    """Maps lie in memory channel by channel, and matrices without gaps, while something is computed with them."""
    if func in _OF_MAPS:
        found = func(*tree_map_only(Tensor, _channels_last, args), **kwargs)
        return tree_map_only(Tensor, lambda one: one.contiguous(), found)
    if func in (aten.mm.default, aten.bmm.default, aten.addmm.default):
        return func(*tree_map_only(Tensor, lambda one: one.contiguous() if _ordinary(one) else one, args), **kwargs)
    return None


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 and _ordinary(x) else x


def _halves(func: Any, batches: int = 1) -> Rule:
    """Computes with the two halves of the first arguments, so many of which are batches."""

    def in_halves(*args: Any) -> Any:
        count, middle = len(args[0]), len(args[0]) // 2
        if args[0].ndim < 2 or not middle:
            return None
        parts = (slice(middle), slice(middle, count))
        return torch.cat([func(*(one[part] for one in args[:batches]), *args[batches:]) for part in parts])

    return in_halves


# Wherever one sample does not depend on another: not in batch normalisation.
_IN_HALVES: dict[Any, Rule] = {
    aten.bmm.default: _halves(aten.bmm.default, batches=2),
    **{func: _halves(func) for func in (aten.convolution.default, aten.mm.default, aten.avg_pool2d.default)},
}


def _out_of_place(func: Any) -> Rule:
    return lambda x, *rest, **kwargs: x.copy_(func(x, *rest, **kwargs))


# Arithmetic in place computes a new tensor and copies it.
_OUT_OF_PLACE: dict[Any, Rule] = {
    aten.add_.Tensor: _out_of_place(aten.add.Tensor),
    aten.sub_.Tensor: _out_of_place(aten.sub.Tensor),
    aten.mul_.Tensor: _out_of_place(aten.mul.Tensor),
    aten.div_.Tensor: _out_of_place(aten.div.Tensor),
    aten.addcmul_.default: _out_of_place(aten.addcmul.default),
    aten.addcdiv_.default: _out_of_place(aten.addcdiv.default),
    aten.lerp_.Scalar: _out_of_place(aten.lerp.Scalar),
    aten.relu_.default: _out_of_place(aten.relu.default),
    aten.clamp_.default: _out_of_place(aten.clamp.default),
}

REWRITES: dict[str, Rewrite] = {
    "sums in another order": _by_operator(_REVERSED),
    "through float64": _through_float64,
    "products of matrices as sums": _by_operator(_BY_PRODUCTS),
    "in steps": _by_operator(_IN_STEPS),
    "other layouts in memory": _other_layouts,
    "batches in halves": _by_operator(_IN_HALVES),
    "out of place": _by_operator(_OUT_OF_PLACE),
}


def _ordinary(x: Tensor) -> bool:
    return x.layout is torch.strided and not x.is_quantized


def _dims(x: Tensor, dim: Any) -> list[int]:
    """The dimensions of a reduction: without any, it is over all."""
    dims = [dim] if isinstance(dim, int) else list(dim or range(x.ndim))
    return [each % max(x.ndim, 1) for each in dims] if x.ndim else []
