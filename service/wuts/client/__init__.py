"""A typed Python client of wuts, blocking (`Client`) and asynchronous (`AsyncClient`).

    >>> from wuts.client import Client, PictureHidden
    >>> with Client("127.0.0.1:8080", token=TOKEN, tls=False) as client:
    ...     for contact in client.contacts():
    ...         print(contact.jid, contact.full_name)
    5511999999999@s.whatsapp.net Maria Silva
    5511888888888@s.whatsapp.net Joao Pereira

Both clients have the same methods, with the same parameters:

* `contacts`, `list_contacts`, the stream `stream_contacts`, `picture`, `resolve`, `profile`,
  `check`, `blocklist`, `block`, `unblock`, `sync_app_state` and `budget`, described in
  `wuts.client.contact_calls`;
* `devices`, `create_device`, `delete_device`, `device_status`, `connect_device`,
  `disconnect_device`, `logout_device`, `qr_code`, `qr_status`, `pair_code`, and the streams
  `link_device` and `watch_device`, described in `wuts.client.device_calls`.

Answers are frozen dataclasses and not the protobuf messages: what is absent is None (a
message would say "" or 0, and only HasField would tell), times are datetimes, lists are
tuples, and an answer can be compared, hashed, pickled and matched. A failed call raises a
subclass of `WutsError`, one for each reason.

It needs grpcio, protobuf and googleapis-common-protos, and nothing else of the service.
"""

from wuts.client.aio import AsyncClient
from wuts.client.blocking import Client
from wuts.client.contact_values import (
    AppStateSync,
    BlockChange,
    BlockedContact,
    Blocklist,
    Budget,
    Contact,
    ContactPage,
    ContactProfile,
    DryRun,
    ProfilePicture,
    QueryBudget,
    Resolution,
    ResolvedIdentifier,
)
from wuts.client.device_values import (
    Connection,
    Device,
    DeviceState,
    DeviceStatus,
    Linked,
    LinkStep,
    Outcome,
    PairCode,
    QrCode,
    QrCodeImage,
    QrStatus,
)
from wuts.client.errors import (
    BudgetExhausted,
    DeviceNotChosen,
    DeviceNotReady,
    Forbidden,
    GroupForbidden,
    GroupNotFound,
    InternalError,
    MethodNotAllowed,
    NotFound,
    NotImplementedHere,
    NotOnWhatsapp,
    PayloadTooLarge,
    PictureHidden,
    PictureNotSet,
    QrTimeout,
    RateLimited,
    ServiceUnavailable,
    StoreUnavailable,
    Timeout,
    Unauthorized,
    Unreachable,
    ValidationError,
    Violation,
    WhatsappError,
    WhatsappTimeout,
    WutsError,
)

__all__ = [
    "AppStateSync",
    "AsyncClient",
    "BlockChange",
    "BlockedContact",
    "Blocklist",
    "Budget",
    "BudgetExhausted",
    "Client",
    "Connection",
    "Contact",
    "ContactPage",
    "ContactProfile",
    "Device",
    "DeviceNotChosen",
    "DeviceNotReady",
    "DeviceState",
    "DeviceStatus",
    "DryRun",
    "Forbidden",
    "GroupForbidden",
    "GroupNotFound",
    "InternalError",
    "LinkStep",
    "Linked",
    "MethodNotAllowed",
    "NotFound",
    "NotImplementedHere",
    "NotOnWhatsapp",
    "Outcome",
    "PairCode",
    "PayloadTooLarge",
    "PictureHidden",
    "PictureNotSet",
    "ProfilePicture",
    "QrCode",
    "QrCodeImage",
    "QrStatus",
    "QrTimeout",
    "QueryBudget",
    "RateLimited",
    "Resolution",
    "ResolvedIdentifier",
    "ServiceUnavailable",
    "StoreUnavailable",
    "Timeout",
    "Unauthorized",
    "Unreachable",
    "ValidationError",
    "Violation",
    "WhatsappError",
    "WhatsappTimeout",
    "WutsError",
]
