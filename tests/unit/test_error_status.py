"""Errors to statuses: one table, complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from google.rpc import error_details_pb2

from wuts.contacts.v1 import error_reason_pb2
from wuts.domain import errors
from wuts.domain.enquiry import QueryClass
from wuts.domain.state import DeviceState
from wuts.rpc.error_status import INTERNAL, TABLE, Fault

PREFIX = "ERROR_REASON_"
REASONS = error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"]
GATEWAY_ONLY = {"METHOD_NOT_ALLOWED", "PAYLOAD_TOO_LARGE"}
NOW = datetime(2026, 6, 15, 13, 45, 2, tzinfo=UTC)


def subclasses() -> set[type[errors.DomainError]]:
    """Lists every situation that the domain names."""
    return set(errors.DomainError.__subclasses__())


class TestTable:
    """TABLE maps each situation once."""

    def test_knows_every_domain_error(self) -> None:
        """No situation of the domain is without a status."""
        assert subclasses() == set(TABLE)

    def test_agrees_with_the_proto(self) -> None:
        """Table, gateway and proto name the same reasons."""
        ours = {row.reason for row in TABLE.values()} | {INTERNAL.reason} | GATEWAY_ONLY
        named = {value.name.removeprefix(PREFIX) for value in REASONS.values}
        assert named - {"UNSPECIFIED"} == ours


class TestFault:
    """Fault writes the status and the envelope of an error."""

    def test_an_unknown_exception_tells_nothing(self) -> None:
        """The text of a fault of ours never leaves."""
        fault = Fault.of(RuntimeError("5511999999999"))
        assert ("INTERNAL_ERROR", "internal error") == (fault.reason, fault.message)

    def test_the_envelope_is_the_documented_one(self) -> None:
        """A validation error has the five documented keys in their order."""
        error = errors.ValidationFailed("jids", "must hold 1 to 160 identifiers", "ç\n")
        expected = {
            "success": False,
            "error": "validation failed",
            "error_code": "VALIDATION_ERROR",
            "timestamp": "2026-06-15T13:45:02Z",
            "validation": [
                {"field": "jids", "message": "must hold 1 to 160 identifiers", "value": "ç\n"}
            ],
        }
        text = Fault.of(error).envelope(NOW)
        assert (expected, list(expected)) == (json.loads(text), list(json.loads(text)))
        assert text.isascii()
        assert text.isprintable()

    def test_bounds_the_echoed_value(self) -> None:
        """A huge value is echoed in part: trailing metadata is bounded."""
        error = errors.ValidationFailed("jid", "bad", "😀" * 100_000)
        assert len(Fault.of(error).envelope(NOW)) < 4000

    @pytest.mark.parametrize(
        ("error", "metadata"),
        [
            (errors.DeviceNotReady(DeviceState.RECONNECTING), {"state": "RECONNECTING"}),
            (
                errors.DeviceNotReady(DeviceState.BANNED, reason="BANNED"),
                {"state": "BANNED", "reason": "BANNED"},
            ),
            (errors.WhatsappError(500), {"code": "500"}),
            (errors.BudgetExhausted(QueryClass.PICTURE, 17), {"query_class": "PICTURE"}),
            (errors.WhatsappError(), {}),
            (errors.NotFound("device"), {"what": "device"}),
        ],
    )
    def test_details_hold_one_error_info(
        self, error: errors.DomainError, metadata: dict[str, str]
    ) -> None:
        """The status carries exactly one ErrorInfo with the error's facts."""
        fault = Fault.of(error)
        infos = [d for d in fault.status().details if d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
        info = error_details_pb2.ErrorInfo()
        infos[0].Unpack(info)
        assert (1, "wuts", fault.reason, metadata) == (
            len(infos),
            info.domain,
            info.reason,
            dict(info.metadata),
        )

    @pytest.mark.parametrize(
        "error", [errors.RateLimited(60), errors.BudgetExhausted(QueryClass.NUMBER_CHECK, 60)]
    )
    def test_says_when_to_retry(self, error: errors.DomainError) -> None:
        """WhatsApp's rate limit and our own budget carry RetryInfo."""
        retry = error_details_pb2.RetryInfo()
        Fault.of(error).status().details[1].Unpack(retry)
        assert retry.retry_delay.seconds == 60

    def test_says_when_to_retry_a_device(self) -> None:
        """A device that is about to be connected carries RetryInfo, too."""
        retry = error_details_pb2.RetryInfo()
        error = errors.DeviceNotReady(DeviceState.RECONNECTING, retry_after=3)
        Fault.of(error).status().details[1].Unpack(retry)
        assert retry.retry_delay.seconds == 3

    def test_names_the_field_of_a_linked_device(self) -> None:
        """Linking a linked device is a fault of the field device_id."""
        body = json.loads(Fault.of(errors.AlreadyLinked()).envelope(NOW))
        message = "is linked already; log out first"
        expected = [{"field": "device_id", "message": message, "value": ""}]
        assert ("VALIDATION_ERROR", expected) == (body["error_code"], body["validation"])
