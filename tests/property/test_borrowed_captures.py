"""Bytes looked at in the page cache are those that are read: frames, positions, damage, of captures of any make-up."""
from __future__ import annotations

import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from test_captures import pcapngs, pcaps

from tcpcore.batch import Batch
from tcpkit.rotated import open_reader

# Long enough for records to be worth it, but for some that are not.
SIZES = st.integers(0, 60) | st.integers(200, 1500) | st.just(70_000)
PAYLOADS = SIZES.map(lambda size: b"\6\0\0\0" * (size // 4))
CAPTURES = pcapngs(PAYLOADS) | pcaps(st.booleans(), PAYLOADS)


def told(path: str, capacity: int, *, lend: bool):
    """All that a reader tells."""
    reader, batch, frames = open_reader(path), Batch(capacity), []
    if lend:
        reader.lend()
    while reader.next(batch):
        data, rows = batch.data_bytes, batch.frame_array
        frames += [(row.tolist(), data[row["offset"] - batch.data_offset:][:row["cap_len"]]) for row in rows]
    reader.close()
    return frames, reader.damages, reader.n_untimed, reader.n_comments, len(reader.interfaces)


@given(made=CAPTURES, capacity=st.integers(1, 9), cut=st.none() | st.integers(28, 40_000),
       change=st.none() | st.tuples(st.integers(28, 40_000), st.binary(min_size=1, max_size=4)))
@settings(max_examples=300)
def test_borrowed_or_read(made, capacity, cut, change):
    data = made.data
    if change:
        at, new = change
        data = data[:at] + new + data[at + len(new):]
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "x")
        with open(path, "wb") as file:
            file.write(data[:cut])
        assert told(path, capacity, lend=True) == told(path, capacity, lend=False)
