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

import tcpkit
from packets import T0, Conversation, Frame, pcap
from tcpkit import export as export_module
from tcpkit.budget import LEAST
from tcpkit.capture_names import named, names_of, record_of
from tcpkit.completed_file import completed
from tcpkit.export import export


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


def test_a_directory_is_done_again_when_a_file_in_it_has_changed(captures, tmp_path):
    day, out = tmp_path / "day", tmp_path / "out"
    day.mkdir()
    parts = [capture.rename(day / capture.name) for capture in captures]
    assert [each.rows["packets"] for each in export([day], out)] == [15]
    assert [each.was_done for each in export([day], out)] == [True]
    before = day.stat()
    parts[0].write_bytes(Conversation().handshake().pcap())
    assert (day.stat().st_size, day.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert [(each.was_done, each.rows["packets"]) for each in export([day], out)] == [(False, 14)]
    os.utime(parts[1], ns=(0, 2 * before.st_mtime_ns))
    assert [each.was_done for each in export([day], out)] == [False]
    parts[2].unlink()
    assert [each.was_done for each in export([day], out)] == [False]
    parts[1].unlink()
    parts[0].unlink()
    (told,) = export([day], out)
    assert told.error == "a directory without captures"


def test_what_the_account_says_of_a_capture_does_not_name_it_again(captures, tmp_path):
    captures[0].write_bytes(b"this is not a capture")
    (told,) = export(captures[:1], tmp_path / "out")
    assert told.error.startswith("not a capture")
    (told,) = export(captures[1:2], "/dev/null")
    assert told.error == "/dev/null/done: Not a directory"


def test_a_wrong_filter_is_told_before_anything_is_written(captures, tmp_path):
    for options in ({"where": "tcp.strem"}, {"capture_filter": "prot 80"}):
        with pytest.raises(tcpkit.FilterError):
            list(export(captures, tmp_path / "out", **options))
    assert not (tmp_path / "out").exists()


def test_a_filter_that_does_not_fit_one_capture_does_not_keep_the_others(captures, tmp_path):
    captures[0].write_bytes(pcap([Frame(T0, bytes(40), 40)], link_type=101))      # whose frames have no VLAN tags
    done = {each.capture: each for each in export(captures, tmp_path / "out", capture_filter="not vlan")}
    assert "no VLAN support" in done[str(captures[0])].error
    assert "\n" not in done[str(captures[0])].error
    assert [done[str(capture)].rows["packets"] for capture in captures[1:]] == [5, 6]
    assert not (tmp_path / "out" / "packets" / "capture=part0.pcap").exists()


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
    names = [name for _, name in named(
        [tmp_path / "a" / "x.pcap", tmp_path / "b" / "x.pcap", tmp_path / "y.pcap"], tmp_path)]
    assert len(set(names)) == 3
    assert names[2] == "y.pcap"


def test_a_directory_named_by_its_place_has_its_own_name(captures, tmp_path, monkeypatch):
    day = tmp_path / "day"
    (day / "night").mkdir(parents=True)
    captures[0].rename(day / "x.pcap")
    for here, name in ((day, "."), (day / "night", ".."), (tmp_path, "day/")):
        monkeypatch.chdir(here)
        assert [(each.error, each.was_done) for each in export([name], tmp_path / "out")] == [("", here != day)]
    assert pq.read_table(tmp_path / "out" / "flows")["capture"].unique().to_pylist() == ["day"]


def test_unknown_tables_and_forms(captures, tmp_path):
    with pytest.raises(ValueError, match='no table "packet"'):
        list(export(captures, tmp_path, tables=["packet"]))
    with pytest.raises(ValueError, match='cannot write "xlsx"'):
        list(export(captures, tmp_path, form="xlsx"))


@pytest.fixture
def big(tmp_path):
    talk = Conversation(time=1_700_000_000_000_000_000).handshake()
    for turn in range(60_000):
        talk.c("PA", 1 + 10 * turn, 1, 10)
    big = tmp_path / "big.pcap"
    big.write_bytes(talk.pcap())
    return big


# tcpkit whose export takes a while for each large piece of a table: it does not end before it is interrupted.
SLOW = """
import time
from tcpkit import cli
from tcpkit.table import Table
convert = Table.to_arrow
def convert_slowly(table, *columns):
    time.sleep(0.5 * (len(table) > 1000))
    return convert(table, *columns)
Table.to_arrow = convert_slowly
cli.main()
"""


def test_who_takes_no_more_accounts_ends_the_work(captures, tmp_path, big):
    """What is in hand is neither finished nor taken for done."""
    out = tmp_path / "out"
    accounts = export([captures[0], big], out, threads=2)
    assert next(accounts).capture == str(captures[0])
    accounts.close()
    assert files_of(out / "done") == ["part0.pcap.json"]
    assert not list(out.rglob("*big*"))


@pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_ctrl_c_leaves_the_captures_in_hand(captures, tmp_path, big, ended_by, status):
    out = tmp_path / "out"
    command = [sys.executable, "-c", SLOW, "export", str(captures[0]), str(big), "-o", str(out), "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list(out.glob("packets/*big*/*.part")):
            time.sleep(0.001)
        process.send_signal(ended_by)
        told, complaints = process.communicate(timeout=60)
    assert process.returncode == status
    assert told == f"{captures[0]}: 4 packets, 1 flow\n".encode()
    assert complaints.startswith(b"tcpkit: interrupted")
    assert complaints.count(b"\n") == 1
    assert files_of(out / "done") == ["part0.pcap.json"]
    assert not list(out.rglob("*big*"))


def test_killed_and_resumed_equals_uninterrupted(tmp_path, big):
    command = [sys.executable, "-c", SLOW, "export", str(big), "-o", str(tmp_path / "killed")]
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


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"null", b'{"rows": null}', b"\xff", None], ids=repr)
def test_a_damaged_record_is_none(captures, tmp_path, damage):
    out = tmp_path / "out"
    list(export(captures, out))
    record = out / "done" / "part0.pcap.json"
    record.unlink()
    if damage is None:
        record.mkdir()
    else:
        record.write_bytes(damage)
    again = {each.capture: each for each in export(captures, out)}
    assert [again[str(path)].was_done for path in captures] == [False, True, True]
    assert bool(again[str(captures[0])].error) == (damage is None)


def test_tables_that_are_gone_are_made_again(captures, tmp_path):
    out = tmp_path / "out"
    list(export(captures, out))
    (out / "flows" / "capture=part1.pcap" / "flows.parquet").unlink()
    assert {each.capture: each.was_done for each in export(captures, out)} == {
        str(path): path.name != "part1.pcap" for path in captures}
    assert len(files_of(out)) == 9


@pytest.mark.parametrize(("n", "share"), [(1, 2), (3, 1)])
def test_captures_share_the_memory_limit_if_they_are_several(captures, tmp_path, n, share):
    list(export(captures[:n], tmp_path, threads=2, memory_limit=2 * LEAST))
    records = [json.loads(path.read_text()) for path in (tmp_path / "done").iterdir()]
    assert [record["memory_limit"] for record in records] == [share * LEAST] * n


def test_what_the_memory_limit_cut_short_is_done_again_with_more(captures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(tcpkit.Capture, "warnings", property(lambda _: ["connections ended early"]))
    for limit, was_done in ((256 << 20, False), (256 << 20, True), (200 << 20, True), (512 << 20, False)):
        assert {each.was_done for each in export(captures, out, threads=1, memory_limit=limit)} == {was_done}


def test_a_capture_that_is_named_twice_is_exported_once(captures, tmp_path):
    here = captures[0].parent / "." / captures[0].name
    assert len(list(export([captures[0], str(here), captures[0]], tmp_path / "out"))) == 1


def test_a_pipe_is_not_waited_for(captures, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    told = {each.capture: each.error for each in export([tmp_path / "pipe", captures[0]], tmp_path / "out")}
    assert told == {str(tmp_path / "pipe"): "only files are exported, and directories of files", str(captures[0]): ""}


def test_two_exports_at_once_do_not_write_the_same_files(captures, tmp_path):
    """They would leave a record of what one wrote beside a table of the other."""
    out = tmp_path / "out"
    told = []

    def meet():
        if not told and list(out.glob("packets/*/*.part")):
            told.extend(export(captures[:1], out, tables=["packets"], where="tcp.len > 0"))
        return False

    (first,) = export(captures[:1], out, stopped=meet)
    assert first.rows == {"packets": 4, "flows": 1}
    assert [each.error for each in told] == ["another export to this directory is at work on it"]
    assert json.loads((out / "done/part0.pcap.json").read_text())["job"]["where"] == ""
    assert not list(out.rglob("*.part"))
    (again,) = export(captures[:1], out)
    assert again.was_done


def test_what_a_killed_export_left_is_written_over(captures, tmp_path):
    out = tmp_path / "out"
    for part in ("done/part0.pcap.json.part", "packets/capture=part0.pcap/packets.parquet.part"):
        (out / part).parent.mkdir(parents=True)
        (out / part).write_bytes(b"x" * 100_000)
    assert [each.error for each in export(captures[:1], out)] == [""]
    assert pq.read_table(out / "packets").num_rows == 4
    json.loads((out / "done/part0.pcap.json").read_bytes())


@pytest.fixture
def days(captures, tmp_path):
    """Captures of one name."""
    for number, path in enumerate(captures):
        (tmp_path / f"day{number}").mkdir()
        path.rename(tmp_path / f"day{number}" / "x.pcap")
    return [tmp_path / f"day{number}" / "x.pcap" for number in range(3)]


def test_a_later_export_does_not_write_over_another_capture_of_the_same_name(days, tmp_path):
    out = tmp_path / "out"
    for chosen in (days[:1], days[1:2], days[1:], days, days[2:], days[:1]):
        assert not [each.error for each in export(chosen, out) if each.error]
    assert sum(len(list(out.glob(f"{table}/*"))) for table in ("packets", "flows")) == 6
    assert pq.read_table(out / "packets").num_rows == 4 + 5 + 6
    assert all(each.was_done for each in export(days, out))


def test_a_name_that_another_export_has_given_meanwhile_is_not_taken(days, tmp_path, monkeypatch):
    out, state = tmp_path / "out", export_module.state_of

    def after_another_export(path):
        monkeypatch.setattr(export_module, "state_of", state)
        list(export(days[:1], out))
        return state(path)

    monkeypatch.setattr(export_module, "state_of", after_another_export)
    (late,) = export(days[1:2], out)
    assert late.error.endswith(f"x.pcap.json: another export has just given its name to {days[0]}; try again")
    assert [each.was_done for each in export(days[:1], out)] == [True]
    assert [each.error for each in export(days[1:2], out)] == [""]
    assert pq.read_table(out / "packets").num_rows == 4 + 5


def test_a_capture_does_not_get_two_names_from_exports_at_a_time(days, tmp_path, monkeypatch):
    """In one others share its name, in the other none do."""
    out, state = tmp_path / "out", export_module.state_of
    with completed(record_of(names_of(days[0])[1], out)):
        (late,) = export(days[:1], out)
        assert late.error.endswith("another export to this directory is at work on it")

    def after_another_export(path):
        monkeypatch.setattr(export_module, "state_of", state)
        list(export(days[:2], out))
        return state(path)

    monkeypatch.setattr(export_module, "state_of", after_another_export)
    (late,) = export(days[:1], out)
    assert late.error.endswith(f"another export has named it {names_of(days[0])[1]}; try again")
    assert [each.was_done for each in export(days[:1], out)] == [True]
    assert pq.read_table(out / "packets").num_rows == 4 + 5


def test_links_that_lead_to_each_other_are_no_capture(captures, tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    told = {each.capture: each.error for each in export([tmp_path / "a", captures[0]], tmp_path / "out")}
    assert told == {str(tmp_path / "a"): "Too many levels of symbolic links", str(captures[0]): ""}
    assert sum(len(piece) for piece in tcpkit.scan(tmp_path)) == 4 + 5 + 6


def test_a_capture_that_was_moved_takes_the_place_of_what_it_was(days, tmp_path):
    out = tmp_path / "out"
    list(export(days[:1], out))
    days[0].rename(days[1])
    assert [each.was_done for each in export(days[1:2], out)] == [False]
    assert pq.read_table(out / "packets").num_rows == 4


def test_a_capture_is_the_same_from_whatever_directory_it_is_named(days, tmp_path, monkeypatch):
    out = tmp_path / "out"
    list(export(days[:1], out))
    monkeypatch.chdir(days[0].parent)
    assert [each.was_done for each in export(["x.pcap"], out)] == [True]
    monkeypatch.chdir(days[1].parent)
    assert [each.was_done for each in export(["x.pcap"], out)] == [False]


@pytest.mark.parametrize("name", ["Я" * 100, "x" * 240, "%" * 200])
def test_long_names(captures, tmp_path, name):
    path = captures[0].rename(tmp_path / f"{name}.pcap")
    for was_done in (False, True):
        assert [(each.error, each.was_done) for each in export([path], tmp_path / "out")] == [("", was_done)]
    assert len(set(pq.read_table(tmp_path / "out" / "packets")["capture"].to_pylist()[0]) & set(name)) == 1
