"""Draws the caption of a film: the prompt in white, at the foot of the frame."""

from __future__ import annotations

import contextlib
import unicodedata
from bisect import bisect_right

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont

SHADE = 210  # of 255: how dark the foot of the frame gets, so that white stands out
SIZES = (0.085, 0.075, 0.066, 0.058, 0.05, 0.044, 0.039)  # of the frame's shorter side
# Pillow's own font knows little more than ASCII. Most systems have one of these, the widest first.
WIDER_FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "msyh.ttc", "DejaVuSans.ttf")
NOT_LETTERS = ("Cc", "Cs", "So")  # control characters, broken ones, emoji


def draw(prompt: str, note: str, width: int, height: int) -> Image.Image:
    """A picture for the lower part of a frame of `width` by `height` pixels: the prompt, and under
    it the small line `note`. A prompt that needs more than half of the height is cut."""
    short = min(width, height)
    margin, small = round(short * 0.07), max(6, short // 36)
    text, font = _lettering(" ".join(prompt.split()))
    for share in SIZES:
        font = font.font_variant(size=max(8, round(short * share)))
        leading = round(font.size * 1.28)
        most = max(1, height // 2 // leading)
        lines = _wrapped(text, font, width - 2 * margin, most + 1)
        if len(lines) <= most:
            break
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1].rstrip(" .,;:") + "…"]
    top = 4 * margin
    foot = top + len(lines) * leading + small
    shade = Image.linear_gradient("L").resize((width, foot + small + margin))
    picture = Image.new("RGBA", shade.size)
    picture.putalpha(shade.point([SHADE * value**2 // 255**2 for value in range(256)]))
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((margin, top + number * leading), line, "white", font)
    text, font = _lettering(note)
    pen.text((margin, foot), text, "#cccccc", font.font_variant(size=small))
    return picture


def _wrapped(text: str, font: Font, width: int, most: int) -> list[str]:
    """Up to `most` lines, broken at spaces where that is no waste: not all scripts have spaces."""
    lines: list[str] = []
    while text and len(lines) < most:
        ends = range(1, len(text) + 1)
        fits = max(1, bisect_right(ends, width, key=lambda end: int(font.getlength(text[:end]))))
        space = text.rfind(" ", 0, fits + 1) if fits < len(text) else -1
        cut = space if space > fits // 2 else fits
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return lines


def _lettering(text: str) -> tuple[str, Font]:
    """The text in letters that a font has, and the font: no emoji, and if need be e for é."""
    for name in () if text.isascii() else WIDER_FONTS:
        with contextlib.suppress(OSError):
            font = ImageFont.truetype(name)
            return "".join(c for c in text if unicodedata.category(c) not in NOT_LETTERS), font
    own = ImageFont.load_default(10)
    assert isinstance(own, Font), "Pillow was built without FreeType"
    text = unicodedata.normalize("NFKD", text.replace("—", "-"))
    return text.encode("ascii", "ignore").decode(), own
