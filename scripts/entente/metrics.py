# SPDX-License-Identifier: Apache-2.0
"""Metrics by what they are about: partner.measures(metrics.tagged("briefing"), by=("channel", "category")). Which tags a metric
has, `entente metrics list` says."""

from __future__ import annotations

from .measure import Measure
from .quantity import COUNT
from .reader import DISTRIBUTION, KNOWN, NO_DENOMINATOR, VIEWS
from .run import Read, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .day import Window
    from .partner import Partner
    from .view import Metric, View


class Tagged:
    """The metrics that have a tag, in the order of the catalogue."""

    __slots__ = ("tag",)

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def of(self, view: View) -> list[Metric]:
        """Those of this catalogue."""
        found = [metric for metric in view.metrics.values() if self.tag in metric.tags]
        if not found:
            known = sorted({tag for metric in view.metrics.values() for tag in metric.tags})
            raise LookupError(f"no metric has the tag {self.tag!r}; there are {', '.join(known)}")
        return found


def tagged(tag: str) -> Tagged:
    """Metrics with this tag: "briefing" are those that are worth a word in a meeting."""
    return Tagged(tag)


def measures(partner: Partner, of: Tagged, by: tuple[str, ...], during: Window) -> list[Measure]:
    """Each of these metrics as a whole, and each of its values of the views that has data in the window. What no source ever
    spoke of, or is a share of what never happened, is none of them."""
    view = partner.view
    span = view.span(during)
    for name in by:
        if name not in VIEWS[1:]:
            raise ValueError(f"no view is called {name!r}; there are {', '.join(VIEWS[1:])}")

    def nothing(metric: Metric, number: int, value: str) -> bool:
        """Whether it is a share of what did not happen."""
        state, *_ = view.snapshot.window(
            partner.index, metric.number, span.start, span.stop, -1, number, value
        )
        return state == NO_DENOMINATOR

    found: list[Measure] = []
    for metric in of.of(view):
        if not partner.origins(metric) or nothing(metric, 0, ""):
            continue
        found.append(partner[metric.name])
        for name in () if metric.kind == DISTRIBUTION else by:
            number = VIEWS.index(name)
            values = view.snapshot.values(partner.index, metric.number, number, span.start, span.stop)
            now.reads.append(
                Read(
                    metric.name,
                    span.start,
                    span.stop,
                    KNOWN,
                    len(values),
                    1,
                    COUNT,
                    -1,
                    slice=f"values of {name}",
                )
            )
            found += [
                Measure(partner, metric, -1, number, (value,))
                for value in values
                if not nothing(metric, number, value)
            ]
    return found
