"""All that one tenant's calls can come by, through a parent proxy or past it: what that proxy and the server see."""
import json

import pytest

import harness
from test_connect import CERT_HOST, SERVER, connect, make_ca, secure, trusting
from test_parent import OK, answer_of, basic, fields_of, parent, secrets, target_of, tunnel

WHO = [("Authorization", "Bearer of-the-caller"), ("Cookie", "a=b"), ("X-Own", "1")]
BODY = b"{" + b" " * 200_000 + b"}"  # more than one TLS record


def get(path):
    assert path.proxy.request("GET", "/odata/v2/User", WHO).status == 200


def post(path):
    assert path.proxy.request("POST", "/odata/v2/User", WHO, BODY).status == 200


def connect_plain(path):
    with connect(path.proxy.caller(), path.target) as c:
        assert c.request("GET", "/inside/plain", WHO, host=path.host).status == 200


def connect_tls(path):
    with secure(connect(path.proxy.caller(), path.target), trusting(path.ca), path.target.split(":")[0]) as c:
        assert c.request("POST", "/inside/tls", WHO, BODY, host=path.host).status == 200


def check(path):
    done = harness.run_cli("check", "-c", str(path.proxy.config), "--json")
    assert done.returncode == 0, done
    told, = json.loads(done.stdout)["tenants"]
    evidence = {step["step"]: step.get("evidence", {}) for step in told["steps"]}
    assert evidence["parent-proxy"].get("proxy") == path.named, evidence["parent-proxy"]


SEEN = {get: ("GET", "/odata/v2/User", b""), post: ("POST", "/odata/v2/User", BODY),
        connect_plain: ("GET", "/inside/plain", b""), connect_tls: ("POST", "/inside/tls", BODY),
        check: ("GET", "/odata/v2/", b"")}


class Path:
    """A proxy with one tenant, its parent proxy, which wants Basic, and its server."""

    def __init__(self, way, dials, parent, pki, started, proxy, tenant, folder):
        self.users = []
        self.server = harness.Recorder(pki, self._reply)
        started.append(self.server)
        self.up, self.other = parent(self._admit), parent("close")
        port, by_name = self.server.port, dials == "server"
        self.target = f"localhost:{port}" if by_name else f"{SERVER}:443"
        self.host = self.target.removesuffix(":443")
        self.server_host = f"localhost:{port}" if by_name else CERT_HOST
        self.dialled = f"localhost:{port}" if by_name else f"127.0.0.1:{port}"
        keys = dict(parent_proxy=self.up.url, **secrets(folder)) if way == "basic" else dict(parent_proxy="none")
        self.named = f"127.0.0.1:{self.up.port}" if way == "basic" else None
        text = tenant(port, server=f"localhost:{port}" if by_name else SERVER,
                      connect_to=None if by_name else self.dialled, **keys)
        self.ca = make_ca(folder, text)
        self.proxy = proxy(text, parent_proxy=self.other.url, local_ca=self.ca)

    def _reply(self, c, seen):
        self.users.append(c.peer_cn())
        c.reply(b'{"d":{"EntitySets":[]}}', fields="Content-Type: application/json\r\n")

    def _admit(self, c, head):
        if dict(fields_of(head)).get("Proxy-Authorization") != basic():
            c.send(answer_of(b"407 Who", fields=b'Proxy-Authenticate: Basic realm="x"\r\n'))
            return False
        c.send(OK)
        tunnel(c, target_of(head))
        return True


@harness.one_worker
@pytest.mark.parametrize("dials", ["server", "connect-to"])
@pytest.mark.parametrize("way", ["none", "basic"])
def test_every_way_through_one_tenant(way, dials, parent, pki, started, proxy, tenant, tmp_path):
    """The parent proxy learns where to lead, and nothing of what goes through; the server gets the same request
    whichever way it comes. The tenant's own parent-proxy counts, none too: that of [proxy] sees nothing."""
    path = Path(way, dials, parent, pki, started, proxy, tenant, tmp_path)
    for ask, (method, target, body) in SEEN.items():
        ask(path)
        seen, = path.server.seen
        path.server.seen.clear()
        assert (seen.method, seen.target, seen.body) == (method, target, body)
        assert seen.all("Host") == [path.server_host] and seen.all("successfactors-companyid") == ["ACME"]
        assert not {"authorization", "proxy-authorization"} & set(seen.names())
        assert seen.all("X-Own") == ([] if ask is check else ["1"])
    assert path.users == ["acme_user"] * len(SEEN)
    assert len(path.server.connections) == 2  # one that all calls share, and that of check
    assert path.other.heads == []
    assert [target_of(head) for _, head in path.up.heads] == ([path.dialled] * 2 if way == "basic" else [])
    for _, head in path.up.heads:
        known = {name: value for name, value in fields_of(head) if name not in ("User-Agent", "Proxy-Connection")}
        assert known == {"Host": path.dialled, "Proxy-Authorization": basic()}
    path.proxy.wait_for_log(4)
    assert "s3cret" not in path.proxy.stderr and "of-the-caller" not in path.proxy.stderr
