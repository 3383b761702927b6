"""The line a Wireshark user knows a segment by: ``5672 → 80 [SYN] Seq=0 Win=65535 Len=0 MSS=1460``."""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport strlen

from tcpcore.flags cimport (
    ACK, ACK_LOST_SEGMENT, BOGUS_HEADER_LENGTH, DUPLICATE_ACK, FAST_RETRANSMISSION, HAS_LEN, HAS_MSS, HAS_SACK,
    HAS_SACK_PERMITTED, HAS_SEQ, HAS_TFO_COOKIE, HAS_TIMESTAMPS, HAS_WINDOW_SIZE, HAS_WSCALE, KEEP_ALIVE,
    KEEP_ALIVE_ACK, LOST_SEGMENT, OUT_OF_ORDER, QUOTED, RETRANSMISSION, REUSED_PORTS, SPURIOUS_RETRANSMISSION, URG,
    WINDOW_FULL, WINDOW_UPDATE, ZERO_WINDOW, ZERO_WINDOW_PROBE, ZERO_WINDOW_PROBE_ACK)
from tcpcore.records cimport analysis_t, segment_t
from tcpcore.textwrite cimport put_decimal, put_text
from tcpcore.wire.options cimport MAX_SHIFT

cdef extern from *:
    """
    static const char* const FLAG_NAMES[] = {
        "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE", "Reserved", "Reserved", "Reserved"};
    """
    const char** FLAG_NAMES

cdef enum:
    MAX_INFO = 768                 # every note, every flag, the longest numbers, every option


cdef inline char* put_word(char* p, const char* text) noexcept nogil:
    return put_text(p, text, strlen(text))


cdef inline char* put_value(char* p, const char* name, uint64_t value) noexcept nogil:
    return put_decimal(put_word(p, name), value)


cdef inline char* put_notes(char* p, const analysis_t* row) noexcept nogil:
    """What the analysis found, in the order tshark gives it."""
    cdef uint32_t found = row.findings
    if found & ZERO_WINDOW_PROBE:
        p = put_word(p, b"[TCP ZeroWindowProbe] ")
    if found & ZERO_WINDOW_PROBE_ACK:
        p = put_word(p, b"[TCP ZeroWindowProbeAck] ")
    if found & ZERO_WINDOW:
        p = put_word(p, b"[TCP ZeroWindow] ")
    if found & ACK_LOST_SEGMENT:
        p = put_word(p, b"[TCP ACKed unseen segment] ")
    if found & DUPLICATE_ACK:
        p = put_value(p, b"[TCP Dup ACK ", row.duplicate_ack_frame)
        p = put_word(put_value(p, b"#", row.duplicate_ack_num), b"] ")
    if found & KEEP_ALIVE_ACK:
        p = put_word(p, b"[TCP Keep-Alive ACK] ")
    if found & KEEP_ALIVE:
        p = put_word(p, b"[TCP Keep-Alive] ")
    if found & WINDOW_UPDATE:
        p = put_word(p, b"[TCP Window Update] ")
    if found & WINDOW_FULL:
        p = put_word(p, b"[TCP Window Full] ")
    if found & LOST_SEGMENT:
        p = put_word(p, b"[TCP Previous segment not captured] ")
    p = put_sent_again(p, found)
    if found & REUSED_PORTS:
        p = put_word(p, b"[TCP Port numbers reused] ")
    return p


cdef inline char* put_sent_again(char* p, uint32_t found) noexcept nogil:
    if found & FAST_RETRANSMISSION:
        return put_word(p, b"[TCP Fast Retransmission] ")
    if found & SPURIOUS_RETRANSMISSION:
        return put_word(p, b"[TCP Spurious Retransmission] ")
    if found & OUT_OF_ORDER:
        return put_word(p, b"[TCP Out-Of-Order] ")
    if found & RETRANSMISSION:
        return put_word(p, b"[TCP Retransmission] ")
    return p


cdef inline char* put_flags(char* p, uint32_t flags) noexcept nogil:
    cdef int i
    cdef char* start
    p = start = put_word(p, b" [")
    for i in range(10):
        if flags & 1 << i or (i == 9 and flags >> 9):
            p = put_word(p if p == start else put_word(p, b", "), FLAG_NAMES[i])
    return put_word(put_word(p, b"<None>") if p == start else p, b"]")


cdef inline char* put_options(char* p, const segment_t* row) noexcept nogil:
    """The options read, in the order that most segments have them in."""
    cdef const uint32_t* edge = &row.sack_le0
    cdef uint32_t i, base = row.ack_raw - row.ack
    if row.present & HAS_MSS:
        p = put_value(p, b" MSS=", row.mss)
    if row.present & HAS_SACK_PERMITTED:
        p = put_word(p, b" SACK_PERM")
    if row.present & HAS_TIMESTAMPS:
        p = put_value(put_value(p, b" TSval=", row.tsval), b" TSecr=", row.tsecr)
    if row.present & HAS_WSCALE:
        p = put_value(p, b" WS=", 1 << min(<int> row.wscale, MAX_SHIFT))
    if row.present & HAS_TFO_COOKIE:
        p = put_word(p, b" TFO=C")
    if row.present & HAS_SACK:
        for i in range(min(<uint32_t> row.sack_count, 4)):
            p = put_value(put_value(p, b" SLE=", edge[2 * i] - base), b" SRE=", edge[2 * i + 1] - base)
    return p


cdef inline char* put_info(char* p, const segment_t* row, const analysis_t* analysis) noexcept nogil:
    """``analysis`` may be NULL; what a damaged header does not show is left out (LN-3)."""
    if row.damage & QUOTED:
        p = put_word(p, b"[quoted by ICMP] ")
    if analysis != NULL:
        p = put_notes(p, analysis)
    p = put_decimal(put_word(put_decimal(p, row.src_port), b" \xe2\x86\x92 "), row.dst_port)
    if not row.present & HAS_SEQ:
        return p
    p = put_value(put_flags(p, row.flags), b" Seq=", row.seq)
    if row.flags & ACK:
        p = put_value(p, b" Ack=", row.ack)
    if analysis != NULL and analysis.present & HAS_WINDOW_SIZE:
        p = put_value(p, b" Win=", analysis.window_size)
    else:
        p = put_value(p, b" Win=", row.window)
    if row.flags & URG:
        p = put_value(p, b" Urg=", row.urgent)
    if row.damage & BOGUS_HEADER_LENGTH:
        p = put_value(p, b", bogus TCP header length (", row.hdr_len)
        return put_word(p, b", must be at least 20)")
    if row.present & HAS_LEN:
        p = put_value(p, b" Len=", row.payload_len)
    return put_options(p, row)
