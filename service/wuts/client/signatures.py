"""What `help` and editors show of methods that are made of functions."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def as_method(method: Callable[P, T], call: Callable[..., object]) -> Callable[P, T]:
    """Gives a method the parameters of the call it makes, behind `self`."""
    of_call = inspect.signature(call)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [itself, *of_call.parameters.values()]
    signature = inspect.Signature(parameters)
    cast("object", method).__dict__["__signature__"] = signature
    return method
