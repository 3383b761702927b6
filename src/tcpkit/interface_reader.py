"""Live capture: an interface read through pcapy-ng into the same batches as a file."""
from __future__ import annotations

import select
from collections.abc import Callable
from sys import maxsize
from time import monotonic, sleep
from typing import Any, NamedTuple

import pcapy

from tcpcore.batch import Batch
from tcpcore.live_reader import LiveReader
from tcpcore.metadata import Interface, Metadata
from tcpkit.budget import checked_duration, checked_number
from tcpkit.capture_filter import compile_for
from tcpkit.capture_writer import SNAPLEN
from tcpkit.errors import CaptureError

TICK = 0.1                     # seconds without packets after which the reader's user gets a turn
LATENCY = 50                   # milliseconds that the kernel may hold packets back to hand over many at once
MOST_BUFFER, MOST_FANOUT = (1 << 31) - 1, (1 << 16) - 1        # that the system takes
BUFFER = 64 << 20              # bytes of the kernel's buffer: what may arrive while a batch is being analysed
FASTEST = 10e9                 # bytes a second: while frames are let gather, the buffer must not be filled by so many
# Why a handle cannot be activated (pcap_activate(3PCAP)), and what to do.
REFUSALS = {
    -5: "there is no such interface; `tcpkit interfaces` lists them",
    -8: "capturing needs permission: run as root, or give Python the capabilities cap_net_raw and cap_net_admin",
    -9: "the interface is down; bring it up with `ip link set DEVICE up`",
    -11: "promiscuous mode needs permission: run as root, or capture without it",
}


# How the kernel tells that an interface fails during a capture, and what to do.
FAILURES = {"went down": "; bring it up with `ip link set DEVICE up` and begin again",
            "Network is down": "; bring it up with `ip link set DEVICE up` and begin again",
            "disappeared": "; `tcpkit interfaces` lists those that there are",
            "No such device": "; `tcpkit interfaces` lists those that there are"}


class Statistics(NamedTuple):
    """What the kernel counted; dropped packets never reached the capture."""

    received: int
    dropped: int                   # the kernel's buffer was full
    dropped_by_interface: int


class InterfaceReader:
    """A live interface as a reader of batches; it ends after ``count`` frames or ``duration`` seconds, if given.

    ``on_batch`` sees each batch of frames before any stage does, to write them down for example.
    Several readers with the same ``fanout``, if it is not 0, share what comes: each connection goes to one of them.
    CaptureError if the interface cannot be opened; FilterError for a wrong ``capture_filter``.
    """

    format = "live"

    def __init__(self, interface: str, *, capture_filter: str = "", count: int = 0, duration: float = 0.0,
                 buffer_size: int = BUFFER, promiscuous: bool = True, fanout: int = 0) -> None:
        checked_number(count, "count", 0, maxsize)
        checked_number(buffer_size, "buffer_size", 1, MOST_BUFFER)
        checked_number(fanout, "fanout", 0, MOST_FANOUT)
        checked_duration(duration)
        self.name = interface
        self.damages: list[tuple[str, int | None, str]] = []
        self.metadata = Metadata()
        self._handle = activate(interface, buffer_size, promiscuous)
        self._dropped_before = self._handle.stats()[1]     # while the kernel's buffer was being made
        self._reader = LiveReader(self._handle)
        if capture_filter:
            compile_for(capture_filter, self._reader.link_type)
            self._handle.setfilter(capture_filter)
        if fanout:
            self._handle.set_fanout(fanout, pcapy.PACKET_FANOUT_HASH)
        self.metadata.interfaces.append(Interface(self._reader.link_type, SNAPLEN, name=interface, resolution=9,
                                                  filter=capture_filter or None))
        self.metadata.n_interfaces = 1
        self._left = count or maxsize
        self._end = monotonic() + duration if duration else float("inf")
        self._pause = buffer_size / FASTEST
        self.on_batch: Callable[[Batch], None] | None = None
        self._last: Statistics | None = None

    def next(self, batch: Batch) -> bool:
        """Fill ``batch`` with what has arrived, which may be nothing; False at the capture's end."""
        now = monotonic()
        if self._last or now >= self._end or not self._left:
            self.close()
            return False
        if self._reader.drained:                           # a batch costs as much for few frames as for many
            sleep(min(self._pause, self._end - now))
        select.select([self._handle.getfd()], [], [], min(TICK, self._end - now))
        try:
            self._reader.fill(batch, min(self._left, batch.frame_capacity))
            if self.on_batch and batch.n_frames:
                self.on_batch(batch)
        except (pcapy.PcapError, CaptureError) as error:
            self._fail(error)
            return False
        self._left -= batch.n_frames
        return True

    def _fail(self, error: Exception) -> None:
        """The interface has failed, or what was to be done with its frames."""
        if isinstance(error, CaptureError):
            self.damages.append((error.path, error.offset, error.cause))
        else:
            advice = next((advice for words, advice in FAILURES.items() if words in str(error)), "")
            self.damages.append((self.name, None, f"{error}{advice}"))
        self.close()

    @property
    def n_frames(self) -> int:
        return self._reader.frames

    @property
    def n_bytes(self) -> int:
        return self._reader.position

    @property
    def interfaces(self) -> list[Interface]:
        return self.metadata.interfaces

    @property
    def statistics(self) -> Statistics:
        """The kernel's counts so far, or when the capture ended."""
        if self._last:
            return self._last
        received, dropped, dropped_by_interface = self._handle.stats()
        return Statistics(received, dropped - self._dropped_before, dropped_by_interface)

    def close(self) -> None:
        """End the capture; what has been read stays."""
        if not self._last:
            self._last = self.statistics
            self._handle.close()


def activate(interface: str, buffer_size: int, promiscuous: bool) -> Any:
    """A pcapy handle that captures whole packets and never waits."""
    handle = pcapy.create(interface)
    handle.set_snaplen(SNAPLEN)
    handle.set_promisc(promiscuous)
    handle.set_timeout(LATENCY)
    handle.set_buffer_size(buffer_size)
    status = handle.activate()
    if status < 0:
        raise CaptureError(interface, REFUSALS.get(status, f"cannot be opened (libpcap error {status})"))
    handle.setnonblock(True)
    return handle


def interface_names() -> list[str]:
    """The interfaces that this user may capture from."""
    try:
        return list(pcapy.findalldevs())
    except pcapy.PcapError:
        return []
