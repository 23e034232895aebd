"""What stands under a reply: buttons, songs to pick from, or nothing."""

from __future__ import annotations

from bot.discord_app.buttons import CompareButton, RefreshButton, WhyButton, answer_buttons
from bot.discord_app.choices import OPEN_S, OTHERS_OPEN_S, ChoicesView, PickButton, PickSelect, Terms, others_list
from bot.discord_app.desk import Manner
from bot.discord_app.exchange import AttachedView
from bot.reply import Reply, SongToken

LASTING = (WhyButton, RefreshButton, CompareButton, PickButton, PickSelect)
"""Items that go on working after a restart."""


def controls_for(reply: Reply, manner: Manner, now_s: float) -> AttachedView | None:
    """Make what stands under ``reply``; ``now_s`` counts from 1970."""
    if reply.choices and reply.prediction is None:
        # A song as typed may be too long for a button, so then the picked one is answered alone.
        against = reply.against if isinstance(reply.against, SongToken) else None
        return ChoicesView(reply.choices, Terms(manner, int(now_s) + OPEN_S, against))
    view = answer_buttons(reply, manner)
    if view is not None and reply.choices:
        view.add_item(others_list(reply.choices, Terms(manner, int(now_s) + OTHERS_OPEN_S)))
    return view
