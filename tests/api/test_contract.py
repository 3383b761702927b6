"""The fields that tcpkit shares with tshark: all there, under both names, in tables and in text."""
from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit.fields import contract_names
from tcpkit.listing import write_fields
from tcpkit.packet_columns import PACKETS

CONTRACT = Path(__file__).with_name("contract.txt").read_text().split()


@pytest.fixture(scope="module")
def capture():
    return pcap(random_capture(1, conversations=40), nano=True)


@pytest.fixture(scope="module")
def packets(capture):
    return tcpkit.open(io.BytesIO(capture)).packets


def test_every_field_of_the_contract_is_there():
    assert set(CONTRACT) <= set(contract_names(own=False)) <= set(contract_names())
    assert all(name.startswith("tcpkit.") for name in set(contract_names()) - set(contract_names(own=False)))


def test_names_are_unique():
    for names in ([column.name for column in PACKETS], [column.wireshark for column in PACKETS]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("wireshark", CONTRACT)
def test_column_by_both_names(packets, wireshark):
    name, = [column.name for column in PACKETS if column.wireshark == wireshark]
    assert name in packets.columns
    ours, theirs = packets[name], packets[wireshark]
    assert len(ours) == len(packets)
    assert np.ma.getmaskarray(ours).tolist() == np.ma.getmaskarray(theirs).tolist()
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("wireshark", CONTRACT)
def test_text_is_empty_exactly_where_the_column_is_masked_or_unmarked(capture, packets, wireshark):
    out = io.BytesIO()
    write_fields(tcpkit.open(io.BytesIO(capture)), [wireshark], out)
    head, *cells = out.getvalue().decode().splitlines()
    column = packets[wireshark]
    there = ~np.ma.getmaskarray(column)
    if column.dtype == bool:
        there = there & np.ma.filled(column, False)
    assert head == wireshark
    assert [cell != "" for cell in cells] == there.tolist()


def test_tshark_knows_the_names():
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    listing = subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True, check=True).stdout
    known = {line.split("\t")[2] for line in listing.splitlines() if line[0] in "PF"}
    assert set(contract_names(own=False)) <= known
