"""``http`` and ``overlaps``: rows with texts of any length, in every format, with the columns asked for."""
from __future__ import annotations

import csv
import io
import json
import os
import signal

import pytest
from pyarrow import parquet

import tcpkit
import tcpkit.overlaps as overlaps
from packets import Conversation
from tcpkit.http_columns import HTTP
from tcpkit.overlap_columns import OVERLAPS
from tcpkit.overlaps import differences
from tcpkit.pipeline import Pipeline

SCHEMAS = {"http": HTTP, "overlaps": OVERLAPS}
CHOSEN = {"http": ["status", "target", "complete", "wait"], "overlaps": ["other", "evades", "stream"]}


@pytest.fixture(params=SCHEMAS)
def command(request):
    return request.param


@pytest.fixture
def talk(command, tmp_path):
    if command == "http":
        talk = Conversation().handshake().c("PA", 1, 1, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.0\r\n\r\n")
        talk.s("PA", 1, 48, b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi")
    else:
        talk = Conversation().handshake().c("A", 1, 1, b"good").c("A", 1, 1, b"evil")
        talk.c("A", 8, 1, b"\x1b[2J").c("A", 7, 1, b"abcdefgh").c("A", 5, 1, b"!!")
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.pcap())
    return path


@pytest.fixture
def rows(command, talk):
    capture = tcpkit.open(talk)
    rows = [row.to_dict() for row in (capture.http if command == "http" else differences(capture.streams))]
    assert len(rows) > 1
    return rows


def only(names, rows):
    return [{name: row[name] for name in names} for row in rows]


def test_each_row_has_every_column(command, rows):
    assert all(tuple(row) == tuple(column.name for column in SCHEMAS[command].columns) for row in rows)


@pytest.mark.parametrize("chosen", [False, True])
def test_every_format(run, command, talk, rows, chosen, tmp_path):
    names = CHOSEN[command] if chosen else [column.name for column in SCHEMAS[command].columns]
    asked, wanted = [command, talk, *(["--columns", ",".join(names)] if chosen else [])], only(names, rows)
    assert json.loads(run(*asked, "--format", "json")[1]) == wanted
    assert [json.loads(line) for line in run(*asked, "--format", "jsonl")[1].splitlines()] == wanted
    marks = {None: "", False: "", True: "1"}                # as in every table
    text = [{name: marks[value] if value is None or isinstance(value, bool) else str(value)
             for name, value in row.items()} for row in wanted]
    assert list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv")[1].decode()))) == text
    assert run(*asked, "--format", "parquet", "-o", tmp_path / "rows") == (0, b"", "")
    assert parquet.read_table(tmp_path / "rows").to_pylist() == wanted
    head, *lines = run(*asked)[1].decode().splitlines()
    assert head.split() == (names if chosen else list(SCHEMAS[command].summary))
    assert len(lines) == len(rows)


SELECTED = {
    "http": {'method == "GET"': lambda row: row["method"] == "GET", "status": lambda row: row["status"] is not None,
             'target contains "b" or complete': lambda row: "b" in row["target"] or row["complete"],
             'lower(method) == "head" and not status': lambda row: row["method"] == "HEAD" and row["status"] is None,
             "tcp.stream == 0 && request_bytes > 26": lambda row: row["request_bytes"] > 26,
             "wait >= 0.0": lambda row: row["wait"] is not None, "status in {300..399}": lambda row: False},
    "overlaps": {"evades": lambda row: row["evades"], "not evades": lambda row: not row["evades"],
                 'other matches "EVIL|2j"': lambda row: "evil" in row["other"] or "2J" in row["other"],
                 "length + 0 == 4": lambda row: row["length"] == 4, 'sender == "server"': lambda row: False,
                 "frame < other_frame": lambda row: row["frame"] < row["other_frame"]}}


def test_display_filter(run, command, talk, rows):
    for where, chosen in SELECTED[command].items():
        status, out, err = run(command, talk, "-Y", where, "--format", "json")
        assert (status, err) == (0, "")
        assert json.loads(out) == [row for row in rows if chosen(row)], where


def test_no_rows_are_a_table_too(run, tmp_path):
    path = tmp_path / "silence.pcap"
    path.write_bytes(Conversation().handshake().pcap())
    for command, schema in SCHEMAS.items():
        names = [column.name for column in schema.columns]
        assert run(command, path)[1].decode().split() == list(schema.summary)
        assert run(command, path, "--format", "csv")[1].decode() == ",".join(names) + "\n"
        run(command, path, "--format", "parquet", "-o", tmp_path / "rows")
        assert parquet.read_schema(tmp_path / "rows").names == names


def test_a_wrong_name_is_told_before_the_capture_is_read(run, command, talk, monkeypatch):
    monkeypatch.setattr(Pipeline, "_read", lambda *_: pytest.fail("it was read"))
    status, out, err = run(command, talk, "--columns", "straem")
    assert (status, out, err) == (2, b"", 'tcpkit: "straem" is not a field; did you mean "stream"?\n')


@pytest.mark.parametrize("command", ["overlaps"], indirect=True)
def test_evasions_and_bytes_that_are_no_letters(run, talk):
    assert [len(run("overlaps", talk, *options)[1].splitlines()) for options in ((), ("--evasions",))] == [3, 2]
    (row,) = json.loads(run("overlaps", talk, "--evasions", "--format", "json")[1])
    assert (row["frame"], row["kept"], row["other_frame"], row["other"]) == (7, "bcde", 6, "\\x1b[2J")
    assert row["other_by"] == "first, bsd-right, vista"
    assert "linux" in row["kept_by"]


@pytest.mark.parametrize("command", ["overlaps"], indirect=True)
@pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("form", ["table", "csv"])
def test_interrupted_it_lists_what_it_has_found(cli, talk, monkeypatch, ended_by, status, form):
    """Also when all has been read: to compare the bytes of many streams takes a while."""
    def slowly(streams):
        for found in differences(streams):
            yield found
            os.kill(os.getpid(), ended_by)

    monkeypatch.setattr(overlaps, "differences", slowly)
    done = cli("overlaps", talk, "--format", form)
    assert (done.status, done.err) == (status, b"tcpkit: interrupted: this is what was done so far\n")
    assert len(done.out.splitlines()) == 2
