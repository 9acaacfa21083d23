# SPDX-License-Identifier: Apache-2.0
"""Answers of GA4's Data API under `entente run`: pages of a report, counted here by other means."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from feeds import Feed
from ran import observations

Row = tuple[str, str, int, int]


def answer(rows: list[Row], count: int, **metadata: Any) -> str:
    return json.dumps(
        {
            "kind": "analyticsData#runReport",
            "dimensionHeaders": [{"name": "date"}, {"name": "countryId"}],
            "metricHeaders": [{"name": "sessions", "type": "TYPE_INTEGER"}, {"name": "totalUsers", "type": "TYPE_INTEGER"}],
            "rows": [
                {"dimensionValues": [{"value": day}, {"value": land}], "metricValues": [{"value": str(n)}, {"value": str(m)}]}
                for day, land, n, m in rows
            ],
            "rowCount": count,
            "metadata": {"currencyCode": "EUR", "timeZone": "UTC", **metadata},
        },
        indent=1,
    )


def test_pages_of_a_report(tmp_path: Path) -> None:
    dice = random.Random(5)
    rows = [(f"202605{d:02d}", land, dice.randrange(100), dice.randrange(50)) for d in range(1, 29) for land in ("PL", "DE", "(not set)")]
    dice.shuffle(rows)
    f = Feed(tmp_path, "{glob: ./in/*.json}", "auto")
    for page in range(3):
        f.write(f"in/sessions-{page}.json", answer(rows[page * 28 : page * 28 + 28], len(rows)))
    balance, text = f.run()
    assert (balance["records"], balance["rejected"], balance["stored"]) == (84, 0, 168), text
    found = observations(tmp_path)
    sessions: Counter[str] = Counter()
    for r in found:
        if r["metric"] == "sessions":
            sessions[r["dims"]] += int(r["value"]) // 10 ** int(r.get("scale", 6))
    expected: Counter[str] = Counter()
    for _, land, n, _ in rows:
        expected[f"country={land}"] += n
    assert sessions == expected
    assert {r.get("additive", False) for r in found if r["metric"] == "visitors"} <= {False, None}
    assert all(r.get("origin") == "analytics" for r in found)

    # a page comes again with other figures: they take the place of those it brought
    changed = [(day, land, n + 1000, m) for day, land, n, m in rows[:28]]
    f.write("in/sessions-0.json", answer(changed, len(rows), samplingMetadatas=[{}]))
    f.run()
    again = [r for r in observations(tmp_path) if r["metric"] == "sessions"]
    assert len(again) == 84
    assert sum(int(r["value"]) for r in again) // 10**6 == sum(r[2] for r in rows) + 28000
    assert sum(r.get("grade") == "D" for r in again) == 28


def test_an_error_is_no_report(tmp_path: Path) -> None:
    f = Feed(tmp_path, "{glob: ./in/*.json}", "ga4-report")
    f.write("in/a.json", json.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}))
    _, text = f.run(status=f.entente("run")[0])
    assert "it is an error of the Data API, and no report: RESOURCE_EXHAUSTED" in text
    assert "quota of tokens is used up" in text
