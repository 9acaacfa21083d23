# SPDX-License-Identifier: Apache-2.0
"""The page of one partner: one HTML file that needs nothing else and asks nobody."""

import datetime

from . import charts, words
from .model import Ask, Brief, Cohort, Evidence, Figure, Finding, Source
from .style import CSS

KINDS = {
    "red_flag": "Red flag",
    "gate": "Gate",
    "opportunity": "Opportunity",
    "proposal": "Proposal",
    "insight": "Insight",
    "ask": "Question",
}
MARKS = {
    "red_flag": "\u25b2",
    "gate": "\u25a0",
    "opportunity": "\u25cf",
    "proposal": "\u25c6",
    "insight": "\u25cb",
    "ask": "?",
}
SEVERITIES = {"high": 0, "medium": 1, "low": 2, None: 3}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
text = words.text


def page(brief: Brief, partner_sees_it: bool) -> str:
    """The whole document. `brief` holds what may be shown only: see `released`."""
    name = text(brief["partner"]["name"])
    sections = [
        _header(brief, partner_sees_it),
        "<main>",
        _figures(brief),
        _findings(brief, partner_sees_it),
        _cohort(brief),
        _series(brief),
        _asks(brief),
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
        f'<p class="chips">{" ".join(f"<span>{text(_plain(c))}</span>" for c in chips if c)}</p>'
        f'<p class="sum">{_summary(brief)}</p></header>'
    )


def _plain(word: str) -> str:
    return word.replace("-", " ") if word.islower() else word


def _length(brief: Brief) -> int:
    start, end = words.bounds(brief["window"])
    return (end - start).days


def _summary(brief: Brief) -> str:
    """One sentence that says what is on the page."""
    counts = [
        words.plural(n, word)
        for n, word in (
            (sum(f["kind"] == kind for f in brief["findings"]), KINDS[kind].lower())
            for kind in ("red_flag", "gate", "opportunity", "proposal", "insight")
        )
        if n
    ]
    asked = len(brief["asks"])
    said = _join(counts) if counts else "no finding"
    if asked:
        said += f"; {words.plural(asked, 'question')} that more data would decide"
    return f"{said[0].upper()}{said[1:]}."


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


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
            f"<p>{text(_sentence(figure['unknown'] or ''))}</p></div>"
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


def _findings(brief: Brief, partner_sees_it: bool) -> str:
    order = list(KINDS)
    found = sorted(
        brief["findings"],
        key=lambda f: (
            order.index(f["kind"]),
            SEVERITIES[f["severity"]],
            -(f["worth"]["number"] if f["worth"] else 0),
            f["rule"],
        ),
    )
    judged = brief["judged"]
    total = judged["true"] + judged["false"] + judged["unknown"] + judged["failed"]
    lead = (
        ""
        if partner_sees_it
        else (
            f"{words.plural(total, 'judgement')}: {judged['true']} found something, "
            f"{judged['false']} did not, {judged['unknown']} could not tell"
            + (f", {judged['failed']} failed." if judged["failed"] else ".")
        )
    )
    body = "".join(_finding(f, partner_sees_it) for f in found)
    if not found:
        body = "<p>Nothing stands out in what the data covers.</p>"
    return (
        f'<section aria-labelledby="findings"><h2 id="findings">Findings</h2><p class="lead">{lead}</p>'
        f'<div class="findings">{body}</div></section>'
    )


def _finding(finding: Finding, partner_sees_it: bool) -> str:
    kind = finding["kind"]
    meta = [
        f'<span class="kind"><span aria-hidden="true">{MARKS[kind]}</span> {KINDS[kind]}'
        f"{_severity(finding) if not partner_sees_it else ''}</span>"
    ]
    if not partner_sees_it:
        meta.append(f"<span>{text(_plain(finding['practice'].replace('_', ' ')))}</span>")
        meta.append(f"<span><code>{text(finding['rule'])}</code></span>")
        if finding["confidence"] is not None:
            meta.append(f"<span>confidence {finding['confidence']:.0%}</span>")
        since = f" since {words.day(finding['since'])}" if finding["since"] else ""
        meta.append(f"<span>{finding['state']}{since}</span>")
    if finding.get("stale"):
        meta.append('<span class="unknown">from an earlier day: could not be judged again</span>')
    worth = finding["worth"]
    right = ""
    if worth:
        per = f"in {words.span(worth['per'])}" if worth["per"] else ""
        if "low" in worth and "high" in worth:
            per += f" ({words.digits(worth['low'], 'money')} to {words.digits(worth['high'], 'money')})"
        right = (
            f'<p class="worth"><span class="big">{words.digits(worth["number"], "money")} '
            f"<small>{text(worth['currency'])}</small></span> <span>{per}</span></p>"
        )
    evidence = "".join(_evidence(e) for e in finding["evidence"])
    wide = "" if worth else " wide"
    return (
        f'<article class="finding {kind}{wide}"><p class="meta">{"".join(meta)}</p>'
        f'<p class="say">{text(finding["text"])}</p>{right}'
        + (f'<dl class="evidence">{evidence}</dl>' if evidence else "")
        + "</article>"
    )


def _severity(finding: Finding) -> str:
    return f", {finding['severity']}" if finding["severity"] else ""


def _evidence(evidence: Evidence) -> str:
    value, unit = evidence["value"], evidence["unit"]
    if value is None:
        shown = (
            f'<span class="unknown">unknown</span><small>{text(evidence.get("unknown") or "no data")}</small>'
        )
    elif isinstance(value, str) or unit is None:
        shown = text(str(value))
    else:
        shown = text(words.amount(value, unit, evidence["currency"]))
    when = f"<small>{words.days(evidence['window'])}</small>" if evidence["window"] else ""
    return f"<div><dt>{text(evidence['label'])}</dt><dd>{shown}{when}</dd></div>"


def _asks(brief: Brief) -> str:
    if not brief["asks"]:
        return ""
    return (
        '<section aria-labelledby="asks"><h2 id="asks">What more data would decide</h2>'
        '<p class="lead">Missing data '
        "counts neither for nor against anybody. With it, these questions could be answered.</p>"
        f'<ul class="asks">{"".join(_ask(a) for a in brief["asks"])}</ul></section>'
    )


def _ask(ask: Ask) -> str:
    decides = f"<p>It would decide: {text(_join(ask['decides']))}.</p>" if ask["decides"] else ""
    source = f' <span class="soft">({text(ask["source"])})</span>' if ask["source"] else ""
    why = text(_sentence(ask["why"]))
    return f'<li><b>{text(ask["what"])}</b>{source}<p class="soft">{why}</p>{decides}</li>'


def _cohort(brief: Brief) -> str:
    compared = [f for f in brief["figures"] if f["cohort"]]
    if not compared:
        return ""
    rows = "".join(_band(figure, n) for n, figure in enumerate(compared))
    names = sorted({_plain(f["cohort"]["name"]) for f in compared if f["cohort"]})
    return (
        f'<section aria-labelledby="cohort"><h2 id="cohort">Against the cohort</h2><p class="lead">'
        f"{text(_join(names)).capitalize()}, {words.days(brief['window'])}. Released figures of several "
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
            f"{text(_sentence(why or 'no data'))}</p></div>"
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
    return (
        '<section aria-labelledby="course"><h2 id="course">Course</h2><p class="lead">Tinted: '
        "the days that the key figures speak of. Hatched: no data, which is not zero.</p>"
        f'<div class="charts">{"".join(drawn)}</div></section>'
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
        f"<dd>{text(_sentence(d['doc']))}</dd></div>"
        for d in made["definitions"]
    )
    return (
        f'<footer><div class="inner"><h2>Definitions and provenance</h2><p>{", ".join(facts)}.</p>'
        + (f"<dl>{definitions}</dl>" if definitions else "")
        + "</div></footer>"
    )


def _sentence(words_: str) -> str:
    said = words_.strip()
    return said if not said else said[0].upper() + said[1:] + ("" if said[-1] in ".!?" else ".")
