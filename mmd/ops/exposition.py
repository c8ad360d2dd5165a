"""Families as Prometheus' text format, several times as fast as the client library writes it.

A scrape of fifty instruments is thousands of lines; ops must not take a core for them.
"""

from collections.abc import Iterable

from mmd.ops.family import Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TEXTS_MAX = 100_000
"""Far more than there are; what label values come from are closed sets and names of instruments and models."""
_Labels = tuple[tuple[str, ...], tuple[str, ...]]


class _Texts(dict[_Labels, str]):
    """Names and values of labels → how they stand in the text; each is written once, and looked up by every family."""

    def __missing__(self, labels: _Labels) -> str:
        if len(self) >= _TEXTS_MAX:
            self.clear()
        pairs = ",".join(f'{name}="{_escape(value)}"' for name, value in zip(*labels, strict=True))
        text = self[labels] = f"{{{pairs}}} " if pairs != "" else " "
        return text


_texts = _Texts()


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def exposition(families: Iterable[Family]) -> bytes:
    """The whole answer to a scrape."""
    return "".join([_text(family) for family in families]).encode()


def _text(family: Family) -> str:
    name, texts = family.name, _texts
    shown = f"{name}_total" if family.type == "counter" else name
    says = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
    lines = [
        f"{name}{suffix}{texts[names, values]}{float(value)!r}\n"
        for suffix, names, values, value in family.rows
    ]
    return f"# HELP {shown} {says}\n# TYPE {shown} {family.type}\n{''.join(lines)}"
