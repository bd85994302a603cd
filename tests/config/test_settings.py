"""Which variants, sizes and objectives go together, and what is refused how."""

import dataclasses
from pathlib import Path

import pytest

from structae import config as config_lib
from structae.commands import config_flags
from structae.commands.parser import Parser
from structae.config import ConfigError

FILES = sorted(
  path.stem
  for path in Path('experiments').glob('*.py')
  if 'get_config = ' in path.read_text()
)


def parse(name, tokens='', *args):
  text = f'experiments/{name}.py' + (f':{tokens}' if tokens else '')
  parser = Parser('test')
  config_flags.add(parser)
  return config_flags.read(parser, [text, *args])[0].config


def test_there_is_a_config_for_every_variant():
  kinds = [f'{k}{n}' for k in ('sae', 'adaae', 'vlae')
           for n in (2, 3, 4, 6, 12, 16)]  # fmt: skip
  assert set(FILES) == {
    *kinds, 'sae8', 'ae', 'vae', 'bvae', 'wae', 'fvae', 'tcvae', 'graph4',
    'dipvae1', 'dipvae2', 'avae', 'csae12', 'lsae12', 'lvae',
    'pairsae12', 'adagvae',
  }  # fmt: skip


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('scale', ['', 'quick', 'hour', 'smoke'])
def test_every_variant_can_be_run_at_every_scale(name, scale):
  config = parse(name, scale)
  at_128 = name in ('sae8', 'sae16', 'adaae16', 'vlae16')
  assert config.model.num_latents == (32 if at_128 else 12)
  assert config.data.size == (32 if scale else 128 if at_128 else 64)
  assert config.model.head and config.model.str_tfm  # filled in, to be written


def test_an_hourglass_has_a_rate_of_its_own_below_the_paper_s_scale():
  rate = lambda *args: parse(*args).train.learning_rate
  assert rate('ae', 'quick') < rate('sae12', 'quick')
  assert rate('ae', '') == rate('sae12', '') == 5e-4
  assert rate('ae', 'quick', '--config.train.learning_rate=0.1') == 0.1


def test_a_set_of_larger_images_or_a_size_takes_its_own_settings():
  config = parse('sae4', '128px')
  assert config.data.size == 128 and config.model.num_blocks == 16
  assert config.model.str_tfm == (64, 128, 256)
  assert parse('sae16', '64px', '--config.model.num_latents=16',
               '--config.model.num_blocks=16').data.size == 64  # fmt: skip


def test_the_preset_is_a_token_or_a_field():
  for config in (
    parse('sae12', 'released'),
    parse('sae12', '', '--config.model.preset=released'),
  ):
    assert config.model.str_tfm == (64, 128)
  for model, has_form in (('vae', True), ('wae', True), ('sae12', False)):
    assert parse(model, 'released').objective.released == has_form
    assert not parse(model).objective.released
  given = parse('sae12', 'released', '--config.model.str_tfm=(8,)')
  assert given.model.str_tfm == (8,)


def test_the_paper_s_scale_scores_the_paper_s_points():
  assert parse('sae12').evaluation.points == 'full'
  assert parse('sae12', 'hour').evaluation.points == 'full'
  for scale in ('quick', 'smoke'):
    assert parse('sae12', scale).evaluation.points == 'split'
  # A run is the same whatever it is scored over.
  split = parse('sae12', '', '--config.evaluation.points=split')
  assert config_lib.config_hash(split) == config_lib.config_hash(parse('sae12'))


def test_objectives_start_with_the_published_weights():
  assert parse('vae').objective.beta == 1
  assert parse('vlae12').objective.beta == 1
  assert parse('bvae').objective.beta == 2
  assert parse('tcvae').objective.beta_tc == 4
  assert parse('fvae').objective.gamma == 40
  assert parse('fvae').objective.critic == (1000,) * 6
  assert parse('wae').objective.mmd_weight == 10


def test_feature_vectors_bring_their_likelihood():
  config = parse('sae12', 'arm_synth,smoke')
  assert config.data.size == 1
  assert config.objective.likelihood == 'gaussian'
  assert config.model.encoder == 'mlp'


@pytest.mark.parametrize(
  'args, expected',
  [
    (
      ('vlae12', '', '--config.model.num_variables=5'),
      'model.num_variables is 5, which does not divide model.num_latents 12; '
      'take 1, 2, 3, 4, 6 or 12',
    ),
    (
      ('vlae12', '', '--config.model.num_blocks=16'),
      '12 stages (model.num_stages or model.num_variables) do not divide the '
      '16 blocks at 64 pixels; take 1, 2, 4, 8 or 16',
    ),
    (
      (
        'ae',
        '',
        '--config.model.encoder=ladder',
        '--config.model.num_blocks=16',
      ),
      'the 12 rungs of a ladder (model.num_variables) do not divide the 16 '
      'blocks; take 1, 2 or 4',
    ),
    (
      ('vlae12', '', '--config.model.num_stages=6'),
      'model.num_stages is 6; a ladder decoder has one for each of its 12',
    ),
    (
      ('ae', '', '--config.model.num_stages=6'),
      'an hourglass decoder has none: take 0',
    ),
    (
      ('adaae12', '', '--config.model.num_stages=13'),
      '13 stages (model.num_stages or model.num_variables) are more than the '
      '12 blocks at 64 pixels; expected no more than one a block',
    ),
    (
      ('sae3', '', '--config.model.stage_blocks=3,4,4'),
      'model.stage_blocks is [3, 4, 4], 11 blocks together; expected the 12 of '
      'model.num_blocks',
    ),
    (
      ('sae3', '', '--config.model.stage_blocks=12'),
      'model.stage_blocks is [12]; expected a number for each of the 3 stages',
    ),
    (
      ('sae3', '', '--config.model.stage_blocks=3,4,0'),
      'model.stage_blocks is [3, 4, 0]; expected a tuple of whole numbers',
    ),
    (
      ('vlae3', '', '--config.model.stage_blocks=3,4,5'),
      'a ladder decoder spaces evenly what it has: take ()',
    ),
    (
      ('graph4', '', '--config.model.stage_blocks=6,6'),
      'expected a number for each of the 3 levels of the graph',
    ),
    (
      ('graph4', '', '--config.model.graph=a; b: c'),
      "a parent of b: 'c' is no variable; there are a, b",
    ),
    (
      ('graph4', '', '--config.model.graph=a; b: a'),
      'model.num_variables is 4; model.graph has 2 variables: '
      '--config.model.num_variables=2',
    ),
    (
      ('graph4', '', '--config.model.num_stages=2'),
      'a graph decoder has one for each variable: take 0',
    ),
    (
      ('graph4', '', '--config.model.num_blocks=2'),
      'model.graph has 3 variables on its longest way; the 2 blocks',
    ),
    (
      ('sae4', '', '--config.model.graph=a; b: a'),
      'a structural decoder reads none; take --config.model.decoder=graph',
    ),
    (
      ('vlae12', 'released', '--config.model.width=40'),
      'model.num_groups is 8, which does not divide the 30 channels that the '
      'rungs of a released ladder leave; take 1, 2, 5 or 10',
    ),
    (
      ('sae12', '', '--config.evaluation.num_prior_samples=9'),
      'but autoencoding gives codes no prior: sample by hybrid (take -1 or 0), '
      'or take an objective of annealed_vae, beta_tcvae, beta_vae, dip_vae_i, '
      'dip_vae_ii, factor_vae or wae',
    ),
    (
      ('fvae', '', '--config.objective.consistency=1'),
      'but factor_vae takes two batches in one',
    ),
    (
      ('lsae12', 'folder', '--config.data.path=.'),
      'labels.factors is []; folder has no factors: take weight 0',
    ),
    (
      ('lsae12', '', '--config.labels.factors=("hue",)'),
      "labels.factors is ['hue']; shapes3d_synth has floor_hue, wall_hue, ",
    ),
    (
      ('lsae12', '', '--config.model.num_variables=4'),
      'labels.factors go to variables [1, 2, 3, 4, 5, 6], of which there are 4',
    ),
    (
      ('lsae12', '', '--config.labels.variables=(1,1)'),
      'labels.variables is [1, 1]; expected 6 different ones',
    ),
    (
      ('lsae12', '', '--config.train.num_runs=2'),
      'labels.weight is 10.0; it goes with neither factor_vae nor',
    ),
    (
      ('pairsae12', 'smallnorb'),
      'labels.pairs is 1, but smallnorb does not show every combination',
    ),
    (
      ('pairsae12', '', '--config.labels.pairs=7'),
      'labels.pairs is 7; shapes3d_synth has 6 factors that can differ',
    ),
    (
      ('pairsae12', '', '--config.train.batch_size=33'),
      'train.batch_size is 33; labels.pairs takes an even number',
    ),
    (
      ('pairsae12', '', '--config.data.storage=memmap'),
      'data.storage is memmap; labels.pairs needs resident',
    ),
    (
      ('tcvae', '', '--config.objective.released=True'),
      'beta_tcvae has no released form; beta_vae, wae and factor_vae have',
    ),
    (
      ('wae', '', '--config.train.batch_size=1'),
      'wae compares the examples of a batch: at least 2',
    ),
    (
      ('sae12', 'arm_synth', '--config.objective.likelihood=bernoulli'),
      'feature vectors take gaussian',
    ),
    (
      ('sae12', '', '--config.data.name=arm_synth'),
      'data.size is 64; arm_synth comes at 1 pixels',
    ),
    (
      ('sae12', 'smallnorb', '--config.data.size=50'),
      'data.size is 50; smallnorb comes at 32 or 64 pixels',
    ),
    (
      (
        'sae12',
        'folder',
        '--config.data.path=.',
        '--config.data.size=1',
        '--config.objective.likelihood=gaussian',
      ),
      'data.size is 1; expected a power of two from 2',
    ),
    (
      ('sae12', '', '--config.evaluation.metrics=(["a"],)'),
      "evaluation.metrics is [['a']]; expected a tuple of names out of mig, ",
    ),
    (('sae12', '64px,128px'), "two tokens name a size: '64px' and '128px'"),
    (('sae12', 'relesed'), 'did you mean released?'),
  ],
)
def test_a_misfit_is_named_with_what_would_fit(args, expected):
  with pytest.raises(ConfigError) as caught:
    parse(*args)
  assert expected in str(caught.value)
  assert '\n' not in str(caught.value)
  assert 'Traceback' not in str(caught.value)


def test_a_run_is_told_apart_by_what_it_computes():
  config = parse('sae12', 'quick')
  hashed = config_lib.config_hash(config)
  spelled = parse('sae12', 'quick', '--config.train.learning_rate=2.2e-3')
  assert config_lib.config_hash(spelled) == hashed
  reseeded = parse('sae12', 'quick', '--config.seed=1')
  assert config_lib.config_hash(reseeded) != hashed


def test_a_field_that_came_later_changes_no_earlier_run(monkeypatch):
  config = parse('sae12', 'quick')
  hashed = config_lib.config_hash(config)
  old = config.to_dict()
  later = dataclasses.replace(config_lib.FIELDS['seed'], default=5)
  monkeypatch.setitem(config_lib.FIELDS, 'model.later', later)
  with config.unlocked():
    config.model.later = 5
  assert config_lib.config_hash(config) == hashed
  assert not config_lib.differences(old, config)
  config.model.later = 6
  assert config_lib.config_hash(config) != hashed
  assert config_lib.differences(old, config) == ['model.later was 5, now 6']


def test_a_graph_in_a_file_is_written_out(tmp_path):
  file = tmp_path / 'scene.json'
  file.write_text('{"room": [], "object": ["room"], "hue": ["room", "object"]}')
  graph = lambda text: parse(
    'graph4',
    '',
    f'--config.model.graph={text}',
    '--config.model.num_variables=3',
  )
  text = 'room; object: room; hue: room, object'
  read, given = graph(file), graph(text.replace(' ', ''))
  assert read.model.graph == given.model.graph == text
  assert config_lib.config_hash(read) == config_lib.config_hash(given)


def test_a_start_is_known_by_its_folder_wherever_it_lies():
  starts = ['runs/sae12-a', '/elsewhere/sae12-a/', 'runs/sae12-b']
  one, moved, other = (
    config_lib.config_hash(
      parse('sae12', 'quick', f'--config.train.init_from={start}')
    )
    for start in starts
  )
  assert one == moved != other
