# SPDX-License-Identifier: Apache-2.0
"""`entente register`: entries are written, changed, closed, and go through a spreadsheet and back."""

import csv
import json
from pathlib import Path

import pytest
from conftest import Run

CONFIG = """version: 1
currency: EUR
partners: {acme: {industry: tools}, brio: {industry: tools}}
sources: {}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "entente.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def rows(entente: Run, name: str) -> list[dict[str, str]]:
    done = entente("register", name, "list", "--json")
    assert done.status == 0, done.err
    found: list[dict[str, str]] = json.loads(done.out)
    return found


def add(entente: Run, *words: str) -> str:
    done = entente("register", "commitments", "add", *words, "--json", "--by", "jo")
    assert done.status == 0, done.err
    return str(json.loads(done.out)["id"])


def test_add_edit_close(entente: Run, project: Path) -> None:
    assert add(entente, "acme", "text=Send the list", "who=us", "due=2026-12-01") == "1"
    assert add(entente, "acme", "text=Pay", "who=them") == "2"
    assert add(entente, "brio", "text=Call", "who=us") == "1"  # numbers are of one partner
    assert entente("register", "commitments", "edit", "acme", "1", "due=2026-12-05").status == 0
    assert entente("register", "commitments", "close", "acme", "2", "--state", "broken").status == 0
    found = {(r["partner"], r["id"]): r for r in rows(entente, "commitments")}
    assert found["acme", "1"]["due"] == "2026-12-05"
    assert found["acme", "1"]["text"] == "Send the list"
    assert found["acme", "1"]["state"] == "open"
    assert found["acme", "2"]["state"] == "broken"
    balance = json.loads(entente("balance", "--json").out)
    mine = [s for s in balance["sources"] if s["source"] == "registers"]
    assert mine[0]["stored"] == 3 and mine[0]["replaced"] == 2 and mine[0]["closes"]


def test_the_same_entry_twice_counts_once(entente: Run, project: Path) -> None:
    for _ in range(2):
        add(entente, "acme", "text=Pay", "who=them", "--id", "x")
    assert len(rows(entente, "commitments")) == 1
    assert json.loads(entente("balance", "--json").out)["sources"][0]["duplicate"] == 1


def test_spreadsheet_round_trip(entente: Run, project: Path) -> None:
    add(entente, "acme", 'text=Say "yes", now', "who=us")
    add(entente, "acme", "text=Two\nlines", "who=them")
    assert entente("register", "commitments", "export", "-o", "sheet.csv").status == 0
    again = entente("register", "commitments", "import", "sheet.csv", "--json")
    assert json.loads(again.out) == {"written": 0, "unchanged": 2, "conflicts": 0}
    with (project / "sheet.csv").open(encoding="utf-8", newline="") as file:
        sheet = list(csv.DictReader(file))
    assert sheet[0]["text"] == 'Say "yes", now' and sheet[1]["text"] == "Two\nlines"
    sheet[0]["due"] = "2027-01-01"
    sheet.append({"partner": "brio", "text": "New", "who": "us"})
    with (project / "sheet.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sheet[0].keys())
        writer.writeheader()
        writer.writerows(sheet)
    written = entente("register", "commitments", "import", "sheet.csv", "--json")
    assert json.loads(written.out) == {"written": 2, "unchanged": 1, "conflicts": 0}
    found = {(r["partner"], r["id"]): r for r in rows(entente, "commitments")}
    assert found["acme", "1"]["due"] == "2027-01-01" and found["brio", "1"]["text"] == "New"


def test_a_row_changed_here_after_the_export_is_a_conflict(entente: Run, project: Path) -> None:
    add(entente, "acme", "text=Pay", "who=them")
    entente("register", "commitments", "export", "-o", "sheet.csv")
    sheet = (project / "sheet.csv").read_text(encoding="utf-8")
    moment = rows(entente, "commitments")[0]["recorded"]
    stale = sheet.replace(moment, "2020-01-01 00:00:00").replace("Pay", "Pay at once")
    (project / "sheet.csv").write_text(stale, encoding="utf-8")
    done = entente("register", "commitments", "import", "sheet.csv", "--json")
    assert json.loads(done.out)["conflicts"] == 1
    assert "row 2" in done.err and moment in done.err
    assert rows(entente, "commitments")[0]["text"] == "Pay"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("commitment", "list"), "did you mean 'commitments'?"),
        (("commitments", "ad"), "did you mean 'add'?"),
        (("commitments", "add", "acem", "text=x", "who=us"), "did you mean 'acme'?"),
        (("commitments", "add", "EUR", "text=x", "who=us"), "there is no partner 'EUR'"),
        (("commitments", "add", "acme", "txt=x", "who=us"), "did you mean 'text'?"),
        (("commitments", "add", "acme", "text=x"), "commitments needs 'who'"),
        (("commitments", "add", "acme", "text=x", "who=me"), "write one of: us them"),
        (("commitments", "add", "acme", "text=x", "who=us", "due=soon"), "write YYYY-MM-DD"),
        (("books", "add", "acme", "year=2025", "revenue=1,000"), "is no number"),
        (("commitments", "close", "acme", "7"), "has no entry '7'"),
        (("commitments", "close", "acme", "7", "--state", "lost"), "has no entry '7'"),
    ],
)
def test_wrong_words(entente: Run, project: Path, words: tuple[str, ...], said: str) -> None:
    add(entente, "acme", "text=Pay", "who=them")
    done = entente("register", *words)
    assert done.status in (1, 2) and said in done.err
    assert len(rows(entente, "commitments")) == 1  # nothing was half-written


def test_a_wrong_row_imports_nothing(entente: Run, project: Path) -> None:
    text = "id,partner,text,who\n,acme,Good,us\n,acme,Bad,me\n"
    (project / "sheet.csv").write_text(text, encoding="utf-8")
    done = entente("register", "commitments", "import", "sheet.csv")
    assert done.status == 1 and done.err.startswith("sheet.csv:3: ")
    assert rows(entente, "commitments") == []
    (project / "sheet.csv").write_text("id,partner,txt\n", encoding="utf-8")
    done = entente("register", "commitments", "import", "sheet.csv")
    assert "sheet.csv:1:3: " in done.err and "did you mean 'text'?" in done.err


def test_the_documentation_says_what_the_tables_say(entente: Run) -> None:
    text = (Path(__file__).parents[2] / "docs" / "registers.md").read_text(encoding="utf-8")
    for register in json.loads(entente("register", "--json").out):
        section = text.split(f"## {register['name']}\n")[1].split("\n## ")[0]
        who = {"both": "", "us": " Ours alone.", "confidential": " Confidential."}[register["audience"]]
        assert f"{register['doc']} States: {', '.join(register['states'].split())}.{who}\n" in section
        fields = json.loads(entente("register", register["name"], "fields", "--json").out)
        lines = [
            f"| {f['name']} | {f['type']} | {'required' if f['required'] else ''} | {f['doc']} |" for f in fields
        ]
        assert [line for line in section.splitlines() if line.startswith("| ")][1:] == lines


OWN = """registers:
  contacts: {kept_since: 2024-01-01}
  visits:
    doc: Visits to their shops.
    states: [planned, made, dropped]
    closing: [made, dropped]
    audience: both
    fields:
      shop: {required: true, doc: which one}
      seen_on: {type: date}
      rating: {type: word, choices: [good, poor]}
      counts: {type: pairs}
"""


def test_registers_of_ones_own(entente: Run, project: Path) -> None:
    (project / "entente.yaml").write_text(CONFIG + OWN, encoding="utf-8")
    assert "Visits to their shops." in entente("register").out
    fields = {f["name"]: f["type"] for f in json.loads(entente("register", "visits", "fields", "--json").out)}
    assert fields == {"shop": "text", "seen_on": "date", "rating": "one of: good poor", "counts": "pairs NAME=NUMBER; …",
                      "audience": "one of: both us confidential"}
    done = entente("register", "visits", "add", "acme", "shop=Berlin", "rating=good", "counts= a = 1;b=2.5; ")
    assert done.status == 0, done.err
    assert entente("register", "visits", "close", "acme", "1").status == 0
    (entry,) = rows(entente, "visits")
    assert (entry["shop"], entry["counts"], entry["state"]) == ("Berlin", "a=1; b=2.5", "made")
    for words, said in (
        (("rating=fair", "shop=x"), "write one of: good poor"),
        (("rating=good",), "visits needs 'shop'"),
        (("shop=x", "counts=a"), "is not of the form NAME=VALUE"),
        (("shop=x", "counts=a=1; a=2"), "'a' comes twice"),
        (("shop=x", "counts=a=much"), "needs a number behind the '='"),
        (("shop=x", "seen_on=today"), "write YYYY-MM-DD"),
    ):
        assert said in entente("register", "visits", "add", "acme", *words).err
    assert entente("register", "visits", "export", "-o", "sheet.csv").status == 0
    assert json.loads(entente("register", "visits", "import", "sheet.csv", "--json").out)["unchanged"] == 1


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("contcts: {kept_since: 2024-01-01}", "6:3: there is no register 'contcts'; did you mean 'contacts'?"),
        ("zzz: {kept_since: 2024-01-01}", "6:3: there is no register 'zzz'; add fields:"),
        ("contacts: {}", "6:13: 'kept_since' is missing"),
        ("contacts: {fields: {a: {}}}", "6:3: the register 'contacts' ships with Entente; give yours another name"),
        ("v: {fields: {Shop: {}}}", "6:16: 'Shop' cannot be a field; begin with a small letter"),
        ("v: {fields: {state: {}}}", "6:16: 'state' is what every entry has"),
        ("v: {fields: {a: {type: word}}}", "6:19: the field 'a' is a word, and has no choices"),
        ("v: {fields: {a: {choices: [b]}}}", "6:30: the field 'a' is no word, and has choices"),
        ("v: {fields: {a: {type: word, choices: [b c]}}}", "6:42: 'b c' cannot be a word"),
        ("v: {states: [on, off], closing: [gone], fields: {a: {}}}", "6:36: 'gone' is none of the states of 'v'"),
    ],
)
def test_what_is_wrong_with_one(entente: Run, project: Path, yaml: str, said: str) -> None:
    (project / "entente.yaml").write_text(f"{CONFIG}registers:\n  {yaml}\n", encoding="utf-8")
    done = entente("check")
    assert done.status == 1 and f"entente.yaml:{said}" in done.err, done.err
