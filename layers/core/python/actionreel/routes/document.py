"""The OpenAPI document: made of the routes, and mended where their library cannot say it.

The library declares a 422 and a 500 of its own for every route, with bodies that we do not send;
it knows nothing of what API Gateway answers by itself; and it takes a parameter that may be absent
for one that may be null. The rest is as the routes declare it, so a new route is covered by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from actionreel import __version__

Json = dict[str, Any]

DESCRIPTION = """\
Turns the action tags that a language model writes into videos. Post the model's message to
`/actions`: it answers with a result for each tag, and a video that is being made is asked for again
until its result is final.

Send an API key as `Authorization: Bearer ar_...`, or, where the deployment takes those, a token of
its OpenID Connect provider. An error is `{"error": "a sentence for the reader", "code": "a word for
the program"}`, with `"retryable": true` if the same request may work later, and `retryAfterSeconds`
if it is known when; what API Gateway answers before it asks us (no key, a wrong key, too many
requests) is `{"message": "..."}`. An address that is there, but not for this method, gives a 405
whose `Allow` header says for which."""

OPENAI = "/v1/"  # its errors are those of OpenAI

# Who comes here needs no key.
OPEN = {
    "/instructions",
    "/openapi.json",
    "/videos/{video_id}/content",
    "/videos/{video_id}/poster",
}

# The first that fits the beginning of a path; the order is that of the page.
TAGS = {
    "/actions": ("Messages", "What a model wrote, and what came of it"),
    "/instructions": ("Messages", ""),
    "/videos": ("Videos", "The records and the files"),
    "/usage": ("Account", "What was used, and how much may be"),
    "/v1/": ("OpenAI", "For software that was built on OpenAI's Videos API"),
    "/tools": ("Agents", "For agents that call functions"),
    "/": ("About", "This document"),
}

SCHEMES = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, `ar_` and 43 characters: `make key TENANT=...` makes one."
        " Or, where the deployment takes those, a token of its OpenID Connect provider.",
    }
}

_MESSAGE = {
    "title": "GatewayMessage",
    "description": "What API Gateway answers by itself.",
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
_OURS = {"$ref": "#/components/schemas/ErrorBody"}
_OPENAIS = {"$ref": "#/components/schemas/OpenAIError"}
_GATEWAYS = {"$ref": "#/components/schemas/GatewayMessage"}


def _answer(description: str, *schemas: Json, example: str = "") -> Json:
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    content: Json = {"schema": schema}
    if example:
        content["example"] = {"message": example}
    return {"description": description, "content": {"application/json": content}}


# What any route can answer, described once.
_SHARED = {
    "Unauthorized": _answer("There is no API key", _GATEWAYS, example="Unauthorized"),
    "Forbidden": _answer("The API key is wrong, or revoked", _GATEWAYS, example="Forbidden"),
    "TooManyRequests": _answer("Too many requests", _GATEWAYS, example="Too Many Requests"),
    "Trouble": _answer("Something went wrong on our side", _OURS, _GATEWAYS),
    "OpenAITrouble": _answer("Something went wrong on our side", _OPENAIS, _GATEWAYS),
    "Unavailable": _answer("It did not answer in time", _GATEWAYS, example="Service Unavailable"),
}


def document(app: APIGatewayHttpResolver) -> Json:
    """The document of an API, but for `servers`, which are the caller's own."""
    made: Json = json.loads(
        app.get_openapi_json_schema(
            title="Actionreel", version=__version__, description=DESCRIPTION
        )
    )
    made["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    made["security"] = [{"apiKey": []}]
    made["tags"] = [{"name": n, "description": d} for n, d in TAGS.values() if d]
    taken: set[str] = set()
    for path, method, operation in operations(made):
        operation["operationId"] = _name(operation["operationId"], path, method, taken)
        operation.setdefault("tags", [_tag(path)])
        for parameter in operation.get("parameters", []):
            _mend_parameter(parameter)
        if path in OPEN:
            operation["security"] = []
        operation["responses"] = _responses(path, operation)
    schemas = made["components"]["schemas"]
    for wrong in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(wrong, None)
    schemas["GatewayMessage"] = _MESSAGE
    made["components"] |= {"responses": _SHARED, "securitySchemes": SCHEMES}
    return made


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Every operation of a document, with its path and its method (in small letters)."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _name(given: str, path: str, method: str, taken: set[str]) -> str:
    """`get_video_videos__video_id__get` is getVideo; a name that is given by hand stays. Of a
    function with two methods the second one's is its method's, as headContent."""
    made_up = re.sub(r"\W", "_", path) + f"_{method}"
    if not given.endswith(made_up):
        name = given
    else:
        first, *others = given.removesuffix(made_up).split("_")
        if path.startswith(OPENAI):  # some of its functions are called as ours are
            first, others = "openai", [first, *others]
        rest = "".join(word.capitalize() for word in others)
        name = method + rest if first + rest in taken else first + rest
    taken.add(name)
    return name


def _tag(path: str) -> str:
    return next(name for start, (name, _) in TAGS.items() if path.startswith(start))


def _mend_parameter(parameter: Json) -> None:
    """A parameter that may be left out is none that may be null: there is no null in an address."""
    schema = parameter["schema"]
    for repeated in ("title", "description"):
        schema.pop(repeated, None)
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]


def _responses(path: str, operation: Json) -> Json:
    """What the route declares, without what the library makes up, with what API Gateway says."""
    responses = dict(operation["responses"])
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    if "HTTPValidationError" in json.dumps(responses.get("422")):
        del responses["422"]  # a string in a path is always accepted
        accepts = "requestBody" in operation or places - {"path"}
        if accepts and not path.startswith(OPENAI):  # that door knows no 422
            responses["422"] = _answer("The request can be read, but not accepted", _OURS)
    for status, answer in responses.items():
        if status[0] == "3" or status == "204":
            answer.pop("content", None)
    responses["500"] = _shared("OpenAITrouble" if path.startswith(OPENAI) else "Trouble")
    _add(responses, "429", "TooManyRequests")
    _add(responses, "503", "Unavailable")
    if path not in OPEN:
        _add(responses, "401", "Unauthorized")
        _add(responses, "403", "Forbidden")
    return dict(sorted(responses.items()))


def _shared(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


def _add(responses: Json, status: str, name: str) -> None:
    """What API Gateway says with a status, beside what the route does."""
    if status not in responses:
        responses[status] = _shared(name)
        return
    content = responses[status]["content"]["application/json"]
    content["schema"] = {"anyOf": [content["schema"], _GATEWAYS]}
    responses[status]["description"] += f"; or: {_SHARED[name]['description'].lower()}"
