"""The main job: a caller that knows nothing of certificates gets an answer."""
import subprocess


def test_answer_comes_under_the_client_certificate(proxy, nginx):
    answer = proxy(nginx.port).request(target="/who?a=b")
    assert answer.status == 200
    seen = answer.json()
    assert "CN=acme_user" in seen["subject"] and seen["verify"] == "SUCCESS"
    assert seen["company"] == "ACME" and seen["host"] == f"localhost:{nginx.port}"
    assert seen["uri"] == "/who?a=b" and seen["authorization"] == ""


def test_curl_calls_without_a_certificate(proxy, nginx):
    p = proxy(nginx.port)
    out = subprocess.run(["curl", "-sS", "-u", "sfapi@ACME:pw", p.url("/who")], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert '"company":"ACME"' in out.stdout and '"authorization":""' in out.stdout
