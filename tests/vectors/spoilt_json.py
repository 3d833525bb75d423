"""Messages that a decoder must refuse, made from the good ones by one change of their text."""

import json
from typing import Any, Final

from protocol.encoding import b64u
from protocol.messages import SUITE
from tests.vectors import cast

Json = dict[str, Any]

# Most encoders write what they decoded from these back in the same way.
ESCAPES: Final = (
    "\\n",
    "\\r",
    "\\t",
    "\\b",
    "\\f",
    "\\u0000",
    "\\u0001",
    "\\u001f",
    "\\ud800",
    "\\udc00",
)


def cases() -> list[Json]:
    """Every case: name, message, body (text), expect."""
    played = cast.run()
    bodies = {
        "init": played.init.decode(),
        "reply": played.replied.reply.decode(),
        "confirm": played.pending.confirm.decode(),
        "complete": played.completed.body.decode(),
    }
    return [
        *(_case("as it is", message, body, "accepted") for message, body in bodies.items()),
        *(
            _case(name, message, body, code)
            for message, text in bodies.items()
            for name, body, code in _spoilt(text)
        ),
        *(_case(name, "init", body, code) for name, body, code in _inits(bodies["init"])),
    ]


def _case(name: str, message: str, body: str, expect: str) -> Json:
    return {"name": name, "message": message, "body": body, "expect": expect}


def _spoilt(text: str) -> list[tuple[str, str, str]]:
    members = json.loads(text)
    disordered = dict(reversed(members.items()))
    last, value = list(members.items())[-1]
    return [
        ("empty", "", "malformed"),
        ("null", "null", "malformed"),
        ("a list", "[]", "malformed"),
        ("no members", "{}", "malformed"),
        ("truncated", text[:-1], "malformed"),
        ("final newline", text + "\n", "malformed"),
        ("white space", json.dumps(members), "malformed"),
        ("another order", json.dumps(disordered, separators=(",", ":")), "malformed"),
        ("duplicate member", text.replace("{", '{"v":1,', 1), "malformed"),
        ("unknown member", text[:-1] + ',"x":1}', "malformed"),
        ("no v", text.replace('"v":1,', ""), "malformed"),
        ("v is 2", text.replace('"v":1', '"v":2'), "malformed"),
        ("v is a string", text.replace('"v":1', '"v":"1"'), "malformed"),
        ("v is a fraction", text.replace('"v":1', '"v":1.0'), "malformed"),
        ("v is true", text.replace('"v":1', '"v":true'), "malformed"),
        (f"{last} is null", text.replace(f'"{value}"', "null"), "malformed"),
        (f"{last} is a number", text.replace(f'"{value}"', "7"), "malformed"),
        (f"{last} is a list", text.replace(f'"{value}"', "[]"), "malformed"),
        (f"{last} is padded", text.replace(value, value + "=="), "malformed"),
        (f"{last} is one byte short", text.replace(value, b64u(bytes(63))), "malformed"),
        (f"{last} is one byte long", text.replace(value, b64u(bytes(65))), "malformed"),
        (f"{last} in the other alphabet", text.replace(value, "+/" + value[2:]), "malformed"),
        (f"{last} with an escape", text.replace(value, "\\u0041" + value[1:]), "malformed"),
        (f"{last} not canonical", text.replace(value, b64u(bytes(64))[:-1] + "B"), "malformed"),
        ("nested too deep", text.replace(f'"{value}"', "[" * 64 + "]" * 64), "malformed"),
    ]


def _inits(text: str) -> list[tuple[str, str, str]]:
    members = json.loads(text)
    return [
        ("larger than 65,536 bytes", text + " " * 65_536, "too-large"),
        ("another suite", _with(members, suite="CPACE-X25519-SHA512"), "unsupported-suite"),
        ("nonce of 31 bytes", _with(members, nonce=b64u(bytes(31))), "malformed"),
        ("share of 33 bytes", _with(members, share=b64u(bytes(33))), "malformed"),
        ("kem of 1,183 bytes", _with(members, kem=b64u(bytes(1183))), "malformed"),
        ("activation of 21 symbols", _with(members, activation="A" * 21), "malformed"),
        ("activation not canonical", _with(members, activation="A" * 21 + "B"), "malformed"),
        (
            "activation with a final newline",
            _with(members, activation="A" * 22 + "\n"),
            "malformed",
        ),
        ("unescaped control character", _suite("a\nb"), "malformed"),
        *((f"suite with {escape}", _suite(f"a{escape}b"), "malformed") for escape in ESCAPES),
        ("suite with a backslash and \\n", _suite("\\\\\\n"), "malformed"),
        # Nothing is wrong with these texts but that they name no suite.
        ("suite with both right escapes", _suite('\\\\\\"'), "unsupported-suite"),
        ("suite with a backslash and an n", _suite("\\\\n"), "unsupported-suite"),
    ]


def _suite(raw: str) -> str:
    """The init with this suite, as it stands between the quotation marks."""
    return cast.run().init.decode().replace(SUITE, raw, 1)


def _with(members: Json, **change: str) -> str:
    return json.dumps({**members, **change}, separators=(",", ":"))
