# SPDX-License-Identifier: Apache-2.0
"""Metrics that a project declares itself: against counts in Python, however facts came, and after changes."""

import json
import random
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from project import ENTENTE, Project, environment
from service import serving
from shop import Order, events, export, feed, orders, table
from test_same_facts import deal

SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
  heads:
    partner: suedwind
    from: {glob: "./heads/*.csv"}
    decode:
      csv:
        system: erp
        fact: order
        columns: {key: "no", at: at, currency: currency, channel: channel, total: total}
  refunds:
    partner: suedwind
    from: {glob: "./refunds/*.csv"}
    decode:
      csv:
        system: erp
        fact: refund
        columns: {order: "no", key: id, at: at, amount: amount, kind: kind, reason: reason, currency: currency}
  analytics:
    partner: nordwind
    from: {glob: "./feed/*.json"}
    decode: {ga4: {currency: EUR}}
"""
METRICS = """\
metrics:
  orders.large: {count: order, where: {total: {at_least: 200}}}
  orders.abroad: {count: order, where: {country: [AT, US]}}
  orders.lost: {count: order, where: {status: cancelled}}
  orders.counter: {count: order, where: {channel: {starts_with: po}, total: {between: [10, 100000]}}}
  shipping.small: {sum: order.shipping, where: {units: {at_most: 3}}}
  paid_back: {sum: order.refunded, where: {refunded: {above: 0}}}
  revenue.a1: {sum: line.net, where: {sku: {starts_with: A1}}}
  lines.abroad: {count: line, where: {order.country: {not: DE}, quantity: {above: 1}}}
  skus: {distinct: line.sku, where: {price: {at_least: 50}}}
  buyers.large: {distinct: order.customer, where: {total: {at_least: 200}}}
  line_price: {distribution: line.price}
  large_share: {ratio: {of: orders.large, to: orders}}
  per_buyer: {derived: "revenue.net / customers"}
  margin: {derived: "(revenue.net - revenue.a1) * 0.5 - shipping.small / 4", unit: money}
  not_large: {derived: "1 - orders.large / orders"}
  refunds.goods: {sum: refund.amount, where: {kind: goods}}
  refunds.damaged: {count: refund, where: {reason: [damaged, broken], order.channel: web}}
  refunds.monday: {count: refund, where: {weekday: monday}}
  refund_size: {distribution: refund.amount, where: {amount: {at_least: 5}}}
  sessions.far: {count: visit, where: {pageviews: {at_least: 1}, cart: true}}
"""
MADE = [replace(o, currency="EUR") for o in orders(600, seed=7)]
FEED = {day: events(day, 40, seed=3) for day in range(3)}


def project(folder: Path, metrics: str = METRICS, workers: int = 2) -> Project:
    made = Project(folder, SOURCES, top=f"workers: {workers}\nviews: [channel, product]\n{metrics}")
    (made.folder / "exports").mkdir()
    return made


def ask(p: Project, *words: str, partner: str = "nordwind") -> dict[str, Any]:
    """What `entente metrics query` says of a partner."""
    said = subprocess.run(
        [ENTENTE, "-c", str(p.config), "metrics", "query", *words, "-p", partner, "--json"],
        env=environment(), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def figures(p: Project, *names: str) -> dict[str, Any]:
    return {name: f["value"] for name, f in ask(p, *names)["rows"][0]["figures"].items()}


def fill(p: Project, made: list[Order]) -> None:
    p.write("exports/orders.csv", export(made))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_000000000000.json", feed(lines))
    assert p.run().read["failed"] == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = project(tmp_path_factory.mktemp("own") / "whole", workers=1)
    fill(p, MADE)
    return p


def is_sold(o: Order) -> bool:
    return o.status != "voided" and not o.cancelled


def total(o: Order) -> int:
    return o.subtotal + 490


def counted(made: list[Order]) -> dict[str, float]:
    """The same by hand. In cents and counts."""
    sold = [o for o in made if is_sold(o)]
    lines = [(o, line) for o in sold for line in o.lines]
    large = [o for o in sold if total(o) >= 20000]
    return {
        "orders.large": len(large),
        "orders.abroad": sum(o.country in ("AT", "US") for o in sold),
        "orders.lost": len(made) - len(sold),
        "orders.counter": sum(o.channel == "pos" and total(o) >= 1000 for o in sold),
        "shipping.small": sum(490 for o in sold if sum(line.quantity for line in o.lines) <= 3) / 100,
        "paid_back": sum(o.refunded for o in sold) / 100,
        "revenue.a1": sum(line.quantity * line.price for _, line in lines if line.sku.startswith("A1")) / 100,
        "lines.abroad": sum(o.country != "DE" and line.quantity > 1 for o, line in lines),
        "skus": len({line.sku for _, line in lines if line.price >= 5000}),
        "buyers.large": len({o.customer for o in large if o.customer}),
        "large_share": round(len(large) / len(sold), 6),
        "not_large": round(1 - len(large) / len(sold), 6),
    }


def test_each_kind_is_what_python_counts(whole: Project) -> None:
    wanted = counted(MADE)
    assert {k: pytest.approx(v) for k, v in wanted.items()} == figures(whole, *wanted)
    prices = sorted(line.price / 100 for o in MADE if is_sold(o) for line in o.lines)
    assert figures(whole, "line_price")["line_price"] == pytest.approx(prices[(len(prices) - 1) // 2], rel=0.01)


def test_derived_metrics_are_made_of_the_others(whole: Project) -> None:
    got = figures(whole, "margin", "per_buyer", "revenue.net", "revenue.a1", "shipping.small", "customers")
    wanted = (got["revenue.net"] - got["revenue.a1"]) / 2 - got["shipping.small"] / 4
    assert got["margin"] == pytest.approx(wanted, abs=2e-6)
    assert got["per_buyer"] == pytest.approx(got["revenue.net"] / got["customers"], abs=2e-6)


def test_they_are_cut_as_built_in_ones(whole: Project) -> None:
    """By day, by channel, and counts of orders by product: once for each that an order has."""
    by_day = ask(whole, "orders.large", "--by", "day")["rows"]
    wanted: dict[str, int] = {}
    for o in MADE:  # nordwind's days begin an hour before UTC's, two from the 31st on
        if is_sold(o) and total(o) >= 20000:
            shift = 7200 if o.at.isoformat() >= "2024-03-31T01:00" else 3600
            day = type(o.at).fromtimestamp(o.at.timestamp() + shift, o.at.tzinfo).date().isoformat()
            wanted[day] = wanted.get(day, 0) + 1
    got = {row["from"]: row["figures"]["orders.large"]["value"] for row in by_day}
    assert {day: n for day, n in got.items() if n} == wanted
    channels = {row["channel"]: row["figures"]["orders.large"]["value"] for row in ask(whole, "orders.large", "--by", "channel")["rows"]}
    assert sum(channels.values()) == sum(wanted.values()) and len(channels) >= 4
    products = ask(whole, "revenue.a1", "orders.large", "--by", "product")["rows"]
    by_sku: dict[str, tuple[float, int]] = {}
    for o in MADE:
        for sku in {line.sku for line in o.lines} if is_sold(o) else ():
            net = sum(line.quantity * line.price for line in o.lines if line.sku == sku) if sku.startswith("A1") else 0
            has = by_sku.get(sku, (0.0, 0))
            by_sku[sku] = (has[0] + net / 100, has[1] + (total(o) >= 20000))
    said = {row["product"]: tuple(f["value"] for f in row["figures"].values()) for row in products}
    assert {sku: pytest.approx(v) for sku, v in by_sku.items() if any(v)} == {sku: v for sku, v in said.items() if any(v)}


def test_visits_are_counted_of_their_own_coverage(whole: Project) -> None:
    days = ("--from", "2024-03-01", "--to", "2024-03-03")
    carts = ask(whole, "sessions.far", "sessions.with_cart", *days)["rows"][0]["figures"]
    assert carts["sessions.far"]["value"] == carts["sessions.with_cart"]["value"] > 0
    assert carts["sessions.far"]["covered"] == carts["sessions.with_cart"]["covered"] == 3


@pytest.mark.parametrize("seed", range(6))
def test_split_shuffled_and_changed(whole: Project, tmp_path: Path, seed: int) -> None:
    """Files of any size and order, on any number of workers, with orders that were others before."""
    pick = random.Random(seed)
    p = project(tmp_path / "p", workers=pick.choice((1, 2, 4)))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_000000000000.json", feed(lines))
    first = [
        replace(o, lines=o.lines[:1], country="XX", refunded=10, cancelled=pick.random() < 0.3) if pick.random() < 0.5 else o
        for o in MADE
    ]
    batches = deal(pick, first, pick.randint(1, 4), pick.random() < 0.5)
    for n, batch in enumerate(batches):
        p.write(f"exports/a{pick.randrange(10**6):06d}_{n}.csv", export(batch))
        if pick.random() < 0.5:
            p.run()
    p.run()
    assert p.digest()["cells"] != whole.digest()["cells"]
    for n, batch in enumerate(deal(pick, MADE, pick.randint(1, 4), pick.random() < 0.5)):
        p.write(f"exports/b{pick.randrange(10**6):06d}_{n}.csv", export(batch), dated=86400)
        if pick.random() < 0.5:
            p.run()
    p.run()
    assert figures(p, *counted(MADE)) == {k: pytest.approx(v) for k, v in counted(MADE).items()}
    assert p.digest()["cells"] == whole.digest()["cells"]
    assert p.digest()["members"] == whole.digest()["members"]


def test_refunds_count_on_the_day_they_were_paid_back(tmp_path: Path) -> None:
    """Of orders that count: dated, with their order's fields, whichever of the two came first, and taken back with it."""
    pick = random.Random(3)
    made = [
        {"no": n, "at": f"2024-03-{n % 28 + 1:02d}T10:00:00Z", "currency": "EUR", "channel": pick.choice(("web", "pos")), "total": "90.00"}
        for n in range(120)
    ]
    paid = [
        {"no": o["no"], "id": f"r{k}", "at": f"2024-03-{pick.randint(21, 28)}", "amount": f"{pick.randint(100, 3000) / 100:.2f}",
         "kind": pick.choice(("goods", "goods", "shipping")), "reason": pick.choice(("damaged", "broken", "late", "")), "currency": "EUR"}
        for o in made for k in range(pick.randint(0, 2))
    ]  # fmt: skip
    p = project(tmp_path / "p")
    p.write("refunds/a.csv", table(paid[:50]))
    p.run()
    p.write("heads/a.csv", table(made))
    p.write("refunds/b.csv", table(paid[40:]))
    p.run()
    web = {o["no"] for o in made if o["channel"] == "web"}
    goods = sum(float(str(r["amount"])) for r in paid if r["kind"] == "goods")
    said = ask(p, "refunds.goods", "refunds.damaged", "refunds.monday", partner="suedwind")["rows"][0]["figures"]
    assert said["refunds.goods"]["value"] == pytest.approx(goods)
    assert said["refunds.damaged"]["value"] == sum(r["reason"] in ("damaged", "broken") and r["no"] in web for r in paid)
    assert said["refunds.monday"]["value"] == sum(r["at"] == "2024-03-25" for r in paid)
    days = ask(p, "refunds.goods", "--by", "day", "--from", "2024-03-21", "--to", "2024-03-28", partner="suedwind")["rows"]
    for row in days:
        wanted = sum(float(str(r["amount"])) for r in paid if r["kind"] == "goods" and r["at"] == row["from"])
        assert row["figures"]["refunds.goods"]["value"] == pytest.approx(wanted)


def definition(p: Project, name: str) -> str:
    said = subprocess.run(
        [ENTENTE, "-c", str(p.config), "metrics", "show", name, "--json"], env=environment(), stdout=subprocess.PIPE, check=True
    )
    return str(json.loads(said.stdout)["definition"])


def test_a_changed_definition_counts_anew(whole: Project, tmp_path: Path) -> None:
    """Another hash, and the same store as if it had never been otherwise; without definitions, none of it is left."""
    p = project(tmp_path / "p", METRICS.replace("at_least: 200", "at_least: 150"))
    fill(p, MADE)
    p.run()  # nothing new: what was counted is what is declared
    before = definition(p, "orders.large"), definition(p, "orders.abroad"), definition(p, "large_share")
    assert figures(p, "orders.large")["orders.large"] > counted(MADE)["orders.large"]
    p.top = f"workers: 2\nviews: [channel, product]\n{METRICS}"
    p.configure()
    # what is asked before the next run is what was counted, under its own definition
    assert definition(p, "orders.large") == before[0]
    p.run()
    after = definition(p, "orders.large"), definition(p, "orders.abroad"), definition(p, "large_share")
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, False]
    assert p.facts() == whole.facts()
    # a new name in front of the others gives them other numbers, and no other figures
    p.top = f"workers: 2\nviews: [channel, product]\n{METRICS}  a.first: {{count: line}}\n"
    p.configure()
    p.run()
    assert figures(p, *counted(MADE)) == {k: pytest.approx(v) for k, v in counted(MADE).items()}
    p.top = "workers: 2\nviews: [channel, product]"
    p.configure()
    p.run()
    bare = project(tmp_path / "bare", "")
    fill(bare, MADE)
    assert p.facts() == bare.facts()
    with sqlite3.connect(p.store / "entente.db") as db:
        assert db.execute("SELECT count(*) FROM cell WHERE custom IS NOT NULL").fetchone() == (0,)


def test_what_is_declared_and_not_counted_yet_says_so(tmp_path: Path) -> None:
    p = project(tmp_path / "p", "")
    fill(p, MADE[:50])
    p.top = f"workers: 2\nviews: [channel, product]\n{METRICS}"
    p.configure()
    said = subprocess.run(
        [ENTENTE, "-c", str(p.config), "metrics", "query", "orders.large"], env=environment(), capture_output=True, text=True
    )
    assert said.returncode != 0
    assert "'orders.large' was declared after the last run" in said.stderr and "entente run" in said.stderr


def test_money_without_a_rate_is_not_known(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    fill(p, [replace(o, currency="USD") if n == 3 else o for n, o in enumerate(MADE[:50])])
    said = ask(p, "shipping.small", "orders.large")["rows"][0]["figures"]
    assert said["orders.large"]["state"] == "known"
    assert said["shipping.small"]["state"] in ("known", "no_rate")
    assert ask(p, "margin")["rows"][0]["figures"]["margin"]["state"] == "no_rate"


def test_rules_read_them(tmp_path: Path) -> None:
    """By name, by day, by channel; with evidence, and unknown where it is not known."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "own.py").write_text(
        """# SPDX-License-Identifier: Apache-2.0
from entente import Partner, insight, rule


@rule(practice="consulting")
def reads_own(partner: Partner):
    \"\"\"Own metrics are read as built-in ones.\"\"\"
    large = partner["orders.large"]
    days = large.daily("30d")
    parts = large.by("channel").over("30d")
    share = partner["large_share"].over("30d")
    median = partner["line_price"].median("30d")
    total = large.over("30d")
    assert sum(days) == float(total), (sum(days), total)
    assert sum(float(p) for _, p in parts.items()) == float(total)
    yield insight(f"{total} {share} {median}")


@rule(practice="consulting")
def reads_visits(partner: Partner):
    \"\"\"Three days of thirty are too few.\"\"\"
    yield insight(f"{partner['sessions.far'].over('30d')}")
"""
    )
    p = project(tmp_path / "p")
    p.rules = f"  books: [{book}]"
    p.configure()
    fill(p, MADE)
    said = p.record("reads_own", "nordwind")
    assert said["verdict"] is True, said
    reads = {(r["metric"], r["slice"]) for r in said["evidence"]}
    assert ("orders.large", "") in reads and ("large_share", "") in reads, reads
    assert p.record("reads_visits", "nordwind")["verdict"] == "unknown"


def known(p: Project, wanted: dict[str, float]) -> bool:
    """Whether these are the figures by now."""
    try:
        return figures(p, *wanted) == {k: pytest.approx(v) for k, v in wanted.items()}
    except subprocess.CalledProcessError:
        return False  # not declared so far


def test_a_reload_counts_anew_and_loses_nothing(tmp_path: Path) -> None:
    """While a service runs: a definition comes, changes and goes, with orders arriving all the time."""
    p = project(tmp_path / "p", "")
    fill(p, MADE[:100])
    with serving(p) as service:
        for n, metrics in enumerate((METRICS, METRICS.replace("at_least: 200", "at_least: 150"), METRICS, "", METRICS)):
            p.write(f"exports/b{n}.csv", export(MADE[100 * (n + 1) - 30 : 100 * (n + 2)]), dated=n)
            p.top = f"workers: 2\nviews: [channel, product]\n{metrics}"
            p.configure()
            p.write(f"exports/c{n}.csv", export(MADE[100 * n : 100 * n + 50]), dated=n)
            status, told = service.reload()
            assert status == 200, told
            wanted = counted(MADE[: 100 * (n + 2)]) if metrics == METRICS else {}
            if wanted:
                service.until(lambda: known(p, wanted), "the figures of the new definitions")
        # a wrong one changes nothing
        p.top = "workers: 2\nmetrics:\n  orders.large: {count: oder}"
        p.configure()
        status, told = service.reload()
        assert status == 422 and "did you mean 'order'?" in json.dumps(told), told
        assert known(p, counted(MADE))
    p.top = f"workers: 2\nviews: [channel, product]\n{METRICS}"
    p.configure()
    p.run()
    fresh = project(tmp_path / "fresh")
    fill(fresh, MADE)
    assert {k: p.digest()[k] for k in ("cells", "members")} == {k: fresh.digest()[k] for k in ("cells", "members")}


BOOK = """# SPDX-License-Identifier: Apache-2.0
from entente import Partner, above, at_least, insight, is_not, metric, rule, starts_with

large = metric("orders.large", count="order", where={"total": at_least(200)})
several = [
    metric("revenue.a1", sum="line.net", where={"sku": starts_with("A1")}),
    metric("lines.abroad", count="line", where={"order.country": is_not("DE"), "quantity": above(1)}),
    metric("large_share", ratio=(large, "orders")),
]


@rule(practice="consulting")
def reads_own(partner: Partner):
    \"\"\"Metrics of its own book are there when it first judges.\"\"\"
    yield insight(f"{partner[large.name].over('30d')} {partner['large_share'].over('30d')}")
"""


def test_a_rulebook_declares_them(tmp_path: Path) -> None:
    """The first run counts them and judges by them; the store is the same as with entente.yaml; a change and a fault are seen."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "own.py").write_text(BOOK)
    p = project(tmp_path / "p", "")
    p.rules = f"  books: [{book}]"
    p.configure()
    fill(p, MADE)
    assert p.record("reads_own", "nordwind")["verdict"] is True
    names = ("orders.large", "revenue.a1", "lines.abroad", "large_share")
    wanted = {name: counted(MADE)[name] for name in names}
    assert known(p, wanted)
    written = [line for line in METRICS.splitlines() if line.strip().split(":")[0] in ("metrics", *names)]
    yaml = project(tmp_path / "yaml", "\n".join(written) + "\n")
    fill(yaml, MADE)
    assert p.facts() == yaml.facts()
    assert [definition(p, n) for n in names] == [definition(yaml, n) for n in names]
    before = definition(p, "orders.large")
    p.run()
    (book / "own.py").write_text(BOOK.replace("at_least(200)", "at_least(150)"))
    p.run()
    assert definition(p, "orders.large") != before
    assert figures(p, "orders.large")["orders.large"] == sum(is_sold(o) and total(o) >= 15000 for o in MADE)
    # wrong: told with its place, and what was counted stays
    (book / "own.py").write_text(BOOK.replace('"total": at_least', '"totl": at_least'))
    said = p.entente("check")
    assert said.status == 1 and "own.py" in json.dumps(said.json) + said.err
    assert "did you mean 'total'?" in json.dumps(said.json) + said.err
    assert ":4:9" in said.err or '"line": 4' in json.dumps(said.json)
    p.run(status=4)
    assert figures(p, "orders.large")["orders.large"] == sum(is_sold(o) and total(o) >= 15000 for o in MADE)
    (book / "other.py").write_text('from entente import metric\n\nx = metric("orders.large", count="line")\n')
    (book / "own.py").write_text(BOOK)
    assert "there is another metric orders.large" in json.dumps(p.entente("check").json) + p.entente("check").err
    # and gone with their files
    (book / "other.py").unlink()
    (book / "own.py").unlink()
    p.run()
    with pytest.raises(subprocess.CalledProcessError):
        figures(p, "orders.large")


def test_a_rulebook_that_changes_under_a_service(tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.mkdir()
    p = project(tmp_path / "p", "")
    p.rules = f"  books: [{book}]"
    p.configure()
    fill(p, MADE[:300])
    with serving(p) as service:
        (book / "own.py").write_text(BOOK)
        p.write("exports/more.csv", export(MADE[250:]), dated=1)
        status, told = service.reload()
        assert status == 200, told
        wanted = {name: counted(MADE)[name] for name in ("orders.large", "revenue.a1", "lines.abroad", "large_share")}
        service.until(lambda: known(p, wanted), "the metrics of the book")


WRONG = [
    ("orders.large: {count: oder}", "oder", "no fact is called 'oder'", "did you mean 'order'?"),
    ("orders.large: {count: order, where: {totl: 5}}", "totl", "an order has no field 'totl'", "did you mean 'total'?"),
    ("orders.large: {count: order, where: {total: {at_lest: 5}}}", "at_lest", "'at_lest' is no way to compare", "did you mean 'at_least'?"),
    ("orders.large: {count: order, where: {total: {at_least: 500 EUR}}}", "500 EUR", "cannot be compared with '500 EUR'", "currency: EUR"),
    ("orders.large: {count: order, where: {total: {starts_with: 5}}}", "starts_with", "no text that could start", "at_least"),
    ("orders.large: {count: order, where: {payment: {at_least: 5}}}", "at_least", "has no order", "starts_with"),
    ("orders.large: {count: order, where: {status: sould}}", "sould", "'status' cannot be 'sould'", "did you mean 'sold'?"),
    ("orders.large: {count: order, where: {customer: x}}", "x}", "only whether it is there", "present: true"),
    ("orders.large: {count: order, where: {total: {between: [5, 1]}}}", "[5", "nothing is between", "smaller one first"),
    ("orders.large: {count: order, where: {total: {present: true}}}", "present", "always there", "compare"),
    ("v: {count: visit, where: {page: /cart}}", "page", "'page' is not stored: a visit is kept as the sums", "landing"),
    ("v: {sum: visit.revenue}", "revenue", "'revenue' is not stored", "order.total"),
    ("o: {count: order, where: {sku: A1}}", "sku", "'sku' is not stored: an order has many", "count lines"),
    ("s: {sum: line}", "line", "takes a field of a fact", "sum: line.net"),
    ("s: {sum: line.sku}", "line.sku", "'line.sku' is text and no number", "count"),
    ("s: {distinct: order.total}", "order.total", "different values of 'order.total' cannot be counted", "distribution"),
    ("s: {sum: order.days_to_paid}", "order.days", "do not add up", "distribution"),
    ("s: {sum: line.order.total}", "line.order", "once for each of its lines", "order itself"),
    ("orders: {count: order}", "orders:", "'orders' is built in", "name of its own"),
    ("Orders: {count: order}", "Orders", "cannot be the name of a metric", "small letters"),
    ("a: {count: order, sum: order.total}", "order.total", "'sum' says a second time", "two metrics"),
    ("a: {doc: nothing}", "{doc", "does not say what it is", "count, sum"),
    ("a: {count: order, unit: money}", "money", "'a' is count, not money", "correct"),
    ("a: {count: order, unit: mony}", "mony", "there is no unit 'mony'", "did you mean 'money'?"),
    ("a: {derived: revenue.net + orders}", "+", "money and count cannot be added", "one unit"),
    ('a: {derived: "revenue.net - ordrs"}', "ordrs", "there is no metric 'ordrs'", "did you mean 'orders'?"),
    ("a: {derived: revenue.net * orders}", "*", "two metrics cannot be multiplied", "number"),
    ("a: {derived: orders + 1}", "+", "a number cannot be added", "multiply"),
    ("a: {derived: revenue.net / 0}", "/", "nothing can be divided by 0", "another"),
    ("a: {derived: orders / revenue.net}", "/", "count divided by money has no unit", "money by pieces"),
    ("a: {derived: aov / orders}", "/ orders", "a ratio cannot be divided again", "one sum"),
    ("a: {derived: (orders + lines}", "}", "a parenthesis is open", "')'"),
    ("a: {derived: orders lines}", "lines", "over before this", "between two metrics"),
    ("a: {derived: customers + orders}", "+", "does not add up", "divide"),
    ("a: {derived: a * 2}", "a *", "'a' is made of itself", "take one"),
    ("a: {ratio: {of: orders}}", "{of", "'to' is missing", "to: METRIC"),
    ("a: {ratio: {of: order_value, to: orders}}", "order_value", "is a distribution", "sums or counts"),
    ("a: {derived: orders / 2, where: {total: 5}}", "{total", "'where' belongs to metrics that count facts", "made of"),
]


@pytest.mark.parametrize(("text", "at", "what", "todo"), WRONG, ids=[w[0] for w in WRONG])
def test_wrong_definitions_are_told_with_their_place(tmp_path: Path, text: str, at: str, what: str, todo: str) -> None:
    config = tmp_path / "entente.yaml"
    config.write_text(f"metrics:\n  {text}\nversion: 1\ncurrency: EUR\nrules: {{books: []}}\n")
    said = subprocess.run([ENTENTE, "-c", str(config), "check"], env=environment(), capture_output=True, text=True)
    assert said.returncode == 1
    place = text.index(at) if at != "}" else len(text) - 1
    assert f"entente.yaml:2:{3 + place}:" in said.stderr, said.stderr
    assert what in said.stderr and todo in said.stderr, said.stderr
