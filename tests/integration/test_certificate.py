"""Every form that a certificate comes in: what loads, and what is said about it."""
import base64
import hashlib
import hmac
import itertools
import json
import os
import re
import shutil
import ssl
import subprocess
import textwrap
import time

import pytest

import harness

SECRET = "correct horse"
DAY = 86400
EC = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
USER = "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


class Forms:
    """Files in every form, made of the test PKI's parts."""

    def __init__(self, pki, folder):
        self.pki, self.folder = pki, folder
        self.leaf, self.sub, self.root = (self.text(f"{n}.pem") for n in ("acme", "client-sub", "client-ca"))
        self.key, self.chain = self.text("acme.key"), self.text("acme-chain.pem")
        self.encrypted, self.old = self.text("acme-encrypted.key"), self.text("acme-3des.key")

    def text(self, name):
        return (self.pki / name).read_text()

    def pkcs12(self, *more, secret=SECRET, chain=True):
        return openssl("pkcs12", "-export", "-in", self.pki / "acme.pem", "-inkey", self.pki / "acme.key",
                       *(["-certfile", self.pki / "acme-chain.pem"] if chain else []),
                       "-passout", f"pass:{secret}", *more)

    def der(self, text, kind="x509"):
        return openssl(kind, "-outform", "DER", data=text.encode())

    def issued(self, subject, key=EC, extensions="",
               digest="sha256", issuer="client-sub", days=90):
        """A certificate that differs from the usual ones, with its key before it and the chain behind."""
        folder = self.folder / hashlib.md5(repr((subject, key, extensions, digest, issuer)).encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        if key == RSA_4096:
            shutil.copy(self.pki / "rsa-4096.key", folder / "key")  # to make one takes seconds
        else:
            openssl("genpkey", "-quiet", *key, "-out", folder / "key")
        openssl("req", "-new", "-key", folder / "key", "-subj", subject, "-out", folder / "csr")
        (folder / "ext").write_text(extensions or USER)
        openssl("x509", "-req", "-in", folder / "csr", "-CA", self.pki / f"{issuer}.pem", "-CAkey",
                self.pki / f"{issuer}.key", "-days", days, f"-{digest}", "-extfile", folder / "ext",
                "-out", folder / "pem")
        return (folder / "key").read_text() + (folder / "pem").read_text() + self.sub

    def self_signed(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=self",
                "-keyout", self.folder / "self.key", "-out", self.folder / "self.pem", "-addext",
                "basicConstraints=critical,CA:FALSE", "-days", 90)
        return (self.folder / "self.key").read_text() + (self.folder / "self.pem").read_text()

    def btp(self):
        """As BTP exports it: base64 of a PEM with CRLF, the encrypted key first, RSA-4096, three CAs behind."""
        leaf = self.issued("/C=DE/O=SAP SE/CN=technical_user", RSA_4096)
        key, certificates = re.match(r"(?s)(.*?-----END PRIVATE KEY-----\n)(.*)", leaf).groups()
        (self.folder / "btp.key").write_text(key)
        sealed = openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", self.folder / "btp.key", "-passout",
                         f"pass:{SECRET}").decode()
        return base64.b64encode((sealed + certificates + self.root).replace("\n", "\r\n").encode())


    def by_legacy(self, *words, key="rsa.key"):
        """A key by `openssl` with its legacy provider."""
        return openssl(*words[:1], "-provider", "legacy", "-provider", "default", *words[1:], "-in", self.pki / key,
                       "-passout", f"pass:{SECRET}").decode()

    def traditional(self, cipher):
        """PKCS#1 with the encryption of RFC 1421, with its chain."""
        return self.by_legacy("rsa", "-traditional", f"-{cipher}") + self.text("rsa-chain.pem")

    def pkcs8(self, *words):
        return self.by_legacy("pkcs8", "-topk8", *words, key="acme.key") + self.leaf + self.sub

    def renewed(self, *spans, key=True, issuers=1):
        """Certificates of one key, valid between these days from now, each with its number as the user's name."""
        folder = self.folder / hashlib.md5(repr(spans).encode()).hexdigest()
        made = [harness.issue_between(self.pki, folder / str(i), time.time() + begin * DAY, time.time() + end * DAY,
                                      f"user{i}", self.pki / "acme.key").with_name("pem").read_text()
                for i, (begin, end) in enumerate(spans)]
        return (self.key if key else "") + "".join(made) + self.sub * issuers

    def two_pairs(self, first, second):
        """One PKCS#12 file with two keys, as keytool and Windows write it."""
        folder = self.folder / f"{first}-{second}"
        folder.mkdir(exist_ok=True)
        both = folder / "both.p12"
        for name in () if both.exists() else (first, second):
            openssl("pkcs12", "-export", "-in", self.pki / f"{name}.pem", "-inkey", self.pki / f"{name}.key", "-name",
                    name, "-certfile", self.pki / "client-sub.pem", "-passout", f"pass:{SECRET}", "-out",
                    folder / name)
            subprocess.run(["keytool", "-importkeystore", "-noprompt", "-srckeystore", folder / name, "-srcstoretype",
                            "PKCS12", "-srcstorepass", SECRET, "-destkeystore", both, "-deststoretype", "PKCS12",
                            "-deststorepass", SECRET], check=True, capture_output=True)
        return both.read_bytes()

    def sub_of(self, begin, end):
        """The intermediate, with its own key, valid between these days from now."""
        folder = self.folder / f"sub{begin}"
        if (folder / "pem").exists():
            return (folder / "pem").read_text()
        folder.mkdir()
        text = lambda t: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + t * DAY))
        (folder / "db").write_text("")
        (folder / "ext").write_text(CA)
        (folder / "conf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/db\nnew_certs_dir={folder}\n"
                                     "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\nO=optional\nCN=optional\n")
        openssl("req", "-new", "-key", self.pki / "client-sub.key", "-subj", "/O=Test/CN=Test Client Sub CA", "-out",
                folder / "csr")
        openssl("ca", "-batch", "-notext", "-config", folder / "conf", "-cert", self.pki / "client-ca.pem", "-keyfile",
                self.pki / "client-ca.key", "-in", folder / "csr", "-out", folder / "pem", "-extfile", folder / "ext",
                "-preserveDN", "-startdate", text(begin), "-enddate", text(end))
        return (folder / "pem").read_text()

    def below(self, depth):
        """A user's key, and its certificates from the user's up: as many CAs above it, the highest client-sub."""
        folder, issuer, above = self.folder / f"depth{depth}", self.pki / "client-sub", [self.sub]
        folder.mkdir()
        for level in range(depth - 1, -1, -1):
            extensions, name = CA if level else USER, folder / str(level)
            openssl("genpkey", "-quiet", *EC, "-out", f"{name}.key")
            openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/O=Test/CN=level {level}", "-out", f"{name}.csr")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-days",
                    90, "-extfile", write_text(folder / "ext", extensions), "-out", f"{name}.pem")
            issuer = name
            above.insert(0, (folder / f"{level}.pem").read_text())
        return (folder / "0.key").read_text(), above

    def pbmac1(self):
        """A PKCS#12 file with the MAC of RFC 9579, as OpenSSL 3.4 can make it."""
        plain = self.pkcs12("-nomac")
        content = der_content(der_content(der_items(der_content(plain))[1], 1))
        salt = b"salt" * 4
        hmac_sha256 = der(0x30, der(6, bytes.fromhex("2a864886f70d0209")) + der(5, b""))
        kdf = der(0x30, der(6, bytes.fromhex("2a864886f70d01050c")) + der(
            0x30, der(4, salt) + der(2, b"\x08\x00") + der(2, b"\x20") + hmac_sha256))
        scheme = der(0x30, der(6, bytes.fromhex("2a864886f70d01050e")) + der(0x30, kdf + hmac_sha256))
        mac = hmac.digest(hashlib.pbkdf2_hmac("sha256", SECRET.encode(), salt, 2048, 32), content, "sha256")
        data = der(0x30, der(0x30, scheme + der(4, mac)) + der(4, b"NOT USED") + der(2, b"\x01"))
        return der(0x30, der_content(plain) + data)

    def dear(self):
        """Encrypted by scrypt, at a cost that OpenSSL does not pay: r is 127 in place of 8."""
        sealed = openssl("pkcs8", "-topk8", "-scrypt", "-in", self.pki / "acme.key", "-passout", f"pass:{SECRET}",
                         "-outform", "DER")
        return sealed.replace(b"\x02\x01\x08", b"\x02\x01\x7f", 1)


# ---- DER, as far as is needed here ----

def der(tag, content):
    n = len(content)
    length = bytes([n]) if n < 128 else b"\x82" + n.to_bytes(2, "big")
    return bytes([tag]) + length + content


def der_item(data):
    """(content, rest)"""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    return data[at:at + size], data[at + size:]


def der_items(data):
    """The items of a sequence's content, whole."""
    items = []
    while data:
        rest = der_item(data)[1]
        items.append(data[:len(data) - len(rest)])
        data = rest
    return items


def der_content(data, *path):
    """The content, and that of the items in it to which path leads."""
    for step in path:
        data = der_items(der_item(data)[0])[step]
    return der_item(data)[0]


def before_end(text, more):
    return re.sub("(?m)^-----END", more + "-----END", text)


def within(text, more):
    return re.sub(r"(?m)^(-----BEGIN .*\n.*\n)", r"\1" + more, text)


def write_text(path, text):
    path.write_text(text)
    return path


def lines(data, width):
    text = base64.b64encode(data).decode()
    return "\n".join(text[at:at + width] for at in range(0, len(text), width)) + "\n"


RSA = ("-algorithm", "RSA", "-pkeyopt")
ONLY_CERTIFICATES = ["-keypbe", "NONE", "-certpbe", "AES-256-CBC"]
TRADITIONAL = ["des", "des3", "des-ede-cbc", "aes128", "aes192", "aes256", "camellia128", "camellia256", "aria256",
               "bf-cbc", "cast5-cbc", "rc2-cbc", "rc2-40-cbc", "rc2-64-cbc", "seed", "des-cfb", "aes-128-ctr"]
PKCS8 = [*(["-v1", name] for name in (
    "PBE-MD5-DES", "PBE-MD5-RC2-64", "PBE-SHA1-DES", "PBE-SHA1-RC2-40", "PBE-SHA1-RC2-64", "PBE-SHA1-RC2-128",
    "PBE-SHA1-RC4-40", "PBE-SHA1-RC4-128", "PBE-SHA1-2DES", "PBE-SHA1-3DES")),
         *(["-v2", name] for name in ("des-cbc", "des3", "rc2-cbc", "rc2-40-cbc", "bf-cbc", "cast5-cbc", "aes-128-cbc",
                                      "aes-256-cbc", "camellia-256-cbc")),
         ["-v2", "aes256", "-v2prf", "hmacWithSHA1"], ["-v2", "aes256", "-v2prf", "hmacWithSHA512"], ["-scrypt"]]
RSA_4096 = (*RSA, "rsa_keygen_bits:4096")
ROOT_NOTE = ("note", "root, which is not sent")
OTHERS = ("note", "of the same key, name or CA as the one that is used")
BARE = ("warning", "CN=Test Client Sub CA,O=Test is not in the file")
SOON = ("warning", "the certificate expires on")

# name: (how to make it, is a passphrase given, what is found beside the expiry of the test PKI)
LOADS = {
    "PEM, key first": (lambda f: f.key + f.chain, False, [ROOT_NOTE]),
    "PEM, key last": (lambda f: f.chain + f.key, False, [ROOT_NOTE]),
    "PEM, key between": (lambda f: f.leaf + f.key + f.sub, False, []),
    "PEM, root first": (lambda f: f.root + f.sub + f.leaf + f.key, False, [ROOT_NOTE]),
    "PEM, leaf behind its issuer": (lambda f: f.sub + f.key + f.leaf, False, []),
    "PEM, CRLF": (lambda f: (f.key + f.chain).replace("\n", "\r\n"), False, [ROOT_NOTE]),
    "PEM, text between": (lambda f: "Bag Attributes\n" + f.key + "\nsubject=\n" + f.leaf + "issuer: x\n" + f.sub, False,
                          []),
    "PEM, byte order mark": (lambda f: "\ufeff" + f.key + f.leaf + f.sub, False, []),
    "PEM, the key twice": (lambda f: f.key + f.leaf + f.sub + f.key, False, []),
    "PEM, leaf only": (lambda f: f.key + f.leaf, False, [BARE]),
    "PEM, gap in the chain": (lambda f: f.key + f.leaf + f.root, False, [BARE, ROOT_NOTE]),
    "PEM, a stranger": (lambda f: f.key + f.leaf + f.sub + f.text("stranger.pem"), False,
                        [("warning", "CN=Test Client Root,O=Test is not in the file"),
                         ("note", "1 certificates in the file do not belong to the chain")]),
    "PEM, encrypted PKCS#8": (lambda f: f.encrypted + f.leaf + f.sub, True, []),
    "PEM, encrypted SHA1-3DES": (lambda f: f.old + f.leaf + f.sub, True, []),
    "PEM, SEC 1": (lambda f: f.text("acme-sec1.key") + f.leaf + f.sub, False, []),
    "PEM, encrypted SEC 1": (lambda f: f.text("acme-sec1-encrypted.key") + f.leaf + f.sub, True, []),
    "PEM, PKCS#1": (lambda f: openssl("rsa", "-traditional", "-in", f.pki / "rsa.key").decode()
                    + f.text("rsa-chain.pem"), False, []),
    "PEM, PKCS#7 beside the key": (lambda f: f.key + openssl("crl2pkcs7", "-nocrl", "-certfile",
                                                             f.pki / "acme-chain.pem").decode(), False, [ROOT_NOTE]),
    "PEM, RC2 key (legacy)": (lambda f: openssl("pkcs8", "-topk8", "-provider", "legacy", "-provider", "default", "-v1",
                                                "PBE-SHA1-RC2-40", "-in", f.pki / "acme.key", "-passout",
                                                f"pass:{SECRET}").decode() + f.leaf + f.sub, True, []),
    "base64 of PEM, one line": (lambda f: base64.b64encode((f.key + f.leaf + f.sub).encode()), False, []),
    "base64 of PEM, 64 wide": (lambda f: lines((f.key + f.leaf + f.sub).encode(), 64), False, []),
    "base64 of PEM, CRLF": (lambda f: lines((f.key + f.leaf + f.sub).encode(), 76).replace("\n", "\r\n"), False, []),
    "base64 of PEM, no padding": (lambda f: base64.b64encode((f.key + f.leaf + f.sub + "\n").encode()).rstrip(b"="),
                                  False, []),
    "base64 of PEM, encrypted": (lambda f: base64.b64encode((f.old + f.leaf + f.sub).encode()), True, []),
    "base64 of base64 of PEM": (lambda f: base64.b64encode(base64.b64encode((f.key + f.leaf + f.sub).encode())), False,
                                []),
    "BTP": (lambda f: f.btp(), True, [ROOT_NOTE, ("note", "RSA key of 4096 bits costs")]),
    "PKCS#12": (lambda f: f.pkcs12(), True, [ROOT_NOTE]),
    "PKCS#12, leaf only": (lambda f: f.pkcs12(chain=False), True, [BARE]),
    "PKCS#12, base64": (lambda f: base64.b64encode(f.pkcs12()), True, [ROOT_NOTE]),
    "PKCS#12, base64, wrapped": (lambda f: lines(f.pkcs12(), 76), True, [ROOT_NOTE]),
    "PKCS#12, RC2 and 3DES (legacy)": (lambda f: f.pkcs12("-legacy"), True, [ROOT_NOTE]),
    "PKCS#12, empty passphrase": (lambda f: f.pkcs12(secret=""), False, [ROOT_NOTE]),
    "PKCS#12, no MAC, no encryption": (lambda f: f.pkcs12("-nomac", "-keypbe", "NONE", "-certpbe", "NONE"), False,
                                       [ROOT_NOTE]),
    **{f"PEM, DEK-Info, {cipher}": (lambda f, cipher=cipher: f.traditional(cipher), True, [])
       for cipher in TRADITIONAL},
    **{f"PEM, PKCS#8, {' '.join(words)}": (lambda f, words=words: f.pkcs8(*words), True, []) for words in PKCS8},
    "PKCS#12, no MAC": (lambda f: f.pkcs12("-nomac"), True, [ROOT_NOTE]),
    "PKCS#12, no MAC, legacy": (lambda f: f.pkcs12("-nomac", "-legacy"), True, [ROOT_NOTE]),
    "PKCS#12, no MAC, only the key encrypted": (lambda f: f.pkcs12("-nomac", "-certpbe", "NONE"), True, [ROOT_NOTE]),
    "PKCS#12, no MAC, only certificates encrypted": (lambda f: f.pkcs12("-nomac", *ONLY_CERTIFICATES), True,
                                                     [ROOT_NOTE]),
    "PKCS#12, no MAC, empty passphrase": (lambda f: f.pkcs12("-nomac", secret=""), False, [ROOT_NOTE]),
    "PKCS#12, a MAC, nothing encrypted": (lambda f: f.pkcs12("-keypbe", "NONE", "-certpbe", "NONE"), True, [ROOT_NOTE]),
    "PKCS#12, SHA-512": (lambda f: f.pkcs12("-macalg", "sha512"), True, [ROOT_NOTE]),
    "PKCS#12, MAC of MD5": (lambda f: f.pkcs12("-macalg", "md5"), True, [ROOT_NOTE]),
    "PKCS#12, MAC of RIPEMD-160": (lambda f: openssl(
        "pkcs12", "-export", "-provider", "legacy", "-provider", "default", "-in", f.pki / "acme.pem", "-inkey",
        f.pki / "acme.key", "-macalg", "ripemd160", "-passout", f"pass:{SECRET}"), True, [BARE]),
    "PKCS#12, PBMAC1": (lambda f: f.pbmac1(), True, [ROOT_NOTE]),
    "PKCS#12, DES and RC4": (lambda f: openssl(
        "pkcs12", "-export", "-provider", "legacy", "-provider", "default", "-in", f.pki / "acme.pem", "-inkey",
        f.pki / "acme.key", "-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC4-40", "-passout",
        f"pass:{SECRET}"), True, [BARE]),
    "renewed, first": (lambda f: f.renewed((-1, 50), (-9, -3)), False, [OTHERS]),
    "renewed, last": (lambda f: f.renewed((-9, -3), (-1, 50)), False, [OTHERS]),
    "renewed, the next one is not valid yet": (lambda f: f.renewed((-9, 40), (3, 400)), False, [OTHERS]),
    "renewed, both valid": (lambda f: f.renewed((-9, 40), (-3, 400), (-5, 90)), False, [OTHERS]),
    "renewed, none is valid": (lambda f: f.renewed((-99, -40), (-9, -3)), False,
                               [OTHERS, ("error", "the certificate expired on")]),
    "renewed, one is over and one comes": (lambda f: f.renewed((-99, -40), (5, 40)), False,
                                           [OTHERS, ("error", "the certificate is not valid before")]),
    "renewed, PKCS#12": (lambda f: openssl("pkcs12", "-export", "-inkey", f.pki / "acme.key", "-in", write_text(
        f.folder / "renewed", f.renewed((-9, -3), (-1, 50), key=False)), "-passout", f"pass:{SECRET}"), True, [OTHERS]),
    "renewed issuer, last": (lambda f: f.key + f.leaf + f.sub_of(-9, -3) + f.sub_of(-1, 50), False, [OTHERS]),
    "renewed issuer, first": (lambda f: f.key + f.leaf + f.sub_of(-1, 50) + f.sub_of(-9, -3), False, [OTHERS]),
    "two pairs, PEM, one is valid": (lambda f: f.text("expired.key") + f.text("expired.pem") + f.key + f.leaf + f.sub,
                                     False, [OTHERS, ("note", "holds 2 private keys")]),
    "two pairs, PKCS#12, the first is valid": (lambda f: f.two_pairs("acme", "expired"), True,
                                               [OTHERS, ("note", "holds 2 private keys")]),
    "two pairs, PKCS#12, the last is valid": (lambda f: f.two_pairs("expired", "acme"), True,
                                              [OTHERS, ("note", "holds 2 private keys")]),
    "two pairs, PKCS#12, one is not valid yet": (lambda f: f.two_pairs("future", "acme"), True,
                                                 [OTHERS, ("note", "holds 2 private keys")]),
    "PEM, an empty line before END": (lambda f: before_end(f.key + f.leaf + f.sub, "\n"), False, []),
    "PEM, empty lines within": (lambda f: within(f.key + f.leaf + f.sub, "\n\n"), False, []),
    "PEM, blanks after each line": (lambda f: (f.key + f.leaf + f.sub).replace("\n", " \t\n"), False, []),
    "PEM, indented": (lambda f: textwrap.indent(f.key + f.leaf + f.sub, "    "), False, []),
    "PEM, indented by tabs": (lambda f: textwrap.indent(f.key + f.leaf + f.sub, "\t"), False, []),
    "PEM, one block indented": (lambda f: f.key + f.leaf + textwrap.indent(f.sub, "  "), False, []),
    "PEM, indented, encrypted": (lambda f: textwrap.indent(f.traditional("des3"), "  "), True, []),
    "PEM, line ends written out": (lambda f: (f.key + f.leaf + f.sub).replace("\n", "\\n"), False, []),
    "PEM, CRLF written out": (lambda f: (f.key + f.leaf + f.sub).replace("\n", "\\r\\n"), False, []),
    "PEM, line ends written out, encrypted": (lambda f: f.traditional("des3").replace("\n", "\\n"), True, []),
    "PEM, line ends written out and a real one": (lambda f: (f.key + f.leaf + f.sub).replace("\n", "\\n") + "\n",
                                                  False, []),
    "PEM, a quoted string": (lambda f: json.dumps(f.key + f.leaf + f.sub), False, []),
    "PEM, quoted lines and all": (lambda f: "'" + f.key + f.leaf + f.sub.rstrip() + "'\n", False, []),
    "PEM, a comment that speaks of it": (lambda f: "# what begins with -----BEGIN CERTIFICATE----- is mine\n" + f.key
                                         + f.leaf + f.sub, False, []),
    "base64 of PEM, indented": (lambda f: base64.b64encode(textwrap.indent(f.key + f.leaf + f.sub, "  ").encode()),
                                False, []),
    "RSA-4096": (lambda f: f.issued("/CN=big", RSA_4096), False,
                 [("note", "RSA key of 4096 bits costs")]),
    "P-384": (lambda f: f.issued("/CN=p384", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")), False, []),
    "Ed25519": (lambda f: f.issued("/CN=ed", ("-algorithm", "ED25519")), False, []),
    "for servers only": (lambda f: f.issued("/CN=server", extensions="extendedKeyUsage=serverAuth\n"), False,
                         [("error", "lacks clientAuth")]),
    "key usage without signature": (lambda f: f.issued("/CN=ku", extensions="keyUsage=keyEncipherment\n"), False,
                                    [("warning", "lacks digitalSignature")]),
    "a CA's": (lambda f: f.issued("/CN=a CA", extensions="basicConstraints=CA:TRUE\n"), False,
               [("warning", "is that of a CA")]),
    "self-signed": (lambda f: f.self_signed(), False, [("warning", "is self-signed")]),
    "expired": (lambda f: f.text("expired.key") + f.text("expired-chain.pem"), False,
                [("error", "expired on 2021-01-01")]),
    "not yet valid": (lambda f: f.text("future.key") + f.text("future-chain.pem"), False,
                      [("error", "not valid before 2090-01-01")]),
}

PASSPHRASE = "check the passphrase"


def pem_of(name, data):
    return f"-----BEGIN {name}-----\n{lines(data, 64)}-----END {name}-----\n"


DOES_NOT_LOAD = {
    "empty": (lambda f: b"", False, "is empty"),
    "PKCS#7 without content": (lambda f: "-----BEGIN PKCS7-----\nMAsGCSqGSIb3DQEHAg==\n-----END PKCS7-----\n", False,
                               "cannot be read"),
    "text": (lambda f: b"no key here\n", False, "holds no PEM certificate"),
    "UTF-16": (lambda f: (f.key + f.leaf).encode("utf-16"), False, "UTF-16"),
    "JKS": (lambda f: bytes.fromhex("feedfeed0000000200000000") + bytes(20), False, "keytool -importkeystore"),
    "key only": (lambda f: f.key, False, "holds no PEM certificate"),
    "certificate only": (lambda f: f.chain, False, "holds no private key"),
    "another's key": (lambda f: f.text("globex.key") + f.chain, False, "does not belong to the certificate"),
    "two keys": (lambda f: f.key + f.text("globex.key") + f.chain, False, "more than one private key"),
    "PEM cut off": (lambda f: (f.key + f.chain)[:-300], False, "damaged"),
    "PEM with a wrong character": (lambda f: f.key + f.leaf.replace("MII", "M*I", 1), False, "c.file"),
    "encrypted, no passphrase": (lambda f: f.encrypted + f.chain, False, "is encrypted; set passphrase-file"),
    "PKCS#12, no passphrase": (lambda f: f.pkcs12(), False, "is encrypted; set passphrase-file"),
    "encrypted, wrong passphrase": (lambda f: f.encrypted + f.chain, b"wrong\n", PASSPHRASE),
    "PKCS#12, wrong passphrase": (lambda f: f.pkcs12(), b"wrong\n", "the passphrase does not open the PKCS#12 file"),
    "PKCS#12 cut off": (lambda f: f.pkcs12()[:-50], True, "damaged"),
    "PKCS#12, no MAC, no passphrase": (lambda f: f.pkcs12("-nomac"), False, "is encrypted; set passphrase-file"),
    "PKCS#12, no MAC, no passphrase for the key": (lambda f: f.pkcs12("-nomac", "-certpbe", "NONE"), False,
                                                   "is encrypted; set passphrase-file"),
    **{f"PKCS#12, {' '.join(words)}, wrong passphrase": (
        lambda f, words=words: f.pkcs12(*words), b"wrong\n", "the passphrase does not open the PKCS#12 file")
       for words in (["-nomac"], ["-nomac", "-legacy"], ["-nomac", "-certpbe", "NONE"], ["-nomac", *ONLY_CERTIFICATES],
                     ["-legacy"], ["-macalg", "sha512"])},
    "PKCS#12, PBMAC1, wrong passphrase": (lambda f: f.pbmac1(), b"wrong\n", "the passphrase does not open the PKCS#12"),
    "PKCS#12, two pairs, both valid": (lambda f: f.two_pairs("acme", "globex"), True,
                                       "more than one private key with a certificate that is valid now (CN="),
    "PKCS#12, two pairs, none valid": (lambda f: f.two_pairs("expired", "future"), True, "more than one private key"),
    "two pairs, PEM, both valid": (lambda f: f.text("globex.key") + f.text("globex.pem") + f.key + f.chain, False,
                                   "more than one private key with a certificate that is valid now"),
    **{f"PEM, DEK-Info, {cipher}, wrong passphrase": (
        lambda f, cipher=cipher: f.traditional(cipher), b"wrong\n", PASSPHRASE) for cipher in TRADITIONAL},
    **{f"PEM, PKCS#8, {' '.join(words)}, wrong passphrase": (
        lambda f, words=words: f.pkcs8(*words), b"wrong\n", PASSPHRASE) for words in PKCS8},
    "PEM, DEK-Info, unknown": (lambda f: f.traditional("des3").replace("DES-EDE3-CBC", "ROT-13"), True,
                               "is encrypted with ROT-13, which this OpenSSL cannot read; convert it"),
    "PEM, DEK-Info, damaged": (lambda f: re.sub("DEK-Info.*", "DEK-Info: DES-EDE3-CBC,X", f.traditional("des3")), True,
                               "c.file"),
    "scrypt, too dear": (lambda f: pem_of("ENCRYPTED PRIVATE KEY", f.dear()) + f.leaf, True,
                         "costs more memory than OpenSSL"),
    "JSON": (lambda f: json.dumps({"certificate": f.leaf, "key": f.key}), False, "is JSON; "),
    "JSON of BTP": (lambda f: json.dumps({"Name": "x.pem", "Content": base64.b64encode(
        (f.key + f.leaf).encode()).decode()}, indent=2), False, "is JSON; "),
    "JSON, a list": (lambda f: "\n [" + json.dumps({"certificate": f.leaf}) + "]", False, "is JSON; "),
    "YAML": (lambda f: "certificate: " + f.leaf.replace("\n", "\n  "), False, "is within other text"),
    "YAML, two blocks": (lambda f: "pem: " + f.key + f.leaf, False, "is within other text"),
    "a quoted string behind a name": (lambda f: "PEM=" + json.dumps(f.key + f.leaf), False, "is within other text"),
    "DER certificate": (lambda f: f.der(f.leaf), False, "holds no private key"),
    "base64 of text": (lambda f: base64.b64encode(b"there is no certificate in here, nor a key"), False,
                       "holds no PEM certificate"),
    "weak key": (lambda f: f.issued("/CN=weak", (*RSA, "rsa_keygen_bits:1024")), False, "have a stronger one issued"),
}


@pytest.fixture(scope="module")
def forms(pki, tmp_path_factory):
    return Forms(pki, tmp_path_factory.mktemp("forms"))


def write(tmp_path, made, passphrase):
    (tmp_path / "c.file").write_bytes(made.encode() if isinstance(made, str) else made)
    secret = passphrase if isinstance(passphrase, bytes) else SECRET.encode() + b"\n"
    (tmp_path / "pass").write_bytes(secret)
    return tmp_path / "c.file"


def section(tmp_path, pki, port, passphrase):
    return (f"[tenant acme]\ncompany-id = ACME\nserver = localhost:{port}\nca-file = {pki}/ca.pem\n"
            f"certificate = {tmp_path}/c.file\n" + (f"passphrase-file = {tmp_path}/pass\n" if passphrase else ""))


@pytest.mark.parametrize("name", LOADS)
def test_what_is_found(name, forms, tmp_path, pki):
    """By `cert show`, and by `run -t`, which tells warnings and errors."""
    make, passphrase, wanted = LOADS[name]
    path = write(tmp_path, make(forms), passphrase)
    words = ["--passphrase-file", str(tmp_path / "pass")] if passphrase else []
    shown = harness.run_cli("cert", "show", str(path), "--json", *words)
    assert shown.returncode == (1 if any(level == "error" for level, _ in wanted) else 0), shown.stderr
    facts = json.loads(shown.stdout)
    found = [(f["level"], f["sentence"]) for f in facts["findings"] if SOON[1] not in f["sentence"]]
    assert len(found) == len(wanted), found
    for level, sentence in wanted:
        assert any(level == l and sentence in s for l, s in found), (sentence, found)
    assert all(re.search(r"; \S.* \S", s) for _, s in found), "each has its cure"
    assert facts["private_key"] == "present"
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, passphrase))
    tested = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    if any("expired on" in sentence or "not valid before" in sentence for _, sentence in wanted):
        assert tested.returncode == 2 and "no tenant can be served" in tested.stderr
        return
    assert (tested.returncode, tested.stdout) == (0, harness.tested_ok(tmp_path / "sfmtls.ini")), tested.stderr
    for level, sentence in wanted:
        if level != "note":
            assert re.search(f"{level}: tenant acme: .*{re.escape(sentence)}", tested.stderr), tested.stderr


@pytest.mark.parametrize("name", DOES_NOT_LOAD)
def test_what_does_not_load(name, forms, tmp_path, pki):
    make, passphrase, sentence = DOES_NOT_LOAD[name]
    path = write(tmp_path, make(forms), passphrase)
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, passphrase))
    result = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith(f"sfmtls: {tmp_path}/sfmtls.ini:5: {path}: ") or name == "weak key", result.stderr
    assert sentence in result.stderr and re.search(r"; \S.* \S", result.stderr), result.stderr


@pytest.mark.parametrize("name, user", [
    ("renewed, first", 0), ("renewed, last", 1), ("renewed, the next one is not valid yet", 0),
    ("renewed, both valid", 1), ("renewed, none is valid", 1), ("renewed, one is over and one comes", 1),
    ("renewed, PKCS#12", 1), ("two pairs, PKCS#12, the first is valid", "acme_user"),
    ("two pairs, PKCS#12, the last is valid", "acme_user"), ("two pairs, PEM, one is valid", "acme_user")])
def test_which_of_several_is_taken(name, user, forms, tmp_path):
    """The valid one, the longest of several; if none is, the one that comes next, or was the last."""
    make, passphrase, _ = LOADS[name]
    path = write(tmp_path, make(forms), passphrase)
    words = ["--passphrase-file", str(tmp_path / "pass")] if passphrase else []
    facts = json.loads(harness.run_cli("cert", "show", str(path), "--json", *words).stdout)
    assert f"CN={user}," in facts["subject"] or f"CN=user{user}," in facts["subject"]
    if name.startswith("renewed") and "PKCS#12" not in name:  # without the key it is the same one
        path.write_text(re.sub(r"(?s)-----BEGIN PRIVATE.*?-----END PRIVATE KEY-----\n", "", path.read_text()))
        assert json.loads(harness.run_cli("cert", "show", str(path), "--json").stdout)["subject"] == facts["subject"]


@pytest.mark.parametrize("name", ["renewed issuer, last", "renewed issuer, first"])
def test_chain_with_a_renewed_issuer(name, forms, tmp_path):
    path = write(tmp_path, LOADS[name][0](forms), False)
    shown = harness.run_cli("cert", "public", str(path)).stdout
    assert shown.count("BEGIN CERTIFICATE") == 2 and forms.sub_of(-1, 50) in shown


@pytest.mark.parametrize("depth", [2, 3])
def test_whole_chain_is_sent(depth, forms, tmp_path, pki, proxy, script):
    """However many CAs stand between, in whatever order: the server knows the root alone."""
    key, certificates = forms.below(depth)
    server = script(harness.answering(lambda c, *_: c.reply(c.peer_cn().encode())))
    for order in itertools.permutations(range(depth + 1)):
        path = write(tmp_path, "".join(certificates[i] for i in order) + key, False)
        shown = harness.run_cli("cert", "public", str(path)).stdout
        assert re.findall(r"(?s)-----BEGIN.*?END CERTIFICATE-----\n", shown) == certificates, order
    p = proxy(section(tmp_path, pki, server.port, False))
    assert p.request().body == b"level 0"


def test_certificate_that_becomes_valid_is_taken_then(pki, nginx, proxy, tmp_path):
    """It is in the file beside the one of today."""
    key = pki / "acme.key"
    now = harness.issue_between(pki, tmp_path / "now", time.time() - DAY, time.time() + 9 * DAY, "today", key)
    then = harness.issue_between(pki, tmp_path / "then", time.time() + 8, time.time() + 99 * DAY, "tomorrow", key)
    (tmp_path / "c.file").write_text(now.read_text() + then.with_name("pem").read_text())
    p = proxy(section(tmp_path, pki, nginx.port, False))
    assert "CN=today" in p.request(target="/who").json()["subject"]
    harness.eventually(lambda: "CN=tomorrow" in p.request(target="/who").json()["subject"])


def damaged(text):
    """A small thing is wrong in each."""
    rows = text.splitlines(True)
    for i, row in enumerate(rows):
        for change in ("", "\n", "\n" + row, row * 2, row + "\n", row[:-5] + "\n", " " + row, row[:9] + "*" + row[9:],
                       row.replace("-----", "----"), row.replace("\n", "=\n"), row.lower(), row.replace("\n", "")):
            if i < 3 or i > len(rows) - 3 or "-----" in row:
                yield "".join(rows[:i] + [change] + rows[i + 1:])


def test_no_sentence_has_a_hole(forms, tmp_path):
    """Whatever is wrong with a file: words of OpenSSL that are missing are not printed as (null)."""
    encrypted = "".join(forms.traditional("des3").splitlines(True)[:6]) + "-----END RSA PRIVATE KEY-----\n"
    texts = [*damaged(forms.key + forms.leaf), *damaged(encrypted + forms.leaf), *damaged(forms.encrypted)]
    for text in texts[::harness.count(5, 1)]:
        path = write(tmp_path, text, False)
        shown = harness.run_cli("cert", "show", str(path), "--passphrase-file", str(tmp_path / "pass"))
        assert shown.returncode in (0, 1, 2) and "(null)" not in shown.stderr + shown.stdout, (text, shown.stderr)
        assert "unknown error" not in shown.stderr, (text, shown.stderr)


@pytest.mark.parametrize("name", ["PEM, root first", "PEM, PKCS#7 beside the key", "base64 of PEM, encrypted", "BTP",
                                  "PKCS#12", "PKCS#12, base64", "PKCS#12, RC2 and 3DES (legacy)", "RSA-4096"])
def test_form_makes_a_call(name, forms, tmp_path, pki, nginx, proxy):
    make, passphrase, _ = LOADS[name]
    write(tmp_path, make(forms), passphrase)
    p = proxy(section(tmp_path, pki, nginx.port, passphrase))
    assert p.request(target="/who").json()["verify"] == "SUCCESS"


# ---- who may read the key ----

@pytest.mark.parametrize("mode, linked", [(0o644, False), (0o604, False), (0o644, True)])
def test_key_that_everybody_may_read(mode, linked, tmp_path, pki, nginx, proxy):
    path = write(tmp_path, (pki / "acme-all.pem").read_text(), False)
    path.chmod(mode)
    if linked:
        path.rename(tmp_path / "target")
        path.symlink_to("target")
    lines = section(tmp_path, pki, nginx.port, False)
    (tmp_path / "sfmtls.ini").write_text(lines)
    result = harness.run_cli("run", "-c", str(tmp_path / "sfmtls.ini"))
    assert result.returncode == 2
    assert f"chmod o-r {path}" in result.stderr and "defaultMode: 0440" in result.stderr
    p = proxy(lines + "insecure-key-file = allow\n")
    assert p.request(target="/who").status == 200
    harness.eventually(lambda: "warning: tenant acme: every user of this machine may read the private key" in p.stderr)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o440, 0o400])
def test_key_that_a_group_may_read(mode, tmp_path, pki):
    write(tmp_path, (pki / "acme-all.pem").read_text(), False).chmod(mode)
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, False))
    path = tmp_path / "sfmtls.ini"
    assert harness.run_cli("run", "-t", "-c", str(path)).stdout == harness.tested_ok(path)


# ---- passphrases ----

def test_passphrase_from_systemd(tmp_path, pki):
    (tmp_path / "sf-pass").write_text(SECRET + "\n")
    text = (f"[tenant a]\ncompany-id = A\nserver = localhost:1\nca-file = {pki}/ca.pem\n"
            f"certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\n"
            "passphrase-credential = sf-pass\n")
    (tmp_path / "sfmtls.ini").write_text(text)
    run = lambda **env: harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"), env=env)
    assert run(CREDENTIALS_DIRECTORY=str(tmp_path)).stdout == harness.tested_ok(tmp_path / "sfmtls.ini")
    for env, word in (({}, "LoadCredential="), ({"CREDENTIALS_DIRECTORY": "/none"}, "/none/sf-pass")):
        refused = run(**env)
        assert refused.returncode == 2 and f"{tmp_path}/sfmtls.ini:7: " in refused.stderr and word in refused.stderr


PASSPHRASES = {  # the file, the words of the sentence; None: it is right
    "plain": (SECRET.encode(), None), "LF": (SECRET.encode() + b"\n", None), "CRLF": (SECRET.encode() + b"\r\n", None),
    "byte order mark": ("\ufeff".encode() + SECRET.encode(), None),
    "byte order mark, CRLF": ("\ufeff".encode() + SECRET.encode() + b"\r\n", None),
    "UTF-16": (SECRET.encode("utf-16"), "is UTF-16 text; save it as ASCII or UTF-8"),
    "UTF-16, big end first": (b"\xfe\xff" + SECRET.encode("utf-16-be"), "is UTF-16 text"),
    "UTF-16 without a mark": (SECRET.encode("utf-16-le"), "which holds NUL bytes: it may be UTF-16 text"),
    "empty": (b"", "which is empty"), "line end alone": (b"\n", "which is empty"),
    "byte order mark alone": (b"\xef\xbb\xbf", "which is empty"),
    "blank at the end": (SECRET.encode() + b" \n", "which begins or ends with a blank"),
    "blank at the beginning": (b"\t" + SECRET.encode(), "which begins or ends with a blank"),
    "two lines": (SECRET.encode() + b"\n# of acme\n", "which has more than one line"),
    "empty line behind": (SECRET.encode() + b"\n\n", "which has more than one line"),
    "quoted": (b'"' + SECRET.encode() + b'"\n', "which is within quotation marks"),
    "another": (b"wrong\n", "check the passphrase"),
}


@pytest.mark.parametrize("name", PASSPHRASES)
@pytest.mark.parametrize("form", ["PKCS#8", "DEK-Info", "PKCS#12", "PKCS#12, no MAC"])
def test_form_of_the_passphrase_file(name, form, forms, tmp_path, pki):
    """What a text editor adds is cut off; what may be meant is not, but told if it does not fit."""
    content, words = PASSPHRASES[name]
    made = {"PKCS#8": lambda: forms.encrypted + forms.chain, "DEK-Info": lambda: forms.traditional("des3"),
            "PKCS#12": forms.pkcs12, "PKCS#12, no MAC": lambda: forms.pkcs12("-nomac")}[form]()
    write(tmp_path, made, content)
    (tmp_path / "sfmtls.ini").write_text(section(tmp_path, pki, 1, True))
    result = harness.run_cli("run", "-t", "-c", str(tmp_path / "sfmtls.ini"))
    if words is None:
        assert result.returncode == 0, result.stderr
        return
    assert result.returncode == 2 and words in result.stderr, result.stderr
    assert SECRET not in result.stderr and "wrong" not in result.stderr.split(": ", 3)[-1]
    where = "6: " + str(tmp_path / "pass") if "is UTF-16 text" in words else "5: " + str(tmp_path / "c.file")
    assert f"sfmtls.ini:{where}: " in result.stderr, result.stderr


def two_tenants_with_one_key(tmp_path, pki):
    text = (f"[tenant a]\ncompany-id = A\nserver = localhost:1\nca-file = {pki}/ca.pem\n"
            f"certificate = {pki}/acme-chain.pem\nprivate-key = {pki}/acme-encrypted.key\n")
    (tmp_path / "sfmtls.ini").write_text(text + text.replace("tenant a", "tenant b").replace("= A", "= B"))
    return ["run", "-t", "-c", str(tmp_path / "sfmtls.ini")]


@pytest.mark.parametrize("terminal", [True] if harness.has_terminals() else [])
def test_passphrase_at_a_terminal(terminal, tmp_path, pki):
    """Asked once for each file, and not shown; wrong is wrong."""
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, code = harness.at_a_terminal(arguments, SECRET.encode() + b"\n")
    assert code == 0 and "configuration ok" in shown, shown
    assert shown.count("Passphrase for ") == 1 and SECRET not in shown
    shown, code = harness.at_a_terminal(arguments, b"wrong\n")
    assert code == 2 and "check the passphrase" in shown


@pytest.mark.parametrize("terminal", [True] if harness.has_terminals() else [])
def test_who_gives_up_at_the_prompt_finds_the_terminal_as_it_was(terminal, tmp_path, pki):
    script = '"$@"; echo "ended $?"; stty -a'
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, _ = harness.at_a_terminal(["/bin/bash", "-c", "trap : INT;" + script, "bash", *arguments], b"\x03")
    assert "ended 130" in shown and re.search(r"\secho\b", shown), shown


@pytest.mark.parametrize("terminal", [True] if harness.has_terminals() else [])
def test_signal_that_is_ignored_does_not_disturb_the_prompt(terminal, tmp_path, pki):
    """nohup, and supervisors: what was ignored before stays so."""
    arguments = [os.path.abspath(harness.BINARY), *two_tenants_with_one_key(tmp_path, pki)]
    shown, code = harness.at_a_terminal(["/bin/bash", "-c", 'trap "" INT; exec "$@"', "bash", *arguments],
                                        b"\x03" + SECRET.encode() + b"\n")
    assert code == 0 and "configuration ok" in shown and SECRET not in shown


def test_nobody_is_waited_for_without_a_terminal(tmp_path, pki):
    refused = harness.run_cli(*two_tenants_with_one_key(tmp_path, pki), stdin="")
    assert refused.returncode == 2 and "is encrypted; set passphrase-file" in refused.stderr


# ---- the command ----

def test_show_tells_what_openssl_tells(pki):
    shown = harness.run_cli("cert", "show", str(pki / "acme-all.pem"))
    assert shown.returncode == 0
    facts = json.loads(harness.run_cli("cert", "show", str(pki / "acme-all.pem"), "--json").stdout)
    der = ssl.PEM_cert_to_DER_cert((pki / "acme.pem").read_text())
    printed = lambda digest: digest.upper() if ":" in digest else ":".join(re.findall("..", digest)).upper()
    assert facts["sha256"] == printed(hashlib.sha256(der).hexdigest())
    assert facts["sha1"] == printed(hashlib.sha1(der).hexdigest())
    serial = openssl("x509", "-noout", "-serial", "-in", pki / "acme.pem").decode()
    assert serial == f"serial={facts['serial']}\n"
    assert (facts["subject"], facts["issuer"]) == ("CN=acme_user,OU=API,O=Test", "CN=Test Client Sub CA,O=Test")
    assert facts["chain"] == ["CN=Test Client Sub CA,O=Test"] and facts["key_type"] == "EC 256"
    assert 88 <= facts["days_left"] <= 90
    for value in (facts["sha256"], facts["sha1"], facts["serial"], facts["subject"], "days left"):
        assert value in shown.stdout


@pytest.mark.parametrize("form, state", [("acme-chain.pem", "absent"), ("acme-all.pem", "present"),
                                         (None, "encrypted")])
def test_show_needs_no_key(form, state, forms, pki, tmp_path):
    path = pki / form if form else write(tmp_path, forms.encrypted + forms.chain, False)
    facts = json.loads(harness.run_cli("cert", "show", str(path), "--json").stdout)
    assert facts["private_key"] == state and facts["subject"].startswith("CN=acme_user")


@pytest.mark.parametrize("name", ["PEM, key first", "PEM, root first", "BTP", "PKCS#12", "base64 of PEM, encrypted"])
def test_public_holds_no_key(name, forms, tmp_path):
    make, passphrase, _ = LOADS[name]
    path = write(tmp_path, make(forms), passphrase)
    words = ["--passphrase-file", str(tmp_path / "pass")] if passphrase else []
    result = harness.run_cli("cert", "public", str(path), "-o", str(tmp_path / "out.pem"), *words)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    text = (tmp_path / "out.pem").read_text()
    assert "PRIVATE" not in text and text.count("BEGIN CERTIFICATE") == 2
    subject = openssl("x509", "-noout", "-subject", data=text.encode()).decode()
    assert "acme_user" in subject or "technical_user" in subject
    again = harness.run_cli("cert", "public", str(path), "-o", str(tmp_path / "out.pem"), *words)
    assert again.returncode == 2 and "out.pem" in again.stderr, "never over a file"
    assert harness.run_cli("cert", "public", str(path), *words).stdout == text


def test_public_of_a_key_alone(pki):
    result = harness.run_cli("cert", "public", str(pki / "acme.key"))
    assert (result.returncode, result.stdout) == (2, "") and "holds no PEM certificate" in result.stderr


@pytest.mark.parametrize("key_type, bits", [(None, "256 bit"), ("ec", "256 bit"), ("rsa-2048", "2048 bit"),
                                            ("rsa-3072", "3072 bit")])
def test_request_for_a_certificate_has_a_new_key(key_type, bits, pki, tmp_path, nginx, proxy):
    """The key is new, and nobody else's to read; what a CA makes of the request can be used with it."""
    words = ["cert", "request", "--common-name", "sf_user", "--organization", "Acme", "--key-out",
             str(tmp_path / "new.key"), "-o", str(tmp_path / "new.csr"),
             *(["--key-type", key_type] if key_type else [])]
    result = harness.run_cli(*words)
    assert (result.returncode, result.stdout) == (0, "")
    for word in (f"{tmp_path}/new.key is the private key", f"send {tmp_path}/new.csr", "SAP Cloud Root CA",
                 "clientAuth", "digitalSignature", "rsa-2048", "cert show"):
        assert word in result.stderr, result.stderr
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    told = openssl("req", "-noout", "-verify", "-subject", "-text", "-in", tmp_path / "new.csr").decode()
    assert re.search("O ?= ?Acme, CN ?= ?sf_user", told) and bits in told  # newer OpenSSL writes no blanks
    assert "Digital Signature" in told and "TLS Web Client Authentication" in told
    (tmp_path / "other.csr").write_text("is here already")
    other = harness.run_cli(*(word.replace("/new.", "/other.") for word in words))
    assert other.returncode == 2 and "other.csr" in other.stderr and not (tmp_path / "other.key").exists()
    key = (tmp_path / "new.key").read_bytes()
    again = harness.run_cli(*words)
    assert again.returncode == 2 and "new.key" in again.stderr and (tmp_path / "new.key").read_bytes() == key
    openssl("x509", "-req", "-in", tmp_path / "new.csr", "-CA", pki / "client-sub.pem", "-CAkey",
            pki / "client-sub.key", "-days", "5", "-out", tmp_path / "c.file")
    with open(tmp_path / "c.file", "a") as f:
        f.write((pki / "client-sub.pem").read_text())
    p = proxy(section(tmp_path, pki, nginx.port, False) + f"private-key = {tmp_path}/new.key\n")
    assert "CN=sf_user" in p.request(target="/who").json()["subject"]


@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize("wishes", ["", "keyUsage=digitalSignature", "extendedKeyUsage=serverAuth",
                                    "keyUsage=digitalSignature extendedKeyUsage=serverAuth,clientAuth"])
def test_show_of_a_request(form, wishes, tmp_path):
    """What it asks for, and what the CA has to add."""
    more = [word for wish in wishes.split() for word in ("-addext", wish)]
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-subj", "/O=A/CN=sf", *more,
            "-outform", form, "-out", tmp_path / "csr")
    shown = harness.run_cli("cert", "show", str(tmp_path / "csr"), "--json")
    told = json.loads(shown.stdout)
    assert (shown.returncode, told["kind"], told["subject"]) == (0, "request", "CN=sf,O=A")
    assert told["key_type"] == "RSA 2048"
    lacking = [word for word in ("clientAuth", "digitalSignature") if word not in wishes]
    assert [f["level"] for f in told["findings"]] == ["note"] * len(lacking)
    assert all(word in f["sentence"] for word, f in zip(lacking, told["findings"]))
    text = harness.run_cli("cert", "show", str(tmp_path / "csr")).stdout
    assert "certificate request" in text and text.count("note  ") == len(lacking)


def test_show_of_a_request_that_is_not_its_own(tmp_path):
    """A byte of its name was changed, or it is cut off."""
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-subj", "/CN=sf_user_one",
            "-outform", "DER", "-out", tmp_path / "csr")
    der = (tmp_path / "csr").read_bytes()
    (tmp_path / "csr").write_bytes(der.replace(b"sf_user_one", b"sf_user_two"))
    shown = harness.run_cli("cert", "show", str(tmp_path / "csr"))
    assert shown.returncode == 1 and "not by its own key" in shown.stdout
    pem = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    (tmp_path / "csr").write_text(pem)
    shown = harness.run_cli("cert", "show", str(tmp_path / "csr"))
    assert (shown.returncode, shown.stdout) == (2, "") and "certificate request in it is damaged" in shown.stderr


def test_show_says_what_security_center_asks_for(pki):
    """The fields of its form, in its order."""
    text = harness.run_cli("cert", "show", str(pki / "acme-all.pem")).stdout
    at = [text.index(f"\n  {field} ") for field in
          ("Configuration Name", "Integration Name", "Certificate File", "Login Name")]
    assert at == sorted(at) and text.index("X.509 Public Certificate Mapping") < at[0]
    mapping = json.loads(harness.run_cli("cert", "show", "--json", str(pki / "acme-all.pem")).stdout)["mapping"]
    assert list(mapping) == ["configuration_name", "integration_name", "certificate_file", "login_name"]
    assert mapping["login_name"] == "acme_user" and "cert public" in mapping["certificate_file"]


@pytest.mark.parametrize("words, say", [
    ([], "cert show"), (["shew"], "`cert shew`"), (["show"], "name of a file"), (["show", "a", "b"], "`b`"),
    (["show", "--key-type", "ec", "a"], "--key-type"), (["public", "--json", "a"], "--json"),
    (["request"], "--common-name"), (["request", "--common-name", "x"], "--key-out"),
    (["fetch"], "--service-key FILE is missing"),
    (["request", "--common-name", "x", "--key-out", "k", "--key-type", "dsa"], "rsa-2048"),
    (["request", "--common-name", "x" * 65, "--key-out", "k"], "1 to 64"), (["show", "/none"], "/none"),
], ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_wrong_use_of_the_command(words, say, tmp_path):
    result = harness.run_cli("cert", *words, cwd=tmp_path)
    assert result.returncode == 2 and result.stdout == "" and say in result.stderr, result.stderr
    assert list(tmp_path.iterdir()) == []
