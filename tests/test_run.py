"""A finished run is opened without its data, sampled, published, applied."""

import json
import shutil

import jax
import numpy as np
import pytest
from PIL import Image

import structae
from structae import parameters
from structae.commands import encode, export, sample
from structae.data import pictures as picture_tools
from structae.data.selection import Selection
from structae.evaluation import codes as saved
from structae.run import Run, read_run
from tests import runs

pytestmark = pytest.mark.usefixtures('barely_optimized')


@pytest.fixture(scope='module')
def made(tmp_path_factory):
  """A run, as initialized, called trained; its model, and its data."""
  folder = tmp_path_factory.mktemp('runs') / 'tiny'
  run, model, source = runs.make(folder, 10, 20, train=20)
  run.complete(model.config)
  run.save_scores(
    {
      'scores': {'mig': {'value': 0.25, 'n': 20, 'definition': 'a gap'}},
      'step': 20,
    }
  )
  return run, model, source


@pytest.fixture(scope='module')
def model(made):
  return structae.load_pretrained(made[0].folder)


@pytest.fixture(scope='module')
def published(made, tmp_path_factory):
  folder = tmp_path_factory.mktemp('models') / 'sae2'
  assert export.main([str(made[0].folder), str(folder)]) == 0
  return folder


@pytest.fixture
def copy(made, tmp_path):
  return shutil.copytree(made[0].folder, tmp_path / 'copy')


@pytest.fixture
def refused(capsys):
  """Runs a command that fails; returns its one line."""

  def run(main, *args):
    try:
      code = main([*map(str, args)])
    except SystemExit as error:
      code = error.code
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    return line

  return run


def test_a_run_is_opened_as_its_checkpoint_holds_it(made, model):
  run, trained, _ = made
  kept, opened = map(parameters.flatten, (trained.params, model.params))
  assert kept.keys() == opened.keys()
  for name, array in kept.items():
    np.testing.assert_array_equal(array, opened[name])
  np.testing.assert_array_equal(model.pool, trained.pool)
  assert model.image_shape == (32, 32, 3)
  assert model.about['step'] == run.config.train.num_steps
  assert model.about['scores']['mig']['value'] == 0.25


def test_images_of_a_source_are_encoded_like_an_array_of_them(made, model):
  _, _, source = made
  numbers = np.array([9, 480_000 - 1, 7, 7, 20_000, 3])
  selection = Selection(source, numbers)
  images = selection.read(4)
  for i, number in enumerate(numbers):
    one = source.images(*source.load(np.array([number])))
    np.testing.assert_array_equal(images[i], one[0])
  np.testing.assert_allclose(
    model.encode(selection), model.encode(images), atol=1e-5
  )
  codes = model.encode(images)
  direct = model.module.apply(
    {'params': model.params}, images, method='encode'
  ).mean
  np.testing.assert_allclose(codes, direct, atol=1e-5)  # in batches of 4


def test_errors_are_those_of_the_reconstructions(made, model):
  _, _, source = made
  selection = Selection(source, np.arange(0, 480_000, 80_001))
  images = selection.read()
  errors = model.errors(selection)
  mean = np.asarray(model.decode_mean(model.encode(images)), np.float64)
  p = np.clip(images / 255, 1e-7, 1 - 1e-7)
  cross = -(p * np.log(mean) + (1 - p) * np.log(1 - mean)).sum((1, 2, 3))
  entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum((1, 2, 3))
  np.testing.assert_allclose(errors['loss'], cross, rtol=1e-4)
  np.testing.assert_allclose(errors['floor'], entropy, rtol=1e-5)
  squares = ((mean - images / 255) ** 2).mean((1, 2, 3))
  np.testing.assert_allclose(errors['mse'], squares, rtol=1e-4)


def test_a_folder_of_an_earlier_version_is_told_what_to_run(copy):
  (copy / 'pool.npz').unlink()
  assert not Run(copy).is_finished
  with pytest.raises(ValueError, match='`structae train .* trains nothing ane'):
    structae.load_pretrained(copy)


def test_pictures_and_files_are_images_too(model, tmp_path):
  rng = np.random.default_rng(0)
  array = rng.integers(0, 256, (2, 32, 48, 3), np.uint8)
  pictures = [Image.fromarray(image) for image in array]
  paths = [tmp_path / f'{i}.png' for i in range(2)]
  for picture, path in zip(pictures, paths):
    picture.save(path)
  expected = model.encode(array[:, :, 8:40])  # the centred square
  np.testing.assert_array_equal(model.encode(pictures), expected)
  np.testing.assert_array_equal(model.encode(paths), expected)
  np.testing.assert_array_equal(model.encode(str(paths[0])), expected[:1])
  np.testing.assert_array_equal(model.encode(pictures[0]), expected[:1])
  with pytest.raises(ValueError, match='nowhere.png is no picture'):
    model.encode(['nowhere.png'])


def test_a_model_shows_what_it_is(model):
  lines = repr(model).splitlines()
  assert len(lines) == 3 and 'sae2 on shapes3d_synth, step 20' in lines[0]
  assert '32x32x3 to 2 variables of 2' in lines[1]
  assert lines[2].endswith('hybrid, hybrid_by_dimension, prior')
  page = model._repr_html_()
  assert 'src="data:image/png;base64,' in page and '<pre>structae.Model' in page


def test_a_seed_or_a_key_draws_and_nothing_else(model):
  expected = model.sample_codes(jax.random.key(3), 2)
  np.testing.assert_array_equal(model.sample_codes(np.int64(3), 2), expected)
  with pytest.raises(ValueError, match='of 64 bits'):
    model.sample(2**70, 2)
  for key in (None, '0', 1.5, np.arange(2)):
    with pytest.raises(ValueError, match='expected one PRNG key'):
      model.sample(key, 2)


def test_a_completion_of_other_bytes_completes_nothing(copy, made):
  config = made[1].config
  assert Run(copy).is_complete(config)
  (copy / 'COMPLETE').write_bytes(b'20 steps\xff\n')
  assert not Run(copy).is_complete(config)


def test_a_disk_without_room_is_refused(tmp_path, monkeypatch):
  usage = shutil.disk_usage(tmp_path)._replace(free=5_000_000)
  monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage)
  Run(tmp_path).check_space(5_000_000)
  with pytest.raises(ValueError, match='with 5 MB left, the run takes 7: give'):
    Run(tmp_path).check_space(7_000_000)


def test_durations_leave_out_what_was_cut(tmp_path):
  run = Run(tmp_path)
  assert run.minutes is None
  rows = [{'step': s, 'seconds': 30.0} for s in (10, 20)]
  text = ''.join(json.dumps(row) + '\n' for row in rows)
  (tmp_path / 'timing.jsonl').write_text(text)
  assert run.minutes == 1.0
  run.metrics(10, batch_size=4).close()
  assert run.minutes == 0.5


def test_pictures_of_a_killed_writer_are_no_figures(copy):
  (copy / 'figures').mkdir()
  for name in ('loss.png', '.hybrid.123.png'):
    (copy / 'figures' / name).write_bytes(b'')
  assert set(read_run(copy).sheets) == {'loss'}


def test_a_damaged_checkpoint_gives_way_to_the_one_before(copy):
  newest, older = sorted((copy / 'checkpoints').iterdir(), reverse=True)
  data = max(newest.rglob('*'), key=lambda p: p.is_file() and p.stat().st_size)
  content = bytearray(data.read_bytes())
  content[len(content) // 2] ^= 1
  data.write_bytes(content)
  with pytest.warns(UserWarning, match='is of step 20, the checkpoint of 10'):
    model = structae.load_pretrained(copy)
  assert model.about['step'] == 10 and model.pool is None
  assert model.about['scores'] == {}
  assert (model.params['decoder']['start'] == 10).all()
  (older / 'seal.json').unlink()
  with pytest.raises(ValueError, match='has changed since .*; train again'):
    structae.load_pretrained(copy)


def test_a_checkpoint_of_another_model_is_named(copy):
  content = json.loads((copy / 'config.json').read_text())
  content['config']['model']['width'] = 8
  (copy / 'config.json').write_text(json.dumps(content))
  with pytest.raises(ValueError, match=r'parameter .* asks for') as caught:
    structae.load_pretrained(copy)
  assert '\n' not in str(caught.value)


def test_a_published_run_is_the_run(made, model, published, refused):
  again = structae.load_pretrained(published)
  key = jax.random.key(0)
  for kind in model.kinds:
    a, b = (m.sample(key, 3, kind) for m in (model, again))
    np.testing.assert_array_equal(a, b)
  assert (
    '| `mig` | 0.25 | 20 | a gap |' in (published / 'README.md').read_text()
  )
  assert 'exists; give another' in refused(
    export.main, made[0].folder, published
  )


def test_samples_are_a_sheet_pictures_or_arrays(model, published, tmp_path):
  for name in ('sheet.png', 'pictures', 'arrays.npz'):
    args = [str(published), '--num=6', '--seed=7', '--kind=prior']
    assert sample.main([*args, f'--output={tmp_path / name}']) == 0
  key = jax.random.key(7)
  arrays = np.load(tmp_path / 'arrays.npz', allow_pickle=False)
  expected = arrays['images']
  codes = model.sample_codes(key, 6, 'prior')
  np.testing.assert_array_equal(arrays['codes'], codes)
  np.testing.assert_array_equal(model.sample(key, 6, 'prior'), expected)
  pictures = sorted((tmp_path / 'pictures').iterdir())
  assert [p.name for p in pictures] == [f'{i}.png' for i in range(6)]
  for path, image in zip(pictures, expected):
    np.testing.assert_array_equal(Image.open(path), image)
  assert Image.open(tmp_path / 'sheet.png').size == (294, 195)  # 3 x 2 of 96
  assert len([*tmp_path.iterdir()]) == 3


def test_own_images_are_encoded_in_order(model, published, tmp_path):
  rng = np.random.default_rng(0)
  pictures = rng.integers(0, 256, (6, 40, 70, 3), np.uint8)
  (tmp_path / 'mine' / 'deep').mkdir(parents=True)
  for i, picture in enumerate(pictures):
    place = 'deep/' * (i == 2)
    Image.fromarray(picture).save(tmp_path / 'mine' / f'{place}{i}.png')
  order = [0, 1, 3, 4, 5, 2]
  square = picture_tools.resize(pictures[:, :, 15:55], 32)
  expected = np.asarray(model.encode(square))

  def run(images, output, *more):
    args = [str(published), f'--images={images}', f'--output={output}', *more]
    assert encode.main(args) == 0
    return saved.load(output)

  sheet = tmp_path / 'sheet.png'
  found = run(
    tmp_path / 'mine', tmp_path / 'a.npz', f'--reconstructions={sheet}'
  )
  np.testing.assert_allclose(found.codes, expected[order], atol=1e-5)
  assert found.meta['files'][-1] == 'deep/2.png'
  assert found.meta['step'] == 20 and found.factors.shape == (6, 0)
  assert Image.open(sheet).size[0] == 6 * 96 + 5 * 3

  # A picture that cannot be read is left out of codes, names and the sheet.
  (tmp_path / 'mine' / '1.png').rename(tmp_path / '1.png')
  (tmp_path / 'mine' / '0a.png').write_text('no picture')
  whole = f'--reconstructions={tmp_path / "whole.png"}'
  found = run(tmp_path / 'mine', tmp_path / 'g.npz', '--skip-corrupt', whole)
  rest = [0, 3, 4, 5, 2]
  np.testing.assert_allclose(found.codes, expected[rest], atol=1e-5)
  assert found.indices.tolist() == [0, 2, 3, 4, 5]
  assert found.meta['files'] == [f'{i}.png' for i in (0, 3, 4, 5)] + [
    'deep/2.png'
  ]
  assert Image.open(tmp_path / 'whole.png').size[0] == 5 * 96 + 4 * 3

  np.save(tmp_path / 'b.npy', pictures)
  found = run(tmp_path / 'b.npy', tmp_path / 'c.npz')
  np.testing.assert_allclose(found.codes, expected, atol=1e-5)
  factors = np.arange(6)[:, None]
  np.savez(tmp_path / 'd.npz', images=pictures, factors=factors)
  found = run(tmp_path / 'd.npz', tmp_path / 'e.npz')
  np.testing.assert_allclose(found.codes, expected, atol=1e-5)
  np.testing.assert_array_equal(found.factors, factors)
  one = run(tmp_path / '1.png', tmp_path / 'f.npz', '--crop=squash')
  assert one.codes.shape == (1, 2, 2)
  assert np.abs(one.codes - expected[1]).max() > 1e-4


def test_mistakes_are_one_line(published, refused, tmp_path):
  (tmp_path / 'empty').mkdir()
  np.save(tmp_path / 'float.npy', np.zeros((2, 32, 32, 3)))
  np.save(tmp_path / 'grey.npy', np.zeros((2, 32, 32), np.uint8))
  (tmp_path / 'text.png').write_text('no picture')
  (tmp_path / 'bad').mkdir()
  (tmp_path / 'bad' / '0.png').write_text('no picture')
  out = tmp_path / 'out.npz'
  for name, message in (
    ('nothing', 'no such file or folder'),
    ('empty', 'holds no images'),
    ('float.npy', 'images are float64'),
    ('grey.npy', 'images have 1 channels, the model takes 3'),
    ('text.png', '1 unreadable: text.png'),
    ('bad', '1 unreadable: 0.png'),
  ):
    args = (f'--images={tmp_path / name}', f'--output={out}')
    assert message in refused(encode.main, published, *args)
  assert not out.exists()
  for main, args, message in (
    (encode.main, [published], 'required: --images'),
    (sample.main, [published, '--num=0'], 'a whole number from 1'),
    (sample.main, [published, '--kind=pior'], 'invalid choice'),
    (sample.main, [published, '--output=a.jpg'], 'expected a .png file or a'),
    (sample.main, [published, f'--output={tmp_path}'], 'exists; give another'),
    (sample.main, [published, '--num=3000'], 'a sheet shows at most 2500'),
    (sample.main, [tmp_path, f'--output={out}'], 'it has no config.json'),
    (export.main, [tmp_path, out], 'it has no config.json'),
  ):
    assert message in refused(main, *args), message
