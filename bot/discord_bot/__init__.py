"""The Discord adapter: formats platform-free replies and nothing else.

client.py connects, starts and stops; commands.py and views.py take what people ask; interaction.py admits it and
carries the answer back; formatting.py writes it.
"""
