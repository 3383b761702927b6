"""resolve() against the byte-by-byte model, and the published overlap vectors."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.streams import Receiver
from tcpcore.flags import ChunkKind
from tcpcore.overlap import OverlapRule, resolve
from tcpcore.records import CHUNK

RULES = {"first": OverlapRule.FIRST, "last": OverlapRule.LAST, "bsd": OverlapRule.BSD,
         "bsd-right": OverlapRule.BSD_RIGHT, "linux": OverlapRule.LINUX, "old-linux": OverlapRule.OLD_LINUX,
         "solaris": OverlapRule.SOLARIS}
HOLES = {ChunkKind.CHUNK_MISSING, ChunkKind.CHUNK_UNSEEN}


@st.composite
def segments(draw, size=60):
    """(offset, captured bytes, length): one in four cut by the snap length."""
    out = []
    for number in range(draw(st.integers(0, 30))):
        start, length = draw(st.integers(-5, size)), draw(st.integers(1, 20))
        captured = draw(st.one_of(st.just(length), st.just(length), st.just(length), st.integers(0, length)))
        out.append((start, bytes(number + 1 for _ in range(captured)), length))
    return out


def rows(pieces):
    """CHUNK rows as collected from a capture in which the payloads follow one another."""
    out = np.zeros(len(pieces), CHUNK)
    position = 0
    for row, (start, data, length) in zip(out, pieces, strict=True):
        row["offset"], row["length"], row["captured"], row["position"] = start, length, len(data), position
        position += len(data)
    return out, b"".join(data for _, data, _ in pieces)


def content(chunks, capture):
    """Byte place -> value, None where cut; holes have no entry.  Chunks must be gapless from 0."""
    out, place = {}, 0
    for chunk in chunks:
        assert chunk["offset"] == place
        assert chunk["length"] > 0
        data = capture[chunk["position"]:][:chunk["captured"]]
        if chunk["kind"] == ChunkKind.CHUNK_DATA:
            assert len(data) == chunk["length"]
            out.update(zip(range(place, place + len(data)), data, strict=True))
        elif chunk["kind"] == ChunkKind.CHUNK_CUT:
            out.update(dict.fromkeys(range(place, place + int(chunk["length"]))))
        else:
            assert chunk["kind"] in HOLES
        place += int(chunk["length"])
    return out


@pytest.mark.parametrize("policy", RULES)
@given(pieces=segments(), acked=st.integers(0, 80))
@settings(max_examples=60)
def test_every_byte_is_the_models(policy, pieces, acked):
    receiver = Receiver(policy)
    for start, data, length in pieces:
        receiver.arrive(start, data, length)
    expected = dict(enumerate(receiver.delivered))
    expected.update({place: value for place, (_, value) in receiver.finish().items()})
    chunks, capture = rows(pieces)
    result = resolve(chunks, RULES[policy], acked)
    assert content(result, capture) == expected
    for chunk in result:
        end = chunk["offset"] + chunk["length"]
        assert chunk["kind"] != ChunkKind.CHUNK_UNSEEN or end <= acked
        assert chunk["kind"] != ChunkKind.CHUNK_MISSING or chunk["offset"] >= acked


def parts(*ranges):
    """A vector as it is drawn in the papers: letters over half-open ranges, one place free before them."""
    return [(start, letter.encode() * (end - start), end - start) for letter, start, end in ranges]


# Shankar and Paxson, Active Mapping (2003), figure of the fragment test; the first byte comes last.
SHANKAR_PAXSON = parts(("1", 1, 4), ("2", 5, 7), ("3", 7, 10), ("4", 2, 6), ("5", 7, 10), ("6", 10, 13), ("0", 0, 1))
# Novak and Sturges, Target-Based TCP Stream Reassembly (2007), the seventeen overlapping segments.
NOVAK_STURGES = parts(
    ("A", 1, 4), ("B", 5, 7), ("C", 7, 10), ("D", 11, 12), ("E", 14, 16), ("F", 16, 19), ("G", 19, 21), ("H", 21, 23),
    ("I", 23, 24), ("J", 2, 6), ("K", 7, 10), ("L", 10, 13), ("M", 13, 16), ("N", 17, 18), ("O", 20, 21), ("P", 21, 22),
    ("Q", 23, 25), ("0", 0, 1))


@pytest.mark.parametrize(("policy", "expected"), [
    ("first", "0111422333666"), ("last", "0144442555666"), ("bsd", "0111442333666"), ("bsd-right", "0144422555666")])
def test_shankar_paxson(policy, expected):
    chunks, capture = rows(SHANKAR_PAXSON)
    assert bytes(content(resolve(chunks, RULES[policy], 0), capture).values()).decode() == expected


@pytest.mark.parametrize(("policy", "expected"), [
    ("first", "0AAAJBBCCCLDLMEEFFFGGHHIQ"), ("last", "0AJJJJBKKKLLLMMMFNFGOPHQQ"), ("bsd", "0AAAJJBCCCLLLMMMFFFGGHHIQ"),
    ("linux", "0AAAJJBCCCLLLMMMFFFGGHHQQ"), ("old-linux", "0AAAJJBKKKLLLMMMFFFGGHHQQ"),
    ("solaris", "0AJJJBBKKKLLLMMMFFFGGHHQQ")])
def test_novak_sturges(policy, expected):
    chunks, capture = rows(NOVAK_STURGES)
    assert bytes(content(resolve(chunks, RULES[policy], 0), capture).values()).decode() == expected


def test_a_place_out_of_reach_is_left_out():
    chunks, capture = rows([(0, b"ab", 2), (2**30 + 10, b"x", 1), (2, b"cd", 2)])
    assert bytes(content(resolve(chunks, RULES["linux"], 0), capture).values()) == b"abcd"


def test_overlap_floods_are_linear():
    n = 200_000
    chunks = np.zeros(n, CHUNK)
    chunks["offset"] = 1 + np.random.default_rng(1).integers(0, 1 << 20, n)
    chunks["length"] = chunks["captured"] = 65_000
    for rule in RULES.values():
        result = resolve(chunks, rule, 0)
        assert len(result) <= 3 * n
        assert (result["offset"][1:] == result["offset"][:-1] + result["length"][:-1]).all()
