# SPDX-License-Identifier: Apache-2.0
"""Rules that read orders one by one: who sold, who bought, of what, and at which step carts are left."""

import pytest
from entente.books import Books
from entente.fixture import FixturePartner, World


@pytest.fixture()
def world() -> World:
    return World(as_of="2026-06-30")


def rated(world: World) -> FixturePartner:
    """Two agents who sold in the year before; one of them loses her customer to the web."""
    shop = world.partner("a")
    shop.cover("sales", "2024-01-01", "2026-06-30")
    shop.note("agreements", id="m", name="Master", starts="2024-01-01", state="active")
    shop.note("terms", id="t", title="Commission", kind="commission.rate", value=10, unit="%", agreement="m")
    for month in range(1, 7):
        shop.order(f"2025-0{month}-10", net=1000, customer="old", agent="eva", channel="agent/visit")
        shop.order(f"2025-0{month}-11", net=1000, customer="new", agent="tom", channel="agent/visit")
        shop.order(f"2026-0{month}-11", net=1100, customer="new", agent="tom", channel="agent/visit")
    return shop


def test_agents_whose_customers_order_online(book: Books, world: World) -> None:
    rule, shop = book.rule("agents_keep_their_pay"), rated(world)
    for month in range(1, 7):
        shop.order(f"2026-0{month}-10", net=1000, customer="old", side="online")
    said = world.judge(rule, "a")
    assert said.verdict is True, (said.error, said.missed)
    by = {f.key: f for f in said.findings}
    assert by["last touch"].kind == "red_flag" and by["last touch"].text == "Under last touch, 1 of 2 agents earn less, 600 EUR in all"
    assert by["customer of record"].kind == "insight", "who brought the customer is paid as before"
    assert by["decay"].kind == "red_flag" and by["decay"].worth is not None and 200 < by["decay"].worth.number < 600
    assert world.judge(rule, "a", half_life_days=100000).findings[-1].kind == "insight"


def test_agents_are_asked_for(book: Books, world: World) -> None:
    rule, shop = book.rule("agents_keep_their_pay"), world.partner("a")
    for month in range(1, 7):
        shop.order(f"2026-0{month}-10", net=1000, customer="old", side="online")
    said = world.judge(rule, "a")
    assert said.verdict == "unknown" and said.asks[0].text == "the agent of orders (no source gives it so far)"
    shop = rated(World())
    shop.registers.pop("terms")
    said = shop.world.judge(rule, "a")
    assert said.verdict == "unknown" and said.asks[0].metric == "terms"


def growing(world: World) -> FixturePartner:
    shop = world.partner("a").cover("sales", "2025-01-01", "2026-06-30")
    shop.order("2025-09-01", net=500, customer="moves", side="offline").order("2025-09-02", net=100, customer="more", side="online")
    shop.order("2026-03-01", net=400, customer="moves", side="online").order("2026-03-02", net=200, customer="moves", side="offline")
    return shop.order("2026-03-03", net=300, customer="more", side="online").order("2026-03-04", net=400, customer="fresh", side="online")


def test_where_online_growth_came_from(book: Books, world: World) -> None:
    rule, shop = book.rule("online_growth_is_new"), growing(world)
    said = world.judge(rule, "a")
    assert said.verdict is True, said.error
    [found] = said.findings
    assert "Of 1,000 EUR that customers bought more online" in found.text
    assert "40% is of new customers, 30% extra, 30% moved from offline" in found.text
    for day in range(1, 4):
        shop.order(f"2026-04-0{day}", net=10, side="online")
    said = world.judge(rule, "a")
    assert said.verdict == "unknown" and said.asks[0].text == "the customer of orders"


def test_no_growth_online(book: Books, world: World) -> None:
    world.partner("a").cover("sales", "2025-01-01", "2026-06-30")
    world.partners["a"].order("2025-09-01", net=500, customer="x", side="online").order("2026-03-01", net=400, customer="x", side="online")
    assert world.judge(book.rule("online_growth_is_new"), "a").verdict is False


def test_a_category_that_peers_live_from(book: Books, world: World) -> None:
    rule = book.rule("missing_mix")
    for n in range(7):
        world.partner(f"p{n}", industry="furniture").days("gross", 80 + n, category="beds").days("gross", 40 + n, category="lamps")
    shop = world.partner("a", industry="furniture").days("gross", 100, category="beds")
    said = world.judge(rule, "a")
    assert said.verdict is True, (said.error, said.missed)
    [found] = said.findings
    assert found.key == "lamps" and found.kind == "opportunity" and found.text == "lamps: 0.0% of revenue, 34.0% at the median of 8 peers"
    shop.days("gross", 50, category="lamps")
    assert world.judge(rule, "a").verdict is False
    shop.days("gross", 50)
    said = world.judge(rule, "a")
    assert said.verdict == "unknown" and said.asks[0].text == "a map of categories"


def test_the_step_at_which_carts_leak(book: Books, world: World) -> None:
    rule = book.rule("carts_leak")
    for n in range(8):
        world.partner(f"p{n}", industry="furniture").days("orders", 10).days("carts_left", 10 + n % 3).days("carts_left_value", 500)
    shop = world.partner("p0").days("carts_left", 15)
    for day in range(1, 31):
        for n in range(10):
            shop.cart(f"2026-06-{day:02d}", 50, step="payment" if n < 7 else "address")
    said = world.judge(rule, "p0")
    assert said.verdict is True, said.error
    assert "peers, most of them at payment (" in said.findings[0].text
