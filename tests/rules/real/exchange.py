# SPDX-License-Identifier: Apache-2.0
"""Compares the values of a cohort after some of them changed as C puts them in order with the same in Python."""
import random

from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def exchange(partner: Partner) -> Findings:
    """Where the two differ."""
    from entente import native, plain

    if native.exchanged is plain.exchanged:
        yield insight("both are the same", key="same")
    dice = random.Random(11)
    for turn in range(400):
        most = dice.choice((2, 10, 10**6, 2**52))
        pairs = [(dice.randint(-most, most), dice.choice((1, 1, 7, most))) for _ in range(dice.randrange(60))]
        was = dice.sample(pairs, dice.randint(0, len(pairs)))
        now = [(dice.randint(-most, most), dice.choice((1, 3, most))) for _ in range(dice.randrange(20))]
        left = list(pairs)
        for pair in was:
            left.remove(pair)
        ordered, wanted = (sorted((top / bottom, top, bottom) for top, bottom in all_) for all_ in (pairs, left + now))
        found = native.exchanged(ordered, was, now)
        if found != wanted:
            yield insight(f"{pairs} without {was} with {now}: {found}", key=str(turn))
    for was, now in (([(5, 1)], []), ([(1, 1), (1, 1)], [(2, 1)]), ([], [(2**60, 1)]), ([], [(1, 0)]), ([(1, 1)], [(3, 1), (4, 1)])):
        found = native.exchanged([(1.0, 1, 1)], was, now)
        if found != ([(3.0, 3, 1), (4.0, 4, 1)] if len(now) == 2 else None):
            yield insight(f"{was} {now}: {found}", key="odd")
    print("compared 405")
