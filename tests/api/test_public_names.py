"""What others may rely on."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tcpkit

EXAMPLE = Path(__file__).parents[2] / "examples" / "loopback.pcap"
PUBLIC = {"Capture", "CaptureError", "FieldError", "FilterError", "Table", "open", "scan"}
OF_A_CAPTURE = {"info", "packets", "flows", "directions", "conversations", "retransmissions", "warnings", "batches",
                "write", "flow_pieces", "direction_pieces", "conversation_pieces", "state_pieces",
                "retransmission_pieces", "pipeline"}
OF_A_TABLE = {"array", "columns", "where", "to_arrow", "to_pandas", "to_polars", "to_text", "to_grid"}


def test_public_names_exist_and_are_documented():
    assert set(tcpkit.__all__) >= PUBLIC
    for name in tcpkit.__all__:
        assert getattr(tcpkit, name).__doc__, name


@pytest.mark.parametrize(("kind", "names"), [("Capture", OF_A_CAPTURE), ("Table", OF_A_TABLE)])
def test_attributes_exist_and_are_documented(kind, names):
    for name in names:
        assert getattr(getattr(tcpkit, kind), name).__doc__, name


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tcpkit.nonsense  # noqa: B018


def test_importing_is_free():
    program = "import sys, tcpkit; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "tcpcore", "typer", "rich", "pcapy"} & set(loaded)


def test_a_scan_imports_only_what_it_needs():
    """Beside NumPy, of which nothing can be left out."""
    program = ("import sys, numpy; before = set(sys.modules); import tcpkit\n"
               f"rows = sum(map(len, tcpkit.scan({str(EXAMPLE)!r})))\nprint(rows, *set(sys.modules) - before)")
    rows, *loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                   check=True).stdout.split()
    assert int(rows) > 0
    assert "tcpkit.pipeline" in loaded
    slow = {"glob", "heapq", "ipaddress", "json", "numpy.typing", "pathlib", "queue", "tempfile", "threading",
            "urllib.parse", "zlib"}
    rare = {"tcpkit.capture_filter", "tcpkit.decompressed", "tcpkit.display_filter", "tcpkit.flow_columns",
            "tcpkit.info", "tcpkit.streams"}
    assert not (slow | rare) & set(loaded)
