"""Every key of the configuration, changed by a reload, alone, and changed back: what comes of it is seen each time."""
import base64
import collections
import contextlib
import json
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import tempfile
import threading
import time

import pytest

import harness
from test_callers_file import hashed
from test_parent import OK, Parent, challenge, fields_of, target_of, tunnel
from test_pool import two_servers
from test_server_certificate import Authority

TOKEN = "a-token-of-32-characters-or-more"
STRANGER = "{pki}/stranger.pem"
Row = collections.namedtuple("Row", "see old new was becomes set_up keys slow")
ROWS = {}


class Refused(str):
    """The configuration is not taken, for a reason that has these words; which is told two seconds later."""


class AtNextStart(str):
    """It is taken, but this has no effect yet, and these words say so."""


def row(name, new, was, becomes, old=None, set_up=None, slow=False, **keys):
    """was None: it shows. Keys are of the tenant if they have a __ before them; with old None it is not set."""

    def add(see):
        ROWS[name] = Row(see, old, new, was, becomes, set_up or (lambda b: None), keys,
                         slow or isinstance(becomes, Refused))
        return see

    return add


class Bench:
    """A proxy before a server that tells what it saw; .names may stand in values, in braces."""

    def __init__(self, request, pki, proxy):
        self.fixture, self.start_proxy = request.getfixturevalue, proxy
        self.room = pathlib.Path(tempfile.mkdtemp(dir=pki))  # beside ca-file: the sandbox lets it be read
        self.names = {"pki": pki, "room": self.room}
        self.environment, self.prefix = {}, ()
        self.proxy = {"listen": "127.0.0.1:0", "workers": harness.setting("WORKERS")}
        self.tenant = {"company-id": "ACME", "server": "localhost:{port}", "connect-to": "127.0.0.1:{port}",
                       "certificate": "{pki}/acme-all.pem", "ca-file": "{pki}/ca.pem"}
        self.held, self.go_on = threading.Semaphore(0), threading.Event()

    def serve(self, name="port", **kwargs):
        self.fixture("started").append(harness.Recorder(self.names["pki"], self._reply, **kwargs))
        self.names[name] = self.fixture("started")[-1].port

    def _reply(self, c, seen):
        if seen.target == "/hold":
            self.held.release()
            harness.happened(self.go_on)
        body = json.dumps({"fields": dict(seen.fields), "number": c.number, "place": c.sock.getsockname(),
                           "user": c.peer_cn() if c.sock.getpeercert() else None})
        more = {"/session": "Set-Cookie: JSESSIONID=s1\r\n", "/later": "Retry-After: 300\r\n",
                "/long": "X-Long: " + "x" * 1500 + "\r\n", "/many": "X-Many: x\r\n" * 25}.get(seen.target, "")
        c.reply(body.encode(), "429 Busy" if seen.target in ("/busy", "/later") else "200 OK",
                fields=f"Location: https://localhost:{self.names['port']}/x\r\n{more}")

    def text(self):
        keys = lambda section: "".join(f"{key} = {value}\n" for key, value in section.items() if value is not None)
        return (f"[proxy]\n{keys(self.proxy)}[tenant acme]\n{keys(self.tenant)}").format(**self.names)

    def set(self, name, value):
        section, key = name.split(" ")
        getattr(self, section)[key] = value

    def start(self):
        text = self.text()
        self.p = self.start_proxy(text[text.index("[tenant"):], self.environment, process={"prefix": self.prefix},
                                  **{key: value and value.format(**self.names) for key, value in self.proxy.items()})

    def reload(self):
        before = self.p.stderr.count("notice: reloaded")
        self.p.rewrite(self.text())
        harness.eventually(lambda: self.p.stderr.count("notice: reloaded") > before)

    # what callers see

    def ask(self, *args, **kwargs):
        return self.p.request(*args, **kwargs)

    def seen(self, **kwargs):
        """What the server saw, or the token of the refusal."""
        answer = self.ask(**kwargs)
        return answer.json() if answer.status == 200 else answer.token

    def outcome(self, **kwargs):
        answer = self.ask(**kwargs)
        return 200 if answer.status == 200 else answer.token

    def at_socket(self, name):
        with contextlib.suppress(OSError), harness.Caller(str(self.room / name), socket.AF_UNIX) as c:
            return c.request().status == 200
        return False

    @contextlib.contextmanager
    def holding(self):
        """A request is at the server meanwhile, and stays there."""
        self.go_on.clear()
        with self.p.caller() as c:
            c.send(harness.head_lines(target="/hold"))
            assert self.held.acquire(timeout=harness.LIMIT)
            yield c
            self.go_on.set()

    def log_line(self, **kwargs):
        before = len(self.p.log_lines())
        self.ask(**kwargs)
        return self.p.last_log(before + 1)


def soon(c, seconds=1.3):
    """What comes within a bit more than a second: the token of an answer, or the end."""
    if not select.select([c.sock], [], [], seconds)[0]:
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # else it is served to its end
        return "waits"
    if not c.fill():
        return "closed"
    answer = c.answer()
    return 200 if answer.status == 200 else answer.token


@pytest.fixture
def new_bench(request, pki, proxy):
    benches = []

    def make():
        benches.append(Bench(request, pki, proxy))
        return benches[-1]

    yield make
    for b in benches:
        b.go_on.set()
        shutil.rmtree(b.room, ignore_errors=True)


def check(b, wanted, see):
    """Workers take it a moment after the log has said so."""
    def is_seen():
        got = see(b)
        assert wanted is None or got == wanted, f"{got}, not {wanted}"
        return True

    harness.eventually(is_seen)


def prepare(b, name):
    r = ROWS[name]
    if "port" not in b.names:
        b.serve()
    r.set_up(b)
    for key, value in r.keys.items():
        b.set(("tenant " if key.startswith("__") else "proxy ") + key.strip("_").replace("_", "-"), value)
    b.set(name, r.old)
    return r


def change(b, name, value, becomes):
    b.set(name, value)
    if not isinstance(becomes, Refused):
        b.reload()
    else:
        b.p.rewrite(b.text())
        assert becomes in b.p.said("not reloaded, what was loaded before stays in use")
    if isinstance(becomes, AtNextStart):
        b.p.said(becomes)


def has_effect(becomes):
    return not isinstance(becomes, (Refused, AtNextStart))


def keys_of_the_reference():
    section = None
    for line in harness.run_cli("help", "config").stdout.splitlines():
        found = re.fullmatch(r";?\[([a-z]+).*\]|;([a-zA-Z.-]+) = .*", line)
        section = found[1] if found and found[1] else section
        if found and found[2]:
            yield f"{section} {found[2]}"


# ---- where callers come in, and who ----

def sockets(b):
    return [name for name in ("one", "two", "own") if b.at_socket(name)]


row("proxy listen", "127.0.0.1:0, unix:{room}/two", ["one"], ["two"], "127.0.0.1:0, unix:{room}/one")(sockets)
row("tenant listen", "unix:{room}/own", ["one"], ["one", "own"], listen="127.0.0.1:0, unix:{room}/one")(sockets)


@row("proxy admin", "127.0.0.1:0", False, AtNextStart("admin takes effect at the next start"))
def _(b):
    return "status on" in b.p.stderr


def admin_status(b, *fields):
    """The status of an answer of the admin listener, which is at a Unix socket."""
    with harness.Caller(str(b.room / "admin"), socket.AF_UNIX) as c:
        answer = c.request(target="/status", fields=fields)
        return 200 if answer.status == 200 else answer.token


@row("proxy admin-allow-uid", str(os.geteuid() + 1), [200, 200], ["caller-uid", 200], admin="unix:{room}/admin")
def _(b):
    return [admin_status(b), b.outcome()]


@row("proxy admin-token-file", "{room}/tokens", [200, 200], ["admin-token-missing", 200],
     set_up=lambda b: tokens(b), admin="unix:{room}/admin")
def _(b):
    return [admin_status(b), admin_status(b, ("Authorization", f"Bearer {TOKEN}"))]


@row("proxy admin-actions", "yes", "admin-action-refused", "accepted\n", admin="unix:{room}/admin")
def _(b):
    with harness.Caller(str(b.room / "admin"), socket.AF_UNIX) as c:
        answer = c.request("POST", "/reload")
        return answer.body.decode() if answer.status == 202 else answer.token


@row("proxy allow-uid", str(os.geteuid() + 1), 200, "caller-uid")
def _(b):
    return b.outcome()


@row("proxy socket-mode", "0660", "0o600", "0o660", listen="unix:{room}/one")
def _(b):
    return oct((b.room / "one").stat().st_mode & 0o777)


OTHER_GROUP = next((g for g in os.getgroups() if g != os.getegid()), 1)


def in_two_groups(b):
    if os.geteuid() == 0:
        b.prefix = ["setpriv", "--groups", f"{os.getegid()},{OTHER_GROUP}"]


@row("proxy socket-group", str(OTHER_GROUP), os.getegid(), OTHER_GROUP, None, in_two_groups, listen="unix:{room}/one")
def _(b):
    return (b.room / "one").stat().st_gid


def tokens(b):
    (b.room / "tokens").write_text(TOKEN + "\n")


WITH_TOKEN = {"fields": [("X-Sfmtls-Token", TOKEN)]}


@row("proxy allow-remote", "no", 200, Refused("allow-remote"), "yes", tokens, listen="0.0.0.0:0",
     caller_token_file="{room}/tokens")
def _(b):
    return b.outcome(**WITH_TOKEN)


@row("proxy caller-token-file", "{room}/tokens", [200, 200], ["caller-token-missing", 200], None, tokens)
def _(b):
    return [b.outcome(), b.outcome(**WITH_TOKEN)]


@row("proxy host-names", "sfmtls.example", "host-not-served", 200)
def _(b):
    return b.outcome(host="sfmtls.example")


@row("proxy allow-origin", "https://app.example", "foreign-origin", 200)
def _(b):
    return b.outcome(fields=[("Origin", "https://app.example")])


@row("proxy allow-forwarded", "yes", "forwarded-request", 200)
def _(b):
    return b.outcome(fields=[("X-Forwarded-For", "10.0.0.1")])


@row("tenant callers-file", "{room}/callers", [200, 200], ["caller-unknown", 200],
     set_up=lambda b: (b.room / "callers").write_text(f"u@ACME:{hashed('secret')}\n"))
def _(b):
    return [b.outcome(), b.outcome(fields=[("Authorization", "Basic dUBBQ01FOnNlY3JldA==")])]


@row("tenant allow", "GET /a/*", [200, 200], [200, "not-allowed-by-rule"])
def _(b):
    return [b.outcome(target="/a/x"), b.outcome(target="/b")]


# ---- the process ----

@row("proxy workers", "3", None, AtNextStart("workers takes effect at the next start"), "1")
def _(b):
    assert b.outcome() == 200
    return len(os.listdir(f"/proc/{b.p.process.pid}/task"))


@row("proxy log", "{room}/log", "GET", AtNextStart("log takes effect at the next start"))
@row("proxy log-format", "json", "GET", AtNextStart("log-format takes effect at the next start"))
def _(b):
    return b.log_line()["method"]


@row("proxy log-path", "full", "/User(...)", AtNextStart("log-path takes effect at the next start"))
def _(b):
    return b.log_line(target="/User('x')")["path"]


@row("proxy log-level", "debug", False, True)
def _(b):
    """Is an exchange traced?"""
    before, lines = b.p.stderr.count("-> over"), len(b.p.log_lines())
    assert b.ask().status == 200
    b.p.wait_for_log(lines + 1)
    return b.p.stderr.count("-> over") > before


@row("proxy hints", "off", True, False)
def _(b):
    return b.ask(target="/busy").get("Sfmtls-Hint") is not None


@row("proxy server-timing", "on", False, True)
def _(b):
    return b.ask().get("Server-Timing") is not None


@row("proxy log-caller", "off", True, AtNextStart("log-caller takes effect at the next start"))
def _(b):
    return "caller" in b.log_line()


def status_of(b, name):
    return re.search(rf"(?m)^{name}:\s*(.*)$", pathlib.Path(f"/proc/{b.p.process.pid}/status").read_text())[1]


@row("proxy sandbox", "off", None, AtNextStart("sandbox takes effect at the next start"))
def _(b):
    return status_of(b, "Seccomp")


@row("proxy user", pwd.getpwuid(os.geteuid()).pw_name, None, AtNextStart("user takes effect at the next start"))
def _(b):
    return status_of(b, "Uid")


def outcomes_of_three(b):
    with b.p.caller() as one, b.p.caller() as two, b.p.caller() as three:
        answers = [one.request(), two.request(), three.request()]
    return [200 if answer.status == 200 else answer.token for answer in answers]


row("proxy max-connections", "2", [200] * 3, [200, 200, "too-many-connections"])(outcomes_of_three)
row("proxy max-connections-per-caller", "2", [200] * 3,
    [200, 200, "too-many-connections-of-caller"])(outcomes_of_three)


@row("proxy max-requests", "1", None, "close")
def _(b):
    return b.ask().get("Connection")


@row("proxy queue", "0", "waits", "queue-full", __max_upstream="1", slow=True)
@row("proxy queue-timeout", "1s", "waits", "queue-timeout", __max_upstream="1", slow=True)
def _(b):
    with b.holding(), b.p.caller() as c:
        return soon(c.send(harness.head_lines()))


@row("tenant max-upstream", "1", 200, "queue-full", queue="0", workers="1")
def _(b):
    with b.holding():
        return b.outcome()


@row("tenant rate", "* 1/s", [200, 200], [200, "queue-full"], queue="0")
def _(b):
    return [b.outcome(), b.outcome()]


@row("tenant respect-retry-after", "off", [429, 503], [429, 429], queue="0")
def _(b):
    return [b.ask(target="/later").status, b.ask(target="/later").status]


@row("tenant session-reuse", "on", None, "JSESSIONID=s1")
def _(b):
    b.ask(target="/session")
    return b.seen()["fields"].get("Cookie")


@row("proxy max-head", "1k", [200, 200], ["head-too-large", "answer-head-too-large"])
def _(b):
    return [b.outcome(fields=[("X-Long", "x" * 1500)]), b.outcome(target="/long")]


@row("proxy max-fields", "20", [200, 200], ["head-too-large", "answer-head-too-large"])
def _(b):
    return [b.outcome(fields=[("X-Many", "x")] * 25), b.outcome(target="/many")]


@row("proxy max-target", "300", 200, "target-too-long")
def _(b):
    return b.outcome(target="/" + "x" * 400)


# ---- CONNECT ----

def connect(b, host):
    with b.p.caller() as c:
        c.send(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        head = c.read_until(b"\r\n\r\n").decode()
        return 200 if " 200 " in head else re.search('details="(.*?)"', head)[1]


@row("proxy local-ca", "{room}/ca", "connect-not-served", 200,
     set_up=lambda b: harness.make_local_ca(b.room, b.text().replace("[tenant", "local-ca = ca\n[tenant")))
def _(b):
    return connect(b, f"localhost:{b.names['port']}")


def places(b):
    b.serve("other")


def connect_to_both(b):
    return [connect(b, f"127.0.0.1:{b.names[name]}") for name in ("port", "other")]


@row("proxy connect-other", "refuse", 200, Refused("connect-other"), "tunnel", places,
     connect_allow="127.0.0.1:{other}")
def _(b):
    return connect(b, f"127.0.0.1:{b.names['other']}")


@row("proxy connect-allow", "127.0.0.1:{other}, 127.0.0.1:{more}", "connect-not-allowed", 200, "127.0.0.1:{other}",
     lambda b: [b.serve("other"), b.serve("more")], connect_other="tunnel")
def _(b):
    return connect(b, f"127.0.0.1:{b.names['more']}")


# ---- times ----

@row("proxy connect-timeout", "1s", "waits", "connect-timeout", slow=True, __connect_to="127.0.0.2:{deaf}",
     set_up=lambda b: b.names.update(deaf=b.fixture("deaf")("127.0.0.2")))
@row("proxy handshake-timeout", "1s", "waits", "handshake-timeout", slow=True, __connect_to="127.0.0.1:{silent}",
     set_up=lambda b: silent(b))
def _(b):
    with b.p.caller() as c:
        return soon(c.send(harness.head_lines()))


def silent(b):
    b.listener = socket.create_server(("127.0.0.1", 0))
    b.names["silent"] = b.listener.getsockname()[1]


@row("proxy head-timeout", "1s", "waits", "request-timeout", slow=True)
def _(b):
    with b.p.caller() as c:
        return soon(c.send("GET / HT"))


@row("proxy idle-timeout", "1s", "waits", "closed", slow=True)
def _(b):
    with b.p.caller() as c:
        assert c.request().status == 200
        return soon(c)


@row("proxy body-timeout", "1s", "waits", "request-timeout", slow=True)
def _(b):
    with b.p.caller() as c:
        return soon(c.send(harness.head_lines("POST", "/", "Content-Length: 10") + "x"))


@row("proxy answer-timeout", "1s", "waits", "answer-timeout", slow=True)
def _(b):
    with b.holding() as c:
        return soon(c)


def cable(b):
    b.cable = harness.Cable()
    b.fixture("started").append(b.cable)
    b.serve(listener=b.cable.listener())
    b.tenant["connect-to"] = b.cable.far + ":{port}"
    b.prefix = b.cable.prefix()


@row("proxy dead-peer-timeout", "1s", "waits", "server-vanished", set_up=cable, listen="unix:{room}/one",
     slow=True)
def _(b):
    assert b.outcome() == 200
    b.cable.swallow()
    try:
        with b.p.caller() as c:
            return soon(c.send(harness.head_lines("POST", "/", "Content-Length: 1") + "x"), 1.6)
    finally:
        b.cable.restore()


def is_kept(b, age=0):
    """Is the connection to the server used again when it is that old?"""
    number, begun = b.seen()["number"], time.monotonic()
    harness.eventually(lambda: time.monotonic() - begun >= age)
    return b.seen()["number"] == number


row("proxy pool-idle", "0", True, False, workers="1")(is_kept)
row("proxy pool-age", "1s", True, False, slow=True)(lambda b: is_kept(b, 1.2))


def moving(b):
    first = two_servers(b.fixture("script"))[0]
    b.names["moving"] = first.port
    b.place, b.found = 2, b.fixture("names")
    b.environment = b.found.environment
    move(b)


def move(b):
    b.place = 5 - b.place
    b.found.set(server_test=[f"127.0.0.{b.place}"])


@row("proxy resolve-cache", "0", "remembered", "asked for", "1h", moving, pool_idle="0",
     __connect_to="server.test:{moving}", workers="1")
def _(b):
    before = b.ask().body
    move(b)
    now = b.ask().body
    return "remembered" if now == before else "asked for"


# ---- the server, and who calls there ----

@row("tenant company-id", "OTHER", "ACME", "OTHER", "ACME")
def _(b):
    return b.seen()["fields"]["successfactors-companyid"]


@row("tenant server", "127.0.0.1:{port}", "localhost", "127.0.0.1", "localhost:{port}")
def _(b):
    return b.seen()["fields"]["Host"].split(":")[0]


@row("tenant server-as-is", "yes", 200, "server-certificate-wrong-host", __server="api4.successfactors.com")
def _(b):
    return b.outcome()


@row("tenant connect-to", "127.0.0.3:{everywhere}", "127.0.0.2", "127.0.0.3", "127.0.0.2:{everywhere}",
     lambda b: b.serve("everywhere", address=("0.0.0.0", 0)))
def _(b):
    return b.seen()["place"][0]


# ---- the parent proxy ----

def parents(b):
    """Two that pass on whoever says something, and one that speaks Kerberos alone."""
    both = 'Digest realm="r", nonce="n", Basic realm=x'
    for name, asked in (("one", "Basic realm=x"), ("two", both), ("krb", "Negotiate")):
        def answer(c, head, asked=asked):
            b.said = dict(fields_of(head)).get("Proxy-Authorization")
            if b.said is None and not b.is_open:
                c.send(challenge(asked))
                return False
            c.send(OK)
            tunnel(c, target_of(head))
            return True

        b.names[name] = Parent(b.fixture("started"), [answer]).url
    for user in ("anna", "berta"):
        (b.room / user).write_text(f"password-of-{user}")
    b.is_open = False


def open_parents(b):
    parents(b)
    b.is_open = True


def asks(b):
    """Is a parent proxy asked?"""
    b.said = "nobody"
    b.outcome()
    return b.said


def says(b):
    """What the parent proxy learns of who calls."""
    b.said = None
    answer = b.ask()
    if answer.status != 200:
        return re.search("[^/]*(?=: [^:]*[.]$)", answer.json()["detail"])[0]
    kind, rest = b.said.split(" ", 1)
    return base64.b64decode(rest).decode() if kind == "Basic" else kind


OF_BASIC = {"_auth": "basic", "_user": "anna", "_password_file": "{room}/anna"}


def of(section, parent, *keys, **more):
    """The other keys of that section, for a row."""
    keys = {"": parent, **{key: OF_BASIC[key] for key in keys}, **more}
    return {"pool_idle": "0s", **{("__" if section == "tenant" else "") + f"parent_proxy{key}": value
                                  for key, value in keys.items()}}


@row("proxy parent-proxy", "{one}", "nobody", None, set_up=open_parents, pool_idle="0s")
@row("tenant parent-proxy", "{one}", "nobody", None, set_up=open_parents, pool_idle="0s")
def _(b):
    return asks(b)


@row("proxy parent-proxy-user", "berta", "anna:password-of-anna", "berta:password-of-anna", "anna", parents,
     **of("proxy", "{one}", "_auth", "_password_file"))
@row("proxy parent-proxy-password-file", "{room}/berta", "anna:password-of-anna", "anna:password-of-berta",
     "{room}/anna", parents, **of("proxy", "{one}", "_auth", "_user"))
@row("proxy parent-proxy-auth", "digest", "anna:password-of-anna", "Digest", "basic", parents,
     **of("proxy", "{two}", "_user", "_password_file"))
@row("proxy parent-proxy-ccache", "FILE:{room}/two", "one", "two", "FILE:{room}/one", parents, **of("proxy", "{krb}"))
@row("proxy parent-proxy-keytab", "{room}/two", "one", "two", "{room}/one", parents, **of("proxy", "{krb}"))
@row("tenant parent-proxy-user", "berta", "anna:password-of-anna", "berta:password-of-anna", "anna", parents,
     **of("tenant", "{one}", "_auth", "_password_file"))
@row("tenant parent-proxy-password-file", "{room}/berta", "anna:password-of-anna", "anna:password-of-berta",
     "{room}/anna", parents, **of("tenant", "{one}", "_auth", "_user"))
@row("tenant parent-proxy-auth", "digest", "anna:password-of-anna", "Digest", "basic", parents,
     **of("tenant", "{two}", "_user", "_password_file"))
@row("tenant parent-proxy-ccache", "FILE:{room}/two", "one", "two", "FILE:{room}/one", parents, **of("tenant", "{krb}"))
@row("tenant parent-proxy-keytab", "{room}/two", "one", "two", "{room}/one", parents, **of("tenant", "{krb}"))
def _(b):
    return says(b)


@row("tenant require-client-certificate-request", "yes", 200, "client-certificate-not-requested",
     set_up=lambda b: b.serve(require=False))
def _(b):
    return b.outcome()


@row("tenant ca-file", "{pki}/other-ca.pem", 200, "server-certificate-untrusted", "{pki}/ca.pem")
@row("tenant crl-file", "{room}/crl", 200, "server-certificate-revoked", set_up=lambda b: revoke(b))
def _(b):
    return b.outcome()


def revoke(b):
    authority = Authority(b.names["pki"], b.room / "authority")
    shutil.copy(b.names["pki"] / "server.pem", authority.folder)
    authority.revoke("server")
    (b.room / "crl").write_text(authority.crl())


def two_users(b):
    """Certificates of both: the key tells which is meant."""
    texts = [(b.names["pki"] / f"{name}.pem").read_text() for name in ("acme", "globex", "client-sub")]
    (b.room / "both.pem").write_text("".join(texts))


def passphrases(b):
    (b.room / "right").write_text("correct horse\n")
    (b.room / "wrong").write_text("wrong horse\n")
    b.environment = {"RIGHT": "correct horse", "WRONG": "wrong horse", "CREDENTIALS_DIRECTORY": str(b.room)}


def shared_key(b):
    shutil.copy(b.names["pki"] / "acme.key", b.room)
    (b.room / "acme.key").chmod(0o644)


CANNOT = Refused("cannot be decrypted")
SEALED = {"__certificate": "{pki}/acme-chain.pem", "__private_key": "{pki}/acme-encrypted.key"}


@row("tenant certificate", "{pki}/globex-all.pem", "acme_user", "globex_user", "{pki}/acme-all.pem")
@row("tenant private-key", "{pki}/globex.key", "acme_user", "globex_user", "{pki}/acme.key", two_users,
     __certificate="{room}/both.pem")
@row("tenant passphrase-file", "{room}/wrong", "acme_user", CANNOT, "{room}/right", passphrases, **SEALED)
@row("tenant passphrase-env", "WRONG", "acme_user", CANNOT, "RIGHT", passphrases, **SEALED)
@row("tenant passphrase-credential", "wrong", "acme_user", CANNOT, "right", passphrases, **SEALED)
@row("tenant insecure-key-file", "refuse", "acme_user", Refused("every user of this machine may read the private key"),
     "allow", shared_key, __certificate="{pki}/acme-chain.pem", __private_key="{room}/acme.key")
def who(b):
    seen = b.seen()
    return seen if isinstance(seen, str) else seen["user"]


NEXT = {"__certificate": STRANGER, "__private_key": "{pki}/stranger.key"}  # whom the server does not know
SEALED_NEXT = {**NEXT, "__certificate_next": "{pki}/acme-chain.pem", "__private_key_next": "{pki}/acme-encrypted.key"}
row("tenant certificate-next", "{pki}/globex-all.pem", "client-certificate-refused", "globex_user", **NEXT)(who)
row("tenant private-key-next", "{pki}/globex.key", "acme_user", "globex_user", "{pki}/acme.key", two_users, **NEXT,
    __certificate_next="{room}/both.pem")(who)
row("tenant passphrase-file-next", "{room}/wrong", "acme_user", CANNOT, "{room}/right", passphrases,
    **SEALED_NEXT)(who)
row("tenant passphrase-env-next", "WRONG", "acme_user", CANNOT, "RIGHT", passphrases, **SEALED_NEXT)(who)
row("tenant passphrase-credential-next", "wrong", "acme_user", CANNOT, "right", passphrases, **SEALED_NEXT)(who)


ALONE = Refused("has no effect without certificate-source = destination-service")
row("tenant certificate-source", "destination-service", "acme_user", Refused("`service-key-file` is missing"))(who)
row("tenant service-key-file", "{room}/key.json", "acme_user", ALONE)(who)
row("tenant certificate-name", "sfmtls.pem", "acme_user", ALONE)(who)
row("tenant certificate-level", "instance", "acme_user", ALONE)(who)
row("tenant certificate-store", "{room}", "acme_user", ALONE)(who)


# ---- what is changed on the way ----

@row("tenant header.X-Thing", "value", None, "value")
def _(b):
    return b.seen()["fields"].get("X-Thing")


@row("tenant authorization", "keep", None, "Bearer x")
def _(b):
    return b.seen(fields=[("Authorization", "Bearer x")])["fields"].get("Authorization")


@row("tenant rewrite-links", "off", "http", "https")
def _(b):
    return b.ask().get("Location").split(":")[0]


# ---- the table ----

LAST = "proxy drain-timeout"  # whose effect is that the program ends: see below


def test_table_has_every_key():
    differ = set(keys_of_the_reference()) ^ {*ROWS, LAST}
    assert not differ, f"write an @row in this file for each option, and none for others: {sorted(differ)}"


def change_and_change_back(b, name):
    r = ROWS[name]
    first = r.see(b)
    assert r.was is None or first == r.was, first
    change(b, name, r.new, r.becomes)
    check(b, r.becomes if has_effect(r.becomes) else first, r.see)
    change(b, name, r.old, None)
    check(b, first, r.see)


@pytest.mark.parametrize("name", [name for name, r in ROWS.items() if not r.slow])
def test_key_is_changed_and_changed_back(name, new_bench):
    b = new_bench()
    prepare(b, name)
    b.start()
    change_and_change_back(b, name)


@harness.one_worker
def test_key_that_takes_its_time(new_bench):
    """Those for which a second or more has to pass each time, all beside each other."""
    running = {}
    for name in (name for name, r in ROWS.items() if r.slow):
        b = new_bench()
        prepare(b, name)
        b.start()
        running[name] = harness.Background(change_and_change_back, b, name)
    failures = {name: error for name, r in running.items() if (error := r.outcome.exception(2 * harness.LIMIT))}
    assert failures == {}


@pytest.mark.parametrize("values, ends", [(["1h"], False), (["1h", "1s"], True), (["1h", "1s", "1h"], False)])
def test_drain_timeout(values, ends, new_bench):
    """A running request goes on for as long as was set last."""
    b = new_bench()
    b.serve()
    b.proxy["drain-timeout"] = values[0]
    b.start()
    for value in values[1:]:
        change(b, LAST, value, None)
    b.p.expected_exit = 1 if ends else 0
    with b.holding() as c:
        b.p.signal(signal.SIGTERM)
        b.p.said("shutting down")
        if ends:
            assert c.is_closed()
        else:
            assert soon(c) == "waits"
            b.go_on.set()
            assert c.answer().status == 200
    b.p.wait()
