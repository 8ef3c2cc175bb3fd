"""Resolving from dictionaries that hold the whole store: what no store can beat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks import outcomes, questions
from benchmarks.seeds import people
from wuts.contacts.v1 import contacts_service_pb2 as pb
from wuts.domain.contact import Names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.variants import Job
    from wuts.contacts.v1.resolved_identifier_pb2 import ResolvedIdentifier

_IDENTIFIER = re.compile(r"([0-9]{5,20})(@s\.whatsapp\.net|@lid)?")
_NAMELESS = Names()


class Dictionaries:
    """Knows no file, no device and no spelling but the one that is asked for."""

    tell = staticmethod(outcomes.of_resolution)

    def __init__(self, store: Path, size: int) -> None:
        self._rows = people(size).rows
        self._lid_of = dict(people(size).pairs)
        self._pn_of = {lid: pn for pn, lid in people(size).pairs}
        self._batches = questions.batches(size)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """So many batches."""
        return {"batches": lambda: [self._answer(batch) for batch in self._batches]}

    def _answer(self, batch: Sequence[str]) -> bytes:
        response = pb.ResolveIdentifiersResponse(success=True, count=len(batch))
        for text in batch:
            self._resolve(text, response.items.add())
        return response.SerializeToString()

    def _resolve(self, text: str, item: ResolvedIdentifier) -> None:
        match = _IDENTIFIER.fullmatch(text)
        if match is None:
            raise ValueError(text)
        user, server = match.groups()
        if server == "@lid":
            pn, lid = self._pn_of.get(user, ""), user
        else:
            pn, lid = user, self._lid_of.get(user, "")
        pn_jid, lid_jid = f"{pn}@s.whatsapp.net", f"{lid}@lid"
        pn_row, lid_row = self._rows.get(pn_jid), self._rows.get(lid_jid)
        item.input = text
        item.input_jid = lid_jid if server == "@lid" else pn_jid
        item.jid = pn_jid if pn else lid_jid
        if pn:
            item.resolved_jid, item.phone_number = pn_jid, pn
        if lid:
            item.lid_jid = lid_jid
        names = (pn_row or _NAMELESS).filled_from(lid_row or _NAMELESS)
        if names.full:
            item.full_name = names.full
        if names.push:
            item.push_name = names.push
        if pn_row is None and not (pn and lid):
            item.status = "PHONE_HIDDEN" if not pn and any(names) else "UNKNOWN"


VARIANTS = {"dictionaries": Dictionaries}
