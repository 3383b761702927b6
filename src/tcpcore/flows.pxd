"""The table of streams: which stream and direction each segment belongs to, and what the stream has carried."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.batch cimport Batch
from tcpcore.flags cimport ACK, CLIENT_BY_SYN, CLIENT_BY_SYNACK
from tcpcore.flowkey cimport flowkey_t, secret_t
from tcpcore.growable cimport growable_t
from tcpcore.records cimport segment_t

cdef enum:
    NO_SLOT = 0xFFFFFFFF           # slots[i] of a row that belongs to no stream

cdef enum FlowState:
    BASE0_SET = 1                  # base[0] is known; shift left by the direction for base[1]
    BASE1_SET = 2
    LIVE = 4                       # the slot holds a stream
    REACHABLE = 8                  # the table leads to it: not replaced by a reuse of its ports
    IRREGULAR = 16                 # has frames outside the conversation, or time ran backwards: see odd_t
    FIN0_SEEN = 32                 # shift left by the direction
    FIN1_SEEN = 64
    RESET_SEEN = 128

# Two cache lines, both touched by every segment.  Indexes are directions: 0 from the first sender.
ctypedef struct flow_t:
    flowkey_t key
    int64_t previous_ns            # TM-2
    uint32_t base[2]               # RL-2..4
    uint32_t stream
    uint8_t state                  # FlowState bits
    uint8_t client                 # direction of the client
    uint8_t client_evidence        # ClientEvidence
    uint8_t evicted                # Eviction
    # -- second line
    int64_t first_ns               # TM-1
    int64_t reference[2]           # where seq64 and ack64 are unwrapped from
    uint64_t first_frame
    uint64_t payload_bytes[2]
    uint32_t wire_bytes[2]         # modulo 2^32, as the packets; odd_t has the rest
    uint32_t packets[2]

# What few streams need.
ctypedef struct odd_t:
    int64_t earliest_ns, latest_ns             # of conversation frames; irregular streams only
    uint64_t conversation_frame                # the first of them
    uint64_t bytes[2]                          # of frames outside the conversation
    uint32_t packets[2]
    uint32_t packets_high[2]
    uint32_t wire_high[2]
    uint32_t quoted
    uint32_t synack[2]             # as flow_record_t.synack0, synack1
    uint32_t opening               # as flow_record_t.opening
    uint32_t opening_len           # as flow_record_t.opening_len
    uint8_t conversation_direction
    uint8_t seam                               # Seam bits; pieces only

ctypedef struct table_t:
    growable_t places              # uint64_t: hash tag in the upper half, slot + 1 in the lower; 0 is empty
    growable_t flows               # flow_t by slot
    growable_t odd                 # odd_t by slot; untouched memory but for irregular streams
    growable_t free_slots          # uint32_t: slots to be used again, a stack
    growable_t heard               # int64_t by slot, idle.pxd: the clock at the stream's latest segment
    uint64_t mask                  # number of places - 1
    uint64_t used                  # places taken
    uint32_t n_slots               # slots ever used
    uint32_t n_free
    uint32_t max_slots             # that may hold a stream at a time
    uint32_t max_streams           # numbers that there are
    uint32_t hand                  # eviction.pxd: the next slot to look at, in a round
    int64_t round_ns               # time of the capture at which that round began
    int64_t least_age              # that round takes streams that have been silent for so long
    uint64_t[3] evicted            # by Eviction
    int64_t latest_ns              # time of the last batch's last segment
    int64_t idle_ns                # streams silent for longer are over; 0: there is no such time
    int64_t clock_ns               # latest time so far; only with idle_ns
    uint32_t idle_hand             # the slot looked at last for silent streams
    uint64_t n_streams
    bint pieces                    # cut streams where it takes what came before to know how they go on
    secret_t secret


cdef class FlowTable:
    cdef table_t table
    cdef flow_t* flows             # moves as the table grows: valid between two calls of process()
    cdef readonly Py_ssize_t n_slots
    cdef readonly bint out_of_numbers

    cdef const uint32_t[::1] chosen(self, slots)
    cdef int reserve(self, Py_ssize_t n_rows) except -1
    cdef int make_room(self, Batch batch) except -1
    cdef uint32_t find_silent(self, Batch batch) except? 0


cdef uint64_t* find_place(table_t* t, const segment_t* row, uint32_t* tag, int* direction) noexcept nogil
cdef uint32_t create(table_t* t, segment_t* row, uint32_t tag, uint64_t* place) noexcept nogil


cdef inline bint has_base(const flow_t* flow, int direction) noexcept nogil:
    return (flow.state & (BASE0_SET << direction)) != 0


cdef inline void learn_client(const segment_t* row, int direction, uint8_t* client, uint8_t* evidence) noexcept nogil:
    """From a SYN: the sender of the first is the client, the sender of a SYN+ACK the server."""
    cdef uint8_t now = CLIENT_BY_SYNACK if row.flags & ACK else CLIENT_BY_SYN
    if now > evidence[0]:
        evidence[0] = now
        client[0] = <uint8_t> (1 - direction if row.flags & ACK else direction)
