"""The web players that tests serve beside ours: hls.js and dash.js, at the versions of `package-lock.json`."""

from pathlib import Path

from hatch_build import bring

FOLDER = Path(__file__).parent / "vendor"
WANTED = {
    "hls.js": "hls.js/dist/hls.min.js",
    "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
    "shaka-player.js": "shaka-player/dist/shaka-player.compiled-es2021.js",
}


def players() -> Path:
    """The folder that holds the players; npm brings them the first time, and again when the lock file changes."""
    bring(WANTED, FOLDER, development=True)
    return FOLDER
