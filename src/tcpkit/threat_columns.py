"""The columns of the threats table."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import EPOCH, Column, Schema, When, number

KINDS = ("syn_flood", "port_scan", "host_scan", "dead_server")


def known(field: str) -> tuple[When, ...]:
    return (When(field, 0xFF, 1),)


THREATS = Schema("threats", (
    Column("kind", "", "kind", Kind.WORD, "what it looks like", words=KINDS),
    Column("target", "", "target_hi", Kind.ADDRESS, "address of the server", known("has_target"), other="ip_version"),
    number("target_port", "", "target_port", "its port", known("has_target_port")),
    Column("source", "", "source_hi", Kind.ADDRESS, "address of the one that scans", known("has_source"),
           other="ip_version"),
    number("attempts", "", "attempts", "connections begun"),
    number("completed", "", "completed", "handshakes that were completed"),
    number("refused", "", "refused", "answered by a reset"),
    number("half_open", "", "half_open", "left half-open, or never answered"),
    number("peak_half_open", "", "peak_half_open", "most handshakes under way at a time"),
    number("sources", "", "sources", "distinct addresses that began them"),
    number("hosts", "", "hosts", "distinct addresses they went to"),
    number("ports", "", "ports", "distinct ports they went to"),
    Column("start", "", "start_ns", Kind.SECONDS, "time of the first SYN", unit=EPOCH),
    Column("span", "", "span", Kind.SECONDS, "from the first SYN to the last", unit="ns"),
    Column("rate", "", "rate", Kind.REAL, "connections begun a second", unit="1/s"),
), ("kind", "target", "target_port", "source", "attempts", "completed", "refused", "half_open", "peak_half_open",
    "sources", "hosts", "ports", "span", "rate"))
