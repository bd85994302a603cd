"""beta-TCVAE.

python -m experiments.main --config=experiments/tcvae.py[:quick]
"""

from structae import config

get_config = config.variant('tcvae')
