"""What models are called, in which order and colour."""

import pytest

from structae.figures import models


def test_models_come_in_the_order_of_the_paper_and_strangers_last():
  shown = ['mine', 'β-VAE', 'VAE', 'SAE-2', 'AE', 'VLAE-12', 'SAE-12']
  expected = ['SAE-12', 'SAE-2', 'VLAE-12', 'AE', 'VAE', 'β-VAE', 'mine']
  assert sorted(shown, key=models.rank) == expected


@pytest.mark.parametrize(
  'name, title',
  [
    ('bvae', 'β-VAE'),
    ('tcvae', 'β-TCVAE'),
    ('fvae', 'FactorVAE'),
    ('vlae4', 'VLAE-4'),
    ('resnet50', None),
  ],
)
def test_config_names_have_their_models_titles(name, title):
  assert models.title(name) == title


def test_every_model_has_a_colour_of_its_own():
  shown = [title for title, _ in models.FAMILIES.values()]
  shown += [f'{f}-{k}' for f in ('SAE', 'VLAE') for k in (8, 6, 4, 3, 2)]
  found = models.colours(shown)
  assert len(set(found)) == len(shown)
  # A model's colour does not hang on what it is drawn beside.
  assert models.colours(shown[::-1]) == found[::-1]
  assert len(set(models.colours(['SAE-12', 'SAE-12']))) == 2
