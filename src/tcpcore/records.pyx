"""NumPy dtypes of the rows, derived from the C structs so that there is one source of truth."""
import re

import numpy as np

cdef frame_t[1] _frame
cdef segment_t[1] _segment
cdef tunnel_t[1] _tunnel
cdef flow_record_t[1] _flow
cdef analysis_t[1] _analysis
cdef flow_analysis_t[1] _flow_analysis
cdef states_t[1] _states
cdef lifecycle_t[1] _lifecycle
cdef verdict_t[1] _verdict
cdef flow_verdict_t[1] _flow_verdict
cdef chunk_t[1] _chunk
cdef side_t[1] _side

cdef object rows_of(view):
    """The dtype of a struct, from what its buffer says of it: T{q:time_ns:I:findings:(3)B:reserved:}.

    NumPy reads that too, but for the general case, and takes ten times as long.
    """
    fields = re.findall(r"\(?(\d*)\)?(\w):(\w+):", memoryview(view).format)
    dtype = np.dtype([(name, count + code) for count, code, name in fields])
    assert dtype.itemsize == view.itemsize
    return dtype


FRAME = rows_of(<frame_t[:1]> _frame)
SEGMENT = rows_of(<segment_t[:1]> _segment)
TUNNEL = rows_of(<tunnel_t[:1]> _tunnel)
FLOW = rows_of(<flow_record_t[:1]> _flow)
ANALYSIS = rows_of(<analysis_t[:1]> _analysis)
FLOW_ANALYSIS = rows_of(<flow_analysis_t[:1]> _flow_analysis)
LIFECYCLE = rows_of(<lifecycle_t[:1]> _lifecycle)
STATES = rows_of(<states_t[:1]> _states)
VERDICT = rows_of(<verdict_t[:1]> _verdict)
FLOW_VERDICT = rows_of(<flow_verdict_t[:1]> _flow_verdict)
CHUNK = rows_of(<chunk_t[:1]> _chunk)
SIDE = rows_of(<side_t[:1]> _side)


def join(**parts):
    """One dtype whose rows hold the given parts side by side, aligned to 8 bytes.

    A field whose name an earlier part has gets its part's name as a prefix.
    """
    names, formats, offsets, at = [], [], [], 0
    for part, dtype in parts.items():
        for name in dtype.names:
            field, offset = dtype.fields[name][:2]
            names.append(name if name not in names else f"{part}_{name}")
            formats.append(field)
            offsets.append(at + offset)
        at += dtype.itemsize
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": at})
