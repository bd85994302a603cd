
// The page of the decoder: what a reader moves is decoded at once, or, where a
// device is too slow for that, when it is let go.
const SLOW = 100; // milliseconds a picture

const live = document.getElementById('live');
const { plan, weights, pool, low, high } = JSON.parse(live.dataset.model);
const decoder = decoderOf(plan, weightsOf(weights));
const [height, width, channels] = plan.image;
const sliders = [...live.querySelectorAll('.variable input[type=range]')];
const ticks = [...live.querySelectorAll('.variable input[type=checkbox]')];
const dim = sliders.length / ticks.length;
const result = document.getElementById('result');
const parents = {
  a: document.getElementById('a'), b: document.getElementById('b'),
};
const chosen = { a: 0, b: pool.length - 1 }; // rows of the pool
const state = {}; // what the decoder keeps of the code before
const times = []; // of the latest pictures
let code = [...pool[chosen.a]];

const anyRow = () => Math.floor(Math.random() * pool.length);
const numbersOf = (k) => [...Array(dim).keys()].map((d) => k * dim + d);
const pace = () => [...times].sort((x, y) => x - y)[times.length >> 1];
const isSlow = () => pace() > SLOW;

// A hybrid: every variable from another row.
function hybrid() {
  const rows = ticks.map(anyRow);
  return code.map((_, i) => pool[rows[Math.floor(i / dim)]][i]);
}

function paint(canvas, values) {
  const image = new ImageData(width, height);
  for (let p = 0; p < width * height; p += 1) {
    for (let c = 0; c < 3; c += 1) {
      const x = values[p * channels + (channels === 1 ? 0 : c)];
      image.data[4 * p + c] = Math.round(255 * x);
    }
    image.data[4 * p + 3] = 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

function draw(canvas, numbers, kept = {}) {
  const begun = performance.now();
  const values = decoder.decode(numbers, kept);
  if (kept.computed === plan.blocks.length) {
    times.push(performance.now() - begun);
    times.splice(0, times.length - 15);
  }
  paint(canvas, values);
}

// The share of a slider's way at which a number lies.
function share(i, value) {
  const way = (value - low[i]) / (high[i] - low[i] || 1);
  return Math.min(Math.max(way, 0), 1);
}

const SUFFIX = { true: ', drawn when a slider is let go', false: '' };

function tell() {
  const a = pool[chosen.a];
  const b = pool[chosen.b];
  sliders.forEach((slider, i) => {
    if (Number(slider.value) !== code[i]) slider.value = code[i];
    slider.parentElement.style.setProperty('--a', share(i, a[i]));
    slider.parentElement.style.setProperty('--b', share(i, b[i]));
  });
  ticks.forEach((tick, k) => {
    tick.checked = numbersOf(k).every((i) => code[i] === b[i]);
  });
  const digits = code.map((x) => Number(x.toPrecision(5))).join();
  const rows = `a=${chosen.a}&b=${chosen.b}`;
  document.getElementById('link').href = `#code=${digits}&${rows}`;
  const text = pace() < 1 ? 'less than 1 ms' : `${Math.round(pace())} ms`;
  document.getElementById('pace').textContent =
    `This device decodes a picture in ${text}${SUFFIX[isSlow()]}.`;
}

function show() {
  draw(result, code, state);
  tell();
}

function drawParents() {
  for (const name of ['a', 'b']) draw(parents[name], pool[chosen[name]]);
}

sliders.forEach((slider, i) => {
  const move = () => { code[i] = Number(slider.value); show(); };
  slider.addEventListener('input', () => { if (!isSlow()) move(); });
  slider.addEventListener('change', move);
});

ticks.forEach((tick, k) => {
  tick.addEventListener('change', () => {
    const from = pool[tick.checked ? chosen.b : chosen.a];
    for (const i of numbersOf(k)) code[i] = from[i];
    show();
  });
});

function onClick(id, action) {
  document.getElementById(id).addEventListener('click', action);
}

// Variables that are another's follow it; those that were moved stay.
function another(name) {
  const before = pool[chosen[name]];
  chosen[name] = anyRow();
  const now = pool[chosen[name]];
  const other = pool[chosen[name === 'a' ? 'b' : 'a']];
  code = code.map((x, i) => (x === before[i] && x !== other[i] ? now[i] : x));
  drawParents();
  show();
}

onClick('another-a', () => another('a'));
onClick('another-b', () => another('b'));
onClick('back', () => { code = [...pool[chosen.a]]; show(); });
onClick('mix', () => { code = hybrid(); show(); });

// Endless hybrids, one at a time, so that the page stays alive.
const pictures = [...document.querySelectorAll('.hybrids button')];
const shown = pictures.map(hybrid);
let filling = null;

function fill(next = 0) {
  clearTimeout(filling);
  if (next === pictures.length) { tell(); return; }
  shown[next] = hybrid();
  draw(pictures[next].firstElementChild, shown[next]);
  filling = setTimeout(fill, 0, next + 1);
}

pictures.forEach((picture, n) => {
  picture.addEventListener('click', () => {
    code = [...shown[n]];
    show();
    result.scrollIntoView({ block: 'nearest' });
  });
});

onClick('more', () => fill());

// A link holds a code: #code=0.1,-2.5,...&a=3&b=17. Others lead to a section.
function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (state.code && !asked.has('code')) return;
  for (const name of ['a', 'b']) {
    const row = Number(asked.get(name) ?? chosen[name]);
    if (pool[row]) chosen[name] = row;
  }
  const numbers = (asked.get('code') || '').split(',').map(Number);
  const isCode = numbers.length === code.length
    && numbers.every(Number.isFinite);
  code = isCode ? numbers : [...pool[chosen.a]];
  drawParents();
  show();
}

addEventListener('hashchange', follow);
document.documentElement.classList.remove('no-script');
follow();
fill();
document.documentElement.dataset.ready = 'yes';
