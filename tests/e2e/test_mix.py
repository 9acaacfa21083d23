# SPDX-License-Identifier: Apache-2.0
"""A category that the peers live from and one partner hardly sells, in a whole run over files."""

import datetime
from pathlib import Path

import pytest
from project import Project

FIRST = datetime.date(2026, 1, 1)
LAST = datetime.date(2026, 6, 30)
PEERS = [f"peer{n}" for n in range(6)]
SOURCES = """\
  sales:
    partner: {from: fact}
    from: {file: ./sales.csv}
    decode:
      csv:
        fact: order-lines
        columns: {order: order, key: line, partner: partner, at: day, currency: currency, category: category, net: net, gross: net, quantity: n}
"""


def project(folder: Path, mine: dict[str, int]) -> Project:
    """Everybody sells chairs and lamps together, the peers half as many rugs besides; nordwind what is said."""
    p = Project(
        folder,
        SOURCES,
        top="views: [channel, category]",
        rules="  books: [shipped]\n  set: {missing_mix: {window: 26w}}",
        partners="".join(f"  {name}: {{industry: furniture}}\n" for name in ("nordwind", *PEERS)).rstrip(),
    )
    rows = ["order,line,partner,day,currency,category,net,n"]
    for n, day in enumerate(FIRST + datetime.timedelta(days=d) for d in range((LAST - FIRST).days + 1)):
        for name in ("nordwind", *PEERS):
            basket = {"chairs": 100, "lamps": 50, "rugs": 60} if name != "nordwind" else mine
            for line, (category, net) in enumerate(basket.items()):
                rows.append(f"{name}-{n},{line},{name},{day},EUR,{category},{net},1")
    p.write("sales.csv", "\n".join(rows) + "\n")
    return p


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [
        ({"chairs": 100, "lamps": 60}, "true"),
        ({"chairs": 100, "lamps": 60, "rugs": 50}, "false"),
        ({"chairs": 100, "": 60}, "unknown"),
    ],
    ids=["true", "false", "unknown"],
)
def test_a_missing_category(tmp_path: Path, mine: dict[str, int], verdict: str) -> None:
    p = project(tmp_path / "p", mine)
    said = p.entente("run")
    assert said.status == 0, said.err
    assert p.sql("select verdict from v_verdict where rule = 'missing_mix' and partner = 'nordwind'") == [(verdict,)]
    record = p.record("missing_mix", "nordwind")
    if verdict == "true":
        (found,) = record["findings"]
        assert found["key"] == "rugs" and found["text"].startswith("rugs: 0.0% of revenue, 28.6% at the median of 7 peers"), found
        assert 0 < found["worth"] <= 0.286 * 160 * 182 * 10**6
    if verdict == "unknown":
        assert "has no category" in record["findings"][0]["text"] and record["asks"]
    others = p.sql("select distinct verdict from v_verdict where rule = 'missing_mix' and partner <> 'nordwind'")
    assert others == [("false",)]
