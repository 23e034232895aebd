"""What is done ahead of the bot: collecting figures; nothing that runs imports it."""
