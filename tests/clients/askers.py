"""Every kind of native client: each asks a question at an address and tells the answer."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc import aio
from grpc_status import rpc_status

from wuts.contacts.v1.contacts_service_pb2_grpc import ContactsServiceStub
from wuts.devices.v1.devices_service_pb2_grpc import DevicesServiceStub

from .node.install import NODE
from .questions import CONTACTS, Answer, Question, as_json, failed
from .stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    Asker = Callable[[str, Question, str], Answer]

_BIN = Path(sys.executable).parent
_DESCRIPTORS = ROOT / "gateway" / "contacts.binpb"
_SECONDS = 20
_CODES = {"INVALID_ARGUMENT": 3, "NOT_FOUND": 5, "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8,
          "UNAVAILABLE": 14, "UNAUTHENTICATED": 16}  # fmt: skip


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        check=False,
        text=True,
        timeout=_SECONDS,
        env={**os.environ, **environment},
    )


def _objects(text: str) -> list[dict[str, Any]]:
    """Reads JSON objects that follow one another."""
    decoder, found, text = json.JSONDecoder(), [], text.strip()
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def _without_device(answer: Answer) -> Answer:
    """Leaves out what differs from run to run, and texts for people."""
    for message in answer.messages:
        message.pop("device_id", None)
        for item in message.get("items", ()):
            item["detail"] = ""
    return answer


def _succeeded(question: Question, messages: list[dict[str, Any]]) -> Answer:
    return _without_device(Answer([question.normal(message) for message in messages]))


def grpcurl(address: str, question: Question, token: str) -> Answer:
    """The real grpcurl, which learns the services by reflection."""
    done = _run(
        *(_BIN / "grpcurl", "-plaintext", "-max-time", "10", "-format-error"),
        *("-H", f"authorization: Bearer {token}", "-d", json.dumps(question.fields)),
        *(address, question.path),
    )
    if not done.returncode:
        return _succeeded(question, _objects(done.stdout))
    return _failed_as_json(json.loads(done.stderr[done.stderr.index("{") :]))


def _failed_as_json(error: dict[str, Any]) -> Answer:
    """Reads grpcurl's JSON form of a status, whose details are written out."""
    kinds = {one["@type"].rpartition(".")[2]: one for one in error["details"]}
    info, bad = kinds["ErrorInfo"], kinds.get("BadRequest", {})
    violations = bad.get("field_violations") or bad.get("fieldViolations") or []
    retry = kinds.get("RetryInfo", {})
    delay = retry.get("retry_delay") or retry.get("retryDelay") or "0s"
    assert "wuts" == info["domain"]
    facts = {key: value for key, value in info.get("metadata", {}).items() if key != "request_id"}
    return Answer(
        code=next(name for name, code in _CODES.items() if code == error["code"]),
        reason=info["reason"],
        metadata=facts,
        at_fault=tuple(one["field"] for one in violations),
        retry_after=int(delay.rstrip("s")),
    )


def _buf_curl(*options: str) -> Asker:
    def ask(address: str, question: Question, token: str) -> Answer:
        done = _run(
            _BIN / "buf",
            *("curl", *options),
            *("-H", f"authorization: Bearer {token}", "-d", json.dumps(question.fields)),
            f"http://{address}/{question.path}",
            BUF_CACHE_DIR=str(ROOT / ".venv" / "buf"),
        )
        if not done.returncode:
            return _succeeded(question, _objects(done.stdout))
        return _failed_in_parts(json.loads(done.stderr))

    return ask


def _failed_in_parts(error: dict[str, Any]) -> Answer:
    """Reads buf's JSON form of a status, whose details are messages in base64."""
    code = _CODES[error["code"].upper()]
    details = [
        any_pb2.Any(
            type_url=f"type.googleapis.com/{one['type']}",
            value=base64.b64decode(one["value"] + "=="),
        )
        for one in error["details"]
    ]
    status = status_pb2.Status(code=code, details=details)
    return failed(code, status.SerializeToString())


def node(address: str, question: Question, token: str) -> Answer:
    """@grpc/grpc-js, from the descriptor set that the gateway uses."""
    client = Path(__file__).parent / "node" / "client.cjs"
    done = _run(
        *(NODE, client, address, _DESCRIPTORS, token, question.service, question.method),
        json.dumps(question.fields),
        NODE_PATH=str(ROOT / ".venv" / "node" / "node_modules"),
    )
    assert not done.returncode, done.stderr
    told = json.loads(done.stdout)
    if told["code"]:
        return failed(told["code"], base64.b64decode(told["details"]))
    return _succeeded(question, [_with_plain_values(one) for one in told["messages"]])


def _with_plain_values(message: dict[str, Any]) -> dict[str, Any]:
    """Writes a google.protobuf.Value, which Node shows as a message, as JSON."""
    text = json.dumps(message)
    text = re.sub(r'\{"null_value": "NULL_VALUE"\}', "null", text)
    plain: dict[str, Any] = json.loads(re.sub(r'\{"string_value": ("[^"]*")\}', r"\1", text))
    return plain


def _stub(channel: Any, question: Question) -> Any:
    kind: Any = ContactsServiceStub if question.service == CONTACTS else DevicesServiceStub
    return getattr(kind(channel), question.method)


def blocking_stub(address: str, question: Question, token: str) -> Answer:
    """The generated stub on a blocking channel."""
    with grpc.insecure_channel(address) as channel:
        call = _stub(channel, question)
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            answer = call(question.request(), metadata=metadata, timeout=_SECONDS)
            messages = list(answer) if hasattr(answer, "__next__") else [answer]
        except grpc.RpcError as error:
            status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]  # it is a call, too
            return failed(status.code, status.SerializeToString())
    return _without_device(Answer([as_json(message) for message in messages]))


async def asynchronous_stub(address: str, question: Question, token: str) -> Answer:
    """The generated stub on a channel of grpc.aio."""
    async with aio.insecure_channel(address) as channel:
        call = _stub(channel, question)
        metadata = (("authorization", f"Bearer {token}"),)
        try:
            begun = call(question.request(), metadata=metadata, timeout=_SECONDS)
            is_stream = hasattr(begun, "__aiter__")
            messages = [message async for message in begun] if is_stream else [await begun]
        except aio.AioRpcError as error:
            trailing: Any = error.trailing_metadata()
            return failed(error.code().value[0], trailing["grpc-status-details-bin"])
    return _without_device(Answer([as_json(message) for message in messages]))


_GRPC = ("--protocol", "grpc", "--http2-prior-knowledge")
_WEB = ("--protocol", "grpcweb")
_SCHEMA = ("--schema", str(_DESCRIPTORS))

ASKERS: dict[str, Asker] = {
    "grpcurl": grpcurl,
    "buf curl by reflection": _buf_curl(*_GRPC),
    "buf curl by descriptor": _buf_curl(*_GRPC, *_SCHEMA),
    "node": node,
    "blocking stub": blocking_stub,
}
"""The clients that speak gRPC, to the gateway and to the service."""

WEB_ASKERS: dict[str, Asker] = {"buf curl over gRPC-Web": _buf_curl(*_WEB, *_SCHEMA)}
"""The clients that speak gRPC-Web, to the gateway only."""
