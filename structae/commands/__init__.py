"""The commands of `structae`: flags and words, nothing else."""
