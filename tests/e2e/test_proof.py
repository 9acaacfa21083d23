# SPDX-License-Identifier: Apache-2.0
"""What an agreement added, and what is worth telling, from exports and registers to findings."""

from dataclasses import replace

import pytest
from project import Project
from shop import export, moved, orders

PARTNERS = ("nordwind", "suedwind", "ostwind", "westwind", "foehn", "bora", "mistral", "scirocco", "levante", "ostro", "maestro", "libeccio")
SOURCE = """\
  {0}:
    partner: {0}
    from: {{file: ./{0}.csv}}
    decode: shopify
"""
DAYS, SIGNED = 420, 300  # from 1 March 2024 on; it was signed on 26 December


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = Project(
        tmp_path_factory.mktemp("proof") / "p",
        "".join(SOURCE.format(name) for name in PARTNERS),
        rules="  books: [shipped]",
        partners="\n".join(f"  {name}: {{industry: furniture}}" for name in PARTNERS),
    )
    for n, name in enumerate(PARTNERS):
        made = orders(1800, seed=n, days=DAYS)
        if name == "nordwind":  # since it was signed, twice as many
            more = orders(514, seed=99, days=DAYS - SIGNED)
            made += [replace(moved(order, SIGNED), number=order.number + 50_000) for order in more]
        p.write(f"{name}.csv", export([replace(order, currency="EUR") for order in made]))
    for register, *fields in (
        ("agreements", "name=Frame", "starts=2024-12-26", "promises=revenue.net=100000", "window=365d"),
        ("told", "about=customers", "on=2024-05-01"),
        ("told", "about=orders", "on=2025-03-01"),
    ):
        assert p.entente("register", register, "add", "nordwind", *fields).status == 0
    p.run()
    return p


def test_what_the_agreement_added(judged: Project) -> None:
    record = judged.record("value_is_proven", "nordwind")
    assert record["verdict"] is True, record
    (found,) = record["findings"]
    assert found["text"].startswith("Frame added ") and "of what was promised until now" in found["text"]
    kind, course = found["chart"]
    assert kind == "effect" and "2024-12-26" in course and "2024-12-26 peers" in course
    after = [day for day in course if day >= "2024-12-26" and "peers" not in day]
    assert sum(course[day] for day in after) > 1.4 * sum(course[f"{day} peers"] for day in after)
    (peers,) = [read for read in record["evidence"] if read["cohort"]]
    assert (peers["cohort"], peers["size"], peers["slice"]) == ("industry furniture, without agreement", 11, "since 2024-12-26")


def test_nothing_is_proven_of_others(judged: Project) -> None:
    assert judged.record("value_is_proven", "suedwind")["verdict"] == "unknown"  # nobody keeps its agreements
    assert judged.record("value_is_proven", "suedwind")["findings"] == []


def test_what_is_worth_telling(judged: Project) -> None:
    record = judged.record("worth_telling", "nordwind")
    assert record["verdict"] is True, record
    keys = [found["key"] for found in record["findings"]]
    assert "revenue.net" in keys and "orders" not in keys and len(keys) == 5
    said = next(found for found in record["findings"] if found["key"] == "revenue.net")
    assert said["text"].startswith("Net revenue: ") and "the median of 12 peers is " in said["text"]


def test_the_log_has_the_peers_of_the_effect(judged: Project) -> None:
    rows = judged.entente("cohorts", "without").json
    assert [(row["state"], row["partners"]) for row in rows if "control" in row["figure"]] == [("shown", 11)]
