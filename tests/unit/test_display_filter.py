"""What a wrong display filter is told: where it is wrong, and what was meant perhaps."""
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpkit
from packets import Conversation
from tcpkit.errors import FilterError

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
    ("tcp.time_relative > 1e9999999", "1e9999999", "not a valid number")])
def test_points_at_the_place(text, word, message):
    with pytest.raises(FilterError) as caught:
        PACKETS.where(text)
    error = caught.value
    assert text[error.start:error.end] == word
    assert message in str(error)
    assert str(error).splitlines()[-1] == "  " + " " * error.start + "^" * max(1, len(word))


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
