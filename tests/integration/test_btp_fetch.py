"""`cert fetch`: a certificate out of BTP, and every fault on the way."""
import base64
import io
import os
import re
import stat
import subprocess
import time

import pytest

import btp
import harness

NAME = "sfmtls.pem"


@pytest.fixture(scope="module")
def certificates(pki, tmp_path_factory):
    """One certificate of each kind, made once."""
    folder = tmp_path_factory.mktemp("certificates")
    service = btp.Btp(pki, folder)
    made = {"fine": service.issue(), "expired": service.issue(begins=-7200, lives=3600)}
    service.stop()
    return made


@pytest.fixture
def cloud(pki, tmp_path, started, certificates):
    (tmp_path / "cloud").mkdir()
    service = btp.Btp(pki, tmp_path / "cloud")
    started.append(service)
    service.put(NAME, certificates["fine"])
    service.key = service.service_key(tmp_path / "key.json")
    return service


def fetch(cloud, *words, key=None, name=NAME, env=None, trusted=True):
    trust = ["--ca-file", str(cloud.pki / "ca.pem")] if trusted else []
    return harness.run_cli("cert", "fetch", "--service-key", str(key or cloud.key), "--name", name, *trust,
                           *map(str, words), cwd=cloud.folder, env=env)


def is_silent_of_secrets(done):
    for secret in (btp.SECRET, btp.TOKEN, "PRIVATE KEY"):
        assert secret not in done.stderr


@pytest.mark.parametrize("inside", [False, True])
def test_writes_the_file_as_it_is_in_btp(cloud, certificates, tmp_path, inside):
    """Of both shapes of a service key; mode 0600, by rename, and nothing is left beside it."""
    cloud.service_key(cloud.key, inside=inside)
    out = tmp_path / "out" / "acme.pem"
    out.parent.mkdir()
    out.write_text("old")
    inode = out.stat().st_ino
    done = fetch(cloud, "-o", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == certificates["fine"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600 and out.stat().st_ino != inode
    assert os.listdir(out.parent) == ["acme.pem"]
    assert done.stdout == "" and "CN=acme_user" in done.stderr
    is_silent_of_secrets(done)
    assert cloud.paths() == ["/oauth/token", f"/destination-configuration/v1/subaccountCertificates/{NAME}"]


def test_the_name_is_the_file_unless_told_and_stdout_only_if_asked(cloud, certificates):
    assert fetch(cloud).returncode == 0
    assert (cloud.folder / NAME).read_bytes() == certificates["fine"]
    done = fetch(cloud, "-o", "-")
    assert done.stdout.encode().replace(b"\n", b"\r\n") == certificates["fine"]  # text=True reads CRLF as LF


def test_instance_level_and_pkcs12_and_base64_of_pem(cloud, certificates, tmp_path):
    p12 = subprocess.run(["openssl", "pkcs12", "-export", "-in", cloud.pki / "acme-all.pem", "-passout", "pass:x y"],
                         capture_output=True, check=True).stdout
    cloud.put("a_b&.p12", p12, "instance")
    cloud.put("wrapped.pem", base64.b64encode(certificates["fine"]))
    (tmp_path / "pass").write_text("x y\n")
    done = fetch(cloud, "--level", "instance", "--passphrase-file", tmp_path / "pass", name="a_b&.p12")
    assert done.returncode == 0 and "CN=acme_user" in done.stderr, done.stderr
    assert (cloud.folder / "a_b&.p12").read_bytes() == p12
    done = fetch(cloud, name="a_b&.p12")
    assert done.returncode == 1 and "no certificate a_b&.p12 at the level subaccount" in done.stderr
    done = fetch(cloud, "--level", "instance", name="a_b&.p12")
    assert done.returncode == 0 and "passphrase-file" in done.stderr, done.stderr
    assert fetch(cloud, name="wrapped.pem").returncode == 0


def test_x509_binding(cloud, pki, tmp_path, started):
    """The certificate of the service key is presented, and no secret is sent."""
    started.append(btp.before(tmp_path / "nginx", cloud, pki))
    members = {"clientsecret": None, "certificate": (pki / "globex-chain.pem").read_text(),
               "key": (pki / "globex.key").read_text(), "certurl": f"https://localhost:{started[-1].port}",
               "credential-type": "x509"}
    cloud.service_key(cloud.key, **members)
    done = fetch(cloud)
    assert done.returncode == 0, done.stderr
    old = {**members, "certificate": (pki / "expired-chain.pem").read_text(), "key": (pki / "expired.key").read_text()}
    cloud.service_key(cloud.key, **old)
    done = fetch(cloud)
    assert done.returncode == 1 and re.search(
        "btp-binding-expired: .* has expired on 2021-01-01.*new service key", done.stderr), done.stderr


FAULTS = {
    "token refused": (dict(clientsecret="another"), None, "btp-token-refused", r"401.*Create a new service key"),
    "403": ({}, btp.answering(403), "btp-not-permitted", "403"),
    "429 for long": ({}, btp.answering(429, fields=[("Retry-After", "300")]), "btp-too-many-requests", "300 seconds"),
    "not json": ({}, btp.answering(200, b"<html>"), "btp-answer", "holds no certificate"),
    "another name": ({}, btp.answering(200, {"Name": "x", "Content": "AAAA"}), "btp-answer", "holds no certificate"),
    "half of base64": ({}, btp.answering(200, {"Name": NAME, "Content": "AAA"}), "btp-answer", "holds no certificate"),
    "too large": ({}, btp.answering(200, b" " * (2 << 20)), "btp-answer", "larger than 1024 KiB"),
    "redirected": ({}, btp.answering(302, fields=[("Location", "https://localhost:1/")]), "btp-answer", "302"),
    "no token": ({}, btp.answering(200, {}, token=True), "btp-answer", "without a token"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_one_sentence_and_changes_nothing(cloud, fault):
    """One sentence with the cure, no secret in it, and what was there before stays."""
    members, cloud.fault, code, words = FAULTS[fault]
    (cloud.folder / NAME).write_text("old")
    cloud.service_key(cloud.key, **members)
    done = fetch(cloud)
    assert done.returncode == 1 and re.match(rf"sfmtls: {code}: .*{words}", done.stderr), done.stderr
    assert done.stderr.count("\n") == 1
    is_silent_of_secrets(done)
    assert (cloud.folder / NAME).read_text() == "old"


def test_half_an_answer_and_an_outage_are_asked_again(cloud):
    cloud.fault = btp.once(btp.answering(200, b"x" * 100, cut=True))
    assert fetch(cloud).returncode == 0
    cloud.fault = btp.once(btp.answering(503, token=True))
    assert fetch(cloud).returncode == 0
    assert cloud.paths().count("/oauth/token") == 3


def test_retry_after_is_kept(cloud):
    times = []

    def fault(h):
        if h.path != "/oauth/token":
            times.append(time.monotonic())
            return (429, b"{}", [("Retry-After", "7")]) if len(times) == 1 else None

    cloud.fault = fault
    assert fetch(cloud).returncode == 0
    assert 7 <= times[1] - times[0] < 9


def test_an_unknown_name_gets_the_nearest_ones(cloud):
    for name in ("sfmtls-test.pem", "other.p12", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.pem"):
        cloud.put(name, b"x")
    done = fetch(cloud, name="sfmtl.pem")
    assert "btp-certificate-unknown" in done.stderr
    assert "it has sfmtls.pem, sfmtls-test.pem, other.p12" in done.stderr, done.stderr


def test_what_cannot_be_used_replaces_nothing(cloud, certificates):
    for content, code, words in (
            (certificates["expired"], "btp-certificate-unfit", "has expired on"),
            (b"\xfe\xed\xfe\xed" + bytes(100), "btp-key-store", "keytool -importkeystore"),
            (b"no certificate", "btp-certificate-unfit", ""),
            ((cloud.pki / "acme.pem").read_bytes(), "btp-certificate-unfit", "no private key"),
            ((cloud.pki / "acme.pem").read_bytes() + (cloud.pki / "globex.key").read_bytes(), "btp-certificate-unfit",
             "does not belong to any certificate")):
        (cloud.folder / NAME).write_text("old")
        cloud.put(NAME, content)
        done = fetch(cloud)
        assert done.returncode == 1 and code in done.stderr and words in done.stderr, done.stderr
        assert (cloud.folder / NAME).read_text() == "old"
        assert not [name for name in os.listdir(cloud.folder) if name.endswith(".new")]


def test_who_is_not_trusted_or_not_there(cloud):
    done = fetch(cloud, trusted=False)
    assert done.returncode == 1 and "btp-tls" in done.stderr and not cloud.calls, done.stderr
    assert fetch(cloud, trusted=False, env={"SSL_CERT_FILE": str(cloud.pki / "ca.pem")}).returncode == 0
    cloud.service_key(cloud.key, url="https://btp.invalid")
    done = fetch(cloud)
    assert done.returncode == 1 and "btp-unreachable" in done.stderr, done.stderr


def test_proxy_of_the_system(cloud, started):
    """https_proxy counts, no_proxy exempts."""
    port = harness.closed_port()
    env = {"https_proxy": f"http://user:s3cret@127.0.0.1:{port}"}
    done = fetch(cloud, env=env)
    assert done.returncode == 1 and "btp-proxy-unreachable" in done.stderr and "s3cret" not in done.stderr, done.stderr
    assert fetch(cloud, env={**env, "no_proxy": "localhost"}).returncode == 0


@pytest.mark.parametrize("flaw", ["readable", "no json", "http", "empty", "no secret", "missing"])
def test_service_keys_that_cannot_be_used(cloud, flaw):
    if flaw == "readable":
        cloud.key.chmod(0o644)
    elif flaw == "missing":
        cloud.key.unlink()
    elif flaw in ("empty", "no json"):
        cloud.key.write_text("{}" if flaw == "empty" else btp.SECRET)
    else:
        cloud.service_key(cloud.key, **({"uri": "http://localhost"} if flaw == "http" else {"clientsecret": None}))
    done = fetch(cloud)
    assert done.returncode == 2 and done.stderr.startswith(f"sfmtls: {cloud.key}: "), done.stderr
    is_silent_of_secrets(done)
    assert not cloud.calls


def test_a_key_that_is_made_here_never_leaves(cloud, tmp_path):
    """In all that was sent is no part of the key; certificate and key fit, and serve."""
    key, out = tmp_path / "own.key", tmp_path / "own.pem"
    words = ("--csr", "--key-out", key, "--common-name", "own user", "--validity", "30d", "--no-renew", "-o", out)
    done = fetch(cloud, *words, name="own.pem")
    assert done.returncode == 0, done.stderr
    assert cloud.wish["Validity"] == {"TimeUnit": "DAYS", "Value": 30} and cloud.wish["AutomaticRenew"] is False
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and "PRIVATE KEY" not in out.read_text()
    der = subprocess.run(["openssl", "rsa", "-in", key, "-outform", "DER", "-traditional"], capture_output=True,
                         check=True).stdout
    secrets = [der[i:i + 24] for i in range(300, len(der) - 24, 24)]  # behind the modulus, which is public
    modulus = int(re.search(r"Modulus=(\w+)", subprocess.run(
        ["openssl", "rsa", "-in", key, "-noout", "-modulus"], capture_output=True, check=True,
        text=True).stdout)[1], 16)
    public = modulus.to_bytes(384, "big")
    sent = b"".join(cloud.raw)
    for wish in re.findall(rb'"CSR":"([^"]+)"', sent):
        pem = base64.b64decode(wish)
        sent += pem + subprocess.run(["openssl", "req", "-outform", "DER"], input=pem, capture_output=True,
                                     check=True).stdout
    assert public[:24] in sent  # so that what is searched would be found
    assert not [s for s in secrets if s in sent and s not in public]
    assert not [line for line in key.read_bytes().splitlines() if len(line) > 60 and line in sent]
    done = fetch(cloud, *words, name="own.pem")  # the key is never overwritten
    assert done.returncode == 2 and "own.key" in done.stderr, done.stderr
    done = fetch(cloud, "--private-key", key, "-o", out, name="own.pem")  # as it is renewed
    assert done.returncode == 0, done.stderr


def test_a_certificate_of_another_key_is_not_taken(cloud, tmp_path):
    """BTP answers with a chain for another key: neither file is there afterwards but the key."""
    chain = (cloud.pki / "acme-chain.pem").read_bytes()
    cloud.fault = lambda h: (cloud.put("own.pem", chain) and None) if h.command == "GET" else None
    out = tmp_path / "own.pem"
    done = fetch(cloud, "--csr", "--key-out", tmp_path / "own.key", "--common-name", "own", "-o", out, name="own.pem")
    assert done.returncode == 1 and "btp-certificate-unfit" in done.stderr, done.stderr
    assert not out.exists()


def test_the_key_of_an_order_without_an_answer_is_kept(cloud, tmp_path):
    """BTP may have made the certificate: it is ordered once, and can be got with the key later."""
    def cut(h):
        if h.command == "POST" and h.path != "/oauth/token":
            cloud.make(Deaf(), "subaccount", h.body)
            return 201, b"x" * 100, (), True
        return None

    class Deaf:
        """Of the order, but without an answer of its own."""
        send_response = send_header = end_headers = lambda *_: None
        wfile, close_connection = io.BytesIO(), False

    cloud.fault = cut
    key, out = tmp_path / "own.key", tmp_path / "own.pem"
    done = fetch(cloud, "--csr", "--key-out", key, "--common-name", "own", "-o", out, name="own.pem")
    assert done.returncode == 1 and f"`cert fetch --private-key {key}`" in done.stderr, done.stderr
    assert sum(call[0] == "POST" and call[1] != "/oauth/token" for call in cloud.calls) == 1
    done = fetch(cloud, "--private-key", key, "-o", out, name="own.pem")
    assert done.returncode == 0, done.stderr


def test_an_order_that_is_refused_leaves_no_key(cloud, tmp_path):
    cloud.fault = lambda h: (409, b"{}") if h.command == "POST" and h.path != "/oauth/token" else None
    key = tmp_path / "own.key"
    done = fetch(cloud, "--csr", "--key-out", key, "--common-name", "own", "-o", tmp_path / "own.pem", name="own.pem")
    assert done.returncode == 1 and not key.exists(), done.stderr


@pytest.mark.parametrize("proxy", ["http://user:hunter2@[::1", "http://user:hunter2@127.0.0.1:99999",
                                   "nonsense://user:hunter2@127.0.0.1:1", "http://user:hunter2@127.0.0.1:{port}"])
def test_the_password_of_a_proxy_is_not_repeated(cloud, proxy):
    done = fetch(cloud, env={"https_proxy": proxy.format(port=harness.closed_port()), "no_proxy": ""})
    assert done.returncode == 1 and "btp-proxy-unreachable" in done.stderr and "hunter2" not in done.stderr, done.stderr


def test_stdout_that_is_full(cloud):
    with open("/dev/full", "w") as full:
        done = subprocess.run([harness.BINARY, "cert", "fetch", "--service-key", cloud.key, "--name", NAME, "--ca-file",
                               cloud.pki / "ca.pem", "-o", "-"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0, done.stderr


@pytest.mark.parametrize("words", [
    [], ["--service-key", "k"], ["--service-key", "k", "--name", "../x"],
    ["--service-key", "k", "--name", "x.pem", "--level", "none"], ["--service-key", "k", "--name", "x.pem", "--csr"],
    ["--service-key", "k", "--name", "x.pem", "--key-out", "k"],
    ["--service-key", "k", "--name", "x.pem", "--csr", "--key-out", "k", "--common-name", "c", "--validity", "1h"]])
def test_command_lines_that_are_wrong(words):
    done = harness.run_cli("cert", "fetch", *words)
    assert done.returncode == 2 and "`sfmtls cert --help` shows more" in done.stderr, done.stderr
