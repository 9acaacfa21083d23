# SPDX-License-Identifier: Apache-2.0
"""Reads a table of pyarrow, polars, DuckDB or pandas by Arrow's C stream protocol alone (__arrow_c_stream__): none of them is
imported, and any other that speaks it will do. For fixtures, which are small: values become Python's own.

The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p
from datetime import date, timedelta
from typing import Any, Final

EPOCH: Final = date(1970, 1, 1)


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(_Schema))),
    ("dictionary", POINTER(_Schema)),
    ("release", ctypes.CFUNCTYPE(None, POINTER(_Schema))),
    ("private", c_void_p),
]
_Array._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(_Array))),
    ("dictionary", POINTER(_Array)),
    ("release", ctypes.CFUNCTYPE(None, POINTER(_Array))),
    ("private", c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(c_int, POINTER(_Stream), POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(c_int, POINTER(_Stream), POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(c_char_p, POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, POINTER(_Stream))),
    ("private", c_void_p),
]

_NUMBERS: Final[dict[str, Any]] = {
    "c": ctypes.c_int8,
    "C": ctypes.c_uint8,
    "s": ctypes.c_int16,
    "S": ctypes.c_uint16,
    "i": ctypes.c_int32,
    "I": ctypes.c_uint32,
    "l": ctypes.c_int64,
    "L": ctypes.c_uint64,
    "f": ctypes.c_float,
    "g": ctypes.c_double,
    "tdD": ctypes.c_int32,
    "tdm": ctypes.c_int64,
}
_DAY: Final = {
    "tdD": 1,
    "tdm": 86_400_000,
    "tss": 86_400,
    "tsm": 86_400_000,
    "tsu": 86_400 * 10**6,
    "tsn": 86_400 * 10**9,
}


def columns(table: Any) -> dict[str, list[Any]]:
    """All of a table by column: numbers, texts, dates, and None where there is nothing. Moments become their day in UTC."""
    if not hasattr(table, "__arrow_c_stream__"):
        raise TypeError(
            f"{type(table).__name__} does not speak Arrow's C stream protocol; give a table of pyarrow, polars, DuckDB, or "
            "of pandas from 2.2 on"
        )
    capsule = table.__arrow_c_stream__(None)  # holds the stream, and lets it go in the end
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]
    stream = _Stream.from_address(pointer(capsule, b"arrow_array_stream"))
    schema = _Schema()
    _check(stream, stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)))
    try:
        if schema.format != b"+s":
            raise TypeError(f"a table is needed, and this is a single column of {_named(schema)}")
        fields = [schema.children[n].contents for n in range(schema.n_children)]
        out: dict[str, list[Any]] = {_text(field.name): [] for field in fields}
        if len(out) < len(fields):
            raise ValueError("two columns of the table have the same name")
        while True:
            batch = _Array()
            _check(stream, stream.get_next(ctypes.byref(stream), ctypes.byref(batch)))
            if not batch.release:
                return out
            try:
                for n, field in enumerate(fields):
                    values = _values(field, batch.children[n].contents)
                    out[_text(field.name)] += values[batch.offset : batch.offset + batch.length]
            finally:
                batch.release(ctypes.byref(batch))
    finally:
        schema.release(ctypes.byref(schema))


def _check(stream: _Stream, status: int) -> None:
    if status:
        why = stream.get_last_error(ctypes.byref(stream))
        raise OSError(status, f"the table cannot be read: {_text(why) if why else 'it does not say why'}")


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode()


def _named(field: _Schema) -> str:
    return f"'{_text(field.name)}' ({_text(field.format)})"


def _values(field: _Schema, array: _Array) -> list[Any]:
    """The values of one column, from its own offset on."""
    form, first, count = _text(field.format), array.offset, array.length
    if form == "n":
        return [None] * count
    if field.dictionary:
        words = _values(field.dictionary.contents, array.dictionary.contents)
        numbers = _fixed(array, _NUMBERS[form])
        found: list[Any] = [
            words[n] if there else None for n, there in zip(numbers, _there(array), strict=True)
        ]
        return found
    if form in ("u", "U"):
        found = _texts(array, ctypes.c_int32 if form == "u" else ctypes.c_int64)
    elif form == "vu":
        found = _viewed(array)
    elif form == "b":
        bits = _bytes(array, 1, (first + count + 7) // 8)
        found = [bits[n // 8] >> n % 8 & 1 for n in range(first, first + count)]
    elif form.startswith("d:") and form.count(",") == 1:
        raw = _bytes(array, 1, 16 * (first + count))
        scale = 10 ** int(form.partition(",")[2])
        whole = [
            int.from_bytes(raw[16 * n : 16 * n + 16], "little", signed=True)
            for n in range(first, first + count)
        ]
        found = [number / scale for number in whole]
    elif form[:3] in _DAY:
        length = _DAY[form[:3]]
        numbers = _fixed(array, _NUMBERS.get(form, ctypes.c_int64))
        found = [
            EPOCH + timedelta(days=n // length) if ok else None
            for n, ok in zip(numbers, _there(array), strict=True)
        ]
    elif form in _NUMBERS:
        found = _fixed(array, _NUMBERS[form])
    else:
        raise TypeError(f"the column {_named(field)} is neither number, text nor day; convert it first")
    return [value if there else None for value, there in zip(found, _there(array), strict=True)]


def _there(array: _Array) -> list[bool]:
    """Which values there are."""
    first, count = array.offset, array.length
    if not array.buffers[0]:
        return [True] * count
    bits = _bytes(array, 0, (first + count + 7) // 8)
    return [bool(bits[n // 8] >> n % 8 & 1) for n in range(first, first + count)]


def _bytes(array: _Array, number: int, length: int) -> bytes:
    at = array.buffers[number]
    return ctypes.string_at(at, length) if at and length else b""


def _fixed(array: _Array, kind: Any) -> list[Any]:
    if not array.length:
        return []
    whole = (kind * (array.offset + array.length)).from_address(array.buffers[1])
    return list(whole[array.offset :])


def _texts(array: _Array, kind: Any) -> list[str]:
    if not array.length:
        return []
    ends = (kind * (array.offset + array.length + 1)).from_address(array.buffers[1])[array.offset :]
    raw = _bytes(array, 2, ends[-1])
    return [raw[a:b].decode() for a, b in zip(ends, ends[1:], strict=False)]


def _viewed(array: _Array) -> list[str]:
    """Texts as polars keeps them: short ones in the view, long ones in one of several buffers."""
    out = []
    for n in range(array.offset, array.offset + array.length):
        view = ctypes.string_at(array.buffers[1] + 16 * n, 16)
        length, buffer, at = (int.from_bytes(view[a : a + 4], "little") for a in (0, 8, 12))
        raw = (
            view[4 : 4 + length] if length <= 12 else ctypes.string_at(array.buffers[2 + buffer] + at, length)
        )
        out.append(raw.decode())
    return out
