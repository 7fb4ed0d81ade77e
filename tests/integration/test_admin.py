"""The admin listener: /health for probes, /status for people and scripts."""
import json
import os
import signal
import socket
import subprocess

import pytest

import harness
from test_overlap import Server
from test_reload import Service


def admin_caller(p):
    address = p.ready["admin"]
    if address.startswith("unix:"):
        return harness.Caller(address[5:], socket.AF_UNIX)
    return harness.Caller(("127.0.0.1", int(address.rsplit(":", 1)[1])))


def ask(p, target="/status", method="GET", fields=(), **keys):
    with admin_caller(p) as c:
        return c.request(method, target, fields, **keys)


def status(p):
    answer = ask(p)
    assert (answer.status, answer.get("Content-Type")) == (200, "application/json")
    return answer.json()


def certificates(p, tenant=0):
    return status(p)["tenants"][tenant]["certificates"]


def in_use(p):
    """The option whose certificate is in use."""
    return [c["option"] for c in certificates(p) if c["in_use"]]


def test_what_is_told(proxy, nginx, tenant, pki):
    p = proxy(tenant(nginx.port) + tenant(nginx.port, "globex", "GLOBEX", "globex-all.pem", max_upstream="7"),
              admin="127.0.0.1:0", queue="11", max_connections="22")
    harness.eventually(lambda: f"status on http://{p.ready['admin']}" in p.stderr)
    assert len(p.ready["listeners"]) == 1
    with p.caller() as c:
        c.request(target="/who", fields=[("successfactors-companyid", "ACME")])
        told = status(p)
    assert told["pid"] == p.process.pid
    assert told["version"] == harness.run_cli("version").stdout.split()[1]
    assert told["configuration"]["file"] == str(p.config) and told["configuration"]["refused"] is None
    assert told["started"] <= told["time"] and told["configuration"]["loaded"] <= told["started"]
    assert told["queue"] == {"used": 0, "limit": 11} and told["callers"]["limit"] == 22
    assert told["callers"]["used"] >= 1
    acme, globex = told["tenants"]
    assert (acme["name"], acme["company_id"], acme["server"]) == ("acme", "ACME", f"localhost:{nginx.port}")
    assert acme["connections"] == {"used": 1, "limit": 64} and globex["connections"] == {"used": 0, "limit": 7}
    shown = harness.run_cli("cert", "show", "--json", f"{pki}/acme-all.pem")
    one, = acme["certificates"]
    facts = json.loads(shown.stdout)
    for name in ("subject", "issuer", "serial", "sha256", "not_before", "not_after"):
        assert one[name] == facts[name], name
    assert one["days_left"] - facts["days_left"] in (0, 1)  # the day may have ended between the two
    assert (one["option"], one["file"], one["state"], one["in_use"]) == (
        "certificate", f"{pki}/acme-all.pem", "valid", True)


def test_notes_are_told(proxy, nginx, tenant):
    p = proxy(tenant(nginx.port, listen="127.0.0.1:0") + tenant(nginx.port, "globex", "GLOBEX"),
              listen=None, admin="127.0.0.1:0")
    notes = [(note["level"], note["sentence"]) for note in status(p)["configuration"]["notes"]]
    assert [level for level, sentence in notes if "nobody can call tenant globex" in sentence] == ["warning"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_needs_no_server(proxy, tenant, method):
    """It does not depend on a server that can be reached."""
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    answer = ask(p, "/health?verbose", method)
    assert answer.status == 200 and answer.body == (b"ok\n" if method == "GET" else b"")
    assert answer.get("Content-Length") == "3" and answer.get("Cache-Control") == "no-store"


def test_unix_socket(proxy, nginx, tmp_path):
    p = proxy(nginx.port, admin=f"unix:{tmp_path}/admin")
    assert os.stat(tmp_path / "admin").st_mode & 0o777 == 0o600
    out = subprocess.run(["curl", "-sS", "--unix-socket", tmp_path / "admin", "http://any.name/health"],
                         capture_output=True, timeout=harness.LIMIT)
    assert out.stdout == b"ok\n"
    p.stop()
    assert not (tmp_path / "admin").exists()


@pytest.mark.parametrize("keys, code, token", [
    ({"target": "/odata/v2/User"}, 404, "admin-path"),
    ({"target": "//"}, 404, "admin-path"),
    ({"target": "/Status"}, 404, "admin-path"),
    ({"method": "POST"}, 405, "admin-method"),
    ({"method": "POST", "target": "/ready"}, 405, "admin-method"),
    ({"method": "POST", "target": "/quit"}, 403, "admin-action-refused"),
    ({"method": "POST", "target": "/reload"}, 403, "admin-action-refused"),
    ({"target": "/quit"}, 405, "admin-post-only"),
    ({"method": "HEAD", "target": "/reload"}, 405, None),
    ({"method": "PUT", "target": "/reload"}, 405, "admin-post-only"),
    ({"method": "TRACE"}, 405, "admin-method"),
    ({"method": "CONNECT", "target": "localhost:443"}, 405, "admin-method"),
    ({"host": "evil.test"}, 421, "host-not-served"),
    ({"fields": [("Origin", "http://evil.test")]}, 403, "foreign-origin"),
    ({"fields": [("Sec-Fetch-Site", "cross-site")]}, 403, "foreign-origin"),
    ({"target": "/sta tus"}, 400, "request-target"),
])
def test_request_that_the_admin_listener_refuses(proxy, nginx, keys, code, token):
    p = proxy(nginx.port, admin="127.0.0.1:0")
    answer = ask(p, **keys)
    assert (answer.status, answer.token if answer.body else None) == (code, token)
    if code == 405:
        acts = keys.get("target") in ("/quit", "/reload")
        assert answer.get("Allow") == ("POST" if acts else "GET, HEAD")
    assert answer.get("Connection") == "close"  # whoever is refused takes no place
    assert ask(p, "/health").status == 200


def test_pages_that_may_call_may_not_look(proxy, nginx):
    """allow-origin is about calls."""
    p = proxy(nginx.port, admin="127.0.0.1:0", allow_origin="https://app.example")
    page = ("Origin", "https://app.example")
    assert p.request(target="/who", fields=[page]).status == 200
    assert ask(p, fields=[page]).token == ask(p, "/health", fields=[page]).token == "foreign-origin"


def test_the_proxy_is_not_behind_it(proxy, nginx):
    """Nor is the status on the proxy's own listeners."""
    p = proxy(nginx.port, admin="127.0.0.1:0")
    assert ask(p, "/who").token == "admin-path"
    assert p.request(target="/status").get("Content-Type") == "text/html"


@pytest.mark.parametrize("value, says", [
    ("0.0.0.0:8081", "can be reached from other machines; for admin, use localhost"),
    ("nonsense", "write it as 127.0.0.1:8080"),
])
def test_bad_address(tmp_path, tenant, value, says):
    (tmp_path / "sfmtls.ini").write_text(f"[proxy]\nadmin = {value}\n" + tenant(443))
    done = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"))
    assert done.returncode == 2 and "sfmtls.ini:2: " in done.stderr and says in done.stderr, done.stderr


def test_address_that_is_taken(proxy, nginx, tmp_path, tenant):
    p = proxy(nginx.port)
    (tmp_path / "sfmtls.ini").write_text(
        f"[proxy]\nlisten = 127.0.0.1:0\nadmin = 127.0.0.1:{p.port}\n" + tenant(nginx.port))
    done = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"))
    assert done.returncode == 2 and "sfmtls.ini:3: " in done.stderr and "the port is taken" in done.stderr, done.stderr


# ---- what issue a reload had, and which certificate is in use ----

def refusal(p):
    """What the last reload refused, once it has."""
    harness.eventually(lambda: status(p)["configuration"]["refused"] is not None)
    return status(p)["configuration"]["refused"]


def test_refused_reload(proxy, pki, nginx, tmp_path):
    s = Service(proxy, pki, nginx, tmp_path, admin="127.0.0.1:0")
    assert status(s.p)["configuration"]["refused"] is None
    loaded = status(s.p)["configuration"]["loaded"]
    text = s.p.config.read_text()
    s.write(text + "colour = red\n")
    s.p.signal(signal.SIGHUP)
    refused = refusal(s.p)
    assert f"{s.p.config}:" in refused["reason"] and "unknown key `colour`" in refused["reason"]
    assert refused["time"] >= loaded and status(s.p)["configuration"]["loaded"] == loaded
    s.write(text)
    harness.eventually(lambda: status(s.p)["configuration"]["refused"] is None)
    harness.eventually(lambda: status(s.p)["configuration"]["loaded"] > loaded)


def test_listener_that_cannot_be_opened(proxy, pki, nginx, tmp_path):
    """What only the serving thread finds out."""
    s = Service(proxy, pki, nginx, tmp_path, admin="127.0.0.1:0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        s.write(s.p.config.read_text() + f"listen = 127.0.0.1:{taken.getsockname()[1]}\n")
        s.p.signal(signal.SIGHUP)
        refused = refusal(s.p)
    assert "the port is taken" in refused["reason"]


def test_renewed_certificate(proxy, pki, nginx, tmp_path):
    s = Service(proxy, pki, nginx, tmp_path, admin="127.0.0.1:0")
    assert certificates(s.p)[0]["serial"] == s.serial
    serial = s.renew("second")
    harness.eventually(lambda: certificates(s.p)[0]["serial"] == serial)


@harness.one_worker
def test_admin_stays_as_it_is(proxy, pki, nginx, tmp_path):
    """Another address is for the next start, which is said; connections to it stay."""
    s = Service(proxy, pki, nginx, tmp_path, admin="127.0.0.1:0")
    with admin_caller(s.p) as c:
        assert c.request(target="/health").status == 200
        s.write(s.p.config.read_text().replace("admin = 127.0.0.1:0", f"admin = 127.0.0.1:{harness.closed_port()}"))
        s.reload()
        assert c.request(target="/status").status == 200
    s.p.said("admin takes effect at the next start")
    assert ask(s.p, "/health").status == 200


def test_switch_to_the_next_certificate(proxy, pki, tenant, started):
    server = Server(pki)
    started.append(server)
    p = proxy(tenant(server.port, certificate_next=f"{pki}/globex-all.pem"), admin="127.0.0.1:0")
    assert in_use(p) == ["certificate"]
    assert [c["option"] for c in certificates(p)] == ["certificate", "certificate-next"]
    assert p.request().body == b"globex_user"
    assert in_use(p) == ["certificate-next"]


@pytest.mark.parametrize("name, state", [("expired", "expired"), ("future", "not-yet-valid")])
def test_certificate_that_is_not_valid_is_shown_as_such(proxy, pki, nginx, tenant, name, state):
    p = proxy(tenant(nginx.port, certificate=f"{name}-chain.pem", private_key=f"{pki}/{name}.key"),
              admin="127.0.0.1:0")
    one, = certificates(p)
    assert one["state"] == state and (one["days_left"] < 0) == (name == "expired")


def test_full_house(proxy, nginx):
    """Callers that take every place do not make the process look dead."""
    p = proxy(nginx.port, max_connections="2", admin="127.0.0.1:0")
    with p.caller() as a, p.caller() as b:
        assert a.request(target="/1k").status == b.request(target="/1k").status == 200
        assert ask(p, "/health").status == 200
        assert status(p)["callers"]["used"] == 2
