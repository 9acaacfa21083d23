# SPDX-License-Identifier: Apache-2.0
"""load, evaluate, brief as entente-rules calls them. A rule is a function of a module named in the request's order: it
takes (snapshot, partner) and returns something that JSON can hold."""
import importlib.util
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _entente

rules: list[tuple[str, Callable[[Any, int], Any]]] = []


def load(config: str) -> str:
    for book in json.loads(config)["books"]:
        for file in sorted(Path(book).glob("*.py")):
            spec = importlib.util.spec_from_file_location(file.stem, file)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[file.stem] = module
            spec.loader.exec_module(module)
            rules.extend((name, f) for name, f in vars(module).items()
                         if callable(f) and getattr(f, "__module__", "") == file.stem and not name.startswith("_"))
    return json.dumps({"rules": [{"name": name} for name, _ in rules], "errors": []})


def evaluate(snapshot: Any, request: str, emit: Callable[[str], None], start: Callable[[int, int], None]) -> None:
    wanted = json.loads(request)["only"]["rules"]
    for number, (name, function) in enumerate(rules):
        if name not in wanted:
            continue
        for partner in range(len(snapshot.partners())):
            start(number, partner)
            record: dict[str, Any] = {"rule": name, "partner": partner}
            try:
                record["said"] = function(snapshot, partner)
            except BaseException as error:
                frame = traceback.extract_tb(error.__traceback__)[-1]
                record["error"] = f"{Path(frame.filename).name}:{frame.lineno}: {type(error).__name__}: {error}"
            if text := _entente.printed():
                record["printed"] = text
            emit(json.dumps(record))


def released() -> str:
    return ""


def brief(snapshot: Any, request: str) -> bytes:
    if request == "raise":
        raise LookupError("no such partner")
    return (request * 50000).encode()
