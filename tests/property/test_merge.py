"""Captures that overlap in time, against an obvious merge."""
import io
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from packets import T0, Frame, pcap
from tcpcore.batch import Batch
from tcpkit.rotated import open_reader

STEPS = st.lists(st.integers(-2, 9), max_size=30)            # clocks go back, too


@dataclass
class Part:
    frames: list[Frame]
    at: int = 0
    begins: int = field(init=False)

    def __post_init__(self):
        self.begins = self.frames[0].time if self.frames else 0

    @property
    def next_time(self):
        return self.frames[self.at].time


def captures_of(parts):
    """Frames that can be told apart."""
    for number, (start, steps) in enumerate(parts):
        time, frames = T0 + start, []
        for place, step in enumerate(steps):
            time += step
            frames.append(Frame(time, bytes([number, place]) * (10 + place % 3), 100))
        yield frames


def merged(captures):
    """Always the earliest of the next frames; of equal ones that of the capture which began, or was named, first."""
    waiting, active = sorted(map(Part, captures), key=lambda part: part.begins), []
    while waiting or active:
        first = min(active, key=lambda part: part.next_time, default=None)
        if waiting and (first is None or first.next_time > waiting[0].begins):
            active.append(waiting.pop(0))
        elif first:
            yield first.frames[first.at]
            first.at += 1
        active = [part for part in active if part.at < len(part.frames)]


@given(parts=st.lists(st.tuples(st.integers(0, 60), STEPS), min_size=2, max_size=12),
       size=st.sampled_from([1, 3, 64]))
def test_frames_come_in_the_order_of_an_obvious_merge(parts, size):
    captures = list(captures_of(parts))
    reader, batch, found = open_reader([io.BytesIO(pcap(each, nano=True)) for each in captures]), Batch(size), []
    while reader.next(batch):
        data, offset = batch.data_bytes, batch.data_offset
        found += [data[int(at) - offset:int(at) - offset + int(length)]
                  for at, length in batch.frame_array[["offset", "cap_len"]]]
    assert found == [frame.data for frame in merged(captures)]
