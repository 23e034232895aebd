"""What Discord sends and what it refuses, as its API reference describes both."""

from __future__ import annotations

import itertools
from typing import Any

APPLICATION_ID = "1000000000000000001"
BOT_ID = "1000000000000000002"
OWNER_ID = "1000000000000000003"
USER_ID = "1000000000000000004"
CHANNEL_ID = "1000000000000000005"
GUILD_ID = "1000000000000000006"

_ids = itertools.count(2_000_000_000_000_000_000)


def next_id() -> str:
    """Make a snowflake that was not used before."""
    return str(next(_ids))


def user(user_id: str, name: str, *, bot: bool = False) -> dict[str, Any]:
    """Describe a user."""
    return {
        "id": user_id, "username": name, "discriminator": "0", "global_name": None, "avatar": None, "bot": bot,
    }  # fmt: skip


def application() -> dict[str, Any]:
    """Describe the application and its owner."""
    return {
        "id": APPLICATION_ID, "name": "Hitmeter", "icon": None, "description": "", "bot_public": True,
        "bot_require_code_grant": False, "verify_key": "00", "flags": 0, "owner": user(OWNER_ID, "owner"), "team": None,
    }  # fmt: skip


def interaction(kind: int, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Describe something a user did in a private chat with the bot; ``kind`` 2 is a command, 3 a button."""
    return {
        "id": next_id(), "application_id": APPLICATION_ID, "type": kind, "token": f"interaction-token-{next_id()}",
        "version": 1, "data": data, "channel_id": CHANNEL_ID, "channel": {"id": CHANNEL_ID, "type": 1},
        "user": user(USER_ID, "ann"), "app_permissions": "0", "locale": "en-GB", "entitlements": [],
        "authorizing_integration_owners": {"1": USER_ID}, "context": 1, "attachment_size_limit": 10_485_760, **more,
    }  # fmt: skip


def command(name: str, **options: Any) -> dict[str, Any]:
    """Describe the use of a slash command with text or yes/no options."""
    given = [
        {"name": key, "type": 5 if isinstance(value, bool) else 3, "value": value} for key, value in options.items()
    ]
    return interaction(2, {"id": next_id(), "name": name, "type": 1, "options": given})


def message(body: dict[str, Any], files: list[tuple[str, bytes]], *, message_id: str | None = None) -> dict[str, Any]:
    """Describe a message of the bot as Discord returns it."""
    attachments = [
        {
            "id": next_id(), "filename": name, "size": len(data), "url": f"https://cdn.example/{name}",
            "proxy_url": f"https://cdn.example/{name}",
        }
        for name, data in files
    ]  # fmt: skip
    return {
        "id": message_id or next_id(), "channel_id": CHANNEL_ID, "author": user(BOT_ID, "hitmeter", bot=True),
        "content": body.get("content") or "", "timestamp": "2026-11-22T20:00:00+00:00", "edited_timestamp": None,
        "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": attachments,
        "embeds": body.get("embeds") or [], "components": body.get("components") or [], "pinned": False, "type": 0,
        "flags": body.get("flags") or 0,
    }  # fmt: skip


def fault_of(body: dict[str, Any]) -> str | None:
    """Name the limit a message breaks, or None."""
    for embed in body.get("embeds") or []:
        fields = embed.get("fields") or []
        texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
        texts += [text for field in fields for text in (field["name"], field["value"])]
        limits = [
            (len(embed.get("title") or "") <= 256, "embed title"),
            (len(embed.get("description") or "") <= 4096, "embed description"),
            (len(fields) <= 25, "embed fields"),
            (all(0 < len(field["name"]) <= 256 and 0 < len(field["value"]) <= 1024 for field in fields), "embed field"),
            (sum(len(text) for text in texts if text) <= 6000, "embed total"),
        ]
        if broken := [name for kept, name in limits if not kept]:
            return broken[0]
    rows = body.get("components") or []
    items = [item for row in rows for item in row.get("components", [])]
    limits = [
        (len(body.get("content") or "") <= 2000, "content"),
        (len(rows) <= 5 and all(len(row.get("components", [])) <= 5 for row in rows), "component rows"),
        (all(len(item.get("label") or "") <= 80 for item in items), "button label"),
        (all(len(item.get("custom_id") or "") <= 100 for item in items), "custom_id"),
        (all(len(one.get("description") or "") <= 1024 for one in body.get("attachments") or []), "alt text"),
    ]
    return next((name for kept, name in limits if not kept), None)


def on_a_server(payload: dict[str, Any], channel_id: str, user_id: str = USER_ID) -> dict[str, Any]:
    """Let a user have done in a channel of a server what ``payload`` describes as done in private."""
    given = {
        **payload,
        "channel_id": channel_id,
        "channel": {"id": channel_id, "type": 0, "name": "music", "position": 0},
    }
    member = {"user": user(user_id, f"user {user_id}"), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00",
              "deaf": False, "mute": False, "flags": 0, "permissions": "0"}  # fmt: skip
    del given["user"]
    return {**given, "guild_id": GUILD_ID, "guild": {"id": GUILD_ID, "locale": "en-GB", "features": []}, "context": 0,
            "member": member, "app_permissions": str(1 << 14 | 1 << 15)}  # fmt: skip


def completion(name: str, option: str, typed: str) -> dict[str, Any]:
    """Describe what Discord asks while somebody types into an option of a slash command."""
    options = [{"name": option, "type": 3, "value": typed, "focused": True}]
    return interaction(4, {"id": next_id(), "name": name, "type": 1, "options": options})
