"""`sfmtls init`: from nothing to a configuration that serves, by questions at a real terminal or by options."""
import os
import re
import shutil

import pytest

import harness
from test_config import sentence_of

SFMTLS = os.path.abspath(harness.BINARY)
at_terminals = pytest.mark.skipif(not harness.has_terminals(), reason="there are no pseudo-terminals")


@pytest.fixture
def folder(tmp_path, pki):
    """That of somebody who begins: the certificate and its key, which whoever issued it has sent."""
    here = tmp_path / "here"
    here.mkdir()
    for source, name in (("acme-chain.pem", "acme.pem"), ("acme.key", "acme.key")):
        shutil.copy(pki / source, here / name)
    return here


def typed(*answers):
    return [answer.encode() + b"\n" for answer in answers]


def ask(folder, *answers, options=()):
    """Offline, since the servers are those of SuccessFactors."""
    return harness.at_a_terminal([SFMTLS, "init", "--offline", *options], *typed(*answers), cwd=folder)


def options_of(pki, port=1, **more):
    given = {"server": f"localhost:{port}", "company_id": "ACME", "certificate": "acme.pem", "private_key": "acme.key",
             "ca_file": f"{pki}/ca.pem", "listen": "localhost:0", **more}
    return [word for key, value in given.items() if value is not None
            for word in ("--" + key.replace("_", "-"), value)]


def settings(folder, name="sfmtls.ini"):
    """The lines that are no comments."""
    return dict(re.findall(r"(?m)^([a-z-]+) += (.*)$", (folder / name).read_text()))


@at_terminals
def test_dialogue_of_a_newcomer(folder):
    """The data center, the company, and two times Enter."""
    shown, code = ask(folder, "dc4", "1", "ACME", "", "")
    assert code == 0, shown
    assert "1  api4.successfactors.com (DC4, production)" in shown and "CN=acme_user" in shown
    assert re.search(r"valid +2\d{3}-\d\d-\d\d to 2\d{3}-\d\d-\d\d \(\d+ days left\)", shown)
    assert "[acme.pem]" in shown and "[acme.key]" in shown and "configuration ok: " in shown
    assert "curl 'http://localhost:8080/odata/v2/" in shown and "In Postman: " in shown
    assert settings(folder) == {"listen": "localhost:8080", "company-id": "ACME", "server": "api4.successfactors.com",
                                "certificate": "acme.pem", "private-key": "acme.key"}
    assert (folder / "sfmtls.ini").stat().st_mode & 0o777 == 0o600
    assert harness.run_cli("run", "-t", cwd=folder).returncode == 0


@at_terminals
@pytest.mark.parametrize("answers, server", [
    (["api4.sucessfactors.com", ""], "api4.successfactors.com"),
    (["performancemanager4.successfactors.com", ""], "api4.successfactors.com"),
    (["api4.sucessfactors.com", "api4.sucessfactors.com"], "api4.sucessfactors.com"),
    (["api4.sucessfactors.com", "api10.successfactors.com"], "api10.successfactors.com"),
    (["api4.sucessfactors.com", "ACME", "1"], "api4.successfactors.com"),
    (["api5", "api4", "2"], "api4preview.sapsf.com"),
    (["https://api4.successfactors.com/odata/v2/"], "https://api4.successfactors.com"),
    (["two words", "api.example.com:8443"], "api.example.com:8443"),
    (["", "api99.sapsf.com"], "api99.sapsf.com"),
    (["a\tb ; c", "localhost:1"], "localhost:1"),
])
def test_servers_that_are_meant(answers, server, folder):
    shown, code = ask(folder, *answers, options=["--company-id", "A", "--certificate", "acme.pem", "--private-key",
                                                 "acme.key"])
    assert code == 0 and settings(folder)["server"] == server, shown


@at_terminals
def test_wrong_answers_are_asked_again(folder, pki):
    shutil.copy(pki / "globex.key", folder / "other.key")
    answers = typed("api4.successfactors.com", "A B", "", "ACME", "none.pem", "acme.key", "acme.pem", "other.key",
                    "~/acme.key")
    shown, code = harness.at_a_terminal([SFMTLS, "init", "-c", "x.ini"], *answers, b"\x04", cwd=folder,
                                        env={"HOME": "/none"})
    assert code == 2 and "nothing was written" in shown, shown
    for words in ("is not a company ID", "none.pem: ", "does not belong", "/none/acme.key: "):
        assert words in shown, shown
    assert not (folder / "x.ini").exists()


@at_terminals
@pytest.mark.parametrize("answers", [[b"\x04"], [b"\x03"], [b"api4.successfactors.com\n", b"\x04"],
                                     [b"api4.successfactors.com\n", b"A\n", b"\x03"]])
def test_giving_up_leaves_nothing(answers, folder):
    shown, code = harness.at_a_terminal([SFMTLS, "init"], *answers, cwd=folder)
    assert code in (2, -2) and sorted(os.listdir(folder)) == ["acme.key", "acme.pem"], shown


@at_terminals
def test_encrypted_key(folder, pki):
    """The passphrase is asked for once, is not shown, and is not written."""
    shutil.copy(pki / "acme-encrypted.key", folder / "acme.key")
    word = (pki / "acme.pass").read_text().strip()
    shown, code = ask(folder, "api4.successfactors.com", "ACME", "", "", word)
    assert code == 0 and shown.count("Passphrase for ") == 1 and word not in shown, shown
    assert word not in (folder / "sfmtls.ini").read_text()


def test_from_options_to_a_call(folder, pki, nginx, tmp_path, started):
    """What init has written serves; in another folder, too, paths lead to the same files."""
    (tmp_path / "there").mkdir()
    result = harness.run_cli("init", "-c", str(tmp_path / "there/x.ini"), *options_of(pki, nginx.port), cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"(?m)^ +ok +client-certificate\b", result.stdout), result.stdout
    assert f"sfmtls run -c {tmp_path}/there/x.ini" in result.stdout
    text = (tmp_path / "there/x.ini").read_text()
    assert f"certificate = {folder}/acme.pem" in text
    p = harness.Proxy(tmp_path, text)
    started.append(p)
    seen = p.request(target="/who").json()
    assert seen["company"] == "ACME" and "CN=acme_user" in seen["subject"]


def test_nothing_is_written_over(folder, pki):
    (folder / "sfmtls.ini").write_text("[proxy]\nqueue = 10\n")
    sentence = sentence_of(harness.run_cli("init", *options_of(pki), cwd=folder))
    assert sentence.startswith("sfmtls.ini: is there already")
    assert (folder / "sfmtls.ini").read_text() == "[proxy]\nqueue = 10\n"


def test_template_gets_the_tenant(folder, pki):
    """As a package installs it: every line is a comment. Its mode and its comments stay."""
    template = harness.run_cli("help", "config").stdout
    (folder / "sfmtls.ini").write_text(template)
    (folder / "sfmtls.ini").chmod(0o640)
    result = harness.run_cli("init", "--offline", *options_of(pki), cwd=folder)
    assert result.returncode == 0, result.stderr
    text = (folder / "sfmtls.ini").read_text()
    assert text.startswith(template) and settings(folder)["listen"] == "localhost:0"
    assert (folder / "sfmtls.ini").stat().st_mode & 0o777 == 0o640
    assert harness.run_cli("init", "--offline", *options_of(pki), cwd=folder).returncode == 2
    assert (folder / "sfmtls.ini").read_text() == text


@pytest.mark.parametrize("change, words", [
    ({"server": None}, "--server is missing"), ({"company_id": None}, "--company-id is missing"),
    ({"certificate": None}, "--certificate is missing"), ({"private_key": None}, "--private-key is missing"),
    ({"server": "host:0"}, "host:0"), ({"company_id": "A B"}, "A B"), ({"certificate": "none.pem"}, "none.pem"),
    ({"company_id": "A\n[proxy]"}, "--company-id"), ({"listen": "x"}, "--listen"),
    ({"private_key": "none.key"}, "none.key"), ({"server": "a\nallow-remote = yes"}, "--server"),
])
def test_wrong_options(change, words, folder, pki):
    """Without a terminal nobody is asked, and a value stays one value of one line."""
    result = harness.run_cli("init", *options_of(pki, **change), cwd=folder, stdin="")
    assert result.returncode == 2 and words in result.stderr, result.stderr
    assert not (folder / "sfmtls.ini").exists()


def test_written_but_not_in_order(folder, pki):
    """A check that fails leaves the file, and the exit status says so."""
    for name in ("expired-chain.pem", "expired.key"):
        shutil.copy(pki / name, folder / name)
    result = harness.run_cli("init", *options_of(pki, certificate="expired-chain.pem", private_key="expired.key"),
                             cwd=folder)
    assert result.returncode == 1 and "expired on 2021-01-01" in result.stderr, result.stderr
    assert (folder / "sfmtls.ini").exists()
