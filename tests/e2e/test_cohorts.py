# SPDX-License-Identifier: Apache-2.0
"""The log of what is told of cohorts, through the whole program: what is subtracted from each other is not told, on one day
or on several, and a cohort stays known when somebody joins."""

from pathlib import Path
from typing import Any

import pytest
from project import Project
from shop import export, orders

BOOK = '''"""Compares."""
from entente import Findings, Partner, if_known, insight, rule


@rule(practice="informative", audience="both")
def together(partner: Partner) -> Findings:
    """What peers have."""
    for by in (("industry", "region"), ("industry",), ("region",)):
        with if_known(" ".join(by)):
            peers = partner.cohort(*by)["orders"].over("28d")
            yield insight(f"{peers.cohort}: {peers.size}, {peers.median}", key=by)
'''


class Partners:
    """A project with made-up partners, each with a shop of its own."""

    def __init__(self, folder: Path) -> None:
        self.profiles: dict[str, tuple[str, str]] = {}
        self.project = Project(folder, "", rules="  books: [./rules]")
        self.project.write("rules/book.py", BOOK)

    def add(self, name: str, industry: str, region: str) -> None:
        self.profiles[name] = industry, region
        seed = len(self.profiles)
        self.project.write(f"{name}.csv", export(orders(60 + 3 * seed, seed=seed)), dated=seed)

    def run(self) -> dict[str, Any]:
        p = self.project
        p.partners = "\n".join(
            f"  {name}: {{industry: {industry}, region: {region}}}" for name, (industry, region) in self.profiles.items()
        )
        p.sources = "".join(
            f"  {name}-shop:\n    partner: {name}\n    from: {{file: ./{name}.csv}}\n    decode: shopify\n"
            for name in self.profiles
        )
        p.configure()
        p.run()
        record = p.record("together", "p00")
        return {found["key"]: found["text"] for found in record["findings"]}

    def log(self, *words: str) -> list[dict[str, Any]]:
        told = self.project.entente("cohorts", *words)
        assert told.status == 0, told.err
        listed: Any = told.json
        return list(listed)


@pytest.fixture()
def partners(tmp_path: Path) -> Partners:
    made = Partners(tmp_path)
    for n in range(9):
        made.add(f"p{n:02}", "tea", "DE")
    made.add("p09", "tea", "AT")
    return made


def test_what_differs_by_one_is_told_once(partners: Partners) -> None:
    """Industry and region lack one of the industry, and so does the region alone, which only the core can see."""
    said = partners.run()
    assert said["industry"].startswith("industry tea: 10, ")
    assert said["industry region"] == said["industry"]
    assert "region" not in said
    record = partners.project.record("together", "p00")
    assert any("differ by too few partners" in why for why in record["missed"])
    shown = [row for row in partners.log() if row["state"] == "shown"]
    assert [(row["figure"], row["cohort"], row["partners"], row["days"]) for row in shown] == [("orders", "industry tea", 10, 28)]
    refused = {row["cohort"]: row["why"] for row in partners.log("--refused")}
    assert set(refused) == {"industry tea, region DE", "region DE", "industry tea, region AT", "region AT"}
    assert "fewer than 5 partners more" in refused["industry tea, region DE"]
    assert partners.log("AT", "--refused")[0]["why"].startswith("orders, ")


def test_a_second_run_says_the_same_and_adds_nothing(partners: Partners) -> None:
    first, log = partners.run(), partners.log()
    partners.project.write("p00.csv", export(orders(63, seed=1)), dated=100)  # the same, written again
    assert partners.run() == first
    assert [row for row in partners.log() if row["state"] == "shown"] == [row for row in log if row["state"] == "shown"]


def test_who_joins_alone_waits(partners: Partners) -> None:
    first = partners.run()
    for n in range(10, 14):
        partners.add(f"p{n}", "tea", "AT")
        assert partners.run()["industry"] == first["industry"]  # and not one figure of who came is in it
    partners.add("p14", "tea", "AT")
    assert partners.run()["industry"].startswith("industry tea: 15, ")
    assert [row["partners"] for row in partners.log("tea") if row["cohort"] == "industry tea"] == [10, 15]


def test_it_is_listed_for_people(partners: Partners) -> None:
    partners.run()
    with partners.project.start("cohorts") as child:
        out, _ = child.communicate(timeout=60)
    assert "industry tea" in out and "1 shown, 4 refused" in out
    with partners.project.start("cohorts", "coffee") as child:
        out, _ = child.communicate(timeout=60)
    assert out == "no figures of a cohort of that name were asked for\n"
