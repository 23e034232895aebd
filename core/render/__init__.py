"""Pictures of predictions: the card, the comparison and the animation."""
