"""The Debian package of this tree: what is in it, that it is the same twice, what lintian says."""
import os
import re
import subprocess

import pytest

import machine
from machine import ROOT, run

FULL = pytest.mark.skipif(not machine.FULL, reason="--full only")

FILES = """/etc/logrotate.d/sfmtls /etc/sfmtls/sfmtls.ini /usr/bin/sfmtls /usr/lib/sysusers.d/sfmtls.conf
    /usr/lib/tmpfiles.d/sfmtls.conf /usr/share/bash-completion/completions/sfmtls
    /usr/share/zsh/vendor-completions/_sfmtls /usr/share/fish/vendor_completions.d/sfmtls.fish
    /usr/share/man/man1/sfmtls.1.gz /usr/share/man/man5/sfmtls.ini.5.gz /usr/share/man/man7/sfmtls-errors.7.gz
    /usr/share/man/man7/sfmtls-security.7.gz /usr/share/doc/sfmtls/examples/sfmtls.ini
    /usr/share/doc/sfmtls/examples/prometheus/sfmtls-alerts.yml /usr/share/doc/sfmtls/copyright""".split()


def build(options):
    """Without optimization every day: linking takes most of the time."""
    out = run(["sh", "conf/package.sh"], cwd=ROOT, env={**os.environ, "DEB_BUILD_OPTIONS": options})
    return [ROOT / line for line in out.split()]


@pytest.fixture(scope="module")
def package():
    return build("" if machine.FULL else "noopt noautodbgsym")[-1]


def test_its_files(package):
    listed = run(["dpkg-deb", "-c", package])
    paths = {line.split()[5][1:] for line in listed.splitlines()}
    assert not [path for path in FILES if path not in paths]
    units = {path.rsplit("/", 1)[1] for path in paths if "/systemd/system/sfmtls" in path}
    assert units == {"sfmtls.service", "sfmtls.socket"}
    conffiles = run(["dpkg-deb", "-I", package, "conffiles"]).split()
    assert sorted(conffiles) == ["/etc/logrotate.d/sfmtls", "/etc/sfmtls/sfmtls.ini"]


def test_its_version(package):
    """Newer than the last release and older than the next, until CHANGELOG.md has one."""
    version = run(["dpkg-deb", "-f", package, "Version"]).strip()
    program = re.search(r"project\(sfmtls VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert re.fullmatch(rf"{re.escape(program)}(\+git\d{{14}})?", version)


def test_its_unit_starts_the_installed_program(package, tmp_path):
    run(["dpkg-deb", "-x", package, tmp_path])
    unit = next(tmp_path.glob("**/sfmtls.service")).read_text()
    assert "ExecStart=/usr/bin/sfmtls run" in unit
    assert run([tmp_path / "usr/bin/sfmtls", "help", "config"]) == (tmp_path / "etc/sfmtls/sfmtls.ini").read_text()
    assert subprocess.run([tmp_path / "usr/bin/sfmtls", "demo", "--once", "--listen", "localhost:0"],
                          capture_output=True, timeout=60).returncode == 0


def test_cmake_install(tmp_path):
    """The same files for other systems, below DESTDIR."""
    run(["cmake", "-S", ROOT, "-B", tmp_path / "build", "-G", "Ninja", "-DSFMTLS_TESTS=OFF",
         "-DCMAKE_INSTALL_PREFIX=/usr"])
    text = (tmp_path / "build/cmake_install.cmake").read_text()
    for name in ("bash-completion/completions", "site-functions", "vendor_completions.d", "sysusers.d", "tmpfiles.d",
                 "/etc/logrotate.d", "lib/systemd/system", "share/man/man5", "examples"):
        assert name in text, name
    assert "ExecStart=/usr/bin/sfmtls" in (tmp_path / "build/sfmtls.service").read_text()


@FULL
def test_the_same_bytes_twice(package):
    before = package.read_bytes()
    assert build("")[-1].read_bytes() == before


@FULL
def test_lintian_finds_nothing(package):
    """There are no overrides."""
    said = run(["lintian", "--allow-root", "--fail-on=error,warning", *package.parent.glob("*.changes")])
    assert not re.search(r"(?m)^[EW]: ", said), said
    assert not list((ROOT / "conf/debian").glob("*overrides*"))
