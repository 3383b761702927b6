"""Which columns of the live picture a narrow screen shows."""
from __future__ import annotations

import pytest
from rich.text import Text

from tcpkit.live_cells import STATES, TRAFFIC, Heading, Moment, fitting

MOMENTS = [Moment(None, name, name, 0.0, 0) for name in ("a", "bcd")]          # type: ignore[arg-type]
HEADINGS = (Heading("Who", lambda moment: moment.client), Heading("First to go", lambda moment: "x", rank=2),
            Heading("B", lambda moment: Text("five!", "red"), rank=1), Heading("Wide", lambda moment: "", least=6))
WHOLE = 5 + 13 + 7 + 8


@pytest.mark.parametrize(("width", "titles"), [
    (WHOLE, ["Who", "First to go", "B", "Wide"]), (WHOLE - 1, ["Who", "B", "Wide"]),
    (20, ["Who", "B", "Wide"]), (19, ["Who", "Wide"]), (1, ["Who", "Wide"])])
def test_the_last_in_rank_is_left_out_first(width, titles):
    columns = fitting(HEADINGS, MOMENTS, width)
    assert [column.heading.title for column in columns] == titles
    assert [cell.plain for cell in columns[0].cells] == ["a", "bcd"]


def test_titles_alone_take_room():
    assert [column.heading.title for column in fitting(HEADINGS, [], WHOLE - 5)] == ["Who", "B", "Wide"]
    assert len(fitting(HEADINGS, [], WHOLE - 4)) == 4


@pytest.mark.parametrize("headings", [TRAFFIC, STATES])
def test_each_column_that_may_go_has_a_rank_of_its_own(headings):
    ranks = [heading.rank for heading in headings if heading.rank]
    assert len(set(ranks)) == len(ranks) == len(headings) - 2
