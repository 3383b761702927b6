"""What the documentation shows is what happens."""
from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool(name):
    """A module of tools/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(language):
    """(where, text) of the code blocks in the README and the pages beside it."""
    for page in ("README.md", "docs/python.md", "docs/filters.md", "docs/streams.md"):
        text = (ROOT / page).read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.M | re.S):
            yield pytest.param(match[1], id=f"{page}:{text.count(chr(10), 0, match.start()) + 1}")


def commands():
    """The command lines of the README that call tcpkit."""
    for block in blocks("sh"):
        for line in block.values[0].splitlines():
            if line.startswith("tcpkit "):
                yield line


@pytest.mark.parametrize(("name", "page"), [("columns_doc", "docs/columns.md"), ("commands_doc", "docs/commands.md")])
def test_pages_made_from_the_code_are_up_to_date(name, page):
    assert tool(name).document() == (ROOT / page).read_text(), f"run: python tools/{name}.py"


def test_python_sees_the_flags_as_cython_does():
    text = (ROOT / "src/tcpcore/flags.py").read_text()
    assert tool("flags_module").module() == text, "run: python tools/flags_module.py"


@pytest.mark.parametrize("program", list(blocks("python")))
def test_python_examples_run(program):
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", list(commands()))
def test_command_examples_run(line):
    done = subprocess.run([sys.executable, "-m", *shlex.split(line, comments=True)], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_links_between_pages_lead_somewhere():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_rule_that_a_column_names_is_told():
    rules = set(re.findall(r"\*\*([A-Z]{2}-\d+|G-\d+)\*\*", (ROOT / "docs/semantics.md").read_text()))
    named = set(re.findall(r"\b(?:[A-Z]{2}|G)-\d+\b", (ROOT / "docs/columns.md").read_text()))
    assert named - rules == set()
