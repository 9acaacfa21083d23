# SPDX-License-Identifier: Apache-2.0
"""The benchmark itself: what it compares is worked out here a second time, from orders and events that are known."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cells
import judged
import pytest
import scale
from data import Data, Project, mix
from measure import run
from run import BUILD, ENVIRONMENT
from shop import Order, cents, events, export, feed, orders
from targets import show, targets

NAMES = ("Partner 000", "Partner 001, Inc.")
HERE = Path(__file__).parent


def made(seed: int) -> list[Order]:
    """Orders that are as the benchmark's: one currency, sold, of an address each or none."""
    plain = [replace(o, currency="USD", status="paid", cancelled=False, note="") for o in orders(300, seed=seed)]
    return [replace(o, number=o.number + 1000 * seed, refunded=min(o.refunded, o.subtotal)) for o in plain]


@pytest.fixture(scope="module")
def shops() -> dict[str, list[Order]]:
    return {name: made(seed) for seed, name in enumerate(NAMES, 60)}


@pytest.fixture(scope="module")
def data(shops: dict[str, list[Order]], tmp_path_factory: pytest.TempPathFactory) -> Data:
    data = Data(tmp_path_factory.mktemp("data"))
    (data.folder / "partners").mkdir()
    whole = ""
    for n, (name, sold) in enumerate(shops.items()):
        quoted = f'"{name}"' if "," in name else name
        head, _, rows = export(reversed(sold)).replace(",Own,", f",{quoted},").partition("\n")
        (data.folder / "partners" / f"p{n:03d}.csv").write_text(f"{head}\n{rows}")
        whole += rows if whole else f"{head}\n{rows}"
    data.orders.write_text(whole)
    told = [line for day in range(3) for line in events(day, 60)]
    data.ga4.write_text(feed(told).replace("EUR", "USD"))
    mix(data)
    return data


def expected_orders(shops: dict[str, list[Order]]) -> bytes:
    """As the peers count: by partner, day and channel."""
    found: dict[tuple[str, str, str], list[Order]] = {}
    for name, sold in shops.items():
        for order in sold:
            found.setdefault((name, order.at.strftime("%Y-%m-%d"), order.channel), []).append(order)
    lines = []
    for key, some in sorted(found.items()):
        total, refunded = sum(o.subtotal + 490 for o in some), sum(o.refunded for o in some)
        units = sum(line.quantity for o in some for line in o.lines)
        customers = len({o.customer for o in some if o.customer})
        lines.append(f"{'|'.join(key)}|{len(some)}|{cents(total)}|{cents(refunded)}|{units}|{customers}\n")
    return "".join(lines).encode()


def expected_visits(data: Data) -> bytes:
    """As the peers count: by day and medium, what each session did."""
    sessions: dict[tuple[str, str], dict[tuple[str, str], list[dict[str, object]]]] = {}
    for line in data.ga4.read_text().splitlines():
        e = json.loads(line)
        day = sessions.setdefault((e["event_date"], e["traffic_source"]["medium"]), {})
        day.setdefault((e.get("user_pseudo_id", ""), e["event_params"][0]["value"]["int_value"]), []).append(e)
    lines = []
    for key, those in sorted(sessions.items()):
        bought = [[e for e in told if e["event_name"] == "purchase"] for told in those.values()]
        left = sum(any(e["event_name"] == "add_to_cart" for e in t) and not b for t, b in zip(those.values(), bought, strict=True))
        worth = sum(round(e["ecommerce"]["purchase_revenue"] * 100) for b in bought for e in b)  # type: ignore[index]
        users = len({user for user, _ in those if user})
        lines.append(f"{'|'.join(key)}|{len(those)}|{users}|{sum(map(len, bought))}|{cents(worth)}|{left}\n")
    return "".join(lines).encode()


@pytest.mark.parametrize("parts", ["orders ga4", "mixed"])
def test_cells_as_the_peers_write_them(data: Data, shops: dict[str, list[Order]], tmp_path: Path, parts: str) -> None:
    p = Project(tmp_path, data, parts)
    assert sorted(p.names.values()) == sorted(NAMES)
    took = run([BUILD / "bin" / "entente", "run", "--no-rules"], tmp_path, more=ENVIRONMENT)
    assert took.status == 0, took.err
    assert cells.orders(p.database, p.names) == expected_orders(shops)
    if "ga4" in parts:
        assert cells.visits(p.database) == expected_visits(data)


def test_mixed_is_the_same_rows_newest_first(data: Data) -> None:
    rows = data.mixed.read_text().splitlines()
    assert sorted(rows) == sorted(data.orders.read_text().splitlines())
    at = rows[0].split(",").index("Created at")
    days = [row.split(",")[at] for row in rows[1:] if row.split(",")[2]]
    assert len(days) == 600 and days == sorted(days, reverse=True)


def test_rules_say_what_the_series_say(data: Data, tmp_path: Path) -> None:
    """All twelve are judged, by name; two partners are no cohort, so what compares is not known, and said so."""
    p = Project(tmp_path, data, "orders", rules=True)
    assert run([BUILD / "bin" / "entente", "run"], tmp_path, more=ENVIRONMENT).status == 0
    with pytest.raises(ValueError, match="verdicts are not known"):
        judged.flagged(p.database, p.names)


def test_without_peers_it_still_measures(data: Data, tmp_path: Path) -> None:
    words = [sys.executable, str(HERE / "run.py"), "--data", str(data.folder), "--peers", str(tmp_path)]
    words += ["--rounds", "1", "--json", "--only-job"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["skipped"]["orders"] == "no DuckDB" and told["differ"] == 0
    assert set(told["cases"]) == {"all", "orders", "mixed", "ga4"} and told["cases"]["all"]["stages"]["rules"] > 0
    assert told["figures"]["memory"] > 5 and told["figures"]["second"] > 0


def test_a_figure_stands_to_its_goals() -> None:
    every = {key: t.must for key, t in targets().items()}
    text = show(every | {"orders": 3.99, "memory": 120.0}, {})
    assert "3.99 ×       no" in text and "120 MiB  stretch" in text and text.count(" must") > 5
    assert "no pandas" in show({}, {"pandas": "no pandas"})


def test_cost_of_one_more(tmp_path: Path) -> None:
    assert scale.slope([(0, 1), (1, 3), (2, 5)]) == 2
    size = scale.BASE.smaller()
    few, many = (scale.measure("views", replace(size, views=n), tmp_path) for n in (0, 4))
    assert few.cells == 100 and many.cells > 10 * few.cells
    assert scale.show([few, many]).count("views") >= 4
