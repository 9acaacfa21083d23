# SPDX-License-Identifier: Apache-2.0
"""Handing data in over HTTP: durable when it is answered, read soon after, once for each key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Service, make, serving

HOOK = """\
  hook:
    partner: alder
    from: {webhook: {path: /in/alder/orders, sign: {header: X-Sign, form: hex, secrets: [env:HOOK]}}}
    decode: {csv: {fact: order, columns: {key: No, at: At, gross: Gross}, constants: {currency: EUR, status: sold}}}
"""
ROWS = b"No,At,Gross\nH1,2026-03-09 10:00:00,10.00\nH2,2026-03-09 11:00:00,20.00\n"


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("HOOK", "0123456789abcdef0123456789abcdef")
    service = make(tmp_path / "project")
    config = service.folder / "entente.yaml"
    config.write_text(config.read_text().replace("  visits:\n", HOOK + "  visits:\n"))
    with serving(service):
        yield service


def facts(service: Service) -> int:
    return int(service.get("sources/hook")["facts"])


def test_it_is_read(hooked: Service) -> None:
    answer = hooked.ask("POST", "sources/hook/ingest?suffix=.csv", ROWS, Content_Type="text/csv", Idempotency_Key="a")
    assert (answer.status, answer.json) == (202, {"source": "hook", "repeated": False})
    hooked.until(lambda: facts(hooked) == 2, "two orders")
    again = hooked.ask("POST", "sources/hook/ingest?suffix=.csv", ROWS, Content_Type="text/csv", Idempotency_Key="a")
    assert (again.status, again.json["repeated"]) == (202, True)
    hooked.until(lambda: "5 orders" in hooked.get("findings?partner=alder&rule=sells")[0]["text"], "five orders")
    assert facts(hooked) == 2


def test_it_survives_a_kill(hooked: Service) -> None:
    """Answered is durable, whatever happens then."""
    assert hooked.ask("POST", "sources/hook/ingest?suffix=.csv", ROWS, Content_Type="text/csv").status == 202
    assert hooked.child is not None
    hooked.child.kill()
    hooked.child.wait()
    hooked.start()
    hooked.until(lambda: facts(hooked) == 2, "two orders")


def test_problems(hooked: Service) -> None:
    for source, body, status, says in (
        ("nothing", ROWS, 404, "there is no source 'nothing'"),
        ("orders", ROWS, 409, "is read from"),
        ("hook", b"", 422, "nothing in the body"),
    ):
        answer = hooked.ask("POST", f"sources/{source}/ingest", body, Content_Type="text/csv")
        assert answer.status == status and says in answer.json["detail"], answer.body
