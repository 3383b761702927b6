"""S6: floods and scans are told from busy and dead servers."""
from __future__ import annotations

import io
import json
from random import Random

import numpy as np
import pytest

import tcpkit
from packets import MS, T0, Conversation, Frame, pcap
from tcpkit.pipeline import Pipeline

SERVER = "198.51.100.7"


def merged(conversations: list[Conversation]) -> bytes:
    frames: list[Frame] = [frame for one in conversations for frame in one.frames]
    return pcap(sorted(frames, key=lambda frame: frame.time), nano=True)


def threats(conversations: list[Conversation]):
    return tcpkit.open(io.BytesIO(merged(conversations))).threats


def attempt(i: int, *, client: str | None = None, server: str = SERVER, port: int = 80, step: int = MS) -> Conversation:
    random = Random(i)
    address = client or f"{random.randrange(1, 223)}.{random.randrange(256)}.{random.randrange(256)}.{i % 254 + 1}"
    return Conversation(client=address, server=server, sport=20000 + i % 40000, dport=port, time=T0 + i * step,
                        client_isn=random.randrange(1 << 32), server_isn=random.randrange(1 << 32))


def flood(n: int) -> list[Conversation]:
    return [attempt(i).c("S", 0).s("SA", 0, 1, dt=MS) for i in range(n)]


def busy(n: int) -> list[Conversation]:
    return [attempt(i).handshake().c("PA", 1, 1, 50).s("FA", 1, 51).c("FA", 51, 2).s("A", 2, 52) for i in range(n)]


def dead(n: int, clients: int) -> list[Conversation]:
    return [attempt(i, client=f"10.1.{i % clients}.9", step=50 * MS).c("S", 0).c("S", 0, dt=1000 * MS)
            .c("S", 0, dt=2000 * MS) for i in range(n)]


def test_a_flood_is_reported_with_its_evidence():
    table = threats(flood(500))
    assert table["kind"].tolist() == ["syn_flood"]
    row = table[0]
    assert (row["target"], row["target_port"]) == (SERVER, 80)
    assert (row["attempts"], row["half_open"], row["completed"], row["peak_half_open"]) == (500, 500, 0, 500)
    assert row["sources"] == 500
    assert row["span"].astype(int) == 499 * MS
    assert row["rate"] == 500


def test_half_open_connections_over_time():
    others = [attempt(i, server="198.51.100.8", port=443).handshake() for i in range(300)]
    table = tcpkit.open(io.BytesIO(merged(flood(500) + others))).half_open
    target, healthy = (table.where(f"server_port == {port}") for port in (80, 443))
    assert target["half_open"].tolist() == [125, 250, 375, 500]
    assert target["begun"].tolist() == [125] * 4
    assert (np.diff(target["start"].astype(np.int64)) == 125 * MS).all()
    assert set(table["step"].astype(np.int64)) == {125 * MS}
    assert healthy["begun"].sum() == healthy["completed"].sum() == 300
    assert healthy["half_open"].max() == 20


def test_a_flood_on_a_busy_server_shows():
    assert threats(flood(3000) + busy(200))["kind"].tolist() == ["syn_flood"]


def test_a_busy_server_far_away_is_no_flood():
    """Cut while one attempt in three has not been answered yet."""
    talks = [attempt(i) for i in range(900)]
    for i, talk in enumerate(talks):
        talk.c("S", 0)
        if i < 600:
            talk.s("SA", 0, 1, dt=150 * MS).c("A", 1, 1, dt=150 * MS)
    assert len(threats(talks)) == 0


def test_a_flood_a_scan_and_a_dead_server_are_told_apart():
    probes = [attempt(port, client="203.0.113.9", server="198.51.100.9", port=port).c("S", 0).s("RA", 0, 1)
              for port in range(1, 101)]
    gone = [attempt(i, client=f"10.1.{i % 7}.9", server="198.51.100.10", step=50 * MS)
            .c("S", 0).c("S", 0, dt=1000 * MS) for i in range(100)]
    found = threats(flood(400) + probes + gone + busy(200))
    assert {(row["kind"], row["target"]) for row in (found[i] for i in range(len(found)))} == {
        ("syn_flood", SERVER), ("port_scan", "198.51.100.9"), ("dead_server", "198.51.100.10")}


def test_the_commands_lines_can_be_chosen(cli, tmp_path):
    sweep = [attempt(i, client="203.0.113.9", server=f"198.51.{i}.9", port=22).c("S", 0) for i in range(30)]
    path = tmp_path / "flood.pcap"
    path.write_bytes(merged(flood(400) + sweep))
    chosen = {"attempts > 100": ["syn_flood"], "source == 203.0.113.9": ["host_scan"], "target": ["syn_flood"],
              'kind contains "scan" and not target': ["host_scan"], "rate < 0.0": [],
              "ip.addr == 198.51.100.0/24": ["syn_flood"]}
    for where, kinds in chosen.items():
        done = cli("threats", path, "-Y", where, "--format", "json")
        assert [row["kind"] for row in json.loads(done.out)] == kinds, where
    done = cli("threats", path, "--view", "half-open", "-Y", "server_port == 22", "--format", "json")
    assert sum(row["begun"] for row in json.loads(done.out)) == 30


@pytest.mark.parametrize(("view", "known", "other"),
                         [("threats", "attempts", "begun"), ("half-open", "begun", "attempts")])
def test_a_wrong_filter_of_lines_is_told_before_the_capture_is_read(cli, tmp_path, view, known, other, monkeypatch):
    monkeypatch.setattr(Pipeline, "_read", lambda *_: pytest.fail("it was read"))
    path = tmp_path / "talk.pcap"
    path.write_bytes(merged(busy(1)))
    for where, told in ((f"{other} > 1", f'"{other}" is not a field'), (f"{known} > ", "the filter ends here")):
        done = cli("threats", path, "--view", view, "-Y", where)
        assert (done.status, done.out) == (2, b"")
        assert told in done.err.decode()


def test_a_flood_shows_beside_other_traffic():
    others = [attempt(i, server="198.51.100.8", port=443).handshake() for i in range(200)]
    assert threats(flood(500) + others)["kind"].tolist() == ["syn_flood"]


@pytest.mark.parametrize("conversations", [
    busy(600), busy(300) + flood(20), [attempt(i, client="10.0.0.5").handshake() for i in range(300)],
    [attempt(i).c("S", 0).s("SA", 0, 1) for i in range(30)],
    [attempt(0, client="10.0.0.5", port=port).handshake() for port in range(1, 60)], []],
    ids=["busy server", "busy server losing some", "busy client", "a few half-open", "all ports served", "nothing"])
def test_no_false_alarm(conversations):
    assert len(threats(conversations)) == 0


@pytest.mark.parametrize("clients", [3, 200])
def test_a_dead_server_is_no_flood(clients):
    assert threats(dead(200, clients))["kind"].tolist() == ["dead_server"]


def test_a_server_that_refuses_all_is_dead():
    assert threats([attempt(i).c("S", 0).s("RA", 0, 1) for i in range(40)])["kind"].tolist() == ["dead_server"]


def test_port_scan():
    probes = [attempt(port, client="203.0.113.9", port=port).c("S", 0).s("RA", 0, 1) for port in range(1, 101)]
    probes += [attempt(port, client="203.0.113.9", port=port).c("S", 0).s("SA", 0, 1).c("R", 1) for port in (443, 8080)]
    table = threats(probes)
    assert table["kind"].tolist() == ["port_scan"]
    row = table[0]
    assert (row["source"], row["target"], row["target_port"]) == ("203.0.113.9", SERVER, None)
    assert (row["ports"], row["attempts"], row["refused"]) == (102, 102, 100)


def test_host_scan():
    probes = [attempt(i, client="203.0.113.9", server=f"198.51.100.{i}", port=22).c("S", 0) for i in range(1, 60)]
    table = threats(probes)
    row = table[0]
    assert len(table) == 1
    assert (row["kind"], row["source"], row["target"], row["target_port"], row["hosts"]) == (
        "host_scan", "203.0.113.9", None, 22, 59)
