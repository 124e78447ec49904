"""The state tables: complete, alive, and the only way that a state changes."""

from __future__ import annotations

import ast
import copy
import enum
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import pytest

import chatproto
from chatproto.errors import LocalProtocolError
from chatproto.machines.states import (
    CONVERSATION,
    EXCHANGE,
    ConversationInput,
    ConversationState,
    ConversationStates,
    ExchangeInput,
    ExchangeState,
    ExchangeStates,
)

Table = Mapping[Any, Mapping[Any, Any]]

TABLES: dict[str, tuple[Table, type[enum.Enum], type[enum.Enum], Any]] = {
    "exchange": (EXCHANGE, ExchangeState, ExchangeInput, ExchangeStates),
    "conversation": (CONVERSATION, ConversationState, ConversationInput, ConversationStates),
}
PAIRS = [
    (name, state, happened)
    for name, (_, states, inputs, _) in TABLES.items()
    for state in states
    for happened in inputs
]
MACHINES = sorted((Path(chatproto.__file__).parent / "machines").glob("*.py"))


@pytest.mark.parametrize(("name", "state", "happened"), PAIRS, ids=lambda each: getattr(each, "name", each))
def test_every_input_in_every_state(name: str, state: Any, happened: Any) -> None:
    """L11: the table's transition, or LocalProtocolError and nothing changed."""
    table, _, _, kind = TABLES[name]
    states = kind(state)
    following = table[state].get(happened)
    assert states.allows(happened) == (following is not None)
    if following is not None:
        assert states.take(happened) is following
        assert states.state is following
        return
    before = pickle.dumps(states)
    with pytest.raises(LocalProtocolError) as caught:
        states.take(happened)
    assert pickle.dumps(states) == before
    assert happened.name in str(caught.value)
    assert state.name in str(caught.value)
    for possible in table[state]:
        assert possible.name in str(caught.value)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_alive(name: str) -> None:
    """Every state has a row and is reached from the first, every input does something somewhere, and every state but
    CLOSED leads on.
    """
    table, states, inputs, _ = TABLES[name]
    assert list(table) == list(states)
    reached = {next(iter(states))}
    for _ in states:
        reached |= {following for state in reached for following in table[state].values()}
    assert reached == set(states)
    assert {happened for row in table.values() for happened in row} == set(inputs)
    assert [state for state in states if not table[state]] == ([ExchangeState.CLOSED] if name == "exchange" else [])
    assert all(following in table for row in table.values() for following in row.values())


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_left_for_good(name: str) -> None:
    """A machine that nobody drives any more can always come to rest: no state is a trap."""
    table, states, _, _ = TABLES[name]
    rest = {ExchangeState.CLOSED} if name == "exchange" else {ConversationState.IDLE}
    done: set[Any] = set(rest)
    for _ in states:
        done |= {state for state in states if set(table[state].values()) & done}
    assert done == set(states)


@pytest.mark.parametrize("name", TABLES)
def test_states_are_copied_and_pickled(name: str) -> None:
    """L13: a state is a plain value."""
    _, states, _, kind = TABLES[name]
    for state in states:
        made = kind(state)
        assert copy.deepcopy(made).state is state
        assert pickle.loads(pickle.dumps(made)).state is state


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_a_state_is_assigned_in_one_file_only(path: Path) -> None:
    """Outside states.py nothing assigns a state, and a machine's states are made once, where it is made."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"setattr", "delattr"}, f"line {node.lineno}"
        if isinstance(node, ast.FunctionDef) and node.name != "__init__" and path.name != "states.py":
            assigned = {each.attr for each in ast.walk(node) if _is_assigned(each)}
            assert "_states" not in assigned, f"line {node.lineno}"
        if _is_assigned(node) and path.name != "states.py":
            assert node.attr not in {"state", "_state"}, f"line {node.lineno}"


def _is_assigned(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del))
