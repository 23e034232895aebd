"""The Discord adapter: dresses platform-free replies and nothing else.

platform.py starts and stops it; client.py is the connection; commands.py, buttons.py, choices.py and compare_modal.py
take what people ask; desk.py admits it, exchange.py carries the answer back, dressing.py and embeds.py clothe it.
"""
