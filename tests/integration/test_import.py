"""Destinations exported from BTP as tenant sections: every form, what an export leaves out, what it may not do."""
import base64
import json
import os
import re
import subprocess

import pytest

import harness
from test_cli import refused, succeeds

SECRET = "s3cr3t-Horse"
REMOVED = "<< Existing password/certificate removed on export >>"
FULL = {"Type": "HTTP", "Name": "sap_hcmcloud_core_odata", "ProxyType": "Internet", "Description": "core: a#b!",
        "URL": "https://api4.cert.successfactors.com", "Authentication": "ClientCertificateAuthentication",
        "KeyStoreLocation": "mycert.pem", "URL.headers.successfactors-companyid": "ACME",
        "URL.headers.X-Thing": "ä = 1; 2", "HTML5.DynamicDestination": "true"}


# ---- the same destination in every form ----

def escaped(text, key=False):
    """As java.util.Properties.store() writes it."""
    text = re.sub(r"[\\=:#!]" + ("| " if key else "|^ "), lambda m: "\\" + m.group(), text)
    for raw, written in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\f", "\\f")):
        text = text.replace(raw, written)
    return "".join(c if 32 <= ord(c) < 127 else "".join(f"\\u{unit:04X}" for unit in units(c)) for c in text)


def units(c):
    raw = c.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i:i + 2], "big") for i in range(0, len(raw), 2)]


def as_properties(properties, removed=("KeyStorePassword",)):
    return ("".join(f"#{name}={REMOVED}\n" for name in removed) + "#\n#Thu Jun 16 12:17:12 UTC 2022\n" +
            "".join(f"{escaped(k, True)}={escaped(str(v))}\n" for k, v in properties.items()))


def as_yaml(properties, indent=""):
    return "".join(f"{indent}{json.dumps(k)}: {json.dumps(v)}\n" for k, v in properties.items())


def as_plain_yaml(properties):
    return "---\n" + "".join(f"{k}: {v}\n" if re.fullmatch(r"[\w./-]+", str(v)) else f"{k}: '{v}'\n"
                             for k, v in properties.items())


FORMS = {
    "properties": as_properties,
    "properties, CRLF": lambda p: as_properties(p).replace("\n", "\r\n"),
    "properties, CR": lambda p: as_properties(p).replace("\n", "\r"),
    "properties, BOM": lambda p: "\ufeff" + as_properties(p),
    "properties by hand": lambda p: "! by hand\n\n" + "".join(f"  {escaped(k, True)} : \\\n\t {v}\n"
                                                            for k, v in p.items()),
    "properties, blanks for =": lambda p: "".join(f"{escaped(k, True)}\t{v}\n" for k, v in p.items()),
    "JSON": json.dumps,
    "JSON, indented": lambda p: json.dumps(p, indent=2, ensure_ascii=False),
    "JSON, CRLF, BOM": lambda p: "\ufeff" + json.dumps(p, indent=2).replace("\n", "\r\n"),
    "JSON, a list": lambda p: json.dumps([p]),
    "JSON, the service's answer": lambda p: json.dumps(
        {"owner": {"SubaccountId": "a61e", "InstanceId": None}, "destinationConfiguration": p, "certificates": [
            {"Name": "mycert.pem", "Content": base64.b64encode(SECRET.encode()).decode(), "Type": "CERTIFICATE"}],
         "authTokens": [{"type": "bearer", "value": SECRET, "http_header": {"value": SECRET}}]}),
    "JSON, nested": lambda p: json.dumps({"destinations": [{"URL.headers": {
        k[12:]: v for k, v in p.items() if k.startswith("URL.headers.")},
        **{k: v for k, v in p.items() if not k.startswith("URL.headers.")}}]}),
    "YAML": as_yaml,
    "YAML, plain": as_plain_yaml,
    "YAML, CRLF, BOM": lambda p: "\ufeff" + as_plain_yaml(p).replace("\n", "\r\n"),
    "YAML, a list": lambda p: "# exported\n-\n" + as_yaml(p, "  "),
    "YAML, the service's answer": lambda p: "destinationConfiguration:\n" + as_yaml(p, "    "),
}


def write(folder, content, name="export"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sections(text):
    """{tenant: {key: value}} of what was written, as the configuration's own rules read it; and that there is nothing
    else in it."""
    found = {}
    for line in text.split("\n"):
        if not line or line.startswith(";"):
            continue
        header = re.fullmatch(r"\[tenant ([A-Za-z0-9._-]{1,32})\]", line)
        if header:
            assert header[1] not in found
            found[header[1]] = {}
            continue
        key, value = re.fullmatch(r"([!-9;-<>-~]+) = (\S|\S.*\S)", line).groups()
        assert re.fullmatch(r"company-id|server|certificate|passphrase-file|header\..+", key), key
        section = found[list(found)[-1]]
        assert key not in section and not re.search(r"(^|\s);", value)
        section[key] = value
    return found


def comments(text):
    """All of them as one line, since they are wrapped."""
    return " ".join(line[2:] for line in text.split("\n") if line.startswith("; "))


def imported(folder, content, **kwargs):
    text = succeeds("import", str(write(folder, content)), **kwargs)
    assert all(line.isprintable() and len(line) <= 120 for line in text.split("\n"))
    return text


WANTED = {"sap_hcmcloud_core_odata": {"company-id": "ACME", "server": "api4.cert.successfactors.com",
                                     "certificate": "mycert.pem", "header.X-Thing": "ä = 1; 2"}}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_section(form, tmp_path):
    text = imported(tmp_path, FORMS[form](FULL))
    wanted = dict(WANTED["sap_hcmcloud_core_odata"])
    if REMOVED in FORMS[form](FULL):
        wanted["passphrase-file"] = "sap_hcmcloud_core_odata.pass"
    assert sections(text) == {"sap_hcmcloud_core_odata": wanted}
    assert SECRET not in text and base64.b64encode(SECRET.encode()).decode() not in text
    assert re.search(r"Not used: [^:]*Description, [^:]*HTML5\.DynamicDestination\.", comments(text))
    assert "core: a#b!" not in text


@pytest.mark.parametrize("form", ["properties", "JSON", "YAML"])
def test_standard_input(form):
    content = FORMS[form](FULL)
    assert "[tenant sap_hcmcloud_core_odata]" in succeeds("import", "-", stdin=content)
    assert refused("import", "-", stdin="") == ("sfmtls: standard input: it is empty; name a destination exported from "
                                                "BTP\n")


def test_the_form_is_told_by_the_content(tmp_path):
    for name, form in (("a.json", "properties"), ("a.properties", "JSON"), ("a.yaml", "JSON"), ("a.txt", "YAML")):
        path = write(tmp_path, FORMS[form](FULL), name)
        assert "[tenant sap_hcmcloud_core_odata]" in succeeds("import", str(path))


def answer_with(pki, name="mycert.pem", content=None):
    content = content or base64.b64encode(base64.b64encode((pki / "acme-all.pem").read_bytes())).decode()
    return json.dumps({"destinationConfiguration": {**FULL, "KeyStoreLocation": name}, "certificates": [
        {"Name": "other.pem", "Content": "AAAA"}, {"Name": name, "Content": content, "Type": None}]})


def test_certificate_in_the_export(tmp_path, pki):
    """It is written only if asked, and never printed; the section names it, and serves at once."""
    export = write(tmp_path, answer_with(pki))
    text = imported(tmp_path, answer_with(pki))
    assert "is in this export, and is not repeated here: `sfmtls import --certificates FOLDER`" in comments(text)
    folder = tmp_path / "keys"
    folder.mkdir()
    for _ in range(2):  # the same file may be there
        done = harness.run_cli("import", str(export), "--certificates", str(folder))
        assert done.returncode == 0 and f"is in {folder}/mycert.pem" in done.stderr, done.stderr
    assert "MII" not in done.stdout + done.stderr and "LS0t" not in done.stdout + done.stderr
    assert (folder / "mycert.pem").stat().st_mode & 0o777 == 0o600
    config = write(tmp_path, done.stdout, "sfmtls.ini")
    assert sections(done.stdout)["sap_hcmcloud_core_odata"]["certificate"] == f"{folder}/mycert.pem"
    assert harness.run_cli("run", "-t", "-c", str(config)).stdout == harness.tested_ok(config)
    (folder / "mycert.pem").write_text("another one")
    assert "File exists" in refused("import", str(export), "--certificates", str(folder))
    assert (folder / "mycert.pem").read_text() == "another one"


def test_certificates_in_the_export_that_are_not_usual(tmp_path, pki):
    assert "not base64" in refused("import", str(write(tmp_path, answer_with(pki, content="A"))), "--certificates",
                                   str(tmp_path))
    assert "cannot be created" in refused("import", str(write(tmp_path, answer_with(pki))), "--certificates", "/none")
    jks = base64.b64encode(b"\xfe\xed\xfe\xed").decode()
    export = write(tmp_path, answer_with(pki, "a.jks", jks))
    text = harness.run_cli("import", str(export), "--certificates", str(tmp_path)).stdout
    assert "keytool" in text and (tmp_path / "a.jks").read_bytes() == b"\xfe\xed\xfe\xed"
    assert sections(text)["sap_hcmcloud_core_odata"]["certificate"] == f"{tmp_path}/a.p12"
    text = succeeds("import", str(write(tmp_path, answer_with(pki, "../a.pem"))), "--certificates", str(tmp_path))
    assert "not the plain name" in comments(text) and not (tmp_path.parent / "a.pem").exists()


# ---- it serves ----

def encrypted(pki):
    return (pki / "acme-encrypted.key").read_text() + (pki / "acme-chain.pem").read_text()


@pytest.mark.parametrize("form", ["properties", "JSON", "YAML"])
def test_the_section_serves_once_the_files_are_there(form, tmp_path, pki, recorded_by):
    """What the comments ask for is put in place; then `run -t` accepts it, and a call gets through."""
    properties = {**FULL, "URL.headers.X-Thing": "ä;1", "KeyStorePassword": "" if form == "JSON" else SECRET}
    text = imported(tmp_path, FORMS[form](properties))
    config = write(tmp_path, text, "sfmtls.ini")
    assert "sap_hcmcloud_core_odata.pass" in refused("run", "-t", "-c", str(config))
    write(tmp_path, (pki / "acme.pass").read_text(), "sap_hcmcloud_core_odata.pass").chmod(0o600)
    assert "mycert.pem" in refused("run", "-t", "-c", str(config))
    write(tmp_path, encrypted(pki), "mycert.pem").chmod(0o600)
    assert harness.run_cli("run", "-t", "-c", str(config)).stdout == harness.tested_ok(config)

    server = recorded_by().server
    server.take()
    proxy = harness.Proxy(tmp_path, text + f"ca-file = {pki}/ca.pem\nconnect-to = 127.0.0.1:{server.port}\n"
                          "[proxy]\nlisten = 127.0.0.1:0\n")
    try:
        assert proxy.request(target="/odata/v2/User").status == 200
    finally:
        proxy.stop()
    seen = server.take()[0]
    assert seen.all("Host") == ["api4.cert.successfactors.com"]
    assert seen.all("successfactors-companyid") == ["ACME"]
    assert seen.all("X-Thing") == ["ä;1".encode().decode("latin-1")]


def test_sections_of_several_destinations_serve_together(tmp_path, pki):
    names = ["core", "core", "core!", "x" * 40, "x" * 40, "日本"]
    text = imported(tmp_path, json.dumps([{**FULL, "Name": name, "URL.headers.successfactors-companyid": f"C{i}"}
                                          for i, name in enumerate(names)]))
    found = sections(text)
    assert list(found) == ["core", "core-2", "core-3", "x" * 32, "x" * 30 + "-2", "imported"]
    assert [section["company-id"] for section in found.values()] == [f"C{i}" for i in range(6)]
    write(tmp_path, (pki / "acme-all.pem").read_text(), "mycert.pem").chmod(0o600)
    result = harness.run_cli("run", "-t", "-c", str(write(tmp_path, text, "sfmtls.ini")))
    assert result.stdout == harness.tested_ok(tmp_path / "sfmtls.ini"), result.stderr


@pytest.mark.parametrize("joined", ["\n---\n", "list"])
def test_several_in_yaml(joined, tmp_path):
    items = [{**FULL, "Name": name} for name in ("a", "b")]
    text = ("".join("-\n" + as_yaml(item, "  ") for item in items) if joined == "list"
            else joined.join(as_yaml(item) for item in items))
    assert list(sections(imported(tmp_path, text))) == ["a", "b"]


# ---- what becomes of each property ----

def one(folder, form="JSON", **more):
    """The section, its keys and its comments, of FULL with other properties (None: without)."""
    properties = {k: v for k, v in {**FULL, **more}.items() if v is not None}
    text = imported(folder, FORMS[form](properties))
    return text, next(iter(sections(text).values())), comments(text)


@pytest.mark.parametrize("url, server, says", [
    ("https://api4.successfactors.com", "api4.successfactors.com", None),
    ("https://api4.successfactors.com/", "api4.successfactors.com", None),
    ("https://api4.successfactors.com:443/", "api4.successfactors.com", None),
    ("https://api4.successfactors.com:8443", "api4.successfactors.com:8443", None),
    ("HTTPS://API4.successfactors.com", "API4.successfactors.com", None),
    ("api4.successfactors.com", "api4.successfactors.com", None),
    (" https://api4.successfactors.com ", "api4.successfactors.com", None),
    ("https://api4.successfactors.com/odata/v2", "api4.successfactors.com", "the path /odata/v2"),
    ("https://api4.successfactors.com/a?sap-client=1#x", "api4.successfactors.com", "query"),
    ("https://api4.successfactors.com?k=" + SECRET, "api4.successfactors.com", "query"),
    ("https://me:" + SECRET + "@api4.successfactors.com", "api4.successfactors.com", "User and password"),
    ("https://me:" + SECRET + "@x@api4.successfactors.com", "api4.successfactors.com", "User and password"),
    ("http://api4.successfactors.com", "api4.successfactors.com", "with TLS"),
    ("http://api4.successfactors.com:80", "api4.successfactors.com", "with TLS"),
    ("http://virtual:8080/x", "virtual:8080", "with TLS"),
    ("https://[::1]:8443/x", "[::1]:8443", "the path /x"),
])
def test_url_of_the_destination_becomes_the_server(url, server, says, tmp_path):
    text, section, comment = one(tmp_path, URL=url)
    assert section["server"] == server
    assert says is None or says in comment
    assert SECRET not in text


@pytest.mark.parametrize("key", [
    "URL.headers.successfactors-companyid", "url.headers.successfactors-companyid",
    "URL.headers.SuccessFactors-CompanyId", "URL.headers.successfactors_companyid",
    "URL.Headers.Successfactors-companyId",
    "sf.company.id", "successfactors-companyid", "companyId", "company_id"])
@pytest.mark.parametrize("form", ["properties", "JSON", "YAML"])
def test_company_id_is_found_under_each_key(key, form, tmp_path):
    _, section, comment = one(tmp_path, form, **{"URL.headers.successfactors-companyid": None, key: "AcmeT1"})
    assert section["company-id"] == "AcmeT1"
    assert key not in comment


def test_company_of_the_old_user(tmp_path):
    basic = {"URL.headers.successfactors-companyid": None, "Authentication": "BasicAuthentication"}
    _, section, comment = one(tmp_path, **basic, User="api@user@ACME")
    assert section["company-id"] == "ACME" and "what follows the @ of User" in comment
    assert not re.search(r"Not used: [^.]*User", comment)
    _, section, _ = one(tmp_path, **{**basic, "sf.company.id": "OTHER"}, User="api@ACME")
    assert section["company-id"] == "OTHER"


@pytest.mark.parametrize("more", [
    {}, {"User": "api@example.com", "Authentication": "BasicAuthentication"}, {"User": "api@ACME"},
    {"User": "api@", "Authentication": "BasicAuthentication"}, {"sf.company.id": ""}, {"sf.company.id": None},
    {"sf.company.id": "A B"}, {"sf.company.id": "A\n[proxy]"}, {"sf.company.id": ";ACME"}, {"sf.company.id": "A" * 129},
    {"sf.company.id": ["A"]}])
def test_company_that_is_not_known(more, tmp_path):
    properties = {**FULL, "URL.headers.successfactors-companyid": "", **more}
    path = write(tmp_path, json.dumps(properties))
    result = harness.run_cli("import", str(path))
    assert result.returncode == 0
    assert "company-id" not in sections(result.stdout)["sap_hcmcloud_core_odata"]
    assert "as Admin Center shows it" in comments(result.stdout)
    assert re.fullmatch(r"sfmtls: \[tenant sap_hcmcloud_core_odata\] lacks its company-id[^\n]*\n", result.stderr)
    config = write(tmp_path, result.stdout, "sfmtls.ini")
    assert "has no `company-id`" in refused("run", "-t", "-c", str(config))


def test_companies_that_differ(tmp_path):
    path = write(tmp_path, as_properties({**FULL, "sf.company.id": "GLOBEX"}, removed=()))
    said = refused("import", str(path))
    assert f"{path}:13: [tenant sap_hcmcloud_core_odata] " in said and "different company IDs" in said
    assert "GLOBEX" not in said
    _, section, _ = one(tmp_path, **{"sf.company.id": "ACME"})
    assert section["company-id"] == "ACME"


@pytest.mark.parametrize("name, kept", [
    ("X-Thing", True), ("x-correlation-id", True), ("successfactors-sourcetype", True), ("X.Y_Z", True),
    ("Host", False), ("Connection", False), ("Content-Length", False), ("Transfer-Encoding", False),
    ("Proxy-Authorization", False), ("X-CLIENT-CERT", False), ("Upgrade", False), ("a b", False), ("a:b", False),
    ("a=b", False), ("a\nlisten", False), ("é", False)])
def test_header_fields(name, kept, tmp_path):
    text, section, comment = one(tmp_path, **{f"URL.headers.{name}": "va lue", f"url.HEADERS.{name}2": "w"})
    assert (section.get(f"header.{name}") == "va lue") == kept
    if not kept:
        assert re.search(r"URL\.headers\.\S+.* (is left out|may be a secret)", comment)
        assert "va lue" not in text


CANNOT_STAND = ["a\nlisten = 0.0.0.0:1", "a\r\n[proxy]", "a\rb", "a ;b", ";b", "a\t;b", " a", "a ", "\ta", "a\x00b",
                "a\x1bb", "a\x85b", "", "x" * 8192, ["a"]]


@pytest.mark.parametrize("form, number", [(form, i) for form in ("properties", "JSON", "YAML")
                                          for i, value in enumerate(CANNOT_STAND)
                                          if form != "properties" or isinstance(value, str)])
def test_header_values_that_a_line_cannot_hold(form, number, tmp_path):
    value = CANNOT_STAND[number]
    content = FORMS[form]({**FULL, "URL.headers.X-Thing": value})
    if "\x00" in value:
        assert SECRET not in refused("import", str(write(tmp_path, content)))
        return
    text = imported(tmp_path, content)
    assert "header.X-Thing" not in sections(text)["sap_hcmcloud_core_odata"]
    assert "URL.headers.X-Thing is left out" in comments(text)
    assert "listen" not in text and "[proxy]" not in text


@pytest.mark.parametrize("location, file, says", [
    ("mycert.pem", "mycert.pem", "cert fetch --service-key KEY.json --name mycert.pem`"),
    ("my cert.p12", "my cert.p12", "--name NAME`"),
    ("key.p12", "key.p12", "certificate-source"), ("key.PFX", "key.PFX", "--name key.PFX`"),
    ("key", "key", "--name key`"),
    ("a;id.jks", "a;id.p12", "--name NAME`"), ("a$(id).p12", "a$(id).p12", "--name NAME`"),
    ("-o.pem", "-o.pem", "--name NAME`"), ("a'b.p12", "a'b.p12", "--name NAME`"),
    ("a b.jks", "a b.p12", "-srckeystore FILE.jks -destkeystore FILE.p12"),
    ("key.jks", "key.p12", "keytool -importkeystore -srckeystore key.jks -destkeystore key.p12"),
    ("a.b.keystore", "a.b.p12", "keytool"), ("key.crt", "key.crt", "no key as a rule"),
    (None, "sap_hcmcloud_core_odata.pem", "names no key store"),
    ("", "sap_hcmcloud_core_odata.pem", "names no key store"),
    ("/etc/shadow", "sap_hcmcloud_core_odata.pem", "not the plain"),
    ("../../x.pem", "sap_hcmcloud_core_odata.pem", "not the plain"),
    ("..", "sap_hcmcloud_core_odata.pem", "not the plain"),
    ("a\nlisten = 1", "sap_hcmcloud_core_odata.pem", "not the plain"),
    ("a ;b", "sap_hcmcloud_core_odata.pem", "not the plain"),
    ("x" * 300, "sap_hcmcloud_core_odata.pem", "not the plain"),
])
def test_key_store(location, file, says, tmp_path):
    _, section, comment = one(tmp_path, KeyStoreLocation=location)
    assert section["certificate"] == file
    assert says in comment


def test_key_store_of_the_app(tmp_path):
    _, _, comment = one(tmp_path, **{"KeyStore.Source": "ClientProvided"})
    assert "the app's own" in comment and "cert fetch" not in comment


@pytest.mark.parametrize("more, wanted", [
    ({}, False), ({"KeyStorePassword": SECRET}, True), ({"KeyStorePassword": ""}, True),
    ({"KeyStorePassword": REMOVED}, True), ({"keystorepassword": SECRET}, True)])
def test_passphrase_is_not_copied_from_the_export(more, wanted, tmp_path):
    text, section, comment = one(tmp_path, **more)
    assert (section.get("passphrase-file") == "sap_hcmcloud_core_odata.pass") == wanted
    assert ("\n;passphrase-file = sap_hcmcloud_core_odata.pass\n" in text) == (not wanted)
    assert SECRET not in text
    assert ("seems to hold secrets" in comment) == (SECRET in more.values())


@pytest.mark.parametrize("key", [
    "Password", "KeyStorePassword", "TrustStorePassword", "clientSecret", "tokenServicePassword", "mail.password",
    "jco.client.passwd", "URL.headers.Authorization", "URL.headers.Cookie", "URL.headers.apikey",
    "URL.headers.X-Api-Key", "URL.headers.X-Auth-Token", "URL.headers.x-client-secret", "whatever", "Description",
    "clientKey", "User", "tokenServiceURL", "URL.queries.key", "URL.headers.X-Auth", "URL.headers.X-Pwd",
    "URL.headers.X-Session", "URL.headers.X-Signature"])
@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_never_repeated(key, form, tmp_path):
    """Nor is anything else that has no place in a section: names only."""
    result = harness.run_cli("import", str(write(tmp_path, FORMS[form]({**FULL, key: SECRET}))))
    assert result.returncode == 0, result.stderr
    assert SECRET not in result.stdout + result.stderr
    if not key.endswith("StorePassword"):
        assert key in comments(result.stdout)


@pytest.mark.parametrize("value", [f"Basic {SECRET}", f"bearer {SECRET}"])
def test_credentials_are_known_by_their_scheme(value, tmp_path):
    result = harness.run_cli("import", str(write(tmp_path, FORMS["JSON"]({**FULL, "URL.headers.X-Thing": value}))))
    assert result.returncode == 0 and SECRET not in result.stdout and "URL.headers.X-Thing" in comments(result.stdout)


@pytest.mark.parametrize("path", [f"/x;pw={SECRET}", f"/key={SECRET}/y"])
def test_parameters_in_the_path_are_not_repeated(path, tmp_path):
    text, section, comment = one(tmp_path, URL=f"https://api4.successfactors.com{path}")
    assert section["server"] == "api4.successfactors.com" and "goes on with a path" in comment and SECRET not in text


@pytest.mark.parametrize("spoilt", [
    '{{"Password": "{0}", oops', '{{"Password": "{0}" "x"}}', '{{"Password": {0}}}', '[{{"URL": "x", "Password": "{0}',
    'URL: x\nPassword: "{0}', "URL: x\n  Password: {0}", "URL: x\nPassword: *{0}", "URL: x\nPassword: [{0}",
    "URL=x\nPassword={0}\\u12", "URL=x\nPassword={0}\nPassword={0}2", "URL=https://me\\:{0}@\nName=x",
    '{{"URL": "https://me:{0}@"}}', '{{"URL": "https://{0} x"}}', '{{"Password": "{0}"}}', "Password={0}", "- {0}",
    '{{"URL": "x", "sf.company.id": "{0}", "companyId": "{0}2"}}'])
def test_refusals_hold_no_value(spoilt, tmp_path):
    assert SECRET not in refused("import", str(write(tmp_path, spoilt.format(SECRET))))


@pytest.mark.parametrize("key, value, says", [
    ("Authentication", "ClientCertificateAuthentication", None),
    ("Authentication", None, "names no authentication"), ("Authentication", "NoAuthentication", "sent no credentials"),
    ("Authentication", "BasicAuthentication", "User and Password are not used"),
    ("Authentication", "OAuth2SAMLBearerAssertion", "called as the user of the app"),
    ("Authentication", "OAuth2UserTokenExchange", "called as the user of the app"),
    ("Authentication", "OAuth2JWTBearer", "called as the user of the app"),
    ("Authentication", "OAuth2ClientCredentials", "fetched a token"),
    ("Authentication", "PrincipalPropagation", "the one user that the certificate is mapped to"),
    ("Authentication", "SomethingNew", "authentication is not used"), ("Authentication", "x\ny", "is not used"),
    ("ProxyType", "Internet", None), ("ProxyType", None, None), ("ProxyType", "OnPremise", "Cloud Connector"),
    ("ProxyType", "PrivateLink", "BTP alone"), ("ProxyType", "New", "is not used"),
    ("TrustAll", "true", "always verified"), ("TrustAll", "false", None), ("TrustAll", True, "always verified"),
    ("TrustStoreLocation", "trust.jks", "trust store of its own"),
    ("URL.queries.sap-client", "100", "let them add URL.queries.sap-client"),
])
def test_what_other_properties_mean_now(key, value, says, tmp_path):
    text, section, comment = one(tmp_path, **{key: value})
    assert section == WANTED["sap_hcmcloud_core_odata"]
    assert says is None or says in comment
    plain = comments(imported(tmp_path, json.dumps(FULL)))
    assert says is not None or comment == plain
    assert (";ca-file = " in text) == (key.startswith("Trust") and says is not None)


@pytest.mark.parametrize("kind", ["MAIL", "RFC", "LDAP", "TCP"])
def test_destinations_of_other_kinds(kind, tmp_path):
    other = {"Name": "other\n[proxy]", "Type": kind, "mail.password": SECRET}
    assert "no destination of type HTTP" in refused("import", str(write(tmp_path, json.dumps(other))))
    text = imported(tmp_path, json.dumps([other, FULL, other]))
    assert list(sections(text)) == ["sap_hcmcloud_core_odata"]
    assert comments(text).count("not of type HTTP: the destination other?[proxy]") == 2
    assert SECRET not in text


# ---- injection ----

@pytest.mark.parametrize("form", ["properties", "JSON", "YAML"])
@pytest.mark.parametrize("evil", ["x\nlisten = 0.0.0.0:1", "x]\n[proxy]\nlisten = unix:/x\n[tenant y", "x\r[proxy]",
                                  "x\r\nserver = evil.example", "; x", "x\x0c\x0b\x1b]0;title\x07", "x\u2028y\u2029z",
                                  "x\x85[proxy]", "[tenant y]", "=y", "x\\\ny"])
@pytest.mark.parametrize("key", ["Name", "KeyStoreLocation", "Authentication", "ProxyType", "Description", "KEY",
                                 "URL.headers.KEY", "URL.queries.KEY", "URL.headers.successfactors-companyid",
                                 "URL.headers.X-Thing", "TrustStoreLocation"])
def test_an_export_adds_nothing_but_its_own_lines(key, evil, form, tmp_path):
    """The keys, too, may hold anything. What is written is read back by the configuration's own reader."""
    properties = {**FULL, key.replace("KEY", evil): "v" if "KEY" in key else evil}
    result = harness.run_cli("import", str(write(tmp_path, FORMS[form](properties))))
    assert result.returncode == 0, result.stderr
    found = sections(result.stdout)
    assert len(found) == 1
    section = next(iter(found.values()))
    assert section["server"] == "api4.cert.successfactors.com"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout)
    for value in section.values():
        assert "listen" not in value or key == "Name"
    for line in result.stdout.split("\n"):
        assert line[:1] in ("", ";") or line.startswith("[tenant ") or " = " in line


@pytest.mark.parametrize("url", ["https://x\nserver = y", "https://x y", "https://", "https:///x", "", " ", "ftp://x",
                                 "https://x:99999", "https://x;y", "https://x\\y",
                                 "https://me:1234/word@x", "https://[::1", "//x", "https://x:y",
                                 None, 7, [], {}, ["https://x"]])
def test_url_that_is_none(url, tmp_path):
    path = write(tmp_path, json.dumps({**FULL, "URL": url}))
    result = harness.run_cli("import", str(path))
    if url == 7:
        assert sections(result.stdout)["sap_hcmcloud_core_odata"]["server"] == "7"
        return
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(rf"sfmtls: {path}: \[tenant sap_hcmcloud_core_odata\] has (no URL|a URL)[^\n]*; [^\n]+\n",
                        result.stderr), result.stderr


# ---- refusals ----

@pytest.mark.parametrize("content, says", [
    ("", "{}: it is empty; "), (b"PK\x03\x04\x14\x00", "{}: it is an archive"),
    (b"\xff\xfeU\x00", "{}: it is UTF-16"),
    (b"\x00\x01\x02", "{}: it is not text"), ("-----BEGIN CERTIFICATE-----\n", "{}: it is a certificate or key"),
    ("hello world\n", "{}: it holds no destination"), ("{}", "{}: it holds no destination"), ("7", "no destination"),
    ("[{\"Name\": \"x\"}]", "{}: it holds no destination"),
    pytest.param("x" * (1 << 20) + "x", "{}: is larger than 1 MiB", id="large"),
    ("\n{\"URL\":\n  oops}", "{}:3: this is not valid JSON"), ("{\"URL\": \"x\"} more", "{}:1: this is not valid JSON"),
    ("{\"a\": \"\xff\"}".encode("latin-1"), "{}:1: this is not valid JSON"),
    ("URL: x\n\tA: b", "{}:2: this is not valid YAML"), ("URL: x\nA: b: c", "{}:2: this is not valid YAML"),
    ("Type=HTTP\nName=x\nURL=\\uXYZ", "{}:3: \\u lacks"),
    ("Name=x\nType=HTTP\n", "{}:1: [tenant x] has no URL"),
    ("# c\n\nName: x\nURL: 'a b'\n", "{}:4: [tenant x] has a URL without a sound host"),
    ("Name=x\nURL=a b\n", "{}:2: [tenant x] has a URL without a sound host"),
    ("[" * 200 + "]" * 200, "nested too deep"), ("{\"URL\":\"x\",\"a\":" + "[" * 3000, "not valid JSON"),
])
def test_what_is_no_export(content, says, tmp_path):
    path = write(tmp_path, content)
    assert says.format(path) in refused("import", str(path))


def test_one_bad_destination_spoils_all(tmp_path):
    """Better none than a part that looks like the whole."""
    path = write(tmp_path, json.dumps([FULL, {**FULL, "Name": "second", "URL": "a b"}]))
    assert "[tenant second]" in refused("import", str(path))


def test_files_that_cannot_be_read(tmp_path):
    assert "No such file" in refused("import", str(tmp_path / "nowhere"))
    assert "is a directory" in refused("import", str(tmp_path))


@pytest.mark.parametrize("arguments, words", [
    ([], ["file"]), (["a", "b"], ["`b`"]), (["--nope", "x"], ["--nope"]), (["-x"], ["-x"])])
def test_wrong_command_line(arguments, words):
    said = refused("import", *arguments)
    assert all(word in said for word in words) and "sfmtls import --help" in said


def test_help_tells_what_it_reads():
    text = succeeds("help", "import")
    assert all(word in text for word in ("properties", "JSON", "YAML", "standard input", "run -t"))


def test_result_that_cannot_be_written(tmp_path):
    path = write(tmp_path, json.dumps(FULL))
    with open("/dev/full", "w") as full:
        result = subprocess.run([os.path.abspath(harness.BINARY), "import", path], stdout=full, stderr=subprocess.PIPE,
                                text=True, timeout=harness.LIMIT)
    assert result.returncode == 1 and "standard output" in result.stderr
