# SPDX-License-Identifier: Apache-2.0
"""The shipped rules find each planted truth where it was planted, and raise nothing at the clean partners.

Here a few lines of Python read the files into the fixture of the rules, without the engine: what fails is the
data or a rule. The same claim for the whole engine is made by the end-to-end tests.
"""

import csv
import datetime
import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest
from entente.books import Books, load_books
from entente.fixture import FixturePartner, World
from entente.judge import Outcome, judge
from entente.partner import Partner as Seen
from entente.sample import PARTNERS, Partner
from entente.sample.world import CURRENCIES
from entente.view import View


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _put(
    made: FixturePartner, measure: str, by_day: dict[str, float], days: list[str], origin: str = ""
) -> None:
    made.days(measure, [by_day[d] for d in days], origin=origin, first=days[0], last=days[-1], cover=False)


def _shop(made: FixturePartner, partner: Partner, folder: Path) -> None:
    orders: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("orders_export_*.csv")):
        orders.update({row.get("Id") or row["Name"]: row for row in _rows(path) if row["Currency"]})
    rate = CURRENCIES[partner.currency]
    sums: dict[str, dict[str, float]] = {
        name: defaultdict(float) for name in ("orders", "gross", "discount", "returns")
    }
    for row in orders.values():
        day, discount = row["Created at"][:10], float(row["Discount Amount"])
        if not row["Cancelled at"]:
            sums["orders"][day] += 1
            sums["gross"][day] += (float(row["Subtotal"]) + discount) * rate
            sums["discount"][day] += discount * rate
            part = float(row.get("Refunded Amount") or 0) / float(row["Total"])
            sums["returns"][day] += part * float(row["Subtotal"]) * rate
    days = sorted(row["Created at"][:10] for row in orders.values())
    covered = _between(days[0], days[-1])
    for name, by_day in sums.items():
        _put(made, name, by_day, covered)
    made.cover("sales", covered[0], covered[-1])
    carts = [row for row in _rows(folder / "checkouts_export.csv") if row["Currency"]]
    covered = _between(min(r["Created at"][:10] for r in carts), max(r["Created at"][:10] for r in carts))
    left: dict[str, float] = defaultdict(float)
    worth: dict[str, float] = defaultdict(float)
    for row in carts:
        left[row["Created at"][:10]] += 1
        worth[row["Created at"][:10]] += float(row["Subtotal"]) * rate
    _put(made, "carts_left", left, covered)
    _put(made, "carts_left_value", worth, covered)
    made.cover("carts", covered[0], covered[-1])


def _feed(made: FixturePartner, partner: Partner, folder: Path) -> None:
    seen: set[str] = set()
    for path in sorted(folder.iterdir()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        day = f"{path.name[7:11]}-{path.name[11:13]}-{path.name[13:15]}"
        known = data.count(b'"event_name":"session_start"')
        unknown = sum(
            b"session_start" in line and b"user_pseudo_id" not in line for line in data.splitlines()
        )
        bought, worth = 0, 0.0
        for line in data.splitlines():
            if b'"event_name":"purchase"' in line:
                commerce = json.loads(line)["ecommerce"]
                if commerce["transaction_id"] not in seen:
                    seen.add(commerce["transaction_id"])
                    bought += 1
                    worth += commerce["purchase_revenue"] * CURRENCIES[partner.currency]
        for measure, amount in (
            ("sessions", known),
            ("sessions_unidentified", unknown),
            ("purchases", bought),
            ("orders", bought),
            ("gross", worth),
        ):
            made.days(measure, amount, origin="analytics", first=day, last=day, cover=False)
        made.cover("traffic", day, day)
        made.cover("sales", day, day, origin="analytics")


def _between(first: str, last: str) -> list[str]:
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return [str(start + datetime.timedelta(days=n)) for n in range((end - start).days + 1)]


@pytest.fixture(scope="module")
def outcomes(project: Path) -> dict[tuple[str, str], Outcome]:
    """What each shipped rule says of each partner."""
    world = World(as_of="2026-06-30")
    for partner in PARTNERS:
        made = world.partner(
            partner.id,
            name=partner.name,
            industry=partner.industry,
            region=partner.region,
            stage=partner.stage,
        )
        _shop(made, partner, project / "exports" / partner.id)
        _feed(made, partner, project / "feeds" / partner.id)
        made.keeps("contacts", "2025-01-01")
    for row in _rows(project / "checkins.csv"):
        more = {"answered_at": row["answered"].replace(" ", "T") + ":00Z"} if row["answered"] else {}
        held = {"held": row["held"] == "yes"} if row["held"] else {}
        at = row["date"].replace(" ", "T") + ":00Z"
        world.partner(row["partner"]).note(
            "contacts", at=at, kind=row["kind"], with_=row["with"], **more, **held
        )
    for row in _rows(project / "declared.csv"):
        amount = float(row["amount"]) * CURRENCIES[row["currency"]]
        world.partner(row["partner"]).declares(row["metric"], row["month"], amount)
    books: Books = load_books(["shipped"])
    view = View(world.snapshot())
    found = {}
    for name, number in view.index.items():
        partner_seen = Seen(view, number)
        for rule in books.rules:
            found[name, rule.name] = judge(rule, partner_seen)
    return found


PLANTED = {p.truth.code: p for p in PARTNERS if p.truth}


@pytest.mark.parametrize("partner", PLANTED.values(), ids=PLANTED.keys())
def test_each_truth_is_found(outcomes: dict[tuple[str, str], Outcome], partner: Partner) -> None:
    assert partner.truth
    said = outcomes[partner.id, partner.truth.rule]
    if partner.truth.kind == "unknown":
        assert said.verdict == "unknown" and said.asks
    else:
        assert said.verdict is True, said
        assert partner.truth.kind in {finding.kind for finding in said.findings}


@pytest.mark.parametrize("partner", PARTNERS, ids=[p.id for p in PARTNERS])
def test_nothing_else_is_raised(outcomes: dict[tuple[str, str], Outcome], partner: Partner) -> None:
    planted = partner.truth.rule if partner.truth else ""
    raised = [
        (rule, finding.kind, finding.text)
        for (name, rule), said in outcomes.items()
        if name == partner.id and rule != planted
        for finding in said.findings
        if finding.kind != "insight"
    ]
    assert not raised
    assert not [said.error for (name, _), said in outcomes.items() if name == partner.id and said.error]


def test_the_rule_of_the_project_runs(project: Path) -> None:
    books = load_books([str(project / "rules")])
    assert books.errors == []
    world = World(as_of="2026-06-30")
    world.partner("busy").days("orders", 4)
    world.partner("calm").days("orders", 1)
    [rule] = books.rules
    assert world.judge(rule, "busy").findings[0].text == "112 orders within 28d"
    assert world.judge(rule, "calm").verdict is False
