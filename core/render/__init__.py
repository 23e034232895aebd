"""Pictures of a prediction: the card, its gauge and its colours."""
