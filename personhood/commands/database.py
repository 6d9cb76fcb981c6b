"""`personhood db upgrade`, `downgrade` and `current`."""

from pathlib import Path
from typing import Annotated

import typer

from personhood.settings import Settings

app = typer.Typer(help="The version of the database's schema.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema. Stop every service and make a backup first."""
    from personhood import schema
    from personhood.database import engine_of
    from personhood.keys import template_keys

    settings = Settings()
    _tell(schema.upgrade(engine_of(settings), template_keys(settings)))
    current()


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="of the earlier version, such as 0001")],
) -> None:
    """Bring the database back to an earlier version's schema, and lose what that cannot hold."""
    from personhood import schema
    from personhood.database import engine_of
    from personhood.keys import template_keys

    settings = Settings()
    _tell(schema.downgrade(engine_of(settings), template_keys(settings), revision))
    current()


@app.command()
def current() -> None:
    """Tell the database's schema, and the one that this version needs."""
    from personhood import schema
    from personhood.database import engine_of

    with engine_of(Settings()).connect() as connection:
        found = schema.current_revision(connection)
    typer.echo(f"schema {found or 'none'}, this version needs {schema.head_revision()}")


def _tell(copy: Path | None) -> None:
    if copy is not None:
        typer.echo(f"the database as it was before is kept in {copy}")
