"""From a finished encode to a version in the catalogue, published when its job says so."""

from contextlib import suppress
from datetime import datetime

from manifests.index import TitleIndex
from streamer.catalogue.catalogue import Catalogue
from streamer.errors import NotFound
from streamer.studio.ledger import AUTOMATIC, Ledger
from streamer.tables import JobRow
from transcoder.plan import EncodePlan


class Shelf:
    """Publishing is one step of the catalogue; the ledger follows it."""

    def __init__(self, catalogue: Catalogue, ledger: Ledger) -> None:
        self._catalogue = catalogue
        self._ledger = ledger

    async def put(self, job: JobRow, plan: EncodePlan, index: TitleIndex, poster: str) -> None:
        """Add the version that a job made, in the same step that ends the job. Raises Conflict: it ended before.

        poster: digest of the poster; empty: there is none.
        """
        tags = {name: plan.tags.get(name, "") for name in ("artist", "album")}
        await self._catalogue.fill_in(job.title_id, **tags)
        async with self._ledger.finishing(job.id) as session:
            await self._catalogue.add_version(
                title_id=job.title_id,
                number=job.version,
                original_id=job.original_id,
                duration_s=index.duration_s,
                height=max((track.height for track in index.tracks), default=0),
                poster=poster,
                session=session,
            )

    async def publish(self, title_id: str, number: int | None, *, only_newer: bool = False) -> None:
        """Give viewers this version; without a number, the newest. Raises NotFound, Conflict."""
        await self._catalogue.publish(title_id, number, only_newer=only_newer)
        await self._ledger.follow_catalogue(title_id)

    async def unpublish(self, title_id: str) -> None:
        await self._catalogue.unpublish(title_id)
        await self._ledger.follow_catalogue(title_id)

    async def publish_due(self, now: datetime) -> None:
        """Publish what was to be published by itself, now that its time has come; never in place of a newer version."""
        for job in await self._ledger.ready_jobs():
            if job.publish == AUTOMATIC or datetime.fromisoformat(job.publish) <= now:
                with suppress(NotFound):  # the title was deleted in this moment
                    await self.publish(job.title_id, job.version, only_newer=True)
                await self._ledger.settle_publish(job.id)
