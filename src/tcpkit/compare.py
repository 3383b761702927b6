"""tcpkit beside the installed tshark on the same capture: agreement cell by cell, time and memory."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

KEY = "frame.number"
ORACLE = "4.0"                   # the version of tshark whose answers tcpkit's are
WORDS = {"True": "1", "False": "0"}      # flags, as tshark 4.4 prints them
TIMES = frozenset({"frame.time_epoch", "tcp.time_relative", "tcp.time_delta", "tcp.analysis.ack_rtt",
                   "tcp.analysis.initial_rtt", "tcp.analysis.rto"})
# Protocols up to TCP stay on in tshark; those above change its TCP results (they announce streams, for one).
_KEPT = """
    6lowpan ah amt arcnet arp aruba_erm atm ax25 ayiya bacp batadv brcm-tag btbnep capwap capwap.data ccsds cfp chdlc
    data dccp docsis enc erspan erspan-marker esp etag eth ethertype exported_pdu fcs fddi file-pcap file-pcapng fip fr
    frame geneve gre gtp hip hp_erm icmp icmpv6 ieee8021ad ieee8021ah igmp infiniband ip ipcomp ipoib ipos ipv6
    ipv6.dstopts ipv6.fraghdr ipv6.hopopts ipv6.routing ipv6.routing.type.crh ipv6.routing.type.mipv6
    ipv6.routing.type.rt0 ipv6.routing.type.srh ipx isl ixiatrailer ixveriwave juniper l2tp lapd linx lisp lisp-data llc
    loop lwapp macsec mp2t mpls mpls_mac mplscp mptcp mux27010 netanalyzer nettl nflog nordic_ble nsh null pcap_pktdata
    pflog pkt_comment pktap pktgen ppcap ppi ppp ppp_hdlc pppmux pppmuxcp pppmuxcp.opt.def_pid pppoe pppoed pppoes prism
    pw.padding pw_hdlc_nocw_fr pw_hdlc_nocw_hdlc_ppp pw_oam pwach pwcesopsn pwethcw pwethheuristic pwethnocw pwfr pwmcw
    pwsatopcw radiotap raw redback sctp shim6 sita sll stt tcp teredo tr trill tzsp udp udpencap udplite usb vlan vntag
    vssmonitoring vxlan wlan wlan_aggregate wlan_centrino wlan_ext wlan_radio x25 xot zep"""
KEPT = frozenset(_KEPT.split())
EXAMPLES = 10
MESSAGES = 1 << 20               # bytes of what a program says on standard error
BUG = re.compile(r"Dissector bug, protocol \S+, in packet (\d+): (.*)")       # what tshark says of an assertion


class CompareError(RuntimeError):
    """One of the two programs made nothing of a capture that could be compared."""


class TsharkError(CompareError):
    """tshark is missing, or does not work."""


@dataclass
class Run:
    """One program over one capture."""

    seconds: float              # wall clock
    cpu_seconds: float
    peak_memory: int            # bytes
    status: int
    messages: str = ""

    @property
    def said(self) -> str:
        """The last message on standard error, with the indented lines that belong to it."""
        return " ".join(re.split(r"\n(?=\S)", self.messages)[-1].split())

    @property
    def crashed(self) -> bool:
        """Whether a signal ended the program."""
        return self.status < 0


@dataclass
class FieldScore:
    cells: int = 0
    equal: int = 0
    set_cells: int = 0          # not empty on at least one side
    set_equal: int = 0


@dataclass
class Comparison:
    """What ``compare`` found on one capture."""

    path: str
    version: str = ""           # of tshark, if it says so
    rows: int = 0
    missing: int = 0            # rows only tshark has
    extra: int = 0              # rows only tcpkit has
    failed: dict[int, str] = field(default_factory=dict)       # frames at which tshark's own assertions failed
    left_out: int = 0           # rows of these frames: tshark's half of them is no answer
    unreached: int = 0          # rows of tcpkit after tshark crashed
    fields: dict[str, FieldScore] = field(default_factory=dict)
    differences: list[tuple[str, str, str, str]] = field(default_factory=list)  # frame, field, tshark, tcpkit
    tshark: Run | None = None
    tcpkit: Run | None = None

    @property
    def equal(self) -> bool:
        """Whether every cell agrees."""
        return not (self.missing or self.extra) and all(each.cells == each.equal for each in self.fields.values())

    @property
    def complete(self) -> bool:
        """Whether both programs came to the end of the capture: what follows a crash has not been compared."""
        return not any(run and run.crashed for run in (self.tshark, self.tcpkit))

    @property
    def speedup(self) -> float:
        """CPU time of tshark over that of tcpkit."""
        return self.tshark.cpu_seconds / max(self.tcpkit.cpu_seconds, 1e-9) if self.tshark and self.tcpkit else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "path": self.path, "version": self.version, "rows": self.rows, "missing": self.missing,
            "extra": self.extra, "equal": self.equal, "complete": self.complete, "failed": self.failed,
            "left_out": self.left_out, "unreached": self.unreached, "speedup": round(self.speedup, 2),
            "fields": {name: vars(score) for name, score in self.fields.items()},
            "differences": [dict(zip(("frame", "field", "tshark", "tcpkit"), each, strict=True))
                            for each in self.differences],
            "tshark": vars(self.tshark) if self.tshark else None, "tcpkit": vars(self.tcpkit) if self.tcpkit else None}


def run_tcpkit(path: str | Path, names: list[str], output: Path) -> Run:
    return run([sys.executable, "-m", "tcpkit", "fields", str(path), *chosen(names)], output, {})


def chosen(names: list[str]) -> list[str]:
    """The options that choose the columns, the same for both programs."""
    return [part for name in names for part in ("-e", name)]


def compare(path: str | Path, fields: Sequence[str], *,
            ours_by: Callable[[str | Path, list[str], Path], Run] = run_tcpkit) -> Comparison:
    """Run both programs on ``path`` and compare the given fields; ``ours_by`` writes the table of tcpkit.

    Raises TsharkError when tshark is not installed, CompareError when one of the programs gives no table: it cannot
    read the capture, or tshark does not know a field.
    """
    wanted = [KEY, *(name for name in fields if name != KEY)]
    result = Comparison(str(path), version_of(tshark()), fields={name: FieldScore() for name in wanted})
    with tempfile.TemporaryDirectory() as scratch, tcp_only_profile() as profile:
        ours, theirs = Path(scratch, "tcpkit.tsv"), Path(scratch, "tshark.tsv")
        result.tshark = run([tshark(), "-n", "-r", str(path), "-Y", "tcp", "-T", "fields", "-E", "header=y", "-E",
                             "separator=/t", "-E", "occurrence=f", *chosen(wanted)], theirs,
                            {"WIRESHARK_CONFIG_DIR": profile})
        result.tcpkit = ours_by(path, wanted, ours)
        with theirs.open(errors="replace") as expected, ours.open(errors="replace") as actual:
            for name, run_, stream in (("tshark", result.tshark, expected), ("tcpkit", result.tcpkit, actual)):
                if stream.readline().rstrip("\n").split("\t") != wanted:
                    raise CompareError(f"{name} gave no table: {run_.said or f'exit status {run_.status}'}")
            result.failed = {int(frame): cause for frame, cause in BUG.findall(result.tshark.messages)}
            score(result, wanted, expected, actual)
    return result


def tshark() -> str:
    found = shutil.which("tshark")
    if found is None:
        raise TsharkError("tshark is not installed (Debian: apt-get install tshark)")
    return found


@cache
def version_of(program: str) -> str:
    """Of a tshark, as 4.0.17; nothing if it does not say so."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace",
                          check=False).stdout
    found = re.match(r"TShark \D*(\d+(?:\.\d+)+)", told)
    return found[1] if found else ""


def is_oracle(version: str) -> bool:
    return version.startswith(f"{ORACLE}.")


@contextmanager
def tcp_only_profile() -> Iterator[str]:
    """A configuration directory for tshark with every protocol above TCP disabled."""
    names = _protocols(tshark())
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "disabled_protos").write_text("".join(f"{name}\n" for name in names if not is_kept(name)))
        yield directory


@cache
def _protocols(program: str) -> list[str]:
    listed = subprocess.run([program, "-G", "protocols"], capture_output=True, text=True, errors="replace", check=False)
    names = [cells[2] for cells in (line.split("\t") for line in listed.stdout.splitlines()) if len(cells) > 2]
    if listed.returncode or not names:
        raise TsharkError(f"{program} does not list its protocols (exit status {listed.returncode})")
    return names


def is_kept(protocol: str) -> bool:
    return protocol in KEPT or protocol.startswith("tcp.options.")


def run(arguments: list[str], output: Path, environment: dict[str, str]) -> Run:
    """Run one program with its output to a file; times and memory from the operating system."""
    with output.open("wb") as out, tempfile.TemporaryFile() as messages:
        started = time.monotonic()
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=messages,
                                   env={**os.environ, **environment})
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:                    # Ctrl-C: it may take hours more
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        messages.seek(0)
        text = messages.read(MESSAGES).decode("utf-8", "replace").strip()
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode, text)


def score(result: Comparison, names: list[str], expected: IO[str], actual: IO[str]) -> None:
    """Count what agrees, row by row; apart from it what tshark gave no answer to, because it failed there."""
    waiting = 0                  # rows of tcpkit since tshark's last one
    for frame, theirs, ours in paired(rows(expected), rows(actual)):
        if theirs:
            result.extra, waiting = result.extra + waiting, 0
        if frame in result.failed:
            result.left_out += 1
        elif theirs and ours:
            score_row(result, names, theirs, ours)
        elif theirs:
            result.missing += 1
        else:
            waiting += 1
    if result.tshark and result.tshark.crashed:
        result.unreached = waiting
    else:
        result.extra += waiting


Cells = list[str]


def paired(theirs: Iterator[tuple[int, Cells]], ours: Iterator[tuple[int, Cells]]) \
        -> Iterator[tuple[int, Cells | None, Cells | None]]:
    """Frame number and the rows of both, each in order of frames; None where one has no row."""
    a, b = next(theirs, None), next(ours, None)
    while a or b:
        frame = min(each[0] for each in (a, b) if each)
        one, other = (each[1] if each and each[0] == frame else None for each in (a, b))
        yield frame, one, other
        a = next(theirs, None) if one else a
        b = next(ours, None) if other else b


def rows(stream: IO[str]) -> Iterator[tuple[int, Cells]]:
    """Whole rows: a program that crashes may leave half a one."""
    for line in stream:
        cells = line.rstrip("\n").split("\t")
        if cells[0].isdigit() and line.endswith("\n"):
            yield int(cells[0]), cells


def score_row(result: Comparison, names: list[str], expected: list[str], actual: list[str]) -> None:
    result.rows += 1
    for name, theirs, ours in zip(names, expected, actual, strict=False):
        cell = result.fields[name]
        agrees = theirs == ours or WORDS.get(theirs) == ours or (name in TIMES and same_time(theirs, ours))
        cell.cells += 1
        cell.equal += agrees
        if theirs or ours:
            cell.set_cells += 1
            cell.set_equal += agrees
        if not agrees and len(result.differences) < EXAMPLES:
            result.differences.append((expected[0], name, theirs, ours))


def same_time(a: str, b: str) -> bool:
    """Equal to the nanosecond, give or take one."""
    try:
        return abs(int(a.replace(".", "")) - int(b.replace(".", ""))) <= 1
    except ValueError:
        return False
