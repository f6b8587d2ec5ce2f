// What is shown, and when it is made anew.

const TOGETHER = 16; // pictures that are made at once, between which the page listens

class Explorer extends Steering {
  constructor(facts) {
    super();
    this.models = facts.models;
    this.labels = this.models.map((model) => new Labels(model));
    this.backend = facts.server ? new OnServer(this.models) : new InPage(this.models);
    this.count = 16;
    this.seed = this.models[0].first.seed;
    this.step = null;
    this.beside = -1;
    this.picked = 0;
    this.drawings = 0;
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

  // What is shown

  buildShown() {
    this.grids = this.shown.map(
      (number) => new Grid(this.models[number], this.models[number].name, (i) => this.pick(i)),
    );
    this.large = this.shown.map((number) => newCanvas(this.models[number].shape));
    this.strip = this.shown.map((number) =>
      Array.from({ length: FRAMES }, () => newCanvas(this.models[number].shape)),
    );
    const heading = (number) =>
      this.shown.length > 1 ? [element("h2", { text: this.models[number].name })] : [];
    byId("grids").replaceChildren(
      ...this.grids.map((grid, i) => element("div", {}, ...heading(this.shown[i]), grid.box)),
    );
    this.captions = this.shown.map(() => element("figcaption"));
    const figures = this.large.map((canvas, i) => element("figure", {}, canvas, this.captions[i]));
    const buttons = element(
      "div",
      { class: "buttons" },
      button("Download picture", () => this.save(false)),
    );
    if (this.model.nearest)
      buttons.append(button("Nearest training images", () => this.findNearest()));
    this.near = element("div", { class: "near", "aria-live": "polite" });
    byId("picked").replaceChildren(
      element("h2", { text: "The chosen picture" }),
      element("div", { class: "pair" }, ...figures),
      buttons,
      this.near,
    );
    const strips = this.strip.map((canvases) => element("div", { class: "strip" }, ...canvases));
    byId("strips").replaceChildren(element("h2", { text: "Morph" }), ...strips);
  }

  pick(index) {
    this.picked = index;
    this.refresh();
  }

  showClasses(row) {
    const parts = classTables(this.model, new Map(this.labels[this.number].named(row)));
    byId("classes").hidden = !parts.length;
    byId("classes").replaceChildren(...parts);
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
        this.say(
          `${this.count} of ${this.model.first.count} pictures of seed ${this.seed}, ` +
            `in ${Math.round(performance.now() - begun)} ms`,
        );
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
    this.drawings += 1;
    if (this.start === null) {
      const { number, seed } = this;
      const found = await this.backend.start(number, seed);
      if (number !== this.number || seed !== this.seed) return; // something else is wanted by now
      this.start = found;
    }
    const asked = this.shown.map((number) => this.asked(number));
    const said = asked[0].rows.map((row) => this.labels[this.number].said(row));
    this.grids.forEach((grid) => {
      grid.resize(this.count);
      grid.mark(this.picked, (i) => said[i]);
    });
    this.near.replaceChildren();
    this.captions.forEach(
      (caption, i) => (caption.textContent = this.caption(this.shown[i], asked[i])),
    );
    this.showClasses(asked[0].rows[this.picked]);
    byId("strips").hidden = this.morph.kind === "off";
    for (let i = 0; i < this.shown.length && !this.wanted; i++) {
      await this.drawGrid(i, asked[i]);
      if (!this.wanted) await this.drawPicked(i, asked[i]);
    }
  }

  async drawGrid(i, asked) {
    const { cells, model } = this.grids[i];
    for (let from = 0; from < this.count && !this.wanted; from += TOGETHER) {
      const to = Math.min(this.count, from + TOGETHER);
      const part = (rows) => rows.slice(from, to);
      const some = {
        latents: part(asked.latents),
        rows: part(asked.rows),
        numbers: part(asked.numbers),
        step: asked.step,
      };
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
    const places = [
      ...Array.from({ length: FRAMES }, (_, k) => k / (FRAMES - 1)),
      this.morph.place,
    ];
    const { shape } = this.grids[i].model;
    const bytes = await this.backend.images(this.shown[i], this.path(this.shown[i], asked, places));
    this.strip[i].forEach((canvas, k) => paint(canvas, bytes, k, shape));
    paint(large, bytes, FRAMES, shape);
  }

  // What can be done with a picture

  save(whole) {
    this.shown.forEach((number, i) => {
      const canvas = whole ? joined(this.grids[i].cells.map((cell) => cell.canvas)) : this.large[i];
      const { menus } = this;
      const asked = this.labels[this.number].said(menus.chosen);
      download(canvas, [
        this.models[number].name,
        asked,
        `seed${this.seed}`,
        whole ? "" : `${this.picked + 1}`,
      ]);
    });
  }

  async findNearest() {
    try {
      const asked = this.asked(this.number);
      const one = (rows) => [rows[this.picked]];
      const path =
        this.morph.kind === "off"
          ? {
              latents: one(asked.latents),
              rows: one(asked.rows),
              numbers: one(asked.numbers),
              step: this.step,
            }
          : this.path(this.number, asked, [this.morph.place]);
      this.near.textContent = "Looking ...";
      const { drawings } = this;
      const { nearest, about } = await this.backend.nearest(this.number, path);
      if (drawings !== this.drawings) return; // of another picture
      const figures = nearest.map(({ picture, labels, distance }) =>
        element(
          "figure",
          {},
          element("img", { src: picture, alt: `A training image${labels && `: ${labels}`}` }),
          element("figcaption", {
            text: [labels, distance.toLocaleString("en", { maximumSignificantDigits: 3 })]
              .filter(Boolean)
              .join(", "),
          }),
        ),
      );
      this.near.replaceChildren(
        ...figures,
        element("p", { class: "soft", style: "grid-column:1/-1", text: about }),
      );
    } catch (error) {
      this.near.textContent = `Something is wrong: ${error.message ?? error}`;
    }
  }
}

new Explorer(JSON.parse(byId("facts").textContent));
