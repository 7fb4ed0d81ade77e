"""A real browser: pages of other origins neither read from nor write to the proxy, in whatever way they try."""
import http.server
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT, MODULES = ROOT / "tests/integration/clients/browser.mjs", ROOT / "build/npm/node_modules"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>foreign</title><body>")

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    """A web server that knows nothing of the proxy; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def browse(**what):
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(["node", SCRIPT], input=json.dumps(what), capture_output=True, text=True, timeout=300,
                          env={**environment, "MODULES": str(MODULES)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pages_of_other_origins_are_shut_out(recorded, pages):
    """By fetch, XMLHttpRequest, forms, images, scripts, frames, beacons, sockets, workers, navigation and a host name
    that was rebound: each try came to the proxy, none to the server. What the user asks for himself works."""
    port = recorded.proxy.port
    foreign = [f"http://{host}:{pages}/" for host in ("127.0.0.1", "localhost", "public.test")]
    targets = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1", "public.test")]
    own = [f"http://{host}:{port}/typed" for host in ("localhost", "127.0.0.1")]
    rebound = [f"http://{host}:{port}/rebound" for host in ("evil.test", "public.test")]
    told = browse(foreign=foreign, targets=targets, own=own, rebound=rebound)

    assert told["read"] == []
    assert len(told["called"]) == 3 * (3 * 38 + 10) == len(set(told["called"]))
    statuses = told["statuses"]
    assert {url: statuses.pop(url) for url in own} == dict.fromkeys(own, 200)
    assert {url: statuses.pop(url) for url in rebound} == dict.fromkeys(rebound, 421)
    too_long = {path for path in statuses if path.endswith("/navigate-too-long")}
    assert {statuses.pop(path) for path in too_long} == {414}
    assert set(statuses.values()) == {403}
    assert told["own"] == ["ok", "ok"], "the ways of reading work where they may"

    def all_came():
        came = dict(re.findall(r" (/[^ ?]*)(?:\?\S*)? \S* .*?error=(\S+)", "\n".join(recorded.proxy.log_lines())))
        assert set(told["called"]) - set(came) == too_long
        return came

    assert set(harness.eventually(all_came).values()) <= {"foreign-origin", "host-not-served"}

    seen = [s.target for s in recorded.server.take()]
    assert seen.count("/favicon.ico") <= len(own), "only where the user has been"
    assert sorted(t for t in seen if t != "/favicon.ico") == ["/own/fetch", "/own/xhr-post", "/typed", "/typed"]


def test_pages_of_other_origins_do_not_read_the_admin_page(proxy, tenant, pages):
    """Nor do they give orders, in whatever way they try. The user reads it."""
    p = proxy(tenant(harness.closed_port()), admin="127.0.0.1:0", admin_actions="yes")
    admin = f"http://{p.ready['admin']}"
    own, rebound = f"{admin}/", admin.replace("127.0.0.1", "evil.test") + "/"
    told = browse(foreign=[f"http://127.0.0.1:{pages}/"], targets=[admin], own=[own], rebound=[rebound])
    assert told["read"] == []
    statuses = told["statuses"]
    assert (statuses.pop(own), statuses.pop(rebound)) == (200, 421)
    assert set(statuses.values()) <= {403, 405, 414}


def test_what_cannot_be_told_from_a_program(recorded):
    """A browser so old that it sends neither Origin nor Sec-Fetch-Site with an image: as sfmtls-security(7) says."""
    answer = recorded.proxy.request(fields=[("User-Agent", "Mozilla/4.0"), ("Referer", "http://evil.example/")])
    assert answer.status == 200
