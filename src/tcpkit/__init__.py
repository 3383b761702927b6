"""TCP captures: packets, connections, handshakes, retransmissions and streams, as tables.

    cap = tcpkit.open("trace.pcapng")
    cap.flows.to_polars()
"""
from __future__ import annotations

TYPE_CHECKING = False            # type checkers know the name; importing typing takes longer than all that is here
if TYPE_CHECKING:
    from typing import Any

    from tcpkit.capture import Capture
    from tcpkit.errors import CaptureError, FieldError, FilterError, HoleError
    from tcpkit.live_capture import live
    from tcpkit.opening import open, scan
    from tcpkit.stream_scan import scan_streams
    from tcpkit.table import Table

__version__ = "0.1.0"
__all__ = ["Capture", "CaptureError", "FieldError", "FilterError", "HoleError", "Table", "live", "open", "scan",
           "scan_streams"]
_HOME = {"Capture": "capture", "open": "opening", "scan": "opening", "Table": "table",
         "live": "live_capture", "scan_streams": "stream_scan"}


def __getattr__(name: str) -> Any:
    """Import on first use: ``import tcpkit`` is free."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'errors')}"), name)
