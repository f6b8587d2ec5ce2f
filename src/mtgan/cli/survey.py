"""`mtgan survey`: people judge samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_json, say, working
from mtgan.cli.options import Checkpoint, Json, Quiet, Root, Seed, as_step, given
from mtgan.cli.serving import Host, Port, Token

if TYPE_CHECKING:
    from mtgan.surveys.new import Planned

survey = typer.Typer(
    help="People judge samples: plan a survey, hand it out, read the answers.",
    no_args_is_help=True,
)
app.add_typer(survey, name="survey")

Folder = Annotated[Path, typer.Argument(metavar="OUT", help="The survey's folder.")]


@survey.command()
def new(
    context: typer.Context,
    out: Folder,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="More models, after the first of --from."),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="[NAME=]PATH[:TWIN]", help="A run, or a set of samples."),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="Real data; the first run's own if left out.")
    ] = None,
    root: Root = None,
    design: Annotated[str, typer.Option(help="pairs, real-or-fake, rating or label.")] = "pairs",
    level: Annotated[
        str, typer.Option(help="The label level whose classes are asked for; the models' first.")
    ] = "",
    with_real: Annotated[
        bool, typer.Option("--with-real", help="Judge real samples like a model's, too.")
    ] = False,
    raters: Annotated[
        int,
        typer.Option(
            min=2, max=100_000, help="People; as many as --detect needs, where it is given."
        ),
    ] = 20,
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Main trials of each.")] = 60,
    catch: Annotated[int, typer.Option(min=0, max=1_000, help="Catch trials of each.")] = 8,
    repeats: Annotated[
        int, typer.Option(min=0, max=1_000, help="Main trials that come twice.")
    ] = 6,
    judged: Annotated[
        int, typer.Option(min=1, max=1_000, help="By how many raters a thing is judged.")
    ] = 3,
    scale: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Screen pixels for a pixel; what fits a phone if left out."
        ),
    ] = None,
    resampling: Annotated[
        str, typer.Option(help="nearest; bicubic or lanczos smooth the picture.")
    ] = "nearest",
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Milliseconds for which a picture is shown."),
    ] = None,
    question: Annotated[
        list[str] | None,
        typer.Option(metavar="A:B", help="Two models that are compared; all pairs if left out."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the tests, before Holm.")] = 0.05,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A rule of exclusion, as least_catch=0.8."),
    ] = None,
    wording: Annotated[
        Path | None, typer.Option(help="A file of words in the place of the design's.")
    ] = None,
    detect: Annotated[
        float | None, typer.Option(help="The share (of ratings, the difference) to be found.")
    ] = None,
    power: Annotated[float, typer.Option(help="The probability of finding it.")] = 0.8,
    rho: Annotated[float, typer.Option(help="Correlation of one rater's answers.")] = 0.05,
    seconds: Annotated[float, typer.Option(help="Seconds that an answer takes.")] = 5.0,
    price: Annotated[float | None, typer.Option(help="Price of one answer.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of order, sides and samples; a secret one if left out."),
    ] = None,
    step: Checkpoint = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it takes, and write nothing.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Plan a survey of models into the folder OUT, which holds all that it needs."""
    from mtgan.surveys.new import Size, new_survey

    settings: dict[str, Any] = {
        "design": design,
        "level": level,
        "with_real": with_real,
        "trials": trials,
        "catch": catch,
        "repeats": repeats,
        "judged": judged,
        "scale": scale,
        "resampling": resampling,
        "limit_ms": limit,
        "questions": _questions(question or []),
        "alpha": alpha,
        "rules": _rules(rule or []),
        "seed": seed,
    }
    if detect is None or given(context, "raters"):
        settings["raters"] = raters
    with working(quiet or as_json) as progress:
        planned = new_survey(
            out,
            [*(sources or []), *(more or [])],
            settings,
            data=data,
            root=root,
            size=Size(detect, power, rho, seconds, price),
            wording=wording,
            step=as_step(step),
            write=not dry_run,
            progress=progress,
        )
    if as_json:
        print_json({**planned.needed.to_dict(), "settings": planned.plan.settings.model_dump()})
    elif not quiet:
        _tell(planned, out)


def _questions(texts: list[str]) -> list[tuple[str, str]]:
    from mtgan.errors import UserError

    found = []
    for text in texts:
        first, colon, second = (part.strip() for part in text.partition(":"))
        if not (colon and first and second):
            raise UserError(f"--question takes two models as A:B; found {text!r}.")
        found.append((first, second))
    return found


def _rules(texts: list[str]) -> dict[str, Any]:
    from mtgan.recipes.load import parse_overrides

    return parse_overrides(texts)


def _tell(planned: "Planned", out: Path) -> None:
    from mtgan.text import command

    needed, settings = planned.needed, planned.plan.settings
    say(
        f"{needed.raters} raters, {needed.answers // needed.raters} answers each "
        f"({settings.trials} main, {settings.catch} catch, {settings.repeats} repeated): "
        f"{needed.answers:,} answers, {needed.hours:.1f} hours of people's time"
        + ("" if needed.money is None else f", {needed.money:,.2f} to pay")
    )
    if needed.power is not None:
        say(f"power {needed.power:.2f} for each of {len(settings.questions)} questions")
    if not settings.catch:
        say("note: no real data, so there are no catch trials; name some by --data")
    if planned.survey is not None:
        say(f"wrote {out}; read {out / 'wording.yaml'}, and change what raters should read")
        say("  " + command("mtgan", "survey", "export", out, "--to", "static"))


@survey.command()
def export(
    folder: Folder,
    to: Annotated[str, typer.Option("--to", help="static, mturk or csv.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; OUT/TARGET if left out.")
    ] = None,
    post: Annotated[
        str, typer.Option(metavar="URL", help="static: where pages send their answers.")
    ] = "",
    image_url: Annotated[
        str, typer.Option(metavar="URL", help="mturk: where the images will lie.")
    ] = "",
    quiet: Quiet = False,
) -> None:
    """Write the files by which people are asked: pages, or what a marketplace takes."""
    from mtgan.surveys import Survey
    from mtgan.surveys.targets import Options, export

    written, sentence = export(Survey.open(folder), to, out, Options(post, image_url))
    if not quiet:
        say(f"wrote {written}; {sentence}")


@survey.command()
def results(
    folder: Folder,
    answers: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders of answers, beside those in OUT/answers."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The page (.html, .md, .tex); all, in OUT/results.")
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Where they are stored, if not in OUT.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what the answers mean, and write it as a page, tables, JSON and a CSV of all answers."""
    from mtgan.reports import write_survey_report
    from mtgan.surveys import Survey
    from mtgan.surveys.results import results_of

    found = results_of(Survey.open(folder), answers or [], database)
    pages = write_survey_report(found, out)
    if as_json:
        print_json(found.to_dict())
    elif not quiet:
        left_out = len(found.exclusions.by_rater)
        say(f"{len(found.rows.raters)} raters, {left_out} of them left out by the rules")
        for sentence in found.sentences:
            say(sentence)
        for note in found.notes:
            say(f"note: {note}")
        for page in pages:
            say(f"wrote {page}")


@survey.command()
def simulate(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="The folder of answers to write.")],
    strength: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL=NUMBER", help="How real it looks, as log odds; 0 if left out."),
    ] = None,
    lapse: Annotated[float, typer.Option(help="Share of trials answered by chance.")] = 0.02,
    side: Annotated[float, typer.Option(help="Log odds by which the left is preferred.")] = 0.0,
    careless: Annotated[float, typer.Option(help="Share of raters who answer by chance.")] = 0.0,
    bots: Annotated[float, typer.Option(help="Share of raters who answer always alike.")] = 0.0,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Rehearse a survey: write answers of simulated raters, whose strengths you choose."""
    from mtgan.surveys import Survey
    from mtgan.surveys.rehearsal import rehearse

    written = rehearse(
        Survey.open(folder),
        out,
        strength or [],
        {"lapse": lapse, "side": side, "careless": careless, "bots": bots},
        seed,
    )
    if not quiet:
        from mtgan.text import command

        say(f"wrote answers of {written} simulated raters to {out}")
        say("  " + command("mtgan", "survey", "results", folder, out))


@survey.command()
def serve(
    folder: Folder,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = None,
    codes: Annotated[
        Path | None,
        typer.Option(help="A file of raters' codes, one a line; anybody may take part without."),
    ] = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="Where answers are stored; OUT/answers.sqlite.")
    ] = "",
    quiet: Quiet = False,
) -> None:
    """Ask people over HTTP: pages for raters, and the author's progress behind a token."""
    from mtgan.web import require_packages

    require_packages("mtgan survey serve")
    import secrets

    from mtgan.surveys import Survey
    from mtgan.surveys.codes import read_codes
    from mtgan.surveys.database import Database
    from mtgan.web.access import choose_token
    from mtgan.web.server import serve as answer
    from mtgan.web.survey import build_survey_app

    opened = Survey.open(folder)
    known = choose_token(host, token)
    asked = known or secrets.token_urlsafe(24)
    listed = read_codes(codes) if codes else ()
    stored = Database(opened, database)

    def ready(address: str) -> None:
        if not quiet:
            where = f"{address}/r/CODE" if listed else f"{address}/"
            say(f"raters: {where} (Ctrl-C ends it)")
        if token is None:
            say(f"progress: {address}/author/?token={asked}")

    try:
        answer(build_survey_app(stored, asked, listed), host, port, ready)
    finally:
        stored.close()
