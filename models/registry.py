"""Which models there are and which one trades: folders of artefacts, and one small file of pointers.

The champion of a kind is what the daemon quotes with; a challenger is watched beside it. Promotion and rollback
replace the file of pointers as a whole, so that a reader sees the old or the new, never half of either; who writes holds a
lock, so that a person and a daemon that writes down a demotion do not undo each other's word.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, get_args

import msgspec

from mmd.errors import ArtefactError
from models.artefact import MANIFEST, Artefact, Kind, Manifest, read_artefact, read_manifest
from models.checks import check_golden

POINTERS: Final = "pointers.json"
_LOCK: Final = ".pointers.lock"
_HISTORY_MAX: Final = 20


class Demotion(msgspec.Struct, frozen=True):
    """A champion that was taken out while it traded, and is not to trade there again before a person says so."""

    model: str
    instrument: str
    """venue:symbol."""
    reason: str
    at: str
    """ISO 8601, UTC."""


class Pointers(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Of one kind: the champion's id, those before it (newest last), the challenger's and the canary's."""

    champion: str = ""
    before: list[str] = []
    challenger: str = ""
    canary: str = ""
    """Tried on live quotes at a small size; at most one of all kinds."""
    demoted: list[Demotion] = []
    """Where the champion may not trade."""

    def demotion(self, instrument: str) -> Demotion | None:
        """Why the champion may not trade an instrument; None: it may."""
        of_it = (d for d in self.demoted if d.instrument == instrument)
        return next((d for d in of_it if d.model == self.champion), None)


class Registry:
    """Models in a folder of one's own, over those that come with mmd."""

    def __init__(self, folder: Path, shipped: Path | None = None) -> None:
        self.folder = folder
        self._shipped = shipped

    def ids(self) -> list[str]:
        """Every artefact's id, ours first."""
        folders = [f for f in (self.folder, self._shipped) if f is not None and f.is_dir()]
        found = [p.parent.name for f in folders for p in sorted(f.glob(f"*/{MANIFEST}"))]
        return list(dict.fromkeys(found))

    def path(self, model_id: str) -> Path:
        """An artefact's folder, by its id or the beginning of it. Raises: ArtefactError."""
        found = [i for i in self.ids() if i.startswith(model_id)]
        if len(found) != 1 or model_id == "":
            known = ", ".join(self.ids()) or "none"
            said = "no model" if not found else f"{len(found)} models"
            raise ArtefactError(f"{said} with an id like {model_id!r}; there are: {known}")
        own = self.folder / found[0]
        if own.is_dir() or self._shipped is None:
            return own
        return self._shipped / found[0]

    def manifest(self, model_id: str) -> Manifest:
        """What a model says of itself. Raises: ArtefactError."""
        return read_manifest(self.path(model_id))

    def load(self, model_id: str) -> Artefact:
        """A model whose files are whole and which computes what it was made to. Raises: ArtefactError."""
        artefact = read_artefact(self.path(model_id))
        check_golden(artefact)
        return artefact

    def pointers(self, kind: Kind) -> Pointers:
        """Who is champion and challenger; the shipped file's word where there is none of ours."""
        return self._all().get(kind, Pointers())

    def champion(self, kind: Kind) -> Artefact | None:
        """The model that trades, loaded and checked; None where there is none. Raises: ArtefactError."""
        model_id = self.pointers(kind).champion
        return None if model_id == "" else self.load(model_id)

    def promote(self, model_id: str) -> str:
        """Make a model champion, once it has been verified; returns whose place it took. Raises: ArtefactError.

        A champion that was demoted trades again; one that was demoted and loses its place is not gone back to.
        """
        artefact = self.load(model_id)
        kind, found = artefact.manifest.kind, artefact.path.name
        with self._locked():
            at = self.pointers(kind)
            if at.champion == found and not at.demoted:
                raise ArtefactError(f"{found} is the champion already")
            keeps = at.champion not in ("", found) and not at.demoted
            before = [*at.before, at.champion][-_HISTORY_MAX:] if keeps else at.before
            challenger = "" if at.challenger == found else at.challenger
            canary = "" if at.canary == found else at.canary
            self._set(kind, Pointers(found, before, challenger, canary))
        return at.champion

    def demote(self, kind: Kind, demotion: Demotion) -> bool:
        """Write down that the champion was taken out on an instrument; whether that is news.

        Raises: ArtefactError, OSError.
        """
        with self._locked():
            at = self.pointers(kind)
            is_news = at.champion == demotion.model and at.demotion(demotion.instrument) is None
            if is_news:
                self._set(kind, msgspec.structs.replace(at, demoted=[*at.demoted, demotion]))
        return is_news

    def rollback(self, kind: Kind) -> str:
        """Make the champion before this one champion again; returns its id. Raises: ArtefactError."""
        with self._locked():
            at = self.pointers(kind)
            if not at.before:
                raise ArtefactError(
                    f"{kind}: there is no champion before {at.champion or 'the first'}"
                )
            *earlier, last = at.before
            self.load(last)
            self._set(kind, Pointers(last, earlier, at.challenger, at.canary))
        return last

    def challenge(self, model_id: str) -> None:
        """Have a model watched beside the champion. Raises: ArtefactError."""
        artefact = self.load(model_id)
        kind, found = artefact.manifest.kind, artefact.path.name
        with self._locked():
            self._set(kind, msgspec.structs.replace(self.pointers(kind), challenger=found))

    def canary(self, model_id: str) -> None:
        """Have a model tried on live quotes at a small size, in the place of any other. Raises: ArtefactError."""
        artefact = self.load(model_id)
        kind, found = artefact.manifest.kind, artefact.path.name
        with self._locked():
            if self.pointers(kind).champion == found:
                raise ArtefactError(
                    f"{found} is the champion already: a canary is what might take its place"
                )
            self._end_canary()
            at = self.pointers(kind)
            challenger = "" if at.challenger == found else at.challenger
            self._set(kind, msgspec.structs.replace(at, canary=found, challenger=challenger))

    def end_canary(self) -> str:
        """Try no model any more; returns the id of the one that was; empty: there was none."""
        with self._locked():
            return self._end_canary()

    def _end_canary(self) -> str:
        for kind in get_args(Kind):
            at = self.pointers(kind)
            if at.canary != "":
                self._set(kind, msgspec.structs.replace(at, canary=""))
                return at.canary
        return ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among processes and threads, until the pointers are as they are to be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _all(self) -> dict[str, Pointers]:
        for folder in (self.folder, self._shipped):
            file = None if folder is None else folder / POINTERS
            if file is not None and file.is_file():
                try:
                    return msgspec.json.decode(file.read_bytes(), type=dict[str, Pointers])
                except (msgspec.DecodeError, msgspec.ValidationError) as error:
                    raise ArtefactError(f"{file} is damaged: {error}; remove it") from error
        return {}

    def _set(self, kind: Kind, pointers: Pointers) -> None:
        everything = self._all() | {kind: pointers}
        partial = self.folder / f".{POINTERS}.{os.getpid()}"
        text = msgspec.json.format(msgspec.json.encode(everything, order="sorted"), indent=2)
        with partial.open("wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / POINTERS)
