# SPDX-License-Identifier: Apache-2.0
"""The decorator that makes a generator function a rule, and its settings: the keyword-only parameters."""

from __future__ import annotations

from .day import is_window
from .findings import Finding, Findings
from .missing import Ask, RuleMistake
from .told import compact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final, Literal

    Audience = Literal["us", "both"]
    Setting = bool | int | float | str | tuple[Any, ...]
    Function = Callable[..., Iterable[Finding | Ask]]

PRACTICES: Final = (
    "informative",
    "consulting",
    "negotiation",
    "proof",
    "homework",
    "objectives",
    "trust",
    "strengths",
    "culture",
    "agreements",
    "pace",
    "red_flags",
    "expectations",
    "management",
    "change",
    "legal",
)
_NAMES: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list",
}
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
_IN_NAMES: Final = _LETTERS | frozenset("0123456789_")
_LONGEST: Final = 80


class Rule:
    """A function that judges one partner, and what is known about it without running it."""

    __slots__ = (
        "function",
        "name",
        "practice",
        "row",
        "audience",
        "needs",
        "after",
        "was",
        "vectorized",
        "doc",
        "file",
        "line",
        "defaults",
        "settings",
        "head",
    )

    def __init__(
        self,
        function: Function,
        practice: str,
        row: int | None,
        audience: Audience,
        needs: tuple[str, ...],
        after: tuple[str, ...],
        was: tuple[str, ...] = (),
        vectorized: bool = False,
    ) -> None:
        code = function.__code__
        self.function = function
        self.name: str = function.__name__
        self.practice, self.row, self.audience, self.needs, self.after = practice, row, audience, needs, after
        self.was = was
        self.vectorized = vectorized
        self.doc = _clean(function.__doc__ or "")
        self.file: str = code.co_filename
        self.line: int = code.co_firstlineno
        self.defaults = self._defaults()
        self.settings: dict[str, Setting] = dict(self.defaults)
        self.head = self.head_of(audience)
        if self.name[0] not in _LETTERS or not _IN_NAMES.issuperset(self.name) or len(self.name) > _LONGEST:
            raise self.mistake(f"{self.name!r} cannot name a rule", "use small letters, digits and _")
        if practice not in PRACTICES:
            raise self.mistake(f"no practice is called {practice!r}", _meant(practice, PRACTICES))
        if audience not in ("us", "both"):
            raise self.mistake(
                f"audience {audience!r} is neither 'us' nor 'both'", "say who may see what it finds"
            )
        if vectorized and (needs or after):
            raise self.mistake(
                f"{self.name} is vectorized, and judges all partners at once", "leave out needs= and after="
            )
        if vectorized and audience != "us":
            raise self.mistake(
                f"{self.name} is vectorized, and sees the figures of all partners",
                'what it finds is for audience="us"; partner.cohort() gives figures that may be shown',
            )
        if not self.doc:
            raise self.mistake(f"{self.name} has no docstring", "say in one sentence what it finds")

    def __repr__(self) -> str:
        return f"Rule({self.name!r})"

    def head_of(self, audience: Audience) -> bytes:
        """The head of its records, for whom it may speak in this case."""
        names = {"rule": self.name, "practice": self.practice, "row": self.row, "audience": audience}
        return f'{compact(names)[:-1]},"partner":'.encode()

    def __call__(self, *args: Any, **settings: Any) -> Findings:
        """The findings, as the function yields them. judge() records what is read and what fails besides."""
        return iter(self.function(*args, **settings) or ())  # type: ignore[arg-type]

    def set(self, values: Mapping[str, Any]) -> dict[str, Setting]:
        """Its settings with some of them changed. RuleMistake names what does not fit, at the rule's own
        line."""
        out = dict(self.defaults)
        for name, value in values.items():
            if name not in out:
                todo = _meant(name, out) if out else "it has no settings"
                raise self.mistake(f"the rule {self.name} has no setting {name!r}", todo)
            out[name] = self._fitting(name, value)
        return out

    def mistake(self, what: str, todo: str) -> RuleMistake:
        """A fault in this rule."""
        return RuleMistake(self.file, self.line, 1, what, todo)

    def described(self) -> dict[str, Any]:
        """As the list of rules shows it."""
        return {
            "name": self.name,
            "practice": self.practice,
            "row": self.row,
            "audience": self.audience,
            "doc": self.doc,
            "file": self.file,
            "line": self.line,
            "needs": list(self.needs),
            "after": list(self.after),
            "vectorized": self.vectorized,
            "was": list(self.was),
            "settings": [
                {
                    "name": name,
                    "type": type(default).__name__,
                    "default": default,
                    "value": self.settings[name],
                }
                for name, default in self.defaults.items()
            ],
        }

    def _defaults(self) -> dict[str, Setting]:
        """Read from the code itself: module inspect is slow to import, and every worker starts by this."""
        function: Any = self.function
        code = function.__code__
        given, most = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        if given != 1 or code.co_flags & 0x0C:  # *args, **kwargs
            which = code.co_varnames[1] if given > 1 else "*" if given else "partner"
            raise self.mistake(
                f"{self.name} takes one partner and settings by name, and {which!r} does not fit",
                f"write def {self.name}(partner, *, setting=default)",
            )
        out: dict[str, Setting] = {}
        for name in code.co_varnames[given:most]:
            if name not in (function.__kwdefaults__ or {}):
                raise self.mistake(
                    f"the setting {name!r} of {self.name} has no default", "give it one: it is its type"
                )
            default = function.__kwdefaults__[name]
            if not isinstance(default, (bool, int, float, str, tuple)):
                raise self.mistake(
                    f"the setting {name!r} of {self.name} is a {type(default).__name__}",
                    "settings are true or false, numbers, texts, or tuples of these",
                )
            out[name] = default
        return out

    def _fitting(self, name: str, value: Any) -> Setting:
        default = self.defaults[name]
        kind = type(default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if kind is tuple and isinstance(value, (list, tuple)):
            return tuple(value)
        if type(value) is not kind:
            raise self.mistake(
                f"the setting {name!r} of {self.name} is {value!r}",
                f"it must be {_NAMES[kind]}, such as {_shown(default)}",
            )
        if isinstance(default, str) and is_window(default) and not is_window(value):
            raise self.mistake(
                f"the setting {name!r} of {self.name} is {value!r}, which is no window",
                f"write it like 28d, 12w, 6m or ytd; as shipped it is {default}",
            )
        fitting: Setting = value
        return fitting


def rule(
    *,
    practice: str,
    row: int | None = None,
    audience: Audience = "us",
    needs: Iterable[str] | Mapping[str, str] = (),
    after: Iterable[str] = (),
    was: str | Iterable[str] = (),
    vectorized: bool = False,
) -> Callable[[Function], Rule]:
    """Make a function a rule.

    practice  which part of the partner process it belongs to
    row       of the table of capabilities, if it is one of them
    audience  who may see what it finds: "us", or "both" sides
    needs     metrics and registers without which it cannot judge: those wholly absent are asked for at once;
              {"orders": "agent customer"}: and columns of single facts, without which it is not run
    after     rules whose findings it reads
    was       names that it had before: what it found under them, and what people made of that, stays with it
    vectorized  it is given all partners at once, as columns, and says with partner= of whom it speaks
    """
    for name, value in (("needs", needs), ("after", after)):
        if isinstance(value, str):
            raise TypeError(f"{name}= takes several names; write {name}=({value!r},)")

    before = (was,) if isinstance(was, str) else tuple(was)

    def make(function: Function) -> Rule:
        made = Rule(function, practice, row, audience, tuple(needs), tuple(after), before, vectorized)
        if isinstance(needs, dict) and any(needs.values()):
            from .table import guarded  # few rules read single facts

            try:
                made.function = guarded(function, needs)
            except LookupError as error:
                raise made.mistake(f"{made.name} needs {needs}", str(error.args[0])) from None
        return made

    return make


def in_order(rules: list[Rule]) -> list[Rule]:
    """Rules so that each comes after those it reads. RuleMistake for names that do not exist and for
    circles."""
    by_name = {r.name: r for r in rules}
    done: dict[str, bool] = {}
    out: list[Rule] = []

    def visit(one: Rule) -> None:
        if done.get(one.name):
            return
        if one.name in done:
            raise one.mistake(
                f"the rules around {one.name} wait for each other", "take one of the names out of after="
            )
        done[one.name] = False
        for name in one.after:
            if name not in by_name:
                raise one.mistake(f"{one.name} comes after {name!r}, which is no rule", _meant(name, by_name))
            if by_name[name].vectorized:
                raise one.mistake(
                    f"{one.name} comes after {name!r}, which is vectorized and runs last",
                    "read the figures themselves",
                )
            visit(by_name[name])
        done[one.name] = True
        out.append(one)

    for one in rules:
        visit(one)
    return sorted(out, key=lambda one: one.vectorized)  # those of all partners at once are judged last


def _meant(name: str, known: Iterable[str]) -> str:
    names = list(known)
    import difflib  # seldom needed, and slow to import

    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"


def _shown(default: Setting) -> str:
    return "[" + ", ".join(str(v) for v in default) + "]" if isinstance(default, tuple) else str(default)


def _clean(doc: str) -> str:
    """A docstring without the indentation of its lines."""
    first, *rest = doc.expandtabs().splitlines() or [""]
    indent = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    return "\n".join([first.strip(), *(line[indent:].rstrip() for line in rest)]).strip()
