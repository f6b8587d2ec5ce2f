"""From planted runs to figures, tables, verdicts and pages; what bad input gets."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mtgan.errors import UserError
from mtgan.reproduction import machine
from mtgan.reproduction.index import chosen, entries
from mtgan.reproduction.machine import Setting
from mtgan.reproduction.page import anchor
from mtgan.reproduction.report import listing, write_report
from mtgan.reproduction.reproduced import Reproduced
from mtgan.reproduction.schema import Entry
from mtgan.studies.execute import JobOutcome
from mtgan.studies.jobs import Job
from mtgan.studies.plan import StudyPlan
from reproduction.conftest import noisy, plant

SLOW = {"disturbed", "real-sets"}  # forms that train a classifier of real images
pytestmark = pytest.mark.filterwarnings("ignore")


class Nobody:
    """Runs nothing, and says what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[Job] = []

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        self.asked += jobs
        return iter(())


def with_runs(setting: Setting, *studies: str) -> dict[str, StudyPlan]:
    machine.open_results(setting)
    plans = {name: setting.plan(name) for name in studies}
    for name, plan in plans.items():
        plant(plan, setting.study_folder(name))
    return plans


def drawn(setting: Setting, name: str) -> Reproduced:
    [entry] = chosen([name])
    return machine.draw(entry, setting, setting.plan(entry.study) if entry.study else None)


def test_every_entry_yields_its_file(setting: Setting, planted: None) -> None:
    """From runs that are there already, one seed of each cell: nothing is trained."""
    setting = replace(setting, seeds=1)
    names = {entry.study for entry in entries().values()} - {""}
    plans = with_runs(setting, *sorted(names))
    for entry in entries().values():
        if SLOW & entry.draw.keys():
            continue
        made = machine.draw(entry, setting, plans.get(entry.study))
        page = (made.folder / "entry.md").read_text()
        values = json.loads((made.folder / "entry.json").read_text())
        if not entry.built:
            assert entry.not_built in page
            continue
        assert made.error == "", entry.id
        assert made.drawn.files or made.drawn.table, entry.id
        assert all(file.stat().st_size > 0 for file in made.drawn.files), entry.id
        assert made.verdict is not None
        assert made.verdict.outcome == ("not decided" if entry.rule else "not judged"), entry.id
        assert values["verdict"] == made.verdict.outcome
        assert all(count > 0 for count in made.drawn.counts.values()), entry.id
        assert made.drawn.counts == shown(entry, plans.get(entry.study)) | made.drawn.counts


def shown(entry: Entry, plan: StudyPlan | None) -> dict[str, int]:
    """What there is to be counted in a form, from what the entry asks for: of each of its values a
    curve for each arm, with the ten points that are planted; of each arm a row, or a picture."""
    [(form, asked)] = entry.draw.items()
    arms = entry.arms or [cell.label for cell in plan.cells] if plan else []
    printed_rows = set(entry.printed.rows) if entry.printed else set()
    printed_columns = len(entry.printed.columns) if entry.printed else 0
    match form:
        case "curves":
            curves = len(asked["values"]) * len(arms)
            return {"panels": len(asked["values"]), "curves": curves, "points": 10 * curves}
        case "table":
            columns = 1 + len(asked["measures"]) + printed_columns
            return {"rows": len(printed_rows | set(arms)), "columns": columns}
        case "grid":
            columns = 1 + len(asked["columns"]) + printed_columns
            return {"rows": len(printed_rows | set(asked["rows"])), "columns": columns}
        case "samples":
            return {"pictures": min(len(arms), asked.get("most", len(arms)))}
        case "analysis":
            return {"pictures": len(arms), "rows": len(arms)}
        case "diagram":
            return {"pictures": len(asked["recipes"])}
    return {}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("thesis/5.3", {"panels": 2, "curves": 6, "points": 60}),
        ("thesis/5.4", {"panels": 2, "curves": 8, "points": 80}),
        ("thesis/5.6", {"panels": 2, "curves": 2, "points": 20}),
        ("thesis/5.7", {"panels": 1, "curves": 2, "points": 20}),
        ("thesis/5.12", {"panels": 2, "curves": 8, "points": 80}),
        ("thesis/table-5.1", {"rows": 17, "columns": 3}),
        ("thesis/table-5.2", {"rows": 13, "columns": 7}),
        ("thesis/5.2", {"pictures": 1}),
        ("thesis/5.14", {"pictures": 1, "rows": 1}),
    ],
)
def test_a_figure_has_its_curves_and_a_table_its_rows(
    setting: Setting, planted: None, name: str, counts: dict[str, int]
) -> None:
    setting = replace(setting, seeds=1)
    with_runs(setting, "conditioning")
    assert drawn(setting, name).drawn.counts == counts


@pytest.mark.parametrize(("number", "iteration"), [(1, "5"), (2, "20")])
def test_domains_are_drawn_side_by_side(
    setting: Setting, planted: None, number: int, iteration: str
) -> None:
    setting = replace(setting, seeds=1)
    with_runs(setting, "multidomain-claims")
    made = drawn(setting, f"multi-domain/multi-out-{number}").drawn
    assert made.counts == {"pictures": 2, "rows": 4}
    assert made.table is not None
    assert made.table.rows[0] == ("softmax", iteration, "smiles", "CCO")
    page = (setting.out / "tiny").rglob("entry.md")
    assert any("C\\|C" in file.read_text() for file in page)  # a bar ends no cell


def test_classifiers_are_drawn_over_epochs(setting: Setting) -> None:
    with_runs(setting, "mtl-data-fraction", "mtl-soft-weight")
    made = drawn(setting, "thesis/table-2.2")
    assert made.drawn.counts == {"rows": 4, "columns": 5}
    assert made.drawn.table is not None
    assert made.drawn.table.columns == ("", "STL, ours", "soft, ours", "STL, source", "MTL, source")
    assert made.drawn.table.rows[2][3:] == ("0.41", "0.44")
    assert drawn(setting, "thesis/2.5").drawn.counts == {"panels": 1, "curves": 4, "points": 40}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("thesis/table-4.1", {"rows": 9, "columns": 5}),
        ("thesis/table-4.2", {"rows": 12, "columns": 5}),
        ("thesis/1.5", {"pictures": 4}),
        ("thesis/3.3", {"panels": 2, "bars": 6}),
        ("thesis/1.4", {"rows": 6, "columns": 2}),
    ],
)
def test_what_needs_no_runs_is_drawn_without_any(
    setting: Setting, name: str, counts: dict[str, int]
) -> None:
    assert drawn(setting, name).drawn.counts == counts


@pytest.mark.parametrize("number", ["table-4.2", "table-4.3", "table-D.1", "3.3"])
def test_our_recipes_are_the_thesis_s(tmp_path: Path, number: str) -> None:
    made = drawn(Setting(tmp_path, "small"), f"thesis/{number}")
    assert made.verdict is not None
    assert made.verdict.outcome == "holds", made.verdict.reason


@pytest.mark.parametrize("number", range(1, 5))
def test_our_recipes_train_as_the_algorithms_say(tmp_path: Path, number: int) -> None:
    made = drawn(Setting(tmp_path, "small"), f"thesis/algorithm-{number}")
    assert made.verdict is not None
    assert made.verdict.outcome == "holds", made.verdict.reason


def test_a_planted_order_is_judged_with_the_regime(setting: Setting, planted: None) -> None:
    small = replace(setting, scale="small")
    machine.open_results(small)
    plan = small.plan("resnet")

    def better(label: str, seed: int, measure: str) -> float:
        if measure == "accuracy/fine":
            return 0.9
        return (1.0 if label == "resnet-b" else 2.0) + 0.01 * seed * (1 + seed % 2)

    plant(plan, small.study_folder("resnet"), better)
    assert drawn(small, "thesis/5.19").verdict.outcome == "holds"
    assert drawn(small, "thesis/claim-equal-inception-score").verdict.outcome == "contradicted"
    page = (small.entry_folder(entries()["thesis/5.19"]) / "entry.md").read_text()
    assert "resnet-b against resnet-a" in page


def test_entries_share_runs_and_nothing_is_run_again(setting: Setting, planted: None) -> None:
    setting = replace(setting, seeds=1)
    with_runs(setting, "conditioning")
    nobody = Nobody()
    wanted = chosen(["thesis/5.3", "thesis/5.4", "thesis/table-5.2"])
    found = list(machine.reproduce(wanted, setting, lambda folder: nobody))
    assert not nobody.asked
    assert [made.entry.id for made in found] == [entry.id for entry in wanted]
    assert all(not made.error for made in found)
    assert len(list((setting.folder / "studies").iterdir())) == 1


def test_what_failed_says_so_in_its_page(setting: Setting) -> None:
    machine.open_results(setting)
    made = drawn(setting, "thesis/5.19")
    assert "has not been run at scale tiny" in made.error
    assert made.state == machine.known_state(made.entry, setting) == "not run"


def test_what_cannot_be_drawn_says_so_in_list_and_report(setting: Setting, flat_data: Path) -> None:
    machine.open_results(setting)
    flat = replace(setting, data=str(flat_data))
    made = drawn(flat, "thesis/1.4")
    assert made.state == machine.known_state(made.entry, flat) == "not drawn"
    [row] = [line for line in write_report(flat).read_text().splitlines() if "thesis/1.4" in line]
    assert "| not drawn | thesis/1.4 needs a second label level above" in row


# Bad input


def test_too_few_seeds_are_refused_where_something_is_decided(setting: Setting) -> None:
    wanted = chosen(["thesis/claim-equal-inception-score"])
    few = replace(setting, scale="small", seeds=2)
    with pytest.raises(UserError, match="judged from 5 seeds on, and 2 would"):
        machine.plans_of(wanted, few)
    assert machine.plans_of(wanted, replace(few, scale="tiny"))


def test_data_without_a_level_are_refused(setting: Setting) -> None:
    with pytest.raises(UserError, match="claim-three-levels needs the label level 'top'"):
        machine.plans_of(chosen(["thesis/claim-three-levels"]), replace(setting, data="digits"))


def test_a_folder_of_another_version_is_refused(setting: Setting) -> None:
    machine.open_results(setting)
    (setting.out / machine.MARK).write_text('{"format": 7}')
    with pytest.raises(UserError, match=r"results of another version \(layout 7"):
        machine.open_results(setting)


def test_a_folder_of_something_else_is_refused(setting: Setting) -> None:
    setting.out.mkdir()
    (setting.out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no reproductions"):
        machine.open_results(setting)


def test_what_is_not_built_is_refused_alone(setting: Setting) -> None:
    with pytest.raises(UserError, match="proposal/claim-survey is not built: nobody has been"):
        machine.check_one(chosen(["proposal/claim-survey"])[0])


# Pages


def test_the_list_says_cost_and_state(setting: Setting, planted: None) -> None:
    with_runs(setting, "resnet")
    drawn(setting, "thesis/5.19")
    rows = {row[0]: row for row in listing("thesis", setting).rows}
    assert rows["thesis/5.19"][3:] == ("resnet", "9 runs of 30 iterations", "not decided")
    assert rows["thesis/5.3"][4:] == ("45 runs of 30 iterations", "not run")
    assert rows["thesis/1.1"][3:] == ("diagram", "", "not run")
    [calendar] = [row for row in listing("proposal", setting).rows if row[0] == "proposal/1"]
    assert calendar[5] == "not built"


def test_the_report_judges_again_and_names_all(setting: Setting, planted: None) -> None:
    with_runs(setting, "resnet")
    page = write_report(setting).read_text()
    assert page.startswith("# Reproduction of the sources")
    assert "| [thesis/5.19](reproduction/resnet.md#thesis519) | The second head of ResNet.b" in page
    assert len(re.findall(r"^\| \[?thesis/", page, re.MULTILINE)) == len(chosen(["thesis"]))
    assert "| resnet | 9 | 3 |" in page
    write_report(setting, setting.out / "again.md")
    (setting.out / "mine.md").write_text("My own page")
    with pytest.raises(UserError, match="mtgan did not write it"):
        write_report(setting, setting.out / "mine.md")


def test_the_report_has_a_page_for_each_study(setting: Setting, planted: None) -> None:
    with_runs(setting, "resnet")
    drawn(setting, "thesis/3.3")
    out = setting.out / "found.md"
    page = write_report(setting, out).read_text()
    answered = {entry.id for entry in entries().values() if entry.study == "resnet"}
    links = dict(re.findall(r"\[([^]]+)\]\((found/[^)]+)\)", page))
    assert set(links) == {*answered, "thesis/3.3"}
    for name, address in links.items():
        file, _, fragment = address.partition("#")
        headings = re.findall(r"^## (.+)$", (setting.out / file).read_text(), re.MULTILINE)
        assert [heading for heading in headings if anchor(heading) == fragment] == [name]
    study = (setting.out / "found/resnet.md").read_text()
    pictures = re.findall(r"\]\((resnet/[^)]+\.webp)\)", study)
    assert pictures
    assert all((setting.out / "found" / picture).stat().st_size for picture in pictures)
    assert "| resnet-b against resnet-a |" in study
    assert "mtgan reproduce thesis/5.19 --scale tiny" in study


@pytest.mark.parametrize("name", ["found.md", "found/resnet.md"])
def test_a_page_of_somebody_else_s_is_left(setting: Setting, planted: None, name: str) -> None:
    with_runs(setting, "resnet")
    mine = setting.out / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(UserError, match="mtgan did not write it; give another --page"):
        write_report(setting, setting.out / "found.md")
    assert mine.read_text() == "mine"


def test_planted_values_are_the_same_in_every_process() -> None:
    assert 1.0 <= noisy("a", 0, "m") <= 1.13


def test_the_list_leaves_warnings_to_who_trains(
    setting: Setting, recwarn: pytest.WarningsRecorder
) -> None:
    assert listing("thesis", setting).rows  # of cwgan-a, whose critic's slope knows no label
    assert not recwarn.list
