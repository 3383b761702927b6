"""What a display filter asks, as a tree."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TRUTHS = {"True": 1, "TRUE": 1, "Set": 1, "False": 0, "FALSE": 0}        # in comparisons with what is set or not


@dataclass(frozen=True)
class Field:
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Literal:
    text: str
    quoted: bool
    start: int
    end: int


@dataclass(frozen=True)
class Call:
    function: str
    argument: Value
    start: int
    end: int


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: Value
    right: Value


Value = Field | Literal | Call | Arithmetic


@dataclass(frozen=True)
class Exists:
    value: Value


@dataclass(frozen=True)
class Compare:
    operator: str
    left: Value
    right: Value
    every: bool | None      # `all` or `any` in front; None: what the operator itself says


@dataclass(frozen=True)
class Member:
    value: Value
    ranges: tuple[tuple[Value, Value], ...]
    every: bool


@dataclass(frozen=True)
class Not:
    test: Test


@dataclass(frozen=True)
class Logic:
    operator: str           # "and", "or"
    tests: tuple[Test, ...]


Test = Exists | Compare | Member | Not | Logic


def compared_with(test: Test) -> Iterable[Field]:
    """The fields that stand alone where a value may: right of a comparison, or in a set."""
    if isinstance(test, Logic):
        for part in test.tests:
            yield from compared_with(part)
    elif isinstance(test, Not):
        yield from compared_with(test.test)
    elif isinstance(test, Member):
        yield from fields_of(test.ranges)
    elif isinstance(test, Compare) and isinstance(test.right, Field):
        yield test.right


def fields_of(node: object) -> Iterable[Field]:
    """The fields of a tree, in the order of the text."""
    if isinstance(node, Field):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from fields_of(part)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from fields_of(getattr(node, name))
