"""Print the README's table of differences from google-genai: ``python tests/print_differences.py``."""

from __future__ import annotations

from differential.deliberate import DELIBERATE

__all__ = ["table"]


def table() -> str:
    """One row for each difference that is meant; the last column says whether it stays with ``compat``."""
    lines = ["| what | google-genai | chatproto | why | with `compat` |", "|---|---|---|---|---|"]
    for each in DELIBERATE:
        if each.belongs_to or "default" not in each.profiles:
            continue  # another row tells of it
        kept = "as chatproto" if "compat" in each.profiles else "as google-genai"
        lines.append(f"| {each.what} | {each.google_genai} | {each.chatproto} | {each.why} | {kept} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
