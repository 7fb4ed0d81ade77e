"""The lists of mutants, one file for each layer of proxy/, read and checked.

    == http/body.c                                    the file; behind a colon, the tests to begin with: see first.txt
    - if (b->in == FRAMING_LENGTH && n > b->left)     lines of the file, which occur once in it
    + if (b->in == FRAMING_LENGTH && n >= b->left)    what is written in their place; without it they are dropped
    ~ the same: n equals left                         accepted: the reason why no test can notice it

Indentation does not count. Lines that begin with # are comments.
"""
import dataclasses
import hashlib
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = pathlib.Path(__file__).resolve().parent
MARKS = "a line begins with `== `, `- `, `+ `, `~ ` or `#`"


class BadList(Exception):
    """A sentence with file, line and cure."""


@dataclasses.dataclass
class Mutant:
    file: str  # below proxy/
    place: str  # of the list, as file:line
    first: list  # tests to begin with
    old: list = dataclasses.field(default_factory=list)
    new: list = dataclasses.field(default_factory=list)
    accepted: str = ""

    @property
    def name(self):
        """Short, and the same as long as the mutant is."""
        text = "\n".join([self.file, *self.old, "", *self.new])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def area(self):
        return self.file.split("/")[0]

    @property
    def title(self):
        return f"proxy/{self.file}: " + (" / ".join(self.new) or "without " + " / ".join(self.old))

    def find(self, lines):
        """The index of the first old line."""
        stripped = [line.strip() for line in lines]
        n = len(self.old)
        found = [i for i in range(len(lines) - n + 1) if stripped[i:i + n] == self.old]
        if len(found) != 1 or n == 0:
            raise BadList(f"{self.place}: the old lines occur {len(found)} times in proxy/{self.file}; "
                          "change them to lines that occur once, or remove the entry")
        return found[0]

    def apply(self, text):
        lines = text.split("\n")
        at = self.find(lines)
        indent = lines[at][:len(lines[at]) - len(lines[at].lstrip())]
        lines[at:at + len(self.old)] = [indent + line for line in self.new] or [indent + "(void)0;"]
        return "\n".join(lines)


def apply_all(mutants, root):
    """The texts of the files with several mutants in each, by path."""
    texts = {}
    for m in mutants:
        path = root / "proxy" / m.file
        try:
            texts[path] = m.apply(texts.get(path) or path.read_text())
        except BadList:
            raise BadList(f"{m.place}: another accepted entry changes the same lines; keep one of the two") from None
    return texts


def read_first():
    """[(beginning of a file's name, tests)] of first.txt."""
    rows = []
    for number, line in enumerate((LISTS / "first.txt").read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            file, colon, tests = line.partition(":")
            if not colon or not tests.split():
                raise BadList(f"tests/mutate/first.txt:{number}: a line is a file, a colon and tests")
            rows.append((file.strip(), tests.split()))
    return rows


def first_for(file, rows):
    """The tests of the longest beginning of the file's name."""
    fitting = [row for row in rows if file.startswith(row[0])]
    return max(fitting, key=lambda row: len(row[0]))[1] if fitting else []


def read_list(path, first):
    mutants = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.relative_to(ROOT)}:{number}"
        mark, text = line[:2], line[2:].strip()
        if line.startswith("== "):
            file, _, tests = (word.strip() for word in line[3:].partition(":"))
            mutants.append(Mutant(file, place, tests.split() or first_for(file, first)))
        elif not line.strip() or line.startswith("#"):
            continue
        elif not mutants or mark not in ("- ", "+ ", "~ "):
            raise BadList(f"{place}: {MARKS}")
        elif mark == "- ":
            mutants[-1].old.append(text)
        elif mark == "+ ":
            mutants[-1].new.append(text)
        else:
            mutants[-1].accepted = (mutants[-1].accepted + " " + text).strip()
    return mutants


def flaw_of(m, seen):
    """A sentence, or nothing."""
    source = ROOT / "proxy" / m.file
    if not source.exists():
        return f"{m.place}: there is no proxy/{m.file}; correct the name or remove the entry"
    try:
        m.find(source.read_text().split("\n"))
    except BadList as e:
        return str(e)
    if m.name in seen:
        return f"{m.place}: the same entry is at {seen[m.name]}; remove one of the two"
    seen[m.name] = m.place
    for test in m.first:
        there = ROOT / ("tests/unit/" + test.removeprefix("unit_") if test.startswith("unit_")
                        else "tests/integration/" + test.split("::")[0])
        if not there.exists():
            return f"{m.place}: there is no test {test}; correct it here or in tests/mutate/first.txt"
    return ""


def check(mutants):
    """Each is found in its file, and is there once; those that are accepted fit into one program."""
    seen = {}
    flaws = [flaw for flaw in (flaw_of(m, seen) for m in mutants) if flaw]
    if flaws:
        raise BadList("\n".join(flaws))
    apply_all([m for m in mutants if m.accepted], ROOT)


def read_all():
    first = read_first()
    mutants = [m for path in sorted(LISTS.glob("*.mutants")) for m in read_list(path, first)]
    check(mutants)
    return mutants
