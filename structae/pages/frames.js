'use strict';

// Every slider chooses which of the frames beside it is seen.
const sliders = [...document.querySelectorAll('.frame input')];

function show(slider) {
  const frames = slider.closest('.frame').querySelectorAll('img');
  frames.forEach((frame, i) => { frame.hidden = i !== Number(slider.value); });
  const place = `${Number(slider.value) + 1} / ${frames.length}`;
  slider.closest('.frame').querySelector('output').textContent = place;
  slider.setAttribute('aria-valuetext', place);
}

function move(slider, value) {
  slider.value = value;
  show(slider);
}

for (const slider of sliders) {
  slider.addEventListener('input', () => { stop(); show(slider); });
}

// Play: all variables sweep to and fro together.
const play = document.getElementById('play');
let timer = null;
let tick = 0;

function stop() {
  clearInterval(timer);
  timer = null;
  play?.setAttribute('aria-pressed', 'false');
}

function sweep() {
  tick += 1;
  for (const slider of sliders) {
    const last = Number(slider.max);
    const phase = tick % (2 * last);
    move(slider, phase > last ? 2 * last - phase : phase);
  }
}

play?.addEventListener('click', () => {
  if (timer) { stop(); return; }
  tick = Number(sliders[0].value);
  timer = setInterval(sweep, 140);
  play.setAttribute('aria-pressed', 'true');
});

// Shuffle: other samples of the pool, those not yet seen first.
const pool = document.querySelector('.pool');

function shuffle() {
  const images = [...pool.children];
  const seen = images.filter((image) => !image.hidden);
  const fresh = images.filter((image) => image.hidden);
  for (let i = fresh.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [fresh[i], fresh[j]] = [fresh[j], fresh[i]];
  }
  const order = [...fresh, ...seen];
  order.forEach((image, i) => { image.hidden = i >= seen.length; });
  pool.append(...order);
}

document.getElementById('shuffle')?.addEventListener('click', shuffle);

// A link may say what to show: #u3=5 moves the slider of U3 to its frame 5,
// #u3=5&shuffle draws other samples as well.
function follow() {
  for (const part of location.hash.slice(1).split('&')) {
    const [name, value] = part.split('=');
    const slider = sliders.find((s) => s.id === name);
    if (slider) move(slider, value);
    if (name === 'shuffle' && pool) shuffle();
  }
}

addEventListener('hashchange', follow);
document.documentElement.classList.remove('no-script');
sliders.forEach(show);
follow();
document.documentElement.dataset.ready = 'yes';
