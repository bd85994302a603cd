"""SAE-12 of pairs.

python -m experiments.main --config=experiments/pairsae12.py[:quick]
"""

from structae import config

get_config = config.variant('pairsae12')
