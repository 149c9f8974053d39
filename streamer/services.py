"""Everything the server is made of, opened and closed in one place."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from config.ladders import load_ladder
from config.plans import Plan, load_plans
from config.settings import Settings
from storage.blocking import off_loop
from storage.open import open_store
from storage.store import ObjectStore
from streamer.catalogue.catalogue import Catalogue
from streamer.clock import utc_now
from streamer.database import Sessions, open_database, open_sessions
from streamer.edge.gate import Gate
from streamer.members.access_tokens import access_profile
from streamer.members.accounts import Accounts
from streamer.members.gatekeeper import Gatekeeper
from streamer.members.playback_tokens import playback_profile
from streamer.members.refresh import RefreshTokens
from streamer.members.sessions import EndedSessions, PlaybackSessions
from streamer.members.signing_keys import SigningKeys, open_signing_keys
from streamer.migrations import upgrade
from streamer.origin.origin import Origin
from streamer.playback import Playback
from streamer.studio.job_driver import Workplace
from streamer.studio.job_owner import JobOwner
from streamer.studio.ledger import Ledger
from streamer.studio.shelf import Shelf
from streamer.studio.uploads import Uploads
from streamer.telemetry import Metrics
from transcoder.engine import Engine, open_engine
from transcoder.engine_process import engine_folder, worker_count
from transcoder.jail import Jail


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What handlers and background tasks use."""

    settings: Settings
    now: Callable[[], datetime]
    metrics: Metrics
    database: AsyncEngine
    sessions: Sessions
    store: ObjectStore
    plans: Mapping[str, Plan]
    keys: SigningKeys
    accounts: Accounts
    refresh_tokens: RefreshTokens
    gatekeeper: Gatekeeper
    playback_sessions: PlaybackSessions
    ended_sessions: EndedSessions
    catalogue: Catalogue
    origin: Origin
    gate: Gate
    playback: Playback
    ledger: Ledger
    shelf: Shelf
    engine: Engine
    owner: JobOwner
    uploads: Uploads
    jail: Jail


@asynccontextmanager
async def open_services(
    settings: Settings, now: Callable[[], datetime] = utc_now, hasher: PasswordHasher | None = None
) -> AsyncIterator[Services]:
    """Open all that the settings name, and bring the database to the newest schema.

    hasher: of passwords; None: with the library's own costs.

    Raises ConfigError, CannotStart, DatabaseUnavailable, StoreUnavailable, JailUnavailable.
    """
    async with AsyncExitStack() as opened:
        plans = load_plans(settings.plans_path)
        ladder = load_ladder(settings.ladders_file)
        keys = open_signing_keys(settings.data_dir / "keys", now())
        jail = await off_loop(Jail.detect, settings.intake.insist)
        store = await opened.enter_async_context(open_store(settings.store, settings.store_url))
        database = open_database(settings.database_url, settings.database)
        opened.push_async_callback(database.dispose)
        await upgrade(database)
        sessions = open_sessions(database)
        catalogue, ledger, origin = Catalogue(sessions, now), Ledger(sessions, now), Origin(store)
        shelf = Shelf(catalogue, ledger)
        ended = EndedSessions()
        playback_sessions = PlaybackSessions(sessions, ended)
        await playback_sessions.load_ended(now())
        accounts = Accounts(sessions, settings.auth, hasher)
        refresh_tokens = RefreshTokens(sessions, settings.auth.refresh_token_s)
        media_profile = playback_profile(settings.playback)

        def progressed(job_id: str, task: str, fraction: float) -> None:
            owner.progressed(job_id, task, fraction)

        engine = await opened.enter_async_context(open_engine(engine_folder(settings), progressed))
        workplace = Workplace(
            ledger=ledger,
            store=store,
            engine=engine,
            shelf=shelf,
            ladder=ladder,
            settings=settings.encode,
            workers=worker_count(settings),
        )
        owner = JobOwner(workplace, now)
        yield Services(
            settings=settings,
            now=now,
            metrics=Metrics(),
            database=database,
            sessions=sessions,
            store=store,
            plans=plans,
            keys=keys,
            accounts=accounts,
            refresh_tokens=refresh_tokens,
            gatekeeper=Gatekeeper(
                access_profile(settings.playback.issuer, settings.auth), keys, accounts, refresh_tokens, now
            ),
            playback_sessions=playback_sessions,
            ended_sessions=ended,
            catalogue=catalogue,
            origin=origin,
            gate=Gate(media_profile, keys.verifying, ended),
            playback=Playback(
                settings.playback, plans, catalogue, origin, playback_sessions, media_profile, keys.current, now
            ),
            ledger=ledger,
            shelf=shelf,
            engine=engine,
            owner=owner,
            uploads=Uploads(sessions, store, ledger, settings.upload, now, owner.wake),
            jail=jail,
        )
