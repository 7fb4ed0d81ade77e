"""Whole systems to install the package in: roots of Debian, entered with chroot or booted with systemd-nspawn."""
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOTS = ROOT / "build/roots"
FULL = "SFMTLS_FULL" in os.environ  # read once: the harness of tests/integration takes it out
LIMIT = 60
MIRROR = "http://deb.debian.org/debian"

# The mounts of a chroot, which end with the name space that they are made in.
ENTER = """
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \\
    DEBIAN_FRONTEND=noninteractive "$@"
"""

# What nspawn would keep from a service that a real machine lets do it: lock memory, confine itself.
NSPAWN = ["--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--capability=CAP_IPC_LOCK",
          "--system-call-filter=@memlock landlock_create_ruleset landlock_add_rule landlock_restrict_self"]


def run(command, **kwargs):
    result = subprocess.run(command, capture_output=True, text=True, **kwargs)
    assert result.returncode == 0, (command, result.stdout[-4000:], result.stderr[-4000:])
    return result.stdout


def base(release):
    """A tar of the release as debootstrap makes it, made once."""
    made = ROOTS / f"{release}.tar"
    if not made.exists():
        folder = ROOTS / f"{release}-base"
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        run(["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,ca-certificates,logrotate",
             release, folder, MIRROR])
        run(["tar", "-C", folder, "-cf", made, "."])
        shutil.rmtree(folder)
    return made


class Machine:
    def __init__(self, release, folder):
        self.release, self.root = release, pathlib.Path(folder)
        self.nspawn = None
        if not self.root.exists():
            self.root.mkdir(parents=True)
            run(["tar", "-C", self.root, "-xf", base(release)])

    def enter(self, command):
        """A command in the root that is not booted; its output."""
        return run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", ENTER, self.root,
                    "sh", "-ec", command])

    def install(self, *packages):
        self.enter("apt-get -q update && apt-get -q install -y --no-install-recommends " + " ".join(packages))

    # ---- booted ----

    def boot(self):
        log = open(self.root.parent / "console", "ab")
        # systemd of Debian 13 knows no other hierarchy of cgroups.
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        self.nspawn = subprocess.Popen(["systemd-nspawn", "-D", self.root, *NSPAWN], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env=environment)
        end = time.monotonic() + LIMIT
        while not self.is_up():
            assert self.nspawn.poll() is None and time.monotonic() < end, (self.root.parent / "console").read_text()
            time.sleep(0.2)
        self.run("ip link set lo up")

    def leader(self):
        children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def is_up(self):
        return self.leader() is not None and "running" in self.run("systemctl is-system-running", check=False)

    def inside(self, *kinds):
        """nsenter with these name spaces; without any: with all of them, and a clean environment."""
        return ["nsenter", "-t", str(self.leader()), *(kinds or ["-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/bin"])]

    def run(self, command, check=True):
        result = subprocess.run([*self.inside(), "sh", "-ec", command], capture_output=True, text=True, timeout=LIMIT)
        if check and result.returncode != 0:
            log = self.run("journalctl --no-pager -o cat -u sfmtls -n 20", check=False)
            raise AssertionError((command, result.stdout, result.stderr, log))
        return result.stdout + result.stderr

    def stop(self):
        if self.nspawn is None:
            return
        if self.leader() is not None:
            self.run("systemctl poweroff --force", check=False)
        try:
            self.nspawn.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.nspawn.send_signal(signal.SIGKILL)
        self.nspawn = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.root)


def mark_of_tree():
    """Another one for other sources."""
    mark = hashlib.sha256()
    sources = ["CMakeLists.txt", "CHANGELOG.md", "README.md", "conf", "proxy"]
    for name in run(["git", "ls-files", *sources], cwd=ROOT).split():
        mark.update(name.encode() + (ROOT / name).read_bytes())
    return mark.hexdigest()


def built(release):
    """The .deb of this tree, built in a root that is kept, with all that the build needs; once for the same sources."""
    machine = Machine(release, ROOTS / f"{release}-build")
    tree, mark = machine.root / "src", mark_of_tree()
    packages = ["build-essential", "debhelper", "fakeroot", "lintian", "dpkg-dev", *needed_to_build()]
    listed = machine.root / "root/packages"
    if not listed.exists() or listed.read_text().split() != packages:
        machine.install(*packages)
        listed.write_text("\n".join(packages))
    if not (tree / mark).exists():
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        run(["sh", "-c", "git ls-files | tar -c -T - | tar -x -C \"$0\"", tree], cwd=ROOT)
        epoch = run(["git", "log", "-1", "--format=%ct"], cwd=ROOT).strip()
        machine.enter(f"cd /src && SOURCE_DATE_EPOCH={epoch} sh conf/package.sh")
        (tree / mark).touch()
    return machine, next(tree.glob("build/deb/sfmtls_*.deb"))


def needed_to_build():
    control = (ROOT / "conf/debian/control").read_text()
    words = control.split("Build-Depends:")[1].split("\n\n")[0].replace("\n", " ").split(",")
    return [word.strip() for word in words if "(" not in word and "dh-sequence" not in word]


def newer(package, folder):
    """The same package under a later version."""
    folder = pathlib.Path(folder)
    run(["dpkg-deb", "-R", package, folder / "newer"])
    control = folder / "newer/DEBIAN/control"
    text = control.read_text()
    version = text.split("Version: ")[1].split("\n")[0]
    control.write_text(text.replace(version, version + "+1"))
    run(["dpkg-deb", "--root-owner-group", "-b", folder / "newer", folder / f"sfmtls_{version}+1.deb"])
    return folder / f"sfmtls_{version}+1.deb"


@contextlib.contextmanager
def machine_of(release, folder):
    m = Machine(release, folder)
    try:
        yield m
    finally:
        m.remove()
