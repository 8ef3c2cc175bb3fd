"""What the checks report and is no failure: each with its reason."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fuzz import description, lenient

if TYPE_CHECKING:
    from schemathesis import Case, Response
    from schemathesis.core.failures import Failure

Json = dict[str, Any]


class Refusal(NamedTuple):
    """A 400 for a request that fits the description: which field, in which words, why.

    `value` is what the rejected one must look like.
    """

    field: str
    words: str
    reason: str
    value: str = ".*"

    def fits(self, told: Json) -> bool:
        """Tells whether an entry of `validation` is this refusal."""
        return bool(
            re.fullmatch(self.field, told["field"])
            and re.fullmatch(self.value, told["value"], re.DOTALL)
            and self.words in told["message"]
        )


REFUSALS: Final = (
    Refusal("page_token", "is not a next_page_token", "only the service can make one"),
    Refusal("jid", "jid or number is required", "OpenAPI cannot say that one of two is needed"),
    Refusal(".*", "contradicts another of", "nor that aliases must agree"),
    Refusal(".*", "differs between body and query", "nor that both places must"),
    Refusal("device_id", "is linked already", "the state of the device, documented as 400"),
    Refusal("jid|number", "write", "a space written as + is read as +", value=r".*\+.*"),
)

_EXPECTED: Final = frozenset(os.environ.get("FUZZ_EXPECTED", "").split())
# Reasons of 5xx that belong to the state which a device is in by then, or to the engine.


def why(failure: Failure, case: Case[Any], response: Response) -> str:
    """Says why a report is no failure; empty when it is one."""
    reader = _READERS.get(type(failure).__name__)
    return reader(case, response) if reader else ""


def _expected_reason(_case: Case[Any], response: Response) -> str:
    code = _body(response).get("error_code", "")
    return f"right in this part: {code}" if code in _EXPECTED else ""


def _refused_though_valid(_case: Case[Any], response: Response) -> str:
    for told in _body(response).get("validation", ()):
        for refusal in REFUSALS:
            if refusal.fits(told):
                return f"{refusal.words}: {refusal.reason}"
    return ""


def _accepted_though_invalid(case: Case[Any], _response: Response) -> str:
    sent = _Sent(dict(case.query or {}), case.body if isinstance(case.body, dict) else {})
    read = _read(sent, case.method, case.path)
    if read == sent or not description.is_query_valid(case.method, case.path, read.query):
        return ""
    has_body = "requestBody" in description.operation(case.method, case.path)
    if has_body and not description.is_body_valid(case.method, case.path, read.body):
        return ""
    return "read as a request that fits"


class _Sent(NamedTuple):
    query: Json
    body: Json


def _read(sent: _Sent, method: str, path: str) -> _Sent:
    schemas = description.parameters(method, path, "query")
    query, body = lenient.read_query(sent.query, schemas), sent.body
    if {"jid", "number"} <= query.keys():
        query.pop("number")  # is not looked at where there is a jid, as documented
    if "requestBody" in description.operation(method, path):
        body = lenient.read_body(body, description.body_schema(method, path))
    return _Sent(query, body)


def _body(response: Response) -> Json:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


_READERS: Final = {
    "ServerError": _expected_reason,
    "RejectedPositiveData": _refused_though_valid,
    "AcceptedNegativeData": _accepted_though_invalid,
}
