"""Tiny conversations, each named after the rule of tshark's behaviour that it shows (SEMANTICS numbers).

A case gets a factory of conversations; every call gives one more, with ends of its own.
"""
from __future__ import annotations

from collections.abc import Callable
from itertools import count

from packets import M32, MS, NOP, Conversation, Frame, ethernet, ip, mss, sack, timestamps, wscale

Case = Callable[[Callable[..., Conversation]], None]
CASES: dict[str, Case] = {}
US = 1000
COOKIE = b"\x22\x0a" + bytes(range(8))


def case(rules: str) -> Callable[[Case], Case]:
    def register(function: Case) -> Case:
        CASES[f"{rules} {function.__name__}"] = function
        return function
    return register


def frames_of(function: Case, number: int) -> list[Frame]:
    """The frames of a case, one conversation after the other; ``number`` sets its addresses apart."""
    made: list[Conversation] = []
    ports = count(50000)

    def talk(ipv6: bool = False, **fields) -> Conversation:
        ends = ("fd00::{:x}:1", "fd00::{:x}:2") if ipv6 else (f"10.{1 + number // 250}.{number % 250}.1",
                                                             f"10.{1 + number // 250}.{number % 250}.2")
        client, server = (end.format(number + 1) for end in ends)
        made.append(Conversation(**{"client": client, "server": server, "sport": next(ports), **fields}))
        return made[-1]
    function(talk)
    return [frame for each in made for frame in each.frames]


def burst(talk: Conversation, n: int, size: int = 100, first: int = 1) -> Conversation:
    for i in range(n):
        talk.c("A", first + size * i, 1, size, dt=100 * US)
    return talk


# -- streams and relative numbers

@case("ST-2")
def equal_addresses_are_told_apart_by_port(talk):
    a = talk(client="127.0.0.1", server="127.0.0.1", sport=7, dport=7)
    a.c("S", 0).s("SA", 0, 1).c("A", 1, 1, 9)


@case("ST-3 CP-4")
def syn_with_another_number_starts_a_stream(talk):
    talk().handshake().c("PA", 1, 1, 9).c("S", 5_000).s("SA", 7, 5_001).c("A", 5_001, 8)


@case("ST-4 ST-5")
def syn_with_the_same_number_never_does(talk):
    talk().handshake().c("FA", 1, 1).s("RA", 1, 2).c("R", 90_000).c("S", 0).c("A", 1, 1, 5)


@case("ST-6")
def synack_with_another_number_moves_the_base(talk):
    a = talk().handshake().s("A", 1, 1, 10)
    a.s("SA", 700_000, 1).c("A", 1, 700_001).s("A", 700_001, 1, 10)


@case("ST-7")
def vlans_do_not_matter(talk):
    talk().c("S", 0, vlans=(5,)).s("SA", 0, 1, vlans=(6, 7)).c("A", 1, 1)


@case("ST-8")
def datagrams_in_fragments(talk):
    a = talk().handshake()
    from packets import tcp
    segment = tcp(a.sport, a.dport, a.client_isn + 1, a.server_isn + 1, "PA", payload=bytes(100))
    a.raw(ethernet(ip(a.client, a.server, segment[64:], ident=9, fragment=8)))
    a.raw(ethernet(ip(a.client, a.server, segment[:64], ident=9, fragment=0x2000)))
    a.s("A", 1, 101)


@case("RL-2 RL-3")
def bases_from_the_middle(talk):
    talk().c("A", 500, 300, 10).s("A", 300, 510, 20).c("A", 510, 320)
    talk().s("R", 400).c("A", 10, 400, 5)


@case("RL-5")
def ack_without_its_flag_is_raw(talk):
    talk().handshake().c("P", 1, 77, 5).c("R", 6, 78)


@case("RL-6 BF-3")
def syn_and_fin_in_the_next_number(talk):
    talk().c("SF", 0, payload=4).s("SA", 0, 6).c("FPA", 6, 1, 7).s("A", 1, 14)


@case("RL-1 CM-1 EX-1")
def numbers_pass_the_end(talk):
    a = talk(client_isn=M32 - 10, server_isn=M32 - 3).handshake()
    a.c("A", 1, 1, 10).s("A", 1, 11, 6).c("A", 111, 7, 10).c("A", 11, 7, 100, dt=300 * MS).s("A", 7, 121)


# -- lengths and damage

@case("LN-1")
def padding_is_not_payload(talk):
    from packets import tcp
    a = talk()
    for flags in ("S", "A"):
        a.raw(ethernet(ip(a.client, a.server, tcp(a.sport, a.dport, 9, 0, flags)), pad=60))


@case("LN-2 LN-3")
def captured_in_part(talk):
    a = talk().handshake()
    for i, snap in enumerate((38, 42, 46, 47, 48, 50, 54, 55, 60, 66, 70)):
        a.c("PA", 1 + 50 * i, 1, 50, options=NOP * 2 + timestamps(i), snap=snap)
    a.s("A", 1, 551)


@case("LN-4 LN-5 LN-6")
def total_length_of_ip(talk):
    a = talk().handshake()
    a.c("PA", 1, 1, 100, ip_fields={"total": 0}).c("PA", 101, 1, 100, ip_fields={"total": 1040})
    a.c("PA", 201, 1, 100, ip_fields={"total": 30}).s("A", 1, 201)


@case("LN-7")
def header_length_below_20(talk):
    talk().handshake().c("PA", 1, 1, 10, tcp_fields={"offset": 4}).c("PA", 1, 1, 10).s("A", 1, 11)


@case("LN-9")
def broken_options(talk):
    for option in (b"\x05\x02", b"\x05\x06" + bytes(4), b"\x05\x09" + bytes(7) + timestamps(1, 2),
                   b"\x02\x02", b"\0\7\7\7", b"\x03\x04\x07", b"\x1e\x03\x20",
                   b"\x1e\x08\x20\x05" + bytes(4), b"\x1e\x04\x60\0", b"\x1e\x04\x80\0", b"\x1e\x03\x00"):
        a = talk().handshake().c("PA", 1, 1, 10, options=option).c("PA", 1, 1, 10, options=option)
        a.s("A", 1, 11).s("A", 1, 11)


@case("LN-3 LN-9")
def cut_behind_a_bad_length(talk):
    for option in (b"\x80\0", b"\x80\1", b"\x02\x05"):
        a = talk().handshake().c("PA", 1, 1, 10, options=option + mss() * 4, snap=62)
        a.c("PA", 1, 1, 10).s("A", 1, 11)


@case("LN-9 BF-4")
def sack_edges_in_a_cut_option(talk):
    a = burst(talk().handshake(), 5)
    isn = a.client_isn
    a.s("A", 1, 101, options=NOP * 2 + sack((isn + 201, isn + 301), (isn + 401, isn + 501)), snap=66)
    a.c("A", 501, 1, 10)
    a.s("P", 1, 101, options=NOP * 2 + sack((isn + 201, isn + 301)))


@case("LN-6 RL-7")
def sack_edges_are_relative_without_a_length(talk):
    for a in (burst(talk().handshake(), 5), talk()):
        isn = a.client_isn
        for size in (27, 30, 31, 39):
            a.s("A", 1, 101, options=NOP * 2 + sack((isn + 201, isn + 301), (isn + 401, isn + 501)),
                ip_fields={"total": 20 + size})
        a.c("A", 501, 1, 10)


# -- windows

@case("WN-1 WN-2 WN-3")
def both_sides_scale(talk):
    for shift in (0, 3, 14, 15):
        a = talk().handshake(client_options=NOP + wscale(shift), server_options=NOP + wscale(2))
        a.c("A", 1, 1, 10, window=500).s("A", 1, 11, window=600)


@case("WN-4 WN-5")
def one_side_scales(talk):
    talk().handshake(client_options=NOP + wscale(7)).c("A", 1, 1, 9, window=5).s("A", 1, 10, window=6)
    talk().handshake(server_options=NOP + wscale(7)).c("A", 1, 1, 9, window=5).s("A", 1, 10, window=6)
    talk().c("S", 0, options=wscale(7)).c("A", 1, 1, 9, window=5).s("A", 1, 10, window=6)
    talk().s("SA", 0, 1, options=wscale(7)).c("A", 1, 1, 9, window=5).s("A", 1, 10, window=6)


@case("WN-6")
def scale_is_kept(talk):
    a = talk().c("S", 0, options=wscale(7)).c("S", 0).s("SA", 0, 1, options=wscale(2))
    a.c("A", 1, 1, window=9).c("A", 1, 1, window=8, options=wscale(4)).c("A", 1, 1, window=7)


@case("ZW-1 ZW-2 ZW-3")
def window_closed_and_probed(talk):
    a = talk().handshake().c("PA", 1, 1, 100).s("A", 1, 101, window=0)
    for _ in range(2):
        a.c("A", 101, 1, 1, dt=200 * MS).s("A", 1, 101, window=0)
    a.s("A", 1, 101, window=900).c("PA", 101, 1, 50).s("FA", 1, 151, window=0)


@case("WU-1")
def window_updated(talk):
    a = talk().handshake().c("PA", 1, 1, 100).s("A", 1, 101, window=1000)
    a.s("A", 1, 101, window=2000).s("A", 1, 101, window=0).s("A", 1, 101, window=7).s("FA", 1, 101, window=8)


@case("WF-1")
def window_full(talk):
    for size in (299, 300, 301):
        talk().handshake().s("A", 1, 1, window=300).c("A", 1, 1, size)
        a = talk(window=300).handshake(client_options=NOP + wscale(3), server_options=NOP + wscale(2))
        a.c("A", 1, 1, size).s("A", 1, 1 + size, window=75).c("A", 1 + size, 1, size)


# -- sent again, out of order, lost

@case("RT-1 RT-6 RT-7")
def timed_out(talk):
    a = burst(talk().handshake(), 3).c("A", 101, 1, 100, dt=300 * MS).s("A", 1, 301)
    a.c("FA", 301, 1).c("FA", 301, 1, dt=300 * MS).s("SA", 0, 1, dt=300 * MS)


@case("RT-2")
def one_byte_before_the_expected(talk):
    talk().handshake().c("A", 1, 1, 100).c("A", 100, 1, 50, dt=300 * MS).c("A", 149, 1, 1, dt=300 * MS)


@case("RT-3")
def spurious(talk):
    a = talk().handshake().c("A", 1, 1, 100).s("A", 1, 101).c("A", 1, 1, 100).c("A", 50, 1, 51).c("A", 50, 1, 52)
    a.s("A", 1, 102).c("FA", 101, 1)


@case("RT-3 CM-1")
def spurious_at_half_the_number_space(talk):
    for further in (-1, 0, 1):
        talk().handshake().c("A", 1, 1, 100).s("A", 1, 101 + 2**31 + further).c("A", 1, 1, 100).c("A", 101, 1, 100)


@case("RT-4")
def fast(talk):
    for duplicates, gap in ((2, 19_999), (2, 20_000), (1, 1_000), (3, 0)):
        a = burst(talk().handshake(), 5)
        for _ in range(duplicates + 1):
            a.s("A", 1, 101, dt=MS)
        a.c("A", 101, 1, 100, dt=gap * US).c("A", 201, 1, 100, dt=gap * US)


@case("RT-5 RT-8")
def out_of_order(talk):
    for gap in (2_999, 3_000, -1):
        talk().c("A", 1, 1, 100).c("A", 201, 1, 100, dt=0).c("A", 101, 1, 50, dt=gap * US)
    for gap in (49_999, 50_000):
        talk().handshake(rtt=50 * MS).c("A", 1, 1, 100).c("A", 201, 1, 100).c("A", 101, 1, 50, dt=gap * US)
    talk().handshake().c("A", 1, 1, 100).c("FA", 201, 1).c("A", 101, 1, 100, dt=US)


@case("LS-1 BF-5")
def lost(talk):
    a = talk().handshake().c("A", 101, 1, 100).c("A", 301, 1).c("A", 401, 1, 10).s("R", 1).c("A", 411, 1, 10)
    a.s("A", 1, 1).c("A", 421, 1, 10).c("R", 900).c("FA", 1000, 1)


@case("AL-1 AL-2")
def acknowledged_but_not_seen(talk):
    a = talk().handshake().c("A", 1, 1, 100).s("A", 1, 301).s("A", 1, 301).s("A", 1, 401)
    a.c("A", 401, 1, 100).s("A", 1, 601).c("A", 101, 1, 100)
    talk().handshake().c("A", 1, 1, 100).c("A", 201, 1, 100).s("A", 1, 301).s("A", 1, 401)


# -- acknowledgements

@case("DA-1 DA-2")
def duplicates_are_counted(talk):
    a = burst(talk().handshake(), 6)
    for ack, size, window in (*3 * [(101, 0, 9)], (101, 5, 9), (101, 0, 8), (201, 0, 8), (201, 0, 8)):
        a.s("A", 1, ack, size, window=window)


@case("DA-4")
def multipath_signals_hide_duplicates(talk):
    a = burst(talk().handshake(), 3).s("A", 1, 101).s("A", 1, 101, options=b"\x1e\x04\x51\x01")
    a.s("A", 1, 101).s("A", 1, 101).s("A", 1, 101, options=b"\x1e\x03\x30").s("A", 1, 101)


@case("KA-1 KA-2")
def kept_alive(talk):
    a = talk().handshake().c("A", 1, 1, 10).s("A", 1, 11)
    for size in (0, 1, 2):
        a.c("A", 10, 1, size, dt=45_000 * MS).s("A", 1, 11).s("A", 1, 11)
    a.c("FA", 10, 1).c("A", 10, 1, window=0).s("A", 1, 11, window=5)
    talk(client_isn=M32 - 1).c("A", 1, 1)


@case("AK-1 AK-2 AK-3 AK-5 AK-6")
def round_trips(talk):
    a = burst(talk().c("S", 0).handshake(), 3)
    a.s("A", 1, 50).s("A", 1, 101).s("A", 1, 301, dt=0).c("A", 301, 1, 10).s("A", 1, 311, dt=0)


@case("AK-4")
def resets_without_an_ack_remove_what_is_in_flight(talk):
    for isn in (0x10000000, 0x90000000):
        talk(client_isn=isn).handshake().c("A", 1, 1, 100).s("R", 1).s("A", 1, 101).c("A", 101, 1, 100)


@case("BF-1 BF-2 BF-6 PB-1")
def bytes_in_flight(talk):
    a = burst(talk().handshake(), 3).c("PA", 301, 1, 50).c("A", 351, 1, 10).s("A", 1, 150).c("PA", 361, 1, 10)
    a.s("A", 1, 371).c("FA", 370, 1, 1).c("A", 50, 1, 10)


@case("BF-4")
def sacked_bytes_are_not_in_flight(talk):
    a = burst(talk().handshake(), 10)
    isn = a.client_isn
    blocks = [(isn + at, isn + at + 50) for at in (201, 401, 601, 801)]
    for n in (1, 2, 3, 4):
        a.s("A", 1, 101, options=NOP * 2 + sack(*blocks[:n])).c("A", 901 + 100 * n, 1, 100).c("A", 950, 1, 5)


@case("TF-1 TF-2")
def fast_open(talk):
    talk().c("S", 0, payload=50, options=COOKIE).s("SA", 0, 51).c("A", 51, 1)
    talk().c("S", 0, payload=50, options=COOKIE).s("SA", 0, 1).c("A", 1, 1, 50)
    talk().c("S", 0, options=COOKIE).s("SA", 0, 1).c("A", 1, 1)
    talk().c("S", 0, payload=9, options=b"\xfe\x0c\xf9\x89" + bytes(8)).s("SA", 0, 10).c("S", 0, options=b"\x22\x02")


@case("CP-1 CP-2 CP-3")
def completeness(talk):
    talk().handshake().c("A", 1, 1, 9).s("FA", 1, 10).c("FA", 10, 2).s("RA", 2, 11).c("R", 11)
    talk().c("FA", 1, 1, 3).s("A", 1, 5).c("S", 0).c("A", 1, 1)
    talk().c("S", 0, payload=5).s("RA", 0, 6).c("A", 6, 1)


@case("FR-1")
def who_closes(talk):
    talk().handshake().c("FA", 1, 1).s("A", 1, 2).s("FA", 1, 2).c("FA", 1, 1).s("FA", 1, 2)


@case("TM-1 TM-2")
def times(talk):
    talk().c("S", 0, options=mss()).s("SA", 0, 1, dt=-5 * MS).c("A", 1, 1, dt=0).c("A", 1, 1, 5, dt=1)


@case("ST-1")
def over_ipv6(talk):
    talk(ipv6=True).handshake().c("PA", 1, 1, 10).s("A", 1, 11).c("FA", 11, 1)
