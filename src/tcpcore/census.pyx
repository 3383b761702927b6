"""Counts over all frames of a capture: how many, how large, when, on which interface, in which order."""
from libc.stdint cimport int64_t
from libc.string cimport memset

from tcpcore.batch cimport Batch
from tcpcore.flags cimport STATUS_COUNT
from tcpcore.growable cimport grow, release
from tcpcore.records cimport frame_t
from tcpcore.wire.scan cimport LINK_NONE

cdef enum:
    CLOCK_STEP = 500_000_000       # ns: no queue holds a frame back so long


cdef inline void count_time(census_t* counts, const frame_t* frame) noexcept nogil:
    cdef int64_t back = counts.previous_ns - frame.time_ns
    if counts.timed == 0:
        counts.first_ns = counts.last_ns = frame.time_ns
    elif back > 0:
        note(&counts.steps if back >= CLOCK_STEP else &counts.disordered, frame.number)
        counts.furthest_back = max(counts.furthest_back, back)
    counts.first_ns = min(counts.first_ns, frame.time_ns)
    counts.last_ns = max(counts.last_ns, frame.time_ns)
    counts.previous_ns = frame.time_ns
    counts.timed += 1


cdef inline void count_cut(census_t* counts, const frame_t* frame) noexcept nogil:
    note(&counts.cut, frame.number)
    counts.most_cut = max(counts.most_cut, frame.cap_len)
    counts.least_cut = frame.cap_len if counts.cut.count == 1 else min(counts.least_cut, frame.cap_len)


cdef void count_frames(census_t* counts, interface_count_t* interfaces, const frame_t* frames,
                       Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef const frame_t* frame
    cdef interface_count_t* interface
    for i in range(n):
        frame = frames + i
        interface = interfaces + frame.interface_id
        if frame.link_type == LINK_NONE:
            counts.others += 1
            continue
        interface.frames += 1
        interface.captured_bytes += frame.cap_len
        interface.wire_bytes += frame.wire_len
        counts.captured_bytes += frame.cap_len
        counts.wire_bytes += frame.wire_len
        counts.statuses[frame.status if frame.status < STATUS_COUNT else STATUS_COUNT] += 1
        if frame.time_ns:
            count_time(counts, frame)
        else:
            counts.at_zero += 1
        if frame.cap_len < frame.wire_len:
            count_cut(counts, frame)
    counts.frames += n


cdef class Census:
    """Takes in the batches of one pass, before or after decoding (``statuses`` needs it)."""

    def __cinit__(self):
        memset(&self.counts, 0, sizeof(census_t))

    def __dealloc__(self):
        release(&self.interfaces)

    def process(self, Batch batch not None):
        """Count the batch's frames."""
        cdef Py_ssize_t i, most = self.n_interfaces
        for i in range(batch.n_frames):
            most = max(most, <Py_ssize_t> batch.frames[i].interface_id + 1)
        if grow(&self.interfaces, most * sizeof(interface_count_t)):
            raise MemoryError
        self.n_interfaces = most
        with nogil:
            count_frames(&self.counts, <interface_count_t*> self.interfaces.data, batch.frames, batch.n_frames)

    def interface(self, Py_ssize_t number):
        """(frames, captured bytes, bytes on the wire) of an interface."""
        cdef interface_count_t* found
        if number < 0 or number >= self.n_interfaces:
            return 0, 0, 0
        found = <interface_count_t*> self.interfaces.data + number
        return found.frames, found.captured_bytes, found.wire_bytes

    @property
    def frames(self):
        """All of them."""
        return self.counts.frames

    @property
    def others(self):
        """Frames that are records of another kind than packets; only ``frames`` counts them."""
        return self.counts.others

    @property
    def captured_bytes(self):
        """Of all frames."""
        return self.counts.captured_bytes

    @property
    def wire_bytes(self):
        """Of all frames, as long as they were before they were cut."""
        return self.counts.wire_bytes

    @property
    def times(self):
        """(earliest, latest) time in ns, times of 0 left out; None if no frame has one."""
        return (self.counts.first_ns, self.counts.last_ns) if self.counts.timed else None

    @property
    def at_zero(self):
        """Packets at time 0: without a time, or captured at the epoch."""
        return self.counts.at_zero

    @property
    def disordered(self):
        """(count, first frame numbers): a little earlier than the frame before them."""
        return as_tuple(&self.counts.disordered)

    @property
    def steps(self):
        """(count, first frame numbers): so much earlier that the clock was set back."""
        return as_tuple(&self.counts.steps)

    @property
    def furthest_back(self):
        """The longest way back in time from one frame to the next, ns."""
        return self.counts.furthest_back

    @property
    def cut(self):
        """(count, first frame numbers): captured in part."""
        return as_tuple(&self.counts.cut)

    @property
    def cut_lengths(self):
        """(least, most) captured bytes of frames captured in part."""
        return self.counts.least_cut, self.counts.most_cut

    @property
    def statuses(self):
        """Packets by DecodeStatus."""
        cdef int i
        return [self.counts.statuses[i] for i in range(<int> STATUS_COUNT)]
