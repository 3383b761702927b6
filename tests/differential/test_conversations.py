"""Random conversations: every cell that tshark gives is equal.

A handful of captures here; thousands with ``make differential N=5000`` (conversations).
"""
import os

import pytest

from conversations import random_capture
from packets import pcap
from tcpkit.compare import compare
from tcpkit.fields import contract_names
from tshark import needs_tshark

CONVERSATIONS = 100                              # in a capture, so that tshark starts once for many
CAPTURES = -(-int(os.environ.get("TCPKIT_CONVERSATIONS", "600")) // CONVERSATIONS)
FIRST = int(os.environ.get("TCPKIT_SEED", "1"))


@needs_tshark
@pytest.mark.parametrize("seed", range(FIRST, FIRST + CAPTURES))
def test_every_cell_equals_tshark(seed, tmp_path):
    path = tmp_path / f"random-{seed}.pcap"
    path.write_bytes(pcap(random_capture(seed, CONVERSATIONS)))
    found = compare(path, contract_names(own=False))
    assert found.rows > 20 * CONVERSATIONS // 2
    assert found.equal, "\n".join(map(str, found.differences))
