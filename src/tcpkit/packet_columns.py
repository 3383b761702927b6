"""The columns of the packets table: the one place that knows names, row fields, presence, text and meaning.

Everything else reads this registry: ``Table`` and its conversions, ``tcpkit fields``, display filters,
``docs/columns.md``.  Letters with numbers (ST-1, RL-1 ...) are rules of docs/semantics.md.
"""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import AnalysisPresent, Damage, Finding, FlowEvent, IpFlag, Present, TcpFlag, TunnelHas, TunnelKind
from tcpkit.columns import EPOCH, MARK, Column, Schema, When, address, duration, mark, number, outermost, words_of
from tcpkit.endings import STATE_WORDS
from tcpkit.verdict_columns import VERDICT_COLUMNS


def has(bits: int) -> tuple[When, ...]:
    """All these Present bits are set."""
    return (When("present", bits, bits),)


def noted(bits: int) -> tuple[When, ...]:
    """All these AnalysisPresent bits are set."""
    return (When("analysis_present", bits, bits),)


def found(bit: int) -> tuple[When, ...]:
    """The analysis found this."""
    return (When("findings", bit, bit),)


def tcp_flag(name: str, bit: int, doc: str) -> Column:
    """A flag of the header: 0 or 1."""
    return Column(f"flag_{name}", f"tcp.flags.{name}", "flags", Kind.BITS, doc, WINDOW, mask=bit, words=("0", "1"))


def of_tunnel(name: str, wireshark: str, field: str, has: int, doc: str, unit: str = "") -> Column:
    """A number that the TUNNEL row holds, if it has this TunnelHas bit."""
    return Column(name, wireshark, "tunnel", Kind.TUNNEL_NUMBER, doc, IN_TUNNEL, unit, mask=has, other=field)


def finding(name: str, wireshark: str, bit: int, doc: str) -> Column:
    """Something the analysis found: 1 or absent."""
    return Column(name, wireshark, "findings", Kind.BITS, doc, stage="analysis", mask=bit, words=MARK)


WINDOW = has(Present.HAS_WINDOW)
SEQ = has(Present.HAS_SEQ)
TIMES = has(Present.HAS_TIMES)
SACK = has(Present.HAS_SACK)
STAMPS = has(Present.HAS_TIMESTAMPS)
CHECKSUM = has(Present.HAS_CHECKSUM)
ANY_CHECKSUM = (When("present", Present.HAS_CHECKSUM | Present.HAS_CUT_CHECKSUM, 0, equal=False),)
ANY_SEQ = (When("present", Present.HAS_SEQ | Present.HAS_ICMP4_SEQ, 0, equal=False),)
RAW_SEQ = (When("present", Present.HAS_SEQ | Present.HAS_ICMP4_SEQ, Present.HAS_SEQ),)
NO_ACK = When("flags", TcpFlag.ACK, 0)
IN_TUNNEL = (When("tunnel", 0xFFFFFFFF, 0, equal=False),)
IPV4 = (When("ip_version", 0xFF, 4),)

FRAME_COLUMNS = (
    number("frame", "frame.number", "frame", "number of the frame in the capture, from 1 (G-4)"),
    Column("time", "frame.time_epoch", "time_ns", Kind.SECONDS, "when the frame was captured (TM-3)", unit=EPOCH),
    Column("time_since_start", "frame.time_relative", "time_ns", Kind.SINCE_START,
           "time since the capture's first frame", unit="ns"),
    number("frame_len", "frame.len", "frame_len", "length on the wire", unit="bytes"),
    number("cap_len", "frame.cap_len", "cap_len", "length captured", unit="bytes"),
    number("interface", "tcpkit.interface", "interface_id", "index into Capture.info.interfaces"),
    number("vlan", "vlan.id", "vlan", "outermost 802.1Q VLAN", has(Present.HAS_VLAN)),
    Column("tunnel_kind", "tcpkit.tunnel.kind", "tunnel", Kind.TUNNEL_KIND, "outermost tunnel", IN_TUNNEL,
           words=words_of(TunnelKind, "TUNNEL_")),
    of_tunnel("tunnel_id", "tcpkit.tunnel.id", "vni", TunnelHas.OUTER_ID,
              "its identifier: VNI, TEID, GRE key, MPLS label, session"),
    of_tunnel("icmp_type", "tcpkit.icmp.type", "icmp_type", TunnelHas.ICMP_ERROR,
              "type of the ICMP or ICMPv6 error that quotes the segment (ST-9)"),
    of_tunnel("icmp_code", "tcpkit.icmp.code", "icmp_code", TunnelHas.ICMP_ERROR, "its code"),
    of_tunnel("next_hop_mtu", "tcpkit.icmp.mtu", "next_hop_mtu", TunnelHas.NEXT_HOP_MTU,
              "largest datagram that the next hop takes, where the error is that this one was larger (RFC 1191, 4443)",
              "bytes"),
    address("src", "tcpkit.src", Kind.ADDRESS, "source address, of the IP header nearest to TCP (ST-1)", "src_hi"),
    address("dst", "tcpkit.dst", Kind.ADDRESS, "destination address, of the IP header nearest to TCP", "dst_hi"),
    address("ip_src", "ip.src", Kind.OUTER_IPV4, "source of the outermost IPv4 header", "src_hi"),
    address("ip_dst", "ip.dst", Kind.OUTER_IPV4, "destination of the outermost IPv4 header", "dst_hi", True),
    address("ipv6_src", "ipv6.src", Kind.OUTER_IPV6, "source of the outermost IPv6 header", "src_hi"),
    address("ipv6_dst", "ipv6.dst", Kind.OUTER_IPV6, "destination of the outermost IPv6 header", "dst_hi", True),
    number("ttl", "tcpkit.ttl", "ttl", "time to live or hop limit, of the IP header nearest to TCP"),
    Column("tos", "tcpkit.tos", "tos", Kind.HEX, "differentiated services field or traffic class of that header"),
    Column("ip_id", "tcpkit.ip_id", "ip_id", Kind.HEX, "identification of that header, if it is one of IPv4", IPV4),
    number("ip_len", "tcpkit.ip_len", "ip_len", "IP datagram with that header, or its largest fragment",
           (When("ip_len", 0xFFFF, 0, equal=False),), "bytes"),
    Column("dont_fragment", "tcpkit.dont_fragment", "ip_flags", Kind.BITS, "whether routers may not fragment it (DF), "
           "if it is one of IPv4", IPV4, mask=IpFlag.DONT_FRAGMENT, words=("0", "1")),
    outermost("outer_ttl", "ip.ttl", "ttl", "time to live of the outermost IPv4 header", "outer4_ttl"),
    outermost("outer_dsfield", "ip.dsfield", "tos", "differentiated services field of that header", "outer4_tos",
              Kind.OUTER_HEX),
    outermost("outer_ip_id", "ip.id", "ip_id", "identification of that header", "outer4_id", Kind.OUTER_HEX),
    outermost("outer_hop_limit", "ipv6.hlim", "ttl", "hop limit of the outermost IPv6 header", "outer6_hop_limit",
              has=TunnelHas.OUTER_IPV6),
)

HEADER_COLUMNS = (
    number("src_port", "tcp.srcport", "src_port", "source port"),
    number("dst_port", "tcp.dstport", "dst_port", "destination port"),
    number("stream", "tcp.stream", "stream", "number of the connection, from 0 (ST-1)", has(Present.HAS_STREAM),
           stage="flows"),
    number("direction", "tcpkit.direction", "direction", "0: from the end that sent the stream's first frame; 1: to it",
           has(Present.HAS_STREAM), stage="flows"),
    number("payload_len", "tcp.len", "payload_len", "payload, by the IP length (LN-1)", has(Present.HAS_LEN), "bytes"),
    number("payload_captured", "tcpkit.payload_captured", "payload_captured", "payload that was captured (LN-2)",
           has(Present.HAS_LEN), "bytes"),
    number("seq", "tcp.seq", "seq", "sequence number, relative (RL-1)", ANY_SEQ, stage="flows"),
    number("seq_raw", "tcp.seq_raw", "seq_raw", "sequence number as sent", RAW_SEQ),
    number("nxtseq", "tcp.nxtseq", "nxtseq", "sequence number after this segment (RL-6)", has(Present.HAS_NXTSEQ),
           stage="flows"),
    number("ack", "tcp.ack", "ack", "acknowledgement number, relative if the ACK flag is set (RL-1, RL-5)", WINDOW,
           stage="flows"),
    number("ack_raw", "tcp.ack_raw", "ack_raw", "acknowledgement number as sent", WINDOW),
    Column("seq64", "tcpkit.seq64", "seq64", Kind.SIGNED, "sequence number, relative and unwrapped to 64 bits", SEQ,
           stage="flows"),
    Column("ack64", "tcpkit.ack64", "ack64", Kind.SIGNED, "acknowledgement number, relative and unwrapped", WINDOW,
           stage="flows"),
    number("hdr_len", "tcp.hdr_len", "hdr_len", "TCP header", SEQ, "bytes"),
    Column("flags", "tcp.flags", "flags", Kind.HEX, "the twelve flag bits", WINDOW),
    tcp_flag("ae", TcpFlag.AE, "accurate ECN"),
    tcp_flag("cwr", TcpFlag.CWR, "congestion window reduced"),
    tcp_flag("ece", TcpFlag.ECE, "ECN echo"),
    tcp_flag("urg", TcpFlag.URG, "urgent pointer counts"),
    tcp_flag("ack", TcpFlag.ACK, "acknowledgement number counts"),
    tcp_flag("push", TcpFlag.PSH, "push"),
    tcp_flag("reset", TcpFlag.RST, "reset"),
    tcp_flag("syn", TcpFlag.SYN, "synchronize"),
    tcp_flag("fin", TcpFlag.FIN, "no more data"),
    number("window", "tcp.window_size_value", "window", "window as sent (WN-1)", WINDOW),
    Column("checksum", "tcp.checksum", "checksum", Kind.HEX, "checksum as sent; not checked (G-3)", ANY_CHECKSUM),
    number("urgent", "tcp.urgent_pointer", "urgent", "urgent pointer", CHECKSUM),
    number("mss", "tcp.options.mss_val", "mss", "maximum segment size offered", has(Present.HAS_MSS), "bytes"),
    number("wscale", "tcp.options.wscale.shift", "wscale", "window scale offered: shift (WN-2)",
           has(Present.HAS_WSCALE)),
    mark("sack_permitted", "tcpkit.sack_permitted", "present", Present.HAS_SACK_PERMITTED, "SACK permitted option"),
    number("tsval", "tcp.options.timestamp.tsval", "tsval", "time stamp of the sender", has(Present.HAS_TSVAL)),
    number("tsecr", "tcp.options.timestamp.tsecr", "tsecr", "time stamp echoed", STAMPS),
    number("sack_count", "tcp.options.sack.count", "sack_count", "SACK blocks", SACK),
    Column("sack_le", "tcp.options.sack_le", "sack_le0", Kind.SACK_EDGE, "left edge of the first block, as tcp.ack",
           has(Present.HAS_SACK_LE), stage="flows"),
    Column("sack_re", "tcp.options.sack_re", "sack_re0", Kind.SACK_EDGE, "right edge of the first block, as tcp.ack",
           has(Present.HAS_SACK_RE), stage="flows"),
    duration("time_relative", "tcp.time_relative", "time_relative", "since the stream's first frame (TM-1)", TIMES,
             "flows"),
    duration("time_delta", "tcp.time_delta", "time_delta", "since the stream's previous frame (TM-2)", TIMES, "flows"),
    mark("connection_syn", "tcp.connection.syn", "flags", TcpFlag.SYN, "SYN without ACK", (*WINDOW, NO_ACK)),
    mark("connection_synack", "tcp.connection.synack", "flags", TcpFlag.SYN, "SYN with ACK",
         (*WINDOW, When("flags", TcpFlag.ACK, TcpFlag.ACK))),
    mark("connection_fin", "tcp.connection.fin", "flags", TcpFlag.FIN, "FIN", WINDOW),
    mark("connection_rst", "tcp.connection.rst", "flags", TcpFlag.RST, "RST", WINDOW),
    mark("ack_nonzero", "tcp.ack.nonzero", "ack_raw", 0xFFFFFFFF, "number without the ACK flag", (*WINDOW, NO_ACK)),
    mark("short_segment", "tcp.short_segment", "damage", Damage.SHORT_SEGMENT, "IP length too small (LN-6)"),
    mark("bogus_header_length", "tcp.bogus_header_length", "damage", Damage.BOGUS_HEADER_LENGTH,
         "data offset below 5 (LN-7)"),
    mark("quoted", "tcpkit.quoted", "damage", Damage.QUOTED, "quoted by an ICMP error (ST-9)"),
)

ANALYSIS_COLUMNS = (
    number("window_size", "tcp.window_size", "window_size", "window, scaled where the scale is known (WN-1)",
           noted(AnalysisPresent.HAS_WINDOW_SIZE), "bytes", "analysis"),
    Column("window_scale", "tcp.window_size_scalefactor", "window_scale", Kind.SIGNED,
           "factor of the window; -1 unknown, -2 not used (WN-1)", noted(AnalysisPresent.HAS_WINDOW_SCALE),
           stage="analysis"),
    number("completeness", "tcp.completeness", "completeness", "what of the conversation came before (CP-1)",
           noted(AnalysisPresent.HAS_COMPLETENESS), stage="analysis"),
    Column("analysis", "tcp.analysis", "analysis_present", Kind.BITS, "there is an analysis of this segment (CM-6)",
           stage="analysis", mask=AnalysisPresent.HAS_RECORD, words=MARK),
    Column("analysis_flags", "tcp.analysis.flags", "analysis_present", Kind.BITS, "something stands out (CM-6)",
           stage="analysis", mask=AnalysisPresent.HAS_FLAGS, words=MARK),
    finding("retransmission", "tcp.analysis.retransmission", Finding.RETRANSMISSION, "sent again (RT-6, RT-8)"),
    finding("fast_retransmission", "tcp.analysis.fast_retransmission", Finding.FAST_RETRANSMISSION,
            "after duplicate ACKs (RT-4)"),
    finding("spurious_retransmission", "tcp.analysis.spurious_retransmission", Finding.SPURIOUS_RETRANSMISSION,
            "data already acknowledged (RT-3)"),
    finding("out_of_order", "tcp.analysis.out_of_order", Finding.OUT_OF_ORDER, "late, not sent again (RT-5)"),
    finding("lost_segment", "tcp.analysis.lost_segment", Finding.LOST_SEGMENT, "a segment before is missing (LS-1)"),
    finding("ack_lost_segment", "tcp.analysis.ack_lost_segment", Finding.ACK_LOST_SEGMENT,
            "acknowledges data never seen (AL-1)"),
    finding("duplicate_ack", "tcp.analysis.duplicate_ack", Finding.DUPLICATE_ACK, "duplicate ACK (DA-1)"),
    number("duplicate_ack_num", "tcp.analysis.duplicate_ack_num", "duplicate_ack_num", "which in its run (DA-1)",
           found(Finding.DUPLICATE_ACK), stage="analysis"),
    number("duplicate_ack_frame", "tcp.analysis.duplicate_ack_frame", "duplicate_ack_frame",
           "frame of the original (DA-2)", found(Finding.DUPLICATE_ACK), stage="analysis"),
    finding("zero_window", "tcp.analysis.zero_window", Finding.ZERO_WINDOW, "no room left (ZW-1)"),
    finding("zero_window_probe", "tcp.analysis.zero_window_probe", Finding.ZERO_WINDOW_PROBE,
            "probe of a closed window (ZW-2)"),
    finding("zero_window_probe_ack", "tcp.analysis.zero_window_probe_ack", Finding.ZERO_WINDOW_PROBE_ACK,
            "its answer (ZW-3)"),
    finding("window_full", "tcp.analysis.window_full", Finding.WINDOW_FULL, "fills the peer's window (WF-1)"),
    finding("window_update", "tcp.analysis.window_update", Finding.WINDOW_UPDATE, "only changes the window (WU-1)"),
    finding("keep_alive", "tcp.analysis.keep_alive", Finding.KEEP_ALIVE, "keep-alive (KA-1)"),
    finding("keep_alive_ack", "tcp.analysis.keep_alive_ack", Finding.KEEP_ALIVE_ACK, "its answer (KA-2)"),
    finding("reused_ports", "tcp.analysis.reused_ports", Finding.REUSED_PORTS, "ports of an earlier connection (ST-3)"),
    finding("tfo_syn", "tcp.analysis.tfo_syn", Finding.TFO_SYN, "fast open with cookie (TF-1)"),
    finding("tfo_ack", "tcp.analysis.tfo_ack", Finding.TFO_ACK, "fast open accepted (TF-2)"),
    finding("tfo_ignored", "tcp.analysis.tfo_ignored", Finding.TFO_IGNORED, "fast open ignored (TF-2)"),
    finding("fin_active", "tcp.connection.fin_active", Finding.FIN_ACTIVE, "FIN of the end that closed first (FR-1)"),
    finding("fin_passive", "tcp.connection.fin_passive", Finding.FIN_PASSIVE, "FIN of the other end (FR-1)"),
    number("acks_frame", "tcp.analysis.acks_frame", "acks_frame", "frame acknowledged (AK-1)",
           noted(AnalysisPresent.HAS_ACKS_FRAME), stage="analysis"),
    duration("ack_rtt", "tcp.analysis.ack_rtt", "ack_rtt", "time from that frame (AK-1)",
             noted(AnalysisPresent.HAS_ACK_RTT), "analysis"),
    duration("initial_rtt", "tcp.analysis.initial_rtt", "initial_rtt", "time of the handshake (AK-5)",
             noted(AnalysisPresent.HAS_INITIAL_RTT), "analysis"),
    number("bytes_in_flight", "tcp.analysis.bytes_in_flight", "bytes_in_flight", "sent and not acknowledged (BF-2)",
           noted(AnalysisPresent.HAS_BYTES_IN_FLIGHT), "bytes", "analysis"),
    number("push_bytes_sent", "tcp.analysis.push_bytes_sent", "push_bytes_sent", "since the last PSH (PB-1)",
           noted(AnalysisPresent.HAS_PUSH_BYTES), "bytes", "analysis"),
    duration("rto", "tcp.analysis.rto", "rto", "waited before sending again (RT-7)", noted(AnalysisPresent.HAS_RTO),
             "analysis"),
    number("rto_frame", "tcp.analysis.rto_frame", "rto_frame", "frame that this wait began at (RT-7)",
           noted(AnalysisPresent.HAS_RTO), stage="analysis"),
)

STATE_COLUMNS = (
    Column("client_state", "tcpkit.state.client", "client_state", Kind.WORD, "state of the client after the segment",
           stage="lifecycle", words=STATE_WORDS),
    Column("server_state", "tcpkit.state.server", "server_state", Kind.WORD, "state of the server after the segment",
           stage="lifecycle", words=STATE_WORDS),
)

INFO = Column("info", "tcpkit.info", "flags", Kind.INFO, "the segment in one line", stage="analysis",
              other="findings")
PACKETS = (*FRAME_COLUMNS, *HEADER_COLUMNS, *ANALYSIS_COLUMNS, *STATE_COLUMNS, *VERDICT_COLUMNS, INFO)
# Written by `fields` alone: the bytes are at hand only while their batch is. tshark gives what a reset carries another
# name, and does not come to the payload behind a header that is malformed (LN-7, LN-9).
PAYLOAD = Column("payload", "tcp.payload", "payload_captured", Kind.PAYLOAD,
                 "payload captured, in hexadecimal; not that of resets",
                 (When("flags", TcpFlag.RST, 0), When("events", FlowEvent.WHOLE, FlowEvent.WHOLE)), "bytes",
                 stage="flows")
SCHEMA = Schema("packets", PACKETS, ("frame", "time_since_start", "src", "dst", "stream", "frame_len", "info",
                                     "verdict_text"))
