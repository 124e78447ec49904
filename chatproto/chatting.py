"""The command line's chat: what is asked and answered on a screen, the commands beside it, and the file it is kept in.

What is imported here at once is light: ``--help`` must not wait for it.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import APIError, ChatProtoError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .chats import Chat
    from .client import Client
    from .machines.history import Turn
    from .screen import Screen
    from .types import GenerateContentResponse, GenerateContentResponseUsageMetadata, Part

__all__ = [
    "ANSWERED",
    "NOT_ANSWERED",
    "STOPPED",
    "WRONG_USE",
    "Talk",
    "read_chat",
    "resume_chat",
    "sentence",
    "token_counts",
]

ANSWERED, NOT_ANSWERED, WRONG_USE, STOPPED = 0, 1, 2, 130

HELP = """\
/history      what the next request will send
/history all  every turn, with how it ended and why
/undo         forget the last turn; /undo 3, the last three
/save FILE    keep the chat in a file, for chatproto chat --resume FILE
/help         this
/quit         leave; so does Ctrl-D
Ctrl-C stops an answer, or clears the line; twice, it leaves. A blank before the slash makes a line a message."""


class Talk:
    """A chat on a screen. ``files`` go with the first message, and again with the next while no turn has them.

    ``resumed`` is the file that the chat comes from, if it comes from one.
    """

    def __init__(
        self, chat: Chat, screen: Screen, *, streamed: bool, files: Sequence[Part] = (), resumed: str | None = None
    ) -> None:
        self._chat = chat
        self._screen = screen
        self._streamed = streamed
        self._files = files
        self._resumed = resumed
        #: How many turns are older than the files.
        self._before = len(chat.turns)

    def tell_of_open_calls(self) -> None:
        """Say that function calls wait, which is so in a chat that a program with functions has saved."""
        calls = self._chat.pending_calls
        if calls:
            waits = "a function call waits" if len(calls) == 1 else f"{len(calls)} function calls wait"
            self._screen.note(
                f"{waits} for an answer, which cannot be given here ({', '.join(call.name or '?' for call in calls)}):"
                " a message leaves the turn, and it is not sent again"
            )

    def ask(self, message: str) -> int:
        """Send, print the answer as it comes, and say what there is to say about it. The exit status."""
        from .machines.history import Outcome

        ended = len(self._chat.turns)
        usage: GenerateContentResponseUsageMetadata | None = None
        finish_reason = ""
        said: list[str | Part] = [*self._unsaid_files(), message]
        with ExitStack() as stack:
            responses: Iterable[GenerateContentResponse]
            if self._streamed:
                responses = stack.enter_context(self._chat.send_message_stream(said))
            else:
                responses = [self._chat.send_message(said)]
            for response in responses:
                self._screen.parts(response.parts or ())
                usage = response.usage_metadata or usage
                if response.candidates and response.candidates[0].finish_reason is not None:
                    finish_reason = response.candidates[0].finish_reason.value
        self._screen.end_line()
        summary = " · ".join(filter(None, [token_counts(usage), finish_reason]))
        if summary:
            self._screen.note(summary)
        turns = self._chat.turns
        if len(turns) == ended or self._chat.pending_calls or turns[-1].outcome is Outcome.COMPLETED:
            return ANSWERED
        self._screen.error(turns[-1].reason)
        return NOT_ANSWERED

    def _unsaid_files(self) -> Sequence[Part]:
        """The files, unless they are in what is sent anyway. A turn that has them may be undone."""
        said = any(turn.curated for turn in self._chat.turns[self._before :])
        return () if said else self._files

    def converse(self) -> int:
        """Take lines until there are no more. The exit status.

        At a terminal an error ends its turn; in a pipe it ends the chat, because the next lines may build on it.
        """
        screen, interactive = self._screen, sys.stdin.isatty()
        if interactive:
            if self._resumed is not None:
                screen.note(f"resumed {_count(self._chat)} from {self._resumed}")
            screen.note("/help lists the commands, Ctrl-D leaves")
        interrupted = False
        while True:
            try:
                line = screen.ask_for_line("> " if interactive else "")
            except EOFError:
                if interactive:
                    screen.note("")
                return ANSWERED
            except KeyboardInterrupt:
                if interrupted or not interactive:
                    raise
                interrupted = True
                screen.note("\nCtrl-C again leaves")
                continue
            interrupted = False
            if line.startswith("/") and line.strip() == "/quit":
                return ANSWERED
            if line.strip():
                status = self._take_at_terminal(line) if interactive else self._take(line)
                if status != ANSWERED and not interactive:
                    return status

    def _take_at_terminal(self, line: str) -> int:
        try:
            return self._take(line)
        except KeyboardInterrupt:
            self._screen.end_line()
            self._screen.note("stopped")
        except ChatProtoError as error:
            self._screen.error(sentence(error))
        return NOT_ANSWERED

    def _take(self, line: str) -> int:
        if not line.startswith("/"):
            return self.ask(line.strip())
        self._obey(line.strip())
        return ANSWERED

    # --- commands ---

    def _obey(self, line: str) -> None:
        match line.split(maxsplit=1):
            case ["/help"]:
                self._screen.line(HELP)
            case ["/history"]:
                for content in self._chat.get_history(curated=True):
                    self._screen.content(content)
            case ["/history", "all"]:
                for turn in self._chat.turns:
                    self._show_turn(turn)
            case ["/undo", *number]:
                self._undo(number[0] if number else "1")
            case ["/save", name]:
                path = _save(self._chat, name)
                self._screen.note(f"saved {_count(self._chat)} to {path}")
            case ["/save"]:
                raise ChatProtoError("/save needs the name of a file")
            case _:
                self._screen.error(f"there is no command {line!r}; /help lists them")

    def _show_turn(self, turn: Turn) -> None:
        for content in turn.contents:
            self._screen.content(content)
        forgotten = "" if turn.curated else "; not sent again"
        self._screen.line(f"turn {turn.number}, {turn.outcome.value}: {turn.reason}{forgotten}", "dim")

    def _undo(self, number: str) -> None:
        """Forget turns. Those that failed or were stopped are not counted, for no history has them."""
        wanted = int(number) if number.isdecimal() and len(number) < 10 else 0
        if not wanted:
            raise ChatProtoError(f"/undo is told how many turns to forget, counted from 1, and not {number!r}")
        try:
            forgotten = self._chat.rewind(wanted)
        except ValidationError:
            nothing = "there is nothing to undo" if wanted == 1 else f"there are not {wanted} turns to undo"
            raise ChatProtoError(nothing) from None
        self._before = min(self._before, len(self._chat.turns))
        begun = self._screen.beginning(forgotten[0].contents[0])
        self._screen.note(f"forgot: {begun}" if wanted == 1 else f"forgot {wanted} turns, from: {begun}")


def token_counts(usage: GenerateContentResponseUsageMetadata | None) -> str:
    """What an answer cost, for people; "" where that is not known."""
    if usage is None:
        return ""
    counts = {
        "in": usage.prompt_token_count,
        "thought": usage.thoughts_token_count,
        "out": usage.candidates_token_count,
        "tokens": usage.total_token_count,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count is not None)


def _count(chat: Chat) -> str:
    """The turns that /undo could forget."""
    count = sum(turn.curated or turn.shown > 0 for turn in chat.turns) + bool(chat.pending_calls)
    return "1 turn" if count == 1 else f"{count} turns"


def sentence(error: BaseException) -> str:
    """What went wrong, for people."""
    if not isinstance(error, APIError):
        return str(error) or type(error).__name__
    said = " ".join(["the server answered", str(error.code), *([error.status] if error.status else [])])
    if error.message:
        said += f": {error.message}"
    return said if error.retry_after is None else f"{said} (it asks to wait {error.retry_after:g} seconds)"


# --- the file -----------------------------------------------------------------------------------------------------


def _save(chat: Chat, name: str) -> Path:
    """Write the chat into a file, whole or not at all. Raises ChatProtoError, and what was there is there still."""
    text = chat.snapshot()
    try:
        path = Path(name).expanduser()
        target = path.resolve()  # a link stays one
        if target.exists() and not (target.is_file() and _holds_chat(target)):
            raise ChatProtoError(f"{path} is no chat that was saved, so it is left as it is: choose another name")
        _write(target, text)
    except OSError as error:
        raise ChatProtoError(f"the chat was not saved to {name}: {error.strerror or error}") from None
    except (RuntimeError, ValueError) as error:  # a user that is not known after ~, characters that no name has
        raise ChatProtoError(f"the chat was not saved to {name!r}: {error}") from None
    return path


def _write(path: Path, text: str) -> None:
    """Replace a file such that the old text or the new is there, also if the program is killed meanwhile."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))  # what was private stays private
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _holds_chat(path: Path) -> bool:
    """Whether a file is a saved chat. One that begins like something else may be large, and is not read further."""
    with path.open("rb") as file:
        head = file.read(64)
        return _begins_object(head) and _is_chat(head + file.read())


def _begins_object(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _is_chat(data: bytes) -> bool:
    """Whether this is JSON that ``chat.snapshot`` wrote, of whatever version."""
    import json

    from .machines.snapshot import FORMAT

    if not _begins_object(data):
        return False
    try:
        return bool(json.loads(data).get("format") == FORMAT)
    except (ValueError, RecursionError):
        return False


def read_chat(name: str) -> bytes:
    """What is in the file of a saved chat. Raises ValidationError where it holds something else."""
    try:
        data = Path(name).read_bytes()
    except FileNotFoundError:
        raise ValidationError(f"there is no file at {name}") from None
    except (OSError, ValueError) as error:
        raise ValidationError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not _is_chat(data):
        raise ValidationError(f"{name} is no chat that was saved: /save writes one")
    return data


def resume_chat(client: Client, name: str, data: bytes) -> Chat:
    """The chat of a file. Raises ValidationError where it cannot go on."""
    try:
        return client.chats.restore(data)
    except ValidationError as error:
        raise ValidationError(f"the chat in {name} cannot be resumed: {error}") from None
