"""Groups of numbers: plain numbers by name, and numbers that know their names."""
import copy
import json
import pickle

import numpy as np
import pytest

from tcpcore.codes import Codes
from tcpcore.flags import ChunkKind, Finding, TcpFlag


def test_names_are_plain_numbers():
    assert type(Finding.OUT_OF_ORDER) is int
    assert Finding.OUT_OF_ORDER == 8
    assert list(ChunkKind.__members__) == ["CHUNK_DATA", "CHUNK_MISSING", "CHUNK_UNSEEN", "CHUNK_CUT", "CHUNK_DROPPED",
                                           "CHUNK_END"]


def test_arrays_keep_their_type():
    flags = np.array([0x12, 0x10], np.uint16)
    assert (flags & TcpFlag.SYN).dtype == np.uint16


def test_a_number_of_a_group_knows_its_name():
    member = ChunkKind(np.uint8(3))
    assert isinstance(member, ChunkKind)
    assert (member, member.value, member.name) == (3, 3, "CHUNK_CUT")
    assert (repr(member), str(member), f"{member}") == ("<ChunkKind.CHUNK_CUT: 3>", "3", "3")
    assert json.dumps({member: member}) == '{"3": 3}'
    assert {ChunkKind.CHUNK_CUT: "cut"}[member] == "cut"


def test_a_group_lists_its_members():
    assert repr(ChunkKind["CHUNK_CUT"]) == repr(ChunkKind(3))
    assert {one.name: int(one) for one in ChunkKind} == ChunkKind.__members__
    assert ChunkKind.CHUNK_CUT in ChunkKind
    assert 99 not in ChunkKind


def test_several_bits_together():
    both = TcpFlag(0x12)
    assert (repr(both), both.name) == ("<TcpFlag.SYN|ACK: 18>", "SYN|ACK")
    assert both == TcpFlag.SYN | TcpFlag.ACK
    assert TcpFlag(0x802).name == "SYN|0x800"
    assert TcpFlag(0).name == ""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [Finding(8), ChunkKind(0), ChunkKind, TcpFlag(0x12)])
def test_members_and_groups_are_pickled_and_copied(value, protocol):
    for again in (pickle.loads(pickle.dumps(value, protocol)), copy.deepcopy(value)):
        assert again == value
        assert repr(again) == repr(value)


def test_what_no_name_stands_for_is_an_error():
    with pytest.raises(ValueError, match="99 is not a valid ChunkKind"):
        ChunkKind(99)
    with pytest.raises(KeyError):
        ChunkKind["CHUNK"]
    with pytest.raises(AttributeError):
        ChunkKind.CHUNK  # noqa: B018


def test_no_number_of_a_group_has_two_names():
    groups = Codes.__subclasses__()
    assert len(groups) > 20
    assert all(len(set(group)) == len(group.__members__) for group in groups)
