"""mtgan.study and mtgan.report on studies."""

import pytest

import mtgan
from mtgan.errors import UserError
from mtgan.studies.collect import StudyResult


def test_a_finished_study_is_gone_on_with_and_has_its_page(fake) -> None:
    values = {"a": {"frechet_distance": [1.0, 2.0]}, "b": {"frechet_distance": [3.0, 4.0]}}
    known = fake(values)
    result = mtgan.study(known.study, known.path)  # nothing is left to run
    assert isinstance(result, StudyResult)
    assert repr(result).endswith("4 of 4 runs finished)")
    page = known.path / "report.html"
    assert page.is_file()
    page.unlink()
    assert mtgan.report(str(known.path)) == page
    assert mtgan.report(result) == page
    with pytest.raises(UserError, match="is whole"):
        mtgan.study(known.study, known.path, seeds=3)
