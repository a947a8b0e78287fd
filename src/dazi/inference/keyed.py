"""One connection pool to a model server that asks for a key."""

from __future__ import annotations

from dazi.net import LeanClient


class KeyedServer:
    """Opens no connection before the first request."""

    def __init__(self, base: str, key: str, idle_s: float) -> None:
        self._base = base
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._idle_s = idle_s
        self._client: LeanClient | None = None

    def client(self) -> LeanClient:
        """Made on first use, because connections belong to the running loop."""
        if self._client is None:
            self._client = LeanClient(self._base, self._headers, idle_s=self._idle_s)
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
