"""Display filters over tables: Wireshark's tests, evaluated as NumPy over whole columns.

A field may occur several times in a frame (``tcp.port``, ``ip.addr``); a comparison holds when it
holds for any of its occurrences, except ``!=`` and ``===``, which ask for all of them, as in
Wireshark 4.0.  A test of an absent field is false.
"""
from __future__ import annotations

import difflib
import functools
import operator
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from tcpkit.display_syntax import parse
from tcpkit.display_tree import (
    Arithmetic,
    Call,
    Compare,
    Exists,
    Field,
    Literal,
    Logic,
    Member,
    Not,
    Test,
    Value,
    compared_with,
    fields_of,
)
from tcpkit.display_values import NUMBERS, WHOLE, Comparisons, Occurrence
from tcpkit.errors import FilterError
from tcpkit.values import Array, Mask


def quotient(a: Array, b: Array) -> Array:
    """Cut towards zero, as in C; so is the remainder, ``np.fmod``."""
    return np.asarray((a - np.fmod(a, b)) // b)


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_, "/": quotient, "%": np.fmod}
MAX_PAIRS = 64                   # of values that two fields of a calculation have, as each may occur more than once
FUNCTIONS = ("count", "max", "min", "abs", "lower", "upper")


class Fields(Protocol):
    """What a filter is evaluated over."""

    def __len__(self) -> int: ...

    def names(self) -> Iterable[str]:
        """Every name a filter may use."""

    def unfiltered(self) -> Collection[str]:
        """The names of columns that no filter may use."""

    def occurrences(self, name: str) -> list[Occurrence]:
        """All occurrences of a field; at least one, perhaps present nowhere."""


class DisplayFilter:
    """A parsed display filter: ``fields`` names what it reads, ``mask(table)`` tells the rows it selects."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a display filter is text, not {text!r}")
        self.text = text
        self.tree = parse(text)
        self.fields = frozenset(field.name for field in fields_of(self.tree))

    def __repr__(self) -> str:
        return f"DisplayFilter({self.text!r})"

    def check(self, fields: Fields) -> None:
        """FilterError for a field that is not there, with what was meant perhaps."""
        known = set(fields.names())
        for field in fields_of(self.tree):
            if field.name not in known:
                cause = ("cannot be filtered by" if field.name in fields.unfiltered() else
                         f"is not a field{self._meant(field, known)}")
                raise FilterError(f'"{field.name}" {cause}', self.text, field.start, field.end)

    def _meant(self, field: Field, known: Collection[str]) -> str:
        text = "." not in field.name and field in compared_with(self.tree)
        near = difflib.get_close_matches(field.name, known, 1)
        return ("; text is written in quotes" if text else "") + (f'; did you mean "{near[0]}"?' if near else "")

    def mask(self, fields: Fields) -> Mask:
        """Which rows the filter selects, shape (len(fields),)."""
        self.check(fields)
        return Evaluation(self.text, fields).test(self.tree)


class Evaluation(Comparisons):
    """One filter over one table."""

    def __init__(self, text: str, fields: Fields) -> None:
        super().__init__(text)
        self.fields = fields
        self.rows = len(fields)

    def test(self, node: Test) -> Mask:
        if isinstance(node, Logic):
            masks = [self.test(part) for part in node.tests]
            return functools.reduce(operator.or_ if node.operator == "or" else operator.and_, masks)
        if isinstance(node, Not):
            return ~self.test(node.test)
        if isinstance(node, Compare):
            return self.compare(node)
        if isinstance(node, Member):
            return self.member(node)
        return self.exists(node)

    def exists(self, node: Exists) -> Mask:
        occurrences = self.value(node.value)
        # Arithmetic without a comparison asks whether the result is not zero (tcp.flags & 2).
        if isinstance(node.value, Arithmetic):
            return any_of(each.present & (each.values != 0) for each in occurrences)
        return any_of(each.present for each in occurrences)

    def compare(self, node: Compare) -> Mask:
        left, right = node.left, node.right
        if isinstance(left, Literal):
            raise FilterError("a comparison starts with a field", self.text, left.start, left.end)
        ours = self.value(left)
        self.refuse_labels(left, ours)
        if isinstance(right, Literal):
            pairs = [(each.present, self.against(each, node.operator, right)) for each in ours]
        else:
            theirs = self.value(right)
            if isinstance(right, Field) and ours[0].kind == "text" and theirs[0].kind != "text":
                raise self.wrong(f'"{right.name}" is a field that is no text; text is written in quotes', right)
            self.refuse_labels(right, theirs)
            pairs = [(a.present & b.present, self.between(a, node.operator, b, left)) for a in ours for b in theirs]
        every = node.every if node.every is not None else node.operator in ("===", "!=")
        holds = any_of(present & result for present, result in pairs)
        return holds & ~any_of(present & ~result for present, result in pairs) if every else holds

    def member(self, node: Member) -> Mask:
        occurrences = self.value(node.value)
        self.refuse_labels(node.value, occurrences)
        pairs = [(each.present, self.inside(each, node)) for each in occurrences]
        found = any_of(present & result for present, result in pairs)
        return found & ~any_of(present & ~result for present, result in pairs) if node.every else found

    def inside(self, each: Occurrence, node: Member) -> Mask:
        """Where one occurrence is in the set."""
        found = np.zeros(self.rows, bool)
        for low, high in node.ranges:
            if low is high:
                found |= self.against(each, "==", self.of_set(low))
            else:
                found |= self.against(each, ">=", self.of_set(low)) & self.against(each, "<=", self.of_set(high))
        return found

    def of_set(self, value: Value) -> Literal:
        if not isinstance(value, Literal):
            raise self.wrong("a set holds values; text is written in quotes", value)
        return value

    def value(self, node: Value) -> list[Occurrence]:
        if isinstance(node, Field):
            return self.fields.occurrences(node.name)
        if isinstance(node, Arithmetic):
            left, right = self.operands(node)
            if len(left) * len(right) > MAX_PAIRS:
                raise self.wrong("too many fields in a row that occur more than once", node.left)
            return [self.arithmetic(node, a, b) for a in left for b in right]
        if isinstance(node, Call):
            return self.call(node)
        raise self.wrong("a value cannot stand alone", node)

    def operands(self, node: Arithmetic) -> list[list[Occurrence]]:
        """Left and right; a number written beside a time is one."""
        sides = (node.left, node.right)
        fields = [[] if isinstance(side, Literal) else self.value(side) for side in sides]
        kind = "time" if any(each.kind == "time" for field in fields for each in field) else "int"
        return [[self.constant(side, kind)] if isinstance(side, Literal) else field
                for side, field in zip(sides, fields, strict=True)]

    def constant(self, node: Literal, kind: str) -> Occurrence:
        number = self.number(node, kind)
        if not -1 << 63 < number < 1 << 63:
            raise self.wrong(f"{node.text} is too large to calculate with", node)
        return Occurrence(kind, np.full(self.rows, number), np.ones(self.rows, bool))

    def arithmetic(self, node: Arithmetic, a: Occurrence, b: Occurrence) -> Occurrence:
        kinds = {a.kind, b.kind}
        if not kinds.issubset(WHOLE) and (kinds != {"time"} or node.operator not in "+-"):
            raise self.wrong(f'"{node.operator}" needs whole numbers; times are only added and subtracted', node.left)
        left, right, present = a.values.astype(np.int64), b.values.astype(np.int64), a.present & b.present
        if node.operator in "/%":
            present, right = present & (right != 0), np.where(right == 0, 1, right)
        if node.operator in "+-*":                       # what does not fit into 64 bits is not there
            present = present & (np.abs(ARITHMETIC[node.operator](left.astype(float), right.astype(float))) < 2.0**63)
        return Occurrence("time" if "time" in kinds else "int", ARITHMETIC[node.operator](left, right), present)

    def call(self, node: Call) -> list[Occurrence]:
        if node.function not in FUNCTIONS:
            raise FilterError(f'there is no function "{node.function}"; there are {", ".join(FUNCTIONS)}',
                              self.text, node.start, node.end)
        occurrences = self.value(node.argument)
        if node.function == "count":
            number = sum((each.present.astype(np.int64) for each in occurrences), np.zeros(self.rows, np.int64))
            return [Occurrence("int", number, number > 0)]
        if node.function in ("lower", "upper"):
            return [replace(each, words=tuple(getattr(word, node.function)() for word in each.words))
                    for each in occurrences]
        if any(each.kind not in NUMBERS for each in occurrences):
            raise self.wrong(f"{node.function}() needs numbers", node.argument)
        if node.function == "abs":
            return [replace(each, values=np.abs(each.values)) for each in occurrences]
        return [extreme(occurrences, np.maximum if node.function == "max" else np.minimum)]

    def refuse_labels(self, node: Value, occurrences: list[Occurrence]) -> None:
        if occurrences[0].kind in ("label", "protocol"):
            raise self.wrong("this can only be there or not; it has no value to compare", node)


def any_of(masks: Iterable[Mask]) -> Mask:
    return functools.reduce(operator.or_, masks)


def extreme(occurrences: list[Occurrence], choose: Callable[[Array, Array], Array]) -> Occurrence:
    """The largest or smallest of the occurrences that are there."""
    values, present = occurrences[0].values, occurrences[0].present
    for each in occurrences[1:]:
        both = np.where(each.present, choose(values, each.values), values)
        values, present = np.where(present, both, each.values), present | each.present
    return replace(occurrences[0], values=values, present=present)
