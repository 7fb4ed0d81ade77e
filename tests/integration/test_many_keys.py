"""Many tenants with large keys: they start, are loaded anew any number of times, and stay in locked memory."""
import os
import re
import subprocess

import pytest

import harness
from test_key import hits, numbers_of, openssl

TENANTS = 200
MODEST = ["setpriv", "--inh-caps", "-ipc_lock", "--bounding-set", "-ipc_lock"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    """PEM texts of a few keys of 4096 bits, each with its certificate."""
    folder = tmp_path_factory.mktemp("large")
    for i in range(3):
        openssl("req", "-x509", "-newkey", "rsa:4096", "-nodes", "-keyout", folder / f"key{i}", "-out",
                folder / f"pem{i}", "-days", "90", "-subj", f"/CN=many{i}", "-addext", "basicConstraints=CA:FALSE")
    return folder


class Many:
    """A configuration with a file of its own for each tenant."""

    def __init__(self, folder, pki, identities, count=TENANTS):
        self.folder, self.count, self.round = folder, count, 0
        self.texts = [(identities / f"pem{i}").read_text() + (identities / f"key{i}").read_text() for i in range(3)]
        self.write()
        self.config = "[proxy]\nlisten = 127.0.0.1:0\n" + "".join(
            f"[tenant t{i}]\ncompany-id = C{i}\nserver = localhost:1\nca-file = {pki}/ca.pem\n"
            f"certificate = {folder}/t{i}.pem\n" for i in range(count))

    def write(self):
        """Every file, unlike all the others and unlike itself before: no two hold the same bytes."""
        self.round += 1
        for i in range(self.count):
            new = self.folder / "new"
            new.write_text(f"# {i}, {self.round}\n" + self.texts[(i + self.round) % 3])
            new.rename(self.folder / f"t{i}.pem")


@pytest.fixture
def many(tmp_path, pki, identities):
    """many(count): their configuration."""
    return lambda *count: Many(tmp_path, pki, identities, *count)


@pytest.fixture
def serve(tmp_path, started, release):
    """serve(many, ...): a proxy for them, of the release build; the sandbox knows the folder."""

    def start(m, prefix=()):
        folder = tmp_path / f"proxy{len(started)}"
        folder.mkdir()
        started.append(harness.Proxy(folder, m.config, binary=release, prefix=prefix))
        return started[-1]

    return start


def reload(p):
    count = len(re.findall(r"notice: reloaded|not reloaded", p.stderr))
    p.signal(1)
    harness.eventually(lambda: len(re.findall(r"notice: reloaded|not reloaded", p.stderr)) > count)


def locked_kib(p):
    """Of the memory for keys, what is in use or was."""
    found, size = 0, 0
    with open(f"/proc/{p.process.pid}/smaps") as smaps:
        for line in smaps:
            if line.startswith("Rss:"):
                size = int(line.split()[1])
            elif line.startswith("VmFlags:") and "lo" in line.split() and "dd" in line.split():
                found += size
    return found


def test_all_of_them_are_loaded_anew(many, serve, identities):
    """Three times, each key in place of another one."""
    m = many()
    p = serve(m)
    for _ in range(3):
        m.write()
        reload(p)
        assert "not reloaded" not in p.stderr, p.stderr[-2000:]
    assert "not locked" not in p.stderr
    patterns = {f"{name} of {i}": number for i in range(3) for name, number in numbers_of(identities / f"key{i}")}
    found = []

    def only_primes_are_outside():
        # The program may have seen the new files by itself before the signal came: then it still reads them, and
        # OpenSSL decodes a key in memory that is not locked, but wiped afterwards.
        found[:] = hits(p.process.pid, patterns)
        return all(locked or re.match(r"prime\d, reversed", name) for name, locked in found)

    harness.eventually(only_primes_are_outside)
    assert {name for name, locked in found if locked} > {f"privateExponent, reversed of {i}" for i in range(3)}


def test_what_stays_is_not_held_twice(many, serve):
    """One of them is replaced each time, and the configuration changes."""
    m = many()
    p = serve(m)
    harness.eventually(lambda: "listening on" in p.stderr)
    before = locked_kib(p)
    for i in range(3):
        (m.folder / "new").write_text(f"# another {i}\n" + m.texts[i])
        (m.folder / "new").rename(m.folder / f"t{i}.pem")
        p.rewrite(m.config + f"; {i}\n")
        reload(p)
    assert "not reloaded" not in p.stderr
    assert locked_kib(p) < before * 1.2, (before, locked_kib(p))


def test_tenants_that_share_a_file(many, serve):
    """Its key is held once."""
    m = many(150)
    apart = locked_kib(serve(m))
    m.config = re.sub(r"/t\d+\.pem", "/t0.pem", m.config)
    assert locked_kib(serve(m)) < apart / 2


LITTLE = [*MODEST, "prlimit", f"--memlock={512 * 1024}"]
USED_UP = r"(\d+) KiB .*memory for private keys.* used up; raise the limit of locked memory " \
          r"\(LimitMEMLOCK=, ulimit -l\).*restart"


def test_memory_that_is_used_up_by_a_reload(many, serve):
    """What was loaded before stays, and no file is blamed."""
    m = many(150)
    p = serve(m, LITTLE)
    m.write()
    reload(p)
    line = next(line for line in p.stderr.splitlines() if "not reloaded" in line)
    assert re.search(USED_UP, line), line
    assert "passphrase" not in line and "export it" not in line and "damaged" not in line
    assert p.request(fields=[("successfactors-companyid", "C1")]).token == "connection-refused"


def test_memory_that_is_used_up_at_the_start(many, tmp_path, release):
    m = many(400)
    (tmp_path / "sfmtls.ini").write_text(m.config)
    result = subprocess.run([*LITTLE, release, "run", "-t", "-c", str(tmp_path / "sfmtls.ini")], capture_output=True,
                            text=True, timeout=2 * harness.LIMIT)
    assert result.returncode == 2 and re.search(USED_UP, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1


def test_memory_is_taken_as_it_is_used(proxy, nginx, release):
    """A lot may be locked, but one small key does not cost it."""
    p = proxy(nginx.port, process={"binary": release})
    assert p.request(target="/1k").status == 200
    assert locked_kib(p) <= 128


# ---- a key that is known is still one of its file ----

FORMS = {  # files from acme.key and its chain, and how they are named
    "one file": ("cat {pki}/acme-chain.pem {pki}/acme.key >all", "certificate = {tmp}/all\n"),
    "two files": ("cp {pki}/acme-chain.pem {pki}/acme.key .",
                  "certificate = {tmp}/acme-chain.pem\nprivate-key = {tmp}/acme.key\n"),
    "encrypted": ("cp {pki}/acme-chain.pem {pki}/acme-encrypted.key .; cp {pki}/acme.pass pass",
                  "certificate = {tmp}/acme-chain.pem\nprivate-key = {tmp}/acme-encrypted.key\n"
                  "passphrase-file = {tmp}/pass\n"),
    "DER": ("openssl pkcs8 -topk8 -nocrypt -in {pki}/acme.key -outform DER -out der; cp {pki}/acme-chain.pem .",
            "certificate = {tmp}/acme-chain.pem\nprivate-key = {tmp}/der\n"),
    "PKCS#12": ("openssl pkcs12 -export -in {pki}/acme-chain.pem -inkey {pki}/acme.key -passout file:{pki}/acme.pass "
                "-out p12; cp {pki}/acme.pass pass", "certificate = {tmp}/p12\npassphrase-file = {tmp}/pass\n"),
}


@pytest.fixture
def known(proxy, pki, nginx, tmp_path):
    """known(form): a proxy that has loaded it, and has been told to look again."""

    def start(form):
        make, lines = (text.format(pki=pki, tmp=tmp_path) for text in FORMS[form])
        subprocess.run(["sh", "-ec", f"umask 077; {make}"], cwd=tmp_path, check=True)
        p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\nca-file = {pki}/ca.pem\n{lines}")
        reload(p)
        assert "not reloaded" not in p.stderr, p.stderr
        assert "CN=acme_user" in p.request(target="/who").json()["subject"]
        return p

    return start


@pytest.mark.parametrize("form", FORMS)
def test_known_key_in_each_form(form, known):
    known(form)


@pytest.mark.parametrize("form, file", [("one file", "all"), ("two files", "acme.key"), ("DER", "der"),
                                        ("encrypted", "acme-encrypted.key"), ("PKCS#12", "p12")])
def test_known_key_that_others_may_read_now(form, file, known, tmp_path):
    p = known(form)
    (tmp_path / file).chmod(0o644)
    reload(p)
    harness.eventually_logged(p, r"not reloaded.*every user of this machine may read the private")


@pytest.mark.parametrize("form", ["encrypted", "PKCS#12"])
def test_known_key_whose_passphrase_is_wrong_now(form, known, tmp_path):
    """What a start would refuse, a reload refuses."""
    p = known(form)
    (tmp_path / "new").write_text("wrong\n")
    (tmp_path / "new").rename(tmp_path / "pass")
    reload(p)
    harness.eventually_logged(p, r"not reloaded.*check the passphrase")


def test_known_key_beside_another_certificate(known, tmp_path, pki):
    p = known("two files")
    (tmp_path / "new").write_text((pki / "globex-chain.pem").read_text())
    (tmp_path / "new").rename(tmp_path / "acme-chain.pem")
    harness.eventually_logged(p, r"not reloaded.*does not belong")
