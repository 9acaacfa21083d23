# SPDX-License-Identifier: Apache-2.0
"""The brief: complete, self-contained, honest about what is not known, silent about what is ours alone."""

import copy
import csv
import datetime
import io
import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from entente.brief import BriefError, check, render, to_csv
from entente.brief.charts import holes, nice_top, smooth, ticks
from entente.brief.model import Series
from entente.brief.style import DARK, LIGHT
from entente.brief.words import amount, change, days, digits, plural, span
from example import example

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Keeps the visible text, the tags, and whether they nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not self.stack or self.stack[-1] not in ("style", "desc"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words).replace("\u202f", " "))


@pytest.fixture(scope="module")
def ours() -> str:
    return render(example())


@pytest.fixture(scope="module")
def theirs() -> str:
    return render(example(), for_partner=True)


def test_everything_is_on_the_page(ours: str) -> None:
    text = Reader(ours).text
    brief = example()
    assert "As of 30 June 2026" in text and "3 to 30 June 2026" in text
    assert "24,318 EUR" in text and "2.82%" in text and "from 2.79%" in text
    for figure in brief["figures"]:
        assert figure["label"] in text
    for finding in brief["findings"]:
        assert finding["text"] in text
        for evidence in finding["evidence"]:
            assert evidence["label"] in text
    for ask in brief["asks"]:
        assert ask["what"] in text
    for definition in brief["provenance"]["definitions"]:
        assert definition["metric"] in text and definition["hash"] in text
    assert "2 red flags, 1 gate, 1 opportunity and 1 insight" in text.lower()
    assert "16,788 EUR in 28 days" in text


def test_findings_come_by_weight(ours: str) -> None:
    kinds = re.findall(r'<article class="finding (\w+)', ours)
    assert kinds == ["red_flag", "red_flag", "gate", "opportunity", "insight"]
    assert ours.index("the shop says") < ours.index("No meeting was held"), "high before medium"


def test_rows_are_a_table_and_long_evidence_is_folded(ours: str) -> None:
    [table] = re.findall(r"<table>.*?</table>", ours)
    assert '<th scope="col">Analytics</th>' in table
    assert "<td>2026-05</td><td>26,902</td>" in table and '<span class="unknown">unknown</span>' in table
    assert ours.count("<details") == 1, "where a table says it, the figures read are folded"
    brief = example()
    brief["findings"][0]["evidence"] *= 3
    assert "Rests on 15 figures" in Reader(render(brief)).text
    long = next(f for f in brief["findings"] if f.get("rows"))
    long["rows"] += [long["rows"][-1]] * (14 - len(long["rows"]))
    assert "13 rows" in Reader(render(brief)).text, "a table that fills the page is folded, too"


def test_unknown_is_said_with_its_reason(ours: str) -> None:
    text = Reader(ours).text
    assert "Page load unknown The analytics feed sends no page timing." in text
    assert "Refunded unknown Only 4 partners of this cohort have refunds on record" in text
    assert "data for 18 of 28 days" in text
    assert "not comparable with 2,731 before" in text, "a sum over fewer days is no fall"
    assert "10 days missing" in text and "9 to 18 June 2026" in text
    assert "None" not in text and not re.search(r"\bnan\b", text)


def test_the_partner_does_not_see_what_is_ours(theirs: str) -> None:
    reader = Reader(theirs)
    for ours_alone in (
        "No meeting was held",
        "Too early to commit",
        "Minutes of the meetings",
        "check-ins",
        "consulting",
        "confidence",
        "sources_disagree",
        "judgement",
        "acknowledged",
        "for us only",
        "high",
        "15 May",
    ):
        assert ours_alone not in reader.text, ours_alone
    assert "the shop says 26,902 EUR" in reader.text and "Page timing from analytics" in reader.text


def test_it_needs_nothing_from_outside(ours: str) -> None:
    for tag, attributes in Reader(ours).tags:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {"src", "href", "srcset"} & attributes.keys() and not any(
            k.startswith("on") for k in attributes
        )
    assert not re.search(r"https?:|@import|@font-face", ours)
    assert set(re.findall(r"url\(([^)]*)\)", ours)) == {"#hatch"}
    assert "default-src 'none'" in ours
    assert len(ours) < 200_000


def test_text_of_others_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script>\"'&"
    brief = example()
    brief["partner"]["name"] = brief["findings"][0]["text"] = brief["asks"][0]["what"] = evil
    brief["figures"][0]["label"] = brief["series"][0]["label"] = brief["sources"][0]["name"] = evil
    html = render(brief)
    assert "<script" not in html
    assert evil in Reader(html).text


def test_each_drawing_says_what_it_shows(ours: str) -> None:
    reader = Reader(ours)
    ids = {a["id"] for _, a in reader.tags if "id" in a}
    drawings = [a for tag, a in reader.tags if tag == "svg" and a.get("role") == "img"]
    assert len(drawings) == 4 + 5 + 3
    for attributes in drawings:
        assert set((attributes["aria-labelledby"] or "").split()) <= ids
    assert len(ids) == sum("id" in a for _, a in reader.tags), "ids are unique"
    assert "The partner: 2.82%. Cohort industrial-supply of 6" in ours


def test_a_hole_is_hatched_and_not_a_zero(ours: str) -> None:
    [sessions] = re.findall(r'<title id="plot3-t">Sessions</title>.*?</figure>', ours, re.S)
    assert sessions.count('class="hole"') == 1 and sessions.count('class="line"') == 2
    assert "10 days without data" in sessions
    values = smooth(example()["series"][3])
    assert all(v is None or v > 60 for v in values)


def _luminance(color: str) -> float:
    digits_ = color.lstrip("#")
    digits_ = "".join(c * 2 for c in digits_) if len(digits_) == 3 else digits_
    parts = [int(digits_[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else math.pow((p + 0.055) / 1.055, 2.4) for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_text_stands_out_from_its_ground(scheme: str) -> None:
    colors = dict(re.findall(r"--([\w-]+):(#\w+)", scheme))
    for ground in ("paper", "card"):
        for ink in ("ink", "soft", "accent", "good", "bad", "warn", "ask"):
            a, b = sorted((_luminance(colors[ink]), _luminance(colors[ground])))
            assert (b + 0.05) / (a + 0.05) >= 4.5, (ink, ground)


def _but(path: str, *value: object) -> Any:
    """The example with another value at a path, or with none."""
    brief: Any = copy.deepcopy(example())
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    at = brief
    for key in way:
        at = at[key]
    if value:
        at[last] = value[0]
    else:
        del at[last]
    return brief


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "brief: must be an object, is list"),
        (_but("as_of"), "brief.as_of: missing"),
        (_but("figures.2.unit"), "brief.figures[2].unit: missing"),
        (_but("more", 1), "brief.more: not a part of a brief"),
        (_but("judged.true", True), "brief.judged.true: must be int, is bool"),
        (
            _but("series.0.values.0", float("nan")),
            "brief.series[0].values[0]: must be float, is no finite number",
        ),
        (
            _but("figures.0.value", None),
            "brief.figures[0].unknown: a value that is not known needs its reason",
        ),
        (
            _but("findings.0.kind", "hint"),
            "brief.findings[0].kind: 'hint' is none of insight, opportunity, red_flag, gate, ask, proposal",
        ),
    ],
)
def test_wrong_data_is_named(data: object, says: str) -> None:
    with pytest.raises(BriefError) as wrong:
        check(data)
    assert str(wrong.value) == says


def test_a_brief_of_nothing_is_still_a_page() -> None:
    brief = example()
    brief["figures"], brief["series"], brief["findings"] = [], [], []
    brief["asks"], brief["sources"] = [], []
    assert "Nothing stands out in what the data covers." in Reader(render(brief)).text
    brief = example()
    brief["sources"][0]["covered"] = []
    brief["series"][0]["values"] = [None] * 30
    text = Reader(render(brief)).text
    assert "no day covered" in text and "unknown: no day has data" in text


def test_table_holds_the_same() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(example()))))
    by = {(r["section"], r["key"], r["label"]): r for r in rows}
    assert by["figure", "revenue.net", "Net revenue"]["value"] == "24318.4"
    assert by["figure", "load_time", "Page load"]["value"] == "unknown"
    assert by["figure", "load_time", "Page load"]["note"] == "the analytics feed sends no page timing"
    assert by["cohort", "conversion_rate", "p50"]["value"] == "0.0599"
    assert sum(r["section"] == "finding" for r in rows) == 5
    assert by["row", "sources_disagree", "2026-04"]["note"] == (
        "month: 2026-04; shop: 26,110 EUR; analytics: 20,870 EUR"
    )
    theirs = to_csv(example(), for_partner=True)
    assert sum(line.startswith("finding,") for line in theirs.splitlines()) == 3 and "check-ins" not in theirs
    brief = example()
    brief["findings"][0]["text"] = '=HYPERLINK("x")'
    assert "\"'=HYPERLINK" in to_csv(brief), "no formula for a spreadsheet"


def test_command() -> None:
    scripts = Path(__file__).parents[3] / "scripts"
    env = {**os.environ, "PYTHONPATH": str(scripts)}

    def run(text: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "entente.brief", *more],
            input=text,
            text=True,
            capture_output=True,
            env=env,
            timeout=60,
        )

    made = run(json.dumps(example()), "--for", "partner")
    assert made.returncode == 0 and made.stdout == render(example(), for_partner=True)
    wrong = run("{}")
    assert wrong.returncode == 1 and wrong.stderr == "entente.brief: brief.partner: missing\n"


def test_numbers_are_written_to_be_read() -> None:
    assert (
        amount(24318.4, "money", "EUR") == "24,318\u202fEUR" and digits(-300.225, "money") == "\u2212300.23"
    )
    assert (
        digits(0.0282, "ratio") == "2.82%"
        and digits(0.621, "ratio") == "62.1%"
        and digits(12, "count") == "12"
    )
    assert digits(1.94, "seconds") == "1.9\u202fs" and digits(1, "days") == "1\u202fday"
    assert change(0.0282, 0.0279, "ratio") == "+0.03\u202fpp" and change(80, 100, "count") == "\u221220.0%"
    assert change(5, 0, "count") is None, "no per cent of nothing"
    assert days({"start": "2025-12-20", "end": "2026-01-03"}) == "20 December 2025 to 2 January 2026"
    assert days({"start": "2026-06-30", "end": "2026-07-01"}) == "30 June 2026"
    assert span("28d") == "28 days" and span("1m") == "month"
    assert plural(2, "opportunity") == "2 opportunities" and plural(2, "day") == "2 days"


def test_curves_and_axes() -> None:
    top, step = nice_top(1100)
    assert top == 1500 and step == 500
    assert all(
        v <= nice_top(v)[0] <= 2.2 * v and 2 <= nice_top(v)[0] / nice_top(v)[1] <= 4
        for v in (0.03, 1, 4.99, 7e6)
    )
    marks = ticks(datetime.date(2025, 1, 1), datetime.date(2026, 6, 30))
    assert [str(m) for m in marks] == ["2025-01-01", "2025-07-01", "2026-01-01"]
    rate: Series = {
        "metric": "r",
        "label": "r",
        "unit": "ratio",
        "currency": None,
        "start": "2026-01-01",
        "values": [*[0.1] * 6, 0.8, None],
        "weights": [*[10.0] * 6, 70.0, None],
    }
    assert smooth(rate) == [None] * 6 + [pytest.approx((6 * 1 + 56) / 130), None], (
        "of sums, never a mean of ratios"
    )


def test_holes_of_a_source() -> None:
    feed = example()["sources"][1]
    found = holes(feed, datetime.date(2026, 5, 1), datetime.date(2026, 7, 1))
    assert [(str(a), str(b)) for a, b in found] == [("2026-06-09", "2026-06-19")]
