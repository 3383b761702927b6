"""Every bit and code of the rows.  Written by tools/flags_module.py from flags.pxd: change that."""
from tcpcore.codes import Codes


class TcpFlag(Codes):
    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100

class DecodeStatus(Codes):
    """FRAME.status: TCP found, another protocol, or the layer that stopped and why."""
    STATUS_TCP = 0
    STATUS_NOT_IP = 1
    STATUS_NOT_TCP = 2
    STATUS_LINK_UNKNOWN = 3        # no decoder for this link type
    STATUS_LINK_TRUNCATED = 4
    STATUS_LINK_MALFORMED = 5
    STATUS_IP_TRUNCATED = 6
    STATUS_IP_MALFORMED = 7
    STATUS_IP_FRAGMENT = 8         # held, waiting for the rest of its datagram
    STATUS_TCP_TRUNCATED = 9       # fewer than 4 bytes of TCP header
    STATUS_TUNNEL_UNKNOWN = 10
    STATUS_TUNNEL_MALFORMED = 11
    STATUS_TUNNEL_TOO_DEEP = 12
    STATUS_ENCRYPTED = 13          # 802.11 protected frame, ESP
    STATUS_COUNT = 14

class Present(Codes):
    """segment_t.present: which values the frame has."""
    HAS_PORTS = 1 << 0
    HAS_SEQ = 1 << 1               # stream, seq, ack, hdr_len, flags, window: at least 16 header bytes
    HAS_LEN = 1 << 2               # payload length known (LN)
    HAS_NXTSEQ = 1 << 3
    HAS_TIMES = 1 << 4             # time_relative, time_delta
    HAS_MSS = 1 << 5
    HAS_WSCALE = 1 << 6
    HAS_TIMESTAMPS = 1 << 7        # tsval and tsecr
    HAS_SACK = 1 << 8              # sack_count (0 if the option is broken) blocks
    HAS_SACK_PERMITTED = 1 << 9
    HAS_TFO_COOKIE = 1 << 10       # TF-1
    HAS_CHECKSUM = 1 << 11         # checksum and urgent pointer captured (LN-3)
    HAS_VLAN = 1 << 12
    HAS_ICMP4_SEQ = 1 << 13        # ST-9: quoted directly by ICMPv4: tcp.seq is raw, tcp.seq_raw not shown
    HAS_OPTIONS = 1 << 14          # the header has option bytes
    HAS_WINDOW = 1 << 15           # not shown for LN-7 headers
    HAS_STREAM = 1 << 16
    HAS_TSVAL = 1 << 17            # as HAS_TIMESTAMPS, or cut after tsval
    HAS_SACK_LE = 1 << 18          # the first left edge, also of a cut or broken option
    HAS_SACK_RE = 1 << 19          # the first right edge
    HAS_CUT_CHECKSUM = 1 << 20     # the checksum without the urgent pointer

class Damage(Codes):
    """segment_t.damage: what keeps the frame from being a whole segment."""
    PORTS_ONLY = 1                 # LN-3: 4-15 header bytes captured; no state changes
    HEADER_CUT = 2                 # LN-3: 16-19 header bytes captured
    OPTIONS_CUT = 4                # LN-3: options that are read end beyond the captured bytes
    SHORT_SEGMENT = 8              # LN-6
    BOGUS_HEADER_LENGTH = 16       # LN-7
    QUOTED = 32                    # ST-9: inside an ICMP error
    SACK_BROKEN = 64               # LN-9
    OPTIONS_MALFORMED = 128        # LN-9: reading stopped early
    LONE_FRAGMENT = 256            # start of a datagram that cannot be joined: length unknown
    MPTCP_BROKEN = 512             # LN-9: an MPTCP option too short for what it announces; reading stopped there

class TunnelHas(Codes):
    OUTER_IPV4 = 1
    OUTER_IPV6 = 2
    OUTER_ID = 4
    ICMP_ERROR = 8                 # icmp_type, icmp_code
    NEXT_HOP_MTU = 16

class FlowEvent(Codes):
    """segment_t.events: what the segment did to its stream."""
    STREAM_CREATED = 1             # first frame of its stream (ST-1, ST-3)
    PORTS_REUSED = 2               # ST-3, or ST-6 if the stream was not created
    WHOLE = 4                      # reaches the analysis columns (ORD 15)
    IN_CONVERSATION = 8            # and the follow and conversation tables (ORD 17, CV-6)
    SYN_REPEATED = 16              # a pure SYN with the number its direction began with (ST-4)

class ClientEvidence(Codes):
    """flow_record_t.client_evidence: how it is known which end is the client."""
    CLIENT_BY_PORT = 0             # inferred: the end with the higher port, or the first sender
    CLIENT_BY_SYNACK = 1
    CLIENT_BY_SYN = 2

class Eviction(Codes):
    """flow_record_t.evicted: why the stream's state was given up before the end of the capture."""
    EVICTED_NOT = 0
    EVICTED_IDLE = 1               # it was over, or silent for longer than the idle time-out
    EVICTED_PRESSURE = 2           # the memory limit asked for its room

class TunnelKind(Codes):
    """tunnel_t.kind: the outermost tunnel, and what its identifier is."""
    TUNNEL_NONE = 0
    TUNNEL_IP = 1                  # IP in IP, 6in4, 4in6
    TUNNEL_GRE = 2                 # key
    TUNNEL_ERSPAN = 3              # session
    TUNNEL_MPLS = 4                # label
    TUNNEL_PPPOE = 5               # session
    TUNNEL_L2TP = 6                # tunnel << 16 | session
    TUNNEL_VXLAN = 7               # network identifier (VNI)
    TUNNEL_GENEVE = 8              # network identifier (VNI)
    TUNNEL_GTP = 9                 # endpoint identifier (TEID)
    TUNNEL_TEREDO = 10
    TUNNEL_NSH = 11                # service path << 8 | index
    TUNNEL_CAPWAP = 12
    TUNNEL_AYIYA = 13
    TUNNEL_LISP = 14
    TUNNEL_AMT = 15
    TUNNEL_BACKBONE = 16           # 802.1ah: service instance (I-SID)
    TUNNEL_ICMP = 17               # quoted in an ICMP error
    TUNNEL_MIRROR = 18             # TZSP, LWAPP, TRILL, FabricPath and kin
    TUNNEL_ROUTE = 19              # an IPv6 routing header or home address: other ends than in the IPv6 header

class Finding(Codes):
    """analysis_t.findings: tcp.analysis.* and friends (SEMANTICS sections A, TF, FR, LN)."""
    RETRANSMISSION = 1 << 0        # also set for fast and spurious ones (RT-8)
    FAST_RETRANSMISSION = 1 << 1
    SPURIOUS_RETRANSMISSION = 1 << 2
    OUT_OF_ORDER = 1 << 3
    LOST_SEGMENT = 1 << 4
    ACK_LOST_SEGMENT = 1 << 5
    DUPLICATE_ACK = 1 << 6
    ZERO_WINDOW = 1 << 7
    ZERO_WINDOW_PROBE = 1 << 8
    ZERO_WINDOW_PROBE_ACK = 1 << 9
    WINDOW_FULL = 1 << 10
    WINDOW_UPDATE = 1 << 11
    KEEP_ALIVE = 1 << 12
    KEEP_ALIVE_ACK = 1 << 13
    REUSED_PORTS = 1 << 14
    TFO_SYN = 1 << 15
    TFO_ACK = 1 << 16
    TFO_IGNORED = 1 << 17
    FIN_ACTIVE = 1 << 18
    FIN_PASSIVE = 1 << 19

class AnalysisPresent(Codes):
    """analysis_t.present."""
    HAS_RECORD = 1 << 0            # tcp.analysis (CM-6)
    HAS_FLAGS = 1 << 1             # tcp.analysis.flags
    HAS_ACKS_FRAME = 1 << 2
    HAS_ACK_RTT = 1 << 3
    HAS_INITIAL_RTT = 1 << 4
    HAS_BYTES_IN_FLIGHT = 1 << 5
    HAS_PUSH_BYTES = 1 << 6
    HAS_RTO = 1 << 7
    HAS_WINDOW_SIZE = 1 << 8
    HAS_WINDOW_SCALE = 1 << 9
    HAS_COMPLETENESS = 1 << 10

class TcpState(Codes):
    """states_t: RFC 9293 section 3.3.2, and what the capture cannot tell."""
    UNKNOWN = 0
    CLOSED = 1
    LISTEN = 2
    SYN_SENT = 3
    SYN_RECEIVED = 4
    ESTABLISHED = 5
    FIN_WAIT_1 = 6
    FIN_WAIT_2 = 7
    CLOSE_WAIT = 8
    CLOSING = 9
    LAST_ACK = 10
    TIME_WAIT = 11

class IpFlag(Codes):
    """segment_t.ip_flags."""
    MORE_FRAGMENTS = 1
    DONT_FRAGMENT = 2

class MayFragment(Codes):
    """lifecycle_t.client_fragments and server_fragments: whether the end's datagrams say DF; those of IPv6 do not."""
    MAY_NOT_FRAGMENT = 1
    MAY_FRAGMENT = 2

class Offer(Codes):
    """lifecycle_t.client_offers and server_offers: options of a SYN."""
    OFFER_MSS = 1
    OFFER_WINDOW_SCALE = 2
    OFFER_SACK = 4
    OFFER_TIMESTAMPS = 8
    OFFER_ECN = 16
    OFFER_FAST_OPEN = 32           # with a cookie

class Outcome(Codes):
    """lifecycle_t.outcome: how the connection began."""
    OUTCOME_MIDSTREAM = 0          # before the capture
    OUTCOME_COMPLETE = 1
    OUTCOME_REFUSED = 2            # a reset answered the SYN
    OUTCOME_NO_ANSWER = 3
    OUTCOME_UNANSWERED = 4         # nobody answered the SYN+ACK
    OUTCOME_SIMULTANEOUS = 5       # both sent a SYN
    OUTCOME_FAST_OPEN = 6          # data in the SYN was acknowledged
    OUTCOME_ABORTED = 7            # reset before it was complete

class Teardown(Codes):
    """lifecycle_t.teardown: how the connection ended."""
    TEARDOWN_SILENT = 0            # no close seen
    TEARDOWN_FOUR_WAY = 1
    TEARDOWN_THREE_WAY = 2         # the second FIN acknowledged the first
    TEARDOWN_SIMULTANEOUS = 3      # the FINs crossed
    TEARDOWN_HALF_CLOSED = 4       # one end only
    TEARDOWN_RESET = 5
    TEARDOWN_REFUSED = 6

class ConnState(Codes):
    """lifecycle_t.conn_state: Zeek's word for all this."""
    CONN_OTH = 0
    CONN_S0 = 1
    CONN_S1 = 2
    CONN_SF = 3
    CONN_REJ = 4
    CONN_S2 = 5
    CONN_S3 = 6
    CONN_RSTO = 7
    CONN_RSTR = 8
    CONN_RSTOS0 = 9
    CONN_RSTRH = 10
    CONN_SH = 11
    CONN_SHR = 12

class Closer(Codes):
    """lifecycle_t.closer and resetter."""
    CLOSER_NOBODY = 0
    CLOSER_CLIENT = 1
    CLOSER_SERVER = 2

class SegmentKind(Codes):
    """verdict_t.kind."""
    KIND_NONE = 0                  # takes no sequence space
    KIND_NEW = 1
    KIND_REORDERED = 2
    KIND_RETRANSMISSION = 3
    KIND_NETWORK_DUPLICATE = 4
    KIND_PROBE = 5
    KIND_UNDETERMINED = 6

class RetransmissionCause(Codes):
    """verdict_t.cause."""
    CAUSE_NONE = 0
    CAUSE_FAST = 1
    CAUSE_TIMEOUT = 2
    CAUSE_TAIL_LOSS_PROBE = 3
    CAUSE_SYN = 4
    CAUSE_FIN = 5
    CAUSE_PATH_MTU = 6
    CAUSE_SPURIOUS = 7
    CAUSE_UNKNOWN = 8

class ChunkKind(Codes):
    """chunk_t.kind."""
    CHUNK_DATA = 0
    CHUNK_MISSING = 1              # never captured; nobody said that it arrived
    CHUNK_UNSEEN = 2               # never captured, but acknowledged by the receiver
    CHUNK_CUT = 3                  # captured without these bytes: the snap length was too short
    CHUNK_DROPPED = 4              # captured, but dropped to stay within the memory limit
    CHUNK_END = 5                  # no bytes: the stream is over, `reason` says why

class EndReason(Codes):
    """chunk_t.reason."""
    END_CAPTURE = 0                # the capture ends
    END_FIN = 1                    # both sides have closed, and all their bytes were passed on
    END_RESET = 2
    END_TIMEOUT = 3
    END_EVICTED = 4                # the flow table dropped the stream to stay within its limit

class GiveUpReason(Codes):
    """chunk_t.reason of a hole: why it was waited for no longer."""
    GIVEN_UP_AT_END = 0            # the stream is over
    GIVEN_UP_ACKNOWLEDGED = 1      # the receiver has had the bytes for long: the capture missed them
    GIVEN_UP_STREAM_LIMIT = 2      # too much waited behind it in this direction of this stream
    GIVEN_UP_TOTAL_LIMIT = 3       # too much waited in all streams together
    NOT_WAITED_FOR = 4             # the segment in order came without these bytes

class LossSide(Codes):
    """verdict_t.loss_side: where the original of a retransmission was lost."""
    LOSS_UNKNOWN = 0
    LOSS_BEFORE = 1                # between the sender and the capture point
    LOSS_AFTER = 2                 # between the capture point and the receiver
    LOSS_NONE = 3                  # it was not: the retransmission was needless

class Evidence(Codes):
    """verdict_t.evidence: what the verdict rests on."""
    BY_TIMESTAMP = 1 << 0          # the sender's clock tells which was sent first (RFC 7323)
    BY_IP_ID = 1 << 1              # the sender's packet count does
    BY_TIME = 1 << 2               # the time since then, compared with the round trip
    BY_SEQUENCE = 1 << 3           # nothing of it was sent before
    SAME_PACKET = 1 << 4           # same IP ID, numbers, time stamp and checksum as the original
    FILLS_GAP = 1 << 5             # the capture had not seen these bytes
    OVERTAKEN = 1 << 6             # a segment that was sent later came first
    HOP_DIFFERS = 1 << 7           # another TTL or hop limit than the original's
    SACK_GAP = 1 << 8              # the receiver reported later bytes and not these (RFC 2018)
    DUPLICATE_ACKS = 1 << 9        # the receiver asked for it again and again (RFC 5681)
    IN_RECOVERY = 1 << 10          # belongs to a recovery that had begun before
    AFTER_SILENCE = 1 << 11        # the sender was silent longer than an answer takes
    AT_TAIL = 1 << 12              # the last bytes sent
    ACKED_BEFORE = 1 << 13         # the capture holds an earlier acknowledgement, or SACK, of it
    DSACK = 1 << 14                # the receiver said it had them already (RFC 2883)
    EARLY_ECHO = 1 << 15           # the answer echoes the original's time stamp (RFC 3522)
    EARLY_ACK = 1 << 16            # the answer came sooner than one to the retransmission can
    ORIGINAL_LATE = 1 << 17        # the original came after it
    NEAR_SENDER = 1 << 18          # the capture point is close to the sender
    NEAR_RECEIVER = 1 << 19
    IDLE_PROBE = 1 << 20           # repeats the last byte number, nothing was outstanding: keep-alive
    CLOSED_WINDOW = 1 << 21        # the receiver's window was closed
    SMALLER = 1 << 22              # the same bytes in smaller pieces
    BY_ACK = 1 << 23               # the sender's acknowledgement number tells which was sent first
