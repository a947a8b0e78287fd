"""What signs there are that a text from outside speaks to the model."""

from __future__ import annotations

from typing import Literal, get_args

Label = Literal["override", "role", "markup", "reveal", "send_out", "act", "conceal", "hidden"]
LABELS: tuple[Label, ...] = get_args(Label)
