"""Copies that differ, and who reads which."""
import io

import tcpkit
from packets import Conversation
from tcpkit.overlaps import differences
from tcpkit.policies import POLICIES


def found(talk):
    return list(differences(tcpkit.open(io.BytesIO(talk.pcap())).streams))


def test_bytes_changed_after_they_were_delivered():
    talk = Conversation().handshake().c("A", 1, 1, b"GET /good").c("A", 1, 1, b"GET /evil").s("A", 1, 10)
    (only,) = found(talk)
    assert only[:7] == (0, "client", 5, b"good", b"evil", 4, 5)
    assert not only.evades
    assert only.policies == {b"good": tuple(POLICIES)}


def test_bytes_that_hosts_read_differently():
    talk = Conversation().handshake()
    talk.c("A", 3, 1, b"XXXX").c("A", 2, 1, b"abcdefgh").c("A", 1, 1, b"!")
    first, second = found(talk), POLICIES
    (only,) = first
    assert (only.offset, only.kept, only.other) == (2, b"bcde", b"XXXX")
    assert only.evades
    assert only.policies[b"XXXX"] == ("first", "bsd-right", "vista")
    assert set(only.policies[b"bcde"]) == set(second) - {"first", "bsd-right", "vista"}


def test_equal_copies_are_no_difference():
    talk = Conversation().handshake().c("A", 1, 1, b"abcdef").c("A", 3, 1, b"cdefgh").c("A", 20, 1, b"zz")
    talk.c("A", 20, 1, b"zz").c("A", 1, 1, b"abcdef", snap=57)
    assert found(talk) == []


def test_the_same_difference_is_told_once():
    talk = Conversation().handshake().c("A", 1, 1, b"good").c("A", 1, 1, b"evil").c("A", 1, 1, b"evil")
    assert len(found(talk)) == 1
