"""The command line: ``chatproto chat``, and the commands of plug-ins. A program over the library; nothing imports it.

Everything is imported when it is needed, so that ``--help`` comes at once and a missing extra is a sentence.

A package adds a command with an entry point of the group ``chatproto.commands``: its name is the command's, and it is a
click command, or a function that makes one. ``--help`` loads it for its one-line help, so it should import what it
works with when it is run.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .chatting import NOT_ANSWERED, STOPPED, WRONG_USE, Talk, read_chat, resume_chat, sentence
from .errors import ChatProtoError, CredentialError, ValidationError
from .screen import Screen

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import click

    from .client import Client
    from .types import Part

__all__ = ["command", "main"]

GROUP = "chatproto.commands"

DEFAULT_MODEL = "gemini-2.5-flash"

NO_KEY = (
    "there is no API key: set GEMINI_API_KEY or GOOGLE_API_KEY,"
    " or answer from a recording with --replay, for example --replay fixtures/robot_story.json"
)

EXIT_STATUSES = """\b
Exit status:
  0    answered
  1    no answer, or not all of one; or a command failed
  2    wrong use: nothing was sent
  130  stopped by Ctrl-C"""


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
    from click.core import ParameterSource

    from .plugins import plug_ins

    def show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            from . import __version__

            click.echo(f"chatproto {__version__}")
            context.exit()

    def refuse_beside_resume(*names: str) -> None:
        context = click.get_current_context()
        for name in names:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name} and --resume cannot be used together: a saved chat has its own.")

    class Commands(click.Group):
        """Its own commands, and those of plug-ins, which are loaded when they are asked for."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            return sorted({*super().list_commands(ctx), *plug_ins(GROUP)})

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            own = super().get_command(ctx, cmd_name)
            plugin = None if own is not None else plug_ins(GROUP).get(cmd_name)
            return own if plugin is None else _load(plugin)

    @click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
        "--resume",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Go on with a chat that /save wrote, with its own model and options.",
    )
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
        resume: str | None,
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

        /save FILE keeps the chat in a file, and --resume FILE goes on with it: the file has all that was said, the
        model and the options, so that --model, --system and --thoughts cannot be given again. It has no key. Going on
        does not change it: /save does.

        The key is taken from GOOGLE_API_KEY or GEMINI_API_KEY. A recording answers only what was recorded: the
        messages, the model and the options have to be the same, --no-stream included, and the files' contents, too:
        they are recorded.
        """
        if replay is not None and record is not None:
            raise click.UsageError("--replay and --record cannot be used together.")
        message = " ".join(words)
        if words and not message.strip():
            raise click.UsageError("MESSAGE is empty.")
        if resume is not None:
            refuse_beside_resume("model", "system", "thoughts")
        config: dict[str, Any] = {}
        if system is not None:
            config["system_instruction"] = system
        if thoughts:
            config["thinking_config"] = {"include_thoughts": True}
        where = {"replay": replay, "record": record, "base_url": base_url}
        said = message if words else None
        sys.exit(_chat(said, model, config, paths, where, streamed=not no_stream, resume=resume))

    return chatproto


def _load(plugin: EntryPoint) -> click.Command:
    """The command of a plug-in; of one that cannot be loaded, a command that says so."""
    import click

    try:
        loaded = plugin.load()
        found = loaded if isinstance(loaded, click.Command) else loaded()
    except Exception as error:  # noqa: BLE001  (whatever it is: the other commands work)
        return _refusing(plugin.name, f"{type(error).__name__}: {error}")
    if not isinstance(found, click.Command):
        return _refusing(plugin.name, f"{plugin.value} is no click command")
    return found


def _refusing(name: str, problem: str) -> click.Command:
    import click

    def refuse() -> None:
        sys.exit(f"Error: the command {name!r} cannot be loaded: {problem}")

    return click.Command(
        name,
        callback=refuse,
        help=f"Cannot be loaded: {problem}",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )


def _chat(
    message: str | None,
    model: str,
    config: dict[str, Any],
    paths: tuple[str, ...],
    where: dict[str, str | None],
    *,
    streamed: bool,
    resume: str | None,
) -> int:
    """One message, or with None a whole chat: a new one, or that of the file ``resume``. Gives the exit status."""
    screen = Screen()
    try:
        with ExitStack() as stack:
            try:
                files = [(path, _mime_type(path)) for path in paths]
                saved = None if resume is None else read_chat(resume)
                client = _open_client(stack, **where)
                if files and client.vertexai:
                    raise ValidationError("--file needs the Gemini API: Vertex AI has no uploads")
                if resume is None or saved is None:
                    chat = client.chats.create(model=model, config=config)
                else:
                    chat = resume_chat(client, resume, saved)
            except (ChatProtoError, OSError) as error:
                screen.error(NO_KEY if isinstance(error, CredentialError) else sentence(error))
                return WRONG_USE
            uploaded = [_upload(client, screen, path, mime_type) for path, mime_type in files]
            talk = Talk(chat, screen, streamed=streamed, files=uploaded, resumed=resume)
            talk.tell_of_open_calls()
            return talk.converse() if message is None else talk.ask(message)
    except BrokenPipeError:
        raise  # nobody reads any more; click knows what to do
    except (ChatProtoError, OSError) as error:
        # A recording speaks to all who play it; here its mode has the name of an option.
        screen.error(sentence(error).replace(', in mode "record"', ", with --record"))
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
        raise ChatProtoError(f"{path} was not uploaded: {sentence(error)}") from error
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
