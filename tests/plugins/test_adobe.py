# SPDX-License-Identifier: Apache-2.0
"""Adobe's data feeds under `entente run`: a delivery of several days with its companions, counted here by other means."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from decimal import Decimal
from pathlib import Path

from feeds import Feed

COLUMNS = (
    "browser currency customer_perspective date_time duplicate_purchase exclude_hit geo_country hit_source hit_time_gmt "
    "hitid_high hitid_low mobile_id post_campaign post_event_list post_pagename post_page_url post_product_list "
    "post_purchaseid post_visid_high post_visid_low ref_domain ref_type visit_num visit_start_time_gmt"
).split()
HEADER = "\t".join(COLUMNS) + "\n"
DAY = 1709251200  # 2024-03-01
FOLDERS = "{glob: ./in/*/hit_data.tsv.gz, companions: [column_headers.tsv]}"
EURO = "{adobe: {currency: EUR}}"


def day(number: int, seed: int) -> tuple[list[dict[str, str]], bytes]:
    """Hits of one day, and the file that they are in: escapes, excluded hits, duplicates, latin1."""
    dice = random.Random(seed)
    hits: list[dict[str, str]] = []
    for visit in range(120):
        who = {"post_visid_high": str(2**63 + dice.randrange(40)), "post_visid_low": str(2**64 - 1 - visit % 7)}
        start = DAY + number * 86400 + dice.randrange(80000)
        for k in range(dice.randrange(1, 8)):
            events = dice.choice(["", "2", "12", "11", "200,201=1.5", "1"])
            hit = dict.fromkeys(COLUMNS, "") | who
            hit |= {
                "hit_time_gmt": str(start + 30 * k),
                "visit_start_time_gmt": str(start),
                "visit_num": str(visit % 5 + 1),
                "exclude_hit": dice.choice(["0"] * 9 + ["1"]),
                "hit_source": dice.choice(["1"] * 9 + ["7"]),
                "customer_perspective": "0",
                "duplicate_purchase": dice.choice(["0", "0", "0", "1"]),
                "date_time": f"2024-03-{number + 1:02d} 12:00:00",
                "post_pagename": dice.choice(["", "Grüße\\\tTab", "zwei\\\nZeilen", "ende\\\\"]),
                "post_event_list": events,
                "hitid_high": str(number),
                "hitid_low": f"{visit:04d}{k}",
                "mobile_id": "0",
                "ref_type": "3",
            }
            if events == "1":
                hit["post_purchaseid"] = f"P{number}-{visit}-{k}"
                hit["post_product_list"] = ",".join(
                    f"Haus;Stück^, {i};{dice.randrange(1, 4)};{dice.randrange(1, 9000) / 100:.2f};;" for i in range(dice.randrange(1, 4))
                )
            hits.append(hit)
    body = "".join("\t".join(hit[c] for c in COLUMNS) + "\n" for hit in hits)
    return hits, gzip.compress(body.encode("latin-1"))


def counted(hits: list[dict[str, str]]) -> dict[str, Decimal]:
    good = [h for h in hits if h["exclude_hit"] == "0" and h["hit_source"] not in ("5", "7", "8", "9")]
    bought = [h for h in good if h["post_event_list"] == "1" and h["duplicate_purchase"] == "0"]
    prices = [p.split(";")[3] for h in bought for p in h["post_product_list"].replace("^,", "").split(",")]
    keys = ("post_visid_high", "post_visid_low", "visit_num", "visit_start_time_gmt")
    return {
        "sessions": Decimal(len({tuple(h[k] for k in keys) for h in good})),
        "visitors": Decimal(len({(h["post_visid_high"], h["post_visid_low"]) for h in good})),
        "pageviews": Decimal(sum(h["post_pagename"] != "" for h in good)),
        "orders": Decimal(len(bought)),
        "revenue.net": sum(map(Decimal, prices), Decimal(0)),
        "carts": Decimal(len({tuple(h[k] for k in keys) for h in good if h["post_event_list"] == "12"})),
    }


def test_a_delivery_of_days(tmp_path: Path) -> None:
    f = Feed(tmp_path, FOLDERS, EURO)
    all_hits = []
    for number in range(3):
        hits, packed = day(number, seed=number + 1)
        f.write(f"in/shop_2024-03-{number + 1:02d}/hit_data.tsv.gz", packed)
        f.write(f"in/shop_2024-03-{number + 1:02d}/column_headers.tsv", HEADER)
        all_hits += hits
    balance, _ = f.run()
    assert balance["records"] == len(all_hits)
    assert balance["rejected"] == 0
    assert {name: f.figure(name) for name in counted(all_hits)} == counted(all_hits)
    assert f.entente("run")[1]["read"]["inputs"] == 0

    # a day comes again, changed by late hits: it takes the place of what it brought
    hits, packed = day(0, seed=9)
    f.write("in/shop_2024-03-01/hit_data.tsv.gz", packed)
    f.run()
    again = hits + [h for h in all_hits if not h["date_time"].startswith("2024-03-01")]
    assert {name: f.figure(name) for name in counted(again)} == counted(again)


def test_a_companion_is_part_of_the_document(tmp_path: Path) -> None:
    f = Feed(tmp_path, "{directory: ./in, companions: [column_headers.tsv]}", EURO)
    hits, packed = day(0, seed=3)
    f.write("in/a/hit_data.tsv.gz", packed)
    _, text = f.run(status=f.entente("run")[0])
    told = f"put it at {tmp_path}/in/a/column_headers.tsv, or change `companions:` (entente.yaml:9:42)"
    assert "its companion 'column_headers.tsv' is not there" in text and told in text
    assert "a/hit_data.tsv.gz" in text

    # names that are in the wrong order: the events are where the pages are
    wrong = HEADER.replace("post_event_list", "x").replace("post_pagename", "post_event_list").replace("\tx\t", "\tpost_pagename\t")
    f.write("in/a/column_headers.tsv", wrong)
    balance, _ = f.run()
    assert balance["records"] == len(hits)  # the companion itself is no document
    assert f.figure("orders") == 0
    f.write("in/a/column_headers.tsv", HEADER)
    f.run()
    assert f.figure("orders") == counted(hits)["orders"]
    assert f.figure("pageviews") == counted(hits)["pageviews"]
    assert f.entente("run")[1]["read"]["inputs"] == 0

    # both move: nothing is told again
    (tmp_path / "in" / "a").rename(tmp_path / "in" / "b")
    f.run()
    assert f.figure("pageviews") == counted(hits)["pageviews"]


def test_lookups_in_an_archive_named_by_the_file(tmp_path: Path) -> None:
    named = '{glob: ./in/*.tsv.gz, named: "{no}-{suite}_{date}.tsv.gz", companions: ["{suite}_{date}-lookup_data.tar.gz"]}'
    f = Feed(tmp_path, named, EURO)
    hits, packed = day(0, seed=4)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in (("event.tsv", "1\tPurchase\n"), ("column_headers.tsv", HEADER), ("referrer_type.tsv", "3\tSuche\n1\tSearch Engines\n")):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    f.write("in/01-shop_20240301.tsv.gz", packed)
    f.write("in/shop_20240301-lookup_data.tar.gz", archive.getvalue())
    f.run()
    assert f.figure("pageviews") == counted(hits)["pageviews"]
    _, told, _ = f.entente("metrics", "query", "sessions", "--by", "channel")
    assert "Suche" in str(told)
    f.write("in/other.tsv.gz", packed)
    _, text = f.run(status=f.entente("run")[0])
    assert "its name does not fit the pattern '{no}-{suite}_{date}.tsv.gz'" in text


def test_what_cannot_be_meant(tmp_path: Path) -> None:
    for written, told in (
        ("{stdin: x, companions: [a]}", "standard input has no files beside it"),
        ('{glob: ./in/*, companions: ["{date}.tsv"]}', "nothing says what {date} is"),
        ('{glob: ./in/*, companions: ["*.tsv"]}', "'*.tsv' is no name of a companion"),
        ('{glob: ./in/*, named: "{date}.tsv"}', "'named' is for names of companions, and there are none"),
        ('{glob: ./in/*, named: "{date", companions: [a]}', "'named' is no pattern"),
    ):
        f = Feed(tmp_path, written, EURO)
        status, _, text = f.entente("check")
        assert status != 0 and told in text and "entente.yaml:9:" in text


def test_the_facts_of_a_delivery(tmp_path: Path) -> None:
    """entente tap reads companions as a run does, and nothing of them."""
    f = Feed(tmp_path, "{directory: ./in, companions: [column_headers.tsv]}", EURO)
    hits, packed = day(0, seed=5)
    f.write("in/hit_data.tsv.gz", packed)
    _, _, text = f.entente("tap", "files")
    assert "its companion 'column_headers.tsv' is not there" in text
    f.write("in/column_headers.tsv", HEADER)
    status, _, text = f.entente("tap", "files")
    told = [json.loads(line) for line in text.splitlines()]
    assert status == 0
    good = [h for h in hits if h["exclude_hit"] == "0" and h["hit_source"] == "1"]
    assert sum(x.get("fact") == "visit" or x.get("kind") == "visit" or x.get("what") == "visit" for x in told) == len(good)
    assert "column_headers" not in text
