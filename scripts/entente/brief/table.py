# SPDX-License-Identifier: Apache-2.0
"""The same content as CSV: one row for each value, finding, ask and covered stretch of days."""

import csv
import io

from .model import Brief

COLUMNS = ("section", "key", "label", "value", "unit", "currency", "from", "to", "note")


def rows(brief: Brief) -> str:
    """The table, with its header, lines ended by LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)

    def put(
        section: str,
        key: str,
        label: str,
        value: float | str | None,
        unit: str | None = None,
        currency: str | None = None,
        start: str | None = None,
        end: str | None = None,
        note: str | None = None,
    ) -> None:
        cells = (section, key, label, "unknown" if value is None else value, unit, currency, start, end, note)
        writer.writerow([_safe(cell) for cell in cells])

    window, before = brief["window"], brief["previous"]
    put("partner", brief["partner"]["id"], "name", brief["partner"]["name"])
    put("partner", brief["partner"]["id"], "as_of", brief["as_of"])
    for f in brief["figures"]:
        unit, currency = f["unit"], f["currency"]
        put(
            "figure",
            f["metric"],
            f["label"],
            f["value"],
            unit,
            currency,
            window["start"],
            window["end"],
            f["unknown"],
        )
        put(
            "figure",
            f["metric"],
            "before",
            f["previous"],
            unit,
            currency,
            before["start"],
            before["end"],
            f["previous_unknown"],
        )
        cohort = f["cohort"]
        if cohort:
            places = (("p25", cohort["p25"]), ("p50", cohort["p50"]), ("p75", cohort["p75"]))
            for name, place in places:
                put(
                    "cohort",
                    f["metric"],
                    name,
                    place,
                    unit,
                    currency,
                    window["start"],
                    window["end"],
                    cohort["unknown"],
                )
            put(
                "cohort",
                f["metric"],
                "size",
                cohort["size"],
                "count",
                None,
                window["start"],
                window["end"],
                cohort["unknown"],
            )
    for finding in brief["findings"]:
        worth = finding["worth"]
        put(
            "finding",
            "/".join(k for k in (finding["rule"], finding["key"]) if k),
            finding["kind"],
            worth["number"] if worth else "",
            "money" if worth else None,
            worth["currency"] if worth else None,
            finding["since"],
            None,
            finding["text"],
        )
        for e in finding["evidence"]:
            span = e["window"]
            put(
                "evidence",
                finding["rule"],
                e["label"],
                e["value"],
                e["unit"],
                e["currency"],
                span["start"] if span else None,
                span["end"] if span else None,
                e.get("unknown"),
            )
        head, *body = finding.get("rows") or [[]]
        for cells in body:
            said = "; ".join(
                f"{name}: {'unknown' if cell is None else cell}"
                for name, cell in zip(head, cells, strict=False)
            )
            put("row", finding["rule"], str(cells[0]), "", note=said)
    for ask in brief["asks"]:
        put("ask", ask["source"] or "", ask["what"], "; ".join(ask["decides"]), note=ask["why"])
    for source in brief["sources"]:
        for piece in source["covered"]:
            put("covered", source["name"], source["system"] or "", "", start=piece["start"], end=piece["end"])
    for definition in brief["provenance"]["definitions"]:
        put("definition", definition["metric"], definition["hash"], "", note=definition["doc"])
    return out.getvalue()


def _safe(cell: float | str | None) -> float | str:
    """A spreadsheet takes text that begins like this for a formula: such text gets an apostrophe."""
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
