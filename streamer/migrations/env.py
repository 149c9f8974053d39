"""Alembic's entry: it runs on the connection that our `upgrade` hands over."""

from alembic import context

from streamer.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_server_default=True,
)
context.run_migrations()
