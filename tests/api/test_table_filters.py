"""Display filters over tables that are not packets, against the same question asked row by row."""
from __future__ import annotations

import io
from ipaddress import ip_address, ip_network

import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit.display_filter import DisplayFilter
from tcpkit.filter_fields import known_names
from tcpkit.row_filter import stages_asked


@pytest.fixture(scope="module")
def capture():
    return tcpkit.open(io.BytesIO(pcap(random_capture(2, conversations=40), nano=True)))


def ends(row):
    return [value for name, value in row.items() if name in ("client", "server", "src", "dst", "a", "b")]


def ports(row):
    return [value for name, value in row.items() if name.endswith("_port")]


def inside(row, network):
    return any(ip_address(end).version == ip_network(network).version and ip_address(end) in ip_network(network)
               for end in ends(row))


FILTERS = {
    "ip.addr == 10.1.0.1": lambda row: "10.1.0.1" in ends(row),
    "ip.addr == 10.0.0.0/8": lambda row: inside(row, "10.0.0.0/8"),
    "ip.addr == fd00::/64": lambda row: inside(row, "fd00::/64"),
    "ipv6.addr == fd00::2 or tcp.port == 10003": lambda row: "fd00::2" in ends(row) or 10003 in ports(row),
    "tcp.port in {10001 .. 10009}": lambda row: any(10001 <= port <= 10009 for port in ports(row)),
    "!(tcp.port == 10003) and tcp.stream < 9": lambda row: 10003 not in ports(row) and row["stream"] < 9,
}
OF_ONE_TABLE = {
    ("flows", "client == 10.1.0.1 && packets_server > 3"):
        lambda row: row["client"] == "10.1.0.1" and row["packets_server"] > 3,
    ("flows", "initial_rtt >= 0.02"):
        lambda row: row["initial_rtt"] is not None and row["initial_rtt"].astype(int) >= 20_000_000,
    ("directions", "loss_rate > 0.1 and sender == \"server\""):
        lambda row: row["loss_rate"] is not None and row["loss_rate"] > 0.1 and row["sender"] == "server",
    ("directions", "retransmission_rate > loss_rate"):
        lambda row: row["packets"] > 0 and row["retransmission_rate"] > row["loss_rate"],
    ("directions", "out_of_order_rate in {0.05 .. 0.5}"):
        lambda row: row["packets"] > 0 and 0.05 <= row["out_of_order_rate"] <= 0.5,
    ("retransmissions", "ip.src == 10.1.0.2 && kind contains \"spurious\""):
        lambda row: row["src"] == "10.1.0.2" and "spurious" in (row["kind"] or ""),
    ("retransmissions", "cause matches \"^time\""): lambda row: (row["cause"] or "").startswith("time"),
    ("conversations", "bytes_to_a > bytes_to_b"): lambda row: row["bytes_to_a"] > row["bytes_to_b"],
}


@pytest.mark.parametrize("table", ["flows", "directions", "retransmissions", "conversations"])
@pytest.mark.parametrize("text", FILTERS)
def test_ends_of_the_connection(capture, table, text):
    check(getattr(capture, table), text, FILTERS[text])


@pytest.mark.parametrize(("table", "text"), OF_ONE_TABLE)
def test_columns_of_the_table(capture, table, text):
    check(getattr(capture, table), text, OF_ONE_TABLE[table, text])


def check(table, text, accepts):
    rows = [table[i] for i in range(len(table))]
    expected = [accepts(row) for row in rows]
    assert table.where(text)["stream"].tolist() == [row["stream"] for row, chosen in zip(rows, expected, strict=True)
                                                    if chosen]
    assert any(expected)


OPERANDS = ("{0} == 1", "{0} > 0.5", "{0} == -1", "{0} < 99999999999999999999", "{0} in {{1 .. 3}}", "{0} & 1", "{0}",
            "{0} + 1 > {0}", "max({0}) > 0", "abs({0}) == 0", "count({0}) == 1", "{0} == {0}", '{0} == "x"',
            '{0} contains "x"', '{0} matches "("', 'upper({0}) == "X"', "{0} == 10.0.0.0/8", "{0} != fd00::1",
            "{0} === 1 or {0} < 0")


@pytest.mark.parametrize("table", ["packets", "flows", "directions", "retransmissions", "conversations", "handshakes",
                                   "reordering", "states"])
def test_a_filter_is_wrong_without_rows_if_it_is_with_them(capture, table):
    found = getattr(capture, table)
    rows, columns = found[:3], [column for column in found._schema.columns if column.name in found.columns]
    names = known_names(columns)
    assert len(names) > 10
    for text in (form.format(name) for form in OPERANDS for name in (*names, "nonsense")):
        assert wrong(rows.where, text) == wrong(lambda text: stages_asked(DisplayFilter(text), columns), text)


def wrong(ask, text):
    """What is, if anything."""
    try:
        ask(text)
    except tcpkit.FilterError as error:
        return str(error)
    return None


@pytest.mark.parametrize("text", ["ip.addr == 10.1", "ip.addr == tcp.stream", "loss_rate > high", "frame.len > 3"])
def test_wrong_filters_point_at_the_place(capture, text):
    with pytest.raises(tcpkit.FilterError) as error:
        capture.directions.where(text)
    assert error.value.text == text
    assert 0 <= error.value.start < error.value.end <= len(text)


def test_packets_know_addresses_of_either_version(capture):
    packets = capture.packets
    assert packets.where("tcpkit.src == 10.1.0.1")["frame"].tolist() == \
        packets.where("ip.src == 10.1.0.1")["frame"].tolist()
    assert packets.where("tcpkit.dst == fd00::1")["frame"].tolist() == \
        packets.where("ipv6.dst == fd00::1")["frame"].tolist()
