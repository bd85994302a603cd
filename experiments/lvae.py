"""VAE with labels.

python -m experiments.main --config=experiments/lvae.py[:quick]
"""

from structae import config

get_config = config.variant('lvae')
