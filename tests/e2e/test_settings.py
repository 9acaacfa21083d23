# SPDX-License-Identifier: Apache-2.0
"""Settings that change after facts were read: figures follow, and nothing is read again."""

from pathlib import Path

import pytest
from project import Project, same
from shop import events, export, feed, orders

SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
  analytics:
    partner: nordwind
    from: {glob: "./feed/*.json"}
    decode: {ga4: {currency: EUR}}
"""
PLAIN = "  nordwind: {name: Nordwind, zone: Europe/Berlin}"
CHANNELS = "channels: {shopify: {web: online/shop, iphone: online/shop, pos: offline/store}}"

CHANGES = {
    "zone": (PLAIN.replace("Europe/Berlin", "America/Los_Angeles"), ""),
    "channels": (PLAIN, CHANNELS),
    "views": (PLAIN, "views: [channel, country, device]"),
    "no-views": (PLAIN, "views: []"),
    "all": (PLAIN.replace("Europe/Berlin", "Asia/Kolkata"), f"{CHANNELS}\nviews: [country]"),
}


def project(folder: Path, partners: str, top: str) -> Project:
    p = Project(folder, SOURCES, partners=partners, top=top)
    p.write("exports/1.csv", export(orders(500, seed=31)))
    p.write("exports/2.csv", export(orders(300, seed=32)), 10)
    for day in range(3):
        p.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 40)))
    return p


@pytest.mark.parametrize("change", CHANGES)
def test_figures_follow_the_configuration(tmp_path: Path, change: str) -> None:
    p = project(tmp_path / "p", PLAIN, "")
    p.run()
    before = p.facts()
    p.partners, p.top = CHANGES[change]
    p.configure()
    said = p.run()
    assert (said.read["inputs"], said.read["unchanged"]) == (0, 5)
    fresh = project(tmp_path / "fresh", *CHANGES[change])
    fresh.run()
    assert fresh.facts()["cells"] != before["cells"]
    same([fresh, p])
    p.partners, p.top = PLAIN, ""
    p.configure()
    p.run()
    assert p.facts() == before, "and back again"
