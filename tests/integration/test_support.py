"""`sfmtls support`: what somebody else needs to see what is wrong, without secrets, and without names unless they are
asked for."""
import base64
import json
import re

import pytest

import harness
import test_check
import test_cli
from test_check import FINE, NOT_MAPPED, world  # noqa: F401 (a fixture)

SECRETS = {"header": "canary-header-5f1c", "token": "canary-token-8d2e-0123456789", "password": "canary-password-77aa",
           "passphrase": "canary passphrase 31"}
NAMES = {"company": "CANARYCOMPANY", "tenant": "canarytenant", "user": "canary_user", "host": "canary-host.example"}


def told(*words, **more):
    result = harness.run_cli("support", *words, **more)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


@pytest.fixture
def planted(world, tmp_path):  # noqa: F811
    """A configuration that is full of names and secrets, of a server that answers with a name."""
    pki = world.pki
    (tmp_path / "token").write_text(SECRETS["token"] + "\n")
    (tmp_path / "pass").write_text(SECRETS["passphrase"])
    test_check.openssl("pkcs8", "-topk8", "-in", pki / "acme.key", "-passout", f"file:{tmp_path}/pass", "-out",
                       tmp_path / "canary-file.key")
    hashed = test_check.subprocess.run(["htpasswd", "-niB", NAMES["user"]], input=SECRETS["password"], text=True,
                                       capture_output=True, check=True).stdout
    (tmp_path / "callers").write_text(hashed)
    place = world.answers(NOT_MAPPED, certificate_next=f"{pki}/globex-all.pem", company=NAMES["company"],
                          name=NAMES["tenant"], callers_file="callers", passphrase_file="pass",
                          private_key="canary-file.key", **{"header.X-Canary-Name": SECRETS["header"]})
    text = place.text.replace("acme-all.pem", "acme-chain.pem")
    admin = harness.unused_port()
    return (f"[proxy]\nlisten = localhost:0\nadmin = localhost:{admin}\ncaller-token-file = token\n"
            f"host-names = {NAMES['host']}\nlog-level = debug\n" + text)


def test_canaries_never_show_up(planted, tmp_path, started):
    """Neither secrets nor names, as they are or encoded; not from the configuration, the check, or the failures."""
    p = harness.Proxy(tmp_path, planted.replace("caller-token-file = token\n", ""))
    started.append(p)
    answer = p.request(target="/odata/v2/User", fields=[("successfactors-companyid", "canary-other")])
    assert answer.token == "tenant-unknown"
    text = told("-c", str(p.config))
    document = json.loads(text)
    assert document["status"]["failures"][0]["code"] == "tenant-unknown"
    assert [walk["identity"] for walk in document["check"]["tenants"]] == ["current", "next"]
    assert any(step.get("code") == "auth0032" for step in document["check"]["tenants"][0]["steps"])
    for canary in [*SECRETS.values(), *NAMES.values(), "canary", str(tmp_path), "acme_user"]:
        for form in (canary, base64.b64encode(canary.encode()).decode(), canary.encode().hex()):
            assert form.lower() not in text.lower(), form
    named = told("-c", str(p.config), "--names")
    for name in (NAMES["company"], NAMES["tenant"], NAMES["host"], "canary-file.key", "canary-other"):
        assert name in named, name
    for secret in [*SECRETS.values(), "X-Canary-Name"]:
        assert secret not in named, secret


def test_status_that_is_not_told(planted, tmp_path, started):
    """A caller token is asked for, which is not given away. Nor is it in the document."""
    p = harness.Proxy(tmp_path, planted)
    started.append(p)
    text = told("-c", str(p.config))
    document = json.loads(text)
    assert (document["status"], document["status_error"]) == (None, {"code": "admin-token-missing"})
    for secret in SECRETS.values():
        assert secret not in text


def test_same_text_is_the_same_hash_once(planted, tmp_path):
    """Within a document; the next one has others. What is no name stays."""
    (tmp_path / "sfmtls.ini").write_text(planted)
    documents = [json.loads(told("-c", str(tmp_path / "sfmtls.ini"))) for _ in range(2)]
    tenants = []
    for document in documents:
        section = document["configuration"]["sections"][1]
        tenant, = {walk["tenant"] for walk in document["check"]["tenants"]}
        assert section["name"] == tenant and re.fullmatch(r"#[0-9a-f]{8}", tenant)
        tenants.append(tenant)
    assert tenants[0] != tenants[1]
    settings = documents[0]["configuration"]["sections"][0]["settings"]
    assert {"key": "log-level", "value": "debug", "line": 6} in settings
    assert documents[0]["versions"]["sfmtls"] and documents[0]["platform"]["system"] == "Linux"
    assert (documents[0]["status"], documents[0]["status_error"]) == (None, {"code": "connection-refused"})


def test_check_in_it_fits_the_schema(world, tmp_path):  # noqa: F811
    (tmp_path / "sfmtls.ini").write_text(world.answers(FINE).text)
    document = json.loads(told("-c", str(tmp_path / "sfmtls.ini"), "--names"))
    test_check.VALIDATOR.validate(document["check"])
    assert document["check"]["tenants"][0]["result"] == "ok" and document["names"] is True


def test_file_is_new_and_for_its_owner(tenant, tmp_path):
    (tmp_path / "sfmtls.ini").write_text(tenant(harness.closed_port()))
    words = ["-c", str(tmp_path / "sfmtls.ini"), "-o", str(tmp_path / "out.json")]
    assert told(*words) == ""
    assert json.loads((tmp_path / "out.json").read_text())["version"] == 1
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600
    assert "out.json" in test_cli.refused("support", *words)


@pytest.mark.parametrize("words, said", [(["x"], "`x`"), (["--what"], "unknown option"),
                                         (["-c", "/nonexistent"], "/nonexistent")], ids=" ".join)
def test_wrong_use(words, said):
    assert said in test_cli.refused("support", *words)
