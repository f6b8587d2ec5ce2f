// Pictures on canvases of their own size, grids of them, and files.

const FRAMES = 9;

function newCanvas([, height, width]) {
  return element("canvas", { width, height });
}

/** One picture of the bytes [N, C, H, W] onto a canvas. */
function paint(canvas, bytes, index, [channels, height, width]) {
  const area = height * width;
  const start = index * channels * area;
  const shown = new ImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++)
      shown.data[4 * i + c] = bytes[start + (channels === 1 ? 0 : c) * area + i];
    shown.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(shown, 0, 0);
}

/** A grid of buttons with a picture each, of which one is chosen; arrow keys go from one to the
 * next. */
class Grid {
  constructor(model, name, pick) {
    this.model = model;
    this.pick = pick;
    this.cells = [];
    this.box = element("div", {
      class: "grid",
      role: "group",
      "aria-label": `Pictures of ${name}`,
    });
    this.box.addEventListener("keydown", (event) => this.move(event));
  }

  resize(count) {
    this.box.style.setProperty("--side", { 1: "16rem", 4: "9rem", 16: "6rem" }[count] ?? "3.6rem");
    while (this.cells.length > count) this.cells.pop().button.remove();
    while (this.cells.length < count) {
      const index = this.cells.length;
      const canvas = newCanvas(this.model.shape);
      const button = element(
        "button",
        { type: "button", on: { click: () => this.pick(index) } },
        canvas,
      );
      this.cells.push({ button, canvas });
      this.box.append(button);
    }
  }

  mark(picked, saying) {
    this.cells.forEach(({ button }, i) => {
      const said = saying(i);
      button.tabIndex = i === picked ? 0 : -1;
      button.setAttribute("aria-pressed", i === picked);
      button.setAttribute("aria-label", `Picture ${i + 1}${said && `: ${said}`}`);
      button.title = said;
    });
  }

  move(event) {
    const top = this.cells[0].button.offsetTop;
    const columns = this.cells.filter(({ button }) => button.offsetTop === top).length;
    const last = this.cells.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const now = this.cells.findIndex(({ button }) => button === document.activeElement);
    const ends = { Home: 0, End: last };
    const next = event.key in ends ? ends[event.key] : now + steps[event.key];
    if (now < 0 || !(next >= 0 && next <= last)) return;
    event.preventDefault();
    this.pick(next);
    this.cells[next].button.focus();
  }
}

/** All canvases side by side on one. */
function joined(canvases, gap = 2) {
  const columns = Math.ceil(Math.sqrt(canvases.length));
  const [{ width, height }] = canvases;
  const all = element("canvas", {
    width: columns * (width + gap) - gap,
    height: Math.ceil(canvases.length / columns) * (height + gap) - gap,
  });
  const context = all.getContext("2d");
  canvases.forEach((canvas, i) => {
    context.drawImage(
      canvas,
      (i % columns) * (width + gap),
      Math.floor(i / columns) * (height + gap),
    );
  });
  return all;
}

/** Download a canvas as FILE.png that says, as files of mtgan sample do, that it was generated. */
async function download(canvas, words) {
  const plain = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const bytes = signed(new Uint8Array(await plain.arrayBuffer()), "Software", "mtgan sample");
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const name = words
    .filter(Boolean)
    .join("-")
    .replace(/[^\p{L}\p{N}._-]+/gu, "_")
    .slice(0, 100);
  element("a", { href: address, download: `${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A PNG with a tEXt chunk behind its header (PNG 1.2, sections 3.2 and 4.2.3). */
function signed(png, key, text) {
  const content = new TextEncoder().encode(`tEXt${key}\0${text}`);
  const chunk = new Uint8Array(content.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, content.length - 4);
  chunk.set(content, 4);
  view.setUint32(content.length + 4, checksum(content));
  const header = 33; // the signature and IHDR
  const made = new Uint8Array(png.length + chunk.length);
  made.set(png.subarray(0, header));
  made.set(chunk, header);
  made.set(png.subarray(header), header + chunk.length);
  return made;
}

function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
