"""The platform-free heart: from a typed question to a prediction and its card."""
