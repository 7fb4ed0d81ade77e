"""What shells complete: the candidates of `sfmtls complete`, and the scripts for bash, zsh and fish."""
import os
import pathlib
import pty
import re
import select
import subprocess
import time

import pytest

import harness

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "conf/completion"
TWO_TENANTS = """[tenant acme]
company-id = ACME
server = api4.successfactors.com
certificate = acme.pem
[tenant globex]
company-id = GLOBEX
server = api4.successfactors.com
certificate = acme.pem
"""


def candidates(line, **kwargs):
    """The words that can stand in place of the last one."""
    result = harness.run_cli("complete", "--", *line.split(" "), **kwargs)
    assert (result.returncode, result.stderr) == (0, "")
    return [text.split("\t")[0] for text in result.stdout.splitlines()]


def test_every_command():
    assert candidates("") == re.findall(r"(?m)^  (\w+) +\S", harness.run_cli("help").stdout)
    assert candidates("rel") == ["reload"]
    assert candidates("nonsense ") == []


@pytest.mark.released
def test_every_option_of_its_help():
    for command in candidates(""):
        known = {*re.findall(r"(?m)^  .{4}(--[a-z-]+)", harness.run_cli("help", command).stdout), "--help"}
        assert set(candidates(f"{command} --")) == known, command


@pytest.mark.parametrize("line,wanted", [
    ("check --identity ", ["current", "next", "both"]),
    ("check --identity=n", ["--identity=next"]),
    ("check --skip server", ["server-certificate"]),
    ("cert ", ["show", "public", "request", "fetch"]),
    ("cert show ", [":files"]),
    ("cert request --key-type rsa", ["rsa-2048", "rsa-3072"]),
    ("ca show --dir ", [":folders"]),
    ("ca i", ["init"]),
    ("run -c ", [":files"]),
    ("run --server api4.", ["api4.successfactors.com"]),
    ("run --set log-f", ["log-format="]),
    ("run --set log-format=j", ["log-format=json"]),
    ("run --set caller-token-file=", [":files"]),
    ("run --set acme.rewrite-links=o", ["acme.rewrite-links=on", "acme.rewrite-links=off"]),
    ("demo --fault not-t", ["not-tls"]),
    ("import ", [":files"]),
    ("help er", ["errors"]),
    ("help server-", ["server-as-is", "server-timing"]),
    ("hosts ", ["--help"]),
], ids=str)
def test_values_of_options_are_offered(line, wanted, tmp_path):
    assert sorted(candidates(line, cwd=tmp_path)) == sorted(wanted)


def test_tenants_of_the_configuration(tmp_path):
    """By the usual file, by -c, and by none: without a word about it."""
    (tmp_path / "sfmtls.ini").write_text(TWO_TENANTS)
    (tmp_path / "broken.ini").write_text("[tenant\n")
    assert candidates("check ", cwd=tmp_path) == ["acme", "globex"]
    assert candidates("check -c sfmtls.ini g", cwd=tmp_path) == ["globex"]
    assert candidates("check --config=sfmtls.ini a", cwd=tmp_path) == ["acme"]
    assert candidates("check -c broken.ini ", cwd=tmp_path) == []
    assert "globex.server=" in candidates("run --set globex.", cwd=tmp_path)


def test_wrong_call():
    result = harness.run_cli("complete", "run")
    assert (result.returncode, result.stdout) == (2, "") and "after `--`" in result.stderr


# ---- the shells ----

@pytest.fixture
def home(tmp_path):
    """A folder with a configuration, and with this program as `sfmtls` in bin."""
    (tmp_path / "sfmtls.ini").write_text(TWO_TENANTS)
    (tmp_path / "acme.pem").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sfmtls").symlink_to(os.path.abspath(harness.BINARY))
    return tmp_path


def environment(home):
    return {"PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def typed(home, shell, prepare, line):
    """What a shell at a terminal makes of a line that ends in a tab, then Enter: the command that it runs."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(shell[0], shell, environment(home))
    said = b""

    def wait_for(pattern):
        nonlocal said
        end = time.monotonic() + harness.LIMIT
        while not (found := re.search(pattern, said)):
            left = end - time.monotonic()
            assert left > 0 and select.select([terminal], [], [], left)[0], said
            said += os.read(terminal, 4096)
        said = said[found.end():]
        return found

    try:
        os.write(terminal, prepare.encode() + b"; echo rea''dy\n")
        wait_for(rb"\bready\r?\n")
        # The words as the shell sees them in the end.
        os.write(terminal, b"sfmtls() { printf '<%s>' \"$@\"; echo '<ende>'; }; echo nu''n\n")
        wait_for(rb"\bnun\r?\n")
        os.write(terminal, line.encode() + b"\t\n")
        return wait_for(rb"((?:<[^<>]*>)+)<ende>").group(1).decode()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


LINES = [("check gl", "<check><globex>"), ("check --identity=n", "<check><--identity=next>"),
         ("run --set acme.ca-f", "<run><--set><acme.ca-file=>"), ("cert show ac", "<cert><show><acme.pem>")]


@pytest.mark.released
@pytest.mark.parametrize("line,words", LINES, ids=str)
def test_bash_completes_the_line(home, line, words):
    # A function of the same name shows the words; the completion calls the program.
    prepare = f"source {SCRIPTS}/sfmtls.bash; bind 'set enable-bracketed-paste off'"
    assert typed(home, ["bash", "--norc", "--noprofile", "-i"], prepare, f"sfmtls {line}") == words


@pytest.mark.released
@pytest.mark.parametrize("line,words", LINES, ids=str)
def test_zsh_completes_the_line(home, line, words):
    prepare = f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D; PS1='$ '"
    assert typed(home, ["zsh", "-f", "-i"], prepare, f"sfmtls {line}") == words


@pytest.mark.released
def test_fish_completes_the_line(home):
    def complete(line):
        return subprocess.run(["fish", "--no-config", "-c", f"source {SCRIPTS}/sfmtls.fish; complete -C '{line}'"],
                              cwd=home, env=environment(home), capture_output=True, text=True, check=True).stdout
    assert complete("sfmtls check gl") == "globex\tGLOBEX\n"
    assert complete("sfmtls check --identity=n").strip() == "--identity=next"
    assert complete("sfmtls cert show ac").strip() == "acme.pem"
    assert "acme.ca-file=\tfile\n" in complete("sfmtls run --set acme.ca-f")
