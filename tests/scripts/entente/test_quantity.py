# SPDX-License-Identifier: Apache-2.0
"""Quantities stay exact, and unlike units do not mix."""

from fractions import Fraction

import pytest
from entente import NotEnoughEvidence, UnitError, count, ratio
from entente.fixture import World
from entente.quantity import PIECES, SECONDS, Quantity, amount


def test_sums_and_products_are_exact() -> None:
    third = ratio(1, 3)
    assert third + third + third == 1
    assert (amount(10, "EUR") * third * 3).micro == 10_000_000
    assert count(7) / count(2) == 3.5
    assert (amount(0.1, "EUR") * 3).fraction == Fraction(3, 10)
    assert sum([amount(1, "EUR"), amount(2, "EUR")], amount(0, "EUR")) == amount(3, "EUR")
    assert 0 + amount(2, "EUR") == amount(2, "EUR")
    assert 1 - ratio(1, 4) == 0.75
    assert -count(3) < 0 < count(1)


def test_a_setting_counts_as_the_decimal_that_was_written() -> None:
    assert ratio(1, 10) >= 0.1
    assert not ratio(1, 10) > 0.1
    assert ratio(3, 10) <= 0.3


def test_units_follow_through() -> None:
    assert str((count(100) * ratio(4, 100) * amount(200, "EUR")).unit) == "EUR"
    assert str((amount(6, "EUR") / amount(3, "EUR")).unit) == "ratio"
    assert str((amount(6, "EUR") / count(3)).unit) == "EUR"
    assert Quantity(2000, 1, PIECES) * amount(5, "EUR") == amount(10, "EUR")
    assert amount(5, "EUR") * Quantity(2000, 1, PIECES) == amount(10, "EUR")
    assert amount(10, "EUR") / Quantity(2000, 1, PIECES) == amount(5, "EUR")
    assert Quantity(2_500_000, 1, SECONDS) > 2.4


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: amount(1, "EUR") + amount(1, "USD"), "cannot add money (USD) to money (EUR); convert"),
        (lambda: ratio(1, 2) + count(1), "cannot add a count to a ratio"),
        (lambda: amount(1, "EUR") + 5, "cannot add the bare number 5 to EUR; write money(5, partner)"),
        (lambda: amount(1, "EUR") > 5, "cannot compare EUR with the bare number 5"),
        (lambda: amount(1, "EUR") < count(5), "cannot compare money (EUR) with a count"),
        (lambda: amount(1, "EUR") * amount(1, "EUR"), "cannot multiply money (EUR) by money (EUR)"),
        (lambda: Quantity(1, 1, SECONDS) * amount(1, "EUR"), "cannot multiply seconds by money (EUR)"),
        (lambda: count(1) / amount(1, "EUR"), "cannot divide a count by money (EUR)"),
    ],
)
def test_what_cannot_be_mixed_says_so(wrong: object, says: str) -> None:
    with pytest.raises(UnitError) as error:
        wrong()  # type: ignore[operator]
    assert says in str(error.value)


def test_dividing_by_nothing_is_missing_evidence() -> None:
    with pytest.raises(NotEnoughEvidence):
        count(1) / count(0)
    with pytest.raises(NotEnoughEvidence):
        1 / ratio(0)


@pytest.mark.parametrize(
    ("number", "rounded"),
    [(1234.5, 1230), (0.0012345, 0.00123), (999.9, 1000), (12.5, 12.5), (-1235, -1240), (1225, 1220), (0, 0)],
)
def test_released_figures_have_three_digits(number: float, rounded: float) -> None:
    assert amount(number, "EUR").rounded() == amount(rounded, "EUR")


def test_text() -> None:
    assert str(amount(12345.6, "EUR")) == "12,346 EUR"
    assert str(amount(12.345, "EUR")) == "12.35 EUR"
    assert str(ratio(1, 3)) == "33.3%" and str(ratio(1, 30)) == "3.33%"
    assert f"{ratio(1, 3):.0%}" == "33%"
    assert str(count(1500)) == "1,500"


def test_what_was_told_is_known_less_well_and_so_is_what_rests_on_it() -> None:
    world = World()
    shop = world.partner("a").days("gross", 100)
    shop.declares("revenue.gross", "2026-05", 1000, grade="B").declares("revenue.gross", "2026-04", 1000)
    a = world.see("a")
    april, may, _ = a.months(3)
    measured = a["revenue.gross"].over(may)
    told = a["revenue.gross"].where(origin="declared").over(may)
    heard = a["revenue.gross"].where(origin="declared").over(april)
    assert (measured.grade, measured.how) == (1, "measured") and (told.grade, told.how) == (0.75, "told, grade B")
    assert heard.how == "told" and heard.grade == 0.5
    for rests in (told + measured, measured - told, told / measured, measured / told, -told, abs(told), 2 * told, told / 3, 0 + told, told.rounded()):
        assert rests.grade == 0.75, rests
    assert (told + heard).grade == 0.5 and measured.grade == 1 and (1 - measured / told).how == "told, grade B"
    assert sum([measured, measured], measured).grade == 1
