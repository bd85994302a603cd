"""Damaged files are refused in one line, or read as they were."""

import random

import pytest

from experiments.fuzz import flips


@pytest.mark.parametrize('kind', flips.KINDS)
def test_damage_is_refused_or_without_effect(kind, tmp_path):
  tally = flips.fuzz(tmp_path, 10, 0, [kind])
  assert not tally.faults, tally.lines()
  assert tally.outcomes['refused'] > 0


def test_a_silent_difference_is_seen(tmp_path):
  def make(folder):
    (folder / 'a').write_bytes(bytes(range(64)))
    return [folder / 'a']

  kind = flips.Kind(make, lambda folder: (folder / 'a').read_bytes(), True)
  flips.KINDS['plain'] = kind
  try:
    tally = flips.fuzz(tmp_path, 20, 0, ['plain'])
  finally:
    del flips.KINDS['plain']
  assert {fault.kind for fault in tally.faults} == {'silent difference'}


def test_damage_is_repeatable():
  content = bytes(range(200))
  a, b = (
    [flips.damaged(random.Random(seed), content) for seed in range(50)]
    for _ in range(2)
  )
  assert a == b and len({what for _, what in a}) > 40
