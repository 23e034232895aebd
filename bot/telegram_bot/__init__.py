"""Telegram, over python-telegram-bot: dresses the platform-free replies and nothing else."""
