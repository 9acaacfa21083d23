# SPDX-License-Identifier: Apache-2.0
"""Exchange rates from a table to a figure: what a shop sold in other currencies is converted day by day, exactly and
rounded once, whichever way the table quotes, and a day without a rate makes a window unknown and is named.

The figures are computed again here, with fractions."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))
DATA = Path(os.environ.get("ENTENTE_DATA", SOURCE.parent / "shared" / "data"))

PROJECT = """
version: 1
store: ./store
currency: CURRENCY
as_of: AS_OF
sandbox: required
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  orders:
    partner: shop
    from: {glob: ./data/*}
    decode: {csv: {fact: order, columns: {key: id, at: date, gross: gross, currency: currency}}}
  fx:
    from: {glob: ./fx/*}
    decode: {rates: OPTIONS}
rules: {books: [./rules]}
"""
RULE = '''
from entente import insight, rule


@rule(practice="informative")
def sold(partner, *, window="4d"):
    """What was sold."""
    yield insight(f"sold for {partner['revenue.net'].over(window):,.6f}", key="sold")
'''
ONE = 10**12  # rates are kept with twelve decimals


@dataclass
class Shop:
    """A shop whose orders and rates are written to files and read by a run."""

    folder: Path
    options: str
    rates: str
    orders: list[tuple[str, str, str]]  # day, amount, currency
    currency: str = "EUR"
    as_of: str = "2024-03-04"
    told: dict[str, Any] = field(default_factory=dict)

    def run(self) -> Shop:
        """Reads all; the balance has to close."""
        for name in ("data", "fx", "rules"):
            (self.folder / name).mkdir()
        config = PROJECT.replace("OPTIONS", self.options).replace("CURRENCY", self.currency)
        (self.folder / "entente.yaml").write_text(config.replace("AS_OF", self.as_of))
        (self.folder / "rules" / "sold.py").write_text(RULE)
        (self.folder / "fx" / "rates.csv").write_text(self.rates)
        rows = "".join(f"{i},{day},{amount},{unit}\n" for i, (day, amount, unit) in enumerate(self.orders, 1))
        (self.folder / "data" / "orders.csv").write_text("id,date,gross,currency\n" + rows)
        self.told = self.ask("run")
        assert all(b["closes"] for b in self.told["balance"]), self.told
        return self

    def ask(self, *words: str) -> Any:
        """What a command answers as JSON."""
        done = subprocess.run(
            [BIN / "entente", *words, "--json"],
            cwd=self.folder,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout, parse_float=Decimal, parse_int=Decimal)

    def revenue(self) -> dict[str, Any]:
        """Of the days with orders."""
        days = sorted(day for day, _, _ in self.orders)
        answer = self.ask("metrics", "query", "revenue.net", "--by", "partner", "--from", days[0], "--to", days[-1])
        figure: dict[str, Any] = answer["rows"][0]["figures"]["revenue.net"]
        return figure


def half_even(x: Fraction) -> int:
    """The nearest whole number; of two, the even one."""
    return round(x)


def money(micro: int) -> Decimal:
    """Exactly."""
    return Decimal(micro) / 10**6


ECB = """Date,USD,JPY,CYP,GBP,CHF,
2024-03-04,1.0846,163.05,N/A,0.8556,0.96,
2024-03-02,1.0807,N/A,N/A,0.85600,0.957,
2024-03-01,1.0812,162.99,N/A,0.8555,0.9555,
"""
ORDERS = [
    ("2024-03-01", "100.00", "EUR"),
    ("2024-03-01", "1234.56", "USD"),
    ("2024-03-02", "77.31", "GBP"),
    ("2024-03-02", "15000", "JPY"),
    ("2024-03-03", "19.99", "USD"),
    ("2024-03-04", "1000000.01", "CHF"),
]
#: 1 EUR of each day; a rate holds until the next one.
RATES = {
    ("2024-03-01", "USD"): "1.0812",
    ("2024-03-02", "GBP"): "0.856",
    ("2024-03-02", "JPY"): "162.99",
    ("2024-03-03", "USD"): "1.0807",
    ("2024-03-04", "CHF"): "0.96",
}


def in_euro() -> int:
    """The orders in euro, in millionths, rounded once."""
    total = Fraction(0)
    for day, amount, unit in ORDERS:
        rate = half_even(ONE / Fraction(RATES[day, unit])) if unit != "EUR" else ONE
        total += Fraction(amount) * 10**6 * Fraction(rate, ONE)
    return half_even(total)


def test_a_wide_table_converts_what_was_sold(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{base: EUR, who: ECB}", ECB, ORDERS).run()
    assert shop.revenue()["value"] == money(in_euro())
    [finding] = list(shop.ask("findings"))  # and a rule reads it
    assert finding["text"] == f"sold for {money(in_euro()):,.6f}"


def test_both_ways_of_quotation_give_the_same(tmp_path: Path) -> None:
    orders = [
        ("2024-03-01", "80.00", "USD"),
        ("2024-03-02", "0.01", "USD"),
        ("2024-03-03", "1.23", "USD"),
        ("2024-03-04", "5", "EUR"),
    ]
    tables = {
        "dollars": ("{}", "date,from,to,rate\n2024-03-01,EUR,USD,1.25\n"),
        "euros": ("{}", "date,from,to,rate\n2024-03-01,USD,EUR,0.80\n"),
        "wide": ("{base: EUR}", "Date,USD,GBP,\n2024-03-01,1.25,0.9,\n"),
        "turned": ("{base: EUR, quoted: per-unit}", "Date,USD,GBP\n2024-03-01,0.8,1.1\n"),
        "inverse": ("{base: EUR, inverse: [USD]}", "Date,USD,GBP\n2024-03-01,0.8,0.9\n"),
        "pairs": ("{}", "Pair,Date,Rate\nEUR/USD,2024-03-01,1.250\n"),
        "month": ("{base: EUR}", "Month,Currency,Rate\n2024-03,USD,1.25\n"),
        "hundred": ("{base: EUR, quoted: per-unit, units: {USD: 100}}", "Date,Currency,Rate\n2024-03-01,USD,80\n"),
        "series": ("{}", "observation_date,DEXUSEU\n2024-03-01,1.25\n2024-03-02,\n"),
    }
    for name, (options, table) in tables.items():
        (tmp_path / name).mkdir()
        shop = Shop(tmp_path / name, options, table, orders).run()
        assert shop.revenue()["value"] == Decimal("69.992"), name


def test_rounded_once_and_half_even(tmp_path: Path) -> None:
    half = "Date,USD,GBP\n2024-03-01,2,2\n"
    days = ("2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04")
    for name, amounts, expected in (
        ("half", ("0.000001", "0.000001", "0.000001", "0"), "0.000002"),  # 1.5; each day for itself would be 0
        ("even", ("0.000001", "0.000002", "0.000001", "0.000001"), "0.000002"),  # 2.5
    ):
        (tmp_path / name).mkdir()
        orders = [(day, amount, "USD") for day, amount in zip(days, amounts, strict=True)]
        assert Shop(tmp_path / name, "{base: EUR}", half, orders).run().revenue()["value"] == Decimal(expected)


def test_large_sums_do_not_overflow(tmp_path: Path) -> None:
    orders = [(f"2024-03-0{d}", "4000000000000", "JPY") for d in (1, 2, 3, 4)]
    shop = Shop(tmp_path, "{base: EUR, quoted: per-unit}", "Date,JPY,USD\n2024-03-01,0.006135,0.9\n", orders).run()
    assert shop.revenue()["value"] == 98160000000


def test_a_missing_rate_makes_the_window_unknown_and_is_named(tmp_path: Path) -> None:
    orders = [
        ("2024-03-01", "10", "USD"),
        ("2024-03-02", "20", "GBP"),
        ("2024-03-03", "1", "USD"),
        ("2024-03-04", "1", "USD"),
    ]
    table = "Date,USD,GBP\n2024-02-29,1.25,N/A\n2024-03-01,1.3,\n"
    shop = Shop(tmp_path, "{base: EUR}", table, orders).run()
    figure = shop.revenue()
    assert (figure["value"], figure["state"]) == (None, "no_rate")
    assert "2024-03-02" in figure["reason"]
    assert shop.told["judged"]["unknown"] == 1
    (tmp_path / "fx" / "later.csv").write_text("Date,USD,GBP\n2024-03-02,1.3,0.8\n")
    shop.ask("run")
    dollar, pound = half_even(ONE / Fraction("1.3")), half_even(ONE / Fraction("0.8"))
    assert shop.revenue()["value"] == money(half_even(Fraction(12 * dollar + 20 * pound, ONE) * 10**6))


def test_a_rate_holds_for_35_days(tmp_path: Path) -> None:
    first = date(2024, 1, 31)
    for days, state in ((34, "known"), (35, "no_rate")):
        day = first + timedelta(days)
        (tmp_path / state).mkdir()
        table, orders = f"Date,USD,GBP\n{first},2,2\n", [(str(day), "10", "USD")]
        shop = Shop(tmp_path / state, "{base: EUR}", table, orders, as_of=str(day)).run()
        assert shop.revenue()["state"] == state


def test_by_way_of_the_currency_that_both_are_quoted_against(tmp_path: Path) -> None:
    orders = [("2024-03-01", "100", "USD"), ("2024-03-02", "100", "EUR"), ("2024-03-04", "100", "GBP")]
    shop = Shop(tmp_path, "{base: EUR}", ECB, orders, currency="GBP").run()
    euro = [half_even(Fraction(rate) * ONE) for rate in ("0.8555", "0.856")]
    dollar = half_even(euro[0] / Fraction("1.0812"))
    assert shop.revenue()["value"] == money(half_even(Fraction(100 * 10**6 * (dollar + euro[1]), ONE)) + 100 * 10**6)


def test_of_a_month_and_a_day_the_day_counts(tmp_path: Path) -> None:
    table = "date,from,to,rate\n2024-03,USD,EUR,0.5\n2024-03-01,USD,EUR,0.25\n2024-03-01,EUR,USD,2.5\n"
    orders = [("2024-03-01", "100", "USD")]
    assert Shop(tmp_path, "{}", table, orders).run().revenue()["value"] == 25


def test_a_table_that_does_not_say_against_what_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{}", ECB, ORDERS)
    with pytest.raises(AssertionError, match="write base: EUR"):
        shop.run()


def test_the_federal_reserves_table(tmp_path: Path) -> None:
    path = DATA / "exchange_rates" / "monthly.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    options = "{base: USD, inverse: [Australia, Euro, Ireland, New Zealand, United Kingdom]}"
    sold = ("EUR", "JPY", "AUD", "CHF")
    orders = [(f"2015-06-{day}", "100", unit) for day, unit in enumerate(sold, 10)]
    shop = Shop(tmp_path, options, path.read_text(), orders, currency="USD", as_of="2015-06-13").run()
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    [balance] = [b for b in shop.told["balance"] if b["source"] == "fx"]
    venezuela = sum(row[1] == "Venezuela" and row[2] not in ("", ".") for row in rows)
    assert balance["records"] == len(rows) and balance["rejected"] >= venezuela
    of = {row[1]: Fraction(row[2]) for row in rows if row[0] == "2015-06-01" and row[2]}
    total = Fraction(0)
    for name, turned in (("Euro", False), ("Japan", True), ("Australia", False), ("Switzerland", True)):
        total += 100 * 10**6 * Fraction(half_even((1 / of[name] if turned else of[name]) * ONE), ONE)
    assert shop.revenue()["value"] == money(half_even(total))
