"""The same three calls as a FastAPI service in front of neonize: `python -m … STORE PICTURE PORT`.

As somebody would write it who needs nothing else: plain handlers where the engine blocks, which
FastAPI runs on threads, asynchronous ones where nothing does, pydantic models, a token in a
dictionary, and pictures remembered for a quarter of an hour. Pictures are in memory from the
beginning, so that no connection is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import uvicorn
from cachetools import TTLCache
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from benchmarks.peers import TOKEN
from benchmarks.peers.naive import Engine, resolve

_PICTURES, _PICTURE_SECONDS = 10_000, 900


class Contact(BaseModel):
    """One person."""

    jid: str
    first_name: str | None = None
    full_name: str | None = None
    push_name: str | None = None
    business_name: str | None = None


class Contacts(BaseModel):
    """The list."""

    success: bool = True
    count: int
    contacts: list[Contact]


class Picture(BaseModel):
    """A picture's address."""

    jid: str
    url: str
    id: str
    type: str
    direct_path: str


class PictureAnswer(BaseModel):
    """The answer about a picture."""

    success: bool = True
    data: Picture


class Identifiers(BaseModel):
    """What is to be resolved."""

    jids: Annotated[list[str], Field(min_length=1, max_length=160)]


class Item(BaseModel):
    """What is known of one input."""

    input: str
    input_jid: str
    resolved_jid: str | None = None
    jid: str
    phone_number: str | None = None
    lid_jid: str | None = None
    full_name: str | None = None
    push_name: str | None = None
    status: str | None = None


class Items(BaseModel):
    """The answer about identifiers."""

    success: bool = True
    count: int
    items: list[Item]


_bearer = HTTPBearer()


async def _authenticated(given: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]) -> str:
    device = {TOKEN: "device"}.get(given.credentials)
    if device is None:
        raise HTTPException(401, "invalid token")
    return device


def make_app(engine: Engine, picture: Picture) -> FastAPI:
    """Makes the service."""
    app = FastAPI(dependencies=[Depends(_authenticated)])
    pictures: TTLCache[str, Picture] = TTLCache(_PICTURES, _PICTURE_SECONDS)
    pictures[picture.jid] = picture

    @app.get("/contacts", response_model_exclude_none=True)
    def contacts() -> Contacts:
        fields = ("first_name", "full_name", "push_name", "business_name")
        found = [
            Contact(
                jid=jid, **{field: name for field, name in zip(fields, names, strict=True) if name}
            )
            for jid, names in engine.contacts()
        ]
        return Contacts(count=len(found), contacts=found)

    @app.get("/contacts/profile-picture")
    async def profile_picture(number: str) -> PictureAnswer:
        known = pictures.get(f"{number}@s.whatsapp.net")
        if known is None:
            raise HTTPException(404, "no picture")
        return PictureAnswer(data=known)

    @app.post("/contacts/resolve", response_model_exclude_none=True)
    def resolve_identifiers(asked: Identifiers) -> Items:
        items = [Item.model_validate(resolve(text, engine)) for text in asked.jids]
        return Items(count=len(items), items=items)

    return app


def main(store: str, picture: str, port: str) -> None:
    """Serves on loopback until the process is ended."""
    app = make_app(Engine(Path(store)), Picture.model_validate_json(picture))
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
