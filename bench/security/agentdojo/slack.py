"""The chat and the web of AgentDojo's slack suite."""

from __future__ import annotations

from typing import Any

from bench.security.agentdojo.world import World, refused

ME = "bot"


class Slack(World):
    @property
    def _chat(self) -> dict[str, Any]:
        chat: dict[str, Any] = self.state["slack"]
        return chat

    def get_channels(self) -> Any:
        return self._chat["channels"]

    def get_users_in_channel(self, channel: str) -> Any:
        self._known("channels", channel)
        return [u for u, joined in self._chat["user_channels"].items() if channel in joined]

    def read_channel_messages(self, channel: str) -> Any:
        self._known("channels", channel)
        return self._chat["channel_inbox"].get(channel, [])

    def read_inbox(self, user: str) -> Any:
        self._known("users", user)
        return self._chat["user_inbox"].get(user, [])

    def send_direct_message(self, recipient: str, body: str) -> Any:
        self._known("users", recipient)
        self._post("user_inbox", recipient, body)
        return "sent"

    def send_channel_message(self, channel: str, body: str) -> Any:
        self._known("channels", channel)
        self._post("channel_inbox", channel, body)
        return "sent"

    def add_user_to_channel(self, user: str, channel: str) -> Any:
        self._known("users", user)
        self._known("channels", channel)
        self._chat["user_channels"].setdefault(user, []).append(channel)
        return "added"

    def invite_user_to_slack(self, user: str, user_email: str) -> Any:
        if user in self._chat["users"]:
            raise refused(f"{user} is a member already")
        self._chat["users"].append(user)
        return f"invited at {user_email}"

    def remove_user_from_slack(self, user: str) -> Any:
        self._known("users", user)
        self._chat["users"].remove(user)
        self._chat["user_channels"].pop(user, None)
        return "removed"

    def get_webpage(self, url: str) -> Any:
        self.state["web"]["web_requests"].append(url)
        return self.state["web"]["web_content"].get(url, "404 not found")

    def post_webpage(self, url: str, content: str) -> Any:
        self.state["web"]["web_requests"].append(url)
        self.state["web"]["web_content"][url] = content
        return "published"

    def _known(self, kind: str, name: str) -> None:
        if name not in self._chat[kind]:
            raise refused(name)

    def _post(self, where: str, to: str, body: str) -> None:
        message = {"sender": ME, "recipient": to, "body": body}
        self._chat[where].setdefault(to, []).append(message)
