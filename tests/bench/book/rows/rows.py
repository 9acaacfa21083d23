# SPDX-License-Identifier: Apache-2.0
"""A rule that walks the days of its figures one by one, in Python: see bench_rules.c."""

from entente import Findings, Partner, insight, rule

WALKS = 40


@rule(practice="informative")
def walks(partner: Partner) -> Findings:
    """The highest day of each figure, by a loop over its days."""
    days = [partner[name].daily("120d").raw for name in ("orders", "revenue.gross", "returns", "units")]
    for _ in range(WALKS):
        for values in days:
            highest = 0
            for value in values:
                if value > highest:
                    highest = value
            if highest < 0:
                yield insight("below nothing")
