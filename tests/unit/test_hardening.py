"""The compiled modules have what makes an overflow hard to use, as far as the compiler knows it."""
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

import tcpcore
from confined import SANITIZED

MODULES = sorted(Path(tcpcore.__file__).parent.glob("*.so"))
WITH_ARRAYS = ("capture_file", "decode", "fieldtext", "fragments")       # on the stack, or of bytes from outside
ENDBR64 = b"\xf3\x0f\x1e\xfa"

pytestmark = [pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf (binutils) is not installed"),
              pytest.mark.skipif(SANITIZED, reason="the sanitizers take the place of what hardens other builds")]


@cache
def told(module: Path) -> str:
    return subprocess.run(["readelf", "--wide", "--segments", "--dynamic", "--symbols", module],
                          capture_output=True, text=True, check=True).stdout


def test_there_are_modules():
    assert {name.name.partition(".")[0] for name in MODULES} >= set(WITH_ARRAYS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name.partition(".")[0])
def test_what_the_linker_adds(module):
    """What the loader fills in is read-only afterwards, and no stack is code."""
    assert "GNU_RELRO" in told(module)
    assert re.search(r"FLAGS.*\b(BIND_NOW|NOW)\b", told(module))
    assert re.search(r"GNU_STACK .* RW ", told(module))


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_stacks_are_guarded(name):
    [module] = [path for path in MODULES if path.name.startswith(f"{name}.")]
    assert "__stack_chk_fail" in told(module)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only this processor has these marks")
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name.partition(".")[0])
def test_places_that_may_be_jumped_to_are_marked(module):
    assert module.read_bytes().count(ENDBR64) > 5
