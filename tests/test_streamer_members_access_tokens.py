import pytest

from config.settings import AuthSettings
from streamer.errors import NotSignedIn
from streamer.members.access_tokens import Caller, access_profile, mint_access_token, read_access_token
from tests.test_streamer_members_tokens import KEY, KEYS, NOW_S

PROFILE = access_profile("marquee", AuthSettings(access_token_s=900))
CALLER = Caller("memberAAAAAAAAAAAAAAAA", "familyAAAAAAAAAAAAAAAA")


def test_an_access_token_says_who_calls_and_from_which_sign_in() -> None:
    token = mint_access_token(PROFILE, KEY, CALLER, NOW_S)
    assert read_access_token(PROFILE, KEYS, token, NOW_S + 899) == CALLER


def test_one_that_is_not_accepted_means_that_nobody_is_signed_in() -> None:
    token = mint_access_token(PROFILE, KEY, CALLER, NOW_S)
    for refused, now_s in ((token, NOW_S + 900), (token[:-4], NOW_S), ("", NOW_S)):
        with pytest.raises(NotSignedIn):
            read_access_token(PROFILE, KEYS, refused, now_s)
