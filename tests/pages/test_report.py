import base64
import html.parser
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from structae.figures import grids
from structae.pages import embedding, interactive, report

VOID = {'meta', 'img', 'input', 'br', 'wbr'}
HOSTILE = '</script><script>alert(1)</script>"\'><img src=x onerror=alert(1)>'


class Page(html.parser.HTMLParser):
  """Elements with their attributes; fails where tags do not match."""

  def __init__(self, text):
    super().__init__()
    self.open, self.elements, self.text = [], [], ''
    self.feed(text)
    self.close()
    assert self.open == []

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text += data

  def all(self, tag):
    return [attrs for name, attrs in self.elements if name == tag]


def read(folder):
  return Page(report.write_report(folder).read_text('utf-8'))


def data_uri(path):
  content = base64.b64encode(path.read_bytes()).decode()
  return f'data:image/png;base64,{content}'


def test_the_page_holds_every_sheet_frame_score_and_plot(make_run):
  folder = make_run()
  page = read(folder)
  sources = [image['src'] for image in page.all('img')]
  for path in (folder / 'figures').glob('*.png'):
    assert sources.count(data_uri(path)) == 1
  with np.load(folder / 'samples.npz') as frames:
    expected = [*frames['traversal'].reshape(-1, 8, 8, 3), *frames['hybrid']]
  for frame in expected:
    uri = embedding.embed_frames(frame[None], 10**6)[0]
    assert uri in sources
  assert len(sources) == 4 + len(expected)
  for part in ('SAE-4 on shapes', '107.5', '0.2500', 'What mig is.'):
    assert part in page.text
  assert len(page.all('svg')) == 2  # the loss curve and the matrix


def test_scores_stand_in_groups_with_what_helps_to_read_them(make_run):
  scores = {'test_mse': 0.5, 'mig': 0.25, 'probe_distance': 0.75, 'mine': 1.5}
  text = report.write_report(make_run(scores=scores)).read_text()
  table = re.search(r'<table class="scores">.*?</table>', text, re.DOTALL)[0]
  rows = [
    [re.sub(r'<p>.*?</p>|<[^>]*>', '', cell) for cell in cells]
    for row in table.split('</tr>')
    if (cells := re.findall(r'<t[hd][^e].*?</t[hd]>', row))
  ]
  assert rows == [
    ['score', 'value', 'chance', 'range'],
    ['Is a factor in one number?'],
    ['MIG', '0.2500 ↑', '', '0 to 1'],
    ['Can it be read?'],
    ['Probe distance', '0.7500 ↑', '', '0 to 1'],
    ['Pictures'],
    ['Test MSE', '0.5000 ↓', '', '0 or more'],
    ['Other scores'],
    ['Mine', '1.500 ', '', ''],
  ]


def decode(uri):
  content = base64.b64decode(uri.partition(',')[2])
  return np.asarray(Image.open(io.BytesIO(content)))


def test_frames_are_lossless_where_there_is_room_and_coarser_elsewhere():
  frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
  ample = embedding.embed_frames(frames, 10**6)
  np.testing.assert_array_equal([decode(uri) for uri in ample], frames)
  budget = sum(map(len, ample)) // 2
  tight = embedding.embed_frames(frames, budget)
  assert 0 < sum(map(len, tight)) <= budget
  assert [decode(uri).shape for uri in tight] == [(32, 32, 3)] * 3
  assert embedding.embed_frames(frames, 100) == []


def test_frames_beyond_the_budget_are_fewer_then_smaller():
  rng = np.random.default_rng(0)
  frames = rng.integers(0, 256, (3, 4, 32, 32, 3), np.uint8)
  thin = lambda x: x[:, ::2]
  for budget, shape in ((10_000, (3, 2, 32, 32, 3)), (2500, (3, 1, 16, 16, 3))):
    kept, uris = interactive._embed(frames, budget, thin)
    assert kept.shape == shape and len(uris) == shape[0] * shape[1]
    assert sum(map(len, uris)) <= budget


def test_the_page_loads_nothing_from_outside(make_run):
  folder = make_run()
  page = read(folder)
  for _, attrs in page.elements:
    for name in ('src', 'href', 'srcset', 'action', 'poster', 'data'):
      value = attrs.get(name) or 'data:'
      assert value.startswith(('data:', '#'))
  text = (folder / 'report.html').read_text()
  assert '://' not in text and '@import' not in text
  assert re.findall(r'url\((?!#)', text) == []
  policy = next(m for m in page.all('meta') if 'http-equiv' in m)
  assert policy['content'].startswith("default-src 'none'")


def test_every_image_has_an_alternative_text_and_every_slider_a_label(make_run):
  page = read(make_run())
  assert all(image['alt'] for image in page.all('img'))
  assert all(plot['aria-label'] for plot in page.all('svg'))
  sliders = [x for x in page.all('input') if x['type'] == 'range']
  assert [slider['id'] for slider in sliders] == ['u1', 'u2', 'u3', 'u4']
  assert len(page.all('label')) == len(sliders)
  assert any(m.get('name') == 'viewport' for m in page.all('meta'))
  assert page.all('html')[0]['lang'] == 'en'


def test_without_a_script_one_frame_of_each_variable_is_seen(make_run):
  page = read(make_run())
  shown = [x['alt'] for x in page.all('img') if 'hidden' not in x]
  frames = [alt for alt in shown if 'position' in alt]
  assert frames == [f'U{k} at position 3 of 5' for k in '₁₂₃₄']
  assert len([alt for alt in shown if alt.startswith('Hybrid sample ')]) == 12


def test_an_order_is_claimed_of_decoders_that_have_one(make_run):
  said = {
    decoder: 'reads them in this order'
    in read(make_run(decoder, config={'model': {'decoder': decoder}})).text
    for decoder in ('structural', 'ladder', 'adaptive', 'hourglass')
  }
  assert [*said.values()] == [True, True, False, False]


def test_settings_may_stand_at_the_top_of_the_configuration(make_run):
  folder = make_run()
  nested = read(folder).text
  content = json.loads((folder / 'config.json').read_text())
  flat = {'name': content['name'], **content['config']}
  flat['versions'] = content['versions']
  (folder / 'config.json').write_text(json.dumps(flat))
  assert read(folder).text == nested


def test_dimensions_of_a_variable_stand_together(make_run):
  page = read(make_run(num_variables=2))
  ids = [x['id'] for x in page.all('input')]
  assert ids == ['u1.1', 'u1.2', 'u2.1', 'u2.2']
  assert len(page.all('fieldset')) == 2


def test_nothing_in_the_files_becomes_markup(make_run):
  folder = make_run(
    model=HOSTILE,
    config={HOSTILE: {'x': HOSTILE}, 'scale': HOSTILE},
    scores={HOSTILE: 1.0, '$x': 2.0},
  )
  scores = json.loads((folder / 'scores.json').read_text())
  scores['matrices'] = {
    HOSTILE: {'values': [[1.0]], 'rows': [HOSTILE], 'columns': [r'$\frac$']}
  }
  (folder / 'scores.json').write_text(json.dumps(scores))
  frames = dict(np.load(folder / 'samples.npz'))
  frames['labels'] = np.array([HOSTILE])
  np.savez(folder / 'samples.npz', **frames)
  page = read(folder)
  assert len(page.all('script')) == 1
  assert all(image['src'].startswith('data:') for image in page.all('img'))
  assert not any('onerror' in attrs for _, attrs in page.elements)
  assert HOSTILE.lower() in page.text.lower()


def test_a_page_of_large_images_still_weighs_five_megabytes_at_most(make_run):
  folder = make_run()
  rng = np.random.default_rng(1)
  noise = rng.integers(0, 256, (32, 6, 64, 64, 3), np.uint8)
  frames = {'traversal': noise, 'hybrid': noise.reshape(-1, 64, 64, 3)}
  np.savez(folder / 'samples.npz', **frames)
  sheet = rng.integers(0, 256, (900, 900, 3), np.uint8)
  for i in range(3):
    grids.save_png(folder / 'figures' / f'noise_{i}.png', sheet)
  path = report.write_report(folder)
  assert path.stat().st_size <= 5_000_000
  page = Page(path.read_text())
  assert len([x for x in page.all('input')]) == 32  # every dimension is kept
  alts = {image['alt'] for image in page.all('img')}
  assert {f'Noise {i}' for i in range(3)} <= alts


def test_the_configuration_alone_makes_a_page(make_run):
  folder = make_run()
  for path in [*folder.glob('figures/*'), *folder.glob('[ms]*.[jn]*')]:
    path.unlink()
  page = read(folder)
  assert page.all('img') == page.all('input') == page.all('button') == []
  assert 'data.name' in page.text


def test_grey_frames_are_shown(make_run):
  folder = make_run()
  grey = np.arange(4 * 3 * 16, dtype=np.uint8).reshape(4, 3, 4, 4, 1)
  np.savez(folder / 'samples.npz', traversal=grey)
  images = read(folder).all('img')
  shown = [decode(x['src']) for x in images if 'position' in x['alt']]
  np.testing.assert_array_equal(shown, grey.reshape(-1, 4, 4))


def test_a_page_is_the_same_every_time(make_run):
  folder = make_run()
  first = report.write_report(folder).read_bytes()
  assert report.write_report(folder).read_bytes() == first


@pytest.mark.parametrize(
  'name, content, told',
  [
    ('config.json', '{', 'JSON'),
    ('config.json', '[1]', 'object'),
    ('scores.json', '{"scores": {"mig": "high"}}', 'mig'),
    ('scores.json', '{"scores": {"mig": {"value": "high"}}}', 'mig'),
    ('scores.json', '{"scores": [1]}', 'scores'),
    ('scores.json', '{"matrices": {"m": {"values": [[1]]}}}', 'rows'),
    ('scores.json', '{"matrices": [1]}', 'matrices'),
    ('scores.json', '{"scores": {"b": {"value": 1, "floor": "x"}}}', 'floor'),
    ('metrics.jsonl', '{"step": 1}\n{"loss": 2}', 'line 2'),
    ('metrics.jsonl', '{"step": 1}\n{"st\n', 'line 2'),
    ('metrics.jsonl', '{"step": 1}\n\n{"step": 2}\n', 'line 2'),
    ('samples.npz', 'no archive', 'samples.npz'),
    ('figures/hybrid.png', 'no image', 'hybrid.png'),
  ],
)
def test_a_broken_file_is_one_clear_line(make_run, name, content, told):
  folder = make_run()
  (folder / name).write_text(content)
  with pytest.raises(ValueError, match=told) as error:
    report.write_report(folder)
  assert '\n' not in str(error.value)
  assert str(folder / name.split('/')[0]) in str(error.value)
  assert not (folder / 'report.html').exists()


@pytest.mark.parametrize(
  'frames',
  [
    {'traversal': np.zeros((4, 5, 8, 8, 3))},
    {'hybrid': np.zeros((4, 8, 8), np.uint8)},
    {'traversal': np.zeros((4, 5, 8, 8, 3), np.uint8), 'labels': ['a'] * 3},
    {'hybrid': np.array([{}], object)},
  ],
)
def test_frames_of_another_kind_are_refused(make_run, frames):
  folder = make_run()
  np.savez(folder / 'samples.npz', **frames)
  with pytest.raises(ValueError, match=r'samples\.npz'):
    report.write_report(folder)


def test_a_folder_without_a_run_is_refused(tmp_path):
  with pytest.raises(ValueError, match='no folder of a run'):
    report.write_report(tmp_path)


def test_the_curves_leave_out_what_is_not_validated(make_run):
  folder = make_run('a')
  row = {'loss': 900.5, 'kl': 800.25, 'reconstruction': 100.25}
  rows = [{'step': t, **row, 'validation_loss': 101.5} for t in (1, 2)]
  (folder / 'metrics.jsonl').write_text('\n'.join(map(json.dumps, rows)))
  text = read(folder).text
  assert 'train 100.2' in text and 'validation 101.5' in text
  assert '900.5' not in text
