"""What people talk to: Discord, Telegram and the console, over one predictor."""
