#!/usr/bin/env python3
"""Rules of the tree that no compiler keeps: layers, banned calls, tables and what is made from them."""
import json
import pathlib
import re
import sys

import arrows
import manual
import patience
import references

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/mutate"))
import mutants  # noqa: E402

PROXY = ROOT / "proxy"

BANNED = """sprintf vsprintf strcpy strncpy strcat strncat strtok atoi gets rand system popen alloca tmpnam
    mktemp""".split()

# What only some files may use, with the reason.
RESERVED = [
    (r"\bSSL_(read|write)(_ex)?\s*\(", {"net/stream_tls.c"}, "bytes go through the TLS stream"),
    (r"http_parser\.h", {"http/h1_reader.c"}, "the parser is to stay replaceable"),
    (r"\bgetaddrinfo\s*\(", {"net/resolve.c"}, "it blocks"),
    (r"\b(EVP_PKEY\b|EVP_PKEY_|\w*PrivateKey|PKCS8_)",
     {f"tls/credential{part}" for part in (".c", "_parts.c", "_parts.h", "_load.c", "_read.c", "_judge.c", "_make.c",
                                            "_key.c", "_keys.c", "_pkcs12.c", "_choose.c")},
     "only tls/credential* touches private keys"),
    (r"<ini\.h>", {"config/reader.c"}, "inih is to stay replaceable"),
]


def sources():
    return sorted(p for p in PROXY.rglob("*.[ch]"))


def code_of(path):
    """The text without comments and string literals, lines kept."""
    text = path.read_text()
    blank = lambda m: re.sub(r"[^\n]", " ", m.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', blank, text, flags=re.S)


def places(path, pattern, text):
    for match in re.finditer(pattern, text):
        yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"


def check_includes():
    """As check in arrows.py, of what no symbol shows: types, constants, inline functions."""
    for path in sources():
        relative = path.relative_to(PROXY)
        own = relative.parts[0]
        for match in re.finditer(r'#include "([^"]+)"', path.read_text()):
            if arrows.layer(match.group(1)) not in (own, *arrows.LAYERS[own]):
                yield f"proxy/{relative}: {own} may not include {match.group(1)}"


def check_calls():
    for path in sources():
        code, relative = code_of(path), str(path.relative_to(PROXY))
        for name in BANNED:
            for place in places(path, rf"(?<![\w.>]){name}\s*\(", code):
                yield f"{place}: {name}() is banned"
        for pattern, allowed, reason in RESERVED:
            if relative in allowed:
                continue
            text = path.read_text() if "\\.h" in pattern else code
            for place in places(path, pattern, text):
                yield f"{place}: {pattern} belongs into {', '.join(allowed)}: {reason}"


def check_size():
    for path in sources():
        lines = path.read_text().count("\n")
        if lines > 600:
            yield f"{path.relative_to(ROOT)}: {lines} lines; does it hold one idea?"
    lines = (ROOT / "README.md").read_text().count("\n")
    if lines > 200:
        yield f"README.md: {lines} lines, where 200 are enough for a start; the manual pages have room for more"


def tokens():
    return re.findall(r'\[FAIL_\w+\] =\s*\{\s*"([a-z-]+)"', (PROXY / "base/fail.c").read_text())


def check_failures():
    """Each failure is provoked by a test from outside."""
    tests = "".join(p.read_text() for p in (ROOT / "tests/integration").glob("*.py"))
    exempt = {"none", "internal-error"}  # nothing in the program makes the last one today
    for token in tokens():
        if token not in exempt and f'"{token}"' not in tests:
            yield f"proxy/base/fail.c: no integration test provokes {token}; write one that names \"{token}\""


def check_options(binary):
    """Each option is changed by a reload in a test; manual.check() says so if the program is too old to ask."""
    tests = (ROOT / "tests/integration/test_reload_keys.py").read_text()
    sections = re.split(r"(?m)^;?\[(\w+).*\]$", manual.help_of(binary, "config"))[1:]
    for section, text in zip(sections[::2], sections[1::2]):
        for key in re.findall(r"(?m)^;([\w.-]+) = ", text):
            if f'"{section} {key}"' not in tests:
                yield f'tests/integration/test_reload_keys.py: write an @row for "{section} {key}"'


def check_names():
    """Every .c has a header of its own name, and a header's functions bear its name."""
    for path in sources():
        if path.suffix != ".h":
            continue
        words = re.findall(r"[A-Z]\w*", path.read_text().split("#ifndef ")[1].split("\n")[0])
        expected = "_".join(path.relative_to(PROXY).with_suffix("").parts).upper() + "_H"
        if words[0] != expected:
            yield f"{path.relative_to(ROOT)}: its guard is to be {expected}"


def check_macros():
    """A macro that is an initializer is left alone by clang-format, whose releases differ on it."""
    for path in [*sources(), *ROOT.glob("tests/**/*.[ch]")]:
        text = re.sub(r"/\* clang-format off \*/.*?/\* clang-format on \*/", lambda m: "\n" * m.group().count("\n"),
                      path.read_text(), flags=re.S)
        for place in places(path, r"(?m)^#define \w+(\([^)]*\))?[ \t\\\n]+\{", text):
            yield f"{place}: a macro that begins with a brace stands between clang-format off and on"


def check_presets():
    """A warning ends the developers' builds, never a user's: each compiler and library has warnings of its own."""
    presets = {p["name"]: p for p in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}

    def setting(name):
        here = presets.get(name, {})
        return here.get("cacheVariables", {}).get("SFMTLS_WERROR") or name and setting(here.get("inherits"))

    for name, wanted in {"release": "OFF", "ci": "ON", "asan": "ON", "tsan": "ON", "fuzz": "ON"}.items():
        if setting(name) != wanted:
            yield f"CMakePresets.json: SFMTLS_WERROR is to be {wanted} in {name}, also where another preset was before"
    lists = (ROOT / "CMakeLists.txt").read_text()
    if "-Werror" in lists.replace("if(SFMTLS_WERROR)\n  add_compile_options(-Werror)\n", ""):
        yield "CMakeLists.txt: -Werror only where SFMTLS_WERROR is set"
    if "--preset release " not in (ROOT / "conf/setup.sh").read_text():
        yield "conf/setup.sh: it builds the preset release"


def check_patience():
    for path in (ROOT / "tests/integration").glob("test_*.py"):
        for line, flaw in patience.check(path):
            yield f"{path.relative_to(ROOT)}:{line}: {flaw}"


def check_mutants():
    """The lines that a mutant replaces are there: a change of them needs a change of its entry."""
    try:
        mutants.read_all()
    except mutants.BadList as e:
        yield str(e)


def check_texts():
    for pattern in ("tests/**/*.py", "tests/**/*.sh", "proxy/**/*.[ch]", "conf/**/*.sh", "conf/man/*.scd", "*.md",
                    "proxy/*.md"):
        for path in ROOT.glob(pattern):
            is_page = path.suffix == ".scd"
            for number, line in enumerate(path.read_text().split("\n"), 1):
                if line != line.rstrip() or "\t" in line and path.suffix != ".sh" and not is_page:
                    yield f"{path.relative_to(ROOT)}:{number}: blanks at the end, or a tab"
                if (path.suffix == ".py" or is_page) and len(line) > 120:
                    yield f"{path.relative_to(ROOT)}:{number}: longer than 120 characters"


def main():
    binary, build = sys.argv[1:]
    flaws = [*check_includes(), *arrows.check(build), *check_calls(), *check_size(), *check_failures(), *check_names(),
             *check_macros(), *check_presets(), *check_patience(), *check_mutants(), *check_texts(),
             *references.check(), *check_options(binary), *manual.check(binary)]
    print("\n".join(flaws) or "rules: kept")
    sys.exit(1 if flaws else 0)


if __name__ == "__main__":
    main()
