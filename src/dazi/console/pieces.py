"""Small pieces that the pages are made of."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from nicegui import ui
from nicegui.element import Element

from dazi.console.visible import reveal_html


def div(classes: str = "") -> Element:
    return ui.element("div").classes(classes)


def named_dialog(name: str) -> ui.dialog:
    """A dialog that is told by its name when it opens."""
    made = ui.dialog()
    made.props["aria-label"] = name
    return made


def heading(text: str, level: int = 1, classes: str = "") -> ui.label:
    """A title that screen readers can jump to: 1 is the page's own."""
    made = ui.label(text).classes(f"dz-h{level} {classes}")
    made.tag = f"h{level}"
    return made


_UPLOAD_HEADER = """
<div class="row no-wrap items-center q-pa-sm q-gutter-xs">
  <div class="col q-uploader__title">{label}</div>
  <q-btn v-if="props.canAddFiles" icon="add" round dense flat aria-label="{label}" @click="props.pickFiles"></q-btn>
  <div style="display: none"><q-uploader-add-trigger></q-uploader-add-trigger></div>
</div>
"""


def named_upload(upload: ui.upload, label: str) -> None:
    """Gives its button a name, and takes the bare file box out of it."""
    upload.add_slot("header", _UPLOAD_HEADER.format(label=escape(label)))


def revealed(value: str, classes: str = "") -> None:
    """Text whose hidden characters are made visible."""
    ui.html(reveal_html(value), sanitize=False, tag="span").classes(classes)


def icon_button(icon: str, label: str, on_click: Callable[[], object]) -> ui.button:
    button = ui.button(icon=icon, on_click=lambda _: on_click(), color=None)
    button.props["aria-label"] = label
    button.props["title"] = label
    return button.props("flat round dense").classes("dz-icon-button")


def hue(name: str) -> int:
    """A steady colour for a name, in degrees."""
    return sum((i + 7) * ord(c) for i, c in enumerate(name)) * 47 % 360


def avatar(name: str, key: str, classes: str = "") -> None:
    with div(f"dz-avatar {classes}").style(f"--hue: {hue(key)}").props("aria-hidden=true"):
        ui.label(name[:1].upper())
