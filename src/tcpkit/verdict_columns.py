"""The columns of verdicts: what a segment really was, and why it was sent again."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import Evidence, LossSide, RetransmissionCause, SegmentKind
from tcpkit.columns import Column, When, duration, number, words_of

KIND_WORDS = words_of(SegmentKind, "KIND_")
CAUSE_WORDS = words_of(RetransmissionCause, "CAUSE_")
SIDE_WORDS = words_of(LossSide, "LOSS_")
EVIDENCE_WORDS = words_of(Evidence)
SENT_AGAIN = (When("cause", 0xFF, 0, equal=False),)
JUDGED = (When("kind", 0xFF, 0, equal=False),)
STANDS_OUT = (*JUDGED, When("kind", 0xFF, SegmentKind.KIND_NEW, equal=False))
REPEATS = (When("repeats", 0xFFFFFFFF, 0, equal=False),)
SINCE = "time since then, negative if it was overtaken"

VERDICT_TEXT = Column("verdict_text", "tcpkit.segment.verdict_text", "repeats", Kind.VERDICT,
                      "kind, original, cause and evidence in words, of what is not simply new", STANDS_OUT,
                      stage="verdicts")
# Of the packets and of the retransmissions table.
SHARED_COLUMNS = (
    number("confidence", "tcpkit.segment.confidence", "confidence", "how sure the verdict is", JUDGED, "percent",
           "verdicts"),
    Column("evidence", "tcpkit.segment.evidence", "evidence", Kind.SET, "what the verdict rests on", JUDGED,
           stage="verdicts", words=EVIDENCE_WORDS),
    Column("cause", "tcpkit.retransmission.cause", "cause", Kind.WORD, "why it was sent again", SENT_AGAIN,
           stage="verdicts", words=CAUSE_WORDS),
    Column("trigger", "tcpkit.retransmission.trigger", "trigger", Kind.WORD,
           "what made the sender send it, also if that was needless (spurious)", SENT_AGAIN, stage="verdicts",
           words=CAUSE_WORDS),
    number("backoff", "tcpkit.retransmission.backoff", "backoff", "consecutive timeouts, from 1",
           (When("backoff", 0xFF, 0, equal=False),), stage="verdicts"),
    Column("loss_side", "tcpkit.retransmission.loss_side", "loss_side", Kind.WORD,
           "where the original was lost: before or after the capture point, or none: it was not", SENT_AGAIN,
           stage="verdicts", words=SIDE_WORDS),
    VERDICT_TEXT,
)
VERDICT_COLUMNS = (
    Column("kind", "tcpkit.segment.kind", "kind", Kind.WORD, "what the segment really was", JUDGED, stage="verdicts",
           words=KIND_WORDS),
    number("original", "tcpkit.retransmission.original", "repeats",
           "frame of the first transmission, a later one if it was overtaken", REPEATS, stage="verdicts"),
    duration("since_original", "tcpkit.retransmission.since_original", "repeats_after", SINCE, REPEATS, "verdicts"),
    *SHARED_COLUMNS,
)
