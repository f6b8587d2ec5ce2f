"""What people say of a study's cells, as tables of its page beside those of its measures."""

from typing import Any

from mtgan.reports.survey import measure_rows, model_tables
from mtgan.studies.collect import StudyResult
from mtgan.studies.people import measures_and_people, people_of


def people_tables(result: StudyResult) -> list[dict[str, Any]]:
    """Tables of the survey's outcome by cell, and of how measures agree with it; none before
    anybody has answered."""
    said = people_of(result)
    if said is None:
        return []
    told = " ".join([*said.sentences, *said.notes])
    tables = [
        {"title": f"people: {one.title}", "titles": one.titles, "rows": one.rows, "note": told}
        for one in model_tables(said)[:1]
    ]
    agreements = measure_rows(measures_and_people(result, said))
    note = f"Means over seeds, as people see the cells. {agreements.note}"
    shown = {"title": agreements.title, "titles": agreements.titles, "rows": agreements.rows}
    return [*tables, *([{**shown, "note": note}] if agreements.rows else [])]
