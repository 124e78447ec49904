"""``chatproto cassette``: looking at cassettes, and changing them. ``chatproto.cli`` finds it by its entry point.

What a command works with is imported when it runs, so that ``--help`` comes at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from chatproto.screen import Screen

    from ..matching.differences import Difference
    from .comparing import Compared, Comparison
    from .soundness import Checked

__all__ = ["command"]

_LINES = 20  # of the differences of one request or answer

DONE, NOT_DONE, TROUBLE, STOPPED = 0, 1, 2, 130


class _Commands(click.Group):
    """Says what went wrong in a sentence, on standard error, with the exit status for trouble."""

    def invoke(self, ctx: click.Context) -> Any:
        from chatproto.errors import ChatProtoError

        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # nobody reads any more; click knows what to do
        except KeyboardInterrupt:
            ctx.exit(STOPPED)
        except (ChatProtoError, OSError) as error:
            from chatproto.chatting import sentence

            _screen().error(sentence(error))
            ctx.exit(TROUBLE)


def _screen() -> Screen:
    from chatproto.screen import Screen

    return Screen()


def _statuses(*lines: str, stopped: str = "130  stopped by Ctrl-C") -> str:
    """The epilog of a command's help."""
    return "\b\nExit status:\n" + "\n".join(f"  {line}" for line in (*lines, stopped))


_FILE = click.Path(dir_okay=False)


@click.group(cls=_Commands)
def command() -> None:
    """Show, check, compare, change and serve recorded chats.

    CASSETTE is a file that "chatproto chat --record", a Recorder or a test has written.
    """


@command.command(epilog=_statuses("0    shown", "2    trouble: no cassette, or wrong use"))
@click.argument("cassette", type=_FILE)
@click.option("--exchange", metavar="N", type=click.IntRange(min=1), help="Only this exchange. They count from 1.")
@click.option("--full", is_flag=True, help="Cut nothing, and repeat what a request says again.")
def show(cassette: str, exchange: int | None, full: bool) -> None:
    """Print a recorded chat as people read it.

    For each exchange: what it adds to the chat before it, with the answer folded; then its status, times, size, tokens,
    and how it ended. "follows 1" says that a request goes on from exchange 1, "1 again" that it is the same request.
    """
    from chatproto.errors import ValidationError

    from ..cassette import Cassette
    from ..matching.excerpts import counted
    from .showing import Showing

    loaded = Cassette.load(cassette)
    if exchange is not None and exchange > len(loaded.exchanges):
        held = counted(len(loaded.exchanges), "exchange")
        raise ValidationError(f"{cassette} has {held}, and no number {exchange}")
    showing = Showing(loaded, _screen(), full=full)
    if exchange is None:
        showing.all(cassette)
    else:
        showing.exchange(exchange)


@command.command(epilog=_statuses("0    all are sound", "1    there are problems", "2    trouble: nothing to check"))
@click.argument("paths", metavar="PATH...", type=click.Path(), nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="json is for programs.")
def check(paths: tuple[str, ...], form: str) -> None:
    """Say whether cassettes are sound: files, or all in a folder.

    Looked at are the format; every request and answer, which must come back from the library's values as it was; how
    responses ended; whether each request of a chat sends what the model said; and whether anything looks like a
    credential, also in base64, percent signs and gzip. A line for each file, and under it one for each problem.

    What looks like a credential: keys and tokens of Google (AIza..., AQ...., ya29....), keys that begin with sk-,
    tokens of GitHub (ghp_, gho_, ghu_, ghs_, ghr_, github_pat_), what follows Bearer, ?key= or ?access_token=, and
    -----BEGIN of keys and certificates. A credential of another shape is not found.
    """
    from ..matching.excerpts import counted
    from .soundness import check_files

    screen = _screen()
    found: list[Checked] = []
    for checked in check_files(paths):
        found.append(checked)
        if form == "text":
            count = checked.exchanges
            held = "" if count is None else f", {counted(count, 'exchange')}"
            bad = len(checked.problems)
            state = counted(bad, "problem") if bad else "sound"
            screen.line(f"{checked.name}: {state}{held}", "red" if bad else "")
            for problem in checked.problems:
                screen.line(f"  {problem}")
    if form == "json":
        click.echo(json.dumps([checked.to_json() for checked in found], indent=2))
    sys.exit(NOT_DONE if any(checked.problems for checked in found) else DONE)


#: Keys under which the API has words that machines go by, also in what is below them. In lower case, no underscores.
_STRUCTURE = frozenset(
    {
        *("role", "name", "type", "mimetype", "finishreason", "blockreason"),
        *("contents", "content", "parts", "candidates", "functioncall", "functionresponse", "tools"),
        *("functiondeclarations", "parameters", "inlinedata", "filedata", "generationconfig"),
        *("responsemimetype", "promptfeedback", "modality"),
    }
)


@command.command(
    epilog=_statuses("0    done, whether or not there was anything", "2    trouble: nothing was written, or wrong use")
)
@click.argument("cassette", type=_FILE)
@click.option("--pattern", "patterns", metavar="REGEX", multiple=True, help="Text to replace. May be given again.")
@click.option("--key", "keys", metavar="NAME", multiple=True, help="A JSON key whose texts to replace, as a whole.")
@click.option("--by", metavar="TEXT", default="REDACTED", show_default=True, help="What stands there instead.")
@click.option("--in-place", is_flag=True, help="Replace the file.")
@click.option("-o", "--output", metavar="FILE", type=_FILE, help="Write another file.")
@click.option("--dry-run", is_flag=True, help="Only say how many places there are.")
def redact(
    cassette: str,
    patterns: tuple[str, ...],
    keys: tuple[str, ...],
    by: str,
    in_place: bool,
    output: str | None,
    dry_run: bool,
) -> None:
    """Replace texts in requests, answers and failures.

    The rules are those of redact= in a program: give the same ones to what plays the cassette, because it sends the
    true text. Patterns come first, then keys, each in the order they were given. The file is replaced as a whole.

    A key under which the API's own words stand, such as role, name or parts, is refused: give a pattern for the text.
    """
    from ..cassette import Cassette
    from ..matching.excerpts import counted
    from ..redaction.bodies import Redaction
    from ..redaction.changing import redact_cassette

    if not patterns and not keys:
        raise click.UsageError("give a --pattern or a --key: there is nothing to replace.")
    if sum((in_place, output is not None, dry_run)) != 1:
        raise click.UsageError("give one of --in-place, --output FILE and --dry-run.")
    refused = [key for key in keys if key.replace("_", "").lower() in _STRUCTURE]
    if refused:
        raise click.UsageError(
            f"--key {refused[0]} would also replace words of the API itself, by which a chat is read and played: roles,"
            " names of functions and the like. Give a --pattern for the text."
        )
    rules = [*(Redaction(pattern, by=by) for pattern in patterns), *(Redaction.key(key, by=by) for key in keys)]
    changed = redact_cassette(Cassette.load(cassette), rules)
    if not dry_run:
        target = output or cassette
        if output is not None or changed.places:
            changed.cassette.save(target)
    places = f"{counted(changed.places, 'place')} in {counted(changed.exchanges, 'exchange')}"
    click.echo(f"{cassette}: {places}{', not written' if dry_run else ''}")


@command.command(epilog=_statuses("0    a program would see no difference", "1    they differ", "2    trouble"))
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
def diff(a: str, b: str) -> None:
    """Compare two cassettes, exchange by exchange.

    Requests are compared as a player does, by JSON path; answers by what a program sees of them: what was said, folded,
    the finish reason, the tokens, the failure. Where only bytes differ, such as chunks and times, that is said, and is
    no difference. Of equal ones nothing is said.
    """
    from ..cassette import Cassette
    from .comparing import compare

    found = compare(Cassette.load(a), Cassette.load(b))
    _print_comparison(_screen(), found, a, b)
    sys.exit(DONE if found.equal else NOT_DONE)


def _print_comparison(screen: Screen, found: Comparison, a: str, b: str) -> None:
    if not found.equal:
        screen.line(f"A: {a}\nB: {b}", "bold")
    for each in found.exchanges:
        if each.alone:
            screen.line(f"exchange {each.number}: in {each.alone} only")
        for what, differences in (("requests", each.request), ("answers", each.answer)):
            if differences:
                screen.line(f"exchange {each.number}: the {what} differ", "bold")
                _print_differences(screen, differences)
        if each.bytes:
            screen.line(_only_bytes(each), "dim")
    if not found.equal:
        screen.line(f"The two first part in {found.parting}.")


def _print_differences(screen: Screen, differences: tuple[Difference, ...]) -> None:
    for each in differences[:_LINES]:
        screen.line(f"  {each.path}\n    A: {each.recorded}\n    B: {each.now}")
    if len(differences) > _LINES:
        screen.line(f"  and {len(differences) - _LINES} more")


def _only_bytes(each: Compared) -> str:
    return f"exchange {each.number}: the answers are equal but for their {', '.join(each.bytes)}"


@command.command(
    name="import",
    epilog=_statuses("0    imported", "1    not imported: a credential is in it, or no exchange", "2    trouble"),
)
@click.argument("file", type=_FILE)
@click.option("-o", "--output", metavar="CASSETTE", type=_FILE, help="Where to write, replacing what is there.")
def import_(file: str, output: str | None) -> None:
    """Make a cassette of one that vcrpy has written, as YAML or JSON.

    It goes beside FILE: NAME.yaml becomes NAME.json, and any other NAME.chatproto.json.

    Exchanges with Gemini and Vertex AI are taken over, others are named on standard error. They are told by the path,
    as in /v1beta/files, at Google's hosts and where a model was called. A body is one chunk, because
    vcrpy joins them. If a key or token that the file's own headers and URLs show occurs anywhere in what would be
    written, nothing is.
    """
    from ..errors import CredentialInCassette
    from ..matching.excerpts import counted
    from .importing import import_vcr, output_beside

    target = Path(output or output_beside(file))
    if target.exists() and (output is None or target.samefile(file)):
        raise click.UsageError(f"{target} is there already: say with --output where to write.")
    screen = _screen()
    try:
        imported = import_vcr(file)
    except CredentialInCassette as error:
        screen.error(str(error))
        sys.exit(NOT_DONE)
    for left in imported.left_out:
        click.echo(f"left out: {left}", err=True)
    for bodiless in imported.unplayable:
        click.echo(f"no request will match: {bodiless} has no body in the file (older vcrpy, with aiohttp)", err=True)
    if not imported.cassette.exchanges:
        screen.error(f"{file} has no exchange with Gemini or Vertex AI, so nothing was written")
        sys.exit(NOT_DONE)
    imported.cassette.save(target)
    click.echo(f"{target}: {counted(len(imported.cassette.exchanges), 'exchange')}")


@command.command(
    epilog=_statuses(
        "0    stopped, and every request was answered",
        "1    stopped, and some were refused",
        stopped="2    trouble: it never served",
    )
)
@click.argument("path", type=click.Path())
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--pace", type=click.FloatRange(min=0), default=0.0, help="1 plays in the recorded time; 0, at once.")
@click.option(
    "--mode",
    type=click.Choice(["replay", "record", "record-missing", "live"]),
    default="replay",
    show_default=True,
    help="Answer from the cassette, or pass requests on and record.",
)
@click.option("--upstream", metavar="URL", default=None, help="Where requests are passed on to, where they are.")
def serve(path: str, port: int, host: str, pace: float, mode: str, upstream: str | None) -> None:
    """Serve a cassette, or a folder of them, over HTTP until Ctrl-C.

    The first line of standard output is the URL. Clients of any language play it: GOOGLE_GEMINI_BASE_URL tells
    google-genai and chatproto where it is.
    """
    from ..serving.server import GOOGLE, run

    sys.exit(run(path, port=port, host=host, pace=pace, mode=mode, upstream=upstream or GOOGLE, announce=_announce))


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
