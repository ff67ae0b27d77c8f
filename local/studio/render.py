"""Renders a prompt as a film: its words over slowly turning colours.

The colours follow from the prompt, so the same prompt gives the same film. Words reach ffmpeg only
as a picture: nothing that a user typed is ever part of a command line.
"""

from __future__ import annotations

import colorsys
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from local.studio import caption

FRAMES_PER_SECOND = 24


def render(
    folder: Path, prompt: str, note: str, size: str, seconds: int, progress: Callable[[float], None]
) -> tuple[Path, Path]:
    """Makes a film (MP4: H.264, 24 frames a second, silent) and its poster (WebP) in `folder`.

    `size` is WIDTHxHEIGHT in even pixels, `note` the small line under the prompt. `progress` is
    called about ten times a second with 0.0 to 1.0; what it raises ends ffmpeg and comes out of
    here. Raises RuntimeError with what ffmpeg said, if it fails.
    """
    words, still = folder / "words.png", folder / "still.png"
    film, poster = folder / "film.mp4", folder / "poster.webp"
    width, height = map(int, size.split("x"))
    caption.draw(prompt, note, width, height).save(words, compress_level=1)
    frames, rate = seconds * FRAMES_PER_SECOND, str(FRAMES_PER_SECOND)
    filters = (
        f"[0]scale={width}:{height},format=yuv420p[colours];"
        "[colours][1]overlay=0:H-h,split[film][still]"
    )
    command = [
        *(get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", "-nostats"),
        *("-progress", "pipe:1", "-stats_period", "0.1", "-filter_complex_threads", "1"),
        *("-f", "lavfi", "-i", _colours(prompt, width, height, seconds), "-i", str(words)),
        *("-filter_complex", filters, "-map", "[film]", "-c:v", "libx264", "-threads", "1"),
        *("-preset", "ultrafast", "-crf", "24", "-g", rate, "-movflags", "+faststart"),
        *(str(film), "-map", "[still]", "-frames:v", "1", "-update", "1", str(still)),
    ]
    # The still is the first frame: ffmpeg tells no progress before each file has begun.
    _run(command, lambda done: progress(min(1.0, done / frames)))
    with Image.open(still) as image:
        image.save(poster, quality=85)
    return film, poster


def _colours(prompt: str, width: int, height: int, seconds: int) -> str:
    """The turning colours as a source for ffmpeg: a small picture, which is cheap to scale up."""
    any_hue, cool_hue = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()[:2]
    colours = (
        colorsys.hls_to_rgb(any_hue / 256, 0.65, 0.75),
        colorsys.hls_to_rgb(0.5 + cool_hue / 600, 0.38, 0.55),
        colorsys.hls_to_rgb(0.67, 0.1, 0.6),
    )
    stops = (bytes(round(255 * part) for part in colour).hex() for colour in colours)
    wide, high = width // 4, height // 4
    return (
        f"gradients=s={wide}x{high}:r={FRAMES_PER_SECOND}:d={seconds}:speed=0.005:n=3:"
        f"x0=0:y0=0:x1={wide - 1}:y1={high - 1}:"
        + ":".join(f"c{number}=0x{stop}" for number, stop in enumerate(stops))
    )


def _run(command: list[str], on_frame: Callable[[int], None]) -> None:
    """Runs ffmpeg, passing on its count of frames; it never outlives this call."""
    pipe = subprocess.PIPE
    # In a group of its own, Ctrl-C does not reach it: whoever stops the studio ends it.
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, process_group=0) as ffmpeg:
        assert ffmpeg.stdout and ffmpeg.stderr
        try:
            for line in ffmpeg.stdout:
                if line.startswith(b"frame="):
                    on_frame(int(line[6:]))
            said = ffmpeg.stderr.read()  # with -v error a few lines at the most
            ffmpeg.wait()
        finally:
            ffmpeg.kill()
    if ffmpeg.returncode:
        raise RuntimeError(said.decode(errors="replace").strip()[-500:])
