"""``python -m bot``: see :mod:`bot.command_line`."""

if __name__ == "__main__":
    # Imported here: processes that help with drawing read this file again and need nothing of the bot.
    import sys

    from bot.command_line import main

    sys.exit(main())
