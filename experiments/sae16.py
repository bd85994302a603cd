"""SAE-16. python -m experiments.main --config=experiments/sae16.py[:quick]"""

from structae import config

get_config = config.variant('sae16')
