"""Whole runs with every value on the way, each from a few given ones."""

import hashlib
from typing import Any, Final

from protocol import cpace, key_schedule
from protocol.key_schedule import expand, extract, labelled
from protocol.messages import read_init, read_reply
from tests.vectors import cast

Json = dict[str, Any]

_LABELS: Final = {"device tag": 64, "service tag": 64, "device seal": 32, "service seal": 32}


def document() -> Json:
    """The fixed run: every intermediate value in hex, every message as sent."""
    return described(cast.run(), device="device", service_scalar=cast.seed("service"))


def described(played: cast.Run, *, device: str, service_scalar: bytes) -> Json:
    """A run whose nonce and scalar come from the stream `device`."""
    return {
        "given": _given(played, device, service_scalar),
        "values": {**_pake(played, service_scalar), **_schedule(played)},
        **_messages(played),
    }


def _given(played: cast.Run, device: str, service_scalar: bytes) -> Json:
    return {
        "issuer": played.context.issuer,
        "activation": played.context.activation,
        "kind": played.context.kind,
        "bound_jkt": played.context.bound_jkt or "",
        "sub": cast.DOCUMENT.sub,
        "grants": [
            {"id": one.id, "account": one.account, "service": one.service, "uid": one.service_uid}
            for one in played.grants
        ],
        "prs": played.prs.hex(),
        "nonce": cast.seed(device).hex(),
        "device_scalar": cast.seed(device, 64)[32:].hex(),
        "kem_seed": cast.seed("device", 128)[64:].hex(),
        "service_scalar": service_scalar.hex(),
        "kem_ciphertext": cast.encapsulated()[1].hex(),
        "exchange_key_seed": cast.EXCHANGE_KEY.seed().hex(),
        "identity_seed": cast.IDENTITY.seed().hex(),
        "device": {
            "name": cast.DEVICE.name,
            "platform": cast.DEVICE.platform,
            "handler": cast.DEVICE.handler,
        },
    }


def _pake(played: cast.Run, service_scalar: bytes) -> Json:
    init, reply = read_init(played.init), read_reply(played.replied.reply)
    channel = played.context.channel()
    text = cpace.generator_string(played.prs, channel, init.nonce)
    k = cpace.agree(service_scalar, init.share)
    isk = cpace.intermediate_key(init.nonce, k, (init.share, init.kem), (reply.share, reply.kem))
    return {
        "ci": channel.hex(),
        "generator_string": text.hex(),
        "generator_hash": hashlib.sha512(text).digest()[:32].hex(),
        "ya": init.share.hex(),
        "ek": init.kem.hex(),
        "yb": reply.share.hex(),
        "k": k.hex(),
        "isk": isk.hex(),
        "kem_secret": played.kem_secret.hex(),
    }


def _schedule(played: cast.Run) -> Json:
    secrets, pending = played.replied.secrets, played.pending
    return {
        "th1": pending.run.hex(),
        **({} if played.context.kind == "code" else _admission(played)),
        "th2": secrets.th2.hex(),
        "psk": extract(b"handfast/1 psk", played.prs).hex(),
        "prk": secrets.prk.hex(),
        "th3": pending.th3.hex(),
        **{
            name: labelled(secrets.prk, name, secrets.th2, length).hex()
            for name, length in _LABELS.items()
        },
    }


def _admission(played: cast.Run) -> Json:
    label = b"handfast/1 admission"
    return {
        "k_adm": expand(extract(label, played.prs), label, 64).hex(),
        "admission": key_schedule.admission_tag(played.prs, played.pending.run).hex(),
    }


def _messages(played: cast.Run) -> Json:
    return {
        "init": played.init.decode(),
        "reply": played.replied.reply.decode(),
        "confirm": played.pending.confirm.decode(),
        "complete": played.completed.body.decode(),
        "jkt": cast.IDENTITY.kid,
        "keys": [
            {
                "grant": one.grant,
                "session_key": one.key.hex(),
                "key_id": one.key_id,
                "fingerprint": one.fingerprint.hex(),
                "words": list(one.words),
                "purpose_key contacts to-device": one.purpose_key("contacts", "to-device").hex(),
            }
            for one in played.established.keys
        ],
    }
