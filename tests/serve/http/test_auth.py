# SPDX-License-Identifier: Apache-2.0
"""Who may do what: tokens, roles, sessions, login links, names of the host, origins, the socket in the store."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BIN, HEAD, Answer, Server, Start
from test_http import JSON, problem

WISH = '{"name": "a"}'


def entente(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `entente` beside the server."""
    return subprocess.run([str(BIN / "entente"), "-c", "entente.yaml", *words], cwd=server.folder, capture_output=True, text=True, check=False)


def test_tokens_are_kept_as_hashes(server: Server) -> None:
    token = server.token("ci", "--role", "operator")
    assert token.startswith("ent_") and len(token) == 47  # 256 bits in base64url
    file = server.folder / "store/tokens"
    text = file.read_text()
    assert token not in text and hashlib.sha256(token.encode()).hexdigest() in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = json.loads(entente(server, "token", "list", "--json").stdout)
    assert [(t["name"], t["role"], t["expired"]) for t in listed] == [("ci", "operator", False)]
    again = entente(server, "token", "add", "ci")
    assert again.returncode == 1 and "there is a token 'ci' already" in again.stderr
    assert "names its partner" in entente(server, "token", "add", "p", "--role", "partner").stderr
    assert "not in the future" in entente(server, "token", "add", "old", "--expires", "2020-01-01").stderr


def test_a_running_server_notices(server: Server) -> None:
    assert "`entente token add NAME --role viewer`" in problem(server.get("/api/v1/things"), 401)
    token = server.token("ci")
    assert server.get("/api/v1/things", token=token).status == 200
    assert entente(server, "token", "revoke", "ci").returncode == 0
    refused = server.get("/api/v1/things", token=token)
    assert "no such token" in problem(refused, 401) and "invalid_token" in refused.headers["www-authenticate"]
    assert "there is no token 'ci'" in entente(server, "token", "revoke", "ci").stderr


def test_a_token_ends(server: Server) -> None:
    token = server.token("ci", "--expires", "2099-01-01")
    assert server.get("/api/v1/things", token=token).status == 200
    file = server.folder / "store/tokens"
    line = json.loads(file.read_text())
    line["expires"] = 1_000_000
    file.write_text(json.dumps(line) + "\n")
    problem(server.get("/api/v1/things", token=token), 401)
    assert json.loads(entente(server, "token", "list", "--json").stdout)[0]["expired"] is True


def test_a_damaged_file_lets_nobody_in(server: Server) -> None:
    token = server.token("ci")
    file = server.folder / "store/tokens"
    file.write_text(file.read_text() + "{broken\n")
    problem(server.get("/api/v1/things", token=token), 401)
    assert "tokens:2:1: this is no token" in entente(server, "token", "list").stderr


def test_wrong_credentials(server: Server) -> None:
    for header in ("Basic YTpi", "Bearer", "Bearer ", "Bearer ent_x", "bearer \x80".encode("latin-1").decode("latin-1")):
        assert server.get("/api/v1/things", headers={"Authorization": header}).status in (400, 401)


def test_roles(server: Server) -> None:
    """Each role may do what its least role says, and no more; partner only what is released."""
    tokens = {role: server.token(role, "--role", role) for role in ("viewer", "strategist", "operator", "admin")}
    tokens["partner"] = server.token("nord", "--role", "partner", "--partner", "nordwind")

    def status(role: str, method: str, path: str, body: str | None = None, media: str = "application/json") -> int:
        headers = {"Content-Type": media} if body else {}
        return server.request(method, path, body=body, headers=headers, token=tokens[role]).status

    order = ["partner", "viewer", "strategist", "operator", "admin"]
    seen = {
        role: (
            status(role, "GET", "/api/v1/things/a"),
            status(role, "GET", "/api/v1/things"),
            status(role, "POST", "/api/v1/things", WISH),
            status(role, "POST", "/api/v1/echo", "x", "text/csv"),
            status(role, "GET", "/api/v1/big?bytes=1"),
        )
        for role in order
    }
    assert seen == {
        "partner": (200, 403, 403, 403, 200),
        "viewer": (200, 200, 403, 403, 200),
        "strategist": (200, 200, 201, 403, 200),
        "operator": (200, 200, 201, 200, 200),
        "admin": (200, 200, 201, 200, 200),
    }
    assert server.get("/api/v1/things/a", token=tokens["partner"]).json()["partner"] == "nordwind"
    assert server.get("/api/v1/things/a", token=tokens["viewer"]).json()["partner"] is None
    who = server.get("/api/v1/session", token=tokens["partner"]).json()
    assert who == {"name": "nord", "role": "partner", "partner": "nordwind"}


def test_socket_in_the_store(server: Server) -> None:
    """Full rights without a token for the user that runs the service; the file is that user's alone."""
    path = server.folder / "store/control.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    answer = server.request("POST", "/api/v1/echo", body="x", headers={"Content-Type": "text/csv", "Host": "any.example"}, local=True)
    assert answer.status == 200
    assert server.get("/api/v1/session", local=True).json()["name"] == f"uid {os.getuid()}"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_socket_refuses_strangers(server: Server) -> None:
    """Another user, whom file modes would let through, is refused by the kernel's word for who it is."""
    for folder in [server.folder, *server.folder.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o755) if str(folder) not in ("/", "/tmp") else None
    (server.folder / "store").chmod(0o777)
    (server.folder / "store/control.sock").chmod(0o777)
    program = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(b'GET /api/v1/things HTTP/1.0\\r\\n\\r\\n'); print(s.recv(65536).decode())"
    )
    path = str(server.folder / "store/control.sock")
    done = subprocess.run([sys.executable, "-c", program, path], user=65534, group=65534, capture_output=True, text=True, check=False)
    assert " 403 " in done.stdout, done
    assert "for the user that runs the service" in done.stdout


def test_one_service_for_each_store(start: Start, server: Server) -> None:
    second = start(ready=False)
    assert "a service is running on the store" in second.expect("log")
    assert second.process.wait(timeout=60) == 1
    assert server.get("/healthz", local=True).status == 200  # the first one's socket is still its own


def test_socket_of_a_killed_service(start: Start) -> None:
    first = start()
    first.process.kill()
    first.process.wait()
    assert (first.folder / "store/control.sock").exists()
    first.process.returncode = 0  # it was to end so
    assert start().get("/healthz", local=True).status == 200


def test_long_paths(start: Start, tmp_path: Path) -> None:
    """The name of a socket has 107 letters, the path of a store may have more."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    server = start(folder=folder)
    at = os.open(folder / "store", os.O_RDONLY | os.O_DIRECTORY)
    (folder / "store/control.sock").stat()
    connection = server.local()
    connection.path = Path(f"/proc/self/fd/{at}/control.sock")  # type: ignore[attr-defined]
    connection.request("GET", "/api/v1/things")
    assert connection.getresponse().status == 200
    connection.close()
    os.close(at)


# ---- names of the host, origins -------------------------------------------------------------------------------------------


def test_hosts(start: Start) -> None:
    """Other names are refused, whatever they resolve to: a web site could have its name point here."""
    server = start("{listen: '127.0.0.1:0', hosts: [entente.example]}")
    for host in ("localhost", f"localhost:{server.port}", "127.0.0.1", "[::1]:1", "entente.example", "Entente.Example:443"):
        assert server.get("/healthz", headers={"Host": host}).status == 200, host
    for host in ("evil.example", "localhost.evil.example", "127.0.0.2", "10.0.0.1", "xentente.example"):
        assert "does not answer for" in problem(server.get("/healthz", headers={"Host": host}), 421), host
    for host in ("", "a b", "localhost:x", "[::1", "local/host:1"):
        assert server.get("/healthz", headers={"Host": host}).status in (400, 421), host
    assert b" 400 " in server.raw(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")


def test_origins(server: Server) -> None:
    token = server.token("ci", "--role", "admin")
    own = f"http://{server.host}"

    def post(headers: dict[str, str]) -> Answer:
        return server.request("POST", "/api/v1/things", body=WISH, headers=JSON | headers, token=token)

    assert post({}).status == post({"Origin": own}).status == post({"Sec-Fetch-Site": "same-origin"}).status == 201
    for origin in ("http://evil.example", "null", own + "1", own.replace("http", "https"), "http://localhost"):
        assert "other sites" in problem(post({"Origin": origin}), 403), origin
    problem(post({"Sec-Fetch-Site": "cross-site"}), 403)
    problem(post({"Sec-Fetch-Site": "same-site"}), 403)
    problem(server.get("/api/v1/events", headers={"Origin": "http://evil.example"}, token=token), 403)
    assert server.get("/api/v1/things", headers={"Origin": "http://evil.example"}, token=token).status == 200


# ---- sessions ---------------------------------------------------------------------------------------------------------------


def log_in(server: Server, **what: str) -> Answer:
    return server.request("POST", "/api/v1/session", body=json.dumps(what), headers=JSON)


def cookie_of(answer: Answer) -> dict[str, str]:
    return {"Cookie": answer.cookies[0].split(";")[0]}


def test_sessions(server: Server) -> None:
    token = server.token("anna", "--role", "strategist")
    begun = log_in(server, token=token)
    assert begun.status == 201 and begun.json() == {"name": "anna", "role": "strategist", "partner": None}
    attributes = begun.cookies[0].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes) and "Secure" not in attributes
    assert attributes[0].startswith(f"entente_{server.port}=") and token not in begun.cookies[0]
    cookie = cookie_of(begun)
    assert server.get("/api/v1/session", headers=cookie).json()["name"] == "anna"
    # a change needs to come from our own page
    change = JSON | cookie
    assert "needs an Origin" in problem(server.request("POST", "/api/v1/things", body=WISH, headers=change), 403)
    for more in ({"Origin": f"http://{server.host}"}, {"X-Entente-Request": "1"}):
        assert server.request("POST", "/api/v1/things", body=WISH, headers=change | more).status == 201
    # logging out ends it here, not in the browser alone
    ended = server.request("DELETE", "/api/v1/session", headers=cookie | {"Origin": f"http://{server.host}"})
    assert ended.status == 204 and "Max-Age=0" in ended.cookies[0]
    problem(server.get("/api/v1/session", headers=cookie), 401)


def test_sessions_end_with_their_token(server: Server) -> None:
    cookie = cookie_of(log_in(server, token=server.token("anna")))
    assert server.get("/api/v1/things", headers=cookie).status == 200
    entente(server, "token", "revoke", "anna")
    problem(server.get("/api/v1/things", headers=cookie), 401)


def test_sessions_outlive_the_service(start: Start) -> None:
    server = start()
    cookie = cookie_of(log_in(server, token=server.token("anna")))
    port = server.port
    assert server.end() == 0
    again = start(f"{{listen: '127.0.0.1:{port}'}}")
    assert again.get("/api/v1/things", headers=cookie).status == 200
    kept = (again.folder / "store/sessions").read_text()
    assert cookie["Cookie"].split("=")[1] not in kept


def test_login_links(server: Server) -> None:
    """Good once; from the running service, by whoever may open its socket."""
    url = json.loads(entente(server, "token", "link", "--role", "operator", "--json").stdout)["url"]
    address, code = url.split("/#login=")
    assert address == server.addresses[0]
    begun = log_in(server, code=code)
    assert begun.status == 201 and begun.json()["role"] == "operator"
    assert server.get("/api/v1/session", headers=cookie_of(begun)).json()["role"] == "operator"
    assert "this link was used" in problem(log_in(server, code=code), 401)
    problem(server.request("POST", "/api/v1/login-links", body="{}", headers=JSON), 401)
    problem(log_in(server, code=code, token="x"), 422)
    assert server.ask("link", "link").startswith(server.addresses[0])


def test_link_without_a_service(start: Start, tmp_path: Path) -> None:
    (tmp_path / "entente.yaml").write_text(HEAD)
    done = subprocess.run(
        [BIN / "entente", "-c", "entente.yaml", "token", "link"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "no service runs" in done.stderr


def test_failed_logins_are_limited(server: Server) -> None:
    token = server.token("anna")
    statuses = [server.get("/api/v1/things", token="ent_wrong").status for _ in range(14)]
    assert statuses == [401] * 10 + [429] * 4
    refused = log_in(server, token="ent_wrong")
    assert "too many failed logins" in problem(refused, 429) and 1 <= int(refused.headers["retry-after"]) <= 60
    assert server.get("/api/v1/things", token=token).status == 429  # not even a good one: guessing is to be of no use
    assert server.get("/healthz").status == 200
    assert server.get("/api/v1/things", local=True).status == 200
