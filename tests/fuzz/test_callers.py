"""What callers send: bodies, tokens, keys, headers."""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from dazi.access.tokens import CLAIM_CHECKS, HEADER_CHECKS, BadToken, Expected, read, verify
from dazi.gateway.accounts import bodies
from dazi.gateway.embeddings import EMBEDDING_REQUEST
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.wire import CHAT, DECISION, Reader
from tests.fuzz.inputs import bent_bytes, bent_data, bent_text, deep, fuzzed

CHATS: list[Any] = [
    {
        "model": "dazi",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "x"},
            {"role": "user", "content": [{"type": "text", "text": "查 ORD12345"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "stop": ["a"],
        "logit_bias": {"1": 2.0},
        "temperature": 0.5,
    }
]
OTHERS: list[tuple[Reader[Any], Any]] = [
    (DECISION, {"approve": True, "reason": "行"}),
    (EMBEDDING_REQUEST, {"model": "m", "input": ["a", "b"]}),
    (bodies.SIGN_IN, {"user": "a", "password": "b"}),
    (bodies.NEW_ACCOUNT, {"user": "a", "name": "b", "roles": ["c"], "attributes": {"d": "e"}}),
    (bodies.ACCOUNT_EDIT, {"name": "a", "disabled": False}),
    (bodies.ROLES_CHANGE, {"roles": ["a"], "give": True}),
    (bodies.NEW_KEY, {"name": "a", "tools": ["b"], "days": 3}),
]


def said_where(reader: Reader[Any], body: bytes) -> None:
    try:
        assert isinstance(reader.read(body), reader.kind)
    except BadField as e:
        assert e.text.zh and e.text.en and "\n" not in e.text.en


@fuzzed
@given(bent_data(*CHATS))
def test_chat_requests_of_any_form(data: Any) -> None:
    said_where(CHAT, json.dumps(data).encode())


@fuzzed
@given(bent_bytes(*(json.dumps(c, ensure_ascii=False).encode() for c in CHATS)))
def test_chat_requests_of_any_bytes(body: bytes) -> None:
    said_where(CHAT, body)


@fuzzed
@given(st.sampled_from(OTHERS), st.data())
def test_other_bodies(one: tuple[Reader[Any], Any], data: st.DataObject) -> None:
    reader, example = one
    said_where(reader, json.dumps(data.draw(bent_data(example))).encode())
    said_where(reader, data.draw(bent_bytes(json.dumps(example).encode())))


@pytest.mark.parametrize("opening", ['{"messages":[', "[", '{"audio":', '{"tools":[{"function":'])
def test_bodies_nested_too_deeply(opening: str) -> None:
    with pytest.raises(BadField):
        CHAT.read(deep(opening, "").encode())


# --- tokens ---------------------------------------------------------------------------------------

HEADER = {"alg": "RS256", "kid": "1", "typ": "JWT"}
CLAIMS = {
    "iss": "https://id.example", "aud": ["dazi"], "azp": "dazi", "sub": "u", "nonce": "n",
    "exp": 2_000_000_000, "iat": 1_700_000_000, "nbf": 1_700_000_000, "at_hash": "x",
}  # fmt: skip
KEY = RSAKey.generate_key(2048, private=False)
EXPECTED = Expected("https://id.example", "dazi", "n", now=1_750_000_000.0)


def part(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


@fuzzed
@given(bent_data(HEADER), bent_data(CLAIMS), st.text(alphabet="Aab-_", max_size=8))
def test_tokens_without_a_good_signature_are_refused(header: Any, claims: Any, sign: str) -> None:
    with pytest.raises(BadToken):
        verify(read(f"{part(header)}.{part(claims)}.{sign}"), KEY, EXPECTED)


@fuzzed
@given(bent_data(HEADER), bent_data(CLAIMS))
def test_every_check_has_an_answer_to_anything(header: Any, claims: Any) -> None:
    try:
        token = read(f"{part(header)}.{part(claims)}.c2ln")
    except BadToken:
        return
    for check in (*HEADER_CHECKS.values(), *CLAIM_CHECKS.values()):
        assert check(token, EXPECTED) in (True, False)


@fuzzed
@given(bent_text(f"{part(HEADER)}.{part(CLAIMS)}.c2ln"))
def test_texts_that_may_be_tokens(text: str) -> None:
    try:
        token = read(text)
    except BadToken:
        return
    assert isinstance(token.header, dict) and isinstance(token.claims, dict)


# --- headers --------------------------------------------------------------------------------------

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_SENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@fuzzed
@given(bent_bytes(TRACE), bent_bytes(b"req-1"))
def test_a_trace_and_an_id_go_on_only_in_their_form(trace: bytes, number: bytes) -> None:
    """They are written into headers and logs: nothing else may get there through them."""
    headers = {b"traceparent": trace, b"x-request-id": number}
    some: Any = SimpleNamespace()
    x = Exchange(some, some, None, headers, {}, some, some)
    x.know({"client": ("127.0.0.1", 1)})
    assert not x.trace or _SENT.fullmatch(x.trace)
    assert re.fullmatch(rb"[A-Za-z0-9._:-]{1,64}", x.request)
