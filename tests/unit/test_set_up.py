"""Where the core cannot work it is not built, and who installs it is told."""
import runpy
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "setup.py"


@pytest.mark.parametrize(("name", "value", "told"), [
    ("platform", "win32", "needs Linux"), ("platform", "darwin", "needs Linux"),
    ("maxsize", (1 << 31) - 1, "32-bit"), ("byteorder", "big", "big-endian")])
def test_other_machines_are_refused(monkeypatch, name, value, told):
    import Cython.Build  # noqa: F401  (before this machine seems to be another one)
    import setuptools  # noqa: F401

    monkeypatch.setattr(sys, name, value)
    with pytest.raises(SystemExit, match=told) as end:
        runpy.run_path(str(SETUP))
    assert str(end.value).startswith("tcpkit needs Linux and a 64-bit little-endian processor")
