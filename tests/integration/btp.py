"""SAP BTP as far as certificates need it: XSUAA and the Destination service, written from SAP's documents of their REST
calls ("Calling the Destination Service REST API", "Manage Certificates Issued by the SAP Cloud Root CA") over real TLS,
strict on what is asked. An nginx before it demands the client certificate of an X.509 binding."""
import base64
import http.server
import json
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import harness

CLIENT, SECRET, TOKEN = "sb-clone!b1|destination-xsappname!b2", "s3cr+t/of=binding$", "eyJ.token-of-the-test.sig"
LIVES = 90 * 86400


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.btp.serve(self)

    do_POST = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, address):
        request.settimeout(harness.LIMIT)
        try:
            super().finish_request(self.btp.context.wrap_socket(request, server_side=True), address)
        except OSError as e:  # a caller that does not trust it
            self.btp.refused.append(e)

    def handle_error(self, *_):
        pass


class Btp:
    """certificates: {level: {name: bytes of the file}}. fault: None, or what goes wrong with the next calls."""

    def __init__(self, pki, folder, certificate="server"):
        self.pki, self.folder = pki, folder
        self.certificates = {"subaccount": {}, "instance": {}}
        self.fault = None
        self.calls, self.flaws, self.refused, self.raw = [], [], [], []
        self.lock = threading.Lock()
        self.number = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki / f"{certificate}.pem", pki / f"{certificate}.key")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.btp = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        assert not self.flaws, self.flaws

    # ---- what a test does ----

    def service_key(self, path, inside=False, **members):
        """A service key as the cockpit shows it; inside: under `credentials`."""
        key = {"clientid": CLIENT, "clientsecret": SECRET, "url": f"https://localhost:{self.port}",
               "uri": f"https://localhost:{self.port}", "xsappname": "clone!b1", "tenantid": "t",
               "credential-type": "binding-secret", **members}
        key = {name: value for name, value in key.items() if value is not None}
        path.write_text(json.dumps({"credentials": key} if inside else key, indent=2))
        path.chmod(0o600)
        return path

    def issue(self, user="acme_user", begins=-60, lives=LIVES, key=None):
        """A certificate with its key before it and the chain behind, as BTP generates it: CRLF lines."""
        with self.lock:
            self.number += 1
            folder = self.folder / f"issued{self.number}"
        now = time.time()
        path = harness.issue_between(self.pki, folder, now + begins, now + begins + lives, user=user, key=key)
        return path.read_text().replace("\n", "\r\n").encode()

    def put(self, name, content, level="subaccount"):
        self.certificates[level][name] = content
        return content

    def paths(self):
        return [path for _, path in self.calls]

    # ---- the services ----

    def serve(self, h):
        h.body = body = h.rfile.read(int(h.headers.get("Content-Length", 0)))
        with self.lock:
            self.calls.append((h.command, h.path))
            self.raw.append(f"{h.command} {h.path}\n{h.headers}".encode() + body)
        if self.fault and (answer := self.fault(h)):
            return self.send(h, *answer)
        if h.path == "/oauth/token":
            return self.token(h, body)
        found = re.fullmatch(r"/destination-configuration/v1/(subaccount|instance)Certificates(?:/([^/?]+))?", h.path)
        if not found:
            return self.complain(h, f"nothing is at {h.path}")
        if h.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.send(h, 401, {"ErrorMessage": "Unauthorized"})
        if h.headers.get("Accept") != "application/json":
            return self.complain(h, "Accept")
        level, name = found[1], found[2] and urllib.parse.unquote(found[2])
        return self.make(h, level, body) if h.command == "POST" else self.show(h, self.certificates[level], name)

    def token(self, h, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        by_certificate = h.headers.get("X-Client-Verify") == "SUCCESS"
        if h.command != "POST" or h.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return self.complain(h, "a token is asked for by a form")
        if form.get("grant_type") != "client_credentials" or set(form) - {"grant_type", "client_id", "client_secret"}:
            return self.complain(h, "the form")
        if by_certificate and "client_secret" in form:
            return self.complain(h, "a secret beside a certificate")
        if form.get("client_id") != CLIENT or not (by_certificate or form.get("client_secret") == SECRET):
            return self.send(h, 401, {"error": "unauthorized", "error_description": "Bad credentials"})
        return self.send(h, 200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 43199, "scope": "x"})

    def show(self, h, certificates, name):
        entry = lambda n: {"Name": n, "Content": base64.b64encode(certificates[n]).decode(), "Type": "CERTIFICATE"}
        if name is None:
            return self.send(h, 200, [entry(n) for n in certificates])
        if name not in certificates:
            return self.send(h, 404, {"ErrorMessage": "Configuration with the specified name was not found"})
        return self.send(h, 200, entry(name))

    def make(self, h, level, body):
        wish = json.loads(body)
        attributes = wish.get("Attributes", {})
        span = attributes.get("Validity", {})
        if set(wish) != {"Name", "Attributes"} or set(attributes) != {"CN", "Validity", "AutomaticRenew", "CSR"} or \
                span.get("TimeUnit") not in ("DAYS", "MONTHS", "YEARS") or not isinstance(span.get("Value"), int) or \
                not isinstance(attributes["AutomaticRenew"], bool):
            return self.complain(h, f"the wish {wish}")
        csr = base64.b64decode(attributes["CSR"], validate=True)
        self.number += 1
        path = self.folder / f"csr{self.number}"
        path.write_bytes(csr)
        (self.folder / "ext").write_text("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n")
        leaf = subprocess.run(["openssl", "x509", "-req", "-in", path, "-CA", self.pki / "client-sub.pem", "-CAkey",
                               self.pki / "client-sub.key", "-days", "90", "-extfile", self.folder / "ext", "-subj",
                               f"/O=SAP SE/CN={attributes['CN']}"], capture_output=True, check=True).stdout
        self.put(wish["Name"], leaf + (self.pki / "client-sub.pem").read_bytes(), level)
        self.wish = attributes
        return self.send(h, 201, {})

    def complain(self, h, flaw):
        self.flaws.append(flaw)
        return self.send(h, 400, {"ErrorMessage": flaw})

    def send(self, h, status, content, fields=(), cut=False):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        h.send_response(status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", len(body))
        for name, value in fields:
            h.send_header(name, value)
        h.end_headers()
        h.wfile.write(body[:len(body) // 2] if cut else body)
        h.close_connection = h.close_connection or cut


def answering(status, content=b"{}", fields=(), token=False, cut=False):
    """A fault: that answer to each call of the service (token: to each that asks for a token)."""
    return lambda h: (status, content, fields, cut) if (h.path == "/oauth/token") == token else None


def once(fault):
    """The fault of the first call that it applies to."""
    left = [1]

    def first(h):
        answer = fault(h) if left else None
        if answer:
            left.clear()
        return answer

    return first


def before(nginx_folder, btp, pki):
    """An nginx that demands a client certificate, as XSUAA's host for X.509 does, before that server."""
    nginx_folder.mkdir()
    return harness.Nginx(nginx_folder, f"""ssl;
        ssl_certificate {pki}/server.pem; ssl_certificate_key {pki}/server.key;
        ssl_client_certificate {pki}/client-ca.pem; ssl_verify_client on; ssl_verify_depth 3;
        location / {{ proxy_pass https://127.0.0.1:{btp.port}; proxy_set_header X-Client-Verify $ssl_client_verify; }}
        """)


SWIFT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { KEEPER = 3 }; /* the descriptor at which it waits for orders until it is time to look */

int clock_gettime(clockid_t id, struct timespec *out)
{
    long result = syscall(SYS_clock_gettime, id, out);

    if (result == 0 && id == CLOCK_REALTIME) {
        __int128 past = ((__int128)(out->tv_sec - FROM) * 1000000000 + out->tv_nsec) * TIMES;
        out->tv_sec = FROM + (time_t)(past / 1000000000);
        out->tv_nsec = (long)(past % 1000000000);
    }
    return (int)result;
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    int (*next)(struct pollfd *, nfds_t, int) = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");

    return next(fds, n, n == 1 && fds->fd == KEEPER && ms > 0 ? ms / TIMES + 1 : ms);
}
"""


def swift_clock(folder, times):
    """An environment in which the time of day passes so many times as fast from now on, and so do the pauses between
    looks at BTP: those of hours take seconds."""
    (folder / "swift.c").write_text(SWIFT)
    subprocess.run(["cc", "-shared", "-fPIC", f"-DFROM={int(time.time())}", f"-DTIMES={times}", "-o",
                    folder / "swift.so", folder / "swift.c"], check=True)
    return {"LD_PRELOAD": str(folder / "swift.so"), **harness.Names.more("ASAN_OPTIONS", "verify_asan_link_order=0")}
