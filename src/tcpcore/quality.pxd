"""What in a capture would mislead whoever reads it."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.census cimport examples_t
from tcpcore.growable cimport growable_t

cdef enum:
    HOLES = 3
    COPIES = 1 << 15               # segments remembered, a power of two


# One direction of a stream: what was sent, as far as it was captured.
ctypedef struct coverage_t:
    int64_t high                   # right edge of what was seen or acknowledged
    int64_t[HOLES] start           # not captured below it; the oldest is given up for a new one
    int64_t[HOLES] end
    uint16_t mss                   # announced by this end; 0: unknown
    uint8_t acked                  # bit i: hole i was acknowledged, so it was sent but not captured
    uint8_t next_hole
    uint8_t known                  # high is valid
    uint8_t answers                # segments with ACK, up to MANY
    uint8_t seen                   # there is a segment from this end
    uint8_t reserved


ctypedef struct talk_t:
    coverage_t[2] sender             # by direction
    uint64_t first_frame           # 0: no segment yet


# A segment seen lately.
ctypedef struct copy_t:
    uint64_t fingerprint
    int64_t time_ns
    uint32_t interface_id
    uint16_t vlan
    uint8_t ttl
    uint8_t reserved


ctypedef struct quality_t:
    uint64_t segments
    uint64_t flows
    uint64_t payload_bytes
    uint64_t missing_bytes
    uint64_t duplicates_elsewhere  # with another TTL, VLAN or interface
    uint64_t checksums             # looked at
    examples_t cut_payloads
    examples_t cut_headers
    examples_t super_segments
    examples_t duplicates
    examples_t losses
    examples_t unfilled_checksums
    examples_t begun_before
    examples_t one_sided           # of slots that were used again


cdef class Quality:
    cdef quality_t found
    cdef growable_t talks          # talk_t by slot
    cdef copy_t* copies
    cdef Py_ssize_t n_slots

    cdef object _one_sided(self)
