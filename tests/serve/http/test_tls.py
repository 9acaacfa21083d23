# SPDX-License-Identifier: Apache-2.0
"""TLS with a certificate of the test's own, another one while it runs, and what a configuration may not be."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from conftest import DEADLINE, Server, Start, answer_of, tls_connection

SERVE = "{listen: '127.0.0.1:0', timeout: 5s, tls: {certificate: cert.pem, key: 'file:key.pem'}}"


def certificate(folder: Path, name: str = "cert.pem", key: str = "key.pem") -> Path:
    """A new one for localhost, signed by itself."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", folder / key, "-out", folder / name], check=True, capture_output=True)
    return folder / name


def serial(server: Server, trusted: Path) -> str:
    """Of the certificate that it shows."""
    context = ssl.create_default_context(cafile=str(trusted))
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        shown = tls.getpeercert()
        assert shown
        return str(shown["serialNumber"])


def test_tls(start: Start, tmp_path: Path) -> None:
    trusted = certificate(tmp_path)
    server = start(SERVE)
    assert server.addresses[0].startswith("https://127.0.0.1:")
    token = server.token("anna", "--role", "admin")
    connection = tls_connection(server, trusted)
    for _ in range(3):
        connection.request("GET", "/api/v1/things", headers={"Authorization": f"Bearer {token}"})
        assert answer_of(connection.getresponse()).status == 200
    connection.request("GET", "/api/v1/big?bytes=3000000")
    assert len(answer_of(connection.getresponse()).body) == 3000000
    connection.request("POST", "/api/v1/session", body=f'{{"token": "{token}"}}', headers={"Content-Type": "application/json"})
    assert "Secure" in answer_of(connection.getresponse()).cookies[0].split("; ")
    connection.close()
    with pytest.raises((ConnectionError, OSError)):
        server.get("/healthz")  # without TLS
    assert server.get("/healthz", local=True).status == 200
    assert server.ask("link", "link").startswith("https://127.0.0.1:")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that the old one is old is the point
@pytest.mark.parametrize(
    ("version", "good"), [(ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_1, False)]
)
def test_versions(start: Start, tmp_path: Path, version: ssl.TLSVersion, good: bool) -> None:
    certificate(tmp_path)
    server = start(SERVE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:
        if good:
            with context.wrap_socket(sock) as tls:
                assert tls.version() == version.name.replace("_", ".")
        else:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(sock)


def test_slow_handshakes_are_cut(start: Start, tmp_path: Path) -> None:
    certificate(tmp_path)
    server = start(SERVE.replace("5s", "400ms"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:
        sock.sendall(b"\x16\x03\x01")
        try:
            while sock.recv(100):  # an alert may come first
                pass
        except ConnectionError:
            pass


def test_another_certificate(start: Start, tmp_path: Path) -> None:
    """Taken from the next handshake on; connections that are there go on; one that is no good changes nothing."""
    trusted = certificate(tmp_path)
    server = start(SERVE)
    old = tls_connection(server, trusted)
    old.request("GET", "/healthz")
    assert answer_of(old.getresponse()).status == 200
    before = serial(server, trusted)
    certificate(tmp_path)
    server.ask("configure entente.yaml", "ready")
    assert serial(server, trusted) != before
    certificate(tmp_path, "cert.pem", "other.pem")
    said = server.ask("configure entente.yaml", "log")
    assert "the key is not that of the certificate; put the server's own certificate first" in said
    old.request("GET", "/healthz")
    assert answer_of(old.getresponse()).status == 200
    old.close()


def test_renewed_certificate(start: Start, tmp_path: Path) -> None:
    """Taken up without being told; a half-written one is left alone, and said."""
    trusted = certificate(tmp_path)
    server = start(SERVE.replace("5s", "200ms"))
    before = serial(server, trusted)
    (tmp_path / "cert.pem").write_text("half")
    assert "the file holds no certificate" in server.expect("log certificate.refused")
    certificate(tmp_path)
    server.expect("log certificate.renewed")
    assert serial(server, trusted) != before


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "entente.yaml:4:64: the certificate cannot be read"),
        ({"cert.pem": "x", "key.pem": "x"}, "entente.yaml:4:64: the file holds no certificate"),
        ({"key.pem": "x"}, "entente.yaml:4:79: the key cannot be read"),
        ({"key.pem": None}, "entente.yaml:4:79: the secret in"),
    ],
)
def test_what_is_no_certificate(start: Start, tmp_path: Path, files: dict[str, str | None], said: str) -> None:
    if files:
        certificate(tmp_path)
    for name, text in files.items():
        if text is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_text(text)
    server = start(SERVE, ready=False)
    line = server.expect("log")
    assert said in line, line
    assert server.process.wait(timeout=DEADLINE) == 1


def test_without_tls_only_here(start: Start) -> None:
    server = start("{listen: '0.0.0.0:0'}", ready=False)
    assert "can be reached from other machines" in server.expect("log")
    assert server.process.wait(timeout=DEADLINE) == 2
    assert start("{listen: '0.0.0.0:0', tls: {terminated: true}}").addresses
