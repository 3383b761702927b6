"""Where commands write: "-" is standard output, a terminal gets text only, no letter is too strange for it."""
from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

import tcpkit


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def beside(*arguments, **options):
    """A command line in a process of its own: its status and what it complains of."""
    process = subprocess.run([sys.executable, "-m", "tcpkit", *map(str, arguments)], stderr=subprocess.PIPE,
                             check=False, timeout=60, **options)
    return process.returncode, process.stderr


@pytest.mark.parametrize("words", [
    "packets", "packets --format csv", "flows", "flows --format parquet", "fields -e frame.number", "info", "report",
    "http --format csv", "retransmissions", "threats", "follow --raw"])
def test_a_dash_is_standard_output(run, path, here, words):
    command, *options = words.split()
    arguments = [command, path, *(["0"] if command == "follow" else []), *options]
    assert run(*arguments, "-o", "-") == run(*arguments)
    assert not list(here.iterdir())
    assert run(*arguments, "-o", "./-")[1] == b""
    assert (here / "-").read_bytes() == run(*arguments)[1]


def test_a_capture_on_standard_output(run, path, here):
    run("filter", path, "-o", "part.pcap", "--stream", "1")
    status, out, err = run("filter", path, "-o", "-", "--stream", "1")
    assert (status, out) == (0, (here / "part.pcap").read_bytes())
    assert err.endswith(" frames written\n")
    assert [file.name for file in here.iterdir()] == ["part.pcap"]
    assert run("filter", path, "-o", "-", "-Y", "tcp.len > 9999")[1] == (here / "part.pcap").read_bytes()[:24]


@pytest.mark.parametrize("words", ["filter FILE -o -", "explain FILE 0"])
def test_standard_output_that_cannot_be_written(path, words):
    arguments = words.replace("FILE", path).split()
    with open("/dev/full", "wb") as full:
        assert beside(*arguments, stdout=full) == (2, b"tcpkit: standard output: No space left on device\n")
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        assert beside(*arguments, stdout=pipe) == (1, b"")


def test_a_ladder_on_standard_output(run, path, here):
    run("explain", path, "0", "--svg", "ladder.svg")
    assert run("explain", path, "0", "--svg", "-") == (0, (here / "ladder.svg").read_bytes(), "")
    assert len(list(here.iterdir())) == 1


@pytest.mark.parametrize("command", ["explain FILE 0 --svg {}", "plot FILE 0 -o {}"])
def test_the_capture_that_is_read_is_no_picture(run, path, here, command):
    with open(path, "rb") as file:
        (here / "capture.svg").write_bytes(file.read())
    kept = (here / "capture.svg").read_bytes()
    status, _, err = run(*command.replace("FILE", "capture.svg").format("capture.svg").split())
    assert status == 2
    assert "is being read, so it cannot be written" in err
    assert (here / "capture.svg").read_bytes() == kept


@pytest.mark.parametrize(("command", "told"), [
    ("plot FILE 0 -o -", "--output"), ("plot FILE 0 -o graph", "--output"), ("plot FILE 0 -o /dev/full", "--output"),
    ("plot FILE 0 -o graph.jpg", "--output"), ("export FILE -o -", "--output"), ("follow FILE --all -o -", "-o"),
    ("capture -i lo -w - --ring 2:1M", "--ring"), ("capture -i lo --format json", "--format"),
    ("capture -i lo --packets --columns stream", "--columns"), ("capture -i lo --packets --flows", "--flows"),
    ("capture -i nosuch --duration nan", "--duration"), ("capture -i nosuch --snaplen 262145", "--snaplen"),
    (f"capture -i nosuch --count {1 << 63}", "--count"), ("states -i nosuch --duration nan", "--duration"),
    (f"filter FILE -o - --stream {1 << 32}", "--stream"),
    ("states FILE --duration 3", "--duration"), ("report - -o out", "several times"),
    ("flows FILE --columns stream,,client", "--columns"),
    ("filter FILE -o - --stream 1000", "there is no stream 1000"), ("follow TEXT --all -o out", "not a capture"),
    ("follow FILE --all -o out -f port", "port")])
def test_what_cannot_be_written_is_told_and_leaves_nothing(run, path, here, tmp_path_factory, command, told):
    text = tmp_path_factory.mktemp("text") / "text"
    text.write_text("From: a friend")
    status, _, err = run(*({"FILE": path, "TEXT": text}.get(word, word) for word in command.split()))
    assert status == 2
    assert told in err
    assert not list(here.iterdir())


def test_a_capture_that_cannot_be_exported_is_told_on_standard_error(run, path, here):
    status, out, err = run("export", "nosuch", path, "--tables", "flows, directions", "-o", "out")
    assert (status, err) == (1, "tcpkit: nosuch: No such file or directory\n")
    assert [line.split(": ")[0] for line in out.decode().splitlines()] == [path]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_pictures_are_called_as_they_were_named(run, path, here, ending):
    assert run("plot", path, "0", "-o", f"graph.{ending}") == (0, b"", "")
    assert [file.name for file in here.iterdir()] == [f"graph.{ending}"]


def test_streams_that_are_there_are_chosen_in_one_pass(run, path):
    last = tcpkit.open(path).n_flows - 1
    assert run("filter", path, "-o", "/dev/null", "--stream", last)[0] == 0
    assert run("filter", path, "-o", "/dev/null", "--stream", last, "--stream", last + 1)[0] == 2
    with open(path, "rb") as file:                    # which can be read only once
        assert beside("filter", "-", "-o", "/dev/null", "--stream", last + 1, stdin=file)[0] == 2


@pytest.mark.parametrize("command", [
    "flows FILE --format parquet", "packets FILE --format parquet", "http FILE --format parquet", "filter FILE -o -",
    "follow FILE 0 --raw", "capture -i lo -w -"])
def test_bytes_do_not_go_to_a_terminal(path, command):
    screen, terminal = pty.openpty()
    status, err = beside(*command.replace("FILE", path).split(), stdout=terminal)
    os.close(terminal)
    os.close(screen)
    assert status == 2
    assert b"could steer the terminal: write them to a file, or into a pipe" in err


@pytest.mark.parametrize("command", ["follow FILE 0", "explain FILE 0"])
@pytest.mark.parametrize(("told", "coloured"), [
    ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)])
def test_a_terminal_gets_the_colours_it_takes(path, command, told, coloured):
    screen, terminal = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")} | told
    assert beside(*command.replace("FILE", path).split(), stdout=terminal, env=env) == (0, b"")
    os.close(terminal)
    shown = os.read(screen, 4096)
    os.close(screen)
    assert shown
    assert bool(re.search(rb"\x1b\[(\d;)?3\dm", shown)) == coloured


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("words", ["explain FILE 0", "explain FILE 0 --all", "flows --help", "--help"])
def test_letters_that_the_output_does_not_have(path, words, encoding):
    assert beside(*words.replace("FILE", path).split(), stdout=subprocess.DEVNULL,
                  env={**os.environ, "PYTHONIOENCODING": encoding}) == (0, b"")
