// The controls, and what they change.

const COUNTS = [1, 4, 16, 64];

class Steering extends Asking {
  buildModels() {
    const { models, model } = this;
    const named = models.map(({ name }, i) => [i, name]);
    const parts = [];
    if (models.length > 1) {
      const others = named.filter(([i]) => i !== this.number);
      parts.push(
        menu("model", named, this.number, (number) => this.open(number)),
        menu("beside it, of the same latents", [[-1, "none"], ...others], this.beside, (number) =>
          this.put(number),
        ),
      );
    }
    if ((model.steps ?? []).length > 1) {
      const { steps } = model;
      const range = {
        low: 0,
        high: steps.length - 1,
        step: 1,
        value: steps.indexOf(model.step),
        said: (i) => steps[i].toLocaleString("en"),
      };
      parts.push(
        slider("iteration", range, (i) => {
          this.step = steps[i] === model.step ? null : steps[i];
          this.refresh();
        }),
      );
    }
    byId("models").hidden = !parts.length;
    fill("models", ...parts);
    const of = model.data ? ` of ${model.data}` : "";
    const twin = model.twin ? `, twin ${model.twin}` : "";
    byId("about").textContent =
      `${model.title}${of}, iteration ${model.step.toLocaleString("en")}${twin}`;
  }

  put(number) {
    this.beside = number;
    this.buildShown();
    this.refresh();
  }

  buildLabels() {
    this.menus = new LabelMenus(this.model, this.labels[this.number], () => this.refresh());
    byId("labels").hidden = !this.hasLabels;
    fill("labels", this.menus.box);
  }

  get hasLabels() {
    return this.model.levels.length + this.model.numbers.length > 0;
  }

  buildLatents() {
    const seed = whole("seed", { low: 0, high: 2 ** 31 - 1, value: this.seed }, (value) => {
      this.seed = value;
      this.start = null;
      this.refresh();
    });
    const next = button("Next seed", () => {
      const input = seed.querySelector("input");
      input.value = Number(input.value) + 1;
      input.dispatchEvent(new Event("change"));
    });
    const count = menu(
      "pictures",
      COUNTS.map((n) => [n, n]),
      this.count,
      (value) => {
        this.count = value;
        this.picked = Math.min(this.picked, value - 1);
        this.refresh();
      },
    );
    fill(
      "latents",
      seed,
      count,
      element(
        "div",
        { class: "buttons" },
        next,
        button("Download grid", () => this.save(true)),
      ),
    );
  }

  buildDirections() {
    const { directions, reach } = this.model;
    byId("directions").hidden = !directions.length;
    this.vectors = directions.map(({ vector }) => floatsOf(vector));
    const sliders = directions.map(({ share }, i) => {
      const name = `${i + 1} (${Math.round(100 * share)} %)`;
      return slider(name, { low: -reach, high: reach, step: reach / 25, value: 0 }, (value) => {
        this.amounts[i] = value;
        this.refresh();
      });
    });
    const reset = button("All to 0", () => {
      for (const each of sliders) {
        const input = each.querySelector("input");
        input.value = 0;
        input.dispatchEvent(new Event("input"));
      }
    });
    fill("directions", ...sliders, element("div", { class: "buttons" }, reset));
  }

  buildMorph() {
    const kinds = [
      ["off", "none"],
      ["latents", "to another latent"],
      ...(this.hasLabels ? [["labels", "to other labels"]] : []),
    ];
    this.to = new LabelMenus(this.model, this.labels[this.number], () => this.refresh());
    const to = whole("to picture", { low: 1, high: this.model.first.count, value: 2 }, (value) => {
      this.morph.to = value - 1;
      this.refresh();
    });
    const place = slider(
      "place",
      { low: 0, high: 1, step: 0.01, value: 0.5, said: (x) => x.toFixed(2) },
      (value) => {
        this.morph.place = value;
        this.refresh();
      },
    );
    const chosen = (kind) => {
      this.morph.kind = kinds[kind][0];
      to.hidden = this.morph.kind !== "latents";
      this.to.box.hidden = this.morph.kind !== "labels";
      place.hidden = this.morph.kind === "off";
      this.refresh();
    };
    fill(
      "morph",
      menu(
        "of the chosen picture",
        kinds.map(([, text], i) => [i, text]),
        0,
        chosen,
      ),
      to,
      this.to.box,
      place,
    );
    to.hidden = this.to.box.hidden = place.hidden = true;
  }
}

/** The content of a fieldset, below its legend. */
function fill(id, ...parts) {
  const box = byId(id);
  box.replaceChildren(box.querySelector("legend"), ...parts);
}
