"""What a store, and perhaps a roster, knows of a set of people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from wuts.domain.contact import Names  # noqa: TC001 # whoever decodes a Row asks for its types

if TYPE_CHECKING:
    from collections.abc import Mapping


class Row(NamedTuple):
    """One row of the store: a person under one of their JIDs.

    `redacted_phone` is a masked number, empty when the store holds none.
    """

    names: Names
    redacted_phone: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Rows and LID pairs, keyed by the digits of phone numbers and LIDs."""

    pn_rows: Mapping[str, Row] = field(default_factory=dict)
    lid_rows: Mapping[str, Row] = field(default_factory=dict)
    lid_of_pn: Mapping[str, str] = field(default_factory=dict)
    pn_of_lid: Mapping[str, str] = field(default_factory=dict)
