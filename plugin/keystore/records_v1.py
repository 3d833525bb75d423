"""The key store's first version: still read, written again as this one by the next change."""

from typing import Any

import msgspec


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Pending(_Record, frozen=True, forbid_unknown_fields=True):
    activation: str
    issuer: str
    exchange: str
    created: int
    data: str


class _Key(_Record, frozen=True, forbid_unknown_fields=True):
    key_id: str
    issuer: str
    device: str
    sub: str
    grant: str
    account: str
    service: str
    service_uid: str
    key: str
    book: str | None
    created: int


class ContentsV1(_Record, frozen=True, forbid_unknown_fields=True):
    """Everything that a store of version 1 holds."""

    version: int
    identities: dict[str, str]
    pending: tuple[_Pending, ...]
    keys: tuple[_Key, ...]
    used: dict[str, int]


def upgraded(contents: ContentsV1) -> dict[str, Any]:
    """Return what later versions would hold; what they add has its defaults there."""
    # A book was never sent then, and what was kept in its place was no signed one.
    keys = [{**msgspec.structs.asdict(key), "book": None} for key in contents.keys]
    pending = [msgspec.structs.asdict(record) for record in contents.pending]
    return {
        "identities": contents.identities,
        "pending": pending,
        "keys": keys,
        "used": contents.used,
    }
