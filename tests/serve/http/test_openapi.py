# SPDX-License-Identifier: Apache-2.0
"""The description of the API holds: a client made from it calls every operation of the running server."""

import sys
from pathlib import Path

from conftest import Server, answer_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from client import Client, Operation, Reply, faults

ENDLESS = {"events"}  # whose answer has no end


def client_of(server: Server, token: str | None = None) -> Client:
    """A client that goes over the socket in the store, or over TCP with a token."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes | None) -> Reply:
        connection = server.connection() if token is not None else server.local()
        more = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, target, body=body, headers={**headers, **more})
        answer = answer_of(connection.getresponse())
        connection.close()
        return Reply(answer.status, answer.media, answer.headers, answer.body)

    return Client(server.get("/openapi.json").json(), send)  # type: ignore[arg-type]


def finite(client: Client) -> list[Operation]:
    return [operation for operation in client.operations() if operation.name not in ENDLESS]


def test_document(server: Server) -> None:
    client = client_of(server)
    assert faults(client.document) == []
    names = {operation.name for operation in client.operations()}
    assert {"login", "whoami", "openapi", "thing", "make_thing", "events"} <= names
    assert "later" not in names  # hidden


def test_every_operation(server: Server) -> None:
    """With what it needs, with all that it takes, and in every media type that it offers."""
    client = client_of(server)
    for operation in finite(client):
        for all_of_it in (False, True):
            reply, wrong = client.call(operation, all_of_it)
            assert not wrong, wrong
            allowed = {401, 422, 429} if operation.name == "login" else set(range(200, 300))
            assert reply.status in allowed, (operation.name, reply)
        for status, content in operation.good:
            for media in content:
                reply, wrong = client.call(operation, accept=media)
                assert not wrong and (reply.media == media or operation.name == "login"), (status, media, reply, wrong)
    assert client.called == {operation.name for operation in finite(client)}


def test_every_operation_refuses(server: Server) -> None:
    """What is wrong is refused as the document says: no token, unknown parameter, media types, bodies."""
    local, stranger = client_of(server), client_of(server, "")
    for operation in finite(local):
        if operation.said["security"]:
            reply, wrong = stranger.call(operation)
            assert reply.status == 401 and not wrong, (operation.name, reply, wrong)
        reply, wrong = local.call(Operation(operation.method, operation.path + "?unknown=1", operation.said), values={"bytes": "1"})
        assert reply.status == 400 and not wrong, (operation.name, reply, wrong)
        if any(content for _, content in operation.good):
            reply, wrong = local.call(operation, accept="image/x-none")
            assert reply.status == 406 and not wrong, (operation.name, reply, wrong)
        reply, wrong = local.call(operation, body=b"<x/>", headers={"Content-Type": "application/x-none"})
        assert reply.status == 415 and not wrong, (operation.name, reply, wrong)
        if "application/json" in operation.said.get("requestBody", {}).get("content", {}):
            for body, status in ((b"{", 400), (b'{"no such member": 1}', 422), (b"[]", 422)):
                reply, wrong = local.call(operation, body=body, headers={"Content-Type": "application/json"})
                assert reply.status == status and not wrong, (operation.name, reply, wrong)


def test_the_validator_sees_faults(server: Server) -> None:
    """What the checks above rest on."""
    client = client_of(server)
    schema = {"$ref": "#/components/schemas/Thing"}
    good: dict[str, object] = {"id": "a", "kind": "big", "who": "x", "partner": None}
    assert client.check(good, schema) == []
    changes: tuple[dict[str, object], ...] = ({"id": 1}, {"kind": "huge"}, {"partner": 3}, {"more": 1})
    for change in changes:
        assert len(client.check(good | change, schema)) == 1, change
    assert client.check({"id": "a"}, schema) != []
    assert client.check("2025-02-30", {"type": "string", "format": "date"}) != []
