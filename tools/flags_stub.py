"""Writes src/tcpcore/flags.pyi, the stub of the enums that flags.pxd defines."""
from __future__ import annotations

from enum import EnumMeta
from pathlib import Path

STUB = Path(__file__).parent.parent / "src" / "tcpcore" / "flags.pyi"


def stub() -> str:
    from tcpcore import flags

    lines = ["from enum import IntEnum"]
    for name in dir(flags):
        enum = getattr(flags, name)
        if isinstance(enum, EnumMeta) and enum.__module__ == flags.__name__:
            members = (f"    {member} = {value.value}" for member, value in enum.__members__.items())
            lines += ["", f"class {name}(IntEnum):", *members]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    STUB.write_text(stub())
