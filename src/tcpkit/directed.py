"""Records with a field for each direction, turned into rows that speak of one end, or of an end and the other."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tcpkit.values import Array


def pick(records: Array, direction: Array | int, field: str) -> Array:
    """The figure ``field``, such as "packets", of the given direction."""
    return np.where(direction == 0, records[f"{field}0"], records[f"{field}1"])


def sent(records: Array, first: Array | int, field: str, names: tuple[str, str]) -> dict[str, Array]:
    """A figure of what the end whose direction is ``first`` sent, and the other."""
    return {names[0]: pick(records, first, field), names[1]: pick(records, 1 - first, field)}


def ends(records: Array, first: Array | int, names: tuple[str, str]) -> dict[str, Array]:
    """Addresses and ports of the end whose direction is ``first``, and of the other."""
    return {f"{name}_{part}": np.where(direction == 0, records[field.format(0)], records[field.format(1)])
            for name, direction in zip(names, (first, 1 - first), strict=True)
            for part, field in (("hi", "addr{}_hi"), ("lo", "addr{}_lo"), ("port", "port{}"))}


def join(fields: Mapping[str, Array]) -> Array:
    """One structured array, the widest fields first; the low half of an address follows the high one."""
    names = sorted(fields, key=lambda name: (-fields[name].dtype.itemsize, name.removesuffix("_lo").removesuffix("_hi"),
                                             name.endswith("_lo")))
    rows = np.zeros(len(fields[names[0]]), np.dtype([(name, fields[name].dtype) for name in names], align=True))
    for name in names:
        rows[name] = fields[name]
    return rows


def ratio(part: Array, whole: Array) -> Array:
    """0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
