"""NumPy dtypes of the rows, derived from the C structs so that there is one source of truth."""
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

FRAME = np.asarray(<frame_t[:1]> _frame).dtype
SEGMENT = np.asarray(<segment_t[:1]> _segment).dtype
TUNNEL = np.asarray(<tunnel_t[:1]> _tunnel).dtype
FLOW = np.asarray(<flow_record_t[:1]> _flow).dtype
ANALYSIS = np.asarray(<analysis_t[:1]> _analysis).dtype
FLOW_ANALYSIS = np.asarray(<flow_analysis_t[:1]> _flow_analysis).dtype
LIFECYCLE = np.asarray(<lifecycle_t[:1]> _lifecycle).dtype
STATES = np.asarray(<states_t[:1]> _states).dtype
VERDICT = np.asarray(<verdict_t[:1]> _verdict).dtype
FLOW_VERDICT = np.asarray(<flow_verdict_t[:1]> _flow_verdict).dtype
CHUNK = np.asarray(<chunk_t[:1]> _chunk).dtype
SIDE = np.asarray(<side_t[:1]> _side).dtype


def join(**parts):
    """One dtype whose rows hold the given parts side by side, aligned to 8 bytes.

    The fields ``present`` and ``reserved`` of every part but the first get the part's name as a
    prefix, so that no two fields share a name.
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
