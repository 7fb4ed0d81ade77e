"""Who may call: listeners that others reach, names of the proxy, web pages, tokens, and what other proxies forward."""
import contextlib
import os
import re
import socket
import subprocess
import types

import pytest

import harness
import test_config
from conftest import proxy_section
from test_callers_file import basic, hashed
from test_connect import SERVER, make_ca, secure, trusting

TOKEN, OTHER = "0123456789abcdef", "a-second-token-for-rotation"
MINE = ("X-Sfmtls-Token", TOKEN)
APP = "https://app.example"
BEARER = 'Bearer realm="sfmtls"'


def write(path, text, mode=0o600):
    """Whole from its first moment."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(mode)
    os.replace(new, path)
    return path


@pytest.fixture
def tokens(tmp_path):
    return write(tmp_path / "tokens", f"# callers\n{TOKEN}\n\n{OTHER}\n")


@pytest.fixture
def recorder(pki, started):
    started.append(harness.Recorder(pki))
    return started[-1]


def refused(answer, status, token):
    assert (answer.status, answer.token) == (status, token)
    return answer


def own_address():
    """An IPv4 address of this machine that is not of the loopback network; a machine without a network gets one."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    own = next((address for address in found if ":" not in address), None)
    if own is None:
        subprocess.run(["ip", "address", "add", "192.0.2.2/32", "dev", "lo"], check=False)  # or another test has
        own = "192.0.2.2"
    return own


# ---- listeners that others reach ----

HOLE = "[proxy]\n>>>listen = {listen}\n{keys}[tenant acme]\ncompany-id = ACME\nserver = localhost:1\n" \
       "ca-file = PKI/ca.pem\ncertificate = PKI/acme-all.pem\n{more}"
SECOND = "[tenant second]\ncompany-id = B\nserver = localhost:2\nca-file = PKI/ca.pem\n" \
         "certificate = PKI/acme-all.pem\n"
CALLERS = "callers-file = TMP/callers\n"
TUNNEL = "connect-other = tunnel\nconnect-allow = login.example.com:443\n"
ALLOWED = "allow-remote = yes\n"
WITH_TOKEN = ALLOWED + "caller-token-file = TMP/tokens\n"
HOLES = [  # listen, [proxy], what stands behind the tenant, words
    ("0.0.0.0:0", "", "", ["`0.0.0.0:0`", "other machines", "allow-remote = yes", "127.0.0.1"]),
    ("[::]:0", "allow-remote = no\n", "", ["`[::]:0`", "allow-remote = yes"]),
    ("192.0.2.1:8080", "caller-token-file = TMP/tokens\n", "", ["allow-remote = yes"]),
    ("127.0.0.1:0, 0.0.0.0:0", ALLOWED, "", ["`0.0.0.0:0`", "caller-token-file", "callers-file in [tenant acme]"]),
    ("0.0.0.0:0", ALLOWED, CALLERS + SECOND, ["callers-file in [tenant second]"]),
    ("0.0.0.0:0", ALLOWED, SECOND + CALLERS, ["callers-file in [tenant acme]"]),
    ("0.0.0.0:0", ALLOWED + TUNNEL, CALLERS, ["connect-other", "caller-token-file"]),
]


@pytest.fixture
def filled(tmp_path, pki, tokens):
    write(tmp_path / "callers", f"u@ACME:{hashed('pw')}\n")
    return lambda text: test_config.fill(text, pki, tmp_path)


@pytest.mark.parametrize("listen, keys, more, words", HOLES)
def test_a_hole_is_not_opened(listen, keys, more, words, tmp_path, filled):
    text = filled(HOLE.format(listen=listen, keys=keys, more=more))
    test_config.refused(tmp_path, text, words)


def test_a_hole_of_a_tenant_is_not_opened(tmp_path, filled):
    """That of its own listener, whoever else has a callers-file."""
    text = HOLE.replace(">>>", "").format(listen="127.0.0.1:0", keys=ALLOWED, more=CALLERS) + SECOND
    test_config.refused(tmp_path, filled(text + ">>>listen = 0.0.0.0:0\n"), ["callers-file in [tenant second]"])
    test_config.refused(tmp_path, filled(text.replace(ALLOWED, "") + ">>>listen = 0.0.0.0:0\n"), ["allow-remote"])


@pytest.mark.parametrize("listen, keys, more", [
    ("0.0.0.0:0", WITH_TOKEN, ""), ("[::]:0", WITH_TOKEN, SECOND), ("0.0.0.0:0", ALLOWED, CALLERS),
    ("0.0.0.0:0", ALLOWED, CALLERS + SECOND + CALLERS), ("0.0.0.0:0", WITH_TOKEN + TUNNEL, ""),
    ("127.0.0.1:0", ALLOWED, CALLERS + "listen = 0.0.0.0:0\n" + SECOND), ("127.0.0.1:0", ALLOWED, ""),
])
def test_what_tells_callers_apart_is_enough(listen, keys, more, tmp_path, filled):
    path = tmp_path / "sfmtls.ini"
    path.write_text(filled(HOLE.replace(">>>", "").format(listen=listen, keys=keys, more=more)))
    result = harness.run_cli("run", "-t", "-c", str(path))
    assert (result.returncode, result.stdout) == (0, harness.tested_ok(path)), result.stderr
    warned = re.findall(r"warning: .*:\d+: callers reach (\S+) by plain HTTP", result.stderr)
    assert len(warned) == ("0.0.0.0" in listen + more or "[::]" in listen), result.stderr


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_remote_listener(listen, proxy, recorder, tokens):
    """A caller needs the token there, even from this machine, and is told nothing without."""
    p = proxy(recorder.port, listen=listen, allow_remote="yes", caller_token_file=tokens)
    assert p.addresses[0].rsplit(":", 1)[0] == listen.rsplit(":", 1)[0]
    harness.eventually(lambda: "by plain HTTP" in p.stderr)
    assert p.request(fields=[MINE]).status == 200
    refused(p.request(), 401, "caller-token-missing")
    refused(p.request(host="evil.example"), 401, "caller-token-missing")
    refused(p.request(host="evil.example", fields=[MINE]), 421, "host-not-served")


def test_the_address_where_a_caller_came_in_is_a_name(proxy, recorder, tokens):
    """A page cannot make an address mean another machine; a name, or another address, says nothing."""
    address = own_address()
    p = proxy(recorder.port, listen="0.0.0.0:0", allow_remote="yes", caller_token_file=tokens)
    call = lambda to, host: harness.Caller((to, p.port)).request(host=host, fields=[MINE])
    for host in (address, f"{address}:{p.port}", f"{address}:1", "localhost", "127.0.0.1", "[::1]"):
        assert call(address, host).status == 200, host
    for host in ("evil.example", "0.0.0.0", "192.0.2.77", socket.gethostname() + ".example", "[2001:db8::1]"):
        refused(call(address, host), 421, "host-not-served")
    refused(call("127.0.0.1", address), 421, "host-not-served")
    assert call("127.0.0.2", "127.0.0.3").status == 200


def test_addresses_of_the_machine_are_no_names_on_the_loopback(proxy, recorder):
    p = proxy(recorder.port)
    refused(p.request(host=own_address()), 421, "host-not-served")
    refused(p.request(host="0.0.0.0"), 421, "host-not-served")


def test_callers_file_on_a_remote_listener(proxy, recorder, tenant, tmp_path):
    callers = write(tmp_path / "callers", f"u@ACME:{hashed('pw')}\n")
    p = proxy(tenant(recorder.port, callers_file=callers), listen="0.0.0.0:0", allow_remote="yes")
    refused(p.request(), 401, "caller-unknown")
    assert p.request(fields=[basic("u@ACME", "pw")]).status == 200


def test_reload_cannot_open_a_hole(proxy, recorder, tenant, tokens, tmp_path):
    p = proxy(recorder.port, listen="0.0.0.0:0", allow_remote="yes", caller_token_file=tokens)
    whole = p.config.read_text()
    write(p.config, whole.replace(f"caller-token-file = {tokens}\n", ""))
    harness.eventually(lambda: "not reloaded" in p.stderr)
    refused(p.request(), 401, "caller-token-missing")
    assert p.request(fields=[MINE]).status == 200


# ---- names ----

NAMES = [("proxy.example", 200), ("PROXY.example.:8080", 200), ("second.example", 200), ("192.0.2.7:1", 200),
         ("[2001:DB8::0:1]", 200), ("[2001:db8::2]", 421), ("192.0.2.8", 421), ("x.proxy.example", 421),
         ("evilproxy.example", 421), ("example", 421), ("localhost", 200)]


@pytest.fixture(scope="module")
def named(recorded_by):
    return recorded_by(host_names="Proxy.example, second.example\nhost-names = [2001:db8::1], 192.0.2.7")


@pytest.mark.parametrize("host, status", NAMES)
def test_names_of_the_proxy(named, host, status):
    answer = named.proxy.request(host=host)
    assert answer.status == status
    if status == 421:
        refused(answer, 421, "host-not-served")


def test_own_origin_under_a_name_of_the_proxy(named):
    """A page that came from there is at home; under another port or name it is not."""
    ask = lambda origin: named.proxy.request(host="proxy.example:8080", fields=[("Origin", origin)])
    assert ask("http://proxy.example:8080").status == 200
    for origin in ("http://proxy.example", "http://second.example:8080", "https://proxy.example:8080"):
        refused(ask(origin), 403, "foreign-origin")


def test_links_lead_back_under_the_name_that_was_used(proxy, script):
    server = script(harness.answering(lambda c, *_: c.reply(
        b'{"uri":"https://localhost:%d/x"}' % c.sock.getsockname()[1], fields="Content-Type: application/json\r\n")))
    p = proxy(server.port, host_names="proxy.example")
    assert p.request(host="proxy.example:8080").json() == {"uri": "http://proxy.example:8080/x"}


# ---- pages ----

EXPOSED = [("Access-Control-Allow-Origin", APP), ("Access-Control-Expose-Headers", "*"), ("Vary", "Origin")]
SENT = "Access-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\n" \
       "Access-Control-Max-Age: 1\r\nVary: Accept\r\nX-Other: 1\r\n"


def cors(answer):
    return [(n, v) for n, v in answer.fields if n.lower().startswith("access-control-") or n == "Vary"]


@pytest.fixture(scope="module")
def pages(recorded_by):
    return recorded_by(lambda c, seen: c.reply(b"" if seen.method == "HEAD" else b"ok", fields=SENT),
                       allow_origin=f"{APP}:443, http://localhost:3000\nallow-origin = chrome-extension://abc")


@pytest.fixture
def page(pages):
    pages.server.take()
    return pages


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "same-origin"])
def test_page_that_may_call(page, method, site):
    """It can read the answer, by the proxy's word; the server is asked as if no page did, and not believed."""
    fields = [("Origin", APP)] + ([("Sec-Fetch-Site", site)] if site else [])
    answer = page.proxy.request(method, fields=[*fields, ("X-A", "1")])
    assert answer.status == 200
    assert cors(answer) == [("Vary", "Accept"), *EXPOSED]
    assert answer.all("X-Other") == ["1"]
    [seen] = page.server.take()
    assert seen.others() == [("X-A", "1")]


@pytest.mark.parametrize("origin", ["http://localhost:3000", "chrome-extension://abc"])
def test_each_origin_gets_its_own(page, origin):
    assert page.proxy.request(fields=[("Origin", origin)]).all("Access-Control-Allow-Origin") == [origin]


FOREIGN = [[("Origin", origin)] for origin in (
    "https://evil.example", "http://app.example", "https://app.example:444", "https://app.example:443",
    "https://app.example.", "https://x.app.example", "https://app.example.evil", "https://app.example@evil", "null", "",
    "*", "HTTPS://APP.EXAMPLE", f"{APP}, https://evil.example", f"{APP} ", "http://localhost:3001")]
FOREIGN[FOREIGN.index([("Origin", f"{APP} ")])] = [("Origin", f"{APP}/")]
FOREIGN += [[("Origin", APP), ("Origin", APP)], [("Origin", APP), ("Origin", "https://evil.example")],
            [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Referer", APP + "/"),
                                                                                  ("Sec-Fetch-Site", "cross-site")]]


@pytest.mark.parametrize("fields", FOREIGN, ids=str)
@pytest.mark.parametrize("preflight", [False, True])
def test_page_that_may_not(page, fields, preflight):
    """Nothing reaches the server, and nothing lets the page read the refusal."""
    asks = [("Access-Control-Request-Method", "PUT")] if preflight else []
    answer = refused(page.proxy.request("OPTIONS" if preflight else "POST", fields=[*fields, *asks]), 403,
                     "foreign-origin")
    assert cors(answer) == [("Vary", "Origin")]
    assert page.server.take() == []


def test_other_callers_get_what_the_server_says(page):
    """But caches are told that pages get something else."""
    got = cors(page.proxy.request())
    assert got == [("Access-Control-Allow-Origin", "*"), ("access-control-allow-credentials", "true"),
                   ("Access-Control-Max-Age", "1"), ("Vary", "Accept"), ("Vary", "Origin")]
    assert cors(page.proxy.request(host="localhost:8080", fields=[("Origin", "http://localhost:8080")])) == got


def test_nothing_is_added_where_no_page_may_call(recorded):
    answer = recorded.proxy.request()
    assert cors(answer) == []
    assert cors(recorded.proxy.request(fields=[("Origin", APP)])) == []


METHODS = "GET, HEAD, POST, PUT, PATCH, MERGE, DELETE, OPTIONS"
PREFLIGHTS = [  # (what is asked, what is told beside the usual)
    ([], []),
    ([("Access-Control-Request-Headers", "x-csrf-token,content-type")],
     [("Access-Control-Allow-Headers", "x-csrf-token,content-type")]),
    ([("access-control-request-headers", "x-sfmtls-token, authorization")],
     [("Access-Control-Allow-Headers", "x-sfmtls-token, authorization")]),
    ([("Access-Control-Request-Headers", "x<script>")], []), ([("Access-Control-Request-Headers", "\xe4")], []),
    ([("Access-Control-Request-Private-Network", "true")], [("Access-Control-Allow-Private-Network", "true")]),
    ([("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors")], []),
]


@pytest.mark.parametrize("asked, told", PREFLIGHTS)
def test_preflights_are_answered_here(page, asked, told):
    """On a connection that goes on; the server hears nothing."""
    with page.proxy.caller() as c:
        for target in ("/odata/v2/User", "*"):
            c.send(harness.head_lines("OPTIONS", target, f"Origin: {APP}", "Access-Control-Request-Method: PUT",
                                      *(f"{n}: {v}" for n, v in asked)))
            answer = c.answer()
            assert (answer.status, answer.reason) == (204, "No Content")
            assert answer.all("Content-Length") == answer.all("Content-Type") == answer.all("Connection") == []
            assert cors(answer) == [*EXPOSED, ("Access-Control-Allow-Methods", METHODS), *told,
                                    ("Access-Control-Max-Age", "600")]
        assert page.server.take() == []
        assert c.request().status == 200


def test_preflight_in_other_clothes(page):
    """With a body, from HTTP/1.0, in absolute-form."""
    asks = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert page.proxy.request("OPTIONS", fields=asks, body=b"abc").status == 204
    assert page.proxy.request("OPTIONS", fields=asks, version="HTTP/1.0").status == 204
    assert page.proxy.request("OPTIONS", f"http://localhost:{page.server.port}/x", fields=asks).status == 204
    assert page.server.take() == []


def test_preflight_under_a_foreign_name(page):
    """A page that may call is not a name that may."""
    asks = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    refused(page.proxy.request("OPTIONS", fields=asks, host="evil.example"), 421, "host-not-served")


def test_options_that_asks_nothing_goes_to_the_server(page):
    assert page.proxy.request("OPTIONS", fields=[("Origin", APP)]).status == 200
    assert page.server.take()[0].method == "OPTIONS"


def test_preflight_is_logged(proxy, recorder):
    p = proxy(recorder.port, allow_origin=APP)
    asks = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert p.request("OPTIONS", "/odata/v2/User('x')", fields=asks).status == 204
    line = p.last_log()
    assert (line["method"], line["path"], line["status"]) == ("OPTIONS", "/odata/v2/User(...)", "204")


def test_pages_can_read_what_the_last_recipient_answers(page):
    answer = page.proxy.request("OPTIONS", fields=[("Origin", APP), ("Max-Forwards", "0")])
    assert answer.status == 204 and cors(answer) == EXPOSED and page.server.take() == []


def test_pages_can_read_refusals_of_the_proxy(page):
    answer = refused(page.proxy.request(fields=[("Origin", APP), ("successfactors-companyid", "X")]), 403,
                     "tenant-unknown")
    assert cors(answer) == EXPOSED


def test_page_whose_browser_uses_the_proxy(proxy, tenant, recorder, tmp_path):
    """In absolute-form, and inside of a CONNECT."""
    section = tenant(recorder.port, server=SERVER)
    ca = make_ca(tmp_path, section)
    p = proxy(section, local_ca=ca, allow_origin=APP)
    asks = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert p.request("OPTIONS", f"http://{SERVER}/x", fields=asks).status == 204
    assert cors(p.request("GET", f"http://{SERVER}/x", fields=asks[:1])) == EXPOSED
    with p.caller() as c:
        connect(c, f"{SERVER}:443")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        secure(c, trusting(ca))
        assert c.request("OPTIONS", "/x", fields=asks, host=SERVER).status == 204
        assert cors(c.request("GET", "/x", fields=asks[:1], host=SERVER)) == EXPOSED
        refused(c.request("GET", "/x", fields=[("Origin", "https://evil.example")], host=SERVER), 403,
                "foreign-origin")
        refused(c.request("GET", "/x", fields=asks[:1], host="evil.example"), 421, "host-not-served")
    assert [(seen.method, seen.others()) for seen in recorder.take()] == [("GET", [])] * 2


# ---- tokens ----

GIVEN = [[MINE], [("x-sfmtls-token", OTHER)], [("Proxy-Authorization", f"Bearer {TOKEN}")],
         [("proxy-authorization", f"bearer  {OTHER}")], [("Proxy-Authorization", "Basic eDp5"), MINE],
         [("X-Sfmtls-Token", "wrong-wrong-wrong-wrong"), ("Proxy-Authorization", f"Bearer {TOKEN}")]]
NOT_GIVEN = [[], [("X-Sfmtls-Token", "")], [("X-Sfmtls-Token", TOKEN[:-1])], [("X-Sfmtls-Token", TOKEN + "0")],
             [("X-Sfmtls-Token", TOKEN.upper())], [("X-Sfmtls-Token", "# callers")], [("X-Sfmtls-Token", "x" * 5000)],
             [("X-Sfmtls-Token", f"{TOKEN}, {OTHER}")], [("Proxy-Authorization", TOKEN)],
             [("Proxy-Authorization", f"Basic {TOKEN}")], [("Proxy-Authorization", "Bearer")],
             [("Authorization", f"Bearer {TOKEN}")], [("Cookie", f"X-Sfmtls-Token={TOKEN}")],
             [("Proxy-Authorization", f"Bearer{TOKEN}")]]


@pytest.fixture(scope="module")
def tokened(recorded_by, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("tokens") / "tokens", f"# callers\n{TOKEN}\n\n{OTHER}\n")
    return recorded_by(caller_token_file=path, allow_origin=APP)


@pytest.mark.parametrize("fields", GIVEN, ids=str)
def test_who_knows_a_token_may_call(tokened, fields):
    """And the server never learns of it."""
    tokened.server.take()
    for target in ("/", f"http://localhost:{tokened.server.port}/x"):
        assert tokened.proxy.request("POST", target, fields=[*fields, ("X-A", "1")], body=b"abc").status == 200
        [seen] = tokened.server.take()
        assert seen.others() == [("X-A", "1"), ("Content-Length", "3")]


@pytest.mark.parametrize("fields", NOT_GIVEN, ids=lambda f: str(f)[:60])
def test_who_does_not_may_not(tokened, fields):
    """The refusal tells the way in which it is asked for, and nothing else; the connection ends."""
    tokened.server.take()
    for target, status, token, field in (("/", 401, "caller-token-missing", "WWW-Authenticate"),
                                         (f"http://localhost:{tokened.server.port}/x", 407, "proxy-token-missing",
                                          "Proxy-Authenticate"),
                                         ("http://nobody.example/", 407, "proxy-token-missing", "Proxy-Authenticate")):
        with tokened.proxy.caller() as c:
            answer = refused(c.request("GET", target, fields=[*fields, ("successfactors-companyid", "Z")]), status,
                             token)
            assert c.is_closed()
        assert [(n, v) for n, v in answer.fields if n.endswith("-Authenticate")] == [(field, BEARER)]
        assert answer.get("Connection") == "close"
        assert not any(word in answer.body.decode() for word in (TOKEN, OTHER, "ACME", "localhost"))
    assert tokened.server.take() == []


def test_token_in_a_trailer_opens_nothing_and_stays_here(tokened):
    tokened.server.take()
    trailer = f"0\r\nX-Sfmtls-Token: {TOKEN}\r\nForwarded: for=x\r\nX-T: 1\r\n\r\n"
    with tokened.proxy.caller() as c:
        c.send(harness.head_lines("POST", "/", "Transfer-Encoding: chunked") + trailer)
        refused(c.answer(), 401, "caller-token-missing")
    with tokened.proxy.caller() as c:
        c.send(harness.head_lines("POST", "/", "Transfer-Encoding: chunked", "X-Sfmtls-Token: " + TOKEN) + trailer)
        assert c.answer().status == 200
    [seen] = tokened.server.take()
    assert seen.trailers == b"X-T: 1\r\n"


def test_page_needs_the_token_too(tokened):
    """Its browser's preflight cannot bear it; what it asks for can."""
    asks = [("Origin", APP), ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "x-sfmtls-token")]
    answer = tokened.proxy.request("OPTIONS", fields=asks)
    assert (answer.status, answer.get("Access-Control-Allow-Headers")) == (204, "x-sfmtls-token")
    answer = refused(tokened.proxy.request(fields=[("Origin", APP)]), 401, "caller-token-missing")
    assert cors(answer) == EXPOSED, "so it can read why"
    assert tokened.proxy.request(fields=[("Origin", APP), MINE]).status == 200
    refused(tokened.proxy.request("OPTIONS", fields=[("Origin", "https://evil.example"), *asks[1:], MINE]), 403,
            "foreign-origin")


def test_token_and_password_are_both_needed(proxy, recorder, tenant, tokens, tmp_path):
    callers = write(tmp_path / "callers", f"u@ACME:{hashed('pw')}\n")
    p = proxy(tenant(recorder.port, callers_file=callers), caller_token_file=tokens)
    know = basic("u@ACME", "pw")
    refused(p.request(fields=[know]), 401, "caller-token-missing")
    refused(p.request(fields=[MINE]), 401, "caller-unknown")
    assert p.request(fields=[MINE, know]).status == 200
    [seen] = recorder.take()
    assert seen.others() == []


def test_token_on_a_unix_socket(proxy, recorder, tokens, tmp_path):
    p = proxy(recorder.port, listen=f"unix:{tmp_path}/s", caller_token_file=tokens)
    refused(p.request(), 401, "caller-token-missing")
    assert p.request(fields=[MINE]).status == 200


def test_token_is_nowhere_told(proxy, recorder, tokens, tmp_path):
    log = tmp_path / "log"
    p = proxy(recorder.port, caller_token_file=tokens, log=log, log_path="full")
    for fields in ([MINE], [("X-Sfmtls-Token", "wrong-" + TOKEN)], [("Proxy-Authorization", f"Bearer {OTHER}x")]):
        p.request(fields=fields)
    harness.eventually(lambda: log.read_text().count(" id=") == 3)
    told = log.read_text() + p.stderr
    assert "error=caller-token-missing" in told and TOKEN not in told and OTHER not in told


FILES = [  # text, mode, line, words
    ("", 0o600, 0, ["no token"]), ("# x\n\n", 0o600, 0, ["no token"]), (f"{TOKEN}\nshort-token\n", 0o600, 2, ["16"]),
    (f"{TOKEN} {OTHER}\n", 0o600, 1, ["blank"]), (f"{TOKEN}\xe4\n", 0o600, 1, ["ASCII"]),
    (f"{TOKEN}\n" * 65, 0o600, 65, ["64"]), ("x" * 513 + "\n", 0o600, 1, ["512"]),
    (TOKEN + "\n", 0o604, 0, ["every user of this machine", "chmod o-r", "defaultMode: 0440"]),
    (TOKEN + "\n", 0o602, 0, ["every user of this machine may change it", "chmod o-w"]),
    (None, 0, 0, ["No such file"]),
]


@pytest.mark.parametrize("text, mode, line, words", FILES)
def test_flaw_of_a_token_file(text, mode, line, words, tmp_path, pki):
    path = tmp_path / "bad-tokens"
    if text is not None:
        write(path, text, mode)
    whole = test_config.fill("[proxy]\n>>>caller-token-file = bad-tokens\n" + test_config.TENANT
                             + test_config.IDENTITY, pki, tmp_path)
    sentence = test_config.refused(tmp_path, whole, [f"{path}:{line}:" if line else f"{path}:", *words])
    assert TOKEN not in sentence and "short-token" not in sentence


def test_group_may_read_the_tokens(proxy, recorder, tokens):
    tokens.chmod(0o640)
    p = proxy(recorder.port, caller_token_file=tokens)
    assert p.request(fields=[MINE]).status == 200


def test_tokens_are_rotated_without_a_restart(proxy, recorder, tokens):
    """A line that goes is not known any more, on connections that are open either."""
    p = proxy(recorder.port, caller_token_file=tokens)
    with p.caller() as c:
        assert c.request(fields=[MINE]).status == 200
        write(tokens, f"{OTHER}\n")
        harness.eventually(lambda: p.request(fields=[MINE]).status == 401)
        refused(c.request(fields=[MINE]), 401, "caller-token-missing")
    assert p.request(fields=[("X-Sfmtls-Token", OTHER)]).status == 200
    write(tokens, "# nothing\n")
    harness.eventually(lambda: "not reloaded" in p.stderr)
    assert p.request(fields=[("X-Sfmtls-Token", OTHER)]).status == 200
    assert OTHER not in p.stderr


# ---- tokens and CONNECT ----

@pytest.fixture
def entrance(proxy, tenant, pki, recorder, tokens, tmp_path):
    """A proxy with a local CA and tokens, and tunnels to one listener."""
    section = tenant(recorder.port, server=SERVER)
    ca = make_ca(tmp_path, section)
    with socket.create_server(("127.0.0.1", 0)) as far:
        port = far.getsockname()[1]
        p = proxy(section, local_ca=ca, caller_token_file=tokens, connect_other="tunnel",
                  connect_allow=f"127.0.0.1:{port}")
        yield types.SimpleNamespace(proxy=p, ca=ca, server=recorder, port=port)


def connect(c, target, *fields):
    c.send("\r\n".join([f"CONNECT {target} HTTP/1.1", "Host: localhost", *fields, "", ""]))


@pytest.mark.parametrize("target", [f"{SERVER}:443", "127.0.0.1:{port}", "elsewhere.example:443"])
@pytest.mark.parametrize("fields", [[], ["Proxy-Authorization: Bearer wrong-wrong-wrong"],
                                    ["Proxy-Authorization: Basic eDp5"]], ids=str)
def test_connect_without_the_token(entrance, target, fields):
    """Whatever it is to: 407, and nothing is told of what is configured."""
    with entrance.proxy.caller() as c:
        connect(c, target.format(port=entrance.port), *fields)
        answer = refused(c.answer(), 407, "proxy-token-missing")
        assert answer.all("Proxy-Authenticate") == [BEARER] and SERVER not in answer.body.decode()
        assert c.is_closed()


@pytest.mark.parametrize("field", [f"Proxy-Authorization: Bearer {TOKEN}", f"X-Sfmtls-Token: {OTHER}"])
def test_connect_with_the_token(entrance, field):
    """Requests inside need not repeat it."""
    with entrance.proxy.caller() as c:
        connect(c, f"{SERVER}:443", field)
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        secure(c, trusting(entrance.ca))
        assert [c.request(host=SERVER).status for _ in range(2)] == [200, 200]
        assert c.request(host=SERVER, fields=[("X-Sfmtls-Token", "another-one-that-is-wrong")]).status == 200
    assert all(seen.others() == [] for seen in entrance.server.take())
    with entrance.proxy.caller() as c:
        connect(c, f"127.0.0.1:{entrance.port}", field)
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_connect_whose_token_was_taken_out(entrance, tokens):
    """What it gave is held against what is known now."""
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(entrance.proxy.caller()) for _ in range(2)]
        for c, token in zip(callers, (TOKEN, OTHER)):
            connect(c, f"{SERVER}:443", f"Proxy-Authorization: Bearer {token}")
            assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
            secure(c, trusting(entrance.ca))
            assert c.request(host=SERVER).status == 200
        write(tokens, f"{OTHER}\n")
        harness.eventually(lambda: entrance.proxy.request(fields=[MINE]).status == 401)
        refused(callers[0].request(host=SERVER), 401, "caller-token-missing")
        assert callers[1].request(host=SERVER).status == 200


def test_curl_with_a_token(entrance):
    run = lambda *more: subprocess.run(
        ["curl", "-sS", "--proxy", f"http://127.0.0.1:{entrance.proxy.port}", "--cacert", str(entrance.ca / "root.pem"),
         "-w", " %{http_connect} %{http_code}", *more, f"https://{SERVER}/"], capture_output=True, text=True,
        timeout=harness.LIMIT)
    assert run().stdout.endswith(" 407 000")
    assert run("--proxy-header", f"Proxy-Authorization: Bearer {TOKEN}").stdout == "ok 200 200"


# ---- reloading ----

def test_who_may_call_is_taken_over_by_a_reload(proxy, recorder):
    """On connections that are open, too."""
    p = proxy(recorder.port)
    with p.caller() as c:
        asks = (("host-not-served", {"host": "proxy.example"}), ("foreign-origin", {"fields": [("Origin", APP)]}),
                ("forwarded-request", {"fields": FORWARDED[:1]}))
        for token, keys in asks:
            assert c.request(**keys).token == token
        whole = p.config.read_text()
        write(p.config, whole.replace("[proxy]\n", f"[proxy]\nhost-names = proxy.example\nallow-origin = {APP}\n"
                                                   "allow-forwarded = yes\n"))
        harness.eventually(lambda: p.request(host="proxy.example").status == 200)
        for _, keys in asks:
            assert c.request(**keys).status == 200
        write(p.config, whole)
        harness.eventually(lambda: p.request(host="proxy.example").status == 421)
        for token, keys in asks:
            assert c.request(**keys).token == token


def test_token_and_listener_come_and_go_by_a_reload(proxy, recorder):
    """Who was let in without, is asked now. A listener for others opens and closes again, and whoever came in by it
    is not served without being known."""
    p = proxy(recorder.port)
    tokens = write(p.folder / "tokens", f"{TOKEN}\n")  # where the sandbox lets it be read
    with p.caller() as c:
        assert c.request().status == 200
        whole = p.config.read_text()
        write(p.config, whole.replace("[proxy]\n", "[proxy]\nlisten = 0.0.0.0:0\nallow-remote = yes\n"
                                                   f"caller-token-file = {tokens}\n"))
        harness.eventually(lambda: p.request().status == 401)
        refused(c.request(), 401, "caller-token-missing")
    port = int(re.search(r"http://0\.0\.0\.0:(\d+)$", p.said("listening on http://0.0.0.0:"))[1])
    with harness.Caller((own_address(), port)) as c:
        assert c.request(host=own_address(), fields=[MINE, FORWARDED[0]]).status == 200
        write(p.config, whole)
        harness.eventually(lambda: p.request().status == 200)
        refused(c.request(host=own_address()), 421, "host-not-served")
        refused(c.request(host="localhost"), 421, "host-not-served")
    p.said(f"no longer listening on http://0.0.0.0:{port}")
    with pytest.raises(ConnectionRefusedError):
        harness.Caller((own_address(), port))


@pytest.mark.parametrize("remains", ["allow_remote", "callers_file"])
def test_an_older_connection_from_elsewhere_opens_nothing(remains, proxy, recorder, tenant, tokens, tmp_path):
    """The listener by which it came and the token went together; here a tunnel, or a password, would serve it."""
    callers = write(tmp_path / "callers", f"u@ACME:{hashed('pw')}\n")
    keys = {"allow_remote": "yes", "caller_token_file": tokens, "connect_other": "tunnel",
            "connect_allow": f"127.0.0.1:{recorder.port}"}
    p = proxy(tenant(recorder.port, callers_file=callers), listen="0.0.0.0:0", **keys)
    with p.caller() as tunnel, p.caller() as tenants:
        know = basic("u@ACME", "pw")
        for c in (tunnel, tenants):
            assert c.request(fields=[MINE, know]).status == 200
        lines = p.config.read_text().replace("listen = 0.0.0.0:0", "listen = 127.0.0.1:0").splitlines(True)
        gone = ("caller-token-file",) + (("allow-remote",) if remains == "callers_file" else ())
        write(p.config, "".join(line for line in lines if not line.startswith(gone)))
        harness.eventually(lambda: "no longer listening on" in p.stderr)
        harness.eventually(lambda: tenants.request(fields=[know]).status == (421 if remains == "callers_file" else 200))
        connect(tunnel, f"127.0.0.1:{recorder.port}")
        refused(tunnel.answer(), 421, "host-not-served")


# ---- what other proxies forward ----

FORWARDED = [("Forwarded", "for=10.0.0.1"), ("X-Forwarded-For", "127.0.0.1"), ("x-forwarded-host", "evil.example"),
             ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", ""), ("X_Forwarded_For", "::1"),
             ("X-Real-IP", "10.0.0.1")]


@pytest.mark.parametrize("field", FORWARDED, ids=str)
def test_forwarded_requests_are_refused(recorded, field):
    answer = refused(recorded.proxy.request(fields=[field]), 403, "forwarded-request")
    assert field[0] in answer.json()["detail"] and "allow-forwarded" in answer.json()["cure"]
    assert recorded.server.take() == []


def test_forwarded_connect_is_refused(recorded):
    with recorded.proxy.caller() as c:
        connect(c, "localhost:443", "X-Forwarded-For: 10.0.0.1")
        refused(c.answer(), 403, "forwarded-request")


def test_forwarded_requests_on_a_unix_socket(proxy, recorder, tmp_path):
    p = proxy(recorder.port, listen=f"unix:{tmp_path}/s")
    refused(p.request(fields=FORWARDED[:1]), 403, "forwarded-request")


def test_forwarded_requests_that_may(proxy, recorder, tokens):
    """They pass where other machines may call, or if it is allowed; the server is told nothing of it."""
    for keys in ({"allow_forwarded": "yes"},
                 {"listen": "0.0.0.0:0", "allow_remote": "yes", "caller_token_file": tokens}):
        p = proxy(recorder.port, **keys)
        assert p.request(fields=[*FORWARDED, MINE, ("Via", "1.1 x")]).status == 200
        [seen] = recorder.take()
        assert seen.others() == [("Via", "1.1 x")]


def test_forwarded_is_refused_beside_a_remote_listener(proxy, recorder, tokens):
    """Each listener is judged by itself."""
    p = proxy(recorder.port, listen="127.0.0.1:0, 0.0.0.0:0", allow_remote="yes", caller_token_file=tokens)
    fields = [MINE, FORWARDED[0]]
    refused(p.request(fields=fields), 403, "forwarded-request")
    assert p.request(fields=fields, listener=1).status == 200


def test_a_header_of_the_configuration_may_say_it(proxy, recorder, tenant):
    p = proxy(tenant(recorder.port) + "header.X-Forwarded-Proto = https\n")
    assert p.request().status == 200
    [seen] = recorder.take()
    assert seen.others() == [("X-Forwarded-Proto", "https")]
