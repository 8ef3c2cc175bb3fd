"""The page behind /docs, as a person uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class Reference:
    """The page, opened."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(f"{address}/docs")
        page.locator(".opblock").first.wait_for()

    def operations(self) -> list[tuple[str, str]]:
        """Lists the operations that are shown, as verb and path."""
        summaries = self.page.locator(".opblock-summary").all()
        return [
            (
                summary.locator(".opblock-summary-method").inner_text().lower(),
                # Zero-width spaces let long paths wrap.
                summary.locator(".opblock-summary-path").inner_text().replace("\u200b", ""),
            )
            for summary in summaries
        ]

    def authorize(self, token: str) -> None:
        """Pastes a token."""
        self.page.locator(".scheme-container button.authorize").click()
        dialog = self.page.locator(".dialog-ux")
        dialog.locator("input").fill(token)
        dialog.locator("button.authorize").click()
        dialog.locator("button.btn-done").click()
        dialog.wait_for(state="detached")

    def open(self, verb: str, path: str) -> Locator:
        """Unfolds an operation and waits for the answers it describes."""
        block = self.page.locator(".opblock").filter(
            has=self.page.locator(f'.opblock-summary-path[data-path="{path}"]'),
        )
        block = block.and_(self.page.locator(f".opblock-{verb}"))
        block.locator(".opblock-summary-control").click()
        block.locator(".responses-table").first.wait_for()
        return block

    def answers_of(self, verb: str, path: str) -> list[str]:
        """Lists the statuses that an operation is said to answer with."""
        block = self.open(verb, path)
        told = block.locator("tr.response").all()
        statuses = [row.get_attribute("data-code") or "" for row in told]
        block.locator(".opblock-summary-control").click()  # a page full of open ones is slow
        return statuses

    def attempt(self, verb: str, path: str, given: dict[str, str]) -> tuple[int, Any]:
        """Tries a call with these parameters; gives the status and the JSON that are shown."""
        block = self.open(verb, path)
        block.locator("button.try-out__btn").click()
        for row in block.locator("tr[data-param-name]").all():
            _fill(row, given.get(row.get_attribute("data-param-name") or "", ""))
        block.locator("button.execute").click()
        answer = block.locator(".live-responses-table")
        answer.wait_for()
        status = answer.locator("tbody .response-col_status").first.inner_text()
        body = answer.locator("tbody .highlight-code pre").first.inner_text()
        return int(status.split()[0]), json.loads(body)


def _fill(row: Locator, value: str) -> None:
    """Gives one parameter its value; an empty one is not sent."""
    choice = row.locator("select")
    if choice.count():
        choice.first.select_option(value)
        return
    row.locator("input").first.fill(value)
