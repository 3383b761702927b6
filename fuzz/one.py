"""One target under libFuzzer: ``python fuzz/one.py NAME [libFuzzer's options] CORPUS``; fuzz/run.py prepares it."""
from __future__ import annotations

import hashlib
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import atheris

ROOT = Path(__file__).parents[1]
LARGEST = 1 << 14                # bytes of a seed

sys.path.insert(0, str(ROOT / "tests"))


def write_seeds(target: ModuleType, corpus: Path) -> None:
    """The inputs a target begins with; for capture files those of the project, and of SHARED, too."""
    seeds = list(target.seeds())
    if target.__name__ == "targets.capture":
        places = [ROOT / "examples", ROOT / "tests" / "truth" / "captures"]
        places += [Path(os.environ["SHARED"], "corpus", "captures")] if "SHARED" in os.environ else []
        files = [path for place in places for path in place.rglob("*") if path.is_file() and "cap" in path.suffix]
        seeds += [path.read_bytes()[:LARGEST] for path in files]
    for seed in seeds:
        (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed[:LARGEST])


if __name__ == "__main__":
    with atheris.instrument_imports(include=["tcpkit"]):     # it reads text of others, too
        chosen = importlib.import_module(f"targets.{sys.argv.pop(1)}")
    if Path(sys.argv[-1]).is_dir():
        write_seeds(chosen, Path(sys.argv[-1]))
    atheris.Setup(sys.argv, chosen.one)
    atheris.Fuzz()
