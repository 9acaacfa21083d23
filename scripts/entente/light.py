# SPDX-License-Identifier: Apache-2.0
"""What the package would otherwise take from typing, functools, datetime and bisect. Each rules worker starts by importing
all of the package, and those four, with what they import themselves, took longer than everything else in it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from bisect import bisect_left, insort
    from collections.abc import Callable, Iterable
    from functools import lru_cache
    from typing import Any

    _getter: Callable[[int], Any]
else:
    try:
        import _datetime as datetime
        from _bisect import bisect_left
        from _bisect import insort_right as insort
        from _collections import _tuplegetter
        from _functools import _lru_cache_wrapper
    except ImportError:  # another Python: its own ways
        import datetime
        from bisect import bisect_left, insort
        from functools import lru_cache

        def _getter(n):
            return property(lambda self: self[n])
    else:

        def _getter(n):
            return _tuplegetter(n, None)

        def lru_cache(most):
            """As functools has it, of functions that are given hashable arguments."""

            def keep(function):
                kept = _lru_cache_wrapper(function, most, False, tuple)
                for name in ("__module__", "__name__", "__qualname__", "__doc__"):
                    setattr(kept, name, getattr(function, name))
                return kept

            return keep


def _new(cls: Any, *values: Any, **named: Any) -> Any:
    if named or len(values) != len(cls._fields):
        values = _completed(cls, values, named)
    return tuple.__new__(cls, values)


def _completed(cls: Any, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    fields, defaults = cls._fields, cls._field_defaults
    if len(values) > len(fields):
        raise TypeError(f"{cls.__name__}() takes {len(fields)} values, and these are {len(values)}")
    out = list(values)
    for field in fields[len(values) :]:
        if field in named:
            out.append(named.pop(field))
        elif field in defaults:
            out.append(defaults[field])
        else:
            raise TypeError(f"{cls.__name__}() is missing {field!r}")
    if named:
        raise TypeError(f"{cls.__name__}() got an unexpected {next(iter(named))!r}")
    return tuple(out)


def _make(cls: Any, values: Iterable[Any]) -> Any:
    return cls(*values)


def _replace(self: Any, /, **named: Any) -> Any:
    return type(self)(**{**self._asdict(), **named})


def _asdict(self: Any) -> dict[str, Any]:
    return dict(zip(self._fields, self, strict=True))


def _repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._asdict().items())})"


def _getnewargs(self: Any) -> tuple[Any, ...]:
    return tuple(self)


class _Fields(type):
    """Makes a tuple with named fields of a class that lists them, as typing.NamedTuple does."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        defaults = {field: body[field] for field in fields if field in body}
        for n, field in enumerate(fields):
            body[field] = _getter(n)
        body.update(
            __slots__=(),
            __match_args__=fields,
            __new__=_new,
            __repr__=_repr,
            __getnewargs__=_getnewargs,
            _fields=fields,
            _field_defaults=defaults,
            _make=classmethod(_make),
            _replace=_replace,
            _asdict=_asdict,
        )
        return type(name, (tuple,), body)


class NamedTuple(metaclass=_Fields):
    """To be derived from."""


__all__ = ["NamedTuple", "bisect_left", "datetime", "insort", "lru_cache"]
