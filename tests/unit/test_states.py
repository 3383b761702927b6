"""tcpkit.states and the streams that end in a batch."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from packets import MS, Conversation
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpkit.pipeline import Pipeline
from tcpkit.stages import ALL_STAGES

SECOND = 1000 * MS


def talk(frames=None, **ends):
    return Conversation(**({"client": "10.0.0.1", "server": "10.0.0.2", "sport": 4000, "dport": 80} | ends),
                        **({"frames": frames} if frames is not None else {}))


def close(conversation):
    return conversation.c("FA", 1, 1).s("A", 1, 2).s("FA", 1, 2).c("A", 2, 2)


def opened(conversation):
    return tcpkit.open(io.BytesIO(conversation.pcap(nano=True)))


def test_states_lists_what_lives_at_the_end_of_the_capture():
    one = talk().handshake().c("PA", 1, 1, 100, dt=SECOND).s("A", 1, 101)
    other = talk(one.frames, sport=4001, time=one.time).handshake()
    other.c("R", 1, 0)
    later = talk(one.frames, sport=4002, time=other.time)
    later.handshake().c("FA", 1, 1).s("A", 1, 2)
    states = opened(later).states
    assert states["client_port"].tolist() == [4000, 4002]
    assert states["client_state"].tolist() == ["ESTABLISHED", "FIN-WAIT-2"]
    assert states["server_state"].tolist() == ["ESTABLISHED", "CLOSE-WAIT"]
    assert states["age"][0] - states["idle"][0] == opened(one).flows["duration"][0]
    assert states["idle"][1] == np.timedelta64(0, "ns")
    assert states["retransmissions_client"].tolist() == [0, 0]
    assert states["rtt_mean_client"][0] == np.timedelta64(10 * MS, "ns")


def test_time_wait_ends_without_a_segment_that_says_so():
    over = close(talk().handshake())
    assert opened(over).states["client_state"].tolist() == ["TIME-WAIT"]
    talk(over.frames, sport=5, time=over.time).c("S", 0, 0, dt=239 * SECOND)
    assert opened(over).states["client_port"].tolist() == [4000, 5]
    talk(over.frames, sport=6, time=over.time).c("S", 0, 0, dt=242 * SECOND)
    assert opened(over).states["client_port"].tolist() == [5, 6]


@pytest.mark.parametrize("frames", [1, 2, 3, 100])
def test_every_stream_ends_once(frames):
    """Closed or reset streams are told with the batch that ends them, others never."""
    life = close(talk().handshake())
    life.c("A", 2, 2).c("R", 2, 0)
    for port, end in ((4001, "RA"), (4002, ""), (4003, "RA")):
        more = talk(life.frames, sport=port, time=life.time).handshake()
        if end:
            more.s(end, 1, 1).s(end, 1, 1)
    refused = talk(life.frames, sport=4004, time=life.time)
    refused.c("S", 0, 0).s("RA", 0, 1)
    pipeline = Pipeline(Reader(io.BytesIO(life.pcap(nano=True))), ALL_STAGES, detail="all")
    pipeline.batch = Batch(frames, analysis=True, states=True, verdicts=True)
    ended = []
    for _ in pipeline:
        ended += pipeline.ended_records().flows["stream"].tolist()
        assert pipeline.n_ended == len(pipeline.ended_records().flows)
    assert ended == [0, 1, 3, 4]


def test_the_latest_streams():
    life = talk().handshake()
    for port in range(4001, 4010):
        talk(life.frames, sport=port, time=life.time + port * MS).handshake()
    pipeline = Pipeline(Reader(io.BytesIO(life.pcap(nano=True))), ALL_STAGES, detail="all")
    pipeline.run()
    assert pipeline.flows.latest(3).tolist() == [9, 8, 7]
    assert sorted(pipeline.flows.latest(100).tolist()) == list(range(10))
    assert pipeline.flows.latest(0).tolist() == []
    records = pipeline.latest_records(3)
    assert [part["stream"].tolist() for part in records] == [[9, 8, 7]] * 4
    assert len(pipeline.latest_records(0).flows) == 0
