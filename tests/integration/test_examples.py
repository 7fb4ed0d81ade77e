"""The files that users start from: each is accepted, and serves, once the files it names are there."""
import pathlib
import re
import subprocess

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = {path.name: path for path in sorted((ROOT / "conf/examples").glob("*.ini"))}


KUBERNETES = sorted((ROOT / "docker/kubernetes").glob("*/[dj]*.yaml"))
CONTAINERS = {f"{path.parent.name}/{path.name}": path for path in (ROOT / "docker/compose.yml", *KUBERNETES)
              if "SFMTLS_" in path.read_text()}


def container_settings(name):
    """The variables that a container gets."""
    text = CONTAINERS[name].read_text()
    return dict(re.findall(r'(?m)^ +(?:- \{name: )?(SFMTLS_[A-Z_]+)(?:: |, value: ")([^"\n]*)(?:"\})?$', text))


def put_files(folder, text, pki):
    """Whatever the configuration names, in its place, and a local CA for it."""
    sealed = "passphrase" in text
    key = (pki / ("acme-encrypted.key" if sealed else "acme.key")).read_text()
    for name, content in {
            "acme.key": key, "acme.pass": (pki / "acme.pass").read_text(), "acme-pass": (pki / "acme.pass").read_text(),
            "globex.pass": "correct horse", "acme-test.pem": (pki / "acme-all.pem").read_text(),
            "acme.pem": (pki / ("acme-chain.pem" if "private-key" in text else "acme-all.pem")).read_text()}.items():
        (folder / name).write_text(content)
    subprocess.run(["openssl", "pkcs12", "-export", "-in", pki / "globex-all.pem", "-out", folder / "globex.p12",
                    "-passout", "pass:correct horse"], check=True)
    (folder / "sfmtls.ini").write_text(text)
    if "local-ca" in text:
        harness.make_local_ca(folder, text)


def check(folder, text, pki):
    put_files(folder, text, pki)
    return harness.run_cli("run", "-t", "-c", str(folder / "sfmtls.ini"), env={"CREDENTIALS_DIRECTORY": str(folder)})


def with_comments_removed(text):
    """The lines that an example leaves to the user, switched on."""
    return re.sub(r"(?m)^;(?=[a-z-]+ += )", "", text)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("alternatives", [False, True])
def test_example_is_accepted(name, alternatives, tmp_path, pki):
    text = EXAMPLES[name].read_text().replace("unix:/run/sfmtls", f"unix:{tmp_path}")
    (tmp_path / "acme-next.pem").write_text((pki / "globex-all.pem").read_text())
    result = check(tmp_path, with_comments_removed(text) if alternatives else text, pki)
    assert (result.returncode, result.stdout) == (0, harness.tested_ok(tmp_path / "sfmtls.ini")), result.stderr
    assert not re.search("warning|error", harness.without_limits(result.stderr)), result.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_serves(name, tmp_path, pki, nginx, started):
    """As it stands, but for ports, folders and the server, which this machine has not."""
    text = re.sub(r"(?m)^(listen +=) localhost:80\d\d", r"\1 localhost:0", EXAMPLES[name].read_text())
    text = text.replace("unix:/run/sfmtls", f"unix:{tmp_path}")
    text = re.sub(r"(?m)^(\[tenant .*\])$", rf"\1\nca-file = {pki}/ca.pem\nconnect-to = 127.0.0.1:{nginx.port}", text)
    put_files(tmp_path, text, pki)
    company = re.search(r"company-id += (\S+)", text)[1]
    p = harness.Proxy(tmp_path, text, environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    started.append(p)
    for number, listener in enumerate(p.ready["listeners"]):
        fields = [("Authorization", "Bearer x")]
        if listener["tenant"] is None:
            fields.append(("successfactors-companyid", company))
        answer = p.request(target="/who", listener=number, fields=fields)
        if listener["tenant"] == "acme-test":  # the test's server is not called so
            assert answer.token == "server-certificate-wrong-host"
        else:
            seen = answer.json()
            assert (seen["verify"], seen["authorization"], seen["company"]) == ("SUCCESS", "", company)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_for_newcomers(name):
    """It begins with what it is for, and no line is too long to read."""
    text = EXAMPLES[name].read_text()
    assert re.match(r"; sfmtls (for|beside|as) |; One sfmtls for ", text)
    assert all(len(line) <= 125 and line == line.rstrip() and "\t" not in line for line in text.split("\n"))


def test_readme_names_every_example():
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "conf/examples").iterdir():
        assert path.name in text, path.name


@pytest.mark.parametrize("name", CONTAINERS)
def test_settings_of_container_are_accepted(name, tmp_path, pki):
    """Their paths are those of the mounted volumes."""
    settings = container_settings(name)
    put_files(tmp_path, "private-key", pki)
    (tmp_path / "sfmtls.ini").unlink()
    folders = re.findall(r"mountPath: ([^,]+),|:(/[^:]+):ro", CONTAINERS[name].read_text())
    (tmp_path / "caller-tokens").write_text("a-token-of-32-characters-or-more\n")
    (tmp_path / "caller-tokens").chmod(0o600)
    for variable in {"SFMTLS_CERTIFICATE", "SFMTLS_PRIVATE_KEY", "SFMTLS_CALLER_TOKEN_FILE"} & set(settings):
        folder, file = settings[variable].rsplit("/", 1)
        assert folder in ["".join(f) for f in folders]
        settings[variable] = str(tmp_path / file)
    result = harness.run_cli("run", "-t", env=settings, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("configuration ok: the environment\n")
    assert all(f"({variable})" in result.stdout for variable in settings)
    said = harness.without_limits(result.stderr)
    if "SFMTLS_ALLOW_REMOTE" in settings:  # what is to be said of each such listener
        said = "".join(line for line in said.splitlines() if not re.search("plain HTTP|is left free beside 0", line))
    assert not re.search("warning|error", said), result.stderr


@pytest.mark.parametrize("name", [name for name in CONTAINERS if "compose" not in name])
def test_kubernetes_pod_is_confined(name):
    text = CONTAINERS[name].read_text()
    for words in ("defaultMode: 0440", "readOnlyRootFilesystem: true", "runAsNonRoot: true", "drop: [ALL]",
                  "allowPrivilegeEscalation: false", "mountPath: /etc/sfmtls-key", "enableServiceLinks: false",
                  "fsGroup: 10001", "runAsUser: 10001", "exec: {command: [/usr/bin/sfmtls, wait, --max, 1s]}"):
        assert words in text, words
    assert "USER 10001:10001" in (ROOT / "docker/Dockerfile").read_text()


def test_kustomizations_name_all_files():
    for path in (ROOT / "docker/kubernetes").glob("*/kustomization.yaml"):
        named = re.search(r"resources: \[(.*)\]", path.read_text())[1].split(", ")
        assert sorted(named) == sorted(p.name for p in path.parent.iterdir() if p != path)


@pytest.mark.parametrize("path", [*EXAMPLES, "README.md", "conf/sfmtls.ini",
                                  "conf/man/sfmtls.ini.5.scd"])
def test_examples_leave_no_family_free(path):
    """Where an example listens, callers may say localhost."""
    text = EXAMPLES[path].read_text() if path in EXAMPLES else (ROOT / path).read_text()
    places = re.findall(r"(?m)^\W*(?:listen|admin) *= (.*?)(?:`.*| +;.*)?$", text)
    assert places
    for place in ", ".join(places).split(", "):
        assert re.fullmatch(r"localhost:\d+|unix:\S+|0\.0\.0\.0:\d+", place), place


def test_collection_of_postman_calls_localhost():
    text = (ROOT / "conf/examples/sfmtls.postman_collection.json").read_text()
    assert re.findall(r'"http://([^"/]+)', text) == ["localhost:8080"]
