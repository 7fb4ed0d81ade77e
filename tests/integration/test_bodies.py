"""Bodies in both directions: framing, trailers, truncation, streaming, back-pressure, order."""
import contextlib
import hashlib
import os
import re
import select
import socket
import ssl
import subprocess
import threading
import time

import pytest

import harness
from harness import Background, arrived, happened, head_lines

BLOCK = 1 << 16
BULK = 128 << 20  # far more than all queues between the two ends may hold


def chunked(*pieces, trailers=""):
    coded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return coded + b"0\r\n" + trailers.encode() + b"\r\n"


def one_by_one(send, data):
    for i in range(len(data)):
        send(data[i:i + 1])


def at_once(send, data):
    send(data)


# ---- what a scripted server does ----

def field_of(head, name):
    found = re.findall(rb"(?im)^%s:[ \t]*(.*?)\r?$" % name.encode(), head)
    assert len(found) < 2, head
    return found[0].decode() if found else None


def read_chunked(c):
    """One chunked body: content and trailer lines."""
    content = b""
    while True:
        line = c.read_until(b"\r\n")
        assert re.fullmatch(rb"[0-9a-fA-F]+\r\n", line), f"no plain chunk size: {line}"
        size = int(line, 16)
        if size == 0:
            break
        content += c.body(size)
        assert c.body(2) == b"\r\n"
    trailers = []
    while (line := c.read_until(b"\r\n")) != b"\r\n":
        trailers.append(line[:-2].decode())
    return content, trailers


def read_request(c):
    """The next request's head, content and trailer lines; None at the end."""
    head = c.head()
    if head is None:
        return None
    if field_of(head, "transfer-encoding"):
        assert field_of(head, "content-length") is None
        return (head, *read_chunked(c))
    return head, c.body(int(field_of(head, "content-length") or 0)), []


def serving(reply):
    """A script that calls reply(connection, head, content, trailers) for each request."""

    def run(c):
        while (request := read_request(c)) is not None:
            reply(c, *request)

    return run


def forgiving(run):
    """The same script, for tests in which a connection may be cut."""

    def forgive(c):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            run(c)

    return forgive


def read_raw_chunks(c):
    """All of a chunked body, as raw bytes; quicker than read_chunked()."""
    raw, c.pending = bytearray(c.pending), b""
    while not raw.endswith(b"\r\n0\r\n\r\n"):
        data = c.sock.recv(1 << 20)
        assert data, "ended early"
        raw += data
    return bytes(raw)


def digest_of_chunks(raw):
    digest, at = hashlib.sha256(), 0
    while True:
        end = raw.index(b"\r\n", at)
        size = int(raw[at:end], 16)
        digest.update(raw[end + 2:end + 2 + size])
        at = end + 2 + size + 2
        assert raw[at - 2:at] == b"\r\n"
        if size == 0:
            assert at == len(raw)
            return digest.hexdigest()


def send_head(c, *fields, status="200 OK"):
    c.send("\r\n".join([f"HTTP/1.1 {status}", *(field for field in fields if field), "", ""]))


def read_on(c, total):
    """Takes total bytes without keeping them; their digest."""
    digest = hashlib.sha256(c.pending)
    left, c.pending = total - len(c.pending), b""
    while left > 0:
        data = c.sock.recv(min(left, 1 << 20))
        assert data, f"ended {left} bytes early"
        digest.update(data)
        left -= len(data)
    return digest.hexdigest()


class Noise:
    """So many bytes, the same each time they are read; and their digest."""

    def __init__(self, total):
        self.total, self.block = total, os.urandom(1 << 20)
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        self.digest = digest.hexdigest()

    def pieces(self):
        left = self.total
        while left > 0:
            yield memoryview(self.block)[:min(left, len(self.block))]
            left -= len(self.block)


class Watched:
    """A script for one connection: reads a head and what is expected of the body, then tells how
    the connection ended and what came until then."""

    def __init__(self, first=b""):
        self.first, self.begun, self.over = first, threading.Event(), threading.Event()
        self.rest = self.how = None

    def __call__(self, c):
        assert c.head() is not None
        assert c.body(len(self.first)) == self.first
        self.begun.set()
        self.how = c.at_end()
        self.rest = c.pending
        self.over.set()

    def saw_abort(self):
        """Cut off: no close_notify, and the body has not become whole."""
        happened(self.over)
        return self.how in ("cut", "reset") and not self.rest.endswith(b"0\r\n\r\n")


# ---- requests ----

CRLF = "\r\n"
CONTENT = b"The quick brown fox\r\n0\r\n\r\njumps over \x00\xff the lazy dog."
LENGTH = f"Content-Length: {len(CONTENT)}"
CHUNKED = "Transfer-Encoding: chunked"
REQUEST_BODIES = {
    "length": (LENGTH, CONTENT, CONTENT),
    "length 0": ("Content-Length: 0", b"", b""),
    "one chunk": (CHUNKED, chunked(CONTENT), CONTENT),
    "chunks of one byte": (CHUNKED, chunked(*(bytes([b]) for b in CONTENT * 5)), CONTENT * 5),
    "odd chunks": (CHUNKED, chunked(b"x" * 8191, b"y" * 16385, b"z" * 65537, b"1"),
                   b"x" * 8191 + b"y" * 16385 + b"z" * 65537 + b"1"),
    "nothing in chunks": (CHUNKED, chunked(), b""),
    "zeros and capitals": ("Transfer-Encoding: Chunked", b"0000001A\r\n" + b"a" * 26 + b"\r\n000\r\n\r\n", b"a" * 26),
    "extensions": (CHUNKED, b"3;a=b;c=\"d;e\"\r\nabc\r\n2 ;x\r\nde\r\n0;last\r\n\r\n", b"abcde"),
}


@pytest.mark.parametrize("name", REQUEST_BODIES)
def test_request_body_arrives_whole(proxy, script, name):
    """Its framing stays of its kind; chunk extensions go."""
    field, raw, content = REQUEST_BODIES[name]
    seen = []

    def keep(c, head, content, trailers):
        seen.append((field_of(head, "transfer-encoding"), field_of(head, "content-length"), content, trailers))
        c.reply(b"done")

    p = proxy(script(serving(keep)).port)
    with p.caller() as c:
        for _ in range(2):  # the second time on connections that were used
            c.send(head_lines("POST", "/", field).encode() + raw)
            assert c.answer().body == b"done"
    framing = (None, str(len(content))) if field.startswith("Content") else ("chunked", None)
    assert seen == [(*framing, content, [])] * 2
    assert p.last_log(2)["in"] == str(len(content))


SPLIT_REQUESTS = {
    "length": head_lines("POST", "/", "Content-Length: 5").encode() + b"hello",
    "chunked": head_lines("POST", "/", CHUNKED).encode() + chunked(b"he", b"llo", trailers="X-End: 1\r\n"),
}


@pytest.mark.parametrize("name", SPLIT_REQUESTS)
def test_request_may_be_split_anywhere(proxy, script, name):
    """At each byte, and into single bytes."""
    raw, seen = SPLIT_REQUESTS[name], []

    def keep(c, head, content, trailers):
        seen.append(content)
        c.reply(b"done")

    p = proxy(script(serving(keep)).port)
    with p.caller() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(1, len(raw)):
            c.send(raw[:i]).send(raw[i:])
            assert c.answer().body == b"done"
        one_by_one(c.send, raw)
        assert c.answer().body == b"done"
    assert seen == [b"hello"] * len(raw)


NOT_FOR_TRAILERS = ["Content-Length: 3", "Transfer-Encoding: chunked", "Host: elsewhere", "Connection: close",
                    "Keep-Alive: timeout=1", "TE: trailers", "Trailer: X", "Upgrade: h2c", "Proxy-Connection: close",
                    "Proxy-Authorization: Basic eDp5", "Proxy-Status: sfmtls; error=dns_error; details=\"made-up\"",
                    "Authorization: Basic eDp5", "successfactors-companyid: OTHER",
                    "successfactors_companyid: OTHER", "X-CLIENT-CERT: MIIB", "Expect: 100-continue",
                    "Cookie: a=b", "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: MERGE",
                    "Max-Forwards: 0", "Range: bytes=0-1", "If-Range: \"x\"", "If-Match: *", "if-none-match: *",
                    "If-Modified-Since: x", "If-Unmodified-Since: x", "Cache-Control: no-cache", "Pragma: no-cache",
                    "Content-Type: text/plain", "Content-Encoding: gzip", "Content-Range: bytes 0-1/3",
                    "Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Accept-Encoding: br",
                    "Access-Control-Request-Method: PUT", "Destination: /x", "X-Original-URL: /x"]


def lines_of(fields):
    return "".join(line + "\r\n" for line in fields)


def trailers_seen(proxy, script, fields, sent, sections=lambda port: port):
    """What the server gets of these trailer lines, in a request with these head lines."""
    seen = []

    def keep(c, head, content, trailers):
        seen.append((content, trailers))
        c.reply(b"done")

    p = proxy(sections(script(serving(keep)).port))
    with p.caller() as c:
        c.send(head_lines("POST", "/", CHUNKED, *fields).encode() + chunked(b"abc", trailers=lines_of(sent)))
        assert c.answer().body == b"done"
        assert c.request().body == b"done"  # nothing of them was taken for a request
    (content, trailers), (_, _) = seen
    assert content == b"abc"
    return trailers


def test_trailers_of_a_request(proxy, script):
    """They pass, but for the strip list and what is needed before the content (RFC 9110, 6.5.1)."""
    sent = ["X-First: 1", *NOT_FOR_TRAILERS, "x-checksum:  abc ", "Content-MD5: x", "X-Last: z"]
    assert trailers_seen(proxy, script, ["Trailer: X-First"], sent) == ["X-First: 1", "x-checksum: abc",
                                                                        "Content-MD5: x", "X-Last: z"]


def test_connection_names_trailers_of_a_request(proxy, script):
    """RFC 9110, 7.6.1: remove any header or trailer fields with the name of a connection option."""
    assert trailers_seen(proxy, script, ["Connection: x-hop"], ["X-Hop: 1", "X-Last: z"]) == ["X-Last: z"]


def test_configured_header_replaces_the_callers_trailer(proxy, script, tenant):
    sent = ["X-Thing: theirs", "X-Last: z"]
    assert trailers_seen(proxy, script, [], sent,
                         lambda port: tenant(port, **{"header.X-Thing": "ours"})) == ["X-Last: z"]


@pytest.mark.parametrize("field, dropped", [
    ("X: y", ["Content-Length: 3", "Transfer-Encoding: gzip", "Connection: close", "Keep-Alive: max=1", "Trailer: X",
              "Proxy-Status: sfmtls; error=dns_error; details=\"name-not-found\"", "Set-Cookie: a=b",
              "Location: http://elsewhere.example/", "Link: </x>; rel=next", "WWW-Authenticate: Basic", "Age: 1",
              "Date: x", "Expires: 0", "Cache-Control: public", "Retry-After: 9", "Vary: *", "Warning: x",
              "Access-Control-Allow-Origin: *", "Content-Type: text/html", "Content-Encoding: gzip",
              "Sfmtls-Hint: made-up"]),
    ("Connection: X-Hop", ["x-hop: 1"]),
])
def test_trailers_of_an_answer(proxy, script, field, dropped):
    """To HTTP/1.1 without what speaks for this proxy or is needed before the content; to HTTP/1.0 none."""

    def reply(c, *_):
        send_head(c, CHUNKED, field)
        c.send(chunked(b"abc", trailers=lines_of(["X-First: 1", *dropped, "X-Last: z"])))

    p = proxy(script(serving(reply)).port)
    with p.caller() as c:
        for _ in range(2):
            answer = c.request()
            assert answer.complete and answer.body == b"abc"
            assert answer.trailers == b"X-First: 1\r\nX-Last: z\r\n"
    assert p.raw(head_lines(version="HTTP/1.0")).endswith(b"\r\n\r\nabc")


BROKEN_CHUNKS = {
    "no number": b"xyz\r\n", "empty size": b"\r\n", "negative": b"-1\r\n", "prefix": b"0x3\r\n",
    "LF behind the size": b"3\nabc\r\n", "junk behind the data": b"3\r\nabcX\r\n", "LF behind the data": b"3\r\nabc\n",
    "too large": b"10000000000000000\r\n", "wraps around": b"ffffffffffffffff\r\n", "junk behind the size": b"3 4\r\n",
    "LF in an extension": b"3;a\nb\r\nabc\r\n", "endless extension": b"3;" + b"a" * 20000 + b"\r\nabc\r\n",
    "endless size": b"0" * 20000 + b"3\r\nabc\r\n", "blank before the size": b" 3\r\nabc\r\n",
    "trailer without a name": b"0\r\n: x\r\n\r\n", "trailer with a blank in its name": b"0\r\nX : x\r\n\r\n",
    "folded trailer": b"0\r\nX: x\r\n y\r\n\r\n", "length with a blank in its name": b"0\r\nContent-Length : 1\r\n\r\n",
    "LF behind a trailer": b"0\r\nX: x\n\r\n", "NUL": b"0\r\nX: \0\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X: %s\r\n" % (b"x" * 1000) * 80 + b"\r\n",
    "very many trailers": b"0\r\n" + b"X: x\r\n" * 300 + b"\r\n",
}


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_broken_chunks_of_a_request(proxy, script, name):
    """400, and the server does not see a whole request."""
    server = Watched()
    p = proxy(script(server).port)
    with p.caller() as c:
        c.send(head_lines("POST", "/", CHUNKED).encode() + chunked(b"good")[:-5])
        happened(server.begun)
        c.send(BROKEN_CHUNKS[name] + b"0\r\n\r\n" + head_lines("GET", "/smuggled").encode())
        answer = c.answer()
        assert (answer.status, answer.token) == (400, "request-body")
        assert answer.get("Connection") == "close" and c.read_to_end() == b""
    assert server.saw_abort() and b"smuggled" not in server.rest
    assert p.last_log()["error"] == "request-body"


# A blank before the colon is refused in requests; in answers, a proxy takes it away (RFC 9112, 5.1).
FINE_IN_ANSWERS = "trailer with a blank in its name"


@pytest.mark.parametrize("name", [name for name in BROKEN_CHUNKS if "many" not in name and "endless" not in name and
                                  name != FINE_IN_ANSWERS])
def test_broken_chunks_of_an_answer(proxy, script, name):
    """They reach the caller as a truncated answer, never as a whole one."""

    def reply(c):
        assert read_request(c)
        send_head(c, CHUNKED)
        c.send(b"4\r\ngood\r\n" + BROKEN_CHUNKS[name] + b"0\r\n\r\n")
        c.at_end()

    p = proxy(script(reply).port)
    with p.caller() as c:
        answer = c.request()
        assert answer.status == 200 and not answer.complete
    with p.caller() as c, pytest.raises(ConnectionResetError):
        c.send(head_lines(version="HTTP/1.0")).read_to_end()
    assert {p.last_log(n)["error"] for n in (1, 2)} == {"bad-answer"}


# ---- answers ----

ANSWER_BODIES = {
    "length": (LENGTH, CONTENT, CONTENT),
    "length 0": ("Content-Length: 0", b"", b""),
    "one chunk": (CHUNKED, chunked(CONTENT), CONTENT),
    "chunks of one byte": (CHUNKED, chunked(*(bytes([b]) for b in CONTENT * 5)), CONTENT * 5),
    "odd chunks": REQUEST_BODIES["odd chunks"],
    "nothing in chunks": (CHUNKED, chunked(), b""),
    "extensions": (CHUNKED, b"3;a=b\r\nabc\r\n2  \r\nde\r\n0;last\r\n\r\n", b"abcde"),
    "until the end": (None, CONTENT, CONTENT),
    "nothing until the end": (None, b"", b""),
}


@pytest.mark.parametrize("send", [at_once, one_by_one])
@pytest.mark.parametrize("name", ANSWER_BODIES)
def test_answer_body_arrives_whole(proxy, script, name, send):
    """To HTTP/1.1 with its length or chunked; to HTTP/1.0 with its length or up to the end."""
    field, raw, content = ANSWER_BODIES[name]
    if send is one_by_one and len(raw) > 5000:
        raw, content = chunked(b"x" * 33, b"yy"), b"x" * 33 + b"yy"

    def reply(c):
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while read_request(c):
            send(c.send, f"HTTP/1.1 200 OK\r\n{field + CRLF if field else ''}X: y\r\n\r\n".encode() + raw)
            if field is None:
                return

    server = script(reply)
    p = proxy(server.port)
    with p.caller() as c:
        for _ in range(2):
            answer = c.request()
            assert answer.complete and answer.body == content and answer.get("X") == "y"
            framing = ("Content-Length", str(len(content))) if field and "Length" in field else (
                "Transfer-Encoding", "chunked")
            assert answer.get(framing[0]) == framing[1]
    assert len(server.connections) == (2 if field is None else 1)
    with p.caller() as c:
        answer = c.request(version="HTTP/1.0")
        assert answer.body == content and answer.get("Transfer-Encoding") is None
        assert c.is_closed()
    assert all(p.last_log(n)["out"] == str(len(content)) for n in (1, 2, 3))


TRUNCATED = {
    "length": ("Content-Length: 100", b"part"), "inside a chunk": (CHUNKED, b"64\r\npart"),
    "between chunks": (CHUNKED, b"4\r\npart\r\n"), "before the last line": (CHUNKED, b"4\r\npart\r\n0\r\n"),
    "in the trailers": (CHUNKED, b"4\r\npart\r\n0\r\nX: y\r\n"), "until the end": (None, b"part"),
}


@pytest.mark.parametrize("how", ["end", "cut", "reset"])
@pytest.mark.parametrize("name", TRUNCATED)
def test_truncated_answer_is_seen_as_truncated(proxy, script, name, how):
    """To HTTP/1.1 as a short length or as chunked without its end, to HTTP/1.0 as a reset."""
    field, raw = TRUNCATED[name]
    whole = field is None and how == "end"
    passed = threading.Semaphore(0)

    def reply(c):
        assert read_request(c)
        send_head(c, field)
        c.send(raw)
        assert passed.acquire(timeout=harness.LIMIT)
        getattr(c, how)()

    p = proxy(script(reply).port)
    for close in ((), ("Connection: close",)):
        with p.caller() as c:
            c.send(head_lines("GET", "/", *close))
            while b"part" not in c.pending:
                assert c.fill()
            passed.release()
            answer = c.answer()
            assert answer.body == b"part" and answer.complete == whole
    with p.caller() as c:
        c.send(head_lines(version="HTTP/1.0"))
        while b"part" not in c.pending:
            assert c.fill()
        passed.release()
        with contextlib.nullcontext() if whole else pytest.raises(ConnectionResetError):
            assert c.read_to_end().endswith(b"part")
    errors = [p.last_log(n).get("error") for n in (1, 2, 3)]
    assert errors == [None if whole else "answer-truncated"] * 3


BODILESS = {
    "HEAD, length": ("HEAD", "200 OK", "Content-Length: 1000"),
    "HEAD, chunked": ("HEAD", "200 OK", CHUNKED),
    "HEAD, neither": ("HEAD", "200 OK", "X: y"),
    "HEAD, 404": ("HEAD", "404 Not Found", "Content-Length: 9"),
    "204": ("GET", "204 No Content", "X: y"),
    "204 to DELETE": ("DELETE", "204 No Content", "X: y"),
    "304": ("GET", "304 Not Modified", "ETag: \"a\""),
    "304, length": ("GET", "304 Not Modified", "Content-Length: 1000"),
    "304, chunked": ("GET", "304 Not Modified", CHUNKED),
}


@pytest.mark.parametrize("name", BODILESS)
def test_answer_without_a_body(proxy, script, name):
    """Nothing is waited for behind its head, and both connections go on."""
    method, status, field = BODILESS[name]
    server = script(serving(lambda c, *_: send_head(c, field, status=status)))
    p = proxy(server.port)
    with p.caller() as c:
        for _ in range(3):
            answer = c.request(method)
            assert f"{answer.status} {answer.reason}" == status and answer.get("Connection") is None
            assert c.pending == b""
            if "Content-Length" in field:
                assert answer.get("Content-Length") == field.split(": ")[1]
    assert len(server.connections) == 1
    assert status.encode() in p.raw(head_lines(method, version="HTTP/1.0"))


ODD_ANSWERS = {
    "204 with a length": ("204 No Content", "Content-Length: 3", b"abc"),
    "204 with length and no body": ("204 No Content", "Content-Length: 3", b""),
    "204 with chunks": ("204 No Content", CHUNKED, chunked(b"abc")),
    "304 with a body": ("304 Not Modified", "Content-Length: 3", b"abc"),
    "more than its length": ("200 OK", "Content-Length: 2", b"okHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
    "more than its chunks": ("200 OK", CHUNKED, chunked(b"ok") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_connection_is_not_used_again_behind_an_odd_answer(proxy, script, name):
    """What the server sends too much never becomes part of the next answer (RFC 9112, 6.3)."""
    status, field, raw = ODD_ANSWERS[name]

    def reply(c, *_):
        if c.number == 0:
            c.send(f"HTTP/1.1 {status}\r\n{field}\r\n\r\n".encode() + raw)
        else:
            c.reply(b"fine")

    server = script(serving(reply))
    p = proxy(server.port)
    with p.caller() as c:
        assert c.request().status == int(status[:3])
        answer = c.request()
        assert (answer.status, answer.body) == (200, b"fine")
    assert len(server.connections) == 2


def test_interim_answers(proxy, script):
    """Each 1xx passes to HTTP/1.1, with its fields; HTTP/1.0 gets the final answer only."""

    def reply(c, *_):
        send_head(c, "Link: </a.css>; rel=preload", "Connection: X", "X: y", "Content-Length: 3",
                  status="103 Early Hints")
        send_head(c, status="102 Processing")
        send_head(c, "X-Odd: 1", status="199 Odd")
        c.reply(b"final")

    p = proxy(script(serving(reply)).port)
    with p.caller() as c:
        for _ in range(2):
            assert c.request().body == b"final"
            assert [i.status for i in c.interim] == [103, 102, 199]
            assert c.interim[0].fields == [("Link", "</a.css>; rel=preload")]
        c.send(head_lines(version="HTTP/1.0"))
        assert c.read_until(b"\r\n").startswith(b"HTTP/1.1 200") and c.read_to_end().endswith(b"final")


# ---- Expect: 100-continue ----

EXPECTS = head_lines("POST", "/", "Content-Length: 4", "Expect: 100-continue")


@pytest.mark.parametrize("framing", ["Content-Length: 4", CHUNKED])
def test_continue_is_the_servers(proxy, script, framing):
    """The caller is told to go on when the server says so, not before."""
    may_say, seen = threading.Event(), []

    def reply(c):
        while (head := c.head()) is not None:
            seen.append((field_of(head, "expect"), c.pending))
            happened(may_say)
            send_head(c, status="100 Continue")
            seen.append(c.body(4) if framing != CHUNKED else read_chunked(c)[0])
            c.reply(b"done")

    p = proxy(script(reply).port)
    with p.caller() as c:
        for _ in range(2):
            c.send(head_lines("POST", "/", framing, "Expect: 100-continue"))
            harness.eventually(lambda: len(seen) % 2 == 1)
            assert not select.select([c.sock], [], [], 0)[0]
            may_say.set()
            assert c.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
            c.send(b"body" if framing != CHUNKED else chunked(b"body"))
            assert c.answer().body == b"done"
            may_say.clear()
    assert seen == [("100-continue", b""), b"body"] * 2


def test_final_answer_instead_of_continue(proxy, script):
    """It passes at once; the body is not waited for, and what comes is no request."""

    def reply(c):
        assert c.head()
        c.reply(b"no", status="401 Unauthorized")
        ends.append(c.at_end())

    ends = []
    server = script(reply)
    p = proxy(server.port)
    for body in (b"", b"GET "):
        with p.caller() as c:
            answer = c.send(EXPECTS).answer()
            assert (answer.status, answer.body) == (401, b"no") and answer.get("Connection") == "close"
            c.send(body + head_lines("GET", "/smuggled").encode())
            assert c.read_to_end() == b""
    harness.eventually(lambda: len(ends) == 2)
    assert not any(b"smuggled" in c.bytes for c in server.connections)


def test_server_that_never_says_continue(proxy, script):
    """A caller that loses patience (RFC 9110, 10.1.1) sends its body, and that arrives."""
    head_came = threading.Event()

    def reply(c):
        assert c.head()
        head_came.set()
        c.reply(c.body(4))

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(EXPECTS)
        happened(head_came)
        assert c.send("body").answer().body == b"body"


def test_server_and_caller_that_wait_for_each_other(proxy, script):
    """That is the server's time, not the caller's: 504, not 408."""
    server = Watched()
    p = proxy(script(server, tickets=0).port, answer_timeout="500ms", body_timeout="100ms")
    with p.caller() as c:
        answer = c.send(EXPECTS).answer()
        assert (answer.status, answer.token) == (504, "answer-timeout")
    assert server.saw_abort()


def test_http_1_0_cannot_expect(proxy, script):
    """RFC 9110, 10.1.1: the field is ignored there, and not passed on."""

    def reply(c, head, content, trailers):
        assert field_of(head, "expect") is None
        c.reply(content)

    p = proxy(script(serving(reply)).port)
    got = p.raw(head_lines("POST", "/", "Content-Length: 4", "Expect: 100-continue", version="HTTP/1.0") + "body")
    assert got.startswith(b"HTTP/1.1 200") and got.endswith(b"\r\n\r\nbody")


# ---- answers that come early ----

def reads_on(c, over):
    c.at_end()


def stops_reading(c, over):
    happened(over)


def ends(c, over):
    arrived(c.sock)  # closing earlier, with input unread, would destroy the answer on this side
    c.end()


def cuts(c, over):
    arrived(c.sock)
    c.cut()


def resets(c, over):
    arrived(c.sock)
    c.reset()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("then", [reads_on, stops_reading, ends, cuts, resets])
def test_answer_before_the_upload_ends(proxy, script, then, version):
    """The caller gets it whole, whatever the server does next, and its connection ends in order."""
    over = threading.Event()

    def reply(c):
        assert c.head()
        c.body(100_000)
        c.reply(b"too much" * 100, status="413 Content Too Large")
        with contextlib.suppress(OSError):
            then(c, over)

    def upload(c):
        for _ in range(16 << 20 >> 16):
            c.sock.sendall(bytes(BLOCK))

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines("POST", "/", f"Content-Length: {16 << 20}", version=version))
        uploading = Background(upload, c)
        answer = c.answer()
        assert (answer.status, answer.body) == (413, b"too much" * 100)
        assert c.read_to_end() == b""
        uploading.result()
    over.set()
    assert p.last_log()["status"] == "413"


def test_answer_may_run_beside_the_upload(proxy, script):
    """Each part of the body comes back before the next one is sent."""

    def reply(c):
        assert c.head()
        send_head(c, CHUNKED)
        for _ in range(20):
            part = c.body(5)
            c.send(b"5\r\n%s\r\n" % part)
        c.send(b"0\r\n\r\n")

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines("POST", "/", "Content-Length: 100") + "00000")
        c.read_until(b"\r\n\r\n")
        for i in range(20):
            assert c.read_until(b"\r\n") == b"5" and c.read_until(b"\r\n") == b"%05d" % i
            if i < 19:
                c.send("%05d" % (i + 1))
        assert c.read_until(b"\r\n\r\n") == b"0"


# ---- callers that go away ----

def half_closes(c):
    c.sock.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionResetError):
        assert c.read_to_end() == b""


def closes(c):
    c.close()


def resets_connection(c):
    c.reset()


@pytest.mark.parametrize("leave", [half_closes, closes, resets_connection])
@pytest.mark.parametrize("framing", ["Content-Length: 10", CHUNKED])
def test_caller_that_leaves_in_mid_upload(proxy, script, framing, leave):
    """The server must see an abort: no close_notify, no complete body."""
    server = Watched(b"hello" if framing != CHUNKED else b"5\r\nhello\r\n")
    p = proxy(script(server).port)
    with p.caller() as c:
        c.send(head_lines("POST", "/", framing) + server.first.decode())
        happened(server.begun)
        leave(c)
    assert server.saw_abort()
    log = p.last_log()
    assert (log["error"], log["status"], log["in"]) == ("caller-gone", "0", "5")


def test_caller_that_leaves_while_the_server_takes_nothing(proxy, script):
    """An upload that was cut off does not become whole later, when the server goes on reading."""
    may_read, over, seen = threading.Event(), threading.Event(), []

    def reply(c):
        assert c.head()
        happened(may_read)
        total = len(c.pending)
        try:
            while data := c.sock.recv(1 << 20):
                total += len(data)
            seen.append(("end", total))
        except (ssl.SSLError, ConnectionError):
            seen.append(("abort", total))
        over.set()

    p = proxy(script(reply).port)
    c = p.caller()
    c.send(head_lines("PUT", "/", f"Content-Length: {BULK}"))
    fill_until_stopped(c.sock)
    c.reset()
    may_read.set()
    happened(over)
    assert seen[0][0] == "abort" and seen[0][1] < BULK
    assert p.last_log()["error"] == "caller-gone"


@pytest.mark.parametrize("leave", [closes, resets_connection])
@pytest.mark.parametrize("field", ["Content-Length: 1000000000", CHUNKED, None])
def test_caller_that_leaves_in_mid_download(proxy, script, field, leave):
    """The server is cut off too, instead of being read to its end."""
    over = threading.Event()

    def reply(c):
        assert c.head()
        send_head(c, field)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            while True:
                c.send(b"10000\r\n" + bytes(BLOCK) + b"\r\n")
        over.set()

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines())
        c.read_exactly(100_000)
        leave(c)
    happened(over)
    log = p.last_log()
    assert log["error"] == "caller-gone" and log["status"] == "200"


def test_caller_that_leaves_while_it_waits(proxy, script):
    server = Watched()
    p = proxy(script(server).port)
    c = p.caller()
    c.send(head_lines())
    happened(server.begun)
    c.reset()
    assert server.saw_abort()
    assert p.last_log()["error"] == "caller-gone"


@pytest.mark.parametrize("behind", [head_lines(), head_lines("POST", "/", f"Content-Length: {BULK}")])
def test_caller_that_leaves_is_noticed_though_nothing_of_it_is_read(proxy, script, behind):
    """Because its next request has to wait, or because the server takes no more of its upload."""
    over = threading.Event()

    def reply(c):
        assert c.head()
        happened(over)

    p = proxy(script(reply).port, drain_timeout="1s")
    c = p.caller()
    c.send(head_lines() + behind if "POST" not in behind else behind)
    fill_until_stopped(c.sock)
    c.reset()
    try:
        p.said("caller-gone")
    finally:
        over.set()


@pytest.mark.parametrize("request_", [head_lines(), head_lines(version="HTTP/1.0"),
                                      head_lines("POST", "/", "Content-Length: 4") + "body",
                                      head_lines("POST", "/", CHUNKED) + "4\r\nbody\r\n0\r\n\r\n"])
def test_caller_that_half_closes_gets_its_answer(proxy, script, request_):
    may_answer = threading.Event()

    def reply(c, head, content, trailers):
        happened(may_answer)
        c.reply(b"answer " + content)

    p = proxy(script(serving(reply)).port)
    with p.caller() as c:
        c.send(request_)
        c.sock.shutdown(socket.SHUT_WR)
        may_answer.set()
        answer = c.answer()
        assert answer.body == b"answer " + (b"body" if "body" in request_ else b"")
        assert c.read_to_end() == b""


def test_half_close_behind_several_requests(proxy, script):
    """All of them are answered, then the connection ends."""
    p = proxy(script(serving(lambda c, head, *_: c.reply(head.split(b" ")[1]))).port)
    got = p.raw("".join(head_lines("GET", f"/{i}") for i in range(5)))
    assert re.findall(rb"\r\n\r\n(/\d)", got) == [b"/%d" % i for i in range(5)]


# ---- streaming ----

@pytest.mark.parametrize("field, first, last", [("Content-Length: 8", b"fi", b"rst st"), (None, b"fi", b"rst st"),
                                                (CHUNKED, b"2\r\nfi\r\n", b"6\r\nrst st\r\n0\r\n\r\n")])
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_answer_is_streamed(proxy, script, field, first, last, version):
    """Its first bytes are with the caller before the server has sent its last."""
    came = threading.Event()

    def reply(c):
        assert c.head()
        send_head(c, field)
        c.send(first)
        happened(came)
        c.send(last)

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines(version=version))
        while not re.search(rb"\r\n\r\n.*fi", c.pending, re.S):
            assert c.fill()
        came.set()
        answer = c.answer()
        assert answer.body == b"first st" and answer.complete


@pytest.mark.parametrize("field, first, last", [("Content-Length: 8", b"fi", b"rst st"),
                                                (CHUNKED, b"2\r\nfi\r\n", b"6\r\nrst st\r\n0\r\n\r\n")])
def test_upload_is_streamed(proxy, script, field, first, last):
    """Its first bytes are with the server before the caller has sent its last."""
    came = threading.Event()

    def reply(c):
        assert c.head()
        assert c.body(len(first)) == first
        came.set()
        assert c.body(len(last)) == last
        c.reply(b"done")

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines("PUT", "/", field).encode() + first)
        happened(came)
        assert c.send(last).answer().body == b"done"


# ---- large bodies ----

@pytest.fixture(scope="module")
def store(pki, tmp_path_factory):
    """An nginx that serves and takes files under mutual TLS; /small takes no large ones."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "files/put").mkdir(parents=True)
    (folder / "files/small").mkdir()
    server = harness.Nginx(folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        root {folder}/files; dav_methods PUT;
        location /small {{ client_max_body_size 1k; }}""")
    server.files = folder / "files"
    yield server
    server.stop()


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


LARGE = harness.count(8 << 20, 1 << 30)


@pytest.fixture
def large(tmp_path):
    """A large file, and its digest."""
    noise = Noise(LARGE)
    with open(tmp_path / "large", "wb") as f:
        for piece in noise.pieces():
            f.write(piece)
    return tmp_path / "large", noise.digest


def curl(*arguments):
    ran = subprocess.run(["curl", "-sS", "-m", "300", *map(str, arguments)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_large_download_with_curl_and_nginx(proxy, store, large, tmp_path):
    path, digest = large
    os.link(path, store.files / "large")
    try:
        curl("-o", tmp_path / "got", proxy(store.port).url("/large"))
    finally:
        (store.files / "large").unlink()
    assert digest_of(tmp_path / "got") == digest


@pytest.mark.parametrize("framing", [[], ["-H", CHUNKED]])
def test_large_upload_with_curl_and_nginx(proxy, store, large, framing):
    path, digest = large
    p = proxy(store.port)
    assert curl("-T", path, *framing, "-w", "%{http_code}", p.url("/put/large")) in ("201", "204")
    assert digest_of(store.files / "put/large") == digest
    assert p.last_log()["in"] == str(LARGE)
    (store.files / "put/large").unlink()


def test_nginx_that_refuses_a_large_upload(proxy, store, large):
    """curl sees nginx's 413, not a broken connection."""
    p = proxy(store.port)
    out = curl("-H", "Expect:", "-T", large[0], "-w", "%{http_code}", p.url("/small/file"))
    assert out.endswith("413") and "nginx" in out
    assert p.last_log()["status"] == "413"


@pytest.mark.parametrize("field", ["length", "chunked", None])
def test_large_download(proxy, script, field):
    noise = Noise(LARGE)

    def reply(c):
        assert c.head()
        send_head(c, {"length": f"Content-Length: {LARGE}", "chunked": CHUNKED, None: None}[field])
        for piece in noise.pieces():
            c.send(b"%x\r\n" % len(piece) if field == "chunked" else b"")
            c.sock.sendall(piece)
            c.send(b"\r\n" if field == "chunked" else b"")
        c.send(b"0\r\n\r\n" if field == "chunked" else b"")

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines(version="HTTP/1.0"))
        c.read_until(b"\r\n\r\n")
        assert read_on(c, LARGE) == noise.digest
        assert c.is_closed()


@pytest.mark.parametrize("size", [1, 1000, 65537])
def test_large_upload_in_chunks(proxy, script, size):
    """In chunks of any size, many of them in one segment."""
    noise, total = os.urandom(size), min(200_000, harness.count(8 << 20, 256 << 20) // size)
    chunk, many = b"%x\r\n%s\r\n" % (size, noise), max(1, (1 << 18) // size)
    seen = []

    def reply(c):
        assert c.head()
        seen.append(digest_of_chunks(read_raw_chunks(c)))
        c.reply(b"done")

    p = proxy(script(reply).port)
    with p.caller() as c:
        c.send(head_lines("PUT", "/", CHUNKED))
        for _ in range(total // many):
            c.send(chunk * many)
        c.send(chunk * (total % many) + b"0\r\n\r\n")
        assert c.answer().body == b"done"
    assert seen == [hashlib.sha256(noise * total).hexdigest()]


# ---- back-pressure ----

def is_stopped(sock):
    """It could not be written to for a while."""
    return not select.select([], [sock], [], 0.3)[1]


def fill_until_stopped(sock, data=bytes(BLOCK)):
    """Writes for as long as the other side takes it; the number of bytes."""
    sent = 0
    sock.setblocking(False)
    while sent < BULK and not is_stopped(sock):
        with contextlib.suppress(BlockingIOError):
            sent += sock.send(data)
    sock.settimeout(harness.LIMIT)
    return sent


class Growth:
    """By how much a process has grown since."""

    LIMIT_KIB = 40 << 10  # sanitizers take several bytes for each; without bounds it would be BULK

    def __init__(self, p):
        self.p, self.before = p, p.rss_kib()

    def check(self):
        grown = self.p.rss_kib() - self.before
        assert grown < self.LIMIT_KIB, f"{grown} KiB more"


@pytest.mark.parametrize("field", ["length", CHUNKED, None])
def test_slow_reader_stops_the_server(proxy, script, field):
    """What the caller does not take stays with the server; in the end all of it arrives."""
    noise, connections = Noise(BULK), []
    progress = [0]

    def reply(c):
        assert c.head()
        connections.append(c)
        send_head(c, f"Content-Length: {BULK}" if field == "length" else field)
        for piece in noise.pieces():
            c.sock.sendall((b"%x\r\n%s\r\n" % (len(piece), piece)) if field == CHUNKED else piece)
            progress[0] += len(piece)
        c.send(b"0\r\n\r\n" if field == CHUNKED else b"")

    p = proxy(script(reply).port)
    growth = Growth(p)
    with p.caller() as c:
        c.send(head_lines(version="HTTP/1.0"))
        c.read_until(b"\r\n\r\n")
        assert harness.eventually(lambda: is_stopped(connections[0].sock))
        assert progress[0] < BULK / 2
        growth.check()
        assert read_on(c, BULK) == noise.digest
        assert c.is_closed()
    growth.check()


def test_slow_server_stops_the_caller(proxy, script):
    may_read, seen = threading.Event(), []

    def reply(c):
        assert c.head()
        happened(may_read)
        seen.append(read_on(c, BULK))
        c.reply(b"done")

    p = proxy(script(reply).port)
    growth = Growth(p)
    with p.caller() as c:
        c.send(head_lines("PUT", "/", f"Content-Length: {BULK}"))
        sent = fill_until_stopped(c.sock)
        assert sent < BULK / 2
        growth.check()
        may_read.set()
        c.send(bytes(BULK - sent))
        assert c.answer().body == b"done"
    assert seen == [hashlib.sha256(bytes(BULK)).hexdigest()]
    growth.check()


def test_callers_of_slow_servers_keep_what_was_not_read(release, proxy, script):
    """Not even another read's worth is taken from each."""
    over = threading.Event()

    def read_nothing(c):
        assert c.head()
        happened(over)

    p = proxy(script(read_nothing).port, process={"binary": release}, workers="1")
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(p.caller()) for _ in range(8)]
        before = p.rss_kib()
        for c in callers:
            c.send(head_lines("PUT", "/", f"Content-Length: {BULK}"))
            assert fill_until_stopped(c.sock) < BULK
        each = (p.rss_kib() - before) / len(callers)
        over.set()
    assert each < 350, f"{each} KiB for each"  # 174; with another read it would be 530


def test_caller_that_pipelines_and_never_reads(proxy, script):
    """It gets no further requests served than its connection holds answers."""
    served, total = [], BULK >> 16
    body = os.urandom(BLOCK)

    def reply(c, head, *_):
        served.append(head)
        c.reply(body)

    p = proxy(script(serving(reply)).port)
    growth = Growth(p)
    with p.caller() as c:
        sending = Background(c.send, head_lines() * total)

        def count_is_stable():
            before = len(served)
            threading.Event().wait(0.3)
            return before and len(served) == before

        assert harness.eventually(count_is_stable)
        assert len(served) < total / 2
        growth.check()
        for _ in range(total):
            assert c.answer().body == body
        sending.result()
    assert len(served) == total


def read_steadily(c, size, seconds):
    """Takes size bytes twenty times a second, without a longer pause."""
    end, pause = time.monotonic() + seconds, threading.Event()
    total = 0
    while time.monotonic() < end:
        total += len(c.read_exactly(size))
        pause.wait(0.05)
    return total


def test_slow_but_steady_reader_is_not_cut_off(proxy, script):
    """body-timeout is for callers that pause."""
    size = 16 << 20
    p = proxy(script(forgiving(serving(lambda c, *_: c.reply(bytes(size))))).port, body_timeout="2s")
    with p.caller() as c:
        c.send(head_lines())
        c.read_until(b"\r\n\r\n")
        taken = read_steadily(c, 20_000, 5)
        read_on(c, size - taken)
    assert "error" not in p.last_log()


def content_in_flight(p):
    """How much of an answer leaves the server while its caller reads nothing."""
    with p.caller() as c:
        c.send(head_lines("GET", f"/{BULK}"))
        p.said("caller-stalled")
    return int(p.last_log()["out"])


def test_slow_reader_gets_the_end_of_its_last_answer(proxy, script):
    """When the server is done and the rest waits for a caller that pauses, body-timeout holds as before."""

    def reply(c, head, *_):
        size = int(head.split()[1][1:])
        send_head(c, CHUNKED)
        c.send(b"%x\r\n%s\r\n0\r\n\r\n" % (size, bytes(size)))

    port = script(forgiving(serving(reply))).port
    in_flight = content_in_flight(proxy(port, body_timeout="500ms"))
    p = proxy(port, body_timeout="60s")
    sizes = range(in_flight - (256 << 10), in_flight + (256 << 10), 64 << 10)  # some end in the proxy's own queue
    with contextlib.ExitStack() as stack:
        callers = []
        for size in sizes:
            for version in ("HTTP/1.1", "HTTP/1.0"):
                c = stack.enter_context(p.caller())
                c.send(head_lines("GET", f"/{size}", "Connection: close", version=version))
                callers.append((version, size, c))
        threading.Event().wait(6)  # the callers have other things to do
        got = []
        for version, size, c in callers:
            answer = c.answer()
            got.append((version, size, len(answer.body), answer.complete))
    assert got == [(version, size, size, True) for version, size, _ in callers]


# ---- several requests on one connection ----

MIXED = [("GET", b"", False), ("POST", b"first body", False), ("HEAD", b"", False), ("POST", b"second", True),
         ("DELETE", b"", False), ("PUT", b"GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n", False), ("HEAD", b"", False),
         ("PATCH", b"0\r\n\r\n", True), ("OPTIONS", b"", False), ("GET", b"", False)]


def mixed_requests():
    raw = b""
    for i, (method, body, in_chunks) in enumerate(MIXED):
        field = [] if not body else [CHUNKED] if in_chunks else [f"Content-Length: {len(body)}"]
        raw += head_lines(method, f"/{i}", *field).encode() + (chunked(body) if in_chunks else body)
    return raw


@pytest.mark.parametrize("send", [at_once, one_by_one])
def test_pipelined_requests_are_answered_in_order(proxy, script, send):
    """Several in one segment, or in single bytes: with bodies, HEAD among them."""
    seen = []

    def reply(c, head, content, trailers):
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        seen.append((method.decode(), content))
        body = target + b" " + content
        if method == b"HEAD":
            send_head(c, f"Content-Length: {len(body)}")
        else:
            c.reply(body)

    server = script(serving(reply))
    p = proxy(server.port)
    with p.caller() as c:
        send(c.send, mixed_requests())
        for i, (method, body, _) in enumerate(MIXED):
            answer = c.answer(method)
            assert answer.status == 200 and answer.get("Connection") is None
            assert answer.body == (b"" if method == "HEAD" else b"/%d " % i + body)
    assert seen == [(method, body) for method, body, _ in MIXED]
    assert len(server.connections) == 1


@pytest.mark.parametrize("request_, served", [
    (head_lines("GET", "/1", "Connection: close"), True), (head_lines("GET", "/1", "Connection: x, CLOSE"), True),
    (head_lines("POST", "/1", "Connection: close", "Content-Length: 4") + "body", True),
    (head_lines("GET", "/1", version="HTTP/1.0"), True), ("BAD\r\n\r\n", False),
])
def test_nothing_is_served_behind_a_last_request(proxy, script, request_, served):
    """The connection ends in order, however much stands behind (RFC 9112, 9.6)."""
    seen = []

    def reply(c, head, *_):
        seen.append(head.split(b" ")[1])
        c.reply(b"last")

    p = proxy(script(serving(reply)).port)
    with p.caller() as c:
        sending = Background(c.send, request_ + head_lines("POST", "/2", "Content-Length: 1000000") + "x" * 1000000)
        answer = c.answer()
        assert answer.get("Connection") == "close"
        assert answer.body == b"last" if served else answer.token == "request-malformed"
        assert c.read_to_end() == b""
        sending.result()
    assert seen == [b"/1"] * served


def test_keep_alive_of_http_1_0(proxy, script):
    """It is said, and holds, if the caller asks and the length is known."""
    bodies = {b"/length": lambda c: c.reply(b"length"), b"/chunked": lambda c: (send_head(c, CHUNKED),
                                                                               c.send(chunked(b"chunks")))}
    p = proxy(script(serving(lambda c, head, *_: bodies[head.split(b" ")[1]](c))).port)
    with p.caller() as c:
        for _ in range(3):
            answer = c.request(target="/length", version="HTTP/1.0", fields=[("Connection", "keep-alive")])
            assert answer.body == b"length" and answer.get("Connection").lower() == "keep-alive"
        answer = c.request("HEAD", target="/length", version="HTTP/1.0", fields=[("Connection", "Keep-Alive")])
        assert answer.get("Connection").lower() == "keep-alive"
        c.pending = c.sock.recv(0)
        answer = c.request(target="/chunked", version="HTTP/1.0", fields=[("Connection", "keep-alive")])
        assert answer.body == b"chunks" and answer.get("Connection") == "close"
        assert c.is_closed()
    with p.caller() as c:
        answer = c.request(target="/length", version="HTTP/1.0")
        assert answer.get("Connection") == "close" and c.is_closed()
