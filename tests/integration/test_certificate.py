"""Every form that a certificate comes in: what loads, and what is said about it."""
import base64
import hashlib
import json
import os
import re
import select
import ssl
import subprocess

import pytest

import harness

SECRET = "correct horse"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


class Forms:
    """Files in every form, made of the test PKI's parts."""

    def __init__(self, pki, folder):
        self.pki, self.folder = pki, folder
        self.leaf, self.sub, self.root = (self.text(f"{n}.pem") for n in ("acme", "client-sub", "client-ca"))
        self.key, self.chain = self.text("acme.key"), self.text("acme-chain.pem")
        self.encrypted, self.old = self.text("acme-encrypted.key"), self.text("acme-3des.key")

    def text(self, name):
        return (self.pki / name).read_text()

    def pkcs12(self, *more, secret=SECRET, chain=True):
        return openssl("pkcs12", "-export", "-in", self.pki / "acme.pem", "-inkey", self.pki / "acme.key",
                       *(["-certfile", self.pki / "acme-chain.pem"] if chain else []),
                       "-passout", f"pass:{secret}", *more)

    def der(self, text, kind="x509"):
        return openssl(kind, "-outform", "DER", data=text.encode())

    def issued(self, subject, key=("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), extensions="",
               digest="sha256", issuer="client-sub", days=90):
        """A certificate that differs from the usual ones, with its key before it and the chain behind."""
        folder = self.folder / hashlib.md5(repr((subject, key, extensions, digest, issuer)).encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        openssl("genpkey", "-quiet", *key, "-out", folder / "key")
        openssl("req", "-new", "-key", folder / "key", "-subj", subject, "-out", folder / "csr")
        (folder / "ext").write_text(extensions or "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
        openssl("x509", "-req", "-in", folder / "csr", "-CA", self.pki / f"{issuer}.pem", "-CAkey",
                self.pki / f"{issuer}.key", "-days", days, f"-{digest}", "-extfile", folder / "ext",
                "-out", folder / "pem")
        return (folder / "key").read_text() + (folder / "pem").read_text() + self.sub

    def self_signed(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=self",
                "-keyout", self.folder / "self.key", "-out", self.folder / "self.pem", "-addext",
                "basicConstraints=critical,CA:FALSE", "-days", 90)
        return (self.folder / "self.key").read_text() + (self.folder / "self.pem").read_text()

    def btp(self):
        """As BTP exports it: base64 of a PEM with CRLF, the encrypted key first, RSA-4096, three CAs behind."""
        leaf = self.issued("/C=DE/O=SAP SE/CN=technical_user", (*RSA, "rsa_keygen_bits:4096"))
        key, certificates = re.match(r"(?s)(.*?-----END PRIVATE KEY-----\n)(.*)", leaf).groups()
        (self.folder / "btp.key").write_text(key)
        sealed = openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", self.folder / "btp.key", "-passout",
                         f"pass:{SECRET}").decode()
        return base64.b64encode((sealed + certificates + self.root).replace("\n", "\r\n").encode())


def lines(data, width):
    text = base64.b64encode(data).decode()
    return "\n".join(text[at:at + width] for at in range(0, len(text), width)) + "\n"


RSA = ("-algorithm", "RSA", "-pkeyopt")
ROOT_NOTE = ("note", "root, which is not sent")
BARE = ("warning", "CN=Test Client Sub CA,O=Test is not in the file")
SOON = ("warning", "the certificate expires on")

# name: (how to make it, is a passphrase given, what is found beside the expiry of the test PKI)
LOADS = {
    "PEM, key first": (lambda f: f.key + f.chain, False, [ROOT_NOTE]),
    "PEM, key last": (lambda f: f.chain + f.key, False, [ROOT_NOTE]),
    "PEM, key between": (lambda f: f.leaf + f.key + f.sub, False, []),
    "PEM, root first": (lambda f: f.root + f.sub + f.leaf + f.key, False, [ROOT_NOTE]),
    "PEM, leaf behind its issuer": (lambda f: f.sub + f.key + f.leaf, False, []),
    "PEM, CRLF": (lambda f: (f.key + f.chain).replace("\n", "\r\n"), False, [ROOT_NOTE]),
    "PEM, text between": (lambda f: "Bag Attributes\n" + f.key + "\nsubject=\n" + f.leaf + "issuer: x\n" + f.sub, False,
                          []),
    "PEM, byte order mark": (lambda f: "\ufeff" + f.key + f.leaf + f.sub, False, []),
    "PEM, the key twice": (lambda f: f.key + f.leaf + f.sub + f.key, False, []),
    "PEM, leaf only": (lambda f: f.key + f.leaf, False, [BARE]),
    "PEM, gap in the chain": (lambda f: f.key + f.leaf + f.root, False, [BARE, ROOT_NOTE]),
    "PEM, a stranger": (lambda f: f.key + f.leaf + f.sub + f.text("stranger.pem"), False,
                        [("warning", "CN=Test Client Root,O=Test is not in the file"),
                         ("note", "1 certificates in the file do not belong to the chain")]),
    "PEM, encrypted PKCS#8": (lambda f: f.encrypted + f.leaf + f.sub, True, []),
    "PEM, encrypted SHA1-3DES": (lambda f: f.old + f.leaf + f.sub, True, []),
    "PEM, SEC 1": (lambda f: f.text("acme-sec1.key") + f.leaf + f.sub, False, []),
    "PEM, encrypted SEC 1": (lambda f: f.text("acme-sec1-encrypted.key") + f.leaf + f.sub, True, []),
    "PEM, PKCS#1": (lambda f: openssl("rsa", "-traditional", "-in", f.pki / "rsa.key").decode()
                    + f.text("rsa-chain.pem"), False, []),
    "PEM, PKCS#7 beside the key": (lambda f: f.key + openssl("crl2pkcs7", "-nocrl", "-certfile",
                                                             f.pki / "acme-chain.pem").decode(), False, [ROOT_NOTE]),
    "PEM, RC2 key (legacy)": (lambda f: openssl("pkcs8", "-topk8", "-provider", "legacy", "-provider", "default", "-v1",
                                                "PBE-SHA1-RC2-40", "-in", f.pki / "acme.key", "-passout",
                                                f"pass:{SECRET}").decode() + f.leaf + f.sub, True, []),
    "base64 of PEM, one line": (lambda f: base64.b64encode((f.key + f.leaf + f.sub).encode()), False, []),
    "base64 of PEM, 64 wide": (lambda f: lines((f.key + f.leaf + f.sub).encode(), 64), False, []),
    "base64 of PEM, CRLF": (lambda f: lines((f.key + f.leaf + f.sub).encode(), 76).replace("\n", "\r\n"), False, []),
    "base64 of PEM, no padding": (lambda f: base64.b64encode((f.key + f.leaf + f.sub + "\n").encode()).rstrip(b"="),
                                  False, []),
    "base64 of PEM, encrypted": (lambda f: base64.b64encode((f.old + f.leaf + f.sub).encode()), True, []),
    "base64 of base64 of PEM": (lambda f: base64.b64encode(base64.b64encode((f.key + f.leaf + f.sub).encode())), False,
                                []),
    "BTP": (lambda f: f.btp(), True, [ROOT_NOTE, ("note", "RSA key of 4096 bits costs")]),
    "PKCS#12": (lambda f: f.pkcs12(), True, [ROOT_NOTE]),
    "PKCS#12, leaf only": (lambda f: f.pkcs12(chain=False), True, [BARE]),
    "PKCS#12, base64": (lambda f: base64.b64encode(f.pkcs12()), True, [ROOT_NOTE]),
    "PKCS#12, base64, wrapped": (lambda f: lines(f.pkcs12(), 76), True, [ROOT_NOTE]),
    "PKCS#12, RC2 and 3DES (legacy)": (lambda f: f.pkcs12("-legacy"), True, [ROOT_NOTE]),
    "PKCS#12, empty passphrase": (lambda f: f.pkcs12(secret=""), False, [ROOT_NOTE]),
    "PKCS#12, no MAC, no encryption": (lambda f: f.pkcs12("-nomac", "-keypbe", "NONE", "-certpbe", "NONE"), False,
                                       [ROOT_NOTE]),
    "RSA-4096": (lambda f: f.issued("/CN=big", (*RSA, "rsa_keygen_bits:4096")), False,
                 [("note", "RSA key of 4096 bits costs")]),
    "P-384": (lambda f: f.issued("/CN=p384", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")), False, []),
    "Ed25519": (lambda f: f.issued("/CN=ed", ("-algorithm", "ED25519")), False, []),
    "for servers only": (lambda f: f.issued("/CN=server", extensions="extendedKeyUsage=serverAuth\n"), False,
                         [("error", "lacks clientAuth")]),
    "key usage without signature": (lambda f: f.issued("/CN=ku", extensions="keyUsage=keyEncipherment\n"), False,
                                    [("warning", "lacks digitalSignature")]),
    "a CA's": (lambda f: f.issued("/CN=a CA", extensions="basicConstraints=CA:TRUE\n"), False,
               [("warning", "is that of a CA")]),
    "self-signed": (lambda f: f.self_signed(), False, [("warning", "is self-signed")]),
    "expired": (lambda f: f.text("expired.key") + f.text("expired-chain.pem"), False,
                [("error", "expired on 2021-01-01")]),
    "not yet valid": (lambda f: f.text("future.key") + f.text("future-chain.pem"), False,
                      [("error", "not valid before 2090-01-01")]),
}

PASSPHRASE = "check the passphrase"
DOES_NOT_LOAD = {
    "empty": (lambda f: b"", False, "is empty"),
    "PKCS#7 without content": (lambda f: "-----BEGIN PKCS7-----\nMAsGCSqGSIb3DQEHAg==\n-----END PKCS7-----\n", False,
                               "cannot be read"),
    "text": (lambda f: b"no key here\n", False, "holds no PEM certificate"),
    "UTF-16": (lambda f: (f.key + f.leaf).encode("utf-16"), False, "UTF-16"),
    "JKS": (lambda f: bytes.fromhex("feedfeed0000000200000000") + bytes(20), False, "keytool -importkeystore"),
    "key only": (lambda f: f.key, False, "holds no PEM certificate"),
    "certificate only": (lambda f: f.chain, False, "holds no private key"),
    "another's key": (lambda f: f.text("globex.key") + f.chain, False, "does not belong to the certificate"),
    "two keys": (lambda f: f.key + f.text("globex.key") + f.chain, False, "more than one private key"),
    "PEM cut off": (lambda f: (f.key + f.chain)[:-300], False, "damaged"),
    "PEM with a wrong character": (lambda f: f.key + f.leaf.replace("MII", "M*I", 1), False, "c.file"),
    "encrypted, no passphrase": (lambda f: f.encrypted + f.chain, False, "is encrypted; set passphrase-file"),
    "PKCS#12, no passphrase": (lambda f: f.pkcs12(), False, "is encrypted; set passphrase-file"),
    "encrypted, wrong passphrase": (lambda f: f.encrypted + f.chain, b"wrong\n", PASSPHRASE),
    "PKCS#12, wrong passphrase": (lambda f: f.pkcs12(), b"wrong\n", "the passphrase does not open the PKCS#12 file"),
    "PKCS#12 cut off": (lambda f: f.pkcs12()[:-50], True, "damaged"),
    "DER certificate": (lambda f: f.der(f.leaf), False, "holds no private key"),
    "base64 of text": (lambda f: base64.b64encode(b"there is no certificate in here, nor a key"), False,
                       "holds no PEM certificate"),
    "weak key": (lambda f: f.issued("/CN=weak", (*RSA, "rsa_keygen_bits:1024")), False, "have a stronger one issued"),
}


@pytest.fixture(scope="module")
def forms(pki, tmp_path_factory):
    return Forms(pki, tmp_path_factory.mktemp("forms"))


def write(tmp_path, made, passphrase):
    (tmp_path / "c.file").write_bytes(made.encode() if isinstance(made, str) else made)
    secret = passphrase if isinstance(passphrase, bytes) else SECRET.encode() + b"\n"
    (tmp_path / "pass").write_bytes(secret)
    return tmp_path / "c.file"


def section(tmp_path, pki, port, passphrase):
    return (f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{port}\nca-file = {pki}/ca.pem\n"
            f"certificate = {tmp_path}/c.file\n" + (f"passphrase-file = {tmp_path}/pass\n" if passphrase else ""))


@pytest.mark.parametrize("name", LOADS)
def test_what_is_found(name, forms, tmp_path, pki):
    """By `cert show`, and by `run -t`, which tells warnings and errors."""
    make, passphrase, wanted = LOADS[name]
    path = write(tmp_path, make(forms), passphrase)
    words = ["--passphrase-file", str(tmp_path / "pass")] if passphrase else []
    shown = harness.run_cli("cert", "show", str(path), "--json", *words)
    assert shown.returncode == (1 if any(level == "error" for level, _ in wanted) else 0), shown.stderr
    facts = json.loads(shown.stdout)
    found = [(f["level"], f["sentence"]) for f in facts["findings"] if SOON[1] not in f["sentence"]]
    assert len(found) == len(wanted), found
    for level, sentence in wanted:
        assert any(level == l and sentence in s for l, s in found), (sentence, found)
    assert all(re.search(r"; \S.* \S", s) for _, s in found), "each has its cure"
    assert facts["private_key"] == "present"
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, passphrase))
    tested = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    if name in ("expired", "not yet valid"):
        assert tested.returncode == 2 and "no tenant can be served" in tested.stderr
        return
    assert (tested.returncode, tested.stdout) == (0, harness.tested_ok(tmp_path / "sfmtls.ini")), tested.stderr
    for level, sentence in wanted:
        if level != "note":
            assert re.search(f"{level}: tenant acme: .*{re.escape(sentence)}", tested.stderr), tested.stderr


@pytest.mark.parametrize("name", DOES_NOT_LOAD)
def test_what_does_not_load(name, forms, tmp_path, pki):
    make, passphrase, sentence = DOES_NOT_LOAD[name]
    path = write(tmp_path, make(forms), passphrase)
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, passphrase))
    result = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith(f"sfmtls: {tmp_path}/sfmtls.ini:5: {path}: ") or name == "weak key", result.stderr
    assert sentence in result.stderr and re.search(r"; \S.* \S", result.stderr), result.stderr


@pytest.mark.parametrize("name", ["PEM, root first", "PEM, PKCS#7 beside the key", "base64 of PEM, encrypted", "BTP",
                                  "PKCS#12", "PKCS#12, base64", "PKCS#12, RC2 and 3DES (legacy)", "RSA-4096"])
def test_form_makes_a_call(name, forms, tmp_path, pki, nginx, proxy):
    make, passphrase, _ = LOADS[name]
    write(tmp_path, make(forms), passphrase)
    p = proxy(section(tmp_path, pki, nginx.port, passphrase))
    assert p.request(target="/who").json()["verify"] == "SUCCESS"


# ---- who may read the key ----

@pytest.mark.parametrize("mode, linked", [(0o644, False), (0o604, False), (0o644, True)])
def test_key_that_everybody_may_read(mode, linked, tmp_path, pki, nginx, proxy):
    path = write(tmp_path, (pki / "acme-all.pem").read_text(), False)
    path.chmod(mode)
    if linked:
        path.rename(tmp_path / "target")
        path.symlink_to("target")
    lines = section(tmp_path, pki, nginx.port, False)
    (tmp_path / "sfmtls.ini").write_text(lines)
    result = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"))
    assert result.returncode == 2
    assert f"chmod o-r {path}" in result.stderr and "defaultMode: 0440" in result.stderr
    p = proxy(lines + "insecure-key-file = allow\n")
    assert p.request(target="/who").status == 200
    harness.eventually(lambda: "warning: tenant acme: every user of this machine may read the private key" in p.stderr)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o440, 0o400])
def test_key_that_a_group_may_read(mode, tmp_path, pki):
    write(tmp_path, (pki / "acme-all.pem").read_text(), False).chmod(mode)
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, False))
    path = tmp_path / "sfmtls.ini"
    assert harness.run_cli("run", "-t", "-c", str(path)).stdout == harness.tested_ok(path)


# ---- passphrases ----

def test_passphrase_from_systemd(tmp_path, pki):
    (tmp_path / "sf-pass").write_text(SECRET + "\n")
    text = (f"[tenant a]\ncompany-id = A\nserver = localhost:1\nca-file = {pki}/ca.pem\n"
            f"certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\n"
            "passphrase-credential = sf-pass\n")
    (tmp_path / "sfmtls.ini").write_text(text)
    run = lambda **env: harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"), env=env)
    assert run(CREDENTIALS_DIRECTORY=str(tmp_path)).stdout == harness.tested_ok(tmp_path / "sfmtls.ini")
    for env, word in (({}, "LoadCredential="), ({"CREDENTIALS_DIRECTORY": "/none"}, "/none/sf-pass")):
        refused = run(**env)
        assert refused.returncode == 2 and f"{tmp_path}/sfmtls.ini:7: " in refused.stderr and word in refused.stderr


def at_a_terminal(arguments, answer):
    """Runs the program in the foreground of a terminal of its own; what it wrote there, and its exit status."""
    import pty
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(arguments[0], arguments)
    shown = b""
    try:
        while select.select([terminal], [], [], harness.LIMIT)[0]:
            data = os.read(terminal, 4096)
            shown += data
            if shown.endswith(b": ") and answer is not None:
                os.write(terminal, answer)
                answer = None
            if not data:
                break
    except OSError:
        pass  # the program has ended
    os.close(terminal)  # which ends a program that still waits
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def has_terminals():
    """A root that was only unpacked may have no pseudo-terminals: then nobody can sit at one."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def two_tenants_with_one_key(tmp_path, pki):
    text = (f"[tenant a]\ncompany-id = A\nserver = localhost:1\nca-file = {pki}/ca.pem\n"
            f"certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\n")
    (tmp_path / "sfmtls.ini").write_text(text + text.replace("tenant a", "tenant b").replace("= A", "= B"))
    return ["run", "-t", "-c", str(tmp_path / "sfmtls.ini")]


@pytest.mark.parametrize("terminal", [True] if has_terminals() else [])
def test_passphrase_at_a_terminal(terminal, tmp_path, pki):
    """Asked once for each file, and not shown; wrong is wrong."""
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, code = at_a_terminal(arguments, SECRET.encode() + b"\n")
    assert code == 0 and "configuration ok" in shown, shown
    assert shown.count("Passphrase for ") == 1 and SECRET not in shown
    shown, code = at_a_terminal(arguments, b"wrong\n")
    assert code == 2 and "check the passphrase" in shown


@pytest.mark.parametrize("terminal", [True] if has_terminals() else [])
def test_who_gives_up_at_the_prompt_finds_the_terminal_as_it_was(terminal, tmp_path, pki):
    script = '"$@"; echo "ended $?"; stty -a'
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, _ = at_a_terminal(["/bin/bash", "-c", "trap : INT;" + script, "bash", *arguments], b"\x03")
    assert "ended 130" in shown and re.search(r"\secho\b", shown), shown


@pytest.mark.parametrize("terminal", [True] if has_terminals() else [])
def test_signal_that_is_ignored_does_not_disturb_the_prompt(terminal, tmp_path, pki):
    """nohup, and supervisors: what was ignored before stays so."""
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, code = at_a_terminal(["/bin/bash", "-c", 'trap "" INT; exec "$@"', "bash", *arguments],
                                b"\x03" + SECRET.encode() + b"\n")
    assert code == 0 and "configuration ok" in shown and SECRET not in shown


def test_nobody_is_waited_for_without_a_terminal(tmp_path, pki):
    refused = harness.run_cli(*two_tenants_with_one_key(tmp_path, pki), stdin="")
    assert refused.returncode == 2 and "is encrypted; set passphrase-file" in refused.stderr


# ---- the command ----

def test_show_tells_what_openssl_tells(pki):
    shown = harness.run_cli("cert", "show", str(pki / "acme-all.pem"))
    assert shown.returncode == 0
    facts = json.loads(harness.run_cli("cert", "show", str(pki / "acme-all.pem"), "--json").stdout)
    der = ssl.PEM_cert_to_DER_cert((pki / "acme.pem").read_text())
    printed = lambda digest: digest.upper() if ":" in digest else ":".join(re.findall("..", digest)).upper()
    assert facts["sha256"] == printed(hashlib.sha256(der).hexdigest())
    assert facts["sha1"] == printed(hashlib.sha1(der).hexdigest())
    serial = openssl("x509", "-noout", "-serial", "-in", pki / "acme.pem").decode()
    assert serial == f"serial={facts['serial']}\n"
    assert (facts["subject"], facts["issuer"]) == ("CN=acme_user,OU=API,O=Test", "CN=Test Client Sub CA,O=Test")
    assert facts["chain"] == ["CN=Test Client Sub CA,O=Test"] and facts["key_type"] == "EC 256"
    assert 88 <= facts["days_left"] <= 90
    for value in (facts["sha256"], facts["sha1"], facts["serial"], facts["subject"], "days left"):
        assert value in shown.stdout


@pytest.mark.parametrize("form, state", [("acme-chain.pem", "absent"), ("acme-all.pem", "present"),
                                         (None, "encrypted")])
def test_show_needs_no_key(form, state, forms, pki, tmp_path):
    path = pki / form if form else write(tmp_path, forms.encrypted + forms.chain, False)
    facts = json.loads(harness.run_cli("cert", "show", str(path), "--json").stdout)
    assert facts["private_key"] == state and facts["subject"].startswith("CN=acme_user")


@pytest.mark.parametrize("name", ["PEM, key first", "PEM, root first", "BTP", "PKCS#12", "base64 of PEM, encrypted"])
def test_public_holds_no_key(name, forms, tmp_path):
    make, passphrase, _ = LOADS[name]
    path = write(tmp_path, make(forms), passphrase)
    words = ["--passphrase-file", str(tmp_path / "pass")] if passphrase else []
    result = harness.run_cli("cert", "public", str(path), "-o", str(tmp_path / "out.pem"), *words)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    text = (tmp_path / "out.pem").read_text()
    assert "PRIVATE" not in text and text.count("BEGIN CERTIFICATE") == 2
    subject = openssl("x509", "-noout", "-subject", data=text.encode()).decode()
    assert "acme_user" in subject or "technical_user" in subject
    again = harness.run_cli("cert", "public", str(path), "-o", str(tmp_path / "out.pem"), *words)
    assert again.returncode == 2 and "out.pem" in again.stderr, "never over a file"
    assert harness.run_cli("cert", "public", str(path), *words).stdout == text


def test_public_of_a_key_alone(pki):
    result = harness.run_cli("cert", "public", str(pki / "acme.key"))
    assert (result.returncode, result.stdout) == (2, "") and "holds no PEM certificate" in result.stderr


@pytest.mark.parametrize("key_type, bits", [(None, "256 bit"), ("ec", "256 bit"), ("rsa-2048", "2048 bit"),
                                            ("rsa-3072", "3072 bit")])
def test_request(key_type, bits, pki, tmp_path, nginx, proxy):
    """The key is new, and nobody else's to read; what a CA makes of the request can be used with it."""
    words = ["cert", "request", "--common-name", "sf_user", "--organization", "Acme", "--key-out",
             str(tmp_path / "new.key"), "-o", str(tmp_path / "new.csr"),
             *(["--key-type", key_type] if key_type else [])]
    result = harness.run_cli(*words)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    told = openssl("req", "-noout", "-verify", "-subject", "-text", "-in", tmp_path / "new.csr").decode()
    assert "O = Acme, CN = sf_user" in told and bits in told
    (tmp_path / "other.csr").write_text("is here already")
    other = harness.run_cli(*(word.replace("/new.", "/other.") for word in words))
    assert other.returncode == 2 and "other.csr" in other.stderr and not (tmp_path / "other.key").exists()
    key = (tmp_path / "new.key").read_bytes()
    again = harness.run_cli(*words)
    assert again.returncode == 2 and "new.key" in again.stderr and (tmp_path / "new.key").read_bytes() == key
    openssl("x509", "-req", "-in", tmp_path / "new.csr", "-CA", pki / "client-sub.pem", "-CAkey",
            pki / "client-sub.key", "-days", "5", "-out", tmp_path / "c.file")
    with open(tmp_path / "c.file", "a") as f:
        f.write((pki / "client-sub.pem").read_text())
    p = proxy(section(tmp_path, pki, nginx.port, False) + f"private-key = {tmp_path}/new.key\n")
    assert "CN=sf_user" in p.request(target="/who").json()["subject"]


@pytest.mark.parametrize("words, say", [
    ([], "cert show"), (["shew"], "`cert shew`"), (["show"], "name of a file"), (["show", "a", "b"], "`b`"),
    (["show", "--key-type", "ec", "a"], "--key-type"), (["public", "--json", "a"], "--json"),
    (["request"], "--common-name"), (["request", "--common-name", "x"], "--key-out"), (["fetch"], "not served"),
    (["request", "--common-name", "x", "--key-out", "k", "--key-type", "dsa"], "rsa-2048"),
    (["request", "--common-name", "x" * 65, "--key-out", "k"], "1 to 64"), (["show", "/none"], "/none"),
], ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_wrong_use_of_the_command(words, say, tmp_path):
    result = harness.run_cli("cert", *words, cwd=tmp_path)
    assert result.returncode == 2 and result.stdout == "" and say in result.stderr, result.stderr
    assert list(tmp_path.iterdir()) == []
