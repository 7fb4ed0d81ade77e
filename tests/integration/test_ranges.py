"""A part of a content that is rewritten is a part of another one than the caller has: none reaches it. Validators are
the server's own all the way."""
import contextlib
import json
import re
import subprocess

import pytest

import harness

PDF = bytes(range(256)) * 4096


def text(link):
    rows = [{"__metadata": {"uri": link + f"/User('{i}')"}, "name": f"n{i}"} for i in range(20_000)]
    return json.dumps({"d": {"results": rows}}).encode()


# ---- real clients and a real server ----

@pytest.fixture(scope="module")
def store(pki, tmp_path_factory):
    """nginx with JSON that names it, and with a file that is not rewritten."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "files").mkdir()
    server = harness.Nginx(folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        root {folder}/files; types {{ application/json json; application/pdf pdf; }}""")
    (folder / "files/users.json").write_bytes(text(f"https://localhost:{server.port}"))
    (folder / "files/form.pdf").write_bytes(PDF)
    server.access_log = folder / "access.log"
    yield server
    server.stop()


LONG = "a-name-of-this-proxy-that-is-longer-than-the-server-s.test"


@pytest.fixture
def front(store, proxy):
    """In .whole(base) what users.json is for whoever came by that base."""
    p = proxy(store.port, host_names=LONG)
    p.base = f"http://localhost:{p.port}"
    return p


TOOLS = {
    "wget": ["wget", "-q", "-c", "--tries=1", "-O"],
    "curl": ["curl", "-sSf", "-C", "-", "-o"],
    "curl with its own If-Range": ["curl", "-sSf", "-C", "-", "-H", 'If-Range: "x"', "-o"],
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("had", [1, 100_000, "nearly all", "all"])
@pytest.mark.parametrize("name", ["localhost", LONG])
def test_resumed_download_is_whole_or_has_failed(front, store, tool, had, name, tmp_path):
    """The first part had come before a cut; what is fetched now is never glued to it from the server's own bytes.
    By the long name the caller's content is longer than the server's, which then answers 416."""
    base = f"http://{name}:{front.port}"
    whole = text(base)
    n = {"nearly all": len(whole) - 1, "all": len(whole)}.get(had, had)
    file = tmp_path / "users.json"
    file.write_bytes(whole[:n])
    resolve = ["--resolve", f"{LONG}:{front.port}:127.0.0.1"] if tool.startswith("curl") else []
    if tool == "wget" and name == LONG:
        resolve = [f"--header=Host: {LONG}:{front.port}"]
        base = front.base
    ran = subprocess.run([*TOOLS[tool], file, *resolve, base + "/users.json"], capture_output=True, text=True)
    got = file.read_bytes()
    assert got == whole if ran.returncode == 0 else whole.startswith(got), ran.stderr


def test_wget_resumes_by_itself_after_a_cut(script, proxy, tmp_path):
    """The server cuts the first answer in the middle, and serves ranges."""
    def reply(c):
        with contextlib.suppress(OSError):
            while head := c.head():
                body = text(f"https://localhost:{server.port}")
                found = re.search(rb"(?im)^range: bytes=(\d+)-", head)
                if found:
                    at = int(found.group(1))
                    c.send(f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {at}-{len(body) - 1}/{len(body)}\r\n")
                    body = body[at:]
                else:
                    c.send("HTTP/1.1 200 OK\r\n")
                c.send(f'Content-Type: application/json\r\nETag: "e"\r\nContent-Length: {len(body)}\r\n\r\n')
                cut = not served
                served.append(head)
                c.send(body[:500_000] if cut else body)
                if cut:
                    c.cut()
                    return

    served = []
    server = script(reply)
    p = proxy(server.port)
    ran = subprocess.run(["wget", "-q", "--tries=3", "--waitretry=0", "-O", tmp_path / "got", p.url("/users")])
    got, whole = (tmp_path / "got").read_bytes(), text(f"http://localhost:{p.port}")
    assert got == whole if ran.returncode == 0 else whole.startswith(got)
    assert len(served) > 1


@pytest.mark.parametrize("range_", ["bytes=0-9", "bytes=100-199", "bytes=-50", "bytes=5-", "bytes=0-1,5-9",
                                    "bytes=99999999-"])
@pytest.mark.parametrize("validator", [True, False])
def test_range_of_a_rewritten_content(front, store, range_, validator):
    """The whole comes, as if the server knew no ranges (RFC 9110, 14.2); with one request more, and the same ETag."""
    etag = front.request("HEAD", "/users.json", host=f"localhost:{front.port}").get("ETag")
    target = f"/users.json?{range_}{validator}"
    fields = [("Range", range_), *([("If-Range", etag)] if validator else [])]
    with front.caller() as c:
        answer = c.request(target=target, fields=fields, host=f"localhost:{front.port}")
        assert (answer.status, answer.body) == (200, text(front.base))
        assert answer.get("ETag") == etag and answer.get("Content-Range") is None
        assert c.request(target="/users.json", host=f"localhost:{front.port}").body == text(front.base)
    seen = lambda: re.findall(f'GET {re.escape(target)} HTTP/1.1" (\\d+) ', store.access_log.read_text())
    harness.eventually(lambda: seen() == ["416" if range_ == "bytes=99999999-" else "206", "200"])


@pytest.mark.parametrize("range_, from_, to", [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, None)])
def test_range_of_a_content_that_is_not_rewritten(front, range_, from_, to):
    answer = front.request(target="/form.pdf", fields=[("Range", range_)], host=f"localhost:{front.port}")
    assert answer.status == 206 and answer.body == PDF[from_:to]


@pytest.mark.parametrize("range_", ["bytes=0-9,100-109", "bytes=99999999-"])
def test_several_ranges_and_none_of_any_content(front, range_):
    """The type of what is inside, or would be, is not told by the head: the whole comes."""
    answer = front.request(target="/form.pdf", fields=[("Range", range_)], host=f"localhost:{front.port}")
    assert (answer.status, answer.body) == (200, PDF)


@pytest.mark.parametrize("tool", ["wget", "curl"])
def test_resumed_download_of_a_content_that_is_not_rewritten(front, tool, tmp_path):
    file = tmp_path / "form.pdf"
    file.write_bytes(PDF[:1000])
    subprocess.run([*TOOLS[tool], file, front.url("/form.pdf")], check=True)
    assert file.read_bytes() == PDF


def test_wget_of_a_file_that_is_here(front, tmp_path):
    file = tmp_path / "form.pdf"
    file.write_bytes(PDF)
    subprocess.run([*TOOLS["wget"], file, front.url("/form.pdf")], check=True)
    assert file.read_bytes() == PDF


def test_ranges_where_nothing_is_rewritten(store, proxy, tenant):
    """Then a part is a part of the same content."""
    p = proxy(tenant(store.port, rewrite_links="off"))
    own = text(f"https://localhost:{store.port}")
    for range_, status, body in (("bytes=5-14", 206, own[5:15]), ("bytes=99999999-", 416, None)):
        answer = p.request(target="/users.json", fields=[("Range", range_)])
        assert answer.status == status and body in (None, answer.body)
    answer = p.request(target="/users.json", fields=[("Range", "bytes=0-1,4-5")])
    assert answer.status == 206 and answer.get("Content-Type").startswith("multipart/byteranges")


# ---- servers of every kind ----

@pytest.fixture
def recorded(pki, started, proxy, tenant):
    """recorded(answers, ...): a proxy (.server) before a server that gives these answers in order; each is (status,
    fields, body)."""
    def start(answers, **keys):
        answers = iter(answers)

        def reply(c, seen):
            status, fields, body = next(answers)
            head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
            c.send("\r\n".join(head).encode() + (b"" if seen.method == "HEAD" else body))

        server = harness.Recorder(pki, reply)
        started.append(server)
        p = proxy(tenant(server.port, **keys))
        p.server = server
        return p
    return start


JSON, PART = "Content-Type: application/json", "Content-Range: bytes 0-1/9"
PARTIAL = ("206 Partial Content", [JSON, PART], b"{}")
WHOLE = ("200 OK", [JSON], b'{"a":1}')
ASKS = [("Range", "bytes=0-1"), ("If-Range", '"e"'), ("If-Match", '"m"'), ("If-None-Match", 'W/"n"'), ("X", "y")]
KINDS = {
    "json": [JSON], "xml": ["Content-Type: text/xml"], "batch": ["Content-Type: multipart/mixed; boundary=b"],
    "gzip": [JSON, "Content-Encoding: gzip"], "byteranges": ["Content-Type: multipart/byteranges; boundary=b"],
    "byteranges in capitals": ["Content-Type: Multipart/ByteRanges;boundary=b"],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_repeated_without_range(recorded, kind, method):
    """Nothing else of the request changes: validators are the server's."""
    p = recorded([("206 Partial Content", [*KINDS[kind], PART, "Set-Cookie: a=b"], b"{}"), WHOLE, WHOLE])
    with p.caller() as c:
        answer = c.request(method, "/x", ASKS)
        assert answer.status == 200 and answer.body == (b"" if method == "HEAD" else WHOLE[2])
        assert answer.all("Set-Cookie") == [] and c.request().status == 200
    first, second, _ = p.server.take()
    assert [(n, v) for n, v in first.others() if n not in ("Range", "If-Range")] == second.others() == ASKS[2:]
    assert [(n, v) for n, v in first.others() if n in ("Range", "If-Range")] == ASKS[:2]
    assert first.line == second.line and p.last_log(1)["status"] == "200"


@pytest.mark.parametrize("method, fields, body", [
    ("POST", [], b"x"), ("POST", [("X-HTTP-Method", "GET")], b""), ("PUT", [], b"x"), ("PATCH", [], b"x"),
    ("DELETE", [], b""), ("OPTIONS", [], b"")])
def test_range_does_not_travel_where_it_means_nothing(recorded, method, fields, body):
    """With other methods a server ignores it (RFC 9110, 14.2)."""
    p = recorded([WHOLE])
    assert p.request(method, "/x", [*ASKS, *fields], body).status == 200
    [seen] = p.server.take()
    assert seen.all("Range") == seen.all("If-Range") == [] and seen.all("If-Match") == ['"m"']


@pytest.mark.parametrize("status", ["206 Partial Content", "416 Range Not Satisfiable"])
@pytest.mark.parametrize("fields, body", [([("X-HTTP-Method-Override", "POST")], b""), ([], b"x" * 70_000)])
def test_part_of_what_cannot_be_asked_for_again(recorded, fields, body, status):
    """A request that may not be repeated, or whose body is not held any more: then there is no answer to give."""
    p = recorded([(status, [JSON, PART], b"{}")])
    assert p.request("GET", "/x", [*ASKS, *fields], body).token == "bad-answer"
    [seen] = p.server.take()
    assert seen.all("Range") == ["bytes=0-1"] and f"answered {status[:3]}" in p.last_log()["detail"]


def test_body_of_a_get_is_sent_again(recorded):
    p = recorded([PARTIAL, WHOLE])
    assert p.request("GET", "/x", ASKS, b"query").body == WHOLE[2]
    assert [seen.body for seen in p.server.take()] == [b"query"] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_part_that_nobody_asked_for(recorded, method):
    p = recorded([PARTIAL, WHOLE])
    with p.caller() as c:
        assert c.request(method).token == "bad-answer"
        assert c.request().status == 200
    assert len(p.server.take()) == 2


def test_server_that_gives_parts_only(recorded):
    p = recorded([PARTIAL, PARTIAL])
    assert p.request(fields=ASKS).token == "bad-answer" and len(p.server.take()) == 2


@pytest.mark.parametrize("second", [("404 Not Found", [JSON], b"{}"), ("304 Not Modified", [], b""),
                                    ("412 Precondition Failed", [], b""), ("416 Range Not Satisfiable", [JSON], b"{}")])
@pytest.mark.parametrize("first", [PARTIAL, ("416 Range Not Satisfiable", ["Content-Type: text/html"], b"no")])
def test_what_the_second_answer_is(recorded, first, second):
    """Whatever it is, it is the answer."""
    p = recorded([first, second])
    answer = p.request(fields=ASKS)
    assert f"{answer.status} {answer.reason}" == second[0] and answer.body == second[2]


@pytest.mark.parametrize("answer", [
    ("206 Partial Content", ["Content-Type: text/plain", PART], b"no"),
    ("206 Partial Content", [PART], b"no"), ("206 Partial Content", [JSON, "Content-Encoding: br", PART], b"no")])
def test_part_that_is_as_the_whole_would_be(recorded, answer):
    p = recorded([answer])
    got = p.request(fields=ASKS)
    assert (got.status, got.body, got.get("Content-Range")) == (206, b"no", "bytes 0-1/9")


def test_content_range_of_a_whole_answer(recorded):
    """It has no meaning there (RFC 9110, 14.4)."""
    p = recorded([])
    url, home = f"https://localhost:{p.server.port}/x", f"http://localhost:{p.port}/x"
    p.server.reply = lambda c, seen: c.reply(json.dumps({"uri": url}).encode(), fields=f"{JSON}\r\n{PART}\r\n")
    assert p.request(host=f"localhost:{p.port}").json() == {"uri": home}


@harness.one_worker
def test_repeated_among_others(script, proxy):
    """On whatever connection is there; the one that the part came on goes."""
    def reply(c, head, _):
        if b"Range" in head:
            c.reply(b"{}", "206 Partial Content", f"{JSON}\r\n{PART}\r\n")
        else:
            c.reply(b"whole", fields=f"{JSON}\r\n")

    p = proxy(script(harness.answering(reply)).port)
    with p.caller() as a, p.caller() as b:
        for _ in range(5):
            assert a.request().body == b"whole" and b.request(fields=ASKS).body == b"whole"


def test_caller_that_leaves_while_it_is_repeated(script, proxy):
    p = None
    gone = harness.threading.Event()

    def run(c):
        request = c.request()
        if b"Range" in request[0]:
            c.reply(b"{}", "206 Partial Content", f"{JSON}\r\n{PART}\r\n")
            c.at_end()
        else:
            caller.reset()
            gone.set()
            c.at_end()

    p = proxy(script(run).port)
    caller = p.caller()
    caller.send(harness.head_lines("GET", "/", "Range: bytes=0-1"))
    harness.happened(gone)
    assert p.last_log()["error"] == "caller-gone"


def test_if_match_takes_the_etag_that_the_caller_got(recorded):
    """A caller that read, and writes what it read: the server compares its own validator."""
    p = recorded([("200 OK", [JSON, 'ETag: "strong;\\v1"'], b'{"a":1}'), ("204 No Content", [], b"")])
    with p.caller() as c:
        etag = c.request().get("ETag")
        fields = [("If-Match", etag), ("Content-Type", "application/json")]
        assert c.request("PUT", fields=fields, body=b"{}").status == 204
    assert p.server.take()[1].all("If-Match") == ['"strong;\\v1"'] == [etag]
