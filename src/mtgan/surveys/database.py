"""Answers of a survey in a database: SQLite in the survey's folder, or PostgreSQL by its address.

An answer is stored once: the first one to a trial counts, and the same one again changes nothing.
It is on the disk when the rater's page hears of it.
"""

import threading
from typing import Any

from mtgan.errors import UserError, import_extra
from mtgan.surveys.folder import Survey
from mtgan.surveys.returned import Given, Returned

FILE = "answers.sqlite"
_BUSY_SECONDS = 60  # that a writer waits for others


class Refused(ValueError):
    """What a rater's page sent cannot be; nothing was changed."""


class Database:
    """A survey's raters and answers.

    url: as SQLAlchemy takes it; answers.sqlite in the survey's folder when "". UserError for a
    database that cannot be opened, or that holds another survey.
    """

    def __init__(self, survey: Survey, url: str = "") -> None:
        self._sql: Any = import_extra("sqlalchemy", "survey", "A survey's database")
        self.survey = survey
        self.url = url or f"sqlite:///{(survey.path / FILE).resolve()}"
        self._claiming = threading.Lock()
        sql = self._sql
        tables = sql.MetaData()
        self._about = sql.Table(
            "survey", tables, sql.Column("id", sql.String(64), primary_key=True)
        )
        self._raters = sql.Table(
            "raters",
            tables,
            sql.Column("rater", sql.String(64), primary_key=True),
            sql.Column("seat", sql.String(64), nullable=False, unique=True),
            sql.Column("wording", sql.String(64), nullable=False),
        )
        self._answers = sql.Table(
            "answers",
            tables,
            sql.Column("rater", sql.String(64), primary_key=True),
            sql.Column("trial", sql.String(64), primary_key=True),
            sql.Column("place", sql.Integer, nullable=False),
            sql.Column("answer", sql.Text, nullable=False),
            sql.Column("ms", sql.Integer, nullable=False),
        )
        try:
            self._engine = self._open()
            tables.create_all(self._engine)
            self._check_survey()
        except sql.exc.SQLAlchemyError as error:
            raise UserError(f"The survey's database cannot be opened: {_short(error)}.") from None
        except ImportError as error:
            raise UserError(
                f"The database needs a package that is missing ({error.name}); for PostgreSQL, pip "
                "install psycopg and write postgresql+psycopg://..."
            ) from None

    def _open(self) -> Any:
        sql = self._sql
        local = sql.make_url(self.url).get_backend_name() == "sqlite"
        more = {"connect_args": {"timeout": _BUSY_SECONDS}} if local else {"pool_pre_ping": True}
        engine = sql.create_engine(self.url, pool_size=20, max_overflow=40, **more)
        if local:

            @sql.event.listens_for(engine, "connect")
            def _(connection: Any, record: Any) -> None:
                for setting in ("journal_mode=WAL", "synchronous=FULL"):
                    connection.execute(f"PRAGMA {setting}")

        return engine

    def _check_survey(self) -> None:
        sql, about = self._sql, self._about
        with self._engine.begin() as connection:
            known = connection.execute(sql.select(about.c.id)).scalars().all()
            if not known:
                connection.execute(about.insert().values(id=self.survey.id))
            elif known != [self.survey.id]:
                raise UserError(
                    f"The database holds answers to another survey ({known[0]}, and this one is "
                    f"{self.survey.id}); name another by --database."
                )

    def close(self) -> None:
        self._engine.dispose()

    # Raters

    def seat_of(self, rater: str) -> str | None:
        """The seat of a rater who has begun."""
        chosen = self._sql.select(self._raters.c.seat).where(self._raters.c.rater == rater)
        with self._engine.connect() as connection:
            found: str | None = connection.execute(chosen).scalar()
        return found

    def claim(self, rater: str) -> str | None:
        """The rater's seat; the first free one where she is new, None where there is none."""
        with self._claiming:
            while True:
                if (seat := self.seat_of(rater)) is not None:
                    return seat
                taken = set(self._seats().values())
                free = next((name for name in self.survey.plan.seats if name not in taken), None)
                if free is None:
                    return None
                new = {"rater": rater, "seat": free, "wording": self.survey.wording_hash}
                try:
                    with self._engine.begin() as connection:
                        connection.execute(self._raters.insert().values(**new))
                except self._sql.exc.IntegrityError:
                    continue  # another process was faster

    def _seats(self) -> dict[str, str]:
        chosen = self._sql.select(self._raters.c.rater, self._raters.c.seat)
        with self._engine.connect() as connection:
            return {row.rater: row.seat for row in connection.execute(chosen)}

    # Answers

    def store(self, rater: str, trial: str, answer: str, ms: int) -> bool:
        """Keep an answer; whether it is new. Refused for what cannot be: a rater who has not begun,
        a trial that was not shown to her yet, an answer that cannot be given."""
        seat = self.seat_of(rater)
        if seat is None:
            raise Refused("There is no such rater.")
        trials = list(self.survey.trials[seat])
        if trial not in trials:
            raise Refused("There is no such trial.")
        if answer not in self.survey.plan.answers:
            raise Refused("There is no such answer.")
        place, known = trials.index(trial), self.answers(rater)
        if any(one.trial == trial for one in known):
            return False
        if place != len(known):
            raise Refused("This trial was not shown yet.")
        row = {"rater": rater, "trial": trial, "place": place, "answer": answer, "ms": ms}
        try:
            with self._engine.begin() as connection:
                connection.execute(self._answers.insert().values(**row))
        except self._sql.exc.IntegrityError:
            return False  # the same one, sent twice at once
        return True

    def answers(self, rater: str) -> list[Given]:
        """What a rater has answered so far, in the order of her session."""
        table = self._answers
        chosen = self._sql.select(table).where(table.c.rater == rater).order_by(table.c.place)
        with self._engine.connect() as connection:
            return [Given(r.trial, r.answer, float(r.ms)) for r in connection.execute(chosen)]

    def returned(self) -> list[Returned]:
        """All answers, by rater."""
        chosen = self._sql.select(self._raters)
        with self._engine.connect() as connection:
            raters = list(connection.execute(chosen))
        found = [
            Returned(row.rater, row.seat, row.wording, tuple(self.answers(row.rater)), "database")
            for row in raters
        ]
        return [one for one in found if one.answers]

    def progress(self) -> dict[str, int]:
        """How many raters have begun and finished, and how many answers there are."""
        sql, table = self._sql, self._answers
        counted = sql.select(table.c.rater, sql.func.count()).group_by(table.c.rater)
        with self._engine.connect() as connection:
            counts = [count for _, count in connection.execute(counted)]
        whole = len(next(iter(self.survey.plan.seats.values())))
        return {
            "seats": len(self.survey.plan.seats),
            "begun": len(self._seats()),
            "finished": sum(count == whole for count in counts),
            "answers": sum(counts),
        }


def has_database(survey: Survey) -> bool:
    return (survey.path / FILE).is_file()


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200].removesuffix(".")
