"""SAE-12 with labels.

python -m experiments.main --config=experiments/lsae12.py[:quick]
"""

from structae import config

get_config = config.variant('lsae12')
