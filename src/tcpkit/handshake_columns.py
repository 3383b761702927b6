"""The columns of the handshakes table."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import ENDS, EPOCH, Column, Schema, When, end_address, number
from tcpkit.endings import OUTCOME_WORDS, word

OFFERS = ("mss", "window_scale", "sack", "timestamps", "ecn", "fast_open")      # Offer bits, from the lowest
IPV4 = When("ip_version", 0xFF, 4)
DONT_FRAGMENT = ("", "always", "never", "sometimes")                             # by MayFragment bits
AGREED = ("window_scale", "sack", "timestamps", "ecn")


def known(field: str) -> tuple[When, ...]:
    """There is a field of our own that says so."""
    return (When(f"{field}_known", 0xFF, 1),)


def time(name: str, doc: str) -> Column:
    return Column(name, "", name, Kind.SECONDS, doc, known(name), EPOCH)


def duration(name: str, doc: str) -> Column:
    return Column(name, "", name, Kind.SECONDS, doc, known(name), "ns")


def both_ends(name: str, doc: str, unit: str = "") -> tuple[Column, ...]:
    return tuple(number(f"{name}_{end}", "", f"{name}_{end}", doc.format(end), known(f"{name}_{end}"), unit)
                 for end in ENDS)


HANDSHAKES = Schema("handshakes", (
    number("stream", "tcp.stream", "stream", "number of the connection (ST-1)"),
    end_address("client", "address of the client"),
    number("client_port", "", "client_port", "its port"),
    end_address("server", "address of the server"),
    number("server_port", "", "server_port", "its port"),
    word("outcome", "how the connection began", OUTCOME_WORDS),
    time("syn", "time of the first SYN"),
    time("synack", "time of the first SYN+ACK"),
    time("ack", "when the handshake was complete"),
    duration("server_rtt", "from the last SYN to the SYN+ACK: to the server and back from where it was captured"),
    duration("client_rtt", "from the last SYN+ACK to its ACK: to the client and back"),
    duration("initial_rtt", "both together"),
    duration("setup_time", "from the first SYN until the handshake was complete"),
    number("syn_retransmissions", "", "syn_retransmissions", "SYNs sent again"),
    duration("syn_backoff_first", "between the first two SYNs"),
    duration("syn_backoff_last", "between the last two SYNs"),
    number("synack_retransmissions", "", "synack_retransmissions", "SYN+ACKs sent again"),
    duration("synack_backoff_first", "between the first two SYN+ACKs"),
    duration("synack_backoff_last", "between the last two SYN+ACKs"),
    *both_ends("mss", "maximum segment size that the {} offers", "bytes"),
    number("mss", "", "mss", "the smaller one", known("mss"), "bytes"),
    *both_ends("largest", "largest payload of a segment from the {}", "bytes"),
    *both_ends("largest_datagram", "largest IP datagram from the {}, or fragment of one: so much the path takes as far "
               "as the capture point", "bytes"),
    *(Column(f"dont_fragment_{end}", "", f"fragments_{end}", Kind.WORD,
             f"whether the {end} keeps routers from fragmenting its datagrams (DF)",
             (*known(f"fragments_{end}"), IPV4), words=DONT_FRAGMENT) for end in ENDS),
    *both_ends("wscale", "shift of the window scale that the {} offers"),
    *(Column(f"{name}_{end}", "", f"offers_{end}", Kind.BITS, f"the {end} offers {name.replace('_', ' ')}",
             known(f"offers_{end}"), mask=1 << OFFERS.index(name), words=("0", "1"))
      for name in OFFERS[1:] for end in ENDS),
    *(Column(name, "", "agreed", Kind.BITS, f"both use {name.replace('_', ' ')}", known("agreed"),
             mask=1 << OFFERS.index(name), words=("0", "1")) for name in AGREED),
    duration("request_time", "from the end of the handshake to the client's first data"),
    duration("response_time", "from there to the server's first data"),
), ("stream", "client", "client_port", "server", "server_port", "outcome", "syn_retransmissions",
    "synack_retransmissions", "server_rtt", "client_rtt", "initial_rtt", "mss", "largest_client", "largest_server",
    "request_time", "response_time"))
