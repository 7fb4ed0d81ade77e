"""A start that finds https_proxy says that it is not used: in one line, and only where curl would use it."""
import json

import pytest

import harness


def warnings(folder, pki, servers, environment, more=""):
    (folder / "sfmtls.ini").write_text("[proxy]\nlisten = 127.0.0.1:0\n" + "".join(
        f"[tenant {name}]\ncompany-id = {name}\nserver = {server}\ncertificate = {pki}/acme-all.pem\n"
        f"ca-file = {pki}/ca.pem\n{more}" for name, server in servers.items()))
    tried = harness.run_cli("run", "-t", cwd=folder, env=environment)
    assert tried.returncode == 0, tried.stderr
    return [line for line in tried.stderr.splitlines() if "does not use it" in line]


@pytest.mark.parametrize("environment, said", [
    ({"https_proxy": "http://proxy:3128"}, ("https_proxy", "api4.cert")),
    ({"HTTPS_PROXY": "http://proxy:3128"}, ("HTTPS_PROXY", "api4.cert")),
    ({"ALL_PROXY": "socks5://proxy"}, ("ALL_PROXY", "api4.cert")),
    ({"all_proxy": "x", "https_proxy": "y"}, ("https_proxy", "api4.cert")),
    ({"https_proxy": "", "ALL_PROXY": ""}, None), ({"http_proxy": "http://proxy:3128"}, None), ({}, None),
    ({"https_proxy": "x", "no_proxy": "*"}, None), ({"https_proxy": "x", "no_proxy": "successfactors.com"}, None),
    ({"https_proxy": "x", "no_proxy": "a, .SuccessFactors.com ,b"}, None),
    ({"https_proxy": "x", "NO_PROXY": "api4.cert.successfactors.com"}, None),
    ({"https_proxy": "x", "no_proxy": "factors.com,cert,api4"}, ("https_proxy", "api4.cert")),
    ({"https_proxy": "x", "no_proxy": "", "NO_PROXY": "*"}, None),  # empty is not set, to curl
], ids=str)
def test_who_is_told(environment, said, tmp_path, pki):
    lines = warnings(tmp_path, pki, {"acme": "api4.successfactors.com"}, environment)
    assert len(lines) == (said is not None)
    for line in lines:
        assert f"{said[0]} is set; sfmtls does not use it and connects to {said[1]}" in line, line
        assert "warning: " in line and "; else set parent-proxy = none" in line


@pytest.mark.parametrize("server, more", [("localhost:1", ""), ("api.example.com", "connect-to = 127.0.0.1:9\n")])
def test_server_that_no_proxy_leads_to(server, more, tmp_path, pki):
    assert not warnings(tmp_path, pki, {"a": server}, {"https_proxy": "x"}, more)


@pytest.mark.parametrize("environment, more, result", [
    ({"https_proxy": "http://proxy:3128"}, "", "warn"),
    ({"https_proxy": "http://proxy:3128"}, "parent-proxy = none\n", "ok"),
    ({}, "", "ok")], ids=["set", "none", "not set"])
def test_check_doubts_the_way(environment, more, result, tmp_path, pki):
    """Where the server cannot be reached: its name is right, and the cure is a proxy."""
    warnings(tmp_path, pki, {"acme": "api.invalid"}, environment, more)
    done = harness.run_cli("check", "--json", cwd=tmp_path, env=environment)
    steps = {s["step"]: s for s in json.loads(done.stdout)["tenants"][0]["steps"]}
    way = steps["parent-proxy"]
    assert (way["result"], steps["name"]["result"]) == (result, "fail"), steps
    if result == "warn":
        assert "https_proxy is set" in way["sentence"] and "parent-proxy = system" in way["cure"]


def test_several_tenants_are_one_line(tmp_path, pki):
    servers = {"a": "localhost:1", "b": "api.example.com", "c": "api4.successfactors.com"}
    line, = warnings(tmp_path, pki, servers, {"https_proxy": "x"})
    assert "api.example.com" in line
