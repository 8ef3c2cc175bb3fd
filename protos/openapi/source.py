"""The protos as they were written: messages, services, and the comments on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from google.api import annotations_pb2, field_behavior_pb2, http_pb2
from google.protobuf import descriptor_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6  # numbers of FileDescriptorProto's fields
_FIELDS, _NESTED, _METHODS, _VALUES = 2, 3, 2, 2  # and of what stands in them


class Route(NamedTuple):
    """One HTTP way to call a method; `body` is "*", the name of a field, or empty."""

    verb: str
    path: str
    body: str


class Source:
    """A descriptor set with source information.

    Everything is found by its full name, for example
    `wuts.contacts.v1.Contact.jid`. `services` are those of the files named
    `wuts/…`, in the order of their names.
    """

    def __init__(self, descriptors: bytes) -> None:
        self.messages: dict[str, pb.DescriptorProto] = {}
        self.enums: dict[str, pb.EnumDescriptorProto] = {}
        self.services: dict[str, pb.ServiceDescriptorProto] = {}
        self._comments: dict[str, str] = {}
        for file in pb.FileDescriptorSet.FromString(descriptors).file:
            self._read(file)

    def lines(self, name: str) -> list[str]:
        """Gives the comment on something, line by line; empty without one."""
        return self._comments.get(name, "").splitlines()

    def comment(self, name: str) -> str:
        """Gives the comment on something, its lines joined to paragraphs."""
        return prose(self.lines(name))

    def _read(self, file: pb.FileDescriptorProto) -> None:
        names = dict(_named(file))
        for place in file.source_code_info.location:
            name = names.get(tuple(place.path))
            if name and place.leading_comments:
                self._comments[name] = place.leading_comments
        for message in file.message_type:
            self._add(f"{file.package}.{message.name}", message)
        self.enums |= {f"{file.package}.{enum.name}": enum for enum in file.enum_type}
        if file.name.startswith("wuts/"):
            self.services |= {f"{file.package}.{each.name}": each for each in file.service}

    def _add(self, name: str, message: pb.DescriptorProto) -> None:
        self.messages[name] = message
        for nested in message.nested_type:
            self._add(f"{name}.{nested.name}", nested)


def prose(lines: Iterable[str]) -> str:
    """Joins the lines of a comment to paragraphs."""
    paragraphs = "\n".join(line.strip() for line in lines).strip().split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def routes(method: pb.MethodDescriptorProto) -> list[Route]:
    """Lists the HTTP ways to call a method; none for one that only gRPC knows."""
    if not method.options.HasExtension(annotations_pb2.http):
        return []
    if method.client_streaming:
        message = f"{method.name}: streams of requests are not described yet"
        raise ValueError(message)
    rule = method.options.Extensions[annotations_pb2.http]
    return [_route(each) for each in (rule, *rule.additional_bindings)]


def _route(rule: http_pb2.HttpRule) -> Route:
    verb = str(rule.WhichOneof("pattern"))
    if verb == "custom" or rule.response_body or "." in rule.body:
        message = f"{verb} {rule.body}: this kind of google.api.http is not described yet"
        raise ValueError(message)
    return Route(verb, getattr(rule, verb), rule.body)


def is_required(field: pb.FieldDescriptorProto) -> bool:
    """Tells whether a request must hold the field."""
    behavior = field.options.Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behavior


def _named(file: pb.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Names everything that may have a comment, by its place in the file."""
    yield from _in_messages(file.message_type, (_MESSAGES,), file.package)
    for number, enum in enumerate(file.enum_type):
        place, name = (_ENUMS, number), f"{file.package}.{enum.name}"
        yield place, name
        for each, value in enumerate(enum.value):
            yield (*place, _VALUES, each), f"{name}.{value.name}"
    for number, service in enumerate(file.service):
        place, name = (_SERVICES, number), f"{file.package}.{service.name}"
        yield place, name
        for each, method in enumerate(service.method):
            yield (*place, _METHODS, each), f"{name}.{method.name}"


def _in_messages(
    messages: Sequence[pb.DescriptorProto], above: tuple[int, ...], scope: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    for number, message in enumerate(messages):
        place, name = (*above, number), f"{scope}.{message.name}"
        yield place, name
        for each, field in enumerate(message.field):
            yield (*place, _FIELDS, each), f"{name}.{field.name}"
        yield from _in_messages(message.nested_type, (*place, _NESTED), name)
