import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image

from structae.figures import canvas, plots, score_plots

STEPS = np.arange(1, 101)


def lines(figure):
  return figure.axes[0].get_lines()


def test_a_floor_is_taken_off_and_the_axis_is_logarithmic():
  losses = 3455 + 900 / STEPS
  figure = plots.loss_curve({'train': (STEPS, losses)}, floor=3455)
  (line,) = lines(figure)
  np.testing.assert_allclose(line.get_ydata(), 900 / STEPS, rtol=1e-9)
  assert figure.axes[0].get_yscale() == 'log'
  assert '3,455' in figure.axes[0].get_ylabel()


def test_without_a_floor_the_axis_shows_the_late_losses():
  losses = 3455 + 1e5 * np.exp(-STEPS)
  figure = plots.loss_curve({'train': (STEPS, losses)})
  low, high = figure.axes[0].get_ylim()
  late = losses[STEPS >= 20]
  assert low < late.min() and late.max() < high < losses[0]


def test_single_losses_below_the_floor_leave_the_axis_logarithmic():
  losses = np.where(STEPS == 50, 9.0, 12.0)
  figure = plots.loss_curve({'train': (STEPS, losses)}, floor=10)
  assert figure.axes[0].get_yscale() == 'log'
  figure = plots.loss_curve({'train': (STEPS, losses - 5)}, floor=10)
  assert figure.axes[0].get_yscale() == 'linear'


def test_runs_of_a_group_share_colour_and_legend_entry():
  curves = {name: (STEPS, 5 + 1 / STEPS) for name in 'abc'}
  figure = plots.loss_curve(curves, groups=['x', 'x', 'y'])
  a, b, c = (line.get_color() for line in lines(figure))
  assert a == b != c
  texts = figure.axes[0].get_legend().get_texts()
  assert [text.get_text() for text in texts] == ['x', 'y']


def test_long_curves_are_thinned_with_their_ends():
  steps = np.arange(10_000)
  (line,) = lines(plots.loss_curve({'train': (steps, 1.0 + steps)}))
  assert len(line.get_xdata()) <= 500
  assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, 9_999)


def test_losses_that_are_not_finite_are_left_out_and_none_is_an_error():
  losses = np.where(STEPS == 3, np.nan, 1.0 * STEPS)
  (line,) = lines(plots.loss_curve({'train': (STEPS, losses)}))
  assert len(line.get_xdata()) == 99
  with pytest.raises(ValueError, match='no finite loss'):
    plots.loss_curve({'train': ([1], [np.nan])})


def test_a_matrix_is_drawn_row_by_row_from_the_top():
  values = np.arange(6).reshape(3, 2) / 5
  figure = plots.matrix(values, ['a', 'b', 'c'], ['x', 'y'])
  axes = figure.axes[0]
  (mesh,) = axes.collections
  np.testing.assert_array_equal(mesh.get_array().reshape(3, 2), values)
  assert axes.yaxis_inverted()
  assert [t.get_text() for t in axes.get_yticklabels()] == ['a', 'b', 'c']
  numbers = {text.xy: text.get_text() for text in axes.texts}
  assert numbers[(1.5, 2.5)] == '1.00' and (0.5, 0.5) not in numbers


def test_numbers_of_a_matrix_are_as_fine_as_they_are_large():
  for values, shown in (
    ([[1347, 0]], ['1,347']),  # counts
    ([[0.0033, 0.0]], ['0.0033']),
    ([[1.25, 0.001]], ['1.25']),
  ):
    axes = plots.matrix(values, ['U_1'], ['x', 'U_2.1']).axes[0]
    assert [text.get_text() for text in axes.texts] == shown
    assert axes.get_yticklabels()[0].get_text() == 'U₁'
    assert axes.get_xticklabels()[1].get_text() == 'U₂, 1'


def test_a_matrix_needs_a_name_for_every_row_and_column():
  with pytest.raises(ValueError, match='names'):
    plots.matrix(np.zeros((3, 2)), ['a', 'b'], ['x', 'y'])


def test_strips_show_every_seed_the_mean_and_its_interval():
  scores = {'SAE': [0.1, 0.2, 0.6], 'VAE': [0.4]}
  figure = score_plots.strips(scores, published={'SAE': 0.5, 'other': 1.0})
  span, mean, dots, alone, published = lines(figure)
  np.testing.assert_allclose(dots.get_xdata(), scores['SAE'])
  np.testing.assert_allclose(mean.get_xdata(), [0.3])
  np.testing.assert_allclose(span.get_xdata(), [0.1, 0.6])
  np.testing.assert_allclose(alone.get_xydata(), [[0.4, 1]])
  np.testing.assert_allclose(published.get_xydata(), [[0.5, 0]])


def test_bars_are_as_long_as_their_values():
  figure = score_plots.bars({'a': 2.0, 'b': 3.0}, errors={'b': 0.5})
  widths = [bar.get_width() for bar in figure.axes[0].patches]
  assert widths == [2.0, 3.0]


def test_a_scatter_keeps_the_pairs():
  points = np.array([[1.0, 5.0], [2.0, 6.0]])
  (line,) = lines(
    score_plots.scatter({'SAE': points}, xlabel='BCE', ylabel='FID')
  )
  np.testing.assert_array_equal(line.get_xydata(), points)


def test_plots_leave_the_settings_of_others_alone(tmp_path):
  before = dict(matplotlib.rcParams)
  figure = score_plots.bars({'a': 1.0})
  canvas.save_figure(tmp_path / 'plot.png', figure)
  assert dict(matplotlib.rcParams) == before
  with Image.open(tmp_path / 'plot.png') as image:
    assert min(image.size) > 100


def test_pyplot_is_never_loaded():
  code = (
    'import sys; from structae.figures import score_plots, canvas; '
    'canvas.svg(score_plots.bars({"a": 1.0}), 0); '
    'sys.exit("matplotlib.pyplot" in sys.modules)'
  )
  subprocess.run([sys.executable, '-c', code], check=True)


def test_an_embedded_plot_is_repeatable_and_refers_to_its_own_parts_alone():
  first = canvas.svg(score_plots.bars({'a': 1.0}), 0)
  assert first == canvas.svg(score_plots.bars({'a': 1.0}), 0)
  assert '://' not in first and 'currentColor' in first
  root = ElementTree.fromstring(first)
  ids = {x.get('id') for x in root.iter() if x.get('id')}
  uses = {x.get('href') for x in root.iter() if x.get('href')}
  assert uses and uses <= {f'#{name}' for name in ids}
  second = ElementTree.fromstring(canvas.svg(score_plots.bars({'a': 1.0}), 1))
  assert ids.isdisjoint(x.get('id') for x in second.iter() if x.get('id'))
