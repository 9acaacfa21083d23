# SPDX-License-Identifier: Apache-2.0
"""Deals: worth, frontier and the package for both; against trying out all packages."""

import itertools
import random

import pytest
from entente import Day, NotEnoughEvidence
from entente.deal import Deal, Package
from entente.fixture import FixturePartner, World
from entente.run import now


def interest(shop: FixturePartner, side: str, issue: str, lever: str, swing: float, **more: object) -> None:
    shop.note("interests", side=side, issue=issue, lever=lever, swing=swing, **more)


@pytest.fixture()
def shop() -> FixturePartner:
    """A rate that both fight for, a notice that only they care for, exclusiveness that is cheap to give."""
    shop = World().partner("a")
    interest(shop, "us", "rate", "money", 60, worst=10, best=4, options="4; 6; 8; 10")
    interest(shop, "them", "rate", "money", 40, worst=4, best=10)
    interest(shop, "them", "notice", "time", 20, worst=1, best=6, options="1; 3; 6")
    interest(shop, "us", "exclusive", "rights", 40, steps="no=0; year=0.8; always=1")
    interest(shop, "them", "exclusive", "rights", 40, steps="no=1; year=0.7; always=0")
    shop.note("alternatives", side="us", name="another shop", utility=0.4, probability=0.5)
    shop.note("alternatives", side="us", name="nothing", utility=0.1)
    shop.note("alternatives", side="them", name="a rival", package="rate=6; notice=1; exclusive=year")
    return shop


def offer(shop: FixturePartner, day: str, by: str, package: str, **more: object) -> FixturePartner:
    return shop.note("offers", day=day, by=by, package=package, **more)


def see(shop: FixturePartner) -> Deal:
    return shop.world.see("a").deal()


def test_worth_and_surplus(shop: FixturePartner) -> None:
    deal = see(shop)
    package = Package(deal, {"rate": 7, "notice": 6, "exclusive": "year"})
    assert deal.utility(package) == (
        pytest.approx(0.6 * 0.5 + 0.4 * 0.8),
        pytest.approx(0.4 * 0.5 + 0.2 + 0.4 * 0.7),
    )
    d_us, d_them = 0.2, 0.4 * 2 / 6 + 0.4 * 0.7
    assert deal.surplus(package) == (pytest.approx(0.62 - d_us), pytest.approx(0.68 - d_them))
    assert deal.fairness(package) == pytest.approx((0.68 - d_them) / 0.42)
    assert deal.logroll()[0][0] == "notice" and deal.logroll()[-1][0] in ("rate", "exclusive")


def test_the_best_for_both_is_that_of_trying_out_all() -> None:
    dice = random.Random(7)
    for _ in range(60):
        shop = World().partner("a")
        for n in range(dice.randint(1, 5)):
            names = [f"o{k}" for k in range(dice.randint(2, 4))]
            for side in ("us", "them"):
                steps = "; ".join(f"{name}={dice.randint(0, 4) / 4}" for name in names)
                interest(shop, side, f"i{n}", "money", dice.randint(1, 5), steps=steps)
        for side in ("us", "them"):
            shop.note("alternatives", side=side, name="x", utility=dice.choice((0, 0.3, 0.6, 0.9)))
        deal = see(shop)
        issues = deal.issues
        everything = [
            Package(deal, dict(zip(issues, options, strict=True)))
            for options in itertools.product(*(deal.options(issue) for issue in issues))
        ]
        worth = [deal.utility(p) for p in everything]
        best = {
            u
            for u in worth
            if not any(
                (v.us > u.us + 1e-9 and v.them >= u.them - 1e-9)
                or (v.us >= u.us - 1e-9 and v.them > u.them + 1e-9)
                for v in worth
            )
        }
        assert [deal.utility(p) for p in deal.frontier()] == sorted(best, reverse=True)
        fit = [s for s in map(deal.surplus, everything) if min(s) >= -1e-9]
        found = deal.nash()
        assert (found is None) == (not fit)
        if found is not None:
            s = deal.surplus(found)
            assert max(s.us, 0) * max(s.them, 0) == pytest.approx(
                max(max(f.us, 0) * max(f.them, 0) for f in fit)
            )


def test_many_issues_take_no_longer_than_they_need(shop: FixturePartner) -> None:
    for n in range(12):  # 3 · 4 · 3 · 5^12 packages
        interest(shop, "us", f"x{n}", "risk", n + 1, worst=0, best=4, options="0; 1; 2; 3; 4")
        interest(shop, "them", f"x{n}", "risk", 12 - n, worst=4, best=0)
    for entry in shop.registers["alternatives"]:
        entry.pop("package", None)
        entry["utility"] = 0.1
    deal = see(shop)
    assert deal.nash() is not None and str(deal.nash()) == str(see(shop).nash())


def test_no_zone() -> None:
    shop = World().partner("a")
    for side, worst, best in (("us", 10, 0), ("them", 0, 10)):
        interest(shop, side, "rate", "money", 1, worst=worst, best=best)
        shop.note("alternatives", side=side, name="x", utility=0.6)
    assert see(shop).nash() is None and len(see(shop).frontier()) == 5


def test_offers_levers_and_summary(shop: FixturePartner) -> None:
    offer(shop, "2026-06-01", "us", "rate=6; notice=1; exclusive=always")
    offer(shop, "2026-06-10", "them", "rate=10; notice=6; exclusive=no")
    offer(shop, "2026-06-12", "us", "rate=8", state="refused")
    offer(shop, "2026-06-14", "us", "rate=4", state="withdrawn")
    offer(shop, "2026-07-01", "us", "rate=4")  # not made yet
    deal = see(shop)
    last, before = deal.offers.last(), deal.offers.last(2)
    assert len(deal.offers) == 3 and last.day == Day(2026, 6, 12) and last.by == "us" and before.by == "them"
    assert last.options == {"rate": 8, "notice": 6, "exclusive": "no"}  # what it does not speak of stands
    assert last == Package(deal, {"exclusive": "no", "notice": 6.0, "rate": 8}) != before
    assert deal.moved("money", before, last) == (pytest.approx(0.6 / 3), pytest.approx(-0.4 / 3))
    assert deal.moved("time", deal.offers.last(3), before) == (0, pytest.approx(0.2))
    assert deal.moved("risk", before, last) == (0, 0)
    with pytest.raises(ValueError, match="'price' is no lever"):
        deal.moved("price", before, last)
    best = deal.nash()
    assert best is not None and best != last
    said = best.summary(against=last)
    assert "exclusive year instead of no" in said and " for us, " in said and "notice" not in said
    assert len(deal.offers.by("us")) == 2


def test_of_equal_packages_that_which_changes_least(shop: FixturePartner) -> None:
    interest(shop, "us", "colour", "rights", 0, steps="red=0; blue=0; green=0")
    offer(shop, "2026-06-01", "us", "rate=6; notice=1; exclusive=no; colour=green")
    shop.registers["alternatives"][-1].update(package=None, utility=0.1)
    best = see(shop).nash()
    assert best is not None and best["colour"] == "green"


@pytest.mark.parametrize(
    ("register", "fields", "why"),
    [
        (
            "interests",
            {"side": "us", "issue": "x", "lever": "risk", "swing": 1, "worst": 1},
            "needs worst and best, or steps",
        ),
        (
            "interests",
            {"side": "us", "issue": "notice", "lever": "risk", "swing": 1, "steps": "1=0"},
            "risk for one side and time",
        ),
        (
            "offers",
            {"day": "2026-06-01", "by": "us", "package": "rate=6; notice=1"},
            "does not speak of exclusive",
        ),
        (
            "offers",
            {"day": "2026-06-01", "by": "us", "package": "colour=red"},
            "speaks of colour, in which nobody",
        ),
        (
            "offers",
            {"day": "2026-06-01", "by": "us", "package": "rate=6; notice=1; exclusive=ever"},
            "'ever' in exclusive is worth to us",
        ),
        (
            "offers",
            {"day": "2026-06-01", "by": "us", "package": "rate=low; notice=1; exclusive=no"},
            "'low' in rate is no figure",
        ),
        ("alternatives", {"side": "us", "name": "x"}, "what the alternative 'x' is worth is not written"),
        ("alternatives", {"side": "us", "name": "x", "utility": 2}, "must be from 0 to 1"),
    ],
)
def test_what_is_not_clear_is_not_known(
    shop: FixturePartner, register: str, fields: dict[str, object], why: str
) -> None:
    shop.note(register, **fields)
    with pytest.raises(NotEnoughEvidence, match=why):
        see(shop).nash()


@pytest.mark.parametrize(
    ("register", "why"), [("alternatives", "what they do without a deal"), ("interests", "what they want")]
)
def test_what_they_want_must_be_written_down(shop: FixturePartner, register: str, why: str) -> None:
    shop.registers[register] = [e for e in shop.registers[register] if e["side"] == "us"]
    with pytest.raises(NotEnoughEvidence, match=f"{why} is not written down"):
        see(shop)
    shop.registers[register] = []
    with pytest.raises(NotEnoughEvidence, match=f"the register {register} is not kept"):
        see(shop)


def test_no_offer_yet_and_all_of_it_is_confidential(shop: FixturePartner) -> None:
    now.reset()
    shop.keeps("offers", "2026-01-01")
    with pytest.raises(NotEnoughEvidence, match="no offer was made yet"):
        see(shop).offers.last()
    assert now.held == [f"register {name} (confidential)" for name in ("interests", "offers", "alternatives")]
    assert {r.sharing for r in now.reads} == {"confidential"}
