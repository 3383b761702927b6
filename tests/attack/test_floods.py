"""Captures made to exhaust memory or time: both stay in bounds, the time linear, and what was given up is told."""
from __future__ import annotations

import textwrap

import numpy as np
import pytest

from confined import MIB, assert_linear, run
from floods import header, opening, records, segment
from packets import NOP, ipv4, sack, tcp
from stages import SEED, run_flows

N = 40_000
ALL = """
    pipeline = tcpkit.open(path, threads=1).pipeline()
    pipeline.run()
    told = [str(warning) for warning in pipeline.warnings]
"""
FLOWS = "told = sum(len(piece) for piece in tcpkit.open(path).flow_pieces())"
SCAN = """
    import dataclasses
    scan = tcpkit.scan_streams(path, stream_limit=1 << 20, memory_limit=4 << 20)
    told = dataclasses.asdict(scan.run())
"""
INDEX = """
    told = 0
    for stream in tcpkit.open(path).streams:
        told += len(stream.client.chunks) + len(stream.server.chunks)
"""


@pytest.fixture
def pair(tmp_path):
    """Writes a capture of N packets of some kind, and one of N / 4."""
    def write(make):
        paths = []
        for n in (N // 4, N):
            paths.append(tmp_path / f"{n}.pcap")
            paths[-1].write_bytes(make(n))
        return paths
    return write


def connection(*parts: bytes) -> bytes:
    return header() + opening() + b"".join(parts)


def shuffled(n: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(n)


def test_a_flood_of_streams(pair):
    def make(n):
        return header() + records(segment("S"), n, source=np.arange(n) + (11 << 24), sport=shuffled(n) % 60000)

    cost = assert_linear(FLOWS, *pair(make), memory=64 * MIB + 512 * N)
    assert cost.told == N


def test_a_flood_of_streams_beyond_the_limit(pair):
    def make(n):
        return header() + records(segment("S"), n, source=np.arange(n) + (11 << 24))

    cost = assert_linear("""
        capture = tcpkit.open(path, memory_limit=tcpkit.budget.LEAST)
        streams = sum(len(piece) for piece in capture.flow_pieces())
        told = [streams, capture.budget.evicted, *map(str, capture.warnings)]
    """, *pair(make), memory=128 * MIB)
    streams, evicted, warning = cost.told
    assert streams == N
    assert evicted > 0
    assert f"ended {evicted:,} connections early" in warning


def test_every_stage_of_a_flood_of_streams(pair):
    def make(n):
        return header() + records(segment("S"), n, source=np.arange(n) + (11 << 24))

    assert_linear(ALL, *pair(make), memory=400 * MIB)


LIMITED = """
    capture = tcpkit.open(path, threads=1, memory_limit=128 << 20, idle_timeout={idle})
    words = [word for piece in capture.flow_pieces() for word in piece["evicted"].tolist()]
    told = [len(words), words.count("idle"), words.count("pressure"), capture.budget.evicted_idle,
            capture.budget.evicted_pressure, max(capture.budget.used.values()), list(map(str, capture.warnings))]
"""


def test_a_flood_beyond_the_memory_limit_is_shed_and_counted(pair):
    """Each stream is told of once, those given up are marked, and as many are counted and warned of."""
    def make(n):
        return header() + records(segment("S"), n, source=np.arange(n) + (11 << 24))

    rows, idle, pressure, *counted, most, warnings = assert_linear(LIMITED.format(idle=0), *pair(make),
                                                                   memory=128 * MIB).told
    assert (rows, [idle, pressure]) == (N, counted)
    assert idle == 0
    assert pressure > N // 2
    assert most < 16 * MIB
    assert [f"ended {pressure:,} connections early" in warning for warning in warnings] == [True]


def test_conversations_that_are_given_up_do_not_fill_memory_until_they_are_in_order(tmp_path):
    path, n = tmp_path / "x", 10 * N
    path.write_bytes(header() + records(segment("S"), n, source=np.arange(n) + (11 << 24)))
    cost = run("""
        capture = tcpkit.open(path, memory_limit=tcpkit.budget.LEAST)
        told = [sum(len(piece) for piece in capture.conversation_pieces()), capture.budget.evicted]
    """, path, memory=40 * MIB)
    assert cost.told[0] == n
    assert cost.told[1] > n // 2


def test_what_threats_add_up_counts_against_the_memory_limit(tmp_path):
    """Many sources that each scan many ports of a host, behind as many services as there are clients."""
    path, ports = tmp_path / "x", shuffled(10 * N)
    path.write_bytes(header() + records(segment("S"), 3 * N, source=np.arange(3 * N), target=np.arange(3 * N))
                     + records(segment("S"), 10 * N, source=ports % 800, dport=ports // 800 + 1))
    cost = run("""
        capture = tcpkit.open(path, memory_limit=tcpkit.budget.LEAST)
        told = [capture.threats["attempts"].tolist(), capture.threats["kind"].tolist(), capture.budget.used["beside"]]
    """, path, memory=75 * MIB)
    attempts, kinds, beside = cost.told
    assert kinds.count("port_scan") == 800
    assert sum(480 < number <= 500 for number in attempts) == 800
    assert beside == 2 * MIB


def test_segments_sent_again_do_not_fill_memory_until_the_last_may_have_changed_them(tmp_path):
    path, n = tmp_path / "x", 10 * N
    path.write_bytes(connection(records(segment(payload=b"x" * 10), n, seq=1000 + np.arange(n) // 8 * 10)))
    cost = run("told = sum(len(piece) for piece in tcpkit.open(path).retransmission_pieces())", path, memory=60 * MIB)
    assert cost.told == n - n // 8


def test_of_a_flood_of_streams_that_are_reset_those_go_first(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(header() + records(segment("R"), N, source=np.arange(N) + (11 << 24), step_ns=10**6))
    rows, idle, pressure, *counted, _, warnings = run(LIMITED.format(idle=0), path, memory=128 * MIB).told
    assert (rows, [idle, pressure]) == (N, counted)
    assert idle > N // 2
    assert pressure == 0
    assert warnings == []


def test_a_slow_flood_under_a_time_out_needs_no_limit(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(header() + records(segment("S"), N, source=np.arange(N) + (11 << 24), step_ns=10**6))
    rows, idle, pressure, *counted, _, warnings = run(LIMITED.format(idle=1), path, memory=128 * MIB).told
    assert (rows, [idle, pressure]) == (N, counted)
    assert (idle, pressure) == (N - 1001, 0)
    assert warnings == []


def colliding(n: int) -> bytes:
    """Streams that have one hash if the secret is that of SEED: their addresses undo what it does to their ports."""
    address, port = (int.from_bytes(SEED[at:at + 8], "little") for at in (0, 8))
    low, port, m64 = (address ^ 1).to_bytes(8, "big"), port | 1, 2**64 - 1
    template = tcp(0, 80, 1000, 0, "S")
    packets = []
    for sport in range(1, n + 1):
        high = 0x1234567812345678 ^ ((sport + 1) * port & m64)
        packets.append(b"\x60\0\0\0\0\x14\x06\x40" + high.to_bytes(8, "big") + low + bytes(15) + b"\1"
                       + sport.to_bytes(2, "big") + template[2:])
    return header() + b"".join(records(packet, 1) for packet in packets)


def test_streams_made_to_collide_do_not(tmp_path):
    """They do in a table whose secret is known; in any other they cost what others cost."""
    n = 4_000
    hostile, plain = tmp_path / "hostile", tmp_path / "plain"
    hostile.write_bytes(colliding(n))
    plain.write_bytes(header() + records(segment("S"), n, source=shuffled(n)))
    work = """
        from stages import run_flows
        data = open(path, "rb").read()
        begun = time.process_time()
        for _ in range(10):
            run_flows(data, frames=2048, table=tcpkit.pipeline.FlowTable({seed}))
        told = time.process_time() - begun
    """
    known, unknown, usual = (min(run(work.format(seed=seed), path, memory=200 * MIB).told for _ in range(2))
                             for seed, path in (("seed=bytes(range(24))", hostile), ("", hostile), ("", plain)))
    assert known > 10 * unknown                              # the attack is one
    assert unknown < 5 * usual


def test_a_flood_of_fragments(pair):
    def make(n):
        return header() + records(ipv4("10.0.0.1", "10.0.0.2", bytes(1000), fragment=0x2000), n,
                                  ident=np.arange(n) % 65536, source=np.arange(n))

    cost = assert_linear("""
        capture = tcpkit.open(path, stages=["decode"], threads=1)
        pipeline = capture.pipeline()
        pipeline.run()
        f = pipeline._decoder.fragments
        told = [f.memory, f.memory_limit, f.evicted, f.timed_out, f.incomplete, *map(str, pipeline.warnings)]
    """, *pair(make), memory=100 * MIB)
    memory, limit, shed, late, waiting, warning = cost.told
    assert memory <= limit
    assert shed + late + waiting == N
    assert f"ran out: {shed:,} datagrams" in warning


def test_of_very_many_small_datagrams_that_wait_each_is_found_at_once(tmp_path):
    """Without a look at many others: 120,000 find room."""
    waiting, joined = tmp_path / "waiting", tmp_path / "joined"
    n = np.arange(10 * N)
    for path, numbers, fields in ((waiting, n, 0x2000), (joined, n // 2, np.where(n % 2, 3, 0x2000))):
        path.write_bytes(header() + records(ipv4("10.0.0.1", "10.0.0.2", bytes(24), fragment=0x2000), len(n),
                                            source=numbers, fragment=fields + np.zeros(len(n), int)))
    work = """
        tcpkit.open(path, stages=["decode"], threads=1).pipeline().run()
    """
    costs = [min(run(work, path, memory=100 * MIB).seconds for _ in range(2)) for path in (waiting, joined)]
    assert costs[0] < 40 * costs[1], costs       # they are not in the cache; with 30 others to look at it was 130


def test_fragments_of_one_datagram(pair):
    def make(n):
        return header() + records(ipv4("10.0.0.1", "10.0.0.2", bytes(8)), n, fragment=0x2000 | shuffled(n) % 8000 + 1)

    cost = assert_linear(ALL, *pair(make), memory=100 * MIB)
    [warning] = cost.told
    assert f"{N - 2048:,} IP fragments were left out" in warning


OVERLAPS = {
    "each a byte further": lambda n: np.arange(n) + 1010,
    "each a byte before": lambda n: n - np.arange(n) + 1010,
    "anywhere": lambda n: shuffled(n) + 1010,
    "at the same place": lambda n: np.full(n, 1010),
    "apart, backwards": lambda n: 200 * (n - np.arange(n)) + 1010,
}


@pytest.mark.parametrize("kind", OVERLAPS)
@pytest.mark.parametrize("work", [SCAN, INDEX, ALL], ids=["scan", "index", "stages"])
def test_a_flood_of_overlaps_behind_a_hole(pair, kind, work):
    def make(n):
        return connection(records(segment(payload=b"x" * 100), n, seq=OVERLAPS[kind](n)))

    cost = assert_linear(work, *pair(make), memory=150 * MIB)
    if work == SCAN:
        assert cost.told["most_waiting"] <= 4 * MIB
        assert (cost.told["given_up"] > 0) == (kind != "at the same place")       # as only there little waits


def test_originals_that_come_later_and_later(pair):
    """Each takes the place of what came before it, first of a thousand bytes by themselves; corrections are few."""
    def make(n):
        n //= 10
        return connection(records(segment(payload=b"x"), 1400, seq=np.arange(1400) + 1000, ack=np.full(1400, n)),
                          records(segment(payload=b"x" * 1400), n, seq=np.full(n, 1000), ack=n - 1 - np.arange(n)))

    assert_linear(ALL, *pair(make), memory=100 * MIB)


def test_segments_of_one_byte_out_of_order(pair):
    def make(n):
        return connection(records(segment(payload=b"x"), n, seq=2 * shuffled(n) + 1001))

    for work in (SCAN, INDEX, ALL):
        cost = assert_linear(work, *pair(make), memory=150 * MIB)
        if work == SCAN:
            assert cost.told["given_up"] > 0


@pytest.mark.parametrize("far", [2**20, 2**30 - 1, 2**30 + 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_one_sequence_number_far_away(tmp_path, far):
    path = tmp_path / "x"
    near = segment(payload=b"near")
    path.write_bytes(connection(records(near, 1), records(near, 1, seq=np.array([1000 + far & 2**32 - 1])),
                                records(near, 1, seq=np.array([1004])),
                                records(segment("FA"), 1, seq=np.array([1008]))))
    run("\n".join(map(textwrap.dedent, (SCAN, INDEX, ALL))), path, memory=100 * MIB, seconds=20)


def test_selective_acknowledgements_that_lie(pair):
    """Data, and acknowledgements with blocks all over it, in both directions."""
    def make(n):
        data = records(segment(payload=b"x" * 10), n // 2, seq=1000 + 10 * np.arange(n // 2), step_ns=2000)
        answer = ipv4("10.0.0.2", "10.0.0.1", tcp(80, 5000, 1, 1000, options=NOP + NOP + sack((0, 0), (0, 0), (0, 0))))
        left = 1000 + 10 * shuffled(n // 2)
        lies = np.frombuffer(records(answer, n // 2, step_ns=2000), np.uint8).reshape(n // 2, -1).copy()
        for block, (start, end) in enumerate(((left, left + 5), (left + 70, left + 10 * n), (left - 700, left + 3))):
            for at, values in ((0, start), (4, end)):
                place = 16 + 44 + 8 * block + at
                lies[:, place:place + 4] = values.astype(">u4").reshape(-1, 1).view(np.uint8)
        return connection(data, lies.tobytes())

    assert_linear(ALL, *pair(make), memory=150 * MIB)


def test_acknowledgements_of_all_that_is_in_flight(pair):
    """A hole, then ever more data, each answered by a duplicate acknowledgement."""
    def make(n):
        data = records(segment(payload=b"x" * 10), n // 2, seq=1010 + 10 * np.arange(n // 2), step_ns=2)
        again = records(segment(payload=b"x" * 10), n // 2, seq=1010 + 10 * shuffled(n // 2), step_ns=2,
                        start=1_700_000_000_100_000_000)
        return connection(data, again)

    assert_linear(ALL, *pair(make), memory=150 * MIB)


def test_reading_what_is_told_of_many_streams_one_by_one(pair):
    def make(n):
        return header() + records(segment("A", b"x"), n, source=np.arange(n) + (11 << 24))

    assert_linear(SCAN, *pair(make), memory=200 * MIB)


MESSAGES = {
    "requests": (b"", b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
    "header": (b"GET /a HTTP/1.1\r\n", b"Name: value\r\n"),
    "chunks": (b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_http_without_end(pair, kind):
    """As much of the same again and again as there are segments."""
    first, again = MESSAGES[kind]

    def make(n):
        return connection(records(segment("PA", first), 1),
                          records(segment("PA", again), n // 2, seq=1000 + len(first) + len(again) * np.arange(n // 2)))

    assert_linear("told = len(tcpkit.open(path, threads=1).http)", *pair(make), memory=150 * MIB)


HTTP = """
    from tcpkit.http import exchanges
    told = sum(1 for _ in exchanges(tcpkit.open(path, memory_limit=tcpkit.budget.LEAST)))
"""
LONG_HEADER = b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 8000 + b"\r\n"      # of which Python makes thirty times as much


def test_streams_that_are_not_http_take_no_memory_of_http(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(header() + records(segment("PA", b"x"), N, source=np.arange(N) + (11 << 24)))
    assert run(HTTP, path, memory=80 * MIB).told == 0


def test_headers_of_requests_that_wait_on_one_connection(tmp_path):
    path, n = tmp_path / "x", 200
    path.write_bytes(connection(records(segment("PA", LONG_HEADER), n, seq=1000 + len(LONG_HEADER) * np.arange(n))))
    assert run(HTTP, path, memory=80 * MIB).told == n


@pytest.mark.parametrize("asked", [LONG_HEADER, LONG_HEADER[:-2]], ids=["that wait", "under way"])
def test_headers_of_requests_on_many_connections(tmp_path, asked):
    path, n = tmp_path / "x", 200
    path.write_bytes(header() + records(segment("PA", asked), n, source=np.arange(n) + (11 << 24)))
    assert run(HTTP, path, memory=80 * MIB).told == (n if asked == LONG_HEADER else 0)


def test_a_flood_keeps_its_streams_apart():
    n = 5000
    _, table = run_flows(header() + records(segment("S"), n, source=np.arange(n) + (11 << 24)))
    assert table.n_streams == n


def test_a_ladder_amid_a_flood_of_streams_takes_no_more_than_the_pass(tmp_path):
    """What is told of the others is not brought together."""
    path, n = tmp_path / "x", 5 * N
    path.write_bytes(header() + records(segment("S"), n, source=np.arange(n) + (11 << 24)))
    cost = run("""
        from tcpkit.ladder import build_ladder
        told = build_ladder(tcpkit.open(path), 7).flow["stream"]
    """, path, memory=300 * MIB)
    assert cost.told == 7
