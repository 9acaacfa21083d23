# SPDX-License-Identifier: Apache-2.0
"""The gate in front of the header: as it is, it keeps every released minor; each kind of break, planted into a copy,
is refused with the rule that it broke; and growing honestly is not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
GATE = HERE / "gate.py"
HEADER = HERE.parents[1] / "include" / "entente" / "plugin.h"
MISSING = [tool for tool in ("cc", "abidw", "abidiff") if not shutil.which(tool)]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"missing: {MISSING}; apt-get install gcc abigail-tools")


def gate(what: str, header: Path = HEADER, folder: Path = HERE) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, GATE, what, "--header", header, "--released", folder],
        text=True,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def planted(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    """A copy of the header with each of the texts replaced; a text that is not there once is a mistake of the test."""
    text = HEADER.read_text()
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times in the header: {old}"
        text = text.replace(old, new)
    header = tmp_path / "plugin.h"
    header.write_text(text)
    return header


MINOR = int(re.findall(r"#define ENT_PLUGIN_MINOR (\d+)u", HEADER.read_text())[0])
RAISED = (f"#define ENT_PLUGIN_MINOR {MINOR}u", f"#define ENT_PLUGIN_MINOR {MINOR + 1}u")
DUE = "\tint64_t due;           /* still to be paid */\n"
END_OF_ORDER = "\tent_str region, campaign, payment, customer_kind;\n} ent_order;"
END_OF_HOST = "\tint (*time)(ent_str text, const char *pattern, ent_time *);\n"
END_OF_DECODER = "\tvoid (*destroy)(void *self); /* self may be NULL */\n"
LAST_BIT = "\tENT_HAS_ENGAGED = 1 << 19\n"

BREAKS = [
    (
        "a field inserted in a fact",
        "append",
        r"ent_order.tip was put before \d+ members",
        [(DUE, "\tint64_t tip;\n" + DUE)],
    ),
    (
        "a function inserted in the host's table",
        "append",
        "ent_host.ask was put before",
        [(END_OF_HOST, "\tint (*ask)(ent_ctx *);\n" + END_OF_HOST)],
    ),
    (
        "two fields change places",
        "append",
        "ent_cart.items moved from byte 216 to 220",
        [("\tuint32_t items;\n\tuint32_t reserved2;\n", "\tuint32_t reserved2;\n\tuint32_t items;\n")],
    ),
    (
        "a field's type changed",
        "type",
        "ent_order.due was int64_t and is uint64_t",
        [(DUE, DUE.replace("int64_t", "uint64_t"))],
    ),
    (
        "a field's size changed",
        "type",
        "ent_touch.cost was int64_t and is int32_t",
        [("\tint64_t cost; /* ENT_HAS_COST */", "\tint32_t cost; /* ENT_HAS_COST */")],
    ),
    (
        "an array of another length",
        "type",
        r"ent_refund.currency was char\[4\] and is char\[8\]",
        [
            (
                "\tchar currency[4];  /* empty: that of the order */\n\tuint8_t kind;",
                "\tchar currency[8];\n\tuint8_t kind;",
            )
        ],
    ),
    (
        "const given away",
        "type",
        "ent_doc.companions was const ent_str \\* and is ent_str \\*",
        [("\tconst ent_str *companions;", "\tent_str *companions;")],
    ),
    ("a field removed", "keep", "ent_order.due is gone", [(DUE, "")]),
    ("a field renamed", "keep", "ent_order.due is gone, owed has its place;", [(DUE, DUE.replace("due;", "owed;"))]),
    ("a type removed", "keep", "type ent_op is gone", [("typedef enum ent_op {", "enum {"), ("} ent_op;", "};")]),
    ("a constant removed", "keep", "ENT_NO_OFFSET is gone", [("#define ENT_NO_OFFSET INT16_MIN\n", "")]),
    (
        "a function's parameter added",
        "signature",
        "ent_host.skip was .* and is ",
        [
            (
                "void (*skip)(ent_ctx *, uint64_t place, const char *why);",
                "void (*skip)(ent_ctx *, uint64_t place, uint32_t column, const char *why);",
            )
        ],
    ),
    (
        "a function's result changed",
        "signature",
        "ent_decoder.destroy was void .* and is int ",
        [(END_OF_DECODER, END_OF_DECODER.replace("void (*", "int (*"))],
    ),
    (
        "a value grew",
        "fixed",
        "ent_time has no size and got zone",
        [("\tuint8_t reserved[5];\n} ent_time;", "\tuint8_t reserved[5];\n\tint64_t zone;\n} ent_time;")],
    ),
    (
        "the head of facts grew",
        "fixed",
        "ent_head has no size and got rank",
        [("\tuint8_t reserved[7];\n} ent_head;", "\tuint8_t reserved[7];\n\tint64_t rank;\n} ent_head;")],
    ),
    (
        "a column grew",
        "fixed",
        "ent_column has no size and got most",
        [
            (
                "\tint required;        /* a document without it is not of the format */\n",
                "\tint required;\n\tint64_t most;\n",
            )
        ],
    ),
    (
        "an enumerator inserted",
        "number",
        "ENT_REFUND was 3 and is 4",
        [("\tENT_LINE,\n", "\tENT_LINE,\n\tENT_PARCEL,\n")],
    ),
    (
        "two enumerators exchanged",
        "number",
        "ENT_ORDER_TEST was 4 and is 3",
        [
            (
                "\tENT_ORDER_CANCELLED, /* placed and cancelled: in the `.placed` metrics only */\n"
                "\tENT_ORDER_TEST       /* in no metric */\n",
                "\tENT_ORDER_TEST,\n\tENT_ORDER_CANCELLED\n",
            )
        ],
    ),
    (
        "an enumerator with the number of another",
        "number",
        "ENT_ECHO takes -5, which is ENT_EOPTION",
        [RAISED, ("\tENT_EINTERNAL = -3,", "\tENT_ECHO = -5,\n\tENT_EINTERNAL = -3,")],
    ),
    (
        "a has-bit renumbered",
        "number",
        "ENT_HAS_DUE was 64 and is 1048576",
        [("\tENT_HAS_DUE = 1 << 6,", "\tENT_HAS_DUE = 1 << 20,")],
    ),
    (
        "a has-bit with the number of another",
        "number",
        "ENT_HAS_TIP takes 64, which is ENT_HAS_DUE",
        [RAISED, (LAST_BIT, LAST_BIT.replace("\n", ",\n\tENT_HAS_TIP = 1 << 6\n"))],
    ),
    ("a has-bit removed", "keep", "ENT_HAS_DUE is gone", [("\tENT_HAS_DUE = 1 << 6,\n", "")]),
    (
        "a macro changed",
        "number",
        "ENT_FEED_PADDING was 64 and is 32",
        [("#define ENT_FEED_PADDING 64", "#define ENT_FEED_PADDING 32")],
    ),
    (
        "the export hidden",
        "number",
        "ENT_EXPORT was .*default.* and is .*hidden",
        [('visibility("default")', 'visibility("hidden")')],
    ),
    ("the mark changed", "magic", "it was 827608645", [("0x31544e45u", "0x32544e45u")]),
    (
        "another major",
        "major",
        "2 has no description",
        [("#define ENT_PLUGIN_MAJOR 1u", "#define ENT_PLUGIN_MAJOR 2u")],
    ),
    (
        "a fact appended, the minor as it was",
        "minor",
        f"ent_order.tip was appended while ENT_PLUGIN_MINOR is still {MINOR}, .* set it to {MINOR + 1}",
        [(END_OF_ORDER, END_OF_ORDER.replace("\n}", "\n\tint64_t tip;\n}"))],
    ),
    (
        "a bit appended, the minor as it was",
        "minor",
        "ENT_HAS_TIP was appended",
        [(LAST_BIT, LAST_BIT.replace("\n", ",\n\tENT_HAS_TIP = 1 << 20\n"))],
    ),
]


def test_the_header_keeps_what_is_released() -> None:
    status, said = gate("check")
    assert status == 0, said
    assert "keeps 1.0" in said


@pytest.mark.parametrize(("rule", "words", "edits"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_break_is_refused_with_its_rule(tmp_path: Path, rule: str, words: str, edits: list[tuple[str, str]]) -> None:
    status, said = gate("check", planted(tmp_path, *edits))
    assert status == 1, said
    rules = re.findall(r"^plugin.h breaks the rule `(\w+)`", said, re.MULTILINE)
    assert set(rules) == {rule}, said  # an insertion into an enum renumbers more than one
    assert rule == "number" or len(rules) == 1, said
    assert re.search(words, said), said


GROWTH = [
    (
        "a fact",
        [
            (END_OF_ORDER, END_OF_ORDER.replace("\n}", "\n\tint64_t tip;\n}")),
            (LAST_BIT, LAST_BIT.replace("\n", ",\n\tENT_HAS_TIP = 1 << 20\n")),
        ],
    ),
    ("the host's table", [(END_OF_HOST, END_OF_HOST + "\tint (*ask)(ent_ctx *, ent_str what);\n")]),
    ("the decoder's table", [(END_OF_DECODER, END_OF_DECODER + "\tint (*rest)(void *self);\n")]),
    ("a kind of fact", [("\tENT_ENTRY,\n", "\tENT_ENTRY,\n\tENT_PARCEL,\n")]),
    (
        "transports",
        [
            (
                "typedef struct ent_transport ent_transport;",
                "typedef struct ent_transport {\n\tuint32_t size;\n\tuint32_t reserved;\n} ent_transport;",
            )
        ],
    ),
]


@pytest.mark.parametrize("edits", [g[1] for g in GROWTH], ids=[g[0] for g in GROWTH])
def test_growing_at_the_end_with_a_raised_minor(tmp_path: Path, edits: list[tuple[str, str]]) -> None:
    status, said = gate("check", planted(tmp_path, RAISED, *edits))
    assert status == 0, said
    assert "0 appended" not in said
    status, said = gate("check", planted(tmp_path, *edits))
    assert status == 1 and "`minor`" in said, said


def test_a_member_in_padding_is_no_append(tmp_path: Path) -> None:
    """An older plugin leaves padding undefined, so what is read there would be chance."""
    released = tmp_path / "released"
    loose = (END_OF_ORDER, END_OF_ORDER.replace("\n}", "\n\tuint8_t last;\n}"))
    (tmp_path / "then").mkdir()
    assert gate("describe", planted(tmp_path / "then", loose), released)[0] == 0
    filled = (END_OF_ORDER, END_OF_ORDER.replace("\n}", "\n\tuint8_t last, more;\n}"))
    status, said = gate("check", planted(tmp_path, RAISED, filled), released)
    assert status == 1 and "ent_order.more lies in what was padding" in said, said


def test_a_minor_is_described_once(tmp_path: Path) -> None:
    """What is released does not change; a later minor is held against all before it."""
    released = tmp_path / "released"
    assert gate("describe", HEADER, released)[0] == 0
    status, said = gate("describe", HEADER, released)
    assert status == 1 and "does not change" in said
    tip = (END_OF_ORDER, END_OF_ORDER.replace("\n}", "\n\tint64_t tip;\n}"))
    assert gate("describe", planted(tmp_path, RAISED, tip), released)[0] == 0
    assert gate("check", planted(tmp_path, RAISED, tip), released)[0] == 0
    status, said = gate("check", HEADER, released)
    assert status == 1 and "ent_order.tip is gone" in said, said


def test_the_description_is_of_the_frozen_header(tmp_path: Path) -> None:
    """Header, layout and constants of a released minor are three witnesses: none can be changed alone."""
    for folder in HERE.glob("[0-9]*.[0-9]*"):
        alone = tmp_path / "released"
        shutil.copytree(folder, alone / folder.name)
        status, said = gate("check", folder / "entente" / "plugin.h", alone)
        assert status == 0 and " 0 appended" in said, said


def test_what_cannot_be_compiled_is_told(tmp_path: Path) -> None:
    status, said = gate("check", planted(tmp_path, ("} ent_str;", "} ent_string;")))
    assert status == 1 and "error: unknown type name" in said, said


def test_abidiff_is_heard_where_the_gate_sees_nothing(tmp_path: Path) -> None:
    """A description whose one exported constant is hidden is like today's, member by member."""
    alone = tmp_path / "released"
    shutil.copytree(HERE / "1.0", alone / "1.0")
    abi = alone / "1.0" / "plugin.abi"
    lines = [k for k in abi.read_text().splitlines() if "name='ent_plugin_entry'" not in k]
    abi.write_text("\n".join(lines) + "\n")
    status, said = gate("check", HEADER, alone)
    assert status == 1 and "abidiff sees a difference to 1.0" in said and "1 Added variable" in said, said
