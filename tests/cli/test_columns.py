"""``--columns``: what is chosen is written in that order, in every format, and no stage runs that it does not need."""
from __future__ import annotations

import csv
import io
import json

import pytest
from pyarrow import parquet

from odd_frames import ICMP, NETWORK, TCP, headed
from packets import NOP, T0, Frame, pcap
from tcpkit import passes
from tcpkit.pipeline import Pipeline
from tcpkit.stages import with_needs

# By either name, in no order of the table's own; the table they are columns of; the stages it takes.
CHOSEN = {
    "packets": ("tcp.len,stream,src,flags", "packets", ["flows"]),
    "flows": ("server_port,tcp.stream,client,packets_server,start", "flows", ["flows"]),
    "flows --verdicts": ("tcp.analysis.initial_rtt,stream", "flows", ["analysis"]),
    "conversations": ("bytes,a,start", "conversations", ["flows"]),
    "handshakes": ("tcp.stream,mss,outcome,syn", "handshakes", ["lifecycle"]),
    "retransmissions": ("verdict,frame.number,src", "retransmissions", ["analysis", "verdicts"]),
    "retransmissions --view segments": ("seq,frame,tcpkit.retransmission.kind", "retransmissions",
                                        ["analysis", "verdicts"]),
    "retransmissions --view directions": ("loss_rate,tcp.stream,sender", "directions", ["analysis"]),
    "retransmissions --view reordering": ("density,displacement,stream", "reordering", ["verdicts"]),
    "states": ("idle,client_state,stream", "states", ["lifecycle"]),
    "threats": ("rate,kind,target", "threats", ["lifecycle"]),
    "threats --view half-open": ("half_open,server", "half_open", ["lifecycle"]),
}
ANOTHER = [("flows", "client,stream", "retransmissions_server > 0", "judged_flows", ["analysis"]),
           ("flows", "stream", "timeouts_client > 0", "judged_flows", ["verdicts"]),
           ("flows", "stream,initial_rtt", 'conn_state == "SF"', "judged_flows", ["analysis", "lifecycle"]),
           ("packets", "frame,src", "tcp.analysis.retransmission", "packets", ["analysis"]),
           ("states", "stream", "retransmissions_client > 0", "states", ["analysis", "lifecycle"]),
           ("conversations", "a", "packets > 5", "conversations", ["flows"])]


@pytest.fixture
def ran(monkeypatch):
    """The stages of every pass that is made."""
    stages = []

    class Noted(Pipeline):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            stages.append(self.stages)

    monkeypatch.setattr(passes, "Pipeline", Noted)
    return stages


@pytest.mark.parametrize("command", CHOSEN)
def test_csv_has_the_columns_asked_for_in_their_order(run, ran, path, capture, command):
    columns, table, stages = CHOSEN[command]
    expected = getattr(capture, table).to_text("csv", columns.split(","))
    ran.clear()
    assert run(*command.split(), path, "--columns", columns, "--format", "csv") == (0, expected, "")
    assert ran == [with_needs(stages)]


@pytest.mark.parametrize("command", CHOSEN)
def test_every_other_format_has_them_too(run, path, capture, command, tmp_path):
    columns, name, _ = CHOSEN[command]
    names, table = columns.split(","), getattr(capture, name)
    asked = (*command.split(), path, "--columns", columns)
    lines = run(*asked, "--format", "jsonl")[1]
    assert lines == table.to_text("json", names)
    assert json.loads(run(*asked, "--format", "json")[1]) == [json.loads(line) for line in lines.splitlines()]
    assert run(*asked, "--format", "parquet", "-o", tmp_path / "chosen") == (0, b"", "")
    assert parquet.read_table(tmp_path / "chosen").equals(table.to_arrow(names))
    shown = run(*asked)[1].decode()
    assert [line.split() for line in shown.splitlines()] == [line.split() for line in table.to_grid(names).splitlines()]
    assert command == "packets" or shown == table.to_grid(names)


@pytest.mark.parametrize("command", [*CHOSEN, "capture --flows -i nowhere"])
def test_a_wrong_name_is_told_before_the_capture_is_read(run, ran, path, command, tmp_path):
    output = () if "capture" in command else (path, "-o", tmp_path / "out")
    status, out, err = run(*command.split(), "--columns", "stream,sorcerer", *output)
    wrong = "stream" if "threats" in command else "sorcerer"
    assert (status, out) == (2, b"")
    assert err.startswith(f'tcpkit: "{wrong}" is not a field')
    assert err.count("\n") == 1
    assert not ran
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("asked", "nearest"), [("frame", "frame.number"), ("payload", "tcp.payload"),
                                                ("ip.addr", "ip.src"), ("tcp.port", "tcp.srcport")])
def test_fields_name_what_was_meant(run, path, asked, nearest):
    assert run("fields", path, "-e", asked) == (
        2, b"", f'tcpkit: "{asked}" is not a field; did you mean "{nearest}"?\n')


def test_payload_of_segments_that_are_not_whole(run, tmp_path):
    """Shown as far as it was captured, but not what a reset carries, nor behind a header that is too short (LN-7)."""
    odd = tmp_path / "odd.pcap"
    frames = [NETWORK["first fragment, cut"], ICMP["unreachable"], TCP["reset with payload"], TCP["data offset 4"],
              headed(b"\x05\x02" + NOP + NOP, payload=b"behind a broken option")]
    odd.write_bytes(pcap([frame if isinstance(frame, Frame) else Frame(T0, frame, len(frame)) for frame in frames]))
    assert run("fields", odd, "-e", "tcp.payload")[1].split(b"\n") == [
        b"tcp.payload", b"012345".hex().encode(), b"01234567".hex().encode(), b"", b"", b"", b""]


def test_a_name_that_is_like_none_suggests_none(run, path):
    assert run("fields", path, "-e", "ip.proto") == (2, b"", 'tcpkit: "ip.proto" is not a field\n')


@pytest.mark.parametrize(("command", "columns", "where", "table", "stages"), ANOTHER)
def test_rows_may_be_chosen_by_other_columns(run, ran, path, capture, command, columns, where, table, stages):
    selected = getattr(capture, table).where(where)
    assert 0 < len(selected) < len(getattr(capture, table))
    ran.clear()
    assert run(command, path, "--columns", columns, "-Y", where, "--format", "csv") == (
        0, selected.to_text("csv", columns.split(",")), "")
    assert ran == [with_needs(stages)]


WRONG = {"tcp.stream == 1 &&": "but the filter ends here", "tcp.stream == one": '"one" is not a field',
         "tcp.strem == 1": '"tcp.strem" is not a field; did you mean "tcp.stream"?',
         'tcp.stream == "one"': '"one" is not a valid number'}
FILTERED = [*(command for command in CHOSEN if not command.startswith("threats")), "http", "overlaps"]


@pytest.mark.parametrize("where", WRONG)
@pytest.mark.parametrize("command", [*FILTERED, "states -i nowhere", "capture --flows -i nowhere"])
def test_a_wrong_filter_is_told_before_the_capture_is_read(run, path, command, where, monkeypatch):
    monkeypatch.setattr(Pipeline, "_read", lambda *_: pytest.fail("it was read"))
    status, out, err = run(*command.split(), *() if " -i " in command else (path,), "-Y", where)
    assert (status, out) == (2, b"")
    assert WRONG[where] in err


def test_blanks_around_names_and_names_given_twice_do_not_matter(run, path):
    tidy = run("flows", path, "--columns", "client,stream", "--format", "jsonl")
    assert run("flows", path, "--columns", "client, tcp.stream ,stream", "--format", "jsonl") == tidy
    assert list(json.loads(tidy[1].splitlines()[0])) == ["client", "stream"]


def test_retransmissions_with_columns_are_one_table(run, path, capture):
    shown = run("retransmissions", path, "--columns", "frame,verdict")[1].decode()
    assert shown == capture.retransmissions.to_grid(["frame", "verdict"])


def test_nothing_changes_without_it(run, ran, path, capture):
    head, *rows = csv.reader(io.StringIO(run("flows", path, "--format", "csv", "--columns", "")[1].decode()))
    assert tuple(head) == capture.flows.columns
    assert len(rows) == len(capture.flows)
    assert ran == [with_needs(["analysis", "lifecycle"])]


def test_a_capture_that_lists_no_connections_has_no_columns(run):
    status, out, err = run("capture", "-i", "nowhere", "--columns", "stream")
    assert (status, out) == (2, b"")
    assert "--flows" in err
