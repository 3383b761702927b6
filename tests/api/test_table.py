"""Tables: columns, rows, selections, how they look, what they become."""
from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterable

import numpy as np
import polars
import pyarrow as pa
import pytest

import tcpkit
from conversations import random_capture
from packets import Conversation, pcap
from tcpcore.fieldtext import TextKind
from tcpkit.columns import Column, Schema
from tcpkit.table import Table


@pytest.fixture(scope="module")
def capture():
    return tcpkit.open(io.BytesIO(pcap(random_capture(2, conversations=40), nano=True)))


TABLES = ("packets", "flows", "directions", "conversations", "retransmissions")


@pytest.fixture(scope="module", params=TABLES)
def table(request, capture):
    return getattr(capture, request.param)


def hostile_table():
    """A table whose only text would take over a terminal or a page."""
    words = ("\x1b]0;owned\x07", "<script>alert(1)</script>", "a\nb\tc", '"quoted", & more')
    column = Column("word", "test.word", "word", TextKind.WORD, "", words=words)
    array = np.zeros(len(words), [("word", np.uint32)])
    array["word"] = range(len(words))
    return Table(array, Schema("<b>words</b>", (column,), ("word",)))


def test_rows_columns_and_array_agree(table):
    assert len(table) == len(table.array) > 5
    for name in table.columns:
        assert len(table[name]) == len(table)


def test_a_row_is_a_dict_of_the_columns(table):
    row = table[-1]
    assert tuple(row) == table.columns
    for name, value in row.items():
        last = table[name][-1]
        assert value is None if last is np.ma.masked else value == last


def test_a_loop_gives_one_row_after_the_other(table):
    assert isinstance(table, Iterable)
    assert [str(row) for row in table] == [str(table[place]) for place in range(len(table))]


def test_rows_beyond_the_end(table):
    for index in (len(table), -len(table) - 1):
        with pytest.raises(IndexError, match=f"of {len(table)}"):
            table[index]


def test_selections_are_tables_of_the_same_kind(table):
    odd = table[1::2]
    assert type(odd) is Table
    assert odd.columns == table.columns
    assert len(odd) == len(table) // 2
    mask = np.arange(len(table)) % 2 == 1
    assert (table[mask].array == odd.array).all()
    assert (table[[1, 3]].array == odd[:2].array).all()


@pytest.mark.parametrize("library", ["to_pandas", "to_polars"])
def test_a_mask_of_a_data_frame_chooses_nothing_where_it_has_no_value(capture, library):
    packets = capture.packets
    mask = getattr(packets, library)()["mss"] > 1000
    expected = packets[packets["mss"] > 1000]
    assert 0 < len(expected) < np.ma.count_masked(packets["mss"])
    assert (packets[mask]["frame"] == expected["frame"]).all()
    assert len(packets[[None] * len(packets)]) == 0
    of_numpy = np.array([None if one is np.ma.masked else np.bool_(one) for one in packets["mss"] > 1000], object)
    assert (packets[of_numpy]["frame"] == expected["frame"]).all()


@pytest.mark.parametrize("rows", [[1.0, None], [True, 1], ["1", None]], ids=str)
def test_rows_are_chosen_by_numbers_and_masks(capture, rows):
    with pytest.raises(IndexError):
        capture.packets[np.array(rows, object)]


@pytest.mark.parametrize("names", [["direction", "tcp.stream"], np.array(["direction", "tcp.stream"]),
                                   np.array(["direction", "tcp.stream"], object)],
                         ids=["list", "array", "objects"])
def test_a_list_of_names_chooses_columns(capture, names):
    for table in (capture.packets, next(capture.batches())):
        chosen = table[names]
        assert chosen.columns == ("direction", "stream")
        assert chosen[-1] == {name: table[-1][name] for name in chosen.columns}
        assert (chosen["stream"] == table["stream"]).all()
        assert chosen.corrections is table.corrections
        assert repr(chosen).splitlines()[1].split() == ["direction", "stream"]
        assert len(chosen.where("direction == 0")) == (table["direction"] == 0).sum()
        with pytest.raises(tcpkit.FieldError):
            chosen["seq"]


def test_chosen_columns_must_be_there(table):
    with pytest.raises(tcpkit.FieldError, match=r'"tcp\.sream" is not a field'):
        table[["stream", "tcp.sream"]]


def test_columns_are_several(capture):
    for ask in (capture.packets.to_arrow, capture.packets.to_pandas, capture.packets.to_grid, capture.flow_pieces,
                lambda name: next(capture.batches(name))):
        with pytest.raises(TypeError, match=r'columns are several: \["tcp\.stream"\], not "tcp\.stream"'):
            ask("tcp.stream")


def test_names_are_in_the_table(table):
    assert all(name in table for name in (*table.columns, "tcp.stream"))
    assert "tcp.sream" not in table
    assert 0 not in table


def test_an_unknown_column_names_the_nearest(table):
    with pytest.raises(tcpkit.FieldError, match=r'"tcp\.sream" is not a field; did you mean "tcp\.stream"'):
        table["tcp.sream"]


def test_arrow_pandas_and_polars_hold_the_same(table):
    arrow, pandas, polars = table.to_arrow(), table.to_pandas(), table.to_polars()
    assert tuple(arrow.column_names) == tuple(pandas.columns) == tuple(polars.columns) == table.columns
    for name in table.columns:
        missing = np.ma.getmaskarray(table[name])
        assert pandas[name].isna().tolist() == missing.tolist() == polars[name].is_null().to_list(), name
        present = np.ma.asarray(table[name])[~missing]
        if present.dtype.kind in "iufb":
            expected = present.tolist()
            assert arrow[name].drop_null().to_pylist() == expected
            assert pandas[name].dropna().tolist() == expected
        elif present.dtype.kind in "mM":
            expected = present.astype(np.int64).tolist()
            assert arrow[name].drop_null().cast("int64").to_pylist() == expected
            assert polars[name].drop_nulls().to_physical().to_list() == expected
        else:
            assert arrow[name].drop_null().to_pylist() == polars[name].drop_nulls().to_list() == present.tolist()


def test_types_do_not_depend_on_the_rows(table):
    for rows in (table[:0], table[:1], table[-1:]):
        assert rows.to_arrow().schema == table.to_arrow().schema
        assert rows.to_polars().schema == table.to_polars().schema
        assert rows.to_pandas().dtypes.to_dict() == table.to_pandas().dtypes.to_dict()


def test_columns_can_be_chosen_by_either_name(capture):
    packets = capture.packets
    for frame in (packets.to_arrow(["tcp.seq", "ack_rtt"]), packets.to_polars(["seq", "tcp.analysis.ack_rtt"])):
        assert list(frame.schema.names if hasattr(frame.schema, "types") else frame.columns) == ["seq", "ack_rtt"]
    assert list(packets.to_pandas(["tcp.seq"]).columns) == ["seq"]


def test_other_libraries_take_a_table_by_the_arrow_protocol(table):
    assert pa.table(table).num_rows == len(table)
    assert polars.DataFrame(table).equals(table.to_polars())


def test_numpy_takes_a_table(table):
    assert np.asarray(table) is table.array
    assert np.array(table) is not table.array
    assert np.array(table).dtype == table.array.dtype


def test_csv_is_what_the_frame_holds(table):
    read = polars.read_csv(table.to_text("csv"), infer_schema_length=None)
    assert tuple(read.columns) == table.columns
    assert len(read) == len(table)
    assert read["stream"].to_list() == table["stream"].tolist()


def test_an_unknown_style_names_those_there_are(table):
    with pytest.raises(ValueError, match='there is no style "jsonl"; there are fields, csv, json'):
        table.to_text("jsonl")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_repr_fits_the_terminal(table, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    title, *lines = repr(table).splitlines()
    assert title == f"{title.split(':')[0]}: {len(table):,} rows, {len(table.columns)} columns"
    assert all(len(line) <= width for line in lines) or len(lines[0].split()) == 1
    assert len(lines) == 1 + min(len(table), 11)
    assert "…" in lines[6] or len(table) <= 10


def test_short_tables_are_shown_whole():
    flows = tcpkit.open(io.BytesIO(Conversation().handshake().pcap())).flows
    assert repr(flows).splitlines()[0].startswith("flows: 1 row, ")
    assert "10.0.0.1" in repr(flows)
    assert "…" not in repr(flows)


def test_grid_is_aligned_and_complete(table):
    head, *lines = table.to_grid().splitlines()
    assert len(lines) == len(table)
    assert {len(line.rstrip()) for line in lines} >= {max(len(line) for line in lines)}
    if head.startswith("stream"):
        assert [int(line[:len("stream")]) for line in lines] == table["stream"].tolist()


def test_a_grid_of_no_columns(table):
    assert table.to_grid([]) == "\n" * (1 + len(table)) == table.to_text("fields", []).decode()


def test_notebook_table(table):
    html = table._repr_html_()
    assert html.startswith("<p>")
    assert html.count("<tr>") == 1 + min(len(table), 11)
    assert html.count("<th>") * (html.count("<tr>") - 1) == html.count("<td>")


def test_text_never_becomes_markup():
    html = hostile_table()._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def test_text_never_steers_the_terminal():
    table = hostile_table()
    for text in (repr(table), table.to_grid()):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert len(text.splitlines()) == len(table) + 1 + text.startswith("<b>")


def test_without_the_libraries_the_message_says_what_to_install():
    program = """
import io, sys
for name in ("pyarrow", "pandas", "polars"):
    sys.modules[name] = None
import tcpkit
flows = tcpkit.open(io.BytesIO(sys.stdin.buffer.read())).flows
for convert in (flows.to_arrow, flows.to_pandas, flows.to_polars):
    try:
        convert()
    except ImportError as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], input=Conversation().handshake().pcap(),
                          capture_output=True, check=True)
    lines = done.stdout.decode().splitlines()
    assert lines == [f'MissingLibraryError this needs {name}: pip install "tcpkit[{extra}]"' for name, extra in
                     (("pyarrow", "arrow"), ("pandas", "pandas"), ("polars", "polars"))]


def test_nothing_chosen_is_no_rows(table):
    for nothing in ([], (), range(0), np.empty(0, int), np.zeros(len(table), bool)):
        assert len(table[nothing]) == 0
        assert table[nothing].columns == table.columns


def test_what_is_no_index(table):
    for key in (None, 1.5, [1.5], np.array([], object)):
        with pytest.raises(IndexError):
            table[key]
    assert table[np.array(1)].array == table.array[1:2]


def test_a_mask_chooses_no_row_without_a_value(capture):
    packets = capture.packets
    short = packets["ack_rtt"] < np.timedelta64(1, "ms")
    assert 0 < short.sum() == len(packets[short]) == len(packets.where("tcp.analysis.ack_rtt < 0.001"))
    assert not np.ma.getmaskarray(packets[short]["ack_rtt"]).any()
    places = packets["duplicate_ack_num"].astype(int)
    assert 0 < len(packets[places]) == places.count() < len(packets)


def test_a_data_frame_has_values_of_its_own(table):
    before = table.array.tobytes()
    frame = table.to_pandas()
    for name in table.columns:
        frame.loc[0, name] = frame[name].iloc[-1]
    assert table.array.tobytes() == before
