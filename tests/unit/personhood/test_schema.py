"""The schema's history: on both databases, forwards and back, and equal to the models."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

import console.schema
import distribution.database
import distribution.journal
import enrollment.database
import enrollment.kiosks
import enrollment.replay
import enrollment.sessions
import personhood.app  # noqa: F401 - all stores, and so all tables
import transparency.schema
import uniqueness.private.ledger
import uniqueness.schema
from personhood import schema
from personhood.database import open_database, owned
from personhood.errors import DatabaseAhead, DatabaseBehind
from personhood.settings import Settings
from tests.postgres import empty_schema
from uniqueness.ownership import Ownership
from uniqueness.sealing import Keyring

KEYRING = Keyring(b"k" * 32)
METADATA = [
    uniqueness.schema.Base.metadata,
    enrollment.database.Base.metadata,
    console.schema.Base.metadata,
    transparency.schema.Base.metadata,
    distribution.database.Base.metadata,
]


def revision_of(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return schema.current_revision(connection)


def test_models_and_history_agree(engine: Engine) -> None:
    assert "kiosks" in enrollment.database.Base.metadata.tables  # every store was imported
    schema.upgrade(engine, KEYRING)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []  # type: ignore[arg-type]


def test_there_and_back(engine: Engine) -> None:
    schema.upgrade(engine, KEYRING)
    schema.upgrade(engine, KEYRING)
    assert revision_of(engine) == schema.head_revision()
    schema.downgrade(engine, KEYRING, "base")
    assert revision_of(engine) is None
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_what_the_stores_made_is_taken_over(engine: Engine) -> None:
    for metadata in METADATA:
        metadata.create_all(engine)
    assert schema.upgrade(engine, KEYRING) is None
    schema.check(engine)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is not None


def test_a_later_versions_database_is_refused(engine: Engine) -> None:
    schema.upgrade(engine, KEYRING)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (schema.check, lambda e: schema.upgrade(e, KEYRING)):
        with pytest.raises(DatabaseAhead, match="9999"):
            use(engine)


def test_an_empty_database_gets_the_schema_at_once(tmp_path: Path) -> None:
    engine = open_database(Settings(home=tmp_path))
    schema.check(engine)
    engine.dispose()
    assert list(tmp_path.glob("*.backup")) == []


@pytest.mark.slow
def test_another_database_is_upgraded_by_its_operator(tmp_path: Path, postgres_url: str) -> None:
    with empty_schema(postgres_url) as url:
        settings = Settings(home=tmp_path, database_url=url)
        engine = open_database(settings)
        schema.downgrade(engine, KEYRING, "base")
        with pytest.raises(DatabaseBehind, match="personhood db upgrade"):
            open_database(settings, upgrade=True)
        schema.upgrade(engine, KEYRING)
        open_database(settings).dispose()
        engine.dispose()


def test_a_failed_step_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.op.create_table", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        schema.upgrade(engine, KEYRING)
    assert inspect(engine).get_table_names() == []


def test_a_standby_does_not_decide_on_the_schema_of_a_later_version(engine: Engine) -> None:
    schema.upgrade(engine, KEYRING)
    with owned(engine):
        pass
    with engine.begin() as connection:  # as a later version leaves it, while this one waits
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseAhead), owned(engine):
        pass
    with Ownership(engine):
        pass  # nobody holds it any more
