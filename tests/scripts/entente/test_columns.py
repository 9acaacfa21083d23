# SPDX-License-Identifier: Apache-2.0
"""Vectorized rules over fixtures: columns, frames, what is told of whom."""

import pytest
from entente import Findings, NotEnoughEvidence, insight, previous, rule, unknown
from entente.books import load_books
from entente.columns import Columns
from entente.fixture import World
from entente.missing import RuleMistake
from entente.rules import Rule


@rule(practice="informative", vectorized=True)
def stands_out(cohort: Columns, *, window: str = "28d", far: float = 3.0) -> Findings:
    """Orders far from what is usual."""
    orders = cohort["orders"].over(window)
    for partner, z in orders.robust_z().items():
        if abs(z) > far:
            yield insight(f"{orders[partner]} orders, usual are {orders.median()}", partner=partner)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shops(world: World) -> World:
    """Nine that sell 4 to 6 a day, one that sells 50, one of which nothing is known."""
    for n in range(9):
        shop = world.partner(f"p{n}", industry="tea" if n % 2 else "books")
        shop.days("orders", 4 + n % 3).days("gross", 40.0 * (n + 1))
    world.partner("large", industry="tea").days("orders", 50)
    world.partner("nobody")
    return world


def test_true_false_unknown(shops: World) -> None:
    said = shops.judge_all(stands_out)
    assert list(said) == sorted(shops.partners)
    assert (
        said["large"].verdict is True and said["p0"].verdict is False and said["nobody"].verdict == "unknown"
    )
    assert [f.text for f in said["large"].findings] == ["1,400 orders, usual are 140"]
    assert "orders" in said["nobody"].asks[0].text and not said["p0"].findings


def test_evidence_is_the_partners_own_and_how_many_it_stood_beside(shops: World) -> None:
    own, all_ = shops.judge_all(stands_out)["large"].reads
    assert (own.metric, own.top, own.cohort) == ("orders", 1400, "")
    assert (all_.metric, all_.top, all_.cohort, all_.size) == ("orders", 140, "all partners", 10)
    record = shops.judge_all(stands_out)["large"].record()
    assert [(r["number"], r["size"]) for r in record["evidence"]] == [(1400.0, 0), (140.0, 10)]


def test_settings(shops: World) -> None:
    assert shops.judge_all(stands_out, far=1000.0)["large"].verdict is False
    with pytest.raises(RuleMistake, match="no setting 'near'"):
        shops.judge_all(stands_out, near=1)


def look(world: World, what: object) -> dict[str, object]:
    """What a vectorized rule sees."""
    kept: dict[str, object] = {}

    @rule(practice="informative", vectorized=True)
    def looks(cohort: Columns) -> Findings:
        """Looks."""
        kept["seen"] = what(cohort)  # type: ignore[operator]
        yield from ()

    said = world.judge_all(looks)
    assert all(one.error is None for one in said.values()), said
    kept["said"] = said
    return kept


def test_column(shops: World) -> None:
    numpy = pytest.importorskip("numpy")

    def what(cohort: Columns) -> None:
        revenue = cohort["revenue.gross"].over("28d")
        assert len(revenue) == len(cohort) == 11 and cohort.partners == tuple(sorted(shops.partners))
        assert str(revenue["p2"]) == "3,360 EUR" and revenue["p2"].number == 3360.0
        with pytest.raises(NotEnoughEvidence, match="nobody"):
            revenue["nobody"]
        with pytest.raises(LookupError, match="'else'"):
            revenue["else"]
        values = numpy.asarray(revenue)
        assert values.dtype == numpy.float64 and values[cohort.partners.index("p2")] == 3360.0
        known = numpy.asarray(revenue.known)
        assert (
            known.dtype == bool and known.sum() == len(revenue.values()) == len(list(revenue.items())) == 10
        )
        masked = numpy.ma.array(values, mask=revenue.missing)
        assert masked.mean() == sum(f.number for f in revenue.values()) / 10
        assert cohort.where(known & (values > 9000)) == ["p8"]
        with pytest.raises(ValueError, match="of 1 partners, and these are 11"):
            cohort.where([True])

    look(shops, what)


def test_same_as_one_by_one(shops: World) -> None:
    """A column holds what each partner's own measure says."""
    shops.partners["p3"].hole("sales", "2026-06-01", "2026-06-25")

    def what(cohort: Columns) -> None:
        for column, single in (
            (cohort["orders"].over("28d"), lambda p: p["orders"].over("28d")),
            (cohort["aov"].over("8w"), lambda p: p["aov"].over("8w")),
            (
                cohort["orders"].change("7d", previous("7d")),
                lambda p: p["orders"].change("7d", previous("7d")),
            ),
            (
                cohort["orders"].where(origin="shop").over("7d"),
                lambda p: p["orders"].where(origin="shop").over("7d"),
            ),
        ):
            assert not all(column.known)
            for partner, known in zip(cohort, column.known, strict=True):
                if known:
                    assert column[partner] == single(shops.see(partner))
                else:
                    with pytest.raises(NotEnoughEvidence):
                        single(shops.see(partner))

    look(shops, what)


def test_by_attribute(shops: World) -> None:
    def what(cohort: Columns) -> object:
        assert cohort.attribute("industry").count("tea") == 5
        groups = dict(cohort.by("industry"))
        return {
            value: (len(group), len(group["orders"].over("7d").values())) for value, group in groups.items()
        }

    assert look(shops, what)["seen"] == {"": (1, 0), "books": (5, 5), "tea": (5, 5)}


def test_frame(shops: World) -> None:
    numpy = pytest.importorskip("numpy")
    shops.partners["p1"].hole("sales", "2026-06-28", "2026-06-28")

    def what(cohort: Columns) -> None:
        orders = cohort["orders"].daily("14d")
        assert len(orders) == 11 and len(orders.days) == 14 and orders.days[-1].isoformat() == "2026-06-30"
        assert list(orders["p2"]) == [6] * 14 and orders.scale == 1
        assert numpy.asarray(orders).shape == (11, 14)
        assert numpy.asarray(orders)[cohort.partners.index("large")].sum() == 700
        with pytest.raises(TypeError, match="cannot be read by day"):
            cohort["aov"].daily("14d")

    said = look(shops, what)["said"]
    assert said["nobody"].verdict == "unknown" and said["p1"].verdict is False  # type: ignore[index]


def test_nothing_known_of_anybody(world: World) -> None:
    world.partner("a")
    said = world.judge_all(stands_out)
    assert said["a"].verdict == "unknown" and said["a"].asks
    assert World().judge_all(stands_out) == {}

    @rule(practice="informative", vectorized=True)
    def needs_a_median(cohort: Columns) -> Findings:
        """Needs what is not known of anybody."""
        yield insight(str(cohort["orders"].over("28d").median()), partner="a")

    said = world.judge_all(needs_a_median)
    assert said["a"].verdict == "unknown" and "of any partner" in " ".join(said["a"].missed)


@pytest.mark.parametrize(
    ("yields", "why"),
    [
        ("insight('of whom?')", "says of whom it speaks"),
        ("7", "says of whom it speaks"),
        ("insight('x', partner='else')", "no partner is called 'else'"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_failure_is_one_finding(shops: World, yields: str, why: str) -> None:
    names: dict[str, object] = {"insight": insight}
    exec(
        f"def fails(cohort):\n    '''Fails.'''\n    yield insight('one', partner='p0')\n    yield {yields}",
        names,
    )
    fails = rule(practice="informative", vectorized=True)(names["fails"])  # type: ignore[arg-type]
    said = shops.judge_all(fails)
    assert {outcome.verdict for outcome in said.values()} == {"failed"}
    assert [f.kind for outcome in said.values() for f in outcome.findings] == ["failure"]
    assert why in said["large"].findings[0].text
    assert said["p3"].error is not None and said["p3"].error["line"] in (1, 4)


def test_unknown_of_one(shops: World) -> None:
    @rule(practice="informative", vectorized=True)
    def asks(cohort: Columns) -> Findings:
        """Asks one."""
        yield unknown("who knows", partner="p1")

    said = shops.judge_all(asks)
    assert said["p1"].verdict == "unknown" and said["p2"].verdict is False


def test_partner_is_for_vectorized_rules_alone(shops: World) -> None:
    @rule(practice="informative")
    def single(partner: object) -> Findings:
        """Speaks of another."""
        yield insight("x", partner="p1")

    said = shops.judge(single, "p1")
    assert said.verdict == "failed" and "partner= is for vectorized rules" in said.findings[0].text


@pytest.mark.parametrize(
    ("more", "why", "todo"),
    [
        ('audience="both"', "sees the figures of all partners", 'for audience="us"'),
        ('needs=("orders",)', "judges all partners at once", "leave out needs="),
        ('after=("other",)', "judges all partners at once", "leave out needs= and after="),
    ],
)
def test_what_does_not_fit(more: str, why: str, todo: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "book.py").write_text(
        "from entente import rule\n\n\n"
        f'@rule(practice="informative", vectorized=True, {more})\ndef wrong(cohort):\n    """Wrong."""\n'
    )
    (mistake,) = load_books([str(tmp_path)]).errors
    assert why in mistake.what and todo in mistake.todo and mistake.line == 4


def test_vectorized_rules_come_last_and_nobody_waits_for_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = "from entente import rule\n"
    for name, more in (("first", ", vectorized=True"), ("second", ""), ("third", ', after=("first",)')):
        text += f'\n\n@rule(practice="informative"{more})\ndef {name}(x):\n    """Doc."""\n'
    (tmp_path / "book.py").write_text(text)
    books = load_books([str(tmp_path)])
    assert [r.name for r in books.rules] == ["second", "first"]
    assert "'first', which is vectorized" in books.errors[0].what
    assert [r["vectorized"] for r in books.described()["rules"]] == [False, True]


def test_days_of_their_own(world: World) -> None:
    """Each figure is as of the partner's own day; a frame is of one stretch of days, and who is behind lacks the last."""
    world.partner("ahead").days("orders", 1)
    world.partner("behind").judged_on("2026-06-29").days("orders", 1, last="2026-06-29")

    def what(cohort: Columns) -> None:
        assert [str(figure) for figure in cohort["orders"].over("7d").values()] == ["7", "7"]
        daily = cohort["orders"].daily("7d")
        assert list(daily["ahead"]) == [1] * 7 and list(daily["behind"]) == [1] * 6 + [0]

    look(world, what)


def test_rule_is_typed() -> None:
    assert isinstance(stands_out, Rule) and stands_out.vectorized
