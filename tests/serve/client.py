# SPDX-License-Identifier: Apache-2.0
"""A client made from an OpenAPI document: it calls every operation and checks each answer against the document.

The validator knows what our documents use of JSON Schema 2020-12, and refuses a document that uses more."""

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

Json = Any
KNOWN = {
    "$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "format", "minimum",
    "maximum", "default", "description", "example",
}  # fmt: skip
TYPES: Mapping[str, Callable[[Json], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}


@dataclass(frozen=True)
class Reply:
    """An answer, from whatever HTTP library."""

    status: int
    media: str
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes | None], Reply]


@dataclass
class Operation:
    """One operation of the document."""

    method: str
    path: str
    said: Mapping[str, Json]

    @property
    def name(self) -> str:
        """Its operationId."""
        return str(self.said["operationId"])

    @property
    def good(self) -> Iterator[tuple[int, Mapping[str, Json]]]:
        """Answers below 300, by status."""
        for status, said in self.said["responses"].items():
            if int(status) < 300:
                yield int(status), said.get("content", {})


@dataclass
class Client:
    """Calls what a document describes."""

    document: Mapping[str, Json]
    send: Send
    called: set[str] = field(default_factory=set)

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(method.upper(), path, said) for path, methods in self.document["paths"].items() for method, said in methods.items()
        ]

    # ---- schemas ----------------------------------------------------------------------------------------------------

    def resolve(self, schema: Mapping[str, Json]) -> Mapping[str, Json]:
        """Behind its reference."""
        unknown = set(schema) - KNOWN
        assert not unknown, f"the validator does not know {unknown}"
        if "$ref" not in schema:
            return schema
        at: Json = self.document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        return self.resolve(at)

    def check(self, value: Json, schema: Mapping[str, Json], at: str = "") -> list[str]:
        """What of a value is not as its schema says."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            every = [self.check(value, other, at) for other in schema["anyOf"]]
            return [] if [] in every else [f"{at}: none of anyOf fits: {every}"]
        wrong: list[str] = []
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(TYPES[name](value) for name in types):
            return [f"{at}: {value!r:.60} is no {types}"]
        if "enum" in schema and value not in schema["enum"]:
            wrong.append(f"{at}: {value!r} is none of {schema['enum']}")
        if isinstance(value, str) and "format" in schema:
            try:
                {"date": datetime.date.fromisoformat, "date-time": datetime.datetime.fromisoformat}[schema["format"]](value)
            except ValueError:
                wrong.append(f"{at}: {value!r} is no {schema['format']}")
        if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            wrong.append(f"{at}: {value} is out of range")
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                wrong += self.check(item, schema["items"], f"{at}/{i}")
        if isinstance(value, dict):
            wrong += [f"{at}/{key}: missing" for key in schema.get("required", []) if key not in value]
            more = schema.get("additionalProperties", True)
            for key, item in value.items():
                if key in schema.get("properties", {}):
                    wrong += self.check(item, schema["properties"][key], f"{at}/{key}")
                elif more is False:
                    wrong.append(f"{at}/{key}: not named")
                elif isinstance(more, dict):
                    wrong += self.check(item, more, f"{at}/{key}")
        return wrong

    def make(self, schema: Mapping[str, Json], all_of_it: bool) -> Json:
        """A value that fits a schema, with or without what is optional."""
        schema = self.resolve(schema)
        if "example" in schema:
            return schema["example"]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object")
        kind = kind if isinstance(kind, str) else kind[0]
        if kind == "object":
            needed = schema.get("properties", {}) if all_of_it else schema.get("required", [])
            return {key: self.make(schema["properties"][key], all_of_it) for key in needed}
        if kind == "array":
            return [self.make(schema["items"], all_of_it)]
        if kind == "string":
            return {"date": "2025-01-31", "date-time": "2025-01-31T12:00:00Z"}.get(schema.get("format", ""), "a")
        return {"integer": schema.get("minimum", 1), "number": 1.5, "boolean": True}[kind]

    # ---- calls --------------------------------------------------------------------------------------------------------

    def target(self, operation: Operation, all_of_it: bool, values: Mapping[str, str]) -> str:
        """Path and query of a call."""
        path = operation.path
        query: list[tuple[str, str]] = []
        for parameter in operation.said.get("parameters", []):
            name, schema = parameter["name"], parameter["schema"]
            value = values.get(name, parameter.get("example"))
            if value is None:
                value = self.make(schema["items"] if schema["type"] == "array" else schema, True)
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", quote(text, safe=""))
            elif parameter["required"] or (all_of_it and name in values) or (all_of_it and "default" in schema):
                query.append((name, text))
        return path + ("?" + urlencode(query) if query else "")

    def examine(self, operation: Operation, reply: Reply) -> list[str]:
        """What of an answer is not as the document says: status, media type, JSON."""
        at = f"{operation.method} {operation.path}: {reply.status}"
        said = operation.said["responses"].get(str(reply.status))
        if said is None:
            return [f"{at} is not documented: {reply.body[:200]!r}"]
        content = said.get("content")
        if not content:
            return [] if not reply.body else [f"{at} has a body"]
        if operation.method == "HEAD":
            return []
        if reply.media not in content and "*/*" not in content:
            return [f"{at} is {reply.media}, which is not documented"]
        if reply.media.endswith("json"):
            return [f"{at} {wrong}" for wrong in self.check(json.loads(reply.body), content[reply.media].get("schema", {}))]
        return []

    def call(
        self,
        operation: Operation,
        all_of_it: bool = False,
        values: Mapping[str, str] | None = None,
        accept: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Reply, list[str]]:
        """Calls it with what it needs, or with all that it takes; gives the answer and what is wrong with it."""
        sent = dict(headers or {})
        wanted = operation.said.get("requestBody")
        if wanted and body is None:
            media, content = next(iter(wanted["content"].items()))
            sent.setdefault("Content-Type", "text/plain" if media == "*/*" else media)
            made = self.make(content["schema"], all_of_it)
            body = json.dumps(made).encode() if media == "application/json" else b"a,b\n1,2\n"
        if accept:
            sent["Accept"] = accept
        self.called.add(operation.name)
        reply = self.send(operation.method, self.target(operation, all_of_it, values or {}), sent, body)
        return reply, self.examine(operation, reply)


def faults(document: Mapping[str, Json]) -> list[str]:
    """What every OpenAPI 3.1 document has to have, of what can go wrong in ours."""
    wrong: list[str] = []
    if not re.fullmatch(r"3\.1\.\d+", document.get("openapi", "")):
        wrong.append("openapi is no 3.1")
    wrong += [f"info.{key} is missing" for key in ("title", "version") if key not in document.get("info", {})]
    names: list[str] = []
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            at = f"{method} {path}"
            names.append(said["operationId"])
            in_path = {p["name"] for p in said.get("parameters", []) if p["in"] == "path"}
            if in_path != set(re.findall(r"{([^}]+)}", path)):
                wrong.append(f"{at}: the parameters of the path are {in_path}")
            wrong += [f"{at}: {p['name']} has no schema or is not required" for p in said.get("parameters", []) if "schema" not in p or (p["in"] == "path" and not p["required"])]
            wrong += [f"{at}: {status} has no description" for status, reply in said["responses"].items() if not reply.get("description")]
            if not any(int(status) < 400 for status in said["responses"]):
                wrong.append(f"{at} never succeeds")
            wrong += [f"{at}: {key} is missing" for key in ("summary", "tags", "description") if not said.get(key)]
    wrong += [f"operationId {name} is there twice" for name in names if names.count(name) > 1]
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text)):
        if reference not in document["components"]["schemas"]:
            wrong.append(f"there is no schema {reference}")
    for scheme in {name for methods in document["paths"].values() for said in methods.values() for one in said["security"] for name in one}:
        if scheme not in document["components"]["securitySchemes"]:
            wrong.append(f"there is no security scheme {scheme}")
    return wrong
