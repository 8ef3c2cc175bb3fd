"""Fills in envoy.yaml."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PART = re.compile(r"^ *# if ([A-Z]+)\n(.*?)^ *# end \1\n", re.MULTILINE | re.DOTALL)
_WORD = re.compile("@([A-Z_]+)@")


def fill(template: str, values: Mapping[str, int | str], parts: Collection[str]) -> str:
    """Gives the template with each word between at-signs replaced by its value.

    What stands between `# if X` and `# end X` is kept when `parts` has X. Texts
    are written as JSON, which is YAML too, so that a path may hold any character.
    Raises KeyError for a word without a value.
    """
    kept = _PART.sub(lambda part: part[2] if part[1] in parts else "", template)
    return _WORD.sub(lambda word: json.dumps(values[word[1]]), kept)
