from pathlib import Path

import pytest

from structae.evaluation import definitions, registry

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'scores.md'


def test_the_document_is_what_the_registry_says():
  text = DOCUMENT.read_text('utf-8')
  assert definitions.document(text) == text
  # Each row is there, whatever the tables are made by.
  for score in registry.SCORES.values():
    end = '_' + score.family.upper() if score.family else ''
    assert text.count(f'| `{score.name}{end}` |') == 1


@pytest.mark.parametrize('factor', ['distance', 'loss', 'score', 'fid', 'mse'])
def test_the_name_of_a_factor_changes_no_direction(factor):
  for family in ('probe', 'seen'):
    name = f'{family}_{factor}'
    entry = {'value': 0.5, 'score': family, 'of': factor}
    for known in (entry, {'value': 0.5}):  # as files had it before
      assert definitions.find(name, known).name == family
      assert definitions.direction(name, known) == 1


@pytest.mark.parametrize(
  'name, score',
  [
    ('fid_rec', 'fid'),
    ('recall_hybrid_by_dimension', 'recall'),
    ('scene_distance_prior', 'scene_distance'),
    ('mig_by_variable', 'mig_by_variable'),
    ('test_bce_above_floor', 'test_bce_above_floor'),
    ('fid_unheard_of', None),
    ('probe_', None),
    ('bce', None),
  ],
)
def test_entries_of_old_files_are_found_by_name(name, score):
  row = definitions.find(name, {'value': 1.0})
  assert (row and row.name) == score


def test_an_entry_is_of_the_row_that_it_names():
  assert definitions.find('mig', {'score': 'fid'}).name == 'fid'
  assert definitions.find('mig', {'score': 'of another version'}) is None


def test_scores_stand_in_their_groups():
  names = ('fid_rec', 'unheard_of', 'probe_hue', 'mig', 'kid_rec')
  found = definitions.grouped({name: {'value': 1.0} for name in names})
  assert {title: list(entries) for title, entries in found.items()} == {
    'Is a factor in one number?': ['mig'],
    'Can it be read?': ['probe_hue'],
    'Pictures': ['fid_rec', 'kid_rec'],
    'Other scores': ['unheard_of'],
  }


def test_ranges_in_words():
  words = {
    name: definitions.range_words(registry.SCORES[name])
    for name in ('mig', 'fid', 'irs', 'kid', 'order_correlation')
  }
  assert [*words.values()] == [
    '0 to 1', '0 or more', 'at most 1', 'any number', '-1 to 1'
  ]  # fmt: skip
