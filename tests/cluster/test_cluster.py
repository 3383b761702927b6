"""tcpkit.cluster: the same tables as without Dask; a bad capture is reported and does not sink the job."""
import distributed
import fsspec
import pandas
import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit import cluster
from tcpkit.budget import LEAST


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    directory = tmp_path_factory.mktemp("captures")
    paths = []
    for seed in range(4):
        paths.append(directory / f"{seed}.pcap")
        paths[-1].write_bytes(pcap(random_capture(seed, conversations=8), nano=True))
    return [str(path) for path in paths]


@pytest.fixture(scope="module")
def rotated(tmp_path_factory):
    """One capture cut into three files in the middle of its conversations."""
    directory = tmp_path_factory.mktemp("rotated")
    frames = sorted(random_capture(9, conversations=10), key=lambda frame: frame.time)
    third = len(frames) // 3
    paths = [directory / f"r{number}.pcap" for number in range(3)]
    for path, piece in zip(paths, (frames[:third], frames[third:2 * third], frames[2 * third:]), strict=True):
        path.write_bytes(pcap(piece, nano=True))
    whole = directory / "whole.pcap"
    whole.write_bytes(pcap(frames, nano=True))
    return [str(path) for path in paths], str(whole)


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
                                  silence_logs="ERROR") as local, distributed.Client(local) as client:
        yield client


def assert_same_values(found, expected):
    """Dask gives texts another dtype, with another mark for those that are absent."""
    for frame in (found, expected):
        for name in frame.select_dtypes(exclude=["number", "bool", "datetimetz", "timedelta"]):
            frame[name] = frame[name].astype("string[pyarrow]")
    pandas.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_silence_ends_connections(client, captures):
    made = cluster.table(captures[:1], idle_timeout=0.02).compute().drop(columns="capture")
    expected = tcpkit.open(captures[0], idle_timeout=0.02).flows
    assert len(expected) > len(tcpkit.open(captures[0]).flows)
    assert_same_values(made, expected.to_pandas())


@pytest.mark.parametrize(("name", "where", "split"), [
    ("packets", "tcp.len > 100", False), ("flows", "packets_client > 12", False),
    ("flows", "packets_client > 12", True)])
def test_a_display_filter_chooses_the_rows(captures, name, where, split):
    made = cluster.table(captures[:1], name, columns=["stream"], where=where, split=split).compute(scheduler="threads")
    whole = getattr(tcpkit.open(captures[0]), name)
    assert 0 < len(made) < len(whole)
    assert made["stream"].tolist() == whole.where(where)["stream"].tolist()


@pytest.mark.parametrize("name", ["flows", "directions", "packets"])
def test_tables_are_those_of_the_captures(client, captures, name):
    made = cluster.table(captures, name).compute()
    for path in captures:
        expected = getattr(tcpkit.open(path), name).to_pandas()
        found = made[made["capture"] == path].drop(columns="capture").reset_index(drop=True)
        assert_same_values(found, expected)


def test_a_rotated_set_is_one_capture(client, captures, rotated):
    parts, whole = rotated
    made = cluster.table([captures[0], parts], "flows").compute()
    found = made[made["capture"] == parts[0]].drop(columns="capture").reset_index(drop=True)
    assert_same_values(found, tcpkit.open(whole).flows.to_pandas())


@pytest.mark.parametrize("name", ["flows", "conversations"])
def test_the_files_of_a_rotated_set_on_several_workers(client, captures, rotated, name):
    parts, whole = rotated
    made = cluster.table([parts, captures[0]], name, split=True, memory_limit=LEAST).compute()
    for label, source in ((parts[0], whole), (captures[0], captures[0])):
        found = made[made["capture"] == label].drop(columns="capture").reset_index(drop=True)
        assert_same_values(found, getattr(tcpkit.open(source, stages=["flows"]), name).to_pandas())


def test_files_that_overlap_are_read_by_one_worker(client, captures):
    made = cluster.table([captures[:2]], split=True).compute().drop(columns="capture")
    assert_same_values(made, tcpkit.open(captures[:2], stages=["flows"]).flows.to_pandas())


def test_only_some_tables_can_be_spread():
    with pytest.raises(ValueError, match="cannot be joined from parts"):
        cluster.table([], "packets", split=True)
    with pytest.raises(ValueError, match="without split"):
        cluster.table([], "flows", split=True, idle_timeout=60)
    with pytest.raises(ValueError, match="no idle time-out"):
        cluster.table([], "flows", idle_timeout=-1)
    with pytest.raises(tcpkit.FieldError):
        cluster.table([], "flows", columns=["retransmissions_client"], split=True)


def test_failures_are_reported_and_do_not_sink_the_job(client, captures, tmp_path):
    bad, damaged = tmp_path / "bad.pcap", tmp_path / "damaged.pcap"
    bad.write_bytes(b"this is not a capture at all")
    damaged.write_bytes((tmp_path / captures[1]).read_bytes()[:-7])
    made = cluster.table([captures[0], str(bad), str(damaged), "/nowhere/x.pcap"], "packets",
                         columns=["frame", "stream"]).compute()
    assert list(made.columns) == ["capture", "frame", "stream"]
    assert (made["capture"] == captures[0]).sum() == len(tcpkit.open(captures[0]).packets)
    assert (made["capture"] == str(damaged)).sum() > 0
    told = {failure.capture: failure.cause for failure in cluster.failures(client)}
    assert set(told) == {str(bad), str(damaged), "/nowhere/x.pcap"}
    assert "not a capture" in told[str(bad)]
    assert "at byte" in told[str(damaged)]


def test_a_bad_file_of_a_set_that_is_spread(client, rotated, tmp_path):
    parts, _ = rotated
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"nothing of the kind")
    made = cluster.table([[*parts[:2], str(bad)]], split=True).compute().drop(columns="capture")
    assert_same_values(made, tcpkit.open(parts[:2], stages=["flows"]).flows.to_pandas())
    assert "not a capture" in {failure.capture: failure.cause for failure in cluster.failures(client)}[str(bad)]


def test_captures_come_from_object_stores(captures):
    with fsspec.open("memory://bucket/one.pcap", "wb") as file, open(captures[2], "rb") as local:
        file.write(local.read())
    made = cluster.table(["memory://bucket/one.pcap"]).compute(scheduler="threads")
    assert len(made) == len(tcpkit.open(captures[2]).flows)


def test_without_a_cluster_failures_are_warnings():
    with pytest.warns(cluster.CaptureWarning, match="nowhere"):
        assert len(cluster.table(["/nowhere/x.pcap"]).compute(scheduler="threads")) == 0


def test_unknown_tables():
    with pytest.raises(ValueError, match='no table "flow"'):
        cluster.table([], "flow")
