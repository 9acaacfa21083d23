# SPDX-License-Identifier: Apache-2.0
"""Compares the snapshot at hand with the same one made by entente.fixture, metric by metric and window by window."""
from typing import Any

from entente import Findings, Partner, insight, rule
from entente.day import iso
from entente.fixture import World

FIRST, DAYS = 19000, 40


def _world() -> World:
    def back(of: Any) -> Any:       # a fixture counts days backwards from the last
        return lambda left: of(DAYS - 1 - left)

    world = World(as_of=iso(FIRST + DAYS - 1))
    first = iso(FIRST)
    ada = world.partner("ada")
    world.partner("bobby")
    ada.days("orders", back(lambda i: 5 + i % 7), first=first)
    ada.days("gross", back(lambda i: (5 + i % 7) * 50), first=first, cover=False)
    ada.days("discount", back(lambda i: i % 3), first=first, cover=False)
    ada.days("orders", 2, first=first, origin="analytics")
    ada.days("sessions", back(lambda i: 100 + i), first=first, cover=False)
    ada.days("load_ms", back(lambda i: 1000 + i), first=first, cover=False)
    ada.days("loads", 2, first=first, cover=False)
    for i in range(DAYS):
        ada.cells.setdefault(("orders", 0, 1, "web"), {})[FIRST + i] = i % 4
    ada.ids("visitors", {iso(FIRST + i): range(i * 5, i * 5 + 10) for i in range(DAYS)})
    ada.spread("days_to_paid", {iso(FIRST + 20): [1, 1, 1, 9], iso(FIRST + 35): [30] * 4, iso(FIRST + 39): [60]})
    ada.cover("traffic", first, iso(FIRST + DAYS - 11))
    return world


@rule(practice="informative")
def twin(partner: Partner) -> Findings:
    """Where the two differ."""
    engine: Any = partner.view.snapshot
    fixture: Any = _world().snapshot()
    found, compared = [], 0

    def same(what: str, *arguments: Any) -> None:
        nonlocal compared
        said = []
        for side in (engine, fixture):
            try:
                value = getattr(side, what)(*arguments)
                said.append((list(value), value.moment()) if what == "series" else value)
            except Exception as error:
                said.append(type(error).__name__)
        compared += 1
        if said[0] != said[1]:
            found.append(f"{what} {engine.metrics()[arguments[1]][0] if arguments else ''} {arguments}: "
                         f"engine {said[0]}, fixture {said[1]}")

    same("partners")
    for number, row in enumerate(engine.metrics()):
        if row[:6] != fixture.metrics()[number][:6]:
            found.append(f"metric {row[:6]} is {fixture.metrics()[number][:6]}")
        for start, stop in ((FIRST, FIRST + 40), (FIRST + 12, FIRST + 40), (FIRST + 25, FIRST + 32), (FIRST - 5, FIRST + 15),
                            (FIRST + 20, FIRST + 50), (FIRST + 39, FIRST + 40), (FIRST + 50, FIRST + 60)):
            for index in range(2):
                for origin in (-1, 0, 1):
                    same("window", index, number, start, stop, origin)
                    same("series", index, number, start, stop, origin)
                    same("values", index, number, 1, start, stop, origin)
                    same("window", index, number, start, stop, origin, 1, "web")
                    same("window", index, number, start, stop, origin, 1, "nowhere")
                for q in (0.0, 0.25, 0.5, 0.9, 1.0) if row[1] == 3 else ():
                    same("quantile", index, number, start, stop, q)
        for index in range(2):
            same("origins", index, number)
            same("covers", index, number)
    print(f"compared {compared}")
    for text in found[:12]:
        yield insight(text, key=text)
    if found:
        yield insight(f"{len(found)} differences", key="all")
