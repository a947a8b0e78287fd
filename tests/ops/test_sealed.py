"""A sealed file opens whole and as it was written, or not at all."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from io import BytesIO

import pytest

from dazi.core.errors import CallerError
from dazi.ops.backup import sealed
from dazi.ops.backup.entries import End, File, Packer, Piece, Rows, Table, entries
from dazi.ops.backup.sealed import CHUNK, TAG, Header, SealedReader, SealedWriter

ROOT = bytes(range(32))
HEADER = Header(1.5, "0.1.0", "0001", "abc", b"s" * 16)
WHOLE = CHUNK + TAG


def known(passphrase: str, salt: bytes) -> bytes:
    return ROOT if passphrase == "right" else bytes(32)


def made(content: bytes) -> bytes:
    out = BytesIO()
    writer = SealedWriter(out, HEADER, ROOT)
    writer.write(content)
    writer.close()
    return out.getvalue()


def opened(data: bytes, passphrase: str = "right") -> bytes:
    return b"".join(SealedReader(BytesIO(data), passphrase, known).chunks())


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_written_is_read(size: int) -> None:
    content = os.urandom(size)
    assert opened(made(content)) == content


CONTENT = random.Random(7).randbytes(3 * CHUNK + 1000)
SEALED = made(CONTENT)
START = len(SEALED) - len(CONTENT) - 4 * TAG


def test_any_byte_that_is_changed() -> None:
    """Every byte up to the content, and some of each chunk and each tag."""
    rng = random.Random(1)
    places = [*range(START + 40), *range(len(SEALED) - 40, len(SEALED))]
    places += [rng.randrange(START, len(SEALED)) for _ in range(200)]
    for at in places:
        changed = bytearray(SEALED)
        changed[at] ^= 1 << rng.randrange(8)
        with pytest.raises(CallerError):
            opened(bytes(changed))


def chunks() -> list[bytes]:
    body = SEALED[START:]
    return [body[i : i + WHOLE] for i in range(0, len(body), WHOLE)]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: [c[1], c[0], *c[2:]],
        lambda c: [c[0], c[0], *c[1:]],
        lambda c: [c[0], *c[2:]],
        lambda c: c[:-1],
        lambda c: c[:1],
        lambda c: [],
        lambda c: [*c, b""[:0] + c[-1]],
        lambda c: [*c, b"x"],
        lambda c: [*c[:-1], c[-1][:-1]],
    ],
)
def test_chunks_that_were_moved_doubled_or_left_out(
    change: Callable[[list[bytes]], list[bytes]],
) -> None:
    assert b"".join(chunks()) == SEALED[START:]
    with pytest.raises(CallerError) as refused:
        opened(SEALED[:START] + b"".join(change(chunks())))
    assert refused.value.code == "damaged"


def test_every_way_of_cutting_it_off() -> None:
    rng = random.Random(2)
    for size in [*range(START + 20), *(rng.randrange(len(SEALED)) for _ in range(100))]:
        with pytest.raises(CallerError):
            opened(SEALED[:size])


@pytest.mark.parametrize("guard", ["count", "last"])
def test_the_nonce_is_what_notices(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard broken on purpose: without the count order is free, without the mark the end is."""
    real = sealed._nonce
    if guard == "count":
        monkeypatch.setattr(sealed, "_nonce", lambda count, last: real(0, last))
        changed = [1, 0, 2, 3]
    else:
        monkeypatch.setattr(sealed, "_nonce", lambda count, last: real(count, False))
        changed = [0, 1]
    weak = made(CONTENT)[START:]
    pieces = [weak[i : i + WHOLE] for i in range(0, len(weak), WHOLE)]
    assert opened(SEALED[:START] + b"".join(pieces[i] for i in changed)) != CONTENT


def test_a_wrong_passphrase_and_a_foreign_file() -> None:
    with pytest.raises(CallerError) as refused:
        opened(SEALED, "wrong")
    assert refused.value.code == "passphrase"
    with pytest.raises(CallerError, match="no backup"):
        opened(b"SQLite format 3\0" + bytes(100))


def test_a_newer_format_says_so() -> None:
    out = BytesIO()
    SealedWriter(out, Header(1.5, "9.0", "0001", "", b"s" * 16, format=2), ROOT).close()
    with pytest.raises(CallerError, match="newer version"):
        opened(out.getvalue())


def test_the_key_costs_time_and_depends_on_everything() -> None:
    salt = b"0" * 16
    one = sealed.derive("correct horse battery", salt)
    assert one == sealed.derive("ｃorrect horse battery", salt), "NFKC"
    assert one != sealed.derive("correct horse battery", b"1" * 16)
    assert one != sealed.derive("correct horse batterz", salt)
    for short in ("", "elevenchars"):
        with pytest.raises(CallerError, match="12"):
            sealed.check_passphrase(short)


def packed(*given: object, close: bool = True) -> SealedReader:
    out = BytesIO()
    packer = Packer(SealedWriter(out, HEADER, ROOT))
    for entry in given:
        packer.put(entry)  # type: ignore[arg-type]
    if close:
        packer.close()
    else:
        packer._out.write(packer._deflate.flush())
        packer._out.close()
    return SealedReader(BytesIO(out.getvalue()), "right", known)


def test_entries_come_back_as_they_were() -> None:
    given = [
        Table("t", ["a", "b"]),
        Rows([[1, "李"], [2**40, None], [1.0, True], [1760000000.123456, b"\0\xff"]]),
        File("data", "x/y", 0o640),
        Piece(os.urandom(200_000)),
    ]
    found = list(entries(packed(*given)))
    assert found == given
    assert [type(v) for row in found[1].rows for v in row] == [  # type: ignore[union-attr]
        int, str, int, type(None), float, bool, float, bytes,
    ]  # fmt: skip


@pytest.mark.parametrize("given", [(), (End(0, 5),), (End(0, 0), Table("t", []))])
def test_an_end_that_does_not_fit(given: tuple[object, ...]) -> None:
    with pytest.raises(CallerError):
        list(entries(packed(*given, close=False)))
