"""Verdicts in words: "retransmission of #41 after 212 ms: timeout, 2nd; lost after the capture point"."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcpcore.flags import Evidence, LossSide, RetransmissionCause, SegmentKind

NAMES = {
    SegmentKind.KIND_NEW: "new", SegmentKind.KIND_REORDERED: "reordered on the path",
    SegmentKind.KIND_RETRANSMISSION: "retransmission", SegmentKind.KIND_NETWORK_DUPLICATE: "the network's copy",
    SegmentKind.KIND_PROBE: "probe", SegmentKind.KIND_UNDETERMINED: "late or sent again: the capture cannot tell"}
TRIGGERS = {
    RetransmissionCause.CAUSE_FAST: "fast", RetransmissionCause.CAUSE_TIMEOUT: "timeout",
    RetransmissionCause.CAUSE_TAIL_LOSS_PROBE: "tail loss probe", RetransmissionCause.CAUSE_SYN: "SYN",
    RetransmissionCause.CAUSE_FIN: "FIN", RetransmissionCause.CAUSE_PATH_MTU: "smaller pieces for the path's MTU",
    RetransmissionCause.CAUSE_UNKNOWN: "cause unknown"}
PROMPTS = {
    Evidence.SACK_GAP: "SACK gap", Evidence.DUPLICATE_ACKS: "duplicate ACKs",
    Evidence.IN_RECOVERY: "in a recovery that goes on", Evidence.AFTER_SILENCE: "after silence"}
NEEDLESS = {
    Evidence.ACKED_BEFORE: "it had been acknowledged", Evidence.DSACK: "the receiver reports it as a duplicate",
    Evidence.EARLY_ECHO: "the answer echoes the original", Evidence.EARLY_ACK: "the answer came too soon for it",
    Evidence.ORIGINAL_LATE: "the original was only late"}
SIDES = {LossSide.LOSS_BEFORE: "lost before the capture point", LossSide.LOSS_AFTER: "lost after the capture point"}


def verdict_text(row: Mapping[str, Any]) -> str:
    """One row of packets, by its fields; empty if the segment takes no sequence space."""
    kind = SegmentKind(int(row["kind"]))
    if kind == SegmentKind.KIND_NONE:
        return ""
    text = NAMES[kind] + _repeated(row)
    if kind == SegmentKind.KIND_PROBE:
        return text + (" of a closed window" if row["evidence"] & Evidence.CLOSED_WINDOW else " that keeps alive")
    if kind == SegmentKind.KIND_RETRANSMISSION:
        return f"{text}: {_cause(row)}"
    return text


def _repeated(row: Mapping[str, Any]) -> str:
    """The frame it repeats, and how long after it; a late original comes after its own repetition."""
    if not row["repeats"]:
        return ""
    after = int(row["repeats_after"])
    return f" of #{row['repeats']} " + (f"{_milliseconds(-after)} before it" if after < 0 else
                                       f"after {_milliseconds(after)}")


def _milliseconds(ns: int) -> str:
    return f"{ns / 1e6:.0f} ms" if ns >= 10_000_000 else f"{ns / 1e6:.2g} ms"


def _cause(row: Mapping[str, Any]) -> str:
    parts = [TRIGGERS[RetransmissionCause(int(row["trigger"]))]]
    if row["backoff"] > 1:
        parts.append(_ordinal(int(row["backoff"])))
    evidence = int(row["evidence"])
    if evidence & Evidence.AFTER_SILENCE:        # says more than the recovery
        evidence &= ~Evidence.IN_RECOVERY
    parts += _said(PROMPTS, evidence)
    if row["cause"] == RetransmissionCause.CAUSE_SPURIOUS:
        return f"{', '.join(parts)}; needless: {', '.join(_said(NEEDLESS, row['evidence']))}"
    side = SIDES.get(LossSide(int(row["loss_side"])))
    return ", ".join(parts) + (f"; {side}" if side else "")


def _said(words: Mapping[Evidence, str], evidence: int) -> list[str]:
    return [text for bit, text in words.items() if evidence & bit]


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
