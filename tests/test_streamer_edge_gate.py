from datetime import UTC, datetime

import pytest

from config.settings import PlaybackSettings
from streamer.edge import gate as gate_module
from streamer.edge.gate import Gate
from streamer.errors import SessionEnded, TokenRefused
from streamer.members.playback_tokens import mint_playback_token, playback_profile
from streamer.members.sessions import EndedSessions
from tests.test_streamer_members_playback_tokens import GRANT
from tests.test_streamer_members_tokens import KEY, KEYS, NOW_S

PROFILE = playback_profile(PlaybackSettings())
TOKEN = mint_playback_token(PROFILE, KEY, GRANT, NOW_S)
END = datetime.fromtimestamp(NOW_S + 60, UTC)


def test_a_token_is_good_until_it_expires_also_when_it_is_remembered() -> None:
    gate = Gate(PROFILE, KEYS, EndedSessions())
    assert gate.grant(TOKEN, NOW_S) == GRANT
    assert gate.grant(TOKEN, NOW_S + 59) == GRANT
    for _ in range(2):
        with pytest.raises(TokenRefused, match="expired"):
            gate.grant(TOKEN, NOW_S + 60)


def test_an_ended_session_is_refused_also_when_its_token_is_remembered() -> None:
    ended = EndedSessions()
    gate = Gate(PROFILE, KEYS, ended)
    gate.grant(TOKEN, NOW_S)
    ended.add([(GRANT.session_id, END)])
    with pytest.raises(SessionEnded):
        gate.grant(TOKEN, NOW_S)


def test_a_refused_token_is_not_remembered() -> None:
    gate = Gate(PROFILE, {}, EndedSessions())
    for _ in range(2):
        with pytest.raises(TokenRefused):
            gate.grant(TOKEN, NOW_S)


def test_memory_is_bounded_and_the_last_used_stay() -> None:
    gate = Gate(PROFILE, KEYS, EndedSessions())
    gate.grant(TOKEN, NOW_S)
    kept = gate._grants
    kept.update({str(number): GRANT for number in range(gate_module.TOKENS_KEPT)})
    gate.grant(mint_playback_token(PROFILE, KEY, GRANT, NOW_S - 1), NOW_S)
    assert TOKEN not in kept
