"""Writes src/tcpcore/flags.py: the definitions of flags.pxd, which are Python but for the heads of the enums."""
from __future__ import annotations

import re
from pathlib import Path

CORE = Path(__file__).parent.parent / "src" / "tcpcore"
HEAD = '''"""Every bit and code of the rows.  Written by tools/flags_module.py from flags.pxd: change that."""
from tcpcore.codes import Codes

'''


def module() -> str:
    _, definitions = (CORE / "flags.pxd").read_text().split("\n", 1)
    return HEAD + re.sub(r"^cdef enum (\w+):$", r"class \1(Codes):", definitions, flags=re.MULTILINE)


if __name__ == "__main__":
    (CORE / "flags.py").write_text(module())
