"""A study's pages: curves of what was logged, and names as they are written."""

import base64
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

import printed
from mtgan.errors import UserError
from mtgan.reports.study import write_study_report
from mtgan.studies.collect import StudyResult
from mtgan.training import train
from printed import of_page
from studies.conftest import fake_study
from toys import make_data, small_recipe

NAME = r"a|b [red]x[/red] $a$ $b$ <i> _u_ \w 50% --& :smile: é 漢"
LOGGED = {"train": {"generator/loss": 2.0}, "evaluation": {"frechet_distance": 7.0}}


def study(out: Path, *names: str, logged: Mapping = LOGGED, **keys: object) -> StudyResult:
    """A study of two seeds, whose runs have logged the values at two steps."""
    values = {name: {"frechet_distance": [3.0, 4.0]} for name in names}
    result = fake_study(out, values, **keys)
    for run in result.results:
        lines = [
            {"kind": kind, "step": step, "seconds": 1.0, "values": values}
            for step in (5, 10)
            for kind, values in logged.items()
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (out / "runs" / run / "metrics.jsonl").write_text(text)
    return result


def charts(page: str) -> list[str]:
    """The SVG pictures of a page."""
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    return [base64.b64decode(each).decode() for each in found]


def test_curves_are_of_training_and_of_evaluations(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a", "b", curves=["generator/loss", "frechet_distance"])
    page = write_study_report(result)[0].read_text()
    assert len(charts(page)) == 3
    assert "Generator: loss.</strong> Averaged over the seeds of each cell; the band" in page
    assert page.count("(Student&#39;s t). Measured during training") == 1


def test_the_facts_are_those_of_the_runs(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "wgan-gp", "wide", budget={"scale": "tiny", "steps": 10})
    page = write_study_report(result)[0].read_text()
    for fact in (
        "wgan-gp, wide (wgan-gp)",
        "full; recipes at tiny",
        "640 samples against 640 train images",
    ):
        assert f"<td>{fact}" in page or f", {fact}" in page
    assert "10,000" not in page.split("<details>")[0]


def test_every_command_of_a_page_works(tmp_path: Path) -> None:
    result = study(tmp_path / "a study", "a", "b")
    run = result.path / "runs" / next(iter(result.results))
    trained = train(small_recipe("wgan-gp"), make_data(), tmp_path / "trained", quiet=True)
    shutil.copytree(trained.path, run, dirs_exist_ok=True)
    lines = of_page(write_study_report(result)[0])
    assert len(lines) == 5
    assert shlex.join(["mtgan", "report", str(run)]) in lines
    for line in lines:
        words = shlex.split(line)
        if words[0] == "mtgan":  # no more seeds than there are: else they would be trained
            words = ["2" if before == "--seeds" else word for before, word in pairwise(words)]
            printed.run(words, tmp_path)
        else:
            subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, check=True)
    assert (tmp_path / "tables.tex").is_file()


def test_a_curve_that_no_run_has_logged_names_the_nearest(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a", "b", curves=["frechet_distanse"])
    with pytest.raises(UserError, match="'frechet_distanse', and no run logs it: did you mean 'fr"):
        write_study_report(result)


def test_a_curve_of_runs_that_are_not_finished_is_said(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a", "b", curves=["classifier/loss"])
    for run in result.runs_of("b").values():
        (result.path / "runs" / run / "result.json").unlink()
    page = write_study_report(StudyResult.open(result.path))[0].read_text()
    assert "The curve of classifier: loss is not drawn: no run has logged it yet" in page


def test_nothing_finished_is_one_sentence_with_the_reason(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a", "b")
    for run in result.results:
        (result.path / "runs" / run / "result.json").unlink()
    with pytest.raises(UserError, match=r"No run of .* has finished .*run the study again"):
        write_study_report(StudyResult.open(result.path))
    (result.path / "failures.json").write_text(json.dumps({run: "it diverged."}))
    with pytest.raises(UserError, match=r"1 failed at the last attempt; .*: it diverged\)\."):
        write_study_report(StudyResult.open(result.path))


def test_a_broken_picture_is_left_out_and_named(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a", "b")
    for seed, content in enumerate((b"\x89PNG no more than this", b"")):
        folder = tmp_path / "s" / "runs" / result.runs_of("a")[seed] / "samples"
        folder.mkdir()
        (folder / "step-00000010.png").write_bytes(content)
    run = tmp_path / "s" / "runs" / result.runs_of("b")[1] / "samples"
    run.mkdir()
    Image.new("L", (8, 8)).save(run / "step-00000010.png")
    page = write_study_report(result)[0].read_text()
    assert page.count("step-00000010.png is left out here: it cannot be read") == 2
    assert page.count('src="data:image/png') == 1


def test_a_gallery_has_samples_of_every_cell_in_its_table(tmp_path: Path) -> None:
    values = {name: {"frechet_distance": [3.0], "x": [1.0]} for name in ("a b", "a, b", "c")}
    result = fake_study(tmp_path / "s", values, gallery=True)
    for shade, label in enumerate(("a b", "a, b")):
        [run] = result.runs_of(label).values()
        (result.path / "runs" / run / "samples").mkdir()
        picture = Image.new("L", (8, 8), shade)
        picture.save(result.path / "runs" / run / "samples" / "step-00000010.png")
    [page] = write_study_report(result, tmp_path / "zoo.md")
    rows = [line for line in page.read_text().splitlines() if line.count("|") == 5]
    assert rows[2] == "| a b | 3 | 1 | ![a b](zoo/a-b.png) |"
    assert rows[3] == "| a, b | 3 | 1 | ![a, b](zoo/a-b-.png) |"
    assert rows[4] == "| c | 3 | 1 |  |"
    assert Image.open(tmp_path / "zoo" / "a-b-.png").getpixel((0, 0)) == 1


@pytest.mark.parametrize("ending", ["html", "md", "tex"])
def test_files_of_others_are_not_overwritten(tmp_path: Path, ending: str) -> None:
    result = study(tmp_path / "s", "a", "b")
    page = tmp_path / f"mine.{ending}"
    page.write_text("My own words.")
    with pytest.raises(UserError, match="exists already, and mtgan did not write it"):
        write_study_report(result, page)
    assert page.read_text() == "My own words."
    page.write_text("")
    write_study_report(result, page)
    before = page.stat().st_ino
    write_study_report(result, page)
    assert page.stat().st_ino != before  # ours, written anew


def test_names_come_out_as_they_went_in(tmp_path: Path) -> None:
    result = study(tmp_path / "s", NAME, "b", title=NAME, curves=["generator/loss"])
    page, markdown, latex = (path.read_text() for path in write_study_report(result))
    escaped = NAME.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f'<th scope="row">{escaped}</th>' in page
    assert f"<h1>{escaped}</h1>" in page
    cell = r"a\|b [red]x[/red] \$a\$ \$b\$ \<i> \_u\_ \\w 50% --& :smile: é 漢"
    assert f"| {cell} | 2 |" in markdown
    assert r"a\textbar{}b {[}red{]}x{[}/red{]} \$a\$ \$b\$ $<$i$>$ \_u\_" in latex
    assert r"50\% -{}-\& :smile: é 漢 & 2 &" in latex


def test_controls_reach_no_page(tmp_path: Path) -> None:
    result = study(tmp_path / "s", "a\x1b[31m\nb", "b", curves=["generator/loss"])
    page, markdown, latex = (path.read_text() for path in write_study_report(result))
    assert "\x1b" not in page + markdown + latex
    assert r"| a\\x1b[31m b | 2 |" in markdown


def test_commands_are_quoted_for_the_shell(tmp_path: Path) -> None:
    result = study(tmp_path / "it's mine", "a", "b")
    page = write_study_report(result)[0].read_text()
    assert "mtgan report &#39;" in page
