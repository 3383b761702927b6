"""What ``open`` takes, and how often it can be gone through."""
from __future__ import annotations

import gzip
import io
import os

import pytest

import tcpkit
from packets import Conversation, pcap

TALK = Conversation().handshake().c("PA", 1, 1, 100).s("A", 1, 101).c("FA", 101, 1)
BYTES = TALK.pcap()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "talk.pcap"
    file.write_bytes(BYTES)
    return file


def test_path_string_and_file_object_give_the_same(path):
    expected = tcpkit.open(path).packets.array
    with path.open("rb") as file:
        for source in (str(path), io.BytesIO(BYTES), file):
            assert (tcpkit.open(source).packets.array == expected).all()


def test_compressed_is_seen_by_content(path):
    path.write_bytes(gzip.compress(BYTES))
    assert len(tcpkit.open(path).packets) == len(TALK.frames)


def test_a_list_is_one_capture_in_order_of_time(tmp_path):
    first, second = tmp_path / "z.pcap", tmp_path / "a.pcap"
    first.write_bytes(pcap(TALK.frames[:3]))
    second.write_bytes(pcap(TALK.frames[3:]))
    whole = tcpkit.open(io.BytesIO(BYTES)).packets
    for sources in ([second, first], iter([first, second]), tmp_path, f"{tmp_path}/*.pcap"):
        parts = tcpkit.open(sources)
        assert parts.packets["time"].tolist() == whole["time"].tolist()
        assert parts.packets["seq"].tolist() == whole["seq"].tolist()
        assert len(parts.flows) == 1


def test_a_file_object_is_gone_through_from_where_it_stood():
    file = io.BytesIO(b"junk" + BYTES)
    file.seek(4)
    capture = tcpkit.open(file)
    assert len(capture.packets) == len(list(capture.retransmissions)) + len(TALK.frames)
    assert [len(table) for table in capture.batches()] == [len(TALK.frames)]


def test_a_pipe_can_be_read_once():
    reading, writing = os.pipe()
    with open(writing, "wb") as file:
        file.write(BYTES)
    with open(reading, "rb", buffering=0) as file:
        capture = tcpkit.open(file)
        assert len(capture.packets) == len(TALK.frames)
        assert len(capture.flows) == 1
        with pytest.raises(tcpkit.CaptureError, match="only once"):
            list(capture.batches())


@pytest.mark.parametrize(("asked", "passes"), [
    (("packets", "flows", "directions", "conversations", "warnings"), 1), (("directions", "flows", "warnings"), 2),
    (("conversations", "warnings"), 1), (("warnings", "conversations"), 2), (("retransmissions", "flows"), 1)])
def test_one_pass_answers_many_questions(path, asked, passes):
    seen = set()
    capture = tcpkit.open(path, observer=seen.add)
    for name in asked:
        getattr(capture, name)
    assert len(seen) == passes


def test_leaving_a_scan_early_leaves_the_rest_whole(path):
    capture = tcpkit.open(path)
    for _ in capture.batches():
        break
    assert capture.flows["packets_client"].tolist() == [4]


@pytest.mark.parametrize(("stages", "there", "missing"), [
    (["decode"], "tcp.len", "tcp.stream"), (["flows"], "tcp.stream", "tcp.analysis.flags"),
    (["analysis"], "tcp.analysis.flags", "tcpkit.state.client")])
def test_stages_say_how_far_the_work_goes(path, stages, there, missing):
    table, = tcpkit.scan(path, stages=stages)
    assert len(table[there]) == len(TALK.frames)
    with pytest.raises(tcpkit.FieldError):
        table[missing]
    assert tcpkit.open(path, stages=stages).packets.columns == table.columns


def test_columns_say_how_far_the_work_goes(path):
    table, = tcpkit.scan(path, columns=["tcp.stream", "payload_len"])
    assert "seq" in table.columns
    assert "retransmission" not in table.columns


def test_wrong_stage(path):
    with pytest.raises(ValueError, match='no stage "decoding"; there are decode, flows'):
        tcpkit.open(path, stages=["decoding"])
    with pytest.raises(TypeError, match=r'\["flows"\], not "flows"'):
        tcpkit.open(path, stages="flows")
    with pytest.raises(TypeError, match=r'\["flows"\], not "flows"'):
        tcpkit.open(path).pipeline("flows")


def test_wrong_column(path):
    with pytest.raises(tcpkit.FieldError, match=r'did you mean "tcp\.stream"'):
        list(tcpkit.scan(path, columns=["tcp.steam"]))
