"""Tests of what the engine's error texts mean."""

from __future__ import annotations

import pytest

from wuts.session.failures import classify, is_nothing
from wuts.session.v1 import session_pb2 as pb

TEXTS = [
    ("that user or group does not have a profile picture", "PICTURE_NOT_SET", 0),
    ("the user has hidden their profile picture from you", "PICTURE_HIDDEN", 0),
    ("info query returned status 429: rate-overlimit", "RATE_LIMITED", 429),
    ("info query returned status 400: bad-request", "SERVER_ERROR", 400),
    ("info query returned status 403: forbidden", "SERVER_ERROR", 403),
    ("info query returned status 404: something else", "SERVER_ERROR", 404),
    ("info query returned status 463: ", "SERVER_ERROR", 463),
    ("info query returned status 503: service-unavailable", "SERVER_ERROR", 503),
    ("info query timed out", "TIMED_OUT", 0),
    ("websocket not connected", "NOT_CONNECTED", 0),
    ("failed to send usync query: websocket not connected", "NOT_CONNECTED", 0),
    ("failed to send usync query: info query returned status 429: x", "RATE_LIMITED", 429),
    ("failed to send usync query: info query timed out", "TIMED_OUT", 0),
    ("failed to store LID mappings: database is locked", "STORE_LOCKED", 0),
    ("error sending logout request: websocket not connected", "NOT_CONNECTED", 0),
    ("client is nil", "NOT_CONNECTED", 0),
    ("websocket disconnected before info query returned response", "NOT_CONNECTED", 0),
    ("websocket disconnected before info query (retry) returned response", "NOT_CONNECTED", 0),
    (
        "missing <picture> element in response to profile picture query",
        "MALFORMED_ANSWER",
        0,
    ),
    ("missing <list> element in response to usync query", "MALFORMED_ANSWER", 0),
    ("missing <list> element in response to blocklist update", "MALFORMED_ANSWER", 0),
    ("no LID found for 5511999999999@s.whatsapp.net from server", "NOT_ON_WHATSAPP", 0),
    (
        "failed to get user info for 5@lid to fill LID cache: info query returned status 429: x",
        "RATE_LIMITED",
        429,
    ),
    ("failed to get LID for PN 55@s.whatsapp.net: database is locked", "STORE_LOCKED", 0),
    ("failed to resolve PN for 1@lid: database is locked", "STORE_LOCKED", 0),
    ("[didn't find required attribute 'url']", "MALFORMED_ANSWER", 0),
    ("you're not participating in that group", "GROUP_FORBIDDEN", 0),
    ("that group does not exist", "GROUP_NOT_FOUND", 0),
    ("invalid use of deleted device", "NOT_CONNECTED", 0),
    ("the store doesn't contain a device JID", "NOT_CONNECTED", 0),
    ("database is locked", "STORE_LOCKED", 0),
    ("Function returned nothing.", "MALFORMED_ANSWER", 0),
    ("unknown user server 'g.us'", "WRONG_JID", 0),
    ("invalid GetPNForLID call with non-LID JID 55@s.whatsapp.net", "WRONG_JID", 0),
    ("invalid GetLIDForPN call with non-PN JID 55@lid", "WRONG_JID", 0),
    (
        "failed to dial whatsapp web websocket: proxyconnect tcp: connection refused",
        "UNREACHABLE",
        0,
    ),
    (
        "failed to dial whatsapp web websocket: tls: failed to verify certificate: x509",
        "UNREACHABLE",
        0,
    ),
    ("noise handshake failed: timed out waiting for handshake response", "HANDSHAKE", 0),
    ("noise handshake failed: failed to verify server cert", "HANDSHAKE", 0),
    ("proto: required field neonize.ConnectFailure.Reason not set", "UNKNOWN_REFUSAL", 0),
    ("proto: required field neonize.TemporaryBan.Code not set", "UNKNOWN_REFUSAL", 0),
    ("proto: required field neonize.GroupLinkChange.Type not set", "MALFORMED_ANSWER", 0),
]


class TestClassify:
    """One table for all texts."""

    @pytest.mark.parametrize(("text", "kind", "code"), TEXTS)
    def test_known_texts(self, text: str, kind: str, code: int) -> None:
        """Every text of the pinned build has its meaning."""
        expected = pb.Failure(kind=pb.FailureKind.Value(f"FAILURE_KIND_{kind}"), code=code)
        assert classify(text) == expected

    @pytest.mark.parametrize(
        "text", ["", "something new about 5511999999999", "xx info query timed out"]
    )
    def test_unknown_texts(self, text: str) -> None:
        """An unknown text has no meaning, and leaves nothing of itself in the answer."""
        assert classify(text) == pb.Failure(kind=pb.FAILURE_KIND_UNSPECIFIED)

    def test_every_kind_has_a_text(self) -> None:
        """No kind of failure is without a text that means it."""
        meant = {classify(text).kind for text, _, _ in TEXTS}
        told_otherwise = {
            pb.FAILURE_KIND_UNSPECIFIED,
            pb.FAILURE_KIND_STORE_CORRUPT,
            pb.FAILURE_KIND_DISK_FULL,
        }
        assert meant == set(pb.FailureKind.values()) - told_otherwise


class TestIsNothing:
    """An answer in which nobody stands."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("Function returned nothing.", True), ("info query timed out", False), ("", False)],
    )
    def test_is_nothing(self, text: str, expected: bool) -> None:
        """Only the engine's text for it means it."""
        assert is_nothing(Exception(text)) is expected
