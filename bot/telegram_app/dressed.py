"""A reply as Telegram takes it: one message, ready to be sent or to replace another."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Bot, InlineKeyboardMarkup, InputMediaAnimation, InputMediaPhoto, Message

from bot.telegram_app.places import Place, Sent


@dataclass(frozen=True, slots=True)
class Media:
    """A picture: its bytes with a file name, or the id of one that Telegram holds. A GIF is an animation."""

    source: bytes | str
    filename: str | None = None
    moving: bool = False


@dataclass(frozen=True, slots=True)
class Dressed:
    """One message: Telegram's HTML, the keyboard under it and its picture."""

    html: str
    keyboard: InlineKeyboardMarkup | None = None
    media: Media | None = None

    async def send(self, bot: Bot, place: Place) -> Message:
        """Send the message; how HTML is read and links are shown is set once, in the bot's defaults.

        Raises:
            TelegramError: It could not be sent.
        """
        chat, thread, answered = place.chat_id, place.thread_id, place.reply_parameters
        if self.media is None:
            return await bot.send_message(
                chat, self.html, message_thread_id=thread, reply_parameters=answered, reply_markup=self.keyboard
            )
        send = bot.send_animation if self.media.moving else bot.send_photo
        return await send(
            chat,
            self.media.source,
            caption=self.html,
            filename=self.media.filename,
            message_thread_id=thread,
            reply_parameters=answered,
            reply_markup=self.keyboard,
        )

    async def edit(self, bot: Bot, old: Sent) -> Message | None:
        """Put the message in the place of ``old``; a picture may be added to a text, but not taken away again.

        Returns:
            The message as Telegram has it now; None if Telegram does not tell.

        Raises:
            TelegramError: It could not be replaced.
        """
        if self.media is None:
            edited = await bot.edit_message_text(self.html, old.chat_id, old.message_id, reply_markup=self.keyboard)
        else:
            kind = InputMediaAnimation if self.media.moving else InputMediaPhoto
            picture = kind(self.media.source, caption=self.html, filename=self.media.filename)
            edited = await bot.edit_message_media(picture, old.chat_id, old.message_id, reply_markup=self.keyboard)
        return edited if isinstance(edited, Message) else None
