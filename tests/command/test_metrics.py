# SPDX-License-Identifier: Apache-2.0
"""`entente metrics list | show | query`: exact figures, and what is not known said so."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from conftest import Run, answer
from entente import day


def figures(shop: Run, *words: str) -> dict[str, dict[str, Any]]:
    """Figures by group (or "" without groups) and metric."""
    said = answer(shop("metrics", "query", *words, "--json"))
    by = said["by"]
    return {row[by] if by else "": row["figures"] for row in said["rows"]}


def values(shop: Run, *words: str) -> dict[str, list[Any]]:
    return {name: [f["value"] for f in row.values()] for name, row in figures(shop, *words).items()}


# ---- list and show ------------------------------------------------------------------------------------


def test_list_by_tag(entente: Run) -> None:
    everything = answer(entente("metrics", "list", "--json"))
    some = answer(entente("metrics", "list", "--tag", "funnel", "--json"))
    assert len(some) < len(everything) and all("funnel" in m["tags"] for m in some)
    assert "revenue.net" in entente("metrics", "list").out
    wrong = entente("metrics", "list", "--tag", "funel")
    assert wrong.status == 2 and "no metric has the tag 'funel'" in wrong.err


def test_show(entente: Run) -> None:
    shown = answer(entente("metrics", "show", "revenue.net", "--json"))
    terms = [(t["sign"], t["measure"]) for t in shown["top"]]
    assert terms == [(1, "gross"), (-1, "discount"), (-1, "returns")]
    assert (shown["unit"], shown["kind"], shown["additivity"]) == ("money", "sum", "all")
    text = entente("metrics", "show", "revenue.net").out
    assert "sales.gross - sales.discount - sales.returns" in text and shown["definition"] in text
    wrong = entente("metrics", "show", "revenue.nett")
    assert wrong.status == 2 and "did you mean 'revenue.net'?" in wrong.err


# ---- what is counted ----------------------------------------------------------------------------------


def test_all_partners_over_all_days(shop: Run) -> None:
    found = figures(shop, "orders", "orders.placed", "customers")[""]
    assert [f["value"] for f in found.values()] == [6, 7, 4]
    assert found["orders"]["from"] == "2026-02-27" and found["orders"]["through"] == "2026-03-10"


def test_by_partner(shop: Run) -> None:
    """Parked facts are nobody's, and who has no data is left out."""
    assert values(shop, "orders", "revenue.gross", "--by", "partner", "--from", "2026-03-01") == {
        "alder": [3, Decimal("150.373456")],
        "birch": [2, 36],  # (10 + 30) USD at 0.9
    }


def test_days_are_those_of_the_partner(shop: Run) -> None:
    days = values(shop, "orders", "-p", "alder", "--by", "day", "--from", "2026-03-01", "--to", "2026-03-03")
    assert days == {"2026-03-01": [1], "2026-03-02": [1], "2026-03-03": [0]}


def test_weeks_and_months(shop: Run) -> None:
    weeks = values(shop, "orders", "-p", "alder", "--by", "week", "--from", "2026-03-01")
    assert weeks == {"2026-02-23": [1], "2026-03-02": [1], "2026-03-09": [1]}
    months = answer(shop("metrics", "query", "orders", "-p", "birch", "--by", "month", "--json"))
    assert [(m["month"], m["from"], m["through"]) for m in months["rows"]] == [
        ("2026-02", "2026-02-27", "2026-02-28"),
        ("2026-03", "2026-03-01", "2026-03-10"),
    ]


@pytest.mark.parametrize("words", [["--by", "channel"], ["--view", "channel"]])
def test_by_a_view(shop: Run, words: list[str]) -> None:
    assert values(shop, "orders", "revenue.placed", "-p", "alder", *words) == {
        "offline/till": [1, Decimal("50.25")],
        "online/web": [2, Decimal("120.123456")],
    }


def test_one_value_of_a_view(shop: Run) -> None:
    web = ["--view", "channel", "--value", "online/web"]
    assert values(shop, "orders", "-p", "alder", *web) == {"": [2]}
    by_partner = values(shop, "orders", *web, "--by", "partner", "--from", "2026-03-01")
    assert by_partner == {"alder": [2], "birch": [2]}
    assert values(shop, "orders", "-p", "alder", "--view", "channel", "--value", "nothing") == {"": [0]}


def test_windows_end_with_the_moment(shop: Run) -> None:
    said = answer(shop("metrics", "query", "orders", "-p", "alder", "--window", "2d", "--json"))
    assert (said["from"], said["through"], said["as_of"]) == ("2026-03-09", "2026-03-10", "2026-03-10")
    earlier = ["--window", "1m", "--as-of", "2026-03-05"]
    said = answer(shop("metrics", "query", "orders", "-p", "alder", *earlier, "--json"))
    assert (said["from"], said["through"]) == ("2026-02-06", "2026-03-05")


def test_ratio_and_its_parts(shop: Run) -> None:
    aov = figures(shop, "aov", "-p", "alder")[""]["aov"]
    assert aov["value"] == Decimal("50.124485")  # 150.373456 / 3, rounded half to even
    assert (aov["top"], aov["bottom"]) == (Decimal("150.373456"), 3)


# ---- what is not known --------------------------------------------------------------------------------


def test_no_coverage_is_no_zero(shop: Run) -> None:
    sessions = figures(shop, "sessions", "-p", "birch")[""]["sessions"]
    assert sessions["value"] is None and sessions["state"] == "no_coverage" and sessions["reason"]
    assert "unknown" in shop("metrics", "query", "sessions", "-p", "birch").out


def test_what_is_there_is_shown_with_a_mark(shop: Run) -> None:
    words = ["orders", "-p", "alder", "--from", "2026-01-01", "--to", "2026-03-10"]
    orders = figures(shop, *words)[""]["orders"]
    assert (orders["value"], orders["there"], orders["covered"], orders["days"]) == (None, 3, 12, 69)
    assert "sources speak for 12 of 69 days" in shop("metrics", "query", *words).out
    table = shop("metrics", "query", *words, "--by", "partner").out
    assert "3*" in table and "* sources do not speak" in table


def test_a_missing_rate_makes_money_unknown(shop: Run) -> None:
    gross = figures(shop, "revenue.gross", "-p", "birch")[""]["revenue.gross"]
    assert (gross["value"], gross["state"]) == (None, "no_rate")
    assert gross["reason"] == "no exchange rate on 2026-02-27"
    total = figures(shop, "revenue.gross")[""]["revenue.gross"]
    assert (total["state"], total["without_rate"], total["value"]) == ("partial", 1, Decimal("150.373456"))


def test_nothing_to_divide_by(shop: Run) -> None:
    aov = figures(shop, "aov", "-p", "alder", "--from", "2026-03-03", "--to", "2026-03-04")[""]["aov"]
    assert (aov["value"], aov["state"]) == (None, "no_denominator")
    median = figures(shop, "days_to_paid", "-p", "alder")[""]["days_to_paid"]
    assert (median["value"], median["reason"]) == (None, "none was counted in these days")


def test_origins_are_never_added(shop: Run) -> None:
    assert figures(shop, "orders", "-p", "alder", "--origin", "shop")[""]["orders"]["value"] == 3
    assert figures(shop, "orders", "-p", "alder", "--origin", "analytics")[""]["orders"]["value"] is None


# ---- faces --------------------------------------------------------------------------------------------


def test_csv(shop: Run) -> None:
    done = shop("metrics", "query", "orders", "revenue.gross", "--by", "partner", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(r["partner"], r["metric"], r["value"], r["state"]) for r in rows] == [
        ("alder", "orders", "3", "known"),
        ("alder", "revenue.gross", "150.373456", "known"),
        ("birch", "orders", "3", "known"),
        ("birch", "revenue.gross", "", "no_rate"),
    ]


def test_table_is_plain_when_piped(shop: Run) -> None:
    out = shop("metrics", "query", "orders", "revenue.gross", "-p", "alder").out
    assert "\x1b" not in out
    assert out.splitlines()[4].split()[:3] == ["revenue.gross", "150.373456", "EUR"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["oders"], 2, "there is no metric 'oders'; did you mean 'orders'?"),
        ([], 2, "needs METRIC"),
        (["orders", "-p", "aldr"], 1, "there is no partner 'aldr'; did you mean 'alder'?"),
        (["orders", "--by", "chanel"], 2, "--by does not take 'chanel'; did you mean 'channel'?"),
        (["orders", "--by", "country"], 2, "the view 'country' is not kept; add it to `views:`"),
        (["orders", "--value", "x"], 2, "--value needs the view"),
        (["orders", "--view", "channel", "--by", "day"], 2, "name its value, too"),
        (["order_value", "--by", "channel"], 2, "kept in total only"),
        (["orders", "--window", "10x"], 2, "--window does not take '10x'; write it like 28d"),
        (["orders", "--window", "28d", "--from", "2026-01-01"], 2, "write one of them"),
        (["orders", "--from", "2026-02-01", "--to", "2026-01-01"], 2, "no day from 2026-02-01 to 2026-01-01"),
        (["orders", "-p", "alder", "-p", "birch", "--by", "day"], 2, "cannot be split further"),
        (["orders", "--json", "--csv"], 2, "do not go together"),
    ],
)
def test_wrong_words(shop: Run, words: list[str], status: int, said: str) -> None:
    done = shop("metrics", "query", *words)
    assert done.status == status
    assert said in done.err


@pytest.mark.parametrize("window", ["1d", "28d", "12w", "1m", "6m", "13m", "1y", "2y", "mtd", "qtd", "ytd"])
@pytest.mark.parametrize("as_of", ["2026-03-10", "2026-03-31", "2024-02-29", "2026-01-01"])
def test_windows_mean_what_they_mean_in_rules(shop: Run, window: str, as_of: str) -> None:
    """A figure in a table and a figure in a rule are of the same days."""
    span = day.span_of(window, day.day_number(as_of))
    said = answer(shop("metrics", "query", "orders", "--window", window, "--as-of", as_of, "--json"))
    assert (said["from"], said["through"]) == (day.iso(span.start), day.iso(span.stop - 1))


def test_distinct_is_not_split_by_what_keeps_no_sets(shop: Run) -> None:
    done = shop("metrics", "query", "customers", "--by", "country")
    assert done.status == 2 and "in total and by channel only" in done.err
    assert shop("metrics", "query", "customers", "--by", "channel").status == 0
