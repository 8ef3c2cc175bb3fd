"""A page in a real browser calls the service over gRPC-Web, through the gateway."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from fakes import Example
from gateway.running import running_gateway
from rpc.conftest import ServerThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

PAGE = Path(__file__).parent / "grpc_web"
CHROMIUM = "/usr/bin/chromium"
UNKNOWN_TOKEN = "00000000-0000-4000-8000-000000000000"
MARIA = {
    "jid": "5511999999999@s.whatsapp.net",
    "full_name": "Maria Silva",
    "push_name": "Maria",
}
JOAO = {"jid": "5511888888888@s.whatsapp.net", "full_name": "Joao Pereira", "push_name": "Joao"}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing about each request."""


@contextlib.contextmanager
def _page_served() -> Iterator[str]:
    """Serves the page; gives its origin, which is not the gateway's."""
    handler = functools.partial(_Quiet, directory=str(PAGE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def example() -> Example:
    """The documented people."""
    return Example()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the page comes from."""
    with _page_served() as served:
        yield served


@pytest.fixture(scope="module")
def gateway(example: Example, origin: str) -> Iterator[str]:
    """A gateway that lets pages of that origin call; gives its address."""
    thread = ServerThread(example)
    with tempfile.TemporaryDirectory(prefix="wuts") as path:
        port = thread.server.port
        with running_gateway(port, Path(path), "--allowed-origins", origin) as running:
            yield f"http://127.0.0.1:{running.port}"
    thread.close()


@pytest.fixture(scope="module")
def page(origin: str) -> Iterator[Page]:
    """The page, open in headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(f"{origin}/index.html")
        yield opened
        browser.close()


def _ask(page: Page, gateway: str, method: str, token: str) -> dict[str, Any]:
    """Fills the form, presses the button, and reads what the page then shows."""
    page.fill("#gateway", gateway)
    page.fill("#token", token)
    page.select_option("#method", method)
    page.click("#ask")
    page.wait_for_selector("#answer[data-done='true']", timeout=10_000)
    answer: dict[str, Any] = json.loads(page.inner_text("#answer"))
    return answer


class TestGrpcWeb:
    """A person uses the page."""

    def test_list(self, page: Page, gateway: str, example: Example) -> None:
        """The page lists the people of the device."""
        answer = _ask(page, gateway, "ListContacts", example.token)
        assert {"status": 0, "reason": "", "contacts": [MARIA, JOAO], "messages": 1} == answer

    def test_an_error(self, page: Page, gateway: str) -> None:
        """The page can read why a call failed, from the details of the status."""
        answer = _ask(page, gateway, "ListContacts", UNKNOWN_TOKEN)
        assert {"status": 16, "reason": "UNAUTHORIZED", "contacts": [], "messages": 0} == answer

    def test_a_field_at_fault(self, page: Page, gateway: str, example: Example) -> None:
        """Errors of other methods are read alike."""
        answer = _ask(page, gateway, "GetProfilePicture", example.token)
        assert {"status": 3, "reason": "VALIDATION_ERROR", "contacts": [], "messages": 0} == answer

    def test_a_stream(self, page: Page, gateway: str, example: Example) -> None:
        """A stream of messages arrives whole."""
        answer = _ask(page, gateway, "LinkDevice", example.token)
        assert {"status": 0, "reason": "", "contacts": [], "messages": 1} == answer

    def test_a_page_from_elsewhere(self, page: Page, gateway: str, example: Example) -> None:
        """The browser keeps the answer from a page whose origin is not allowed."""
        with _page_served() as elsewhere:
            page.goto(f"{elsewhere}/index.html")
            answer = _ask(page, gateway, "ListContacts", example.token)
        assert {"failed": "TypeError: Failed to fetch"} == answer
