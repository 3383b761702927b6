"""Streams, directions, relative numbers, times and counts (SEMANTICS sections ST, RL, TM, CV)."""
import numpy as np
import pytest

from packets import MS, T0, Conversation, Frame, pcap, sack
from stages import run_flows
from tcpcore.analysis import Analysis
from tcpcore.flags import ClientEvidence, FlowEvent, Present
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpcore.verdicts import Verdicts


def column(conversation, name, **options):
    return run_flows(conversation.pcap(nano=True), **options)[0][name].tolist()


def flow(conversation, i=0):
    return run_flows(conversation.pcap(nano=True))[1].records()[i]


def other_stream(conversation, sport):
    return Conversation(sport=sport, frames=conversation.frames, time=conversation.time)


def test_numbers_count_streams_in_order_of_their_first_frame():     # ST-1
    a = Conversation().c("S", 0)
    b = other_stream(a, 50001).c("S", 0)
    a.s("SA", 0, 1)
    assert column(b, "stream") == [0, 1, 0]
    assert column(b, "direction") == [0, 0, 1]


def test_exchanged_ports_are_another_stream():                      # ST-1
    a = Conversation(sport=1000, dport=2000).c("S", 0)
    b = Conversation(sport=2000, dport=1000, frames=a.frames).c("S", 0)
    assert column(b, "stream") == [0, 1]


def test_ipv4_mapped_ipv6_addresses_are_another_stream():           # ST-1
    a = Conversation().c("A", 0)
    b = Conversation(client="::ffff:10.0.0.1", server="::ffff:10.0.0.2", frames=a.frames).c("A", 0)
    assert column(b, "stream") == [0, 1]


def test_equal_addresses_are_told_apart_by_port():                  # ST-2
    a = Conversation(server="10.0.0.1").c("S", 0).s("SA", 0, 1)
    assert column(a, "direction") == [0, 1]


def test_equal_ends_are_one_direction():                            # ST-2
    a = Conversation(server="10.0.0.1", sport=7, dport=7).c("S", 0).s("SA", 0, 1)
    assert column(a, "direction") == [0, 0]


def test_syn_with_another_number_starts_a_stream():                 # ST-3
    a = Conversation().handshake()
    a.c("S", 5000).c("A", 5001)
    rows, table = run_flows(a.pcap(nano=True))
    assert rows["stream"].tolist() == [0, 0, 0, 1, 1]
    assert rows["events"][3] & FlowEvent.PORTS_REUSED
    assert rows["time_relative"].tolist() == [0, 10 * MS, 20 * MS, 0, 10 * MS]     # TM-1
    assert rows["seq"].tolist()[3:] == [0, 1]
    assert table.n_streams == 2


def test_a_reused_stream_begins_at_its_sender():                    # ST-3, ST-2
    a = Conversation().handshake()
    a.s("S", 9000).c("SA", 100, 9001)
    assert column(a, "direction")[3:] == [0, 1]


def test_syn_with_the_same_number_stays():                          # ST-4
    a = Conversation().handshake().c("F", 1, 1).c("S", 0)
    assert column(a, "stream") == [0] * 5
    assert not any(event & FlowEvent.PORTS_REUSED for event in column(a, "events"))


def test_synack_with_another_number_moves_the_base():               # ST-6
    a = Conversation().handshake().s("SA", 700, 1).s("A", 701, 1)
    rows, _ = run_flows(a.pcap(nano=True))
    assert rows["stream"].tolist() == [0] * 5
    assert rows["seq"].tolist()[3:] == [0, 1]
    assert rows["events"][3] == FlowEvent.PORTS_REUSED | FlowEvent.WHOLE | FlowEvent.IN_CONVERSATION


def test_lower_numbers_show_as_huge():                              # RL-1
    a = Conversation().c("A", 100, 50).c("A", 90, 50)
    assert column(a, "seq") == [1, 2**32 - 9]
    assert column(a, "seq64") == [1, -9]


@pytest.mark.parametrize(("flags", "first"), [("S", 0), ("A", 1), ("R", 1), ("F", 1)])
def test_base_from_the_first_segment(flags, first):                 # RL-2
    assert column(Conversation().c(flags, 77), "seq") == [first]


def test_base_of_the_other_side_from_an_acknowledgement():          # RL-3
    a = Conversation().c("A", 10, 40).s("A", 45, 10)
    assert column(a, "ack") == [1, 1]
    assert column(a, "seq") == [1, 6]


def test_acknowledgement_without_its_flag_is_raw():                 # RL-5
    assert column(Conversation().c("S", 0, 3), "ack") == [5_000_003]


@pytest.mark.parametrize(("flags", "size", "following"), [("A", 5, 6), ("FA", 5, 7), ("SFA", 5, 6), ("SA", 0, 1)])
def test_next_number(flags, size, following):                       # RL-6
    assert column(Conversation().c(flags, 0, 1, size), "nxtseq") == [following]


def test_positions_go_on_past_the_wrap():
    a = Conversation(client_isn=2**32 - 3000).handshake()
    for i in range(6):
        a.c("PA", 1 + 1000 * i, 1, 1000).s("A", 1, 1001 + 1000 * i)
    rows, _ = run_flows(a.pcap(nano=True))
    assert rows["seq64"][3::2].tolist() == [1 + 1000 * i for i in range(6)]
    assert rows["ack64"][4::2].tolist() == [1001 + 1000 * i for i in range(6)]


def test_positions_exceed_32_bits():
    a = Conversation().handshake()
    step = 1 << 30
    for i in range(8):
        a.c("A", 1 + i * step, 1, 1)
    assert column(a, "seq64")[3:] == [1 + i * step for i in range(8)]


def test_a_reset_with_an_odd_number_leaves_positions_alone():
    a = Conversation(client_isn=3 << 30).handshake()
    a.c("R", -(3 << 30)).c("A", 5, 1)
    assert column(a, "seq64")[4] == 5


def test_times():                                                   # TM-1, TM-2
    a = Conversation().c("S", 0).s("SA", 0, 1, dt=30 * MS).c("A", 1, 1, dt=-10 * MS)
    assert column(a, "time_relative") == [0, 30 * MS, 20 * MS]
    assert column(a, "time_delta") == [0, 30 * MS, -10 * MS]


@pytest.mark.parametrize(("snap", "present"), [
    (14 + 20 + 15, 0),                                              # LN-3: ports only
    (14 + 20 + 16, Present.HAS_STREAM),                             # LN-3: no times
    (14 + 20 + 20, Present.HAS_STREAM | Present.HAS_TIMES),
])
def test_cut_headers(snap, present):
    rows, table = run_flows(Conversation().c("A", 0, 1, 100, snap=snap).pcap(nano=True))
    assert rows["present"][0] & (Present.HAS_STREAM | Present.HAS_TIMES) == present
    assert table.n_streams == bool(present)


# -- records

def test_counts_per_direction():
    a = Conversation().handshake().c("PA", 1, 1, 100).s("A", 1, 101).s("PA", 1, 101, 30)
    record = flow(a)
    assert (record["packets0"], record["packets1"]) == (3, 3)
    assert (record["payload_bytes0"], record["payload_bytes1"]) == (100, 30)
    assert (record["wire_bytes0"], record["wire_bytes1"]) == (58 + 54 + 154, 58 + 54 + 84)
    assert (record["first_ns"], record["earliest_ns"], record["latest_ns"]) == (T0, T0, T0 + 50 * MS)
    assert (record["base0"], record["base1"], record["bases"]) == (a.client_isn, a.server_isn, 3)


@pytest.mark.parametrize(("frames", "client", "evidence"), [
    ([("c", "S")], 0, ClientEvidence.CLIENT_BY_SYN),
    ([("s", "SA")], 1, ClientEvidence.CLIENT_BY_SYNACK),
    ([("s", "A"), ("c", "A")], 0, ClientEvidence.CLIENT_BY_PORT),
    ([("s", "SA"), ("c", "S")], 1, ClientEvidence.CLIENT_BY_SYN),
    ([("c", "S"), ("s", "S")], 0, ClientEvidence.CLIENT_BY_SYN),
])
def test_client(frames, client, evidence):
    a = Conversation(sport=80, dport=50000)
    for end, flags in frames:
        getattr(a, end)(flags, 0, 1 if "A" in flags else None)
    record = flow(a)
    assert (record["client"], record["client_evidence"]) == (client, evidence)


def test_damaged_frames_are_not_in_the_conversation():              # CV-6, CV-2
    a = Conversation().c("A", 1, 1, 10, options=sack()[:2], dt=0)   # LN-9: an empty SACK option
    a.s("A", 1, 11).c("A", 11, 1, 10, snap=14 + 20 + 18)
    record = flow(a)
    assert (record["packets0"], record["packets1"]) == (2, 1)
    assert (record["conversation_packets0"], record["conversation_packets1"]) == (0, 1)
    assert (record["conversation_bytes0"], record["conversation_bytes1"]) == (0, 54)
    assert (record["conversation_frame"], record["conversation_direction"]) == (2, 1)
    assert record["earliest_ns"] == record["latest_ns"] == T0 + 10 * MS


def test_times_of_a_conversation_that_runs_backwards():             # CV-5
    a = Conversation().c("S", 0).s("SA", 0, 1, dt=-50 * MS).c("A", 1, 1, dt=20 * MS)
    record = flow(a)
    assert (record["first_ns"], record["earliest_ns"], record["latest_ns"]) == (T0, T0 - 50 * MS, T0)


# -- the table

def test_many_streams_in_one_batch_and_across_batches():
    frames = []
    for round_ in range(3):
        for port in range(5000):
            Conversation(sport=1024 + port, frames=frames, time=T0).c("A", round_, 1, dt=0)
    capture = pcap(frames, nano=True)
    for size in (7, 4096, 20000):
        rows, table = run_flows(capture, frames=size)
        assert rows["stream"].tolist() == list(range(5000)) * 3
        assert np.array_equal(table.records()["port0"], np.arange(1024, 6024))
        assert (table.records()["packets0"] == 3).all()


def test_streams_that_all_hash_alike():
    """Without a secret, these ends all hash to 0: told apart by comparing keys, in whatever order they come."""
    frames = []
    for round_ in range(3):
        for port in (range(300), reversed(range(300)), range(0, 300, 7))[round_]:
            Conversation("::", "::", sport=1000 + port, frames=frames, time=T0).c("A", round_, 1, dt=0)
    rows, table = run_flows(pcap(frames, nano=True), table=FlowTable(seed=bytes(24)))
    assert rows["stream"].tolist() == [*range(300), *reversed(range(300)), *range(0, 300, 7)]
    assert table.n_streams == 300


@pytest.mark.parametrize("size", [1, 3, 32, 33, 4096])
def test_ports_used_again_and_again(size):                          # ST-3
    a = Conversation()
    for i in range(200):
        a.c("S", 10 * i).s("SA", 10 * i, 10 * i + 1).c("A", 10 * i + 1, 10 * i + 1)
    rows, table = run_flows(a.pcap(nano=True), frames=size)
    assert rows["stream"].tolist() == [i for i in range(200) for _ in range(3)]
    assert rows["seq"].tolist() == [0, 0, 1] * 200
    assert table.records()["packets0"].tolist() == [2] * 200


def test_the_secret_does_not_show_in_results():
    a = Conversation().handshake()
    b = other_stream(a, 50001).c("S", 0)
    results = [run_flows(b.pcap(nano=True), table=FlowTable(seed=seed))[0] for seed in (None, bytes(24), b"\xff" * 24)]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_a_seed_has_24_bytes():
    with pytest.raises(ValueError, match="24 bytes"):
        FlowTable(seed=b"short")


LONGEST = (1 << 31) - 1         # length that a record may claim


def test_more_bytes_than_32_bits_count():
    a = Conversation().c("A", 1, 1).s("A", 1, 1).c("A", 1, 1).c("A", 1, 1)
    frames = [Frame(frame.time, frame.data, LONGEST) for frame in a.frames]
    record = run_flows(pcap(frames, nano=True))[1].records()[0]
    assert (record["wire_bytes0"], record["wire_bytes1"]) == (3 * LONGEST, LONGEST)
    assert (record["conversation_bytes0"], record["conversation_bytes1"]) == (3 * LONGEST, LONGEST)


@pytest.mark.parametrize("stage", [Analysis(summary=True), Lifecycle(), Verdicts()],
                         ids=["analysis", "lifecycle", "verdicts"])
def test_a_stage_that_has_seen_nothing_of_the_streams_has_empty_records(stage):
    _, table = run_flows(Conversation().handshake().pcap())
    assert len(stage.records(table)) == 1
