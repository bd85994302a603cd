"""Names that other programs have lead to the fields."""

import pytest

from structae import config as config_lib
from structae.commands import train
from structae.config import FIELDS, elsewhere


@pytest.mark.parametrize(
  'flag, message',
  [
    ('--config.lr=1', 'did you mean train.learning_rate?'),
    ('--config.train.lr=1', 'did you mean train.learning_rate?'),
    ('--learning-rate=1', 'did you mean --config.train.learning_rate?'),
    ('lr=1e-3', 'did you mean --config.train.learning_rate?'),
    ('--epochs=1', '--config.train.num_steps is examples x epochs / '),
    ('--config.num_epochs=1', 'train.num_steps is examples x epochs'),
    ('--steps', 'did you mean --config.train.num_steps?'),
    ('--batch_size=1', 'did you mean --config.train.batch_size?'),
    ('--config.batch=1', 'did you mean train.batch_size?'),
    ('--config.latents=1', 'did you mean model.num_latents?'),
    ('--n_latents=1', 'did you mean --config.model.num_latents?'),
    ('--z-dim=1', 'did you mean --config.model.num_latents?'),
    ('--wd=1', 'training has no weight decay'),
    ('--num_gpus=2', 'CUDA_VISIBLE_DEVICES=0 in the environment chooses'),
    ('--output_dir=x', 'the folder of a run is workdir'),
    ('--n_seeds=3', 'structae sweep CONFIG --config.seed=0,1,2'),
  ],
)
def test_what_other_tools_call_a_field_is_known(flag, message, capsys):
  assert train.main(['sae12:smoke', flag]) == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert message in line


@pytest.mark.parametrize('name', [*elsewhere._NAMES, *elsewhere._ADVICE])
def test_names_from_elsewhere_lead_to_fields_and_are_none(name):
  assert name in FIELDS or name in elsewhere._ADVICE
  others = elsewhere._NAMES.get(name) or name
  leaves = {field.rpartition('.')[2] for field in FIELDS}
  assert not {*others.split()} & {*leaves} - {'name'}  # of which there are two
  for other in others.split():
    hint = config_lib.hint(f'train.{other.upper().replace("_", "-")}')
    assert name in hint or name in elsewhere._ADVICE, other


@pytest.mark.parametrize(
  'name, message',
  [
    ('lr', 'there is no field lr; did you mean train.learning_rate?'),
    ('epochs', 'there is no field epochs; training is counted in updates'),
    ('latent_dim', 'did you mean model.num_latents?'),
    ('device', 'there is no field device; all devices that jax finds'),
  ],
)
def test_the_same_names_in_python(name, message):
  with pytest.raises(config_lib.ConfigError) as error:
    config_lib.full_name(name)  # as structae.train does with its fields
  assert message in str(error.value) and '\n' not in str(error.value)
