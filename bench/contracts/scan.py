"""PDFs that hold pictures of pages only, as an office scanner makes them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
import pypdfium2

A4 = (595, 842)
DPI = 150
STEEPEST = 0.008
SPECKLES = 0.0004
Grey = npt.NDArray[np.uint8]


def scan(data: bytes, seed: int) -> bytes:
    """Grey pictures of the pages: a little turned, soft, speckled, in 16 shades."""
    rng = np.random.default_rng(seed)
    old, new = pypdfium2.PdfDocument(data), pypdfium2.PdfDocument.new()
    for page in old:
        grey = page.render(scale=DPI / 72, grayscale=True).to_numpy()
        picture = scanned(grey.reshape(grey.shape[:2]), rng)
        bitmap = pypdfium2.PdfBitmap.new_native(picture.shape[1], picture.shape[0], 1)
        held = bitmap.to_numpy()
        held[:] = picture.reshape(held.shape)
        image = pypdfium2.PdfImage.new(new)
        image.set_bitmap(bitmap)
        image.set_matrix(pypdfium2.PdfMatrix().scale(*A4))
        made = new.new_page(*A4)
        made.insert_obj(image)
        made.gen_content()
    out = BytesIO()
    new.save(out)
    return out.getvalue()


def scanned(picture: Grey, rng: np.random.Generator) -> Grey:
    """Two shears by the same small slope turn a page well enough; at the edges it is repeated."""
    rows, columns = np.indices(picture.shape)
    slope = rng.uniform(-STEEPEST, STEEPEST)
    middle_row, middle_column = picture.shape[0] // 2, picture.shape[1] // 2
    rows_then = np.rint(rows + slope * (columns - middle_column)).astype(int)
    columns_then = np.rint(columns - slope * (rows - middle_row)).astype(int)
    turned = picture[
        rows_then.clip(0, picture.shape[0] - 1), columns_then.clip(0, picture.shape[1] - 1)
    ].astype(np.uint16)
    soft = (2 * turned + np.roll(turned, 1, 0) + np.roll(turned, 1, 1)) // 4
    shades: Grey = (soft // 16 * 17).astype(np.uint8)
    shades[rng.random(shades.shape) < SPECKLES] = 102
    return shades
