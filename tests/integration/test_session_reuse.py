"""session-reuse: the server's session, for callers that send no cookies; each caller, tenant and identity has one of
its own, and nobody else gets it."""
import itertools
import json
import os
import re
import signal

import pytest

import harness
from harness import Background, count, eventually
from test_admin import ask, status
from test_callers_file import basic, hashed
from test_cookies import reload

SECRET = "s3cr3t"


class Sessions:
    """A server that logs a caller in who has no session of its own: a session with its node and its token."""

    def __init__(self, pki, started):
        self.logins, self.numbers, self.valid, self.answer = 0, itertools.count(1), {}, {}
        self.server = harness.Recorder(pki, self._reply)
        started.append(self.server)
        self.port = self.server.port

    def _reply(self, c, seen):
        if seen.target in self.answer:
            c.reply(b"no", self.answer[seen.target])
            return
        cookies = dict(pair.split("=", 1) for value in seen.all("Cookie") for pair in value.split("; "))
        token, session = seen.all("X-CSRF-Token"), cookies.get("JSESSIONID")
        fields = ""
        if session in self.valid and cookies.get("BIGipServer") == "node" + session:
            if seen.method == "POST" and token != [self.valid[session]]:
                c.reply(b"no", "403 Forbidden", "X-CSRF-Token: Required\r\n")
                return
        else:
            self.logins += 1
            session = f"{SECRET}{next(self.numbers)}"
            self.valid[session] = f"token-{session}"
            fields = (f"Set-Cookie: JSESSIONID={session}; Path=/; Secure; HttpOnly\r\n"
                      f"Set-Cookie: BIGipServer=node{session}; path=/\r\nX-CSRF-Token: {self.valid[session]}\r\n")
        c.reply(session.encode(), fields=fields)


@pytest.fixture
def server(pki, started):
    return Sessions(pki, started)


def seen_last(server):
    return server.server.take()[-1]


# ---- what it is for ----

@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("reuse, most", [("off", None), ("on", 1)])
def test_logins_of_many_calls(proxy, tenant, server, reuse, most, workers):
    """A caller that drops cookies, one call after the other: one login in place of one for each call."""
    calls = count(60, 1000)
    p = proxy(tenant(server.port, session_reuse=reuse), workers=workers)
    for i in range(calls):
        answer = p.request("POST" if i % 3 else "GET", body=b"x" if i % 3 else b"")
        assert answer.status == 200
    assert server.logins == (most or calls)


def test_callers_at_the_same_time(proxy, tenant, server):
    """At most those that came before there was a session log in; afterwards all have the same one."""
    p = proxy(tenant(server.port, session_reuse="on"), workers=4)
    for call in [Background(p.request) for _ in range(16)]:
        assert call.result().status == 200
    assert server.logins <= 16
    before = server.logins
    assert len({p.request().body for _ in range(16)}) == 1
    assert server.logins == before


def test_answer_is_passed_on_as_it_is(proxy, tenant, server):
    p = proxy(tenant(server.port, session_reuse="on"))
    answer = p.request()
    assert [value.split("=")[0] for value in answer.all("Set-Cookie")] == ["JSESSIONID", "BIGipServer"]
    assert answer.get("X-CSRF-Token") == f"token-{SECRET}1"


# ---- who is left alone ----

def test_caller_with_cookies_is_left_alone(proxy, tenant, server):
    p = proxy(tenant(server.port, session_reuse="on"))
    p.request()
    p.request(fields=[("Cookie", "own=1")])
    assert seen_last(server).all("Cookie") == ["own=1"]
    assert server.logins == 2
    assert p.request().body == f"{SECRET}1".encode()  # the other session was not kept


@pytest.mark.parametrize("own", ["Fetch", "own-token"])
def test_caller_with_a_token_keeps_it(proxy, tenant, server, own):
    p = proxy(tenant(server.port, session_reuse="on"))
    p.request()
    p.request(fields=[("x-csrf-token", own)])
    seen = seen_last(server)
    assert seen.all("X-CSRF-Token") == [own] and SECRET in seen.all("Cookie")[0]


def test_authorization_of_the_callers_own_is_somebody_elses(proxy, tenant, server):
    p = proxy(tenant(server.port, session_reuse="on", authorization="keep"))
    for _ in range(2):
        p.request(fields=[basic("anybody", "secret")])
    assert server.logins == 2
    assert [p.request().status for _ in range(2)] == [200, 200] and server.logins == 3


def test_each_user_has_a_session(proxy, tenant, server, tmp_path):
    path = tmp_path / "acme.callers"
    path.write_text("".join(f"user{i}:{hashed('secret')}\n" for i in range(3)))
    p = proxy(tenant(server.port, session_reuse="on", callers_file=path), workers=4, log_caller="off")
    sessions = [{p.request(fields=[basic(f"user{i}", "secret")]).body for _ in range(5)} for i in range(3)]
    assert all(len(one) == 1 for one in sessions) and len(set.union(*sessions)) == 3


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_each_uid_has_a_session(proxy, tenant, server):
    p = proxy(tenant(server.port, session_reuse="on"), allow_uid="any")
    mine = {p.request().body for _ in range(2)}

    def as_nobody():
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setuid(65534)
                os.write(write, p.request().body)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        os.close(write)
        with os.fdopen(read, "rb") as f:
            return f.read()

    other = {as_nobody() for _ in range(2)}
    assert len(mine) == len(other) == 1 and mine != other


def test_each_tenant_has_a_session(proxy, tenant, server):
    sections = tenant(server.port, session_reuse="on") + tenant(
        server.port, "beta", "BETA", certificate="globex-all.pem", session_reuse="on")
    p = proxy(sections)
    got = [[p.request(fields=[("successfactors-companyid", company)]).body for _ in range(2)]
           for company in ("ACME", "BETA")]
    assert got[0][0] == got[0][1] != got[1][0] == got[1][1]


# ---- when it ends ----

@pytest.mark.parametrize("refusal", ["401 Unauthorized", "403 Forbidden"])
def test_refusal_ends_the_session(proxy, tenant, server, refusal):
    p = proxy(tenant(server.port, session_reuse="on"))
    first = p.request().body
    server.answer["/refused"] = refusal
    assert p.request(target="/refused").status == int(refusal[:3])
    assert SECRET in seen_last(server).all("Cookie")[0]
    assert p.request().body != first
    assert server.logins == 2


def test_session_that_the_server_has_forgotten(proxy, tenant, server):
    """It logs in anew, and that session is used from then on."""
    p = proxy(tenant(server.port, session_reuse="on"))
    p.request()
    server.valid.clear()
    assert [p.request("POST", body=b"x").body for _ in range(3)] == [f"{SECRET}2".encode()] * 3


def test_reload_ends_sessions(proxy, tenant, server):
    p = proxy(tenant(server.port, session_reuse="on"))
    p.request()
    reload(p, p.config.read_text() + "max-upstream = 65\n")
    p.request()
    p.request()
    assert server.logins == 2


def test_repeated_request_has_the_session_once(proxy, tenant, pki, started):
    """The server closes a kept connection: the request is sent again."""
    server = Sessions(pki, started)
    closing = iter([False, True])

    def reply(c, seen):
        if next(closing, False):
            c.reset()
        else:
            Sessions._reply(server, c, seen)

    server.server.reply = reply
    p = proxy(tenant(server.port, session_reuse="on"), workers=1)
    with p.caller() as c:
        assert c.request().body == c.request().body
    seen = server.server.take()
    assert len(seen) == 3 and server.logins == 1
    assert len(seen[2].all("Cookie")) == len(seen[2].all("X-CSRF-Token")) == 1


# ---- what is not told ----

def test_nothing_of_it_is_shown(proxy, tenant, server, tmp_path):
    p = proxy(tenant(server.port, session_reuse="on"), admin="127.0.0.1:0", log_level="debug")
    for _ in range(3):
        p.request()
    server.answer["/refused"] = "403 Forbidden"
    p.request(target="/refused")
    p.wait_for_log(4)
    told = p.stderr + json.dumps(status(p)) + ask(p, "/metrics").body.decode() + ask(p, "/").body.decode()
    told += harness.run_cli("support", "-c", str(p.config)).stdout
    told += harness.run_cli("explain", "-c", str(p.config), "/odata/v2/User").stdout
    assert SECRET not in told and "session-reuse" in told
