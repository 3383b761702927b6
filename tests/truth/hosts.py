"""Two network namespaces, each with one end of the path: a TAP device that the relay holds."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from relay import open_tap

ADDRESSES = (("10.9.0.1", "fd09::1"), ("10.9.0.2", "fd09::2"))
MACS = ("02:00:00:00:09:01", "02:00:00:00:09:02")
PROGRAMS = Path(__file__).with_name("programs.py")


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Hosts:
    """A context: the namespaces exist inside it."""

    def __init__(self, sysctls: dict[str, str], mtu: int = 1500) -> None:
        self.names = [f"tkt{os.getpid()}{side}" for side in "ab"]
        self.settings = {"net.ipv4.tcp_no_metrics_save": "1", "net.ipv6.conf.all.accept_dad": "0",
                         "net.ipv6.conf.default.accept_dad": "0", **sysctls}
        self.mtu = mtu
        self.taps: tuple[int, ...] = ()
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Hosts:
        self.taps = tuple(open_tap(name) for name in self.names)
        for host, name in enumerate(self.names):
            self._set_up(host, name)
        return self

    def _set_up(self, host: int, name: str) -> None:
        run("ip", "netns", "add", name)
        run("ip", "link", "set", name, "netns", name)
        inside = ("ip", "netns", "exec", name)
        for key, value in self.settings.items():
            run(*inside, "sysctl", "-qw", f"{key}={value}")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "link", "set", name, "address", MACS[host], "mtu", str(self.mtu),
            "txqueuelen", "100000", "up")     # a full queue would drop packets before the first capture point
        for own, other, bits in zip(ADDRESSES[host], ADDRESSES[1 - host], ("24", "64"), strict=True):
            run(*inside, "ip", "address", "add", f"{own}/{bits}", "dev", name,
                *(("nodad",) if ":" in own else ()))
            run(*inside, "ip", "neigh", "replace", other, "lladdr", MACS[1 - host], "dev", name, "nud", "permanent")

    def start(self, host: int, *arguments: str) -> subprocess.Popen[bytes]:
        """Run one of the programs on a host."""
        process = subprocess.Popen(["ip", "netns", "exec", self.names[host], sys.executable, str(PROGRAMS), *arguments])
        self.processes.append(process)
        return process

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for tap in self.taps:
            os.close(tap)
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False)
