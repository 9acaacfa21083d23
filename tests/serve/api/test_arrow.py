# SPDX-License-Identifier: Apache-2.0
"""Series as an Arrow stream are what they are as JSON: read by pyarrow, where that is installed. That the bytes are right
without it is shown by tests/serve/test_arrow.c."""

import decimal
import json

import pytest
from conftest import Service

pyarrow = pytest.importorskip("pyarrow")


@pytest.mark.parametrize("by", ["", "&by=partner", "&by=day", "&by=channel"])
def test_the_same_figures(shared: Service, by: str) -> None:
    path = f"series?metric=orders&metric=revenue.net&metric=conversion_rate{by}"
    answer = shared.ask("GET", path, Accept="application/vnd.apache.arrow.stream")
    table = pyarrow.ipc.open_stream(answer.body).read_all()
    table.validate(full=True)
    told = json.loads(shared.ask("GET", path).body, parse_float=decimal.Decimal)
    figures = [(row.get(told["by"]), name, f) for row in told["rows"] for name, f in row["figures"].items()]
    assert table.num_rows == len(figures) > 0
    for row, (group, name, f) in zip(table.to_pylist(), figures, strict=True):
        assert (row.get(told["by"]), row["metric"]) == (group, name)
        assert (row["from"].isoformat(), row["through"].isoformat(), row["state"]) == (f["from"], f["through"], f["state"])
        assert (row["value"], row["there"]) == (f["value"], f.get("there"))
        assert (row["days"], row["covered"], row["reason"]) == (f["days"], f["covered"], f.get("reason"))
