"""What later segments make of verdicts does not depend on where batches end, nor on how a capture is read."""
from __future__ import annotations

import io
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import pytest

import tcpkit
import tcpkit.live_capture
from confined import SANITIZED, no_more_memory
from packets import MS, Conversation, pcap, timestamps
from stages import SEED, judged_batches, process_all_but
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpcore.records import VERDICT
from tcpcore.verdicts import Verdicts
from tcpkit.connection import read_connection
from tcpkit.corrections import Corrections
from tcpkit.listing import lines_of, write_fields
from tcpkit.settling import WINDOW, settle
from tcpkit.stages import ALL_STAGES
from truth.score import CAPTURES

NAMES = ["heavy-reorder.snd", "high-bdp.snd", "syn-loss.snd"]
COLUMNS = ["kind", "cause", "evidence", "loss_side", "original", "verdict_text"]
FIELDS = ("frame", *(name for name in VERDICT.names or () if name != "reserved"))


def read(name: str) -> bytes:
    return (CAPTURES / f"{name}.pcap").read_bytes()


def verdicts_of(rows: np.ndarray) -> list[tuple]:
    return list(zip(*(rows[name].tolist() for name in FIELDS), strict=True))


def told(capture: bytes, size: int) -> tuple[list, list]:
    """The first verdicts, and (frame, the frame that changed it, new verdict) in order."""
    first, changes = [], []
    for batch in judged_batches(capture, size):
        first += verdicts_of(batch.array)
        if batch.corrections:
            frames, verdicts, by = batch.corrections
            columns = [verdicts[name].tolist() for name in FIELDS[1:]]
            changes += zip(frames.tolist(), by.tolist(), zip(*columns, strict=True), strict=True)
    return first, changes


@pytest.mark.parametrize("name", NAMES)
def test_first_verdicts_and_corrections_do_not_depend_on_batches(name: str) -> None:
    capture = read(name)
    expected = told(capture, 1)
    assert expected[1]
    assert all(frame < by for frame, by, _ in expected[1])
    for size in (7, 64, 2048):
        assert told(capture, size) == expected


@pytest.mark.parametrize("window", [0, 1, 40, 300])
def test_settled_rows_have_what_the_window_changes(window: int, monkeypatch) -> None:
    monkeypatch.setattr("tcpkit.settling.WINDOW", window)
    capture = read("heavy-reorder.snd")
    first, changes = told(capture, 1)
    expected = {frame: (frame, *verdict) for frame, *verdict in first}
    expected |= {frame: (frame, *verdict) for frame, by, verdict in changes if by - frame <= window}
    assert window == 0 or [*expected.values()] != first
    for size in (1, 7, 64, 2048):
        settled = [row for piece in settle(judged_batches(capture, size)) for row in verdicts_of(piece.rows)]
        assert settled == list(expected.values())


def test_rows_wait_no_longer_than_the_window(monkeypatch) -> None:
    monkeypatch.setattr("tcpkit.settling.WINDOW", 100)
    seen = 0

    def batches():
        nonlocal seen
        for batch in judged_batches(read("bulk-burst.snd"), 50):
            seen = int(batch.array["frame"][-1])
            yield batch

    waited = [seen - int(piece.rows["frame"][-1]) for piece in settle(batches())]
    assert len(waited) > 10
    assert max(waited) < 200
    assert min(waited[:-3]) >= 100


@pytest.mark.parametrize("name", NAMES[:2])
def test_corrections_make_the_verdicts_of_a_scan_the_last_ones(name: str) -> None:
    verdicts, corrected = {}, 0
    for piece in tcpkit.scan(CAPTURES / f"{name}.pcap"):
        pieces = [piece] if piece.corrections is None else [piece, piece.corrections]
        corrected += len(pieces) - 1
        for table in pieces:
            verdicts |= zip(table["frame"].tolist(), zip(*(table[column].tolist() for column in COLUMNS), strict=True),
                            strict=True)
    packets = tcpkit.open(CAPTURES / f"{name}.pcap").packets
    assert corrected
    assert [verdicts[frame] for frame in packets["frame"].tolist()] == list(
        zip(*(packets[column].tolist() for column in COLUMNS), strict=True))


def test_a_settled_scan_gives_the_last_verdicts() -> None:
    """Of a capture that is shorter than the window; a filter asks for them too."""
    source = CAPTURES / "heavy-reorder.snd.pcap"
    packets = tcpkit.open(source).packets
    assert len(packets) < WINDOW
    for where in ("", "tcpkit.retransmission.cause == \"spurious\""):
        pieces = list(tcpkit.scan(source, columns=["verdict_text"], where=where, settled=True))
        expected = packets.where(where) if where else packets
        assert [text for piece in pieces for text in piece["verdict_text"].tolist()] == \
            expected["verdict_text"].tolist()
        assert all(piece.corrections is None for piece in pieces)


@pytest.mark.parametrize("late", [1, 5, 1 << 16])
def test_segments_sent_again_have_their_last_verdicts_wherever_they_wait(late: int, monkeypatch) -> None:
    """In memory or in a file, and however many corrections wait with them."""
    capture = read("heavy-reorder.snd")
    monkeypatch.setattr("tcpkit.settling.WINDOW", 40)
    monkeypatch.setattr("tcpkit.retransmissions.AT_ONCE", late)
    monkeypatch.setattr("tcpkit.retransmissions.STEP", 3)
    monkeypatch.setattr("tcpkit.waiting.IN_MEMORY", 1000)
    monkeypatch.setattr("tcpkit.waiting.AT_ONCE", 7)
    pieces = list(tcpkit.open(Dribble(io.BytesIO(capture))).retransmission_pieces())
    rows = np.concatenate([piece.array for piece in pieces])
    assert {len(piece) for piece in pieces[:-1]} == {7}
    frames = rows["frame"].tolist()
    assert frames == sorted(frames)
    last = {row[0]: row for row in verdicts_of(tcpkit.open(io.BytesIO(capture)).packets.array)}
    assert verdicts_of(rows) == [last[frame] for frame in frames]
    first = {row[0]: row for piece in settle(judged_batches(capture, 7)) for row in verdicts_of(piece.rows)}
    assert sum(first[frame] != last[frame] for frame in frames) > 5          # changed after the window


def test_commands_print_the_last_verdicts_of_files_and_pipes(cli) -> None:
    source = CAPTURES / "heavy-reorder.snd.pcap"
    packets = tcpkit.open(source).packets
    names = ["frame.number", "tcpkit.segment.kind", "tcpkit.retransmission.cause"]
    expected = packets.to_text("fields", ["frame", "kind", "cause"], head=False)
    words = [word for name in names for word in ("-e", name)]
    assert cli("fields", source, *words).out.split(b"\n", 1)[1] == expected
    with source.open("rb") as file:
        write_fields(tcpkit.open(Dribble(file)), names, out := io.BytesIO())
    assert out.getvalue().split(b"\n", 1)[1] == expected
    assert cli("packets", source, "--format", "csv").out == packets.to_text("csv")


@pytest.mark.parametrize("where", ["", "tcp.stream == 1"])
def test_the_packet_list_of_a_file_holds_the_last_verdicts(cli, where: str) -> None:
    source = CAPTURES / "exchanges.snd.pcap"
    packets = tcpkit.open(source).packets
    shown = packets.where(where) if where else packets
    listed = cli("packets", source, "-Y", where).out.decode().splitlines()[1:]
    assert [int(line.split()[0]) for line in listed] == shown["frame"].tolist()
    assert all(line.endswith(words or "") for line, words in zip(listed, shown["verdict_text"].tolist(), strict=True))


@pytest.mark.parametrize("where", ["", "tcp.stream == 1"])
def test_the_list_of_packets_as_they_come_tells_changes_where_they_come(where: str) -> None:
    source = CAPTURES / "exchanges.snd.pcap"
    pipeline = tcpkit.open(source).pipeline(ALL_STAGES, where)
    listed = b"".join(lines_of(pipeline, settled=False)).decode().splitlines()[1:]
    _, changes = told(source.read_bytes(), 1)
    packets = tcpkit.open(source).packets
    shown = (packets.where(where) if where else packets)["frame"].tolist()
    expected = []
    for frame in shown:
        expected += [str(frame), *dict.fromkeys(f"-> #{about}" for about, by, _ in changes if by == frame)]
    assert len(expected) > len(shown)
    words = [line.split() for line in listed]
    assert [f"-> {parts[1][:-1]}" if parts[0] == "->" else parts[0] for parts in words] == expected
    latest = dict(zip(packets["frame"].tolist(), packets["verdict_text"].tolist(), strict=True))
    last = {line.split()[1]: line for line in listed if line.split()[0] == "->"}
    assert all(line.endswith(latest[int(frame[1:-1])]) for frame, line in last.items())


class Dribble:
    """Some hundred bytes at a time, so that batches are small."""

    name = "pipe"

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readinto(self, buffer: memoryview) -> int:
        return self._file.readinto(buffer[:700])


class RecordedInterface(Reader):
    """A capture in place of an interface, some frames at a time."""

    def __new__(cls, interface: str, **options):
        with (CAPTURES / f"{interface}.pcap").open("rb") as file:
            return super().__new__(cls, Dribble(io.BytesIO(file.read())))


def test_a_live_capture_brings_corrections(monkeypatch) -> None:
    source = CAPTURES / "heavy-reorder.snd.pcap"
    monkeypatch.setattr(tcpkit.live_capture, "InterfaceReader", RecordedInterface)
    tables = list(tcpkit.live("heavy-reorder.snd"))
    assert len(tables) > 10
    rows = np.concatenate([table.array for table in tables])
    changed = [table.corrections.array for table in tables if table.corrections is not None]
    assert sum(map(len, changed)) > 10
    for before, after in pairwise(changed):
        assert before["by"].max() < after["by"].min()
    verdicts = {row[0]: row for table in (rows, *changed) for row in verdicts_of(table)}
    assert list(verdicts.values()) == verdicts_of(tcpkit.open(source).packets.array)


@pytest.mark.skipif(SANITIZED, reason="their shadow takes more addresses than can be limited")
def test_a_correction_that_finds_no_memory_is_an_error_and_not_left_out():
    """The rows would keep verdicts that no longer hold."""
    capture = read("heavy-reorder.snd")
    first = told(capture, 1)[1][0][1]            # the frame that brings the first
    batch, verdicts = Batch(1, verdicts=True), Verdicts()
    process_all_but(capture, verdicts, batch, first)
    with pytest.raises(MemoryError), no_more_memory():
        verdicts.process(batch)


def test_a_sender_that_finds_no_memory_keeps_no_packets():
    """Nobody would give them back."""
    reader, decoder, batch = Reader(io.BytesIO(read("heavy-reorder.snd"))), Decoder(), Batch(64, verdicts=True)
    flows, verdicts = FlowTable(seed=SEED), Verdicts(history_limit=1000)     # for packets, not for senders
    while reader.next(batch):
        decoder.process(batch)
        flows.process(batch)
        verdicts.process(batch)
    taken, _, refused = verdicts.pools["senders in trouble"]
    assert (taken, refused > 0) == (0, True)
    assert verdicts.pools["packets sent again"][0] == 0


def counted_late(senders, limit, *segments):
    """Segments of one more; the others have all there is for those in trouble, until a new connection ends the first.

    The last segment comes after that.
    """
    def send(life, *segments):
        for seq, length, stamp in segments:
            life.c("A", seq, 1, length, options=timestamps(stamp, 1))

    lives = [Conversation() for _ in range(senders + 1)]
    for n, life in enumerate(lives):
        life.client, life.time = f"10.0.0.{n}", lives[n - 1].time
        if n < senders:
            send(life, (1, 100, 1), (1, 100, 500))
    first, last = lives[0], lives[-1]
    last.handshake(MS, timestamps(1, 1), timestamps(1, 1))
    send(last, *segments[:-1])
    first.time = last.time
    first.c("SA", 5000, 1)
    last.time = first.time
    send(last, segments[-1])
    frames = sorted((frame for life in lives for frame in life.frames), key=lambda frame: frame.time)
    reader, decoder, batch = Reader(io.BytesIO(pcap(frames))), Decoder(), Batch(64, verdicts=True)
    flows, verdicts = FlowTable(seed=SEED), Verdicts(history_limit=limit)
    while reader.next(batch):
        decoder.process(batch)
        flows.process(batch)
        verdicts.process(batch)
    assert verdicts.pools["senders in trouble"][2] > 0
    return verdicts.records(flows)[senders]


def test_what_came_before_there_was_memory_to_count_it_is_not_taken_from_the_counts():
    found = counted_late(6, 7600, (1, 100, 2), (1101, 100, 600), (101, 500, 500), (601, 500, 500), (101, 1000, 450))
    assert (found["retransmissions0"], found["reordered0"], found["too_late0"]) == (2, 1, 0)
    assert max(found[f"late{step}_0"] for step in range(1, 9)) == 0


def test_what_came_too_late_before_there_was_memory_to_count_it_is_not_taken_from_the_counts():
    above = ((1101 + 100 * n, 100, 600) for n in range(70))
    found = counted_late(25, 27_000, (1, 100, 2), (601, 500, 500), *above, (101, 500, 500), (101, 1000, 450))
    assert (found["retransmissions0"], found["reordered0"], found["too_late0"]) == (2, 1, 0)


def test_of_a_connection_only_its_own_corrections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be many of others."""
    kept: list[int] = []
    add = Corrections.add
    monkeypatch.setattr(Corrections, "add", lambda self, frames, rows: (kept.extend(frames), add(self, frames, rows)))
    name = str(CAPTURES / "exchanges.snd.pcap")
    whole = tcpkit.open(name).packets.array
    corrected, kept[:] = set(kept), []
    found = read_connection(tcpkit.open(name), 20)
    theirs = whole[whole["stream"] == 20]
    assert verdicts_of(found.rows) == verdicts_of(theirs)
    assert set(kept) == corrected & set(theirs["frame"].tolist()) < corrected
