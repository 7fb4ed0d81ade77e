"""The Postman collection of conf/examples, run by newman through the proxy before a server that answers as SF does."""
import json
import os
import pathlib
import subprocess

import pytest

import harness
import test_cli

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "conf/examples/sfmtls.postman_collection.json"
NEWMAN = ROOT / "build/npm/node_modules/.bin/newman"

USER = ('{"__metadata":{"uri":"https://api4.successfactors.com:443/odata/v2/User(\'%s\')","type":"SFOData.User"},'
        '"userId":"%s","status":"t"}')
ANSWERS = {
    "= /odata/v2/User": ("application/json", '{"d":{"results":[%s]}}' % ",".join(USER % (n, n) for n in "abc")),
    "= /odata/v2/User/$count": ("text/plain", "42"),
    "~ ^/odata/v2/User\\('sfadmin'\\)": ("application/json", '{"d":%s}' % (USER % ("sfadmin", "sfadmin"))),
    "= /odata/v2/$metadata": ("application/xml", '<?xml version="1.0"?><edmx:Edmx Version="1.0" '
                              'xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"/>'),
    "= /odata/v2/$batch": ("multipart/mixed; boundary=batch_x", "--batch_x--"),
    "= /odata/v2/upsert": ("application/json", '{"d":[{"key":"sfadmin","status":"OK","editStatus":"UPSERTED",'
                           '"message":null,"index":0,"httpCode":200,"inlineResults":null}]}'),
    "= /rest/iam/scim/v2/Users": (
        "application/scim+json", '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,'
        '"itemsPerPage":100,"startId":"initial","nextId":"end","Resources":[{"id":"1","userName":"sfadmin"}]}'),
    "= /rest/iam/scim/v2/Groups": (
        "application/scim+json", '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[]}'),
}


@pytest.fixture(scope="module")
def successfactors(pki, tmp_path_factory):
    """An nginx that insists on client certificates; .seen() are its requests, as lists of words."""
    folder = tmp_path_factory.mktemp("sf")
    locations = "".join(f"location {place} {{ default_type '{kind}'; return 200 '{escape(text)}'; }}\n"
                        for place, (kind, text) in ANSWERS.items())
    server = harness.Nginx(
        folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        access_log {folder}/seen.log seen; {locations}""",
        "log_format seen '$request_method $request_uri company=$http_successfactors_companyid "
        "verify=$ssl_client_verify authorization=$http_authorization status=$status host=$http_host';")
    server.seen = lambda: [line.split(" ") for line in (folder / "seen.log").read_text().splitlines()]
    yield server
    server.stop()


def escape(text):
    """For a quoted text of nginx; there is no way to write a dollar sign."""
    assert "$" not in text
    return text.replace("\\", "\\\\").replace("'", "\\'")


def newman(folder, environment=None, **variables):
    """Runs the collection; its report. environment: in place of NO_PROXY."""
    assert NEWMAN.exists(), ("newman is missing; tests/run.sh installs it, or: mkdir -p build/npm && cp "
                             "tests/integration/package*.json build/npm && npm --prefix build/npm ci --ignore-scripts")
    report = folder / "report.json"
    words = [word for name, value in variables.items() for word in ("--env-var", f"{name}={value}")]
    result = subprocess.run([NEWMAN, "run", COLLECTION, "--reporters", "cli,json", "--reporter-json-export", report,
                             "--color", "off", "--disable-unicode", *words], capture_output=True, text=True,
                            timeout=4 * harness.LIMIT, env={**os.environ, **(environment or {"NO_PROXY": "*"})})
    report = json.loads(report.read_text())["run"]
    assert result.returncode == 0 and not report["failures"], result.stdout + result.stderr
    return report


def names_of(items):
    for item in items:
        yield from names_of(item["item"]) if "item" in item else [item["name"]]


def test_collection_is_what_postman_imports():
    collection = json.loads(COLLECTION.read_text())
    assert collection["info"]["schema"].endswith("/collection/v2.1.0/collection.json")
    variables = {v["key"]: v["value"] for v in collection["variable"]}
    assert variables["baseUrl"] == "http://localhost:8080" and variables["companyId"] == ""
    assert variables["allowWrites"] == "no"
    assert collection["auth"] == {"type": "noauth"}
    names = list(names_of(collection["item"]))
    assert len(names) == len(set(names))


@pytest.mark.parametrize("company", ["", "ACME"])
def test_collection_through_the_proxy(company, proxy, tenant, successfactors, tmp_path):
    """Every request, every test in it; nothing is asked of the caller but the proxy's URL."""
    p = proxy(tenant(successfactors.port), listen=harness.localhost())
    before = len(successfactors.seen())
    report = newman(tmp_path, baseUrl=p.url("").rstrip("/"), companyId=company, allowWrites="yes")
    wanted = list(names_of(json.loads(COLLECTION.read_text())["item"]))
    answered = [e["item"]["name"] for e in report["executions"] if "response" in e]
    assert answered == wanted
    assert report["stats"]["assertions"]["total"] >= len(wanted) and report["stats"]["assertions"]["failed"] == 0
    seen = successfactors.seen()[before:]
    assert len(seen) == len(wanted) - 1, "the company that is not known gets nowhere"
    for method, target, *words in seen:
        assert words == ["company=ACME", "verify=SUCCESS", "authorization=-", "status=200",
                         f"host=localhost:{successfactors.port}"], (method, target)


def test_collection_with_the_demo(tmp_path, started):
    """Whoever has nothing but the demo can send all of it."""
    started.append(test_cli.Demo(tmp_path, "--listen", harness.localhost().split(",")[0]))
    report = newman(tmp_path, baseUrl=f"http://{started[-1].address}", allowWrites="yes")
    wanted = list(names_of(json.loads(COLLECTION.read_text())["item"]))
    assert [e["item"]["name"] for e in report["executions"] if "response" in e] == wanted
    assert report["stats"]["assertions"]["failed"] == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_collection_by_a_proxy_setting(scheme, proxy, tenant, successfactors, tmp_path):
    """The URL is the server's own; newman tunnels (CONNECT) either way, and trusts the local CA."""
    root = harness.make_local_ca(tmp_path, "[proxy]\nlocal-ca = ca\n" + tenant(successfactors.port))
    p = proxy(tenant(successfactors.port), local_ca=tmp_path / "ca", listen=harness.localhost())
    before = len(successfactors.seen())
    newman(tmp_path, {f"{scheme}_proxy": p.url(""), "NODE_EXTRA_CA_CERTS": str(root)},
           baseUrl=f"{scheme}://localhost:{successfactors.port}", companyId="ACME")
    seen = successfactors.seen()[before:]
    assert seen and {tuple(words[2:4]) for words in seen} == {("company=ACME", "verify=SUCCESS")}


def test_collection_chooses_among_tenants(proxy, tenant, successfactors, tmp_path):
    p = proxy(tenant(successfactors.port) + tenant(successfactors.port, "globex", "GLOBEX", "globex-all.pem"),
              listen=harness.localhost())
    before = len(successfactors.seen())
    newman(tmp_path, baseUrl=p.url("").rstrip("/"), companyId="GLOBEX")
    assert {words[2] for words in successfactors.seen()[before:]} == {"company=GLOBEX"}


def test_nothing_is_written_unasked(proxy, tenant, successfactors, tmp_path):
    p = proxy(tenant(successfactors.port), listen=harness.localhost())
    before = len(successfactors.seen())
    newman(tmp_path, baseUrl=p.url("").rstrip("/"))
    targets = [words[1] for words in successfactors.seen()[before:]]
    assert targets and not any("upsert" in target for target in targets)
