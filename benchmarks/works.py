"""What is measured: for each work the commands of tcpkit and of the peers."""
from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.traffic import compiled
from tcpkit.fields import contract_names
from tcpkit.packet_columns import PACKETS

HERE = Path(__file__).parent
PYTHON = sys.executable
Command = Callable[[str], list[str] | None]


@dataclass(frozen=True)
class Peer:
    """One tool at one work; ``command`` makes its argument list for a capture, or None if it is missing.

    A ``slow`` tool gets a smaller capture of the same kind.  What one takes that ``keeps`` packets or connections may
    depend on their number, so it gets the whole of the mix, on which what was asked for is measured.
    """

    name: str
    command: Command
    slow: bool = False
    keeps: bool = False


def tool(program: str, *arguments: str) -> Command:
    """An installed program; "{}" among the arguments stands for the capture."""
    def command(capture: str) -> list[str] | None:
        found = shutil.which(program)
        return [found, *(capture if each == "{}" else each for each in arguments)] if found else None
    return command


def script(text: str, module: str = "tcpkit") -> Command:
    """A few lines of Python that find the capture in ``path``."""
    def command(capture: str) -> list[str] | None:
        missing = importlib.util.find_spec(module) is None
        return None if missing else [PYTHON, "-c", f"path = {capture!r}\n{text}"]
    return command


def program(source: str, *libraries: str) -> Command:
    """One of the C programs beside this file."""
    def command(capture: str) -> list[str] | None:
        try:
            return [str(compiled(HERE / source, *libraries)), capture]
        except (OSError, subprocess.CalledProcessError):
            return None
    return command


def gopacket(capture: str) -> list[str] | None:
    """Debian's package of it; elsewhere GOPATH may tell where it is."""
    built = Path(tempfile.gettempdir(), f"tcpkit-gopacket-{os.getuid()}")
    environment = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", **os.environ}
    if not shutil.which("go") or (not built.exists() and subprocess.run(
            ["go", "build", "-o", str(built), str(HERE / "gopacket_flows.go")], env=environment, check=False,
            capture_output=True).returncode):
        return None
    return [str(built), capture]


def tshark_fields(fields: list[str]) -> Command:
    return tool("tshark", "-n", "-r", "{}", "-Y", "tcp", "-T", "fields", "-E", "occurrence=f", *fields)


def options(names: Iterable[str]) -> list[str]:
    return [part for name in names for part in ("-e", name)]


FIELDS = options(contract_names(own=False))
FLOW_FIELDS = options(column.wireshark for column in PACKETS
                      if column.wireshark in FIELDS and column.stage in ("decode", "flows"))
SCAN = "import tcpkit\nfor batch in tcpkit.scan(path, threads=1, stages=[{!r}]): pass"
CONVERSATIONS = """import os, tcpkit
with open(os.devnull, "wb") as out:
    for piece in tcpkit.open(path, threads=1).conversation_pieces():
        out.write(piece.to_text())"""
CONVERSATION_COLUMNS = ("client,client_port,server,server_port,packets_client,packets_server,wire_bytes_client,"
                        "wire_bytes_server,start,duration")
TCPTRACE = Peer("tcptrace -n -l -r", tool("tcptrace", "-n", "-l", "-r", "{}"), slow=True, keeps=True)
# The first peer of each work is tcpkit, against which the others are measured.
WORKS: dict[str, list[Peer]] = {
    "walk and decode to arrays": [
        Peer("tcpkit.scan, decode", script(SCAN.format("decode"))),
        Peer("read, touch headers", program("floor.c")),
        Peer("libpcap loop that counts", program("libpcap_count.c", "-lpcap")),
        Peer("tcpdump -w /dev/null", tool("tcpdump", "-n", "-r", "{}", "-w", "/dev/null")),
        Peer("dpkt reader", script("import dpkt\nfor _ in dpkt.pcap.Reader(open(path, 'rb')): pass", "dpkt"),
             slow=True),
        Peer("scapy", script("from scapy.utils import PcapReader\nimport scapy.layers.inet\nfor _ in PcapReader(path): "
                             "pass", "scapy"), slow=True),
    ],
    "packets and flows to arrays": [
        Peer("tcpkit.scan, flows", script(SCAN.format("flows"))),
        Peer("gopacket decode, map of flows", gopacket),
        Peer("tshark -T fields", tshark_fields(FLOW_FIELDS), slow=True, keeps=True),
    ],
    "all tshark fields to arrays": [
        Peer("tcpkit.scan, analysis", script(SCAN.format("analysis"))),
        Peer("tshark -T fields", tshark_fields(FIELDS), slow=True, keeps=True),
        TCPTRACE,
    ],
    "all tshark fields as text": [
        Peer("tcpkit fields", tool(PYTHON, "-m", "tcpkit", "fields", "{}", *FIELDS)),
        Peer("tshark -T fields", tshark_fields(FIELDS), slow=True, keeps=True),
    ],
    "conversations": [
        Peer("tcpkit conversations", script(CONVERSATIONS)),
        Peer("tcpkit flows, the same columns", tool(PYTHON, "-m", "tcpkit", "flows", "{}", "--format", "csv",
                                                    "--columns", CONVERSATION_COLUMNS)),
        Peer("tshark -z conv,tcp", tool("tshark", "-n", "-q", "-r", "{}", "-z", "conv,tcp"), slow=True, keeps=True),
        Peer("nfstream, no DPI", script("import nfstream\nfor _ in nfstream.NFStreamer(source=path, n_dissections=0): "
                                        "pass", "nfstream"), slow=True, keeps=True),
        Peer("softflowd", tool("softflowd", "-r", "{}", "-d", "-n", "127.0.0.1:9")),
        Peer("argus", tool("argus", "-X", "-r", "{}", "-w", "/dev/null")),
    ],
    "flows, with analysis and states": [
        Peer("tcpkit flows", tool(PYTHON, "-m", "tcpkit", "flows", "{}", "--format", "csv")),
        TCPTRACE,
    ],
    "bytes of all streams": [
        Peer("tcpkit.scan_streams", script("from tcpkit.stream_scan import scan_streams\n"
                                           "for piece in scan_streams(path, threads=1): memoryview(piece)")),
        Peer("tcpflow -C", tool("tcpflow", "-C", "-X", os.devnull, "-r", "{}"), slow=True, keeps=True),
    ],
}
