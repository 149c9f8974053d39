import hashlib

from tests.streamer_helpers import House

PICTURE = b"\xff\xd8 a picture"
DIGEST = hashlib.sha256(PICTURE).hexdigest()


async def _add(house: House) -> None:
    title = await house.services.catalogue.create("film", "A film")
    await house.services.store.put(f"titles/{title.id}/v1/images/{DIGEST}.jpg", PICTURE)
    await house.services.catalogue.add_version(
        title_id=title.id, number=1, original_id="x", duration_s=1, height=0, poster=DIGEST
    )


async def test_a_poster_is_for_everybody_and_for_ever(house: House) -> None:
    await _add(house)
    response, body = await house.get(f"/api/v1/artwork/{DIGEST}.jpg")
    assert (response.status, body) == (200, PICTURE)
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again, _ = await house.get(f"/api/v1/artwork/{DIGEST}.jpg", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_what_is_no_poster_of_ours_is_404(house: House) -> None:
    await _add(house)
    for name in ("ab" * 32 + ".jpg", DIGEST.upper() + ".jpg", DIGEST, "x.jpg", f"..%2f{DIGEST}.jpg"):
        assert (await house.get(f"/api/v1/artwork/{name}"))[0].status == 404


async def test_lists_and_titles_name_the_poster(house: House) -> None:
    await _add(house)
    (title,) = (await house.services.catalogue.list(only_published=False)).titles
    await house.services.catalogue.publish(title.id)
    async with house.client.get("/api/v1/titles", headers=await house.sign_in()) as response:
        (item,) = (await response.json())["items"]
    assert item["artwork"] == {"poster": f"/api/v1/artwork/{DIGEST}.jpg"}
