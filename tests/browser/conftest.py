"""A browser that can reach nothing but this machine, and the pages it opens."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sandboxes import Sandbox, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_HOST = "127.0.0.1"
# Its own services are off by playwright's defaults; names are not even looked up.
_ARGUMENTS = (f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {_HOST}",)
_PATIENCE = 30_000  # milliseconds for anything that a page does


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Runs the documented example, as `make run` does."""
    with running(tmp_path_factory.mktemp("browser")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Starts the Chromium of the machine, without its sandbox where that cannot be had."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    assert program, "no Chromium: apt-get install -y --no-install-recommends chromium"
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, with what it complained of and whom it called."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begins to listen."""
        self.page.on("console", lambda told: self._heard(told.type, told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._called(request.url))

    def _heard(self, kind: str, text: str) -> None:
        # A refused call is told there too; whether it should have been, the tests say.
        if kind in {"error", "warning"} and "status of 4" not in text:
            self.complaints.append(text)

    def _called(self, url: str) -> None:
        if urlsplit(url).hostname != _HOST and urlsplit(url).scheme not in {"data", "blob"}:
            self.strangers.append(url)


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Opens an empty page; afterwards it must have complained of nothing and called nobody."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(_PATIENCE)
    watched = Watched(context.new_page())
    watched.watch()
    yield watched
    context.close()
    assert ([], []) == (watched.complaints, watched.strangers)
