"""``python -m bot``: see :mod:`bot.command_line`."""

if __name__ == "__main__":
    # Imported here: processes that help with drawing read this file again and need nothing of the bot.
    import gc
    import sys

    # What is loaded stays, and looking for garbage among it takes 0.3 s; tune_runtime() turns that on for serving.
    gc.disable()
    from bot.command_line import main

    sys.exit(main())
