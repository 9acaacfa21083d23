# SPDX-License-Identifier: Apache-2.0
"""A project in a folder of its own, and the program run over it."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", str(ROOT / "build")))
BIN = Path(os.environ.get("ENTENTE_BIN", str(BUILD / "bin")))
ENTENTE = str(BIN / "entente")
#: Files are dated from here on, in seconds: dates decide who wins, so tests must not leave them to chance.
DATED = 1_700_000_000
#: One key for all stores that are compared: identities, and so digests, are the same only under one.
KEY = "a key for tests, of no other use at all\n"


def environment(**more: str) -> dict[str, str]:
    """The environment of the program: plugins of this build, no colours, nothing of the user's."""
    kept = {k: v for k, v in os.environ.items() if k not in ("ENTENTE_SCRIPTS", "COLUMNS", "TERM")}
    return {"ENTENTE_PLUGINS": str(BUILD / "plugins"), **kept, "TERM": "dumb", **more}


@dataclass(frozen=True)
class Said:
    """What a run left: exit status, standard output as JSON, standard error."""

    status: int
    json: dict[str, Any]
    err: str

    @property
    def read(self) -> dict[str, Any]:
        """Figures of the reading: inputs, unchanged, failed, records, facts, workers…"""
        read: dict[str, Any] = self.json["read"]
        return read

    @property
    def errors(self) -> str:
        """All errors of inputs, as one text."""
        return json.dumps(self.json.get("input_errors", []))


@dataclass
class Project:
    """entente.yaml, its files and its store in `folder`."""

    folder: Path
    sources: str
    top: str = ""
    rules: str = "  books: []"
    partners: str = "  nordwind: {name: Nordwind, zone: Europe/Berlin}\n  suedwind: {name: Suedwind}"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "identity.key").write_text(KEY)
        self.configure()

    @property
    def config(self) -> Path:
        return self.folder / "entente.yaml"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def configure(self) -> None:
        """Writes entente.yaml as the fields say."""
        # two services at a time must not meet at the preset address
        top = self.top if "serve:" in self.top else f"serve: {{listen: []}}\n{self.top}"
        self.config.write_text(
            "version: 1\ncurrency: EUR\nas_of: latest\nidentity_key: file:identity.key\n"
            f"{top}\npartners:\n{self.partners}\nsources:\n{self.sources}\nrules:\n{self.rules}\n"
        )

    def write(self, name: str, data: str | bytes, dated: int = 0) -> Path:
        """A file of the project, dated `dated` seconds after DATED."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        when = (DATED + dated) * 1_000_000_000
        os.utime(path, ns=(when, when))
        return path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The program, going."""
        return subprocess.Popen(
            [ENTENTE, *words, "-c", str(self.config)],
            cwd=self.folder,
            env=environment(**self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def entente(self, *words: str, timeout: float = 120) -> Said:
        """The program, run to its end with --json."""
        with self.start(*words, "--json") as child:
            try:
                out, err = child.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
        try:
            told = json.loads(out)
        except ValueError:
            told = {"out": out}
        return Said(child.returncode, told, err)

    def run(self, *words: str, status: int = 0) -> Said:
        """`entente run` with the exit status that is expected; judges nothing unless rules are configured."""
        more = ["--no-rules"] if self.rules == "  books: []" else []
        said = self.entente("run", *more, *words)
        assert said.status == status, (said.status, said.err, said.json)
        return said

    def records(self) -> list[dict[str, Any]]:
        """What every rule said of every partner, with its evidence."""
        told = subprocess.run(
            [BUILD / "tests" / "project_records", self.store], capture_output=True, text=True, timeout=60
        )
        assert told.returncode == 0, told.stderr
        return [json.loads(line) for line in told.stdout.splitlines()]

    def record(self, rule: str, partner: str) -> dict[str, Any]:
        """What one rule said of one partner."""
        [found] = [r for r in self.records() if (r["rule"], r["partner"]) == (rule, partner)]
        return found

    def digest(self) -> dict[str, str]:
        """Canonical digest of the store by group."""
        told = subprocess.run(
            [BUILD / "tests" / "project_digest", self.config],
            env=environment(**self.environment),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert told.returncode == 0, told.stderr
        digest: dict[str, str] = json.loads(told.stdout)
        return digest

    def facts(self) -> dict[str, str]:
        """The groups of the digest that do not say how files were split or named."""
        digest = self.digest()
        return {group: digest[group] for group in ("documents", "cells", "members")}

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the store's database."""
        with sqlite3.connect(f"file:{self.store}/entente.db?mode=ro", uri=True) as db:
            return list(db.execute(query, values))

    def figure(self, measure: str, family: str = "sales", **where: object) -> int:
        """Sum of a measure on the view `total`, or on what `where` says (names of columns)."""
        keys: dict[str, object] = {"view": "total", **where}
        said = " and ".join(f'"{key}" = ?' for key in keys)
        [(total,)] = self.sql(f'select sum("{measure}") from v_cell_{family} where {said}', *keys.values())
        return int(total or 0)


def same(projects: Iterable[Project]) -> None:
    """All stores hold the same facts, and so the same figures."""
    first, *others = [(p.folder.name, p.facts()) for p in projects]
    for other in others:
        assert other[1] == first[1], f"{other[0]} differs from {first[0]}"
