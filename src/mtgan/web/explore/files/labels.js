// A model's label levels: which classes go together, and what is drawn where nothing is asked for.

class Labels {
  constructor(facts) {
    this.levels = facts.levels;
    this.column = new Map(this.levels.map((level, i) => [level.name, i]));
    this.known = facts.rows.labels;
    this.counts = facts.rows.counts;
    this.codes = this.levels.map(({ code }) => code);
  }

  /** Every level above one, with the class that a class of it lies in: [[column, class], ...]. */
  above(column, index) {
    const found = [];
    let above = this.levels[column].above;
    while (above && this.column.has(above.level)) {
      index = above.index[index];
      column = this.column.get(above.level);
      found.push([column, index]);
      above = this.levels[column].above;
    }
    return found;
  }

  /** Whether a class can be chosen beside what is chosen at the levels above it. */
  fits(column, index, chosen) {
    return this.above(column, index).every(
      ([over, its]) => chosen[over] < 0 || chosen[over] === its,
    );
  }

  /** What is chosen (a class by column, -1 where none is), and what follows from it. */
  implied(chosen) {
    const row = chosen.slice();
    chosen.forEach((index, column) => {
      if (index >= 0) for (const [over, its] of this.above(column, index)) row[over] = its;
    });
    return row;
  }

  /** Whether a training sample has all that is chosen; codes are of none. */
  seen(chosen) {
    const row = this.implied(chosen).map((index, column) => (this.codes[column] ? -1 : index));
    return !this.known.length || this.known.some((known) => agrees(known, row));
  }

  /** A row as the training data have them; codes are drawn by themselves. */
  draw(random) {
    const drawn = this.known.length
      ? this.known[random.choice(this.counts)]
      : this.levels.map(() => -1);
    return this.filled(
      drawn,
      this.levels.map(() => -1),
      random,
    );
  }

  /** The row, with what is missing drawn among the classes that fit to what is asked for. */
  filled(row, asked, random) {
    const found = row.slice();
    this.levels.forEach((level, column) => {
      if (found[column] >= 0) return;
      const fitting = level.classes.map((_, i) =>
        level.unseen.includes(i) || !this.fits(column, i, asked) ? 0 : 1,
      );
      if (!fitting.some(Boolean)) return;
      found[column] = random.choice(fitting);
      for (const [over, its] of this.above(column, found[column])) found[over] = its;
    });
    return found;
  }

  /** A row that has what is chosen: as it is where it does, else the rest drawn as it occurs with
   * that. */
  complete(row, chosen, random) {
    const asked = this.implied(chosen);
    if (agrees(row, asked)) return row;
    const real = asked.map((index, column) => (this.codes[column] ? -1 : index));
    const weights = this.counts.map((count, i) => (agrees(this.known[i], real) ? count : 0));
    const drawn = weights.some((weight) => weight > 0) ? this.known[random.choice(weights)] : null;
    // Codes stay, and so does the rest of labels that were never seen together, unless it lies
    // elsewhere.
    const rest =
      drawn === null || agrees(row, real)
        ? row
        : drawn.map((index, column) => (this.codes[column] ? row[column] : index));
    const mixed = asked.map((index, column) => (index >= 0 ? index : rest[column]));
    const fitting = mixed.map((index, column) =>
      index >= 0 && !this.fits(column, index, asked) ? -1 : index,
    );
    return this.filled(fitting, asked, random);
  }

  /** The classes of a row by level. */
  named(row) {
    return row.flatMap((index, i) =>
      index < 0 ? [] : [[this.levels[i].name, this.levels[i].classes[index]]],
    );
  }

  said(row) {
    return this.named(row)
      .map(([, name]) => name)
      .join(", ");
  }

  /** Another model's row by the names of levels and classes; what this one lacks is of `own`. */
  translated(row, other, own) {
    return this.levels.map((level, column) => {
      const theirs = other.column.get(level.name);
      if (theirs === undefined || row[theirs] < 0) return own[column];
      const name = other.levels[theirs].classes[row[theirs]];
      const index = level.classes.indexOf(name);
      if (index < 0)
        throw new Error(`the second model knows no ${name} at the level ${level.name}.`);
      return index;
    });
  }
}

function agrees(row, asked) {
  return asked.every((index, column) => index < 0 || row[column] === index);
}
