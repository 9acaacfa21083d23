# SPDX-License-Identifier: Apache-2.0
"""The frame of quantities, measures, partners, evidence and what depends on it: in C inside the rules worker, else in Python."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .plain import (
        Depend,
        Figure,
        Look,
        Rows,
        Run,
        Seat,
        Values,
        bind,
        evidence,
        exact_pairs,
        exchanged,
        judge,
        loads,
        places,
        printed,
        printing,
        release,
        tidy,
        weighed,
    )
else:
    try:
        from _entente import (
            Depend,
            Figure,
            Look,
            Rows,
            Run,
            Seat,
            Values,
            bind,
            evidence,
            exact_pairs,
            exchanged,
            judge,
            loads,
            places,
            printed,
            release,
            tidy,
            weighed,
        )
    except ImportError:
        from .plain import (
            Depend,
            Figure,
            Look,
            Rows,
            Run,
            Seat,
            Values,
            bind,
            evidence,
            exact_pairs,
            exchanged,
            judge,
            loads,
            places,
            printed,
            printing,
            release,
            tidy,
            weighed,
        )
    else:

        class printing:
            def __enter__(self):
                return self

            def __exit__(self, *unused):
                return None


__all__ = [
    "Depend",
    "Figure",
    "Look",
    "Rows",
    "Run",
    "Seat",
    "Values",
    "bind",
    "evidence",
    "exact_pairs",
    "exchanged",
    "judge",
    "loads",
    "places",
    "printed",
    "printing",
    "release",
    "tidy",
    "weighed",
]
