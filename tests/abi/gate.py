# SPDX-License-Identifier: Apache-2.0
"""The gate in front of include/entente/plugin.h: today's header against what each released minor of its major was.

    python3 tests/abi/gate.py check [--header FILE] [--released FOLDER]
    python3 tests/abi/gate.py describe [--header FILE] [--released FOLDER]    when a minor is released

A released minor is a folder MAJOR.MINOR with its header as it was (entente/plugin.h), the layout of its types as
abidw of abigail-tools wrote it (plugin.abi), and what no debug information has: macros and numbers (constants).
`check` compares the types member by member, so that it can say which rule of the header was broken, and asks abidiff
as a second opinion. It needs cc, abidw and abidiff.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import layout

HERE = Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include" / "entente" / "plugin.h"
TOOLS = ("cc", "abidw", "abidiff")

# Which rule of the header: a name to be found by, and its words.
RULES = {
    "append": "a newer minor only appends at the end",
    "keep": "nothing is removed or renamed",
    "type": "nothing is given another type",
    "signature": "no function is given another signature",
    "fixed": "what has no size and no stride (values, rows, columns, options) never grows",
    "number": "an enumerator, a bit or a macro keeps its number",
    "minor": "whatever is appended raises ENT_PLUGIN_MINOR",
    "major": "ENT_PLUGIN_MAJOR differs: every plugin is refused",
    "magic": "ENT_PLUGIN_MAGIC is how a plugin is known",
}


@dataclass(frozen=True)
class Break:
    rule: str
    what: str

    def __str__(self) -> str:
        return f"plugin.h breaks the rule `{self.rule}` ({RULES[self.rule]}): {self.what}"


@dataclass
class Verdict:
    breaks: list[Break] = field(default_factory=list)
    appended: list[str] = field(default_factory=list)

    def broke(self, rule: str, what: str) -> None:
        self.breaks.append(Break(rule, what))


@dataclass
class Description:
    """A header: its types, its constants, and its layout as abidw writes it."""

    types: layout.Types
    constants: dict[str, layout.Constant]
    abi: Path

    @property
    def version(self) -> tuple[int, int]:
        return int(self.constants["ENT_PLUGIN_MAJOR"].value), int(self.constants["ENT_PLUGIN_MINOR"].value)


def missing_tools() -> list[str]:
    return [tool for tool in TOOLS if not shutil.which(tool)]


def describe(header: Path, work: Path) -> Description:
    abi = work / "plugin.abi"
    abi.write_text(layout.abidw(header, work))
    return Description(layout.read_types(abi), layout.constants_of(header, work), abi)


def released(folder: Path, major: int) -> Iterator[tuple[str, Description]]:
    """The released minors of `major`, oldest first."""
    found = [p for p in folder.iterdir() if re.fullmatch(rf"{major}\.\d+", p.name)]
    for path in sorted(found, key=lambda p: int(p.name.split(".")[1])):
        abi = path / "plugin.abi"
        yield path.name, Description(layout.read_types(abi), layout.read_constants(path / "constants"), abi)


def compare_kept(old: layout.Struct, new: layout.Struct, to: Verdict) -> set[str]:
    """What was there and is gone or of another type. The names in `new` that only took the place of such."""
    has, had = {m.name: m for m in new.members}, {m.name for m in old.members}
    instead: set[str] = set()
    for m in old.members:
        now = has.get(m.name)
        if now is None:
            other = next((k.name for k in new.members if k.offset == m.offset and k.name not in had), None)
            if other:
                instead.add(other)
            taken = f", {other} has its place" if other else ""
            to.broke("keep", f"{old.name}.{m.name} is gone{taken}; leave it, and say in its comment what replaces it")
        elif now.type != m.type:
            rule = "signature" if m.is_function and now.is_function else "type"
            to.broke(rule, f"{old.name}.{m.name} was {m.type} and is {now.type}; append another member instead")
    return instead


def compare_new(old: layout.Struct, new: layout.Struct, instead: set[str], to: Verdict) -> None:
    """What `new` has more than `old`: appended, or not."""
    had = {m.name: m for m in old.members}
    now = {m.name: m.offset for m in new.members}
    last = old.members[-1]
    for m in new.members:
        if m.name in had or m.name in instead:
            continue
        if m.offset >= old.size and old.grows:
            to.appended.append(f"{old.name}.{m.name}")
        elif m.offset >= old.size:
            to.broke("fixed", f"{old.name} has no size and got {m.name}; add a type or a function instead")
        elif m.offset > last.offset and now.get(last.name) == last.offset:
            to.broke(
                "append",
                f"{old.name}.{m.name} lies in what was padding, which older plugins leave undefined; "
                f"let it begin at byte {old.size}, behind a reserved member",
            )
        else:
            after = sum(now.get(k.name, 0) > m.offset for k in old.members)
            to.broke(
                "append",
                f"{old.name}.{m.name} was put before {after} members that were there; move it behind {last.name}",
            )


def compare_members(old: layout.Struct, new: layout.Struct, resized: set[str], to: Verdict) -> None:
    before = len(to.breaks)
    compare_new(old, new, compare_kept(old, new, to), to)
    if len(to.breaks) > before or any(m.type in resized for m in old.members):
        return  # said already why members are elsewhere
    now = {m.name: m.offset for m in new.members}
    for m in old.members:
        if now[m.name] != m.offset:
            what = f"{old.name}.{m.name} moved from byte {m.offset} to {now[m.name]}"
            to.broke("append", f"{what}; members keep their order")
            return


def compare_types(old: layout.Types, new: layout.Types, to: Verdict) -> None:
    resized = {name for name, s in old.structs.items() if name in new.structs and s.size != new.structs[name].size}
    for name, struct in old.structs.items():
        if name not in new.structs:
            to.broke("keep", f"type {name} is gone; leave it, even if nothing uses it any more")
        elif struct.size:
            compare_members(struct, new.structs[name], resized, to)
        elif new.structs[name].size:  # nobody can have made one
            to.appended.append(f"{name}, which was opaque")
    to.appended += [f"type {name}" for name in new.structs if name not in old.structs]
    for name, enum in old.enums.items():
        if name not in new.enums:
            to.broke("keep", f"type {name} is gone; leave it, even if nothing uses it any more")
        elif new.enums[name] != enum:
            to.broke("type", f"{name} was {enum} and is {new.enums[name]}")
    to.appended += [f"type {name}" for name in new.enums if name not in old.enums]


def compare_constants(old: dict[str, layout.Constant], new: dict[str, layout.Constant], to: Verdict) -> None:
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            to.broke("keep", f"{name} is gone; leave it, even if the host no longer heeds it")
        elif now.value == was.value or name == "ENT_PLUGIN_MINOR":
            continue
        elif name == "ENT_PLUGIN_MAJOR":
            to.broke("major", f"it was {was.value} and is {now.value}")
        elif name == "ENT_PLUGIN_MAGIC":
            to.broke("magic", f"it was {was.value} and is {now.value}")
        elif name.endswith("_COUNT") and was.is_number and int(now.value) > int(was.value):
            continue  # how many there are: what was added is judged by itself
        else:
            to.broke("number", f"{name} was {was.value} and is {now.value}; what is new takes a number of its own")
    for name, now in new.items():
        if name in old:
            continue
        to.appended.append(name)
        taken = [k for k, c in old.items() if now.group and c.group == now.group and c.value == now.value]
        if taken and not taken[0].endswith("_COUNT"):
            to.broke("number", f"{name} takes {now.value}, which is {taken[0]}; what is new takes a number of its own")


def second_opinion(old: Path, new: Path) -> str:
    """What abidiff says of two descriptions; empty if they are alike."""
    done = subprocess.run(
        ["abidiff", "--no-architecture", "--no-corpus-path", "--no-show-locs", str(old), str(new)],
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode & 3:
        raise SystemExit(f"abidiff could not compare {old} and {new}: {done.stderr.strip()}")
    return done.stdout.strip() if done.returncode & 4 else ""


def judge(name: str, old: Description, new: Description) -> tuple[Verdict, str]:
    """What of `new` a plugin built against the released minor `name` would not survive, and what abidiff says."""
    verdict = Verdict()
    compare_types(old.types, new.types, verdict)
    compare_constants(old.constants, new.constants, verdict)
    was, now = old.version, new.version
    if now[0] == was[0] and now[1] < was[1]:
        verdict.broke("minor", f"{was[0]}.{was[1]} is released and the header says {now[0]}.{now[1]}")
    if verdict.appended and now == was and not verdict.breaks:
        more = f" and {len(verdict.appended) - 1} more" if len(verdict.appended) > 1 else ""
        verdict.broke(
            "minor",
            f"{verdict.appended[0]}{more} was appended while ENT_PLUGIN_MINOR is still {now[1]}, which is released; "
            f"set it to {now[1] + 1}, and run `python3 tests/abi/gate.py describe` when that is released",
        )
    opinion = second_opinion(old.abi, new.abi)
    if opinion and not verdict.breaks and not verdict.appended:
        verdict.broke("type", f"abidiff sees a difference to {name} that has no name here, see below")
    return verdict, opinion


def check(header: Path, folder: Path) -> int:
    with tempfile.TemporaryDirectory() as work:
        today = describe(header, Path(work))
        majors = {int(p.name.split(".")[0]) for p in folder.iterdir() if re.fullmatch(r"\d+\.\d+", p.name)}
        if today.version[0] not in majors:
            print(
                Break(
                    "major",
                    f"{today.version[0]} has no description in {folder}, only {sorted(majors)}; "
                    "take it back, or, if all plugins are to be built anew, describe it",
                )
            )
            return 1
        bad = 0
        for name, old in released(folder, today.version[0]):
            verdict, opinion = judge(name, old, today)
            for broke in verdict.breaks:
                print(broke)
            if verdict.breaks:
                bad = 1
                print(
                    f"That is what a plugin built against {name} would meet. abidiff says:\n"
                    f"{opinion or '(nothing: it sees types alone)'}"
                )
            else:
                print(f"plugin.h {today.version[0]}.{today.version[1]} keeps {name}, {len(verdict.appended)} appended")
        return bad


def release(header: Path, folder: Path) -> int:
    with tempfile.TemporaryDirectory() as work:
        today = describe(header, Path(work))
        into = folder / f"{today.version[0]}.{today.version[1]}"
        if into.exists():
            print(
                f"{into} is there: a released minor does not change. Raise ENT_PLUGIN_MINOR, "
                "or remove the folder if it never was released"
            )
            return 1
        (into / "entente").mkdir(parents=True)
        shutil.copyfile(header, into / "entente" / "plugin.h")
        shutil.copyfile(today.abi, into / "plugin.abi")
        (into / "constants").write_text("".join(f"{c}\n" for c in today.constants.values()))
        print(f"described in {into}")
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="The gate in front of include/entente/plugin.h")
    parser.add_argument("what", choices=("check", "describe"))
    parser.add_argument("--header", type=Path, default=HEADER)
    parser.add_argument("--released", type=Path, default=HERE)
    given = parser.parse_args()
    if missing_tools():
        print(f"missing: {', '.join(missing_tools())}; apt-get install gcc abigail-tools", file=sys.stderr)
        return 2
    try:
        return (check if given.what == "check" else release)(given.header, given.released)
    except layout.Unreadable as e:
        print(e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
