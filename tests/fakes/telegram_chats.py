"""What the loopback Bot API keeps - messages, files, menus, presses - and what each of its methods does with them."""

from __future__ import annotations

import io
import json
import re
import time
from typing import Any

from PIL import Image

from tests.fakes.telegram_calls import (
    POPUP_MAX,
    RESULTS_MAX,
    Call,
    Refusal,
    bad_request,
    caption_of,
    check_keyboard,
    text_of,
)

BOT = {"id": 123456789, "is_bot": True, "first_name": "Hitmeter", "username": "hitmeter_bot",
       "can_join_groups": True, "can_read_all_group_messages": False,
       "supports_inline_queries": True, "supports_guest_queries": True}  # fmt: skip


class TelegramChats:
    """Does what a request asks for, or refuses it with Telegram's own words.

    Attributes:
        commands: The menus by scope, as JSON, and language.
        languages: What the clients of people speak, by their ids; Telegram does not tell of others.
        messages: By chat and number.
        files: By their ids.
        blocked: Chats that blocked the bot.
        closed_topics: By chat and thread.
        without_pictures: Chats in which the bot may not send any.
        strangers: Chats that the bot never saw.
    """

    def __init__(self) -> None:
        self.commands: dict[tuple[str, str | None], list[dict[str, str]]] = {}
        self.languages: dict[int, str] = {}
        self.webhook: dict[str, Any] = {}
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.blocked: set[int] = set()
        self.closed_topics: set[tuple[int, int]] = set()
        self.without_pictures: set[int] = set()
        self.strangers: set[int] = set()
        self._next_id = 1000
        self._presses: set[str] = set()

    @staticmethod
    def private(user: int) -> dict[str, Any]:
        return {"id": user, "type": "private", "first_name": f"User {user}"}

    def do(self, call: Call) -> Any:
        """Answer a request.

        Raises:
            Refusal: It is none, or breaks a limit.
            BadHtml: Its text is no HTML of Telegram's.
        """
        snake_case = re.sub("([A-Z])", lambda capital: f"_{capital[1].lower()}", call.method)
        handler = getattr(self, f"_do_{snake_case}", None)
        if handler is None:
            raise Refusal(404, "Not Found")
        return handler(call)

    def _do_get_me(self, _: Call) -> Any:
        return BOT

    def _do_delete_webhook(self, _: Call) -> Any:
        self.webhook = {}
        return True

    def _do_set_webhook(self, call: Call) -> Any:
        if not str(call.params["url"]).startswith("https://"):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", call.params["secret_token"]):
            raise bad_request("secret token contains unallowed characters")
        self.webhook = call.params
        return True

    def _do_get_my_commands(self, call: Call) -> Any:
        return self.commands.get((json.dumps(call.params.get("scope")), call.params.get("language_code")), [])

    def _do_set_my_commands(self, call: Call) -> Any:
        scope = call.params.get("scope") or {"type": "default"}
        if scope.get("chat_id") in self.strangers:
            raise bad_request("chat not found")
        for command in call.params["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_INVALID")
        self.commands[json.dumps(scope), call.params.get("language_code")] = call.params["commands"]
        return True

    def _do_send_chat_action(self, call: Call) -> Any:
        self._check_chat(call)
        return True

    def _do_send_message(self, call: Call) -> Any:
        self._check_chat(call)
        return self._store(call, text_of(call, call.params["text"]))

    def _do_send_photo(self, call: Call) -> Any:
        return self._send_media(call, "photo")

    def _do_send_animation(self, call: Call) -> Any:
        return self._send_media(call, "animation")

    def _do_delete_message(self, call: Call) -> Any:
        if self.messages.pop(self._key(call), None) is None:
            raise bad_request("message to delete not found")
        return True

    def _do_edit_message_text(self, call: Call) -> Any:
        if "inline_message_id" in call.params:
            text_of(call, call.params["text"])
            check_keyboard(call)
            return True
        old = self._editable(call)
        if "text" not in old:
            raise bad_request("there is no text in the message to edit")
        return self._change(call, old, text_of(call, call.params["text"]))

    def _do_edit_message_media(self, call: Call) -> Any:
        old = self._editable(call)
        media = call.params["media"]
        self._check_pictures(call, media["type"])
        content = caption_of(call, media)
        return self._change(call, old, {**content, **self._media(call, media["type"], media["media"])})

    def _do_answer_callback_query(self, call: Call) -> Any:
        self._take_press(call.params["callback_query_id"])
        if len(call.params.get("text") or "") > POPUP_MAX:
            raise bad_request("MESSAGE_TOO_LONG")
        return True

    def _do_answer_inline_query(self, call: Call) -> Any:
        self._take_press(call.params["inline_query_id"])
        results = call.params["results"]
        ids = [result["id"] for result in results]
        if len(results) > RESULTS_MAX or len(set(ids)) != len(ids) or any(not 1 <= len(i) <= 64 for i in ids):
            raise bad_request("RESULTS_TOO_MUCH or RESULT_ID_INVALID")
        for result in results:
            content = Call("inline", {**result["input_message_content"], "reply_markup": result["reply_markup"]})
            text_of(content, content.params["message_text"])
            check_keyboard(content)
        return True

    def _do_answer_guest_query(self, call: Call) -> Any:
        self._take_press(call.params["guest_query_id"])
        result = call.params["result"]
        if not 1 <= len(result["id"]) <= 64 or not result["title"]:
            raise bad_request("RESULT_ID_INVALID")
        content = Call("guest", {**result["input_message_content"], "reply_markup": result.get("reply_markup")})
        text_of(content, content.params["message_text"])
        check_keyboard(content)
        call.plain = content.plain
        return {"inline_message_id": f"guest-message-{self._new_id()}"}

    # pieces

    def _take_press(self, press: str) -> None:
        if press not in self._presses:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        self._presses.discard(press)

    def _check_chat(self, call: Call) -> None:
        chat_id, thread_id = int(call.params["chat_id"]), int(call.params.get("message_thread_id") or 0)
        if chat_id in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if (chat_id, thread_id) in self.closed_topics:
            raise bad_request("TOPIC_CLOSED")

    def _check_pictures(self, call: Call, kind: str) -> None:
        if int(call.params["chat_id"]) in self.without_pictures:
            raise bad_request(f"not enough rights to send {kind}s to the chat")

    def _send_media(self, call: Call, kind: str) -> Any:
        self._check_chat(call)
        self._check_pictures(call, kind)
        content = caption_of(call, call.params)
        source = f"attach://{kind}" if kind in call.files else call.params.get(kind, "")
        return self._store(call, {**content, **self._media(call, kind, source)})

    def _media(self, call: Call, kind: str, source: str) -> dict[str, Any]:
        if source.startswith("attach://"):
            data = call.files[source.removeprefix("attach://")]
            with Image.open(io.BytesIO(data)) as image:
                image.load()
            file_id = f"file-{self._new_id()}"
            self.files[file_id] = data
        elif source in self.files:
            file_id, data = source, self.files[source]
        else:
            raise bad_request("wrong file identifier/HTTP URL specified")
        with Image.open(io.BytesIO(data)) as image:
            size = {"width": image.width, "height": image.height}
        about = {"file_id": file_id, "file_unique_id": f"u{file_id}", **size}
        if kind == "photo":
            return {"photo": [{**about, "file_id": f"{file_id}"}]}
        return {"animation": {**about, "duration": 1}}

    def _store(self, call: Call, content: dict[str, Any]) -> dict[str, Any]:
        check_keyboard(call)
        chat_id = int(call.params["chat_id"])
        chat = next((m["chat"] for (c, _), m in self.messages.items() if c == chat_id), self.private(chat_id))
        message = {"message_id": self._new_id(), "date": int(time.time()), "chat": chat, "from": BOT, **content}
        if call.params.get("message_thread_id"):
            message |= {"message_thread_id": int(call.params["message_thread_id"]), "is_topic_message": True}
        answered = call.params.get("reply_parameters")
        if answered:
            old = self.messages.get((chat_id, answered["message_id"]))
            if old is None and not answered.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
            if old is not None:
                message["reply_to_message"] = {k: v for k, v in old.items() if k != "reply_to_message"}
        if call.keyboard:
            message["reply_markup"] = call.params["reply_markup"]
        self.messages[chat_id, message["message_id"]] = message
        return message

    def _change(self, call: Call, old: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        check_keyboard(call)
        kept = {key: old[key] for key in ("message_id", "date", "chat", "from", "message_thread_id", "is_topic_message")
                if key in old}  # fmt: skip
        new = {**kept, **content}
        if call.keyboard:
            new["reply_markup"] = call.params["reply_markup"]
        if new == {key: value for key, value in old.items() if key not in {"edit_date", "reply_to_message"}}:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same"
            )
        new["edit_date"] = int(time.time())
        self.messages[self._key(call)] = new
        return new

    def _editable(self, call: Call) -> dict[str, Any]:
        message = self.messages.get(self._key(call))
        if message is None:
            raise bad_request("message to edit not found")
        if message["from"]["id"] != BOT["id"]:
            raise bad_request("message can't be edited")
        return message

    def _key(self, call: Call) -> tuple[int, int]:
        return int(call.params["chat_id"]), int(call.params["message_id"])

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id
