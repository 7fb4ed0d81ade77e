"""Names follow the system's configuration, also inside of the sandbox and when that changes: a network comes up, a VPN
starts, and /etc/resolv.conf leads to where nothing was. On the release build, for the sanitizers have no sandbox."""
import os
import pathlib
import re
import shutil
import socket
import struct
import threading

import pytest

import harness

NAME = "sf.example.test"
OLD, NEW = "127.0.0.10", "127.0.0.20"  # name servers: one knows nothing, one knows the name
BLOCKED = r"names are not looked up as the system says: {} leads to {}, which the sandbox does not let be read, .*; " \
          r"restart sfmtls"


class NameServer:
    """Answers A questions, with an address or that there is no such name."""

    def __init__(self, sock, address):
        self.sock, self.address, self.asked = sock, address, []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                question, caller = self.sock.recvfrom(512)
            except OSError:
                return
            self.asked.append(question)
            end = question.index(b"\0", 12) + 5
            knows, wants = self.address is not None, question[end - 4:end - 2]
            answers = 1 if knows and wants == b"\0\1" else 0
            head = question[:2] + struct.pack(">HHHHH", 0x8180 if knows else 0x8183, 1, answers, 0, 0)
            record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.address or "0.0.0.0")
            self.sock.sendto(head + question[12:end] + answers * record, caller)

    def stop(self):
        self.sock.close()


class Machine:
    """/etc and /run of the program's own, and a network with two name servers."""

    def __init__(self, folder, cable):
        self.etc, self.run = folder / "etc", folder / "run"
        shutil.copytree("/etc", self.etc, symlinks=True, ignore_dangling_symlinks=True,
                        ignore=lambda path, names: [n for n in names if n not in ("passwd", "group", "ssl", "certs",
                                                                                  "openssl.cnf")])
        (self.etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n")
        (self.run / "systemd").mkdir(parents=True)
        self.prefix = [*cable.prefix(),
                       *harness.in_own_mounts(f"mount --bind {self.etc} /etc\nmount --bind {self.run} /run")]

    def place(self, path):
        """Where the program finds that path."""
        top, rest = re.fullmatch(r"/(etc|run)/(.*)", path).groups()
        return getattr(self, top) / rest

    def ask(self, server, path="/etc/resolv.conf"):
        """A file that names this name server; written as careful programs do."""
        at = self.place(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.with_name("new").write_text(f"nameserver {server}\noptions timeout:1 attempts:1\n")
        os.replace(at.with_name("new"), at)

    def link(self, target, path="/etc/resolv.conf"):
        at = self.place(path)
        at.with_name("new").symlink_to(target)
        os.replace(at.with_name("new"), at)


@pytest.fixture
def machine(started, tmp_path):
    started.append(cable := harness.Cable())
    for address, answer in ((OLD, None), (NEW, "127.0.0.1")):
        sock = cable.socket("near", socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 53))
        started.append(NameServer(sock, answer))
    folder = tmp_path / "machine"
    folder.mkdir()
    m = Machine(folder, cable)
    m.cable = cable
    return m


@pytest.fixture
def serve(machine, proxy, pki, tenant, started, release, tmp_path):
    """serve(): a proxy on that machine for a server that has to be looked up, called over a Unix socket."""
    server = harness.Script(pki, harness.answering(), listener=machine.cable.listener("near", "127.0.0.1"))
    started.append(server)

    def start(name=NAME, **keys):
        section = tenant(server.port, server=f"{name}:{server.port}", connect_to=None)
        return proxy(section, listen=f"unix:{tmp_path}/s{len(started)}", resolve_cache="0",
                     process={"binary": release, "prefix": machine.prefix}, **keys)

    return start


def found(p):
    """Is the name found? The server is not called so, which says that it was reached."""
    token = p.request().token
    assert token in ("server-certificate-wrong-host", "name-not-found", "name-lookup-failed", "name-timeout"), token
    return token == "server-certificate-wrong-host"


# ---- what comes later is followed ----

LATER = {  # at the start, and what becomes of it
    "the file is written anew": (lambda m: m.ask(OLD), lambda m: m.ask(NEW)),
    "there was none": (lambda m: None, lambda m: m.ask(NEW)),
    "the folder of systemd-resolved comes": (
        lambda m: m.link("../run/systemd/resolve/stub-resolv.conf"),
        lambda m: m.ask(NEW, "/run/systemd/resolve/stub-resolv.conf")),
    "systemd-resolved takes over": (
        lambda m: m.ask(OLD),
        lambda m: (m.ask(NEW, "/run/systemd/resolve/resolv.conf"), m.link("/run/systemd/resolve/resolv.conf"))),
    "its folder is made anew": (
        lambda m: (m.ask(OLD, "/run/systemd/resolve/resolv.conf"), m.link("/run/systemd/resolve/resolv.conf")),
        lambda m: (shutil.rmtree(m.place("/run/systemd/resolve")), m.ask(NEW, "/run/systemd/resolve/resolv.conf"))),
    "NetworkManager writes anew": (
        lambda m: (m.ask(OLD, "/run/NetworkManager/resolv.conf"), m.link("../run/NetworkManager/resolv.conf")),
        lambda m: m.ask(NEW, "/run/NetworkManager/resolv.conf")),
    "NetworkManager takes over": (
        lambda m: (m.ask(OLD), m.place("/run/NetworkManager").mkdir()),
        lambda m: (m.ask(NEW, "/run/NetworkManager/resolv.conf"), m.link("../run/NetworkManager/resolv.conf"))),
    "another program's folder comes": (
        lambda m: (m.place("/run/vpn").mkdir(), m.link("/run/vpn/up/now/resolv.conf")),
        lambda m: m.ask(NEW, "/run/vpn/up/now/resolv.conf")),
    "a folder whose name begins like that of a program": (
        lambda m: (m.place("/run/connman-vpn").mkdir(), m.link("/run/connman-vpn/resolv.conf")),
        lambda m: m.ask(NEW, "/run/connman-vpn/resolv.conf")),
    "a link to a link": (
        lambda m: (m.place("/run/vpn").mkdir(), m.link("resolv.vpn"), m.link("../run/vpn/dns/conf", "/etc/resolv.vpn")),
        lambda m: m.ask(NEW, "/run/vpn/dns/conf")),
    "hosts is a link": (
        lambda m: (m.ask(OLD), m.place("/run/names").mkdir(), m.link("/run/names/of/hosts", "/etc/hosts")),
        lambda m: (m.place("/run/names/of").mkdir(), m.place("/run/names/of/hosts").write_text(f"127.0.0.1 {NAME}\n"))),
}


@pytest.mark.parametrize("change", LATER)
def test_what_comes_later_is_followed(change, machine, serve):
    before, after = LATER[change]
    before(machine)
    p = serve()
    assert not found(p)
    after(machine)
    harness.eventually(lambda: found(p))
    assert "names are not looked up" not in p.stderr


@pytest.mark.parametrize("name", ["nowhere.invalid", "NOWHERE.INVALID", "invalid"])
def test_nobody_is_asked_about_invalid_names(name, machine, serve):
    """RFC 6761, 6.4: so their failure is the same without a network, or with a name server that knows every name."""
    machine.ask(NEW)
    assert serve(name).request().token == "name-not-found"


# ---- what cannot be followed is said ----

ELSEWHERE = {  # links that lead where no rule of the sandbox can be without opening half of the machine
    "/etc/resolv.conf": lambda m: (m.ask(NEW, "/run/vpn/resolv.conf"), m.link("/run/vpn/resolv.conf")),
    "/etc/hosts": lambda m: (m.place("/run/vpn").mkdir(), m.place("/run/vpn/hosts").write_text(f"127.0.0.1 {NAME}\n"),
                             m.link("/run/vpn/hosts", "/etc/hosts")),
}


@pytest.mark.parametrize("file", ELSEWHERE)
def test_what_cannot_be_followed_is_said(file, machine, serve):
    """In the log, once, and in the failure, which blames nobody else. Behind a restart it is followed."""
    machine.ask(OLD)
    p = serve()
    assert p.request().token == "name-not-found"
    ELSEWHERE[file](machine)
    for _ in range(3):
        answer = p.request()
        assert answer.token == "name-lookup-failed"
        assert re.search(BLOCKED.format(file, "/run/vpn/.*").split(": ", 1)[1], answer.json()["detail"]), answer.body
    harness.eventually_logged(p, " warning: " + BLOCKED.format(file, "/run/vpn/.*"))
    assert not p.stderr.count("warning: names are not looked up") > 1
    assert found(serve()), "behind a restart"


def test_it_is_said_also_when_a_name_is_found(machine, serve):
    """By the old servers, who may not know better."""
    machine.ask(NEW)
    (machine.etc / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
    p = serve()
    assert found(p)
    machine.link("/run/vpn/resolv.conf")
    machine.ask(OLD, "/run/vpn/resolv.conf")
    assert found(p)
    harness.eventually_logged(p, BLOCKED.format("/etc/resolv.conf", "/run/vpn/resolv.conf"))


def test_without_a_sandbox_everything_is_followed(machine, serve):
    machine.ask(OLD)
    p = serve(sandbox="off")
    assert not found(p)
    ELSEWHERE["/etc/resolv.conf"](machine)
    harness.eventually(lambda: found(p))
    assert "names are not looked up" not in p.stderr


def test_module_that_is_named_later(machine, serve):
    """Code cannot be loaded any more."""
    libraries = list(pathlib.Path("/usr/lib").glob("*/libnss_hesiod.so.2"))
    assert libraries, "the C library's own"
    machine.ask(OLD)
    p = serve()
    assert not found(p)
    text = (machine.etc / "nsswitch.conf").read_text()
    (machine.etc / "new").write_text(text.replace("hosts: files dns", "hosts: files hesiod nosuch dns"))
    os.replace(machine.etc / "new", machine.etc / "nsswitch.conf")
    answer = p.request()
    assert answer.token == "name-lookup-failed"
    assert re.search(r"/etc/nsswitch.conf names the module hesiod, which the sandbox .*; restart sfmtls",
                     answer.json()["detail"])
    (machine.etc / "new").write_text(text.replace("hosts: files dns", "hosts: files nosuch dns"))
    os.replace(machine.etc / "new", machine.etc / "nsswitch.conf")
    assert p.request().token == "name-not-found", "what the system has not either is skipped"


def test_file_that_the_user_may_not_read(machine, serve):
    """No sandbox's doing: other programs of that user cannot read it, either."""
    machine.ask(NEW)
    (machine.etc / "resolv.conf").chmod(0)
    p = serve()
    p.request()
    assert "names are not looked up" not in p.stderr


def test_half_of_the_machine_stays_closed(machine, serve):
    """A link that leads nowhere opens no wide folder."""
    machine.ask(OLD)
    machine.link("/run/nowhere/resolv.conf")
    p = serve()
    p.request()
    harness.eventually(lambda: "notice: sandbox:" in p.stderr)
    line = next(line for line in p.stderr.splitlines() if "notice: sandbox:" in line)
    assert not re.search(r"[ ,](/run|/|/var)(,|$)", line), line
