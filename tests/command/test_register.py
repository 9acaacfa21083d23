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
        assert f"{register['doc']} States: {', '.join(register['states'].split())}." in section
        fields = json.loads(entente("register", register["name"], "fields", "--json").out)
        lines = [
            f"| {f['name']} | {f['type']} | {'required' if f['required'] else ''} | {f['doc']} |" for f in fields
        ]
        assert [line for line in section.splitlines() if line.startswith("| ")][1:] == lines
