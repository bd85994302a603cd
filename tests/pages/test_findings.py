"""What a report concludes from scores, and the command that it names."""

import itertools
import json

import numpy as np
import pytest

from structae.pages import again, findings
from structae.run import read_run

SCORES = {
  'explained_variance': {'value': 0.95, 'chance': 0},
  'probe_hue': {'value': 0.996, 'chance': 0.1},
  'probe_size': {'value': 0.6, 'chance': 0.25},
  'probe_turn': {'value': 0.26, 'chance': 0.25},
  'used_variables': {'value': 2},
  'scene_distance_hybrid': {'value': 0.02},
  'scene_distance_reconstruction': {'value': 0.005},
  'pairwise_information': {'value': 0.25, 'chance': 0.0125},
}
NUMBERS = ['U_1', 'U_2', 'U_3']
MATRICES = {
  'mutual_information': {
    'values': [[1.0, 0.1, 0.02], [0.6, 0.2, 0.0], [0.7, 0.0, 0.0]],
    'rows': NUMBERS,
    'columns': ['hue', 'size', 'turn'],
  },
  'variable_effect': {
    'values': [[0.5], [0.2], [0.001]],
    'rows': NUMBERS,
    'columns': ['effect'],
  },
}


@pytest.fixture
def learned(make_run):
  """`learned(**content)`: the sentences of a run with those scores."""

  numbers = itertools.count()

  def tell(**content):
    folder = make_run(f'run {next(numbers)}')
    (folder / 'scores.json').write_text(json.dumps(content))
    run = read_run(folder)
    text = [s.replace('\N{NO-BREAK SPACE}', ' ') for s in
            findings.sentences(run)]  # fmt: skip
    return text, findings.carried(run)

  return tell


def test_sentences_say_what_was_learned_and_what_was_not(learned):
  details = {'mig': {'entropy': [2.0, 2.0, 2.0]}}
  sentences, names = learned(scores=SCORES, matrices=MATRICES, details=details)
  assert sentences == [
    'Reconstructions explain 95 % of the variance of test images; one picture '
    'for all would explain none of it.',
    'Hue: 50 % of it is in U₁; 35 % of it is in U₃, of which the picture shows '
    'little; 30 % of it is in U₂; read right from 99.6 % of whole codes '
    '(chance 10 %).',
    'Size: spread out, 10 % of it in U₂; read right from 60 % of whole codes '
    '(chance 25 %).',
    'Not learned: turn; read right from 26 % of whole codes (chance 25 %).',
    '2 of 3 variables are used: each makes 1 % or more of the variance of '
    'images.',
    'Hybrids lie 0.02000 from the nearest true scene (mean squared error), '
    'reconstructions 0.005000: hybrids are 4.0 times as far.',
    'Two numbers of a code share 0.2500 nats on average; if they were '
    'independent, 0.01250 would be seen. Hybrid samples suppose that it is '
    'little.',
  ]
  assert names == ['hue', 'hue', 'little effect']


def test_what_few_codes_show_by_chance_is_not_knowledge(learned):
  """19 x 9 / 2N nats of a number that knows nothing: .855 at N = 100."""
  details = {'mig': {'entropy': [np.log(10)], 'num_bins': 20}}
  numbers = {
    'values': [[0.8], [0.855 + 0.5 * np.log(10)]],
    'rows': NUMBERS[:2],
    'columns': ['hue'],
  }
  scores = {
    'mig': {'value': 0.3, 'n': 100},
    'explained_variance': {'value': -1},
  }
  sentences, names = learned(
    scores=scores, matrices={'mutual_information': numbers}, details=details
  )
  assert names == ['', 'hue']
  assert sentences[0].startswith('Reconstructions explain none')
  assert sentences[1] == 'Hue: 50 % of it is in U₂.'


def test_what_has_no_score_is_not_spoken_of(learned):
  assert learned(scores={}) == ([], [])
  assert learned(scores={}, matrices=MATRICES) == ([], [])
  details = {'mig': {'entropy': [2.0, 2.0, 2.0]}}
  sentences, _ = learned(matrices=MATRICES, scores={}, details=details)
  assert sentences[-1] == 'Not learned: turn.'


def test_the_variable_that_breaks_hybrids_most_is_named(learned):
  def entry(of, value, low):
    return {
      'score': 'scene_break', 'of': of, 'value': value, 'interval': [low, 1.0]
    }  # fmt: skip

  scores = {
    f'scene_break_{of}': entry(of, value, low)
    for of, value, low in (('U_1', 0.001, -0.1), ('U_2', 0.02, 0.01))
  }
  (sentence,), _ = learned(scores=scores)
  assert sentence == (
    'Of all variables U₂ breaks hybrids most: taken alone from another '
    'example, it adds 0.02000 to the distance from the nearest true scene.'
  )
  del scores['scene_break_U_2']
  assert learned(scores=scores)[0] == []


def test_what_makes_no_sense_is_not_spoken_of(learned):
  details = {'mig': {'entropy': [2.0, 2.0, 2.0]}}
  empty = {'values': [[], [], []], 'rows': NUMBERS, 'columns': []}
  matrices = {**MATRICES, 'variable_effect': empty}
  scores = {'probe_hue': {'value': 0.9}}
  sentences, names = learned(scores=scores, matrices=matrices, details=details)
  assert 'chance' not in sentences[0] and names == ['hue', 'hue', 'hue']
  for entropy in (None, [1.0], [0.0, 1.0, 1.0], ['x', 1.0, 1.0]):
    details = {'mig': {'entropy': entropy}}
    told = learned(scores={}, matrices=matrices, details=details)
    assert told == ([], [])
  matrices = {'mutual_information': empty}
  details = {'mig': {'entropy': []}}
  assert learned(scores={}, matrices=matrices, details=details) == ([], [])


def test_numbers_of_a_variable_share_its_effect(learned):
  rows = ['U_1.1', 'U_1.2', 'U_2.1', 'U_2.2']
  matrices = {
    'mutual_information': {
      'values': [[0.5], [0.0], [0.5], [0.5]],
      'rows': rows,
      'columns': ['hue'],
    },
    'variable_effect': {
      'values': [[0.9], [0.0]],
      'rows': ['U_1', 'U_2'],
      'columns': ['effect'],
    },
  }
  details = {'mig': {'entropy': [1.0]}}
  sentences, names = learned(scores={}, matrices=matrices, details=details)
  assert 'U₁, 1' in sentences[0]
  assert names == ['hue', '', 'little effect', 'little effect']


def test_the_command_names_tokens_and_changed_fields(make_run):
  from structae import config as config_lib

  config = config_lib.get_config('sae12', 'quick,mpi3d_toy')
  config.seed = 3
  config_lib.update(config, config_lib.written_out(config))
  config.evaluation.metrics = ('mig', 'dci')
  run = read_run(make_run(model='sae12', config=config.to_dict()))
  config = json.loads((run.folder / 'config.json').read_text())['config']
  assert config['data']['name'] == 'mpi3d_toy'
  assert again.command(run) == (
    'structae train sae12:quick,mpi3d_toy --config.seed=3 '
    '--config.evaluation.metrics=mig,dci'
  )
  other = read_run(make_run('mine', model='mine'))
  assert again.command(other) == f'structae train {other.folder}'


def test_one_sentence_says_where_factors_are():
  details = {'mig': {'entropy': [2.0, 2.0, 2.0]}}
  assert findings.places({'matrices': MATRICES, 'details': details}) == (
    'Where factors are: hue in U₁ and U₃ and U₂; size in no number alone; '
    'turn in no number alone.'
  )
  assert findings.places({'matrices': MATRICES, 'details': {}}) == ''
