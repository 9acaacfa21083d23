# SPDX-License-Identifier: Apache-2.0
"""How metrics are spoken of in a sentence, and which way is better."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Better = Literal["up", "down", "neither"]

# Those that a brief shows, in the order of its page.
FIGURES: Final[dict[str, tuple[str, Better]]] = {
    "revenue.net": ("net revenue", "up"),
    "orders": ("orders", "up"),
    "aov": ("average order value", "up"),
    "sessions": ("visits", "up"),
    "visitors": ("visitors", "up"),
    "conversion_rate": ("conversion rate", "up"),
    "cart_abandonment": ("share of carts left", "down"),
    "refund_rate": ("share of goods returned", "down"),
    "customers": ("known customers", "up"),
    "engagement_rate": ("share of engaged visits", "up"),
    "load_time.mean": ("page load time", "down"),
}
_OTHERS: Final[dict[str, str]] = {
    "revenue.gross": "gross revenue",
    "carts.left": "carts left",
    "carts.left_value": "value of carts left",
    "carts.recovered": "carts recovered",
    "consent_gap": "share of visits without a known visitor",
    "purchases": "purchases seen by analytics",
    "days_to_paid": "days until orders are paid",
    "load_time": "page load time",
    "facts.touch": "single touches",
}


def title(metric: str) -> str:
    """The metric as one says it: net revenue."""
    if metric in FIGURES:
        return FIGURES[metric][0]
    if metric.startswith("facts.") and metric not in _OTHERS:
        return f"single {metric[6:]}s"  # one by one: what a rule took a table of
    return _OTHERS.get(metric) or metric.replace(".", ", ").replace("_", " ")
