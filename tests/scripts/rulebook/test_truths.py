# SPDX-License-Identifier: Apache-2.0
"""The shipped rules on the sample data, as the generator plays it and without the engine: every planted
truth is found by the rule it was planted for, and the clean partners raise no flag, no opportunity and no
gate."""

import csv
import datetime
import gzip
import io
import json
import re

import pytest
from entente.books import Books
from entente.fixture import FixturePartner, World
from entente.judge import Outcome, judge
from entente.partner import Partner
from entente.sample import feed, people, shop
from entente.sample import world as sample
from entente.view import View

SPAN = sample.Span.of(datetime.date(2026, 6, 30), 18)
SEED = 1
PLANTED = [p for p in sample.PARTNERS if p.truth]


def play(made: FixturePartner, partner: sample.Partner, first: datetime.date) -> shop.Shop:
    """What the exports and feeds of a partner say, as measures by day."""
    played = shop.simulate(partner, SPAN, SEED)
    rate = sample.CURRENCIES[partner.currency] / 100
    days = [str(day) for day in sample.opened(partner, SPAN).days()]
    sums: dict[str, dict[str, float]] = {}

    def add(measure: str, day: datetime.date, value: float) -> None:
        at = sums.setdefault(measure, {})
        at[str(day)] = at.get(str(day), 0) + value

    for order in played.orders:
        if not order.cancelled:
            for measure, value in (
                ("orders", 1.0),
                ("gross", order.goods * rate),
                ("discount", order.discount * rate),
                ("returns", min(order.refund, order.goods) * rate),
            ):
                add(measure, order.at.date(), value)
    for cart in played.left:
        add("carts_left", cart.at.date(), 1)
        add("carts_left_value", cart.at.date(), cart.goods * rate)
    for measure in ("orders", "gross", "discount", "returns"):
        made.days(
            measure,
            [sums.get(measure, {}).get(day, 0) for day in days],
            first=days[0],
            cover=measure == "orders",
        )
    kept = [str(day) for day in SPAN.tail(sample.CHECKOUT_DAYS).days() if str(day) in days]
    for measure in ("carts_left", "carts_left_value"):
        made.days(
            measure, [sums[measure].get(day, 0) for day in kept], first=kept[0], cover=measure == "carts_left"
        )
    for _, data, day in feed.files(played, partner, SPAN, SEED):
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
        bought = {
            n: float(v) * rate * 100
            for v, n in re.findall(r'"purchase_revenue":([\d.]+).*?"transaction_id":"([^"]+)"', text)
        }
        seen = {
            "sessions": text.count('"session_start"'),
            "purchases": len(bought),
            "sessions_unidentified": text.count('"session_start","event_params":[{"key":"page_location"'),
        }
        for measure, count in seen.items():
            made.days(measure, count, first=str(day), last=str(day), cover=measure == "sessions")
        made.days("orders", len(bought), origin="analytics", first=str(day), last=str(day))
        made.days(
            "gross", sum(bought.values()), origin="analytics", first=str(day), last=str(day), cover=False
        )
    return played


@pytest.fixture(scope="module")
def said(book: Books) -> dict[tuple[str, str], Outcome]:
    """What every rule says of every partner of the sample."""
    world = World(as_of=str(SPAN.last))
    shops = {}
    for partner in sample.PARTNERS:
        made = world.partner(
            partner.id,
            name=partner.name,
            industry=partner.industry,
            region=partner.region,
            stage=partner.stage,
            currency=partner.currency,
            zone=partner.zone,
        )
        world.rate(partner.currency, sample.CURRENCIES[partner.currency])
        shops[partner.id] = play(made, partner, SPAN.first)
    for row in csv.DictReader(io.StringIO(people.checkins(SPAN, SEED))):
        note: dict[str, object] = {
            "at": row["date"].replace(" ", "T") + ":00Z",
            "kind": row["kind"],
            "with": row["with"],
        }
        if row["held"]:
            note["held"] = row["held"] == "yes"
        if row["answered"]:
            note["answered_at"] = row["answered"].replace(" ", "T") + ":00Z"
        world.partners[row["partner"]].note("contacts", **note)
    for row in csv.DictReader(io.StringIO(people.declared(SPAN, shops))):
        world.partners[row["partner"]].declares(
            row["metric"], row["month"], float(row["amount"]), currency=row["currency"]
        )
    view = View(world.snapshot())
    out = {}
    for index in range(len(view.ids)):
        who = Partner(view, index)
        for rule in book.rules:
            out[who.id, rule.name] = judge(rule, who)
    return out


@pytest.mark.parametrize("partner", PLANTED, ids=[p.truth.code for p in PLANTED if p.truth])
def test_planted_truths_are_found(said: dict[tuple[str, str], Outcome], partner: sample.Partner) -> None:
    assert partner.truth is not None
    outcome = said[partner.id, partner.truth.rule]
    if partner.truth.kind == "unknown":
        assert outcome.verdict == "unknown" and outcome.asks, outcome
    else:
        assert partner.truth.kind in {f.kind for f in outcome.findings}, (outcome, outcome.missed)


def test_clean_partners_raise_nothing(said: dict[tuple[str, str], Outcome]) -> None:
    clean = {p.id for p in sample.PARTNERS if not p.truth}
    raised = [
        (outcome, outcome.error)
        for (partner, _), outcome in said.items()
        if partner in clean
        and (outcome.error or any(f.kind in ("red_flag", "opportunity", "gate") for f in outcome.findings))
    ]
    assert raised == []


def test_nobody_is_blamed_for_what_was_not_planted(said: dict[tuple[str, str], Outcome]) -> None:
    planted = {p.id: p.truth.rule for p in sample.PARTNERS if p.truth}
    blamed = {
        (partner, rule)
        for (partner, rule), outcome in said.items()
        if any(f.kind in ("red_flag", "opportunity") for f in outcome.findings)
    }
    assert {(partner, rule) for partner, rule in blamed if planted.get(partner) != rule} == set()


def test_records_are_json(said: dict[tuple[str, str], Outcome]) -> None:
    for outcome in said.values():
        assert json.loads(outcome.json())["rule"] == outcome.rule.name
