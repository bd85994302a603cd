'use strict';

// A decoder in plain JavaScript: S_i = f_i(S_{i-1}, U_i), from a plan of its
// layers and their weights (see structae/portable.py). Maps are flat arrays in
// the order row, column, channel, as in Python.

// Half precision, little endian, in base64, to numbers.
function weightsOf(base64) {
  const bytes = atob(base64);
  const numbers = new Float64Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i += 1) {
    const half = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    const exponent = (half >> 10) & 31;
    const fraction = (half & 1023) / 1024;
    const size = exponent
      ? (1 + fraction) * 2 ** (exponent - 15)
      : fraction * 2 ** -14;
    numbers[i] = half & 0x8000 ? -size : size;
  }
  return numbers;
}

const ACTIVATIONS = {
  mish(x) {
    const e = Math.exp(Math.min(x, 20));
    const n = e * (e + 2);
    return x * (n / (n + 2));
  },
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
};

const MEANS = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  identity: (x) => Math.min(Math.max(x, 0), 1),
};

// Dense layers with activations between them.
function mlp(layers, inputs, activation) {
  let x = inputs;
  layers.forEach(({ kernel, bias }, depth) => {
    const y = Float64Array.from(bias);
    x.forEach((value, i) => {
      const row = i * y.length;
      for (let j = 0; j < y.length; j += 1) y[j] += value * kernel[row + j];
    });
    x = depth < layers.length - 1 ? y.map(activation) : y;
  });
  return x;
}

// S <- alpha S + beta, the same for every pixel; alpha = exp(logit).
function affine({ side, channels, data }, numbers) {
  const beta = numbers.subarray(0, channels);
  const alpha = numbers.subarray(channels).map(Math.exp);
  const y = data.map((x, i) => alpha[i % channels] * x + beta[i % channels]);
  return { side, channels, data: y };
}

// The same features beside the channels of every pixel.
function join({ side, channels, data }, features) {
  const wide = channels + features.length;
  const y = new Float64Array(side * side * wide);
  for (let p = 0; p < side * side; p += 1) {
    y.set(data.subarray(p * channels, (p + 1) * channels), p * wide);
    y.set(features, p * wide + channels);
  }
  return { side, channels: wide, data: y };
}

const CONDITIONS = { affine, join };

// Twice as large, each pixel blended with its neighbours; borders repeated.
function bilinear({ side, channels, data }) {
  const y = new Float64Array(4 * data.length);
  const inside = (i) => Math.min(Math.max(i, 0), side - 1);
  const near = (i) => inside((i >> 1) + (i % 2 ? 1 : -1));
  for (let r = 0; r < 2 * side; r += 1) {
    for (let c = 0; c < 2 * side; c += 1) {
      const at = (row, column) => (row * side + column) * channels;
      const p = at(r >> 1, c >> 1);
      const q = at(r >> 1, near(c));
      const s = at(near(r), c >> 1);
      const t = at(near(r), near(c));
      const to = (2 * r * side + c) * channels;
      for (let k = 0; k < channels; k += 1) {
        y[to + k] = 0.5625 * data[p + k] + 0.1875 * (data[q + k] + data[s + k])
          + 0.0625 * data[t + k];
      }
    }
  }
  return { side: 2 * side, channels, data: y };
}

// Twice as large, a zero behind every pixel: of transposed convolutions.
function zeros({ side, channels, data }) {
  const y = new Float64Array(4 * data.length);
  for (let p = 0; p < side * side; p += 1) {
    const [row, column] = [Math.floor(p / side), p % side];
    const pixel = data.subarray(p * channels, (p + 1) * channels);
    y.set(pixel, (4 * row * side + 2 * column) * channels);
  }
  return { side: 2 * side, channels, data: y };
}

const UPS = { bilinear, zeros };

// A border of zeros, one pixel wide.
function padded({ side, channels, data }) {
  const y = new Float64Array((side + 2) ** 2 * channels);
  const row = side * channels;
  for (let r = 0; r < side; r += 1) {
    const to = ((r + 1) * (side + 2) + 1) * channels;
    y.set(data.subarray(r * row, (r + 1) * row), to);
  }
  return y;
}

// Kernels [3, 3, in, out] as [out / 4, 3, 3, in, 4], filled up with zeros.
function packed(kernel, inputs, outputs) {
  const taps = 9 * inputs;
  const y = new Float64Array(taps * 4 * Math.ceil(outputs / 4));
  for (let t = 0; t < taps; t += 1) {
    for (let o = 0; o < outputs; o += 1) {
      y[((o >> 2) * taps + t) * 4 + (o & 3)] = kernel[t * outputs + o];
    }
  }
  return y;
}

// A 3x3 convolution: two pixels by four channels at a time, in eight sums. The
// three pixels under a row of the kernel lie side by side in memory.
function conv(map, { kernel, bias }) {
  const { side, channels } = map;
  const outputs = bias.length;
  const x = padded(map);
  const y = new Float64Array(side * side * outputs);
  const row = (side + 2) * channels;
  const span = 3 * channels;
  for (let o = 0; o < outputs; o += 4) {
    const first = o * 3 * span;
    for (let p = 0; p < side * side; p += 2) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      let w = first;
      for (let r = 0; r < 3; r += 1) {
        const from = (Math.floor(p / side) + r) * row + (p % side) * channels;
        for (let i = from; i < from + span; i += 1, w += 4) {
          const a = x[i];
          const b = x[i + channels];
          const w0 = kernel[w];
          const w1 = kernel[w + 1];
          const w2 = kernel[w + 2];
          const w3 = kernel[w + 3];
          a0 += a * w0; a1 += a * w1; a2 += a * w2; a3 += a * w3;
          b0 += b * w0; b1 += b * w1; b2 += b * w2; b3 += b * w3;
        }
      }
      const sums = [a0, a1, a2, a3, b0, b1, b2, b3];
      for (let k = 0; k < Math.min(4, outputs - o); k += 1) {
        y[p * outputs + o + k] = sums[k] + bias[o + k];
        y[(p + 1) * outputs + o + k] = sums[4 + k] + bias[o + k];
      }
    }
  }
  return { side, channels: outputs, data: y };
}

// The maps of several parents as one: doubled to a side, beside each other, and
// brought to the channels of one by a 1x1 convolution.
function merged(maps, side, merge) {
  const large = maps.map((map) => {
    let x = map;
    while (x.side < side) x = bilinear(x);
    return x;
  });
  if (!merge) return large[0];
  const channels = merge.bias.length;
  const y = new Float64Array(side * side * channels);
  for (let p = 0; p < side * side; p += 1) {
    const pixel = large.flatMap((map) => (
      [...map.data.subarray(p * map.channels, (p + 1) * map.channels)]
    ));
    y.set(mlp([merge], pixel), p * channels);
  }
  return { side, channels, data: y };
}

// Group normalization and the activation after it.
function normalized(map, { scale, bias, groups }, activation) {
  const { side, channels, data } = map;
  const width = channels / groups;
  const count = side * side * width;
  const [sums, squares] = [new Float64Array(groups), new Float64Array(groups)];
  data.forEach((x, i) => {
    const g = Math.floor((i % channels) / width);
    sums[g] += x;
    squares[g] += x * x;
  });
  const gain = new Float64Array(channels);
  const shift = new Float64Array(channels);
  for (let c = 0; c < channels; c += 1) {
    const mean = sums[Math.floor(c / width)] / count;
    const square = squares[Math.floor(c / width)] / count;
    gain[c] = scale[c] / Math.sqrt(Math.max(square - mean * mean, 0) + 1e-5);
    shift[c] = bias[c] - mean * gain[c];
  }
  const y = data.map((x, i) => {
    const c = i % channels;
    return activation(gain[c] * x + shift[c]);
  });
  return { side, channels, data: y };
}

// decode(code, state) to the numbers of an image in [0, 1]. The state keeps the
// maps of the code before, so that only what reads another number is computed.
function decoderOf(plan, weights) {
  let used = 0;
  const take = (count) => weights.subarray(used, (used += count));
  const dense = (layers) => layers.map(([inputs, outputs]) => ({
    kernel: take(inputs * outputs), bias: take(outputs),
  }));
  const activation = ACTIVATIONS[plan.activation];
  const mean = MEANS[plan.mean];
  const { side, channels, reads, layers } = plan.start;
  const start = layers ? dense(layers) : take(side * side * channels);
  const blocks = plan.blocks.map((block, i) => {
    const { inputs, outputs, groups, parents = [i] } = block;
    const [several] = dense(
      parents.length > 1 ? [[parents.length * channels, channels]] : [],
    );
    return {
      ...block,
      parents,
      merge: several,
      layers: dense(block.layers),
      kernel: packed(take(9 * inputs * outputs), inputs, outputs),
      bias: take(outputs),
      norm: groups && { groups, scale: take(outputs), bias: take(outputs) },
    };
  });

  function run(block, maps, code) {
    let x = merged(block.parents.map((j) => maps[j]), block.side, block.merge);
    if (block.condition) {
      const inputs = block.reads.map((i) => code[i]);
      x = CONDITIONS[block.condition](x, mlp(block.layers, inputs, activation));
    }
    if (!block.outputs) return x;
    if (block.up) x = UPS[block.up](x);
    x = conv(x, block);
    return block.norm ? normalized(x, block.norm, activation) : x;
  }

  function begin(code) {
    const numbers = reads.map((i) => code[i]);
    const data = layers ? mlp(start, numbers, activation) : start;
    return { side, channels, data };
  }

  function decode(code, state = {}) {
    const { code: before, maps = [] } = state;
    const moved = (numbers) => (
      !before || numbers.some((i) => code[i] !== before[i])
    );
    const fresh = [moved(reads)];
    if (fresh[0]) maps[0] = begin(code);
    blocks.forEach((block, i) => {
      fresh[i + 1] = moved(block.reads) || block.parents.some((j) => fresh[j]);
      if (fresh[i + 1]) maps[i + 1] = run(block, maps, code);
    });
    const computed = fresh.slice(1).filter(Boolean).length;
    Object.assign(state, { code: Array.from(code), maps, computed });
    return maps[blocks.length].data.map(mean);
  }

  return { decode };
}
