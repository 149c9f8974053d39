import pytest

from config.plans import load_plans
from manifests.index import Track
from streamer.members.accounts import Member, Role
from streamer.members.decision import Decision, decide, reasons_against
from tests.titles import FILM, SONG, audio, video

PLANS = load_plans()
VIEWER = Member("m", "viewer@example.org", Role.VIEWER, "free")
STUDIO = Member("m", "studio@example.org", Role.STUDIO, "music")


def test_a_plan_gives_pictures_up_to_its_height_and_says_so() -> None:
    decision = decide(VIEWER, PLANS["free"], "film", FILM)
    assert decision.track_ids == ("v540", "a-en-1", "t-de-1")
    assert [reason.code for reason in decision.reasons] == ["plan-height"]
    assert decision.is_allowed


def test_a_plan_that_gives_everything_has_nothing_to_say() -> None:
    assert decide(VIEWER, PLANS["premium"], "film", FILM) == Decision(tuple(track.id for track in FILM))


def test_a_kind_that_the_plan_does_not_open_is_refused_whole() -> None:
    decision = decide(VIEWER, PLANS["music"], "film", FILM)
    assert not decision.is_allowed
    assert decision.reasons == reasons_against(VIEWER, PLANS["music"], "film")
    assert decision.reasons[0] == ("plan-kind", "The plan Music does not include films.")


def test_a_song_needs_no_pictures() -> None:
    assert decide(VIEWER, PLANS["music"], "song", SONG) == Decision(("a-und-1",))


def test_sound_alone_is_not_the_film() -> None:
    decision = decide(VIEWER, PLANS["free"], "film", [video("v2160", 3840, 2160), audio("a-en-1", "en")])
    assert not decision.is_allowed
    assert [reason.code for reason in decision.reasons] == ["plan-height"]


def test_a_plan_that_is_gone_opens_nothing() -> None:
    assert [reason.code for reason in decide(VIEWER, None, "film", FILM).reasons] == ["plan-unknown"]


def test_the_studio_sees_everything() -> None:
    assert decide(STUDIO, None, "film", FILM).track_ids == tuple(track.id for track in FILM)
    assert reasons_against(STUDIO, PLANS["music"], "film") == ()


@pytest.mark.parametrize(
    ("track", "is_allowed"),
    [
        (video("v", 960, 540), True),
        (video("v", 962, 540), True),
        (video("v", 960, 402), True),  # 2.39:1
        (video("v", 1280, 534), False),  # 2.39:1, of the class of 720 rows
        (video("v", 720, 540), True),  # 4:3
        (video("v", 960, 720), False),
        (video("v", 540, 960), True),  # upright
        (video("v", 720, 1280), False),
        (video("v", 540, 540), True),
    ],
)
def test_the_class_of_a_picture_is_that_of_the_16_9_frame_that_holds_it(track: Track, is_allowed: bool) -> None:
    assert decide(VIEWER, PLANS["free"], "film", [track]).is_allowed is is_allowed
