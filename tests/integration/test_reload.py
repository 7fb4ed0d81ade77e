"""A new configuration or certificate is taken without a restart, whole or not at all."""
import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import harness
from harness import Background
from test_pool import Desk, asking

PACE = threading.Event()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def issue(pki, folder, name, user="acme_user", days=90):
    """A new key and certificate (name.key, name.pem with its chain); its serial number."""
    folder.mkdir(exist_ok=True)
    key, request, pem = (folder / f"{name}{end}" for end in (".key", ".csr", ".pem"))
    openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    openssl("req", "-new", "-key", key, "-subj", f"/O=Test/CN={user}", "-out", request)
    (folder / "ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
    openssl("x509", "-req", "-in", request, "-CA", pki / "client-sub.pem", "-CAkey", pki / "client-sub.key",
            "-days", days, "-extfile", folder / "ext", "-out", pem)
    serial = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", pem], capture_output=True, text=True,
                            check=True).stdout.strip().split("=")[1]
    pem.write_text(pem.read_text() + (pki / "client-sub.pem").read_text())
    return serial


class Service:
    """A proxy whose files can be changed while it runs."""

    def __init__(self, proxy, pki, nginx, folder, **keys):
        self.pki, self.port, self.folder = pki, nginx.port, folder
        self.spare = folder / "spare"
        self.live = folder / "live"
        self.live.mkdir()
        self.serial = issue(pki, self.spare, "first")
        self.put("first.pem", "tls.pem")
        self.put("first.key", "tls.key")
        self.p = proxy(self.tenant(), **keys)

    def tenant(self, name="acme", company="ACME", **more):
        lines = {"company-id": company, "server": f"localhost:{self.port}", "connect-to": f"127.0.0.1:{self.port}",
                 "certificate": f"{self.live}/tls.pem", "private-key": f"{self.live}/tls.key",
                 "ca-file": f"{self.pki}/ca.pem", **{k.replace("_", "-"): v for k, v in more.items()}}
        return f"[tenant {name}]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items())

    def put(self, source, target):
        """As careful programs write: the file is whole from its first moment."""
        shutil.copy(self.spare / source, self.live / "new")
        os.replace(self.live / "new", self.live / target)

    def renew(self, name):
        serial = issue(self.pki, self.spare, name)
        self.put(f"{name}.pem", "tls.pem")
        self.put(f"{name}.key", "tls.key")
        return serial

    def write(self, text):
        self.p.rewrite(text)

    def who(self, **keys):
        return self.p.request(target="/who", **keys).json()

    def reloads(self):
        return len(re.findall(r"notice: reloaded\b", self.p.stderr))

    def reload(self):
        before = self.reloads()
        self.p.signal(signal.SIGHUP)
        harness.eventually(lambda: self.reloads() > before)

    def refused(self):
        return self.p.stderr.count("not reloaded, what was loaded before stays in use")


@pytest.fixture
def service(proxy, pki, nginx, tmp_path):
    return lambda **keys: Service(proxy, pki, nginx, tmp_path, **keys)


@harness.one_worker
def test_signal_without_a_change(service):
    """Connections and TLS sessions stay warm."""
    s = service()
    before = s.who()["connection"]
    s.reload()
    assert s.who()["connection"] == before


def test_renewed_certificate_is_taken_by_itself(service):
    s = service()
    assert s.who()["serial"] == s.serial
    for n in range(3):
        serial = s.renew(f"n{n}")
        harness.eventually(lambda: s.who()["serial"] == serial)
    assert s.refused() == 0


@pytest.mark.parametrize("first", ["key", "pem"])
def test_key_and_certificate_come_apart(service, first):
    """The old pair serves until the new one is whole; if that takes longer than two seconds, the log says so."""
    s = service()
    serial = issue(s.pki, s.spare, "next")
    begun = time.monotonic()
    s.put(f"next.{first}", f"tls.{first}")
    for _ in range(10):
        assert s.who()["serial"] == s.serial
        PACE.wait(0.04)
    other = {"key": "pem", "pem": "key"}[first]
    s.put(f"next.{other}", f"tls.{other}")
    took = time.monotonic() - begun
    harness.eventually(lambda: s.who()["serial"] == serial)
    assert s.refused() == 0 or took > 1.8


@pytest.mark.parametrize("broken", ["", "no certificate", None])
def test_file_that_cannot_be_used(service, broken):
    """The old one stays, the log says so once, and what comes later is taken."""
    s = service()
    if broken is None:
        (s.live / "tls.pem").unlink()
    else:
        (s.live / "tls.pem").write_text(broken)
    assert f"{s.live}/tls.pem" in s.p.said("not reloaded") and s.who()["serial"] == s.serial
    serial = s.renew("good")
    harness.eventually(lambda: s.who()["serial"] == serial)
    assert s.refused() == 1


def test_certificate_behind_swapped_links(proxy, pki, nginx, tmp_path):
    """As Kubernetes does it: ..data points to another folder."""
    first, second = (issue(pki, tmp_path / folder, "tls") for folder in ("..one", "..two"))
    (tmp_path / "..data").symlink_to("..one")
    for name in ("tls.pem", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\nca-file = {pki}/ca.pem\n"
              f"certificate = {tmp_path}/tls.pem\nprivate-key = {tmp_path}/tls.key\n")
    assert p.request(target="/who").json()["serial"] == first
    (tmp_path / "..new").symlink_to("..two")
    os.replace(tmp_path / "..new", tmp_path / "..data")
    harness.eventually(lambda: p.request(target="/who").json()["serial"] == second)


# ---- a certificate that cannot be presented ----

DAY = 86400
UNUSABLE = {"expired": (-3 * DAY, -DAY, "has expired on"), "future": (DAY, 3 * DAY, "is not valid before")}


def put_pair(s, begins, ends, name="late", user="acme_user", target="tls"):
    """A certificate and key that are valid between these times, counted from now; its serial number."""
    now = time.time()
    folder = s.spare / name
    harness.issue_between(s.pki, folder, now + begins, now + ends, user)
    shutil.copy(folder / "key", s.spare / f"{name}.key")
    shutil.copy(folder / "all.pem", s.spare / f"{name}.pem")
    s.put(f"{name}.key", f"{target}.key")
    s.put(f"{name}.pem", f"{target}.pem")
    return subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", folder / "pem"], capture_output=True,
                          text=True, check=True).stdout.strip().split("=")[1]


def status(s):
    return harness.Caller(("127.0.0.1", int(s.p.ready["admin"].rsplit(":", 1)[1]))).request(target="/status").json()


def told_of_keeping(s):
    return re.findall(rf"tenant \S+: the \S+ of {s.live}/\S+ (?:has expired on|is not valid before) \S+, so the one "
                      r"that was loaded before stays in use \(CN=\S+, valid until \S+\); \S.* \S", s.p.stderr)


@pytest.mark.parametrize("kind", UNUSABLE)
@harness.one_worker
def test_valid_one_stays_in_place_of_one_that_is_not(service, kind):
    """The rest is taken: a tenant that came with it, a header. Connections stay warm. A valid one is taken then."""
    s = service(admin="127.0.0.1:0")
    before = s.who()["connection"]
    begins, ends, words = UNUSABLE[kind]
    put_pair(s, begins, ends)
    harness.eventually(lambda: s.reloads() == 1)
    assert s.who()["serial"] == s.serial and s.who()["connection"] == before
    harness.eventually(lambda: len(told_of_keeping(s)) == 1)
    assert words in told_of_keeping(s)[0]
    notes = [note["sentence"] for note in status(s)["configuration"]["notes"]]
    assert sum("stays in use" in note for note in notes) == 1, notes
    certificate, = status(s)["tenants"][0]["certificates"]
    assert certificate["state"] == "valid" and certificate["serial"] == s.serial

    text = s.p.config.read_text()
    s.write(text + s.tenant("beta", "BETA", certificate=f"{s.pki}/globex-all.pem", private_key=f"{s.pki}/globex.key"))
    harness.eventually(lambda: s.reloads() == 2)
    company = lambda name: {"fields": [("successfactors-companyid", name)]}
    assert "globex_user" in s.who(**company("BETA"))["subject"]
    assert s.who(**company("ACME"))["serial"] == s.serial, "it stays over further reloads"

    s.write(text)
    serial = s.renew("good")
    harness.eventually(lambda: s.who(**company("ACME"))["serial"] == serial)
    harness.eventually(lambda: not any("stays in use" in n["sentence"] for n in status(s)["configuration"]["notes"]))
    assert s.refused() == 0


def test_one_tenant_of_two(service):
    s = service()
    issue(s.pki, s.spare, "other", user="beta_user")
    s.put("other.key", "beta.key")
    s.put("other.pem", "beta.pem")
    s.write(config(s.tenant(), s.tenant("beta", "BETA", certificate=s.live / "beta.pem",
                                        private_key=s.live / "beta.key")))
    company = lambda name: {"fields": [("successfactors-companyid", name)]}
    harness.eventually(lambda: s.p.request(target="/who", **company("BETA")).status == 200)
    put_pair(s, -3 * DAY, -DAY)
    renewed = put_pair(s, -DAY, 9 * DAY, "renewed", "beta_user", "beta")
    harness.eventually(lambda: s.who(**company("BETA"))["serial"] == renewed)
    assert s.who(**company("ACME"))["serial"] == s.serial


def test_next_one_stays_as_well(service):
    s = service()
    issue(s.pki, s.spare, "next")
    s.put("next.key", "next.key")
    s.put("next.pem", "next.pem")
    s.write(config(s.tenant(certificate_next=s.live / "next.pem", private_key_next=s.live / "next.key"),
                   admin="127.0.0.1:0"))
    harness.eventually(lambda: s.reloads() == 1)
    put_pair(s, -3 * DAY, -DAY, target="next")
    harness.eventually(lambda: len(told_of_keeping(s)) == 1)
    assert "the certificate-next of" in told_of_keeping(s)[0] and s.who()["serial"] == s.serial


@pytest.mark.parametrize("change", ["company-id", "server", "name"])
def test_it_does_not_stay_for_somebody_else(service, change):
    """Another company or another server has not learnt of it."""
    s = service()
    port = {"company-id": {"company": "OTHER"}, "server": {"server": f"127.0.0.1:{s.port}"}, "name": {"name": "other"}}
    put = {"name": "acme", "company": "ACME", **port[change]}
    shutil.copy(s.pki / "expired.key", s.spare)
    shutil.copy(s.pki / "expired-chain.pem", s.spare)
    (s.live / "new.key").write_bytes((s.pki / "expired.key").read_bytes())
    (s.live / "new.pem").write_bytes((s.pki / "expired-chain.pem").read_bytes())
    s.write(config(s.tenant(**put, certificate=s.live / "new.pem", private_key=s.live / "new.key")))
    harness.eventually(lambda: s.reloads() == 1)
    assert s.p.request(target="/who").token == "client-certificate-expired" and not told_of_keeping(s)


def test_other_settings_of_the_tenant_are_taken(service):
    """The CA file, for one: the certificate that stays is used with what is trusted now."""
    s = service()
    for name in ("new.key", "new.pem"):
        (s.live / name).write_bytes((s.pki / name.replace("new.pem", "expired-chain.pem").replace(
            "new.key", "expired.key")).read_bytes())
    s.write(config(s.tenant(ca_file=s.pki / "other-ca.pem", certificate=s.live / "new.pem",
                            private_key=s.live / "new.key")))
    harness.eventually(lambda: len(told_of_keeping(s)) == 1)
    assert s.p.request(target="/who").token == "server-certificate-untrusted"


def test_one_that_becomes_valid_is_taken_then(service):
    """Nobody touches a file any more."""
    s = service()
    serial = put_pair(s, 8, 3 * DAY)
    harness.eventually(lambda: s.who()["serial"] == serial)
    assert s.refused() == 0


def test_one_that_stays_is_over_one_day(service):
    """Then the tenant's requests get 502, as they would without it."""
    s = service()
    short = put_pair(s, -DAY, 10, "short")
    harness.eventually(lambda: s.who()["serial"] == short)
    put_pair(s, -3 * DAY, -DAY)
    harness.eventually(lambda: len(told_of_keeping(s)) == 1)
    harness.eventually(lambda: s.p.request(target="/who").status == 502)
    assert s.p.request(target="/who").token == "client-certificate-expired"
    harness.eventually(lambda: "CN=acme_user,O=Test has expired on" in s.p.stderr)
    serial = s.renew("good")
    harness.eventually(lambda: s.p.request(target="/who").status == 200)
    assert s.who()["serial"] == serial


def test_expired_at_start_is_renewed(service):
    s = service()
    s.p.stop()
    put_pair(s, -3 * DAY, -DAY)
    s.p = harness.Proxy(s.folder, s.p.config.read_text())
    try:
        assert s.p.request(target="/who").token == "client-certificate-expired"
        serial = s.renew("good")
        harness.eventually(lambda: s.p.request(target="/who").status == 200)
        assert s.who()["serial"] == serial
    finally:
        s.p.stop()


def test_running_exchange_ends_as_it_began(service, script, proxy, pki, tmp_path):
    """Under the old certificate; its connection is not used again."""
    begun, go_on, serials = threading.Event(), threading.Event(), []

    def serve(c):
        while c.head():
            serials.append((c.number, c.sock.getpeercert()["serialNumber"]))
            begun.set()
            assert go_on.wait(harness.LIMIT)
            c.reply(b"done")

    class Server:
        port = script(serve).port

    s = Service(proxy, pki, Server, tmp_path)
    running = Background(s.p.request)
    assert begun.wait(harness.LIMIT)
    serial = s.renew("next")
    harness.eventually(lambda: s.reloads() > 0)
    go_on.set()
    assert running.result().body == b"done"
    assert s.p.request().body == b"done"
    (one, old), (other, new) = serials
    assert one != other and int(old, 16) == int(s.serial, 16) and int(new, 16) == int(serial, 16)


@pytest.mark.parametrize("days, warned", [(90, False), (29, True), (2, True)])
def test_certificate_that_is_about_to_end(service, days, warned):
    """Told at start and at every reload; see unit/ops/expiry_test.c for the days between."""
    s = service()
    issue(s.pki, s.spare, "next", days=days)
    for end in ("pem", "key"):
        s.put(f"next.{end}", f"tls.{end}")
    harness.eventually(lambda: s.reloads() > 0)
    s.reload()
    s.p.stop()
    told = rf"warning: tenant acme: .* CN=acme_user,O=Test expires on \S+, in ({days - 1}|{days}) days?; have it"
    expected = s.reloads() if warned else 0  # two, or one more where the machine was so busy that files seem younger
    assert len(re.findall(told, s.p.stderr)) == s.p.stderr.count("expires on") == expected


def test_change_while_the_one_before_is_loaded(service):
    """Deriving the key takes a while; what is written meanwhile is not forgotten."""
    s = service()
    issue(s.pki, s.spare, "slow")
    openssl("pkcs8", "-topk8", "-iter", "1000000", "-in", s.spare / "slow.key", "-out", s.spare / "sealed.key",
            "-passout", "pass:x")
    (s.live / "pass").write_text("x")
    s.write(config(s.tenant(passphrase_file=s.live / "pass")))
    harness.eventually(lambda: s.reloads() > 0)
    s.put("slow.pem", "tls.pem")
    s.put("sealed.key", "tls.key")
    PACE.wait(0.2)
    serial = s.renew("quick")
    harness.eventually(lambda: s.who()["serial"] == serial)


def behind_links(s):
    """The live pair becomes links through another one to a folder, and beside that is a folder with another pair, made
    before; its serial number."""
    serial = issue(s.pki, s.live / "two", "tls")
    (s.live / "one").mkdir()
    (s.live / "..data").symlink_to("one")
    for name in ("tls.pem", "tls.key"):
        os.replace(s.live / name, s.live / "one" / name)
        (s.live / name).symlink_to(f"..data/{name}")
    return serial


def swap_link(s, name, target):
    (s.live / "..new").symlink_to(target)
    os.replace(s.live / "..new", s.live / name)


def test_signal_while_it_starts(service, started, tmp_path):
    """Who wants a reload or another log does not want its end. Starting waits for a passphrase meanwhile."""
    s = service()
    s.p.stop()
    os.mkfifo(s.live / "fifo")
    slow = s.tenant("slow", "SLOW", private_key=s.pki / "acme-encrypted.key", passphrase_file=s.live / "pass",
                    certificate=s.pki / "acme-chain.pem")
    (s.live / "pass").symlink_to("fifo")
    keep_pid = ["sh", "-c", f'echo $$ > {tmp_path}/pid; exec "$@"', "sh"]
    starting = Background(harness.Proxy, s.folder, config(s.tenant(), slow), prefix=keep_pid)
    with open(s.live / "pass", "wb") as passphrase:  # opened by now: it is there
        swap_link(s, "pass", s.pki / "acme.pass")
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGHUP)
        passphrase.write((s.pki / "acme.pass").read_bytes())
    p = starting.result()
    started.append(p)
    assert p.process.pid == pid
    p.said("notice: reloaded")


@pytest.mark.parametrize("what", ["certificate", "configuration", "links"])
def test_change_while_it_starts(service, what, started):
    """Behind the reading of a file, but before anybody watches it. Starting waits for a passphrase meanwhile."""
    s = service()
    s.p.stop()
    serial = behind_links(s) if what == "links" else s.serial
    os.mkfifo(s.live / "fifo")
    (s.live / "pass").symlink_to("fifo")
    slow = s.tenant("slow", "SLOW", private_key=s.pki / "acme-encrypted.key", passphrase_file=s.live / "pass",
                    certificate=s.pki / "acme-chain.pem")
    text = config(s.tenant(), slow)
    starting = Background(harness.Proxy, s.folder, text)
    with open(s.live / "pass", "wb") as passphrase:  # opened by now: what stands before was read
        swap_link(s, "pass", s.pki / "acme.pass")
        if what == "links":
            swap_link(s, "..data", "two")
        if what == "certificate":
            serial = s.renew("next")
        if what == "configuration":
            (s.folder / "new").write_text(text.replace("= ACME\n", "= OTHER\n"))
            os.replace(s.folder / "new", s.folder / "sfmtls.ini")
        passphrase.write((s.pki / "acme.pass").read_bytes())
    s.p = starting.result()
    started.append(s.p)
    company = "OTHER" if what == "configuration" else "ACME"
    ask = lambda: s.p.request(target="/who", fields=[("successfactors-companyid", company)])
    harness.eventually(lambda: ask().status == 200 and ask().json()["serial"] == serial)


def test_file_that_comes_after_the_configuration_that_names_it(service):
    s = service()
    s.write(config(s.tenant(certificate=s.live / "later.pem", private_key=s.live / "later.key")))
    s.p.said("not reloaded")
    serial = issue(s.pki, s.spare, "later")
    s.put("later.key", "later.key")
    s.put("later.pem", "later.pem")
    harness.eventually(lambda: s.who()["serial"] == serial)
    assert s.refused() == 1


def test_pipe_in_place_of_a_file(service):
    """It is not opened, and so holds up neither the old configuration nor the end."""
    s = service()
    os.mkfifo(s.live / "fifo")
    os.replace(s.live / "fifo", s.live / "tls.pem")
    harness.eventually(lambda: "is not a regular file" in s.p.stderr)
    assert s.who()["serial"] == s.serial


def test_configuration_is_the_one_that_was_found_first(service, tmp_path, started):
    """Another one, in a place that is looked at later, does not take over when it vanishes."""
    s = service()
    home, elsewhere = tmp_path / "home", tmp_path / "xdg/sfmtls"
    home.mkdir()
    elsewhere.mkdir(parents=True)
    (home / "sfmtls.ini").write_text(config(s.tenant()))
    (elsewhere / "sfmtls.ini").write_text(config(s.tenant("other", "OTHER")))
    p = harness.Proxy(tmp_path / "home", None, environment={"XDG_CONFIG_HOME": str(tmp_path / "xdg")},
                      prefix=["env", "-C", str(home)], binary=os.path.abspath(harness.BINARY))
    started.append(p)
    (home / "sfmtls.ini").unlink()
    harness.eventually(lambda: "not reloaded" in p.stderr)
    assert p.request(target="/who").json()["company"] == "ACME"


def test_systemd_hears_of_a_reload(service, tmp_path):
    """That it began and that it is over, also if nothing was loaded."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(harness.LIMIT)
        s = service(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert notify.recv(200) == b"READY=1"
        for broken in (False, True):
            if broken:
                (s.live / "tls.pem").write_text("broken")
            s.p.signal(signal.SIGHUP)
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", notify.recv(200))
            assert notify.recv(200) == b"READY=1"


# ---- the configuration ----

def config(*sections, **keys):
    lines = {"listen": "127.0.0.1:0", **{k.replace("_", "-"): v for k, v in keys.items()}}
    return "[proxy]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items()) + "".join(sections)


@harness.one_worker
def test_tenants_come_and_go(service):
    """A caller's connection stays, as does the connection of the tenant that stays."""
    s = service()
    header = lambda company: {"fields": [("successfactors-companyid", company)]}
    with s.p.caller() as c:
        before = c.request(target="/who", **header("ACME")).json()["connection"]
        s.write(config(s.tenant(), s.tenant("beta", "BETA")))
        harness.eventually(lambda: c.request(target="/who", **header("BETA")).status == 200)
        assert c.request(target="/who", **header("ACME")).json()["connection"] == before
        assert c.request(target="/who").status == 401
        s.write(config(s.tenant("beta", "BETA")))
        harness.eventually(lambda: c.request(target="/who", **header("ACME")).status == 403)
        assert c.request(target="/who").json()["company"] == "BETA"


def test_listeners_come_and_go(service, tmp_path):
    s = service(listen=f"127.0.0.1:0, unix:{tmp_path}/zero")
    taken = f"unix:{tmp_path}/one"
    s.write(config(s.tenant(), listen=f"127.0.0.1:0, {taken}"))
    call = lambda path: harness.Caller(str(tmp_path / path), socket.AF_UNIX)
    harness.eventually(lambda: f"listening on {taken}" in s.p.stderr)
    with call("one") as c:
        assert c.request(target="/who").status == 200
        assert s.who()["verify"] == "SUCCESS", "the first listener is where it was"
        s.write(s.tenant(listen=taken) + s.tenant("beta", "BETA", listen=f"unix:{tmp_path}/two"))
        harness.eventually(lambda: (tmp_path / "two").exists())
        for words in (f"notice: listening on {taken}\n", f"listening on {taken} for tenant acme\n",
                      f"listening on unix:{tmp_path}/two for tenant beta\n",
                      "no longer listening on http://127.0.0.1:"):
            harness.eventually(lambda: words in s.p.stderr)
        assert c.request(target="/who").status == 401, "whoever came before stays, and comes in as everybody"
    for path, company in (("one", "ACME"), ("two", "BETA")):
        with call(path) as c:
            assert c.request(target="/who").json()["company"] == company
    with pytest.raises(ConnectionRefusedError):
        s.p.caller()


@pytest.mark.parametrize("text, words", [
    ("[tenant acme]\nserver = x\n", "company-id"), ("nonsense\n", "neither"), ("", "no tenant"),
    (config("[tenant a]\ncompany-id = A\nserver = localhost\ncertificate = /none\n"), "/none"),
    ("LISTEN", "taken"),
])
def test_configuration_that_cannot_be_used(service, text, words):
    """Nothing of it is taken."""
    s = service()
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = config(s.tenant("beta", "BETA"), listen=f"127.0.0.1:0, 127.0.0.1:{holder.getsockname()[1]}")
        s.write(taken if text == "LISTEN" else text)
        line = s.p.said("not reloaded")
        assert words in line and f"{s.p.config}" in line
        assert s.who()["company"] == "ACME"


@harness.one_worker
def test_limits_and_headers(service):
    s = service()
    s.write(config(s.tenant(header_X=1).replace("header-X", "header.X"), max_target="300"))
    harness.eventually(lambda: s.p.request(target="/" + "x" * 400).status == 414)
    s.write(config(s.tenant(), max_connections="2"))
    harness.eventually(lambda: s.reloads() >= 2)
    with s.p.caller() as a, s.p.caller() as b, s.p.caller() as c:
        assert a.request(target="/who").status == b.request(target="/who").status == 200
        assert c.answer().token == "too-many-connections"


def test_trusted_authority_is_changed(service):
    """A connection under the old one is not used any more."""
    s = service()
    assert s.who()["verify"] == "SUCCESS"
    s.write(config(s.tenant(ca_file=s.pki / "other-ca.pem")))
    harness.eventually(lambda: s.p.request(target="/who").token == "server-certificate-untrusted")
    s.write(config(s.tenant()))
    harness.eventually(lambda: s.p.request(target="/who").status == 200)


CONNECTION = {  # name: what is set at first, and then; PORT is the first server's, OTHER the second's
    "connect-to, another port": ({"connect-to": "127.0.0.2:PORT"}, {"connect-to": "127.0.0.2:OTHER"}),
    "connect-to, another host": ({"connect-to": "127.0.0.2:PORT"}, {"connect-to": "127.0.0.3:PORT"}),
    "connect-to, none": ({"connect-to": "127.0.0.3:PORT"}, {}),
    "server, another port": ({}, {"server": "localhost:OTHER"}),
    "server, another host": ({}, {"server": "127.0.0.1:PORT"}),
    "company-id": ({}, {"company-id": "OTHER"}),
    "certificate": ({}, {"certificate": "PKI/globex-all.pem"}),
    "certificate-next": ({}, {"certificate-next": "PKI/globex-all.pem"}),
    "ca-file": ({}, {"ca-file": "PKI/both-cas.pem"}),
    "crl-file": ({}, {"crl-file": "PKI/ca.crl"}),
    "require-client-certificate-request": ({}, {"require-client-certificate-request": "yes"}),
}
WARM = {"header.X-A": "1", "authorization": "keep", "rewrite-links": "off", "max-upstream": "7", "allow": "* /*",
        "server-as-is": "yes", "require-client-certificate-request": "no"}


@pytest.fixture
def two_places(script, pki):
    """Two servers, which tell where they were reached and on which of their connections. Each is at a port of its own,
    at all addresses of this machine."""
    (pki / "both-cas.pem").write_text((pki / "ca.pem").read_text() + (pki / "other-ca.pem").read_text())
    reply = harness.answering(lambda c, *_: c.reply(f"{c.sock.getsockname()} {c.number}".encode()))
    return script(reply, address=("0.0.0.0", 0)), script(reply, address=("0.0.0.0", 0))


def tenant_of(pki, servers, **keys):
    lines = {"company-id": "ACME", "server": "localhost:PORT", "certificate": f"{pki}/acme-all.pem",
             "ca-file": f"{pki}/ca.pem", **keys}
    text = "[tenant acme]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())
    for word, value in (("PORT", servers[0].port), ("OTHER", servers[1].port), ("PKI", pki)):
        text = text.replace(word, str(value))
    return text


@pytest.mark.parametrize("name", CONNECTION)
@harness.one_worker
def test_old_connection_does_not_serve_a_new_setting(name, proxy, pki, two_places):
    """Each of those that decide where it leads and who is there, alone; and back again."""
    settings = [tenant_of(pki, two_places, **keys) for keys in CONNECTION[name]]
    p, seen = proxy(settings[0], pool_idle="10m"), []
    head = p.config.read_text().replace(settings[0], "")
    for n, setting in enumerate((settings[1], settings[0])):
        seen.append(p.request().body)
        assert p.request().body == seen[-1], "it is kept"
        p.rewrite(head + setting)
        harness.eventually(lambda: p.stderr.count("notice: reloaded") == n + 1)
    seen.append(p.request().body)
    assert len(set(seen)) == 3, seen


@pytest.fixture
def desk_with_places(proxy, script, tenant):
    """A server whose requests wait for the test, and a proxy with so many connections to it at once."""

    def start(count):
        desk, ended = Desk(), []

        def serve(c):
            desk(c)
            ended.append(c.number)

        p = proxy(tenant(script(serve).port, max_upstream=str(count)), pool_idle="10m", queue_timeout="5m")
        return p, desk, ended

    return start


def set_places(p, before, now):
    p.rewrite(p.config.read_text().replace(f"max-upstream = {before}\n", f"max-upstream = {now}\n"))
    p.said("notice: reloaded")


@pytest.mark.parametrize("when", ["they rest", "they serve"])
@harness.one_worker
def test_connections_beyond_what_is_allowed_now_are_ended(when, desk_with_places):
    """Those that rest at once, the others behind their requests; the one that is left serves on."""
    p, desk, ended = desk_with_places(3)
    asked = [asking(p, f"/{i}") for i in range(3)]
    served = [desk.next() for _ in range(3)]
    if when == "they serve":
        set_places(p, 3, 1)
        assert ended == []
    for request in served:
        request.answer()
    assert [waiting.result().status for waiting in asked] == [200] * 3
    if when == "they rest":
        set_places(p, 3, 1)
    harness.eventually(lambda: len(ended) == 2)
    last = asking(p, "/last")
    desk.next().answer()
    assert last.result().status == 200 and p.last_log(4)["conn"] == "reused" and len(ended) == 2


@harness.one_worker
def test_requests_that_wait_get_the_connections_that_are_allowed_now(desk_with_places):
    p, desk, ended = desk_with_places(1)
    asked = [asking(p, f"/{i}") for i in range(3)]
    served = [desk.next()]
    set_places(p, 1, 3)
    served += [desk.next(), desk.next()]
    for request in served:
        request.answer()
    assert [waiting.result().status for waiting in asked] == [200] * 3 and ended == []


@pytest.mark.parametrize("key", WARM)
@harness.one_worker
def test_connection_stays_warm_over_other_settings(key, proxy, pki, two_places):
    p = proxy(tenant_of(pki, two_places))
    before = p.request().body
    p.rewrite(p.config.read_text() + f"{key} = {WARM[key]}\n")
    p.said("notice: reloaded")
    assert p.request().body == before


@harness.one_worker
def test_server_that_never_asks_is_refused_from_the_reload_on(proxy, pki, script, two_places):
    """Its connections of before are not used, either."""
    server = script(harness.answering(), require=False)
    p = proxy(tenant_of(pki, (server, server)))
    assert p.request().status == 200
    p.rewrite(p.config.read_text() + "require-client-certificate-request = yes\n")
    p.said("notice: reloaded")
    assert p.request().token == "client-certificate-not-requested"


@pytest.mark.parametrize("keys, words", [({"workers": "3"}, "workers takes effect"),
                                         ({"log_format": "json"}, "log-format takes effect at the next start")])
def test_what_cannot_be_changed_is_said(service, keys, words):
    s = service(workers="1")
    s.write(config(s.tenant(), **{"workers": "1", **keys}))
    harness.eventually(lambda: words in s.p.stderr)


def test_one_line_form_is_reloaded(pki, nginx, tmp_path, started):
    live = tmp_path / "live"
    serial = issue(pki, live, "tls")
    p = harness.Proxy(tmp_path, None, ["--server", f"localhost:{nginx.port}", "--company-id", "A", "--certificate",
                                       str(live / "tls.pem"), "--private-key", str(live / "tls.key"), "--ca-file",
                                       str(pki / "ca.pem"), "--listen", "127.0.0.1:0"])
    started.append(p)
    assert p.request(target="/who").json()["serial"] == serial
    serial = issue(pki, tmp_path / "next", "tls")
    for name in ("tls.key", "tls.pem"):
        os.replace(tmp_path / "next" / name, live / name)
    harness.eventually(lambda: p.request(target="/who").json()["serial"] == serial)


# ---- under load ----

class Load:
    """Callers that ask who they are, all together a thousand times a second, and note when they asked."""

    def __init__(self, service, callers=8, rate=1000):
        self.service, self.pause = service, callers / rate
        self.over, self.answers = threading.Event(), []  # (when it was sent, serial)
        self.calling = [Background(self._call) for _ in range(callers)]

    def _call(self):
        with self.service.p.caller() as c:
            due = time.monotonic()
            while not self.over.is_set():
                sent = time.monotonic()
                answer = c.request(target="/who")
                assert answer.status == 200, answer.body
                self.answers.append((sent, answer.json()["serial"]))
                due += self.pause
                PACE.wait(max(0, due - time.monotonic()))

    def sees(self, serial):
        return any(s == serial for sent, s in self.answers)

    def sees_only(self, serial):
        """Whoever called of late was answered under it, through every worker."""
        return {s for sent, s in self.answers[-100:]} == {serial}

    def stop(self):
        self.over.set()
        for c in self.calling:
            c.result()


@pytest.mark.parametrize("workers, measured", [("1", False), ("3", False), ("1", True)])
def test_swaps_under_load(service, release, workers, measured):
    """No request fails, each serial is seen, soon none but it, and nothing is left over."""
    s = service(workers=workers, process={"binary": release} if measured else None)
    load = Load(s)
    serials, done, gap = [s.serial], [0], 0
    before = None
    for n in range(harness.count(5, 20)):
        serials.append(issue(s.pki, s.spare, f"s{n}"))
        first, second = ("pem", "key") if n % 2 else ("key", "pem")
        begun = time.monotonic()
        s.put(f"s{n}.{first}", f"tls.{first}")
        PACE.wait(harness.count(0.1, 1) * (n % 3) / 2)
        if n == 2:
            (s.live / f"tls.{second}").write_text("broken")
        s.put(f"s{n}.{second}", f"tls.{second}")
        gap = max(gap, time.monotonic() - begun)
        harness.eventually(lambda: load.sees_only(serials[-1]))
        done.append(time.monotonic())
        PACE.wait(harness.count(0, 0.9))
        before = (s.p.descriptors(), s.p.rss_kib()) if n == 2 else before
    harness.eventually(lambda: load.answers[-1][0] > done[-1] + 1.2)
    load.stop()
    assert [serial for serial in serials if not load.sees(serial)] == []
    for sent, serial in load.answers:
        late = [n for n, t in enumerate(done) if sent > t]
        assert serials.index(serial) >= late[-1], "a connection from before the swap"
    assert s.refused() == 0 or gap > 1.8
    harness.eventually(lambda: s.p.descriptors() <= before[0] + 64)
    assert not measured or s.p.rss_kib() < before[1] + 512
    print(f"{len(load.answers)} requests, {before} to {(s.p.descriptors(), s.p.rss_kib())}")


def test_two_tenants_and_reloads(service):
    """The server never sees a company with the other's certificate."""
    s = service()
    issue(s.pki, s.spare, "beta", "globex_user")
    for end in ("pem", "key"):
        s.put(f"beta.{end}", f"beta.{end}")
    beta = s.tenant("beta", "BETA", certificate=f"{s.live}/beta.pem", private_key=f"{s.live}/beta.key")
    s.write(config(s.tenant(), beta))
    harness.eventually(lambda: s.reloads() > 0)
    total, users = harness.count(600, 10_000), {"ACME": "CN=acme_user", "BETA": "CN=globex_user"}

    def call(i):
        with s.p.caller() as c:
            for n in range(total // 4):
                company = ("ACME", "BETA")[(n + i) % 2]
                answer = c.request(target="/who", fields=[("successfactors-companyid", company)])
                assert answer.status == 200, answer.body
                who = answer.json()
                assert who["company"] == company and users[company] in who["subject"], who

    calling = [Background(call, i) for i in range(4)]
    n = 0
    while any(c.runs() for c in calling):
        n += 1
        s.p.signal(signal.SIGHUP) if n % 2 else s.renew(f"r{n}")
        PACE.wait(0.05)
    for c in calling:
        c.result()
