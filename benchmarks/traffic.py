"""Deterministic generated captures: ``python -m benchmarks.traffic mix -o mix.pcap --bytes 2G``.

mix    an internet-like mix: heavy-tailed sizes, losses, reordering, 10 % not TCP, 20 % IPv6
bulk   200 transfers at MTU size
small  headers only, ten packets a connection
flood  SYNs from random sources to one server
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROFILES = ("mix", "bulk", "small", "flood")
SOURCE = Path(__file__).with_name("traffic.c")
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}


def size(text: str) -> int:
    """A number of bytes: 500M, 2G, 123456."""
    return int(float(text[:-1]) * UNITS[text[-1].upper()]) if text[-1].upper() in UNITS else int(text)


def compiled(source: Path, *libraries: str) -> Path:
    """The program of a C file, built on the spot if it is not there or older than its source."""
    program = Path(tempfile.gettempdir(), f"tcpkit-{source.stem}-{os.getuid()}")
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", str(program), str(source), *libraries], check=True)
    return program


def generate(profile: str, path: Path, bytes_: int, seed: int = 1) -> Path:
    """Write a capture of about ``bytes_`` bytes; one that is there with the right size is kept."""
    if not path.exists() or not bytes_ <= path.stat().st_size < bytes_ + 65536:
        with path.open("wb") as out:
            subprocess.run([str(compiled(SOURCE, "-lm")), profile, str(bytes_), str(seed)], stdout=out, check=True)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=PROFILES)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--bytes", type=size, default=size("200M"))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    generate(args.profile, args.output, args.bytes, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
