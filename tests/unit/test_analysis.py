"""One small conversation for each rule of SEMANTICS: what the analysis says of its last segment."""
import numpy as np
import pytest

from packets import MS, NOP, Conversation, mss, sack, timestamps, wscale
from stages import run_analysis
from tcpcore.flags import AnalysisPresent, Finding


def rows(conversation, frames=64):
    return run_analysis(conversation.pcap(nano=True), frames=frames)[0]


def last(conversation):
    return rows(conversation)[-1]


def findings(conversation):
    """Of section A, of the last segment."""
    found = last(conversation)["findings"]
    return " ".join(one.name for one in Finding if one <= Finding.REUSED_PORTS and found & one).lower()


def shown(conversation, name, bit):
    row = last(conversation)
    return int(row[name]) if row["analysis_present"] & bit else None


def opened(**fields):
    return Conversation(**fields).handshake()


def sent(**fields):
    """The client has sent 100 bytes."""
    return opened(**fields).c("PA", 1, 1, 100)


def taken(**fields):
    """... and the server has acknowledged them."""
    return sent(**fields).s("A", 1, 101)


def closed():
    """The server's window is closed."""
    return sent().s("A", 1, 101, window=0)


# -- section A

@pytest.mark.parametrize(("conversation", "expected"), [
    (closed().c("A", 101, 1, 1), "zero_window_probe"),
    (closed().c("F", 101, 1, 1), "zero_window_probe"),                                         # any flags
    (closed().c("A", 101, 1, 2), ""),                                                          # one byte only
    (closed(), "zero_window"),
    (opened().s("RA", 1, 1, window=0), ""),                                                    # no SYN, FIN, RST
    (sent().c("A", 201, 1, 100), "lost_segment"),
    (sent().c("A", 201, 1), "lost_segment"),                                                   # a pure ACK too
    (sent().c("FA", 201, 1), "lost_segment"),
    (sent().c("RA", 201, 1), ""),
    (taken().c("A", 100, 1), "keep_alive"),
    (taken().c("A", 100, 1, 1), "keep_alive"),
    (taken().c("A", 100, 1, 2), ""),                                                           # RT-2
    (Conversation(client_isn=2**32 - 1).c("A", 0, 1), "keep_alive"),                           # expected 0
    (taken().s("A", 1, 101, window=5), "window_update"),
    (taken().s("A", 1, 101, window=0), "zero_window"),
    (taken().s("A", 1, 101, 1, window=5), ""),
    (opened().s("A", 1, 1, window=100).c("PA", 1, 1, 100), "window_full"),
    (opened().s("A", 1, 1, window=101).c("PA", 1, 1, 100), ""),
    (taken().c("A", 100, 1).s("A", 1, 101), "keep_alive_ack"),
    (taken().c("A", 100, 1).s("A", 1, 101).s("A", 1, 101), "keep_alive_ack"),                  # repeats
    (closed().c("A", 101, 1, 1).s("A", 1, 101, window=0), "zero_window zero_window_probe_ack"),
    (closed().c("A", 101, 1, 1).s("A", 1, 102, window=0), "ack_lost_segment zero_window"),             # took it
    (taken().s("A", 1, 101), "duplicate_ack"),
    (taken().s("", 1, 101), "duplicate_ack"),                                                  # ACK not tested
    (taken().s("FA", 1, 101), ""),
    (opened().s("A", 1, 101), "ack_lost_segment"),                                             # A-11, AL-2
    (opened().s("A", 1, 101).s("A", 1, 101), "duplicate_ack"),                                 # AL-2: no repeat
    (sent().c("A", 201, 1, 100).s("A", 1, 301), "ack_lost_segment"),                           # AL-1
    (sent().c("A", 1, 1, 100, dt=300 * MS), "retransmission"),                                 # RT-6
    (taken().c("A", 1, 1, 100), "retransmission spurious_retransmission"),                     # RT-3
    (opened().c("FA", 1, 1).c("FA", 1, 1, dt=300 * MS), "retransmission"),
    (Conversation().c("S", 0).c("S", 0, dt=1000 * MS), "retransmission"),                      # ST-4
    (opened().c("S", 5000), "reused_ports"),                                                   # ST-3
    (opened().s("SA", 5000, 1), "lost_segment reused_ports"),                                  # ST-6
])
def test_findings(conversation, expected):
    assert findings(conversation) == expected


def test_a_scaled_window_is_full():
    a = Conversation().handshake(client_options=NOP + wscale(7), server_options=NOP + wscale(2))
    a.s("A", 1, 1, window=25).c("PA", 1, 1, 100)
    assert findings(a) == "window_full"


def test_a_window_of_unknown_scale_is_not_full():
    a = Conversation().s("A", 1, 1, window=100).c("PA", 1, 1, 100)
    assert findings(a) == ""


@pytest.mark.parametrize(("duplicates", "wait", "seq", "expected"), [
    (2, 20 * MS - 1, 1, "retransmission fast_retransmission"),      # RT-4
    (1, 20 * MS - 1, 1, "retransmission"),
    (2, 20 * MS, 1, "retransmission"),
    (2, 20 * MS - 1, 51, "retransmission"),
])
def test_fast_retransmission(duplicates, wait, seq, expected):
    a = opened(client_isn=7).c("A", 1, 1, 100).c("A", 101, 1, 100).s("A", 1, 1, dt=50 * MS)
    for _ in range(duplicates - 1):
        a.s("A", 1, 1)
    assert findings(a.c("A", seq, 1, 50, dt=wait)) == expected


@pytest.mark.parametrize(("rtt", "wait", "expected"), [
    (20 * MS, 20 * MS - 1, "out_of_order"),                         # RT-5: T is the initial round trip
    (20 * MS, 20 * MS, "retransmission"),
    (0, 3 * MS - 1, "out_of_order"),                                # ... or 3 ms
    (0, 3 * MS, "retransmission"),
    (20 * MS, -1, "retransmission"),                                # RT-8
])
def test_out_of_order(rtt, wait, expected):
    a = Conversation().handshake(rtt=rtt) if rtt else Conversation().c("A", 1, 1)
    a.c("A", 101, 1, 100).c("A", 1, 1, 50, dt=wait)
    assert findings(a) == expected


def test_what_ends_where_the_last_did_is_not_out_of_order():        # RT-5
    assert findings(opened().c("A", 1, 1, 100).c("A", 1, 1, 100, dt=0)) == "retransmission"


@pytest.mark.parametrize(("again", "number"), [(1, 1), (3, 3)])
def test_duplicate_acks_are_numbered(again, number):
    a = taken()
    for _ in range(again):
        a.s("A", 1, 101)
    assert (last(a)["duplicate_ack_num"], last(a)["duplicate_ack_frame"]) == (number, 5)


def test_data_does_not_reset_the_number():
    a = taken().s("A", 1, 101).s("PA", 1, 101, 10).c("A", 101, 11).s("A", 11, 101)
    assert last(a)["duplicate_ack_num"] == 2


def test_mptcp_hides_duplicate_acks():                              # DA-4
    a = taken().c("A", 101, 1, 5, options=b"\x1e\x0c\x00\x81" + bytes(8)).s("A", 1, 101)
    assert findings(a) == ""


# -- RT-7, AK

def test_the_timeout_counts_from_the_oldest_in_flight():            # RT-7
    a = sent().c("A", 101, 1, 100).c("A", 1, 1, 100, dt=300 * MS)
    assert (last(a)["rto_frame"], last(a)["rto"]) == (4, 310 * MS)


def test_the_timeout_counts_from_the_last_advance_if_nothing_is_in_flight():
    a = opened().c("FA", 1, 1).s("A", 1, 2).c("FA", 1, 1, dt=300 * MS)
    assert (last(a)["rto_frame"], last(a)["rto"]) == (4, 310 * MS)


def test_no_timeout_of_no_time():                                   # RT-7
    assert shown(sent().c("A", 1, 1, 100, dt=0), "rto_frame", AnalysisPresent.HAS_RTO) is None


@pytest.mark.parametrize(("ack", "frame", "rtt"), [(101, 4, 20 * MS), (201, 5, 10 * MS), (150, None, None)])
def test_acknowledged_frame_and_round_trip(ack, frame, rtt):        # AK-1, AK-2
    a = sent().c("PA", 101, 1, 100).s("A", 1, ack)
    assert shown(a, "acks_frame", AnalysisPresent.HAS_ACKS_FRAME) == frame
    assert shown(a, "ack_rtt", AnalysisPresent.HAS_ACK_RTT) == rtt


def test_the_oldest_of_equal_ends_is_acknowledged():                # AK-1
    assert last(sent().c("PA", 1, 1, 100).s("A", 1, 101))["acks_frame"] == 4


def test_a_partial_acknowledgement_keeps_the_rest():                # AK-2
    assert last(sent().s("A", 1, 51).s("A", 1, 101))["acks_frame"] == 4


def test_a_round_trip_of_nothing_is_not_shown():                    # AK-3
    a = sent().s("A", 1, 101, dt=0)
    assert shown(a, "acks_frame", AnalysisPresent.HAS_ACKS_FRAME) == 4
    assert shown(a, "ack_rtt", AnalysisPresent.HAS_ACK_RTT) is None


def test_a_round_trip_may_be_negative():                            # AK-3
    assert last(sent().s("A", 1, 101, dt=-MS))["ack_rtt"] == -MS


def test_a_reset_with_number_0_acknowledges():                      # AK-4
    a = Conversation(client_isn=2**31).handshake().c("A", 1, 1, 10).s("R", 1)
    assert last(a.s("A", 1, 11))["analysis_present"] & AnalysisPresent.HAS_ACKS_FRAME == 0


def test_initial_round_trip():                                      # AK-5, AK-6
    a = Conversation().c("S", 0, dt=0).c("S", 0, dt=1000 * MS).s("SA", 0, 1, dt=10 * MS).c("A", 1, 1, dt=5 * MS)
    assert shown(a, "initial_rtt", AnalysisPresent.HAS_INITIAL_RTT) == 15 * MS
    assert shown(a.c("A", 1, 1, window=7), "initial_rtt", AnalysisPresent.HAS_INITIAL_RTT) == 15 * MS
    assert shown(a.c("RA", 1, 1), "initial_rtt", AnalysisPresent.HAS_INITIAL_RTT) is None      # no record


# -- BF, PB

def test_bytes_in_flight():                                         # BF-2
    assert last(sent().c("A", 101, 1, 50))["bytes_in_flight"] == 150


def test_a_fin_is_not_in_flight():                                  # BF-3
    assert last(sent().c("FPA", 101, 1, 50))["bytes_in_flight"] == 150


def test_sacked_bytes_are_not_in_flight():                          # BF-4
    a = sent().c("A", 101, 1, 50)
    a.s("A", 1, 1, options=NOP + NOP + sack((a.client_isn + 101, a.client_isn + 151))).c("A", 151, 1, 10)
    assert last(a)["bytes_in_flight"] == 110
    assert last(a.s("A", 1, 1).c("A", 161, 1, 10))["bytes_in_flight"] == 170       # only of the latest frame


def test_bytes_in_flight_are_hidden_after_a_loss():                 # BF-5
    a = sent().c("A", 201, 1, 50)
    assert shown(a, "bytes_in_flight", AnalysisPresent.HAS_BYTES_IN_FLIGHT) is None
    assert last(a.s("A", 1, 1).c("A", 251, 1, 10))["bytes_in_flight"] == 260


def test_push_bytes():                                              # PB-1
    a = opened().c("A", 1, 1, 10).c("PA", 11, 1, 20)
    assert last(a)["push_bytes_sent"] == 30
    assert last(a.c("A", 31, 1, 5))["push_bytes_sent"] == 5


# -- WN, TF, FR, CP

@pytest.mark.parametrize(("client", "server", "scale", "size"), [
    (wscale(7), wscale(2), 128, 128000),                            # WN-1
    (wscale(15), wscale(2), 16384, 16384000),                       # WN-2: at most 14
    (wscale(7), b"", -2, 1000),                                     # WN-4
    (b"", wscale(7), -2, 1000),
    (b"", b"", -2, 1000),
])
def test_scaled_windows(client, server, scale, size):
    a = Conversation().handshake(client_options=client + NOP * (-len(client) % 4),
                                 server_options=server + NOP * (-len(server) % 4)).c("A", 1, 1, window=1000)
    assert (last(a)["window_scale"], last(a)["window_size"]) == (scale, size)


def test_a_scale_never_seen_is_unknown():                           # WN-5
    assert last(Conversation().c("A", 1, 1))["window_scale"] == -1
    assert last(Conversation().c("S", 0, options=NOP + wscale(3)).s("A", 1, 1))["window_scale"] == -1


def test_the_window_of_a_syn_is_plain():                            # WN-1
    a = Conversation().c("S", 0, options=NOP + wscale(3)).c("S", 0, options=NOP + wscale(3), window=9)
    assert last(a)["window_size"] == 9
    assert shown(a, "window_scale", AnalysisPresent.HAS_WINDOW_SCALE) is None


@pytest.mark.parametrize(("size", "ack", "finding"), [
    (10, 11, Finding.TFO_ACK), (10, 1, Finding.TFO_IGNORED), (0, 1, 0)])
def test_fast_open(size, ack, finding):                             # TF-1, TF-2
    a = Conversation().c("S", 0, None, size, options=mss() + b"\x22\x0a" + bytes(8) + NOP + NOP)
    assert last(a)["findings"] & Finding.TFO_SYN
    assert last(a.s("SA", 0, ack))["findings"] == finding


def test_who_closes_first():                                        # FR-1
    a = opened().c("FA", 1, 1)
    assert last(a)["findings"] == Finding.FIN_ACTIVE
    assert last(a.s("FA", 1, 2))["findings"] == Finding.FIN_PASSIVE
    assert last(a.c("FA", 1, 1))["findings"] & Finding.FIN_ACTIVE


def test_completeness_is_that_before_the_frame():                   # CP-1 to CP-4
    a = sent().s("FA", 1, 101).c("RA", 101, 2).c("S", 9000).s("SA", 700, 9001)
    assert rows(a)["completeness"].tolist() == [0, 1, 3, 7, 15, 31, 1, 1]


def test_completeness_of_a_stream_that_starts_in_the_middle():      # CP-2: the first frame's bits are lost
    assert rows(Conversation().c("PA", 1, 1, 5).c("PA", 6, 1, 5).s("A", 1, 11))["completeness"].tolist() == [0, 0, 8]


# -- scenarios

@pytest.mark.parametrize("start", [2**32 - 3, 2**32 - 1500, 2**31 - 1500, 2**31 - 1, 7])
@pytest.mark.parametrize("frames", [1, 64])
def test_wrapping_numbers_change_nothing(start, frames):
    """A transfer with a loss, a reordering and duplicate acknowledgements says the same wherever its numbers start."""
    def transfer(isn):
        a = Conversation(client_isn=isn, server_isn=isn ^ 0x55555555).handshake(
            client_options=NOP + wscale(7), server_options=NOP + wscale(7))
        for i in (0, 1, 3, 4, 5, 7, 6, 8):
            a.c("A", 1 + 500 * i, 1, 500, dt=MS // 2, options=NOP + NOP + timestamps(i))
        for _ in range(4):
            a.s("A", 1, 1001, dt=MS)
        a.c("PA", 1001, 1, 500, dt=MS).s("A", 1, 4501, dt=MS).c("FA", 4501, 1).s("FA", 1, 4502).c("A", 4502, 2)
        return rows(a, frames)

    plain, wrapped = transfer(1_000_000), transfer(start)
    analysis = plain.dtype.names[plain.dtype.names.index("ack_rtt"):]
    for name in ("seq", "ack", "seq64", "ack64", *analysis):
        assert wrapped[name].tolist() == plain[name].tolist(), name
    kinds = (Finding.LOST_SEGMENT, Finding.OUT_OF_ORDER, Finding.DUPLICATE_ACK, Finding.FAST_RETRANSMISSION)
    assert [np.count_nonzero(plain["findings"] & kind) for kind in kinds] == [2, 1, 3, 1]


def test_a_capture_that_starts_in_the_middle():
    """RL-2, RL-3, CP-2, WN-5: numbers start at 1, the scale is unknown, round trips are known from the first data."""
    a = Conversation(client_isn=3_000_000_000).c("A", 50_000, 900, 100).s("A", 900, 50_100, dt=7 * MS)
    a.s("PA", 900, 50_100, 10).c("A", 50_100, 910, dt=2 * MS)
    of = rows(a)
    assert of["seq"].tolist() == [1, 1, 1, 101]
    assert of["ack"].tolist() == [1, 101, 101, 11]
    assert of["window_scale"].tolist() == [-1] * 4
    assert of["ack_rtt"].tolist() == [0, 7 * MS, 0, 2 * MS]
    assert of["findings"].tolist() == [0] * 4
    assert of["initial_rtt"].tolist() == [0] * 4


def test_a_hole_at_the_start_is_no_loss():
    """The first acknowledgement may be of data that the capture does not have."""
    a = Conversation().s("A", 1, 5000).c("A", 5000, 1, 100)
    assert rows(a)["findings"].tolist() == [0, 0]


# -- limits

def test_ten_thousand_segments_in_flight():                         # A-13, UL-2
    a = opened()
    for i in range(10_010):
        a.c("A", 1 + i, 1, 1, dt=1)
    of = rows(a)
    assert of["bytes_in_flight"][3:].max() == 10_000
    assert of["bytes_in_flight"][-1] == 10_000
    assert findings(a.s("A", 1, 10_011)) == ""
    assert last(a)["acks_frame"] == 0                               # the last is not among those remembered
