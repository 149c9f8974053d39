import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import PlaybackSettings
from drm.scheme import Scheme
from streamer.errors import TokenRefused
from streamer.members.playback_tokens import (
    Grant,
    mint_playback_token,
    playback_profile,
    read_playback_token,
    uri_container,
)
from streamer.members.tokens import Claims, mint, verify
from tests.test_streamer_members_tokens import KEY, KEYS, NOW_S

SETTINGS = PlaybackSettings()
PROFILE = playback_profile(SETTINGS)
TITLE = "titleAAAAAAAAAAAAAAAAA"
GRANT = Grant(TITLE, "v7-p1", Scheme.CLEAR, ("v1080", "a-en-1"), "sessionAAAAAAAAAAAAAAA", "shaka", NOW_S + 60)

ids = st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True)
grants = st.builds(
    Grant,
    ids,
    st.from_regex(r"v[1-9][0-9]{0,8}-p[1-9][0-9]{0,3}", fullmatch=True),
    st.sampled_from(Scheme),
    st.lists(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), min_size=1, max_size=20).map(tuple),
    ids,
    st.sampled_from(["shaka", "hls.js", "dash.js", "native"]),
    st.just(NOW_S + 60),
)


@given(grants)
def test_a_grant_comes_back_as_it_went_into_the_token(grant: Grant) -> None:
    assert read_playback_token(PROFILE, KEYS, mint_playback_token(PROFILE, KEY, grant, NOW_S), NOW_S) == grant


def test_the_claims_are_those_of_uri_signing_and_no_more() -> None:
    claims = verify(PROFILE, KEYS, mint_playback_token(PROFILE, KEY, GRANT, NOW_S), NOW_S)
    assert claims == {
        "iss": "marquee",
        "aud": "marquee-media",
        "iat": NOW_S,
        "nbf": NOW_S,
        "exp": NOW_S + 60,
        "cdniv": 1,
        "cdniuc": r"regex:^https?://[^/]+/m/titleAAAAAAAAAAAAAAAAA/v7-p1/"
        r"(hls/(multivariant|v1080|a-en-1)\.m3u8|dash/manifest\.mpd"
        r"|clear/(v1080|a-en-1)/(init\.mp4|all\.vtt|[1-9][0-9]*\.(m4s|vtt)))$",
        "mq_sid": "sessionAAAAAAAAAAAAAAA",
        "mq_player": "shaka",
    }


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("hls/multivariant.m3u8", True),
        ("hls/v1080.m3u8", True),
        ("hls/v2160.m3u8", False),
        ("dash/manifest.mpd", True),
        ("clear/v1080/init.mp4", True),
        ("clear/v1080/1.m4s", True),
        ("clear/a-en-1/all.vtt", True),
        ("clear/v2160/1.m4s", False),
        ("cenc/v1080/1.m4s", False),
        ("clear/v1080/0.m4s", False),
        ("clear/v1080/1.m4s/", False),
        ("clear/v1080/1xm4s", False),
        ("clear/v1080/../v2160/1.m4s", False),
    ],
)
def test_a_cdn_that_runs_the_expression_allows_what_we_do(path: str, is_allowed: bool) -> None:
    expression = uri_container(GRANT).removeprefix("regex:")
    url = f"https://cdn.example.org/m/{TITLE}/v7-p1/{path}"
    assert (re.search(expression, url) is not None) is is_allowed


CONTAINER = uri_container(GRANT)


@pytest.mark.parametrize(
    "container",
    [
        "regex:.*",
        "regex:^https?://.*$",
        "uri:https://example.org/",
        "",
        CONTAINER + "|.*",
        CONTAINER.replace("$", ""),
        CONTAINER.replace("^", ""),
        CONTAINER.replace("[^/]+", ".*"),
        CONTAINER.replace(TITLE, ".*"),
        CONTAINER.replace(TITLE, TITLE + "A"),
        CONTAINER.replace("v7-p1", "v07-p1"),
        CONTAINER.replace("v7-p1", "v7"),
        CONTAINER.replace("clear", "plain"),
        CONTAINER.replace("v1080|a-en-1)/", "v1080|a-en-1|v2160)/"),
        CONTAINER.replace("multivariant|v1080", "multivariant|v2160"),
        CONTAINER.replace("v1080", ".*"),
        CONTAINER.replace("v1080|a-en-1", ""),
        CONTAINER.replace("v1080|a-en-1", "v1080||a-en-1"),
        CONTAINER.replace(r"\.", "."),
        CONTAINER + "\n",
    ],
)
def test_a_container_that_we_would_not_write_is_refused_though_it_is_signed(container: str) -> None:
    claims: Claims = {"cdniv": 1, "cdniuc": container, "mq_sid": "s", "mq_player": "shaka"}
    token = mint(PROFILE, KEY, claims, NOW_S, NOW_S + 60)
    with pytest.raises(TokenRefused, match="URI container"):
        read_playback_token(PROFILE, KEYS, token, NOW_S)


def test_another_version_of_uri_signing_is_refused() -> None:
    claims: Claims = {"cdniv": 2, "cdniuc": CONTAINER, "mq_sid": "s", "mq_player": "shaka"}
    with pytest.raises(TokenRefused, match="another version"):
        read_playback_token(PROFILE, KEYS, mint(PROFILE, KEY, claims, NOW_S, NOW_S + 60), NOW_S)


def test_the_longest_grant_that_a_title_can_need_fits() -> None:
    tracks = tuple(f"a-{number:02}-hans-description" for number in range(64))
    token = mint_playback_token(PROFILE, KEY, replace(GRANT, track_ids=tracks), NOW_S)
    assert len(token) <= PROFILE.max_bytes
