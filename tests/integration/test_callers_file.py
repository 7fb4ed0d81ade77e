"""callers-file: whoever calls a tenant needs a password of its file; nobody else gets anything through."""
import base64
import collections
import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

import harness
import test_key
from harness import Background
from test_process import cpu_seconds

COMPANY = "successfactors-companyid"
API4, API8 = "api4.successfactors.com", "api8.successfactors.com"
CHALLENGE = 'Basic realm="sfmtls: user@COMPANY", charset="UTF-8"'
PACE = threading.Event()
SLOW = 11  # a cost that takes a tenth of a second


def basic(user, password):
    as_bytes = lambda text: text if isinstance(text, bytes) else text.encode()
    return ("Authorization", "Basic " + base64.b64encode(as_bytes(user) + b":" + as_bytes(password)).decode())


def crypt(password, setting):
    """crypt(3); Python's own module is gone in newer ones."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password if isinstance(password, bytes) else password.encode(), setting.encode()).decode()


def hashed(password, cost=4):
    return crypt(password, f"$2b${cost:02}$abcdefghijklmnopqrstuu")


class Office:
    """A proxy before a server that records, and the files of its tenants, which can be changed."""

    def __init__(self, proxy, tenant, server, folder, users, more="", tenant_keys=None, **keys):
        self.server, self.folder, self.path = server, folder, folder / "acme.callers"
        self.write(users)
        self.p = proxy(tenant(server.port, callers_file=self.path, **(tenant_keys or {})) + more, **keys)

    def write(self, users, path=None):
        """users: {user: password or hash}."""
        lines = [f"{user}:{value if value.startswith('$') else hashed(value)}\n" for user, value in users.items()]
        path = path or self.path
        path.with_suffix(".new").write_text("".join(lines), encoding="utf-8")
        os.replace(path.with_suffix(".new"), path)

    def call(self, user, password, **keys):
        return self.p.request(fields=[basic(user, password), *keys.pop("fields", [])], **keys)

    def check_refused(self, answer):
        assert (answer.status, answer.token) == (401, "caller-unknown")
        assert answer.all("WWW-Authenticate") == [CHALLENGE]

    def check_nothing_sent(self):
        """Not even a connection was opened."""
        assert self.server.seen == [] and self.server.connections == [] and self.server.handshake_failures == []


@pytest.fixture
def office(proxy, tenant, pki, started, tmp_path):
    def start(users, *reply, **keys):
        started.append(harness.Recorder(pki, *reply))
        return Office(proxy, tenant, started[-1], tmp_path, users, **keys)

    return start


# ---- right and wrong ----

USERS = {"sfadmin@ACME": "s3cret", "sfapi@ACME": "an:other:one", "nobody": "plain", "empty@ACME": "",
         "Zoë@ACME": "pässwörd€", "with blank @ACME": " blanks ", "a@b@ACME": "two", "long@ACME": "x" * 72,
         "strong@ACME": crypt("y" * 200, "$y$j75$abcdefghijklmnopqrstu/"),
         "j9t@ACME": crypt("yes", "$y$j9T$abcdefghijklmnopqrstu/"), "quote'\"\\@ACME": "q"}

RIGHT = [("sfadmin@ACME", "s3cret"), ("sfapi@ACME", "an:other:one"), ("nobody", "plain"), ("empty@ACME", ""),
         ("Zoë@ACME", "pässwörd€"), ("with blank @ACME", " blanks "), ("a@b@ACME", "two"), ("long@ACME", "x" * 72),
         ("strong@ACME", "y" * 200), ("j9t@ACME", "yes"), ("quote'\"\\@ACME", "q")]

WRONG = [("sfadmin@ACME", "S3cret"), ("sfadmin@ACME", "s3cret "), ("sfadmin@ACME", "s3cre"), ("sfadmin@ACME", ""),
         ("sfadmin@ACME", b"s3cret\0"), ("sfadmin@ACME", b"s3cret\0x"), ("sfadmin@ACME", "an:other:one"),
         ("sfadmin@ACME", hashed("s3cret")), ("SFADMIN@ACME", "s3cret"), ("sfadmin", "s3cret"), ("", ""),
         ("", "s3cret"), ("stranger@ACME", "s3cret"), ("stranger@ACME", ""), ("nobody@ACME", "plain"),
         (b"sfadmin\0@ACME", "s3cret"), ("empty@ACME", "x"), ("empty@ACME", b"\0"),
         ("Zoë@ACME", "passwörd€"), ("Zoë@ACME".encode("latin-1"), "pässwörd€"), ("long@ACME", "x" * 71),
         ("long@ACME", "x" * 73), ("long@ACME", "x" * 600), ("strong@ACME", "y" * 199), ("strong@ACME", "y" * 201),
         ("# a comment", ""), ("sfapi@ACME", "an"), ("sfapi@ACME", "an:other")]

OTHER_SCHEMES = [[], [("Authorization", "")], [("Authorization", "Basic")], [("Authorization", "Basic ")],
                 [("Authorization", "Basic %%%")], [("Authorization", "Bearer " + basic("nobody", "plain")[1][6:])],
                 [("Authorization", "Basic " + base64.b64encode(b"nobody").decode())],
                 [("Authorization", "Negotiate x")], [("Proxy-Authorization", basic("nobody", "plain")[1])],
                 [basic("nobody", "plain"), basic("nobody", "plain")],
                 [basic("nobody", "plain"), ("Authorization", "Bearer x")],
                 [("Authorization", basic("nobody", "plain")[1] + ", " + basic("nobody", "plain")[1])],
                 [("Authorization", basic("nobody", "plain")[1]), ("authorization", "")]]


@pytest.fixture(scope="module")
def staffed(pki, tenant, tmp_path_factory):
    """One office for the tables."""
    folder = tmp_path_factory.mktemp("staffed")
    with contextlib.ExitStack() as stack:
        server = harness.Recorder(pki)
        stack.callback(server.stop)

        def proxy(sections, **keys):
            lines = {"listen": "127.0.0.1:0", "workers": harness.setting("WORKERS", "1")}
            p = harness.Proxy(folder, "[proxy]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items()) + sections)
            stack.callback(p.stop)
            return p

        yield Office(proxy, tenant, server, folder, USERS)


@pytest.mark.parametrize("user, password", RIGHT)
def test_known_caller(staffed, user, password):
    """Comes through, and leaves its credentials here."""
    for scheme in ("Basic", "bASIC"):
        staffed.server.take()
        answer = staffed.p.request(fields=[("Authorization", scheme + basic(user, password)[1][5:])])
        assert answer.status == 200
        [seen] = staffed.server.take()
        assert seen.others() == []


@pytest.mark.parametrize("user, password", WRONG)
def test_unknown_caller(staffed, user, password):
    staffed.server.take()
    for _ in range(2):
        staffed.check_refused(staffed.call(user, password))
    assert staffed.server.seen == []


def test_options_that_is_answered_here(staffed):
    """RFC 9110, 7.6.2: only to a known caller, on a connection that serves the next request."""
    staffed.server.take()
    last = ("Max-Forwards", "0")
    staffed.check_refused(staffed.p.request("OPTIONS", fields=[last]))
    for user, password in WRONG[:2]:
        staffed.check_refused(staffed.call(user, password, method="OPTIONS", fields=[last]))
    assert staffed.server.take() == []
    with staffed.p.caller() as c:
        answer = c.request("OPTIONS", fields=[last, basic("nobody", "plain")])
        assert (answer.status, answer.body) == (204, b"") and "PATCH" in answer.get("Allow")
        assert staffed.server.take() == []
        assert c.request(fields=[basic("nobody", "plain")]).status == 200
    assert [seen.method for seen in staffed.server.take()] == ["GET"]


@pytest.mark.parametrize("fields", OTHER_SCHEMES, ids=str)
def test_no_credentials(staffed, fields):
    staffed.server.take()
    staffed.check_refused(staffed.p.request(fields=fields))
    assert staffed.server.seen == []


@pytest.mark.parametrize("user", ["sfadmin@OTHER", "sfadmin@acme", "sfadmin@ACME "])
def test_another_company_is_nobodys(staffed, user):
    staffed.server.take()
    assert staffed.call(user, "s3cret").token == "tenant-unknown"
    assert staffed.server.seen == []


def test_nothing_is_begun_for_an_unknown_caller(office):
    """Not even a connection, whatever the method."""
    o = office({"u@ACME": "right"})
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        body = b"body" if method in ("POST", "PUT") else b""
        for fields in ([basic("u@ACME", "wrong")], []):
            answer = o.p.request(method, fields=fields, body=body)
            assert answer.status == 401 and answer.all("WWW-Authenticate") == [CHALLENGE]
            assert (answer.body == b"") == (method == "HEAD")
    o.check_nothing_sent()
    assert o.call("u@ACME", "right").status == 200


def test_wrong_and_unknown_are_told_alike(office):
    o = office({"u@ACME": "right"})
    without_id = lambda user: re.sub(rb'"request_id":"\w+"', b"", o.call(user, "wrong").body)
    assert without_id("u@ACME") == without_id("v@ACME") == without_id("v")


def test_log_has_no_password_and_no_user_but_one_that_is_checked(office):
    o = office({"u@ACME": "right"})
    for user, password in (("u@ACME", "wrong-password"), ("stranger@ACME", "wrong-password"), ("u@ACME", "right")):
        o.call(user, password)
    lines = o.p.wait_for_log(3)
    assert "\n".join(lines).count("error=caller-unknown") == 2 and "tenant=acme" in lines[-1]
    assert ["u@ACME" in line for line in lines] == [False, False, True] and "caller=user:u@ACME" in lines[-1]
    for secret in ("wrong-password", "right", "stranger"):
        assert secret not in o.p.stderr and base64.b64encode(secret.encode()).decode()[:-2] not in o.p.stderr


@pytest.mark.parametrize("keep", ["strip", "keep"])
def test_checked_credentials_are_never_sent_on(office, keep):
    o = office({"u@ACME": "right"}, tenant_keys={"authorization": keep})
    fields = [("Connection", "authorization"), ("X-Other", "1")]
    assert o.call("u@ACME", "right", fields=fields).status == 200
    [seen] = o.server.take()
    assert seen.others() == [("X-Other", "1")]
    o.p.stop()
    assert ("authorization = keep does nothing" in o.p.stderr) == (keep == "keep")


def test_credentials_in_trailers_are_none(office):
    o = office({"u@ACME": "right"})
    trailer = b"0\r\n%s: %s\r\n\r\n" % tuple(part.encode() for part in basic("u@ACME", "right"))
    answer = o.p.raw(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + trailer)
    assert answer.startswith(b"HTTP/1.1 401 ")
    o.check_nothing_sent()


def test_real_server_and_real_tools(proxy, nginx, tenant, tmp_path):
    """The file is made by htpasswd and mkpasswd, the calls by curl."""
    path = tmp_path / "callers"
    for n, user in enumerate(("sfadmin@ACME", "Zoë@ACME")):
        subprocess.run(["htpasswd", "-i", "-B", *(["-c"] if n == 0 else []), path, user],
                       input=f"pass wörd {n}".encode(), check=True, capture_output=True)
    made = subprocess.run(["mkpasswd", "-m", "yescrypt", "-s"], input="pass wörd 2", capture_output=True, text=True,
                          check=True)
    with open(path, "a", encoding="utf-8") as f:
        f.write(f"\n# made by hand\njob@ACME:{made.stdout.strip()}\n")
    p = proxy(tenant(nginx.port, callers_file=path))
    curl = ["curl", "-sS", "-w", "%{http_code}", p.url("/who")]
    for n, user in enumerate(("sfadmin@ACME", "Zoë@ACME", "job@ACME")):
        for options in (["-u", f"{user}:pass wörd {n}"], ["--anyauth", "-u", f"{user}:pass wörd {n}"]):
            result = subprocess.run([*curl, *options], capture_output=True, text=True, timeout=harness.LIMIT)
            assert result.stdout.endswith("200") and '"verify":"SUCCESS"' in result.stdout, result
            assert '"authorization":""' in result.stdout
    for options in ([], ["-u", "sfadmin@ACME:pass wörd 1"], ["-u", "sfadmin@GLOBEX:pass wörd 0"]):
        result = subprocess.run([*curl, *options], capture_output=True, text=True, timeout=harness.LIMIT)
        assert result.stdout.endswith("403" if "GLOBEX" in str(options) else "401"), result


@pytest.mark.parametrize("password, known", [("s3cret", True), ("wrong", False), (None, False)])
def test_inside_a_connect(office, tenant, tmp_path, password, known):
    """CONNECT itself carries no credentials; each request inside does."""
    harness.make_local_ca(tmp_path, f"[proxy]\nlocal-ca = ca\n{tenant(443)}")
    o = office({"sfadmin@ACME": "s3cret"}, local_ca=tmp_path / "ca")
    with o.p.caller() as c:
        host = f"localhost:{o.server.port}"
        c.send(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert c.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        answer = c.request("POST", fields=[basic("sfadmin@ACME", password)] if password else [], body=b"b", host=host)
        if known:
            assert answer.body == b"ok" and o.server.take()[0].all("authorization") == []
        else:
            o.check_refused(answer)
            o.check_nothing_sent()


@pytest.mark.parametrize("form", ["origin", "absolute"])
def test_two_tenants(office, tenant, pki, started, tmp_path, form):
    """Each has its own file, or none; another's user is nobody, however the tenant is found."""
    other = harness.Recorder(pki)
    started.append(other)
    globex = tmp_path / "globex.callers"
    globex.write_text(f"u@GLOBEX:{hashed('globex')}\nplain:{hashed('globex')}\n")
    more = (tenant(other.port, "globex", "GLOBEX", "globex-all.pem", server=API8, callers_file=globex)
            + tenant(other.port, "open", "OPEN", "globex-all.pem", server=API4))
    o = office({"u@ACME": "acme", "plain": "acme", "u@GLOBEX": "acme"}, more=more, tenant_keys={"server": API4})
    hosts = {"ACME": API4, "GLOBEX": API8, "OPEN": API4}
    call = lambda company, user, password: o.p.request(
        target=f"http://{hosts[company]}/" if form == "absolute" else "/",
        fields=[(COMPANY, company), *([basic(user, password)] if user else [])])
    assert call("ACME", "u@ACME", "acme").status == call("ACME", "plain", "acme").status == 200
    assert call("GLOBEX", "u@GLOBEX", "globex").status == call("GLOBEX", "plain", "globex").status == 200
    assert call("OPEN", None, None).status == call("OPEN", "plain", "anything").status == 200
    assert len(o.server.take()) == 2 and len(other.take()) == 4
    o.check_refused(call("ACME", "plain", "globex"))
    o.check_refused(call("GLOBEX", "plain", "acme"))
    o.check_refused(call("GLOBEX", "u@GLOBEX", "acme"))
    assert call("ACME", "u@GLOBEX", "globex").status == call("ACME", "u@GLOBEX", "acme").status == 403
    assert o.server.seen == other.seen == []
    o.p.said("acme.callers:3: the user names another company than ACME")


# ---- the file ----

def refused(folder, pki, text, mode=0o600):
    path = folder / "acme.callers"
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
    config = folder / "sfmtls.ini"
    config.write_text(f"[proxy]\nlisten = 127.0.0.1:0\n[tenant acme]\ncompany-id = ACME\nserver = localhost:1\n"
                      f"certificate = {pki}/acme-all.pem\nca-file = {pki}/ca.pem\ncallers-file = acme.callers\n")
    result = harness.run_cli("run", "-t", "-c", str(config))
    return result, f"{config}:8: {path}"


FLAWS = [  # (text, line, what the sentence says); see unit/config/callers_test.c for more
    (None, None, "cannot be opened"), ("", None, "names no user"), ("# only this\n\n", None, "names no user"),
    ("u@ACME\n", 1, "not `user:hash`"), ("\n\nu@ACME:hunter2\n", 3, "htpasswd -B"),
    ("u@ACME:$apr1$abcdefgh$ijk\n", 1, "htpasswd -B -C 10"), ("u@ACME:{SHA}2jmj7l5rSw0yVb/vlWAYk=\n", 1, "u@ACME"),
    ("u@ACME:rqXexS6ZhobKA\n", 1, "bcrypt and yescrypt"), (f"u:{crypt('x', '$6$abcdefgh')}\n", 1, "htpasswd -B"),
    ("u:$2y$13$" + "." * 53 + "\n", 1, "up to 12"), ("u:$y$jAT$abcdefghijklmnopqrstu/$" + "." * 43, 1, "up to j9T"),
    (f"u:{hashed('a')}\nv:{hashed('b')}\nu:{hashed('c')}\n", 3, "acme.callers:1)"),
    (f"u:{hashed('a')[:-1]}\n", 1, "damaged"), (b"\x7fELF\0\0\n", 1, "not `user:hash`"),
    (f":{hashed('a')}\n", 1, "the user is empty"),
]


@pytest.mark.parametrize("text, line, says", FLAWS, ids=str)
def test_file_that_cannot_be_used(text, line, says, pki, tmp_path):
    """Told with the line of both files, and no word of what could be a password."""
    result, where = refused(tmp_path, pki, text)
    assert result.returncode == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"sfmtls: {where}:" + (f"{line}: " if line else " ")), result.stderr
    assert says in result.stderr and "; " in result.stderr and "hunter2" not in result.stderr


@pytest.mark.parametrize("tool, flags", [("apr1", "-m"), ("SHA", "-s"), ("DES", "-d"), ("cost 13", "-BC13"),
                                         ("SHA-512", "-5"), ("plain", "-p")])
def test_what_htpasswd_makes_otherwise(tool, flags, pki, tmp_path):
    made = subprocess.run(["htpasswd", "-nb", flags, "u@ACME", "hunter2"], capture_output=True, text=True)
    if made.returncode != 0:
        assert flags == "-5", made  # an older htpasswd
        return
    result, where = refused(tmp_path, pki, made.stdout)
    assert result.returncode == 2 and result.stderr.startswith(f"sfmtls: {where}:1: ")
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("mode, warned", [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_file_that_others_may_read(mode, warned, pki, tmp_path):
    result, _ = refused(tmp_path, pki, f"u:{hashed('a')}\n", mode)
    assert result.returncode == 0 and ("chmod o-r" in result.stderr) == warned, result.stderr


def test_file_that_others_may_write(pki, tmp_path):
    result, where = refused(tmp_path, pki, f"u:{hashed('a')}\n", 0o602)
    assert result.returncode == 2
    assert f"{where}: every user of this machine may change it; chmod o-w" in result.stderr


def test_hashes_of_different_costs_are_told(pki, tmp_path):
    result, _ = refused(tmp_path, pki, f"u:{hashed('a')}\nv:{hashed('a', 5)}\n")
    assert result.returncode == 0 and "different costs" in result.stderr


# ---- what it costs ----

def cost(o, *args):
    """What a call costs the proxy, in seconds of a processor: others of the machine make it take longer, not cost more.
    And its answer."""
    before = cpu_seconds(o.p)
    answer = o.call(*args)
    return cpu_seconds(o.p) - before, answer


def test_second_call_is_fast(office):
    """From every worker, on whatever connection; a wrong one is checked each time, and pushes no good one out."""
    o = office({"u@ACME": hashed("right", SLOW)})
    first, answer = cost(o, "u@ACME", "right")
    assert answer.status == 200
    later = [cost(o, "u@ACME", "right") for _ in range(8)]
    assert {answer.status for _, answer in later} == {200}
    wrong, answer = cost(o, "u@ACME", "wrong")
    again, _ = cost(o, "u@ACME", "right")
    o.check_refused(answer)
    assert max(again, *(seconds for seconds, _ in later)) < min(first, wrong) / 2, (first, wrong, again, later)


def test_time_does_not_tell_who_is_known(office):
    """An unknown user costs a hash as dear as the dearest."""
    o = office({"u@ACME": hashed("right", SLOW), "v@ACME": hashed("right", SLOW)})
    costs = {user: min(cost(o, user, f"wrong{n}")[0] for n in range(2))
             for user in ("u@ACME", "stranger@ACME", "stranger", "")}
    known = costs.pop("u@ACME")
    assert all(known / 2 < seconds < 2 * known for seconds in costs.values()), (known, costs)


def test_others_are_served_while_passwords_are_checked(office, tenant, nginx):
    """A known caller, and a tenant without a file, through the same loop: if each of their calls waited for a check, no
    more of them than there are checks would be through before the last one is."""
    o = office({"u@ACME": hashed("right", SLOW)}, more=tenant(nginx.port, "open", "OPEN"))
    assert o.call("u@ACME", "right").status == 200
    guessing = [send(o.p.caller(), "u@ACME", f"wrong {n}") for n in range(60)]
    with o.p.caller() as c, o.p.caller() as d:
        for n in range(100):
            assert c.request(fields=[basic("u@ACME", "right")]).status == 200
            assert d.request(target="/1k", fields=[(COMPANY, "OPEN")]).status == 200
    tried = sum(has_answer(g) for g in guessing)
    assert tried < len(guessing), "the checks were not going on all the time"
    for g in guessing:
        g.reset()


def send(c, user, password, method="GET", rest=""):
    """A request without waiting for its answer."""
    return c.send(harness.head_lines(method, "/", ": ".join(basic(user, password)), *([rest] if rest else [])))


def test_queue_of_checks_is_full(office):
    """One is tried, or is about to be, and 64 wait: who comes then is told when to come again. Whoever leaves makes
    room."""
    o = office({"u@ACME": hashed("right", SLOW)})
    one, _ = cost(o, "u@ACME", "right")
    callers = [send(o.p.caller(), "u@ACME", f"wrong {n}") for n in range(72)]
    answered = []
    harness.eventually(lambda: answered.extend(c.answer() for c in callers if has_answer(c)) or
                       any(a.status == 503 for a in answered))
    full = [a for a in answered if a.status == 503]
    assert {(a.token, a.get("Retry-After")) for a in full} == {("checks-full", "5")} and len(full) <= 72 - 64
    assert o.call("u@ACME", "right").status == 200, "who is known does not queue"
    for c in callers:
        c.reset()
    assert cost(o, "u@ACME", "another")[0] < 20 * one, "what nobody waits for is not tried"
    assert len(o.server.take()) == 2


def has_answer(c):
    c.sock.setblocking(False)
    try:
        return bool(c.sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        c.sock.settimeout(harness.LIMIT)


def test_same_password_of_many_is_checked_once(office):
    """More than may wait, all of them with the same: an app with many connections begins to work."""
    o = office({"u@ACME": hashed("right", SLOW)})
    callers = [send(o.p.caller(), "u@ACME", "right") for _ in range(100)]
    assert collections.Counter(c.answer().status for c in callers) == {200: 100}
    for c in callers:
        c.close()


def test_guessing_pushes_nobody_out(office):
    o = office({"u@ACME": hashed("right", SLOW), "v@ACME": "v"})
    slow, _ = cost(o, "u@ACME", "right")
    with o.p.caller() as c:
        for n in range(harness.count(300, 3000)):
            # The dummy is as dear as the dearest; v's own hash is cheap.
            o.check_refused(c.request(fields=[basic("v@ACME", f"wrong {n}")]))
    assert cost(o, "u@ACME", "right")[0] < slow / 2


def test_password_leaves_no_trace(office, release):
    """Wrong or right, it is nowhere in memory in the clear once it was checked."""
    ends = {name: f"the end of the {name} one 8151" for name in ("right", "wrong")}
    passwords = {name: "x" * 40 + end for name, end in ends.items()}  # freeing overwrites the beginning
    o = office({"u@ACME": hashed(passwords["right"])}, process={"binary": release})
    for name, status in (("right", 200), ("wrong", 401)):
        for _ in range(3):
            assert o.call("u@ACME", passwords[name]).status == status
    assert test_key.hits(o.p.process.pid, {name: end.encode() for name, end in ends.items()}) == []


# ---- while a check runs ----

def slow_office(office, *reply, **keys):
    """Its first check of a password takes a while."""
    return office({"u@ACME": hashed("right", SLOW), "v@ACME": hashed("v", SLOW)}, *reply, **keys)


BODY = os.urandom(300_000)


def chunked(body, size=10_000):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in
                    (body[i:i + size] for i in range(0, len(body), size))) + b"0\r\n\r\n"


@pytest.mark.parametrize("form", ["length", "chunked"])
@pytest.mark.parametrize("pause", ["at once", "head first", "in parts"])
@pytest.mark.parametrize("body", [b"", b"x", BODY], ids=len)
def test_body_waits_for_the_check(office, form, pause, body):
    o = slow_office(office)
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{': '.join(basic('u@ACME', 'right'))}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n" if form == "length" else "Transfer-Encoding: chunked\r\n\r\n"
    data = body if form == "length" else chunked(body)
    parts = {"at once": [head.encode() + data], "head first": [head.encode(), data],
             "in parts": [head.encode() + data[:7], data[7:20_000], data[20_000:]]}[pause]
    with o.p.caller() as c:
        for part in parts:
            c.send(part)
            PACE.wait(0.02)
        assert c.answer().status == 200
        assert c.request(fields=[basic("u@ACME", "right")]).status == 200, "the connection goes on"
    first, second = o.server.take()
    assert first.body == body and second.body == b""


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_pipelined_requests(office, password):
    """Each is checked for itself, and answered in turn."""
    o = slow_office(office)
    with o.p.caller() as c:
        for n, (user, word) in enumerate([("u@ACME", password), ("v@ACME", "v"), ("u@ACME", "right"), ("x", "y")]):
            c.send(harness.head_lines("GET", f"/{n}", ": ".join(basic(user, word))))
        assert [c.answer().status for _ in range(4)] == [200 if password == "right" else 401, 200, 200, 401]
    assert [seen.target for seen in o.server.take()] == (["/0"] if password == "right" else []) + ["/1", "/2"]


@pytest.mark.parametrize("password, status", [("right", 200), ("wrong", 401)])
def test_head_request(office, password, status):
    o = slow_office(office)
    with o.p.caller() as c:
        answer = c.request("HEAD", fields=[basic("u@ACME", password)])
        assert answer.status == status and answer.body == b""
        assert c.request(fields=[basic("u@ACME", "right")]).status == 200, "nothing stood behind the head"


def test_caller_who_expects_100_continue(office):
    """It is asked for the body by the server only, and not at all if the password is wrong."""

    def ask(c, seen):
        c.reply(b"ok")

    o = slow_office(office, ask)
    expecting = lambda word: harness.head_lines("POST", "/", ": ".join(basic("u@ACME", word)), "Content-Length: 4",
                                                "Expect: 100-continue")
    with o.p.caller() as c:
        c.send(expecting("wrong"))
        answer = c.answer()
        assert (answer.status, c.interim) == (401, []) and answer.get("Connection") == "close"
    o.check_nothing_sent()
    with o.p.caller() as c:
        c.send(expecting("right"))
        harness.eventually(lambda: o.server.connections)
        c.send(b"body")
        assert c.answer().status == 200
    [seen] = o.server.take()
    assert seen.body == b"body" and seen.all("Expect") == ["100-continue"]


def test_http_1_0(office):
    o = slow_office(office)
    for password, status in (("right", 200), ("wrong", 401)):
        answer = o.p.request(fields=[basic("u@ACME", password)], version="HTTP/1.0", host=None)
        assert answer.status == status and answer.complete


def test_half_closed_caller(office):
    """printf ... | nc -N: what it asked for is whole, so it is answered."""
    o = slow_office(office)
    for password, status in (("right", b"200"), ("wrong", b"401")):
        answer = o.p.raw(harness.head_lines("GET", "/", ": ".join(basic("u@ACME", password))))
        assert answer.startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("leave", ["reset", "close"])
def test_caller_who_leaves_meanwhile(office, method, leave):
    """Nothing is sent for who is gone, and the others go on. An end in order behind a whole request is no goodbye; in
    front of a body's end it is one, as soon as it is seen."""
    o = slow_office(office, allow_uid="any")  # else whoever is gone before it is looked at may be anybody
    blockers = [send(o.p.caller(), "v@ACME", f"wrong {n}") for n in range(10)]
    for password in ("right", "wrong"):
        c = send(o.p.caller(), "u@ACME", password, method, "Content-Length: 100001" if method == "POST" else "")
        c.send(b"x" * 100_000 if method == "POST" else b"")
        getattr(c, leave)()
    for c in blockers:
        assert c.answer().status == 401
        c.close()
    assert o.call("v@ACME", "v").status == 200
    answered = leave == "close" and method == "GET"
    harness.eventually(lambda: len(o.p.log_lines()) == 13)
    gone = sum("error=caller-gone" in line for line in o.p.log_lines())
    assert gone == (0 if answered else 2 if leave == "reset" else 1)
    assert [seen.method for seen in o.server.take()] == ["GET"] * (1 + answered)
    assert leave == "close" or o.server.unfinished == []


def test_refused_upload(office):
    """A caller that goes on sending still gets its answer."""
    o = slow_office(office)
    with o.p.caller() as c:
        c.send(harness.head_lines("POST", "/", ": ".join(basic("u@ACME", "wrong")), f"Content-Length: {len(BODY)}"))
        c.send(BODY)
        answer = c.answer()
        assert answer.status == 401 and answer.get("Connection") == "close"
    o.check_nothing_sent()


@pytest.mark.parametrize("signals", [1, 2])
def test_shutdown_while_checks_wait(office, signals):
    """They may end, unless there is no time left."""
    o = slow_office(office, drain_timeout="1h")
    before = o.p.descriptors()
    callers = [send(o.p.caller(), "u@ACME", f"wrong {n}") for n in range(8)]
    known = send(o.p.caller(), "v@ACME", "v")
    harness.eventually(lambda: o.p.descriptors() >= before + 9)
    harness.eventually(lambda: len(o.p.log_lines()) > 0)  # the first one was tried: all have come
    for n in range(signals):
        o.p.signal(signal.SIGTERM)
        harness.eventually(lambda: "shutting down" in o.p.stderr)
    if signals == 1:
        assert [c.answer().status for c in callers] == [401] * 8 and known.answer().status == 200
        assert o.p.wait() == 0
    else:
        o.p.expected_exit = 1
        assert o.p.wait() == 1
        assert "error=cut-off-at-shutdown" in o.p.stderr
        assert o.server.seen == []
    for c in [*callers, known]:
        c.close()


def test_drain_timeout_while_checks_wait(office):
    o = slow_office(office, drain_timeout="100ms")
    callers = [send(o.p.caller(), "u@ACME", f"wrong {n}") for n in range(30)]
    harness.eventually(lambda: len(o.p.log_lines()) > 0)
    o.p.expected_exit = 1
    o.p.signal(signal.SIGTERM)
    assert o.p.wait() == 1
    assert o.p.stderr.count("error=caller-unknown") < len(callers), "not all of them were tried before"
    for c in callers:
        c.close()


# ---- a reload ----

def reloads(p):
    return len(re.findall(r"notice: reloaded\b", p.stderr))


def rewrite(o, users):
    """Returns when the new file is in use, by every worker."""
    before = reloads(o.p)
    o.write(users)
    harness.eventually(lambda: reloads(o.p) > before)


def in_force(o, user, password, status):
    """Every worker has it: each takes its turn."""
    harness.eventually(lambda: [o.call(user, password).status for _ in range(8)] == [status] * 8)


def test_file_is_followed(office):
    """Who is taken out, or has another password, is refused at once, though it was known; who stays, stays."""
    o = office({"u@ACME": "one", "v@ACME": hashed("v", SLOW), "w@ACME": "w"})
    slow, _ = cost(o, "v@ACME", "v")
    for user, password in (("u@ACME", "one"), ("v@ACME", "v"), ("w@ACME", "w")):
        assert o.call(user, password).status == 200
    rewrite(o, {"u@ACME": "two", "v@ACME": hashed("v", SLOW), "new@ACME": "new"})
    in_force(o, "w@ACME", "w", 401)
    in_force(o, "u@ACME", "one", 401)
    assert o.call("u@ACME", "two").status == o.call("new@ACME", "new").status == 200
    assert cost(o, "v@ACME", "v")[0] < slow / 2
    rewrite(o, {"u@ACME": "one"})
    in_force(o, "u@ACME", "two", 401)
    in_force(o, "u@ACME", "one", 200)


def test_file_that_breaks(office):
    """The old one stays in use."""
    o = office({"u@ACME": "one"})
    o.write({"u@ACME": "$apr1$x$y"})
    assert f"{o.path}:1: " in o.p.said("not reloaded, what was loaded before stays in use")
    assert o.call("u@ACME", "one").status == 200 and o.call("u@ACME", "two").status == 401
    rewrite(o, {"u@ACME": "two"})
    in_force(o, "u@ACME", "two", 200)


def test_file_comes_and_goes(office):
    """With the option, in the configuration."""
    o = office({"u@ACME": "one"})
    text = o.p.config.read_text()
    o.p.rewrite(re.sub("(?m)^callers-file.*\n", "", text))
    harness.eventually(lambda: [o.p.request().status for _ in range(8)] == [200] * 8)
    o.p.rewrite(text)
    harness.eventually(lambda: [o.p.request().status for _ in range(8)] == [401] * 8)
    assert o.call("u@ACME", "one").status == 200


@pytest.mark.parametrize("change", ["callers", "tenant", "certificate"])
def test_reload_while_a_check_waits(office, pki, change):
    """The request ends as it began, even if its tenant is gone."""
    names = []

    def note(c, seen):
        names.append(c.peer_cn())
        c.reply(b"ok")

    o = slow_office(office, note)
    blockers = [send(o.p.caller(), "v@ACME", f"wrong {n}") for n in range(50)]
    c = o.p.caller()
    c.send(harness.head_lines("POST", "/late", ": ".join(basic("u@ACME", "right")), "Content-Length: 5") + "whole")
    harness.eventually(lambda: len(o.p.log_lines()) > 0)
    if change == "callers":
        rewrite(o, {"w@ACME": "w"})
    else:
        text = o.p.config.read_text()
        changed = (text.replace("[tenant acme]", "[tenant other]").replace("= ACME", "= OTHER") if change == "tenant"
                   else text.replace("acme-all.pem", "globex-all.pem"))
        assert changed != text
        o.p.rewrite(changed)
        harness.eventually(lambda: reloads(o.p) > 0)
    assert not has_answer(c), "the reload came in between"
    for b in blockers:
        b.reset()  # what nobody waits for is not tried
    assert c.answer().status == 200
    [seen] = o.server.take()
    assert (seen.target, seen.body, names) == ("/late", b"whole", ["acme_user"])
    c.close()


# ---- all of it together ----

@pytest.mark.parametrize("workers", ["1", "4"])
def test_many_callers_who_come_go_and_guess(office, workers):
    """Nobody gets what is another's, and nothing is sent for who is not known, while the file changes."""
    users = {f"u{n}@ACME": f"pw{n}" for n in range(20)}
    o = office(users, workers=workers)
    hashes = {user: hashed(password) for user, password in users.items()}
    over = threading.Event()

    def call(i):
        for n in range(harness.count(60, 600)):
            user = f"u{(i + n) % 20}@ACME"
            if n % 7 == 3:
                send(o.p.caller(), user, f"leaves {i} {n}").reset()
            right = n % 3 != 0
            answer = o.call(user, users[user] if right else f"wrong {i} {n}", method="POST", target=f"/{user}/{right}",
                            body=user.encode() * 100)
            assert answer.status == (200 if right else 401)

    def change():
        n = 0
        while not over.is_set():
            n += 1
            o.write({**hashes, f"extra{n}@ACME": hashes["u0@ACME"]})
            PACE.wait(0.1)

    changing, calling = Background(change), [Background(call, i) for i in range(8)]
    try:
        for c in calling:
            c.result(120)
    finally:
        over.set()
        changing.result()
    for seen in o.server.take():
        user = seen.target.split("/")[1]
        assert seen.target.endswith("/True") and seen.body == user.encode() * 100
        assert "authorization" not in seen.names()
