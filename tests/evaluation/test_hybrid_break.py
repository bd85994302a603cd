"""Breaks of a made-up decoder, which are known to the last digit."""

import numpy as np
import pytest

from structae.evaluation import hybrid_break
from structae.evaluation import score as runner
from structae.evaluation.codes import Codes
from structae.evaluation.images import compare
from structae.evaluation.images.frechet import frechet_distance
from structae.evaluation.inputs import ImageSets, Inputs

ADDED = 51  # grey levels of the pixel where two variables disagree


def decode(codes):
  """Three variables are pixels; the last must agree with the first."""
  images = np.zeros((len(codes), 2, 2, 3), np.uint8)
  images[:, 0, 0] = 100 + codes[:, :3, 0]
  agrees = codes[:, 0, 0] == codes[:, 3, 0]
  images[~agrees, 1, 1] += ADDED
  return images


@pytest.fixture(autouse=True)
def scenes_without_the_mark(monkeypatch):
  """All images without the mark of disagreement are scenes."""

  def distance(tables, images):
    squares = np.square(images[:, 1, 1].astype(float) / 255).mean(1) / 4
    return squares, np.zeros(len(images), int)

  monkeypatch.setattr(hybrid_break.scenes, 'scene_distance', distance)


def made_up():
  rng = np.random.default_rng(0)
  factors = rng.integers(0, 10, (60, 3)).astype(np.int32)
  codes = np.stack([*factors.T, factors[:, 0]], 1).astype(np.float32)[..., None]
  names, sizes = ('floor', 'wall', 'object'), (10,) * 3
  return Codes(codes, None, factors, names, sizes, np.arange(60), {})


def values_of(found, score):
  return [found['scores'][f'{score}_U_{k}']['value'] for k in (1, 2, 3, 4)]


def test_the_variables_that_must_agree_break_hybrids_and_no_others():
  test = made_up()
  found = runner.score(
    ['scene_break'], Inputs(test, test, decode=decode, scenes=())
  )
  values = values_of(found, 'scene_break')
  rows = np.random.RandomState(0).permutation(60)
  first = test.codes[rows, 0, 0]
  differs = np.mean(first != np.roll(first, 1))
  expected = differs * (ADDED / 255) ** 2 / 4
  np.testing.assert_allclose(values, [expected, 0, 0, expected], rtol=1e-6)
  entry = found['scores']['scene_break_U_1']
  low, high = entry['interval']
  assert 0 < low < entry['value'] < high
  assert (entry['chance'], entry['n'], entry['better']) == (0, 60, 'lower')
  assert 'does U_1, exchanged alone' in entry['definition']
  assert found['details']['scene_break']['reconstruction'] == 0
  assert found['details']['scene_break']['every_variable_exchanged'] > 0
  assert np.shape(found['matrices']['scene_break']['values']) == (4, 1)


def test_an_exchanged_variable_keeps_its_values_and_the_others_their_place():
  codes = np.random.default_rng(1).normal(size=(9, 3, 2))
  mixed = hybrid_break.exchanged(codes, 1)
  np.testing.assert_array_equal(np.delete(mixed, 1, 1), np.delete(codes, 1, 1))
  assert (mixed[:, 1] != codes[:, 1]).all()
  np.testing.assert_array_equal(
    np.sort(mixed[:, 1], axis=0), np.sort(codes[:, 1], axis=0)
  )


def test_the_fid_of_each_exchange_is_beside_that_of_reconstructions(
  monkeypatch,
):
  """Features of a stand-in network: the pixels."""

  def features(images):
    return images.reshape(len(images), -1).astype(np.float64)

  monkeypatch.setattr(
    compare,
    'describe',
    lambda images, *_, **__: compare.Described(
      np.concatenate([features(x) for x in images()]), None, 0
    ),
  )
  monkeypatch.setattr(
    hybrid_break.fid,
    'fid',
    lambda a, b, *_, **__: {'fid': frechet_distance(a, b)['frechet_distance']},
  )
  test = made_up()
  real = decode(test.codes)
  sets = ImageSets(lambda: iter([real]), {}, lambda: None)
  found = runner.score(
    ['fid_break'], Inputs(test, test, decode=decode, image_sets=lambda: sets)
  )
  values = values_of(found, 'fid_break')
  assert found['details']['fid_break']['reconstruction'] == pytest.approx(0)
  codes = test.codes[np.random.RandomState(0).permutation(60)]
  for k, value in enumerate(values):
    mixed = decode(hybrid_break.exchanged(codes, k))
    distance = frechet_distance(features(real), features(mixed))
    assert value == pytest.approx(distance['frechet_distance'], abs=1e-6)
  assert min(values[0], values[3]) > max(values[1], values[2])


def test_without_weights_or_others_the_scores_are_missing():
  def absent():
    raise FileNotFoundError('no such file: put it there.')

  test = made_up()
  sets = ImageSets(lambda: iter([]), {}, absent)
  one = test._replace(codes=test.codes[:1], factors=test.factors[:1])
  for part, reason in ((test, 'no Inception weights'), (one, 'no other')):
    found = runner.score(
      ['scene_break', 'fid_break'] if part is one else ['fid_break'],
      Inputs(part, part, decode=decode, scenes=(),
             image_sets=lambda: sets),
    )  # fmt: skip
    entry = found['scores']['fid_break_U_4']
    assert entry['value'] is None and 'no Inception' in entry['missing']
    if part is one:
      assert reason in found['scores']['scene_break_U_1']['missing']
