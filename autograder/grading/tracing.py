"""Writes down what a probe asks of the student's module, as plain Python that needs nothing of the grader.

A stand-in for the module takes part in the probe. Whatever comes from it is `Traced`: the value, and the expression
that makes it. So the text holds calls, attributes, indices and arithmetic with literals, and never the probe's own
source. What cannot be written like that raises `NotPlain`. A branch that depends on a traced value is taken as for the
reference; whoever uses the text must run it to see whether it holds.
"""

from __future__ import annotations

import inspect
import keyword
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch

from autograder.grading.literals import NotPlain, literal, module_text, tensor_text
from autograder.grading.traces import Given, Step, Trace

OF_THE_KIT = "it looks at what your code makes with tools of the grader"
OF_THE_GRADER = "it hands your code something that only the grader has"
UNDER_A_MODE = "it watches your code at work"
HANDLES_ERRORS = "it goes on after an exception in your code"
CHANGES_INPUTS = "it changes an input between two calls"

_OPERATORS = {
    **dict.fromkeys(("add", "radd"), "+"),
    **dict.fromkeys(("sub", "rsub"), "-"),
    **dict.fromkeys(("mul", "rmul"), "*"),
    **dict.fromkeys(("truediv", "rtruediv"), "/"),
    **dict.fromkeys(("floordiv", "rfloordiv"), "//"),
    **dict.fromkeys(("mod", "rmod"), "%"),
    **dict.fromkeys(("pow", "rpow"), "**"),
    **dict.fromkeys(("matmul", "rmatmul"), "@"),
    **dict.fromkeys(("and", "rand"), "&"),
    **dict.fromkeys(("or", "ror"), "|"),
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}
_REFLECTED = {name for name in _OPERATORS if name[0] == "r" and name[1:] in _OPERATORS}


def trace(probe: Callable[[Any], Any], module: types.ModuleType) -> Trace:
    """Runs a probe on trusted code.

    Raises:
        NotPlain: what it asks cannot be written as plain Python.
    """
    made = Trace()
    try:
        made.result = probe(_StandIn(made, module))
    except Exception as error:
        if made.refusal is None and error is not made.raised:
            raise NotPlain(OF_THE_GRADER) from error
    else:
        if made.raised is not None:
            raise NotPlain(HANDLES_ERRORS)
    if made.refusal is not None:
        raise made.refusal
    return made


class _StandIn:
    """Takes the place of the module."""

    def __init__(self, made: Trace, module: types.ModuleType) -> None:
        object.__setattr__(self, "_parts", (made, module))

    def __getattr__(self, name: str) -> Any:
        made, module = object.__getattribute__(self, "_parts")
        value = getattr(module, name)
        made.names.add(name)
        return _traced(made, value, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise _refused(object.__getattribute__(self, "_parts")[0], OF_THE_GRADER)


class Traced:
    """A value that comes from the module. Only a few operations are possible: those that can be written."""

    __slots__ = ("_made", "_of", "_text", "_value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, made: Trace, value: Any, text: str, of: tuple[str, int, int] | None = None) -> None:
        object.__setattr__(self, "_made", made)
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "_of", of)  # the sequence that it was unpacked from, its index and the length

    @property
    def __class__(self) -> type:  # for `isinstance`
        return type(self._value)

    @__class__.setter
    def __class__(self, _: type) -> None:
        raise _refused(self._made, OF_THE_GRADER)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _traced(self._made, getattr(self._value, name), f"{self._text}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        made = self._made
        text = f"{self._text}.{name} = {_argument(made, value, name)}"
        _step(made, text, lambda: setattr(self._value, name, plain(value)), keyed=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made, function = self._made, self._value
        text = f"{self._text}({_arguments(made, function, args, kwargs)})"
        return _step(made, text, lambda: function(*map(plain, args), **{key: plain(kwargs[key]) for key in kwargs}))

    def __getitem__(self, index: Any) -> Any:
        return _traced(self._made, self._value[plain(index)], f"{self._text}[{_index(self._made, index)}]")

    def __iter__(self) -> Iterator[Any]:
        if not isinstance(self._value, list | tuple | torch.Tensor):
            raise _refused(self._made, OF_THE_KIT)
        count = len(self._value)
        for position in range(count):
            text = f"{self._text}[{position}]"
            yield _traced(self._made, self._value[position], text, (self._text, position, count))

    def __neg__(self) -> Any:
        return _step(self._made, f"(-{self._text})", lambda: -self._value)

    def __invert__(self) -> Any:
        return _step(self._made, f"(~{self._text})", lambda: ~self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __index__(self) -> int:
        return self._value.__index__()  # type: ignore[no-any-return]

    def __float__(self) -> float:
        return float(self._value)

    @classmethod
    def __torch_function__(cls, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        made = next(_all_traced([*args, *kwargs.values()]))._made
        call = f"{_torch_name(made, function)}({_arguments(made, None, args, kwargs)})"
        return _step(made, call, lambda: function(*map(plain, args), **{key: plain(kwargs[key]) for key in kwargs}))


def _operator(name: str, sign: str) -> Callable[[Traced, Any], Any]:
    def apply(self: Traced, other: Any) -> Any:
        made, sides = self._made, [self._text, _argument(self._made, other, "tensor")]
        text = f" {sign} ".join(sides[::-1] if name in _REFLECTED else sides)
        return _step(made, f"({text})", lambda: getattr(self._value, f"__{name}__")(plain(other)))

    return apply


for _name, _sign in _OPERATORS.items():
    setattr(Traced, f"__{_name}__", _operator(_name, _sign))


def _traced(made: Trace, value: Any, text: str, of: tuple[str, int, int] | None = None) -> Any:
    """The value with its expression. Of None and texts, probes want the value itself."""
    return value if value is None or isinstance(value, str) else Traced(made, value, text, of)


def plain(value: Any) -> Any:
    """The value without the expressions in it."""
    if type(value) is Traced:
        return value._value
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    if type(value) is slice:
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value


def _step(made: Trace, text: str, run: Callable[[], Any], *, keyed: bool = True) -> Any:
    """Writes a line and runs it."""
    _require_usual_surroundings(made)
    step = Step(str(len(made.steps)), text, "value", torch.is_grad_enabled(), keyed)
    made.steps.append(step)
    try:
        value = run()
    except Exception as error:
        made.raised = error
        raise
    for one in made.given.values():
        one.version = _version(one.value)
    step.base = (
        "layer" if isinstance(value, torch.nn.Module) else "output" if isinstance(value, torch.Tensor) else "value"
    )
    return _traced(made, value, f"«{step.key}»")


def _require_usual_surroundings(made: Trace) -> None:
    if made.raised is not None:
        raise _refused(made, HANDLES_ERRORS)
    if (
        torch._C._len_torch_function_stack()
        or torch._C._len_torch_dispatch_stack()
        or torch.is_inference_mode_enabled()
    ):
        raise _refused(made, UNDER_A_MODE)
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not trace.__code__:
        if frame.f_globals.get("__name__", "").startswith("autograder.probes"):
            raise _refused(made, OF_THE_KIT)
        frame = frame.f_back  # type: ignore[assignment]


def _refused(made: Trace, why: str) -> NotPlain:
    """Kept, since a probe may catch whatever is raised in it."""
    made.refusal = made.refusal or NotPlain(why)
    return made.refusal


def _arguments(made: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    names = _parameters(function)
    bases = [names[i] if i < len(names) else "tensor" for i in range(len(args))]
    texts = [_argument(made, value, base) for value, base in zip(args, bases, strict=True)]
    return ", ".join(texts + [f"{name}={_argument(made, value, name)}" for name, value in kwargs.items()])


def _parameters(function: Any) -> list[str]:
    target = function.forward if isinstance(function, torch.nn.Module) else function
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    return [one.name for one in parameters if one.kind is not one.VAR_POSITIONAL]


def _argument(made: Trace, value: Any, base: str) -> str:
    if type(value) is Traced:
        return value._text  # type: ignore[no-any-return]
    if isinstance(value, torch.Tensor | torch.nn.Module):
        return _input(made, value, base)
    if type(value) in (list, tuple) and value:
        items = ", ".join(_argument(made, item, base) for item in value)
        return f"[{items}]" if isinstance(value, list) else f"({items}{',' * (len(value) == 1)})"
    if type(value) is dict:
        return "{" + ", ".join(f"{literal(key)}: {_argument(made, item, base)}" for key, item in value.items()) + "}"
    try:
        return literal(value)
    except NotPlain:
        raise _refused(made, OF_THE_GRADER) from None


def expression(made: Trace, value: Any) -> str:
    """What the program calls a value that a probe returned.

    Raises:
        NotPlain: it cannot be written.
    """
    if type(value) in (list, tuple) and (whole := _unpacked(value)):
        return f"{type(value).__name__}({whole})"
    return _argument(made, value, "tensor")


def _index(made: Trace, index: Any) -> str:
    if type(index) is slice:
        ends = ["" if end is None else _argument(made, end, "index") for end in (index.start, index.stop)]
        return ":".join(ends + ([] if index.step is None else [_argument(made, index.step, "index")]))
    if index is Ellipsis:
        return "..."
    if type(index) is tuple and index:
        return ", ".join(_index(made, item) for item in index) + "," * (len(index) == 1)
    return _argument(made, index, "index")


def _input(made: Trace, value: Any, base: str) -> str:
    """The variable of an input, whose value is written as it is now, before the call."""
    for key, one in made.given.items():
        if one.value is value:
            if one.version != _version(value):
                raise _refused(made, CHANGES_INPUTS)
            return f"«{key}»"
    try:
        text = module_text(value) if isinstance(value, torch.nn.Module) else tensor_text(value)
    except NotPlain as why:
        raise _refused(made, str(why)) from None
    key, name = f"i{len(made.given)}", base if base.isidentifier() and not keyword.iskeyword(base) else "tensor"
    made.given[key] = Given(value, text, name, _version(value))
    return f"«{key}»"


def _version(value: Any) -> int | None:
    return value._version if isinstance(value, torch.Tensor) and not value.is_inference() else None


def _torch_name(made: Trace, function: Any) -> str:
    name = getattr(function, "__name__", "")
    places = {"torch": torch, "torch.nn.functional": torch.nn.functional, "torch.autograd": torch.autograd}
    for place, found in (*places.items(), ("torch.Tensor", torch.Tensor)):
        if name and getattr(found, name, None) is function:
            return f"{place}.{name}"
    raise _refused(made, OF_THE_KIT)


def _all_traced(values: list[Any]) -> Iterator[Traced]:
    for value in values:
        if type(value) is Traced:
            yield value
        elif type(value) in (list, tuple):
            yield from _all_traced(list(value))


def _unpacked(items: list[Any] | tuple[Any, ...]) -> str:
    """The sequence of which these are all the items, as `list(sequence)` takes them."""
    origins = [item._of if type(item) is Traced else None for item in items]
    first = origins[0] if origins else None
    whole = first is not None and origins == [(first[0], position, len(items)) for position in range(len(items))]
    return first[0] if first is not None and whole else ""
