"""Links to the API server come home: what a caller follows leads through the proxy again."""
import contextlib
import gzip
import json
import random
import re
import ssl
import subprocess
import threading
import zlib

import pytest

import harness
from harness import Background

COMPANY = "successfactors-companyid"


def chunks_of(pieces):
    """Each piece as a chunk, and the last chunk."""
    return [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece] + [b"0\r\n\r\n"]


class Server(harness.Recorder):
    """Answers with what is put into it: a head's further lines, and a body as the pieces it is sent in."""

    def __init__(self, pki):
        self.answers(b"ok", "text/plain")
        super().__init__(pki, lambda c, seen: self._reply(c, seen))

    def answers(self, body, content_type="application/json", *fields, framing="length", status="200 OK", at_once=False):
        """at_once: head and pieces are sent together, so that the proxy finds all of them in one read."""
        pieces = body if isinstance(body, list) else [body]
        pieces = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
        self.pieces, self.status, self.framing, self.at_once = pieces, status, framing, at_once
        self.fields = [f"Content-Type: {content_type}", *fields]

    def _written(self, with_body):
        length = sum(map(len, self.pieces))
        how = {"length": [f"Content-Length: {length}"], "chunked": ["Transfer-Encoding: chunked"], "close": []}
        yield "\r\n".join([f"HTTP/1.1 {self.status}", *self.fields, *how[self.framing], "", ""]).encode()
        if with_body:
            yield from chunks_of(self.pieces) if self.framing == "chunked" else self.pieces

    def _reply(self, c, seen):
        written = list(self._written(seen.method != "HEAD"))
        for piece in [b"".join(written)] if self.at_once else written:
            c.send(piece)
        if self.framing == "close" and seen.method != "HEAD":
            c.end()


@pytest.fixture
def server(pki, started):
    started.append(Server(pki))
    return started[-1]


@pytest.fixture
def links(server, proxy, tenant):
    def start(tenant_keys=None, **keys):
        return proxy(tenant(server.port, **(tenant_keys or {})), **keys)
    return start


def url(server, path="/x", scheme="https"):
    return f"{scheme}://localhost:{server.port}{path}"


def home(p, path="/x"):
    return f"http://localhost:{p.port}{path}"


def ask(p, method="GET", target="/", fields=(), **keys):
    return p.request(method, target, fields, host=f"localhost:{p.port}", **keys)


# ---- answers ----

FRAMINGS = ["length", "chunked", "close"]
CODINGS = {"": lambda b: b, "gzip": gzip.compress, "deflate": zlib.compress, "x-gzip": gzip.compress,
           "raw": lambda b: (lambda d: d.compress(b) + d.flush())(zlib.compressobj(wbits=-15))}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("coding", CODINGS)
def test_json_in_every_wrapping(links, server, framing, coding):
    p = links()
    row = lambda link: {"__metadata": {"uri": link("/u(1)")}, "note": f"see {url(server)}", "_": url(server)}
    text = lambda link: json.dumps({"d": {"results": [row(link)] * 50, "__next": link("/n?$skiptoken=a")}})
    name = {"": [], "raw": ["Content-Encoding: deflate"]}.get(coding, [f"Content-Encoding: {coding}"])
    body = CODINGS[coding](text(lambda path: url(server, path)).encode())
    server.answers([body[:100], body[100:]], "application/json;charset=utf-8", *name, 'ETag: "e"', framing=framing)
    answer = ask(p, fields=[("Accept-Encoding", "gzip, deflate, br;q=0.5")])
    assert answer.complete and answer.body.decode() == text(lambda path: home(p, path))
    assert answer.get("Transfer-Encoding") == "chunked" and answer.get("Content-Length") is None
    assert answer.get("Content-Encoding") is None and answer.get("ETag") == '"e"'
    assert server.take()[0].all("Accept-Encoding") == ["gzip, deflate"]


@pytest.mark.parametrize("content_type, text", [
    ("application/atom+xml;type=feed", '<feed xml:base="{}"><id>{}</id><link rel="next" href="{}"/></feed>'),
    ("text/xml; charset=utf-8", '<wsdl><soap:address location="{}"/></wsdl>'),
    ("application/xml", "<links><uri>{}</uri></links>"),
    ("application/scim+json", '{{"meta":{{"location":"{}"}},"manager":{{"$ref":"{}"}}}}'),
    ("Application/JSON", '{{"@odata.nextLink":"{}"}}'),
])
def test_content_type_decides_how_links_are_found(links, server, content_type, text):
    p = links()
    server.answers(text.format(*[url(server)] * 3), content_type)
    assert ask(p).body.decode() == text.format(*[home(p)] * 3)


@pytest.mark.parametrize("content_type, more, status", [
    ("text/plain", [], "200 OK"), ("text/html", [], "200 OK"), ("application/octet-stream", [], "200 OK"),
    ("application/jsonx", [], "200 OK"), ("application/json", ["Content-Encoding: br"], "200 OK"),
    ("application/json", ["Content-Encoding: gzip, gzip"], "200 OK"),
])
def test_what_is_left_alone(links, server, content_type, more, status):
    """Byte by byte, with its length and digests."""
    p = links()
    body = json.dumps({"uri": url(server)})
    server.answers(body, content_type, *more, "Content-MD5: x", "Digest: y", "Accept-Ranges: bytes", status=status)
    answer = ask(p)
    assert answer.body.decode() == body and answer.get("Content-Length") == str(len(body))
    assert (answer.get("Content-MD5"), answer.get("Digest"), answer.get("Accept-Ranges")) == ("x", "y", "bytes")
    assert answer.get("Content-Encoding") == (more[0].split(": ")[1] if more and "Enc" in more[0] else None)


def test_switched_off(links, server):
    p = links({"rewrite_links": "off"})
    body = json.dumps({"uri": url(server)})
    server.answers(body, "application/json", f"Location: {url(server)}", "Set-Cookie: a=b; Secure")
    answer = ask(p, fields=[("Accept-Encoding", "br")])
    assert answer.body.decode() == body and answer.get("Location") == url(server)
    assert answer.get("Set-Cookie") == "a=b; Secure" and server.take()[0].all("Accept-Encoding") == ["br"]


def test_fields_that_no_longer_hold(links, server):
    p = links()
    names = ["Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges"]
    fields = [*[f"{n}: x" for n in names], "Last-Modified: y"]
    server.answers(json.dumps({"uri": url(server)}), "application/json", *fields)
    for method in ("GET", "HEAD"):
        answer = ask(p, method)
        assert [n for n in [*names, "Content-Length"] if answer.get(n)] == [] and answer.get("Last-Modified") == "y"


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "302 Found", "404 Not Found", "503 Busy"])
@pytest.mark.parametrize("content_type", ["application/json", "application/atom+xml", "multipart/mixed; boundary=b"])
def test_empty_body_says_so(links, server, status, content_type):
    """There is nothing to rewrite, and nothing that a caller would have to wait for."""
    p = links()
    server.answers("", content_type, f"Location: {url(server)}", "Content-Encoding: gzip", status=status)
    with p.caller() as c:
        for _ in range(2):
            answer = c.request(host=f"localhost:{p.port}")
            assert f"{answer.status} {answer.reason}" == status and answer.get("Content-Length") == "0"
            assert answer.get("Transfer-Encoding") is None and answer.get("Content-Encoding") is None


def test_curl_follows_an_empty_redirection(links, server):
    p = links()

    def reply(c, seen):
        if seen.target == "/from":
            server.answers("", "application/json", f"Location: {url(server, '/to')}", status="302 Found")
        else:
            server.answers("there", "text/plain")
        Server._reply(server, c, seen)

    server.reply = reply
    ran = subprocess.run(["curl", "-sSL", "-m", "20", home(p, "/from")], check=True, capture_output=True)
    assert ran.stdout == b"there"


def test_digest_in_a_trailer(links, script):
    server = script(harness.answering(lambda c, *_: c.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
        "0\r\nContent-Digest: x\r\nOther: y\r\n\r\n")))
    answer = ask(links({"connect_to": f"127.0.0.1:{server.port}"}))
    assert (answer.body, answer.trailers) == (b"{}", b"Other: y\r\n")


@pytest.mark.parametrize("version, fields", [("HTTP/1.0", []), ("HTTP/1.0", [("Connection", "keep-alive")])])
def test_old_callers_get_the_end_of_the_connection(links, server, version, fields):
    p = links()
    server.answers(json.dumps({"uri": url(server)}))
    with p.caller() as c:
        answer = c.request(version=version, fields=fields, host=f"localhost:{p.port}")
        assert json.loads(answer.body) == {"uri": home(p)} and c.is_closed()
    assert answer.get("Transfer-Encoding") is None and answer.get("Content-Length") is None


@pytest.mark.parametrize("name, line, want", [
    ("Location", "{}", "{home}"), ("Content-Location", "{}", "{home}"), ("OData-EntityId", "{}", "{home}"),
    ("DataServiceId", "{}", "{home}"),
    ("Location", "/relative", "/relative"),
    ("Location", "https://elsewhere.example/x", "https://elsewhere.example/x"),
    ("Link", '<{}>; rel="next", <https://b.example/>, </y>', '<{home}>; rel="next", <https://b.example/>, </y>'),
    ("Link", '</x>; title="see <{}>"', '</x>; title="see <{url}>"'),
    ("Set-Cookie", "JSESSIONID=a; Path=/; Secure; HttpOnly", "JSESSIONID=a; Path=/; HttpOnly"),
    ("Set-Cookie", "a=b; Domain=.successfactors.com; SameSite=None", "a=b; SameSite=None"),
    ("Set-Cookie", "secure=domain; domain=localhost", "secure=domain; domain=localhost"),
    ("Set-Cookie", 'BIGip="a b=c"; path=/;secure ', 'BIGip="a b=c"; path=/'),
])
def test_fields_of_answers(links, server, name, line, want):
    p = links()
    server.answers(b"created", "text/plain", f"{name}: {line.format(url(server))}", status="201 Created")
    answer = ask(p)
    assert answer.all(name) == [want.format(home=home(p), url=url(server))] and answer.body == b"created"


def test_first_byte_leaves_before_the_last_chunk_has_come(links, script):
    go_on = threading.Event()

    def run(c):
        c.head()
        c.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        c.send(b'9\r\n{"a":"b",\r\n')
        harness.happened(go_on)
        c.send(b'6\r\n"c":1}\r\n0\r\n\r\n')

    server = script(run)
    p = links({"connect_to": f"127.0.0.1:{server.port}"})
    with p.caller() as c:
        c.send(harness.head_lines())
        c.read_until(b'{"a":"b",')
        go_on.set()
        c.read_until(b'"c":1}')


@pytest.mark.parametrize("cut", [1, 7, 40, -20])
def test_damaged_coding_is_no_whole_answer(links, server, cut):
    p = links()
    body = gzip.compress(json.dumps({"uri": [url(server)] * 100}).encode())
    server.answers(body[:cut], "application/json", "Content-Encoding: gzip", framing="chunked")
    answer = ask(p)
    assert not answer.complete and p.last_log()["error"] == "bad-answer"


def test_large_bodies_with_links(links, server):
    """Whatever the pieces; and in a coding that makes much of little."""
    p = links()
    rows = lambda link: "[" + ",".join(f'{{"n":{i},"uri":"{link(i)}"}}' for i in range(60_000)) + "]"
    text = rows(lambda i: url(server, f"/{i}")).encode()
    cuts = sorted(random.Random(1).sample(range(1000, 10 ** 6), 40))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
    want = rows(lambda i: home(p, f"/{i}")).encode()
    server.answers(pieces, framing="chunked")
    assert ask(p).body == want
    server.answers(gzip.compress(text), "application/json", "Content-Encoding: gzip")
    assert ask(p).body == want


def batch(link, framing="Content-Type: application/http"):
    """An answer to $batch: a query in JSON, one in Atom, and a changeset; every length right."""
    def part(head, content):
        return f"{head}\r\nContent-Length: {len(content)}\r\n\r\n{content}"

    def answer(status, content_type, content, more=""):
        return part(framing, part(f"HTTP/1.1 {status}\r\nContent-Type: {content_type}{more}", content))

    change = answer("201 Created", "application/json", json.dumps({"d": {"__metadata": {"uri": link}}}),
                    f"\r\nLocation: {link}")
    changes = part("Content-Type: multipart/mixed; boundary=changes", f"--changes\r\n{change}\r\n--changes--\r\n")
    parts = [answer("200 OK", "application/json", json.dumps({"d": {"__next": link}, "note": f"see {link}"})),
             answer("200 OK", "application/atom+xml;type=feed", f"<feed><id>{link}</id></feed>"),
             answer("404 Not Found", "text/plain", f"nothing at {link}"), changes]
    return "".join(f"--batch_1\r\n{p}\r\n" for p in parts) + "--batch_1--\r\n"


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_answer_to_a_batch(links, server, framing, coding):
    p = links()
    here, there = home(p), url(server)
    body = CODINGS[coding](batch(there).encode())
    server.answers([body[:200], body[200:]], "multipart/mixed; boundary=batch_1",
                   *(["Content-Encoding: gzip"] if coding else []), framing=framing)
    answer = ask(p, "POST", "/odata/v2/$batch", body=b"--x--")
    assert answer.complete and lengths_are_right(answer.body.decode(), "batch_1") == 4
    assert answer.body.decode().count(here) == 4 and answer.body.decode().count(there) == 2


def lengths_are_right(text, boundary):
    """Each Content-Length is that of what stands behind its head; how many responses there are."""
    count = 0
    for part in text.split(f"--{boundary}")[1:-1]:
        head, content = part.strip("\r\n").split("\r\n\r\n", 1)
        content_type = re.search(r"Content-Type: (.*)", head).group(1).strip()
        inner = re.search(r"boundary=(.*)", content_type)
        assert int(re.search(r"Content-Length: (\d+)", head).group(1)) in (len(content), len(content) + 2)
        if inner:
            count += lengths_are_right(content, inner.group(1).strip())
            continue
        head, content = content.split("\r\n\r\n", 1)
        assert int(re.search(r"Content-Length: (\d+)", head).group(1)) == len(content)
        count += 1
    return count


def test_boundary_that_begins_as_the_outer_one(links, server):
    p = links()
    there = url(server)
    inner = f"--b-1\r\nContent-Type: application/json\r\n\r\n{json.dumps({'uri': there})}\r\n--b-1--\r\n"
    text = ("--b\r\nContent-Type: multipart/mixed; boundary=b-1\r\nContent-Length: {}\r\n\r\n{}\r\n--b--\r\n").format
    server.answers(text(len(inner), inner), "multipart/mixed; boundary=b")
    inner = inner.replace(there, home(p))
    assert ask(p).body.decode() == text(len(inner), inner)


def test_batch_of_very_many_parts(links, server):
    """The time that it takes grows with its size only (TSan's own, in memmem(), with the square)."""
    p = links()
    count = 5_000 if harness.setting("BUILD") == "tsan" else 200_000
    body = "--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" + "--i\r\n\r\n\r\n" * count + "\r\n--o--\r\n"
    server.answers(gzip.compress(body.encode()), "multipart/mixed; boundary=o", "Content-Encoding: gzip")
    assert ask(p).body == body.encode()


# ---- by which base ----

def test_base_is_how_the_caller_came(links, server, tmp_path):
    p = links(listen=f"127.0.0.1:0, unix:{tmp_path}/s")
    server.answers(json.dumps({"uri": url(server)}))
    link = lambda answer: answer.json()["uri"]
    assert link(p.request(host="127.0.0.1")) == "http://127.0.0.1/x"
    assert link(p.request(host="[::1]:80")) == "http://[::1]:80/x"
    assert link(p.request(host=f"localhost:{server.port}")) == f"http://localhost:{server.port}/x"
    assert link(p.request(target=f"http://localhost:{server.port}/y")) == f"http://localhost:{server.port}/x"
    assert link(p.request(target=f"https://LOCALHOST:{server.port}/y")) == f"https://LOCALHOST:{server.port}/x"
    assert link(p.request(target="http://localhost/y")) == "http://localhost/x"
    assert link(p.request(host="app", listener=1)) == "http://app/x"
    assert link(p.request(host=None, version="HTTP/1.0")) == url(server)


def test_all_names_and_ports_of_a_server(links, server):
    p = links()
    own = [f"https://localhost:{server.port}", "https://localhost", "https://localhost:443", "http://localhost:80",
           "http://localhost", f"http://localhost:{server.port}", f"https://LocalHost:{server.port}"]
    others = ["https://localhost:80", "http://localhost:443", "https://localhost.evil", "https://xlocalhost",
              f"https://localhost:{server.port}0", "https://localhost@evil", "//localhost"]
    server.answers("[" + ",".join(f'{{"uri":"{u}/x"}}' for u in own + others) + "]")
    found = [row["uri"] for row in ask(p).json()]
    assert found == [home(p)] * len(own) + [f"{u}/x" for u in others]


# ---- several chunks in one read ----

ROW_KINDS = {
    "application/json": ("[", '{{"uri":"{}/x","id":"{}"}},', "0]"),
    "application/atom+xml": ("<feed>", '<link href="{}/x"/><id>{}</id>', "</feed>"),
    "multipart/mixed; boundary=b": ("", '--b\r\nContent-Type: application/json\r\n\r\n{{"uri":"{}/x","id":"{}"}}\r\n',
                                    "--b--\r\n"),
}


def any_case(rng, link):
    """The same place: host names are compared without regard to case."""
    scheme, rest = link.split("://")
    return scheme + "://" + "".join(rng.choice([letter.lower(), letter.upper()]) for letter in rest)


def rows_in_pieces(content_type, seed, own, want):
    """Links that begin with own, and such as begin alike and lead elsewhere, in pieces each of which ends within a
    link; and what they are to become."""
    rng = random.Random(seed)
    begin, row, end = ROW_KINDS[content_type]
    others = [own + "0", own[:-1] + "!", own[:own.index("://") + 8] + ".test"]
    links = [[(any_case(rng, link), link == own) for link in (rng.choice([own, *others]), rng.choice([own, *others]))]
             for _ in range(40)]
    text = begin + "".join(row.format(*[link for link, _ in pair]) for pair in links) + end
    become = begin + "".join(row.format(*[want if is_own else link for link, is_own in pair]) for pair in links) + end
    cuts = [0, *sorted(m.start() + rng.randrange(1, 24) for m in re.finditer("http", text)), len(text)]
    return [text[a:b].encode() for a, b in zip(cuts, cuts[1:])], become.encode()


def flushed(pieces):
    """Each piece can be decoded as soon as it is there."""
    d = zlib.compressobj(wbits=31)
    return [d.compress(piece) + d.flush(zlib.Z_SYNC_FLUSH) for piece in pieces] + [d.flush()]


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("content_type", ROW_KINDS)
def test_chunks_of_an_answer_that_come_at_once(links, server, content_type, coding):
    """What a link's beginning turned out not to be is passed on before the next one is looked at."""
    p = links()
    for seed in range(10):
        pieces, want = rows_in_pieces(content_type, seed, url(server, ""), home(p, ""))
        server.answers(flushed(pieces) if coding else pieces, content_type,
                       *([f"Content-Encoding: {coding}"] if coding else []), framing="chunked", at_once=True)
        answer = ask(p)
        assert answer.complete and answer.body == want, seed


@pytest.mark.parametrize("content_type", ROW_KINDS)
def test_chunks_of_a_request_that_come_at_once(links, server, content_type):
    p = links()
    for seed in range(10):
        pieces, want = rows_in_pieces(content_type, seed, home(p, ""), url(server, ""))
        body = b"".join(chunks_of(pieces))
        fields = [("Content-Type", content_type), ("Transfer-Encoding", "chunked")]
        assert ask(p, "POST", "/", fields, body=body).status == 200
        assert server.take()[0].body == want, seed


# ---- requests ----

def test_links_go_back_as_they_came(links, server):
    """What was read can be sent back: the server sees its own URLs."""
    p = links()
    metadata = lambda link: json.dumps({"__metadata": {"uri": link("/User('a')")}, "note": home(p), "x": "é"}).encode()
    answer = ask(p, "POST", "/upsert", [("Content-Type", "application/json"), ("Content-MD5", "x")],
                 body=metadata(lambda path: home(p, path)))
    assert answer.status == 200
    seen = server.take()[0]
    assert seen.body == metadata(lambda path: url(server, path))
    assert seen.all("Content-Length") == [str(len(seen.body))] and seen.all("Transfer-Encoding") == []
    assert seen.all("Content-MD5") == []


@pytest.mark.parametrize("how", ["whole", "bit by bit", "chunked", "large", "expects", "large and expects"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_bodies_of_requests(links, server, how, method):
    p = links()
    count = 10_000 if "large" in how else 3
    text = lambda link: ("[" + ",".join(f'{{"uri":"{link}/{i}"}}' for i in range(count)) + "]").encode()
    body, want = text(f"http://localhost:{p.port}"), text(f"https://localhost:{server.port}")
    fields = ["Content-Type: application/json"]
    fields.append("Transfer-Encoding: chunked" if how == "chunked" else f"Content-Length: {len(body)}")
    pause = threading.Event()
    with p.caller() as c:
        c.send("\r\n".join([f"{method} /x HTTP/1.1", f"Host: localhost:{p.port}", *fields,
                            *(["Expect: 100-continue"] if "expects" in how else []), "", ""]))
        step = 29 if how in ("bit by bit", "chunked") else len(body)
        for i in range(0, len(body), step):
            piece = body[i:i + step]
            c.send(b"%x\r\n%s\r\n" % (len(piece), piece) if how == "chunked" else piece)
            if how == "bit by bit":
                pause.wait(0.01)
        c.send(b"0\r\n\r\n" if how == "chunked" else b"")
        assert c.answer().status == 200
        assert c.request(host=f"localhost:{p.port}").status == 200, "the connection goes on"
    seen = server.take()[0]
    assert seen.body == want
    assert seen.all("Expect") == (["100-continue"] if how == "large and expects" else [])
    streamed = how == "chunked" or "large" in how
    assert bool(seen.all("Transfer-Encoding")) == streamed and bool(seen.all("Content-Length")) != streamed


@pytest.mark.parametrize("fields", [
    [("Content-Type", "text/plain")], [], [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
    [("Content-Type", "application/octet-stream")]])
def test_requests_that_are_left_alone(links, server, fields):
    p = links()
    body = json.dumps({"uri": home(p)}).encode()
    ask(p, "POST", "/", [*fields, ("Content-MD5", "x")], body=body)
    seen = server.take()[0]
    assert seen.body == body and seen.all("Content-Length") == [str(len(body))] and seen.all("Content-MD5") == ["x"]


def test_other_links_in_requests_stay(links, server):
    p = links()
    rows = [f"http://localhost:{p.port}0/x", "http://localhost/x", f"https://localhost:{p.port}/x", "User('a')",
            f"http://127.0.0.1:{p.port}/x", url(server)]
    body = json.dumps([{"uri": row} for row in rows]).encode()
    ask(p, "POST", "/", [("Content-Type", "application/json")], body=body)
    assert server.take()[0].body == body


@harness.one_worker
def test_collected_body_is_sent_again(links, server, script):
    """On a pooled connection that the server has closed, a PUT is repeated, whole."""
    def run(c):
        with contextlib.suppress(ssl.SSLError):
            while request := c.request():
                c.reply(request[1])
                if c.number == 0:
                    c.head()
                    return

    flaky = script(run)
    p = links({"connect_to": f"127.0.0.1:{flaky.port}"})
    with p.caller() as c:
        assert c.request(host=f"localhost:{p.port}").status == 200
        body = json.dumps({"uri": home(p)}).encode()
        answer = c.request("PUT", "/", [("Content-Type", "application/json")], body, host=f"localhost:{p.port}")
        assert answer.body == json.dumps({"uri": url(server)}).encode()


@harness.one_worker
def test_nothing_that_a_server_says_meanwhile_is_the_answer(links, script):
    """While a body is collected there is no connection: neither a foreign answer nor an end of it can do harm."""
    go_on, gone = threading.Event(), threading.Event()

    def run(c):
        with contextlib.suppress(ssl.SSLError):
            while request := c.request():
                c.reply(request[1] or b"first")
                if c.number == 0:
                    harness.happened(go_on)
                    c.reply(b"FOREIGN")
                    c.at_end()
                    gone.set()
                    return

    p = links({"connect_to": f"127.0.0.1:{script(run).port}"})
    body = json.dumps({"id": 7})
    with p.caller() as c:
        assert c.request().body == b"first"
        c.send(harness.head_lines("PUT", "/", "Content-Type: application/json", f"Content-Length: {len(body)}") + "{")
        go_on.set()
        harness.happened(gone)
        c.send(body[1:])
        assert c.answer().body == body.encode()


def test_caller_who_never_sends_the_rest(links, server):
    p = links(body_timeout="300ms")
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Type: application/json", "Content-Length: 10") + "{")
        assert c.answer().token == "request-timeout"
    assert server.take() == []


def test_many_at_once(links, server):
    p = links(workers="3")
    server.answers(json.dumps([{"uri": url(server, f"/{i}")} for i in range(200)]))
    want = [{"uri": home(p, f"/{i}")} for i in range(200)]

    def run():
        with p.caller() as c:
            for _ in range(harness.count(30, 500)):
                assert c.request(host=f"localhost:{p.port}").json() == want

    for t in [Background(run) for _ in range(6)]:
        t.result()


# ---- cookies ----

def test_one_jar_for_two_tenants(server, proxy, tenant):
    """curl keeps the cookies of both for `localhost`; neither server sees the other's."""
    sessions = iter(range(1000))
    server.reply = lambda c, seen: c.reply(
        b"ok", fields="".join(f"Set-Cookie: {n}={seen.all(COMPANY)[0]}{next(sessions)}; Path=/; Secure\r\n"
                              for n in ("JSESSIONID", "BIGip" + seen.all(COMPANY)[0])))
    p = proxy(tenant(server.port) + tenant(server.port, "beta", "BETA", certificate="globex-all.pem"), workers="2")
    jar = p.folder / "jar"
    for n in range(20):
        company = ("ACME", "BETA")[n % 2]
        subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-b", jar, "-c", jar, "-H", f"{COMPANY}: {company}",
                        p.url()], check=True)
    cookies = [(s.all(COMPANY)[0], s.connection.peer_cn(), s.all("cookie")) for s in server.take()]
    assert {(company, user) for company, user, _ in cookies} == {("ACME", "acme_user"), ("BETA", "globex_user")}
    for company, _, sent in cookies[2:]:
        other = {"ACME": "BETA", "BETA": "ACME"}[company]
        assert other not in "".join(sent) and f"BIGip{company}" in "".join(sent)


def test_cookies_of_one_tenant_are_left_alone(links, server):
    p = links()
    server.answers(b"ok", "text/plain", "Set-Cookie: a=b")
    with p.caller() as c:
        for _ in range(2):
            c.request(fields=[("Cookie", "a=b;c = d ;;e"), ("Cookie", "")], host=f"localhost:{p.port}")
    assert [s.all("cookie") for s in server.take()] == [["a=b;c = d ;;e", ""]] * 2


def test_cookie_of_an_interim_answer(script, proxy, tenant):
    seen = []

    def answer(c, head, body):
        seen.append(head)
        c.send("HTTP/1.1 103 Early Hints\r\nSet-Cookie: early=bc\r\n\r\n"
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: late=bc\r\nOther: x\r\n\r\n")

    port = script(harness.answering(answer)).port
    p = proxy(tenant(port) + tenant(port, "beta", "BETA"))
    assert p.request(fields=[(COMPANY, "ACME")]).trailers == b"Other: x\r\n"
    p.request(fields=[(COMPANY, "BETA"), ("Cookie", "early=bc; late=bc")])
    p.request(fields=[(COMPANY, "ACME"), ("Cookie", "early=bc; late=bc")])
    assert b"early" not in seen[1] and b"late" not in seen[1]
    assert b"\r\nCookie: early=bc\r\n" in seen[2]
