"""Measurements of the bot's speed, each beside what it is compared with, in the same run."""
