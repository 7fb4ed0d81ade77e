"""The image, built by buildah and run by podman: a sidecar in the pod of an app."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

import machine
from machine import ROOT, run

sys.path.append(str(ROOT / "tests/integration"))
import btp  # noqa: E402

pytestmark = [pytest.mark.skipif(not machine.FULL, reason="--full only")]
BASE, IMAGE = "localhost/sfmtls-test-base", "localhost/sfmtls-test"
# Within what a process may do that has not the right to raise limits, and without systemd to run health checks.
PODMAN = ["podman", "--runtime", "runc"]
RUN = [*PODMAN, "run", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1000:2000", "--health-interval", "disable"]
ULIMITS = '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=1000:2000"]\n'  # of a pod, which has no option
# As docker/compose.yml has it.
SIDECAR = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", *(
    word for setting in ("SERVER=localhost:8081", "ADMIN=localhost:8082", "COMPANY_ID=ACME", "ALLOW_UID=any",
                         "CERTIFICATE=/key/acme-all.pem", "CA_FILE=/key/ca.pem", "MAX_CONNECTIONS=500")
    for word in ("-e", f"SFMTLS_{setting}"))]
# An app without any tool: it calls until it is answered, then once with a call that takes its time.
APP = """
call() {
    exec 3<>/dev/tcp/localhost/8080 || return
    printf 'GET %s HTTP/1.1\\r\\nHost: localhost:8080\\r\\nConnection: close\\r\\n\\r\\n' $1 >&3
    cat <&3
}
until call /first 2>/dev/null | grep -q answered; do sleep 0.1; done
call /slow | grep -q answered
"""


@pytest.fixture(scope="module")
def image():
    """docker/Dockerfile on a base that debootstrap made, since no registry is asked."""
    if subprocess.run(["podman", "image", "exists", BASE]).returncode != 0:
        run(["podman", "import", machine.base("trixie"), BASE])
    run(["buildah", "bud", "--layers", "--isolation", "chroot", "--network", "host", "--format", "docker",
         "--build-arg", f"BASE={BASE}", "--build-arg", "VERSION=0.1.0", "-f", "docker/Dockerfile", "-t", IMAGE, "."],
        cwd=ROOT)
    return IMAGE


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    run(["sh", ROOT / "tests/certs/make.sh", folder])
    return folder


@pytest.fixture
def key(pki, tmp_path):
    folder = tmp_path / "key"
    folder.mkdir()
    for name in ("acme-all.pem", "ca.pem"):
        shutil.copy(pki / name, folder)
        os.chown(folder / name, 10001, 10001)
        os.chmod(folder / name, 0o400)
    return folder


class Pod:
    """Its containers share a network without anything else in it; in the order in which they are started."""

    def __init__(self, pki, folder):
        (folder / "containers.conf").write_text(ULIMITS)
        os.environ["CONTAINERS_CONF"] = str(folder / "containers.conf")
        self.name = f"sfmtls-test-{os.getpid()}"
        self.events = []
        self.begun = time.monotonic()
        run([*PODMAN, "pod", "create", "--name", self.name, "--network", "none"])
        run([*PODMAN, "pod", "start", self.name])
        infra = run(["podman", "pod", "inspect", "--format", "{{.InfraContainerID}}", self.name]).strip()
        pid = run(["podman", "inspect", "--format", "{{.State.Pid}}", infra]).strip()
        self.inside = ["nsenter", "-t", pid, "-n"]
        load = [sys.executable, ROOT / "tests/package/load.py", "8080", "1", "0", pki]
        self.origin = subprocess.Popen([*self.inside, *load],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.origin.stdout.readline() == "ready\n"

    def container(self, name):
        return f"{self.name}-{name}"

    def note(self, what):
        self.events.append(f"{time.monotonic() - self.begun:5.1f} s  {what}")

    def start(self, name, image, command, *options):
        run([*RUN, "-d", "--pod", self.name, "--name", self.container(name), *options, image, *command])
        self.note(f"{name} starts")

    def wait(self, name):
        code = int(run(["podman", "wait", self.container(name)]))
        self.note(f"{name} ends, exit code {code}")
        return code

    def terminate(self, name):
        self.note(f"{name} gets SIGTERM")
        run(["podman", "kill", "--signal", "TERM", self.container(name)])

    def exec(self, name, *command):
        return subprocess.run([*PODMAN, "exec", self.container(name), *command], capture_output=True, text=True)

    def remove(self):
        self.origin.kill()
        self.origin.wait()
        subprocess.run([*PODMAN, "pod", "rm", "-f", "-t", "0", self.name], capture_output=True)
        del os.environ["CONTAINERS_CONF"]
        with open(ROOT / "build/package-figures.txt", "a") as out:
            print(*self.events, sep="\n", file=out)


@pytest.fixture
def pod(image, pki, tmp_path):
    p = Pod(pki, tmp_path)
    yield p
    p.remove()


def start_sidecar(pod, image, key):
    pod.start("sfmtls", image, ["run"], "-v", f"{key}:/key:ro", *SIDECAR)


@pytest.fixture(scope="module")
def contents(image, tmp_path_factory):
    """Its files, in a folder."""
    folder = tmp_path_factory.mktemp("contents")
    name = run(["podman", "create", "--health-interval", "disable", image]).strip()
    try:
        run(["sh", "-c", f"podman export {name} | tar -C {folder} -x"])
    finally:
        run(["podman", "rm", name])
    return folder


def test_what_is_in_it(image, contents):
    """No shell, no package manager; labels, a health check, not root, and a list of the packages."""
    config = json.loads(run(["podman", "inspect", image]))[0]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/sfmtls", "wait", "--max", "1s"]
    assert config["Labels"]["org.opencontainers.image.version"] == "0.1.0"
    assert [p.name for p in (contents / "usr/bin").iterdir()] == ["sfmtls"]
    sbom = json.loads((contents / "usr/share/sbom/sfmtls.spdx.json").read_text())
    names = {package["name"] for package in sbom["packages"]}
    assert sbom["spdxVersion"] == "SPDX-2.3" and names >= {
        "sfmtls", "libssl3t64", "libc6", "ca-certificates", "libcurl4t64", "libgssapi-krb5-2", "libkrb5-3"}, names
    assert all(package["versionInfo"] for package in sbom["packages"])


def test_each_library_finds_what_it_needs(contents):
    """Those that the program loads by itself, too."""
    libraries = ["/" + str(path.relative_to(contents)) for path in (contents / "usr/lib").glob("**/*.so*")]
    assert {"libcurl.so.4", "libgssapi_krb5.so.2", "legacy.so"} <= {path.rsplit("/", 1)[1] for path in libraries}
    for path in [*libraries, "/usr/bin/sfmtls"]:
        said = run(["chroot", contents, "/lib64/ld-linux-x86-64.so.2", "--list", path])
        assert "not found" not in said, (path, said)


def test_certificate_of_btp(image, pki, tmp_path):
    """With libcurl, and the CAs of a file: into a folder of the container's user."""
    (tmp_path / "out").mkdir()
    service = btp.Btp(pki, tmp_path)
    try:
        pem = service.put("sfmtls.pem", service.issue())
        service.service_key(tmp_path / "out/key.json")
        shutil.copy(pki / "ca.pem", tmp_path / "out")
        for path in (tmp_path / "out", *(tmp_path / "out").iterdir()):
            os.chown(path, 10001, 10001)
        run([*RUN, "--rm", "--network", "host", "-v", f"{tmp_path}/out:/out", image, "cert", "fetch", "--service-key",
             "/out/key.json", "--name", "sfmtls.pem", "--ca-file", "/out/ca.pem", "-o", "/out/acme.pem"])
    finally:
        service.stop()
    assert (tmp_path / "out/acme.pem").read_bytes() == pem


@pytest.mark.parametrize("auth, code, said", [
    ("negotiate", 0, "configuration ok"),
    ("ntlm", 2, "by NTLM, for which the package gss-ntlmssp is missing"),
])
def test_parent_proxy(image, key, auth, code, said):
    """Kerberos is there; of NTLM, which needs half of Samba, one sentence says that it is not."""
    (key / "password").write_text("s3cret\n")
    os.chown(key / "password", 10001, 10001)
    (key / "password").chmod(0o400)
    settings = [*SIDECAR, "-e", "SFMTLS_PARENT_PROXY=http://proxy.test:3128", "-e", "SFMTLS_PARENT_PROXY_USER=anna",
                "-e", "SFMTLS_PARENT_PROXY_PASSWORD_FILE=/key/password", "-e", f"SFMTLS_PARENT_PROXY_AUTH={auth}"]
    result = subprocess.run([*RUN, "--rm", "--network", "none", "-v", f"{key}:/key:ro", *settings, image, "run", "-t"],
                            capture_output=True, text=True)
    assert result.returncode == code and said in result.stdout + result.stderr, result


@pytest.mark.parametrize("first", ["app", "sfmtls"])
def test_job_that_ends_with_its_app(pod, image, key, first):
    """Whichever starts first: the app ends with 0, then the sidecar with 0 on SIGTERM."""
    if first == "app":
        pod.start("app", BASE, ["bash", "-c", APP])
    start_sidecar(pod, image, key)
    assert pod.exec("sfmtls", "/usr/bin/sfmtls", "wait", "--max", "20s").returncode == 0
    pod.note("sfmtls wait: ready")
    if first == "sfmtls":
        pod.start("app", BASE, ["bash", "-c", APP])
    assert pod.wait("app") == 0
    pod.terminate("sfmtls")
    assert pod.wait("sfmtls") == 0


def test_sigterm_in_mid_request_loses_none(pod, image, key):
    start_sidecar(pod, image, key)
    assert pod.exec("sfmtls", "/usr/bin/sfmtls", "wait").returncode == 0
    slow = [*pod.inside, "curl", "-s", "http://localhost:8080/slow"]
    calls = [subprocess.Popen(slow, stdout=subprocess.PIPE, text=True)
             for _ in range(20)]
    # Each of them has reached the API server, which takes three seconds for it.
    end = time.monotonic() + machine.LIMIT
    while len(re.findall("ESTAB", run([*pod.inside, "ss", "-Htn", "dport = :8081"]))) < len(calls):
        assert time.monotonic() < end
        time.sleep(0.1)
    pod.terminate("sfmtls")
    assert [call.communicate(timeout=60)[0] for call in calls] == ["answered"] * len(calls)
    assert pod.wait("sfmtls") == 0


def test_has_no_shell(pod, image, key):
    start_sidecar(pod, image, key)
    assert pod.exec("sfmtls", "/bin/sh", "-c", "true").returncode not in (0, 125)


def test_by_the_environment_alone(image):
    """What is missing is one sentence, exit code 2."""
    result = subprocess.run([*RUN, "--rm", "--network", "none", image], capture_output=True, text=True)
    assert result.returncode == 2 and "set SFMTLS_COMPANY_ID, SFMTLS_SERVER and SFMTLS_CERTIFICATE" in result.stderr
