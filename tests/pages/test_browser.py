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

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
PHONE = (360, 780)

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
  """A page with `path` in a frame as wide as a phone, all details open.

  Browsers without a display have windows of 500 pixels or more. The frame tells
  its width and by how much its content is wider.
  """
  add_script(
    path,
    'for (const e of document.querySelectorAll("details")) e.open = 1;'
    'const r = document.documentElement;'
    'parent.postMessage([innerWidth, r.scrollWidth - innerWidth], "*");',
  )
  outside = path.with_name('framed.html')
  outside.write_text(
    f'<html><body><iframe src="{path.name}" width="{PHONE[0]}" height="900">'
    '</iframe><script>addEventListener("message", (e) => {'
    'document.documentElement.dataset.told = e.data; });</script></body></html>'
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
  for path in (one, many):
    dom = browse(framed(path), '--dump-dom')
    assert dom.root['data-told'] == f'{PHONE[0]},0'


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
