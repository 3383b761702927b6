"""The installed tshark, with the protocols above TCP disabled."""
from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tcpkit.compare import ORACLE, is_oracle, tcp_only_profile, version_of


def unfit() -> str:
    """Why tshark cannot be asked here: what later versions say of TCP is not what 4.0 says."""
    if shutil.which("tshark") is None:
        return "tshark is not installed"
    version = version_of("tshark")
    return "" if is_oracle(version) else f"NOT COMPARED WITH TSHARK: it is {version}, not {ORACLE}"


needs_tshark = pytest.mark.skipif(bool(unfit()), reason=unfit())


@cache
def profile() -> str:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(tcp_only_profile())


def tshark(*arguments: str | Path) -> str:
    """What tshark prints; it may end with status 2 for a damaged capture."""
    return subprocess.run(["tshark", "-n", *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={**os.environ, "WIRESHARK_CONFIG_DIR": profile()}).stdout


def tshark_fields(path: Path, names: list[str], *, where: str = "tcp") -> list[dict[str, str]]:
    """One dict for each frame that ``where`` selects, of the first occurrence of each field."""
    chosen = [part for name in names for part in ("-e", name)]
    text = tshark("-r", path, "-Y", where, "-T", "fields", "-E", "occurrence=f", *chosen)
    return [dict(zip(names, line.split("\t"), strict=True)) for line in text.splitlines()]


def tcpkit_fields(path: Path, names: list[str]) -> list[dict[str, str]]:
    """The same of tcpkit."""
    import io

    import tcpkit
    from tcpkit.listing import write_fields

    out = io.BytesIO()
    write_fields(tcpkit.open(path), names, out)
    return [dict(zip(names, line.split("\t"), strict=True)) for line in out.getvalue().decode().splitlines()[1:]]
