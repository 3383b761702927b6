"""What is shipped: a source distribution that can be built from, and an installed tree without what built it."""
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {".py", ".pyx", ".pxd", ".pyi", ".h", ".typed"}
NOT_INSTALLED = {".pyx"}
MADE = {".c", ".so", ".html"}


def sources():
    """Names of the source files below src."""
    return {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*")
            if path.suffix in SOURCES}


def run_setup(*arguments):
    """A command of setup.py, in an ordinary interpreter whatever runs the tests."""
    unwatched = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run([sys.executable, "-W", "ignore", "setup.py", "-q", *arguments], cwd=ROOT, env=unwatched,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Names in the source distribution, without that of its folder."""
    folder = tmp_path_factory.mktemp("sdist")
    run_setup("egg_info", "--egg-base", str(folder), "sdist", "--dist-dir", str(folder))
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_source_distribution_has_all_sources(shipped):
    assert {f"src/{name}" for name in sources()} <= shipped
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", ".ci/run"} <= shipped


def test_the_source_distribution_has_nothing_that_is_made(shipped):
    assert {name for name in shipped if name.startswith("src/") and Path(name).suffix in MADE} == set()


def test_what_is_installed_beside_the_modules(tmp_path):
    run_setup("egg_info", "--egg-base", str(tmp_path), "build_py", "--build-lib", str(tmp_path / "lib"))
    installed = {path.relative_to(tmp_path / "lib").as_posix() for path in (tmp_path / "lib").rglob("*")
                 if path.is_file()}
    assert installed == {name for name in sources() if Path(name).suffix not in NOT_INSTALLED}
