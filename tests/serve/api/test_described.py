# SPDX-License-Identifier: Apache-2.0
"""What is answered is what /openapi.json describes, and every route below /api/v1 that reads is asked."""

import datetime
from typing import Any

from conftest import Service

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def faults(value: Any, schema: dict[str, Any], known: dict[str, Any], at: str = "") -> list[str]:
    """What the value has that the schema does not allow."""
    if "$ref" in schema:
        return faults(value, known[schema["$ref"].rsplit("/", 1)[1]], known, at)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            each = [faults(value, s, known, at) for s in schema[choice]]
            return [] if [] in each else each[0]
    types = schema.get("type", list(TYPES))
    fits = any(
        isinstance(value, TYPES[t]) and (t == "boolean" or not isinstance(value, bool))  # True is an int
        for t in ([types] if isinstance(types, str) else types)
    )
    if not fits:
        return [f"{at}: {value!r} is not {types}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "date" and isinstance(value, str):
        datetime.date.fromisoformat(value)
    if schema.get("format") == "date-time" and isinstance(value, str):
        datetime.datetime.fromisoformat(value)
    if isinstance(value, list):
        for i, x in enumerate(value):
            found += faults(x, schema.get("items", {}), known, f"{at}/{i}")
    if isinstance(value, dict):
        named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{at}: {k} is missing" for k in schema.get("required", []) if k not in value]
        for k, x in value.items():
            if k in named:
                found += faults(x, named[k], known, f"{at}/{k}")
            elif others is False:
                found.append(f"{at}: {k} is not described")
            elif isinstance(others, dict):
                found += faults(x, others, known, f"{at}/{k}")
    return found


def test_a_fault_is_found() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    assert faults({"a": 1}, schema, {}) == []
    assert len(faults({"a": True, "b": 1}, schema, {})) == 2 and len(faults({}, schema, {})) == 1


def test_answers(own: Service) -> None:
    promise = {"partner": "alder", "fields": {"text": "x", "who": "us", "due": "2026-12-01"}}
    assert own.ask("POST", "registers/commitments/entries", promise).status == 201
    one = own.get("findings")[0]["id"]
    assert own.ask("POST", f"findings/{one}/accept", {"reason": "x", "until": "2026-12-01", "worth": 1e6}).status == 200
    values = {
        "partner": "alder", "metric": "orders", "finding": one, "register": "commitments", "source": "orders",
    }  # fmt: skip
    described = own.get("/openapi.json")
    known, asked = described["components"]["schemas"], []
    for path, methods in described["paths"].items():
        replies = methods.get("get", {}).get("responses", {})
        content = replies.get("200", {}).get("content", {})
        if not path.startswith("/api/v1/") or "application/json" not in content:
            continue
        query = "?metric=orders&by=partner" if path.endswith("/series") else ""
        answer = own.ask("GET", path.format(**values) + query)
        assert answer.status == 200, (path, answer.body)
        assert faults(answer.json, content["application/json"].get("schema", {}), known) == [], path
        asked.append(path.removeprefix("/api/v1/"))
    assert {
        "partners", "partners/{partner}", "partners/{partner}/brief", "metrics", "metrics/{metric}", "series", "findings",
        "findings/{finding}", "registers", "registers/{register}", "registers/{register}/entries", "sources",
        "sources/{source}", "rejects", "balance", "rules",
    } <= set(asked)  # fmt: skip
