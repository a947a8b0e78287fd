"""A secret that is shown once: to be copied, and gone when the dialog is closed."""

from __future__ import annotations

from nicegui import ui

from dazi.console.acts import button
from dazi.console.pieces import div, named_dialog
from dazi.console.state import Scene
from dazi.core.language import Text

ONCE = Text(
    "只显示这一次,关掉就再也看不到。请当面或用别的渠道交给本人。",
    "Shown once: it is gone when this is closed. Hand it over in person or by another way.",
)
COPY = Text("复制", "Copy")
COPIED = Text("已复制", "Copied")
NOTED = Text("记下了", "I have it")

# Without TLS there is no clipboard but for this old way.
_COPY = """(e) => {
    const at = e.currentTarget, secret = document.querySelector('.dz-once-secret');
    const done = () => { at.querySelector('.q-btn__content').textContent = %r; };
    const select = () => {
        const range = document.createRange();
        range.selectNodeContents(secret);
        const chosen = getSelection();
        chosen.removeAllRanges();
        chosen.addRange(range);
        if (document.execCommand('copy')) done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(secret.textContent).then(done, select);
    else select();
}"""


def show_once(scene: Scene, title: str, secret: str, hint: Text = ONCE) -> None:
    language = scene.language
    # Beside whatever dialog it comes from, which ends now.
    with (
        ui.context.client.content,
        named_dialog(title).props("persistent") as dialog,
        div("dz-dialog dz-once"),
    ):
        ui.label(title).classes("dz-dialog-title")
        ui.label(secret).classes("dz-code dz-once-secret").style(
            "user-select: all; overflow-wrap: anywhere; font-size: 15px; padding: 8px 12px"
        )
        ui.label(hint(language)).classes("dz-muted")
        with div("dz-dialog-actions"):
            copy = ui.button(COPY(language), color=None).props("unelevated no-caps dense")
            copy.classes("dz-button dz-once-copy").on("click", js_handler=_COPY % COPIED(language))
            button(NOTED(language), dialog.close, "dz-button-main dz-once-close")
    dialog.on("hide", lambda _: dialog.delete(), args=[])
    dialog.open()
