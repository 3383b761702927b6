"""`tcpkit capture` on a wire of its own: how it ends, what it says, what it leaves behind."""
from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import tcpkit
from live.wires import interrupt, may_make_wires, wire
from packets import Conversation, sack, timestamps
from tcpcore.records import VERDICT

pytestmark = may_make_wires
SAVES = """
import sys, numpy as np, tcpkit
interface, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with tcpkit.live(interface, write=path, count=count, duration=60) as capture:
    tables = list(capture)
    packets = np.concatenate([table.array for table in tables])
    changes = np.concatenate([table.corrections.array for table in tables if table.corrections is not None])
    np.savez(path + ".npz", packets=packets, changes=changes, flows=capture.flows.array, states=capture.states.array)
"""


@pytest.fixture(scope="module")
def link():
    with wire() as made:
        yield made


def segments(n, size=900, sport=50000):
    talk = Conversation(sport=sport).handshake()
    for i in range(n):
        talk.c("PA", 1 + i * size, 1, size)
    return [frame.data for frame in talk.frames]


def started(link, *words, **options):
    process = link.tcpkit("capture", "-i", link.far, *words, **options)
    link.wait_for_capture(process)
    return process


def in_bursts(link, frames, sender="near"):
    for start in range(0, len(frames), 20):
        link.send(frames[start:start + 20], sender)
        time.sleep(0.3)


def test_a_limit_on_files_leaves_what_was_written_and_says_so(link, tmp_path):
    path = tmp_path / "full.pcapng"
    process = started(link, "-w", str(path),
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)))
    in_bursts(link, segments(100))
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "File too large; the file is valid up to here" in told
    written = int(re.search(r"(\d+) frames written", told)[1])
    assert 20 <= written < 100
    read = tcpkit.open(path)
    assert (len(read.packets), read.warnings) == (written, [])


def test_frames_on_standard_output(link, tmp_path):
    """As a capture that can be read, and nothing else; what is listed goes to standard error."""
    with open(tmp_path / "piped.pcap", "wb") as file:
        process = subprocess.Popen(["ip", "netns", "exec", link.name, sys.executable, "-m", "tcpkit", "capture", "-i",
                                    link.far, "-w", "-", "--packets", "-c", "5"], stdout=file, stderr=subprocess.PIPE)
    link.wait_for_capture(process)
    link.send(segments(5))
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line.split()[0] for line in told.splitlines()[1:6]] == [b"1", b"2", b"3", b"4", b"5"]
    assert b"5 frames written to standard output" in told
    assert len(tcpkit.open(tmp_path / "piped.pcap").packets) == 5


def test_a_wrong_filter_leaves_the_file_as_it_was(link, tmp_path):
    path = tmp_path / "kept.pcap"
    path.write_bytes(b"of an earlier run")
    process = link.tcpkit("capture", "-i", link.far, "-w", str(path), "-Y", "tcp.strem == 1")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "did you mean" in told
    assert path.read_bytes() == b"of an earlier run"


def test_a_full_device_is_told_at_once(link):
    process = started(link, "-w", "/dev/full")
    link.send(segments(3))
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "No space left on device" in told
    assert "frames captured" in told


def test_sigterm_ends_it_as_ctrl_c_does(link, tmp_path):
    path = tmp_path / "done.pcap"
    process = started(link, "-w", str(path))
    in_bursts(link, segments(10))
    process.terminate()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "13 frames captured, 0 dropped by the kernel, 0 dropped by the interface" in told
    assert len(tcpkit.open(path).packets) == 13


def test_count_and_snaplen(link, tmp_path):
    path = tmp_path / "short.pcapng"
    process = started(link, "-w", str(path), "-c", "7", "--snaplen", "60")
    link.send(segments(20))
    _, told = process.communicate(timeout=60)
    assert "7 frames written" in told
    rows = tcpkit.open(path).packets.array
    assert (rows["cap_len"] == np.minimum(rows["frame_len"], 60)).all()
    assert set(rows["frame_len"][3:].tolist()) == {954}


@pytest.mark.parametrize(("words", "told"), [
    ((), "nothing came: is this the interface? `tcpkit interfaces` lists them"),
    (("-f", "tcp port 1"), 'no frame passed the filter "tcp port 1"')])
def test_silence_is_told(link, words, told):
    process = link.tcpkit("capture", "-i", link.far, "--duration", "0.5", *words)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told in err


def test_a_wrong_filter_is_pointed_at(link):
    _, told = (process := link.tcpkit("capture", "-i", link.far, "-f", "tcp prot 80")).communicate(timeout=60)
    assert process.returncode == 2
    assert re.search(r"\n  tcp prot 80\n +\^\^\^\^", told)


def test_rotation_without_a_file(link):
    _, told = (process := link.tcpkit("capture", "-i", link.far, "--ring", "3:1M")).communicate(timeout=60)
    assert process.returncode == 2
    assert "name them with -w" in told


def test_no_such_interface(link):
    _, told = (process := link.tcpkit("capture", "-i", "nosuch0")).communicate(timeout=60)
    assert process.returncode == 2
    assert told == "tcpkit: nosuch0: there is no such interface; `tcpkit interfaces` lists them\n"


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_without_permission(link):
    powerless = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    done = subprocess.run([*powerless, sys.executable, "-m", "tcpkit", "capture", "-i", "lo"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 2
    assert "capturing needs permission: run as root" in done.stderr


def test_the_ring_by_size_and_time(link, tmp_path):
    process = started(link, "-w", str(tmp_path / "ring.pcap"), "--ring", "3:15k:2s")
    in_bursts(link, segments(120))
    _, told = interrupt(process)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == 3
    assert all(re.fullmatch(r"ring_\d{5}\.pcap", name) for name in kept)
    numbers = [int(name[5:10]) for name in kept]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert all(name in told for name in kept)
    last = [int(tcpkit.open(tmp_path / name).packets.array["seq_raw"][-1]) for name in kept]
    assert last == sorted(last)
    assert last[-1] == 1_000_001 + 119 * 900
    if shutil.which("capinfos"):
        subprocess.run(["capinfos", *(tmp_path / name for name in kept)], check=True, capture_output=True)


def test_flows_are_listed_as_they_end_and_then_the_others(link):
    process = started(link, "--flows", "--format", "jsonl")
    ended = Conversation(sport=4001).handshake().c("FA", 1, 1).s("FA", 1, 2).c("A", 2, 2)
    link.send([frame.data for frame in ended.frames])
    assert '"client_port":4001' in process.stdout.readline()
    link.send(segments(1, sport=4002))
    time.sleep(0.5)
    out, _ = interrupt(process)
    assert '"client_port":4002' in out
    assert len(out.splitlines()) == 1


def test_of_connections_that_end_some_columns_are_listed(link):
    process = started(link, "--flows", "--columns", "server_port,client_port", "--format", "csv")
    link.send([frame.data for frame in Conversation(sport=4003).handshake().s("RA", 1, 1).frames])
    time.sleep(0.5)
    out, _ = interrupt(process)
    assert out.splitlines() == ["server_port,client_port", "60000,4003"]


def lossy_session():
    """A needless retransmission, which a D-SACK tells, and a reset; losses, reordering, retransmissions, a close."""
    other = Conversation(sport=4101).handshake()
    for clock in (7, 8):
        other.c("PA", 1, 1, 10, options=timestamps(clock, 1))
    other.s("A", 1, 11, options=sack((other.client_isn + 1, other.client_isn + 11))).s("RA", 1, 11)
    talk = Conversation(sport=4100, frames=other.frames, time=other.time).handshake()
    for i in range(0, 3000, 100):
        order = (i + 50, i) if i % 400 == 0 else (i, i + 50)
        for at in order:
            if i % 700:
                talk.c("PA", 1 + at, 1, 50)
        talk.s("A", 1, 1 + (i if i % 700 else max(i - 100, 0)))
        if i % 700 == 0:
            talk.c("PA", 1 + i, 1, 100).s("A", 1, 101 + i)
    talk.c("FA", 3001, 1).s("A", 1, 3002).s("FA", 1, 3002).c("A", 3002, 2)
    return [frame.data for frame in talk.frames]


@pytest.mark.parametrize(("sender", "interface"), [("near", "far"), ("lo", "lo")])
def test_a_session_reports_what_its_file_reports(link, tmp_path, sender, interface):
    frames = lossy_session()
    path = tmp_path / "live.pcapng"
    process = subprocess.Popen(["ip", "netns", "exec", link.name, sys.executable, "-c", SAVES, interface, str(path),
                                str(len(frames))])
    link.wait_for_capture(process)
    in_bursts(link, frames, sender)
    assert process.wait(timeout=60) == 0
    read, live = tcpkit.open(path), np.load(f"{path}.npz")
    first_verdicts = np.concatenate([table.array for table in read.batches()])
    assert_same_rows(live["packets"], first_verdicts)
    assert_same_rows(live["flows"], read.judged_flows.array)
    assert live["states"]["client_state"].tolist() == read.states.array["client_state"].tolist()
    assert np.count_nonzero(live["packets"]["kind"] > 1) > 5
    assert_same_rows(corrected(live["packets"], live["changes"]), read.packets.array)


def assert_same_rows(rows, expected):
    """But for where they lie in the file."""
    assert rows.dtype == expected.dtype
    for name in expected.dtype.names:
        if not name.endswith("_offset"):
            np.testing.assert_array_equal(rows[name], expected[name], name)


def corrected(rows, changes):
    """The last verdicts."""
    assert len(changes)
    for change in changes:
        for name in set(VERDICT.names) - {"reserved"}:
            rows[name][rows["frame"] == change["frame"]] = change[name]
    return rows


def test_a_name_with_control_characters_does_not_steer_the_terminal():
    with wire(far="e\x1b[31mx") as link:
        process = link.tcpkit("capture", "-i", link.far, "--duration", "0.5")
        texts = process.communicate(timeout=60)
        texts += link.tcpkit("interfaces").communicate(timeout=60)
        texts += link.tcpkit("capture", "-i", "a\x1b[31m").communicate(timeout=60)
    assert "\\x1b[31mx" in "".join(texts)
    assert "\x1b" not in "".join(texts)


@pytest.mark.parametrize("end", [("link", "del", "near"), ("link", "set", "far", "down")])
def test_an_interface_that_goes(tmp_path, end):
    path = tmp_path / "gone.pcap"
    with wire() as link:
        process = started(link, "-w", str(path))
        in_bursts(link, segments(5))
        link.run("ip", *end)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"far: (?!at byte).*(went down|is down|disappeared|No such device).*; ", told)
    assert "8 frames captured" in told
    assert len(tcpkit.open(path).packets) == 8


def test_captures_with_the_same_number_share_connections(link):
    both = [started(link, "--flows", "--format", "jsonl", "--fanout", "17") for _ in range(2)]
    time.sleep(0.3)                                 # until they share
    frames = [frame.data for port in range(4200, 4232)
              for frame in Conversation(sport=port).handshake().c("PA", 1, 1, 10).s("A", 1, 11).frames]
    link.send(frames)
    time.sleep(0.5)
    ports = []
    for process in both:
        out, told = interrupt(process)
        assert out.count('"packets_client":3,"packets_server":2') == out.count("\n") > 0, told
        ports += re.findall(r'"client_port":(\d+)', out)
    assert sorted(map(int, ports)) == list(range(4200, 4232))
