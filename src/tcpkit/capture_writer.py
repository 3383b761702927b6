"""Capture files as they are written: pcap and pcapng to the nanosecond, whole records only, rotated if asked."""
from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch
from tcpcore.capture_writer import encode
from tcpcore.metadata import Interface
from tcpkit.errors import CaptureError
from tcpkit.output_file import STANDARD_OUTPUT, OutputFile

SNAPLEN = 262_144
PCAP_NANOSECONDS = 0xA1B23C4D
FCS_TOLD = 1 << 26                     # in the link type: the top four bits hold half the length
IF_TSRESOL = struct.pack("=HHB3x", 9, 1, 9)
END_OF_OPTIONS = struct.pack("=HH", 0, 0)


class Ring(NamedTuple):
    """Rotation: a new file past ``size`` bytes or ``seconds``; at most ``files`` are kept (0: all)."""

    files: int = 0
    size: int = 0
    seconds: float = 0.0


class CaptureWriter:
    """Writes the frames of batches to ``path``: pcapng if its name ends so, otherwise pcap; "-" is standard output.

    What the file held stays until the first frames, or ``close``.  It is whole records at any time: what a full disk
    cut off is taken back before CaptureError is raised.  With ``ring`` the files are named ``NAME_00001.EXT`` and so
    on, the oldest deleted.  ``interfaces`` are the reader's, which tells of those whose frames have not come yet.
    """

    def __init__(self, path: str | os.PathLike[str], *, snaplen: int = SNAPLEN, ring: Ring | None = None,
                 interfaces: Sequence[Interface] = ()) -> None:
        self._to_standard_output = os.fspath(path) == "-"
        self.path = Path(STANDARD_OUTPUT if self._to_standard_output else path)
        self.pcapng = self.path.suffix == ".pcapng"
        self.snaplen = snaplen
        self.ring = ring
        self.frames = 0
        self.failed = False
        self._interfaces = interfaces
        self.files: deque[Path] = deque()
        self._link_types: list[int] = []       # of the interfaces written to the present file, by interface_id
        self._serial = 0
        self._started = 0                      # time of the present file's first frame
        self._size = 0
        self._file = self._open()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error:
            self._file.close()
        else:
            self.close()

    def write(self, batch: Batch) -> None:
        """Append the batch's frames, whatever decode made of them."""
        if not batch.n_frames:
            return
        frames = batch.frame_array
        if self.ring and self._is_full(int(frames["time_ns"][0])):
            self._file.close()
            self._file = self._open()
        self._started = self._started or int(frames["time_ns"][0])
        self._append(self._header(frames))
        self._append(encode(batch, pcapng=self.pcapng, snaplen=self.snaplen))
        self.frames += len(frames)

    def close(self) -> None:
        """Finish the file; one without frames is a valid empty capture."""
        if not self._file.closed:
            if not self._size and not self.failed:
                if isinstance(self._file, OutputFile):
                    self._file.begin()
                self._append(b"" if self.pcapng else self._pcap_header(1))
            self._file.close()

    def _open(self) -> FileIO:
        self._link_types, self._size, self._started = [], 0, 0
        target = self.path
        if self.ring:
            self._serial += 1
            target = self.path.with_stem(f"{self.path.stem}_{self._serial:05}")
        self.files.append(target)
        try:
            file = FileIO(1, "wb", closefd=False) if self._to_standard_output else OutputFile(target)
        except OSError as error:
            raise CaptureError(target, f"cannot be written: {error.strerror}") from None
        if self.ring and 0 < self.ring.files < len(self.files):
            self.files.popleft().unlink(missing_ok=True)
        return file

    def _is_full(self, now: int) -> bool:
        assert self.ring is not None
        return bool((self.ring.size and self._size >= self.ring.size)
                    or (self.ring.seconds and self._started and now - self._started >= self.ring.seconds * 1e9))

    def _header(self, frames: NDArray[np.void]) -> bytes:
        """What must precede these frames: the file header, interfaces not yet described."""
        interfaces, link_types = frames["interface_id"], frames["link_type"]
        known = len(self._link_types)
        if not self.pcapng:
            if known == 0:
                self._link_types.append(int(link_types[0]))
            if np.any(link_types != self._link_types[0]):
                raise CaptureError(self.path, "a pcap file holds one link type; give the file a name ending in .pcapng")
            return b"" if known else self._pcap_header(self._link_types[0])
        head = b"" if self._size else block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1))
        for number in range(known, int(interfaces.max()) + 1):
            self._link_types.append(self._link_type(number, link_types[interfaces == number], int(link_types[0])))
            head += block(1, struct.pack("=HHI", self._link_types[-1], 0, self.snaplen) + IF_TSRESOL + END_OF_OPTIONS)
        return head

    def _link_type(self, number: int, of_its_frames: NDArray[np.uint16], otherwise: int) -> int:
        if len(of_its_frames):
            return int(of_its_frames[0])
        return self._interfaces[number].link_type if number < len(self._interfaces) else otherwise

    def _pcap_header(self, link_type: int) -> bytes:
        """It tells of one check sequence for all frames: of none if the interfaces do not say the same."""
        lengths = {each.fcs_len for each in self._interfaces}
        told = FCS_TOLD | lengths.pop() // 2 << 28 if len(lengths) == 1 and any(lengths) else 0
        return struct.pack("=IHHiIII", PCAP_NANOSECONDS, 2, 4, 0, 0, self.snaplen, link_type | told)

    def _append(self, data: bytes) -> None:
        """Write all of ``data`` or nothing."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view):]
        except OSError as error:
            self.failed = True
            if self._to_standard_output:
                if isinstance(error, BrokenPipeError):       # who reads has seen enough
                    raise
                raise CaptureError(self.path, error.strerror or str(error)) from None
            with suppress(OSError):              # of a device
                self._file.truncate(self._size)
                self._file.seek(self._size)
            raise CaptureError(self.files[-1], f"{error.strerror}; the file is valid up to here", self._size) from None
        self._size += len(data)


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block in this machine's byte order."""
    total = 12 + len(body)
    return struct.pack("=II", kind, total) + body + struct.pack("=I", total)
