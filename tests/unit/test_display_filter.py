"""What a wrong display filter is told: where it is wrong, and what was meant perhaps."""
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpkit
from packets import Conversation
from tcpkit.errors import FilterError
from tcpkit.fields import contract_names
from tcpkit.filter_fields import known_names
from tcpkit.packet_columns import PAYLOAD, SCHEMA

DOCS = Path(__file__).parents[2] / "docs"

PACKETS = tcpkit.open(io.BytesIO(Conversation().handshake().c("PA", 1, 1, 100).pcap())).packets
WORDS = ["tcp.len", "tcp.port", "ip.addr", "tcp.flags", "tcp.analysis.retransmission", "==", "!=", ">", "in", "{", "}",
         "80", "0x10", "10.0.0.1", "10.0.0.0/8", "fd00::1", "and", "or", "not", "(", ")", "&", "+", "..", ",", '"x"',
         "contains", "matches", "max", "any", "-1", "tcp", "~", "/"]


@pytest.mark.parametrize(("text", "word", "message"), [
    ("tcp.prot == 80", "tcp.prot", 'did you mean "tcp.port"?'),
    ("tcp.analysis.retransmision", "tcp.analysis.retransmision", 'did you mean "tcp.analysis.retransmission"?'),
    ("tcp.len > 1 and tcp.windw == 3", "tcp.windw", "is not a field"),
    ("http.request", "http.request", "is not a field"),
    ("tcp.len >", "", "the filter ends here"), ("not", "", "the filter ends here"), (" ", "", "the filter ends here"),
    ("tcp.len > foo", "foo", '"foo" is not a field'), ("tcp.len > 0xzz", "0xzz", "not a valid number"),
    ('tcp.len == "abc"', '"abc"', "not a valid number"), ("ip.addr == 10.0.0.300", "10.0.0.300", "not an ipv4 address"),
    ("ip.addr == 10.0.0.0/40", "10.0.0.0/40", "not an ipv4 address"), ("ip.src == fd00::1", "fd00::1", "not an ipv4"),
    ("(tcp.len > 1", "", '")" expected'), ("tcp.len > 1)", ")", "was unexpected here"),
    ("tcp.port in 80", "80", '"{" expected'), ("tcp.port in {80", "", '"}" expected'),
    ("tcp.len = 5", "=", 'values are compared with "=="'), ("tcp.len > 1 tcp.port == 80", "tcp.port", "unexpected"),
    ("foo(tcp.len) > 1", "foo(tcp.len)", 'there is no function "foo"'), ("80 == tcp.port", "80", "starts with a field"),
    ("tcp.analysis.retransmission == 1", "tcp.analysis.retransmission", "it has no value to compare"),
    ('tcp.len contains "a"', '"a"', "needs a field of text"), ("tcp.time_delta > 1s", "1s", "not a valid number"),
    ("9223372036854775808 - tcp.len > 1", "9223372036854775808", "too large to calculate with"),
    ("tcp.time_relative > 1e999990", "1e999990", "not a valid number"),
    ('kind matches "' + "(" * 3000 + '"', '"' + "(" * 3000 + '"', "not a regular expression"),
    ('kind matches "a{99999999999}"', '"a{99999999999}"', "not a regular expression"),
    ("tcp.time_relative > 1e9999999", "1e9999999", "not a valid number"),
    ("tcp.port == 65536", "65536", "too large for this field, which holds 65535 at most"),
    ("tcp.len > -1", "-1", "below zero, which this field never is"),
    ("tcp.len in {-1..5}", "-1", "below zero, which this field never is"),
    ("tcp.time_delta * 2 > 1", "tcp.time_delta", "times are only added and subtracted"),
    ("tcp.time_delta + tcp.len > 1", "tcp.time_delta", "times are only added and subtracted"),
    ("tcp.time_delta & 1", "tcp.time_delta", "times are only added and subtracted"),
    ("tcp.len > tcp.time_delta", "tcp.len", "these two cannot be compared"),
    ("tcp.flags.syn == -1", "-1", "neither true nor false"), ("tcp.port not == 80", "==", '"in" expected'),
    ('kind == "retrans"', '"retrans"', "is none of the words it can be: none, new, reordered, retransmission,"),
    ('lower(tunnel_kind) in {"gre", "ipip"}', '"ipip"', "none of the words it can be: none, ip, gre,"),
    ('evidence != "sack-gap"', '"sack-gap"', "none of the words it can be"),
    ("kind == retransmission", "retransmission", "text is written in quotes"),
    ("kind in {retransmission}", "retransmission", "text is written in quotes"),
    ("tcp.len > 1 and not kind == new", "new", '"new" is not a field; text is written in quotes'),
    ("seq > dst_prt", "dst_prt", '; text is written in quotes; did you mean "dst_port"?'),
    ("seq > ack + payload_ln", "payload_ln", '"payload_ln" is not a field; did you mean "payload_len"?'),
    ("kind == tcp.segment.knd", "tcp.segment.knd", 'did you mean "tcpkit.segment.kind"?'),
    ("tcp.payload", "tcp.payload", "cannot be filtered by"), ("tcpkit.info", "tcpkit.info", "cannot be filtered by"),
    ('verdict_text contains "timeout"', "verdict_text", "cannot be filtered by")], ids=lambda value: value[:60])
def test_points_at_the_place(text, word, message):
    with pytest.raises(FilterError) as caught:
        PACKETS.where(text)
    error = caught.value
    assert text[error.start:error.end] == word
    assert message in str(error)
    assert str(error).splitlines()[-1] == "  " + " " * error.start + "^" * max(1, len(word))


def test_the_name_of_a_column_is_that_column():
    assert PACKETS.where("frame == 4")["frame"].tolist() == [4]
    assert PACKETS.where("frame in {1..2}")["frame"].tolist() == [1, 2]
    assert len(PACKETS.where("frame")) == len(PACKETS)


def test_what_cannot_be_filtered_by_is_what_the_documentation_names():
    known, text = known_names(SCHEMA.columns), (DOCS / "filters.md").read_text()
    sentence = text.partition("`tcpkit fields --list` names\n")[2].partition(";")[0]
    assert set(re.findall("`(.*?)`", sentence)) == {*contract_names(), PAYLOAD.wireshark} - known


def test_what_does_not_fit_into_64_bits_is_not_there():
    assert len(PACKETS.where("tcp.srcport * 281474976710656 > 0")) == 0
    assert len(PACKETS.where("tcp.srcport * 4294967296 * 4294967296 != 1")) == 0
    assert len(PACKETS.where("tcp.srcport * 4294967296 > 0")) == len(PACKETS)


def test_evidence_is_as_many_words_as_the_verdict_rests_on():
    lost = Conversation().handshake().c("PA", 1, 1, 100).c("PA", 101, 1, 100).c("PA", 1, 1, 100, dt=400)
    packets = tcpkit.open(io.BytesIO(lost.pcap())).packets
    words = [word for row in packets for word in (row["evidence"] or "").split("+") if word]
    assert words
    for word in set(words):
        assert len(packets.where(f'evidence == "{word}"')) == words.count(word)
    assert len(packets.where("evidence")) == sum(row["evidence"] is not None for row in packets)


@pytest.mark.parametrize("text", [
    "(" * 5000 + "tcp" + ")" * 5000, "not " * 5000 + "tcp", "tcp.len == " + "1 + " * 5000 + "1",
    "tcp.len" + " & 1" * 5000 + " == 1", "len(" * 5000 + "tcp.len" + ")" * 5000 + " == 1"],
    ids=["parentheses", "not", "sum", "mask", "functions"])
def test_nesting_is_bounded(text):
    with pytest.raises(FilterError, match="levels of nesting"):
        PACKETS.where(text)


def test_what_each_of_many_fields_can_mean_is_bounded():
    """A field that occurs twice has two values, of two there are four sums, and so on."""
    assert len(PACKETS.where("tcp.port + tcp.port > 0")) > 0
    with pytest.raises(FilterError, match="too many fields"):
        PACKETS.where("tcp.port" + " + tcp.port" * 60 + " > 0")


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_selects_rows_or_is_refused(text):
    try:
        selected = len(PACKETS.where(text))
    except FilterError as error:
        start, end, selected = error.start, error.end, 0
    else:
        start = end = 0
    assert 0 <= start <= end <= len(text)
    assert 0 <= selected <= len(PACKETS)
