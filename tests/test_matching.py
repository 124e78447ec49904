"""Rules, paths and reports: what of a request may differ, and how it is told what does."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import ValidationError
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode
from chatproto_replay import Body, Cassette, Exchange, Player, RecordedRequest, RecordedResponse, RequestMismatch, rules
from chatproto_replay.matching.alignment import aligned
from chatproto_replay.matching.canonical import canonical, fingerprint
from chatproto_replay.matching.differences import differences
from chatproto_replay.matching.mismatches import mismatch
from chatproto_replay.matching.paths import parse, places, written
from chatproto_replay.rules import normalised

Json = Any


def posted(document: Json, **more: Any) -> RecordedRequest:
    """A request with this JSON."""
    return RecordedRequest(**{"method": "POST", "path": "/v1/x", "body": Body("json", document), **more})


def chat(*said: str) -> dict[str, Any]:
    """A chat in which the user and the model take turns."""
    return {
        "contents": [
            {"role": "model" if number % 2 else "user", "parts": [{"text": text}]} for number, text in enumerate(said)
        ]
    }


def equal(recorded: Json, now: Json, *match: rules.Rule) -> bool:
    """Whether two bodies, or two requests, are equal under these rules."""
    pair = [each if isinstance(each, RecordedRequest) else posted(each) for each in (recorded, now)]
    seen = [normalised(each, match) for each in pair]
    same = fingerprint(seen[0]) == fingerprint(seen[1])
    assert same == (not differences(*seen))
    return same


def lines(recorded: Json, now: Json, *match: rules.Rule) -> list[str]:
    """The differences of two bodies, as they are told."""
    return [str(each) for each in differences(*(normalised(posted(each), match) for each in (recorded, now)))]


def refused(recorded: Json, now: Json, *others: Json, match: tuple[rules.Rule, ...] = ()) -> RequestMismatch:
    """The error for ``now`` where ``recorded`` is next, and ``others`` come after it."""
    requests = [normalised(posted(each), match) for each in (recorded, *others)]
    found = mismatch(
        "chat.json",
        normalised(posted(now), match),
        lambda index: requests[index],
        total=len(requests),
        left=range(len(requests)),
    )
    assert isinstance(found, RequestMismatch)
    return found


# --- paths ----------------------------------------------------------------------------------------------------------

DOCUMENT = {
    "contents": [
        {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"data": "AA=="}}]},
        {"role": "model", "parts": [{"text": "b"}]},
    ],
    "odd name": {"name": [1, {"name": 2}]},
    "name": 3,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ["$"]),
        ("$.name", ["$.name"]),
        ("$.contents[0].role", ["$.contents[0].role"]),
        ("$.contents[-1].role", ["$.contents[1].role"]),
        ("$.contents[-3]", []),
        ("$.contents[2]", []),
        ("$.contents[*].parts[*].text", ["$.contents[0].parts[0].text", "$.contents[1].parts[0].text"]),
        ("$.*.name", ['$["odd name"].name']),
        ('$["odd name"].name[1]', ['$["odd name"].name[1]']),
        ("..name", ['$["odd name"].name[1].name', '$["odd name"].name', "$.name"]),
        ("$..name", ['$["odd name"].name[1].name', '$["odd name"].name', "$.name"]),
        ('$..["odd name"]', ['$["odd name"]']),
        ("$.contents..text", ["$.contents[0].parts[0].text", "$.contents[1].parts[0].text"]),
        ("..parts[1]", ["$.contents[0].parts[1]"]),
        ("$..[1]", ["$.contents[0].parts[1]", '$["odd name"].name[1]', "$.contents[1]"]),
        ("$.name.name", []),
        ("$.contents.role", []),
        ("$.name[0]", []),
        ("$[0]", []),
    ],
)
def test_paths(path: str, found: list[str]) -> None:
    """Where they lead, the deepest place first."""
    assert [written(place) for place in places(parse(path), DOCUMENT)] == found


names = st.text(max_size=4) | st.sampled_from(["a", "b", "odd name", "$", "*", 'q"', "\\", "\n", "\ud800", "é", "_"])
jsons: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "b c", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def all_places(value: Json, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(each for key, inner in children for each in all_places(inner, (*place, key)))]


@given(jsons)
def test_every_place_has_a_path(document: Json) -> None:
    """What is written for a place is read, leads there and nowhere else, and can be printed."""
    for place in all_places(document):
        path = written(place)
        assert places(parse(path), document) == [place]
        assert path.encode().decode().isprintable()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", r"the path '', at character 0: expected \$, \.\., or one of method, path, query\.NAME"),
        ("contents", "at character 0: expected"),
        ("query.", "at character 0: expected"),
        ("$contents", r"at character 1: expected \"\.\", \"\.\.\" or \"\[\", found 'contents'"),
        ("$.", "at character 2: expected a name or \\*.*, found its end"),
        ("..", "at character 2: expected a name"),
        ("$...a", "at character 3: expected a name"),
        ("$.a.", "at character 4: expected a name"),
        ("$.odd name", r"at character 5: expected .*, found ' name'"),
        ("$.1", "at character 2: expected a name"),
        ("$.a[", "at character 4: expected an index, \\* or a name in double quotes, found its end"),
        ("$.a[b]", "at character 4: expected an index"),
        ("$.a['b']", "at character 4: expected an index"),
        ("$.a[1", 'at character 5: expected "]", found its end'),
        ("$.a[01]", 'at character 5: expected "]"'),
        ("$.a[1:2]", 'at character 5: expected "]"'),
        ('$.a["b]', "at character 4: expected an index"),
        ('$.a["\\x"]', "at character 4: expected a name quoted as in JSON"),
        (None, "the path of a rule is text, found NoneType"),
    ],
)
@pytest.mark.parametrize("make", [rules.ignore, rules.unordered, lambda path: rules.replace(path, "a", "b")])
def test_malformed_paths(make: Any, path: Any, words: str) -> None:
    """Refused when the rule is made, with the character."""
    with pytest.raises(ValidationError, match=words):
        make(path)


@given(st.text("$.[]*\"'ab01-\\ ", max_size=8))
def test_any_path_is_read_or_refused(path: str) -> None:
    """Nothing but ValidationError comes of a path, and what is read can be applied."""
    try:
        rule = rules.unordered(path)
    except ValidationError:
        return
    assert normalised(posted(DOCUMENT), [rule]).method == "POST"


# --- rules ----------------------------------------------------------------------------------------------------------


def test_ignore() -> None:
    """What is there may differ or be missing; an item of a list may differ, and must be there."""
    temperature = rules.ignore("$.generationConfig.temperature")
    config = {"temperature": 0.5, "topK": 1}
    assert equal({"generationConfig": config}, {"generationConfig": {**config, "temperature": [{}]}}, temperature)
    assert equal({"generationConfig": config}, {"generationConfig": {"topK": 1}}, temperature)
    assert not equal({"generationConfig": config}, {"generationConfig": {**config, "topK": 2}}, temperature)
    assert not equal({"generationConfig": {"temperature": 1}}, {}, temperature)
    assert equal(chat("a", "b"), chat("x", "b"), rules.ignore("$.contents[0]"))
    assert not equal(chat("a", "b"), chat("x", "y"), rules.ignore("$.contents[0]"))
    assert not equal({"a": [1, 2]}, {"a": [1]}, rules.ignore("$.a[*]"))
    assert not equal({"a": [1, 2]}, {"a": ["ignored", 2]}, rules.ignore("$.a[1]"))
    assert equal({"a": {"id": 1, "b": [{"id": 2}]}}, {"a": {"b": [{}]}}, rules.ignore("..id"))


def test_replace() -> None:
    """What matches may differ, in the texts at the path and below it; the rest of the text may not."""
    dates = rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE")
    assert equal(chat("on 2026-01-01", "no"), chat("on 2027-02-02", "no"), dates)
    assert not equal(chat("on 2026-01-01"), chat("at 2027-02-02"), dates)
    assert not equal(chat("on 2026-01-01"), chat("on Monday"), dates)
    below = rules.replace("$.tools", re.compile("v[0-9]+", re.IGNORECASE), "V")
    tools = {"tools": [{"name": "f V2", "description": {"x": ["v1", 5]}}]}
    assert equal(tools, {"tools": [{"name": "f v3", "description": {"x": ["V99", 5]}}]}, below)
    assert not equal(tools, {"tools": [{"name": "f v3", "description": {"x": ["V99", 6]}}]}, below)
    assert not equal({"tools": {"v1": 1}}, {"tools": {"v2": 1}}, below)
    assert equal({"a": "b-1-2"}, {"a": "c-2-1"}, rules.replace("$.a", r"^[bc]-(\d)-(\d)$", "same"))
    assert equal({"a": "1 2"}, {"a": "1 2"}, rules.replace("$.a", r"(\d) (\d)", r"\2 \1"))


@given(jsons, jsons)
def test_each_text_is_replaced_once(document: Json, other: Json) -> None:
    """A path that leads to a text in several ways, or to what is around it too, changes it once."""
    rule = rules.replace("$..*", "a", "aa")
    seen = rule(posted({"x": document, "y": [other, {"z": document}]}))
    assert seen.body is not None
    doubled = json.loads(json.dumps({"x": document, "y": [other, {"z": document}]}))

    def twice(value: Json, *, member: bool = True) -> Json:
        if isinstance(value, str):
            return value.replace("a", "aa") if member else value
        if isinstance(value, dict):
            return {name: twice(each) for name, each in value.items()}
        return [twice(each) for each in value] if isinstance(value, list) else value

    assert seen.body.value == twice(doubled)


def test_unordered() -> None:
    """The items may come in any order, and each as often as it was recorded."""
    rule = rules.unordered("$.a")
    assert equal({"a": [1, {"x": [1]}, "1"]}, {"a": ["1", 1.0, {"x": [1]}]}, rule)
    assert not equal({"a": [1, 1, 2]}, {"a": [1, 2, 2]}, rule)
    assert not equal({"a": [1, [2, 3]]}, {"a": [[3, 2], 1]}, rule)
    assert equal({"a": [1, [2, 3]]}, {"a": [[3, 2], 1]}, rules.unordered("$.a[*]"), rule)
    assert equal({"a": {"b": 1}}, {"a": {"b": 1}}, rule)
    nested = rules.unordered("$..*")
    assert equal({"a": {"b": [[1, 2], [3]]}}, {"a": {"b": [[3], [1, 2]]}}, nested)


def test_rules_outside_of_the_body() -> None:
    """The method, the path, parameters of the query, and a body that is text."""
    one = posted({}, query=(("alt", "sse"), ("pageToken", "a"), ("pageToken", "b")))
    other = posted({}, path="/v1/y", method="PUT", query=(("pageToken", "b"), ("pageToken", "a"), ("more", None)))
    assert not equal(one, other)
    names = [each.path for each in differences(one, other)]
    assert names == ["method", "path", "query.alt", "query.more", "query.pageToken"]
    some = [rules.ignore("method"), rules.replace("path", "x|y", "z"), rules.unordered("query.pageToken")]
    assert [each.path for each in differences(normalised(one, some), normalised(other, some))] == [
        "query.alt",
        "query.more",
    ]
    assert equal(one, other, *some, rules.ignore("query.alt"), rules.ignore("query.more"))
    assert equal(one, other, *some[:2], rules.ignore("query.*"))
    assert equal(one, other, rules.ignore("path"), *some[::2], rules.ignore("query.alt"), rules.ignore("query.more"))
    again = posted({}, query=(("alt", "SSE"), ("pageToken", "A"), ("pageToken", "B")))
    assert equal(one, again, rules.replace("query.*", "(?i)sse|a|b", "x"))
    texts = [posted({}, body=Body("text", text)) for text in ("id=1&x", "id=2&x")]
    assert equal(texts[0], texts[1], rules.replace("body", r"\d", "N"))
    assert not equal(texts[0], texts[1], rules.replace("body", "x", "y"))
    assert not equal(texts[0], posted({}), rules.replace("body", ".*", ""), rules.unordered("$.a"))


@pytest.mark.parametrize(
    "path",
    [
        *("$", "$.*", "..*", "$.contents", "..contents", '$["contents"]', "$.contents[*]", "$.contents[-1]"),
        *("$.contents[*].*", "$.contents[*].parts", "..parts", "..parts[*]", "$.contents[*].parts[0]", "body"),
        "$.contents[*].parts[*].*",
        "$.generateContentRequest",
        "$.generateContentRequest.contents",
        *("$..text", "..text", "$.contents[*].parts[*].text", "$.contents[*].parts[0].text", "$.contents..text"),
        *("$.contents[-1].parts[-1].text", "$.contents[-1].parts[*].text", "$.*[*].parts[*].text", "..parts[-1].text"),
        "$.generateContentRequest.contents[*].parts[*].text",
    ],
)
def test_no_rule_hides_what_is_said(path: str) -> None:
    """There is no switch that ignores the body, or all messages, or the newest one, or its text."""
    words = r"^rules\.ignore\(.*\) would hide what is asked, and any recorded answer would fit any question"
    with pytest.raises(ValidationError, match=words):
        rules.ignore(path)


@pytest.mark.parametrize("index", range(5))
def test_one_message_may_be_hidden(index: int) -> None:
    """By its number: it is the newest one of one request at most."""
    paths = (f"$.contents[{index}]", f"$.contents[{index}].parts", f"..contents[{index}]")
    for path in (*paths, f"$.contents[{index}].parts[*].text", f"$.contents[{index}]..text"):
        assert equal(chat(*"aaaaaa"), chat(*"aaaaaa"[:index], "b", *"aaaaaa"[index + 1 :]), rules.ignore(path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("$.a", "(", ""), r"the pattern '\(' of a rule: missing \), unterminated subpattern at position 0"),
        (("$.a", "a", r"\1"), r"the replacement .* of a rule: invalid group reference 1 at position 1"),
        (("$.a", "a", r"\g<x>"), r"the replacement .* of a rule: "),
        (("$.a", 3, ""), "the pattern of a rule is text, found int"),
        (("$.a", b"a", ""), "the pattern of a rule is text, found bytes"),
        (("$.a", re.compile(b"a"), ""), "the pattern of a rule is text, found bytes"),
        (("$.a", "a", 3), "what a rule replaces by is text, found int"),
    ],
)
def test_malformed_replacements(arguments: Any, words: str) -> None:
    """Refused when the rule is made."""
    with pytest.raises(ValidationError, match=words):
        rules.replace(*arguments)


def test_lists_outside_of_the_body() -> None:
    """Only a query has some."""
    for path in ("method", "path", "body"):
        with pytest.raises(ValidationError, match=f"{path} is no list"):
            rules.unordered(path)
    assert rules.unordered("query.a").path == "query.a"


@pytest.mark.parametrize(
    "rule",
    [
        rules.ignore("$.a"),
        rules.ignore('$["odd name"].x'),
        rules.unordered("$.tools"),
        rules.replace("$", r"\d+", "N"),
        rules.replace("$", 'a"b\\\\', 'x"y\\\\\n'),
        rules.replace("$", r"a\\" + "\\\\", ""),
        rules.replace("path", re.compile("a b", re.IGNORECASE | re.VERBOSE), "x"),
        rules.replace("query.*", "\n", "x"),
    ],
)
def test_rules_are_values(rule: rules.Rule) -> None:
    """Frozen, equal by what they say, and written as they are made."""
    again = eval(repr(rule), {"rules": rules, "re": re})
    assert (again, hash(again)) == (rule, hash(rule))
    assert pickle.loads(pickle.dumps(rule)) == copy.deepcopy(rule) == rule
    with pytest.raises(AttributeError):
        rule.path = "$.b"  # type: ignore[misc]
    assert len({rules.ignore("$.a"), rules.unordered("$.a"), rules.ignore("$.b"), rules.replace("$.a", "a", "")}) == 4


@given(jsons)
def test_rules_leave_the_request_alone(document: Json) -> None:
    """What they are applied to is not changed, and what they change nothing of stays equal to itself."""
    before = copy.deepcopy(document)
    request = posted(document)
    for rule in (rules.ignore("..a"), rules.unordered("..*"), rules.replace("$", "a", "b"), rules.ignore("..b[0]")):
        assert fingerprint(rule(request)) == fingerprint(rule(posted(before)))
    assert document == before


# --- equality -------------------------------------------------------------------------------------------------------


@given(jsons, jsons)
def test_equal_values_share_a_text(one: Json, other: Json) -> None:
    """Canonical text is equality: of JSON values, in which 1 is 1.0, true is no number, and keys have no order."""

    def same(left: Json, right: Json) -> bool:
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(same, left, right))
        if isinstance(left, bool) or isinstance(right, bool):
            return left is right
        return bool(left == right)

    assert (canonical(one) == canonical(other)) == same(one, other)
    assert canonical(one) == canonical(json.loads(json.dumps(one)))


def test_numbers() -> None:
    """By their value, whatever their size and spelling."""
    assert equal([1, 10**22, 0.5, -0.0, 1e300], [1.0, 1e22, 5e-1, 0, 10**300 if 1e300 == 10**300 else 1e300])
    for one, other in ((1, 2), (2**53, 2**53 + 1), (0.1, 0.1 + 1e-17 * 10), (1, True), (0, False), (0, None), (1, "1")):
        assert equal([one], [other]) == (one == other and isinstance(one, bool) == isinstance(other, bool))


# --- lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "now", "told"),
    [
        ("abc", "abc", []),
        ("abc", "abXc", [(None, 2)]),
        ("abc", "ac", [(1, None)]),
        ("abc", "abcX", [(None, 3)]),
        ("abc", "Xabc", [(None, 0)]),
        ("abc", "aXc", [(1, 1)]),
        ("ab", "ba", [(1, 0)]),
        ("abcd", "bcda", [(0, 3)]),
        ("", "ab", [(None, 0), (None, 1)]),
        ("ab", "", [(0, None), (1, None)]),
        ("aa", "aaa", [(None, 2)]),
        ("abcdef", "aXcdYef", [(1, 1), (None, 4)]),
    ],
)
def test_alignment(recorded: str, now: str, told: list[tuple[int | None, int | None]]) -> None:
    """Items are inserted, removed, changed or moved, and nothing else is said of those around them."""
    assert aligned(list(recorded), list(now)) == told


def test_partners_are_most_alike() -> None:
    """Where several items came for one, the one that is most like it is said to have changed."""
    recorded, now = ["the weather in Lisbon"], ["hello there", "the weather in Porto", "bye"]
    assert aligned(recorded, now) == [(None, 0), (0, 1), (None, 2)]
    assert aligned(now, recorded) == [(0, None), (1, 0), (2, None)]


@given(st.lists(st.integers(0, 3), max_size=9), st.lists(st.integers(0, 3), max_size=9))
def test_alignment_explains_the_difference(recorded: list[int], now: list[int]) -> None:
    """The items that are not named are the same ones, in the same order; each is named once."""
    pairs = aligned(recorded, now)
    ours = [i for i, _ in pairs if i is not None]
    theirs = [j for _, j in pairs if j is not None]
    assert len(set(ours)) == len(ours)
    assert len(set(theirs)) == len(theirs)
    assert [each for i, each in enumerate(recorded) if i not in ours] == [
        each for j, each in enumerate(now) if j not in theirs
    ]
    assert bool(pairs) == (recorded != now)


def test_what_is_said_often_is_aligned_too() -> None:
    """Long chats in which one sentence comes again and again."""
    recorded = [each for number in range(150) for each in (["yes"] * 3, number)]
    now = ["first", *recorded[1:100], "new", *recorded[100:-1], "last"]
    assert aligned(recorded, now) == [(0, 0), (None, 100), (299, 300)]


def test_alignment_is_bounded() -> None:
    """Long lists of one value, and long lists without a common one, take no time that grows beyond measure."""
    assert len(aligned([0, *[1] * 5000, 0], [2, *[1] * 5001, 2])) <= 5003
    assert len(aligned(list(range(4000)), list(range(5000, 8000)))) == 4000


# --- what is told ---------------------------------------------------------------------------------------------------


def test_a_message_in_the_middle() -> None:
    """One that is new is told as one, not as a difference of all that come after it; so is one that is gone."""
    whole = chat("a", "b", "c", "d", "e", "f")
    fewer = {"contents": [each for n, each in enumerate(whole["contents"]) if n != 2]}
    assert lines(fewer, whole) == ['$.contents[2]: inserted, now {"role": "user", "parts": [{"text": "c"}]}']
    assert lines(whole, fewer) == ['$.contents[2]: removed, recorded {"role": "user", "parts": [{"text": "c"}]}']
    swapped = {"contents": [whole["contents"][n] for n in (0, 1, 3, 2, 4, 5)]}
    assert lines(whole, swapped) == [
        '$.contents[2]: moved, recorded at $.contents[3], {"role": "model", "parts": [{"text": "d"}]}'
    ]
    changed = copy.deepcopy(whole)
    changed["contents"][4]["parts"][0]["text"] = "E"
    assert lines(fewer, changed) == [
        '$.contents[2]: inserted, now {"role": "user", "parts": [{"text": "c"}]}',
        '$.contents[4].parts[0].text (recorded at $.contents[3].parts[0].text): recorded "e", now "E"',
    ]
    (_, second) = differences(posted(fewer), posted(changed))
    assert (second.kind, second.path, second.recorded_path) == (
        "changed",
        "$.contents[4].parts[0].text",
        "$.contents[3].parts[0].text",
    )
    assert second.place == ("contents", 4, "parts", 0, "text")


def test_blobs() -> None:
    """Long base64 is told by its size and the beginning of its SHA-256, wherever it stands."""
    data = [bytes(range(n, n + 100)) for n in (0, 1)]
    blobs = [base64.b64encode(each).decode() for each in data]
    told = [f"base64 of 100 bytes, sha256 {hashlib.sha256(each).hexdigest()[:8]}" for each in data]
    assert lines({"data": blobs[0]}, {"data": blobs[1]}) == [f"$.data: recorded {told[0]}, now {told[1]}"]
    urlsafe = base64.urlsafe_b64encode(bytes(range(165, 255))).decode().rstrip("=")
    assert "base64 of 90 bytes" in lines({"data": urlsafe}, {"data": "x"})[0]
    assert lines({}, {"x": [{"data": blobs[1]}]}) == [f'$.x: recorded missing, now [{{"data": "<{told[1]}>"}}]']
    text = "an ordinary sentence of some length, with spaces in it, that nobody would take for anything but that"
    assert lines({"a": text}, {"a": text + "!"})[0].startswith('$.a: recorded ..."ke for anything but that", now')
    assert "base64" not in lines({"a": "averylongname" * 8}, {"a": ""})[0]
    assert "base64" not in lines({"a": "Zz9" * 31}, {"a": ""})[0]
    assert "1000 bytes, sha256 " in str(differences(posted(0, body=Body("b64", b"\0" * 1000)), posted(0)))


def test_what_cannot_be_printed() -> None:
    """Lone surrogates and control characters are told as escapes, in names and values."""
    assert lines({"\ud800\x1b": ["\ud800"]}, {}) == ['$["\\ud800\\u001b"]: recorded ["\\ud800"], now missing']
    assert lines({"a": "\x1b[31m"}, {"a": "é"}) == ['$.a: recorded "\\u001b[31m", now "é"']


# --- the report -----------------------------------------------------------------------------------------------------


def result(value: Json) -> dict[str, Any]:
    """A content with what a function returned."""
    return {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"at": value}}}]}


AT = "$.contents[*].parts[*].functionResponse.response.at"
CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?"
SEED = "$.generationConfig.seed"
CALL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
RESULT = result("10:00")


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, "contents[0], the first user message"),
        (1, "contents[1], the first function call"),
        (2, "contents[2], the first function response"),
        (3, "contents[3], the first model message"),
        (4, "contents[4], the second user message"),
        (5, 'contents[5], the first content of role "system"'),
        (6, "contents[6], the third user message"),
        (26, "contents[26], the 23rd user message"),
    ],
)
def test_the_turn_in_words(index: int, words: str) -> None:
    """Where two chats part is said in the words of people."""
    talk = chat("a", "b", "c")["contents"]
    recorded = [talk[0], CALL, RESULT, talk[1], talk[2], {"role": "system", "parts": []}]
    recorded += [{"parts": [{"text": str(n)}]} for n in range(22)]
    now = copy.deepcopy(recorded)
    now[index]["changed"] = 1
    error = refused({"contents": recorded}, {"contents": now})
    assert f"\nThe chats part at {words}.\n" in str(error)
    assert error.content == index
    now[index:] = []
    error = refused({"contents": recorded}, {"contents": now})
    assert f"\nThe chats part at {words.replace(', ', ', recorded as ')}.\n" in str(error)
    assert error.content == index


def test_elsewhere_no_turn_is_named() -> None:
    """A difference in the config is none of the conversation."""
    error = refused({**chat("a"), "x": 1}, {**chat("a"), "x": 2})
    assert error.content is None
    assert "chats part" not in str(error)


UUIDS = ("11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")


@pytest.mark.parametrize(
    ("recorded", "now", "advice"),
    [
        (
            chat("on 2026-01-02"),
            chat("on 2027-03-04"),
            [rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE")],
        ),
        (
            chat("at 2026-01-02T03:04:05Z", "yes", f"id {UUIDS[0]}, 10:30"),
            chat("at 2027-03-04 05:06:07.5+01:00", "yes", f"id {UUIDS[1]}, 10:30"),
            [
                rules.replace(
                    "$.contents[*].parts[*].text",
                    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
                    "TIME",
                ),
                rules.replace(
                    "$.contents[*].parts[*].text", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "UUID"
                ),
            ],
        ),
        (
            chat("3 apples"),
            chat("12.5 apples"),
            [rules.replace("$.contents[0].parts[0].text", r"\d+(?:\.\d+)?", "NUMBER")],
        ),
        (
            {"systemInstruction": {"parts": [{"text": f"It is 10:30 on 2026-01-02. User {UUIDS[0]}."}]}},
            {"systemInstruction": {"parts": [{"text": f"It is 9:05 on 2027-03-04. User {UUIDS[1]}."}]}},
            [
                rules.replace("$.systemInstruction.parts[0].text", pattern, name)
                for name, pattern in (
                    ("UUID", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
                    ("DATE", r"\d{4}-\d\d-\d\d"),
                    ("TIME", r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?"),
                )
            ],
        ),
        (chat("apples"), chat("pears"), []),
        (chat("3 apples"), chat("4 pears"), []),
        (chat("on 2026-01-02", "yes", "apples"), chat("on 2027-03-04", "yes", "pears"), []),
        ({"systemInstruction": {"parts": [{"text": "a"}]}}, {"systemInstruction": {"parts": [{"text": "b"}]}}, []),
        ({"contents": [result("10:00")]}, {"contents": [result("11:30")]}, [rules.replace(AT, CLOCK, "TIME")]),
        ({"contents": [result("early")]}, {"contents": [result("late")]}, []),
        ({"contents": [result(1.5)]}, {"contents": [result(2.5)]}, []),
        ({"contents": [result([1, 2])]}, {"contents": [result([2, 1])]}, []),
        ({"tools": [{"functionDeclarations": [1]}]}, {"tools": [{"functionDeclarations": [1, 2]}]}, []),
        ({"tools": [{"x": "a"}]}, {"tools": [{"x": "b"}]}, []),
        ({"messages": [{"content": "a"}]}, {"messages": [{"content": "b"}]}, []),
        ({"generationConfig": {"seed": 1}}, {"generationConfig": {"seed": 2}}, [rules.ignore(SEED)]),
        (
            {"generateContentRequest": {"generationConfig": {"seed": 1}}},
            {"generateContentRequest": {"generationConfig": {"seed": 2}}},
            [rules.ignore("$.generateContentRequest.generationConfig.seed")],
        ),
        ({"generateContentRequest": chat("a")}, {"generateContentRequest": chat("b")}, []),
        ({"a": {"temperature": 1}}, {"a": {"temperature": 2}}, [rules.ignore("$.a.temperature")]),
        ({"a": {"temperature": 1}}, {"a": {}}, [rules.ignore("$.a.temperature")]),
        ({"a": {"odd name": 1}}, {"a": {"odd name": 2}}, [rules.ignore('$.a["odd name"]')]),
        ({"tools": [1, 2]}, {"tools": [2, 1]}, [rules.unordered("$.tools")]),
        ({"stop": ["a"]}, {"stop": ["a", "b"]}, [rules.ignore("$.stop")]),
        (chat("a"), chat("a", "b", "c"), []),
        (chat("a", "b"), {"contents": chat("a", "b")["contents"][::-1]}, []),
        (chat("a"), {}, []),
        ({str(n): 0 for n in range(5)}, {str(n): 1 for n in range(5)}, []),
        ([1], [2], []),
        (1, 2, []),
    ],
)
def test_advice(recorded: Json, now: Json, advice: list[rules.Rule]) -> None:
    """Rules for what varies by itself, to be pasted, that let the request pass; none where something else is said."""
    error = refused(recorded, now)
    assert list(error.advice) == advice
    if advice:
        assert equal(recorded, now, *advice)
        pasted = str(error).splitlines()[-1].strip().removeprefix("match=")
        assert eval(pasted, {"rules": rules}) == advice
    else:
        assert "match=" not in str(error)
    assert 'If the change is meant, record it again, in mode "record".' in str(error)


@given(jsons, jsons)
def test_advice_always_helps(one: Json, other: Json) -> None:
    """What is advised, if anything, makes the two requests equal."""
    recorded, now = {"contents": [], "x": one, "y": [one, other]}, {"contents": [], "x": other, "y": [other]}
    if not equal(recorded, now):
        error = refused(recorded, now)
        assert not error.advice or equal(recorded, now, *error.advice)
        assert str(error).encode()


def test_advice_outside_of_the_body() -> None:
    """For the path and the query; none for the method."""

    def advice(recorded: RecordedRequest, now: RecordedRequest) -> list[rules.Rule]:
        error = mismatch("x", now, lambda _: recorded, total=1, left=[0])
        return list(error.advice)

    one = posted({})
    assert advice(one, posted({}, path="/v1/y")) == []
    models = [posted({}, path=f"/v1/models/gemini-{each}-flash:generateContent") for each in ("2.5", "3")]
    assert advice(*models) == []
    with_ids = [posted({}, path=f"/v1/{each}") for each in UUIDS]
    assert [each.path for each in advice(*with_ids)] == ["path"]
    assert isinstance(advice(*with_ids)[0], rules.Replace)
    assert advice(one, posted({}, query=(("a.b", "c"),))) == [rules.ignore("query.a.b")]
    assert advice(one, posted({}, method="PUT")) == []
    texts = [posted({}, body=Body("text", f"at {hour}:00, to {hour}")) for hour in (10, 11)]
    assert advice(*texts) == [rules.replace("body", r"\d+(?:\.\d+)?", "NUMBER")]
    assert advice(texts[0], posted({}, body=Body("text", "?"))) == []


def test_what_rules_hide_is_not_told() -> None:
    """A report under rules tells the rest, and shows ignored items as such."""
    match = (rules.ignore("$.a"), rules.ignore("$.b[0]"), rules.replace("$.c", r"\d", "N"))
    error = refused({"a": 1, "b": [1], "c": "x1", "d": 1}, {"a": 2, "b": [2, 3], "c": "y2", "d": 1}, match=match)
    assert [str(each) for each in error.differences] == [
        "$.b[1]: inserted, now 3",
        '$.c: recorded "xN", now "yN"',
    ]
    assert lines({}, {"b": [2, "x"]}, *match) == ['$.b: recorded missing, now ["<ignored>", "x"]']


def test_the_nearest_exchange_is_looked_for_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among hundreds of exchanges; where they are too much to look at, among those that are next to it."""
    many = [chat(f"question {number} of many") for number in range(300)]
    now = chat("question 250 of the many")
    assert refused({}, now, *many).nearest == 252
    monkeypatch.setattr("chatproto_replay.matching.mismatches._LOOKED_AT", 5000)
    assert 1 < refused({}, now, *many).nearest < 252
    assert "nearer" not in str(refused(chat("a", "b"), chat("a", "c"), chat("a", "d")))


SEVERAL = "If the program has several chats at once, play with in_order=False."


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.sampled_from("abcd"), st.integers(0, 4))
def test_playing_in_no_order_is_advised_where_it_helps(recorded: list[str], now: str, played: int) -> None:
    """Where the request equals an exchange that is left, and only there."""
    played = min(played, len(recorded) - 1)
    cassette = Cassette(
        exchanges=tuple(
            Exchange(request=posted({"contents": each}), response=RecordedResponse(status=200)) for each in recorded
        )
    )
    asked = [Request(method="POST", url="https://h/v1/x", body=(encode({"contents": each}),)) for each in recorded]
    request = Request(method="POST", url="https://h/v1/x", body=(encode({"contents": now}),))
    players = [Player(cassette, in_order=in_order) for in_order in (True, False)]
    for player, each in ((player, each) for player in players for each in asked[:played]):
        with player.open(each, Secrets({}, url="https://h")):
            pass
    errors: list[str] = []
    for player in players:
        try:
            with player.open(request, Secrets({}, url="https://h")):
                errors.append("")
        except RequestMismatch as error:
            errors.append(str(error))
    in_order, in_no_order = errors
    assert (SEVERAL in in_order) == (in_order != "" and in_no_order == "")
    assert SEVERAL not in in_no_order


def test_a_player_tells_it() -> None:
    """The whole report, as a program gets it."""
    exchanges = [
        Exchange(request=posted(chat(*said)), response=RecordedResponse(status=200))
        for said in (("hi",), ("hi", "ho", "tell me about rain"))
    ]
    player = Player(Cassette(exchanges=tuple(exchanges)), name="chat.json")
    requests = [
        Request(method="POST", url="https://h/v1/x", body=(encode(chat(*said)),))
        for said in (("hi",), ("hi", "ho", "tell me about snow"))
    ]
    assert player.find(requests[0]) is exchanges[0]
    with pytest.raises(RequestMismatch) as caught, player.open(requests[1], Secrets({}, url="https://h")):
        pass
    assert str(caught.value) == (
        "chat.json: request POST /v1/x is not the recorded exchange 2 of 2\n"
        '  $.contents[2].parts[0].text: recorded "tell me about rain", now "tell me about snow"\n'
        "The chats part at contents[2], the second user message.\n"
        'If the change is meant, record it again, in mode "record".'
    )
