"""A log that cannot be written, or that could deceive its reader: what is lost is counted and told, each record begins
on a line of its own, and nothing in one is invisible."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import unicodedata

import pytest

import harness
import test_failures
from test_log import LINE, MESSAGE, echo  # noqa: F401 (a fixture)

PAD = "/" + "x" * 300


# ---- a log that takes nothing for a while ----

class Disk:
    """A file system of some pages, which only the program and whoever looks through it see."""

    def __init__(self, folder, size):
        self.folder, self.p = folder, None
        folder.mkdir()
        self.prefix = harness.in_own_mounts(f"mount -t tmpfs -o size={size} tmpfs '{folder}'")

    def path(self, name):
        """Of a file in it, as seen from outside of the program."""
        return pathlib.Path(f"/proc/{self.p.process.pid}/root{self.folder}") / name

    def fill(self):
        """Leaves nothing free."""
        with open(self.path("ballast"), "ab", buffering=0) as f, contextlib.suppress(OSError):
            while f.write(b"x" * 512):
                pass

    def free(self):
        self.path("ballast").unlink()


@pytest.fixture
def disk(tmp_path, proxy, echo):
    """disk(format, size): a proxy that logs into `log` on a disk of its own."""

    def start(log_format="text", size="128k", **keys):
        d = Disk(tmp_path / "disk", size)
        d.p = proxy(echo.port, log=d.folder / "log", log_format=log_format, admin="127.0.0.1:0",
                    process={"prefix": d.prefix}, **keys)
        return d

    return start


def lost_of(p):
    """How many lines the status calls lost."""
    host, port = p.ready["admin"].rsplit(":", 1)
    with harness.Caller((host, int(port))) as c:
        return c.request(target="/status").json()["log"]["lost"]


def is_whole(line):
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            return "time" in json.loads(line)
        return False
    return bool(LINE.fullmatch(line) or MESSAGE.fullmatch(line))


def read_log(text):
    """The paths in whole lines, and the sum of what it calls lost; each line begins where a line begins, and of each
    cut there is one that is not whole."""
    lines = text.splitlines()
    starts = [re.match(r'\{"time":"\d{4}-|\d{4}-\d\d-\d\dT', line) for line in lines]
    assert all(start or len(line) < 12 for start, line in zip(starts, lines)), text[-3000:]
    assert all(line.count(" id=") <= 1 and line.count('"id":') <= 1 for line in lines)
    whole = [line for line in lines if is_whole(line)]
    lost = [int(n) for n in re.findall(r"(\d+) log lines were lost because the log could not be written: \w", text)]
    torn = [line for line in lines if not is_whole(line)]
    assert len(torn) <= len(lost), torn
    found = [re.search(r'GET (/\S+)|"path":"([^"]+)"', line) for line in whole]
    return [m[1] or m[2] for m in found if m], sum(lost)


def call(p, count, name):
    with p.caller() as c:
        for i in range(count):
            assert c.request(target=f"/{name}{i}{PAD}").status == 200


@pytest.mark.parametrize("format", ["text", "json"])
def test_disk_that_was_full(format, disk):
    """Lines and losses add up, whatever page ends in the middle of which line."""
    d = disk(format)
    call(d.p, 3, "before")
    harness.eventually(lambda: d.path("log").read_text().count("/before") == 3)
    total = 3
    for round in range(3):
        d.fill()
        call(d.p, 40, f"full{round}x")
        total += 40
        harness.eventually(lambda: lost_of(d.p) > 0 and d.path("log").read_text().count(PAD) + lost_of(d.p) >= total)
        d.free()
        call(d.p, 1, f"after{round}x")
        total += 1
        harness.eventually(lambda: f"/after{round}x0" in d.path("log").read_text())
    text = d.path("log").read_text()
    paths, lost = read_log(text)
    assert "No space left on device" in text
    assert len(paths) + lost == total and lost == lost_of(d.p)
    assert lost >= 3 * 20, "the disk was not full"
    sentence = f"the log {d.folder}/log cannot be written: No space left on device"
    d.p.said(sentence)  # stderr is not full
    assert not d.p.stderr.count("cannot be written") > 1, "once a minute is enough"


def test_disk_that_is_full_at_the_end(disk):
    d = disk()
    d.fill()
    call(d.p, 40, "full")
    d.p.signal(signal.SIGTERM)
    assert d.p.wait() == 0


def limited(kib):
    """Words before the program's under which no file gets larger."""
    return ["bash", "-c", f"ulimit -f {kib}\nexec \"$@\"", "bash"]


@pytest.mark.parametrize("rotation", ["truncated", "renamed"])
def test_limit_of_the_size_of_files(rotation, proxy, echo, tmp_path):
    """SIGXFSZ ends nobody; the log goes on when it was rotated."""
    log = tmp_path / "log"
    p = proxy(echo.port, log=log, admin="127.0.0.1:0", process={"prefix": limited(8)})
    call(p, 60, "much")
    harness.eventually(lambda: lost_of(p) > 0 and log.read_text().count(PAD) + lost_of(p) >= 60)
    first = log.read_text()
    assert len(first) == 8 * 1024, "the limit is no multiple of a line"
    if rotation == "truncated":
        os.truncate(log, 0)
    else:
        log.rename(tmp_path / "log.1")
        p.signal(signal.SIGUSR1)
        harness.eventually(log.exists)
    call(p, 1, "last")
    harness.eventually(lambda: "/last0" in log.read_text())
    whole = [line for line in first.splitlines() if is_whole(line)]
    text = log.read_text()
    paths, lost = read_log(text)
    assert "File too large" in text
    assert sum(PAD in line for line in whole) + lost + len(paths) == 61 and lost == lost_of(p)


@pytest.mark.skipif(harness.setting("BUILD") == "tsan", reason="TSan writes a file before the program begins")
def test_file_that_a_command_writes_may_be_too_large(tmp_path):
    """An error as any other."""
    result = harness.run_cli("cert", "request", "--common-name", "x", "--key-out", str(tmp_path / "key"),
                             prefix=limited(0))
    assert result.returncode in (1, 2) and "File too large" in result.stderr, result


@pytest.mark.parametrize("end", ["2026-01-01T00:00:00.000Z id=0123456789abcdef tenant=a", "x", "x\n", ""])
def test_log_that_ends_in_the_middle_of_a_line(end, proxy, echo, tmp_path):
    """As a machine that went down leaves it."""
    log = tmp_path / "log"
    log.write_text(end)
    p = proxy(echo.port, log=log)
    assert p.request(target="/one").status == 200
    harness.eventually(lambda: "/one" in log.read_text())
    head = end + ("\n" if end and not end.endswith("\n") else "")
    text = log.read_text()
    assert text.startswith(head) and all(is_whole(line) for line in text[len(head):].splitlines())
    p.signal(signal.SIGUSR1)  # the same file: nothing to end any more
    assert p.request(target="/two").status == 200
    harness.eventually(lambda: "/two" in log.read_text())
    text = log.read_text()
    assert all(is_whole(line) for line in text[len(head):].splitlines())


def test_nobody_reads_stderr_from_the_start(proxy, echo):
    read, write = os.pipe()
    os.close(read)
    p = proxy(echo.port, admin="127.0.0.1:0", process={"stderr": write})
    os.close(write)
    assert p.request().status == 200
    harness.eventually(lambda: lost_of(p) > 0)


# ---- what cannot be seen ----

# What text from outside may hold of every kind that is not displayed, and how it is shown.
HIDDEN = {"\x1b": "001b", "\x7f": "007f", "\x85": "0085", "\x9b": "009b", "\u2028": "2028", "\u2029": "2029",
          "\u202e": "202e", "\u2066": "2066", "\u061c": "061c", "\u200b": "200b", "\u200d": "200d", "\ufeff": "feff",
          "\xad": "00ad", "\ufff9": "fff9"}
VISIBLE = "Gr\u00fc\u00df \u65e5\u672c \u05d0\u0628 \U0001f511 \u20ac"
TEXT = VISIBLE + "".join(HIDDEN)


def hidden_in(data):
    """Characters that a terminal or a viewer obeys; data has to be UTF-8."""
    return {c for c in data.decode() if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")}


def assert_shown(data, escape="\\u"):
    assert not hidden_in(data), hidden_in(data)
    for code in HIDDEN.values():
        assert (escape + code).encode() in data, (code, data)


def every_character():
    """All that are hidden but NUL and surrogates; some of each other category, without the slash that ends a name."""
    codes = [c for c in map(chr, range(1, 0xe0000)) if c != "/"] + list(map(chr, range(0xe0001, 0xe0080)))
    hidden = [c for c in codes if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    shown = {}
    for c in codes:
        if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn", "Co"):
            shown.setdefault((unicodedata.category(c), ord(c) > 0xffff), []).append(c)
    return hidden, [c for found in shown.values() for c in found[:2] + found[-1:]]


def test_every_character_that_cannot_be_seen():
    """Of Unicode as Python knows it, in a sentence of the program."""
    def sentence(text):
        return subprocess.run([harness.BINARY, "run", "-c", text.encode()], capture_output=True,
                              timeout=harness.LIMIT).stderr.decode()

    hidden, shown = every_character()
    assert len(hidden) > 200 and len(shown) > 50
    for start in range(0, len(hidden), 50):
        some = hidden[start:start + 50]
        escapes = "|".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in some)
        assert escapes in sentence("|".join(some))
    for start in range(0, len(shown), 30):
        text = "|".join(shown[start:start + 30])
        assert text in sentence(text)
    invalid = subprocess.run([harness.BINARY, "run", "-c", b"a\xff\xc3|\xed\xa0\x80|\xc0\x80"], capture_output=True,
                             timeout=harness.LIMIT).stderr
    assert rb"a\xff\xc3|\xed\xa0\x80|\xc0\x80: " in invalid


@pytest.mark.parametrize("format", ["text", "json"])
def test_text_of_a_caller(format, proxy, echo):
    """In the problem and in the log. Only what a field may hold at all gets there: no C0, no DEL."""
    text = "".join(c for c in TEXT if c >= " " and c != "\x7f")
    p = proxy(echo.port, log_format=format)
    origin = "http://x" + text.encode().decode("latin-1") + "\xff"
    answer = p.request(fields=[("Origin", origin)])
    assert answer.token == "foreign-origin"
    assert not hidden_in(answer.body)
    p.wait_for_log() if format == "text" else harness.eventually(lambda: '"id":' in p.stderr)
    line = next(line for line in p.stderr_path.read_bytes().splitlines() if b"foreign-origin" in line)
    assert not hidden_in(line)
    for shown in (answer.body, line):
        assert VISIBLE.encode() in shown and rb"\xff" in shown
        assert all(code.encode() in shown for c, code in HIDDEN.items() if c in text)


@pytest.fixture(scope="module")
def deceiver(tmp_path_factory):
    """A certificate whose names hold all of it."""
    folder = tmp_path_factory.mktemp("deceiver")
    (folder / "cnf").write_text(f"[req]\nprompt=no\nutf8=yes\nstring_mask=utf8only\ndistinguished_name=dn\n"
                                f"[dn]\nCN={TEXT.replace(chr(0x1b), '').replace(chr(0x7f), '')}\nO=a\\\\b\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key", "-out", folder / "pem", "-days", "5", "-config", folder / "cnf"],
                   check=True, capture_output=True)
    return folder


def test_names_of_a_certificate(deceiver, proxy, tenant, pki, echo):
    """The client's: at the start, in the status, in what `cert show` prints."""
    names = {c: code for c, code in HIDDEN.items() if c not in "\x1b\x7f"}
    section = tenant(echo.port, "a", private_key=deceiver / "key")
    p = proxy(section.replace(f"{pki}/acme-all.pem", f"{deceiver}/pem"), admin="127.0.0.1:0")
    host, port = p.ready["admin"].rsplit(":", 1)
    with harness.Caller((host, int(port))) as c:
        status = c.request(target="/status").body
    harness.eventually(lambda: "tenant a: company" in p.stderr)
    log = p.stderr_path.read_bytes()
    show = subprocess.run([harness.BINARY, "cert", "show", deceiver / "pem"], capture_output=True).stdout
    shown_json = subprocess.run([harness.BINARY, "cert", "show", deceiver / "pem", "--json"],
                                capture_output=True).stdout
    for data in (status, log, show, shown_json):
        assert not hidden_in(data), (hidden_in(data), data)
        assert VISIBLE.encode() in data
        assert all((rb"\u" + code.encode()) in data for code in names.values()), data
    subject = json.loads(status)["tenants"][0]["certificates"][0]["subject"]
    assert subject == json.loads(shown_json)["subject"] and all(c in subject for c in names), "JSON loses nothing"


def test_names_in_the_configuration(tmp_path, pki):
    """Files, of which warnings tell: run -t, and the log and the status of `run`."""
    folder = tmp_path / ("conf" + TEXT)
    folder.mkdir()
    key = folder / "pass"
    key.write_text((pki / "acme.pass").read_text())
    key.chmod(0o644)
    (folder / "sfmtls.ini").write_text(
        f"[tenant a]\ncompany-id = A\nserver = localhost\ncertificate = {pki}/acme-chain.pem\n"
        f"private-key = {pki}/acme-encrypted.key\npassphrase-file = pass\nlisten = 127.0.0.1:0\n")
    out = subprocess.run([harness.BINARY, "run", "-t", "-c", folder / "sfmtls.ini"], capture_output=True)
    assert out.returncode == 0 and b"every user of this machine may read" in out.stderr, out.stderr
    assert_shown(out.stderr)
    p = harness.Proxy(folder, (folder / "sfmtls.ini").read_text())
    try:
        harness.eventually(lambda: "may read" in p.stderr)
        assert_shown(p.stderr_path.read_bytes())
    finally:
        p.stop()


def test_words_of_the_command_line():
    for words in (["run", "--" + TEXT], ["run", TEXT], [TEXT], ["help", TEXT], ["import", TEXT], ["cert", "show", TEXT],
                  ["ca", "show", "--dir", TEXT], ["demo", "--listen", TEXT], ["run", "--ready-fd", TEXT]):
        out = subprocess.run([harness.BINARY, *words], capture_output=True, timeout=harness.LIMIT)
        assert out.returncode == 2 and not hidden_in(out.stderr), (words[:2], out.stderr)


def test_text_of_a_server(proxy, tenant, started, deceiver, tmp_path):
    """A certificate that is not trusted may say whose it is."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", str(deceiver / "pem"), "-key",
               str(deceiver / "key")]
    started.append(test_failures.Program(tmp_path, command))
    p = proxy(tenant(started[-1].port))
    answer = p.request()
    assert answer.token.startswith("server-certificate") and not hidden_in(answer.body)
    p.wait_for_log()
    assert not hidden_in(p.stderr_path.read_bytes())
