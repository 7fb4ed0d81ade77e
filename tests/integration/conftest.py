import os
import pathlib
import subprocess

import pytest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Throw-away certificates: see tests/certs/make.sh."""
    folder = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", ROOT / "tests/certs/make.sh", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def nginx(pki, tmp_path_factory):
    """A server that refuses callers without a client certificate, and shows what it saw."""
    folder = tmp_path_factory.mktemp("nginx")
    files = folder / "files"
    files.mkdir()
    (files / "1k").write_bytes(os.urandom(512).hex().encode())
    (files / "1m").write_bytes(os.urandom(1 << 20))
    server = harness.Nginx(folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        ssl_protocols TLSv1.2 TLSv1.3;
        root {files};
        location = /who {{
            default_type application/json;
            return 200 '{{"subject":"$ssl_client_s_dn","verify":"$ssl_client_verify","serial":"$ssl_client_serial",
                "company":"$http_successfactors_companyid","host":"$http_host","uri":"$request_uri",
                "authorization":"$http_authorization","method":"$request_method","tls":"$ssl_protocol",
                "reused":"$ssl_session_reused","connection":"$connection"}}';
        }}
        location /put/ {{ dav_methods PUT DELETE; }}
        """)
    (files / "put").mkdir()
    server.files = files
    yield server
    server.stop()


@pytest.fixture
def started():
    """Whatever is appended is stopped in the end, the last first; all of it, even if one fails."""
    things = []
    yield things
    failures = []
    for thing in reversed(things):
        try:
            thing.stop()
        except BaseException as e:
            failures.append(e)
    if failures:
        raise failures[0]


@pytest.fixture
def script(pki, started):
    """script(function, ...): starts a scripted TLS server."""

    def start(function, **kwargs):
        started.append(harness.Script(pki, function, **kwargs))
        return started[-1]

    return start


@pytest.fixture
def tenant(pki):
    """tenant(port, ...): a [tenant] section for a server on that port."""

    def section(port, name="acme", company="ACME", certificate="acme-all.pem", **more):
        lines = {"company-id": company, "server": f"localhost:{port}", "connect-to": f"127.0.0.1:{port}",
                 "certificate": f"{pki}/{certificate}", "ca-file": f"{pki}/ca.pem"}
        lines.update({key.replace("_", "-"): value for key, value in more.items()})
        return f"[tenant {name}]\n" + "".join(
            f"{key} = {value}\n" for key, value in lines.items() if value is not None)

    return section


@pytest.fixture
def proxy(tmp_path, started, tenant):
    """proxy(port or sections, **proxy_keys): starts sfmtls before a server on that port."""

    def start(upstream, environment=None, arguments=(), **keys):
        keys = {"listen": "127.0.0.1:0", **{k.replace("_", "-"): v for k, v in keys.items()}}
        sections = upstream if isinstance(upstream, str) else tenant(upstream)
        folder = tmp_path / f"proxy{len(started)}"
        folder.mkdir()
        config = "[proxy]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None) + sections
        started.append(harness.Proxy(folder, config, arguments, environment))
        return started[-1]

    return start
