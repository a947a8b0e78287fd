"""What an index does about vectors, beside what it does about words.

A chunk's document in tantivy has its vector, at half precision, the model's name and the slot of its
row. Rows only choose who is looked at more closely: rights, filters and scores are those of the
documents, so a row that is too old shows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tantivy import Document, Order, Query

from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.tantivy_documents import Queries, count_of, every, hit_of, kept_in
from dazi.knowledge.vector_file import Row, Slots, VectorFile
from dazi.knowledge.vectors import Floats, VectorSpace, direction

CLOSER = 3
"""So many times as many rows as are wanted are looked at again, at half precision."""


@dataclass(frozen=True, slots=True)
class _Pending:
    entry: Entry
    row: Row


class VectorPart:
    """``begin`` comes before the first change, and ``before`` and ``after`` around each commit."""

    def __init__(self, folder: Path, space: VectorSpace, queries: Queries) -> None:
        self._space = space
        self._queries = queries
        self._rows = VectorFile(folder, space)
        self._term = f"{space.name}\n{space.dimensions}"
        self._next = 0
        self._pending: list[_Pending] = []
        self._gone: set[int] = set()

    @property
    def own(self) -> Query:
        """Chunks with a vector of this space."""
        return self._queries.term("space", self._term)

    def add(self, document: Document, entry: Entry) -> None:
        """Raises ``OperatorError`` for a vector of another space."""
        if entry.vector is None:
            return
        whole = direction(entry.vector, self._space).astype(np.float16)
        slot, self._next = self._next, self._next + 1
        document.add_text("space", self._term)
        document.add_unsigned("slot", slot)
        document.add_bytes("vector", whole.tobytes())
        row = Row(slot, entry.tenant, entry.readers, whole.astype(np.float32))
        self._pending.append(_Pending(entry, row))

    def delete(
        self, searcher: Any, tenant: str, document: str, revision: int | None, since: int
    ) -> None:
        query = self._queries.of_document(tenant, document, revision, since)
        self._gone |= {int(s) for s in self._slots(searcher, query)}

        def goes(e: Entry) -> bool:
            return (
                (e.tenant, e.document) == (tenant, document)
                and revision in (None, e.revision)
                and e.chunk.ordinal >= since
            )

        self._pending = [p for p in self._pending if not goes(p.entry)]

    def leave_all(self, searcher: Any) -> None:
        """The rows of all chunks that there are go with the next commit."""
        self._gone |= {int(s) for s in self._slots(searcher, self.own)}

    def begin(self, searcher: Any) -> None:
        """Makes rows fit the chunks: after a kill some have no chunk, and without the files all
        chunks have no row."""
        self._pending, self._gone = [], set()
        there, wanted = self._rows.slots(), self._slots(searcher, self.own)
        self._rows.bury([int(s) for s in np.setdiff1d(there, wanted)])
        self._rows.append(self._rows_of(searcher, np.setdiff1d(wanted, there)))
        highest = int(wanted.max()) if len(wanted) else -1
        self._next = max(highest + 1, self._rows.next_slot())

    def whole(self, searcher: Any) -> bool:
        """Does every chunk have its row?"""
        return len(self._rows.slots()) >= count_of(searcher, self.own)

    def before(self) -> None:
        self._rows.append([p.row for p in self._pending])
        self._pending = []

    def after(self) -> None:
        self._rows.bury(self._gone)
        self._gone = set()
        self._rows.tidy()

    def nearest(self, searcher: Any, wanted: Wanted, limit: int) -> list[Hit]:
        """Raises ``OperatorError`` for a vector of another space."""
        if wanted.vector is None:
            return []
        asked = direction(wanted.vector, self._space)
        allowed = self._queries.allowed(wanted.tenant, wanted.labels, wanted.documents)
        only = self._slots(searcher, allowed) if wanted.documents else None
        most = CLOSER * limit + 10
        while True:
            if only is None:
                slots = self._rows.nearest(asked, wanted.tenant, wanted.labels, most)
            else:
                slots = self._rows.among(asked, only, most)
            hits = self._scored(searcher, allowed, slots, asked)
            if len(hits) >= limit or len(slots) < most:
                return hits[:limit]
            most *= 4  # chunks of some rows were deleted since, or may not be read any more

    def vector_of(self, document: Document) -> Sequence[float] | None:
        if document.get_first("space") != self._term:
            return None
        return [float(x) for x in _whole(document)]

    def _scored(
        self, searcher: Any, allowed: Query, slots: Collection[int], asked: Floats
    ) -> list[Hit]:
        if not slots:
            return []
        query = every(allowed, self.own, self._queries.one_of("slot", slots))
        hits = []
        for _, address in searcher.search(query, len(slots), count=False).hits:
            document = searcher.doc(address)
            hits.append(hit_of(kept_in(document), float(_whole(document) @ asked)))
        return sorted(hits, key=lambda h: (-h.score, h.document, h.revision, h.chunk.ordinal))

    def _slots(self, searcher: Any, query: Query) -> Slots:
        own = every(query, self.own)
        count = count_of(searcher, own)
        if not count:
            return np.empty(0, np.uint64)
        found = searcher.search(own, count, order_by_field="slot", order=Order.Asc)
        return np.fromiter((slot for slot, _ in found.hits), np.uint64, len(found.hits))

    def _rows_of(self, searcher: Any, slots: Slots) -> list[Row]:
        """Made anew of what the documents hold."""
        if not len(slots):
            return []
        missing = every(self.own, self._queries.one_of("slot", [int(s) for s in slots]))
        found = searcher.search(missing, len(slots), order_by_field="slot", order=Order.Asc)
        rows = []
        for slot, address in found.hits:
            document = searcher.doc(address)
            kept = kept_in(document)
            tenant = str(document.get_first("tenant"))
            rows.append(Row(int(slot), tenant, kept.readers, _whole(document)))
        return rows


def _whole(document: Document) -> Floats:
    return np.frombuffer(bytes(document.get_first("vector")), np.float16).astype(np.float32)  # type: ignore[arg-type]
