"""`marquee members`: who may watch."""

import asyncio
import secrets
from typing import Annotated

import typer

from config.errors import ConfigError
from config.plans import load_plans
from config.settings import load_settings
from streamer.clock import utc_now
from streamer.commands.common import AsJson, ConfigFile, ask_password, opened_database, out, print_json
from streamer.members.accounts import Accounts, Role

members = typer.Typer(no_args_is_help=True)


@members.callback()
def _group() -> None:
    """Who may watch."""


@members.command("add")
def members_add(
    email: Annotated[str, typer.Argument(help="E-mail address to sign in with.")],
    plan: Annotated[str, typer.Option(help="Id of a plan.")],
    role: Annotated[Role, typer.Option(help="What the member may do.")] = Role.VIEWER,
    generate: Annotated[bool, typer.Option("--generate", help="Make up a password and print it.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a member. The password is asked for, or read from standard input where that is no terminal."""
    settings = load_settings(config)
    plans = load_plans(settings.plans_path)
    if plan not in plans:
        raise ConfigError(f"there is no plan {plan}; there are {', '.join(plans)}")
    password = secrets.token_urlsafe(12) if generate else ask_password()

    async def run() -> str:
        async with opened_database(settings) as opened:
            accounts = Accounts(opened.sessions, settings.auth)
            return (await accounts.add(email, password, role, plan, utc_now())).id

    member_id = asyncio.run(run())
    if as_json:
        print_json(
            {"id": member_id, "email": email, "role": role, "plan": plan} | ({"password": password} if generate else {})
        )
        return
    out.print(f"{email} is a member now.")
    if generate:
        out.print(f"Password: {password}", markup=False, highlight=False)
