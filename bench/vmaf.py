"""How good pictures look beside their source: VMAF, by the libvmaf of our ffmpeg."""

import re
import subprocess
from pathlib import Path

EVERY_NTH_PICTURE = 5
"All of them would take five times as long, and say the same within 0.1."
THREADS = 2
TIMEOUT_S = 900.0


def vmaf(ffmpeg: Path, encoded: Path, source: Path, size: tuple[int, int]) -> float:
    """Mean of the pictures, 0 to 100.

    encoded: one video track of any size; it is scaled to the source's, as on a screen.
    size: of the source.
    """
    scaled = f"scale={size[0]}:{size[1]}:flags=bicubic,format=yuv420p,setpts=PTS-STARTPTS"
    graph = (
        f"[0:v]{scaled}[encoded];[1:v]{scaled}[source];"
        f"[encoded][source]libvmaf=n_subsample={EVERY_NTH_PICTURE}:n_threads={THREADS}"
    )
    command = [str(ffmpeg), "-nostdin", "-hide_banner", "-i", str(encoded), "-i", str(source)]
    command += ["-filter_complex", graph, "-f", "null", "-"]
    done = subprocess.run(command, check=True, timeout=TIMEOUT_S, capture_output=True, text=True)
    score = re.search(r"VMAF score: ([\d.]+)", done.stderr)
    if score is None:
        raise ValueError(f"{ffmpeg} gave no VMAF score: {done.stderr[-500:]}")
    return float(score[1])
