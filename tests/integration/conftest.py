import contextlib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import types

import pytest
from xdist.scheduler import LoadFileScheduling

import harness

os.umask(0o077)  # what tests write are private keys, more often than not
os.environ["XDG_DATA_HOME"] = "/nonexistent"  # no local CA of whoever runs the tests
for name in list(os.environ):  # nor a proxy
    if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        del os.environ[name]


def hand_down_default_signals():
    """A shell that starts something in the background, or nohup, leaves signals ignored; what tests start has to find
    them as at a terminal. A handler, other than that they are ignored, is not handed down."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        if signal.getsignal(number) == signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


hand_down_default_signals()
ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(OfManyProcesses())
    config.addinivalue_line("markers", "released: of the released program alone, whatever program is named")
    config.addinivalue_line("markers", "alone: of one worker, however many there are to be")


# The files that take longest, the longest first.
LONGEST = ("callers_file", "turns", "connect", "failures", "bodies", "manners", "check", "vanished", "expansion",
           "reload", "btp_renewal", "vectors", "pool", "btp_fetch", "guard", "hints", "reload_keys", "overlap",
           "links", "batch", "parent", "head", "clients", "operate", "chaos")


class LongestFirst(LoadFileScheduling):
    """pytest --dist loadfile, by which a process gets a whole file at a time: none is long among the last."""

    is_sorted = False

    def _assign_work_unit(self, node):
        def rank(file):
            name = pathlib.Path(file).stem.removeprefix("test_")
            return LONGEST.index(name) if name in LONGEST else len(LONGEST)

        if not self.is_sorted:
            self.is_sorted = True
            for file in sorted(self.workqueue, key=rank):
                self.workqueue.move_to_end(file)
        super()._assign_work_unit(node)


class OfManyProcesses:
    """What pytest-xdist alone asks for."""

    def pytest_xdist_make_scheduler(self, config, log):
        return LongestFirst(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items):
    for item in items:
        unmeasured = item.name.startswith("test_swaps") and not item.callspec.params["measured"]
        if "release" in item.fixturenames and "theirs" not in item.fixturenames and not unmeasured:
            item.add_marker("released")
        if "one_worker" in item.fixturenames:
            item.add_marker("alone")


@pytest.fixture(scope="session", autouse=True)
def no_settings_for_the_program():
    """Those of the tests are in harness.SETTINGS. Here, for pytest -n hands the environment down to its workers."""
    for name in harness.SETTINGS:
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Throw-away certificates: see tests/certs/make.sh. A copy of those that are there: tests write beside them."""
    folder = tmp_path_factory.mktemp("pki")
    if made := harness.setting("TEST_PKI"):
        shutil.copytree(made, folder, dirs_exist_ok=True)
    else:
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
        location /post/ {{ proxy_method PUT; proxy_pass http://unix:{folder}/socket:/put/; proxy_request_buffering off;
            proxy_http_version 1.1; }}
        """, http=f"server {{ listen unix:{folder}/socket; root {files}; location /put/ {{ dav_methods PUT; }} }}")
    (files / "put").mkdir()
    server.files = files
    yield server
    server.stop()


@pytest.fixture(scope="session")
def release():
    """The release build's program: memory is judged on it."""
    path = pathlib.Path(harness.setting("RELEASE", ROOT / "build/release/sfmtls"))
    assert path.exists(), f"{path} is missing: cmake --preset release && cmake --build --preset release"
    return str(path)


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


@pytest.fixture(scope="session")
def tenant(pki):
    """tenant(port, ...): a [tenant] section for a server on that port."""

    def section(port, name="acme", company="ACME", certificate="acme-all.pem", **more):
        lines = {"company-id": company, "server": f"localhost:{port}", "connect-to": f"127.0.0.1:{port}",
                 "certificate": f"{pki}/{certificate}", "ca-file": f"{pki}/ca.pem"}
        lines.update({key.replace("_", "-"): value for key, value in more.items()})
        return f"[tenant {name}]\n" + "".join(
            f"{key} = {value}\n" for key, value in lines.items() if value is not None)

    return section


def proxy_section(keys):
    """A [proxy] section with these keys (_ for -), those with None left out; its listener on a port that is free."""
    lines = {"listen": "127.0.0.1:0", "workers": harness.setting("WORKERS"),
             **{key.replace("_", "-"): value for key, value in keys.items()}}
    return "[proxy]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)


@pytest.fixture
def proxy(tmp_path, started, tenant):
    """proxy(port or sections, **proxy_keys): starts sfmtls before a server on that port; process is for
    harness.Proxy."""

    def start(upstream, environment=None, arguments=(), process=None, **keys):
        sections = upstream if isinstance(upstream, str) else tenant(upstream)
        folder = tmp_path / f"proxy{len(started)}"
        folder.mkdir()
        started.append(harness.Proxy(folder, proxy_section(keys) + sections, arguments, environment, **(process or {})))
        return started[-1]

    return start


@pytest.fixture(scope="module")
def recorded_by(pki, tenant, tmp_path_factory):
    """recorded_by(reply, ...): a harness.Recorder (.server) and a proxy (.proxy) before it, for a whole module."""
    with contextlib.ExitStack() as stack:

        def start(*reply, **keys):
            server = harness.Recorder(pki, *reply)
            stack.callback(server.stop)
            config = proxy_section(keys) + tenant(server.port)
            proxy = harness.Proxy(tmp_path_factory.mktemp("recorded"), config)
            stack.callback(proxy.stop)
            return types.SimpleNamespace(proxy=proxy, server=server)

        yield start


@pytest.fixture(scope="module")
def recorded_path(recorded_by):
    return recorded_by()


@pytest.fixture
def recorded(recorded_path):
    """A proxy before a server that records, shared by the tables of a module; nothing was seen so far."""
    recorded_path.server.take()
    return recorded_path


@pytest.fixture
def names(pki):
    """In a folder that the sandbox lets be read: below that of ca-file."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=pki))
    yield harness.Names(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def deaf():
    """deaf(address, port): something listens there, but takes no connection, for its backlog is full."""
    with contextlib.ExitStack() as stack:

        def listen(address, port=0):
            s = stack.enter_context(socket.create_server((address, port), backlog=0))
            while True:
                c = stack.enter_context(socket.socket())
                c.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    c.connect(s.getsockname())
                if not select.select([], [c], [], 0.2)[1]:
                    listen.listeners[s.getsockname()[1]] = s
                    return s.getsockname()[1]

        listen.listeners = {}  # by port: once those that fill it are accepted, connections are taken
        yield listen


@pytest.fixture
def one_worker(monkeypatch):
    """For tests of what belongs to one worker: its connections, its TLS sessions, the order of its requests."""
    monkeypatch.delitem(harness.SETTINGS, "SFMTLS_WORKERS", raising=False)


@pytest.fixture
def pipe(started):
    """A harness.Pipe for the program's stderr."""
    started.append(harness.Pipe())
    return started[-1]
