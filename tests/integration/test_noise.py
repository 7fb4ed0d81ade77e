"""What is in order is not warned of: the chain of a certificate as far as servers need it, and the demo."""
import subprocess

import pytest

import harness

WORDS = "is not in the file"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class Authority:
    """Root, sub and deep CA, each signed by the one before, and a user's certificate by each; names as in X.509."""

    def __init__(self, folder, identifier):
        self.folder = folder
        self.sign("root", "root", "CA:TRUE", identifier)
        for ca, below in (("root", "sub"), ("sub", "deep")):
            self.sign(below, ca, "CA:TRUE", identifier)
        for ca in ("root", "sub", "deep"):
            self.sign(f"user-of-{ca}", ca, "CA:FALSE", identifier)

    def sign(self, name, ca, constraint, identifier):
        openssl(self.folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / "ext").write_text(f"basicConstraints={constraint}\nsubjectKeyIdentifier=hash\n" +
                                         (f"authorityKeyIdentifier={identifier}\n" if name != ca else ""))
        signer = ["-signkey", f"{ca}.key"] if name == ca else ["-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                                                                 "-CAcreateserial"]
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", *signer, "-days", "90", "-extfile", "ext", "-out",
                f"{name}.pem")

    def text(self, *names):
        return "".join((self.folder / f"{name}.pem").read_text() for name in names)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """By what certificates say of their issuer: its key alone, or its own issuer, too."""
    return {identifier: Authority(tmp_path_factory.mktemp("ca"), identifier)
            for identifier in ("keyid", "keyid,issuer:always")}


def warnings(authority, folder, chain, ca_file=None, system=None):
    (folder / "chain.pem").write_text(authority.text(*chain))
    for name, trusted in (("ca.pem", ca_file), ("system.pem", system)):
        (folder / name).write_text(authority.text(*(trusted or ["deep"])))
    section = (f"company-id = A\nserver = localhost:1\ncertificate = chain.pem\n"
               f"private-key = {authority.folder}/{chain[0]}.key\n")
    (folder / "sfmtls.ini").write_text("[proxy]\nlisten = 127.0.0.1:0\n[tenant a]\n" + section +
                                       ("ca-file = ca.pem\n" if ca_file else ""))
    tried = harness.run_cli("run", "-t", cwd=folder, env={"SSL_CERT_FILE": f"{folder}/system.pem",
                                                           "SSL_CERT_DIR": "/none"})
    assert tried.returncode == 0, tried.stderr
    return [line for line in tried.stderr.splitlines() if WORDS in line]


KEYID, ISSUER = "keyid", "keyid,issuer:always"


@pytest.mark.parametrize("identifier, chain, trusted, said", [
    # a root signed it: nothing is missing, where that can be known
    (KEYID, ["user-of-root"], {}, "if it is the root that the server knows"),
    (KEYID, ["user-of-root"], {"ca_file": ["root"]}, None),
    (KEYID, ["user-of-root"], {"ca_file": ["deep", "root"]}, None),
    (KEYID, ["user-of-root"], {"system": ["root"]}, None),
    (KEYID, ["user-of-root"], {"ca_file": ["deep"], "system": ["root"]}, "if it is the root"),
    (KEYID, ["user-of-root", "root"], {}, None),
    (ISSUER, ["user-of-root"], {}, None),
    # an intermediate signed it
    (KEYID, ["user-of-sub"], {}, "if that is an intermediate CA"),
    (KEYID, ["user-of-sub"], {"ca_file": ["sub"]}, "if that is an intermediate CA"),
    (KEYID, ["user-of-sub"], {"ca_file": ["root"]}, "if that is an intermediate CA"),
    (KEYID, ["user-of-sub", "sub"], {}, None),
    (KEYID, ["user-of-sub", "sub", "root"], {}, None),
    (ISSUER, ["user-of-sub"], {"ca_file": ["root"]}, "CN=sub, an intermediate CA, is not in the file; append it"),
    (ISSUER, ["user-of-sub", "sub"], {}, None),
    # one of two intermediates is there
    (ISSUER, ["user-of-deep", "deep"], {}, "CN=sub, an intermediate CA, is not in the file; append it"),
    (ISSUER, ["user-of-deep", "deep", "sub"], {}, None),
    (KEYID, ["user-of-deep", "deep", "sub", "root"], {}, None),
    (KEYID, ["user-of-deep", "deep", "root"], {}, "CN=sub is not in the file"),
])
def test_issuer_that_is_not_in_the_file(identifier, chain, trusted, said, authorities, tmp_path):
    lines = warnings(authorities[identifier], tmp_path, chain, **trusted)
    assert len(lines) == (said is not None), lines
    assert said is None or said in lines[0], lines


@pytest.mark.parametrize("limits", [[], ["prlimit", "--nofile=512", "--memlock=0"]], ids=["as it is", "narrow"])
def test_demo_warns_of_nothing(limits):
    shown = harness.run_cli("demo", "--once", "--listen", "localhost:0", prefix=limits)
    assert shown.returncode == 0, shown.stderr
    assert "warning" not in shown.stderr and "error" not in shown.stderr, shown.stderr
