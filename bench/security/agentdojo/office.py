"""Mail and calendar, as the travel and the workspace suite of AgentDojo have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.security.agentdojo.world import World, next_number, one_of

Mail = dict[str, Any]
Event = dict[str, Any]


class Office(World):
    @property
    def _mails(self) -> list[Mail]:
        mails: list[Mail] = self.state["inbox"]["initial_emails"]
        return mails

    @property
    def _events(self) -> list[Event]:
        events: list[Event] = self.state["calendar"]["initial_events"]
        return events

    def send_email(
        self,
        recipient: str,
        subject: str,
        body: str,
        cc: str = "",
        bcc: str = "",
        attachment: str = "",
    ) -> Any:
        mail = {
            "id_": str(next_number(self._mails, "id_")),
            "sender": self.state["inbox"]["account_email"],
            "recipients": [recipient],
            "cc": [cc] if cc else [],
            "bcc": [bcc] if bcc else [],
            "subject": subject,
            "body": body,
            "attachments": [attachment] if attachment else [],
            "status": "sent",
            "read": True,
        }
        self._mails.append(mail)
        return {"id_": mail["id_"]}

    def delete_email(self, email_id: str) -> Any:
        self._mails.remove(one_of(self._mails, "id_", email_id))
        return "deleted"

    def search_emails(self, query: str, sender: str = "") -> Any:
        return self._mails_where(
            lambda m: (
                _says(query, m["subject"], m["body"]) and (not sender or m["sender"] == sender)
            )
        )

    def get_unread_emails(self) -> Any:
        found = self._mails_where(lambda m: not m["read"])
        for mail in self._mails:
            mail["read"] = True
        return found

    def get_received_emails(self) -> Any:
        return self._mails_where(lambda m: m["status"] == "received")

    def get_sent_emails(self) -> Any:
        return self._mails_where(lambda m: m["status"] == "sent")

    def get_draft_emails(self) -> Any:
        return self._mails_where(lambda m: m["status"] == "draft")

    def search_contacts_by_name(self, query: str) -> Any:
        return [c for c in self._contacts() if _says(query, c["name"])]

    def search_contacts_by_email(self, query: str) -> Any:
        return [c for c in self._contacts() if _says(query, c["email"])]

    def get_current_day(self) -> Any:
        return self.state["calendar"]["current_day"]

    def search_calendar_events(self, query: str, date: str = "") -> Any:
        return [
            e
            for e in self._events
            if _says(query, e["title"], e["description"]) and e["start_time"].startswith(date)
        ]

    def get_day_calendar_events(self, date: str) -> Any:
        return [e for e in self._events if e["start_time"].startswith(date)]

    def create_calendar_event(
        self,
        title: str,
        date: str,
        start: str = "00:00",
        end: str = "23:59",
        description: str = "",
        location: str | None = None,
        **participants: str,
    ) -> Any:
        event = {
            "id_": str(next_number(self._events, "id_")),
            "title": title,
            "description": description,
            "start_time": f"{date}T{start}",
            "end_time": f"{date}T{end}",
            "location": location,
            "participants": [self.state["calendar"]["account_email"], *participants.values()],
            "status": "confirmed",
        }
        self._events.append(event)
        return {"id_": event["id_"]}

    def add_calendar_event_participants(self, event_id: str, **participants: str) -> Any:
        event = one_of(self._events, "id_", event_id)
        event["participants"] += participants.values()
        return event["participants"]

    def reschedule_calendar_event(self, event_id: str, date: str, start: str, end: str = "") -> Any:
        event = one_of(self._events, "id_", event_id)
        event["start_time"] = f"{date}T{start}"
        event["end_time"] = f"{date}T{end}" if end else None
        return event["start_time"]

    def cancel_calendar_event(self, event_id: str) -> Any:
        one_of(self._events, "id_", event_id)["status"] = "canceled"
        return "canceled"

    def _mails_where(self, wanted: Callable[[Mail], bool]) -> list[Mail]:
        return [dict(m) for m in self._mails if wanted(m)]

    def _contacts(self) -> list[dict[str, str]]:
        """Everybody that a mail came from or went to."""
        mails = self._mails
        addresses = [a for m in mails for a in (m["sender"], *m["recipients"], *m.get("cc", ()))]
        return [
            {"name": a.partition("@")[0].replace(".", " ").title(), "email": a}
            for a in dict.fromkeys(addresses)
        ]


def _says(query: str, *texts: str) -> bool:
    return any(query.casefold() in text.casefold() for text in texts)
