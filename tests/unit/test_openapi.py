"""gateway/openapi.json says what the protos, the service and the gateway say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from compiling import PUBLIC
from generate import commented
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from jsonschema import Draft202012Validator, FormatChecker
from openapi.document import describe
from openapi.source import Source
from openapi_spec_validator import validate

from wuts.contacts.v1 import contacts_service_pb2, error_reason_pb2
from wuts.devices.v1 import devices_service_pb2
from wuts.domain.errors import NotImplementedHere
from wuts.rpc.error_status import INTERNAL, TABLE
from wuts.usecases.check_contacts import MAX_NUMBERS
from wuts.usecases.keep_devices import MAX_NAME
from wuts.usecases.list_contacts import MAX_PAGE
from wuts.usecases.resolve_identifiers import MAX_INPUTS
from wuts.usecases.stream_contacts import USUAL_PAGE
from wuts.usecases.sync_app_state import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

GATEWAY = Path(__file__).resolve().parents[2] / "gateway"
RULES = Path(__file__).resolve().parents[2] / "protos" / "openapi" / "rules.toml"
DESCRIPTION: Json = json.loads((GATEWAY / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS: Json = DESCRIPTION["components"]["schemas"]
PAGES = {"/openapi.json", "/docs"}
CALLS = [
    (verb, path, operation)
    for path, item in DESCRIPTION["paths"].items()
    for verb, operation in item.items()
    if path not in PAGES
]
SERVICES = [
    module.DESCRIPTOR.services_by_name[name]
    for module, name in (
        (contacts_service_pb2, "ContactsService"),
        (devices_service_pb2, "DevicesService"),
    )
]
# What the transcoder makes of gRPC's codes.
HTTP = {
    "INVALID_ARGUMENT": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
    "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip


@pytest.fixture(scope="module")
def descriptors() -> bytes:
    """The public protos with their comments."""
    return commented(*PUBLIC)


def fits(schema: Json, value: object) -> bool:
    """Tells whether a value fits a schema of the description."""
    validator = Draft202012Validator(
        {**DESCRIPTION, **schema}, format_checker=FormatChecker(["date-time", "uuid"])
    )
    fit: bool = validator.is_valid(value)
    return fit


def bodies() -> Iterator[tuple[str, Json, object]]:
    """Gives every example of the description, with its schema and a name."""
    for verb, path, operation in CALLS:
        parts = {**operation["responses"], "body": operation.get("requestBody", {})}
        for name, part in parts.items():
            yield from _examples(f"{verb} {path} {name}", _resolved(part))


def _resolved(part: Json) -> Json:
    if "$ref" not in part:
        return part
    found: Json = DESCRIPTION
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def _examples(name: str, part: Json) -> Iterator[tuple[str, Json, object]]:
    for media in part.get("content", {}).values():
        if "example" in media:
            yield name, media["schema"], media["example"]
        for each in media.get("examples", {}).values():
            yield name, media["schema"], each["value"]


class TestDocument:
    """The document as a whole."""

    def test_is_openapi(self) -> None:
        """It fits the specification, of version 3.1, without words of older ones."""
        validate(DESCRIPTION)
        text = json.dumps(DESCRIPTION)
        assert ("3.1", 0) == (DESCRIPTION["openapi"][:3], text.count('"nullable"'))

    def test_has_every_route(self) -> None:
        """Each google.api.http annotation is an operation, and nothing else is but two pages."""
        routes = set()
        for service in SERVICES:
            for method in service.methods:
                rule = method.GetOptions().Extensions[annotations_pb2.http]
                if rule.WhichOneof("pattern"):
                    verb = str(rule.WhichOneof("pattern"))
                    routes.add((verb, getattr(rule, verb)))
        assert routes == {(verb, path) for verb, path, _ in CALLS}

    def test_needs_a_token(self) -> None:
        """Every call needs the bearer token; the description and its page need none."""
        assert [{"token": []}] == DESCRIPTION["security"]
        open_to_all = {
            path
            for path, item in DESCRIPTION["paths"].items()
            if any(operation.get("security") == [] for operation in item.values())
        }
        assert PAGES == open_to_all

    @pytest.mark.parametrize(("verb", "path", "operation"), CALLS)
    def test_shows_an_example(self, verb: str, path: str, operation: Json) -> None:
        """Each call has a success, and where it has one a body, to look at."""
        shown = {name for name, *_ in bodies()}
        expected = {f"{verb} {path} 200"}
        expected |= {f"{verb} {path} body"} if "requestBody" in operation else set()
        assert expected <= shown

    def test_examples_fit(self) -> None:
        """Every example fits the schema that it stands beside."""
        assert [] == [name for name, schema, value in bodies() if not fits(schema, value)]


class TestStreams:
    """Calls that answer with more than one message."""

    def test_are_lines(self) -> None:
        """Exactly the streams answer with newline-delimited JSON; its schema is a line's."""
        streams = {
            f"{service.full_name}/{method.name}"
            for service in SERVICES
            for method in service.methods
            if method.server_streaming
        }
        answers = {call["x-grpc-method"]: call["responses"]["200"]["content"] for *_, call in CALLS}
        lines = {name for name, told in answers.items() if [*told] == ["application/x-ndjson"]}
        assert lines == streams & answers.keys()
        (media,) = answers["wuts.contacts.v1.ContactsService/StreamContacts"].values()
        assert {"$ref": "#/components/schemas/StreamContactsResponse"} == media["schema"]

    def test_failures_are_json(self) -> None:
        """What fails before the first line is the envelope, as everywhere."""
        told = DESCRIPTION["paths"]["/contacts/stream"]["get"]["responses"]
        failures = [_resolved(answer) for status, answer in told.items() if status != "200"]
        assert {"application/json"} == {media for answer in failures for media in answer["content"]}


class TestReasons:
    """Why calls fail."""

    def test_are_those_of_the_protos(self) -> None:
        """error_code is one of the names of ErrorReason."""
        names = error_reason_pb2.ErrorReason.keys()
        words = [name.removeprefix("ERROR_REASON_") for name in names]
        assert words[1:] == SCHEMAS["ErrorCode"]["enum"]

    @pytest.mark.parametrize(
        ("code", "reason", "text"),
        sorted({(r.code.name, r.reason, r.message) for r in (*TABLE.values(), INTERNAL)}),
    )
    def test_are_those_of_the_service(self, code: str, reason: str, text: str) -> None:
        """Status and text of each reason are what a caller gets."""
        found = [
            media["examples"][reason]["value"]["error"]
            for name, answer in DESCRIPTION["components"]["responses"].items()
            for media in answer["content"].values()
            if name.startswith(f"{HTTP[code]}-") and reason in media["examples"]
        ]
        # Nothing that is called over HTTP fails for it.
        is_unused = text == TABLE[NotImplementedHere].message
        assert {text} == set(found) or is_unused

    @pytest.mark.parametrize(("verb", "path", "operation"), CALLS)
    def test_any_call_may_fail(self, verb: str, path: str, operation: Json) -> None:
        """What may happen to every call is told of each; where a body goes, 413 too."""
        expected = {"400", "401", "408", "429", "431", "500", "503", "504"}
        expected |= {"413"} if verb == "post" else set()
        assert expected <= operation["responses"].keys(), path


class TestLimits:
    """Limits are those that the service keeps."""

    @pytest.mark.parametrize(
        ("schema", "limits"),
        [
            (SCHEMAS["ResolveIdentifiersRequest"]["properties"]["jids"], (1, MAX_INPUTS)),
            (SCHEMAS["CheckContactsRequest"]["properties"]["numbers"], (1, MAX_NUMBERS)),
            (SCHEMAS["CreateDeviceRequest"]["properties"]["name"], (1, MAX_NAME)),
            *(
                (
                    next(
                        parameter["schema"]
                        for parameter in DESCRIPTION["paths"][path]["get"]["parameters"]
                        if parameter.get("name") == "page_size"
                    ),
                    (1, MAX_PAGE),
                )
                for path in ("/contacts", "/contacts/stream")
            ),
        ],
        ids=["jids", "numbers", "name", "page_size", "page_size of a message"],
    )
    def test_match(self, schema: Json, limits: tuple[int, int]) -> None:
        """The least and the most are as the use case has them."""
        words = [("minItems", "maxItems"), ("minLength", "maxLength"), ("minimum", "maximum")]
        told = [tuple(schema[word] for word in pair) for pair in words if pair[0] in schema]
        assert [limits] == told

    def test_usual_size_of_a_message(self) -> None:
        """What an absent page_size of a stream means is what the use case makes of it."""
        told = DESCRIPTION["paths"]["/contacts/stream"]["get"]["parameters"]
        schema = next(each["schema"] for each in told if each["name"] == "page_size")
        assert USUAL_PAGE == schema["default"]

    def test_url_may_be_null(self) -> None:
        """The url of an unchanged picture is null; it is never left out."""
        picture = SCHEMAS["ProfilePicture"]
        assert ["string", "null"] == picture["properties"]["url"]["type"]
        assert "url" in picture["required"]


class TestWords:
    """Closed lists of words stand in the protos' comments, too."""

    def test_are_in_the_comments(self) -> None:
        """Each word that is described stands in quotation marks in the comment on its field."""
        strange = [
            (name, field, word)
            for name, schema in SCHEMAS.items()
            for field, told in schema.get("properties", {}).items()
            for word in told.get("enum", ())
            if f'"{word}"' not in told["description"] and name != "DeviceStatus"
        ]
        assert [] == strange

    def test_are_not_forgotten(self) -> None:
        """Every field whose comment gives a closed list has it in its schema."""
        forgotten = [
            (name, field)
            for name, schema in SCHEMAS.items()
            for field, told in schema.get("properties", {}).items()
            if re.search(r'[Oo]ne of:? "', told.get("description", "")) and "enum" not in told
        ]
        assert [] == forgotten

    def test_of_a_device_are_its_states(self) -> None:
        """The status over HTTP is one of DeviceState's words, in lower case."""
        source = Source(commented(*PUBLIC))
        words = re.findall(r'"([A-Z_]+)"', source.comment("wuts.devices.v1.DeviceState.state"))
        told = SCHEMAS["DeviceStatus"]["properties"]["status"]["enum"]
        assert sorted(word.lower() for word in words) == sorted(told)

    def test_of_scopes_are_those_of_the_service(self) -> None:
        """What may be synchronised is what the use case knows."""
        items = SCHEMAS["SyncAppStateRequest"]["properties"]["scopes"]["items"]
        assert [*Scope] == items["enum"]


class TestPartsOfRequests:
    """Requests of which only one field is the body."""

    @pytest.mark.parametrize("path", ["/contacts/block", "/contacts/unblock"])
    def test_body_and_query(self, path: str) -> None:
        """The field is the body, which may be left out; the others are in the query."""
        told = DESCRIPTION["paths"][path]["post"]
        body = told["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        assert (False, {"$ref": "#/components/schemas/BlockTarget"}) == (body["required"], schema)
        assert [("jid", "query"), ("number", "query")] == [
            (each["name"], each["in"]) for each in told["parameters"]
        ]


class TestGenerating:
    """The description follows the protos by itself."""

    def test_a_new_route(self, descriptors: bytes) -> None:
        """A method that no rule tells of is described from its descriptor alone."""
        changed = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        service = next(
            file for file in changed.file if file.name.endswith("contacts_service.proto")
        )
        method = service.service[0].method.add(name="CountContacts")
        method.input_type = ".wuts.contacts.v1.ListContactsRequest"
        method.output_type = ".wuts.contacts.v1.GetBudgetResponse"
        method.options.Extensions[annotations_pb2.http].get = "/contacts/count"
        made = describe(changed.SerializeToString(), "1")["paths"]["/contacts/count"]["get"]
        assert "countContacts" == made["operationId"]
        assert ["view", "page_size", "page_token"] == [p["name"] for p in made["parameters"]]

    def test_a_stray_rule(self, descriptors: bytes, tmp_path: Path) -> None:
        """A rule for what is in no proto is refused by its name."""
        rules = tmp_path / "rules.toml"
        stray = '\n[messages."wuts.contacts.v1.Contact2"]\njid = { minLength = 1 }\n'
        rules.write_text(RULES.read_text(encoding="utf-8") + stray, encoding="utf-8")
        with pytest.raises(ValueError, match=r"wuts\.contacts\.v1\.Contact2"):
            describe(descriptors, "1", rules)

    def test_a_reason_without_status(self, descriptors: bytes, tmp_path: Path) -> None:
        """A reason that the rules do not know is refused by its name."""
        rules = tmp_path / "rules.toml"
        text = RULES.read_text(encoding="utf-8").replace("QR_TIMEOUT = {", "QR_TIMEOUTS = {")
        rules.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="QR_TIMEOUT"):
            describe(descriptors, "1", rules)

    def test_a_kind_of_route_that_is_not_known(self, descriptors: bytes) -> None:
        """A route that would be described wrongly is refused instead."""
        changed = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        service = next(
            file for file in changed.file if file.name.endswith("contacts_service.proto")
        )
        method = next(m for m in service.service[0].method if m.name == "ResolveIdentifiers")
        method.options.Extensions[annotations_pb2.http].body = "jids"
        with pytest.raises(ValueError, match="jids"):
            describe(changed.SerializeToString(), "1")

    def test_a_stream_of_requests(self, descriptors: bytes) -> None:
        """So is a route whose caller would have to stream."""
        changed = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        service = next(
            file for file in changed.file if file.name.endswith("contacts_service.proto")
        )
        method = next(m for m in service.service[0].method if m.name == "StreamContacts")
        method.client_streaming = True
        with pytest.raises(ValueError, match="StreamContacts"):
            describe(changed.SerializeToString(), "1")
