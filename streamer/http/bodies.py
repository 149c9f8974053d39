"""What requests and answers hold. The API's description is made from these types."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from config.plans import TitleKind

Player = Literal["shaka", "hls.js", "dash.js", "native"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
State = Literal["draft", "encoding", "ready", "published", "failed", "rejected", "cancelled"]


class Body(BaseModel):
    """A JSON object with exactly these members."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)


class ReasonBody(Body):
    code: str
    sentence: str


class ProblemBody(Body):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    "Stable: programs may rely on it."
    request_id: str
    reasons: list[ReasonBody] | None = None
    "Why a member may not have a title."


class Login(Body):
    email: str
    password: str


class RefreshToken(Body):
    refresh_token: str = Field(max_length=200)


class Tokens(Body):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    "In seconds."
    refresh_token: str
    "To be used once; the answer brings the next."


class PlanBody(Body):
    id: str
    name: str


class Me(Body):
    id: str
    email: str
    role: Literal["viewer", "studio", "admin"]
    plan: PlanBody


class Artwork(Body):
    poster: str | None
    "Address of the picture, relative to this server."


class TitleItem(Body):
    """A title in a list."""

    id: str
    kind: TitleKind
    name: str
    artist: str
    album: str
    duration_s: float | None
    "None before it is encoded."
    artwork: Artwork
    state: State
    allowed: bool
    "Whether the member's plan opens it."
    reasons: list[ReasonBody]
    "Why not, or why not as well as it could be."


class TitlePage(Body):
    items: list[TitleItem]
    next_cursor: str | None
    "For the next page; none: this is the last."


class TrackBody(Body):
    id: str
    kind: Literal["video", "audio", "text"]
    codec: str
    width: int | None
    height: int | None
    bandwidth_bps: int
    language: str
    role: str


class VersionBody(Body):
    version: int
    duration_s: float
    height: int
    created_at: datetime
    published: bool


class TitleDetail(TitleItem):
    """A title with all that is known of it."""

    description: str
    created_at: datetime
    published_at: datetime | None
    tracks: list[TrackBody]
    "Of the published version; for studio members otherwise of the newest."
    versions: list[VersionBody] | None
    "For studio members."


class NewTitle(Body):
    name: Name
    kind: TitleKind
    description: LongText = ""
    artist: ShortText = ""
    album: ShortText = ""


class TitleChanges(Body):
    """Members that are left out stay as they are."""

    name: Name | None = None
    description: LongText | None = None
    artist: ShortText | None = None
    album: ShortText | None = None


class Publish(Body):
    version: int | None = Field(default=None, ge=1)
    "None: the newest."


class Device(Body):
    model: str | None = Field(default=None, max_length=200)
    player: Player = "native"
    "Which dialect the manifests shall speak."


class BeginPlayback(Body):
    device: Device = Device()
    version: int | None = Field(default=None, ge=1)
    "For studio members: another version than the one viewers get."


class LicenceUrls(Body):
    clearkey: str | None = None
    widevine: str | None = None
    playready: str | None = None
    fairplay: str | None = None


class PlaybackBody(Body):
    session_id: str
    hls_url: str
    dash_url: str
    licence_urls: LicenceUrls
    expires_at: datetime
    heartbeat_s: int
    resume_s: float


class Heartbeat(Body):
    position_s: float = Field(ge=0, le=1e7, allow_inf_nan=False)
    state: Literal["playing", "paused", "buffering", "ended"] = "playing"


class HeartbeatBody(Body):
    expires_at: datetime
    heartbeat_s: int
    hls_url: str | None
    "New addresses, where the old ones are near their end."
    dash_url: str | None


class JobBody(Body):
    """The preparation of one version of a title."""

    title_id: str
    job_id: str
    version: int
    state: Annotated[str, StringConstraints(pattern="^(probing|encoding|ready|published|rejected|failed|cancelled)$")]
    progress: float
    "From 0 to 1."
    playable: bool
    reason: ReasonBody | None
    "Why it was rejected or has failed."
    stage: str
    "A sentence: what it does, or what it waits for."
    notes: list[str]
    "What of the original was left out, in sentences."
    created_at: datetime
    updated_at: datetime


class JobList(Body):
    items: list[JobBody]
    "The newest first."


class Health(Body):
    status: Literal["ok"]


class ReadyReason(Body):
    part: str
    reason: str


class Readiness(Body):
    ready: bool
    reasons: list[ReadyReason]
    "Why not."
    confinement: dict[str, Any]
    "What the kernel offers to confine foreign media, and what of it is in use."


class Jwks(BaseModel):
    """RFC 7517."""

    keys: list[dict[str, str]]
