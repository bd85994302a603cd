"""SAE-12. python -m experiments.main --config=experiments/sae12.py[:quick]"""

from structae import config

get_config = config.variant('sae12')
