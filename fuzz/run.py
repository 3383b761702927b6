"""Coverage-guided fuzzing of the compiled core: ``python fuzz/run.py --seconds 60 [TARGET ...]``.

Each target (fuzz/targets), as many at once as there are processors, runs under libFuzzer, the core built by clang with
ASan, UBSan and coverage into build/fuzz/lib (``make fuzz`` does that).  What it found interesting stays in
build/fuzz/corpus, where the next run goes on; what broke something is in build/fuzz/findings, and
``python fuzz/run.py TARGET --reproduce FILE`` shows it.
"""
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import atheris

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "fuzz"
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py"))
LARGEST = 1 << 14                # bytes of one input
SLOW, MEMORY = 20, 3000          # seconds for one input, MiB in all: beyond that it is a finding


def environment() -> dict[str, str]:
    """What the instrumented core needs around it."""
    runtime = Path(atheris.path(), "asan_with_fuzzer.so")
    return os.environ | {
        "LD_PRELOAD": str(runtime), "PYTHONPATH": os.pathsep.join([str(BUILD / "lib"), *sys.path[1:]]),
        # Python itself keeps much until the end; leaks have tests of their own (tests/attack).
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16:malloc_context_size=10",
        "UBSAN_OPTIONS": "print_stacktrace=1"}


def fuzz(name: str, seconds: int, seed: int) -> bool:
    """Run one target, and tell what came of it in a line; whether it found nothing."""
    corpus, findings, log = BUILD / "corpus" / name, BUILD / "findings", BUILD / f"{name}.log"
    for place in (corpus, findings):
        place.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, HERE / "one.py", name, f"-max_total_time={seconds}",
                                    f"-seed={seed}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}",
                                    f"-max_len={LARGEST}", f"-artifact_prefix={findings}/{name}-",
                                    "-print_final_stats=1", corpus],
                                   env=environment(), stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    progress = re.findall(r"^#(\d+)\t.*?cov: (\d+) ft: (\d+) corp: (\d+)", text, re.MULTILINE)
    runs, edges, features, kept = progress[-1] if progress else ("0", "0", "0", "0")
    verdict = "no finding" if status == 0 else f"FINDING: see {log}"
    print(f"{name:16} {int(runs):>10,} runs {usage.ru_utime:8.1f} s CPU {edges:>6} edges {features:>7} features "
          f"{kept:>5} kept  {verdict}", flush=True)
    return status == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--reproduce", type=Path, help="run one target once, on this file")
    args = parser.parse_args()
    for name in args.targets:
        if name not in TARGETS:
            parser.error(f"there is no target {name}")
    if args.reproduce:
        return subprocess.run([sys.executable, HERE / "one.py", args.targets[0], args.reproduce], env=environment(),
                              check=False).returncode
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = pool.map(lambda name: fuzz(name, args.seconds, args.seed), args.targets or TARGETS)
        return 0 if all([*clean]) else 1


if __name__ == "__main__":
    sys.exit(main())
