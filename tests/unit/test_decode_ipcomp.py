"""IPComp (RFC 3173) and the DEFLATE of its payloads (RFC 1951), against zlib."""
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_frames import A4, B4
from packets import ethernet, ipv4, tcp
from stages import run_decode
from tcpcore.flags import DecodeStatus, Present

STRATEGIES = {"default": zlib.Z_DEFAULT_STRATEGY, "fixed codes": zlib.Z_FIXED, "codes only": zlib.Z_HUFFMAN_ONLY}
S = DecodeStatus


def compressed(data: bytes, level: int = 9, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    engine = zlib.compressobj(level, wbits=-15, strategy=strategy)
    return engine.compress(data) + engine.flush()


def frame(body: bytes, following: int = 6) -> bytes:
    """Next header, flags 0, compression parameter index 2 (DEFLATE), the compressed payload."""
    return ethernet(ipv4(A4, B4, bytes([following, 0, 0, 2]) + body, 108))


@given(st.one_of(st.binary(max_size=3000), st.text("ab", max_size=3000).map(str.encode)), st.integers(0, 9),
       st.sampled_from(sorted(STRATEGIES)))
def test_inflates_as_zlib_does(payload, level, strategy):
    done = run_decode([frame(compressed(tcp(50000, 80, 1, payload=payload), level, STRATEGIES[strategy]))])
    assert done.statuses == [S.STATUS_TCP]
    assert done.payloads == [payload]


@given(st.binary(max_size=200))
def test_any_bytes_inflate_as_far_as_zlib_accepts_them(body):
    engine = zlib.decompressobj(wbits=-15)
    try:
        expected = engine.decompress(body, 65535)
    except zlib.error:
        expected = None
    done = run_decode([frame(body)])
    if expected is not None and any(done.rows["present"] & Present.HAS_LEN):
        assert done.payloads[0] == expected[done.rows[0]["hdr_len"]:]
    assert done.statuses[0] in (S.STATUS_TCP, S.STATUS_TCP_TRUNCATED, S.STATUS_TUNNEL_MALFORMED)


def test_a_bomb_is_cut_at_the_length_of_a_packet():
    done = run_decode([frame(compressed(tcp(50000, 80, 1, payload=bytes(10_000_000))))])
    assert done.rows["payload_len"].tolist() == [65535 - 20]


def test_many_bombs_do_not_fill_the_memory():
    bomb = frame(compressed(tcp(50000, 80, 1, payload=bytes(65000))))
    done = run_decode([bomb] * 400, size=512)
    assert done.statuses[0] == S.STATUS_TCP
    assert S.STATUS_TUNNEL_MALFORMED in done.statuses


@pytest.mark.parametrize("body", [b"", b"\x07", b"\x00\x01\x00\x00\x00abc", b"\x05" * 40])
def test_broken_payload_says_so(body):
    assert run_decode([frame(body)]).statuses[0] in (S.STATUS_TUNNEL_MALFORMED, S.STATUS_TCP_TRUNCATED)
