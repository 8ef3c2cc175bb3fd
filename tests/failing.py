"""What a failed call says, read back as a caller would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Failure:
    """Code, reason, text and details of a failed call; `metadata` is without the request id."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str]
    fields: list[str]
    trailing: dict[str, Any]
    request_id: str


def failure_of(call: Callable[[], object]) -> Failure:
    """Makes a call that must fail; checks that it carries exactly one ErrorInfo."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error = cast("grpc.Call", caught.value)
    status = rpc_status.from_call(error)
    assert status is not None
    infos, fields = [], []
    for detail in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            infos.append(info)
        elif detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
    assert [info.domain for info in infos] == ["wuts"]
    metadata = dict(infos[0].metadata)
    request_id = metadata.pop("request_id")
    trailing = dict(error.trailing_metadata() or ())
    return Failure(
        error.code(), infos[0].reason, error.details() or "", metadata, fields,
        trailing, request_id,
    )  # fmt: skip
