"""CPU time of each stage in one run: ``python -m benchmarks.stage_costs CAPTURE…`` (see benchmarks.traffic).

The share of the verdicts is what they add to reading, decoding, flows and analysis together.
"""
from __future__ import annotations

import sys
import time
from pathlib import Path

from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpcore.verdicts import Verdicts

STAGES = ("read", "decode", "flows", "analysis", "verdicts")


def stage_costs(path: Path) -> dict[str, float]:
    """Nanoseconds a segment that each stage takes."""
    clock = time.process_time_ns
    spent = dict.fromkeys(STAGES, 0.0)
    batch, segments = Batch(analysis=True, verdicts=True), 0
    stages = (Decoder(), FlowTable(), Analysis(), Verdicts())
    with path.open("rb", buffering=0) as file:
        reader = Reader(file)
        before = clock()
        while reader.next(batch):
            spent["read"] += clock() - before
            for name, stage in zip(STAGES[1:], stages, strict=True):
                before = clock()
                stage.process(batch)
                spent[name] += clock() - before
            segments += batch.n_rows
            before = clock()
    return {name: time / max(segments, 1) for name, time in spent.items()}


def main() -> None:
    print("".join(f"{name:>10}" for name in STAGES), "     share  capture")
    for path in map(Path, sys.argv[1:]):
        costs = stage_costs(path)
        share = costs["verdicts"] / (sum(costs.values()) - costs["verdicts"])
        print("".join(f"{costs[name]:>10.0f}" for name in STAGES), f"{share:>10.0%}  {path.name}")


if __name__ == "__main__":
    main()
