"""Tables of connections of which only some columns are looked at: the same values, by as few stages as they need."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit.direction_columns import DIRECTIONS
from tcpkit.flow_columns import FLOWS
from tcpkit.retransmission_columns import RETRANSMISSIONS
from tcpkit.stages import with_needs
from tcpkit.states import STATES
from tcpkit.table import joined

# Table; the pieces of it; the property that has every column; the stages it always takes.
KINDS = [(FLOWS, "flow_pieces", "judged_flows", ("flows",)), (STATES, "state_pieces", "states", ("lifecycle",)),
         (DIRECTIONS, "direction_pieces", "directions", ("analysis",)),
         (RETRANSMISSIONS, "retransmission_pieces", "retransmissions", ("analysis", "verdicts"))]

COUNTED = ("retransmissions", "packets", "reordered", "duplicate", "payload_len", "confidence")


@pytest.fixture(scope="module", params=[3, 11])
def content(request):
    return pcap(random_capture(request.param, conversations=30), nano=True)


class Watched:
    """A capture, and the stages of its passes."""

    def __init__(self, content, **options):
        self.stages = set()
        self.capture = tcpkit.open(io.BytesIO(content), observer=lambda done: self.stages.add(done.stages), **options)


@pytest.mark.parametrize(("schema", "pieces", "whole", "always"), KINDS, ids=lambda kind: getattr(kind, "name", None))
def test_each_column_alone_is_that_of_the_whole_table(content, schema, pieces, whole, always):
    expected = getattr(tcpkit.open(io.BytesIO(content)), whole)
    for column in schema.columns:
        watched = Watched(content)
        table = joined(getattr(watched.capture, pieces)([column.name]))
        stages = with_needs([*always, column.stage])
        assert watched.stages == {stages}
        assert set(table.columns) == {each.name for each in schema.columns if each.stage in stages}
        found = table[column.name]
        assert np.array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(expected[column.name])), column.name
        assert table.to_text("csv", [column.name]) == expected.to_text("csv", [column.name])


@pytest.mark.parametrize(("schema", "pieces", "whole", "always"), KINDS, ids=lambda kind: getattr(kind, "name", None))
def test_a_filter_adds_what_it_asks_for(content, schema, pieces, whole, always):
    for column in schema.columns:
        if not column.name.startswith(COUNTED):
            continue
        watched = Watched(content)
        where = f"{column.name} > 0"
        table = joined(getattr(watched.capture, pieces)(["stream"], where=where))
        assert watched.stages == {with_needs([*always, column.stage])}
        expected = getattr(tcpkit.open(io.BytesIO(content)), whole).where(where)
        assert table["stream"].tolist() == expected["stream"].tolist()


def test_columns_go_before_the_stages_that_the_capture_was_opened_with(content):
    watched = Watched(content, stages=["flows"])
    assert "retransmissions_client" not in joined(watched.capture.flow_pieces()).columns
    assert "retransmissions_client" in joined(watched.capture.flow_pieces(["retransmissions_client"])).columns
    assert "retransmissions" in joined(watched.capture.direction_pieces(["retransmissions"])).columns
    with pytest.raises(ValueError, match='need the stage "analysis"'):
        list(watched.capture.direction_pieces())


def test_a_pass_that_has_told_more_serves_again(content):
    watched = Watched(content)
    watched.capture.flows  # noqa: B018
    table = joined(watched.capture.flow_pieces(["stream", "client"], where="retransmissions_client > 0"))
    assert table["stream"].tolist() == watched.capture.flows.where("retransmissions_client > 0")["stream"].tolist()
    assert watched.stages == {with_needs(["analysis", "lifecycle"])}


@pytest.mark.parametrize(("columns", "where", "error"), [
    (["stream", "sorcerer"], "", tcpkit.FieldError), (["stream"], "tcp.strem == 1", tcpkit.FilterError),
    (None, "tcp.strem == 1", tcpkit.FilterError), (None, "timeouts_client > 0", tcpkit.FilterError),
    (["stream"], "stream ==", tcpkit.FilterError)])
def test_what_is_wrong_is_told_before_anything_is_read(content, columns, where, error):
    watched = Watched(content)
    with pytest.raises(error):
        watched.capture.flow_pieces(columns, where=where)
    assert not watched.stages


def test_no_columns_at_all_are_still_rows(content):
    watched = Watched(content)
    assert len(joined(watched.capture.flow_pieces([]))) == len(tcpkit.open(io.BytesIO(content)).flows)
    assert watched.stages == {with_needs(["flows"])}
