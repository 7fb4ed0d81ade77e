"""Contents that become larger on their way: gzip undone, links that grow. However much comes of little, a slow reader
stops the source, memory stays small, and other callers of the worker are served."""
import contextlib
import fcntl
import gzip
import pathlib
import re
import struct
import subprocess
import termios
import threading
import time
import zlib

import pytest

import harness
from harness import Background, head_lines

MIB = 1 << 20
BOMB_SIZE = harness.count(240, 2048) * MIB
LIMIT_KIB = 1 << 10  # what a bomb may cost, at most


def bomb_of(size):
    """gzip of so many blanks, as JSON: a thousandth of them."""
    z = zlib.compressobj(9, wbits=31)
    block = b" " * MIB
    return b"".join(z.compress(block) for _ in range(size // MIB)) + z.flush()


@pytest.fixture(scope="module")
def bomb():
    return bomb_of(BOMB_SIZE)


class Server(harness.Recorder):
    """Sends .body, in one piece, to whoever asks for /bomb; then what .then says."""

    def __init__(self, pki, body, framing="length"):
        self.body, self.framing, self.then = body, framing, lambda c: None
        self.content_type = "application/json"
        super().__init__(pki, self._answer)

    def _answer(self, c, seen):
        if seen.target != "/bomb":
            c.reply(b"{}", fields="Content-Type: application/json\r\n")
            return
        n = len(self.body)
        field = {"length": f"Content-Length: {n}\r\n", "chunked": "Transfer-Encoding: chunked\r\n", "close": ""}
        c.send(f"HTTP/1.1 200 OK\r\nContent-Type: {self.content_type}\r\nContent-Encoding: gzip\r\n"
               f"{field[self.framing]}\r\n")
        c.send(b"%x\r\n%s\r\n0\r\n\r\n" % (n, self.body) if self.framing == "chunked" else self.body)
        self.then(c)
        if self.framing == "close":
            c.end()


@pytest.fixture
def serve(pki, started):
    def start(*arguments, **keys):
        started.append(Server(pki, *arguments, **keys))
        return started[-1]
    return start


# ---- callers ----

def unread(sock):
    """Bytes that have come and were not read."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))[0]


def wait_until_stopped(*sockets):
    """Until nothing more comes for a while."""
    def stopped():
        before = [unread(s) for s in sockets]
        threading.Event().wait(0.3)
        return 0 not in before and [unread(s) for s in sockets] == before

    harness.eventually(stopped)


class Chunks:
    """The content of a chunked answer, as it comes, without keeping it."""

    def __init__(self, c):
        self.c, self.left, self.over = c, 0, False

    def read(self):
        """The next piece; b"" behind the last chunk."""
        if self.left == 0:
            self.left = int(self.c.read_until(b"\r\n"), 16)
            if self.left == 0:
                assert self.c.read_until(b"\r\n") == b""
                self.over = True
                return b""
        if not self.c.pending:
            assert self.c.fill(), f"ended {self.left} bytes early"
        piece, self.c.pending = self.c.pending[:self.left], self.c.pending[self.left:]
        self.left -= len(piece)
        if self.left == 0:
            assert self.c.read_exactly(2) == b"\r\n"
        return piece


def blanks_of(c):
    """How many there are in the answer's chunks; nothing else may be."""
    chunks, total = Chunks(c), 0
    while piece := chunks.read():
        assert not piece.strip(b" ")
        total += len(piece)
    return total


def ask_for_bomb(c, p, *fields):
    c.send(f"GET /bomb HTTP/1.1\r\nHost: localhost:{p.port}\r\n" + "".join(f"{f}\r\n" for f in fields) + "\r\n")


class Peak:
    """By how much the most memory that a process had has grown since."""

    def __init__(self, p):
        self.path = pathlib.Path(f"/proc/{p.process.pid}")
        (self.path / "clear_refs").write_text("5")
        self.before = self._now()

    def _now(self):
        return int(re.search(r"VmHWM:\s+(\d+)", (self.path / "status").read_text()).group(1))

    def wait_until_stable(self):
        def stable():
            before = self._now()
            threading.Event().wait(0.3)
            return self._now() == before

        harness.eventually(stable)

    def check(self):
        grown = self._now() - self.before
        assert grown < LIMIT_KIB, f"{grown} KiB more"


@pytest.fixture
def released(proxy, release):
    """A proxy of the release build, with one worker that has served: memory is judged on it."""
    def start(port, **keys):
        p = proxy(port, process={"binary": release}, workers="1", **keys)
        assert p.request(host=f"localhost:{p.port}").body == b"{}"
        return p
    return start


# ---- bombs ----

@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_bomb_and_a_caller_that_does_not_read(serve, released, bomb, framing):
    """It costs next to nothing, and all of it arrives in the end."""
    p = released(serve(bomb, framing).port)
    peak = Peak(p)
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        peak.check()
        c.read_until(b"\r\n\r\n")
        assert blanks_of(c) == BOMB_SIZE
        peak.check()
        assert c.request(host=f"localhost:{p.port}").body == b"{}"
    assert p.last_log(2)["out"] == str(BOMB_SIZE)


def test_many_bombs_at_once(serve, released, bomb):
    count = 20
    p = released(serve(bomb).port)
    peak = Peak(p)
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(p.caller()) for _ in range(count)]
        for c in callers:
            ask_for_bomb(c, p)
        wait_until_stopped(*(c.sock for c in callers))
        each = (peak._now() - peak.before) / count
        assert each < 450, f"{each} KiB for each"  # 364; if more were made of what nobody takes it would be 556


def take_quickly(c, begun):
    """All of a chunked answer; begun is set at its first bytes."""
    room, tail = bytearray(MIB), b""
    while not tail.endswith(b"\r\n0\r\n\r\n"):
        n = c.sock.recv_into(room)
        assert n > 0
        begun.set()
        tail = (tail + room[max(0, n - 20):n])[-20:]


@harness.one_worker
def test_other_callers_are_served_beside_a_bomb(serve, proxy, bomb):
    """However fast its caller takes it, answers that the proxy makes itself come in between: whoever asks at any moment
    of that time waits for a small part of it."""
    p, begun = proxy(serve(bomb).port), threading.Event()
    with p.caller() as c, p.caller() as other:
        ask_for_bomb(c, p)
        taking = Background(take_quickly, c, begun)
        harness.happened(begun)
        times = [time.monotonic()]
        while taking.runs():
            assert other.request(host="foreign.example").status == 421
            times.append(time.monotonic())
        taking.result()
    whole, waits = times[-1] - times[0], [b - a for a, b in zip(times, times[1:])]
    assert sum(wait * wait for wait in waits) / whole < whole / 4, (whole, len(waits), max(waits))


SMALL = 24 * MIB


@harness.one_worker
@pytest.mark.parametrize("then", ["stays", "ends", "is cut", "is reset"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_server_that_is_done_while_its_answer_is_held(serve, proxy, framing, then):
    """Whatever it does behind its last byte is no harm; only a body without any other end needs an end in order."""
    server = serve(bomb_of(SMALL), framing)
    server.then = {"stays": lambda c: None, "ends": lambda c: c.end(), "is cut": lambda c: c.cut(),
                   "is reset": lambda c: c.reset()}[then]
    p = proxy(server.port)
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        c.read_until(b"\r\n\r\n")
        if framing == "close" and then in ("is cut", "is reset"):
            with pytest.raises((AssertionError, EOFError)):
                blanks_of(c)
            assert p.last_log()["error"] == "answer-truncated"
            return
        assert blanks_of(c) == SMALL
        assert c.request(host=f"localhost:{p.port}").body == b"{}"
    assert "error" not in p.last_log() and p.last_log()["out"] == str(SMALL)
    kept = framing != "close" and then == "stays"
    assert len(server.connections) == (1 if kept else 2)


@harness.one_worker
def test_nothing_behind_a_held_answer_is_the_next_one(serve, proxy):
    """What the server sends too much while the rest of its answer is held."""
    server = serve(bomb_of(SMALL))
    server.then = lambda c: c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforeign")
    p = proxy(server.port)
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        c.read_until(b"\r\n\r\n")
        assert blanks_of(c) == SMALL
        assert c.request(host=f"localhost:{p.port}").body == b"{}"
    assert len(server.connections) == 2


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_caller_that_leaves_a_held_answer(serve, proxy, leave):
    p = proxy(serve(bomb_of(SMALL)).port)
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        getattr(c, leave)()
    assert p.last_log()["error"] == "caller-gone"


def test_server_of_a_held_answer_is_not_late(serve, proxy):
    """It has said all: the time until its caller takes the rest is the caller's."""
    p = proxy(serve(bomb_of(SMALL)).port, answer_timeout="2s")
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        threading.Event().wait(4)  # more than the server would have
        c.read_until(b"\r\n\r\n")
        assert blanks_of(c) == SMALL


def test_caller_that_never_takes_the_rest_of_a_held_answer(serve, proxy):
    p = proxy(serve(bomb_of(SMALL)).port, body_timeout="500ms")
    with p.caller() as c:
        ask_for_bomb(c, p)
        assert p.last_log()["error"] == "caller-stalled"


def test_old_caller_of_a_bomb(serve, proxy):
    p = proxy(serve(bomb_of(SMALL)).port)
    with p.caller() as c:
        c.send(head_lines("GET", "/bomb", version="HTTP/1.0"))
        wait_until_stopped(c.sock)
        c.read_until(b"\r\n\r\n")
        assert c.read_to_end() == b" " * SMALL


def test_damage_behind_what_is_held(serve, proxy):
    """It shows in the end: the answer is cut off."""
    p = proxy(serve(bomb_of(SMALL)[:-8] + bytes(8)).port)
    with p.caller() as c:
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        c.read_until(b"\r\n\r\n")
        with pytest.raises(EOFError):
            blanks_of(c)
    assert p.last_log()["error"] == "bad-answer"


def test_curl_and_a_bomb(serve, proxy, bomb):
    """At a pace of its own."""
    p = proxy(serve(bomb).port)
    ran = subprocess.run(["curl", "-sSN", "-m", "300", "--limit-rate", "100M", "-w", "%{stderr}%{size_download}",
                          "-o", "/dev/null", p.url("/bomb")], check=True, capture_output=True, text=True)
    assert ran.stderr == str(BOMB_SIZE)


# ---- links that grow ----

LONG = "a" * 60 + "." + "b" * 60 + "." + "c" * 60 + ".test"


def rows(link, count):
    return b"[" + b",".join(b'{"uri":"%s"}' % link for _ in range(count)) + b"]"


@pytest.mark.parametrize("framing", ["length", "close"])
def test_links_of_an_answer_that_grow(serve, released, pki, framing):
    """The caller's name for the proxy is much longer than the server's."""
    count = 300_000
    server = serve(b"", framing)
    here = f"https://localhost:{server.port}".encode()
    server.body = gzip.compress(rows(here, count), 1)
    p = released(server.port, host_names=LONG)
    peak = Peak(p)
    want = rows(f"http://{LONG}:{p.port}".encode(), count)
    with p.caller() as c:
        c.send(f"GET /bomb HTTP/1.1\r\nHost: {LONG}:{p.port}\r\n\r\n")
        wait_until_stopped(c.sock)
        peak.check()
        c.read_until(b"\r\n\r\n")
        chunks, at = Chunks(c), 0
        while piece := chunks.read():
            assert want[at:at + len(piece)] == piece
            at += len(piece)
        assert at == len(want)
        peak.check()


def unchunked(raw):
    content, at = [], 0
    while (end := raw.index(b"\r\n", at)) and (size := int(raw[at:end], 16)) > 0:
        content.append(raw[end + 2:end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(content)


def test_links_of_a_request_that_grow(script, proxy, tenant, release):
    """The server's name is much longer than the caller's for the proxy; the server takes nothing for a while."""
    may_read, seen, count = threading.Event(), [], 100_000
    name = ".".join(["s" * 60] * 3) + ".test"

    def reply(c):
        while (head := c.head()) and head.startswith(b"GET"):
            c.reply(b"{}")
        harness.happened(may_read)
        raw = bytearray(c.pending)
        while not raw.endswith(b"\r\n0\r\n\r\n"):
            raw += c.sock.recv(MIB)
        seen.append(unchunked(raw))
        c.reply(b"done")

    server = script(reply, certificate="server-long-name")
    p = proxy(tenant(server.port, server=f"{name}:{server.port}"), process={"binary": release}, workers="1",
              host_names="x")
    with p.caller() as c:
        assert c.request().body == b"{}"
        peak = Peak(p)
        body = rows(b"http://x", count)
        c.send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        sending = Background(c.send, body)
        peak.wait_until_stable()
        peak.check()
        may_read.set()
        sending.result()
        assert c.answer().body == b"done"
        peak.check()
    assert seen == [rows(f"https://{name}:{server.port}".encode(), count)]


def test_parts_of_a_batch_go_out_in_portions(serve, released):
    """A part is collected to get its lengths right; it is not held twice for that."""
    count = 128
    part = lambda n: (b"Content-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % n + b" " * n)
    body = b"".join(b"--b\r\n%s\r\n" % part(MIB // 4) for _ in range(count)) + b"--b--\r\n"
    server = serve(gzip.compress(body))
    server.content_type = "multipart/mixed; boundary=b"
    p = released(server.port)
    with p.caller() as c:
        ask_for_bomb(c, p)
        assert c.answer().body == body
        peak = Peak(p)
        ask_for_bomb(c, p)
        wait_until_stopped(c.sock)
        peak.check()
        assert c.answer().body == body


# ---- what one side has sent arrives before it sends more ----

ROOM = 64 * 1024  # what is decoded at once
PIECES = 512  # so many links are as many pieces as one write takes


def flushed_blanks():
    """Portions that end with all that comes of them, and what that is."""
    z = zlib.compressobj(9, wbits=31)
    for n in [times * ROOM + more for times in (1, 2, 4, 16) for more in (-1, 0, 1)] + [1, 20 * MIB]:
        yield z.compress(b" " * n) + z.flush(zlib.Z_SYNC_FLUSH), b" " * n


def cut_blanks():
    """Portions whose last byte makes more than there is room for: the decoder has that byte, and is not done."""
    coded, d = iter(bomb_of(40 * MIB)), zlib.decompressobj(wbits=31)
    for times in (1, 2, 4, 16, 100):
        portion, n = b"", 0
        while n <= times * ROOM:
            portion += bytes([next(coded)])
            n += len(d.decompress(portion[-1:]))
        yield portion, b" " * n


def members(here, there):
    """Portions of many links, and what comes of them."""
    for n in [*range(PIECES - 6, PIECES + 4), 1, 2 * PIECES, 20_000]:
        yield b'"uri":"%s/",' % here * n, b'"uri":"%s/",' % there * n


def take(c, n):
    """So many bytes of a content in chunks, and no more."""
    content = bytearray()
    while len(content) < n:
        while (end := c.pending.find(b"\r\n")) > 0 and len(c.pending) >= end + 4 + (size := int(c.pending[:end], 16)):
            content += c.pending[end + 2:end + 2 + size]
            c.pending = c.pending[end + 4 + size:]
        assert len(content) >= n or c.fill(), "it has ended"
    assert len(content) == n and c.pending == b""
    return content


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "X: ends with the connection"])
@pytest.mark.parametrize("make, coding", [(flushed_blanks, "gzip"), (cut_blanks, "gzip"), (members, "identity")])
def test_answer_in_portions(script, proxy, make, coding, framing):
    """The server waits each time until the caller has got all that it could get."""
    taken = threading.Semaphore(0)

    def reply(c):
        assert c.head()
        c.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\n{framing}\r\n\r\n")
        for portion, _ in portions:
            c.send(b"%x\r\n%s\r\n" % (len(portion), portion) if framing.startswith("T") else portion)
            assert taken.acquire(timeout=harness.LIMIT)

    server = script(reply)
    p = proxy(server.port)
    own = f"https://localhost:{server.port}".encode(), f"http://localhost:{p.port}".encode()
    portions = list(make(*own if make is members else ()))
    with p.caller() as c:
        c.send(f"GET / HTTP/1.1\r\nHost: localhost:{p.port}\r\n\r\n")
        c.read_until(b"\r\n\r\n")
        for _, want in portions:
            assert take(c, len(want)) == want
            taken.release()


def test_request_in_portions(script, proxy):
    taken = threading.Semaphore(0)

    def reply(c):
        assert c.head()
        for _, want in portions:
            assert take(c, len(want)) == want
            taken.release()
        assert c.read_until(b"\r\n\r\n") == b"0\r\n\r\n"
        c.reply(b"done")

    server = script(reply)
    p = proxy(server.port)
    portions = list(members(f"http://localhost:{p.port}".encode(), f"https://localhost:{server.port}".encode()))
    with p.caller() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: localhost:{p.port}\r\nContent-Type: application/json\r\n"
               "Transfer-Encoding: chunked\r\n\r\n")
        for portion, _ in portions:
            c.send(b"%x\r\n%s\r\n" % (len(portion), portion))
            assert taken.acquire(timeout=harness.LIMIT)
        c.send(b"0\r\n\r\n")
        assert c.answer().body == b"done"
