"""Threat 11: things that look like the right value."""

# ruff: noqa: E501 (lines of the attacks are data)

from __future__ import annotations

import pytest

attack = pytest.mark.attack

ALWAYS = """
import collections
import dataclasses
import enum

import numpy as np


class Always(type):
    def __instancecheck__(cls, other):
        return True
    def __eq__(cls, other):
        return True
    __hash__ = type.__hash__


class Same(metaclass=Always):
    __class__ = property(lambda self: torch.Tensor)
    shape = torch.Size([3])
    dtype = torch.float32
    __eq__ = __ne__ = __bool__ = lambda self, *other: True
    __hash__ = None
    def __getattr__(self, name):
        return lambda *arguments, **keywords: self


class Sub(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), keywords=None):
        return torch.ones(3, dtype=torch.bool)


class Number(float):
    pass


class Reduced:
    def __reduce__(self):
        return os.system, ("touch /tmp/stray-of-a-submission",)
    __reduce_ex__ = lambda self, protocol: (os.system, ("touch /tmp/stray-of-a-submission",))
    def __repr__(self):
        return "tensor([3., 6., 12.])"


class Listed(list):
    pass


class Array(np.ndarray):
    def __array_finalize__(self, other):
        pass
    __eq__ = __ne__ = lambda self, other: True


@dataclasses.dataclass
class Data:
    value: object
    __eq__ = lambda self, other: True
    __getattribute__ = lambda self, name: torch.Tensor
    __class__ = property(lambda self: torch.Tensor)


@dataclasses.dataclass(eq=False)
class Layered(torch.nn.Module):
    value: object


class Named(collections.namedtuple("Named", "a b c")):
    __iter__ = lambda self: iter([torch.ones(3)])
    __len__ = lambda self: 1


class Enumerated(enum.Enum):
    x = "tensor"
    name = property(lambda self: "y")


"""
DISGUISES = {
    "equal_to_everything": "Same()",
    "class_property": "type('Tensor', (), {'__class__': torch.Tensor, '__module__': 'torch'})()",
    "subclass_with_the_right_entries": "(3 * x).as_subclass(Sub)",
    "sparse": "(3 * x).to_sparse()",
    "quantised": "torch.quantize_per_tensor(3 * x, 1.0, 0, torch.quint8)",
    "meta": "(3 * x).to('meta')",
    "nested": "torch.nested.nested_tensor([3 * x])",
    "complex": "(3 * x).to(torch.complex64)",
    "double": "(3 * x).double()",
    "stride_0_of_huge_size": "(3 * x)[:, None].expand(-1, 10**12)",
    "pickle_bomb": "Reduced()",
    "nan": "torch.full_like(x, float('nan'))",
    "opaque_by_name": "__import__('autograder.sandbox.values').sandbox.values.Opaque('a tensor of shape (3,) (float32)', 'is right')",
    "record_by_name": "__import__('autograder.sandbox.values').sandbox.values.Record('named tuple', 'T', ('x',), (3 * x,))",
    "sparse_with_hidden_entries": "torch.sparse_coo_tensor([[0, 1, 2]], 3 * x, (3,), is_coalesced=True)",
    "array": "(3 * x).numpy()",
    "array_subclass": "(3 * x).numpy().view(Array)",
    "array_of_objects": "np.array([3 * v for v in x], dtype=object)",
    "dataclass": "Data(3 * x)",
    "dataclass_that_is_a_module": "Layered(3 * x)",
    "named_tuple": "Named(*(3 * x))",
    "enum": "Enumerated.x",
    "numbers": "(3 * x).tolist()",
    "wrapped_in_a_probe": "(3 * x,)",
}
PLAIN = {
    "negative_view": "(-3j * x.to(torch.complex64)).conj().imag",
    "stride_0": "(3 * x)[:, None].expand(-1, 4)[:, 0]",
    "inference_tensor": "torch.inference_mode()(lambda: 3 * x)()",
}


def cases(expressions):
    return [
        pytest.param(id=name, marks=attack(f"{ALWAYS}def attacked(x):\n    return {expression}\n"))
        for name, expression in expressions.items()
    ]


@pytest.mark.parametrize((), cases(DISGUISES))
def test_a_disguised_value_counts_as_wrong(result):
    result.failed_alone()
    assert result.status == "failed"


@pytest.mark.parametrize((), cases(PLAIN))
def test_an_unusual_but_plain_tensor_counts_as_what_it_is(result):
    assert result.data["score"] == 12


EXCEPTIONS = {
    "of_the_same_name": "class ValueError(Exception):\n    pass\n",
    "that_says_it_is_built_in": "class ValueError(Exception):\n    __module__ = 'builtins'\n",
    "by_a_lying_metaclass": """
class Lie(type):
    __mro__ = property(lambda cls: (ValueError, Exception, BaseException, object))
    def __instancecheck__(cls, other):
        return True
    def __subclasscheck__(cls, other):
        return True


class Error(Exception, metaclass=Lie):
    __class__ = property(lambda self: ValueError)


def refusing(x):
    raise Error("refused")
""",
    "without_a_message": "def refusing(x):\n    raise ValueError\n",
    "returned_and_not_raised": "def refusing(x):\n    return ValueError('refused')\n",
}
SHADOW = "\n\ndef refusing(x):\n    raise ValueError('refused')\n"


@pytest.mark.parametrize(
    (),
    [
        pytest.param(
            id=n,
            marks=attack(code + ("" if "refusing" in code else SHADOW) + "\n\ndef attacked(x):\n    return 3 * x\n"),
        )
        for n, code in EXCEPTIONS.items()
    ],
)
def test_an_exception_in_disguise_is_not_the_one_asked_for(result):
    assert result.points == {"attacked": 6, "refusing": 0, "honest": 4}


TEXTS = {
    "that_is_huge": "return 'x' * 10**8",
    "that_exits": "os._exit(0)",
    "that_recurses": "return str(self)",
    "with_control_characters": "return '\\x00\\x1b[2J\\x07\\u202e' * 100",
}


@pytest.mark.parametrize(
    (),
    [
        pytest.param(
            id=n,
            marks=attack(
                f"class Hostile(Exception):\n    def __str__(self):\n        {code}\n    __repr__ = __str__\n\n\ndef attacked(x):\n    raise Hostile\n"
            ),
        )
        for n, code in TEXTS.items()
    ],
)
def test_an_exception_with_a_text(result):
    result.failed_alone()
    assert len(result.verdict) < 2_000
