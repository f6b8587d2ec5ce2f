// Elements, bytes, and random numbers. All scripts of the page are one module, in this order.

const byId = (id) => document.getElementById(id);

/** An element; of options, `text` is its text, `on` its listeners, and all others attributes. */
function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else if (key === "on")
      for (const [event, f] of Object.entries(value)) made.addEventListener(event, f);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function bytesOf(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
const floatsOf = (base64) => new Float32Array(bytesOf(base64).buffer);
const wholesOf = (base64) => new Int32Array(bytesOf(base64).buffer);

/** Rows of equal length of a flat array of `count` of them. */
function rowsOf(flat, count) {
  const length = flat.length / Math.max(count, 1);
  return Array.from({ length: count }, (_, i) =>
    Array.from(flat.slice(i * length, (i + 1) * length)),
  );
}

/** The bytes that a part of the page holds, which are packed by gzip. */
async function partOf(id) {
  const part = byId(id);
  if (part === null) throw new Error(`this page has lost its part ${id}; write it anew.`);
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old to unpack the page (it has no DecompressionStream).");
  }
  const packed = new Blob([bytesOf(part.textContent)]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** Random numbers by a seed and numbers beside it (mulberry32, its state mixed as murmur3 ends). */
class Random {
  constructor(...seeds) {
    this.state = 0x9e3779b9;
    for (const seed of seeds) this.state = Random.mix(this.state ^ Math.imul(seed + 1, 0x85ebca6b));
  }

  static mix(x) {
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An index, each as likely as its weight. */
  choice(weights) {
    let left = this.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const found = weights.findIndex((weight) => (left -= weight) < 0);
    return found < 0 ? weights.length - 1 : found;
  }
}

/** Between two latents: on the great circle of normal ones (White 2016), else straight. */
function between(a, b, t, law) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const cosine = dot(a, b) / Math.max(Math.sqrt(dot(a, a) * dot(b, b)), 1e-12);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  const round = law === "normal" && sine >= 1e-4;
  const first = round ? Math.sin((1 - t) * angle) / sine : 1 - t;
  const second = round ? Math.sin(t * angle) / sine : t;
  return Float32Array.from(a, (value, i) => first * value + second * b[i]);
}
