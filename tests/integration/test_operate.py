"""Who may ask the admin listener, what probes get, and the orders that it takes."""
import json
import os
import signal
import threading
import types

import pytest

import harness
from test_admin import admin_caller, ask, status
from test_guard import own_address
from test_reload import Service

CALLER, ADMIN = "a-token-of-a-caller-0123", "a-token-of-an-operator-0123"
BEARER = [("Authorization", f"Bearer {ADMIN}")]


@pytest.fixture
def token_files(tmp_path):
    (tmp_path / "callers").write_text(CALLER + "\n")
    (tmp_path / "admins").write_text("# Prometheus\n" + ADMIN + "\n")
    return {"caller_token_file": f"{tmp_path}/callers", "admin_token_file": f"{tmp_path}/admins"}


# ---- probes ----

@pytest.mark.parametrize("path", ["/live", "/startup", "/health"])
def test_probes_are_answered_without_a_server(proxy, tenant, path):
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0")
    answer = ask(p, path)
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_ready_names_reasons(proxy, pki, tenant):
    """No server is asked: there is none."""
    expired = tenant(harness.closed_port(), "globex", "GLOBEX", "expired-chain.pem", private_key=f"{pki}/expired.key")
    p = proxy(tenant(harness.closed_port()) + expired, admin="127.0.0.1:0")
    answer = ask(p, "/ready")
    acme, globex = answer.json().pop("tenants")
    assert answer.status == 200 and answer.json()["ready"] and not answer.json()["draining"]
    assert acme == {"name": "acme", "ready": True}
    assert (globex["ready"], globex["token"]) == (False, "client-certificate-expired") and "globex" in globex["reason"]
    for tenant_name, code in [("acme", 200), ("globex", 503), ("initech", 503), ("", 503)]:
        one = ask(p, f"/ready?x=y&tenant={tenant_name}")
        assert (one.status, one.json()["ready"]) == (code, code == 200), tenant_name
        assert [t["name"] for t in one.json()["tenants"]] == [n for n in ("acme", "globex") if n == tenant_name]
    assert ask(p, "/ready?tenant=initech").json()["reason"] == "No tenant of that name is configured."


def test_not_ready_without_a_valid_certificate(proxy, pki, tenant):
    p = proxy(tenant(harness.closed_port(), certificate="expired-chain.pem", private_key=f"{pki}/expired.key"),
              admin="127.0.0.1:0")
    answer = ask(p, "/ready")
    assert answer.status == 503 and answer.json()["reason"] == "No certificate is valid now."
    assert ask(p, "/live").status == 200


@pytest.fixture
def held(proxy, script):
    """held(...): a proxy, and a caller whose request is at the server until .go_on is set."""
    go_on, arrived, callers = threading.Event(), threading.Event(), []

    def hold(c):
        c.request()
        arrived.set()
        harness.happened(go_on)
        c.reply(b"late")

    def start(**keys):
        p = proxy(script(hold).port, admin="127.0.0.1:0", **keys)
        callers.append(p.caller())
        callers[0].send(harness.head_lines())
        harness.happened(arrived)
        return types.SimpleNamespace(p=p, caller=callers[0], go_on=go_on)

    yield start
    for c in callers:
        c.close()


def test_draining_process_still_answers_operators(held):
    """The admin listener answers until the end, and nobody's end waits for whoever asks."""
    h = held()
    p = h.p
    with admin_caller(p) as idle:
        p.signal(signal.SIGTERM)
        harness.eventually(lambda: ask(p, "/ready").status == 503)
        answer = ask(p, "/ready").json()
        assert (answer["draining"], answer["reason"]) == (True, "The program is ending.")
        assert ask(p, "/live").status == ask(p).status == 200
        idle.send("GET /ready HTTP/1.1\r\nHost:")  # is never finished
        h.go_on.set()
        assert h.caller.answer().body == b"late"
        assert p.wait() == 0


# ---- who may ask ----

def test_tokens_are_apart(proxy, nginx, token_files):
    p = proxy(nginx.port, admin="127.0.0.1:0", **token_files)
    assert ask(p).token == "admin-token-missing" and ask(p).get("WWW-Authenticate") == 'Bearer realm="sfmtls"'
    assert ask(p, fields=BEARER).status == 200
    assert ask(p, fields=[("X-Sfmtls-Token", ADMIN)]).status == 200
    for field in ("X-Sfmtls-Token", CALLER), ("Authorization", f"Bearer {CALLER}"), ("Authorization", f"Basic {ADMIN}"):
        assert ask(p, fields=[field]).token == "admin-token-missing", field
    assert p.request(target="/who", fields=[("X-Sfmtls-Token", ADMIN)]).token == "caller-token-missing"
    assert p.request(target="/who", fields=[("X-Sfmtls-Token", CALLER)]).status == 200
    assert ask(p, "/nothing").token == "admin-token-missing"  # nor what there is


def test_probes_without_a_token_give_no_reasons(proxy, nginx, token_files):
    p = proxy(nginx.port, admin="127.0.0.1:0", **token_files)
    assert ask(p, "/live").status == ask(p, "/startup").status == ask(p, "/health").status == 200
    assert ask(p, "/ready").json() == {"ready": True}
    assert ask(p, "/ready?tenant=acme").json() == {"ready": True}
    assert ask(p, "/ready", fields=BEARER).json()["tenants"] == [{"name": "acme", "ready": True}]


def test_callers_tokens_will_do_without_a_file_of_its_own(proxy, nginx, token_files):
    p = proxy(nginx.port, admin="127.0.0.1:0", caller_token_file=token_files["caller_token_file"])
    assert ask(p).token == "admin-token-missing"
    assert ask(p, fields=[("X-Sfmtls-Token", CALLER)]).status == 200
    assert ask(p, fields=[("Authorization", f"Bearer {CALLER}")]).status == 200


def test_users_are_apart(proxy, nginx):
    other = str(os.geteuid() + 1)
    asked = proxy(nginx.port, admin="127.0.0.1:0", allow_uid=other, admin_allow_uid=f"{other}, {os.geteuid()}")
    assert ask(asked).status == 200 and asked.request(target="/who").token == "caller-uid"
    called = proxy(nginx.port, admin="127.0.0.1:0", allow_uid="any", admin_allow_uid=other)
    assert ask(called).token == ask(called, "/live").token == "caller-uid"
    assert called.request(target="/who").status == 200


def test_remote_address(proxy, nginx, token_files):
    p = proxy(nginx.port, admin="0.0.0.0:0", allow_remote="yes", admin_token_file=token_files["admin_token_file"])
    p.said("operators reach 0.0.0.0:0 by plain HTTP")
    port = int(p.ready["admin"].rsplit(":", 1)[1])
    own = own_address()
    with harness.Caller((own, port)) as c:
        assert c.request(target="/status", host=f"{own}:{port}", fields=BEARER).status == 200
    with harness.Caller((own, port)) as c:
        assert c.request(target="/status", host=f"{own}:{port}").token == "admin-token-missing"
    # A reload that takes away what it was allowed for closes what cannot be closed.
    p.rewrite(p.config.read_text().replace("0.0.0.0:0", "127.0.0.1:0").replace("admin-token-file", ";"))
    p.said("notice: reloaded")
    harness.eventually(lambda: ask(p).token == "host-not-served")


@pytest.mark.parametrize("more", ["", "allow-remote = yes\n", "admin-token-file = {}\n"])
def test_remote_address_that_is_refused(tmp_path, tenant, token_files, more):
    (tmp_path / "sfmtls.ini").write_text("[proxy]\nadmin = 0.0.0.0:8081\n" +
                                         more.format(token_files["admin_token_file"]) + tenant(443))
    done = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"))
    assert done.returncode == 2 and "allow-remote = yes in [proxy] together with admin-token-file" in done.stderr


# ---- orders ----

def test_quit_ends_the_process_in_order(proxy, nginx):
    p = proxy(nginx.port, admin="127.0.0.1:0", admin_actions="yes")
    answer = ask(p, "/quit", "POST")
    assert (answer.status, answer.body) == (202, b"accepted\n")
    assert p.wait() == 0
    p.said("shutting down")


def test_quit_twice_cuts_nobody_off(held):
    h = held(admin_actions="yes")
    assert [ask(h.p, "/quit", "POST").status for _ in range(3)] == [202] * 3
    h.go_on.set()
    assert h.caller.answer().body == b"late"
    assert h.p.wait() == 0


def test_reload_is_asked_for_at_the_admin_listener(proxy, pki, nginx, tmp_path):
    s = Service(proxy, pki, nginx, tmp_path, admin="127.0.0.1:0", admin_actions="yes")
    loaded = status(s.p)["configuration"]["loaded"]
    assert ask(s.p, "/reload", "POST").status == 202
    harness.eventually(lambda: status(s.p)["configuration"]["loaded"] > loaded)
    s.p.said("a reload was asked for at the admin listener")


@pytest.mark.parametrize("fields", [[("Origin", "http://evil.test")], [("Sec-Fetch-Site", "same-origin")],
                                    [("Origin", "http://127.0.0.1:{port}")], [("Origin", "null")]])
def test_no_page_gives_orders(proxy, nginx, fields):
    p = proxy(nginx.port, admin="127.0.0.1:0", admin_actions="yes")
    fields = [(name, value.format(port=p.ready["admin"].rsplit(":", 1)[1])) for name, value in fields]
    assert ask(p, "/quit", "POST", fields).token == "admin-action-refused"
    assert ask(p, "/quit", "POST", host="evil.test").token == "host-not-served"
    assert ask(p, "/live").status == 200


def test_orders_need_a_token(proxy, nginx, token_files):
    p = proxy(nginx.port, admin="127.0.0.1:0", admin_actions="yes", **token_files)
    assert ask(p, "/quit", "POST").token == "admin-token-missing"
    assert ask(p, "/quit", "POST", BEARER).status == 202
    assert p.wait() == 0


# ---- commands ----

@pytest.fixture
def served(proxy, nginx, tmp_path):
    """served(...): a proxy whose admin listener is a Unix socket, and ask(command, ...)."""

    def start(sections=None, **keys):
        p = proxy(sections or nginx.port, admin=f"unix:{tmp_path}/admin", **keys)
        return p, lambda command, *words: harness.run_cli(command, "-c", str(p.config), *words)

    return start


def test_status_command(served, tenant, pki):
    expired = tenant(harness.closed_port(), "globex", "GLOBEX", "expired-chain.pem", private_key=f"{pki}/expired.key")
    p, command = served(tenant(harness.closed_port()) + expired)
    for company in ("ACME", "GLOBEX", "GLOBEX"):
        p.request(fields=[("successfactors-companyid", company)])
    p.wait_for_log(3)
    done = command("status")
    assert (done.returncode, done.stderr) == (0, "")
    for words in (f"pid {p.process.pid}", f"configuration {p.config}", "tenant acme: failing", "* certificate, valid, ",
                  "tenant globex: failing", "* certificate, expired, -", "2 calls, 0 succeeded, 2 failed",
                  "last failures", "globex  client-certificate-expired, status 502, 2 times", "Cure: "):
        assert words in done.stdout, (words, done.stdout)
    told = json.loads(command("status", "--json").stdout)
    assert [t["failed"] for t in told["tenants"]] == [1, 2]


def test_wait_command(served, tenant, pki, tmp_path):
    p, command = served()
    assert (command("wait", "--max", "1ms").returncode, command("wait").stdout) == (0, "")
    p.stop()
    done = command("wait", "--max", "1ms")
    assert done.returncode == 1 and "not ready within 1 ms: no answer from unix:" in done.stderr
    p, command = served(tenant(harness.closed_port(), certificate="expired-chain.pem",
                               private_key=f"{pki}/expired.key"))
    done = command("wait", "--max", "1ms")
    assert done.returncode == 1 and "No certificate is valid now." in done.stderr


def test_wait_begins_before_the_proxy(served, tmp_path):
    p, command = served()
    waits = tmp_path / "later.ini"
    waits.write_text(p.config.read_text().replace(f"unix:{tmp_path}/admin", f"unix:{tmp_path}/later"))
    waiting = harness.Background(harness.run_cli, "wait", "-c", str(waits), "--max", f"{harness.LIMIT}s")
    os.symlink(tmp_path / "admin", tmp_path / "later")
    assert waiting.result().returncode == 0


def test_quit_command(served):
    p, command = served(admin_actions="yes")
    assert command("quit").returncode == 0 and p.wait() == 0
    done = command("quit")
    assert done.returncode == 1 and "is sfmtls running, and was it started with this `admin`?" in done.stderr


def test_orders_that_are_refused(served):
    p, command = served()
    for order in ("quit", "reload"):
        done = command(order)
        assert done.returncode == 1 and "Set admin-actions = yes" in done.stderr
    assert command("status").returncode == 0


def test_reload_command(served):
    """It ends when the result is there."""
    p, command = served(admin_actions="yes")
    assert command("reload").returncode == 0
    p.said("notice: reloaded")
    good = p.config.read_text()
    p.rewrite(good + "colour = red\n")
    p.said("not reloaded")
    p.rewrite(good)  # what is in use, and where to ask, is still read from the file
    p.said("notice: reloaded")
    p.config.chmod(0o666)
    done = command("reload")
    assert done.returncode == 1 and "not reloaded, what was loaded before stays in use: " in done.stderr


@pytest.mark.parametrize("flaw", ["[proxy]\ncolour = red\n", "[tenant acme]\n", "[tenant b]\nserver = a/b\n", "[no",
                                  " x = y\n"])
def test_configuration_on_disk_is_broken(flaw, served, token_files):
    """What runs was started with an earlier one: it can be asked, and ended, by what can still be read."""
    p, command = served(admin_actions="yes", **token_files)
    text = p.config.read_text()
    p.rewrite(text.replace("[proxy]\n", flaw) if flaw.startswith("[proxy]") else text + flaw)
    p.said("not reloaded")
    for word in ("status", "wait"):
        done = command(word)
        assert done.returncode == 0 and done.stderr.count("\n") == 1, done.stderr
        assert "sfmtls: the configuration is not valid, but names `admin`: " in done.stderr
        assert f"{p.config}:" in done.stderr
    done = command("reload")
    assert done.returncode == 1 and "not reloaded, what was loaded before stays in use: " in done.stderr
    assert command("quit").returncode == 0 and p.wait() == 0


def test_broken_configuration_that_names_nobody(served, tmp_path):
    """The sentence says how to ask nevertheless."""
    p, command = served(admin_actions="yes")
    p.rewrite("[proxy\n" + p.config.read_text())
    p.said("not reloaded")
    done = command("status")
    assert done.returncode == 2 and done.stderr.startswith(f"sfmtls: {p.config}:1: "), done.stderr
    assert done.stderr.endswith("; or name the running sfmtls with --set admin=ADDRESS\n")
    for word in ("status", "wait", "quit"):
        assert command(word, "--set", f"admin=unix:{tmp_path}/admin").returncode == 0
    assert p.wait() == 0
    assert "sfmtls: --set admin: admin: `x` has no port" in command("status", "--set", "admin=x").stderr


def test_commands_bear_the_token(served, token_files):
    p, command = served(admin_actions="yes", **token_files)
    assert [command(word).returncode for word in ("status", "wait", "reload", "quit")] == [0] * 4
    assert p.wait() == 0


@pytest.mark.parametrize("command", ["status", "wait", "reload", "quit"])
@pytest.mark.parametrize("admin, words, says", [
    ("", (), "has no `admin`"), ("admin = localhost:0\n", (), "leaves the port open"),
    ("colour = red\n", (), "unknown key `colour`"),
    ("admin-token-file = /nonexistent/token\nadmin = localhost:1\n", (), "/nonexistent/token"),
    ("", ("more",), "`more` is not expected here"), ("", ("--colour",), "unknown option --colour")])
def test_usage_that_is_wrong_ends_with_2(tmp_path, tenant, command, admin, words, says):
    (tmp_path / "sfmtls.ini").write_text("[proxy]\n" + admin + tenant(443))
    done = harness.run_cli(command, "-c", str(tmp_path / "sfmtls.ini"), *words)
    assert done.returncode == 2 and says in done.stderr, done.stderr


@pytest.mark.parametrize("words", [("quit", "--max", "1s"), ("wait", "--json"), ("wait", "--max", "soon")])
def test_options_of_others(words):
    assert harness.run_cli(*words).returncode == 2
