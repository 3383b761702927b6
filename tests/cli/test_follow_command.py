"""``tcpkit follow``: one stream in every form, and all streams into files."""
import io

import pytest

import tcpkit
from packets import Conversation as Talk
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpcore.follow import Follower
from tcpkit.follow import Conversation
from tcpkit.stream_scan import scan_streams

ASK, ANSWER = b"GET /\x1b[2J\r\n", bytes(range(200))


@pytest.fixture
def path(tmp_path):
    talk = Talk().handshake()
    talk.c("PA", 1, 1, ASK).s("PA", 1, 1 + len(ASK), ANSWER[:120]).s("PA", 121, 1 + len(ASK), ANSWER[120:])
    talk.c("A", 1 + len(ASK), 201).c("A", 50, 201, b"after a hole").s("A", 201, 62).s("A", 201, 62)
    talk.sport += 1
    talk.handshake().c("PA", 1, 1, b"other")
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.pcap())
    return path


@pytest.fixture
def run(cli):
    def run(*arguments, status=0):
        done = cli(*arguments)
        assert done.status == status
        return done
    return run


MISSING = b"[%d bytes missing in capture file]\0" % (49 - len(ASK))


def test_raw_bytes_of_either_side_or_both(run, path, tmp_path):
    assert run("follow", path, 0, "--client", "--raw").out == ASK + MISSING + b"after a hole"
    assert run("follow", path, 0, "--server", "--raw").out == ANSWER
    run("follow", path, 0, "--raw", "-o", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == ASK + ANSWER + MISSING + b"after a hole"


def test_text_cannot_steer_a_terminal(run, path):
    text = run("follow", path, 0).out
    assert b"GET /.[2J\n" in text
    assert b"\x1b" not in text


def test_hex_indents_the_server(run, path):
    lines = run("follow", path, 0, "--hex").out.splitlines()
    assert lines[0] == b"00000000  47 45 54 20 2f 1b 5b 32 4a 0d 0a" + b" " * 17 + b"GET /.[2J.."
    assert lines[1].startswith(b"    00000000  00 01 02")
    assert b"    00000078  78 79 7a" in b"\n".join(lines)


def test_what_waits_is_bounded():
    talk = Talk().handshake()
    for turn in range(9):
        talk.c("PA", 11 + 10 * turn, 1, bytes([65 + turn]) * 10)
    chunks = followed(talk, limit=50)
    assert chunks[0] == (0, b"[10 bytes missing in capture file]\0")
    assert b"".join(data for _, data in chunks[1:]) == b"".join(bytes([65 + turn]) * 10 for turn in range(9))


def test_what_waits_in_small_pieces_is_bounded_by_what_they_take():
    talk = Talk().handshake()
    for turn in range(100):
        talk.c("PA", 11 + turn, 1, b"x")
    assert followed(talk, limit=1 << 20) == []
    assert followed(talk, limit=10_000)[0] == (0, b"[10 bytes missing in capture file]\0")


def followed(talk: Talk, *, limit: int) -> list[tuple[int, bytes]]:
    follower, chunks = Follower(0, limit=limit), []
    reader, decoder, table, batch = Reader(io.BytesIO(talk.pcap())), Decoder(), FlowTable(), Batch()
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        chunks += follower.process(batch)
    return chunks


def test_tsharks_report(run, path):
    report = run("follow", path, 1, "--tshark").out
    assert report == (b"\n" + b"=" * 67 + b"\nFollow: tcp,raw\nFilter: tcp.stream eq 1\nNode 0: 10.0.0.1:50001\n"
                      b"Node 1: 10.0.0.2:60000\n6f74686572\n" + b"=" * 67 + b"\n")


def test_a_stream_that_is_not_there(run, path):
    assert b"no stream 7" in run("follow", path, 7, status=2).err


@pytest.mark.parametrize("way", ["--text", "--hex", "--raw", "--tshark"])
def test_a_stream_that_is_not_there_leaves_the_file(run, path, tmp_path, way):
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    run("follow", path, 7, way, "-o", kept, status=2)
    assert kept.read_bytes() == b"kept"


@pytest.mark.parametrize("arguments", [(), ("--all",), ("0", "--client", "--server"), ("0", "--raw", "--hex"),
                                       ("0", "--tshark", "--client"),
                                       ("0", "--all", "-o", "x")])
def test_options_that_do_not_go_together(run, path, arguments):
    run("follow", path, *arguments, status=2)


def test_which_frame_carries_which_bytes(run, path):
    lines = [line.split() for line in run("follow", path, 0, "--parts").out.decode().splitlines()]
    assert lines == [
        ["sender", "frame", "first", "last", "bytes"],
        ["client", "4", "0", "10", "11"],
        ["server", "5", "0", "119", "120"], ["server", "6", "120", "199", "80"], ["200", "in", "all"],
        ["client", "unseen", "11", "48", "38"], ["client", "8", "49", "60", "12"], ["50", "in", "all"]]
    sent = [line.split()[0] for line in run("follow", path, 0, "--parts", "--server").out.decode().splitlines()]
    assert sent == ["sender", "server", "server", "200"]


def test_parts_of_a_stream_without_any_or_that_is_none(run, tmp_path):
    (tmp_path / "silent.pcap").write_bytes(Talk().handshake().pcap())
    assert run("follow", tmp_path / "silent.pcap", 0, "--parts").out.count(b"\n") == 1
    done = run("follow", tmp_path / "silent.pcap", 1, "--parts", "-o", tmp_path / "out", status=2)
    assert b"there is no stream 1" in done.err
    assert not (tmp_path / "out").exists()


def test_all_streams_into_files(run, path, tmp_path):
    directory = tmp_path / "out"
    assert b"3 files" in run("follow", path, "--all", "-o", directory).err
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == {
        "00000-client-10.0.0.1_50000-10.0.0.2_60000": ASK + MISSING + b"after a hole",
        "00000-server-10.0.0.2_60000-10.0.0.1_50000": ANSWER,
        "00001-client-10.0.0.1_50001-10.0.0.2_60000": b"other"}


def test_files_that_are_reopened_go_on(tmp_path, monkeypatch):
    from tcpkit import stream_files

    monkeypatch.setattr(stream_files, "OPEN_FILES", 1)
    talk = Talk(client="fd00::1", server="fd00::2").handshake()
    for turn in range(5):
        talk.c("PA", 1 + turn, 1 + turn, b"c").s("PA", 1 + turn, 2 + turn, b"s")
    (tmp_path / "v6.pcap").write_bytes(talk.pcap())
    files = stream_files.StreamFiles(tmp_path / "out")
    files.write(scan_streams(tmp_path / "v6.pcap"))
    assert (tmp_path / "out" / "00000-client-fd00..1_50000-fd00..2_60000").read_bytes() == b"ccccc"
    assert (tmp_path / "out" / "00000-server-fd00..2_60000-fd00..1_50000").read_bytes() == b"sssss"


def test_a_conversation_can_be_read_again(path):
    conversation = Conversation(tcpkit.open(path), 0)
    assert list(conversation) == list(conversation) != []
    assert b"".join(conversation.report()) == b"".join(conversation.report())
