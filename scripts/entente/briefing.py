# SPDX-License-Identifier: Apache-2.0
"""Gathers what the brief of one partner shows: figures against the cohort, series, and what the core hands
over with the request, which is the findings as they are stored, the asks, and how many rules said what.
entente.brief makes the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from . import brief
from .brief import model
from .classes import CONFIDENTIAL, OURS
from .day import Window, day_number, iso, previous
from .measure import Measure
from .missing import NotEnoughEvidence
from .partner import Partner
from .quantity import Quantity
from .reader import KNOWN, NO_DENOMINATOR, RATIO, SUM
from .schemas import SCHEMAS
from .titles import FIGURES, title
from .view import Metric, View

WINDOW: Final = "28d"
COURSE_DAYS: Final = 182  # that the curves show
COURSES: Final = ("revenue.net", "orders", "sessions", "conversion_rate")
_STATES: Final = {
    "no_coverage": "too few of its days are known",
    "no_rate": "an exchange rate is missing",
    "no_denominator": "there is nothing to divide by",
}
_KINDS: Final = ("insight", "opportunity", "red_flag", "gate", "ask", "proposal")


def build(view: View, request: Mapping[str, Any], audiences: Mapping[str, str]) -> bytes:
    """The page as HTML, its content as JSON, or as CSV. `audiences` says of each rule whether it is for us
    or for both."""
    name, kind, reader = (
        str(request.get("partner", "")),
        request.get("format", "html"),
        request.get("for", "us"),
    )
    if name not in view.index:
        raise ValueError(f"there is no partner {name!r}; `entente partners` lists them")
    if kind not in ("html", "json", "csv"):
        raise ValueError(f"a brief is html, json or csv, and not {kind!r}")
    if reader not in ("us", "partner"):
        raise ValueError(f"a brief is for us or for the partner, and not for {reader!r}")
    index = view.index[name]
    content = gather(Partner(view.of(index), index), request, audiences)
    for_partner = reader == "partner"
    if kind == "html":
        return brief.render(content, for_partner=for_partner).encode()
    if kind == "csv":
        return brief.to_csv(content, for_partner=for_partner).encode()
    checked = brief.check(content)
    return json.dumps(
        brief.released(checked) if for_partner else checked, ensure_ascii=False, indent=1
    ).encode()


def gather(partner: Partner, request: Mapping[str, Any], audiences: Mapping[str, str]) -> model.Brief:
    """All that the page shows, as entente.brief.model describes it."""
    view, profile = partner.view, partner.profile
    window = str(request.get("window") or WINDOW)
    before = previous(window)
    metrics = _metrics(view)
    judged = request.get("judged") or {}
    return {
        "partner": {
            "id": partner.id,
            "name": profile.name,
            "industry": profile.industry or None,
            "region": profile.region or None,
            "stage": profile.stage or None,
            "zone": profile.zone or "UTC",
            "currency": profile.currency or view.currency,
        },
        "as_of": iso(view.as_of),
        "window": _window(view, window),
        "previous": _window(view, before),
        "figures": [_figure(partner, metric, window, before) for metric in metrics],
        "series": [
            _course(partner, view.metrics[name])
            for name in COURSES
            if name in view.metrics and partner[name].is_known()
        ],
        "findings": [
            _finding(view, row, audiences)
            for row in request.get("findings") or ()
            if row.get("kind") in _KINDS
        ],
        "asks": _asks(request.get("asks") or (), audiences, _kept_by_us(view)),
        "sources": _sources(partner, request.get("sources") or ()),
        "judged": {
            "true": int(judged.get("true", 0)),
            "false": int(judged.get("false", 0)),
            "unknown": int(judged.get("unknown", 0)),
            "failed": int(judged.get("failed", 0)),
        },
        "provenance": {
            "version": str(request.get("version") or ""),
            "generation": str(view.snapshot.generation),
            "digest": request.get("digest"),
            "rates": request.get("rates"),
            "definitions": [{"metric": m.name, "hash": m.definition, "doc": m.doc} for m in metrics],
        },
    }


def _metrics(view: View) -> list[Metric]:
    first = [view.metrics[name] for name in FIGURES if name in view.metrics]
    return first + [m for m in view.metrics.values() if "briefing" in m.tags and m.name not in FIGURES]


def _window(view: View, window: Window) -> model.Window:
    span = view.span(window)
    return {"start": iso(span.start), "end": iso(span.stop)}


def _unit(metric: Metric) -> model.Unit:
    kind = metric.unit.kind
    return "count" if kind == "pieces" else kind  # type: ignore[return-value]


def _label(metric: Metric) -> str:
    text = title(metric.name)
    return text[0].upper() + text[1:]


def _figure(partner: Partner, metric: Metric, window: Window, before: Window) -> model.Figure:
    measure = partner[metric.name]
    value, unknown = _read(measure, window)
    was, was_unknown = _read(measure, before)
    span = partner.view.span(window)
    covered = round(measure.coverage(window).number * (span.stop - span.start))
    return {
        "metric": metric.name,
        "label": _label(metric),
        "unit": _unit(metric),
        "currency": metric.unit.currency or None,
        "value": value,
        "unknown": unknown,
        "previous": was,
        "previous_unknown": was_unknown,
        "better": FIGURES[metric.name][1] if metric.name in FIGURES else "neither",
        # A peer's volume says how large it is, not how well it does: only ratios are held against the cohort.
        "cohort": _cohort(partner, metric, window) if metric.kind == RATIO and value is not None else None,
        "coverage": {"days": covered, "of": span.stop - span.start},
    }


def _read(measure: Measure, window: Window) -> tuple[float | None, str | None]:
    try:
        return measure.over(window).number, None
    except NotEnoughEvidence as error:
        return None, error.why


def _cohort(partner: Partner, metric: Metric, window: Window) -> model.Cohort:
    try:
        peers = partner.cohort("industry")[metric.name].over(window)
    except NotEnoughEvidence as error:
        return {
            "name": partner.profile.industry,
            "size": None,
            "p25": None,
            "p50": None,
            "p75": None,
            "unknown": error.why,
        }
    return {
        "name": peers.cohort,
        "size": peers.size,
        "p25": peers.quantile(0.25).number,
        "p50": peers.median.number,
        "p75": peers.quantile(0.75).number,
        "unknown": None,
    }


def _course(partner: Partner, metric: Metric) -> model.Series:
    """One value a day, None where no source speaks for it; of ratios with what they are divided by."""
    view = partner.view
    start, stop = view.as_of + 1 - COURSE_DAYS, view.as_of + 1
    first = partner[metric.name].known_since().number
    start = min(max(start, first), view.as_of)
    values: list[float | None] = []
    weights: list[float | None] = []
    for day in range(start, stop):
        state, top, bottom = view.snapshot.window(partner.index, metric.number, day, day + 1)[:3]
        known = state == KNOWN and bottom
        values.append(Quantity(top, bottom, metric.unit).number if known else None)
        weights.append(float(bottom) if known else 0.0 if state == NO_DENOMINATOR else None)
    out: model.Series = {
        "metric": metric.name,
        "label": _label(metric),
        "unit": _unit(metric),
        "currency": metric.unit.currency or None,
        "start": iso(start),
        "values": values,
    }
    if metric.kind != SUM:
        out["weights"] = weights
    return out


def _finding(view: View, row: Mapping[str, Any], audiences: Mapping[str, str]) -> model.Finding:
    worth = row.get("worth")
    value: model.Worth | None = None
    if worth is not None:
        value = {"number": worth / 1_000_000, "currency": view.currency, "per": row.get("per")}
        if row.get("worth_range"):
            value["low"], value["high"] = (n / 1_000_000 for n in row["worth_range"])
    return {
        "rule": str(row["rule"]),
        "key": row.get("key") or None,
        "practice": str(row.get("practice") or ""),
        "kind": row["kind"],
        "severity": row.get("severity"),
        "text": str(row["text"]),
        "worth": value,
        "confidence": row.get("confidence"),
        "evidence": [_evidence(view, e) for e in row.get("evidence") or ()],
        "audience": _audience(row, audiences),
        "state": row.get("state") or "open",
        "since": row.get("since"),
        "stale": bool(row.get("stale")),
        "rows": [list(cells) for cells in row.get("rows") or ()],
    }


def _evidence(view: View, read: Mapping[str, Any]) -> model.Evidence:
    name, changed = str(read["metric"]), ""
    if name.endswith(" change"):
        name, changed = name.removesuffix(" change"), ", change"
    label = title(name) + changed + (f", {read['slice']}" if read.get("slice") else "")
    label = label[0].upper() + label[1:]
    if read.get("cohort"):
        label += f", median of {read['size']} partners ({read['cohort']})"
    elif read.get("origin"):
        label += f" ({read['origin']})"
    unit = str(read.get("unit") or "")
    money = len(unit) == 3 and unit.isupper()
    shown: Any = "money" if money else "count" if unit == "pieces" else unit or None
    known = read.get("state") == "known"
    return {
        "label": label,
        "value": read.get("number") if known else None,
        "unit": shown,
        "currency": unit if money else None,
        "window": {"start": str(read["from"]), "end": _after(str(read["through"]))},
        "unknown": None if known else _STATES.get(str(read.get("state")), "not known"),
        "audience": "us" if read.get("class") in (OURS, CONFIDENTIAL) else "both",
    }


def _after(day: str) -> str:
    return iso(day_number(day) + 1)


def _kept_by_us(view: View) -> frozenset[str]:
    """Registers that we fill in ourselves: nobody asks the partner for what is missing there. Books and claims are
    theirs to give."""
    return frozenset({*SCHEMAS, *(view.meta.get("registers") or ())} - {"books", "claims"})


def _asks(
    rows: Iterable[Mapping[str, Any]], audiences: Mapping[str, str], ours: frozenset[str]
) -> list[model.Ask]:
    """Each thing that is asked for once, with all that it would decide."""
    out: dict[str, model.Ask] = {}
    for row in rows:
        what = str(row["what"])
        decides = str(row.get("decides") or row.get("rule") or "")
        ask = out.get(what)
        if ask is None:
            ask = out[what] = {
                "what": what,
                "why": str(row.get("why") or ""),
                "decides": [],
                "source": row.get("source") or None,
                "audience": "us",
            }
        if decides and decides not in ask["decides"]:
            ask["decides"].append(decides)
        if _audience(row, audiences) == "both" and row.get("metric") not in ours:
            ask["audience"] = "both"
    return list(out.values())


def _audience(row: Mapping[str, Any], audiences: Mapping[str, str]) -> model.Audience:
    """What the row says, else the rule; what nobody speaks for is ours."""
    said = row.get("audience") or audiences.get(str(row.get("rule")))
    return "both" if said == "both" else "us"


def _sources(partner: Partner, given: Iterable[Mapping[str, Any]]) -> list[model.Source]:
    """The sources that speak of the partner, and for which days."""
    view = partner.view
    about = {str(row["name"]): row for row in [*(view.about(partner.index).get("sources") or ()), *given]}
    days: dict[str, list[tuple[int, int]]] = {}
    for name in ("orders", "sessions", "carts"):
        metric = view.metrics.get(name)
        for origin in view.snapshot.origins(partner.index, metric.number) if metric else ():
            for start, stop, _, source in view.snapshot.covers(
                partner.index, metric.number if metric else 0, origin
            ):
                days.setdefault(source, []).append((start, stop))
    out: list[model.Source] = []
    for source in sorted(days):
        merged: list[tuple[int, int]] = []
        for start, stop in sorted(days[source]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        row = about.get(source, {})
        out.append(
            {
                "name": source,
                "system": row.get("system"),
                "records": row.get("records"),
                "balanced": row.get("balanced"),
                "covered": [{"start": iso(start), "end": iso(stop)} for start, stop in merged],
            }
        )
    return out
