"""Methods with an HTTP way to call them, to operations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from openapi.source import Route, is_required, routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf import descriptor_pb2 as pb

    from openapi.failures import Failures
    from openapi.rules import Json, Operation, Rules
    from openapi.schemas import Schemas
    from openapi.source import Source

_IN_PATH: Final = re.compile(r"\{([a-z_]+)\}")
_TOO_LARGE: Final = "PAYLOAD_TOO_LARGE"
_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"
# Of a stream; the schema, and the example, is that of one line.
_PLAIN_HEADERS: Final[Json] = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
_FRESHNESS: Final[Json] = {
    "etag": {"$ref": "#/components/headers/ETag"},
    "cache-control": {"$ref": "#/components/headers/CacheControl"},
}


class Operations:
    """Describes the methods of all services."""

    def __init__(self, source: Source, rules: Rules, schemas: Schemas, failures: Failures) -> None:
        self._source = source
        self._rules = rules
        self._schemas = schemas
        self._failures = failures

    def paths(self) -> Json:
        """Gives the path items, in the order of services, methods and their routes."""
        paths: Json = {}
        for service, method in self._methods():
            for number, route in enumerate(routes(method)):
                item = paths.setdefault(route.path, {})
                item[route.verb] = self._operation(service, method, route, number)
        return paths

    def tags(self) -> list[Json]:
        """Describes the services; tells, too, what only gRPC callers can call."""
        return [
            {"name": self._tag(name), "description": self._about(name)}
            for name in self._source.services
        ]

    def _methods(self) -> Iterator[tuple[str, pb.MethodDescriptorProto]]:
        for name, service in self._source.services.items():
            yield from ((name, method) for method in service.method)

    def _tag(self, service: str) -> str:
        return service.rpartition(".")[2].removesuffix("Service")

    def _about(self, service: str) -> str:
        hidden = [m.name for name, m in self._methods() if name == service and not routes(m)]
        only = f"\n\nOver gRPC only: {', '.join(hidden)}." if hidden else ""
        return self._source.comment(service) + only

    def _operation(
        self, service: str, method: pb.MethodDescriptorProto, route: Route, number: int
    ) -> Json:
        name = f"{service}.{method.name}"
        told = self._rules.operation(name)
        summary, _, description = self._source.comment(name).partition("\n\n")
        operation: Json = {
            "operationId": (told.id or _lower(method.name)) + (str(number + 1) if number else ""),
            "tags": [self._tag(service)],
            "summary": summary.removesuffix("."),
        }
        if description:
            operation["description"] = description
        parameters = self._parameters(method, route, told)
        if parameters:
            operation["parameters"] = parameters
        if route.body:
            operation["requestBody"] = self._body(method, route, told)
        operation["responses"] = self._responses(service, method, route, told)
        operation["x-grpc-method"] = f"{service}/{method.name}"
        return operation

    def _parameters(
        self, method: pb.MethodDescriptorProto, route: Route, told: Operation
    ) -> list[Json]:
        message = method.input_type.removeprefix(".")
        in_path = _IN_PATH.findall(route.path)
        fields = self._source.messages[message].field
        found = [self._parameter(message, f, "path") for f in fields if f.name in in_path]
        found += [
            self._parameter(message, field, "query")
            for field in fields
            if field.name not in (*in_path, route.body)
            and (route.body != "*" or field.name in told.query)
        ]
        if told.conditional:
            found.append({"$ref": "#/components/parameters/IfNoneMatch"})
        return found

    def _parameter(self, message: str, field: pb.FieldDescriptorProto, place: str) -> Json:
        if field.type == field.TYPE_MESSAGE:
            complaint = f"{message}.{field.name}: messages as parameters are not described yet"
            raise ValueError(complaint)
        return {
            "name": field.name,
            "in": place,
            "required": is_required(field),
            "description": self._source.comment(f"{message}.{field.name}"),
            "schema": self._schemas.field(message, field, is_answer=False),
        }

    def _body(self, method: pb.MethodDescriptorProto, route: Route, told: Operation) -> Json:
        message = method.input_type.removeprefix(".")
        if route.body != "*":
            fields = self._source.messages[message].field
            message = next((f.type_name[1:] for f in fields if f.name == route.body), "")
            if not message:
                complaint = f"{method.name}: a body of {route.body} is not described yet"
                raise ValueError(complaint)
        content: Json = {"schema": self._schemas.request(message)}
        if told.body:
            content["example"] = json.loads(told.body)
        return {
            "required": any(is_required(f) for f in self._source.messages[message].field),
            "content": {_JSON: content},
        }

    def _responses(
        self, service: str, method: pb.MethodDescriptorProto, route: Route, told: Operation
    ) -> Json:
        message = method.output_type.removeprefix(".")
        content: Json = {"schema": self._schemas.answer(message)}
        if told.example:
            content["example"] = json.loads(told.example)
        headers = _PLAIN_HEADERS | (_FRESHNESS if told.conditional else {})
        media = _LINES if method.server_streaming else _JSON
        answers: Json = {
            "200": {
                "description": self._source.comment(message),
                "headers": headers,
                "content": {media: content},
            }
        }
        if told.conditional:
            description = "Nothing has changed since the answer with that ETag; no body."
            answers["304"] = {"description": description, "headers": headers}
        return answers | self._failures.answers(self._reasons(service, route, told))

    def _reasons(self, service: str, route: Route, told: Operation) -> Iterable[str]:
        of_service = self._rules.services.get(service, {}).get("reasons", ())
        too_large = (_TOO_LARGE,) if route.body else ()
        return (*self._rules.every, *of_service, *told.reasons, *too_large)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
