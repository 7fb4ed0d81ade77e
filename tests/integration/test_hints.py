"""Sfmtls-Hint: why the server answered with an error, and what to do about it."""
import gzip
import json
import re
import threading
import time

import pytest

import harness
from test_overlap import JSON, SF_SAYS, Server

HTML = "Content-Type: text/html\r\n"
XML = "Content-Type: application/xml\r\n"
PAGE = b"<html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
SFAPI = "Content-Type: text/xml;charset=utf-8\r\n"


def odata(text):
    return json.dumps({"error": {"code": "COE_GENERAL", "message": {"lang": "en-US", "value": text}}}).encode()


def hint_of(answer):
    """The code and the parameters of a hint, read as RFC 9651 says."""
    values = answer.all("Sfmtls-Hint")
    if not values:
        return None
    value, = values
    assert len(value) < 1024 and value.isascii() and value.isprintable()
    string = r'"((?:[ !#-\[\]-~]|\\["\\])*)"'
    found = re.fullmatch(rf'([a-z][a-z0-9-]*); cause={string}; cure={string}', value)
    code, *texts = found.groups()
    return code, *(re.sub(r"\\(.)", r"\1", text) for text in texts)


@pytest.fixture
def server(pki, started):
    """It answers as .answer says: status line, fields, body."""
    def reply(c, seen):
        status, fields, body = recorder.answer
        c.reply(body, status, fields)

    recorder = harness.Recorder(pki, reply)
    started.append(recorder)
    return recorder


CODES = {  # status, fields, body, code
    "auth0032": ("401 Unauthorized", JSON, SF_SAYS),
    "auth-unknown": ("401 Unauthorized", JSON, SF_SAYS.replace(b"AUTH0032", b"AUTH0007")),
    "lgn0001": ("404 Not Found", JSON, odata("[LGN0001]Invalid endpoint")),
    "lgn0002": ("403 Forbidden", JSON, odata("[LGN0002]User doesn't have the OData Admin access permission.")),
    "lgn0003": ("401 Unauthorized", XML, b"<error><code>x</code><message>[LGN0003]Authentication information is "
                                         b"missing. Please use OAuth 2.0 to authenticate the user.</message></error>"),
    "lgn0004": ("403 Forbidden", JSON, odata("[LGN0004]Accessing OData API using Basic on non-API servers")),
    "lgn0008": ("403 Forbidden", JSON, odata("[LGN0008]Company [x] not found. Company ID is case-sensitive")),
    "lgn0013": ("401 Unauthorized", JSON, odata("[LGN0013]prevented login from unauthorized ip")),
    "lgn0022": ("401 Unauthorized", JSON, odata("[LGN0022]access token is either rejected or expired")),
    "lgn-unknown": ("403 Forbidden", JSON, odata("[LGN0099]x")),
    "edge-certificate-error": ("400 Bad Request", HTML, PAGE % (b"400 The SSL certificate error", b"400")),
    "edge-no-certificate": ("400 Bad Request", HTML, PAGE % (b"400 No required SSL certificate was sent", b"400")),
    "sfapi-session-lost": ("500 Error", SFAPI, b"<error><errorCode>INVALID_SESSION</errorCode><errorMessage>Invalid "
                                               b"SFAPI session</errorMessage></error>"),
    "sfapi-address-refused": ("500 Error", SFAPI, b"<error><errorCode>FAILED_AUTHENTICATION</errorCode><errorMessage>"
                                                  b"x (status code = 8)</errorMessage></error>"),
    "metadata-generating": ("500 Error", JSON, odata("OData metadata is being generated in another thread")),
    "too-many-requests": ("429 Too Many", "Retry-After: 300\r\n", b""),
    "server-maintenance": ("503 Unavailable", HTML, PAGE % (b"Maintenance", b"Planned maintenance")),
    "server-unavailable": ("503 Unavailable", HTML, b"x"),
    "server-bad-gateway": ("502 Bad Gateway", HTML, PAGE % (b"x", b"We're Sorry...")),
    "server-gateway-timeout": ("504 Gateway Timeout", HTML, PAGE % (b"x", b"We're Sorry...")),
}


@pytest.mark.parametrize("code", CODES)
def test_error_answer_gets_its_hint(server, proxy, code):
    """The answer passes as it is, with the hint; the log names it."""
    server.answer = status, fields, body = CODES[code]
    p = proxy(server.port)
    answer = p.request()
    assert (f"{answer.status} {answer.reason}", answer.body) == (status, body)
    for line in filter(None, fields.split("\r\n")):
        name, value = line.split(": ")
        assert answer.get(name) == value
    found, cause, cure = hint_of(answer)
    assert found == code and cause and cure
    log = p.last_log()
    assert log["hint"] == code
    if log.get("error") == "client-certificate-refused":
        assert log["code"] == code and json.loads(log["detail"]) == cause and json.loads(log["cure"]) == cure
    else:
        assert "error" not in log


@pytest.mark.parametrize("answer", [
    ("200 OK", JSON, SF_SAYS), ("302 There", JSON, SF_SAYS), ("404 None", JSON, odata("[COE0019]x")),
    ("500 Error", JSON, odata("x")), ("401 No", "Content-Type: text/plain\r\n", SF_SAYS), ("401 No", "", b""),
    ("403 No", HTML, b"<p>[LGN0002]</p>"), ("400 No", JSON, odata("SSL certificate error"))])
def test_no_hint(server, proxy, answer):
    server.answer = answer
    p = proxy(server.port)
    assert hint_of(p.request()) is None and "hint" not in p.last_log()


def test_head_has_what_the_status_says(server, proxy):
    server.reply = lambda c, seen: c.send(f"HTTP/1.1 {status}\r\nContent-Length: 500\r\n{JSON}\r\n")
    p = proxy(server.port)
    for status, code in (("429 No", "too-many-requests"), ("503 No", "server-unavailable"), ("401 No", None)):
        found = hint_of(p.request("HEAD"))
        assert (found and found[0]) == code


@pytest.mark.parametrize("name, coded, code", [
    ("gzip", gzip.compress, "lgn0002"), ("br", lambda body: body, None), ("gzip", lambda body: b"no gzip", None)])
def test_content_codings(server, proxy, name, coded, code):
    body = coded(odata("[LGN0002]x"))
    server.answer = "403 No", JSON + f"Content-Encoding: {name}\r\n", body
    answer = proxy(server.port).request(fields=[("Accept-Encoding", "gzip, br")])
    found = hint_of(answer)
    assert (found and found[0]) == code and (code is None or answer.status == 403)


def test_4_kib_are_looked_at(server, proxy):
    p = proxy(server.port)
    for pad, hinted in ((3900, True), (4100, False)):
        body = b'{"error":{"x":"' + b"x" * pad + b'","message":"[LGN0002]"}}' + b" " * 200000
        server.answer = "403 No", JSON, body
        answer = p.request()
        assert answer.body == body and (hint_of(answer) is not None) == hinted


def test_hints_can_be_turned_off(server, proxy):
    server.answer = CODES["auth0032"]
    p = proxy(server.port, hints="off")
    assert hint_of(p.request()) is None
    log = p.last_log()
    assert "hint" not in log and log["error"] == "client-certificate-refused" and log["code"] == "auth0032"


def test_nobody_else_speaks_in_its_name(server, proxy):
    lie = 'Sfmtls-Hint: lgn0002; cause="a lie"; cure="a lie"\r\n'
    p = proxy(server.port)
    for status in ("200 OK", "403 No"):
        server.answer = status, lie, b""
        assert hint_of(p.request()) is None
    server.answer = "429 No", lie, b""
    assert hint_of(p.request())[0] == "too-many-requests"


@pytest.mark.parametrize("beginning, code", [
    (b'{"error":{"code":"AuthenticationFailed","message":"Authentic', None),
    (b'{"error":{"code":"x","message":"[LGN0003]Authentic', "lgn0003"), (b"", None)])
@pytest.mark.parametrize("status", [401, 403])
def test_head_waits_for_a_second(script, proxy, tenant, beginning, code, status):
    """The content stops, within a string: the head goes on after a second, and the rest when it comes."""
    go_on = threading.Event()
    rest = b'","x":1}}'

    def run(c):
        c.head()
        c.send(f"HTTP/1.1 {status} No\r\n{JSON}Content-Length: {len(beginning + rest)}\r\n\r\n".encode() + beginning)
        harness.happened(go_on)
        c.send(rest)
        c.at_end()

    p = proxy(tenant(script(run).port, rewrite_links="off"))
    with p.caller() as c:
        begun = time.monotonic()
        c.send(harness.head_lines())
        head = c.read_until(b"\r\n\r\n")
        assert time.monotonic() - begun >= 1
        found = hint_of(harness.Answer(head, b"", False))
        assert (found and found[0]) == code
        assert c.read_exactly(len(beginning)) == beginning
        go_on.set()
        assert c.read_exactly(len(rest)) == rest
    assert ("hint" in p.last_log()) == (code is not None)


def test_content_bit_by_bit(script, proxy):
    def run(c):
        c.head()
        c.send(f"HTTP/1.1 403 No\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n")
        for i, byte in enumerate(body):
            c.send(b"1\r\n%c\r\n" % byte)
        c.send("0\r\n\r\n")
        c.at_end()

    body = odata("[LGN0002]x")
    answer = proxy(script(run).port).request()
    assert answer.body == body and hint_of(answer)[0] == "lgn0002"


# How the server says where its content ends.
FRAMINGS = {
    "length": lambda body: b"Content-Length: %d\r\n\r\n" % len(body) + body,
    "chunked": lambda body: (b"Transfer-Encoding: chunked\r\n\r\n"
                             + (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"),
    "close": lambda body: b"Connection: close\r\n\r\n" + body,
}


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 70000])
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_content_is_whole_however_it_is_framed(framing, size, version, script, proxy, tenant):
    """What is held goes on as it came, and what the caller asks for next is not mixed into it."""
    body = (odata("[LGN0002]x") + b" " * size)[:size]

    def run(c):
        while c.head():
            c.send(f"HTTP/1.1 403 No\r\n{JSON}".encode() + FRAMINGS[framing](body))
            if framing == "close":
                break

    p = proxy(tenant(script(run).port, rewrite_links="off"))
    with p.caller() as c, p.caller() as another:
        for caller in (c, another if version == "1.0" else c):
            answer = caller.request(version=f"HTTP/{version}")
            assert (answer.status, answer.body) == (403, body)
            assert (hint_of(answer) or [None])[0] == ("lgn0002" if size > 1 else None)


# ---- what the process knows ----

def test_certificate_as_security_center_shows_it(server, proxy, pki):
    server.answer = CODES["auth0032"]
    _, cause, cure = hint_of(proxy(server.port).request())
    facts = json.loads(harness.run_cli("cert", "show", "--json", f"{pki}/acme-all.pem").stdout)
    for word in (f"issuer {facts['issuer']}", f"subject {facts['subject']}", f"serial number {facts['serial']}",
                 "SHA-256 " + facts["sha256"].replace(":", ""), "mapping in Security Center"):
        assert word in cause, cause
    assert cause.index("mapping") < cause.index("company ID")
    assert "delete the mapping and upload the same certificate again" in cure


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def test_since_when_it_worked(server, proxy):
    p = proxy(server.port)
    server.answer = CODES["auth0032"]
    since = f"No call with this certificate has succeeded since sfmtls loaded it at {TIME}\\."
    assert re.search(since, hint_of(p.request())[1])
    server.answer = "200 OK", "", b""
    assert p.request().status == 200
    p.wait_for_log(2)
    server.answer = CODES["auth0032"]
    assert re.search(f"This certificate worked until {TIME}\\.", hint_of(p.request())[1])


def test_reload_before(server, proxy, tenant, pki):
    server.answer = "200 OK", "", b""
    p = proxy(server.port)
    assert p.request().status == 200
    p.rewrite(p.config.read_text().replace("acme-all.pem", "globex-all.pem"))
    p.said("notice: reloaded")
    server.answer = CODES["auth0032"]
    cause = hint_of(p.request())[1]
    assert re.search(f"A reload brought this certificate at {TIME}; the one before it worked until {TIME}\\.", cause)
    p.rewrite(p.config.read_text() + "max-upstream = 5\n")
    harness.eventually(lambda: p.stderr.count("notice: reloaded") == 2)
    server.answer = CODES["lgn0003"]
    cause = hint_of(p.request())[1]
    assert re.search(f"The configuration was reloaded at {TIME}\\.", cause)


def test_switch_before_and_the_other_one(pki, started, proxy, tenant):
    server = Server(pki)
    started.append(server)
    server.refused = set()
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem"))
    assert p.request().body == b"acme_user"
    server.refused = {"acme_user"}
    assert p.request().body == b"globex_user"
    p.wait_for_log(2)
    server.refused = {"acme_user", "globex_user"}
    cause = hint_of(p.request("POST", body=b"x"))[1]
    assert re.search(f"sfmtls switched to certificate-next at {TIME}\\.", cause), cause


def test_authorization_that_was_passed_on(server, proxy, tenant):
    p = proxy(tenant(server.port, authorization="keep"))
    server.answer = CODES["lgn0022"]
    told = "The caller's own Authorization field was passed on"
    assert told in hint_of(p.request(fields=[("Authorization", "Bearer stale")]))[1]
    assert told not in hint_of(p.request())[1]


def test_unknown_code_is_named(server, proxy):
    server.answer = CODES["lgn-unknown"]
    assert "[LGN0099]" in hint_of(proxy(server.port).request())[1]


def test_log_in_json(server, proxy):
    p = proxy(server.port, log_format="json")
    server.answer = CODES["lgn0002"]
    p.request()
    line = harness.eventually(lambda: [l for l in p.stderr.splitlines() if '"status":403' in l])[0]
    assert json.loads(line)["hint"] == "lgn0002"


# ---- times ----

def parts_of(log):
    return [name for name in ("queue-ms", "dns-ms", "connect-ms", "tls-ms") if name in log]


@harness.one_worker
def test_times_of_the_way_in_the_log(server, proxy, tenant):
    server.answer = "200 OK", "", b""
    p = proxy(tenant(server.port, connect_to=f"localhost:{server.port}"))
    with p.caller() as c:
        c.request()
        c.request()
    new, kept = p.last_log(1), p.last_log(2)
    assert parts_of(new) == ["dns-ms", "connect-ms", "tls-ms"] and parts_of(kept) == []
    total = sum(float(new[name]) for name in parts_of(new))
    assert 0 < total <= float(new["total-ms"])


def test_time_of_a_connection_that_fails(proxy):
    p = proxy(harness.closed_port())
    assert p.request().token == "connection-refused"
    assert parts_of(p.last_log()) == ["connect-ms"]


@harness.one_worker
def test_server_timing(server, proxy):
    server.answer = "200 OK", "Server-Timing: db;dur=1\r\n", b""
    p = proxy(server.port, server_timing="on")
    with p.caller() as c:
        theirs, ours = c.request().all("Server-Timing")
        assert theirs == "db;dur=1"
        assert re.fullmatch(r"connect;dur=\d+\.\d{3}, tls;dur=\d+\.\d{3}, wait;dur=\d+\.\d{3}", ours), ours
        assert re.fullmatch(r"wait;dur=\d+\.\d{3}", c.request().all("Server-Timing")[1])
    p = proxy(server.port)
    assert p.request().all("Server-Timing") == ["db;dur=1"]
