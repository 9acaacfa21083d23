# SPDX-License-Identifier: Apache-2.0
"""A vectorized rule inside a whole run, and what numpy, pandas, polars, pyarrow and DuckDB make of its columns: the same
memory, at the same address. Those that are not installed are skipped; ENTENTE_TEST_PACKAGES names a folder of more."""

import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
  south:
    partner: suedwind
    from: {file: ./south.csv}
    decode: shopify
"""
HEAD = '''"""A book."""
from entente import Findings, Partner, insight, rule
from entente.columns import Columns


'''
RULE = '''@rule(practice="informative", vectorized=True)
def looks(cohort: Columns) -> Findings:
    """Compares addresses."""
    sessions, orders = cohort["sessions"].over("3w"), cohort["orders"].over("3w")
    frame = cohort["orders"].daily("3w")
    north = frame["nordwind"]
    assert list(orders.known) == [True, True, False] and list(orders.missing) == [False, False, True]
{body}
    yield insight(f"{{orders['nordwind']}} orders", partner="nordwind")
'''
#: Where the memory lies, without any library.
ADDRESS = """
import ctypes

class Struct(ctypes.Structure):
    pass

Struct._fields_ = [("length", ctypes.c_int64), ("nulls", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
                   ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
                   ("children", ctypes.POINTER(ctypes.POINTER(Struct)))]

def arrow(exported):
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.cast(pointer(exported, b"arrow_array"), ctypes.POINTER(Struct)).contents

def address(buffer):
    import array
    class View(ctypes.Structure):
        _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
                    ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p),
                    ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p)]
    view = View()
    get = ctypes.pythonapi.PyObject_GetBuffer
    get.argtypes = [ctypes.py_object, ctypes.POINTER(View), ctypes.c_int]
    get(buffer, ctypes.byref(view), 0x18)
    found = view.buf
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    return found

def maps():
    with open("/proc/self/maps") as file:
        return [[int(x, 16) for x in line.split()[0].split("-")] for line in file if "entente-snapshot" in line]

def in_snapshot(where):
    return any(low <= where < high for low, high in maps())
"""
CASES = {
    "arrow": """
    pair = orders.__arrow_c_array__()
    one = arrow(pair[1])
    assert (one.length, one.nulls, one.n_buffers) == (3, 1, 2)
    assert one.buffers[1] == address(orders) and ctypes.c_uint8.from_address(one.buffers[0]).value == 0b011
    assert memoryview(orders).format == "d" and memoryview(orders)[0] == orders["nordwind"].number
    assert memoryview(orders).readonly and not in_snapshot(address(orders))
    pair = frame.__arrow_c_array__()
    table = arrow(pair[1])
    assert (table.length, table.n_children, table.n_buffers) == (21, 4, 1)
    day, first, second, third = (table.children[n].contents for n in range(4))
    assert ctypes.c_int32.from_address(day.buffers[1]).value == frame.day0
    assert first.buffers[1] == address(north) and in_snapshot(address(north)), "no copy of the snapshot"
    assert second.buffers[1] == address(frame["suedwind"]) and in_snapshot(second.buffers[1])
    assert third.nulls == 21 and not in_snapshot(third.buffers[1])
    del pair, table, frame
    assert ctypes.c_int64.from_address(address(north)).value == north[0]
    several = cohort["revenue.net"].daily("3w")["nordwind"]
    assert not in_snapshot(address(several)), "several measures are added up in an array of their own"
""",
    "numpy": """
    import numpy
    values = numpy.asarray(orders)
    assert values.dtype == numpy.float64 and values.ctypes.data == address(orders) and not values.flags.writeable
    assert numpy.asarray(orders.known).ctypes.data == address(orders.known)
    assert numpy.asarray(orders.known).dtype == bool
    masked = numpy.ma.array(orders, mask=orders.missing, copy=False)
    assert masked.data.ctypes.data == address(orders) and masked.count() == 2
    row = numpy.asarray(north)
    assert row.ctypes.data == address(north) and in_snapshot(row.ctypes.data) and len(row) == 21
    square = numpy.asarray(frame)
    assert square.shape == (3, 21) and (square[0] == row).all(), "a copy, for partners lie apart"
    assert cohort.where(values > values.min()) != []
""",
    "pandas": """
    import numpy
    import pandas
    series = pandas.Series(orders)
    assert series.to_numpy().ctypes.data == address(orders)
    exact = pandas.Series(pandas.arrays.FloatingArray(numpy.asarray(orders), numpy.asarray(orders.missing)), cohort.partners, copy=False)
    assert exact.array._data.ctypes.data == address(orders) and exact.isna().tolist() == [False, False, True]
    assert exact["nordwind"] == orders["nordwind"].number
    days = pandas.Series(numpy.asarray(north), frame.days, copy=False)
    assert days.to_numpy().ctypes.data == address(north)
""",
    "pyarrow": """
    import pyarrow
    array = pyarrow.array(orders)
    assert array.buffers()[1].address == address(orders) and array.null_count == 1 and array[2].as_py() is None
    table = pyarrow.table(frame)
    assert table.column_names == ["day", *cohort.partners] and table.num_rows == 21
    assert table["nordwind"].chunk(0).buffers()[1].address == address(north)
    assert table["zwerg"].null_count == 21 and str(table["day"][0]) == str(frame.days[0].isoformat())
    assert pyarrow.chunked_array(orders).chunk(0).buffers()[1].address == address(orders)
    first = table["nordwind"]
    del table, array
    assert first[0].as_py() == north[0]
""",
    "polars": """
    import polars
    series = polars.Series("orders", orders)
    assert series.null_count() == 1 and series.to_list()[:2] == [orders[p].number for p in cohort.partners[:2]]
    assert series.to_arrow().buffers()[1].address == address(orders)
    data = polars.DataFrame(frame)
    assert data.columns == ["day", *cohort.partners] and data["day"].dtype == polars.Date
    assert data["nordwind"].to_numpy(allow_copy=False).ctypes.data == address(north)
    assert data["zwerg"].null_count() == 21
    by = polars.DataFrame({"partner": cohort.partners, "orders": series}).filter(polars.col("orders") > 0)
    assert by.height == 2
""",
    "duckdb": """
    import duckdb
    import pyarrow
    by_day = pyarrow.table(frame)
    assert by_day["nordwind"].chunk(0).buffers()[1].address == address(north)
    total = duckdb.sql("select sum(nordwind), count(zwerg) from by_day").fetchall()
    assert total == [(sum(north), 0)], total
""",
}


def packages() -> list[str]:
    """Folders in which the optional libraries lie."""
    found = [os.environ["ENTENTE_TEST_PACKAGES"]] if os.environ.get("ENTENTE_TEST_PACKAGES") else []
    return [*found, *(path for path in sys.path if path.endswith("-packages"))]


def installed(name: str) -> bool:
    if any((Path(folder) / name).is_dir() for folder in packages()):
        return True
    return importlib.util.find_spec(name) is not None


def project(folder: Path, body: str) -> Project:
    p = Project(
        folder,
        SOURCES,
        partners="  nordwind: {name: Nordwind, industry: tea}\n  suedwind: {name: Suedwind, industry: tea}\n  zwerg: {name: Zwerg}",
        rules=f"  books: [./rules]\n  venv: {folder}/venv\n  import: [numpy, pandas, polars, pyarrow, duckdb]\n  memory: 8GB\n"
        "  deadline: 60s",
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    p.write("venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n")
    p.write(
        f"venv/lib/python{version}/site-packages/more.pth", "".join(f"{folder}\n" for folder in packages())
    )
    p.write("rules/_address.py", ADDRESS)
    text = HEAD + "from ._address import address, arrow, ctypes, in_snapshot\n\n\n" + RULE.format(body=body)
    p.write("rules/book.py", text)
    made = [replace(order, currency="EUR") for order in orders(300, seed=5)]  # one series of each measure
    p.write("north.csv", export(made))
    p.write("south.csv", export(made))
    return p


@pytest.mark.parametrize("case", CASES)
def test_without_a_copy(tmp_path: Path, case: str) -> None:
    for needed in {
        "pandas": ["numpy", "pandas"],
        "duckdb": ["duckdb", "pyarrow"],
        "polars": ["polars", "pyarrow", "numpy"],
        "arrow": [],
    }.get(case, [case]):
        if not installed(needed):
            pytest.skip(f"{needed} is not installed")
    p = project(tmp_path / "p", CASES[case])
    # DuckDB and pyarrow ask the machine for more than the sandbox gives in some versions: that is no matter of addresses
    said = p.entente("run")
    record = p.record("looks", "nordwind")
    assert record["error"] is None, (record["error"], said.err)
    assert record["verdict"] is True and said.status == 0, (record, said.err)
    assert p.record("looks", "zwerg")["verdict"] == "unknown"
    assert p.record("looks", "suedwind")["verdict"] == "unknown", "its visits are not known"


def test_one_rule_in_one_worker_beside_others(tmp_path: Path) -> None:
    """Stored beside what the other rules say, with evidence and asks of each partner."""
    p = project(tmp_path / "p", "")
    p.write(
        "rules/other.py",
        HEAD + '@rule(practice="informative")\ndef other(partner: Partner) -> Findings:\n    """Orders."""\n'
        '    yield insight(str(partner["orders"].over("3w")))\n',
    )
    said = p.run()
    assert said.json["judged"]["rules"] == 2 and said.json["judged"]["true"] == 3
    record = p.record("looks", "suedwind")
    assert [r["metric"] for r in record["evidence"] if not r["cohort"]] == ["sessions", "orders", "orders"]
    assert [(r["metric"], r["cohort"], r["size"]) for r in record["evidence"] if r["cohort"]] == [
        ("orders", "all partners", 2)
    ]
    assert any("visits" in ask["what"] for ask in record["asks"]), record["asks"]
    assert p.sql("select partner, text from finding where rule = 'looks'")[0][0] == "nordwind"


@pytest.mark.parametrize(
    ("what", "why", "status"),
    [
        ("    while True: pass", "it did not end within 1.0 s", 4),
        ("    import os; os._exit(3)", "status 3", 4),
        ("    hoard = [bytes(1 << 20) for _ in range(1 << 20)]", "emory", 4),
        ("    1 / 0", "ZeroDivisionError", 4),
    ],
)
def test_a_harmful_one_is_contained(tmp_path: Path, what: str, why: str, status: int) -> None:
    """The deadline holds for the whole call; the other rules are judged."""
    p = project(tmp_path / "p", what)
    p.rules = "  books: [./rules]\n  deadline: 1s\n  memory: 221MB"
    p.configure()
    p.write(
        "rules/other.py",
        HEAD + '@rule(practice="informative")\ndef other(partner: Partner) -> Findings:\n    """Orders."""\n'
        '    yield insight(str(partner["orders"].over("3w")))\n',
    )
    said = p.entente("run")
    assert said.status == status, said.err
    record = p.record("looks", "nordwind")
    line = next(
        n for n, text in enumerate((p.folder / "rules/book.py").read_text().split("\n"), 1) if text == what
    )
    assert record["verdict"] == "failed" and why in record["error"]["text"], record
    assert record["error"]["line"] == line or "_exit" in what
    assert p.record("looks", "zwerg")["verdict"] == "failed" and not p.record("looks", "zwerg")["findings"]
    assert (
        p.record("other", "nordwind")["verdict"] is True
        and p.record("other", "zwerg")["verdict"] == "unknown"
    )
