"""FID and its kin, from the folder of a run and from anybody's images."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from structae import evaluation, score_inputs
from structae.commands import evaluate
from structae.data.selection import Selection
from structae.evaluation.images import compare as image_scores
from structae.evaluation.images import features, frechet, inception
from structae.evaluation.images import files as image_files
from structae.evaluation.images import weights as inception_weights
from structae.run import Run
from tests import runs
from tests.evaluation.images import random_inception

FIRST_DEPTH = 64  # the rest of the network is never compiled


@pytest.fixture(autouse=True)
def shallow(monkeypatch, tmp_path):
  """The first depth of Inception, and a cache without the published weights."""
  monkeypatch.setattr(image_scores, 'NUM_DIMENSIONS', FIRST_DEPTH)
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
  monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  """A file of random weights under their published names."""
  tensors = {}
  for name, shape in inception.parameter_shapes().items():
    published, axes = inception_weights._published(name)
    back = tuple(shape[axes.index(i)] for i in range(len(axes)))
    tensors[published] = random_inception.tensor(published, back)
  path = tmp_path_factory.mktemp('weights') / 'random.npz'
  np.savez(path, **tensors)
  return path


@pytest.fixture(scope='module')
def made(tmp_path_factory):
  """A run, as initialized, called trained; its model, and its data."""
  folder = tmp_path_factory.mktemp('runs') / 'tiny'
  return runs.make(folder, 20, train=20, test=8)


@pytest.fixture
def opened(made, monkeypatch):
  """Spares a test the opening of model and data, which test_run.py tests."""
  _, model, source = made
  monkeypatch.setattr(Run, 'source', lambda self: source)
  hashed = {**model.about, 'config_hash': made[0].content['config_hash']}
  known = dataclasses.replace(model, about={**hashed, 'step': 20})
  monkeypatch.setattr(Run, 'model', lambda self: known)


def scores_of(folder):
  return json.loads((folder / 'scores.json').read_text())['scores']


def test_the_variables_of_a_run_are_scored_by_its_decoder(made, opened):
  (run, model, _), folder = made, made[0].folder
  command = [f'--workdir={folder}', '--metrics=variable_effect,order']
  assert evaluate.main(command) == 0
  content = json.loads((folder / 'scores.json').read_text())
  values = np.array(content['matrices']['variable_effect']['values'])
  codes = run.codes('train').codes
  expected = evaluation.variable_effect(model.decode, codes)
  np.testing.assert_array_equal(values, expected['variable_effect'])
  used = content['scores']['used_variables']
  assert used['value'] == (values >= 0.01).sum() and used['n'] == 20
  # Twenty codes of an untrained model may hold nothing that could be in order.
  order = content['scores']['order_correlation']
  assert order['metric'] == 'order'
  assert (order['value'] is None) == bool(order.get('missing'))
  assert (folder / 'figures' / 'variable_effect.png').is_file()


def test_variables_of_codes_alone_have_no_effect(made, capsys):
  codes = made[0].folder / 'codes' / 'train.npz'
  assert evaluate.main([f'--codes={codes}', '--metrics=variable_effect']) == 2
  assert 'needs a decoder; give --workdir' in capsys.readouterr().err


def test_a_run_is_scored_by_what_its_checkpoint_decodes(
  made, opened, weights, capsys, tmp_path
):
  (run, model, source), folder = made, made[0].folder
  command = [f'--workdir={folder}', f'--inception={weights}']
  command += ['--metrics=fid,kid,precision_recall,mig', '--num_images=12']
  assert evaluate.main(command) == 0
  assert '8 test images beside 12 samples' in capsys.readouterr().err
  found = scores_of(folder)
  for kind in ('rec', 'hybrid', 'hybrid_by_dimension', 'prior'):
    for score in ('fid', 'kid', 'precision', 'recall'):
      entry = found[f'{score}_{kind}']
      num = 8 if kind == 'rec' else 12
      if score != 'fid':  # a sample may be drawn twice
        num = entry['n_distinct']
      assert (entry['n'], entry['n_real']) == (num, 8)
      assert entry['n_real_distinct'] == 8 and np.isfinite(entry['value'])
      assert (entry['score'], entry['of']) == (score, kind)
      assert len(entry['fingerprint']['weights_sha256']) == 64
      assert not entry['fingerprint']['weights_are_published']
  assert found['mig']['n'] == 20
  assert (folder / 'figures' / 'mutual_information.png').is_file()

  # The same, from the images themselves.
  loaded = inception_weights.load_weights(weights)
  test = run.codes('test')
  rows = np.random.RandomState(0).permutation(8)
  sets = [
    Selection(source, test.indices[rows]).read(),
    model.decode(test.codes[rows]),
  ]
  a, b = (
    features.inception_features(x, loaded, num_dimensions=FIRST_DEPTH)
    for x in sets
  )
  expected = frechet.frechet_distance(a, b)['frechet_distance']
  assert found['fid_rec']['value'] == pytest.approx(expected, rel=1e-3)

  # What is known of the real images is read the next time.
  (kept,) = (tmp_path / 'cache').rglob('shapes3d_synth*.npz')
  before = kept.stat().st_mtime_ns
  again = [*command[:2], '--metrics=fid', '--num_images=12']
  assert evaluate.main(again) == 0
  assert kept.stat().st_mtime_ns == before
  assert scores_of(folder)['fid_rec']['value'] == found['fid_rec']['value']


def test_without_weights_a_score_is_missing_in_one_line(made, opened, capsys):
  folder = made[0].folder
  (folder / 'scores.json').unlink(missing_ok=True)
  assert evaluate.main([f'--workdir={folder}', '--metrics=fid,mig']) == 0
  out, err = capsys.readouterr()
  (line,) = [line for line in err.splitlines() if 'weights' in line]
  assert inception_weights.SHA256 in line and '95628359 bytes' in line
  found = scores_of(folder)
  assert found['fid_rec']['value'] is None
  assert found['fid_rec']['missing'] == 'no Inception weights'
  assert found['mig']['value'] is not None
  assert 'fid_prior' in out and 'missing' in out


def test_weights_that_were_named_must_be_there(made, opened, capsys):
  folder = made[0].folder
  scores = folder / 'scores.json'
  scores.unlink(missing_ok=True)
  command = [f'--workdir={folder}', '--metrics=fid,mig']
  assert evaluate.main([*command, f'--inception={folder / "typo.pth"}']) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert 'typo.pth' in line and not scores.exists()


@pytest.mark.parametrize('key, value', [('step', 7), ('config_hash', 'cafe')])
def test_codes_of_another_checkpoint_are_refused(made, key, value):
  run, model, _ = made
  about = {'step': 20, 'config_hash': run.content['config_hash']}
  known = dataclasses.replace(model, about=about)
  codes = run.codes('test')
  score_inputs.check_codes(known, {'test': codes})
  other = codes._replace(meta={**codes.meta, key: value})
  with pytest.raises(ValueError, match=f'test codes are of {key} {value}, the'):
    score_inputs.check_codes(known, {'test': other})


@pytest.fixture
def images(tmp_path):
  """The same six images as a folder, an .npy and two .npz files."""
  rng = np.random.default_rng(0)
  array = rng.integers(0, 256, (6, 9, 12, 3), np.uint8)
  (tmp_path / 'folder').mkdir()
  for i, image in enumerate(array):
    Image.fromarray(image).save(tmp_path / 'folder' / f'{i}.png')
  np.save(tmp_path / 'a.npy', array)
  np.savez(tmp_path / 'a.npz', images=array, others=array[:2])
  np.savez_compressed(tmp_path / 'b.npz', array[::-1].copy())
  return tmp_path, array


def test_images_are_read_in_order_a_batch_at_a_time(images):
  folder, array = images
  for name in ('folder', 'a.npy', 'a.npz'):
    parts = list(image_files.stream(folder / name, 4))
    assert list(map(len, parts)) == [4, 2]
    np.testing.assert_array_equal(np.concatenate(parts), array)
  grey = array[..., 0]
  np.save(folder / 'grey.npy', grey)
  (whole,) = image_files.stream(folder / 'grey.npy')
  np.testing.assert_array_equal(whole, grey[..., None])


def test_anybodys_images_are_scored(images, weights):
  folder, _ = images
  output = folder / 'out' / 'scores.json'
  command = [f'--images_a={folder / "folder"}', f'--output={output}']
  command += [f'--inception={weights}', '--metrics=fid,precision_recall']
  assert evaluate.main([*command, f'--images_b={folder / "b.npz"}']) == 0
  found = scores_of(output.parent)
  # The same images in another order: a set has none.
  assert found['fid']['value'] == pytest.approx(0, abs=1e-6)
  assert found['precision']['value'] == found['recall']['value'] == 1
  assert (found['fid']['n'], found['fid']['n_real']) == (6, 6)
  assert found['fid']['is_biased_by_few_images'] and 'of' not in found['fid']
  inverted = 255 - np.load(folder / 'a.npy')
  np.save(folder / 'c.npy', inverted)
  args = [*command, f'--images_b={folder / "c.npy"}', '--num_images=4']
  assert evaluate.main(args) == 0
  found = scores_of(output.parent)
  assert found['fid']['value'] > 1e-3 and found['fid']['n'] == 4


def test_bad_images_are_one_line(images, weights, capsys):
  folder, array = images
  np.save(folder / 'float.npy', array / 255)
  np.savez(folder / 'two.npz', a=array, b=array)
  np.savez(folder / 'objects.npz', np.array([{}]))
  (folder / 'text.npy').write_text('no array')
  (folder / 'none').mkdir()
  whole = (folder / 'a.npz').read_bytes()
  (folder / 'cut.npz').write_bytes(whole[: len(whole) // 2])
  small = folder / 'folder' / '9.png'
  Image.fromarray(array[0, :4]).save(small)
  cases = {
    'missing': 'no such file or folder of images',
    'float.npy': 'images must be uint8 [N, H, W, 1 or 3], got float64',
    'two.npz': 'expected an array "images", found a, b',
    'objects.npz': 'got object',
    'text.npy': 'text.npy is not a readable .npy or .npz file of images',
    'cut.npz': 'cut.npz is not a readable',
    'none': 'no picture in it',
    'folder': '9.png is 12 x 4, the pictures before it 12 x 9',
  }
  good = f'--images_a={folder / "a.npy"}'
  other = f'--images_b={folder / "a.npy"}'
  for name, message in cases.items():
    args = [good, f'--images_b={folder / name}', f'--inception={weights}']
    assert evaluate.main(args) == 2, name
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line, line
  for args, message in (
    ([good], '--images_a and --images_b go together'),
    (
      [good, other, '--metrics=mig'],
      'not by mig',
    ),
    (
      [good, other],
      'The Inception weights are missing',
    ),
  ):
    try:
      code = evaluate.main(args)
    except SystemExit as error:
      code = error.code
    err = capsys.readouterr().err
    assert code == 2 and message in err and err.count('\n') == 1
