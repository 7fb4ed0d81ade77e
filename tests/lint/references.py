"""What the documents for developers and the comments of the program name has to exist."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["proxy/README.md", "CONTRIBUTING.md"]


def texts():
    """(path, line, text): what stands in backticks in a document, and the comments of the program."""
    for pattern, path in [*((r"`([^`\n]+)`", ROOT / name) for name in DOCUMENTS),
                          *((r"/\*(.*?)\*/", path) for path in sorted((ROOT / "proxy").rglob("*.[ch]")))]:
        whole = path.read_text()
        for match in re.finditer(pattern, whole, flags=re.S):
            yield path, whole.count("\n", 0, match.start()) + 1, match.group(1)


def words():
    """Every word of the program and its tests that stands outside of comments."""
    files = [path for folder in ("proxy", "tests") for path in (ROOT / folder).rglob("*.*") if path.suffix in
             (".c", ".h", ".py")]
    return set(re.findall(r"\w+", "".join(re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S) for path in files)))


class Names:
    """All that there is to name."""

    def __init__(self):
        self.files = {str(path.relative_to(ROOT)) for folder in ("proxy", "tests", "conf")
                      for path in (ROOT / folder).rglob("*")}
        self.bare = {file.rpartition("/")[2] for file in self.files}
        self.layers = "|".join({file.split("/")[1] for file in self.files if re.fullmatch(r"proxy/\w+/\w+\.c", file)})
        self.modules = tuple(re.sub(r"\.[ch]$", "_", name) for name in self.bare if name.endswith((".c", ".h")))
        self.words = words()

    def has_module(self, name):
        return not self.files.isdisjoint({f"proxy/{name}{end}" for end in ("", ".c", ".h")})

    def missing(self, text):
        """The names in a text that nothing bears."""
        for name in re.findall(rf"(?<![\w/.])(?:{self.layers})/\w+(?:\.[ch])?(?![\w/])", text):
            if not self.has_module(name):
                yield name
        for name in re.findall(r"(?<![\w./])(?:proxy|tests|conf)/[\w./-]+\w", text):
            if name not in self.files:
                yield name
        for name in re.findall(r"\b([a-z_0-9]+)\(\)", text):
            if name not in self.words and name.startswith(self.modules):  # others are of libraries
                yield name + "()"

    def missing_in_document(self, text):
        """As above, of what a document marks as a name."""
        yield from self.missing(text)
        for name in re.findall(r"(?<![\w/.])\w+\.[ch]\b", text):
            if name not in self.bare:
                yield name
        for name in re.findall(r"^(?:struct |enum )?([a-z]+_[a-z_0-9]+)$", text):
            if name not in self.words:
                yield name
        for name in re.findall(r"^(?!build/)[a-z]+/[a-z_0-9]+$", text):
            if not self.has_module(name) and name not in self.files:
                yield name


def check():
    names = Names()
    for path, line, text in texts():
        for name in set(names.missing_in_document(text) if path.suffix == ".md" else names.missing(text)):
            yield f"{path.relative_to(ROOT)}:{line}: there is no {name}"
