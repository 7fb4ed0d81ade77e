"""The log: one line for each exchange, in text and JSON, and what may never stand in it."""
import base64
import contextlib
import json
import os
import re
import signal
import ssl
import threading

import pytest

import harness

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LINE = re.compile(
    rf"{TIME} id=[0-9a-f]{{16}} tenant=(?P<tenant>\S+) (?P<method>\S+) (?P<path>\S+) status=(?P<status>\d+)"
    r" in=(?P<in>\d+) out=(?P<out>\d+) first-ms=(?P<first>\d+\.\d{3}|-) total-ms=(?P<total>\d+\.\d{3})"
    r" conn=(?P<conn>new|reused|-) tls=(?P<tls>TLSv1\.[23]|-)"
    r"(?: (?:queue|dns|connect|tls)-ms=\d+\.\d{3})*"
    r"(?: caller=(?P<caller>\"(?:[^\"\\]|\\.)+\"|[^\s\"]+))?"
    r"(?: hint=(?P<hint>[a-z0-9-]+))?"
    r"(?: error=(?P<error>[a-z-]+)(?: code=(?P<code>[a-z0-9-]+))?"
    r" detail=\"(?P<detail>(?:[^\"\\]|\\.)+)\" cure=\"(?P<cure>(?:[^\"\\]|\\.)+)\")?")
MESSAGE = re.compile(rf"{TIME} (error|warning|notice|debug): \S.*")


def exchanges(p, count, log=None):
    """The exchanges of a text log, as dicts, once there are that many; every line of it must be a sound one."""
    def read():
        return harness.whole_lines(log or p.stderr_path).splitlines()

    harness.eventually(lambda: len([line for line in read() if " id=" in line]) >= count)
    found = []
    for line in read():
        match = LINE.fullmatch(line)
        assert match or MESSAGE.fullmatch(line), line
        if match:
            found.append({**match.groupdict(), "line": line, "id": re.search(" id=([0-9a-f]+)", line)[1]})
    assert len(found) == count, [e["line"] for e in found]
    assert len({e["id"] for e in found}) == count, "ids are unique"
    return found


def objects(text):
    """Each line of a JSON log."""
    found = [json.loads(line) for line in text.splitlines()]
    for entry in found:
        assert re.fullmatch(TIME, entry["time"])
    return found


def json_exchanges(p, count):
    harness.eventually(lambda: p.stderr.count('"id":') >= count)
    found = [entry for entry in objects(p.stderr) if "id" in entry]
    assert len(found) == count and len({entry["id"] for entry in found}) == count
    return found


# ---- one line for each exchange ----

@harness.one_worker
def test_one_line_for_each_exchange(proxy, nginx, tenant, pki):
    """Also for those that ended badly, and for each of a connection; ids are those of the answers."""
    p = proxy(tenant(nginx.port) + tenant(harness.closed_port(), name="down", company="DOWN"), allow_uid="any")
    acme, down = ("successfactors-companyid", "ACME"), ("successfactors-companyid", "DOWN")
    with p.caller() as c:
        assert c.request(target="/who", fields=[acme]).status == 200
        assert c.request("HEAD", target="/1k", fields=[acme]).status == 200
        assert c.request(target="/missing", fields=[acme]).status == 404
        assert c.request("PUT", "/put/x", [acme], b"12345").status in (201, 204)
        c.send("GET /a HTTP/1.1\r\nHost: localhost\r\nsuccessfactors-companyid: ACME\r\n\r\n" * 3)
        assert [c.answer().status for _ in range(3)] == [404] * 3
    answers = [p.request(fields=[down]), p.request(), p.request(host="elsewhere"), p.request(fields=[acme, acme])]
    with p.caller() as c:
        answers.append(c.send("GET / HTTP/1.1\nHost: x\n\n").answer())
    with p.caller() as c:
        c.send("GET")  # a head that never becomes one is no exchange
    tokens = [a.token for a in answers]
    assert tokens[0] == "connection-refused" and len(set(tokens)) == len(tokens)

    found = exchanges(p, 12)
    assert [e["status"] for e in found] == ["200", "200", "404", found[3]["status"]] + ["404"] * 3 + [
        str(a.status) for a in answers]
    assert [e["error"] for e in found] == [None] * 7 + tokens
    assert [e["id"] for e in found[7:]] == [a.json()["request_id"] for a in answers]
    assert [e["tenant"] for e in found] == ["acme"] * 7 + ["down", "-", "-", "-", "-"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_fields_of_an_exchange(format, proxy, script):
    """Bytes are those of the content, whatever the framing; the second exchange finds a connection."""
    def reply(c, head, body):
        if head.startswith(b"POST /chunked"):
            c.send("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nT: v\r\n\r\n")
        elif head.startswith(b"HEAD"):
            c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif head.startswith(b"DELETE"):
            c.send("HTTP/1.1 204 No Content\r\n\r\n")
        else:
            c.reply(b"x" * 1234)

    p = proxy(script(harness.answering(reply)).port, log_format=format)
    with p.caller() as c:
        c.request("POST", "/odata/v2/upsert?a=b", body=b"12345")
        c.send("POST /chunked HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
               "2\r\nab\r\n3;x=y\r\ncde\r\n4\r\nfghi\r\n0\r\n\r\n")
        assert c.answer().body == b"abcdefg"
        c.request("HEAD", "/head")
        c.request("DELETE", "/gone")
    found = exchanges(p, 4) if format == "text" else json_exchanges(p, 4)
    if format == "text":
        seen = [(e["method"], e["path"], int(e["status"]), int(e["in"]), int(e["out"]), e["conn"]) for e in found]
        times = [(float(e["first"]), float(e["total"])) for e in found]
    else:
        seen = [(e["method"], e["path"], e["status"], e["bytes_in"], e["bytes_out"],
                 "reused" if e["reused"] else "new") for e in found]
        times = [(e["first_ms"], e["total_ms"]) for e in found]
        assert all(e["error"] is None and "detail" not in e and "cure" not in e for e in found)
    assert seen == [("POST", "/odata/v2/upsert", 200, 5, 1234, "new"), ("POST", "/chunked", 201, 9, 7, "reused"),
                    ("HEAD", "/head", 200, 0, 0, "reused"), ("DELETE", "/gone", 204, 0, 0, "reused")]
    assert all(0 < first <= total < 1000 * harness.LIMIT for first, total in times)
    assert all(e["tenant"] == "acme" and e["tls"] == "TLSv1.3" for e in found)


def test_json_of_a_failure(proxy):
    """What there was not is null, not an invention."""
    p = proxy(harness.closed_port(), log_format="json")
    answer = p.request(target="/User('x')?y")
    with p.caller() as c:
        bad = c.send("\x01").answer()
    refused, malformed = json_exchanges(p, 2)
    assert refused["error"] == answer.token and refused["status"] == 502
    assert (refused["id"], refused["detail"], refused["cure"]) == tuple(
        answer.json()[name] for name in ("request_id", "detail", "cure"))
    assert (refused["tls"], refused["reused"], refused["path"]) == (None, None, "/User(...)")
    assert malformed["error"] == bad.token
    assert all(malformed[name] is None for name in ("tenant", "method", "path", "tls", "reused"))
    assert set(refused) == {"time", "id", "tenant", "method", "path", "status", "bytes_in", "bytes_out", "first_ms",
                            "total_ms", "reused", "tls", "caller", "connect_ms", "error", "detail", "code", "cure"}


def test_tls_version(proxy, script):
    server = script(harness.answering(), versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    p = proxy(server.port)
    assert p.request().status == 200
    assert exchanges(p, 1)[0]["tls"] == "TLSv1.2"


def test_exchanges_that_end_early(proxy, script):
    """The status is what the caller got, the bytes are those that passed, the token tells why."""
    inside = threading.Event()

    def serve(c):
        head = c.head()
        if head.startswith(b"GET /cut"):
            c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            c.cut()
        elif head.startswith(b"GET /gone"):
            inside.set()
            c.at_end()
        else:
            assert c.body(3) == b"abc"
            c.cut()

    p = proxy(script(serve).port)
    with p.caller() as c:
        assert c.request(target="/cut").body == b"0123456789"
    with p.caller() as c:
        c.send("GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert inside.wait(harness.LIMIT)
        c.reset()
    exchanges(p, 2)
    assert p.request("POST", "/closed", body=b"abc").token == "upstream-closed"
    cut, gone, closed = exchanges(p, 3)
    assert (cut["status"], cut["out"], cut["error"]) == ("200", "10", "answer-truncated")
    assert (gone["status"], gone["out"], gone["error"], gone["first"]) == ("0", "0", "caller-gone", "-")
    assert (closed["status"], closed["in"], closed["out"], closed["error"]) == ("502", "3", "0", "upstream-closed")


# ---- paths ----

MASKED = [
    ("/odata/v2/User", "/odata/v2/User"),
    ("/odata/v2/User?$filter=userId%20eq%20'x'", "/odata/v2/User"),
    ("/odata/v2/User('aaaker')", "/odata/v2/User(...)"),
    ("/odata/v2/User('aaaker')/manager/userId/$value", "/odata/v2/User(...)/manager/userId/$value"),
    ("/odata/v2/User('O''Neil')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('a)b')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('a(b')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User(''')')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/EmpJob(seqNumber=1L,startDate=datetime'2020-01-01T00:00:00',userId='x')/nav",
     "/odata/v2/EmpJob(...)/nav"),
    ("/odata/v2/EmpJob(12345)", "/odata/v2/EmpJob(...)"),
    ("/odata/v2/A(b=(1,(2)),c='((')/d", "/odata/v2/A(...)/d"),
    ("/odata/v2/User%28%27aaaker%27%29/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User(%27aaaker%27)/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User%28'aaaker')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('aaaker'%29/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('O%27%27Neil')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('O'%27Neil)x')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('a%29b')/email", "/odata/v2/User(...)/email"),
    ("/odata/v2/User('aaaker')/f('secret')/g", "/odata/v2/User(...)/f(...)/g"),
    ("/odata/v2/User('aaaker", "/odata/v2/User(...)"),
    ("/odata/v2/User('aaaker')'secret'/x", "/odata/v2/User(...)(...)/x"),
    ("/odata/v2/'secret'/x", "/odata/v2/(...)/x"),
    ("/odata/v2/%27secret%27/x", "/odata/v2/(...)/x"),
    ("/odata/v2/datetime'2020-01-01'", "/odata/v2/datetime(...)"),
    ("/odata/v2/x)y", "/odata/v2/x)y"),
    ("/odata/v2/100%", "/odata/v2/100%"),
    ("/odata/v2/%2", "/odata/v2/%2"),
    ("/", "/"),
]


@pytest.fixture(scope="module")
def echo(pki):
    """Answers everything."""
    server = harness.Script(pki, harness.answering())
    yield server
    server.stop()


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("mode", ["masked", "full", "off"])
def test_path_is_logged_as_log_path_says(format, mode, proxy, echo):
    """In each mode; the query never. The server gets the path as it was."""
    p = proxy(echo.port, log_format=format, log_path=mode)
    with p.caller() as c:
        for path, _ in MASKED:
            assert c.request(target=path).status == 200, path
    found = exchanges(p, len(MASKED)) if format == "text" else json_exchanges(p, len(MASKED))
    wanted = {"masked": [masked for _, masked in MASKED], "full": [path.split("?")[0] for path, _ in MASKED],
              "off": ["-"] * len(MASKED)}[mode]
    assert [e["path"] for e in found] == wanted


@pytest.mark.parametrize("request_line, path", [
    ("GET http://localhost/User('x')?y HTTP/1.1", "/User(...)"),
    ("GET http://localhost HTTP/1.1", "/"),
    ("GET http://localhost?x=y HTTP/1.1", "/"),
    ("OPTIONS * HTTP/1.1", "*"),
])
def test_path_of_other_forms(request_line, path, proxy, echo):
    p = proxy(echo.port)
    with p.caller() as c:
        assert c.send(f"{request_line}\r\nHost: localhost\r\n\r\n").answer().status == 200
    assert exchanges(p, 1)[0]["path"] == path


def test_path_of_refused_requests(proxy, echo):
    """Masked as any other, the query gone."""
    p = proxy(echo.port)
    for form in ("/User('secret')?secret", "http://localhost/User('secret')?secret"):
        assert p.request(target=form, fields=[("successfactors-companyid", "NONE")]).token == "tenant-unknown"
    for e in exchanges(p, 2):
        assert e["path"].endswith("/User(...)") and "secret" not in e["line"]


# ---- secrets ----

SECRET = "Zq7secret"
SECRETS = {name: f"{SECRET}{name}" for name in (
    "password", "bearer", "cookie", "proxyauth", "field", "injected", "query", "body", "answer", "setcookie",
    "trailer", "userinfo", "fragment", "folded")}


@pytest.fixture
def secretive(proxy, script, tenant, pki):
    """A proxy with a secret at every place, before a server that sends some, too."""
    def reply(c, head, body):
        c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRETS['answer'])}\r\nX-A: {SECRETS['answer']}\r\n"
               f"Set-Cookie: a={SECRETS['setcookie']}\r\n\r\n{SECRETS['answer']}")

    server = script(harness.answering(reply))
    identity = {"certificate": "acme-chain.pem", "private_key": pki / "acme-encrypted.key",
                "header.X-Key": SECRETS["injected"], "header.Authorization": "Bearer " + SECRETS["injected"]}

    def start(**keys):
        return proxy(tenant(server.port, **identity, passphrase_file=pki / "acme.pass")
                     + tenant(harness.closed_port(), name="down", company="DOWN", **identity,
                              passphrase_env="SFMTLS_TEST_PASSPHRASE"),
                     environment={"SFMTLS_TEST_PASSPHRASE": (pki / "acme.pass").read_text().strip()}, **keys)

    return start


def basic(user):
    return "Basic " + base64.b64encode(f"{user}:{SECRETS['password']}".encode()).decode()


def secret_fields(authorization):
    return [("Authorization", authorization), ("Cookie", "JSESSIONID=" + SECRETS["cookie"]),
            ("Proxy-Authorization", "Basic " + SECRETS["proxyauth"]), ("X-Key", SECRETS["field"]),
            ("Referer", "http://localhost/?" + SECRETS["field"])]


BAD_HEADS = [
    "GET http://user:{userinfo}@localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET https://user:{userinfo}@localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET http://{userinfo}@localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET http://user:{userinfo}@localhost/x HTTP/1.1\r\nHost: user:{userinfo}@localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: user:{userinfo}@localhost\r\n\r\n",
    "CONNECT user:{userinfo}@localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /x#{fragment} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /x?{query} {query} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET ?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET x:{query} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET mailto:user:{userinfo}@localhost HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization {bearer}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a={cookie}\n\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n {folded}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX-Key : {field}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {field}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: {field}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: {field}, Host\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {field}\r\n\r\n",
    "TRACE /?{query} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nsuccessfactors-companyid: ACME\r\nTransfer-Encoding: chunked\r\n\r\n"
    "{body}\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nsuccessfactors-companyid: ACME\r\nTransfer-Encoding: chunked\r\n\r\n"
    "1\r\na\r\n0\r\nX y: {trailer}\r\n\r\n",
]


@pytest.mark.parametrize("keys", [{}, {"log_format": "json"}, {"log_path": "full"}], ids=["text", "json", "full paths"])
def test_no_secret_in_log_or_answers(keys, secretive, pki):
    """Whatever goes well or ill; the answers looked through are those that the proxy itself makes."""
    p = secretive(**keys)
    own_answers = b""
    acme, down = ("successfactors-companyid", "ACME"), ("successfactors-companyid", "DOWN")
    for authorization in (basic("sfapi@ACME"), "Bearer " + SECRETS["bearer"]):
        answer = p.request("POST", f"/x?a={SECRETS['query']}", secret_fields(authorization) + [acme],
                           SECRETS["body"].encode())
        assert answer.status == 200 and SECRETS["answer"] in answer.raw_head.decode()
        for fields, host in (([down], "localhost"), ([], "localhost"), ([acme, acme], "localhost"), ([acme], "else"),
                             ([acme, ("Origin", "http://else")], "localhost"),
                             ([acme, ("TE", "x" * 70000)], "localhost")):
            answer = p.request("POST", f"/x?a={SECRETS['query']}", secret_fields(authorization) + fields,
                               SECRETS["body"].encode(), host=host)
            if answer.get("Proxy-Status"):
                own_answers += answer.raw_head + answer.body
    for form in (basic("sfapi@OTHER"), basic("sfapi"), basic("a@b@c"), "Basic " + SECRETS["password"] + "!",
                 "Basic " + base64.b64encode(SECRETS["password"].encode()).decode(), "basic", "Digest " + SECRET):
        answer = p.request(fields=[("Authorization", form), acme])
        if answer.get("Proxy-Status"):
            own_answers += answer.raw_head + answer.body
    for head in BAD_HEADS:
        with p.caller() as c, contextlib.suppress(EOFError):
            answer = c.send(head.format(**SECRETS)).answer()
            assert answer.get("Proxy-Status"), head
            own_answers += answer.raw_head + answer.body
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    log = p.stderr_path.read_bytes()
    assert log.count(b"id=") + log.count(b'"id":') > len(BAD_HEADS)

    needles = {SECRET.encode(), SECRET.lower().encode(), (pki / "acme.pass").read_bytes().strip()}
    needles |= {authorization.split()[1].encode() for authorization in (basic("sfapi@ACME"), basic("sfapi"))}
    for name in ("acme.key", "acme-encrypted.key"):
        needles |= {line for line in (pki / name).read_bytes().splitlines() if line and b"-----" not in line}
    leaks = [line for line in (log + own_answers).splitlines() if any(needle in line for needle in needles)]
    assert not leaks, b"\n".join(leaks).decode()


# ---- what a caller sends, on a terminal ----

ESCAPES = ["\x1b[31m", "\x07", "\x9b31m", "\x9d0;title\x9c", "\xc2\x9b31m", "\xc2\x85", "\xff\xfe", "\r\nforged id=1"]
PLACES = {
    "path": "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "path of another host": "GET /{} HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
    "path of a page": "GET /{} HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n",
    "key": "GET /User('{}') HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
    "absolute form": "GET http://{}/ HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
    "path of another company": "GET /{} HTTP/1.1\r\nHost: localhost\r\nsuccessfactors-companyid: NONE\r\n\r\n",
    "method": "{} / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "Host": "GET / HTTP/1.1\r\nHost: {}\r\n\r\n",
    "Origin": "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: {}\r\n\r\n",
    "Sec-Fetch-Site": "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: {}\r\n\r\n",
    "company": "GET / HTTP/1.1\r\nHost: localhost\r\nsuccessfactors-companyid: {}\r\n\r\n",
    "CONNECT": "CONNECT {}:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("keys", [{}, {"log_path": "full"}, {"log_format": "json", "log_path": "full"}],
                         ids=["text", "text, full", "json, full"])
@pytest.mark.parametrize("place", [*PLACES, "Basic"])
def test_terminal_escapes_do_not_reach_the_log(place, keys, proxy, echo):
    """No control character but the line end: neither C0, nor C1 as a byte or in UTF-8; each line is a sound one."""
    p = proxy(echo.port, **keys)
    sent = 0
    for escape in ESCAPES:
        if place == "Basic":
            credentials = base64.b64encode(b"user@" + escape.encode("latin-1") + b":x").decode()
            head = f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n\r\n"
        else:
            head = PLACES[place].format(escape)
        with p.caller() as c:
            c.send(head.encode("latin-1")).answer()
        sent += 1
    line = re.compile(rb'(?m)^[^\n]*(?: id=|"id":")[0-9a-f]{16}[^\n]*\n')
    harness.eventually(lambda: len(line.findall(p.stderr_path.read_bytes())) >= sent)
    text = p.stderr_path.read_bytes().decode("utf-8")
    controls = re.findall(r"[^\n]*[\x00-\x09\x0b-\x1f\x7f-\x9f][^\n]*", text)
    assert not controls, controls
    if "log_format" in keys:
        assert sum("id" in entry for entry in objects(text)) == sent
    else:
        assert len(exchanges(p, sent)) == sent


def test_quotes_do_not_break_the_text_line(proxy, echo):
    """Who reads the line by its fields is not misled by a path or a reason."""
    p = proxy(echo.port)
    p.request(target='/"x"=y\'')
    p.request(fields=[("Origin", 'http://x" status=200 error=none detail="')])
    p.request(fields=[("successfactors-companyid", "a\" cure=\"b\\")])
    found = exchanges(p, 3)
    # In any order: each worker has a ring of its own.
    assert {e["error"] for e in found} == {None, "foreign-origin", "tenant-unknown"}


# ---- the file ----

def test_file_is_appended_to_and_private(proxy, echo, tmp_path):
    log = tmp_path / "log"
    for number in (1, 2):
        p = proxy(echo.port, log=log)
        assert p.request().status == 200
        exchanges(p, number, log)
        assert " id=" not in p.stderr
        p.stop()
    assert log.stat().st_mode & 0o777 & ~0o640 == 0


def test_rotation_by_rename_and_signal(proxy, echo, tmp_path):
    """Rename, SIGUSR1: the old file ends, a new one begins; twice."""
    log = tmp_path / "log"
    p = proxy(echo.port, log=log)
    for number in range(3):
        assert p.request(target=f"/before{number}").status == 200
        harness.eventually(lambda: f"/before{number} " in log.read_text())
        log.rename(tmp_path / f"log.{number}")
        p.signal(signal.SIGUSR1)
        harness.eventually(log.exists)
        assert p.request(target=f"/after{number}").status == 200
        harness.eventually(lambda: f"/after{number} " in log.read_text())
        assert f"/after{number} " not in (tmp_path / f"log.{number}").read_text()


@pytest.mark.parametrize("workers", [1, 4])
def test_rotation_loses_no_line(workers, proxy, echo, tmp_path):
    """Callers go on meanwhile."""
    log, total, rounds = tmp_path / "log", harness.count(200, 5000), 5
    p = proxy(echo.port, log=log, workers=workers)

    def call(first):
        with p.caller() as c:
            for i in range(first, total, 4):
                assert c.request(target=f"/n{i}").status == 200

    threads = [threading.Thread(target=call, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for number in range(rounds):
        harness.eventually(log.exists)
        log.rename(tmp_path / f"log.{number}")
        p.signal(signal.SIGUSR1)
    for thread in threads:
        thread.join(harness.LIMIT)
    p.stop()
    text = "".join(path.read_text() for path in tmp_path.glob("log*"))
    assert sorted(map(int, re.findall(r" GET /n(\d+) ", text))) == list(range(total))
    assert all(line.count(" id=") <= 1 for line in text.splitlines())


def test_reopening_that_fails_keeps_the_old_file(proxy, echo, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    p = proxy(echo.port, log=folder / "log")
    p.request(target="/one")
    harness.eventually(lambda: "/one " in (folder / "log").read_text())
    folder.rename(tmp_path / "moved")
    p.signal(signal.SIGUSR1)
    for i in range(3):
        p.request(target=f"/two{i}")
    sentence = f"error: the log {folder}/log cannot be opened again: No such file or directory; what was open stays"
    p.said("/two0 ", "/two2 ", sentence, log=tmp_path / "moved" / "log")
    p.said(sentence)


def test_reopening_stderr_does_nothing(proxy, echo):
    p = proxy(echo.port)
    p.signal(signal.SIGUSR1)
    assert p.request().status == 200
    exchanges(p, 1)


# ---- a log that takes nothing ----

LONG = "/" + "x" * 15000


def start_into(pipe, proxy, port, **keys):
    p = proxy(port, process={"stderr": pipe.write_end}, **keys)
    os.close(pipe.write_end)
    return p


@pytest.mark.parametrize("format", ["text", "json"])
def test_blocked_log(format, pipe, proxy, echo):
    """Callers are served as if nothing were; when somebody reads again, lines and losses add up."""
    p = start_into(pipe, proxy, echo.port, log_format=format)
    total = 60
    with p.caller() as c:
        for _ in range(total):
            assert c.request(target=LONG).status == 200
        pipe.take()
        harness.eventually(lambda: b"lines were lost" in pipe.text)
        assert c.request(target="/last").status == 200
    p.stop()
    pipe.stop()
    lines = pipe.text.decode().splitlines()
    lost = [int(n) for n in re.findall(r"(\d+) log lines were lost", pipe.text.decode())]
    kept = sum(LONG in line for line in lines)
    assert 0 < kept < total and kept + sum(lost) == total and "/last" in pipe.text.decode()
    assert all(LINE.fullmatch(line) or MESSAGE.fullmatch(line) for line in lines) or format == "json"
    if format == "json":
        assert any(entry.get("level") == "warning" and "lost" in entry["message"]
                   for entry in objects(pipe.text.decode()))


def test_blocked_log_does_not_hold_up_the_end(pipe, proxy, echo):
    p = start_into(pipe, proxy, echo.port)
    with p.caller() as c:
        for _ in range(40):
            assert c.request(target=LONG).status == 200
    p.signal(signal.SIGTERM)
    assert p.wait() == 0


def test_reader_of_the_log_goes_away(pipe, proxy, echo):
    """EPIPE is no reason to end; nor is SIGPIPE."""
    p = start_into(pipe, proxy, echo.port)
    assert p.request().status == 200
    reader = pipe.read_end
    pipe.read_end = os.dup(os.open("/dev/null", os.O_RDONLY))
    os.close(reader)
    for _ in range(3):
        assert p.request().status == 200


def test_full_disk(proxy, echo):
    p = proxy(echo.port, log="/dev/full")
    for _ in range(3):
        assert p.request().status == 200


# ---- the program's own messages ----

def test_json_of_the_whole_life(proxy, echo, tenant, pki):
    """From the start to the end each line is an object: with an expired certificate, a host that is not documented,
    one of the user interface."""
    certificate = {"certificate": "expired-chain.pem", "private_key": pki / "expired.key"}
    p = proxy(tenant(echo.port) + tenant(1, name="old", company="OLD", **certificate)
              + tenant(1, name="new", company="NEW", server="api-in10.hr.cloud.sap", connect_to="127.0.0.1:1")
              + tenant(1, name="ui", company="UI", server="hcm44.sapsf.com", connect_to="127.0.0.1:1"),
              log_format="json")
    assert p.request(fields=[("successfactors-companyid", "ACME")]).status == 200
    json_messages = []
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    for entry in objects(p.stderr):
        if "message" in entry:
            assert set(entry) == {"time", "level", "message"} and entry["level"] in ("error", "warning", "notice")
            json_messages.append((entry["level"], entry["message"]))
    for level, words in (("notice", "listening on"), ("notice", "tenant acme"), ("error", "expired"),
                         ("warning", "hr.cloud.sap"), ("warning", "user interface"), ("notice", "shutting down"),
                         ("notice", "stopped")):
        assert any(level == l and words in m for l, m in json_messages), (level, words)


def test_text_of_the_whole_life(proxy, echo):
    p = proxy(echo.port)
    assert p.request().status == 200
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    lines = p.stderr.splitlines()
    assert all(LINE.fullmatch(line) or MESSAGE.fullmatch(line) for line in lines), lines
    assert "acme_user" in p.stderr and "days" in p.stderr and lines[-1].endswith("stopped")


@pytest.mark.parametrize("target", ["http://api5.successfactors.com/odata/v2/User?$filter=mail%20eq%20a@secret.example",
                                    "http://api5.successfactors.com?$filter=mail%20eq%20a@secret.example",
                                    "http://us?er:secret@api5.successfactors.com/", "/x?a@secret.example"])
def test_refused_target_is_logged_without_query(proxy, echo, target):
    p = proxy(echo.port)
    p.request("GET", target, fields=[("Origin", "http://x")])
    assert "secret" not in p.last_log()["line"]
