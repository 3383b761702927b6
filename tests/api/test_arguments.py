"""Arguments that make no sense are refused where they are given, by their name."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from packets import Conversation
from tcpkit.cluster import table
from tcpkit.export import export

BYTES = Conversation().handshake().c("PA", 1, 1, 100).pcap()
NO_LOCATION = r"a path, a URL or a binary file object with readinto\(\), not "


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ({"threads": -1}, ValueError, "-1 threads cannot work"),
    ({"threads": 1.5}, TypeError, "threads are a whole number, not 1.5"),
    ({"stages": []}, ValueError, "no stage is named; there are decode, flows, analysis, lifecycle, verdicts"),
    ({"stages": None}, TypeError, "stages are a list of names, not None"),
    ({"stages": "flows"}, TypeError, "stages are several"),
    ({"memory_limit": "1G"}, TypeError, "a memory limit is a whole number of bytes, not '1G'"),
    ({"msl": -1}, ValueError, "-1 seconds are no maximum segment lifetime"),
    ({"msl": float("nan")}, ValueError, "nan seconds are no maximum segment lifetime"),
    ({"msl": "2"}, TypeError, "'2' is no maximum segment lifetime"),
    ({"idle_timeout": "60"}, TypeError, "'60' is no idle time-out")], ids=str)
def test_what_cannot_be_worked_with(arguments, kind, message):
    with pytest.raises(kind, match=message):
        tcpkit.open(io.BytesIO(BYTES), **arguments)


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ({"patience": -1}, ValueError, "-1 seconds are no patience: 0 to"),
    ({"patience": float("nan")}, ValueError, "nan seconds are no patience"),
    ({"timeout": 1e30}, ValueError, r"1e\+30 seconds are no time-out: 0 to"),
    ({"timeout": "60"}, TypeError, "'60' is no time-out")], ids=str)
def test_times_of_a_scan_of_streams(arguments, kind, message):
    with pytest.raises(kind, match=message):
        tcpkit.scan_streams(io.BytesIO(BYTES), **arguments)


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ({"memory_limit": 3}, ValueError, "a memory limit of 3 bytes is too small"),
    ({"snaplen": -1}, ValueError, "snaplen is 14 to 262,144, not -1"),
    ({"snaplen": 1 << 40}, ValueError, "snaplen is 14 to 262,144, not 1,099"),
    ({"count": -1}, ValueError, "count is 0 to "),
    ({"count": 2.5}, TypeError, "count is a whole number, not 2.5"),
    ({"buffer_size": 0}, ValueError, "buffer_size is 1 to "),
    ({"fanout": 1 << 16}, ValueError, "fanout is 0 to 65,535, not 65,536"),
    ({"duration": -1}, ValueError, r"-1 seconds are no duration: 0 \(until it is stopped\) to"),
    ({"duration": float("nan")}, ValueError, "nan seconds are no duration")], ids=str)
def test_what_a_live_session_cannot_work_with(arguments, kind, message):
    """Told before the interface is asked for."""
    with pytest.raises(kind, match=message):
        tcpkit.live("no such interface", **arguments)


def test_numbers_of_numpy_are_numbers():
    capture = tcpkit.open(io.BytesIO(BYTES), threads=np.int64(2), memory_limit=np.uint64(1 << 30), msl=np.float32(30),
                          idle_timeout=np.int32(60))
    assert len(capture.flows) == 1


@pytest.mark.parametrize("source", [None, 5, b"trace.pcap", 1.5, io.StringIO("trace.pcap\n")],
                         ids=lambda source: type(source).__name__)
def test_what_is_no_capture(source):
    for one in (source, [source]):
        with pytest.raises(TypeError, match=NO_LOCATION + type(source).__name__):
            tcpkit.open(one)


def test_a_file_opened_as_text_is_not_a_list_of_names(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("trace.pcap\n")
    with path.open() as file, pytest.raises(TypeError, match=NO_LOCATION + "TextIOWrapper"):
        tcpkit.open(file)


@pytest.mark.parametrize("text", [5, None, b"tcp"])
def test_a_filter_is_text(text):
    with pytest.raises(TypeError, match="a display filter is text, not "):
        tcpkit.open(io.BytesIO(BYTES)).packets.where(text)


def test_an_empty_filter_selects_all():
    packets = tcpkit.open(io.BytesIO(BYTES)).packets
    assert len(packets.where("")) == len(packets) > 0


def test_a_single_table_is_not_several(tmp_path):
    with pytest.raises(TypeError, match=r'tables are several: \["packets"\], not "packets"'):
        next(export([tmp_path], tmp_path / "out", tables="packets"))


def test_a_single_capture_is_not_several(tmp_path):
    for one in (str(tmp_path), tmp_path):
        with pytest.raises(TypeError, match="captures are several"):
            next(export(one, tmp_path / "out"))
    with pytest.raises(TypeError, match="captures are several"):
        table(str(tmp_path))
