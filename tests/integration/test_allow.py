"""allow: what a tenant's rules do not cover never reaches its server, by whatever way it comes."""
import contextlib
import types

import pytest

import harness
import test_callers_file
from conftest import proxy_section
from harness import eventually

SERVER = "api4.successfactors.com"
RULES = ("GET /odata/v2/*, POST /odata/v2/$batch", "POST|MERGE /odata/v2/User(*)", "GET /Über")


def rules(lines=RULES):
    """As lines of a tenant's section."""
    return "".join(f"allow = {line}\n" for line in lines)


@pytest.fixture(scope="module")
def path(pki, tenant, tmp_path_factory):
    """A proxy with rules before a server that records; shared by the tests of this module."""
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("allow")
        server = harness.Recorder(pki)
        stack.callback(server.stop)
        sections = tenant(server.port, server=SERVER) + rules()
        root = harness.make_local_ca(folder, proxy_section({"local_ca": folder / "ca"}) + sections)
        proxy = harness.Proxy(folder, proxy_section({"local_ca": folder / "ca"}) + sections)
        stack.callback(proxy.stop)
        yield types.SimpleNamespace(proxy=proxy, server=server, root=root)


def origin_form(c, method, target, fields, body):
    return c.request(method, target, fields, body)


def absolute_form(c, method, target, fields, body):
    return c.request(method, f"http://{SERVER}{target}", fields, body)


def inside_connect(c, method, target, fields, body):
    c.send(f"CONNECT {SERVER}:80 HTTP/1.1\r\nHost: {SERVER}:80\r\n\r\n")
    assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    return c.request(method, target, fields, body, host=SERVER)


FORMS = pytest.mark.parametrize("form", [origin_form, absolute_form, inside_connect])
OVERRIDE = ("X-HTTP-Method", "MERGE")


@FORMS
@pytest.mark.parametrize("method, target, fields", [
    ("GET", "/odata/v2/User?$top=3", []),
    ("HEAD", "/odata/v2/User", []),
    ("GET", "/odata/v2/%55ser('a%20b')/manager", []),
    ("GET", "/odata/v2/", []),
    ("GET", "/%C3%9Cber", []),
    ("GET", "/Über".encode().decode("latin-1"), []),
    ("GET", "/odata/v2/User('M\u00fcller')?x=%c0%ae".encode().decode("latin-1"), []),
    ("POST", "/odata/v2/$batch", []),
    ("MERGE", "/odata/v2/User('x')", []),
    ("POST", "/odata/v2/User('x')", [OVERRIDE]),
])
def test_what_a_rule_covers_passes(path, form, method, target, fields):
    path.server.take()
    with path.proxy.caller() as c:
        answer = form(c, method, target, fields, b"x" if method in ("POST", "MERGE") else b"")
        assert answer.status == 200
    seen, = path.server.take()
    assert seen.method == method
    assert seen.target == "".join(f"%{ord(c):02X}" if ord(c) > 126 else c for c in target), "otherwise as it was sent"


OTHER_PATHS = ["X-Original-URL", "X-Rewrite-URL", "x_original_url", "X-Original-URI", "X-Original-Path",
               "X-Override-URL", "X-Envoy-Original-Path", "Script-Name", "X-Script-Name", "PATH_INFO", "Unencoded-URL",
               "Destination"]


@FORMS
@pytest.mark.parametrize("method, target, fields, expected", [
    ("DELETE", "/odata/v2/User('x')", [], (403, "not-allowed-by-rule")),
    ("OPTIONS", "/odata/v2/User", [], (403, "not-allowed-by-rule")),
    ("OPTIONS", "/odata/v2/User", [("Max-Forwards", "0")], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v4/User", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/V2/User", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata%2Fv2/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/../v4/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/%2e%2E/v4/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/%252e%252e/v4/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2//User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/;x/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/..%5Cv4/User", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/$batch", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/%24ba%74ch", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/User", [("X-HTTP-Method", "DELETE")], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/User", [("x_http_method_override", "PUT")], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/User?_method=DELETE", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/User?$top=1&X-HTTP-Method=PUT", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/\xc0\xae\xc0\xae/v4", [], (400, "path-ambiguous")),
    ("GET", "/odata/v2/%e0%80%ae%e0%80%ae/v4", [], (400, "path-ambiguous")),
    ("POST", "/odata/v2/%20$batch", [], (403, "not-allowed-by-rule")),
    ("GET", "/odata/v2/%20$batch", [], (403, "not-allowed-by-rule")),
    *(("GET", "/odata/v2/User", [(name, "/odata/v4/User")], (400, "path-ambiguous")) for name in OTHER_PATHS),
    ("GET", "/odata/v2/User", [("X-Method-Override", "GET"), ("X-Method-Override", "PUT")],
     (403, "not-allowed-by-rule")),
    ("POST", "/odata/v2/User", [OVERRIDE], (403, "not-allowed-by-rule")),
    ("HEAD", "/other", [], (403, "not-allowed-by-rule")),
])
def test_what_no_rule_covers_is_refused(path, form, method, target, fields, expected):
    """Nothing is sent, and the caller's connection serves the next request."""
    path.server.take()
    with path.proxy.caller() as c:
        answer = form(c, method, target, fields, b"")
        if method == "HEAD":
            assert (answer.status, answer.get("Proxy-Status").split('"')[1]) == expected
        else:
            assert (answer.status, answer.token) == expected
            assert "allow" in answer.json()["cure"] or expected[0] == 400
        after = c.request(target="/odata/v2/after", host=SERVER)
        assert after.status == 200
    assert [seen.target for seen in path.server.take()] == ["/odata/v2/after"]
    assert not path.server.unfinished


def test_body_of_a_refused_request_is_not_read_as_a_request(path):
    path.server.take()
    inner = b"GET /odata/v2/inner HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with path.proxy.caller() as c:
        assert c.request("PUT", "/odata/v2/x", body=inner).token == "not-allowed-by-rule"
        assert c.pending + c.read_to_end() == b"", "closed, or the next request behind the body"
    assert path.server.take() == []


@pytest.mark.parametrize("name", OTHER_PATHS)
def test_fields_that_name_a_path_travel_where_no_rule_is(recorded, name):
    assert recorded.proxy.request(fields=[(name, "/other")]).status == 200
    [seen] = recorded.server.take()
    assert seen.others() == [(name, "/other")]


def test_connect_itself_needs_no_rule(path):
    """And a request in absolute-form inside of it is judged, too."""
    with path.proxy.caller() as c:
        c.send(f"CONNECT {SERVER}:443 HTTP/1.1\r\nHost: {SERVER}:443\r\n\r\n")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert c.request("DELETE", f"http://{SERVER}/odata/v2/User", host=SERVER).token == "not-allowed-by-rule"
        assert c.request("OPTIONS", "*", host=SERVER).token == "not-allowed-by-rule"
        assert c.request("GET", f"http://{SERVER}/odata/v2/User", host=SERVER).status == 200


def test_log_tells_no_key(path):
    assert path.proxy.request("DELETE", "/odata/v2/Logged('jdoe')").token == "not-allowed-by-rule"
    line, = eventually(lambda: [line for line in path.proxy.log_lines() if "Logged" in line])
    assert "tenant=acme DELETE /odata/v2/Logged(...) status=403" in line and "error=not-allowed-by-rule" in line
    assert "jdoe" not in line


def test_rules_are_each_tenants_own(proxy, pki, tenant, started):
    server = harness.Recorder(pki)
    started.append(server)
    p = proxy(tenant(server.port) + rules(["GET /a"]) + tenant(server.port, "globex", "GLOBEX", "globex-all.pem") +
              rules(["GET /b"]) + tenant(server.port, "free", "FREE"))
    got = {(company, target): p.request(target=target, fields=[("successfactors-companyid", company)]).status
           for company in ("ACME", "GLOBEX", "FREE") for target in ("/a", "/b", "/c/../%2e;//")}
    assert got == {("ACME", "/a"): 200, ("ACME", "/b"): 403, ("ACME", "/c/../%2e;//"): 400,
                   ("GLOBEX", "/a"): 403, ("GLOBEX", "/b"): 200, ("GLOBEX", "/c/../%2e;//"): 400,
                   ("FREE", "/a"): 200, ("FREE", "/b"): 200, ("FREE", "/c/../%2e;//"): 200}


def test_stranger_learns_nothing_of_rules(proxy, pki, tenant, started, tmp_path):
    """callers-file comes first; who is known is then judged."""
    server = harness.Recorder(pki)
    started.append(server)
    callers = tmp_path / "acme.callers"
    callers.write_text(f"joe:{test_callers_file.hashed('right')}\n")
    p = proxy(tenant(server.port, callers_file=callers) + rules(["GET /a"]))
    wrong, right = (test_callers_file.basic("joe", password) for password in ("wrong", "right"))
    for target in ("/a", "/b", "/c//d"):
        assert p.request(target=target).token == "caller-unknown"
        assert p.request(target=target, fields=[wrong]).token == "caller-unknown"
    assert server.take() == []
    for _ in range(2):  # the second time the password is remembered
        assert p.request(target="/b", fields=[right]).token == "not-allowed-by-rule"
        assert p.request(target="/c//d", fields=[right]).token == "path-ambiguous"
        assert p.request(target="/a", fields=[right]).status == 200
    assert [seen.target for seen in server.take()] == ["/a", "/a"]


def test_rules_are_reloaded(proxy, pki, tenant, started):
    """Connections stay, callers' and the server's; the rule in force is the newest."""
    server = harness.Recorder(pki)
    started.append(server)
    p = proxy(tenant(server.port) + rules(["GET /a"]))
    text = p.config.read_text()
    with p.caller() as c:
        assert [c.request(target=target).status for target in ("/a", "/b")] == [200, 403]
        p.rewrite(text.replace("GET /a", "GET /b"))
        eventually(lambda: c.request(target="/b").status == 200)
        assert c.request(target="/a").token == "not-allowed-by-rule"
        p.rewrite(text.replace("allow = GET /a\n", ""))
        eventually(lambda: c.request(target="/a").status == 200)
        p.rewrite(text.replace("GET /a", "get /a"))
        eventually(lambda: "capital letters" in p.stderr)
        assert c.request(target="/a").status == 200, "the old configuration stays"
    assert {seen.connection.number for seen in server.take()} == {0}


@pytest.mark.parametrize("line, words", [
    ("get /a", "capital letters"), ("GET", "no path"), ("GET a", "does not begin with '/'"), ("GET /a?b", "query"),
    ("GET /a/../b", "a segment . or .."), ("GET /a, POST", "no path"), ("GET /a*b*c", "two `*`"),
])
def test_flaw_of_a_rule(line, words, tmp_path, pki):
    config = tmp_path / "sfmtls.ini"
    config.write_text(f"[tenant a]\ncompany-id = A\nserver = localhost:1\nallow = GET /x\nallow = {line}\n"
                      f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\n")
    result = harness.run_cli("run", "-t", "-c", str(config))
    assert result.returncode == 2
    assert f"{config}:5: allow: `" in result.stderr and words in result.stderr, result.stderr
    assert "such as GET /odata/v2/*" in result.stderr or "write the path without" in result.stderr
