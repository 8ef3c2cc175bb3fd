"""The page behind /docs, in a real browser, on a real sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from browser.reference import Reference
from sandboxes import ROOT

if TYPE_CHECKING:
    from browser.conftest import Watched
    from sandboxes import Sandbox

DESCRIPTION: dict[str, Any] = json.loads((ROOT / "gateway" / "openapi.json").read_text())
OPERATIONS = [(verb, path) for path, item in DESCRIPTION["paths"].items() for verb in item]
SCREENSHOT = ROOT / "artifacts" / "docs.png"
CALLS: dict[tuple[str, str], dict[str, str]] = {
    ("get", "/contacts"): {},
    ("get", "/contacts/profile-picture"): {"number": "5511999999999", "preview": "false"},
    ("post", "/contacts/resolve"): {},
}
UNKNOWN = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def reference(watched: Watched, sandbox: Sandbox) -> Reference:
    """The page, opened."""
    return Reference(watched.page, sandbox.ready["http"])


def documented(verb: str, path: str) -> object:
    """The example that the description shows for a call."""
    answer = DESCRIPTION["paths"][path][verb]["responses"]["200"]
    return answer["content"]["application/json"]["example"]


class TestReference:
    """What a person sees who opens the page."""

    def test_shows_every_operation(self, reference: Reference) -> None:
        """Every operation of the description is listed; a picture of the page is kept."""
        SCREENSHOT.parent.mkdir(exist_ok=True)
        reference.page.screenshot(path=SCREENSHOT, full_page=True)
        assert sorted(OPERATIONS) == sorted(reference.operations())

    def test_renders_every_operation(self, reference: Reference) -> None:
        """Each can be unfolded, and says what it answers; nothing is left unresolved."""
        shown = {each: reference.answers_of(*each) for each in OPERATIONS}
        told = {
            (verb, path): list(DESCRIPTION["paths"][path][verb]["responses"])
            for verb, path in OPERATIONS
        }
        assert told == shown
        assert 0 == reference.page.locator(".errors-wrapper").count()


class TestCalls:
    """Calls that are tried from the page."""

    @pytest.mark.parametrize(("verb", "path"), CALLS)
    def test_with_a_token(
        self, reference: Reference, sandbox: Sandbox, verb: str, path: str
    ) -> None:
        """With a pasted token the documented JSON is shown."""
        reference.authorize(sandbox.token)
        shown = reference.attempt(verb, path, CALLS[verb, path])
        assert (200, documented(verb, path)) == shown

    def test_with_an_unknown_token(self, reference: Reference) -> None:
        """A token that nobody holds is told in the envelope of every failure."""
        reference.authorize(UNKNOWN)
        status, body = reference.attempt("get", "/contacts", {})
        assert (401, "UNAUTHORIZED") == (status, body["error_code"])
