"""$batch in both directions: request lines, fields and contents lead to the other side, and every length is right."""
import gzip
import json
import pathlib
import random
import re
import subprocess

import pytest

import harness

KIB = 1024
PART_MAX = 512 * KIB


@pytest.fixture
def path(recorded):
    recorded.server.reply = lambda c, seen: c.reply()
    recorded.here = f"http://localhost:{recorded.proxy.port}"
    recorded.there = f"https://localhost:{recorded.server.port}"
    return recorded


def send(path, body, content_type="multipart/mixed; boundary=batch", **keys):
    fields = [("Content-Type", content_type), *keys.pop("fields", [])]
    answer = path.proxy.request("POST", "/odata/v2/$batch", fields, body, host=f"localhost:{path.proxy.port}", **keys)
    assert answer.status == 200, answer.body
    return path.server.take()[-1]


def get(path, body, content_type="multipart/mixed; boundary=batch", coding=None, host=None, listener=0):
    """What comes of an answer."""
    body = coding(body) if coding else body
    head = f"Content-Type: {content_type}\r\n" + ("Content-Encoding: gzip\r\n" if coding else "")
    path.server.reply = lambda c, seen: c.reply(body, fields=head)
    answer = path.proxy.request("POST", "/odata/v2/$batch", body=b"--x--", host=host or f"localhost:{path.proxy.port}",
                                listener=listener)
    assert answer.complete
    return answer.body


def check_same(got, want):
    """Without the difference that pytest would take minutes to find."""
    if got != want:
        at = next((i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1]), min(len(got), len(want)))
        around = slice(max(at - 99, 0), at + 99)
        pytest.fail(f"{len(got)}, {len(want)} bytes; at {at} {got[around]!r}, not {want[around]!r}")


# ---- batches made twice: as they are sent, and as they should come ----

class Batch:
    """One that has link(path) where links stand and other(path) where a URL is none; a seed always makes the same."""

    def __init__(self, seed, link, other, host, requests):
        self.r, self.link, self.other, self.host, self.requests = random.Random(seed), link, other, host, requests
        self.newline = self.one("\r\n", "\r\n", "\r\n", "\n")

    def one(self, *choices):
        return self.r.choice(choices)

    def head(self, lines, content):
        """With a length or without, in whatever place."""
        at = self.r.randrange(len(lines) + 1)
        if self.r.random() < 0.6:
            name = self.one("Content-Length", "content-length", "Content-LENGTH ")
            lines.insert(at, f"{name}:{self.one('', ' ', '  ')}{len(content.encode())}{self.one('', ' ')}")
        return self.newline.join([*lines, "", ""]) + content

    def document(self):
        """Type and content."""
        link, n = self.link(self.one("", "/", "/odata/v2/User('a')", "?x", "#y")), self.r.randrange(4)
        text = self.one("", "\u00e9\u20ac", f"see {self.other('/x')}", f'"uri":"{self.other("/x")}"')
        kind = self.one("json", "json", "xml", "text", "none")
        if kind == "json":
            value = {"d": {"__metadata": {"uri": link}, "note": text, "x@odata.bind": [link, "User(1)"] * n}}
            return self.one("application/json", "application/json;charset=utf-8"), json.dumps(value, ensure_ascii=False)
        if kind == "xml":
            text = text.replace('"', "'")
            more = f"<b>{text}</b><a href='{link}'/>" * n
            return "application/atom+xml;type=entry", f"<entry><id>{link}</id>{more}</entry>"
        if kind == "text":
            return "text/plain", f"{text} {self.other('/x')}\n" * n
        return None, ""

    def message(self):
        link = self.link(self.one("/odata/v2/User", "/odata/v2/User?$filter=a%20eq%20'b'", "?a", ""))
        relative = self.one("User('a')", "$1/manager", "/odata/v2/User", "User?x=" + self.other("/y"))
        if self.requests:
            first = f"{self.one('GET', 'POST', 'PUT', 'MERGE', 'PATCH')} {self.one(link, link, relative)} HTTP/1.1"
        else:
            first = self.one("HTTP/1.1 200 OK", "HTTP/1.1 201 Created", "HTTP/1.1 404 Not Found " + self.other("/x"))
        media_type, content = self.document()
        lines = ["DataServiceVersion: 2.0", *[f"Content-Type: {media_type}"] * bool(media_type)]
        lines += self.one([], [f"Host: {self.host}"], ["X-Url: " + self.other("/x")], ["Host: elsewhere.example"])
        if not self.requests:
            lines += self.one([], [f"Location: {link}"], [f"LINK: <{link}>; rel=next, </x>"],
                              [f"odata-entityid:{link}"])
        self.r.shuffle(lines)
        return self.newline.join([first, ""]) + self.head(lines, content)

    def part(self, depth):
        kind = self.one("http", "http", "http", "plain", "nested" if depth else "http")
        if kind == "plain":
            media_type, content = self.document()
            return self.head([f"Content-Type: {media_type or 'application/octet-stream'}"], content)
        if kind == "http":
            head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
            head += self.one([], ["Content-ID: 1"])
            return self.head(head, self.message())
        boundary = self.one("batch-", "changes", "b") + str(depth)
        quoted = self.one(boundary, f'"{boundary}"')
        head = [f"Content-Type: multipart/mixed;{self.one(' ', self.newline + ' ')}boundary={quoted}"]
        return self.head(head, self.multipart(boundary, depth - 1))

    def multipart(self, boundary, depth=2):
        n = self.newline
        text = self.one("", f"preamble {self.other('/x')}{n}")
        for _ in range(self.r.randrange(5)):
            text += f"--{boundary}{self.one('', ' ')}{n}{self.part(depth)}{n}"
        return text + f"--{boundary}--" + self.one("", n, f"{n}epilogue {self.other('/x')}")


def both(seed, here, there, requests):
    """A batch from here, and as it should come there."""
    from_url, to_url = here, there
    host = lambda url: url.partition("://")[2]
    sent = Batch(seed, lambda p: from_url + p, lambda p: from_url + p, host(from_url), requests).multipart("batch")
    want = Batch(seed, lambda p: to_url + p, lambda p: from_url + p, host(to_url) if requests else host(from_url),
                 requests).multipart("batch")
    return sent.encode(), want.encode()


@pytest.mark.parametrize("direction", ["requests", "answers"])
def test_made_batches(path, direction):
    """In lengths, fields and contents, and in nothing else."""
    changed = 0
    for seed in range(harness.count(200, 3000)):
        if direction == "requests":
            sent, want = both(seed, path.here, path.there, True)
            seen = send(path, sent)
            assert seen.body == want, (seed, sent)
            assert seen.all("Content-Length") == [str(len(want))] and seen.all("Transfer-Encoding") == []
        else:
            sent, want = both(seed, path.there, path.here, False)
            assert get(path, sent) == want, (seed, sent)
        changed += sent != want
    assert changed > 50


# ---- requests ----

REQUEST = """--batch
Content-Type: application/http
Content-Transfer-Encoding: binary

GET {base}/odata/v2/User('a')?$format=json HTTP/1.1
Host: {host}
Accept: application/json


--batch
Content-Type: multipart/mixed; boundary=changes
Content-Length: {changes}

--changes
Content-Type: application/http
Content-Length: {part}
Content-ID: 1

POST {base}/odata/v2/upsert HTTP/1.1
Content-Type: application/json
Content-Length: {length}

{content}
--changes--

--batch--
"""


def request_of(base, note):
    """An ordinary one, with all lengths."""
    content = json.dumps({"__metadata": {"uri": f"{base}/User('a')"}, "manager": {"uri": f"{base}/x"}, "n": note})
    inner = REQUEST.split("Content-ID: 1\n\n")[1].split("\n--changes--")[0].replace("\n", "\r\n")
    inner = inner.format(base=base, length=len(content), content=content)
    whole = REQUEST.replace("\n", "\r\n").replace("{length}", str(len(content))).replace("{part}", str(len(inner)))
    whole = whole.replace("{content}", content.replace("{", "{{").replace("}", "}}"))
    changes = whole.split("boundary=changes\r\nContent-Length: {changes}\r\n\r\n")[1].split("\r\n\r\n--batch--")[0]
    length = len(changes.format(base=base))
    return whole.format(base=base, host=base.partition("://")[2], changes=length).encode()


@pytest.mark.parametrize("how", ["whole", "bit by bit", "chunked", "expects"])
def test_requests_in_a_batch_get_the_links_of_the_server(path, how):
    body, want = request_of(path.here, path.here), request_of(path.there, path.here)
    fields = ["Content-Type: multipart/mixed; boundary=batch"]
    fields.append("Transfer-Encoding: chunked" if how == "chunked" else f"Content-Length: {len(body)}")
    with path.proxy.caller() as c:
        c.send(harness.head_lines("POST", "/odata/v2/$batch", *fields, *["Expect: 100-continue"] * (how == "expects"))
               .replace("Host: localhost\r\n", f"Host: localhost:{path.proxy.port}\r\n"))
        step = 37 if how in ("bit by bit", "chunked") else len(body)
        for i in range(0, len(body), step):
            piece = body[i:i + step]
            c.send(b"%x\r\n%s\r\n" % (len(piece), piece) if how == "chunked" else piece)
        c.send(b"0\r\n\r\n" if how == "chunked" else b"")
        assert c.answer().status == 200
    seen = path.server.take()[-1]
    assert seen.body == want


def test_many_parts_are_streamed(path):
    body, want = (request_of(base, path.here).rpartition(b"--batch--")[0] * 1000 + b"--batch--\r\n"
                  for base in (path.here, path.there))
    assert len(body) > 512 * KIB
    check_same(send(path, body).body, want)


@pytest.mark.parametrize("body", [
    b"--batch\nContent-Type: application/http\n\nGET /odata/v2/User HTTP/1.1\n\n\n--batch--",
    b"--batch\r\nContent-Type: application/http\r\nContent-Length: 007\r\n\r\nGET User HTTP/1.1\r\n"
    b"Content-Length: 9999\r\n\r\n--batch",
    b"--batch", b"--batch--", b"no batch", b"\r\n\r\n--batch\r\n\r\n--batch\r\n--batch--\r\n\r\n\r\n",
    b"--batch\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n--batch--" + b"\0\xff" * 100,
    b"--batch\r\nContent-Type: application/json\r\nContent-Length: 1e3\r\n\r\n{\"uri\":\"User('a')\"}\r\n"
    b"--batch--x\r\n--batch--",
    b"--batch\r\nContent-Type: application/http\r\n\r\nPOST a HTTP/1.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 300000\r\n\r\n{\"fileContent\":\"" + b"QUJD" * 50_000 + b"\"}\r\n--batch--\r\n",
])
def test_what_names_no_url_of_the_proxy_stays(path, body):
    """Byte by byte, in its length too."""
    seen = send(path, body)
    check_same(seen.body, body)
    if len(body) < 64 * KIB:
        assert seen.all("Content-Length") == [str(len(body))] and seen.all("Transfer-Encoding") == []


def test_large_part_that_names_no_url_stays(path):
    """An attachment in base64, with its length."""
    content = b'{"fileContent":"' + b"QUJD" * 500_000 + b'"}'
    body = (b"--batch\r\nContent-Type: application/http\r\n\r\nPOST Attachment HTTP/1.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\r\n--batch--\r\n"
            % (len(content), content))
    check_same(send(path, body).body, body)


def test_large_part_with_links_goes_without_a_length(path):
    """Its links get longer, and where it ends its delimiter says."""
    make = lambda base, length: (
        f"--batch\r\nContent-Type: application/http\r\n\r\nPOST {base}/a HTTP/1.1\r\n"
        f'Content-Type: application/json\r\n{length}\r\n{{"uri":"{base}/x","fileContent":"' + "QUJD" * 500_000
        + f'","y":{{"uri":"{base}"}}}}\r\n--batch--\r\n').encode()
    size = len(make(path.here, "").partition(b"\r\n\r\n{")[2]) + 1 - len(b"\r\n--batch--\r\n")
    check_same(send(path, make(path.here, f"Content-Length: {size}\r\n")).body, make(path.there, ""))


def test_links_that_are_left_are_told(path):
    """They begin far behind the beginning of such a part."""
    content = json.dumps({"fileContent": "QUJD" * 500_000, "uri": path.here})
    body = (f"--batch\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}\r\n"
            "--batch--\r\n").encode()
    check_same(send(path, body).body, body)
    line, = harness.eventually(lambda: re.findall(r".*were not changed.*", path.proxy.stderr))
    assert "tenant acme" in line and "512 KiB" in line


def test_json_batch(path):
    """OData 4.01 JSON Format, 19."""
    def make(base):
        return json.dumps({"requests": [
            {"id": "0", "method": "get", "url": f"{base}/odata/v4/User('a')", "headers": {"accept": "*/*"}},
            {"id": "1", "method": "patch", "url": "/odata/v4/User('a')", "atomicityGroup": "g", "dependsOn": ["0"],
             "headers": {"content-type": "application/json"}, "body": {"m@odata.bind": f"{base}/odata/v4/User('b')"}},
        ]}).encode()
    assert send(path, make(path.here), "application/json").body == make(path.there)
    answer = lambda base: json.dumps({"responses": [
        {"id": "0", "status": 201,
         "headers": {"location": f"{base}/x", "odata-entityid": f"{base}/x", "etag": path.there},
         "body": {"@odata.context": f"{base}/$metadata#User"}}], "@odata.nextLink": f"{base}/n"}).encode()
    assert get(path, answer(path.there), "application/json") == answer(path.here)


# ---- answers with large parts ----

SHORT = "http://localhost"  # by which callers come, and no longer than what any of the server's URLs begins with

def rows(base, size):
    row = f'{{"__metadata":{{"uri":"{base}/User"}},"note":"{"x" * 200}"}}'
    return "[" + ",".join([row] * (size // len(row))) + "]"


def entries(base, size):
    entry = f"<entry><id>{base}/User</id><title>{'x' * 200}</title></entry>"
    return "<feed>" + entry * (size // len(entry)) + "</feed>"


CONTENTS = {"application/json": rows, "application/atom+xml": entries}


def answer_of(content_type, content, lengths, shift=0):
    """A batch of one large part and a small one. shift: how much longer than the content its length is."""
    length = lambda n: f"Content-Length: {n}\r\n" if lengths else ""
    message = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{length(len(content) + shift)}\r\n{content}"
    return (f"--batch\r\nContent-Type: application/http\r\n{length(len(message) + shift)}\r\n{message}\r\n"
            "--batch\r\nContent-Type: text/plain\r\n\r\nend\r\n--batch--\r\n")


@pytest.mark.parametrize("coding", [None, gzip.compress])
@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("content_type", CONTENTS)
@pytest.mark.parametrize("size", [PART_MAX - 8 * KIB, PART_MAX + 8 * KIB, 9 * KIB * KIB])
def test_large_parts(path, content_type, size, lengths, coding):
    """Every link comes home; of more than 512 KiB blanks behind the content keep the lengths right."""
    there = CONTENTS[content_type](path.there, size)
    here = there.replace(path.there, SHORT)
    got = get(path, answer_of(content_type, there, lengths).encode(), coding=coding, host="localhost").decode()
    blanks = len(there) - len(here) if lengths and size > PART_MAX else 0
    check_same(got, answer_of(content_type, here + " " * blanks, lengths))


def test_large_change_set(path):
    """Many small answers in one part that has a length."""
    def make(base, blanks=""):
        one = f'{{"uri":"{base}/x"}}'
        part = f"--c\r\nContent-Type: application/json\r\nContent-Length: {len(one)}\r\n\r\n{one}\r\n"
        return part * 20_000 + "--c--\r\n" + blanks
    there, here = make(path.there), make(SHORT)
    text = ("--batch\r\nContent-Type: multipart/mixed; boundary=c\r\nContent-Length: {}\r\n\r\n{}\r\n"
            "--batch--\r\n").format
    got = get(path, text(len(there), there).encode(), host="localhost").decode()
    check_same(got, text(len(there), here + " " * (len(there) - len(here))))


def test_large_part_with_longer_links(proxy, tenant, recorded_by, tmp_path):
    """Whoever came by a long name gets the part without a length."""
    server = recorded_by().server
    p = proxy(tenant(server.port), listen=f"127.0.0.1:0, unix:{tmp_path}/s")
    there, host = f"https://localhost:{server.port}", "a-name-that-is-longer-than-that-of-the-server.example"
    content = rows(there, 2 * PART_MAX)
    body = answer_of("application/json", content, True).encode()
    server.reply = lambda c, seen: c.reply(body, fields="Content-Type: multipart/mixed; boundary=batch\r\n")
    answer = p.request("POST", "/odata/v2/$batch", body=b"--x--", host=host, listener=1)
    check_same(answer.body.decode(), answer_of("application/json", content.replace(there, f"http://{host}"), False))


def peak_kib(proxy):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{proxy.process.pid}/status").read_text()).group(1))


@pytest.mark.parametrize("coding", [None, gzip.compress])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_memory_does_not_grow_with_the_part(recorded, proxy, tenant, release, content_type, coding):
    """64 MiB in one part that has a length; in gzip it is a bomb."""
    p = proxy(tenant(recorded.server.port), process={"binary": release})

    def fetch(size):
        text = answer_of(content_type, rows(f"https://localhost:{recorded.server.port}", size), True).encode()
        head = "Content-Type: multipart/mixed; boundary=batch\r\n"
        body, more = (coding(text), "Content-Encoding: gzip\r\n") if coding else (text, "")
        recorded.server.reply = lambda c, seen: c.reply(body, fields=head + more)
        done = subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-w", "%{size_download}", "--noproxy", "*",
                               "-H", "Host: localhost", p.url("/odata/v2/$batch")], capture_output=True, check=True)
        assert int(done.stdout) == len(text)

    fetch(2 * KIB * KIB)
    before = peak_kib(p)
    fetch(64 * KIB * KIB)
    assert peak_kib(p) - before < 2 * KIB
