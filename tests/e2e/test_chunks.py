# SPDX-License-Identifier: Apache-2.0
"""One large file is cut into chunks that many workers decode at once: the figures are those of one worker,
and of many small files. Notes of these orders hold what looks like rows, so that wrong cuts are tried."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from project import BUILD, Project, same
from shop import events, export, feed, orders

CHUNK = 8 << 20  # as large as core/engine/dispatch.c cuts
SOURCES = {
    "shopify": '  big: {partner: nordwind, from: {glob: "./data/*"}, decode: shopify}\n',
    "ga4": '  big: {partner: nordwind, from: {glob: "./data/*"}, decode: {ga4: {currency: EUR}}}\n',
}


def project(folder: Path, plugin: str, workers: int) -> Project:
    return Project(folder, SOURCES[plugin], top=f"workers: {workers}\nplugins: [{BUILD}/plugins/{plugin}.so]")


def misleading(n: int) -> str:
    """A note that ends with what could be rows of this or another order."""
    row = ",x@example.com,paid,,,,,EUR,1.00,0,0,1.00,,0,,2024-03-01 00:00:00 +0000,1,X,1.00\n"
    rows = "".join(f"#{n + k}{row}" for k in range(6))
    return "see below:\n" * random.Random(n).randrange(200) + rows


@pytest.fixture(scope="module")
def files() -> dict[str, list[tuple[str, str]]]:
    """For each plugin: the data in one file, and in several that are too small to be cut."""
    made = [replace(order, note=misleading(order.number)) for order in orders(15_000, seed=21)]
    day = events(0, 16_000)
    parts = [(f"{n}.csv", export(made[n * 3000 : n * 3000 + 3000])) for n in range(5)]
    shards = [(f"events_20240301_{n}.json", feed(day[n::4])) for n in range(4)]
    return {
        "shopify": [("all.csv", export(made)), *parts],
        "ga4": [("events_20240301.json", feed(day)), *shards],
    }


@pytest.mark.parametrize("plugin", SOURCES)
def test_large_file_on_many_workers(
    files: dict[str, list[tuple[str, str]]], tmp_path: Path, plugin: str
) -> None:
    (name, data), *parts = files[plugin]
    assert len(data) > 3 * CHUNK, f"{len(data)} bytes are not cut into more than two chunks"
    assert max(len(part) for _, part in parts) < CHUNK
    stores = []
    for workers in (1, 2, 4):
        p = project(tmp_path / f"{workers}-workers", plugin, workers)
        p.write(f"data/{name}", data)
        said = p.run()
        assert said.read["workers_started"] >= min(workers, 3), "nothing to do for the others: it was not cut"
        assert said.read["workers_died"] == 0
        stores.append(p)
    small = project(tmp_path / "small", plugin, 2)
    for name, part in parts:
        small.write(f"data/{name}", part)
    small.run()
    same([small, *stores])
    alone = project(tmp_path / "alone", plugin, 4)
    alone.write(f"data/{parts[0][0]}", parts[0][1])
    assert alone.run().read["workers_started"] == 1, "a file that is not cut keeps one worker busy"


def test_places_of_rejects_do_not_depend_on_chunks(tmp_path: Path) -> None:
    """A bad row is named by its line in the whole file, whoever decoded it."""
    made = [replace(order, note="x\n" * 1000) for order in orders(15_000, seed=22)]
    text = export(made).replace(",voided,", ",mislaid,")
    told = []
    for workers in (1, 3):
        p = project(tmp_path / f"{workers}", "shopify", workers)
        p.write("data/all.csv", text)
        said = p.run()
        assert said.read["workers_started"] == workers
        told.append(p.sql("select place, reason, excerpt from reject order by place, reason"))
    assert len(told[0]) > 1000
    assert told[0] == told[1]
    places = [place for place, *_ in told[0]]
    data = text.encode()
    assert all(data[place : place + 1] == b"#" for place in places)
