"""What the stores are asked: fixed for each size, and good for every variant."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.seeds import people

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH = 160
"""The most identifiers of one call."""

BATCHES = 20
"""Batches that one job answers."""

_SEED = 160
_UNKNOWN = 8
# Of a batch, so that the ways of the unknown are walked, too.


def batches(size: int, number: int = BATCHES) -> list[list[str]]:
    """Draws batches of 160 identifiers: phone numbers, PN JIDs and LID JIDs, a few unknown."""
    draw = random.Random(_SEED)  # noqa: S311 # no secret; the seed makes it repeatable
    jids = sorted(people(size).rows)
    return [_batch(draw, jids) for _ in range(number)]


def one(size: int) -> list[str]:
    """Picks one person: a LID that is paired with a phone number."""
    return [f"{people(size).pairs[0][1]}@lid"]


def _batch(draw: random.Random, jids: Sequence[str]) -> list[str]:
    known = draw.sample(jids, BATCH - _UNKNOWN)
    unknown = [f"55118{draw.randrange(10**8):08}@s.whatsapp.net" for _ in range(_UNKNOWN)]
    mixed = [*known, *unknown]
    draw.shuffle(mixed)
    return [_spelled(jid, draw.random()) for jid in mixed]


def _spelled(jid: str, chance: float) -> str:
    """Writes every second PN as a bare number."""
    user, _, server = jid.partition("@")
    return user if server != "lid" and chance < 0.5 else jid  # noqa: PLR2004 # one half
