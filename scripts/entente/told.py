# SPDX-License-Identifier: Apache-2.0
"""JSON by the functions that the package json is made of. Its regular expressions, which these do not need, take
longer to import than all of the rules worker, and its own functions longer to call than short texts to read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final


class _Wanted:
    """What a scanner is to do, as JSONDecoder says it."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int

    @staticmethod
    def parse_constant(name: str) -> float:
        return float(name.replace("Infinity", "inf"))


def _unknown(value: object) -> object:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _by_package() -> tuple[Any, Any, Any, Any]:
    import json

    def encoder(*separators: str) -> Callable[[Any], str]:
        return json.JSONEncoder(ensure_ascii=False, separators=(separators[0], separators[1])).encode

    return json.loads, encoder(",", ":"), encoder(", ", ": "), encoder(",", ":")


def _by_parts() -> tuple[Any, Any, Any, Any]:
    import _json

    parts_of: Any = _json  # the types that are known of it are not all that it has
    make_encoder, encode_basestring = parts_of.make_encoder, parts_of.encode_basestring
    scan = parts_of.make_scanner(_Wanted)

    def read(text: str) -> Any:
        try:
            value, end = scan(text, 0)
        except StopIteration:
            end = -1
        if end == len(text):
            return value
        import json  # space around it, or a mistake, which is told as json tells it

        return json.loads(text)

    def encoder(*separators: str) -> Callable[[Any], str]:
        parts = make_encoder(
            None, _unknown, encode_basestring, None, separators[1], separators[0], False, False, True
        )
        return lambda value: "".join(parts(value, 0))

    return read, encoder(",", ":"), encoder(", ", ": "), encode_basestring


try:
    _made = _by_parts()
    _made[1]([{"a": 1.5}, "b"])
except (ImportError, AttributeError, TypeError):  # another Python may have other parts
    _made = _by_package()

loads: Final[Callable[[str], Any]] = _made[0]
compact: Final[Callable[[Any], str]] = _made[1]  # without spaces
dumps: Final[Callable[[Any], str]] = _made[2]
quoted: Final[Callable[[str], str]] = _made[3]  # a text
