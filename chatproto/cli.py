"""The command line: ``chatproto chat``. It is a program over the library, and nothing imports it.

Everything is imported when it is needed, so that ``--help`` comes at once and a missing extra is a sentence.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import APIError, ChatProtoError, CredentialError, ValidationError
from .screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import click

    from .chats import Chat
    from .client import Client
    from .machines.history import Turn
    from .types import GenerateContentResponse, GenerateContentResponseUsageMetadata, Part

__all__ = ["command", "main"]

DEFAULT_MODEL = "gemini-2.5-flash"

ANSWERED, NOT_ANSWERED, WRONG_USE, STOPPED = 0, 1, 2, 130

NO_KEY = (
    "there is no API key: set GEMINI_API_KEY or GOOGLE_API_KEY,"
    " or answer from a recording with --replay, for example --replay fixtures/robot_story.json"
)

EXIT_STATUSES = """\b
Exit status:
  0    answered
  1    no answer, or not all of one
  2    wrong use: nothing was sent
  130  stopped by Ctrl-C"""

HELP = """\
/history      what the next request will send
/history all  every turn, with how it ended and why
/help         this
/quit         leave; so does Ctrl-D
Ctrl-C stops an answer, or clears the line; twice, it leaves. A blank before the slash makes a line a message."""


def main() -> None:
    """The program ``chatproto``. Without click or rich it says which extra is missing."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        sys.exit(f"chatproto's command line needs {names}, not installed here: pip install 'chatproto[cli]'")
    command()(prog_name="chatproto")


def command() -> click.Group:
    """The command line as a click command, for programs that nest it or test it. Needs the extra ``cli``."""
    import click

    def show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            from . import __version__

            click.echo(f"chatproto {__version__}")
            context.exit()

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.option(
        "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Print the version."
    )
    def chatproto() -> None:
        """Chats with Gemini models, live or from a recording."""

    @chatproto.command(epilog=EXIT_STATUSES)
    @click.argument("words", metavar="[MESSAGE]...", nargs=-1)
    @click.option("--model", metavar="NAME", default=DEFAULT_MODEL, show_default=True, help="The model to talk to.")
    @click.option("--system", metavar="TEXT", help="What the model is told before anything else.")
    @click.option(
        "--file",
        "paths",
        metavar="PATH",
        type=click.Path(),
        multiple=True,
        help="Upload a file, and send it with the first message. May be given several times.",
    )
    @click.option(
        "--replay",
        metavar="CASSETTE",
        type=click.Path(dir_okay=False),
        help="Answer from a recording, at its own pace on a terminal: no network, no key.",
    )
    @click.option(
        "--record",
        metavar="CASSETTE",
        type=click.Path(dir_okay=False, writable=True),
        help="Record the chat into a file, which is replaced.",
    )
    @click.option("--no-stream", is_flag=True, help="Wait for the whole answer.")
    @click.option("--thoughts", is_flag=True, help="Ask for a summary of the model's thoughts, too.")
    @click.option("--base-url", metavar="URL", help="Another server than Google's.")
    def chat(
        words: tuple[str, ...],
        model: str,
        system: str | None,
        paths: tuple[str, ...],
        replay: str | None,
        record: str | None,
        no_stream: bool,
        thoughts: bool,
        base_url: str | None,
    ) -> None:
        """Talk to a Gemini model.

        MESSAGE is sent, and the answer printed as it comes. Without one this is a chat: a line is a message, and /help
        lists what else there is. Lines may be piped in.

        The answer's text goes to standard output. On a terminal so do, dimmed, the model's thoughts, what in an answer
        is not text, and a last line of tokens and finish reason; elsewhere thoughts are left out, and the other two go
        to standard error.

        The key is taken from GOOGLE_API_KEY or GEMINI_API_KEY. A recording answers only what was recorded: the
        messages, the model and the options have to be the same, --no-stream included, and the files' contents, too:
        they are recorded.
        """
        if replay is not None and record is not None:
            raise click.UsageError("--replay and --record cannot be used together.")
        message = " ".join(words)
        if words and not message.strip():
            raise click.UsageError("MESSAGE is empty.")
        config: dict[str, Any] = {}
        if system is not None:
            config["system_instruction"] = system
        if thoughts:
            config["thinking_config"] = {"include_thoughts": True}
        where = {"replay": replay, "record": record, "base_url": base_url}
        sys.exit(_chat(message if words else None, model, config, paths, where, streamed=not no_stream))

    return chatproto


def _chat(
    message: str | None,
    model: str,
    config: dict[str, Any],
    paths: tuple[str, ...],
    where: dict[str, str | None],
    *,
    streamed: bool,
) -> int:
    """One message, or with None a whole chat. Gives the exit status."""
    screen = Screen()
    try:
        with ExitStack() as stack:
            try:
                files = [(path, _mime_type(path)) for path in paths]
                client = _open_client(stack, **where)
                if files and client.vertexai:
                    raise ValidationError("--file needs the Gemini API: Vertex AI has no uploads")
                opened = client.chats.create(model=model, config=config)
            except (ChatProtoError, OSError) as error:
                screen.error(NO_KEY if isinstance(error, CredentialError) else _sentence(error))
                return WRONG_USE
            uploaded = [_upload(client, screen, path, mime_type) for path, mime_type in files]
            session = _Session(opened, screen, streamed=streamed, files=uploaded)
            return session.converse() if message is None else session.ask(message)
    except BrokenPipeError:
        raise  # nobody reads any more; click knows what to do
    except (ChatProtoError, OSError) as error:
        screen.error(_sentence(error))
        return WRONG_USE if isinstance(error, ValidationError) else NOT_ANSWERED
    except KeyboardInterrupt:
        screen.end_line()
        return STOPPED


def _mime_type(path: str) -> str:
    """The type of a file that is to be uploaded. Raises ValidationError for what cannot be."""
    import mimetypes

    from .types._mime import guess_mime_type

    file = Path(path)
    if not file.exists():
        raise ValidationError(f"there is no file at {path}")
    if not file.is_file() or not os.access(file, os.R_OK):
        raise ValidationError(f"{path} is not a file that can be read")
    found = guess_mime_type("name" + file.suffix) or mimetypes.guess_type(file.name)[0]
    if found is None:
        raise ValidationError(
            f"the name of {path} does not tell its MIME type: give it an ending, such as .txt or .pdf"
        )
    return found


def _upload(client: Client, screen: Screen, path: str, mime_type: str) -> Part:
    """Upload a file, and refer to it."""
    from .types import FileData, Part

    try:
        with screen.progress(path, Path(path).stat().st_size) as progress:
            file = client.files.upload(file=path, config={"mime_type": mime_type}, progress=progress)
    except (ChatProtoError, OSError) as error:
        raise ChatProtoError(f"{path} was not uploaded: {_sentence(error)}") from error
    return Part(file_data=FileData(file_uri=file.uri, mime_type=file.mime_type))


def _open_client(stack: ExitStack, *, replay: str | None, record: str | None, base_url: str | None) -> Client:
    """A client, live or replaying. What has to be closed is left to ``stack``."""
    from .client import Client
    from .transport import find_transport

    transport: Any = None
    if replay is not None:
        # Never closed: to play only the first turns of a recording is no fault here.
        transport = find_transport("replay", path=replay, pace=1.0 if sys.stdout.isatty() else 0.0)
    elif record is not None:
        transport = stack.enter_context(find_transport("record", inner="requests", path=record))
    options = {} if base_url is None else {"base_url": base_url}
    return stack.enter_context(Client(transport=transport, http_options=options))


def _sentence(error: BaseException) -> str:
    """What went wrong, for people."""
    if not isinstance(error, APIError):
        return str(error) or type(error).__name__
    said = " ".join(["the server answered", str(error.code), *([error.status] if error.status else [])])
    if error.message:
        said += f": {error.message}"
    return said if error.retry_after is None else f"{said} (it asks to wait {error.retry_after:g} seconds)"


# --- the chat -----------------------------------------------------------------------------------------------------


class _Session:
    """A chat on a screen. ``files`` go with the first message, and again with the next while no turn is kept."""

    def __init__(self, chat: Chat, screen: Screen, *, streamed: bool, files: Sequence[Part] = ()) -> None:
        self._chat = chat
        self._screen = screen
        self._streamed = streamed
        self._files = files

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
        summary = " · ".join(filter(None, [_tokens(usage), finish_reason]))
        if summary:
            self._screen.note(summary)
        turns = self._chat.turns
        if len(turns) == ended or self._chat.pending_calls or turns[-1].outcome is Outcome.COMPLETED:
            return ANSWERED
        self._screen.error(turns[-1].reason)
        return NOT_ANSWERED

    def _unsaid_files(self) -> Sequence[Part]:
        """The files, unless what was said so far has them."""
        if self._files and self._chat.get_history(curated=True):
            self._files = ()
        return self._files

    def converse(self) -> int:
        """Take lines until there are no more. The exit status.

        At a terminal an error ends its turn; in a pipe it ends the chat, because the next lines may build on it.
        """
        screen, interactive = self._screen, sys.stdin.isatty()
        if interactive:
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
            if line.startswith("/"):
                if line.strip() == "/quit":
                    return ANSWERED
                self._obey(line)
            elif line.strip():
                status = self._ask_in_chat(line.strip(), interactive=interactive)
                if status != ANSWERED and not interactive:
                    return status

    def _ask_in_chat(self, message: str, *, interactive: bool) -> int:
        if not interactive:
            return self.ask(message)
        try:
            return self.ask(message)
        except KeyboardInterrupt:
            self._screen.end_line()
            self._screen.note("stopped")
        except ChatProtoError as error:
            self._screen.error(_sentence(error))
        return NOT_ANSWERED

    def _obey(self, line: str) -> None:
        match line.split():
            case ["/help"]:
                self._screen.line(HELP)
            case ["/history"]:
                for content in self._chat.get_history(curated=True):
                    self._screen.content(content)
            case ["/history", "all"]:
                for turn in self._chat.turns:
                    self._show_turn(turn)
            case _:
                self._screen.error(f"there is no command {line.strip()!r}; /help lists them")

    def _show_turn(self, turn: Turn) -> None:
        for content in turn.contents:
            self._screen.content(content)
        forgotten = "" if turn.curated else "; not sent again"
        self._screen.line(f"turn {turn.number}, {turn.outcome.value}: {turn.reason}{forgotten}", "dim")


def _tokens(usage: GenerateContentResponseUsageMetadata | None) -> str:
    if usage is None:
        return ""
    counts = {
        "in": usage.prompt_token_count,
        "thought": usage.thoughts_token_count,
        "out": usage.candidates_token_count,
        "tokens": usage.total_token_count,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count is not None)
