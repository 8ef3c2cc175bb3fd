"""Lets neonize be imported where libmagic is missing; to be imported before it.

Only the sending of media needs libmagic, and a fresh machine has none.
"""

from __future__ import annotations

import sys
import types

try:
    import magic  # noqa: F401  # the attempt is the test
except ImportError:
    sys.modules["magic"] = types.ModuleType("magic")
