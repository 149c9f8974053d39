"""The gate of the media routes: tokens, checked once and remembered, and sessions that were ended."""

from collections import OrderedDict
from collections.abc import Mapping

from streamer.errors import SessionEnded, TokenRefused
from streamer.members.playback_tokens import Grant, read_playback_token
from streamer.members.sessions import EndedSessions
from streamer.members.signing_keys import VerifyingKey
from streamer.members.tokens import TokenProfile

TOKENS_KEPT = 10_000  # about 60 MB with the longest tokens


class Gate:
    """A signature costs 0.1 ms and a player asks a thousand times with one token, so accepted ones are remembered."""

    def __init__(self, profile: TokenProfile, keys: Mapping[str, VerifyingKey], ended: EndedSessions) -> None:
        self._profile = profile
        self._keys = keys
        self._ended = ended
        self._grants: OrderedDict[str, Grant] = OrderedDict()

    def grant(self, token: str, now_s: float) -> Grant:
        """What a token allows now. Raises TokenRefused, SessionEnded."""
        grant = self._grants.get(token)
        if grant is None:
            grant = self._grants[token] = read_playback_token(self._profile, self._keys, token, now_s)
            if len(self._grants) > TOKENS_KEPT:
                self._grants.popitem(last=False)
        elif grant.expires_s <= now_s:
            del self._grants[token]
            raise TokenRefused("the token has expired")
        self._grants.move_to_end(token)
        if grant.session_id in self._ended:
            raise SessionEnded("the playback session was ended")
        return grant
