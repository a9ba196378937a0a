// GIF89a: frames with one palette of 256 colours, found by median cut, compressed by LZW.

/** Encode frames {width, height, data: RGBA} as a GIF that repeats for ever. */
function encodeGif(frames, { milliseconds = 80, scale = 1 } = {}) {
  const width = frames[0].width * scale, height = frames[0].height * scale, out = [];
  const text = (s) => { for (const c of s) out.push(c.charCodeAt(0)); };
  const short = (n) => out.push(n & 255, n >> 8);
  const palette = medianCut(frames), nearest = finder(palette);
  text("GIF89a");
  short(width);
  short(height);
  out.push(0xf7, 0, 0, ...palette.flat());
  out.push(0x21, 0xff, 11);
  text("NETSCAPE2.0");
  out.push(3, 1, 0, 0, 0);
  for (const { width: w, data } of frames) {
    out.push(0x21, 0xf9, 4, 0);
    short(Math.round(milliseconds / 10));
    out.push(0, 0, 0x2c);
    [0, 0, width, height].forEach(short);
    out.push(0, 8);
    const small = new Uint8Array(data.length / 4).map((_, i) => nearest(data[4 * i], data[4 * i + 1], data[4 * i + 2]));
    const pixels = new Uint8Array(width * height);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++) pixels[i++] = small[Math.floor(y / scale) * w + Math.floor(x / scale)];
    }
    const packed = lzw(pixels);
    for (let start = 0; start < packed.length; start += 255) {
      const block = packed.slice(start, start + 255);
      out.push(block.length);
      for (const byte of block) out.push(byte);
    }
    out.push(0);
  }
  out.push(0x3b);
  return new Uint8Array(out);
}

/** 256 colours: boxes of colours, the one of the longest side halved at its median until there are enough. */
function medianCut(frames) {
  const seen = new Map();
  for (const { data } of frames) {
    for (let i = 0; i < data.length; i += 4) {
      const key = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  const colours = [...seen].map(([key, count]) => [key >> 16, (key >> 8) & 255, key & 255, count]);
  const boxes = [colours];
  const extent = (box, c) => {
    let low = 255, high = 0;
    for (const colour of box) { low = Math.min(low, colour[c]); high = Math.max(high, colour[c]); }
    return high - low;
  };
  const sides = [colours.length > 1 ? [0, 1, 2].map((c) => extent(colours, c)) : [0, 0, 0]];
  while (boxes.length < 256) {
    let widest = 0;
    sides.forEach((side, i) => { if (Math.max(...side) > Math.max(...sides[widest])) widest = i; });
    if (Math.max(...sides[widest]) === 0) break;
    const box = boxes[widest], axis = sides[widest].indexOf(Math.max(...sides[widest]));
    box.sort((a, b) => a[axis] - b[axis]);
    let cut = box.length >> 1;
    while (cut < box.length && box[cut][axis] === box[cut - 1][axis]) cut++;
    if (cut === box.length) for (cut = box.length >> 1; box[cut][axis] === box[cut - 1][axis]; cut--);
    for (const [place, half] of [[widest, box.slice(0, cut)], [boxes.length, box.slice(cut)]]) {
      boxes[place] = half;
      sides[place] = [0, 1, 2].map((c) => extent(half, c));
    }
  }
  const palette = boxes.map((box) => {
    const total = box.reduce((sum, colour) => sum + colour[3], 0) || 1;
    return [0, 1, 2].map((c) => Math.round(box.reduce((sum, colour) => sum + colour[c] * colour[3], 0) / total));
  });
  while (palette.length < 256) palette.push([0, 0, 0]);
  return palette;
}

/** A function from a colour to the number of the nearest one of a palette. */
function finder(palette) {
  const known = new Map();
  return (r, g, b) => {
    const key = (r << 16) | (g << 8) | b;
    let best = known.get(key);
    if (best === undefined) {
      let least = Infinity;
      palette.forEach(([pr, pg, pb], i) => {
        const distance = (pr - r) ** 2 + (pg - g) ** 2 + (pb - b) ** 2;
        if (distance < least) [least, best] = [distance, i];
      });
      known.set(key, best);
    }
    return best;
  };
}

/** Bytes compressed by LZW with codes from 9 to 12 bits. Source: GIF89a specification, appendix F. */
function lzw(pixels) {
  const out = [], clear = 256;
  let table = new Map(), next = clear + 2, width = 9, buffer = 0, filled = 0;
  const write = (code) => {
    buffer |= code << filled;
    filled += width;
    for (; filled >= 8; filled -= 8, buffer >>>= 8) out.push(buffer & 255);
  };
  write(clear);
  let prefix = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const key = (prefix << 8) | pixels[i], found = table.get(key);
    if (found !== undefined) {
      prefix = found;
      continue;
    }
    write(prefix);
    prefix = pixels[i];
    if (next === 4096) {
      write(clear);
      [table, next, width] = [new Map(), clear + 2, 9];
      continue;
    }
    table.set(key, next++);
    if (next > 1 << width && width < 12) width++;
  }
  write(prefix);
  write(clear + 1);
  if (filled > 0) out.push(buffer & 255);
  return out;
}
