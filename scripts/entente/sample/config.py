# SPDX-License-Identifier: Apache-2.0
"""The commented entente.yaml of the sample project."""

from . import journals
from .world import PARTNERS, Span

HEAD = """\
# A project of Entente. All of it is made up by a seeded generator; truths.json says what was planted.
#
#   entente check       is this file right, are all files and plugins there?
#   entente run         read what is new, judge every partner
#   entente partners    the portfolio
#   entente brief nordwind -o nordwind.html
version: 1
store: ./store                      # all that Entente keeps; remove it and everything is read again
currency: EUR                       # of the figures that are compared; amounts are kept in their own currency
as_of: latest                       # the last day that the data covers; `now` for a service, or a date

channels:                           # word of a source: side/channel; only online orders count for conversion
  shopify:
    web: online/web
    iphone: online/app
    android: online/app
    "580111": online/web            # the id of an app that takes orders
    shopify_draft_order: offline/agent

# The profile of each partner. Zone: where its days begin. Cohorts are the partners of one industry.
partners:
"""
SOURCES = """
# One source for each folder. `decode: auto` looks at the first bytes of each file and finds the decoder.
# `expect: {every: 1d, late_after: 36h}` would make a finding of a feed that stays away; these ended when they were made.
sources:
"""
TABLES = """
  # Tables that people keep. The mapping says which column becomes which field of a fact.
  check-ins:
    partner: {from: fact}
    from: {file: ./checkins.csv}
    decode:
      csv:
        fact: contact
        columns:
          {key: id, at: date, partner: partner, kind: kind, with: with, held: held, answered_at: answered}

  declared:                         # what partners say of themselves: compared with their shop's figures
    partner: {from: fact}
    from: {file: ./declared.csv}
    decode:
      csv:
        fact: observation
        columns: {partner: partner, from: month, metric: metric, value: amount, currency: currency,
                  who: who, grade: grade}
        constants: {origin: declared, unit: money}

  rates:                            # 1 unit of `from` is `rate` of `to`; money of a day without is unknown
    from: {file: ./rates.csv}
    decode:
      csv:
        fact: observation
        columns: {from: date, unit: from, currency: to, value: rate}
        constants: {origin: rate, metric: rate}
"""
REGISTERS = """
registers:                          # journals that people keep: before this day, no entry means nothing
KEPT"""
RULES = """
priors:                             # what you believe before you have measured
  conversion_per_second: {p10: 0.02, p50: 0.05, p90: 0.1, audience: both,
                          source: published studies of page speed}

rules:
  books: [shipped, ./rules]         # the rulebook that comes with Entente, and your own
  set:
    agents_keep_their_pay: {window: 175d}  # the data has no two whole years
    online_growth_is_new: {window: 175d}
    financial_health: {bad_grades: CDE}     # a C is told as a red flag
    value_is_proven: {p: 0.15}      # six peers in an industry: chance alone makes one of seven the first
"""


def configuration(span: Span) -> str:
    """The text of entente.yaml."""
    text = HEAD
    industry = ""
    for partner in PARTNERS:
        if partner.industry != industry:
            industry = partner.industry
            text += f"  # {industry}\n"
        text += (
            f"  {partner.id}: {{name: {_plain(partner.name)}, industry: {industry}, "
            f"region: {partner.region}, stage: {partner.stage},\n      "
            f"zone: {partner.zone}, currency: {partner.currency}, "
            f"also: {{shopify: {partner.id}.myshop.example}}}}\n"
        )
    text += SOURCES
    for partner in PARTNERS:
        for kind in ("exports", "feeds"):
            name = f"{partner.id}-{kind}:"
            text += (
                f"  {name:<21}{{partner: {partner.id}, from: {{directory: ./{kind}/{partner.id}}}, "
                "decode: auto}\n"
            )
    kept = "".join(f"  {name}: {{kept_since: {span.first}}}\n" for name in ("contacts", *journals.SHEETS))
    return text + TABLES + journals.configured(span) + REGISTERS.replace("KEPT", kept) + RULES


def _plain(name: str) -> str:
    return f'"{name}"' if any(c in name for c in "&:#,") else name
