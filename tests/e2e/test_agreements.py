# SPDX-License-Identifier: Apache-2.0
"""What was agreed, offered and promised, from registers written by hand and orders read from exports to findings."""

from dataclasses import replace

import pytest
from project import Project
from shop import export, moved, orders

PARTNERS = ("nordwind", "suedwind", "ostwind", "westwind", "foehn", "bora")
SOURCE = """\
  {0}:
    partner: {0}
    from: {{file: ./{0}.csv}}
    decode: shopify
"""
DAYS = 420  # from 1 March 2024 on
#: What is planted with nordwind; suedwind has the same where it does no harm.
ENTRIES = (
    ("nordwind", "agreements", "name=Frame", "starts=2024-12-01"),
    ("nordwind", "terms", "agreement=1", "title=Commission", "kind=commission.rate", "unit=%", "value=5", "basis=orders"),
    ("nordwind", "terms", "agreement=1", "title=Check-in", "kind=check_in.every", "unit=weeks", "value=2"),
    ("nordwind", "contacts", "at=2025-03-01 10:00", "kind=meeting", "held=yes"),
    ("nordwind", "issues", "title=Late parcels", "owner=them", "opened=2025-03-20"),
    ("nordwind", "interests", "side=us", "issue=rate", "lever=money", "swing=60", "worst=10", "best=4", "options=4; 6; 8; 10"),
    ("nordwind", "interests", "side=them", "issue=rate", "lever=money", "swing=40", "worst=4", "best=10"),
    ("nordwind", "interests", "side=them", "issue=notice", "lever=time", "swing=20", "steps=1=0; 3=0.5; 6=1"),
    ("nordwind", "alternatives", "side=us", "name=another shop", "utility=0.2", "probability=0.5"),
    ("nordwind", "alternatives", "side=them", "name=a rival", "utility=0.1"),
    ("nordwind", "offers", "day=2025-04-01", "by=us", "package=rate=6; notice=1"),
    ("nordwind", "offers", "day=2025-04-10", "by=us", "package=rate=4; notice=3"),
    ("nordwind", "claims", "text=So many", "who=Ada", "metric=orders", "value=5000", "window=28d", "said_on=2024-12-01", "due=2025-09-30"),
    ("suedwind", "claims", "text=So many", "metric=orders", "value=5000", "window=28d", "said_on=2025-04-10", "due=2025-09-30"),
    ("ostwind", "claims", "text=So many", "metric=orders", "value=40", "window=28d", "said_on=2024-12-01", "due=2025-09-30"),
    ("suedwind", "agreements", "name=Frame", "starts=2024-12-01"),
    ("suedwind", "terms", "agreement=1", "title=Commission", "kind=commission.rate", "unit=%", "value=5", "basis=orders"),
    ("suedwind", "terms", "agreement=1", "title=Check-in", "kind=check_in.every", "unit=weeks", "value=2"),
    ("suedwind", "contacts", "at=2025-04-20 10:00", "kind=meeting", "held=yes"),
    ("ostwind", "interests", "side=us", "issue=rate", "lever=money", "swing=1", "worst=10", "best=2"),
    ("ostwind", "interests", "side=them", "issue=rate", "lever=money", "swing=1", "worst=2", "best=10"),
    ("ostwind", "alternatives", "side=us", "name=none", "utility=0"),
    ("ostwind", "alternatives", "side=them", "name=none", "utility=0"),
    ("ostwind", "offers", "day=2025-04-01", "by=us", "package=rate=2"),
    ("ostwind", "offers", "day=2025-04-02", "by=them", "package=rate=10"),
    ("ostwind", "offers", "day=2025-04-03", "by=us", "package=rate=8"),
    ("ostwind", "agreements", "name=Frame", "starts=2025-01-01"),
    ("ostwind", "terms", "agreement=1", "title=Fee", "kind=fee", "unit=money", "value=500"),
    ("suedwind", "issues", "title=Late parcels", "opened=2025-04-20"),
)  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = Project(
        tmp_path_factory.mktemp("agreed") / "p",
        "".join(SOURCE.format(name) for name in PARTNERS),
        rules="  books: [shipped]",
        partners="\n".join(f"  {name}: {{industry: furniture}}" for name in PARTNERS),
    )
    for n, name in enumerate(PARTNERS):
        made = orders(1200, seed=n, days=DAYS)
        if name == "nordwind":  # from the 300th day on, twice as many
            more = orders(343, seed=99, days=DAYS - 300)
            made += [replace(moved(o, 300), number=o.number + 50_000) for o in more]
        p.write(f"{name}.csv", export(made))
    for partner, register, *fields in ENTRIES:
        assert p.entente("register", register, "add", partner, *fields).status == 0
    p.run()
    return p


def findings(p: Project, rule: str, partner: str) -> dict[str, str]:
    query = "select key, text from finding where rule = ? and partner = ? and state = 'open'"
    return dict(p.sql(query, rule, partner))


def test_the_offer_on_the_table(judged: Project) -> None:
    found = findings(judged, "lever_moves_alone", "nordwind")
    assert set(found) == {"one-sided", "time", "best"}
    assert found["one-sided"].startswith("The offer of 10 April 2025 gives us 0.90 and them 0.07")
    assert "instead of" in found["best"]
    record = judged.record("lever_moves_alone", "nordwind")
    assert record["findings"][-1]["package"]["notice"] == 6
    assert {e["class"] for e in record["evidence"]} == {"confidential"}
    said = judged.record("lever_moves_alone", "suedwind")
    assert said["verdict"] == "unknown" and said["asks"]


def test_who_gives_what(judged: Project) -> None:
    assert list(findings(judged, "cheap_to_give", "nordwind")) == ["notice"]
    (text,) = findings(judged, "who_concedes", "ostwind").values()
    assert text == "We gave up 0.75 in 2 offers, they 0.00 in 1"
    assert judged.record("who_concedes", "nordwind")["verdict"] is False
    assert findings(judged, "terms_without_measure", "ostwind") == {"1": "1 of 1 terms of Frame rest on no metric: Fee"}
    assert judged.record("terms_without_measure", "nordwind")["verdict"] is False


def test_check_ins_and_issues(judged: Project) -> None:
    found = findings(judged, "check_ins_kept", "nordwind")
    assert found["cadence"].startswith("No check-in for 5") and found["cadence"].endswith("every 14 was agreed")
    assert found["1"].startswith("'Late parcels' has been open for 3") and found["1"].endswith("(them)")
    assert judged.record("check_ins_kept", "suedwind")["verdict"] is False
    assert judged.record("check_ins_kept", "bora")["verdict"] == "unknown"


def test_the_basis_of_a_term(judged: Project) -> None:
    (text,) = findings(judged, "time_to_renegotiate", "nordwind").values()
    assert text.startswith("Commission rests on orders, +") and "December 2024" in text
    (found,) = judged.record("time_to_renegotiate", "nordwind")["findings"]
    assert found["reopens"] == "terms/1"
    assert judged.record("time_to_renegotiate", "suedwind")["verdict"] is False
    assert judged.record("time_to_renegotiate", "bora")["verdict"] == "unknown"


def test_an_entry_that_is_changed_is_judged_anew(judged: Project) -> None:
    assert judged.entente("register", "issues", "close", "nordwind", "1").status == 0
    judged.run()
    assert "1" not in findings(judged, "check_ins_kept", "nordwind")


def test_promises(judged: Project) -> None:
    (text,) = findings(judged, "promises_hold", "nordwind").values()
    assert text == "Ada promised 5,000 of orders by 30 September 2025; the chance is 0%"
    assert judged.record("promises_hold", "nordwind")["findings"][0]["about"] == "claims/1"
    said = judged.record("promises_hold", "suedwind")
    assert said["verdict"] == "unknown" and said["findings"][0]["decides_on"] > "2025-05-01"
    assert judged.record("promises_hold", "ostwind")["verdict"] is False
    assert judged.record("promises_hold", "bora")["verdict"] == "unknown"  # nobody keeps its claims
