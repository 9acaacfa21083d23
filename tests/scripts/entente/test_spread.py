# SPDX-License-Identifier: Apache-2.0
"""Numbers that nobody knows exactly: their quantiles are those that were said, arithmetic keeps units and what belongs
together, and the same comes out on each run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from entente import (
    Findings,
    NotEnoughEvidence,
    Partner,
    UnitError,
    count,
    money,
    opportunity,
    ratio,
    rule,
    spread,
)
from entente.fixture import World
from entente.judge import Outcome
from entente.quantity import amount
from entente.spread import Spread

EUR = amount(1, "EUR")


def near(found: Spread, low: float, middle: float, high: float, rel: float = 1e-3) -> bool:
    return [found.p10.number, found.p50.number, found.p90.number] == pytest.approx(
        [low, middle, high], rel=rel
    )


@pytest.mark.parametrize("said", [(0.03, 0.07, 0.12), (-2, 0, 5), (-0.5, -0.2, -0.1), (1, 1.001, 50)])
def test_quantiles_are_those_that_were_said(said: tuple[float, float, float]) -> None:
    found = spread.between(*said)
    assert [found.p10.number, found.p50.number, found.p90.number] == pytest.approx(said, rel=1e-5, abs=1e-5)
    assert float(found.chance(at_least=said[1])) == pytest.approx(0.5, abs=0.002)
    assert float(found.chance(at_least=said[0])) == pytest.approx(0.9, abs=0.002)
    if said[0] > 0:
        assert min(found.draws) > 0, "what is above 0 nine times in ten is so always"


def test_arithmetic_goes_by_the_rules_of_quantities() -> None:
    share = spread.between(0.1, 0.2, 0.4)
    assert near(amount(1000, "EUR") * share, 100, 200, 400) and (amount(1000, "EUR") * share).unit is EUR.unit
    assert near(share * count(50) * amount(2, "EUR") * 2, 20, 40, 80)
    assert near(1 - share, 0.6, 0.8, 0.9) and near(0 + EUR * share, 0.1, 0.2, 0.4)
    assert near(EUR - EUR * share, 0.6, 0.8, 0.9) and near(EUR / share, 2.5, 5, 10)
    assert (
        near(EUR * share / EUR, 0.1, 0.2, 0.4)
        and near(1 / share, 2.5, 5, 10)
        and near(-share, -0.4, -0.2, -0.1)
    )
    assert str(EUR * 1000 * share) == "200 EUR (100 EUR to 400 EUR)" and f"{share:.0%}" == "20% (10% to 40%)"


def test_what_belongs_together_stays_together() -> None:
    share, other = spread.between(1, 2, 3), spread.between(1, 2, 3, name="another")
    assert near(share - share, 0, 0, 0) and near(share - spread.between(1, 2, 3), 0, 0, 0)
    apart = share - other
    assert apart.p10.number < -0.8 and apart.p90.number > 0.8 and abs(apart.p50.number) < 0.1
    both = share + other  # independent: narrower than twice one of them
    assert 2.2 < both.p90.number - both.p10.number < 3.2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda s: EUR + s, "cannot add money (EUR) to a ratio"),
        (lambda s: s * EUR + count(1), "cannot add a count to money (EUR)"),
        (lambda s: s * EUR + 1, "write money(1, partner)"),
        (lambda s: (s * EUR) * EUR, "cannot multiply money (EUR) by money (EUR)"),
        (lambda s: EUR * (s * EUR), "cannot multiply money (EUR) by money (EUR)"),
        (lambda s: s / EUR, "cannot divide a ratio by money (EUR)"),
        (lambda s: (s * EUR) / (s * amount(1, "USD")), "cannot divide money (EUR) by money (USD); convert"),
        (lambda s: (s * EUR).chance(at_least=5), "cannot compare EUR with the bare number 5"),
        (lambda s: s > 0.1, "is no single number; compare its .p50, or ask for .chance(at_least=0.1)"),
        (lambda s: ratio(1, 10) < s, "is no single number; compare with its .p50"),
        (lambda s: max(ratio(1, 10), s), "is no single number"),
        (lambda s: s.chance(at_least=s), "subtract one"),
    ],
)
def test_what_cannot_be_mixed_says_so(wrong: object, says: str) -> None:
    with pytest.raises(UnitError) as error:
        wrong(spread.between(0.1, 0.2, 0.4))  # type: ignore[operator]
    assert says in str(error.value)


def test_what_may_be_nothing_does_not_divide() -> None:
    with pytest.raises(NotEnoughEvidence, match="which may be 0"):
        EUR / spread.between(-1, 1, 2)
    with pytest.raises(ValueError, match="does not hold"):
        spread.between(3, 2, 1)


def test_nobody_gains_more_than_has_been_seen() -> None:
    gain = EUR * spread.between(10, 50, 200)
    capped = gain.capped(amount(100, "EUR"))
    assert capped.p90 == amount(100, "EUR") and capped.p10 == gain.p10


def test_a_slope_is_the_line_with_its_doubt() -> None:
    found = spread.slope([1, 2, 3, 4, 5], [0.05, 0.045, 0.04, 0.035, 0.03])
    assert near(found, -0.125, -0.125, -0.125, 1e-2)
    bent = spread.slope([1, 2, 3, 4], [0.05, 0.05, 0.03, 0.035], [100, 1000, 1000, 10])
    assert bent.p10 < bent.p50 < bent.p90 < 0.2
    weighted = spread.slope([1, 2, 3, 99], [1, 2, 3, 0], [1, 1, 1, 0])
    assert weighted.p50.number == pytest.approx(0.5), "what has no weight says nothing"


def test_a_slope_joins_what_was_believed() -> None:
    believed = spread.between(-0.2, -0.1, 0)
    exactly = spread.slope([1, 2, 3, 4], [4, 3, 2, 1], prior=believed)
    assert exactly.p50.number == pytest.approx(-0.4, rel=1e-3), "the data are sure"
    loose = spread.slope([1, 2, 3], [1, 9, 2], prior=believed)
    assert abs(loose.p50.number + 0.1) < 0.02, "the data say next to nothing"
    assert spread.slope([1, 2], [1, 2], prior=believed) is believed
    with pytest.raises(NotEnoughEvidence, match="3 different points, and there are 2"):
        spread.slope([1, 2, 2], [1, 2, 3])


def test_a_slope_holds_the_true_one_eight_times_in_ten() -> None:
    import random

    dice, held = random.Random(5), 0
    for _ in range(400):
        found = spread.slope([1, 2, 3, 4, 5], [1 - 0.1 * x + dice.gauss(0, 0.05) for x in range(1, 6)])
        held += found.p10.number <= -0.1 / 0.7 <= found.p90.number
    assert 0.75 <= held / 400 <= 0.85, held


@rule(practice="consulting")
def speed(partner: Partner, *, window: str = "28d") -> Findings:
    """What faster pages are worth."""
    gain = partner["revenue.net"].over(window) * partner.prior("conversion_per_second")
    yield opportunity(f"likely {gain.p50}", worth=gain, per=window)


def world() -> World:
    made = World()
    made.partner("a").days("gross", 100)
    return made


def test_worth_may_be_a_spread() -> None:
    made = world().prior("conversion_per_second", 0.05, 0.1, 0.2, source="Deloitte 2020")
    said = made.judge(speed, "a")
    assert isinstance(said, Outcome)
    (found,) = json.loads(said.json())["findings"]
    assert found["worth"] == pytest.approx(280_000_000, rel=1e-3)
    assert found["worth_range"] == pytest.approx([140_000_000, 560_000_000], rel=1e-2)
    (read,) = [r for r in said.record()["evidence"] if r["metric"] == "prior conversion_per_second"]
    assert read["value"] == "10.0%" and read["slice"] == "p10=5.00% p90=20.0%; Deloitte 2020"


def test_what_nobody_said_is_unknown_and_asked_for() -> None:
    said = world().prior("conversion_per_secnd", 0.05, 0.1, 0.2).judge(speed, "a")
    assert said.verdict == "unknown" and said.missed == [
        "nobody said what to expect of conversion_per_second"
    ]
    assert "p10, p50, p90 and their source, under priors: in entente.yaml" in said.asks[0].text
    assert "there is conversion_per_secnd" in said.asks[0].text
    assert said.record()["evidence"][-1]["state"] == "no_coverage"


def test_what_rests_on_our_own_belief_is_not_the_partners_to_see() -> None:
    both = rule(practice="consulting", audience="both")(speed.function)
    shared = world().prior("conversion_per_second", 0.05, 0.1, 0.2, audience="both").judge(both, "a")
    assert shared.verdict is True and shared.record()["evidence"][-1]["class"] == "theirs"
    with pytest.raises(Exception, match="prior conversion_per_second"):
        world().prior("conversion_per_second", 0.05, 0.1, 0.2).judge(both, "a")


def test_priors_have_units() -> None:
    made = world().prior("deal", 1000, 2000, 5000, unit="money").prior("wait", 3, 5, 9, unit="days")
    a = made.see("a")
    assert a.prior("deal").p50 == money(2000, a) and str(a.prior("wait").p50) == "5 days"
    with pytest.raises(TypeError, match="worth= must be money"):
        opportunity("x", worth=a.prior("wait"), per="28d")


def test_chance_is_the_same_on_each_run_and_another_for_others() -> None:
    scripts = Path(__file__).resolve().parents[3] / "scripts"
    text = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_spread import *; from entente import run\n"
        "def draws(name, day):\n"
        "    w = World(as_of=day).prior('p', 1, 2, 3); w.partner('a'); w.partner('b'); a = w.see(name)\n"
        "    run.place(a, 'speed'); return round(sum(n * x for n, x in enumerate(a.prior('p').draws)), 6)\n"
        "print(draws('a', '2026-06-30'), draws('a', '2026-06-30'), draws('b', '2026-06-30'), draws('a', '2026-06-29'))"
    )
    said = [
        subprocess.run([sys.executable, "-c", text, str(Path(__file__).parent)], check=True, timeout=60,
                       env={"PYTHONPATH": str(scripts), "PYTHONHASHSEED": seed}, capture_output=True, text=True).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]
    first, again, other, before = said[0].split()
    assert first == again and len({first, other, before}) == 3
