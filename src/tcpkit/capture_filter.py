"""Capture filters: libpcap's syntax, compiled by libpcap for each link type, run by tcpcore.bpf."""
from __future__ import annotations

import functools
import os
import re
import struct

import pcapy

from tcpcore.bpf import Filter, Program
from tcpkit.errors import FilterError

SNAPLEN = 262_144
NETMASK = 0                      # of a savefile
# A capture file names some link types by another number than libpcap's DLT_ (pcap-linktype(7)).
DLT_OF_LINKTYPE = {100: 11, 101: 12, 102: 15, 103: 16, 104: 104, 106: 19}
# Link types a filter is tried on before the capture is read: Ethernet, 802.11 with radiotap, SLL, raw IP, PPP.
COMMON_LINK_TYPES = (1, 127, 113, 101, 9)
# What may follow an unfinished but sensible beginning of a filter.
COMPLETIONS = (
    "", " 80", " 10.0.0.1", " ::1", " tcp", " 02:00:00:00:00:01", " host 02:00:00:00:00:01", " port 80", " 1 > 1",
    " > 1", "[0] > 1", "0] > 1", "] > 1", ":1] > 1", "1] > 1", " 1", " net 10", "90")


def compile_for(text: str, link_type: int) -> Program:
    """The program of filter ``text`` for one link type; FilterError with libpcap's own message."""
    wrong = mistake_in(text, link_type)
    if wrong:
        raise FilterError(wrong, text, *wrong_word(text, link_type))
    compiled = pcapy.compile(DLT_OF_LINKTYPE.get(link_type, link_type), SNAPLEN, text, 1, NETMASK)
    return Program(compiled.get_bpf())


def build_filter(text: str) -> Filter:
    """The stage that keeps only the frames that ``text`` accepts.

    A filter that fits no common link type is misspelt, and fails before the capture is read.
    """
    if not any(_compiles(text, link_type) for link_type in COMMON_LINK_TYPES):
        compile_for(text, COMMON_LINK_TYPES[0])
    return Filter(lambda link_type: compile_for(text, link_type))


def wrong_word(text: str, link_type: int) -> tuple[int, int]:
    """Start and end of the first word that no sensible filter goes on with.

    libpcap does not say where it stopped; so beginnings of the filter are tried, word by word.
    """
    for word in re.finditer(r"[^\s()\[\]!=<>]+|[!=<>]+|[()\[\]]", text):
        if not _can_go_on(text[:word.end()], link_type):
            return word.start(), word.end()
    return len(text), len(text)


def _can_go_on(beginning: str, link_type: int) -> bool:
    closing = ")" * (beginning.count("(") - beginning.count(")"))
    return any(_compiles(beginning + completion + closing, link_type) for completion in COMPLETIONS)


def _compiles(text: str, link_type: int) -> bool:
    return not mistake_in(text, link_type)


def mistake_in(text: str, link_type: int) -> str:
    """What libpcap has against a filter.

    Asked of an open savefile: pcapy.compile reads its message in memory that it has given back.
    """
    try:
        _empty_capture(link_type).setfilter(text)
    except pcapy.PcapError as error:
        return str(error)
    return ""


@functools.cache
def _empty_capture(link_type: int) -> pcapy.Reader:
    file = os.memfd_create("empty.pcap")
    try:
        os.write(file, struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, link_type))
        return pcapy.open_offline(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
