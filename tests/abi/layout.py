# SPDX-License-Identifier: Apache-2.0
"""What a header declares, read with a compiler and abidw: structs with their members' places, enums, and constants."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path


class Unreadable(Exception):
    """The header cannot be compiled or described; the text says why."""


@dataclass(frozen=True)
class Member:
    name: str
    offset: int  # bytes
    type: str

    @property
    def is_function(self) -> bool:
        return "(*)" in self.type


@dataclass
class Struct:
    name: str
    size: int = 0  # bytes; 0: opaque
    members: list[Member] = field(default_factory=list)

    @property
    def grows(self) -> bool:
        """Tables say their size in one of their first words, facts begin with a head and are pushed with a stride."""
        first = self.members[0] if self.members else None
        sized = any(m.name == "size" and m.type == "uint32_t" and m.offset < 16 for m in self.members)
        return sized or (first is not None and first.type == "ent_head")


@dataclass
class Types:
    structs: dict[str, Struct] = field(default_factory=dict)
    enums: dict[str, str] = field(default_factory=dict)  # underlying type


@dataclass(frozen=True)
class Constant:
    name: str
    value: str  # a number, or the text of a macro that is none
    group: str  # the enum it belongs to: its name or, if it has none, its first enumerator; "" for a macro

    @property
    def is_number(self) -> bool:
        return re.fullmatch(r"-?\d+", self.value) is not None

    def __str__(self) -> str:
        return f"{self.group or '-'} {self.name} {self.value}"


def run(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, check=False)
    if done.returncode:
        raise Unreadable(f"{' '.join(str(c) for c in command)}\n{done.stderr.strip()}")
    return done.stdout


def plain(header: Path) -> str:
    """The header's text without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(), flags=re.DOTALL)


def type_names(header: Path) -> list[str]:
    text = plain(header)
    names = re.findall(r"^\}\s*(\w+)\s*;", text, re.MULTILINE)
    names += re.findall(r"^typedef struct \w+ (\w+)\s*;", text, re.MULTILINE)
    names += re.findall(r"^typedef enum \w+ \{[^}]*\}\s*(\w+)\s*;", text, re.MULTILINE)
    return sorted(set(names))


def abidw(header: Path, work: Path) -> str:
    """A shared object whose functions take every type of the header, described by abidw."""
    unit, shared = work / "every.c", work / "every.so"
    lines = [f'#include "{header.resolve()}"', "const void *use_entry(void) { return &ent_plugin_entry; }"]
    lines += ["const ent_plugin ent_plugin_entry = {0};"]
    lines += [f"void use_{n}({n} *p) {{ (void)p; }}" for n in type_names(header)]
    unit.write_text("\n".join(lines) + "\n")
    run("cc", "-std=c11", "-g", "-gdwarf-4", "-O0", "-shared", "-fPIC", "-o", shared, unit)
    text = run(
        "abidw",
        "--no-corpus-path",
        "--no-comp-dir-path",
        "--no-show-locs",
        "--no-architecture",
        "--no-elf-needed",
        shared,
    )
    return text.replace(str(unit), "every.c")


class _Reader:
    """Names the types of abidw's XML as C writes them; types are compared by these names."""

    def __init__(self, root: ET.Element) -> None:
        self.by_id = {e.attrib["id"]: e for e in root.iter() if "id" in e.attrib}

    def name(self, of: str) -> str:
        e = self.by_id[of]
        if e.tag in ("type-decl", "typedef-decl", "class-decl", "enum-decl"):
            return e.attrib["name"]
        if e.tag == "qualified-type-def":
            words = [q for q in ("const", "volatile", "restrict") if e.get(q) == "yes"]
            inner = self.name(e.attrib["type-id"])
            return f"{inner} {' '.join(words)}" if inner.endswith("*") else f"{' '.join(words)} {inner}"
        if e.tag == "pointer-type-def":
            to = self.by_id[e.attrib["type-id"]]
            return self.function(to) if to.tag == "function-type" else f"{self.name(e.attrib['type-id'])} *"
        if e.tag == "array-type-def":
            return self.name(e.attrib["type-id"]) + "".join(f"[{s.attrib['length']}]" for s in e.iter("subrange"))
        raise Unreadable(f"abidw wrote a {e.tag}, which the gate does not know: teach it to tests/abi/layout.py")

    def function(self, e: ET.Element) -> str:
        gives = e.find("return")
        takes = ", ".join(
            "..." if p.get("is-variadic") else self.name(p.attrib["type-id"]) for p in e.iter("parameter")
        )
        return f"{self.name(gives.attrib['type-id']) if gives is not None else 'void'} (*)({takes})"


def read_types(abi: Path) -> Types:
    root = ET.parse(abi).getroot()
    reader, types = _Reader(root), Types()
    for e in root.iter("class-decl"):
        name = e.attrib["name"]
        if not name.startswith("ent_"):
            continue
        struct = types.structs.setdefault(name, Struct(name))
        if e.get("is-declaration-only") == "yes":
            continue
        struct.size = int(e.attrib["size-in-bits"]) // 8
        for m in e.findall("data-member"):
            var = m.find("var-decl")
            assert var is not None
            place = int(m.attrib["layout-offset-in-bits"]) // 8
            struct.members.append(Member(var.attrib["name"], place, reader.name(var.attrib["type-id"])))
    for e in root.iter("enum-decl"):
        under = e.find("underlying-type")
        assert under is not None
        base = reader.by_id[under.attrib["type-id"]]
        types.enums[e.attrib["name"]] = f"of {base.attrib['size-in-bits']} bits"
    return types


def constants_of(header: Path, work: Path) -> dict[str, Constant]:
    """Every macro and every enumerator of the header, with its value as the compiler knows it."""
    macros = re.findall(
        r"^#define (ENT_\w+)(\([^)]*\))?[ \t]+(.+)$", run("cc", "-std=c11", "-E", "-dM", header), re.MULTILINE
    )
    found = [
        Constant(name, f"{args}{body}", "")
        for name, args, body in macros
        if args or re.search(r'__attribute__|"', body)
    ]
    numbers = [(name, "") for name, args, body in macros if not args and not re.search(r'__attribute__|"', body)]
    for name, body in re.findall(r"\benum\b\s*(\w*)\s*\{([^}]*)\}", plain(header)):
        words = [m.group() for m in re.finditer(r"\bENT_\w+(?=\s*(?:=|,|$))", body) if not _is_value(body, m.start())]
        numbers += [(word, name or words[0]) for word in words]
    unit, program = work / "constants.c", work / "constants"
    print_each = "".join(f'\tprintf("%lld\\n", (long long)({name}));\n' for name, _ in numbers)
    unit.write_text(
        f'#include <stdio.h>\n#include "{header.resolve()}"\nint main(void) {{\n{print_each}\treturn 0;\n}}\n'
    )
    run("cc", "-std=c11", "-o", program, unit)
    values = run(program).split()
    found += [Constant(name, value, group) for (name, group), value in zip(numbers, values, strict=True)]
    return {c.name: c for c in sorted(found, key=lambda c: (c.group, c.name if not c.group else "", 0))}


def _is_value(body: str, at: int) -> bool:
    """Whether the word at `at` stands right of a '=' of its enumerator."""
    return "=" in body[body.rfind(",", 0, at) + 1 : at]


def read_constants(path: Path) -> dict[str, Constant]:
    found = {}
    for line in path.read_text().splitlines():
        group, name, value = line.split(" ", 2)
        found[name] = Constant(name, value, "" if group == "-" else group)
    return found
