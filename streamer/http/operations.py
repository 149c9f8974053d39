"""What each route is for, takes and gives: the table that the API's description is made from.

A test holds it against the route table of the application, and every kind of answer against its type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from streamer.http import bodies

Answer = type[BaseModel] | str | None
"A type of JSON body, a media type of other content, or nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route."""

    summary: str
    takes: type[BaseModel] | None = None
    gives: Mapping[int, Answer]
    "By status."
    query: Mapping[str, str] = field(default_factory=dict)
    "Parameters, and what each is for."
    role: str = "viewer"
    "Who may: viewer, studio, or empty for everyone."


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/healthz"): Operation(summary="The process is alive.", gives={200: bodies.Health}, role=""),
    ("GET", "/readyz"): Operation(
        summary="Whether all that is needed answers.",
        gives={200: bodies.Readiness, 503: bodies.Readiness},
        role="",
    ),
    ("GET", "/metrics"): Operation(summary="Prometheus metrics.", gives={200: "text/plain"}, role=""),
    ("GET", "/.well-known/jwks.json"): Operation(
        summary="Public keys of the tokens (RFC 7517).", gives={200: bodies.Jwks}, role=""
    ),
    ("GET", "/api/v1/openapi.json"): Operation(summary="This description.", gives={200: "application/json"}, role=""),
    ("POST", "/api/v1/auth/login"): Operation(
        summary="Sign in.", takes=bodies.Login, gives={200: bodies.Tokens}, role=""
    ),
    ("POST", "/api/v1/auth/refresh"): Operation(
        summary="Exchange a refresh token; its use after that ends the sign-in.",
        takes=bodies.RefreshToken,
        gives={200: bodies.Tokens},
        role="",
    ),
    ("POST", "/api/v1/auth/logout"): Operation(
        summary="End a sign-in and its playback sessions.", takes=bodies.RefreshToken, gives={204: None}, role=""
    ),
    ("GET", "/api/v1/me"): Operation(summary="The member who asks.", gives={200: bodies.Me}),
    ("GET", "/api/v1/titles"): Operation(
        summary="Titles, the newest first.",
        gives={200: bodies.TitlePage},
        query={
            "q": "Part of the name, artist or album.",
            "kind": "film, episode, song or album.",
            "cursor": "`next_cursor` of the page before.",
            "limit": "Longest page, 1 to 100.",
            "all": "1: also what is not published; for studio members.",
        },
    ),
    ("POST", "/api/v1/titles"): Operation(
        summary="A new title.", takes=bodies.NewTitle, gives={201: bodies.TitleDetail}, role="studio"
    ),
    ("GET", "/api/v1/titles/{id}"): Operation(summary="One title.", gives={200: bodies.TitleDetail}),
    ("PATCH", "/api/v1/titles/{id}"): Operation(
        summary="Change what is said of a title.",
        takes=bodies.TitleChanges,
        gives={200: bodies.TitleDetail},
        role="studio",
    ),
    ("POST", "/api/v1/titles/{id}/publish"): Operation(
        summary="Give viewers a version.", takes=bodies.Publish, gives={200: bodies.TitleDetail}, role="studio"
    ),
    ("POST", "/api/v1/titles/{id}/unpublish"): Operation(
        summary="Take a title from viewers; sessions keep it.", gives={200: bodies.TitleDetail}, role="studio"
    ),
    ("OPTIONS", "/api/v1/uploads"): Operation(summary="What of tus 1.0.0 we know.", gives={204: None}, role=""),
    ("POST", "/api/v1/uploads"): Operation(
        summary="Begin a resumable upload (tus 1.0.0), or join partial ones.", gives={201: None}, role="studio"
    ),
    ("OPTIONS", "/api/v1/uploads/{id}"): Operation(summary="What of tus 1.0.0 we know.", gives={204: None}, role=""),
    ("POST", "/api/v1/uploads/{id}"): Operation(
        summary="PATCH or DELETE, as X-HTTP-Method-Override says.", gives={204: None}, role="studio"
    ),
    ("HEAD", "/api/v1/uploads/{id}"): Operation(summary="How far an upload is.", gives={200: None}, role="studio"),
    ("PATCH", "/api/v1/uploads/{id}"): Operation(
        summary="Add bytes to an upload; the last makes it an original.", gives={204: None}, role="studio"
    ),
    ("DELETE", "/api/v1/uploads/{id}"): Operation(summary="Drop an upload.", gives={204: None}, role="studio"),
    ("GET", "/api/v1/jobs"): Operation(summary="The newest encodes.", gives={200: bodies.JobList}, role="studio"),
    ("GET", "/api/v1/titles/{id}/job"): Operation(
        summary="The newest encode of a title.", gives={200: bodies.JobBody}, role="studio"
    ),
    ("GET", "/api/v1/titles/{id}/job/events"): Operation(
        summary="The same whenever it changes, as server-sent events named `job`.",
        gives={200: "text/event-stream"},
        role="studio",
    ),
    ("DELETE", "/api/v1/titles/{id}/job"): Operation(
        summary="Cancel the encode of a title.", gives={200: bodies.JobBody}, role="studio"
    ),
    ("POST", "/api/v1/titles/{id}/playback"): Operation(
        summary="Begin a playback session.", takes=bodies.BeginPlayback, gives={201: bodies.PlaybackBody}
    ),
    ("POST", "/api/v1/playback/{session_id}/heartbeat"): Operation(
        summary="The player is still there.", takes=bodies.Heartbeat, gives={200: bodies.HeartbeatBody}
    ),
    ("DELETE", "/api/v1/playback/{session_id}"): Operation(summary="End a playback session.", gives={204: None}),
    ("GET", "/api/v1/artwork/{digest}.jpg"): Operation(
        summary="A picture, by the SHA-256 of its bytes.", gives={200: "image/jpeg"}, role=""
    ),
    ("GET", "/m/{path}"): Operation(
        summary="Manifests and segments; the path carries a playback token.",
        gives={200: "application/octet-stream", 206: "application/octet-stream", 304: None, 412: None, 416: None},
        role="",
    ),
    ("GET", "/"): Operation(summary="The viewers' page.", gives={200: "text/html"}, role=""),
    ("GET", "/studio"): Operation(summary="The content team's page.", gives={200: "text/html"}, role=""),
    ("GET", "/web/{name}"): Operation(
        summary="What the pages are made of.", gives={200: "application/octet-stream"}, role=""
    ),
}
