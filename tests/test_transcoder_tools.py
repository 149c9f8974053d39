from pathlib import Path

import pytest

from config.settings import IntakeSettings
from tests.intake_helpers import the_tools
from transcoder.errors import ToolMissing
from transcoder.tools import Tools


def test_the_programs_that_came_with_us_are_found() -> None:
    tools = the_tools()
    assert tools.ffmpeg.is_absolute()
    assert tools.ffprobe.is_absolute()
    assert tools.ffmpeg_version[0].isdigit()


def test_an_encoder_is_known_by_both_builds() -> None:
    assert the_tools().encoder_identity.startswith(f"ffmpeg {the_tools().ffmpeg_version} build ")
    assert ", x264 1" in the_tools().encoder_identity


def test_a_setting_that_points_nowhere_is_named() -> None:
    with pytest.raises(ToolMissing, match=r"/nowhere is not a program; the setting intake\.ffprobe"):
        Tools.find(IntakeSettings(ffprobe="/nowhere"))


def test_a_program_that_is_no_ffmpeg_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "ffmpeg"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    with pytest.raises(ToolMissing, match="does not run"):
        Tools.find(IntakeSettings(ffmpeg=str(other)))


def test_an_ffmpeg_without_x264_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "ffmpeg"
    other.write_text("#!/bin/sh\necho ffmpeg version 7.0\n")
    other.chmod(0o755)
    with pytest.raises(ToolMissing, match="cannot encode with x264"):
        Tools.find(IntakeSettings(ffmpeg=str(other)))
