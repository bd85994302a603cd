import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from structae.training import checkpoint


@pytest.fixture
def saved(tmp_path):
  """A folder with the states of steps 10 and 20."""
  checkpoints = checkpoint.Checkpoints(tmp_path)
  for step in (10, 20):
    checkpoints.save(step, state(step))
  checkpoints.wait()
  return tmp_path


def state(step):
  values = jax.random.normal(jax.random.key(step), (64, 64))
  return {'step': jnp.int32(step), 'params': {'kernel': values}}


def restore(folder):
  target = checkpoint.abstract(state(0))
  return checkpoint.Checkpoints(folder).restore(target)


def data_file(folder, step):
  files = [p for p in (folder / f'{step:08d}').rglob('*') if p.is_file()]
  return max(files, key=lambda path: path.stat().st_size)


def assert_is(actual, step):
  for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(state(step))):
    np.testing.assert_array_equal(a, b)


def test_the_newest_state_comes_back_to_the_bit(saved):
  restored, skipped = restore(saved)
  assert_is(restored, 20)
  assert skipped == []


def test_an_empty_folder_has_no_state(tmp_path):
  assert restore(tmp_path / 'none') == (None, [])


@pytest.mark.parametrize('keep', [2, 1, 0])
def test_the_newest_are_kept_or_all(saved, keep):
  checkpoints = checkpoint.Checkpoints(saved, keep)
  checkpoints.save(30, state(30))
  checkpoints.wait()
  every = ['00000010', '00000020', '00000030']
  assert sorted(os.listdir(saved)) == every[-keep:]
  assert checkpoints.steps() == [30, 20, 10][: keep or 3]


def flip_a_bit(folder):
  path = data_file(folder, 20)
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)


def cut_short(folder):
  path = data_file(folder, 20)
  path.write_bytes(path.read_bytes()[:-5])


def delete_half(folder):
  data_file(folder, 20).unlink()


def remove_the_seal(folder):
  (folder / '00000020' / checkpoint.SEAL).unlink()


@pytest.mark.parametrize(
  'harm, reason',
  [
    (flip_a_bit, 'has changed'),
    (cut_short, 'bytes, was'),
    (delete_half, 'is missing'),
    (remove_the_seal, 'no seal'),
  ],
)
def test_what_is_damaged_is_passed_over(saved, harm, reason):
  harm(saved)
  restored, skipped = restore(saved)
  assert_is(restored, 10)
  assert len(skipped) == 1 and reason in skipped[0]


def test_a_damaged_step_can_be_saved_again(saved):
  flip_a_bit(saved)
  checkpoints = checkpoint.Checkpoints(saved)
  checkpoints.save(20, state(20))
  checkpoints.wait()
  restored, skipped = restore(saved)
  assert_is(restored, 20)
  assert skipped == []


def test_other_shapes_are_refused(saved):
  other = {'step': jnp.int32(0), 'params': {'kernel': jnp.zeros((3, 3))}}
  with pytest.raises(checkpoint.CheckpointError, match='does not hold'):
    checkpoint.Checkpoints(saved).restore(checkpoint.abstract(other))


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
  (tmp_path / 'file').write_text('')
  checkpoints = checkpoint.Checkpoints(tmp_path / 'file' / 'checkpoints')
  with pytest.raises(checkpoint.CheckpointError, match='cannot save'):
    checkpoints.save(1, state(1))
    checkpoints.wait()


def test_what_is_not_ours_is_left_alone(saved):
  for name in ('best', '00000010.bak', '00000030.orbax-checkpoint-tmp-7',
               '00000005.deleted'):  # fmt: skip
    (saved / name).mkdir()
  (saved / 'notes.txt').write_text('mine')
  assert_is(restore(saved)[0], 20)
  assert len(os.listdir(saved)) == 7  # readers remove nothing
  checkpoint.Checkpoints(saved).sweep()
  assert sorted(os.listdir(saved)) == [
    '00000010', '00000010.bak', '00000020', 'best', 'notes.txt'
  ]  # fmt: skip


@pytest.mark.parametrize('seal', ['{}', '[]', 'null', '{"a": 3}', '"x"', '[['])
def test_a_seal_of_another_form_confirms_nothing(saved, seal):
  (saved / '00000020' / 'seal.json').write_text(seal)
  restored, skipped = restore(saved)
  assert_is(restored, 10)
  assert len(skipped) == 1 and '00000020 passed over' in skipped[0]
