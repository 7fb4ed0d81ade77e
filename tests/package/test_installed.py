"""The package in fresh Debian systems that are booted: installed, configured, called, upgraded under load, removed."""
import json
import re
import shutil
import subprocess
import sys
import time

import pytest

import machine
from machine import ROOT, run

pytestmark = [pytest.mark.skipif(not machine.FULL, reason="--full only")]
LOAD = ROOT / "tests/package/load.py"


def figure(name, **values):
    """What a run has measured, for those who want to know."""
    with open(ROOT / "build/package-figures.txt", "a") as out:
        print(name, json.dumps(values), file=out)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def built(request):
    return (request.param, *machine.built(request.param))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    run(["sh", ROOT / "tests/certs/make.sh", folder])
    return folder


def files_of(m, pki, *names):
    for name in names:
        shutil.copy(pki / name, m.root / "root" / name)


@pytest.fixture(scope="module")
def installed(built, pki, tmp_path_factory):
    """A booted system with the package, as apt installs it into one that has nothing of it."""
    release, _, package = built
    with machine.machine_of(release, tmp_path_factory.mktemp(release) / "root") as m:
        m.package = package
        shutil.copy(package, m.root / "root")
        begun = time.monotonic()
        m.enter(f"apt-get -q update && apt-get -q install -y /root/{package.name}")
        m.seconds = time.monotonic() - begun
        m.install("curl", "iproute2")
        files_of(m, pki, "acme-all.pem", "ca.pem", "acme-encrypted.key", "acme-chain.pem", "acme.pass")
        m.boot()
        yield m


class Load:
    """Calls from within the system's network, and the API server that they are for."""

    def __init__(self, m, pki, rate, seconds):
        self.process = subprocess.Popen([*m.inside("-n"), sys.executable, LOAD, "8080", str(rate), str(seconds), pki],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def begin(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        out, _ = self.process.communicate(timeout=120)
        return json.loads(out)


@pytest.fixture
def load(installed, pki):
    loads = []

    def start(rate, seconds):
        loads.append(Load(installed, pki, rate, seconds))
        return loads[-1]

    yield start
    for one in loads:
        one.process.kill()
        one.process.wait()


def until(m, command, words):
    end = time.monotonic() + machine.LIMIT
    while words not in m.run(command):
        assert time.monotonic() < end, command
        time.sleep(0.2)


def test_is_not_started_before_it_is_configured(installed):
    """Neither is it failed: the machine is in order."""
    assert installed.run("systemctl is-system-running").strip() == "running"
    assert "inactive" in installed.run("systemctl is-active sfmtls || :")
    assert "enabled" in installed.run("systemctl is-enabled sfmtls")
    assert "disabled" in installed.run("systemctl is-enabled sfmtls.socket || :")


def test_access_to_the_configuration_is_limited(installed):
    assert installed.run("stat -c '%a %U:%G' /etc/sfmtls /etc/sfmtls/sfmtls.ini").split("\n")[:2] == [
        "750 root:sfmtls", "640 root:sfmtls"]
    assert "nologin" in installed.run("getent passwd sfmtls")


def test_first_call(installed, load):
    """As a new user does it: certificate, init, service, call."""
    load(1, 0)
    commands = ["install -g sfmtls -m 0640 /root/acme-all.pem /root/ca.pem /etc/sfmtls",
                "sfmtls init -c /etc/sfmtls/sfmtls.ini --server localhost:8081 --company-id ACME "
                "--certificate /etc/sfmtls/acme-all.pem --ca-file /etc/sfmtls/ca.pem",
                "systemctl restart sfmtls", "sfmtls check"]
    begun = time.monotonic()
    for command in commands:
        said = installed.run(command)
        assert "FAIL" not in said
    assert installed.run("curl -s http://localhost:8080/odata/v2/").strip() == "answered"
    figure("first call", release=installed.release, install_s=round(installed.seconds, 1),
           configure_s=round(time.monotonic() - begun, 1),
           keystrokes=sum(map(len, commands)) + len("curl http://localhost:8080/odata/v2/") + len(commands) + 1)


def log_of(m):
    return m.run("journalctl --no-pager -o cat -u sfmtls")


def test_unit_lets_it_do_all_that_it_wants(installed):
    """Memory is locked, and the sandbox is whole."""
    said = log_of(installed)
    assert not re.search("warning: (the memory|sandbox|.*limit)", said), said


def test_reload_by_systemd_keeps_the_process(installed, load):
    load(1, 0)
    main = installed.run("systemctl show -p MainPID --value sfmtls")
    installed.run("sed -i 's/^;queue = .*/queue = 2000/' /etc/sfmtls/sfmtls.ini && systemctl reload sfmtls")
    until(installed, "journalctl --no-pager -o cat -u sfmtls", "notice: reloaded")
    until(installed, "journalctl --no-pager -o cat -u sfmtls", "Reloaded sfmtls.service")
    assert installed.run("systemctl show -p MainPID --value sfmtls") == main


def drop_in(m, *lines):
    m.run("mkdir -p /run/systemd/system/sfmtls.service.d && printf '[Service]\\n" + "\\n".join(lines) +
          "\\n' >/run/systemd/system/sfmtls.service.d/test.conf && systemctl daemon-reload")


def test_watchdog_replaces_a_process_that_stands_still(installed):
    """A process that stands still is replaced, one that lives is not."""
    drop_in(installed, "WatchdogSec=2")
    installed.run("systemctl restart sfmtls")
    main = installed.run("systemctl show -p MainPID --value sfmtls").strip()
    time.sleep(5)
    assert installed.run("systemctl show -p MainPID --value sfmtls").strip() == main
    installed.run(f"kill -STOP {main}")
    end = time.monotonic() + machine.LIMIT
    while installed.run("systemctl show -p MainPID --value sfmtls").strip() in (main, "0"):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert "Watchdog timeout" in log_of(installed)


def test_passphrase_from_an_encrypted_credential(installed, load):
    """And `run -t` under the unit's own settings, before each start."""
    load(1, 0)
    installed.run("cd /etc/sfmtls && cp -p sfmtls.ini before.ini && install -g sfmtls -m 0640 /root/acme-encrypted.key "
                  "/root/acme-chain.pem . && sed -i -e 's/^certificate = .*/certificate = acme-chain.pem/' -e "
                  "'/^certificate/a private-key = acme-encrypted.key\\npassphrase-credential = acme-pass' sfmtls.ini"
                  " && "
                  "systemd-creds encrypt --name=acme-pass /root/acme.pass /etc/sfmtls/acme-pass.cred 2>/dev/null")
    drop_in(installed, "LoadCredentialEncrypted=acme-pass:/etc/sfmtls/acme-pass.cred",
            "ExecStartPre=/usr/bin/sfmtls run -t -c /etc/sfmtls/sfmtls.ini")
    installed.run("systemctl restart sfmtls")
    assert "configuration ok: /etc/sfmtls/sfmtls.ini" in log_of(installed)
    assert installed.run("curl -s http://localhost:8080/").strip() == "answered"
    installed.run("mv /etc/sfmtls/before.ini /etc/sfmtls/sfmtls.ini && rm -r /run/systemd/system/sfmtls.service.d && "
                  "systemctl daemon-reload && systemctl restart sfmtls")


def test_logrotate_loses_no_line(installed, load):
    load(1, 0)
    installed.run("sed -i 's,^;log = .*,log = /var/log/sfmtls/sfmtls.log,' /etc/sfmtls/sfmtls.ini && "
                  "systemctl restart sfmtls && curl -s http://localhost:8080/before")
    until(installed, "cat /var/log/sfmtls/sfmtls.log", "/before")
    installed.run("logrotate --force /etc/logrotate.d/sfmtls && curl -s http://localhost:8080/after")
    until(installed, "cat /var/log/sfmtls/sfmtls.log || :", "/after")
    assert "/before" in installed.run("cat /var/log/sfmtls/sfmtls.log.1")


@pytest.mark.parametrize("socket", [False, True], ids=["service", "socket"])
def test_upgrade_under_load(installed, load, tmp_path, socket):
    """Requests that run are finished. Without the socket unit, new ones are refused until the old process has ended."""
    if socket:
        installed.run("systemctl stop sfmtls && systemctl enable --now sfmtls.socket && systemctl start sfmtls")
    package = installed.package = machine.newer(installed.package, tmp_path)
    shutil.copy(package, installed.root / "root")
    calls = load(200, 10)
    calls.begin()
    time.sleep(3)
    installed.run(f"dpkg -i /root/{package.name}")
    result = calls.result()
    figure("upgrade", release=installed.release, socket=socket, **result)
    assert result["others"] == [] and result["answered"] + result["refused"] == result["calls"] == 2000
    assert result["refused"] == 0 if socket else result["refused_s"] < 6
    assert "queue = 2000" in installed.run("cat /etc/sfmtls/sfmtls.ini")


def test_remove_and_purge(installed):
    installed.run("dpkg -r sfmtls")
    assert installed.run("ls /etc/sfmtls/sfmtls.ini /etc/logrotate.d/sfmtls").split() == [
        "/etc/logrotate.d/sfmtls", "/etc/sfmtls/sfmtls.ini"]
    assert "inactive" in installed.run("systemctl is-active sfmtls || :")
    installed.run("dpkg -P sfmtls")
    left = installed.run("find / -xdev -iname '*sfmtls*' -not -path '/root/*' -not -path '/proc/*' "
                         "-not -path '/var/lib/apt/*' -not -path '/tmp/*' -not -path '/run/*'").split()
    # The keys of the administrator stay, and with them the folder.
    assert left == ["/etc/sfmtls"], left
    assert "acme-all.pem" in installed.run("ls /etc/sfmtls")


def test_piuparts_finds_nothing_left_behind(built, tmp_path):
    """Installed, upgraded, removed and purged, nothing is left or was changed that should not."""
    release, _, package = built
    base = tmp_path / "base.tar.gz"
    run(["sh", "-c", f"gzip -1 <{machine.base(release)} >{base}"])
    # debconf's own leftover in Debian 13, of which the piuparts of Debian 12 does not know.
    run(["piuparts", "--basetgz", base, "-d", release, "-m", machine.MIRROR, "--no-eatmydata",
         "--skip-logrotatefiles-test", "--ignore-regex=/var/cache/debconf/tmp.ci.*", package])
