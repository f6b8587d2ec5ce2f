// What is shown, and when it is made anew.

const COUNTS = [1, 4, 16, 64];
const TOGETHER = 16; // pictures that are made at once, between which the page listens

class Explorer {
  constructor(facts) {
    this.models = facts.models;
    this.labels = this.models.map((model) => new Labels(model));
    this.backend = facts.server ? new OnServer(this.models) : new InPage(this.models);
    this.count = 16;
    this.seed = this.models[0].first.seed;
    this.step = null;
    this.beside = -1;
    this.picked = 0;
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    this.open(0);
  }

  get model() {
    return this.models[this.number];
  }

  /** The models that are shown, by their numbers. */
  get shown() {
    return this.beside < 0 ? [this.number] : [this.number, this.beside];
  }

  /** Show a model, by its number. */
  open(number) {
    this.number = number;
    if (this.beside === number) this.beside = -1;
    this.step = null;
    this.start = null;
    this.amounts = this.model.directions.map(() => 0);
    this.morph = { kind: "off", to: 1, place: 0.5 };
    this.buildModels();
    this.buildLabels();
    this.buildLatents();
    this.buildDirections();
    this.buildMorph();
    this.buildShown();
    this.refresh();
  }

  // Controls

  buildModels() {
    const { models, model } = this;
    const named = models.map(({ name }, i) => [i, name]);
    const parts = [];
    if (models.length > 1) {
      const others = named.filter(([i]) => i !== this.number);
      parts.push(
        menu("model", named, this.number, (number) => this.open(number)),
        menu("beside it, of the same latents", [[-1, "none"], ...others], this.beside, (number) => this.put(number)),
      );
    }
    if ((model.steps ?? []).length > 1) {
      const { steps } = model;
      const range = { low: 0, high: steps.length - 1, step: 1, value: steps.indexOf(model.step), said: (i) => steps[i].toLocaleString("en") };
      parts.push(slider("iteration", range, (i) => {
        this.step = steps[i] === model.step ? null : steps[i];
        this.refresh();
      }));
    }
    byId("models").hidden = !parts.length;
    fill("models", ...parts);
    const of = model.data ? ` of ${model.data}` : "";
    const twin = model.twin ? `, twin ${model.twin}` : "";
    byId("about").textContent = `${model.title}${of}, iteration ${model.step.toLocaleString("en")}${twin}`;
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
    const count = menu("pictures", COUNTS.map((n) => [n, n]), this.count, (value) => {
      this.count = value;
      this.picked = Math.min(this.picked, value - 1);
      this.refresh();
    });
    fill("latents", seed, count, element("div", { class: "buttons" }, next, button("Download grid", () => this.save(true))));
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
    const kinds = [["off", "none"], ["latents", "to another latent"], ...(this.hasLabels ? [["labels", "to other labels"]] : [])];
    this.to = new LabelMenus(this.model, this.labels[this.number], () => this.refresh());
    const to = whole("to picture", { low: 1, high: this.model.first.count, value: 2 }, (value) => {
      this.morph.to = value - 1;
      this.refresh();
    });
    const place = slider("place", { low: 0, high: 1, step: 0.01, value: 0.5, said: (x) => x.toFixed(2) }, (value) => {
      this.morph.place = value;
      this.refresh();
    });
    const chosen = (kind) => {
      this.morph.kind = kinds[kind][0];
      to.hidden = this.morph.kind !== "latents";
      this.to.box.hidden = this.morph.kind !== "labels";
      place.hidden = this.morph.kind === "off";
      this.refresh();
    };
    fill("morph", menu("of the chosen picture", kinds.map(([, text], i) => [i, text]), 0, chosen), to, this.to.box, place);
    to.hidden = this.to.box.hidden = place.hidden = true;
  }

  // What is shown

  buildShown() {
    this.grids = this.shown.map((number) => new Grid(this.models[number], this.models[number].name, (i) => this.pick(i)));
    this.large = this.shown.map((number) => newCanvas(this.models[number].shape));
    this.strip = this.shown.map((number) => Array.from({ length: FRAMES }, () => newCanvas(this.models[number].shape)));
    const heading = (number) => (this.shown.length > 1 ? [element("h2", { text: this.models[number].name })] : []);
    byId("grids").replaceChildren(...this.grids.map((grid, i) => element("div", {}, ...heading(this.shown[i]), grid.box)));
    this.captions = this.shown.map(() => element("figcaption"));
    const figures = this.large.map((canvas, i) => element("figure", {}, canvas, this.captions[i]));
    const buttons = element("div", { class: "buttons" }, button("Download picture", () => this.save(false)));
    if (this.model.nearest) buttons.append(button("Nearest training images", () => this.findNearest()));
    this.near = element("div", { class: "near", "aria-live": "polite" });
    byId("picked").replaceChildren(element("h2", { text: "The chosen picture" }), element("div", { class: "pair" }, ...figures), buttons, this.near);
    const strips = this.strip.map((canvases) => element("div", { class: "strip" }, ...canvases));
    byId("strips").replaceChildren(element("h2", { text: "Morph" }), ...strips);
  }

  pick(index) {
    this.picked = index;
    this.refresh();
  }

  showClasses(row) {
    const figures = this.model.classes;
    const asked = new Map(this.labels[this.number].named(row));
    const tables = this.model.levels.filter(({ name }) => ownOf(figures?.accuracy, name) ?? ownOf(figures?.distance, name)).map((level) => {
      const number = (kind, name, digits) => ownOf(ownOf(figures[kind], level.name), name)?.toLocaleString("en", digits) ?? "";
      const rows = level.classes.map((name) => element("tr", { class: asked.get(level.name) === name && "asked" },
        element("th", { scope: "row", text: name }),
        element("td", { class: "figure", text: number("accuracy", name, { style: "percent" }) }),
        element("td", { class: "figure", text: number("distance", name, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }) })));
      const head = element("tr", {}, element("th", { scope: "col", text: level.name }),
        element("th", { scope: "col", class: "figure", text: "accuracy" }), element("th", { scope: "col", class: "figure", text: "distance" }));
      return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    });
    byId("classes").hidden = !tables.length;
    if (!tables.length) return;
    const about = "Accuracy: in how many of a class's samples the judge finds it. Distance: Frechet distance to the real images of the class. ";
    byId("classes").replaceChildren(element("h2", { text: "Classes" }), element("div", { class: "tables" }, ...tables), element("p", { class: "soft", text: about + figures.protocol }));
  }

  // Making pictures

  /** Make all pictures anew; while that is under way, only the newest wish is kept. */
  async refresh() {
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    document.body.dataset.state = "busy";
    try {
      while (this.wanted) {
        this.wanted = false;
        const begun = performance.now();
        await this.draw();
        this.say(`${this.count} of ${this.model.first.count} pictures of seed ${this.seed}, in ${Math.round(performance.now() - begun)} ms`);
      }
      document.body.dataset.state = "ready";
    } catch (error) {
      console.error(error);
      document.body.dataset.state = "failed";
      this.say(`Something is wrong: ${error.message ?? error}`, true);
    } finally {
      this.busy = false;
      if (this.wanted) this.refresh();
    }
  }

  say(text, wrong = false) {
    byId("status").textContent = text;
    byId("status").classList.toggle("wrong", wrong);
  }

  async draw() {
    this.start ??= await this.backend.start(this.number, this.seed);
    const asked = this.shown.map((number) => this.asked(number));
    const said = asked[0].rows.map((row) => this.labels[this.number].said(row));
    this.grids.forEach((grid) => {
      grid.resize(this.count);
      grid.mark(this.picked, (i) => said[i]);
    });
    this.near.replaceChildren();
    this.captions.forEach((caption, i) => (caption.textContent = this.caption(this.shown[i], asked[i])));
    this.showClasses(asked[0].rows[this.picked]);
    byId("strips").hidden = this.morph.kind === "off";
    for (let i = 0; i < this.shown.length && !this.wanted; i++) {
      await this.drawGrid(i, asked[i]);
      if (!this.wanted) await this.drawPicked(i, asked[i]);
    }
  }

  caption(number, { rows, numbers }) {
    const labels = this.labels[number].said(rows[this.picked]);
    const values = this.models[number].numbers.map(({ name }, i) => `${name} ${numbers[this.picked][i].toPrecision(3)}`);
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
    if (model.latent.size !== this.model.latent.size || model.latent.law !== this.model.latent.law) {
      throw new Error(`${model.name} has other latents than ${this.model.name}, so they cannot be shown side by side.`);
    }
    const moved = latents.map((z) => z.map((value, d) => this.vectors.reduce((sum, vector, i) => sum + this.amounts[i] * vector[d], value)));
    const full = rows.map((row, i) => own.complete(row, this.menus.chosen, new Random(this.seed, i)));
    const amounts = numbers.map((row) => row.map((value, i) => this.menus.numbers[i] ?? value));
    if (number === this.number) return { latents: moved, rows: full, numbers: amounts, step: this.step };
    const theirs = startOf(model.first);
    const labels = this.labels[number];
    return {
      latents: moved,
      rows: full.map((row, i) => labels.translated(row, own, theirs.rows[i % theirs.rows.length])),
      numbers: theirs.numbers.map((row, i) => row.map((value, k) => {
        const index = this.model.numbers.findIndex(({ name }) => name === model.numbers[k].name);
        return index < 0 ? value : amounts[i][index];
      })),
      step: null,
    };
  }

  async drawGrid(i, asked) {
    const { cells, model } = this.grids[i];
    for (let from = 0; from < this.count && !this.wanted; from += TOGETHER) {
      const to = Math.min(this.count, from + TOGETHER);
      const part = (rows) => rows.slice(from, to);
      const some = { latents: part(asked.latents), rows: part(asked.rows), numbers: part(asked.numbers), step: asked.step };
      const bytes = await this.backend.images(this.shown[i], some);
      for (let k = from; k < to; k++) paint(cells[k].canvas, bytes, k - from, model.shape);
      await new Promise((done) => setTimeout(done));
    }
  }

  async drawPicked(i, asked) {
    const large = this.large[i];
    if (this.morph.kind === "off") {
      large.getContext("2d").drawImage(this.grids[i].cells[this.picked].canvas, 0, 0);
      return;
    }
    const places = [...Array.from({ length: FRAMES }, (_, k) => k / (FRAMES - 1)), this.morph.place];
    const { shape } = this.grids[i].model;
    const bytes = await this.backend.images(this.shown[i], this.path(this.shown[i], asked, places));
    this.strip[i].forEach((canvas, k) => paint(canvas, bytes, k, shape));
    paint(large, bytes, FRAMES, shape);
  }

  /** What is asked for at places (0 to 1) from the chosen picture to where it goes. */
  path(number, asked, places) {
    const at = (rows, index = this.picked) => places.map(() => rows[index]);
    const fixed = { latents: at(asked.latents), rows: at(asked.rows), numbers: at(asked.numbers), step: asked.step };
    if (this.morph.kind === "latents") {
      const [from, to] = [this.picked, this.morph.to].map((i) => asked.latents[i]);
      return { ...fixed, latents: places.map((t) => between(from, to, t, this.model.latent.law)) };
    }
    const own = this.labels[this.number];
    const whole = own.complete(this.asked(this.number).rows[this.picked], this.to.chosen, new Random(this.seed, this.picked));
    const row = number === this.number ? whole : this.labels[number].translated(whole, own, asked.rows[this.picked]);
    const values = asked.numbers[this.picked].map((value, i) => this.to.numbers[i] ?? value);
    return { ...fixed, toRows: at([row], 0), toNumbers: at([values], 0), shares: places };
  }

  // What can be done with a picture

  save(whole) {
    this.shown.forEach((number, i) => {
      const canvas = whole ? joined(this.grids[i].cells.map((cell) => cell.canvas)) : this.large[i];
      const { menus } = this;
      const asked = this.labels[this.number].said(menus.chosen);
      download(canvas, [this.models[number].name, asked, `seed${this.seed}`, whole ? "" : `${this.picked + 1}`]);
    });
  }

  async findNearest() {
    try {
      const asked = this.asked(this.number);
      const one = (rows) => [rows[this.picked]];
      const path = this.morph.kind === "off"
        ? { latents: one(asked.latents), rows: one(asked.rows), numbers: one(asked.numbers), step: this.step }
        : this.path(this.number, asked, [this.morph.place]);
      this.near.textContent = "Looking ...";
      const { nearest, about } = await this.backend.nearest(this.number, path);
      const figures = nearest.map(({ picture, labels, distance }) => element("figure", {},
        element("img", { src: picture, alt: `A training image${labels && `: ${labels}`}` }),
        element("figcaption", { text: `${labels && `${labels}, `}${distance.toLocaleString("en", { maximumSignificantDigits: 3 })}` })));
      this.near.replaceChildren(...figures, element("p", { class: "soft", style: "grid-column:1/-1", text: about }));
    } catch (error) {
      this.near.textContent = `Something is wrong: ${error.message ?? error}`;
    }
  }
}

/** An entry of an object that came as JSON; its names are of the data, and may be any. */
function ownOf(values, name) {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** The content of a fieldset, below its legend. */
function fill(id, ...parts) {
  const box = byId(id);
  box.replaceChildren(box.querySelector("legend"), ...parts);
}

new Explorer(JSON.parse(byId("facts").textContent));
