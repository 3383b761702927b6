"""Build of the compiled core; everything else is in pyproject.toml.

TCPKIT_DEBUG=1 turns Cython's bounds checks on; TCPKIT_SANITIZE=1 adds ASan and UBSan; TCPKIT_FUZZ=1 both of these
and what libFuzzer counts coverage by (needs CC=clang).
"""
import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("TCPKIT_DEBUG") == "1"
FUZZ = os.environ.get("TCPKIT_FUZZ") == "1"
SANITIZE = FUZZ or os.environ.get("TCPKIT_SANITIZE") == "1"

SAFE = {"boundscheck": DEBUG, "wraparound": DEBUG, "initializedcheck": DEBUG, "overflowcheck": False}
DIRECTIVES = {"language_level": 3, "cdivision": True, "embedsignature": True, **SAFE}

FLAGS = ["-std=c11", "-Wall", "-Wno-unused-function", "-Wno-unreachable-code"]
FLAGS += ["-O1", "-g"] if DEBUG or SANITIZE else ["-O3", "-fno-plt"]
# What the loader has filled in stays as it is, and no stack is code.
LINK = ["-Wl,-z,relro,-z,now,-z,noexecstack"] if sys.platform == "linux" else []
if SANITIZE:
    CHECKS = "-fsanitize=address,undefined" + (",fuzzer-no-link" if FUZZ else "")
    FLAGS += [CHECKS, "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
    LINK.append(CHECKS)

HERE = Path(__file__).parent
SOURCES = sorted((HERE / "src" / "tcpcore").glob("*.pyx"))

extensions = [
    Extension(f"tcpcore.{source.stem}", [str(source.relative_to(HERE))], include_dirs=["src/tcpcore"],
              extra_compile_args=FLAGS, extra_link_args=LINK)
    for source in SOURCES
]

CORES = os.cpu_count() or 1

# C that is checked differently is kept apart: Cython makes it anew only where the source is newer.
setup(ext_modules=cythonize(extensions, include_path=["src"], compiler_directives=DIRECTIVES, nthreads=CORES,
                            build_dir="build/checked" if DEBUG else None),
      options={"build_ext": {"parallel": CORES}})
