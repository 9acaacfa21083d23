# SPDX-License-Identifier: Apache-2.0
"""Writes the sample project: configuration, exports, feeds, check-ins, declared figures, rates, truths."""

import concurrent.futures
import datetime
import json
import os
from pathlib import Path
from typing import Final

from . import feed, journals, people, shop
from .config import configuration
from .world import PARTNERS, Partner, Span, Truth

OURS: Final = (
    "entente.yaml",
    "exports",
    "feeds",
    "rules",
    "checkins.csv",
    "declared.csv",
    "rates.csv",
    "registers",
    "truths.json",
)


class AlreadyThere(Exception):
    """The directory holds something that the generator would write."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def generate(directory: Path, *, seed: int, span: Span) -> tuple[int, int]:
    """Writes the project into `directory`. Returns how many files and bytes. Raises AlreadyThere, OSError."""
    for name in OURS:
        if (directory / name).exists():
            raise AlreadyThere(directory / name)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "rules").mkdir()
    (directory / "registers").mkdir()
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        shops = dict(
            zip(
                (p.id for p in PARTNERS),
                pool.map(_partner, PARTNERS, *zip(*[(directory, seed, span)] * len(PARTNERS), strict=True)),
                strict=True,
            )
        )
    texts = {
        "entente.yaml": configuration(span),
        "checkins.csv": people.checkins(span, seed),
        "declared.csv": people.declared(span, shops),
        "rates.csv": people.rates(span),
        "truths.json": truths(seed, span),
        "rules/own.py": OWN_RULE,
    }
    texts |= journals.files(span)
    for name, text in texts.items():
        _write(directory / name, text.encode(), span.last)
    written = [
        path for name in OURS for path in [directory / name, *(directory / name).rglob("*")] if path.is_file()
    ]
    return len(written), sum(path.stat().st_size for path in written)


def _partner(partner: Partner, directory: Path, seed: int, span: Span) -> shop.Shop:
    played = shop.simulate(partner, span, seed)
    (directory / "exports" / partner.id).mkdir(parents=True)
    (directory / "feeds" / partner.id).mkdir(parents=True)
    for export in shop.exports(played, partner, span):
        _write(directory / "exports" / partner.id / export.name, export.bytes, export.on)
    for name, data, day in feed.files(played, partner, span, seed):
        _write(directory / "feeds" / partner.id / name, data, day)
    return played


def _write(path: Path, data: bytes, on: datetime.date) -> None:
    """Writes a file as of the night after `on`: its time decides which of two exports is the newer."""
    path.write_bytes(data)
    night = datetime.datetime(on.year, on.month, on.day, tzinfo=datetime.UTC) + datetime.timedelta(hours=30)
    os.utime(path, (night.timestamp(), night.timestamp()))


def _of(partner: Partner) -> list[Truth]:
    """What is planted of a partner: in its shop, and in the journals."""
    planted = [partner.truth] if partner.truth else []
    return planted + [truth for who, truth in journals.PLANTED if who == partner.id]


def truths(seed: int, span: Span) -> str:
    """JSON: what is planted, where, and which partners are clean."""
    return (
        json.dumps(
            {
                "seed": seed,
                "first_day": str(span.first),
                "last_day": str(span.last),
                "truths": [
                    {
                        "partner": p.id,
                        "name": p.name,
                        "industry": p.industry,
                        "truth": truth.code,
                        "finding": truth.kind,
                        "rule": truth.rule,
                        "row": truth.row,
                        "what": truth.what,
                    }
                    for p in PARTNERS
                    for truth in _of(p)
                ],
                "clean": [p.id for p in PARTNERS if not _of(p)],
            },
            indent=2,
        )
        + "\n"
    )


OWN_RULE: Final = '''"""A rule of your own. Every @rule function in this folder is run for every partner."""
from entente import Partner, insight, rule


@rule(practice="informative", audience="both")
def busy_weeks(partner: Partner, *, window: str = "28d", least_orders: int = 100):
    """Says so when a partner sold a lot within four weeks."""
    orders = partner["orders"].over(window)
    if orders >= least_orders:
        yield insight(f"{orders} orders within {window}")
'''
