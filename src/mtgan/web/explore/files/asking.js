// What models are asked for, of all that the controls say.

class Asking {
  // It reads what the page sets: models, labels, number, start, seed, step, picked, vectors,
  // amounts, menus, morph, to.

  caption(number, { rows, numbers }) {
    const labels = this.labels[number].said(rows[this.picked]);
    const values = this.models[number].numbers.map(
      ({ name }, i) => `${name} ${numbers[this.picked][i].toPrecision(3)}`,
    );
    const goal = {
      off: () => "",
      latents: () => `towards picture ${this.morph.to + 1}`,
      labels: () => `towards ${this.labels[this.number].said(this.to.chosen) || "other labels"}`,
    }[this.morph.kind]();
    return [`Picture ${this.picked + 1}`, labels, ...values, goal].filter(Boolean).join(", ");
  }

  /** What a shown model is asked for: the latents of all, and labels by its own names. */
  asked(number) {
    const own = this.labels[this.number];
    const { latents, rows, numbers } = this.start;
    const model = this.models[number];
    if (
      model.latent.size !== this.model.latent.size ||
      model.latent.law !== this.model.latent.law
    ) {
      throw new Error(
        `${model.name} has other latents than ${this.model.name}, so they cannot be side by side.`,
      );
    }
    const moved = latents.map((z) =>
      z.map((value, d) =>
        this.vectors.reduce((sum, vector, i) => sum + this.amounts[i] * vector[d], value),
      ),
    );
    const full = rows.map((row, i) =>
      own.complete(row, this.menus.chosen, new Random(this.seed, i)),
    );
    const amounts = numbers.map((row) => row.map((value, i) => this.menus.numbers[i] ?? value));
    if (number === this.number)
      return { latents: moved, rows: full, numbers: amounts, step: this.step };
    const theirs = startOf(model.first);
    const labels = this.labels[number];
    return {
      latents: moved,
      rows: full.map((row, i) => labels.translated(row, own, theirs.rows[i % theirs.rows.length])),
      numbers: theirs.numbers.map((row, i) =>
        row.map((value, k) => {
          const index = this.model.numbers.findIndex(({ name }) => name === model.numbers[k].name);
          return index < 0 ? value : amounts[i][index];
        }),
      ),
      step: null,
    };
  }

  /** What is asked for at places (0 to 1) from the chosen picture to where it goes. */
  path(number, asked, places) {
    const at = (rows, index = this.picked) => places.map(() => rows[index]);
    const fixed = {
      latents: at(asked.latents),
      rows: at(asked.rows),
      numbers: at(asked.numbers),
      step: asked.step,
    };
    if (this.morph.kind === "latents") {
      const [from, to] = [this.picked, this.morph.to].map((i) => asked.latents[i]);
      return { ...fixed, latents: places.map((t) => between(from, to, t, this.model.latent.law)) };
    }
    const own = this.labels[this.number];
    const whole = own.complete(
      this.asked(this.number).rows[this.picked],
      this.to.chosen,
      new Random(this.seed, this.picked),
    );
    const row =
      number === this.number
        ? whole
        : this.labels[number].translated(whole, own, asked.rows[this.picked]);
    const values = asked.numbers[this.picked].map((value, i) => this.to.numbers[i] ?? value);
    return { ...fixed, toRows: at([row], 0), toNumbers: at([values], 0), shares: places };
  }
}
