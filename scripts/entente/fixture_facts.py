# SPDX-License-Identifier: Apache-2.0
"""Single facts of made-up partners: what a fixture plants is read by partner.facts(), by figures, and by every view.

shop = world.partner("nordwind")
shop.order(at="2026-06-01T10:00", net=100, customer="c1", side="online", category="chairs")
shop.cart(at="2026-06-02", value=80, step="payment")
shop.visit(at="2026-06-02", load_time=2.4, purchase=True)
"""

from __future__ import annotations

import datetime
from array import array
from typing import TYPE_CHECKING, Any, Final, Self

from .day import day_number, iso
from .quantity import round_half_even
from .reader import ORIGINS, VIEWS
from .table import KINDS, NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .fixture import FixturePartner, World
    from .reader import Snapshot

    Amount = int | float

# The columns of each kind, as core/metrics/facts.c has them; a test compares.
_TYPES: Final = {
    "at": "moment", "paid_at": "moment", "recovered_at": "moment", "answered_at": "moment", "until": "moment", "day": "day",
    **dict.fromkeys("gross discount returns net refunded shipping tax total due cost amount value".split(), "money"),
    **dict.fromkeys("lines items pageviews purchases minutes held".split(), "count"),
    **dict.fromkeys("attention load_time".split(), "seconds"),
    **dict.fromkeys("cart checkout purchase engaged new".split(), "flag"),
    "units": "pieces",
}  # fmt: skip
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    kind: tuple(names.split())
    for kind, names in {
        "order": "at day key status customer agent channel country region campaign payment customer_kind currency gross discount "
        "returns net refunded shipping tax total due cost lines units paid_at",
        "line": "at day order status customer agent channel sku product name category vendor currency gross discount net cost units",
        "refund": "at day order kind reason customer agent channel currency amount units",
        "cart": "at day key status step visitor channel order currency value items recovered_at",
        "visit": "at day visitor channel source campaign country device landing pageviews purchases attention load_time item cart "
        "checkout purchase engaged new until",
        "contact": "at day kind whom subject direction minutes held answered_at",
        "touch": "at day visitor channel source campaign order currency cost",
    }.items()
}
_SCALES: Final = {"money": 1_000_000, "pieces": 1_000, "seconds": 1_000_000, "count": 1, "flag": 1}
_FAMILIES: Final = {"order": "sales", "line": "sales", "refund": "sales", "cart": "carts", "visit": "traffic"}
FAMILY_ORDER: Final = ("sales", "traffic", "carts")  # as ent_family numbers them
VIEW_FAMILIES: Final = {
    "channel": ("sales", "traffic", "carts"),
    "category": ("sales",),
    "country": ("sales", "traffic"),
    "campaign": ("sales", "traffic"),
    "device": ("traffic",),
    "source": ("traffic",),
    "region": ("sales",),
    "vendor": ("sales",),
    "product": ("sales",),
    "customer": ("sales",),
    "step": ("carts",),
    "load_time": ("traffic",),
}
LOAD_TIMES: Final = (
    (0.0, "0-0.5 s"), (0.5, "0.5-1 s"), (1.0, "1-1.5 s"), (1.5, "1.5-2 s"), (2.0, "2-2.5 s"), (2.5, "2.5-3 s"), (3.0, "3-3.5 s"),
    (3.5, "3.5-4 s"), (4.0, "4-5 s"), (5.0, "5-6 s"), (6.0, "6-8 s"), (8.0, "8-10 s"), (10.0, "10-15 s"), (15.0, "15 s and more"),
)  # fmt: skip
_SIDES: Final = {"online": "online/web", "offline": "offline/store"}
_DAYS: Final = 400


def column_type(kind: str, name: str) -> str:
    """What a column holds."""
    if kind == "cart" and name == "order":
        return "text"
    if kind == "visit" and name in ("item", "cart"):
        return "flag"
    return _TYPES.get(name, "text")


class Planted:
    """What a FixturePartner can plant as single facts. They count in its figures, too."""

    world: World
    as_of: int
    planted: dict[str, list[dict[str, Any]]]
    covers: dict[tuple[str, int], list[Any]]
    cells: dict[tuple[str, int, int, str], dict[int, int]]
    sets: dict[tuple[str, int, int, str], dict[int, set[int]]]
    _numbers: dict[str, int]

    def cover(self, family: str, first: str, last: str, *, origin: str = "", source: str = "") -> Self:
        """Says that a source speaks for these days."""
        raise NotImplementedError

    def order(
        self,
        at: str,
        net: Amount | None = None,
        *,
        gross: Amount | None = None,
        discount: Amount = 0,
        returns: Amount = 0,
        side: str = "",
        channel: str = "",
        category: str = "",
        status: str = "sold",
        lines: Iterable[Mapping[str, Any]] = (),
        **fields: Any,
    ) -> Self:
        """One order. `net` is what is left of the goods after discount and returns. side="online" stands for a channel of that side;
        category= for one line of it; lines=[{"category": …, "net": …, "units": …}] for several."""
        if gross is None:
            gross = (net or 0) + discount + returns
        own = [dict(line) for line in lines] or ([{"category": category}] if category else [])
        for line in own:
            line.setdefault("gross", line.get("net", gross - discount if len(own) == 1 else 0))
            line.setdefault("net", line["gross"])
            line.setdefault("units", 1)
        found = self._plant(
            "order",
            at,
            {
                "key": fields.pop("key", f"#{len(self.planted.get('order', ())) + 1}"),
                "status": status,
                "channel": channel or _SIDES.get(side) or (f"{side}/{side}" if side else None),
                "gross": gross,
                "discount": discount,
                "returns": returns,
                "net": gross - discount - returns,
                "refunded": fields.pop("refunded", returns),
                "total": fields.pop("total", gross - discount),
                "lines": len(own),
                "units": sum(line["units"] for line in own),
                **fields,
            },
        )
        shared = {name: found[name] for name in ("status", "customer", "agent", "channel", "currency")}
        for line in own:
            self._plant("line", at, {"order": found["key"], **shared, **line}, counts=False)
        found["_lines"] = (
            self.planted.get("line", [])[len(self.planted.get("line", [])) - len(own) :] if own else []
        )
        self._count(found, "order")
        return self

    def refund(self, at: str, order: str, amount: Amount, kind: str = "goods", **fields: Any) -> Self:
        """One refund of an order, by its key. The order's own figures stay as they were planted."""
        self._plant("refund", at, {"order": order, "amount": amount, "kind": kind, **fields}, counts=False)
        return self

    def cart(
        self, at: str, value: Amount = 0, *, status: str = "left", items: int = 1, **fields: Any
    ) -> Self:
        """One cart, left unless status="recovered"; step="payment" says where."""
        found = self._plant("cart", at, {"value": value, "status": status, "items": items, **fields})
        self._count(found, "cart")
        return self

    def visit(self, at: str, *, pageviews: int = 1, purchase: bool = False, **fields: Any) -> Self:
        """One visit; load_time in seconds."""
        told = {
            "pageviews": pageviews,
            "purchase": purchase,
            "purchases": int(purchase),
            "attention": 0,
            **fields,
        }
        self._count(self._plant("visit", at, told), "visit")
        return self

    def touch(self, at: str, **fields: Any) -> Self:
        """One marketing contact: channel, source, campaign, cost, visitor, order."""
        self._plant("touch", at, {"cost": 0, **fields})
        return self

    # How it is kept

    def _plant(self, kind: str, at: str, fields: Mapping[str, Any], counts: bool = True) -> dict[str, Any]:
        row: dict[str, Any] = dict.fromkeys(COLUMNS[kind])
        for name, value in fields.items():
            if name not in row:
                raise ValueError(
                    f"a fixture's {kind} has no field {name!r}; it has {', '.join(COLUMNS[kind])}"
                )
            row[name] = value
        row["at"], row["day"] = at, day_number(at)
        if "currency" in row:
            row["currency"] = row["currency"] or self.world.currency
        for name in COLUMNS[kind]:
            scale = _SCALES.get(column_type(kind, name))
            if scale is not None:
                empty = None if name in ("load_time", "minutes", "held") else 0
                row[name] = empty if row[name] is None else round(row[name] * scale)
        self.planted.setdefault(kind, []).append(row)
        family = _FAMILIES.get(kind)
        if counts and family is not None:
            origin = int(family == "traffic")
            if not self.covers.get((family, origin)):
                self.cover(family, iso(self.as_of + 1 - _DAYS), iso(self.as_of), origin=ORIGINS[origin])
        return row

    def _count(self, row: dict[str, Any], kind: str) -> None:
        """Adds it to the figures: in total, and by channel."""
        origin = int(kind == "visit")
        values = [(0, "", row)]
        if row.get("channel"):
            values.append((VIEWS.index("channel"), row["channel"], row))
        for view, value, _ in values:
            for measure, amount in measured(self.world, row, kind).items():
                cell = self.cells.setdefault((measure, origin, view, value), {})
                cell[row["day"]] = cell.get(row["day"], 0) + amount
        who = row.get("customer" if kind == "order" else "visitor")
        if who is not None and kind != "cart" and row.get("status") != "quote":
            number = self._numbers.setdefault(who, 1_000_000 + len(self._numbers))
            seen = self.sets.setdefault(("customers" if kind == "order" else "visitors", origin, 0, ""), {})
            seen.setdefault(row["day"], set()).add(number)


def measured(world: World, row: Mapping[str, Any], kind: str) -> dict[str, int]:
    """What a planted fact adds to the measures, as core/metrics/fold.c and fold_order.c have it."""

    def money(name: str) -> int:
        amount = row.get(name) or 0
        if row["currency"] == world.currency:
            return int(amount)
        rate = world.rates.get(row["currency"], 0)
        rate = rate.get(iso(row["day"]), 0) if isinstance(rate, dict) else rate
        return round_half_even(int(amount * round(rate * 10**12)), 10**12)

    if kind == "visit":
        timed = row["load_time"] is not None
        out = {
            "sessions": 1, "pageviews": row["pageviews"], "purchases": row["purchases"], "engaged_us": row["attention"],
            "sessions_engaged": row["engaged"], "sessions_new": row["new"], "sessions_item": row["item"],
            "sessions_cart": row["cart"], "sessions_checkout": row["checkout"], "sessions_purchase": row["purchase"],
            "sessions_cart_left": int(bool(row["cart"] and not row["purchase"])), "sessions_unidentified": int(row["visitor"] is None),
            "load_ms": row["load_time"] // 1000 if timed else 0, "loads": int(timed),
        }  # fmt: skip
    elif kind == "cart":
        left = row["status"] == "left"
        out = {"carts": 1, "carts_left": int(left), "carts_recovered": int(not left)}
        out["carts_left_value"] = money("value") if left else 0
    elif row["status"] == "quote":
        out = {"quotes": 1}
    elif row["status"] == "cancelled":
        out = {"orders_cancelled": 1, "lines_cancelled": row["lines"], "units_cancelled": row["units"]}
        out |= {
            "gross_cancelled": money("gross"),
            "total_cancelled": money("total"),
            "refunded": money("refunded"),
        }
    else:
        out = {
            "orders": 1,
            "orders_guest": int(row["customer"] is None),
            "lines": row["lines"],
            "units": row["units"],
        }
        for name in ("gross", "discount", "returns", "refunded", "shipping", "tax", "total", "due", "cost"):
            out[name] = money(name)
    return {name: int(amount) for name, amount in out.items() if amount}


class Facts:
    """The twin of _entente.Facts."""

    def __init__(self, world: World, kind: str, rows: list[dict[str, Any]], ever: int) -> None:
        self.kind, self.ever = kind, ever
        self._rows = rows
        self._texts: dict[str, int] = {"": 0}
        self._columns: dict[str, array[int]] = {}
        for name in COLUMNS[kind]:
            self._columns[name] = self._made(world, name, column_type(kind, name))

    def _made(self, world: World, name: str, type_: str) -> array[int]:
        values = [row[name] for row in self._rows]
        if type_ == "text":
            return array("I", [self._texts.setdefault(v or "", len(self._texts)) for v in values])
        if type_ == "moment":
            return array("q", [NONE if v is None else microseconds(v) for v in values])
        if type_ == "money":
            return array("q", [_converted(world, row, int(row[name])) for row in self._rows])
        return array(
            "i" if type_ == "day" else "I" if type_ == "flag" else "q",
            [NONE if v is None else int(v) for v in values],
        )

    def __len__(self) -> int:
        return len(self._rows)

    def columns(self) -> list[tuple[str, str]]:
        """Names, and what they hold."""
        return [(name, column_type(self.kind, name)) for name in COLUMNS[self.kind]]

    def column(self, name: str) -> array[int]:
        """Numbers."""
        return self._columns[name]

    def texts(self) -> list[str]:
        """What the numbers of columns of texts stand for."""
        return list(self._texts)


def microseconds(text: str) -> int:
    """A moment since 1970, in UTC where no zone is written."""
    at = datetime.datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)


def _converted(world: World, row: Mapping[str, Any], amount: int) -> int:
    if row["currency"] == world.currency:
        return amount
    rate = world.rates.get(row["currency"], 0)
    rate = rate.get(iso(row["day"]), 0) if isinstance(rate, dict) else rate
    return round_half_even(amount * round(rate * 10**12), 10**12) if rate else NONE


def facts_of(world: World, who: FixturePartner, number: int, start: int, stop: int) -> Facts:
    """The planted facts of these days; contacts are those of the register."""
    kind = next(name for name, n in KINDS.items() if n == number)
    rows = who.planted.get(kind, [])
    if kind == "contact":
        rows = [_contact(entry) for entry in who.registers.get("contacts", ()) if entry.get("at")]
    there = [row for row in rows if row["day"] <= who.as_of]
    found = sorted((r for r in there if start <= r["day"] < stop), key=lambda r: microseconds(r["at"]))
    return Facts(world, kind, found, len(there))


def _contact(entry: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: entry.get(name) for name in COLUMNS["contact"]}
    return {**row, "at": str(entry["at"]), "day": day_number(str(entry["at"])), "whom": entry.get("with")}


def cut_of(
    world: World,
    who: FixturePartner,
    metric: Any,
    view: int,
    start: int,
    stop: int,
    origins: Mapping[str, int],
) -> tuple[Snapshot, int]:
    """The figures of planted facts by a view, as if cells had kept it."""
    from .fixture import Snapshot as Twin
    from .fixture import World as Another

    name = VIEWS[view]
    if not set(metric.families) <= set(VIEW_FAMILIES[name]):
        raise ValueError(f"{metric.name} is made of facts that have no {name}")
    other = Another(iso(world.as_of), world.currency)
    other.rates = world.rates
    alone = other.partner(who.id)
    alone.as_of = who.as_of
    folded = 0
    for kind, family in (("order", "sales"), ("visit", "traffic"), ("cart", "carts")):
        if family not in metric.families:
            continue
        alone.cover(family, iso(start), iso(max(stop - 1, start)), origin=ORIGINS[origins[family]])
        for row in who.planted.get(kind, ()):
            if not start <= row["day"] < stop or origins[family] != int(kind == "visit"):
                continue
            folded += 1
            for value, part in _parts(row, kind, name):
                for measure, amount in measured(world, part, kind).items():
                    cell = alone.cells.setdefault((measure, origins[family], view, value), {})
                    cell[row["day"]] = cell.get(row["day"], 0) + amount
    cut = Twin(other)
    cut.generation = folded
    return cut, sum(1 << FAMILY_ORDER.index(family) for family in metric.families)


def _parts(row: dict[str, Any], kind: str, view: str) -> list[tuple[str, dict[str, Any]]]:
    """Under which values of the view it counts, and with what."""
    if view == "load_time":
        time = row["load_time"]
        return [
            (
                "(none)" if time is None else [name for at, name in LOAD_TIMES if at * 1_000_000 <= time][-1],
                row,
            )
        ]
    if kind != "order" or view not in ("category", "vendor", "product"):
        return [(row.get(view) or "(none)", row)]
    by_value: dict[str, list[dict[str, Any]]] = {}
    for line in row["_lines"]:
        by_value.setdefault(line.get(view) or "(none)", []).append(line)
    out = []
    for value, lines in by_value.items():
        part: dict[str, Any] = {
            **row,
            **dict.fromkeys(("returns", "refunded", "shipping", "tax", "total", "due"), 0),
            "customer": "",
        }
        part |= {
            "lines": len(lines),
            **{n: sum(line[n] for line in lines) for n in ("units", "gross", "discount", "cost")},
        }
        out.append((value, part))
    return out
