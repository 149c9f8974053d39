import pytest

from manifests.languages import _ROWS, iso639_2, language_name, language_tag


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("en", "en"),
        ("eng", "en"),
        ("ENG", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("chi", "zh"),
        ("pt_BR", "pt-BR"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("gsw", "gsw"),
        ("und", "und"),
        ("", "und"),
        ("english", "und"),
        ('e"n', "und"),
        ("\x7f\x7f\x7f", "und"),
    ],
)
def test_what_files_say_becomes_the_shortest_bcp_47_tag(code: str, tag: str) -> None:
    assert language_tag(code) == tag


@pytest.mark.parametrize(
    ("tag", "three"), [("en", "eng"), ("de-AT", "deu"), ("gsw", "gsw"), ("und", "und"), ("xx", "und")]
)
def test_mdhd_gets_three_letters(tag: str, three: str) -> None:
    assert iso639_2(tag) == three


@pytest.mark.parametrize(
    ("tag", "name"), [("de", "Deutsch"), ("pt-BR", "Português (BR)"), ("ar", "العربية"), ("gsw", "gsw")]
)
def test_languages_are_named_in_their_own_words(tag: str, name: str) -> None:
    assert language_name(tag) == name


def test_every_code_of_the_table_is_well_formed() -> None:
    assert len(_ROWS) == 183
    for short, three, other, _ in _ROWS:
        assert len(short) == 2
        assert len(three) == 3
        assert other == "-" or len(other) == 3
