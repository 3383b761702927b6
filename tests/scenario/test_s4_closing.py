"""S4: the ways of closing, who began, and how long it took."""
from __future__ import annotations

import io

import pytest

import tcpkit
from packets import MS, Conversation


def flow(conversation: Conversation) -> dict:
    return tcpkit.open(io.BytesIO(conversation.pcap(nano=True))).flows[0]


def begun() -> Conversation:
    return Conversation().handshake()


CLOSES = [
    ("four_way", "client", 30, "SF", "ShAFaf", begun().c("FA", 1, 1).s("A", 1, 2).s("FA", 1, 2).c("A", 2, 2)),
    ("three_way", "server", 20, "SF", "ShAfFa", begun().s("FA", 1, 1).c("FA", 1, 2).s("A", 2, 2)),
    ("half_closed", "client", None, "S2", "ShAFa", begun().c("FA", 1, 1).s("A", 1, 2)),
    ("half_closed", "server", None, "S3", "ShAf", begun().s("FA", 1, 1).c("A", 1, 2)),
    ("reset", "client", 0, "RSTO", "ShAR", begun().c("RA", 1, 1)),
    ("reset", "server", 0, "RSTR", "ShADr", begun().c("PA", 1, 1, 50).s("RA", 1, 1)),
    ("refused", "server", 0, "REJ", "Sr", Conversation().c("S", 0).s("RA", 0, 1)),
    ("silent", None, None, "S1", "ShADa", begun().c("PA", 1, 1, 50).s("A", 1, 51)),
    ("silent", None, None, "S0", "S", Conversation().c("S", 0).c("S", 0)),
    ("reset", "client", 0, "RSTOS0", "SR", Conversation().c("S", 0).c("R", 1)),
]


@pytest.mark.parametrize(("teardown", "closer", "took", "conn_state", "history", "conversation"), CLOSES)
def test_kinds(teardown, closer, took, conn_state, history, conversation):
    row = flow(conversation)
    assert (row["teardown"], row["closer"], row["conn_state"]) == (teardown, closer, conn_state)
    assert row["history"] == history
    assert (None if row["close_time"] is None else row["close_time"].astype(int)) == (
        None if took is None else took * MS)


def test_simultaneous():
    """Both FINs cross; both ends pass through CLOSING."""
    life = begun().c("PA", 1, 1, 1000).s("PA", 1, 1001, 191)
    for at in range(1001, 203346, 1445):
        life.c("A", at, 192, min(1445, 203346 - at))
    life.s("A", 192, 203346)
    life.c("FA", 203346, 192).s("FA", 192, 203346).c("A", 203347, 193).s("A", 193, 203347)
    capture = tcpkit.open(io.BytesIO(life.pcap(nano=True)))
    last = capture.packets[-4:]
    assert last["seq"].tolist() == [203346, 192, 203347, 193]
    assert last["ack"].tolist() == [192, 203346, 193, 203347]
    assert last["client_state"].tolist() == ["FIN-WAIT-1", "CLOSING", "CLOSING", "TIME-WAIT"]
    assert last["server_state"].tolist() == ["CLOSE-WAIT", "CLOSING", "TIME-WAIT", "TIME-WAIT"]
    assert capture.flows[0]["teardown"] == "simultaneous"


@pytest.mark.parametrize(("acked", "lost"), [(501, 0), (101, 400), (1, 500)])
def test_what_a_reset_loses(acked, lost):
    life = begun().c("PA", 1, 1, 500)
    if acked > 1:
        life.s("A", 1, acked)
    row = flow(life.s("R", 1))
    assert (row["resetter"], row["client_lost"], row["server_lost"]) == ("server", lost, 0)


def test_data_after_the_end_is_counted():
    life = begun().c("FA", 1, 1).s("A", 1, 2).c("PA", 2, 1, 10).s("R", 1).c("PA", 12, 1, 10)
    row = flow(life)
    assert (row["after_fin"], row["after_reset"]) == (2, 1)
