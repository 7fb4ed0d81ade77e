"""What a server says in TLS itself once the handshake is done: new tickets, new keys, a late request for the
certificate. Nothing of that may cost a byte of what is written meanwhile."""
import fcntl
import os
import socket
import subprocess
import sys
import termios
import threading

import pytest

import harness
from test_connect import alone, make_ca, trusting  # noqa: F401
from test_failures import Program

ANSWER = b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"


class Server(Program):
    """A real `openssl s_server`: it shows what it gets, and does and sends what it is told."""

    def tell(self, line):
        """It takes each line that it reads alone for a command, if it is one."""
        self.process.stdin.write(line)
        self.process.stdin.flush()
        left = lambda: int.from_bytes(fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder)
        harness.eventually(lambda: left() == 0)

    def sees(self, *words):
        return harness.eventually(lambda: all(word in self.output.read_bytes() for word in words))


@pytest.fixture
def server(pki, tmp_path, started):
    def start(ca, *options):
        started.append(Server(tmp_path, ["openssl", "s_server", "-accept", "127.0.0.1:0", "-crlf", "-cert",
                                         f"{pki}/server.pem", "-key", f"{pki}/server.key", "-CAfile",
                                         f"{pki}/{ca}.pem", *options]))
        return started[-1]
    return start


class Cut:
    """Stands before a server and passes its TLS records on; the first one behind the handshake is passed alone, and
    what follows it when go() is called."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.upstream = self.listener.getsockname()[1], port
        self.has_finished = False  # tickets are for whoever has
        self.is_cut, self.goes = threading.Event(), threading.Event()
        harness.Background(self._run)

    def _run(self):
        self.near, _ = self.listener.accept()
        self.near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.near, socket.create_connection(("127.0.0.1", self.upstream)) as far:
            far.sendall(self.near.recv(65536))  # its hello
            up = harness.Background(self._up, far)
            while record := self._record(far):
                is_behind = self.has_finished  # before the client can answer it
                self.near.sendall(record)
                if is_behind and not self.is_cut.is_set():
                    self.is_cut.set()
                    assert self.goes.wait(harness.LIMIT)
            self.near.shutdown(socket.SHUT_WR)
            up.result()

    def _up(self, far):
        while data := self.near.recv(65536):
            self.has_finished = True
            far.sendall(data)
        far.shutdown(socket.SHUT_WR)

    @staticmethod
    def _record(far):
        head = far.recv(5, socket.MSG_WAITALL)
        return head and head + far.recv(int.from_bytes(head[3:], "big"), socket.MSG_WAITALL)

    def ports(self):
        return self.near.getsockname()[1], self.near.getpeername()[1]

    def go(self):
        self.goes.set()

    def stop(self):
        self.go()
        self.listener.close()


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_half_a_ticket_while_a_body_is_sent(proxy, server, started, size):
    """OpenSSL writes nothing while half of a message has come. What was to be written comes behind it, and no more is
    taken from the caller than there is room for."""
    s = server("client-ca", "-tls1_3", "-Verify", "2", "-max_send_frag", "512")
    started.append(cut := Cut(s.port))
    p = proxy(cut.port)
    body = os.urandom(size // 2).hex().encode()
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Type: text/plain", f"Content-Length: {size}"))
        harness.happened(cut.is_cut)
        harness.eventually(lambda: harness.under_way(*cut.ports()) == 0)
        sent = harness.Background(c.send, body)
        [unread] = harness.settled((c.sock.getsockname()[1], p.port))
        assert unread == 0 if size == 10 else unread > 0
        cut.go()
        sent.result()
        s.sees(body)
        s.tell(ANSWER)
        assert c.answer().body == b"ok"


@pytest.mark.parametrize("command", [b"k\n", b"K\n"], ids=["its own", "both"])
@pytest.mark.parametrize("when", ["rests", "is asked"])
def test_new_keys(proxy, server, command, when):
    s = server("client-ca", "-tls1_3", "-Verify", "2")
    p = proxy(s.port)
    with p.caller() as c:
        for i in range(3):
            c.send(harness.head_lines("GET", f"/{i}"))
            s.sees(b"GET /%d " % i)
            if when == "is asked":
                s.tell(command)
            s.tell(ANSWER)
            assert c.answer().body == b"ok"
            if when == "rests":
                s.tell(command)
    assert [line.count("conn=new") for line in p.wait_for_log(3)] == [1, 0, 0]


LATE = pytest.mark.parametrize("options, command", [
    (["-tls1_3"], b"c\n"), (["-tls1_2", "-no_resumption_on_reneg"], b"R\n")], ids=["1.3", "1.2"])


@LATE
def test_certificate_is_asked_for_behind_the_request(proxy, server, options, command):
    """Whether one is needed may depend on the path. TLS 1.3 has post-handshake authentication for that; with TLS 1.2,
    servers negotiate anew."""
    s = server("client-ca", *options)
    p = proxy(s.port)
    with p.caller() as c:
        for i in range(2):
            c.send(harness.head_lines("GET", f"/{i}"))
            s.sees(b"GET /%d " % i)
            if i == 0:
                s.tell(command)
                s.sees(b"acme_user")  # how it writes a name depends on its version
            s.tell(ANSWER)
            assert c.answer().body == b"ok"
    assert [line.count("conn=new") for line in p.wait_for_log(2)] == [1, 0]


@LATE
def test_certificate_is_refused_behind_the_request(proxy, server, options, command):
    s = server("other-ca", "-verify_return_error", *options)
    with proxy(s.port).caller() as c:
        c.send(harness.head_lines())
        s.sees(b"GET / ")
        s.tell(command)
        assert c.answer().token == "client-certificate-refused"


# Talks of nothing but TLS: new keys (1.3), or new handshakes (1.2), as fast as it can and without reading. As a server,
# once something was asked; as a caller, inside a CONNECT. With a number, so many times before each byte of data, and a
# pause in ms.
TALKER = r"""
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char bytes[65536];

static int serve(SSL_CTX *context, struct sockaddr_in *at)
{
    socklen_t n = sizeof(*at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    bind(listener, (void *)at, n);
    listen(listener, 8);
    getsockname(listener, (void *)at, &n);
    printf("%d\n", ntohs(at->sin_port));
    fflush(stdout);
    return accept(listener, NULL, NULL);
}

static int enter(struct sockaddr_in *at, const char *port)
{
    const char *head = "CONNECT api4.successfactors.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at->sin_port = htons(atoi(port));
    connect(fd, (void *)at, sizeof(*at));
    write(fd, head, strlen(head));
    read(fd, bytes, sizeof(bytes));
    printf("0\n");
    fflush(stdout);
    return fd;
}

/* What it says goes out through a buffer, so that nothing is read. */
static void put(BIO *out, int fd)
{
    for (int n, at; (n = BIO_read(out, bytes, sizeof(bytes))) > 0;)
        for (at = 0; at < n;) {
            ssize_t sent = write(fd, bytes + at, n - at);
            if (sent <= 0)
                exit(0);
            at += sent;
        }
}

int main(int argc, char **argv)
{
    int server = strcmp(argv[1], "server") == 0, keys = strcmp(argv[2], "1.3") == 0;
    long talk = atol(argv[3]), pause = atol(argv[4]), at_once = talk > 0 ? talk : 100, small = 4096;
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_max_proto_version(context, keys ? TLS1_3_VERSION : TLS1_2_VERSION);
    if (server) {
        SSL_CTX_use_certificate_chain_file(context, argv[5]);
        SSL_CTX_use_PrivateKey_file(context, argv[6], SSL_FILETYPE_PEM);
    }
    int fd = server ? serve(context, &at) : enter(&at, argv[5]);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(int));
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "api4.successfactors.com");
    if ((server ? SSL_accept(ssl) : SSL_connect(ssl)) != 1 ||
        (server && SSL_read(ssl, bytes, sizeof(bytes)) <= 0))
        return 1;
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    for (int error = SSL_ERROR_WANT_READ; !keys && error == SSL_ERROR_WANT_READ;) {
        if (!SSL_renegotiate_pending(ssl) && !SSL_in_init(ssl))
            SSL_renegotiate(ssl);
        error = SSL_get_error(ssl, SSL_read(ssl, bytes, sizeof(bytes)));
    }
    if (!keys)
        return 0;
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, out);
    if (talk > 0)
        SSL_write(ssl, server ? "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" : "GET /", server ? 43 : 5);
    for (long n = 1; SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1; n++) {
        if (n % at_once == 0) { /* of many small segments, the kernel drops some, and waits long to repeat them */
            if (talk > 0)
                SSL_write(ssl, "a", 1);
            put(out, fd);
            usleep(pause * 1000);
        }
    }
    return 0;
}
"""


@pytest.fixture
def talker(tmp_path, pki, started):
    (tmp_path / "talker.c").write_text(TALKER)
    subprocess.run(["cc", "-o", tmp_path / "talker", tmp_path / "talker.c", "-lssl", "-lcrypto"], check=True)

    def start(*words):
        program = subprocess.Popen([tmp_path / "talker", *map(str, words)], stdout=subprocess.PIPE, text=True)
        program.stop = lambda: (program.kill(), program.wait())
        program.port = int(program.stdout.readline())
        started.append(program)
        return program
    return start


@pytest.mark.parametrize("version, before_a_byte, pause", [
    ("1.3", 0, 0), ("1.2", 0, 0), ("1.3", 4000, 0), ("1.3", 250, 5)],
    ids=["1.3", "1.2", "with a byte now and then", "with a byte more often"])
@harness.one_worker
def test_server_that_talks_of_nothing_but_tls(version, before_a_byte, pause, pki, proxy, talker):
    """It holds up nobody, and not for ever the one who waits for its answer."""
    p = proxy(talker("server", version, before_a_byte, pause, pki / "server.pem", pki / "server.key").port)
    with p.caller() as c:
        c.send(harness.head_lines("POST", "/", "Content-Length: 0"))
        answers = [p.request(host=None) for _ in range(20)]  # of the proxy itself: there is no Host
        assert {answer.token for answer in answers} == {"request-host"}
        if not before_a_byte:
            answer = c.answer("POST")
            assert (answer.status, answer.token) == (502, "tls-failed"), answer.body
            assert "messages of TLS without end" in answer.json()["detail"]
        else:
            assert "messages of TLS without end" in p.said(" POST / ")


@pytest.mark.parametrize("before_a_byte, pause", [(0, 0), (4000, 0), (250, 5)])
@harness.one_worker
def test_caller_that_talks_of_nothing_but_tls(before_a_byte, pause, alone, talker):
    """Inside a CONNECT."""
    x = alone()
    evil = talker("caller", "1.3", before_a_byte, pause, x.proxy.port)
    assert {x.proxy.request(host=None).token for _ in range(20)} == {"request-host"}
    harness.eventually(lambda: evil.poll() is not None)
