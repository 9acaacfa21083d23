# SPDX-License-Identifier: Apache-2.0
"""`entente rules explain`: a planted finding is followed to the very row of the export; changing the row changes it."""

import functools
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny
from conftest import Run, run_in

MORE = '''

@rule(practice="red_flags")
def quiet(partner: Partner, *, window: str = "10d") -> Findings:
    """Nobody speaks with them."""
    held = partner.register("contacts").during(window)
    if len(held) < 9:
        yield insight(f"{len(held)} contacts, {partner['aov'].over(window)} an order", key="quiet")


@rule(practice="red_flags", row=48)
def peers(partner: Partner, *, window: str = "10d") -> Findings:
    """What peers have."""
    yield insight(f"{partner.cohort('industry')['orders'].over(window).median}", key="peers")
'''


def planted(folder: Path) -> Path:
    """The project of tiny.py with a rule of a register and one of a cohort, and five partners to compare."""
    made = tiny.make(folder)
    config = made / "entente.yaml"
    names = ("dogwood", "elm", "fir", "gorse")
    more = "".join(f"  {name}: {{name: {name.title()}, industry: tools}}\n" for name in names)
    text = config.read_text().replace("\nchannels:", f"{more}\nchannels:")
    config.write_text(text.replace("rules:\n", "registers: {contacts: {kept_since: 2026-01-01}}\n\nrules:\n"))
    book = made / "rules" / "tiny.py"
    book.write_text(book.read_text() + MORE)
    with (made / "orders.csv").open("a") as file:
        for n, name in enumerate(names):
            for k in range(n + 1):
                file.write(f"{name}{k},{name},2026-03-0{k + 1} 10:00:00,ok,web,EUR,10.00,{n}\n")
            file.write(f"{name}-first,{name},2026-02-20 10:00:00,ok,web,EUR,10.00,{n}\n")
            file.write(f"{name}-last,{name},2026-03-10 10:00:00,ok,web,EUR,10.00,{n}\n")
    done = run_in(made, "register", "contacts", "add", "alder", "at=2026-03-04 10:00", "kind=call", "with=purchasing", "subject=prices")
    assert done.status == 0, done.err
    assert run_in(made, "run").status == 0
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("explain") / "project")


@pytest.fixture
def shop(folder: Path) -> Run:
    return functools.partial(run_in, folder)


def finding(where: Path, rule: str, partner: str = "alder") -> str:
    listed = json.loads(run_in(where, "findings", partner, "--json", "--rule", rule).out)
    rows = listed if isinstance(listed, list) else listed["findings"]
    [one] = rows
    return str(one["id"])


def explained(where: Path, which: str, *words: str) -> dict[str, Any]:
    said = run_in(where, "rules", "explain", which, "--json", *words)
    assert said.status == 0, said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


def figure(told: dict[str, Any], metric: str) -> dict[str, Any]:
    [one] = [f for f in told["figures"] if f["metric"] == metric]
    found: dict[str, Any] = one
    return found


def line_of(where: Path, file: str, key: str) -> int:
    return next(n for n, text in enumerate((where / file).read_text().splitlines(), 1) if text.startswith(f"{key},"))


def test_down_to_the_row(folder: Path, shop: Run) -> None:
    which = finding(folder, "grows")
    revenue = figure(explained(folder, which), "revenue.net")
    assert revenue["made_of"] == "cells" and revenue["records"] == 3 and revenue["top"] == 150.373456
    assert revenue["terms"] == [
        {"of": "top", "measure": "gross", "sign": 1, "sum": 150.373456},
        {"of": "top", "measure": "discount", "sign": -1, "sum": 0},
        {"of": "top", "measure": "returns", "sign": -1, "sum": 0},
    ]
    assert [(c["day"], c["gross"]) for c in revenue["cells"]] == [("2026-03-01", 100), ("2026-03-02", 50.25), ("2026-03-09", 0.123456)]
    first = revenue["rows"][0]
    assert (first["key"], first["file"], first["line"]) == ("A1", "orders.csv", line_of(folder, "orders.csv", "A1"))
    assert first["top"] == 100 and first["excerpt"] == "A9,aaaaa,9999-99-99 99:99:99,aa,aaa,AAA,999.99,9"
    assert sum(row["top"] for row in revenue["rows"]) == pytest.approx(150.373456)
    page = shop("rules", "explain", which).out
    assert "gross 150.37 - discount 0.00 - returns 0.00 = 150.37 EUR" in page
    assert f"orders.csv:{first['line']}" in page and "3 in orders.csv" in page


def test_money_of_another_currency_at_each_days_rate(folder: Path) -> None:
    revenue = figure(explained(folder, finding(folder, "quiet", "birch")), "aov")
    assert {(c["day"], c["currency"], c["rate"]) for c in revenue["cells"] if c["currency"]} == {
        ("2026-03-01", "USD", 0.9), ("2026-03-05", "USD", 0.9)}  # fmt: skip
    assert (revenue["top"], revenue["bottom"]) == (36, 2)


def test_a_ratio_has_top_and_bottom(folder: Path, shop: Run) -> None:
    which = finding(folder, "quiet")
    aov = figure(explained(folder, which), "aov")
    assert (aov["top"], aov["bottom"]) == (150.373456, 3)
    assert "(gross 150.37 - discount 0.00 - returns 0.00 = 150.37 EUR) / (orders 3)" in " ".join(shop("rules", "explain", which).out.split())


def test_entries_of_a_register(folder: Path, shop: Run) -> None:
    which = finding(folder, "quiet")
    contacts = figure(explained(folder, which), "register contacts")
    [row] = contacts["rows"]
    assert contacts["made_of"] == "register" and row["fields"]["subject"] == "prices" and row["fields"]["at"].startswith("2026-03-04")
    assert "subject prices" in " ".join(shop("rules", "explain", which).out.split())


def test_a_cohort_stops_at_what_was_released(folder: Path, shop: Run) -> None:
    which = finding(folder, "peers")
    [orders] = explained(folder, which)["figures"]
    assert orders["made_of"] == "cohort" and orders["size"] == 6 and orders["cohort"]
    assert "rows" not in orders and "top" not in orders and "records" not in orders
    page = shop("rules", "explain", which, "--rows", "50", "--days").out
    assert "a released figure" in page and "orders.csv" not in page and not any(name in page for name in ("elm", "fir", "birch"))


def test_more_with_rows_and_days(folder: Path, shop: Run) -> None:
    which = finding(folder, "grows")
    page = shop("rules", "explain", which, "--rows", "2", "--days").out
    assert "A9,aaaaa,9999-99-99 99:99:99,aa,aaa,AAA,999.99,9" in page, "masked as rejects are"
    assert "gross 100.00 EUR, status sold, channel web" in page and "and 1 more: --rows 3" in page
    assert "2026-03-09  EUR" in page
    assert "\x1b" not in page
    one = shop("rules", "explain", which, "--figures", "1").out
    assert "and 1 more figure: --figures 2" in one
    assert len(explained(folder, which, "--rows", "0")["figures"][0]["rows"]) == 0


def test_changing_the_row_changes_it(tmp_path: Path) -> None:
    where = planted(tmp_path / "project")
    which = finding(where, "grows")
    orders = where / "orders.csv"
    text = orders.read_text()
    at = orders.stat().st_mtime_ns
    orders.write_text(text.replace("A1,alder,2026-03-01 10:00:00,ok,web,EUR,100.00,7", "A1,alder,2026-03-01 10:00:00,ok,web,EUR,900.00,7"))
    os.utime(orders, ns=(at + 10**9, at + 10**9))
    page = run_in(where, "rules", "explain", which).out
    assert "(the file has changed since)" in page, "it was not read again so far"
    assert run_in(where, "run").status == 0
    told = explained(where, which, "--since", "1")
    revenue = figure(told, "revenue.net")
    assert revenue["rows"][0]["top"] == 900 and revenue["top"] == 950.373456
    [part] = revenue["why"]["parts"]
    assert (part["change"], part["moved"], part["file"], part["line"]) == ("changed", 800, "orders.csv", line_of(where, "orders.csv", "A1"))
    assert revenue["why"]["then"]["top"] == 150.373456 and told["since_run"]["run"] == 1
    page = run_in(where, "rules", "explain", which, "--since", "1").out
    assert "150.37 EUR then, 950.37 EUR now: +800.00 EUR" in page and "+800.00  changed" in page


def test_files_that_are_packed_or_gone(tmp_path: Path) -> None:
    where = tiny.make(tmp_path / "project")
    (where / "orders.csv.gz").write_bytes(gzip.compress((where / "orders.csv").read_bytes()))
    config = where / "entente.yaml"
    config.write_text(config.read_text().replace("./orders.csv", "./orders.csv.gz"))
    assert run_in(where, "run").status == 0
    which = finding(where, "sells")
    row = figure(explained(where, which), "orders")["rows"][0]
    assert (row["file"], row["line"], row["excerpt"]) == ("orders.csv.gz", None, None) and row["place"] > 0
    assert f"orders.csv.gz, byte {row['place']}" in run_in(where, "rules", "explain", which).out
    shutil.move(where / "visits.csv", where / "away.csv")
    page = run_in(where, "rules", "explain", finding(where, "grows")).out
    assert "visits.csv, byte" in page and "(the file is gone)" in page


def test_what_cannot_be_explained(folder: Path, shop: Run) -> None:
    said = shop("rules", "explain", "ffffffff")
    assert said.status == 1 and "there is no finding 'ffffffff'" in said.err
    said = shop("rules", "explain", finding(folder, "grows"), "--since", "9")
    assert said.status == 1 and "no run 9 is remembered; there are 1 to 1" in said.err
    said = shop("metrics", "why", "orders", "alder")
    assert said.status == 1 and "only one run so far" in said.err
    said = shop("metrics", "why", "ordes", "alder")
    assert said.status == 1 or said.status == 2
    assert "did you mean 'orders'?" in said.err
    said = shop("metrics", "why", "orders", "aldr")
    assert said.status == 1 and "did you mean 'alder'?" in said.err
    said = shop("metrics", "why", "orders", "alder", "--since", "yesterday")
    assert said.status == 2 and "--since does not take 'yesterday'" in said.err
