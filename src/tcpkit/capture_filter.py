"""Capture filters: libpcap's syntax, compiled by libpcap for each link type, run by tcpcore.bpf."""
from __future__ import annotations

import functools
import os
import re
import struct
from bisect import bisect_left
from collections.abc import Iterator

import pcapy

from tcpcore.bpf import Filter, Program
from tcpkit.errors import FilterError

SNAPLEN = 262_144
NETMASK = 0                      # of a savefile
# A capture file names some link types by another number than libpcap's DLT_ (pcap-linktype(7)).
DLT_OF_LINKTYPE = {100: 11, 101: 12, 102: 15, 103: 16, 104: 104, 106: 19}
# Link types a filter is tried on before the capture is read: Ethernet, 802.11 with radiotap, SLL, raw IP, PPP.
COMMON_LINK_TYPES = (1, 127, 113, 101, 9)
# What a filter may have, for libpcap takes a time that grows with the cube of its tests: a second for 300 hosts
# or 200 ports, seconds for 300 ports.
MOST_TESTS = 300
LONGEST = 12_288                 # characters
SHOWN = 72                       # of a filter that is too long
# Every `and` and `or` joins one test more; a range of ports costs libpcap what two ports do.
JOINT = re.compile(r"\b(?:and|or)\b|&&|\|\||(?<![-\w])\d+-\d+(?![-\w])")
MOST_SEARCHED = 2000             # runs of letters and digits in a filter whose wrong word is looked for
WORD = re.compile(r"[^\s()\[\]!=<>|&]+|[!=<>|&]+|[()\[\]]")
# What may follow an unfinished but sensible beginning of a filter, before all of its brackets are closed.
COMPLETIONS = (
    "", " 80", " 10.0.0.1", " ::1", " tcp", " 02:00:00:00:00:01", " host 02:00:00:00:00:01", " port 80", " 1 > 1",
    " > 1", "[1] > 1", " 1", " net 10", "90")
# What may follow where some brackets are closed first, for they are about a number that is then compared.
NUMBERS = "", " 1", "[1]"
DEEPEST = 4                      # brackets about one number
# A mistake on every link type.  What is told of it has been read to its end, and no program is made of it, which is
# what takes libpcap long.
MISTAKE, TOLD = " and port 987654321", "illegal port number 987654321"
# The words of filters that name no host or service, which libpcap would ask the network for.
PLAIN = re.compile("and|or|not|src|dst|host|net|mask|port|portrange|proto|gateway|broadcast|multicast|less|greater|"
                   "len|ether|vlan|mpls|arp|ip6?|icmp6?|tcp|udp|sctp|tcpflags|tcp-[a-z]+")
REJECTS_ALL = "expression rejects all packets"


def compile_for(text: str, link_type: int) -> Program:
    """The program of filter ``text`` for one link type; FilterError with libpcap's own message."""
    refuse_long(text)
    wrong = mistake_in(text, link_type)
    if wrong:
        place = (0, len(text)) if wrong == REJECTS_ALL else wrong_word(text, link_type)
        raise FilterError(wrong, text, *place)
    compiled = pcapy.compile(DLT_OF_LINKTYPE.get(link_type, link_type), SNAPLEN, text, 1, NETMASK)
    return Program(compiled.get_bpf())


def build_filter(text: str) -> Filter:
    """The stage that keeps only the frames that ``text`` accepts.

    A filter that fits no common link type is misspelt, and fails before the capture is read.
    """
    refuse_long(text)
    if all(mistake_in(text, link_type) for link_type in COMMON_LINK_TYPES):
        compile_for(text, COMMON_LINK_TYPES[0])
    return Filter(lambda link_type: compile_for(text, link_type))


def is_capture_filter(text: str) -> bool:
    """Whether libpcap understands it, told at once: not of filters with names, and without making a program of it."""
    refuse_long(text)
    words = re.findall(r"[\w.:-]*[a-zA-Z][\w.:-]*", text)
    return all(map(PLAIN.fullmatch, words)) and _is_understood(text, COMMON_LINK_TYPES[0])


def refuse_long(text: str) -> None:
    """FilterError, which shows the beginning, for a filter that libpcap would take too long to compile."""
    tests = 1 + len(JOINT.findall(text))
    if len(text) > LONGEST or tests > MOST_TESTS:
        raise FilterError(f"too long a capture filter: {len(text):,} characters, {tests:,} tests joined by and/or; "
                          f"at most {LONGEST:,} and {MOST_TESTS}", f"{text[:SHOWN]} ...", 0, SHOWN)


def wrong_word(text: str, link_type: int) -> tuple[int, int]:
    """Start and end of the first word that no sensible filter goes on with; the end of the text if there is none.

    libpcap does not say where it stopped; so beginnings of the filter are tried.  What goes on after a word goes on
    after those before it, too: a few of them are enough.
    """
    if len(re.findall(r"\w+", text)) > MOST_SEARCHED:
        return len(text), len(text)
    words = list(WORD.finditer(text))
    first = bisect_left(words, True, key=lambda word: not _can_go_on(text[:word.end()], link_type))
    return words[first].span() if first < len(words) else (len(text), len(text))


def _can_go_on(beginning: str, link_type: int) -> bool:
    return any(_is_understood(beginning + completion, link_type) for completion in _completions(beginning))


def _is_understood(text: str, link_type: int) -> bool:
    return mistake_in(text + MISTAKE, link_type).startswith(TOLD)


def _completions(beginning: str) -> Iterator[str]:
    closing = _closing(beginning)
    for completion in COMPLETIONS:
        yield completion + closing
    for closed in range(1, 1 + min(len(closing), DEEPEST)):
        for number in NUMBERS:
            yield f"{number}{closing[:closed]} > 1{closing[closed:]}"


def _closing(beginning: str) -> str:
    """What closes the brackets that are open, the innermost first."""
    opened: list[str] = []
    for bracket in re.findall(r"[()\[\]]", beginning):
        if bracket in "([":
            opened.append(bracket)
        elif opened:
            opened.pop()
    return "".join(")" if bracket == "(" else "]" for bracket in reversed(opened))


@functools.lru_cache(maxsize=64)                 # asked again by who compiles, and long filters take long
def mistake_in(text: str, link_type: int) -> str:
    """What libpcap has against a filter.

    Asked of an open savefile: pcapy.compile reads its message in memory that it has given back.
    """
    try:
        _empty_capture(link_type).setfilter(text)
    except (pcapy.PcapError, ValueError) as error:       # ValueError: no text of C, such as one with a NUL
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
