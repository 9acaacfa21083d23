# SPDX-License-Identifier: Apache-2.0
"""The content of a brief: figures against the cohort, courses with their holes, findings, asks, sources."""

import csv
import io
import json
from typing import Any

import pytest
from entente import worker
from entente.fixture import World


@pytest.fixture()
def world() -> World:
    made = World()
    for n in range(6):
        shop = made.partner(f"p{n}", name=f"Shop {n}", industry="furniture", stage="consulting")
        shop.days("orders", 4 + n).days("gross", 400).days("sessions", 100)
    made.partners["p0"].hole("traffic", "2026-06-08", "2026-06-20")
    return made


def brief(world: World, **request: Any) -> bytes:
    worker.load(json.dumps({"books": ["shipped"]}))
    return worker.brief(world.snapshot(), json.dumps({"partner": "p0", **request}))


def judged(world: World) -> list[dict[str, Any]]:
    worker.load(json.dumps({"books": ["shipped"]}))
    records: list[bytes] = []
    worker.evaluate(world.snapshot(), "{}", records.append, lambda rule, partner: None)
    return [json.loads(record) for record in records]


def test_content(world: World) -> None:
    records = [r for r in judged(world) if r["partner"] == "p0"]
    findings = [
        {**f, "rule": r["rule"], "practice": r["practice"], "evidence": r["evidence"], "state": "open"}
        for r in records
        for f in r["findings"]
    ]
    findings.append(
        {
            "rule": "revenue_falls",
            "practice": "informative",
            "kind": "red_flag",
            "key": "",
            "text": "It fell.",
            "worth": 2_500_000,
            "per": "8w",
            "severity": "high",
            "evidence": records[0]["evidence"],
        }
    )
    asks = [{**ask, "rule": r["rule"], "why": "; ".join(r["missed"])} for r in records for ask in r["asks"]]
    content = json.loads(brief(world, format="json", findings=findings, asks=asks))
    figures = {f["metric"]: f for f in content["figures"]}
    assert figures["orders"]["value"] == 112 and figures["orders"]["cohort"] is None
    assert figures["aov"]["cohort"]["p50"] == pytest.approx(61.9) and figures["aov"]["cohort"]["size"] == 6
    assert figures["conversion_rate"]["value"] is None
    assert "8 to 20 June 2026" in figures["conversion_rate"]["unknown"]
    assert figures["sessions"]["coverage"] == {"days": 15, "of": 28}
    course = {s["metric"]: s for s in content["series"]}["sessions"]
    assert len(course["values"]) == 182 and course["values"].count(None) == 13
    assert content["sources"][1]["covered"][-1] == {"start": "2026-06-21", "end": "2026-07-01"}
    flag = next(f for f in content["findings"] if f["kind"] == "red_flag")
    assert flag["worth"] == {"number": 2.5, "currency": "EUR", "per": "8w"} and flag["audience"] == "both"
    assert [a for a in content["asks"] if "8 to 20 June 2026" in a["what"]]
    page = brief(world, format="html", findings=findings, asks=asks).decode()
    assert "Shop 0" in page and "It fell." in page
    rows = list(csv.reader(io.StringIO(brief(world, format="csv", findings=findings).decode())))
    assert ["figure", "orders", "Orders", "112.0", "count", "", "2026-06-03", "2026-07-01", ""] in rows


def test_the_partner_does_not_see_what_is_ours(world: World) -> None:
    findings = [
        {"rule": "engagement_fades", "practice": "red_flags", "kind": "red_flag", "text": "Losing interest."},
        {"rule": "revenue_falls", "practice": "informative", "kind": "red_flag", "text": "It fell."},
        {"rule": "someone_elses", "practice": "legal", "kind": "insight", "text": "Nobody vouches for this."},
    ]
    page = brief(world, findings=findings, **{"for": "partner"}).decode()
    assert "It fell." in page and "Losing interest." not in page and "Nobody vouches" not in page


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"partner": "nobody"}, "there is no partner 'nobody'"),
        ({"format": "pdf"}, "html, json or csv"),
        ({"for": "press"}, "for us or for the partner"),
    ],
)
def test_what_cannot_be_briefed_says_so(world: World, request_: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        brief(world, **request_)


def test_evidence_that_is_ours_is_not_for_the_partner(world: World) -> None:
    """A finding that was published once, and was held back when it was judged again: what it rests on now is ours."""
    read = {"from": "2026-06-01", "through": "2026-06-30", "state": "known", "number": 3.0, "unit": "count"}
    evidence = [
        {"metric": f"register {name}", "class": name, **read}
        for name in ("theirs", "released", "ours", "confidential")
    ]
    finding = {"rule": "x", "kind": "insight", "text": "t", "audience": "both", "evidence": evidence}
    for whom, labels in (("us", ["theirs", "released", "ours", "confidential"]), ("partner", ["theirs", "released"])):
        content = json.loads(brief(world, format="json", findings=[finding], **{"for": whom}))
        assert [e["label"].lower() for e in content["findings"][0]["evidence"]] == [f"register {x}" for x in labels]


def test_nobody_asks_the_partner_for_what_we_write_down(world: World) -> None:
    world.registers["visits"] = {"audience": "both", "closing": "closed", "fields": {}}
    asks = [
        {"what": name, "metric": name, "rule": "x", "why": "", "audience": "both"}
        for name in ("orders", "books", "terms", "visits", "contacts")
    ]
    for whom, told in (("us", 5), ("partner", 2)):
        content = json.loads(brief(world, format="json", asks=asks, **{"for": whom}))
        assert [a["what"] for a in content["asks"]] == [a["what"] for a in asks][:told]
