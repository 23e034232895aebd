"""The command menus: one for everybody, a longer one for administrators."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from telegram import Bot, BotCommand, BotCommandScope, BotCommandScopeChat, BotCommandScopeDefault
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.messages import Surface, commands_on

log = logging.getLogger(__name__)

FOR_ADMINISTRATORS: Final = tuple(BotCommand(one.name, one.menu) for one in commands_on(Surface.TELEGRAM))
FOR_EVERYBODY: Final = tuple(
    BotCommand(one.name, one.menu) for one in commands_on(Surface.TELEGRAM, administrators=False)
)


async def publish_menus(bot: Bot, admin_ids: Collection[int]) -> None:
    """Set the menus that differ from what Telegram has; a menu that cannot be set is left for the next start."""
    scopes: list[tuple[BotCommandScope, tuple[BotCommand, ...]]] = [(BotCommandScopeDefault(), FOR_EVERYBODY)]
    scopes += [(BotCommandScopeChat(admin_id), FOR_ADMINISTRATORS) for admin_id in admin_ids]
    for scope, commands in scopes:
        try:
            if await bot.get_my_commands(scope) != commands:
                await bot.set_my_commands(commands, scope)
                log.info("event=telegram_menu_set scope=%s", scope.type)
        except (BadRequest, Forbidden) as error:
            # An administrator's menu needs a chat with the bot: it comes with the first start after that.
            log.info("event=telegram_menu_refused scope=%s error=%s", scope.type, error)
        except TelegramError as error:
            log.warning("event=telegram_menu_failed scope=%s error=%s", scope.type, error)
