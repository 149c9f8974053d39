from streamer.identifiers import is_id, new_id


def test_ids_are_128_random_bits_that_stand_in_urls_and_after_commands() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_id(name) and name[0].isalnum() for name in made)


def test_what_is_no_id_is_known() -> None:
    for text in ("", "a" * 21, "a" * 23, "a" * 21 + ".", "a" * 21 + "\n", "ä" * 22, "../../../../etc/passwd"):
        assert not is_id(text)
