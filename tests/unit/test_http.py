"""HTTP exchanges: pairs, sizes, frames and times; everything that frames a body; what is not HTTP."""
import gzip
import io
import zlib

import pytest

import tcpkit
from packets import MS, Conversation, pcap
from tcpkit import http, http_messages
from tcpkit.budget import FIXED, LIMIT
from tcpkit.http import exchanges

GET = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def talk_of(*turns, size=1460):
    """A conversation in which client ("c") and server ("s") say these bytes, in segments of ``size``."""
    talk, said = Conversation().handshake(), {"c": 0, "s": 0}
    for side, data in turns:
        add, other = (talk.c, "s") if side == "c" else (talk.s, "c")
        for at in range(0, len(data), size):
            part = data[at:at + size]
            add("PA", 1 + said[side], 1 + said[other], part, dt=MS)
            said[side] += len(part)
    return talk


def pairs(talk, **options):
    return list(exchanges(tcpkit.open(io.BytesIO(talk.pcap())), **options))


def told(talk, **options):
    return [(each.request and each.request.target, each.response and each.response.status,
             each.response and each.response.body) for each in pairs(talk, body_limit=1000, **options)]


@pytest.mark.parametrize("size", [1, 2, 7, 50, 1460])
def test_one_exchange_whatever_the_segments(size):
    (only,) = pairs(talk_of(("c", GET % b"a"), ("s", OK), size=size), body_limit=100)
    request, response = only.request, only.response
    assert (request.method, request.target, request.header("host")) == ("GET", "/a", "h")
    assert (request.offset, request.length, request.header_length) == (0, len(GET) - 1, len(GET) - 1)
    assert (response.status, response.reason, response.body) == (200, "OK", b"hello")
    assert (response.length, response.header_length, response.content_length) == (len(OK), len(OK) - 5, 5)
    segments = [-(-len(part) // size) for part in (GET % b"a", OK)]
    assert (request.first.frame, request.last.frame) == (4, 3 + segments[0])
    assert (response.first.frame, response.last.frame) == (4 + segments[0], 3 + sum(segments))
    assert (request.first.offset, request.last.offset) == (0, (segments[0] - 1) * size)
    assert (response.first.offset, response.last.offset) == (0, (segments[1] - 1) * size)
    assert only.wait_ns == MS
    assert response.last.time_ns - response.first.time_ns == (segments[1] - 1) * MS
    assert response.complete


def test_the_part_of_a_message_in_a_frame_begins_where_the_message_before_it_ends():
    one, two = GET % b"a", GET % b"bc"
    first, second = (each.request for each in pairs(talk_of(("c", one + two), size=len(one) + 5)))
    assert (first.first.offset, first.last.offset) == (0, 0)
    assert (second.offset, second.first.offset, second.last.offset) == (len(one), len(one), len(one) + 5)


def test_headers_that_are_not_there_are_absent_in_the_row():
    (only,) = pairs(talk_of(("c", b"GET / HTTP/1.0\r\n\r\n"), ("s", OK)))
    row = only.to_dict()
    assert (row["host"], row["content_type"], row["content_encoding"]) == (None, None, None)


@pytest.mark.parametrize("size", [1, 9, 1460])
def test_pipelined_requests(size):
    talk = talk_of(("c", b"".join(GET % name for name in (b"a", b"b", b"c"))),
                   ("s", OK + OK.replace(b"200", b"404") + OK), size=size)
    assert told(talk) == [("/a", 200, b"hello"), ("/b", 404, b"hello"), ("/c", 200, b"hello")]
    assert [each.response.offset for each in pairs(talk)] == [0, len(OK), 2 * len(OK)]


CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"5\r\nhel\nl\r\n1;x=y\r\no\r\n0\r\nTrailer: t\r\n\r\n")


@pytest.mark.parametrize("size", [1, 3, 1460])
def test_chunked_bodies(size):
    talk = talk_of(("c", GET % b"a" + GET % b"b"), ("s", CHUNKED + OK), size=size)
    assert told(talk) == [("/a", 200, b"hel\nlo"), ("/b", 200, b"hello")]
    first, second = pairs(talk)
    assert (first.response.length, first.response.content_length) == (len(CHUNKED), 6)
    assert second.response.offset == len(CHUNKED)


@pytest.mark.parametrize(("coding", "body"), [
    ("gzip", gzip.compress(b"hello")), ("deflate", zlib.compress(b"hello")),
    ("deflate", zlib.compress(b"hello")[2:-4]), ("identity", b"hello")],
    ids=["gzip", "zlib", "deflate", "identity"])
def test_compressed_bodies(coding, body):
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        coding.encode(), len(body), body)
    (only,) = pairs(talk_of(("c", GET % b"a"), ("s", answer)), body_limit=1000)
    assert only.response.content() == b"hello"
    assert only.response.content_length == len(body)


def test_a_bomb_is_not_blown_up():
    body = gzip.compress(bytes(10_000_000))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    (only,) = pairs(talk_of(("c", GET % b"a"), ("s", answer)), body_limit=1 << 20)
    assert len(only.response.content(limit=1000)) == 1000


def test_unknown_codings_are_told():
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"
    (only,) = pairs(talk_of(("c", GET % b"a"), ("s", answer)), body_limit=9)
    with pytest.raises(ValueError, match='content coding "br" is not known'):
        only.response.content()


@pytest.mark.parametrize("body", [
    b"\x1f\x8b\x08\xfe\xff\xff\xff\0\0\0\0", b"hello", gzip.compress(b"hello")[:10] + b"\7"],
    ids=["header", "no gzip", "block"])
def test_a_damaged_compressed_body_is_told(body):
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    (only,) = pairs(talk_of(("c", GET % b"a"), ("s", answer)), body_limit=100)
    with pytest.raises(ValueError, match="damaged gzip data"):
        only.response.content()


def test_a_response_to_head_has_no_body():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    talk = talk_of(("c", b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + GET % b"b"), ("s", head + OK))
    assert told(talk) == [("/a", 200, b""), ("/b", 200, b"hello")]


def test_interim_and_bodiless_responses():
    answers = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\nHTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n" + OK
    talk = talk_of(("c", GET % b"a" + GET % b"b" + GET % b"c"), ("s", answers))
    assert told(talk) == [("/a", 204, b""), ("/b", 304, b""), ("/c", 200, b"hello")]


def test_a_request_with_a_body():
    talk = talk_of(("c", b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + GET % b"b"), ("s", OK + OK))
    first, second = pairs(talk, body_limit=10)
    assert (first.request.body, first.request.content_length, second.request.target) == (b"abc", 3, "/b")


def test_a_body_that_ends_with_the_stream():
    talk = talk_of(("c", GET % b"a"), ("s", b"HTTP/1.0 200 OK\r\n\r\nall\nthe rest"))
    talk.s("FA", 31, 27).c("FA", 27, 32)
    assert told(talk) == [("/a", 200, b"all\nthe rest")]


@pytest.mark.parametrize(("ask", "answer"), [
    (b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
    (b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
     b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")])
def test_a_tunnel_ends_http(ask, answer):
    talk = talk_of(("c", ask), ("s", answer), ("c", b"\x16\x03GET / HTTP/1.1\r\n\r\n"), ("s", OK))
    assert len(pairs(talk)) == 1


def test_an_upgrade_that_is_declined():
    ask = b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert told(talk_of(("c", ask), ("s", OK), ("c", GET % b"b"), ("s", OK))) == [
        ("/a", 200, b"hello"), ("/b", 200, b"hello")]


def test_an_unanswered_request_and_an_answer_without_one():
    assert told(talk_of(("c", GET % b"a"))) == [("/a", None, None)]
    assert told(talk_of(("s", OK))) == [(None, 200, b"hello")]


def test_a_request_on_a_stream_that_is_given_up():
    """Whose it was is told, though the flow table has forgotten it."""
    talk = talk_of(("c", GET % b"a"))
    ends = pairs(talk)[0].ends
    other = Conversation(sport=1, time=talk.time)
    for _ in range(9000):
        other.c("A", 1, 1, dt=1000 * MS)
    capture = tcpkit.open(io.BytesIO(pcap(talk.frames + other.frames)), idle_timeout=5)
    assert [each.ends for each in exchanges(capture)] == [ends]


def test_a_hole_inside_a_body_is_counted():
    talk = Conversation().handshake().c("PA", 1, 1, GET % b"a")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    at = 1 + len(head)
    talk.s("A", 1, 27, head + b"x" * 100).s("A", at + 400, 27, b"y" * 600).s("PA", at + 1000, 27, OK)
    first, second = pairs(talk)
    assert (first.response.missing, first.response.complete, first.response.length) == (300, False, at + 999)
    assert (second.request, second.response.complete) == (None, True)


def answer_with_a_hole(length, before, hole, after):
    """A response with a body of ``length`` bytes, of which the capture has some before and after a hole."""
    talk = Conversation().handshake().c("PA", 1, 1, GET % b"a")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
    at = 1 + len(head) + before
    talk.s("A", 1, 27, head + b"x" * before)
    if hole > 1000:
        talk.c("A", 27, at + hole)               # or they would be too far ahead to belong to the stream
    return talk.s("A", at + hole, 27, b"y" * after + OK)


def test_a_body_is_kept_up_to_the_first_hole():
    """Never zeros for what is missing: the body is what was sent."""
    first, second = pairs(answer_with_a_hole(1000, 100, 300, 600), body_limit=10_000)
    assert (first.response.body, first.response.missing) == (b"x" * 100, 300)
    assert (second.response.body, second.response.missing) == (b"hello", 0)
    (cut, _) = pairs(answer_with_a_hole(1000, 100, 300, 600), body_limit=50)
    assert cut.response.body == b"x" * 50


def test_a_hole_that_reaches_beyond_the_body_counts_to_its_end():
    first, second = pairs(answer_with_a_hole(500, 100, 700, 0), body_limit=10_000)
    assert (first.response.missing, first.response.content_length, first.response.complete) == (400, 500, False)
    assert (first.response.body, second.response.body) == (b"x" * 100, b"hello")


def test_a_long_hole_costs_as_little_as_a_short_one(monkeypatch):
    """The parser is given headers; bodies of known length, be they there or missing, are counted."""
    fed = []

    class Parser(http_messages.httptools.HttpResponseParser):
        def feed_data(self, data):
            fed.append(len(data))
            super().feed_data(data)

    monkeypatch.setattr(http_messages.httptools, "HttpResponseParser", Parser)
    length = (1 << 29) + 200
    first, second = pairs(answer_with_a_hole(length, 100, 1 << 29, 100))
    assert (first.response.missing, first.response.content_length) == (1 << 29, length)
    assert second.response.complete
    assert sum(fed) == first.response.header_length + second.response.header_length


def test_a_message_does_not_begin_across_a_hole():
    talk = Conversation().handshake().c("A", 1, 1, b"GE").c("PA", 10, 1, b"T /b HTTP/1.1\r\nHost: h\r\n\r\n")
    assert pairs(talk) == []


def test_after_a_hole_between_messages_reading_goes_on():
    talk = Conversation().handshake().c("PA", 1, 1, GET % b"a" + GET % b"b")
    talk.s("A", 1, 53, OK[:20]).s("A", 100, 53, OK).s("A", 100 + len(OK), 53, OK)
    assert [each[1] for each in told(talk)] == [None, None, 200, 200]


def answers(n):
    return [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n%04d" % i for i in range(n)]


@pytest.mark.parametrize("kept", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/9 x"], ids=["all", "head", "nonsense"])
def test_a_lost_response_moves_no_other_to_a_wrong_request(kept):
    """Of several requests that wait behind a hole, nobody knows which is answered next."""
    talk = Conversation().handshake()
    asked = answered = 1
    for i, answer in enumerate(answers(5)):
        talk.c("PA", asked, answered, GET % (b"%d" % i), dt=MS)
        asked += len(GET % b"0")
        if i != 1 or kept:
            talk.s("PA", answered, asked, kept if i == 1 else answer, dt=MS)
        answered += len(answer)
    found = [(target, body) for target, _, body in told(talk)]
    assert found == [("/0", b"0000"), ("/1", None), ("/2", None), (None, b"0002"), ("/3", b"0003"), ("/4", b"0004")]


def test_behind_a_hole_the_only_request_that_waits_is_answered():
    talk = Conversation().handshake().c("PA", 1, 1, GET % b"a")
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    talk.s("PA", 1, 27, interim).s("PA", 1 + 2 * len(interim), 27, OK)
    assert told(talk) == [("/a", 200, b"hello")]


@pytest.mark.parametrize("nonsense", [
    b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\n" + b"x" * 400_000, b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    bytes(range(256)), b"GET / HTTP/9.9\r\n\r\n"],
    ids=["ssh", "endless line", "bad header", "binary", "bad version"])
def test_nonsense_is_no_exchange(nonsense):
    assert pairs(talk_of(("c", nonsense), ("s", b"\0" * 50))) == []


def test_nothing_is_kept_of_streams_that_are_not_http(monkeypatch):
    kept, take = [], http._Connections.take

    def watched(self, piece):
        found = list(take(self, piece))
        kept.append((len(self._open), self._memory))
        return found

    monkeypatch.setattr(http._Connections, "take", watched)
    assert pairs(talk_of(("c", b"SSH-2.0-x\r\n"), ("s", b"\0" * 50), ("c", b"GE"), ("c", b"ge"))) == []
    assert [n for n, _ in kept] == [0, 0, 1, 0, 0]            # for it is too early to tell what GE begins
    assert [memory > 0 for _, memory in kept] == [bool(n) for n, _ in kept]
    kept.clear()
    assert len(pairs(talk_of(("c", GET % b"a"), ("s", OK)))) == 1
    assert kept[0][1] > kept[1][1] > 0                        # the request is told
    assert kept[-1] == (0, 0)


def requests_of(n, talk=None, headers=0):
    talk = talk or Conversation().handshake()
    ask, seq = b"GET / HTTP/1.1\r\n" + b"a:\r\n" * headers + b"\r\n", 1
    for _ in range(n):
        talk.c("PA", seq, 1, ask, dt=MS)
        seq += len(ask)
    return talk


@pytest.mark.parametrize(("n", "headers", "waiting"), [(1200, 0, 1000), (20, 5000, 5)])
def test_requests_wait_in_bounded_memory(monkeypatch, n, headers, waiting):
    """The oldest are told first, as without an answer."""
    most, measure = [0], http._Connection._measure

    def watched(self):
        measure(self)
        most.append(len(self._requests))
        assert self._waiting_bytes == sum(map(http.memory_of, self._requests)) <= http.WAITING_BYTES

    monkeypatch.setattr(http._Connection, "_measure", watched)
    found = pairs(requests_of(n, headers=headers))
    assert [each.request.offset for each in found] == sorted(each.request.offset for each in found)
    assert ([each.response for each in found], max(most)) == ([None] * n, waiting)


def test_requests_told_early_are_not_answered_by_later_responses(monkeypatch):
    monkeypatch.setattr(http, "WAITING", 3)
    turns = [("c", GET % (b"%d" % i)) for i in range(5)] + [("s", answer) for answer in answers(5)]
    assert [(target, body) for target, _, body in told(talk_of(*turns, ("c", GET % b"x"), ("s", OK)))] == [
        ("/0", None), ("/1", None), (None, b"0000"), (None, b"0001"), ("/2", b"0002"), ("/3", b"0003"),
        ("/4", b"0004"), ("/x", b"hello")]


def test_one_request_however_long_waits_for_its_answer(monkeypatch):
    monkeypatch.setattr(http, "WAITING_BYTES", 100)
    assert told(talk_of(("c", GET % b"a"), ("s", OK))) == [("/a", 200, b"hello")]


def test_the_connection_that_is_silent_longest_is_told_when_memory_runs_out(monkeypatch):
    """As far as it has come; an answer that comes later belongs to no request.  The others keep what they have."""
    monkeypatch.setattr(http, "POOLED", (LIMIT - FIXED) // 5000)      # room for two of these
    talks = [Conversation(sport=1000 + i) for i in range(3)]
    for at, talk in enumerate(talks):
        talk.time += at * MS
        talk.c("PA", 1, 1, GET % b"a")
    for at, talk in enumerate((talks[1], talks[0], talks[2])):
        talk.time = talks[2].time + at * MS
        talk.s("PA", 1, 27, OK)
    frames = sorted((frame for talk in talks for frame in talk.frames), key=lambda frame: frame.time)
    found = list(exchanges(tcpkit.open(io.BytesIO(pcap(frames)))))
    assert [(each.stream, bool(each.request), bool(each.response)) for each in found] == [
        (0, True, False), (1, True, True), (0, False, True), (2, True, True)]


def scenario_s1():
    """A browser fetches a page: two connections, three exchanges (lengths and numbers as in the account of it)."""
    a = Conversation("192.168.89.125", "220.181.6.175", 5672, 80).handshake()
    b = Conversation("192.168.89.125", "220.181.6.175", 5673, 80)

    def request(size):
        return b"GET / HTTP/1.1\r\nHost: page\r\nX: " + b"x" * (size - 35) + b"\r\n\r\n"

    def response(header, body):
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nX: " % body
        return head + b"x" * (header - 4 - len(head)) + b"\r\n\r\n" + b"b" * body

    def answer(talk, data, sizes, seq, ack):
        for size in sizes:
            talk.s("A", seq, ack, data[:size])
            data, seq = data[size:], seq + size

    a.c("PA", 1, 1, request(363)).s("A", 1, 364)
    first = response(411, 2139)
    answer(a, first, (411, 1420), 1, 364)
    a.c("A", 364, 1832)
    answer(a, first[1831:], (719,), 1832, 364)
    a.c("PA", 364, 2551, request(438))
    b.time = a.time
    b.c("S", 0)
    a.frames.append(b.frames[0])
    a.time = b.time
    second = response(312, 1489)
    answer(a, second[:0], (), 2551, 802)
    a.s("A", 2551, 802)
    answer(a, second, (312, 1420), 2551, 802)
    a.c("A", 802, 4283)
    answer(a, second[1732:], (28, 41), 4283, 802)
    a.c("A", 802, 4352)
    b.time = a.time
    b.s("SA", 0, 1).c("A", 1, 1).c("PA", 1, 1, request(411)).s("A", 1, 412)
    third = response(310, 3587)
    answer(b, third, (310, 1420), 1, 412)
    b.c("A", 412, 1731)
    answer(b, third[1730:], (1420, 747), 1731, 412)
    a.frames += b.frames[1:]
    return a


def test_scenario_s1_pairs_requests_with_responses():
    capture = tcpkit.open(io.BytesIO(scenario_s1().pcap()))
    found = capture.http
    assert [(each.stream, each.request.first.frame, each.request.length, each.response.first.frame,
             each.response.last.frame, each.response.length) for each in found] == [
        (0, 4, 363, 6, 9, 2550), (0, 10, 438, 13, 17, 1801), (1, 21, 411, 23, 27, 3897)]
    response = found[0].response
    assert capture.streams[0].server.frames_of(response.offset, response.length) == [
        (6, 0, 411), (7, 411, 1420), (9, 1831, 719)]


def test_the_last_byte_is_one_that_was_captured():
    """Not the frame at which a hole at the end was given up."""
    talk = Conversation().handshake().c("PA", 1, 1, GET % b"a")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    talk.s("A", 1, 27, head + b"x" * 100).s("PA", 1001 + len(head), 27, OK)
    first = pairs(talk)[0].response
    assert (first.missing, first.last.frame) == (900, 5)
