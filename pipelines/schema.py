"""The JSON Schema of a definition, generated from the declared parameters."""

from __future__ import annotations

from typing import Any

from pipelines.model import Definition
from spark_jobs import registry

_NAMES = {"type": "string"}
_FROM = {
    "description": "A step, step.part, a list of them, or a mapping from train, valid, test to them.",
    "anyOf": [
        _NAMES,
        {"type": "array", "items": _NAMES, "minItems": 1},
        {
            "type": "object",
            "propertyNames": {"enum": ["train", "valid", "test"]},
            "additionalProperties": {"anyOf": [_NAMES, {"type": "array", "items": _NAMES}]},
        },
    ],
}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12): every key of a definition, and for each step those of its operation."""
    whole = Definition.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions = whole.setdefault("$defs", {})
    steps = []
    for name in registry.NAMES:
        steps.append({"$ref": f"#/$defs/{name}"})
        definitions[name] = _step(name, definitions)
    values = whole["properties"]["steps"]
    values["additionalProperties"] = {"oneOf": steps}
    values.pop("patternProperties", None)
    lists = {"type": "array", "items": _NAMES}
    entity = whole["properties"]["entities"]
    for place in (entity.get("patternProperties", {}), entity):
        for key, value in place.items():
            if isinstance(value, dict) and "$ref" in value:
                place[key] = {"anyOf": [value, lists]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "textmill definition", **whole}


def _step(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    operation = registry.operation(name)
    described = operation.Params.model_json_schema(by_alias=True, ref_template=f"#/$defs/{name}.{{model}}")
    for inner, value in described.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = value
    described["properties"] = {"do": {"const": name}, "from": _FROM, **described.get("properties", {})}
    described["required"] = ["do", "from", *described.get("required", [])]
    return {**described, "title": name, "description": operation.__doc__ or ""}
