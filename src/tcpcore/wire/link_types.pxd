"""LINKTYPE_* values of capture files (the registry of the tcpdump group) and the layer each begins with."""
from libc.stdint cimport uint16_t

from tcpcore.flags cimport STATUS_LINK_UNKNOWN
from tcpcore.wire.cursor cimport *

cdef enum LinkType:
    LINKTYPE_NULL = 0
    LINKTYPE_ETHERNET = 1
    LINKTYPE_AX25 = 3
    LINKTYPE_IEEE802_5 = 6
    LINKTYPE_ARCNET_BSD = 7
    LINKTYPE_PPP = 9
    LINKTYPE_FDDI = 10
    LINKTYPE_ATM_RFC1483_BSD = 11
    LINKTYPE_RAW_BSD = 12
    LINKTYPE_ENC_OLD = 13
    LINKTYPE_RAW_OPENBSD = 14
    LINKTYPE_PPP_HDLC = 50
    LINKTYPE_PPP_ETHER = 51
    LINKTYPE_ATM_RFC1483 = 100
    LINKTYPE_RAW = 101
    LINKTYPE_C_HDLC = 104
    LINKTYPE_IEEE802_11 = 105
    LINKTYPE_FRELAY = 107
    LINKTYPE_LOOP = 108
    LINKTYPE_ENC = 109
    LINKTYPE_C_HDLC_OLD = 112
    LINKTYPE_LINUX_SLL = 113
    LINKTYPE_PFLOG = 117
    LINKTYPE_PRISM = 119
    LINKTYPE_SUNATM = 123
    LINKTYPE_RADIOTAP = 127
    LINKTYPE_TZSP = 128
    LINKTYPE_ARCNET_LINUX = 129
    LINKTYPE_JUNIPER_MLPPP = 130
    LINKTYPE_JUNIPER_ES = 131
    LINKTYPE_JUNIPER_GGSN = 133
    LINKTYPE_JUNIPER_ATM2 = 135
    LINKTYPE_JUNIPER_SERVICES = 136
    LINKTYPE_JUNIPER_ATM1 = 137
    LINKTYPE_JUNIPER_PPPOE = 167
    LINKTYPE_JUNIPER_ETHER = 178
    LINKTYPE_JUNIPER_PPP = 179
    LINKTYPE_JUNIPER_FRELAY = 180
    LINKTYPE_JUNIPER_CHDLC = 181
    LINKTYPE_JUNIPER_VP = 183
    LINKTYPE_JUNIPER_ISM = 200
    LINKTYPE_PPI = 192
    LINKTYPE_PPP_WITH_DIR = 204
    LINKTYPE_IPV4 = 228
    LINKTYPE_IPV6 = 229
    LINKTYPE_NFLOG = 239
    LINKTYPE_IPOIB = 242
    LINKTYPE_PKTAP = 258
    LINKTYPE_LINUX_SLL2 = 276


cdef inline int first_layer(uint16_t link_type) noexcept nogil:
    if link_type == LINKTYPE_ETHERNET:
        return LAYER_ETHERNET
    if link_type in (LINKTYPE_RAW, LINKTYPE_RAW_BSD, LINKTYPE_RAW_OPENBSD):
        return LAYER_RAW
    if link_type == LINKTYPE_IPV4:
        return LAYER_IPV4
    if link_type == LINKTYPE_IPV6:
        return LAYER_IPV6
    if link_type == LINKTYPE_LINUX_SLL:
        return LAYER_SLL
    if link_type == LINKTYPE_LINUX_SLL2:
        return LAYER_SLL2
    if link_type == LINKTYPE_NULL:
        return LAYER_NULL
    if link_type == LINKTYPE_LOOP:
        return LAYER_LOOP
    if link_type == LINKTYPE_IEEE802_11:
        return LAYER_WLAN
    if link_type == LINKTYPE_RADIOTAP:
        return LAYER_RADIOTAP
    return first_layer_of_rare(link_type)


cdef inline int first_layer_of_rare(uint16_t link_type) noexcept nogil:
    if link_type in (LINKTYPE_PPP, LINKTYPE_PPP_HDLC):
        return LAYER_PPP
    if link_type == LINKTYPE_PPP_ETHER:
        return LAYER_PPPOE
    if link_type == LINKTYPE_PPP_WITH_DIR:
        return LAYER_PPP_DIRECTION
    if link_type in (LINKTYPE_C_HDLC, LINKTYPE_C_HDLC_OLD):
        return LAYER_CISCO_HDLC
    if link_type == LINKTYPE_FRELAY:
        return LAYER_FRAME_RELAY
    if link_type == LINKTYPE_PPI:
        return LAYER_PPI
    if link_type == LINKTYPE_PRISM:
        return LAYER_PRISM
    if link_type == LINKTYPE_PFLOG:
        return LAYER_PFLOG
    if link_type in (LINKTYPE_ENC, LINKTYPE_ENC_OLD):
        return LAYER_ENC
    if link_type == LINKTYPE_NFLOG:
        return LAYER_NFLOG
    if link_type == LINKTYPE_TZSP:
        return LAYER_TZSP
    if link_type == LINKTYPE_PKTAP:
        return LAYER_PKTAP
    return first_layer_of_medium(link_type)


cdef inline int first_layer_of_medium(uint16_t link_type) noexcept nogil:
    if link_type in (LINKTYPE_ATM_RFC1483, LINKTYPE_ATM_RFC1483_BSD):
        return LAYER_LLC
    if link_type == LINKTYPE_FDDI:
        return LAYER_FDDI
    if link_type == LINKTYPE_IEEE802_5:
        return LAYER_TOKEN_RING
    if link_type == LINKTYPE_ARCNET_BSD:
        return LAYER_ARCNET
    if link_type == LINKTYPE_ARCNET_LINUX:
        return LAYER_ARCNET_LINUX
    if link_type == LINKTYPE_IPOIB:
        return LAYER_IPOIB
    if link_type == LINKTYPE_SUNATM:
        return LAYER_SUNATM
    if link_type == LINKTYPE_AX25:
        return LAYER_AX25
    return first_layer_of_juniper(link_type)


cdef inline int first_layer_of_juniper(uint16_t link_type) noexcept nogil:
    if link_type in (LINKTYPE_JUNIPER_ETHER, LINKTYPE_JUNIPER_PPPOE):
        return LAYER_JUNIPER_ETHERNET
    if link_type == LINKTYPE_JUNIPER_PPP:
        return LAYER_JUNIPER_PPP
    if link_type == LINKTYPE_JUNIPER_MLPPP:
        return LAYER_JUNIPER_MLPPP
    if link_type == LINKTYPE_JUNIPER_FRELAY:
        return LAYER_JUNIPER_FRAME_RELAY
    if link_type == LINKTYPE_JUNIPER_CHDLC:
        return LAYER_JUNIPER_HDLC
    if link_type == LINKTYPE_JUNIPER_ATM1:
        return LAYER_JUNIPER_ATM1
    if link_type == LINKTYPE_JUNIPER_ATM2:
        return LAYER_JUNIPER_ATM2
    if link_type == LINKTYPE_JUNIPER_GGSN:
        return LAYER_JUNIPER_GGSN
    if link_type in (LINKTYPE_JUNIPER_ES, LINKTYPE_JUNIPER_SERVICES, LINKTYPE_JUNIPER_VP, LINKTYPE_JUNIPER_ISM):
        return LAYER_JUNIPER
    return STATUS_LINK_UNKNOWN
