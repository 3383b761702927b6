"""Record the scenarios: ``record.py DIRECTORY [NAME ...] [--seed TEXT]``.  Needs root, /dev/net/tun and iproute2.

For each capture point of a scenario: NAME.POINT.pcap and NAME.POINT.truth.csv (see README.md).
"""
from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

from hosts import Hosts
from kernel_trace import KernelTrace, cause_at
from ledger import COLUMNS, Sent
from relay import CaptureFile, Relay
from scenarios import SCENARIOS, Scenario

LIMIT = 60.0                                   # seconds a scenario may take


def record(name: str, scenario: Scenario, directory: Path, seed: str) -> None:
    stages = scenario.stages()
    points = [stages[0].near, *(stage.far for stage in stages)]
    captures = {point: CaptureFile(directory / f"{name}.{point}.pcap") for point in points}
    with KernelTrace() as trace, Hosts(scenario.sysctls) as hosts:
        relay = Relay(hosts.taps, stages, f"{seed}/{name}", captures)
        hosts.start(1, "server")
        time.sleep(0.7)
        client = hosts.start(0, *scenario.client)
        started = time.monotonic()
        relay.run(lambda: client.poll() is not None or time.monotonic() - started > LIMIT)
        quiet = time.monotonic() + 1.0         # the last FINs and their repetitions
        relay.run(lambda: time.monotonic() > quiet)
        causes = trace.causes()
    for point, capture in captures.items():
        capture.close()
        write_truth(directory / f"{name}.{point}.truth.csv", relay, point,
                    lambda sent: cause_at(causes, sent.segment.ends, sent.since, sent.when))


def write_truth(path: Path, relay: Relay, point: str, cause: Callable[[Sent], str]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(relay.ledger.table(point, cause))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or SCENARIOS:
        started = time.monotonic()
        record(name, SCENARIOS[name], arguments.directory, arguments.seed)
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
