"""What Alembic runs: the steps, on the connection and with the keys that it is given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # on SQLite too: `uniqueness.database` begins real transactions
)
context.run_migrations()
