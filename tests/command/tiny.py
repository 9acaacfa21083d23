# SPDX-License-Identifier: Apache-2.0
"""A project of a handful of rows, whose every figure can be worked out by hand."""

from pathlib import Path

CONFIG = """\
version: 1
store: ./store
currency: EUR
as_of: 2026-03-10

partners:
  alder: {name: Alder Tools, industry: tools, region: DE, stage: consulting,
          zone: Europe/Berlin, currency: EUR}
  birch: {name: Birch Goods, industry: tools, region: US, stage: signed,
          zone: America/New_York, currency: USD}
  cedar: {name: Cedar Foods, industry: food, stage: homework, zone: UTC, currency: EUR}

channels:
  csv: {web: online/web, till: offline/till}

sources:
  orders:
    partner: {from: fact}
    from: {file: ./orders.csv}
    decode:
      csv:
        fact: order
        columns: {key: No, partner: Shop, at: At, status: Status, channel: Channel, currency: Currency,
                  gross: Gross, customer: Customer}
        values: {status: {ok: sold, stop: cancelled}}
  visits:
    partner: alder
    from: {file: ./visits.csv}
    decode:
      csv: {fact: visit, columns: {key: Id, at: At, visitor: Who}}
  rates:
    from: {file: ./rates.csv}
    decode:
      csv:
        fact: observation
        columns: {from: date, unit: from, currency: to, value: rate}
        constants: {origin: rate, metric: rate}

rules:
  books: [./rules]
  set:
    sells: {least: 1}
"""

ORDERS = """\
No,Shop,At,Status,Channel,Currency,Gross,Customer
A1,alder,2026-03-01 10:00:00,ok,web,EUR,100.00,7
A2,alder,2026-03-02 10:00:00,ok,till,EUR,50.25,8
A3,alder,2026-03-10 10:00:00,stop,web,EUR,20.00,7
A4,alder,2026-03-09 10:00:00,ok,web,EUR,0.123456,7
A9,alder,some day,ok,web,EUR,1.00,7
B0,birch,2026-02-27 10:00:00,ok,web,USD,7.00,1
B1,birch,2026-03-01 10:00:00,ok,web,USD,10.00,1
B2,birch,2026-03-05 10:00:00,ok,web,USD,30.00,2
L1,larch,2026-03-01 10:00:00,ok,web,EUR,999.00,1
"""

VISITS = "Id,At,Who\n" + "".join(f"v{day},2026-03-{day:02d} 09:00:00,w{day % 3}\n" for day in range(1, 11))

RATES = "date,from,to,rate\n" + "".join(f"2026-03-{day:02d},USD,EUR,0.9\n" for day in range(1, 11))

RULES = '''\
# SPDX-License-Identifier: Apache-2.0
"""Two rules for tests."""
from entente import Findings, Partner, insight, opportunity, rule


@rule(practice="informative", audience="both")
def sells(partner: Partner, *, window: str = "10d", least: int = 2) -> Findings:
    """The partner sells.

    least  orders from which that is told
    """
    orders = partner["orders"].over(window)
    if orders >= least:
        yield insight(f"{orders} orders within {window}", key="orders")


@rule(practice="consulting", audience="us")
def grows(partner: Partner, *, window: str = "10d") -> Findings:
    """Visits that could buy."""
    visits, revenue = partner["sessions"].over(window), partner["revenue.net"].over(window)
    yield opportunity(f"{visits} visits, {revenue}", worth=revenue, per=window)
'''


def make(folder: Path) -> Path:
    """Writes the project, and returns its folder."""
    (folder / "rules").mkdir(parents=True)
    for name, text in (
        ("entente.yaml", CONFIG),
        ("orders.csv", ORDERS),
        ("visits.csv", VISITS),
        ("rates.csv", RATES),
        ("rules/tiny.py", RULES),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return folder
