"""The two servers of the delivery benchmark, with the same segments: Marquee, and Debian's nginx with `secure_link`."""

import asyncio
import hashlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import DidNotStart, running, wait_until
from config.settings import Settings
from drm.scheme import Scheme
from manifests.index import Chunk, Kind, Rate, Run, TitleIndex, Track, media_key
from manifests.presentation import PACKAGING_REVISION
from storage.keys import new_id
from storage.local import LocalStore
from storage.store import ObjectStore
from streamer.edge.paths import media_base
from streamer.members.playback_tokens import Grant, mint_playback_token, playback_profile
from streamer.members.signing_keys import open_signing_keys
from tools.needs import NGINX

START_TIMEOUT_S = 60.0
CHUNK_SEGMENTS = 4
VIEWERS = 16
"Tokens in use at once; each is checked when it is first seen."
LIFE_S = 3600

NGINX_CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    types {{ video/mp4 m4s; }}
    sendfile on;
    tcp_nopush off;              # these three make it two to four times as fast on loopback
    sendfile_max_chunk 256k;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder}/files;
        location / {{
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri {secret}";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
            add_header Cache-Control "private, max-age=31536000, immutable";
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Segments:
    """Random bytes that stand for the segments of one rung."""

    size_bytes: int
    data: tuple[bytes, ...]
    "A multiple of CHUNK_SEGMENTS of them."

    @property
    def track_id(self) -> str:
        return f"v{self.size_bytes}"


def make_segments(size_bytes: int, count: int) -> Segments:
    chance = random.Random(size_bytes)
    return Segments(size_bytes, tuple(chance.randbytes(size_bytes) for _ in range(count)))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is up."""

    name: str
    port: int
    pid: int
    targets: dict[int, list[str]]
    "What may be asked for, signed, by size of the segments."


@contextmanager
def marquee(folder: Path, rungs: Sequence[Segments], cores: Collection[int] | None) -> Iterator[Server]:
    """Our server process as it stands, with its defaults; the title is in its store as an encode leaves it."""
    settings = Settings(data_dir=folder / "data")
    settings.data_dir.mkdir(parents=True)
    index = asyncio.run(_store_title(LocalStore(settings.data_dir / "store"), rungs))
    targets = _signed_paths(settings, index, rungs)
    config, log_file = folder / "marquee.toml", folder / "server.log"
    config.write_text(f'data_dir = "{settings.data_dir}"\n')
    command = [sys.executable, "-m", "streamer.server", "--config", str(config), "--port", "0"]
    with log_file.open("wb") as log, running(command, log, cores) as process:
        announced = settings.data_dir / "server.json"
        wait_until(announced.exists, process, START_TIMEOUT_S, log_file)
        port = int(json.loads(announced.read_text())["address"].rpartition(":")[2])
        yield Server("Marquee", port, process.pid, targets)


async def _store_title(store: ObjectStore, rungs: Sequence[Segments]) -> TitleIndex:
    title_id, version, tracks = new_id(), "v1", []
    for rung in rungs:
        chunks = []
        for first in range(0, len(rung.data), CHUNK_SEGMENTS):
            data = b"".join(rung.data[first : first + CHUNK_SEGMENTS])
            chunk = Chunk(f"chunk-{first}", hashlib.sha256(data).hexdigest()[:16], (rung.size_bytes,) * CHUNK_SEGMENTS)
            await store.put(media_key(title_id, version, rung.track_id, chunk.digest), data)
            chunks.append(chunk)
        tracks.append(_track(rung, tuple(chunks)))
    index = TitleIndex(title_id=title_id, version=version, tracks=tuple(tracks))
    await store.put(f"titles/{title_id}/{version}/index.json", index.to_json())
    return index


def _track(rung: Segments, chunks: tuple[Chunk, ...]) -> Track:
    return Track(
        id=rung.track_id,
        kind=Kind.VIDEO,
        codec="avc1.640028",
        timescale=90_000,
        init=b"init",
        width=1920,
        height=1080,
        frame_rate=Rate(25, 1),
        average_bps=2 * rung.size_bytes,
        peak_bps=2 * rung.size_bytes,
        timeline=(Run(360_000, len(rung.data)),),
        chunks=chunks,
    )


def _signed_paths(settings: Settings, index: TitleIndex, rungs: Sequence[Segments]) -> dict[int, list[str]]:
    """Every viewer has a token of their own, as a playback session would have made it."""
    now = datetime.now(UTC)
    key = open_signing_keys(settings.data_dir / "keys", now).current
    profile, now_s = playback_profile(settings.playback), int(now.timestamp())
    version, tracks = f"{index.version}-p{PACKAGING_REVISION}", tuple(track.id for track in index.tracks)
    bases = []
    for _ in range(VIEWERS):
        grant = Grant(index.title_id, version, Scheme.CLEAR, tracks, new_id(), "shaka", now_s + LIFE_S)
        bases.append(media_base(mint_playback_token(profile, key, grant, now_s), index.title_id, version))
    return {
        rung.size_bytes: [
            f"{base}clear/{rung.track_id}/{number}.m4s" for base in bases for number in range(1, len(rung.data) + 1)
        ]
        for rung in rungs
    }


@contextmanager
def nginx(folder: Path, rungs: Sequence[Segments], cores: Collection[int] | None) -> Iterator[Server]:
    """One worker; tuned for loopback. Raises DidNotStart."""
    program = NGINX.find()
    if program is None:
        raise DidNotStart("nginx is missing: apt install nginx")
    folder.mkdir()
    secret, port = secrets.token_hex(), _free_port()
    targets = {rung.size_bytes: _files(folder / "files", rung, secret) for rung in rungs}
    user = "user root;" if os.getuid() == 0 else ""  # else its worker may not read a folder that is only ours
    config, log_file = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(NGINX_CONFIG.format(folder=folder, user=user, port=port, secret=secret))
    command = [str(program), "-p", str(folder), "-c", str(config), "-e", str(log_file)]
    with log_file.open("ab") as log, running(command, log, cores) as process:
        wait_until(lambda: _answers(port), process, START_TIMEOUT_S, log_file)
        yield Server("nginx", port, process.pid, targets)


def nginx_version() -> str:
    program = NGINX.find()
    said = subprocess.run([str(program), "-v"], capture_output=True, text=True, check=True).stderr if program else ""
    return said.strip().partition(": ")[2]


def _files(folder: Path, rung: Segments, secret: str) -> list[str]:
    """Write segments as files; gives their signed paths, one of each for every viewer."""
    (folder / rung.track_id).mkdir(parents=True)
    targets = []
    for viewer in range(VIEWERS):
        expires_s = int(time.time()) + LIFE_S + viewer
        for number, data in enumerate(rung.data, 1):
            path = f"/{rung.track_id}/{number}.m4s"
            (folder / path[1:]).write_bytes(data)
            digest = hashlib.md5(f"{expires_s}{path} {secret}".encode(), usedforsecurity=False).digest()
            targets.append(f"{path}?md5={urlsafe_b64encode(digest).decode().rstrip('=')}&expires={expires_s}")
    return targets


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
