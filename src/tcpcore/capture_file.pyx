"""Capture files into batches: bytes where the page cache has them or read into a reused buffer, a FRAME a record."""
from cpython.buffer cimport PyBUF_WRITE
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.limits cimport INT_MAX
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from tcpcore.bytes cimport be32
from tcpcore.lender cimport Lender
from tcpcore.sanitize cimport fence
from tcpcore.wire.pcap cimport (
    LENGTHS_CAPTURED_FIRST, LENGTHS_EITHER, LENGTHS_WIRE_FIRST, doubt, scan_pcap)
from tcpcore.wire.pcapng cimport BLOCK_INTERFACE, BLOCK_SECTION, BYTE_ORDER_MAGIC, interface_t, padded, scan_pcapng
from tcpcore.wire.scan cimport (
    LINK_NONE, SCAN_BLOCK, SCAN_BLOCK_LENGTH, SCAN_MORE, SCAN_NO_INTERFACE, SCAN_OPTIONS, SCAN_SHORT_BLOCK,
    SCAN_TOO_LONG, SCAN_TRAILER, load16, load32, max_captured)
from tcpcore.wire.scout cimport scout_pcap, scout_pcapng

from tcpcore.errors import CaptureError
from tcpcore.magic import MAGICS, describe
from tcpcore.metadata import Interface, Metadata

cdef enum:
    FILE_HEADER = 24
    SECTION_HEADER = 28
    MIN_READ = 64 * 1024
    MAX_READ = 1024 * 1024
    MAX_LOOK = 2048 * 1024
    SPARSE = 256                    # bytes a record from which on a look at the headers costs less than a copy
    SIMPLE_SECONDS = 4_000_000_000  # twice this many nanoseconds fit into 64 bits

CAUSES = {
    SCAN_TOO_LONG: "a record claims {} captured bytes, more than any capture holds",
    SCAN_BLOCK_LENGTH: "a pcapng block of {} bytes cannot be",
    SCAN_TRAILER: "a pcapng block's length of {} bytes differs from the length at its end",
    SCAN_NO_INTERFACE: "a packet of interface {}, which is not described",
    SCAN_SHORT_BLOCK: "a pcapng block cannot hold the {} bytes of its packet",
    SCAN_OPTIONS: "a packet with a malformed option",
}
WRAPPED = ("frames whose time does not fit into 64 bits of nanoseconds (1677 to 2262): {:,}; these times are wrong by "
           "multiples of 584.6 years, differences between them are right")


cdef class Reader:
    """Scans the capture in ``source``, an object with ``readinto(memoryview) -> int``.

    Raises CaptureError if the source is not a capture.  A damaged capture ends at the damage:
    everything before it is delivered, and ``damage`` says where and why.  A source that ends early for
    a reason of its own tells it in an attribute ``damage``; one that is ``growing`` may end anywhere.
    """

    def __cinit__(self, source):
        self.source = source
        self.name = getattr(source, "name", "capture")
        self.metadata = Metadata()
        self.read_size = MIN_READ
        self._read_head(4)
        self.is_pcapng = self.tail_len == 4 and be32(self.tail) == BLOCK_SECTION
        self._read_head(SECTION_HEADER if self.is_pcapng else FILE_HEADER)
        if self.is_pcapng:
            self._open_pcapng()
        else:
            self._open_pcap()

    def __dealloc__(self):
        free(self.tail)
        free(self.section.interfaces)

    def lend(self, bint lends=True):
        """From now on let batches look at the bytes where the page cache has them, if the source is a file as it is.

        They are good until the batch gives them back, which is to be soon: who wants to write the file waits for it.
        """
        self.lends = lends and getattr(self.source, "descriptor", None) is not None
        if not self.lends:
            self.lender = None

    def next(self, Batch batch not None):
        """Fill ``batch`` with the next frames and their bytes; False at the end of the capture.

        Waits only while there is no frame at all, so a slow source is delivered as it comes.
        """
        batch.n_frames = batch.n_rows = batch.n_tunnels = batch.arena_len = batch.data_len = 0
        batch.give_back()
        try:
            if not self.done:
                self._fill(batch)
        finally:
            if batch.n_frames == 0:
                batch.give_back()
        return batch.n_frames > 0

    @property
    def interfaces(self):
        """The interfaces met so far (of a hostile capture the first some thousand), by FRAME.interface_id."""
        return self.metadata.interfaces

    @property
    def damages(self):
        """(name, byte offset or None, cause) of the damage, and of times that are wrong: as MergedReader has it."""
        found = [] if self.damage is None else [(self.name, *self.damage)]
        if self.n_wrapped:
            found.append((self.name, None, WRAPPED.format(self.n_wrapped)))
        return found

    @property
    def parts(self):
        """The readers of the single captures: this one."""
        return [self]

    def close(self):
        """Close the source."""
        self.done, self.lender = True, None
        if hasattr(self.source, "close"):
            self.source.close()

    cdef int _fill(self, Batch batch) except -1:
        cdef scan_t w
        cdef int stop
        self._start(batch, &w)
        self._read_more(batch, &w)
        if self.variants is not None:
            self._settle_variant(batch, &w)
        while True:
            with nogil:
                stop = self._scan(&w)
            if stop == SCAN_BLOCK:
                cause = self._read_block(&w)
                if cause is not None:
                    self.damage = (w.offset + w.at, cause)
                    break
            elif stop != SCAN_MORE or w.n_frames or not self._read_more(batch, &w):
                break
        return self._finish(batch, &w, stop)

    cdef int _start(self, Batch batch, scan_t* w) except -1:
        """Lay what is left of the last piece at the start of the new one, unless bytes are or were borrowed."""
        cdef bint borrows = self.sparse and self.lends
        if self.borrows or borrows:
            self.tail_len, self.at_end = 0, False
            if not borrows:
                self.source.seek(self.tail_offset)
        self.borrows = borrows
        batch.reserve_data(self.tail_len)
        memcpy(batch.data, self.tail, self.tail_len)
        w.data, w.size, w.at, w.need, w.detail = batch.data, self.tail_len, 0, 0, 0
        w.offset, w.number = self.tail_offset, self.n_frames
        w.untimed, w.wrapped, w.comments = self.n_untimed, self.n_wrapped, self.n_comments
        w.frames, w.n_frames, w.capacity = batch.frames, 0, batch.frame_capacity
        return 0

    cdef int _scan(self, scan_t* w) noexcept nogil:
        return scan_pcapng(w, &self.section) if self.is_pcapng else scan_pcap(w, &self.pcap)

    cdef bint _read_more(self, Batch batch, scan_t* w) except -1:
        """Read once, up to the size aimed at or what the next record needs; False if nothing came."""
        cdef Py_ssize_t room
        if w.n_frames == 0 and w.at:                    # only blocks without frames: forget them
            w.size -= w.at
            if not self.borrows:
                memmove(batch.data, batch.data + w.at, w.size)
            w.offset += w.at
            w.at = 0
        room = max(self.read_size, w.need) - w.size
        if self.at_end or room <= 0:
            return False
        if self.borrows and self._borrow(batch, w, w.size + room):
            return True
        room = min(room, max(w.size, MAX_READ))         # memory grows with the bytes there are, not with a claim
        batch.reserve_data(w.size + room)
        w.data = batch.data
        room = self._read(batch.data + w.size, room)
        w.size += room
        fence(w.data + w.size, batch.data_capacity - w.size)
        return room > 0

    cdef bint _borrow(self, Batch batch, scan_t* w, Py_ssize_t size) except -1:
        """Look at ``size`` bytes from ``w.offset`` on, where they are; False if they have to be read, from now on."""
        if self.lender is None:
            self.lender = Lender(self.source.descriptor, self.name)
        w.size = batch.borrow(self.lender, w.offset, size)
        if w.size < 0:
            self.lends, self.lender, self.borrows, w.size = False, None, False, 0
            self.source.seek(w.offset)
            return False
        w.data = batch.data
        self.at_end = w.size < size
        with nogil:
            if self.is_pcapng:
                scout_pcapng(w.data, w.size, &self.section)
            else:
                scout_pcap(w.data, w.size, &self.pcap)
        return True

    cdef object _read_block(self, scan_t* w):
        """Take in the block at ``w.at``, and step over it; the cause if it is malformed."""
        cdef const uint8_t* head = w.data + w.at
        cdef uint32_t kind = load32(head, self.section.big)
        if kind == BLOCK_SECTION:
            self.section.big = be32(head + 8) == BYTE_ORDER_MAGIC
        cdef Py_ssize_t total = padded(load32(head + 4, self.section.big))
        try:
            found = self.block_readers[kind](PyBytes_FromStringAndSize(<char*> head + 8, total - 12), self.section.big)
        except ValueError as error:
            return str(error)
        if kind == BLOCK_SECTION:
            self.section.first += self.section.n_interfaces
            self.section.n_interfaces = 0
        elif kind == BLOCK_INTERFACE:
            self._add_interface(found)
        w.at += total
        return None

    cdef int _add_interface(self, described) except -1:
        """Settle how the times of its packets are computed."""
        cdef uint32_t n = self.section.first + self.section.n_interfaces
        cdef interface_t* grown
        if n == self.interface_capacity:
            grown = <interface_t*> realloc(self.section.interfaces, (n * 2 + 8) * sizeof(interface_t))
            if grown == NULL:
                raise MemoryError
            self.section.interfaces, self.interface_capacity = grown, n * 2 + 8
        cdef interface_t* interface = self.section.interfaces + n
        interface.multiplier, interface.divisor, interface.shift = described.clock
        interface.offset_s = described.offset_s
        interface.offset_ns = interface.simple_limit = 0
        if interface.shift == 0 and interface.divisor == 1 \
                and -<int64_t> SIMPLE_SECONDS < interface.offset_s < SIMPLE_SECONDS:
            interface.offset_ns = interface.offset_s * 1_000_000_000
            interface.simple_limit = <uint64_t> SIMPLE_SECONDS * 1_000_000_000 // interface.multiplier
        interface.snaplen, interface.fcs_len = described.snaplen, described.fcs_len
        interface.link_type = described.link_type
        interface.max_captured = max_captured(interface.link_type)
        self.section.n_interfaces += 1
        return 0

    cdef int _settle_variant(self, Batch batch, scan_t* w) except -1:
        """Choose the record header by the first records, for several variants share a magic number.

        That a record is cut tells something at the end of a file; a stream is not waited for to know where it ends.
        """
        cdef int odd, least = INT_MAX
        while getattr(self.source, "size", None) is not None and self._read_more(batch, w):
            pass
        for header_len in self.variants:
            odd = doubt(w.data, w.size, self.at_end, &self.pcap, header_len)
            if odd < least:
                least, self.pcap.header_len = odd, header_len
        self.variants = None
        return 0

    cdef int _finish(self, Batch batch, scan_t* w, int stop) except -1:
        """Hand the frames to the batch, keep the rest, and learn how much to read next time."""
        batch.n_frames, batch.data_len, batch.data_offset = w.n_frames, w.at, w.offset
        self.n_frames += w.n_frames
        self.n_untimed, self.n_wrapped, self.n_comments = w.untimed, w.wrapped, w.comments
        self.tail_offset = w.offset + w.at
        if not self.borrows:
            self._keep_tail(w.data + w.at, w.size - w.at)
            fence(batch.data + batch.data_len, batch.data_capacity - batch.data_len)
        if stop in CAUSES:
            self.damage = (self.tail_offset, CAUSES[stop].format(w.detail))
        elif stop == SCAN_MORE and w.n_frames == 0:
            self._end(w.size - w.at)
        self.done = self.done or self.damage is not None
        if self.done:
            self.lender = None
        if w.n_frames:
            self.sparse = w.at >= SPARSE * w.n_frames
            self.read_size = min(max(w.at // w.n_frames * batch.frame_capacity, MIN_READ), MAX_LOOK)
        return 0

    cdef int _end(self, Py_ssize_t left) except -1:
        """The source has no more bytes than the ``left`` ones."""
        cause = getattr(self.source, "damage", None)
        if cause is None and getattr(self.source, "descriptor", None) is not None \
                and self.tail_offset + left < self.source.size:
            cause = "the file became shorter while it was read"
        if cause is None and left and not getattr(self.source, "growing", False):
            cause = "the capture ends in the middle of a record"
        if cause is not None:
            self.damage = (self.tail_offset, cause)
        self.done = True
        return 0

    cdef Py_ssize_t _read(self, uint8_t* at, Py_ssize_t room) except -1:
        view = PyMemoryView_FromMemory(<char*> at, room, PyBUF_WRITE)
        try:
            got = self.source.readinto(view)
        finally:
            view.release()
        cdef Py_ssize_t size = got
        if size < 0 or size > room:
            raise ValueError(f"readinto() gave {size} for {room} bytes")
        self.at_end = size == 0
        return size

    cdef int _read_head(self, Py_ssize_t wanted) except -1:
        """Read into the tail until it holds ``wanted`` bytes, or the source ends."""
        self._grow_tail(wanted)
        while self.tail_len < wanted and not self.at_end:
            self.tail_len += self._read(self.tail + self.tail_len, wanted - self.tail_len)
        return 0

    cdef int _not_a_capture(self, cause) except -1:
        raise CaptureError(self.name, getattr(self.source, "damage", None) or cause)

    cdef int _open_pcap(self) except -1:
        """Read the file header; the records follow in the tail."""
        cdef bint big = True
        head = PyBytes_FromStringAndSize(<char*> self.tail, self.tail_len)
        known = MAGICS.get(int.from_bytes(head[:4], "big"))
        if known is None:
            big, known = False, MAGICS.get(int.from_bytes(head[:4], "little"))
        if known is None or len(head) < 4:
            self._not_a_capture(f"not a capture but {describe(head)}")
        self.format, fraction_ns, further, self.variants = known
        if len(head) < FILE_HEADER:
            self._not_a_capture(f"a {self.format} file that ends within its header")
        cdef uint16_t major = load16(self.tail + 4, big), minor = load16(self.tail + 6, big)
        if major < 2:
            self._not_a_capture(f"a {self.format} file of version {major}.{minor}, which is not known")
        cdef uint32_t network = load32(self.tail + 20, big)
        self.pcap.big, self.pcap.fraction_ns, self.pcap.header_len = big, fraction_ns, self.variants[0]
        self.pcap.link_type = LINK_NONE if network & 0x03FF0000 else <uint16_t> network
        self.pcap.max_captured = max_captured(self.pcap.link_type)
        self.pcap.snaplen = load32(self.tail + 16, big)
        self.pcap.fcs_len = network >> 28 << 1 if network & 0x04000000 else 0
        self.pcap.lengths = LENGTHS_CAPTURED_FIRST
        if major == 2 and minor < 3 or major == 543 and minor == 0:
            self.pcap.lengths = LENGTHS_WIRE_FIRST
        elif major == 2 and minor == 3:
            self.pcap.lengths = LENGTHS_EITHER
        self.metadata.interfaces.append(
            Interface(self.pcap.link_type, self.pcap.snaplen, resolution=9 if fraction_ns == 1 else 6,
                      fcs_len=self.pcap.fcs_len))
        self._read_head(FILE_HEADER + further)
        self.tail_offset, self.tail_len = self.tail_len, 0
        return 0

    cdef int _open_pcapng(self) except -1:
        """Look at the first section header; the scan takes it in with the other blocks."""
        self.format = "pcapng"
        if self.tail_len < SECTION_HEADER:
            self._not_a_capture("a pcapng file that ends within its section header")
        self.section.big = be32(self.tail + 8) == BYTE_ORDER_MAGIC
        try:
            Metadata().read_section(PyBytes_FromStringAndSize(<char*> self.tail + 8, 16), self.section.big)
        except ValueError as error:
            self._not_a_capture(str(error))
        self.block_readers = self.metadata.readers()
        return 0

    cdef int _keep_tail(self, const uint8_t* data, Py_ssize_t size) except -1:
        self._grow_tail(size)
        memcpy(self.tail, data, size)
        self.tail_len = size
        return 0

    cdef int _grow_tail(self, Py_ssize_t size) except -1:
        cdef uint8_t* grown
        if size > self.tail_capacity:
            grown = <uint8_t*> realloc(self.tail, size)
            if grown == NULL:
                raise MemoryError
            self.tail, self.tail_capacity = grown, size
        return 0
