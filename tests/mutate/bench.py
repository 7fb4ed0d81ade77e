"""A copy of the tree with builds of its own, in build/mutate, in which mutants are tried: built, and tested until a
test fails. What the tests started ends with them.
"""
import ctypes
import glob
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import mutants

ROOT = mutants.ROOT
FOLDER = ROOT / "build/mutate"
UNIT_SECONDS, FIRST_SECONDS, WHOLE_SECONDS = 45, 300, 3600  # then it hangs, which is noticed, too
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
          "--ignore=tests/integration/test_browser.py"]  # it takes half a minute
NEVER_COPIED = {"build", ".git", "__pycache__", ".pytest_cache"}
# What is quick to build and to run; sanitizers are for what all tests have let pass.
PLAIN = ["-DCMAKE_BUILD_TYPE=Mutant", "-DCMAKE_C_FLAGS=-O1", "-DSFMTLS_WERROR=OFF", "-DSFMTLS_TESTS=ON"]
SANITIZED = [*PLAIN, "-DSFMTLS_SANITIZE=address,undefined"]
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def adopt_orphans():
    """Makes this process the parent of what its children leave behind; it ends when its own parent does."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: (end_children(), os._exit(1)))


def end_children():
    """Kills what this process started, and what that started, and waits for the end."""
    while True:
        children = [int(pid) for path in glob.glob("/proc/self/task/*/children")
                    for pid in pathlib.Path(path).read_text().split()]
        if not children:
            return
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


def limit_memory():
    """A mutant that takes more and more ends before others suffer. (Sanitizers have a limit of their own.)"""
    resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 30, 2 << 30))


def tree_of(root):
    """{relative path: path} of the files of a tree, without what is made from them."""
    files = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in NEVER_COPIED]
        files.update((os.path.relpath(os.path.join(folder, n), root), os.path.join(folder, n)) for n in names)
    return files


def copy_if_other(source, target):
    """Keeps the time of what is the same, so that nothing is built again for it."""
    data = pathlib.Path(source).read_bytes()
    target = pathlib.Path(target)
    if not target.exists() or target.read_bytes() != data:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        shutil.copymode(source, target)


class Bench:
    def __init__(self, number, parallel):
        self.root = FOLDER / f"bench-{number}"
        self.parallel = str(parallel)
        self.temporary = pathlib.Path(f"/tmp/sfmtls-mutate-{os.getpid()}")  # short: sockets have names in it
        self.output = ""
        self.refresh()
        self.configure("plain", PLAIN)

    def refresh(self):
        """The tree as it is now."""
        here, there = tree_of(ROOT), tree_of(self.root)
        for name in there.keys() - here.keys():
            os.unlink(there[name])
        for name, path in here.items():
            copy_if_other(path, self.root / name)
        (self.root / "build").mkdir(exist_ok=True)
        if not (self.root / "build/npm").exists():
            (self.root / "build/npm").symlink_to(ROOT / "build/npm")

    def configure(self, name, options):
        if not (self.root / "build" / name / "build.ninja").exists():
            command = ["cmake", "-G", "Ninja", "-S", ".", "-B", f"build/{name}", *options]
            if not self.passes(command, UNIT_SECONDS):
                raise SystemExit(self.output)

    def environment(self, folder):
        plain = {name: value for name, value in os.environ.items() if name not in ("SFMTLS_FULL", "SFMTLS_WORKERS")}
        return dict(plain, SFMTLS=f"{self.root}/build/{folder}/sfmtls", SFMTLS_TEST_PKI=f"{FOLDER}/pki",
                    SFMTLS_RELEASE=f"{self.root}/build/plain/sfmtls", SFMTLS_TEST_LIMIT="20",
                    SFMTLS_BUILD="release" if folder == "plain" else "asan", ASAN_OPTIONS="hard_rss_limit_mb=4096",
                    PYTEST_DEBUG_TEMPROOT=str(self.temporary))

    def passes(self, command, seconds, folder="plain"):
        """Whether a command succeeds in that time; afterwards nothing is left of what it started."""
        output = self.root / "build/output"
        self.temporary.mkdir(exist_ok=True)
        with open(output, "wb") as out:
            process = subprocess.Popen([str(word) for word in command], cwd=self.root, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT, env=self.environment(folder),
                                       preexec_fn=limit_memory if folder == "plain" else None)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                out.write(b"\nFAILED it does not end\n")
            finally:
                end_children()
                shutil.rmtree(self.temporary, ignore_errors=True)
        self.output = output.read_text(errors="replace")
        return process.returncode == 0

    def build(self, *targets, folder="plain"):
        return self.passes(["ninja", "-C", f"build/{folder}", *targets], FIRST_SECONDS)

    def failed(self):
        """The tests that failed last, without their parameters."""
        lines = re.findall(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*| - .*)?$", self.output, re.M)
        return list(dict.fromkeys(line.split("[")[0] for line in lines))

    def run_unit(self, name, folder="plain"):
        """The tests of a unit program that fail."""
        if self.passes([f"build/{folder}/tests/{name}"], UNIT_SECONDS, folder):
            return []
        return [f"{name} {test}" for test in self.failed()] or [f"{name} (ended)"]

    def run_pytest(self, tests, *options, folder="plain", seconds=FIRST_SECONDS):
        paths = [f"tests/integration/{t}" for t in tests]
        if self.passes([*PYTEST, "-n", self.parallel, *options, *paths], seconds, folder):
            return []
        return [t.removeprefix("tests/integration/") for t in self.failed()] or ["pytest (ended)"]

    def run_first(self, tests, folder="plain"):
        """What fails first of these tests: unit programs by name, others by file or as file::test."""
        units = dict.fromkeys(t.split(" ")[0] for t in tests if t.startswith("unit_"))
        others = [t for t in tests if not t.startswith("unit_")]
        if not self.build("sfmtls", *(f"tests/{u}" for u in units), folder=folder):
            return ["it does not compile"]
        for unit in units:
            if failed := self.run_unit(unit, folder):
                return failed
        return self.run_pytest(others, "-x", folder=folder) if others else []

    def run_whole(self):
        """What fails of all tests; a few, if many do."""
        if not self.build():
            return ["it does not compile"]
        units = sorted(p.name for p in (self.root / "build/plain/tests").glob("unit_*") if p.is_file())
        failed = [test for unit in units for test in self.run_unit(unit)]
        return failed or self.run_pytest([""], "--maxfail=30", seconds=WHOLE_SECONDS)

    def run_sanitized(self, tests):
        """Sanitizers notice more, but take time, and leave out the sandbox."""
        self.configure("sanitized", SANITIZED)
        return self.run_first(tests, "sanitized")

    def with_mutants(self, several, function, *args):
        """Calls a function with the mutants built in: what it returns, and the seconds it took."""
        begun = time.monotonic()
        texts = mutants.apply_all(several, self.root)
        before = {path: path.read_text() for path in texts}
        try:
            for path, text in texts.items():
                path.write_text(text)
            return function(*args), time.monotonic() - begun
        finally:
            for path, text in before.items():
                path.write_text(text)
