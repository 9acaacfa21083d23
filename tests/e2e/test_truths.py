# SPDX-License-Identifier: Apache-2.0
"""The sample through the whole engine: each planted truth is found, clean partners raise nothing."""

import json
import subprocess
from typing import Any

import pytest
from project import ENTENTE, Project, Said, environment


class Sample(Project):
    """The project as `entente init --sample` writes it."""

    def configure(self) -> None:
        pass


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, Said, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("sample") / "project"
    subprocess.run([ENTENTE, "init", "--sample", folder], check=True, env=environment(), timeout=200)
    p = Sample(folder, "", rules="")
    said = p.entente("run", timeout=200)
    return p, said, json.loads((folder / "truths.json").read_text())


TRUTHS = [
    "conversion_trails", "analytics_far_off", "hole_in_feed", "engagement_fades", "carts_leak",
    "revenue_falls", "too_little_history", "worth_telling", "offer_one_sided", "agreement_adds", "issue_left_open",
    "milestone_out_of_reach", "basis_moved", "site_is_slow", "books_in_distress", "promise_out_of_reach",
    "promise_too_young", "agents_lose", "moved_online",
]  # fmt: skip


def test_all_was_read(judged: tuple[Sample, Said, dict[str, Any]]) -> None:
    p, said, truths = judged
    assert said.status == 0, said.err
    assert said.read["failed"] == 0 and said.json["judged"]["failed"] == 0
    assert said.json["judged"]["as_of"] == truths["last_day"]
    assert all(sheet["closes"] for sheet in said.json["balance"])
    assert all(sheet["received"] for sheet in said.json["balance"]), "each source brought something"
    again = p.entente("run", timeout=200)
    assert again.read["inputs"] == 0
    assert again.json["judged"] == {**said.json["judged"], "seconds": 0, "evaluations": 0, "unchanged": True}


@pytest.mark.parametrize("code", TRUTHS)
def test_each_truth_is_found(judged: tuple[Sample, Said, dict[str, Any]], code: str) -> None:
    p, _, truths = judged
    [truth] = [truth for truth in truths["truths"] if truth["truth"] == code]
    where = (truth["rule"], truth["partner"])
    [(verdict,)] = p.sql("select verdict from v_verdict where rule = ? and partner = ?", *where)
    if truth["finding"] == "unknown":
        said = p.record(*where)
        assert verdict == "unknown", said
        assert said["asks"] or [found for found in said["findings"] if found.get("decides_on")]
    else:
        assert verdict == "true"
        kinds = p.sql("select kind from finding where rule = ? and partner = ? and state = 'open'", *where)
        assert (truth["finding"],) in kinds, kinds


def test_every_truth_is_tested(judged: tuple[Sample, Said, dict[str, Any]]) -> None:
    assert sorted(truth["truth"] for truth in judged[2]["truths"]) == sorted(TRUTHS)


def test_nothing_else_is_raised(judged: tuple[Sample, Said, dict[str, Any]]) -> None:
    p, _, truths = judged
    planted = {(truth["rule"], truth["partner"]) for truth in truths["truths"]}
    raised = [
        row
        for row in p.sql("select rule, partner, kind, text from finding where kind <> 'insight'")
        if (row[0], row[1]) not in planted
    ]
    assert raised == []
    partners = {row[0] for row in p.sql("select distinct partner from v_verdict")}
    assert {clean if isinstance(clean, str) else clean["partner"] for clean in truths["clean"]} <= partners
    assert len(partners) >= 12


def test_files_of_the_sample_are_as_they_were(judged: tuple[Sample, Said, dict[str, Any]]) -> None:
    """A run writes nothing beside its store, and that is for its owner only."""
    p, _, _ = judged
    others = [path for path in p.folder.rglob("*") if p.store not in path.parents and path != p.store]
    newest = max(path.stat().st_ctime for path in others if path.is_file())
    assert newest < (p.store / "identities").stat().st_ctime
    for path in (p.store, *p.store.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
