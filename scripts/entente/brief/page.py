# SPDX-License-Identifier: Apache-2.0
"""The page of one partner: one HTML file that needs nothing else and asks nobody."""

import datetime

from . import charts, findings, words
from .model import Brief, Cohort, Figure, Source
from .style import CSS

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
text = words.text


def page(brief: Brief, partner_sees_it: bool) -> str:
    """The whole document. `brief` holds what may be shown only: see `released`."""
    name = text(brief["partner"]["name"])
    sections = [
        _header(brief, partner_sees_it),
        "<main>",
        _figures(brief),
        findings.section(brief, partner_sees_it),
        _cohort(brief),
        _series(brief),
        findings.asks(brief),
        _sources(brief),
        "</main>",
        _footer(brief),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="color-scheme" content="light dark">\n<meta name="generator" content="entente brief">\n'
        f"<title>{name}, {words.day(brief['as_of'])}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
        f"{charts.PATTERNS}\n" + "\n".join(part for part in sections if part) + "\n</body>\n</html>\n"
    )


def _header(brief: Brief, partner_sees_it: bool) -> str:
    partner = brief["partner"]
    reader = "" if partner_sees_it else ", for us only"
    chips = [
        partner["industry"],
        partner["region"],
        None if partner_sees_it else partner["stage"],
        partner["currency"],
        partner["zone"],
    ]
    return (
        f'<header><p class="kicker"><span><b>Partner brief</b>{reader}</span>'
        f"<span>As of <b>{words.day(brief['as_of'])}</b></span></p>"
        f"<h1>{text(partner['name'])}</h1>"
        f'<p class="chips">{" ".join(f"<span>{text(words.plain(c))}</span>" for c in chips if c)}</p>'
        f'<p class="sum">{_summary(brief)}</p></header>'
    )


def _length(brief: Brief) -> int:
    start, end = words.bounds(brief["window"])
    return (end - start).days


def _summary(brief: Brief) -> str:
    """One sentence that says what is on the page."""
    counts = [
        words.plural(n, word)
        for n, word in (
            (sum(f["kind"] == kind for f in brief["findings"]), findings.KINDS[kind].lower())
            for kind in ("red_flag", "gate", "opportunity", "proposal", "insight")
        )
        if n
    ]
    asked = len(brief["asks"])
    said = words.join(counts) if counts else "no finding"
    if asked:
        said += f"; {words.plural(asked, 'question')} that more data would decide"
    return f"{said[0].upper()}{said[1:]}."


def _figures(brief: Brief) -> str:
    if not brief["figures"]:
        return ""
    length = _length(brief)
    cards = "".join(_card(figure) for figure in brief["figures"])
    return (
        f'<section aria-labelledby="figures"><h2 id="figures">Key figures</h2><p class="lead">'
        f"{length} days, {words.days(brief['window'])}, against the {length} days before them.</p>"
        f'<div class="cards">{cards}</div></section>'
    )


def _card(figure: Figure) -> str:
    value, unit = figure["value"], figure["unit"]
    origin = figure.get("origin")
    head = f"<h3>{text(figure['label'])}</h3>"
    if value is None:
        return (
            f'<div class="card">{head}<p class="big unknown">unknown</p>'
            f"<p>{text(words.sentence(figure['unknown'] or ''))}</p></div>"
        )
    currency = f" <small>{text(figure['currency'])}</small>" if figure["currency"] and unit == "money" else ""
    lines = [f'<p class="big">{words.digits(value, unit)}{currency}</p>', f"<p>{_delta(figure, value)}</p>"]
    place = _place(value, figure["cohort"])
    if place:
        lines.append(f'<p class="soft">{place}</p>')
    coverage = figure["coverage"]
    if coverage and coverage["days"] < coverage["of"]:
        lines.append(f'<p class="unknown">data for {coverage["days"]} of {coverage["of"]} days</p>')
    if origin and origin != "shop":
        lines.append(f'<p class="soft">from {text(origin)}</p>')
    return f'<div class="card">{head}{"".join(lines)}</div>'


def _delta(figure: Figure, value: float) -> str:
    before, unit = figure["previous"], figure["unit"]
    if before is None:
        return f'<span class="soft">before: unknown, {text(figure["previous_unknown"] or "no data")}</span>'
    was = words.digits(before, unit)
    coverage = figure["coverage"]
    if unit in ("count", "money") and coverage and coverage["days"] < coverage["of"]:
        return f'<span class="soft">not comparable with {was} before</span>'
    moved = words.change(value, before, unit)
    if moved is None:
        return f'<span class="soft">before: {was}</span>'
    same = round(value, 9) == round(before, 9)
    side = "up" if value > before else "down"
    tone = (
        ""
        if same or figure["better"] == "neither"
        else f" {side}-{'good' if side == figure['better'] else 'bad'}"
    )
    arrow = "=" if same else "\u25b2" if side == "up" else "\u25bc"
    return f'<span class="delta{tone}">{arrow} {moved}</span> <span class="soft">from {was}</span>'


def _place(value: float, cohort: Cohort | None) -> str:
    """Where the value lies within the cohort, in words."""
    if not cohort or cohort["p25"] is None or cohort["p75"] is None:
        return ""
    if value < cohort["p25"]:
        return "in the lowest quarter of its cohort"
    if value > cohort["p75"]:
        return "in the highest quarter of its cohort"
    return "in the middle half of its cohort"


def _cohort(brief: Brief) -> str:
    compared = [f for f in brief["figures"] if f["cohort"]]
    if not compared:
        return ""
    rows = "".join(_band(figure, n) for n, figure in enumerate(compared))
    names = sorted({words.plain(f["cohort"]["name"]) for f in compared if f["cohort"]})
    return (
        f'<section aria-labelledby="cohort"><h2 id="cohort">Against the cohort</h2><p class="lead">'
        f"{text(words.join(names)).capitalize()}, {words.days(brief['window'])}. Released figures of several "
        f'partners together; never those of one.</p><div class="bands">{rows}</div>'
        '<p class="legend"><span><i class="l-dot"></i>this partner</span>'
        '<span><i class="l-middle"></i>middle half '
        'of the cohort</span><span><i class="l-median"></i>median</span></p></section>'
    )


def _band(figure: Figure, number: int) -> str:
    cohort, value = figure["cohort"], figure["value"]
    head = f"<h3>{text(figure['label'])}</h3>"
    if cohort is None or cohort["p50"] is None:
        why = cohort["unknown"] if cohort else None
        return (
            f'<div class="bandrow">{head}<p class="why"><span class="unknown">unknown</span> '
            f"{text(words.sentence(why or 'no data'))}</p></div>"
        )
    svg = charts.band(value, cohort, figure["unit"], figure["currency"], figure["label"], f"band{number}")
    own = "" if value is not None else '<br><span class="unknown">unknown here</span>'
    return (
        f'<div class="bandrow">{head}{svg}<p>median <b>'
        f"{text(words.amount(cohort['p50'], figure['unit'], figure['currency']))}</b>"
        f'<br><span class="soft">of {cohort["size"]} partners</span>{own}</p></div>'
    )


def _series(brief: Brief) -> str:
    drawn = []
    for number, series in enumerate(brief["series"]):
        svg = charts.line(series, brief["window"], f"plot{number}")
        unit = {"money": f"{series['currency']} a day, ", "count": "a day, "}.get(series["unit"], "")
        unit += f"mean of {charts.reach(series)} days"
        body = svg or '<p class="unknown">unknown: no day has data</p>'
        drawn.append(
            f"<figure><figcaption><b>{text(series['label'])}</b><span>{text(unit)}</span></figcaption>"
            f"{body}</figure>"
        )
    if not drawn:
        return ""
    even = " even" if len(drawn) in (2, 4) else ""  # two beside each other, so that none is alone in its row
    return (
        '<section aria-labelledby="course"><h2 id="course">Course</h2><p class="lead">Tinted: '
        "the days that the key figures speak of. Hatched: no data, which is not zero.</p>"
        f'<div class="charts{even}">{"".join(drawn)}</div></section>'
    )


def _sources(brief: Brief) -> str:
    sources = brief["sources"]
    if not sources:
        return ""
    after = datetime.date.fromisoformat(brief["as_of"]) + charts.DAY
    starts = [datetime.date.fromisoformat(w["start"]) for s in sources for w in s["covered"]]
    first = min(starts, default=datetime.date.fromisoformat(brief["previous"]["start"]))
    first = min(first, after - charts.DAY)
    axis = charts.calendar_axis(first, after)
    rows = []
    for number, source in enumerate(sources):
        rows.append(
            f'<div class="striprow"><div><b>{text(source["name"])}</b>'
            + (f'<br><span class="soft">{text(source["system"])}</span>' if source["system"] else "")
            + f"</div>{charts.strip(source, first, after, brief['window'], f'strip{number}')}"
            f'<div class="soft">{_state(source, brief, after)}</div></div>'
        )
    return (
        '<section aria-labelledby="sources"><h2 id="sources">What the figures rest on</h2>'
        '<p class="lead">The days '
        "that each source speaks for.</p>"
        f'<div class="strips">{"".join(rows)}<div class="striprow">{axis}</div></div>'
        '<p class="legend"><span><i class="l-has"></i>covered</span>'
        '<span><i class="l-hole"></i>no data</span>'
        "<span>dashed line: the window begins</span></p></section>"
    )


def _state(source: Source, brief: Brief, after: datetime.date) -> str:
    records = f"{source['records']:,} records<br>" if source["records"] is not None else ""
    if not source["covered"]:
        return records + '<span class="unknown">no day covered</span>'
    first = min(datetime.date.fromisoformat(w["start"]) for w in source["covered"])
    missing = charts.holes(source, first, after)
    lost = sum((b - a).days for a, b in missing)
    said = "no day missing"
    if missing:
        longest = max(missing, key=lambda hole: hole[1] - hole[0])
        said = (
            f'<span class="unknown">{words.plural(lost, "day")} missing</span><br>'
            + ("" if len(missing) == 1 else "longest: ")
            + words.days({"start": str(longest[0]), "end": str(longest[1])})
        )
    if source["balanced"] is False:
        said += '<br><span class="bad">balance does not close</span>'
    return records + said


def _footer(brief: Brief) -> str:
    made = brief["provenance"]
    facts = [f"Entente {made['version']}"]
    for word, value in (
        ("generation", made["generation"]),
        ("rates", made["rates"]),
        ("digest", made["digest"]),
    ):
        if value:
            facts.append(f"{word} <code>{text(value)}</code>")
    definitions = "".join(
        f"<div><dt>{text(d['metric'])} <code>{text(d['hash'])}</code></dt>"
        f"<dd>{text(words.sentence(d['doc']))}</dd></div>"
        for d in made["definitions"]
    )
    return (
        f'<footer><div class="inner"><h2>Definitions and provenance</h2><p>{", ".join(facts)}.</p>'
        + (f"<dl>{definitions}</dl>" if definitions else "")
        + "</div></footer>"
    )
