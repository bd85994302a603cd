"""SAE-8. python -m experiments.main --config=experiments/sae8.py[:quick]"""

from structae import config

get_config = config.variant('sae8')
