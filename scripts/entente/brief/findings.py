# SPDX-License-Identifier: Apache-2.0
"""What the rules say on the page: findings with what they rest on, and what more data would decide."""

import re

from . import words
from .model import Ask, Brief, Evidence, Finding

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
SHOWN = 9  # pieces of evidence that are open to the eye; more of them are folded
MOST_ROWS = 12  # of a table that are open to the eye; a longer one is folded
text = words.text


def section(brief: Brief, partner_sees_it: bool) -> str:
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
        meta.append(f"<span>{text(words.plain(finding['practice'].replace('_', ' ')))}</span>")
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
    wide = "" if worth else " wide"
    return (
        f'<article class="finding {kind}{wide}"><p class="meta">{"".join(meta)}</p>'
        f'<p class="say">{text(finding["text"])}</p>{right}{_table(finding.get("rows") or [])}'
        f"{_rests_on(finding)}</article>"
    )


def _table(rows: list[list[str | float | None]]) -> str:
    """Rows that a rule gave with its finding; the first names the columns."""
    if not rows:
        return ""
    sides = [
        ' class="left"' if any(_is_word(row[n : n + 1]) for row in rows[1:]) else ""
        for n in range(len(rows[0]))
    ]
    head = "".join(
        f'<th scope="col"{side}>{text(words.capital(str(cell or "")))}</th>'
        for side, cell in zip(sides, rows[0], strict=False)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{side}>{_cell(cell)}</td>" for side, cell in zip(sides, row, strict=False))
        + "</tr>"
        for row in rows[1:]
    )
    table = f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    if len(rows) - 1 <= MOST_ROWS:
        return table
    return f'<details class="rest"><summary>{words.plural(len(rows) - 1, "row")}</summary>{table}</details>'


def _is_word(cell: list[str | float | None]) -> bool:
    """Not a number: it stands at the left of its column."""
    return bool(cell) and isinstance(cell[0], str) and not re.match(r"[-+\u2212]?\d", cell[0])


def _cell(cell: str | float | None) -> str:
    if cell is None:
        return '<span class="unknown">unknown</span>'
    return text(cell) if isinstance(cell, str) else words.digits(cell, "count")


def _rests_on(finding: Finding) -> str:
    """The evidence; a window that all of it shares is said once, and a long list is folded."""
    evidence = finding["evidence"]
    if not evidence:
        return ""
    windows = [e["window"] for e in evidence if e["window"]]
    shared = windows[0] if windows and all(w == windows[0] for w in windows) else None
    listed = "".join(_evidence(e, shared is None) for e in evidence)
    when = f"<p>{words.capital(words.days(shared))}</p>" if shared else ""
    body = f'{when}<dl class="evidence">{listed}</dl>'
    if len(evidence) > SHOWN or finding.get("rows"):
        return (
            f'<details class="rest"><summary>Rests on {words.plural(len(evidence), "figure")}</summary>'
            f"{body}</details>"
        )
    return f'<div class="rest">{body}</div>'


def _severity(finding: Finding) -> str:
    return f", {finding['severity']}" if finding["severity"] else ""


def _evidence(evidence: Evidence, dated: bool) -> str:
    value, unit = evidence["value"], evidence["unit"]
    if value is None:
        shown = (
            f'<span class="unknown">unknown</span><small>{text(evidence.get("unknown") or "no data")}</small>'
        )
    elif isinstance(value, str) or unit is None:
        shown = text(str(value))
    else:
        shown = text(words.amount(value, unit, evidence["currency"]))
    when = f"<small>{words.days(evidence['window'])}</small>" if dated and evidence["window"] else ""
    return f"<div><dt>{text(evidence['label'])}</dt><dd>{shown}{when}</dd></div>"


def asks(brief: Brief) -> str:
    if not brief["asks"]:
        return ""
    return (
        '<section aria-labelledby="asks"><h2 id="asks">What more data would decide</h2>'
        '<p class="lead">Missing data '
        "counts neither for nor against anybody. With it, these questions could be answered.</p>"
        f'<ul class="asks">{"".join(_ask(a) for a in brief["asks"])}</ul></section>'
    )


def _ask(ask: Ask) -> str:
    decides = f"<p>It would decide: {text(words.join(ask['decides']))}.</p>" if ask["decides"] else ""
    named = ask["source"] and ask["source"] not in ask["what"]  # most sentences name it themselves
    source = f' <span class="soft">({text(ask["source"] or "")})</span>' if named else ""
    why = text(words.sentence(ask["why"]))
    return f'<li><b>{text(words.capital(ask["what"]))}</b>{source}<p class="soft">{why}</p>{decides}</li>'
