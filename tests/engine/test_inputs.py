# SPDX-License-Identifier: Apache-2.0
"""Which documents are read, how often, and what becomes of a run when one of them, or the plugin that reads it, fails."""

import os
import subprocess
from itertools import permutations
from pathlib import Path

from project import BUILD, ENTENTE, Project, environment, same

PLUGIN = f"plugins: [{BUILD}/tests/plugins/cases.so]"
HEAD = "key,at,total,updated\n"


def month(folder: Path) -> Project:
    """One source of documents that are complete for January 2024."""
    sources = '  months: {partner: nordwind, from: {glob: "./in/*.csv"}, decode: month}'
    return Project(folder, sources, top=PLUGIN)


def orders(*rows: str) -> str:
    """Orders "KEY DAY": of that day of January, of one euro; "KEY DAY HOUR": last changed in that hour of the first."""
    told = []
    for row in rows:
        key, day, *hour = row.split()
        changed = f"2024-01-01T{hour[0]}:00:00Z" if hour else ""
        told.append(f"{key},2024-01-{day} 12:00:00,1.00,{changed}\n")
    return HEAD + "".join(told)


# ---- what a complete document lacks -------------------------------------------------------------------------------------


def test_what_a_complete_document_lacks_is_gone(tmp_path: Path) -> None:
    p = month(tmp_path)
    p.write("in/a.csv", orders("1 05", "2 06", "3 07"), dated=1)
    p.run()
    assert p.figure("orders") == 3
    p.write("in/b.csv", orders("1 05", "3 07"), dated=2)
    assert p.run().json["balance"][0]["closes"]
    assert p.figure("orders") == 2
    assert p.run().read["inputs"] == 0
    p.write("in/c.csv", orders("2 06", "3 07"), dated=3)
    p.run()
    assert p.figure("orders") == 2


def test_an_older_document_brings_nothing_back(tmp_path: Path) -> None:
    p = month(tmp_path)
    p.write("in/b.csv", orders("1 05"), dated=2)
    p.run()
    p.write("in/a.csv", orders("1 05", "2 06"), dated=1)
    p.run()
    assert p.figure("orders") == 1


def test_days_that_it_is_not_complete_for_stay(tmp_path: Path) -> None:
    p = month(tmp_path)
    p.write("in/a.csv", orders("1 05") + "2,2023-12-31 12:00:00,1.00,\n3,2024-02-01 00:00:00,1.00,\n", dated=1)
    p.write("in/b.csv", orders("4 20"), dated=2)
    p.run()
    assert p.figure("orders") == 3


def test_with_a_rejected_record_it_is_not_complete(tmp_path: Path) -> None:
    """What it seems to lack may be what could not be read."""
    p = month(tmp_path)
    p.write("in/a.csv", orders("1 05", "2 06"), dated=1)
    p.write("in/b.csv", orders("1 05") + "2,2024-01-06,a lot,\n", dated=2)
    p.run()
    assert p.figure("orders") == 2


def test_complete_documents_in_any_order(tmp_path: Path) -> None:
    """Contradictory versions included: whichever run brought which document, the figures are those of all at once."""
    documents = {
        "a": (orders("1 05 09", "2 06", "3 07"), 1),
        "b": (orders("1 05 03", "3 07"), 2),
        "c": (orders("2 09 01", "3 08"), 3),
        "d": (orders("1 31", "3 07 23"), 4),
    }
    made = []
    for names in permutations(documents):
        p = month(tmp_path / "".join(names))
        for name in names:
            data, dated = documents[name]
            p.write(f"in/{name}.csv", data, dated)
            if names[0] != "a" or names[1] != "b":
                p.run()
        p.run()
        made.append(p)
    same(made)
    assert made[0].figure("orders") == 2


# ---- workers that die -----------------------------------------------------------------------------------------------------


def test_a_plugin_that_dies_while_it_probes(tmp_path: Path) -> None:
    """It costs that document only; the next one is probed by a new worker, whose greeting is not taken for an answer."""
    p = Project(tmp_path, "  all: {partner: nordwind, from: {directory: ./in}, decode: auto}", top=PLUGIN)
    p.write("in/a.csv", orders("1 05"))
    p.write("in/b.csv", "!")
    p.write("in/c.csv", "!!")
    p.write("in/d.csv", orders("2 06"))
    said = p.run(status=4)
    assert said.read["failed"] == 2
    assert "died of signal 6" in said.errors
    assert p.figure("orders") == 2


def test_a_large_document_replaces_itself(tmp_path: Path) -> None:
    """No commit may come in between, even when one is long due and the ring is full: then decoding goes on."""
    p = Project(tmp_path, '  carts: {partner: nordwind, from: {file: ./in.csv}, decode: flood}', top=f"{PLUGIN}\nworkers: 1\ncommit: {{every: 1s}}")
    p.write("in.csv", HEAD.replace("\n", ",padding\n") + "1,2024-01-05,10,0,\n", dated=1)
    p.run()
    pad = "x" * 1000
    # the first 8 MB are folded; then a commit comes due; then more comes than the ring holds
    early = "".join(f"{i},2024-01-05,1,0,{pad}\n" for i in range(8300))
    late = "".join(f"{i},2024-01-06,{40 if i > 8300 else 1},{2000 if i == 8300 else 0},{pad}\n" for i in range(8300, 16000))
    p.write("in.csv", HEAD.replace("\n", ",padding\n") + early + late, dated=2)
    said = p.entente("run", "--no-rules", timeout=60)
    assert said.status == 0 and said.read["waits"] > 0
    assert p.figure("carts", "carts") == 8300 + 1 + 7699 * 40


# ---- what is no ordinary file ---------------------------------------------------------------------------------------------


def test_a_pipe_given_as_a_file(tmp_path: Path) -> None:
    p = Project(tmp_path, "  months: {partner: nordwind, from: {file: ./pipe}, decode: month}", top=PLUGIN)
    os.mkfifo(tmp_path / "pipe")
    said = p.entente("run", "--no-rules", timeout=20)
    assert said.status == 4
    assert "no regular file" in said.errors and "stdin" in said.errors


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    p = Project(tmp_path, "  months: {partner: nordwind, from: {directory: ./in}, decode: month}", top=PLUGIN)
    deep = "/".join(["d" * 200] * 3)
    p.write(f"in/{deep}/a.csv", orders("1 05"))
    p.write("in/b.csv", orders("2 05"))
    said = p.run(status=4)
    assert "longer than 511 bytes" in said.errors
    assert p.figure("orders") == 1


def test_empty_files_and_lone_headers(tmp_path: Path) -> None:
    p = month(tmp_path)
    p.write("in/a.csv", orders())
    p.write("in/b.csv", orders("1 05"))
    p.run()
    assert p.figure("orders") == 1
    p.write("in/c.csv", "")
    said = p.entente("run", "--no-rules")
    assert said.status in (0, 4) and p.figure("orders") == 1


def test_standard_input_is_kept_when_the_run_has_to_plan_again(tmp_path: Path) -> None:
    """A worker that dies within a document that is half folded: all is planned again, and the pipe is empty by then."""
    sources = (
        "  pipe: {partner: nordwind, from: {stdin: orders.csv}, decode: month}\n"
        "  bad: {partner: nordwind, from: {file: ./bad.csv}, decode: scribble}"
    )
    top = f"plugins: [{BUILD}/tests/plugins/cases.so, {BUILD}/tests/plugins/scribble.so]"
    p = Project(tmp_path, sources, top=top)
    p.write("bad.csv", "k\n" + "x\n" * 1000)
    told = subprocess.run(
        [ENTENTE, "run", "--no-rules", "-c", str(p.config)], cwd=tmp_path, env=environment(), text=True, timeout=60,
        input=orders("1 05", "2 06"), capture_output=True, check=False,
    )
    assert told.returncode == 4, told.stdout + told.stderr
    assert p.figure("orders") == 2


# ---- editions and readings -------------------------------------------------------------------------------------------------


def test_a_lower_edition_is_read_once(tmp_path: Path) -> None:
    sources = '  feed: {partner: nordwind, from: {glob: "./in/*.json"}, decode: {ga4: {currency: EUR}}}'
    p = Project(tmp_path, sources)
    event = '{"event_date":"20240105","event_timestamp":"1704448800000000","event_name":"session_start",'
    event += '"user_pseudo_id":"%d","event_params":[{"key":"ga_session_id","value":{"int_value":"7"}}]}\n'
    p.write("in/events_20240105_000000000000.json", "".join(event % i for i in range(5)), dated=2)
    p.write("in/events_intraday_20240105_000000000000.json", "".join(event % i for i in range(3)), dated=1)
    p.run()
    assert p.figure("sessions", "traffic") == 5
    before = p.digest()
    assert p.run().read["inputs"] == 0
    assert p.digest() == before


def test_the_same_bytes_in_another_reading(tmp_path: Path) -> None:
    """What another decoder makes of them takes the place of the old facts: both are equally new."""
    p = month(tmp_path)
    p.write("in/a.csv", orders("1 05", "2 06"))
    p.run()
    p.sources = p.sources.replace("decode: month", "decode: flood")
    p.configure()
    p.run()
    assert (p.figure("orders"), p.figure("carts", "carts")) == (0, 2)
