"""The worked examples of protos/README.md: each is run, and gives what it shows."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from wuts.contacts.v1 import error_reason_pb2
from wuts.domain import errors
from wuts.domain.caller import DeviceId
from wuts.domain.enquiry import QueryClass
from wuts.domain.state import DeviceState, Reason

from .stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from .stage import Stage

    Scene = Callable[[Stage], AbstractContextManager[str]]

_README = ROOT / "protos" / "README.md"
_EXAMPLE = re.compile(
    r"^### `(?P<reason>[A-Z_]+)`\n(?P<text>.*?)"
    r"```(?P<language>sh|python)\n(?P<command>.*?)```\n\n```\w*\n(?P<output>.*?)```",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r"^  (Code|Message): (.*)$", re.MULTILINE)
_DETAIL = re.compile(r"^  \d\)\t(.*)$", re.MULTILINE)


class _Example(NamedTuple):
    reason: str
    text: str
    language: str
    command: str
    output: str


_EXAMPLES = [_Example(*found.groups()) for found in _EXAMPLE.finditer(_README.read_text())]


@contextlib.contextmanager
def _as_it_is(stage: Stage) -> Iterator[str]:
    yield stage.token


def _whatsapp_says(error: Exception) -> Scene:
    """A scene in which the question for a picture fails."""

    @contextlib.contextmanager
    def scene(stage: Stage) -> Iterator[str]:
        with stage.failing(error):
            yield stage.token

    return scene


@contextlib.contextmanager
def _bound_token(stage: Stage) -> Iterator[str]:
    yield stage.example.directory.add_token("demo", "demo", DeviceId(stage.device))


@contextlib.contextmanager
def _two_devices(stage: Stage) -> Iterator[str]:
    yield stage.example.add_user("several", 2)


@contextlib.contextmanager
def _no_code(stage: Stage) -> Iterator[str]:
    yield stage.example.add_user("codeless", 1)


@contextlib.contextmanager
def _reconnecting(stage: Stage) -> Iterator[str]:
    stage.become(DeviceState.RECONNECTING, Reason.CONNECTION_LOST)
    yield stage.token
    stage.become(DeviceState.CONNECTED)


@contextlib.contextmanager
def _foreign_group(stage: Stage) -> Iterator[str]:
    rosters = stage.example.sessions.rosters
    rosters["120363039000000002@g.us"] = errors.GroupForbidden()
    yield stage.token
    del rosters["120363039000000002@g.us"]


@contextlib.contextmanager
def _busy_store(stage: Stage) -> Iterator[str]:
    async def page(*_: Any, **__: Any) -> Any:
        raise errors.StoreUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage.example.store, "page", page)
        yield stage.token


_SCENES: Mapping[str, Scene] = {
    "UNAUTHORIZED": _as_it_is,
    "VALIDATION_ERROR": _as_it_is,
    "FORBIDDEN": _bound_token,
    "PICTURE_HIDDEN": _whatsapp_says(errors.PictureHidden()),
    "PICTURE_NOT_SET": _as_it_is,
    "GROUP_NOT_FOUND": _as_it_is,
    "GROUP_FORBIDDEN": _foreign_group,
    "NOT_FOUND": _as_it_is,
    "METHOD_NOT_ALLOWED": _as_it_is,
    "DEVICE_NOT_CHOSEN": _two_devices,
    "PAYLOAD_TOO_LARGE": _as_it_is,
    "RATE_LIMITED": _whatsapp_says(errors.RateLimited(60)),
    "INTERNAL_ERROR": _whatsapp_says(RuntimeError("5511999999999")),
    "NOT_IMPLEMENTED": _as_it_is,
    "DEVICE_NOT_READY": _reconnecting,
    "STORE_UNAVAILABLE": _busy_store,
    "SERVICE_UNAVAILABLE": _whatsapp_says(errors.ServiceUnavailable()),
    "WHATSAPP_ERROR": _whatsapp_says(errors.WhatsappError(500)),
    "WHATSAPP_TIMEOUT": _whatsapp_says(errors.WhatsappTimeout()),
    "TIMEOUT": _whatsapp_says(errors.CallTimeout()),
    "QR_TIMEOUT": _no_code,
    "BUDGET_EXHAUSTED": _whatsapp_says(errors.BudgetExhausted(QueryClass.PICTURE, 30)),
    "NOT_ON_WHATSAPP": _as_it_is,
}
"""For each reason, what the world is like while its example runs; gives the caller's token."""


def _run(example: _Example, stage: Stage, token: str) -> str:
    """Runs an example from the top of the repository; gives all that it prints."""
    text = example.command.replace("127.0.0.1:8080", stage.gateway)
    interpreter = ["bash", "-c"] if example.language == "sh" else [".venv/bin/python", "-c"]
    done = subprocess.run(
        [*interpreter, text],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=20,
        env={**os.environ, "TOKEN": token},
    )
    return done.stdout + done.stderr


def _meaning(output: str) -> Any:
    """Reads grpcurl's error, or an envelope; without what differs from run to run."""
    if output.startswith("{"):
        return {key: value for key, value in json.loads(output).items() if key != "timestamp"}
    details = [json.loads(one) for one in _DETAIL.findall(output)]
    for detail in details:
        if detail.get("metadata", {}).pop("request_id", None) and not detail["metadata"]:
            del detail["metadata"]
    return (_TITLE.findall(output), details) if details else output


class TestErrorExamples:
    """Every reason has an example that is true."""

    def test_every_reason_has_one(self) -> None:
        """The examples name the reasons of the proto, in its order."""
        names = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
        named = [name.removeprefix("ERROR_REASON_") for name in names]
        assert named[1:] == [example.reason for example in _EXAMPLES]

    @pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: example.reason)
    def test_example(self, stage: Stage, example: _Example) -> None:
        """The call gives what is shown, and that names the reason."""
        with _SCENES[example.reason](stage) as token:
            output = _run(example, stage, token)
        assert _meaning(example.output) == _meaning(output)
        assert example.reason in output
