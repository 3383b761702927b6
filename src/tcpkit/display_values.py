"""Values of fields compared, over whole columns, with those written in a display filter and with one another."""
from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from tcpkit.display_tree import TRUTHS, Call, Literal, Value, fields_of
from tcpkit.errors import FilterError
from tcpkit.values import Array, Mask

ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "===": operator.eq, "!=": operator.ne, "!==": operator.ne, ">": operator.gt, "<": operator.lt,
    ">=": operator.ge, "<=": operator.le}
EQUAL = ("==", "===", "!=", "!==")
WHOLE = ("uint", "int", "bool")
NUMBERS = (*WHOLE, "time")
MOST_DIGITS = 1000               # of seconds written in a filter
ADDRESSES: dict[str, Callable[[str], ipaddress.IPv4Interface | ipaddress.IPv6Interface]] = {
    "ipv4": ipaddress.IPv4Interface, "ipv6": ipaddress.IPv6Interface, "address": ipaddress.ip_interface}


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of a field in every row, and where it is there.

    ``kind``: "uint", "int", "time" (ns), "bool", "real", "ipv4", "ipv6" and "address" of either version (shape
    (rows, 2): high and low half), "label" and "protocol" (only presence), "text" (codes into ``words``).
    ``closed``: there are no other words in any row.  ``largest``: number that the field can hold, if that is known.
    """

    kind: str
    values: Array
    present: Mask
    words: tuple[str, ...] = ()
    closed: bool = False
    largest: int | None = None


class Comparisons:
    """Those of one filter; FilterError where two cannot be compared."""

    def __init__(self, text: str) -> None:
        self.text = text

    def against(self, each: Occurrence, sign: str, literal: Literal) -> Mask:
        """Compare one occurrence with a value written in the filter."""
        if each.kind == "text":
            return self.words(each, sign, literal)
        if sign in ("contains", "matches"):
            raise FilterError(f'"{sign}" needs a field of text', self.text, literal.start, literal.end)
        if each.kind in ADDRESSES:
            return self.address(each, sign, literal)
        number = self.number(literal, each.kind)
        if each.largest is not None and number > each.largest:
            raise self.wrong(f"{literal.text} is too large for this field, which holds {each.largest} at most", literal)
        if each.kind == "uint" and number < 0:
            raise self.wrong(f"{literal.text} is below zero, which this field never is", literal)
        return np.asarray(ORDER[sign](each.values, number), bool)

    def between(self, a: Occurrence, sign: str, b: Occurrence, node: Value) -> Mask:
        if sign not in ORDER or (a.kind != b.kind and not (a.kind in WHOLE and b.kind in WHOLE)):
            raise self.wrong("these two cannot be compared", node)
        if a.kind in ADDRESSES:
            return order_pairs(sign, a.values, b.values[:, 0], b.values[:, 1])
        if a.kind == "text":
            words_a, words_b = np.array(a.words, object)[a.values], np.array(b.words, object)[b.values]
            return np.asarray(ORDER[sign](words_a, words_b), bool)
        if a.kind == "real":
            return np.asarray(ORDER[sign](a.values, b.values), bool)
        return np.asarray(ORDER[sign](a.values.astype(np.int64), b.values.astype(np.int64)), bool)

    def words(self, each: Occurrence, sign: str, literal: Literal) -> Mask:
        if sign == "matches":
            try:
                pattern = re.compile(literal.text, re.IGNORECASE)
            except (re.error, OverflowError, RecursionError) as error:
                raise FilterError(f"not a regular expression: {error}", self.text, literal.start, literal.end) from None
            chosen = [pattern.search(word) is not None for word in each.words]
        elif sign == "contains":
            chosen = [literal.text in word for word in each.words]
        else:
            if each.closed and sign in EQUAL and literal.text not in each.words:
                known = ", ".join(filter(None, each.words))
                raise self.wrong(f'"{literal.text}" is none of the words it can be: {known}', literal)
            chosen = [bool(ORDER[sign](word, literal.text)) for word in each.words]
        return np.array(chosen, bool)[each.values]

    def address(self, each: Occurrence, sign: str, literal: Literal) -> Mask:
        try:
            interface = ADDRESSES[each.kind](literal.text)
        except ValueError:
            kind = "address" if each.kind == "address" else f"{each.kind} address"
            raise FilterError(f'"{literal.text}" is not an {kind}', self.text, literal.start, literal.end) from None
        bits = interface.max_prefixlen
        mask = ((1 << bits) - 1) ^ ((1 << bits - interface.network.prefixlen) - 1)
        wanted = int(interface.ip) & mask
        if bits == 32:
            mask |= ((1 << 96) - 1) << 32
            wanted |= 0xFFFF << 32                       # rows hold ::ffff:a.b.c.d
        kept = each.values & np.array([mask >> 64, mask & (1 << 64) - 1], np.uint64)
        return order_pairs(sign, kept, np.uint64(wanted >> 64), np.uint64(wanted & (1 << 64) - 1))

    def truth(self, literal: Literal) -> int:
        """1 or 0: any number but 0 is true."""
        if literal.text in TRUTHS:
            return TRUTHS[literal.text]
        number = self.number(literal, "int")
        if not 0 <= number < 1 << 64:
            raise self.wrong(f"{literal.text} is neither true nor false", literal)
        return int(number != 0)

    def number(self, literal: Literal, kind: str) -> int | float:
        if kind == "bool":
            return self.truth(literal)
        try:
            if literal.quoted:
                raise ValueError
            if kind == "real":
                return float(Decimal(literal.text))
            if kind == "time":
                return nanoseconds(Decimal(literal.text))
            return int(literal.text, 8 if re.fullmatch(r"-?0[0-7]+", literal.text) else 0)
        except (ValueError, ArithmeticError):
            raise self.wrong(f'"{literal.text}" is not a valid number', literal) from None

    def wrong(self, message: str, node: Value) -> FilterError:
        first = next(iter(fields_of(node)), None)
        place = first or (node if isinstance(node, Literal | Call) else None)
        return FilterError(message, self.text, place.start if place else 0, place.end if place else len(self.text))


def nanoseconds(seconds: Decimal) -> int:
    """ValueError for numbers without end: to write out the digits of 1e999990 takes a minute."""
    if seconds.adjusted() > MOST_DIGITS:
        raise ValueError
    return int(seconds * 1_000_000_000)


def order_pairs(sign: str, pairs: Array, high: Any, low: Any) -> Mask:
    """Compare 128-bit numbers kept as two 64-bit halves."""
    same, ours, theirs = pairs[:, 0] == high, pairs[:, 1], low
    if sign in ("==", "==="):
        return np.asarray(same & (ours == theirs), bool)
    if sign in ("!=", "!=="):
        return np.asarray(~(same & (ours == theirs)), bool)
    strict = operator.gt if sign[0] == ">" else operator.lt
    return np.asarray(strict(pairs[:, 0], high) | (same & ORDER[sign](ours, theirs)), bool)
