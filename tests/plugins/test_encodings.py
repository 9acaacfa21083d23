# SPDX-License-Identifier: Apache-2.0
"""Encodings under `entente run`, in workers that are shut in: text as it was meant, places as they are in the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import IO, Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))

PROJECT = """version: 1
store: ./store
currency: EUR
as_of: latest
sandbox: required
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  files:
    partner: shop
    from: {glob: ./data/*}
    decode:
      DECODE
rules: {books: []}
"""
CSV = """csv:
        encoding: ENCODING
        fact: order
        columns: {key: id, at: date, total: total, region: city}
        constants: {currency: EUR}"""


def entente(folder: Path, *words: str) -> tuple[int, Any, str]:
    done = subprocess.run(
        [BIN / "entente", *words, "--json"], cwd=folder, text=True, capture_output=True, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stdout + done.stderr


def project(folder: Path, decode: str, **files: bytes) -> Path:
    (folder / "entente.yaml").write_text(PROJECT.replace("DECODE", decode))
    (folder / "data").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "data" / name.replace("_", ".")).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "codec", "city"),
    [
        ("shift_jis", "cp932", "東京①"),
        ("gb18030", "gb18030", "北京𠮷"),
        ("euc-jp", "euc_jp", "東京"),
        ("big5", "big5", "台北"),
        ("iso-8859-2", "iso8859_2", "Łódź"),
        ("windows-1250", "cp1250", "Łódź"),
        ("iso-2022-jp", "iso2022_jp", "東京"),
        ("utf-32le", "utf-32-le", "Zürich"),
    ],
)
def test_a_file_of_an_encoding(tmp_path: Path, name: str, codec: str, city: str) -> None:
    rows = [f"{i},2024-01-0{i % 9 + 1},{'x' if i == 7 else i},{city}\n" for i in range(1, 12)]
    content = "".join(["id,date,total,city\n", *rows]).encode(codec)
    folder = project(tmp_path, CSV.replace("ENCODING", name), a_csv=content)
    status, told, text = entente(folder, "run")
    assert status == 0, text
    (balance,) = told["balance"]
    assert balance["closes"]
    assert (balance["records"], balance["stored"], balance["rejected"]) == (11, 10, 1)
    _, told, _ = entente(folder, "rejects", "list")
    (reject,) = told
    assert reject["place"] == len("".join(["id,date,total,city\n", *rows[:6]]).encode(codec))
    assert reject["line"] == 8


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    folder = project(tmp_path, CSV.replace("ENCODING", "shift_jsi"), a_csv=b"id,date,total,city\n")
    status, _, text = entente(folder, "check")
    assert status != 0
    line = 1 + (folder / "entente.yaml").read_text().splitlines().index("        encoding: shift_jsi")
    assert f"entente.yaml:{line}:19: unknown encoding 'shift_jsi'; did you mean 'shift_jis'?" in text
    project(tmp_path, CSV.replace("ENCODING", "klingon"))
    _, _, text = entente(folder, "check")
    assert "unknown encoding 'klingon'; known are auto, utf-8, latin1" in text and "`iconv -l`" in text


def test_bytes_that_are_none_of_it(tmp_path: Path) -> None:
    good = "id,date,total,city\n1,2024-01-01,1,東京\n".encode("cp932")
    folder = project(tmp_path, CSV.replace("ENCODING", "shift_jis"), a_csv=good + b"2,2024-01-01,1,\x81\x20\n")
    status, told, text = entente(folder, "run")
    assert status != 0
    assert f"a.csv:{len(good) + 15}" in text or str(len(good) + 15) in text
    assert "0x81 0x20 are no character of CP932" in text
    assert not told.get("balance") or told["balance"][0]["stored"] == 0


def test_lines(tmp_path: Path) -> None:
    lines = (SOURCE / "plugins/shopify/golden/same-json.in").read_text().splitlines()
    lines = [lines[0].replace('"name":', '"注文":"表示", "name":', 1), '{"id": "東京", "line_items": 7}', *lines[1:]]
    told = []
    for name in ("utf-8", "shift_jis", "utf-16le"):
        (tmp_path / name).mkdir()
        content = "\n".join(lines).encode("cp932" if name == "shift_jis" else name)
        folder = project(tmp_path / name, f"shopify-json: {{encoding: {name}}}", a_json=content)
        status, result, text = entente(folder, "run")
        assert status == 0, text
        _, rejects, _ = entente(folder, "rejects", "list")
        (reject,) = rejects
        codec = "cp932" if name == "shift_jis" else name
        start = len((lines[0] + "\n").encode(codec))
        assert start <= reject["place"] < start + len(lines[1].encode(codec))
        told.append((result["balance"][0], reject["place"] - start))
    assert told[0][0]["stored"] == told[1][0]["stored"] == told[2][0]["stored"] > 0
    assert told[0][1] == 0 or told[2][1] > 0


def test_what_is_sent_is_utf_8(tmp_path: Path) -> None:
    """Lines that come over the network are cut before a decoder sees them: no other encoding can be declared."""
    folder = project(tmp_path, "shopify-json: {encoding: shift_jis}")
    text = (folder / "entente.yaml").read_text().replace("{glob: ./data/*}", "{pipe: ./pipe}")
    (folder / "entente.yaml").write_text(text)
    _, _, told = entente(folder, "check")
    assert "lines that are sent to a service are UTF-8" in told and "entente.yaml:12:" in told


def test_an_encoding_that_a_reload_brings(tmp_path: Path) -> None:
    """Workers that are shut in cannot open another one: a configuration that declares a new one starts them anew."""
    plain = CSV.replace("encoding: ENCODING", "quote: auto")
    folder = project(tmp_path, plain, a_csv=b"id,date,total,city\n1,2024-01-01,1,x\n")
    first = (folder / "entente.yaml").read_text()
    (folder / "entente.yaml").write_text(first + "serve: {listen: 127.0.0.1:0}\n")
    service = subprocess.Popen([BIN / "entente", "serve"], cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert service.stderr is not None
        wait(service.stderr, '"event":"commit"')
        more = CSV.replace("ENCODING", "shift_jis").replace("\n", "\n  ")
        source = "  jp:\n    partner: shop\n    from: {glob: ./jp/*}\n    decode:\n      " + more.replace("\n  ", "\n") + "\n"
        (folder / "jp").mkdir()
        (folder / "jp" / "b.csv").write_bytes("id,date,total,city\n2,2024-01-01,5,東京\n".encode("cp932"))
        (folder / "entente.yaml").write_text(first.replace("rules:", source + "rules:") + "serve: {listen: 127.0.0.1:0}\n")
        service.send_signal(signal.SIGHUP)
        wait(service.stderr, '"event":"reload.active"')
        wait(service.stderr, '"event":"commit"')
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)
    _, told, text = entente(folder, "balance")
    assert [(s["source"], s["stored"], s["rejected"]) for s in told["sources"]] == [("files", 1, 0), ("jp", 1, 0)], text


def wait(lines: IO[str], event: str) -> None:
    """Until the service says so; it ends with the test's own limit otherwise."""
    seen = ""
    for line in lines:
        seen += line
        if event in line:
            return
    raise AssertionError(seen)
