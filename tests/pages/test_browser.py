"""Opens pages in a real browser, without a display."""

import base64
import hashlib
import html.parser
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from structae.pages import comparison, report
from tests import finished_run

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
PHONE = (390, 844)
NARROW = 360  # of the narrowest phones

pytestmark = pytest.mark.skipif(
  BROWSER is None, reason=f'no browser is installed: none of {NAMES}'
)


@pytest.fixture
def browse(tmp_path):
  """Runs the browser on an address and returns what it prints."""

  def run(address, *options):
    command = [
      BROWSER,
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--hide-scrollbars',
      f'--user-data-dir={tmp_path / "profile"}',
      f'--window-size={PHONE[0]},{PHONE[1]}',
      *options,
      address,
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return Dom(done.stdout.decode())

  return run


class Dom(html.parser.HTMLParser):
  """The frames that are seen, as the browser left the page."""

  def __init__(self, text):
    super().__init__()
    self.root, self.seen, self.sliders = {}, [], {}
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    attrs = dict(attrs)
    if tag == 'html':
      self.root = attrs
    if tag == 'img' and 'alt' in attrs and 'hidden' not in attrs:
      self.seen.append(attrs['alt'])

  def starting(self, text):
    return [alt for alt in self.seen if alt.startswith(text)]


def add_script(path, script):
  """Adds a script to a page and to what its policy allows."""
  digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  text = path.read_text()
  text = text.replace('script-src', f"script-src 'sha256-{digest}'")
  text = text.replace('</body>', f'<script>{script}</script></body>')
  path.write_text(text)


def framed(path):
  """A page with `path` in frames as wide as phones, all details open.

  Browsers without a display have windows of 500 pixels or more. Each frame
  tells its width, by how much its content is wider, and by how much the table
  of scores of a run is.
  """
  add_script(
    path,
    'for (const e of document.querySelectorAll("details")) e.open = 1;'
    'const r = document.documentElement;'
    'const t = document.querySelector(".scores")?.parentElement;'
    'const cut = t ? t.scrollWidth - t.clientWidth : 0;'
    'parent.postMessage([innerWidth, r.scrollWidth - innerWidth, cut], "*");',
  )
  outside = path.with_name('framed.html')
  frames = ''.join(
    f'<iframe src="{path.name}" width="{width}" height="900"></iframe>'
    for width in (PHONE[0], NARROW)
  )
  outside.write_text(
    f'<html><body>{frames}<script>addEventListener("message", (e) => {{'
    'document.documentElement.dataset[`w${e.data[0]}`] = e.data; });</script>'
    '</body></html>'
  )
  return outside.as_uri()


def test_a_slider_changes_the_image_of_its_variable_alone(make_run, browse):
  address = report.write_report(make_run()).as_uri()
  before = browse(address, '--dump-dom')
  after = browse(f'{address}#u3=4', '--dump-dom')
  assert before.root['data-ready'] == after.root['data-ready'] == 'yes'
  assert before.starting('U₃') == ['U₃ at position 3 of 5']
  assert after.starting('U₃') == ['U₃ at position 5 of 5']
  for other in ('U₁', 'U₂', 'U₄'):
    assert before.starting(other) == after.starting(other)


def test_shuffling_shows_as_many_other_samples(make_run, browse):
  address = report.write_report(make_run()).as_uri()
  before = browse(address, '--dump-dom').starting('Hybrid sample ')
  after = browse(f'{address}#shuffle', '--dump-dom').starting('Hybrid sample ')
  assert len(before) == len(after) == 12
  assert set(before).isdisjoint(after)


def test_a_click_and_a_key_do_the_same(make_run, browse):
  path = report.write_report(make_run())
  add_script(
    path,
    'document.getElementById("shuffle").click();'
    'const s = document.getElementById("u2"); s.value = 0;'
    's.dispatchEvent(new Event("input"));',
  )
  dom = browse(path.as_uri(), '--dump-dom')
  assert dom.starting('U₂') == ['U₂ at position 1 of 5']
  assert 'Hybrid sample 1' not in dom.seen


LOOK = """
const look = (id) => document.getElementById(id).toDataURL();
const act = (id, change, type) => {
  change(document.getElementById(id));
  document.getElementById(id).dispatchEvent(new Event(type));
};
const tell = (name, fact) => { document.documentElement.dataset[name] = fact; };
"""


@pytest.fixture
def live(make_run):
  """The page of a run with a decoder, and a script added to it."""

  def write(script):
    folder = make_run()
    finished_run.add_decoder(folder)
    path = report.write_report(folder)
    add_script(path, f'{{ {LOOK} {script} }}')
    return path.as_uri()

  return write


def test_a_slider_and_a_tick_change_the_pixels(live, browse):
  address = live("""
    const before = look('result');
    tell('same', before === look('a') && before !== look('b'));
    act('u2', (s) => { s.value = s.max; }, 'change');
    const moved = look('result');
    tell('moved', moved !== before);
    act('b4', (t) => { t.checked = true; }, 'change');
    tell('mixed', look('result') !== moved);
    const tick = (t) => { t.checked = true; };
    for (const k of [1, 2, 3]) act(`b${k}`, tick, 'change');
    tell('whole', look('result') === look('b'));
    act('b2', (t) => { t.checked = false; }, 'change');
    tell('ticks', ticks.map((t) => t.checked));
    document.getElementById('back').click();
    tell('back', look('result') === before);
  """)
  root = browse(address, '--dump-dom').root
  told = {
    name: root[f'data-{name}']
    for name in ('same', 'moved', 'mixed', 'whole', 'back')
  }
  assert set(told.values()) == {'true'}, told
  assert root['data-ticks'] == 'true,false,true,true'


def test_a_link_holds_a_code_and_both_pictures(live, browse):
  address = live("""
    tell('link', document.getElementById('link').getAttribute('href'));
    tell('result', look('result') === look('a'));
  """)
  asked = '#code=0.5,-1,0,0.25&a=2&b=1'
  root = browse(address + asked, '--dump-dom').root
  assert root['data-link'] == asked and root['data-result'] == 'false'
  for unknown in ('#code=1,x,0,0&a=99&b=-1', '#part-2'):
    root = browse(address + unknown, '--dump-dom').root
    assert root['data-ready'] == 'yes' and root['data-result'] == 'true'


def test_hybrids_are_drawn_without_end_and_can_be_taken_apart(live, browse):
  address = live("""
    const hybrids = () => [...document.querySelectorAll('.hybrids canvas')]
      .map((canvas) => canvas.toDataURL());
    setTimeout(() => {
      const before = hybrids();
      document.querySelectorAll('.hybrids button')[3].click();
      tell('taken', look('result') === before[3]);
      document.getElementById('more').click();
      setTimeout(() => {
        const after = hybrids();
        tell('fresh', after.filter((x) => !before.includes(x)).length > 3);
        tell('pace', document.getElementById('pace').textContent);
      }, 1000);
    }, 1000);
  """)
  root = browse(address, '--dump-dom', '--virtual-time-budget=4000').root
  assert root['data-taken'] == root['data-fresh'] == 'true'
  assert root['data-pace'].startswith('This device decodes a picture in ')


def test_where_a_device_is_slow_pictures_wait_for_the_slider(live, browse):
  address = live("""
    const before = look('result');
    times.fill(200);
    act('u2', (s) => { s.value = s.max; }, 'input');
    tell('waits', look('result') === before);
    act('u2', () => {}, 'change');
    tell('drawn', look('result') !== before);
    tell('pace', document.getElementById('pace').textContent);
  """)
  root = browse(address, '--dump-dom').root
  assert root['data-waits'] == root['data-drawn'] == 'true'
  assert root['data-pace'].endswith('200 ms, drawn when a slider is let go.')


def test_no_script_runs_but_that_of_the_page(make_run, browse):
  path = report.write_report(make_run())
  mark = 'document.documentElement.dataset.foreign = 1'
  foreign = f'<script>{mark}</script><img src="data:," onerror="{mark}"></body>'
  path.write_text(path.read_text().replace('</body>', foreign))
  dom = browse(path.as_uri(), '--dump-dom')
  assert dom.root['data-ready'] == 'yes' and 'data-foreign' not in dom.root


def test_pages_fit_a_phone(make_run, browse):
  folders = [make_run(f'a-very-long-run-name-{i}', seed=i) for i in range(2)]
  wide = {f'a_long_name_of_score_{i}': 12345.678 for i in range(12)}
  folders.append(make_run('other', model='vae', scores=wide))
  one = report.write_report(folders[0])
  many = comparison.write_comparison(folders, one.with_name('comparison.html'))
  finished_run.add_decoder(folders[1])
  for path in (one, report.write_report(folders[1]), many):
    dom = browse(framed(path), '--dump-dom')
    for width in (PHONE[0], NARROW):
      assert dom.root[f'data-w{width}'] == f'{width},0,0'


@pytest.mark.parametrize('dark', [False, True])
def test_the_page_is_drawn_in_the_readers_colours(
  make_run, browse, tmp_path, dark
):
  picture = tmp_path / 'page.png'
  browse(
    report.write_report(make_run()).as_uri(),
    f'--blink-settings=preferredColorScheme={0 if dark else 1}',
    f'--screenshot={picture}',
  )
  with Image.open(picture) as image:
    pixels = np.asarray(image.convert('L'))
  assert pixels.shape == PHONE[::-1]
  ground = np.median(pixels[:40])
  assert ground < 50 if dark else ground > 220
  # Letters and sheets are there, neither blank nor all of it.
  drawn = np.mean(np.abs(pixels.astype(int) - ground) > 60)
  assert 0.05 < drawn < 0.8
