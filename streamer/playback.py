"""Playback: the decision, the session that carries it, and the token that lets its tracks through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.plans import Plan
from config.settings import PlaybackSettings
from drm.scheme import Scheme
from manifests.index import TitleIndex
from manifests.presentation import PACKAGING_REVISION
from streamer.catalogue.catalogue import Catalogue
from streamer.catalogue.titles import Title
from streamer.errors import NotEntitled, NotFound
from streamer.identifiers import new_id
from streamer.members.accounts import Member
from streamer.members.decision import Decision, decide
from streamer.members.playback_tokens import mint_playback_token
from streamer.members.sessions import PlaybackSession, PlaybackSessions
from streamer.members.signing_keys import SigningKey
from streamer.members.tokens import TokenProfile
from streamer.origin.origin import Origin

RENEWED_BEFORE_S = 900
"Near its end: a session with less left is renewed by its next heartbeat."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member on one device."""

    member: Member
    sign_in: str


@dataclass(frozen=True, slots=True)
class Playing:
    """A session with a token for it."""

    session: PlaybackSession
    token: str
    "Empty where the one the player has is good for longer."
    resume_s: float = 0.0


class Playback:
    """Begins, renews and ends playback sessions."""

    def __init__(
        self,
        settings: PlaybackSettings,
        plans: Mapping[str, Plan],
        catalogue: Catalogue,
        origin: Origin,
        sessions: PlaybackSessions,
        profile: TokenProfile,
        key: SigningKey,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._plans = plans
        self._catalogue = catalogue
        self._origin = origin
        self._sessions = sessions
        self._profile = profile
        self._key = key
        self._now = now

    async def begin(self, viewer: SignedIn, title_id: str, number: int | None, player: str) -> Playing:
        """A new session.

        number: of the version, for studio members; None: the published one, for them else the newest.
        player: the dialect its manifests shall speak.

        Raises NotFound, NotEntitled with the reasons.
        """
        title = await self.visible_title(viewer.member, title_id)
        index = await self.index(title, number if viewer.member.is_studio else None)
        decision = self.decision(viewer.member, title, index)
        if not decision.is_allowed:
            raise NotEntitled(decision.reasons)
        session = PlaybackSession(
            id=new_id(),
            member_id=viewer.member.id,
            sign_in=viewer.sign_in,
            title_id=title_id,
            version=f"{index.version}-p{PACKAGING_REVISION}",
            scheme=Scheme.CLEAR,
            track_ids=decision.track_ids,
            player=player,
            expires_at=self._end_of(index.duration_s),
        )
        token = self._token(session)
        await self._sessions.begin(session, self._now())
        resume_s = await self._sessions.resume_s(viewer.member.id, title_id, index.duration_s)
        return Playing(session, token, resume_s)

    async def heartbeat(self, member: Member, session_id: str, position_s: float) -> Playing:
        """Keep the place, and the session alive. Near its end it is renewed, if the member still may have the title.

        Raises NotFound, SessionEnded.
        """
        now = self._now()
        session = await self._sessions.seen(session_id, member.id, position_s, now)
        if session.expires_at - now > timedelta(seconds=RENEWED_BEFORE_S):
            return Playing(session, "")
        index = await self._origin.index(session.title_id, session.version)
        try:
            title = await self.visible_title(member, session.title_id)
        except NotFound:
            return Playing(session, "")
        if not set(session.track_ids) <= set(self.decision(member, title, index).track_ids):
            return Playing(session, "")
        renewed = replace(session, expires_at=self._end_of(index.duration_s))
        await self._sessions.renew(session.id, renewed.expires_at)
        return Playing(renewed, self._token(renewed))

    async def end(self, member: Member, session_id: str) -> None:
        """Raises NotFound."""
        await self._sessions.end(session_id, member.id, self._now())

    async def visible_title(self, member: Member, title_id: str) -> Title:
        """A title, if the member may know of it. Raises NotFound."""
        title = await self._catalogue.get(title_id)
        if title.published_version is None and not member.is_studio:
            raise NotFound("there is no such title")
        return title

    async def index(self, title: Title, number: int | None = None) -> TitleIndex:
        """The index of a version; without a number, of the one that is shown. Raises NotFound."""
        version = await self._catalogue.version(title.id, number) if number is not None else title.version
        if version is None:
            raise NotFound("the title has no finished version yet")
        return await self._origin.index(title.id, f"v{version.number}-p{PACKAGING_REVISION}")

    def decision(self, member: Member, title: Title, index: TitleIndex) -> Decision:
        return decide(member, self._plans.get(member.plan_id), title.kind, index.tracks)

    def _end_of(self, duration_s: float) -> datetime:
        life_s = min(duration_s + self._settings.grace_s, self._settings.longest_s)
        return self._now() + timedelta(seconds=int(life_s))

    def _token(self, session: PlaybackSession) -> str:
        return mint_playback_token(self._profile, self._key, session.grant, int(self._now().timestamp()))
