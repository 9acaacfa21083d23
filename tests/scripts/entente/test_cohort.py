# SPDX-License-Identifier: Apache-2.0
"""Cohorts: released figures only, from enough partners, none of them dominant, the same for every member."""

import pytest
from entente import NotEnoughEvidence, previous
from entente.fixture import World
from entente.run import now


@pytest.fixture()
def world() -> World:
    made = World()
    for n in range(8):
        shop = made.partner(f"p{n}", industry="furniture", region="DE" if n < 3 else "SE")
        shop.days("orders", 3 + n, channel="online/web").days("orders", 1, channel="offline/agent")
        shop.days("gross", 100 * (3 + n)).days("sessions", 100)
    return made


def test_quantiles(world: World) -> None:
    peers = world.see("p0").cohort("industry")["orders"].over("10d")
    assert peers.size == 8 and peers.cohort == "industry furniture"
    assert peers.median == 75 and peers.quantile(0) == 50 and peers.quantile(0.25) == 57.5
    assert peers.share(at_least=100) == 0.25
    assert peers.robust_z(world.see("p0")["orders"].over("10d")) == pytest.approx(-1.18, abs=0.01)
    with pytest.raises(ValueError, match="a quarter is 0.25"):
        peers.quantile(25)


def test_every_member_sees_the_same_figures(world: World) -> None:
    seen = {
        str(world.see(p).cohort("industry")["conversion_rate"].over("28d").quantile(0.3))
        for p in world.partners
    }
    assert len(seen) == 1


def test_three_digits(world: World) -> None:
    world.partners["p3"].days("gross", 1.2345)
    world.partners["p4"].days("gross", 1.2345)
    median = world.see("p0").cohort("industry")["revenue.net"].over("28d").median
    assert median.fraction == round(median.fraction, -2)


def test_a_thin_cohort_widens_or_is_not_known(world: World) -> None:
    who = world.see("p0")
    peers = who.cohort("industry", "region")["orders"].over("28d")
    assert (peers.cohort, peers.size) == ("industry furniture", 8)
    assert now.reads[-1].cohort == "industry furniture"
    with pytest.raises(
        NotEnoughEvidence, match="known for 3 of 3 partners of region DE; fewer than 5"
    ) as missing:
        who.cohort("region")["orders"].over("28d")
    assert missing.value.asks[0].what == "orders of 2 more partners of region DE"
    assert now.reads[-1].state == 1
    assert who.cohort()["orders"].over("28d").cohort == "all partners"


def test_partners_that_do_not_know_the_figure_do_not_count(world: World) -> None:
    for name in ("p1", "p2", "p3"):
        world.partners[name].hole("traffic", "2026-06-01", "2026-06-30")
    assert world.see("p0").cohort("industry")["sessions"].over("28d").size == 5
    world.partners["p4"].hole("traffic", "2026-06-01", "2026-06-30")
    with pytest.raises(NotEnoughEvidence):
        world.see("p0").cohort("industry")["sessions"].over("28d")


def test_one_partner_that_holds_most_is_not_told(world: World) -> None:
    world.partners["p7"].days("gross", 100_000)
    with pytest.raises(NotEnoughEvidence, match="one partner of industry furniture holds most"):
        world.see("p0").cohort("industry")["revenue.net"].over("28d")
    assert world.see("p0").cohort("industry")["aov"].over("28d").size == 8


def test_no_profile_no_peers(world: World) -> None:
    world.partner("lone").days("orders", 3)
    with pytest.raises(NotEnoughEvidence, match="has no industry in its profile"):
        world.see("lone").cohort("industry")


def test_all_partners_will_do_where_the_rule_says_so(world: World) -> None:
    world.partner("lone").days("orders", 3)
    assert world.see("lone").cohort("industry", or_all=True)["orders"].over("28d").cohort == "all partners"
    peers = world.see("p0").cohort("region", or_all=True)["orders"].over("28d")
    assert (peers.cohort, peers.size) == ("all partners", 9)


def test_parts_and_changes(world: World) -> None:
    who = world.see("p0")
    online = who.cohort("industry").of(who["orders"].where(side="online")).over("10d")
    assert online.median == 65
    change = who.cohort("industry")["orders"].change("28d", since=previous("28d"))
    assert change.median == 0 and str(change.unit) == "ratio"
    assert now.reads[-1].metric == "orders change"


def test_what_was_worked_out_once_is_kept(world: World) -> None:
    who = world.see("p0")
    assert who.cohort("industry")["orders"].over("28d") is who.cohort("industry")["orders"].over("28d")
