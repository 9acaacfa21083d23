# SPDX-License-Identifier: Apache-2.0
"""Rules in the vocabulary of the package, for the test of package and process together."""
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def sells(partner: Partner, *, least: int = 10) -> Findings:
    """Orders of ten days."""
    orders = partner["orders"].over("10d")
    print("looked at", partner.id)
    if orders >= least:
        yield insight(f"{orders} orders", key="orders")


@rule(practice="informative")
def breaks(partner: Partner) -> Findings:
    """A mistake of its author."""
    yield insight("never", key=str(1 // (len(partner.id) - 3)))
