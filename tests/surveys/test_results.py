"""From files that came back to results: what is believed, who is left out, what is said."""

import json
import math
from dataclasses import replace
from pathlib import Path

import krippendorff
import numpy as np
import pytest

import mtgan
from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.evaluation import Scorecard
from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard.values import Entry
from mtgan.surveys import Survey
from mtgan.surveys.answers import GivenRecord, check_sum, read_answers
from mtgan.surveys.exclusions import exclude
from mtgan.surveys.models import alpha, learning, self_agreement
from mtgan.surveys.rehearsal import rehearse
from mtgan.surveys.results import conclude, results_of
from mtgan.surveys.returned import Given, Returned, table_of
from mtgan.surveys.schema import Rules
from mtgan.surveys.simulation import Crowd, simulate
from surveys.conftest import make_survey

CALM = {"lapse": 0.0, "side": 0.0, "careless": 0.0, "bots": 0.0}


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory, sets: dict[str, str]) -> Survey:
    out = tmp_path_factory.mktemp("larger") / "survey"
    return make_survey(
        out, sets, "one two three", raters=16, trials=30, catch=8, repeats=4, with_real=True
    )


@pytest.fixture
def returned(larger: Survey, tmp_path: Path) -> Path:
    rehearse(larger, tmp_path / "back", ["one=1"], CALM, 0)
    return tmp_path / "back"


def signed(values: dict) -> dict:
    """What a page would have written of these answers."""
    given = [GivenRecord(**one) for one in values["answers"]]
    check = check_sum(values["survey"], values["wording"], values["seat"], given)
    return {**values, "check": check}


def test_answers_come_back_as_they_were_given(larger: Survey, returned: Path) -> None:
    found, notes = read_answers(larger, [returned])
    crowd = Crowd({"one": 1.0}, lapse=0.0)
    made = simulate(larger.plan, crowd, 0)
    assert notes == []
    assert [(one.seat, one.answers) for one in found] == [(one.seat, one.answers) for one in made]


EDITS = {
    "edited": (lambda v: v["answers"][3].update(answer="left"), False, "was changed after its"),
    "another survey": (
        lambda v: v.update(survey="0" * 16),
        True,
        "holds answers to another survey",
    ),
    "seat": (lambda v: v.update(seat="r99"), True, "names the seat 'r99'"),
    "never shown": (
        lambda v: v["answers"][0].update(trial="x' OR 1=1 --"),
        True,
        'answers the trial "x\' OR 1=1 --", which was never shown in the seat r01',
    ),
    "impossible": (lambda v: v["answers"][0].update(answer="<b>"), True, "answers '<b>', which is"),
    "twice": (lambda v: v["answers"].append(v["answers"][0]), True, "twice"),
    "negative": (lambda v: v["answers"][0].update(ms=-1), False, "answers.0.ms should be"),
    "other": (lambda v: v.pop("format"), False, "is no file of answers of a survey"),
    "format": (lambda v: v.update(format="mtgan-answers-9"), False, "format should be"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_file_that_cannot_be_is_named(case: str, larger: Survey, returned: Path) -> None:
    edit, sign, sentence = EDITS[case]
    path = returned / "answers-r01.json"
    values = json.loads(path.read_text())
    if case == "edited":
        values["answers"][3]["answer"] = "right"
        values = signed(values)
    edit(values)
    path.write_text(json.dumps(signed(values) if sign else values))
    with pytest.raises(UserError) as error:
        read_answers(larger, [returned])
    assert str(path) in str(error.value)
    assert sentence in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_files_of_other_kinds_are_named(larger: Survey, returned: Path, tmp_path: Path) -> None:
    (returned / "answers.json").write_text("{")
    with pytest.raises(UserError, match=r"answers\.json is not valid JSON"):
        read_answers(larger, [returned])
    (returned / "answers.json").unlink()
    (returned / "photo.png").write_text("")
    with pytest.raises(UserError, match=r"photo\.png is neither \.json nor \.csv"):
        read_answers(larger, [returned])
    with pytest.raises(UserError, match="has no answers yet: put the files that came back into"):
        read_answers(larger)
    with pytest.raises(UserError, match="There are no answers at"):
        read_answers(larger, [tmp_path / "nowhere"])


def test_a_file_that_came_twice_counts_once(larger: Survey, returned: Path) -> None:
    path, again = returned / "answers-r01.json", returned / "answers-r01 (1).json"
    whole = json.loads(path.read_text())
    again.write_text(path.read_text())
    found, notes = read_answers(larger, [returned])
    assert len(found) == 16
    assert len(notes) == 1
    assert "the answers of r01 came twice, and count once" in notes[0]
    again.write_text(json.dumps(signed({**whole, "answers": whole["answers"][:7]})))
    found, notes = read_answers(larger, [returned])
    assert [len(one.answers) for one in found] == [42] * 16
    assert "came in part before, and count once" in notes[0]
    whole["answers"][0]["ms"] += 1
    again.write_text(json.dumps(signed(whole)))
    with pytest.raises(UserError, match="hold unlike answers of the rater r01 in the seat r01"):
        read_answers(larger, [returned])


def test_results_of_mechanical_turk(larger: Survey, returned: Path, tmp_path: Path) -> None:
    import csv

    path = tmp_path / "Batch_1_batch_results.csv"
    workers = ["A1", "A2", "A1", "A3"]
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["WorkerId", "AssignmentStatus", "Input.seat", "Answer.answers"])
        for index, worker in enumerate(workers, 1):
            text = (returned / f"answers-r{index:02}.json").read_text()
            status = "Rejected" if worker == "A3" else "Approved"
            rows.writerow([worker, status, f"r{index:02}", text])
    found, _ = read_answers(larger, [path])
    assert [(one.rater, one.seat) for one in found] == [("A1", "r01"), ("A2", "r02"), ("A1", "r03")]
    table = table_of(larger.plan, found)
    assert table.raters == ("A1", "A2")
    assert (table.rater == 0).sum() == 84
    path.write_text(path.read_text() + "A4,Approved,r05,nonsense\n")
    with pytest.raises(UserError, match=r"line .* holds no answers of this survey's page"):
        read_answers(larger, [path])


def test_a_table_of_one_s_own(larger: Survey, tmp_path: Path) -> None:
    trials = list(larger.trials["r02"])[:3]
    path = tmp_path / "mine.csv"
    lines = [f"r02,{trials[2]},left,1500", f"r02,{trials[0]},right,"]
    path.write_text("\n".join(["seat,trial,answer,ms", *lines]))
    found, _ = read_answers(larger, [path])
    assert found[0].answers[0].trial == trials[0]
    assert math.isnan(found[0].answers[0].ms)
    assert found[0].answers[1] == Given(trials[2], "left", 1500.0)
    for line, sentence in (
        ("r02,nothing,left,1", "line 4 answers the trial 'nothing', which was never shown"),
        (f"r02,{trials[0]},left,1", "answers the trial .* twice"),
        (f"r02,{trials[1]},left,soon", "ms should be a time"),
    ):
        path.write_text("\n".join(["seat,trial,answer,ms", *lines, line]))
        with pytest.raises(UserError, match=sentence):
            read_answers(larger, [path])
    path.write_text("seat,answer\nr02,left")
    with pytest.raises(UserError, match="has no column 'trial'"):
        read_answers(larger, [path])


# Who is left out


def answering(survey: Survey, seat: str, answer, ms: float = 2000.0, first: int = 1000) -> Returned:
    """Answers of one seat by a function of the trial; only the first ones."""
    trials = survey.plan.seats[seat][:first]
    return Returned(seat, seat, "", tuple(Given(t.id, answer(t), ms) for t in trials), "test")


def honest(trial) -> str:
    """Right in catch trials, else the first of the stimulus, on whichever side."""
    return trial.right[0] if trial.right else ("right" if trial.flipped else "left")


def turned(answer: str) -> str:
    return {"left": "right", "right": "left"}[answer]


def wrong(trial) -> str:
    return turned(trial.right[0]) if trial.right else honest(trial)


def fickle(trial) -> str:
    return turned(honest(trial)) if trial.kind == "repeat" else honest(trial)


def alike(trial) -> str:
    return trial.right[0] if trial.right else "left"


def test_each_rule_leaves_out_whom_it_should(larger: Survey) -> None:
    returned = [
        answering(larger, "r01", honest),
        answering(larger, "r02", wrong),
        answering(larger, "r03", honest, ms=250),
        answering(larger, "r04", alike),
        answering(larger, "r05", honest, first=20),
        answering(larger, "r06", fickle),
    ]
    rows = table_of(larger.plan, returned)
    found = exclude(rows, Rules())
    assert found.by_rater == {
        "r02": ("least_catch",),
        "r03": ("fastest_ms",),
        "r04": ("most_alike",),
        "r05": ("least_answered",),
    }
    assert found.counts["least_agreement"] == 0
    stricter = exclude(rows, Rules(least_agreement=0.6))
    assert stricter.by_rater["r06"] == ("least_agreement",)
    assert "r01" not in stricter.by_rater
    counted = conclude(larger, returned)
    assert set(counted.rows.rater[counted.kept]) == {0, 5}


def test_self_agreement_knows_that_sides_were_turned(larger: Survey) -> None:
    """Who always takes one model repeats herself; who always takes a side never does."""
    same = table_of(larger.plan, [answering(larger, "r01", honest)])
    left = table_of(larger.plan, [answering(larger, "r02", lambda trial: "left")])
    assert [self_agreement(rows).value for rows in (same, left)] == [1.0, 0.0]
    assert exclude(left, Rules(least_agreement=0.5)).counts["least_agreement"] == 1


def test_the_careless_are_excluded_and_do_not_move_the_result(larger: Survey) -> None:
    """Three of sixteen click by chance or always the same; without them all is as it was."""
    spoiled = Crowd({"one": 1.0}, careless=0.2, bots=0.15)
    returned = simulate(larger.plan, spoiled, 3)
    fast = {one.rater for one in returned if np.median([a.ms for a in one.answers]) == 400}
    assert len(fast) == 3
    found = conclude(larger, returned)
    assert fast <= set(found.exclusions.by_rater)
    clean = conclude(larger, [one for one in returned if one.rater not in fast])
    assert found.questions == clean.questions
    assert found.strengths == clean.strengths


def test_all_left_out_is_said(larger: Survey) -> None:
    with pytest.raises(UserError, match=r"All 1 raters .* by its rules \(.*most_alike 1\)"):
        conclude(larger, [answering(larger, "r01", lambda trial: "left")])


# What is computed


def test_alpha_as_krippendorff_has_it(larger: Survey) -> None:
    rows = table_of(larger.plan, simulate(larger.plan, Crowd({"one": 1.0}), 1)).of_kind("main")
    table = np.full((16, len(larger.plan.stimuli)), np.nan)
    for rater, stimulus, outcome in zip(rows.rater, rows.stimulus, rows.outcome, strict=True):
        table[rater, stimulus] = outcome
    wanted = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert alpha(rows, larger.design) == pytest.approx(wanted)


def test_learning_is_seen(larger: Survey) -> None:
    """Answers that take 4 s at first and 1 s in the end: a factor of 1/4."""
    rows = table_of(larger.plan, simulate(larger.plan, Crowd(), 2))
    times = 4000 * 0.25 ** (rows.place / rows.place.max())
    slower = replace(rows, ms=times).of_kind("main")
    *_, found = learning(slower, larger.design)
    last = slower.place.max() / rows.place.max()
    assert found.name.startswith("time of an answer")
    assert found.value == pytest.approx(0.25**last, rel=1e-6)


def card(value: float, likeness: float) -> Scorecard:
    names = Protocol.__dataclass_fields__
    stamp = Protocol(**{name: "x" if f.type in {"str", str} else 1 for name, f in names.items()})
    entries = {
        "frechet_distance": Entry(value, "lower", "", "x", 10),
        "ms_ssim": Entry(likeness, "like real", "", "x", 10, ceiling=0.5),
    }
    return Scorecard(stamp, entries)


def test_measures_that_agree_with_people(tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets, "one two three", raters=12, trials=30, judged=6)
    crowd = Crowd({"one": 2.0, "two": 0.0, "three": -2.0}, between_raters=0, between_stimuli=0)
    returned = simulate(made.plan, crowd, 0)
    assert "Fewer than two models have a scorecard" in conclude(made, returned).notes[-1]
    for name, values in {"one": (1.0, 0.9), "two": (2.0, 0.6), "three": (3.0, 0.3)}.items():
        made.card(name).write_text(card(*values).to_json())
    found = {one.measure: one for one in conclude(made, returned).measures}
    assert (found["frechet_distance"].same, found["frechet_distance"].pairs) == (3, 3)
    # Distances from 0.5 are 0.4, 0.1 and 0.2: only the last two stand as people have them.
    assert (found["ms_ssim"].same, found["ms_ssim"].pairs) == (1, 3)
    assert found["ms_ssim"].correlation is None
    unlike = card(1.0, 1.0)
    changed = replace(unlike, protocol=replace(unlike.protocol, generated=77))
    made.card("two").write_text(changed.to_json())
    assert "made by unlike protocols" in conclude(made, returned).notes[-1]


def test_holm_is_over_the_questions_of_the_plan(larger: Survey) -> None:
    found = conclude(larger, simulate(larger.plan, Crowd({"one": 1.0}), 0))
    p = sorted(one.answer.p for one in found.questions)
    assert len(p) == 3  # real samples are in no question
    wanted = np.maximum.accumulate(np.array(p) * [3, 2, 1]).clip(max=1)
    assert sorted(one.p_holm for one in found.questions) == pytest.approx(list(wanted))


def test_the_command_writes_page_tables_and_data(
    larger: Survey, returned: Path, tmp_path: Path
) -> None:
    done = command("survey", "results", str(larger.path), str(returned), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "16 of 16 raters are simulated: nobody was asked." in done.stdout
    folder = larger.path / "results"
    values = json.loads((folder / "results.json").read_text())
    assert values["raters"] == 16
    assert values["wording"] == larger.wording_hash
    assert values["survey"] == larger.id
    strengths = dict(zip(*(values["strengths"][k] for k in ("names", "values")), strict=True))
    assert max(strengths, key=strengths.get) in {"one", "real"}
    lines = (folder / "answers.csv").read_text().splitlines()
    assert len(lines) == 1 + 16 * 42
    page = (folder / "report.html").read_text()
    for part in ("Bradley-Terry strengths", "Krippendorff", "least_catch 0.75", "The questions"):
        assert part in page
    assert "·" in page
    assert not [word for word in ("http://", "https://", 'src="/') if word in page]
    assert "\\begin{tabular}" in (folder / "report.tex").read_text()
    assert "| one : two |" in (folder / "report.md").read_text()
    asked = command("survey", "results", str(larger.path), str(returned), "--json", cwd=tmp_path)
    assert json.loads(asked.stdout)["questions"] == values["questions"]


def test_report_knows_a_survey(larger: Survey, returned: Path) -> None:
    (larger.path / "answers" / "one.json").write_text((returned / "answers-r01.json").read_text())
    try:
        assert mtgan.report(larger.path) == larger.path / "results" / "report.html"
        own = results_of(larger)
        assert "Only 1 raters count" in " ".join(own.notes)
        assert own.questions[0].answer.interval is None
    finally:
        (larger.path / "answers" / "one.json").unlink()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--strength", "on=1"], "did you mean 'one'"),
        (["--strength", "one"], "--strength takes MODEL=NUMBER"),
        (["--careless", "2"], "--careless is a share from 0 to 1"),
    ],
)
def test_what_cannot_be_rehearsed_is_said(
    options: list[str], sentence: str, larger: Survey, tmp_path: Path
) -> None:
    words = ("survey", "simulate", str(larger.path), "--out", "x", *options)
    done = command(*words, cwd=tmp_path)
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("design", ["real-or-fake", "rating", "label"])
def test_every_design_has_results(design: str, tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets, design=design, raters=10, trials=40, judged=5)
    crowd = Crowd({"one": 2.0, "two": -2.0}, between_raters=0.2, between_stimuli=0.2)
    found = conclude(made, simulate(made.plan, crowd, 0))
    (question,) = found.questions
    assert question.answer.value > 0
    assert question.p_holm < 0.05
    assert question.sentence.startswith("one is ahead of two")
    assert (found.odds[0].name, found.odds[0].p < 0.05) == ("two", True)
    assert {one.of_class for one in found.estimates} == {"", "a", "b"}
