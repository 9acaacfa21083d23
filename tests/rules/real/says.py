# SPDX-License-Identifier: Apache-2.0
"""The same findings for each partner; those of ada are written by Python, for its rule has printed something."""
from entente import Findings, Partner, gate, insight, money, opportunity, proposal, red_flag, rule, unknown


@rule(practice="informative")
def says(partner: Partner) -> Findings:
    """One of each kind, and of each field."""
    if partner.id == "ada":
        print("written by Python")
    yield insight("plain")
    yield insight('a "quoted"\ttext, naïve and 日本', key=("two", 3), rank=2.5)
    yield insight("", key="empty", rank=float("inf"), confidence=1.0)
    yield insight("whole", key="whole", rank=3, confidence=1)
    yield insight("lone \ud800 half", key="\ud800")
    yield opportunity("worth", worth=money(2.5, partner) / 3, per="28d", confidence=0.1)
    yield opportunity("huge", key="huge", worth=money(10**16, partner), per="28d")
    yield red_flag("flag", severity="high", worth=money(0, partner), rank=-1e-7)
    yield gate("shut", open=False)
    yield insight("table", key="rows", rows=(("a", "b"), (1, money(5, partner))))
    yield insight("drawn", key="chart", chart=("bars", {"x": 1.5}))
    yield proposal("proposed", worth=None, per=None)
    yield unknown("who knows", key="when", decides_on=partner.today + 3)


@rule(practice="informative")
def shrugs(partner: Partner) -> Findings:
    """Nothing but what is not known."""
    if partner.id == "ada":
        print("written by Python")
    yield unknown("who knows")


@rule(practice="informative")
def mumbles(partner: Partner) -> Findings:
    """What nobody can write down."""
    if partner.id == "ada":
        print("written by Python")
    yield insight(f"of {partner.orders}" if partner.id == "nobody" else "fine", key="said")  # type: ignore[attr-defined]
    yield insight("of its own kind", chart=("bars", 5))  # type: ignore[arg-type]
