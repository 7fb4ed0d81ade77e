"""The private key in the memory of a running process: where it must be, and nowhere else. On the release build, for
sanitizers keep what was freed."""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile

import pytest

import harness

SECRET = b"a passphrase that nobody else has"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def numbers_of(path):
    """The secret numbers of a key, as bytes; both ways round, for OpenSSL keeps them with the lowest first."""
    text = openssl("pkey", "-in", path, "-noout", "-text", "-passin", f"pass:{SECRET.decode()}")
    names = "priv" if "ASN1 OID" in text else "privateExponent|prime1|prime2"
    found = re.findall(rf"(?m)^({names}):\n((?:    [0-9a-f:]+\n)+)", text)
    assert len(found) in (1, 3)
    for name, digits in found:
        number = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
        yield name, number
        yield f"{name}, reversed", number[::-1]


def regions(pid):
    """(begin, end, flags) of what is mapped and may be read."""
    region = None
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            if m := re.match(r"([0-9a-f]+)-([0-9a-f]+) (r)?", line):
                region = (int(m[1], 16), int(m[2], 16)) if m[3] else None
            elif line.startswith("VmFlags:") and region:
                yield *region, line.split()[1:]


def hits(pid, patterns):
    """(name, is it in locked memory that is not dumped) for each place where one stands."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, flags in regions(pid):
            try:
                memory.seek(begin)
                data = memory.read(end - begin)
            except OSError:
                continue  # [vvar] and the like
            for name, pattern in patterns.items():
                found += [(name, "lo" in flags and "dd" in flags)] * data.count(pattern)
    return found


KEYS = {"P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "RSA-2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("form", ["PEM", "encrypted PEM", "PKCS#12"])
def test_where_the_key_is(kind, form, release, proxy, pki, nginx, tmp_path):
    key, pem = tmp_path / "key", tmp_path / "pem"
    openssl("genpkey", "-quiet", *KEYS[kind], "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=someone", "-out", tmp_path / "csr")
    openssl("x509", "-req", "-in", tmp_path / "csr", "-CA", pki / "client-sub.pem", "-CAkey", pki / "client-sub.key",
            "-days", "9", "-out", pem)
    pem.write_text(pem.read_text() + (pki / "client-sub.pem").read_text())
    (tmp_path / "pass").write_bytes(SECRET + b"\n")
    patterns = {**dict(numbers_of(key)), "the passphrase": SECRET,
                "the PEM text": key.read_text().split("\n")[1].encode()}
    lines = f"certificate = {pem}\nprivate-key = {key}\n"
    if form == "encrypted PEM":
        openssl("pkcs8", "-topk8", "-in", key, "-out", tmp_path / "sealed", "-passout", f"pass:{SECRET.decode()}")
        lines = f"certificate = {pem}\nprivate-key = {tmp_path}/sealed\npassphrase-file = {tmp_path}/pass\n"
    elif form == "PKCS#12":
        openssl("pkcs12", "-export", "-in", pem, "-inkey", key, "-out", tmp_path / "p12", "-passout",
                f"pass:{SECRET.decode()}")
        lines = f"certificate = {tmp_path}/p12\npassphrase-file = {tmp_path}/pass\n"
    p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\nca-file = {pki}/ca.pem\n{lines}",
              process={"binary": release})
    for _ in range(3):
        assert "CN=someone" in p.request(target="/who").json()["subject"]
    found = hits(p.process.pid, patterns)
    outside = {name for name, locked in found if not locked}
    assert any(locked for _, locked in found), "the key is in the locked heap"
    # OpenSSL's tables for arithmetic modulo the primes are ordinary memory: the primes stand there once more.
    assert outside <= ({"prime1, reversed", "prime2, reversed"} if "RSA" in kind else set()), outside


def test_no_core_no_debugger(release, proxy, nginx):
    p = proxy(nginx.port, process={"binary": release})
    assert resource.prlimit(p.process.pid, resource.RLIMIT_CORE) == (0, 0)
    status = open(f"/proc/{p.process.pid}/status").read()
    assert int(re.search(r"VmLck:\s+(\d+)", status)[1]) >= 512, "the heap for keys is locked"
    harness.eventually(lambda: "listening on" in p.stderr)
    assert "not locked" not in p.stderr


def test_memory_that_may_not_be_locked(release, proxy, nginx):
    """Is told, and served all the same."""
    modest = ["setpriv", "--inh-caps", "-ipc_lock", "--bounding-set", "-ipc_lock"] if os.geteuid() == 0 else []
    p = proxy(nginx.port, process={"binary": release, "prefix": [*modest, "prlimit", "--memlock=0"]})
    assert p.request(target="/1k").status == 200
    harness.eventually(lambda: "warning: the memory for private keys is not locked" in p.stderr)


@pytest.fixture
def unprivileged(release):
    """The program, and a folder that it may use, of a user who is not root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-test-"))
    folder.chmod(0o1777)
    program = pathlib.Path(shutil.copy(release, folder / "sfmtls"))
    program.chmod(0o755)
    yield [*(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []), program]
    shutil.rmtree(folder)


def owner_of(pid):
    """What may not be dumped belongs to root in /proc, whoever runs it."""
    return os.stat(f"/proc/{pid}/mem").st_uid


def test_another_program_of_the_same_user_cannot_look(unprivileged):
    read, write = os.pipe()
    with subprocess.Popen([*unprivileged, "demo", "--listen", "127.0.0.1:0", "--ready-fd", str(write)],
                          pass_fds=[write], env={**os.environ, "TMPDIR": str(unprivileged[-1].parent)},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as demo:
        os.close(write)
        with open(read) as ready:
            pid = json.loads(ready.readline())["pid"]
        owner = owner_of(pid)
        demo.terminate()
    assert owner == 0


def test_nor_while_a_command_reads_a_key(unprivileged):
    """What `import` reads may have one in it."""
    with subprocess.Popen([*unprivileged, "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as reader:
        os.write(reader.stdin.fileno(), b" " * (1 << 16) + b" ")  # more than a pipe holds: it has begun to read
        owner = owner_of(reader.pid)
    assert owner == 0
