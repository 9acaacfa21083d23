# SPDX-License-Identifier: Apache-2.0
"""Makes pyarrow.arrow: what pyarrow writes of the figures in series.json. Needs pyarrow, which Debian does not package; its output
is kept, so that the tests need none."""

import datetime
import decimal
import json
from pathlib import Path

import pyarrow as pa

here = Path(__file__).parent
told = json.loads((here / "series.json").read_text(), parse_float=decimal.Decimal, parse_int=decimal.Decimal)
units = {m["name"]: m["unit"] for m in told["metrics"]}
schema = pa.schema(
    [
        pa.field("month", pa.string()),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("from", pa.date32(), nullable=False),
        pa.field("through", pa.date32(), nullable=False),
        pa.field("value", pa.decimal128(38, 6)),
        pa.field("unit", pa.string()),
        pa.field("state", pa.string(), nullable=False),
        pa.field("there", pa.decimal128(38, 6)),
        pa.field("covered", pa.int64(), nullable=False),
        pa.field("days", pa.int64(), nullable=False),
        pa.field("reason", pa.string()),
    ]
)


def exact(value):
    return None if value is None else value.quantize(decimal.Decimal("0.000001"))


rows = [
    {
        "month": row["month"],
        "metric": name,
        "from": datetime.date.fromisoformat(f["from"]),
        "through": datetime.date.fromisoformat(f["through"]),
        "value": exact(f["value"]),
        "unit": units[name],
        "state": f["state"],
        "there": exact(f.get("there")),
        "covered": int(f["covered"]),
        "days": int(f["days"]),
        "reason": f.get("reason"),
    }
    for row in told["rows"]
    for name, f in row["figures"].items()
]
batch = pa.RecordBatch.from_pylist(rows, schema=schema)
with pa.OSFile(str(here / "pyarrow.arrow"), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
    writer.write_batch(batch)
ours = here / "series.arrow"
if ours.exists():
    read = pa.ipc.open_stream(ours.read_bytes()).read_all()
    read.validate(full=True)
    assert read.schema == schema and read.to_pylist() == rows, "series.arrow is another table"
    print("series.arrow is read as the same table")
