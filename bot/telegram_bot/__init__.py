"""Telegram, over python-telegram-bot: formats platform-free replies and nothing else."""
