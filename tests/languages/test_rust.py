# SPDX-License-Identifier: Apache-2.0
"""The example in Rust: its declarations are those of the header; built with rustc and with cargo; one symbol, golden
output, and the real worker. Skipped where there is no rustc."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from outside import SOURCE, balance, call, conform, exported, golden

sys.path.append(str(SOURCE / "tests" / "abi"))
import layout

EXAMPLE = SOURCE / "examples" / "plugin-rust"
DECLARED = EXAMPLE / "src" / "entente.rs"
CARGO = Path.home() / ".cargo" / "bin"


def tool(name: str) -> str | None:
    return shutil.which(name) or shutil.which(str(CARGO / name))


RUSTC, CARGO_TOOL = tool("rustc"), tool("cargo")
needs_rustc = pytest.mark.skipif(RUSTC is None, reason="no rustc; apt-get install rustc")


@pytest.fixture(scope="module", params=["rustc", "cargo"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("returns")
    built = folder / "plugins" / "returns.so"
    built.parent.mkdir()
    if request.param == "rustc":
        assert RUSTC
        call(RUSTC, "--edition", "2021", "-O", "-D", "warnings", "--crate-type", "cdylib", "--crate-name", "returns",
             "-o", built, EXAMPLE / "src" / "lib.rs")  # fmt: skip
    elif not CARGO_TOOL:
        pytest.skip("no cargo; apt-get install cargo")
    else:
        shutil.copytree(EXAMPLE, folder / "source")
        manifest = folder / "source" / "Cargo.toml"
        call(
            CARGO_TOOL,
            "build",
            "--release",
            "--offline",
            "--locked",
            "--manifest-path",
            manifest,
            "--target-dir",
            folder / "target",
        )
        shutil.copy(folder / "target" / "release" / "libreturns.so", built)
    return built


@needs_rustc
def test_one_symbol(shared: Path) -> None:
    assert exported(shared) == ["ent_plugin_entry"]


@needs_rustc
def test_golden(shared: Path, tmp_path: Path) -> None:
    golden(EXAMPLE, shared, tmp_path)


@needs_rustc
def test_conformance(shared: Path) -> None:
    conform(EXAMPLE, shared)


@needs_rustc
def test_in_the_worker(shared: Path, tmp_path: Path) -> None:
    told = balance(EXAMPLE, shared, tmp_path)
    assert (told["records"], told["consumed"], told["skipped"], told["rejected"], told["closes"]) == (12, 5, 1, 6, True)
    for reason in ("not a date like 31.12.2024", "kind is none of goods", "not an amount, or a negative one"):
        assert reason in told["rejects"]


def version() -> str:
    """MAJOR.MINOR of the header that the declarations are of."""
    text = DECLARED.read_text()
    return ".".join(re.findall(r"ENT_PLUGIN_(?:MAJOR|MINOR): u32 = (\d+);", text))


def in_c(structs: dict[str, list[str]], constants: list[str], header: Path, work: Path) -> str:
    lines = [f"#include <stddef.h>\n#include <stdio.h>\n#include {str(header)!r}\nint main(void) {{".replace("'", '"')]
    for name, members in structs.items():
        lines.append(f'printf("{name} %zu %zu\\n", sizeof({name}), _Alignof({name}));')
        for m in members:
            lines.append(f'printf("{name}.{m} %zu %zu\\n", offsetof({name}, {m}), sizeof((({name} *)0)->{m}));')
    lines += [f'printf("{c} %lld\\n", (long long)({c}));' for c in constants]
    (work / "in.c").write_text("\n".join([*lines, "return 0; }"]))
    call("cc", "-std=c11", "-o", work / "in-c", work / "in.c")
    return call(work / "in-c")


def in_rust(structs: dict[str, list[str]], constants: list[str], work: Path) -> str:
    lines = [f'#[path = "{DECLARED}"]', "mod entente;", "use entente::*;"]
    lines += ["fn size<T>(_: *const T) -> usize { std::mem::size_of::<T>() }", "fn main() {"]
    for name, members in structs.items():
        lines.append(f'println!("{name} {{}} {{}}", std::mem::size_of::<{name}>(), std::mem::align_of::<{name}>());')
        lines.append(f"let it = std::mem::MaybeUninit::<{name}>::uninit(); let p = it.as_ptr();")
        for m in members:
            place = f"unsafe {{ std::ptr::addr_of!((*p).{'r#type' if m == 'type' else m}) }}"
            lines.append(f'let q = {place}; println!("{name}.{m} {{}} {{}}", q as usize - p as usize, size(q));')
    lines += [f'println!("{c} {{}}", {c} as i64);' for c in constants]
    (work / "in.rs").write_text("\n".join([*lines, "}"]))
    assert RUSTC
    call(RUSTC, "--edition", "2021", "--cap-lints", "allow", "-o", work / "in-rust", work / "in.rs")
    return call(work / "in-rust")


def test_every_declaration_is_there() -> None:
    """By name: structs with their members in their order, and numbers. Needs no compiler."""
    released = SOURCE / "tests" / "abi" / version()
    text = DECLARED.read_text()
    for struct in layout.read_types(released / "plugin.abi").structs.values():
        body = re.search(rf"pub struct {struct.name} \{{\n(.*?)\n\}}", text, re.DOTALL)
        assert body, f"{struct.name} is missing in {DECLARED}"
        members = [m.removeprefix("r#") for m in re.findall(r"^    pub ([\w#]+):", body[1], re.MULTILINE)]
        assert members == [m.name for m in struct.members], struct.name
    for constant in layout.read_constants(released / "constants").values():
        assert not constant.is_number or f"pub const {constant.name}:" in text, f"{constant.name} is missing"


@needs_rustc
def test_sizes_offsets_and_numbers_are_those_of_the_header(tmp_path: Path) -> None:
    released = SOURCE / "tests" / "abi" / version()
    types = layout.read_types(released / "plugin.abi")
    structs = {s.name: [m.name for m in s.members] for s in types.structs.values() if s.size}
    constants = [c.name for c in layout.read_constants(released / "constants").values() if c.is_number]
    want = in_c(structs, constants, released / "entente" / "plugin.h", tmp_path)
    assert len(want.splitlines()) > 200
    assert in_rust(structs, constants, tmp_path) == want
