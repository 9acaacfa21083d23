# SPDX-License-Identifier: Apache-2.0
"""partners, findings, rules list, plugin list and show, balance: what is there, as a table and as JSON."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
from conftest import Run, answer

# ---- partners -----------------------------------------------------------------------------------------


def test_partners(shop: Run) -> None:
    alder, birch, cedar = answer(shop("partners", "--json"))["partners"]
    assert (alder["partner"], alder["name"], alder["stage"]) == ("alder", "Alder Tools", "consulting")
    assert alder["data"] == {
        "sales": {"from": "2026-02-27", "through": "2026-03-10"},
        "traffic": {"from": "2026-03-01", "through": "2026-03-10"},
    }
    assert (alder["opportunities"], alder["insights"], alder["unknown"]) == (1, 1, 0)
    assert (birch["insights"], birch["unknown"]) == (1, 1)
    assert cedar["data"] == {} and cedar["unknown"] == 2
    table = shop("partners").out.splitlines()
    assert [line.split()[0] for line in table] == ["partner", "alder", "birch", "cedar"]
    assert "none" in table[3]


def test_parked_words_are_listed(shop: Run) -> None:
    assert answer(shop("partners", "--parked", "--json")) == ["larch"]
    done = shop("partners", "--parked")
    assert done.out == "larch\n" and "also:" in done.err


# ---- findings -----------------------------------------------------------------------------------------


def test_findings(shop: Run) -> None:
    found = answer(shop("findings", "--json"))
    assert [(f["partner"], f["rule"], f["kind"]) for f in found] == [
        ("alder", "grows", "opportunity"),
        ("alder", "sells", "insight"),
        ("birch", "sells", "insight"),
    ]
    assert str(found[0]["worth"]) == "150.373456" and found[1]["worth"] is None
    assert "3 orders within 10d" in shop("findings").out


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        (["birch"], ["sells"]),
        (["--kind", "opportunity"], ["grows"]),
        (["--rule", "sells"], ["sells", "sells"]),
        (["cedar"], []),
    ],
)
def test_findings_can_be_chosen(shop: Run, words: list[str], rules: list[str]) -> None:
    assert [f["rule"] for f in answer(shop("findings", *words, "--json"))] == rules


def test_one_finding_with_its_evidence(shop: Run) -> None:
    ident = answer(shop("findings", "alder", "--rule", "grows", "--json"))[0]["id"]
    shown = answer(shop("findings", "show", ident[:6], "--json"))
    assert [(e["metric"], e["from"], e["through"]) for e in shown["evidence"]] == [
        ("sessions", "2026-03-01", "2026-03-10"),
        ("revenue.net", "2026-03-01", "2026-03-10"),
    ]
    text = shop("findings", "show", ident).out
    assert "150.37 EUR in 10d" in text and "10 of 10 days" in text


def test_wrong_partner_or_id(shop: Run) -> None:
    wrong = shop("findings", "aldr")
    assert wrong.status == 1 and "did you mean 'alder'?" in wrong.err
    wrong = shop("findings", "show", "zzzz")
    assert wrong.status == 1 and "there is no finding 'zzzz'" in wrong.err


def test_what_is_over_shows_with_all(entente: Run, tmp_path: Path) -> None:
    """The rule is set so that it no longer says it: the finding is cleared, under the same id."""
    folder = tiny.make(tmp_path / "p")
    config = folder / "entente.yaml"
    assert entente("run", cwd=folder).status == 0
    before = answer(entente("findings", "birch", "--json", cwd=folder))[0]["id"]
    config.write_text(tiny.CONFIG.replace("least: 1", "least: 3"))
    assert entente("run", cwd=folder).status == 0
    assert answer(entente("findings", "birch", "--json", cwd=folder)) == []
    (over,) = answer(entente("findings", "birch", "--all", "--json", cwd=folder))
    assert (over["id"], over["state"]) == (before, "cleared")


# ---- rules --------------------------------------------------------------------------------------------


def test_rules_with_their_settings(shop: Run) -> None:
    rules = {r["name"]: r for r in answer(shop("rules", "list", "--json"))["rules"]}
    assert set(rules) == {"sells", "grows"}
    least = next(s for s in rules["sells"]["settings"] if s["name"] == "least")
    assert (least["value"], least["default"]) == (1, 2)
    text = shop("rules", "list").out
    assert "least: 1 (set in entente.yaml:42; else 2)" in text and "orders from which that is told" in text
    assert "grows" not in shop("rules", "list", "--practice", "informative").out
    assert shop("rules", "list", "--practice", "nothing").status == 2


def test_how_rules_ran(shop: Run) -> None:
    """It is the store's, so another process tells it, too."""
    rules = {r["name"]: r for r in answer(shop("rules", "list", "--json"))["rules"]}
    sells, grows = rules["sells"], rules["grows"]
    assert (sells["last_run"]["run"], sells["last_run"]["partners"], sells["last_run"]["as_of"]) == (1, 3, "2026-03-10")
    assert sells["last_run"]["seconds"] > 0
    assert sells["said"] == {"true": 2, "false": 0, "unknown": 1, "failed": 0}
    assert sells["reads"] == [{"kind": "metric", "name": "orders"}]
    assert [r["name"] for r in grows["reads"]] == ["sessions", "revenue.net"]
    text = shop("rules", "list", "sells").out
    assert "run 1 of 20" in text and "3 partners in" in text and "it says true of 2" in text and "reads: orders" in text
    assert "grows" not in text
    said = shop("rules", "list", "sels")
    assert said.status != 0 and "no rule is called 'sels'; did you mean 'sells'?" in said.err


def test_rules_that_never_ran(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    text = entente("rules", "list", "sells", cwd=folder)
    assert text.status == 0 and "last run: never ran" in text.out
    assert answer(entente("rules", "list", "sells", "--json", cwd=folder))["rules"][0]["last_run"] is None


def test_a_broken_rulebook_is_told_and_the_rest_listed(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    (folder / "rules" / "broken.py").write_text("def x(:\n")
    done = entente("rules", "list", cwd=folder)
    assert done.status == 4
    assert "sells" in done.out and "broken.py:1" in done.err
    checked = entente("check", cwd=folder)
    assert checked.status == 1 and "broken.py:1" in checked.err


# ---- plugins ------------------------------------------------------------------------------------------


def test_plugins(entente: Run) -> None:
    """Needs no project."""
    plugins = {p["name"]: p for p in answer(entente("plugin", "list", "--json"))["plugins"]}
    assert {"csv", "ga4", "shopify"} <= set(plugins)
    names = [d["name"] for d in plugins["shopify"]["decoders"]]
    assert names == ["shopify", "shopify-checkouts", "shopify-json", "shopify-document"]
    assert Path(plugins["csv"]["file"]).is_file()
    assert "shopify-checkouts" in entente("plugin", "list").out


def test_plugin_options_are_its_documentation(entente: Run) -> None:
    shown = answer(entente("plugin", "show", "csv", "--json"))
    options = {o["key"]: o for o in shown["decoders"][0]["options"]}
    assert options["fact"]["required"] and "order-lines" in options["fact"]["choices"]
    assert options["values"]["items"][0]["items"][0]["key"] == "*"  # nested tables
    assert "delimiter" in options  # the framing's, behind the decoder's own
    text = entente("plugin", "show", "csv").out
    assert "fact  choice: order | line" in text and "any key" in text
    shopify = answer(entente("plugin", "show", "shopify-checkouts", "--json"))  # by one of its decoders
    assert shopify["name"] == "shopify"
    assert next(c for c in shopify["decoders"][0]["columns"] if c["name"] == "Name")["required"]


def test_columns_with_their_other_names(entente: Run, write: Callable[[str], Path]) -> None:
    built = Path(os.environ.get("ENTENTE_BUILD_DIR", "build")).absolute() / "tests" / "plugins" / "shop.so"
    write(f"version: 1\ncurrency: EUR\nplugins: [{built}]\n")
    (plugin,) = answer(entente("plugin", "list", "--json"))["plugins"]
    shown = answer(entente("plugin", "show", plugin["name"], "--json"))
    at = next(c for c in shown["decoders"][0]["columns"] if c["name"] == "At")
    assert at == {"name": "At", "aliases": ["Created at", "Date"], "required": True}
    assert "At, required, or Created at, or Date" in entente("plugin", "show", plugin["name"]).out


def test_wrong_plugin(entente: Run, tmp_path: Path) -> None:
    wrong = entente("plugin", "show", "shopfy")
    assert wrong.status == 1 and "did you mean 'shopify'?" in wrong.err
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "odd.so").write_text("no plugin")
    (tmp_path / "entente.yaml").write_text("version: 1\ncurrency: EUR\n")
    wrong = entente("plugin", "list")
    assert wrong.status == 1 and "odd" in wrong.err and "shopify" in wrong.out


# ---- balance ------------------------------------------------------------------------------------------


def test_balance(shop: Run) -> None:
    said = answer(shop("balance", "--json"))
    assert said["closes"] is True
    orders = said["sources"][0]
    equation = [orders[term] for term in ("records", "consumed", "rejected", "skipped")]
    assert (orders["source"], equation) == ("orders", [9, 8, 1, 0])
    assert (orders["received"], orders["stored"], orders["parked"], orders["closes"]) == (8, 8, 1, True)


def test_digest_is_of_what_is_held(entente: Run, tmp_path: Path) -> None:
    """The same key and the same rows in another order give the same digest; another row gives another."""
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef")
    config = tiny.CONFIG + f"\nidentity_key: file:{tmp_path}/key\n"
    digests = []
    head, *rows = tiny.ORDERS.splitlines()
    for name, orders in (
        ("one", tiny.ORDERS),
        ("two", "\n".join([head, *reversed(rows)]) + "\n"),
        ("three", tiny.ORDERS + "A5,alder,2026-03-04 10:00:00,ok,web,EUR,1.00,7\n"),
    ):
        folder = tiny.make(tmp_path / name)
        (folder / "entente.yaml").write_text(config)
        (folder / "orders.csv").write_text(orders)
        for file in folder.glob("*.csv"):  # when a file was true is part of what is held
            os.utime(file, (1_770_000_000, 1_770_000_000))
        assert entente("run", "--no-rules", cwd=folder).status == 0
        digests.append(answer(entente("balance", "--digest", "--json", cwd=folder)))
    one, two, three = digests
    assert len(one["all"]) == 64
    for group in ("documents", "cells", "members"):
        assert one[group] == two[group] != three[group]
    text = entente("balance", "--digest", cwd=tmp_path / "one").out
    assert text.split() == [word for pair in one.items() for word in pair]


def test_run_shows_one_line_for_many_sources(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    many = "".join(
        f"  more{n}: {{partner: cedar, from: {{file: ./visits.csv}}, decode: {{csv: {{fact: visit, "
        f"columns: {{key: Id, at: At}}, system: s{n}}}}}}}\n"
        for n in range(8)
    )
    text = tiny.CONFIG.replace("  rates:\n", many + "  rates:\n", 1)
    (folder / "entente.yaml").write_text(text)
    done = entente("run", "--no-rules", cwd=folder)
    assert done.status == 0, done.err
    assert "Balance: all 11 sources close; 109 records" in done.out
    assert "orders" in done.out and "more3" not in done.out  # it has a reject, and something parked
    assert "more3" in entente("balance", cwd=folder).out


# ---- check and doctor ---------------------------------------------------------------------------------


def test_check_asks_plugins_and_rules(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    file = folder / "entente.yaml"
    file.write_text(
        tiny.CONFIG.replace("fact: order\n", "fact: ordr\n")
        .replace("{fact: visit,", "{fact: visit, systm: x,")
        .replace("sells: {least: 1}", "sells: {last: 1}")
    )
    done = entente("check", "--json", cwd=folder)
    assert done.status == 1
    errors = {e["what"]: e for e in json.loads(done.out)["errors"]}
    assert any("does not take 'ordr'" in what and e["line"] for what, e in errors.items())
    assert any("'systm'" in what and "system" in e["todo"] for what, e in errors.items())
    assert any("'last'" in what and "least" in e["todo"] for what, e in errors.items())


def test_check_tells_what_is_not_there_yet(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    (folder / "visits.csv").unlink()
    said = entente("check", "--json", cwd=folder)
    assert answer(said)["nothing_there"] == ["visits"]
    assert answer(said)["rules"] == 2


def test_doctor_starts_both_workers(tiny_folder: Path, entente: Run) -> None:
    said = entente("doctor", "--json", cwd=tiny_folder)
    checks = {c["name"]: c for c in json.loads(said.out)["checks"]}
    assert checks["decoder worker"]["verdict"] == "good" and "sandbox: " in checks["decoder worker"]["text"]
    assert "started: 2 rules; sandbox: " in checks["rules worker"]["text"]


def test_doctor_tells_a_rule_that_cannot_be_loaded(entente: Run, tmp_path: Path) -> None:
    folder = tiny.make(tmp_path / "p")
    shutil.rmtree(folder / "rules")
    said = entente("doctor", cwd=folder)
    assert said.status == 1 and "no such folder of rules" in said.out


# ---- on a terminal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["partners", "findings", "plugin list", "metrics list", "metrics query orders"])
def test_tables_fit_the_terminal(on_terminal: Run, tiny_folder: Path, words: str) -> None:
    """Columns are left out, and texts cut, but never what a row is about."""
    config = str(tiny_folder / "entente.yaml")
    plain = {"NO_COLOR": "1"}
    narrow = on_terminal(*words.split(), "-c", config, columns=80, env=plain).out.splitlines()
    wide = on_terminal(*words.split(), "-c", config, columns=400, env=plain).out.splitlines()
    assert max(len(line) for line in narrow) <= 80
    assert [line.split()[:1] for line in narrow] == [line.split()[:1] for line in wide]
    assert len(" ".join(narrow)) < len(" ".join(wide))
