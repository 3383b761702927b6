"""IPComp (RFC 3173) and the DEFLATE of its payloads (RFC 1951), against zlib."""
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

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


def test_bombs_that_break_count_too():
    """The limit is one of time as well: what was written before the data proved broken has cost as much."""
    engine = zlib.compressobj(9, wbits=-15)
    broken = engine.compress(bytes(65000)) + engine.flush(zlib.Z_SYNC_FLUSH) + b"\x07"
    sound = compressed(tcp(50000, 80, 1))
    done = run_decode([frame(sound), *[frame(broken)] * 400, frame(sound)], size=512)
    assert [done.statuses[0], done.statuses[-1]] == [S.STATUS_TCP, S.STATUS_TUNNEL_MALFORMED]


FREED = """
import sys
sys.path.insert(0, {tests!r})
from unit.test_decode_ipcomp import nested_behind_bombs
for n in range(1, 60):
    done, payload = nested_behind_bombs(n)
    assert done.payloads[n:] == [payload] * 3, n
"""


def nested_behind_bombs(n):
    """``n`` datagrams of the greatest length, and three whose compressed payload is compressed once more."""
    bomb = frame(compressed(tcp(50000, 80, 1, payload=bytes(65515))))
    payload = random.Random(1).randbytes(900)
    inner = compressed(tcp(50000, 80, 1, payload=payload))
    nested = frame(compressed(bytes([6, 0, 0, 2]) + inner), following=108)
    return run_decode([bomb] * n + [nested] * 3), payload


@pytest.mark.parametrize("n", range(1, 20))
def test_payloads_compressed_twice(n):
    """The room for the inner one may move that of the outer one, which is being read."""
    done, payload = nested_behind_bombs(n)
    assert done.payloads[n:] == [payload] * 3


def test_payloads_compressed_twice_where_freed_memory_is_overwritten():
    """As glibc does if it is asked to."""
    subprocess.run([sys.executable, "-c", FREED.format(tests=str(Path(__file__).parents[1]))], check=True,
                   env=os.environ | {"MALLOC_PERTURB_": "85"})


@pytest.mark.parametrize("body", [b"", b"\x07", b"\x00\x01\x00\x00\x00abc", b"\x05" * 40])
def test_broken_payload_says_so(body):
    assert run_decode([frame(body)]).statuses[0] in (S.STATUS_TUNNEL_MALFORMED, S.STATUS_TCP_TRUNCATED)
