"""The OpenAPI description of the HTTP API, made of its table of endpoints and of the types that it answers with.

`python -m mmd.ops.openapi docs/openapi.json` writes it.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from mmd.ops.api import ENDPOINTS, Answer, Endpoint
from mmd.shell.control_socket import ACTIONS

_REFERENCE = "#/components/schemas/{name}"


def document(of_version: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    answers = [answer for endpoint in ENDPOINTS for answer in endpoint.answers.values()]
    types = [kind for answer in answers for kind in _json_types(answer)]
    found, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schemas = iter(found)
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        responses = {
            str(status): _response(answer, [next(schemas) for _ in _json_types(answer)])
            for status, answer in endpoint.answers.items()
        }
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, responses
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mmd",
            "version": of_version,
            "description": "Health, metrics, state and control of a running daemon. No GET changes anything.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "http.token"}
            },
        },
    }


def _json_types(answer: Answer) -> list[object]:
    kinds = (answer.content, answer.or_content)
    return [kind for kind in kinds if kind is not None and not isinstance(kind, str)]


def _operation(endpoint: Endpoint, responses: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": endpoint.text, "responses": responses}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "required": True, "schema": {"type": "string"}}
        for name in endpoint.query
    ]
    if "{action}" in endpoint.path:
        kind = {"type": "string", "enum": list(ACTIONS)}
        parameters.append({"name": "action", "in": "path", "required": True, "schema": kind})
    if parameters:
        operation["parameters"] = parameters
    if endpoint.is_secured:
        operation["security"] = [{"token": []}]
    return operation


def _response(answer: Answer, schemas: list[dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.text}
    if schemas:
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        described["content"] = {"application/json": {"schema": schema}}
    elif isinstance(answer.content, str):
        described["content"] = {answer.content: {"schema": {"type": "string"}}}
    return described


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(document(version("mmd")), indent=1) + "\n")
