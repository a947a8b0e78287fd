"""The envelope against the vendor's own published example, and against whoever forges one."""

from __future__ import annotations

import base64
import os
import struct
from itertools import count

import pytest

from dazi.gateway.channels.envelope import Envelope
from dazi.gateway.channels.protocol import Forged
from tests.fakes.vendors import AES_KEY, TOKEN, decrypted, encrypted, sha1

# 加解密方案说明 and the sample that comes with the vendor's libraries: token, key and receiver with a
# callback of each kind.
PUBLISHED = Envelope("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
MESSAGE = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L"
    "3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHz"
    "M6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNq"
    "bSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6"
    "bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)
OURS = Envelope(TOKEN, AES_KEY, "corp")


def test_the_vendor_s_own_example_of_an_address_check() -> None:
    signature = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert PUBLISHED.opened(signature, "1409659589", "263014780", ECHO) == b"1616140317555161061"


def test_the_vendor_s_own_example_of_a_message() -> None:
    signature = "477715d11cdb4164915debcba66cb864d751f3e6"
    found = PUBLISHED.opened(signature, "1409659813", "1372623149", MESSAGE).decode()
    assert "<FromUserName><![CDATA[mycreate]]></FromUserName>" in found
    assert "<Content><![CDATA[hello]]></Content>" in found


def test_another_s_cipher_is_read_and_reads_ours() -> None:
    for size in (0, 1, 11, 12, 27, 28, 2000):
        message = os.urandom(size)
        sealed = encrypted(message, "corp")
        assert OURS.opened(sha1(TOKEN, "1", "n", sealed), "1", "n", sealed) == message
        assert decrypted(OURS.seal(message)) == (message, "corp")


def _raw(whole: bytes) -> str:
    """``whole`` encrypted as it stands."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = base64.b64decode(AES_KEY + "=")
    made = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(made.update(whole) + made.finalize()).decode()


def _body(message: bytes, receiver: bytes, size: int | None = None) -> bytes:
    whole = b"r" * 16 + struct.pack(">I", len(message) if size is None else size)
    whole += message + receiver
    missing = 32 - len(whole) % 32
    return whole + bytes([missing]) * missing


@pytest.mark.parametrize(
    ("why", "sealed"),
    [
        ("receiver", encrypted(b"m", "another")),
        ("receiver", _raw(_body(b"m", b"corp", 0))),
        ("receiver", _raw(_body(b"m", b"corp", 2**31))),
        ("padding", _raw(b"r" * 31 + b"\0")),
        ("padding", _raw(b"r" * 31 + b"\x21")),
        ("padding", _raw(_body(b"m", b"corp")[:-2] + b"\x01\x07")),
        ("length", _raw(b"r" * 31 + b"\x01")[:-4]),
        ("length", ""),
        ("length", _raw(b"r" * 16 + bytes([16]) * 16)),
        ("base64", "not base64!"),
        ("base64", "AAA"),
    ],
    ids=count(),
)
def test_what_is_not_whole_is_refused_although_it_is_signed(why: str, sealed: str) -> None:
    with pytest.raises(Forged) as caught:
        OURS.opened(sha1(TOKEN, "1", "n", sealed), "1", "n", sealed)
    assert caught.value.why == why
    assert why not in caught.value.text.en  # from outside all reasons look alike


@pytest.mark.parametrize("changed", ["signature", "timestamp", "nonce", "sealed"])
def test_the_signature_is_about_everything(changed: str) -> None:
    sealed = encrypted(b"m", "corp")
    given = {"signature": sha1(TOKEN, "1", "n", sealed), "timestamp": "1", "nonce": "n"}
    given["sealed"] = sealed
    assert OURS.opened(*given.values()) == b"m"
    given[changed] = encrypted(b"m", "corp") if changed == "sealed" else given[changed] + "0"
    with pytest.raises(Forged) as caught:
        OURS.opened(*given.values())
    assert caught.value.why == "signature"


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", "!" * 43])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Envelope(TOKEN, key, "corp")
