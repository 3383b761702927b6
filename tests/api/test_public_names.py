"""What others may rely on."""
from __future__ import annotations

import subprocess
import sys

import pytest

import tcpkit

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
