"""So many calls a second to a proxy, each on a connection of its own; prints what became of them as JSON.

    python3 load.py PORT RATE SECONDS ORIGIN-FOLDER    also serves, as the API server, on PORT+1
"""
import http.client
import http.server
import json
import pathlib
import socket
import ssl
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(3)  # a call that takes its time on the server
        body = b"answered"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


def serve(port, folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "client-ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def call(port, path, begun, results):
    outcome = "?"
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            c.connect()
        except ConnectionRefusedError:
            outcome = "refused"
            return
        c.request("GET", path)
        answer = c.getresponse()
        outcome = answer.status if answer.read() == b"answered" else f"{answer.status} without its content"
    except (OSError, http.client.HTTPException) as e:
        outcome = f"{type(e).__name__}: {e}"
    finally:
        results.append((begun, time.monotonic() - begun, path, outcome))


def main():
    port, rate, seconds, folder = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), pathlib.Path(sys.argv[4])
    serve(port + 1, folder)
    socket.create_connection(("127.0.0.1", port + 1)).close()
    print("ready", flush=True)
    sys.stdin.readline()
    results, threads, begin = [], [], time.monotonic()
    for n in range(int(rate * seconds)):
        due = begin + n / rate
        time.sleep(max(0, due - time.monotonic()))
        path = "/slow" if n % 20 == 0 else "/fast"
        threads.append(threading.Thread(target=call, args=(port, path, time.monotonic(), results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    refused = [begun for begun, _, _, outcome in results if outcome == "refused"]
    others = [outcome for *_, outcome in results if outcome not in (200, "refused")]
    print(json.dumps({"calls": len(results), "answered": sum(outcome == 200 for *_, outcome in results),
                      "refused": len(refused), "refused_s": round(max(refused) - min(refused), 2) if refused else 0,
                      "longest_s": round(max(took for _, took, path, o in results if path == "/fast" and o == 200), 2),
                      "others": others[:5]}))


if __name__ == "__main__":
    main()
