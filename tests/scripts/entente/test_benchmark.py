# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: which series fits a partner, nothing that was not over yet, and what is not known."""

import pytest
from entente import Day, NotEnoughEvidence
from entente.fixture import World
from entente.partner import Partner

SHARE = {"2025-01": 0.15, "2025-04": 0.155, "2026-01": 0.16, "2026-04": 0.17}


def world(as_of: str = "2026-06-29") -> World:
    """One shop in Germany that sells furniture, and one nobody knows anything about."""
    made = World(as_of=as_of)
    made.partner("a", industry="Furniture", region="DE")
    made.partner("b")
    return made


def test_a_period_that_is_not_over_is_not_seen() -> None:
    made = world().benchmark("online_share", SHARE)
    share = made.see("a").benchmark("online_share")
    assert (len(share), share.latest().number) == (3, 0.16)
    assert share.known_until() == Day(2026, 3, 31)
    assert str(share.period) == "the first quarter of 2026"
    later = world("2026-06-30").benchmark("online_share", SHARE)  # the second quarter is over
    assert later.see("a").benchmark("online_share").latest().number == 0.17


def test_it_rose_against_the_same_period() -> None:
    share = world().benchmark("online_share", SHARE).see("a").benchmark("online_share")
    assert f"{share.change():.4f}" == "0.0667"
    with pytest.raises(NotEnoughEvidence, match="does not speak of 2024-01-01"):
        share.change(years=2)
    assert share.at(Day(2025, 6, 30)).number == 0.155
    with pytest.raises(NotEnoughEvidence):
        share.at(Day(2025, 7, 1))
    assert next((str(p), q.number) for p, q in share) == ("the first quarter of 2025", 0.15)


def test_the_series_that_says_most_of_the_partner_is_taken() -> None:
    made = world()
    made.benchmark("online_share", {"2026-01": 0.1})
    made.benchmark("online_share", {"2026-01": 0.2}, region="DE")
    made.benchmark("online_share", {"2026-01": 0.3}, region="DE", industry="furniture")
    made.benchmark("online_share", {"2026-01": 0.4}, region="US", industry="furniture")

    def share(who: str, **dims: str) -> float:
        partner: Partner = made.see(who)
        return partner.benchmark("online_share", **dims).latest().number

    assert share("a") == 0.3
    assert share("b") == 0.1
    assert share("b", region="DE") == 0.2
    assert share("b", region="US", industry="furniture") == 0.4


def test_what_nobody_gave_is_not_known_and_asked_for() -> None:
    made = world().benchmark("online_share", SHARE, region="US")
    with pytest.raises(NotEnoughEvidence, match="the benchmark rent is not known") as found:
        made.see("a").benchmark("rent")
    assert [ask.text for ask in found.value.asks] == ["the benchmark rent"]
    with pytest.raises(NotEnoughEvidence, match="it is known of region US"):
        made.see("a").benchmark("online_share")


def test_money_is_converted_and_compared_as_published() -> None:
    made = world().benchmark("online_sales", {"2025-01": 100, "2026-01": 110}, unit="money", currency="USD")
    sales = made.see("a").benchmark("online_sales")
    with pytest.raises(NotEnoughEvidence, match="an exchange rate is missing"):
        sales.latest()
    assert f"{sales.change():.3f}" == "0.100"
    made.rate("USD", 0.5)
    assert str(made.see("a").benchmark("online_sales").latest()) == "55.00 EUR"


def test_quarters_and_years_are_not_mixed() -> None:
    made = world().benchmark("online_share", SHARE).benchmark("online_share", {"2025-01": 0.152}, months=12)
    assert len(made.see("a").benchmark("online_share")) == 3
    years = made.see("a").benchmark("online_share", period="year")
    assert [str(p) for p, _ in years] == ["2025"]
    with pytest.raises(ValueError, match="is no period"):
        made.see("a").benchmark("online_share", period="week")
