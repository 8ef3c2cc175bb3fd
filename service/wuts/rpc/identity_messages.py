"""Identities to protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.identity import Identity, Status
from wuts.rpc.convert import timestamp
from wuts.usecases.identifiers import Invalid, Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.contacts.v1.resolved_identifier_pb2 import ResolvedIdentifier
    from wuts.domain.spelling import Spelling
    from wuts.usecases.number_checks import Plan
    from wuts.usecases.resolve_identifiers import Resolution


def resolution(
    inputs: Sequence[str], found: Resolution, *, full: bool
) -> pb.ResolveIdentifiersResponse:
    """Makes the answer: one item for each input, and the counts of a dry run."""
    response = pb.ResolveIdentifiersResponse(
        success=True,
        count=len(found.items),
        dry_run=_dry_run(found.plan) if found.plan else None,
    )
    for text, result in zip(inputs, found.items, strict=True):
        _add_item(response.items.add(), text, result, full=full)
    return response


def _dry_run(plan: Plan) -> pb.DryRun:
    return pb.DryRun(numbers=plan.numbers, variants=plan.variants, groups=plan.groups)


def _add_item(
    message: ResolvedIdentifier,
    text: str,
    result: Identity | Invalid | Unsupported,
    *,
    full: bool,
) -> None:
    """Fills the item of one input."""
    message.input = text
    if isinstance(result, Identity):
        _add_identity(message, result)
        if full:
            _add_details(message, result)
        return
    is_invalid = isinstance(result, Invalid)
    message.status = Status.INVALID_IDENTIFIER if is_invalid else Status.UNSUPPORTED
    message.detail = result.detail


def _add_identity(message: ResolvedIdentifier, identity: Identity) -> None:
    # Setting what is known costs half of what passing everything to the constructor does.
    asked, pn, lid, names, status, redacted_phone, retry_after, *_ = identity
    message.input_jid = str(asked)
    message.jid = str(identity.best)
    if pn:
        message.resolved_jid = message.jid
        message.phone_number = pn.user
    if lid:
        message.lid_jid = str(lid)
    if names.full:
        message.full_name = names.full
    if names.push:
        message.push_name = names.push
    if status:
        message.status = status
    if redacted_phone:
        message.redacted_phone = redacted_phone
    if retry_after:
        message.retry_after = retry_after


def _add_details(message: ResolvedIdentifier, identity: Identity) -> None:
    """Adds what only view FULL tells."""
    if identity.names.first:
        message.first_name = identity.names.first
    if identity.names.business:
        message.business_name = identity.names.business
    if identity.evidence is not None:
        message.source = identity.evidence.source
        message.observed_at.CopyFrom(timestamp(identity.evidence.at))
    if identity.spelling is not None:
        _add_spelling(message, identity.spelling)


def _add_spelling(message: ResolvedIdentifier, spelling: Spelling) -> None:
    values = (struct_pb2.Value(string_value=number) for number in spelling.tried)
    message.variants_tried.CopyFrom(struct_pb2.ListValue(values=values))
    if spelling.proof is not None:
        message.canonical, message.proof = spelling.canonical, spelling.proof
