"""Rows as Arrow, pandas and Polars tables, and as files."""
from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from tcpkit.columns import EPOCH, Column
from tcpkit.errors import MissingLibraryError
from tcpkit.values import TEXTS, Rows, dense_values, text_buffer

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

ROW_GROUP = 1 << 17              # rows


def need(module: str, extra: str) -> Any:
    """An optional library; MissingLibraryError says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(f'this needs {module.partition(".")[0]}: pip install "tcpkit[{extra}]"') from error


def to_arrow(rows: Rows, columns: Sequence[Column]) -> pyarrow.Table:
    pa = need("pyarrow", "arrow")
    return pa.table({column.name: _arrow_array(pa, rows, column) for column in columns})


def to_polars(rows: Rows, columns: Sequence[Column]) -> polars.DataFrame:
    frame: polars.DataFrame = need("polars", "polars").from_arrow(to_arrow(rows, columns))
    return frame


def to_pandas(rows: Rows, columns: Sequence[Column]) -> pandas.DataFrame:
    pd = need("pandas", "pandas")
    return pd.DataFrame({column.name: _pandas_array(pd, rows, column) for column in columns}, copy=False)


def _arrow_array(pa: Any, rows: Rows, column: Column) -> Any:
    if column.kind in TEXTS:
        return _arrow_text(pa, rows, column)
    values, there = dense_values(rows, column)
    kind = pa.timestamp("ns", "UTC") if column.unit == EPOCH else None
    if column.unit == EPOCH:
        values = values.view(np.int64)
    array = pa.array(np.ascontiguousarray(values), type=kind, mask=None if there is None else ~there)
    return array.dictionary_encode() if column.words and values.dtype.kind == "U" else array


def _arrow_text(pa: Any, rows: Rows, column: Column) -> Any:
    """Straight from the text kernel's bytes; an empty text is null."""
    letters, offsets = text_buffer(rows, column)
    there = np.packbits(offsets[1:] != offsets[:-1], bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)


def _pandas_array(pd: Any, rows: Rows, column: Column) -> Any:
    values, there = dense_values(rows, column)
    if column.unit == EPOCH:
        known = values if there is None else np.where(there, values, np.datetime64("NaT", "ns"))
        return pd.DatetimeIndex(known, tz="UTC")
    if values.dtype.kind in "OU":
        texts = pd.array(values, dtype="string")         # pandas would guess by the values, of which there may be none
        if there is not None:
            texts[~there] = pd.NA
        return texts
    if there is None:
        return values.copy()                     # who writes to the frame must not write to the rows
    if values.dtype.kind in "iu":
        return pd.arrays.IntegerArray(np.ascontiguousarray(values), ~there)
    if values.dtype.kind == "b":
        return pd.arrays.BooleanArray(values, ~there)
    if values.dtype.kind == "f":
        return pd.arrays.FloatingArray(np.ascontiguousarray(values), ~there)
    return np.where(there, values, np.timedelta64("NaT", "ns"))


def write_parquet(tables: Iterable[pyarrow.Table], file: BinaryIO, *, sorted_by: str | None = None) -> None:
    """Tables of one schema as one Parquet file, in row groups of ROW_GROUP rows or more."""
    pq = need("pyarrow.parquet", "arrow")
    writer = None
    try:
        for group in row_groups(tables):
            if writer is None:
                order = [pq.SortingColumn(group.schema.get_field_index(sorted_by))] if sorted_by else None
                writer = pq.ParquetWriter(file, group.schema, compression="zstd", sorting_columns=order)
            writer.write_table(group)
    finally:
        if writer:
            writer.close()


def write_arrow(tables: Iterable[pyarrow.Table], file: BinaryIO, *, sorted_by: str | None = None) -> None:
    """Tables of one schema as one Arrow IPC file, compressed; ``sorted_by`` has no place in it."""
    pa = need("pyarrow", "arrow")
    options = pa.ipc.IpcWriteOptions(compression="zstd", unify_dictionaries=True)
    writer = None
    try:
        for group in row_groups(tables):
            writer = writer or pa.ipc.new_file(file, group.schema, options=options)
            writer.write_table(group)
    finally:
        if writer:
            writer.close()


def row_groups(tables: Iterable[pyarrow.Table]) -> Iterator[pyarrow.Table]:
    """The tables joined to pieces of ROW_GROUP rows or more, the last one of what is left; at least one."""
    pa = need("pyarrow", "arrow")
    waiting: list[pyarrow.Table] = []
    written = False
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROW_GROUP:
            yield pa.concat_tables(waiting)
            waiting, written = [], True
    if waiting and (not written or any(map(len, waiting))):
        yield pa.concat_tables(waiting)
