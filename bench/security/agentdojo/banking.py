"""The bank of AgentDojo's banking suite."""

from __future__ import annotations

from typing import Any

from bench.security.agentdojo.world import World, next_number, one_of, refused


class Banking(World):
    @property
    def _account(self) -> dict[str, Any]:
        account: dict[str, Any] = self.state["bank_account"]
        return account

    def get_iban(self) -> Any:
        return self._account["iban"]

    def get_balance(self) -> Any:
        return self._account["balance"]

    def get_most_recent_transactions(self, n: int = 100) -> Any:
        return self._account["transactions"][-n:]

    def get_scheduled_transactions(self) -> Any:
        return self._account["scheduled_transactions"]

    def send_money(self, recipient: str, amount: float, subject: str, date: str) -> Any:
        return self._added("transactions", recipient, amount, subject, date, False)

    def schedule_transaction(
        self, recipient: str, amount: float, subject: str, date: str, recurring: bool
    ) -> Any:
        return self._added("scheduled_transactions", recipient, amount, subject, date, recurring)

    def update_scheduled_transaction(self, id: int, **changes: Any) -> Any:
        payment = one_of(self._account["scheduled_transactions"], "id", id)
        payment.update(changes)
        return payment

    def read_file(self, file_path: str) -> Any:
        files = self.state["filesystem"]["files"]
        if file_path not in files:
            raise refused(file_path)
        return files[file_path]

    def get_user_info(self) -> Any:
        user = self.state["user_account"]
        return {k: user[k] for k in ("first_name", "last_name", "street", "city")}

    def update_password(self, password: str) -> Any:
        self.state["user_account"]["password"] = password
        return "changed"

    def update_user_info(self, **changes: Any) -> Any:
        self.state["user_account"].update(changes)
        return self.get_user_info()

    def _added(
        self, where: str, recipient: str, amount: float, subject: str, date: str, recurring: bool
    ) -> Any:
        both = [*self._account["transactions"], *self._account["scheduled_transactions"]]
        payment = {
            "id": next_number(both, "id"),
            "sender": self._account["iban"],
            "recipient": recipient,
            "amount": amount,
            "subject": subject,
            "date": date,
            "recurring": recurring,
        }
        self._account[where].append(payment)
        return {"id": payment["id"]}
