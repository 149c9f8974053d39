"""Sign-in, rotation of refresh tokens, sign-out, and who one is."""

import time

from aiohttp import web

from streamer.errors import NotSignedIn, TooManyAttempts
from streamer.http.bodies import Login, Me, PlanBody, RefreshToken, Tokens
from streamer.http.requests import SERVICES, answer, read_body, signed_in
from streamer.members.refresh import SignIn


def auth_routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/auth/login", login),
        web.post("/api/v1/auth/refresh", refresh),
        web.post("/api/v1/auth/logout", logout),
        web.get("/api/v1/me", me),
    ]


async def login(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body = await read_body(request, Login)
    try:
        member = await services.accounts.sign_in(body.email, body.password, request.remote or "", time.monotonic())
    except (NotSignedIn, TooManyAttempts) as error:
        services.metrics.sign_ins.labels(type(error).__name__).inc()
        raise
    services.metrics.sign_ins.labels("accepted").inc()
    return _tokens(request, await services.refresh_tokens.begin(member.id, services.now()))


async def refresh(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body = await read_body(request, RefreshToken)
    return _tokens(request, await services.refresh_tokens.rotate(body.refresh_token, services.now()))


async def logout(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    body = await read_body(request, RefreshToken)
    sign_in = await services.refresh_tokens.end(body.refresh_token)
    if sign_in is not None:
        await services.playback_sessions.end_all(sign_in, services.now())
    return web.Response(status=204)


async def me(request: web.Request) -> web.Response:
    member = (await signed_in(request)).member
    plan = request.app[SERVICES].plans.get(member.plan_id)
    plan_body = PlanBody(id=member.plan_id, name=plan.name if plan else member.plan_id)
    return answer(Me(id=member.id, email=member.email, role=member.role.value, plan=plan_body))


def _tokens(request: web.Request, sign_in: SignIn) -> web.Response:
    services = request.app[SERVICES]
    tokens = Tokens(
        access_token=services.gatekeeper.access_token(sign_in.member_id, sign_in.family),
        token_type="Bearer",
        expires_in=services.settings.auth.access_token_s,
        refresh_token=sign_in.refresh_token,
    )
    return answer(tokens)
