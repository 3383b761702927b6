"""One tiny conversation for each rule: every cell equals what the installed tshark says of it."""
from itertools import accumulate, pairwise

import pytest

from packets import pcap
from semantics.cases import CASES, frames_of
from tcpkit.compare import TIMES, same_time
from tcpkit.fields import contract_names
from tshark import needs_tshark, tcpkit_fields, tshark_fields

NAMES = [*contract_names(own=False)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """For each case the rows of tshark and of tcpkit: all cases are in one capture, so that tshark starts once."""
    made = [frames_of(function, number) for number, function in enumerate(CASES.values())]
    path = tmp_path_factory.mktemp("rules") / "rules.pcap"
    path.write_bytes(pcap([frame for frames in made for frame in frames], nano=True))
    bounds = pairwise(accumulate(map(len, made), initial=1))
    both = [{int(row["frame.number"]): row for row in fields(path, NAMES)} for fields in (tshark_fields, tcpkit_fields)]
    return {name: [[rows.get(number) for number in range(first, end)] for rows in both]
            for name, (first, end) in zip(CASES, bounds, strict=True)}


@needs_tshark
@pytest.mark.parametrize("name", CASES)
def test_every_cell_equals_tshark(name, answers):
    expected, actual = answers[name]
    assert any(expected)
    differing = [(i, field, theirs[field], ours and ours[field])
                 for i, (theirs, ours) in enumerate(zip(expected, actual, strict=True), 1) if theirs
                 for field in NAMES if ours is None or not same(field, theirs[field], ours[field])]
    assert not differing
    assert [row is None for row in expected] == [row is None for row in actual]


def same(field, theirs, ours):
    return theirs == ours or (field in TIMES and same_time(theirs, ours))
