"""The service's settings: WUTS_* environment variables to one frozen object."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from wuts.domain.budget import Allowance, parse_allowance


def _off(value: object) -> object:
    return None if isinstance(value, str) and value.lower() == "off" else value


def _split(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _allowance(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_allowance(value)
    except ValueError as error:
        # A ValueError would come out with pydantic's own words before it.
        raise PydanticCustomError("allowance", str(error)) from None


_Allowance = Annotated[Allowance, NoDecode, BeforeValidator(_allowance)]
_DAY = 86_400
_Seconds = Annotated[int, Field(ge=0, le=30 * _DAY)]
_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Everything an operator may choose. Each name is a variable WUTS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="WUTS_", frozen=True, extra="ignore")

    data_dir: Path = Path("data")
    """Where the registry, the devices' stores and the page-token key live (0700)."""

    grpc_host: str = "127.0.0.1"
    """The address the gRPC server listens on. Loopback unless another host must call."""

    grpc_port: int = Field(default=50051, ge=0, le=65535)
    """The port the gRPC server listens on; 0 takes any free one (see service.json)."""

    max_list: int = Field(default=200_000, ge=1, le=300_000)
    """The most contacts ListContacts gives without page_size; the gateway carries 300,000."""

    session_command: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
    ] = (sys.executable, "-m", "wuts.session")
    """The command of a session process, split as a shell does; arguments are appended."""

    session_log: bool = False
    """Whether each session's output is kept in its directory (0600). It holds numbers."""

    sandbox: bool = False
    """Whether the session processes talk to a sandbox; must agree with what they say."""

    call_timeout: float = Field(default=10.0, gt=0, le=12)
    """Seconds a call to WhatsApp may take, waiting included."""

    store_timeout: float = Field(default=5.0, gt=0, le=12)
    """Seconds one read of a device's store may take."""

    # WhatsApp tells nobody what it allows: these budgets are cautious guesses of our own.
    budget_numbers: _Allowance = Allowance(per_hour=120, burst=60)
    """How many phone numbers a device may have checked, as "120/h burst 60"."""

    budget_users: _Allowance = Allowance(per_hour=240, burst=60)
    """How many people a device may ask about, in the same form."""

    budget_pictures: _Allowance = Allowance(per_hour=600, burst=120)
    """How many pictures a device may ask for, in the same form."""

    budget_groups: _Allowance = Allowance(per_hour=120, burst=30)
    """How many rosters of groups a device may ask for, in the same form."""

    quiet_hours: float = Field(default=24.0, ge=0, le=720)
    """Hours after linking, and after a ban, in which budgets are a quarter; 0: none."""

    picture_seconds: _Seconds = 900
    """How long a picture is believed to be the present one; 0 asks each time."""

    roster_seconds: _Seconds = 900
    """How long the roster of a group is believed to be complete."""

    hidden_picture_seconds: _Seconds = 21_600
    """How long a picture is believed to be hidden from the device."""

    no_picture_seconds: _Seconds = 86_400
    """How long a chat is believed to have no picture."""

    not_registered_seconds: _Seconds = 86_400
    """How long a phone number is believed not to be on WhatsApp."""

    drain_seconds: float = Field(default=10.0, ge=0, le=60)
    """Seconds that calls under way may take to finish once the service is told to stop."""

    metrics_port: Annotated[_Port | None, BeforeValidator(_off)] = 9464
    """The loopback port of the metrics; 0 takes any free one (see service.json), "off" has none."""

    otlp_endpoint: Annotated[str, Field(pattern="^(https?://[^/?#]+(/[^?#]*)?)?$")] = ""
    """An OpenTelemetry collector's address for traces (OTLP over HTTP); empty: no traces."""

    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    """The least level that is logged: debug, info, warning or error."""
