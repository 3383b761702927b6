"""Copies that differ, and who reads which."""
import io

import tcpkit
from packets import Conversation, pcap
from tcpkit import overlaps
from tcpkit.overlaps import differences
from tcpkit.policies import POLICIES
from tcpkit.streams import Streams


def found(talk):
    return list(differences(tcpkit.open(io.BytesIO(talk.pcap())).streams))


def test_bytes_changed_after_they_were_delivered():
    talk = Conversation().handshake().c("A", 1, 1, b"GET /good").c("A", 1, 1, b"GET /evil").s("A", 1, 10)
    (only,) = found(talk)
    assert only[:7] == (0, "client", 5, b"good", b"evil", 4, 5)
    assert not only.evades
    assert only.policies == {b"good": tuple(POLICIES)}


def test_bytes_that_hosts_read_differently():
    talk = Conversation().handshake()
    talk.c("A", 3, 1, b"XXXX").c("A", 2, 1, b"abcdefgh").c("A", 1, 1, b"!")
    first, second = found(talk), POLICIES
    (only,) = first
    assert (only.offset, only.kept, only.other) == (2, b"bcde", b"XXXX")
    assert only.evades
    assert only.policies[b"XXXX"] == ("first", "bsd-right", "vista")
    assert set(only.policies[b"bcde"]) == set(second) - {"first", "bsd-right", "vista"}


def test_equal_copies_are_no_difference():
    talk = Conversation().handshake().c("A", 1, 1, b"abcdef").c("A", 3, 1, b"cdefgh").c("A", 20, 1, b"zz")
    talk.c("A", 20, 1, b"zz").c("A", 1, 1, b"abcdef", snap=57)
    assert found(talk) == []


def test_the_same_difference_is_told_once():
    talk = Conversation().handshake().c("A", 1, 1, b"good").c("A", 1, 1, b"evil").c("A", 1, 1, b"evil")
    assert len(found(talk)) == 1


def test_bytes_sent_before_the_stream_begins_are_no_difference():
    talk = Conversation().handshake().c("A", -3, 1, b"ab").c("A", -3, 1, b"cd")
    assert found(talk) == []


def test_a_copy_is_compared_with_each_frame_that_won():
    """In memory and in a file: holes and the segment's own bytes are no difference."""
    talk = Conversation().handshake().c("A", 1, 1, b"ab").c("A", 3, 1, b"cd").c("A", 8, 1, b"hi").c("A", 1, 1, b"aXYd")
    talk.c("A", 1, 1, b"abcdefgHI").s("A", 1, 10)
    assert [(each.offset, each.kept, each.other, each.frame, each.other_frame) for each in found(talk)] == [
        (7, b"HI", b"hi", 8, 6), (1, b"b", b"X", 4, 7), (2, b"c", b"Y", 5, 7)]


def test_the_same_whether_in_memory_or_in_a_file(tmp_path):
    path = tmp_path / "x.pcap"
    talk = Conversation().handshake().c("A", 3, 1, b"XXXX").c("A", 2, 1, b"abcdefgh").c("A", 1, 1, b"!")
    path.write_bytes(talk.pcap())
    assert list(differences(tcpkit.open(path).streams)) == found(talk)


def test_many_small_chunks_are_looked_at_together(monkeypatch):
    """A segment costs one look at what is read and one for each reading of the rules, whatever frames it overlaps."""
    looks, look = [], overlaps._rows_of
    monkeypatch.setattr(overlaps, "_rows_of", lambda *place: looks.append(place) or look(*place))
    talk, n = Conversation().handshake(), 300
    for at in range(n):
        talk.c("A", 1 + at, 1, b"a")
    for letter in (b"b", b"c", b"a"):
        talk.c("A", 1, 1, letter * n)
    told = found(talk)
    assert [(each.offset, each.other) for each in told] == [(at, letter) for letter in (b"b", b"c") for at in range(n)]
    side = tcpkit.open(io.BytesIO(talk.pcap())).streams[0].client
    readings = {side.with_rule(rule).chunks.array.tobytes() for rule in POLICIES.values()}
    assert len(looks) == 3 + 2 * len(readings)
    assert len(readings) < len(set(POLICIES.values()))


def test_what_was_told_is_remembered_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(overlaps, "SEEN", 100)
    told = overlaps._Told()
    for offset in range(1000):
        assert not told.again(offset, b"x")
        assert len(told._now) + len(told._before) < 200
    assert all(told.again(offset, b"x") for offset in range(900, 1000))


def test_streams_without_shared_bytes_are_not_looked_at(monkeypatch):
    talks = [Conversation(sport=5000 + number).handshake().c("A", 4, 1, b"abc").c("A", 1, 1, b"abc")
             for number in range(40)]
    for number in (7, 21):
        talks[number].s("A", 1, 7, b"good").s("A", 3, 7, b"evil")
    monkeypatch.setattr("tcpkit.streams.PIECE", 10)
    streams = tcpkit.open(io.BytesIO(pcap([frame for talk in talks for frame in talk.frames]))).streams
    assert sum(len(piece) for piece in streams.segment_pieces()) == 84
    asked, ask = [], Streams.__getitem__
    monkeypatch.setattr(Streams, "__getitem__", lambda self, number: asked.append(number) or ask(self, number))
    assert [(each.stream, each.offset, each.kept) for each in differences(streams)] == [(7, 2, b"od"), (21, 2, b"od")]
    assert asked == [7, 21]


def test_other_policies_are_asked_of_one_side_not_of_all_streams(monkeypatch):
    monkeypatch.setattr(Streams, "with_policy", None)
    test_bytes_that_hosts_read_differently()
