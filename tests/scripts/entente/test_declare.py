# SPDX-License-Identifier: Apache-2.0
"""metric(): what a rulebook declares becomes what would stand in entente.yaml, with its place."""

import entente
from entente import above, at_least, at_most, below, between, is_not, metric, present, starts_with
from entente.books import load_books


def test_texts_are_those_of_yaml() -> None:
    where = {
        "total": at_least(500),
        "net": at_most(0.1),
        "tax": above(1e-06),
        "due": below(10**15),
        "cost": between(1, 2.5),
        "country": ["DE", "AT"],
        "region": {"north", "east"},
        "payment": is_not("invoice"),
        "campaign": starts_with("spring", "summer"),
        "customer": present(),
        "agent": present(False),
        "tax_included": True,
    }
    one = metric("a", count="order", where=where, tags=("x", "y"), doc="d")
    assert one.text == {
        "count": "order",
        "where": {
            "total": {"at_least": "500"},
            "net": {"at_most": "0.1"},
            "tax": {"above": "0.000001"},
            "due": {"below": "1000000000000000"},
            "cost": {"between": ["1", "2.5"]},
            "country": ["DE", "AT"],
            "region": ["east", "north"],
            "payment": {"not": ["invoice"]},
            "campaign": {"starts_with": ["spring", "summer"]},
            "customer": {"present": True},
            "agent": {"present": False},
            "tax_included": True,
        },
        "tags": ["x", "y"],
        "doc": "d",
    }
    share = metric("b", ratio=(one, "orders"))
    assert share.text == {"ratio": {"of": "a", "to": "orders"}} and str(share) == "b"


def test_the_place_is_that_of_the_call() -> None:
    (first, second) = (metric("a", count="order"), metric("b", count="line"))
    assert first.file == second.file == __file__
    assert first.line == second.line
    line = open(__file__).read().splitlines()[first.line - 1]
    assert line[first.column - 1 :].startswith('metric("a"') and line[second.column - 1 :].startswith('metric("b"')


def test_books_collect_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "_shared.py").write_text('from entente import metric\nhelper = metric("h", count="order")\n')
    (tmp_path / "a.py").write_text(
        "from entente import metric\nfrom ._shared import helper\n"
        'one = metric("one", count="order")\nsame = one\nmore = [metric("two", sum="line.net")]\n'
    )
    (tmp_path / "b.py").write_text('from entente import metric\n\nother = metric("one", count="line")\n')
    (tmp_path / "c.py").write_text("metric = 3\n")
    books = load_books([str(tmp_path)])
    told = books.described()
    assert told["metrics"] == {
        "one": {"count": "order", "at": [str(tmp_path / "a.py"), 3, 7]},
        "two": {"sum": "line.net", "at": [str(tmp_path / "a.py"), 5, 9]},
    }
    assert [(e["line"], e["column"], e["what"]) for e in told["errors"]] == [
        (3, 9, f"there is another metric one, in {tmp_path / 'a.py'}:3")
    ]
    assert "metrics" not in load_books([]).described()


def test_what_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(entente, "metrik")
