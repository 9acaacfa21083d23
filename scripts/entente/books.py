# SPDX-License-Identifier: Apache-2.0
"""Rulebooks: folders of Python files. Each file is a module of its own, so that names never collide; a
fault in one file or setting is told with its place, and the other rules are loaded all the same. Files that
begin with _ are helpers of their book: `from ._helpers import name`; test_*.py and conftest.py are for
pytest."""

from __future__ import annotations

import os
import sys

from .missing import RuleMistake
from .native import loads, release, tidy
from .rules import Rule, in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType, ModuleType
    from typing import Any, Final

    from .declare import Declared
else:
    ModuleType = type(sys)

SHIPPED: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rulebook")

_APART: Final = {ord(c): " " for c in "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"}  # what ends a word of Python


class Books:
    """What was loaded, and what was wrong."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.errors: list[RuleMistake] = []
        self.metrics: dict[str, Declared] = {}  # by name

    def rule(self, name: str) -> Rule:
        """By name."""
        for one in self.rules:
            if one.name == name:
                return one
        raise LookupError(f"no rule is called {name!r}")

    def described(self) -> dict[str, Any]:
        """For the list of rules."""
        said: dict[str, Any] = {
            "rules": [r.described() for r in self.rules],
            "errors": [
                {"file": e.file, "line": e.line, "column": e.column, "what": e.what, "todo": e.todo}
                for e in self.errors
            ],
        }
        if self.metrics:
            said["metrics"] = {
                name: {**m.text, "at": [m.file, m.line, m.column]} for name, m in sorted(self.metrics.items())
            }
        return said


def load_books(
    folders: Iterable[str],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    imports: Iterable[str] = (),
    leave: Mapping[str, Mapping[str, Any]] | None = None,
) -> Books:
    """Load the rules of these folders, "shipped" being the rulebook that comes with Entente, and set them. Files of
    `leave` ended a worker when they were loaded there, and are told as faults."""
    books = Books()
    allowed = frozenset(imports) | frozenset(sys.stdlib_module_names) | {"entente"}
    seen: dict[str, Rule] = {}
    for number, name in enumerate(folders):
        folder = SHIPPED if name == "shipped" else name
        if not os.path.isdir(folder):
            books.errors.append(
                RuleMistake(folder, 0, 0, "there is no such folder of rules", "see rules.books")
            )
            continue
        package = _package(number, folder)
        for file in sorted(f for f in os.listdir(folder) if f.endswith(".py") and not _is_test(f)):
            path = os.path.join(folder, file)
            if leave and path in leave:
                why = leave[path]
                mistake = RuleMistake(
                    path, why["line"], 1, why["what"], "the file is left out until it is corrected"
                )
                books.errors.append(mistake)
                continue
            loads(path)
            for one in _file(books, package, path, allowed):
                if one.name in seen:
                    other = seen[one.name]
                    books.errors.append(
                        one.mistake(
                            f"there is another rule {one.name}, in {other.file}:{other.line}",
                            "rename one of them",
                        )
                    )
                else:
                    seen[one.name] = one
                    books.rules.append(one)
    _renamed(books, seen)
    _set(books, settings or {})
    _sort(books)
    return books


def _is_test(file: str) -> bool:
    """Tests lie beside the rules, and are run by `entente rules test`."""
    return file == "conftest.py" or file.startswith("test_") or file.endswith("_test.py")


def _package(number: int, folder: str) -> str:
    """A package without a file of its own, so that rule files can import the helpers beside them."""
    base = "".join(c if c.isascii() and c.isalnum() else "_" for c in os.path.basename(folder))
    name = f"entente_book_{number}_{base}"
    for old in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
        del sys.modules[old]
    module = ModuleType(name)
    module.__path__ = [folder]
    sys.modules[name] = module
    return name


def _file(books: Books, package: str, path: str, allowed: frozenset[str]) -> list[Rule]:
    name = os.path.basename(path)
    module = ModuleType(f"{package}.{name[:-3]}")
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        books.errors.append(
            RuleMistake(path, 0, 0, error.strerror or "it cannot be read", "the file is left out")
        )
        return []
    try:
        code = _code(text, path)
        refused = [] if _imports_little(text, allowed) else _refused(text, path, allowed)
        books.errors += refused
        if refused or name.startswith("_"):
            return []
        module.__file__ = path
        module.__package__ = package
        sys.modules[module.__name__] = module
        try:
            exec(code, module.__dict__)
        finally:
            tidy()
    except RuleMistake as mistake:
        books.errors.append(mistake)
    except SyntaxError as error:
        books.errors.append(
            RuleMistake(
                error.filename or path,
                error.lineno or 0,
                error.offset or 0,
                error.msg or "not Python",
                "the file is left out until it is corrected",
            )
        )
    except BaseException as error:  # a file may do anything when it is run
        if isinstance(error, MemoryError):
            release(error)
            module.__dict__.clear()
        import traceback  # seldom needed, and slow to import

        line = 0
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == path:
                line = number
        books.errors.append(
            RuleMistake(
                path,
                line,
                1,
                f"{type(error).__name__}: {error}"[:1000],
                "the file is left out until it is corrected",
            )
        )
    else:
        if "metric" in module.__dict__ or "declare" in module.__dict__:  # else it can have declared none
            _declared(books, module, path)
        found = [v for v in module.__dict__.values() if isinstance(v, Rule) and v.file == path]
        return list(dict.fromkeys(found))
    return []


def _declared(books: Books, module: ModuleType, path: str) -> None:
    """Metrics that the file gave a name, or has in a list."""
    from .declare import Declared

    found: list[Declared] = []
    for value in module.__dict__.values():
        found += [
            v for v in (value if isinstance(value, list | tuple) else [value]) if isinstance(v, Declared)
        ]
    for one in dict.fromkeys(found):
        if one.file != path:
            continue
        other = books.metrics.setdefault(one.name, one)
        if other is not one:
            books.errors.append(
                RuleMistake(
                    one.file,
                    one.line,
                    one.column,
                    f"there is another metric {one.name}, in {other.file}:{other.line}",
                    "rename one of them",
                )
            )


def _code(text: bytes, path: str) -> CodeType:
    """What ships is compiled when it is installed."""
    if os.path.dirname(path) == SHIPPED:
        import _frozen_importlib_external as files  # type: ignore[import]  # importlib.machinery is slow to import

        code: CodeType = files.SourceFileLoader("", path).get_code("")
    else:
        code = compile(text, path, "exec")
    return code


def _imports_little(text: bytes, allowed: frozenset[str]) -> bool:
    """Whether every line with the word import is plainly one that is allowed; else the syntax tree is asked, which takes
    as long as to compile the file."""
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError:
        return False
    if b"\\\n" in text:
        return False
    for line in lines:
        if "import" not in line or "import" not in line.translate(_APART).split():
            continue
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        if words[0] == "from" and len(words) > 3 and words[2] == "import":
            names = [] if words[1].startswith(".") else words[1:2]
            rest = words[3:]
        elif words[0] == "import":
            names = rest = words[1:]
        else:
            return False
        if not all(name.partition(".")[0] in allowed for name in names):
            return False
        if "import" in rest or not all(word.replace(".", "_").isidentifier() or word == "(" for word in rest):
            return False
    return True


def _refused(text: bytes, path: str, allowed: frozenset[str]) -> list[RuleMistake]:
    """Imports that the configuration does not allow. This is courtesy; what holds is the worker's sandbox."""
    import ast  # seldom needed, and slow to import

    out = []
    tree = ast.parse(text, path)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in allowed:
                place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0) + 1)
                out.append(
                    RuleMistake(
                        path, *place, f"rules may not import {top}", f"allow it with rules.import: [{top}]"
                    )
                )
    return out


def _renamed(books: Books, seen: Mapping[str, Rule]) -> None:
    """Which rule what was found under an old name belongs to must be plain. One that claims too much keeps its new name
    only."""
    claims: dict[str, Rule] = {}
    for one in books.rules:
        for name in one.was:
            other = seen.get(name)
            if other is not None:
                what = "its own name" if other is one else f"a rule, in {other.file}:{other.line}"
                books.errors.append(
                    one.mistake(
                        f"{one.name} says that it was {name}, which still is {what}",
                        f"take {name!r} out of was=, or remove the other rule",
                    )
                )
            elif name in claims:
                first = claims[name]
                books.errors.append(
                    one.mistake(
                        f"{one.name} says that it was {name}, and so does {first.name}, in {first.file}:{first.line}",
                        "one of them goes on with what was found; take the name out of was= of the other",
                    )
                )
            else:
                claims[name] = one
                continue
            one.was = tuple(n for n in one.was if n != name)


def _set(books: Books, settings: Mapping[str, Mapping[str, Any]]) -> None:
    by_name = {r.name: r for r in books.rules}
    for name, values in settings.items():
        one = by_name.get(name)
        if one is None:
            now = next((r.name for r in books.rules if name in r.was), None)
            if now is not None:
                books.errors.append(
                    RuleMistake(
                        "",
                        0,
                        0,
                        f"settings are given for {name!r}, which is called {now!r} now",
                        f"write {now!r}",
                    )
                )
                continue
            import difflib

            close = difflib.get_close_matches(name, by_name, 1)
            books.errors.append(
                RuleMistake(
                    "",
                    0,
                    0,
                    f"settings are given for {name!r}, which is no rule",
                    f"did you mean {close[0]!r}?"
                    if close
                    else "leave them out, or name the book that holds the rule in rules.books",
                )
            )
            continue
        for setting, value in values.items():
            try:
                one.settings[setting] = one.set({setting: value})[setting]
            except RuleMistake as mistake:
                books.errors.append(mistake)


def _sort(books: Books) -> None:
    """Rules that others read come first. One that cannot be placed is left out, with what waits for it."""
    while True:
        try:
            books.rules = in_order(books.rules)
            return
        except RuleMistake as mistake:
            books.errors.append(mistake)
            books.rules = [r for r in books.rules if (r.file, r.line) != (mistake.file, mistake.line)]
