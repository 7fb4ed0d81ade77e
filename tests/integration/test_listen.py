"""listen = localhost:PORT: both loopback families, so that no other program gets what callers send to localhost."""
import re
import socket

import pytest

import harness
import test_config

TENANT = "[tenant acme]\ncompany-id = ACME\nserver = localhost:1\nca-file = PKI/ca.pem\n"
IDENTITY = "certificate = PKI/acme-all.pem\n"
WITHOUT_IPV6 = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"
WITHOUT_IPV4 = "ip address delete 127.0.0.1/8 dev lo"


def ports_of(p):
    return [int(address.rsplit(":", 1)[1]) for address in p.addresses]


def hosts_of(p):
    return [address.rsplit(":", 1)[0] for address in p.addresses]


def start(folder, started, pki, listen, network="", more=""):
    """A proxy in a network of its own, without a server."""
    text = "[proxy]\n" + (f"listen = {listen}\n" if listen else "") + more + TENANT + IDENTITY
    started.append(harness.Proxy(folder, test_config.fill(text, pki, folder),
                                 prefix=harness.in_own_network(network)))
    return started[-1]


# ---- what is bound ----

@pytest.mark.parametrize("name", ["localhost", "LocalHost"])
def test_one_port_on_both_families(name, proxy, nginx):
    p = proxy(nginx.port, listen=f"{name}:0")
    assert hosts_of(p) == ["127.0.0.1", "[::1]"] and len(set(ports_of(p))) == 1
    for i, listener in enumerate(p.ready["listeners"]):
        assert p.request(target="/who", listener=i).status == 200
        harness.eventually(lambda: f"listening on http://{listener['address']}\n" in p.stderr)


def test_named_port_on_both_families(proxy, nginx):
    port = harness.unused_port()
    p = proxy(nginx.port, listen=f"localhost:{port}")
    assert p.addresses == [f"127.0.0.1:{port}", f"[::1]:{port}"]


def test_default_is_both_families(tmp_path, started, pki):
    assert start(tmp_path, started, pki, None).addresses == ["127.0.0.1:8080", "[::1]:8080"]


def test_of_a_tenant_and_of_the_status(proxy, tenant, nginx):
    p = proxy(tenant(nginx.port, listen="localhost:0, localhost:0"), listen="localhost:0", admin="localhost:0")
    assert hosts_of(p) == 3 * ["127.0.0.1", "[::1]"]
    ports = ports_of(p)
    assert ports[0::2] == ports[1::2] and len(set(ports)) == 3
    assert [l["tenant"] for l in p.ready["listeners"]] == [None, None] + 4 * ["acme"]
    host, port = p.ready["admin"].rsplit(":", 1)
    assert host == "127.0.0.1" and int(port) not in ports
    for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with harness.Caller((address, int(port)), family) as c:
            assert c.request(target="/health").body == b"ok\n"
    harness.eventually(lambda: f"status on http://[::1]:{port}\n" in p.stderr)


@pytest.mark.parametrize("network, hosts", [(WITHOUT_IPV6, ["127.0.0.1"]), (WITHOUT_IPV4, ["[::1]"])],
                         ids=["no IPv6", "no IPv4"])
@pytest.mark.parametrize("listen", ["localhost:0", "localhost:18080", None])
def test_family_that_the_machine_has_not_is_left_out(listen, network, hosts, tmp_path, started, pki):
    p = start(tmp_path, started, pki, listen, network, "admin = localhost:0\n")
    assert hosts_of(p) == hosts
    assert p.ready["admin"].startswith(hosts[0])


def test_machine_without_a_loopback(tmp_path, pki):
    test_config.refused(tmp_path, test_config.fill("[proxy]\n>>>listen = localhost:18080\n" + TENANT + IDENTITY, pki,
                                                   tmp_path), ["localhost:18080", "loopback"],
                        prefix=harness.in_own_network(f"{WITHOUT_IPV4}\n{WITHOUT_IPV6}"))


@pytest.mark.parametrize("address, family, shown", [("127.0.0.1", socket.AF_INET, "127.0.0.1"),
                                                    ("::1", socket.AF_INET6, "[::1]")])
@pytest.mark.parametrize("key", ["listen", "admin"])
def test_port_that_is_taken_in_one_family(key, address, family, shown, tmp_path, pki):
    """Whoever has it would get what callers send to localhost."""
    with socket.socket(family) as taken:
        port = harness.unused_port()
        taken.bind((address, port))
        taken.listen()
        other = "" if key == "listen" else "listen = 127.0.0.1:0\n"
        test_config.refused(tmp_path, test_config.fill(f"[proxy]\n{other}>>>{key} = localhost:{port}\n" + TENANT +
                                                       IDENTITY, pki, tmp_path), [f"{shown}:{port}", "taken"])


@pytest.mark.parametrize("taken", ["127.0.0.1", "::1"])
def test_picked_port_is_one_that_is_free_in_both(taken, tmp_path, started, pki):
    """Of four ports that the system gives away, three are taken in one family."""
    squatter = "\n".join((
        "import os, socket, sys",
        "for port in (40000, 40001, 40002):",
        f"    s = socket.create_server(({taken!r}, port), family=socket.AF_INET{'6' if ':' in taken else ''})",
        "    os.set_inheritable(s.detach(), True)",
        "os.execvp(sys.argv[1], sys.argv[1:])"))
    squat = f"echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range\nexec python3 -c \"{squatter}\" \"$@\""
    assert ports_of(start(tmp_path, started, pki, "localhost:0", squat)) == [40003, 40003]


@pytest.mark.parametrize("text", [
    "[proxy]\n>>>listen = localhost:18080\n>>>listen = 127.0.0.1:18080\n",
    "[proxy]\n>>>listen = [::1]:18080\n>>>listen = localhost:18080\n",
    "[proxy]\n>>>listen = localhost:18080\n" + TENANT + IDENTITY + ">>>listen = localhost:18080\n",
])
def test_localhost_stands_twice(text, tmp_path, pki):
    text += "" if "[tenant" in text else TENANT + IDENTITY
    test_config.refused(tmp_path, test_config.fill(text, pki, tmp_path), [":18080"])


# ---- a family that is left free ----

ANYWHERE = "\nallow-remote = yes\ncaller-token-file = TMP/tokens"
FREE = [  # [proxy], what stands behind the tenant, what is left free
    ("listen = 127.0.0.1:18080", "", ["[::1]:18080"]),
    ("listen = [::1]:18080", "", ["127.0.0.1:18080"]),
    ("listen = localhost:18080", "", []),
    ("listen = 127.0.0.1:18080, [::1]:18080", "", []),
    ("listen = 127.0.0.1:18080", "listen = [::1]:18080", []),
    ("listen = localhost:18080", "listen = 127.0.0.1:18090", ["[::1]:18090"]),
    ("listen = 127.0.0.1:18080, [::1]:18081, localhost:18082", "", ["[::1]:18080", "127.0.0.1:18081"]),
    ("listen = 127.0.0.1:0", "", []),
    ("listen = 127.0.0.2:18080", "", []),
    ("listen = unix:TMP/s", "", []),
    ("admin = 127.0.0.1:18081", "", ["[::1]:18081"]),
    ("admin = [::1]:18081", "", ["127.0.0.1:18081"]),
    ("admin = localhost:18081", "", []),
    ("admin = 127.0.0.1:0", "", []),
    ("listen = 0.0.0.0:18080" + ANYWHERE, "", ["[::1]:18080"]),
    ("listen = 0.0.0.0:18080, [::]:18080" + ANYWHERE, "", []),
    ("listen = 0.0.0.0:18080, [::1]:18080" + ANYWHERE, "", []),
]


@pytest.mark.parametrize("proxy, tenant, free", FREE, ids=lambda v: str(v).replace("\n", " "))
@pytest.mark.parametrize("network", ["", WITHOUT_IPV6], ids=["both", "no IPv6"])
def test_family_left_free_is_warned_of(network, proxy, tenant, free, tmp_path, pki):
    """Unless the machine has not got it; then it cannot be listened on."""
    (tmp_path / "tokens").write_text("0123456789abcdef\n")
    text = test_config.fill(f"[proxy]\n{proxy}\n{TENANT}{IDENTITY}{tenant}\n", pki, tmp_path)
    (tmp_path / "sfmtls.ini").write_text(text)
    result = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"), prefix=harness.in_own_network(network))
    if network and "[::1]" in text:
        assert result.returncode == 2 and "cannot listen on [::1]:" in result.stderr, result.stderr
        return
    assert (result.returncode, result.stdout) == (0, harness.tested_ok(tmp_path / "sfmtls.ini")), result.stderr
    warned = re.findall(r"warning: .*sfmtls\.ini:(\d+): (\S+:(\d+)) is left free .*; (.*)\n", result.stderr)
    assert [address for _, address, *_ in warned] == [a for a in free if not network or "::1" not in a], result.stderr
    for line, _, port, cure in warned:
        assert port in text.splitlines()[int(line) - 1], "the warning names another line"
        assert cure == "let sfmtls listen there, too" if "0.0.0.0" in proxy else re.fullmatch(
            rf"write (listen|admin) = localhost:{port}", cure)


def test_family_left_free_is_logged(tmp_path, started, pki):
    p = start(tmp_path, started, pki, "127.0.0.1:18080")
    harness.eventually_logged(p, r" warning: .*sfmtls\.ini:2: \[::1\]:18080 is left free")


# ---- reloads ----

def reload(p, text, old=None):
    count = p.stderr.count("reloaded")
    p.rewrite(text)
    harness.eventually(lambda: p.stderr.count("reloaded") > count)


def listening(p):
    """What it said at each change of its listeners, in order."""
    return re.findall(r"(?m)(no longer listening on|listening on) http://(\S+)", p.stderr)


def test_reload_adds_the_other_family(proxy, nginx):
    port = harness.unused_port()
    p = proxy(nginx.port, listen=f"127.0.0.1:{port}")
    text = p.config.read_text()
    with p.caller() as kept:
        assert kept.request(target="/who").status == 200
        reload(p, text.replace(f"127.0.0.1:{port}", f"localhost:{port}", 1))
        harness.eventually(lambda: ("listening on", f"[::1]:{port}") in listening(p))
        with harness.Caller(("::1", port), socket.AF_INET6) as c:
            assert c.request(target="/who").status == 200
        assert ("no longer listening on", f"127.0.0.1:{port}") not in listening(p)
        assert kept.request(target="/who").status == 200
    reload(p, text)
    harness.eventually(lambda: ("no longer listening on", f"[::1]:{port}") in listening(p))


def test_reload_is_refused_where_the_other_family_is_taken(proxy, nginx):
    port = harness.unused_port()
    p = proxy(nginx.port, listen=f"127.0.0.1:{port}")
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", port))
        taken.listen()
        p.rewrite(p.config.read_text().replace(f"127.0.0.1:{port}", f"localhost:{port}", 1))
        harness.eventually_logged(p, rf"not reloaded, .*cannot listen on \[::1\]:{port}")
    assert p.request(target="/who").status == 200


def test_reload_keeps_the_port_that_was_picked(proxy, nginx):
    """Beside a listener of one family alone, which has a port of its own."""
    p = proxy(nginx.port, listen="localhost:0")
    text = p.config.read_text()
    port = p.port
    reload(p, text.replace("localhost:0", "127.0.0.1:0, [::1]:0, localhost:0"))
    assert ("no longer listening on", f"127.0.0.1:{port}") not in listening(p)
    for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with harness.Caller((address, port), family) as c:
            assert c.request(target="/who").status == 200
    reload(p, text)
    harness.eventually(lambda: sum(word == "no longer listening on" for word, _ in listening(p)) == 2)
    assert all(address.rsplit(":", 1)[1] != str(port) for word, address in listening(p) if word.startswith("no"))
