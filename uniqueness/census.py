"""Who is in the gallery, in numbers: read from the index over (person, model) alone."""

from sqlalchemy import ColumnElement, Connection, case, func, select

from uniqueness.schema import HeadRow, RemovalRow, TemplateRow


def templates_by_model(connection: Connection) -> dict[str, int]:
    """Count the templates of enrolled people by their model."""
    model = TemplateRow.model
    query = select(model, func.count()).where(_enrolled()).group_by(model).order_by(model)
    return {row[0]: row[1] for row in connection.execute(query)}


def people_by_models(connection: Connection) -> dict[frozenset[str], int]:
    """Count enrolled people by the models of which they have templates.

    While a model is retired this tells how far that is: people with the old one alone, with both,
    with the new one alone.
    """
    models = sorted(templates_by_model(connection))
    if len(models) == 1:  # everybody has it: of a million people, nobody need be looked at
        return {frozenset(models): connection.scalars(select(HeadRow.people)).one()}
    has = [
        func.max(case((TemplateRow.model == model, 1), else_=0)).label(f"has_{number}")
        for number, model in enumerate(models)
    ]
    if not has:
        return {}
    people = select(*has).where(_enrolled()).group_by(TemplateRow.person).subquery()
    flags = list(people.c)
    counted = connection.execute(select(*flags, func.count()).group_by(*flags))
    return {
        frozenset(model for model, flag in zip(models, row[:-1], strict=True) if flag): row[-1]
        for row in counted
    }


def _enrolled() -> ColumnElement[bool]:
    removed = select(RemovalRow.sequence).where(RemovalRow.person == TemplateRow.person)
    return ~removed.exists()
