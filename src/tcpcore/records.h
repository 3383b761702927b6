/* The rows that pass between the stages.  Each struct is also a NumPy dtype (records.pyx derives it
 * from the struct), so every row is flat and naturally aligned: 8-, 4-, 2-, then 1-byte fields.
 *
 * A value that a frame does not have is 0 and its bit in `present` is clear.
 */
#ifndef TCPCORE_RECORDS_H
#define TCPCORE_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* capture -> decode: where each captured frame lies. */
typedef struct {
    int64_t  time_ns;          /* since the epoch */
    uint64_t number;           /* counts all frames of the capture from 1 */
    uint64_t offset;           /* of the first captured byte, in the (decompressed) capture */
    uint32_t cap_len;
    uint32_t wire_len;
    uint32_t interface_id;     /* index into the reader's interfaces */
    uint16_t link_type;        /* LINKTYPE_* of the interface */
    uint8_t  status;           /* DecodeStatus: what was found, or which layer stopped and why */
    uint8_t  fcs_len;          /* bytes of check sequence that end it, as the capture tells of an Ethernet frame */
} frame_t;

/* decode -> all later stages: one TCP segment, or what a damaged frame still shows of one. */
typedef struct {
    int64_t  time_ns;
    uint64_t frame;            /* FRAME.number */
    uint64_t payload_offset;   /* as FRAME.offset; with PAYLOAD_IN_ARENA set: in the datagram arena */
    uint64_t src_hi, src_lo;   /* nearest IP header; IPv4 as ::ffff:a.b.c.d, ip_version tells */
    uint64_t dst_hi, dst_lo;
    int64_t  seq64, ack64;     /* flows: unwrapped, relative to the ISN of their direction */
    int64_t  time_relative;    /* flows: since the stream's first frame (TM-1) */
    int64_t  time_delta;       /* flows: since the stream's previous frame (TM-2) */
    uint32_t frame_len;        /* on the wire */
    uint32_t cap_len;
    uint32_t seq_raw, ack_raw;
    uint32_t seq, ack, nxtseq; /* flows: relative, modulo 2^32 (RL) */
    uint32_t payload_len;      /* LN-1: from the IP length, not from the captured bytes */
    uint32_t payload_captured;
    uint32_t tsval, tsecr;
    uint32_t sack_le0, sack_re0, sack_le1, sack_re1, sack_le2, sack_re2, sack_le3, sack_re3;
    uint32_t present;          /* Present bits */
    uint32_t stream;           /* flows: tcp.stream */
    uint32_t tunnel;           /* 1 + index into the batch's tunnels; 0: none */
    uint32_t interface_id;
    uint16_t src_port, dst_port;
    uint16_t window;           /* unscaled */
    uint16_t flags;            /* the twelve TCP flag bits */
    uint16_t urgent;
    uint16_t checksum;
    uint16_t mss;
    uint16_t ip_id;
    uint16_t damage;           /* Damage bits: LN-3, LN-6, LN-7, LN-9, ST-9 */
    uint16_t vlan;             /* outermost 802.1Q VLAN id; Present bit tells whether there is one */
    uint16_t mptcp;            /* set of MPTCP subtypes, one bit each (DA-4) */
    uint16_t ip_len;           /* IP datagram, or its largest fragment; 0: not told (LN-4), or a jumbogram */
    uint8_t  hdr_len;          /* TCP header, bytes */
    uint8_t  wscale;           /* shift as sent */
    uint8_t  sack_count;
    uint8_t  ttl;              /* or IPv6 hop limit */
    uint8_t  tos;              /* or IPv6 traffic class */
    uint8_t  ip_version;       /* 4 or 6 */
    uint8_t  ip_flags;         /* IPv4: 4 reserved, 2 DF, 1 MF */
    uint8_t  direction;        /* flows: 0 from the stream's first sender, 1 towards it */
    uint32_t events;           /* flows: FlowEvent bits, what the segment did to its stream */
} segment_t;

/* decode -> fields: of a frame with more than one IP header or in a tunnel, what its outermost headers say. */
typedef struct {
    uint64_t outer6_src_hi, outer6_src_lo, outer6_dst_hi, outer6_dst_lo; /* outermost IPv6 header */
    uint32_t outer4_src, outer4_dst;                                     /* outermost IPv4 header */
    uint32_t vni;              /* the tunnel's own number, by its kind (TunnelKind): network, label, key, session or endpoint */
    uint32_t next_hop_mtu;     /* QUOTED: that of the ICMP error (RFC 1191, RFC 4443) */
    uint16_t outer4_id;
    uint8_t  has;              /* TunnelHas bits: outermost headers and identifiers that are there */
    uint8_t  depth;            /* IP headers before the innermost */
    uint8_t  kind;             /* TunnelKind of the outermost tunnel */
    uint8_t  outer4_ttl, outer4_tos;
    uint8_t  outer6_hop_limit;
    uint8_t  icmp_type, icmp_code;                                       /* QUOTED */
    uint8_t  reserved[6];
} tunnel_t;

/* flows: one TCP stream, or a piece of one (seam.pxd).  0: from the first sender, 1: towards it. */
typedef struct {
    int64_t  first_ns;         /* time of the stream's first frame */
    int64_t  earliest_ns, latest_ns;           /* of its conversation frames (CV-5); both 0 without any */
    uint64_t first_frame;      /* number of the stream's first frame */
    uint64_t conversation_frame;               /* number of its first conversation frame; 0: none */
    uint64_t addr0_hi, addr0_lo;               /* as SEGMENT.src_hi, src_lo of direction 0 */
    uint64_t addr1_hi, addr1_lo;
    uint64_t packets0, packets1;               /* segments, damaged ones too */
    uint64_t wire_bytes0, wire_bytes1;         /* their frames on the wire */
    uint64_t payload_bytes0, payload_bytes1;
    uint64_t conversation_packets0, conversation_packets1;    /* of these, whole ones (CV-6) */
    uint64_t conversation_bytes0, conversation_bytes1;
    uint32_t stream;
    uint32_t quoted;           /* frames that quote the stream in an ICMP error (ST-9), not in packets0/1 */
    uint32_t base0, base1;     /* raw sequence number that is relative 0 (RL) */
    uint32_t synack0, synack1; /* pieces: raw sequence number of the last SYN+ACK that the direction sent */
    uint32_t opening;          /* pieces: raw number that decides how the piece goes with the one before it */
    uint32_t opening_len;      /* pieces: of the first frame, on the wire, if it is in doubt */
    uint16_t port0, port1;
    uint8_t  ip_version;
    uint8_t  bases;            /* bit 0: base0 is known, bit 1: base1 */
    uint8_t  client;           /* the client's direction */
    uint8_t  client_evidence;  /* ClientEvidence */
    uint8_t  conversation_direction;           /* of the first conversation frame (CV-2) */
    uint8_t  evicted;          /* Eviction */
    uint8_t  seam;             /* pieces: Seam bits */
    uint8_t  reserved[5];
} flow_record_t;

/* analysis: what tshark says of the segment (SEMANTICS sections WN, A, AK, BF, TF, FR, CP). */
typedef struct {
    int64_t  ack_rtt;          /* ns */
    int64_t  initial_rtt;      /* ns */
    int64_t  rto;              /* ns */
    uint64_t acks_frame;
    uint64_t duplicate_ack_frame;
    uint64_t rto_frame;
    uint32_t findings;         /* Finding bits */
    uint32_t present;          /* AnalysisPresent bits */
    uint32_t window_size;      /* scaled where the scale is known (WN-1) */
    int32_t  window_scale;     /* factor, or -1 unknown, -2 not used */
    uint32_t bytes_in_flight;
    uint32_t push_bytes_sent;
    uint32_t duplicate_ack_num;
    uint8_t  completeness;     /* before this frame (CP-1) */
    uint8_t  reserved[3];
} analysis_t;

/* analysis: what it adds up for a stream.  0 and 1 are directions, as in flow_record_t; findings are those of the
 * segments the direction sends, round trips those of the data it sends. */
typedef struct {
    int64_t  rtt_min0, rtt_min1;               /* ns, from samples after Karn's rule */
    int64_t  rtt_max0, rtt_max1;
    int64_t  rtt_sum0, rtt_sum1;
    int64_t  rtt_median0, rtt_median1;         /* within 1/32; exact up to two samples */
    double   rtt_squares0, rtt_squares1;       /* ns^2, sum of the squared deviations from the mean */
    int64_t  zero_window_ns0, zero_window_ns1; /* how long the direction's own window was closed */
    int64_t  initial_rtt;      /* ns; 0: not seen */
    uint32_t rtt_samples0, rtt_samples1;
    uint32_t max_in_flight0, max_in_flight1;   /* bytes */
    uint32_t retransmissions0, retransmissions1;           /* fast and spurious ones too */
    uint32_t fast_retransmissions0, fast_retransmissions1;
    uint32_t spurious_retransmissions0, spurious_retransmissions1;
    uint32_t out_of_order0, out_of_order1;
    uint32_t lost_segments0, lost_segments1;
    uint32_t ack_lost_segments0, ack_lost_segments1;
    uint32_t duplicate_acks0, duplicate_acks1;
    uint32_t zero_windows0, zero_windows1;
    uint32_t zero_window_probes0, zero_window_probes1;
    uint32_t zero_window_probe_acks0, zero_window_probe_acks1;
    uint32_t windows_full0, windows_full1;
    uint32_t window_updates0, window_updates1;
    uint32_t keep_alives0, keep_alives1;
    uint32_t keep_alive_acks0, keep_alive_acks1;
    uint32_t stream;
    int8_t   window_shift0, window_shift1;     /* -1 unknown, -2 not used (WN) */
    uint8_t  completeness;     /* of all frames (CP) */
    uint8_t  reserved;
} flow_analysis_t;

/* lifecycle: RFC 9293 states of both endpoints after the segment, as an ideal observer infers them. */
typedef struct {
    uint8_t  client_state;     /* TcpState */
    uint8_t  server_state;
    uint8_t  reserved[6];
} states_t;

/* lifecycle: how a stream began and ended.  Times are since the epoch; 0 is not seen. */
typedef struct {
    int64_t  syn_ns;           /* first SYN */
    int64_t  syn_sent_ns;      /* last SYN before the SYN+ACK */
    int64_t  synack_ns;        /* first SYN+ACK */
    int64_t  synack_sent_ns;   /* last SYN+ACK before its acknowledgement */
    int64_t  ack_ns;           /* the handshake is complete */
    int64_t  syn_backoff_first, syn_backoff_last;          /* ns between SYNs */
    int64_t  synack_backoff_first, synack_backoff_last;
    int64_t  request_ns;       /* first payload of the client */
    int64_t  response_ns;      /* first payload of the server after that */
    int64_t  close_ns;         /* first FIN or RST */
    int64_t  closed_ns;        /* both FINs acknowledged, or the RST */
    uint64_t history0, history1, history2;                 /* 24 letters */
    uint32_t stream;
    uint32_t syn_count, synack_count;
    uint32_t client_largest, server_largest;               /* payload of one segment */
    uint32_t client_lost, server_lost;                     /* bytes in flight at the first RST */
    uint32_t after_fin;        /* segments with payload beyond their sender's FIN */
    uint32_t after_reset;      /* segments with payload after a RST */
    uint16_t client_mss, server_mss;
    uint16_t client_datagram, server_datagram;             /* largest IP datagram; 0: none is known */
    uint8_t  client_wscale, server_wscale;                 /* shift as offered */
    uint8_t  client_offers, server_offers;                 /* Offer bits */
    uint8_t  client_state, server_state;                   /* TcpState at the end of the capture */
    uint8_t  outcome;          /* Outcome */
    uint8_t  teardown;         /* Teardown */
    uint8_t  conn_state;       /* ConnState */
    uint8_t  closer;           /* Closer: who began to close */
    uint8_t  resetter;         /* Closer: who sent the first RST */
    uint8_t  handshake;        /* 1: a SYN or SYN+ACK was captured */
    uint8_t  client_fragments, server_fragments;           /* MayFragment bits */
    uint8_t  reserved[6];
} lifecycle_t;

/* verdicts: what the segment really was, and why it was sent again. */
typedef struct {
    uint64_t repeats;          /* frame number of the first transmission; 0: none captured */
    int64_t  repeats_after;    /* ns */
    uint32_t evidence;         /* Evidence bits */
    uint8_t  kind;             /* SegmentKind; 0: takes no sequence space */
    uint8_t  cause;            /* RetransmissionCause; 0: not a retransmission */
    uint8_t  confidence;       /* percent */
    uint8_t  backoff;          /* consecutive timeouts, from 1 */
    uint8_t  loss_side;        /* LossSide: where the original was lost, seen from the capture point */
    uint8_t  trigger;          /* RetransmissionCause: what made the sender send it, also if that was needless */
    uint8_t  reserved[6];
} verdict_t;

/* streams: a piece of one direction of a stream, or of what is missing from it. */
typedef struct {
    int64_t  offset;           /* in the stream: 0 is the first byte after the SYN */
    int64_t  time_ns;          /* of the segment that carried it; of a hole: when it was given up */
    uint64_t frame;            /* FRAME.number of that segment */
    uint64_t position;         /* of the first captured byte, as SEGMENT.payload_offset; 0: none captured */
    int64_t  length;           /* bytes of the stream */
    uint32_t captured;         /* bytes from `position` on; a hole has none */
    uint32_t stream;
    uint8_t  direction;        /* as SEGMENT.direction */
    uint8_t  kind;             /* ChunkKind */
    uint8_t  reason;           /* EndReason of an end, GiveUpReason of a hole */
    uint8_t  reserved;
    uint32_t slot;             /* of the flow table, that held the stream; only where a pass tells it */
} chunk_t;

/* stream index: what is known of one direction of a stream. */
typedef struct {
    int64_t  acked;            /* the other side has acknowledged the bytes before it */
    int64_t  fin;              /* place of the FIN in the stream; -1: none seen */
    uint64_t first;            /* its segments: CHUNK rows first to first + n_segments */
    uint64_t n_segments;       /* with payload */
    uint32_t flags;            /* all TCP flags seen */
    uint32_t reserved;
} side_t;

/* verdicts: what they add up to for a stream, by direction as in flow_record_t. */
typedef struct {
    int64_t  recovery_ns0, recovery_ns1;       /* spent in recoveries that ended */
    int64_t  timeout_ns0, timeout_ns1;         /* ... in those begun by a timeout */
    int64_t  reorder_ns0, reorder_ns1;         /* longest delay of a reordered segment behind one that overtook it */
    uint32_t segments0, segments1;             /* that take sequence space, and probes */
    uint32_t retransmissions0, retransmissions1;
    uint32_t needless0, needless1;             /* retransmissions of bytes that had arrived */
    uint32_t reordered0, reordered1;
    uint32_t duplicates0, duplicates1;         /* copies made by the path */
    uint32_t probes0, probes1;
    uint32_t fast0, fast1;                     /* retransmissions by their trigger */
    uint32_t timeouts0, timeouts1;
    uint32_t tail_probes0, tail_probes1;
    uint32_t recoveries0, recoveries1;         /* begun: loss events */
    uint32_t lost_before0, lost_before1;       /* retransmissions of what was lost before the capture point */
    uint32_t lost_after0, lost_after1;
    uint32_t reorder_extent0, reorder_extent1; /* most later segments that came before a reordered one */
    uint32_t undetermined0, undetermined1;
    uint32_t too_late0, too_late1;             /* overtaken by more than 64 segments, or by their own retransmission */
    /* Segments before and behind their place, by steps: 1, 2, 3, 4, to 8, to 16, to 32, to 64 places. */
    uint32_t early8_0, early8_1, early7_0, early7_1, early6_0, early6_1, early5_0, early5_1;
    uint32_t early4_0, early4_1, early3_0, early3_1, early2_0, early2_1, early1_0, early1_1;
    uint32_t late1_0, late1_1, late2_0, late2_1, late3_0, late3_1, late4_0, late4_1;
    uint32_t late5_0, late5_1, late6_0, late6_1, late7_0, late7_1, late8_0, late8_1;
    uint32_t stream;
    uint32_t reserved;
} flow_verdict_t;

_Static_assert(sizeof(frame_t) == 40, "frame_t");
_Static_assert(sizeof(segment_t) == 216, "segment_t");
_Static_assert(sizeof(tunnel_t) == 64, "tunnel_t");
_Static_assert(sizeof(flow_record_t) == 200, "flow_record_t");
_Static_assert(sizeof(analysis_t) == 80, "analysis_t");
_Static_assert(sizeof(flow_analysis_t) == 240, "flow_analysis_t");
_Static_assert(sizeof(lifecycle_t) == 192, "lifecycle_t");
_Static_assert(sizeof(states_t) == 8, "states_t");
_Static_assert(sizeof(verdict_t) == 32, "verdict_t");
_Static_assert(sizeof(flow_verdict_t) == 304, "flow_verdict_t");
_Static_assert(sizeof(chunk_t) == 56, "chunk_t");
_Static_assert(sizeof(side_t) == 40, "side_t");

#endif
