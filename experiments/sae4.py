"""SAE-4. python -m experiments.main --config=experiments/sae4.py[:quick]"""

from structae import config

get_config = config.variant('sae4')
