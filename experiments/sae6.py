"""SAE-6. python -m experiments.main --config=experiments/sae6.py[:quick]"""

from structae import config

get_config = config.variant('sae6')
