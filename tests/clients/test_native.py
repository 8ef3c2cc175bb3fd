"""Native clients of every kind get the same answers, and the same errors, at both doors."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from .askers import ASKERS, WEB_ASKERS, asynchronous_stub
from .questions import QUESTIONS, Answer, Question

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .askers import Asker
    from .stage import Stage


def _world(stage: Stage, question: Question) -> AbstractContextManager[object]:
    return stage.failing(question.because) if question.because else contextlib.nullcontext()


def _ask(asker: Asker, stage: Stage, address: str, question: Question) -> Answer:
    with _world(stage, question):
        return asker(address, question, question.token or stage.token)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
class TestClients:
    """One table of questions for all."""

    @pytest.mark.parametrize("client", ASKERS)
    def test_native(self, stage: Stage, door: str, client: str, question: Question) -> None:
        """Tools, Node and the blocking stub get the answer of the table."""
        assert question.expected == _ask(ASKERS[client], stage, door, question)

    @pytest.mark.parametrize("client", WEB_ASKERS)
    def test_web(self, stage: Stage, client: str, question: Question) -> None:
        """gRPC-Web through the gateway gives the same."""
        assert question.expected == _ask(WEB_ASKERS[client], stage, stage.gateway, question)

    async def test_asynchronous_stub(self, stage: Stage, door: str, question: Question) -> None:
        """The generated stub on grpc.aio gives the same."""
        with _world(stage, question):
            token = question.token or stage.token
            assert question.expected == await asynchronous_stub(door, question, token)
