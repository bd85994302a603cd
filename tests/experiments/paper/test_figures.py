"""The figures of the paper, on made-up runs."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from experiments.paper import figures as paper
from experiments.paper.figures import published
from structae.figures import canvas, grids, models
from structae.pages import seeds
from structae.run import Run, read_run

SIDE = 8
SYNTH = {'name': 'shapes3d_synth', 'size': 64}
REAL = {'name': 'shapes3d', 'size': 64}
PUBLISHED = {'points': 'full', 'n': 10_000}  # the points of published scores


@pytest.fixture
def make(tmp_path):
  """`make(model, seed, data, scores=..., ...)` writes and reads a run."""

  def make(
    model='sae4', seed=0, data=SYNTH, *, scores=None, images=False, **more
  ):
    name = f'{model}-{data["name"]}-{seed}-{len(list(tmp_path.iterdir()))}'
    run = Run(tmp_path / name)
    run.folder.mkdir()
    usual = {'scale': 'paper', 'seed': seed, 'data': data}
    config = {**usual, **more.get('config', {})}
    text = json.dumps({'name': model, 'config': config})
    (run.folder / 'config.json').write_text(text)
    beside = more.get('entry', {})
    entries = {k: {'value': v, **beside} for k, v in (scores or {}).items()}
    if 'floor' in more:
      entries['test_bce']['floor'] = more['floor']
    content = {'scores': entries, 'matrices': more.get('matrices', {})}
    content['details'] = more.get('details', {})
    run.save_scores(content)
    if images:
      run.save_samples(samples(seed, more.get('prior', False)))
    return read_run(run.folder)

  return make


def samples(seed, prior):
  """Images of noise, which differ by seed and kind."""
  rng = np.random.default_rng(seed)
  drawn = lambda *shape: rng.integers(0, 250, (*shape, SIDE, SIDE, 3), np.uint8)
  return {
    'images': drawn(24),
    'reconstructions': drawn(24),
    'hybrid': drawn(48),
    'partial_hybrid': drawn(2, 8),
    'traversal': drawn(4, 11),
    'labels': np.array(['U1', 'U2']),
    **({'prior': drawn(48)} if prior else {}),
  }


def rows(markdown):
  """The cells of a Markdown table by the first of each line."""
  lines = [line for line in markdown.splitlines() if line.startswith('|')]
  found = [[c.strip() for c in line.strip('|').split('|')] for line in lines]
  return {line[0]: line[1:] for line in found}


def drawn(figure, marker):
  """The abscissas of all marks of a kind."""
  lines = [x for axes in figure.axes for x in axes.lines]
  marks = [x.get_xdata() for x in lines if x.get_marker() == marker]
  return np.concatenate(marks).astype(float) if marks else np.empty(0)


def test_groups_are_by_data_and_in_order(make):
  runs = [make('vae'), make('sae12', 1), make('sae12', 0), make('ae', 0, REAL)]
  data = seeds.by_data(runs)
  names = {title: [g.name for g in some] for title, some in data.items()}
  assert names == {
    'shapes3d_synth, 64 × 64': ['SAE-12', 'VAE'],
    'shapes3d, 64 × 64': ['AE'],
  }
  first = data['shapes3d_synth, 64 × 64'][0]
  assert [run.field('seed') for run in first.runs] == [0, 1]


# What was published.


def test_published_values_stand_beside_alike_runs_alone(make):
  def of(score='disentanglement', entry=PUBLISHED, data=REAL, **config):
    scores = {score: 0.5}
    run = make('sae12', data=data, scores=scores, entry=entry, config=config)
    return published.of_run(run, score)

  assert of() == published.Value(0.974, 0.049)
  for data in [SYNTH, {**REAL, 'size': 32}, {'name': 'mine', 'size': 64}]:
    assert of(data=data) is None
  for scale in ('quick', None):
    assert of(scale=scale) is None
  for entry in [{}, {'n': 336_000, 'points': 'split'}, {**PUBLISHED, 'n': 9}]:
    assert of(entry=entry) is None
  assert of('fid_hybrid', {'n': 50_000}) == published.Value(31.5, 7.1)
  assert of('fid_hybrid', {'n': 5_000}) is None


def test_published_values_are_of_the_same_weight_of_the_loss(make):
  def of_beta(model, beta):
    config = {'objective': {'beta': beta}}
    made = dict(data=REAL, scores={'mig': 0.4}, entry=PUBLISHED, config=config)
    return published.of_run(make(model, **made), 'mig')

  assert of_beta('bvae', 2.0) == published.Value(0.127, 0.052)
  assert of_beta('bvae', 4.0) is None
  # A loss without a beta has the field too, and it says nothing.
  assert of_beta('sae12', 7.0) == published.Value(0.530, 0.092)


@pytest.mark.parametrize(
  'model, wrong',
  [
    ('SAE-12', 'released widths'),
    ('β-VAE', 'released widths, defective KL'),
    ('VLAE-6', 'released widths, defective KL'),
    ('WAE', 'released widths, defective MMD'),
  ],
)
def test_what_is_wrong_with_a_published_value_is_said_at_it(model, wrong):
  assert published.label(model) == f'{model}, published ({wrong})'


def test_the_number_of_codes_stands_beside_their_scores(make):
  entry = {**PUBLISHED, 'n_test': 5_000}
  scores = {'disentanglement': 0.5, 'mig': 0.4}
  found = paper.disentanglement([make(scores=scores, entry=entry)])
  table = rows(found['disentanglement'])
  assert table['model'][:2] == ['seeds', 'codes']
  assert table['SAE-4'][1] == '10,000 + 5,000'
  (figure,) = [x for x in found.values() if isinstance(x, Figure)]
  titles = {axes.get_title(loc='left') for axes in figure.axes}
  assert 'DCI-d, N = 10,000 + 5,000' in titles


def test_five_seeds_come_before_one():
  value = published.of_model('shapes3d', 'SAE-12', 'fid_hybrid')
  assert value == published.Value(31.5, 7.1)
  value = published.of_model('shapes3d', 'SAE-3', 'fid_hybrid')
  assert value == published.Value(22.2)


def test_published_tables_are_whole():
  for data, some in published.TABLES.items():
    for table in some:
      for score, values in published.read(table).items():
        assert values, (data, score)
        for model, (mean, deviation) in values.items():
          assert models.rank(model)[0] < len(models.FAMILIES), model
          bound = 1 if not score.startswith(('fid', 'test')) else 1e4
          assert 0 < mean <= bound and (deviation is None or deviation < mean)


@pytest.mark.parametrize('data, count', [(REAL, 2), (SYNTH, 0)])
def test_diamonds_are_drawn_on_the_authors_data_only(make, data, count):
  made = dict(data=data, scores={'mig': 0.4}, entry=PUBLISHED)
  runs = [make(model, **made) for model in ('sae12', 'vae')]
  figure = paper.disentanglement(runs)[f'disentanglement-{data["name"]}-64']
  assert len(drawn(figure, 'D')) == count


def test_the_published_cross_entropy_is_drawn_above_our_floor(make):
  run = make('sae12', data=REAL, scores={'test_bce': 3465.0}, floor=3455.0)
  figure = paper.reconstruction_quality([run])['reconstruction_quality']
  np.testing.assert_allclose(drawn(figure, 'o'), [10.0])
  np.testing.assert_allclose(drawn(figure, 'D'), [3459.4 - 3455.0])


# Scores over seeds.


def test_tables_have_the_mean_and_the_deviation_of_numpy(make):
  values = {'sae12': [0.71, 0.64, 0.9], 'vae': [0.2, 0.1, 0.15], 'ae': [0.05]}
  runs = [
    make(model, seed, scores={'mig': value, 'irs': 0.5})
    if model != 'ae'
    else make(model, seed, scores={'irs': value})
    for model, some in values.items()
    for seed, value in enumerate(some)
  ]
  table = rows(paper.disentanglement(runs)['disentanglement'])
  assert table['model'] == ['seeds', 'IRS', 'MIG']
  mean, deviation = np.mean(values['sae12']), np.std(values['sae12'], ddof=1)
  # Better than the VAE of each of three seeds.
  text = f'**{mean:.3f} ± {deviation:.3f} [0.640, 0.900]**'
  assert table['SAE-12'] == ['3', '0.500 ± 0.000 [0.500, 0.500]', text]
  assert table['AE'] == ['1', '0.050', '–']


def test_every_seed_and_its_mean_are_drawn(make):
  values = [0.2, 0.5, 0.65]
  runs = [make(seed=s, scores={'mig': v}) for s, v in enumerate(values)]
  figure = paper.disentanglement(runs)['disentanglement-shapes3d_synth-64']
  np.testing.assert_allclose(np.sort(drawn(figure, 'o')), values)
  np.testing.assert_allclose(drawn(figure, '|'), [np.mean(values)])


def test_crosses_are_seeds_and_the_circle_is_their_mean(make):
  points = np.array([[3.0, 0.01], [5.0, 0.02], [4.0, 0.06]])
  runs = [
    make(
      seed=i,
      scores={'test_bce': 100 + x, 'scene_distance_reconstruction': y},
      floor=100.0,
    )
    for i, (x, y) in enumerate(points)
  ]
  figure = paper.bce_against_fid(runs)['bce_against_fid']
  (axes,) = figure.axes
  marks = {line.get_marker(): line.get_xydata() for line in axes.lines}
  np.testing.assert_allclose(marks['x'], points)
  np.testing.assert_allclose(marks['o'], points.mean(0, keepdims=True))
  assert 'nearest scene' in axes.get_ylabel()
  assert 'above its floor' in axes.get_xlabel()


def test_without_a_floor_the_whole_cross_entropy_is_drawn(make):
  runs = [
    make('ae', scores={'test_bce': 101.0}, floor=90.0),
    make('vae', scores={'test_bce': 107.0}),
  ]
  figure = paper.reconstruction_quality(runs)['reconstruction_quality']
  np.testing.assert_allclose(np.sort(drawn(figure, 'o')), [101.0, 107.0])
  assert figure.axes[0].get_xlabel() == 'cross entropy, nats per image'


def test_models_that_lack_a_score_are_named(make):
  runs = [
    make('ae', scores={'test_bce': 101.0, 'fid_rec': 20.0}),
    make('vae', scores={'test_mse': 0.1}),
  ]
  for name in ('reconstruction_quality', 'bce_against_fid'):
    (figure,) = getattr(paper, name)(runs).values()
    assert figure.get_supxlabel().endswith(': VAE.')


@pytest.mark.parametrize('has_fid', [True, False])
def test_samples_are_judged_by_fid_or_else_by_the_scenes(make, has_fid):
  scores = {'scene_distance_hybrid': 0.01, 'scene_distance_prior': 0.02}
  if has_fid:
    scores |= {'fid_hybrid': 30.0, 'fid_hybrid_by_dimension': 40.0}
  figure = paper.sample_quality([make(scores=scores)])['sample_quality']
  expected = 'FID' if has_fid else 'nearest scene'
  assert expected in figure.axes[0].get_xlabel()
  labels = [text.get_text() for text in figure.legends[0].texts]
  second = 'hybrid of single numbers' if has_fid else 'prior'
  assert labels == ['hybrid', second]


# Variables.


def with_effects(make, model, seed, effects):
  matrix = {
    'values': [[x] for x in effects],
    'rows': [f'U_{k}' for k in range(len(effects))],
    'columns': ['effect'],
  }
  return make(
    model,
    seed,
    matrices={'variable_effect': matrix},
    details={'variable_effect': {'threshold': 0.01}},
    scores={'used_variables': int((np.array(effects) >= 0.01).sum())},
  )


def test_bars_are_mean_effects_in_decoder_order_and_weak_ones_pale(make):
  effects = [[0.5, 0.001, 0.2], [0.3, 0.003, 0.4]]
  runs = [with_effects(make, 'sae3', i, e) for i, e in enumerate(effects)]
  figures = paper.unused_variables([*runs, make('vae')])
  figure = figures['unused_variables-shapes3d_synth-64']
  bars = figure.axes[0].patches
  heights = [bar.get_height() for bar in bars]
  np.testing.assert_allclose(heights, np.mean(effects, axis=0))
  assert bars[1].get_alpha() < bars[0].get_alpha() == bars[2].get_alpha()
  assert '2 of 3 used' in figure.axes[0].get_title('left')
  assert 'VAE' in figure.get_supxlabel()


# Sheets.


def top(sheet, part):
  """The first row in which a sheet shows a smaller one, or -1."""
  windows = np.lib.stride_tricks.sliding_window_view(sheet, part.shape)
  corners = (windows[:, :, 0, 0, 0] == part[0, 0]).all(-1)
  found = (y for y, x in np.argwhere(corners)
           if np.array_equal(windows[y, x, 0], part))  # fmt: skip
  return next(found, -1)


def holds(sheet, part):
  return top(sheet, part) >= 0


def test_traversals_keep_the_rows_and_the_marks_of_groups(make):
  run = make('sae2', images=True)
  sheet = paper.traversals([run, make('vae', images=True)])[
    'traversals-shapes3d_synth-64'
  ]
  frames = run.samples['traversal'][:, [0, 2, 4, 6, 8, 10]]
  marked = grids.traversal_sheet(frames, ['U1', 'U2'], scale=64 // SIDE)
  assert holds(sheet, marked)
  # Of two rows each a variable, the bar spans both.
  column = (marked[:, : -6 * 64 - 5 * grids.GAP] < 60).all(-1)
  assert column[: 2 * 64 + grids.GAP].all(0).any()


def test_partial_hybrids_stand_beside_each_other(make):
  runs = [make('sae4', images=True), make('vae', 1, images=True)]
  sheet = paper.controllable(runs)['controllable-shapes3d_synth-64']
  for run in runs:
    for row in run.samples['partial_hybrid']:
      assert holds(sheet, grids.grid(row, 8))


def test_hybrids_stand_beside_the_prior_or_a_word(make):
  runs = [make('sae4', images=True), make('vae', 1, images=True, prior=True)]
  sheet = paper.sample_sheets(runs)['sample_sheets-shapes3d_synth-64']
  left, right = np.split(sheet, [sheet.shape[1] // 2], 1)
  for run in runs:
    assert holds(left, grids.grid(run.samples['hybrid'][:24], 8))
  assert holds(right, grids.grid(runs[1].samples['prior'][:24], 8))
  assert (right[: len(sheet) // 2] < 100).all(-1).any()  # "no prior"


def test_families_are_a_table_and_a_picture_in_one_order(make):
  scores = {'test_mse': 0.01, 'test_bce_above_floor': 3.0}
  config = {'train': {'learning_rate': 0.0015}}
  runs = [
    make(m, i, scores=scores, images=True, config=config)
    for i, m in enumerate(('vae', 'sae4'))
  ]
  found = paper.families(runs)
  table = rows(found['families'])
  assert list(table) == ['model', '---', 'SAE-4', 'VAE']
  assert table['SAE-4'][:2] == ['1', '0.0015']
  picture = found['families-shapes3d_synth-64']
  places = []
  for run in runs[::-1]:
    pairs = [run.samples[name][:5] for name in ('images', 'reconstructions')]
    for images in (np.concatenate(pairs), run.samples['hybrid'][:10]):
      places.append(top(picture, grids.grid(images, 5)))
  assert 0 < places[0] == places[1] < places[2] == places[3]


# Extrapolation.


def result(model, seed, error, **more):
  errors = {'none': error, 'decoder': error / 10}
  return {
    'model': model, 'seed': seed, 'hold_out': 'shape', 'mse': errors, **more
  }  # fmt: skip


def test_extrapolation_is_the_mean_error_times_1000(make):
  errors = [0.011, 0.014, 0.020]
  results = [result('sae12', i, e) for i, e in enumerate(errors)]
  found = paper.extrapolation([*results, result('ae', 0, 0.1)])
  table = rows(found['extrapolation'])
  mean, deviation = 1000 * np.mean(errors), 1000 * np.std(errors, ddof=1)
  assert table['model'] == ['seeds', 'none', 'decoder']
  # One seed of the other is too few to call this better.
  text = f'{mean:.2f} ± {deviation:.2f} [11.00, 20.00]'
  assert table['SAE-12'][1] == text
  more = [result('ae', i, 2 * e) for i, e in enumerate(errors)]
  best = rows(paper.extrapolation([*results, *more])['extrapolation'])
  assert best['SAE-12'][1] == f'**{text}**' and '*' not in best['AE'][1]
  bars = found['extrapolation-shape'].axes[0].patches
  np.testing.assert_allclose(bars[0].get_height(), mean)


def test_extrapolation_shows_images_and_errors_on_familiar_ones():
  rng = np.random.default_rng(0)
  pictures = {
    name: rng.integers(0, 256, (6, 8, 8, 3), np.uint8)
    for name in ('input', 'none', 'decoder')
  }
  familiar = {'none': 0.002, 'decoder': 0.003}
  results = [
    result(model, seed, 0.011, mse_familiar=familiar, pictures=pictures)
    for model in ('ae', 'sae12')
    for seed in range(2)
  ]
  found = paper.extrapolation(results)
  table = rows(found['extrapolation'])
  assert table['SAE-12, familiar'] == ['', '2.00 ± 0.00', '3.00 ± 0.00']
  sheet = found['extrapolation_images-shape']
  # Two models beside each other, a row for each kind of image.
  places = [np.flatnonzero((sheet == grids.grid(x[:1], scale=4)[0, 0]).all(-1))
            for x in pictures.values()]  # fmt: skip
  assert all(place.size for place in places)


def test_published_errors_stand_beside_alike_models_alone():
  settings = {'data.size': 64, 'objective.beta': 4.0}
  alike = {'data': 'shapes3d', 'scale': 'paper', 'settings': settings}

  def shows(number, model='sae12', **changes):
    one = result(model, 0, 0.011, **alike) | changes
    return number in paper.extrapolation([one])['extrapolation']

  assert shows('13.21')
  assert not shows('13.21', data='shapes3d_synth')
  assert not shows('13.21', hold_out='camera')
  assert not shows('13.21', scale='quick')
  assert not shows('13.21', settings={'data.size': 32})
  assert not shows('13.21', settings={})
  assert shows('15.49', 'bvae')
  assert not shows('15.49', 'bvae', settings={**settings, 'objective.beta': 2})


# What is not there.


@pytest.mark.parametrize(
  'figure', [name for name in paper.__all__ if name != 'extrapolation']
)
def test_what_no_run_has_is_named_with_the_command_that_makes_it(make, figure):
  with pytest.raises(ValueError, match='this makes it: structae ') as error:
    getattr(paper, figure)([make(scores={'unheard_of': 1.0})])
  assert '\n' not in str(error.value) and figure in str(error.value)
  with pytest.raises(ValueError):
    getattr(paper, figure)([])


def test_results_that_are_none_are_refused():
  with pytest.raises(ValueError, match='experiments.paper.extrapolate'):
    paper.extrapolation([])
  with pytest.raises(ValueError, match='expected model'):
    paper.extrapolation([{'seed': 0}])


def test_mpi3d_toy_takes_the_runs_on_it_alone(make):
  toy = {'name': 'mpi3d_toy', 'size': 64}
  scores = {'disentanglement': 0.5, 'completeness': 0.25}
  made = dict(scores=scores, entry=PUBLISHED)
  runs = [make('ae', data=toy, **made), make('vae', **made)]
  table = rows(paper.mpi3d_toy(runs)['mpi3d_toy'])
  assert table['AE'] == ['1', '10,000', '0.500', '0.250']
  known = table['*AE, published (released widths)*']
  assert known == ['', '', '0.191', '0.173']
  assert 'VAE' not in table


def test_every_plot_can_be_drawn(make, tmp_path):
  scores = {'test_bce': 3465.0, 'fid_rec': 20.0, 'fid_hybrid': 30.0, 'mig': 0.3}
  runs = [
    make(m, s, REAL, scores=scores, floor=3455.0)
    for m in ('sae12', 'vae')
    for s in range(2)
  ]
  for name in ('reconstruction_quality', 'sample_quality', 'bce_against_fid'):
    (figure,) = getattr(paper, name)(runs).values()
    assert isinstance(figure, Figure)
    path = tmp_path / f'{name}.png'
    canvas.save_figure(path, figure)
    with Image.open(path) as picture:
      assert np.ptp(np.asarray(picture)) > 200  # ink on white
