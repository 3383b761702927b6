"""The recorded answers of tshark, tiny captures with one rule each: every cell is equal."""
import csv
import gzip
import os
import re
from pathlib import Path

import pytest

import tcpkit
from tcpkit.fields import contract_names
from tshark import tcpkit_fields

SHARED = Path(os.environ.get("SHARED", Path(__file__).parents[2] / ".." / "shared")) / "semantics"
TABLES = sorted(SHARED.glob("*.tsv"))
CONVERSATIONS = sorted(SHARED.glob("*.conv.txt"))
OTHER_DISSECTORS = {"completeness_ftp"}          # CP-5 needs what lies above TCP (G-2)
NOT_OURS = {"frame.protocols", "tcp.options"}
ROW = re.compile(r"(\S+) +<-> (\S+) +(\d+) (\d+ \w+) +(\d+) (\d+ \w+) +(\d+) (\d+ \w+) +(-?[\d.]+) +([\d.]+)")
pytestmark = pytest.mark.skipif(not TABLES, reason="the recorded answers of tshark are not there: no semantics/ in "
                                "$SHARED")


def capture_of(name: str, scratch: Path) -> Path:
    """The capture of that name, unpacked if need be."""
    packed = SHARED / f"{name}.pcap.gz"
    if not packed.exists():
        return SHARED / f"{name}.pcap"
    plain = scratch / f"{name}.pcap"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    return plain


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_table(table, tmp_path):
    if table.stem in OTHER_DISSECTORS:
        pytest.skip("recorded with dissectors above TCP, which announce streams (CP-5)")
    expected = list(csv.DictReader(table.read_text().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    names = [name for name in expected[0] if name not in NOT_OURS]
    assert set(names) <= set(contract_names(own=False))
    actual = {row["frame.number"]: row for row in tcpkit_fields(capture_of(table.stem, tmp_path), names)}
    differing = [(row["frame.number"], name, first(row[name]), actual.get(row["frame.number"], {}).get(name))
                 for row in expected if row["tcp.srcport"] for name in names
                 if first(row[name]) != actual.get(row["frame.number"], {}).get(name)]
    assert not differing


def first(cell: str) -> str:
    """The recorded cells hold every occurrence."""
    return cell.partition(",")[0]


@pytest.mark.parametrize("recorded", CONVERSATIONS, ids=lambda path: path.name)
def test_conversations(recorded, tmp_path):
    """CV-1 to CV-6."""
    capture = capture_of(recorded.name.removesuffix(".conv.txt"), tmp_path)
    expected = [match.groups() for match in map(ROW.match, recorded.read_text().splitlines()) if match]
    rows = tcpkit.open(capture).conversations.to_pandas().to_dict("records")
    assert [as_printed(row) for row in rows] == [cells[:-1] for cells in expected]
    for row, cells in zip(rows, expected, strict=True):
        assert row["duration"].total_seconds() == pytest.approx(float(cells[-1]), abs=0.000_051)


def as_printed(row: dict) -> tuple[str, ...]:
    """All but the duration (CV-4, CV-5): ends without brackets, bytes truncated to a unit."""
    counts = [(str(row[f"packets{end}"]), amount(row[f"bytes{end}"])) for end in ("_to_a", "_to_b", "")]
    start = row["start"].value
    return (f"{row['a']}:{row['a_port']}", f"{row['b']}:{row['b_port']}", *(cell for pair in counts for cell in pair),
            f"{'-' * (start < 0)}{abs(start) // 10**9}.{abs(start) % 10**9:09}")


def amount(size: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 10_000 or unit == "GB":
            return f"{size} {unit}"
        size //= 1000
    raise AssertionError
