"""tcpkit.export: complete files only, nothing done twice, one bad capture does not keep the others."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from pyarrow import ipc
from pyarrow import parquet as pq

from packets import T0, Conversation, Frame, pcap
from tcpkit.export import export, named


@pytest.fixture
def captures(tmp_path):
    paths = []
    for number in range(3):
        talk = Conversation(time=1_700_000_000_000_000_000 + number).handshake()
        for turn in range(number + 1):
            talk.c("PA", 1 + 10 * turn, 1, 10)
        paths.append(tmp_path / f"part{number}.pcap")
        paths[-1].write_bytes(talk.pcap())
    return paths


def files_of(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_every_table_of_every_capture(captures, tmp_path):
    out = tmp_path / "out"
    done = sorted(export(captures, out, tables=["packets", "flows"]), key=lambda each: each.capture)
    assert [each.rows for each in done] == [{"packets": 4 + number, "flows": 1} for number in range(3)]
    assert len(files_of(out)) == 9
    packets = pq.read_table(out / "packets")
    assert packets.num_rows == 15
    assert set(packets["capture"].to_pylist()) == {"part0.pcap", "part1.pcap", "part2.pcap"}


def test_files_say_how_they_are_sorted_and_words_are_dictionary_encoded(captures, tmp_path):
    list(export(captures[:1], tmp_path / "out", tables=["packets", "flows", "retransmissions"]))
    for table, first, order in (("packets", "frame", ["frame"]), ("flows", "stream", []),      # a limit may upset it
                                ("retransmissions", "frame", ["frame"])):
        (path,) = (tmp_path / "out" / table).rglob("*.parquet")
        group = pq.ParquetFile(path).metadata.row_group(0)
        assert [group.column(each.column_index).path_in_schema for each in group.sorting_columns] == order
        columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
        for name in columns.keys() & {"src", "client", "client_evidence", "teardown", "cause", "kind"}:
            assert columns[name].has_dictionary_page, name
        assert columns[first].compression == "ZSTD"
    assert "src" in pq.read_schema(next((tmp_path / "out" / "packets").rglob("*.parquet"))).names


@pytest.mark.parametrize("form", ["arrow", "csv"])
def test_other_formats(captures, tmp_path, form):
    assert [each.rows["packets"] for each in export(captures[:1], tmp_path / "out", form=form)] == [4]
    file = tmp_path / "out" / "packets" / "capture=part0.pcap" / f"packets.{form}"
    assert file.stat().st_size > 100


def test_finished_captures_are_not_done_again_unless_they_change(captures, tmp_path):
    out = tmp_path / "out"
    assert not any(each.was_done for each in export(captures, out))
    before = {name: (out / name).stat().st_mtime_ns for name in files_of(out)}
    assert all(each.was_done for each in export(captures, out))
    assert before == {name: (out / name).stat().st_mtime_ns for name in files_of(out)}
    os.utime(captures[1], ns=(0, 0))
    again = {each.capture: each.was_done for each in export(captures, out)}
    assert again == {str(captures[0]): True, str(captures[1]): False, str(captures[2]): True}
    assert not any(each.was_done for each in export(captures, out, where="tcp.len > 0"))


def test_a_bad_capture_is_told_and_a_damaged_one_delivered(captures, tmp_path):
    captures[0].write_bytes(b"this is not a capture")
    captures[1].write_bytes(captures[1].read_bytes()[:-5])
    done = {each.capture: each for each in export([tmp_path / "none", *captures], tmp_path / "out")}
    assert done[str(tmp_path / "none")].error == "No such file or directory"
    assert "not a capture" in done[str(captures[0])].error
    assert done[str(captures[1])].rows["packets"] == 4
    assert "at byte" in done[str(captures[1])].warnings[0]
    assert done[str(captures[2])].rows["packets"] == 6
    assert not (tmp_path / "out" / "done" / "part0.pcap.json").exists()


def test_files_of_one_name_are_told_apart(tmp_path):
    names = [name for _, name in named([tmp_path / "a" / "x.pcap", tmp_path / "b" / "x.pcap", tmp_path / "y.pcap"])]
    assert len(set(names)) == 3
    assert names[2] == "y.pcap"


def test_unknown_tables_and_forms(captures, tmp_path):
    with pytest.raises(ValueError, match='no table "packet"'):
        list(export(captures, tmp_path, tables=["packet"]))
    with pytest.raises(ValueError, match='cannot write "xlsx"'):
        list(export(captures, tmp_path, form="xlsx"))


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    talk = Conversation(time=1_700_000_000_000_000_000).handshake()
    for turn in range(60_000):
        talk.c("PA", 1 + 10 * turn, 1, 10)
    big = tmp_path / "big.pcap"
    big.write_bytes(talk.pcap())
    command = [sys.executable, "-m", "tcpkit", "export", str(big), "-o", str(tmp_path / "killed")]
    with subprocess.Popen(command) as process:
        while process.poll() is None and not list((tmp_path / "killed").glob("packets/*/*.part")):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not list((tmp_path / "killed").rglob("*.parquet"))
    assert [each.was_done for each in export([big], tmp_path / "killed")] == [False]
    list(export([big], tmp_path / "whole"))
    for table in ("packets", "flows"):
        whole = pq.read_table(tmp_path / "whole" / table)
        assert pq.read_table(tmp_path / "killed" / table).equals(whole)
    assert json.loads((tmp_path / "killed/done/big.pcap.json").read_text())["rows"]["packets"] == 60_003


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
@pytest.mark.parametrize("frames", [[], [Frame(T0, b"\0" * 60, 60)]], ids=["no frames", "no TCP"])
def test_a_capture_without_rows_is_a_table_all_the_same(tmp_path, captures, frames, form):
    """One file of nothing would make the whole directory unreadable."""
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(pcap(frames))
    out = tmp_path / "out"
    assert {each.capture: each.rows["packets"] for each in export([empty, captures[0]], out, form=form)} == {
        str(empty): 0, str(captures[0]): 4}
    heads = [pathlib.Path(out, "packets", f"capture={path.name}", f"packets.{form}") for path in (empty, captures[0])]
    read = {"parquet": pq.read_schema, "arrow": lambda path: ipc.open_file(path).schema,
            "csv": lambda path: path.read_text().partition("\n")[0]}[form]
    assert read(heads[0]) == read(heads[1])
