"""Posters: a telling picture of a film, or the cover that came with a song."""

import hashlib
from pathlib import Path

from transcoder.ffmpeg import Node, foreign_input, output
from transcoder.plan import EncodePlan, PosterPlan
from transcoder.video import TONE_MAP

LONGEST_SIDE = 1280
CANDIDATES = 100
"Pictures that ffmpeg's `thumbnail` looks at to find the one that stands for the others: never a black one."


def poster_output(poster: PosterPlan, original: Path, job: Path) -> Node:
    """An ffmpeg-python node that writes `poster.jpg` into the job's folder."""
    seek = {} if poster.at_s is None else {"ss": f"{poster.at_s:.3f}"}
    picture = foreign_input(original, threads=1, **seek)[str(poster.stream)]
    if poster.at_s is not None:
        picture = picture.filter("thumbnail", n=CANDIDATES)
    if poster.tone_map:
        for name, options in TONE_MAP:
            picture = picture.filter(name, **options)
    fit = f"min(1,{LONGEST_SIDE}/max(iw*sar,ih))"
    picture = picture.filter("scale", f"2*trunc(iw*sar*{fit}/2)", f"2*trunc(ih*{fit}/2)").filter("setsar", "1")
    picture = picture.filter("format", "yuvj420p")
    return output(
        picture, job / "poster.jpg", f="image2", vcodec="mjpeg", update=1, vframes=1, **{"q:v": 3}, map_metadata=-1
    )


def image_key(plan: EncodePlan, image: bytes) -> tuple[str, str]:
    """Where an image is put, and the digest that names it to the outside."""
    digest = hashlib.sha256(image).hexdigest()
    return f"{plan.folder}/images/{digest}.jpg", digest
