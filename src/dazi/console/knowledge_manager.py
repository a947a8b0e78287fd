"""What managers of documents see and do: all documents with their state, and where they come from."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence

from nicegui import ui
from nicegui.events import UploadEventArguments

from dazi.console import knowledge_texts as texts
from dazi.console.acts import act, button, confirm, tell
from dazi.console.pieces import div, named_upload
from dazi.console.readers_dialog import ReadersDialog, words_of
from dazi.console.state import Scene
from dazi.console.texts import DELETE
from dazi.console.visible import reveal
from dazi.core.principal import Principal
from dazi.knowledge.records import Document, Source
from dazi.knowledge.service import INCOMING, KnowledgeService

SHOWN = 200
WAITING = frozenset({"new", "reading", "rights"})


class AllDocuments:
    """``settled``: nothing is being read any more since the last look."""

    def __init__(self, scene: Scene, knowledge: KnowledgeService) -> None:
        self._scene, self._knowledge = scene, knowledge
        self._shown: Sequence[Document] | None = None
        self._uploads: set[str] = set()
        self.settled = False
        language = scene.language
        self._upload = ui.upload(
            label=texts.UPLOAD(language),
            multiple=True,
            auto_upload=True,
            max_file_size=knowledge.largest_upload,
            on_upload=self._uploaded,
            on_rejected=lambda _: tell(
                texts.REJECTED(language).format(mb=knowledge.largest_upload // 1_000_000),
                wrong=True,
            ),
        )
        self._upload.props("flat bordered").classes("dz-upload")
        named_upload(self._upload, texts.UPLOAD(language))
        self._filter = ui.input(
            placeholder=texts.FILTER(language), on_change=lambda _: self._draw()
        )
        self._filter.props("outlined dense clearable").classes("dz-filter")
        self._filter.props["aria-label"] = texts.FILTER(language)
        self._list = ui.element("ul").classes("dz-documents dz-managed")

    @property
    def waiting(self) -> bool:
        """Something was still to be read at the last look."""
        return any(d.state in WAITING for d in self._shown or ())

    async def refresh(self) -> None:
        knowledge, principal = self._knowledge, self._scene.principal
        if not knowledge.administration.may(principal):
            return
        found = await knowledge.administration.documents(principal)
        sources = await knowledge.administration.sources(principal)
        self._uploads = {s.id for s in sources if s.kind == "upload"}
        if found == self._shown:
            self.settled = False
            return
        self._shown = found
        self.settled = not self.waiting
        self._draw()

    def _draw(self) -> None:
        wanted = str(self._filter.value or "").casefold().strip()
        found = [d for d in self._shown or () if wanted in f"{d.title}\n{d.place}".casefold()]
        found.sort(key=lambda d: (d.state == "ready", -d.at, d.place))
        self._list.clear()
        with self._list:
            for document in found[:SHOWN]:
                with ui.element("li").classes("dz-managed-row"):
                    self._row(document)

    def _row(self, document: Document) -> None:
        language = self._scene.language
        name = document.title or document.place
        with div("dz-managed-words"):
            ui.label(reveal(name)).classes("dz-managed-name")
            readers = ", ".join(words_of(r, self._scene) for r in sorted(document.readers))
            about = f"{document.place} · {texts.PASSAGES(language).format(n=document.chunks)}"
            ui.label(reveal(f"{about} · {readers}")).classes("dz-muted")
            if document.scanned:
                scanned = texts.SCANNED(language).format(n=document.scanned)
                ui.label(scanned).classes("dz-muted")
            if document.state == "failed":
                error = document.error_zh if language == "zh" else document.error_en
                ui.label(reveal(error)).classes("dz-managed-error")
        state = texts.STATES[document.state](language)
        if document.state == "reading" and document.progress.pages:
            at = document.progress
            state += f" {texts.AT_PAGE(language).format(page=at.page, pages=at.pages)}"
        ui.label(state).classes(f"dz-managed-state dz-state-{document.state}")
        with div("dz-managed-acts"):
            button(texts.READERS(language), lambda: self._readers(document), "dz-button-quiet")
            button(texts.READ_AGAIN(language), lambda: self._again(document), "dz-button-quiet")
            if document.source in self._uploads:
                question = texts.DELETE_DOCUMENT(language).format(name=name)
                button(
                    DELETE(language),
                    lambda: confirm(self._scene, question, lambda: self._delete(document)),
                    "dz-button-quiet dz-delete",
                )

    async def _uploaded(self, event: UploadEventArguments) -> None:
        knowledge, name = self._knowledge, event.file.name

        async def keep(principal: Principal) -> Document:
            knowledge.administration.check(principal)
            path = knowledge.library.files / INCOMING / secrets.token_hex(12)
            try:
                await event.file.save(path)
                return await knowledge.upload(principal, name, path, ())
            finally:
                path.unlink(missing_ok=True)

        if await act(self._scene, keep) is not None:
            tell(texts.UPLOADED(self._scene.language).format(name=name))
            await self.refresh()

    def _readers(self, document: Document) -> None:
        async def save(labels: list[str] | None) -> None:
            administration = self._knowledge.administration
            await act(self._scene, lambda by: administration.set_readers(by, document.id, labels))
            await self.refresh()

        ReadersDialog(self._scene, document.readers, save)

    async def _again(self, document: Document) -> None:
        administration = self._knowledge.administration
        await act(self._scene, lambda by: administration.again(by, document.id))
        await self.refresh()

    async def _delete(self, document: Document) -> None:
        administration = self._knowledge.administration
        await act(self._scene, lambda by: administration.remove(by, document.id))
        await self.refresh()


class SourceList:
    def __init__(self, scene: Scene, knowledge: KnowledgeService) -> None:
        self._scene, self._knowledge = scene, knowledge
        self._shown: object = None
        language = scene.language
        with div("dz-search"):
            self._url = ui.input(placeholder=texts.ADD_URL(language)).props("outlined dense")
            self._url.props["aria-label"] = texts.ADD_URL(language)
            self._url.on("keydown.enter", self._add, args=[])
            button(texts.ADD(language), self._add, "dz-button-main dz-add-url")
        self._list = ui.element("ul").classes("dz-documents dz-managed")

    async def refresh(self) -> None:
        administration, principal = self._knowledge.administration, self._scene.principal
        if not administration.may(principal):
            return
        sources = await administration.sources(principal)
        held = Counter(d.source for d in await administration.documents(principal))
        if (sources, held) == self._shown:
            return
        self._shown = (sources, held)
        self._list.clear()
        with self._list:
            for source in sources:
                with ui.element("li").classes("dz-managed-row"):
                    self._row(source, held[source.id])

    def _row(self, source: Source, documents: int) -> None:
        language = self._scene.language
        place = " ".join(source.place.split())
        with div("dz-managed-words"):
            ui.label(reveal(place)).classes("dz-managed-name")
            readers = ", ".join(words_of(r, self._scene) for r in sorted(source.readers))
            about = [texts.KINDS[source.kind](language)]
            about += [texts.DECLARED(language)] if source.declared else []
            about += [texts.DOCUMENTS_IN(language).format(n=documents), readers]
            ui.label(" · ".join(about)).classes("dz-muted")
            error = source.error_zh if language == "zh" else source.error_en
            if error:
                ui.label(reveal(error)).classes("dz-managed-error")
        if source.declared:
            return
        with div("dz-managed-acts"):
            button(texts.READERS(language), lambda: self._readers(source), "dz-button-quiet")
            question = texts.DELETE_SOURCE(language).format(name=place, n=documents)
            button(
                DELETE(language),
                lambda: confirm(self._scene, question, lambda: self._delete(source)),
                "dz-button-quiet dz-delete",
            )

    async def _add(self) -> None:
        url = str(self._url.value or "").strip()
        if await act(self._scene, lambda by: self._knowledge.add_url(by, url, ())) is not None:
            self._url.set_value("")
            tell(texts.ADDED(self._scene.language))
            await self.refresh()

    def _readers(self, source: Source) -> None:
        async def save(labels: list[str] | None) -> None:
            administration = self._knowledge.administration
            await act(self._scene, lambda by: administration.set_readers(by, source.id, labels))
            await self.refresh()

        ReadersDialog(self._scene, source.readers, save, of_source=True)

    async def _delete(self, source: Source) -> None:
        administration = self._knowledge.administration
        await act(self._scene, lambda by: administration.remove(by, source.id))
        await self.refresh()
