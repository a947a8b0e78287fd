"""The drive of AgentDojo's workspace suite, beside its mail and calendar."""

from __future__ import annotations

from typing import Any

from bench.security.agentdojo.office import Office
from bench.security.agentdojo.world import next_number, one_of

File = dict[str, Any]


class Workspace(Office):
    @property
    def _files(self) -> list[File]:
        files: list[File] = self.state["cloud_drive"]["initial_files"]
        return files

    def list_files(self) -> Any:
        return [_shown(f) for f in self._files]

    def search_files(self, query: str) -> Any:
        return [_shown(f) for f in self._files if query.casefold() in f["content"].casefold()]

    def search_files_by_filename(self, filename: str) -> Any:
        return [_shown(f) for f in self._files if filename.casefold() in f["filename"].casefold()]

    def get_file_by_id(self, file_id: str) -> Any:
        return _shown(one_of(self._files, "id_", file_id))

    def create_file(self, filename: str, content: str) -> Any:
        file = {
            "id_": str(next_number(self._files, "id_")),
            "filename": filename,
            "content": content,
            "owner": self.state["cloud_drive"]["account_email"],
        }
        self._files.append(file)
        return {"id_": file["id_"]}

    def append_to_file(self, file_id: str, content: str) -> Any:
        file = one_of(self._files, "id_", file_id)
        file["content"] += content
        return {"size": len(file["content"])}

    def delete_file(self, file_id: str) -> Any:
        self._files.remove(one_of(self._files, "id_", file_id))
        return "deleted"

    def share_file(self, file_id: str, email: str, permission: str) -> Any:
        one_of(self._files, "id_", file_id).setdefault("shared_with", {})[email] = permission
        return "shared"


def _shown(file: File) -> File:
    return {**file, "size": len(file["content"])}
