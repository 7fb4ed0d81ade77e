"""Settings of the environment and of --set: their names, which of them counts, where each value comes from."""
import json
import os
import random
import re

import pytest

import harness
from test_config import ROOT, sentence_of

REFERENCE = (ROOT / "conf/sfmtls.ini").read_text()
SECTIONS = dict(zip(("proxy", "tenant"), (re.findall(r"^;([a-z][A-Za-z.-]*) = (.*)$", part, re.M)
                                          for part in REFERENCE.split("\n;[tenant acme]\n"))))
NAMED = [(section, key) for section, rows in SECTIONS.items() for key, _ in rows if not key.startswith("header.")]


def variable(key, tenant=None):
    """As the manual says, by Python's own means."""
    return "_".join(["SFMTLS", *(["TENANT", tenant] if tenant else []), key]).upper().replace("-", "_")


def lone(pki, port=1, **more):
    return {"SFMTLS_LISTEN": "127.0.0.1:0", "SFMTLS_COMPANY_ID": "ACME", "SFMTLS_SERVER": f"localhost:{port}",
            "SFMTLS_CERTIFICATE": f"{pki}/acme-all.pem", "SFMTLS_CA_FILE": f"{pki}/ca.pem", **more}


def tried(folder, *arguments, **env):
    return harness.run_cli("run", "-t", *arguments, env=env, cwd=folder)


def shown(result):
    """{(tenant or None, key): (value, where)} of what `run -t` shows."""
    assert result.returncode == 0, result
    *lines, last = result.stdout.splitlines()
    assert last.startswith("configuration ok: ")
    rows = [re.fullmatch(r"(?:(\S+)\.)?([a-z-]+) = (.*) \((.*)\)", line).groups() for line in lines]
    assert len({(tenant, key) for tenant, key, *_ in rows}) == len(rows)
    return {(tenant, key): (value, where) for tenant, key, value, where in rows}


def test_tests_have_no_settings_for_the_program():
    assert not [name for name in os.environ if name.startswith("SFMTLS_")]


def test_environment_alone_makes_a_call(nginx, pki, tmp_path, started):
    """With an encrypted key, whose passphrase is in a variable of any name; Kubernetes' own are no settings."""
    environment = lone(pki, nginx.port, SFMTLS_CERTIFICATE=f"{pki}/acme-chain.pem", SFMTLS_LOG_FORMAT="text",
                       SFMTLS_PRIVATE_KEY=f"{pki}/acme-encrypted.key", SFMTLS_PASSPHRASE_ENV="SFMTLS_PASSPHRASE",
                       SFMTLS_PASSPHRASE=(pki / "acme.pass").read_text().strip(), SFMTLS_PORT="tcp://10.0.0.1:8080",
                       SFMTLS_PORT_8080_TCP="tcp://10.0.0.1:8080", SFMTLS_SERVICE_HOST="10.0.0.1")
    p = harness.Proxy(tmp_path, None, environment=environment)
    started.append(p)
    seen = p.request(target="/who").json()
    assert seen["company"] == "ACME" and "CN=acme_user" in seen["subject"]


def test_commands_ask_the_proxy_that_the_environment_names(nginx, pki, tmp_path, started):
    """As in a container without a file."""
    environment = lone(pki, nginx.port, SFMTLS_ADMIN_ACTIONS="yes")
    done = harness.run_cli("status", env=environment, cwd=tmp_path)
    assert done.returncode == 2 and re.match("sfmtls: the environment: .*set SFMTLS_ADMIN=", done.stderr), done.stderr
    environment["SFMTLS_ADMIN"] = f"unix:{tmp_path}/admin"
    p = harness.Proxy(tmp_path, None, environment=environment)
    started.append(p)
    for command in ("status", "wait", "reload", "check", "quit"):
        done = harness.run_cli(command, env=environment, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stderr)
    assert p.wait() == 0


@pytest.mark.parametrize("section, key", NAMED, ids=" ".join)
def test_each_option_has_a_variable(section, key, tmp_path):
    """An empty value is refused, and the sentence proves which option was meant."""
    named = variable(key, "acme" if section == "tenant" else None)
    sentence = sentence_of(tried(tmp_path, **{named: ""}))
    assert sentence.startswith(f"{named}: `{key}` has no value; "), sentence


def test_defaults_by_the_environment(pki, tmp_path):
    """All that have one, at once: each is taken, shown, and takes effect nowhere."""
    defaults = {key: value for section in SECTIONS.values() for key, value in section
                if f"Default: {value}." in REFERENCE and key not in ("server", "listen")}
    assert len(defaults) > 30
    rows = shown(tried(tmp_path, **lone(pki), **{variable(key): value for key, value in defaults.items()}))
    for key, value in defaults.items():
        tenant = None if key in dict(SECTIONS["proxy"]) else "default"
        assert rows[tenant, key] == (value, variable(key))


def test_tenants_of_any_name(pki, tmp_path):
    """Names made of the words of options; the longest option at the end of a variable is the option."""
    seed = int(harness.setting("SEED", random.randrange(10**6)))
    choose = random.Random(seed)
    keys = sorted((key for section, key in NAMED if section == "tenant"), key=len)
    words = sorted({word for key in keys for word in key.split("-")} | {"acme", "eu", "tenant", "1"})
    environment = {"SFMTLS_LISTEN": "127.0.0.1:0"}
    for _ in range(30):
        name = "-".join(choose.choices(words, k=choose.randint(1, 3)))[:32].rstrip("-")
        environment |= {variable("server", name): "localhost:1", variable("company-id", name): name[:20],
                        variable("certificate", name): f"{pki}/acme-all.pem",
                        variable("ca-file", name): f"{pki}/ca.pem",
                        variable("max-upstream", name): str(choose.randint(1, 99))}
    want = {(None, "listen"): ("127.0.0.1:0", "SFMTLS_LISTEN")}
    for name, value in environment.items():
        if rest := re.fullmatch("SFMTLS_TENANT_(.*)", name):
            end = max((key for key in keys if rest[1].endswith("_" + variable(key)[len("SFMTLS_"):])), key=len)
            want[rest[1][:-len(end) - 1].lower().replace("_", "-"), end] = (value, name)
    assert shown(tried(tmp_path, **environment)) == want, f"SFMTLS_SEED={seed}"


# ---- which counts ----

SOURCES = ("file", "environment", "arguments")


def test_random_mixtures_of_sources(pki, tmp_path):
    """Options of each kind in any of the sources: the last source that has one counts, and the others are named."""
    seed = int(harness.setting("SEED", random.randrange(10**6)))
    choose = random.Random(seed)
    values = {(None, "queue"): "123", (None, "host-names"): "abc", (None, "log-format"): ["json", "text"],
              ("acme", "company-id"): "ABC", ("acme", "allow"): ["GET /a", "GET /b, GET /c"],
              ("acme", "max-upstream"): "123", ("acme", "certificate"): [f"{pki}/acme-all.pem"],
              ("acme", "server"): ["localhost:1", "localhost:2"], ("acme", "ca-file"): [f"{pki}/ca.pem"]}
    needed = {("acme", key) for key in ("company-id", "certificate", "server", "ca-file")}
    for _ in range(harness.count(20, 300)):
        drawn = {option: {s: choose.choice(values[option]) for s in SOURCES if choose.random() < 0.5}
                 for option in values}
        for option in needed:
            drawn[option] = drawn[option] or {choose.choice(SOURCES): values[option][0]}
        at = {}
        lines = ["[proxy]", "listen = 127.0.0.1:0"]
        for section in (None, "acme"):
            lines += ["[tenant acme]"] if section else []
            for (tenant, key), by in drawn.items():
                if tenant == section and "file" in by:
                    lines.append(f"{key} = {by['file']}")
                    at[tenant, key] = f"sfmtls.ini:{len(lines)}"
        (tmp_path / "sfmtls.ini").write_text("\n".join(lines) + "\n")
        environment = {variable(key, tenant): by["environment"]
                       for (tenant, key), by in drawn.items() if "environment" in by}
        arguments = [word for (tenant, key), by in drawn.items() if "arguments" in by
                     for word in ("--set", f"{tenant + '.' if tenant else ''}{key}={by['arguments']}")]
        want = {}
        for (tenant, key), by in drawn.items():
            places = {"file": at.get((tenant, key)), "environment": variable(key, tenant),
                      "arguments": f"--set {tenant + '.' if tenant else ''}{key}"}
            having = [source for source in SOURCES if source in by]
            if having[-1:] not in ([], ["file"]):
                replaced = f" in place of {places[having[-2]]}" if having[:-1] else ""
                want[tenant, key] = (by[having[-1]], places[having[-1]] + replaced)
        assert shown(tried(tmp_path, *arguments, **environment)) == want, f"SFMTLS_SEED={seed}"


@pytest.mark.parametrize("environment, arguments, company", [
    ({}, [], "FILE"), ({"SFMTLS_TENANT_ACME_COMPANY_ID": "ENV"}, [], "ENV"),
    ({"SFMTLS_TENANT_ACME_COMPANY_ID": "ENV"}, ["--set", "acme.company-id=SET"], "SET"),
], ids=["file", "environment", "command line"])
def test_what_the_server_sees(environment, arguments, company, nginx, tenant, proxy):
    """Before and after a reload, which reads the file again, and the environment as it was."""
    sections = tenant(nginx.port, company="FILE")
    p = proxy(sections, environment=environment, arguments=arguments)
    assert p.request(target="/who").json()["company"] == company
    p.rewrite(p.config.read_text().replace("FILE", "LATER"))
    p.said("reloaded")
    assert p.request(target="/who").json()["company"] == company.replace("FILE", "LATER")


def test_reload_without_the_tenant_that_an_option_names(nginx, tenant, proxy):
    """Is refused: the option alone is no tenant."""
    p = proxy(tenant(nginx.port), arguments=["--set", "acme.max-upstream=3"])
    p.rewrite(p.config.read_text().replace("[tenant acme]", "[tenant other]"))
    line = p.said("not reloaded")
    assert "--set acme.max-upstream: the tenant acme has no `company-id`" in line, line
    assert p.request(target="/who").status == 200


@pytest.mark.parametrize("change, place, words", [
    ({"SFMTLS_COMPANY_ID": None}, "the environment", "has no `company-id`; add SFMTLS_COMPANY_ID"),
    ({"SFMTLS_SERVER": None}, "the environment", "has no `server`; add SFMTLS_SERVER"),
    ({"SFMTLS_CERTIFICATE_SOURCE": "destination-service"}, "SFMTLS_CERTIFICATE_SOURCE",
     "`service-key-file` is missing"),
    ({"SFMTLS_SERVER": "a/b"}, "SFMTLS_SERVER", "is not a server"),
    ({"SFMTLS_CERTIFICATE": "/none/a.pem"}, "SFMTLS_CERTIFICATE", "/none/a.pem"),
    ({"SFMTLS_CA_FILE": "/none/ca.pem"}, "SFMTLS_CA_FILE", "/none/ca.pem"),
    ({"SFMTLS_LISTEN": "0.0.0.0:1"}, "SFMTLS_LISTEN", "can be reached from other machines"),
    ({"SFMTLS_QUEUE": "many"}, "SFMTLS_QUEUE", "is not a whole number"),
    ({"SFMTLS_PRIVATE_KEY": "{pki}/globex.key"}, "SFMTLS_PRIVATE_KEY", "does not belong to the certificate"),
    ({"SFMTLS_PASSPHRASE_ENV": "KEY_WORD"}, "SFMTLS_PASSPHRASE_ENV", "KEY_WORD is not set"),
    ({"SFMTLS_PARENT_PROXY_USER": "u"}, "SFMTLS_PARENT_PROXY_USER", "without a `parent-proxy`"),
    ({"SFMTLS_TENANT_ACME_RATE": "off"}, "SFMTLS_CA_FILE", "there is the tenant acme (SFMTLS_TENANT_ACME_RATE)"),
], ids=lambda value: " ".join(value) if isinstance(value, dict) else "")
def test_flaw_names_the_variable_at_fault(change, place, words, pki, tmp_path):
    """And no other, but for one that is to be added or that contradicts it."""
    environment = lone(pki, **{"SFMTLS_CERTIFICATE": f"{pki}/acme-chain.pem",
                               "SFMTLS_PRIVATE_KEY": f"{pki}/acme.key"})
    environment |= {name: value and value.format(pki=pki) for name, value in change.items()}
    if "SFMTLS_PASSPHRASE_ENV" in change:
        environment["SFMTLS_PRIVATE_KEY"] = f"{pki}/acme-encrypted.key"
    sentence = sentence_of(tried(tmp_path, **{name: value for name, value in environment.items() if value}))
    assert sentence.startswith(f"{place}: ") and words in sentence, sentence
    others = set(re.findall("SFMTLS_[A-Z_]+", sentence)) - {place, *change, "SFMTLS_TENANT_ACME_KEY"}
    assert not others, sentence


def test_place_of_a_tenant_of_the_environment(pki, tmp_path):
    """Is no variable that happens to be the first."""
    text = harness.run_cli("explain", "/x", env=lone(pki, SFMTLS_LISTEN="127.0.0.1:8080"), cwd=tmp_path).stdout
    assert re.search(r"(?m)^tenant +default \(the only one; the environment\)$", text), text


def test_every_command_takes_settings(nginx, pki, tenant, proxy, tmp_path):
    """That loads a configuration; `--set` counts before the file, as for `run`."""
    p = proxy(tenant(harness.closed_port()), admin="localhost:1", arguments=[
        "--set", f"acme.connect-to=127.0.0.1:{nginx.port}", "--set", f"admin=unix:{tmp_path}/admin"])
    there = ["-c", str(p.config), "--set", f"admin=unix:{tmp_path}/admin"]
    set_server = ["--set", f"acme.connect-to=127.0.0.1:{nginx.port}"]
    assert harness.run_cli("check", "-c", str(p.config)).returncode == 1
    for words in (["check", *set_server], ["status"], ["wait"],
                  ["explain", *set_server, "--set", "listen=[::1]:1", "/x"]):
        done = harness.run_cli(words[0], *there, *words[1:])
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert re.search(r"(?m)^setting +acme.connect-to = \S+ \(--set acme.connect-to in place of ", done.stdout)
    told = json.loads(harness.run_cli("support", *there, *set_server).stdout)
    assert [tenant["result"] for tenant in told["check"]["tenants"]] != ["fail"] and told["status"]
    for word in ("check", "explain", "support", "status", "wait", "reload", "quit"):
        done = harness.run_cli(word, "-c", str(p.config), "--set", "quee=3", *(["/x"] if word == "explain" else []))
        assert done.returncode == 2 and "did you mean `queue`?" in done.stderr, (word, done.stderr)
        assert f"sfmtls {word} --help" in harness.run_cli(word, "--set", "queue").stderr


def test_local_ca_for_a_server_that_is_set(pki, tmp_path, tenant):
    (tmp_path / "sfmtls.ini").write_text(tenant(443))
    made = harness.run_cli("ca", "init", "--set", "acme.server=other.example", "--set", f"local-ca={tmp_path}/ca",
                           cwd=tmp_path)
    assert made.returncode == 0 and "other.example" in made.stdout, made.stderr
    shown_ = harness.run_cli("ca", "show", "--set", f"local-ca={tmp_path}/ca", cwd=tmp_path)
    assert shown_.returncode == 0 and "other.example" in shown_.stdout, shown_.stderr


@pytest.mark.parametrize("arguments, words", [
    (["--set", "queue"], "KEY=VALUE"), (["--set", "=3"], "KEY=VALUE"), (["--set"], "wants a value"),
    (["--set", "header.X-Key=hunter2"], "`header.X-Key` cannot be set by the command line"),
    (["--set", "default.header.X-Key=hunter2"], "cannot be set by the command line"),
    (["--set", "passphrase=hunter2"], "passphrase-file"), (["--set", "queue=1", "--set", "queue=2"], "second time"),
    (["--set", "quee=2"], "did you mean `queue`?"), (["--server", "x", "--set", "server=y"], "second time"),
])
def test_wrong_set(arguments, words, pki, tmp_path):
    sentence = sentence_of(tried(tmp_path, *arguments, **lone(pki)))
    assert words in sentence and "hunter2" not in sentence


def test_list_is_replaced_whole_and_adds_up_within_one_source(pki, tmp_path, started, nginx):
    (tmp_path / "sfmtls.ini").write_text(
        "[proxy]\nlisten = unix:/none/a, 127.0.0.1:0\nlisten = 127.0.0.1:0\n[tenant acme]\n")
    environment = {key.replace("SFMTLS_", "SFMTLS_TENANT_ACME_"): value for key, value in lone(pki, nginx.port).items()
                   if key != "SFMTLS_LISTEN"}
    p = harness.Proxy(tmp_path, (tmp_path / "sfmtls.ini").read_text(), environment=environment | {"SFMTLS_LISTEN": "x"},
                      arguments=["--set", "listen=127.0.0.1:0", "--set", "listen=127.0.0.1:0,[::1]:0"])
    started.append(p)
    assert len(p.addresses) == 3


def test_local_ca_for_servers_of_the_environment(pki, tmp_path):
    made = harness.run_cli("ca", "init", "--dir", str(tmp_path / "ca"), cwd=tmp_path, env=lone(pki))
    assert made.returncode == 0, made.stderr
    made = harness.run_cli("ca", "init", "--dir", str(tmp_path / "b"), cwd=tmp_path, env=lone(pki, SFMTLS_QUEU="3"))
    assert "SFMTLS_QUEU: " in sentence_of(made)


def test_explain_shows_where_values_come_from(pki, tmp_path, tenant):
    """Those that the file does not have so, of [proxy] and of the tenant that the request would get."""
    (tmp_path / "sfmtls.ini").write_text("[proxy]\nlisten = 127.0.0.1:8080\n" + tenant(443)
                                         + tenant(444, "globex", "GLOBEX"))
    environment = {"SFMTLS_TENANT_ACME_RATE": "off", "SFMTLS_TENANT_GLOBEX_RATE": "off", "SFMTLS_LISTEN": "127.0.0.1:1"}
    words = ["explain", "-c", str(tmp_path / "sfmtls.ini"), "-H", "successfactors-companyid: ACME", "/odata/v2/User"]
    text = harness.run_cli(*words, env=environment).stdout
    assert re.findall(r"(?m)^setting +(.*)$", text) == [
        f"listen = 127.0.0.1:1 (SFMTLS_LISTEN in place of {tmp_path}/sfmtls.ini:2)",
        "acme.rate = off (SFMTLS_TENANT_ACME_RATE)"], text
    told = json.loads(harness.run_cli(*words, "--json", env=environment).stdout)
    assert [(s["key"], s["tenant"], s["value"], s["where"]) for s in told["settings"]] == [
        ("listen", None, "127.0.0.1:1", "SFMTLS_LISTEN"), ("rate", "acme", "off", "SFMTLS_TENANT_ACME_RATE")]
