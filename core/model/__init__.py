"""The trained model: features, training, evaluation, the stored artifact, serving."""
