"""What is recorded: paths, kernel settings, and the programs that make the traffic."""
from __future__ import annotations

from dataclasses import dataclass, field

from path import Path
from relay import Stage

CLEAN = Path()
V4, V6 = "10.9.0.2", "fd09::2"
NO_SACK = {"net.ipv4.tcp_sack": "0"}
NO_TIMESTAMPS = {"net.ipv4.tcp_timestamps": "0"}
NO_PROBES = {"net.ipv4.tcp_early_retrans": "0"}
NO_RACK = {"net.ipv4.tcp_recovery": "0"}


@dataclass(frozen=True)
class Scenario:
    what: str
    client: tuple[str, ...]                    # program on host 0 and its arguments
    forth: Path = CLEAN
    back: Path = CLEAN
    further: tuple[tuple[Path, Path], ...] = ()           # stages behind the first: captured in the middle
    sysctls: dict[str, str] = field(default_factory=dict)

    def stages(self) -> list[Stage]:
        pairs = [(self.forth, self.back), *self.further]
        names = ["snd", *(f"mid{i}" for i in range(1, len(pairs))), "rcv"]
        return [Stage(forth, back, names[i], names[i + 1]) for i, (forth, back) in enumerate(pairs)]


def both(**settings: object) -> dict[str, Path]:
    path = Path(**settings)                    # type: ignore[arg-type]
    return {"forth": path, "back": path}


SCENARIOS = {
    "bulk-loss": Scenario(
        "1 % random loss", ("upload", V4, "1200000"),
        Path(delay=20, rate=40, loss=0.01), Path(delay=20)),
    "bulk-burst": Scenario(
        "bursts of losses, also of retransmissions", ("upload", V4, "1200000"),
        Path(delay=15, rate=40, burst=(0.004, 0.25)), Path(delay=15)),
    "bulk-reorder": Scenario(
        "4 % of packets held 5 ms longer, no loss", ("upload", V4, "1200000"),
        Path(delay=12, rate=50, reorder=0.04, reorder_delay=5), Path(delay=12)),
    "heavy-reorder": Scenario(
        "15 % of packets held longer than the round trip, no loss", ("upload", V4, "800000"),
        Path(delay=5, rate=50, reorder=0.15, reorder_delay=14), Path(delay=5)),
    "bulk-dup": Scenario(
        "2 % duplicated in both directions", ("upload", V4, "1000000"),
        Path(delay=8, rate=50, duplicate=0.02, duplicate_delay=0.3),
        Path(delay=8, duplicate=0.02, duplicate_delay=0.3)),
    "late-dup": Scenario(
        "2 % duplicated, the copies up to two round trips late", ("upload", V4, "600000"),
        Path(delay=8, rate=50, loss=0.01, duplicate=0.02, duplicate_delay=35), Path(delay=8)),
    "bulk-queue": Scenario(
        "a 10 Mbit/s queue of 30 kB drops", ("upload", V4, "1200000"),
        Path(delay=10, rate=10, limit=30000), Path(delay=10)),
    "outage": Scenario(
        "nothing gets through for 1.5 s: timeouts", ("upload", V4, "1000000"),
        Path(delay=10, rate=20, outages=((300, 1800),)), Path(delay=10, outages=((300, 1800),))),
    "ack-outage": Scenario(
        "no acknowledgement gets through for 0.5 s: needless timeouts", ("upload", V4, "800000"),
        Path(delay=10, rate=20), Path(delay=10, outages=((250, 750),))),
    "tail-loss": Scenario(
        "the last segments of uploads lost: tail loss probes and timeouts", ("uploads", V4, "40000", "8", "0.05"),
        Path(delay=20, rate=50, drop=(29, 57, 58, 59, 60, 90, 112, 113, 118, 119, 120, 149, 150, 151, 152, 178, 208)),
        Path(delay=20)),
    "nosack": Scenario(
        "no SACK, 1.5 % loss, reordering", ("upload", V4, "1000000"),
        Path(delay=10, rate=40, loss=0.015, reorder=0.01, reorder_delay=4), Path(delay=10), sysctls=NO_SACK),
    "nots": Scenario(
        "no timestamps, 1.5 % loss, reordering, duplicates", ("upload", V4, "1000000"),
        Path(delay=10, rate=40, loss=0.015, reorder=0.02, reorder_delay=4, duplicate=0.01, duplicate_delay=1),
        Path(delay=10), sysctls=NO_TIMESTAMPS),
    "plain-v4": Scenario(
        "neither SACK nor timestamps", ("upload", V4, "800000"),
        Path(delay=10, rate=40, loss=0.015, reorder=0.01, reorder_delay=4, duplicate=0.01, duplicate_delay=1),
        Path(delay=10), sysctls=NO_SACK | NO_TIMESTAMPS),
    "v6": Scenario(
        "IPv6: no IP ID", ("upload", V6, "1200000"),
        Path(delay=12, rate=40, loss=0.015, reorder=0.02, reorder_delay=5, duplicate=0.01, duplicate_delay=1),
        Path(delay=12, loss=0.02)),
    "v6-nots": Scenario(
        "IPv6 without timestamps", ("upload", V6, "1000000"),
        Path(delay=12, rate=40, loss=0.01, reorder=0.02, reorder_delay=5, duplicate=0.01, duplicate_delay=1),
        Path(delay=12), sysctls=NO_TIMESTAMPS),
    "v6-plain": Scenario(
        "IPv6, neither SACK nor timestamps: only numbers and times", ("upload", V6, "800000"),
        Path(delay=12, rate=40, loss=0.01, reorder=0.01, reorder_delay=5, duplicate=0.01, duplicate_delay=1),
        Path(delay=12), sysctls=NO_SACK | NO_TIMESTAMPS),
    "v6-exchanges": Scenario(
        "IPv6, requests and answers on 40 connections", ("exchanges", V6, "40", "6", "8000"),
        **both(delay=12, jitter=2, loss=0.02, reorder=0.02, reorder_delay=6, duplicate=0.01, duplicate_delay=1)),
    "exchanges": Scenario(
        "requests and answers on 60 connections", ("exchanges", V4, "60", "6", "8000"),
        **both(delay=12, jitter=2, loss=0.03, reorder=0.02, reorder_delay=6, duplicate=0.01, duplicate_delay=1)),
    "exchanges-nots": Scenario(
        "the same without timestamps", ("exchanges", V4, "40", "6", "8000"),
        **both(delay=12, jitter=2, loss=0.03, reorder=0.02, reorder_delay=6, duplicate=0.01, duplicate_delay=1),
        sysctls=NO_TIMESTAMPS),
    "parallel": Scenario(
        "16 uploads over a bad path", ("parallel", V4, "100000", "16"),
        Path(delay=18, jitter=2, loss=0.03, reorder=0.02, reorder_delay=6, duplicate=0.01, duplicate_delay=2),
        Path(delay=18, ack_loss=0.03, loss=0.03)),
    "middle": Scenario(
        "losses before and behind a capture point in the middle", ("upload", V4, "1200000"),
        Path(delay=8, rate=40, loss=0.01, reorder=0.01, reorder_delay=3, duplicate=0.005, duplicate_delay=0.5),
        Path(delay=8), ((Path(delay=12, loss=0.01, reorder=0.01, reorder_delay=3, duplicate=0.005,
                              duplicate_delay=0.5), Path(delay=12, ack_loss=0.02)),)),
    "v6-middle": Scenario(
        "the same on IPv6", ("upload", V6, "1000000"),
        Path(delay=8, rate=40, loss=0.01, reorder=0.01, reorder_delay=3, duplicate=0.005, duplicate_delay=0.5),
        Path(delay=8), ((Path(delay=12, loss=0.01, reorder=0.01, reorder_delay=3, duplicate=0.005,
                              duplicate_delay=0.5), Path(delay=12, ack_loss=0.02)),)),
    "high-bdp": Scenario(
        "a long fat path: 80 Mbit/s, 150 ms, losses amid a large window", ("upload", V4, "3000000"),
        Path(delay=75, rate=80, loss=0.0007, reorder=0.001, reorder_delay=5), Path(delay=75)),
    "short-rtt": Scenario(
        "a local network: 0.4 ms, losses and duplicates", ("upload", V4, "1500000"),
        Path(delay=0.2, rate=60, loss=0.01, duplicate=0.005, duplicate_delay=0.2), Path(delay=0.2)),
    "norack": Scenario(
        "duplicate ACKs instead of RACK, 1 % loss, reordering", ("upload", V4, "1000000"),
        Path(delay=15, rate=40, loss=0.01, reorder=0.02, reorder_delay=6), Path(delay=15), sysctls=NO_RACK),
    "noprobes": Scenario(
        "tail losses without tail loss probes: timeouts only", ("uploads", V4, "30000", "6", "0.05"),
        Path(delay=20, rate=50, drop=(21, 42, 43, 64, 65, 66, 85, 107, 108, 127)), Path(delay=20),
        sysctls=NO_PROBES),
    "syn-loss": Scenario(
        "SYN, SYN+ACK and FIN lost", ("exchanges", V4, "60", "1", "200"),
        **both(delay=15, loss=0.15)),
    "download": Scenario(
        "data towards the connecting host, both paths bad", ("download", V4, "1000000"),
        Path(delay=12, ack_loss=0.05, loss=0.02), Path(delay=12, rate=40, loss=0.01, reorder=0.01, reorder_delay=4)),
    "ack-loss": Scenario(
        "30 % of the ACKs lost, some late", ("upload", V4, "1000000"),
        Path(delay=10, rate=30, loss=0.005), Path(delay=10, ack_loss=0.3, reorder=0.05, reorder_delay=5)),
    "zero-window": Scenario(
        "a slow reader", ("slow", V4, "400000", "16384", "0.25"), Path(delay=10), Path(delay=10)),
    "keep-alive": Scenario(
        "an idle connection", ("idle", V4, "5.5"), Path(delay=10), Path(delay=10)),
    "typing": Scenario(
        "single bytes, lost, reordered and duplicated", ("typing", V4, "150", "0.02"),
        Path(delay=10, loss=0.03, reorder=0.03, reorder_delay=25, duplicate=0.02, duplicate_delay=2), Path(delay=10)),
    "path-mtu": Scenario(
        "a link with a smaller MTU, told by ICMP", ("upload", V4, "100000"),
        Path(delay=10), Path(delay=10), ((Path(delay=10, mtu=1280), Path(delay=10)),)),
}
