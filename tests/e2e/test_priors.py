# SPDX-License-Identifier: Apache-2.0
"""What the organization believes: from entente.yaml through `entente check` into a finding with its range."""

from pathlib import Path

from project import Project
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
"""
BOOK = '''"""A book."""
from entente import Findings, Partner, money, opportunity, rule, spread


@rule(practice="consulting")
def faster(partner: Partner) -> Findings:
    """What a faster site is worth."""
    per_second = spread.slope([1, 2], [1, 2], prior=partner.prior("conversion_per_second"))
    gain = partner["orders"].over("28d") * money(10, partner) * per_second
    yield opportunity(f"likely {gain.p50}", worth=gain, per="28d")
'''
PRIOR = "priors:\n  conversion_per_second: {p10: 0.05, p50: 0.1, p90: 0.2, source: Deloitte 2020}"


def project(folder: Path, top: str) -> Project:
    p = Project(folder, SOURCES, top, rules="  books: [./rules]")
    p.write("rules/book.py", BOOK)
    p.write("north.csv", export(orders(300, seed=5)))
    return p


def test_a_prior_becomes_a_range(tmp_path: Path) -> None:
    p = project(tmp_path / "p", PRIOR)
    checked = p.entente("check").json
    assert checked["priors"]["conversion_per_second"]["p90"] == 0.2
    with p.start("check") as child:
        out, _ = child.communicate(timeout=60)
    assert "prior conversion_per_second: 0.1, from 0.05 to 0.2 (ratio); Deloitte 2020" in out
    p.run()
    record = p.record("faster", "nordwind")
    revenue = 10 * next(e["number"] for e in record["evidence"] if e["metric"] == "orders")
    prior = next(e for e in record["evidence"] if e["metric"] == "prior conversion_per_second")
    assert prior["slice"] == "p10=5.00% p90=20.0%; Deloitte 2020"
    [found] = record["findings"]
    low, high = found["worth_range"]
    assert (
        abs(found["worth"] - revenue * 1e5) <= revenue
        and abs(low - revenue * 5e4) <= revenue
        and abs(high - revenue * 2e5) <= revenue
    )
    [(identity, worth)] = [(f["id"], f["worth"]) for f in p.entente("findings").json]
    assert worth == found["worth"] / 1e6
    with p.start("findings", "show", identity) as child:
        out, _ = child.communicate(timeout=60)
    assert f"{low / 1e6:,.2f} to {high / 1e6:,.2f}, eight in ten times)" in out, out
    again = project(tmp_path / "again", PRIOR)
    again.run()
    assert again.record("faster", "nordwind")["findings"] == record["findings"], (
        "chance is the same on each run"
    )


def test_what_nobody_believes_is_asked_for(tmp_path: Path) -> None:
    p = project(tmp_path / "p", "")
    p.run()
    record = p.record("faster", "nordwind")
    assert record["verdict"] == "unknown"
    assert "p10, p50, p90 and their source" in record["asks"][0]["what"]
    p.top = PRIOR
    p.configure()
    p.run()
    assert p.record("faster", "nordwind")["verdict"] is True, "a new belief is judged by"
