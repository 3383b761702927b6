"""What the lifecycle stage adds to a flow: how it began and ended, in our words and in Zeek's."""
from __future__ import annotations

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import Closer, ConnState, Outcome, TcpState, Teardown
from tcpkit.columns import ENDS, EPOCH, Column, When, computed_by, number, words_of
from tcpkit.values import Array

STATE_WORDS = words_of(TcpState, dash="-")
OUTCOME_WORDS = words_of(Outcome, "OUTCOME_")
CLOSED = (When("closed_known", 0xFF, 1),)
SHARED = ("client_state", "server_state", "outcome", "teardown", "conn_state", "closer", "resetter", "after_fin",
          "after_reset", "client_lost", "server_lost", "close_ns")
HISTORY = ("history0", "history1", "history2")


def word(name: str, doc: str, words: tuple[str, ...], when: tuple[When, ...] = ()) -> Column:
    return Column(name, "", name, Kind.WORD, doc, when, words=words)


def someone(field: str) -> tuple[When, ...]:
    return (When(field, 0xFF, 0, equal=False),)


ENDING_COLUMNS = computed_by(
    "lifecycle",
    word("outcome", "how the connection began", OUTCOME_WORDS),
    *(word(f"{end}_state", f"state of the {end} at the end of the capture", STATE_WORDS) for end in ENDS),
    word("teardown", "how the connection ended", words_of(Teardown, "TEARDOWN_")),
    word("closer", "who sent the first FIN or RST", words_of(Closer, "CLOSER_"), someone("closer")),
    Column("close", "", "close_ns", Kind.SECONDS, "when that was", someone("closer"), EPOCH),
    Column("close_time", "", "close_time", Kind.SECONDS, "from then until both ends had closed", CLOSED, "ns"),
    word("resetter", "who sent the first RST", words_of(Closer, "CLOSER_"), someone("resetter")),
    *(number(f"{end}_lost", "", f"{end}_lost", f"bytes in flight from the {end} at the first RST", someone("resetter"),
             "bytes") for end in ENDS),
    number("after_fin", "", "after_fin", "segments with data beyond their sender's FIN"),
    number("after_reset", "", "after_reset", "segments with data after a RST"),
    word("conn_state", "Zeek's word for how the connection went", words_of(ConnState, "CONN_", dash="-")),
    Column("history", "", "history", Kind.LETTERS, "what either end sent, in Zeek's letters"),
)


def lifecycle_fields(records: Array) -> dict[str, Array]:
    """Of LIFECYCLE records."""
    fields = {name: records[name] for name in SHARED}
    closed = records["closed_ns"] != 0
    fields["close_time"] = np.where(closed, np.maximum(records["closed_ns"] - records["close_ns"], 0), 0)
    fields["closed_known"] = closed.view(np.uint8)
    letters = np.ascontiguousarray(np.stack([records[name] for name in HISTORY], axis=1))
    fields["history"] = letters.view("S24")[:, 0]
    return fields
