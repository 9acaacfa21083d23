# SPDX-License-Identifier: Apache-2.0
"""Who may know of what a rule reads: a figure of each class is planted, and `brief --for partner` is searched for it."""

import re

import pytest
from project import Project
from shop import export, orders

PARTNERS = ("nordwind", "suedwind", "ostwind", "westwind", "foehn", "bora")
SOURCE = """\
  {0}:
    partner: {0}
    from: {{file: ./{0}.csv}}
    decode: shopify
"""
TOP = """\
registers:
  diary: {fields: {text: {type: text}}}
"""
BOOK = '''"""A book."""
from entente import Findings, Partner, ask, insight, rule, unknown


@rule(practice="informative", audience="both")
def a_theirs(partner: Partner) -> Findings:
    """What they know."""
    agreement = partner.register("agreements")[0].name
    yield insight(f"THEIRS {partner['orders'].over('8w')} {agreement}")


@rule(practice="informative", audience="both")
def b_released(partner: Partner) -> Findings:
    """What is released."""
    yield insight(f"RELEASED {partner.cohort('industry')['orders'].over('8w').median}")


@rule(practice="informative", audience="both")
def c_ours(partner: Partner) -> Findings:
    """What is ours, though it says that it is for both."""
    for issue in partner.register("issues").open():
        yield insight(issue.title, key=issue.id)


@rule(practice="informative", audience="both")
def d_diary(partner: Partner) -> Findings:
    """What is in a register of our own."""
    yield insight(partner.register("diary")[0].text)


@rule(practice="negotiation", audience="both")
def e_deal(partner: Partner) -> Findings:
    """What is confidential."""
    yield insight(f"{partner.deal().alternatives[0].name} {partner.deal().offers.last()}")


@rule(practice="negotiation", audience="both")
def f_asks(partner: Partner) -> Findings:
    """What is asked because of what is confidential."""
    name = partner.deal().alternatives[0].name
    yield unknown(f"UNKNOWN{name}", ask=ask(f"ASK{name}"))


@rule(practice="informative")
def g_us(partner: Partner) -> Findings:
    """For us alone."""
    yield insight(f"USALONE {partner.register('issues')[0].title}")


@rule(practice="informative", audience="both", after=("g_us", "d_diary", "a_theirs"))
def h_hearsay(partner: Partner) -> Findings:
    """What others said for us alone, or were held back with."""
    for said in partner.findings("g_us"):
        yield insight("HEARD " + said.text)


@rule(practice="informative", audience="both", after=("d_diary",))
def i_hearsay(partner: Partner) -> Findings:
    """The same of what was held back."""
    for said in partner.findings("d_diary"):
        yield insight("REPEATED " + said.text)


@rule(practice="informative", audience="both", after=("a_theirs",))
def j_hearsay(partner: Partner) -> Findings:
    """The same of what was published."""
    for said in partner.findings("a_theirs"):
        yield insight("SPREAD " + said.text)
'''
#: What each rule that may not publish read.
HELD = {
    "c_ours": "register issues (ours)",
    "d_diary": "register diary (ours)",
    "e_deal": "register interests (confidential), register offers (confidential), register alternatives (confidential)",
    "f_asks": "register interests (confidential), register offers (confidential), register alternatives (confidential)",
    "h_hearsay": "findings g_us (ours)",
    "i_hearsay": "findings d_diary (ours)",
}
OPEN = ("THEIRS", "FRAMEWORK", "RELEASED", "SPREAD")
SECRET = ("OURSECRET", "DIARYSECRET", "RIVALSECRET", "price 7", "ASKRIVALSECRET", "USALONE", "HEARD", "REPEATED")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = Project(
        tmp_path_factory.mktemp("classes") / "p",
        "".join(SOURCE.format(name) for name in PARTNERS),
        TOP,
        rules="  books: [./rules]",
        partners="\n".join(f"  {name}: {{industry: furniture}}" for name in PARTNERS),
    )
    p.write("rules/book.py", BOOK)
    for n, name in enumerate(PARTNERS):
        p.write(f"{name}.csv", export(orders(100 + n, seed=n)))
    entries = (
        ("agreements", "name=FRAMEWORK", "starts=2024-01-01"),
        ("issues", "title=OURSECRET", "opened=2024-03-02", "audience=us"),
        ("diary", "text=DIARYSECRET"),
        ("interests", "side=us", "issue=price", "lever=money", "swing=1", "worst=10", "best=1"),
        ("interests", "side=them", "issue=price", "lever=money", "swing=1", "worst=1", "best=10"),
        ("alternatives", "side=us", "name=RIVALSECRET", "utility=0.1"),
        ("alternatives", "side=them", "name=THEIRPLAN", "utility=0.1"),
        ("offers", "day=2024-03-05", "by=us", "package=price=7"),
    )
    for register, *fields in entries:
        assert p.entente("register", register, "add", "nordwind", *fields).status == 0
    return p


def test_the_run_says_which_rules_are_held_back(judged: Project) -> None:
    said = judged.entente("run")
    assert said.status == 4  # a fault of the book: it is told, and all else is judged
    for rule, read in HELD.items():
        line = next(n for n, text in enumerate(BOOK.splitlines(), 1) if f"def {rule}(" in text) - 1
        wanted = rf"book\.py:{line}: the rule {rule} is for both sides, and read {re.escape(read.split(',')[0])}"
        assert re.search(wanted, said.err), (wanted, said.err)
    assert said.err.count("held back from partners") == len(HELD)
    for record in judged.records():
        if record["partner"] != "nordwind":
            continue
        held = record["rule"] in HELD
        assert record["audience"] == ("us" if held or record["rule"] == "g_us" else "both"), record
        assert (", ".join(record.get("held", ())) == HELD[record["rule"]]) if held else "held" not in record
        classes = {e["class"] for e in record["evidence"]}
        assert classes <= {"theirs", "released", "ours", "confidential"}
        if record["rule"] == "b_released":
            assert classes == {"released"}
    rows = dict(judged.sql("select rule, audience from finding where partner = 'nordwind'"))
    assert rows == {
        **{r: "us" for r in HELD if r != "f_asks"}, "g_us": "us",
        "a_theirs": "both", "b_released": "both", "j_hearsay": "both",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_a_brief_for_the_partner_holds_what_was_released(judged: Project, form: str) -> None:
    judged.entente("run")

    def page(whom: str) -> str:
        path = judged.folder / f"{whom}.{form}"
        said = judged.entente("brief", "nordwind", "-o", str(path), "--format", form, "--for", whom)
        assert said.status == 0, said.err
        return path.read_text()

    ours, theirs = page("us"), page("partner")
    assert all(word in ours for word in (*OPEN, *SECRET)), [w for w in (*OPEN, *SECRET) if w not in ours]
    assert all(word in theirs for word in OPEN), [w for w in OPEN if w not in theirs]
    assert not [w for w in (*SECRET, "SECRET") if w in theirs]
    for word in (*HELD, "g_us", "register issues", "register diary", "alternatives", "interests", "offers"):
        assert word.lower() not in theirs.lower(), word


def test_one_that_is_held_back_says_so_when_it_is_shown(judged: Project) -> None:
    judged.entente("run")
    findings = judged.entente("findings", "nordwind").json
    rows = findings["findings"] if isinstance(findings, dict) else findings
    found = next(f["id"] for f in rows if f["rule"] == "e_deal")
    shown = judged.entente("findings", "show", found).json
    assert shown["audience"] == "us" and shown["held"][0] == "register interests (confidential)"
    with judged.start("findings", "show", found) as child:
        text, _ = child.communicate(timeout=60)
    assert "held back" in text and "it read register interests (confidential)" in text


def test_what_reads_it_no_more_is_published_again(judged: Project) -> None:
    judged.entente("run")
    assert judged.sql("select audience from finding where rule = 'd_diary'") == [("us",)]
    judged.write("rules/book.py", BOOK.replace('partner.register("diary")[0].text', "'said anew'"), 10)
    judged.entente("run")
    rows = judged.sql("select audience, text from finding where rule = 'd_diary' and partner = 'nordwind'")
    assert rows == [("both", "said anew")]
