# SPDX-License-Identifier: Apache-2.0
"""Snowplow's enriched events under `entente run`: files of a day, events delivered twice, counted here by other means."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from feeds import Feed

ECOMMERCE = "iglu:com.snowplowanalytics.snowplow.ecommerce/%s/jsonschema/1-0-0"
Event = dict[int, str]


def described(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"schema": ECOMMERCE % name, "data": data}


def events(seed: int) -> list[Event]:
    dice = random.Random(seed)
    out: list[Event] = []
    for session in range(150):
        user = f"user-{dice.randrange(60)}"
        for k in range(dice.randrange(1, 8)):
            minute = session * 9 + k
            kind = dice.choice(["page_view", "page_view", "page_ping", "add_to_cart", "transaction"])
            event = {
                3: f"2024-03-01 {minute // 60:02d}:{minute % 60:02d}:00.000",
                5: kind if kind.startswith("page") else "unstruct",
                6: f"{seed:08x}-0000-4000-8000-{session:08d}{k:04d}",
                15: user,
                16: str(session % 4 + 1),
                35: "/straße",
                108: "",
                123: f"session-{seed}-{session}",
                129: "f",
            }
            if not kind.startswith("page"):
                contexts = [described("product", {"id": "A", "price": dice.randrange(100, 9000) / 100, "quantity": dice.randrange(1, 4)})]
                if kind == "transaction":
                    contexts.append(described("transaction", {"transaction_id": f"T{seed}-{session}-{k}", "revenue": 1, "currency": "EUR"}))
                event[52] = json.dumps({"schema": "iglu:contexts", "data": contexts}, separators=(",", ":"))
                event[58] = json.dumps({"schema": "iglu:event", "data": described("snowplow_ecommerce_action", {"type": kind})})
            out.append(event)
    return out


def line(event: Event) -> str:
    return "\t".join(event.get(i, "") for i in range(131)) + "\n"


def counted(all_events: list[Event]) -> dict[str, Decimal]:
    once = list({e[6]: e for e in all_events}.values())
    bought = [json.loads(e[52])["data"] for e in once if "transaction" in e.get(58, "")]
    added = Counter(e[123] for e in once if "add_to_cart" in e.get(58, ""))
    user = {e[123]: e[15] for e in once}
    prices = [Decimal(str(d[0]["data"]["price"])) * d[0]["data"]["quantity"] for d in bought]
    return {
        "sessions": Decimal(len({e[123] for e in once})),
        "visitors": Decimal(len({e[15] for e in once})),
        "pageviews": Decimal(sum(e[5] == "page_view" for e in once)),
        "sessions.engaged": Decimal(len({e[123] for e in once if e[5] == "page_ping"})),
        "orders": Decimal(len(bought)),
        "revenue.net": sum(prices, Decimal(0)),
        # the same content of one visitor is one cart, in however many sessions it shows
        "carts": Decimal(len({(user[session], n) for session, n in added.items()})),
    }


def test_files_of_a_day(tmp_path: Path) -> None:
    f = Feed(tmp_path, "{glob: ./in/**/part-*}", "auto")
    every: list[Event] = []
    lines = 0
    for number in range(3):
        mine = events(number + 1)
        twice = mine + mine[5:40] + mine[-3:]
        f.write(f"in/run=2024-03-01/part-{number}.gz", gzip.compress("".join(map(line, twice)).encode()))
        every += mine
        lines += len(twice)
    balance, _ = f.run()
    assert balance["records"] == lines
    assert balance["skipped"] == 3 * 38
    assert balance["rejected"] == 0
    assert {name: f.figure(name) for name in counted(every)} == counted(every)


def test_lines_of_another_kind(tmp_path: Path) -> None:
    f = Feed(tmp_path, "{glob: ./in/*}", "snowplow")
    good = events(1)
    f.write("in/part", "".join(map(line, good)) + "one\ttwo\n" + line(good[0])[:-1] + "\tmore\n")
    balance, _ = f.run()
    assert (balance["records"], balance["rejected"]) == (len(good) + 2, 2)
    _, rejects, _ = f.entente("rejects", "list")
    start = len("".join(map(line, good)).encode())
    assert sorted(r["place"] for r in rejects) == [start, start + 8]
    f.write("in/bad", '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/x"}\n')
    _, text = f.run(status=f.entente("run")[0])
    assert "no line has the 131 fields of an enriched event" in text
