"""Files that are written until a file system is really full: whole records up to there, and a clear error."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tcpkit
from live.wires import may_make_wires, wire
from packets import Conversation
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpkit.capture_writer import CaptureWriter, Ring
from tcpkit.export import export
from tcpkit.waiting import WaitingRows

SIZE = 256 << 10


def can_mount() -> bool:
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True,
                              check=False).returncode == 0
        if made:
            subprocess.run(["umount", folder], check=True)
    return made


pytestmark = pytest.mark.skipif(not can_mount(), reason="A FULL DISK IS NOT TESTED: mounting a tmpfs needs root")


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def talk(n: int = 400, size: int = 900) -> Conversation:
    made = Conversation().handshake()
    for i in range(n):
        made.c("PA", 1 + i * size, 1, size)
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """More than the disk holds."""
    path = tmp_path_factory.mktemp("source") / "talk.pcap"
    path.write_bytes(talk().pcap())
    return path


def write_all(source: Path, writer: CaptureWriter, at_once: int = 10) -> None:
    batch = Batch(at_once)
    with source.open("rb", buffering=0) as file:
        reader = Reader(file)
        while reader.next(batch):
            writer.write(batch)


def assert_valid(path: Path, frames: int) -> None:
    read = tcpkit.open(path)
    assert (len(read.packets), read.warnings) == (frames, [])
    if shutil.which("capinfos"):
        subprocess.run(["capinfos", path], check=True, capture_output=True)


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_a_file_holds_what_was_written_before(disk, source, suffix):
    path = disk / f"full.{suffix}"
    writer = CaptureWriter(path)
    with pytest.raises(tcpkit.CaptureError, match="No space left on device; the file is valid up to here") as error:
        write_all(source, writer)
    writer.close()
    assert error.value.offset == path.stat().st_size
    assert SIZE - 20_000 < path.stat().st_size <= SIZE
    assert 200 < writer.frames < 403
    assert_valid(path, writer.frames)


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_a_ring_that_the_disk_does_not_hold(disk, source, suffix):
    writer = CaptureWriter(disk / f"ring.{suffix}", ring=Ring(files=9, size=50_000))
    with pytest.raises(tcpkit.CaptureError, match=r"ring_0000\d.*: No space left on device"):
        write_all(source, writer)
    writer.close()
    assert len(writer.files) > 3
    counts = [len(tcpkit.open(path).packets) for path in writer.files if path.stat().st_size]
    assert sum(counts) == writer.frames
    for path, count in zip(writer.files, counts, strict=False):
        assert_valid(path, count)


def test_a_ring_that_fits_never_fills_the_disk(disk, source):
    writer = CaptureWriter(disk / "ring.pcapng", ring=Ring(files=3, size=50_000))
    write_all(source, writer)
    writer.close()
    assert writer.frames == 403
    assert len(list(disk.iterdir())) == 3


def test_no_room_for_a_file_without_frames(disk):
    (disk / "other").write_bytes(bytes(SIZE))
    writer = CaptureWriter(disk / "none.pcap")
    with pytest.raises(tcpkit.CaptureError, match="No space left on device"):
        writer.close()
    writer.close()


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv"])
def test_an_export_names_the_file_that_the_disk_does_not_hold(disk, source, form):
    (disk / "other").write_bytes(bytes(SIZE - (20 << 10)))
    [told] = export([source], disk / "out", tables=["packets"], form=form)
    assert told.error == f"{disk}/out/packets/capture=talk.pcap/packets.{form}: No space left on device"
    assert not [path for path in (disk / "out").rglob("*") if path.is_file()]


def test_rows_that_wait_tell_where_there_is_no_room(disk, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    monkeypatch.setattr("tcpkit.waiting.IN_MEMORY", 1000)

    def fill() -> None:
        with WaitingRows(np.dtype("V100")) as waiting:
            for _ in range(SIZE // 100):
                waiting.append(np.zeros(10, "V100"))

    with pytest.raises(OSError, match="No space left on device") as error:
        fill()
    assert error.value.filename == "temporary file (in TMPDIR)"


@may_make_wires
@pytest.mark.parametrize("words", [("full.pcap",), ("ring.pcapng", "--ring", "9:50k")])
def test_a_capture_ends_with_a_clear_message(disk, words):
    with wire() as link:
        process = link.tcpkit("capture", "-i", link.far, "-w", str(disk / words[0]), *words[1:])
        link.wait_for_capture(process)
        link.send([frame.data for frame in talk().frames])
        out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "No space left on device; the file is valid up to here" in told
    assert "Traceback" not in told
    written = int(told.split(" frames written")[0].split()[-1])
    files = [path for path in sorted(disk.iterdir()) if path.stat().st_size]
    assert sum(len(tcpkit.open(path).packets) for path in files) == written
    for path in files:
        assert tcpkit.open(path).warnings == []


@may_make_wires
def test_a_capture_of_nothing_onto_a_full_disk(disk):
    (disk / "other").write_bytes(bytes(SIZE))
    with wire() as link:
        process = link.tcpkit("capture", "-i", link.far, "-w", str(disk / "none.pcap"), "--duration", "0.5")
        _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "No space left on device" in told
    assert "Traceback" not in told
