"""Identities to protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import struct_pb2

from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.contacts.v1.resolved_identifier_pb2 import ResolvedIdentifier
from wuts.domain.identity import Identity, Status
from wuts.rpc.convert import timestamp
from wuts.usecases.identifiers import Invalid, Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wuts.domain.spelling import Spelling
    from wuts.usecases.number_checks import Plan
    from wuts.usecases.resolve_identifiers import Resolution


def resolution(
    inputs: Sequence[str], found: Resolution, *, full: bool
) -> pb.ResolveIdentifiersResponse:
    """Makes the answer: one item for each input, and the counts of a dry run."""
    pairs = zip(inputs, found.items, strict=True)
    return pb.ResolveIdentifiersResponse(
        success=True,
        count=len(found.items),
        items=(item(text, result, full=full) for text, result in pairs),
        dry_run=_dry_run(found.plan) if found.plan else None,
    )


def _dry_run(plan: Plan) -> pb.DryRun:
    return pb.DryRun(numbers=plan.numbers, variants=plan.variants, groups=plan.groups)


def item(text: str, result: Identity | Invalid | Unsupported, *, full: bool) -> ResolvedIdentifier:
    """Makes the item of one input."""
    if isinstance(result, Invalid):
        detail = result.detail
        return ResolvedIdentifier(input=text, status=Status.INVALID_IDENTIFIER, detail=detail)
    if isinstance(result, Unsupported):
        return ResolvedIdentifier(input=text, status=Status.UNSUPPORTED, detail=result.detail)
    message = _known(text, result)
    if full:
        _add_details(message, result)
    return message


def _known(text: str, identity: Identity) -> ResolvedIdentifier:
    names, pn = identity.names, identity.pn
    pn_jid = str(pn) if pn else None
    return ResolvedIdentifier(
        input=text,
        input_jid=str(identity.asked),
        resolved_jid=pn_jid,
        jid=pn_jid or str(identity.asked),
        phone_number=pn.user if pn else None,
        lid_jid=str(identity.lid) if identity.lid else None,
        full_name=names.full or None,
        push_name=names.push or None,
        status=identity.status,
        redacted_phone=identity.redacted_phone or None,
        retry_after=identity.retry_after or None,
    )


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
