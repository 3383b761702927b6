"""How a column's value is written."""

cpdef enum TextKind:
    UNSIGNED = 0
    SIGNED = 1
    REAL = 2                 # double
    SECONDS = 3              # int64 nanoseconds as seconds with nine decimals
    SINCE_START = 4          # the same, counted from the first frame of the capture
    HEX = 5                  # 0x and two digits a byte
    BITS = 6                 # the second word if any bit of the mask is set, else the first
    WORD = 7                 # an enumerated value
    ADDRESS = 8              # 16 bytes; the byte at `other` is the IP version
    OUTER_IPV4 = 9           # source (mask 0) or destination (mask 1) of the frame's first IPv4 header
    OUTER_IPV6 = 10
    SACK_EDGE = 11           # relative to the base of the direction acknowledged, as tcp.ack is
    PAYLOAD = 12             # captured payload in hexadecimal
    INFO = 13                # the whole line; the analysis part lies at `other`, -1 for none
    SET = 14                 # the words of all bits set, joined by +
    LETTERS = 15             # ASCII up to the first zero byte
    TUNNEL_KIND = 16         # of the outermost tunnel, a word
    TUNNEL_NUMBER = 17       # the field at `other` of the tunnel's row, if that has the mask, a TunnelHas bit
    VERDICT = 18             # in words; the verdict part begins at the value
    OUTER_NUMBER = 19        # of the frame's first header of the version that the mask, a TunnelHas bit, says; the
    OUTER_HEX = 20           # field of the tunnel's row lies at `other`, that of the nearest header at the value
