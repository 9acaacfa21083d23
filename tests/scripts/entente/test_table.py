# SPDX-License-Identifier: Apache-2.0
"""Single facts as tables, and figures by views that no cell keeps."""

import pytest
from entente import Breakdown, Findings, Partner, RuleMistake, ask, insight, previous, red_flag, rule
from entente.fixture import FixturePartner, World
from entente.missing import NotEnoughEvidence
from entente.quantity import UnitError


@pytest.fixture()
def shop(world: World) -> FixturePartner:
    made = world.partner("nordwind", industry="furniture")
    made.order("2026-06-01T10:00", net=100, customer="anna", agent="eva", side="online", category="chairs")
    made.order("2026-06-03T09:00", net=50, customer="ben", agent="eva", side="offline", returns=10,
               lines=[{"category": "chairs", "net": 20, "units": 2}, {"category": "beds", "net": 40}])  # fmt: skip
    made.order("2026-06-02", net=30, customer="anna", side="online", status="cancelled", category="beds")
    made.order("2026-06-04", net=7, side="online")
    made.order("2026-03-04", net=11, customer="ben", side="offline")
    return made


@pytest.fixture()
def world() -> World:
    return World()


def test_rows_in_order_of_time(world: World, shop: FixturePartner) -> None:
    orders = world.see("nordwind").facts("order", "60d")
    assert len(orders) == 4 and repr(orders) == "Table(4 orders, 2 May to 30 June 2026)"
    rows = orders.by_time().rows("at", "customer", "agent", "net", "side", "day")
    assert [row.customer for row in rows] == ["anna", "anna", "ben", None]
    assert [str(row.net) for row in rows] == ["100 EUR", "30.00 EUR", "50.00 EUR", "7.00 EUR"]
    assert (rows[2].at - rows[0].at).days == 1 and str(rows[0].day) == "1 June 2026"
    assert rows[3].agent is None and [row.side for row in rows] == ["online", "online", "offline", "online"]
    assert [row.status for row in orders] == ["sold", "cancelled", "sold", "sold"]
    assert "net" in orders.columns and "side" in orders.columns


def test_where(world: World, shop: FixturePartner) -> None:
    orders = world.see("nordwind").facts("order", "60d")
    assert len(orders.where(status="sold")) == 3
    assert len(orders.where(status="sold", side="online")) == 2
    assert len(orders.where(customer=["anna", "ben"])) == 3
    assert len(orders.where(customer=None)) == 1 and len(orders.where(agent="nobody")) == 0
    assert len(orders.where(lines=2)) == 1 and len(orders.where(day=[orders.rows("day")[0].day])) == 1
    with pytest.raises(LookupError, match="orders have no column 'custmer'; did you mean 'customer'"):
        orders.where(custmer="anna")


def test_sums(world: World, shop: FixturePartner) -> None:
    partner = world.see("nordwind")
    sold = partner.facts("order", "60d").where(status="sold")
    assert str(sold.sum("net")) == "157 EUR" and sold.sum("net") == partner["revenue.net"].over("60d")
    by_agent = sold.sum("net", by="agent")
    assert str(by_agent["eva"]) == "150 EUR" and str(by_agent["nobody"]) == "0.00 EUR" and len(by_agent) == 2
    both = sold.sum("net", by=("customer", "side"))
    assert both["anna", "online"] == 2 * both["ben", "offline"] and not both["ben", "online"]
    assert both.keys(0) == ["anna", "ben", None] and both.keys(1) == ["online", "offline"]
    assert both.total() == sold.sum("net") and ("anna", "online") in both
    assert str(sold.count("customer")["ben"]) == "1" and str(sold.sum("units")) == "4 pieces"
    with pytest.raises(TypeError, match="customer is a text, and cannot be added up"):
        sold.sum("customer")
    with pytest.raises(UnitError):
        by_agent["eva"] + partner["orders"].over("60d")


def test_filled(world: World, shop: FixturePartner) -> None:
    orders = world.see("nordwind").facts("order", "60d")
    assert orders.filled("customer") == 0.75 and orders.filled("agent") == 0.5 and not orders.filled("paid_at")
    with pytest.raises(NotEnoughEvidence, match="there are no orders"):
        orders.where(customer="nobody").filled("agent")


def test_raw_columns_are_buffers(world: World, shop: FixturePartner) -> None:
    numpy = pytest.importorskip("numpy")
    orders = world.see("nordwind").facts("order", "60d")
    net = numpy.asarray(orders.raw("net"))
    assert net.sum() == 187_000_000
    assert numpy.shares_memory(net, numpy.asarray(orders.raw("net"))), "no copy"
    assert numpy.asarray(orders.where(side="offline").raw("net")).tolist() == [50_000_000]
    assert orders.texts("customer")[orders.raw("customer")[0]] == "anna"


def test_what_is_not_covered_is_unknown(world: World, shop: FixturePartner) -> None:
    shop.hole("sales", "2026-05-20", "2026-06-20")
    with pytest.raises(NotEnoughEvidence, match="not known for 20 May to 20 June"):
        world.see("nordwind").facts("order", "60d")
    with pytest.raises(NotEnoughEvidence, match="no source gives it"):
        world.see("nordwind").facts("visit", "60d")
    with pytest.raises(NotEnoughEvidence, match="marketing contacts: no source gives them"):
        world.see("nordwind").facts("touch", "60d")
    with pytest.raises(NotEnoughEvidence, match="the register contacts is not kept"):
        world.see("nordwind").facts("contact", "60d")
    with pytest.raises(ValueError, match="no facts are called 'ordr'"):
        world.see("nordwind").facts("ordr", "60d")


def test_nothing_is_later_than_today(world: World, shop: FixturePartner) -> None:
    shop.order("2026-07-02", net=1000, customer="anna")
    shop.judged_on("2026-06-02")
    orders = world.see("nordwind").facts("order", "60d")
    assert len(orders) == 2 and str(max(orders.values("day"))) == "2 June 2026"


def test_missing_rate_names_the_day(world: World, shop: FixturePartner) -> None:
    world.rate("USD", {"2026-06-10": 0.5})
    shop.order("2026-06-10", net=10, customer="zoe", currency="USD")
    assert str(world.see("nordwind").facts("order", "60d").where(customer="zoe").sum("net")) == "5.00 EUR"
    shop.order("2026-06-11", net=10, customer="tim", currency="USD")
    orders = world.see("nordwind").facts("order", "60d")
    assert str(orders.where(customer="zoe").sum("net")) == "5.00 EUR", "what is not read may be missing"
    with pytest.raises(NotEnoughEvidence, match="net of orders, 11 June 2026: an exchange rate is missing") as missed:
        orders.sum("net")
    assert missed.value.asks[0].text == "the rate of USD to EUR, 11 June 2026"
    assert orders.shown()[-1][-1] is None


def test_other_kinds(world: World) -> None:
    shop = world.partner("nordwind")
    shop.cart("2026-06-05T10:00", 80, step="payment").cart("2026-06-06", 20, step="address", status="recovered")
    shop.visit("2026-06-05", load_time=2.4, purchase=True, visitor="v").touch("2026-06-05", channel="mail", cost=3)
    shop.order("2026-06-01", net=10, key="A7", category="beds").refund("2026-06-07", "A7", 4)
    shop.note("contacts", at="2026-06-03T09:30:00Z", kind="mail", with_="purchasing", answered_at="2026-06-03T10:00:00Z")
    shop.keeps("contacts", "2026-01-01")
    see = world.see("nordwind").facts
    assert [(c.status, c.step, str(c.value)) for c in see("cart", "60d")] == [
        ("left", "payment", "80.00 EUR"), ("recovered", "address", "20.00 EUR")]  # fmt: skip
    [visit] = see("visit", "60d")
    assert visit.purchase and str(visit.load_time) == "2.4 s" and not visit.cart
    [touch], [refund], [line], [contact] = see("touch", "60d"), see("refund", "60d"), see("line", "60d"), see("contact", "60d")
    assert (touch.channel, str(touch.cost)) == ("mail", "3.00 EUR") and (refund.order, line.order) == ("A7", "A7")
    assert (contact.kind, contact.whom, contact.held) == ("mail", "purchasing", None)
    assert (contact.answered_at - contact.at).seconds == 1800 and line.category == "beds"


def test_reads_are_evidence(world: World, shop: FixturePartner) -> None:
    @rule(practice="homework")
    def reads(partner: Partner) -> Findings:
        """Reads facts, and a view of them."""
        orders = partner.facts("order", "60d")
        parts = partner["revenue.net"].by("customer").over("60d")
        yield red_flag(f"{len(orders)} orders of {len(parts)}", rows=orders.where(side="offline"))

    said = world.judge(reads, "nordwind")
    assert said.verdict is True, said.error
    facts = [r for r in said.reads if r.metric == "facts.order"]
    assert [(r.top, r.slice) for r in facts][:2] == [(4, ""), (4, "by customer")] and facts[0].covered == 60
    rows = said.record()["findings"][0]["rows"]
    assert rows[0] == ["day", "key", "customer", "agent", "channel", "status", "net"]
    assert rows[1:] == [["3 June 2026", "#2", "ben", "eva", "offline/store", "sold", "50.00 EUR"]]


def test_columns_that_a_rule_needs(world: World, shop: FixturePartner) -> None:
    @rule(practice="homework", needs={"orders": "agent paid_at", "sessions": ""})
    def needy(partner: Partner) -> Findings:
        """Cannot do without."""
        yield insight("never")

    def other(partner: Partner) -> Findings:
        """Names what has no columns."""
        yield insight("never")

    said = world.judge(needy, "nordwind")
    assert said.verdict == "unknown" and not said.findings
    assert said.asks[0].text == "the paid_at of orders (no source gives it so far)" and needy.needs == ("orders", "sessions")
    shop.order("2024-01-01", net=1, paid_at="2024-01-03")
    assert world.judge(needy, "nordwind").verdict is True, "once is enough"
    with pytest.raises(RuleMistake, match="'stock' has no columns"):
        rule(practice="homework", needs={"stock": "agent"})(other)
    assert ask("orders", field="customer").text == "the customer of orders" and ask("map", name="categories").text == "a map of categories"


def test_views_of_facts(world: World, shop: FixturePartner) -> None:
    revenue = world.see("nordwind")["revenue.net"]
    customers = revenue.by("customer").over("60d")
    assert {key: str(value) for key, value in customers.items()} == {"anna": "100 EUR", "ben": "50.00 EUR"}
    assert customers.largest().key == "anna" and customers.share(None) == customers["ben"] * 0.14 / customers.total
    assert customers.hhi() == customers.share("anna") * customers.share("anna") + customers.share("ben") * customers.share("ben")
    categories = revenue.by("category").over("60d")
    assert {key: str(value) for key, value in categories.items()} == {"beds": "40.00 EUR", "chairs": "120 EUR"}
    assert str(revenue.where(customer="ben").over("60d")) == "50.00 EUR" and list(categories.shares()) == ["beds", "chairs"]
    with pytest.raises(NotEnoughEvidence, match="as a whole and by channel alone"):
        world.see("nordwind")["customers"].by("category").over("60d")


def test_steps_and_load_times(world: World) -> None:
    shop = world.partner("nordwind")
    for step, n in (("payment", 3), ("address", 1), (None, 5)):
        for _ in range(n):
            shop.cart("2026-06-05", 10, step=step)
    for seconds, bought in ((0.4, True), (2.2, True), (2.3, False), (20.0, False), (None, False), (12.0, False)):
        shop.visit("2026-06-05", load_time=seconds, purchase=bought)
    partner = world.see("nordwind")
    steps = partner["carts.left"].by("step").over("60d")
    assert steps.largest().key == "payment" and steps.share(None) == steps["payment"] * 5 / 3 / steps.total
    sessions = partner["sessions"].by("load_time").over("60d")
    rate = partner["conversion_rate.analytics"].by("load_time").over("60d")
    assert list(sessions) == list(rate) == ["0-0.5 s", "2-2.5 s", "10-15 s", "15 s and more"]
    assert [m.number for m in rate.midpoints] == [0.25, 2.25, 12.5, 17.5]
    assert [str(v) for v in rate.values] == ["100.0%", "50.0%", "0.00%", "0.00%"]
    with pytest.raises(NotEnoughEvidence, match="conversion_rate is made of facts that have no load_time"):
        shop.order("2026-06-05", net=1)
        world.see("nordwind")["conversion_rate"].by("load_time").over("60d")
    with pytest.raises(TypeError, match="'web' is no load time"):
        _ = Breakdown("x", {"web": rate.values[0]}, None).midpoints


def test_affinity(world: World) -> None:
    shop = world.partner("nordwind")
    for n in range(60):
        both = n % 2 == 0
        made = [{"category": "beds", "net": 10}, {"category": "sheets", "net": 5}] if both else [{"category": "lamps", "net": 5}]
        shop.order("2026-06-05", lines=made, customer=f"c{n}")
    affinity = world.see("nordwind").affinity("category", "60d")
    assert affinity.between("beds", "sheets") == (30 + 10) / (15 + 10)
    assert affinity.between("beds", "lamps") == (0 + 10) / (15 + 10)
    assert affinity.of("beds") == 1 and affinity.of("never sold") == 1
    with pytest.raises(ValueError, match="lines of orders have no 'weather'"):
        world.see("nordwind").affinity("weather", "60d")


def test_what_origins_tell_differently(world: World) -> None:
    shop = world.partner("nordwind")
    shop.days("gross", 10).days("gross", lambda left: 12 if left == 3 else 10, origin="analytics")
    shop.declares("revenue.gross", "2026-06", 500)
    month = world.see("nordwind").months(1)[0]
    told = world.see("nordwind")["revenue.gross"].by_origin().over(month)
    rows = told.differing_rows()
    assert rows[0] == ("day", "shop", "analytics", "declared")
    assert [str(c) for c in rows[1]] == ["27 June 2026", "10.00 EUR", "12.00 EUR", "None"] and len(rows) == 3
    assert [str(c) for c in rows[-1]] == ["in all", "300 EUR", "302 EUR", "500 EUR"]
    with pytest.raises(TypeError, match="belongs to by_origin"):
        shop.days("gross", 1, channel="online/web")
        world.see("nordwind")["revenue.gross"].by("channel").over(previous("28d")).differing_rows()
