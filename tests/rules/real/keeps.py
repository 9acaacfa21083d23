# SPDX-License-Identifier: Apache-2.0
"""Compares what a run keeps of its reads, and the evidence that is made of it, with the snapshot itself."""
from entente import Findings, NotEnoughEvidence, Partner, insight, previous, rule

WINDOWS = ("1d", "7d", "28d", previous("7d"), previous("28d"), "12w", *(f"{n}d" for n in range(1, 60)))


@rule(practice="informative")
def keeps(partner: Partner) -> Findings:
    """Where they differ."""
    from entente import native, record
    from entente.run import Read, now

    wanted: list[Read] = []
    view, compared = partner.view, 0
    for name in ("orders", "revenue.net", "aov", "visitors", "load_time.mean", "days_to_paid", "orders"):
        measure = partner[name]
        if measure is not partner[name]:
            yield insight(f"{name} is another measure each time", key="measure")
        for window in WINDOWS + WINDOWS[:3]:
            start, stop = view.span(window)
            metric = view.metrics[name]
            row = view.snapshot.window(partner.index, metric.number, start, stop)
            wanted.append(Read(name, start, stop, *row[:3], metric.unit, *row[3:5]))
            try:
                value = measure.over(window)
            except NotEnoughEvidence:
                if row[0] == 0 and row[3] >= 0.8 * (stop - start):
                    yield insight(f"{name} {window} is known", key="known")
                continue
            if (value.top, value.bottom, value.unit) != (row[1], row[2], metric.unit):
                yield insight(f"{name} {window} is {row} and not {value!r}", key="value")
            if value.number != value.top / (value.bottom * value.unit.scale):
                yield insight(f"{name} {window} is not {value.number}", key="number")
    kept = list(now.reads)
    now.reads.append(wanted[0])
    if kept != wanted or len(now.reads) != len(wanted) + 1 or now.reads[len(wanted)] is not wanted[0]:
        yield insight(f"{kept} for {wanted}", key="reads")
    for _ in range(2):  # the second time from what was kept of the first
        said = native.evidence(now.reads, record.evidence, (b"[",), (b"]",))
        compared += len(kept)
        if said != b"[" + ",".join(map(record.evidence, [*wanted, wanted[0]])).encode() + b"]":
            yield insight(f"{said!r}", key="evidence")
    print(f"compared {compared}")
