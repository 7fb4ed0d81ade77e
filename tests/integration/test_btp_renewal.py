"""`certificate-source = destination-service`: `run` fetches the certificate and keeps it renewed."""
import contextlib
import ctypes
import errno
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

import btp
import harness
from test_check import VALIDATOR

NAME = "sfmtls.pem"
FULL = bool(harness.setting("FULL"))
CONFINED = "asan" not in harness.setting("BUILD", "asan") and "tsan" not in harness.setting("BUILD", "asan")
DAY = 86400


def landlock_version():
    """What the kernel itself says; below 1: it has none."""
    create_ruleset, ask_version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, ask_version)


needs_landlock = pytest.mark.skipif(landlock_version() < 1, reason="this kernel confines no files")


@pytest.fixture
def cloud(pki, tmp_path, started):
    (tmp_path / "cloud").mkdir()
    service = btp.Btp(pki, tmp_path / "cloud")
    started.append(service)
    return service


class Fetching:
    """A tenant that fetches: its folders, and its section."""

    def __init__(self, cloud, tenant, port, folder, name="acme"):
        self.cloud, self.tenant, self.port, self.name = cloud, tenant, port, name
        self.store = folder / f"{name}-store"
        self.store.mkdir(0o700, parents=True)
        (folder / f"{name}-btp").mkdir()
        self.key = cloud.service_key(folder / f"{name}-btp" / "key.json")
        self.config = folder / "conf" / "sfmtls.ini"  # not above the key: `run` may read everything below
        self.config.parent.mkdir(exist_ok=True)

    def section(self, **more):
        keys = {"certificate_source": "destination-service", "service_key_file": self.key, "certificate_name": NAME,
                "certificate_store": self.store, **more}
        text = self.tenant(self.port, name=self.name, company=self.name.upper(), **keys)
        return text if "certificate" in more else re.sub(r"(?m)^certificate = .*\n", "", text)

    def seed(self, content, file="certificate.pem"):
        path = self.store / file
        path.touch(0o600)
        path.write_bytes(content)


@pytest.fixture
def fetching(cloud, tenant, nginx, tmp_path):
    return Fetching(cloud, tenant, nginx.port, tmp_path / "tenants")


@pytest.fixture
def environment(pki):
    return {"SSL_CERT_FILE": str(pki / "ca.pem")}


@pytest.fixture
def clock(tmp_path):
    """An environment in which a minute between looks at BTP is a tenth of a second."""
    return btp.swift_clock(tmp_path, 600)


def serial(pem):
    """As nginx shows it."""
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True,
                                  check=True).stdout.decode().strip().split("=")[1]


def is_used(p, pem):
    return harness.eventually(lambda: (a := p.request(target="/who")).status == 200 and
                              int(a.json()["serial"], 16) == int(serial(pem), 16))


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def guard_of(p):
    """The process that starts the keeper, again and again."""
    return children_of(p.process.pid)[0]


def keeper_of(p):
    """The process that starts those which fetch."""
    return harness.eventually(lambda: children_of(guard_of(p)))[0]


def metric(p, name):
    """A family of /metrics: {labels: value}."""
    text = asked(p, "/metrics").body.decode()
    return {m[1]: float(m[2]) for m in re.finditer(rf"^{name}{{(.*)}} (\S+)$", text, re.M)}


def asked(p, path):
    """The admin listener's answer."""
    with harness.Caller(("127.0.0.1", int(p.ready["admin"].rsplit(":", 1)[1]))) as c:
        return c.request(target=path)


def status(p):
    return asked(p, "/status").json()["tenants"][0]["fetch"]


def page(p):
    return asked(p, "/").body.decode()


def test_an_empty_store_is_filled(proxy, fetching, cloud, environment):
    """Until then requests get 502 with the reason; then they are served without a restart."""
    gate = threading.Event()
    cloud.put(NAME, cloud.issue())
    cloud.fault = lambda h: None if gate.wait(harness.LIMIT) else None
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0")
    answer = p.request(target="/who")
    assert answer.status == 502 and answer.token == "certificate-not-fetched" and answer.get("Retry-After") == "10"
    gate.set()
    is_used(p, cloud.certificates["subaccount"][NAME])
    p.said("tenant acme: the certificate was fetched from BTP")
    assert (fetching.store / "certificate.pem").stat().st_mode & 0o777 == 0o600
    [taken] = metric(p, "sfmtls_certificate_fetch_timestamp_seconds").values()
    assert abs(taken - time.time()) < 60
    shown = status(p)
    assert shown["failure"] is None and shown["next_look"] > shown["last_success"]
    tried = harness.run_cli("run", "-t", "-c", str(p.config), env=environment)
    assert tried.returncode == 0, tried.stderr


def test_a_renewed_one_is_used_and_the_old_one_is_its_fallback(proxy, fetching, cloud, environment):
    """In season it is looked at once. Another subject becomes certificate-next."""
    old, new = cloud.issue(begins=-86 * DAY), cloud.issue()
    fetching.seed(old)
    cloud.put(NAME, new)
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0")
    is_used(p, new)
    p.said("tenant acme: the certificate was renewed")
    assert (fetching.store / "certificate.pem").read_bytes() == new
    assert (fetching.store / "certificate-next.pem").read_bytes() == old


def test_another_subject_becomes_certificate_next(proxy, fetching, cloud, environment):
    old = cloud.issue(begins=-86 * DAY)
    fetching.seed(old)
    new = cloud.put(NAME, cloud.issue("globex_user"))
    p = proxy(fetching.section(), environment)
    p.said("has a successor with another issuer or subject", "notice: reloaded")
    assert (fetching.store / "certificate.pem").read_bytes() == old
    assert (fetching.store / "certificate-next.pem").read_bytes() == new
    is_used(p, old)


FAULTS = {
    "token refused": (btp.answering(401, token=True), "btp-token-refused"),
    "403": (btp.answering(403), "btp-not-permitted"),
    "404": (btp.answering(404), "btp-certificate-unknown"),
    "429": (btp.answering(429, fields=[("Retry-After", "7")]), "btp-too-many-requests"),
    "half an answer": (btp.answering(200, b"x" * 100, cut=True), "btp-answer"),
    "another key": ("mismatch", "btp-certificate-unfit"),
    "expired": ("expired", "btp-certificate-unfit"),
    "JKS": (b"\xfe\xed\xfe\xed" + bytes(100), "btp-key-store"),
    "TLS": ("untrusted", "btp-tls"),
    "DNS": ({"uri": "https://btp.invalid"}, "btp-unreachable"),
    "killed": ("killed", "btp-helper"),
}
DAILY = ("token refused", "another key", "killed")


@pytest.mark.parametrize("fault", FAULTS if FULL else DAILY)
def test_faults_leave_the_old_one(proxy, fetching, cloud, pki, fault):
    """It serves on; one sentence with the cure, in log, status and metrics; with --full, it recovers by itself."""
    wrong, code = FAULTS[fault]
    old, new = cloud.issue(begins=-86 * DAY), cloud.issue()
    fetching.seed(old)
    cloud.put(NAME, new)
    killed = []
    roots = pki / f"roots-{os.getpid()}.pem"
    environment = {"SSL_CERT_FILE": str(shutil.copy(pki / "ca.pem", roots))}
    if wrong == "mismatch":
        cloud.put(NAME, (pki / "acme-chain.pem").read_bytes() + (pki / "globex.key").read_bytes())
    elif wrong == "expired":
        cloud.put(NAME, cloud.issue(begins=-7200, lives=3600))
    elif wrong == "killed":
        def kill(h):
            if not killed and (children := children_of(keeper_of(p))):
                killed.append(children[0])
                os.kill(killed[0], signal.SIGKILL)
        cloud.fault = kill
    elif isinstance(wrong, bytes):
        cloud.put(NAME, wrong)
    elif isinstance(wrong, dict) and "uri" in wrong:
        cloud.service_key(fetching.key, **wrong)
    elif wrong == "untrusted":
        shutil.copy(pki / "other-ca.pem", roots)
    else:
        cloud.fault = wrong
    gate = threading.Event()
    first, cloud.fault = cloud.fault, lambda h: gate.wait(harness.LIMIT) and first and first(h)
    p = proxy(fetching.section(), environment, admin="127.0.0.1:0")
    gate.set()
    line = p.said(f"tenant acme: the certificate cannot be fetched: {code}: ")
    assert "the one that is here stays in use" in line and btp.SECRET not in p.stderr
    assert wrong != "killed" or "(signal 9)" in line
    is_used(p, old)
    assert (fetching.store / "certificate.pem").read_bytes() == old
    harness.eventually(lambda: sorted(os.listdir(fetching.store)) == [".asked", "certificate.pem"])
    assert metric(p, "sfmtls_certificate_fetch_failures_total") == {f'tenant="acme",reason="{code}"': 1}
    shown = status(p)["failure"]
    assert shown["code"] == code and shown["cure"] and shown["sentence"] in line
    text = p.config.read_text().replace("admin = 127.0.0.1:0", f"admin = {p.ready['admin']}")
    (p.folder / "asked.ini").write_text(text)
    printed = harness.run_cli("status", "-c", str(p.folder / "asked.ini")).stdout
    assert f"fails: {code}: " in printed and shown["cure"] in printed, printed
    assert code in page(p)
    if not FULL:
        return
    shutil.copy(pki / "ca.pem", roots)
    cloud.put(NAME, new)
    cloud.service_key(fetching.key)
    cloud.fault = None
    for _ in range(2):  # never twice within 60 seconds
        with contextlib.suppress(AssertionError):
            harness.eventually(lambda: "the certificate was renewed" in p.stderr)
    is_used(p, new)


def test_a_damaged_store_is_repaired(proxy, fetching, cloud, environment):
    fetching.seed(b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    new = cloud.put(NAME, cloud.issue())
    p = proxy(fetching.section(), environment)
    is_used(p, new)
    (fetching.store / "certificate.pem").write_bytes(b"damaged again")
    p.said("the certificate that was loaded before stays in use")
    is_used(p, new)


def test_p12_with_a_passphrase_and_a_key_that_is_apart(proxy, fetching, cloud, pki, environment):
    """What BTP has may need a passphrase; or it may be the chain alone, for a key that is here."""
    p12 = subprocess.run(["openssl", "pkcs12", "-export", "-in", pki / "acme-all.pem", "-passout", "pass:x"],
                                 capture_output=True, check=True).stdout
    cloud.put(NAME, p12)
    (fetching.key.parent / "pass").write_text("x")
    p = proxy(fetching.section(passphrase_file=fetching.key.parent.parent / "acme-btp" / "pass")
              if not CONFINED else fetching.section(passphrase_file=shutil.copy(fetching.key.parent / "pass",
                                                                                 pki / "p12.pass")), environment)
    is_used(p, (pki / "acme.pem").read_bytes())


def test_a_key_that_is_apart(proxy, fetching, cloud, pki, environment):
    fetching.seed((pki / "acme-chain.pem").read_bytes())
    cloud.put(NAME, (pki / "globex-chain.pem").read_bytes())
    os.utime(fetching.store / "certificate.pem")
    p = proxy(fetching.section(private_key=pki / "acme.key"), environment)
    is_used(p, (pki / "acme.pem").read_bytes())


def test_two_tenants_and_a_reload(proxy, cloud, tenant, nginx, tmp_path, environment):
    """One keeper for both; a tenant that is added by a reload is fetched, too."""
    cloud.put(NAME, cloud.issue())
    one, two = (Fetching(cloud, tenant, nginx.port, tmp_path / "tenants", name) for name in ("acme", "globex"))
    p = proxy(one.section(), environment)
    p.said("tenant acme: the certificate was fetched")
    text = p.config.read_text()
    if CONFINED:  # the sandbox lets nothing be read in another folder
        p.rewrite(text + two.section())
        p.said("restart sfmtls")
        return
    p.rewrite(text + two.section())
    p.said("tenant globex: the certificate was fetched")
    harness.eventually(lambda: p.request(target="/who", fields=[("successfactors-companyid", "GLOBEX")]).status == 200)


def test_the_first_one_needs_a_restart(proxy, fetching, tenant, nginx):
    p = proxy(nginx.port)
    section = fetching.section().replace("tenant acme", "tenant globex").replace("ACME", "GLOBEX")
    p.rewrite(p.config.read_text() + section)
    p.said("the process that fetches certificates starts with sfmtls only; restart sfmtls")


def test_the_keeper_ends_with_the_proxy_and_is_missed(proxy, fetching, cloud, environment):
    cloud.put(NAME, cloud.issue())
    p = proxy(fetching.section(), environment)
    is_used(p, cloud.certificates["subaccount"][NAME])
    processes = guard_of(p), keeper_of(p)
    p.stop()
    harness.eventually(lambda: all(map(harness.has_ended, processes)))
    p = proxy(fetching.section(), environment)
    os.kill(guard_of(p), signal.SIGKILL)
    p.said("the process that renews certificates has ended")
    is_used(p, cloud.certificates["subaccount"][NAME])
    assert cloud.paths().count("/oauth/token") == 1  # within 60 seconds no second time, nor after a restart


WRONG = [
    (dict(certificate="x.pem"), "`certificate` is set"), (dict(service_key_file=None), "`service-key-file` is missing"),
    (dict(certificate_store="/nonexistent"), "mkdir -m 0700 /nonexistent"),
    (dict(certificate_source=None, certificate="acme-all.pem"), "has no effect without certificate-source"),
]


@pytest.mark.parametrize("keys, words", WRONG, ids=[words for _, words in WRONG])
def test_sections_that_are_wrong(fetching, tmp_path, keys, words):
    config = tmp_path / "sfmtls.ini"
    config.write_text(fetching.section(**keys))
    done = harness.run_cli("run", "-t", "-c", str(config))
    assert done.returncode == 2 and words in done.stderr, done.stderr


def test_places_that_others_could_use(fetching, tmp_path):
    config = tmp_path / "sfmtls.ini"
    config.write_text(fetching.section() + fetching.section().replace("tenant acme", "tenant b").replace("ACME", "B"))
    tried = lambda: harness.run_cli("run", "-t", "-c", str(config)).stderr
    assert "tenant acme has the same certificate-store; make a folder for each" in tried()
    config.write_text(fetching.section())
    fetching.store.chmod(0o755)
    assert f"chmod 0700 {fetching.store}" in tried()
    fetching.store.chmod(0o700)
    fetching.key.chmod(0o602)
    assert f"{fetching.key}: every user of this machine may change it; chmod o-w" in tried()
    fetching.key.chmod(0o600)
    fetching.key.parent.chmod(0o777)
    assert f"chmod o-w {fetching.key.parent}" in tried()


@pytest.mark.parametrize("fault, step, code", [
    (None, None, None), (btp.answering(401, token=True), "btp-token", "btp-token-refused"),
    (btp.answering(404), "btp-certificate", "btp-certificate-unknown"),
    (btp.answering(200, {"Name": NAME, "Content": "AAAA"}), "btp-certificate", "btp-certificate-unfit")],
    ids=["fine", "no token", "unknown", "unfit"])
def test_check_asks_btp(fetching, cloud, environment, fault, step, code):
    """Two steps more, which ask BTP and change nothing. An empty store is no failure of its own."""
    held = cloud.put(NAME, cloud.issue())
    if step != "btp-certificate":
        fetching.seed(held)
    cloud.fault = fault
    config = fetching.config
    config.write_text(fetching.section())
    done = harness.run_cli("check", "-c", str(config), "--json", env=environment)
    told = json.loads(done.stdout)
    VALIDATOR.validate(told)
    steps = {s["step"]: s for s in told["tenants"][0]["steps"]}
    failed = {name: s["code"] for name, s in steps.items() if s["result"] == "fail"}
    expected = {step: code} if step else {}
    assert failed == expected
    if step == "btp-certificate":
        assert steps["certificate"]["result"] == "skipped" and steps["certificate"]["needs"] == "btp-certificate"
    assert done.returncode == (1 if failed else 0) and len(steps) == 16 and btp.SECRET not in done.stdout
    if not step:
        assert steps["btp-certificate"]["sentence"].endswith("the one that is in use")
        lines = harness.run_cli("check", "-c", str(config), env=environment).stdout.splitlines()
        assert [line.split()[1] for line in lines[2:4]] == ["btp-token", "btp-certificate"]
    assert sorted(os.listdir(fetching.store)) == ([] if step == "btp-certificate" else ["certificate.pem"])


@pytest.mark.parametrize("store", ["empty", "expired"])
def test_check_before_the_first_start(store, fetching, cloud, environment):
    """The certificate that BTP has goes the whole way, and into no file."""
    cloud.put(NAME, cloud.issue(lives=90 * DAY))
    if store == "expired":
        fetching.seed(cloud.issue(begins=-90 * DAY, lives=89 * DAY))
    before = os.listdir(fetching.store)
    config = fetching.config
    config.write_text(fetching.section())
    done = harness.run_cli("check", "-c", str(config), "--json", "--path", "/who", env=environment)
    steps = {s["step"]: s for s in json.loads(done.stdout)["tenants"][0]["steps"]}
    assert done.returncode == 0 and not {k: s for k, s in steps.items() if s["result"] != "ok"}
    assert steps["btp-certificate"]["sentence"].endswith("which `run` takes by itself")
    assert os.listdir(fetching.store) == before
    cloud.fault = btp.answering(401, token=True)
    done = harness.run_cli("check", "-c", str(config), env=environment)
    assert done.returncode == 1 and "FAIL     btp-token" in done.stdout
    if store == "empty":
        assert done.stdout.count("FAIL") == 1 and "skipped  certificate          it needs btp-token" in done.stdout
    else:
        assert done.stdout.count("FAIL") == 2 and "client-certificate-expired" in done.stdout


@pytest.mark.parametrize("flaw, code", [("readable", "certificate-unreadable"), ("other", "private-key-mismatch"),
                                        ("encrypted", "passphrase-wrong"), ("missing", "certificate-unreadable")])
def test_check_of_a_key_that_run_would_not_take(flaw, code, fetching, cloud, tmp_path, environment):
    """It is told at the certificate, since nothing is wrong with what BTP has."""
    config, key = fetching.config, fetching.config.parent / "own.key"
    other = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], capture_output=True, check=True).stdout
    pem = cloud.issue(lives=90 * DAY)
    own = subprocess.run(["openssl", "pkey"], input=pem, capture_output=True, check=True).stdout
    if flaw == "encrypted":
        own = subprocess.run(["openssl", "pkey", "-aes128", "-passout", "pass:x"], input=own, capture_output=True,
                             check=True).stdout
    if flaw != "missing":
        key.write_bytes(other if flaw == "other" else own)
        key.chmod(0o644 if flaw == "readable" else 0o600)
    cloud.put(NAME, pem[pem.index(b"-----BEGIN CERT"):])
    config.write_text(fetching.section(private_key=key))
    done = harness.run_cli("check", "-c", str(config), "--json", env=environment)
    steps = {s["step"]: s for s in json.loads(done.stdout)["tenants"][0]["steps"]}
    failed = {name: s["code"] for name, s in steps.items() if s["result"] == "fail"}
    assert failed == {"certificate": code} and steps["btp-certificate"]["result"] == "ok", done.stdout


@pytest.mark.skipif(not CONFINED, reason="programs with sanitizers have no sandbox")
@needs_landlock
def test_check_refuses_the_key_that_run_refuses(fetching, cloud, environment):
    """The process that serves could read it: it is in the folder of another file."""
    config = fetching.key.parent / "sfmtls.ini"
    config.write_text(fetching.section())
    refused = harness.run_cli("run", "-t", "-c", str(config), env=environment)
    words = f"{fetching.key}: the process that serves could read it there"
    assert refused.returncode == 2 and words in refused.stderr
    done = harness.run_cli("check", "-c", str(config), env=environment)
    assert done.returncode == 1 and words in done.stdout and done.stdout.count("FAIL") == 1, done.stdout
    assert not cloud.paths()
    config.write_text(fetching.section() + "[proxy]\nsandbox = off\n")
    done = harness.run_cli("check", "-c", str(config), env=environment)
    assert words not in done.stdout and cloud.paths()


full_only = pytest.mark.skipif(not FULL, reason="it takes more than a minute")


@full_only
def test_a_reload_brings_another_service_key(proxy, fetching, cloud, environment):
    """In another folder, even: each look has its own rules. It comes a minute after the last one."""
    other = fetching.key.parent.parent / "other-btp"
    cloud.put(NAME, cloud.issue())
    p = proxy(fetching.section(service_key_file=other / "key.json"), environment)
    p.said("btp-service-key")
    begun = time.monotonic()
    other.mkdir()
    fetching.key.rename(other / "new.json")
    p.rewrite(p.config.read_text().replace("key.json", "new.json"))
    for _ in range(2):
        with contextlib.suppress(AssertionError):
            is_used(p, cloud.certificates["subaccount"][NAME])
    p.said("tenant acme: the certificate was fetched from BTP")
    assert time.monotonic() - begun > 50


PROBE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Once the process is confined (it has no prctl any more), opens each path and says what came of it. */
static void probe(void)
{
    static char paths[4096];
    static int done;
    int fd, s;

    if (done || prctl(PR_GET_SECCOMP) >= 0 || errno != ENOSYS)
        return;
    done = 1;
    snprintf(paths, sizeof(paths), "%s", getenv("PROBE"));
    for (char *path = strtok(paths, ":"); path != NULL; path = strtok(NULL, ":")) {
        fd = open(path, O_RDONLY);
        dprintf(2, "probe %d %s %d\n", (int)getpid(), path, fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    s = socket(AF_INET, SOCK_STREAM, 0);
    dprintf(2, "probe %d listen %d\n", (int)getpid(), listen(s, 1) < 0 ? errno : 0);
    close(s);
    snprintf(paths, sizeof(paths), "%s", getenv("PROBE_WRITE"));
    for (char *path = strtok(paths, ":"); path != NULL; path = strtok(NULL, ":")) {
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        dprintf(2, "probe %d write:%s %d\n", (int)getpid(), path, fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    int (*next)(struct pollfd *, nfds_t, int) = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");

    probe();
    return next(fds, n, ms);
}
"""


def test_no_process_reads_what_is_not_its_own(fetching, cloud, tenant, nginx, pki, tmp_path, environment, started,
                                              release):
    """Of the released program, from inside of each process, by a library that probes once it is confined: the one that
    serves cannot open the service key and does not have it open; the one that fetches cannot open a key of a tenant."""
    (tmp_path / "probe.c").write_text(PROBE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "probe.so", tmp_path / "probe.c"], check=True)
    gate = threading.Event()
    cloud.put(NAME, cloud.issue())
    cloud.fault = lambda h: gate.wait(harness.LIMIT) and None
    other = pki / "globex-all.pem"
    paths = {"service key": fetching.key, "other key": other, "configuration": tmp_path / "proxy/sfmtls.ini"}
    places = {"store": fetching.store / ".probe", "other folder": pki / ".probe"}
    environment = {**environment, "LD_PRELOAD": str(tmp_path / "probe.so"), "PROBE": ":".join(map(str, paths.values())),
                   "PROBE_WRITE": ":".join(map(str, places.values()))}
    (tmp_path / "proxy").mkdir()
    config = "[proxy]\nlisten = 127.0.0.1:0\n" + fetching.section() + tenant(
        nginx.port, name="other", company="OTHER", certificate="globex-all.pem")
    p = harness.Proxy(tmp_path / "proxy", config, environment=environment, binary=release)
    started.append(p)
    if "Landlock is missing" in p.stderr or "seccomp is missing" in p.stderr:
        pytest.skip("this kernel confines nothing")
    harness.eventually(lambda: cloud.calls)
    keeper = keeper_of(p)
    helper = children_of(keeper)[0]
    for pid in (p.process.pid, guard_of(p), keeper, helper):
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not {str(fetching.key), str(other)} & set(held)
    assert "libcurl" not in pathlib.Path(f"/proc/{p.process.pid}/maps").read_text()
    assert "libcurl" in pathlib.Path(f"/proc/{helper}/maps").read_text()
    assert btp.SECRET.encode() not in pathlib.Path(f"/proc/{helper}/cmdline").read_bytes()
    gate.set()
    p.said("tenant acme: the certificate was fetched")

    def found(pid):
        return {name: int(code) for name, code in re.findall(rf"^probe {pid} (\S+) (\d+)$", p.stderr, re.M)}

    def results(pid):
        seen = found(pid)
        return {**{name: seen[str(path)] for name, path in paths.items()}, "listen": seen["listen"],
                **{name: seen[f"write:{path}"] for name, path in places.items()}}

    ok, denied, none = 0, errno.EACCES, errno.ENOSYS
    assert results(p.process.pid) == {"service key": denied, "other key": ok, "configuration": ok, "listen": ok,
                                      "store": denied, "other folder": denied}
    assert results(helper) == {"service key": ok, "other key": denied, "configuration": ok, "listen": none,
                               "store": ok, "other folder": denied}


@needs_landlock
def test_a_service_key_that_the_proxy_could_read_is_refused(fetching, cloud, pki, tmp_path, environment, release):
    key = cloud.service_key(pki / "key.json")  # beside ca-file
    config = tmp_path / "sfmtls.ini"
    config.write_text("[proxy]\nlisten = 127.0.0.1:0\n" + fetching.section(service_key_file=key))
    done = subprocess.run([release, "run", "-c", config], capture_output=True, text=True,
                                  env={**os.environ, **environment}, timeout=harness.LIMIT)
    assert done.returncode == 2 and "the process that serves could read it there; move it" in done.stderr
