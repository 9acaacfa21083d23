# SPDX-License-Identifier: Apache-2.0
"""What faster pages are worth, and how healthy a firm is: from plain tables of orders and visits to findings."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from project import Project

PARTNERS = ("nordwind", "suedwind", "ostwind", "westwind", "foehn", "bora")
SICK = "nordwind"  # slow pages; two customers, who buy less each month and send a fifth back
FIRST, DAYS = date(2024, 3, 1), 420
SOURCE = """\
  {0}-orders:
    partner: {0}
    from: {{file: ./{0}-orders.csv}}
    decode:
      csv:
        system: {0}
        fact: order
        columns: {{key: no, at: at, paid_at: paid, customer: customer, gross: gross}}
        constants: {{currency: EUR}}
  {0}-refunds:
    partner: {0}
    from: {{file: ./{0}-refunds.csv}}
    decode:
      csv:
        system: {0}
        fact: refund
        columns: {{key: no, order: order, at: at, amount: amount}}
        constants: {{currency: EUR}}
  {0}-visits:
    partner: {0}
    from: {{file: ./{0}-visits.csv}}
    decode:
      csv:
        system: {0}-web
        fact: visit
        columns: {{key: no, at: at, visitor: visitor, load_ms: ms, loads: loads, steps: steps, purchases: bought}}
"""
PRIOR = "{p10: 0.02, p50: 0.05, p90: 0.2, audience: both, source: a guess}"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = Project(
        tmp_path_factory.mktemp("health") / "p",
        "".join(SOURCE.format(name) for name in PARTNERS),
        f"registers: {{books: {{kept_since: 2024-01-01}}}}\npriors: {{conversion_per_second: {PRIOR}}}",
        rules="  books: [shipped]\n  set: {faster_site: {least_sessions: 1000}}",
        partners="\n".join(f"  {name}: {{industry: tea}}" for name in PARTNERS),
    )
    for name in PARTNERS:
        write(p, name)
    books = "assets=1000 liabilities=900 current_assets=200 current_liabilities=700 retained_earnings=-300 profit=-200 revenue=600"
    said = p.entente("register", "books", "add", SICK, "year=2024", *books.split())
    assert said.status == 0, said
    p.run()
    return p


def write(p: Project, name: str) -> None:
    """Orders by day, refunds of some, and visits in the last 90 days, of which fewer buy the slower the pages are."""
    dice, sick = random.Random(name), name == SICK
    orders, refunds, visits = ["no,at,paid,customer,gross"], ["no,order,at,amount"], ["no,at,visitor,ms,loads,steps,bought"]
    for n in range(2 * DAYS):
        day = FIRST + timedelta(days=n // 2)
        gross = 100 * dice.uniform(0.9, 1.1) * (1 - 0.6 * n / (2 * DAYS) if sick else 1)
        paid = day + timedelta(days=10)
        orders.append(f"{n},{day}T10:00:00Z,{paid}T10:00:00Z,c{dice.randrange(2 if sick else 60)},{gross:.2f}")
        if sick and n % 5 == 0:
            refunds.append(f"r{n},{n},{day}T12:00:00Z,{gross:.2f}")
    for n in range(3600):
        day = FIRST + timedelta(days=DAYS - 90 + n // 40)
        seconds = (2.2, 3.2, 4.5, 5.5)[n % 4] if sick else 1.2
        buys = dice.random() < 0.3 * (1 - 0.15 * (seconds - 2))
        visits.append(f"v{n},{day}T09:00:00Z,u{n},{seconds * 1000:.0f},1,{'purchase' if buys else ''},{int(buys)}")
    for what, lines in (("orders", orders), ("refunds", refunds), ("visits", visits)):
        p.write(f"{name}-{what}.csv", "\n".join(lines) + "\n")


def test_slow_pages_have_a_price(judged: Project) -> None:
    record = judged.record("faster_site", SICK)
    assert record["verdict"] is True, record
    [found] = record["findings"]
    low, high = found["worth_range"]
    assert 0 < low < found["worth"] < high and "Half of the visits wait more than 3." in found["text"]
    figures = {e["metric"]: e["number"] for e in record["evidence"] if not e["slice"]}
    sold = figures["sessions"] * figures["conversion_rate.analytics"] * figures["aov"]
    wait = next(e["number"] for e in record["evidence"] if e["slice"] == "quantile=0.5") - 2
    each = found["worth"] / 1e6 / sold / wait  # of what is sold, each second
    assert 0.1 < each < 0.35, "0.21 of the mean were planted, and 0.05 believed"
    assert judged.record("faster_site", "suedwind")["verdict"] is False
    (assumed,) = found["assumes"]
    assert assumed.endswith("more buy for each second less")
    [one] = judged.entente("findings", SICK, "--rule", "faster_site").json
    assert judged.entente("findings", "show", one["id"]).json["finding"]["assumes"] == [assumed]


def test_a_sick_firm_is_told_from_healthy_ones(judged: Project) -> None:
    [sick] = judged.record("financial_health", SICK)["findings"]
    assert sick["kind"] == "red_flag" and sick["text"].startswith("Financial health E from 6 of 6 signs: "), sick
    for sign in ("revenue falls by ", "few customers carry it (HHI 0.5", "% of the goods are returned", "Altman's Z' is "):
        assert sign in sick["text"], sick
    healthy = judged.record("financial_health", "suedwind")
    [found] = healthy["findings"]
    assert found["kind"] == "insight" and found["text"] == "Financial health A from 5 of 6 signs", healthy
    assert healthy["asks"], "for the books"


def test_the_same_on_each_run(judged: Project, tmp_path: Path) -> None:
    again = Project(tmp_path / "p", judged.sources, judged.top, judged.rules, judged.partners)
    for name in PARTNERS:
        write(again, name)
    again.run()
    assert again.record("faster_site", SICK)["findings"] == judged.record("faster_site", SICK)["findings"]
