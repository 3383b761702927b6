"""Groups of numbers that are enums where they are used as such."""
from enum import IntEnum

import pytest

from tcpcore.flags import ChunkKind, Finding, TcpFlag


def test_names_are_plain_numbers():
    assert type(Finding.OUT_OF_ORDER) is int
    assert Finding.OUT_OF_ORDER == 8
    assert list(ChunkKind.__members__) == ["CHUNK_DATA", "CHUNK_MISSING", "CHUNK_UNSEEN", "CHUNK_CUT", "CHUNK_DROPPED",
                                           "CHUNK_END"]


def test_members_of_an_enum_are_made_on_demand():
    member = ChunkKind(3)
    assert isinstance(member, IntEnum)
    assert member.name == "CHUNK_CUT"
    assert member is ChunkKind["CHUNK_CUT"]
    assert [(one.name, int(one)) for one in ChunkKind] == list(ChunkKind.__members__.items())


def test_bits_are_told_apart():
    assert repr(TcpFlag(0x12)) == "<TcpFlag.SYN|ACK: 18>"
    assert len(list(TcpFlag)) == len(TcpFlag.__members__)


def test_what_no_name_stands_for_is_an_error():
    with pytest.raises(ValueError, match="99 is not a valid ChunkKind"):
        ChunkKind(99)
    with pytest.raises(KeyError):
        ChunkKind["CHUNK"]
    with pytest.raises(AttributeError):
        ChunkKind.CHUNK  # noqa: B018
