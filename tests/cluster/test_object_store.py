"""tcpkit.cluster: the files of a set come from an object store in memory, which workers of one process share."""
import distributed
import fsspec
import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit import cluster


@pytest.mark.parametrize("name", cluster.parts.TABLES)
def test_a_rotated_set_on_several_workers(name):
    frames = sorted(random_capture(3, conversations=10), key=lambda frame: frame.time)
    names = [f"memory://{name}/{start}.pcap" for start in range(0, len(frames), 40)]
    for number, url in enumerate(names):
        with fsspec.open(url, "wb") as file:
            file.write(pcap(frames[40 * number:40 * number + 40], nano=True))
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=False, dashboard_address=":0",
                                  silence_logs="ERROR") as local, distributed.Client(local):
        made = cluster.table([names], name, split=True).compute()
    expected = getattr(tcpkit.open(names, stages=["flows"]), name)
    assert len(made) == len(expected) > 5
    for column in ("stream", *(column for column in expected.columns if column.startswith(("packets", "bytes")))):
        assert list(made[column]) == list(expected[column]), column
