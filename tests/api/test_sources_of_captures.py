"""What ``open`` takes, and how often it can be gone through."""
from __future__ import annotations

import copy
import gzip
import io
import os
import pickle
import tempfile
import threading

import pytest

import tcpkit
from packets import Conversation, pcap

TALK = Conversation().handshake().c("PA", 1, 1, 100).s("A", 1, 101).c("FA", 101, 1)
BYTES = TALK.pcap()
LONG = pcap(TALK.frames * 1000)      # some batches


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


@pytest.mark.parametrize("n", [1, 2])
def test_a_list_of_file_objects_is_gone_through_again(n):
    files = [io.BytesIO(b"junk" + BYTES) for _ in range(n)]
    for file in files:
        file.seek(4)
    capture = tcpkit.open(files)
    assert len(capture.packets) == sum(map(len, capture.batches())) == n * len(TALK.frames)
    assert len(capture.conversations) == len(capture.flows) == 1


class Stream:
    """Has no more than it takes."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def readinto(self, buffer):
        return self._file.readinto(buffer)


def test_what_cannot_be_set_back_is_none_of_several(path):
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb", buffering=0) as pipe:
        for source in (pipe, Stream(BYTES), "-"):
            with pytest.raises(tcpkit.CaptureError, match="only once, so it cannot be one of several captures"):
                tcpkit.open([source, path])
    assert len(tcpkit.open([Stream(BYTES)]).packets) == len(TALK.frames)


def test_a_named_pipe_is_not_waited_for_again(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(BYTES))
    writer.start()
    capture = tcpkit.open(pipe)
    assert len(capture.flows) == 1
    writer.join()
    rescue = threading.Timer(2, lambda: os.close(os.open(pipe, os.O_WRONLY)))      # of who waits for a writer
    rescue.daemon = True
    rescue.start()
    with pytest.raises(tcpkit.CaptureError, match="pipe: can be read only once"):
        _ = capture.packets
    rescue.cancel()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_pass_over_a_file_object_is_not_pulled_from_under_a_loop(threads):
    capture = tcpkit.open(io.BytesIO(LONG), threads=threads)
    rows = 0
    for piece in capture.batches():
        rows += len(piece)
        with pytest.raises(RuntimeError, match="a file object can be read by one at a time"):
            _ = capture.warnings
    assert rows == len(capture.packets) > 2048
    loop = capture.batches()
    next(loop)
    loop.close()
    assert len(list(capture.batches())) > 1


def test_passes_over_a_path_go_beside_each_other(tmp_path):
    path = tmp_path / "long.pcap"
    path.write_bytes(LONG)
    capture = tcpkit.open(path)
    assert sum(len(piece) for piece in capture.batches() if not capture.warnings) == len(capture.packets)


def test_strict_fails_every_time(path):
    path.write_bytes(BYTES[:-3])
    capture = tcpkit.open(path, strict=True)
    for name in ("flows", "flows", "conversations", "warnings", "n_flows"):
        with pytest.raises(tcpkit.CaptureError, match="ends in the middle"):
            getattr(capture, name)


@pytest.mark.parametrize(("stages", "before", "name"), [
    (["flows"], "handshakes", "flows"), (["flows"], "judged_flows", "flows"), (["analysis"], "flows", "flows"),
    (["analysis"], "retransmissions", "directions"), (["analysis"], "retransmissions", "flows")])
def test_columns_do_not_depend_on_what_was_asked_before(path, stages, before, name):
    one, other = tcpkit.open(path, stages=stages), tcpkit.open(path, stages=stages)
    getattr(other, before)
    assert getattr(other, name).columns == getattr(one, name).columns


def test_flows_are_not_told_without_their_stage(path):
    capture = tcpkit.open(path, stages=["decode"])
    for _ in range(2):
        with pytest.raises(ValueError, match='flows need the stage "flows"'):
            _ = capture.flows
        assert len(capture.handshakes) == 1


def test_columns_of_flows_take_the_stages_they_need(path):
    assert [piece.columns for piece in tcpkit.open(path, stages=["decode"]).flow_pieces(["client"])] != []


def test_no_columns_take_no_stage_but_decode(path):
    table, = tcpkit.scan(path, columns=[])
    assert len(table) == len(TALK.frames)
    assert "tcp.stream" not in table


def test_a_capture_stays_where_it_is(path):
    capture = tcpkit.open(path)
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="open it again there"):
            copied(capture)
    assert len(capture.packets) == len(TALK.frames)


@pytest.mark.parametrize("data", [LONG, gzip.compress(LONG)], ids=["plain", "compressed"])
def test_a_pass_that_another_one_has_overtaken_does_not_read_a_file_object(data):
    """It would begin in the middle, or at the end."""
    capture = tcpkit.open(io.BytesIO(data))
    first, second = capture.pipeline(), capture.pipeline()
    assert sum(batch.n_frames for batch in second) == len(TALK.frames) * 1000
    with pytest.raises(RuntimeError, match="another pass over capture was made before this one began"):
        first.run()


def test_a_pass_over_a_pipe_is_not_overtaken_by_one_that_cannot_be_made():
    reading, writing = os.pipe()
    os.write(writing, BYTES)
    os.close(writing)
    with open(reading, "rb", buffering=0) as file:
        capture = tcpkit.open(file)
        first = capture.pipeline()
        with pytest.raises(tcpkit.CaptureError, match="only once"):
            capture.pipeline()
        assert sum(batch.n_frames for batch in first) == len(TALK.frames)


def test_stop_before_a_pass_ends_the_waiting_of_the_next_one():
    reading, writing = os.pipe()
    os.write(writing, BYTES)
    rescue = threading.Timer(20, os.close, [writing])
    rescue.start()
    with open(reading, "rb", buffering=0) as file:
        capture = tcpkit.open(file)
        capture.stop()
        assert len(capture.packets) == len(TALK.frames)
    assert rescue.is_alive()
    rescue.cancel()
    os.close(writing)


def test_conversations_need_no_temporary_file_that_nothing_is_written_to(path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert len(tcpkit.open(path).conversations) == 1
    assert sum(map(len, tcpkit.open(path).conversation_pieces())) == 1
