"""Who calls the API: the access token, and the member and sign-in behind it as they stand now."""

from collections.abc import Callable
from datetime import datetime

from streamer.errors import NotFound, NotSignedIn
from streamer.members.access_tokens import Caller, mint_access_token, read_access_token
from streamer.members.accounts import Accounts, Member
from streamer.members.refresh import RefreshTokens
from streamer.members.signing_keys import SigningKeys
from streamer.members.tokens import TokenProfile


class Gatekeeper:
    """Issues access tokens and reads them. A sign-out counts at once: the database is asked each time."""

    def __init__(
        self,
        profile: TokenProfile,
        keys: SigningKeys,
        accounts: Accounts,
        refresh_tokens: RefreshTokens,
        now: Callable[[], datetime],
    ) -> None:
        self._profile = profile
        self._keys = keys
        self._accounts = accounts
        self._refresh_tokens = refresh_tokens
        self._now = now

    def access_token(self, member_id: str, sign_in: str) -> str:
        caller = Caller(member_id, sign_in)
        return mint_access_token(self._profile, self._keys.current, caller, int(self._now().timestamp()))

    async def member(self, access_token: str) -> tuple[Member, str]:
        """The member, and the sign-in. Raises NotSignedIn."""
        now = self._now()
        caller = read_access_token(self._profile, self._keys.verifying, access_token, now.timestamp())
        if not await self._refresh_tokens.is_alive(caller.sign_in, now):
            raise NotSignedIn("this sign-in has ended")
        try:
            return await self._accounts.get(caller.member_id), caller.sign_in
        except NotFound as error:
            raise NotSignedIn(str(error)) from error
