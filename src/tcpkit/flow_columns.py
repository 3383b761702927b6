"""The columns of the flows and conversations tables."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import ClientEvidence, Eviction
from tcpkit.columns import ENDS, EPOCH, Column, Schema, When, computed_by, end_address, number, words_of
from tcpkit.endings import ENDING_COLUMNS
from tcpkit.verdict_figures import VERDICT_COUNTS, VERDICT_RATES, VERDICT_TIMES

THERE = (When("conversation_frame", 0xFFFFFFFF, 0, equal=False),)


def both(name: str, doc: str, unit: str = "") -> tuple[Column, ...]:
    """A figure of what the client and of what the server sent."""
    return tuple(number(f"{name}_{end}", "", f"{name}_{end}", f"{doc} sent by the {end}", unit=unit) for end in ENDS)


def verdict_columns(end: str) -> tuple[Column, ...]:
    """Loss, reordering and duplication of what an end sent; there if the verdicts were asked for."""
    judged = (When(f"judged_segments_{end}", 0xFFFFFFFF, 0, equal=False),)
    return (
        *(number(f"{name}_{end}", "", f"{name}_{end}", f"{doc}, sent by the {end}", stage="verdicts")
          for name, _, doc in VERDICT_COUNTS),
        *(Column(f"{name}_{end}", "", f"{name}_{end}", Kind.SECONDS, f"{doc}, of the {end}", unit="ns",
                 stage="verdicts") for name, _, doc in VERDICT_TIMES),
        *(Column(f"{name}_{end}", "", f"{name}_{end}", Kind.REAL, f"{doc}, sent by the {end}", judged, "ratio",
                 "verdicts") for name, doc in VERDICT_RATES))


FLOWS = Schema("flows", (
    *computed_by(
        "flows",
        number("stream", "tcp.stream", "stream", "number of the connection, from 0 (ST-1)"),
        end_address("client", "address of the client"),
        number("client_port", "", "client_port", "its port"),
        end_address("server", "address of the server"),
        number("server_port", "", "server_port", "its port"),
        Column("client_evidence", "", "client_evidence", Kind.WORD, "how it is known which end is the client",
               words=words_of(ClientEvidence, "CLIENT_")),
        Column("start", "", "first_ns", Kind.SECONDS, "time of the first frame", unit=EPOCH),
        Column("duration", "", "duration", Kind.SECONDS, "from the earliest to the latest whole segment", THERE, "ns"),
        number("first_frame", "", "first_frame", "number of the first frame"),
        *both("packets", "segments"),
        *both("wire_bytes", "bytes on the wire", "bytes"),
        *both("payload_bytes", "payload", "bytes"),
        number("quoted", "", "quoted", "frames that quote the connection in an ICMP error (ST-9)")),
    *computed_by(
        "analysis",
        number("completeness", "tcp.completeness", "completeness", "what of the conversation was seen (CP-1)"),
        Column("initial_rtt", "tcp.analysis.initial_rtt", "initial_rtt", Kind.SECONDS, "time of the handshake (AK-5)",
               (When("initial_rtt_known", 0xFF, 1),), "ns"),
        *both("retransmissions", "segments sent again (RT-8)"),
        *(Column(f"loss_rate_{end}", "", f"loss_rate_{end}", Kind.REAL,
                 f"segments sent again and not spurious, over the segments sent by the {end}",
                 (When(f"packets_{end}", 0xFFFFFFFF, 0, equal=False),), "ratio") for end in ENDS),
        *(Column(f"{name}_{end}", "", f"{name}_{end}", Kind.SECONDS, f"{doc} of data sent by the {end}",
                 (When(f"rtt_samples_{end}", 0xFFFFFFFF, 0, equal=False),), "ns")
          for name, doc in (("rtt_min", "shortest round trip"), ("rtt_mean", "mean round trip")) for end in ENDS)),
    *ENDING_COLUMNS,
    *(column for end in ENDS for column in verdict_columns(end)),
    Column("evicted", "", "evicted", Kind.WORD, "why its state was given up early",
           (When("evicted", 0xFF, 0, equal=False),), stage="flows", words=words_of(Eviction, "EVICTED_")),
), ("stream", "client", "client_port", "server", "server_port", "packets_client", "packets_server",
    "payload_bytes_client", "payload_bytes_server", "duration", "retransmissions_client", "retransmissions_server",
    *(f"{name}_{end}" for name in ("true_loss_rate", "reordered", "network_duplicates") for end in ENDS),
    "initial_rtt", "teardown", "conn_state"))

CONVERSATIONS = Schema("conversations", (
    number("stream", "tcp.stream", "stream", "number of the connection, from 0 (ST-1)"),
    end_address("a", "address of A, the sender of the first frame counted (CV-2)"),
    number("a_port", "", "a_port", "its port"),
    end_address("b", "address of B"),
    number("b_port", "", "b_port", "its port"),
    number("packets_to_a", "", "packets_to_a", "frames from B to A (CV-4)"),
    number("bytes_to_a", "", "bytes_to_a", "their length on the wire", unit="bytes"),
    number("packets_to_b", "", "packets_to_b", "frames from A to B"),
    number("bytes_to_b", "", "bytes_to_b", "their length on the wire", unit="bytes"),
    number("packets", "", "packets", "frames, both directions"),
    number("bytes", "", "bytes", "their length on the wire", unit="bytes"),
    Column("start", "", "earliest_ns", Kind.SINCE_START, "earliest frame, from the capture's first one (CV-5)",
           unit="ns"),
    Column("duration", "", "duration", Kind.SECONDS, "from the earliest to the latest frame (CV-5)", unit="ns"),
), ("stream", "a", "a_port", "b", "b_port", "packets_to_a", "bytes_to_a", "packets_to_b", "bytes_to_b", "packets",
    "bytes", "start", "duration"))
