# SPDX-License-Identifier: Apache-2.0
"""The journals that people keep of the partners: what was signed, offered, set as a goal, told. One sheet for each
register, read like any export; `entente register` writes into the same registers later.

What is planted here belongs to partners that have other data without any trouble: PLANTED says what a rule must find."""

import csv
import io
from typing import Final

from .world import ADDED_DAYS, DAY, Span, Truth

Row = dict[str, str]

ONE_SIDED: Final = Truth(
    "offer_one_sided",
    "red_flag",
    26,
    "lever_moves_alone",
    "The last offer takes rights from them and pays nothing for it: a lever moved for one side alone.",
)
ISSUE_OPEN: Final = Truth(
    "issue_left_open",
    "red_flag",
    41,
    "check_ins_kept",
    "An issue has been open for six weeks.",
)
OUT_OF_REACH: Final = Truth(
    "milestone_out_of_reach",
    "insight",
    52,
    "realistic_dates",
    "A milestone wants twice of what is sold, two months from now.",
)
TELLING: Final = Truth(
    "worth_telling",
    "insight",
    3,
    "worth_telling",
    "Carts are left far more often than at the peers, and nobody told them yet.",
)
AGREEMENT_ADDS: Final = Truth(
    "agreement_adds",
    "insight",
    29,
    "value_is_proven",
    f"Since an agreement was signed, {ADDED_DAYS} days ago, two fifths more is sold; at nobody else.",
)
BASIS_MOVED: Final = Truth(
    "basis_moved",
    "proposal",
    54,
    "time_to_renegotiate",
    "The bonus rests on revenue, which is two fifths higher than when it was agreed.",
)
SLOW: Final = Truth(
    "site_is_slow",
    "opportunity",
    14,
    "faster_site",
    "Half of the visits wait four seconds for a page; at the peers it is less than two.",
)
UNSOUND: Final = Truth(
    "books_in_distress",
    "red_flag",
    36,
    "financial_health",
    "Revenue swings more than at the peers, and the declared books are those of a firm in distress.",
)
OVER_PROMISED: Final = Truth(
    "promise_out_of_reach",
    "red_flag",
    49,
    "promises_hold",
    "They promised three times of what they sell, half a year ago.",
)
TOO_EARLY: Final = Truth(
    "promise_too_young",
    "unknown",
    49,
    "promises_hold",
    "What they promised was said three weeks ago: nobody could have seen anything yet.",
)
AGENTS_LOSE: Final = Truth(
    "agents_lose",
    "red_flag",
    9,
    "agents_keep_their_pay",
    "Customers of field agents came to order online: paid by the last touch, the agents would earn less.",
)
MOVED_ONLINE: Final = Truth(
    "moved_online",
    "insight",
    10,
    "online_growth_is_new",
    "Most of the online growth was bought from field agents before.",
)
PLANTED: Final[tuple[tuple[str, Truth], ...]] = (
    ("ferrum", AGREEMENT_ADDS),
    ("ferrum", BASIS_MOVED),
    ("keystone", ONE_SIDED),
    ("polder", ISSUE_OPEN),
    ("halden", OUT_OF_REACH),
    ("prairie", TELLING),
    ("lindhof", SLOW),
    ("delta", UNSOUND),
    ("solstice", OVER_PROMISED),
    ("juniper", TOO_EARLY),
    ("redgate", AGENTS_LOSE),
    ("redgate", MOVED_ONLINE),
)


def _day(span: Span, ago: int) -> str:
    return str(span.last - ago * DAY)


def agreements(span: Span) -> list[Row]:
    """What was signed: with ferrum while the data was gathered, with others before it begins."""
    return [
        {
            "partner": "ferrum", "id": "listing", "name": "Listing of the own brand", "starts": _day(span, ADDED_DAYS),
            "ends": "", "promises": "revenue.net=60000", "window": "365d", "currency": "EUR",
        },
        {
            "partner": "polder", "id": "frame", "name": "Frame agreement", "starts": str(span.first),
            "ends": "", "promises": "", "window": "", "currency": "",
        },
    ]  # fmt: skip


def terms(span: Span) -> list[Row]:
    """Terms of them: how often to meet, what is paid to agents, and a bonus that rests on revenue."""
    return [
        {
            "partner": "ferrum", "id": "bonus", "agreement": "listing", "title": "Yearly bonus", "kind": "bonus",
            "value": "2", "unit": "%", "basis": "revenue.net",
        },
        {
            "partner": "polder", "id": "check-ins", "agreement": "frame", "title": "Check-in every two weeks",
            "kind": "check_in.every", "value": "2", "unit": "weeks", "basis": "",
        },
        {
            "partner": "redgate", "id": "commission", "agreement": "", "title": "Commission of field agents",
            "kind": "commission.rate", "value": "5", "unit": "%", "basis": "revenue.net",
        },
    ]  # fmt: skip


def interests(span: Span) -> list[Row]:
    """What either side wants of the deal with keystone."""
    rows = []
    for side, issue, lever, swing, worst, best, steps in (
        ("us", "commission", "money", "40", "4", "10", ""),
        ("us", "exclusive", "rights", "35", "", "", "no=0; one year=0.7; two years=1"),
        ("us", "payment", "time", "25", "60", "14", ""),
        ("them", "commission", "money", "45", "10", "4", ""),
        ("them", "exclusive", "rights", "15", "", "", "no=1; one year=0.6; two years=0"),
        ("them", "payment", "time", "40", "14", "60", ""),
    ):
        rows.append(
            {
                "partner": "keystone", "id": f"{side}-{issue}", "side": side, "issue": issue, "lever": lever,
                "swing": swing, "worst": worst, "best": best, "steps": steps,
            }
        )  # fmt: skip
    return rows


def alternatives(span: Span) -> list[Row]:
    """What they do without a deal."""
    return [
        {"partner": "keystone", "id": "us", "side": "us", "name": "Another bearing house", "utility": "0.3", "probability": "0.8"},
        {"partner": "keystone", "id": "them", "side": "them", "name": "Their own shop only", "utility": "0.35", "probability": "0.9"},
    ]  # fmt: skip


def offers(span: Span) -> list[Row]:
    """The offers so far: the last one asks for exclusivity and gives nothing."""
    return [
        {
            "partner": "keystone", "id": "1", "day": _day(span, 34), "by": "them",
            "package": "commission=6; exclusive=no; payment=45",
        },
        {
            "partner": "keystone", "id": "2", "day": _day(span, 12), "by": "us",
            "package": "commission=9; exclusive=two years; payment=45",
        },
    ]  # fmt: skip


def milestones(span: Span) -> list[Row]:
    """Goals: one that is out of reach, and one that is not."""
    return [
        {
            "partner": "halden", "id": "double", "title": "Sales twice as high", "metric": "revenue.net",
            "value": "52000", "currency": "EUR", "window": "28d", "due": _day(span, -60),
        },
        {
            "partner": "castellan", "id": "orders", "title": "Sixty orders in four weeks", "metric": "orders",
            "value": "60", "currency": "", "window": "28d", "due": _day(span, -90),
        },
    ]  # fmt: skip


def issues(span: Span) -> list[Row]:
    """What is wrong: one that nobody closes, one that was closed in time."""
    return [
        {"partner": "polder", "id": "labels", "title": "Labels without a barcode", "owner": "logistics", "opened": _day(span, 43), "closed_on": "", "state": "open"},
        {"partner": "polder", "id": "prices", "title": "Two price lists", "owner": "purchasing", "opened": _day(span, 70), "closed_on": _day(span, 64), "state": "closed"},
    ]  # fmt: skip


def told(span: Span) -> list[Row]:
    """What was shared already."""
    return [
        {"partner": "nordwind", "id": "1", "about": "conversion_rate", "to": "head of e-commerce", "on": _day(span, 20), "grade": "A"},
    ]  # fmt: skip


def claims(span: Span) -> list[Row]:
    """What was promised: once half a year ago, once three weeks ago."""
    return [
        {"partner": "solstice", "id": "1", "text": "We will sell 90,000 USD a month by late summer", "who": "Their founder", "metric": "revenue.net", "value": "90000", "currency": "USD", "window": "28d", "said_on": _day(span, 180), "due": _day(span, -62)},
        {"partner": "juniper", "id": "1", "text": "We will sell a million a year", "who": "Their managing director", "metric": "revenue.net", "value": "1000000", "currency": "USD", "window": "1y", "said_on": _day(span, 21), "due": _day(span, -340)},
    ]  # fmt: skip


def books(span: Span) -> list[Row]:
    """What was declared of the year before: sound, and not."""
    year = str(span.last.year - 1)
    names = (
        "revenue",
        "profit",
        "assets",
        "liabilities",
        "current_assets",
        "current_liabilities",
        "retained_earnings",
        "equity",
    )
    sound = (410000, 52000, 260000, 90000, 150000, 60000, 80000, 170000)
    unsound = (390000, -61000, 350000, 330000, 70000, 160000, -90000, 20000)
    return [
        {"partner": partner, "id": year, "year": year, **{name: str(n) for name, n in zip(names, figures, strict=True)}, "currency": currency, "declared_on": _day(span, 75)}
        for partner, figures, currency in (("delta", unsound, "GBP"), ("castellan", sound, "GBP"))
    ]  # fmt: skip


SHEETS: Final = {
    "agreements": agreements,
    "terms": terms,
    "interests": interests,
    "alternatives": alternatives,
    "offers": offers,
    "milestones": milestones,
    "issues": issues,
    "told": told,
    "claims": claims,
    "books": books,
}


def files(span: Span) -> dict[str, str]:
    """Each sheet as CSV, by its name in the project."""
    found = {}
    for name, rows_of in SHEETS.items():
        rows, text = rows_of(span), io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        found[f"registers/{name}.csv"] = text.getvalue()
    return found


def configured(span: Span) -> str:
    """The sources that read the sheets, for entente.yaml."""
    text = "\n  # Registers: journals that people keep. Each sheet is one; `entente register` writes into them, too.\n"
    for name, rows_of in SHEETS.items():
        columns = ", ".join(f"{column}: {column}" for column in rows_of(span)[0])
        text += (
            f"  {name}:\n    partner: {{from: fact}}\n    from: {{file: ./registers/{name}.csv}}\n"
            f"    decode: {{csv: {{fact: entry, constants: {{register: {name}}}, columns: {{{columns}}}}}}}\n"
        )
    return text
