"""The list straight from neonize, made into the service's message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import outcomes
from benchmarks.peers.naive import Engine
from wuts.contacts.v1 import contacts_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.variants import Job


class Neonize:
    """get_all_contacts and a look-up for each LID; the engine's caches are warm after the first."""

    tell = staticmethod(outcomes.of_list)

    def __init__(self, store: Path, size: int) -> None:
        self._engine = Engine(store)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The list."""
        return {"list": self._list}

    def _list(self) -> list[bytes]:
        response = pb.ListContactsResponse(success=True)
        for jid, (first, full, push, business) in self._engine.contacts():
            response.contacts.add(
                jid=jid,
                first_name=first or None,
                full_name=full or None,
                push_name=push or None,
                business_name=business or None,
            )
        response.count = len(response.contacts)
        return [response.SerializeToString()]


VARIANTS = {"neonize": Neonize}
