"""The flows and conversations tables, from the records of the flow stage."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tcpkit.flow_columns import CONVERSATIONS, FLOWS
from tcpkit.table import Table
from tcpkit.values import Array

SHARED = ("stream", "quoted", "first_ns", "earliest_ns", "latest_ns", "first_frame", "conversation_frame",
          "ip_version", "client_evidence", "evicted")


def flow_table(records: Array) -> Table:
    """One row for each stream, in the order of their numbers; ``records`` are those of FlowTable."""
    records = records[np.argsort(records["stream"], kind="stable")]
    fields = {name: records[name] for name in SHARED}
    client = records["client"]
    fields |= _ends(records, client, ("client", "server"))
    for figure in ("packets", "wire_bytes", "payload_bytes"):
        fields |= _sent(records, client, figure, (f"{figure}_client", f"{figure}_server"))
    fields["duration"] = records["latest_ns"] - records["earliest_ns"]
    return Table(_join(fields), FLOWS)


def conversation_table(records: Array, start_ns: int) -> Table:
    """One row for each stream with a whole segment (CV-1), largest first (CV-3)."""
    records = records[records["conversation_frame"] > 0]
    fields = {name: records[name] for name in ("stream", "earliest_ns", "conversation_frame", "ip_version")}
    first = records["conversation_direction"]
    fields |= _ends(records, first, ("a", "b"))
    for figure in ("packets", "bytes"):
        sent = _sent(records, first, f"conversation_{figure}", (f"{figure}_to_b", f"{figure}_to_a"))
        fields |= {**sent, figure: sent[f"{figure}_to_a"] + sent[f"{figure}_to_b"]}
    fields["duration"] = records["latest_ns"] - records["earliest_ns"]
    order = np.lexsort((fields["conversation_frame"], -fields["packets"].astype(np.int64)))
    return Table(_join(fields)[order], CONVERSATIONS, start_ns=start_ns)


def _ends(records: Array, first: Array, names: tuple[str, str]) -> dict[str, Array]:
    """Addresses and ports of the end whose direction is ``first``, and of the other."""
    return {f"{name}_{part}": _pick(records, direction, field)
            for name, direction in zip(names, (first, 1 - first), strict=True)
            for part, field in (("hi", "addr{}_hi"), ("lo", "addr{}_lo"), ("port", "port{}"))}


def _sent(records: Array, first: Array, figure: str, names: tuple[str, str]) -> dict[str, Array]:
    """A figure of what the one end sent, and the other."""
    return {name: _pick(records, direction, figure + "{}")
            for name, direction in zip(names, (first, 1 - first), strict=True)}


def _pick(records: Array, direction: Array, field: str) -> Array:
    return np.where(direction == 0, records[field.format(0)], records[field.format(1)])


def _join(fields: Mapping[str, Array]) -> Array:
    """One structured array, the widest fields first; the low half of an address follows the high one."""
    names = sorted(fields, key=lambda name: (-fields[name].dtype.itemsize, name.removesuffix("_lo").removesuffix("_hi"),
                                             name.endswith("_lo")))
    rows = np.empty(len(fields[names[0]]), np.dtype([(name, fields[name].dtype) for name in names], align=True))
    for name in names:
        rows[name] = fields[name]
    return rows
