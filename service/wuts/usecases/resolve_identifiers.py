"""Resolves phone numbers, PN JIDs and LID JIDs to identities."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wuts.domain.enquiry import Heard, Lookup, NumberCheck
from wuts.domain.errors import DomainError, StoreUnavailable, ValidationFailed
from wuts.domain.facts import Facts
from wuts.domain.identity import Identity, identify
from wuts.domain.jid import Jid, Server
from wuts.domain.spelling import Verdict, prove, settle
from wuts.usecases import number_checks
from wuts.usecases.group_rosters import find_roster, parse_group_field
from wuts.usecases.identifiers import Invalid, Unsupported, Wanted, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wuts.domain.caller import DeviceId
    from wuts.domain.knowledge import Knowledge
    from wuts.domain.spelling import Spelling
    from wuts.ports import ContactStore, Enquiries
    from wuts.usecases.group_rosters import FoundRoster
    from wuts.usecases.number_checks import Answers, Plan

MAX_INPUTS = 160
"""The most inputs of one call, as documented."""

_NETWORK_SECONDS = 12.0
# What number checks may take, counted from the beginning of the call: whoever waits
# longer than the gateway gets nothing at all.


@dataclass(frozen=True, slots=True)
class Resolution:
    """One item for each input, in their order, and for a dry run its plan."""

    items: Sequence[Identity | Invalid | Unsupported]
    plan: Plan | None = None


async def resolve_identifiers(
    device: DeviceId,
    inputs: Sequence[str],
    *,
    group_jid: str,
    lookup: Lookup,
    dry_run: bool,
    store: ContactStore,
    enquiries: Enquiries,
    explained: bool = True,
) -> Resolution:
    """Resolves each input by what is known, and what WhatsApp may be asked.

    Asks for the roster of `group_jid`, when one is given, and about numbers as
    far as `lookup` allows. Raises ValidationFailed for a wrong number of inputs
    or a malformed group, and whatever store and roster raise; neither a bad
    input nor a number without an answer fails the others. `explained` has the
    identities come with their evidence.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        message = f"must hold 1 to {MAX_INPUTS} identifiers"
        raise ValidationFailed("jids", message, str(len(inputs)))
    group = parse_group_field(group_jid)
    resolver = _Resolver(device, lookup, store, enquiries, explained=explained)
    return await resolver.resolve([parse(text) for text in inputs], group, dry_run=dry_run)


class _Resolver:
    """Works on one call."""

    def __init__(
        self,
        device: DeviceId,
        lookup: Lookup,
        store: ContactStore,
        enquiries: Enquiries,
        *,
        explained: bool,
    ) -> None:
        self._device = device
        self._lookup = lookup
        self._explained = explained
        self._store = store
        self._enquiries = enquiries
        self._until = asyncio.get_running_loop().time() + _NETWORK_SECONDS

    async def resolve(
        self, parsed: Sequence[Jid | Invalid | Unsupported], group: Jid | None, *, dry_run: bool
    ) -> Resolution:
        found = await find_roster(
            self._device, group, self._lookup, dry_run=dry_run, enquiries=self._enquiries
        )
        jids = [item for item in parsed if isinstance(item, Jid)]
        wanted = Wanted.of(jids, found.roster)
        known = await self._read(wanted)
        spellings = {number: prove(number, known[0], found.roster) for number in wanted.numbers}
        answers, plan = await self._hear(spellings, dry_run=dry_run, is_blind=bool(found.error))
        checks = _checks(answers)
        if checks:
            known = await self._read_again(wanted, checks) or known
        facts = Facts(*known, roster=found.heard, checks=checks)
        verdicts = {number: settle(local, answers) for number, local in spellings.items()}
        return Resolution(
            [self._item(each, facts, verdicts, found) for each in parsed],
            replace(plan, groups=found.questions) if plan else None,
        )

    def _item(
        self,
        parsed: Jid | Invalid | Unsupported,
        facts: Facts,
        verdicts: Mapping[str, Verdict],
        found: FoundRoster,
    ) -> Identity | Invalid | Unsupported:
        if not isinstance(parsed, Jid):
            return parsed
        verdict = verdicts[parsed.user] if parsed.server is Server.PN else None
        identity = identify(parsed, facts, verdict, explained=self._explained)
        return identity.failed(found.error) if found.error else identity

    async def _read(self, wanted: Wanted) -> tuple[Knowledge, datetime]:
        known = await self._store.lookup(self._device, pns=wanted.pns, lids=wanted.lids)
        return known, datetime.now(UTC)

    async def _read_again(
        self, wanted: Wanted, checks: Sequence[Heard[NumberCheck]]
    ) -> tuple[Knowledge, datetime] | None:
        """Reads what the questions have taught the engine's LID map."""
        wanted.learn(check.answer for check in checks)
        # The answers were paid for; they are not lost for a store that is locked now.
        with suppress(StoreUnavailable):
            return await self._read(wanted)
        return None

    async def _hear(
        self, spellings: Mapping[str, Spelling], *, dry_run: bool, is_blind: bool
    ) -> tuple[Answers, Plan | None]:
        fresh = self._lookup is Lookup.FORCE
        to_check = number_checks.to_check(spellings.values(), self._lookup)
        # Without the roster that was wanted nobody can tell what is worth a question.
        if dry_run or is_blind or not to_check:
            recalled = await number_checks.recall(self._device, spellings.values(), self._enquiries)
            plan = number_checks.plan(to_check, recalled, fresh=fresh) if dry_run else None
            return recalled, plan
        answers = await number_checks.check(
            self._device, to_check, fresh=fresh, until=self._until, enquiries=self._enquiries
        )
        return answers, None


def _checks(answers: Answers) -> list[Heard[NumberCheck]]:
    """Chooses the answers that say who has a number."""
    heard = (answer for answer in answers.values() if not isinstance(answer, DomainError))
    return [check for check in heard if check.answer.registered]
