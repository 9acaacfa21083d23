# SPDX-License-Identifier: Apache-2.0
"""Worlds from a dictionary, from CSV and from Arrow are the same worlds; faults are told with their place. What Arrow hands
over is made here by hand, as any producer may; where pyarrow or polars are installed, theirs is read as well."""

import ctypes
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from entente import NotEnoughEvidence, Partner
from entente.arrow import _Array, _Schema, _Stream, columns
from entente.fixture import World
from entente.missing import RuleMistake

DAYS = [date(2026, 6, 1 + n).isoformat() for n in range(28)]


def wide() -> str:
    lines = ["partner,day,orders,gross,sessions"]
    lines += [f"nordwind,{day},{4 + n % 3},{480.5},{100}" for n, day in enumerate(DAYS)]
    return "\n".join(lines) + "\n"


def figures(partner: Partner) -> list[str]:
    return [str(partner[m].over("28d")) for m in ("orders", "revenue.gross", "sessions", "conversion_rate")]


EXPECTED = ["139", "13,454 EUR", "2,800", "4.96%"]


def test_a_file_of_days(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(wide())
    world = World.from_csv(tmp_path / "days.csv")
    assert world.today.isoformat() == "2026-06-28" and figures(world.see("nordwind")) == EXPECTED
    assert World.from_csv(str(tmp_path / "days.csv"), "2026-06-30").today.isoformat() == "2026-06-30"


def test_a_dictionary() -> None:
    world = World.from_dict(
        {
            "nordwind": {
                "industry": "tea",
                "orders": {day: 4 + n % 3 for n, day in enumerate(DAYS)},
                "gross": dict.fromkeys(DAYS, 480.5),
                "sessions": dict.fromkeys(DAYS, 100),
            }
        }
    )
    assert figures(world.see("nordwind")) == EXPECTED and world.see("nordwind").profile.industry == "tea"


def test_long_rows_with_views_and_origins(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(
        "partner,day,measure,value,channel,origin\n"
        "a,2026-06-01,orders,3,online/web,\na,2026-06-01,orders,2,offline/agent,\na,2026-06-07,orders,1,,\n"
        "a,2026-06-07,orders,9,,analytics\na,2026-06-01,customers,3,,\na,2026-06-01,customers,2,online/web,\n"
    )
    a = World.from_csv(path).see("a")
    assert a["orders"].over("7d") == 6 and a["orders"].where(side="online").over("7d") == 3
    assert a["orders"].where(origin="analytics").over("1d") == 9
    assert a["customers"].over("7d") == 5 and a["customers"].where(channel="online/web").over("7d") == 2


def test_days_without_a_word_are_holes(tmp_path: Path) -> None:
    text = wide().splitlines()
    text[1 + 10 : 1 + 20] = [f"nordwind,{day},,," for day in DAYS[10:20]]
    (tmp_path / "days.csv").write_text("\n".join(text))
    with pytest.raises(NotEnoughEvidence, match="not known for 11 to 20 June 2026"):
        World.from_csv(tmp_path / "days.csv").see("nordwind")["orders"].over("28d")


def test_a_folder_has_all_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(wide())
    (tmp_path / "partners.csv").write_text("id,industry,size,currency\nnordwind,tea,big,USD\nleise,,small,\n")
    (tmp_path / "contacts.csv").write_text(
        "partner,at,kind,held\nnordwind,2026-06-03T09:30:00Z,meeting,true\n"
    )
    (tmp_path / "declared.csv").write_text(
        "partner,metric,month,value,currency\nnordwind,revenue.gross,2026-05,1000,USD\n"
    )
    (tmp_path / "rates.csv").write_text(
        "currency,day,rate\n" + "".join(f"USD,2026-05-{n:02d},0.9\n" for n in range(1, 32))
    )
    world = World.from_csv(tmp_path)
    nordwind = world.see("nordwind")
    assert nordwind.profile.industry == "tea" and nordwind.profile.attributes == {"size": "big"}
    (meeting,) = nordwind.register("contacts").where(kind="meeting", held=True)
    assert meeting.day is not None and meeting.day.isoformat() == "2026-06-03"
    may = nordwind.months(1)[0]
    assert str(nordwind["revenue.gross"].where(origin="declared").over(may)) == "900 EUR"
    assert set(world.partners) == {"nordwind", "leise"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "partner,day,ordrs\na,2026-06-01,4\n",
            ":2:3: no measure or view is called 'ordrs'; did you mean 'orders'?",
        ),
        (
            "partner,day,orders\na,31.06.,4\n",
            ":2:2: day is 31.06., which is no day; write it like 2026-06-30",
        ),
        ("partner,orders\na,4\n", ":2:3: day is nothing, which is no day"),
        (
            "partner,day,orders\na,2026-06-01,four\n",
            ":2:3: orders is 'four', which is no number; write 480 or 480.50",
        ),
        ("partner,day,orders\n,2026-06-01,4\n", ":2:1: partner is empty"),
        ("partner,day,orders\na,2026-06-01\n", ":2:1: the line has not as many cells as the first one"),
        (
            "partner,day,measure,value\na,2026-06-01,grss,4\n",
            ":2:3: no measure is called 'grss'; did you mean 'gross'?",
        ),
        (
            "partner,day,orders,origin\na,2026-06-01,4,till\n",
            ":2:4: no origin is called 'till'; there are shop,",
        ),
    ],
)
def test_faults_have_their_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "days.csv"
    path.write_text(text)
    with pytest.raises(RuleMistake) as error:
        World.from_csv(path)
    assert str(error.value).startswith(f"{path}{says}")


def test_nothing_is_no_world(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("partner,day,orders\n")
    with pytest.raises(ValueError, match="without a row"):
        World.from_csv(tmp_path)


class Producer:
    """A table as Arrow hands it over, of columns that are made of bytes: (name, format, buffers, dictionary)."""

    def __init__(
        self, batches: list[list[tuple[str, str, Sequence[bytes | None], Any]]], length: int
    ) -> None:
        self.keep: list[Any] = []
        self.batches, self.length, self.released = batches, length, 0
        self.left = list(batches)

    def _held(self, value: Any) -> Any:
        self.keep.append(value)
        return value

    def schema(self, out: Any, form: str, name: str, children: list[Any], dictionary: Any = None) -> None:
        out.format, out.name, out.n_children = (
            self._held(form.encode()),
            self._held(name.encode()),
            len(children),
        )
        if children:
            out.children = self._held(
                (ctypes.POINTER(_Schema) * len(children))(*map(ctypes.pointer, children))
            )
        if dictionary is not None:
            out.dictionary = ctypes.pointer(dictionary)
        out.release = self._held(_Schema._fields_[7][1](self.release))  # type: ignore[misc]

    def array(
        self,
        out: Any,
        length: int,
        buffers: Sequence[bytes | None],
        children: list[Any],
        dictionary: Any = None,
    ) -> None:
        places = [
            None
            if b is None
            else ctypes.cast(self._held(ctypes.create_string_buffer(b, len(b) + 1)), ctypes.c_void_p).value
            for b in buffers
        ]
        out.length, out.n_buffers, out.n_children = length, len(buffers), len(children)
        out.buffers = self._held((ctypes.c_void_p * max(1, len(buffers)))(*places))
        if children:
            out.children = self._held(
                (ctypes.POINTER(_Array) * len(children))(*map(ctypes.pointer, children))
            )
        if dictionary is not None:
            out.dictionary = ctypes.pointer(dictionary)
        out.release = self._held(_Array._fields_[8][1](self.release))  # type: ignore[misc]

    def release(self, one: Any) -> None:
        self.released += 1
        one.contents.release = type(one.contents.release)()

    def get_schema(self, stream: Any, out: Any) -> int:
        children = []
        for name, form, _, words in self.batches[0]:
            child, dictionary = self._held(_Schema()), None
            if words is not None:
                dictionary = self._held(_Schema())
                self.schema(dictionary, "u", "", [])
            self.schema(child, form, name, [], dictionary)
            children.append(child)
        self.schema(out.contents, "+s", "", children)
        return 0

    def get_next(self, stream: Any, out: Any) -> int:
        if not self.left:
            out.contents.release = type(out.contents.release)()
            return 0
        children = []
        for _, _, buffers, words in self.left.pop(0):
            child, dictionary = self._held(_Array()), None
            if words is not None:
                dictionary = self._held(_Array())
                self.array(dictionary, len(words), texts(words), [])
            self.array(child, self.length, buffers, [], dictionary)
            children.append(child)
        self.array(out.contents, self.length, [None], children)
        return 0

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        stream = self._held(_Stream())
        kinds = dict(_Stream._fields_)  # type: ignore[arg-type]
        stream.get_schema = self._held(kinds["get_schema"](self.get_schema))
        stream.get_next = self._held(kinds["get_next"](self.get_next))
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(ctypes.addressof(stream), b"arrow_array_stream", None)


def texts(words: Sequence[str]) -> list[bytes | None]:
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word.encode()))
    return [None, b"".join(e.to_bytes(4, "little") for e in ends), "".join(words).encode()]


def whole(values: Sequence[int], size: int) -> bytes:
    return b"".join(v.to_bytes(size, "little", signed=True) for v in values)


def views(words: Sequence[str]) -> list[bytes | None]:
    out, rest = b"", b""
    for word in words:
        raw = word.encode()
        if len(raw) <= 12:
            out += len(raw).to_bytes(4, "little") + raw.ljust(12, b"\0")
        else:
            out += (
                len(raw).to_bytes(4, "little")
                + raw[:4]
                + (0).to_bytes(4, "little")
                + len(rest).to_bytes(4, "little")
            )
            rest += raw
    return [None, out, rest, len(rest).to_bytes(8, "little")]


def test_a_table_of_arrow() -> None:
    import struct

    days = [(date.fromisoformat(day) - date(1970, 1, 1)).days for day in DAYS]
    half = 14
    batches = []
    for start in (0, half):
        part = range(start, start + half)
        batches.append(
            [
                ("partner", "i", [None, whole([1] * half, 4)], ["x", "nordwind"]),
                ("day", "tdD", [None, whole([days[n] for n in part], 4)], None),
                ("orders", "l", [None, whole([4 + n % 3 for n in part], 8)], None),
                ("gross", "g", [None, struct.pack(f"<{half}d", *[480.5] * half)], None),
                ("sessions", "d:5,1", [None, whole([1000] * half, 16)], None),
                ("channel", "vu", views(["online/web", "online/a long name"] * 7), None),
                ("country", "u", [b"\0\0", *texts(["?"] * half)[1:]], None),
            ]
        )
    table = Producer(batches, half)
    world = World.from_arrow(table)
    nordwind = world.see("nordwind")
    assert figures(nordwind) == EXPECTED and world.today.isoformat() == "2026-06-28"
    assert len(nordwind["orders"].by("channel").over("28d")) == 2
    assert nordwind["orders"].where(channel="online/a long name").over("28d") == sum(
        4 + n % 3 for n in range(1, 28, 2)
    )
    with pytest.raises(NotEnoughEvidence):
        nordwind["orders"].by("country").over("28d")
    assert table.released == 3, "the schema and both batches were let go"


def test_moments_bits_and_gaps() -> None:
    moments = [86_400 * 10**6 * 20_000 + 5, 0, -1]
    read = columns(
        Producer(
            [
                [
                    ("at", "tsu:UTC", [None, whole(moments, 8)], None),
                    ("yes", "b", [None, b"\5"], None),
                    ("gap", "s", [b"\5", whole([1, 2, 3], 2)], None),
                    ("none", "n", [], None),
                ]
            ],
            3,
        )
    )
    assert read == {
        "at": [date(2024, 10, 4), date(1970, 1, 1), date(1969, 12, 31)],
        "yes": [1, 0, 1],
        "gap": [1, None, 3],
        "none": [None] * 3,
    }


def test_what_is_no_table_says_so() -> None:
    with pytest.raises(TypeError, match="list does not speak Arrow"):
        World.from_arrow([1])
    with pytest.raises(TypeError, match=r"the column 'x' \(z\) is neither number, text nor day"):
        columns(Producer([[("x", "z", [None, b"", b""], None)]], 0))


@pytest.mark.parametrize("name", ["pyarrow", "polars", "pandas", "duckdb"])
def test_tables_of_others(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip(name, reason=f"{name} is not installed")
    (tmp_path / "days.csv").write_text(wide())
    if name == "pyarrow":
        import pyarrow.csv  # type: ignore[import]

        table = pyarrow.csv.read_csv(tmp_path / "days.csv")
    elif name == "duckdb":
        table = module.sql(f"from '{tmp_path}/days.csv'")
    else:
        table = module.read_csv(tmp_path / "days.csv")
    if not hasattr(table, "__arrow_c_stream__"):
        pytest.skip(f"this {name} does not speak Arrow's C stream protocol")
    assert figures(World.from_arrow(table).see("nordwind")) == EXPECTED


def test_nobody_imports_pyarrow() -> None:
    text = "import sys, entente.fixture, entente.arrow, entente.tables; print([m for m in ('pyarrow', 'polars', 'pandas') if m in sys.modules])"
    scripts = Path(__file__).resolve().parents[3] / "scripts"
    said = subprocess.run(
        [sys.executable, "-c", text],
        env={"PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.strip() == "[]"
