// Who makes the pictures. Both take {latents: [[Z]], rows: [[L]], numbers: [[K]], and between
// labels toRows, toNumbers, shares: [N]} and give the bytes [N, C, H, W].

class InPage {
  constructor(models) {
    this.models = models;
    this.sessions = new Map();
  }

  async runtime() {
    const address = async (id, type) => URL.createObjectURL(new Blob([await partOf(id)], { type }));
    const runtime = await import(await address("runtime", "text/javascript"));
    runtime.env.wasm.numThreads = 1;
    runtime.env.wasm.proxy = false;
    runtime.env.wasm.wasmPaths = {
      mjs: await address("glue", "text/javascript"),
      wasm: await address("wasm", "application/wasm"),
    };
    return runtime;
  }

  async session(number) {
    this.loaded ??= this.runtime();
    const runtime = await this.loaded;
    if (!this.sessions.has(number)) {
      const graph = new Uint8Array(await partOf(`graph-${number}`));
      this.sessions.set(
        number,
        runtime.InferenceSession.create(graph, { executionProviders: ["wasm"] }),
      );
    }
    return [runtime, await this.sessions.get(number)];
  }

  async images(number, asked) {
    const [runtime, session] = await this.session(number);
    const model = this.models[number];
    const count = asked.latents.length;
    const told = model.told.classes.map((name) =>
      model.levels.findIndex((level) => level.name === name),
    );
    const numbers = model.told.numbers.map((name) =>
      model.numbers.findIndex((each) => each.name === name),
    );
    const tensor = (kind, values, width) =>
      new runtime.Tensor(kind, values, width === 1 ? [count] : [count, width]);
    const labels = (rows) =>
      tensor(
        "int64",
        BigInt64Array.from(rows.flatMap((row) => told.map((i) => BigInt(row[i])))),
        told.length,
      );
    const amounts = (rows) =>
      tensor(
        "float32",
        Float32Array.from(rows.flatMap((row) => numbers.map((i) => row[i]))),
        numbers.length,
      );
    const made = {
      z: () =>
        new runtime.Tensor("float32", Float32Array.from(asked.latents.flatMap((z) => [...z])), [
          count,
          model.latent.size,
        ]),
      label: () => labels(asked.rows),
      number: () => amounts(asked.numbers),
      label_to: () => labels(asked.toRows ?? asked.rows),
      number_to: () => amounts(asked.toNumbers ?? asked.numbers),
      share: () => tensor("float32", Float32Array.from(asked.shares ?? asked.rows.map(() => 0)), 1),
    };
    const feeds = Object.fromEntries(session.inputNames.map((name) => [name, made[name]()]));
    return (await session.run(feeds)).image.data;
  }

  /** Latents, rows and numbers by a seed: those of the page's own seed are mtgan's, others are
   * drawn here. */
  async start(number, seed) {
    const model = this.models[number];
    if (seed === model.first.seed) return startOf(model.first);
    const random = new Random(seed);
    const labels = new Labels(model);
    const value = () =>
      model.latent.law === "uniform" ? 2 * random.uniform() - 1 : random.normal();
    const times = (count, make) => Array.from({ length: count }, make);
    const { count } = model.first;
    return {
      latents: times(count, () => Float32Array.from(times(model.latent.size, value))),
      rows: times(count, () => labels.draw(random)),
      numbers: times(count, () =>
        model.numbers.map(({ low, high }) => low + (high - low) * random.uniform()),
      ),
    };
  }
}

function startOf(first) {
  return {
    latents: rowsOf(floatsOf(first.latents), first.count).map((row) => Float32Array.from(row)),
    rows: rowsOf(wholesOf(first.labels), first.count),
    numbers: rowsOf(floatsOf(first.numbers), first.count),
  };
}

class OnServer {
  constructor(models) {
    this.models = models;
  }

  async ask(what, body) {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`explore/${what}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => null);
    throw new Error(said?.error ?? `the server says ${answer.status} ${answer.statusText}.`);
  }

  /** What is sent of samples; step: a checkpoint's, or null. */
  body(number, asked) {
    const plain = (rows) => rows?.map((row) => Array.from(row)) ?? null;
    return {
      model: this.models[number].name,
      step: asked.step ?? null,
      latents: plain(asked.latents),
      rows: asked.rows,
      numbers: asked.numbers,
      to_rows: asked.toRows ?? null,
      to_numbers: asked.toNumbers ?? null,
      shares: asked.shares ? Array.from(asked.shares) : null,
    };
  }

  async images(number, asked) {
    const answer = await this.ask("images", this.body(number, asked));
    return new Uint8Array(await answer.arrayBuffer());
  }

  async start(number, seed) {
    const model = this.models[number];
    if (seed === model.first.seed) return startOf(model.first);
    return startOf(await (await this.ask("start", { model: model.name, seed })).json());
  }

  async nearest(number, asked) {
    return (await this.ask("nearest", this.body(number, asked))).json();
  }
}
