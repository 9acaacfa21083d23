# SPDX-License-Identifier: Apache-2.0
"""The API of the whole service is as its description says: a client made from that calls every operation."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import answer_of

sys.path.insert(0, str(Path(__file__).parents[1]))
import endpoints
from client import Client, Operation, Reply, faults
from control import ControlConnection


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Of a service on an empty store, through its socket."""
    with tempfile.TemporaryDirectory() as name, endpoints.service(Path(name)) as store:

        def send(method: str, target: str, headers: dict[str, str], body: bytes | None) -> Reply:
            connection = ControlConnection(store)
            connection.request(method, target, body=body, headers=headers)
            answer = answer_of(connection.getresponse())
            connection.close()
            return Reply(answer.status, answer.media, answer.headers, answer.body)

        yield Client(endpoints.document(store), send)  # type: ignore[arg-type]


def finite(client: Client) -> list[Operation]:
    return [operation for operation in client.operations() if operation.name != "events"]


def test_document(client: Client) -> None:
    assert faults(client.document) == []
    text = endpoints.PAGE.read_text()
    listed = text.split(endpoints.BEGIN)[1].split(endpoints.END)[0]
    assert listed == endpoints.rows(client.document), "tests/serve/endpoints.py --write"


def test_every_operation(client: Client) -> None:
    """Whatever is asked, the status, media type and JSON of the answer are documented; nothing fails inside."""
    wrong: list[str] = []
    for operation in finite(client):
        for all_of_it in (False, True):
            reply, found = client.call(operation, all_of_it)
            wrong += found
            if reply.status == 500:
                wrong.append(f"{operation.method} {operation.path}: 500 {reply.body!r:.300}")
        for _, content in operation.good:
            for media in content:
                wrong += client.call(operation, accept=media)[1]
    assert not wrong, "\n".join(wrong)


def test_every_operation_refuses(client: Client) -> None:
    wrong: list[str] = []
    for operation in finite(client):
        asked = Operation(operation.method, operation.path + "?unknown=1", operation.said)
        for status, (reply, found) in (
            (400, client.call(asked)),
            (415, client.call(operation, body=b"<x/>", headers={"Content-Type": "application/x-none"})),
        ):
            any_type = "*/*" in operation.said.get("requestBody", {}).get("content", {})
            wrong += found
            if reply.status != status and not (any_type and status == 415):
                wrong.append(f"{operation.method} {operation.path}: {reply.status}, not {status}")
    assert not wrong, "\n".join(wrong)
