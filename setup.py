"""Build of the compiled core; everything else is in pyproject.toml.

TCPKIT_DEBUG=1 turns Cython's bounds checks on; TCPKIT_SANITIZE=1 adds ASan and UBSan.
"""
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("TCPKIT_DEBUG") == "1"
SANITIZE = os.environ.get("TCPKIT_SANITIZE") == "1"

SAFE = {"boundscheck": DEBUG, "wraparound": DEBUG, "initializedcheck": DEBUG, "overflowcheck": False}
DIRECTIVES = {"language_level": 3, "cdivision": True, "embedsignature": True, **SAFE}

FLAGS = ["-std=c11", "-Wall", "-Wno-unused-function", "-Wno-unreachable-code"]
FLAGS += ["-O1", "-g"] if DEBUG or SANITIZE else ["-O3", "-fno-plt"]
LINK = []
if SANITIZE:
    FLAGS += ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    LINK += ["-fsanitize=address,undefined"]

HERE = Path(__file__).parent
SOURCES = sorted((HERE / "src" / "tcpcore").glob("*.pyx"))

extensions = [
    Extension(f"tcpcore.{source.stem}", [str(source.relative_to(HERE))], include_dirs=["src/tcpcore"],
              extra_compile_args=FLAGS, extra_link_args=LINK)
    for source in SOURCES
]

CORES = os.cpu_count() or 1

setup(ext_modules=cythonize(extensions, include_path=["src"], compiler_directives=DIRECTIVES, nthreads=CORES),
      options={"build_ext": {"parallel": CORES}})
