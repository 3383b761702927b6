"""The columns of the threats table."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import EPOCH, Column, Schema, When, end_address, number

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
    number("peak_half_open", "", "peak_half_open", "most handshakes under way at the end of a step of time",
           known("has_peak")),
    number("sources", "", "sources", "distinct addresses that began them; beyond 1,024 with a standard error of 3 %"),
    number("hosts", "", "hosts", "distinct addresses they went to, likewise"),
    number("ports", "", "ports", "distinct ports they went to, likewise"),
    Column("start", "", "start_ns", Kind.SECONDS, "time of the first SYN", unit=EPOCH),
    Column("span", "", "span", Kind.SECONDS, "from the first SYN to the last", unit="ns"),
    Column("rate", "", "rate", Kind.REAL, "connections begun a second", unit="1/s"),
), ("kind", "target", "target_port", "source", "attempts", "completed", "refused", "half_open", "peak_half_open",
    "sources", "hosts", "ports", "span", "rate"))

HALF_OPEN = Schema("half_open", (
    end_address("server", "address of the server"),
    number("server_port", "", "server_port", "its port"),
    Column("start", "", "start_ns", Kind.SECONDS, "where the step of time begins", unit=EPOCH),
    Column("step", "", "width", Kind.SECONDS, "how long it is: the same for all, longer in longer captures", unit="ns"),
    number("begun", "", "begun", "handshakes begun in it"),
    number("completed", "", "completed", "handshakes completed in it"),
    number("failed", "", "failed", "handshakes refused or reset in it"),
    number("half_open", "", "half_open", "handshakes under way at its end"),
), ("server", "server_port", "start", "step", "begun", "completed", "failed", "half_open"))
