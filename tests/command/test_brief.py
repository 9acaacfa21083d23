# SPDX-License-Identifier: Apache-2.0
"""`entente brief`: what the store keeps of a partner becomes one page."""

import csv
import io
import stat
from pathlib import Path

import pytest
from conftest import Run, answer


def test_page_is_written_whole(shop: Run, tmp_path: Path) -> None:
    page = tmp_path / "alder.html"
    page.write_text("the old one")
    done = shop("brief", "alder", "-o", str(page))
    assert (done.status, done.err) == (0, "")
    assert done.out == f"{page}: the brief of alder as of 2026-03-10 (date), 2 findings\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(("<!doctype html>", "<!DOCTYPE html>"))
    assert "Alder Tools" in text and "3 orders within 10d" in text and "10 visits" in text
    without_names = text.replace("http://www.w3.org", "")  # of SVG
    assert "http://" not in without_names and "https://" not in text
    assert [p.name for p in tmp_path.iterdir()] == ["alder.html"]  # no half-written file stays
    assert stat.S_IMODE(page.stat().st_mode) == 0o644


def test_json_holds_findings_asks_and_where_they_come_from(shop: Run) -> None:
    page = answer(shop("brief", "birch", "-o", "-", "--format", "json"))
    assert page["as_of"] == "2026-03-10"
    (finding,) = page["findings"]
    assert (finding["rule"], finding["key"], finding["since"]) == ("sells", "orders", "2026-03-10")
    assert finding["evidence"][0]["value"] == 2
    assert finding["evidence"][0]["window"] == {"start": "2026-03-01", "end": "2026-03-11"}
    assert page["judged"] == {"true": 1, "false": 0, "unknown": 1, "failed": 0}
    (ask,) = page["asks"]
    assert ask["decides"] == ["grows"] and "isits" in ask["what"] and ask["why"]
    (source,) = page["sources"]
    assert (source["name"], source["records"], source["balanced"]) == ("orders", 9, True)
    assert len(page["provenance"]["rates"]) == 16 and page["provenance"]["digest"] is None


def test_digest_on_the_page_is_that_of_the_balance(shop: Run) -> None:
    digest = answer(shop("balance", "--digest", "--json"))["all"]
    page = answer(shop("brief", "birch", "-o", "-", "--format", "json", "--digest"))
    assert page["provenance"]["digest"] == digest


def test_for_the_partner_what_is_ours_is_left_out(shop: Run) -> None:
    ours = answer(shop("brief", "alder", "-o", "-", "--format", "json"))
    theirs = answer(shop("brief", "alder", "-o", "-", "--format", "json", "--for", "partner"))
    assert {f["rule"] for f in ours["findings"]} == {"sells", "grows"}
    assert {f["rule"] for f in theirs["findings"]} == {"sells"}
    assert "grows" not in str(theirs)


def test_csv(shop: Run) -> None:
    rows = list(csv.reader(io.StringIO(shop("brief", "alder", "-o", "-", "--format", "csv").out)))
    assert len(rows) > 10 and len({len(row) for row in rows}) == 1


def test_another_moment_is_told(shop: Run) -> None:
    done = shop("brief", "alder", "-o", "-", "--format", "json", "--as-of", "2026-03-05")
    assert '"as_of": "2026-03-05"' in done.out
    assert "figures are as of 2026-03-05, findings as of 2026-03-10" in done.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["aldr", "-o", "-"], 1, "there is no partner 'aldr'; did you mean 'alder'?"),
        (["larch", "-o", "-"], 1, "means no partner yet; write it as `also: {SYSTEM: larch}`"),
        (["alder"], 2, "needs a file to write to; write -o FILE"),
        (["alder", "-o", "/nowhere/x.html"], 1, "cannot be written to /nowhere/x.html: No such file"),
        (["alder", "-o", "-", "--json"], 2, "do not go together"),
        (["alder", "-o", "-", "--format", "pdf"], 2, "--format does not take 'pdf'"),
        (["alder", "-o", "-", "--for", "them"], 2, "--for does not take 'them'"),
    ],
)
def test_wrong_words(shop: Run, words: list[str], status: int, said: str) -> None:
    done = shop("brief", *words)
    assert done.status == status
    assert said in done.err


def test_without_a_store(entente: Run, tmp_path: Path) -> None:
    (tmp_path / "entente.yaml").write_text("version: 1\ncurrency: EUR\npartners: {alder: {}}\n")
    done = entente("brief", "alder", "-o", "x.html")
    assert done.status == 1 and "entente run" in done.err
    assert not (tmp_path / "x.html").exists()


def test_before_the_rules_judged(tmp_path: Path, entente: Run) -> None:
    import tiny

    folder = tiny.make(tmp_path / "p")
    assert entente("run", "--no-rules", cwd=folder).status == 0
    done = entente("brief", "alder", "-o", "x.html", "--json", cwd=folder)
    assert answer(done)["findings"] == 0
    assert "the rules have not judged yet" in done.err
