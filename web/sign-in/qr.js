// QR codes (ISO/IEC 18004): byte mode, error correction L, versions 1 to 10, mask 0. Enough for an
// otpauth address; `null` for anything longer.

const ECC = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18];
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4];
const ALIGNMENT = [[], [18], [22], [26], [30], [34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

// Powers of the generator of GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
const EXP = [];
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = value;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const LOG = Object.fromEntries(EXP.map((value, power) => [value, power]));
const times = (a, b) => (a && b ? EXP[(LOG[a] + LOG[b]) % 255] : 0);

function divisor(degree) {
  let product = [1];
  for (let power = 0; power < degree; power += 1) {
    const next = [...product, 0];
    product.forEach((coefficient, at) => { next[at + 1] ^= times(coefficient, EXP[power]); });
    product = next;
  }
  return product.slice(1);
}

function remainder(data, by) {
  const rest = by.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    by.forEach((coefficient, at) => { rest[at] ^= times(coefficient, factor); });
  }
  return rest;
}

function rawCodewords(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const rows = Math.floor(version / 7) + 2;
    modules -= (25 * rows - 10) * rows - 55;
    if (version >= 7) modules -= 36;
  }
  return modules >> 3;
}

function codewords(bytes, version) {
  const [ecc, blocks, raw] = [ECC[version - 1], BLOCKS[version - 1], rawCodewords(version)];
  const capacity = raw - ecc * blocks;
  const bits = [];
  const put = (value, length) => { for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1); };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  bytes.forEach((byte) => put(byte, 8));
  if (bits.length > capacity * 8) return null;
  put(0, Math.min(4, capacity * 8 - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  const data = [];
  for (let at = 0; at < bits.length; at += 8) data.push(parseInt(bits.slice(at, at + 8).join(''), 2));
  for (let pad = 0xec; data.length < capacity; pad ^= 0xfd) data.push(pad);

  const [shortLength, shortBlocks] = [Math.floor(raw / blocks) - ecc, blocks - (raw % blocks)];
  const by = divisor(ecc);
  const parts = [];
  for (let block = 0, at = 0; block < blocks; block += 1) {
    const length = shortLength + (block < shortBlocks ? 0 : 1);
    const part = data.slice(at, at + length);
    parts.push({ part, check: remainder(part, by) });
    at += length;
  }
  const woven = [];
  for (let at = 0; at <= shortLength; at += 1) {
    for (const { part } of parts) if (at < part.length) woven.push(part[at]);
  }
  for (let at = 0; at < ecc; at += 1) for (const { check } of parts) woven.push(check[at]);
  return woven;
}

function draw(version, words) {
  const size = version * 4 + 17;
  const dark = Array.from({ length: size }, () => Array(size).fill(false));
  const fixed = Array.from({ length: size }, () => Array(size).fill(false));
  const set = (x, y, value) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    dark[y][x] = Boolean(value);
    fixed[y][x] = true;
  };
  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  for (const [left, top] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    for (let dy = -4; dy <= 4; dy += 1) {
      for (let dx = -4; dx <= 4; dx += 1) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        set(left + dx, top + dy, ring !== 2 && ring !== 4);
      }
    }
  }
  const centres = ALIGNMENT[version - 1].length === 1 ? [6, ...ALIGNMENT[version - 1]] : ALIGNMENT[version - 1];
  const last = centres.at(-1);
  for (const x of centres) {
    for (const y of centres) {
      if ((x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6)) continue;
      for (let dy = -2; dy <= 2; dy += 1) {
        for (let dx = -2; dx <= 2; dx += 1) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
      }
    }
  }
  // Error correction L with mask 0, protected by a BCH code and the fixed pattern.
  let check = 0b01000;
  for (let bit = 0; bit < 10; bit += 1) check = (check << 1) ^ ((check >> 9) * 0x537);
  const format = ((0b01000 << 10) | check) ^ 0x5412;
  const bitOf = (value, at) => (value >> at) & 1;
  for (let at = 0; at <= 5; at += 1) set(8, at, bitOf(format, at));
  set(8, 7, bitOf(format, 6));
  set(8, 8, bitOf(format, 7));
  set(7, 8, bitOf(format, 8));
  for (let at = 9; at < 15; at += 1) set(14 - at, 8, bitOf(format, at));
  for (let at = 0; at < 8; at += 1) set(size - 1 - at, 8, bitOf(format, at));
  for (let at = 8; at < 15; at += 1) set(8, size - 15 + at, bitOf(format, at));
  set(8, size - 8, true);
  if (version >= 7) {
    let rest = version;
    for (let bit = 0; bit < 12; bit += 1) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    const bits = (version << 12) | rest;
    for (let at = 0; at < 18; at += 1) {
      const [a, b] = [size - 11 + (at % 3), Math.floor(at / 3)];
      set(a, b, bitOf(bits, at));
      set(b, a, bitOf(bits, at));
    }
  }
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (fixed[y][x]) continue;
        const value = bit < words.length * 8 && (words[bit >> 3] >> (7 - (bit & 7))) & 1;
        bit += 1;
        dark[y][x] = Boolean(value) !== ((x + y) % 2 === 0);
      }
    }
  }
  return dark;
}

/** The modules of the QR code of a text, dark ones true; `null` if it is too long. */
export function qrModules(text) {
  const bytes = [...new TextEncoder().encode(text)];
  for (let version = 1; version <= 10; version += 1) {
    const words = codewords(bytes, version);
    if (words) return draw(version, words);
  }
  return null;
}

/** The same as an SVG element. */
export function qrSvg(text) {
  const modules = qrModules(text);
  if (!modules) return null;
  const path = modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ''))).join('');
  const side = modules.length + 8;
  const element = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(attributes).forEach(([attribute, value]) => made.setAttribute(attribute, value));
    return made;
  };
  const svg = element('svg', { viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': 'QR code', 'shape-rendering': 'crispEdges' });
  svg.append(element('rect', { width: side, height: side, fill: '#fff' }), element('path', { d: path, fill: '#000' }));
  return svg;
}
