"""The rules of the house that a machine can check, over the project's own files."""
from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE, KIT = ROOT / "src" / "tcpcore", ROOT / "src" / "tcpkit"
MODULES = sorted(CORE.glob("*.pyx"))
CYTHON = MODULES + sorted(CORE.rglob("*.pxd"))
PYTHON = sorted(KIT.rglob("*.py")) + sorted(CORE.glob("*.py"))
TEXTS = [path for folder in ("src", "tests", "benchmarks", "docs", "tools", "examples")
         for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".py", ".pyx", ".pxd", ".pyi", ".h", ".md")]
LONGEST = {".pyx": 450, ".py": 320, ".pxd": 400}
LONGEST_FUNCTION = 50
C_TYPES = {"void", "bint", "int", "char", "double", "size_t", "Py_ssize_t", "const char", "uint8_t", "uint16_t",
           "uint32_t", "uint64_t", "int32_t", "int64_t", "const uint8_t"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.$}/])/(work|home|root|tmp)/\w")
EXEMPT = {Path(__file__).name}


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_are_short():
    assert [names(path) for path in CYTHON + PYTHON if len(path.read_text().splitlines()) > LONGEST[path.suffix]] == []


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def test_functions_are_short():
    long = [f"{names(path)}: {node.name}" for path in PYTHON for node in functions(path)
            if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]
    assert long == []


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_kernels_are_short(path):
    lines = path.read_text().splitlines()
    starts = [i for i, line in enumerate(lines) if line[:1].strip() or line.startswith(("    def ", "    cdef "))]
    long = [lines[a] for a, b in zip(starts, [*starts[1:], len(lines)], strict=False)
            if b - a > LONGEST_FUNCTION + 2 and "(" in lines[a]]
    assert long == []


def test_nothing_is_left_unfinished_and_no_path_of_one_machine_is_named():
    found = [f"{names(path)}: {match[0]}" for path in TEXTS if path.name not in EXEMPT
             for match in [UNFINISHED.search(path.read_text()) or MACHINE_PATHS.search(path.read_text())] if match]
    assert found == []


def test_what_is_public_is_documented():
    bare = []
    for path in PYTHON:
        if path.parent.name == "cli":
            continue
        module = ast.parse(path.read_text())
        public = [node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
                  and not node.name.startswith("_")]
        bare += [f"{names(path)}: {node.name}" for node in public
                 if not ast.get_docstring(node) and isinstance(node, ast.FunctionDef) and len(node.body) > 5]
        bare += [] if ast.get_docstring(module) or not module.body else [names(path)]
    assert bare == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_stubs_name_what_the_modules_have(path):
    """Every module that Python can use has a stub with the same classes and functions."""
    text = path.read_text()
    public = set(re.findall(r"^(?:def|class|cpdef enum) +([A-Za-z]\w*)", text, re.M))
    public |= {name for name, body in re.findall(r"^cdef class (\w+).*\n((?:    .*\n|\n)*)", text, re.M)
               if re.search(r"^    (def (?!__)|@property)", body, re.M)}
    stub = path.with_suffix(".pyi")
    if not public:
        return
    assert stub.exists(), f"{path.stem} has {public} and no stub"
    tree = ast.parse(stub.read_text())
    stubbed = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert public <= stubbed


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_kernels_say_whether_they_raise(path):
    """A C function without ``noexcept`` or ``except`` checks for exceptions at every call."""
    text = re.sub(r"\n\s{8,}", " ", path.read_text())
    silent = [line.strip() for line in text.splitlines()
              if (function := re.match(r"\s*cdef (?:inline )?([\w ]+)[ *]+\w+\(.*\).*:$", line))
              and function[1].strip() in C_TYPES and "except" not in line]
    assert silent == []
