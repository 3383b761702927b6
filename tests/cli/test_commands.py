"""The command line as a user meets it: every command, every format, every way it can go wrong."""
from __future__ import annotations

import csv
import fcntl
import importlib
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from pyarrow import parquet

import tcpkit
from packets import (
    T0,
    Conversation,
    Frame,
    pcap,
    pcapng_interface,
    pcapng_packet,
    pcapng_section,
)
from tcpkit import capture_filter
from tcpkit.cli import HOME, MODULES
from tcpkit.cli.app import app
from tcpkit.packet_columns import PACKETS

TABLES = {
    "packets": lambda capture: capture.packets, "flows": lambda capture: capture.flows,
    "conversations": lambda capture: capture.conversations,
    "retransmissions": lambda capture: capture.retransmissions,
    "retransmissions --view directions": lambda capture: capture.directions,
}
COMMANDS = ("packets", "fields", "flows", "conversations", "retransmissions", "filter", "compare")


def start(*arguments, **options):
    """The command line in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "tcpkit", *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("command", TABLES)
def test_csv(run, path, capture, command):
    status, out, _ = run(*command.split(), path, "--format", "csv")
    table = TABLES[command](capture)
    head, *rows = csv.reader(io.StringIO(out.decode()))
    assert status == 0
    assert tuple(head) == table.columns
    shown = ["" if stream is None else str(stream) for stream in table["stream"].tolist()]
    assert [row[head.index("stream")] for row in rows] == shown


@pytest.mark.parametrize("command", TABLES)
def test_json_and_jsonl_hold_the_same_rows(run, path, capture, command):
    table = TABLES[command](capture)
    rows = json.loads(run(*command.split(), path, "--format", "json")[1])
    lines = [json.loads(line) for line in run(*command.split(), path, "--format", "jsonl")[1].splitlines()]
    assert rows == lines
    assert len(rows) == len(table)
    assert tuple(rows[0]) == table.columns
    assert [row["stream"] for row in rows] == table["stream"].tolist()


@pytest.mark.parametrize("command", TABLES)
def test_parquet(run, path, capture, command, tmp_path):
    target = tmp_path / "out.parquet"
    assert run(*command.split(), path, "--format", "parquet", "-o", target) == (0, b"", "")
    # What is written while the capture is read has the first verdicts, not those that later segments correct.
    verdicts = [column.name for column in PACKETS if column.stage == "verdicts"]
    written, table = parquet.read_table(target), TABLES[command](capture).to_arrow()
    late = verdicts if command == "packets" else []
    assert written.drop_columns(late).equals(table.drop_columns(late))


@pytest.mark.parametrize("command", [name for name in TABLES if name != "packets"])
def test_aligned_table(run, path, capture, command):
    _, out, _ = run(*command.split(), path)
    table = TABLES[command](capture)
    assert out.decode().startswith(table.to_grid())


def test_several_files_where_one_is_meant(run):
    """As the shell makes of a pattern that is not quoted."""
    status, _, told = run("flows", "a.pcap", "b.pcap")
    assert status == 2
    assert told.rstrip().endswith("(b.pcap); several files are read as one if a directory or a quoted pattern "
                                  "names them")
    for beside in (("explain", "a.pcap", "0", "1"), ("interfaces", "a.pcap")):
        assert run(*beside)[2].rstrip().endswith(f"({beside[-1]})")


def test_retransmissions_show_both_views(run, path, capture):
    _, out, _ = run("retransmissions", path)
    segments, directions = out.decode().split("\n\n")
    assert segments + "\n" == capture.retransmissions.to_grid()
    affected = capture.directions
    assert directions == affected[(affected["retransmissions"] > 0) | (affected["sent_again"] > 0)].to_grid()
    assert run("retransmissions", path, "--view", "segments")[1].decode() == capture.retransmissions.to_grid()


def test_a_display_filter_of_retransmissions_is_about_segments_alone(run, path, capture):
    frame = capture.retransmissions["frame"][0]
    _, out, _ = run("retransmissions", path, "-Y", f"frame == {frame}")
    assert out.decode() == capture.retransmissions.where(f"frame == {frame}").to_grid()


@pytest.mark.parametrize("command", ["flows", "conversations", "handshakes", "states", "retransmissions", "http"])
def test_a_table_of_connections_says_which_follow_and_explain_can_show(run, path, command):
    assert run(command, path)[1].decode().split()[0] == "stream"


@pytest.mark.parametrize(("option", "words", "told"), [
    ("-Y", "port 80", "it is a capture filter, for -f"), ("-f", "tcp.len > 0", "it is a display filter, for -Y"),
    ("-Y", "tcp.lenn > 0", "^^^^^^^^"), ("-f", "prt 80", "^^^"), ("-f", "tcp.lenn > 0", "^^^^^^^^")])
def test_a_filter_of_the_other_kind_is_told(run, path, option, words, told):
    status, out, err = run("packets", path, option, words)
    assert (status, out, err.splitlines()[-1].strip()) == (2, b"", told)


@pytest.mark.parametrize("text", ["host www.example.org", "src www", "port http"])
def test_no_network_is_asked_which_kind_a_filter_is(text, monkeypatch):
    monkeypatch.setattr(capture_filter, "mistake_in", lambda *_: pytest.fail("a name is looked up"))
    assert not capture_filter.is_capture_filter(text)


def test_a_filter_that_takes_long_to_compile_is_not_compiled_to_tell_its_kind():
    started = time.monotonic()
    assert capture_filter.is_capture_filter(" or ".join(f"port {number}" for number in range(280)))
    assert time.monotonic() - started < 1


def test_packet_list(run, path, capture):
    _, out, _ = run("packets", path)
    head, *lines = out.decode().splitlines()
    assert head.split() == ["No.", "Time", "Source", "Destination", "Length", "Info"]
    assert [int(line.split()[0]) for line in lines] == capture.packets["frame"].tolist()
    assert all(info in line for info, line in zip(capture.packets["info"], lines, strict=True))


def test_titles_stand_above_their_columns_of_ipv6_too(run, tmp_path):
    path = tmp_path / "six.pcap"
    path.write_bytes(Conversation(client="fd00::1", server="fd00:1:2:3:4:5:6:7").handshake().pcap())
    head, first, *_ = run("packets", path)[1].decode().splitlines()
    for title, value in (("Source", "fd00::1"), ("Destination", "fd00:1:2:3:4:5:6:7"), ("Info", "50000 → 60000")):
        assert head.index(title) == first.index(value)


def test_fields(run, path, capture):
    _, out, _ = run("fields", path, "-e", "frame.number", "-e", "tcp.stream")
    head, *lines = out.decode().splitlines()
    assert head == "frame.number\ttcp.stream"
    assert [int(line.split("\t")[0]) for line in lines] == capture.packets["frame"].tolist()
    listed = run("fields", "--list")[1].decode()
    assert all(re.search(rf"^{re.escape(name)} ", listed, re.M) for name in tcpkit.fields.contract_names())


def test_fields_are_listed_with_the_unit_that_is_printed(run, path):
    """Seconds, where the arrays have nanoseconds."""
    head, *lines = run("fields", "--list")[1].decode().splitlines()
    at = head.index("unit"), head.index("meaning")
    units = {line.split()[0]: line[slice(*at)].strip() for line in lines}
    assert units["tcp.time_delta"] == units["tcp.analysis.ack_rtt"] == "s"
    assert units["frame.time_epoch"] == "s since 1970"
    assert units["tcp.len"] == "bytes"
    names = [name for name, unit in units.items() if unit.split()[:1] == ["s"]]
    rows = run("fields", path, *(word for name in names for word in ("-e", name)))[1].decode().splitlines()[1:]
    printed = {cell for row in rows for cell in row.split("\t") if cell}
    assert all(re.fullmatch(r"-?\d+\.\d{9}", cell) for cell in printed)
    assert "ns" not in {unit.split()[0] for unit in units.values() if unit}


@pytest.mark.parametrize("command", ["packets", "flows", "retransmissions"])
def test_display_filter(run, path, capture, command):
    _, out, _ = run(command, path, "-Y", "tcp.stream in {1, 3}", "--format", "jsonl")
    assert {json.loads(line)["stream"] for line in out.splitlines()} <= {1, 3}
    assert out


def test_capture_filter(run, path):
    _, out, _ = run("flows", path, "-f", "ip6", "--format", "csv")
    assert b"10.1.0.1" not in out
    assert b"fd00::1" in out


def test_filter_writes_a_capture(run, path, capture, tmp_path):
    target = tmp_path / "some.pcapng"
    status, out, err = run("filter", path, "-o", target, "--stream", "1", "--stream", "3", "-Y", "tcp.len > 0")
    chosen = capture.packets.where("tcp.len > 0 && tcp.stream in {1, 3}")
    assert (status, out, err) == (0, b"", f"tcpkit: {len(chosen)} frames written\n")
    assert tcpkit.open(target).packets["time"].tolist() == chosen["time"].tolist()


def test_output_to_a_file_is_the_same(run, path, tmp_path):
    target = tmp_path / "flows.csv"
    assert run("flows", path, "--format", "csv", "-o", target) == (0, b"", "")
    assert target.read_bytes() == run("flows", path, "--format", "csv")[1]


@pytest.mark.parametrize("before", [None, b"of an earlier run"])
@pytest.mark.parametrize("mistake", [
    *(f"{command} FILE -Y tcp.strem" for command in (
        "fields -e tcp.seq", "packets", "packets --format json", "packets --format parquet", "packets --columns frame",
        "flows", "flows --format csv", "flows --format json", "conversations --format json", "states", "handshakes",
        "retransmissions", "retransmissions --view directions", "http --format json", "overlaps --format csv",
        "threats", "threats --view half-open --format json")),
    *(f"{command} FILE -f port" for command in ("fields -e tcp.seq", "packets", "flows --format json", "info")),
    *(f"{command} RAW -f vlan" for command in ("fields -e tcp.seq", "packets", "flows --format csv",
                                               "http --format csv", "overlaps --format json", "filter")),
    "filter FILE -f port", "filter FILE -Y tcp.strem", "filter TEXT", "flows FILE --columns stream,,client",
    "follow FILE 1000", "filter FILE --stream 1000", "fields FILE -e tcp.sek",
    "flows TEXT --format json", "packets TEXT", "http TEXT"])
def test_a_mistake_leaves_the_output_as_it_was(run, path, tmp_path, mistake, before):
    target, text, raw = tmp_path / "out", tmp_path / "text", tmp_path / "raw.pcap"
    text.write_text("From: a friend")
    raw.write_bytes(pcap([Frame(T0, bytes(40), 40)], link_type=101))      # whose frames have no VLAN tags
    if before is not None:
        target.write_bytes(before)
    names = {"FILE": path, "TEXT": text, "RAW": raw}
    status, out, err = run(*(names.get(word, word) for word in mistake.split()), "-o", target)
    assert (status, out) == (2, b"")
    assert err
    assert (target.read_bytes() if target.exists() else None) == before


def test_output_that_is_shorter_than_what_was_there(run, path, tmp_path):
    target = tmp_path / "rows"
    for form, empty in (("csv", run("flows", path, "--format", "csv", "-Y", "tcp.stream == 999")[1]), ("jsonl", b"")):
        target.write_bytes(b"of an earlier run " * 1000)
        assert run("flows", path, "--format", form, "-Y", "tcp.stream == 999", "-o", target) == (0, b"", "")
        assert target.read_bytes() == empty


@pytest.mark.parametrize("words", [
    ("packets", "--format", "csv"), ("fields", "-e", "frame.number"), ("flows",), ("retransmissions",), ("http",),
    ("report",), ("info",)])
def test_the_capture_that_is_read_is_not_written(run, path, tmp_path, words):
    capture = tmp_path / "capture.pcap"
    capture.write_bytes(Path(path).read_bytes())
    status, out, err = run(words[0], capture, *words[1:], "-o", tmp_path / "." / "capture.pcap")
    assert (status, out) == (2, b"")
    assert "is being read, so it cannot be written" in err
    assert capture.read_bytes() == Path(path).read_bytes()


def test_json_ends_where_reading_fails(run, tmp_path):
    """The filter fits the first frames' link type, but not that of the last one."""
    frames = Conversation().handshake().frames * 20_000
    blocks = [pcapng_section(), pcapng_interface(1), pcapng_interface(101),
              *(pcapng_packet(frame) for frame in frames), pcapng_packet(Frame(T0, frames[0].data[14:], 60), 1)]
    file = tmp_path / "two.pcapng"
    file.write_bytes(b"".join(blocks))
    status, out, err = run("packets", file, "-f", "not vlan", "--format", "json", "--columns", "frame")
    assert status == 2
    assert err
    assert [row["frame"] for row in json.loads(out)[:3]] == [1, 2, 3]


def test_standard_input(path):
    with open(path, "rb") as file:
        out, err = start("flows", "-", "--format", "csv", stdin=file).communicate(timeout=60)
    assert out.decode().splitlines()[1:]
    assert err == b""


@pytest.mark.parametrize("arguments", [
    [], ["flows"], ["flows", "FILE", "--format", "xml"], ["nonsense"], ["fields", "FILE"],
    ["fields", "FILE", "-e", "tcp.sek"], ["packets", "FILE", "-Y", "tcp.strem == 1"],
    ["packets", "FILE", "-Y", "tcp.port =="], ["flows", "FILE", "-f", "prot 80"], ["flows", "/nonexistent"],
    ["flows", "FILE", "-o", "/nonexistent/out"], ["filter", "FILE"], ["filter", "FILE", "-o", "FILE"],
    ["retransmissions", "FILE", "--view", "both ways"], ["explain", "FILE", "1000"],
    ["plot", "FILE", "1000", "-o", "/nonexistent/out.svg"], ["flows", "FILE", "--idle-timeout", "1e10"],
    ["states", "FILE", "--msl", "1e10"], ["states", "FILE", "--msl", "nan"], ["follow", "FILE", str(1 << 64)]],
    ids=" ".join)
def test_what_cannot_be_done_has_status_2_and_a_message(run, path, arguments):
    status, out, err = run(*(path if word == "FILE" else word for word in arguments))
    assert status == 2
    assert "Traceback" not in err
    assert "Errno" not in err
    assert err or out                    # without arguments: the help


@pytest.mark.parametrize("command", ["info", "flows", "packets", "retransmissions"])
def test_memory_that_runs_out_is_told(run, path, monkeypatch, command):
    monkeypatch.setattr("tcpkit.pipeline.Decoder", Mock(side_effect=MemoryError))
    status, _, err = run(command, path)
    assert (status, err) == (2, "tcpkit: there is not enough memory for this\n")


@pytest.mark.parametrize(("name", "content", "message"), [
    ("empty", b"", "empty"), ("text", b"From: a friend\n" * 9, ""), ("image", b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG")])
@pytest.mark.parametrize("command", ["flows", "packets", "retransmissions"])
def test_not_a_capture(run, tmp_path, command, name, content, message):
    file = tmp_path / name
    file.write_bytes(content)
    status, out, err = run(command, file)
    assert (status, out) == (2, b"")
    assert err.startswith(f"tcpkit: {file}: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["flows", "packets", "conversations", "retransmissions", "fields -e tcp.seq"])
def test_damage_gives_status_1_after_what_came_before(run, tmp_path, command):
    talk = Conversation().handshake().c("PA", 1, 1, 50).c("PA", 1, 1, 50)
    file = tmp_path / "cut.pcap"
    file.write_bytes(talk.pcap()[:-10])
    status, out, err = run(*command.split(), file)
    assert status == 1
    assert out.count(b"\n") > 1 or command == "retransmissions"
    assert re.fullmatch(rf"tcpkit: {file}: at byte \d+: .*\n", err)


def test_names_of_files_cannot_steer_the_terminal(run, tmp_path):
    file = tmp_path / "\x1b]0;owned\x07\nname.pcap"
    file.write_bytes(b"")
    status, _, err = run("flows", file)
    assert status == 2
    assert "\x1b" not in err
    assert "\x07" not in err


def test_a_closed_pipe_ends_it_without_a_word(tmp_path):
    file = tmp_path / "long.pcap"
    file.write_bytes(pcap(Conversation().handshake().frames * 20_000))
    process = start("packets", file)
    assert process.stdout.readline().split()[:2] == [b"No.", b"Time"]
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


# With and without what Python keeps of standard output until the end.
BUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


WRITING = pytest.mark.parametrize("command", ["flows", "info", "packets", "--version"])


def ended(command, path, stdout, unbuffered):
    """Status and complaints of a command whose output goes nowhere."""
    arguments = [command] if command.startswith("-") else [command, path]
    process = subprocess.run([sys.executable, "-m", "tcpkit", *arguments], stdout=stdout, stderr=subprocess.PIPE,
                             env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, check=False)
    return process.returncode, process.stderr


@BUFFERED
@WRITING
def test_a_full_disk_is_told(path, command, unbuffered):
    with open("/dev/full", "wb") as full:
        status, told = ended(command, path, full, unbuffered)
    assert status == 2
    assert told == b"tcpkit: standard output: No space left on device\n"


@BUFFERED
@WRITING
def test_a_reader_that_is_gone(path, command, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        assert ended(command, path, pipe, unbuffered) == (1, b"")


@pytest.mark.parametrize(("closed", "status"), [
    ("{path} >&-", 0), ("{path} 2>&-", 0), ("nosuch 2>&-", 2), ("- <&-", 2)])
def test_closed_files(path, closed, status):
    command = f"{sys.executable} -m tcpkit flows {closed.format(path=path)}"
    process = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert process.returncode == status
    assert process.stderr == (b"" if path in command or "2>" in command else
                              b"tcpkit: standard input: Bad file descriptor\n")


ENDED_BY = pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])


@ENDED_BY
@pytest.mark.parametrize("named", [False, True])
def test_ctrl_c_gives_what_is_done_so_far(ended_by, status, named):
    reading, writing = os.pipe()
    process = start("flows", "/dev/stdin" if named else "-", "--format", "csv", stdin=reading)
    os.write(writing, Conversation().handshake().pcap())
    until = time.monotonic() + 60
    while struct.unpack("i", fcntl.ioctl(reading, termios.FIONREAD, bytes(4)))[0] and time.monotonic() < until:
        time.sleep(0.05)                 # until it has read what there is, and waits for more
    time.sleep(1)
    process.send_signal(ended_by)
    time.sleep(0.02)
    process.send_signal(ended_by)        # as timeout(1) does, to the process and to its group
    out, err = process.communicate(timeout=60)
    os.close(reading)
    os.close(writing)
    assert process.returncode == status
    assert b"10.0.0.1" in out
    assert err.startswith(b"tcpkit: interrupted")


@ENDED_BY
@pytest.mark.parametrize("wait", ["{}", "exec({!r})"])        # of code in a string the interpreter remembers it
@pytest.mark.parametrize(("module", "arguments"), [
    ("typer", ["--version"]), ("numpy", ["flows", "FILE"]), ("matplotlib", ["plot", "FILE", "0", "-o", "out.svg"])])
def test_ctrl_c_while_modules_are_imported(path, tmp_path, module, arguments, wait, ended_by, status):
    # Short sleeps: a signal that comes just before one is seen to after it.
    waiting = "import time; print(flush=True); [time.sleep(0.1) for _ in range(600)]"
    (tmp_path / f"{module}.py").write_text(wait.format(waiting))
    process = start(*(path if word == "FILE" else word for word in arguments), cwd=tmp_path,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *map(os.path.abspath, sys.path)])})
    assert process.stdout.readline() == b"\n"
    process.send_signal(ended_by)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (status, b"tcpkit: interrupted\n")


def test_version(run):
    assert run("--version") == (0, f"tcpkit {tcpkit.__version__}\n".encode(), "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help(run, command, flag):
    status, out, err = run(command, flag)
    assert (status, err) == (0, "")
    assert out.decode().startswith(f"Usage: tcpkit {command} ")
    assert len(out.decode().split("\n\n")[1].strip()) > 20         # says what it does


def loaded_by(*arguments):
    """The modules that a command line has imported when it is done."""
    program = (f"import sys; sys.argv = {['tcpkit', *arguments]}\ntry:\n import tcpkit.cli; tcpkit.cli.main()\n"
               "except SystemExit: pass\nprint(*sys.modules)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_starting_loads_nothing_slow():
    loaded = loaded_by("--help")
    slow = {"numpy", "rich", "pyarrow", "pandas", "polars", "pcapy", "zstandard", "tcpkit.capture"}
    assert not slow & loaded
    assert {f"tcpkit.cli.{module}" for module in MODULES} <= loaded


def test_only_the_commands_asked_for_are_loaded():
    commands = {f"tcpkit.cli.{module}" for module in MODULES}
    assert loaded_by("--version") & commands == set()
    assert loaded_by("conversations", "--help") & commands == {"tcpkit.cli.flows"}


def test_every_command_is_found_in_its_module():
    """Only the module of the command asked for is imported."""
    for module in MODULES:
        importlib.import_module(f"tcpkit.cli.{module}")
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert command.callback.__module__ == f"tcpkit.cli.{HOME.get(name, name)}"
