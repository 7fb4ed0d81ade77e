"""Every place of proxy/sf/link_names.c, and nothing else: documents made from that table go through the proxy in both
directions, and readers of Python's own say what should have become of them."""
import json
import pathlib
import random
import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import pytest

import harness

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "proxy/sf/link_names.c"
ROWS = re.findall(r'ROW\((\w+), "([^"]+)",\s+"([^"]+)"\)', SOURCE.read_text())
XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"


def names(*kinds):
    return [name for kind, name, _ in ROWS if kind in kinds]


def test_every_row_is_read_and_has_a_source():
    assert len(ROWS) == SOURCE.read_text().count("    ROW(") > 80
    assert len({(kind, name) for kind, name, _ in ROWS}) == len(ROWS)


# ---- what is a link, said once more ----

def known_member(name):
    if "@" in name or name.startswith("odata."):
        return name.rpartition("@")[2].removeprefix("odata.") in names("CONTROL")
    return name in names("MEMBER") or name.lower() in [n.lower() for n in names("MEMBER_ANY_CASE")]


def known_attribute(name):
    """'url', 'list' or 'pairs', or None; a name as ElementTree has it."""
    prefixed, local = name.startswith("{"), name.rpartition("}")[2]
    if name.startswith(XML_NAMESPACE):
        return "url" if f"xml:{local}" in names("ATTRIBUTE") else None
    if prefixed and local in names("ATTRIBUTE_PAIRS"):
        return "pairs"
    if local in names("ATTRIBUTE_LIST"):
        return "list"
    return "url" if local in names("ATTRIBUTE", *["ATTRIBUTE_PREFIXED"] * prefixed) else None


class Base:
    """Where links lead, and where they should."""

    def __init__(self, there, home, also=()):
        self.there, self.home, self.also = there, home, also
        ways = [re.fullmatch("(https?://)(.*)", way).groups() for way in (there, *also)]
        any_way = "|".join(f"{scheme}(?i:{re.escape(authority)})" for scheme, authority in ways)
        self.pattern = re.compile(f"(?:{any_way})(?=[/?#]|$)")
        self.in_xml = re.compile(f"(?:{any_way})(?=[/?# \t\r\n]|$)")  # where blanks are separators

    def url(self, text, pattern=None):
        found = (pattern or self.pattern).match(text)
        return self.home + text[found.end():] if found else text

    def json(self, value, name=None):
        """A document as pairs, with those links changed that are some."""
        if isinstance(value, Pairs):
            return Pairs((key, self.json(member, key)) for key, member in value)
        if isinstance(value, list):
            flat = True
            result = []
            for item in value:
                flat = flat and not isinstance(item, list)
                result.append(self.json(item, name if flat and isinstance(item, str) else None))
            return result
        return self.url(value) if isinstance(value, str) and name is not None and known_member(name) else value

    def attribute(self, name, value):
        kind = known_attribute(name)
        if kind in (None, "url"):
            return value if kind is None else self.url(value, self.in_xml)
        items = re.split(r"(\s+)", value)
        count = 0
        for i, item in enumerate(items):
            if item and not item.isspace():
                count += 1
                if kind == "list" or count % 2 == 0:
                    items[i] = self.url(item)
        return "".join(items)

    def text(self, tag, text):
        if text is None or tag.rpartition("}")[2] not in names("ELEMENT"):
            return text
        begin = re.match(r"[ \t\r\n]*", text).group()
        return begin + self.url(text[len(begin):], self.in_xml)

    def xml(self, element):
        return (element.tag, {k: self.attribute(k, v) for k, v in element.attrib.items()},
                self.text(element.tag, element.text), element.tail, [self.xml(child) for child in element])

    def without_links(self, text):
        """What is left if it does not matter where URLs lead."""
        ways = sorted([self.there, self.home, *self.also], key=len, reverse=True)
        for way in [*ways, *[w.replace("/", "\\/") for w in ways]]:
            text = re.sub(re.escape(way) + r"(?=[/?#\\\"'<\s\]]|$)", "@", text, flags=re.I)
        return text


NOWHERE = Base("http://\0", "")


class Pairs(list):
    pass


def read_json(text):
    return json.loads(text, object_pairs_hook=Pairs)


def read_xml(text, base):
    return base.xml(ElementTree.fromstring(text))


def differences(got, want):
    """Those leaves of two documents that are not the same."""
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)) and len(got) == len(want):
        return [d for pair in zip(got, want) for d in differences(*pair)]
    if isinstance(got, dict) and isinstance(want, dict):
        return differences(sorted(got.items()), sorted(want.items()))
    return [] if got == want and type(got) is type(want) else [(got, want)]


# ---- documents ----

class Maker:
    def __init__(self, seed, base):
        self.r, self.base = random.Random(seed), base

    def one(self, *choices):
        return self.r.choice(choices)

    def blanks(self):
        return self.one("", "", "", " ", "\n\t", "  \r\n ")

    def value(self):
        there = self.one(self.base.there, self.base.there, *self.base.also)
        link = there + self.one("", "/", "/odata/v2/User('a')", "?a=b", "#x", "/\u00e9&<'\"x")
        return self.one(link, link, link, f"see {link}", there + "0/", there + ".evil", f"{there}@evil/", f"x{link}",
                        there + self.one('"', "'", "]", ")", "<", ">", "&", "\\u0041", ";", ",", " ") + "x",
                        there[:-3], "http://elsewhere.example/x", "relative(1)", "", "W/\"1\"", "tttt[\"http",
                        "\u20ac" * 20, f'"uri":"{link}"', f'{{"uri":["{link}"', f"<id>{link}</id>", "\\" + link,
                        link.upper(), there + "\\x")

    # JSON

    def member(self):
        control = self.one(*names("CONTROL"))
        name = self.one(*names("MEMBER", "MEMBER_ANY_CASE"))
        known = [name, f"@{control}", f"@odata.{control}", f"nav@odata.{control}", f"a.b@{control}", f"odata.{control}"]
        decoys = [name + "x", "x" + name, name.upper(), control, f"@x.{control}", f"@{control}x", f"@{name}",
                  f'a"{name}', "value", "note", "schemas", "", "tt", f"{name} ", f"@odata.{name}",
                  f"odata.{name}@{control}x"]
        return self.one(*known, *known, *known, *decoys)

    def json(self, depth=4):
        kind = 1 if depth == 4 else self.r.random()
        if depth == 0 or kind < 0.45:
            return self.one(self.value(), self.value(), self.value(), self.value(), 17, -1.5e3, True, None)
        if kind < 0.65:
            return [self.json(0) for _ in range(self.r.randrange(8))] + self.one([], [], [self.json(depth - 1)])
        return Pairs((self.member(), self.json(depth - 1)) for _ in range(self.r.randrange(9)))

    def string(self, text):
        text = json.dumps(text, ensure_ascii=self.one(True, False))
        return text.replace("/", "\\/") if self.r.random() < 0.3 else text

    def json_text(self, value):
        b = self.blanks
        if isinstance(value, Pairs):
            items = [f"{b()}{json.dumps(k)}{b()}:{b()}{self.json_text(v)}{b()}" for k, v in value]
            return "{" + ",".join(items) + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{b()}{self.json_text(v)}{b()}" for v in value) + "]"
        return self.string(value) if isinstance(value, str) else json.dumps(value)

    # XML

    def element(self, depth=4):
        name = self.one(*names("ELEMENT"), *names("ELEMENT"), "entry", "links", "Header", "ReplyTo", "Id", "idx", "xid")
        tag = self.one("", "p:", "q:") + name
        inside = ""
        for _ in range(self.r.randrange(4)):
            inside += self.content(depth)
            if inside[-1:] not in (">", " ", "\n", "\t", "") or inside.endswith("]]>"):
                inside += self.one(" ", "") + "<b/>"  # a text that goes on behind a comment is read in pieces
        attributes = "".join(self.attributes())
        if not inside and self.r.random() < 0.5:
            return f"<{tag}{attributes}{self.one('', ' ')}/>"
        return f"<{tag}{attributes}{self.one('', ' ')}>{inside}</{tag}{self.one('', ' ')}>"

    def attributes(self):
        kinds = ["ATTRIBUTE", "ATTRIBUTE_PREFIXED", "ATTRIBUTE_PAIRS", "ATTRIBUTE_LIST"]
        plain = [n for n in names(*kinds) if ":" not in n]
        seen = set()
        for _ in range(self.r.randrange(5)):
            name = self.one("", "", "p:", "q:") + self.one(*plain, *plain, "title", "hrefs", "Href", "namespace")
            name = self.one(name, name, name, name, "xml:base", "xml:id", "xmlns:href", "xmlns:id")
            if name in seen or (name == "xml:id"):
                continue
            seen.add(name)
            value = self.value() if self.r.random() < 0.5 else self.items()
            value = "urn:x" + value if name.startswith("xmlns:") else value
            equals = self.one("=", "=", " = ")
            yield f" {name}{equals}{self.quoted(value)}"

    def items(self):
        items = [re.sub(r"\s", "", self.value()) or "x" for _ in range(self.r.randrange(6))]
        return self.one("", " ") + self.one(" ", "  ").join(items) + self.one("", " ")

    def quoted(self, value):
        text = quoteattr(value)
        if text[0] == '"' and "'" not in value and self.r.random() < 0.5:
            text = f"'{text[1:-1]}'"
        return text

    def content(self, depth):
        value = self.value()
        choices = [lambda: escape(value), lambda: escape(value), lambda: self.blanks() + escape(value) + self.blanks(),
                   lambda: self.blanks(), lambda: f"<!-- {value.replace('-', '_')} -->", lambda: "<?p i x='?'?>",
                   lambda: f"<![CDATA[{self.blanks()}{value}]]>"]
        if depth > 0:
            choices += [lambda: self.element(depth - 1)] * 5
        return self.one(*choices)()

    def xml_text(self):
        head = self.one("", '<?xml version="1.0" encoding="utf-8"?>\n', "<!-- x --><!DOCTYPE r>")
        inside = "".join(self.element() for _ in range(1 + self.r.randrange(9)))
        return f'{head}<r xmlns:p="urn:p" xmlns:q="urn:q">{inside}</r>'


# ---- through the proxy ----

class Path:
    """The documents go to the server (requests) or come from it (answers)."""

    def __init__(self, path, direction):
        self.proxy, self.server, self.direction = path.proxy, path.server, direction
        there, home = f"https://localhost:{path.server.port}", f"http://localhost:{path.proxy.port}"
        ways = [f"http://localhost:{path.server.port}", "https://localhost:443", "https://localhost",
                "http://localhost"]
        self.base = Base(there, home, ways) if direction == "answers" else Base(home, there)
        self.caller = path.proxy.caller()

    def carry(self, text, media_type, r):
        body = text.encode()
        host = f"localhost:{self.proxy.port}"
        if self.direction == "requests":
            self.caller.request("POST", "/", [("Content-Type", media_type)], body, host=host)
            return self.server.take()[-1].body.decode()
        self.server.content = media_type, body, r.randrange(1, 200)
        answer = self.caller.request(host=host)
        assert answer.complete
        return answer.body.decode()


def send_in_pieces(server):
    def reply(c, seen):
        if server.content is None:
            return c.reply()
        media_type, body, step = server.content
        c.send(f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n")
        pieces = [body[i:i + step] for i in range(0, len(body), step)]
        c.send(b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n")
    return reply


@pytest.fixture(params=["answers", "requests"])
def path(request, recorded_by):
    found = recorded_by()
    found.server.content, found.server.reply = None, send_in_pieces(found.server)
    found.server.take()
    with_caller = Path(found, request.param)
    yield with_caller
    with_caller.caller.close()


COUNT = harness.count(250, 3_000)


def test_json_links_are_changed_in_all_their_places(path):
    changed = 0
    for seed in range(COUNT):
        maker = Maker(seed, path.base)
        text = maker.json_text(maker.json())
        got = path.carry(text, "application/json", maker.r)
        assert differences(read_json(got), path.base.json(read_json(text))) == [], (seed, text)
        assert path.base.without_links(got) == path.base.without_links(text), (seed, text)
        changed += got != text
    assert changed > COUNT / 4


def test_xml_links_are_changed_in_all_their_places(path):
    changed = 0
    for seed in range(COUNT):
        maker = Maker(seed, path.base)
        text = maker.xml_text()
        got = path.carry(text, "application/xml", maker.r)
        assert differences(read_xml(got, NOWHERE), read_xml(text, path.base)) == [], (seed, text)
        assert path.base.without_links(got) == path.base.without_links(text), (seed, text)
        changed += got != text
    assert changed > COUNT / 4


def test_every_row_alone(path):
    """A document with one row of the table, plain."""
    link, want = path.base.there + "/x", path.base.home + "/x"
    r = random.Random(1)
    shapes = {
        "MEMBER": ['{{"{name}":"{link}"}}', '{{"{name}":["{link}"]}}'],
        "MEMBER_ANY_CASE": ['{{"{name}":"{link}"}}', '{{"{upper}":["{link}"]}}'],
        "CONTROL": ['{{"@{name}":"{link}"}}', '{{"a@odata.{name}":["b", "{link}"]}}', '{{"odata.{name}":"{link}"}}'],
        "ATTRIBUTE": ['<a {name}="{link}"/>', '<a b="" p:{name}="{link}"/>'],
        "ATTRIBUTE_PREFIXED": ['<a p:{name}="{link}"/>'],
        "ATTRIBUTE_PAIRS": ['<a p:{name}="urn:x {link}"/>'],
        "ATTRIBUTE_LIST": ['<a {name}="#x {link}"/>'],
        "ELEMENT": ["<{name}>{link}</{name}>", "<p:{name} a='b'>{link}</p:{name}>"],
    }
    for kind, name, _ in ROWS:
        for shape in shapes.get(kind, []):
            if "p:" in shape and (name == "xml:base" or (kind, name) == ("ATTRIBUTE", "schemaLocation")):
                continue
            text = shape.format(name=name, upper=name.upper(), link=link)
            got = path.carry(text, "text/xml" if text[0] == "<" else "application/json", r)
            assert got == shape.format(name=name, upper=name.upper(), link=want), (kind, name)


def test_every_field(recorded):
    """Of a whole answer as of one in a batch (tests/unit/sf/link_batch_test.c)."""
    there, home = f"https://localhost:{recorded.server.port}/x", f"http://localhost:{recorded.proxy.port}/x"
    values = {"FIELD": "{}", "FIELD_TARGETS": "<{}>; rel=next"}
    rows = [(name, values[kind]) for kind, name, _ in ROWS if kind in values]
    fields = "".join(f"{name}: {value.format(there)}\r\n" for name, value in rows)
    recorded.server.reply = lambda c, seen: c.reply(fields=fields)
    answer = recorded.proxy.request(host=f"localhost:{recorded.proxy.port}")
    assert [(name, answer.all(name)) for name, _ in rows] == [(name, [value.format(home)]) for name, value in rows]
