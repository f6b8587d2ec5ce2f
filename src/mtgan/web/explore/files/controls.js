// Menus and sliders.

function menu(caption, choices, value, change) {
  const select = element("select", {
    "aria-label": caption,
    on: { change: () => change(Number(select.value)) },
  });
  select.replaceChildren(...choices.map(([key, text]) => element("option", { value: key, text })));
  select.value = value;
  return element("label", {}, element("span", { text: caption }), select);
}

function slider(
  caption,
  { low, high, step, value, said = (x) => x.toFixed(1), list = null },
  change,
) {
  const shown = element("output", { text: said(value) });
  const input = element("input", {
    type: "range",
    "aria-label": caption,
    min: low,
    max: high,
    step,
    value,
    list,
  });
  input.addEventListener("input", () => {
    shown.textContent = said(Number(input.value));
    change(Number(input.value));
  });
  return element(
    "label",
    {},
    element("span", {}, element("span", { text: caption }), shown),
    input,
  );
}

function whole(caption, { low, high, value }, change) {
  const input = element("input", {
    type: "number",
    "aria-label": caption,
    min: low,
    max: high,
    step: 1,
    value,
    inputmode: "numeric",
  });
  input.addEventListener("change", () => {
    const asked = Math.round(Number(input.value) || 0);
    input.value = Math.min(high, Math.max(low, asked));
    change(Number(input.value));
  });
  return element("label", {}, element("span", { text: caption }), input);
}

function button(text, press) {
  return element("button", { type: "button", text, on: { click: press } });
}

/** A menu for each label level, coarse ones first, and a slider for each number; what is chosen at
 * a level leaves no other classes at the levels below it. */
class LabelMenus {
  constructor(model, labels, change) {
    this.model = model;
    this.labels = labels;
    this.change = change;
    this.chosen = labels.levels.map(() => -1);
    this.numbers = model.numbers.map(() => null);
    this.box = element("div");
    this.build();
  }

  get any() {
    return this.chosen.some((index) => index >= 0) || this.numbers.some((value) => value !== null);
  }

  build() {
    const depth = (column) => this.labels.above(column, 0).length;
    const order = this.labels.levels.map((_, column) => column).sort((a, b) => depth(a) - depth(b));
    this.selects = [];
    this.box.replaceChildren(
      ...order.map((column) => this.menuOf(column)),
      ...this.model.numbers.flatMap((_, i) => this.sliderOf(i)),
    );
    this.note = element("p", { class: "soft", hidden: true });
    this.box.append(this.note);
  }

  choices(column) {
    const level = this.labels.levels[column];
    const fitting = level.classes
      .map((name, i) => [i, name])
      .filter(([i]) => !level.unseen.includes(i) && this.labels.fits(column, i, this.chosen));
    return [[-1, "as in the data"], ...fitting];
  }

  menuOf(column) {
    const made = menu(this.labels.levels[column].name, this.choices(column), -1, (index) =>
      this.choose(column, index),
    );
    this.selects[column] = made.querySelector("select");
    return made;
  }

  choose(column, index) {
    this.chosen[column] = index;
    this.selects.forEach((select, other) => {
      const kept = this.chosen[other];
      if (kept >= 0 && !this.labels.fits(other, kept, this.chosen)) this.chosen[other] = -1;
      const options = this.choices(other).map(([value, text]) =>
        element("option", { value, text }),
      );
      select.replaceChildren(...options);
      select.value = this.chosen[other];
    });
    this.note.hidden = this.labels.seen(this.chosen);
    this.note.textContent = "No training sample has these labels together.";
    this.change();
  }

  sliderOf(i) {
    const { name, low, high } = this.model.numbers[i];
    const middle = (low + high) / 2;
    const said = (x) => x.toPrecision(3);
    const made = slider(
      name,
      { low, high, step: (high - low) / 200 || 1, value: middle, said },
      (value) => {
        this.numbers[i] = value;
        box.checked = true;
        this.change();
      },
    );
    const box = element("input", {
      type: "checkbox",
      on: {
        change: () => {
          this.numbers[i] = box.checked ? Number(made.querySelector("input").value) : null;
          this.change();
        },
      },
    });
    return [made, element("label", { class: "check" }, box, `the same ${name} for all pictures`)];
  }
}
