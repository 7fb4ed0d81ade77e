"""Who, beside root and sfmtls's own user, could change what the configuration names: refused, or warned of."""
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

import harness

ROOTED = os.geteuid() == 0
STRANGER = 12345  # a uid that is neither root's nor sfmtls's
SERVER = "api4.successfactors.com"


@pytest.fixture
def world(pki):
    """A folder with everything that a configuration can name, sound so far; owned by whoever runs the tests."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sfmtls-files-"))
    folder.chmod(0o755)
    for name in ("keys", "logs", "sockets", "elsewhere"):
        (folder / name).mkdir(mode=0o755)
        (folder / name).chmod(0o755)
    keys = folder / "keys"
    for name, source in (("acme.pem", "acme-chain.pem"), ("acme.key", "acme-encrypted.key"), ("pass", "acme.pass"),
                         ("next.pem", "globex-chain.pem"), ("next.key", "globex.key"), ("ca.pem", "ca.pem"),
                         ("ca.crl", "ca.crl")):
        shutil.copy(pki / source, keys / name)
        (keys / name).chmod(0o600)
    (keys / "callers").write_text(f"sfadmin@ACME:$2y$04${'.' * 53}\n")
    for name in ("tokens", "admin-tokens"):
        (keys / name).write_text("0123456789abcdef\n")
    ini = folder / "sfmtls.ini"
    ini.write_text(f"""[proxy]
listen = unix:{folder}/sockets/s
admin = unix:{folder}/sockets/admin
log = {folder}/logs/log
caller-token-file = keys/tokens
admin-token-file = keys/admin-tokens
local-ca = ca
[tenant acme]
company-id = ACME
server = {SERVER}
certificate = keys/acme.pem
private-key = keys/acme.key
passphrase-file = keys/pass
certificate-next = keys/next.pem
private-key-next = keys/next.key
ca-file = keys/ca.pem
crl-file = keys/ca.crl
callers-file = keys/callers
""")
    made = harness.run_cli("ca", "init", "-c", str(ini))
    assert made.returncode == 0, made.stderr
    (folder / "logs/log").touch(mode=0o640)
    yield folder
    shutil.rmtree(folder)


def checked(folder, prefix=()):
    return harness.run_cli("run", "-t", "-c", str(folder / "sfmtls.ini"), prefix=prefix)


def assert_sound(folder, prefix=()):
    result = checked(folder, prefix)
    assert result.returncode == 0 and result.stderr == "", result.stderr


def assert_refused(folder, *words, prefix=()):
    result = checked(folder, prefix)
    assert result.returncode == 2 and result.stdout == "" and result.stderr.count("\n") == 1, result
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert re.search(r"; \S.* \S", result.stderr), "it has a cure"
    return result.stderr


# What is named, and in which line of the file (None: it is the file, or found by its folder).
FILES = {"sfmtls.ini": None, "keys/tokens": 5, "keys/admin-tokens": 6, "keys/acme.pem": 11, "keys/acme.key": 12,
         "keys/pass": 13, "keys/next.pem": 14, "keys/next.key": 15, "keys/ca.pem": 16, "keys/ca.crl": 17,
         "keys/callers": 18,
         "logs/log": 4, "ca/root.pem": 7, "ca/intermediate.pem": 7, "ca/private/intermediate.key": 7}


def test_everything_is_sound(world):
    assert_sound(world)


def test_every_option_that_names_a_file_is_tried():
    """Whoever adds one adds it here."""
    reference = harness.run_cli("help", "config").stdout
    named = set(re.findall(r"(?m)^; Type: (?:stderr or a )?(?:file|folder)\..*\n;([a-z-]+) = ", reference))
    assert named == {"caller-token-file", "admin-token-file", "log", "local-ca", "certificate", "private-key",
                     "passphrase-file", "certificate-next", "private-key-next", "passphrase-file-next", "ca-file",
                     "crl-file", "callers-file",
                     "service-key-file", "certificate-store",  # in test_btp_renewal.py
                     "parent-proxy-keytab", "parent-proxy-password-file"}  # in test_parent_config.py


@pytest.mark.parametrize("mode", [0o602, 0o622])
@pytest.mark.parametrize("name", FILES)
def test_file_that_everybody_may_change(name, mode, world):
    (world / name).chmod(mode)
    sentence = assert_refused(world, f"{world}/{name}: every user of this machine may change it; chmod o-w")
    if FILES[name]:
        assert sentence.startswith(f"sfmtls: {world}/sfmtls.ini:{FILES[name]}: ")


@pytest.mark.parametrize("name", FILES)
def test_file_behind_a_link_that_everybody_may_change(name, world):
    (world / name).rename(world / "elsewhere/target")
    (world / name).symlink_to(world / "elsewhere/target")
    assert_sound(world)
    (world / "elsewhere/target").chmod(0o602)
    assert_refused(world, f"{world}/elsewhere/target", "every user of this machine may change it")


FOLDERS = ["", "keys", "logs", "sockets", "ca", "ca/private"]


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_in_which_everybody_may_replace_files(name, world):
    """Its own, or one above it; not where the sticky bit keeps others from that."""
    (world / name).chmod(0o777)
    assert_refused(world, str(world / name), "every user of this machine may replace", f"chmod o-w {world / name}")
    (world / name).chmod(0o1777)
    assert_sound(world)


@pytest.mark.parametrize("hops", [["keys/acme.key", "elsewhere/a"], ["keys/acme.key", "elsewhere/a", "elsewhere/b/c"]],
                         ids=len)
def test_folder_on_the_way_of_a_link(hops, world):
    """The folder in which the link lies, and each to which it leads."""
    (world / "elsewhere/b").mkdir(mode=0o755)
    (world / "keys/acme.key").rename(world / "elsewhere/key")
    for link, target in zip(hops, [*hops[1:], "elsewhere/key"]):
        (world / link).symlink_to(os.path.relpath(world / target, (world / link).parent))
    assert_sound(world)
    for folder in {(world / hop).parent for hop in hops} | {world / "elsewhere"}:
        folder.chmod(0o777)
        assert_refused(world, str(folder), "may replace")
        folder.chmod(0o755)
    assert_sound(world)


def test_link_in_place_of_a_folder(world):
    """As Kubernetes does it: ..data leads to the folder of the day."""
    keys = world / "keys"
    day = keys / "..2026_11_22"
    day.mkdir(mode=0o755)
    (keys / "..data").symlink_to(day.name)
    (keys / "acme.key").rename(day / "acme.key")
    (keys / "acme.key").symlink_to("..data/acme.key")
    (day / "acme.key").chmod(0o440)
    keys.chmod(0o1777)
    assert_sound(world)
    day.chmod(0o777)
    assert_refused(world, str(day), "may replace")


@pytest.mark.parametrize("chdir, name", [("", "sfmtls.ini"), ("keys", "../sfmtls.ini"), ("", "./keys/../sfmtls.ini")])
def test_relative_path(chdir, name, world):
    result = harness.run_cli("run", "-t", "-c", name, cwd=world / chdir)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    world.chmod(0o777)
    result = harness.run_cli("run", "-t", "-c", name, cwd=world / chdir)
    assert result.returncode == 2 and "may replace" in result.stderr


# ---- set-ups that are as they should be ----

def in_namespace(*commands):
    """Words before the program's: mounts of its own, made by these commands of the shell."""
    return harness.in_own_mounts("\n".join(commands))


@pytest.mark.parametrize("name", ["sfmtls.ini", "keys/acme.key", "keys"])
def test_volume_that_nobody_can_write(name, world):
    """A ConfigMap's folder has mode 0777, its file what defaultMode says; but it is mounted read-only."""
    if not ROOTED:
        return
    (world / name).chmod(0o777 if name == "keys" else 0o602)
    assert_refused(world, "every user of this machine may")
    prefix = in_namespace(f"mount --bind {world} {world}", f"mount -o remount,bind,ro {world}",
                          f"mount -t tmpfs x {world}/logs", f"mount -t tmpfs x {world}/sockets")
    result = checked(world, prefix)
    assert result.returncode == 0 and result.stderr == "", result.stderr


def test_volume_of_a_pod(world):
    """An emptyDir has mode 0777 without the sticky bit, and only the pod's containers reach it: warned of."""
    if not ROOTED:
        return
    prefix = in_namespace(*(f"mount -t tmpfs -o mode=0777 x {world}/{name}" for name in ("sockets", "logs")))
    result = checked(world, prefix)
    assert result.returncode == 0, result.stderr
    for name in ("sockets", "logs"):
        assert re.search(f"warning: .*every user who reaches the volume at {world}/{name} may replace", result.stderr)


def test_user_of_the_service_owns_the_files(world):
    """root starts it, `user` is who it becomes; or it is the service's user from the beginning."""
    if not ROOTED:
        return
    nobody = pwd.getpwnam("nobody")
    ini = world / "sfmtls.ini"
    for path in (world, *world.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    ini.write_text(ini.read_text().replace("[proxy]", "[proxy]\nuser = nobody"))
    assert_sound(world)
    ini.write_text(ini.read_text().replace("user = nobody\n", ""))
    binary = shutil.copy(harness.BINARY, world / "sfmtls")
    os.chmod(binary, 0o755)
    result = subprocess.run(["setpriv", f"--reuid={nobody.pw_uid}", "--clear-groups", binary, "run", "-t", "-c", ini],
                            capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == "", result.stderr


# ---- files of others ----

@pytest.mark.parametrize("name", ["sfmtls.ini", "keys", "keys/acme.key"])
def test_owner_is_somebody_else(name, world):
    """Who owns it can change it, whatever its mode. Bind mounts of containers are like that, so it is a warning."""
    if not ROOTED:
        return
    for path in [world / name, *(world / "keys").iterdir()]:
        os.chown(path, STRANGER, -1)
    os.chown(world / "keys", STRANGER if name == "keys" else 0, -1)
    result = checked(world)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count(f"uid {STRANGER}") == 1, "said once for each owner"
    assert re.search(f"warning: .*: {world}/\\S+ belongs to uid {STRANGER}, who can change .*; ", result.stderr)


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_planted_in_a_folder_for_all(what, world):
    """Anybody can be the first to put a name into a folder like /tmp."""
    if not ROOTED:
        return
    (world / "keys").chmod(0o1777)
    path = world / "keys/acme.key"
    if what == "folder":
        (world / "elsewhere").chmod(0o1777)
        path = world / "elsewhere/theirs"
        path.mkdir()
        shutil.copy(world / "keys/acme.key", path / "acme.key")
        ini = world / "sfmtls.ini"
        ini.write_text(ini.read_text().replace("keys/acme.key", "elsewhere/theirs/acme.key"))
    elif what == "link":
        path.rename(world / "elsewhere/key")
        path.symlink_to("../elsewhere/key")
    os.chown(path, STRANGER, -1, follow_symlinks=False)
    assert_refused(world, f"{path} belongs to uid {STRANGER}", "a folder into which every user", "; ")


@pytest.mark.parametrize("made", [False, True])
def test_default_folder_of_the_local_ca(made, world):
    """Nobody cares who owns it as long as there is no CA in it; as with `sudo`, which may keep HOME."""
    if not ROOTED:
        return
    ini = world / "sfmtls.ini"
    ini.write_text(ini.read_text().replace("local-ca = ca\n", ""))
    home = world / "elsewhere"
    if made:
        shutil.copytree(world / "ca", home / "sfmtls/ca")
    os.chown(home, STRANGER, -1)
    result = harness.run_cli("run", "-t", "-c", str(ini), env={"XDG_DATA_HOME": str(home)})
    assert result.returncode == 0 and (f"{home} belongs to uid {STRANGER}" in result.stderr) == made, result.stderr


# ---- what is written ----

def edit(folder, key, value):
    ini = folder / "sfmtls.ini"
    ini.write_text(re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", ini.read_text()))


READ = [name for name in FILES if name != "logs/log"]


@pytest.mark.parametrize("way", ["itself", "hard link", "link", "folder's link"])
@pytest.mark.parametrize("name", READ)
def test_log_that_is_a_file_which_is_read(name, way, world):
    """Log lines must never be appended to a key."""
    before = (world / name).read_bytes()
    path = world / name
    if way == "hard link":
        path = world / "logs/hard"
        os.link(world / name, path)
    elif way == "link":
        path = world / "logs/link"
        path.symlink_to(world / name)
    elif way == "folder's link":
        (world / "logs/folder").symlink_to((world / name).parent)
        path = world / "logs/folder" / (world / name).name
    edit(world, "log", path)
    before = (world / name).read_bytes()
    for arguments in (["run", "-t"], ["run"]):
        result = harness.run_cli(*arguments, "-c", str(world / "sfmtls.ini"))
        assert result.returncode == 2 and f"sfmtls.ini:4: log: {path}" in result.stderr, result.stderr
        assert "the configuration reads" in result.stderr and result.stderr.count("\n") == 1
        assert (world / name).read_bytes() == before


@pytest.mark.parametrize("key, line", [("listen", 2), ("admin", 3)])
@pytest.mark.parametrize("name", ["keys/acme.key", "sfmtls.ini", "logs/log"])
def test_socket_in_place_of_a_file(key, line, name, world):
    edit(world, key, f"unix:{world}/{name}")
    assert_refused(world, f"sfmtls.ini:{line}: {key}: {world}/{name}")
    assert (world / name).is_file()


@pytest.mark.parametrize("existing", [True, False])
def test_two_things_are_written_in_one_place(existing, world):
    """The log may not be made where a socket will be, nor a local CA where the log is."""
    if not existing:
        (world / "logs/log").unlink()
    edit(world, "admin", f"unix:{world}/logs/../logs/log")
    assert_refused(world, "sfmtls.ini:3: admin: ", "sfmtls.ini:4")


def test_local_ca_that_would_be_the_log(world):
    for name in ("root.pem", "intermediate.pem", "private/intermediate.key"):
        (world / "ca" / name).unlink()
    ini = world / "sfmtls.ini"
    ini.write_text(ini.read_text().replace("local-ca = ca\n", ""))
    edit(world, "log", world / "xdg/sfmtls/ca/root.pem")
    (world / "xdg/sfmtls/ca").mkdir(parents=True)
    result = harness.run_cli("run", "-t", "-c", str(ini), env={"XDG_DATA_HOME": str(world / "xdg")})
    assert result.returncode == 2 and "log: " in result.stderr and "the configuration reads" in result.stderr


# ---- a reload ----

def test_reload_refuses_what_a_start_would(proxy, pki, nginx, tmp_path):
    for name in ("acme-all.pem", "ca.pem"):
        shutil.copy(pki / name, tmp_path)
    p = proxy(f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{nginx.port}\nca-file = {tmp_path}/ca.pem\n"
              f"certificate = {tmp_path}/acme-all.pem\n")
    (tmp_path / "acme-all.pem").chmod(0o602)
    assert "every user of this machine may change it" in p.said("not reloaded")
    assert p.request(target="/who").status == 200
    (tmp_path / "acme-all.pem").chmod(0o600)
    harness.eventually(lambda: "notice: reloaded" in p.stderr)


def test_demo_in_a_folder_of_everybody(tmp_path):
    tmp_path.chmod(0o777)
    result = harness.run_cli("demo", "--once", "--listen", "127.0.0.1:0", env={"TMPDIR": str(tmp_path)})
    assert result.returncode == 2 and str(tmp_path) in result.stderr and "may replace" in result.stderr
    assert list(tmp_path.iterdir()) == []


# ---- ca init ----

def init(folder, where, prefix=()):
    ini = folder / "ca.ini"
    ini.write_text(f"[tenant a]\ncompany-id = A\nserver = {SERVER}\ncertificate = none.pem\n")
    return harness.run_cli("ca", "init", "-c", str(ini), "--dir", str(where), prefix=prefix)


@pytest.mark.parametrize("owned", ["ca", "ca/new", "ca/new/deep"])
def test_ca_in_a_folder_that_others_own(owned, tmp_path):
    """Who owns a folder can put another key into it, or read what is made there."""
    if not ROOTED:
        return
    folder = tmp_path / "ca"
    folder.mkdir(mode=0o755)
    os.chown(folder, STRANGER, -1)
    result = init(tmp_path, tmp_path / owned)
    assert result.returncode == 2 and f"{folder} belongs to uid {STRANGER}" in result.stderr, result.stderr
    assert list(folder.iterdir()) == [] and re.search(r"; \S.* \S", result.stderr)


@pytest.mark.parametrize("mode, accepted", [(0o777, False), (0o1777, True), (0o775, True), (0o755, True)])
def test_ca_below_a_folder_that_others_may_write(mode, accepted, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    result = init(tmp_path, folder / "ca")
    assert (result.returncode == 0) == accepted, result.stderr
    assert accepted or ("may replace" in result.stderr and list(folder.iterdir()) == [])


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_ca_in_a_folder_that_others_may_write(mode, tmp_path):
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca").chmod(mode)
    result = init(tmp_path, tmp_path / "ca")
    assert result.returncode == 2
    assert re.search("other users may write into that folder|every user of this machine may replace", result.stderr)
    assert list((tmp_path / "ca").iterdir()) == []


def test_ca_for_a_configuration_that_everybody_may_change(tmp_path):
    """They choose the names for which it vouches."""
    result = init(tmp_path, tmp_path / "one")
    assert result.returncode == 0, result.stderr
    (tmp_path / "ca.ini").chmod(0o602)
    result = harness.run_cli("ca", "init", "-c", str(tmp_path / "ca.ini"), "--dir", str(tmp_path / "two"))
    assert result.returncode == 2 and "every user of this machine may change it" in result.stderr
