"""Messages to JSON Schema, as Envoy's transcoder prints and reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf import descriptor_pb2 as pb

from openapi.source import is_required

if TYPE_CHECKING:
    from openapi.rules import Json, Rules
    from openapi.source import Source

_Field = pb.FieldDescriptorProto

_SCALARS: Final[dict[int, Json]] = {
    _Field.TYPE_BOOL: {"type": "boolean"},
    _Field.TYPE_STRING: {"type": "string"},
    _Field.TYPE_INT32: {"type": "integer", "format": "int32"},
    _Field.TYPE_DOUBLE: {"type": "number", "format": "double"},
}
"""64-bit integers are missing on purpose: they are printed as texts."""

_WELL_KNOWN: Final[dict[str, Json]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
}


class Schemas:
    """The schemas of all messages that were asked for, by their short names."""

    def __init__(self, source: Source, rules: Rules) -> None:
        self.components: dict[str, Json] = {}
        self._source = source
        self._rules = rules
        self._kinds: dict[str, tuple[str, bool]] = {}

    def request(self, message: str) -> Json:
        """Refers to the schema of a body; required is what the caller must send."""
        return self._refer(message, is_answer=False)

    def answer(self, message: str) -> Json:
        """Refers to the schema of an answer; required is what is always printed."""
        return self._refer(message, is_answer=True)

    def field(self, message: str, field: pb.FieldDescriptorProto, *, is_answer: bool) -> Json:
        """Gives the schema of a field, without its comment."""
        schema = self._schema(field, is_answer=is_answer)
        told = self._rules.of_field(message, field.name)
        if schema.get("type") != "array":
            return schema | told
        # What is told of "items" adds to what the descriptor says of them.
        return schema | told | {"items": schema["items"] | told.get("items", {})}

    def _refer(self, message: str, *, is_answer: bool) -> Json:
        name = message.rpartition(".")[2]
        if self._kinds.setdefault(name, (message, is_answer)) != (message, is_answer):
            message = f"{name} names two messages, or one that is both sent and answered"
            raise ValueError(message)
        if name not in self.components:
            self.components[name] = {}  # taken: a message may hold itself
            self.components[name] = self._object(message, is_answer=is_answer)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, message: str, *, is_answer: bool) -> Json:
        fields = self._source.messages[message].field
        always = {*self._rules.always(message)}
        schema: Json = {"type": "object", "description": self._source.comment(message)}
        required = [
            field.name
            for field in fields
            if (_is_printed(field) or field.name in always if is_answer else is_required(field))
        ]
        if required:
            schema["required"] = required
        schema["properties"] = {
            field.name: self._property(message, field, is_answer=is_answer) for field in fields
        }
        if not is_answer:
            schema["propertyNames"] = {"minLength": 1}  # all other unknown names are ignored
        return schema

    def _property(self, message: str, field: pb.FieldDescriptorProto, *, is_answer: bool) -> Json:
        schema = self.field(message, field, is_answer=is_answer)
        if is_answer and field.name == "success":
            schema = {"type": "boolean", "const": True}
        return {"description": self._source.comment(f"{message}.{field.name}")} | schema

    def _schema(self, field: pb.FieldDescriptorProto, *, is_answer: bool) -> Json:
        if field.label != _Field.LABEL_REPEATED:
            return self._one(field, is_answer=is_answer)
        entry = self._source.messages.get(field.type_name.removeprefix("."))
        if entry is not None and entry.options.map_entry:
            values = self._one(entry.field[1], is_answer=is_answer)
            return {"type": "object", "additionalProperties": values}
        return {"type": "array", "items": self._one(field, is_answer=is_answer)}

    def _one(self, field: pb.FieldDescriptorProto, *, is_answer: bool) -> Json:
        name = field.type_name.removeprefix(".")
        if field.type == _Field.TYPE_ENUM:
            return {"type": "string", "enum": [v.name for v in self._source.enums[name].value]}
        if field.type != _Field.TYPE_MESSAGE:
            return dict(_SCALARS[field.type])
        if name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[name])
        return self._refer(name, is_answer=is_answer)


def _is_printed(field: pb.FieldDescriptorProto) -> bool:
    """Tells whether the transcoder prints a field that was never set."""
    if field.label == _Field.LABEL_REPEATED:
        return True
    return field.type != _Field.TYPE_MESSAGE and not field.HasField("oneof_index")
