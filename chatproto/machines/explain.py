"""Why each content is sent again, or is not: the rules of history, told for one conversation."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from .history import Outcome, Turn, decode_content

if TYPE_CHECKING:
    from ..types import Content
    from .conversation import Conversation

__all__ = ["Explanation", "Rule", "explain"]


class Rule(enum.Enum):
    """The rule that puts a content into curated history, or keeps it out. The values are sentences."""

    FINISHED = "the turn is sent again, because its answer says something and was finished"
    KEPT = 'the turn is sent again as far as it came, because the chat has on_incomplete="keep"'
    OPEN = "the turn has not ended: it waits for function responses, or its answer is under way"
    UNANSWERED = "the turn is not sent again, because it holds a function call without its response"
    SAYS_NOTHING = "the turn is not sent again, because its answer holds nothing that can be used"
    CUT_SHORT = "the turn is not sent again, because its stream ended without a finish reason"
    FAILED = "the turn is not sent again, because an error ended it before its answer was finished"
    LEFT = "the turn is not sent again, because it was left before its answer was finished"


@attrs.frozen
class Explanation:
    """What becomes of one content, and why.

    ``turn`` is the number of its turn in the ledger, from 1; ``reason`` is what the ledger says of how the turn ended.
    """

    content: Content
    turn: int
    curated: bool
    comprehensive: bool
    rule: Rule
    reason: str


def explain(conversation: Conversation) -> list[Explanation]:
    """Every content of the ledger and of an open turn, in the order they were said, as far as they had arrived."""
    told = [
        Explanation(decode_content(encoded), turn.number, turn.curated, index < turn.shown, rule, turn.reason)
        for turn, rule in ((turn, _rule(turn)) for turn in conversation.turns)
        for index, encoded in enumerate(turn.encoded)
    ]
    number = len(conversation.turns) + 1
    reason = "function calls wait for an answer" if conversation.pending_calls else "the answer is under way"
    for index, encoded in enumerate(conversation.open_contents()):
        shown = index < conversation.shown_of_open
        told.append(
            Explanation(
                decode_content(encoded), number, curated=False, comprehensive=shown, rule=Rule.OPEN, reason=reason
            )
        )
    return told


def _rule(turn: Turn) -> Rule:
    if turn.curated:
        return Rule.FINISHED if turn.outcome is Outcome.COMPLETED else Rule.KEPT
    if turn.outcome in (Outcome.BLOCKED, Outcome.ABANDONED) and turn.unanswered:
        return Rule.UNANSWERED
    return _RULES[turn.outcome]


_RULES = {
    Outcome.COMPLETED: Rule.UNANSWERED,
    Outcome.BLOCKED: Rule.SAYS_NOTHING,
    Outcome.TRUNCATED: Rule.CUT_SHORT,
    Outcome.FAILED: Rule.FAILED,
    Outcome.ABANDONED: Rule.LEFT,
}
