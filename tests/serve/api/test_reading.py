# SPDX-License-Identifier: Apache-2.0
"""What the API reads is what the command line says, page by page, in every form, and anew after a commit."""

import csv
import io
import re
from typing import Any

import pytest
from conftest import Service


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("partners", ["partners"]),
        ("partners?as_of=2026-03-05", ["partners", "--as-of", "2026-03-05"]),
        ("partners/alder", ["partners", "show", "alder"]),
        ("metrics", ["metrics", "list"]),
        ("metrics?tag=sales", ["metrics", "list", "--tag", "sales"]),
        ("metrics/revenue.net", ["metrics", "show", "revenue.net"]),
        ("series?metric=orders", ["metrics", "query", "orders"]),
        (
            "series?metric=orders&metric=revenue.net&partner=alder&by=day&from=2026-03-01&to=2026-03-10&origin=shop",
            "metrics query orders revenue.net -p alder --by day --from 2026-03-01 --to 2026-03-10 --origin shop".split(),
        ),
        ("series?metric=orders&window=10d&by=partner", ["metrics", "query", "orders", "--window", "10d", "--by", "partner"]),
        ("series?metric=orders&view=channel&value=web", ["metrics", "query", "orders", "--view", "channel", "--value", "web"]),
        ("findings", ["findings"]),
        ("findings?partner=alder&kind=insight", ["findings", "alder", "--kind", "insight"]),
        ("findings?rule=sells&state=open&practice=informative&all=true", "findings --rule sells --state open --all".split()),
        ("findings?practice=nothing", ["findings", "--practice", "nothing"]),
        ("registers", ["register"]),
        ("registers/claims", ["register", "claims", "fields"]),
        ("registers/claims/entries", ["register", "claims", "list"]),
        ("rejects", ["rejects", "list"]),
        ("rejects?source=orders", ["rejects", "list", "orders"]),
        ("balance", ["balance"]),
        ("rules", ["rules", "list"]),
        ("rules?practice=consulting", ["rules", "list", "--practice", "consulting"]),
    ],
)
def test_the_command_line_says_the_same(shared: Service, path: str, words: list[str]) -> None:
    answer = shared.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body.decode() == shared.run(*words, "--json").out.rstrip("\n")


def test_a_finding(shared: Service) -> None:
    [first, *_] = shared.get("findings")
    assert shared.get(f"findings/{first['id']}") == shared.run("findings", "show", first["id"], "--json").json


def test_forms(shared: Service) -> None:
    words = ["metrics", "query", "orders", "revenue.net", "--by", "partner"]
    path = "series?metric=orders&metric=revenue.net&by=partner"
    answer = shared.ask("GET", path, Accept="text/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    assert rows == list(csv.reader(io.StringIO(shared.run(*words, "--csv").out)))
    assert rows[0][:3] == ["partner", "metric", "from"] and len(rows) == 5
    answer = shared.ask("GET", path, Accept="application/vnd.apache.arrow.stream")
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert answer.body[:4] == b"\xff\xff\xff\xff" and b"revenue.net" in answer.body
    brief = shared.get("partners/alder/brief")
    assert brief == shared.run("brief", "alder", "-o", "-", "--format", "json").json
    page = shared.ask("GET", "partners/alder/brief?for=partner", Accept="text/html")
    assert page.status == 200 and page.body.lstrip().startswith(b"<!")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert shared.ask("GET", "partners", Accept="text/csv").status == 406


def names(found: Any) -> list[str]:
    return [str(x.get("id") or x.get("partner") or x.get("source")) for x in found]


@pytest.mark.parametrize("path", ["findings", "partners", "sources"])
def test_pages(shared: Service, path: str) -> None:
    """Every page leads to the next, and together they are the list."""

    def listed(answer: Any) -> Any:
        return answer["partners"] if path == "partners" else answer

    whole, pages, following = names(listed(shared.get(path))), [], f"{path}?limit=1"
    while following:
        answer = shared.ask("GET", following)
        pages.append(names(listed(answer.json)))
        link = re.fullmatch(r'</api/v1/([^>]*)>; rel="next"', answer.headers.get("link", ""))
        following = link[1] if link else ""
    assert len(whole) == 3 and pages == [[x] for x in whole]
    assert shared.ask("GET", f"{path}?after=nothing").status == 404


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("partners/nobody", 404, "there is no partner 'nobody'"),
        ("partners/aldr", 404, "did you mean 'alder'?"),
        ("partners/--json", 404, "there is no partner '--json'"),
        ("findings?partner=nobody", 404, "there is no partner 'nobody'"),
        ("findings/00", 404, "there is no finding '00'"),
        ("findings?kind=nothing", 400, "kind"),
        ("metrics/oders", 404, "did you mean 'orders'?"),
        ("series?metric=oders", 404, "did you mean 'orders'?"),
        ("series", 400, "metric"),
        ("series?metric=orders&window=9x", 422, "--window does not take '9x'"),
        ("series?metric=orders&from=2026-03-05&to=2026-03-01", 422, "there is no day"),
        ("partners?limit=0", 400, "limit"),
        ("partners?as_of=whenever", 422, "--as-of does not take 'whenever'"),
        ("registers/nothing", 404, "there is no register 'nothing'"),
        ("rejects?source=ordrs", 404, "did you mean 'orders'?"),
        ("sources/ordrs", 404, "did you mean 'orders'?"),
        ("nothing", 404, ""),
    ],
)
def test_problems(shared: Service, path: str, status: int, says: str) -> None:
    answer = shared.ask("GET", path)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (answer.status, answer.json["status"]) == (status, status), answer.body
    assert says in answer.json["detail"]


def test_versions(own: Service) -> None:
    """Equal until something is committed, and never of another form."""
    first = own.ask("GET", "findings")
    assert own.ask("GET", "findings", If_None_Match=first.headers["etag"]).status == 304
    assert own.ask("GET", "series?metric=orders").headers["etag"] != own.ask(
        "GET", "series?metric=orders", Accept="text/csv"
    ).headers["etag"]
    orders = own.folder / "orders.csv"
    orders.write_text(orders.read_text() + "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9\n")

    def told_anew() -> Any:
        again = own.ask("GET", "findings", If_None_Match=first.headers["etag"])
        return again.status == 200 and [f for f in again.json if "4 orders" in f["text"]]

    own.until(told_anew, "the fourth order")
    assert own.get("findings") == own.run("findings", "--json").json


def test_sources(shared: Service) -> None:
    """The service knows how they stand; the command line asks it."""
    found = {s["source"]: s for s in shared.get("sources")}
    assert list(found) == ["orders", "visits", "rates"]
    assert (found["orders"]["state"], found["orders"]["waiting_files"], found["orders"]["late"]) == ("idle", 0, None)
    assert (found["orders"]["records"], found["orders"]["rejected"]) == (9, 1)
    assert (found["visits"]["partner"], found["visits"]["decoder"]) == ("alder", "csv")
    assert found["orders"]["last_day"] == "2026-03-10"
    assert shared.run("sources", "--json").json == list(found.values())
    assert shared.run("sources", "visits", "--json").json == found["visits"] == shared.get("sources/visits")


def test_sources_without_a_service(own: Service) -> None:
    own.stop()
    orders, *_ = own.run("sources", "--json").json
    assert (orders["records"], orders["state"], orders["waiting_files"]) == (9, None, None)
    own.start()
