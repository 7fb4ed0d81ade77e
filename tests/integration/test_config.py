"""The configuration: what is right is taken whole, what is wrong is told in one sentence before anything happens."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = ">>>"  # before the line that the sentence has to name; before a first one that it has to name too

PROXY = "[proxy]\nlisten = 127.0.0.1:0\n"
TENANT = "[tenant acme]\ncompany-id = ACME\nserver = localhost:1\nca-file = PKI/ca.pem\n"
IDENTITY = "certificate = PKI/acme-all.pem\n"
WHOLE = PROXY + TENANT + IDENTITY

# Without these capabilities root, too, may read only what the mode of a file allows.
WITHOUT_OVERRIDE = ["setpriv", "--inh-caps", "-dac_override,-dac_read_search", "--bounding-set",
                    "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def sentence_of(result):
    """The one sentence of a refusal; exit 2 and nothing else anywhere."""
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert result.stdout == ""
    assert result.stderr.endswith("\n") and result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("sfmtls: "), result.stderr
    return result.stderr[len("sfmtls: "):-1]


def assert_has_cure(sentence):
    """What is to be done stands behind a semicolon, is asked, or is the form that is named."""
    assert re.search(r"; \S.* \S|\?$|belongs into|nor `key = value`|HOST:PORT$", sentence), "no cure: " + sentence


def refused(folder, text, words, env=None, prefix=()):
    """`run` with that file ends at once, with a sentence that names the marked line, the words and a cure."""
    path = folder / "sfmtls.ini"
    data = text if isinstance(text, bytes) else text.encode()
    lines = data.split(b"\n")
    marked = [i for i, line in enumerate(lines, 1) if line.startswith(MARK.encode())]
    path.write_bytes(b"\n".join(line[len(MARK):] if i in marked else line for i, line in enumerate(lines, 1)))
    sentence = sentence_of(harness.run_cli("run", "-c", str(path), env=env, prefix=prefix))
    where = f"{path}:{marked[-1]}: " if marked else f"{path}: "
    assert sentence.startswith(where), f"{sentence!r} does not begin with {where!r}"
    for first in marked[:-1]:
        assert re.search(re.escape(f"{path}:{first}") + r"\b", sentence[len(where):]), sentence
    for word in words:
        assert word in sentence, f"{word!r} is not in {sentence!r}"
    assert_has_cure(sentence)
    return sentence


def fill(text, pki, folder):
    return text.replace("PKI", str(pki)).replace("TMP", str(folder))


# ---- the form of the file ----

@pytest.mark.parametrize("text, words", [
    (">>>wrokers = 2\n", ["`wrokers`", "[proxy]"]),
    ("; comment\n\n>>>workers = 2\n[proxy]\n", ["`workers`", "[proxy]"]),
    ("[proxy]\n>>>wrokers = 2\n", ["`wrokers`", "did you mean `workers`"]),
    ("[proxy]\n>>>Listen = 127.0.0.1:0\n", ["`Listen`", "did you mean `listen`"]),
    ("[proxy]\n>>>pool_idle = 3s\n", ["did you mean `pool-idle`"]),
    ("[proxy]\n>>>xyzzy-plugh = 2\n", ["`xyzzy-plugh`", "sfmtls help config"]),
    ("[tenant a]\n>>>company_id = A\n", ["did you mean `company-id`"]),
    ("[tenant a]\n>>>certifcate = A\n", ["did you mean `certificate`"]),
    ("[tenant a]\n>>>private.key = A\n", ["did you mean `private-key`"]),
    ("[tenant a]\n>>>workers = 2\n", ["`workers`", "[proxy]"]),
    ("[proxy]\n>>>certificate = a\n", ["`certificate`", "[tenant"]),
    (">>>[poxy]\n", ["[poxy]", "[proxy]", "[tenant"]),
    (">>>[Proxy]\n", ["[Proxy]", "[proxy]"]),
    (">>>[]\n", ["[proxy]"]),
    (">>>[proxy a]\n", ["[proxy a]"]),
    (">>>[tenants a]\n", ["[tenants a]", "[tenant"]),
    (">>>[tenant]\n", ["tenant name"]),
    (">>>[tenant ]\n", ["tenant name"]),
    (">>>[tenant a b]\n", ["`a b`"]),
    (">>>[tenant a/b]\n", ["`a/b`"]),
    (">>>[tenant \u00e4]\n", ["tenant name"]),
    (f">>>[tenant {33 * 'x'}]\n", ["32"]),
    (f">>>[tenant {300 * 'x'}]\n", ["32"]),
    (">>>[proxy\nlisten = 127.0.0.1:0\n", ["bracket"]),
    ("[proxy]\n>>>[tenant a\n", ["bracket"]),
    (">>>[proxy] listen = 127.0.0.1:0\n", ["after the section header"]),
    (">>>[tenant a] x\n", ["after the section header"]),
    ("[proxy]\n>>>listen\n", ["key = value"]),
    ("[proxy]\n>>>-----BEGIN CERTIFICATE-----\n", ["key = value"]),
    ("[proxy]\n>>>listen =\n", ["`listen`", "no value"]),
    ("[proxy]\n>>>listen = ; a comment\n", ["`listen`", "no value"]),
    ("[tenant a]\n>>>header.X-A =\n", ["no value"]),
    ("[proxy]\n>>>= 2\n", []),
    ("[proxy]\nlisten = 127.0.0.1:0\n>>>  workers = 2\n", ["indented"]),
    ("[proxy]\n>>>\tworkers = 2\n", ["indented"]),
    ("[proxy]\n>>> [tenant a]\n", ["indented"]),
    ("[proxy]\n>>>workers = 2\n>>>workers = 2\n", ["`workers`", "second time"]),
    ("[proxy]\n>>>log = stderr\nqueue = 4\n>>>log = stderr\n", ["`log`", "second time"]),
    (">>>[proxy]\nworkers = 1\n>>>[proxy]\n", ["[proxy]", "second time"]),
    (">>>[proxy]\n>>>[proxy]\n", ["second time"]),
    ("[tenant a]\n>>>header.X-A = 1\n>>>header.X-A = 2\n", ["X-A"]),
    ("[tenant a]\n>>>header.X-A = 1\nheader.X-B = 1\n>>>header.x-a = 2\n", ["x-a"]),
    (">>>" + "x" * 10000 + "\n", ["longer", "8192"]),
    ("[proxy]\n>>>listen = " + "x" * 10000 + " = y\n", ["longer", "8192"]),
    ("[proxy]\n>>>; " + "x" * 8191 + "\n", ["longer", "8192"]),
    ("[proxy]\n>>>log-format = " + "x" * 8000 + "\n", ["log-format"]),
    ("[tenant a]\n>>>server = " + "x" * 8000 + "/\n", ["server"]),
    ("[proxy]\n>>>" + "x" * 8000 + " = 1\n", ["unknown key"]),
    (b"[proxy]\n>>>workers = 1\0\n", ["NUL"]),
    (b">>>\0\0\0\0\n", ["NUL"]),
    (b">>>\x7fELF\x02\x01\x01\0\0\0\0", ["NUL"]),
    (b">>>\xff\xfe[\0p\0r\0o\0x\0y\0]\0", ["UTF-16"]),
    (b"[proxy]\r\nlisten = 127.0.0.1:0\r\n>>>wrokers = 1\r\n", ["did you mean `workers`"]),
    (b"\xef\xbb\xbf[proxy]\n>>>wrokers = 1\n", ["did you mean `workers`"]),
    ("", ["no tenant", "[tenant"]),
    ("[proxy]\nlisten = 127.0.0.1:0\n", ["no tenant", "[tenant"]),
], ids=lambda value: repr(value[:45]) if isinstance(value, (str, bytes)) else "")
def test_flaw_of_form(text, words, tmp_path):
    refused(tmp_path, text, words)


@pytest.mark.parametrize("missing", ["company-id", "server", "certificate"])
@pytest.mark.parametrize("behind", ["", "[tenant last]\n"], ids=["at the end", "in the middle"])
def test_tenant_without_a_required_key(missing, behind, tmp_path, pki):
    lines = {"company-id": "A", "server": "localhost:1", "certificate": f"{pki}/acme-all.pem",
             "ca-file": f"{pki}/ca.pem"}
    text = ">>>[tenant a]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items() if k != missing) + behind
    refused(tmp_path, text, [f"`{missing}`"])


def test_tenant_twice(tmp_path, pki):
    text = PROXY + MARK + TENANT + IDENTITY + "[tenant other]\n" + "\n".join(
        (TENANT + IDENTITY).splitlines()[1:]) + "\n>>>[tenant acme]\n"
    refused(tmp_path, fill(text, pki, tmp_path), ["[tenant acme]", "second time"])


# ---- values ----

LISTENS = ["127.0.0.1", "8080", ":8080", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:99999999999", "127.0.0.1:-1",
           "127.0.0.1:+1", "127.0.0.1:0x50", "127.0.0.1:80x", "127.0.0.1: 80", "127.0.0.1:0 127.0.0.1:0",
           "[::1]", "::1:8080", "[::1:8080", "localhost", "example.com:8080", "unix:", "unix:relative.sock",
           "unix:/" + 108 * "x", ",", "127.0.0.1:0,,[::1]:0", "http://127.0.0.1:8080"]
DISTANT = ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "[2001:db8::1]:8080", "127.0.0.1:0, 0.0.0.0:0"]
NO_HOST_NAME = ["a b", "a.example:8080", "http://a.example", "a.example/", "*.example", "u@h", "a..b", ".a",
                "[::1]:80", "[::1", "a.example,,b", "a.example, b c"]
NO_ORIGIN = ["app.example", "https://app.example/", "https://app.example/x", "https://*.app.example", "https://",
             "//app.example", "https://u@app.example", "https://app.example:x", "https://a, b", "file:///x",
             "https://a.example https://b.example", "https://a,,https://b"]
NO_DURATION = ["10", "10 s", "1d", "-1s", "1.5s", "s", "10sec", "1s1s", "99999999999999999999s", "yes"]
NO_SIZE = ["64kb", "1g", "-1", "0x400", "1.5k", "k", "99999999999999999999"]
NO_COUNT = ["ten", "-1", "1e3", "10k", "99999999999999999999", "1 2"]
PROXY_VALUES = [
    *(("listen", value, []) for value in LISTENS),
    *(("listen", value, ["127.0.0.1", "other machines"]) for value in DISTANT),
    *(("answer-timeout", value, ["30s"]) for value in NO_DURATION),
    *(("max-head", value, ["64k"]) for value in NO_SIZE),
    *(("max-connections", value, []) for value in NO_COUNT),
    ("connect-timeout", "0", ["from"]), ("connect-timeout", "9ms", ["from"]), ("connect-timeout", "61m", ["from"]),
    ("drain-timeout", "25h", ["from"]), ("max-head", "1023", ["from 1024"]), ("max-head", "2m", ["to 1048576"]),
    ("max-connections", "0", ["from 1"]), ("max-connections", "1000001", ["to 1000000"]),
    ("workers", "0", ["from 1"]), ("workers", "1000", ["from 1"]), ("workers", "-1", []), ("workers", "two", []),
    *(("host-names", value, ["host name"]) for value in NO_HOST_NAME),
    *(("allow-origin", value, ["origin", "https://app.example.com"]) for value in NO_ORIGIN),
    *(("allow-origin", value, ["of anybody", "https://app.example.com"]) for value in (
        "*", "null", "https://app.example, null", "NULL")),
    *((key, value, ["yes", "no"]) for key in ("allow-remote", "allow-forwarded") for value in ("true", "1", "YES")),
    ("workers", "AUTO", []), ("log-format", "xml", ["text", "json"]), ("log-format", "JSON", ["text", "json"]),
    ("log-format", "text|json", ["text", "json"]), ("log-path", "none", ["masked", "full", "off"]),
]
TENANT_VALUES = [
    ("company-id", "A B", ["company ID"]), ("company-id", "A" * 129, ["company ID"]),
    ("company-id", "\u00e4", ["company ID"]),
    *(("server", value, ["HOST"]) for value in (
        "https://", "http://api4.successfactors.com", "api4.successfactors.com/odata", "https://host/odata",
        "user@host", "user:pass@host", "host:0", "host:65536", "host:", "host:https", "[::1", "ho st", ".host",
        "a..b", "https://host?x", "*")),
    *(("connect-to", value, ["HOST:PORT"]) for value in ("127.0.0.1", "127.0.0.1:0", "https://127.0.0.1:1", ":1")),
    ("server-as-is", "true", ["yes", "no"]), ("authorization", "drop", ["strip", "keep"]),
    ("require-client-certificate-request", "on", ["yes", "no"]), ("max-upstream", "0", ["from 1"]),
    ("listen", "127.0.0.1:x", []),
    ("header.", "x", ["field name"]), ("header.X A", "x", ["field name"]), ("header.X-\u00e4", "x", ["field name"]),
    ("header.X-A", "a\x01b", ["control"]), ("header.X-A", "a\x7fb", ["control"]), ("header.X-A", "a\rb", ["control"]),
    *((f"header.{name}", "x", [f"`{name}`"]) for name in (
        "Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Upgrade",
        "Proxy-Connection", "Proxy-Authorization", "Proxy-Anything", "X-CLIENT-CERT", "x-client-cert", "Trailer",
        "successfactors-companyid", "SuccessFactors-CompanyId", "successfactors_companyid", "content_length",
        "transfer_encoding", "X-Sfmtls-Token", "x_sfmtls_token")),
]


@pytest.mark.parametrize("section, key, value, words",
                         [*(("proxy", *row) for row in PROXY_VALUES), *(("tenant a", *row) for row in TENANT_VALUES)],
                         ids=lambda value: repr(value)[:40] if isinstance(value, str) else "")
def test_flaw_of_value(section, key, value, words, tmp_path):
    """The value is judged where it stands, whatever else is missing."""
    sentence = refused(tmp_path, f"[{section}]\n>>>{key} = {value}\n", words)
    assert key.split(".")[0] in sentence or "listen" in sentence


@pytest.mark.parametrize("text", [
    "[proxy]\n>>>listen = 127.0.0.1:18080\n>>>listen = 127.0.0.1:18080\n",
    "[proxy]\n>>>listen = 127.0.0.1:18080, [::1]:18080\n>>>listen = [0:0::1]:18080\n",
    "[proxy]\n>>>listen = 127.0.0.1:18080\n>>>listen = localhost:18080\n",
    "[proxy]\n>>>listen = unix:TMP/s\n>>>listen = unix:TMP/s\n",
    "[proxy]\n>>>listen = 127.0.0.1:18080\n" + TENANT + IDENTITY + ">>>listen = 127.0.0.1:18080\n",
], ids=["same", "IPv6 in other words", "localhost", "unix", "a tenant's"])
def test_two_listens_alike(text, tmp_path, pki):
    text += "" if "[tenant" in text else TENANT + IDENTITY
    refused(tmp_path, fill(text, pki, tmp_path), ["second time"])


# ---- files that the configuration names ----

@pytest.fixture(scope="module")
def files(pki, tmp_path_factory):
    """Files that are wrong in one way each."""
    folder = tmp_path_factory.mktemp("files")
    certificate, key = (pki / "acme.pem").read_text(), (pki / "acme.key").read_text()
    lines = certificate.splitlines(keepends=True)
    (folder / "empty").write_text("")
    (folder / "text").write_text("certificate\n")
    (folder / "key").write_text(key)  # a name that the one of a certificate begins with
    (folder / "key.crt").write_text("none\n")
    (folder / "no-end").write_text("".join(lines[:-1]))
    (folder / "cut").write_text("".join(lines[:3]) + lines[-1])
    (folder / "not-base64").write_text("".join([lines[0], "!!!! ####\n", lines[-1]]))
    (folder / "two-keys").write_text(key + (pki / "globex.key").read_text() + certificate)
    (folder / "cut-key").write_text("".join(key.splitlines(keepends=True)[:2]) + "-----END PRIVATE KEY-----\n")
    subprocess.run(["openssl", "x509", "-in", pki / "acme.pem", "-outform", "DER", "-out", folder / "der"], check=True)
    subprocess.run(["openssl", "pkcs12", "-export", "-in", pki / "acme-all.pem", "-passout", "pass:x", "-out",
                    folder / "p12"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-keyout",
                    folder / "weak.key", "-out", folder / "weak.pem"], check=True, stderr=subprocess.DEVNULL)
    (folder / "wrong.pass").write_text("correct battery\n")
    (folder / "empty.pass").write_text("")
    return folder


@pytest.mark.parametrize("lines, words", [
    (">>>certificate = TMP/missing.pem\n", ["missing.pem", "No such file"]),
    (">>>certificate = missing.pem\n", ["TMP/missing.pem", "No such file"]),
    (">>>certificate = TMP\n", ["directory"]),
    (">>>certificate = /dev/zero\n", ["larger than 1 MiB"]),
    (">>>certificate = FILES/empty\n", ["FILES/empty", "is empty"]),
    (">>>certificate = FILES/text\n", ["no PEM certificate"]),
    (">>>certificate = FILES/der\n", ["no private key"]),
    (">>>certificate = FILES/p12\n", ["PKCS#12", "passphrase-file"]),
    (">>>certificate = FILES/no-end\n", ["FILES/no-end"]),
    (">>>certificate = FILES/cut\n", ["FILES/cut"]),
    (">>>certificate = FILES/not-base64\n", ["FILES/not-base64"]),
    (">>>certificate = FILES/two-keys\n", ["more than one private key"]),
    (">>>certificate = PKI/acme.key\n", ["no PEM certificate"]),
    (">>>certificate = PKI/acme-chain.pem\n", ["no private key", "private-key"]),
    (">>>certificate = FILES/weak.pem\nprivate-key = FILES/weak.key\n", ["weak"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = TMP/missing.key\n", ["No such file"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = TMP\n", ["directory"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = PKI/acme.pem\n", ["no PEM private key"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = FILES/cut-key\n", ["FILES/cut-key"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = PKI/globex.key\n", ["PKI/acme-chain.pem", "does not belong"]),
    ("certificate = PKI/globex-all.pem\n>>>private-key = PKI/acme.key\n", ["does not belong"]),
    (">>>certificate = FILES/key.crt\nprivate-key = FILES/key\n", ["FILES/key.crt"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = PKI/acme-encrypted.key\n",
     ["encrypted", "passphrase-file", "passphrase-env"]),
    ("certificate = PKI/acme-chain.pem\n>>>private-key = PKI/acme-sec1-encrypted.key\n", ["encrypted"]),
    *((f"certificate = PKI/acme-chain.pem\npassphrase-file = FILES/{name}.pass\n>>>private-key = PKI/{key}\n",
       ["cannot be decrypted", "passphrase"])
      for name in ("wrong", "empty") for key in ("acme-encrypted.key", "acme-3des.key", "acme-sec1-encrypted.key")),
    ("certificate = PKI/acme-chain.pem\nprivate-key = PKI/acme-encrypted.key\n>>>passphrase-file = TMP/none\n",
     ["No such file"]),
    ("certificate = PKI/acme-chain.pem\nprivate-key = PKI/acme-encrypted.key\n>>>passphrase-file = TMP\n",
     ["directory"]),
    ("certificate = PKI/acme-chain.pem\nprivate-key = PKI/acme-encrypted.key\n>>>passphrase-env = SFMTLS_TEST_NONE\n",
     ["SFMTLS_TEST_NONE", "not set"]),
    ("certificate = PKI/acme-all.pem\npassphrase-file = PKI/acme.pass\n>>>passphrase-env = PATH\n",
     ["passphrase-file", "passphrase-env"]),
    (IDENTITY + ">>>ca-file = TMP/missing.pem\n", ["No such file"]),
    (IDENTITY + ">>>ca-file = TMP\n", ["directory"]),
    (IDENTITY + ">>>ca-file = FILES/text\n", ["no PEM certificate"]),
    (IDENTITY + ">>>ca-file = FILES/cut\n", ["FILES/cut"]),
], ids=lambda value: value.split(MARK)[-1].split("\n")[0] if isinstance(value, str) else "")
def test_flaw_of_named_file(lines, words, files, tmp_path, pki):
    text = PROXY + TENANT.replace("ca-file = PKI/ca.pem\n", "" if "ca-file" in lines else "ca-file = PKI/ca.pem\n")
    text, *words = (fill(part, pki, tmp_path).replace("FILES", str(files)) for part in (text + lines, *words))
    refused(tmp_path, text, words)


@pytest.mark.parametrize("lines", [">>>certificate = TMP/closed\n",
                                   "certificate = PKI/acme-chain.pem\n>>>private-key = TMP/closed\n",
                                   IDENTITY + ">>>passphrase-file = TMP/closed\n"])
def test_unreadable_file(lines, tmp_path, pki):
    (tmp_path / "closed").write_bytes((pki / "acme-all.pem").read_bytes())
    (tmp_path / "closed").chmod(0)
    refused(tmp_path, fill(PROXY + TENANT + lines, pki, tmp_path), [f"{tmp_path}/closed", "Permission denied"],
            prefix=WITHOUT_OVERRIDE)


@pytest.mark.parametrize("prepare, words", [
    (lambda path: None, ["No such file"]),
    (lambda path: path.mkdir(), ["directory"]),
    (lambda path: path.symlink_to("/dev/zero"), ["larger than 1 MiB"]),
    (lambda path: (path.touch(), path.chmod(0)), ["Permission denied"]),
    (lambda path: path.symlink_to(path), ["symbolic links"]),
], ids=["missing", "directory", "endless", "unreadable", "loop"])
def test_flaw_of_the_file_itself(prepare, words, tmp_path):
    path = tmp_path / "sfmtls.ini"
    prepare(path)
    sentence = sentence_of(harness.run_cli("run", "-c", str(path), prefix=WITHOUT_OVERRIDE))
    assert sentence.startswith(f"{path}: ")
    for word in words:
        assert word in sentence
    assert_has_cure(sentence)


@pytest.mark.parametrize("size", [1, 4096, 1 << 20, 1 << 22])
def test_file_of_nuls(size, tmp_path):
    """As a crash leaves them, of any size; what is told of it may differ."""
    path = tmp_path / "sfmtls.ini"
    path.write_bytes(b"\0" * size)
    sentence = sentence_of(harness.run_cli("run", "-c", str(path)))
    assert sentence.startswith(str(path))
    assert_has_cure(sentence)


# ---- the world is not as the configuration wants it ----

@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def test_port_taken(taken, tmp_path, pki):
    text = f"[proxy]\n>>>listen = 127.0.0.1:{taken}\n" + TENANT + IDENTITY
    refused(tmp_path, fill(text, pki, tmp_path), [f"127.0.0.1:{taken}", "taken"])


def test_port_of_a_tenant_taken(taken, tmp_path, pki):
    text = PROXY + TENANT + IDENTITY + f">>>listen = 127.0.0.1:{taken}\n"
    refused(tmp_path, fill(text, pki, tmp_path), [f"127.0.0.1:{taken}", "taken"])


def test_unix_socket_taken(tmp_path, pki):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "s"))
        s.listen()
        refused(tmp_path, fill("[proxy]\n>>>listen = unix:TMP/s\n" + TENANT + IDENTITY, pki, tmp_path),
                [f"{tmp_path}/s", "another process"])
        assert (tmp_path / "s").is_socket()


@pytest.mark.parametrize("listen, words", [("unix:TMP/file", ["not a socket"]), ("unix:TMP/none/s", ["create it"]),
                                           ("unix:TMP/file/s", ["Not a directory"])])
def test_unix_socket_that_cannot_be(listen, words, tmp_path, pki):
    (tmp_path / "file").write_text("precious")
    refused(tmp_path, fill(f"[proxy]\n>>>listen = {listen}\n" + TENANT + IDENTITY, pki, tmp_path), words)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("log", ["TMP/none/log", "TMP"])
def test_log_that_cannot_be_opened(log, tmp_path, pki):
    refused(tmp_path, fill(f"{PROXY}>>>log = {log}\n{TENANT}{IDENTITY}", pki, tmp_path), ["log", str(tmp_path)])


def start_refused(tmp_path, text):
    """`run --ready-fd`; what came through the descriptor, which must be nothing, is checked."""
    (tmp_path / "sfmtls.ini").write_text(text)
    read, write = os.pipe()
    result = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"), "--ready-fd", str(write), pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as ready:
        assert ready.read() == ""
    return sentence_of(result)


@pytest.mark.parametrize("flaw", [
    "[proxy]\nlisten = unix:TMP/s\nlog = TMP/log\n" + TENANT + IDENTITY + "xyzzy = 1\n",
    "[proxy]\nlisten = unix:TMP/s\nlog = TMP/log\n" + TENANT + "certificate = TMP/missing\n",
    "[proxy]\nlisten = unix:TMP/s\nlog = TMP/log\n" + TENANT + IDENTITY + "[tenant second]\n",
    "[proxy]\nlisten = unix:TMP/s, 127.0.0.1:TAKEN\nlog = TMP/log\n" + TENANT + IDENTITY,
    "[proxy]\nlisten = unix:TMP/s\nlog = TMP/none/log\n" + TENANT + IDENTITY,
], ids=["unknown key", "file", "second tenant", "port taken", "log"])
def test_nothing_happens_unless_all_is_well(flaw, taken, tmp_path, pki):
    start_refused(tmp_path, fill(flaw.replace("TAKEN", str(taken)), pki, tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sfmtls.ini"]


# ---- what is right ----

def accepted(folder, text, env=None, arguments=(), cwd=None):
    """`run -t` says so, and nothing else."""
    path = folder / "sfmtls.ini"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = harness.run_cli("run", "-t", "-c", str(path), *arguments, env=env, cwd=cwd)
    assert (result.returncode, result.stdout, harness.without_limits(result.stderr)) == (0, harness.tested_ok(path), "")


@pytest.mark.parametrize("name, value", [
    ("CRLF", WHOLE.replace("\n", "\r\n")),
    ("byte order mark", "\ufeff" + WHOLE),
    ("byte order mark, CRLF", "\ufeff" + WHOLE.replace("\n", "\r\n")),
    ("no line end at the end", WHOLE[:-1]),
    ("comments", "; first\n# second\n" + WHOLE.replace("\n", "\n; one = 1\n# [two]\n")),
    ("comments behind", WHOLE.replace("\n", "   ; said behind\n").replace("]   ;", "] ;")),
    ("empty lines", "\n\n \n\t\n" + WHOLE.replace("\n", "\n\n \n\t\r\n")),
    ("blanks", WHOLE.replace(" = ", "  \t=\t ").replace("\n", " \t\n")),
    ("no blanks", WHOLE.replace(" = ", "=")),
    ("tenant first", TENANT + IDENTITY + PROXY),
    ("no proxy section", TENANT + IDENTITY),
    ("tenant name of every kind", WHOLE.replace("acme]", "A.b_c-9]")),
    ("tenant name of 32", WHOLE.replace("acme]", 32 * "x" + "]")),
    ("lists", WHOLE.replace("listen =", "listen = 127.0.0.1:0, [::1]:0 ,127.0.0.2:0\nlisten =") + "listen=[::1]:0\n"),
    ("comment of 8 KiB", WHOLE + "; " + 8190 * "x" + "\n"),
    ("0 without unit", WHOLE.replace("[tenant", "drain-timeout = 0\npool-idle = 0\n[tenant")),
    ("units", WHOLE.replace("[tenant", "answer-timeout = 420000ms\nidle-timeout = 1h\nmax-head = 1M\n"
                                       "max-target = 4096\nworkers = auto\n[tenant")),
    ("URL of a server", WHOLE.replace("localhost:1", "https://localhost:1/")),
    ("IPv6 server", WHOLE.replace("localhost:1", "[::1]:1")),
    ("header of every kind", WHOLE + "header.X-A = a=b;c \"d\" # e\nheader.Authorization = Bearer x\n"),
], ids=lambda value: value if "\n" not in value else "")
def test_value_that_is_accepted(name, value, tmp_path, pki):
    accepted(tmp_path, fill(value, pki, tmp_path))


def test_test_binds_nothing(taken, tmp_path, pki):
    accepted(tmp_path, fill(f"[proxy]\nlisten = localhost:{taken}, unix:TMP/s\nlog = TMP/log\n{TENANT}{IDENTITY}",
                            pki, tmp_path))
    assert not (tmp_path / "s").exists() and not (tmp_path / "log").exists()


def test_values_of_a_file_from_windows(proxy, nginx, pki, tmp_path, started):
    """CRLF is no part of a value: the server would see it."""
    text = f"[proxy]\r\nlisten = 127.0.0.1:0\r\n[tenant acme]\r\ncompany-id = ACME\r\nserver = localhost:{nginx.port}" \
           f"\r\ncertificate = {pki}/acme-all.pem\r\nca-file = {pki}/ca.pem\r\n"
    (tmp_path / "w.ini").write_bytes(b"\xef\xbb\xbf" + text.encode())
    started.append(harness.Proxy(tmp_path, None, ["-c", str(tmp_path / "w.ini")]))
    assert started[-1].request(target="/who").json()["company"] == "ACME"


def test_line_of_8_kib(proxy, script, tenant):
    """It arrives whole."""
    heads = []
    server = script(harness.answering(lambda c, head, body: (heads.append(head), c.reply())))
    value = "v" * (8192 - len("header.X-Long = "))
    assert proxy(tenant(server.port) + f"header.X-Long = {value}\n").request().status == 200
    assert f"X-Long: {value}\r\n".encode() in heads[0] + b"\r\n"


def test_list_keys_add_up(proxy, nginx, tenant):
    sections = "listen = 127.0.0.1:0\nlisten = 127.0.0.2:0\n" + tenant(
        nginx.port, listen="127.0.0.1:0, 127.0.0.1:0") + "listen = 127.0.0.1:0\n"
    p = proxy(sections, listen="127.0.0.1:0, 127.0.0.3:0")
    told = [(a["address"].rsplit(":", 1)[0], a["tenant"]) for a in p.ready["listeners"]]
    assert told == [("127.0.0.1", None), ("127.0.0.3", None), ("127.0.0.1", None), ("127.0.0.2", None)] + 3 * [
        ("127.0.0.1", "acme")]
    assert all(p.request(target="/who", listener=i).status == 200 for i in range(len(told)))


def test_listen_of_a_tenant_replaces_the_default(proxy, nginx, tenant):
    p = proxy(tenant(nginx.port, listen="127.0.0.1:0"), listen=None)
    assert [a["tenant"] for a in p.ready["listeners"]] == ["acme"]


@pytest.mark.parametrize("argument, cwd", [("folder/sfmtls.ini", "."), ("sfmtls.ini", "folder"),
                                           ("../folder/sfmtls.ini", "elsewhere")])
def test_relative_paths_start_at_the_file(argument, cwd, tmp_path, pki):
    """All of them: certificate, key, passphrase, CA; from wherever the program is started."""
    for name in ("folder", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder" / "keys").symlink_to(pki)
    (tmp_path / "folder" / "sfmtls.ini").write_text(
        "[tenant acme]\ncompany-id = A\nserver = localhost:1\nca-file = keys/ca.pem\n"
        "certificate = keys/acme-chain.pem\n"
        "private-key = ./keys/acme-encrypted.key\npassphrase-file = keys/acme.pass\n")
    result = harness.run_cli("run", "-t", "-c", argument, cwd=tmp_path / cwd)
    told = harness.tested_ok(tmp_path / "folder/sfmtls.ini")
    assert (result.returncode, result.stdout, result.stderr) == (0, told, "")


def test_relative_log(proxy, nginx):
    p = proxy(nginx.port, log="proxy.log")
    p.request(target="/who")
    p.said(" id=", log=p.folder / "proxy.log")


# ---- where the file is looked for ----

def named_file(cwd, env):
    """The file that `run` without -c takes: each candidate has a flaw in its second line."""
    sentence = sentence_of(harness.run_cli("run", cwd=cwd, env=env))
    return sentence.split(":2: ")[0] if ":2: " in sentence else sentence


def test_search_order(tmp_path):
    places = {name: tmp_path / name / "sfmtls.ini" for name in ("here", "xdg/sfmtls", "home/.config/sfmtls")}
    for path in places.values():
        path.parent.mkdir(parents=True)
        path.write_text("[proxy]\nxyzzy-plugh = 1\n")
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path / "home")}
    here, xdg, home = places.values()

    assert os.path.join(here.parent, named_file(here.parent, env)) == str(here)
    here.unlink()
    assert named_file(here.parent, env) == str(xdg)
    for unset in ("", "relative"):
        assert named_file(here.parent, {**env, "XDG_CONFIG_HOME": unset}) == str(home)
    xdg.unlink()
    home.unlink()
    sentence = named_file(here.parent, env)
    if not os.path.exists("/etc/sfmtls/sfmtls.ini"):
        assert "/etc/sfmtls/sfmtls.ini" in sentence and "-c" in sentence


# ---- without a file ----

def one_line(pki, **options):
    options = {"server": "localhost:1", "company_id": "ACME", "certificate": f"{pki}/acme-all.pem",
               "ca_file": f"{pki}/ca.pem", **options}
    return [word for name, value in options.items() if value is not None
            for word in ("--" + name.replace("_", "-"), str(value))]


def test_one_line_form_makes_a_call(nginx, pki, tmp_path, started):
    started.append(harness.Proxy(tmp_path, None, one_line(
        pki, server=f"localhost:{nginx.port}", certificate=f"{pki}/acme-chain.pem", listen="127.0.0.1:0",
        private_key=f"{pki}/acme-encrypted.key", passphrase_file=f"{pki}/acme.pass") + ["--listen", "[::1]:0"]))
    p = started[-1]
    assert [a["tenant"] for a in p.ready["listeners"]] == [None, None]
    for i in range(2):
        seen = p.request(target="/who", listener=i).json()
        assert seen["company"] == "ACME" and "CN=acme_user" in seen["subject"]


@pytest.mark.parametrize("options, words", [
    ({"server": None}, ["--server"]), ({"company_id": None}, ["--company-id"]),
    ({"certificate": None}, ["--certificate"]),
    ({"server": "host:0"}, ["--server", "host:0"]), ({"server": ""}, ["--server", "no value"]),
    ({"company_id": "A B"}, ["--company-id", "A B"]), ({"listen": "127.0.0.1:x"}, ["--listen", "127.0.0.1:x"]),
    ({"listen": "0.0.0.0:0"}, ["--listen", "0.0.0.0:0"]),
    ({"certificate": "/none.pem"}, ["--certificate", "/none.pem"]),
    ({"certificate": "PKI/acme-chain.pem"}, ["--certificate", "private-key"]),
    ({"private_key": "PKI/globex.key"}, ["--private-key", "does not belong"]),
    ({"passphrase_file": "/none"}, ["--passphrase-file", "/none"]),
    ({"ca_file": "/none.pem"}, ["--ca-file", "/none.pem"]),
    ({"listen": "unix:/none/s"}, ["--listen", "/none/s"]),
], ids=lambda value: next(iter(value.items())).__repr__() if isinstance(value, dict) else "")
def test_flaw_of_one_line_form(options, words, pki, tmp_path):
    options = {k: v and v.replace("PKI", str(pki)) for k, v in {"listen": "127.0.0.1:0", **options}.items()}
    sentence = sentence_of(harness.run_cli("run", *one_line(pki, **options), cwd=tmp_path))
    for word in words:
        assert word in sentence, sentence
    assert sentence.count(words[0]) <= 2, sentence
    assert_has_cure(sentence)


@pytest.mark.parametrize("repeated", ["server", "company_id", "certificate", "private_key", "ca_file"])
def test_one_line_form_repeated(repeated, pki):
    arguments = one_line(pki, private_key=f"{pki}/acme.key")
    again = one_line(pki, private_key=f"{pki}/acme.key")
    name = "--" + repeated.replace("_", "-")
    i = again.index(name)
    assert name in sentence_of(harness.run_cli("run", *arguments, *again[i:i + 2]))


@pytest.mark.parametrize("option", ["--server", "--company-id", "--certificate", "--private-key", "--passphrase-file",
                                    "--listen", "--ca-file"])
@pytest.mark.parametrize("file_first", [True, False])
def test_file_and_one_line_form_exclude_each_other(option, file_first, tmp_path, pki):
    """Even where the file is sound, so that nobody wonders which of the two holds."""
    (tmp_path / "sfmtls.ini").write_text(fill(WHOLE, pki, tmp_path))
    words = [["-c", str(tmp_path / "sfmtls.ini")], [option, "x"]]
    sentence = sentence_of(harness.run_cli("run", *(words if file_first else words[::-1])[0],
                                           *(words if file_first else words[::-1])[1]))
    assert "-c" in sentence and option in sentence


# ---- every form a PEM may have ----

def convert(command, target, **env):
    subprocess.run(["openssl", *map(str, command), "-out", target], check=True, stderr=subprocess.DEVNULL,
                   env={**os.environ, **env})
    return target.read_text()


def forms_of(pki, folder):
    """name -> (certificate file's text, key file's text or None, further lines)"""
    leaf, sub, root = ((pki / f"{name}.pem").read_text() for name in ("acme", "client-sub", "client-ca"))
    key = (pki / "acme.key").read_text()
    chain = leaf + sub + root
    passphrase = f"passphrase-file = {pki}/acme.pass\n"
    secret = (pki / "acme.pass").read_text().strip()
    rsa, rsa_chain = (pki / "rsa.key").read_text(), (pki / "rsa-chain.pem").read_text()
    pkcs1 = convert(["rsa", "-in", pki / "rsa.key", "-traditional"], folder / "pkcs1")
    parameters = convert(["ecparam", "-name", "prime256v1"], folder / "parameters")
    sec1 = (pki / "acme-sec1.key").read_text()
    bag = "Bag Attributes\n    friendlyName: acme\n    localKeyID: 01 02\nsubject=O = Test, CN = x\n\nissuer=y\n"
    odd = "  pass word \t"
    odd_key = convert(["pkcs8", "-topk8", "-in", pki / "acme.key", "-passout", f"pass:{odd}"], folder / "odd")
    lf_key = convert(["pkcs8", "-topk8", "-in", pki / "acme.key", "-passout", "pass:lines\n"], folder / "lf")
    cr_key = convert(["pkcs8", "-topk8", "-in", pki / "acme.key", "-passout", "pass:return\r"], folder / "cr")
    umlaut_key = convert(["pkcs8", "-topk8", "-in", pki / "acme.key", "-passout", "pass:gr\u00fc\u00dfe"],
                         folder / "umlaut")

    def file(name, data):
        (folder / name).write_bytes(data)
        return f"passphrase-file = {folder / name}\n"

    return {
        "key first": (key + chain, None, ""),
        "key last": (chain + key, None, ""),
        "key in the middle": (leaf + key + sub + root, None, ""),
        "key apart": (chain, key, ""),
        "key apart, another in the certificate's file": (chain + rsa, key, ""),
        "certificates beside the key": (leaf + sub, key + root, ""),
        "root first": (root + sub + leaf, key, ""),
        "leaf in the middle": (sub + leaf + root, key, ""),
        "leaf last": (sub + root + leaf + key, None, ""),
        "a stranger between": (leaf + (pki / "globex.pem").read_text() + sub, key, ""),
        "without root": (leaf + sub, key, ""),
        "the same twice": (leaf + sub + leaf + sub, key, ""),
        "CRLF": ((chain + key).replace("\n", "\r\n"), None, ""),
        "text between the blocks": (bag + leaf + bag + sub + bag + key + bag, None, ""),
        "byte order mark": ("\ufeff" + chain, "\ufeff" + key, ""),
        "no line end at the end": ((key + chain).rstrip("\n"), None, ""),
        "empty lines between": ("\n\n" + leaf + "\n\n\n" + sub + "\n" + root + "\n\n", "\n" + key, ""),
        "blanks at line ends": (chain.replace("\n", "  \n"), key, ""),
        "SEC1": (chain, sec1, ""),
        "SEC1 with parameters": (chain, parameters + sec1, ""),
        "PKCS#1": (rsa_chain, pkcs1, ""),
        "PKCS#8 AES": (chain, (pki / "acme-encrypted.key").read_text(), passphrase),
        "PKCS#8 AES, all in one": (chain + (pki / "acme-encrypted.key").read_text(), None, passphrase),
        "PKCS#8 SHA1-3DES": (chain, (pki / "acme-3des.key").read_text(), passphrase),
        "SEC1 encrypted": (chain, (pki / "acme-sec1-encrypted.key").read_text(), passphrase),
        "SEC1 encrypted, CRLF": (chain, (pki / "acme-sec1-encrypted.key").read_text().replace("\n", "\r\n"),
                                 passphrase),
        "PKCS#1 encrypted": (rsa_chain, convert(["rsa", "-in", pki / "rsa.key", "-traditional", "-aes256", "-passout",
                                                 f"file:{pki}/acme.pass"], folder / "pkcs1-encrypted"), passphrase),
        "passphrase from the environment": (chain, (pki / "acme-encrypted.key").read_text(),
                                            "passphrase-env = PASSPHRASE_OF_ACME\n"),
        "passphrase without line end": (chain, (pki / "acme-encrypted.key").read_text(),
                                        file("p1", secret.encode())),
        "passphrase with CRLF": (chain, (pki / "acme-encrypted.key").read_text(),
                                 file("p2", secret.encode() + b"\r\n")),
        "passphrase that ends in a line end": (chain, lf_key, file("p3", b"lines\n\n")),
        "passphrase that ends in CR": (chain, cr_key, file("p4", b"return\r")),
        "passphrase with blanks around": (chain, odd_key, file("p5", odd.encode() + b"\n")),
        "passphrase in UTF-8": (chain, umlaut_key, file("p6", "gr\u00fc\u00dfe\n".encode())),
        "passphrase for a key that needs none": (chain, key, passphrase),
    }


FORMS = ["key first", "key last", "key in the middle", "key apart", "key apart, another in the certificate's file",
         "certificates beside the key", "root first", "leaf in the middle", "leaf last", "a stranger between",
         "without root", "the same twice", "CRLF", "text between the blocks", "byte order mark",
         "no line end at the end", "empty lines between", "blanks at line ends", "SEC1", "SEC1 with parameters",
         "PKCS#1", "PKCS#8 AES", "PKCS#8 AES, all in one", "PKCS#8 SHA1-3DES", "SEC1 encrypted",
         "SEC1 encrypted, CRLF", "PKCS#1 encrypted", "passphrase from the environment", "passphrase without line end",
         "passphrase with CRLF", "passphrase that ends in a line end", "passphrase that ends in CR",
         "passphrase with blanks around", "passphrase in UTF-8", "passphrase for a key that needs none"]


@pytest.fixture(scope="module")
def forms(pki, tmp_path_factory):
    found = forms_of(pki, tmp_path_factory.mktemp("forms"))
    assert sorted(found) == sorted(FORMS)
    return found


@pytest.mark.parametrize("name", FORMS)
def test_form_of_pem(name, forms, proxy, nginx, pki, tmp_path):
    """It loads, and the server sees the right certificate with the intermediate that it needs."""
    certificate, key, more = forms[name]
    (tmp_path / "c.pem").write_bytes(certificate.encode())
    lines = f"certificate = {tmp_path}/c.pem\n{more}"
    if key is not None:
        (tmp_path / "k.pem").write_bytes(key.encode())
        lines += f"private-key = {tmp_path}/k.pem\n"
    p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\nca-file = {pki}/ca.pem\n{lines}",
              environment={"PASSPHRASE_OF_ACME": (pki / "acme.pass").read_text().strip()})
    seen = p.request(target="/who").json()
    user = "rsa" if "PKCS#1" in name else "acme"
    assert seen["verify"] == "SUCCESS" and f"CN={user}_user" in seen["subject"]
    serial = subprocess.run(["openssl", "x509", "-in", pki / f"{user}.pem", "-noout", "-serial"], check=True,
                            capture_output=True, text=True).stdout.strip().split("=")[1]
    assert seen["serial"] == serial


# ---- the reference ----

def test_reference_is_the_option_table():
    result = harness.run_cli("help", "config")
    assert result.returncode == 0 and result.stderr == ""
    assert (ROOT / "conf/sfmtls.ini").read_text() == result.stdout


def options_of_reference():
    """(section, key, value, is default) for each commented option of conf/sfmtls.ini."""
    section, default = "proxy", False
    for line in (ROOT / "conf/sfmtls.ini").read_text().splitlines():
        if re.fullmatch(r";?\[.*\]", line):
            section = "proxy" if "proxy" in line else "tenant"
        if line.startswith("; Type: "):
            default = "Default: " in line and "Default: none" not in line
        option = re.fullmatch(r";([a-z][\w.-]*) = (.*)", line, re.I)
        if option:
            yield section, option[1], option[2], default


def test_reference_holds_every_key_that_is_served():
    keys = {(section, key) for section, key, _, _ in options_of_reference()}
    assert keys >= {("proxy", key) for key in (
        "listen", "workers", "log", "log-format", "log-path", "max-connections", "queue", "max-head", "max-fields",
        "max-target", "connect-timeout", "handshake-timeout", "head-timeout", "idle-timeout", "body-timeout",
        "answer-timeout", "pool-idle", "queue-timeout", "drain-timeout", "resolve-cache", "allow-remote",
        "host-names", "allow-origin", "caller-token-file", "allow-forwarded")}
    assert keys >= {("tenant", key) for key in (
        "company-id", "server", "server-as-is", "certificate", "private-key", "passphrase-file", "passphrase-env",
        "ca-file", "connect-to", "header.X-Thing", "authorization", "listen", "max-upstream",
        "require-client-certificate-request")}


def test_reference_has_the_defaults_of_the_contract():
    defaults = {key: value for section, key, value, default in options_of_reference() if default}
    assert defaults.items() >= {
        "listen": "localhost:8080", "workers": "1", "log": "stderr", "log-path": "masked",
        "max-connections": "10000", "queue": "1000", "max-head": "64k", "max-fields": "200", "max-target": "16k",
        "connect-timeout": "10s", "handshake-timeout": "10s", "head-timeout": "15s", "idle-timeout": "75s",
        "body-timeout": "60s", "answer-timeout": "450s", "pool-idle": "30s", "queue-timeout": "10s",
        "drain-timeout": "25s", "resolve-cache": "30s", "dead-peer-timeout": "20s", "log-caller": "on",
        "max-upstream": "64", "authorization": "strip",
        "server-as-is": "no", "allow-remote": "no", "allow-forwarded": "no", "socket-mode": "0600",
        "sandbox": "on"}.items()


def test_reference_as_it_stands(tmp_path):
    """With every option commented out it is a file without a tenant."""
    refused(tmp_path, (ROOT / "conf/sfmtls.ini").read_text(), ["no tenant"])


ALL = "certificate = {pki}/acme-all.pem"


@pytest.mark.parametrize("proxy, tenant, says", [
    ("", "certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\npassphrase-file = open.pass",
     "warning: .*sfmtls.ini:8: .*every user of this machine may read the passphrase; chmod o-r .*open.pass"),
    ("", "certificate = {pki}/acme-all.pem\n[tenant b]\ncompany-id = B\nserver = localhost\n"
     "certificate = {pki}/acme-all.pem\nlisten = 127.0.0.1:0", "warning: .*sfmtls.ini:3: nobody can call tenant a"),
])
def test_what_a_test_of_the_configuration_warns_of(proxy, tenant, says, tmp_path, pki):
    """It can be used, but somebody should know."""
    (tmp_path / "open.pass").write_text((pki / "acme.pass").read_text())
    (tmp_path / "open.pass").chmod(0o644)
    text = f"[proxy]\n{proxy}\n[tenant a]\ncompany-id = A\nserver = localhost\n{tenant}\n".format(tmp=tmp_path, pki=pki)
    (tmp_path / "sfmtls.ini").write_text(text)
    result = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    assert (result.returncode, result.stdout) == (0, harness.tested_ok(tmp_path / "sfmtls.ini")), result.stderr
    assert re.search(says, result.stderr), result.stderr


def test_reference_with_every_default_in_force(tmp_path, pki):
    text = (ROOT / "conf/sfmtls.ini").read_text().replace(";[tenant acme]", "[tenant acme]")
    for _, key, value, default in options_of_reference():
        if default:
            text = text.replace(f"\n;{key} = {value}\n", f"\n{key} = {value}\n", 1)
    for key, value in (("company-id", "ACME"), ("server", "api4.successfactors.com"),
                       ("certificate", f"{pki}/acme-all.pem")):
        text = re.sub(rf"(?m)^;{key} = .*$", f"{key} = {value}", text)
    accepted(tmp_path, text)


def test_reference_with_every_option_in_force(tmp_path, pki):
    """Those without a default at their examples, which therefore have to be sound."""
    for name, source in (("acme.pem", "acme-chain.pem"), ("acme.key", "acme-encrypted.key"), ("acme.pass", "acme.pass"),
                         ("corporate-ca.pem", "ca.pem"), ("corporate-ca.crl", "ca.crl"),
                         ("acme-next.pem", "globex-chain.pem"),
                         ("acme-next.key", "globex.key"), ("acme-next.pass", "acme.pass"),
                         ("proxy.pass", "acme.pass")):
        (tmp_path / name).write_bytes((pki / source).read_bytes())
    (tmp_path / "acme.callers").write_text(f"sfadmin@ACME:$2y$04${'.' * 53}\n")
    for name in ("caller-tokens", "admin-tokens"):
        (tmp_path / name).write_text("0123456789abcdef\n")
    text = (ROOT / "conf/sfmtls.ini").read_text().replace(";[tenant acme]", "[tenant acme]")
    others = ("passphrase-env|passphrase-credential|parent-proxy-keytab|service-key-file|certificate-name|"
              "certificate-store")
    text = re.sub(rf"(?m)^;(?!{others})(?=[a-z][\w.-]* = )", "", text, flags=re.I)
    text = text.replace("connect-other = refuse", "connect-other = tunnel")
    text = text.replace("user = sfmtls", f"user = {pwd.getpwuid(os.geteuid()).pw_name}")
    (tmp_path / "sfmtls.ini").write_text(text)
    assert harness.run_cli("ca", "init", "-c", str(tmp_path / "sfmtls.ini")).returncode == 0
    accepted(tmp_path, text)


# ---- the system's CA certificates ----

@pytest.mark.parametrize("file, folder, warned", [("/none", "/none", True), ("/none", "TMP", True),
                                                  ("PKI/ca.pem", "/none", False), ("/none", "/none:TMP/hashed", False)])
def test_machine_without_ca_certificates(file, folder, warned, proxy, nginx, pki, tmp_path):
    (tmp_path / "hashed").mkdir()
    shutil.copy(pki / "ca.pem", tmp_path / "hashed")
    subprocess.run(["openssl", "rehash", tmp_path / "hashed"], check=True)
    p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\n"
              f"certificate = {pki}/acme-all.pem\n",
              environment={"SSL_CERT_FILE": fill(file, pki, tmp_path), "SSL_CERT_DIR": fill(folder, pki, tmp_path)})
    answer = p.request(target="/who")
    p.stop()
    assert ("install ca-certificates" in p.stderr) == warned
    assert (answer.token if warned else answer.status) == ("server-certificate-untrusted" if warned else 200)
