"""What an original holds, found out once and then passed on."""

from dataclasses import dataclass, field

from manifests.index import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The one stream of pictures that a title is made of. All times are the source's own."""

    index: int
    "Of the stream in the file, as `-map 0:{index}` wants it."
    codec: str
    width: int
    "Of the stored picture in pixels, before rotation and before pixels are made square."
    height: int
    pixel_aspect: tuple[int, int]
    "Width and height of one pixel in relation; (1, 1) is square."
    rotation: int
    "Degrees clockwise that bring the picture upright: 0, 90, 180 or 270. ffmpeg does so by itself."
    frame_rate: Rate
    "The constant rate to encode at: from 10 to 60 pictures per second."
    measured_rate_hz: float
    "Median rate of the stored pictures; 0 for a single one."
    is_variable_rate: bool
    frame_count: int
    "Pictures that are shown; those that an edit list cuts away do not count."
    start_s: float
    "When the first picture is shown."
    duration_s: float
    "From the first picture to the end of the last."
    is_interlaced: bool
    field_order: str
    "`progressive`, `tt`, `bb`, `tb`, `bt` or `unknown`, as ffprobe has it."
    pixel_format: str
    bit_depth: int
    color_transfer: str
    "As ffprobe names them (`smpte2084`, `bt709`); empty where nothing is said."
    color_primaries: str
    color_matrix: str
    keyframes_s: tuple[float, ...]
    "Times at which decoding can start, at least a second apart."

    @property
    def is_hdr(self) -> bool:
        return self.color_transfer in ("smpte2084", "arib-std-b67")

    @property
    def encoded_frame_count(self) -> int:
        """Pictures there are at the constant rate; where the stored ones have that rate, exactly as many."""
        rate_hz = self.frame_rate.numerator / self.frame_rate.denominator
        if not self.is_variable_rate and abs(self.measured_rate_hz - rate_hz) <= 0.005 * rate_hz:
            return self.frame_count
        return max(1, round(self.duration_s * rate_hz))

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height in square pixels, upright; the longer pixel side is stretched, none is shrunk."""
        across, down = self.pixel_aspect
        width = round(self.width * across / down) if across > down else self.width
        height = round(self.height * down / across) if down > across else self.height
        return (height, width) if self.rotation in (90, 270) else (width, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    index: int
    codec: str
    channels: int
    sample_rate: int
    language: str
    "BCP 47; `und` where nothing is said."
    role: str
    "`main`, `commentary` or `description` (for those who do not see)."
    title: str
    is_default: bool
    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleStream:
    """Subtitles as text; those that are pictures are not taken."""

    index: int
    codec: str
    language: str
    role: str
    "`subtitle`, `caption` (for those who do not hear), `forced` or `commentary`."
    title: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What the file says of the work it holds; empty where it says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    track: str = ""
    "Number on the album, possibly with their count: `3/12`."
    date: str = ""
    genre: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What was found in an original that we take."""

    container: str
    "FFmpeg's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`."
    size_bytes: int
    duration_s: float
    "Of the pictures; without pictures, of the longest sound."
    video: VideoStream | None
    audio: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]
    cover: int | None
    "Index of an attached picture."
    tags: Tags = field(default_factory=Tags)
    notes: tuple[str, ...] = ()
    "What was left out or mended, in sentences for the content team."
