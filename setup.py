"""Build of the compiled core; everything else is in pyproject.toml.

TCPKIT_DEBUG=1 turns Cython's bounds checks on; TCPKIT_SANITIZE=1 adds ASan and UBSan; TCPKIT_FUZZ=1 both of these
and what libFuzzer counts coverage by (needs CC=clang).  TCPKIT_COVERAGE=1 counts what is executed, for gcov.
"""
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

# The core grows arrays by mremap(2), maps more than 32 bits address, and takes words for letters, the first the lowest.
if sys.platform != "linux" or sys.maxsize < 1 << 32 or sys.byteorder != "little":
    sys.exit("tcpkit needs Linux and a 64-bit little-endian processor, such as x86-64 or AArch64; this is "
             f"{platform.system()} on {platform.machine()}, {sys.maxsize.bit_length() + 1}-bit, {sys.byteorder}-endian")

DEBUG = os.environ.get("TCPKIT_DEBUG") == "1"
FUZZ = os.environ.get("TCPKIT_FUZZ") == "1"
COVERAGE = os.environ.get("TCPKIT_COVERAGE") == "1"
SANITIZE = FUZZ or os.environ.get("TCPKIT_SANITIZE") == "1"

SAFE = {"boundscheck": DEBUG, "wraparound": DEBUG, "initializedcheck": DEBUG, "overflowcheck": False}
DIRECTIVES = {"language_level": 3, "cdivision": True, "embedsignature": True, **SAFE}

FLAGS = ["-std=c11", "-Wall", "-Wno-unused-function", "-Wno-unreachable-code"]
FLAGS += ["-O1", "-g"] if DEBUG or SANITIZE else ["-O3", "-g0", "-fno-plt"]
# What is written inline is: by their own limits compilers would call the layers of every frame, their cursor in memory.
INLINING = ["--param max-inline-insns-single=1000 --param large-function-growth=10000",      # GCC
            "-mllvm -inlinehint-threshold=10000"]                                            # Clang
# What stops an attacker who has found an overflow: of these the ones this compiler knows for this processor.
HARDENING = ["-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection",
             "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"]


def accepted(flags: str) -> bool:
    """Whether the compiler takes these flags."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    return subprocess.run([*compiler, "-Werror", "-O1", *flags.split(), "-x", "c", "-c", os.devnull, "-o", os.devnull],
                          capture_output=True, check=False).returncode == 0


# What the loader has filled in stays as it is, and no stack is code.
LINK = ["-Wl,-z,relro,-z,now,-z,noexecstack"] if sys.platform == "linux" else []
if SANITIZE:
    CHECKS = "-fsanitize=address,undefined" + (",fuzzer-no-link" if FUZZ else "")
    FLAGS += [CHECKS, "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
    LINK.append(CHECKS)
elif COVERAGE:
    FLAGS += ["-O0", "--coverage"]
    LINK.append("--coverage")
else:
    FLAGS += [flag for flags in INLINING + HARDENING if accepted(flags) for flag in flags.split()]

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
