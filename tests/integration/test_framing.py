"""Whatever a filter may change leaves with sound framing: each method, status, framing, media type and content coding
of an answer, damaged ones too, for each kind of caller and each way to configure a tenant.

The combinations are generated; a sample of them is tried in every run, all of them with SFMTLS_FULL. What has to come
out is worked out here, from the documentation, and is read by strict_reader."""
import contextlib
import gzip
import itertools
import json
import random
import re
import socket
import time
import zlib

import pytest

import harness
from conftest import proxy_section
from strict_reader import Flaw, Reader, goes_on

SEED = int(harness.setting("SEED", time.time_ns() % 1_000_000))
SHARES = harness.count(1, 16)  # of all combinations; each is a test of its own


# ---- contents ----

def json_text(link, server):
    """Where the server is named in the middle of a text, that stays."""
    rows = [{"__metadata": {"uri": link(f"/User('{i}')")}, "note": f"see {server}/x"} for i in range(20)]
    return json.dumps({"d": {"results": rows, "__next": link("/User?$skiptoken=1")}})


def xml_text(link, server):
    entries = f'<id>{link("/a")}</id><link href="{link("/b")}"/>' * 20
    return f'<feed xml:base="{link("/odata/")}">{entries}<p>{server}</p></feed>'


def batch_text(link, server):
    def part(head, content):
        return f"{head}\r\nContent-Length: {len(content)}\r\n\r\n{content}"

    one = part("Content-Type: application/http", part("HTTP/1.1 200 OK\r\nContent-Type: application/json",
                                                       json_text(link, server)))
    return f"--b_1\r\n{one}\r\n" * 3 + "--b_1--\r\n"


TYPES = {  # Content-Type: the text with its links, and whether it is rewritten
    "application/json": (json_text, True), "application/atom+xml;charset=utf-8": (xml_text, True),
    "multipart/mixed; boundary=b_1": (batch_text, True), "text/plain": (json_text, False), None: (json_text, False),
}


def deflated(data, wbits):
    z = zlib.compressobj(wbits=wbits)
    return z.compress(data) + z.flush()


def damaged(make, how):
    """The same content, cut off or with the wrong check value at its end."""
    return lambda data: how(make(data))


def flip(data):
    return data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]  # within the check value of gzip and of zlib


def raw(data):
    return deflated(data, -15)


def zipped(data):
    return gzip.compress(data, mtime=0)


SOUND = {  # what Content-Encoding says, and how the content is coded
    "none": (None, bytes), "gzip": ("gzip", zipped), "x-gzip": ("X-GZIP", zipped),
    "zlib": ("deflate", zlib.compress), "raw": ("deflate", raw),
    "two members": ("gzip", lambda data: zipped(data[:100]) + zipped(data[100:])),
    "padded": ("gzip", lambda data: zipped(data) + bytes(20)),
}
UNKNOWN = {"br": ("br", lambda data: b"\x8b" + data), "twice": ("gzip, gzip", lambda data: zipped(data))}
DAMAGED = {
    "gzip, cut": ("gzip", damaged(zipped, lambda data: data[:-9])),
    "gzip, cut in its head": ("gzip", damaged(zipped, lambda data: data[:7])),
    "gzip, checksum": ("gzip", damaged(zipped, flip)),
    "gzip, garbage": ("gzip", bytes), "zlib, cut": ("deflate", damaged(zlib.compress, lambda data: data[:-5])),
    "zlib, checksum": ("deflate", damaged(zlib.compress, lambda data: data[:-1] + bytes([data[-1] ^ 1]))),
    "raw, cut": ("deflate", damaged(raw, lambda data: data[:len(data) // 2])),
}
CODINGS = {**SOUND, **UNKNOWN, **DAMAGED}

# ---- the other dimensions ----

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
STATUSES = [200, 201, 204, 205, 206, 302, 304, 400, 401, 404, 412, 416, 429, 500, 503]
FRAMINGS = ["length", "length, empty", "chunked", "chunked, empty", "close", "close, empty"]
CALLERS = {  # version, Connection, and whether the caller waits for 100 (Continue)
    "1.0": ("HTTP/1.0", None, False), "1.0, keep-alive": ("HTTP/1.0", "keep-alive", False),
    "1.1": ("HTTP/1.1", None, False), "1.1, close": ("HTTP/1.1", "close", False), "expects": ("HTTP/1.1", None, True),
}
CONFIGS = ["rewriting", "off", "certificate-next", "callers-file"]
CREDENTIALS = "Basic dUBBQ01FOmh1bnRlcjI="  # u@ACME, hunter2
HASH = "$2y$04$txOjbA3LdSZGvYk7LmqlI.UQXXYVZm.pT2B76k77UfRfMSyLDaXLa"


class Case:
    """One combination; its number is in the request's path."""

    def __init__(self, number, method, status, framing, content_type, coding, caller, config):
        self.number, self.method, self.status, self.framing = number, method, status, framing
        self.content_type, self.coding, self.caller, self.config = content_type, coding, caller, config
        self.version, self.connection, self.expects = CALLERS[caller]
        self.asks_for_range = status in (206, 416)
        self.sends_body = method in ("POST", "PUT", "PATCH")
        self.body_kind = ("json", "chunked json", "text", "empty")[number % 4] if self.sends_body else None
        if self.expects and self.body_kind == "empty":
            self.body_kind = "json"

    def __str__(self):
        return (f"{self.method} {self.status} {self.framing} {self.content_type} {self.coding} to {self.caller} "
                f"({self.body_kind}), {self.config}")

    @property
    def empty(self):
        return "empty" in self.framing

    def has_content(self, status):
        return self.method != "HEAD" and status not in (204, 304)

    def makes_sense(self):
        """Combinations that differ in nothing from another one are left out."""
        if self.expects and not self.sends_body:
            return False
        if (self.empty or not self.has_content(self.status)) and self.coding not in ("none", "gzip", "br"):
            return False
        return self.coding not in DAMAGED or TYPES[self.content_type][1]


def all_cases():
    combinations = itertools.product(METHODS, STATUSES, FRAMINGS, TYPES, CODINGS, CALLERS, CONFIGS)
    return filter(Case.makes_sense, (Case(i, *c) for i, c in enumerate(combinations)))


def cases_of(share):
    if SHARES > 1:
        return list(itertools.islice(all_cases(), share, None, SHARES))
    return random.Random(SEED).sample(list(all_cases()), 600)


# ---- the server ----

class Server(harness.Recorder):
    """Answers a request for /CASE/... as that case says."""

    def __init__(self, pki):
        self.cases, self.requests = {}, {}
        super().__init__(pki, lambda c, seen: self._answer(c, seen))

    def _read(self, c):
        """A body that is announced is asked for."""
        while b"\r\n\r\n" not in c.pending:
            if not c.fill():
                return None
        if re.search(rb"(?im)^expect: 100-continue\r?$", c.pending.split(b"\r\n\r\n")[0]):
            c.send("HTTP/1.1 100 Continue\r\n\r\n")
        return super()._read(c)

    def url(self, path=""):
        return f"https://localhost:{self.port}{path}"

    def _answer(self, c, seen):
        case = self.cases[int(seen.target.split("/")[1])]
        self.requests.setdefault(case.number, []).append(seen)
        status = case.status if not case.asks_for_range or seen.all("Range") else 200
        _, coded = content_of(case, self.url, self.url())
        content = coded if not case.empty else b""
        framing = case.framing.split(",")[0]
        fields = {"length": [f"Content-Length: {len(content)}"], "chunked": ["Transfer-Encoding: chunked"],
                  "close": []}[framing]
        if case.content_type:
            fields.append(f"Content-Type: {case.content_type}")
        if CODINGS[case.coding][0]:
            fields.append(f"Content-Encoding: {CODINGS[case.coding][0]}")
        if status == 206:
            fields.append(f"Content-Range: bytes 0-{len(content)}/*")
        if status in (201, 302):
            fields.append(f"Location: {self.url('/there')}")
        c.send("\r\n".join([f"HTTP/1.1 {status} Said", 'ETag: "strong"', *fields, "", ""]))
        if case.has_content(status):
            c.send(content if framing != "chunked" else chunks_of(content))
        if framing == "close" and case.has_content(status):
            c.end()


def chunks_of(content):
    pieces = [content[i:i + 700] for i in range(0, len(content), 700)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def content_of(case, link, server):
    """Uncoded and as it is sent."""
    text = TYPES[case.content_type][0](link, server).encode()
    return text, CODINGS[case.coding][1](text)


# ---- what has to come out ----

class Expected:
    """Worked out from the documentation."""

    def __init__(self, case, server, home):
        _, coded = content_of(case, server.url, server.url())
        is_rewritten_type = TYPES[case.content_type][1] and case.coding not in UNKNOWN
        rewriting = case.config != "off"
        is_repeated = (rewriting and case.method in ("GET", "HEAD") and
                       (case.status == 416 or (case.status == 206 and is_rewritten_type)))
        range_goes = rewriting and case.method not in ("GET", "HEAD")
        self.requests = 2 if is_repeated else 1
        self.status = 200 if is_repeated or (case.asks_for_range and range_goes) else case.status
        self.is_rewritten = rewriting and is_rewritten_type
        self.is_cut = (self.is_rewritten and case.coding in DAMAGED and not case.empty and
                       case.has_content(self.status))
        self.body = b""
        if case.has_content(self.status) and not case.empty:
            self.body = content_of(case, home, server.url())[0] if self.is_rewritten else coded
        self.framing = self._framing(case)
        self.length = None
        if self.framing == "length":
            self.length = len(self.body)
        elif self.framing == "none" and case.framing.startswith("length") and self.status != 204:
            self.length = None if self.is_rewritten else 0 if case.empty else len(coded)
        self.location = None
        if self.status in (201, 302):
            self.location = (home if rewriting else server.url)("/there")

    def _framing(self, case):
        framing = case.framing.split(",")[0]
        if not case.has_content(self.status):
            return "none"
        if framing == "length" and (case.empty or not self.is_rewritten):
            return "length"
        return "chunked" if case.version == "HTTP/1.1" else "close"


def request_of(case, port):
    """Its head, and its body as it goes over the wire and as it is meant; the body's links lead to that port."""
    body = b""
    fields = [f"{case.method} /{case.number}/{case.config} {case.version}", f"Host: localhost:{port}"]
    if case.connection:
        fields.append(f"Connection: {case.connection}")
    if case.config == "callers-file":
        fields.append(f"Authorization: {CREDENTIALS}")
    if case.asks_for_range:
        fields += ["Range: bytes=0-", 'If-Range: "strong"']
    if case.sends_body:
        kind = "json" if case.body_kind == "chunked json" and case.version == "HTTP/1.0" else case.body_kind
        body = json.dumps({"__metadata": {"uri": f"http://localhost:{port}/{case.number}"}}).encode()
        body = b"" if kind == "empty" else body
        fields.append("Content-Type: " + ("text/plain" if kind == "text" else "application/json"))
        fields.append("Transfer-Encoding: chunked" if kind == "chunked json" else f"Content-Length: {len(body)}")
        if case.expects:
            fields.append("Expect: 100-continue")
        if kind == "chunked json":
            return "\r\n".join([*fields, "", ""]), chunks_of(body), body
    return "\r\n".join([*fields, "", ""]), body, body


def check_request(case, seen, body, server, port):
    """What the server got: the body with its links translated, its length exact where it was given."""
    rewriting, kind = case.config != "off", case.body_kind
    chunked = kind == "chunked json" and case.version == "HTTP/1.1"
    if rewriting and kind != "text":
        body = body.replace(f"http://localhost:{port}".encode(), server.url().encode())
    assert seen.body == body
    if case.sends_body:
        framing = (["chunked"], []) if chunked else ([], [str(len(body))])
        assert (seen.all("Transfer-Encoding"), seen.all("Content-Length")) == framing
    by_proxy = rewriting and kind == "json"
    assert seen.all("Expect") == (["100-continue"] if case.expects and not by_proxy else [])


# ---- callers ----

class Caller:
    """Sends one request after the other on a connection that goes on for as long as it should."""

    def __init__(self, proxy, index):
        self.proxy, self.index, self.socket = proxy, index, None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def _open(self):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.proxy.port_of(self.index)))
            self.socket.settimeout(harness.LIMIT)
            self.reader = Reader(lambda: self.socket.recv(1 << 16))

    def ask(self, case, head, body):
        """The final answer, or the Flaw of one that is cut off."""
        self._open()
        interim = []
        self.socket.sendall(head.encode() if case.expects else head.encode() + body)
        try:
            answer = self.reader.message(case.method, case.version)
            while answer.status < 200:
                interim.append(answer.status)
                self.socket.sendall(body)
                answer = self.reader.message(case.method, case.version)
        except Flaw as e:
            self.close()
            return e
        assert interim == ([100] if case.expects else [])
        self._check_end(goes_on(answer, case.version, {case.connection}))
        return answer

    def _check_end(self, goes_on):
        """If it is not to go on it ends, in order; nothing stands behind an answer."""
        assert self.reader.pending == b""
        if not goes_on:
            assert self.socket.recv(1) == b""
            self.close()


def check(case, server, caller, port):
    home = lambda path="": f"http://localhost:{port}{path}"
    want = Expected(case, server, home)
    head, raw_body, body = request_of(case, port)
    server.cases[case.number] = case
    answer = caller.ask(case, head, raw_body)
    seen = server.requests.pop(case.number)
    assert len(seen) == want.requests
    for request in seen:
        check_request(case, request, body, server, port)
    if want.is_cut:
        assert isinstance(answer, Flaw) and want.body.startswith(answer.body)
        return
    if isinstance(answer, Flaw):
        raise answer
    assert (answer.status, answer.framing) == (want.status, want.framing)
    assert answer.all("Content-Length") == ([] if want.length is None else [str(want.length)])
    assert answer.body == want.body
    assert answer.all("ETag") == ['"strong"'] and answer.all("Location") == [want.location] * bool(want.location)
    coding = CODINGS[case.coding][0]
    assert answer.all("Content-Encoding") == ([] if want.is_rewritten or not coding else [coding])
    keeps = case.connection != "close" and (case.version == "HTTP/1.1" or case.connection == "keep-alive")
    assert (caller.socket is not None) == (keeps and want.framing != "close")


@pytest.fixture
def server(pki, started):
    started.append(Server(pki))
    return started[-1]


@pytest.fixture
def front(server, pki, started, tenant, tmp_path):
    """One tenant for each of CONFIGS, each with a listener of its own."""
    callers = tmp_path / "callers"
    callers.write_text(f"u@ACME:{HASH}\n")
    callers.chmod(0o600)
    keys = {"rewriting": {}, "off": {"rewrite_links": "off"},
            "certificate-next": {"certificate_next": f"{pki}/globex-all.pem"},
            "callers-file": {"callers_file": callers}}
    sections = "".join(tenant(server.port, name, listen="127.0.0.1:0", **keys[name]) for name in CONFIGS)
    started.append(harness.Proxy(tmp_path, proxy_section({"listen": None}) + sections))
    return started[-1]


@pytest.mark.parametrize("share", range(SHARES))
def test_every_combination(server, front, share):
    names = [listener["tenant"] for listener in front.ready["listeners"]]
    failed = []
    with contextlib.ExitStack() as stack:
        callers = {name: stack.enter_context(contextlib.closing(Caller(front, names.index(name)))) for name in CONFIGS}
        for case in cases_of(share):
            try:
                check(case, server, callers[case.config], front.port_of(names.index(case.config)))
            except Exception as e:
                failed.append(f"case {case.number}, {case}: {e!r}"[:400])
                callers[case.config].close()
    assert failed == [], f"{len(failed)} failed, seed {SEED}:\n" + "\n".join(failed[:30])


# ---- the reader that judges ----

HEAD = "HTTP/1.1 200 OK\r\n"
FLAWED = {
    "two lengths": HEAD + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "cut": HEAD + "Content-Length: 2\r\n\r\na",
    "length and chunks": HEAD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "neither": HEAD + "\r\n", "no number": HEAD + "Content-Length: +1\r\n\r\na",
    "gzip": HEAD + "Transfer-Encoding: gzip\r\n\r\n",
    "no last chunk": HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "LF": HEAD + "X: y\n\r\n\r\n",
    "no end of the trailers": HEAD + "Transfer-Encoding: chunked\r\n\r\n0\r\n",
    "204": HEAD[:9] + "204 X\r\nContent-Length: 0\r\n\r\n",
    "junk behind a chunk": HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\naX\n0\r\n\r\n",
    "fold": HEAD + "X: y\r\n z\r\n\r\n",
    "extension": HEAD + "Transfer-Encoding: chunked\r\n\r\n1;a\r\na\r\n0\r\n\r\n", "blank": HEAD + "X : y\r\n\r\n",
    "version": "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "NUL": HEAD + "X: \0\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", FLAWED)
def test_strict_reader_sees(name):
    pieces = iter([FLAWED[name].encode()])
    with pytest.raises(Flaw):
        Reader(lambda: next(pieces, b"")).message("GET")


def test_strict_reader_reads():
    sound = (HEAD + "Content-Length: 1\r\n\r\na" +
             HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nX: y\r\n\r\n"
             "HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n" + HEAD + "Connection: close\r\n\r\nrest")
    for step in (1, 7, 1000):
        pieces = iter([sound[i:i + step].encode() for i in range(0, len(sound), step)])
        reader = Reader(lambda: next(pieces, b""))
        got = [reader.message("GET") for _ in range(4)]
        assert [(m.status, m.framing, m.body) for m in got] == [
            (200, "length", b"a"), (200, "chunked", b"b"), (304, "none", b""), (200, "close", b"rest")]
        assert got[1].trailers == [("X", "y")] and [goes_on(m, "HTTP/1.1") for m in got] == [True, True, True, False]
