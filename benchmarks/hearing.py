"""One answer to a question, looked at before anything is timed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import grpc
import httpx

from benchmarks.load import FRAME, LoadFailed

if TYPE_CHECKING:
    from benchmarks.load import Door, Question

_SECONDS = 60


class Heard(NamedTuple):
    """What a door answered; every further answer to the same question must be as long.

    `parts` are lines of JSON or, natively, messages; `size` counts the bytes of the body.
    """

    door: Door
    question: Question
    parts: tuple[bytes, ...]
    size: int


def hear(door: Door, question: Question) -> Heard:
    """Asks once; raises LoadFailed unless the answer is a success."""
    return _natively(door, question) if door.is_grpc else _over_http(door, question)


def _over_http(door: Door, question: Question) -> Heard:
    try:
        answer = httpx.request(
            "POST" if question.body else "GET",
            f"{door.url}{question.path}",
            content=question.body,
            headers={
                "authorization": f"Bearer {door.token}",
                "content-type": "application/json",
                "accept-encoding": "identity",
            },
            timeout=_SECONDS,
            trust_env=False,
        ).raise_for_status()
    except httpx.HTTPError as error:
        raise _failed(door, question, type(error).__name__) from None
    return Heard(door, question, tuple(answer.content.splitlines()), len(answer.content))


def _natively(door: Door, question: Question) -> Heard:
    headers = (header.split(": ", 1) for header in question.headers)
    metadata = (("authorization", f"Bearer {door.token}"), *((key, text) for key, text in headers))
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(door.url.removeprefix("http://"), options) as channel:
        # On the wire a call with one answer is a stream of one.
        call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(question.path)
        message = (question.body or b"")[FRAME:]
        try:
            parts = tuple(call(message, metadata=metadata, timeout=_SECONDS))
        except grpc.RpcError as error:
            raise _failed(door, question, error.code().name) from None
    return Heard(door, question, parts, sum(FRAME + len(part) for part in parts))


def _failed(door: Door, question: Question, why: str) -> LoadFailed:
    return LoadFailed(f"{door.variant} {question.path}: {why}")
