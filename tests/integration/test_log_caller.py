"""Who called: in each line of the log, unless log-caller = off."""
import base64
import os
import re
import socket
import subprocess
import sys

import pytest

import harness
import test_peer
from test_log import echo, exchanges, json_exchanges  # noqa: F401 (a fixture)
from test_peer import folder  # noqa: F401 (a fixture)

UID = f"uid:{os.geteuid()}"


def callers(p, count, format="text"):
    found = exchanges(p, count) if format == "text" else json_exchanges(p, count)
    return [e["caller"] for e in found]


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "unix:TMP/s"])
def test_process_of_this_machine(listen, format, proxy, echo, tmp_path):
    """Each line: an answer, an error, a head that cannot be read, a CONNECT."""
    p = proxy(echo.port, listen=listen.replace("TMP", str(tmp_path)), log_format=format)
    with p.caller() as c:
        assert c.request().status == 200 and c.request().status == 200
    assert p.request("TRACE").status == 405
    with p.caller() as c:
        assert c.send("\x01").answer().status == 400
    assert p.request("CONNECT", "elsewhere.example:443").status in (403, 501)
    assert callers(p, 5, format) == [UID] * 5


@pytest.mark.parametrize("listen, caller", [("127.0.0.1:0", "addr:127.0.0.1"), ("[::1]:0", "addr:::1"),
                                            ("unix:TMP/s", UID)])
@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("workers, share", [(1, None), (3, None), (1, "none")])
def test_nobody_asks_whose_it_is(listen, caller, format, workers, share, proxy, echo, tmp_path):
    """With allow-uid = any nothing is asked for the log alone, but of a Unix socket."""
    p = proxy(echo.port, listen=listen.replace("TMP", str(tmp_path)), log_format=format, allow_uid="any",
              workers=workers, max_connections_per_caller=share)
    for _ in range(4):
        assert p.request().status == 200
    assert callers(p, 4, format) == [caller] * 4


@pytest.mark.parametrize("uid, status", test_peer.OTHERS)
def test_another_user(uid, status, proxy, echo, folder):  # noqa: F811
    """Also one that is refused for it."""
    p = proxy(echo.port, listen=f"127.0.0.1:0, unix:{folder}/s", allow_uid=test_peer.FRIEND, socket_mode="0666")
    assert [test_peer.call(uid, address).status for address in p.addresses] == [status, status]
    assert callers(p, 2) == [f"uid:{uid}"] * 2


@pytest.mark.parametrize("address, shown", [("127.0.0.1", UID), ("HOST", UID)])
def test_listener_that_others_reach(address, shown, proxy, echo, tmp_path):
    """A process of this machine is one there, too, whatever address it calls."""
    (tmp_path / "tokens").write_text("0123456789abcdef\n")
    p = proxy(echo.port, listen="0.0.0.0:0", allow_remote="yes", caller_token_file=tmp_path / "tokens")
    if address == "HOST":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
    with harness.Caller((address, p.port)) as c:
        assert c.request(fields=[("X-Sfmtls-Token", "0123456789abcdef")], host=f"{address}:{p.port}").status == 200
    assert callers(p, 1) == [shown]


def test_another_machine(proxy, echo, started, tmp_path):
    (tmp_path / "tokens").write_text("0123456789abcdef\n")
    started.append(cable := harness.Cable())
    p = proxy(echo.port, listen=f"{cable.near}:0", allow_remote="yes", caller_token_file=tmp_path / "tokens",
              process={"prefix": cable.prefix()})
    head = f"GET / HTTP/1.0\r\nHost: {cable.near}\r\n\r\n"
    out = cable.run([sys.executable, "-c", f"import socket; s = socket.create_connection(('{cable.near}', {p.port})); "
                     f"s.sendall({head.encode()}); print(s.recv(99))"])
    assert b" 401 " in out, out
    assert callers(p, 1) == [f"addr:{cable.far}"]


# ---- callers-file ----

USERS = {"sfadmin@ACME": "user:sfadmin@ACME", "a b@ACME": '"user:a b@ACME"', 'q"\\@ACME': '"user:q\\"\\\\@ACME"',
         "j\u00fcrgen@ACME": '"user:j\u00fcrgen@ACME"', "x\u202ey@ACME": '"user:x\\u202ey@ACME"'}


@pytest.fixture(scope="module")
def hash_of():
    """A password's, as htpasswd makes it."""
    out = subprocess.run(["htpasswd", "-nbBC", "4", "u", "right"], capture_output=True, text=True, check=True).stdout
    return out.strip().split(":", 1)[1]


def basic(user, password):

    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


@pytest.fixture
def known(proxy, tenant, echo, tmp_path, hash_of):
    def start(**keys):
        (tmp_path / "callers").write_text("".join(f"{user}:{hash_of}\n" for user in USERS))
        (tmp_path / "callers").chmod(0o600)
        return proxy(tenant(echo.port, callers_file=tmp_path / "callers"), **keys)

    return start


def test_user_whose_password_was_right(known):
    """The second time it is remembered."""
    p = known()
    for user in USERS:
        for _ in range(2):
            assert p.request(fields=[basic(user, "right")]).status == 200
    assert sorted(callers(p, 2 * len(USERS))) == sorted([*USERS.values()] * 2)


def test_user_of_json(known):
    p = known(log_format="json")
    for user in USERS:
        assert p.request(fields=[basic(user, "right")]).status == 200
    assert sorted(callers(p, len(USERS), "json")) == sorted(f"user:{user}" for user in USERS)
    assert "\u202e" not in p.stderr


def test_name_without_its_password_is_nobody(known):
    """What somebody claims to be is not who called; nor is it logged."""
    p = known()
    assert p.request(fields=[basic("sfadmin@ACME", "wrong")]).token == "caller-unknown"
    assert p.request(fields=[basic("stranger@ACME", "right")]).token == "caller-unknown"
    assert p.request().token == "caller-unknown"
    assert callers(p, 3) == [UID] * 3
    assert "stranger" not in p.stderr and "sfadmin" not in p.stderr


# ---- off ----

@pytest.mark.parametrize("format", ["text", "json"])
def test_caller_is_not_logged_when_that_is_off(format, known):
    p = known(log_caller="off", log_format=format)
    assert p.request(fields=[basic("sfadmin@ACME", "right")]).status == 200
    harness.eventually(lambda: "status=200" in p.stderr or '"status":200' in p.stderr)
    assert not re.search(r'caller=|"caller"|sfadmin', p.stderr)


def test_change_takes_effect_at_the_next_start(proxy, echo):
    p = proxy(echo.port)
    p.rewrite(p.config.read_text().replace("[proxy]\n", "[proxy]\nlog-caller = off\n"))
    harness.eventually_logged(p, "log-caller takes effect at the next start")
    assert p.request().status == 200
    assert callers(p, 1) == [UID]
