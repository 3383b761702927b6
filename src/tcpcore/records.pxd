"""The rows of records.h, for Cython."""
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "records.h" nogil:
    ctypedef struct frame_t:
        int64_t time_ns
        uint64_t number
        uint64_t offset
        uint32_t cap_len
        uint32_t wire_len
        uint32_t interface_id
        uint16_t link_type
        uint8_t status
        uint8_t fcs_len

    ctypedef struct segment_t:
        int64_t time_ns
        uint64_t frame
        uint64_t payload_offset
        uint64_t src_hi, src_lo
        uint64_t dst_hi, dst_lo
        int64_t seq64, ack64
        int64_t time_relative
        int64_t time_delta
        uint32_t frame_len
        uint32_t cap_len
        uint32_t seq_raw, ack_raw
        uint32_t seq, ack, nxtseq
        uint32_t payload_len
        uint32_t payload_captured
        uint32_t tsval, tsecr
        uint32_t sack_le0, sack_re0, sack_le1, sack_re1, sack_le2, sack_re2, sack_le3, sack_re3
        uint32_t present
        uint32_t stream
        uint32_t tunnel
        uint32_t interface_id
        uint16_t src_port, dst_port
        uint16_t window
        uint16_t flags
        uint16_t urgent
        uint16_t checksum
        uint16_t mss
        uint16_t ip_id
        uint16_t damage
        uint16_t vlan
        uint16_t mptcp
        uint16_t ip_len
        uint8_t hdr_len
        uint8_t wscale
        uint8_t sack_count
        uint8_t ttl
        uint8_t tos
        uint8_t ip_version
        uint8_t ip_flags
        uint8_t direction
        uint32_t events

    ctypedef struct tunnel_t:
        uint64_t outer6_src_hi, outer6_src_lo, outer6_dst_hi, outer6_dst_lo
        uint32_t outer4_src, outer4_dst
        uint32_t vni
        uint32_t next_hop_mtu
        uint16_t outer4_id
        uint8_t has
        uint8_t depth
        uint8_t kind
        uint8_t outer4_ttl, outer4_tos
        uint8_t outer6_hop_limit
        uint8_t icmp_type, icmp_code
        uint8_t reserved[6]

    ctypedef struct flow_record_t:
        int64_t first_ns
        int64_t earliest_ns, latest_ns
        uint64_t first_frame
        uint64_t conversation_frame
        uint64_t addr0_hi, addr0_lo
        uint64_t addr1_hi, addr1_lo
        uint64_t packets0, packets1
        uint64_t wire_bytes0, wire_bytes1
        uint64_t payload_bytes0, payload_bytes1
        uint64_t conversation_packets0, conversation_packets1
        uint64_t conversation_bytes0, conversation_bytes1
        uint32_t stream
        uint32_t quoted
        uint32_t base0, base1
        uint32_t synack0, synack1
        uint32_t opening
        uint32_t opening_len
        uint16_t port0, port1
        uint8_t ip_version
        uint8_t bases
        uint8_t client
        uint8_t client_evidence
        uint8_t conversation_direction
        uint8_t evicted
        uint8_t seam
        uint8_t reserved[5]

    ctypedef struct analysis_t:
        int64_t ack_rtt
        int64_t initial_rtt
        int64_t rto
        uint64_t acks_frame
        uint64_t duplicate_ack_frame
        uint64_t rto_frame
        uint32_t findings
        uint32_t present
        uint32_t window_size
        int32_t window_scale
        uint32_t bytes_in_flight
        uint32_t push_bytes_sent
        uint32_t duplicate_ack_num
        uint8_t completeness
        uint8_t reserved[3]

    ctypedef struct flow_analysis_t:
        int64_t rtt_min0, rtt_min1
        int64_t rtt_max0, rtt_max1
        int64_t rtt_sum0, rtt_sum1
        int64_t rtt_median0, rtt_median1
        double rtt_squares0, rtt_squares1
        int64_t zero_window_ns0, zero_window_ns1
        int64_t initial_rtt
        uint32_t rtt_samples0, rtt_samples1
        uint32_t max_in_flight0, max_in_flight1
        uint32_t retransmissions0, retransmissions1
        uint32_t fast_retransmissions0, fast_retransmissions1
        uint32_t spurious_retransmissions0, spurious_retransmissions1
        uint32_t out_of_order0, out_of_order1
        uint32_t lost_segments0, lost_segments1
        uint32_t ack_lost_segments0, ack_lost_segments1
        uint32_t duplicate_acks0, duplicate_acks1
        uint32_t zero_windows0, zero_windows1
        uint32_t zero_window_probes0, zero_window_probes1
        uint32_t zero_window_probe_acks0, zero_window_probe_acks1
        uint32_t windows_full0, windows_full1
        uint32_t window_updates0, window_updates1
        uint32_t keep_alives0, keep_alives1
        uint32_t keep_alive_acks0, keep_alive_acks1
        uint32_t stream
        int8_t window_shift0, window_shift1
        uint8_t completeness
        uint8_t reserved

    ctypedef struct states_t:
        uint8_t client_state
        uint8_t server_state
        uint8_t reserved[6]

    ctypedef struct lifecycle_t:
        int64_t syn_ns
        int64_t syn_sent_ns
        int64_t synack_ns
        int64_t synack_sent_ns
        int64_t ack_ns
        int64_t syn_backoff_first, syn_backoff_last
        int64_t synack_backoff_first, synack_backoff_last
        int64_t request_ns
        int64_t response_ns
        int64_t close_ns
        int64_t closed_ns
        uint64_t history0, history1, history2
        uint32_t stream
        uint32_t syn_count, synack_count
        uint32_t client_largest, server_largest
        uint32_t client_lost, server_lost
        uint32_t after_fin
        uint32_t after_reset
        uint16_t client_mss, server_mss
        uint16_t client_datagram, server_datagram
        uint8_t client_wscale, server_wscale
        uint8_t client_offers, server_offers
        uint8_t client_state, server_state
        uint8_t outcome
        uint8_t teardown
        uint8_t conn_state
        uint8_t closer
        uint8_t resetter
        uint8_t handshake
        uint8_t client_fragments, server_fragments
        uint8_t reserved[6]

    ctypedef struct verdict_t:
        uint64_t repeats
        int64_t repeats_after
        uint32_t evidence
        uint8_t kind
        uint8_t cause
        uint8_t confidence
        uint8_t backoff
        uint8_t loss_side
        uint8_t trigger
        uint8_t reserved[6]

    ctypedef struct chunk_t:
        int64_t offset
        int64_t time_ns
        uint64_t frame
        uint64_t position
        int64_t length
        uint32_t captured
        uint32_t stream
        uint8_t direction
        uint8_t kind
        uint8_t reason
        uint8_t reserved
        uint32_t slot

    ctypedef struct side_t:
        int64_t acked
        int64_t fin
        uint64_t first
        uint64_t n_segments
        uint32_t flags
        uint32_t reserved

    ctypedef struct flow_verdict_t:
        int64_t recovery_ns0, recovery_ns1
        int64_t timeout_ns0, timeout_ns1
        int64_t reorder_ns0, reorder_ns1
        uint32_t segments0, segments1
        uint32_t retransmissions0, retransmissions1
        uint32_t needless0, needless1
        uint32_t reordered0, reordered1
        uint32_t duplicates0, duplicates1
        uint32_t probes0, probes1
        uint32_t fast0, fast1
        uint32_t timeouts0, timeouts1
        uint32_t tail_probes0, tail_probes1
        uint32_t recoveries0, recoveries1
        uint32_t lost_before0, lost_before1
        uint32_t lost_after0, lost_after1
        uint32_t reorder_extent0, reorder_extent1
        uint32_t undetermined0, undetermined1
        uint32_t too_late0, too_late1
        uint32_t early8_0, early8_1, early7_0, early7_1, early6_0, early6_1, early5_0, early5_1
        uint32_t early4_0, early4_1, early3_0, early3_1, early2_0, early2_1, early1_0, early1_1
        uint32_t late1_0, late1_1, late2_0, late2_1, late3_0, late3_1, late4_0, late4_1
        uint32_t late5_0, late5_1, late6_0, late6_1, late7_0, late7_1, late8_0, late8_1
        uint32_t stream
        uint32_t reserved
