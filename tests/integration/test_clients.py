"""Real clients, unchanged, with Basic credentials of the old kind: each pages through all, and gets each row once."""
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS, MODULES = ROOT / "tests/integration/clients", ROOT / "build/npm/node_modules"
ROWS, PAGE, USERS = 5000, 500, 1000
BASIC = "sfadmin@ACME:secret"


class SuccessFactors(harness.Recorder):
    """Pages as SF does: OData v2 by __next, an absolute URL with the port; SCIM by startId."""

    def __init__(self, pki):
        super().__init__(pki, self._answer)

    def _answer(self, c, seen):
        path, _, query = seen.target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        page = self._odata(query) if path == "/odata/v2/User" else self._scim(query)
        c.reply(json.dumps(page).encode(), fields="Content-Type: application/json;charset=utf-8\r\n"
                "Set-Cookie: JSESSIONID=abc; Path=/; Secure; HttpOnly\r\n")

    def _odata(self, query):
        at = int(query.get("$skiptoken", 0))
        base = f"https://localhost:{self.port}/odata/v2/User"
        page = {"results": [{"__metadata": {"uri": f"{base}('u{i}')"}, "userId": f"u{i}"}
                            for i in range(at, at + PAGE)]}
        if at + PAGE < ROWS:
            page["__next"] = f"{base}?$select=userId&$format=json&$skiptoken={at + PAGE}"
        return {"d": page}

    def _scim(self, query):
        at = int(query["startId"]) if query["startId"] != "initial" else 0
        following = at + int(query["count"])
        return {"Resources": [{"id": f"s{i}", "meta": {"location": f"https://localhost:{self.port}/Users/s{i}"}}
                              for i in range(at, following)], "nextId": str(following) if following < USERS else "end"}


ODATA, SCIM = "/odata/v2/User?$select=userId&$format=json", "/rest/iam/scim/v2/Users?count=100&startId=initial"
WANTED = {ODATA: [f"u{i}" for i in range(ROWS)], SCIM: [f"s{i}" for i in range(USERS)]}


def run(*arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=120,
                          env={**clean, **{k: v for k, v in environment.items() if v}})
    assert done.returncode == 0, done.stderr
    return done.stdout


def pages(start, get):
    """Follows the links that get(url) finds, as a script around a command does."""
    rows, url = [], start
    while url:
        page = json.loads(get(url))
        if "d" in page:
            rows += [row["userId"] for row in page["d"]["results"]]
            url = page["d"].get("__next")
        else:
            rows += [row["id"] for row in page["Resources"]]
            end = page["nextId"] == "end"
            url = None if end else start.split("?")[0] + f"?count=100&startId={page['nextId']}"
    return rows


def curl(starts, proxy, ca):
    options = ["-sS", "--fail-with-body", "-u", BASIC]
    options += [*(["-x", proxy] if proxy else []), *(["--cacert", ca] if ca else [])]
    return [row for start in starts for row in pages(start, lambda url: run("curl", *options, url))]


def wget(starts, proxy, ca):
    user, password = BASIC.split(":")
    options = ["-qO-", f"--user={user}", f"--password={password}", *([f"--ca-certificate={ca}"] if ca else [])]
    env = {"http_proxy": proxy, "https_proxy": proxy}
    return [row for start in starts for row in pages(start, lambda url: run("wget", *options, url, **env))]


def requests(starts, proxy, ca):
    options = [*(["--proxy", proxy] if proxy else []), *(["--ca", ca] if ca else []), "--basic", BASIC]
    return [row for start in starts for row in run("/usr/bin/python3", CLIENTS / "page.py", *options, start).split()]


def node(how):
    def client(starts, proxy, ca):
        env = {"PROXY": proxy, "CA": ca and str(ca), "BASIC": BASIC, "NODE_EXTRA_CA_CERTS": ca and str(ca),
               "NODE_PATH": str(MODULES)}
        return [row for start in starts for row in run("node", CLIENTS / "page.js", how, start, **env).split()]
    return client


def java(starts, proxy, ca):
    store = "-Djavax.net.ssl.trustStore"
    trust = [f"{store}={ca}.jks", f"{store}Password=changeit"] if ca else []
    return run("java", *trust, CLIENTS / "Page.java", *starts, PROXY=proxy, BASIC=BASIC).split()


def newman(starts, proxy, ca):
    rows = []
    for start in starts:
        user, password = BASIC.split(":")
        variables = {"start": start, "next": start, "user": user, "password": password}
        words = [word for name, value in variables.items() for word in ("--env-var", f"{name}={value}")]
        with tempfile.TemporaryDirectory() as folder:
            run(MODULES / ".bin/newman", "run", CLIENTS / "pages.postman_collection.json", "--silent", *words,
                "--export-environment", f"{folder}/env", http_proxy=proxy, https_proxy=proxy,
                NODE_EXTRA_CA_CERTS=ca and str(ca))
            values = json.loads(pathlib.Path(folder, "env").read_text())["values"]
        rows += next(v["value"] for v in values if v["key"] == "rows").split()
    return rows


KINDS = {"curl": curl, "newman": newman, "wget": wget, "requests": requests, "java": java,
         "fetch": node("fetch"), "axios": node("axios")}


@pytest.fixture(scope="module")
def sf(pki, tenant, tmp_path_factory):
    """The server, the proxy before it with a local CA, and that CA as a file (and .jks for Java)."""
    server = SuccessFactors(pki)
    folder = tmp_path_factory.mktemp("clients")
    text = f"[proxy]\nlisten = {harness.localhost()}\nlocal-ca = {folder}/ca\n" + tenant(server.port)
    root = harness.make_local_ca(folder, text)
    run("keytool", "-importcert", "-noprompt", "-storepass", "changeit", "-alias", "sfmtls", "-file",
        root, "-keystore", f"{root}.jks")
    p = harness.Proxy(folder, text)
    yield p, server, root
    p.stop()
    server.stop()


@pytest.mark.parametrize("way", ["base URL", "http_proxy", "https_proxy"])
@pytest.mark.parametrize("name", KINDS)
def test_pages_of_results_are_followed_by_real_clients(sf, name, way):
    p, server, ca = sf
    server.take()
    base = {"base URL": f"http://localhost:{p.port}", "http_proxy": f"http://localhost:{server.port}",
            "https_proxy": f"https://localhost:{server.port}"}[way]
    proxy = None if way == "base URL" else f"http://localhost:{p.port}"
    rows = KINDS[name]([base + path for path in WANTED], proxy, ca if way == "https_proxy" else None)
    assert rows == [row for wanted in WANTED.values() for row in wanted]
    seen = server.take()
    assert len(seen) == ROWS // PAGE + USERS // 100
    assert {(tuple(s.all("authorization")), s.all("successfactors-companyid")[0]) for s in seen} == {((), "ACME")}
