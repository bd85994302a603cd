"""Ada-GVAE.

python -m experiments.main --config=experiments/adagvae.py[:quick]
"""

from structae import config

get_config = config.variant('adagvae')
