# SPDX-License-Identifier: Apache-2.0
"""The page of a replay: how many findings stood on each past day, rule by rule or setting by setting, what
changed, and what differs from now. One HTML file that needs nothing else; the look is the brief's."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .brief import charts, words
from .brief.page import POLICY
from .brief.style import CSS

PLOT: Final = charts.PLOT
TOP: Final = charts.TOP
FOOT: Final = charts.FOOT
_MORE: Final = """
.plot .unknown{fill:none;stroke:var(--ask);stroke-width:1.5;stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
.legend .l-said{background:var(--accent)}.legend .l-unknown{background:var(--ask)}
.bar{fill:var(--has)}.bars td:last-child{width:40%;white-space:normal}
td.what{white-space:normal;text-align:left;min-width:16rem}
.notes{color:var(--soft);font-size:.9rem}"""
text = words.text


def page(replay: Mapping[str, Any]) -> str:
    """The whole document. `replay` is what `entente rules replay --json` shows, its days perhaps thinned out."""
    swept = len({total["set"] for total in replay["totals"]}) > 1
    rules = list(dict.fromkeys(total["rule"] for total in replay["totals"]))
    title = f"Replay of {words.join(rules) if len(rules) < 4 else words.plural(len(rules), 'rule')}"
    body = [
        _header(replay, title),
        "<main>",
        _sweep(replay) if swept else "",
        _courses(replay),
        "" if swept else _changes(replay),
        _diff(replay),
        _notes(replay),
        "</main>",
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="color-scheme" content="light dark">\n<meta name="generator" content="entente rules replay">\n'
        f"<title>{text(title)}</title>\n<style>{CSS}{_MORE}</style>\n</head>\n<body>\n{charts.PATTERNS}\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _header(replay: Mapping[str, Any], title: str) -> str:
    knowledge = {
        "arrival": "Each day is judged by what had arrived by its end",
        "event": "Each day is judged by what is known today, cut at its end",
    }[replay["knowledge"]]
    return (
        f'<header><p class="kicker"><span><b>Replay</b></span><span><b>{words.day(replay["from"])}</b> to '
        f"<b>{words.day(replay['to'])}</b></span></p><h1>{text(title)}</h1>"
        f'<p class="sum">{knowledge}: {text(replay["because"])}.</p></header>'
    )


def _count(total: Mapping[str, Any]) -> str:
    return f"{words.plural(total['findings'], 'finding')}, {total['at_the_end']} at the end"


def _name(total: Mapping[str, Any], alone: bool) -> str:
    if alone and total["set"]:
        return str(total["set"])
    return f"{total['rule']}, {total['set']}" if total["set"] else str(total["rule"])


def _alone(replay: Mapping[str, Any]) -> bool:
    return len({total["rule"] for total in replay["totals"]}) == 1


def _courses(replay: Mapping[str, Any]) -> str:
    alone = _alone(replay)
    days = [datetime.date.fromisoformat(day) for day in replay["days"]]
    figures = [
        f"<figure><figcaption><b>{text(_name(total, alone))}</b><span>{_count(total)}</span></figcaption>"
        f"{steps(days, total['by_day'], total['unknown_by_day'], _name(total, alone), f'r{n}')}</figure>"
        for n, total in enumerate(replay["totals"])
    ]
    return (
        f'<section><h2>Findings by day</h2><p class="lead">How many stood at the end of each day.</p>'
        f'<div class="charts even">{"".join(figures)}</div><p class="legend"><span><i class="l-said"></i>findings</span>'
        f'<span><i class="l-unknown"></i>partners of whom the rule could not know</span></p></section>'
    )


def _step(most: int) -> int:
    """Between the lines of an axis of counts: there are four of them at most."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if most <= 4 * factor * size:
                return factor * size
        size *= 10


def steps(
    days: Sequence[datetime.date], said: Sequence[int], unknown: Sequence[int], label: str, name: str
) -> str:
    """Counts that hold until the next day, as a chart of steps."""
    first, last = days[0], days[-1]
    length = max(1, (last - first).days + 1)
    step = _step(max(1, *said, *unknown))
    top = step * -(-max(1, *said, *unknown) // step)

    def x(number: int) -> float:
        day = days[number] if number < len(days) else last + charts.DAY
        return 100 * (day - first).days / length

    def y(value: float) -> float:
        return PLOT * (1 - value / top)

    def path(values: Sequence[int]) -> str:
        return " ".join(
            f"{x(n):.2f},{y(value):.1f} {x(n + 1):.2f},{y(value):.1f}" for n, value in enumerate(values)
        )

    inner, lettering = [], []
    for n in range(top // step + 1):
        at = y(n * step)
        inner.append(
            f'<line class="{"axis" if n == 0 else "grid"}" x1="0" x2="100" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        if n:
            lettering.append(f'<text class="y" x="0" y="{TOP + at - 4:.1f}">{n * step:,}</text>')
    inner.append(f'<polygon class="area" points="0,{PLOT} {path(said)} 100,{PLOT}"/>')
    inner.append(f'<polyline class="line" points="{path(said)}"/>')
    if any(unknown):
        inner.append(f'<polyline class="unknown" points="{path(unknown)}"/>')
    found = charts.ticks(first, last) or [first]
    for date in found:
        at = 100 * (date - first).days / length
        anchor = "start" if at < 8 else "end" if at > 94 else "middle"
        word = words.MONTHS[date.month - 1][:3]
        if date.day != 1:
            word = f"{date.day} {word}"
        if date.month == 1 or date == found[0]:
            word += f" {date.year}"
        inner.append(f'<line class="tick" x1="{at:.2f}" x2="{at:.2f}" y1="{PLOT}" y2="{PLOT + 4}"/>')
        lettering.append(f'<text x="{at:.2f}%" y="{TOP + PLOT + 17}" text-anchor="{anchor}">{word}</text>')
    what = (
        f"From {words.day(str(first))} to {words.day(str(last))}: at least {min(said)}, at most "
        f"{max(said)}, at the end {words.plural(said[-1], 'finding')}; not known for at most "
        f"{words.plural(max(unknown), 'partner')}."
    )
    return (
        f'<svg class="plot" role="img" aria-labelledby="{name}-t {name}-d" width="100%" '
        f'height="{TOP + PLOT + FOOT}"><title id="{name}-t">{text(label)}</title><desc id="{name}-d">{text(what)}</desc>'
        f'<svg y="{TOP}" width="100%" height="{PLOT + 5}" viewBox="0 0 100 {PLOT + 5}" preserveAspectRatio="none">'
        f"{''.join(inner)}</svg>{''.join(lettering)}</svg>"
    )


def _worth(value: float | None, currency: str) -> str:
    return "" if value is None else words.amount(float(value), "money", currency)


def _sweep(replay: Mapping[str, Any]) -> str:
    totals, alone = replay["totals"], _alone(replay)
    most = max(1, *(total["findings"] for total in totals))
    rows = "".join(
        f"<tr><td>{text(_name(total, alone))}</td><td>{total['findings']}</td><td>{total['at_the_end']}</td>"
        f"<td>{total['partners']}</td><td>{_worth(total['worth'], replay['currency'])}</td><td>"
        f'<svg width="100%" height="14" aria-hidden="true"><rect class="bar" x="0" y="2" height="10" '
        f'width="{100 * total["findings"] / most:.1f}%"/></svg></td></tr>'
        for total in totals
    )
    return (
        f'<section><h2>By setting</h2><p class="lead">How findings move with the settings.</p><div class="rows bars">'
        f"<table><thead><tr><th>setting</th><th>findings</th><th>at the end</th><th>partners</th><th>worth</th>"
        f'<th class="left"></th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _changes(replay: Mapping[str, Any]) -> str:
    changes, total = replay["changes"], replay["n_changes"]
    if not changes:
        return ""
    rows = "".join(
        f'<tr><td>{change["day"]}</td><td class="left">{text(change["partner"])}</td><td class="left">{change["change"]}</td>'
        f'<td class="left">{text(change["rule"])}</td><td>{_worth(change["worth"], replay["currency"])}</td>'
        f'<td class="what">{text(change["text"] or "")}</td></tr>'
        for change in changes
    )
    cut = "" if total == len(changes) else f" The first {len(changes)} of {total:,}."
    return (
        f'<section><h2>What changed</h2><p class="lead">Day by day.{cut}</p><div class="rows"><table><thead><tr><th>day</th>'
        f'<th class="left">partner</th><th class="left">change</th><th class="left">rule</th><th>worth</th>'
        f'<th class="left">what</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _diff(replay: Mapping[str, Any]) -> str:
    diff = replay["diff"]
    if diff is None or diff["judged_as_of"] is None:
        return ""
    both = sum(found["said"] == "both" for found in diff["findings"])
    rows = "".join(
        f'<tr><td>{text(found["partner"])}</td><td class="left">{found["said"]} only</td><td>{found["since_then"] or ""}</td>'
        f'<td>{found["since_now"] or ""}</td><td class="left">{text(found["rule"])}</td><td class="what">'
        f"{text(found['text'] or '')}</td></tr>"
        for found in diff["findings"]
        if found["said"] != "both"
    )
    table = (
        f'<div class="rows"><table><thead><tr><th>partner</th><th class="left">said</th><th>since, then</th>'
        f'<th>since, now</th><th class="left">rule</th><th class="left">what</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return (
        f'<section><h2>Against now</h2><p class="lead">{words.day(replay["to"])} against what is said now, as of '
        f"{words.day(diff['judged_as_of'])}: {both} said on both.</p>{table if rows else ''}</section>"
    )


def _notes(replay: Mapping[str, Any]) -> str:
    notes = "".join(f"<li>{text(note)}</li>" for note in replay["not_known"])
    return f'<section><h2>Not known here</h2><ul class="notes">{notes}</ul></section>'
